//! Whether a machine may join.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    ErrorKind, Tier,
    error::{Reason, Violation},
    id::JoinTokenId,
};
use serde::{Deserialize, Serialize};

use super::{Benchmark, Collateral};

/// The smallest machine of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    /// Hardware threads.
    pub threads: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
}

/// A one-time permission to join.
#[derive(Debug, Clone)]
pub struct JoinToken {
    pub id: JoinTokenId,
    pub operator: String,
    pub collateral: Collateral,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

/// A confirmed fluxnode, as the chain knows it.
#[derive(Debug, Clone)]
pub struct ChainNode {
    pub tier: Tier,
    pub confirmed: bool,
    /// Hex.
    pub node_pubkey: String,
    /// `host` or `host:port` of the last confirm transaction.
    pub ip: String,
}

/// What a machine says of itself when it asks to join.
#[derive(Debug, Clone)]
pub struct Claim {
    pub collateral: Collateral,
    pub ip: String,
    pub benchmark: Benchmark,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("the join token is unknown")]
    UnknownToken,
    #[error("the join token was used at {0}")]
    UsedToken(DateTime<Utc>),
    #[error("the join token expired at {0}")]
    ExpiredToken(DateTime<Utc>),
    #[error("the join token is for another collateral")]
    OtherCollateral {
        token: Collateral,
        claimed: Collateral,
    },
    #[error("collateral {0} is not on the fluxnode list")]
    NotListed(Collateral),
    #[error("collateral {0} is started but not confirmed")]
    NotConfirmed(Collateral),
    #[error("the machine's address is not the one of its confirm transaction")]
    OtherAddress { chain: String, claimed: String },
    #[error("the machine is too small for its tier {tier}")]
    TooSmall {
        tier: Tier,
        violations: Vec<Violation>,
    },
    #[error("the node key did not sign the request")]
    WrongNodeKey,
    #[error("the certificate request is malformed: {0}")]
    BadRequest(String),
    #[error("collateral {0} is held by a node that is alive")]
    CollateralInUse(Collateral),
}

impl JoinError {
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownToken
            | Self::UsedToken(_)
            | Self::ExpiredToken(_)
            | Self::WrongNodeKey => ErrorKind::Unauthenticated,
            Self::OtherCollateral { .. } | Self::OtherAddress { .. } | Self::BadRequest(_) => {
                ErrorKind::Invalid
            }
            Self::NotListed(_) | Self::NotConfirmed(_) | Self::TooSmall { .. } => {
                ErrorKind::Conflict
            }
            Self::CollateralInUse(_) => ErrorKind::AlreadyExists,
        }
    }

    pub const fn reason(&self) -> Reason {
        match self {
            Self::UnknownToken
            | Self::UsedToken(_)
            | Self::ExpiredToken(_)
            | Self::OtherCollateral { .. } => Reason::JoinTokenInvalid,
            Self::NotListed(_) | Self::NotConfirmed(_) => Reason::CollateralNotConfirmed,
            Self::OtherAddress { .. } | Self::BadRequest(_) => Reason::InvalidRequest,
            Self::TooSmall { .. } => Reason::TierNotMet,
            Self::WrongNodeKey => Reason::NodeKeyMismatch,
            Self::CollateralInUse(_) => Reason::CollateralInUse,
        }
    }

    pub fn violations(&self) -> Vec<Violation> {
        const NEW_TOKEN: &str = "ask the operator for a new token";
        match self {
            Self::UnknownToken => vec![Violation::new(
                "token",
                "…",
                "a token is one we gave out",
                NEW_TOKEN,
            )],
            Self::UsedToken(at) => {
                vec![Violation::new(
                    "token",
                    format!("used at {at}"),
                    "a token serves once",
                    NEW_TOKEN,
                )]
            }
            Self::ExpiredToken(at) => {
                vec![Violation::new(
                    "token",
                    format!("expired at {at}"),
                    "a token lives an hour at most",
                    NEW_TOKEN,
                )]
            }
            Self::OtherCollateral { token, claimed } => vec![Violation::new(
                "collateral",
                claimed,
                format!("the token is for {token}"),
                "join with the collateral the token was made for, or make another token",
            )],
            Self::NotListed(collateral) => vec![Violation::new(
                "collateral",
                collateral,
                "a node's collateral is on the chain's fluxnode list",
                "send the start transaction and wait for its block",
            )],
            Self::NotConfirmed(collateral) => vec![Violation::new(
                "collateral",
                collateral,
                "a node's start is confirmed on the chain",
                "send the confirm transaction and wait for its block",
            )],
            Self::OtherAddress { chain, claimed } => vec![Violation::new(
                "ip",
                claimed,
                format!("the chain says {chain}"),
                "join from that address, or confirm the new one on the chain first",
            )],
            Self::TooSmall { violations, .. } => violations.clone(),
            Self::WrongNodeKey => vec![Violation::new(
                "node_key_signature",
                "…",
                "the node key of the start transaction signs the request",
                "use the key that fluxd has for this collateral",
            )],
            Self::BadRequest(cause) => vec![Violation::new(
                "csr_pem",
                cause,
                "a PKCS#10 request with an Ed25519 key, signed by that key",
                "let the agent make it",
            )],
            Self::CollateralInUse(collateral) => vec![Violation::new(
                "collateral",
                collateral,
                "one machine per collateral",
                "stop the other machine and wait until it is lost",
            )],
        }
    }
}

/// Checks the token itself.
pub fn check_token(token: &JoinToken, claim: &Claim, now: DateTime<Utc>) -> Result<(), JoinError> {
    if let Some(used_at) = token.used_at {
        return Err(JoinError::UsedToken(used_at));
    }
    if token.expires_at <= now {
        return Err(JoinError::ExpiredToken(token.expires_at));
    }
    if token.collateral != claim.collateral {
        let (token, claimed) = (token.collateral.clone(), claim.collateral.clone());
        return Err(JoinError::OtherCollateral { token, claimed });
    }
    Ok(())
}

/// Checks the claim against the chain and the tier's minimum.
pub fn check_claim(
    claim: &Claim,
    chain: Option<&ChainNode>,
    minimum: impl Fn(Tier) -> Minimum,
) -> Result<Tier, JoinError> {
    let chain = chain.ok_or_else(|| JoinError::NotListed(claim.collateral.clone()))?;
    if !chain.confirmed {
        return Err(JoinError::NotConfirmed(claim.collateral.clone()));
    }
    if host(&chain.ip) != claim.ip {
        let (chain, claimed) = (chain.ip.clone(), claim.ip.clone());
        return Err(JoinError::OtherAddress { chain, claimed });
    }
    let violations = too_small(&claim.benchmark, minimum(chain.tier));
    if violations.is_empty() {
        Ok(chain.tier)
    } else {
        Err(JoinError::TooSmall {
            tier: chain.tier,
            violations,
        })
    }
}

/// The host of `host`, `host:port` or `[v6]:port`, as confirm transactions write it.
fn host(ip: &str) -> &str {
    if let Some(rest) = ip.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match ip.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => ip,
    }
}

fn too_small(benchmark: &Benchmark, minimum: Minimum) -> Vec<Violation> {
    let checks = [
        (
            "benchmark.threads",
            u64::from(benchmark.threads),
            u64::from(minimum.threads),
            "threads",
        ),
        (
            "benchmark.ram_mib",
            benchmark.ram_mib,
            minimum.ram_mib,
            "MiB",
        ),
        (
            "benchmark.disk_gib",
            benchmark.disk_gib,
            minimum.disk_gib,
            "GiB",
        ),
    ];
    checks
        .into_iter()
        .filter(|(_, measured, wanted, _)| measured < wanted)
        .map(|(field, measured, wanted, unit)| {
            let rule = format!("the tier asks for at least {wanted} {unit}");
            Violation::new(
                field,
                measured,
                rule,
                "use a larger machine or a smaller tier",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const MINIMUM: Minimum = Minimum {
        threads: 4,
        ram_mib: 7_000,
        disk_gib: 220,
    };

    fn collateral(vout: u32) -> Collateral {
        Collateral {
            txid: "ab".repeat(32),
            vout,
        }
    }

    fn claim() -> Claim {
        Claim {
            collateral: collateral(0),
            ip: "203.0.113.9".to_owned(),
            benchmark: Benchmark {
                threads: 4,
                ram_mib: 8_000,
                disk_gib: 220,
                hash_mib_s: 400,
                disk_write_mib_s: 200,
                measured_at: DateTime::UNIX_EPOCH,
            },
        }
    }

    fn chain() -> ChainNode {
        ChainNode {
            tier: Tier::Cumulus,
            confirmed: true,
            node_pubkey: String::new(),
            ip: "203.0.113.9:16127".to_owned(),
        }
    }

    fn token() -> JoinToken {
        JoinToken {
            id: uuid::Uuid::nil().into(),
            operator: "1abc".to_owned(),
            collateral: collateral(0),
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(1),
            used_at: None,
        }
    }

    #[test]
    fn a_token_serves_once_in_time_and_for_its_collateral() {
        let now = DateTime::UNIX_EPOCH;
        assert!(check_token(&token(), &claim(), now).is_ok());
        let used = JoinToken {
            used_at: Some(now),
            ..token()
        };
        assert!(matches!(
            check_token(&used, &claim(), now),
            Err(JoinError::UsedToken(_))
        ));
        let late = now + TimeDelta::hours(1);
        assert!(matches!(
            check_token(&token(), &claim(), late),
            Err(JoinError::ExpiredToken(_))
        ));
        let other = Claim {
            collateral: collateral(1),
            ..claim()
        };
        assert!(matches!(
            check_token(&token(), &other, now),
            Err(JoinError::OtherCollateral { .. })
        ));
    }

    #[test]
    fn the_chain_decides_tier_and_address() {
        assert_eq!(
            check_claim(&claim(), Some(&chain()), |_| MINIMUM).unwrap(),
            Tier::Cumulus
        );
        let err = check_claim(&claim(), None, |_| MINIMUM).unwrap_err();
        assert!(matches!(err, JoinError::NotListed(_)));
        let started = ChainNode {
            confirmed: false,
            ..chain()
        };
        let err = check_claim(&claim(), Some(&started), |_| MINIMUM).unwrap_err();
        assert!(matches!(err, JoinError::NotConfirmed(_)));
        let moved = ChainNode {
            ip: "203.0.113.90:16127".to_owned(),
            ..chain()
        };
        let err = check_claim(&claim(), Some(&moved), |_| MINIMUM).unwrap_err();
        assert!(matches!(err, JoinError::OtherAddress { .. }));
    }

    #[test]
    fn a_small_machine_is_told_every_shortage() {
        let mut small = claim();
        small.benchmark.threads = 2;
        small.benchmark.ram_mib = 4_000;
        let err = check_claim(&small, Some(&chain()), |_| MINIMUM).unwrap_err();
        let fields: Vec<String> = err.violations().into_iter().map(|v| v.field).collect();
        assert_eq!(fields, ["benchmark.threads", "benchmark.ram_mib"]);
    }

    #[test]
    fn hosts_are_read_with_and_without_port() {
        assert_eq!(host("203.0.113.9"), "203.0.113.9");
        assert_eq!(host("203.0.113.9:16137"), "203.0.113.9");
        assert_eq!(host("[2001:db8::1]:16127"), "2001:db8::1");
        assert_eq!(host("2001:db8::1"), "2001:db8::1");
    }
}
