//! The fluxnode lists of the tip and of earlier blocks, and the coins of the years, for other services.

use std::time::Duration;

use chrono::Datelike as _;
use fluxplane_core::Tier;
use fluxplane_flux_chain::OutPoint;
use fluxplane_platform::{db::paging::Page, error::refuse, metrics::Metrics};
use fluxplane_proto::{
    chain_indexer::v1::{
        FindFluxnodesRequest, FindFluxnodesResponse, GetEmissionRequest, GetEmissionResponse,
        GetNetworkCapacityRequest, GetNetworkCapacityResponse, GetTierStatisticsRequest,
        GetTierStatisticsResponse, ListFluxnodesAtRequest, ListFluxnodesAtResponse,
        ListNextPayeesRequest, ListNextPayeesResponse, fluxnode_service_server::FluxnodeService,
    },
    common::v1::PageInfo,
};
use tonic::{Code, Request, Response, Status};

use super::{convert, fluxnodes};
use crate::{
    app::{
        Context, Error,
        nodes::{self, At, ListPlace, Views},
        queries,
    },
    domain::{
        forecast::{self, MOST_YEARS, USUAL_YEARS, YEARS},
        nodes::{
            capacity::{Hardware, minimum},
            find::find,
            list::{Filter, list, rank},
            payees::next_payees,
            statistics::statistics,
        },
    },
};

/// Blocks looked ahead when the caller names none, and at most: a quarter of a day, and all that one answer should hold.
const USUAL_BLOCKS: u32 = 10;
const MOST_BLOCKS: u32 = 720;

/// One per cent.
const USUAL_BOUND: u64 = 10_000;

#[derive(Debug, Clone)]
pub struct FluxnodeGrpc {
    pub ctx: Context,
    pub metrics: Metrics,
    pub views: Views,
}

impl FluxnodeGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result.map(Response::new).map_err(|err| {
            let status = refuse(&self.metrics, &err);
            if matches!(err, Error::HeightOutOfRange { .. }) {
                let details = status.details().to_vec().into();
                return Status::with_details(Code::OutOfRange, status.message(), details);
            }
            status
        })
    }

    async fn find(&self, request: FindFluxnodesRequest) -> Result<FindFluxnodesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page: Page<OutPoint> = queries::page(wish.size, &wish.cursor)?;
        let space = self.ctx.rules.params.addresses;
        let key = fluxnodes::key(request.key, space)?;
        let view = nodes::view(&self.ctx, &self.views, At::Tip).await?;
        let limit = usize::try_from(page.fetch_limit()).unwrap_or(usize::MAX);
        let mut found: Vec<_> = find(&view.lists, &key, page.after).take(limit).collect();
        let next_cursor = page.cut(&mut found, |entry| entry.collateral);
        let entries = found.into_iter();
        Ok(FindFluxnodesResponse {
            fluxnodes: entries
                .map(|entry| convert::fluxnode_to_wire(entry, rank(&view.lists, entry), space))
                .collect(),
            page: Some(PageInfo { next_cursor }),
            block: Some(fluxnodes::block_to_wire(&view)),
        })
    }

    async fn list(
        &self,
        request: ListFluxnodesAtRequest,
    ) -> Result<ListFluxnodesAtResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page: Page<ListPlace> = queries::page(wish.size, &wish.cursor)?;
        let filter = Filter {
            tier: convert::tier_from_wire(request.tier)?,
            status: fluxnodes::status_from_wire(request.status)?,
        };
        let at = match page.after {
            Some(place) => At::Block(place.block()),
            None => at(request.height),
        };
        let view = nodes::view(&self.ctx, &self.views, at).await?;
        let space = self.ctx.rules.params.addresses;
        let passed = page.after.map_or(0, |place| place.passed);
        let limit = usize::try_from(page.fetch_limit()).unwrap_or(usize::MAX);
        let mut listed: Vec<_> = (passed..)
            .zip(list(&view.lists, filter).skip(usize::try_from(passed).unwrap_or(usize::MAX)))
            .take(limit)
            .collect();
        let next_cursor = page.cut(&mut listed, |(index, _)| ListPlace {
            height: view.block.height,
            hash: view.block.hash,
            passed: index.saturating_add(1),
        });
        let entries = listed.into_iter();
        Ok(ListFluxnodesAtResponse {
            fluxnodes: entries
                .map(|(_, node)| convert::fluxnode_to_wire(node.entry, node.rank, space))
                .collect(),
            page: Some(PageInfo { next_cursor }),
            block: Some(fluxnodes::block_to_wire(&view)),
        })
    }

    async fn next_payees(
        &self,
        request: ListNextPayeesRequest,
    ) -> Result<ListNextPayeesResponse, Error> {
        let tier = convert::tier_from_wire(request.tier)?;
        let blocks = match request.blocks {
            0 => USUAL_BLOCKS,
            blocks @ 1..=MOST_BLOCKS => blocks,
            more => {
                let rule = format!("at most {MOST_BLOCKS} blocks are looked ahead");
                let remedy = "ask for fewer; nobody can know the order further on";
                return Err(Error::invalid("blocks", more, rule, remedy));
            }
        };
        let view = nodes::view(&self.ctx, &self.views, at(request.height)).await?;
        let params = &self.ctx.rules.params;
        let payees = next_payees(&view.lists, tier, blocks);
        Ok(ListNextPayeesResponse {
            payees: payees
                .iter()
                .map(|payee| fluxnodes::payee_to_wire(payee, &view, params))
                .collect(),
            block: Some(fluxnodes::block_to_wire(&view)),
        })
    }

    async fn statistics(
        &self,
        request: GetTierStatisticsRequest,
    ) -> Result<GetTierStatisticsResponse, Error> {
        let view = nodes::view(&self.ctx, &self.views, at(request.height)).await?;
        let day = nodes::turnover(&self.ctx, view.block).await?;
        let turnover = |tier: Tier| {
            let row = day.tiers.iter().find(|(of, _)| *of == tier);
            row.map(|(_, turnover)| *turnover).unwrap_or_default()
        };
        let tiers = statistics(&view.lists);
        Ok(GetTierStatisticsResponse {
            tiers: tiers
                .iter()
                .map(|tier| fluxnodes::statistics_to_wire(tier, turnover(tier.tier)))
                .collect(),
            window_blocks: day.blocks,
            block: Some(fluxnodes::block_to_wire(&view)),
        })
    }

    async fn capacity(
        &self,
        request: GetNetworkCapacityRequest,
    ) -> Result<GetNetworkCapacityResponse, Error> {
        let view = nodes::view(&self.ctx, &self.views, at(request.height)).await?;
        let tiers = statistics(&view.lists);
        let (mut nodes, mut total) = (0, Hardware::default());
        for tier in &tiers {
            let count = u64::from(tier.confirmed);
            nodes += count;
            total = total.plus(minimum(tier.tier).times(count));
        }
        let each = tiers.iter().map(|tier| {
            let count = u64::from(tier.confirmed);
            fluxnodes::tier_capacity_to_wire(tier.tier, minimum(tier.tier), count)
        });
        Ok(GetNetworkCapacityResponse {
            tiers: each.collect(),
            total: Some(fluxnodes::capacity_to_wire(nodes, total)),
            block: Some(fluxnodes::block_to_wire(&view)),
        })
    }

    async fn emission(&self, request: GetEmissionRequest) -> Result<GetEmissionResponse, Error> {
        let years = self.years(request.from_year, request.to_year)?;
        let assumed =
            (request.spacing_ms > 0).then(|| Duration::from_millis(u64::from(request.spacing_ms)));
        let bound = match request.below_ppm {
            0 => USUAL_BOUND,
            bound => bound,
        };
        let params = &self.ctx.rules.params;
        let latest = nodes::latest(&self.ctx).await?;
        let schedule = forecast::schedule(params, latest, assumed);
        let first = forecast::first_year_below(&schedule, params, bound);
        Ok(GetEmissionResponse {
            years: years
                .map(|year| fluxnodes::year_to_wire(&schedule.year(params, year), params))
                .collect(),
            first_year_below: first.map(|year| fluxnodes::year_to_wire(&year, params)),
            below_ppm: bound,
            anchor_height: schedule.anchor_height,
            anchor_time: Some(convert::timestamp(fluxnodes::anchor_time(&schedule))),
            spacing_ms: fluxnodes::millis(schedule.spacing_after),
        })
    }

    fn years(&self, from: i32, to: i32) -> Result<std::ops::RangeInclusive<i32>, Error> {
        if (from, to) == (0, 0) {
            let now = self.ctx.clock.now().year();
            return Ok(now..=now + USUAL_YEARS - 1);
        }
        let (first, last) = (YEARS.start(), YEARS.end());
        for (field, year) in [("from_year", from), ("to_year", to)] {
            if !YEARS.contains(&year) {
                let rule = format!("years are {first} to {last}");
                let remedy = "name both years, or neither for the present one and those after it";
                return Err(Error::invalid(field, year, rule, remedy));
            }
        }
        if to < from || to - from >= MOST_YEARS {
            let rule = format!("to_year is from_year or later, by less than {MOST_YEARS} years");
            let remedy = "ask for a shorter range";
            return Err(Error::invalid("to_year", to, rule, remedy));
        }
        Ok(from..=to)
    }
}

const fn at(height: Option<u32>) -> At {
    match height {
        Some(height) => At::Height(height),
        None => At::Tip,
    }
}

#[tonic::async_trait]
impl FluxnodeService for FluxnodeGrpc {
    async fn find_fluxnodes(
        &self,
        request: Request<FindFluxnodesRequest>,
    ) -> Result<Response<FindFluxnodesResponse>, Status> {
        self.answer(self.find(request.into_inner()).await)
    }

    async fn list_fluxnodes_at(
        &self,
        request: Request<ListFluxnodesAtRequest>,
    ) -> Result<Response<ListFluxnodesAtResponse>, Status> {
        self.answer(self.list(request.into_inner()).await)
    }

    async fn list_next_payees(
        &self,
        request: Request<ListNextPayeesRequest>,
    ) -> Result<Response<ListNextPayeesResponse>, Status> {
        self.answer(self.next_payees(request.into_inner()).await)
    }

    async fn get_tier_statistics(
        &self,
        request: Request<GetTierStatisticsRequest>,
    ) -> Result<Response<GetTierStatisticsResponse>, Status> {
        self.answer(self.statistics(request.into_inner()).await)
    }

    async fn get_network_capacity(
        &self,
        request: Request<GetNetworkCapacityRequest>,
    ) -> Result<Response<GetNetworkCapacityResponse>, Status> {
        self.answer(self.capacity(request.into_inner()).await)
    }

    async fn get_emission(
        &self,
        request: Request<GetEmissionRequest>,
    ) -> Result<Response<GetEmissionResponse>, Status> {
        self.answer(self.emission(request.into_inner()).await)
    }
}
