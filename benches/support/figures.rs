//! Figures of a series of values, by the project's own rule for percentiles.

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut v: Vec<f64> = values.collect();
    v.sort_by(f64::total_cmp);
    v
}

/// Nearest rank; NaN for no values.
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    scanout::stats::quantile::of_sorted(sorted, p).unwrap_or(f64::NAN)
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(&sorted(values), 0.5)
}

/// Standard deviation about the mean; NaN for no values.
pub fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// The same without the widest hundredth of the values: those furthest from `middle`, to either side, at least one. A late
/// change makes one interval too long and the next too short, so that both ends have to go. NaN where nothing remains.
pub fn deviation_without_widest(values: &[f64], middle: f64) -> f64 {
    let mut v = values.to_vec();
    v.sort_by(|a, b| (a - middle).abs().total_cmp(&(b - middle).abs()));
    v.truncate(v.len() - v.len().div_ceil(100));
    deviation(&v)
}

/// A figure for a table; `-` where it could not be measured.
pub fn figure(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { "-".into() }
}
