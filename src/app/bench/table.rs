//! What a bench prints.

use std::fmt::Write as _;

use super::super::report::{cell, or_not, rates};
use super::bound::Bound;
use super::result::{BenchResult, Figures, Machine, ScenarioResult};

/// The stages from input to display by the names of their metrics, and both ends together. The two latencies are two lines: one begins with the
/// input, the other with its sampling.
const STAGES: [&str; 6] = [
    "InputToLogic",
    "LogicToRender",
    "SubmitToGpuDone",
    "SubmitToDisplay",
    "SampleToPhoton",
    "ClickToPhoton",
];
/// What tells how even the frames were.
const QUALITY: [&str; 9] = [
    "MsBetweenDisplayChange",
    "MsUntilDisplayed",
    "MsInPresentAPI",
    "DisplayLatency",
    "AnimationError",
    "IntervalJitter",
    "PhaseError",
    "WakeError",
    "QueueDepth",
];

/// A whole result.
pub fn whole(result: &BenchResult) -> String {
    let mut text = machine(&result.machine, &result.suite);
    for s in &result.scenarios {
        text.push('\n');
        text.push_str(&scenario(s));
    }
    text.push('\n');
    text.push_str(FOOTER);
    text
}

/// The machine, in a line or two.
pub fn machine(machine: &Machine, suite: &str) -> String {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let mut out = format!(
        "suite {suite} on {}, {} core(s); {} {}; governor {}; load average {}\n",
        or_unknown(&machine.cpu),
        machine.cores,
        machine.os,
        or_unknown(&machine.kernel),
        or_unknown(&machine.governor),
        or_not(machine.load_before.map(|l| format!("{l:.2}"))),
    );
    // Whatever else runs takes its time from what is measured.
    if machine.load_before.is_some_and(|load| load > 0.5 * machine.cores as f64) {
        out.push_str(
            "warning: the machine was busy before the bench began; times will be longer than they need be\n",
        );
    }
    out
}

/// One scenario: the table of its stages, both latencies, and how even its frames were.
pub fn scenario(s: &ScenarioResult) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string");
    line(format_args!("{}", s.name));
    if let Some(error) = &s.error {
        line(format_args!("  not measured: {error}"));
        return out;
    }
    let [width, height] = s.size;
    let load = if s.load.is_empty() { "none".to_owned() } else { s.load.clone() };
    line(format_args!(
        "  {}, pacing {}, {width}x{height} on {}, extra load {load}, input {}",
        s.scene, s.pacing, s.place, s.input
    ));
    let software = if s.software { " (software rasteriser)" } else { "" };
    line(format_args!("  OpenGL {} / {}{software} / {}", s.gl_vendor, s.gl_renderer, s.gl_version));
    line(format_args!(
        "  display times: {} ({}); {}",
        if s.display_source.is_empty() { "nobody told" } else { &s.display_source },
        s.display_origin,
        rates(s.refresh_hz, s.measured_hz),
    ));
    line(format_args!(
        "  {} frames measured in {:.2} s ({}) after {} of warm-up",
        s.frames,
        s.elapsed_s,
        s.rate_text(),
        s.warmup_frames
    ));
    for warning in &s.warnings {
        line(format_args!("  warning: {warning}"));
    }
    line(format_args!(
        "  {:<24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}",
        "milliseconds", "mean", "P50", "P95", "P99", "P99.9", "max", "n"
    ));
    for metric in STAGES {
        line(format_args!("{}", row(metric, s.figures(metric))));
    }
    line(format_args!("  {}", Bound::of(s)));
    let missed = match s.misses() {
        Some((missed, of)) => format!("{missed} of {of} refreshes missed{}", share(missed, of)),
        None if s.on_demand => "frames come only for input: no refresh can be missed".into(),
        None if !s.is_bound_to_refreshes() => {
            "frames are shown when they are done: no refresh can be missed".into()
        }
        None => "missed refreshes not measured".into(),
    };
    let deadlines = match (s.deadline_misses, s.deadlines) {
        (Some(missed), Some(of)) => format!("{missed} of {of} deadlines missed{}", share(missed, of)),
        _ => "missed deadlines not measured".into(),
    };
    let declared = s.miss_budget.map_or(String::new(), |share| format!(" (declared {:.2} %)", share * 100.0));
    line(format_args!("  {missed}; {deadlines}{declared}"));
    line(format_args!(
        "  {} dropped, {} repeated; animation off by more than half a refresh: {}",
        s.dropped,
        s.repeated,
        or_not(s.animation_errors_over_half.map(|n| n.to_string()))
    ));
    for metric in QUALITY {
        let title = if metric == "QueueDepth" { "QueueDepth (frames)" } else { metric };
        let figures = s.figures(metric);
        let rms = figures.filter(|_| metric.ends_with("Error"));
        let rms = rms.map_or(String::new(), |f| format!("  RMS {}", cell(f.rms)));
        let sizes = figures.and_then(|f| f.p99_abs).filter(|_| metric.ends_with("Error"));
        let sizes = sizes.map_or(String::new(), |p99| format!("  P99 of the size {}", cell(p99)));
        line(format_args!("{}{rms}{sizes}", row(title, figures)));
    }
    let percent = |share: Option<f64>| or_not(share.map(|s| format!("{:.0} %", s * 100.0)));
    line(format_args!(
        "  cost: CPU {} (of one core), spinning {}, wake-ups per second {}",
        percent(s.cpu_share),
        percent(s.spin_share),
        or_not(s.wakeups_per_s.map(|n| format!("{n:.0}")))
    ));
    out
}

/// What the words mean, once for all tables.
pub const FOOTER: &str = "\
ClickToPhoton runs from the input, SampleToPhoton from its sampling by the logic, both to the display time.
\"Photon\" means: the new pixels are in the framebuffer that is scanned out; no camera was involved.
GPU done is seen by polling, an upper bound; stages overlap and do not add up.
Percentiles are of the nearest rank: always one of the values. -: fewer values than such a percentile takes.
";

/// A percentile that so few values do not give is `-`.
fn row(title: &str, figures: Option<Figures>) -> String {
    let Some(f) = figures else { return format!("  {title:<24} not measured") };
    let told = |figure: Option<f64>| figure.map_or("-".to_owned(), cell);
    let ([p50, p95, p99], p999) = (f.told().map(told), told(f.p999));
    let [mean, max] = [f.mean, f.max].map(cell);
    format!("  {title:<24}{mean:>9}{p50:>9}{p95:>9}{p99:>9}{p999:>9}{max:>9}{:>8}", f.n)
}

fn share(missed: u64, of: u64) -> String {
    if of == 0 { String::new() } else { format!(" ({:.2} %)", 100.0 * missed as f64 / of as f64) }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measured;
    use super::super::measure::tests::{run, scenario as planned};
    use super::*;

    #[test]
    fn both_latencies_stand_apart_with_refresh_and_bound() {
        let mut result = Measured::from_runs(&planned("a"), "synthetic", &[run(600, 10, |_| 0)]).result;
        result.refresh_hz = Some(100.0);
        let text = scenario(&result);
        for part in [
            "InputToLogic ",
            "LogicToRender ",
            "SubmitToGpuDone ",
            "SubmitToDisplay ",
            "input synthetic",
            "; 100.00 Hz nominal\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        // Sampled 3 ms after the input, displayed 5 ms later.
        let of = |title: &str| text.lines().find(|l| l.trim_start().starts_with(title)).unwrap().to_owned();
        assert!(of("SampleToPhoton").contains("5.0") && of("SampleToPhoton").ends_with("600"), "{text}");
        assert!(of("ClickToPhoton").contains("8.0") && of("ClickToPhoton").ends_with("300"), "{text}");
        assert!(text.contains("0.99*T + L = 9.900 + 5.0") && text.contains("T = 1 / 100.00 Hz"), "{text}");
        assert!(
            of("PhaseError").ends_with("not measured") && text.contains("deadlines not measured"),
            "{text}"
        );
        assert!(text.contains("3 of 600 refreshes missed"), "{text}");
        result.on_demand = true;
        let text = scenario(&result);
        assert!(text.contains("0.99*T + L") && text.contains("no refresh can be missed"), "{text}");
        assert!(!text.contains("refreshes missed"), "{text}");
        (result.on_demand, result.pacing) = (false, "immediate".into());
        let text = scenario(&result);
        assert!(text.contains("does not apply") && !text.contains("refreshes missed"), "{text}");
        result.pacing = "fixed=90".into();
        let text = scenario(&result);
        assert!(
            text.contains("does not apply") && !text.contains("refreshes missed"),
            "a grid of its own: {text}"
        );
        result.metrics.insert("SampleToPhoton".into(), None);
        result.pacing = "auto".into();
        assert!(Bound::of(&result).to_string().ends_with("not measured"));
    }

    #[test]
    fn scenario_without_figures_says_why_and_nothing_else() {
        let failed = Measured::failed(&planned("a b"), "none", "it hung".into());
        assert_eq!(scenario(&failed.result), "a b\n  not measured: it hung\n");
    }

    #[test]
    fn machine_that_was_busy_is_warned_of() {
        let busy = Machine { cores: 2, load_before: Some(1.5), ..Machine::default() };
        assert!(machine(&busy, "quick").contains("warning"));
        assert!(!machine(&Machine { load_before: Some(0.2), ..busy }, "quick").contains("warning"));
        assert!(machine(&Machine::default(), "quick").contains("load average not measured"));
    }
}
