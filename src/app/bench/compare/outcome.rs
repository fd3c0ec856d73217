//! What a comparison comes to.

use std::fmt;

use serde::Serialize;

use super::Options;
use super::shift::Shifted;

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

    pub(super) fn shifts(&self) -> impl Iterator<Item = &Shift> {
        self.scenarios
            .iter()
            .flat_map(|s| &s.metrics)
            .flat_map(|m| [Some(&m.median), m.p99.as_ref()])
            .flatten()
    }

    /// The verdict on all of it, in one line.
    pub fn verdict(&self) -> String {
        let slower = self.slower();
        match (self.regressed(), slower.is_empty()) {
            (false, _) if self.is_empty() => "nothing could be compared".to_owned(),
            (false, _) => "no regression shown".to_owned(),
            (true, true) => format!("regression: {} scenario(s) failed", self.broken.len()),
            (true, false) => format!("regression: slower in {}", slower.join(", ")),
        }
    }

    /// The verdicts alone: each difference that is shown, in a line, and what follows from them.
    pub fn verdicts(&self) -> String {
        let mut out = String::new();
        for scenario in &self.scenarios {
            for m in &scenario.metrics {
                for (percentile, shift) in [("P50", Some(&m.median)), ("P99", m.p99.as_ref())] {
                    let Some(s) = shift.filter(|s| s.verdict != Verdict::NoDifferenceShown) else { continue };
                    out.push_str(&format!(
                        "{}: {} {percentile} of {}, {:.3} ms before, {:.3} now, shift {:+.3} ({:+.3} to {:+.3})\n",
                        s.verdict, m.metric, scenario.name, s.base, s.new, s.shift, s.low, s.high
                    ));
                }
            }
        }
        self.broken.iter().for_each(|name| out.push_str(&format!("failed: {name}\n")));
        out.push_str(&self.verdict());
        out.push('\n');
        out
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

impl From<Shifted> for Shift {
    fn from(s: Shifted) -> Self {
        let Shifted { base, new, shift, low, high, p } = s;
        Self { base, new, shift, low, high, p, p_adjusted: 1.0, verdict: Verdict::NoDifferenceShown }
    }
}
