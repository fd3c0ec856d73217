//! The report of a run: a table for people, JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use scanout::pacing::{Layout, Lock, Origin, PacerState, Throttle};
use scanout::runtime::TargetInfo;
use scanout::scenes::Quality;
use scanout::stats::{Counters, Distribution, Metric, Summary as Figures, Unit};
use scanout::{Error, Size, Summary};

use super::load::{GpuMeasured, Levels, LoadSpec};
use super::self_check::SelfCheck;
use super::usage::Cost;

/// The version of the JSON below; it changes when a field changes its meaning or goes away.
const SCHEMA: &str = "scanout.report/1";

/// Late frames that are named for each cause.
const NAMED: usize = 6;

/// What a run came to, for programs. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    schema: &'static str,
    scanout: &'static str,
    scene: &'a str,
    /// `off`, `low` or `high`; `null` for scenes that have but one picture.
    quality: Option<&'static str>,
    /// Samples per pixel, as asked for; the driver may have less.
    samples: Option<u32>,
    pacing: String,
    size: Size,
    target: &'a TargetInfo,
    /// What ended the run: `as asked` (a limit, the user), `display lost`, or `error`.
    ended: &'static str,
    /// What went wrong, in one line; `null` when nothing did.
    error: Option<String>,
    elapsed_s: f64,
    frames_per_second: f64,
    warmup_frames: u64,
    counters: Counters,
    /// Whether swap waited for the display.
    swap_throttles: &'static str,
    /// Refreshes without a new frame; absent where the refresh rate is not known.
    missed_vsyncs: Option<u64>,
    /// Refreshes that the above are counted among.
    refreshes: Option<u64>,
    /// Frames whose animation was off by more than half a refresh; absent where the refresh rate is not known.
    animation_errors_over_half: Option<u64>,
    /// Frames displayed more than half a refresh after what they aimed at; `null` where none aimed at a time.
    deadline_misses: Option<u64>,
    /// Frames that aimed at a time.
    deadlines: Option<u64>,
    /// RMS of what vertical blanks were off their nominal interval by, as a share of it; `null` where none were told.
    vsync_jitter: Option<f64>,
    missed_ticks: u64,
    snaps: u64,
    /// Times that the context was lost and the run went on in a new one.
    context_resets: u64,
    /// What the pacer came to know and what came of it.
    pacer: Pacer,
    /// How the system ran the render thread.
    priority: String,
    /// What the process used from before the run to after it, without the threads of an extra load.
    cost: Cost,
    /// The extra load; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<ExtraLoad>,
    /// What made late frames late, in lines; `null` without --trace.
    late_frames: Option<Vec<String>>,
    /// What the last frames say of the loop that made them; `null` where they were too few.
    self_check: Option<SelfCheck>,
    /// What passes took the GPU, in the order of drawing; empty where the driver has no time stamps. On software rasterisers
    /// see docs/tracing.md.
    gpu_passes: Vec<Pass>,
    /// `null` for what could not be measured. QueueDepth is in frames.
    metrics: BTreeMap<&'static str, Option<Figures>>,
}

/// [`PacerState`], for programs.
#[derive(Debug, Serialize)]
struct Pacer {
    /// How well the display's refreshes are known: `unknown`, `acquiring`, `locked`.
    lock: &'static str,
    /// Who says when they are; `null` where nobody did.
    origin: Option<Origin>,
    /// As measured; the nominal one until then; `null` where neither is known.
    refresh_ms: Option<f64>,
    /// Robust spread of the display's stamps about the model.
    spread_ms: f64,
    /// The time that a frame is given from its start to its display time, in modes that aim at one.
    budget_ms: f64,
    /// The part of it that is reserve.
    reserve_ms: f64,
    /// The share of planned frames that may miss, as declared; `null` where frames aim at no time.
    declared_miss_share: Option<f64>,
    /// The share that did; `null` where none was judged.
    measured_miss_share: Option<f64>,
    judged: u64,
    missed: u64,
    layout: &'static str,
    /// Refreshes per frame that the load needed.
    divisor: u32,
    /// Commits left out to empty a queue before the display.
    drains: u64,
}

/// The load that a run was put under besides its scene.
#[derive(Debug, Serialize)]
pub struct ExtraLoad {
    /// As `--load` takes it; empty for none.
    asked: String,
    /// The same at the end: the HUD's sliders change it.
    at_end: String,
    /// Time on the CPU of the load's own threads, in seconds. Spikes and GPU work are the run's.
    threads_cpu_s: f64,
    /// What the GPU work was measured to take a frame, in milliseconds; `null` where the driver does not time it.
    gpu_timed_ms: Option<f64>,
    /// What it was tuned to take by draws that were waited for, in milliseconds; `null` where it is timed or there is none.
    gpu_estimated_ms: Option<f64>,
}

impl ExtraLoad {
    /// `None`: there was no load at any time that is known of.
    pub fn new(asked: LoadSpec, levels: &Levels) -> Option<Self> {
        let at_end = levels.spec();
        if asked.is_none() && at_end.is_none() && levels.cpu().is_zero() {
            return None;
        }
        let ms = |took: std::time::Duration| Some(took.as_secs_f64() * 1e3);
        let (gpu_timed_ms, gpu_estimated_ms) = match levels.gpu_measured() {
            GpuMeasured::Not => (None, None),
            GpuMeasured::Estimated(took) => (None, ms(took)),
            GpuMeasured::Timed(took) => (ms(took), None),
        };
        let (asked, at_end) = (asked.to_string(), at_end.to_string());
        let threads_cpu_s = levels.cpu().as_secs_f64();
        Some(Self { asked, at_end, threads_cpu_s, gpu_timed_ms, gpu_estimated_ms })
    }

    fn line(&self) -> String {
        let name = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let mut text = name(&self.asked);
        if self.at_end != self.asked {
            text.push_str(&format!(" at first, {} at the end", name(&self.at_end)));
        }
        text.push_str(&format!("; its threads used {:.2} s of CPU time", self.threads_cpu_s));
        match (self.gpu_timed_ms, self.gpu_estimated_ms) {
            (Some(ms), _) => text.push_str(&format!("; GPU work timed at {ms:.2} ms")),
            (None, Some(ms)) => text.push_str(&format!("; GPU work estimated at {ms:.2} ms, not timed")),
            (None, None) => {}
        }
        text
    }
}

/// A pass of the frames on the GPU.
#[derive(Debug, Serialize)]
struct Pass {
    name: &'static str,
    #[serde(flatten)]
    times: Figures,
}

impl Pass {
    fn new((name, times): (&'static str, &Distribution)) -> Option<Self> {
        Some(Self { name, times: times.summary()? })
    }
}

impl Pacer {
    fn new(state: &PacerState) -> Self {
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1e3;
        Self {
            lock: lock_name(state.lock),
            origin: state.origin,
            refresh_ms: state.refresh.map(ms),
            spread_ms: ms(state.spread),
            budget_ms: ms(state.budget),
            reserve_ms: state.reserve as f64 / 1e6,
            declared_miss_share: state.miss_budget,
            measured_miss_share: miss_share(state),
            judged: state.judged,
            missed: state.missed,
            layout: layout_name(state.layout),
            divisor: state.divisor,
            drains: state.drains,
        }
    }

    /// What may miss, what did, and the budget that follows from it; where frames aim at no time there is none of that.
    fn misses(&self) -> String {
        let measured = self
            .measured_miss_share
            .map(|share| format!("measured {:.2} % ({} of {})", share * 100.0, self.missed, self.judged));
        let (budget, reserve) = (self.budget_ms, self.reserve_ms);
        match (self.declared_miss_share, measured) {
            (Some(declared), measured) => format!(
                "misses declared {:.2} %, {}; budget {budget:.3} ms with {reserve:.3} ms of reserve",
                declared * 100.0,
                or_not(measured)
            ),
            (None, None) => "misses not declared: frames aim at no time".to_owned(),
            (None, Some(measured)) => format!("misses not declared now, {measured} before"),
        }
    }
}

/// The share of planned frames that missed.
pub fn miss_share(state: &PacerState) -> Option<f64> {
    (state.judged > 0).then(|| state.missed as f64 / state.judged as f64)
}

/// What is printed for a lock.
pub const fn lock_name(lock: Lock) -> &'static str {
    match lock {
        Lock::Unknown => "unknown",
        Lock::Acquiring => "acquiring",
        Lock::Locked => "locked",
    }
}

/// What is printed for a layout.
pub const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Serial => "serial",
        Layout::Pipelined => "pipelined",
        _ => "other",
    }
}

impl<'a> Report<'a> {
    /// `look`: quality and samples per pixel, of scenes that have them.
    pub fn new(
        summary: &'a Summary,
        scene: &'a str,
        look: Option<(Quality, u32)>,
        cost: Cost,
        error: Option<&Error>,
    ) -> Self {
        let metrics = summary.stats.metrics();
        let aimed = metrics.deadlines() > 0;
        let known = summary.missed.is_some();
        let seconds = summary.elapsed.as_secs_f64();
        Self {
            schema: SCHEMA,
            scanout: env!("CARGO_PKG_VERSION"),
            scene,
            quality: look.map(|(quality, _)| quality.name()),
            samples: look.map(|(_, samples)| samples),
            pacing: summary.pacing.to_string(),
            size: summary.size,
            target: &summary.target,
            ended: match error {
                None => "as asked",
                Some(Error::DisplayLost { .. }) => "display lost",
                Some(_) => "error",
            },
            error: error.map(ToString::to_string),
            elapsed_s: seconds,
            frames_per_second: if seconds > 0.0 { summary.frames as f64 / seconds } else { 0.0 },
            warmup_frames: summary.stats.warmup(),
            counters: summary.stats.counters(),
            swap_throttles: match summary.throttle {
                Throttle::Untested => "not tested",
                Throttle::Driver => "yes",
                Throttle::Timer => "no: timed",
            },
            missed_vsyncs: known.then(|| metrics.missed_vsyncs()),
            refreshes: known.then(|| metrics.refreshes()),
            animation_errors_over_half: known.then(|| metrics.animation_errors_over_half()),
            deadline_misses: aimed.then(|| metrics.deadline_misses()),
            deadlines: aimed.then(|| metrics.deadlines()),
            vsync_jitter: metrics.vsync_jitter(),
            missed_ticks: summary.pacer.missed_ticks,
            snaps: summary.pacer.snaps,
            context_resets: summary.context_resets,
            pacer: Pacer::new(&summary.pacer),
            priority: summary.priority.to_string(),
            cost,
            load: None,
            self_check: summary.self_check().map(SelfCheck::from),
            late_frames: summary.timeline.as_ref().map(|timeline| timeline.explain().lines(NAMED)),
            gpu_passes: summary.stats.gpu_passes().iter().filter_map(Pass::new).collect(),
            metrics: Metric::ALL.iter().map(|m| (m.name(), metrics.summary(*m))).collect(),
        }
    }

    /// With the extra load that the run was under.
    pub fn with_load(mut self, load: Option<ExtraLoad>) -> Self {
        self.load = load;
        self
    }

    /// With the samples per pixel that were asked for, of scenes that have them and no quality.
    pub fn with_samples(mut self, samples: Option<u32>) -> Self {
        self.samples = self.samples.or(samples);
        self
    }

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data");
        text.push('\n');
        text
    }

    /// The report as lines of at most about 100 characters.
    pub fn to_table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string");
        let t = self.target;
        let software = if t.software { " (software rasteriser)" } else { "" };
        line(format_args!(
            "{}, {}x{}, pacing {}",
            self.scene, self.size.width, self.size.height, self.pacing
        ));
        line(format_args!("OpenGL      {} / {}{software} / {}", t.vendor, t.renderer, t.version));
        let refresh =
            t.refresh_hz.map_or("unknown refresh rate".to_owned(), |hz| format!("{hz:.2} Hz nominal"));
        let measured = t.measured_hz.map_or(String::new(), |hz| format!(", {hz:.2} Hz measured"));
        line(format_args!("display     {}, {refresh}{measured}", t.surface));
        line(format_args!("            display times: {} ({})", t.source, t.origin));
        if let (None, Some(samples)) = (self.quality, self.samples) {
            line(format_args!("picture     {samples} sample(s) per pixel asked for"));
        }
        if let (Some(quality), Some(samples)) = (self.quality, self.samples) {
            line(format_args!("picture     quality {quality}, {samples} sample(s) per pixel"));
        }
        if let Some(error) = &self.error {
            line(format_args!("ended       before it was asked to: {error}"));
        }
        let c = &self.counters;
        line(format_args!(
            "frames      {} in {:.2} s ({:.1}/s), {} measured after {} of warm-up",
            c.frames, self.elapsed_s, self.frames_per_second, c.measured, self.warmup_frames
        ));
        let missed = match (self.missed_vsyncs, self.refreshes) {
            (Some(missed), Some(of)) => {
                let share = if of > 0 { 100.0 * missed as f64 / of as f64 } else { 0.0 };
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
                format!("{missed} of {of} deadlines missed ({:.2} %)", 100.0 * missed as f64 / of as f64)
            }
            _ => "missed deadlines not measured".to_owned(),
        };
        let jitter = or_not(self.vsync_jitter.map(|j| format!("{:.2} % of a refresh", j * 100.0)));
        line(format_args!("            {deadlines}; jitter of the display's refreshes: {jitter}"));
        let p = &self.pacer;
        let refresh = or_not(p.refresh_ms.map(|ms| format!("{ms:.3} ms, spread {:.3} ms", p.spread_ms)));
        line(format_args!(
            "pacing      refresh {}: {refresh}; layout {}, {} refresh(es) per frame",
            p.lock, p.layout, p.divisor
        ));
        line(format_args!("            {}", p.misses()));
        line(format_args!(
            "            {} queue drains, {} missed ticks, {} snaps; priority {}",
            p.drains, self.missed_ticks, self.snaps, self.priority
        ));
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
        for metric in Metric::ALL {
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
        if self.gpu_passes.is_empty() {
            line(format_args!("{:<22} not measured", "GPU passes"));
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
                "self-check  not measured: fewer than {} frames after the warm-up",
                scanout::stats::SelfCheck::FRAMES
            )),
        }
        line(format_args!(""));
        line(format_args!(
            "ClickToPhoton runs from input, SampleToPhoton from the sampling of input, LatchToPhoton from a late"
        ));
        line(format_args!("reading of it by the renderer, to the display time."));
        line(format_args!(
            "\"Displayed\" means: in the framebuffer that is scanned out; no camera was involved."
        ));
        out
    }
}

/// A figure in at most eight characters, so that columns of nine do not run together: the larger, the fewer decimals.
pub fn cell(figure: f64) -> String {
    let fits = |text: &String| text.len() <= 8;
    let plain = [3, 2, 1, 0].map(|digits| format!("{figure:.digits$}"));
    plain.into_iter().find(fits).unwrap_or_else(|| format!("{figure:.1e}"))
}

/// A line of the table.
fn row(name: &str, f: &Figures) -> String {
    let p999 = f.p999.map_or("-".to_owned(), cell);
    let [mean, p50, p95, p99, max] = [f.mean, f.p50, f.p95, f.p99, f.max].map(cell);
    format!("{name:<22}{mean:>9}{p50:>9}{p95:>9}{p99:>9}{p999:>9}{max:>9}{:>8}", f.n)
}

pub fn or_not(text: Option<String>) -> String {
    text.unwrap_or_else(|| "not measured".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_do_not_run_together_however_large_a_figure_is() {
        for (figure, want) in [
            (0.0, "0.000"),
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
