//! The message that registers or updates an application. What is signed is the text `type` + `version` + canonical
//! specification + `timestamp`, for a native one its hash instead of itself; so both the canonical form and the moment are fixed
//! before anybody signs.

use fluxplane_app_spec::{
    json::{self, Limits},
    legacy::{LegacyError, LegacySpec},
    message::{MessageType, check_canonical, recover_signer, signed_text},
    native::{
        MessageKind, NativeSpec, Rejected, content_hash, is_native, message_text, parse, unserved,
    },
};
use fluxplane_core::error::Violation;
use serde_json::value::RawValue;

use crate::{api::SignedSpec, wallet::Key};

pub use fluxplane_app_spec::message::MESSAGE_VERSION;

/// What a message shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    Register,
    Update,
}

impl Intent {
    const fn message_type(self) -> MessageType {
        match self {
            Self::Register => MessageType::FluxAppRegister,
            Self::Update => MessageType::FluxAppUpdate,
        }
    }

    const fn native(self) -> MessageKind {
        match self {
            Self::Register => MessageKind::Register,
            Self::Update => MessageKind::Update,
        }
    }
}

/// A specification that waits for its owner's signature.
#[derive(Debug, Clone)]
pub struct Draft {
    pub intent: Intent,
    pub name: String,
    pub owner: String,
    pub instances: Option<u32>,
    native: bool,
    canonical: Box<RawValue>,
}

/// Why a specification or a signature cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("the specification is not JSON")]
    Json(#[source] json::ParseError),
    #[error("{0}")]
    Format(LegacyError),
    /// Native, and breaks rules.
    #[error(transparent)]
    Native(Rejected),
    #[error("{0}")]
    Input(Violation),
}

impl DraftError {
    fn input(field: &str, value: &str, rule: &str, remedy: &str) -> Self {
        Self::Input(Violation::new(field, value, rule, remedy))
    }
}

impl Draft {
    /// Reads a specification, FluxOS' as JSON or a native one as YAML or JSON, and brings it into its canonical form. Whether
    /// the network and the plane take one of FluxOS is theirs to say.
    pub fn read(intent: Intent, text: &[u8]) -> Result<Self, DraftError> {
        if is_native(text) {
            return Self::of_native(intent, &parse(text).map_err(DraftError::Native)?);
        }
        let document = json::parse(text, Limits::default()).map_err(DraftError::Json)?;
        if let Some(duplicate) = document.duplicates.first() {
            let rule = "a key may be given once; readers disagree which value counts";
            return Err(DraftError::input(
                &duplicate.path,
                "given twice",
                rule,
                "remove one",
            ));
        }
        let spec = LegacySpec::from_value(document.value).map_err(DraftError::Format)?;
        Self::of(intent, &spec)
    }

    fn of_native(intent: Intent, spec: &NativeSpec) -> Result<Self, DraftError> {
        let findings = unserved(spec);
        if !findings.is_empty() {
            return Err(DraftError::Native(Rejected { findings }));
        }
        let canonical = RawValue::from_string(spec.canonical())
            .expect("the canonical form of a specification is JSON");
        Ok(Self {
            intent,
            name: spec.name.clone(),
            owner: spec.owner.clone(),
            instances: spec.instances,
            native: true,
            canonical,
        })
    }

    fn of(intent: Intent, spec: &LegacySpec) -> Result<Self, DraftError> {
        let (name, owner) = (spec.name.as_str(), spec.owner.as_str());
        let (Some(name), Some(owner)) = (name, owner) else {
            let rule = "name and owner are well-formed text";
            return Err(DraftError::input(
                "name",
                "broken text",
                rule,
                "write plain characters",
            ));
        };
        if name.is_empty() {
            let rule = "an application has a name";
            return Err(DraftError::input("name", "", rule, "add one"));
        }
        let canonical = RawValue::from_string(spec.canonical())
            .expect("the canonical form of a specification is JSON");
        Ok(Self {
            intent,
            name: name.to_owned(),
            owner: owner.to_owned(),
            instances: spec.instances.and_then(whole),
            native: false,
            canonical,
        })
    }

    /// The specification of a running application with another number of copies.
    pub fn scaled(current: &RawValue, instances: u32) -> Result<Self, DraftError> {
        if is_native(current.get().as_bytes()) {
            let spec = parse(current.get().as_bytes()).map_err(DraftError::Native)?;
            let scaled = NativeSpec {
                instances: Some(instances),
                ..spec
            };
            return Self::of_native(Intent::Update, &scaled);
        }
        let document =
            json::parse(current.get().as_bytes(), Limits::default()).map_err(DraftError::Json)?;
        let mut spec = LegacySpec::from_value(document.value).map_err(DraftError::Format)?;
        if spec.instances.is_none() {
            let version = format!("version {}", spec.version);
            let rule = "specifications before version 3 always have 5 copies";
            return Err(DraftError::input(
                "instances",
                &version,
                rule,
                "update to version 8 first",
            ));
        }
        spec.instances = Some(f64::from(instances));
        Self::of(Intent::Update, &spec)
    }

    /// The canonical specification.
    pub const fn spec(&self) -> &RawValue {
        &self.canonical
    }

    /// What the owner signs.
    pub fn text(&self, timestamp: u64) -> String {
        if self.native {
            let hash = content_hash(self.canonical.get());
            return message_text(self.intent.native(), &hash, timestamp);
        }
        let kind = self.intent.message_type();
        signed_text(kind, MESSAGE_VERSION, self.canonical.get(), timestamp)
    }

    /// Signs with the owner's key.
    pub fn sign(&self, key: &Key, timestamp: u64) -> Result<SignedSpec, DraftError> {
        self.check_signer(key)?;
        let signature = key.sign(&self.text(timestamp));
        Ok(self.message(timestamp, signature))
    }

    /// Whether a key is the owner's.
    pub fn check_signer(&self, key: &Key) -> Result<(), DraftError> {
        let id = key.flux_id().to_string();
        if self.owner == id {
            return Ok(());
        }
        let rule = format!("the owner signs, and the key file is that of {id}");
        let remedy = if self.owner.starts_with("0x") {
            "sign with the Ethereum wallet: --print-message shows the text, --signature takes the result"
        } else {
            "name the owner's key file, or write its id as owner"
        };
        Err(DraftError::input("owner", &self.owner, &rule, remedy))
    }

    /// Takes a signature that a wallet made.
    pub fn with_signature(
        &self,
        timestamp: u64,
        signature: &str,
    ) -> Result<SignedSpec, DraftError> {
        let signature = signature.trim();
        let wrong = |rule: String| {
            let remedy =
                "sign exactly the text that --print-message shows, with the owner's wallet";
            DraftError::input("signature", signature, &rule, remedy)
        };
        let signer = recover_signer(&self.text(timestamp), &self.owner, signature)
            .map_err(|err| wrong(err.to_string()))?;
        if !signer.eq_ignore_ascii_case(&self.owner) {
            return Err(wrong(format!(
                "it is not {}'s signature of this text",
                self.owner
            )));
        }
        check_canonical(&self.owner, signature).map_err(|err| wrong(err.to_string()))?;
        Ok(self.message(timestamp, signature.to_owned()))
    }

    fn message(&self, timestamp: u64, signature: String) -> SignedSpec {
        let kind = if self.native {
            self.intent.native().name()
        } else {
            self.intent.message_type().name()
        };
        SignedSpec {
            message_type: kind.to_owned(),
            version: MESSAGE_VERSION,
            spec: self.canonical.clone(),
            timestamp,
            signature,
        }
    }
}

/// A number of copies as the specification has it.
fn whole(number: f64) -> Option<u32> {
    let largest = f64::from(u32::MAX);
    if number.fract() != 0.0 || !(0.0..=largest).contains(&number) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number within the range of u32, checked above"
    )]
    Some(number as u32)
}

#[cfg(test)]
mod tests {
    use fluxplane_flux_chain::address::AddressSpace;

    use super::*;

    fn draft(key: &Key) -> Draft {
        let spec = format!(
            r#"{{"name":"shop","version":8,"description":"d","owner":"{}","compose":[],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}}"#,
            key.flux_id()
        );
        Draft::read(Intent::Register, spec.as_bytes()).unwrap()
    }

    #[test]
    fn the_canonical_form_is_signed_whatever_the_order_in_the_file() {
        let key = Key::generate(AddressSpace::Main).unwrap();
        let draft = draft(&key);
        let text = draft.text(1_700_000_000_000);
        let start = r#"fluxappregister1{"version":8,"name":"shop","description""#;
        assert!(
            text.starts_with(start) && text.ends_with("}1700000000000"),
            "{text}"
        );
        let signed = draft.sign(&key, 1_700_000_000_000).unwrap();
        draft
            .with_signature(1_700_000_000_000, &signed.signature)
            .unwrap();
        assert!(
            draft
                .with_signature(1_700_000_000_001, &signed.signature)
                .is_err()
        );
    }

    fn native(key: &Key, rest: &str) -> Result<Draft, DraftError> {
        let text = format!(
            "schema: fluxplane/v1\nname: shop\nowner: {}\ninstances: 3\ncomponents:\n  web: {{ image: \"nginx:1.27\", cpu: 500m, memory: 256Mi, disk: 1Gi }}\n{rest}",
            key.flux_id()
        );
        Draft::read(Intent::Register, text.as_bytes())
    }

    #[test]
    fn of_a_native_specification_the_hash_is_signed() {
        let key = Key::generate(AddressSpace::Main).unwrap();
        let draft = native(&key, "").unwrap();
        let hash = content_hash(draft.spec().get());
        assert_eq!(
            draft.text(1_700_000_000_000),
            format!("fluxplaneregister1fluxplane/v1{hash}1700000000000")
        );
        let signed = draft.sign(&key, 1_700_000_000_000).unwrap();
        assert_eq!(signed.message_type, "fluxplaneregister");
        let scaled = Draft::scaled(draft.spec(), 7).unwrap();
        assert_eq!((scaled.instances, scaled.intent), (Some(7), Intent::Update));
        assert!(scaled.text(1).starts_with("fluxplaneupdate1"));
    }

    #[test]
    fn what_the_plane_does_not_do_is_said_before_anybody_signs() {
        let key = Key::generate(AddressSpace::Main).unwrap();
        let refused = native(&key, "update: { strategy: canary }\n").unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("update.strategy: "), "{text}");
    }

    #[test]
    fn another_key_does_not_sign() {
        let draft = draft(&Key::generate(AddressSpace::Main).unwrap());
        let other = Key::generate(AddressSpace::Main).unwrap();
        let refused = draft.sign(&other, 1).unwrap_err().to_string();
        assert!(refused.contains(&other.flux_id().to_string()), "{refused}");
    }

    #[test]
    fn scaling_changes_the_number_of_copies_and_nothing_else() {
        let key = Key::generate(AddressSpace::Main).unwrap();
        let draft = draft(&key);
        let scaled = Draft::scaled(draft.spec(), 7).unwrap();
        assert_eq!((scaled.instances, scaled.intent), (Some(7), Intent::Update));
        let expected = draft
            .spec()
            .get()
            .replace("\"instances\":3", "\"instances\":7");
        assert_eq!(scaled.spec().get(), expected);
    }
}
