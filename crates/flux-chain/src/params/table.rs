//! A number that changed with the height.

/// Values with the height each counts from, ascending; the first counts from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeightTable {
    first: u32,
    later: Vec<(u32, u32)>,
}

impl HeightTable {
    /// A value that never changes.
    pub const fn constant(value: u32) -> Self {
        Self {
            first: value,
            later: Vec::new(),
        }
    }

    /// Adds a value that counts from `since` on, or not at all when `since` is `None`. Heights must be added in ascending order;
    /// of two at one height the later counts.
    #[must_use]
    pub fn then(mut self, since: Option<u32>, value: u32) -> Self {
        if let Some(since) = since {
            self.later.push((since, value));
        }
        self
    }

    /// The value at a height.
    pub fn at(&self, height: u32) -> u32 {
        self.later
            .iter()
            .rev()
            .find(|(since, _)| *since <= height)
            .map_or(self.first, |(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_from_its_height_on() {
        let table = HeightTable::constant(60)
            .then(Some(100), 80)
            .then(None, 7)
            .then(Some(200), 160);
        assert_eq!(
            [0, 99, 100, 199, 200, u32::MAX].map(|height| table.at(height)),
            [60, 60, 80, 80, 160, 160]
        );
    }
}
