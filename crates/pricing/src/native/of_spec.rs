//! From a native specification to what is priced.

use fluxplane_app_spec::{
    legacy::priced,
    native::{BillingMode, Component, Gpu, Job, NativeSpec, Tier as SpecTier},
};
use fluxplane_core::{Tier, error::Violation};

use super::{
    order::{Gpus, Order, Part, Plan},
    table::Rates,
};

/// Seconds that are paid in advance when a specification names no term: 30 days, as `placement.maxPrice` counts.
pub const MONTH: u64 = 30 * 86_400;

/// The fewest and the most copies of a specification that run at once.
pub fn copies(spec: &NativeSpec) -> (u32, u32) {
    let fixed = |copies| (copies, copies);
    match (spec.instances, &spec.autoscale, &spec.job) {
        (Some(copies), _, _) => fixed(copies),
        (None, Some(range), _) => (range.min, range.max),
        (
            None,
            None,
            Some(Job {
                gang: Some(gang), ..
            }),
        ) => fixed(gang.workers),
        (
            None,
            None,
            Some(Job {
                batch: Some(batch), ..
            }),
        ) => fixed(batch.parallelism),
        (None, None, Some(_) | None) => fixed(1),
    }
}

/// What so many copies of a specification are, for as long as it says, or for [`MONTH`].
///
/// # Errors
/// With the component that asks for a card that the table does not sell. Fields are paths in the specification.
pub fn order(spec: &NativeSpec, instances: u32, rates: &Rates) -> Result<Order, Violation> {
    let parts = spec
        .components
        .iter()
        .map(|(name, component)| part(name, component, rates));
    let billing = &spec.billing;
    Ok(Order {
        instances,
        tier: spec.placement.tiers.iter().min().map(|tier| match tier {
            SpecTier::Cumulus => Tier::Cumulus,
            SpecTier::Nimbus => Tier::Nimbus,
            SpecTier::Stratus => Tier::Stratus,
        }),
        parts: parts.collect::<Result<_, _>>()?,
        static_ip: spec.placement.static_ip,
        seconds: billing.term.unwrap_or(MONTH),
        plan: match billing.mode {
            BillingMode::PayAsYouGo => Plan::PayAsYouGo,
            BillingMode::Term => Plan::Term,
        },
        egress_gib: 0,
    })
}

fn part(name: &str, component: &Component, rates: &Rates) -> Result<Part, Violation> {
    let hosts = component.ports.values().filter_map(|port| port.host);
    let priced_ports = hosts.filter(|port| priced(f64::from(*port))).count();
    let gpus = component.gpu.as_ref();
    Ok(Part {
        name: name.to_owned(),
        resources: component.resources(),
        gpus: gpus
            .map(|gpu| dearest(name, gpu, rates))
            .transpose()?
            .into_iter()
            .collect(),
        priced_ports: u32::try_from(priced_ports).unwrap_or(u32::MAX),
    })
}

/// The dearest class among the cards that fit: whichever is given costs at most that.
fn dearest(component: &str, gpu: &Gpu, rates: &Rates) -> Result<Gpus, Violation> {
    let class = rates.dearest_gpu(&gpu.models, gpu.memory.unwrap_or_default());
    let class = class.ok_or_else(|| {
        let known = rates.gpus.keys().map(String::as_str).collect::<Vec<_>>();
        Violation::new(
            format!("components.{component}.gpu"),
            gpu.models.join(", "),
            "the price table has no class that fits",
            format!("choose among {}", known.join(", ")),
        )
    })?;
    Ok(Gpus {
        class: class.to_owned(),
        count: gpu.count,
    })
}
