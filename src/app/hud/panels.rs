//! What stands where.

use egui::scroll_area::ScrollBarVisibility;
use egui::{Align2, Color32, FontId, Id, RichText, ScrollArea, Ui, Vec2, pos2, vec2};

use scanout::Size;
use scanout::pacing::Origin;

use super::controls::{Controls, mode_name};
use super::paint;
use super::sides::Side;
use super::table::table;
use super::text::{
    BAD, COLOUR_A, COLOUR_B, GOOD, INK, ON_PART, SIZE, SOFT, TALL, colour, fact, figures, heading, legible,
    line, small, value_at,
};
use super::view::View;
use crate::app::palette::dark;

/// A window with less than so many points each way gets smaller points, so that a page of the HUD has room.
const FEWEST_POINTS: Vec2 = vec2(560.0, 360.0);
/// With so many points each way, both panels fit beside a piece of the scene.
const BOTH_FIT: Vec2 = vec2(1_000.0, 600.0);
/// Width of a panel's contents, in points.
const WIDTH: f32 = 320.0;
/// Between a panel and the window's edge, and between its edge and its contents.
const AWAY: f32 = 8.0;
const MARGIN: f32 = 8.0;
/// What a scroll bar takes of the margin.
const BAR: f32 = 6.0;
/// Heights of the four plots where there is room for them, in points, and in which shares of that they may be.
const PLOTS: [f32; 4] = [54.0, 54.0, 60.0, 28.0];
const SHARES: (f32, f32) = (0.36, 1.4);
/// What stands above and between the plots of a page, and what stands around them beside the controls, in points.
const AROUND_PAGE: f32 = 256.0;
const AROUND_BOTH: f32 = 424.0;

/// What is shown of it.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Page {
    /// All of it, where the window has room; where it has none, the plots.
    #[default]
    All,
    Plots,
    Figures,
    Controls,
}

impl Page {
    pub const EACH: [(Self, &'static str); 4] = [
        (Self::All, "all"),
        (Self::Plots, "plots"),
        (Self::Figures, "figures"),
        (Self::Controls, "controls"),
    ];

    /// The page that a window of so many points shows where this one was chosen.
    pub fn within(self, room: Vec2) -> Self {
        if self == Self::All && !both_fit(room) { Self::Plots } else { self }
    }

    /// The one after it, in such a window.
    pub fn next(self, room: Vec2) -> Self {
        match self.within(room) {
            Self::All => Self::Plots,
            Self::Plots => Self::Figures,
            Self::Figures => Self::Controls,
            Self::Controls => Self::All.within(room),
        }
    }
}

fn both_fit(room: Vec2) -> bool {
    room.x >= BOTH_FIT.x && room.y >= BOTH_FIT.y
}

/// Physical pixels per point of the HUD.
pub fn pixels_per_point(size: Size, scale: f32) -> f32 {
    let (width, height) = (size.width as f32, size.height as f32);
    let fits = (width / FEWEST_POINTS.x).min(height / FEWEST_POINTS.y);
    scale.min(fits).max(0.5)
}

/// Dark, as the dark scheme of the page, and still.
pub fn style(context: &egui::Context) {
    let mut visuals = egui::Visuals::dark();
    visuals.widgets.inactive.fg_stroke.color = INK;
    visuals.selection.bg_fill = colour(dark::NEW);
    visuals.selection.stroke.color = ON_PART;
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        // What fades would want frames of scenes that rest.
        style.animation_time = 0.0;
        style.spacing.scroll = egui::style::ScrollStyle {
            bar_width: 4.0,
            bar_inner_margin: BAR - 4.0,
            ..egui::style::ScrollStyle::solid()
        };
    });
}

/// Draws the panels and returns what they cover.
pub fn show(ui: &Ui, view: &View<'_>, page: &mut Page, controls: &mut Controls) -> Vec<egui::Rect> {
    controls.spots.clear();
    let room = ui.ctx().content_rect().size();
    let inside = room.y - 2.0 * (AWAY + MARGIN);
    let shown = page.within(room);
    if shown == Page::All {
        let left = panel(ui, "hud", Align2::LEFT_TOP, |ui| {
            header(ui, view);
            plots(ui, view, inside - AROUND_BOTH);
            table(ui, view.figures);
        });
        let right = panel(ui, "hud controls", Align2::RIGHT_TOP, |ui| {
            controls.show(ui, view.side, view.settles);
            ui.add_space(4.0);
            heading(ui, "what it runs on");
            about(ui, view);
        });
        return vec![left, right];
    }
    vec![panel(ui, "hud", Align2::LEFT_TOP, |ui| {
        ui.horizontal(|ui| {
            for (this, name) in Page::EACH.into_iter().filter(|(this, _)| this.within(room) == *this) {
                let tab = ui.selectable_label(shown == this, RichText::new(name).size(12.0));
                controls.spots.push((name, tab.rect));
                if tab.clicked() {
                    *page = this;
                }
            }
            small(ui, "F3 next, F1 hides");
        });
        match shown {
            Page::All | Page::Plots => {
                header(ui, view);
                plots(ui, view, inside - AROUND_PAGE);
            }
            Page::Figures => {
                header(ui, view);
                table(ui, view.figures);
                about(ui, view);
            }
            Page::Controls => controls.show(ui, view.side, view.settles),
        }
    })]
}

/// A panel that scrolls where the window is too low for it.
fn panel(ui: &Ui, name: &str, at: Align2, contents: impl FnOnce(&mut Ui)) -> egui::Rect {
    let away = vec2(if at == Align2::LEFT_TOP { AWAY } else { -AWAY }, AWAY);
    let most = (ui.ctx().content_rect().height() - 2.0 * (AWAY + MARGIN)).max(TALL);
    let [r, g, b] = dark::BACKGROUND;
    // Over a white scene letters still have ten times its brightness between them and what is behind.
    let fill = Color32::from_rgba_unmultiplied(r, g, b, 240);
    let margin = egui::Margin { right: (MARGIN - BAR) as i8, ..egui::Margin::same(MARGIN as i8) };
    let frame = egui::Frame::new().fill(fill).corner_radius(5.0).inner_margin(margin);
    let area = egui::Area::new(Id::unique(name)).anchor(at, away).show(ui.ctx(), |ui| {
        // An area offers what it took the last time, and would never grow.
        ui.set_max_height(most + 2.0 * MARGIN);
        frame.show(ui, |ui| {
            // As wide with a scroll bar as without.
            ui.set_width(WIDTH + BAR);
            ScrollArea::vertical()
                .max_height(most)
                .min_scrolled_height(most.min(64.0))
                .scroll_bar_visibility(ScrollBarVisibility::VisibleWhenNeeded)
                .show(ui, |ui| {
                    ui.set_width(WIDTH);
                    ui.spacing_mut().item_spacing = vec2(5.0, 3.0);
                    ui.spacing_mut().button_padding = vec2(4.0, 1.0);
                    ui.spacing_mut().slider_width = 130.0;
                    ui.spacing_mut().interact_size.y = 13.5;
                    contents(ui);
                });
        });
    });
    area.response.rect
}

/// The rate, who tells display times, and misses declared and measured: each in its place.
fn header(ui: &mut Ui, view: &View<'_>) {
    let place = line(ui, 24.0);
    let rate =
        view.rate.map_or("-".to_owned(), |r| if r < 999.95 { format!("{r:.1}") } else { format!("{r:.0}") });
    let y = place.center().y;
    let text = |x: f32, align, text: &str, font: FontId, colour| {
        ui.painter().text(pos2(place.left() + x, y), align, text, font, colour)
    };
    text(68.0, Align2::RIGHT_CENTER, &rate, FontId::monospace(22.0), Color32::WHITE);
    text(75.0, Align2::LEFT_CENTER, "frames/s", FontId::proportional(11.5), SOFT);
    let (name, colour) = match view.side {
        Side::A => (format!("A {}", mode_name(view.mode)), COLOUR_A),
        Side::B => ("B naive loop".to_owned(), COLOUR_B),
    };
    text(129.0, Align2::LEFT_CENTER, &name, FontId::proportional(13.0), colour);
    if let Some(left) = view.settles {
        let settles = format!("settles {:.1} s", left.as_secs_f64());
        text(place.width(), Align2::RIGHT_CENTER, &settles, FontId::proportional(SIZE), SOFT);
    }
    times(ui, view);
    misses(ui, view);
}

/// Times that nobody measured are marked as such wherever figures of them are shown.
fn times(ui: &mut Ui, view: &View<'_>) {
    let place = line(ui, TALL + 2.0);
    let name = FontId::proportional(SIZE);
    ui.painter().text(place.left_center(), Align2::LEFT_CENTER, "display times", name, SOFT);
    let told = match view.times.origin {
        Origin::Hardware | Origin::Compositor => GOOD,
        _ => INK,
    };
    let origin = view.times.origin.to_string();
    let galley = ui.painter().layout_no_wrap(origin, FontId::proportional(SIZE), ON_PART);
    let at = value_at(place);
    let badge =
        egui::Rect::from_min_size(pos2(at.x, place.top()), vec2(galley.size().x + 8.0, place.height()));
    ui.painter().rect_filled(badge, 3.0, told);
    ui.painter().galley(pos2(at.x + 4.0, at.y - galley.size().y / 2.0), galley, ON_PART);
    let source = if view.times.source.is_empty() { "nobody has told yet" } else { view.times.source };
    let says = pos2(badge.right() + 6.0, at.y);
    let source = legible(ui, source);
    ui.painter().text(says, Align2::LEFT_CENTER, source, FontId::proportional(SIZE), SOFT);
}

fn misses(ui: &mut Ui, view: &View<'_>) {
    let place = line(ui, TALL);
    let paint = |at, text: &str, font, colour| ui.painter().text(at, Align2::LEFT_CENTER, text, font, colour);
    paint(place.left_center(), "misses", FontId::proportional(SIZE), SOFT);
    let at = value_at(place);
    let Some(declared) = view.misses.declared else {
        paint(at, "none declared: frames aim at no time", FontId::proportional(SIZE), SOFT);
        return;
    };
    let declares = format!("declared {:>5.2} %", declared * 100.0);
    let end = paint(at, &declares, figures(), INK).right();
    let (measured, colour) = match view.misses.measured {
        None => ("measured      -".to_owned(), SOFT),
        Some(share) => {
            let colour = if share <= declared { GOOD } else { BAD };
            (format!("measured {:>6.2} %", share * 100.0), colour)
        }
    };
    paint(pos2(end + 12.0, at.y), &measured, figures(), colour);
}

/// `room`: points for the four plots together.
fn plots(ui: &mut Ui, view: &View<'_>, room: f32) {
    let share = (room / PLOTS.iter().sum::<f32>()).clamp(SHARES.0, SHARES.1);
    let [intervals, stages, latency, phase] = PLOTS.map(|height| (height * share).round());
    paint::interval_strip(ui, view, intervals);
    paint::stage_bars(ui, view.recent, stages);
    paint::latency(ui, view.figures, latency);
    paint::phase_error(ui, view.phase, phase);
}

/// What it is drawn with, and what the pacer knows.
fn about(ui: &mut Ui, view: &View<'_>) {
    for (name, value) in &view.facts {
        fact(ui, name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_leads_through_all_pages_that_a_window_has_room_for_and_back() {
        for (room, pages) in [
            (vec2(1_280.0, 720.0), vec![Page::Plots, Page::Figures, Page::Controls, Page::All]),
            (vec2(640.0, 480.0), vec![Page::Figures, Page::Controls, Page::Plots, Page::Figures]),
        ] {
            let mut page = Page::default();
            for expected in pages {
                page = page.next(room);
                assert_eq!(page.within(room), expected, "{room:?}");
            }
        }
        assert_eq!(Page::Figures.within(vec2(1_280.0, 720.0)), Page::Figures, "what was chosen stays");
    }

    #[test]
    fn points_shrink_only_where_the_window_has_too_few() {
        let at = |width, height, scale| pixels_per_point(Size::new(width, height), scale);
        assert_eq!(at(1280, 720, 1.0), 1.0);
        assert_eq!(at(1280, 720, 2.0), 2.0);
        assert_eq!(at(2560, 1440, 2.0), 2.0);
        assert_eq!(at(640, 360, 1.0), 1.0);
        assert!((at(640, 480, 2.0) - 640.0 / 560.0).abs() < 1e-3);
        assert_eq!(at(10, 10, 1.0), 0.5);
    }
}
