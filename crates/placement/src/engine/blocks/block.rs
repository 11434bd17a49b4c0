//! One block: up to 64 nodes in order, and their extremes.

use super::{Amounts, Entry, OrderKey, Shortages, covers};
use crate::engine::intern::index;

/// The most nodes of a block: as many as a machine word has bits, so that "which of them fit" is one word.
pub(super) const FULL: usize = 64;

/// No key comes after it.
const LAST_KEY: OrderKey = (u64::MAX, u128::MAX);

#[derive(Debug, Clone)]
pub(super) struct Block {
    most: Amounts,
    least: Amounts,
    /// The key of the first entry.
    first: OrderKey,
    /// The key of the last entry.
    last: OrderKey,
    /// How many of the nodes have a static address.
    statics: u32,
    body: Box<Body>,
}

#[derive(Debug, Clone)]
struct Body {
    /// Free amounts by dimension, in the order of the entries; what lies beyond the last entry means nothing.
    free: [[u32; FULL]; 3],
    /// In order of key.
    entries: Vec<Entry>,
}

impl Block {
    pub(super) fn new(entry: Entry, free: Amounts) -> Self {
        let mut block = Self::of(Body {
            free: [[0; FULL]; 3],
            entries: Vec::new(),
        });
        block.insert(entry, free);
        block
    }

    fn of(body: Body) -> Self {
        let mut block = Self {
            most: [0; 3],
            least: [u32::MAX; 3],
            first: LAST_KEY,
            last: (0, 0),
            statics: 0,
            body: Box::new(body),
        };
        block.summarise();
        block
    }

    pub(super) fn len(&self) -> usize {
        self.body.entries.len()
    }

    pub(super) fn first(&self) -> OrderKey {
        self.first
    }

    pub(super) fn last(&self) -> OrderKey {
        self.last
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.body.entries
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Entry, Amounts)> {
        let free = &self.body.free;
        let with_free = |(offset, entry)| (entry, [0, 1, 2].map(|d: usize| free[d][offset]));
        self.body.entries.iter().enumerate().map(with_free)
    }

    /// The first offset whose key is not below `key`.
    pub(super) fn offset_of(&self, key: OrderKey) -> usize {
        self.body.entries.partition_point(|entry| entry.key() < key)
    }

    /// Adds a node. The block must not be full.
    pub(super) fn insert(&mut self, entry: Entry, free: Amounts) {
        let offset = self.offset_of(entry.key());
        let len = self.len();
        for (lane, amount) in self.body.free.iter_mut().zip(free) {
            lane.copy_within(offset..len, offset + 1);
            lane[offset] = amount;
        }
        self.body.entries.insert(offset, entry);
        self.include(free);
        self.first = self.first.min(entry.key());
        self.last = self.last.max(entry.key());
        self.statics += u32::from(entry.static_ip);
    }

    /// Takes out the node with this key, which must be here.
    pub(super) fn remove(&mut self, key: OrderKey) {
        let offset = self.offset_of(key);
        let len = self.len();
        let entry = self.body.entries.remove(offset);
        debug_assert_eq!(
            entry.key(),
            key,
            "the index holds every node that takes new work"
        );
        let mut edge = false;
        let extremes = self.most.iter().zip(&self.least);
        for (lane, (most, least)) in self.body.free.iter_mut().zip(extremes) {
            edge |= lane[offset] == *most || lane[offset] == *least;
            lane.copy_within(offset + 1..len, offset);
        }
        self.statics -= u32::from(entry.static_ip);
        if edge || offset == 0 || offset + 1 == len {
            self.summarise();
        }
    }

    /// Cuts off the upper half.
    pub(super) fn split(&mut self) -> Self {
        let half = self.len() / 2;
        let entries = self.body.entries.split_off(half);
        let mut free = [[0; FULL]; 3];
        for (lane, own) in free.iter_mut().zip(&self.body.free) {
            lane[..entries.len()].copy_from_slice(&own[half..half + entries.len()]);
        }
        self.summarise();
        Self::of(Body { free, entries })
    }

    /// Takes over the nodes of a block that comes after this one; together they must fit.
    pub(super) fn append(&mut self, next: &Self) {
        let len = self.len();
        for (lane, other) in self.body.free.iter_mut().zip(&next.body.free) {
            lane[len..len + next.len()].copy_from_slice(&other[..next.len()]);
        }
        self.body.entries.extend(&next.body.entries);
        self.include(next.most);
        self.include(next.least);
        self.last = next.last;
        self.statics += next.statics;
    }

    fn include(&mut self, free: Amounts) {
        for (dimension, amount) in free.into_iter().enumerate() {
            self.most[dimension] = self.most[dimension].max(amount);
            self.least[dimension] = self.least[dimension].min(amount);
        }
    }

    fn summarise(&mut self) {
        let len = self.len();
        for (dimension, lane) in self.body.free.iter().enumerate() {
            let lane = &lane[..len];
            self.most[dimension] = lane.iter().copied().max().unwrap_or(0);
            self.least[dimension] = lane.iter().copied().min().unwrap_or(u32::MAX);
        }
        self.first = self.body.entries.first().map_or(LAST_KEY, Entry::key);
        self.last = self.body.entries.last().map_or((0, 0), Entry::key);
        self.statics = index(
            self.body
                .entries
                .iter()
                .filter(|entry| entry.static_ip)
                .count(),
        );
    }

    /// Which of the nodes have `need`, one bit each.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "comparisons without branches: which nodes fit is as good as random"
    )]
    pub(super) fn fitting(&self, need: Amounts) -> u64 {
        if !covers(self.most, need) {
            return 0;
        }
        let len = self.len();
        if covers(self.least, need) {
            return u64::MAX >> (FULL - len);
        }
        let [cpu, memory, disk] = &self.body.free;
        let lanes = cpu[..len].iter().zip(&memory[..len]).zip(&disk[..len]);
        lanes.rev().fold(0, |bits, ((cpu, memory), disk)| {
            let fits = (*cpu >= need[0]) & (*memory >= need[1]) & (*disk >= need[2]);
            (bits << 1) | u64::from(fits)
        })
    }

    #[expect(
        clippy::needless_bitwise_bool,
        reason = "comparisons without branches: which nodes fit is as good as random"
    )]
    pub(super) fn add_shortages(&self, need: Amounts, static_wanted: bool, total: &mut Shortages) {
        let len = self.len();
        let changing = if static_wanted {
            index(len) - self.statics
        } else {
            0
        };
        total.not_static += changing;
        if covers(self.least, need) {
            return;
        }
        if changing > 0 {
            let statics = self.iter().filter(|(entry, _)| entry.static_ip);
            for dimension in statics.filter_map(|(_, free)| super::shortage(free, need)) {
                total.lacking[dimension] += 1;
            }
            return;
        }
        let [cpu, memory, disk] = &self.body.free;
        let (mut cpus, mut memories, mut disks) = (0, 0, 0);
        for ((cpu, memory), disk) in cpu[..len].iter().zip(&memory[..len]).zip(&disk[..len]) {
            let (cpu, memory, disk) = (*cpu >= need[0], *memory >= need[1], *disk >= need[2]);
            cpus += u32::from(!cpu);
            memories += u32::from(cpu & !memory);
            disks += u32::from(cpu & memory & !disk);
        }
        for (sum, part) in total.lacking.iter_mut().zip([cpus, memories, disks]) {
            *sum += part;
        }
    }

    /// The extremes and other sums, for comparison with ones made anew.
    #[cfg(test)]
    pub(super) fn summary(&self) -> (Amounts, Amounts, [OrderKey; 2], u32) {
        (self.most, self.least, [self.first, self.last], self.statics)
    }

    #[cfg(test)]
    pub(super) fn summarised_anew(&self) -> (Amounts, Amounts, [OrderKey; 2], u32) {
        let mut anew = self.clone();
        anew.summarise();
        anew.summary()
    }
}
