//! Price tables and their order.

use fluxplane_pricing::native::{
    MicroUsd, Rate, Table, Tables, TablesError,
    discount::{Bracket, Brackets},
    table::TableError,
};

fn table(version: u32, from_epoch: u64) -> Table {
    Table {
        version,
        from_epoch,
        ..Table::first()
    }
}

#[test]
fn the_first_table_is_good() {
    assert_eq!(Table::first().validate(), Ok(()));
    assert_eq!(Tables::default().at(u64::MAX), &Table::first());
}

#[test]
fn a_table_holds_from_its_epoch_until_the_next_begins() {
    let tables = Tables::new(vec![table(1, 0), table(2, 10), table(3, 11)]).unwrap();
    let versions: Vec<u32> = [0, 9, 10, 11, 99]
        .into_iter()
        .map(|epoch| tables.at(epoch).version)
        .collect();
    assert_eq!(versions, [1, 1, 2, 3, 3]);
    assert_eq!(tables.version(2).unwrap().from_epoch, 10);
    assert_eq!(tables.version(4), None);
}

#[test]
fn the_list_has_no_gap() {
    assert_eq!(Tables::new(Vec::new()), Err(TablesError::Empty));
    assert_eq!(
        Tables::new(vec![table(1, 5)]),
        Err(TablesError::LateStart(5))
    );
    assert_eq!(
        Tables::new(vec![table(1, 0), table(3, 5)]),
        Err(TablesError::Version {
            place: 1,
            version: 3
        })
    );
    assert_eq!(
        Tables::new(vec![table(1, 0), table(2, 5), table(3, 5)]),
        Err(TablesError::Epoch {
            version: 3,
            from_epoch: 5,
            before: 5
        })
    );
}

#[test]
fn prices_of_the_past_do_not_change() {
    let mut tables = Tables::default();
    assert_eq!(
        tables.announce(table(2, 7), 7),
        Err(TablesError::Past {
            version: 2,
            from_epoch: 7,
            now: 7
        })
    );
    assert_eq!(tables.announce(table(2, 8), 7), Ok(()));
    assert!(matches!(
        tables.announce(table(2, 9), 7),
        Err(TablesError::Version { .. })
    ));
    assert_eq!(tables.iter().len(), 2);
}

#[test]
fn a_table_that_makes_no_sense_is_refused_by_field() {
    let refused = |change: fn(&mut Table)| {
        let mut table = Table::first();
        change(&mut table);
        let error = table.validate().unwrap_err();
        assert_eq!(
            Tables::new(vec![table]),
            Err(TablesError::Table {
                version: 1,
                error: error.clone()
            })
        );
        error
    };
    let above = Rate::from_femto_usd(Rate::MAX.femto_usd() + 1);
    let rate = refused(|table| {
        table.rates.disk_gib = Rate::from_femto_usd(Rate::MAX.femto_usd() + 1);
    });
    assert_eq!(
        rate,
        TableError::Rate {
            field: "disk_gib".to_owned(),
            rate: above
        }
    );
    for bad in ["H100-80", "h100", "-80", "h100-", "h100-8g", "h100 -80"] {
        let mut table = Table::first();
        table.rates.gpus.insert(bad.to_owned(), Rate::default());
        assert_eq!(table.validate(), Err(TableError::GpuClass(bad.to_owned())));
    }
    let tiers = refused(|table| table.tiers.stratus = table.tiers.nimbus - 1);
    assert_eq!(
        tiers,
        TableError::Tiers {
            lower: "nimbus",
            higher: "stratus"
        }
    );
    let factor = refused(|table| table.tiers.cumulus = 0);
    assert_eq!(
        factor,
        TableError::Factor {
            tier: "cumulus",
            factor: 0
        }
    );
    let commitment = refused(|table| table.commitment = Brackets::NONE);
    assert!(matches!(
        commitment,
        TableError::Commitment {
            commitment: 0,
            term: 50_000,
            ..
        }
    ));
    let flux = refused(|table| table.flux_discount_ppm = 1_000_000);
    assert_eq!(flux, TableError::FluxDiscount(1_000_000));
}

#[test]
fn whoever_takes_any_card_pays_at_most_the_dearest() {
    let rates = Table::first().rates;
    let dearest = |models: &[&str], gib: u64| {
        let models: Vec<String> = models.iter().map(|model| (*model).to_owned()).collect();
        rates.dearest_gpu(&models, gib * 1_024).map(str::to_owned)
    };
    assert_eq!(dearest(&["A100", "H100"], 40).as_deref(), Some("h100-80"));
    assert_eq!(dearest(&["RTX-4090"], 0).as_deref(), Some("rtx-4090-24"));
    assert_eq!(dearest(&[], 24).as_deref(), Some("h100-80"));
    assert_eq!(dearest(&["t4"], 17), None);
    assert_eq!(dearest(&["abacus"], 0), None);
}

#[test]
fn tables_survive_their_text() {
    let mut second = table(2, 3);
    second.rates.egress_gib = Some(MicroUsd::new(10_000));
    let tables = Tables::new(vec![Table::first(), second]).unwrap();
    let text = serde_json::to_string(&tables).unwrap();
    assert!(text.contains("\"cpu_milli\":\"0.000151515\""), "{text}");
    assert_eq!(serde_json::from_str::<Tables>(&text).unwrap(), tables);
}

#[test]
fn a_text_is_checked_like_a_table() {
    let text = serde_json::to_string(&Tables::default()).unwrap();
    for (from, to, error) in [
        ("\"from_epoch\":0", "\"from_epoch\":1", "from epoch 0 on"),
        ("0.000151515", "-1", "`-1` is no rate"),
        (
            "\"discount_ppm\":100000",
            "\"discount_ppm\":1",
            "falls from",
        ),
        ("\"static_ip\"", "\"static_ips\"", "unknown field"),
    ] {
        let bad = text.replacen(from, to, 1);
        let refused = serde_json::from_str::<Tables>(&bad)
            .unwrap_err()
            .to_string();
        assert!(refused.contains(error), "{refused}");
    }
    let brackets = Brackets::new(vec![Bracket {
        from_seconds: 1,
        discount_ppm: 2,
    }]);
    let text = serde_json::to_string(&brackets.unwrap()).unwrap();
    assert_eq!(text, "[{\"from_seconds\":1,\"discount_ppm\":2}]");
}
