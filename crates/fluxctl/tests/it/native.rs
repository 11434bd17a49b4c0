//! Native specifications: made, checked, hashed, converted.

use serde_json::json;

use crate::support::{
    Cli,
    sample::{OWNER, spec},
};

async fn made(cli: &Cli, template: &str) -> String {
    let run = cli
        .run(&[
            "spec",
            "init",
            "--template",
            template,
            "--name",
            "shop",
            "--owner",
            OWNER,
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    cli.file(&format!("{template}.yaml"), run.stdout)
}

#[tokio::test]
async fn every_template_passes_its_check() {
    let cli = Cli::new(None);
    for template in ["web", "gpu", "stateful"] {
        let file = made(&cli, template).await;
        let run = cli.run(&["spec", "check", "-f", &file, "-o", "json"]).await;
        assert_eq!(run.code, 0, "{run:?}");
        let answer = run.json();
        assert_eq!(
            (&answer["accepted"], &answer["strict"]),
            (&json!(true), &json!([]))
        );
        let hash = cli
            .run(&["spec", "hash", "-f", &file, "-o", "json"])
            .await
            .json();
        assert_eq!(hash["hash"], answer["hash"]);
        assert_eq!(
            hash["signedText"],
            format!("fluxplane/v1{}", answer["hash"].as_str().unwrap())
        );
        // The same document as JSON has the same hash.
        let json = cli
            .run(&[
                "spec",
                "init",
                "--template",
                template,
                "--name",
                "shop",
                "--owner",
                OWNER,
                "-o",
                "json",
            ])
            .await;
        let json = cli.file("spec.json", json.stdout);
        let again = cli
            .run(&["spec", "hash", "-f", &json, "-o", "json"])
            .await
            .json();
        assert_eq!(again["hash"], hash["hash"]);
    }
}

#[tokio::test]
async fn a_template_says_whether_it_can_be_deployed() {
    let cli = Cli::new(None);
    for (template, deployable) in [("web", true), ("stateful", true), ("gpu", false)] {
        let file = made(&cli, template).await;
        let people = cli.run(&["spec", "check", "-f", &file]).await;
        let says = people.stdout.contains("It can be deployed");
        assert_eq!((people.code, says), (0, deployable), "{people:?}");
        let answer = cli.run(&["spec", "check", "-f", &file, "-o", "json"]).await;
        let unserved = answer.json()["unserved"].as_array().unwrap().len();
        assert_eq!(unserved == 0, deployable, "{template}");
    }
}

#[tokio::test]
async fn a_template_takes_no_options_of_fluxos() {
    let cli = Cli::new(None);
    let run = cli
        .run(&[
            "spec",
            "init",
            "--template",
            "web",
            "--name",
            "shop",
            "--owner",
            OWNER,
            "--cpu",
            "2",
        ])
        .await;
    assert_eq!(run.code, 2, "{run:?}");
    let owner = cli
        .run(&[
            "spec",
            "init",
            "--template",
            "web",
            "--name",
            "shop",
            "--owner",
            "nobody",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (owner.code, &owner.error()["violations"][0]["field"]),
        (2, &json!("owner"))
    );
}

#[tokio::test]
async fn findings_are_explained_and_fail() {
    let cli = Cli::new(None);
    let file = cli.file(
        "shop.yaml",
        format!("schema: fluxplane/v1\nname: Shop\nowner: {OWNER}\ninstances: 3\ncomponents:\n  web:\n    image: nginx\n    cpus: 2\n    memory: 512MB\n    disk: 1Gi\n"),
    );
    let run = cli.run(&["spec", "check", "-f", &file]).await;
    insta::assert_snapshot!(run.screen());
    let programs = cli.run(&["spec", "check", "-f", &file, "-o", "json"]).await;
    assert_eq!(
        (programs.code, &programs.json()["accepted"]),
        (1, &json!(false))
    );
    assert_eq!(programs.json()["strict"][0]["path"], "name");
    let legacy = cli.run(&["spec", "check", "-f", &file, "--legacy"]).await;
    assert_eq!(legacy.code, 2);
    let hash = cli.run(&["spec", "hash", "-f", &file]).await;
    assert_eq!(hash.code, 2);
}

#[tokio::test]
async fn an_owner_signs_the_hash() {
    let cli = Cli::new(None);
    let (key, key_file) = cli.key();
    let made = cli
        .run(&[
            "spec",
            "init",
            "--template",
            "web",
            "--name",
            "shop",
            "--key-file",
            &key_file,
        ])
        .await;
    let file = cli.file("shop.yaml", made.stdout);
    let message = cli
        .run(&["spec", "hash", "-f", &file, "-o", "json"])
        .await
        .json();
    let text = message["signedText"].as_str().unwrap();
    let signed = cli
        .run(&["wallet", "sign", "--key-file", &key_file, text])
        .await;
    let arguments = [
        "spec",
        "hash",
        "-f",
        &file,
        "-o",
        "json",
        "--signature",
        signed.stdout.trim(),
    ];
    let whole = cli.run(&arguments).await;
    assert_eq!(
        (whole.code, &whole.json()["signer"]),
        (0, &json!(key.flux_id().to_string()))
    );
    let other = cli
        .run(&["wallet", "sign", "--key-file", &key_file, "another text"])
        .await;
    let wrong = cli
        .run(&[
            "spec",
            "hash",
            "-f",
            &file,
            "-o",
            "json",
            "--signature",
            other.stdout.trim(),
        ])
        .await;
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.json()["signatureError"]
            .as_str()
            .unwrap()
            .contains("did not sign")
    );
    let timed = cli
        .run(&["spec", "hash", "-f", &file, "--timestamp", "1763798400123"])
        .await;
    assert_eq!(timed.code, 2);
}

#[tokio::test]
async fn a_message_of_fluxos_still_needs_its_time() {
    let cli = Cli::new(None);
    let file = cli.file("spec.json", spec(OWNER, 3));
    let run = cli.run(&["spec", "hash", "-f", &file, "-o", "json"]).await;
    assert_eq!(
        (run.code, &run.error()["violations"][0]["field"]),
        (2, &json!("--timestamp"))
    );
}

#[tokio::test]
async fn there_and_back_nothing_is_lost() {
    let cli = Cli::new(None);
    let original = spec(OWNER, 3);
    let file = cli.file("spec.json", &original);
    let native = cli.run(&["spec", "convert", &file, "--to", "native"]).await;
    assert_eq!((native.code, native.stderr.as_str()), (0, ""), "{native:?}");
    assert_eq!(native.json()["schema"], "fluxplane/v1");
    let native = cli.file("native.json", native.stdout);
    assert_eq!(cli.run(&["spec", "check", "-f", &native]).await.code, 0);
    for target in ["legacy", "v8"] {
        let back = cli.run(&["spec", "convert", &native, "--to", target]).await;
        assert_eq!(back.code, 0, "{back:?}");
        assert_eq!(
            back.json(),
            serde_json::from_str::<serde_json::Value>(&original).unwrap()
        );
    }
    let odd = cli.file("odd.json", original.replace("\"cpu\":0.5", "\"cpu\":-5"));
    let odd = cli.run(&["spec", "convert", &odd, "--to", "native"]).await;
    assert!(
        odd.code == 0 && odd.stderr.contains("can't be deployed"),
        "{odd:?}"
    );
    let odd = cli.file("odd-native.json", odd.stdout);
    let back = cli.run(&["spec", "convert", &odd, "--to", "legacy"]).await;
    assert_eq!(back.json()["compose"][0]["cpu"], json!(-5));
}

#[tokio::test]
async fn what_does_not_fit_is_listed_and_fails() {
    let cli = Cli::new(None);
    let file = made(&cli, "gpu").await;
    let people = cli.run(&["spec", "convert", &file, "--to", "v8"]).await;
    insta::assert_snapshot!(people.screen());
    let programs = cli
        .run(&["spec", "convert", &file, "--to", "v8", "-o", "json"])
        .await;
    assert_eq!(programs.code, 1);
    let answer = programs.json();
    assert!(
        answer["misfits"].as_array().unwrap().len() > 5 && answer.get("spec").is_none(),
        "{answer}"
    );
    let legacy = cli.run(&["spec", "convert", &file, "--to", "legacy"]).await;
    assert!(
        legacy.code == 1 && legacy.stdout.contains("was not converted from FluxOS"),
        "{legacy:?}"
    );
    let missing = cli
        .run(&["spec", "convert", "nowhere.yaml", "--to", "v8"])
        .await;
    assert_eq!(missing.code, 2);
}
