//! A quick no to "does it hold this pod?".

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

/// A small Bloom filter: says surely whether something is absent, and mostly whether it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BloomFilter(u128);

impl BloomFilter {
    /// The sieve that holds one thing.
    pub(super) fn of(thing: &impl Hash) -> Self {
        let hash = FixedState::default().hash_one(thing);
        let bit = |shift: u32| 1_u128 << ((hash >> shift) & 127);
        Self(bit(0) | bit(20) | bit(40))
    }

    /// Takes in what another one holds.
    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// False only where nothing that made `thing` was added.
    pub(super) fn may_hold(self, thing: Self) -> bool {
        self.0 & thing.0 == thing.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_most_else_is_not() {
        let mut sieve = BloomFilter::default();
        for number in 0..10 {
            sieve.add(BloomFilter::of(&number));
        }
        assert!((0..10).all(|number| sieve.may_hold(BloomFilter::of(&number))));
        let wrong = (10..1_010).filter(|number| sieve.may_hold(BloomFilter::of(number)));
        assert!(wrong.count() < 50);
    }
}
