use super::Distribution;

/// Passes of different names that are told apart.
const NAMES: usize = 16;

/// What the passes of frames took the GPU, by their names.
#[derive(Clone, Debug, Default)]
pub struct PassTimes {
    passes: Vec<(&'static str, Distribution)>,
    others: u64,
}

impl PassTimes {
    /// Counts a pass. About 20 ns; the first one of a name takes memory.
    pub(super) fn record(&mut self, name: &'static str, nanos: i64) {
        if let Some((_, times)) = self.passes.iter_mut().find(|(known, _)| *known == name) {
            times.record(nanos);
        } else if self.passes.len() < NAMES {
            let mut times = Distribution::default();
            times.record(nanos);
            self.passes.push((name, times));
        } else {
            self.others += 1;
        }
    }

    /// The passes in the order in which they first came, in nanoseconds.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Distribution)> {
        self.passes.iter().map(|(name, times)| (*name, times))
    }

    /// Whether nothing was timed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }

    /// Passes that were not counted, because there are too many names.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_counted_by_name_and_too_many_names_are_told() {
        let names: Vec<&'static str> =
            (0..NAMES + 3).map(|n| &*Box::leak(format!("pass {n}").into_boxed_str())).collect();
        let mut passes = PassTimes::default();
        for round in 1..=2 {
            names.iter().for_each(|name| passes.record(name, round * 1_000));
        }
        assert_eq!(passes.iter().map(|(name, _)| name).collect::<Vec<_>>(), names[..NAMES]);
        assert!(passes.iter().all(|(_, times)| times.count() == 2));
        assert_eq!(passes.others(), 6);
    }
}
