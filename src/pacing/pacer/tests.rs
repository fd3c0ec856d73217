use super::*;
use crate::sim::{presets, run};

const MS: u64 = 1_000_000;

mod cap;
mod ticker;

fn swapped(pacer: &mut FramePacer, end: Timestamp) {
    let id = pacer.last;
    pacer.submitted(id, end, Work::default());
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_nanos(1_000_000_000 + ms * MS)
}

fn fixed(hz: f64) -> FramePacer {
    FramePacer::new(Pacing::fixed(hz).unwrap(), 60.0)
}

#[test]
fn fixed_on_time_keeps_the_grid_for_a_million_ticks() {
    for hz in [59.94, 60.0, 120.0, 143.98, 240.0] {
        let mut pacer = fixed(hz);
        let start = pacer.plan(at(0)).wake_at;
        let mut now = start;
        for _ in 0..1_000_000 {
            now = pacer.plan(now).wake_at;
        }
        let want = 1_000_000.0 / hz;
        let got = now.saturating_since(start).as_secs_f64();
        assert!((got - want).abs() < 2e-9 * want + 1e-9, "{hz} Hz: {got} for {want}");
        assert_eq!(pacer.missed_ticks(), 0);
    }
}

#[test]
fn fixed_late_frame_keeps_phase_and_counts_missed_ticks() {
    let mut pacer = fixed(100.0);
    pacer.plan(at(0));
    // Due at 10, asked at 34: the grid point at 30 is the one that it belongs to; 10 and 20 are lost.
    let plan = pacer.plan(at(34));
    assert_eq!(plan.wake_at, at(30));
    assert_eq!(plan.dt, Some(Duration::from_millis(30)));
    assert_eq!(pacer.missed_ticks(), 2);
    assert_eq!(pacer.plan(at(34)).wake_at, at(40));
}

#[test]
fn fixed_slightly_late_frame_loses_no_tick() {
    let mut pacer = fixed(100.0);
    pacer.plan(at(0));
    let plan = pacer.plan(at(13));
    assert_eq!((plan.wake_at, plan.dt), (at(10), Some(Duration::from_millis(10))));
    assert_eq!(pacer.plan(at(14)).wake_at, at(20));
    assert_eq!(pacer.missed_ticks(), 0);
}

#[test]
fn fixed_after_idle_starts_the_grid_anew() {
    let mut pacer = fixed(100.0);
    pacer.plan(at(0));
    pacer.plan(at(1));
    let last = pacer.last;
    pacer.began_after_idle(last, at(777));
    let plan = pacer.plan(at(778));
    assert_eq!((plan.wake_at, plan.dt), (at(787), Some(Duration::from_millis(10))));
    assert_eq!(pacer.missed_ticks(), 0);
}

#[test]
fn long_gap_is_cut_and_counted() {
    let mut pacer = fixed(100.0);
    pacer.plan(at(0));
    assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    pacer.plan(at(0));
    assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
    assert_eq!(pacer.snaps(), 1);
    // A rate slower than ten per second is no gap.
    let mut slow = fixed(2.0);
    slow.plan(at(0));
    assert_eq!(slow.plan(at(1)).dt, Some(Duration::from_millis(500)));
    assert_eq!(slow.snaps(), 0);
}

#[test]
fn a_stop_of_a_loop_that_waits_for_nothing_is_counted() {
    let mut pacer = FramePacer::new(Pacing::Immediate, 60.0);
    for ms in [0, 5, 3_000, 3_005] {
        pacer.plan(at(ms));
    }
    assert_eq!(pacer.snaps(), 1);
    let waits = pacer.plan(at(3_010));
    pacer.began_after_idle(waits.id, at(9_000));
    pacer.plan(at(9_001));
    assert_eq!(pacer.snaps(), 1, "a wait for input is none");
}

#[test]
fn vsync_unthrottled_swap_is_found_out_and_timed() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    assert!(!pacer.plans_ahead());
    for i in 0..13 {
        pacer.plan(at(i));
        swapped(&mut pacer, at(i));
    }
    assert_eq!(pacer.throttle(), Throttle::Timer);
    assert!(pacer.plans_ahead());
    let first = pacer.plan(at(20)).wake_at;
    let second = pacer.plan(at(21)).wake_at;
    assert_eq!(second.saturating_since(first).as_micros(), 16_666);
}

#[test]
fn vsync_throttled_swap_with_a_filling_queue_is_believed() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    let mut t = 0;
    for i in 0..13 {
        t += if i < 3 { 1_000 } else { 16_667 + i * 40 };
        swapped(&mut pacer, at(0) + Duration::from_micros(t));
    }
    assert_eq!(pacer.throttle(), Throttle::Driver);
    assert!(!pacer.plans_ahead());
    pacer.set_refresh(144.0);
    assert_eq!(pacer.throttle(), Throttle::Untested);
}

#[test]
fn another_display_is_tested_anew_unless_the_caller_knows() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    (0..13).for_each(|i| swapped(&mut pacer, at(i)));
    assert_eq!(pacer.throttle(), Throttle::Timer);
    pacer.set_refresh(144.0);
    assert_eq!(pacer.throttle(), Throttle::Untested);
    pacer.set_throttle(Throttle::Timer);
    pacer.set_refresh(60.0);
    assert_eq!(pacer.throttle(), Throttle::Timer);
}

#[test]
fn vsync_irregular_intervals_are_not_taken_for_a_display() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    let mut t = 0;
    for i in 0..200_u64 {
        t += 11_000 + i * 7_919 % 5_000; // work of 11 to 16 ms without any throttle
        swapped(&mut pacer, at(0) + Duration::from_micros(t));
    }
    assert_eq!(pacer.throttle(), Throttle::Untested);
}

#[test]
fn vsync_intervals_across_idle_do_not_count_as_throttled() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    // Each frame comes after a second of idling: nothing can be learnt from those intervals.
    for i in 0..40 {
        let last = pacer.last;
        pacer.began_after_idle(last, at(i * 1_000));
        swapped(&mut pacer, at(i * 1_000 + 1));
    }
    assert_eq!(pacer.throttle(), Throttle::Untested);
}

#[test]
fn misses_are_declared_only_while_frames_aim_at_a_time() {
    let declared = |mode| FramePacer::new(mode, 60.0).state().miss_budget;
    for mode in [Pacing::Auto, Pacing::LowLatency, Pacing::Smooth, Pacing::fixed(60.0).unwrap()] {
        assert_eq!(declared(mode), Some(mode.miss_budget().share()), "{mode}");
    }
    for mode in [Pacing::Vsync, Pacing::Immediate, Pacing::Host] {
        assert_eq!(declared(mode), None, "{mode}");
    }
    let mut timed = FramePacer::new(Pacing::Vsync, 60.0);
    timed.set_throttle(Throttle::Timer);
    assert!(timed.state().miss_budget.is_some(), "a timer paces: its grid can be missed");
    let mut answered = FramePacer::new(Pacing::Auto, 60.0);
    answered.set_one_by_one(true);
    assert_eq!(answered.state().miss_budget, None);
}

/// A display that only answers, every `refresh` microseconds, and frames of `work` microseconds that begin with its
/// answer. Returns the layout after 600 of them.
fn answered(hz: f64, refresh: u64, work: u64) -> Layout {
    let us = |n: u64| Duration::from_micros(n);
    let mut pacer = FramePacer::new(Pacing::LowLatency, hz);
    pacer.set_source(Origin::Estimated);
    pacer.set_one_by_one(true);
    let mut now = at(0);
    for i in 0..600 {
        let plan = pacer.plan(now);
        // Arrivals are looked for twice in a millisecond, and the work is never twice the same.
        let work = work - 150 + i * 7_919 % 300;
        let done = plan.wake_at.max(now) + us(work);
        pacer.submitted(plan.id, done, Work { logic: us(work / 2), drawing: us(work / 2), held: us(0) });
        pacer.gpu_done(plan.id, done);
        let refreshes = (done.saturating_since(at(0)).as_micros() as u64).div_ceil(refresh);
        now = at(0) + us(refreshes * refresh + i * 104_729 % 400);
        pacer.presented(plan.id, Presentation::Estimated(now));
    }
    pacer.state().layout
}

#[test]
fn a_frame_that_fits_between_two_answers_stays_serial() {
    for (hz, refresh, work, want) in [
        // With a reserve for a deadline that there is not, this would not fit.
        (240.0, 4_167, 3_700, Layout::Serial),
        // What calls itself 240 Hz and has 199.
        (240.0, 5_025, 4_400, Layout::Serial),
        (240.0, 5_025, 6_000, Layout::Pipelined),
        (60.0, 16_667, 15_000, Layout::Serial),
        (60.0, 16_667, 18_000, Layout::Pipelined),
    ] {
        assert_eq!(answered(hz, refresh, work), want, "{work} us of {refresh}");
    }
}

#[test]
fn nonsense_refresh_rates_become_sixty() {
    for hz in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(FramePacer::new(Pacing::Vsync, hz).interval().as_micros(), 16_666);
    }
}

#[test]
fn naive_loop_is_told_to_begin_at_once_and_to_wait_for_nobody() {
    let mut pacer = FramePacer::new(Pacing::Naive, 60.0);
    let mut now = Timestamp::from_nanos(1_000_000_000);
    for _ in 0..20 {
        let plan = pacer.plan(now);
        assert_eq!((plan.wake_at, plan.swap_at, plan.target_presentation), (now, None, None));
        // Swaps that do not wait: a timer takes over in vsync, and not here.
        now += Duration::from_millis(1);
        pacer.submitted(plan.id, now, Work::default());
    }
    assert_eq!(pacer.frames_in_flight(), u32::MAX);
    assert!(!pacer.plans_ahead() && pacer.state().miss_budget.is_none());
}

/// What a pacer misses in 20,000 frames on a machine that stalls for 2 to 10 ms once in 250 frames, and from begin to display at
/// the median, in ms.
fn on_a_machine_that_stalls(workload: &str, mut pacer: FramePacer) -> (u64, f64) {
    let scenario = presets::scenario("stalls", workload, 20_000).unwrap();
    let outcome = run(&scenario, &mut pacer);
    (outcome.missed_vsyncs, outcome.start_to_display.unwrap().p50)
}

#[test]
fn smooth_misses_nothing_while_the_machine_stalls_for_no_longer_than_a_refresh_has_to_spare() {
    let (missed, begun) = on_a_machine_that_stalls("noisy", FramePacer::new(Pacing::Smooth, 60.0));
    assert_eq!(missed, 0);
    assert!((16.0..17.0).contains(&begun), "a whole refresh early, and not more: {begun}");
    // What begins as late as its share allows misses that share.
    let mut declared = FramePacer::new(Pacing::Smooth, 60.0);
    declared.set_miss_budget(Some(Pacing::Smooth.miss_budget()));
    for late in [FramePacer::new(Pacing::Auto, 60.0), declared] {
        let (missed, begun) = on_a_machine_that_stalls("noisy", late);
        assert!(missed > 10 && begun < 14.0, "{missed} missed, {begun} ms");
    }
}

#[test]
fn smooth_and_pipelined_has_a_refresh_more_to_spare_where_the_gpu_needs_most_of_one() {
    let (missed, _) = on_a_machine_that_stalls("gpu-bound", FramePacer::new(Pacing::Smooth, 60.0));
    assert!(missed > 10, "work of 10.5 ms and a stall of 10 fit into no refresh: {missed}");
    let mut pipelined = FramePacer::new(Pacing::Smooth, 60.0);
    pipelined.set_layout(LayoutChoice::Pinned(Layout::Pipelined));
    let (missed, begun) = on_a_machine_that_stalls("gpu-bound", pipelined);
    assert_eq!(missed, 0);
    assert!(begun < 34.0, "{begun}");
}

/// A pacer in `mode` that has locked to a display of 60 Hz on which nothing went wrong, and the time at which its last frame
/// was done.
fn locked(mode: Pacing) -> (FramePacer, Timestamp) {
    let mut pacer = FramePacer::new(mode, 60.0);
    let refresh = |n: u64| at(0) + Duration::from_nanos(n * 16_666_667);
    let mut now = at(0);
    for n in 1..200 {
        let sample = VblankSample { at: refresh(n), sequence: None, period: None, origin: Origin::Hardware };
        pacer.vblank(sample);
        let plan = pacer.plan(refresh(n));
        now = plan.wake_at.max(refresh(n)) + Duration::from_millis(3);
        pacer.submitted(plan.id, now, Work::default());
        pacer.gpu_done(plan.id, now);
        let shown = plan.target_presentation.unwrap_or(now);
        pacer.presented(plan.id, Presentation::At(shown, Origin::Hardware));
    }
    assert_eq!(pacer.state().lock, Lock::Locked);
    (pacer, now)
}

#[test]
fn smooth_frame_after_a_wait_aims_at_the_first_refresh_that_it_can_reach() {
    let (mut pacer, now) = locked(Pacing::Smooth);
    pacer.idled();
    let begun = now + Duration::from_secs(1);
    let plan = pacer.plan(begun);
    let ahead = plan.target_presentation.unwrap().saturating_since(begun);
    let needed = Duration::from_millis(3) + Duration::from_secs_f64(1.0 / 60.0 / 4.0);
    assert!(ahead <= needed + Duration::from_nanos(16_666_667), "{ahead:?}: no refresh is left out");
}

#[test]
fn stall_of_a_locked_loop_is_one_reported_snap_and_a_short_one_is_none() {
    for (stall, snaps) in [(50, 0), (5_000, 1)] {
        let (mut pacer, now) = locked(Pacing::Auto);
        let plan = pacer.plan(now + Duration::from_millis(stall));
        assert_eq!(pacer.snaps(), snaps, "{stall} ms");
        let dt = plan.dt.unwrap();
        assert!(if snaps == 1 { dt == LONGEST_STEP } else { dt < LONGEST_STEP }, "{stall} ms: {dt:?}");
        let _ = pacer.plan(plan.wake_at + Duration::from_millis(17));
        assert_eq!(pacer.snaps(), snaps, "{stall} ms: once");
    }
}

#[test]
fn frame_after_a_late_one_leaves_it_the_refresh_that_it_takes() {
    // The late frame's display time is told before the next plan, or is not known yet.
    for told in [true, false] {
        let (mut pacer, now) = locked(Pacing::Auto);
        let late = pacer.plan(now);
        let target = late.target_presentation.unwrap();
        let done = target + Duration::from_millis(5);
        let refresh = Duration::from_nanos(16_666_667);
        pacer.submitted(late.id, done, Work::default());
        pacer.gpu_done(late.id, done);
        if told {
            pacer.presented(late.id, Presentation::At(target + refresh, Origin::Hardware));
        }
        // There is time enough for another frame until the refresh that shows the late one.
        let next = pacer.plan(done + Duration::from_millis(1)).target_presentation.unwrap();
        let apart = next.saturating_since(target).as_secs_f64() / refresh.as_secs_f64();
        assert!((apart - 2.0).abs() < 0.01, "told: {told}, {apart} refreshes after the late one's target");
    }
}

#[test]
fn late_plan_aims_at_no_refresh_that_its_usual_work_cannot_reach() {
    for (before, refreshes) in [(1, 1.0), (8, 0.0)] {
        let (mut pacer, now) = locked(Pacing::Auto);
        let next = pacer.model().after(now + Duration::from_millis(40)).unwrap().at;
        // Frames take 3 ms.
        let target = pacer.plan(next - Duration::from_millis(before)).target_presentation.unwrap();
        let apart = target.signed_since(next) as f64 * 60.0 / 1e9;
        assert!((apart - refreshes).abs() < 0.01, "{before} ms before: {apart} refreshes later");
    }
}

#[test]
fn frame_after_a_wait_begins_at_once_and_those_after_it_as_late_as_before() {
    let (mut pacer, now) = locked(Pacing::Auto);
    pacer.idled();
    // 8 ms before a refresh there is time to spare: frames take 3.
    let next = pacer.model().after(now + Duration::from_millis(500)).unwrap().at;
    let begun = next - Duration::from_millis(8);
    let plan = pacer.plan(begun);
    assert_eq!(plan.wake_at, begun);
    let after = pacer.plan(next);
    assert!(after.wake_at > next + Duration::from_millis(1), "{:?}", after.wake_at);
}

#[test]
fn first_frames_are_given_the_whole_refresh() {
    let mut pacer = FramePacer::new(Pacing::Auto, 60.0);
    let refresh = Duration::from_nanos(16_666_667);
    let budgets: Vec<Duration> = (1..=150)
        .map(|n| {
            let now = at(0) + refresh * n;
            let sample = VblankSample { at: now, sequence: None, period: None, origin: Origin::Hardware };
            pacer.vblank(sample);
            let plan = pacer.plan(now);
            let done = plan.wake_at.max(now) + Duration::from_millis(3);
            pacer.submitted(plan.id, done, Work::default());
            pacer.gpu_done(plan.id, done);
            pacer.presented(plan.id, Presentation::At(now + refresh, Origin::Hardware));
            plan.budget.unwrap()
        })
        .collect();
    // The first one is planned before a display is known.
    assert!(budgets[1..28].iter().all(|b| b.abs_diff(refresh) < Duration::from_micros(10)), "{budgets:?}");
    assert!(budgets[140] < refresh / 2, "{budgets:?}");
}

#[test]
fn pipelined_frames_that_are_late_by_each_other_get_every_second_refresh() {
    // 9 ms of logic and 10 of drawing fit beside each other; here the one keeps the other from its processor now and then.
    let divisor = |late: u64| {
        let (mut pacer, mut now) = locked(Pacing::Auto);
        let (mut pipelined, refresh) = (false, Duration::from_nanos(16_666_667));
        for n in 0..400 {
            let plan = pacer.plan(now);
            let target = plan.target_presentation.unwrap();
            pipelined |= pacer.state().layout == Layout::Pipelined;
            let done = if n % 10 < late {
                target + Duration::from_millis(2)
            } else {
                target - Duration::from_millis(1)
            };
            let (logic, drawing) = (Duration::from_millis(9), Duration::from_millis(10));
            pacer.submitted(plan.id, done, Work { logic, drawing, ..Work::default() });
            pacer.gpu_done(plan.id, done);
            let shown = if done > target { target + refresh } else { target };
            pacer.presented(plan.id, Presentation::At(shown, Origin::Hardware));
            pacer.vblank(VblankSample { at: shown, sequence: None, period: None, origin: Origin::Hardware });
            now = target;
        }
        assert!(pipelined, "{late} of 10 late");
        pacer.state().divisor
    };
    assert_eq!((divisor(0), divisor(5)), (1, 2));
}

/// When the frame before is heard of: before a frame should begin, after that, or never.
#[derive(Copy, Clone, Eq, PartialEq)]
enum Heard {
    Promptly,
    Late,
    Never,
}

/// A loop before a display with a queue, which it has come to know.
struct Queued {
    pacer: FramePacer,
    now: Timestamp,
    /// The frame before, and when it is displayed.
    open: Option<(PlanId, Timestamp)>,
}

const REFRESH: Duration = Duration::from_nanos(16_666_667);

impl Queued {
    fn new() -> Self {
        let mut pacer = FramePacer::new(Pacing::Auto, 60.0);
        let scenario = presets::scenario("damage", "noisy", 3_000).unwrap();
        let _ = run(&scenario, &mut pacer);
        assert!(pacer.queue.is_known(), "one queue was drained");
        let now = pacer.last_start.unwrap() + Duration::from_millis(500);
        let mut queued = Self { pacer, now, open: None };
        // Of the frames before, nobody tells any more.
        let _ = queued.frame(Heard::Promptly, 0);
        (0..100).for_each(|_| assert_eq!(queued.frame(Heard::Promptly, 0).1, None));
        queued
    }

    /// Plans a frame, hears when the one before was displayed, or not, and makes it; it is displayed so many refreshes late.
    /// Returns its plan, and the one that it was put off by.
    fn frame(&mut self, heard: Heard, late: u32) -> (Plan, Option<Plan>) {
        let plan = self.pacer.plan(self.now);
        if heard == Heard::Promptly {
            self.hear();
        }
        let later = self.pacer.revise(plan.wake_at);
        assert_eq!(self.pacer.revise(plan.wake_at), None, "once");
        if heard == Heard::Late {
            self.hear();
        }
        let made = later.unwrap_or(plan);
        self.now = made.wake_at + Duration::from_millis(3);
        self.pacer.submitted(made.id, self.now, Work::default());
        self.pacer.gpu_done(made.id, self.now);
        self.open = Some((made.id, made.target_presentation.unwrap() + REFRESH * late));
        (plan, later)
    }

    fn hear(&mut self) {
        if let Some((id, at)) = self.open.take() {
            self.pacer.vblank(VblankSample { at, sequence: None, period: None, origin: Origin::Simulated });
            self.pacer.presented(id, Presentation::At(at, Origin::Simulated));
        }
    }
}

#[test]
fn frame_behind_one_that_is_overdue_is_put_off_by_a_refresh_and_nothing_else_is() {
    let mut queued = Queued::new();
    queued.pacer.set_logic_step(Some(Duration::from_millis(1)), 1_000);
    queued.frame(Heard::Promptly, 0);
    let before = queued.pacer.state();
    let (late, _) = queued.frame(Heard::Promptly, 1);
    assert!(late.revise_from.is_some_and(|from| from <= late.wake_at), "it is known by then");
    let (plan, later) = queued.frame(Heard::Late, 0);
    let later = later.expect("the frame before it is overdue");
    assert_eq!((later.id, later.revise_from), (plan.id, None));
    let apart = |a: Plan, b: Plan| {
        let (a, b) = (a.target_presentation.unwrap(), b.target_presentation.unwrap());
        (b.saturating_since(a).as_secs_f64() / REFRESH.as_secs_f64() * 1e3).round() / 1e3
    };
    assert_eq!((apart(late, plan), apart(plan, later)), (1.0, 1.0));
    assert!(later.wake_at > plan.wake_at + REFRESH / 2);
    // Animation goes on by both refreshes, and not by three.
    let (short, long) = (plan.dt.unwrap().as_secs_f64(), later.dt.unwrap().as_secs_f64());
    assert!((long / short - 2.0).abs() < 0.05, "{short} and {long} s");
    assert!((30..=36).contains(&later.steps.unwrap().count), "{:?}", later.steps);
    // The late one is late by its own fault, the one behind it is in time, and no queue is left to be drained.
    for _ in 0..3 {
        let (next, again) = queued.frame(Heard::Promptly, 0);
        assert_eq!((again, apart(later, next) % 1.0), (None, 0.0));
    }
    let after = queued.pacer.state();
    assert_eq!(
        (after.missed - before.missed, after.postponed - before.postponed, after.drains - before.drains),
        (1, 1, 0)
    );
    assert_eq!(after.snaps, before.snaps);
}

#[test]
fn display_that_says_nothing_puts_no_second_frame_off() {
    let mut queued = Queued::new();
    queued.frame(Heard::Promptly, 0);
    let off: Vec<_> = (0..5).map(|_| queued.frame(Heard::Never, 0).1.is_some()).collect();
    assert_eq!(off, [true, false, false, false, false]);
}

#[test]
fn holdover_puts_nothing_off_keeps_what_is_known_and_counts_where_the_window_is_shown() {
    let mut queued = Queued::new();
    queued.frame(Heard::Promptly, 0);
    let before = queued.pacer.state();
    queued.pacer.set_holdover(true);
    queued.pacer.set_holdover(true);
    let after = queued.pacer.state();
    assert_eq!((before.holdover, after.holdover), (false, true));
    assert_eq!((after.holdovers - before.holdovers, after.lock), (1, Lock::Locked));
    let (plan, later) = queued.frame(Heard::Late, 0);
    assert_eq!(later, None, "its silence says nothing of one frame");
    let (next, _) = queued.frame(Heard::Late, 0);
    let apart = next.target_presentation.unwrap().saturating_since(plan.target_presentation.unwrap());
    assert!((apart.as_secs_f64() / REFRESH.as_secs_f64() - 1.0).abs() < 1e-3, "predicted: {apart:?}");
    queued.pacer.set_holdover(false);
    let budget = queued.pacer.state().budget.as_secs_f64() / before.budget.as_secs_f64();
    assert!((budget - 1.0).abs() < 0.1, "nothing is learnt anew: {budget} of the budget before");
    assert!(queued.frame(Heard::Late, 0).1.is_some(), "from here on it does again");
    // A hidden window is no silence, and another source ends it.
    let counted = |pacer: &FramePacer| (pacer.state().holdover, pacer.state().holdovers - before.holdovers);
    queued.pacer.set_holdover(true);
    queued.pacer.set_visible(false);
    assert_eq!(counted(&queued.pacer), (false, 1));
    queued.pacer.set_holdover(true);
    assert_eq!(counted(&queued.pacer), (false, 1));
    queued.pacer.set_visible(true);
    queued.pacer.set_holdover(true);
    queued.pacer.set_source(Origin::Estimated);
    assert_eq!(counted(&queued.pacer), (false, 2));
}

#[test]
fn frames_of_a_holdover_are_judged_by_what_is_told_of_them_later() {
    let mut queued = Queued::new();
    let (before, mut late) = (queued.pacer.state(), Vec::new());
    for n in 0..20 {
        queued.pacer.set_holdover(n >= 3);
        queued.frame(Heard::Never, 0);
        late.extend(queued.open.take());
    }
    let after = queued.pacer.state();
    // Where nobody will ever tell, those are judged by when they were ready.
    assert_eq!(after.judged, before.judged, "none is judged before");
    assert_eq!((after.lock, after.reserve), (before.lock, before.reserve));
    // What comes is in time.
    for (id, at) in late {
        queued.pacer.presented(id, Presentation::At(at, Origin::Simulated));
    }
    let heard = queued.pacer.state();
    assert!(heard.judged - before.judged >= 10 && heard.missed == before.missed, "{heard:?}");
}

#[test]
fn display_that_speaks_late_is_not_believed_to_be_late_for_long() {
    let mut queued = Queued::new();
    let mut off = 0;
    for _ in 0..40 {
        // Each second frame is heard of after the next one should have begun, and was in time.
        queued.frame(Heard::Promptly, 0);
        off += u32::from(queued.frame(Heard::Late, 0).1.is_some());
    }
    assert!((1..=8).contains(&off), "{off} of 40 frames were put off in vain");
}

#[test]
fn where_late_frames_leave_no_queue_none_is_put_off() {
    let (pacer, now) = locked(Pacing::Auto);
    let mut queued = Queued { now, open: None, pacer };
    for n in 0..400 {
        let late = u32::from(n > 200 && n % 10 == 0);
        let heard = if n > 200 && n % 10 == 1 { Heard::Late } else { Heard::Promptly };
        let (_, later) = queued.frame(heard, late);
        assert_eq!(later, None, "{n}");
        if queued.pacer.queue.is_known() {
            panic!("frame {n}: single late frames are no queue");
        }
    }
    assert!(queued.pacer.overdue.is_believed(), "silence was right each time");
}

#[test]
fn frame_that_began_before_its_plan_was_put_off_is_one_of_the_plan_before() {
    let mut queued = Queued::new();
    queued.pacer.set_logic_step(Some(Duration::from_millis(1)), 1_000);
    queued.frame(Heard::Promptly, 0);
    queued.frame(Heard::Promptly, 1);
    let (before, mut other) = (queued.pacer.state(), queued.pacer.clone());
    let plan = queued.pacer.plan(queued.now);
    assert!(queued.pacer.revise(plan.wake_at).is_some());
    queued.pacer.unrevise();
    assert_eq!(queued.pacer.state().postponed, before.postponed);
    // From here on as if nobody had asked.
    assert_eq!(other.plan(queued.now), plan);
    for pacer in [&mut queued.pacer, &mut other] {
        pacer.submitted(plan.id, plan.wake_at + Duration::from_millis(3), Work::default());
    }
    let later = plan.wake_at + Duration::from_millis(4);
    assert_eq!(queued.pacer.plan(later), other.plan(later));
}
