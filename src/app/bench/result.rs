//! What a bench comes to, as it is stored: one file is one run of a suite, for tables, pages and comparisons. Times are
//! milliseconds unless a name says otherwise; what could not be measured is absent, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use scanout::stats::FrameRow;
pub use scanout::stats::Summary as Figures;

/// The version of the format; it changes when a field changes its meaning or goes away.
pub const BENCH_SCHEMA: &str = "scanout.bench/1";

/// One run of a suite.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchResult {
    /// [`BENCH_SCHEMA`].
    pub schema: String,
    /// The version of the program that measured.
    pub scanout: String,
    /// When it began, in seconds since 1970 (UTC).
    pub began_unix_s: u64,
    /// `quick`, `full`, or the name of the user's file.
    pub suite: String,
    pub machine: Machine,
    /// Set where two builds took turns in one run: the same text in both results. Round `i` of one was then measured
    /// beside round `i` of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interleaved: Option<String>,
    pub scenarios: Vec<ScenarioResult>,
}

/// Where it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub os: String,
    pub kernel: Option<String>,
    pub cpu: Option<String>,
    pub cores: usize,
    pub governor: Option<String>,
    /// The load average of the last minute, before and after.
    pub load_before: Option<f64>,
    pub load_after: Option<f64>,
}

/// One combination of scene, pacing mode, refresh rate and load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// Unique within the suite; comparisons go by it.
    pub name: String,
    pub scene: String,
    pub pacing: String,
    /// Where it was displayed: `xvfb`, `sway-nested`, `sway-headless`, `headless` (a simulated display), `desktop`.
    pub place: String,
    /// Extra load, as `--load` takes it; empty for none.
    pub load: String,
    pub size: [u32; 2],
    /// `injected: XTEST`, `injected: virtual keyboard and pointer`, `synthetic`, or `none`.
    pub input: String,
    /// A frame was drawn only for an input.
    #[serde(default)]
    pub on_demand: bool,
    /// Why there are no figures, in one line.
    pub error: Option<String>,
    /// What was not as it should be while it was measured (other load, a lost input), one line each.
    pub warnings: Vec<String>,
    pub gl_vendor: String,
    pub gl_renderer: String,
    pub gl_version: String,
    pub software: bool,
    /// Who says when frames were displayed, and how far that can be trusted.
    pub display_source: String,
    pub display_origin: String,
    pub refresh_hz: Option<f64>,
    pub measured_hz: Option<f64>,
    pub warmup_frames: u64,
    pub frames: u64,
    pub elapsed_s: f64,
    /// 0 where nothing was measured, or too few frames for a rate.
    pub frames_per_second: f64,
    /// The declared share of frames that may miss.
    pub miss_budget: Option<f64>,
    pub missed_vsyncs: Option<u64>,
    pub refreshes: Option<u64>,
    pub deadline_misses: Option<u64>,
    pub deadlines: Option<u64>,
    pub dropped: u64,
    pub repeated: u64,
    pub animation_errors_over_half: Option<u64>,
    pub cpu_share: Option<f64>,
    pub spin_share: Option<f64>,
    pub wakeups_per_s: Option<f64>,
    /// Every metric by its name; `null` where it was not measured.
    pub metrics: BTreeMap<String, Option<Figures>>,
    /// Values of each metric in the order of frames, thinned evenly where there were more than are kept.
    pub samples: BTreeMap<String, Samples>,
    /// The newest frames, for strips and blame.
    pub strip: Vec<FrameRow>,
}

/// Values of one metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// One of so many values was kept: 1 is all of them.
    pub every: u64,
    pub ms: Vec<f64>,
    /// How many of the values came from each run of the scenario, in order; empty where all came from one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u64>,
}

/// Longer times, in milliseconds, no clock that counts nanoseconds in 64 bits can tell apart from none at all.
const LONGEST_MS: f64 = i64::MAX as f64 / 1e6;
/// Refresh rates that a display can have, in Hz.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=1e6;

/// Whether this can be a time, a number of frames, a rate or a share that was measured.
pub fn can_be(figure: f64) -> bool {
    figure.abs() <= LONGEST_MS
}

/// All numbers of a metric's figures.
pub fn numbers(f: &Figures) -> impl Iterator<Item = f64> {
    [f.mean, f.p50, f.p95, f.p99, f.min, f.max, f.rms].into_iter().chain(f.p999).chain(f.p99_abs)
}

impl ScenarioResult {
    /// The figures of a metric, where it was measured.
    pub fn figures(&self, metric: &str) -> Option<Figures> {
        self.metrics.get(metric).copied().flatten()
    }

    /// The interval between refreshes in milliseconds, as measured, else as the display names it.
    pub fn refresh_ms(&self) -> Option<f64> {
        let rates = [self.measured_hz, self.refresh_hz].into_iter().flatten();
        rates.filter(|hz| RATES.contains(hz)).map(|hz| 1e3 / hz).next()
    }

    /// Whether frames wait for refreshes. In the other modes they are shown when they are done, or at points of a grid of their own.
    pub fn aims_at_refreshes(&self) -> bool {
        self.pacing != "immediate" && !self.pacing.starts_with("fixed")
    }

    /// Whether a frame was meant for each refresh (or every second one, ..), so that one that was not there was missed. Where
    /// frames come only for input, or are shown whenever they are done, none can be missed.
    pub fn is_bound_to_refreshes(&self) -> bool {
        self.aims_at_refreshes() && !self.on_demand
    }

    /// Missed refreshes and those that passed, where frames are bound to them and they were counted.
    pub fn misses(&self) -> Option<(u64, u64)> {
        let (missed, of) = self.missed_vsyncs.zip(self.refreshes)?;
        (self.is_bound_to_refreshes() && of > 0).then_some((missed, of))
    }

    /// The rate of frames, where there is one.
    pub fn rate_text(&self) -> String {
        if self.frames_per_second > 0.0 {
            format!("{:.1}/s", self.frames_per_second)
        } else {
            "too few for a rate".into()
        }
    }

    /// Why [`misses`](Self::misses) are none, or their share.
    pub fn missed_text(&self) -> String {
        match self.misses() {
            Some((missed, of)) => format!("{:.2} %", 100.0 * missed as f64 / of as f64),
            None if !self.is_bound_to_refreshes() => "does not apply".into(),
            None => "not measured".into(),
        }
    }
}
