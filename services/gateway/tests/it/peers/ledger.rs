//! The ledger of the chain indexer, faked.

use fluxplane_proto::{
    chain_indexer::v1::{
        AddressSummary, AddressTransaction, GetAddressRequest, GetAddressResponse,
        GetOutputRequest, GetOutputResponse, GetSupplyRequest, GetSupplyResponse, LedgerOutput,
        ListAddressTransactionsRequest, ListAddressTransactionsResponse, ListRichRequest,
        ListRichResponse, ListUnspentRequest, ListUnspentResponse, RichOwner, Spend, UnspentOutput,
        ledger_service_server::LedgerService, owner::Name,
    },
    common::v1::PageInfo,
};
use tonic::{Request, Response, Status};

use super::{
    World,
    data::{PAYMENT_ADDRESS, at, outpoint},
    not_found,
};

const HEIGHT: u32 = 2_100_000;

/// The only owner there is.
fn summary() -> AddressSummary {
    AddressSummary {
        address: PAYMENT_ADDRESS.to_owned(),
        script_hex: "a914".to_owned(),
        balance_sat: 250_000_000,
        received_sat: 400_000_000,
        sent_sat: 150_000_000,
        transaction_count: 7,
        first_height: 1_670_001,
        last_height: 2_099_999,
    }
}

fn more() -> PageInfo {
    PageInfo {
        next_cursor: "more".to_owned(),
    }
}

#[tonic::async_trait]
impl LedgerService for World {
    async fn get_address(
        &self,
        request: Request<GetAddressRequest>,
    ) -> Result<Response<GetAddressResponse>, Status> {
        self.enter("get_address", &request, None, "")?;
        let owner = request.into_inner().owner.unwrap();
        let mut summary = summary();
        match owner.name.unwrap() {
            Name::Address(address) if address == PAYMENT_ADDRESS => {}
            Name::ScriptHex(script) => {
                summary.address = String::new();
                summary.script_hex = script;
            }
            Name::Address(_) => return Err(not_found("the address")),
        }
        Ok(Response::new(GetAddressResponse {
            summary: Some(summary),
            height: HEIGHT,
        }))
    }

    async fn list_address_transactions(
        &self,
        request: Request<ListAddressTransactionsRequest>,
    ) -> Result<Response<ListAddressTransactionsResponse>, Status> {
        self.enter("list_address_transactions", &request, None, "")?;
        let transaction = AddressTransaction {
            txid: hex::encode([8; 32]),
            height: 2_099_999,
            position: 3,
            block_time: at(0),
            received_sat: 60_000_000,
            sent_sat: 0,
        };
        Ok(Response::new(ListAddressTransactionsResponse {
            transactions: vec![transaction],
            page: Some(more()),
            height: HEIGHT,
        }))
    }

    async fn list_unspent(
        &self,
        request: Request<ListUnspentRequest>,
    ) -> Result<Response<ListUnspentResponse>, Status> {
        self.enter("list_unspent", &request, None, "")?;
        let output = UnspentOutput {
            outpoint: outpoint(8),
            value_sat: 60_000_000,
            height: 2_099_999,
            coinbase: false,
        };
        Ok(Response::new(ListUnspentResponse {
            outputs: vec![output],
            page: None,
            height: HEIGHT,
        }))
    }

    async fn get_output(
        &self,
        request: Request<GetOutputRequest>,
    ) -> Result<Response<GetOutputResponse>, Status> {
        self.enter("get_output", &request, None, "")?;
        let outpoint = request.into_inner().outpoint;
        let spent = outpoint.as_ref().is_some_and(|outpoint| outpoint.vout == 1);
        let output = LedgerOutput {
            outpoint,
            value_sat: 60_000_000,
            address: PAYMENT_ADDRESS.to_owned(),
            script_hex: "a914".to_owned(),
            height: 2_099_999,
            spent_by: spent.then(|| Spend {
                txid: hex::encode([9; 32]),
                vin: 2,
                height: 2_100_000,
            }),
        };
        Ok(Response::new(GetOutputResponse {
            output: Some(output),
            tip_height: HEIGHT,
        }))
    }

    async fn list_rich(
        &self,
        request: Request<ListRichRequest>,
    ) -> Result<Response<ListRichResponse>, Status> {
        self.enter("list_rich", &request, None, "")?;
        let owner = RichOwner {
            rank: 1,
            summary: Some(summary()),
        };
        Ok(Response::new(ListRichResponse {
            owners: vec![owner],
            page: Some(more()),
            height: HEIGHT,
        }))
    }

    async fn get_supply(
        &self,
        request: Request<GetSupplyRequest>,
    ) -> Result<Response<GetSupplyResponse>, Status> {
        self.enter("get_supply", &request, None, "")?;
        Ok(Response::new(GetSupplyResponse {
            height: request.get_ref().height.unwrap_or(HEIGHT),
            block_hash: hex::encode([2; 32]),
            block_time: at(0),
            transparent_sat: 41_800_000_000_000_000,
            shielded_sat: 1_000_000_000_000,
            total_sat: 41_801_000_000_000_000,
            coinbase_sat: 1_400_001_135,
            fees_sat: 1_135,
            scheduled_sat: 41_801_207_855_000_000,
        }))
    }
}
