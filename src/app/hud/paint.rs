//! The plots.

use egui::{Align2, Color32, FontId, Pos2, Rect, Stroke, Ui, Vec2, pos2, vec2};

use scanout::stats::blame::{Part, parts};
use scanout::stats::{FrameRecord, quantile};
use scanout::timeline::explain::Cause;

use super::figures::{BINS, Figures, LATENCY, SideFigures};
use super::sides::Side;
use super::strip::{Column, FRAMES, Kind, Long, columns};
use super::text::{
    BAD, COLOUR_A, COLOUR_B, GOOD, INK, LINE, PLOT, SIZE, SOFT, TALL, colour, figure, figures, legend, line,
    title,
};
use super::view::View;
use crate::app::palette::{LETTER_OF, PARTS};

/// From column to column of the strips, and the gap between two.
const STEP: f32 = 3.0;
const GAP: f32 = 0.7;
/// Below the columns: a tick in the colour of the stage at fault, and its letter.
const TICKS: f32 = 3.0;
const MARKS: f32 = 14.0;
/// How many intervals a strip may be high: the fewest that hold nine of ten columns.
const HIGH: [f32; 7] = [2.5, 5.0, 10.0, 20.0, 50.0, 100.0, 1_000.0];

/// One column per frame: the time since the frame before, against the interval aimed at. Under late ones stands the stage at
/// fault.
pub fn interval_strip(ui: &mut Ui, view: &View<'_>, height: f32) {
    let (interval_ms, columns) =
        (view.interval_ms, columns(view.recent, &view.figures.blame, view.interval_ms));
    let longest = columns.iter().flatten().map(|c| c.ms).fold(0.0_f32, f32::max);
    let figure = |ms: f32| figure(ms.into());
    title(
        ui,
        "display intervals, ms",
        format!("line {:>7}  max {:>7}", figure(interval_ms), figure(longest)),
    );
    let (rect, painter) = plot(ui, height + MARKS);
    let bars = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - MARKS));
    let mut sorted: Vec<f32> = columns.iter().flatten().map(|c| c.ms / interval_ms.max(1e-3)).collect();
    sorted.sort_by(f32::total_cmp);
    let usual = quantile::of_sorted(&sorted, 0.9).unwrap_or(0.0);
    let intervals = HIGH.into_iter().find(|high| usual * 1.1 <= *high).unwrap_or(usual);
    let full = interval_ms.max(1e-3) * intervals;
    let mut letters_end = rect.left();
    for (i, column) in columns.iter().enumerate() {
        let Some(Column { ms, kind }) = *column else { continue };
        let (fill, at_fault) = match kind {
            Kind::InTime => (GOOD, None),
            Kind::Long => (BAD, None),
            Kind::Late(part) => (BAD, Some(part)),
            Kind::Stale => (SOFT, Some(Some(Part::Logic))),
            Kind::Dropped => (INK, None),
        };
        let height = if kind == Kind::Dropped { 0.06 } else { ms / full };
        bar(&painter, bars, i, 0.0, height, fill);
        if height > 1.0 {
            cap(&painter, bars, i);
        }
        let Some(part) = at_fault else { continue };
        let fill = part.map_or(SOFT, |part| colour(PARTS[part as usize]));
        let x = rect.left() + i as f32 * STEP;
        let tick = Rect::from_min_size(pos2(x, bars.bottom() + 1.0), vec2(STEP - GAP, TICKS - 1.0));
        painter.rect_filled(tick, 0.0, fill);
        let letter = part.map_or("?", |part| LETTER_OF[part as usize]);
        let letter = painter.layout_no_wrap(letter.to_owned(), FontId::proportional(9.0), fill);
        // In the middle under its column where there is room, and left out where there is none.
        let middle = x + (STEP - GAP) / 2.0 - letter.size().x / 2.0;
        let left = middle.clamp(rect.left(), (rect.right() - letter.size().x).max(rect.left()));
        if left >= letters_end {
            letters_end = left + letter.size().x + 1.0;
            painter.galley(pos2(left, rect.bottom() - letter.size().y), letter, fill);
        }
    }
    let y = bars.bottom() - bars.height() / intervals;
    painter.hline(rect.x_range(), y, Stroke::new(1.0, INK.gamma_multiply(0.6)));
    late_lines(ui, view);
}

/// How many were late, and by what; of B, which aims at no time, how many were long. Each in a place of its own.
fn late_lines(ui: &mut Ui, view: &View<'_>) {
    let (blame, Long { long, looked_at }) = (&view.figures.blame, view.figures.long);
    let (text, says) = match view.side {
        Side::A => {
            let says = match (blame.looked_at, blame.late) {
                (0, _) => "no frame of A here yet",
                (_, 0) => "",
                _ => "under each: the stage at fault; what held it up:",
            };
            (format!("late {} of {:>3}", count(blame.late, blame.looked_at), blame.looked_at), says)
        }
        Side::B => {
            let says = if looked_at == 0 {
                "no frame of B here yet"
            } else {
                "over 1.5 of the line; B aims at no time"
            };
            (format!("long {} of {looked_at:>3}", count(long, looked_at)), says)
        }
    };
    let place = line(ui, TALL);
    let width = ui.painter().text(place.left_center(), Align2::LEFT_CENTER, text, figures(), INK).width();
    let at = pos2(place.left() + width + 8.0, place.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, says, FontId::proportional(SIZE), SOFT);
    let place = line(ui, TALL);
    // What is late of A is explained where A is looked at.
    let counts = if view.side == Side::A { blame.counts.as_slice() } else { &[] };
    for (i, (cause, n)) in counts.iter().take(3).enumerate() {
        let text = format!("{n:>3} {}", cause.map_or("unclear", cause_name));
        let at = pos2(place.left() + place.width() * i as f32 / 3.0, place.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, text, FontId::monospace(9.5), SOFT);
    }
}

/// A name that fits a third of a panel.
fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::SimulatedDisplay => "display",
        cause => cause.name(),
    }
}

/// How many of so many, in three letters: of none nothing is known.
fn count(n: usize, of: usize) -> String {
    if of == 0 { "  -".to_owned() } else { format!("{n:>3}") }
}

/// One column per frame: where its time went, by the stages of the report.
pub fn stage_bars(ui: &mut Ui, recent: &[FrameRecord], height: f32) {
    let recent = &recent[recent.len().saturating_sub(FRAMES)..];
    let total = |r: &FrameRecord| parts(r).iter().flatten().sum::<i64>() as f32 / 1e6;
    let mut totals: Vec<f32> = recent.iter().filter(|r| !r.repeated).map(total).collect();
    totals.sort_by(f32::total_cmp);
    // Scaled to what is usual: single outliers are cut off rather than flattening all others.
    let full = quantile::of_sorted(&totals, 0.9).map_or(1.0, |ms| (ms * 1.4).max(0.5));
    title(ui, "stages from input to display, ms", format!("top {:>7}", figure(full.into())));
    let (rect, painter) = plot(ui, height);
    for (i, record) in recent.iter().enumerate().filter(|(_, r)| !r.repeated && !r.dropped) {
        let mut bottom = 0.0;
        for (took, fill) in parts(record).into_iter().zip(PARTS) {
            let height = took.unwrap_or(0).max(0) as f32 / 1e6 / full;
            bar(&painter, rect, i, bottom, height, colour(fill));
            bottom += height;
        }
        if bottom > 1.0 {
            cap(&painter, rect, i);
        }
    }
    let entry = |part: Part| (colour(PARTS[part as usize]), LETTER_OF[part as usize], part.name());
    legend(ui, Part::ALL.into_iter().map(entry));
}

/// Histogram and cumulative curve of the latency, A and B over each other.
pub fn latency(ui: &mut Ui, shown: &Figures, height: f32) {
    let name = format!("{}, ms: histogram and CDF", LATENCY.name());
    let end = shown.full as f64 / 1e6;
    let end = if end < 100.0 { format!("{end}") } else { figure(end) };
    title(ui, &name, format!("0 to {end:>7}"));
    let (rect, painter) = plot(ui, height);
    // Lines lie within the plot with all of their width.
    let rect = rect.shrink2(vec2(0.0, 1.5));
    let most = [&shown.a, &shown.b].iter().flat_map(|s| &s.histogram).fold(0.0_f32, |m, n| m.max(*n));
    let step = rect.width() / BINS as f32;
    for (side, fill) in [(&shown.a, COLOUR_A), (&shown.b, COLOUR_B)] {
        for (bin, share) in side.histogram.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let tall = (0.95 * share / most.max(f32::MIN_POSITIVE)).max(0.01) * rect.height();
            let left = rect.left() + bin as f32 * step;
            let min = pos2(left, rect.bottom() - tall);
            let bar = Rect::from_min_max(min, pos2(left + step - GAP, rect.bottom()));
            painter.rect_filled(bar, 0.0, fill.gamma_multiply(0.55));
        }
    }
    for (side, stroke) in [(&shown.a, COLOUR_A), (&shown.b, COLOUR_B)] {
        if side.histogram.iter().any(|share| *share > 0.0) {
            let at = |(step, share): (usize, &f32)| {
                let x = rect.left() + rect.width() * step as f32 / BINS as f32;
                pos2(x, rect.bottom() - share * rect.height())
            };
            let points = side.cumulative.iter().enumerate().map(at).collect();
            painter.line(points, Stroke::new(1.5, stroke));
        }
    }
    let place = line(ui, TALL);
    for (i, (name, side, fill)) in
        [("A ours ", &shown.a, COLOUR_A), ("B naive", &shown.b, COLOUR_B)].into_iter().enumerate()
    {
        let at = pos2(place.left() + place.width() * i as f32 / 2.0, place.center().y);
        let square = Rect::from_center_size(at + vec2(4.0, 0.0), Vec2::splat(8.0));
        ui.painter().rect_filled(square, 1.0, fill);
        let text = frames_of(name, side);
        ui.painter().text(at + vec2(12.0, 0.0), Align2::LEFT_CENTER, text, figures(), SOFT);
    }
}

fn frames_of(name: &str, side: &SideFigures) -> String {
    match side.frames {
        0 => format!("{name} no frames yet"),
        n => format!("{name} {n:>8} frames"),
    }
}

/// The prediction of each refresh less the refresh: above the middle it came before it was predicted.
pub fn phase_error(ui: &mut Ui, errors: &[i64], height: f32) {
    if errors.is_empty() {
        title(ui, "PhaseError: not measured, nobody says when refreshes are", "");
        plot(ui, height);
        return;
    }
    let errors = &errors[errors.len().saturating_sub(FRAMES)..];
    let mut sizes: Vec<u64> = errors.iter().map(|ns| ns.unsigned_abs()).collect();
    sizes.sort_unstable();
    let full = (quantile::of_sorted(&sizes, 0.9).unwrap_or(0) as f32 / 1e6 * 1.6).max(0.1);
    title(ui, "PhaseError, ms: predicted - actual refresh", format!("±{:>7}", figure(full.into())));
    let (rect, painter) = plot(ui, height);
    let rect = rect.shrink2(vec2(0.0, 1.5));
    painter.hline(rect.x_range(), rect.center().y, Stroke::new(1.0, LINE));
    for (i, ns) in errors.iter().enumerate() {
        let y = rect.center().y - (*ns as f32 / 1e6 / full).clamp(-1.0, 1.0) * rect.height() / 2.0;
        let at = pos2(rect.left() + i as f32 * STEP + 1.0, y);
        painter.rect_filled(Rect::from_center_size(at, Vec2::splat(2.0)), 0.0, GOOD);
    }
}

/// Room for a plot, as wide as there is.
fn plot(ui: &mut Ui, height: f32) -> (Rect, egui::Painter) {
    let rect = line(ui, height);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, PLOT);
    (rect, painter)
}

/// A part of a strip's column, in shares of its height.
fn bar(painter: &egui::Painter, rect: Rect, i: usize, from: f32, height: f32, fill: Color32) {
    let x = rect.left() + i as f32 * STEP;
    let y = |share: f32| rect.bottom() - share.clamp(0.0, 1.0) * rect.height();
    let bar = Rect::from_min_max(Pos2::new(x, y(from + height)), Pos2::new(x + STEP - GAP, y(from)));
    painter.rect_filled(bar, 0.0, fill);
}

/// Over a column that goes on beyond the plot.
fn cap(painter: &egui::Painter, rect: Rect, i: usize) {
    let left = pos2(rect.left() + i as f32 * STEP, rect.top());
    painter.rect_filled(Rect::from_min_size(left, vec2(STEP - GAP, 2.0)), 0.0, INK);
}
