//! Where instances may run.

use super::{Field, Kind, Shape, list};
use crate::native::{
    form::{AREA, NODE, OWNER},
    quantity::Unit,
};

pub(in crate::native) static PLACEMENT: Shape = Shape {
    name: "Placement",
    about: "Where instances may run.",
    fields: &[
        Field::default(
            "allow",
            list(&Kind::Text(&AREA), 64),
            "[]",
            "Areas; with none, everywhere.",
        ),
        Field::default(
            "forbid",
            list(&Kind::Text(&AREA), 64),
            "[]",
            "Areas; these win over allowed ones.",
        ),
        Field::default(
            "spread",
            list(
                &Kind::Choice(&[
                    ("operator", "who runs the node"),
                    ("network", "the /16 of its address"),
                    ("region", "region of the country"),
                    ("country", "country"),
                    ("continent", "continent"),
                    ("tier", "Cumulus, Nimbus or Stratus"),
                ]),
                6,
            ),
            r#"["operator","network","country","tier"]"#,
            "What instances should not share, most important first.",
        ),
        Field::default(
            "tiers",
            list(
                &Kind::Choice(&[("cumulus", ""), ("nimbus", ""), ("stratus", "")]),
                3,
            ),
            "[]",
            "Tiers of nodes; with none, all.",
        ),
        Field::default(
            "operators",
            Kind::Object(&OPERATORS),
            "{}",
            "Operators of nodes.",
        ),
        Field::default(
            "nodes",
            list(&Kind::Text(&NODE), 120),
            "[]",
            "Nodes the application is pinned to: address, address:port, or txid:index of the collateral.",
        ),
        Field::default(
            "staticIp",
            Kind::Flag,
            "false",
            "Only nodes with a static address.",
        ),
        Field::default(
            "dataCenter",
            Kind::Flag,
            "false",
            "Only nodes in data centres.",
        ),
        Field::optional(
            "maxPrice",
            Kind::Quantity {
                unit: Unit::Money,
                min: 1,
                max: 1_000_000_000_000,
            },
            "Highest price per instance and 30 days; nodes that cost more are left out.",
        ),
    ],
    one_of: &[],
};

static OPERATORS: Shape = Shape {
    name: "Operators",
    about: "Operators of nodes, by their wallet.",
    fields: &[
        Field::default(
            "allow",
            list(&Kind::Text(&OWNER), 64),
            "[]",
            "Only these; with none, all.",
        ),
        Field::default(
            "forbid",
            list(&Kind::Text(&OWNER), 64),
            "[]",
            "None of these.",
        ),
    ],
    one_of: &[],
};
