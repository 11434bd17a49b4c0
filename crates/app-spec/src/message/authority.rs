//! Who may sign what (`verifyAppMessageSignature` and `verifyAppMessageUpdateSignature` of `messageVerifier.js`).

use super::{
    AppMessage,
    signature::{Scheme, verifies},
};
use crate::{
    json::Value,
    legacy::{SUPPORT_ADDRESS_HEIGHT, only_expire_differs},
};

/// From this time on, in milliseconds, registrations may be signed the Ethereum way.
const ETHEREUM_FROM: u64 = 1_688_947_200_000;

/// The address of the support team (`teamSupportAddress`).
const SUPPORT_TEAM: &str = "16iJqiVbHptCx87q6XQwNpKdgEZnFtKcyP";

/// Addresses that may prolong any application (`usersToExtend`).
pub const EXTENDERS: [&str; 1] = ["1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd"];

/// Who signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signer {
    Owner,
    /// The support team, for applications of the marketplace.
    SupportTeam,
    /// An address that may prolong applications.
    Extender,
}

/// A message whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub signer: Signer,
    /// The text that was really signed; in a historic key order it differs from today's.
    pub text: String,
}

/// Why a message is refused. The texts are FluxOS'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("Invalid Flux App message specifications")]
    Malformed,
    #[error("Received signature is invalid or Flux App specifications are not properly formatted")]
    BadRegistration,
    #[error(
        "Received signature does not correspond with Flux App owner or Flux App specifications are not properly formatted"
    )]
    BadUpdate,
}

/// What the verification of an update depends on.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// The owner before the update.
    pub owner: &'a str,
    /// The specification before the update, if known; without it nobody can prolong on the owner's behalf.
    pub previous: Option<&'a Value>,
    /// Height of the chain.
    pub height: u64,
    pub sealed_extension: SealedExtension,
}

/// What a node does that cannot look into an encrypted update signed by an extender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedExtension {
    /// Accept, as FluxOS does on nodes without `ArcaneOS`.
    AcceptBlindly,
    /// Refuse: the change might be more than the term.
    Refuse,
}

impl AppMessage {
    /// Verifies a registration: the owner named in the specification must have signed it.
    ///
    /// # Errors
    /// With FluxOS' text.
    pub fn verify_registration(&self) -> Result<Verified, MessageError> {
        let spec = self.spec.as_object().ok_or(MessageError::Malformed)?;
        let owner = spec.get("owner").and_then(Value::as_str);
        let owner = owner.ok_or(MessageError::BadRegistration)?;
        let scheme = if self.timestamp > ETHEREUM_FROM {
            Scheme::ByOwner
        } else {
            Scheme::BitcoinOnly
        };
        let is_v7 = spec.get("version").and_then(Value::as_number) == Some(7.0);
        // v7 came after the Ethereum scheme, so its fallback has no gate.
        let historic_scheme = if is_v7 { Scheme::ByOwner } else { scheme };
        let today = (Some(self.signed_text()), scheme);
        let historic = (self.historic_text(), historic_scheme);
        [today, historic]
            .into_iter()
            .filter_map(|(text, scheme)| Some((text?, scheme)))
            .find(|(text, scheme)| verifies(text, owner, &self.signature, *scheme))
            .map(|(text, _)| Verified {
                signer: Signer::Owner,
                text,
            })
            .ok_or(MessageError::BadRegistration)
    }

    /// Verifies an update: the former owner, the support team or an extender must have signed it.
    ///
    /// # Errors
    /// With FluxOS' text.
    pub fn verify_update(&self, authority: &Authority<'_>) -> Result<Verified, MessageError> {
        let spec = self.spec.as_object().ok_or(MessageError::Malformed)?;
        let name = spec.get("name").and_then(Value::as_str);
        let name = name.ok_or(MessageError::Malformed)?;
        let signs =
            |address: &str, text: &str| verifies(text, address, &self.signature, Scheme::ByOwner);
        let team = support_team_at(authority.height).filter(|_| is_marketplace_name(name));
        for text in [Some(self.signed_text()), self.historic_text()] {
            let Some(text) = text else { continue };
            if signs(authority.owner, &text) {
                let signer = Signer::Owner;
                return Ok(Verified { signer, text });
            }
            if team.is_some_and(|team| signs(team, &text)) {
                let signer = Signer::SupportTeam;
                return Ok(Verified { signer, text });
            }
        }
        let text = self.signed_text();
        let by_extender = EXTENDERS.iter().any(|address| signs(address, &text));
        if by_extender && self.is_extension(authority) {
            let signer = Signer::Extender;
            return Ok(Verified { signer, text });
        }
        Err(MessageError::BadUpdate)
    }

    /// Whether the update changes the term only, as far as can be seen.
    fn is_extension(&self, authority: &Authority<'_>) -> bool {
        const FIRST_SEALED_VERSION: f64 = 8.0;
        let Some(previous) = authority.previous else {
            return false;
        };
        let field = |name| self.spec.as_object().and_then(|spec| spec.get(name));
        let is_sealed = field("version")
            .and_then(Value::as_number)
            .is_some_and(|version| version >= FIRST_SEALED_VERSION)
            && field("enterprise").is_some_and(Value::is_truthy);
        match authority.sealed_extension {
            SealedExtension::AcceptBlindly if is_sealed => true,
            SealedExtension::Refuse if is_sealed => false,
            SealedExtension::AcceptBlindly | SealedExtension::Refuse => {
                only_expire_differs(previous, &self.spec)
            }
        }
    }
}

/// The address of the support team in force at a height.
pub fn support_team_at(height: u64) -> Option<&'static str> {
    (height >= SUPPORT_ADDRESS_HEIGHT).then_some(SUPPORT_TEAM)
}

/// Whether a name is one that the marketplace gives: it contains a number later than 2020-01-01 in milliseconds.
pub fn is_marketplace_name(name: &str) -> bool {
    /// `Date.parse('2020-01-01')`.
    const RELEASE: f64 = 1_577_836_800_000.0;
    name.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.parse::<f64>().is_ok_and(|number| number > RELEASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marketplace_names_carry_a_time_stamp() {
        assert!(is_marketplace_name("StreamrNode1693128754201"));
        assert!(is_marketplace_name("a1x99999999999999999999"));
        assert!(!is_marketplace_name("StreamrNode1577836800000"));
        assert!(!is_marketplace_name("Streamr2023"));
        assert!(!is_marketplace_name(""));
    }

    #[test]
    fn the_support_team_counts_from_its_height() {
        assert_eq!(support_team_at(1_851_658), None);
        assert_eq!(support_team_at(1_851_659), Some(SUPPORT_TEAM));
    }
}
