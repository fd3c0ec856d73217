//! What the runs of a scenario left behind becomes its result.

use std::collections::BTreeMap;

use scanout::stats::{FrameLog, FrameRecord, FrameRow, Metric, Unit};

use super::child_report::{ChildReport, Run};
use super::result::{Figures, Samples, ScenarioResult};
use super::scenario::Scenario;

/// Frames that the strip of a result has: ten seconds at 60 Hz.
const STRIP: usize = 600;
/// Values of one metric that are kept. More make files that take seconds to read, and no comparison sharper.
const KEPT: usize = 20_000;

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
            on_demand: scenario.waits_for_input(),
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
        result.frames_per_second = mean(|r| r.frames_per_second).unwrap_or(0.0);
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
        result.warnings.extend(runs.iter().filter(|run| is_cut(run)).map(|run| {
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
                // What frames tell comes from their stamps, as comparisons and the gate do. One run knows what refreshes told
                // it, and figures of frames whose stamps it did not keep.
                let figures = match runs {
                    [one] if !metric.is_of_frames() || is_cut(one) => {
                        one.report.metrics.get(name).copied().flatten()
                    }
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
        let values = self.values.get(metric.name())?;
        Figures::of_values(
            &mut values.iter().map(|(_, value)| *value as f64 / unit(metric)).collect::<Vec<_>>(),
        )
    }

    /// The values of each metric, evenly thinned where there are too many.
    fn samples(&self, rounds: &BTreeMap<&'static str, Vec<u64>>, several: bool) -> BTreeMap<String, Samples> {
        let mut all = BTreeMap::new();
        for metric in Metric::ALL {
            let Some(values) = self.values.get(metric.name()).filter(|v| !v.is_empty()) else { continue };
            let unit = unit(*metric);
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

/// Whether stamps of frames after the warm-up had to make room for others.
const fn is_cut(run: &Run) -> bool {
    run.log.pushed_out > run.log.warmup
}

/// Nanoseconds to a millisecond; frames count as they are.
fn unit(metric: Metric) -> f64 {
    if metric.unit() == Unit::Frames { 1.0 } else { 1e6 }
}

#[cfg(test)]
pub mod tests;
