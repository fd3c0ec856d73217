mod refreshes;

use std::time::Duration;

use super::layout::{AT_FRAME, FRAMES, REFRESHES, ROWS, frame};
use super::shim::Ordering;
use super::*;
use crate::pacing::{FrameId, Origin, Pacing, Presentation, VblankSample};
use crate::stats::{FrameRecord, PENDING, Recorder, Stage};
use crate::time::Timestamp;

fn at(us: u64) -> Timestamp {
    Timestamp::from_nanos(us * 1_000)
}

/// A run of one frame per millisecond, played by hand.
struct Rig {
    telemetry: Telemetry,
    steps: StepStamps,
    frames: FrameStamps,
    /// What the runtime's own recorder would be given.
    records: Vec<FrameRecord>,
}

impl Rig {
    fn new() -> Self {
        let telemetry = Telemetry::new();
        let (steps, frames) = telemetry.claim().expect("nobody has it");
        Self { telemetry, steps, frames, records: Vec::new() }
    }

    /// Makes snapshot `n`.
    fn step(&mut self, n: u64, input: Option<u64>) {
        self.steps.begin(n, at(n * 1_000));
        if let Some(us) = input {
            self.steps.stamp(Stage::InputReceived, at(us));
        }
        self.steps.stamp(Stage::LogicDone, at(n * 1_000 + 100));
        self.steps.stamp(Stage::SnapshotPublished, at(n * 1_000 + 110));
    }

    /// Draws snapshot `n` as the next frame and swaps it.
    fn frame(&mut self, n: u64, seen: u64, input: Option<u64>) -> FrameId {
        let id = FrameId(self.records.len() as u64 + 1);
        let mut record = FrameRecord::new(id);
        record.snapshot = n;
        record.repeated = n == seen;
        record.apart = n == 1;
        record.animation_time = Duration::from_millis(n);
        record.mark(Stage::InputSampled, at(n * 1_000));
        if !record.repeated {
            record.set(Stage::InputReceived, input.map(at));
            record.mark(Stage::LogicDone, at(n * 1_000 + 100));
            record.mark(Stage::SnapshotPublished, at(n * 1_000 + 110));
            record.target = Some(at(n * 1_000 + 900));
            record.spun = Some(Duration::ZERO);
        }
        record.mark(Stage::SnapshotAcquired, at(id.0 * 1_000 + 200));
        self.frames.begin(&record, seen);
        let later = [(Stage::Submitted, 300), (Stage::SwapBegin, 310), (Stage::SwapEnd, 320)];
        for (stage, us) in later {
            record.mark(stage, at(id.0 * 1_000 + us));
            self.frames.stamp(id, stage, at(id.0 * 1_000 + us));
        }
        record.latched = Some(at(id.0 * 1_000 + 250));
        self.frames.latched(id, record.latched);
        record.queued = Some(1);
        self.frames.swapped(id, record.queued);
        self.records.push(record);
        id
    }

    fn done(&mut self, id: FrameId) {
        let record = &mut self.records[id.0 as usize - 1];
        record.mark(Stage::GpuDone, at(id.0 * 1_000 + 400));
        record.mark(Stage::Presented, at(id.0 * 1_000 + 900));
        record.origin = Origin::Compositor;
        self.frames.gpu_done(id, at(id.0 * 1_000 + 400));
        self.frames.presented(id, Presentation::At(at(id.0 * 1_000 + 900), Origin::Compositor));
    }

    fn run(&mut self, frames: u64) {
        for _ in 0..frames {
            let n = self.records.len() as u64 + 1;
            self.step(n, None);
            let id = self.frame(n, n - 1, None);
            self.done(id);
        }
    }
}

fn read(reader: &mut Reader) -> Vec<FrameRecord> {
    let mut records = Vec::new();
    reader.poll(|record| records.push(record));
    records
}

#[test]
fn a_reader_gets_the_record_that_the_run_has() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    rig.step(1, Some(900));
    let first = rig.frame(1, 0, Some(900));
    rig.done(first);
    // The input of a snapshot that nobody drew goes to the next one; the last snapshot is drawn twice.
    rig.step(2, Some(1_700));
    rig.step(3, Some(2_900));
    let second = rig.frame(3, 1, Some(1_700));
    rig.done(second);
    let third = rig.frame(3, 3, None);
    rig.done(third);
    assert_eq!(read(&mut reader), rig.records);
    assert_eq!(read(&mut reader), []);
}

#[test]
fn a_reader_that_skips_is_given_only_what_comes_later() {
    let mut rig = Rig::new();
    rig.run(20);
    rig.frames.refreshed(&vblank(1), None);
    let mut reader = rig.telemetry.reader();
    reader.skip();
    assert_eq!((read(&mut reader), reader.refreshes(|_| ())), (Vec::new(), 0));
    rig.run(2);
    rig.frames.refreshed(&vblank(2), None);
    assert_eq!(read(&mut reader), rig.records[20..]);
    let mut seen = Vec::new();
    reader.refreshes(|refresh| seen.push(refresh.sample));
    assert_eq!((seen, reader.overwritten()), (vec![vblank(2)], 0));
}

#[test]
fn a_frame_is_given_when_all_is_known_of_it_and_in_order() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    rig.step(1, None);
    rig.step(2, None);
    let (first, second) = (rig.frame(1, 0, None), rig.frame(2, 1, None));
    rig.done(second);
    assert_eq!(read(&mut reader), [], "frame 1 comes first");
    rig.frames.gpu_done(first, at(1_400));
    assert_eq!(read(&mut reader), []);
    rig.frames.presented(first, Presentation::Dropped);
    let ids = read(&mut reader).iter().map(|r| (r.id.0, r.dropped)).collect::<Vec<_>>();
    assert_eq!(ids, [(1, true), (2, false)]);
}

#[test]
fn a_frame_that_nobody_hears_of_is_given_after_as_many_as_can_be_on_their_way_or_at_the_end() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    rig.step(1, None);
    let silent = rig.frame(1, 0, None);
    rig.run(PENDING as u64 - 1);
    assert_eq!(read(&mut reader), []);
    rig.run(1);
    assert_eq!(read(&mut reader).len(), PENDING + 1);
    // What is said of it later changes nothing.
    rig.done(silent);
    rig.step(200, None);
    rig.frame(200, PENDING as u64 + 1, None);
    assert_eq!(read(&mut reader), []);
    assert_eq!(reader.state(), State::Starting, "nobody told what is drawn with");
    drop(rig.frames);
    assert_eq!(reader.state(), State::Ended);
    assert_eq!(read(&mut reader).len(), 1);
}

#[test]
fn a_reader_that_comes_too_late_counts_what_it_missed_and_goes_on() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    rig.run(3);
    assert_eq!(read(&mut reader).len(), 3);
    rig.run(2 * ROWS as u64);
    let late = read(&mut reader);
    assert_eq!(
        3 + late.len() as u64 + reader.overwritten(),
        rig.records.len() as u64,
        "each frame has one fate"
    );
    assert!(reader.overwritten() >= ROWS as u64);
    assert_eq!(late.last(), rig.records.last());
    // Another reader has its own count, and one that begins now has missed nothing.
    let mut fresh = rig.telemetry.reader();
    assert_eq!((read(&mut fresh).len(), fresh.overwritten()), (late.len(), 0));
}

#[test]
fn figures_from_what_was_read_are_those_of_the_run() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    rig.run(300);
    let mut figures = Recorder::new(10, Duration::from_millis(1));
    reader.poll(|record| figures.replayed(record));
    let mut own = Recorder::new(10, Duration::from_millis(1));
    for record in &rig.records {
        own.submitted(*record);
        own.gpu_done(record.id, record.at(Stage::GpuDone).expect("done"));
        own.presented(
            record.id,
            Presentation::At(record.at(Stage::Presented).expect("shown"), record.origin),
        );
    }
    for metric in crate::stats::Metric::ALL {
        if *metric != crate::stats::Metric::QueueDepth {
            assert_eq!(
                figures.metrics().summary(*metric),
                own.metrics().summary(*metric),
                "{}",
                metric.name()
            );
        }
    }
    assert_eq!(figures.counters().measured, 290);
}

#[test]
fn a_gap_in_what_was_read_is_no_interval() {
    let mut figures = Recorder::new(0, Duration::from_millis(1));
    let mut rig = Rig::new();
    rig.run(20);
    rig.records.drain(5..15);
    rig.records.iter().for_each(|record| figures.replayed(*record));
    let steps = figures.metrics().summary(crate::stats::Metric::MsBetweenDisplayChange).expect("steps");
    // Nine frames of two stretches; the first one is apart.
    assert_eq!((steps.n, steps.max.round(), figures.metrics().missed_vsyncs()), (7, 1.0, 0));
}

#[test]
fn what_is_drawn_with_and_to_comes_through() {
    let mut rig = Rig::new();
    let reader = rig.telemetry.reader();
    assert_eq!((reader.about(), reader.state()), (None, State::Starting));
    let mut told = Told {
        surface: "",
        vendor: "",
        renderer: "llvmpipe",
        version: "",
        source: ("", Origin::Estimated),
        pacing: Pacing::fixed(90.0).expect("a rate"),
        refresh: Duration::from_millis(16),
        interval: Duration::from_millis(32),
        warmup: 30,
    };
    rig.frames.tell(&told);
    let about = reader.about().expect("told");
    assert_eq!((about.renderer.as_str(), about.pacing.as_str(), about.warmup), ("llvmpipe", "fixed=90", 30));
    assert_eq!((about.refresh, about.interval), (told.refresh, told.interval));
    told.source = ("X11 Present", Origin::Hardware);
    rig.frames.tell(&told);
    let about = reader.about().expect("told again");
    assert_eq!((about.source.as_str(), about.origin), ("X11 Present", Origin::Hardware));
    assert_eq!(reader.state(), State::Running);
}

#[test]
fn a_table_is_for_one_run() {
    let telemetry = Telemetry::new();
    assert!(telemetry.claim().is_some());
    assert!(telemetry.claim().is_none());
}

/// Whatever stands in the table: no panic, no endless loop, and no figure from numbers that cannot be.
#[test]
fn nonsense_in_the_table_is_refused_and_harms_nobody() {
    let mut rig = Rig::new();
    rig.run(5);
    let words = rig.telemetry.table.words.get();
    let mut rng = 0x9e37_79b9_7f4a_7c15_u64;
    let mut reader = rig.telemetry.reader();
    FRAMES.set(words, 2, frame::SHOWN, u64::MAX);
    assert_eq!((read(&mut reader).len(), reader.refused()), (4, 1));
    for _ in 0..200 {
        for word in &words[AT_FRAME..] {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Small numbers are near to what could be.
            let value = if rng >> 61 == 0 { rng >> 20 & 0xfff } else { rng };
            word.store(value, Ordering::Relaxed);
        }
        let mut figures = Recorder::new(0, Duration::from_millis(1));
        let mut reader = rig.telemetry.reader();
        reader.next = 1;
        for _ in 0..3 {
            reader.poll(|record| figures.replayed(record));
            reader.refreshes(|refresh| {
                figures.vblank(refresh.sample);
                refresh.phase_error.into_iter().for_each(|nanos| figures.phase_error(nanos));
            });
        }
        let _ = reader.about();
    }
    words.iter().for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
    assert_eq!(read(&mut reader), []);
}

fn vblank(n: u64) -> VblankSample {
    // Every third has no number, and they come up to 40 us early and late.
    let sequence = (!n.is_multiple_of(3)).then_some(n);
    VblankSample { at: at(n * 1_000 + n * 13 % 80), sequence, period: None, origin: Origin::Compositor }
}
