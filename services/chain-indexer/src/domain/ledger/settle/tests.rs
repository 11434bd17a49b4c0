use fluxplane_flux_chain::ScriptBuf;

use super::*;

fn id(n: u8) -> Hash256 {
    Hash256::from_wire([n; 32])
}

fn out(txid: u8, position: u32, vout: u32, value: i64, owner: u8) -> NewOutput {
    NewOutput {
        outpoint: OutPoint::new(id(txid), vout),
        position,
        value,
        script: ScriptBuf::new(vec![owner]),
    }
}

fn spend(previous: (u8, u32), txid: u8, position: u32, vin: u32) -> Spend {
    Spend {
        previous: OutPoint::new(id(previous.0), previous.1),
        txid: id(txid),
        position,
        vin,
    }
}

/// Block 1 pays owner 7 by its coinbase; block 2 moves that to owner 8 with a fee of 5 and 10 into the shielded pool.
fn two_blocks() -> [BlockFlows; 2] {
    let first = BlockFlows {
        outputs: vec![out(1, 0, 0, 100, 7), out(1, 0, 1, 50, 9)],
        coinbase: 150,
        ..BlockFlows::default()
    };
    let second = BlockFlows {
        spends: vec![spend((1, 0), 3, 1, 0)],
        outputs: vec![
            out(2, 0, 0, 20, 9),
            out(3, 1, 0, 60, 8),
            out(3, 1, 1, 25, 7),
        ],
        coinbase: 20,
        shielded: 10,
    };
    [first, second]
}

fn unsettled(blocks: &[BlockFlows]) -> Vec<Unsettled<'_>> {
    (1..)
        .zip(blocks)
        .map(|(height, flows)| Unsettled { height, flows })
        .collect()
}

#[test]
fn what_is_made_and_spent_within_a_batch_is_one_row() {
    let blocks = two_blocks();
    let blocks = unsettled(&blocks);
    assert!(foreign(&blocks).is_empty());
    let known = Known::default();
    let rows = settle(&blocks, &known).unwrap();
    assert!(rows.spent.is_empty());
    let spent = rows.outputs[0].spent.unwrap();
    assert_eq!((spent.at.height, spent.at.position, spent.vin), (2, 1, 0));
    assert_eq!(
        rows.outputs
            .iter()
            .filter(|row| row.spent.is_none())
            .count(),
        4
    );
    // Numbers follow the order of the chain.
    let owners: Vec<_> = rows.accounts.iter().map(|(id, s)| (*id, s[0])).collect();
    assert_eq!(owners, [(1, 7), (2, 9), (3, 8)]);
}

#[test]
fn change_nets_in_one_entry_and_balances_are_the_sum_of_entries() {
    let blocks = two_blocks();
    let blocks = unsettled(&blocks);
    let known = Known::default();
    let rows = settle(&blocks, &known).unwrap();
    let change = rows
        .entries
        .iter()
        .find(|entry| entry.account == 1 && entry.at.height == 2)
        .unwrap();
    assert_eq!((change.received, change.sent), (25, 100));
    let seven = rows.balances[&1];
    assert_eq!(
        (seven.received, seven.sent, seven.transactions),
        (125, 100, 2)
    );
    assert_eq!((seven.first_height, seven.last_height), (1, 2));
}

#[test]
fn supply_counts_what_exists_and_fees_what_is_missing() {
    let blocks = two_blocks();
    let blocks = unsettled(&blocks);
    let known = Known::default();
    let rows = settle(&blocks, &known).unwrap();
    let [first, second] = rows.supplies.as_slice() else {
        panic!("two blocks")
    };
    assert_eq!((first.fees, first.after.transparent), (0, 150));
    assert_eq!(second.fees, 5);
    assert_eq!((second.after.transparent, second.after.shielded), (155, 10));
    // Coinbases less fees.
    assert_eq!(155 + 10, 150 + 20 - 5);
}

#[test]
fn one_batch_and_two_give_the_same_rows() {
    let flows = two_blocks();
    let blocks = unsettled(&flows);
    let known = Known::default();
    let whole = settle(&blocks, &known).unwrap();
    let first = settle(&blocks[..1], &known).unwrap();
    let made = first.outputs[0];
    let known = Known {
        outputs: HashMap::from([(
            OutPoint::new(id(1), 0),
            MadeOutput {
                at: made.at,
                vout: 0,
                account: made.account,
                value: made.value,
                spent: false,
            },
        )]),
        accounts: first
            .accounts
            .iter()
            .map(|(id, script)| (script.to_vec(), *id))
            .collect(),
        last_account: 2,
        supply: first.supplies[0].after,
    };
    let second = settle(&blocks[1..], &known).unwrap();
    assert_eq!(foreign(&blocks[1..]), [OutPoint::new(id(1), 0)]);
    assert_eq!(second.accounts, &whole.accounts[2..]);
    assert_eq!(second.outputs, &whole.outputs[2..]);
    assert_eq!(second.entries, &whole.entries[2..]);
    assert_eq!(second.supplies, &whole.supplies[1..]);
    assert_eq!(second.spent[0].by, whole.outputs[0].spent.unwrap());
}

#[test]
fn what_nobody_made_and_what_is_spent_twice_is_refused() {
    let known = Known::default();
    let lost = [BlockFlows {
        spends: vec![spend((9, 0), 3, 1, 0)],
        ..BlockFlows::default()
    }];
    let error = settle(&unsettled(&lost), &known).unwrap_err();
    assert!(matches!(error, Contradiction::Unmade { height: 1, .. }));
    let mut twice = two_blocks();
    twice[1].spends.push(spend((1, 0), 4, 2, 0));
    let error = settle(&unsettled(&twice), &known).unwrap_err();
    assert!(matches!(error, Contradiction::Spent { height: 2, .. }));
    // Before it is made.
    let early = [BlockFlows {
        spends: vec![spend((5, 0), 4, 1, 0)],
        outputs: vec![out(5, 2, 0, 1, 1)],
        ..BlockFlows::default()
    }];
    let error = settle(&unsettled(&early), &known).unwrap_err();
    assert!(matches!(error, Contradiction::Unmade { .. }), "{error}");
}
