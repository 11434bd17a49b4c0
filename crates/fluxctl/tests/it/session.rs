//! Signing in, staying signed in, signing out.

use futures::future::join_all;
use serde_json::json;

use crate::support::{Cli, Plane, cli::mode, sample};

#[tokio::test]
async fn a_key_file_signs_in_and_the_tokens_stay_private() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    let (key, path) = cli.key();
    let run = cli.run(&["login", "--key-file", &path, "-o", "json"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let answer = run.json();
    assert_eq!(answer["principal"], key.flux_id().to_string());
    assert_eq!(
        (&answer["server"], &answer["profile"]),
        (&json!(plane.url), &json!("default"))
    );
    assert!(
        !run.stdout.contains("fx"),
        "tokens are not shown: {}",
        run.stdout
    );
    assert_eq!(mode(&cli.config().join("session-default.json")), 0o600);
    assert_eq!(mode(&cli.config().join("config.json")), 0o600);
    let who = cli.run(&["whoami"]).await;
    assert!(who.stdout.contains(&key.flux_id().to_string()), "{who:?}");
    let out = cli.run(&["logout"]).await;
    assert_eq!(out.stdout, format!("signed out of {}\n", plane.url));
    assert_eq!(cli.run(&["whoami"]).await.code, 3);
}

#[tokio::test]
async fn a_wallet_elsewhere_signs_the_phrase_that_is_shown() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    let (key, _) = cli.key();
    let id = key.flux_id().to_string();
    // Phrases of this plane are numbered, so the next one is known.
    let signature = key.sign("1763798400123phrase1");
    let run = cli
        .run_with(
            &["login", "--address", &id],
            format!("{signature}\n").as_bytes(),
        )
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("1763798400123phrase1"),
        "{}",
        run.stderr
    );
    let wrong = cli
        .run_with(&["login", "--address", &id, "-o", "json"], b"nonsense\n")
        .await;
    assert_eq!(
        (wrong.code, &wrong.error()["code"]),
        (3, &json!("signature-invalid"))
    );
}

#[tokio::test]
async fn an_access_token_that_ran_out_is_renewed_once_however_many_ask() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    plane.end_access_tokens();
    let runs = join_all((0..6).map(|_| cli.run(&["whoami"]))).await;
    assert!(runs.iter().all(|run| run.code == 0), "{runs:?}");
    assert_eq!(plane.refreshes(), 1);
    assert!(!plane.sessions_ended());
}

#[tokio::test]
async fn a_session_that_is_over_says_so() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    let never = cli.run(&["apps", "-o", "json"]).await;
    assert_eq!(
        (never.code, &never.error()["code"]),
        (3, &json!("not-signed-in"))
    );
    assert!(plane.seen().is_empty(), "nothing was asked without a token");
    cli.signed_in().await;
    plane.end_sessions();
    let over = cli.run(&["apps", "-o", "json"]).await;
    assert_eq!(
        (over.code, &over.error()["code"]),
        (3, &json!("session-over"))
    );
    let again = cli.run(&["apps", "-o", "json"]).await;
    assert_eq!(again.error()["code"], "not-signed-in");
}

#[tokio::test]
async fn tokens_of_one_plane_are_not_shown_to_another() {
    let (ours, theirs) = (Plane::start().await, Plane::start().await);
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    let login = cli
        .run(&["--server", &ours.url, "login", "--key-file", &path])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    // The profile remembers its plane.
    assert_eq!(cli.run(&["whoami"]).await.code, 0);
    let other = cli.run(&["--server", &theirs.url, "whoami"]).await;
    assert_eq!(other.code, 3);
    assert!(theirs.seen().is_empty());
}

#[tokio::test]
async fn profiles_keep_planes_apart() {
    let (work, home) = (Plane::start().await, Plane::start().await);
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    for (name, plane) in [("work", &work), ("home", &home)] {
        let login = cli
            .run(&[
                "--profile",
                name,
                "--server",
                &plane.url,
                "login",
                "--key-file",
                &path,
            ])
            .await;
        assert_eq!(login.code, 0, "{login:?}");
    }
    let who = cli
        .run(&["whoami", "--profile", "work", "-o", "json"])
        .await
        .json();
    assert_eq!(
        (&who["server"], &who["profile"]),
        (&json!(work.url), &json!("work"))
    );
    let current = cli.run(&["whoami", "-o", "json"]).await.json();
    assert_eq!(current["server"], home.url);
    assert_eq!(cli.run(&["whoami", "--profile", "../x"]).await.code, 2);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    let (_, path) = cli.key();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = cli.run(&["login", "--key-file", &path]).await;
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("chmod 600"), "{}", run.stderr);
}

#[tokio::test]
async fn public_reads_need_no_session() {
    let plane = Plane::start().await;
    plane.says("GET /v1/nodes", sample::page(&[sample::node(1, "ready")]));
    let run = Cli::new(Some(&plane.url))
        .run(&["node", "list", "-o", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(plane.seen()[0].header("authorization").is_none());
}
