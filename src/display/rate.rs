//! The refresh rate that a source's samples come to.

use std::time::Duration;

use crate::pacing::VblankSample;

/// A longer gap starts the measurement anew: nothing is known of what happened in it.
const GAP: Duration = Duration::from_secs(1);
/// Refreshes that a rate is told from.
const LEAST: u64 = 30;

/// Measures the rate of refreshes that carry a count. Pure, constant size.
#[derive(Copy, Clone, Debug, Default)]
pub struct RefreshRate {
    last: Option<VblankSample>,
    refreshes: u64,
    span: Duration,
}

impl RefreshRate {
    /// Takes a sample in.
    pub fn add(&mut self, sample: &VblankSample) {
        let Some(last) = self.last.replace(*sample) else { return };
        let step = sample.at.saturating_since(last.at);
        // Without a count nobody knows how many refreshes a step took: frame callbacks come as often as frames do.
        let (Some(a), Some(b)) = (last.sequence, sample.sequence) else { return };
        if b > a && step > Duration::ZERO && step < GAP {
            self.refreshes += b - a;
            self.span += step;
        }
    }

    /// Refreshes per second, when there were enough.
    #[must_use]
    pub fn hz(&self) -> Option<f64> {
        (self.refreshes >= LEAST && !self.span.is_zero())
            .then(|| self.refreshes as f64 / self.span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::Origin;
    use crate::time::Timestamp;

    fn hz(samples: impl Iterator<Item = (u64, Option<u64>)>) -> Option<f64> {
        let mut rate = RefreshRate::default();
        for (us, sequence) in samples {
            let at = Timestamp::from_nanos(us * 1_000);
            rate.add(&VblankSample { at, sequence, period: None, origin: Origin::Compositor });
        }
        rate.hz()
    }

    #[test]
    fn counted_refreshes_give_the_rate_though_some_are_not_seen() {
        let seen = (0..500_u64).filter(|n| n % 7 != 0 && n % 11 != 0);
        let got = hz(seen.map(|n| (1_000 + n * 16_667, Some(n)))).expect("enough samples");
        assert!((got - 59.998_8).abs() < 1e-3, "{got}");
    }

    #[test]
    fn gaps_counters_that_jump_back_and_few_or_uncounted_samples_tell_nothing() {
        assert_eq!(hz((0..100).map(|n| (n * 16_667, None))), None);
        assert_eq!(hz((0..100).map(|n| (n * 2_000_000, Some(n)))), None);
        assert_eq!(hz((0..100).map(|n| (n * 16_667, Some(500 - n)))), None);
        assert_eq!(hz((0..20).map(|n| (n * 16_667, Some(n)))), None);
    }
}
