//! The charts of a latency: how often each came, and how many were at most so long.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Axis, BASE, INK, LETTERS, NEW, axes, draw, line, text, tick};
use super::figures::{FONT, HEIGHT, LONGEST, POINTS};
use super::ms;
use super::tables::told;
use crate::app::bench::result::ScenarioResult;
use scanout::stats::enough_for;
use scanout::stats::quantile::of_sorted;

const BINS: usize = 48;
/// Times the median: what lies further away would press all else to the edge.
const FAR: f64 = 12.0;

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
            Some(max) => {
                let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| at(all, q));
                // The P99 is what most look for: it is in the chart unless it is itself far off.
                max.min((p95 * 2.0).max(p50 * 3.0).max((p99 * 1.05).min(p50 * FAR)))
            }
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
            let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| told(enough(all, q).then(|| at(all, q))));
            format!("P50 {p50}, P95 {p95}, P99 {p99} (ms, of {} values)", all.len())
        };
        match self.has_base() {
            true => format!("This result: {}. Base: {}.", of(&self.new), of(&self.base)),
            false => format!("{}.", of(&self.new)),
        }
    }
}

/// The quantile of values of which there are some.
fn at(sorted: &[f64], q: f64) -> f64 {
    of_sorted(sorted, q).unwrap_or(f64::NAN)
}

/// Whether there are values enough for a quantile to be more than the largest of them.
fn enough(sorted: &[f64], q: f64) -> bool {
    enough_for(sorted.len() as u64, q)
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
        let x = Axis { range: v.low..v.high, labels: 6, unit: "ms", text: &tick(v.high - v.low) };
        let y = Axis { range: 0.0..top, labels: 5, unit: "% of frames", text: &tick(top) };
        let mut chart = axes(area, x, &Ok(y), true)?;
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

/// The share of frames that were at most so late: a solid line for this result, a broken one for the base. `bound`: no program
/// has its P99 before it.
pub fn cumulative(metric: &str, v: &Values, bound: Option<f64>) -> String {
    draw(HEIGHT, &format!("Cumulative distribution of {metric}"), |area| {
        let x = Axis { range: v.low..v.high, labels: 6, unit: "ms", text: &tick(v.high - v.low) };
        let y = Axis { range: 0.0..104.0, labels: 5, unit: "% at most", text: &tick(100.0) };
        let mut chart = axes(area, x, &Ok(y), true)?;
        if let Some(bound) = bound.filter(|ms| (v.low..=v.high).contains(ms)) {
            chart.draw_series(line([(bound, 0.0), (bound, 104.0)], INK, 1)).map_err(text)?;
        }
        // In steps: between two values the share does not rise.
        let curve = |all: &[f64]| -> Vec<(f64, f64)> {
            let points = all.len().min(POINTS);
            let part = |i: usize| i as f64 / points as f64;
            let stairs = (0..points).flat_map(|i| {
                let x = at(all, part(i + 1));
                [(x, 100.0 * part(i)), (x, 100.0 * part(i + 1))]
            });
            let mut curve: Vec<_> = stairs.take_while(|(x, _)| *x <= v.high).collect();
            curve.insert(0, (v.low, 0.0));
            curve.extend(curve.last().copied().map(|(_, y)| (v.high, y)));
            curve
        };
        if v.has_base() {
            chart.draw_series(line(curve(&v.base), BASE, 2)).map_err(text)?;
        }
        chart.draw_series(line(curve(&v.new), NEW, 3)).map_err(text)?;
        let quantiles = [("P50", 0.5), ("P95", 0.95), ("P99", 0.99)];
        for (name, q) in quantiles.into_iter().filter(|(_, q)| enough(&v.new, *q)) {
            // What lies beyond the edge stands at it, with an arrow.
            let (beyond, x, y) = (at(&v.new, q) > v.high, at(&v.new, q).min(v.high), 100.0 * q);
            let filled = if beyond { INK.stroke_width(2) } else { INK.filled() };
            chart.draw_series([Circle::new((x, y), 4, filled)]).map_err(text)?;
            // Beside the curve, where there is room; two high percentiles would lie on one another.
            if q == 0.95 && !beyond {
                continue;
            }
            let (left, y) = (x > v.low + 0.65 * (v.high - v.low), if q == 0.95 { y - 11.0 } else { y - 3.0 });
            let side = if left { HPos::Right } else { HPos::Left };
            let style = (FONT, LETTERS - 2).into_font().color(&INK).pos(Pos::new(side, VPos::Top));
            let shift = (v.high - v.low) * if left { -0.02 } else { 0.02 };
            let arrow = if beyond { " →" } else { "" };
            let label = format!("{name} {} ms{arrow}", ms(at(&v.new, q)));
            chart.draw_series([Text::new(label, (x + shift, y), style)]).map_err(text)?;
        }
        Ok(())
    })
}
