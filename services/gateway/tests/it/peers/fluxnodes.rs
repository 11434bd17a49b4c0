//! The fluxnode lists of the chain indexer, faked.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_proto::{
    chain_indexer::v1::{
        Capacity, EmissionYear, FindFluxnodesRequest, FindFluxnodesResponse, GetEmissionRequest,
        GetEmissionResponse, GetNetworkCapacityRequest, GetNetworkCapacityResponse,
        GetTierStatisticsRequest, GetTierStatisticsResponse, ListBlock, ListFluxnodesAtRequest,
        ListFluxnodesAtResponse, ListNextPayeesRequest, ListNextPayeesResponse, NextPayee,
        TierCapacity, TierStatistics, fluxnode_service_server::FluxnodeService,
    },
    common::v1::{PageInfo, Tier},
};
use tonic::{Request, Response, Status};

use super::{
    World,
    data::{PAYMENT_ADDRESS, at, outpoint},
    refusal,
};

/// The last block, and the first whose lists are still known.
const HEIGHT: u32 = 2_100_000;
const OLDEST: u32 = 2_099_960;

/// The block a request is about.
fn block(height: Option<u32>) -> Result<Option<ListBlock>, Status> {
    let height = height.unwrap_or(HEIGHT);
    if !(OLDEST..=HEIGHT).contains(&height) {
        let rule = format!("the lists of blocks {OLDEST} to {HEIGHT} are known");
        let violation = Violation::new("height", height, rule, "name one of these");
        let text = violation.to_string();
        let reason = Reason::InvalidRequest;
        return Err(refusal(ErrorKind::Invalid, reason, &text, vec![violation]));
    }
    Ok(Some(ListBlock {
        height,
        hash: hex::encode([2; 32]),
        time: at(0),
    }))
}

const TIERS: [(Tier, u64); 3] = [(Tier::Cumulus, 2), (Tier::Nimbus, 4), (Tier::Stratus, 8)];

fn capacity(nodes: u64, cores: u64) -> Capacity {
    Capacity {
        nodes,
        cores: nodes * cores,
        threads: nodes * cores * 2,
        ram_gb: nodes * cores * 4,
        ssd_gb: nodes * 220,
    }
}

fn year(number: i32) -> EmissionYear {
    EmissionYear {
        year: number,
        first_height: 13_276_800,
        last_height: 14_330_879,
        emission_sat: 504_672_810_000_000,
        supply_at_start_sat: 51_380_599_750_000_000,
        inflation_ppm: 9_822,
        subsidy_sat: 488_149_815,
    }
}

#[tonic::async_trait]
impl FluxnodeService for World {
    async fn find_fluxnodes(
        &self,
        request: Request<FindFluxnodesRequest>,
    ) -> Result<Response<FindFluxnodesResponse>, Status> {
        self.enter("find_fluxnodes", &request, None, "")?;
        Ok(Response::new(FindFluxnodesResponse {
            fluxnodes: self.state().fluxnodes.clone(),
            page: None,
            block: block(None)?,
        }))
    }

    async fn list_fluxnodes_at(
        &self,
        request: Request<ListFluxnodesAtRequest>,
    ) -> Result<Response<ListFluxnodesAtResponse>, Status> {
        self.enter("list_fluxnodes_at", &request, None, "")?;
        let next_cursor = "more".to_owned();
        Ok(Response::new(ListFluxnodesAtResponse {
            fluxnodes: self.state().fluxnodes.clone(),
            page: Some(PageInfo { next_cursor }),
            block: block(request.get_ref().height)?,
        }))
    }

    async fn list_next_payees(
        &self,
        request: Request<ListNextPayeesRequest>,
    ) -> Result<Response<ListNextPayeesResponse>, Status> {
        self.enter("list_next_payees", &request, None, "")?;
        let block = block(request.get_ref().height)?;
        let payee = NextPayee {
            height: HEIGHT + 1,
            tier: Tier::Stratus.into(),
            collateral: outpoint(6),
            payment_address: PAYMENT_ADDRESS.to_owned(),
            amount_sat: 900_000_000,
            expected_at: at(30),
        };
        Ok(Response::new(ListNextPayeesResponse {
            payees: vec![payee],
            block,
        }))
    }

    async fn get_tier_statistics(
        &self,
        request: Request<GetTierStatisticsRequest>,
    ) -> Result<Response<GetTierStatisticsResponse>, Status> {
        self.enter("get_tier_statistics", &request, None, "")?;
        let tiers = TIERS.map(|(tier, nodes)| TierStatistics {
            tier: tier.into(),
            started: 1,
            confirmed: u32::try_from(nodes).unwrap(),
            dos: 0,
            locked_sat: 100_000_000_000,
            reward_sat: 100_000_000,
            payment_interval_blocks: u32::try_from(nodes).unwrap() - 2,
            newly_started: 5,
            newly_confirmed: 4,
            newly_expired: 3,
            newly_spent: 2,
            newly_dos: 1,
        });
        Ok(Response::new(GetTierStatisticsResponse {
            tiers: tiers.to_vec(),
            window_blocks: 2_880,
            block: block(request.get_ref().height)?,
        }))
    }

    async fn get_network_capacity(
        &self,
        request: Request<GetNetworkCapacityRequest>,
    ) -> Result<Response<GetNetworkCapacityResponse>, Status> {
        self.enter("get_network_capacity", &request, None, "")?;
        let tiers = TIERS.map(|(tier, cores)| TierCapacity {
            tier: tier.into(),
            minimum: Some(capacity(1, cores)),
            total: Some(capacity(10, cores)),
        });
        Ok(Response::new(GetNetworkCapacityResponse {
            tiers: tiers.to_vec(),
            total: Some(capacity(10, 14)),
            block: block(request.get_ref().height)?,
        }))
    }

    async fn get_emission(
        &self,
        request: Request<GetEmissionRequest>,
    ) -> Result<Response<GetEmissionResponse>, Status> {
        self.enter("get_emission", &request, None, "")?;
        Ok(Response::new(GetEmissionResponse {
            years: vec![year(2_036)],
            first_year_below: Some(year(2_036)),
            below_ppm: 10_000,
            anchor_height: 2_020_000,
            anchor_time: at(0),
            spacing_ms: 30_000,
        }))
    }
}
