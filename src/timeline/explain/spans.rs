use crate::time::{Timestamp, nanos};

/// Stretches of time that do not overlap, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Vec<(Timestamp, Timestamp)>);

impl FromIterator<(Timestamp, Timestamp)> for Spans {
    /// Overlapping ones become one.
    fn from_iter<I: IntoIterator<Item = (Timestamp, Timestamp)>>(spans: I) -> Self {
        let mut all: Vec<_> = spans.into_iter().filter(|(from, to)| from < to).collect();
        all.sort_unstable();
        let mut merged: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }
}

impl Spans {
    /// How many nanoseconds of `from..to` they cover.
    pub(super) fn covered(&self, from: Timestamp, to: Timestamp) -> u64 {
        self.within(from, to).map(|(a, b)| nanos(b.saturating_since(a))).sum()
    }

    /// The parts that lie in `from..to`.
    pub(super) fn within(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        self.0[first..]
            .iter()
            .take_while(move |(start, _)| *start < to)
            .map(move |&(a, b)| (a.max(from), b.min(to)))
    }

    /// The parts of `self` that lie in none of `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        for &(from, to) in &self.0 {
            let mut at = from;
            for (a, b) in other.within(from, to) {
                if at < a {
                    rest.push((at, a));
                }
                at = b;
            }
            if at < to {
                rest.push((at, to));
            }
        }
        Self(rest)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u64) -> Timestamp {
        Timestamp::from_nanos(n)
    }

    fn spans(list: &[(u64, u64)]) -> Spans {
        list.iter().map(|&(a, b)| (at(a), at(b))).collect()
    }

    #[test]
    fn overlapping_spans_count_once() {
        let s = spans(&[(50, 60), (10, 20), (15, 30), (30, 35), (70, 70)]);
        for (from, to, want) in
            [(0, 100, 35), (12, 18, 6), (20, 55, 20), (35, 50, 0), (90, 80, 0), (60, 61, 0)]
        {
            assert_eq!(s.covered(at(from), at(to)), want, "{from}..{to}");
        }
    }

    #[test]
    fn what_is_taken_out_is_gone_and_the_rest_stays() {
        let s = spans(&[(10, 40), (50, 60)]).without(&spans(&[(0, 12), (20, 30), (55, 90)]));
        assert_eq!(s.0, spans(&[(12, 20), (30, 40), (50, 55)]).0);
        assert!(spans(&[(1, 2)]).without(&spans(&[(0, 9)])).is_empty());
    }
}
