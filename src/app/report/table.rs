//! The report for people.

use std::fmt::Write as _;

use scanout::stats::{Metric, Summary as Figures, Unit};

use super::{Checked, Mode, Report};

/// Which metrics a table has.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Rows {
    /// Those that say how long it took, which stage took it, and how even the frames came.
    Main,
    All,
}

/// [`Rows::Main`].
const MAIN: [Metric; 10] = [
    Metric::ClickToPhoton,
    Metric::SampleToPhoton,
    Metric::InputToLogic,
    Metric::LogicToRender,
    Metric::SubmitToGpuDone,
    Metric::SubmitToDisplay,
    Metric::MsBetweenDisplayChange,
    Metric::AnimationError,
    Metric::WakeError,
    Metric::QueueDepth,
];

impl Report<'_> {
    /// The report as lines of at most about 100 characters.
    pub fn to_table(&self, rows: Rows) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string");
        let t = self.target;
        let software = if t.software { " (software rasteriser)" } else { "" };
        line(format_args!(
            "{}, {}x{}, pacing {}",
            self.scene,
            self.size.width,
            self.size.height,
            self.paced()
        ));
        line(format_args!("OpenGL      {} / {}{software} / {}", t.vendor, t.renderer, t.version));
        line(format_args!("display     {}, {}", t.surface, rates(t.refresh_hz, t.measured_hz)));
        line(format_args!("            display times: {} ({})", t.source, t.origin));
        if let (None, Some(samples)) = (self.quality, self.samples) {
            line(format_args!("picture     {samples} sample(s) per pixel asked for"));
        }
        if let (Some(quality), Some(samples)) = (self.quality, self.samples) {
            line(format_args!("picture     quality {quality}, {samples} sample(s) per pixel"));
        }
        if let Some(streaming) = t.streaming.as_deref().filter(|_| rows == Rows::All) {
            line(format_args!("streaming   {streaming}"));
        }
        if let Some(error) = &self.error {
            line(format_args!("ended       before it was asked to: {error}"));
        }
        let c = &self.counters;
        let seconds = self.elapsed_s - self.apart_s;
        let took = match self.frames_per_second {
            Some(rate) => format!("{} in {seconds:.2} s ({rate:.1}/s)", c.frames),
            None => format!("{} in {:.1} ms, too few for a rate", c.frames, seconds * 1e3),
        };
        line(format_args!(
            "frames      {took}, {} measured after {} of warm-up",
            c.measured, self.warmup_frames
        ));
        for text in self.other_modes() {
            line(format_args!("            {text}"));
        }
        let missed = match (self.missed_vsyncs, self.refreshes) {
            (Some(missed), Some(of)) if of > 0 => {
                let share = 100.0 * missed as f64 / of as f64;
                format!("{missed} of {of} refreshes missed ({share:.2} %)")
            }
            _ => "missed refreshes not measured".to_owned(),
        };
        line(format_args!(
            "            {missed}; {} repeated, {} of them because logic was late; {} snapshots not drawn; {} dropped{}",
            c.repeated,
            c.stale,
            c.snapshots_skipped,
            c.dropped,
            match c.contradicted {
                0 => String::new(),
                n => format!(", {n} of them told at times that cannot be"),
            }
        ));
        let deadlines = match (self.deadline_misses, self.deadlines) {
            (Some(missed), Some(of)) => {
                let share = 100.0 * missed as f64 / of as f64;
                format!("{missed} of {of} displayed frames missed their deadline ({share:.2} %)")
            }
            _ => "missed deadlines not measured".to_owned(),
        };
        let jitter = or_not(self.vsync_jitter.map(|j| format!("{:.2} %", j * 100.0)));
        line(format_args!("            {deadlines}; jitter of refreshes: {jitter}"));
        let p = &self.pacer;
        let refresh = or_not(p.refresh_ms.map(|ms| format!("{ms:.3} ms, spread {:.3} ms", p.spread_ms)));
        line(format_args!(
            "pacing      refresh {}: {refresh}; layout {}, {} refresh(es) per frame",
            p.lock, p.layout, p.divisor
        ));
        line(format_args!("            {}", p.misses()));
        line(format_args!(
            "            {} queue drains, {} postponed, {} holdovers, {} missed ticks, {} snaps; priority {}",
            p.drains, p.postponed, p.holdovers, self.missed_ticks, self.snaps, self.priority
        ));
        if let Some(delta) = self.delta.line() {
            line(format_args!("            animation steps: {delta}"));
        }
        if self.steps_dropped_ms > 0.0 {
            line(format_args!(
                "            the world was slowed down by {:.1} ms in all",
                self.steps_dropped_ms
            ));
        }
        if self.context_resets > 0 {
            line(format_args!("            context resets: {}", self.context_resets));
        }
        let percent = |share: Option<f64>| or_not(share.map(|s| format!("{:.0} %", s * 100.0)));
        line(format_args!(
            "cost        CPU {} (user+system of one core), spinning {}, wake-ups per second {}",
            percent(self.cost.cpu_share),
            percent(self.cost.spin_share),
            or_not(self.cost.wakeups_per_s.map(|n| format!("{n:.0}")))
        ));
        if let Some(load) = &self.load {
            line(format_args!("extra load  {}", load.line()));
        }
        line(format_args!(""));
        line(format_args!(
            "{:<22}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}",
            "milliseconds", "mean", "p50", "p95", "p99", "p99.9", "max", "n"
        ));
        let metrics = if rows == Rows::All { Metric::ALL } else { &MAIN };
        for metric in metrics {
            let name = match metric.unit() {
                Unit::Frames => format!("{} (frames)", metric.name()),
                _ => metric.name().to_owned(),
            };
            match &self.metrics[metric.name()] {
                Some(f) => line(format_args!("{}", row(&name, f))),
                None => line(format_args!("{name:<22} not measured")),
            }
        }
        for pass in &self.gpu_passes {
            line(format_args!("{}", row(&format!("GPU pass {}", pass.name), &pass.times)));
        }
        if rows == Rows::All && self.gpu_passes.is_empty() {
            line(format_args!("{:<22} not measured", "GPU passes"));
        }
        if rows == Rows::Main {
            let left = Metric::ALL.len() - MAIN.len();
            line(format_args!("{left} more metrics with -v, and all of them in the JSON of --report"));
        }
        line(format_args!(""));
        for (i, text) in self.late_frames.iter().flatten().enumerate() {
            line(format_args!("{:<12}{text}", if i == 0 { "late frames" } else { "" }));
        }
        if self.late_frames.is_some() {
            line(format_args!(""));
        }
        match &self.self_check {
            Some(check) => {
                for (i, text) in check.lines.iter().enumerate() {
                    line(format_args!("{:<12}{text}", if i == 0 { "self-check" } else { "" }));
                }
            }
            None => line(format_args!(
                "self-check  not measured: fewer than {} frames after the warm-up, or the last change of mode",
                Checked::LEAST
            )),
        }
        line(format_args!(""));
        if rows == Rows::All {
            line(format_args!(
                "ClickToPhoton runs from input, SampleToPhoton from the sampling of input, LatchToPhoton from a late"
            ));
            line(format_args!("reading of it by the renderer, to the display time."));
        } else {
            line(format_args!(
                "ClickToPhoton runs from input, SampleToPhoton from the sampling of input, to the display time."
            ));
        }
        line(format_args!(
            "-: fewer values than such a percentile takes: P50 2, P95 20, P99 100, P99.9 10,000."
        ));
        line(format_args!(
            "\"Displayed\" means: in the framebuffer that is scanned out; no camera was involved."
        ));
        out
    }

    /// The mode that the figures belong to; of several each with its frames, those that are in no figure marked as such.
    fn paced(&self) -> String {
        let drawn = self.modes.iter().filter(|mode| mode.frames + mode.apart > 0);
        let each = drawn.map(|Mode { pacing, frames, apart }| match (frames, apart) {
            (frames, 0) => format!("{pacing} ({frames})"),
            (0, apart) => format!("{pacing} ({apart} kept apart)"),
            (frames, apart) => format!("{pacing} ({frames}, {apart} kept apart)"),
        });
        let each: Vec<String> = each.collect();
        if each.len() > 1 { each.join(", ") } else { self.pacing.clone() }
    }

    /// What was drawn in several modes, in lines: what the figures have of it, and what was kept out of
    /// them.
    fn other_modes(&self) -> Vec<String> {
        let counted = |of: fn(&Mode) -> u64| -> Vec<String> {
            let used = self.modes.iter().filter(|mode| of(mode) > 0);
            used.map(|mode| format!("{} {}", of(mode), mode.pacing)).collect()
        };
        let (measured, apart) = (counted(|mode| mode.frames), counted(|mode| mode.apart));
        let mut lines = Vec::new();
        if measured.len() > 1 {
            lines.push(format!(
                "the figures are of several pacing modes: frames after the warm-up {}",
                measured.join(", ")
            ));
        }
        if self.counters.apart > 0 {
            let (n, s, modes) = (self.counters.apart, self.apart_s, apart.join(", "));
            lines.push(format!("{n} more kept apart, which are in no figure ({modes}; {s:.2} s)"));
        }
        if self.pacing_at_end != self.pacing {
            lines.push(format!("pacing at the end: {}", self.pacing_at_end));
        }
        lines
    }
}

/// A figure in at most eight characters, so that columns of nine do not run together: the larger, the fewer decimals.
pub fn cell(figure: f64) -> String {
    let fits = |text: &String| text.len() <= 8;
    let plain = [3, 2, 1, 0].map(|digits| format!("{figure:.digits$}"));
    let text = plain.into_iter().find(fits).unwrap_or_else(|| format!("{figure:.1e}"));
    // What is a little less than nothing is nothing.
    if text.trim_start_matches(['-', '0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// A line of the table. A percentile that so few values do not give is `-`.
fn row(name: &str, f: &Figures) -> String {
    let told = |figure: Option<f64>| figure.map_or("-".to_owned(), cell);
    let ([p50, p95, p99], p999) = (f.told().map(told), told(f.p999));
    let [mean, max] = [f.mean, f.max].map(cell);
    let sizes = f.p99_abs.map_or(String::new(), |p99| format!("  P99 of the size {}", cell(p99)));
    format!("{name:<22}{mean:>9}{p50:>9}{p95:>9}{p99:>9}{p999:>9}{max:>9}{:>8}{sizes}", f.n)
}

/// A display's refresh rate in Hz, as the display names it and as it was measured.
pub fn rates(nominal: Option<f64>, measured: Option<f64>) -> String {
    let hz = |hz: f64| format!("{hz:.2} Hz");
    match (nominal.map(hz), measured.map(hz)) {
        (Some(nominal), Some(measured)) => format!("{nominal} nominal, {measured} measured"),
        (Some(nominal), None) => format!("{nominal} nominal"),
        (None, Some(measured)) => format!("{measured} measured, no nominal rate known"),
        (None, None) => "refresh rate not known".into(),
    }
}

pub fn or_not(text: Option<String>) -> String {
    text.unwrap_or_else(|| "not measured".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_rates_say_which_of_them_is_known() {
        for (nominal, measured, text) in [
            (Some(60.0), Some(59.94), "60.00 Hz nominal, 59.94 Hz measured"),
            (Some(60.0), None, "60.00 Hz nominal"),
            (None, Some(60.0), "60.00 Hz measured, no nominal rate known"),
            (None, None, "refresh rate not known"),
        ] {
            assert_eq!(rates(nominal, measured), text);
        }
    }

    #[test]
    fn columns_do_not_run_together_however_large_a_figure_is() {
        for (figure, want) in [
            (0.0, "0.000"),
            (-0.000_01, "0.000"),
            (-0.001, "-0.001"),
            (-16.667, "-16.667"),
            (1_234.567, "1234.567"),
            (-1_234.567, "-1234.57"),
            (-10_035.123_4, "-10035.1"),
            (86_400_000.0, "86400000"),
            (-86_400_000.0, "-8.6e7"),
            (f64::MAX, "1.8e308"),
        ] {
            assert_eq!(cell(figure), want);
            assert!(cell(figure).len() <= 8);
        }
    }
}
