//! A and B: frames with our pacing, and frames of the loop that others have. Each frame belongs to one of them or to none.

use scanout::Pacing;
use scanout::pacing::FrameId;
use scanout::runtime::SETTLING;
use scanout::stats::{FrameRecord, Metric, Stage, frame_values};
use scanout::time::Timestamp;

use super::values::Values;

/// Frames of each side that figures are computed from: the newest.
const KEPT: usize = 4_096;
/// Switches whose frames may still be on their way.
const SWITCHES: usize = 16;
/// Sets of figures that are kept, a quarter of a megabyte each.
const SETS: usize = 8;

/// The metrics that are shown.
pub const METRICS: [Metric; 8] = [
    Metric::SampleToPhoton,
    Metric::LatchToPhoton,
    Metric::ClickToPhoton,
    Metric::MsBetweenDisplayChange,
    Metric::AnimationError,
    Metric::MsInPresentAPI,
    Metric::RenderTime,
    Metric::QueueDepth,
];

/// Whose pacing a frame was drawn with.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Side {
    /// Ours, in whatever mode.
    A,
    /// [`Pacing::Naive`].
    B,
}

impl Side {
    pub const fn of(mode: Pacing) -> Self {
        if matches!(mode, Pacing::Naive) { Self::B } else { Self::A }
    }
}

/// What frames are drawn under.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions<A, S> {
    /// What concerns only A: mode, layout, miss budget.
    pub ours: A,
    /// What concerns both: load, size.
    pub shared: S,
}

/// What a set of figures stands for.
#[derive(Clone, Debug)]
pub struct Under<A, S> {
    pub side: Side,
    pub conditions: Conditions<A, S>,
}

impl<A: PartialEq, S: PartialEq> Under<A, S> {
    /// What is set for A is nothing to B.
    fn same(&self, other: &Self) -> bool {
        let (a, b) = (&self.conditions, &other.conditions);
        self.side == other.side && a.shared == b.shared && (self.side == Side::B || a.ours == b.ours)
    }
}

/// The figures of one side.
#[derive(Debug)]
pub struct Figures {
    values: [Values; METRICS.len()],
    /// Frames that were counted since they began.
    pub frames: u64,
}

impl Figures {
    fn new() -> Self {
        Self { values: std::array::from_fn(|_| Values::new(KEPT)), frames: 0 }
    }

    /// The newest values of one of [`METRICS`], in nanoseconds (frames, for a number of frames).
    pub fn values(&self, metric: Metric) -> Option<&Values> {
        METRICS.iter().position(|m| *m == metric).map(|at| &self.values[at])
    }

    fn count(&mut self, previous: Option<&FrameRecord>, record: &FrameRecord) {
        self.frames += 1;
        frame_values(previous, record, |metric, nanos| {
            if let Some(at) = METRICS.iter().position(|m| *m == metric) {
                self.values[at].push(nanos);
            }
        });
    }

    fn clear(&mut self) {
        self.values.iter_mut().for_each(Values::clear);
        self.frames = 0;
    }
}

/// From a frame on another side, or other conditions, are in force.
#[derive(Clone, Debug)]
struct Switch<A, S> {
    from: FrameId,
    /// `None`: its frames count for nobody.
    under: Option<Under<A, S>>,
    /// Frames that begin before this are settling.
    counts_from: Timestamp,
}

/// Sorts frames into the two sides, and on each of them into what they were drawn under. Figures are never begun anew because
/// something was pressed: what is measured under other conditions is kept beside them, and they go on when theirs come back.
#[derive(Debug)]
pub struct Sides<A, S> {
    under: Option<Under<A, S>>,
    switches: Vec<Switch<A, S>>,
    /// The one that was counted into last stands last.
    sets: Vec<(Under<A, S>, Figures)>,
    /// Figures without values, to be used again.
    spare: Vec<Figures>,
    seen: FrameId,
    /// The last frame that was watched, and whether nobody has looked since.
    drawn: FrameId,
    hidden: bool,
    /// The last frame that was counted, and the first after the switch before it.
    previous: Option<(FrameRecord, FrameId)>,
}

impl<A: PartialEq + Clone, S: PartialEq + Clone> Sides<A, S> {
    pub fn new() -> Self {
        Self {
            under: None,
            switches: Vec::with_capacity(SWITCHES),
            sets: Vec::with_capacity(SETS),
            spare: Vec::with_capacity(SETS),
            seen: FrameId(0),
            drawn: FrameId(0),
            hidden: false,
            previous: None,
        }
    }

    /// What was measured last on a side, and what it stands for; `None` while nothing was.
    pub fn figures(&self, side: Side) -> Option<&(Under<A, S>, Figures)> {
        self.sets.iter().rfind(|(under, _)| under.side == side)
    }

    /// Frame `id` is drawn now, on this side and under these conditions.
    pub fn drawing(&mut self, id: FrameId, now: Timestamp, side: Side, conditions: Conditions<A, S>) {
        let under = Under { side, conditions };
        let same = self.under.as_ref().is_some_and(|before| before.same(&under));
        if !same || self.hidden {
            self.switch(Switch { from: id, under: Some(under.clone()), counts_from: now + SETTLING });
        }
        self.hidden = false;
        self.drawn = id;
        self.under = Some(under);
    }

    /// Counts what is new among the finished frames, oldest first.
    pub fn finished<'a>(&mut self, records: impl Iterator<Item = &'a FrameRecord>) {
        for record in records {
            if record.id <= self.seen {
                continue;
            }
            self.seen = record.id;
            if record.dropped || record.at(Stage::Presented).is_none() {
                continue;
            }
            let counts = self.switch_of(record).and_then(|switch| Some((switch.from, switch.under.clone()?)));
            let Some((from, under)) = counts else {
                self.previous = None;
                continue;
            };
            let previous = self.previous.take().filter(|(_, of)| *of == from).map(|(record, _)| record);
            self.set(under).count(previous.as_ref(), record);
            self.previous = Some((*record, from));
        }
    }

    /// The figures that stand for this, now the last.
    fn set(&mut self, under: Under<A, S>) -> &mut Figures {
        let at = self.sets.iter().rposition(|(of, _)| of.same(&under)).unwrap_or_else(|| {
            let figures = match self.spare.pop() {
                Some(spare) => spare,
                None if self.sets.len() < SETS => Figures::new(),
                None => self.oldest(),
            };
            self.sets.push((under, figures));
            self.sets.len() - 1
        });
        self.sets[at..].rotate_left(1);
        let last = self.sets.len() - 1;
        &mut self.sets[last].1
    }

    /// Takes away what was counted into longest ago and is not shown.
    fn oldest(&mut self) -> Figures {
        let shown = |at: &usize| !self.sets[at + 1..].iter().any(|(of, _)| of.side == self.sets[*at].0.side);
        let at = (0..self.sets.len()).find(|at| !shown(at)).unwrap_or(0);
        let (_, mut figures) = self.sets.remove(at);
        figures.clear();
        figures
    }

    /// The side that a frame counts for; `None` while things settle, and for frames from before this was watched.
    pub fn side_of(&self, record: &FrameRecord) -> Option<Side> {
        Some(self.switch_of(record)?.under.as_ref()?.side)
    }

    /// The switch that a frame counts from.
    fn switch_of(&self, record: &FrameRecord) -> Option<&Switch<A, S>> {
        let switch = self.switches.iter().rev().find(|switch| switch.from <= record.id)?;
        let began = record.at(Stage::SnapshotAcquired)?;
        (began >= switch.counts_from).then_some(switch)
    }

    /// How long the side in force still settles.
    pub fn settles(&self, now: Timestamp) -> Option<std::time::Duration> {
        let until = self.switches.last()?.counts_from;
        (until > now).then(|| until.saturating_since(now))
    }

    /// Nobody looks any more: frames from here to the next that is [drawn](Self::drawing) count for nobody, whatever mode they
    /// are drawn in. What was counted stays.
    pub fn hide(&mut self) {
        let from = self.drawn.next();
        self.switch(Switch { from, under: None, counts_from: Timestamp::MAX });
        self.hidden = true;
    }

    fn switch(&mut self, switch: Switch<A, S>) {
        if self.switches.len() == SWITCHES {
            self.switches.remove(0);
        }
        self.switches.push(switch);
    }

    /// All figures begin anew, with the frame that is drawn next. Those that are still on their way are not counted.
    pub fn restart(&mut self) {
        // The next frames are compared: they are not to pay for new memory.
        for (_, mut figures) in self.sets.drain(..) {
            figures.clear();
            self.spare.push(figures);
        }
        self.switches.iter_mut().for_each(|switch| switch.under = None);
        self.under = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const T: u64 = 10_000_000;

    /// A frame every 10 ms, displayed 4 ms after it began.
    fn frame(id: u64) -> FrameRecord {
        let mut record = FrameRecord::new(FrameId(id));
        let at = |ns: u64| Timestamp::from_nanos(id * T + ns);
        record.mark(Stage::InputSampled, at(0));
        record.mark(Stage::SnapshotAcquired, at(0));
        record.mark(Stage::SwapBegin, at(1_000_000));
        record.mark(Stage::Presented, at(4_000_000));
        record
    }

    fn run(sides: &mut Sides<u8, u8>, frames: std::ops::Range<u64>, side: Side, ours: u8, shared: u8) {
        for id in frames {
            sides.drawing(FrameId(id), Timestamp::from_nanos(id * T), side, Conditions { ours, shared });
            // They finish three frames later.
            let done: Vec<_> = (id.saturating_sub(10)..id.saturating_sub(2)).map(frame).collect();
            sides.finished(done.iter());
        }
    }

    fn of(sides: &Sides<u8, u8>, side: Side) -> (u64, Option<(u8, u8)>) {
        sides.figures(side).map_or((0, None), |(under, figures)| {
            (figures.frames, Some((under.conditions.ours, under.conditions.shared)))
        })
    }

    fn counted(sides: &Sides<u8, u8>) -> (u64, u64) {
        (of(sides, Side::A).0, of(sides, Side::B).0)
    }

    const SETTLE: u64 = SETTLING.as_nanos() as u64 / T;

    #[test]
    fn frames_count_for_the_side_that_drew_them_and_not_while_it_settles() {
        let mut sides = Sides::new();
        run(&mut sides, 1..301, Side::A, 0, 0);
        let a = 300 - SETTLE - 3;
        assert_eq!(counted(&sides), (a, 0));
        run(&mut sides, 301..601, Side::B, 0, 0);
        // The last three of A came after the switch and are A's; the gap between the sides is nobody's interval.
        let b = 300 - SETTLE - 3;
        assert_eq!(counted(&sides), (a + 3, b));
        run(&mut sides, 601..701, Side::A, 0, 0);
        assert_eq!(counted(&sides), (a + 3, b + 3), "A settles again and keeps what it had");
        run(&mut sides, 701..801, Side::A, 0, 0);
        assert_eq!(counted(&sides), (a + 3 + 100 - 3, b + 3));
        for side in [Side::A, Side::B] {
            let steps = sides.figures(side).unwrap().1.values(Metric::MsBetweenDisplayChange).unwrap();
            assert_eq!(steps.quantile(1.0), Some(T as i64), "no step runs from one side to the other");
        }
    }

    #[test]
    fn hiding_keeps_the_figures_and_counts_nothing_meanwhile() {
        let mut sides = Sides::new();
        run(&mut sides, 1..301, Side::A, 0, 0);
        run(&mut sides, 301..601, Side::B, 0, 0);
        let (a, b) = counted(&sides);
        assert!(a > 0 && b > 0);
        sides.hide();
        // Frames 601 to 900, of whatever side, were drawn unseen; they finish as all others do.
        let conditions = Conditions { ours: 0, shared: 0 };
        sides.drawing(FrameId(901), Timestamp::from_nanos(901 * T), Side::A, conditions);
        let unseen: Vec<_> = (598..901).map(frame).collect();
        sides.finished(unseen.iter());
        assert_eq!(counted(&sides), (a, b + 3), "the last three of B were still on their way");
        run(&mut sides, 902..901 + SETTLE + 50, Side::A, 0, 0);
        assert_eq!(counted(&sides), (a + 50 - 3, b + 3), "it settles and goes on");
        // Another mode, set meanwhile, takes nothing away either.
        sides.hide();
        let kept = counted(&sides);
        run(&mut sides, 2_000..2_001, Side::A, 1, 0);
        assert_eq!(counted(&sides), (kept.0, b + 3));
    }

    #[test]
    fn nothing_that_is_set_takes_away_what_was_measured() {
        let mut sides = Sides::new();
        run(&mut sides, 1..301, Side::A, 0, 0);
        run(&mut sides, 301..601, Side::B, 0, 0);
        let (a, b) = counted(&sides);
        assert!(a > 0 && b > 0);
        // A's mode is set while B runs: nothing to B, which does not settle again, and A's figures stay what they are.
        run(&mut sides, 601..602, Side::B, 1, 0);
        assert_eq!((of(&sides, Side::A), of(&sides, Side::B)), ((a, Some((0, 0))), (b + 1, Some((0, 0)))));
        // Another load begins other figures of B once it has settled. Those of A stay, and say what they stand for.
        run(&mut sides, 602..602 + SETTLE, Side::B, 1, 1);
        assert_eq!(of(&sides, Side::B), (b + 4, Some((0, 0))));
        assert_eq!(sides.settles(Timestamp::from_nanos(602 * T)), Some(Duration::from_secs(1)));
        run(&mut sides, 602 + SETTLE..702 + SETTLE, Side::B, 1, 1);
        assert_eq!(of(&sides, Side::B), (100 - 3, Some((1, 1))));
        assert_eq!(of(&sides, Side::A), (a, Some((0, 0))));
        // What was measured under the first load goes on where that comes back, whatever is set for A.
        run(&mut sides, 1_000..1_010 + SETTLE, Side::B, 2, 0);
        assert_eq!(of(&sides, Side::B).0, b + 4 + 10 - 3);
        sides.restart();
        run(&mut sides, 2_000..2_010, Side::B, 2, 0);
        assert_eq!((of(&sides, Side::A), of(&sides, Side::B)), ((0, None), (0, None)));
    }

    #[test]
    fn of_many_conditions_the_newest_are_kept_and_the_other_side_is_never_pushed_out() {
        let mut sides = Sides::new();
        let mut at = 1;
        let mut stretch = |sides: &mut Sides<u8, u8>, side, ours| {
            run(sides, at..at + SETTLE + 20, side, ours, 0);
            at += SETTLE + 20;
        };
        stretch(&mut sides, Side::A, 0);
        stretch(&mut sides, Side::B, 0);
        let a = counted(&sides).0;
        for shared in 1..40 {
            let from = 10_000 * u64::from(shared);
            run(&mut sides, from..from + SETTLE + 20, Side::B, 0, shared);
        }
        assert_eq!(sides.sets.len(), SETS);
        assert_eq!(of(&sides, Side::A), (a, Some((0, 0))), "A is still to be compared with");
        assert_eq!(of(&sides, Side::B), (17, Some((0, 39))));
    }
}
