use std::time::Duration;

use super::super::step::Steps;
use super::super::vblank::Lock;
use super::super::{Layout, Origin, PlanId, Rate};
#[cfg(doc)]
use super::{FramePacer, LONGEST_STEP};
use crate::time::Timestamp;

/// When the next frame is to begin, and what it aims at.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The plan's number, to be named in [`FramePacer::submitted`] and the calls after it.
    pub id: PlanId,
    /// Input is sampled and logic runs at this time, not before. In the past: now. [`Timestamp::MAX`]: no frame yet. Ask again
    /// when the display has said something, and at `stale_at` at the latest; such a plan has no number. Only where frames begin
    /// with the display's notices alone ([`Variant::VsyncAlone`](crate::pacing::Variant::VsyncAlone)).
    pub wake_at: Timestamp,
    /// Swap is not called before this time, where the frame would be displayed too early otherwise.
    pub swap_at: Option<Timestamp>,
    /// The display time that the frame is meant for, where the mode has one.
    pub target_presentation: Option<Timestamp>,
    /// The time that the frame was given, from `wake_at` until the display has it, where the mode has a deadline.
    pub budget: Option<Duration>,
    /// How far animation moves on. `None`: by as much time as has passed since the last step, up to
    /// [`LONGEST_STEP`] or two [intervals](FramePacer::interval), where that is longer.
    pub dt: Option<Duration>,
    /// Logic steps of fixed length, where [`FramePacer::set_logic_step`] asked for them and `dt` is known.
    pub steps: Option<Steps>,
    /// When the frame is so late that the last snapshot is drawn again in its place, if the scene moves.
    pub stale_at: Timestamp,
    /// From this time on it should be known whether the frame before was displayed, and this one has not begun: tell the pacer
    /// what has come, and [revise](super::FramePacer::revise) the plan. At `wake_at` at the latest; `None`: there is nothing
    /// to be heard by then.
    pub revise_from: Option<Timestamp>,
    /// Input that arrives after the snapshot was made, but before it was drawn, makes a newer one.
    pub refresh_on_input: bool,
    /// Nothing would be seen of the frame: draw none, and ask again at `wake_at`.
    pub parked: bool,
}

/// Displays with a variable refresh rate.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct VrrRange {
    /// Below this rate the display repeats frames.
    pub min_hz: f64,
    /// Its ceiling.
    pub max_hz: f64,
}

impl VrrRange {
    /// From `min_hz` to `max_hz`, when both are rates and in that order.
    #[must_use]
    pub fn new(min_hz: f64, max_hz: f64) -> Option<Self> {
        let known = |hz: f64| (1.0..=Rate::MAX).contains(&hz);
        (known(min_hz) && known(max_hz) && min_hz < max_hz).then_some(Self { min_hz, max_hz })
    }
}

/// What a pacer has come to know, for reports and live views.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PacerState {
    /// How well the display's refreshes are known.
    pub lock: Lock,
    /// Who says when they are.
    pub origin: Option<Origin>,
    /// The measured refresh interval, or the nominal one.
    pub refresh: Option<Duration>,
    /// The robust spread of the display's stamps about the model.
    pub spread: Duration,
    /// The time that the last planned frame was given; zero in modes without a deadline.
    pub budget: Duration,
    /// The part of it that is reserve, in nanoseconds.
    pub reserve: i64,
    /// The share of frames that may miss; `None` while frames aim at no time, so that nothing is declared.
    pub miss_budget: Option<f64>,
    /// How logic and drawing lie in time.
    pub layout: Layout,
    /// Refreshes per frame, as the load makes them, and where frames are for refreshes that are predicted also a cap.
    pub divisor: u32,
    /// Planned frames whose outcome is known, without those [left out](super::FramePacer::leave_out).
    pub judged: u64,
    /// Those among them that were displayed later than planned.
    pub missed: u64,
    /// Commits left out to empty a queue before the display.
    pub drains: u64,
    /// Plans [put off](super::FramePacer::revise) before there was a queue, as the frame before was not displayed when it should
    /// have been.
    pub postponed: u64,
    /// The source of the display times is silent: refreshes are [predicted](super::FramePacer::set_holdover).
    pub holdover: bool,
    /// How often it fell silent while the window was shown; one during which the window is hidden does not count.
    pub holdovers: u64,
    /// Grid points of a timed mode that passed without a frame.
    pub missed_ticks: u64,
    /// Animation steps that were cut because of a long gap.
    pub snaps: u64,
}

/// What a frame took, as far as the caller knows. All zero where it does not.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Work {
    /// Logic, which can run beside the drawing of another frame.
    pub logic: Duration,
    /// Drawing and swapping on the processor.
    pub drawing: Duration,
    /// Waiting between the two for [`Plan::swap_at`], which is not work.
    pub held: Duration,
}
