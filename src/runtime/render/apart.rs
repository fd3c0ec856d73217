use crate::pacing::Pacing;
use crate::runtime::SETTLING;
use crate::time::Timestamp;

/// Which frames are kept out of the run's figures. The loop that others have ([`Pacing::Naive`]) is drawn with for comparison:
/// its frames are no part of them, unless the run was started with it.
#[derive(Debug)]
pub(super) struct Apart {
    started_with: Pacing,
    until: Timestamp,
}

impl Apart {
    pub(super) const fn new(started_with: Pacing) -> Self {
        Self { started_with, until: Timestamp::ZERO }
    }

    /// The mode was switched.
    pub(super) fn switched(&mut self, from: Pacing, to: Pacing, now: Timestamp) {
        if self.started_with == Pacing::Naive {
            return;
        }
        if to == Pacing::Naive {
            self.until = Timestamp::MAX;
        } else if from == Pacing::Naive {
            self.until = now + SETTLING;
        }
    }

    /// Whether a frame that began at `at` is one of them.
    pub(super) fn has(&self, at: Timestamp) -> bool {
        at < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn naive_frames_are_apart_and_those_that_settle_after_them() {
        let mut apart = Apart::new(Pacing::Auto);
        assert!(!apart.has(at(0)));
        apart.switched(Pacing::Auto, Pacing::Naive, at(1_000));
        assert!(apart.has(at(900_000)));
        apart.switched(Pacing::Naive, Pacing::Smooth, at(5_000));
        assert!(apart.has(at(5_999)) && !apart.has(at(6_000)));
        apart.switched(Pacing::Smooth, Pacing::Auto, at(9_000));
        assert!(!apart.has(at(9_000)));
    }

    #[test]
    fn a_run_that_was_started_naive_is_all_of_it_counted() {
        let mut apart = Apart::new(Pacing::Naive);
        apart.switched(Pacing::Naive, Pacing::Auto, at(1));
        apart.switched(Pacing::Auto, Pacing::Naive, at(2));
        assert!(!apart.has(at(3)));
    }
}
