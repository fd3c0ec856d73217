//! How far two sets of latencies lie apart, and how certain that is. Frames follow one another and resemble each other, so
//! they are never taken as independent: rounds are, or blocks of frames.

use scanout::sim::Noise;
use statrs::distribution::{ContinuousCDF as _, StudentsT};
use statrs::stats_tests::Alternative;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

use super::Method;
use crate::app::bench::result::Samples;

/// Fewest rounds whose spread says how certain their mean is: from fewer the interval has no use.
const FEWEST_ROUNDS: usize = 4;
/// Fewest values of a round, or of a run, that have a P99.
const P99_OF_ROUND: usize = 100;
const P99_OF_RUN: usize = 500;
/// Fewest blocks that a run is cut into.
const FEWEST_BLOCKS: usize = 8;
/// A block is so many times as long as frames remember: shorter ones make the frames look more independent than they are.
const BLOCK_MEMORY: f64 = 8.0;
/// Resamples, of which only the spread is used: it is right to about 4 %.
const RESAMPLES: usize = 400;
/// Fewest units on a side to which the normal approximation of Mann-Whitney's test applies.
const FEWEST_RANKED: usize = 8;
const CONFIDENCE: f64 = 0.95;

/// The values of one side, by the run that they came from.
pub struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    /// `size`: signs are left out.
    pub fn new(samples: &Samples, size: bool) -> Self {
        let all: Vec<f64> = samples.ms.iter().map(|v| if size { v.abs() } else { *v }).collect();
        let mut rounds = Vec::new();
        let mut rest = &all[..];
        for n in &samples.rounds {
            let (round, others) = rest.split_at(rest.len().min(usize::try_from(*n).unwrap_or(usize::MAX)));
            rounds.push(round.to_vec());
            rest = others;
        }
        if !rest.is_empty() {
            rounds.push(rest.to_vec());
        }
        Self(rounds)
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn all(&self) -> Vec<f64> {
        self.0.concat()
    }

    /// The quantile of each round that has values.
    fn quantiles(&self, q: f64) -> Vec<f64> {
        let rounds = self.0.iter().filter(|r| !r.is_empty());
        rounds.map(|round| quantile(&mut round.clone(), q)).collect()
    }
}

/// What became of a quantile.
#[derive(Copy, Clone, Debug)]
pub struct Shifted {
    pub base: f64,
    pub new: f64,
    pub shift: f64,
    pub low: f64,
    pub high: f64,
    pub p: f64,
}

impl Shifted {
    /// What the two sides allow.
    pub fn method(base: &Rounds, new: &Rounds, paired: bool) -> Method {
        let enough = |r: &Rounds| r.0.iter().filter(|round| !round.is_empty()).count() >= FEWEST_ROUNDS;
        let pairs = base.0.iter().zip(&new.0).filter(|(a, b)| !a.is_empty() && !b.is_empty()).count();
        if paired && pairs >= FEWEST_ROUNDS {
            Method::PairedRounds
        } else if enough(base) && enough(new) {
            Method::Rounds
        } else {
            Method::Blocks
        }
    }

    /// Whether there are values enough for a P99 of each part that is compared.
    pub fn can_tell_p99(base: &Rounds, new: &Rounds, method: Method) -> bool {
        match method {
            Method::Blocks => base.len().min(new.len()) >= P99_OF_RUN,
            _ => base.0.iter().chain(&new.0).all(|round| round.len() >= P99_OF_ROUND),
        }
    }

    /// The shift of quantile `q`.
    pub fn of(base: &Rounds, new: &Rounds, q: f64, method: Method) -> Self {
        let whole = [quantile(&mut base.all(), q), quantile(&mut new.all(), q)];
        let (shift, error, freedom) = match method {
            Method::PairedRounds => {
                let pairs = base.0.iter().zip(&new.0).filter(|(a, b)| !a.is_empty() && !b.is_empty());
                let differences: Vec<f64> =
                    pairs.map(|(a, b)| quantile(&mut b.clone(), q) - quantile(&mut a.clone(), q)).collect();
                let (mean, variance) = moments(&differences);
                (mean, (variance / differences.len() as f64).sqrt(), differences.len() as f64 - 1.0)
            }
            Method::Rounds => welch(&base.quantiles(q), &new.quantiles(q)),
            Method::Blocks => {
                let [a, b] = [bootstrap(&base.all(), q), bootstrap(&new.all(), q)];
                (whole[1] - whole[0], a.error.hypot(b.error), (a.blocks.min(b.blocks) - 1.0).max(1.0))
            }
        };
        let (reach, p) = student(shift, error, freedom);
        Self { base: whole[0], new: whole[1], shift, low: shift - reach, high: shift + reach, p }
    }
}

/// Half the width of the interval, and the chance of such a shift where there is none.
fn student(shift: f64, error: f64, freedom: f64) -> (f64, f64) {
    if shift == 0.0 {
        // Nothing to be explained; the interval is still as wide as the values make it.
        return (student(1.0, error, freedom).0, 1.0);
    }
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) if error > 0.0 => {
            let reach = t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
            (reach, (2.0 * t.cdf(-(shift / error).abs())).min(1.0))
        }
        // Every round says the same, as simulated displays do.
        _ => (0.0, 0.0),
    }
}

/// Welch's difference of means: its error and its degrees of freedom (Welch 1947, Satterthwaite 1946).
fn welch(base: &[f64], new: &[f64]) -> (f64, f64, f64) {
    let (n, m) = (base.len() as f64, new.len() as f64);
    let ((mean_a, var_a), (mean_b, var_b)) = (moments(base), moments(new));
    let (a, b) = (var_a / n, var_b / m);
    let freedom =
        if a + b > 0.0 { (a + b).powi(2) / (a * a / (n - 1.0) + b * b / (m - 1.0)) } else { n.min(m) - 1.0 };
    (mean_b - mean_a, (a + b).sqrt(), freedom)
}

struct Bootstrap {
    /// Standard error of the quantile.
    error: f64,
    /// Blocks that the values were cut into.
    blocks: f64,
}

/// The standard error of a quantile by the moving-block bootstrap (Künsch 1989): runs of successive values are drawn, so that
/// what frames have to do with their neighbours stays.
fn bootstrap(values: &[f64], q: f64) -> Bootstrap {
    let (n, length) = (values.len(), block_length(values, q));
    let mut noise = Noise::new(n as u64);
    let mut drawn = Vec::with_capacity(n + length);
    let figures: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.clear();
            while drawn.len() < n {
                let from = (noise.unit() * (n - length + 1) as f64) as usize;
                drawn.extend_from_slice(&values[from..from + length]);
            }
            drawn.truncate(n);
            quantile(&mut drawn, q)
        })
        .collect();
    // Values near the ends are in fewer blocks, and blocks vary about the mean of all: without the factor the error of
    // few blocks comes out too small.
    let blocks = n as f64 / length as f64;
    Bootstrap { error: (moments(&figures).1 * blocks / (blocks - 1.0).max(1.0)).sqrt(), blocks }
}

/// How many successive values make a block: by the cube root of their number, or by how long they remember whether they are
/// above the quantile, whichever is more.
fn block_length(values: &[f64], q: f64) -> usize {
    let n = values.len();
    let above: Vec<f64> = {
        let at = quantile(&mut values.to_vec(), q);
        values.iter().map(|v| f64::from(u8::from(*v > at))).collect()
    };
    let (mean, variance) = moments(&above);
    let longest = (n / FEWEST_BLOCKS).max(1);
    let mut memory = 1.0;
    if variance > 0.0 {
        for lag in 1..longest {
            let products = above.iter().zip(&above[lag..]).map(|(a, b)| (a - mean) * (b - mean));
            let correlation = products.sum::<f64>() / (n as f64 * variance);
            // Where correlation is lost in noise, the rest of the sum is noise as well.
            if correlation < 2.0 / (n as f64).sqrt() {
                break;
            }
            memory += 2.0 * correlation;
        }
    }
    ((BLOCK_MEMORY * memory).max((n as f64).cbrt()).ceil() as usize).clamp(1, longest)
}

/// Mean and variance (of a sample).
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, if n > 1.0 { squares / (n - 1.0) } else { 0.0 })
}

/// The smallest value that at least the share `q` does not exceed; the values are put into another order. The median of an
/// even number lies between the two in the middle.
fn quantile(values: &mut [f64], q: f64) -> f64 {
    let n = values.len();
    let rank = ((q * n as f64).ceil() as usize).clamp(1, n);
    let (_, at, above) = values.select_nth_unstable_by(rank - 1, f64::total_cmp);
    let at = *at;
    if q == 0.5 && n.is_multiple_of(2) {
        at.midpoint(above.iter().copied().fold(f64::INFINITY, f64::min))
    } else {
        at
    }
}

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

    fn one(ms: &[f64]) -> Rounds {
        Rounds::new(&Samples { every: 1, ms: ms.to_vec(), rounds: Vec::new() }, false)
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        for (values, q, want) in [
            (&mut [3.0, 1.0, 2.0][..], 0.5, 2.0),
            (&mut [4.0, 1.0, 3.0, 2.0], 0.5, 2.5),
            (&mut [5.0], 0.99, 5.0),
            (&mut [1.0, 2.0, 3.0, 4.0], 0.99, 4.0),
            (&mut [1.0, 1.0], 0.5, 1.0),
        ] {
            assert_eq!(quantile(values, q), want);
        }
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

    #[test]
    fn rounds_are_cut_where_the_result_says() {
        let samples = Samples { every: 1, ms: vec![-1.0, 2.0, -3.0], rounds: vec![2, 1] };
        assert_eq!(Rounds::new(&samples, false).0, [vec![-1.0, 2.0], vec![-3.0]]);
        assert_eq!(Rounds::new(&samples, true).0, [vec![1.0, 2.0], vec![3.0]]);
    }

    #[test]
    fn rounds_that_all_say_the_same_leave_nothing_to_chance() {
        let rounds =
            |ms: f64| Rounds::new(&Samples { every: 1, ms: vec![ms; 40], rounds: vec![8; 5] }, false);
        let same = Shifted::of(&rounds(5.0), &rounds(5.0), 0.5, Method::PairedRounds);
        assert_eq!((same.shift, same.p), (0.0, 1.0));
        let slower = Shifted::of(&rounds(5.0), &rounds(6.0), 0.5, Method::PairedRounds);
        assert_eq!((slower.shift, slower.low, slower.high, slower.p), (1.0, 1.0, 1.0, 0.0));
    }

    /// The error of the median of an autoregressive series, against the one that many series show.
    #[test]
    fn the_bootstrap_sees_that_frames_remember() {
        const MEMORY: f64 = 0.8;
        let mut noise = Noise::new(5);
        let mut series = || -> Vec<f64> {
            let mut x = 0.0;
            (0..600)
                .map(|_| {
                    x = MEMORY * x + noise.normal();
                    x
                })
                .collect()
        };
        let medians: Vec<f64> = (0..200).map(|_| quantile(&mut series(), 0.5)).collect();
        let truth = moments(&medians).1.sqrt();
        let seen: Vec<f64> = (0..6).map(|_| bootstrap(&series(), 0.5).error).collect();
        let ratio = moments(&seen).0 / truth;
        // Taken as independent, frames would seem to tell the median three times as well as they do.
        assert!((0.75..1.25).contains(&ratio), "{ratio}");
    }
}
