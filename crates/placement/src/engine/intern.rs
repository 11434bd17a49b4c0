//! Small numbers for names, so that counting by operator or country is an array access.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Names that are few and stay: countries, continents, regions. Numbers are never reused.
#[derive(Debug, Clone)]
pub(crate) struct Interner<K>(HashMap<K, u32>);

impl<K> Default for Interner<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Interner<K> {
    pub(crate) fn number<Q>(&mut self, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(number) = self.0.get(key) {
            return *number;
        }
        let number = index(self.0.len());
        self.0.insert(key.to_owned(), number);
        number
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Names that come and go with the nodes that bear them: operators, networks, addresses. A number is reused once
/// nobody bears its name, so a fleet with changing addresses does not grow the tables for ever.
#[derive(Debug, Clone)]
pub(crate) struct Groups<K> {
    numbers: HashMap<K, u32>,
    table: Vec<Group<K>>,
    vacant: Vec<u32>,
    /// How many groups have a member that takes new work.
    working: usize,
}

#[derive(Debug, Clone)]
struct Group<K> {
    key: Option<K>,
    /// Slots of all members, in no order.
    members: Vec<u32>,
    /// How many members take new work.
    open: u32,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            table: Vec::new(),
            vacant: Vec::new(),
            working: 0,
        }
    }
}

impl<K: Hash + Eq + Clone> Groups<K> {
    pub(crate) fn join(&mut self, key: &K, member: u32, open: bool) -> u32 {
        let number = self.get(key).unwrap_or_else(|| self.found(key));
        let group = &mut self.table[at(number)];
        group.members.push(member);
        if open {
            group.open += 1;
            self.working += usize::from(group.open == 1);
        }
        number
    }

    pub(crate) fn leave(&mut self, number: u32, member: u32, open: bool) {
        let group = &mut self.table[at(number)];
        if let Some(position) = group.members.iter().position(|m| *m == member) {
            group.members.swap_remove(position);
        }
        if open {
            group.open -= 1;
            self.working -= usize::from(group.open == 0);
        }
        if group.members.is_empty()
            && let Some(key) = group.key.take()
        {
            self.numbers.remove(&key);
            self.vacant.push(number);
        }
    }

    fn found(&mut self, key: &K) -> u32 {
        let group = Group {
            key: Some(key.clone()),
            members: Vec::new(),
            open: 0,
        };
        let number = if let Some(number) = self.vacant.pop() {
            self.table[at(number)] = group;
            number
        } else {
            self.table.push(group);
            index(self.table.len() - 1)
        };
        self.numbers.insert(key.clone(), number);
        number
    }

    pub(crate) fn get(&self, key: &K) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    pub(crate) fn key(&self, number: u32) -> Option<&K> {
        self.table.get(at(number))?.key.as_ref()
    }

    pub(crate) fn members(&self, number: u32) -> &[u32] {
        &self.table[at(number)].members
    }

    /// One more than the largest number in use: the size of a table indexed by number.
    pub(crate) fn size(&self) -> usize {
        self.table.len()
    }

    /// The smallest count over all groups with a member that takes new work. `counts` is indexed by number, and
    /// `counted` is how many of its entries are not zero; it saves the pass in the common case.
    pub(crate) fn smallest(&self, counts: &[u32], counted: usize) -> u32 {
        if counted < self.working {
            return 0;
        }
        let open = self
            .table
            .iter()
            .zip(counts)
            .filter(|(group, _)| group.open > 0);
        open.map(|(_, count)| *count).min().unwrap_or(0)
    }
}

/// A number as a table index.
pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).expect("a u32 fits a usize on every target we build for")
}

/// A table index as a number.
pub(crate) fn index(position: usize) -> u32 {
    u32::try_from(position).expect("fewer than 2^32 entries fit in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_reused_when_its_last_bearer_leaves() {
        let mut groups = Groups::<String>::default();
        let first = groups.join(&"a".to_owned(), 0, true);
        groups.join(&"a".to_owned(), 1, false);
        groups.leave(first, 0, true);
        assert_eq!(groups.get(&"a".to_owned()), Some(first));
        groups.leave(first, 1, false);
        assert_eq!(groups.get(&"a".to_owned()), None);
        assert_eq!(groups.join(&"b".to_owned(), 2, true), first);
        assert_eq!(groups.size(), 1);
    }

    #[test]
    fn the_smallest_count_looks_only_at_groups_that_take_work() {
        let mut groups = Groups::<u8>::default();
        let busy = groups.join(&1, 0, true);
        let closed = groups.join(&2, 1, false);
        let mut counts = vec![0; groups.size()];
        counts[at(busy)] = 3;
        counts[at(closed)] = 0;
        assert_eq!(groups.smallest(&counts, 1), 3);
        groups.join(&3, 2, true);
        counts.push(0);
        assert_eq!(groups.smallest(&counts, 1), 0);
    }
}
