//! What was measured, as it is written as JSON.

use serde::Serialize;

use super::animation::Animation;
use super::click::Clicks;
use super::cost::Shares;
use super::drag::Drag;
use super::figures::Figures;
use super::subject::Subject;

/// The version of the JSON; it changes when a field changes its meaning or goes away.
pub const SCHEMA: &str = "scanout.photon/1";
/// What "photon" means without a camera.
pub const PHOTON: &str =
    "the changed pixels are in the framebuffer that is scanned out; the display itself is not measured";

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub scanout: &'static str,
    /// `click`, `animation`, `drag`.
    pub mode: &'static str,
    pub photon: &'static str,
    pub command: Vec<String>,
    /// Whether it was stopped before everything was measured: the figures are of what was measured until then.
    pub cut_short: bool,
    pub server: String,
    pub size: [u32; 2],
    /// The window on the screen: x, y, width, height.
    pub window: [u32; 4],
    /// Which window that is; `null` where the whole screen is looked at.
    pub subject: Option<Subject>,
    /// What of it was looked at, where that was not all: x, y, width, height on the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<[u32; 4]>,
    /// What was pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub press: Option<String>,
    /// What injected, `null` where nothing was.
    pub input: Option<&'static str>,
    /// From the press to the first sample point that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<Figures>,
    /// From the press to the last sample point that changed for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_ms: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub animation: Option<Animation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drag: Option<Drag>,
    /// What the method itself costs: the answer of a client that fills its window. `null` where it was not measured.
    pub floor: Option<Floor>,
    pub observer: Observer,
    pub cpu: Shares,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// How long an answer was waited for.
    pub limit_ms: f64,
    pub lost: u32,
    pub unseen: u32,
    /// Answered outside of `--area` alone.
    pub outside: u32,
    pub partial: u32,
    pub held_up: u32,
    pub points_answering: usize,
    pub points_moving: usize,
    pub points: usize,
    /// Whether the points were put anew after each press, because the answer wanders.
    pub points_follow: bool,
}

impl From<&Clicks> for Counts {
    fn from(clicks: &Clicks) -> Self {
        let [points_answering, points_moving, points] = clicks.points;
        let Clicks { lost, unseen, outside, partial, held_up, follows: points_follow, .. } = *clicks;
        Self {
            limit_ms: clicks.limit.as_secs_f64() * 1e3,
            lost,
            unseen,
            outside,
            partial,
            held_up,
            points_answering,
            points_moving,
            points,
            points_follow,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Floor {
    pub first_ms: Figures,
    pub all_ms: Figures,
    pub lost: u32,
}

impl Floor {
    /// Whether the other figures lie above these or are like them, each held against its own name: the median of all, and the
    /// last percentile that both have. A floor that lies above was measured at a worse moment than what stands on it.
    pub fn is_below(&self, first: &Figures, all: &Figures) -> bool {
        // Chosen: two measurements of one program on a machine that is shared differ by about so much.
        const MEDIANS_ALIKE: f64 = 1.1;
        const TAILS_ALIKE: f64 = 1.5;
        let tail = |f: &Figures, g: &Figures| {
            let both = [(f.p99, g.p99), (f.p95, g.p95), (f.max, g.max)];
            both.into_iter().find_map(|(f, g)| f.zip(g))
        };
        let lies_below =
            |pair: Option<(f64, f64)>, alike: f64| pair.is_none_or(|(floor, figure)| floor <= figure * alike);
        [(&self.first_ms, first), (&self.all_ms, all)].into_iter().all(|(floor, figures)| {
            lies_below(floor.p50.zip(figures.p50), MEDIANS_ALIKE)
                && lies_below(tail(floor, figures), TAILS_ALIKE)
        })
    }
}

/// How well it was looked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Observer {
    pub view: &'static str,
    /// Asleep between two looks.
    pub look_us: u64,
    /// What one look takes.
    pub look_cost_us: f64,
    pub priority: String,
    /// From one look to the next while something was waited for.
    pub gap_us: Gap,
    /// Looks that came more than 250 us late.
    pub held_up: u64,
    /// Whose times the changes have: [`LOOKED`] or [`STAMPED`].
    pub times: &'static str,
    /// How long after the compositor's stamp a change was seen; `null` where it gives none.
    pub behind_us: Option<Gap>,
}

/// The look that saw a change first says when it was.
pub const LOOKED: &str = "the time of the look that saw it";
/// The compositor says when.
pub const STAMPED: &str = "the compositor's stamp of its commit";

#[derive(Copy, Clone, Debug, Default, Serialize)]
pub struct Gap {
    pub n: u64,
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

impl Report {
    /// Whether the floor lies above what stands on it, which says that the moments differed.
    pub fn floor_is_disturbed(&self) -> bool {
        let (Some(floor), Some(first), Some(all)) = (&self.floor, &self.first_ms, &self.all_ms) else {
            return false;
        };
        !floor.is_below(first, all)
    }
}
