//! How many frames per second there may be, for modes that would begin one at once.

use std::time::Duration;

use crate::pacing::Rate;
use crate::time::Timestamp;

/// A frame that begins late by up to this share of the interval moves none of those after it.
const LATE: u32 = 4;

/// Never more frames per second than a rate. Where frames wait for a throttled swap, starts keep to a grid that moves on only for a
/// frame that comes later than a quarter of the interval: held to the interval since the start before, the lateness of every
/// swap's return would add up, and at the display's rate a refresh would be missed every so often. Elsewhere each start is an
/// interval after the one before at the least.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Cap {
    rate: Option<Rate>,
    /// Where in the grid the frame before stands.
    from: Option<Timestamp>,
}

impl Cap {
    pub(super) const fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Whether it changed.
    pub(super) fn set(&mut self, rate: Option<Rate>) -> bool {
        let changed = self.rate != rate;
        if changed {
            *self = Self { rate, from: None };
        }
        changed
    }

    /// In nanoseconds; 0 without a cap.
    pub(super) fn period(&self) -> f64 {
        self.rate.map_or(0.0, |rate| 1e9 / rate.hz())
    }

    /// Now, or when the next frame may begin.
    pub(super) fn earliest(&self, now: Timestamp) -> Timestamp {
        self.next().map_or(now, |next| next.max(now))
    }

    /// A frame begins; after the return of a `throttled` swap it may be a little late.
    pub(super) fn began(&mut self, at: Timestamp, throttled: bool) {
        let Some(rate) = self.rate else { return };
        let late = if throttled { at - rate.period() / LATE } else { at };
        self.from = Some(self.next().map_or(at, |next| if late <= next { next.min(at) } else { at }));
    }

    /// A frame begins after a wait whose length says nothing.
    pub(super) fn rested(&mut self, at: Timestamp) {
        self.from = self.rate.map(|_| at);
    }

    fn next(&self) -> Option<Timestamp> {
        let passed: Duration = self.rate?.period();
        Some(self.from? + passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(ms)
    }

    fn capped() -> Cap {
        let mut cap = Cap::default();
        assert!(cap.set(Rate::new(50.0)) && !cap.set(Rate::new(50.0)));
        cap
    }

    #[test]
    fn starts_keep_to_a_grid_and_a_little_lateness_does_not_move_it() {
        let mut cap = capped();
        assert_eq!(cap.earliest(at(7)), at(7));
        cap.began(at(7), true);
        assert_eq!((cap.earliest(at(8)), cap.earliest(at(40))), (at(27), at(40)));
        cap.began(at(31), true);
        assert_eq!(cap.earliest(at(32)), at(47));
        cap.began(at(53), true);
        assert_eq!(cap.earliest(at(54)), at(73), "more than a quarter late");
        cap.began(at(75), false);
        assert_eq!(cap.earliest(at(76)), at(95), "nothing spaces the frames but the cap");
        cap.rested(at(900));
        assert_eq!(cap.earliest(at(901)), at(920));
        assert!(cap.set(None) && cap.set(Rate::new(50.0)));
        assert_eq!(cap.earliest(at(902)), at(902), "another cap");
    }

    #[test]
    fn frames_that_begin_early_are_not_paid_for_later() {
        let mut cap = capped();
        // In a mode that begins frames by other rules.
        for ms in [0, 5, 10, 15] {
            cap.began(at(ms), true);
            assert_eq!(cap.earliest(at(ms)), at(ms + 20));
        }
    }

    #[test]
    fn never_more_than_the_rate_however_late_each_start_is() {
        let mut cap = capped();
        let (mut now, mut starts) = (at(0), Vec::new());
        for n in 0..1_000_u64 {
            now = cap.earliest(now) + Duration::from_micros(n * 7_919 % 6_000);
            cap.began(now, true);
            starts.push(now);
        }
        for (from, to) in starts.iter().zip(&starts[100..]) {
            let passed = to.saturating_since(*from);
            assert!(passed >= Duration::from_millis(1_994), "{passed:?}");
        }
    }

    #[test]
    fn without_a_cap_nothing_waits() {
        let mut cap = Cap::default();
        cap.began(at(5), true);
        assert_eq!((cap.earliest(at(5)), cap.period()), (at(5), 0.0));
    }
}
