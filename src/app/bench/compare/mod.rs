//! Two results held against each other: what became faster or slower, and what may be chance. How it is decided, and how
//! often it errs: docs/comparing.md.

mod differing;
mod judge;
mod outcome;
mod ranks;
mod shift;
#[cfg(test)]
mod simulated;
mod spread;
mod table;

use serde::Serialize;

use self::differing::{machines, settings};
use self::judge::judge;
pub use self::outcome::{Comparison, Method, MetricComparison, ScenarioComparison, Shift, Verdict};
pub use self::shift::{FEWEST_ROUNDS, P99_OF_ROUND};
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
    let missed = |s: &ScenarioResult| s.misses().map(|(missed, of)| missed as f64 / of as f64);
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
        cliffs_delta: ranks::cliffs_delta(base, new),
        mann_whitney_p: ranks::mann_whitney(base, new, method),
    }
}

#[cfg(test)]
mod tests;
