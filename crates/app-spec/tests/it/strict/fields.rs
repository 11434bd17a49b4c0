//! Rules inside single fields: ports, domains, places, images, volumes, people.

use super::{expect, findings, only};
use crate::fixture::{GOOD_V1, GOOD_V2, GOOD_V8, with};

#[test]
fn ports_are_between_1_and_65535() {
    expect(
        GOOD_V8,
        "compose.0.containerPorts",
        "[0]",
        "compose[0].containerPorts[0]",
        "port",
    );
    expect(
        GOOD_V8,
        "compose.0.containerPorts",
        "[80.5]",
        "compose[0].containerPorts[0]",
        "port",
    );
    expect(
        GOOD_V8,
        "compose.0.ports",
        "[65536]",
        "compose[0].ports[0]",
        "port",
    );
    expect(
        GOOD_V2,
        "containerPorts",
        "[\" 80\"]",
        "containerPorts[0]",
        "port",
    );
    expect(
        GOOD_V2,
        "containerPorts",
        "[\"0\"]",
        "containerPorts[0]",
        "port",
    );
    expect(GOOD_V1, "containerPort", "70000", "containerPort", "port");
}

#[test]
fn domains_are_host_names() {
    for good in [
        "shop.example.org",
        "a.example.org,b.example.org",
        "xn--bcher-kva.example",
    ] {
        assert_eq!(
            findings(&with(
                GOOD_V8,
                "compose.0.domains",
                &format!("[\"{good}\"]")
            )),
            []
        );
    }
    for (bad, rule) in [
        (
            "https://example.org",
            "`https://example.org` is an address, not a domain name",
        ),
        (
            "example.org:80",
            "`example.org:80` is an address, not a domain name",
        ),
        ("a.org, b.org", "` b.org` contains a blank"),
        ("a.org,", "`` is empty"),
        ("example", "`example` has only one label"),
        ("1.2.3.4", "`1.2.3.4` ends in a number"),
        (
            "b\u{fc}cher.example",
            "`b\u{fc}cher.example` is not in ASCII",
        ),
        ("-a.example.org", "`-a.example.org` is no domain name"),
        ("a_b.example.org", "`a_b.example.org` is no domain name"),
        ("a..org", "`a..org` is no domain name"),
    ] {
        let finding = only(GOOD_V8, "compose.0.domains", &format!("[\"{bad}\"]"));
        assert_eq!((finding.code, finding.rule.as_str()), ("domain", rule));
    }
}

#[test]
fn nodes_are_addresses_or_collaterals() {
    let sealed = with(GOOD_V8, "enterprise", &format!("\"{}\"", "A".repeat(400)));
    let sealed = fluxplane_app_spec::json::stringify(&sealed);
    let txid = "ab".repeat(32);
    for good in [
        "203.0.113.7",
        "203.0.113.7:16137",
        "2001:db8::1",
        &format!("{txid}:0"),
    ] {
        assert_eq!(
            findings(&with(&sealed, "nodes", &format!("[\"{good}\"]"))),
            []
        );
    }
    for bad in [
        "node1",
        "203.0.113.700",
        &txid,
        &format!("{txid}:00"),
        &format!("{txid}:x"),
    ] {
        expect(
            &sealed,
            "nodes",
            &format!("[\"{bad}\"]"),
            "nodes[0]",
            "node",
        );
    }
}

#[test]
fn geolocation_must_be_matchable() {
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acEU\",\"whatever\"]",
        "geolocation[1]",
        "geolocation",
    );
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acXX\"]",
        "geolocation[0]",
        "geolocation",
    );
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acAS_DE\"]",
        "geolocation[0]",
        "geolocation",
    );
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acEU\",\"acEU\"]",
        "geolocation[1]",
        "geolocation",
    );
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acEU\",\"bDE\"]",
        "geolocation",
        "geolocation",
    );
    expect(
        GOOD_V8,
        "geolocation",
        "[\"acEU_DE\",\"a!cEU\"]",
        "geolocation",
        "geolocation",
    );
    let finding = only(GOOD_V8, "geolocation", "[\"acEU_XX\"]");
    assert_eq!(
        (finding.rule.as_str(), finding.remedy.as_str()),
        ("`XX` is no country", "use an ISO 3166-1 code such as DE")
    );
}

#[test]
fn images_and_volumes_must_install() {
    expect(
        GOOD_V8,
        "compose.0.repotag",
        "\"nginx\"",
        "compose[0].repotag",
        "image",
    );
    expect(
        GOOD_V2,
        "repotag",
        "\"nginx@sha256:00\"",
        "repotag",
        "image",
    );
    expect(
        GOOD_V8,
        "compose.0.containerData",
        "\"/data|0:/shared\"",
        "compose[0].containerData",
        "volumes",
    );
    expect(
        GOOD_V8,
        "compose.1.containerData",
        "\"logs:/data\"",
        "compose[1].containerData",
        "volumes",
    );
    expect(
        GOOD_V8,
        "compose.1.containerData",
        "\"/data|1:/x\"",
        "compose[1].containerData",
        "volumes",
    );
    expect(
        GOOD_V1,
        "containerData",
        "\"data\"",
        "containerData",
        "volumes",
    );
}

#[test]
fn environment_and_commands_are_readable() {
    expect(
        GOOD_V8,
        "compose.0.environmentParameters",
        "[\"A\"]",
        "compose[0].environmentParameters[0]",
        "environment",
    );
    expect(
        GOOD_V8,
        "compose.0.environmentParameters",
        "[\"=1\"]",
        "compose[0].environmentParameters[0]",
        "environment",
    );
    expect(
        GOOD_V8,
        "compose.0.environmentParameters",
        "[\"1A=1\"]",
        "compose[0].environmentParameters[0]",
        "environment",
    );
    expect(
        GOOD_V8,
        "compose.0.environmentParameters",
        "[\"A=1\",\"A=2\"]",
        "compose[0].environmentParameters[1]",
        "environment",
    );
    expect(
        GOOD_V8,
        "compose.0.environmentParameters",
        "[\"F_S_ENV=x\"]",
        "compose[0].environmentParameters[0]",
        "environment",
    );
    expect(
        GOOD_V2,
        "enviromentParameters",
        "[\"A\"]",
        "enviromentParameters[0]",
        "environment",
    );
    expect(
        GOOD_V8,
        "compose.0.commands",
        "[\"F_S_CMD=x\"]",
        "compose[0].commands[0]",
        "command",
    );
    assert_eq!(
        findings(&with(
            GOOD_V8,
            "compose.0.environmentParameters",
            "[\"F_S_ENV=https://storage.runonflux.io/x\",\"my.key-1=a=b\"]"
        )),
        []
    );
}

#[test]
fn contacts_can_be_reached() {
    for bad in [
        "me",
        "me@host",
        "a@b@c.org",
        "me @example.org",
        "F_S_CONTACTS=x",
        "@example.org",
    ] {
        expect(
            GOOD_V8,
            "contacts",
            &format!("[\"{bad}\"]"),
            "contacts[0]",
            "contact",
        );
    }
    assert_eq!(
        findings(&with(
            GOOD_V8,
            "contacts",
            "[\"F_S_CONTACTS=https://storage.runonflux.io/x\"]"
        )),
        []
    );
}

#[test]
fn an_encrypted_part_needs_nodes_and_its_form() {
    let blob = "A".repeat(400);
    expect(
        GOOD_V8,
        "enterprise",
        &format!("\"{blob}\""),
        "nodes",
        "enterprise",
    );
    let pinned = fluxplane_app_spec::json::stringify(&with(GOOD_V8, "nodes", "[\"203.0.113.7\"]"));
    expect(
        &pinned,
        "enterprise",
        "\"AAAA\"",
        "enterprise",
        "enterprise",
    );
    expect(
        &pinned,
        "enterprise",
        &format!("\"{blob}?\""),
        "enterprise",
        "enterprise",
    );
}
