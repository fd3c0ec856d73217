use hdrhistogram::Histogram;

use super::quantile::rank;

/// Longest span that is told apart, in nanoseconds: 100 s. Longer ones count as this long.
const LONGEST: u64 = 100_000_000_000;
/// Significant decimal digits kept of each value: percentiles are right to 0.1 %.
const DIGITS: u8 = 3;
/// Fewest values from which P99.9 is given: with fewer it is the maximum under another name.
pub const P999_NEEDS: u64 = 10_000;

/// Signed spans in nanoseconds, counted into a fixed-size histogram (hdrhistogram): recording neither allocates
/// nor forgets, however long the run. Mean, minimum, maximum and RMS are exact; percentiles are right to 0.1 %.
#[derive(Clone, Debug)]
pub struct Distribution {
    positive: Histogram<u64>,
    negative: Histogram<u64>,
    count: u64,
    sum: f64,
    sum_of_squares: f64,
    min: i64,
    max: i64,
}

impl Default for Distribution {
    fn default() -> Self {
        let histogram = || Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("constant bounds are valid");
        Self {
            positive: histogram(),
            negative: histogram(),
            count: 0,
            sum: 0.0,
            sum_of_squares: 0.0,
            min: i64::MAX,
            max: i64::MIN,
        }
    }
}

/// A [`Distribution`] in a few figures: in milliseconds, or in what [`Metric::unit`](super::Metric::unit) says.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Summary {
    /// How many values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// 95 % of them are at most this.
    pub p95: f64,
    /// 99 % of them are at most this.
    pub p99: f64,
    /// 99.9 % of them are at most this; absent from fewer than 10,000 values.
    pub p999: Option<f64>,
    /// 99 % of their sizes, whatever the sign, are at most this; absent where none is negative, and from fewer than 100 values.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub p99_abs: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Root of the mean square.
    pub rms: f64,
}

/// Whether the quantile `q` (0 to 1) of `n` values is more than the largest of them under another name: at least one lies
/// beyond it. A P95 takes 20 values, a P99 100. (For P99.9 see [`Summary::p999`].)
#[must_use]
pub fn enough_for(n: u64, q: f64) -> bool {
    // A hundredth of a hundred may be a little less than one.
    n as f64 * (1.0 - q) > 1.0 - 1e-9
}

impl Summary {
    /// P50, P95 and P99, each unless it is the largest value under another name: see [`enough_for`].
    #[must_use]
    pub fn told(&self) -> [Option<f64>; 3] {
        [(self.p50, 0.5), (self.p95, 0.95), (self.p99, 0.99)]
            .map(|(figure, q)| enough_for(self.n, q).then_some(figure))
    }

    /// P99, as [`told`](Self::told) has it.
    #[must_use]
    pub fn told_p99(&self) -> Option<f64> {
        self.told()[2]
    }
}

impl Distribution {
    /// Counts one span of `nanos` nanoseconds. About 20 ns; no allocation.
    pub fn record(&mut self, nanos: i64) {
        let size = nanos.unsigned_abs();
        if nanos < 0 {
            self.negative.saturating_record(size);
        } else {
            self.positive.saturating_record(size);
        }
        self.count += 1;
        self.sum += nanos as f64;
        self.sum_of_squares += nanos as f64 * nanos as f64;
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// How many spans were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all spans, in nanoseconds.
    #[must_use]
    pub const fn total(&self) -> f64 {
        self.sum
    }

    /// The [quantile](super::quantile) `q` (0 to 1) by the nearest rank, right to 0.1 %, in nanoseconds; `None` when nothing
    /// was counted.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        let rank = rank(q, self.count as usize) as u64;
        let negatives = self.negative.len();
        let value = if rank <= negatives {
            // The k-th smallest of all is the k-th largest size among the negative ones.
            let k = negatives - rank + 1;
            -(value_at_rank(&self.negative, k) as i64)
        } else {
            value_at_rank(&self.positive, rank - negatives) as i64
        };
        Some(value.clamp(self.min, self.max))
    }

    /// The quantile of the sizes, right to 0.1 %; `None` where no value is negative.
    fn size_quantile(&self, q: f64) -> Option<i64> {
        if self.negative.is_empty() {
            return None;
        }
        let mut left = rank(q, self.count as usize) as u64;
        let (mut below, mut above) =
            (self.negative.iter_recorded().peekable(), self.positive.iter_recorded().peekable());
        loop {
            // The smaller of the next of both.
            let next = match (below.peek(), above.peek()) {
                (Some(b), Some(a)) if b.value_iterated_to() <= a.value_iterated_to() => below.next(),
                (Some(_), None) => below.next(),
                _ => above.next(),
            }?;
            left = left.saturating_sub(next.count_at_value());
            if left == 0 {
                let largest = self.min.unsigned_abs().max(self.max.unsigned_abs());
                return Some(next.value_iterated_to().min(largest) as i64);
            }
        }
    }

    /// The usual figures in milliseconds; `None` when nothing was counted.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        self.summary_in(1e6)
    }

    /// The usual figures in units of so many of what was recorded.
    pub(super) fn summary_in(&self, unit: f64) -> Option<Summary> {
        let scaled = |value: i64| value as f64 / unit;
        let q = |q| self.quantile(q).map(scaled);
        Some(Summary {
            n: self.count,
            mean: self.sum / self.count as f64 / unit,
            p50: q(0.5)?,
            p95: q(0.95)?,
            p99: q(0.99)?,
            p999: if self.count >= P999_NEEDS { q(0.999) } else { None },
            p99_abs: self.size_quantile(0.99).filter(|_| enough_for(self.count, 0.99)).map(scaled),
            min: scaled(self.min),
            max: scaled(self.max),
            rms: (self.sum_of_squares / self.count as f64).sqrt() / unit,
        })
    }

    /// Forgets everything; keeps the storage.
    pub fn clear(&mut self) {
        self.positive.reset();
        self.negative.reset();
        self.count = 0;
        self.sum = 0.0;
        self.sum_of_squares = 0.0;
        self.min = i64::MAX;
        self.max = i64::MIN;
    }
}

fn value_at_rank(histogram: &Histogram<u64>, rank: u64) -> u64 {
    // The middle of a half-rank step: hdrhistogram turns the percentile back into a rank by rounding.
    let percentile = (rank as f64 - 0.5) / histogram.len() as f64 * 100.0;
    histogram.value_at_percentile(percentile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_the_sorted_values() {
        // A deterministic spread over both signs.
        let mut values: Vec<i64> = (0..5_001).map(|i: i64| (i * 7_919 % 5_001 - 1_200) * 10_007).collect();
        let mut d = Distribution::default();
        values.iter().for_each(|&v| d.record(v));
        values.sort_unstable();
        for q in [0.0, 0.01, 0.2, 0.24, 0.5, 0.95, 0.99, 1.0] {
            let want = super::super::quantile::of_sorted(&values, q).unwrap();
            let got = d.quantile(q).unwrap();
            assert!((got - want).abs() as f64 <= want.abs() as f64 * 0.002 + 1.0, "q {q}: {got} for {want}");
        }
    }

    #[test]
    fn summary_of_few_values_withholds_p999() {
        let mut d = Distribution::default();
        assert_eq!(d.summary(), None);
        for _ in 0..P999_NEEDS - 1 {
            d.record(1_000_000);
        }
        assert_eq!(d.summary().unwrap().p999, None);
        d.record(1_000_000);
        let s = d.summary().unwrap();
        assert!((s.p999.unwrap() - 1.0).abs() < 0.002);
        assert!((s.mean - 1.0).abs() < 1e-12 && (s.rms - 1.0).abs() < 1e-12);
    }

    #[test]
    fn percentiles_that_are_the_largest_value_are_not_told() {
        let of = |n: u32| {
            let mut d = Distribution::default();
            (1..=n).for_each(|ms| d.record(i64::from(ms) * 1_000_000));
            let s = d.summary().unwrap();
            s.told().map(|figure| figure.is_some())
        };
        assert_eq!(of(1), [false, false, false]);
        assert_eq!((of(2), of(19)), ([true, false, false], [true, false, false]));
        assert_eq!((of(20), of(99)), ([true, true, false], [true, true, false]));
        assert_eq!(of(100), [true, true, true]);
    }

    #[test]
    fn absurd_values_saturate() {
        let mut d = Distribution::default();
        d.record(i64::MAX);
        d.record(i64::MIN);
        d.record(0);
        let s = d.summary().unwrap();
        assert_eq!(s.n, 3);
        assert!(s.max > s.p50 && s.min < s.p50);
        d.clear();
        assert_eq!(d.quantile(0.5), None);
    }
}
