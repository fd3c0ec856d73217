//! The charts of intervals, of the parts of frames and of errors.

use plotters::prelude::*;

use super::chart::{Axis, Drawn, GRID, INK, LETTERS, NEW, ON_PART, axes, colour, draw, line, text, tick};
use super::frames::Way;
use super::ms;
use crate::app::bench::result::{Figures, ScenarioResult};
use crate::app::palette::{LETTER_OF, PARTS};
use scanout::stats::blame::Part;
use scanout::stats::quantile::of_sorted;

pub const FONT: &str = "sans-serif";
pub const HEIGHT: u32 = 270;
/// Points of a curve: more than there are columns of pixels are not seen.
pub const POINTS: usize = 240;

/// Longer times than a day, in milliseconds, are nobody's; plotters does not come to an end with the steps of such an axis.
pub const LONGEST: f64 = 86_400_000.0;

/// The interval before each displayed frame, in their order; of several in a column of pixels the longest. And how many
/// intervals are longer than there is room for.
pub fn intervals(new: &ScenarioResult, refresh_ms: Option<f64>) -> Option<(String, usize)> {
    let mut all = new.samples.get("MsBetweenDisplayChange")?.ms.clone();
    all.retain(|ms| (0.0..LONGEST).contains(ms));
    if all.is_empty() {
        return None;
    }
    let chunk = all.len().div_ceil(POINTS);
    let points: Vec<(f64, f64)> = all
        .chunks(chunk)
        .enumerate()
        .map(|(i, c)| ((i * chunk) as f64, c.iter().copied().fold(f64::NEG_INFINITY, f64::max)))
        .collect();
    let mut sorted: Vec<f64> = all.clone();
    sorted.sort_by(f64::total_cmp);
    // A scene that rests shows nothing for seconds; what is of interest lies about the refresh.
    let refresh_ms = refresh_ms.filter(|ms| (0.01..LONGEST).contains(ms));
    let usual = of_sorted(&sorted, 0.5).unwrap_or(0.0).max(refresh_ms.unwrap_or(0.0)).max(0.1);
    let top = sorted[sorted.len() - 1].min(usual * 5.0).max(0.1) * 1.15;
    let cut = all.iter().filter(|ms| **ms > top).count();
    let chart = draw(HEIGHT, "Display intervals in the order of frames", |area| {
        let end = (all.len() as f64).max(2.0);
        let x = Axis { range: 0.0..end, labels: 5, unit: "frame", text: &tick(end + 10.0) };
        let y = Axis { range: 0.0..top, labels: 5, unit: "ms", text: &tick(top) };
        let mut chart = axes(area, x, &Ok(y), false)?;
        if let Some(refresh) = refresh_ms.filter(|r| *r > 0.0) {
            for k in 1..=(top / refresh).min(12.0) as u32 {
                let y = f64::from(k) * refresh;
                chart.draw_series(line([(0.0, y), (end, y)], GRID, 1)).map_err(text)?;
            }
        }
        let clipped = points.iter().map(|(x, y)| (*x, y.min(top)));
        chart.draw_series(line(clipped, NEW, 1)).map_err(text)?;
        Ok(())
    });
    Some((chart, cut))
}

/// The parts of the way from sample to display, one after the other: in the mean, and the P99 of each (of few frames the largest).
pub fn stages(way: &Way) -> Option<String> {
    let total: f64 = way.parts.iter().flatten().map(|p| p[1]).sum();
    (total > 1e-6 && total < LONGEST).then(|| {
        draw(160, "Parts of the way of a frame, stacked", |area| {
            let sum = |row: usize| way.parts.iter().flatten().map(|p| p[row]).sum::<f64>();
            let right = sum(0).max(sum(1)).max(0.001) * 1.16;
            let names = right * 0.13;
            let number = |x: &f64| if *x < -1e-9 { String::new() } else { tick(right)(x) };
            let x = Axis { range: -names..right, labels: 6, unit: "ms", text: &number };
            let mut chart = axes(area, x, &Err(2), false)?;
            for (row, name) in ["mean", way.far_name()].iter().enumerate() {
                let y = 1.0 - row as f64;
                let label = (FONT, LETTERS).into_font().color(&INK);
                chart.draw_series([Text::new(*name, (-names, y + 0.66), label.clone())]).map_err(text)?;
                let mut from = 0.0;
                for part in Part::ALL {
                    let Some(figures) = way.parts[part as usize] else { continue };
                    let to = from + figures[row];
                    let fill = colour(PARTS[part as usize]).filled();
                    let bar = Rectangle::new([(from, y + 0.2), (to, y + 0.85)], fill);
                    chart.draw_series([bar]).map_err(text)?;
                    if to - from > right * 0.05 {
                        let letter = (FONT, LETTERS).into_font().color(&ON_PART);
                        let place = (from.midpoint(to) - right * 0.014, y + 0.66);
                        chart
                            .draw_series([Text::new(LETTER_OF[part as usize], place, letter)])
                            .map_err(text)?;
                    }
                    from = to;
                }
                let total = ms(from);
                chart
                    .draw_series([Text::new(total, (from + right * 0.01, y + 0.66), label)])
                    .map_err(text)?;
            }
            Ok(())
        })
    })
}

/// Errors of timing as ranges: a thin line from min to max, a thick one from P50 to P95, a tick at P99, these where
/// there are enough values.
pub fn errors(rows: &[(&str, Figures)]) -> Option<String> {
    let (low, high) =
        rows.iter().fold((0.0_f64, 0.0_f64), |(low, high), (_, f)| (low.min(f.min), high.max(f.max)));
    let span = high - low;
    (span > 1e-6 && span < LONGEST).then(|| {
        draw(70 + 44 * rows.len() as u32, "Errors of timing as ranges", |area| {
            let names = span * 0.5;
            let number = |x: &f64| if *x < low - span * 0.02 { String::new() } else { tick(span)(x) };
            let range = low - names..high + span * 0.04;
            let mut chart =
                axes(area, Axis { range, labels: 7, unit: "ms", text: &number }, &Err(rows.len()), false)?;
            chart.draw_series(line([(0.0, 0.0), (0.0, rows.len() as f64)], GRID, 1)).map_err(text)?;
            for (i, (name, f)) in rows.iter().enumerate() {
                let y = rows.len() as f64 - i as f64 - 0.5;
                let label = (FONT, LETTERS - 1).into_font().color(&INK);
                chart
                    .draw_series([Text::new((*name).to_owned(), (low - names, y + 0.18), label)])
                    .map_err(text)?;
                chart.draw_series(line([(f.min, y), (f.max, y)], NEW, 2)).map_err(text)?;
                let [p50, p95, p99] = f.told();
                if let (Some(p50), Some(p95)) = (p50, p95) {
                    chart.draw_series(line([(p50, y), (p95, y)], NEW, 9)).map_err(text)?;
                }
                if let Some(p99) = p99 {
                    chart.draw_series(line([(p99, y - 0.25), (p99, y + 0.25)], NEW, 3)).map_err(text)?;
                }
            }
            Ok(()) as Drawn
        })
    })
}
