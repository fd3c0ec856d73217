//! Both steps, as the threads run them, against a display that does not exist and a clock that is moved by hand. All
//! takes place on one time line, as on a machine with one core.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::control::Wishes;
use super::input::{Size, input_channel};
use super::logic::{Due, LogicStep, Order};
use super::options::RunOptions;
use super::render::{Backend, FrameInfo, Next, Reason, RenderStep};
use super::seat::InputWaker;
use super::signal::Waker;
use super::slot::Slot;
use super::summary::{Pixels, Summary, TargetInfo};
use super::world::{Logic, Tick};
use crate::display::priority::Priority;
use crate::error::Result;
use crate::pacing::{
    Feedback, FrameId, Layout, Lock, Origin, Pacing, Presentation, Rate, Variant, VblankSample, VrrRange,
};
use crate::sim::{FixedDisplay, Noise};
use crate::stats::{Check, Metric};
use crate::sync::snapshot::{DEFAULT_SLOTS, buffer};
use crate::time::{Clock, Timestamp};

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>, Arc<AtomicU64>);

impl Hand {
    fn pass(&self, nanos: u64) {
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }

    fn reach(&self, at: Timestamp) {
        self.0.fetch_max(at.as_nanos(), Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn suspended(&self) -> Duration {
        Duration::from_nanos(self.1.load(Ordering::Relaxed))
    }
}

/// How long things take: a least time and a tail, in microseconds.
#[derive(Copy, Clone)]
struct Cost(u64, u64);

impl Cost {
    fn draw(self, noise: &mut Noise) -> u64 {
        self.0 * US + (self.1 as f64 * US as f64 * noise.exponential()) as u64
    }
}

#[derive(Copy, Clone)]
struct Costs {
    logic: Cost,
    render: Cost,
    gpu: Cost,
}

struct World {
    clock: Hand,
    noise: Noise,
    cost: Cost,
    steps: u64,
}

impl Logic for World {
    type Snapshot = u64;

    fn update(&mut self, _: &Tick) {
        self.steps += 1;
        self.clock.pass(self.cost.draw(&mut self.noise));
    }

    fn extract(&self, out: &mut u64) {
        *out = self.steps;
    }
}

/// What the display saw.
#[derive(Default)]
struct Seen {
    draws: u64,
    most_in_flight: u32,
    over_limit: u64,
    /// Frames at which the refreshes were not known, after the first few hundred.
    unlocked: u64,
    /// The refresh at which each frame was shown.
    shown: Vec<Timestamp>,
}

/// Frames wait for the GPU and then for the first free refresh; the display tells a millisecond later.
struct Screen {
    clock: Hand,
    display: FixedDisplay,
    noise: Noise,
    costs: Costs,
    target: TargetInfo,
    gpu_free: Timestamp,
    last_shown: Timestamp,
    drawn_by: Timestamp,
    fences: VecDeque<(FrameId, Timestamp)>,
    waiting: VecDeque<(FrameId, Timestamp)>,
    view: u64,
    seen: Rc<RefCell<Seen>>,
}

impl Backend<u64> for Screen {
    fn target(&self) -> &TargetInfo {
        &self.target
    }

    fn resize(&mut self, _: Size, _: f32) -> Result<()> {
        Ok(())
    }

    fn draw(&mut self, view: &u64, frame: &FrameInfo<'_>) -> Result<()> {
        assert_eq!(*view, self.view + 1, "every snapshot is drawn, and once");
        self.view = *view;
        let now = self.clock.now();
        let in_flight = 1 + self.fences.iter().filter(|(_, done)| *done > now).count() as u32;
        let mut seen = self.seen.borrow_mut();
        seen.draws += 1;
        seen.most_in_flight = seen.most_in_flight.max(in_flight);
        seen.over_limit += u64::from(in_flight > frame.pacer.frames_in_flight());
        seen.unlocked += u64::from(seen.draws > 300 && frame.pacer.state().lock != Lock::Locked);
        self.clock.pass(self.costs.render.draw(&mut self.noise));
        self.gpu_free = self.clock.now().max(self.gpu_free) + nanos(self.costs.gpu.draw(&mut self.noise));
        self.drawn_by = self.gpu_free;
        Ok(())
    }

    fn swap(&mut self, id: FrameId) -> Result<()> {
        let ready = self.drawn_by.max(self.clock.now()).max(self.last_shown.offset(1));
        self.last_shown = self.display.vblank_at_or_after(ready);
        self.fences.push_back((id, self.drawn_by));
        self.waiting.push_back((id, self.last_shown));
        self.seen.borrow_mut().shown.push(self.last_shown);
        self.clock.pass(20 * US);
        Ok(())
    }

    fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
        let now = self.clock.now();
        while let Some((id, _)) = self.fences.pop_front_if(|(_, done)| *done <= now) {
            sink(Feedback::GpuDone(id, now));
        }
        while let Some((id, at)) = self.waiting.pop_front_if(|(_, at)| *at + nanos(MS) <= now) {
            let stamp = at.offset((self.noise.normal() * 20.0 * US as f64) as i64);
            sink(Feedback::Presented(id, Presentation::At(stamp, Origin::Hardware)));
            sink(Feedback::Vblank(VblankSample {
                at: stamp,
                sequence: None,
                period: None,
                origin: Origin::Hardware,
            }));
        }
    }

    fn capture(&mut self, _: &u64, _: &FrameInfo<'_>) -> Result<Pixels> {
        unreachable!("nobody asks for a picture")
    }
}

const fn nanos(n: u64) -> Duration {
    Duration::from_nanos(n)
}

struct Run {
    summary: Summary,
    seen: Seen,
    /// When the last frame had been swapped.
    ended: Timestamp,
    steps: u64,
    early: u64,
    redrawn: u64,
}

/// So many frames in `pacing` at `hz`, as the threads would make them.
fn run(options: RunOptions, hz: f64, costs: Costs, frames: u64) -> Run {
    run_on(options, (hz, true), costs, frames)
}

/// As [`run`]; whether the system knows the display's rate is part of the display.
fn run_on(options: RunOptions, display: (f64, bool), costs: Costs, frames: u64) -> Run {
    run_with(options, display, costs, frames, |_, _| None)
}

/// As [`run_on`]; after each frame, of which it gets the number, and the clock, `host` may wish for something.
fn run_with(
    options: RunOptions,
    (hz, known): (f64, bool),
    costs: Costs,
    frames: u64,
    host: impl Fn(u64, &Hand) -> Option<Wishes>,
) -> Run {
    let clock = Hand::default();
    clock.pass(1_000_000 * MS);
    let noise = Noise::new(7);
    let mut oversleep = noise.fork(4);
    let seen = Rc::new(RefCell::new(Seen::default()));
    let target = TargetInfo { refresh_hz: known.then_some(hz), ..TargetInfo::default() };
    let screen = Screen {
        clock: clock.clone(),
        display: FixedDisplay::new(hz, Timestamp::from_nanos(3 * MS)),
        noise: noise.fork(1),
        costs,
        target,
        gpu_free: Timestamp::ZERO,
        last_shown: Timestamp::ZERO,
        drawn_by: Timestamp::ZERO,
        fences: VecDeque::new(),
        waiting: VecDeque::new(),
        view: 0,
        seen: Rc::clone(&seen),
    };
    let world = World { clock: clock.clone(), noise: noise.fork(2), cost: costs.logic, steps: 0 };
    let (_input, inputs, latest) = input_channel(InputWaker::none());
    let (snapshots_in, snapshots_out) = buffer::<_, DEFAULT_SLOTS>(|_| Slot::<u64>::default());
    let (orders_in, orders_out) = buffer::<_, DEFAULT_SLOTS>(|_| Order::default());
    let mut logic = LogicStep::new(world, inputs, orders_out, snapshots_in);
    let mut render =
        RenderStep::new(screen, snapshots_out, orders_in, Waker::none(), latest, Priority::Normal, options);
    let (mut steps, mut early, mut redrawn) = (0, 0, 0);
    // A thread that sleeps until `at` runs a little later, and once in a while much later.
    let mut sleep = |at: Timestamp| {
        let late = 5.0 * oversleep.exponential() + if oversleep.chance(0.0001) { 3_000.0 } else { 0.0 };
        clock.reach(at.offset((late * US as f64) as i64));
    };
    render.start(clock.now()).expect("a start");
    let mut swap_at = Timestamp::ZERO;
    loop {
        let now = clock.now();
        if render.has_pending() {
            render.poll(now);
        }
        match render.next(now) {
            Next::Stop => break,
            Next::Draw(reason) => {
                redrawn += u64::from(reason != Reason::Fresh);
                render.draw(reason, &clock).expect("a frame");
                swap_at = Timestamp::ZERO;
            }
            Next::Swap => {
                early += u64::from(now < swap_at);
                render.swap(&clock).expect("a swap");
                let drawn = seen.borrow().draws;
                if drawn >= frames {
                    break;
                }
                if let Some(wishes) = host(drawn, &clock) {
                    render.apply(wishes, clock.now()).expect("a mode");
                }
            }
            Next::Exactly(at) => {
                swap_at = at;
                sleep(at);
            }
            next @ (Next::At(_) | Next::Idle) => {
                let at = if let Next::At(at) = next { at } else { Timestamp::MAX };
                match logic.due(now) {
                    Due::Now => {
                        steps += u64::from(logic.step(&clock).is_some());
                    }
                    Due::At(due) => sleep(due.min(at)),
                    Due::Idle => sleep(at),
                }
            }
        }
    }
    let ended = clock.now();
    clock.pass(100 * MS);
    let summary = render.finish(clock.now(), None).summary.expect("figures");
    Run { summary, seen: seen.take(), ended, steps, early, redrawn }
}

fn options(pacing: Pacing) -> RunOptions {
    RunOptions { pacing, warmup: 300, ..RunOptions::default() }
}

/// Refreshes between the shown frames that showed nothing new, after the first few hundred.
fn left_out(run: &Run, hz: f64, each: u64) -> u64 {
    let shown = &run.seen.shown[300..];
    let passed = shown[shown.len() - 1].saturating_since(shown[0]).as_secs_f64() * hz;
    passed.round() as u64 - (shown.len() as u64 - 1) * each
}

const LIGHT: Costs = Costs { logic: Cost(700, 60), render: Cost(1_200, 100), gpu: Cost(800, 60) };

#[test]
fn ten_thousand_noisy_frames_keep_the_declared_budget_and_lose_nothing() {
    for (hz, pacing, frames) in [
        (60.0, Pacing::Auto, 10_000),
        (59.94, Pacing::Smooth, 4_000),
        (60.0, Pacing::LowLatency, 4_000),
        (143.98, Pacing::Auto, 4_000),
        (240.0, Pacing::Auto, 4_000),
    ] {
        let costs = if hz > 200.0 {
            Costs { logic: Cost(300, 30), render: Cost(500, 50), gpu: Cost(300, 30) }
        } else {
            LIGHT
        };
        let run = run(options(pacing), hz, costs, frames);
        let (counted, state) = (run.summary.stats.counters(), run.summary.pacer);
        assert_eq!((counted.frames, counted.repeated, counted.stale), (frames, 0, 0), "{pacing} at {hz} Hz");
        assert_eq!((run.early, run.redrawn, counted.snapshots_skipped), (0, 0, 0), "{pacing} at {hz} Hz");
        // One snapshot per order: at the end at most one is on its way.
        assert!(run.steps - counted.frames <= 1, "{pacing} at {hz} Hz: {} steps", run.steps);
        assert_eq!(run.seen.over_limit, 0, "{pacing} at {hz} Hz: {} in flight", run.seen.most_in_flight);

        assert_eq!(state.lock, Lock::Locked);
        let measured = 1.0 / state.refresh.expect("a rate").as_secs_f64();
        assert!((measured / hz - 1.0).abs() < 1e-4, "{measured} Hz, not {hz}");
        // What is declared, and what the display saw: with three standard deviations of a rare event on top.
        let allowed = state.miss_budget.expect("it aims at a time") * frames as f64;
        let allowed = (allowed + 3.0 * allowed.sqrt()) as u64;
        let missed = left_out(&run, hz, 1);
        assert!(missed <= allowed, "{pacing} at {hz} Hz: {missed} missed of {allowed} allowed");
        assert!(state.missed <= allowed, "{pacing} at {hz} Hz: {state:?}");
        assert!(state.judged > frames * 9 / 10, "frames are judged: {state:?}");
        if frames == 10_000 {
            // Here frames wait behind late ones. Those behind are put off as soon as that can be known.
            assert!(state.postponed > state.missed / 2 && state.drains <= 3, "{state:?}");
        }
        // The figures say what the display saw.
        let told = run.summary.missed.expect("a known rate");
        assert!(told.abs_diff(missed) <= 1, "{pacing} at {hz} Hz: {told} and {missed}");
        // A prediction that is off by no more than the noise of the stamps.
        let phase = run.summary.stats.metrics().summary(Metric::PhaseError).expect("predictions");
        assert!(phase.n > frames * 9 / 10 && phase.rms < 0.05, "{phase:?}");
        // The loop has no fault of its own to find.
        let check = run.summary.self_check().expect("frames");
        assert!(check.findings.is_empty() && check.unmeasured.is_empty(), "{pacing} at {hz} Hz: {check}");

        // And all of it late in the refresh: well below the whole refresh that an unplanned loop would take, and that a
        // smooth one is given.
        let period = 1e3 / hz * if pacing == Pacing::Smooth { 1.3 } else { 1.0 };
        let latency = run.summary.stats.metrics().summary(Metric::SampleToPhoton).expect("latency");
        assert!(latency.p50 < 0.8 * period, "{pacing} at {hz} Hz: {latency:?} of {period} ms, {state:?}");
    }
}

#[test]
fn latency_falls_with_the_declared_budget() {
    let latency = |pacing| {
        let run = run(options(pacing), 60.0, LIGHT, 20_000);
        // A miss costs a whole refresh: what is gained is seen in the middle.
        run.summary.stats.metrics().summary(Metric::SampleToPhoton).expect("latency").p50
    };
    let [low, auto, smooth] = [Pacing::LowLatency, Pacing::Auto, Pacing::Smooth].map(latency);
    assert!(low < auto && auto < smooth, "{low} {auto} {smooth} ms");
}

#[test]
fn too_heavy_a_load_takes_every_second_refresh_and_misses_none_of_them() {
    // The GPU alone takes longer than a refresh: no layout helps.
    let costs = Costs { logic: Cost(1_000, 100), render: Cost(2_000, 100), gpu: Cost(20_000, 100) };
    let run = run(options(Pacing::Auto), 60.0, costs, 3_000);
    let state = run.summary.pacer;
    assert_eq!((state.divisor, state.layout), (2, Layout::Serial), "{state:?}");
    assert_eq!(run.seen.over_limit, 0);
    // The figures hold the frames against two refreshes, since they were told of the change.
    let told = run.summary.missed.expect("a known rate");
    assert!(told <= 60, "{told} of 3,000 missed");
    // The self-check holds them against what was wanted.
    let check = run.summary.self_check().expect("frames");
    assert!(check.findings.len() == 1, "{check}");
    let told = check.finding(Check::GpuBound).map(ToString::to_string).unwrap_or_default();
    assert!(
        told.contains("of the 16.7 ms") && told.contains("2 refreshes"),
        "what the load made of it: {check}"
    );
}

#[test]
fn a_cap_below_the_refresh_rate_halves_it_exactly() {
    let mut options = options(Pacing::Auto);
    options.cap = Rate::new(30.0);
    // Work that is too much for every refresh is not for every second one.
    let heavy = run(options.clone(), 60.0, Costs { gpu: Cost(20_000, 100), ..LIGHT }, 1_000);
    let check = heavy.summary.self_check().expect("frames");
    assert!(check.findings.is_empty(), "{check}");
    let run = run(options, 60.0, LIGHT, 3_000);
    assert_eq!(run.summary.pacer.divisor, 2, "by the cap: the load would fit");
    let missed = left_out(&run, 60.0, 2);
    assert!(missed <= 30, "{missed}");
    let told = run.summary.missed.expect("a known rate");
    assert!(told <= 30, "the figures know of the cap: {told}");
    let check = run.summary.self_check().expect("frames");
    assert!(check.findings.is_empty(), "a cap is no lack of speed: {check}");
}

#[test]
fn under_a_cap_of_five_per_second_the_world_keeps_its_speed() {
    for mode in [
        Pacing::Auto,
        Pacing::Smooth,
        Pacing::Vsync,
        Pacing::Immediate,
        Pacing::Fixed(Rate::new(60.0).expect("a rate")),
        Pacing::Ticker(Variant::Both),
    ] {
        let options = RunOptions { cap: Rate::new(5.0), warmup: 20, ..options(mode) };
        let run = run(options, 60.0, LIGHT, 120);
        assert_eq!(run.summary.pacer.snaps, 0, "{mode}");
        // Without a display that swap waits for, starts lie anywhere in a refresh.
        let error = run.summary.stats.metrics().summary(Metric::AnimationError).expect("display times");
        assert!(error.min > -34.0 && error.max < 34.0, "{mode}: {error:?} ms");
    }
}

#[test]
fn what_a_cap_leaves_out_is_not_missed_in_modes_that_begin_at_once() {
    for mode in [Pacing::Vsync, Pacing::Immediate, Pacing::Ticker(Variant::Both)] {
        let mut options = options(mode);
        options.cap = Rate::new(30.0);
        let run = run(options, 60.0, LIGHT, 600);
        let told = run.summary.missed.expect("a known rate");
        // By chance of the phase starts may lie where now and then one comes too late; each second refresh is what must not count.
        assert!(told <= 60, "{mode}: {told} of 1,200 refreshes");
    }
}

#[test]
fn a_display_of_unknown_rate_is_measured_and_held_against_that() {
    let run = run_on(options(Pacing::Auto), (75.0, false), LIGHT, 3_000);
    let missed = left_out(&run, 75.0, 1);
    let told = run.summary.missed.expect("a measured rate");
    assert!(told.abs_diff(missed) <= 1, "{told} and {missed}");
    assert_eq!(run.summary.target.refresh_hz, None);
}

#[test]
fn a_host_says_whether_the_rate_is_variable_while_frames_are_drawn() {
    let range = VrrRange::new(48.0, 144.0);
    let wish = |vrr| Some(Wishes { vrr: Some(vrr), ..Wishes::default() });
    for (back, hz) in [(false, 138.24), (true, 144.0)] {
        let host = |drawn, _: &Hand| match drawn {
            400 => wish(range),
            900 if back => wish(None),
            _ => None,
        };
        let run = run_with(options(Pacing::Auto), (144.0, true), LIGHT, 1_400, host);
        let told = 1.0 / run.summary.intervals.1.as_secs_f64();
        assert!((told - hz).abs() < 0.05, "{told} for {hz}");
        // What waits for the refreshes of a display that does not follow is shown as often all the same.
        let shown = 390.0 / run.seen.shown[890].saturating_since(run.seen.shown[500]).as_secs_f64();
        assert!((shown - 138.24).abs() < 1.0, "{shown} frames per second");
    }
}

/// The three variants of the reference scheduler on a display that is a little slower than it says.
#[test]
fn reference_schedulers_begin_frames_by_ticks_by_notices_and_by_both() {
    let run = |variant| {
        let run = run_on(options(Pacing::Ticker(variant)), (59.5, false), LIGHT, 6_000);
        assert_eq!(run.seen.over_limit, 0);
        assert_eq!(run.summary.pacer.miss_budget, None, "they aim at nothing");
        assert_eq!((run.steps, run.redrawn), (run.seen.draws, 0));
        // The last that was swapped waits so many refreshes.
        let waits = run.seen.shown.last().expect("frames").signed_since(run.ended) as f64 * 59.5 / 1e9;
        (left_out(&run, 59.5, 1), waits)
    };
    // A notice for every refresh, and a frame for every notice.
    assert_eq!(run(Variant::VsyncAlone).0, 0);
    let (left_out, waits) = run(Variant::Both);
    assert!(left_out <= 3 && waits < 2.0, "{left_out} left out, {waits} refreshes behind");
    // Half a frame a second too many: each waits for the one before, ever longer.
    let (left_out, waits) = run(Variant::TickerAlone);
    assert!(left_out == 0 && waits > 40.0, "{left_out} left out, {waits} refreshes behind");
}

/// The clock stands while the machine does: nothing but its own word says that the phase may be another one.
#[test]
fn refreshes_are_learnt_anew_after_a_suspend() {
    let unlocked = |suspended: u64| {
        let host = |drawn, clock: &Hand| {
            if drawn == 600 {
                clock.1.fetch_add(suspended * MS, Ordering::Relaxed);
            }
            None
        };
        let run = run_with(options(Pacing::Auto), (60.0, true), LIGHT, 1_200, host);
        assert_eq!(run.summary.pacer.lock, Lock::Locked);
        let missed = left_out(&run, 60.0, 1);
        assert!(missed <= 20, "{missed} refreshes left out after {suspended} ms");
        run.seen.unlocked
    };
    assert_eq!((unlocked(0), unlocked(90)), (0, 0));
    let relearnt = unlocked(10_000);
    assert!((1..100).contains(&relearnt), "{relearnt} frames");
}

/// A while of the loop that others have, in a run of ours: figures, counts, times and the pacer's own are those of our frames.
#[test]
fn frames_drawn_for_comparison_are_in_no_figure_of_the_run() {
    let (warmup, hz) = (30, 60.0);
    let options = RunOptions { warmup, ..options(Pacing::Auto) };
    let wish = |mode| Some(Wishes { pacing: Some(mode), ..Wishes::default() });
    let host = |drawn, _: &Hand| match drawn {
        400 => wish(Pacing::Naive),
        1_400 => wish(Pacing::Auto),
        _ => None,
    };
    let run = run_with(options, (hz, true), LIGHT, 2_000, host);
    let (counted, summary) = (run.summary.stats.counters(), &run.summary);
    assert_eq!((counted.frames + counted.apart, summary.frames), (run.seen.draws, counted.frames));
    let modes: Vec<_> = summary.modes.iter().map(|mode| (mode.pacing, mode.frames, mode.apart)).collect();
    let [(Pacing::Auto, frames, settling), (Pacing::Naive, 0, 1_000)] = modes[..] else {
        panic!("{modes:?}");
    };
    assert_eq!((frames + warmup, settling + 1_000), (counted.frames, counted.apart));
    assert!(settling.abs_diff(60) < 5, "a second of settling at 60 Hz: {settling}");
    let rate = counted.frames as f64 / (summary.elapsed - summary.apart).as_secs_f64();
    assert!((rate / hz - 1.0).abs() < 0.05, "{rate} frames per second");
    let judged = summary.pacer.judged;
    // The last plans are not concluded, and of the first ones after a switch nothing is judged.
    assert!(judged <= frames && judged + 10 > frames, "{judged} of {frames}");
    assert_eq!(summary.measured_pacing(), Pacing::Auto);
}
