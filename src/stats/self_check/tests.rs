//! A loop in virtual time with one fault built in at a time: each is found, with its figure, and nothing else is.

use std::collections::VecDeque;

use super::*;
use crate::pacing::{FrameId, Origin};
use crate::sim::Noise;
use crate::stats::Stage;
use crate::time::Timestamp;

const MS: i64 = 1_000_000;
const US: i64 = 1_000;

/// Where the loop reads input.
#[derive(Copy, Clone, PartialEq)]
enum Sampling {
    /// After the wait, as planned.
    AfterWait,
    /// Before it, and the plan says so.
    BeforePlannedWait,
    /// Before a wait between logic and drawing that nobody planned.
    BeforeOwnWait,
    /// Before a wait between drawing and swap that nobody planned.
    BeforeOwnHold,
    /// While the frame before is still in its swap.
    InSwapBefore,
}

/// A loop, and the display that it draws to.
#[derive(Clone)]
struct Loop {
    refresh: i64,
    sampling: Sampling,
    /// It begins frames so long before a refresh; `None`: at once.
    lead: Option<i64>,
    logic: i64,
    draw: i64,
    gpu: i64,
    /// What swap takes without waiting.
    swap: i64,
    /// Swap waits until fewer frames than this are on their way.
    queue: usize,
    /// The display shows what is ready at once.
    unthrottled: bool,
    origin: Origin,
    /// Every so many frames shows an old snapshot again.
    stale_every: u64,
    /// Every so many frames is late by a refresh.
    late_every: u64,
    /// Animation moves by the wall clock.
    wall: bool,
    /// The starts of frames scatter by this, in nanoseconds.
    jitter: f64,
    /// Nothing is displayed any more from this frame on.
    dropped_from: u64,
    hidden_from: u64,
    declared: Declared,
}

impl Loop {
    /// 60 Hz, 4 ms of work begun 6 ms before each refresh.
    fn clean() -> Self {
        let refresh = 16_666_667;
        let interval = Some(Duration::from_nanos(refresh as u64));
        Self {
            refresh,
            sampling: Sampling::AfterWait,
            lead: Some(6 * MS),
            logic: MS,
            draw: 2 * MS,
            gpu: MS,
            swap: 100 * US,
            queue: 2,
            unthrottled: false,
            origin: Origin::Hardware,
            stale_every: u64::MAX,
            late_every: u64::MAX,
            wall: false,
            jitter: 50e3,
            dropped_from: u64::MAX,
            hidden_from: u64::MAX,
            declared: Declared {
                refresh: interval,
                interval,
                miss_budget: Some(0.005),
                ..Declared::default()
            },
        }
    }

    /// What most programs do: no plan, and a swap that waits.
    fn naive() -> Self {
        let clean = Self::clean();
        let declared = Declared { vsync: true, miss_budget: None, ..clean.declared };
        Self { lead: None, queue: 1, declared, ..clean }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut it = Self::clean();
        change(&mut it);
        it
    }

    fn vblank_after(&self, at: i64) -> i64 {
        (at.div_euclid(self.refresh) + 1) * self.refresh
    }

    fn run(&self) -> SelfReport {
        self.run_for(SelfCheck::FRAMES as u64 + 100).report().expect("enough frames")
    }

    fn run_for(&self, frames: u64) -> SelfCheck {
        let mut check = SelfCheck::new();
        check.declare(self.declared);
        let mut noise = Noise::new(11);
        let at = |ns: i64| Timestamp::from_nanos(ns as u64);
        let (mut now, mut gpu_free, mut animation, mut last_start) = (1_000 * MS, 0, 0, 0);
        let (mut last_shown, mut swap_before) = (0, 0);
        let mut on_their_way: VecDeque<i64> = VecDeque::new();
        for n in 1..=frames {
            let mut frame = FrameRecord::new(FrameId(n));
            let top = now;
            let scatter = (self.jitter * noise.normal().abs()) as i64;
            let mut sampled = top;
            if let Some(lead) = self.lead {
                let target = self.vblank_after(now.max(last_shown) + lead);
                let (planned, unplanned) = (target - lead, self.sampling == Sampling::BeforeOwnWait);
                now = now.max(planned) + scatter;
                if !unplanned && self.sampling != Sampling::BeforeOwnHold {
                    frame.planned = Some(at(planned));
                }
                frame.target = Some(at(target));
                if self.sampling == Sampling::AfterWait {
                    sampled = now;
                }
            } else {
                now += scatter;
                sampled = now;
            }
            if self.sampling == Sampling::BeforeOwnHold {
                sampled = top;
                now = top;
            }
            if self.sampling == Sampling::InSwapBefore {
                sampled = swap_before;
            }
            frame.mark(Stage::InputSampled, at(sampled));
            let planned_wait = self.sampling == Sampling::BeforePlannedWait;
            let done = if planned_wait { now } else { sampled } + self.logic;
            frame.mark(Stage::LogicDone, at(done));
            now = now.max(done);
            frame.mark(Stage::SnapshotAcquired, at(now));
            now += self.draw;
            frame.mark(Stage::Submitted, at(now));
            gpu_free = now.max(gpu_free) + self.gpu;
            frame.mark(Stage::GpuDone, at(gpu_free));
            if let (Sampling::BeforeOwnHold, Some(target)) = (self.sampling, frame.target) {
                now = now.max(target.as_nanos() as i64 - 2 * MS);
            }
            frame.mark(Stage::SwapBegin, at(now));
            swap_before = now;
            now += self.swap;
            while on_their_way.len() >= self.queue && !self.unthrottled {
                now = now.max(on_their_way.pop_front().expect("one"));
            }
            let mut shown = if self.unthrottled {
                now.max(gpu_free)
            } else {
                self.vblank_after(now.max(gpu_free).max(last_shown))
            };
            if n % self.late_every == 0 {
                shown += self.refresh;
            }
            last_shown = shown;
            on_their_way.push_back(shown);
            frame.mark(Stage::SwapEnd, at(now));
            if self.origin == Origin::Estimated {
                shown = now;
            }
            let wall = if last_start == 0 { self.refresh } else { sampled - last_start };
            last_start = sampled;
            let whole = (wall as f64 / self.refresh as f64).round() as i64 * self.refresh;
            animation += if self.wall { wall } else { whole };
            frame.animation_time = Duration::from_nanos(animation as u64);
            (frame.stale, frame.repeated) = (n % self.stale_every == 0, n % self.stale_every == 0);
            frame.dropped = n >= self.dropped_from;
            if !frame.dropped {
                frame.mark(Stage::Presented, at(shown));
                frame.origin = self.origin;
            }
            check.set_visible(n < self.hidden_from);
            check.frame(&frame);
        }
        check
    }
}

fn found(report: &SelfReport) -> Vec<Check> {
    report.findings.iter().map(Finding::check).collect()
}

fn only(report: &SelfReport, check: Check) -> Finding {
    assert_eq!(found(report), [check], "{report}");
    *report.finding(check).expect("found")
}

fn near(time: Duration, ms: f64) -> bool {
    (time.as_secs_f64() * 1e3 - ms).abs() < 0.3
}

#[test]
fn clean_loop_has_no_findings_and_nothing_is_unmeasured() {
    let report = Loop::clean().run();
    assert_eq!((&report.findings[..], &report.unmeasured[..]), (&[][..], &[][..]), "{report}");
    assert_eq!(report.lines(), ["nothing found in 300 frames"]);
}

#[test]
fn clean_loop_at_other_rates_and_on_a_busy_machine_has_no_findings() {
    for hz in [59.94, 120.0, 143.98, 240.0] {
        let refresh = (1e9 / hz) as i64;
        let report = Loop::with(|it| {
            it.refresh = refresh;
            it.lead = Some(refresh * 3 / 4);
            (it.logic, it.draw, it.gpu, it.jitter) = (refresh / 20, refresh / 10, refresh / 10, 200e3);
            let interval = Some(Duration::from_nanos(refresh as u64));
            it.declared = Declared { refresh: interval, interval, ..it.declared };
        })
        .run();
        assert_eq!(found(&report), [], "{hz} Hz: {report}");
    }
}

#[test]
fn too_few_frames_say_nothing() {
    let check = Loop::clean().run_for(SelfCheck::FRAMES as u64 - 1);
    assert_eq!((check.report(), check.frames()), (None, 299));
    let short = check.report_after(100).expect("asked for less");
    assert_eq!((short.frames, &short.findings[..]), (299, &[][..]));
    assert_eq!(Loop::clean().run_for(29).report_after(0), None, "medians of so few say little");
}

#[test]
fn input_sampled_before_the_planned_wait_is_found_with_the_wait() {
    let report = Loop::with(|it| it.sampling = Sampling::BeforePlannedWait).run();
    let Finding::InputBeforeWait { wait } = only(&report, Check::InputBeforeWait) else { panic!("{report}") };
    // From the swap's return, 2.9 ms before the refresh, to 6 ms before the next one.
    assert!(near(wait, 13.6), "{report}");
    let text = report.findings[0].to_string();
    assert!(text.starts_with("input is sampled before the wait: 13."), "{text}");
    assert!(text.ends_with(" ms of SampleToPhoton could go"), "{text}");
}

#[test]
fn input_sampled_before_a_wait_of_the_loops_own_is_found() {
    for sampling in [Sampling::BeforeOwnWait, Sampling::BeforeOwnHold] {
        let report = Loop::with(|it| it.sampling = sampling).run();
        let Finding::InputBeforeWait { wait } = only(&report, Check::InputBeforeWait) else {
            panic!("{report}")
        };
        // All of a refresh but for the work and the lead.
        assert!(near(wait, 13.6), "{report}");
    }
}

#[test]
fn input_sampled_during_the_swap_before_counts_only_where_swap_waits() {
    let naive = |change: fn(&mut Loop)| {
        let mut it = Loop { sampling: Sampling::InSwapBefore, ..Loop::naive() };
        change(&mut it);
        it.run()
    };
    let waits = naive(|_| ());
    assert_eq!(found(&waits), [Check::InputBeforeWait, Check::SwapBlocks], "{waits}");
    // A swap that copies for 5 ms is work, however long: nothing asked it to wait.
    let copies = naive(|it| {
        (it.unthrottled, it.swap, it.declared.vsync, it.declared.interval) = (true, 5 * MS, false, None);
        it.gpu = 100 * US;
    });
    assert_eq!(found(&copies), [Check::SwapBlocks], "{copies}");
    assert!(
        matches!(copies.findings[0], Finding::SwapBlocks { waits: false, time } if near(time, 5.0)),
        "{copies}"
    );
}

#[test]
fn naive_loop_is_told_that_its_swap_blocks_and_no_more() {
    let report = Loop::naive().run();
    let finding = only(&report, Check::SwapBlocks);
    let Finding::SwapBlocks { time, waits: true } = finding else { panic!("{report}") };
    assert!(near(time, 13.6), "{report}");
    assert_eq!(finding.to_string(), format!("swap blocks {:.1} ms", time.as_secs_f64() * 1e3));
}

#[test]
fn swap_that_waits_is_known_on_a_busy_machine_where_it_was_asked_to() {
    // The starts scatter by a third of a refresh: hardly an interval is a whole number of them.
    let busy = Loop { jitter: 6e6, swap: 12 * MS, unthrottled: true, gpu: 100 * US, ..Loop::naive() };
    let waits = |report: &SelfReport| {
        matches!(report.finding(Check::SwapBlocks), Some(Finding::SwapBlocks { waits: true, .. }))
    };
    let report = busy.run();
    assert!(waits(&report), "{report}");
    let report = Loop { declared: Declared { vsync: false, ..busy.declared }, ..busy }.run();
    assert!(!waits(&report) && report.finding(Check::SwapBlocks).is_some(), "{report}");
}

#[test]
fn queue_of_the_driver_is_counted_in_frames() {
    for (queue, frames) in [(1, None), (2, Some(3)), (3, Some(4))] {
        let report = Loop { queue, ..Loop::naive() }.run();
        let told = report.finding(Check::DriverQueue).copied();
        match (told, frames) {
            (None, None) => {}
            (Some(Finding::DriverQueues { frames, latency: Some(latency) }), Some(want)) => {
                assert_eq!(frames, want, "{report}");
                assert!(latency > Duration::from_millis(16) * (want - 1), "{report}");
            }
            other => panic!("{queue}: {other:?}"),
        }
    }
}

#[test]
fn swap_that_does_not_wait_though_asked_to_is_found_and_otherwise_not() {
    let unthrottled = Loop { unthrottled: true, gpu: 100 * US, ..Loop::naive() };
    let told = only(&unthrottled.run(), Check::SwapThrottle);
    let Finding::SwapNotThrottled { interval: Some(interval) } = told else { panic!("{told}") };
    assert!(near(interval, 3.1), "{told}");
    let not_asked =
        Loop { declared: Declared { vsync: false, interval: None, ..unthrottled.declared }, ..unthrottled };
    assert_eq!(found(&not_asked.run()), []);
    // The pacer had found it out before, and a timer gives the rhythm.
    let timed = Loop::with(|it| (it.declared.vsync, it.declared.throttle) = (true, Throttle::Timer));
    assert_eq!(only(&timed.run(), Check::SwapThrottle), Finding::SwapNotThrottled { interval: None });
    let known = Loop::with(|it| (it.declared.vsync, it.declared.throttle) = (true, Throttle::Driver));
    assert_eq!(found(&known.run()), []);
}

#[test]
fn estimated_display_times_are_told_and_judge_nothing() {
    let report = Loop::with(|it| it.origin = Origin::Estimated).run();
    assert_eq!(only(&report, Check::DisplayTimes), Finding::DisplayTimesEstimated { share: 1.0 });
    let missing: Vec<_> = report.unmeasured.iter().map(|(check, _)| *check).collect();
    assert_eq!(missing, [Check::DriverQueue, Check::MissBudget, Check::AnimationStep], "{report}");
}

#[test]
fn stale_frames_beyond_a_few_are_the_logics_fault() {
    let report = Loop::with(|it| it.stale_every = 20).run();
    assert_eq!(only(&report, Check::LogicLate), Finding::LogicLate { share: 0.05, beside: true });
    assert_eq!(found(&Loop::with(|it| it.stale_every = 150).run()), []);
}

#[test]
fn misses_beyond_the_declared_share_and_its_chance_are_found() {
    let report = Loop::with(|it| it.late_every = 20).run();
    let Finding::BudgetExceeded { share, declared } = only(&report, Check::MissBudget) else {
        panic!("{report}")
    };
    assert!((0.04..0.06).contains(&share) && declared == 0.005, "{report}");
    assert_eq!(found(&Loop::with(|it| it.late_every = 100).run()), [], "three of 300 are chance");
    let lax = Loop::with(|it| (it.late_every, it.declared.miss_budget) = (20, Some(0.05)));
    assert_eq!(found(&lax.run()), [], "that many may miss");
}

#[test]
fn work_that_does_not_fit_is_told_by_who_does_it() {
    let gpu = Loop::with(|it| (it.gpu, it.lead, it.queue) = (20 * MS, Some(25 * MS), 1)).run();
    let Finding::GpuBound { work, interval, .. } = only(&gpu, Check::GpuBound) else { panic!("{gpu}") };
    assert!(near(work, 20.0) && near(interval, 16.7), "{gpu}");
    let cpu = Loop::with(|it| (it.logic, it.draw, it.lead) = (8 * MS, 12 * MS, Some(25 * MS))).run();
    let Finding::CpuBound { logic, drawing, pipelined, .. } = only(&cpu, Check::CpuBound) else {
        panic!("{cpu}")
    };
    assert!(near(logic, 8.0) && near(drawing, 12.0) && !pipelined, "{cpu}");
    // Work that nearly fills the interval, and fits, is no fault.
    let full = Loop::with(|it| (it.draw, it.gpu, it.lead) = (14_700 * US, 300 * US, Some(16_400 * US)));
    assert_eq!(found(&full.run()), []);
    // The work that was too much, in a loop that aims at every second refresh is no fault.
    let half = Loop::with(|it| {
        (it.logic, it.draw, it.lead) = (8 * MS, 12 * MS, Some(25 * MS));
        it.declared.interval = it.declared.interval.map(|interval| interval * 2);
    });
    assert_eq!(found(&half.run()), []);
}

/// A loop that shows every second refresh because its work needs that is told so, and not to do what it does.
#[test]
fn work_that_made_the_loop_slower_is_told_with_what_is_done_about_it_already() {
    let slower = |kept: u32, change: &dyn Fn(&mut Loop)| {
        Loop::with(|it| {
            (it.lead, it.queue) = (Some(25 * MS), 1);
            it.declared.kept_interval = it.declared.interval.map(|interval| interval * kept);
            change(it);
        })
        .run()
    };
    let gpu = only(&slower(2, &|it| it.gpu = 20 * MS), Check::GpuBound);
    assert!(
        gpu.to_string().ends_with("20.0 ms of the 16.7 ms that there are; each is shown for 2 refreshes"),
        "{gpu}"
    );
    assert!(!gpu.advice().contains("every second"), "{}", gpu.advice());
    let cpu = only(&slower(2, &|it| it.logic = 20 * MS), Check::CpuBound);
    assert!(!cpu.advice().contains("every second") && !cpu.advice().contains("beside"), "{}", cpu.advice());
    let both = only(&slower(2, &|it| (it.logic, it.draw) = (9 * MS, 11 * MS)), Check::CpuBound);
    assert!(both.advice().contains("beside"), "each of them alone would fit: {}", both.advice());
    // What does not fit into two refreshes either is held against those.
    let long = only(&slower(2, &|it| (it.gpu, it.lead) = (40 * MS, Some(45 * MS))), Check::GpuBound);
    let Finding::GpuBound { interval, refreshes, .. } = long else { panic!("{long}") };
    assert!(near(interval, 33.3) && refreshes == 2, "{long}");
    // With a cap at every second refresh, work that fits into two is no fault, and the refresh is no measure.
    let capped = Loop::with(|it| {
        (it.gpu, it.lead, it.queue) = (20 * MS, Some(25 * MS), 1);
        it.declared.interval = it.declared.interval.map(|interval| interval * 2);
        it.declared.kept_interval = it.declared.interval;
    });
    assert_eq!(found(&capped.run()), []);
}

#[test]
fn late_logic_is_sent_beside_the_drawing_only_where_that_helps() {
    let late =
        |logic: i64| Loop::with(|it| (it.stale_every, it.logic, it.lead) = (20, logic, Some(25 * MS))).run();
    let advice = |report: &SelfReport| report.finding(Check::LogicLate).map(|f| f.advice());
    assert!(advice(&late(5 * MS)).is_some_and(|text| text.contains("pipelined")), "it would fit");
    assert!(advice(&late(20 * MS)).is_some_and(|text| !text.contains("pipelined")), "it would not");
}

#[test]
fn animation_by_wall_time_is_found_where_the_starts_scatter() {
    let scattered =
        |wall, jitter| Loop::with(|it| (it.wall, it.jitter, it.lead) = (wall, jitter, Some(14 * MS))).run();
    let by_wall = |jitter| scattered(true, jitter);
    let report = by_wall(1.5e6);
    let Finding::WallTimeSteps { rms, p99 } = only(&report, Check::AnimationStep) else { panic!("{report}") };
    assert!(rms > Duration::from_micros(500) && p99 > rms, "{report}");
    assert_eq!(found(&by_wall(20e3)), [], "nobody sees that");
    assert_eq!(found(&scattered(false, 1.5e6)), [], "whole refreshes");
    // A display that shows frames when they come shows them as far apart as they were begun.
    let follows =
        Loop::with(|it| (it.wall, it.jitter, it.lead, it.unthrottled) = (true, 1.5e6, Some(14 * MS), true));
    assert_eq!(found(&follows.run()), []);
}

#[test]
fn frames_of_a_hidden_window_are_found_whether_told_or_dropped() {
    let told = Loop::with(|it| it.hidden_from = 391).run();
    assert_eq!(only(&told, Check::HiddenWindow), Finding::HiddenStillDrawn { frames: 10 });
    assert_eq!(found(&Loop::with(|it| it.hidden_from = 399).run()), [], "one or two are on their way");
    let dropped = Loop::with(|it| it.dropped_from = 321).run();
    assert_eq!(only(&dropped, Check::HiddenWindow), Finding::HiddenStillDrawn { frames: 80 });
    assert_eq!(found(&Loop::with(|it| it.dropped_from = 361).run()), [], "less than a second");
}

#[test]
fn what_was_seen_before_another_mode_no_longer_counts() {
    let mut check = Loop::clean().run_for(400);
    let declared = Loop::clean().declared;
    check.declare(Declared { throttle: Throttle::Driver, miss_budget: None, ..declared });
    assert_eq!(check.frames(), 400, "still the same loop");
    check.declare(Declared { interval: None, ..declared });
    assert_eq!((check.frames(), check.report()), (0, None));
}

#[test]
fn every_finding_has_a_line_an_advice_and_figures() {
    let time = Duration::from_micros(11_240);
    let all = [
        Finding::InputBeforeWait { wait: time },
        Finding::DriverQueues { frames: 3, latency: None },
        Finding::SwapBlocks { time, waits: true },
        Finding::SwapNotThrottled { interval: Some(time) },
        Finding::DisplayTimesEstimated { share: 1.0 },
        Finding::LogicLate { share: 0.03, beside: true },
        Finding::BudgetExceeded { share: 0.03, declared: 0.005 },
        Finding::GpuBound { work: time, interval: time, refreshes: 1 },
        Finding::CpuBound { logic: time, drawing: time, pipelined: false, interval: time, refreshes: 1 },
        Finding::WallTimeSteps { rms: time, p99: time },
        Finding::HiddenStillDrawn { frames: 9 },
    ];
    assert_eq!(all.map(|f| f.check()), Check::ALL, "each check has a finding");
    for finding in all {
        let (text, advice) = (finding.to_string(), finding.advice());
        assert!(!text.contains('\n') && !text.is_empty() && !advice.is_empty());
        assert!(finding.figures().iter().all(|(name, value)| !name.is_empty() && *value > 0.0), "{text}");
    }
    assert_eq!(
        [all[0], all[1], all[2]].map(|f| f.to_string()),
        [
            "input is sampled before the wait: 11.2 ms of SampleToPhoton could go",
            "driver queues 3 frames",
            "swap blocks 11.2 ms"
        ]
    );
}
