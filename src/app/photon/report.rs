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

/// Shares of a CPU from which others count as a disturbance.
const OTHERS: f64 = 0.1;
/// The same of time that a hypervisor took away.
const STOLEN: f64 = 0.01;
/// Share of looks held up from which the observer is said to have seen badly.
const HELD_UP: f64 = 0.001;

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
    pub lost: u32,
    pub unseen: u32,
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
        let Clicks { lost, unseen, partial, held_up, follows: points_follow, .. } = *clicks;
        Self { lost, unseen, partial, held_up, points_answering, points_moving, points, points_follow }
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

    /// What was not as it should be while it was measured.
    pub fn find_disturbances(&mut self, refused: Option<&str>) {
        let floor_is_disturbed = self.floor_is_disturbed();
        let mut warn = |text: String| self.warnings.push(text);
        let percent = |share: f64| share * 100.0;
        if let Some(rest) = self.cpu.rest.filter(|rest| *rest > OTHERS) {
            warn(format!("other programs used {:.0} % of a CPU meanwhile", percent(rest)));
        }
        if let Some(stolen) = self.cpu.stolen.filter(|stolen| *stolen > STOLEN) {
            warn(format!("the machine under this one took {:.0} % of a CPU away", percent(stolen)));
        }
        let o = &self.observer;
        if o.held_up as f64 > HELD_UP * o.gap_us.n as f64 {
            warn(format!(
                "{} of {} looks came more than 0.25 ms late, the worst after {:.1} ms",
                o.held_up,
                o.gap_us.n,
                o.gap_us.max.unwrap_or(f64::NAN) / 1e3
            ));
        }
        if let Some(why) = refused {
            warn(format!(
                "the observer has no real-time priority ({why}): it sees less well on a busy machine"
            ));
        }
        if let Some(c) = self.clicks.as_ref().filter(|c| c.lost + c.unseen + c.partial + c.held_up > 0) {
            if c.lost > 0 {
                let n = self.first_ms.as_ref().map_or(0, |f| f.values.len());
                let most = if c.lost as usize >= n { ": these figures say little" } else { "" };
                warn(format!("{} presses were lost: nothing changed within a second{most}", c.lost));
            }
            if c.unseen > 0 {
                warn(format!("{} presses are left out: what they changed lay at no sample point", c.unseen));
            }
            if c.partial > 0 {
                warn(format!("after {} presses only a part of the picture changed", c.partial));
            }
            if c.held_up > 0 {
                warn(format!("{} first changes were seen late, because the observer was held up", c.held_up));
            }
        }
        if floor_is_disturbed {
            warn(
                "the floor, which was measured after the program, does not lie below it: the machine was busier at one time than at \
                 the other, and the tail is the machine's and not to be read as the program's"
                    .into(),
            );
        }
        if let Some(a) = self.animation.as_ref().filter(|a| a.unobserved > 0) {
            warn(format!(
                "{} intervals are left out, because nobody looked in a good part of them",
                a.unobserved
            ));
        }
        if let (Some(a), Some(gap)) = (&self.animation, o.gap_us.p99)
            && gap > a.period_ms * 1e3 / 4.0
        {
            warn(
                "the picture changes almost as often as it is looked at: changes may have been missed".into(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_disturbed_says_by_what_and_a_quiet_one_says_nothing() {
        let mut report = Report::default();
        report.cpu.rest = Some(0.05);
        report.observer.gap_us = Gap { n: 100_000, p50: Some(80.0), p99: Some(100.0), max: Some(400.0) };
        report.observer.held_up = 3;
        report.find_disturbances(None);
        assert_eq!(report.warnings, Vec::<String>::new());
        report.cpu = Shares { rest: Some(0.5), stolen: Some(0.1), ..Shares::default() };
        report.observer.held_up = 500;
        report.clicks = Some(Counts { lost: 2, partial: 1, held_up: 4, ..Counts::default() });
        report.find_disturbances(Some("not permitted"));
        let wanted = [
            "50 % of a CPU",
            "10 % of a CPU",
            "500 of",
            "not permitted",
            "2 presses",
            "1 presses",
            "4 first",
        ];
        assert_eq!(report.warnings.len(), wanted.len(), "{:?}", report.warnings);
        for (warning, wanted) in report.warnings.iter().zip(wanted) {
            assert!(warning.contains(wanted), "{warning}: {wanted}");
        }
    }

    #[test]
    fn floor_above_what_stands_on_it_is_told_as_a_disturbance() {
        let figures = |values: u32, slowest: f64| {
            let mut all = vec![1.0; values as usize];
            all.iter_mut().rev().take(5).for_each(|v| *v = slowest);
            Figures::of(all)
        };
        let report = |program: Figures, floor: Figures| {
            let floor = Floor { first_ms: floor.clone(), all_ms: floor, lost: 0 };
            let mut report = Report { floor: Some(floor), ..Report::default() };
            (report.first_ms, report.all_ms) = (Some(program.clone()), Some(program));
            report.find_disturbances(None);
            report.warnings
        };
        assert_eq!(report(figures(200, 3.0), figures(200, 2.0)), Vec::<String>::new());
        assert_eq!(
            report(figures(200, 2.0), figures(200, 2.8)),
            Vec::<String>::new(),
            "as two runs of one program differ"
        );
        let warnings = report(figures(200, 2.0), figures(200, 3.5));
        assert!(
            warnings.len() == 1 && warnings[0].contains("not to be read as the program's"),
            "{warnings:?}"
        );
        // The largest of few values stands in for a percentile that is not told; other names are not compared.
        assert_eq!(report(figures(10, 2.0), figures(10, 3.5)).len(), 1);
        assert_eq!(report(figures(10, 2.5), figures(200, 2.5)), Vec::<String>::new());
        let slow = Figures::of(vec![1.5; 200]);
        assert_eq!(report(figures(200, 2.0), slow).len(), 1, "the median alone");
        assert_eq!(
            report(figures(200, 2.0), Figures::of(Vec::new())),
            Vec::<String>::new(),
            "nothing to hold it against"
        );
    }
}
