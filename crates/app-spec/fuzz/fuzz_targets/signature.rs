//! The signature decoder: nothing panics, a recovered signer verifies, and a canonical signature is one that verifies.
#![no_main]

use fluxplane_app_spec::message::{Scheme, check_canonical, recover_signer, verifies};
use libfuzzer_sys::fuzz_target;

/// The input is owner, signature and text, in lines of this order.
fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (owner, signature, text) = (line(), line(), line());
    for owner in [owner, "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC", "0x00"] {
        let signs = verifies(text, owner, signature, Scheme::ByOwner);
        let _legacy = verifies(text, owner, signature, Scheme::BitcoinOnly);
        let _form = check_canonical(owner, signature);
        match recover_signer(text, owner, signature) {
            Ok(signer) if !text.is_empty() && check_canonical(owner, signature).is_ok() => {
                assert!(verifies(text, &signer, signature, Scheme::ByOwner));
            }
            Ok(_) => {}
            Err(_) => assert!(!signs),
        }
    }
});
