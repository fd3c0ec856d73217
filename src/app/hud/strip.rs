//! The frame strip: one column per frame, late ones marked with the stage at fault.

use std::collections::HashMap;
use std::time::Duration;

use scanout::stats::blame::{Part, Reach, blame};
use scanout::stats::{FrameRecord, Stage};
use scanout::timeline::explain::{Cause, Observed, explain};

/// Frames shown in the strips.
pub const FRAMES: usize = 106;

/// A column that nobody has judged yet is long from so many of the intervals that are aimed at.
const LONG: f32 = 1.5;

/// A column.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Column {
    /// From the frame displayed before it, in milliseconds.
    pub ms: f32,
    pub kind: Kind,
}

/// What is to be said of a frame.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    InTime,
    /// Long, and too new to have been judged, or kept apart from what is judged.
    Long,
    /// With the stage at fault, where one took longer than usual.
    Late(Option<Part>),
    /// It showed an old snapshot again, because the logic was late.
    Stale,
    /// Never displayed.
    Dropped,
}

/// Which of the last frames were late and what made them so, from their stamps alone.
#[derive(Clone, Debug, Default)]
pub struct Blame {
    parts: HashMap<u64, Option<Part>>,
    newest: u64,
    /// Frames that were judged, and the late ones among them.
    pub looked_at: usize,
    pub late: usize,
    /// How many frames each cause made late, the most first; `None`: no cause stands out.
    pub counts: Vec<(Option<Cause>, usize)>,
}

impl Blame {
    /// Looks through `records`, oldest first. The stage at fault is found as in the page of a bench. Allocates; for a few times a
    /// second.
    pub fn of(records: &[FrameRecord], refresh: Duration, interval: Duration) -> Self {
        let explained = explain(&Observed { refresh, interval, warmup: 0, frames: records, events: &[] });
        let mut found = Self {
            newest: records.last().map_or(0, |record| record.id.0),
            looked_at: records.iter().filter(|record| !record.apart).count(),
            late: explained.late.len(),
            ..Self::default()
        };
        for late in &explained.late {
            found.parts.insert(late.frame.0, None);
            match found.counts.iter_mut().find(|(cause, _)| *cause == late.cause) {
                Some((_, count)) => *count += 1,
                None => found.counts.push((late.cause, 1)),
            }
        }
        let by_part = blame(records, Reach::FROM_SAMPLE, |record| found.parts.contains_key(&record.id.0));
        found.parts.extend(by_part.late.iter().map(|late| (late.frame.0, late.part)));
        found.counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        found
    }
}

/// What can be said of frames that aim at no time: how many of those in the strip were long.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Long {
    pub long: usize,
    pub looked_at: usize,
}

impl Long {
    /// Among the newest frames those that `counts` are looked at; a zero `interval` is not known, and nothing is long then.
    pub fn of(records: &[FrameRecord], interval: Duration, counts: impl Fn(&FrameRecord) -> bool) -> Self {
        let shown = &records[records.len().saturating_sub(FRAMES + 1)..];
        let shown: Vec<_> =
            shown.iter().filter(|record| !record.dropped).filter(|record| counts(record)).collect();
        let steps = shown.windows(2).filter(|pair| !pair[1].after_idle).filter_map(|pair| {
            Some(pair[1].at(Stage::Presented)?.signed_since(pair[0].at(Stage::Presented)?) as f32)
        });
        let most = interval.as_nanos() as f32 * LONG;
        let mut found = Self::default();
        for step in steps {
            found.looked_at += 1;
            found.long += usize::from(most > 0.0 && step > most);
        }
        found
    }
}

/// The columns of the last frames, oldest first; a frame without an interval of its own (the first, those after a wait) has
/// none. `interval_ms` is what is aimed at.
pub fn columns(records: &[FrameRecord], blame: &Blame, interval_ms: f32) -> Vec<Option<Column>> {
    let mut before = None;
    let mut columns = Vec::with_capacity(records.len());
    for record in records {
        let Some(shown) = record.at(Stage::Presented).filter(|_| !record.dropped) else {
            columns.push(record.dropped.then_some(Column { ms: 0.0, kind: Kind::Dropped }));
            continue;
        };
        let step = before.replace(shown).filter(|_| !record.after_idle);
        columns.push(step.map(|before| {
            let ms = shown.signed_since(before) as f32 / 1e6;
            let kind = match blame.parts.get(&record.id.0) {
                _ if record.stale => Kind::Stale,
                Some(part) => Kind::Late(*part),
                None if (record.id.0 > blame.newest || record.apart) && ms > interval_ms * LONG => Kind::Long,
                None => Kind::InTime,
            };
            Column { ms, kind }
        }));
    }
    columns.split_off(columns.len().saturating_sub(FRAMES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanout::pacing::FrameId;
    use scanout::time::Timestamp;

    const T: u64 = 10_000_000;

    /// Sampled, drawn and displayed in order; `logic` nanoseconds of logic.
    fn frame(id: u64, shown: u64, logic: u64) -> FrameRecord {
        let mut record = FrameRecord::new(FrameId(id));
        let begin = shown * T - 5_000_000 - logic;
        let at = Timestamp::from_nanos;
        record.planned = Some(at(begin));
        record.mark(Stage::InputSampled, at(begin));
        record.mark(Stage::LogicDone, at(begin + logic));
        record.mark(Stage::SnapshotPublished, at(begin + logic));
        record.mark(Stage::SnapshotAcquired, at(begin + logic));
        record.mark(Stage::Submitted, at(begin + logic + 1_000_000));
        record.mark(Stage::SwapBegin, at(begin + logic + 1_000_000));
        record.mark(Stage::SwapEnd, at(begin + logic + 1_100_000));
        record.mark(Stage::GpuDone, at(begin + logic + 2_000_000));
        record.mark(Stage::Presented, at(shown * T));
        record
    }

    #[test]
    fn frame_that_the_logic_made_late_is_marked_with_it() {
        let mut records: Vec<_> = (1..=40).map(|n| frame(n, n, 500_000)).collect();
        records.extend((41..=60).map(|n| frame(n, n + 1, if n == 41 { 9_500_000 } else { 500_000 })));
        let span = Duration::from_nanos(T);
        let blame = Blame::of(&records, span, span);
        assert_eq!(blame.counts, [(Some(Cause::Logic), 1)]);
        assert_eq!((blame.late, blame.looked_at), (1, 60));
        let columns = columns(&records, &blame, 10.0);
        assert_eq!(columns[0], None, "nothing was displayed before it");
        assert_eq!(columns[40], Some(Column { ms: 20.0, kind: Kind::Late(Some(Part::Logic)) }));
        let others = columns.iter().flatten().filter(|c| c.kind == Kind::InTime && c.ms == 10.0);
        assert_eq!(others.count(), 58);
    }

    #[test]
    fn long_frames_are_marked_at_once_and_blamed_when_they_are_judged() {
        let mut records: Vec<_> = (1..=40).map(|n| frame(n, n, 500_000)).collect();
        let span = Duration::from_nanos(T);
        let before = Blame::of(&records, span, span);
        records.push(frame(41, 43, 500_000));
        let last = |blame: &Blame| columns(&records, blame, 10.0).last().copied().flatten().map(|c| c.kind);
        assert_eq!(last(&before), Some(Kind::Long));
        // It was sampled late, and every stage took what it takes.
        assert_eq!(last(&Blame::of(&records, span, span)), Some(Kind::Late(None)));
        // Those of the naive loop aim at nothing; that they are long is seen all the same.
        records.iter_mut().for_each(|record| record.apart = true);
        let apart = Blame::of(&records, span, span);
        assert_eq!((apart.late, apart.looked_at), (0, 0));
        let kinds = columns(&records, &apart, 10.0).into_iter().flatten().map(|c| c.kind);
        assert_eq!(kinds.filter(|kind| *kind == Kind::Long).count(), 1);
    }

    #[test]
    fn of_the_naive_loop_only_its_own_long_frames_are_counted() {
        let mut records: Vec<_> = (1..=40).map(|n| frame(n, n + 3 * (n / 20), 500_000)).collect();
        let span = Duration::from_nanos(T);
        let from = |first: u64| move |record: &FrameRecord| record.id.0 >= first;
        assert_eq!(Long::of(&records, span, from(21)), Long { long: 1, looked_at: 19 });
        assert_eq!(Long::of(&records, span, from(1)), Long { long: 2, looked_at: 39 });
        assert_eq!(Long::of(&records, Duration::ZERO, from(1)), Long { long: 0, looked_at: 39 });
        assert_eq!(Long::of(&records, span, |_| false), Long::default());
        records[39].after_idle = true;
        assert_eq!(Long::of(&records, span, from(21)), Long { long: 0, looked_at: 18 });
    }

    #[test]
    fn dropped_stale_and_first_frames_are_what_they_are() {
        let mut records: Vec<_> = (1..=6).map(|n| frame(n, n, 0)).collect();
        records[1].dropped = true;
        records[2].stale = true;
        records[4].after_idle = true;
        let kinds: Vec<_> =
            columns(&records, &Blame::default(), 10.0).iter().map(|c| c.map(|c| (c.ms, c.kind))).collect();
        let in_time = Some((10.0, Kind::InTime));
        assert_eq!(
            kinds,
            [None, Some((0.0, Kind::Dropped)), Some((20.0, Kind::Stale)), in_time, None, in_time]
        );
        let many: Vec<_> = (1..=400).map(|n| frame(n, n, 0)).collect();
        assert_eq!(columns(&many, &Blame::default(), 10.0).len(), FRAMES);
    }
}
