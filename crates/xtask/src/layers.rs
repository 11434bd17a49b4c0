//! The dependency rules of `docs/ARCHITECTURE.md`, enforced on the tokens of `use` and path expressions.
//!
//! Crate borders give the first half; this gives the second, which the compiler cannot: what a folder inside a crate may
//! name, and which of our crates a crate may depend on.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Result;

use crate::sizes::walk;

/// A rule about source files.
struct Rule {
    name: &'static str,
    /// Applies to files whose path contains one of these.
    within: &'static [&'static str],
    /// But not to files whose path contains one of these.
    except: &'static [&'static str],
    /// None of these may be named.
    forbidden: &'static [&'static str],
}

/// Parts of a service that have the layers of a service in a folder of their own.
const PARTS: &[&str] = &["/src/evm/"];

const RULES: &[Rule] = &[
    Rule {
        name: "the domain is pure",
        within: &["/src/domain/", "/src/domain.rs"],
        except: &[],
        forbidden: &[
            "tokio::",
            "sqlx::",
            "tonic::",
            "axum::",
            "async_nats::",
            "fluxplane_proto::",
            "fluxplane_platform::",
            "reqwest::",
            "bollard::",
        ],
    },
    Rule {
        name: "pure crates have no I/O",
        within: &[
            "crates/core/src/",
            "crates/envelope/src/",
            "crates/app-spec/src/",
            "crates/pricing/src/",
            "crates/flux-chain/src/",
            "crates/placement/src/",
            "crates/ledger/src/",
        ],
        except: &[],
        forbidden: &[
            "tokio::",
            "sqlx::",
            "tonic::",
            "axum::",
            "async_nats::",
            "reqwest::",
            "std::fs",
            "std::net::Tcp",
            "std::env",
            "fluxplane_proto::",
            "fluxplane_platform::",
        ],
    },
    Rule {
        name: "wire types stay at the edges of a service",
        within: &["services/"],
        except: &[
            "/src/grpc/",
            "/src/events/",
            "/src/clients/",
            "/src/rest/",
            "/tests/",
            "/benches/",
            "/src/session/",
        ],
        forbidden: &["fluxplane_proto::"],
    },
    Rule {
        name: "SQL is written in db/, transactions are opened in app/ and tasks/",
        within: &["services/"],
        except: &[
            "/src/db/",
            "/src/app/",
            "/src/tasks/",
            "/src/events/",
            "/src/service.rs",
            "/tests/",
            "/benches/",
            "/src/grpc/",
        ],
        forbidden: &["sqlx::"],
    },
    Rule {
        name: "SQL is written in db/ alone",
        within: &["services/"],
        except: &["/src/db/", "/tests/", "/benches/"],
        forbidden: &["sqlx::query", "query!(", "query_as!(", "query_scalar!("],
    },
    Rule {
        name: "a db function never commits",
        within: &["/src/db/"],
        except: &["crates/platform/"],
        forbidden: &[".commit()", ".begin()"],
    },
    Rule {
        name: "platform knows no service",
        within: &["crates/platform/"],
        except: &[],
        forbidden: &["fluxplane_proto::"],
    },
];

/// The services, which never depend on each other.
const SERVICES: &[&str] = &[
    "gateway",
    "scheduler",
    "node-registry",
    "billing",
    "chain-indexer",
    "validator",
    "node-agent",
];

pub(crate) fn check(root: &Path) -> Result<ExitCode> {
    let mut broken = Vec::new();
    for top in ["crates", "services"] {
        walk(&root.join(top), &mut |path| {
            let shown = path
                .strip_prefix(root)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned();
            let source = fs::read_to_string(path)?;
            for rule in RULES {
                check_file(rule, &shown, &source, &mut broken);
            }
            Ok(())
        })?;
    }
    for service in SERVICES {
        check_manifest(root, service, &mut broken)?;
    }
    anyhow::ensure!(broken.is_empty(), "layers broken:\n{}", broken.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn check_file(rule: &Rule, path: &str, source: &str, broken: &mut Vec<String>) {
    let place = PARTS
        .iter()
        .fold(path.to_owned(), |path, part| path.replace(part, "/src/"));
    let applies = rule.within.iter().any(|part| place.contains(part))
        && !rule.except.iter().any(|part| place.contains(part));
    if !applies {
        return;
    }
    for (number, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if let Some(token) = rule.forbidden.iter().find(|token| code.contains(**token)) {
            broken.push(format!(
                "  {path}:{}: {}: names `{token}`",
                number + 1,
                rule.name
            ));
        }
    }
}

fn check_manifest(root: &Path, service: &str, broken: &mut Vec<String>) -> Result<()> {
    let file = root.join("services").join(service).join("Cargo.toml");
    if !file.exists() {
        return Ok(());
    }
    let manifest = fs::read_to_string(file)?;
    let normal = manifest
        .split("[dev-dependencies]")
        .next()
        .unwrap_or_default();
    for other in SERVICES.iter().filter(|other| **other != service) {
        if normal.contains(&format!("fluxplane-{other}.workspace")) {
            let text = format!("  services/{service}: depends on services/{other}");
            broken.push(text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_rule_is_reported_with_its_line() {
        let mut broken = Vec::new();
        let source = "//! tokio:: in a comment is fine\nuse tokio::sync::Mutex;\n";
        for rule in RULES {
            check_file(
                rule,
                "services/billing/src/domain/price.rs",
                source,
                &mut broken,
            );
        }
        assert_eq!(
            broken,
            ["  services/billing/src/domain/price.rs:2: the domain is pure: names `tokio::`"]
        );
    }

    #[test]
    fn a_part_with_layers_of_its_own_obeys_the_same_rules() {
        let check = |path, source| {
            let mut broken = Vec::new();
            for rule in RULES {
                check_file(rule, path, source, &mut broken);
            }
            broken
        };
        let domain = "services/chain-indexer/src/evm/domain/range.rs";
        assert_eq!(check(domain, "use tokio::time;\n").len(), 1);
        let db = "services/chain-indexer/src/evm/db/assets.rs";
        assert!(check(db, "use sqlx::PgConnection;\n").is_empty());
        let config = "services/chain-indexer/src/evm/config.rs";
        assert_eq!(check(config, "use sqlx::PgConnection;\n").len(), 1);
    }
}
