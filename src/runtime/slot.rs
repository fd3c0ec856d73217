use std::time::Duration;

use super::summary::Filtered;
use super::world::Demand;
use crate::pacing::Plan;
use crate::time::Timestamp;

/// What travels from the logic thread to the render thread: the user's snapshot and the stamps of its making.
#[derive(Debug, Default)]
pub(crate) struct Slot<S> {
    pub(crate) view: S,
    pub(super) marks: Marks,
}

#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Marks {
    pub(super) order: u64,
    pub(super) plan: Plan,
    pub(super) spun: Option<Duration>,
    pub(super) sampled: Option<Timestamp>,
    pub(super) done: Option<Timestamp>,
    pub(super) published: Option<Timestamp>,
    pub(super) demand: Demand,
    pub(super) animation_time: Duration,
    /// What steps of one length have left out of it so far.
    pub(super) dropped: Duration,
    pub(super) filtered: Filtered,
    pub(super) after_idle: bool,
    pub(super) inputs: InputHistory,
}

/// Steps whose inputs are remembered one by one; what is older is merged into the oldest of them.
const REMEMBERED: usize = 8;

/// The earliest input of each of the last few steps. Every snapshot carries it, so that the input of a snapshot
/// that was overwritten unread is counted with the next one that is drawn.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct InputHistory {
    steps: [(u64, Timestamp); REMEMBERED],
    len: usize,
}

impl InputHistory {
    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn push(&mut self, step: u64, earliest: Option<Timestamp>) {
        let Some(earliest) = earliest else { return };
        if self.len == REMEMBERED {
            let dropped = self.steps[0].1;
            self.steps.copy_within(1.., 0);
            self.steps[0].1 = self.steps[0].1.min(dropped);
            self.len -= 1;
        }
        self.steps[self.len] = (step, earliest);
        self.len += 1;
    }

    /// The earliest input of the steps after `seen`.
    pub(super) fn since(&self, seen: u64) -> Option<Timestamp> {
        self.steps[..self.len].iter().filter(|(step, _)| *step > seen).map(|&(_, at)| at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_gives_the_earliest_unseen_input_and_merges_the_oldest() {
        let at = Timestamp::from_nanos;
        let mut h = InputHistory::default();
        assert_eq!(h.since(0), None);
        h.push(1, Some(at(10)));
        h.push(2, None);
        h.push(3, Some(at(30)));
        assert_eq!((h.since(0), h.since(1), h.since(3)), (Some(at(10)), Some(at(30)), None));
        for step in 4..20 {
            h.push(step, Some(at(step * 10)));
        }
        assert_eq!(h.since(0), Some(at(10)), "merged, not lost");
        assert_eq!(h.since(18), Some(at(190)));
        h.clear();
        assert_eq!(h.since(0), None);
    }
}
