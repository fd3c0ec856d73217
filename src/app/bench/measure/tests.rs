use super::*;
use crate::app::bench::child_report::{Cost, Counters};
use scanout::Size;
use scanout::pacing::{FrameId, Origin, Pacing};
use scanout::stats::{FRAME_LOG_SCHEMA, Stage};
use scanout::time::Timestamp;

use crate::app::bench::place::Place;

pub fn scenario(name: &str) -> Scenario {
    Scenario {
        name: name.into(),
        scene: "flip".into(),
        pacing: Pacing::Auto,
        place: Place::Headless(100.0),
        load: String::new(),
        size: Size::new(64, 48),
        frames: 500,
        seconds: None,
        warmup: 10,
        input_hz: None,
        args: Vec::new(),
    }
}

/// A run of frames 10 ms apart, each displayed 5 ms after its sample, the last part of the way taking what `extra` says.
pub fn run(frames: u64, warmup: u64, extra: impl Fn(u64) -> u64) -> Run {
    let mut log =
        FrameLog { schema: FRAME_LOG_SCHEMA.into(), refresh_hz: Some(100.0), warmup, ..FrameLog::default() };
    for id in 1..=frames + warmup {
        let mut record = FrameRecord::new(FrameId(id));
        let start = id * 10_000_000;
        let at = |ms: u64| Timestamp::from_nanos(start + ms * 100_000);
        if id % 2 == 0 {
            record.mark(Stage::InputReceived, Timestamp::from_nanos(start - 3_000_000));
        }
        record.mark(Stage::InputSampled, at(0));
        record.mark(Stage::LogicDone, at(5));
        record.mark(Stage::SnapshotPublished, at(5));
        record.mark(Stage::SnapshotAcquired, at(6));
        record.mark(Stage::Submitted, at(10 + extra(id)));
        record.mark(Stage::GpuDone, at(12 + extra(id)));
        record.mark(Stage::SwapBegin, at(11 + extra(id)));
        record.mark(Stage::SwapEnd, at(13 + extra(id)));
        record.mark(Stage::Presented, at(50 + extra(id)));
        record.origin = Origin::Simulated;
        record.animation_time = std::time::Duration::from_millis(10 * id);
        log.frames.push(FrameRow::from(&record));
    }
    let metrics = log.metrics();
    let report = ChildReport {
        elapsed_s: 2.0,
        frames_per_second: Some(100.0),
        counters: Counters { measured: frames, dropped: 1, repeated: 0 },
        missed_vsyncs: Some(3),
        refreshes: Some(frames),
        cost: Cost { cpu_share: Some(0.5), ..Cost::default() },
        metrics: Metric::ALL.iter().map(|m| (m.name().to_owned(), metrics.summary(*m))).collect(),
        ..ChildReport::default()
    };
    Run { report, log }
}

#[test]
fn rounds_count_as_one_run_and_can_still_be_told_apart() {
    let runs = [run(100, 10, |_| 0), run(50, 10, |_| 10)];
    let measured = Measured::from_runs(&scenario("a"), "synthetic", &runs);
    let result = &measured.result;
    assert_eq!((result.frames, result.missed_vsyncs, result.dropped), (150, Some(6), 2));
    assert_eq!((result.cpu_share, result.deadlines, result.spin_share), (Some(0.5), None, None));
    let sample = result.metrics["SampleToPhoton"].unwrap();
    assert_eq!((sample.n, sample.min.round(), sample.max.round()), (150, 5.0, 6.0));
    assert_eq!(result.metrics["VsyncJitter"], None, "told by refreshes, and not of two runs together");
    let samples = &result.samples["SampleToPhoton"];
    assert_eq!((samples.every, samples.ms.len(), samples.rounds.as_slice()), (1, 150, &[100, 50][..]));
    assert!(measured.frames.is_sorted_by_key(|f| f.id) && measured.frames.len() == 150);
    assert!(
        measured.values["SampleToPhoton"].iter().all(|(id, _)| measured.frames.iter().any(|f| f.id.0 == *id))
    );
    assert_eq!(result.strip.len(), 170, "with the warm-up");
}

#[test]
fn one_run_has_the_figures_of_its_own_report_and_no_rounds() {
    let mut one = run(100, 10, |_| 0);
    let mut told = Figures::default();
    (told.n, told.rms) = (7, 0.25);
    one.report.metrics.insert("PhaseError".into(), Some(told));
    let measured = Measured::from_runs(&scenario("a"), "none", &[one]);
    assert_eq!(measured.result.metrics["PhaseError"], Some(told));
    assert_eq!(measured.result.metrics["VsyncJitter"], None);
    assert!(measured.result.samples["SampleToPhoton"].rounds.is_empty());
    assert!(!measured.result.samples.contains_key("LatchToPhoton"), "nothing was measured");
    assert_eq!(
        Measured::from_runs(&scenario("a"), "none", &[]).result.error.as_deref(),
        Some("it was not run")
    );
}

#[test]
fn too_many_values_are_thinned_and_said_to_be() {
    let measured = Measured::from_runs(&scenario("a"), "none", &[run(45_000, 0, |_| 0)]);
    let samples = &measured.result.samples["SampleToPhoton"];
    assert_eq!((samples.every, samples.ms.len()), (3, 15_000));
    assert_eq!(measured.result.strip.len(), STRIP);
    assert!(measured.result.metrics["SampleToPhoton"].unwrap().p999.is_some());
}

#[test]
fn files_of_a_child_that_are_none_are_refused_in_one_line() {
    for (report, log) in [(&b"{"[..], &b"{}"[..]), (b"{}", b""), (b"{}", b"{\"schema\":\"other/1\"}")] {
        let error = Run::parse(report, log).unwrap_err();
        assert!(!error.contains('\n') && error.starts_with("its "), "{error}");
    }
}

#[test]
fn a_build_that_says_what_cannot_be_is_refused() {
    let mut one = run(5, 0, |_| 0);
    let mut odd = one.report.metrics["SampleToPhoton"].unwrap();
    odd.p99 = 1e300;
    let report = serde_json::json!({ "metrics": { "SampleToPhoton": odd } }).to_string();
    one.log.frames.clear();
    let log = serde_json::to_string(&one.log).unwrap();
    let error = Run::parse(report.as_bytes(), log.as_bytes()).unwrap_err();
    assert!(error.contains("1e300") && error.contains("SampleToPhoton"), "{error}");
}

/// The table, the gate and the comparison: one figure, whatever the buckets of the run's own histogram.
#[test]
fn percentiles_of_the_table_are_those_of_the_values() {
    let mut one = run(997, 10, |id| id * 7_919 % 997);
    one.report.metrics.insert("SampleToPhoton".into(), Some(Figures::default()));
    let result = Measured::from_runs(&scenario("a"), "none", &[one]).result;
    let table = result.metrics["SampleToPhoton"].unwrap();
    let mut ms = result.samples["SampleToPhoton"].ms.clone();
    ms.sort_by(f64::total_cmp);
    assert_eq!((table.n, table.p50, table.p99), (997, ms[498], ms[987]));
}
