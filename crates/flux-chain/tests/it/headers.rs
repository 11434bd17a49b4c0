//! Proof of Node: lots, difficulty, signatures, emergency blocks.

use fluxplane_flux_chain::{
    Block, ChainParams, Header, PrivateKey, PublicKey,
    pon::{
        CompactTarget, HeaderFault, Parent, Producer, check_header, emergency_signatures,
        is_emergency, next_bits, pon_hash, pon_hash_of, slot, verify_emergency, verify_signature,
        wins, write_emergency_signatures,
    },
};

use crate::support::{
    fixture::{VECTORS, bytes, hash, list, named, outpoint, small, text},
    recorded::BLOCKS,
};

#[test]
fn live_blocks_were_made_by_nodes_that_won() {
    let params = ChainParams::main();
    for vector in list(&VECTORS, "pon") {
        let collateral = outpoint(&vector["collateral"]);
        let previous = hash(vector, "prev_block_hash");
        let time = small(vector, "block_time");
        assert_eq!(slot(&params, time), small(vector, "slot"));
        let lot = pon_hash(&collateral, &previous, small(vector, "slot"));
        assert_eq!(lot, hash(vector, "pon_hash"));
        let bits = u32::from_str_radix(text(vector, "bits"), 16).unwrap();
        let target = CompactTarget(bits).target().unwrap();
        assert_eq!(target.to_string(), text(vector, "target"));
        assert_eq!(wins(&lot, bits), vector["eligible"].as_bool().unwrap());
        let block = named(list(&VECTORS, "blocks"), text(vector, "name"));
        let raw = bytes(block, "hex");
        let block = Block::parse(&raw).unwrap();
        assert_eq!(pon_hash_of(&params, &block.header), Some(lot));
    }
}

#[test]
fn a_live_header_passes_and_each_change_to_it_fails() {
    let params = ChainParams::main();
    let vector = named(list(&VECTORS, "blocks"), "mainnet_2996914");
    let raw = bytes(vector, "hex");
    let header = Block::parse(&raw).unwrap().header;
    let signer = named(list(&VECTORS, "signatures"), "pon_block_sig_2996914");
    let key: PublicKey = text(signer, "signer_pubkey").parse().unwrap();
    assert!(verify_signature(&header, &key));
    let parent = Parent {
        hash: header.previous,
        time: header.time - 30,
    };
    let verdict = |header: &Header<'_>, bits, now, producer| {
        check_header(&params, header, 2_996_914, &parent, bits, now, producer)
    };
    let (bits, now) = (header.bits, header.time);
    assert_eq!(verdict(&header, bits, now, Producer::Node(key)), Ok(()));
    assert_eq!(verdict(&header, bits, now, Producer::NotChecked), Ok(()));
    let reason = |result: Result<(), HeaderFault>| result.unwrap_err().reason();
    assert_eq!(
        reason(verdict(&header, bits, now, Producer::Stranger)),
        "bad-pon-block"
    );
    let other = PrivateKey::from_bytes(&[1; 32], true).unwrap().public_key();
    assert_eq!(
        reason(verdict(&header, bits, now, Producer::Node(other))),
        "bad-pon-block"
    );
    assert_eq!(
        reason(verdict(&header, bits + 1, now, Producer::NotChecked)),
        "bad-pon-diffbits"
    );
    assert_eq!(
        reason(verdict(&header, bits, now - 301, Producer::NotChecked)),
        "time-too-new"
    );
    assert_eq!(
        verdict(&header, bits, now - 300, Producer::NotChecked),
        Ok(())
    );
    let early = Parent {
        time: header.time,
        ..parent
    };
    let result = check_header(
        &params,
        &header,
        2_996_914,
        &early,
        bits,
        now,
        Producer::NotChecked,
    );
    assert_eq!(reason(result), "time-too-old");
    // Another slot is another lot, and this node does not win them all.
    let loses = (1..200_u32).any(|slots| {
        let mut later = header.clone();
        later.time += 30 * slots;
        let result = verdict(&later, bits, later.time, Producer::NotChecked);
        matches!(result, Err(HeaderFault::NotEligible { .. }))
    });
    assert!(loses);
    let result = check_header(
        &params,
        &header,
        2_019_999,
        &parent,
        bits,
        now,
        Producer::NotChecked,
    );
    assert_eq!(reason(result), "premature-pon-block");
}

#[test]
fn the_difficulty_of_every_recorded_block_is_predicted() {
    let params = ChainParams::regtest_nodes();
    let headers: Vec<Header<'_>> = BLOCKS
        .iter()
        .map(|raw| Block::parse(raw).unwrap().header)
        .collect();
    let time_of = |height: u32| Some(headers[usize::try_from(height).unwrap()].time);
    let mut moved = 0;
    for (height, header) in (0_u32..).zip(&headers).skip(1) {
        let parent = &headers[usize::try_from(height - 1).unwrap()];
        let bits = next_bits(&params, height, parent.bits, time_of).unwrap();
        assert_eq!(
            format!("{bits:08x}"),
            format!("{:08x}", header.bits),
            "height {height}"
        );
        moved += u32::from(bits != parent.bits);
        let known = Parent {
            hash: parent.hash(),
            time: parent.time,
        };
        let verdict = check_header(
            &params,
            header,
            height,
            &known,
            bits,
            header.time,
            Producer::Stranger,
        );
        assert_eq!(verdict, Ok(()), "the bypass collateral needs no node");
    }
    assert!(moved > 800);
}

#[test]
fn a_recorded_emergency_block_is_one() {
    let params = ChainParams::regtest();
    let vector = &VECTORS["emergency_block_regtest"];
    let raw = bytes(vector, "hex");
    let block = Block::parse(&raw).unwrap();
    assert_eq!(block.header.hash(), hash(vector, "hash"));
    assert_eq!(block.claimed_height(), Some(small(vector, "height")));
    assert!(is_emergency(&params, &block.header));
    assert!(verify_emergency(
        &params,
        &block.header,
        &block.header.hash()
    ));
    // On other networks the key must be one of the four.
    assert!(!verify_emergency(
        &ChainParams::main(),
        &block.header,
        &block.header.hash()
    ));
}

#[test]
fn emergency_blocks_need_different_keys() {
    let keys: Vec<PrivateKey> = (1..=3)
        .map(|number| PrivateKey::from_bytes(&[number; 32], true).unwrap())
        .collect();
    let mut params = ChainParams::main();
    params.emergency.keys = keys.iter().map(PrivateKey::public_key).collect();
    let vector = named(list(&VECTORS, "constructed"), "emergency_block_header");
    let raw = bytes(vector, "hex");
    let hash = Header::parse(&raw).unwrap().hash();
    let verdict = |signers: &[usize]| {
        let signatures: Vec<Vec<u8>> = signers.iter().map(|i| keys[*i].sign_der(&hash)).collect();
        let field = write_emergency_signatures(&signatures);
        assert_eq!(emergency_signatures(&field).len(), signers.len());
        let mut raw = raw[..144].to_vec();
        raw.push(u8::try_from(field.len()).unwrap());
        raw.extend_from_slice(&field);
        verify_emergency(&params, &Header::parse(&raw).unwrap(), &hash)
    };
    assert!(verdict(&[0, 2]));
    assert!(!verdict(&[1, 1]));
    assert!(!verdict(&[1]));
    assert!(verdict(&[1, 1, 2]));
}
