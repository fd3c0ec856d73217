use std::time::Duration;

use super::*;
use crate::pacing::Origin;
use crate::stats::Stage;
use crate::time::Timestamp;
use crate::timeline::Kind;

const US: u64 = 1_000;
/// A refresh, in microseconds.
const T: u64 = 10_000;

fn at(us: u64) -> Timestamp {
    Timestamp::from_nanos(us * US)
}

/// Frames that each take the same, one per refresh, in microseconds after their planned start: logic 200, drawing 800,
/// swap 100, GPU 1,000 beside and after it, display at the refresh.
struct Run {
    frames: Vec<FrameRecord>,
    events: Vec<Event<'static>>,
}

/// What is other than usual in one frame, in microseconds.
#[derive(Copy, Clone, Default)]
struct Other {
    wake: u64,
    slept: bool,
    logic: u64,
    fence: u64,
    compile: u64,
    upload: u64,
    draw: u64,
    swap: u64,
    gpu: u64,
    display: u64,
    /// Ready to run in the logic step and did not; and did not in drawing, for whatever reason.
    delayed: u64,
    still: u64,
}

impl Run {
    fn new() -> Self {
        Self { frames: Vec::new(), events: Vec::new() }
    }

    fn frame(&mut self, other: Other) -> &mut Self {
        let id = self.frames.len() as u64 + 1;
        let planned = id * T;
        let mut record = FrameRecord::new(FrameId(id));
        (record.snapshot, record.origin) = (id, Origin::Simulated);
        (record.planned, record.target) = (Some(at(planned)), Some(at(planned + T)));
        let mut push = |kind, from: u64, to: u64, value, delay| {
            self.events.push(Event { value, delay, ..Event::new(kind, "x", id, at(from), at(to)) });
        };
        let sampled = planned + 10 + other.wake;
        if other.slept {
            push(Kind::Sleep, planned - 3_000, sampled, (sampled - planned) * US, 0);
        }
        let done = sampled + 200 + other.logic + other.delayed;
        push(Kind::Logic, sampled, done, (200 + other.logic) * US, other.delayed * US);
        let acquired = done + 20 + other.fence;
        if other.fence > 0 {
            push(Kind::Fence, done + 20, acquired, 0, 0);
        }
        let submitted = acquired + 800 + other.draw + other.compile + other.upload + other.still;
        let ran = (800 + other.draw + other.compile + other.upload) * US;
        push(Kind::Render, acquired, submitted, ran, 0);
        push(Kind::Compile, acquired + 10, acquired + 10 + other.compile, 0, 0);
        push(Kind::Upload, acquired + 10 + other.compile, acquired + 10 + other.compile + other.upload, 4, 0);
        let swapped = submitted + 100 + other.swap;
        push(Kind::Swap, submitted, swapped, 100 * US, 0);
        let gpu_done = submitted + 1_000 + other.gpu;
        push(Kind::Gpu, submitted, gpu_done, 0, 0);
        let ready = gpu_done.max(swapped);
        let shown = (planned + T).max(ready.div_ceil(T) * T) + other.display;
        for (stage, us) in [
            (Stage::InputSampled, sampled),
            (Stage::LogicDone, done),
            (Stage::SnapshotPublished, done),
            (Stage::SnapshotAcquired, acquired),
            (Stage::Submitted, submitted),
            (Stage::SwapBegin, submitted),
            (Stage::SwapEnd, swapped),
            (Stage::GpuDone, gpu_done + 200),
            (Stage::Presented, shown),
        ] {
            record.mark(stage, at(us));
        }
        self.frames.push(record);
        self
    }

    fn usual(&mut self, n: usize) -> &mut Self {
        for _ in 0..n {
            self.frame(Other::default());
        }
        self
    }

    fn explain(&self) -> Explanation {
        explain(&Observed {
            refresh: Duration::from_micros(T),
            interval: Duration::from_micros(T),
            warmup: 0,
            frames: &self.frames,
            events: &self.events,
        })
    }
}

fn verdict(other: Other) -> (Vec<u64>, Vec<Option<Cause>>) {
    let mut run = Run::new();
    run.usual(20).frame(other).usual(20);
    let explanation = run.explain();
    assert_eq!(explanation.judged, 41);
    let late = &explanation.late;
    (late.iter().map(|l| l.frame.0).collect(), late.iter().map(|l| l.cause).collect())
}

#[test]
fn each_cause_is_found_where_it_lies() {
    let none = Other::default();
    for (cause, other) in [
        (Cause::Logic, Other { logic: 9_000, ..none }),
        (Cause::Render, Other { draw: 9_000, ..none }),
        (Cause::Driver, Other { swap: 9_500, ..none }),
        (Cause::Driver, Other { still: 9_500, ..none }),
        (Cause::Fence, Other { fence: 9_000, ..none }),
        (Cause::Compile, Other { compile: 9_000, ..none }),
        (Cause::Upload, Other { upload: 9_000, ..none }),
        (Cause::Gpu, Other { gpu: 9_000, ..none }),
        (Cause::SimulatedDisplay, Other { display: T, ..none }),
        // A little late through us, and much later than that through somebody else.
        (Cause::SimulatedDisplay, Other { wake: 8_700, slept: true, display: 3 * T, ..none }),
        (Cause::Scheduler, Other { wake: 9_000, slept: true, ..none }),
        (Cause::Scheduler, Other { delayed: 9_000, ..none }),
    ] {
        assert_eq!(verdict(other), (vec![21], vec![Some(cause)]), "{cause:?}");
    }
}

#[test]
fn the_larger_of_two_causes_is_named() {
    let both = Other { logic: 3_000, compile: 6_000, ..Other::default() };
    assert_eq!(verdict(both), (vec![21], vec![Some(Cause::Compile)]));
    let both = Other { logic: 6_000, compile: 3_000, ..Other::default() };
    assert_eq!(verdict(both), (vec![21], vec![Some(Cause::Logic)]));
}

#[test]
fn what_is_always_there_is_no_cause() {
    // Swap takes most of the frame, in all of them: what is late is late by its logic.
    let slow = Other { swap: 6_000, ..Other::default() };
    let mut run = Run::new();
    for _ in 0..20 {
        run.frame(slow);
    }
    run.frame(Other { logic: 4_000, ..slow });
    let explanation = run.explain();
    assert_eq!(explanation.late.iter().map(|l| l.cause).collect::<Vec<_>>(), [Some(Cause::Logic)]);
    let finding = &explanation.findings[0];
    assert_eq!(finding.usual, Some(Duration::from_micros(200)));
    assert_eq!(finding.took, Duration::from_micros(4_200));
}

#[test]
fn a_wait_is_the_gpus_only_while_that_was_busy() {
    // Swap waits 9 ms: for a GPU that works all that time, and for one that is done at once.
    let busy = Other { swap: 9_500, gpu: 8_600, ..Other::default() };
    assert_eq!(verdict(busy), (vec![21], vec![Some(Cause::Gpu)]));
    let idle = Other { swap: 9_500, ..Other::default() };
    assert_eq!(verdict(idle), (vec![21], vec![Some(Cause::Driver)]));
}

#[test]
fn a_process_that_was_stopped_in_its_logic_is_told_from_slow_logic() {
    let stopped = Other { still: 0, ..Other::default() };
    for (ran, overslept, cause) in
        [(200, true, Cause::Scheduler), (9_200, true, Cause::Logic), (200, false, Cause::Logic)]
    {
        let mut run = Run::new();
        run.usual(20).frame(Other { logic: 9_000, ..stopped }).usual(20);
        let step = run.events.iter_mut().find(|e| e.kind == Kind::Logic && e.frame == 21).expect("a step");
        step.value = ran * US;
        let (from, to) = (step.start, step.end);
        if overslept {
            // The render thread was to look every 250 us, and did not in all that time.
            let late = to.signed_since(from).unsigned_abs() - 250 * US;
            run.events.push(Event { value: late, ..Event::new(Kind::Sleep, "sleep", 21, from, to) });
        }
        assert_eq!(run.explain().late[0].cause, Some(cause), "ran {ran} us, overslept: {overslept}");
    }
}

#[test]
fn without_gpu_times_a_fence_is_named_and_the_doubt_is_told() {
    let mut run = Run::new();
    run.usual(20).frame(Other { fence: 9_000, ..Other::default() });
    run.events.retain(|e| e.kind != Kind::Gpu);
    let explanation = run.explain();
    assert!(!explanation.gpu_timed);
    assert_eq!(explanation.findings[0].cause, Cause::Fence);
    assert!(explanation.to_string().contains("may have been busy"), "{explanation}");
}

#[test]
fn vertex_and_fragment_work_are_told_by_how_many_were_shaded() {
    for (vertices, fragments, text) in [
        (3, 900_000, "fragment work: 3 vertices and 900000 fragments"),
        (900_000, 2_000, "vertex work: 900000 vertices"),
        (1_000, 1_100, "vertex or fragment work cannot be told: 1000"),
    ] {
        let mut run = Run::new();
        run.usual(20).frame(Other { gpu: 9_000, ..Other::default() });
        let counts = Event::new(Kind::Invocations, "invocations", 21, at(1), at(1));
        run.events.push(Event { value: vertices, delay: fragments, ..counts });
        let explanation = run.explain();
        assert!(explanation.to_string().contains(text), "{explanation}");
    }
}

#[test]
fn a_late_frame_in_which_nothing_stands_out_is_not_explained() {
    let a_bit = Other { logic: 2_600, draw: 2_600, swap: 2_600, upload: 2_600, ..Other::default() };
    let mut run = Run::new();
    run.usual(20).frame(a_bit);
    let explanation = run.explain();
    assert_eq!(explanation.late.iter().map(|l| l.cause).collect::<Vec<_>>(), [None]);
    assert!(explanation.to_string().contains("not explained: 1 of these 1"), "{explanation}");
}

#[test]
fn a_run_in_which_all_frames_are_late_is_explained_without_comparison() {
    let mut run = Run::new();
    for _ in 0..30 {
        run.frame(Other { draw: 9_000, ..Other::default() });
    }
    let explanation = run.explain();
    assert_eq!((explanation.late.len(), explanation.findings.len()), (30, 1));
    assert_eq!((explanation.findings[0].cause, explanation.findings[0].usual), (Cause::Render, None));
    assert!(explanation.to_string().contains("too few frames were on time"), "{explanation}");
    assert!(explanation.to_string().contains("and 22 more"), "{explanation}");
}

#[test]
fn where_nothing_is_late_or_nothing_is_known_that_is_said() {
    let mut run = Run::new();
    assert!(run.usual(3).explain().to_string().starts_with("not enough evidence: too few frames"));
    assert_eq!(run.usual(20).explain().to_string(), "no late frames among 23 judged");
    let unknown = Observed {
        refresh: Duration::ZERO,
        interval: Duration::ZERO,
        warmup: 0,
        frames: &run.frames,
        events: &[],
    };
    assert!(explain(&unknown).to_string().contains("refresh rate is not known"));
    // The first frames of a run compile and learn.
    let mut run = Run::new();
    run.frame(Other { logic: 30_000, ..Other::default() }).usual(20);
    let warm = Observed { warmup: 1, ..Observed { frames: &run.frames, events: &run.events, ..unknown } };
    let warm = Observed { refresh: Duration::from_micros(T), interval: Duration::from_micros(T), ..warm };
    assert_eq!(explain(&warm).late, []);
}

#[test]
fn frames_without_a_target_are_held_against_the_one_before() {
    let mut run = Run::new();
    run.usual(20).frame(Other { draw: 9_000, ..Other::default() }).usual(20);
    run.frames.iter_mut().for_each(|r| r.target = None);
    let explanation = run.explain();
    assert_eq!(
        explanation.late.iter().map(|l| (l.frame.0, l.cause)).collect::<Vec<_>>(),
        [(21, Some(Cause::Render))]
    );
    // After a wait there is no frame before.
    run.frames[20].after_idle = true;
    assert_eq!(run.explain().late, []);
    // What is kept apart is in no figure, and the next one follows nothing.
    (run.frames[20].after_idle, run.frames[20].apart) = (false, true);
    assert_eq!(run.explain().late, []);
}
