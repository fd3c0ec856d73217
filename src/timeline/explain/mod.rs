//! What made late frames late.
//!
//! A frame is late when it was displayed more than half a refresh after what it aimed at, or, where it aimed at nothing,
//! after one frame interval from the frame before. Its way from the planned start to the display is cut into what its
//! threads and the GPU did in it ([`Costs`]); what that took is held against the same in frames that were on time, and
//! the largest difference is the cause. A frame that was ready when frames that were on time were, and yet was displayed
//! late, was held up behind us: by the compositor, or by the display that a run off screen simulates. Where no difference
//! explains the delay no cause is named.
//!
//! Pure: it works on what was recorded, in this process or in another one's file.

mod costs;
mod spans;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

use std::time::Duration;

use super::Event;
use crate::pacing::FrameId;
use crate::stats::FrameRecord;

pub use costs::Costs;
pub use verdict::explain;

/// Fewest frames of which it can be said what is usual, and fewest that are worth a verdict.
pub const FEWEST: usize = 8;

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What can hold a frame up.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
        #[non_exhaustive]
        pub enum Cause { $($(#[doc = $doc])+ $name,)+ }

        impl Cause {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// In a few words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

causes! {
    /// The logic's step, from sampling its input to its snapshot.
    Logic = "logic",
    /// Drawing, on the processor.
    Render = "render CPU",
    /// Swap, or a call while drawing, did not return, and the GPU was not known to be busy.
    Driver = "driver",
    /// A fence of this frame or an earlier one came late, and the GPU was not known to be busy.
    Fence = "fence wait",
    /// The driver compiled or linked a shader.
    Compile = "shader compile",
    /// Data went to the driver.
    Upload = "upload",
    /// The GPU was busy.
    Gpu = "GPU",
    /// The frame was ready in time and displayed late.
    Compositor = "compositor",
    /// The same on a simulated display, where there is no compositor.
    SimulatedDisplay = "simulated display",
    /// A thread woke late, or was ready to run and did not.
    Scheduler = "scheduler",
}

impl Cause {
    /// Whether it comes after all that is ours.
    pub(super) const fn is_behind_us(self) -> bool {
        matches!(self, Self::Compositor | Self::SimulatedDisplay)
    }
}

/// What was recorded of a run.
#[derive(Copy, Clone, Debug)]
pub struct Observed<'a> {
    /// The display's refresh interval; zero: unknown.
    pub refresh: Duration,
    /// From frame to frame; zero: unknown.
    pub interval: Duration,
    /// Frames up to this number are warm-up.
    pub warmup: u64,
    /// The frames in their order.
    pub frames: &'a [FrameRecord],
    /// What happened, in any order.
    pub events: &'a [Event<'a>],
}

/// A late frame.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Late {
    /// The frame.
    pub frame: FrameId,
    /// How late.
    pub by: Duration,
    /// Why; `None`: nothing in it stands out enough.
    pub cause: Option<Cause>,
    /// What the cause took in this frame.
    pub took: Duration,
}

/// A cause and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// The frames that it made late, the latest first.
    pub frames: Vec<(FrameId, Duration)>,
    /// What it took in these frames, as their median.
    pub took: Duration,
    /// What it took in frames that were on time, as their median; `None` where these were too few.
    pub usual: Option<Duration>,
    /// What more can be said.
    pub detail: String,
}

/// What [`explain`] found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Frames that had a time to be late for.
    pub judged: usize,
    /// Those that were late, in their order.
    pub late: Vec<Late>,
    /// The causes, the most frequent first.
    pub findings: Vec<Finding>,
    /// Why nothing can be said; `None` where something can.
    pub unknown: Option<&'static str>,
    /// Somebody told what the GPU took.
    pub gpu_timed: bool,
}
