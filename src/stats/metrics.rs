use std::time::Duration;

use super::{Distribution, FrameRecord, Stage};
use crate::time::nanos;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A figure of which every displayed frame gives one value. Where PresentMon defines a metric, the name
        /// and the definition are PresentMon's.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
        #[non_exhaustive]
        pub enum Metric { $($(#[doc = $doc])+ $name,)+ }

        impl Metric {
            /// All of them, in the order in which reports print them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The formula, in words.
            #[must_use]
            pub const fn formula(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

metrics! {
    /// displayed - earliest input event that contributed; a dropped frame's input goes to the next displayed one
    ClickToPhoton,
    /// displayed - input sampled by the logic thread
    SampleToPhoton,
    /// input received -> logic done
    InputToLogic,
    /// logic done -> last draw call submitted
    LogicToRender,
    /// last draw call submitted -> GPU seen done (polled: an upper bound)
    SubmitToGpuDone,
    /// last draw call submitted -> displayed
    SubmitToDisplay,
    /// input sampled -> logic done
    LogicTime,
    /// snapshot published -> acquired by the render thread
    HandOver,
    /// snapshot acquired -> last draw call submitted
    RenderTime,
    /// swap called - swap called of the frame before
    MsBetweenPresents,
    /// swap returned - swap called
    MsInPresentAPI,
    /// displayed - swap called
    MsUntilDisplayed,
    /// displayed - displayed of the frame before
    MsBetweenDisplayChange,
    /// displayed - swap returned of the frame before
    DisplayLatency,
    /// GPU seen done - swap called; negative when the GPU was done first
    RenderPresentLatency,
    /// animation step - display step, signed
    AnimationError,
    /// abs(display step - whole refresh intervals)
    IntervalJitter,
    /// start of the logic step - planned start
    WakeError,
}

/// The distributions of all [`Metric`]s over one run, and what is counted beside them.
#[derive(Clone, Debug)]
pub struct Metrics {
    distributions: Vec<Distribution>,
    refresh: Duration,
    /// Refresh intervals that a frame is meant to last.
    target: i64,
    refreshes: u64,
    missed_vsyncs: u64,
    animation_errors_over_half: u64,
}

impl Metrics {
    /// Empty distributions for a display with this refresh interval (zero: unknown).
    #[must_use]
    pub fn new(refresh: Duration) -> Self {
        Self {
            distributions: vec![Distribution::default(); Metric::ALL.len()],
            refresh,
            target: 1,
            refreshes: 0,
            missed_vsyncs: 0,
            animation_errors_over_half: 0,
        }
    }

    /// The distribution of one metric.
    #[must_use]
    pub fn get(&self, metric: Metric) -> &Distribution {
        &self.distributions[metric as usize]
    }

    /// Refresh intervals that passed between displayed frames.
    #[must_use]
    pub const fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// Refreshes that should have shown a new frame and did not: the sum of `max(0, k - k_target)`, where `k` is
    /// the number of refresh intervals between two displayed frames.
    #[must_use]
    pub const fn missed_vsyncs(&self) -> u64 {
        self.missed_vsyncs
    }

    /// Frames whose animation error exceeded half a refresh interval.
    #[must_use]
    pub const fn animation_errors_over_half(&self) -> u64 {
        self.animation_errors_over_half
    }

    /// What comes next is measured against this refresh interval (zero: unknown) and the interval between frames that
    /// the pacing mode aims at: 30 frames per second on a 60 Hz display miss nothing.
    pub fn set_refresh(&mut self, refresh: Duration, frame_interval: Duration) {
        self.refresh = refresh;
        self.target = if refresh.is_zero() {
            1
        } else {
            (frame_interval.as_secs_f64() / refresh.as_secs_f64()).round().max(1.0) as i64
        };
    }

    /// Counts a displayed frame. `previous` is the frame displayed before it.
    pub fn displayed(&mut self, previous: Option<&FrameRecord>, frame: &FrameRecord) {
        use Stage::{
            GpuDone, InputReceived, InputSampled, LogicDone, Presented, SnapshotAcquired, SnapshotPublished,
            Submitted, SwapBegin, SwapEnd,
        };
        self.record(Metric::ClickToPhoton, frame.between(InputReceived, Presented));
        // A frame that shows an old snapshot again has no sample and no hand-over of its own.
        if !frame.repeated {
            self.record(Metric::SampleToPhoton, frame.between(InputSampled, Presented));
            self.record(Metric::InputToLogic, frame.between(InputReceived, LogicDone));
            self.record(Metric::LogicToRender, frame.between(LogicDone, Submitted));
            self.record(Metric::LogicTime, frame.between(InputSampled, LogicDone));
            self.record(Metric::HandOver, frame.between(SnapshotPublished, SnapshotAcquired));
            let wake =
                frame.planned.zip(frame.at(InputSampled)).map(|(planned, at)| at.signed_since(planned));
            self.record(Metric::WakeError, wake.filter(|_| !frame.after_idle));
        }
        self.record(Metric::SubmitToGpuDone, frame.between(Submitted, GpuDone));
        self.record(Metric::SubmitToDisplay, frame.between(Submitted, Presented));
        self.record(Metric::RenderTime, frame.between(SnapshotAcquired, Submitted));
        self.record(Metric::MsInPresentAPI, frame.between(SwapBegin, SwapEnd));
        self.record(Metric::MsUntilDisplayed, frame.between(SwapBegin, Presented));
        self.record(Metric::RenderPresentLatency, frame.between(SwapBegin, GpuDone));
        if let Some(previous) = previous.filter(|_| !frame.after_idle) {
            self.step(previous, frame);
        }
    }

    fn step(&mut self, previous: &FrameRecord, frame: &FrameRecord) {
        let since = |a, b| Some(frame.at(a)?.signed_since(previous.at(b)?));
        self.record(Metric::MsBetweenPresents, since(Stage::SwapBegin, Stage::SwapBegin));
        self.record(Metric::DisplayLatency, since(Stage::Presented, Stage::SwapEnd));
        let Some(shown) = since(Stage::Presented, Stage::Presented) else { return };
        self.record(Metric::MsBetweenDisplayChange, Some(shown));
        if frame.repeated && !frame.stale {
            return; // redrawn for the window's sake: the animation did not mean to move
        }
        let moved = nanos(frame.animation_time) as i64 - nanos(previous.animation_time) as i64;
        let error = moved - shown;
        self.record(Metric::AnimationError, Some(error));
        let refresh = nanos(self.refresh) as i64;
        if refresh > 0 {
            let k = (shown as f64 / refresh as f64).round() as i64;
            self.refreshes += k.max(0) as u64;
            self.missed_vsyncs += (k - self.target).max(0) as u64;
            self.record(Metric::IntervalJitter, Some((shown - k * refresh).abs()));
            self.animation_errors_over_half += u64::from(error.abs() > refresh / 2);
        }
    }

    fn record(&mut self, metric: Metric, nanos: Option<i64>) {
        if let Some(nanos) = nanos {
            self.distributions[metric as usize].record(nanos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::FrameId;
    use crate::time::Timestamp;

    const MS: u64 = 1_000_000;

    fn frame(id: u64, start_ms: u64, presented_ms: u64, animation_ms: u64) -> FrameRecord {
        let mut r = FrameRecord::new(FrameId(id));
        let at = |ms: u64| Timestamp::from_nanos(ms * MS);
        r.mark(Stage::InputSampled, at(start_ms));
        r.mark(Stage::SwapBegin, at(start_ms + 2));
        r.mark(Stage::SwapEnd, at(start_ms + 3));
        r.mark(Stage::Presented, at(presented_ms));
        r.animation_time = Duration::from_millis(animation_ms);
        r
    }

    fn mean(m: &Metrics, metric: Metric) -> f64 {
        m.get(metric).summary().unwrap().mean
    }

    #[test]
    fn formulas_hold_on_a_worked_example() {
        let mut m = Metrics::new(Duration::from_millis(10));
        let a = frame(1, 100, 110, 10);
        let mut b = frame(2, 112, 130, 20);
        b.mark(Stage::InputReceived, Timestamp::from_nanos(105 * MS));
        m.displayed(None, &a);
        m.displayed(Some(&a), &b);
        assert!((mean(&m, Metric::ClickToPhoton) - 25.0).abs() < 1e-9);
        assert!((mean(&m, Metric::SampleToPhoton) - 14.0).abs() < 1e-9); // (10 + 18) / 2
        assert!((mean(&m, Metric::MsBetweenPresents) - 12.0).abs() < 1e-9);
        assert!((mean(&m, Metric::MsInPresentAPI) - 1.0).abs() < 1e-9);
        assert!((mean(&m, Metric::MsUntilDisplayed) - 12.0).abs() < 1e-9); // (8 + 16) / 2
        assert!((mean(&m, Metric::MsBetweenDisplayChange) - 20.0).abs() < 1e-9);
        assert!((mean(&m, Metric::DisplayLatency) - 27.0).abs() < 1e-9); // 130 - 103
        assert!((mean(&m, Metric::AnimationError) + 10.0).abs() < 1e-9); // moved 10, shown 20
        assert_eq!((m.refreshes(), m.missed_vsyncs(), m.animation_errors_over_half()), (2, 1, 1));
    }

    #[test]
    fn thirty_frames_on_sixty_hertz_miss_nothing() {
        let mut m = Metrics::new(Duration::from_millis(10));
        m.set_refresh(Duration::from_millis(10), Duration::from_millis(20));
        let (a, b, c) = (frame(1, 100, 110, 20), frame(2, 120, 130, 40), frame(3, 140, 160, 60));
        m.displayed(Some(&a), &b);
        assert_eq!((m.refreshes(), m.missed_vsyncs()), (2, 0));
        m.displayed(Some(&b), &c);
        assert_eq!((m.refreshes(), m.missed_vsyncs()), (5, 1));
    }

    #[test]
    fn frame_after_idle_counts_no_interval() {
        let mut m = Metrics::new(Duration::from_millis(10));
        let a = frame(1, 100, 110, 10);
        let mut b = frame(2, 5_000, 5_010, 20);
        b.after_idle = true;
        m.displayed(None, &a);
        m.displayed(Some(&a), &b);
        assert_eq!(m.get(Metric::MsBetweenDisplayChange).count(), 0);
        assert_eq!((m.refreshes(), m.missed_vsyncs()), (0, 0));
        assert_eq!(m.get(Metric::SampleToPhoton).count(), 2);
    }

    #[test]
    fn repeated_frame_has_no_sample_and_stale_one_an_animation_error() {
        let mut m = Metrics::new(Duration::from_millis(10));
        let a = frame(1, 100, 110, 10);
        let mut b = frame(2, 110, 120, 10);
        b.repeated = true;
        m.displayed(Some(&a), &b);
        assert_eq!(m.get(Metric::SampleToPhoton).count(), 0);
        assert_eq!(m.get(Metric::AnimationError).count(), 0);
        b.stale = true;
        m.displayed(Some(&a), &b);
        assert!((mean(&m, Metric::AnimationError) + 10.0).abs() < 1e-9);
    }

    #[test]
    fn metric_names_and_formulas_are_present() {
        assert_eq!(Metric::MsInPresentAPI.name(), "MsInPresentAPI");
        assert!(Metric::ALL.iter().all(|m| !m.formula().is_empty()));
    }
}
