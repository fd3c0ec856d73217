//! The charts of a scenario.

use plotters::prelude::*;

use super::chart::{BASE, Drawn, GRID, INK, LETTERS, NEW, ON_PART, PARTS, draw, text, tick};
use super::frames::Way;
use super::{LETTER_OF, ms};
use crate::app::bench::result::{Figures, ScenarioResult};
use scanout::stats::blame::Part;

const FONT: &str = "sans-serif";
const HEIGHT: u32 = 270;
const BINS: usize = 48;
/// Points of a curve: more than there are columns of pixels are not seen.
const POINTS: usize = 240;

/// Longer times than a day, in milliseconds, are nobody's; plotters does not come to an end with the steps of such an axis.
const LONGEST: f64 = 86_400_000.0;

/// Values of a metric, sorted, and where its charts end.
pub struct Values {
    new: Vec<f64>,
    base: Vec<f64>,
    low: f64,
    high: f64,
}

impl Values {
    /// `None` where there are none.
    pub fn new(metric: &str, new: &ScenarioResult, base: Option<&ScenarioResult>) -> Option<Self> {
        let sorted = |s: &ScenarioResult| {
            let mut all = s.samples.get(metric).map(|s| s.ms.clone()).unwrap_or_default();
            all.retain(|ms| ms.abs() < LONGEST);
            all.sort_by(f64::total_cmp);
            all
        };
        let (new, base) = (sorted(new), base.map(sorted).unwrap_or_default());
        if new.is_empty() {
            return None;
        }
        // A few stragglers shall not press everything else to the edge; the caption counts them.
        let end = |all: &[f64]| match all.last() {
            Some(max) => max.min((at(all, 0.95) * 2.0).max(at(all, 0.5) * 3.0)),
            None => 0.0,
        };
        let start = |all: &[f64]| all.first().copied().unwrap_or(f64::INFINITY);
        let high = end(&new).max(end(&base)).max(0.001);
        let low = start(&new).min(start(&base)).min(high);
        // Latencies are read from zero, unless that leaves most of the chart empty.
        let low = if low > 0.0 && low < 0.7 * high { 0.0 } else { low };
        Some(Self { new, base, low, high: if high > low { high } else { low + 1.0 } })
    }

    pub fn has_base(&self) -> bool {
        !self.base.is_empty()
    }

    /// What the chart cannot show.
    pub fn beyond(&self) -> String {
        let beyond = |all: &[f64]| all.iter().filter(|v| **v > self.high).count();
        match (beyond(&self.new), beyond(&self.base)) {
            (0, 0) => String::new(),
            (n, 0) => format!(" {n} of {} values lie beyond the right edge.", self.new.len()),
            (n, m) => format!(" Beyond the right edge lie {n} values, and {m} of the base."),
        }
    }

    pub fn percentiles(&self) -> String {
        let of = |all: &[f64]| {
            let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| ms(at(all, q)));
            format!("P50 {p50}, P95 {p95}, P99 {p99} ms of {}", all.len())
        };
        match self.has_base() {
            true => format!("This result: {}. Base: {}.", of(&self.new), of(&self.base)),
            false => format!("{}.", of(&self.new)),
        }
    }
}

/// The smallest value that the share `q` does not exceed.
fn at(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// A line through some points.
fn line(
    points: impl IntoIterator<Item = (f64, f64)>,
    colour: RGBColor,
    width: u32,
) -> [PathElement<(f64, f64)>; 1] {
    [PathElement::new(points.into_iter().collect::<Vec<_>>(), colour.stroke_width(width))]
}

/// How often each latency came: filled for this result, a line for the base.
pub fn histogram(metric: &str, v: &Values) -> String {
    draw(HEIGHT, &format!("Histogram of {metric}"), |area| {
        let step = (v.high - v.low) / BINS as f64;
        let shares = |all: &[f64]| -> Vec<f64> {
            let mut bins = vec![0_u64; BINS];
            for value in all.iter().filter(|value| **value <= v.high) {
                bins[(((value - v.low) / step) as usize).min(BINS - 1)] += 1;
            }
            bins.iter().map(|n| 100.0 * *n as f64 / all.len().max(1) as f64).collect()
        };
        let (new, base) = (shares(&v.new), shares(&v.base));
        let top = new.iter().chain(&base).copied().fold(1.0, f64::max) * 1.08;
        let mut chart = ChartBuilder::on(area)
            .margin_right(14)
            .margin_top(8)
            .x_label_area_size(46)
            .y_label_area_size(56)
            .build_cartesian_2d(v.low..v.high, 0.0..top)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(INK)
            .x_labels(6)
            .y_labels(5)
            .x_desc("ms")
            .y_desc("% of frames")
            .x_label_formatter(&tick(v.high - v.low))
            .y_label_formatter(&tick(top))
            .label_style((FONT, LETTERS).into_font().color(&INK))
            .draw()
            .map_err(text)?;
        let edge = |i: usize| v.low + step * i as f64;
        let bars = new.iter().enumerate().filter(|(_, share)| **share > 0.0);
        chart
            .draw_series(
                bars.map(|(i, share)| Rectangle::new([(edge(i), 0.0), (edge(i + 1), *share)], NEW.filled())),
            )
            .map_err(text)?;
        if v.has_base() {
            let outline =
                base.iter().enumerate().flat_map(|(i, share)| [(edge(i), *share), (edge(i + 1), *share)]);
            chart.draw_series(line(outline, BASE, 2)).map_err(text)?;
        }
        Ok(())
    })
}

/// The share of frames that were at most so late: a solid line for this result, a broken one for the base.
pub fn cumulative(metric: &str, v: &Values) -> String {
    draw(HEIGHT, &format!("Cumulative distribution of {metric}"), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(14)
            .margin_top(8)
            .x_label_area_size(46)
            .y_label_area_size(56)
            .build_cartesian_2d(v.low..v.high, 0.0..104.0)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(INK)
            .x_labels(6)
            .y_labels(5)
            .x_desc("ms")
            .y_desc("% at most")
            .x_label_formatter(&tick(v.high - v.low))
            .y_label_formatter(&tick(100.0))
            .label_style((FONT, LETTERS).into_font().color(&INK))
            .draw()
            .map_err(text)?;
        let curve = |all: &[f64]| -> Vec<(f64, f64)> {
            let points = all.len().min(POINTS);
            let part = |i: usize| (i + 1) as f64 / points as f64;
            let inside = (0..points).map(|i| (at(all, part(i)), 100.0 * part(i)));
            std::iter::once((all[0], 0.0)).chain(inside).filter(|(x, _)| *x <= v.high).collect()
        };
        if v.has_base() {
            chart.draw_series(line(curve(&v.base), BASE, 2)).map_err(text)?;
        }
        chart.draw_series(line(curve(&v.new), NEW, 3)).map_err(text)?;
        for (name, q) in [("P50", 0.5), ("P95", 0.95), ("P99", 0.99)] {
            let (x, y) = (at(&v.new, q), 100.0 * q);
            if x > v.high {
                continue;
            }
            chart.draw_series([Circle::new((x, y), 4, INK.filled())]).map_err(text)?;
            // Beside the curve, where there is room; two high percentiles would lie on one another.
            let (left, y) = (x > v.low + 0.65 * (v.high - v.low), if q == 0.95 { y - 9.0 } else { y - 3.0 });
            let anchor = plotters::style::text_anchor::Pos::new(
                if left {
                    plotters::style::text_anchor::HPos::Right
                } else {
                    plotters::style::text_anchor::HPos::Left
                },
                plotters::style::text_anchor::VPos::Top,
            );
            let style = (FONT, LETTERS - 2).into_font().color(&INK).pos(anchor);
            let shift = (v.high - v.low) * if left { -0.02 } else { 0.02 };
            let label = if q == 0.95 { String::new() } else { format!("{name} {} ms", ms(x)) };
            chart.draw_series([Text::new(label, (x + shift, y), style)]).map_err(text)?;
        }
        Ok(())
    })
}

/// The interval before each displayed frame, in their order; of several in a column of pixels the longest.
pub fn intervals(new: &ScenarioResult, refresh_ms: Option<f64>) -> Option<String> {
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
    let usual = at(&sorted, 0.5).max(refresh_ms.unwrap_or(0.0)).max(0.1);
    let top = sorted[sorted.len() - 1].min(usual * 5.0).max(0.1) * 1.15;
    Some(draw(HEIGHT, "Display intervals in the order of frames", |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(14)
            .margin_top(8)
            .x_label_area_size(46)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..(all.len() as f64).max(2.0), 0.0..top)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(INK)
            .x_labels(5)
            .y_labels(5)
            .x_desc("frame")
            .y_desc("ms")
            .x_label_formatter(&tick(all.len() as f64 + 10.0))
            .y_label_formatter(&tick(top))
            .label_style((FONT, LETTERS).into_font().color(&INK))
            .draw()
            .map_err(text)?;
        if let Some(refresh) = refresh_ms.filter(|r| *r > 0.0) {
            let end = (all.len() as f64).max(2.0);
            for k in 1..=(top / refresh).min(12.0) as u32 {
                let y = f64::from(k) * refresh;
                chart.draw_series(line([(0.0, y), (end, y)], GRID, 1)).map_err(text)?;
            }
        }
        let clipped = points.iter().map(|(x, y)| (*x, y.min(top)));
        chart.draw_series(line(clipped, NEW, 1)).map_err(text)?;
        Ok(())
    }))
}

/// The parts of the way from sample to display, one after the other: in the mean, and the P99 of each.
pub fn stages(way: &Way) -> Option<String> {
    let total: f64 = way.parts.iter().flatten().map(|p| p[1]).sum();
    (total > 1e-6 && total < LONGEST).then(|| {
        draw(160, "Parts of the way of a frame, stacked", |area| {
            let sum = |row: usize| way.parts.iter().flatten().map(|p| p[row]).sum::<f64>();
            let right = sum(0).max(sum(1)).max(0.001) * 1.16;
            let names = right * 0.13;
            let mut chart = ChartBuilder::on(area)
                .margin_right(14)
                .margin_top(4)
                .x_label_area_size(46)
                .build_cartesian_2d(-names..right, 0.0..2.0)
                .map_err(text)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .disable_y_axis()
                .axis_style(INK)
                .x_labels(6)
                .x_desc("ms")
                .x_label_formatter(&|x| if *x < -1e-9 { String::new() } else { tick(right)(x) })
                .label_style((FONT, LETTERS).into_font().color(&INK))
                .draw()
                .map_err(text)?;
            for (row, name) in ["mean", "P99"].iter().enumerate() {
                let y = 1.0 - row as f64;
                let label = (FONT, LETTERS).into_font().color(&INK);
                chart.draw_series([Text::new(*name, (-names, y + 0.66), label.clone())]).map_err(text)?;
                let mut from = 0.0;
                for part in Part::ALL {
                    let Some(figures) = way.parts[part as usize] else { continue };
                    let to = from + figures[row];
                    let bar =
                        Rectangle::new([(from, y + 0.2), (to, y + 0.85)], PARTS[part as usize].filled());
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

/// Errors of timing as ranges: a thin line from the smallest to the largest, a thick one from P50 to P95, a tick at P99.
pub fn errors(rows: &[(&str, Figures)]) -> Option<String> {
    let (low, high) =
        rows.iter().fold((0.0_f64, 0.0_f64), |(low, high), (_, f)| (low.min(f.min), high.max(f.max)));
    let span = high - low;
    (span > 1e-6 && span < LONGEST).then(|| {
        draw(70 + 44 * rows.len() as u32, "Errors of timing as ranges", |area| {
            let names = span * 0.5;
            let mut chart = ChartBuilder::on(area)
                .margin_right(14)
                .margin_top(4)
                .x_label_area_size(46)
                .build_cartesian_2d(low - names..high + span * 0.04, 0.0..rows.len() as f64)
                .map_err(text)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .disable_y_axis()
                .axis_style(INK)
                .x_labels(7)
                .x_desc("ms")
                .x_label_formatter(&|x| if *x < low - span * 0.02 { String::new() } else { tick(span)(x) })
                .label_style((FONT, LETTERS).into_font().color(&INK))
                .draw()
                .map_err(text)?;
            chart.draw_series(line([(0.0, 0.0), (0.0, rows.len() as f64)], GRID, 1)).map_err(text)?;
            for (i, (name, f)) in rows.iter().enumerate() {
                let y = rows.len() as f64 - i as f64 - 0.5;
                let label = (FONT, LETTERS - 1).into_font().color(&INK);
                chart
                    .draw_series([Text::new((*name).to_owned(), (low - names, y + 0.18), label)])
                    .map_err(text)?;
                chart.draw_series(line([(f.min, y), (f.max, y)], NEW, 2)).map_err(text)?;
                chart.draw_series(line([(f.p50, y), (f.p95, y)], NEW, 9)).map_err(text)?;
                chart.draw_series(line([(f.p99, y - 0.25), (f.p99, y + 0.25)], NEW, 3)).map_err(text)?;
            }
            Ok(()) as Drawn
        })
    })
}
