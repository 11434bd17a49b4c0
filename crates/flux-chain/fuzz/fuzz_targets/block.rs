//! Blocks: nothing panics, an error has a place, what parses writes back as it was and can be described and judged.
#![no_main]

use std::sync::{Arc, LazyLock};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, OutPoint, ScriptBuf,
    batch::decode_line_text,
    block::merkle_root,
    describe::{self, BlockContext},
    fluxnode::{BlockView, Collateral, CollateralSource, FluxnodeState, Mode},
    pon,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static STATE: LazyLock<FluxnodeState> =
    LazyLock::new(|| FluxnodeState::genesis(Arc::new(ChainParams::regtest_nodes())));

/// Every output is collateral of the smallest node.
struct Everything;

impl CollateralSource for Everything {
    fn collateral(&self, _: &OutPoint) -> Option<Collateral> {
        Some(Collateral {
            value: Sat::from_flux(1_000),
            height: 0,
            script: ScriptBuf::default(),
        })
    }
}

fuzz_target!(|bytes: &[u8]| {
    let line = format!(r#"{{"block": "{}"}}"#, hex::encode(bytes));
    let answer: Value = serde_json::from_str(&decode_line_text(&line)).expect("an answer is JSON");
    let block = match Block::parse(bytes) {
        Ok(block) => block,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert!(!error.field.is_empty());
            assert!(answer["error"].as_str().is_some());
            return;
        }
    };
    assert_eq!(block.serialize(), bytes);
    assert_eq!(answer["hash"], block.header.hash().to_string());
    let txids = block.txids();
    merkle_root(&txids);
    block.claimed_height();
    for params in [ChainParams::main(), ChainParams::regtest()] {
        let described = describe::block(&params, &block, &BlockContext::default(), true);
        let text = describe::to_text(&described);
        let _: Value = serde_json::from_str(&text).expect("a description is JSON");
        pon::verify_emergency(&params, &block.header, &block.header.hash());
    }
    let mut view = BlockView::new(1, &block);
    for mode in [Mode::Validate, Mode::Follow] {
        let alone = STATE.check_block(&view, &Everything, mode);
        view = view.with_txids(&txids);
        assert_eq!(STATE.check_block(&view, &Everything, mode), alone);
        let mut state = STATE.clone();
        if let Ok(delta) = state.apply_block(&view, &Everything, mode) {
            assert!(alone.is_ok());
            state.undo_block(&delta.undo).expect("it is the last one");
        }
        assert_eq!(state, *STATE);
    }
});
