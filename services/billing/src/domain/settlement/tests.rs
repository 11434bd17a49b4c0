use fluxplane_core::id::RevisionId;
use fluxplane_ledger::{
    Account, Group,
    book::Book,
    interval::Interval,
    settlement::{Leaf, Receipt, Tree, commitment::Commitment, commitment::Role, tree::leaf_hash},
    share::ShareTable,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{price_list::PriceList, sets, term::Purchase};

const OPENS: u64 = 1_800_000_000;
const ENDS: u64 = OPENS + 3_600;

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn set(parts: &[(u64, u64)]) -> IntervalSet {
    let interval = |(from, to): &(u64, u64)| Interval::new(OPENS + from, OPENS + to).unwrap();
    IntervalSet::from(parts.iter().map(interval).collect::<Vec<_>>())
}

fn term(app: u128, total: i64, seconds: u64, instances: u32) -> Term {
    Term::new(Purchase {
        revision: id::<RevisionId>(app + 1_000),
        app: id(app),
        owner: format!("owner{}", app % 2).parse().unwrap(),
        quote: id(app + 2_000),
        list: PriceList::FluxOs { row: 1_597_156 },
        total: Sat::new(total),
        seconds,
        instances,
        starts_at: OPENS,
    })
    .unwrap()
}

fn ran(app: u128, instance: u128, node: u128, parts: &[(u64, u64)]) -> Evidence {
    Evidence {
        app: id(app),
        instance: id(app * 100 + instance),
        node: id(node),
        assignment_epoch: 1,
        assigned_at: OPENS + u64::try_from(instance).unwrap(),
        seconds: set(parts),
    }
}

fn input(evidence: Vec<Evidence>, terms: Vec<Term>) -> Input {
    let facts = |node: u128| NodeFacts {
        operator: format!("operator{}", node % 2).parse().unwrap(),
        tier: Tier::Cumulus,
        eligible: true,
    };
    Input {
        frame: Frame {
            number: EpochNumber(1),
            previous_root: Hash32::ZERO,
            opens_at: OPENS,
            ends_at: ENDS,
        },
        evidence,
        earlier: BTreeMap::new(),
        terms,
        nodes: (1..10).map(|node| (id(node), facts(node))).collect(),
        online: (1..10).map(|node| (id(node), 3_600)).collect(),
        carried: Carried::default(),
        table: ShareTable::first(seconds_to_time(OPENS)),
    }
}

fn settled(input: Input) -> Settlement {
    let mut count = 0;
    let mut ids = 0_u128;
    settle(
        input,
        &mut Sources {
            salt: &mut || {
                count += 1;
                Salt::new([count; 32])
            },
            invoice_id: &mut || {
                ids += 1;
                id(ids)
            },
        },
    )
    .unwrap()
}

#[test]
fn a_second_is_charged_once_and_only_where_it_is_evidenced() {
    // One sat per instance-second.
    let rows = vec![
        ran(1, 1, 1, &[(0, 100), (200, 250)]),
        ran(1, 2, 2, &[(0, 3_600)]),
    ];
    let settlement = settled(input(rows, vec![term(1, 20_000, 10_000, 2)]));
    assert_eq!(settlement.charged, Sat::new(150 + 3_600));
    assert_eq!(settlement.line_count, 2);
    assert_eq!(settlement.invoices[0].total, Sat::new(3_750));
    assert_eq!(settlement.invoices[0].first_leaf, 1);
}

#[test]
fn what_an_earlier_epoch_counted_is_not_counted_again() {
    let mut input = input(
        vec![ran(1, 1, 1, &[(0, 100)])],
        vec![term(1, 20_000, 10_000, 2)],
    );
    let earlier = Earlier {
        instance: id(101),
        seconds: set(&[(10, 60)]),
    };
    input.earlier.insert(id(1), vec![earlier]);
    let settlement = settled(input);
    assert_eq!(settlement.charged, Sat::new(50));
    assert_eq!(settlement.counted, [set(&[(0, 10), (60, 100)])]);
}

#[test]
fn a_lost_copy_that_runs_on_is_free_where_its_replacement_runs() {
    let rows = vec![ran(1, 1, 1, &[(0, 100)]), ran(1, 2, 2, &[(60, 160)])];
    let settlement = settled(input(rows, vec![term(1, 10_000, 10_000, 1)]));
    // The replacement was assigned later and counts; the lost copy counts until then.
    assert_eq!(settlement.counted, [set(&[(0, 60)]), set(&[(60, 160)])]);
    assert_eq!(settlement.charged, Sat::new(160));
}

#[test]
fn an_update_in_mid_epoch_is_charged_at_both_prices() {
    let mut old = term(1, 10_000, 10_000, 1);
    assert_eq!(old.cut(OPENS + 1_000), Sat::new(9_000));
    let mut new = term(1, 20_000, 10_000, 1);
    new.revision = id(7);
    new.starts_at = OPENS + 1_000;
    new.ends_at = OPENS + 11_000;
    let settlement = settled(input(vec![ran(1, 1, 1, &[(900, 1_100)])], vec![new, old]));
    assert_eq!(settlement.line_count, 2);
    assert_eq!(settlement.charged, Sat::new(100 + 200));
    // The old term is over: what nobody evidenced returns.
    let returned: i64 = settlement
        .transfers
        .iter()
        .filter(|transfer| matches!(transfer.credit, Account::Customer(_)))
        .map(|transfer| transfer.amount.get())
        .sum();
    assert_eq!(returned, 900);
}

#[test]
fn an_ineligible_node_earns_for_hosting_only() {
    let mut input = input(
        vec![ran(1, 1, 1, &[(0, 3_600)])],
        vec![term(1, 1_000_000, 3_600, 1)],
    );
    for (node, facts) in &mut input.nodes {
        facts.eligible = *node != id(1);
    }
    let settlement = settled(input);
    let host = settlement
        .payouts
        .iter()
        .find(|payout| payout.node == id(1))
        .unwrap();
    assert_eq!(host.online, Sat::ZERO);
    // 25 % of the revenue, a fifth of it for hosting.
    assert_eq!(host.hosting, Sat::new(50_000));
    assert_eq!(host.hosted_seconds, 3_600);
}

#[test]
fn an_epoch_without_evidence_has_a_header_only() {
    let settlement = settled(input(Vec::new(), Vec::new()));
    assert_eq!((settlement.leaves.len(), settlement.anchor.count), (1, 1));
    assert!(settlement.transfers.is_empty() && settlement.payouts.is_empty());
}

#[test]
fn every_line_proves_itself_and_opens_to_its_customer() {
    let rows = (1..6).map(|app| ran(app, 1, app, &[(0, 100)])).collect();
    let terms = (1..6).map(|app| term(app, 20_000, 10_000, 2)).collect();
    let settlement = settled(input(rows, terms));
    let tree = Tree::new(settlement.leaves.iter().map(|leaf| leaf_hash(leaf))).unwrap();
    for invoice in &settlement.invoices {
        for leaf in invoice.first_leaf..invoice.first_leaf + u64::from(invoice.lines) {
            let index = u32::try_from(leaf).unwrap();
            let receipt = Receipt {
                leaf: settlement.leaves[index as usize].clone(),
                proof: tree.prove(index).unwrap(),
            };
            let Leaf::Line(line) = receipt.verify(&settlement.anchor).unwrap() else {
                panic!("not a line");
            };
            assert_eq!(line.invoice, invoice.id);
            let opened = Commitment::new(Role::Customer, &invoice.salt, &invoice.owner);
            assert_eq!(line.customer, opened);
        }
    }
    for payout in &settlement.payouts {
        let index = usize::try_from(payout.leaf).unwrap();
        let Ok(Leaf::Payout(leaf)) = Leaf::decode(&settlement.leaves[index]) else {
            panic!("not a payout");
        };
        assert_eq!(leaf.id, payout.id);
    }
}

fn evidence() -> impl Strategy<Value = Vec<Evidence>> {
    let part = (0_u64..3_500, 1_u64..100).prop_map(|(from, length)| (from, from + length));
    let row = (1_u128..4, 1_u128..4, prop::collection::vec(part, 1..4));
    prop::collection::vec(row, 1..12).prop_map(|rows| {
        let mut merged: BTreeMap<(u128, u128), IntervalSet> = BTreeMap::new();
        for (app, instance, parts) in rows {
            sets::add(merged.entry((app, instance)).or_default(), &set(&parts));
        }
        let row = |((app, instance), seconds)| Evidence {
            seconds,
            ..ran(app, instance, instance, &[(0, 1)])
        };
        merged.into_iter().map(row).collect()
    })
}

proptest! {
    /// Whatever is evidenced, in whatever order: the books balance, nothing is charged beyond what is held, and operators
    /// receive no more than was charged.
    #[test]
    fn money_is_conserved(
        rows in evidence(),
        order in any::<prop::sample::Index>(),
        totals in prop::collection::vec(0_i64..5_000_000, 3),
        instances in 1_u32..4,
    ) {
        let terms: Vec<Term> = (1..4_u32)
            .zip(&totals)
            .map(|(app, total)| term(u128::from(app), *total, 3_000, instances))
            .collect();
        let mut turned = rows.clone();
        turned.rotate_left(order.index(rows.len()));
        let settlement = settled(input(turned, terms.clone()));
        let same = settled(input(rows, terms.clone()));
        prop_assert_eq!(settlement.anchor, same.anchor);

        let at = DateTime::UNIX_EPOCH;
        let mut book = Book::new();
        for term in &terms {
            let coin = posting::Coin { txid: "aa", vout: 0, credit: u32::try_from(term.app.uuid().as_u128()).unwrap() };
            if term.price.total() > Sat::ZERO {
                let deposit = coin.deposit(term.price.total(), Account::Customer(term.owner.clone()), at);
                let prepay = posting::prepay(term.revision, term.app, &term.owner, term.price.total(), at);
                book.post(&Group::new(vec![deposit, prepay]).unwrap(), at).unwrap();
            }
        }
        if !settlement.transfers.is_empty() {
            book.post(&Group::new(settlement.transfers.clone()).unwrap(), at).unwrap();
        }
        prop_assert_eq!(book.balances().imbalance(Asset::FLUX), 0);
        for term in &settlement.terms {
            let held = book.balances().balance(Asset::FLUX, &Account::CustomerHeld(term.app));
            prop_assert_eq!(held, i128::from(term.held().get()));
        }
        prop_assert!(settlement.paid <= settlement.charged);
        // A charge is never above the exact price of its seconds.
        for term in &settlement.terms {
            let exact = i128::from(term.price.total().get()) * i128::from(term.used);
            let whole = i128::from(term.price.instance_seconds());
            prop_assert_eq!(i128::from(term.charged.get()), exact / whole);
        }
    }
}
