//! Headers: nothing panics, what parses writes back as it was, and a verdict on it can be reached.
#![no_main]

use fluxplane_flux_chain::{
    ChainParams, Header,
    describe::{self, BlockContext},
    encode::Sink,
    pon::{self, Parent, Producer},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let header = match Header::parse(bytes) {
        Ok(header) => header,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert!(!error.field.is_empty());
            return;
        }
    };
    let mut written: Vec<u8> = Vec::new();
    header.write_to(&mut written);
    assert_eq!(written, bytes);
    written.put_u8(0);
    assert!(Header::parse(&written).is_err());
    let hash = header.hash();
    assert_eq!(header.is_pon(), header.producer().is_some());
    for params in [
        ChainParams::main(),
        ChainParams::test(),
        ChainParams::regtest(),
    ] {
        let described = describe::header(&params, &header, &BlockContext::default());
        let text = describe::to_text(&described);
        let _: Value = serde_json::from_str(&text).expect("a description is JSON");
        let slot = pon::slot(&params, header.time);
        assert_eq!(
            pon::pon_hash_of(&params, &header),
            header
                .producer()
                .map(|producer| pon::pon_hash(&producer, &header.previous, slot))
        );
        pon::wins(&hash, header.bits);
        if let Some(target) = pon::CompactTarget(header.bits).target() {
            assert!(
                target
                    .compact()
                    .target()
                    .is_some_and(|again| again <= target)
            );
        }
        pon::verify_emergency(&params, &header, &hash);
        let parent = Parent {
            hash: header.previous,
            time: header.time.saturating_sub(1),
        };
        for producer in [Producer::Stranger, Producer::NotChecked] {
            let _verdict = pon::check_header(
                &params,
                &header,
                2_100_000,
                &parent,
                header.bits,
                header.time,
                producer,
            );
        }
    }
});
