//! What the order of values says of two sides: how often one is above the other, and whether that may be chance.

use statrs::stats_tests::Alternative;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

use super::Method;
use super::shift::Rounds;
use super::spread::{block_length, quantile};

/// Fewest units on a side to which the normal approximation of Mann-Whitney's test applies.
const FEWEST_RANKED: usize = 8;

/// Cliff's delta (1993), from -1 (every new value is below every one of the base) to 1.
pub fn cliffs_delta(base: &Rounds, new: &Rounds) -> f64 {
    let [mut a, mut b] = [base.all(), new.all()];
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut below, mut up_to, mut sum) = (0, 0, 0.0);
    for value in &b {
        while below < a.len() && a[below] < *value {
            below += 1;
        }
        up_to = up_to.max(below);
        while up_to < a.len() && a[up_to] <= *value {
            up_to += 1;
        }
        sum += below as f64 - (a.len() - up_to) as f64;
    }
    sum / (a.len() as f64 * b.len() as f64)
}

/// Mann-Whitney's test on medians of what may be taken as independent.
pub fn mann_whitney(base: &Rounds, new: &Rounds, method: Method) -> Option<f64> {
    let units = |side: &Rounds| match method {
        Method::PairedRounds => Vec::new(),
        Method::Rounds => side.quantiles(0.5),
        Method::Blocks => {
            let all = side.all();
            let blocks = all.chunks_exact(block_length(&all, 0.5));
            blocks.map(|block| quantile(&mut block.to_vec(), 0.5)).collect()
        }
    };
    let [a, b] = [units(base), units(new)];
    if a.len().min(b.len()) < FEWEST_RANKED {
        return None;
    }
    let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
    let (_, p) = mannwhitneyu(&a, &b, method, Alternative::TwoSided).ok()?;
    p.is_finite().then_some(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::result::Samples;

    fn one(ms: &[f64]) -> Rounds {
        Rounds::new(&Samples { every: 1, ms: ms.to_vec(), rounds: Vec::new() }, false)
    }

    #[test]
    fn cliffs_delta_counts_pairs() {
        for (a, b, want) in [
            (&[1.0, 2.0][..], &[3.0, 4.0][..], 1.0),
            (&[3.0, 4.0], &[1.0], -1.0),
            (&[1.0, 2.0], &[1.0, 2.0], 0.0),
            (&[1.0, 2.0, 3.0, 4.0], &[2.0, 2.0], -0.25), // below 1, equal 1, above 2
        ] {
            assert!((cliffs_delta(&one(a), &one(b)) - want).abs() < 1e-12, "{a:?} {b:?}");
        }
    }
}
