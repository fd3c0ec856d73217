use super::SortKey;

/// An object to be sorted: its key, and where it was recorded.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// What it is sorted by.
    pub key: SortKey,
    /// Its place among the recorded objects.
    pub index: u32,
}

/// Sorts [`Entry`]s by the bits of [`SortKey::SORTED`]; what is equal in them stays as it was. Keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct Sorter {
    spare: Vec<Entry>,
}

/// One digit of the radix sort. 11 bits: 8 KiB of counters stay in the fastest cache, and depth, state and mesh of a
/// scene fit into two or three.
const DIGIT: u32 = 11;
const COUNTERS: usize = 1 << DIGIT;

/// Below so many entries comparing is quicker than clearing and adding up the counters (docs/rendering.md).
const FEW: usize = 512;

impl Sorter {
    /// Radix sort for many, pattern-defeating quicksort for few. Entries are to be in the order of their indices.
    /// Digits in which all keys agree cost nothing. Allocates only when there are more than ever before.
    pub fn sort(&mut self, entries: &mut Vec<Entry>) {
        if entries.len() < FEW { Self::sort_by_comparing(entries) } else { self.sort_by_digits(entries) }
    }

    /// The pattern-defeating quicksort of the standard library.
    pub fn sort_by_comparing(entries: &mut [Entry]) {
        entries.sort_unstable_by_key(|e| (e.key.sorted_bits(), e.index));
    }

    /// Radix sort, the lowest digit first.
    pub fn sort_by_digits(&mut self, entries: &mut Vec<Entry>) {
        let (any, all) = entries
            .iter()
            .fold((0, !0), |(any, all), e| (any | e.key.sorted_bits(), all & e.key.sorted_bits()));
        let mut varying: u64 = any & !all;
        self.spare.resize(entries.len(), Entry::default());
        while varying != 0 {
            let shift = varying.trailing_zeros();
            let digit = |e: &Entry| (e.key.0 >> shift) as usize % COUNTERS;
            let mut places = [0_u32; COUNTERS];
            for entry in &*entries {
                places[digit(entry)] += 1;
            }
            let mut sum = 0;
            for place in &mut places {
                sum += std::mem::replace(place, sum);
            }
            for entry in &*entries {
                let place = &mut places[digit(entry)];
                self.spare[*place as usize] = *entry;
                *place += 1;
            }
            std::mem::swap(entries, &mut self.spare);
            varying &= !(((COUNTERS - 1) as u64) << shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(keys: &[u64]) -> Vec<Entry> {
        keys.iter().enumerate().map(|(i, &k)| Entry { key: SortKey(k), index: i as u32 }).collect()
    }

    proptest! {
        #[test]
        fn both_sorts_agree_with_a_stable_sort(
            keys in prop::collection::vec(any::<u64>(), 0..2_000), mask in any::<u64>(), repeat in 1_u64..1_000,
        ) {
            let keys: Vec<_> = keys.iter().map(|k| k & (mask / repeat)).collect();
            let mut want = entries(&keys);
            want.sort_by_key(|e| e.key.0 & SortKey::SORTED);
            let (mut compared, mut digits) = (entries(&keys), entries(&keys));
            Sorter::sort_by_comparing(&mut compared);
            prop_assert_eq!(&compared, &want);
            let mut sorter = Sorter::default();
            sorter.sort_by_digits(&mut digits);
            prop_assert_eq!(&digits, &want);
            // With the memory of the time before, and more or fewer of them.
            let mut again = entries(&keys[keys.len() / 2..]);
            let mut want = again.clone();
            want.sort_by_key(|e| e.key.0 & SortKey::SORTED);
            sorter.sort_by_digits(&mut again);
            prop_assert_eq!(&again, &want);
        }
    }

    #[test]
    fn equal_keys_stay_as_they_were_whatever_lies_below_the_sorted_bits() {
        let mut sorter = Sorter::default();
        for n in [FEW - 1, FEW + 1] {
            let keys: Vec<u64> = (0..n as u64).map(|i| (i % 3) << 40 | (n as u64 - i)).collect();
            let mut sorted = entries(&keys);
            sorter.sort(&mut sorted);
            assert!(
                sorted.windows(2).all(|w| (w[0].key.0 >> 40, w[0].index) < (w[1].key.0 >> 40, w[1].index))
            );
        }
    }
}
