//! The whole service with tokens: what other services ask, and what operators see.

use std::time::Duration;

use alloy_primitives::U256;
use fluxplane_chain_indexer::evm::config::EvmToken;
use fluxplane_platform::{
    config::{Peer, Secret, Span},
    error::{Remote, ServiceError as _},
    grpc::{self, Client},
    health::State,
    tls::Credentials,
};
use fluxplane_proto::{
    chain_indexer::v1::{
        EvmAsset, GetAssetStatusRequest, ListAssetsRequest, ListTransfersRequest,
        ListTransfersResponse, evm_service_client::EvmServiceClient,
    },
    common::v1::PageRequest,
};
use fluxplane_testkit::eventually;
use tonic::{Code, Status};

use crate::{
    evm::{
        node::{CHAIN_ID, CONTRACT, Moved, Node},
        parties::address,
    },
    support::{
        chain::BLOCKS,
        daemon::Daemon,
        service::{Ground, LIMIT, Running},
    },
};

/// Blocks 1 to 30; each makes tokens for party 1 and moves as many from 1 to 2.
pub(crate) async fn node() -> Node {
    let node = Node::start().await;
    for height in 1..=30_u64 {
        let moved = |from, to| Moved {
            from: address(from),
            to: address(to),
            amount: U256::from(height),
        };
        node.world().extend(0, vec![moved(0, 1), moved(1, 2)]);
    }
    node
}

fn entry(name: &str, node: &Node) -> EvmToken {
    EvmToken {
        name: name.to_owned(),
        chain_id: CHAIN_ID,
        url: Secret::new(node.url()),
        contract: Some(CONTRACT.to_string()),
        decimals: 8,
        start_block: 0,
        announce_from: 0,
        confirmations: 6,
        poll_interval: Span(Duration::from_millis(20)),
        timeout: Span(Duration::from_secs(5)),
        max_range: 1_000,
        stalled_after: Span(Duration::from_mins(5)),
    }
}

/// The service over the first blocks of the Flux chain, and tokens.
struct Served {
    service: Running,
    _daemon: Daemon,
}

impl Served {
    async fn with(tokens: Vec<EvmToken>) -> Self {
        let daemon = Daemon::start(&BLOCKS[..5]).await;
        let ground = Ground::new().await;
        let mut config = ground.config(&daemon);
        config.evm = tokens;
        Self {
            service: Running::with(ground, config).await.unwrap(),
            _daemon: daemon,
        }
    }

    fn client(&self, name: &str) -> EvmServiceClient<Client> {
        let peer = Peer {
            endpoint: format!("https://{}", self.service.address),
            timeout: Span(Duration::from_secs(5)),
        };
        let credentials = Credentials::load(&self.service.ground.tls(name)).unwrap();
        EvmServiceClient::new(grpc::client::connect(&peer, &credentials).unwrap())
    }

    /// Waits until an asset is level with its node.
    async fn level(&self, name: &str, height: u64) -> EvmAsset {
        let client = self.client("gateway");
        eventually(LIMIT, async || {
            let request = GetAssetStatusRequest {
                asset: name.to_owned(),
            };
            let asset = client.clone().get_asset_status(request).await;
            let asset = asset.map_err(|err| err.to_string())?.into_inner().asset;
            let asset = asset.unwrap();
            if asset.height == Some(height) && asset.node_height == height {
                Ok(asset)
            } else {
                Err(format!("{asset:?}"))
            }
        })
        .await
    }

    async fn transfers(
        &self,
        request: ListTransfersRequest,
    ) -> Result<ListTransfersResponse, Status> {
        let answer = self.client("validator").list_transfers(request).await;
        answer.map(tonic::Response::into_inner)
    }

    fn component(&self, name: &str) -> State {
        self.service.health.report().components[name].clone()
    }
}

fn of(asset: &str) -> ListTransfersRequest {
    ListTransfersRequest {
        asset: asset.to_owned(),
        page: page(200, ""),
        ..ListTransfersRequest::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as requests have it")]
fn page(size: u32, cursor: &str) -> Option<PageRequest> {
    Some(PageRequest {
        size,
        cursor: cursor.to_owned(),
    })
}

fn places(answer: &ListTransfersResponse) -> Vec<(u64, u32)> {
    let transfers = answer.transfers.iter();
    transfers
        .map(|transfer| (transfer.height, transfer.log_index))
        .collect()
}

#[tokio::test]
async fn an_asset_shows_how_far_it_is_and_what_was_made_and_burned() {
    let node = node().await;
    let served = Served::with(vec![entry("alpha", &node)]).await;
    let asset = served.level("alpha", 30).await;
    assert_eq!(asset.chain_id, CHAIN_ID);
    assert_eq!(asset.contract, CONTRACT.to_string());
    assert_eq!((asset.decimals, asset.confirmations), (8, 6));
    assert_eq!((asset.final_height, asset.lag_blocks), (Some(25), 0));
    assert_eq!(asset.minted, "465");
    assert_eq!(
        (asset.burned.as_str(), asset.observed_supply.as_str()),
        ("0", "465")
    );
    assert_eq!(asset.transfer_count, 60);
    assert!(asset.followed && asset.halted_reason.is_empty() && asset.problem.is_empty());
    assert!(asset.block_time.is_some() && asset.node_seen_at.is_some());
    eventually(LIMIT, async || {
        let shown = served.service.metrics.encode();
        let wanted = [
            "fluxplane_evm_height{asset=\"alpha\"} 30",
            "fluxplane_evm_node_height{asset=\"alpha\"} 30",
            "fluxplane_evm_final_height{asset=\"alpha\"} 25",
            "fluxplane_evm_lag_blocks{asset=\"alpha\"} 0",
            "fluxplane_evm_halted{asset=\"alpha\"} 0",
            "fluxplane_evm_transfers_total{asset=\"alpha\",change=\"seen\"} 60",
            "fluxplane_evm_transfers_total{asset=\"alpha\",change=\"final\"} 50",
            "fluxplane_evm_range_blocks{asset=\"alpha\"}",
            "fluxplane_evm_rpc_seconds_bucket{",
        ];
        let missing = wanted.iter().find(|line| !shown.contains(**line));
        missing.map_or(Ok(()), |line| Err(format!("{line} in {shown}")))
    })
    .await;
    eventually(LIMIT, async || {
        match served.component("indexer.evm.alpha") {
            State::Ready => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

#[tokio::test]
async fn transfers_come_newest_first_in_pages_that_follow_each_other() {
    let node = node().await;
    let served = Served::with(vec![entry("alpha", &node)]).await;
    served.level("alpha", 30).await;
    let all = served.transfers(of("alpha")).await.unwrap();
    let mut expected: Vec<(u64, u32)> = (1..=30)
        .flat_map(|height| [(height, 0), (height, 1)])
        .collect();
    expected.reverse();
    assert_eq!(places(&all), expected);
    let newest = &all.transfers[0];
    assert_eq!((newest.confirmations, newest.is_final), (1, false));
    assert_eq!(
        (newest.from.clone(), newest.to.clone()),
        (address(1).to_string(), address(2).to_string())
    );
    assert_eq!((newest.amount.as_str(), newest.decimals), ("30", 8));
    let oldest = all.transfers.last().unwrap();
    assert_eq!((oldest.confirmations, oldest.is_final), (30, true));
    assert_eq!(oldest.from, "0x0000000000000000000000000000000000000000");
    let last_final = all
        .transfers
        .iter()
        .find(|transfer| transfer.is_final)
        .unwrap();
    assert_eq!((last_final.height, last_final.confirmations), (25, 6));

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = ListTransfersRequest {
            page: page(7, &cursor),
            ..of("alpha")
        };
        let part = served.transfers(part).await.unwrap();
        seen.extend(places(&part));
        cursor = part.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

fn party(n: u8, asset: &str) -> ListTransfersRequest {
    ListTransfersRequest {
        address: address(n).to_string().to_lowercase(),
        ..of(asset)
    }
}

/// The same contract on two chains, both followed to the end.
async fn two_chains(first: &Node, second: &Node) -> Served {
    second.world().chain_id = 4_321;
    let mut other = entry("beta", second);
    other.chain_id = 4_321;
    let served = Served::with(vec![entry("alpha", first), other]).await;
    served.level("alpha", 30).await;
    served.level("beta", 30).await;
    served
}

#[tokio::test]
async fn transfers_are_found_by_party_transaction_and_height() {
    let node = node().await;
    let served = Served::with(vec![entry("alpha", &node)]).await;
    served.level("alpha", 30).await;
    let both = served.transfers(party(1, "alpha")).await.unwrap();
    assert_eq!(both.transfers.len(), 60, "sent and received");
    let received = served.transfers(party(2, "alpha")).await.unwrap().transfers;
    let mut parties = received.iter().map(|transfer| transfer.to.as_str());
    assert!(parties.all(|to| to == address(2).to_string()));
    assert_eq!(received.len(), 30);
    let nobody = served.transfers(party(9, "alpha")).await.unwrap();
    assert!(nobody.transfers.is_empty());

    let by_hash = ListTransfersRequest {
        tx_hash: received[3].tx_hash.clone(),
        ..of("alpha")
    };
    let by_hash = served.transfers(by_hash).await.unwrap().transfers;
    assert_eq!(by_hash, received[3..4]);
    let bounded = ListTransfersRequest {
        min_height: 10,
        max_height: Some(11),
        ..party(1, "alpha")
    };
    let bounded = served.transfers(bounded).await.unwrap();
    assert_eq!(places(&bounded), [(11, 1), (11, 0), (10, 1), (10, 0)]);
}

#[tokio::test]
async fn without_an_asset_transfers_come_asset_by_asset_in_pages() {
    let (first, second) = (node().await, node().await);
    let served = two_chains(&first, &second).await;
    let everywhere = served.transfers(party(2, "")).await.unwrap().transfers;
    let assets: Vec<&str> = everywhere.iter().map(|of| of.asset.as_str()).collect();
    assert_eq!(assets.len(), 60);
    assert!(assets[..30].iter().all(|asset| asset == &assets[0]) && assets[0] != assets[59]);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = ListTransfersRequest {
            page: page(45, &cursor),
            ..party(2, "")
        };
        let part = served.transfers(part).await.unwrap();
        seen.extend(part.transfers);
        cursor = part.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, everywhere);
}

#[tokio::test]
async fn assets_are_listed_by_name_in_pages() {
    let (first, second) = (node().await, node().await);
    let served = two_chains(&first, &second).await;
    let (mut names, mut cursor) = (Vec::new(), String::new());
    for _ in 0..2 {
        let request = ListAssetsRequest {
            page: page(1, &cursor),
        };
        let answer = served.client("gateway").list_assets(request).await;
        let answer = answer.unwrap().into_inner();
        names.extend(answer.assets.into_iter().map(|asset| asset.name));
        cursor = answer.page.unwrap().next_cursor;
    }
    assert_eq!(
        (names.join(" "), cursor),
        ("alpha beta".to_owned(), String::new())
    );
}

/// The field a refusal names.
#[track_caller]
fn refused(status: Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let violations = Remote::from(status).violations();
    let first = violations.first().expect("a violation");
    assert!(!first.rule.is_empty() && !first.remedy.is_empty());
    first.field.clone()
}

#[tokio::test]
async fn wrong_questions_are_refused_by_field_and_strangers_altogether() {
    let served = Served::with(Vec::new()).await;
    let wrong = |request| async { refused(served.transfers(request).await.unwrap_err()) };
    for text in [
        "12",
        "0x12",
        &format!("0x{}", "g".repeat(40)),
        &"a".repeat(42),
    ] {
        let request = ListTransfersRequest {
            address: text.to_owned(),
            ..ListTransfersRequest::default()
        };
        assert_eq!(wrong(request).await, "address");
    }
    let request = ListTransfersRequest {
        tx_hash: address(1).to_string(),
        ..ListTransfersRequest::default()
    };
    assert_eq!(wrong(request).await, "tx_hash");
    let request = ListTransfersRequest {
        min_height: 1,
        ..ListTransfersRequest::default()
    };
    assert_eq!(wrong(request).await, "asset");
    let request = ListTransfersRequest {
        page: page(201, ""),
        ..ListTransfersRequest::default()
    };
    assert_eq!(wrong(request).await, "page.size");
    let request = ListTransfersRequest {
        page: page(1, "zz"),
        ..ListTransfersRequest::default()
    };
    assert_eq!(wrong(request).await, "page.cursor");
    let unknown = served.transfers(of("gamma")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert!(unknown.message().contains("gamma"), "{unknown:?}");
    let request = GetAssetStatusRequest::default();
    let unnamed = served.client("gateway").get_asset_status(request).await;
    assert_eq!(refused(unnamed.unwrap_err()), "asset");
    let request = ListAssetsRequest::default();
    let stranger = served.client("stranger").list_assets(request.clone()).await;
    assert_eq!(stranger.unwrap_err().code(), Code::PermissionDenied);
    // Nothing configured, nothing there, nothing runs.
    let none = served.client("gateway").list_assets(request).await.unwrap();
    assert!(none.into_inner().assets.is_empty());
    let report = served.service.health.report();
    assert!(
        !report.components.keys().any(|name| name.contains("evm")),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_token_in_trouble_is_shown_and_keeps_nobody_else_from_working() {
    let (good, bad) = (node().await, node().await);
    bad.world().chain_id = 777;
    let mut other = entry("beta", &bad);
    other.contract = Some(address(9).to_string());
    let served = Served::with(vec![entry("alpha", &good), other]).await;
    served.level("alpha", 30).await;
    eventually(LIMIT, async || match served.component("indexer.evm.beta") {
        State::Affected(reason) if reason.contains("777") && reason.contains("1234") => Ok(()),
        other => Err(other),
    })
    .await;
    eventually(LIMIT, async || {
        let shown = served.service.metrics.encode();
        if shown.contains("fluxplane_evm_halted{asset=\"beta\"} 1") {
            Ok(())
        } else {
            Err(shown)
        }
    })
    .await;
    eventually(LIMIT, async || {
        let report = served.service.health.report();
        if report.ready { Ok(()) } else { Err(report) }
    })
    .await;
    let request = GetAssetStatusRequest {
        asset: "beta".to_owned(),
    };
    let asset = served
        .client("gateway")
        .get_asset_status(request)
        .await
        .unwrap();
    let asset = asset.into_inner().asset.unwrap();
    assert!(asset.halted_reason.contains("chain 777"), "{asset:?}");
    assert_eq!((asset.height, asset.hash.as_str()), (None, ""));
}
