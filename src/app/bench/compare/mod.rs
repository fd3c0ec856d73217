//! Two results held against each other: what became faster or slower, and what may be chance. How it is decided, and how
//! often it errs: docs/comparing.md.

mod shift;
#[cfg(test)]
mod simulated;
mod table;

use std::fmt;

use serde::Serialize;

use self::shift::{Rounds, Shifted};
use super::result::{BenchResult, ScenarioResult};

/// What is compared where nobody says otherwise. Every further metric makes each verdict harder to reach, so those that
/// follow from others are left out.
pub const METRICS: [&str; 7] = [
    "ClickToPhoton",
    "SampleToPhoton",
    "InputToLogic",
    "LogicToRender",
    "SubmitToDisplay",
    "MsBetweenDisplayChange",
    "AnimationError",
];
/// Metrics whose sign says early or late: both are errors, and their size is compared.
const SIGNED: [&str; 5] = ["AnimationError", "ClockDrift", "VsyncJitter", "PhaseError", "WakeError"];
/// The part of the false alarms that are allowed which medians may make; tails have the rest.
const MEDIAN_SHARE: f64 = 0.8;

/// What counts as a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Options {
    /// Smallest difference that is of interest, in milliseconds: a smaller one is not reported, however certain.
    pub smallest_ms: f64,
    /// The same, as a share of the base's figure. Both have to be reached.
    pub smallest_share: f64,
    /// The share of whole comparisons of a build with itself that may raise an alarm.
    pub false_alarms: f64,
    /// Names of the metrics that are compared.
    pub metrics: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            smallest_ms: 0.1,
            smallest_share: 0.02,
            // A twentieth is promised; what the assumptions leave out has to fit in between.
            false_alarms: 0.02,
            metrics: METRICS.map(str::to_owned).to_vec(),
        }
    }
}

/// What can be said of a difference.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Faster,
    Slower,
    /// There may be one; the values do not show it, or it is below what is of interest.
    NoDifferenceShown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::NoDifferenceShown => "no difference shown",
        })
    }
}

/// Where the uncertainty of a difference was taken from.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// From how much the differences of rounds differ that were measured side by side.
    PairedRounds,
    /// From how much the rounds of each side differ.
    Rounds,
    /// From the frames of one run each, by a moving-block bootstrap. What drifts between two runs looks like a change.
    Blocks,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PairedRounds => "paired rounds",
            Self::Rounds => "rounds",
            Self::Blocks => "blocks of one run",
        })
    }
}

/// What became of a median or a P99, in milliseconds.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// Of all values of each side.
    pub base: f64,
    pub new: f64,
    /// New less base: of paired rounds the mean of their differences.
    pub shift: f64,
    /// Where it lies with 95 % confidence, taken by itself.
    pub low: f64,
    pub high: f64,
    /// The chance of a shift at least as large where there is none, taken by itself.
    pub p: f64,
    /// The same with the number of comparisons allowed for: to be held against [`Options::false_alarms`].
    pub p_adjusted: f64,
    pub verdict: Verdict,
}

/// One metric of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricComparison {
    pub metric: String,
    /// Values of base and new.
    pub n: [usize; 2],
    /// Rounds of base and new.
    pub rounds: [usize; 2],
    pub method: Method,
    pub median: Shift,
    /// The P99; absent where there are too few values for one.
    pub p99: Option<Shift>,
    /// Cliff's delta: the chance that a value of the new side is above one of the base, less that it is below.
    pub cliffs_delta: f64,
    /// Mann-Whitney's U test on medians of rounds or blocks, by itself; absent where sides are paired or have few of them.
    pub mann_whitney_p: Option<f64>,
}

/// One scenario that both sides have figures of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioComparison {
    pub name: String,
    pub metrics: Vec<MetricComparison>,
    /// Missed refreshes of base and new, as a share; shown, not judged.
    pub missed: [Option<f64>; 2],
    /// What makes the two hard to compare, one line each.
    pub remarks: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub options: Options,
    pub scenarios: Vec<ScenarioComparison>,
    /// Scenarios that only one side has figures of, with the reason.
    pub only_base: Vec<String>,
    pub only_new: Vec<String>,
    /// Scenarios of the base that failed on the new side.
    pub broken: Vec<String>,
    /// What concerns all scenarios, one line each.
    pub remarks: Vec<String>,
}

impl Comparison {
    /// Whether the new side is worse: a metric is slower, or a scenario that worked does no more.
    pub fn regressed(&self) -> bool {
        !self.broken.is_empty() || self.shifts().any(|shift| shift.verdict == Verdict::Slower)
    }

    /// Whether nothing could be held against anything: no scenario, or no metric, that both sides have figures of.
    pub fn is_empty(&self) -> bool {
        self.broken.is_empty() && self.shifts().next().is_none()
    }

    fn shifts(&self) -> impl Iterator<Item = &Shift> {
        self.scenarios
            .iter()
            .flat_map(|s| &s.metrics)
            .flat_map(|m| [Some(&m.median), m.p99.as_ref()])
            .flatten()
    }

    /// Names of scenarios, metrics and percentiles that are slower, for the line that says why a gate is closed.
    pub fn slower(&self) -> Vec<String> {
        let slower = |s: &Shift| s.verdict == Verdict::Slower;
        let of = |scenario: &ScenarioComparison, m: &MetricComparison| {
            let median = slower(&m.median).then(|| format!("{} {} P50", scenario.name, m.metric));
            let p99 = m.p99.as_ref().filter(|p| slower(p));
            median.into_iter().chain(p99.map(|_| format!("{} {} P99", scenario.name, m.metric)))
        };
        self.scenarios.iter().flat_map(|s| s.metrics.iter().flat_map(move |m| of(s, m))).collect()
    }
}

/// Holds `new` against `base`. Scenarios are matched by name. The same results give the same comparison.
pub fn compare(base: &BenchResult, new: &BenchResult, options: &Options) -> Comparison {
    let paired = base.interleaved.is_some() && base.interleaved == new.interleaved;
    let mut all = Comparison {
        options: options.clone(),
        scenarios: Vec::new(),
        only_base: Vec::new(),
        only_new: Vec::new(),
        broken: Vec::new(),
        remarks: machines(base, new),
    };
    for a in &base.scenarios {
        let b = new.scenarios.iter().find(|b| b.name == a.name);
        match (&a.error, b, b.and_then(|b| b.error.as_ref())) {
            (_, None, _) => all.only_base.push(format!("{}: not in the new result", a.name)),
            (Some(why), Some(_), Some(_)) => {
                all.only_base.push(format!("{}: neither side has figures: {why}", a.name));
            }
            (Some(why), Some(_), None) => all.only_new.push(format!("{}: the base has none: {why}", a.name)),
            (None, Some(_), Some(why)) => all.broken.push(format!("{}: {why}", a.name)),
            (None, Some(b), None) => all.scenarios.push(scenario(a, b, paired, options)),
        }
    }
    let known = |name: &str| base.scenarios.iter().any(|a| a.name == name);
    all.only_new.extend(
        new.scenarios.iter().filter(|b| !known(&b.name)).map(|b| format!("{}: not in the base", b.name)),
    );
    judge(&mut all);
    all
}

/// Gives the verdicts, with the number of comparisons allowed for: Holm's procedure, once over medians and once over tails.
fn judge(all: &mut Comparison) {
    let Options { smallest_ms, smallest_share, false_alarms, .. } = all.options;
    let families = [
        (MEDIAN_SHARE, (|m| Some(&mut m.median)) as fn(&mut MetricComparison) -> Option<&mut Shift>),
        (1.0 - MEDIAN_SHARE, |m| m.p99.as_mut()),
    ];
    for (share, pick) in families {
        let metrics = all.scenarios.iter_mut().flat_map(|s| &mut s.metrics);
        let mut family: Vec<&mut Shift> = metrics.filter_map(pick).collect();
        family.sort_by(|a, b| a.p.total_cmp(&b.p));
        let mut largest = 0.0_f64;
        let of = family.len();
        for (i, shift) in family.into_iter().enumerate() {
            largest = largest.max((of - i) as f64 * shift.p / share);
            shift.p_adjusted = largest.min(1.0);
            let wanted = smallest_ms.max(smallest_share * shift.base.abs());
            let shown = shift.p_adjusted <= false_alarms && shift.shift.abs() >= wanted;
            shift.verdict = match shift.shift > 0.0 {
                _ if !shown => Verdict::NoDifferenceShown,
                true => Verdict::Slower,
                false => Verdict::Faster,
            };
        }
    }
}

fn scenario(
    base: &ScenarioResult,
    new: &ScenarioResult,
    paired: bool,
    options: &Options,
) -> ScenarioComparison {
    let mut remarks = settings(base, new);
    let mut metrics = Vec::new();
    for name in &options.metrics {
        match (base.samples.get(name), new.samples.get(name)) {
            (Some(a), Some(b)) if !a.ms.is_empty() && !b.ms.is_empty() => {
                let size = SIGNED.contains(&name.as_str());
                metrics.push(metric(name, &Rounds::new(a, size), &Rounds::new(b, size), paired));
            }
            (None, None) => {}
            (a, b) => {
                let has = |s: Option<_>| s.is_some_and(|s: &super::result::Samples| !s.ms.is_empty());
                match (has(a), has(b)) {
                    (true, false) => remarks.push(format!("{name}: not measured on the new side")),
                    (false, true) => remarks.push(format!("{name}: not measured on the base's side")),
                    _ => {}
                }
            }
        }
    }
    if metrics.is_empty() {
        remarks.push("no metric has values on both sides".into());
    }
    let missed = |s: &ScenarioResult| {
        let refreshes = s.refreshes.filter(|n| *n > 0)?;
        Some(s.missed_vsyncs? as f64 / refreshes as f64)
    };
    ScenarioComparison { name: base.name.clone(), metrics, missed: [missed(base), missed(new)], remarks }
}

fn metric(name: &str, base: &Rounds, new: &Rounds, paired: bool) -> MetricComparison {
    let method = Shifted::method(base, new, paired);
    MetricComparison {
        metric: name.to_owned(),
        n: [base.len(), new.len()],
        rounds: [base.count(), new.count()],
        method,
        median: Shifted::of(base, new, 0.5, method).into(),
        p99: Shifted::can_tell_p99(base, new, method).then(|| Shifted::of(base, new, 0.99, method).into()),
        cliffs_delta: shift::cliffs_delta(base, new),
        mann_whitney_p: shift::mann_whitney(base, new, method),
    }
}

impl From<Shifted> for Shift {
    fn from(s: Shifted) -> Self {
        let Shifted { base, new, shift, low, high, p } = s;
        Self { base, new, shift, low, high, p, p_adjusted: 1.0, verdict: Verdict::NoDifferenceShown }
    }
}

/// What differs between the machines.
fn machines(base: &BenchResult, new: &BenchResult) -> Vec<String> {
    let (a, b) = (&base.machine, &new.machine);
    let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "unknown".into());
    let pairs = [
        ("operating systems", a.os.clone(), b.os.clone()),
        ("kernels", text(&a.kernel), text(&b.kernel)),
        ("CPUs", text(&a.cpu), text(&b.cpu)),
        ("numbers of cores", a.cores.to_string(), b.cores.to_string()),
        ("CPU governors", text(&a.governor), text(&b.governor)),
    ];
    differing(&pairs)
}

/// What differs between the settings of a scenario.
fn settings(base: &ScenarioResult, new: &ScenarioResult) -> Vec<String> {
    let (a, b) = (base, new);
    let size = |s: &ScenarioResult| format!("{}x{}", s.size[0], s.size[1]);
    let hz = |s: &ScenarioResult| s.refresh_hz.map_or("unknown".to_owned(), |hz| format!("{hz:.2} Hz"));
    differing(&[
        ("scenes", a.scene.clone(), b.scene.clone()),
        ("pacing modes", a.pacing.clone(), b.pacing.clone()),
        ("places", a.place.clone(), b.place.clone()),
        ("loads", a.load.clone(), b.load.clone()),
        ("sizes", size(a), size(b)),
        ("kinds of input", a.input.clone(), b.input.clone()),
        ("OpenGL renderers", a.gl_renderer.clone(), b.gl_renderer.clone()),
        ("OpenGL versions", a.gl_version.clone(), b.gl_version.clone()),
        ("sources of display times", a.display_source.clone(), b.display_source.clone()),
        ("origins of display times", a.display_origin.clone(), b.display_origin.clone()),
        ("refresh rates", hz(a), hz(b)),
    ])
}

fn differing(pairs: &[(&str, String, String)]) -> Vec<String> {
    let differs = pairs.iter().filter(|(_, a, b)| a != b);
    differs.map(|(what, a, b)| format!("the {what} differ: {a:?} and {b:?}")).collect()
}

#[cfg(test)]
mod tests;
