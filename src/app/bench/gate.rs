//! The gate: a budget that a percentile of a metric must hold, and who is at fault where it does not.

use std::fmt;
use std::time::Duration;

use scanout::stats::blame::{Blame, Reach, blame};
use scanout::stats::quantile::of_sorted;
use scanout::stats::{Metric, Unit};

use super::super::Failure;
use super::measure::Measured;

/// So many values must lie above a percentile for it to be more than the largest one under another name: a P99 takes 500
/// values.
pub const BEYOND: f64 = 5.0;
/// From this percentile on 10,000 values are needed, as for every P99.9 that is printed here.
const FAR: (f64, u64) = (99.9, 10_000);

/// What was asked for.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Gate {
    pub metric: Metric,
    pub budget: Duration,
    /// Above 0 and below 100.
    pub percentile: f64,
}

/// What a scenario came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It held.
    Held { is: f64 },
    /// It did not.
    Broken { is: f64, of: usize, blame: Blame },
    /// Nothing of the metric was measured.
    NotMeasured,
    /// Too few values for the percentile.
    TooFew { n: u64 },
}

impl Gate {
    /// From the text of the options.
    pub fn new(metric: &str, budget: Duration, percentile: f64) -> Result<Self, Failure> {
        let usage = |text: String| Err(Failure::Usage(text));
        let Some(known) = Metric::named(metric) else {
            let names: Vec<_> = Metric::ALL.iter().filter(|m| can_be_gated(**m)).map(|m| m.name()).collect();
            return usage(format!("no metric is called {metric:?}; there are: {}", names.join(", ")));
        };
        if known.unit() != Unit::Milliseconds {
            return usage(format!("{metric} is no time, so it has no budget"));
        }
        if !known.is_of_frames() {
            return usage(format!("{metric} is told by refreshes and not by frames, so it has no budget"));
        }
        if !(percentile > 0.0 && percentile < 100.0) {
            return usage("a percentile lies above 0 and below 100".into());
        }
        Ok(Self { metric: known, budget, percentile })
    }

    /// Values that the percentile takes.
    pub fn needs(&self) -> u64 {
        let (far, needed) = FAR;
        let beyond = (BEYOND * 100.0 / (100.0 - self.percentile)).ceil() as u64;
        if self.percentile >= far { beyond.max(needed) } else { beyond }
    }

    /// Holds a scenario against it. Signed figures, such as AnimationError, count by their size.
    pub fn judge(&self, measured: &Measured) -> Verdict {
        let values = measured.values.get(self.metric.name()).map_or(&[][..], Vec::as_slice);
        if values.is_empty() {
            return Verdict::NotMeasured;
        }
        if (values.len() as u64) < self.needs() {
            return Verdict::TooFew { n: values.len() as u64 };
        }
        let mut sorted: Vec<u64> = values.iter().map(|(_, value)| value.unsigned_abs()).collect();
        sorted.sort_unstable();
        let Some(found) = of_sorted(&sorted, self.percentile / 100.0) else { return Verdict::NotMeasured };
        let is = found as f64 / 1e6;
        let budget = self.budget.as_nanos();
        if u128::from(found) <= budget {
            return Verdict::Held { is };
        }
        let over: Vec<u64> = values
            .iter()
            .filter(|(_, v)| u128::from(v.unsigned_abs()) > budget)
            .map(|(frame, _)| *frame)
            .collect();
        let valued: Vec<_> = measured
            .frames
            .iter()
            .filter(|f| values.binary_search_by_key(&f.id.0, |(frame, _)| *frame).is_ok())
            .copied()
            .collect();
        let blame = blame(&valued, Reach::of(self.metric), |frame| over.binary_search(&frame.id.0).is_ok());
        Verdict::Broken { is, of: values.len(), blame }
    }

    /// The verdict on a scenario, in one line.
    pub fn line(&self, name: &str, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Held { is } => format!("held    {name}: {self} is {is:.3} ms"),
            Verdict::NotMeasured => format!("-       {name}: {} was not measured", self.metric.name()),
            Verdict::TooFew { n } => {
                format!("-       {name}: {n} values are too few for {self}, which takes {}", self.needs())
            }
            Verdict::Broken { is, of, blame } => {
                let late = format!("{} of {of} frames over", blame.late.len());
                format!("broken  {name}: {self} is {is:.3} ms, {late}; at fault: {}", fault(blame))
            }
        }
    }
}

impl fmt::Display for Gate {
    /// `P99 SampleToPhoton <= 8 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.budget.as_secs_f64() * 1e3;
        write!(f, "P{} {} (budget {ms} ms)", self.percentile, self.metric.name())
    }
}

const fn can_be_gated(metric: Metric) -> bool {
    matches!(metric.unit(), Unit::Milliseconds) && metric.is_of_frames()
}

/// The stage at fault, and by how much.
fn fault(blame: &Blame) -> String {
    let ms = |nanos: i64| nanos as f64 / 1e6;
    match (blame.usual, blame.culprit) {
        (Some(part), _) => {
            let median = blame.medians[part as usize].unwrap_or_default();
            format!(
                "{part}, which takes {:.3} ms in half of all frames: the budget is below what is usual",
                ms(median)
            )
        }
        (None, Some(part)) => {
            let mut over: Vec<i64> =
                blame.late.iter().filter(|late| late.part == Some(part)).map(|late| late.excess).collect();
            over.sort_unstable();
            let usual = ms(blame.medians[part as usize].unwrap_or_default());
            let (Some(middle), Some(most)) = (of_sorted(&over, 0.5), over.last()) else {
                // Each of these frames has more of another part, and all of them together more of this one.
                return format!("{part}, which takes {usual:.3} ms in half of all frames and more in these");
            };
            let (n, all) = (over.len(), blame.late.len());
            format!(
                "{part}, in {n} of these {all} frames: there it took {:.3} ms more than its median of {usual:.3} ms (in the \
                 median of these; {:.3} ms at most)",
                ms(middle),
                ms(*most)
            )
        }
        (None, None) => "no stage took longer than it usually does".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::tests::{run, scenario};
    use super::*;
    use scanout::stats::blame::Part;

    fn gate(ms: u64) -> Gate {
        Gate::new("SampleToPhoton", Duration::from_millis(ms), 99.0).unwrap()
    }

    fn measured(frames: u64, extra: impl Fn(u64) -> u64) -> Measured {
        Measured::from_runs(&scenario("a"), "none", &[run(frames, 10, extra)])
    }

    #[test]
    fn gate_holds_breaks_and_names_the_stage_at_fault() {
        // 5 ms each; 1 % take 9 ms, 2 % would break it.
        let one_percent = measured(1_000, |id| if id % 100 == 0 { 40 } else { 0 });
        assert!(matches!(gate(8).judge(&one_percent), Verdict::Held { is } if (is - 5.0).abs() < 0.1));
        let two_percent = measured(1_000, |id| if id % 50 == 0 { 40 } else { 0 });
        let verdict = gate(8).judge(&two_percent);
        let Verdict::Broken { is, of, ref blame } = verdict else { panic!("{verdict:?}") };
        assert!((is - 9.0).abs() < 0.1 && of == 1_000 && blame.late.len() == 20, "{verdict:?}");
        assert_eq!(blame.part(), Some(Part::Render));
        let line = gate(8).line("a b", &verdict);
        assert!(line.contains("a b") && line.contains("20 of 1000 frames over"), "{line}");
        // 0.4 ms usually, 4 ms more in these.
        let says = "at fault: render, in 20 of these 20 frames: there it took 4.000 ms more than its median of 0.400 ms";
        assert!(line.contains(says), "{line}");
    }

    #[test]
    fn frames_without_a_value_are_not_blamed() {
        // Every other frame has input; only those can be late by ClickToPhoton.
        let click = Gate::new("ClickToPhoton", Duration::from_millis(9), 99.0).unwrap();
        let verdict = click.judge(&measured(1_200, |id| if id % 20 == 0 { 40 } else { 0 }));
        let Verdict::Broken { of, blame, .. } = verdict else { panic!("{verdict:?}") };
        assert_eq!((of, blame.late.len()), (600, 60));
    }

    #[test]
    fn percentile_of_too_few_values_is_refused() {
        assert_eq!(gate(8).needs(), 500);
        assert_eq!(Gate { percentile: 50.0, ..gate(8) }.needs(), 10);
        assert_eq!(Gate { percentile: 99.9, ..gate(8) }.needs(), 10_000);
        assert_eq!(Gate { percentile: 99.99, ..gate(8) }.needs(), 50_000);
        assert_eq!(gate(8).judge(&measured(499, |_| 0)), Verdict::TooFew { n: 499 });
        assert!(matches!(gate(8).judge(&measured(500, |_| 0)), Verdict::Held { .. }));
        let latch = Gate::new("LatchToPhoton", Duration::from_millis(8), 99.0).unwrap();
        assert_eq!(latch.judge(&measured(500, |_| 0)), Verdict::NotMeasured);
    }

    #[test]
    fn what_cannot_be_a_gate_is_refused_in_one_line() {
        let budget = Duration::from_millis(8);
        for (metric, percentile) in [
            ("Latency", 99.0),
            ("QueueDepth", 99.0),
            ("PhaseError", 99.0),
            ("ClickToPhoton", 100.0),
            ("", 0.0),
        ] {
            match Gate::new(metric, budget, percentile) {
                Err(Failure::Usage(text)) => assert!(!text.contains('\n') && text.len() > 20, "{text}"),
                other => panic!("{metric}: {other:?}"),
            }
        }
    }
}
