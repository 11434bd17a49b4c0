//! Scripts: every question has an answer, and an address found in a script leads back to it.
#![no_main]

use fluxplane_flux_chain::{
    Address, Script,
    address::AddressSpace,
    describe::{self, script_pub_key},
    script::{Multisig, SighashSuffix},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let script = Script::new(bytes);
    let steps = script.instructions().count();
    assert!(steps <= bytes.len());
    script.asm(SighashSuffix::Plain);
    script.asm(SighashSuffix::Spell);
    script.note();
    script.push_only();
    script.id();
    assert!(script.signature_operations(true) <= script.signature_operations(false));
    if let Some(multisig) = Multisig::parse(script) {
        assert!(multisig.public_keys().count() <= multisig.keys.len());
        assert!(usize::from(multisig.required) <= multisig.keys.len());
    }
    for space in [AddressSpace::Main, AddressSpace::Test] {
        let text = describe::to_text(&script_pub_key(script, space));
        let _: Value = serde_json::from_str(&text).expect("a description is JSON");
        Address::all_of_script(script, space);
        if let Some(address) = Address::of_script(script, space) {
            assert_eq!(address.to_string().parse(), Ok(address));
            let back = address.script();
            if script.p2pkh_hash().is_some() || script.p2sh_hash().is_some() {
                assert_eq!(back.as_script(), script);
            }
        }
    }
});
