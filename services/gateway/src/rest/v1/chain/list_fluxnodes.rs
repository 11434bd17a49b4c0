//! `GET /v1/chain/fluxnodes`

use axum::{Json, extract::State};
use fluxplane_core::error::Violation;
use fluxplane_proto::{
    chain_indexer::v1::{
        self as wire, FindFluxnodesRequest, ListFluxnodesAtRequest, ListFluxnodesRequest,
        find_fluxnodes_request::Key,
    },
    common::v1 as common,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    fluxnode::{Fluxnode, FluxnodeStatus},
    list_block::ListBlock,
};
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, wish},
    v1::nodes::Tier,
    wire::Malformed,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FluxnodesQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only this tier.
    #[param(inline)]
    pub tier: Option<Tier>,
    /// Only this list. Without it, the confirmed nodes; with a height, all lists.
    #[param(inline)]
    pub status: Option<FluxnodeStatus>,
    /// The lists after this block instead of the last one.
    #[param(example = 2_996_914)]
    pub height: Option<u32>,
    /// Nodes at this address: `host` finds all of the host, `host:port` one.
    #[param(example = "203.0.113.9:16127")]
    pub ip: Option<String>,
    /// Nodes with this key, hex.
    pub node_pubkey: Option<String>,
    /// Nodes whose rewards go to this address.
    pub payment_address: Option<String>,
}

/// What a query asks for.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    /// The payment queue after the last block.
    Queue,
    /// Lists after some block.
    At(Option<u32>, Option<FluxnodeStatus>),
    Find(Key),
}

impl FluxnodesQuery {
    /// What is known of a node leads to it on any list, so nothing else can be asked at the same time.
    fn question(&self) -> Result<Question, Failure> {
        let keys = [
            ("ip", self.ip.clone().map(Key::Ip)),
            ("node_pubkey", self.node_pubkey.clone().map(Key::NodePubkey)),
            (
                "payment_address",
                self.payment_address.clone().map(Key::PaymentAddress),
            ),
        ];
        let mut given = keys
            .into_iter()
            .filter_map(|(name, key)| Some((name, key?)));
        let Some((name, key)) = given.next() else {
            return Ok(match (self.height, self.status) {
                (None, None) => Question::Queue,
                (height, status) => Question::At(height, status),
            });
        };
        let others = [
            ("tier", self.tier.is_some()),
            ("status", self.status.is_some()),
            ("height", self.height.is_some()),
        ];
        let other = given.next().map(|(other, _)| other).or_else(|| {
            others
                .iter()
                .find(|(_, given)| *given)
                .map(|(other, _)| *other)
        });
        match other {
            None => Ok(Question::Find(key)),
            Some(other) => Err(Failure::invalid(Violation::new(
                other,
                format!("beside {name}"),
                "nodes are found by one of ip, node_pubkey and payment_address alone",
                format!("leave out {other} or {name}"),
            ))),
        }
    }
}

/// A page of the fluxnode list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FluxnodePage {
    pub items: Vec<Fluxnode>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
    /// The list is the one after this block.
    pub height: u32,
}

/// List fluxnodes
///
/// The deterministic list in payment order: tier, then rank. With a height or a status, the lists as they were after a
/// block: confirmed, started, DoS. With ip, `node_pubkey` or `payment_address`, the nodes on all lists of which that is known.
#[utoipa::path(
    get,
    path = "/v1/chain/fluxnodes",
    tag = "chain",
    params(FluxnodesQuery),
    responses((status = 200, description = "A page of the list", body = FluxnodePage)),
)]
pub async fn list_fluxnodes(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<FluxnodesQuery>,
) -> Result<Json<FluxnodePage>, Failure> {
    let question = query.question()?;
    let tier = query.tier.map_or(common::Tier::Unspecified, Tier::to_wire);
    let tier = tier.into();
    let page = Some(wish(query.page_size, query.cursor)?);
    let peers = &gateway.peers;
    let (nodes, page, height) = match question {
        Question::Queue => {
            let request = ListFluxnodesRequest { page, tier };
            let answer = peers.chain.list_fluxnodes(request).await?;
            (answer.fluxnodes, answer.page, answer.height)
        }
        Question::At(height, status) => {
            let status = status.map_or(wire::FluxnodeStatus::Unspecified, FluxnodeStatus::to_wire);
            let request = ListFluxnodesAtRequest {
                height,
                tier,
                status: status.into(),
                page,
            };
            let answer = peers.fluxnodes.list_fluxnodes_at(request).await?;
            let block = ListBlock::from_wire(answer.block)?;
            (answer.fluxnodes, answer.page, block.height)
        }
        Question::Find(key) => {
            let request = FindFluxnodesRequest {
                page,
                key: Some(key),
            };
            let answer = peers.fluxnodes.find_fluxnodes(request).await?;
            let block = ListBlock::from_wire(answer.block)?;
            (answer.fluxnodes, answer.page, block.height)
        }
    };
    let nodes = nodes.into_iter().map(Fluxnode::try_from);
    let nodes = nodes.collect::<Result<Vec<_>, Malformed>>()?;
    let Page { items, next_cursor } = Page::new(nodes, page);
    Ok(Json(FluxnodePage {
        items,
        next_cursor,
        height,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Question, Violation> {
        let uri = format!("/x?{text}").parse().unwrap();
        let query = axum::extract::Query::<FluxnodesQuery>::try_from_uri(&uri).unwrap();
        let question = query.question();
        question.map_err(|failure| failure.problem("r").violations.remove(0))
    }

    #[test]
    fn a_query_asks_one_question() {
        assert_eq!(query("tier=nimbus"), Ok(Question::Queue));
        assert_eq!(query("height=7"), Ok(Question::At(Some(7), None)));
        let dos = Some(FluxnodeStatus::Dos);
        assert_eq!(query("status=dos&tier=nimbus"), Ok(Question::At(None, dos)));
        let ip = Key::Ip("203.0.113.9".to_owned());
        assert_eq!(query("ip=203.0.113.9&page_size=3"), Ok(Question::Find(ip)));
        for (text, field) in [
            ("ip=a&node_pubkey=b", "node_pubkey"),
            ("ip=a&payment_address=b", "payment_address"),
            ("node_pubkey=a&height=1", "height"),
            ("payment_address=a&tier=nimbus", "tier"),
            ("ip=a&status=dos", "status"),
        ] {
            assert_eq!(query(text).unwrap_err().field, field, "{text}");
        }
    }
}
