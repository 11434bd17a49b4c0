//! What a client needs to know before it writes a specification: prices, ports, terms, and where to pay
//! (`deploymentInfoService.js`, `registryManager.js`; values of `ZelBack/config/default.js`, v8.17).

use axum::extract::State;
use fluxplane_app_spec::{
    json::{Object, Value},
    legacy::{GATES, PON_FORK},
};
use fluxplane_core::error::Reason;
use fluxplane_pricing::legacy::float::{PriceTable, Row, UsdPrices};
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use serde_json::value::RawValue;

use crate::rest::{
    Gateway,
    fluxos::envelope::{Data, Refused, js},
};

/// The newest version of a specification (`latestAppSpecification`).
const LATEST_VERSION: u8 = 8;

/// `portMin` and `portMax`.
const PORTS: (f64, f64) = (1.0, 65_535.0);

/// `enterprisePorts`: ports with a price of their own.
const ENTERPRISE_PORTS: [Ports; 5] = [
    Ports::Range("0-1023"),
    Ports::One(8_080.0),
    Ports::One(8_081.0),
    Ports::One(8_443.0),
    Ports::One(6_667.0),
];

/// `bannedPorts`
const BANNED_PORTS: [Ports; 19] = [
    Ports::Range("16100-16299"),
    Ports::Range("26100-26299"),
    Ports::Range("30000-30099"),
    Ports::One(8_384.0),
    Ports::One(27_017.0),
    Ports::One(22.0),
    Ports::One(23.0),
    Ports::One(25.0),
    Ports::One(3_389.0),
    Ports::One(5_900.0),
    Ports::One(5_800.0),
    Ports::One(161.0),
    Ports::One(512.0),
    Ports::One(513.0),
    Ports::One(5_901.0),
    Ports::One(3_388.0),
    Ports::One(4_444.0),
    Ports::One(123.0),
    Ports::One(53.0),
];

/// Numbers that answers carry as they are in the configuration. The longest term is that of the chain since its fork.
const NUMBERS: [(&str, f64); 7] = [
    ("maxImageSize", 5_000_000_000.0),
    ("minimumInstances", 3.0),
    ("maximumInstances", 100.0),
    ("blocksLasting", 22_000.0),
    ("minBlocksAllowance", 5_000.0),
    ("maxBlocksAllowance", 1_056_000.0),
    ("blocksAllowanceInterval", 1_000.0),
];

/// What only the whole configuration has.
const MORE_NUMBERS: [(&str, f64); 10] = [
    ("minimumInstancesV8", 1.0),
    ("minimumInstancesV8Block", 2_176_519.0),
    ("multisigAddressChange", 1_670_000.0),
    ("epochstart", 694_000.0),
    ("publicepochstart", 705_000.0),
    ("newMinBlocksAllowance", 100.0),
    ("newMinBlocksAllowanceBlock", 1_630_040.0),
    ("cancel1BlockMinBlocksAllowance", 1.0),
    ("cancel1BlockMinBlocksAllowanceBlock", 1_964_447.0),
    ("removeBlocksAllowanceIntervalBlock", 1_625_000.0),
];

/// Names of payment addresses. Whatever a client reads, it must not pay to anybody else.
const ADDRESSES: [&str; 3] = ["address", "addressMultisig", "addressMultisigB"];

#[derive(Clone, Copy)]
enum Ports {
    Range(&'static str),
    One(f64),
}

impl From<Ports> for Value {
    fn from(ports: Ports) -> Self {
        match ports {
            Ports::Range(text) => text.into(),
            Ports::One(port) => port.into(),
        }
    }
}

/// `GET /apps/latestspecificationversion`
pub async fn latest_version() -> Data<u8> {
    Data(LATEST_VERSION)
}

/// `GET /apps/getappspecsusdprice`
pub async fn usd_price() -> Result<Data<Box<RawValue>>, Refused> {
    Ok(Data(js(&Value::Object(usd()))?))
}

/// `GET /apps/deploymentinformation`
pub async fn deployment(State(gateway): State<Gateway>) -> Result<Data<Box<RawValue>>, Refused> {
    let address = payment_address(&gateway).await?;
    let mut information = common();
    information.set("address", address);
    Ok(Data(js(&Value::Object(information))?))
}

/// `GET /apps/registrationinformation`: the configuration of applications as a whole, as far as it means something here.
pub async fn registration(State(gateway): State<Gateway>) -> Result<Data<Box<RawValue>>, Refused> {
    let address = payment_address(&gateway).await?;
    let mut information = common();
    for name in ADDRESSES {
        information.set(name, address.as_str());
    }
    for (name, number) in MORE_NUMBERS {
        information.set(name, number);
    }
    information.set("daemonPONFork", number(PON_FORK));
    information.set("usdprice", usd());
    information.set("latestAppSpecification", f64::from(LATEST_VERSION));
    Ok(Data(js(&Value::Object(information))?))
}

fn common() -> Object {
    let mut information = Object::default();
    let rows = PriceTable::mainnet();
    let rows: Vec<Value> = rows.rows().iter().map(|row| price(row).into()).collect();
    information.set("price", rows);
    information.set("appSpecsEnforcementHeights", heights());
    information.set("portMin", PORTS.0);
    information.set("portMax", PORTS.1);
    let values = |ports: &[Ports]| ports.iter().copied().map(Value::from).collect::<Vec<_>>();
    information.set("enterprisePorts", values(&ENTERPRISE_PORTS));
    information.set("bannedPorts", values(&BANNED_PORTS));
    for (name, number) in NUMBERS {
        information.set(name, number);
    }
    information
}

/// A row of a price table, with the names of the configuration.
fn price(row: &Row) -> Object {
    let mut price = Object::default();
    price.set("height", height(row.height));
    for (name, number) in [
        ("cpu", row.cpu),
        ("ram", row.ram),
        ("hdd", row.hdd),
        ("minPrice", row.min_price),
        ("port", row.port),
        ("scope", row.scope),
        ("staticip", row.static_ip),
    ] {
        price.set(name, number);
    }
    price
}

fn usd() -> Object {
    let usd = UsdPrices::default();
    let mut prices = price(&usd.row);
    prices.set("fluxmultiplier", usd.flux_multiplier);
    prices.set("multiplier", usd.multiplier);
    if let Some(least) = usd.row.min_usd {
        prices.set("minUSDPrice", least);
    }
    prices
}

/// From which height each version is taken.
fn heights() -> Object {
    let mut heights = Object::default();
    for version in 1..=LATEST_VERSION {
        let name = format!("appSpecsEnforcementHeights[{version}]");
        let gate = GATES.iter().find(|gate| gate.name == name);
        heights.set(
            version.to_string(),
            number(gate.map_or(0, |gate| gate.height)),
        );
    }
    heights
}

/// Heights are far below what a double holds exactly.
fn number(height: u64) -> f64 {
    f64::from(u32::try_from(height).unwrap_or(u32::MAX))
}

fn height(height: i64) -> f64 {
    f64::from(i32::try_from(height).unwrap_or(i32::MAX))
}

/// Where applications are paid now.
async fn payment_address(gateway: &Gateway) -> Result<String, Refused> {
    let status = gateway.peers.chain.get_status(GetStatusRequest {}).await?;
    status.payment_addresses.last().cloned().ok_or_else(|| {
        Refused::because(
            Reason::Unavailable,
            "The plane follows no payment address yet.",
        )
    })
}

#[cfg(test)]
mod tests {
    use fluxplane_app_spec::{
        json::stringify,
        legacy::{banned, priced},
    };

    use super::*;

    fn covers(ports: &[Ports], port: f64) -> bool {
        ports.iter().any(|ports| match ports {
            Ports::One(one) => (one - port).abs() < 0.5,
            Ports::Range(text) => {
                let (low, high) = text.split_once('-').unwrap();
                (low.parse().unwrap()..=high.parse().unwrap()).contains(&port)
            }
        })
    }

    #[test]
    fn the_ports_shown_are_the_ports_that_count() {
        for port in 0..=65_535_u16 {
            let port = f64::from(port);
            assert_eq!(covers(&BANNED_PORTS, port), banned(port), "{port}");
            assert_eq!(covers(&ENTERPRISE_PORTS, port), priced(port), "{port}");
        }
    }

    #[test]
    fn prices_are_written_as_in_the_configuration() {
        assert_eq!(
            stringify(&Value::Object(usd())),
            r#"{"height":-1,"cpu":0.15,"ram":0.05,"hdd":0.02,"minPrice":0.01,"port":2,"scope":4,"staticip":2,"fluxmultiplier":0.95,"multiplier":1,"minUSDPrice":0.99}"#
        );
        let text = stringify(&Value::Object(common()));
        assert!(
            text.contains(r#"{"height":1597156,"cpu":0.03,"ram":0.01,"hdd":0.004,"minPrice":0.01,"port":0.4,"scope":0.8,"staticip":0.4}"#),
            "{text}"
        );
        assert!(
            text.contains(r#""appSpecsEnforcementHeights":{"1":0,"2":0,"3":983000,"4":1004000,"5":1142000,"6":1300000,"7":1420000,"8":1932380}"#),
            "{text}"
        );
    }
}
