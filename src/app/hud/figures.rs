//! What is computed anew a few times a second: percentiles, histograms, and who is to blame.

use std::time::Duration;

use scanout::runtime::FrameInfo;
use scanout::stats::{FrameRecord, Metric, Unit, enough_for};

use super::sides::{METRICS, Side, Sides};
use super::stands::{Ours, Shared, Stands};
use super::strip::{Blame, Long};
use super::values::{Values, axis, cumulative, histogram, quantile};

/// Bins of the histogram and steps of the curve over it.
pub const BINS: usize = 60;
/// The latency that is drawn.
pub const LATENCY: Metric = Metric::SampleToPhoton;

/// A row of the table, in the metric's unit.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Row {
    /// `None` where the values are too few for it: it would be the largest under another name.
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: f64,
}

impl Row {
    fn of(sorted: &[i64], unit: f64) -> Option<Self> {
        let at = |q| quantile(sorted, q).map(|value| value as f64 / unit);
        let told = |q| at(q).filter(|_| enough_for(sorted.len() as u64, q));
        Some(Self { p50: told(0.5), p95: told(0.95), p99: told(0.99), max: at(1.0)? })
    }
}

/// One side's.
#[derive(Clone, Debug, Default)]
pub struct SideFigures {
    pub frames: u64,
    /// What they were measured under; `None` while there are none.
    pub stands: Option<Stands>,
    /// In the order of [`METRICS`]; `None`: not measured.
    pub rows: [Option<Row>; METRICS.len()],
    /// Shares of the frames in bins of latency, and up to each.
    pub histogram: Vec<f32>,
    pub cumulative: Vec<f32>,
}

/// Whether the size of a metric's values is shown: an animation that is ahead is as wrong as one that is behind, and the P99 of
/// signed values would be of those ahead alone.
pub const fn by_size(metric: Metric) -> bool {
    matches!(metric, Metric::AnimationError)
}

/// The values as they are shown, from the smallest to the largest.
fn sorted(metric: Metric, values: &Values) -> Vec<i64> {
    let mut sorted = values.sorted();
    if by_size(metric) {
        sorted.iter_mut().for_each(|value| *value = value.saturating_abs());
        sorted.sort_unstable();
    }
    sorted
}

#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub a: SideFigures,
    pub b: SideFigures,
    /// The end of the latency axis, in nanoseconds.
    pub full: i64,
    pub blame: Blame,
    /// Of B, which aims at no time: how many were long.
    pub long: Long,
    /// What passes take the GPU: median and, of enough frames, P99 in milliseconds, of the whole run.
    pub passes: Vec<(&'static str, f64, Option<f64>)>,
}

impl Figures {
    /// Allocates.
    pub fn of(sides: &Sides<Ours, Shared>, frame: &FrameInfo<'_>, recent: &[FrameRecord]) -> Self {
        let all_sorted = |side: Side| METRICS.map(|m| Some(sorted(m, sides.figures(side)?.1.values(m)?)));
        let (a, b) = (all_sorted(Side::A), all_sorted(Side::B));
        let latency = |side: &[Option<Vec<i64>>]| {
            let at = METRICS.iter().position(|m| *m == LATENCY).unwrap_or(0);
            side[at].clone().unwrap_or_default()
        };
        let (latency_a, latency_b) = (latency(&a), latency(&b));
        let full = axis(&[&latency_a, &latency_b]);
        let side = |which: Side, sorted: &[Option<Vec<i64>>], latency: &[i64]| {
            let n = latency.len().max(1) as f32;
            let mut rows = [None; METRICS.len()];
            for ((row, metric), sorted) in rows.iter_mut().zip(METRICS).zip(sorted) {
                let unit = if metric.unit() == Unit::Frames { 1.0 } else { 1e6 };
                *row = sorted.as_ref().and_then(|sorted| Row::of(sorted, unit));
            }
            let figures = sides.figures(which);
            SideFigures {
                frames: figures.map_or(0, |(_, figures)| figures.frames),
                stands: figures.map(|(under, _)| Stands::of(under)),
                rows,
                histogram: histogram(latency, full, BINS).into_iter().map(|n_bin| n_bin as f32 / n).collect(),
                cumulative: cumulative(latency, full, BINS),
            }
        };
        let refresh = frame.pacer.state().refresh.unwrap_or(Duration::ZERO);
        let passes = frame.stats.gpu_passes().iter();
        Self {
            a: side(Side::A, &a, &latency_a),
            b: side(Side::B, &b, &latency_b),
            full,
            blame: Blame::of(recent, refresh, frame.pacer.interval()),
            long: Long::of(recent, frame.pacer.interval(), |record| sides.side_of(record) == Some(Side::B)),
            passes: passes.filter_map(|(name, t)| t.summary().map(|s| (name, s.p50, s.told_p99()))).collect(),
        }
    }

    pub const fn side(&self, side: Side) -> &SideFigures {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn animation_errors_count_by_their_size_and_all_else_as_it_is() {
        let mut values = Values::new(8);
        [-9, 2, -1, 4].into_iter().for_each(|value| values.push(value));
        assert_eq!(sorted(Metric::AnimationError, &values), [1, 2, 4, 9]);
        assert_eq!(sorted(Metric::RenderTime, &values), [-9, -1, 2, 4]);
    }
}
