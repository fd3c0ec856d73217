//! The plots.

use egui::{Align2, Color32, FontId, Pos2, Rect, RichText, Sense, Stroke, Ui, Vec2, pos2};

use scanout::stats::{FrameRecord, Stage};
use scanout::timeline::explain::Cause;

use super::figures::{BINS, Figures, LATENCY, SideFigures};
use super::strip::{Blame, Column, FRAMES, Kind};

/// A and B. They differ in lightness as well as in hue.
pub const COLOUR_A: Color32 = Color32::from_rgb(95, 175, 250);
pub const COLOUR_B: Color32 = Color32::from_rgb(250, 165, 60);
const IN_TIME: Color32 = Color32::from_rgb(110, 200, 120);
const LATE: Color32 = Color32::from_rgb(230, 80, 75);
const STALE: Color32 = Color32::from_rgb(225, 95, 220);
const DROPPED: Color32 = Color32::from_gray(150);
const TITLE: Color32 = Color32::from_gray(225);
const FAINT: Color32 = Color32::from_gray(190);

/// The stacked parts of a frame: from, to, name, colour.
const PARTS: [(Stage, Stage, &str, Color32); 5] = [
    (Stage::InputReceived, Stage::InputSampled, "input", Color32::from_rgb(160, 132, 230)),
    (Stage::InputSampled, Stage::LogicDone, "logic", Color32::from_rgb(90, 160, 240)),
    (Stage::LogicDone, Stage::SnapshotAcquired, "hand-over", Color32::from_rgb(80, 200, 190)),
    (Stage::SnapshotAcquired, Stage::Submitted, "render", Color32::from_rgb(240, 180, 70)),
    (Stage::Submitted, Stage::Presented, "to display", Color32::from_rgb(225, 95, 90)),
];

/// What stands for a cause under its column.
const fn letter(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::Logic) => "L",
        Some(Cause::Render) => "R",
        Some(Cause::Driver) => "D",
        Some(Cause::Fence) => "F",
        Some(Cause::Compile) => "S",
        Some(Cause::Upload) => "U",
        Some(Cause::Gpu) => "G",
        Some(Cause::Compositor) => "C",
        Some(Cause::Scheduler) => "W",
        _ => "?",
    }
}

/// One column per frame: the time since the frame before, against the interval aimed at. Late ones have the letter of what
/// made them late.
pub fn interval_strip(ui: &mut Ui, columns: &[Option<Column>], blame: &Blame, interval_ms: f32) {
    let title = format!("display intervals; line: {interval_ms:.2} ms");
    let (rect, painter) = plot(ui, title, 54.0);
    // Letters stand below the columns.
    let bars = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - 9.0));
    let full = interval_ms * 2.6;
    let width = rect.width() / FRAMES as f32;
    let mut letters_end = f32::MIN;
    for (i, column) in columns.iter().enumerate() {
        let Some(Column { ms, kind }) = *column else { continue };
        let (colour, mark) = match kind {
            Kind::InTime => (IN_TIME, None),
            Kind::Late(cause) => (LATE, Some(letter(cause))),
            Kind::Stale => (STALE, Some("L")),
            Kind::Dropped => (DROPPED, None),
        };
        let height = if kind == Kind::Dropped { 0.06 } else { ms / full };
        bar(&painter, bars, (i, width), 0.0, height, colour);
        let x = rect.left() + (i as f32 + 0.5) * width;
        if let Some(mark) = mark.filter(|_| x > letters_end) {
            let font = FontId::proportional(9.0);
            painter.text(pos2(x, rect.bottom() + 1.0), Align2::CENTER_BOTTOM, mark, font, colour);
            letters_end = x + 6.0;
        }
    }
    let y = bars.bottom() - bars.height() / 2.6;
    painter.hline(rect.x_range(), y, Stroke::new(1.0, Color32::from_white_alpha(110)));
    small(ui, late_line(blame));
}

/// The causes that one line has room for, the most frequent first.
fn late_line(blame: &Blame) -> String {
    const ROOM: usize = 3;
    if blame.counts.is_empty() {
        return "no late frame among the last 256".to_owned();
    }
    let text = |(cause, n): &(Option<Cause>, usize)| {
        format!("{} {n} {}", letter(*cause), cause.map_or("unknown", Cause::name))
    };
    let mut causes: Vec<String> = blame.counts.iter().take(ROOM).map(text).collect();
    let others: usize = blame.counts.iter().skip(ROOM).map(|(_, n)| n).sum();
    if others > 0 {
        causes.push(format!("{others} others"));
    }
    format!("late: {}", causes.join(", "))
}

/// One column per frame: where its time went.
pub fn stage_bars(ui: &mut Ui, recent: &[FrameRecord]) {
    let recent = &recent[recent.len().saturating_sub(FRAMES)..];
    let first = |r: &FrameRecord| {
        if r.at(Stage::InputReceived).is_some() { Stage::InputReceived } else { Stage::InputSampled }
    };
    let total = |r: &FrameRecord| r.between(first(r), Stage::Presented).unwrap_or(0) as f32 / 1e6;
    let mut totals: Vec<f32> = recent.iter().filter(|r| !r.repeated).map(total).collect();
    totals.sort_by(f32::total_cmp);
    // Scaled to what is usual: single outliers are cut off rather than flattening all others.
    let full = totals.get(totals.len() * 9 / 10).map_or(1.0, |ms| (ms * 1.4).max(0.5));
    let (rect, painter) = plot(ui, format!("input to display, full height {full:.1} ms"), 54.0);
    let width = rect.width() / FRAMES as f32;
    for (i, record) in recent.iter().enumerate().filter(|(_, r)| !r.repeated && !r.dropped) {
        let mut bottom = 0.0;
        for (from, to, _, colour) in PARTS {
            let Some(part) = record.between(from, to) else { continue };
            let height = part.max(0) as f32 / 1e6 / full;
            bar(&painter, rect, (i, width), bottom, height, colour);
            bottom += height;
        }
    }
    legend(ui, PARTS.iter().map(|(_, _, name, colour)| (*colour, (*name).to_owned())));
}

/// Histogram and cumulative curve of the latency, A and B over each other.
pub fn latency(ui: &mut Ui, figures: &Figures) {
    let ms = figures.full as f64 / 1e6;
    let title = format!("{LATENCY:?}, 0 to {ms} ms: bars, and share of frames up to it");
    let (rect, painter) = plot(ui, title, 60.0);
    let most = [&figures.a, &figures.b].iter().flat_map(|s| &s.histogram).fold(0.0_f32, |m, n| m.max(*n));
    let width = rect.width() / BINS as f32;
    for (side, colour) in [(&figures.a, COLOUR_A), (&figures.b, COLOUR_B)] {
        for (bin, share) in side.histogram.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let height = 0.95 * share / most.max(f32::MIN_POSITIVE);
            bar(&painter, rect, (bin, width), 0.0, height.max(0.01), colour.gamma_multiply(0.55));
        }
    }
    for (side, colour) in [(&figures.a, COLOUR_A), (&figures.b, COLOUR_B)] {
        if side.histogram.iter().any(|share| *share > 0.0) {
            let at = |(step, share): (usize, &f32)| {
                let x = rect.left() + rect.width() * step as f32 / BINS as f32;
                pos2(x, rect.bottom() - share * rect.height())
            };
            let points = side.cumulative.iter().enumerate().map(at).collect();
            painter.line(points, Stroke::new(1.5, colour));
        }
    }
    let name = |text: &str, side: &SideFigures| match side.frames {
        0 => format!("{text}: no frames yet"),
        n => format!("{text}: {n} frames"),
    };
    legend(
        ui,
        [(COLOUR_A, name("A ours", &figures.a)), (COLOUR_B, name("B naive loop", &figures.b))].into_iter(),
    );
}

/// By how much each refresh came before or after it was predicted.
pub fn phase_error(ui: &mut Ui, errors: &[i64]) {
    if errors.is_empty() {
        plot(ui, "phase error: not measured, nobody says when refreshes are".to_owned(), 28.0);
        return;
    }
    let errors = &errors[errors.len().saturating_sub(FRAMES)..];
    let mut sizes: Vec<u64> = errors.iter().map(|ns| ns.unsigned_abs()).collect();
    sizes.sort_unstable();
    let full = (sizes[sizes.len() * 9 / 10] as f32 / 1e6 * 1.6).max(0.1);
    let title = format!("phase error: refresh against prediction, full height ±{full:.2} ms");
    let (rect, painter) = plot(ui, title, 28.0);
    painter.hline(rect.x_range(), rect.center().y, Stroke::new(1.0, Color32::from_white_alpha(90)));
    let width = rect.width() / FRAMES as f32;
    for (i, ns) in errors.iter().enumerate() {
        let y = rect.center().y - (*ns as f32 / 1e6 / full).clamp(-1.0, 1.0) * rect.height() / 2.0;
        let at = pos2(rect.left() + (i as f32 + 0.5) * width, y);
        painter.rect_filled(Rect::from_center_size(at, Vec2::splat(2.0)), 0.0, IN_TIME);
    }
}

/// Small text in one line.
pub fn small(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(RichText::new(text).size(10.5).color(FAINT)).truncate());
}

fn legend(ui: &mut Ui, entries: impl Iterator<Item = (Color32, String)>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (colour, name) in entries {
            let (square, _) = ui.allocate_exact_size(Vec2::splat(8.0), Sense::hover());
            ui.painter().rect_filled(square, 1.0, colour);
            ui.label(RichText::new(name).size(10.5).color(FAINT));
            ui.add_space(2.0);
        }
    });
}

/// A title, and below it, where no data can meet it, room for a plot.
fn plot(ui: &mut Ui, title: String, height: f32) -> (Rect, egui::Painter) {
    ui.add_space(1.0);
    ui.add(egui::Label::new(RichText::new(title).size(10.5).color(TITLE)).truncate());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::hover());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, Color32::from_white_alpha(14));
    (rect, painter)
}

fn bar(
    painter: &egui::Painter,
    rect: Rect,
    (i, width): (usize, f32),
    from: f32,
    height: f32,
    colour: Color32,
) {
    let x = rect.left() + i as f32 * width;
    let y = |share: f32| rect.bottom() - share.clamp(0.0, 1.0) * rect.height();
    let bar = Rect::from_min_max(Pos2::new(x, y(from + height)), Pos2::new(x + width * 0.9, y(from)));
    painter.rect_filled(bar, 0.0, colour);
}
