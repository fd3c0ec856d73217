use std::time::Duration;

use super::{Distribution, FrameRecord, Stage, Summary};
use crate::pacing::{FrameId, VblankSample};
use crate::time::nanos;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A figure of which a displayed frame (or a vertical blank) gives one value. Where PresentMon defines a metric, the name
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
    /// displayed - newest input read by the renderer (a late latch), where it read it
    LatchToPhoton,
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
    /// displayed of the next frame - displayed, with the time in which nothing asked for a frame
    DisplayedTime,
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
    /// how long the logic thread spun, rather than slept, before its step
    SpinTime,
    /// frames submitted before this one that the GPU was not seen done with when it began
    QueueDepth,
    /// sum of the animation's steps - sum of the times between their starts, so far, signed; idle gaps are left out
    ClockDrift,
    /// vertical blank - the one before - nominal interval, signed; the jitter is its RMS over the interval
    VsyncJitter,
    /// predicted vertical blank - actual vertical blank, signed
    PhaseError,
}

/// What the values of a [`Metric`] are.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unit {
    /// Recorded in nanoseconds, summed up in milliseconds.
    Milliseconds,
    /// A number of frames.
    Frames,
}

impl Metric {
    /// The metric of this name, as [`name`](Self::name) has it; `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.name() == name)
    }

    /// Whether frames give its values; the others are told by refreshes of the display.
    #[must_use]
    pub const fn is_of_frames(self) -> bool {
        !matches!(self, Self::VsyncJitter | Self::PhaseError)
    }

    /// What its values are.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::QueueDepth => Unit::Frames,
            _ => Unit::Milliseconds,
        }
    }
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
    deadlines: u64,
    deadline_misses: u64,
    drift: i64,
    last_vblank: Option<VblankSample>,
    values: Option<Vec<Vec<Value>>>,
    /// The frame that is being counted.
    frame: FrameId,
}

/// What one frame gave a [`Metric`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Value {
    /// The frame.
    pub frame: FrameId,
    /// Nanoseconds, or frames, as [`Metric::unit`] says.
    pub value: i64,
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
            deadlines: 0,
            deadline_misses: 0,
            drift: 0,
            last_vblank: None,
            values: None,
            frame: FrameId(0),
        }
    }

    /// From now on keeps each value as well, for [`values`](Self::values). It allocates as they come: for figures of runs
    /// that are over, not for the loop itself.
    pub fn keep_values(&mut self) {
        self.values = Some(vec![Vec::new(); Metric::ALL.len()]);
    }

    /// The kept values of a metric in the order of frames; none unless [`keep_values`](Self::keep_values) asked for them.
    #[must_use]
    pub fn values(&self, metric: Metric) -> &[Value] {
        self.values.as_ref().map_or(&[], |values| &values[metric as usize])
    }

    /// The distribution of one metric.
    #[must_use]
    pub fn get(&self, metric: Metric) -> &Distribution {
        &self.distributions[metric as usize]
    }

    /// One metric in a few figures, in its [unit](Metric::unit); `None` when nothing of it was measured.
    #[must_use]
    pub fn summary(&self, metric: Metric) -> Option<Summary> {
        self.get(metric).summary_in(match metric.unit() {
            Unit::Milliseconds => 1e6,
            Unit::Frames => 1.0,
        })
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

    /// Displayed frames that had a [target](FrameRecord::target), while the refresh interval was known.
    #[must_use]
    pub const fn deadlines(&self) -> u64 {
        self.deadlines
    }

    /// Those of them that were displayed more than half a refresh interval after it.
    #[must_use]
    pub const fn deadline_misses(&self) -> u64 {
        self.deadline_misses
    }

    /// Root of the mean square of what vertical blanks were off their nominal interval by, as a share of that interval;
    /// `None` where no blanks were told or the interval is not known.
    #[must_use]
    pub fn vsync_jitter(&self) -> Option<f64> {
        let rms = self.summary(Metric::VsyncJitter)?.rms;
        let refresh = self.refresh.as_secs_f64() * 1e3;
        (refresh > 0.0).then(|| rms / refresh)
    }

    /// How long the logic thread spun in all; `None` where nobody measured it.
    #[must_use]
    pub fn spun(&self) -> Option<Duration> {
        let summary = self.summary(Metric::SpinTime)?;
        Some(Duration::from_secs_f64((summary.mean * summary.n as f64 / 1e3).max(0.0)))
    }

    /// A display (or its compositor) began a refresh. Samples come in order; with numbers, missing ones are no gap.
    /// About 20 ns; no allocation.
    pub fn vblank(&mut self, sample: VblankSample) {
        let refresh = nanos(self.refresh) as i64;
        if let Some(before) = self.last_vblank.replace(sample)
            && refresh > 0
        {
            let span = sample.at.signed_since(before.at);
            let refreshes = match (before.sequence, sample.sequence) {
                (Some(a), Some(b)) => i64::try_from(b.saturating_sub(a)).unwrap_or(i64::MAX),
                // Without numbers, how many they were has to be guessed.
                _ => (span as f64 / refresh as f64).round() as i64,
            };
            if refreshes == 1 {
                self.record(Metric::VsyncJitter, Some(span - refresh));
            }
        }
    }

    /// A vertical blank came `nanos` nanoseconds before it was predicted (negative: after).
    pub fn phase_error(&mut self, nanos: i64) {
        self.record(Metric::PhaseError, Some(nanos));
    }

    /// What comes next is measured against this refresh interval (zero: unknown) and the interval between frames that
    /// the pacing mode aims at: 30 frames per second on a 60 Hz display miss nothing.
    pub fn set_refresh(&mut self, refresh: Duration, frame_interval: Duration) {
        if refresh != self.refresh {
            // Blanks of another display, or of another mode.
            self.last_vblank = None;
        }
        self.refresh = refresh;
        self.target = if refresh.is_zero() {
            1
        } else {
            (frame_interval.as_secs_f64() / refresh.as_secs_f64()).round().max(1.0) as i64
        };
    }

    /// Counts a displayed frame. `previous` is the frame displayed before it.
    pub fn displayed(&mut self, previous: Option<&FrameRecord>, frame: &FrameRecord) {
        self.frame = frame.id;
        frame_values(previous, frame, |metric, value| self.record(metric, Some(value)));
        if let (Some(target), Some(shown), false) =
            (frame.target, frame.at(Stage::Presented), self.refresh.is_zero())
        {
            self.deadlines += 1;
            self.deadline_misses += u64::from(shown.signed_since(target) > nanos(self.refresh) as i64 / 2);
        }
        if let Some(previous) = previous.filter(|_| !frame.after_idle) {
            self.step(previous, frame);
        }
    }

    /// What is counted over a step from frame to frame, and needs the refresh interval or what came before.
    fn step(&mut self, previous: &FrameRecord, frame: &FrameRecord) {
        let moved = moved(previous, frame);
        let passed = since(previous, frame, Stage::InputSampled, Stage::InputSampled);
        if let (Some(passed), false) = (passed, frame.repeated) {
            self.drift = self.drift.saturating_add(moved.saturating_sub(passed));
            self.record(Metric::ClockDrift, Some(self.drift));
        }
        let Some(shown) = since(previous, frame, Stage::Presented, Stage::Presented) else { return };
        let refresh = nanos(self.refresh) as i64;
        if redrawn(frame) || refresh <= 0 {
            return;
        }
        let k = (shown as f64 / refresh as f64).round() as i64;
        self.refreshes += k.max(0) as u64;
        self.missed_vsyncs += (k - self.target).max(0) as u64;
        self.record(Metric::IntervalJitter, Some((shown - k * refresh).abs()));
        self.animation_errors_over_half += u64::from((moved - shown).abs() > refresh / 2);
    }

    fn record(&mut self, metric: Metric, nanos: Option<i64>) {
        if let Some(nanos) = nanos {
            self.distributions[metric as usize].record(nanos);
            if let Some(values) = &mut self.values {
                values[metric as usize].push(Value { frame: self.frame, value: nanos });
            }
        }
    }
}

/// What a displayed frame, and the step from the frame displayed before it, give of each metric that needs nothing else, in
/// the metric's own unit (nanoseconds or frames). For whoever keeps figures of their own. No allocation.
pub fn frame_values(previous: Option<&FrameRecord>, frame: &FrameRecord, mut sink: impl FnMut(Metric, i64)) {
    use Stage::{
        GpuDone, InputReceived, InputSampled, LogicDone, Presented, SnapshotAcquired, SnapshotPublished,
        Submitted, SwapBegin, SwapEnd,
    };
    let mut give = |metric, value: Option<i64>| {
        if let Some(value) = value {
            sink(metric, value);
        }
    };
    give(Metric::ClickToPhoton, frame.between(InputReceived, Presented));
    let latched = frame.at(Presented).zip(frame.latched);
    give(Metric::LatchToPhoton, latched.map(|(shown, at)| shown.signed_since(at)));
    // A frame that shows an old snapshot again has no sample and no hand-over of its own.
    if !frame.repeated {
        give(Metric::SampleToPhoton, frame.between(InputSampled, Presented));
        give(Metric::InputToLogic, frame.between(InputReceived, LogicDone));
        give(Metric::LogicToRender, frame.between(LogicDone, Submitted));
        give(Metric::LogicTime, frame.between(InputSampled, LogicDone));
        give(Metric::HandOver, frame.between(SnapshotPublished, SnapshotAcquired));
        let wake = frame.planned.zip(frame.at(InputSampled)).map(|(planned, at)| at.signed_since(planned));
        give(Metric::WakeError, wake.filter(|_| !frame.after_idle));
    }
    give(Metric::SubmitToGpuDone, frame.between(Submitted, GpuDone));
    give(Metric::SubmitToDisplay, frame.between(Submitted, Presented));
    give(Metric::RenderTime, frame.between(SnapshotAcquired, Submitted));
    give(Metric::MsInPresentAPI, frame.between(SwapBegin, SwapEnd));
    give(Metric::MsUntilDisplayed, frame.between(SwapBegin, Presented));
    give(Metric::RenderPresentLatency, frame.between(SwapBegin, GpuDone));
    give(Metric::SpinTime, frame.spun.map(|spun| nanos(spun) as i64));
    give(Metric::QueueDepth, frame.queued.map(i64::from));
    let Some(previous) = previous else { return };
    give(Metric::DisplayedTime, since(previous, frame, Presented, Presented));
    if frame.after_idle {
        return;
    }
    give(Metric::MsBetweenPresents, since(previous, frame, SwapBegin, SwapBegin));
    give(Metric::DisplayLatency, since(previous, frame, Presented, SwapEnd));
    let shown = since(previous, frame, Presented, Presented);
    give(Metric::MsBetweenDisplayChange, shown);
    if !redrawn(frame) {
        give(Metric::AnimationError, shown.map(|shown| moved(previous, frame) - shown));
    }
}

/// From `b` of the frame before to `a` of this one.
fn since(previous: &FrameRecord, frame: &FrameRecord, a: Stage, b: Stage) -> Option<i64> {
    Some(frame.at(a)?.signed_since(previous.at(b)?))
}

/// How far animation moved.
const fn moved(previous: &FrameRecord, frame: &FrameRecord) -> i64 {
    nanos(frame.animation_time) as i64 - nanos(previous.animation_time) as i64
}

/// Redrawn for the window's sake: the animation did not mean to move.
const fn redrawn(frame: &FrameRecord) -> bool {
    frame.repeated && !frame.stale
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn latch_to_photon_runs_from_the_latch_and_only_where_there_was_one() {
        let mut m = Metrics::new(Duration::ZERO);
        m.displayed(None, &frame(1, 0, 20, 0));
        let mut latched = frame(2, 10, 30, 10);
        latched.latched = Some(Timestamp::from_nanos(17 * MS));
        m.displayed(None, &latched);
        let (latch, sample) = (m.summary(Metric::LatchToPhoton), m.summary(Metric::SampleToPhoton));
        assert_eq!(latch.map(|s| (s.n, s.max.round())), Some((1, 13.0)));
        assert_eq!(sample.map(|s| (s.n, s.max.round())), Some((2, 20.0)));
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
    fn displayed_time_counts_idle_time_and_is_the_earlier_frames() {
        let mut m = Metrics::new(Duration::from_millis(10));
        let (a, mut b, c) = (frame(1, 100, 110, 10), frame(2, 500, 510, 20), frame(3, 510, 530, 30));
        b.after_idle = true;
        m.displayed(None, &a);
        assert_eq!(m.summary(Metric::DisplayedTime), None, "nobody knows yet how long it stays");
        m.displayed(Some(&a), &b);
        m.displayed(Some(&b), &c);
        let shown = m.summary(Metric::DisplayedTime).unwrap();
        assert_eq!((shown.n, shown.max, shown.min), (2, 400.0, 20.0));
    }

    #[test]
    fn deadlines_are_missed_after_half_a_refresh_and_counted_only_where_there_are_some() {
        let mut m = Metrics::new(Duration::from_millis(10));
        let mut a = frame(1, 100, 110, 10);
        m.displayed(None, &a);
        assert_eq!((m.deadlines(), m.deadline_misses()), (0, 0));
        for (target_us, missed) in [(110_000, 0), (105_000, 0), (104_999, 1), (130_000, 1)] {
            a.target = Some(Timestamp::from_nanos(target_us * 1_000));
            m.displayed(None, &a);
            assert_eq!(m.deadline_misses(), missed, "target {target_us}");
        }
        assert_eq!(m.deadlines(), 4);
        m.set_refresh(Duration::ZERO, Duration::ZERO);
        m.displayed(None, &a);
        assert_eq!(m.deadlines(), 4, "half of what?");
    }

    #[test]
    fn clock_drift_adds_up_and_leaves_idle_gaps_and_repeats_out() {
        let mut m = Metrics::new(Duration::from_millis(10));
        // Steps of 10 ms, begun 12, 9 and 11 ms apart: -2, -1, -2.
        let frames = [(1, 100, 10), (2, 112, 20), (3, 121, 30), (4, 132, 40)];
        let frames = frames.map(|(id, start, moved)| frame(id, start, start + 10, moved));
        m.displayed(None, &frames[0]);
        for pair in frames.windows(2) {
            m.displayed(Some(&pair[0]), &pair[1]);
        }
        let drift = m.summary(Metric::ClockDrift).unwrap();
        assert_eq!((drift.n, drift.max, drift.min), (3, -1.0, -2.0));
        let mut again = frame(5, 132, 150, 40);
        again.repeated = true;
        m.displayed(Some(&frames[3]), &again);
        let mut late = frame(6, 9_000, 9_010, 50);
        late.after_idle = true;
        m.displayed(Some(&again), &late);
        m.displayed(Some(&late), &frame(7, 9_010, 9_020, 65));
        let drift = m.summary(Metric::ClockDrift).unwrap();
        assert_eq!((drift.n, drift.max), (4, 3.0));
    }

    #[test]
    fn vsync_jitter_is_about_the_nominal_interval_and_skips_gaps() {
        let mut m = Metrics::new(Duration::from_millis(10));
        assert_eq!((m.vsync_jitter(), m.summary(Metric::VsyncJitter)), (None, None));
        let at = |us: u64, sequence| VblankSample {
            at: Timestamp::from_nanos(us * 1_000),
            sequence,
            period: None,
            origin: crate::pacing::Origin::Hardware,
        };
        // 11 and 9 ms; then one is missing; then, without numbers, 10 and 30 ms.
        for (us, n) in [(0, Some(1)), (11_000, Some(2)), (20_000, Some(3)), (33_000, Some(5))] {
            m.vblank(at(us, n));
        }
        assert!((m.vsync_jitter().unwrap() - 0.1).abs() < 1e-9, "{:?}", m.vsync_jitter());
        for us in [43_000, 73_000] {
            m.vblank(at(us, None));
        }
        assert_eq!(m.get(Metric::VsyncJitter).count(), 3);
        // Another display: nothing lies between its blanks and the old one's.
        m.set_refresh(Duration::from_millis(5), Duration::from_millis(5));
        m.vblank(at(78_000, None));
        assert_eq!(m.get(Metric::VsyncJitter).count(), 3);
        let mut unknown = Metrics::new(Duration::ZERO);
        unknown.vblank(at(0, None));
        unknown.vblank(at(9_000, None));
        assert_eq!(unknown.vsync_jitter(), None);
    }

    #[test]
    fn phase_error_and_spin_time_are_absent_until_they_are_fed() {
        let mut m = Metrics::new(Duration::from_millis(10));
        m.displayed(None, &frame(1, 100, 110, 10));
        assert_eq!(
            (m.summary(Metric::PhaseError), m.summary(Metric::SpinTime), m.spun()),
            (None, None, None)
        );
        m.phase_error(-2_000_000);
        m.phase_error(1_000_000);
        let phase = m.summary(Metric::PhaseError).unwrap();
        assert_eq!((phase.n, phase.min, phase.max), (2, -2.0, 1.0));
        for us in [0, 150] {
            let mut f = frame(2, 110, 120, 20);
            f.spun = Some(Duration::from_micros(us));
            m.displayed(None, &f);
        }
        assert_eq!(m.spun(), Some(Duration::from_micros(150)));
    }

    #[test]
    fn metric_names_and_formulas_are_present() {
        assert_eq!(Metric::MsInPresentAPI.name(), "MsInPresentAPI");
        assert!(Metric::ALL.iter().all(|m| !m.formula().is_empty()));
    }
}
