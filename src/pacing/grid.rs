use std::time::Duration;

use crate::time::{Timestamp, nanos};

/// Points in time at a fixed rate: `anchor + n * period`, computed from the anchor each time so that no rounding
/// accumulates.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Grid {
    anchor: Option<Timestamp>,
    tick: u64,
}

/// The next point of a [`Grid`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct GridPoint {
    pub(super) at: Timestamp,
    /// Periods since the last point that was taken.
    pub(super) steps: u64,
}

impl Grid {
    /// The next point begins a new grid.
    pub(super) const fn clear(&mut self) {
        self.anchor = None;
    }

    /// A grid that was begun starts anew at `at`.
    pub(super) const fn move_to(&mut self, at: Timestamp) {
        if self.anchor.is_some() {
            (self.anchor, self.tick) = (Some(at), 0);
        }
    }

    /// The point after the last one taken, `lead` before which a frame for it begins; the last one that has passed, when
    /// that is later. The first point of a grid is `now + lead`.
    pub(super) fn next(&mut self, now: Timestamp, period_ns: f64, lead: Duration) -> GridPoint {
        let Some(anchor) = self.anchor else {
            let at = now + lead;
            (self.anchor, self.tick) = (Some(at), 0);
            return GridPoint { at, steps: 1 };
        };
        let mut next = self.tick + 1;
        if now > point(anchor, next, period_ns) {
            // Late. The grid keeps its phase: the frame belongs to the last point that has passed.
            let passed = (nanos(now.saturating_since(anchor)) as f64 / period_ns).floor() as u64;
            next = next.max(passed);
        }
        let steps = next - self.tick;
        self.tick = next;
        GridPoint { at: point(anchor, next, period_ns), steps }
    }
}

fn point(anchor: Timestamp, tick: u64, period_ns: f64) -> Timestamp {
    anchor + Duration::from_nanos((tick as f64 * period_ns).round() as u64)
}
