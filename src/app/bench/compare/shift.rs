//! How far two sets of latencies lie apart, and how certain that is. Frames follow one another and resemble each other, so
//! they are never taken as independent: rounds are, or blocks of frames.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::Method;
use super::spread::{bootstrap, moments, quantile};
use crate::app::bench::result::Samples;

/// Fewest rounds whose spread says how certain their mean is: from fewer the interval has no use.
pub const FEWEST_ROUNDS: usize = 4;
/// Fewest values of a round that have a P99.
pub const P99_OF_ROUND: usize = 100;
/// The same of a run.
const P99_OF_RUN: usize = 500;
const CONFIDENCE: f64 = 0.95;

/// The values of one side, by the run that they came from.
pub struct Rounds(pub(super) Vec<Vec<f64>>);

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

    pub fn all(&self) -> Vec<f64> {
        self.0.concat()
    }

    /// The quantile of each round that has values.
    pub fn quantiles(&self, q: f64) -> Vec<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
