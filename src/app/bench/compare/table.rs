//! A comparison in lines for the terminal.

use std::fmt::Write as _;

use super::{Comparison, Method, MetricComparison, ScenarioComparison, Shift};

impl Comparison {
    /// The comparison as lines of at most about 110 characters.
    pub fn to_table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string");
        self.remarks.iter().for_each(|remark| line(format_args!("note: {remark}")));
        for scenario in &self.scenarios {
            line(format_args!("{}: {}", scenario.name, misses(scenario)));
            scenario.remarks.iter().for_each(|remark| line(format_args!("  note: {remark}")));
            line(format_args!(
                "  {:<27}{:>9}{:>9}{:>9}  {:<19}{:>7}{:>7}  verdict",
                "milliseconds", "base", "new", "shift", "95 % interval", "p adj", "delta"
            ));
            for m in &scenario.metrics {
                let delta = format!("{:+.2}", m.cliffs_delta);
                line(format_args!("  {}", row(&format!("{} P50", m.metric), &m.median, &delta)));
                match &m.p99 {
                    Some(p99) => line(format_args!("  {}", row(&format!("{} P99", m.metric), p99, ""))),
                    None => line(format_args!(
                        "  {:<27}not compared: too few values",
                        format!("{} P99", m.metric)
                    )),
                }
            }
            if let Some(m) = scenario.metrics.first() {
                line(format_args!("  uncertainty from {}", m.basis()));
            }
        }
        for (title, list) in [
            ("only in the base", &self.only_base),
            ("only in the new result", &self.only_new),
            ("failed in the new result", &self.broken),
        ] {
            list.iter().for_each(|name| line(format_args!("{title}: {name}")));
        }
        let o = &self.options;
        line(format_args!(
            "A difference is shown where at least {} ms and {} % of the base lie between them, and where at most",
            o.smallest_ms,
            o.smallest_share * 100.0
        ));
        line(format_args!(
            "{} % of comparisons of a build with itself would show any. Delta: Cliff's, from -1 to 1.",
            o.false_alarms * 100.0
        ));
        line(format_args!(
            "base and new are of all frames; shift is new - base of the rounds or blocks, which may differ from theirs"
        ));
        line(format_args!("{}", self.verdict()));
        out
    }
}

fn row(name: &str, s: &Shift, delta: &str) -> String {
    let interval = format!("{:+.3} to {:+.3}", s.low, s.high);
    let p = if s.p_adjusted < 0.001 { "<0.001".to_owned() } else { format!("{:.3}", s.p_adjusted) };
    format!(
        "{name:<27}{:>9.3}{:>9.3}{:>+9.3}  {interval:<19}{p:>7}{delta:>7}  {}",
        s.base, s.new, s.shift, s.verdict
    )
}

fn misses(s: &ScenarioComparison) -> String {
    let share = |m: Option<f64>| m.map_or("not measured".to_owned(), |m| format!("{:.2} %", m * 100.0));
    match s.missed {
        [None, None] => "no missed refreshes to compare".to_owned(),
        [base, new] => format!("missed refreshes {} before, {} now (not judged)", share(base), share(new)),
    }
}

impl MetricComparison {
    /// What its intervals rest on.
    pub fn basis(&self) -> String {
        let [a, b] = self.rounds;
        match self.method {
            Method::PairedRounds => format!("{} pairs of rounds measured in turn", a.min(b)),
            Method::Rounds => {
                format!("{a} and {b} rounds, not measured in turn: drift between them may pass for a change")
            }
            Method::Blocks => {
                "blocks of frames of one run each: drift between the runs may pass for a change, \
                               which measuring in turn (--interleave) rules out"
                    .into()
            }
        }
    }
}
