use serde::Serialize;

/// Fewest values from which P95 is given: with fewer it is the maximum under another name.
pub const P95_NEEDS: usize = 20;
/// The same of P99.
pub const P99_NEEDS: usize = 100;

/// Values in milliseconds, in a few figures and each by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub n: usize,
    /// Absent, as the others are, when there are no values.
    pub p50: Option<f64>,
    /// Absent below [`P95_NEEDS`] values.
    pub p95: Option<f64>,
    /// Absent below [`P99_NEEDS`] values.
    pub p99: Option<f64>,
    pub max: Option<f64>,
    /// In the order in which they were measured.
    pub values: Vec<f64>,
}

impl Figures {
    pub fn of(values: Vec<f64>) -> Self {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|p| percentile(&sorted, p));
        let n = values.len();
        let (p95, p99) = (p95.filter(|_| n >= P95_NEEDS), p99.filter(|_| n >= P99_NEEDS));
        Self { n, p50, p95, p99, max, values }
    }

    /// Whether a percentile is absent because there are too few values for it.
    pub const fn withholds(&self) -> bool {
        self.n > 0 && self.n < P99_NEEDS
    }

    /// Standard deviation about the mean; `None` from fewer than two values.
    pub fn deviation(&self) -> Option<f64> {
        let n = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / n;
        (self.values.len() > 1)
            .then(|| (self.values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    }
}

/// Nearest rank: the smallest value that at least this share of them does not exceed.
pub fn percentile(sorted: &[f64], p: f64) -> Option<f64> {
    scanout::stats::quantile::of_sorted(sorted, p)
}

pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_and_nothing_is_no_figure() {
        let figures = Figures::of((1..=200).rev().map(f64::from).collect());
        assert_eq!(
            (figures.n, figures.p50, figures.p95, figures.p99, figures.max),
            (200, Some(100.0), Some(190.0), Some(198.0), Some(200.0))
        );
        assert_eq!(figures.values[0], 200.0, "the order of measuring is kept");
        let short = |n: u32| {
            let of = Figures::of((1..=n).map(f64::from).collect());
            (of.p50.is_some(), of.p95, of.p99, of.max)
        };
        assert_eq!(short(19), (true, None, None, Some(19.0)), "the largest has one name");
        assert_eq!(short(20), (true, Some(19.0), None, Some(20.0)));
        assert_eq!(short(99), (true, Some(95.0), None, Some(99.0)));
        assert_eq!(short(100), (true, Some(95.0), Some(99.0), Some(100.0)));
        let none = Figures::of(Vec::new());
        assert_eq!((none.n, none.p50, none.max, none.deviation()), (0, None, None, None));
        assert_eq!(Figures::of(vec![1.0, 3.0]).deviation(), Some(1.0));
    }
}
