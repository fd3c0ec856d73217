//! When a frame begins, what it aims at, and how much time its animation moves on.
//!
//! Pure: `now` is passed in, a plan is returned, and nothing is allocated after construction. The thread that calls
//! [`FramePacer`] does the waiting (with a [`Sleeper`](crate::display::sleep::Sleeper), say).
//!
//! Take it alone for a loop of your own; `examples/embed_pacer.rs` is one. Its parts can be had by themselves:
//!
//! | part | what it does |
//! |---|---|
//! | [`FramePacer`] | plans frames in every [`Pacing`] mode, and learns from what became of them |
//! | [`VblankModel`] | predicts refreshes from late, noisy and missing stamps |
//! | [`PeriodClock`] | steps of animation in whole refreshes; [`FixedStep`] makes logic steps of one length of them |
//! | [`WorkBudget`] | how much time a frame is given for a declared share of misses |
//! | [`TailEstimator`] | how late native sleeps end |
//! | [`ReferenceFilter`], [`Ticker`] | another delta-time filter and another scheduler, kept to be compared with |

mod budget;
mod delta;
mod grid;
mod load;
mod mode;
mod pacer;
mod step;
mod tail;
mod throttle;
mod ticker;
mod vblank;
mod window;

pub use budget::{MissBudget, WorkBudget};
pub use delta::{
    ALPHA, Alpha, DEBT_SHARE, LARGEST_DEBT, MEDIAN_WINDOW, OUTLIERS_FOR_MEDIAN, PeriodClock, ReferenceFilter,
    Step,
};
pub use load::{Layout, LayoutChoice};
pub use mode::{DeltaTime, Pacing, ParsePacingError, Rate};
pub(crate) use pacer::SAME_RATE;
pub(crate) use pacer::longest_step;
pub use pacer::{FramePacer, LONGEST_STEP, PacerState, Plan, VrrRange, Work};
pub use step::{FixedStep, Steps};
pub use tail::{FIRST_TAIL, LONGEST_TAIL, SHORTEST_TAIL, TailEstimator};
pub use throttle::Throttle;
pub use ticker::{TICKER_ALPHA, TICKER_MAX_JITTER, TICKER_WINDOW, Ticker, Variant};
pub use vblank::{FASTEST_HZ, Lock, Vblank, VblankModel, VblankSample, Verdict};

use std::fmt;
use std::str::FromStr;

use crate::time::Timestamp;

/// The number of a drawn frame, counted from 1 without gaps in the order of drawing.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct FrameId(pub u64);

impl FrameId {
    /// The id of the frame drawn after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Its place in a ring of `size` frames.
    pub(crate) const fn slot(self, size: usize) -> usize {
        (self.0 % size as u64) as usize
    }
}

impl fmt::Display for FrameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number of a plan, counted from 1 in the order of planning. A plan is no frame yet: one whose logic had nothing new to show,
/// or that was withdrawn, never becomes one, and a frame that repeats a picture has none. So the numbers of the two drift apart.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct PlanId(pub u64);

impl PlanId {
    /// The number of the plan made after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// That of the plan made before it; 0, which is no plan's, before the first.
    pub(crate) const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Its place in a ring of `size` plans.
    pub(crate) const fn slot(self, size: usize) -> usize {
        (self.0 % size as u64) as usize
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who said when a frame was displayed. Ordered from best to worst.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Origin {
    /// A stamp taken by display hardware (vertical blank interrupt, page flip).
    Hardware,
    /// A stamp by the compositor or display server, of its own repaint.
    Compositor,
    /// Our own guess, such as the time at which swap returned.
    #[default]
    Estimated,
    /// A display that does not exist: the off-screen clock, or the simulator.
    Simulated,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hardware => "hardware",
            Self::Compositor => "compositor",
            Self::Estimated => "estimated",
            Self::Simulated => "simulated",
        })
    }
}

/// The text was none of the names that [`Origin`]'s `Display` writes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct ParseOriginError;

impl fmt::Display for ParseOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin is one of: hardware, compositor, estimated, simulated")
    }
}

impl std::error::Error for ParseOriginError {}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hardware" => Ok(Self::Hardware),
            "compositor" => Ok(Self::Compositor),
            "estimated" => Ok(Self::Estimated),
            "simulated" => Ok(Self::Simulated),
            _ => Err(ParseOriginError),
        }
    }
}

/// What became of a submitted frame. Measured and estimated times are different variants on purpose.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Presentation {
    /// Displayed at this time, as said by `Origin`.
    At(Timestamp, Origin),
    /// Probably displayed at about this time; nobody told us.
    Estimated(Timestamp),
    /// Never displayed.
    Dropped,
}

impl Presentation {
    /// The display time with its origin, or `None` for a dropped frame.
    #[must_use]
    pub const fn time(self) -> Option<(Timestamp, Origin)> {
        match self {
            Self::At(t, origin) => Some((t, origin)),
            Self::Estimated(t) => Some((t, Origin::Estimated)),
            Self::Dropped => None,
        }
    }
}

/// What the graphics system and the display say about earlier frames and about themselves. It may come in any order
/// and at any time after the swap.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Feedback {
    /// The GPU was seen done with the frame at this time.
    GpuDone(FrameId, Timestamp),
    /// What became of the frame.
    Presented(FrameId, Presentation),
    /// A pass of this frame took the GPU from here to there.
    GpuPass(FrameId, &'static str, Timestamp, Timestamp),
    /// The display began a refresh.
    Vblank(VblankSample),
    /// From now on this source tells display times, of this origin.
    Source(&'static str, Origin),
    /// Whether the source only says, frame by frame, that the display is ready for the next one, and nothing of when it
    /// shows them.
    OneByOne(bool),
    /// An answer of the source is due for three refreshes (`true`), or none is any more (`false`): in between nothing is known of
    /// the display but what can be predicted. Comes after what else became known with it; another source ends it without a word.
    /// Sources that [know whether the window is shown](crate::display::VsyncSource::tells_visibility) have none.
    Holdover(bool),
    /// The display was found to show nothing of the window (`false`), or to show it again.
    Visible(bool),
    /// The display has this nominal rate in Hz from now on (1 or above): for [`FramePacer::set_refresh`]. The chain that says so has
    /// taken it over.
    Rate(f64),
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn names_of_origins_are_read_back_and_others_are_refused() {
        for origin in [Origin::Hardware, Origin::Compositor, Origin::Estimated, Origin::Simulated] {
            assert_eq!(origin.to_string().parse(), Ok(origin));
        }
        assert!("".parse::<Origin>().is_err() && "Hardware".parse::<Origin>().is_err());
    }
}
