//! Secrets: stored and never shown, refused to be lost while in use, and brought to running instances.

use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::scheduler::v1::{
    App, AppState, DeleteSecretRequest, GetSecretRequest, ListSecretsRequest, SecretKind,
    put_secret_request::Content,
};
use fluxplane_scheduler::{app::secrets::resolve, domain::Workload};
use fluxplane_testkit::eventually;
use sqlx::types::Json;
use tonic::{Code, Status};

use crate::support::{
    LIMIT, Plane, caller, key,
    private::{credentials, put},
    spec::web,
    wallet::Wallet,
};

const MARK: &str = "Zq3-secret-mark";

async fn delete(plane: &Plane, wallet: &Wallet, name: &str, force: bool) -> Result<(), Status> {
    let request = DeleteSecretRequest {
        caller: Some(caller(wallet)),
        idempotency_key: key(),
        name: name.to_owned(),
        force,
    };
    let mut client = plane.secrets_as("gateway");
    client.delete_secret(request).await.map(drop)
}

async fn names(plane: &Plane, wallet: &Wallet) -> Vec<String> {
    let request = ListSecretsRequest {
        caller: Some(caller(wallet)),
        page: None,
    };
    let answer = plane.secrets_as("gateway").list_secrets(request).await;
    let secrets = answer.unwrap().into_inner().secrets;
    secrets.into_iter().map(|secret| secret.name).collect()
}

#[tokio::test]
async fn a_secret_is_kept_and_never_shown() {
    let plane = Plane::start().await;
    let (wallet, other) = (Wallet::new(1), Wallet::new(2));
    let secret = plane.put_secret(&wallet, "db/password", MARK).await;
    assert_eq!((secret.kind(), secret.version), (SecretKind::Value, 1));
    let mut gateway = plane.secrets_as("gateway");
    let request = put(&wallet, "registry", credentials(MARK));
    let stored = gateway
        .put_secret(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(stored.created);
    let repeated = gateway
        .put_secret(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(repeated, stored);
    let mut changed = request;
    changed.content = Some(credentials("another"));
    let reused = gateway.put_secret(changed).await.unwrap_err();
    assert_eq!(Remote::from(reused).reason, Reason::IdempotencyKeyReused);

    let renewed = plane.put_secret(&wallet, "db/password", "better").await;
    assert_eq!(renewed.version, 2);
    assert_eq!(names(&plane, &wallet).await, ["db/password", "registry"]);
    assert_eq!(names(&plane, &other).await, [""; 0]);
    let request = GetSecretRequest {
        caller: Some(caller(&other)),
        name: "registry".to_owned(),
    };
    let hidden = gateway.get_secret(request).await.unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound);
    assert_eq!(plane.tables_with(MARK).await, [""; 0]);

    delete(&plane, &wallet, "db/password", false).await.unwrap();
    let gone = delete(&plane, &wallet, "db/password", false)
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    assert_eq!(names(&plane, &wallet).await, ["registry"]);
}

#[tokio::test]
async fn a_bad_secret_is_refused_without_repeating_it() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let long = MARK.repeat(6_000);
    let cases = [
        ("Bad Name", Content::Value(MARK.to_owned()), "name"),
        ("good", Content::Value(long), "value"),
        ("good", Content::Value(format!("{MARK}\0")), "value"),
        ("good", credentials(""), "password"),
    ];
    for (name, content, field) in cases {
        let mut gateway = plane.secrets_as("gateway");
        let refused = gateway.put_secret(put(&wallet, name, content)).await;
        let refused = Remote::from(refused.unwrap_err());
        assert_eq!(refused.violations[0].field, field);
        assert!(!format!("{refused:?}").contains(MARK));
    }
    assert_eq!(names(&plane, &wallet).await, [""; 0]);
}

/// Deploys one application with two copies whose containers have a secret in their environment.
async fn with_secret(plane: &Plane, wallet: &Wallet) -> App {
    let mut spec = web("shop");
    spec.instances = 2;
    let app = plane.submit(wallet, &spec.json()).await.unwrap();
    // As a specification that can name secrets is stored.
    sqlx::query!(
        r#"
        UPDATE revision SET workload = jsonb_set(
            workload, '{components,0}', (workload #> '{components,0}')
            || '{"secrets": {"PASSWORD": "db/password"}, "registry_credentials": "registry"}')
        "#
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    sqlx::query!(
        r#"
        INSERT INTO secret_use (revision_id, owner, name, purpose)
        SELECT id, owner, name, purpose FROM revision, (VALUES
            ('db/password', 'environment'), ('registry', 'registry')) AS named (name, purpose)
        "#
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    plane
        .bus
        .fund(app.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane.until(wallet, "shop", AppState::Running).await
}

#[tokio::test]
async fn a_new_value_reaches_running_instances_one_after_the_other() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    plane.put_secret(&wallet, "db/password", "first").await;
    let request = put(&wallet, "registry", credentials("token"));
    plane
        .secrets_as("gateway")
        .put_secret(request)
        .await
        .unwrap();
    with_secret(&plane, &wallet).await;
    let before = plane.instances(&wallet, "shop", false).await;
    let one = &before[0];
    assert_eq!(plane.environment(one).await, ["A=1", "PASSWORD=first"]);
    let part = plane.delivered(&one.node_id, &one.instance_id, 1).await;
    let login = part.unwrap().components[0]
        .image_credentials
        .clone()
        .unwrap();
    assert_eq!(
        (
            login.registry.as_str(),
            login.username.as_str(),
            login.password.as_str()
        ),
        ("ghcr.io", "robot", "token")
    );

    plane.put_secret(&wallet, "db/password", "second").await;
    let after = plane
        .until_instances(&wallet, "shop", |instances| {
            instances
                .iter()
                .all(|instance| instance.assignment_epoch == 2)
        })
        .await;
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(
            (&old.instance_id, &old.node_id),
            (&new.instance_id, &new.node_id)
        );
        assert_eq!(new.revision_number, 1);
        assert_eq!(plane.environment(new).await, ["A=1", "PASSWORD=second"]);
        let told = agents.desired(&new.node_id).unwrap();
        assert_eq!(told.instances[0].components[0].private_version, "secrets-1");
    }
    plane.until(&wallet, "shop", AppState::Running).await;
    let timeline = plane.timeline(&wallet, "shop").await;
    let steps: Vec<(String, String)> = timeline
        .iter()
        .skip_while(|entry| !entry.message.contains("new values of its secrets"))
        .filter(|entry| ["placed", "healthy"].contains(&entry.stage.as_str()))
        .map(|entry| (entry.stage.clone(), entry.instance_id.clone()))
        .collect();
    let wanted: Vec<(String, String)> = before
        .iter()
        .flat_map(|i| ["placed", "healthy"].map(|stage| (stage.to_owned(), i.instance_id.clone())))
        .collect();
    assert_eq!(steps, wanted, "each is healthy before the next changes");
}

#[tokio::test]
async fn credentials_for_images_restart_nothing() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.put_secret(&wallet, "db/password", "first").await;
    let renew = |password: &str| put(&wallet, "registry", credentials(password));
    let mut gateway = plane.secrets_as("gateway");
    gateway.put_secret(renew("old")).await.unwrap();
    with_secret(&plane, &wallet).await;
    gateway.put_secret(renew("new")).await.unwrap();
    let changes = sqlx::query_scalar!("SELECT secrets FROM app");
    assert_eq!(changes.fetch_one(&plane.db.pool).await.unwrap(), 0);
    let one = &plane.instances(&wallet, "shop", false).await[0];
    let part = plane.delivered(&one.node_id, &one.instance_id, 1).await;
    let login = part.unwrap().components[0].image_credentials.clone();
    assert_eq!(login.unwrap().password, "new");
}

#[tokio::test]
async fn a_secret_in_use_is_deleted_by_force_alone() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.put_secret(&wallet, "db/password", "first").await;
    let request = put(&wallet, "registry", credentials("token"));
    plane
        .secrets_as("gateway")
        .put_secret(request)
        .await
        .unwrap();
    with_secret(&plane, &wallet).await;
    let refused = Remote::from(
        delete(&plane, &wallet, "db/password", false)
            .await
            .unwrap_err(),
    );
    assert_eq!(refused.reason, Reason::SecretInUse);
    assert!(refused.message.contains("shop"), "{refused}");
    let mut gateway = plane.secrets_as("gateway");
    let other_kind = gateway
        .put_secret(put(&wallet, "db/password", credentials("x")))
        .await;
    let other_kind = Remote::from(other_kind.unwrap_err());
    assert_eq!(other_kind.reason, Reason::SecretInUse);

    delete(&plane, &wallet, "db/password", true).await.unwrap();
    let one = plane.instances(&wallet, "shop", false).await[0].clone();
    let lacks = plane.delivered(&one.node_id, &one.instance_id, 1).await;
    let lacks = Remote::from(lacks.unwrap_err());
    assert_eq!(lacks.reason, Reason::NotFound);
    assert!(lacks.message.contains("db/password"), "{lacks}");

    plane.cancel(&wallet, "shop").await.unwrap();
    eventually(LIMIT, async || {
        delete(&plane, &wallet, "registry", false).await
    })
    .await;
}

#[tokio::test]
async fn a_specification_names_secrets_that_exist_and_fit() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let stored = sqlx::query_scalar!(r#"SELECT workload AS "w: Json<Workload>" FROM revision"#);
    let mut workload = stored.fetch_one(&plane.db.pool).await.unwrap().0;
    let component = &mut workload.components[0];
    let named = [("A", "missing"), ("B", "registry"), ("C", "value")];
    component.secrets = named
        .map(|(variable, secret)| (variable.to_owned(), secret.to_owned()))
        .into();
    component.registry_credentials = Some("value".to_owned());
    plane.put_secret(&wallet, "value", "x").await;
    let request = put(&wallet, "registry", credentials("token"));
    plane
        .secrets_as("gateway")
        .put_secret(request)
        .await
        .unwrap();

    let mut conn = plane.db.pool.acquire().await.unwrap();
    let refused = resolve(&mut conn, &wallet.id, &workload).await.unwrap_err();
    let violations = fluxplane_platform::error::ServiceError::violations(&refused);
    let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.components.web.secrets.A",
            "spec.components.web.secrets.B",
            "spec.components.web.registryCredentials",
        ]
    );
    let other = Wallet::new(2);
    let refused = resolve(&mut conn, &other.id, &workload).await.unwrap_err();
    let violations = fluxplane_platform::error::ServiceError::violations(&refused);
    assert_eq!(violations.len(), 4, "secrets are their owner's");
    workload.components[0].secrets.retain(|name, _| name == "C");
    workload.components[0].registry_credentials = Some("registry".to_owned());
    assert_eq!(
        resolve(&mut conn, &wallet.id, &workload)
            .await
            .unwrap()
            .len(),
        2
    );
}
