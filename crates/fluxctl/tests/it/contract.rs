//! What the client reads is what the gateway's own document describes.

use fluxplane_fluxctl::api;
use serde::{Deserialize, de};
use serde_json::Value;

/// The document that the gateway commits.
fn openapi() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../services/gateway/openapi.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The fields a type reads, as serde knows them.
fn fields_of<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    /// Stops at the names.
    struct Names<'a>(&'a mut &'static [&'static str]);
    impl<'de> de::Deserializer<'de> for Names<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("not a struct"))
        }

        fn deserialize_struct<V: de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(de::Error::custom("enough"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut names: &'static [&'static str] = &[];
    assert!(T::deserialize(Names(&mut names)).is_err());
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// What is said of the chain.
fn chain_documents() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("Address", fields_of::<api::ledger::Address>()),
        ("AddressSummary", fields_of::<api::ledger::AddressSummary>()),
        (
            "AddressTransaction",
            fields_of::<api::ledger::AddressTransaction>(),
        ),
        ("Block", fields_of::<api::chain::Block>()),
        ("ChainOutput", fields_of::<api::ledger::ChainOutput>()),
        ("ChainPayment", fields_of::<api::chain::ChainPayment>()),
        ("ChainSource", fields_of::<api::chain::ChainSource>()),
        ("ChainStatus", fields_of::<api::chain::ChainStatus>()),
        ("EvmAsset", fields_of::<api::evm::EvmAsset>()),
        ("EvmTransfer", fields_of::<api::evm::EvmTransfer>()),
        ("Fluxnode", fields_of::<api::chain::Fluxnode>()),
        ("Hardware", fields_of::<api::tiers::Hardware>()),
        ("ListBlock", fields_of::<api::tiers::ListBlock>()),
        (
            "NetworkCapacity",
            fields_of::<api::tiers::NetworkCapacity>(),
        ),
        ("NextPayee", fields_of::<api::tiers::NextPayee>()),
        ("NextPayees", fields_of::<api::tiers::NextPayees>()),
        ("Output", fields_of::<api::chain::Output>()),
        ("PaidOutput", fields_of::<api::chain::PaidOutput>()),
        (
            "RecordedPayment",
            fields_of::<api::chain::RecordedPayment>(),
        ),
        ("RichOwner", fields_of::<api::ledger::RichOwner>()),
        ("Spend", fields_of::<api::ledger::Spend>()),
        ("Supply", fields_of::<api::ledger::Supply>()),
        ("TierHardware", fields_of::<api::tiers::TierHardware>()),
        ("TierStatistics", fields_of::<api::tiers::TierStatistics>()),
        ("TierTurnover", fields_of::<api::tiers::TierTurnover>()),
        ("Tiers", fields_of::<api::tiers::Tiers>()),
        ("Transaction", fields_of::<api::chain::ChainTransaction>()),
        ("UnspentOutput", fields_of::<api::ledger::UnspentOutput>()),
    ]
}

#[test]
fn every_document_has_the_fields_of_the_gateway() {
    let document = openapi();
    let schemas = &document["components"]["schemas"];
    let documents = [
        ("Account", fields_of::<api::billing::Account>()),
        ("Amount", fields_of::<api::Amount>()),
        ("Anchor", fields_of::<api::epochs::Anchor>()),
        ("App", fields_of::<api::App>()),
        ("Benchmark", fields_of::<api::nodes::Benchmark>()),
        ("Capacity", fields_of::<api::nodes::Capacity>()),
        ("Challenge", fields_of::<api::auth::Challenge>()),
        ("Decision", fields_of::<api::instances::Decision>()),
        ("Earning", fields_of::<api::billing::Earning>()),
        ("Epoch", fields_of::<api::epochs::Epoch>()),
        ("EpochAnchor", fields_of::<api::epochs::EpochAnchor>()),
        (
            "EvidenceInterval",
            fields_of::<api::billing::EvidenceInterval>(),
        ),
        ("Instance", fields_of::<api::Instance>()),
        ("Invoice", fields_of::<api::billing::Invoice>()),
        ("InvoiceLine", fields_of::<api::billing::InvoiceLine>()),
        ("JoinToken", fields_of::<api::nodes::JoinToken>()),
        ("Leaf", fields_of::<api::epochs::LeafLine>()),
        ("LineProof", fields_of::<api::billing::LineProof>()),
        ("LogLine", fields_of::<api::LogLine>()),
        ("Me", fields_of::<api::auth::Me>()),
        ("Node", fields_of::<api::nodes::Node>()),
        ("NodeSummary", fields_of::<api::nodes::NodeSummary>()),
        ("OutPoint", fields_of::<api::OutPoint>()),
        (
            "PaymentInstructions",
            fields_of::<api::PaymentInstructions>(),
        ),
        ("Place", fields_of::<api::nodes::Place>()),
        ("ProofAnchor", fields_of::<api::billing::ProofAnchor>()),
        ("CurrentRate", fields_of::<api::rates::CurrentRate>()),
        ("PriceLine", fields_of::<api::quotes::PriceLine>()),
        ("Quote", fields_of::<api::Quote>()),
        ("Rate", fields_of::<api::Rate>()),
        ("RateSource", fields_of::<api::rates::RateSource>()),
        ("RateStatement", fields_of::<api::rates::RateStatement>()),
        ("WhatIf", fields_of::<api::quotes::WhatIf>()),
        ("Revision", fields_of::<api::Revision>()),
        ("Secret", fields_of::<api::secrets::Secret>()),
        ("Submitted", fields_of::<api::Submitted>()),
        ("TimelineEntry", fields_of::<api::TimelineEntry>()),
    ];
    for (name, read) in documents.into_iter().chain(chain_documents()) {
        let properties = schemas[name]["properties"].as_object();
        let properties = properties.unwrap_or_else(|| panic!("the gateway has no schema {name}"));
        let mut documented: Vec<&str> = properties.keys().map(String::as_str).collect();
        documented.sort_unstable();
        assert_eq!(read, documented, "{name}");
    }
}

#[test]
fn every_operation_the_client_calls_exists() {
    let document = openapi();
    for (method, path) in [
        ("post", "/v1/auth/challenges"),
        ("post", "/v1/auth/sessions"),
        ("post", "/v1/auth/sessions:refresh"),
        ("delete", "/v1/auth/sessions/current"),
        ("get", "/v1/auth/me"),
        ("post", "/v1/quotes"),
        ("get", "/v1/quotes/{quote_id}"),
        ("get", "/v1/rate"),
        ("post", "/v1/rate:override"),
        ("post", "/v1/apps"),
        ("get", "/v1/apps"),
        ("get", "/v1/apps/{name}"),
        ("put", "/v1/apps/{name}"),
        ("delete", "/v1/apps/{name}"),
        ("get", "/v1/apps/{name}/instances"),
        ("get", "/v1/apps/{name}/timeline"),
        ("get", "/v1/apps/{name}/events"),
        ("get", "/v1/apps/{name}/instances/{instance_id}/logs"),
        ("get", "/v1/apps/{name}/instances/{instance_id}/decision"),
        ("get", "/v1/nodes"),
        ("get", "/v1/nodes/summary"),
        ("get", "/v1/nodes/{node_id}"),
        ("post", "/v1/nodes/join-tokens"),
        ("get", "/v1/earnings"),
        ("get", "/v1/account"),
        ("get", "/v1/invoices"),
        ("get", "/v1/invoices/{invoice_id}"),
        ("get", "/v1/invoices/{invoice_id}/lines/{number}/proof"),
        ("get", "/v1/epochs"),
        ("get", "/v1/epochs/{number}"),
        ("get", "/v1/epochs/{number}/leaves"),
        ("get", "/v1/epochs/{number}/anchor"),
        ("post", "/v1/epochs:close"),
        ("get", "/v1/chain/status"),
        ("get", "/v1/chain/blocks/{height_or_hash}"),
        ("get", "/v1/chain/transactions/{txid}"),
        ("get", "/v1/chain/fluxnodes"),
        ("get", "/v1/chain/fluxnodes/{txid}/{vout}"),
        ("get", "/v1/chain/payments/{message_hash}"),
        ("get", "/v1/chain/addresses/{address}"),
        ("get", "/v1/chain/addresses/{address}/transactions"),
        ("get", "/v1/chain/addresses/{address}/unspent"),
        ("get", "/v1/chain/outputs/{txid}/{vout}"),
        ("get", "/v1/chain/rich-list"),
        ("get", "/v1/chain/supply"),
        ("get", "/v1/chain/next-payees"),
        ("get", "/v1/chain/tiers"),
        ("get", "/v1/chain/capacity"),
        ("get", "/v1/chain/unmatched-payments"),
        ("get", "/v1/chain/transactions/{txid}/payment"),
        ("get", "/v1/chain/evm/assets"),
        ("get", "/v1/chain/evm/transfers"),
    ] {
        assert!(
            document["paths"][path][method].is_object(),
            "{method} {path}"
        );
    }
}
