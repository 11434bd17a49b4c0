//! One id type per kind of thing, so that an instance id cannot be passed as a node id.

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            pub const fn new(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// An application of a customer.
    AppId,
    /// One immutable version of an application's specification.
    RevisionId,
    /// One copy of an application, wherever it runs.
    InstanceId,
    /// A machine of an operator.
    NodeId,
    /// A firm price offer.
    QuoteId,
    /// A customer's bill for one settlement epoch.
    InvoiceId,
    /// A ledger account.
    AccountId,
    /// A movement between ledger accounts.
    TransferId,
    /// A one-time permission to join a node.
    JoinTokenId,
    /// A signed-in period of a wallet.
    SessionId,
}

/// The running number of a settlement epoch, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct EpochNumber(pub u64);

impl std::fmt::Display for EpochNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
