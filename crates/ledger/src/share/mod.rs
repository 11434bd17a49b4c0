//! What operators receive of the revenue (Progressive Node Rewards).
//!
//! A part of the revenue belongs to the operators: 25 % at first, two points more every year, 50 % at most. 80 % of
//! that part goes to all eligible nodes by tier and time online, 20 % to the nodes that host, by what was charged for
//! what they host. The same usage lines that customers are charged for are the weights of the second part; what is
//! left is the plane's. Every sat is somebody's: remainders are handed out by [`apportion`], and a part with nobody to
//! receive it is carried into the next epoch.

mod apportion;
mod table;

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, Tier, id::NodeId};
use serde::{Deserialize, Serialize};

pub use self::{
    apportion::apportion,
    table::{ShareTable, ShareTableError, TierWeights},
};

use self::table::WHOLE;
use crate::account::Party;

/// A node that was eligible and online in the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineNode {
    pub node: NodeId,
    pub operator: Party,
    pub tier: Tier,
    /// Seconds of the epoch in which it was online.
    pub seconds: u32,
}

/// A node that hosted in the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostingNode {
    pub node: NodeId,
    pub operator: Party,
    /// Sum of the usage lines charged for what it hosted.
    pub charged: Sat,
}

/// What found nobody to receive it, for the next epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub online: Sat,
    pub hosting: Sat,
}

/// How the revenue of an epoch is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub table_version: u32,
    /// What stays with the plane.
    pub platform: Sat,
    /// In order of node; nodes that receive nothing are left out.
    pub earnings: Vec<Earning>,
    pub carried: Carried,
}

/// What one node earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    pub node: NodeId,
    pub operator: Party,
    /// For being online.
    pub online: Sat,
    /// For hosting.
    pub hosting: Sat,
}

/// Input that cannot be shared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    #[error("the table of shares makes no sense")]
    Table(#[source] ShareTableError),
    #[error("{field} is {amount}, but must not be negative")]
    Negative { field: &'static str, amount: Sat },
    #[error("node {0} is listed twice; add up what belongs to one node")]
    RepeatedNode(NodeId),
    #[error("node {0} is listed with two operators; a node has one operator per epoch")]
    TwoOperators(NodeId),
    #[error("revenue and what was carried over are more than any amount of FLUX")]
    TooLarge,
}

/// Shares the revenue earned up to `at`, and what the epoch before carried over.
pub fn distribute(
    revenue: Sat,
    carried: Carried,
    table: &ShareTable,
    at: DateTime<Utc>,
    online: &[OnlineNode],
    hosting: &[HostingNode],
) -> Result<Distribution, ShareError> {
    table.validate().map_err(ShareError::Table)?;
    let amounts = [
        ("revenue", revenue),
        ("carried.online", carried.online),
        ("carried.hosting", carried.hosting),
    ];
    for (field, amount) in amounts {
        check_amount(field, amount)?;
    }
    for host in hosting {
        check_amount("charged", host.charged)?;
    }
    let operators = part(revenue, table.operators_part(at))?;
    let for_online = part(operators, table.online_part)?;
    let for_hosts = minus(operators, for_online)?;
    let platform = minus(revenue, operators)?;

    let weights = online.iter().map(|node| {
        let weight = u64::from(table.tier_weights.of(node.tier)) * u64::from(node.seconds);
        (node.node, weight)
    });
    let online_pool = plus(for_online, carried.online)?;
    let online_shares = apportion(online_pool, &weights.collect::<Vec<_>>());
    let weights = hosting
        .iter()
        .map(|host| (host.node, host.charged.get().unsigned_abs()));
    let hosting_pool = plus(for_hosts, carried.hosting)?;
    let hosting_shares = apportion(hosting_pool, &weights.collect::<Vec<_>>());

    let carried = Carried {
        online: online_shares.as_ref().map_or(online_pool, |_| Sat::ZERO),
        hosting: hosting_shares.as_ref().map_or(hosting_pool, |_| Sat::ZERO),
    };
    let online_shares = online_shares.unwrap_or_else(|| vec![Sat::ZERO; online.len()]);
    let hosting_shares = hosting_shares.unwrap_or_else(|| vec![Sat::ZERO; hosting.len()]);
    let by_time = online
        .iter()
        .zip(online_shares)
        .map(|(node, share)| Earning {
            node: node.node,
            operator: node.operator.clone(),
            online: share,
            hosting: Sat::ZERO,
        });
    let by_use = hosting
        .iter()
        .zip(hosting_shares)
        .map(|(host, share)| Earning {
            node: host.node,
            operator: host.operator.clone(),
            online: Sat::ZERO,
            hosting: share,
        });
    Ok(Distribution {
        table_version: table.version,
        platform,
        earnings: join(sorted(by_time.collect())?, sorted(by_use.collect())?)?,
        carried,
    })
}

fn check_amount(field: &'static str, amount: Sat) -> Result<(), ShareError> {
    if amount.is_negative() {
        return Err(ShareError::Negative { field, amount });
    }
    Ok(())
}

fn part(whole: Sat, parts: u32) -> Result<Sat, ShareError> {
    whole
        .mul_div(u64::from(parts), u64::from(WHOLE))
        .ok_or(ShareError::TooLarge)
}

fn plus(one: Sat, other: Sat) -> Result<Sat, ShareError> {
    one.checked_add(other).ok_or(ShareError::TooLarge)
}

fn minus(whole: Sat, part: Sat) -> Result<Sat, ShareError> {
    whole.checked_sub(part).ok_or(ShareError::TooLarge)
}

/// In order of node, each node once.
fn sorted(mut earnings: Vec<Earning>) -> Result<Vec<Earning>, ShareError> {
    earnings.sort_unstable_by_key(|earning| earning.node);
    let twice = earnings
        .windows(2)
        .find(|pair| pair[0].node == pair[1].node);
    match twice {
        Some(pair) => Err(ShareError::RepeatedNode(pair[0].node)),
        None => Ok(earnings),
    }
}

/// One earning per node out of two lists in order of node.
fn join(online: Vec<Earning>, hosting: Vec<Earning>) -> Result<Vec<Earning>, ShareError> {
    let mut joined: Vec<Earning> = online;
    joined.extend(hosting);
    joined.sort_by_key(|earning| earning.node);
    let mut earnings: Vec<Earning> = Vec::with_capacity(joined.len());
    for earning in joined {
        match earnings.last_mut() {
            Some(last) if last.node == earning.node => {
                if last.operator != earning.operator {
                    return Err(ShareError::TwoOperators(earning.node));
                }
                last.online = plus(last.online, earning.online)?;
                last.hosting = plus(last.hosting, earning.hosting)?;
            }
            Some(_) | None => earnings.push(earning),
        }
    }
    earnings.retain(|earning| !(earning.online.is_zero() && earning.hosting.is_zero()));
    Ok(earnings)
}
