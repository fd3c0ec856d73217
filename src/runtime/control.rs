use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::input::Size;
use crate::pacing::{LayoutChoice, MissBudget, Pacing, Rate, VrrRange};
use crate::time::Timestamp;

/// How long after a switch to or from [`Pacing::Naive`] the frames belong to no figures: queues and what is learnt settle.
pub const SETTLING: Duration = Duration::from_secs(1);

/// What is to be different from the next frame on. What is left out stays as it is.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Changes {
    /// Another pacing mode.
    pub pacing: Option<Pacing>,
    /// Another layout of logic and drawing.
    pub layout: Option<LayoutChoice>,
    /// Another share of frames that may miss; `Some(None)`: the mode's.
    pub miss_budget: Option<Option<MissBudget>>,
}

/// What the host asked of the render thread since it last looked. Wishes of one kind merge: the last one counts.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) size: Option<(Size, f32)>,
    /// There were other sizes before that one, which a driver may have seen.
    pub(super) wandered: bool,
    pub(super) visible: Option<bool>,
    pub(super) refresh_hz: Option<f64>,
    pub(super) pacing: Option<Pacing>,
    pub(super) miss_budget: Option<Option<MissBudget>>,
    pub(super) cap: Option<Option<Rate>>,
    pub(super) vrr: Option<Option<VrrRange>>,
    pub(super) layout: Option<LayoutChoice>,
    pub(super) host_tick: Option<Option<Timestamp>>,
    pub(super) redraw: bool,
    pub(super) toggle_overlay: bool,
    /// Steps from one pacing mode to the next.
    pub(super) next_pacing: u8,
    /// There is input for the overlay.
    pub(super) overlay_input: bool,
}

impl Wishes {
    /// With what was wanted on the render thread itself.
    pub(super) fn with(mut self, changes: Option<Changes>) -> Self {
        if let Some(changes) = changes {
            self.pacing = self.pacing.or(changes.pacing);
            self.layout = self.layout.or(changes.layout);
            self.miss_budget = self.miss_budget.or(changes.miss_budget);
        }
        self
    }
}

/// Shared by the host and both threads. The lock is taken when the host wishes something, not per frame.
#[derive(Debug, Default)]
pub(super) struct Control {
    stop: AtomicBool,
    dirty: AtomicBool,
    /// There is input for the overlay. It may come with every motion of the pointer, so it takes no lock.
    overlay_input: AtomicBool,
    wishes: Mutex<Wishes>,
}

impl Control {
    pub(super) fn stopping(&self) -> bool {
        // Acquire pairs with `stop`: what was written before asking to stop is seen by who sees the flag.
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn wish(&self, f: impl FnOnce(&mut Wishes)) {
        f(&mut self.wishes.lock());
        // Release after the lock: who sees the flag finds the wish.
        self.dirty.store(true, Ordering::Release);
    }

    #[cfg(feature = "window")]
    pub(super) fn overlay_input(&self) {
        self.overlay_input.store(true, Ordering::Release);
    }

    pub(super) fn take_wishes(&self) -> Option<Wishes> {
        // The flag is cleared before the lock is taken, so that a wish made in between raises it again.
        let wishes =
            self.dirty.swap(false, Ordering::AcqRel).then(|| std::mem::take(&mut *self.wishes.lock()));
        // Acquire: the event was sent before the flag was raised, so whoever sees the flag finds the event.
        if self.overlay_input.swap(false, Ordering::AcqRel) {
            return Some(Wishes { overlay_input: true, ..wishes.unwrap_or_default() });
        }
        wishes
    }
}
