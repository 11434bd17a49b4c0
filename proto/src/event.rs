//! Which event travels under which subject.
//!
//! A subject is `fluxplane.<service>.v1.<aggregate>.<past-tense verb>`; one stream holds all subjects of a service.
//! `docs/EVENTS.md` lists the same subjects with producer, consumers and ordering.

use crate::{billing, chain_indexer, node_registry, scheduler, validator};

/// A message that services announce to each other.
pub trait Event: prost::Message + Default {
    /// Where it is published.
    const SUBJECT: &'static str;
}

/// A subject and the message it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub subject: &'static str,
    pub message: &'static str,
}

macro_rules! events {
    ($($message:path => $subject:literal),+ $(,)?) => {
        $(impl Event for $message { const SUBJECT: &'static str = $subject; })+

        /// Every subject of this release.
        pub const SUBJECTS: &[Subject] = &[
            $(Subject { subject: $subject, message: stringify!($message) }),+
        ];
    };
}

events! {
    chain_indexer::v1::BlockConnected => "fluxplane.chain_indexer.v1.block.connected",
    chain_indexer::v1::BlockDisconnected => "fluxplane.chain_indexer.v1.block.disconnected",
    chain_indexer::v1::PaymentChanged => "fluxplane.chain_indexer.v1.payment.changed",
    chain_indexer::v1::FluxnodeChanged => "fluxplane.chain_indexer.v1.fluxnode.changed",
    chain_indexer::v1::AnchorChanged => "fluxplane.chain_indexer.v1.anchor.changed",
    chain_indexer::v1::PriceMessageChanged => "fluxplane.chain_indexer.v1.price_message.changed",
    chain_indexer::v1::TransferSeen => "fluxplane.chain_indexer.v1.transfer.seen",
    chain_indexer::v1::TransferFinal => "fluxplane.chain_indexer.v1.transfer.finalised",
    chain_indexer::v1::TransferReorganised => "fluxplane.chain_indexer.v1.transfer.reorganised",
    node_registry::v1::NodeChanged => "fluxplane.node_registry.v1.node.changed",
    node_registry::v1::InstancesReported => "fluxplane.node_registry.v1.instances.reported",
    node_registry::v1::UsageReported => "fluxplane.node_registry.v1.usage.reported",
    scheduler::v1::RevisionSubmitted => "fluxplane.scheduler.v1.revision.submitted",
    scheduler::v1::AppEnded => "fluxplane.scheduler.v1.app.ended",
    scheduler::v1::InstanceAssigned => "fluxplane.scheduler.v1.instance.assigned",
    scheduler::v1::NodeDesiredStateChanged => "fluxplane.scheduler.v1.node_desired_state.changed",
    billing::v1::PaymentProgress => "fluxplane.billing.v1.payment.progressed",
    billing::v1::RevisionFunded => "fluxplane.billing.v1.revision.funded",
    billing::v1::RevisionRefused => "fluxplane.billing.v1.revision.refused",
    billing::v1::EpochClosed => "fluxplane.billing.v1.epoch.closed",
    validator::v1::AnchorChanged => "fluxplane.validator.v1.anchor.changed",
}
