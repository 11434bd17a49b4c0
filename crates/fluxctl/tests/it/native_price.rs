//! Prices of native specifications, offline.

use serde_json::json;

use crate::support::{Cli, sample::OWNER};

const SHOP: &str = "
instances: 3
components:
  web:
    image: nginx:1.27
    cpu: 1000m
    memory: 2000Mi
    disk: 20Gi
";

fn shop(cli: &Cli, more: &str) -> String {
    let text = format!("schema: fluxplane/v1\nname: shop\nowner: {OWNER}{SHOP}{more}");
    cli.file("shop.yaml", text)
}

#[tokio::test]
async fn a_month_is_priced_line_by_line_in_both_currencies() {
    let cli = Cli::new(None);
    let file = shop(&cli, "");
    let run = cli
        .run(&["spec", "price", "-f", &file, "--rate", "0.05", "-o", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let most = &run.json()["most"];
    assert_eq!(most["price"]["total"], 2_277_816);
    let amounts: Vec<_> = most["price"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["item"].clone(), line["amount"].clone()))
        .collect();
    assert_eq!(
        amounts,
        [
            (json!("cpu"), json!(1_178_180)),
            (json!("memory"), json!(785_454)),
            (json!("disk"), json!(314_182)),
        ]
    );
    assert_eq!(most["flux"]["total"], 4_327_850_400_u64);
    let people = cli
        .run(&["spec", "price", "-f", &file, "--rate", "0.05"])
        .await;
    assert!(
        people.stdout.contains("2.277816 USD or 43.27850400 FLUX"),
        "{people:?}"
    );
}

#[tokio::test]
async fn what_has_no_native_price_is_refused_by_field() {
    let cli = Cli::new(None);
    let gpu = "    gpu: {count: 1, models: [abacus]}\n";
    for (more, arguments, field) in [
        (gpu, &[][..], "components.web.gpu"),
        ("", &["--height", "2200000"][..], "--height"),
        ("", &["--rate", "0.1234567890123"][..], "--rate"),
    ] {
        let file = shop(&cli, more);
        let fixed = ["spec", "price", "-f", &file, "-o", "json"];
        let run = cli.run(&[&fixed[..], arguments].concat()).await;
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(run.error()["violations"][0]["field"], json!(field));
    }
}
