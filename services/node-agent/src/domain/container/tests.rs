use std::net::Ipv4Addr;

use fluxplane_core::Resources;
use fluxplane_envelope::Zeroizing;
use uuid::Uuid;

use super::*;
use crate::domain::desired::{Pauses, Stop};

fn host() -> Host {
    Host {
        node: Uuid::from_u128(9).into(),
        ip: Ipv4Addr::new(203, 0, 113, 9).into(),
        bind_ip: Ipv4Addr::new(10, 0, 0, 9).into(),
        volumes: PathBuf::from("/data/volumes"),
        threads: 4,
        pids_limit: 4_096,
        log_max_mib: 20,
    }
}

fn component(name: &str) -> Component {
    Component {
        name: name.to_owned(),
        image: "nginx:1.27".to_owned(),
        ports: vec![Port {
            host: 31_111,
            container: 80,
            protocol: Protocol::Both,
        }],
        private_version: "environment".to_owned(),
        command: Vec::new(),
        resources: Resources {
            cpu_milli: 500,
            ram_mib: 100,
            disk_gib: 1,
        },
        mounts: Vec::new(),
        entrypoint: Vec::new(),
        restart: None,
        stop: None,
        probes: None,
    }
}

fn instance(components: Vec<Component>) -> Instance {
    Instance {
        id: "01988c2e-7a50-7cc2-a9f0-0123456789ab".parse().unwrap(),
        assignment_epoch: 7,
        app_id: String::new(),
        app_name: "shop".to_owned(),
        revision: Uuid::from_u128(3).into(),
        components,
        traceparent: String::new(),
    }
}

fn only(component: Component) -> Result<ContainerSpec, SpecError> {
    containers(&instance(vec![component]), &host()).map(|mut all| all.remove(0))
}

fn mount(source: &str, path: &str, component: &str) -> Mount {
    Mount {
        path: path.to_owned(),
        source: source.to_owned(),
        file: false,
        component: component.to_owned(),
        read_only: false,
    }
}

#[test]
fn a_container_carries_what_the_agent_needs_to_find_it_again() {
    let spec = only(component("web")).unwrap();
    assert_eq!(spec.name, "fx-0123456789ab-web");
    assert_eq!(spec.network, "fx-0123456789ab");
    assert_eq!(bridge_name(instance(vec![]).id).len(), 14);
    assert_eq!(spec.labels[label::EPOCH], "7");
    assert_eq!(spec.labels[label::NODE], host().node.to_string());
    assert_eq!(spec.labels[label::SPEC].len(), 64);
    assert_eq!(spec.aliases, ["web", "fluxweb_shop"]);
    assert_eq!(spec.image.as_str(), "docker.io/library/nginx:1.27");
    assert_eq!(spec.limits.cpu_nanos, 500_000_000);
    assert_eq!(spec.limits.memory_bytes, 104_857_600);
    let port = Published {
        address: host().bind_ip,
        host: 31_111,
        container: 80,
        protocol: Protocol::Both,
    };
    assert_eq!(spec.ports, [port]);
    assert!(spec.entrypoint.is_empty() && spec.stop_signal.is_none() && spec.restart.is_none());
    assert!(!spec.labels.contains_key(label::GRACE));
}

#[test]
fn a_component_may_say_how_it_starts_ends_and_listens() {
    let mut web = component("web");
    web.entrypoint = vec!["/bin/web".to_owned()];
    web.restart = Some(Pauses {
        first_s: 10,
        longest_s: 300,
    });
    web.stop = Some(Stop {
        signal: "SIGINT".to_owned(),
        grace_s: 45,
    });
    web.ports[0].protocol = Protocol::Udp;
    web.mounts = vec![Mount {
        read_only: true,
        ..mount("data", "/data", "")
    }];
    let spec = only(web.clone()).unwrap();
    assert_eq!(spec.entrypoint, ["/bin/web"]);
    let pauses = (Duration::from_secs(10), Duration::from_mins(5));
    assert_eq!(spec.restart, Some(pauses));
    assert_eq!(spec.stop_signal.as_deref(), Some("SIGINT"));
    assert_eq!(spec.labels[label::GRACE], "45");
    assert!(spec.binds[0].read_only && !spec.ports[0].protocol.has_tcp());
    web.stop = Some(Stop {
        signal: "9".to_owned(),
        grace_s: 1,
    });
    assert!(only(web).unwrap_err().to_string().contains("stop signal"));
}

#[test]
fn what_a_component_does_not_say_is_not_in_its_digest() {
    let json = serde_json::to_value(component("web")).unwrap();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    let known = [
        "command",
        "image",
        "mounts",
        "name",
        "ports",
        "private_version",
        "resources",
    ];
    assert_eq!(fields, known);
    assert_eq!(
        json["ports"][0],
        serde_json::json!({ "host": 31_111, "container": 80 })
    );
}

#[test]
fn our_variables_cannot_be_forged() {
    let private = PrivateComponent {
        name: "web".to_owned(),
        environment: ["A=b", "FLUX_APP_NAME=forged"]
            .map(|entry| Zeroizing::new(entry.to_owned()))
            .into(),
        credentials: None,
    };
    let bare = only(component("web")).unwrap();
    assert!(!bare.environment.contains(&"A=b".to_owned()));
    let environment = bare.with_private(&private).environment;
    let app: Vec<&String> = environment
        .iter()
        .filter(|e| e.starts_with("FLUX_APP_NAME"))
        .collect();
    assert_eq!(app, ["FLUX_APP_NAME=shop"]);
    assert!(environment.contains(&"A=b".to_owned()));
    assert!(environment.contains(&"FLUX_NODE_HOST_IP=203.0.113.9".to_owned()));
}

#[test]
fn a_limit_beyond_the_machine_is_the_machine() {
    let mut greedy = component("web");
    greedy.resources.cpu_milli = 64_000;
    assert_eq!(only(greedy).unwrap().limits.cpu_nanos, 4_000_000_000);
}

#[test]
fn the_digest_follows_the_wish_and_not_the_assignment() {
    let digest = |instance: &Instance, host: &Host| {
        containers(instance, host).unwrap()[0].labels[label::SPEC].clone()
    };
    let before = instance(vec![component("web")]);
    let reassigned = Instance {
        assignment_epoch: 8,
        ..before.clone()
    };
    assert_eq!(digest(&before, &host()), digest(&reassigned, &host()));
    let updated = Instance {
        revision: Uuid::from_u128(4).into(),
        ..before.clone()
    };
    assert_ne!(digest(&before, &host()), digest(&updated, &host()));
    let mut renewed = before.clone();
    renewed.components[0].private_version = "secrets-1".to_owned();
    assert_ne!(digest(&before, &host()), digest(&renewed, &host()));
    let newer_agent = Host {
        pids_limit: 1,
        ..host()
    };
    assert_eq!(digest(&before, &host()), digest(&before, &newer_agent));
}

#[test]
fn volumes_lie_below_the_instance_and_may_be_shared_between_components() {
    let mut web = component("web");
    web.mounts = vec![
        mount("appdata", "/var/www", ""),
        mount("appdata", "/db", "db"),
    ];
    let instance = instance(vec![component("db"), web]);
    let specs = containers(&instance, &host()).unwrap();
    let root = PathBuf::from("/data/volumes").join(instance.id.to_string());
    let sources: Vec<PathBuf> = specs[1]
        .binds
        .iter()
        .map(|bind| bind.source.clone())
        .collect();
    assert_eq!(sources, [root.join("web/appdata"), root.join("db/appdata")]);
}

#[test]
fn a_malformed_component_names_field_value_and_rule() {
    let broken = |change: fn(&mut Component)| {
        let mut component = component("web");
        change(&mut component);
        only(component).unwrap_err().to_string()
    };
    let text = broken(|c| c.ports[0].host = 70_000);
    assert_eq!(
        text,
        "component `web`: host port is `70000`, but a port is 1 to 65535"
    );
    assert!(broken(|c| c.ports[0].container = 0).contains("container port"));
    assert!(broken(|c| c.image = "a b".to_owned()).contains("image"));
    assert!(broken(|c| c.name = "../x".to_owned()).contains("name"));
    assert!(broken(|c| c.mounts = vec![mount("../../etc", "/x", "")]).contains("mount source"));
    assert!(broken(|c| c.mounts = vec![mount("x", "/a/../..", "")]).contains("mount path"));
    assert!(broken(|c| c.mounts = vec![mount("x", "/", "")]).contains("mount path"));
    assert!(broken(|c| c.mounts = vec![mount("x", "/a", "other")]).contains("mount component"));
    assert!(containers(&instance(vec![]), &host()).is_err());
}
