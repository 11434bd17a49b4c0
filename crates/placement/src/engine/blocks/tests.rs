//! Blocks against a sorted list.

use proptest::prelude::*;

use super::*;

struct Collect(Vec<u32>);

impl Visitor for Collect {
    fn worth(&self, _: u64) -> bool {
        true
    }

    fn visit(&mut self, entry: &Entry) -> ControlFlow<()> {
        self.0.push(entry.node);
        ControlFlow::Continue(())
    }
}

fn entry(node: u32, volume: u64, static_ip: bool) -> Entry {
    Entry {
        volume,
        // Odd multiples spread the salts and keep them unique.
        salt: u128::from(node).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        node,
        operator: 0,
        network: 0,
        region: 0,
        static_ip,
    }
}

fn check(blocks: &Blocks) {
    let mut last = None;
    let mut len = 0;
    for block in &blocks.blocks {
        assert!((1..=FULL).contains(&block.len()));
        assert_eq!(block.summary(), block.summarised_anew());
        for entry in block.entries() {
            assert!(last < Some(entry.key()));
            last = Some(entry.key());
            len += 1;
        }
    }
    for pair in blocks.blocks.windows(2) {
        assert!(pair[0].len() + pair[1].len() > CRUMBS, "crumbs are merged");
    }
    assert_eq!(len, blocks.len);
}

proptest! {
    #[test]
    fn a_walk_visits_what_fits_by_volume_then_by_distance_from_the_start(
        shapes in prop::collection::vec((0..4_u64, [0..3_u32, 0..3, 0..3], any::<bool>()), 0..500),
        taken in prop::collection::vec(any::<bool>(), 500),
        need in [0..3_u32, 0..3, 0..3],
        start in any::<u128>(),
        static_wanted in any::<bool>(),
    ) {
        let mut blocks = Blocks::default();
        let entries: Vec<(Entry, Amounts)> = (0..).zip(&shapes)
            .map(|(node, (volume, free, fixed))| (entry(node, *volume, *fixed), *free)).collect();
        for (entry, free) in &entries {
            blocks.insert(*entry, *free);
        }
        check(&blocks);
        for ((entry, _), _) in entries.iter().zip(&taken).filter(|(_, taken)| **taken) {
            blocks.remove(entry.volume, entry.salt);
        }
        check(&blocks);

        let left: Vec<(Entry, Amounts)> = entries.iter().zip(&taken)
            .filter(|(_, taken)| !**taken).map(|(entry, _)| *entry).collect();
        let mut fitting: Vec<Entry> = left.iter()
            .filter(|(_, free)| covers(*free, need)).map(|(entry, _)| *entry).collect();
        fitting.sort_by_key(|entry| (entry.volume, entry.salt.wrapping_sub(start)));
        let mut seen = Collect(Vec::new());
        blocks.walk(need, start, &mut seen);
        prop_assert_eq!(seen.0, fitting.iter().map(|entry| entry.node).collect::<Vec<_>>());

        let mut expected = Shortages::default();
        for (entry, free) in &left {
            if static_wanted && !entry.static_ip {
                expected.not_static += 1;
            } else if let Some(dimension) = shortage(*free, need) {
                expected.lacking[dimension] += 1;
            }
        }
        prop_assert_eq!(blocks.shortages(need, static_wanted), expected);
        prop_assert_eq!(blocks.iter().count(), left.len());
    }
}
