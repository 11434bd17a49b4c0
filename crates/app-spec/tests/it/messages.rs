//! Signatures, hashes and who may sign.

use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use fluxplane_app_spec::{
    json::{Value, stringify},
    message::{
        AppMessage, Authority, EXTENDERS, MessageError, MessageType, Scheme, SealedExtension,
        SignatureError, Signer, check_canonical, historic_order, recover_signer, verifies,
    },
};

use crate::fixture::{GOOD_V2, GOOD_V7, GOOD_V8, find, get, items, json, load, text, with};

/// After the Ethereum scheme was introduced.
const LATE: u64 = 1_700_000_000_000;

#[test]
fn every_signature_vector_verifies() {
    let file = load("fluxos-signature-vectors.json");
    let vectors = items(&file, "vectors");
    assert_eq!(vectors.len(), 11);
    for vector in vectors {
        let (owner, message) = (text(vector, "address"), text(vector, "message"));
        let signature = find(vector, "signatureBase64").or_else(|| find(vector, "signatureHex"));
        let signature = signature.unwrap().as_str().unwrap();
        assert!(
            verifies(message, owner, signature, Scheme::ByOwner),
            "{owner}"
        );
        assert_eq!(
            recover_signer(message, owner, signature).as_deref(),
            Ok(owner)
        );
        assert!(!verifies(
            &format!("{message} "),
            owner,
            signature,
            Scheme::ByOwner
        ));
        assert_eq!(check_canonical(owner, signature), Ok(()));
        if let Some(key) = find(vector, "publicKeyHexAlsoAcceptedAsOwner") {
            assert!(verifies(
                message,
                key.as_str().unwrap(),
                signature,
                Scheme::ByOwner
            ));
        }
    }
}

#[test]
fn every_hash_of_a_message_is_that_of_fluxos() {
    let file = load("fluxos-app-specs.json");
    let mut checked = 0;
    for entry in items(&file, "specs") {
        let chain = find(entry, "chain");
        let Some(chain) = chain.filter(|chain| find(chain, "signature").is_some()) else {
            continue;
        };
        let message = AppMessage {
            kind: text(chain, "type").parse().unwrap(),
            version: 1,
            spec: get(entry, "spec").clone(),
            timestamp: get(chain, "timestamp").as_u64().unwrap(),
            signature: text(chain, "signature").to_owned(),
        };
        assert_eq!(message.hash(), text(chain, "hash"));
        assert_eq!(message.verify_registration().unwrap().signer, Signer::Owner);
        checked += 1;
    }
    assert!(checked >= 4, "{checked}");
}

#[test]
fn ethereum_owners_are_compared_without_case_but_only_late() {
    let file = load("fluxos-signature-vectors.json");
    let vector = items(&file, "vectors")
        .iter()
        .find(|vector| text(vector, "id") == "eth-9")
        .unwrap();
    let (owner, message, signature) = (
        text(vector, "address"),
        text(vector, "message"),
        text(vector, "signatureHex"),
    );
    assert!(verifies(
        message,
        &owner.to_lowercase(),
        signature,
        Scheme::ByOwner
    ));
    assert!(!verifies(message, owner, signature, Scheme::BitcoinOnly));
}

/// A key with its Flux ID.
pub(crate) struct Wallet {
    pub(crate) key: SecretKey,
    pub(crate) id: String,
}

impl Wallet {
    pub(crate) fn new(seed: u8) -> Self {
        let key = SecretKey::from_slice(&[seed; 32]).unwrap();
        let mut wallet = Self {
            key,
            id: String::new(),
        };
        wallet.id = recover_signer("x", "1", &wallet.sign("x")).unwrap();
        wallet
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let digest = bitcoin::sign_message::signed_msg_hash(text);
        let message = Message::from_digest(
            *<bitcoin::hashes::sha256d::Hash as AsRef<[u8; 32]>>::as_ref(&digest),
        );
        let signature = Secp256k1::new().sign_ecdsa_recoverable(&message, &self.key);
        bitcoin::sign_message::MessageSignature::new(signature, true).to_base64()
    }
}

fn message(kind: MessageType, spec: Value, timestamp: u64) -> AppMessage {
    AppMessage {
        kind,
        version: 1,
        spec,
        timestamp,
        signature: String::new(),
    }
}

fn owned(base: &str, wallet: &Wallet) -> Value {
    with(base, "owner", &format!("\"{}\"", wallet.id))
}

#[test]
fn a_registration_is_signed_by_its_owner() {
    let (owner, other) = (Wallet::new(1), Wallet::new(2));
    let mut message = message(MessageType::FluxAppRegister, owned(GOOD_V8, &owner), LATE);
    message.signature = owner.sign(&message.signed_text());
    let verified = message.verify_registration().unwrap();
    assert_eq!(
        (verified.signer, verified.text),
        (Signer::Owner, message.signed_text())
    );
    message.signature = other.sign(&message.signed_text());
    assert_eq!(
        message.verify_registration(),
        Err(MessageError::BadRegistration)
    );
    message.spec = Value::Null;
    assert_eq!(message.verify_registration(), Err(MessageError::Malformed));
}

#[test]
fn historic_key_orders_still_verify() {
    let owner = Wallet::new(1);
    for (base, old_keys) in [
        (GOOD_V2, "\"repotag\":\"nginx:1.27\",\"owner\""),
        (GOOD_V7, "\"secrets\":\"\",\"repoauth\":\"\""),
    ] {
        let mut message = message(MessageType::ZelAppRegister, owned(base, &owner), 1);
        let historic = message.historic_text().unwrap();
        assert!(historic.contains(old_keys), "{historic}");
        message.signature = owner.sign(&historic);
        assert_eq!(message.verify_registration().unwrap().text, historic);
        let hash = fluxplane_app_spec::message::message_hash(&historic, &message.signature);
        assert!(message.has_hash(&hash) && message.has_hash(&message.hash()));
        assert!(!message.has_hash("00"));
    }
    assert_eq!(historic_order(&json(GOOD_V8)), None);
    assert_eq!(
        historic_order(&json("{\"version\":7,\"compose\":[1]}")),
        None
    );
    assert_eq!(
        stringify(&historic_order(&json("{\"x\":1,\"owner\":2,\"version\":3}")).unwrap()),
        "{\"version\":3,\"owner\":2,\"x\":1}"
    );
}

fn authority<'a>(owner: &'a str, previous: Option<&'a Value>) -> Authority<'a> {
    Authority {
        owner,
        previous,
        height: 2_250_000,
        sealed_extension: SealedExtension::Refuse,
    }
}

#[test]
fn an_update_is_signed_by_the_former_owner() {
    let (old, new) = (Wallet::new(1), Wallet::new(2));
    let mut message = message(MessageType::FluxAppUpdate, owned(GOOD_V8, &new), LATE);
    message.signature = old.sign(&message.signed_text());
    assert_eq!(
        message
            .verify_update(&authority(&old.id, None))
            .unwrap()
            .signer,
        Signer::Owner
    );
    message.signature = new.sign(&message.signed_text());
    assert_eq!(
        message.verify_update(&authority(&old.id, None)),
        Err(MessageError::BadUpdate)
    );
}

#[test]
fn the_order_of_fallbacks_covers_updates_too() {
    let owner = Wallet::new(1);
    let mut message = message(MessageType::FluxAppUpdate, owned(GOOD_V7, &owner), LATE);
    message.signature = owner.sign(&message.historic_text().unwrap());
    assert_eq!(
        message
            .verify_update(&authority(&owner.id, None))
            .unwrap()
            .signer,
        Signer::Owner
    );
}

#[test]
fn nobody_else_passes_as_extender() {
    // Only the holder of the extender's key could sign; a stranger's signature never counts as one.
    let (owner, stranger) = (Wallet::new(1), Wallet::new(3));
    let previous = owned(GOOD_V8, &owner);
    let mut message = message(
        MessageType::FluxAppUpdate,
        with(&stringify(&previous), "expire", "9"),
        LATE,
    );
    message.signature = stranger.sign(&message.signed_text());
    assert!(EXTENDERS.iter().all(|address| *address != stranger.id));
    assert_eq!(
        message.verify_update(&authority(&owner.id, Some(&previous))),
        Err(MessageError::BadUpdate)
    );
}

#[test]
fn malleable_signatures_are_refused_from_new_submissions() {
    use bitcoin::base64::{Engine as _, engine::general_purpose::STANDARD};
    /// The group order.
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
        0x41, 0x41,
    ];
    let wallet = Wallet::new(1);
    let low = wallet.sign("text");
    assert_eq!(check_canonical(&wallet.id, &low), Ok(()));
    let mut bytes = STANDARD.decode(&low).unwrap();
    let mut borrow = 0_i32;
    for place in (0..32).rev() {
        let digit = i32::from(ORDER[place]) - i32::from(bytes[33 + place]) - borrow;
        borrow = i32::from(digit < 0);
        bytes[33 + place] = u8::try_from(digit + 256 * borrow).unwrap();
    }
    bytes[0] = ((bytes[0] - 27) ^ 1) + 27;
    let high = STANDARD.encode(&bytes);
    // FluxOS takes it, and its hash is another one.
    assert!(verifies("text", &wallet.id, &high, Scheme::ByOwner));
    assert_eq!(
        check_canonical(&wallet.id, &high),
        Err(SignatureError::HighS)
    );
    bytes[0] ^= 1;
    assert!(!verifies(
        "text",
        &wallet.id,
        &STANDARD.encode(&bytes),
        Scheme::ByOwner
    ));
    let unpadded = low.trim_end_matches('=');
    assert!(verifies("text", &wallet.id, unpadded, Scheme::ByOwner));
    assert_eq!(
        check_canonical(&wallet.id, unpadded),
        Err(SignatureError::Encoding)
    );
}

#[test]
fn every_malformed_signature_is_named() {
    use bitcoin::base64::{Engine as _, engine::general_purpose::STANDARD};
    let with_header = |header: u8| STANDARD.encode([&[header][..], &[1; 64]].concat());
    let error = |owner, signature: &str| recover_signer("text", owner, signature).unwrap_err();
    assert_eq!(error("1", "AAAA"), SignatureError::Length(3));
    assert_eq!(error("1", &with_header(26)), SignatureError::Header(26));
    assert_eq!(error("1", &with_header(43)), SignatureError::Header(43));
    assert_eq!(error("1", &with_header(40)), SignatureError::Header(40));
    let zero = STANDARD.encode([&[31][..], &[0xff; 64]].concat());
    assert_eq!(error("1", &zero), SignatureError::Range);
    assert_eq!(error("0x", "0x00"), SignatureError::HexLength(4));
    assert_eq!(
        error("0x", &format!("0x{}", "z".repeat(130))),
        SignatureError::Hex
    );
    assert_eq!(
        error("0x", &format!("0x{}1b", "f".repeat(128))),
        SignatureError::Range
    );
    let file = load("fluxos-signature-vectors.json");
    let vector = items(&file, "vectors")
        .iter()
        .find(|vector| text(vector, "id") == "eth-9")
        .unwrap();
    let (owner, signature) = (text(vector, "address"), text(vector, "signatureHex"));
    let wrong_v = format!("{}1d", signature.get(..130).unwrap());
    assert_eq!(
        check_canonical(owner, &wrong_v),
        Err(SignatureError::RecoveryByte(29))
    );
    let wrong_id = format!("{}1c", signature.get(..130).unwrap());
    assert!(!verifies(
        text(vector, "message"),
        owner,
        &wrong_id,
        Scheme::ByOwner
    ));
}
