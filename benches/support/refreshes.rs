//! A picture that should change with each refresh of a display: refreshes without a change, and what the machine has to do
//! with them. No clock in here.

use std::time::{Duration, Instant};

use super::ticks::Stops;

/// Counted between changes.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Refreshes {
    pub of: usize,
    /// Without a new picture.
    pub repeated: usize,
    /// What the machine did meanwhile; `None` without witnesses.
    pub stood: Option<Stood>,
}

/// Of refreshes, those at which the machine stood while what they were to show was being made.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Stood {
    /// Of those without a new picture.
    pub repeated: usize,
    /// Of all: so many would be among the others by chance alone.
    pub of: usize,
}

impl Refreshes {
    /// Of pairs of changes, one after the other, on a display with this interval.
    pub fn between(
        pairs: impl Iterator<Item = (Instant, Instant)>,
        refresh: Duration,
        stops: Option<&Stops>,
    ) -> Self {
        let mut seen = Self { stood: stops.map(|_| Stood::default()), ..Self::default() };
        for (from, to) in pairs {
            let n = ((to - from).as_secs_f64() / refresh.as_secs_f64()).round() as usize;
            let repeated = n.saturating_sub(1);
            seen.of += n;
            seen.repeated += repeated;
            // The picture that is due one refresh after `from` is begun at most two refreshes before it is due.
            let since = from.checked_sub(refresh).unwrap_or(from);
            if let (Some(stood), true) = (&mut seen.stood, stops.is_some_and(|s| s.between(since, to))) {
                stood.of += n;
                stood.repeated += repeated;
            }
        }
        seen
    }

    /// Those of several turns.
    pub fn together(turns: impl Iterator<Item = Self>) -> Self {
        let and = |a: Self, b: Self| Self {
            of: a.of + b.of,
            repeated: a.repeated + b.repeated,
            stood: a
                .stood
                .zip(b.stood)
                .map(|(a, b)| Stood { repeated: a.repeated + b.repeated, of: a.of + b.of }),
        };
        turns.reduce(and).unwrap_or_default()
    }
}
