//! Displays and workloads by name, as `scanout sim` has them, for tests that are to run on the same.

use std::fmt;
use std::time::Duration;

use super::{DisplaySpec, FrameCost, Oversleep, Scenario, Taking, Workload};
use crate::pacing::VrrRange;

/// The names of all displays, each with what it stands for.
pub const DISPLAYS: [(&str, &str); 15] = [
    ("59.94", "fixed, 59.94 Hz, called 60 by the system"),
    ("60", "fixed, 60 Hz, stamps of hardware"),
    ("120", "fixed, 120 Hz"),
    ("143.98", "fixed, 143.98 Hz, called 144"),
    ("240", "fixed, 240 Hz"),
    ("vrr", "variable, 48 to 144 Hz"),
    ("compositor", "60 Hz behind a compositor that takes frames 3 ms before the refresh"),
    ("damage", "60 Hz behind a compositor that repaints when something changes"),
    ("queue", "60 Hz, a first-in-first-out queue of two, a swap that waits"),
    ("jittery", "60 Hz, stamps with 0.2 ms jitter, 1 % late by 1 to 10 ms, 2 % lost, 1 % doubled"),
    ("mode-change-59.94", "60 Hz, from half way 59.94 Hz, and nobody says so"),
    ("mode-change-144", "60 Hz, from half way 144 Hz, which the system announces"),
    ("suspend", "60 Hz, the process stands still for 10 s half way"),
    ("stalls", "60 Hz, on a machine where one wake-up in 250 comes 2 to 10 ms late"),
    ("occluded", "60 Hz, nothing of the window is shown for 10 s from half way on"),
];

/// The names of all workloads, each with what it stands for. Times are shares of the refresh interval (as milliseconds
/// at 60 Hz), so that each workload means the same on every display.
pub const WORKLOADS: [(&str, &str); 8] = [
    ("constant", "logic 1, drawing 2, GPU 1 ms, always the same"),
    ("noisy", "the same, with 10 % noise"),
    ("tailed", "the same at least, with an exponential tail of 15 %"),
    ("step", "from 4 to 9 ms half way"),
    ("spikes", "4 ms, and one frame in a hundred 11 ms"),
    ("gpu-bound", "logic 0.5, drawing 1, GPU 9 ms, with 10 % noise"),
    ("heavy", "logic 9, drawing 7, GPU 3 ms: fits only when logic runs beside drawing"),
    ("overload", "4 ms, and 30 ms in the middle third: fits into two refreshes"),
];

/// No display, or no workload, has that name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownPreset {
    /// What was looked for: `display` or `workload`.
    pub what: &'static str,
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: &[(&str, &str)] = if self.what == "display" { &DISPLAYS } else { &WORKLOADS };
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        write!(f, "no {} '{}'; there are: {}", self.what, self.name, names.join(", "))
    }
}

impl std::error::Error for UnknownPreset {}

/// How long a process stands still, or a window is hidden, where a preset has that.
const AWAY: Duration = Duration::from_secs(10);

/// The scenario of this display and this workload, for so many frames. What happens half way happens at the middle of
/// `frames` at the display's first rate.
///
/// ```
/// use scanout::pacing::Pacing;
/// use scanout::sim::{PolicyKind, presets, run};
///
/// let scenario = presets::scenario("jittery", "noisy", 5_000)?;
/// let outcome = run(&scenario, PolicyKind::Ours(Pacing::Auto).make_for(&scenario.display, None).as_mut());
/// assert!(outcome.miss_rate.unwrap() < 0.02);
/// # Ok::<(), presets::UnknownPreset>(())
/// ```
///
/// # Errors
/// When no display or no workload has that name.
pub fn scenario(display: &str, workload: &str, frames: u64) -> Result<Scenario, UnknownPreset> {
    let mut scenario = Scenario { frames, ..Scenario::default() };
    set_display(&mut scenario, display)?;
    scenario.workload = self::workload(workload, scenario.display.hz, frames)?;
    Ok(scenario)
}

/// Puts the display of this name into the scenario, with what happens half way of its
/// [`frames`](Scenario::frames).
///
/// # Errors
/// When no display has that name.
pub fn set_display(scenario: &mut Scenario, name: &str) -> Result<(), UnknownPreset> {
    let half = |hz: f64| Duration::from_secs_f64(scenario.frames as f64 / 2.0 / hz);
    let at_60 = DisplaySpec::at(60.0);
    let mut standstill = None;
    if name == "stalls" {
        scenario.oversleep = Oversleep::Stalls;
    } else if scenario.oversleep == Oversleep::Stalls {
        scenario.oversleep = Oversleep::default();
    }
    scenario.display = match name {
        "59.94" => DisplaySpec { hz: 60_000.0 / 1_001.0, ..at_60 },
        "60" | "stalls" => at_60,
        "120" => DisplaySpec::at(120.0),
        "143.98" => DisplaySpec { nominal_hz: 144.0, ..DisplaySpec::at(143.98) },
        "240" => DisplaySpec::at(240.0),
        "vrr" => DisplaySpec {
            taking: Taking::Variable(VrrRange { min_hz: 48.0, max_hz: 144.0 }),
            ..DisplaySpec::at(144.0)
        },
        "compositor" => DisplaySpec { latch_lead: Duration::from_millis(3), ..at_60 },
        "damage" => DisplaySpec { taking: Taking::OnDamage, every_refresh: false, ..at_60 },
        "queue" => DisplaySpec { taking: Taking::Queue(2), ..at_60 },
        "jittery" => DisplaySpec {
            jitter: Duration::from_micros(200),
            outliers: 0.01,
            lost: 0.02,
            doubled: 0.01,
            ..at_60
        },
        "mode-change-59.94" => {
            DisplaySpec { changes: vec![(half(60.0), 60_000.0 / 1_001.0, false)], ..at_60 }
        }
        "mode-change-144" => DisplaySpec { changes: vec![(half(60.0), 144.0, true)], ..at_60 },
        "suspend" => {
            standstill = Some((half(60.0), AWAY));
            at_60
        }
        "occluded" => DisplaySpec { occluded: Some((half(60.0), half(60.0) + AWAY)), ..at_60 },
        _ => return Err(UnknownPreset { what: "display", name: name.into() }),
    };
    scenario.standstill = standstill;
    Ok(())
}

/// The workload of this name, for a display of `hz` refreshes per second and so many frames.
///
/// # Errors
/// When no workload has that name.
pub fn workload(name: &str, hz: f64, frames: u64) -> Result<Workload, UnknownPreset> {
    // In milliseconds at 60 Hz.
    let cost = |logic: f64, render: f64, gpu: f64| {
        let share = |ms: f64| Duration::from_secs_f64(ms / 1e3 * 60.0 / hz);
        FrameCost { logic: share(logic), render: share(render), gpu: share(gpu) }
    };
    let usual = cost(1.0, 2.0, 1.0);
    Ok(match name {
        "constant" => Workload::Constant(usual),
        "noisy" => Workload::Noisy(usual, 0.1),
        "tailed" => Workload::Tailed(usual, 0.15),
        "step" => Workload::Step(usual, cost(2.0, 4.0, 3.0), frames / 2),
        "spikes" => Workload::Spikes(usual, cost(2.0, 6.0, 3.0), 0.01),
        "gpu-bound" => Workload::Noisy(cost(0.5, 1.0, 9.0), 0.1),
        "heavy" => Workload::Noisy(cost(9.0, 7.0, 3.0), 0.03),
        "overload" => Workload::Burst(usual, cost(5.0, 7.0, 18.0), frames / 3..frames / 3 * 2),
        _ => return Err(UnknownPreset { what: "workload", name: name.into() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_listed_is_known_and_no_other() {
        for (display, _) in DISPLAYS {
            for (workload, _) in WORKLOADS {
                let scenario = scenario(display, workload, 1_000).unwrap();
                assert_eq!(scenario.frames, 1_000, "{display}, {workload}");
            }
        }
        let unknown = scenario("61", "noisy", 1).unwrap_err();
        assert!(unknown.to_string().contains("'61'; there are: 59.94, 60"), "{unknown}");
        assert!(scenario("60", "nosy", 1).unwrap_err().to_string().contains("constant, noisy"));
    }

    #[test]
    fn workloads_take_the_same_share_of_any_refresh() {
        let at = |hz| match workload("constant", hz, 1).unwrap() {
            Workload::Constant(cost) => cost.render.as_secs_f64() * hz,
            other => panic!("{other:?}"),
        };
        assert!((at(60.0) - at(240.0)).abs() < 1e-6);
    }
}
