//! Which frames the figures of a run are about: what was drawn in which pacing mode, and what is kept apart.

use std::time::Duration;

use super::control::SETTLING;
use crate::pacing::{PacerState, Pacing};
use crate::time::Timestamp;

/// Modes that are told apart. A host that sets ever new rates takes no more memory for that.
const MODES: usize = 16;

/// How many frames were drawn in a pacing mode, those of the warm-up left out.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModeFrames {
    /// The mode.
    pub pacing: Pacing,
    /// Frames that the figures are made of.
    pub frames: u64,
    /// Frames that were kept [apart](crate::stats::FrameRecord::apart).
    pub apart: u64,
}

/// What a pacer counts over a run, besides the outcome of plans, of which it leaves out what it is told to.
#[derive(Copy, Clone, Debug, Default)]
struct Tally([u64; 5]);

impl Tally {
    const fn of(state: &PacerState) -> Self {
        Self([state.drains, state.postponed, state.holdovers, state.missed_ticks, state.snaps])
    }

    fn zip(self, other: Self, f: fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

/// Sorts frames into those that count and those that are kept apart.
#[derive(Debug)]
pub(super) struct Counted {
    /// The run was started with the loop that others have: its frames are what the figures are about.
    naive: bool,
    /// Since when frames are kept apart, and what the pacer had counted by then.
    since: Option<(Timestamp, Tally)>,
    until: Timestamp,
    /// Earlier times like that, and what was counted in them.
    passed: Duration,
    tally: Tally,
    modes: Vec<ModeFrames>,
}

impl Counted {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            naive: pacing == Pacing::Naive,
            since: None,
            until: Timestamp::ZERO,
            passed: Duration::ZERO,
            tally: Tally::default(),
            modes: Vec::with_capacity(MODES),
        }
    }

    /// The loop that others have is drawn with for comparison: its frames are no part of the run's figures, nor are those
    /// after it until things have settled, unless the run was started with it. `state` is the pacer's in the old mode.
    pub(super) fn switched(&mut self, before: Pacing, mode: Pacing, now: Timestamp, state: &PacerState) {
        if self.naive {
            return;
        }
        if mode == Pacing::Naive {
            self.since.get_or_insert((now, Tally::of(state)));
            self.until = Timestamp::MAX;
        } else if before == Pacing::Naive {
            self.until = now + SETTLING;
        }
    }

    /// Whether the frame that begins now is kept apart. No allocation.
    pub(super) fn is_apart(&mut self, now: Timestamp, state: impl FnOnce() -> PacerState) -> bool {
        if let Some((since, before)) = self.since
            && now >= self.until
        {
            self.passed += self.until.saturating_since(since);
            let counted = Tally::of(&state()).zip(before, u64::saturating_sub);
            self.tally = self.tally.zip(counted, u64::saturating_add);
            self.since = None;
        }
        self.since.is_some()
    }

    /// A frame after the warm-up was drawn in this mode. No allocation.
    pub(super) fn drawn(&mut self, pacing: Pacing, apart: bool) {
        let at = self.modes.iter().position(|mode| mode.pacing == pacing).or_else(|| {
            let free = self.modes.len();
            (free < MODES).then(|| self.modes.push(ModeFrames { pacing, frames: 0, apart: 0 })).map(|()| free)
        });
        if let Some(at) = at {
            self.modes[at].frames += u64::from(!apart);
            self.modes[at].apart += u64::from(apart);
        }
    }

    /// At the end of a run: the time in which frames were kept apart, what the pacer came to know without what it counted in
    /// that time, and the modes in the order in which they were first drawn in.
    pub(super) fn finish(
        mut self,
        now: Timestamp,
        mut state: PacerState,
    ) -> (Duration, PacerState, Vec<ModeFrames>) {
        self.until = self.until.min(now);
        self.is_apart(now, || state);
        let [drains, postponed, holdovers, missed_ticks, snaps] =
            Tally::of(&state).zip(self.tally, u64::saturating_sub).0;
        (state.drains, state.postponed, state.holdovers) = (drains, postponed, holdovers);
        (state.missed_ticks, state.snaps) = (missed_ticks, snaps);
        (self.passed, state, self.modes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(ms * 1_000_000)
    }

    fn state(ticks: u64) -> PacerState {
        let mut state = crate::pacing::FramePacer::new(Pacing::Auto, 60.0).state();
        (state.missed_ticks, state.drains, state.snaps) = (ticks, ticks / 2, ticks / 10);
        (state.postponed, state.holdovers) = (ticks / 50, ticks / 25);
        state
    }

    #[test]
    fn time_and_counts_between_the_switches_and_while_things_settle_are_left_out() {
        let mut counted = Counted::new(Pacing::Auto);
        assert!(!counted.is_apart(at(10), || unreachable!()));
        counted.switched(Pacing::Auto, Pacing::Naive, at(1_000), &state(50));
        assert!(counted.is_apart(at(1_000), || unreachable!()));
        counted.switched(Pacing::Naive, Pacing::Auto, at(3_000), &state(50));
        assert!(counted.is_apart(at(3_999), || unreachable!()), "it settles");
        // Back before it has settled: one stretch.
        counted.switched(Pacing::Auto, Pacing::Naive, at(3_999), &state(90));
        counted.switched(Pacing::Naive, Pacing::Smooth, at(5_000), &state(90));
        assert!(!counted.is_apart(at(6_500), || state(150)));
        let (apart, left, _) = counted.finish(at(9_000), state(350));
        assert_eq!(apart, Duration::from_secs(5), "1 to 6 s");
        assert_eq!((left.missed_ticks, left.drains, left.snaps), (250, 125, 25));
        assert_eq!((left.postponed, left.holdovers), (5, 10));
    }

    #[test]
    fn run_that_ends_while_frames_are_kept_apart_counts_up_to_its_end() {
        let mut counted = Counted::new(Pacing::Auto);
        counted.switched(Pacing::Auto, Pacing::Naive, at(1_000), &state(50));
        let (apart, left, _) = counted.finish(at(1_700), state(60));
        assert_eq!((apart, left.missed_ticks), (Duration::from_millis(700), 50));
    }

    #[test]
    fn run_in_the_naive_mode_keeps_nothing_apart() {
        let mut counted = Counted::new(Pacing::Naive);
        counted.switched(Pacing::Naive, Pacing::Auto, at(1_000), &state(1));
        counted.switched(Pacing::Auto, Pacing::Naive, at(2_000), &state(1));
        assert!(!counted.is_apart(at(2_001), || unreachable!()));
    }

    #[test]
    fn modes_are_counted_in_the_order_in_which_they_came_and_take_no_more_memory() {
        let mut counted = Counted::new(Pacing::Auto);
        let room = counted.modes.capacity();
        for (mode, apart) in
            [(Pacing::Smooth, false), (Pacing::Naive, true), (Pacing::Smooth, true), (Pacing::Smooth, false)]
        {
            counted.drawn(mode, apart);
        }
        (1..100).for_each(|hz| counted.drawn(Pacing::fixed(f64::from(hz)).expect("a rate"), false));
        assert_eq!(counted.modes.capacity(), room);
        let (.., modes) = counted.finish(at(1), state(0));
        let seen = modes.iter().take(2).map(|m| (m.pacing, m.frames, m.apart)).collect::<Vec<_>>();
        assert_eq!(seen, [(Pacing::Smooth, 2, 1), (Pacing::Naive, 0, 1)]);
    }
}
