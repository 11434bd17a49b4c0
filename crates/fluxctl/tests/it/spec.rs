//! Specifications, one at a time.

use serde_json::json;

use crate::support::{
    Cli,
    sample::{OWNER, spec},
};

#[tokio::test]
async fn a_good_specification_passes() {
    let cli = Cli::new(None);
    let file = cli.file("spec.json", spec(OWNER, 3));
    let run = cli
        .run(&["spec", "check", "-f", &file, "--height", "2250000"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let programs = cli
        .run(&["spec", "check", "-f", &file, "-o", "json"])
        .await
        .json();
    assert_eq!(
        (&programs["accepted"], &programs["strict"]),
        (&json!(true), &json!([]))
    );
    let stdin = cli
        .run_with(&["spec", "check", "-f", "-"], spec(OWNER, 3).as_bytes())
        .await;
    assert_eq!(stdin.code, 0);
}

#[tokio::test]
async fn findings_are_explained_and_fail() {
    let cli = Cli::new(None);
    let odd = spec("nobody", 3).replace("\"cpu\":0.5", "\"cpu\":-5");
    let file = cli.file("spec.json", odd);
    let people = cli
        .run(&["spec", "check", "-f", &file, "--height", "2250000"])
        .await;
    insta::assert_snapshot!(people.screen());
    let legacy = cli
        .run(&[
            "spec", "check", "-f", &file, "--height", "2250000", "--legacy",
        ])
        .await;
    assert_eq!(legacy.code, 0, "FluxOS itself takes it");
    let refused = cli.file(
        "refused.json",
        spec(OWNER, 3).replace("\"instances\":3", "\"instances\":101"),
    );
    let run = cli
        .run(&[
            "spec", "check", "-f", &refused, "--height", "2250000", "--legacy",
        ])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
}

#[tokio::test]
async fn what_is_no_specification_is_named_by_its_place() {
    let cli = Cli::new(None);
    let file = cli.file("spec.json", "{\"version\": 8,\n}");
    let run = cli.run(&["spec", "check", "-f", &file, "-o", "json"]).await;
    let rule = run.error()["violations"][0]["rule"].clone();
    assert_eq!(run.code, 2);
    assert!(
        rule.as_str()
            .unwrap()
            .starts_with("invalid JSON at byte 15"),
        "{rule}"
    );
    // Nothing can be smuggled in behind the specification.
    let smuggled = cli.file("smuggled.json", "{}, \"height\": 1");
    assert_eq!(cli.run(&["spec", "check", "-f", &smuggled]).await.code, 2);
    assert_eq!(cli.run(&["spec", "check"]).await.code, 2);
}

#[tokio::test]
async fn a_price_and_its_update() {
    let cli = Cli::new(None);
    let (old, new) = (
        cli.file("old.json", spec(OWNER, 3)),
        cli.file("new.json", spec(OWNER, 6)),
    );
    let run = cli
        .run(&[
            "spec", "price", "-f", &new, "--height", "2200000", "--rate", "0.05",
        ])
        .await;
    insta::assert_snapshot!(run.screen());
    let arguments = [
        "spec",
        "price",
        "-f",
        &new,
        "--height",
        "2200000",
        "--rate",
        "0.05",
        "--previous",
        &old,
        "--previous-height",
        "2190000",
        "-o",
        "json",
    ];
    let update = cli.run(&arguments).await.json();
    let registration = cli.run(&arguments[..8]).await;
    assert_eq!(registration.code, 0);
    let full = cli
        .run(&[&arguments[..8], &["-o", "json"]].concat())
        .await
        .json();
    assert!(
        update["chainQuoteFlux"].as_f64() < full["chainQuoteFlux"].as_f64(),
        "{update} {full}"
    );
}

#[tokio::test]
async fn a_message_has_its_text_and_hash() {
    let cli = Cli::new(None);
    let (key, key_file) = cli.key();
    let owner = key.flux_id().to_string();
    let file = cli.file("spec.json", spec(&owner, 3));
    let unsigned = [
        "spec",
        "hash",
        "-f",
        &file,
        "--timestamp",
        "1763798400123",
        "-o",
        "json",
    ];
    let message = cli.run(&unsigned).await.json();
    let text = message["signedText"].as_str().unwrap();
    assert_eq!(
        text,
        format!("fluxappregister1{}1763798400123", spec(&owner, 3))
    );
    let signed = cli
        .run(&["wallet", "sign", "--key-file", &key_file, text])
        .await;
    let signature = signed.stdout.trim();
    let whole = cli
        .run(&[&unsigned[..], &["--signature", signature]].concat())
        .await
        .json();
    assert_eq!(whole["signer"], owner);
    assert_ne!(whole["hash"], message["hash"]);
    let wrong = cli
        .run(&[&unsigned[..], &["--signature", "bm9uc2Vuc2U="]].concat())
        .await;
    assert_eq!(wrong.code, 1);
    let update = cli
        .run(&[&unsigned[..], &["--type", "fluxappupdate"]].concat())
        .await
        .json();
    assert!(
        update["signedText"]
            .as_str()
            .unwrap()
            .starts_with("fluxappupdate1{")
    );
}

#[tokio::test]
async fn what_init_prints_passes_every_check() {
    let cli = Cli::new(None);
    let (key, key_file) = cli.key();
    let arguments = [
        "spec",
        "init",
        "--name",
        "shop",
        "--key-file",
        &key_file,
        "--image",
        "ghcr.io/org/shop:1.2",
        "--port",
        "31000:80",
        "--port",
        "31001:81",
        "--cpu",
        "1.5",
        "--ram",
        "1500",
        "--hdd",
        "20",
        "--instances",
        "4",
    ];
    let run = cli.run(&arguments).await;
    assert_eq!(run.code, 0, "{run:?}");
    let made = run.json();
    assert_eq!(made["owner"], key.flux_id().to_string());
    assert_eq!(
        (&made["compose"][0]["ports"], &made["compose"][0]["cpu"]),
        (&json!([31_000, 31_001]), &json!(1.5))
    );
    let file = cli.file("spec.json", &run.stdout);
    assert_eq!(cli.run(&["spec", "check", "-f", &file]).await.code, 0);
    let wrong = cli
        .run(&[
            "spec", "init", "--name", "shop", "--owner", "nobody", "-o", "json",
        ])
        .await;
    assert_eq!(
        (wrong.code, &wrong.error()["violations"][0]["field"]),
        (2, &json!("owner"))
    );
}
