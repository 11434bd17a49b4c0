//! Which ports are banned and which cost extra (`bannedPorts` and `enterprisePorts` of `ZelBack/config/default.js`;
//! `isPortBanned` and `isPortEnterprise` of `fluxNetworkHelper.js`), and that no port is taken twice.
//!
//! Ports are doubles here, because FluxOS compares whatever number was submitted.

use std::collections::HashSet;

use super::{
    error::{LegacyError, Stage},
    spec::{Body, LegacySpec, Ports},
};

/// Ports of the nodes themselves, of databases, remote desktops and mail.
const BANNED: [(f64, f64); 18] = [
    (16_100.0, 16_299.0),
    (26_100.0, 26_299.0),
    (30_000.0, 30_099.0),
    (8_384.0, 8_384.0),
    (27_017.0, 27_017.0),
    (22.0, 22.0),
    (23.0, 23.0),
    (25.0, 25.0),
    (3_389.0, 3_389.0),
    (5_900.0, 5_900.0),
    (5_800.0, 5_800.0),
    (161.0, 161.0),
    (512.0, 513.0),
    (5_901.0, 5_901.0),
    (3_388.0, 3_388.0),
    (4_444.0, 4_444.0),
    (123.0, 123.0),
    (53.0, 53.0),
];

/// Ports with an extra price, called enterprise ports by FluxOS.
const PRICED: [(f64, f64); 4] = [
    (0.0, 1_023.0),
    (8_080.0, 8_081.0),
    (8_443.0, 8_443.0),
    (6_667.0, 6_667.0),
];

/// Whether no application may publish this port.
pub fn banned(port: f64) -> bool {
    is_in(&BANNED, port)
}

/// Whether this port has an extra price.
pub fn priced(port: f64) -> bool {
    is_in(&PRICED, port)
}

fn is_in(ranges: &[(f64, f64)], port: f64) -> bool {
    ranges
        .iter()
        .any(|&(low, high)| (low..=high).contains(&port))
}

/// `ensureAppUniquePorts` of `ZelBack/src/services/appNetwork/portManager.js`. The texts of v2 and v3 are compared as
/// texts: `"31000"` and `"31000 "` differ.
pub(super) fn check_unique(spec: &LegacySpec) -> Result<(), LegacyError> {
    let (is_unique, scope) = match &spec.body {
        Body::Single(single) => match &single.ports {
            Ports::One { .. } => (true, ""),
            Ports::Many { ports, .. } => {
                let mut seen = HashSet::with_capacity(ports.len());
                (ports.iter().all(|port| seen.insert(port)), "")
            }
        },
        Body::Compose(components) => {
            let mut seen = HashSet::new();
            let is_unique = components
                .iter()
                .flat_map(|component| &component.ports)
                // A Set takes 0 and -0 for one; all other doubles differ by their bits.
                .all(|port| seen.insert((port + 0.0).to_bits()));
            (is_unique, " accross all composition")
        }
    };
    if is_unique {
        return Ok(());
    }
    let name = &spec.name;
    Err(LegacyError::new(
        Stage::UniquePorts,
        format!("Flux App {name} must have unique ports specified{scope}"),
    ))
}
