//! What plots and tables are computed from: the newest values of a metric.

/// The newest values, as many as there is room for.
#[derive(Clone, Debug)]
pub struct Values {
    list: Vec<i64>,
    room: usize,
    next: usize,
}

impl Values {
    /// Takes all its memory at once.
    pub fn new(room: usize) -> Self {
        Self { list: Vec::with_capacity(room), room, next: 0 }
    }

    pub fn push(&mut self, value: i64) {
        if self.list.len() < self.room {
            self.list.push(value);
        } else {
            self.list[self.next] = value;
            self.next = (self.next + 1) % self.room;
        }
    }

    pub fn clear(&mut self) {
        self.list.clear();
        self.next = 0;
    }

    /// From the smallest to the largest.
    pub fn sorted(&self) -> Vec<i64> {
        let mut sorted = self.list.clone();
        sorted.sort_unstable();
        sorted
    }

    #[cfg(test)]
    pub fn quantile(&self, q: f64) -> Option<i64> {
        quantile(&self.sorted(), q)
    }
}

/// The smallest value that at least the share `q` of all does not exceed, as everywhere in the reports.
pub fn quantile(sorted: &[i64], q: f64) -> Option<i64> {
    scanout::stats::quantile::of_sorted(sorted, q)
}

/// How many values lie in each of so many bins of the same width from 0 up; what lies outside is in the first or the last.
pub fn histogram(values: &[i64], full: i64, bins: usize) -> Vec<u32> {
    let mut counts = vec![0; bins];
    for &value in values {
        let share = value as f64 / full.max(1) as f64;
        let bin = (share * bins as f64).clamp(0.0, bins.saturating_sub(1) as f64) as usize;
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    counts
}

/// Which share of all values is at most each of so many steps from 0 to `full`: the steps themselves are the first.
pub fn cumulative(sorted: &[i64], full: i64, steps: usize) -> Vec<f32> {
    let n = sorted.len().max(1) as f32;
    let at = |step: usize| (full as f64 * step as f64 / steps.max(1) as f64) as i64;
    (0..=steps).map(|step| sorted.partition_point(|value| *value <= at(step)) as f32 / n).collect()
}

/// A round number of nanoseconds that most of the values stay below, so that single outliers do not flatten all others and
/// the axis does not change with each of them.
pub fn axis(sorted: &[&[i64]]) -> i64 {
    let most = sorted.iter().filter_map(|sorted| quantile(sorted, 0.99)).max().unwrap_or(0) as f64 * 1.2;
    let steps = [
        0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0,
        5_000.0, 10_000.0,
    ];
    let step = steps.iter().map(|ms| ms * 1e6).find(|step| most <= *step);
    step.unwrap_or(most.max(1.0)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_values_are_kept() {
        let mut values = Values::new(4);
        (1..=10).for_each(|n| values.push(n));
        assert_eq!(values.sorted(), [7, 8, 9, 10]);
        assert_eq!((values.quantile(0.5), values.quantile(1.0)), (Some(8), Some(10)));
        values.clear();
        values.push(3);
        assert_eq!((values.sorted(), values.quantile(0.0)), (vec![3], Some(3)));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn every_value_is_in_one_bin() {
        let values = [-5, 0, 9, 10, 19, 20, 99, 100, 1_000];
        let bins = histogram(&values, 100, 10);
        assert_eq!(bins, [3, 2, 1, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(bins.iter().sum::<u32>() as usize, values.len());
        assert!(histogram(&[1], 0, 0).is_empty());
    }

    #[test]
    fn cumulative_share_rises_to_one_where_all_values_fit() {
        assert_eq!(cumulative(&[0, 10, 10, 40], 40, 4), [0.25, 0.75, 0.75, 0.75, 1.0]);
        assert_eq!(cumulative(&[], 40, 2), [0.0; 3]);
        assert_eq!(cumulative(&[100], 40, 1), [0.0, 0.0], "what is beyond the axis is not on it");
    }

    #[test]
    fn axis_is_round_and_an_outlier_does_not_change_it() {
        let ms = 1_000_000;
        let mut values = vec![3 * ms; 1_000];
        assert_eq!(axis(&[&values]), 5 * ms);
        values.push(400 * ms);
        assert_eq!(axis(&[&values, &[]]), 5 * ms);
        assert_eq!(axis(&[&values, &[30 * ms]]), 50 * ms, "both sides fit");
        assert!(axis(&[]) > 0);
    }
}
