//! What the panels say, taken from the frames, the pacer and the target: plain values, so that panels can be laid out without
//! any of them.

use std::fmt::Write as _;
use std::time::Duration;

use scanout::Pacing;
use scanout::pacing::{Origin, Throttle};
use scanout::runtime::{FrameInfo, TargetInfo};
use scanout::stats::{FrameRecord, Stage};

use super::figures::Figures;
use super::sides::Side;
use crate::app::report::{layout_name, lock_name, miss_share};

/// What is shown, besides what can be changed.
pub struct View<'a> {
    /// Frames per second over the last second.
    pub rate: Option<f64>,
    pub side: Side,
    pub mode: Pacing,
    pub settles: Option<Duration>,
    pub times: Times<'a>,
    pub misses: Misses,
    /// What is aimed at from frame to frame.
    pub interval_ms: f32,
    pub recent: &'a [FrameRecord],
    pub figures: &'a Figures,
    pub phase: &'a [i64],
    /// Names and values of what it is drawn with and what the pacer knows.
    pub facts: Vec<(&'static str, String)>,
}

/// Who tells when frames are displayed.
pub struct Times<'a> {
    pub origin: Origin,
    /// Empty where nobody has told.
    pub source: &'a str,
}

/// Shares of frames.
#[derive(Copy, Clone)]
pub struct Misses {
    /// What may miss; `None`: frames aim at no time.
    pub declared: Option<f64>,
    /// What missed; `None`: not known of any yet.
    pub measured: Option<f64>,
}

impl<'a> View<'a> {
    /// `cost`: what the HUD takes itself, in milliseconds of the render thread. Allocates.
    pub fn of(
        frame: &FrameInfo<'_>,
        target: &'a TargetInfo,
        (recent, figures, phase): (&'a [FrameRecord], &'a Figures, &'a [i64]),
        (side, settles): (Side, Option<Duration>),
        cost: Option<f64>,
    ) -> Self {
        let state = frame.pacer.state();
        let (source, origin) = frame.source.unwrap_or((&target.source, target.origin));
        Self {
            rate: frames_per_second(recent),
            side,
            mode: frame.pacer.mode(),
            settles,
            times: Times { origin, source },
            misses: Misses { declared: state.miss_budget, measured: miss_share(&state) },
            interval_ms: frame.pacer.interval().as_secs_f32() * 1e3,
            recent,
            figures,
            phase,
            facts: facts(frame, target, figures, cost),
        }
    }
}

fn facts(
    frame: &FrameInfo<'_>,
    target: &TargetInfo,
    figures: &Figures,
    cost: Option<f64>,
) -> Vec<(&'static str, String)> {
    let state = frame.pacer.state();
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    let mut passes = String::new();
    for (i, (name, p50, p99)) in figures.passes.iter().enumerate() {
        let _ = write!(passes, "{}{name} {p50:.2} ms", if i == 0 { "" } else { "\n" });
        if let Some(p99) = p99 {
            let _ = write!(passes, ", p99 {p99:.2}");
        }
    }
    if passes.is_empty() {
        passes.push_str("not timed");
    }
    let software = if target.software { " (software)" } else { "" };
    let nominal = target.refresh_hz.map_or(String::new(), |hz| format!("\n{hz:>7.2} Hz nominal"));
    let refresh = state.refresh.map_or("unknown".to_owned(), |r| format!("{:>7.3} ms", ms(r)));
    let known = if state.holdover { "holdover" } else { lock_name(state.lock) };
    let swap = match frame.pacer.throttle() {
        Throttle::Untested => "not known to wait",
        Throttle::Driver => "waits for the display",
        Throttle::Timer => "does not wait: a timer paces",
    };
    let layout = layout_name(state.layout);
    let (layout, budget) = match state.miss_budget {
        None => (layout.to_owned(), "none: frames aim at no time".to_owned()),
        Some(_) => (
            format!("{layout}, {} refresh(es) per frame", state.divisor),
            format!("{:>7.2} ms, of it {:.2} in reserve", ms(state.budget), state.reserve as f64 / 1e6),
        ),
    };
    let c = frame.stats.counters();
    vec![
        ("drawn by", format!("{}{software}", target.renderer)),
        ("refresh", format!("{refresh}, {known}{nominal}")),
        ("swap", format!("{swap} ({})", target.surface)),
        ("layout", layout),
        ("budget", budget),
        ("GPU passes", passes),
        (
            "this HUD",
            cost.map_or("not measured yet".to_owned(), |ms| format!("{ms:>7.2} ms of the render thread")),
        ),
        (
            "frames",
            format!(
                "{:>7} drawn   {:>6} repeated\n{:>7} dropped {:>6} late logic\n{:>7} kept apart",
                frame.id.0, c.repeated, c.dropped, c.stale, c.apart
            ),
        ),
    ]
}

fn frames_per_second(recent: &[FrameRecord]) -> Option<f64> {
    // Over the last second at most, so that the figure follows what happens.
    let newest = recent.last()?.at(Stage::SwapEnd)?;
    let swaps = recent.iter().filter_map(|r| r.at(Stage::SwapEnd));
    let window: Vec<_> = swaps.filter(|t| newest.saturating_since(*t) <= Duration::from_secs(1)).collect();
    let span = newest.saturating_since(*window.first()?).as_secs_f64();
    (window.len() > 1 && span > 0.0).then(|| (window.len() - 1) as f64 / span)
}
