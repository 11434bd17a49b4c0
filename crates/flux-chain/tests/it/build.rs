//! What we build is what the chain accepts.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, Block, ChainParams, Hash256, OutPoint, PrivateKey, ScriptBuf, Transaction,
    address::AddressSpace,
    block::merkle_root,
    build::{
        BlockDraft, BuildError, ConfirmBuilder, Delegation, FeeRate, MIN_RELAY_FEE, PaymentBuilder,
        SignError, StartBuilder, StartKind, Utxo, coinbase_outputs, coinbase_transaction,
    },
    message::{Magic, benchmark_text, confirm_text, start_text, verify},
    pon::verify_signature,
    script::{ScriptKind, multisig, p2pkh, p2sh},
    sighash::{FLUX_BRANCH_ID, SIGHASH_ALL, SpentOutput, signature_hash},
    tx::{Fluxnode, UpdateKind},
    verify::{InputFault, verify_input},
};
use proptest::prelude::*;

use crate::support::{
    chain::key,
    recorded::{BLOCKS, PARAMS},
};

fn coin(owner: &PrivateKey, number: u8, value: i64) -> Utxo {
    Utxo {
        outpoint: OutPoint::new(Hash256::from_wire([number; 32]), 1),
        value: Sat::new(value),
        script: p2pkh(&owner.public_key().id()),
    }
}

fn address(number: u8) -> Address {
    Address::of_key(&key(number).public_key(), AddressSpace::Main)
}

#[test]
fn a_payment_with_change_and_data_verifies_input_by_input() {
    let (first, second) = (key(1), key(2));
    let coins = [coin(&first, 1, 70_000), coin(&second, 2, 60_000)];
    let unsigned = PaymentBuilder::new()
        .spend(coins[0].clone())
        .spend(coins[1].clone())
        .pay(&address(9), Sat::new(100_000))
        .data(b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
        .unwrap()
        .change_to(address(1))
        .fee_rate(FeeRate(1_000))
        .expiry_height(3_000_000)
        .build()
        .unwrap();
    let built = unsigned.sign(&[first, second], FLUX_BRANCH_ID).unwrap();
    let transaction = Transaction::parse(&built.bytes).unwrap();
    assert_eq!(transaction.txid(), built.txid);
    assert_eq!(built.hex(), hex::encode(transaction.serialize()));
    for (index, coin) in coins.iter().enumerate() {
        let script = coin.script.as_script();
        verify_input(&transaction, index, script, coin.value, FLUX_BRANCH_ID).unwrap();
        let wrong = verify_input(&transaction, index, script, Sat::new(1), FLUX_BRANCH_ID);
        assert_eq!(
            wrong,
            Err(InputFault::Signature {
                valid: 0,
                required: 1
            })
        );
    }
    let transfer = transaction.as_transfer().unwrap();
    assert_eq!(transfer.expiry_height, Some(3_000_000));
    let spent: i64 = transfer
        .outputs
        .iter()
        .map(|output| output.value.get())
        .sum();
    assert_eq!(130_000 - spent, unsigned.fee.get());
    // The fee covers the size, and not much more.
    let least = FeeRate(1_000).fee(transaction.size());
    assert!(unsigned.fee >= least && unsigned.fee.get() <= least.get() + 12);
    assert_eq!(unsigned.change, Some(1));
    // FluxOS reads the text of the last output only.
    assert!(transfer.note().unwrap().last);
    assert!(matches!(
        transfer.outputs[2].script.kind(),
        ScriptKind::NullData(data) if data.len() == 64
    ));
}

#[test]
fn change_that_is_dust_becomes_fee() {
    let owner = key(1);
    let build = |value| {
        PaymentBuilder::new()
            .spend(coin(&owner, 1, value))
            .pay(&address(9), Sat::new(1_000))
            .change_to(address(1))
            .build()
            .unwrap()
    };
    let least = build(10_000).fee.get() - MIN_RELAY_FEE.fee(34).get();
    assert_eq!(build(1_000 + least).change, None);
    assert_eq!(build(1_000 + least + 40).change, None);
    assert_eq!(build(1_000 + least + 40).fee.get(), least + 40);
    assert_eq!(build(1_000 + least + 4 + 54).change, Some(1));
}

#[test]
fn a_payment_that_cannot_be_says_why() {
    let owner = key(1);
    let base = || PaymentBuilder::new().spend(coin(&owner, 1, 10_000));
    assert_eq!(
        PaymentBuilder::new().build().unwrap_err(),
        BuildError::NoInputs
    );
    assert!(matches!(
        base().pay(&address(9), Sat::new(10_000)).build(),
        Err(BuildError::Insufficient { .. })
    ));
    assert!(matches!(
        base().pay(&address(9), Sat::new(53)).build(),
        Err(BuildError::Dust { .. })
    ));
    assert!(matches!(
        base().spend(coin(&owner, 1, 5)).build(),
        Err(BuildError::InputTwice(_))
    ));
    assert!(matches!(base().data(&[0; 81]), Err(BuildError::Data(_))));
    let mut scripted = coin(&owner, 3, 10_000);
    scripted.script = p2sh(&owner.public_key().id());
    assert!(matches!(
        PaymentBuilder::new().spend(scripted).build(),
        Err(BuildError::UnsupportedInput(_))
    ));
    assert!(matches!(
        base().pay(&address(9), Sat::new(i64::MAX)).build(),
        Err(BuildError::OutOfRange)
    ));
    let unsigned = base().build().unwrap();
    assert!(matches!(
        unsigned.sign(&[key(2)], FLUX_BRANCH_ID),
        Err(SignError::KeyMissing { .. })
    ));
}

#[test]
fn a_multisig_input_needs_its_signatures_in_order() {
    let keys = [key(1), key(2), key(3)];
    let publics: Vec<_> = keys.iter().map(PrivateKey::public_key).collect();
    let redeem = multisig(2, &publics).unwrap();
    let locking = p2sh(&redeem.as_script().id());
    let value = Sat::new(5_000);
    // The spending transaction is a payment whose unlocking script is put in by hand.
    let unsigned = PaymentBuilder::new()
        .spend(coin(&keys[0], 1, value.get()))
        .build()
        .unwrap();
    let draft = unsigned.serialize(&[]);
    let draft = Transaction::parse(&draft).unwrap();
    let spent = SpentOutput {
        script_code: redeem.as_script(),
        value,
    };
    let digest = signature_hash(&draft, 0, &spent, SIGHASH_ALL, FLUX_BRANCH_ID).unwrap();
    let verdict = |signers: &[usize], dummy: u8, redeem: &ScriptBuf| {
        let mut script = vec![dummy];
        for signer in signers {
            let mut signature = keys[*signer].sign_der(&digest);
            signature.push(1);
            script.push(u8::try_from(signature.len()).unwrap());
            script.extend_from_slice(&signature);
        }
        script.extend_from_slice(&[0x4c, u8::try_from(redeem.len()).unwrap()]);
        script.extend_from_slice(redeem);
        let bytes = unsigned.serialize(&[ScriptBuf::new(script)]);
        let transaction = Transaction::parse(&bytes).unwrap();
        verify_input(&transaction, 0, locking.as_script(), value, FLUX_BRANCH_ID)
    };
    verdict(&[0, 1], 0, &redeem).unwrap();
    verdict(&[0, 2], 0, &redeem).unwrap();
    verdict(&[1, 2], 0, &redeem).unwrap();
    let one_of_two = |valid| Err(InputFault::Signature { valid, required: 2 });
    assert_eq!(verdict(&[2, 0], 0, &redeem), one_of_two(1));
    assert_eq!(verdict(&[1, 1], 0, &redeem), one_of_two(1));
    assert_eq!(verdict(&[0], 0, &redeem), Err(InputFault::Shape));
    assert_eq!(verdict(&[0, 1], 0x51, &redeem), Err(InputFault::Shape));
    let other = multisig(1, &publics).unwrap();
    assert_eq!(verdict(&[0, 1], 0, &other), Err(InputFault::WrongHash));
}

#[test]
fn starts_and_confirms_are_signed_as_the_daemon_checks_them() {
    let (owner, machine, benchmark) = (key(1), key(2), key(3));
    let collateral = OutPoint::new(Hash256::from_wire([7; 32]), 3);
    for (kind, version) in [
        (
            StartKind::Plain {
                collateral_key: owner.public_key(),
            },
            5,
        ),
        (
            StartKind::Normal {
                collateral_key: owner.public_key(),
            },
            6,
        ),
        (
            StartKind::P2sh {
                redeem_script: multisig(1, &[owner.public_key()]).unwrap(),
            },
            6,
        ),
    ] {
        let builder = StartBuilder {
            kind,
            collateral,
            node_key: machine.public_key(),
            sig_time: 1_790_000_000,
            delegation: Some(Delegation::Signing),
        };
        let built = builder.sign(&owner);
        let transaction = Transaction::parse(&built.bytes).unwrap();
        assert_eq!(transaction.version(), version);
        assert_eq!(transaction.txid(), built.txid);
        assert_ne!(transaction.full_hash(), built.txid);
        let Some(Fluxnode::Start(start)) = transaction.as_fluxnode() else {
            panic!("a start");
        };
        // Version 5 has no room for delegates.
        assert_eq!(start.delegates.is_some(), version == 6);
        let text = start_text(&built.txid);
        let signature = start.signature();
        assert!(verify(
            &owner.public_key(),
            signature,
            Magic::FLUX,
            text.as_bytes()
        ));
    }
    let confirm = ConfirmBuilder {
        collateral,
        kind: UpdateKind::Update,
        sig_time: 1,
        benchmark_tier: Tier::Nimbus,
        benchmark_sig_time: 2,
        ip: "[2001:db8::1]:16127".to_owned(),
    };
    for built in [
        confirm.sign(&machine, &benchmark),
        confirm.sign_upgraded(&machine, &benchmark),
    ] {
        let transaction = Transaction::parse(&built.bytes).unwrap();
        let Some(Fluxnode::Confirm(confirm)) = transaction.as_fluxnode() else {
            panic!("a confirm");
        };
        let text = confirm_text(confirm);
        assert!(verify(
            &machine.public_key(),
            confirm.signature,
            Magic::FLUX,
            text.as_bytes()
        ));
        let text = benchmark_text(confirm);
        let signature = confirm.benchmark_signature;
        assert!(verify(
            &benchmark.public_key(),
            signature,
            Magic::FLUX,
            &text
        ));
    }
}

#[test]
fn coinbases_of_the_daemon_come_out_byte_for_byte() {
    let mut same = 0;
    for (height, raw) in (0_u32..).zip(BLOCKS.iter()).skip(11).take(200) {
        let block = Block::parse(raw).unwrap();
        let theirs = &block.transactions[0];
        let fees = theirs.outputs()[0].value.get()
            - fluxplane_flux_chain::subsidy::block_subsidy(&PARAMS, height).get();
        let outputs = coinbase_outputs(&PARAMS, height, &[], Sat::new(fees));
        let ours = coinbase_transaction(&PARAMS, height, &outputs);
        assert_eq!(
            hex::encode(&ours.bytes),
            hex::encode(theirs.raw()),
            "height {height}"
        );
        same += 1;
    }
    assert_eq!(same, 200);
}

#[test]
fn a_sealed_block_has_its_root_and_its_signature() {
    let params = ChainParams::regtest_nodes();
    let producer = key(5);
    let coinbase = coinbase_transaction(
        &params,
        300,
        &coinbase_outputs(&params, 300, &[], Sat::ZERO),
    );
    let start = StartBuilder {
        kind: StartKind::Plain {
            collateral_key: key(1).public_key(),
        },
        collateral: OutPoint::new(Hash256::from_wire([9; 32]), 0),
        node_key: producer.public_key(),
        sig_time: 1,
        delegation: None,
    }
    .sign(&key(1));
    let mut draft = BlockDraft {
        previous: Hash256::from_wire([1; 32]),
        final_sapling_root: Hash256::from_wire([2; 32]),
        time: 1_790_000_000,
        bits: 0x207f_ffff,
        producer: OutPoint::new(Hash256::from_wire([9; 32]), 0),
        transactions: vec![coinbase.bytes, start.bytes],
    };
    let raw = draft.seal(&producer).unwrap();
    let block = Block::parse(&raw).unwrap();
    assert_eq!(block.header.hash(), draft.hash().unwrap());
    assert_eq!(merkle_root(&block.txids()).root, block.header.merkle_root);
    assert!(verify_signature(&block.header, &producer.public_key()));
    assert!(!verify_signature(&block.header, &key(6).public_key()));
    assert_eq!(block.claimed_height(), Some(300));
    draft.transactions.push(vec![1, 2, 3]);
    let error = draft.seal(&producer).unwrap_err();
    assert_eq!(error.field, "tx[2].version");
}

proptest! {
    #[test]
    fn whatever_is_built_balances(
        values in proptest::collection::vec(1_000_i64..1_000_000_000, 1..20),
        pays in proptest::collection::vec(54_i64..100_000_000, 0..5),
        rate in 100_u32..5_000,
        change: bool,
    ) {
        let owner = key(1);
        let mut builder = PaymentBuilder::new().fee_rate(FeeRate(rate));
        for (number, value) in (0..).zip(&values) {
            builder = builder.spend(coin(&owner, number, *value));
        }
        for (number, value) in (50..).zip(&pays) {
            builder = builder.pay(&address(number), Sat::new(*value));
        }
        if change {
            builder = builder.change_to(address(1));
        }
        match builder.build() {
            Ok(unsigned) => {
                let built = unsigned.sign(&[owner], FLUX_BRANCH_ID).unwrap();
                let transaction = Transaction::parse(&built.bytes).unwrap();
                let out: i64 = transaction.outputs().iter().map(|output| output.value.get()).sum();
                prop_assert_eq!(values.iter().sum::<i64>() - out, unsigned.fee.get());
                prop_assert!(unsigned.fee >= FeeRate(rate).fee(transaction.size()));
                prop_assert!(transaction.outputs().iter().all(|output| output.value >= Sat::new(54)));
            }
            Err(BuildError::Insufficient { available, needed }) => prop_assert!(available < needed),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}
