use super::Work;
use crate::pacing::PlanId;
use crate::time::Timestamp;

/// Frames of which the plan is remembered until the last is known of them: more than any swap chain holds.
const REMEMBERED: usize = 16;

/// A planned frame, until the last is known of it.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Flight {
    pub(super) id: PlanId,
    pub(super) wake_at: Timestamp,
    pub(super) target: Option<(u64, Timestamp)>,
    /// Set where it was given its whole budget, so that a miss says something about the budget: how often the reserve
    /// had been raised by then.
    pub(super) whole: Option<u32>,
    pub(super) submitted: Option<Timestamp>,
    pub(super) gpu_done: Option<Timestamp>,
    pub(super) work: Work,
    /// No refresh sets its deadline.
    pub(super) on_grid: bool,
    /// Its budget in nanoseconds.
    pub(super) room: i64,
    pub(super) counted: bool,
    pub(super) judged: bool,
    /// Its outcome teaches the pacer, and is in no count.
    pub(super) left_out: bool,
    /// The refresh at which it was displayed, as far as that was measured.
    pub(super) shown: Option<u64>,
    /// It comes while the frame before still waits.
    pub(super) ahead: bool,
    /// Something was told of what became of it.
    pub(super) answered: bool,
    /// Nothing had been told when the next frame was to begin, so many nanoseconds after the target, and nothing was made of
    /// that since.
    pub(super) silent: Option<i64>,
}

impl Flight {
    /// When the display could have it.
    pub(super) fn ready(&self) -> Option<Timestamp> {
        self.submitted.map(|at| self.gpu_done.map_or(at, |done| done.max(at)))
    }
}

/// The last [`REMEMBERED`] planned frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights([Flight; REMEMBERED]);

impl Flights {
    /// Where frame `id` is, or was, or another one that came instead: its own number says.
    pub(super) const fn at(&self, id: PlanId) -> &Flight {
        &self.0[id.slot(REMEMBERED)]
    }

    pub(super) fn get(&mut self, id: PlanId) -> Option<&mut Flight> {
        Some(&mut self.0[id.slot(REMEMBERED)]).filter(|flight| flight.id == id && id.0 > 0)
    }

    pub(super) const fn put(&mut self, flight: Flight) {
        self.0[flight.id.slot(REMEMBERED)] = flight;
    }

    /// What the frames aim at means nothing any more.
    pub(super) fn forget_targets(&mut self) {
        for flight in &mut self.0 {
            (flight.target, flight.whole, flight.silent) = (None, None, None);
        }
    }
}
