//! What a loop does wrong, found out from the stamps of its own frames.

mod finding;
mod judge;
mod report;
mod sample;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::finding::{Check, Finding};
pub use self::report::SelfReport;
use self::sample::{Before, Sample};
use super::{FrameRecord, Ring};
use crate::pacing::{FramePacer, Throttle};

/// A declared interval that differs from the one before by more than this share of it is another one; less is what measuring it anew makes of it.
const DIFFERS: f64 = 0.03;

/// What a loop says of itself, so that its frames can be held against it. What is not known is left out, and the checks
/// that need it say so.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// The display's refresh interval, measured or nominal.
    pub refresh: Option<Duration>,
    /// The time from frame to frame that the loop aims at; `None`: none, frames are made as fast as they can be.
    pub interval: Option<Duration>,
    /// The time from frame to frame that it keeps to at present, where work that does not fit has made that longer; `None`: as
    /// `interval`.
    pub kept_interval: Option<Duration>,
    /// Swap was asked to wait for the display (swap interval 1).
    pub vsync: bool,
    /// What is known of that: see [`FramePacer::throttle`](crate::pacing::FramePacer::throttle). Untested: it is found out
    /// from the frames.
    pub throttle: Throttle,
    /// The share of frames that may miss their display time.
    pub miss_budget: Option<f64>,
}

impl Declared {
    /// What a loop that keeps to this pacer aims at, with swap interval 0 (else set [`vsync`](Self::vsync) as well). It changes
    /// as the pacer learns: declare it anew with each frame, which costs a comparison.
    #[must_use]
    pub fn of(pacer: &FramePacer) -> Self {
        Self {
            refresh: pacer.state().refresh,
            interval: pacer.wanted_interval(),
            kept_interval: Some(pacer.interval()),
            vsync: false,
            throttle: pacer.throttle(),
            miss_budget: pacer.miss_budget(),
        }
    }
}

/// Looks at the stamps of a loop's frames and says what is wrong with the loop, after [`FRAMES`](Self::FRAMES) of them.
///
/// Pure. It keeps the newest frames, about 200 bytes of each, in memory that is taken when it is made. A frame costs well
/// under a microsecond and no allocation; [`report`](Self::report) sorts and allocates.
///
/// Every [`Recorder`](super::Recorder) has one, so that runs by [`run`](fn@crate::run) and
/// [`Runtime`](crate::runtime::Runtime) have theirs in [`Summary::self_check`](crate::Summary::self_check). A loop that takes
/// only the pacer feeds one with what it knows:
///
/// ```
/// use scanout::pacing::{FramePacer, Pacing};
/// use scanout::stats::{Declared, Finding, FrameRecord, SelfCheck, Stage};
/// use scanout::time::Timestamp;
/// use std::time::Duration;
///
/// let mut pacer = FramePacer::new(Pacing::fixed(100.0).unwrap(), 60.0);
/// let mut check = SelfCheck::new();
/// check.declare(Declared { interval: Some(pacer.interval()), ..Declared::default() });
/// let mut now = Timestamp::from_nanos(1_000_000_000);
/// for _ in 0..SelfCheck::FRAMES {
///     let plan = pacer.plan(now);
///     let mut frame = FrameRecord::for_plan(&plan);
///     // The mistake: input is read here, and only then the loop waits.
///     frame.mark(Stage::InputSampled, now);
///     now = now.max(plan.wake_at);
///     frame.mark(Stage::LogicDone, now);
///     now += Duration::from_millis(2);
///     frame.mark(Stage::Submitted, now);
///     frame.mark(Stage::SwapBegin, now);
///     frame.mark(Stage::SwapEnd, now);
///     check.frame(&frame);
///     pacer.submitted(plan.id, now, Default::default());
/// }
/// let report = check.report().expect("enough frames");
/// assert!(matches!(report.findings[..], [Finding::InputBeforeWait { .. }]), "{report}");
/// assert_eq!(report.findings[0].to_string(), "input is sampled before the wait: 8.0 ms of SampleToPhoton could go");
/// ```
#[derive(Clone, Debug)]
pub struct SelfCheck {
    declared: Declared,
    visible: bool,
    before: Before,
    samples: Ring<Sample>,
    frames: u64,
}

impl Default for SelfCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl SelfCheck {
    /// So many frames are looked at, the newest ones, and before there are so many nothing is said. Five seconds at 60 Hz:
    /// enough for a declared share of misses of half a percent to be told from one of three.
    pub const FRAMES: usize = 300;

    /// A check that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            declared: Declared::default(),
            visible: true,
            before: Before::default(),
            samples: Ring::new(Self::FRAMES),
            frames: 0,
        }
    }

    /// What the loop aims at from now on. Where that is another display, another interval, or another use of swap, the frames
    /// seen so far no longer count.
    pub fn declare(&mut self, declared: Declared) {
        let differs = |a: Option<Duration>, b: Option<Duration>| match (a, b) {
            (Some(a), Some(b)) => a.abs_diff(b).as_secs_f64() > DIFFERS * b.as_secs_f64(),
            // An interval that becomes known changes nothing of the frames.
            _ => false,
        };
        let before = std::mem::replace(&mut self.declared, declared);
        if before.vsync != declared.vsync
            || before.interval.is_none() != declared.interval.is_none()
            || differs(before.refresh, declared.refresh)
            || differs(before.interval, declared.interval)
        {
            self.restart();
        }
    }

    /// What the loop aims at.
    #[must_use]
    pub const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// The frames seen so far no longer count.
    pub fn restart(&mut self) {
        self.samples.clear();
        self.before = Before::default();
        self.frames = 0;
    }

    /// Whether anything of the frames that come next is seen, where the caller knows.
    pub const fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
    }

    /// Takes a frame with all that will be known of it. Frames come in the order of drawing. About 50 ns (user time of five
    /// million frames, release build); no allocation.
    pub fn frame(&mut self, frame: &FrameRecord) {
        let mut sample = self.before.take(frame);
        sample.hidden = !self.visible;
        self.samples.push(sample);
        self.frames += 1;
    }

    /// How many frames were taken since the start or the last [restart](Self::restart).
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What the newest frames say; `None` before there were [`FRAMES`](Self::FRAMES). Allocates and sorts.
    #[must_use]
    pub fn report(&self) -> Option<SelfReport> {
        self.report_after(Self::FRAMES)
    }

    /// Medians of fewer frames say little: of so many at least a report is made.
    pub const LEAST: usize = 30;

    /// The same of fewer frames, at least [`LEAST`](Self::LEAST) of them: a run that is too short for rare things, and says so by its
    /// [`SelfReport::frames`].
    #[must_use]
    pub fn report_after(&self, frames: usize) -> Option<SelfReport> {
        let samples = self.samples.list();
        (samples.len() >= frames.max(Self::LEAST)).then(|| judge::judge(&samples, &self.declared))
    }
}
