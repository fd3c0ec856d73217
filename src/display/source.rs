//! What every presentation source does, whatever the platform.

use std::fmt;
use std::time::Duration;

use crate::pacing::{FrameId, Origin, Presentation, VblankSample};
use crate::time::Timestamp;

/// Somebody who knows when the display refreshes, or when a frame was displayed.
///
/// A source lives on the render thread and never waits: it asks around a swap, and [`poll`](Self::poll) collects what
/// has arrived since. It may believe what it is told: [`Watch`](super::Watch) judges that.
pub trait VsyncSource {
    /// Its name in logs and reports.
    fn name(&self) -> &'static str;

    /// Who stands behind the display times of frames that it tells; [`Origin::Estimated`] where it tells none.
    fn origin(&self) -> Origin;

    /// Whether it tells of each frame what became of it. It may turn out to only while running.
    fn answers(&self) -> bool;

    /// Whether it may be chosen. A source that first has to find out whether it has something to say is not at the
    /// beginning, and is told of every frame until it is.
    fn ready(&self) -> bool {
        true
    }

    /// Whether it only says, frame by frame, that the display is ready for the next one, and nothing of when it shows
    /// them. The loop draws the next frame when it has said so.
    fn one_by_one(&self) -> bool {
        false
    }

    /// Whether it knows if the window is shown at all. It is told of every frame then, though another source tells
    /// display times, and the silence of others is no fault while it is silent too.
    fn tells_visibility(&self) -> bool {
        false
    }

    /// How soon it should be polled again while something is expected of it. What it stamps itself may lie.
    fn poll_every(&self) -> Duration {
        Duration::from_millis(4)
    }

    /// The display's nominal rate is `hz` from now on (another monitor, another mode). What was concluded from the old one no
    /// longer holds.
    fn set_refresh(&mut self, hz: f64) {
        let _ = hz;
    }

    /// A swap follows on this thread, at `now`. Requests that belong to what it commits are made here.
    fn before_swap(&mut self, id: FrameId, now: Timestamp);

    /// The swap returned at `now`.
    fn after_swap(&mut self, id: FrameId, now: Timestamp);

    /// The GPU was seen done with a frame at `at`: from then on the display alone decides.
    fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        let _ = (id, at);
    }

    /// Passes on what has arrived. Does not wait.
    ///
    /// # Errors
    /// When the source is of no use any more.
    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError>;
}

/// What a source says.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SourceEvent {
    /// The display began a refresh.
    Vblank(VblankSample),
    /// What became of a frame.
    Presented(FrameId, Presentation),
    /// The display shows nothing of the window (`false`), or shows it again.
    Visible(bool),
    /// The display that shows the window has this nominal rate in Hz now: another mode, or another display. Told again, or not a
    /// number above 1, it changes nothing.
    Rate(f64),
}

/// Why a source is of no use, from the start or from now on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceError {
    reason: String,
    lost: bool,
}

impl SourceError {
    /// It does not do what it should, or is not there. `reason` completes the sentence "not this one: ..".
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), lost: false }
    }

    /// The connection to the display server broke. Whoever draws over it will say so as well.
    #[must_use]
    pub fn lost(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), lost: true }
    }

    /// Whether the connection broke.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.lost
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SourceError {}
