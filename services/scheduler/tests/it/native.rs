//! Specifications `fluxplane/v1`: signed, taken, placed, told to nodes, updated.

use fluxplane_app_spec::{
    message::message_hash,
    native::{MessageKind, message_text, parse},
};
use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    node_registry::v1::PortProtocol,
    scheduler::v1::{
        App, AppState, Funding, InstanceState, PreviewPlacementRequest, SignedSpec,
        UpdateAppRequest,
    },
};
use tonic::Status;

use crate::support::{Plane, caller, key, spec::web, submission, wallet::Wallet};

const SPEC: &str = "schema: fluxplane/v1
name: shop
owner: OWNER
components:
  web:
    image: nginx:1.27
    command: [/bin/web]
    args: [--fast]
    env: { MODE: prod }
    cpu: 500m
    memory: 512Mi
    disk: 2Gi
    ports:
      http: { container: 80 }
      game: { container: 9000, host: 31900, protocol: udp }
    volumes:
      data: { path: /data, readOnly: true }
    restart: { backoff: 3s, maxBackoff: 60s }
    stop: { signal: SIGINT, grace: 7s }
    probes: { readiness: { http: { port: 80, path: /ready }, interval: 5s } }
instances: 2
";

/// As JSON, which is what the gateway passes on, in the order of the text and not the canonical one.
fn json(wallet: &Wallet, yaml: &str) -> String {
    let spec = parse(yaml.replace("OWNER", &wallet.id).as_bytes()).unwrap();
    fluxplane_app_spec::json::stringify(&spec.to_value())
}

fn sign(wallet: &Wallet, kind: MessageKind, yaml: &str, timestamp_ms: u64) -> SignedSpec {
    let spec_json = json(wallet, yaml);
    let hash = parse(spec_json.as_bytes()).unwrap().hash();
    let text = message_text(kind, &hash, timestamp_ms);
    SignedSpec {
        r#type: kind.name().to_owned(),
        version: 1,
        spec_json,
        timestamp_ms,
        signature: wallet.sign(&text),
    }
}

async fn submit(plane: &Plane, wallet: &Wallet, yaml: &str) -> Result<App, Status> {
    let signed = sign(wallet, MessageKind::Register, yaml, plane.now_ms());
    let request = submission(wallet, signed);
    let answer = plane.client().submit_app(request).await?;
    Ok(answer.into_inner().app.unwrap())
}

async fn update(plane: &Plane, wallet: &Wallet, yaml: &str) -> Result<App, Status> {
    let signed = sign(wallet, MessageKind::Update, yaml, plane.now_ms());
    submit_update(plane, wallet, signed).await
}

async fn submit_update(plane: &Plane, wallet: &Wallet, signed: SignedSpec) -> Result<App, Status> {
    let request = UpdateAppRequest {
        caller: Some(caller(wallet)),
        idempotency_key: key(),
        name: "shop".to_owned(),
        expected_version: plane.app(wallet, "shop").await.version,
        signed_spec: Some(signed),
        quote_id: "quote-2".to_owned(),
        funding: Funding::Balance.into(),
    };
    let answer = plane.client().update_app(request).await?;
    Ok(answer.into_inner().app.unwrap())
}

fn refused(answer: Result<App, Status>) -> (Reason, Vec<String>) {
    let remote = Remote::from(answer.unwrap_err());
    let fields = remote.violations.into_iter().map(|one| one.field);
    (remote.reason, fields.collect())
}

#[tokio::test]
async fn a_native_application_is_taken_placed_and_told_to_its_nodes_whole() {
    let plane = Plane::start().await;
    let agents = plane.agents(3).await;
    let wallet = Wallet::new(1);
    let signed = sign(&wallet, MessageKind::Register, SPEC, plane.now_ms());
    let request = submission(&wallet, signed.clone());
    let app = plane.client().submit_app(request).await.unwrap();
    let app = app.into_inner().app.unwrap();
    let revision = app.current.clone().unwrap();
    let canonical = parse(signed.spec_json.as_bytes()).unwrap();
    assert_eq!(revision.spec_json, canonical.canonical());
    let text = message_text(
        MessageKind::Register,
        &canonical.hash(),
        signed.timestamp_ms,
    );
    assert_eq!(
        revision.message_hash,
        message_hash(&text, &signed.signature)
    );

    plane.bus.fund(&revision, plane.in_days(30)).await;
    plane.until(&wallet, "shop", AppState::Running).await;
    let instances = plane.instances(&wallet, "shop", false).await;
    assert_eq!(instances.len(), 2);
    let healthy = instances
        .iter()
        .find(|instance| instance.state() == InstanceState::Healthy)
        .unwrap();
    let [game, http] = healthy.endpoints.as_slice() else {
        panic!("{:?}", healthy.endpoints)
    };
    assert!(game.ends_with(":31900"), "{game}");
    let chosen: u32 = http.rsplit(':').next().unwrap().parse().unwrap();
    assert!((20_000..26_000).contains(&chosen));

    let told = agents.desired(&healthy.node_id).unwrap();
    let component = &told.instances[0].components[0];
    assert_eq!(component.entrypoint, ["/bin/web"]);
    assert_eq!(component.command, ["--fast"]);
    // The environment is fetched, not told.
    assert!(component.environment.is_empty() && !component.private_version.is_empty());
    let ports: Vec<(u32, u32, PortProtocol)> = component
        .ports
        .iter()
        .map(|port| (port.host_port, port.container_port, port.protocol()))
        .collect();
    let expected = [
        (31_900, 9_000, PortProtocol::Udp),
        (chosen, 80, PortProtocol::Tcp),
    ];
    assert_eq!(ports, expected);
    let restart = component.restart.unwrap();
    assert_eq!((restart.first_pause_s, restart.longest_pause_s), (3, 60));
    let stop = component.stop.clone().unwrap();
    assert_eq!((stop.signal.as_str(), stop.grace_s), ("SIGINT", 7));
    let readiness = component.probes.clone().unwrap().readiness.unwrap();
    assert_eq!((readiness.port, readiness.interval_s), (80, 5));
    assert_eq!(readiness.http_path(), "/ready");
    let mount = &component.mounts[0];
    assert!(mount.read_only && mount.source == "data");
}

#[tokio::test]
async fn what_the_plane_does_not_do_and_what_breaks_a_rule_is_refused_by_its_field() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let good = json(&wallet, SPEC);
    for (from, to, field) in [
        (
            "\"instances\":2",
            "\"autoscale\":{\"min\":1,\"max\":3,\"cpuPercent\":70}",
            "spec.autoscale",
        ),
        (
            "\"cpu\":\"500m\"",
            "\"cpu\":\"500m\",\"gpu\":{\"count\":2}",
            "spec.components.web.gpu.count",
        ),
        ("\"cpu\":\"500m\"", "\"cpu\":500", "spec.components.web.cpu"),
        ("\"name\":\"shop\"", "\"name\":\"Shop\"", "spec.name"),
        (
            "\"protocol\":\"udp\"",
            "\"protocol\":\"http\"",
            "spec.components.web.ports.game.protocol",
        ),
        (
            "\"instances\":2",
            "\"instances\":2,\"instances\":3",
            "spec.instances",
        ),
    ] {
        assert_eq!(good.matches(from).count(), 1, "{from} in {good}");
        let request = PreviewPlacementRequest {
            caller: Some(caller(&wallet)),
            spec_json: good.replace(from, to),
        };
        let refused = plane.client_as("billing").preview_placement(request).await;
        let remote = Remote::from(refused.unwrap_err());
        assert_eq!(remote.reason, Reason::SpecInvalid, "{to}");
        let fields: Vec<&str> = remote
            .violations
            .iter()
            .map(|one| one.field.as_str())
            .collect();
        assert_eq!(fields, [field], "{to}");
    }
}

#[tokio::test]
async fn only_the_owners_signature_of_this_content_this_kind_and_this_moment_counts() {
    let plane = Plane::start().await;
    let (wallet, stranger) = (Wallet::new(1), Wallet::new(2));
    let good = sign(&wallet, MessageKind::Register, SPEC, plane.now_ms());
    let with = |signed: SignedSpec| submission(&wallet, signed);
    let other_content = sign(
        &wallet,
        MessageKind::Register,
        &SPEC.replace("MODE: prod", "MODE: test"),
        plane.now_ms(),
    );
    let forged = sign(&stranger, MessageKind::Register, SPEC, plane.now_ms());
    let cases = [
        (
            SignedSpec {
                signature: other_content.signature,
                ..good.clone()
            },
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            SignedSpec {
                signature: forged.signature,
                ..good.clone()
            },
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            SignedSpec {
                timestamp_ms: good.timestamp_ms - 1,
                ..good.clone()
            },
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            sign(&wallet, MessageKind::Update, SPEC, plane.now_ms()),
            Reason::InvalidRequest,
            "type",
        ),
        (
            SignedSpec {
                r#type: "fluxappregister".to_owned(),
                ..good.clone()
            },
            Reason::InvalidRequest,
            "type",
        ),
        (
            sign(
                &wallet,
                MessageKind::Register,
                SPEC,
                plane.now_ms() - 7_200_000,
            ),
            Reason::InvalidRequest,
            "timestamp",
        ),
    ];
    for (signed, reason, field) in cases {
        let answer = plane.client().submit_app(with(signed)).await;
        let answer = answer.map(|answer| answer.into_inner().app.unwrap());
        assert_eq!(refused(answer), (reason, vec![field.to_owned()]));
    }
    let published = fluxplane_proto::scheduler::v1::SubmitAppRequest {
        published: true,
        ..with(good.clone())
    };
    let answer = plane.client().submit_app(published).await;
    let answer = answer.map(|answer| answer.into_inner().app.unwrap());
    let expected = (Reason::InvalidRequest, vec!["published".to_owned()]);
    assert_eq!(refused(answer), expected);
    let taken = plane.client().submit_app(with(good.clone())).await;
    assert!(taken.is_ok());
    plane.cancel(&wallet, "shop").await.unwrap();
    let again = plane.client().submit_app(with(good)).await;
    let again = again.map(|answer| answer.into_inner().app.unwrap());
    assert_eq!(refused(again).0, Reason::MessageUsed);
    // The same content signed anew is another message.
    submit(&plane, &wallet, SPEC).await.unwrap();
}

#[tokio::test]
async fn an_update_replaces_containers_only_where_they_differ_and_keeps_the_kind() {
    let plane = Plane::start().await;
    let agents = plane.agents(3).await;
    let wallet = Wallet::new(1);
    let app = submit(&plane, &wallet, SPEC).await.unwrap();
    let first = app.current.unwrap();
    plane.bus.fund(&first, plane.in_days(30)).await;
    plane.until(&wallet, "shop", AppState::Running).await;
    let before = plane.instances(&wallet, "shop", false).await;

    // Another number of copies leaves those that run alone.
    let more = SPEC.replace("instances: 2", "instances: 3");
    let app = update(&plane, &wallet, &more).await.unwrap();
    plane
        .bus
        .fund(&app.pending.unwrap(), plane.in_days(30))
        .await;
    let is_larger = |app: &App| app.instances_healthy == 3 && app.state() == AppState::Running;
    plane.until_app(&wallet, "shop", is_larger).await;
    let after = plane.instances(&wallet, "shop", false).await;
    for old in &before {
        let same = after.iter().find(|new| new.instance_id == old.instance_id);
        assert_eq!(same.unwrap().assignment_epoch, old.assignment_epoch);
    }

    // Another variable is another container.
    let changed = more.replace("MODE: prod", "MODE: test");
    let app = update(&plane, &wallet, &changed).await.unwrap();
    plane
        .bus
        .fund(&app.pending.unwrap(), plane.in_days(30))
        .await;
    plane
        .until_instances(&wallet, "shop", |instances| {
            let live: Vec<_> = instances
                .iter()
                .filter(|one| one.state() == InstanceState::Healthy)
                .collect();
            live.len() == 3 && live.iter().all(|one| one.revision_number == 3)
        })
        .await;
    drop(agents);

    let legacy = web("shop").json();
    let fluxos = wallet.sign_spec("fluxappupdate", &legacy, plane.now_ms());
    let other_kind = submit_update(&plane, &wallet, fluxos).await;
    assert_eq!(
        refused(other_kind),
        (Reason::SpecInvalid, vec!["spec".to_owned()])
    );
    let renamed = update(
        &plane,
        &wallet,
        &changed.replace("name: shop", "name: shop2"),
    )
    .await;
    assert_eq!(
        refused(renamed),
        (Reason::SpecInvalid, vec!["spec.name".to_owned()])
    );
}
