//! Classes of nodes that stand in one country and have one tier.
//!
//! Copies are spread by country and tier, so a class is judged once for both. Most rules about places are about
//! continents and countries: they too are judged once per class, and what they remove is the size of the class. Only
//! rules about regions and static addresses look at the nodes of a class. Operators and networks are not part of a
//! class: there are nearly as many combinations of them as nodes.

use std::collections::HashMap;

use fluxplane_core::Tier;

use super::{
    blocks::Blocks,
    intern::{Interner, at, index},
};
use crate::node::Node;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClassKey {
    pub continent: u32,
    pub country: u32,
    pub tier: Tier,
}

/// A class and those of its nodes that take new work.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub key: ClassKey,
    pub open: Blocks,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Classes {
    pub continents: Interner<String>,
    pub countries: Interner<String>,
    pub regions: Interner<String>,
    numbers: HashMap<ClassKey, u32>,
    all: Vec<Class>,
}

impl Classes {
    /// The number of the class a node belongs to, and of its region.
    pub(crate) fn of(&mut self, node: &Node) -> (u32, u32) {
        let key = ClassKey {
            continent: self.continents.number(node.place.continent.as_str()),
            country: self.countries.number(node.place.country.as_str()),
            tier: node.tier,
        };
        let region = self.regions.number(node.place.region.as_str());
        let class = *self.numbers.entry(key).or_insert_with(|| {
            self.all.push(Class {
                key,
                open: Blocks::default(),
            });
            index(self.all.len() - 1)
        });
        (class, region)
    }

    pub(crate) fn get(&self, number: u32) -> &Class {
        &self.all[at(number)]
    }

    pub(crate) fn open_mut(&mut self, number: u32) -> &mut Blocks {
        &mut self.all[at(number)].open
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// All classes in order of number.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Class> {
        self.all.iter()
    }
}
