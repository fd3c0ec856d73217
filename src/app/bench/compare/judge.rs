//! The verdicts, with the number of comparisons allowed for.

use super::{Comparison, MetricComparison, Options, Shift, Verdict};

/// The part of the false alarms that are allowed which medians may make; tails have the rest.
const MEDIAN_SHARE: f64 = 0.8;

/// Gives the verdicts, with the number of comparisons allowed for: Holm's procedure, once over medians and once over tails.
pub fn judge(all: &mut Comparison) {
    let Options { smallest_ms, smallest_share, false_alarms, .. } = all.options;
    let families = [
        (MEDIAN_SHARE, (|m| Some(&mut m.median)) as fn(&mut MetricComparison) -> Option<&mut Shift>),
        (1.0 - MEDIAN_SHARE, |m| m.p99.as_mut()),
    ];
    for (share, pick) in families {
        let metrics = all.scenarios.iter_mut().flat_map(|s| &mut s.metrics);
        let mut family: Vec<&mut Shift> = metrics.filter_map(pick).collect();
        family.sort_by(|a, b| a.p.total_cmp(&b.p));
        let mut largest = 0.0_f64;
        let of = family.len();
        for (i, shift) in family.into_iter().enumerate() {
            largest = largest.max((of - i) as f64 * shift.p / share);
            shift.p_adjusted = largest.min(1.0);
            let wanted = smallest_ms.max(smallest_share * shift.base.abs());
            let shown = shift.p_adjusted <= false_alarms && shift.shift.abs() >= wanted;
            shift.verdict = match shift.shift > 0.0 {
                _ if !shown => Verdict::NoDifferenceShown,
                true => Verdict::Slower,
                false => Verdict::Faster,
            };
        }
    }
}
