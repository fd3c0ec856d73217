//! The one rule for percentiles: the nearest rank, without interpolation. The quantile `q` of `n` values is the value in place
//! `ceil(q * n)` of them in order (counted from 1): the smallest that at least the share `q` does not exceed. It is always one
//! of the values, and the median of an even number is the lower of the two in the middle. [`Distribution`](super::Distribution)
//! follows the same rule to within its buckets (0.1 %).

use super::Summary;
use super::distribution::{P999_NEEDS, enough_for};

/// The place, from 1, of the quantile `q` (0 to 1; what lies outside counts as the nearest end) among `n` values in order; 0 where
/// there are none.
#[must_use]
pub fn rank(q: f64, n: usize) -> usize {
    // 0.07 * 100 is a hair above 7: a product that is whole but for rounding is whole.
    let place = q.clamp(0.0, 1.0) * n as f64;
    let whole = place.round();
    let place = if (place - whole).abs() <= 1e-9 * whole { whole } else { place.ceil() };
    (place as usize).clamp(usize::from(n > 0), n)
}

/// The quantile `q` of values that are in order; `None` where there are none.
#[must_use]
pub fn of_sorted<T: Copy>(sorted: &[T], q: f64) -> Option<T> {
    sorted.get(rank(q, sorted.len()).checked_sub(1)?).copied()
}

/// The quantile `q` of values in any order, which it puts into another; `None` where there are none. The time is that of a look
/// at each value, not of sorting them.
pub fn select<T: Copy>(values: &mut [T], q: f64, by: impl FnMut(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    let at = rank(q, values.len()).checked_sub(1)?;
    Some(*values.select_nth_unstable_by(at, by).1)
}

/// The quantile of the sizes of values in order; `None` where none is negative.
fn size_quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let (mut first, mut last) = (sorted.iter().peekable(), sorted.iter().rev().peekable());
    if **first.peek()? >= 0.0 {
        return None;
    }
    // The largest sizes are at the ends.
    let larger = sorted.len() - rank(q, sorted.len());
    let mut size = None;
    for _ in 0..=larger {
        let (low, high) = (first.peek()?.abs(), last.peek()?.abs());
        size = if low > high { first.next() } else { last.next() };
    }
    size.map(|value| value.abs())
}

impl Summary {
    /// The figures of these values, in their own unit: exact, where a [`Distribution`](super::Distribution) rounds. `None` where
    /// there are none. Puts them in order.
    #[must_use]
    pub fn of_values(values: &mut [f64]) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let q = |q| of_sorted(values, q);
        let n = values.len() as f64;
        Some(Self {
            n: values.len() as u64,
            mean: values.iter().sum::<f64>() / n,
            p50: q(0.5)?,
            p95: q(0.95)?,
            p99: q(0.99)?,
            p999: if values.len() as u64 >= P999_NEEDS { q(0.999) } else { None },
            p99_abs: size_quantile(values, 0.99).filter(|_| enough_for(values.len() as u64, 0.99)),
            min: *values.first()?,
            max: *values.last()?,
            rms: (values.iter().map(|v| v * v).sum::<f64>() / n).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Distribution;
    use super::*;

    #[test]
    fn the_rank_is_the_nearest_and_never_between_two_values() {
        for (q, n, want) in [
            (0.0, 5, 1),
            (0.5, 1, 1),
            (0.5, 4, 2),
            (0.5, 5, 3),
            (0.07, 100, 7),
            (0.95, 20, 19),
            (0.99, 100, 99),
            (0.99, 101, 100),
            (0.999, 10_000, 9_990),
            (1.0, 7, 7),
            (7.0, 7, 7),
            (-1.0, 7, 1),
            (f64::NAN, 7, 1),
            (0.5, 0, 0),
        ] {
            assert_eq!(rank(q, n), want, "{q} of {n}");
        }
        assert_eq!(of_sorted(&[1, 2, 3, 4], 0.5), Some(2));
        assert_eq!(of_sorted::<u64>(&[], 0.5), None);
        assert_eq!(select(&mut [4.0, 1.0, 3.0, 2.0], 0.75, f64::total_cmp), Some(3.0));
        assert_eq!(select(&mut [0_i64; 0], 0.75, i64::cmp), None);
    }

    #[test]
    fn exact_figures_are_those_of_the_distribution_but_for_its_buckets() {
        let mut all = Distribution::default();
        let mut values: Vec<f64> = (0..12_345_i64)
            .map(|i| {
                let nanos = (i * 7_919 % 12_345 - 3_000) * 10_007;
                all.record(nanos);
                nanos as f64 / 1e6
            })
            .collect();
        let (exact, rounded) = (Summary::of_values(&mut values).unwrap(), all.summary().unwrap());
        let near = |a: f64, b: f64| (a - b).abs() <= 0.002 * a.abs().max(b.abs());
        assert!(near(exact.p50, rounded.p50) && near(exact.p95, rounded.p95) && near(exact.p99, rounded.p99));
        assert!(near(exact.p999.unwrap(), rounded.p999.unwrap()));
        let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        assert_eq!(exact.p99_abs, of_sorted(&sizes, 0.99));
        assert!(near(exact.p99_abs.unwrap(), rounded.p99_abs.unwrap()));
        assert!(near(exact.mean, rounded.mean) && near(exact.rms, rounded.rms));
        assert_eq!((exact.n, exact.min, exact.max), (rounded.n, rounded.min, rounded.max));
        assert_eq!(Summary::of_values(&mut []), None);
    }

    #[test]
    fn sizes_are_told_where_there_are_signs_and_enough_values() {
        let both = |values: &[i64]| {
            let mut all = Distribution::default();
            values.iter().for_each(|&ms| all.record(ms * 1_000_000));
            let exact = Summary::of_values(&mut values.iter().map(|&ms| ms as f64).collect::<Vec<_>>());
            (exact.unwrap().p99_abs, all.summary().unwrap().p99_abs)
        };
        let early: Vec<i64> = (-50..50).collect();
        let (exact, rounded) = both(&early);
        assert_eq!(exact, Some(49.0));
        assert!(rounded.is_some_and(|size| (size - 49.0).abs() < 0.1), "{rounded:?}");
        let late: Vec<i64> = (-99..1).collect();
        assert_eq!(both(&late).0, Some(98.0));
        assert_eq!(both(&(0..100).collect::<Vec<_>>()), (None, None), "no signs");
        assert_eq!(both(&(-50..49).collect::<Vec<_>>()), (None, None), "99 values");
    }
}
