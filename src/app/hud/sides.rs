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

/// What figures are measured under. Where it changes they begin anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions<A, S> {
    /// What concerns only A: mode, layout, miss budget.
    pub ours: A,
    /// What concerns both: load, size.
    pub shared: S,
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
#[derive(Copy, Clone, Debug)]
struct Switch {
    from: FrameId,
    side: Side,
    /// Frames that begin before this are settling.
    counts_from: Timestamp,
    /// Its frames belong to figures that were begun anew since.
    over: bool,
}

/// Sorts frames into the two sides.
#[derive(Debug)]
pub struct Sides<A, S> {
    conditions: Option<Conditions<A, S>>,
    switches: Vec<Switch>,
    a: Figures,
    b: Figures,
    seen: FrameId,
    /// The last frame that was watched, and whether nobody has looked since.
    drawn: FrameId,
    hidden: bool,
    previous: Option<(FrameRecord, Side)>,
}

impl<A: PartialEq, S: PartialEq> Sides<A, S> {
    pub fn new() -> Self {
        Self {
            conditions: None,
            switches: Vec::with_capacity(SWITCHES),
            a: Figures::new(),
            b: Figures::new(),
            seen: FrameId(0),
            drawn: FrameId(0),
            hidden: false,
            previous: None,
        }
    }

    pub const fn figures(&self, side: Side) -> &Figures {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// Frame `id` is drawn now, on this side and under these conditions.
    pub fn drawing(&mut self, id: FrameId, now: Timestamp, side: Side, conditions: Conditions<A, S>) {
        let last = self.switches.last().map(|switch| switch.side);
        let same = |f: fn(&Conditions<A, S>, &Conditions<A, S>) -> bool| {
            self.conditions.as_ref().is_some_and(|before| f(before, &conditions))
        };
        let (same_ours, same_shared) = (same(|a, b| a.ours == b.ours), same(|a, b| a.shared == b.shared));
        // What is set for A while B runs is in force when A does.
        if !same_ours || !same_shared {
            self.clear(Side::A);
        }
        if !same_shared {
            self.clear(Side::B);
        }
        let touched = !same_shared || (!same_ours && side == Side::A);
        if last != Some(side) || touched || std::mem::take(&mut self.hidden) {
            self.switch(Switch { from: id, side, counts_from: now + SETTLING, over: false });
        }
        self.hidden = false;
        self.drawn = id;
        self.conditions = Some(conditions);
    }

    /// Frames of this side that are still on their way are not counted either.
    fn clear(&mut self, side: Side) {
        match side {
            Side::A => self.a.clear(),
            Side::B => self.b.clear(),
        }
        self.switches.iter_mut().filter(|switch| switch.side == side).for_each(|switch| switch.over = true);
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
            let Some(side) = self.side_of(record) else {
                self.previous = None;
                continue;
            };
            let previous = self.previous.as_ref().filter(|(_, of)| *of == side).map(|(record, _)| record);
            match side {
                Side::A => self.a.count(previous, record),
                Side::B => self.b.count(previous, record),
            }
            self.previous = Some((*record, side));
        }
    }

    /// The side that a frame counts for; `None` while things settle, and for frames from before this was watched.
    pub fn side_of(&self, record: &FrameRecord) -> Option<Side> {
        let switch = self.switches.iter().rev().find(|switch| switch.from <= record.id)?;
        let began = record.at(Stage::SnapshotAcquired)?;
        (began >= switch.counts_from && !switch.over).then_some(switch.side)
    }

    /// How long the side in force still settles.
    pub fn settles(&self, now: Timestamp) -> Option<std::time::Duration> {
        let until = self.switches.last()?.counts_from;
        (until > now).then(|| until.saturating_since(now))
    }

    /// Nobody looks any more: frames from here to the next that is [drawn](Self::drawing) count for nobody, whatever mode they
    /// are drawn in. What was counted stays.
    pub fn hide(&mut self) {
        if let Some(side) = self.switches.last().map(|switch| switch.side) {
            let from = self.drawn.next();
            self.switch(Switch { from, side, counts_from: Timestamp::MAX, over: true });
        }
        self.hidden = true;
    }

    fn switch(&mut self, switch: Switch) {
        if self.switches.len() == SWITCHES {
            self.switches.remove(0);
        }
        self.switches.push(switch);
    }

    /// Both begin anew, with the frame that is drawn now.
    pub fn restart(&mut self) {
        self.conditions = None;
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

    fn counted(sides: &Sides<u8, u8>) -> (u64, u64) {
        (sides.figures(Side::A).frames, sides.figures(Side::B).frames)
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
            let steps = sides.figures(side).values(Metric::MsBetweenDisplayChange).unwrap();
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
        // Another mode, set meanwhile, begins anew as ever.
        sides.hide();
        run(&mut sides, 2_000..2_001, Side::A, 1, 0);
        assert_eq!(counted(&sides), (0, b + 3));
    }

    #[test]
    fn other_conditions_begin_the_figures_anew() {
        let mut sides = Sides::new();
        run(&mut sides, 1..301, Side::A, 0, 0);
        run(&mut sides, 301..601, Side::B, 0, 0);
        let (a, b) = counted(&sides);
        assert!(a > 0 && b > 0);
        run(&mut sides, 601..602, Side::B, 1, 0);
        assert_eq!(counted(&sides), (0, b + 1), "another mode of ours is nothing to B");
        run(&mut sides, 602..604, Side::B, 1, 1);
        assert_eq!(counted(&sides).1, 0, "another load is");
        run(&mut sides, 604..604 + SETTLE, Side::B, 1, 1);
        assert_eq!(counted(&sides).1, 0);
        assert_eq!(sides.settles(Timestamp::from_nanos(602 * T)), Some(Duration::from_secs(1)));
        run(&mut sides, 604 + SETTLE..704 + SETTLE, Side::B, 1, 1);
        assert!(counted(&sides).1 > 90);
        sides.restart();
        run(&mut sides, 704 + SETTLE..710 + SETTLE, Side::B, 1, 1);
        assert_eq!(counted(&sides), (0, 0));
    }
}
