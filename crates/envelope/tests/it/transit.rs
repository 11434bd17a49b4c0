//! Values on their way to a machine.

use fluxplane_envelope::{BadRecipient, Delivery, RecipientKey, SystemEntropy, seal_to};
use proptest::prelude::*;
use uuid::Uuid;

const DELIVERY: Delivery = Delivery {
    instance: Uuid::from_u128(1),
    epoch: 4,
    node: Uuid::from_u128(2),
};

proptest! {
    #[test]
    fn the_recipient_opens_it_and_a_changed_bit_is_refused(
        text in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let key = RecipientKey::generate(&SystemEntropy).unwrap();
        let mut message = seal_to(key.public(), DELIVERY, &text, &SystemEntropy).unwrap();
        prop_assert_eq!(&*key.open(DELIVERY, &message).unwrap(), &text);
        let at = at.index(message.ciphertext.len());
        message.ciphertext[at] ^= 1 << bit;
        prop_assert!(key.open(DELIVERY, &message).is_err());
    }
}

#[test]
fn it_opens_for_no_other_recipient_instance_assignment_or_node() {
    let key = RecipientKey::generate(&SystemEntropy).unwrap();
    let message = seal_to(key.public(), DELIVERY, b"text", &SystemEntropy).unwrap();
    let other = RecipientKey::generate(&SystemEntropy).unwrap();
    assert!(other.open(DELIVERY, &message).is_err());
    let others = [
        Delivery {
            instance: Uuid::from_u128(3),
            ..DELIVERY
        },
        Delivery {
            epoch: 5,
            ..DELIVERY
        },
        Delivery {
            node: Uuid::from_u128(3),
            ..DELIVERY
        },
    ];
    for delivery in others {
        assert!(key.open(delivery, &message).is_err(), "{delivery:?}");
    }
    let again = seal_to(key.public(), DELIVERY, b"text", &SystemEntropy).unwrap();
    assert_ne!(message.encapsulated, again.encapsulated);
}

#[test]
fn what_is_no_key_is_refused() {
    for key in [&[][..], &[1; 31], &[1; 33], &[0; 32]] {
        let refused = seal_to(key, DELIVERY, b"text", &SystemEntropy).unwrap_err();
        assert_eq!(refused, BadRecipient::Key);
    }
}
