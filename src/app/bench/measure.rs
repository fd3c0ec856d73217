//! What the runs of a scenario left behind becomes its result.

use std::collections::BTreeMap;

use serde::Deserialize;

use scanout::stats::{
    Distribution, FRAME_LOG_SCHEMA, FrameLog, FrameRecord, FrameRow, Metric, Summary, Unit,
};

use super::result::{Figures, Samples, ScenarioResult};
use super::scenario::Scenario;

/// Frames that the strip of a result has: ten seconds at 60 Hz.
const STRIP: usize = 600;
/// Values of one metric that are kept. More make files that take seconds to read, and no comparison sharper.
const KEPT: usize = 20_000;

/// The report of a child, as far as it is used here. What another build does not say counts as not measured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChildReport {
    pub schema: String,
    pub pacing: String,
    pub target: Target,
    pub elapsed_s: f64,
    pub frames_per_second: Option<f64>,
    pub warmup_frames: u64,
    pub counters: Counters,
    pub missed_vsyncs: Option<u64>,
    pub refreshes: Option<u64>,
    pub animation_errors_over_half: Option<u64>,
    pub deadline_misses: Option<u64>,
    pub deadlines: Option<u64>,
    pub pacer: Pacer,
    pub cost: Cost,
    pub error: Option<String>,
    pub metrics: BTreeMap<String, Option<Figures>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    pub vendor: String,
    pub renderer: String,
    pub version: String,
    pub software: bool,
    pub refresh_hz: Option<f64>,
    pub measured_hz: Option<f64>,
    pub source: String,
    pub origin: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub measured: u64,
    pub dropped: u64,
    pub repeated: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pacer {
    pub declared_miss_share: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cost {
    pub cpu_share: Option<f64>,
    pub spin_share: Option<f64>,
    pub wakeups_per_s: Option<f64>,
}

/// What one run of a scenario left behind.
#[derive(Clone, Debug)]
pub struct Run {
    pub report: ChildReport,
    pub log: FrameLog,
}

impl Run {
    /// From the contents of its two files.
    pub fn parse(report: &[u8], log: &[u8]) -> Result<Self, String> {
        let report: ChildReport =
            serde_json::from_slice(report).map_err(|e| format!("its report cannot be read: {e}"))?;
        let log: FrameLog =
            serde_json::from_slice(log).map_err(|e| format!("its frame log cannot be read: {e}"))?;
        if log.schema != FRAME_LOG_SCHEMA {
            return Err(format!("its frame log is no {FRAME_LOG_SCHEMA}"));
        }
        Ok(Self { report, log })
    }
}

/// A scenario that was measured, with all its frames.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub result: ScenarioResult,
    /// The displayed frames after the warm-up, of all runs, with numbers that rise.
    pub frames: Vec<FrameRecord>,
    /// All stamps of each run, with those of the warm-up.
    pub logs: Vec<FrameLog>,
    /// What they gave each metric: the frame's number and nanoseconds (or frames), in their order.
    pub values: BTreeMap<&'static str, Vec<(u64, i64)>>,
}

impl Measured {
    /// What is known of a scenario before it was measured.
    pub fn planned(scenario: &Scenario, input: &str) -> ScenarioResult {
        ScenarioResult {
            name: scenario.name.clone(),
            scene: scenario.scene.clone(),
            pacing: scenario.pacing.to_string(),
            place: scenario.place.kind().into(),
            load: scenario.load.clone(),
            size: [scenario.size.width, scenario.size.height],
            input: input.into(),
            warmup_frames: scenario.warmup,
            ..ScenarioResult::default()
        }
    }

    /// A scenario that could not be measured, and why.
    pub fn failed(scenario: &Scenario, input: &str, why: String) -> Self {
        let result = ScenarioResult { error: Some(why), ..Self::planned(scenario, input) };
        Self { result, ..Self::default() }
    }

    /// The result of one run, or of several that count as one.
    pub fn from_runs(scenario: &Scenario, input: &str, runs: &[Run]) -> Self {
        let Some(last) = runs.last() else {
            return Self::failed(scenario, input, "it was not run".into());
        };
        let mut result = Self::planned(scenario, input);
        let all = || runs.iter().map(|run| &run.report);
        // A sum over runs is known only where each knows its part.
        let sum = |of: fn(&ChildReport) -> Option<u64>| all().map(of).sum::<Option<u64>>();
        let seconds: f64 = all().map(|r| r.elapsed_s).sum();
        let mean = |of: fn(&ChildReport) -> Option<f64>| {
            let weighed = all().map(|r| Some(of(r)? * r.elapsed_s)).sum::<Option<f64>>();
            weighed.filter(|_| seconds > 0.0).map(|sum| sum / seconds)
        };
        let target = &last.report.target;
        result.gl_vendor.clone_from(&target.vendor);
        result.gl_renderer.clone_from(&target.renderer);
        result.gl_version.clone_from(&target.version);
        result.software = target.software;
        result.display_source.clone_from(&target.source);
        result.display_origin.clone_from(&target.origin);
        (result.refresh_hz, result.measured_hz) = (target.refresh_hz, target.measured_hz);
        result.frames = all().map(|r| r.counters.measured).sum();
        result.elapsed_s = seconds;
        let drawn: f64 = all().map(|r| r.frames_per_second.unwrap_or(0.0) * r.elapsed_s).sum();
        result.frames_per_second = if seconds > 0.0 { drawn / seconds } else { 0.0 };
        result.miss_budget = last.report.pacer.declared_miss_share;
        result.missed_vsyncs = sum(|r| r.missed_vsyncs);
        result.refreshes = sum(|r| r.refreshes);
        result.deadline_misses = sum(|r| r.deadline_misses);
        result.deadlines = sum(|r| r.deadlines);
        result.animation_errors_over_half = sum(|r| r.animation_errors_over_half);
        result.dropped = all().map(|r| r.counters.dropped).sum();
        result.repeated = all().map(|r| r.counters.repeated).sum();
        result.cpu_share = mean(|r| r.cost.cpu_share);
        result.spin_share = mean(|r| r.cost.spin_share);
        result.wakeups_per_s = mean(|r| r.cost.wakeups_per_s);
        result.warnings = all().filter_map(|r| r.error.clone()).collect();
        result.warnings.extend(runs.iter().filter(|run| run.log.pushed_out > run.log.warmup).map(|run| {
            let (kept, lost) = (run.log.frames.len(), run.log.pushed_out);
            format!("the stamps of {lost} older frames were not kept: the gate, samples and plots are of the newest {kept}")
        }));
        let mut measured = Self { result, ..Self::default() };
        let mut rounds: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
        for run in runs {
            measured.add(run, &mut rounds);
        }
        measured.result.metrics = Metric::ALL
            .iter()
            .map(|metric| {
                let name = metric.name();
                // One run knows all of its own figures, also those that are not told by frames.
                let figures = match runs {
                    [one] => one.report.metrics.get(name).copied().flatten(),
                    _ => measured.figures(*metric),
                };
                (name.to_owned(), figures)
            })
            .collect();
        measured.result.samples = measured.samples(&rounds, runs.len() > 1);
        measured.logs = runs.iter().map(|run| run.log.clone()).collect();
        let rows = runs.iter().flat_map(|run| &run.log.frames);
        let drawn: Vec<&FrameRow> = rows.collect();
        let newest = drawn.len().saturating_sub(STRIP);
        measured.result.strip = drawn[newest..].iter().map(|row| (*row).clone()).collect();
        measured
    }

    /// Takes the frames of one more run.
    fn add(&mut self, run: &Run, rounds: &mut BTreeMap<&'static str, Vec<u64>>) {
        // Each run counts its frames from 1.
        let before = self.frames.last().map_or(0, |frame| frame.id.0);
        let metrics = run.log.metrics();
        for metric in Metric::ALL {
            let values = metrics.values(*metric);
            let all = self.values.entry(metric.name()).or_default();
            all.extend(values.iter().map(|v| (v.frame.0 + before, v.value)));
            rounds.entry(metric.name()).or_default().push(values.len() as u64);
        }
        self.frames.extend(run.log.displayed().filter(|f| f.id.0 > run.log.warmup).map(|mut frame| {
            frame.id.0 += before;
            frame
        }));
    }

    /// A metric over all runs; `None` where no frame gave it a value.
    fn figures(&self, metric: Metric) -> Option<Figures> {
        let mut all = Distribution::default();
        // The distribution gives milliseconds of nanoseconds; frames are neither.
        let unit = if metric.unit() == Unit::Frames { 1_000_000 } else { 1 };
        self.values.get(metric.name())?.iter().for_each(|(_, value)| all.record(value.saturating_mul(unit)));
        let Summary { n, mean, p50, p95, p99, p999, min, max, rms, .. } = all.summary()?;
        Some(Figures { n, mean, p50, p95, p99, p999, min, max, rms })
    }

    /// The values of each metric, evenly thinned where there are too many.
    fn samples(&self, rounds: &BTreeMap<&'static str, Vec<u64>>, several: bool) -> BTreeMap<String, Samples> {
        let mut all = BTreeMap::new();
        for metric in Metric::ALL {
            let Some(values) = self.values.get(metric.name()).filter(|v| !v.is_empty()) else { continue };
            let unit = if metric.unit() == Unit::Frames { 1.0 } else { 1e6 };
            let every = values.len().div_ceil(KEPT);
            let (mut ms, mut kept, mut from) = (Vec::new(), Vec::new(), 0);
            // Thinned within each run, so that the runs can still be told apart.
            for &n in rounds.get(metric.name()).into_iter().flatten() {
                let n = n as usize;
                let before = ms.len();
                ms.extend(values[from..from + n].iter().step_by(every).map(|(_, v)| *v as f64 / unit));
                kept.push((ms.len() - before) as u64);
                from += n;
            }
            let rounds = if several { kept } else { Vec::new() };
            all.insert(metric.name().to_owned(), Samples { every: every as u64, ms, rounds });
        }
        all
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use scanout::Size;
    use scanout::pacing::{FrameId, Origin, Pacing};
    use scanout::stats::Stage;
    use scanout::time::Timestamp;

    use super::super::place::Place;

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
        let mut log = FrameLog {
            schema: FRAME_LOG_SCHEMA.into(),
            refresh_hz: Some(100.0),
            warmup,
            ..FrameLog::default()
        };
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
        let figures = |m: &Metric| {
            metrics.summary(*m).map(|s| Figures {
                n: s.n,
                mean: s.mean,
                p50: s.p50,
                p95: s.p95,
                p99: s.p99,
                p999: s.p999,
                min: s.min,
                max: s.max,
                rms: s.rms,
            })
        };
        let report = ChildReport {
            elapsed_s: 2.0,
            frames_per_second: Some(100.0),
            counters: Counters { measured: frames, dropped: 1, repeated: 0 },
            missed_vsyncs: Some(3),
            refreshes: Some(frames),
            cost: Cost { cpu_share: Some(0.5), ..Cost::default() },
            metrics: Metric::ALL.iter().map(|m| (m.name().to_owned(), figures(m))).collect(),
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
            measured.values["SampleToPhoton"]
                .iter()
                .all(|(id, _)| measured.frames.iter().any(|f| f.id.0 == *id))
        );
        assert_eq!(result.strip.len(), 170, "with the warm-up");
    }

    #[test]
    fn one_run_has_the_figures_of_its_own_report_and_no_rounds() {
        let mut one = run(100, 10, |_| 0);
        let told = Figures { n: 7, rms: 0.25, ..Figures::default() };
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
}
