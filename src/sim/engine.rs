use std::collections::VecDeque;
use std::time::Duration;

use super::policy::{Policy, interval};
use super::screen::{DisplaySpec, Screen, Word};
use super::workload::{FrameCost, Oversleep, Workload};
use super::{Noise, Taking};
use crate::pacing::{Layout, Plan, PlanId, Work, longest_step};
use crate::stats::{Distribution, Summary};
use crate::sync::snapshot::{DEFAULT_SLOTS, Reader, Writer, buffer};
use crate::time::{Timestamp, signed_nanos};

/// Everything that a simulated run depends on. The same scenario gives the same outcome, to the last bit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// The display.
    pub display: DisplaySpec,
    /// What frames need.
    pub workload: Workload,
    /// How late threads are woken.
    pub oversleep: Oversleep,
    /// The process stands still at the first time after the start, for the second.
    pub standstill: Option<(Duration, Duration)>,
    /// Frames to simulate, those of the warm-up among them.
    pub frames: u64,
    /// Frames at the start that are left out of all figures.
    pub warmup: u64,
    /// What chance is drawn from.
    pub seed: u64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            display: DisplaySpec::default(),
            workload: Workload::Noisy(FrameCost::from_micros(1_000, 2_000, 1_000), 0.1),
            oversleep: Oversleep::default(),
            standstill: None,
            frames: 10_000,
            warmup: 300,
            seed: 1,
        }
    }
}

/// One simulated frame, when all of it is known.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SimFrame {
    /// Its plan's number: here each plan becomes a frame.
    pub id: PlanId,
    /// Its plan.
    pub plan: Plan,
    /// When its logic began.
    pub start: Timestamp,
    /// When its last draw call was submitted.
    pub submitted: Timestamp,
    /// When swap returned.
    pub swapped: Timestamp,
    /// When the GPU was done.
    pub gpu_done: Timestamp,
    /// When it was displayed; `None` when it was dropped.
    pub displayed: Option<Timestamp>,
    /// The display's count of refreshes at that time.
    pub refresh: u64,
    /// The animation clock that it shows.
    pub animation: Duration,
    /// Nearest true refresh minus the target, in nanoseconds.
    pub prediction_error: Option<i64>,
    /// Frames that were with the GPU when it was begun to be drawn, this one included.
    pub in_flight: u32,
    /// Refreshes that it was to last, as the policy had it when the frame was begun to be drawn.
    pub divisor: u32,
    /// How its logic and its drawing lay in time, likewise.
    pub layout: Layout,
}

/// What a run came to. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Outcome {
    /// Frames begun after the warm-up.
    pub frames: u64,
    /// Those that were displayed.
    pub displayed: u64,
    /// Those that never were.
    pub dropped: u64,
    /// Refreshes that passed while they were displayed.
    pub refreshes: u64,
    /// Refreshes that should have shown a new frame and did not.
    pub missed_vsyncs: u64,
    /// The share of frames that were displayed more than half a refresh after their target, or never; `None` for a
    /// policy that has no targets.
    pub miss_rate: Option<f64>,
    /// Begin of logic to display.
    pub start_to_display: Option<Summary>,
    /// The size of animation step minus display step, over all displayed frames.
    pub animation_error: Option<Summary>,
    /// The same without frames that missed and those after them.
    pub animation_error_on_time: Option<Summary>,
    /// The size of true refresh minus predicted one, for the target of each frame when it was swapped. Without meaning where
    /// the refresh rate is variable.
    pub prediction_error: Option<Summary>,
    /// The largest difference between the animation clock and the targets (the starts, where there are none) since the
    /// start or the last reported snap.
    pub clock_drift_ms: f64,
    /// Snaps that the policy reported.
    pub snaps: u64,
    /// The most frames that were with the GPU at a time.
    pub most_in_flight: u32,
    /// Wake-ups for plans that had nothing to draw.
    pub parked_wakes: u64,
    /// Frames swapped while nothing of the window was shown, after the source had noticed.
    pub swaps_while_hidden: u64,
    /// Frames that were made in another way than serially at every refresh.
    pub heavier_frames: u64,
    /// Simulated seconds.
    pub seconds: f64,
}

/// Where a sleep before a swap takes its oversleep from in a recorded list: not from its own frame's start.
const SWAP_TURN: u64 = 31;
/// A loop that waits for the display looks whether it is still to wait after so many nanoseconds of silence at the soonest.
const SHORTEST_WAIT: i64 = 1_000_000;

/// Simulates a run of the loop: logic thread, render thread, GPU, display, in virtual time.
///
/// Takes about a microsecond per frame with optimisation, on the machine that `docs/simulator.md` names, and allocates for
/// the figures alone.
#[must_use]
pub fn run(scenario: &Scenario, policy: &mut dyn Policy) -> Outcome {
    run_observed(scenario, policy, &mut |_| {})
}

/// As [`run`]; `observe` sees each frame after the warm-up when all of it is known.
#[must_use]
pub fn run_observed(
    scenario: &Scenario,
    policy: &mut dyn Policy,
    observe: &mut dyn FnMut(&SimFrame),
) -> Outcome {
    let mut engine = Engine::new(scenario, policy, observe);
    engine.run();
    engine.tally.outcome(engine.now, engine.start)
}

struct Engine<'a> {
    scenario: &'a Scenario,
    policy: &'a mut dyn Policy,
    observe: &'a mut dyn FnMut(&SimFrame),
    screen: Screen,
    start: Timestamp,
    now: Timestamp,
    work_noise: Noise,
    sleep_noise: Noise,
    poll_noise: Noise,
    standstill: Option<(Timestamp, Timestamp)>,
    /// The same buffer as between the real threads.
    snapshots: (Writer<u64>, Reader<u64>),
    logic_free: Timestamp,
    render_free: Timestamp,
    gpu_free: Timestamp,
    fences: VecDeque<Timestamp>,
    gpu_seen: VecDeque<(Timestamp, PlanId, Timestamp)>,
    open: VecDeque<SimFrame>,
    animation: Duration,
    last_start: Option<Timestamp>,
    hidden: bool,
    tally: Tally,
}

impl<'a> Engine<'a> {
    fn new(
        scenario: &'a Scenario,
        policy: &'a mut dyn Policy,
        observe: &'a mut dyn FnMut(&SimFrame),
    ) -> Self {
        let start = Timestamp::from_nanos(1_000_000_000_000);
        let noise = Noise::new(scenario.seed);
        Self {
            scenario,
            policy,
            observe,
            screen: Screen::new(&scenario.display, start, noise.fork(1)),
            start,
            now: start,
            work_noise: noise.fork(2),
            sleep_noise: noise.fork(3),
            poll_noise: noise.fork(4),
            standstill: scenario.standstill.map(|(at, length)| (start + at, start + at + length)),
            snapshots: buffer::<u64, DEFAULT_SLOTS>(|_| 0),
            logic_free: start,
            render_free: start,
            gpu_free: start,
            fences: VecDeque::new(),
            gpu_seen: VecDeque::new(),
            open: VecDeque::new(),
            animation: Duration::ZERO,
            last_start: None,
            hidden: false,
            tally: Tally::new(scenario),
        }
    }

    fn run(&mut self) {
        let mut plan = self.plan(self.now);
        let mut planned_at = self.now;
        let mut drawn = 0;
        // Parked plans draw nothing, nor does a display that is waited for in vain; such a run ends all the same.
        let mut turns = 0;
        while drawn < self.scenario.frames && turns < self.scenario.frames.saturating_mul(2) {
            turns += 1;
            if plan.wake_at == Timestamp::MAX {
                (plan, planned_at) = self.await_word(&plan, planned_at, drawn);
                if plan.wake_at == Timestamp::MAX {
                    continue;
                }
            }
            if plan.parked {
                self.tally.parked_wakes += 1;
                planned_at = self.sleep(planned_at, plan.wake_at, turns);
                plan = self.plan(planned_at);
                continue;
            }
            (plan, planned_at) = self.frame(plan, planned_at, drawn);
            drawn += 1;
        }
        self.now = planned_at.offset(1_000_000_000);
        self.deliver(self.now);
    }

    /// Waits until something that the display says makes the policy begin a frame, or for as long as `plan` says. Returns the
    /// next plan and when the thread has it.
    fn await_word(&mut self, plan: &Plan, from: Timestamp, turn: u64) -> (Plan, Timestamp) {
        let until = plan.stale_at.max(from.offset(SHORTEST_WAIT));
        let mut at = from;
        loop {
            at = self.screen.next_arrival(at, until);
            let plan = self.plan(at);
            if plan.wake_at < Timestamp::MAX || at >= until {
                return (plan, self.sleep(from, at, turn));
            }
        }
    }

    /// One frame, from its plan to its swap. Returns the next plan and when it was made.
    fn frame(&mut self, plan: Plan, planned_at: Timestamp, number: u64) -> (Plan, Timestamp) {
        // The logic thread.
        let from = planned_at.max(self.logic_free);
        let (plan, start) = self.begin(plan, from, number);
        let cost = self.scenario.workload.cost(number, &mut self.work_noise);
        let passed =
            self.last_start.map_or(interval(self.scenario.display.nominal_hz), |t| start.saturating_since(t));
        self.last_start = Some(start);
        self.animation +=
            plan.dt.unwrap_or(passed.min(longest_step(interval(self.scenario.display.nominal_hz))));
        let published = start + cost.logic;
        self.logic_free = published;
        let mut slot = self.snapshots.0.write();
        *slot = number;
        slot.publish();

        // The render thread.
        let mut acquired = published.max(self.render_free);
        let limit = self.policy.frames_in_flight().max(1) as usize;
        let state = self.policy.state().unwrap_or_default();
        self.fences.retain(|&done| done > acquired);
        while self.fences.len() >= limit {
            acquired = acquired.max(self.fences.pop_front().unwrap_or(acquired));
        }
        let snapshot = self.snapshots.1.acquire();
        debug_assert!(snapshot.fresh && *snapshot.value == number, "one snapshot per order");
        self.deliver(acquired);
        let ahead = self.policy.plans_ahead().then(|| (self.policy.plan(acquired), acquired));
        let submitted = acquired + cost.render;
        let gpu_done = submitted.max(self.gpu_free) + cost.gpu;
        self.gpu_free = gpu_done;
        let swap_at = plan
            .swap_at
            .filter(|&at| at > submitted)
            .map(|at| self.sleep(submitted, at, number.wrapping_add(SWAP_TURN)));
        let begin = swap_at.unwrap_or(submitted);
        self.deliver(begin);
        let swapped = self.screen.swap(plan.id, begin, gpu_done);
        self.render_free = swapped;
        let seen = if gpu_done <= swapped {
            swapped
        } else {
            // A fence is looked at twice per millisecond.
            gpu_done.offset((self.poll_noise.unit() * 500_000.0) as i64)
        };
        // The next frame is not drawn before its fence was seen, and so not before the policy was told.
        self.fences.push_back(seen);
        let frame = SimFrame {
            id: plan.id,
            plan,
            start,
            submitted,
            swapped,
            gpu_done,
            animation: self.animation,
            prediction_error: plan.target_presentation.map(|t| self.screen.nearest_vblank(t).signed_since(t)),
            in_flight: self.fences.len() as u32,
            divisor: state.divisor.max(1),
            layout: state.layout,
            ..SimFrame::default()
        };
        let swaps_hidden = u64::from(self.hidden);
        self.tally.swapped(&frame, self.policy.state().map_or(0, |s| s.snaps), swaps_hidden);
        self.open.push_back(frame);
        self.deliver(swapped);
        // A swap that waited says nothing about the work.
        let held = begin.saturating_since(submitted);
        self.policy.submitted(plan.id, begin, Work { logic: cost.logic, drawing: cost.render, held });
        let stamp = if gpu_done <= begin { begin } else { seen };
        self.gpu_seen.push_back((seen, plan.id, stamp));
        self.deliver(swapped);
        ahead.unwrap_or_else(|| (self.policy.plan(swapped), swapped))
    }

    /// Sleeps from `from` until the frame begins. Returns its plan, which may have been revised by then, and when that is.
    fn begin(&mut self, plan: Plan, from: Timestamp, number: u64) -> (Plan, Timestamp) {
        let wake = |engine: &mut Self, from: Timestamp, at: Timestamp| {
            let woken = engine.sleep(from, at, number);
            if woken > from {
                engine.policy.woke(at, woken);
            }
            woken
        };
        let start = wake(self, from, plan.wake_at);
        // While another frame is on its way, more than the present is known here.
        if plan.revise_from.is_none() || start < self.now {
            return (plan, start);
        }
        self.deliver(start);
        match self.policy.revise(start) {
            Some(later) => (later, wake(self, start, later.wake_at)),
            None => (plan, start),
        }
    }

    fn plan(&mut self, now: Timestamp) -> Plan {
        self.deliver(now);
        self.policy.plan(now)
    }

    /// Sleeps from `from` until `at`; late as the system is, and through a standstill.
    fn sleep(&mut self, from: Timestamp, at: Timestamp, turn: u64) -> Timestamp {
        if at <= from {
            return from;
        }
        let woken = at + self.scenario.oversleep.draw(turn, &mut self.sleep_noise);
        match self.standstill {
            Some((begin, end)) if woken >= begin && from < end => {
                self.standstill = None;
                woken.max(end)
            }
            _ => woken,
        }
    }

    /// Tells the policy what has become known by `now`.
    fn deliver(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.screen.advance(now);
        while let Some(&(seen, id, stamp)) = self.gpu_seen.front()
            && seen <= now
        {
            self.gpu_seen.pop_front();
            self.policy.gpu_done(id, stamp);
        }
        while let Some(word) = self.screen.next_word(now) {
            match word {
                Word::Vblank(sample) => self.policy.vblank(sample),
                Word::Presented(id, presentation) => self.policy.presented(id, presentation),
                Word::Rate(hz) => self.policy.rate(hz),
                Word::Visible(visible) => {
                    self.hidden = !visible;
                    self.policy.visible(visible);
                }
                Word::Shown(id, at, refresh) => self.close(id, Some((at, refresh))),
                Word::Gone(id) => self.close(id, None),
            }
        }
    }

    fn close(&mut self, id: PlanId, shown: Option<(Timestamp, u64)>) {
        let Some(at) = self.open.iter().position(|f| f.id == id) else { return };
        let Some(mut frame) = self.open.remove(at) else { return };
        if let Some((at, refresh)) = shown {
            (frame.displayed, frame.refresh) = (Some(at), refresh);
        }
        if self.tally.closed(&frame, self.screen.period()) {
            (self.observe)(&frame);
        }
    }
}

/// Counts frames into figures.
#[derive(Debug)]
struct Tally {
    warmup: u64,
    variable: bool,
    frames: u64,
    displayed: u64,
    dropped: u64,
    refreshes: u64,
    missed_vsyncs: u64,
    targets: u64,
    late: u64,
    start_to_display: Distribution,
    animation_error: Distribution,
    on_time: Distribution,
    prediction: Distribution,
    last: Option<(SimFrame, bool)>,
    base: Option<(Timestamp, Duration)>,
    drift: i64,
    snaps: u64,
    snaps_at_warmup: u64,
    most_in_flight: u32,
    parked_wakes: u64,
    swaps_while_hidden: u64,
    heavier: u64,
}

impl Tally {
    fn new(scenario: &Scenario) -> Self {
        Self {
            warmup: scenario.warmup,
            variable: matches!(scenario.display.taking, Taking::Variable(_)),
            frames: 0,
            displayed: 0,
            dropped: 0,
            refreshes: 0,
            missed_vsyncs: 0,
            targets: 0,
            late: 0,
            start_to_display: Distribution::default(),
            animation_error: Distribution::default(),
            on_time: Distribution::default(),
            prediction: Distribution::default(),
            last: None,
            base: None,
            drift: 0,
            snaps: 0,
            snaps_at_warmup: 0,
            most_in_flight: 0,
            parked_wakes: 0,
            swaps_while_hidden: 0,
            heavier: 0,
        }
    }

    fn swapped(&mut self, frame: &SimFrame, snaps: u64, hidden: u64) {
        let reference = frame.plan.target_presentation.unwrap_or(frame.start);
        if snaps != self.snaps || self.base.is_none() {
            self.snaps = snaps;
            self.base = Some((reference, frame.animation));
        }
        self.swaps_while_hidden += hidden;
        if frame.id.0 <= self.warmup {
            self.snaps_at_warmup = snaps;
            return;
        }
        if let Some((at, animation)) = self.base {
            let drift = signed_nanos(frame.animation) - signed_nanos(animation) - reference.signed_since(at);
            self.drift = self.drift.max(drift.abs());
        }
        self.frames += 1;
        self.most_in_flight = self.most_in_flight.max(frame.in_flight);
        self.heavier += u64::from(frame.divisor > 1 || frame.layout != Layout::Serial);
    }

    /// Counts a frame of which all is known. Returns whether it was past the warm-up.
    fn closed(&mut self, frame: &SimFrame, period: f64) -> bool {
        let measured = frame.id.0 > self.warmup;
        if !measured {
            self.last = frame.displayed.is_some().then_some((*frame, false)).or(self.last);
            return false;
        }
        let target = frame.plan.target_presentation;
        self.targets += u64::from(target.is_some());
        let Some(at) = frame.displayed else {
            self.dropped += 1;
            self.late += u64::from(target.is_some());
            return true;
        };
        self.displayed += 1;
        let late = target.is_some_and(|t| at.signed_since(t) as f64 > period / 2.0);
        self.late += u64::from(late);
        self.start_to_display.record(at.signed_since(frame.start));
        if let Some(error) = frame.prediction_error {
            self.prediction.record(error.abs());
        }
        if let Some((last, last_late)) = &self.last
            && let Some(before) = last.displayed
        {
            let step = at.signed_since(before);
            let error = (signed_nanos(frame.animation) - signed_nanos(last.animation) - step).abs();
            self.animation_error.record(error);
            let (k, want) = if self.variable {
                (1, 1)
            } else {
                (frame.refresh.saturating_sub(last.refresh), u64::from(frame.divisor))
            };
            self.refreshes += k;
            self.missed_vsyncs += k.saturating_sub(want);
            if !late && !last_late {
                self.on_time.record(error);
            }
        }
        self.last = Some((*frame, late));
        true
    }

    fn outcome(&self, end: Timestamp, start: Timestamp) -> Outcome {
        Outcome {
            frames: self.frames,
            displayed: self.displayed,
            dropped: self.dropped,
            refreshes: self.refreshes,
            missed_vsyncs: self.missed_vsyncs,
            miss_rate: (self.targets > 0).then(|| self.late as f64 / self.targets as f64),
            start_to_display: self.start_to_display.summary(),
            animation_error: self.animation_error.summary(),
            animation_error_on_time: self.on_time.summary(),
            prediction_error: self.prediction.summary(),
            clock_drift_ms: self.drift as f64 / 1e6,
            snaps: self.snaps - self.snaps_at_warmup,
            most_in_flight: self.most_in_flight,
            parked_wakes: self.parked_wakes,
            swaps_while_hidden: self.swaps_while_hidden,
            heavier_frames: self.heavier,
            seconds: end.saturating_since(start).as_secs_f64(),
        }
    }
}
