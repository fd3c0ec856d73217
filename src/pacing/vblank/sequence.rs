//! What the source's own numbers of refreshes say.

use super::window::{Seen, WINDOW};
use super::{AGREE, REJECT_RUN, close, distance};

/// Sequence numbers that agreed with the stamps before they are used to count across a gap.
const SEQUENCE_TRUST: u32 = 8;

/// Disagreeing sequence numbers in a row that end the trust. One alone may be the stamp's fault.
const SEQUENCE_MISSES: u32 = 3;

/// Whether the source's sequence numbers count refreshes.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Sequence {
    /// A sequence number and the index of the same refresh, which later ones are compared with.
    pub(super) anchor: Option<(u64, u64)>,
    pub(super) agreed: u32,
    pub(super) missed: u32,
    /// Times in a row that numbers and the stated period spoke together against the model.
    pub(super) contradicted: u32,
}

impl Sequence {
    pub(super) fn compare(&mut self, sequence: Option<u64>, index: u64) {
        let Some(q) = sequence else { return };
        let agrees = self.anchor.is_some_and(|(q0, i0)| q.wrapping_sub(q0) == index.wrapping_sub(i0));
        if agrees {
            (self.anchor, self.missed) = (Some((q, index)), 0);
            self.agreed = self.agreed.saturating_add(1);
        } else {
            self.missed += 1;
            if self.missed >= SEQUENCE_MISSES || self.anchor.is_none() {
                *self = Self { anchor: Some((q, index)), contradicted: self.contradicted, ..Self::default() };
            }
        }
    }

    /// The index that belongs to sequence number `q`, where the numbers are trusted.
    pub(super) fn index(&self, q: u64) -> Option<u64> {
        let (q0, i0) = self.anchor.filter(|_| self.agreed >= SEQUENCE_TRUST)?;
        i0.checked_add(q.checked_sub(q0)?)
    }

    /// Whether numbers and stated period have spoken together for another period than `period` for long enough.
    /// Without this a rate that fell to half of it would pass for one that is sampled every second time.
    pub(super) fn contradicts(
        &mut self,
        stated: Option<f64>,
        period: f64,
        new: &Seen,
        last: Option<&Seen>,
    ) -> bool {
        let other = last
            .and_then(|last| {
                let numbers = new.sequence?.checked_sub(last.sequence?).filter(|&n| n > 0)?;
                Some(distance(new.at, last.at) / numbers as f64)
            })
            .is_some_and(|p| stated.is_some_and(|s| close(p, s, AGREE) && !close(s, period, AGREE)));
        self.contradicted = if other { self.contradicted + 1 } else { 0 };
        self.contradicted >= REJECT_RUN
    }
}

/// The period that the sequence numbers make of the samples, where most of them speak for one.
pub(super) fn sequence_period(samples: &[Seen]) -> Option<f64> {
    let mut slopes = [0.0; WINDOW];
    let mut count = 0;
    for pair in samples.windows(2) {
        let numbers = pair[1].sequence?.wrapping_sub(pair[0].sequence?);
        if (1..1000).contains(&numbers) {
            slopes[count] = distance(pair[1].at, pair[0].at) / numbers as f64;
            count += 1;
        }
    }
    let slopes = &mut slopes[..count];
    slopes.sort_unstable_by(f64::total_cmp);
    let median = *slopes.get(count / 2)?;
    let agreeing = slopes.iter().filter(|&&s| close(s, median, 0.2)).count();
    (agreeing * 5 >= (samples.len() - 1) * 4).then_some(median)
}

/// How far a period may be from [`sequence_slope`], as a share of that.
pub(super) const SLOPE_AGREE: f64 = 0.25;

/// The time per number over all samples, to about the share that one stamp's error is of their whole span. `None` where a
/// sample has no number, and where the numbers do not go up with the times.
pub(super) fn sequence_slope(samples: &[Seen]) -> Option<f64> {
    let ascending = samples.windows(2).all(|pair| pair[0].sequence < pair[1].sequence);
    let (first, last) = (samples.first()?, samples.last()?);
    let numbers = last.sequence?.checked_sub(first.sequence?).filter(|_| ascending)?;
    (numbers > 0).then(|| distance(last.at, first.at) / numbers as f64)
}
