//! Rules between fields.

use super::{GOOD, assert_findings, with};

/// `GOOD` with lines added at the end of the web component, and other top-level lines.
fn web(lines: &str) -> String {
    with("    disk: 5Gi\n", &format!("    disk: 5Gi\n{lines}\n"))
}

fn app(lines: &str) -> String {
    format!("{GOOD}{lines}\n")
}

#[test]
fn names_of_the_network_are_reserved() {
    assert_findings(
        &with("name: shop", "name: fluxshop"),
        &[("name", "reserved-name")],
    );
    assert_findings(
        &with("name: shop", "name: watchtower"),
        &[("name", "reserved-name")],
    );
    assert_findings(
        &with("name: shop", "name: xn--shop"),
        &[("name", "look-alike")],
    );
    assert_findings(
        &with("  db:\n", "  zeldb:\n"),
        &[("components.zeldb", "reserved-name")],
    );
}

#[test]
fn exactly_one_scale_is_given() {
    assert_findings(&app("job: {batch: {}}"), &[("", "one-of")]);
    assert_findings(&with("instances: 3", ""), &[("", "one-of")]);
    let scale = |text: &str| with("instances: 3", &format!("autoscale: {text}"));
    assert_findings(&scale("{min: 1, max: 3, cpuPercent: 70}"), &[]);
    assert_findings(
        &scale("{min: 1, max: 3}"),
        &[("autoscale", "missing-field")],
    );
    assert_findings(
        &scale("{min: 4, max: 3, cpuPercent: 70}"),
        &[("autoscale.max", "range")],
    );
}

#[test]
fn an_update_makes_sense() {
    assert_findings(
        &app("update: {strategy: canary, canarySteps: [10, 50], maxUnavailable: 25%}"),
        &[],
    );
    assert_findings(
        &app("update: {canarySteps: [10]}"),
        &[("update.canarySteps", "meaningless")],
    );
    assert_findings(
        &app("update: {strategy: canary, canarySteps: [50, 10]}"),
        &[("update.canarySteps", "order")],
    );
    assert_findings(
        &app("update: {maxUnavailable: 0%}"),
        &[("update.maxUnavailable", "range")],
    );
    assert_findings(
        &app("update: {strategy: blueGreen, maxUnavailable: 0}"),
        &[],
    );
    for share in ["101%", "01%", "%", "-1%", "1.5%", "x"] {
        assert_findings(
            &app(&format!("update: {{maxUnavailable: '{share}'}}")),
            &[("update.maxUnavailable", "share")],
        );
    }
}

#[test]
fn placement_leaves_somewhere_to_go() {
    let place = |from: &str, to: &str| with(from, to);
    assert_findings(
        &place("forbid: [EU_RU]", "forbid: [EU]"),
        &[("placement", "geolocation")],
    );
    assert_findings(
        &place("allow: [EU]", "allow: [EU, EU]"),
        &[("placement.allow[1]", "duplicate")],
    );
    assert_findings(
        &place("allow: [EU]", "allow: [AS_DE]"),
        &[("placement.allow[0]", "geolocation")],
    );
    assert_findings(
        &place("allow: [EU]", "allow: [EU_ALL]"),
        &[("placement.allow[0]", "geolocation")],
    );
    let operators = "allow: [EU]\n  operators: {allow: [1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC], forbid: [1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC]}";
    assert_findings(
        &place("allow: [EU]", operators),
        &[("placement.operators.forbid[0]", "conflict")],
    );
    assert_findings(
        &place("allow: [EU]", "nodes: [example.org]"),
        &[("placement.nodes[0]", "node")],
    );
    assert_findings(&place("allow: [EU]", "maxPrice: 12.5USD"), &[]);
    assert_findings(
        &place("allow: [EU]", "maxPrice: 0USD"),
        &[("placement.maxPrice", "range")],
    );
}

#[test]
fn a_term_has_a_length_and_nothing_else_has() {
    assert_findings(&app("billing: {mode: term, term: 30d, renew: true}"), &[]);
    assert_findings(
        &app("billing: {mode: term}"),
        &[("billing.term", "missing-field")],
    );
    assert_findings(
        &app("billing: {term: 30d}"),
        &[("billing.term", "meaningless")],
    );
    assert_findings(
        &app("billing: {renew: true}"),
        &[("billing.renew", "meaningless")],
    );
}

#[test]
fn someone_is_notified_in_one_way() {
    assert_findings(
        &app("notifications: [{email: me@example.org, events: [failed]}]"),
        &[],
    );
    assert_findings(
        &app("notifications: [{}]"),
        &[("notifications[0]", "one-of")],
    );
    let both = "notifications: [{email: me@example.org, webhook: 'https://example.org/x'}]";
    assert_findings(&app(both), &[("notifications[0]", "one-of")]);
    assert_findings(
        &app("notifications: [{webhook: 'http://example.org'}]"),
        &[("notifications[0].webhook", "url")],
    );
    let twice = "notifications: [{email: me@example.org, events: [failed, failed]}]";
    assert_findings(&app(twice), &[("notifications[0].events[1]", "duplicate")]);
}

#[test]
fn ports_do_not_collide() {
    let port = |text: &str| {
        with(
            "      admin: {container: 8000, host: 31000}",
            &format!("      admin: {text}"),
        )
    };
    assert_findings(&port("{container: 80, protocol: udp}"), &[]);
    assert_findings(
        &port("{container: 80}"),
        &[("components.web.ports.http.container", "duplicate")],
    );
    assert_findings(
        &port("{container: 80, protocol: tcpUdp}"),
        &[("components.web.ports.http.container", "duplicate")],
    );
    assert_findings(
        &port("{container: 81, host: 22}"),
        &[("components.web.ports.admin.host", "banned-port")],
    );
    assert_findings(
        &port("{container: 81, host: 70000}"),
        &[("components.web.ports.admin.host", "range")],
    );
    assert_findings(
        &port("{container: 81, protocol: http, domains: [SHOP.example.org]}"),
        &[("components.web.ports.http.domains[0]", "duplicate")],
    );
    assert_findings(
        &port("{container: 81, protocol: udp, domains: [x.example.org]}"),
        &[("components.web.ports.admin.domains", "meaningless")],
    );
    assert_findings(
        &port("{container: 81, loadBalancing: {stickySessions: true}}"),
        &[(
            "components.web.ports.admin.loadBalancing.stickySessions",
            "meaningless",
        )],
    );
}

#[test]
fn volumes_have_their_own_place() {
    let volume = |text: &str| {
        with(
            "      data: {path: /data, kind: synced, size: 1Gi, snapshots: {schedule: \"0 3 * * *\"}}",
            &format!("      data: {text}"),
        )
    };
    let at = |field: &str| format!("components.web.volumes.data{field}");
    assert_findings(
        &volume("{path: /data, startAfterSync: true}"),
        &[(&at(".startAfterSync"), "meaningless")],
    );
    assert_findings(
        &volume("{path: /data, kind: synced, file: true}"),
        &[(&at(".file"), "meaningless")],
    );
    assert_findings(&volume("{path: data}"), &[(&at(".path"), "path")]);
    assert_findings(&volume("{path: /a/../b}"), &[(&at(".path"), "path")]);
    assert_findings(
        &volume("{path: /data, size: 6Gi}"),
        &[("components.web.disk", "range")],
    );
    assert_findings(
        &volume("{path: /data}\n      more: {path: /data/}"),
        &[("components.web.volumes.more.path", "duplicate")],
    );
    assert_findings(
        &volume("{path: /data, snapshots: {schedule: '* * 30 2 *'}}"),
        &[(&at(".snapshots.schedule"), "schedule")],
    );
}

#[test]
fn a_shared_volume_exists() {
    let source = |text: &str| {
        with(
            "source: {component: web, volume: data}",
            &format!("source: {text}"),
        )
    };
    let at = |field: &str| format!("components.db.volumes.shared.source.{field}");
    assert_findings(
        &source("{component: api, volume: data}"),
        &[(&at("component"), "reference")],
    );
    assert_findings(
        &source("{component: db, volume: data}"),
        &[(&at("component"), "reference")],
    );
    assert_findings(
        &source("{component: web, volume: x}"),
        &[(&at("volume"), "reference")],
    );
}

#[test]
fn variables_are_set_once() {
    assert_findings(
        &web("    secrets: {MODE: shop/mode}"),
        &[("components.web.secrets.MODE", "duplicate")],
    );
    assert_findings(
        &web("    secrets: {KEY: 'a secret value!'}"),
        &[("components.web.secrets.KEY", "reference")],
    );
    assert_findings(
        &web("    secrets: {1KEY: shop/mode}"),
        &[("components.web.secrets.1KEY", "variable")],
    );
}

#[test]
fn a_probe_asks_one_question_in_time() {
    let probe = |text: &str| with("health: {http: {port: 80}}", &format!("health: {text}"));
    let at = |field: &str| format!("components.web.probes.health{field}");
    assert_findings(&probe("{}"), &[(&at(""), "one-of")]);
    assert_findings(
        &probe("{http: {port: 80}, tcp: {port: 80}}"),
        &[(&at(""), "one-of")],
    );
    assert_findings(
        &probe("{tcp: {port: 80}, interval: 5s, timeout: 6s}"),
        &[(&at(".timeout"), "range")],
    );
    assert_findings(
        &probe("{tcp: {port: 80}, successes: 2}"),
        &[(&at(".successes"), "range")],
    );
    assert_findings(
        &probe("{exec: {command: []}}"),
        &[(&at(".exec.command"), "missing-field")],
    );
    assert_findings(
        &probe("{http: {port: 80, path: 'x y'}}"),
        &[(&at(".http.path"), "path")],
    );
}

#[test]
fn a_job_can_end() {
    let job = |text: &str| with("instances: 3", &format!("job: {text}"));
    assert_findings(&job("{batch: {completions: 10, parallelism: 2}}"), &[]);
    assert_findings(
        &job("{batch: {parallelism: 2}}"),
        &[("job.batch.parallelism", "range")],
    );
    assert_findings(
        &job("{cron: {schedule: '0 3 * * *', concurrency: replace}}"),
        &[],
    );
    assert_findings(
        &job("{cron: {schedule: daily}}"),
        &[("job.cron.schedule", "schedule")],
    );
    assert_findings(&job("{}"), &[("job", "one-of")]);
    assert_findings(&job("{gang: {workers: 4}}"), &[]);
    assert_findings(
        &job("{gang: {workers: 4, rendezvous: {rankVariable: MODE}}}"),
        &[("job.gang.rendezvous.rankVariable", "conflict")],
    );
    assert_findings(
        &job("{gang: {workers: 4, rendezvous: {rankVariable: WORLD_SIZE}}}"),
        &[("job.gang.rendezvous.sizeVariable", "duplicate")],
    );
    let exclusive = job("{batch: {}}").replace("kind: synced", "kind: exclusive");
    assert_findings(&exclusive, &[("components.web.volumes.data", "conflict")]);
    let update = format!("{}update: {{strategy: blueGreen}}\n", job("{batch: {}}"));
    assert_findings(&update, &[("update.strategy", "meaningless")]);
}

#[test]
fn an_image_is_named_by_tag_or_digest() {
    let digest = "a".repeat(64);
    let image = |text: &str| with("image: nginx:1.27", &format!("image: \"{text}\""));
    for good in [
        format!("nginx@sha256:{digest}"),
        format!("nginx:1.27@sha256:{digest}"),
        format!("localhost:5000/app@sha256:{digest}"),
    ] {
        assert_findings(&image(&good), &[]);
    }
    for bad in [
        "nginx",
        "nginx@sha256:00",
        "NGINX:1",
        "nginx:1@md5:00",
        "@sha256:00",
        "a b:1",
        "",
    ] {
        assert_findings(&image(bad), &[("components.web.image", "image")]);
    }
}

#[test]
fn an_owner_can_sign() {
    let owner = |text: &str| {
        with(
            "owner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC",
            &format!("owner: '{text}'"),
        )
    };
    assert_findings(
        &owner("1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uD"),
        &[("owner", "owner")],
    );
    assert_findings(&owner("TrippleCore"), &[("owner", "owner")]);
    assert_findings(&owner("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), &[]);
    assert_findings(
        &owner("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
        &[("owner", "owner")],
    );
}
