//! Machines of operators: made up, but shaped like the Flux network. One provider holds 44 % of the addresses, 21 % are
//! residential, up to eight machines share an address, few operators run many machines, and most are Cumulus.

use std::net::IpAddr;

use chrono::TimeDelta;
use fluxplane_core::node::NodeState;
use fluxplane_core::{Place, Resources, Tier};
use fluxplane_scheduler::domain::Node;

use crate::{
    machine::Machine,
    random::Random,
    scenario::{HEARTBEAT, Scenario},
};

/// Where machines stand.
const PLACES: [[&str; 3]; 14] = [
    ["EU", "DE", "Bavaria"],
    ["EU", "DE", "Saxony"],
    ["EU", "FI", "Uusimaa"],
    ["EU", "FR", "Hauts-de-France"],
    ["EU", "PL", "Mazovia"],
    ["EU", "GB", "England"],
    ["NA", "US", "Virginia"],
    ["NA", "US", "Oregon"],
    ["NA", "US", "Ohio"],
    ["NA", "CA", "Quebec"],
    ["AS", "SG", "Singapore"],
    ["AS", "JP", "Tokyo"],
    ["OC", "AU", "New South Wales"],
    ["SA", "BR", "Sao Paulo"],
];

/// A provider's or a household's network.
#[derive(Debug, Clone, Copy)]
struct Network {
    prefix: [u8; 2],
    place: usize,
    residential: bool,
}

/// The machines of one history, and those that join later.
#[derive(Debug)]
pub(crate) struct Fleet {
    random: Random,
    capacity_percent: u64,
    networks: Vec<(u64, Network)>,
    /// Weights fall with the rank: the first operator has the most machines.
    operators: Vec<(u64, u64)>,
    addresses: Vec<Address>,
    made: u64,
}

/// An address and the machines behind it.
#[derive(Debug, Clone)]
struct Address {
    ip: IpAddr,
    operator: u64,
    network: Network,
    machines: u64,
}

/// Machines behind one address, at most (FluxOS: eight by `UPnP`).
const PER_ADDRESS: u64 = 8;

impl Fleet {
    pub(crate) fn new(mut random: Random, scenario: &Scenario) -> Self {
        let networks = networks(&mut random, scenario.nodes);
        let operators = (scenario.nodes / 6).max(4);
        Self {
            random,
            capacity_percent: scenario.capacity_percent,
            networks,
            operators: (0..operators)
                .map(|rank| (100_000 / (rank + 4), rank))
                .collect(),
            addresses: Vec::new(),
            made: 0,
        }
    }

    /// A machine that has joined and is about to beat.
    pub(crate) fn machine(&mut self) -> Machine {
        let (address, static_ip) = self.address();
        let tier = self.random.weighted(
            (70, Tier::Cumulus),
            &[(22, Tier::Nimbus), (8, Tier::Stratus)],
        );
        let capacity = self.capacity(tier);
        self.made += 1;
        let node = Node {
            id: self.random.uuid().into(),
            operator: format!("operator-{}", address.operator),
            outpoint: format!("{:064x}:0", self.made),
            tier,
            state: NodeState::Joined,
            capacity,
            place: place(address.network.place),
            ip: address.ip,
            static_ip,
            version: 1,
        };
        let beat = self.random.span(TimeDelta::zero(), HEARTBEAT);
        Machine::new(node, beat)
    }

    /// What a benchmark finds this time: the least machine of the tier (FluxOS `hwRequirements.js`) or up to half more.
    pub(crate) fn capacity(&mut self, tier: Tier) -> Resources {
        let least = match tier {
            Tier::Cumulus => [3_000, 5_000, 129],
            Tier::Nimbus => [7_000, 28_000, 338],
            Tier::Stratus => [15_000, 59_000, 756],
        };
        let percent = self.capacity_percent;
        let [cpu_milli, ram_mib, disk_gib] =
            least.map(|least| least * percent / 100 * self.random.between(100, 150) / 100);
        Resources {
            cpu_milli,
            ram_mib,
            disk_gib,
        }
    }

    /// An address of some operator, a new one more often than not.
    fn address(&mut self) -> (Address, bool) {
        let known = self.random.pick(&self.addresses).cloned();
        if let Some(known) = known.filter(|known| known.machines < PER_ADDRESS)
            && self.random.chance(350)
        {
            let shared = self.addresses.iter_mut().find(|other| other.ip == known.ip);
            if let Some(shared) = shared {
                shared.machines += 1;
            }
            return (known, false);
        }
        let network = draw(&mut self.random, &self.networks);
        let [a, b] = network.prefix;
        let taken = self
            .addresses
            .iter()
            .filter(|other| other.network.prefix == network.prefix)
            .count();
        let [c, d] = u16::try_from(taken)
            .expect("fewer machines than addresses of a network")
            .to_be_bytes();
        let address = Address {
            ip: [a, b, c, d].into(),
            operator: draw(&mut self.random, &self.operators),
            network,
            machines: 1,
        };
        self.addresses.push(address.clone());
        let keeps = if network.residential { 100 } else { 950 };
        (address, self.random.chance(keeps))
    }
}

/// Weighted networks: six of one large provider, those of smaller ones, and those of households.
fn networks(random: &mut Random, nodes: u64) -> Vec<(u64, Network)> {
    let mut networks = Vec::new();
    let mut add = |weight, place, residential| {
        let number = u16::try_from(networks.len()).expect("a few hundred");
        let [high, low] = number.to_be_bytes();
        let prefix = [10 + high, low];
        let network = Network {
            prefix,
            place,
            residential,
        };
        networks.push((weight, network));
    };
    for number in 0..6 {
        add(440 / 6, [0, 1, 2][number % 3], false);
    }
    let anywhere = |random: &mut Random| {
        let place = random.below(u64::try_from(PLACES.len()).unwrap_or(0));
        usize::try_from(place).expect("the number of a place")
    };
    for _ in 0..14 {
        let place = anywhere(random);
        add(350 / 14, place, false);
    }
    let households = (nodes / 12).clamp(8, 120);
    for _ in 0..households {
        let place = anywhere(random);
        add((210 / households).max(1), place, true);
    }
    networks
}

fn draw<T: Copy>(random: &mut Random, items: &[(u64, T)]) -> T {
    let (first, others) = items
        .split_first()
        .expect("there are networks and operators");
    random.weighted(*first, others)
}

pub(crate) fn place(number: usize) -> Place {
    let [continent, country, region] = PLACES[number % PLACES.len()].map(str::to_owned);
    Place {
        continent,
        country,
        region,
    }
}
