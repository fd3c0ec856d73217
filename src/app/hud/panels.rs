//! What stands where.

use std::time::Duration;

use egui::{Align2, Color32, Id, RichText, Ui, Vec2, vec2};

use scanout::Size;
use scanout::pacing::Throttle;
use scanout::runtime::{FrameInfo, TargetInfo};
use scanout::stats::{FrameRecord, Stage, Unit};

use super::controls::Controls;
use super::figures::{Figures, Row};
use super::paint::{self, COLOUR_A, COLOUR_B, small};
use super::sides::{METRICS, Side};
use super::strip::columns;
use crate::app::report::{layout_name, lock_name, miss_share};

/// A window with less than so many points each way gets smaller points, so that all of the HUD has room.
const FEWEST_POINTS: Vec2 = vec2(600.0, 440.0);
/// With so many points each way, both panels fit beside a piece of the scene.
const BOTH_FIT: Vec2 = vec2(1_000.0, 600.0);
/// Width of a panel's contents, in points.
const WIDTH: f32 = 320.0;
/// Between a panel and the window's edge.
const AWAY: f32 = 8.0;

/// What a narrow window shows of it.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Page {
    #[default]
    Plots,
    Figures,
    Controls,
}

impl Page {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Plots, "plots"), (Self::Figures, "figures"), (Self::Controls, "controls")];

    pub const fn next(self) -> Self {
        match self {
            Self::Plots => Self::Figures,
            Self::Figures => Self::Controls,
            Self::Controls => Self::Plots,
        }
    }
}

/// Physical pixels per point of the HUD.
pub fn pixels_per_point(size: Size, scale: f32) -> f32 {
    let (width, height) = (size.width as f32, size.height as f32);
    let fits = (width / FEWEST_POINTS.x).min(height / FEWEST_POINTS.y);
    scale.min(fits).max(0.5)
}

/// What is shown, besides what can be changed.
pub struct View<'a> {
    pub frame: &'a FrameInfo<'a>,
    pub target: &'a TargetInfo,
    pub recent: &'a [FrameRecord],
    pub figures: &'a Figures,
    pub phase: &'a [i64],
    pub side: Side,
    pub settles: Option<Duration>,
    /// What the HUD takes itself, in milliseconds on the processor.
    pub cost: Option<f64>,
}

/// Draws the panels and returns what they cover.
pub fn show(ui: &Ui, view: &View<'_>, page: &mut Page, controls: &mut Controls) -> Vec<egui::Rect> {
    controls.spots.clear();
    let room = ui.ctx().content_rect().size();
    if room.x >= BOTH_FIT.x && room.y >= BOTH_FIT.y {
        let left = panel(ui, "hud", Align2::LEFT_TOP, |ui| {
            header(ui, view);
            plots(ui, view);
            table(ui, view);
            about(ui, view);
        });
        let right = panel(ui, "hud controls", Align2::RIGHT_TOP, |ui| {
            controls.show(ui, view.side, view.settles);
        });
        return vec![left, right];
    }
    vec![panel(ui, "hud", Align2::LEFT_TOP, |ui| {
        ui.horizontal(|ui| {
            for (this, name) in Page::ALL {
                let tab = ui.selectable_label(*page == this, RichText::new(name).size(12.0));
                controls.spots.push((name, tab.rect));
                if tab.clicked() {
                    *page = this;
                }
            }
            small(ui, "F3 next, F1 hides");
        });
        match page {
            Page::Plots => {
                header(ui, view);
                plots(ui, view);
            }
            Page::Figures => {
                header(ui, view);
                table(ui, view);
                about(ui, view);
            }
            Page::Controls => controls.show(ui, view.side, view.settles),
        }
    })]
}

fn panel(ui: &Ui, name: &str, at: Align2, contents: impl FnOnce(&mut Ui)) -> egui::Rect {
    let away = vec2(if at == Align2::LEFT_TOP { AWAY } else { -AWAY }, AWAY);
    let area = egui::Area::new(Id::unique(name)).anchor(at, away).show(ui.ctx(), |ui| {
        egui::Frame::new().fill(Color32::from_black_alpha(225)).corner_radius(5.0).inner_margin(8.0).show(
            ui,
            |ui| {
                ui.set_width(WIDTH);
                ui.spacing_mut().item_spacing = vec2(5.0, 3.0);
                ui.spacing_mut().button_padding = vec2(4.0, 1.0);
                ui.spacing_mut().slider_width = 130.0;
                ui.spacing_mut().interact_size.y = 15.0;
                contents(ui);
            },
        );
    });
    area.response.rect
}

fn header(ui: &mut Ui, view: &View<'_>) {
    let rate = frames_per_second(view.recent).map_or("--".to_owned(), |r| format!("{r:.1}"));
    ui.horizontal(|ui| {
        ui.label(RichText::new(rate).size(22.0).strong().color(Color32::WHITE));
        ui.label(RichText::new("frames/s").size(11.5));
        let (name, colour) = match view.side {
            Side::A => (format!("A {}", view.frame.pacer.mode()), COLOUR_A),
            Side::B => ("B naive loop".to_owned(), COLOUR_B),
        };
        ui.label(RichText::new(name).size(13.0).strong().color(colour));
        if let Some(left) = view.settles {
            small(ui, format!("settling {:.1} s", left.as_secs_f64()));
        }
    });
}

fn plots(ui: &mut Ui, view: &View<'_>) {
    let interval_ms = view.frame.pacer.interval().as_secs_f32() * 1e3;
    let columns = columns(view.recent, &view.figures.blame, interval_ms);
    paint::interval_strip(ui, &columns, &view.figures.blame, interval_ms);
    paint::stage_bars(ui, view.recent);
    paint::latency(ui, view.figures);
    paint::phase_error(ui, view.phase);
}

/// One figure of a row.
type Pick = fn(&Row) -> Option<f64>;

/// A and B beside each other, never mixed.
fn table(ui: &mut Ui, view: &View<'_>) {
    let compared = view.figures.b.frames > 0;
    let cell = |row: Option<&Row>, unit: Unit, pick: Pick| match (row.and_then(pick), unit) {
        (None, _) => "-".to_owned(),
        (Some(figure), Unit::Frames) => format!("{figure:.0}"),
        (Some(figure), _) => format!("{figure:.2}"),
    };
    let columns: [(&str, Pick); 4] =
        [("p50", |r| r.p50), ("p95", |r| r.p95), ("p99", |r| r.p99), ("max", |r| Some(r.max))];
    // Beside each other there is room for two of them.
    let shown: Vec<_> = if compared { vec![columns[0], columns[2]] } else { columns.to_vec() };
    let sides: &[(Side, Color32, &str)] = if compared {
        &[(Side::A, COLOUR_A, "A"), (Side::B, COLOUR_B, "B")]
    } else {
        &[(Side::A, COLOUR_A, "A")]
    };
    egui::Grid::new("figures").striped(true).spacing(vec2(6.0, 1.0)).min_col_width(34.0).show(ui, |ui| {
        ui.label(RichText::new("milliseconds").size(11.0).strong());
        for (_, colour, side) in sides {
            for (name, _) in &shown {
                ui.label(RichText::new(format!("{side} {name}")).size(11.0).strong().color(*colour));
            }
        }
        ui.end_row();
        for (at, metric) in METRICS.iter().enumerate() {
            let unit = if metric.unit() == Unit::Frames { ", frames" } else { "" };
            ui.label(RichText::new(format!("{}{unit}", metric.name())).size(11.0));
            for (side, colour, _) in sides {
                let row = view.figures.side(*side).rows[at].as_ref();
                for (_, pick) in &shown {
                    let text = cell(row, metric.unit(), *pick);
                    ui.label(RichText::new(text).size(11.0).monospace().color(*colour));
                }
            }
            ui.end_row();
        }
    });
    small(ui, "-: not measured, or too few for it. Newest 4096 frames.");
}

/// What it is drawn with, and what the pacer knows.
fn about(ui: &mut Ui, view: &View<'_>) {
    let (frame, target) = (view.frame, view.target);
    let passes: Vec<String> = (view.figures.passes.iter())
        .map(|(name, p50, p99)| match p99 {
            Some(p99) => format!("{name} {p50:.2} (p99 {p99:.2})"),
            None => format!("{name} {p50:.2}"),
        })
        .collect();
    let passes = if passes.is_empty() { "not timed".to_owned() } else { passes.join(", ") };
    small(ui, format!("GPU ms: {passes}"));
    let cost = view.cost.map_or("not measured yet".to_owned(), |ms| format!("{ms:.2} ms per frame (CPU)"));
    small(ui, format!("this HUD costs {cost}; it is part of what it shows"));
    let software = if target.software { " (software)" } else { "" };
    small(ui, format!("{}{software}", target.renderer));
    let nominal = target.refresh_hz.map_or(String::new(), |hz| format!(", {hz:.2} Hz nominal"));
    let (source, origin) = frame.source.unwrap_or((&target.source, target.origin));
    small(ui, format!("display times: {source} ({origin}){nominal}"));
    let throttle = match frame.pacer.throttle() {
        Throttle::Untested => "",
        Throttle::Driver => ", swap throttles",
        Throttle::Timer => ", swap does not throttle: timed",
    };
    let state = frame.pacer.state();
    let refresh = state.refresh.map_or("unknown".to_owned(), |r| format!("{:.3} ms", r.as_secs_f64() * 1e3));
    small(ui, format!("{}, refresh {refresh} ({}){throttle}", target.surface, lock_name(state.lock)));
    let layout = layout_name(state.layout);
    let Some(declared) = state.miss_budget else {
        small(ui, format!("{layout}, frames aim at no time"));
        return counters(ui, frame);
    };
    let measured = miss_share(&state).map_or("-".to_owned(), |s| format!("{:.2} %", s * 100.0));
    let budget = state.budget.as_secs_f64() * 1e3;
    let reserve = state.reserve as f64 / 1e6;
    small(
        ui,
        format!(
            "{layout}, {} refresh(es) per frame, budget {budget:.2} ms ({reserve:.2} reserve)",
            state.divisor
        ),
    );
    small(ui, format!("missed {measured}, declared {:.2} %", declared * 100.0));
    counters(ui, frame);
}

fn counters(ui: &mut Ui, frame: &FrameInfo<'_>) {
    let c = frame.stats.counters();
    small(
        ui,
        format!(
            "frame {}, repeated {}, late logic {}, dropped {}, kept apart {}",
            frame.id, c.repeated, c.stale, c.dropped, c.apart
        ),
    );
}

fn frames_per_second(recent: &[FrameRecord]) -> Option<f64> {
    // Over the last second at most, so that the figure follows what happens.
    let newest = recent.last()?.at(Stage::SwapEnd)?;
    let swaps = recent.iter().filter_map(|r| r.at(Stage::SwapEnd));
    let window: Vec<_> = swaps.filter(|t| newest.saturating_since(*t) <= Duration::from_secs(1)).collect();
    let span = newest.saturating_since(*window.first()?).as_secs_f64();
    (window.len() > 1 && span > 0.0).then(|| (window.len() - 1) as f64 / span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_shrink_only_where_the_window_has_too_few() {
        let at = |width, height, scale| pixels_per_point(Size::new(width, height), scale);
        assert_eq!(at(1280, 720, 1.0), 1.0);
        assert!((at(1280, 720, 2.0) - 720.0 / 440.0).abs() < 1e-3);
        assert_eq!(at(2560, 1440, 2.0), 2.0);
        assert_eq!(at(640, 480, 1.0), 1.0);
        assert!((at(640, 480, 2.0) - 640.0 / 600.0).abs() < 1e-3);
        assert_eq!(at(10, 10, 1.0), 0.5);
    }
}
