use std::time::Duration;

use super::screen::{DisplaySpec, Taking};
use crate::pacing::{
    FramePacer, MissBudget, PacerState, Pacing, Plan, PlanId, Presentation, Variant, VblankModel,
    VblankSample, Work,
};
use crate::time::Timestamp;

/// What decides when frames begin, as the simulator sees it. [`FramePacer`] is one; the others are what programs do
/// today, or could do.
pub trait Policy {
    /// The next frame. Where only the display can tell when it begins, [`Plan::wake_at`] is [`Timestamp::MAX`]: the
    /// policy is asked again at everything that the display says, and at [`Plan::stale_at`] at the latest.
    fn plan(&mut self, now: Timestamp) -> Plan;

    /// The frame of the newest plan is about to begin; `Some`: it begins later, by this plan.
    fn revise(&mut self, now: Timestamp) -> Option<Plan> {
        let _ = now;
        None
    }

    /// Whether the next frame is planned while this one is being drawn.
    fn plans_ahead(&self) -> bool {
        false
    }

    /// How many frames may be with the GPU at a time.
    fn frames_in_flight(&self) -> u32 {
        1
    }

    /// The frame was handed to the display.
    fn submitted(&mut self, id: PlanId, at: Timestamp, work: Work) {
        let _ = (id, at, work);
    }

    /// The GPU was seen done with the frame.
    fn gpu_done(&mut self, id: PlanId, at: Timestamp) {
        let _ = (id, at);
    }

    /// What became of the frame.
    fn presented(&mut self, id: PlanId, presentation: Presentation) {
        let _ = (id, presentation);
    }

    /// The display began a refresh.
    fn vblank(&mut self, sample: VblankSample) {
        let _ = sample;
    }

    /// The system says that the display has another rate now.
    fn rate(&mut self, hz: f64) {
        let _ = hz;
    }

    /// Whether anything of the window is shown.
    fn visible(&mut self, visible: bool) {
        let _ = visible;
    }

    /// A sleep ended.
    fn woke(&mut self, planned: Timestamp, actual: Timestamp) {
        let _ = (planned, actual);
    }

    /// What the pacer knows, where it is ours.
    fn state(&self) -> Option<PacerState> {
        None
    }
}

impl Policy for FramePacer {
    fn plan(&mut self, now: Timestamp) -> Plan {
        Self::plan(self, now)
    }

    fn revise(&mut self, now: Timestamp) -> Option<Plan> {
        Self::revise(self, now)
    }

    fn plans_ahead(&self) -> bool {
        Self::plans_ahead(self)
    }

    fn frames_in_flight(&self) -> u32 {
        Self::frames_in_flight(self)
    }

    fn submitted(&mut self, id: PlanId, at: Timestamp, work: Work) {
        Self::submitted(self, id, at, work);
    }

    fn gpu_done(&mut self, id: PlanId, at: Timestamp) {
        Self::gpu_done(self, id, at);
    }

    fn presented(&mut self, id: PlanId, presentation: Presentation) {
        Self::presented(self, id, presentation);
    }

    fn vblank(&mut self, sample: VblankSample) {
        Self::vblank(self, sample);
    }

    fn rate(&mut self, hz: f64) {
        self.set_refresh(hz);
    }

    fn visible(&mut self, visible: bool) {
        self.set_visible(visible);
    }

    fn state(&self) -> Option<PacerState> {
        Some(Self::state(self))
    }
}

/// A policy by name: one of ours, or one that programs use today.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyKind {
    /// [`FramePacer`] in this mode.
    Ours(Pacing),
    /// A thread on a timer of the nominal rate that knows nothing of the display.
    FixedTimer,
    /// A limiter that sleeps for a frame less what it overslept last time.
    SleepMinusOversleep,
    /// The next frame begins at the refresh at which the last one was shown (a swap that waits).
    StartAtVblank,
    /// Begin before the refresh by a moving average (alpha 0.1) of the work, and 1 ms.
    AveragePlusMillisecond,
    /// Begin before the refresh by the mean of the last 60 and three standard deviations.
    MeanPlusThreeSigma,
    /// Begin 20 us later with each frame until one misses, then 2 ms earlier.
    Sawtooth,
}

impl PolicyKind {
    /// All that are compared by default.
    pub const ALL: [Self; 10] = [
        Self::Ours(Pacing::Auto),
        Self::Ours(Pacing::LowLatency),
        Self::Ours(Pacing::Smooth),
        Self::FixedTimer,
        Self::SleepMinusOversleep,
        Self::StartAtVblank,
        Self::AveragePlusMillisecond,
        Self::MeanPlusThreeSigma,
        Self::Sawtooth,
        Self::Ours(Pacing::Ticker(Variant::Both)),
    ];

    /// Those that are compared only where they are named: the two halves of `ticker+vsync`.
    pub const ON_REQUEST: [Self; 2] =
        [Self::Ours(Pacing::Ticker(Variant::TickerAlone)), Self::Ours(Pacing::Ticker(Variant::VsyncAlone))];

    /// The name on the command line and in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Ours(mode) => mode.to_string(),
            Self::FixedTimer => "fixed-timer".into(),
            Self::SleepMinusOversleep => "sleep-minus-oversleep".into(),
            Self::StartAtVblank => "start-at-vblank".into(),
            Self::AveragePlusMillisecond => "ewma+1ms".into(),
            Self::MeanPlusThreeSigma => "mean+3sigma".into(),
            Self::Sawtooth => "sawtooth".into(),
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().chain(Self::ON_REQUEST).find(|kind| kind.name() == name);
        known.or_else(|| name.parse().ok().map(Self::Ours))
    }

    /// The policy for this display, told what a program would be told: its nominal rate, and the range of one with a
    /// variable rate. `miss_budget`: the share of frames that may miss, in place of the mode's; the others have no such
    /// knob.
    #[must_use]
    pub fn make_for(self, display: &DisplaySpec, miss_budget: Option<MissBudget>) -> Box<dyn Policy> {
        let Self::Ours(mode) = self else { return self.make(display.nominal_hz) };
        let mut pacer = FramePacer::new(mode, display.nominal_hz);
        pacer.set_miss_budget(miss_budget);
        if let Taking::Variable(range) = display.taking {
            pacer.set_vrr(Some(range));
        }
        Box::new(pacer)
    }

    /// The policy, for a display of nominally `hz`.
    #[must_use]
    pub fn make(self, hz: f64) -> Box<dyn Policy> {
        match self {
            Self::Ours(mode) => Box::new(FramePacer::new(mode, hz)),
            Self::FixedTimer => Box::new(Timer { period: 1e9 / hz, start: None, ticks: 0, last: PlanId(0) }),
            Self::SleepMinusOversleep => {
                Box::new(Limiter { period: (1e9 / hz) as i64, next: None, overslept: 0, last: PlanId(0) })
            }
            Self::StartAtVblank => Box::new(JustInTime::new(hz, Margin::Whole)),
            Self::AveragePlusMillisecond => Box::new(JustInTime::new(hz, Margin::Average(None))),
            Self::MeanPlusThreeSigma => {
                Box::new(JustInTime::new(hz, Margin::Sigma { spans: Box::new([0; 60]), seen: 0 }))
            }
            Self::Sawtooth => Box::new(JustInTime::new(hz, Margin::Sawtooth((1e9 / hz) as i64))),
        }
    }
}

/// Ticks at the nominal rate.
struct Timer {
    period: f64,
    start: Option<Timestamp>,
    ticks: u64,
    last: PlanId,
}

impl Policy for Timer {
    fn plan(&mut self, now: Timestamp) -> Plan {
        let start = *self.start.get_or_insert(now);
        let passed = (now.signed_since(start) as f64 / self.period).floor() as u64;
        self.ticks = (self.ticks + 1).max(passed);
        self.last = self.last.next();
        Plan {
            id: self.last,
            wake_at: start.offset((self.ticks as f64 * self.period) as i64),
            dt: Some(Duration::from_nanos(self.period as u64)),
            ..Plan::default()
        }
    }
}

/// Sleeps for a frame, less what it overslept.
struct Limiter {
    period: i64,
    next: Option<Timestamp>,
    overslept: i64,
    last: PlanId,
}

impl Policy for Limiter {
    fn plan(&mut self, now: Timestamp) -> Plan {
        self.last = self.last.next();
        let wake_at = self.next.map_or(now, |next| next.max(now).offset(-self.overslept));
        self.next = Some(self.next.map_or(now, |next| next.max(now)).offset(self.period));
        Plan { id: self.last, wake_at, ..Plan::default() }
    }

    fn woke(&mut self, planned: Timestamp, actual: Timestamp) {
        self.overslept = actual.signed_since(planned).clamp(0, 2_000_000);
    }
}

/// How a rival sizes the time before the refresh.
enum Margin {
    Whole,
    Average(Option<f64>),
    Sigma { spans: Box<[i64; 60]>, seen: usize },
    Sawtooth(i64),
}

/// Begins some time before the predicted refresh; the prediction is the same as ours.
struct JustInTime {
    model: VblankModel,
    period: f64,
    margin: Margin,
    frames: [(PlanId, Timestamp, Timestamp, Option<Timestamp>); 8],
    last: PlanId,
    aimed: Option<u64>,
}

impl JustInTime {
    fn new(hz: f64, margin: Margin) -> Self {
        Self {
            model: VblankModel::new(Some(hz)),
            period: 1e9 / hz,
            margin,
            frames: [(PlanId(0), Timestamp::ZERO, Timestamp::ZERO, None); 8],
            last: PlanId(0),
            aimed: None,
        }
    }

    fn budget(&self) -> i64 {
        let period = self.model.period_nanos().unwrap_or(self.period) as i64;
        match &self.margin {
            Margin::Whole => period,
            Margin::Average(None) => period,
            Margin::Average(Some(average)) => *average as i64 + 1_000_000,
            Margin::Sigma { seen, .. } if *seen < 2 => period,
            Margin::Sigma { spans, seen } => {
                let spans = &spans[..(*seen).min(spans.len())];
                let n = spans.len() as f64;
                let mean = spans.iter().sum::<i64>() as f64 / n;
                let variance = spans.iter().map(|&s| (s as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
                (mean + 3.0 * variance.sqrt()) as i64
            }
            Margin::Sawtooth(margin) => *margin,
        }
        .min(period)
    }

    fn learn(&mut self, span: i64) {
        match &mut self.margin {
            Margin::Whole | Margin::Sawtooth(_) => {}
            Margin::Average(average) => {
                *average = Some(average.map_or(span as f64, |a| a + 0.1 * (span as f64 - a)));
            }
            Margin::Sigma { spans, seen } => {
                spans[*seen % spans.len()] = span;
                *seen += 1;
            }
        }
    }
}

impl Policy for JustInTime {
    fn plan(&mut self, now: Timestamp) -> Plan {
        self.last = self.last.next();
        let budget = self.budget();
        let late = now.offset(budget / 4);
        let plan = match (self.model.after(late), self.model.period_nanos()) {
            (Some(soonest), Some(period)) => {
                let index = self.aimed.map_or(soonest.index, |aimed| soonest.index.max(aimed + 1));
                let target = self.model.at(index).unwrap_or(soonest.at);
                let steps = self.aimed.map_or(1, |aimed| index - aimed);
                self.aimed = Some(index);
                Plan {
                    id: self.last,
                    wake_at: target.offset(-budget),
                    target_presentation: Some(target),
                    dt: Some(Duration::from_nanos((period * steps as f64) as u64)),
                    ..Plan::default()
                }
            }
            _ => Plan { id: self.last, wake_at: now.offset(self.period as i64), ..Plan::default() },
        };
        let target = plan.target_presentation.unwrap_or_default();
        self.frames[(self.last.0 % 8) as usize] = (self.last, plan.wake_at.max(now), target, None);
        plan
    }

    fn submitted(&mut self, id: PlanId, at: Timestamp, _work: Work) {
        let frame = &mut self.frames[(id.0 % 8) as usize];
        if frame.0 == id {
            frame.3 = Some(at);
        }
    }

    fn gpu_done(&mut self, id: PlanId, at: Timestamp) {
        let (known, started, _, submitted) = self.frames[(id.0 % 8) as usize];
        if known == id
            && let Some(submitted) = submitted
        {
            self.learn(at.max(submitted).signed_since(started));
        }
    }

    fn presented(&mut self, id: PlanId, presentation: Presentation) {
        let (known, _, target, _) = self.frames[(id.0 % 8) as usize];
        let half = (self.period / 2.0) as i64;
        let missed = presentation.time().is_none_or(|(at, _)| at.signed_since(target) > half);
        if let (Margin::Sawtooth(margin), true) = (&mut self.margin, known == id) {
            *margin = (*margin + if missed { 2_000_000 } else { -20_000 }).clamp(0, self.period as i64);
        }
    }

    fn vblank(&mut self, sample: VblankSample) {
        self.model.observe(sample);
    }

    fn rate(&mut self, hz: f64) {
        self.model.set_nominal(Some(hz));
        self.aimed = None;
    }
}

/// The nominal interval of `hz`.
pub(super) fn interval(hz: f64) -> Duration {
    Duration::from_nanos((1e9 / hz) as u64)
}

#[cfg(test)]
mod tests;
