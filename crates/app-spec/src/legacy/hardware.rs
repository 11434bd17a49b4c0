//! The hardware an application may ask for (`checkHWParameters` and `checkComposeHWParameters` of `appValidator.js`).
//!
//! v1..v3 must come in steps and have minimums; from v4 on only the sums are bounded, which is one of the
//! gaps that [`crate::strict`] closes.

use super::{
    error::{LegacyError, Stage},
    spec::{Body, Component, Hardware, LegacySpec, Single, Tiers},
};

/// What one application may ask of one tier: cores in tenths, memory in MB, disk in GB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierLimits {
    /// How the error texts name the tier.
    pub tier: &'static str,
    pub cpu_tenths: f64,
    pub ram: f64,
    pub hdd: f64,
}

/// `fluxSpecifics` minus `lockedSystemResources` (10 tenths of a core, 2000 MB, 60 GB) of `default.js`, for Cumulus,
/// Nimbus and Stratus.
pub const LIMITS: [TierLimits; 3] = [
    TierLimits {
        tier: "Cumulus",
        cpu_tenths: 30.0,
        ram: 5_000.0,
        hdd: 160.0,
    },
    TierLimits {
        tier: "Nimbus",
        cpu_tenths: 70.0,
        ram: 28_000.0,
        hdd: 380.0,
    },
    TierLimits {
        tier: "Stratus",
        cpu_tenths: 150.0,
        ram: 59_000.0,
        hdd: 820.0,
    },
];

/// The limits of an application that is the same on every tier: those of Stratus.
const ANY_TIER: TierLimits = LIMITS[2];

/// The last stage.
pub(super) fn check(spec: &LegacySpec) -> Result<(), LegacyError> {
    let checked = match &spec.body {
        Body::Single(single) => check_single(single),
        Body::Compose(components) => check_sums(components),
    };
    checked.map_err(|refusal| {
        LegacyError::new(
            Stage::Hardware,
            format!("{refusal} assigned for {}", spec.name),
        )
    })
}

fn check_single(single: &Single) -> Result<(), String> {
    let check = |hardware: Hardware, limits: &TierLimits, scope: &str| {
        let Hardware { cpu, ram, hdd } = hardware;
        let tenths = cpu * 10.0;
        let bad = if tenths % 1.0 != 0.0 || tenths > limits.cpu_tenths || cpu < 0.1 {
            "CPU"
        } else if ram % 100.0 != 0.0 || ram > limits.ram || ram < 100.0 {
            "RAM"
        } else if hdd % 1.0 != 0.0 || hdd > limits.hdd || hdd < 1.0 {
            "SSD"
        } else {
            return Ok(());
        };
        Err(format!("{bad}{scope} badly"))
    };
    check(single.hardware, &ANY_TIER, "")?;
    if let Some(tiers) = &single.tiers {
        for (hardware, limits) in per_tier(tiers).into_iter().zip(&LIMITS) {
            check(hardware, limits, &format!(" for {}", limits.tier))?;
        }
    }
    Ok(())
}

fn check_sums(components: &[Component]) -> Result<(), String> {
    let is_tiered = components.iter().any(|component| component.tiers.is_some());
    if !is_tiered {
        let sum = components.iter().fold(Sum::default(), |sum, component| {
            sum.plus(component.hardware)
        });
        return sum.check(&ANY_TIER, "");
    }
    let mut sums = [Sum::default(); 3];
    for component in components {
        let own = [component.hardware; 3];
        let tiers = component.tiers.as_ref().map_or(own, per_tier);
        for (sum, tier) in sums.iter_mut().zip(tiers) {
            *sum = sum.plus(or_own(tier, component.hardware));
        }
    }
    for (sum, limits) in sums.iter().zip(&LIMITS) {
        sum.check(limits, &format!(" for {}", limits.tier))?;
    }
    Ok(())
}

const fn per_tier(tiers: &Tiers) -> [Hardware; 3] {
    [tiers.cumulus, tiers.nimbus, tiers.stratus]
}

/// `tier || own` of JavaScript, per field: zero and NaN give way.
fn or_own(tier: Hardware, own: Hardware) -> Hardware {
    let or = |tier: f64, own: f64| {
        if tier == 0.0 || tier.is_nan() {
            own
        } else {
            tier
        }
    };
    Hardware {
        cpu: or(tier.cpu, own.cpu),
        ram: or(tier.ram, own.ram),
        hdd: or(tier.hdd, own.hdd),
    }
}

/// Sums in the order and the units of FluxOS: cores are added as tenths.
#[derive(Clone, Copy, Default)]
struct Sum {
    cpu_tenths: f64,
    ram: f64,
    hdd: f64,
}

impl Sum {
    fn plus(self, hardware: Hardware) -> Self {
        Self {
            cpu_tenths: self.cpu_tenths + hardware.cpu * 10.0,
            ram: self.ram + hardware.ram,
            hdd: self.hdd + hardware.hdd,
        }
    }

    fn check(&self, limits: &TierLimits, scope: &str) -> Result<(), String> {
        let bad = if self.cpu_tenths > limits.cpu_tenths {
            "CPU"
        } else if self.ram > limits.ram {
            "RAM"
        } else if self.hdd > limits.hdd {
            "SSD"
        } else {
            return Ok(());
        };
        Err(format!("Too much {bad}{scope} resources"))
    }
}
