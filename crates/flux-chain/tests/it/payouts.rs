//! What a block must pay, and where it must stand.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    ChainParams, Transaction,
    build::{coinbase_outputs, coinbase_transaction},
    fluxnode::{Mode, Rejection},
    tx::UpdateKind::Initial,
};

use crate::support::chain::{IP, THOUSAND, TestChain, confirmed, devnet, key};

#[test]
fn a_coinbase_must_pay_the_nodes_the_dev_fund_and_the_funds() {
    let (chain, _) = confirmed(ChainParams::regtest_nodes(), 500, 1_000);
    let height = chain.height() + 1;
    let params = chain.state.params().clone();
    let honest = coinbase_outputs(&params, height, &chain.state.next_payees(), Sat::new(5));
    let verdict = |outputs: &[fluxplane_flux_chain::build::Output]| {
        let coinbase = coinbase_transaction(&params, height, outputs);
        chain.clone().try_block_with(&coinbase.bytes, &[])
    };
    verdict(&honest).unwrap();
    let mut swapped = honest.clone();
    swapped.reverse();
    verdict(&swapped).unwrap();
    let mut short = honest.clone();
    short[1].value = Sat::new(short[1].value.get() - 1);
    assert!(matches!(
        verdict(&short),
        Err(Rejection::PayeeMissing { .. })
    ));
    let mut wrong = honest.clone();
    wrong[1].script = key(99).public_key().id().as_wire().to_vec().into();
    assert_eq!(
        verdict(&wrong).unwrap_err().reason(),
        "bad-txns-not-paying-correct-fluxnodes"
    );
    // The remainder in two outputs is no payment of the remainder.
    let mut split = honest.clone();
    let half = Sat::new(split[0].value.get() / 2);
    split[0].value = half;
    split.push(split[0].clone());
    assert!(matches!(
        verdict(&split),
        Err(Rejection::DevFundShort { .. })
    ));
    let mut greedy = honest;
    greedy[0].script = key(98).public_key().id().as_wire().to_vec().into();
    assert_eq!(
        verdict(&greedy).unwrap_err().reason(),
        "tx-coinbase-missing-dev-funding"
    );
}

#[test]
fn one_output_serves_one_payee() {
    // Two tiers of one owner, and a dev fund that is the owner too: three outputs are needed, not one that fits twice.
    let mut params = ChainParams::regtest_nodes();
    params.funds.dev_fund =
        fluxplane_flux_chain::Address::of_key(&key(1).public_key(), params.addresses);
    let mut chain = TestChain::at(params, 500);
    let node = chain.node(1, THOUSAND);
    chain.block(&[&node.start().bytes]);
    chain.block(&[&node.confirm(Initial, IP).bytes]);
    let height = chain.height() + 1;
    let params = chain.state.params().clone();
    let payees = chain.state.next_payees();
    let mut outputs = coinbase_outputs(&params, height, &payees, Sat::ZERO);
    assert_eq!(outputs[0].script, outputs[1].script);
    let verdict = |outputs: &[fluxplane_flux_chain::build::Output]| {
        let coinbase = coinbase_transaction(&params, height, outputs);
        chain.clone().try_block_with(&coinbase.bytes, &[])
    };
    verdict(&outputs).unwrap();
    outputs.remove(1);
    assert!(verdict(&outputs).is_err());
}

#[test]
fn the_one_time_funds_must_be_exact() {
    for (height, reason) in [
        (836_274, "tx-coinbase-missing-exchange-funding"),
        (836_994, "tx-coinbase-missing-foundation-funding"),
        (837_714, "tx-coinbase-missing-swappool-funding"),
        (1_032_114, "tx-coinbase-missing-swappool-funding"),
    ] {
        let mut chain = TestChain::at(ChainParams::main(), height - 1);
        let params = chain.state.params().clone();
        let mut outputs = coinbase_outputs(&params, height, &[], Sat::ZERO);
        let owed = outputs.last_mut().unwrap();
        owed.value = Sat::new(owed.value.get() + 1);
        let coinbase = coinbase_transaction(&params, height, &outputs);
        let rejection = chain.try_block_with(&coinbase.bytes, &[]).unwrap_err();
        assert_eq!(rejection.reason(), reason);
        chain.block(&[]);
    }
}

#[test]
fn nothing_is_paid_before_payments_begin() {
    let (chain, _) = confirmed(ChainParams::main(), 559_990, 10_000);
    let mut chain = chain;
    assert!(chain.state.next_payees().is_empty());
    chain.grow_to(559_999);
    let payees = chain.state.next_payees();
    assert_eq!(payees.len(), 1);
    assert_eq!(payees[0].amount, Sat::new(562_500_000));
}

#[test]
fn a_block_must_follow_the_tip() {
    let mut chain = devnet();
    let coinbase = coinbase_transaction(chain.state.params(), 503, &[]);
    let transaction = Transaction::parse(&coinbase.bytes).unwrap();
    let transactions = [transaction];
    let view = fluxplane_flux_chain::fluxnode::BlockView {
        height: 503,
        transactions: &transactions,
        txids: None,
    };
    let result = chain.state.apply_block(&view, &chain.coins, Mode::Validate);
    assert!(matches!(
        result,
        Err(Rejection::WrongHeight {
            tip: 500,
            expected: 501,
            found: 503
        })
    ));
    let node = chain.node(1, THOUSAND);
    let start = node.start();
    let result = chain.try_block_with(&start.bytes, &[]);
    assert_eq!(result.unwrap_err(), Rejection::NoCoinbase);
}
