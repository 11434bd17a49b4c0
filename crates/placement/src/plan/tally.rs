//! Copies of one application per operator, network or country.

use std::hash::Hash;

use crate::engine::intern::{Groups, at};

#[derive(Debug, Clone)]
pub(crate) struct Tally {
    counts: Vec<u32>,
    /// Numbers whose count is not zero.
    touched: Vec<u32>,
}

impl Tally {
    /// Zero for every number below `size`.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            counts: vec![0; size],
            touched: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, number: u32) {
        let count = &mut self.counts[at(number)];
        if *count == 0 {
            self.touched.push(number);
        }
        *count += 1;
    }

    pub(crate) fn get(&self, number: u32) -> u32 {
        self.counts[at(number)]
    }

    /// The smallest count of a group with a node that takes new work.
    pub(crate) fn smallest<K: Hash + Eq + Clone>(&self, groups: &Groups<K>) -> u32 {
        groups.smallest(&self.counts, self.touched.len())
    }

    /// Numbers whose count has reached the limit.
    pub(crate) fn exhausted(&self, limit: u32) -> impl Iterator<Item = u32> + '_ {
        self.touched
            .iter()
            .copied()
            .filter(move |number| self.get(*number) >= limit)
    }
}
