//! Which part of a frame's way made it take longer than it may.
//!
//! The way from input to display is cut at the stamps into parts that follow each other without gap or overlap
//! ([`Part`]). Of a frame over the budget the part at fault is the one whose excess over its own median in that run is
//! largest; the culprit of the run is the part with the largest sum of excess over all such frames. The median stands
//! for what the part usually takes, so a part that is always long is not blamed for one frame that was late; where the
//! budget lies below what is usual, [`Blame::usual`] says so.

use std::fmt;

use super::{FrameRecord, Metric, Stage, quantile};
use crate::pacing::FrameId;

/// A part of a frame's way. Where a stamp between two parts is missing, the later part has the time of both.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Part {
    /// Input received -> input sampled: it waited for a frame to begin.
    InputWait,
    /// Input sampled -> logic done.
    Logic,
    /// Logic done -> snapshot acquired by the render thread.
    HandOver,
    /// Snapshot acquired -> last draw call submitted.
    Render,
    /// Last draw call submitted -> GPU seen done, at most until the display time (polled: an upper bound).
    Gpu,
    /// GPU seen done -> displayed: the hold, the swap, the wait for the display.
    Display,
}

impl Part {
    /// How many parts there are.
    pub const COUNT: usize = 6;

    /// All parts in their order.
    pub const ALL: [Self; Self::COUNT] =
        [Self::InputWait, Self::Logic, Self::HandOver, Self::Render, Self::Gpu, Self::Display];

    /// The part's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputWait => "input wait",
            Self::Logic => "logic",
            Self::HandOver => "hand-over",
            Self::Render => "render",
            Self::Gpu => "GPU",
            Self::Display => "display",
        }
    }

    /// Where it ends.
    const fn end(self) -> Stage {
        match self {
            Self::InputWait => Stage::InputSampled,
            Self::Logic => Stage::LogicDone,
            Self::HandOver => Stage::SnapshotAcquired,
            Self::Render => Stage::Submitted,
            Self::Gpu => Stage::GpuDone,
            Self::Display => Stage::Presented,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Nanoseconds of each part of one frame, by [`Part::ALL`]; `None` where it was not stamped. Their sum is the time from
/// the first stamp, input or sample, to the display. About 20 ns.
#[must_use]
pub fn parts(frame: &FrameRecord) -> [Option<i64>; Part::COUNT] {
    parts_until(frame, Stage::Presented)
}

/// The parts of the way up to this stage: what comes after it took no time, and what it lies in ends there.
fn parts_until(frame: &FrameRecord, end: Stage) -> [Option<i64>; Part::COUNT] {
    let mut parts = [None; Part::COUNT];
    let Some(end) = frame.at(end).filter(|_| frame.at(Stage::Presented).is_some()) else { return parts };
    let mut from = frame.at(Stage::InputReceived).map(|at| at.min(end));
    for part in Part::ALL {
        // The GPU is seen done by polling, which may come after the display time.
        let Some(to) = frame.at(part.end()).map(|at| at.min(end)) else { continue };
        parts[part as usize] = from.map(|from| to.signed_since(from).max(0));
        from = Some(from.map_or(to, |from| from.max(to)));
    }
    parts
}

/// One frame over the budget.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Late {
    /// The frame.
    pub frame: FrameId,
    /// The part at fault; `None` where no part took longer than its median.
    pub part: Option<Part>,
    /// Nanoseconds by which that part exceeded its median.
    pub excess: i64,
}

/// What made the frames of a run late.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Blame {
    /// Frames that were over the budget, in their order.
    pub late: Vec<Late>,
    /// The part with the largest summed excess over those frames; `None` where none was late, or no part exceeded its
    /// median.
    pub culprit: Option<Part>,
    /// Nanoseconds of excess of each part, summed over the late frames, by [`Part::ALL`].
    pub excess: [i64; Part::COUNT],
    /// The median of each part in nanoseconds, over all frames; `None` where it was never stamped.
    pub medians: [Option<i64>; Part::COUNT],
    /// The longest part by its median, where half of all frames or more were late: then the budget lies below what is
    /// usual, and no single frame is at fault.
    pub usual: Option<Part>,
}

impl Blame {
    /// The part to name: what is usually too long, else the culprit.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.usual.or(self.culprit)
    }
}

/// What of a frame's way a figure is about: nothing outside of it can be at fault.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Reach {
    /// The first part that counts: [`Part::InputWait`] where the figure runs from input, [`Part::Logic`] where it runs from
    /// the sampling of it, or from the frame before.
    pub from: Part,
    /// Where the figure ends; what comes later is left out.
    pub to: Stage,
}

impl Reach {
    /// From the sampling of the input to the display.
    pub const FROM_SAMPLE: Self = Self { from: Part::Logic, to: Stage::Presented };
    /// From the input to the display.
    pub const FROM_INPUT: Self = Self { from: Part::InputWait, to: Stage::Presented };

    /// That of a metric's values.
    #[must_use]
    pub const fn of(metric: Metric) -> Self {
        let (from, to) = match metric {
            Metric::ClickToPhoton => return Self::FROM_INPUT,
            Metric::InputToLogic => (Part::InputWait, Stage::LogicDone),
            Metric::WakeError | Metric::SpinTime | Metric::ClockDrift => {
                (Part::InputWait, Stage::InputSampled)
            }
            Metric::LogicTime => (Part::Logic, Stage::LogicDone),
            Metric::HandOver => (Part::HandOver, Stage::SnapshotAcquired),
            Metric::LogicToRender => (Part::HandOver, Stage::Submitted),
            Metric::RenderTime => (Part::Render, Stage::Submitted),
            Metric::LatchToPhoton => (Part::Render, Stage::Presented),
            Metric::SubmitToGpuDone | Metric::RenderPresentLatency => (Part::Gpu, Stage::GpuDone),
            Metric::MsInPresentAPI => (Part::Gpu, Stage::SwapEnd),
            Metric::SubmitToDisplay | Metric::MsUntilDisplayed => (Part::Gpu, Stage::Presented),
            Metric::MsBetweenPresents => (Part::Logic, Stage::SwapBegin),
            _ => return Self::FROM_SAMPLE,
        };
        Self { from, to }
    }
}

/// Blames the frames for which `late` holds, for what lies in `reach`. Allocates.
#[must_use]
pub fn blame(frames: &[FrameRecord], reach: Reach, late: impl Fn(&FrameRecord) -> bool) -> Blame {
    let counted = |frame: &FrameRecord| {
        let mut parts = parts_until(frame, reach.to);
        parts[..reach.from as usize].fill(None);
        parts
    };
    let medians = Part::ALL.map(|part| {
        let mut all: Vec<i64> = frames.iter().filter_map(|f| counted(f)[part as usize]).collect();
        quantile::select(&mut all, 0.5, i64::cmp)
    });
    let mut sums = [0_i64; Part::COUNT];
    let late: Vec<Late> = frames
        .iter()
        .filter(|frame| late(frame))
        .map(|frame| {
            let parts = counted(frame);
            let mut worst = Late { frame: frame.id, part: None, excess: 0 };
            for part in Part::ALL {
                let (Some(took), Some(usual)) = (parts[part as usize], medians[part as usize]) else {
                    continue;
                };
                let excess = (took - usual).max(0);
                sums[part as usize] = sums[part as usize].saturating_add(excess);
                if excess > worst.excess {
                    worst = Late { part: Some(part), excess, ..worst };
                }
            }
            worst
        })
        .collect();
    let longest = |of: &dyn Fn(Part) -> i64| {
        // The first of equals: the earlier part made the later ones late.
        Part::ALL.into_iter().rev().max_by_key(|part| of(*part)).filter(|part| of(*part) > 0)
    };
    let usual = 2 * late.len() >= frames.len() && !late.is_empty();
    Blame {
        culprit: longest(&|part| sums[part as usize]),
        usual: usual.then(|| longest(&|part| medians[part as usize].unwrap_or(0))).flatten(),
        late,
        excess: sums,
        medians,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    /// A frame whose parts take so many milliseconds.
    fn frame(id: u64, took: [u64; Part::COUNT]) -> FrameRecord {
        let mut record = FrameRecord::new(FrameId(id));
        let mut at = id * 1_000;
        let mut mark = |stage, at: u64| record.mark(stage, Timestamp::from_nanos(at * 1_000_000));
        mark(Stage::InputReceived, at);
        for part in Part::ALL {
            at += took[part as usize];
            mark(part.end(), at);
        }
        record
    }

    fn over(ms: i64, from: Stage) -> impl Fn(&FrameRecord) -> bool {
        move |frame| frame.between(from, Stage::Presented).is_some_and(|took| took > ms * 1_000_000)
    }

    const USUAL: [u64; Part::COUNT] = [1, 1, 1, 1, 1, 6];

    #[test]
    fn part_that_exceeds_its_median_most_is_at_fault_not_the_longest() {
        let mut frames: Vec<_> = (1..=99).map(|id| frame(id, USUAL)).collect();
        frames[40] = frame(41, [1, 1, 1, 5, 1, 6]); // the display takes longer, but it always does
        let blame = blame(&frames, Reach::FROM_INPUT, over(12, Stage::InputReceived));
        assert_eq!(blame.late, [Late { frame: FrameId(41), part: Some(Part::Render), excess: 4_000_000 }]);
        assert_eq!((blame.culprit, blame.usual), (Some(Part::Render), None));
        assert_eq!(blame.medians[Part::Display as usize], Some(6_000_000));
    }

    #[test]
    fn culprit_of_a_run_is_what_cost_most_in_all_not_most_often() {
        let mut frames: Vec<_> = (1..=99).map(|id| frame(id, USUAL)).collect();
        for id in [3, 5, 7] {
            frames[id as usize - 1] = frame(id, [1, 4, 1, 1, 1, 6]);
        }
        frames[49] = frame(50, [1, 1, 1, 1, 21, 6]);
        let blame = blame(&frames, Reach::FROM_INPUT, over(12, Stage::InputReceived));
        assert_eq!(blame.late.iter().filter(|l| l.part == Some(Part::Logic)).count(), 3);
        assert_eq!(blame.culprit, Some(Part::Gpu), "20 ms in one frame against 9 in three");
        assert_eq!(blame.excess[Part::Logic as usize], 9_000_000);
    }

    #[test]
    fn time_before_the_sample_is_no_part_of_a_figure_that_runs_from_the_sample() {
        let mut frames: Vec<_> = (1..=99).map(|id| frame(id, USUAL)).collect();
        frames[9] = frame(10, [60, 1, 1, 3, 1, 6]);
        let from_sample = blame(&frames, Reach::FROM_SAMPLE, over(11, Stage::InputSampled));
        assert_eq!(from_sample.culprit, Some(Part::Render));
        let from_input = blame(&frames, Reach::FROM_INPUT, over(13, Stage::InputReceived));
        assert_eq!(from_input.culprit, Some(Part::InputWait));
    }

    #[test]
    fn what_comes_after_the_end_of_a_figure_is_not_to_blame_for_it() {
        let mut frames: Vec<_> = (1..=99).map(|id| frame(id, USUAL)).collect();
        // Its logic takes 3 ms longer, and its display 40.
        frames[9] = frame(10, [1, 4, 1, 1, 1, 46]);
        let is_tenth = |frame: &FrameRecord| frame.id == FrameId(10);
        let whole = blame(&frames, Reach::of(Metric::ClickToPhoton), is_tenth);
        assert_eq!(whole.culprit, Some(Part::Display));
        for metric in [Metric::InputToLogic, Metric::LogicTime] {
            let found = blame(&frames, Reach::of(metric), is_tenth);
            assert_eq!(found.culprit, Some(Part::Logic), "{}", metric.name());
            assert_eq!(found.excess[Part::Display as usize], 0, "{}", metric.name());
        }
        // A figure that begins later is not about the logic either.
        let drawing = blame(&frames, Reach::of(Metric::RenderTime), is_tenth);
        assert_eq!((drawing.culprit, drawing.late.len()), (None, 1));
        // The part that the figure ends in counts up to there: the hold before the swap.
        for frame in &mut frames {
            let held = if frame.id == FrameId(10) { 9 } else { 1 };
            let done = frame.at(Stage::GpuDone).unwrap();
            frame.mark(Stage::SwapBegin, done + std::time::Duration::from_millis(held));
        }
        let swaps = blame(&frames, Reach::of(Metric::MsBetweenPresents), is_tenth);
        assert_eq!(swaps.excess[Part::Display as usize], 8_000_000);
    }

    #[test]
    fn budget_below_the_usual_names_what_usually_takes_longest() {
        let frames: Vec<_> = (1..=9).map(|id| frame(id, USUAL)).collect();
        let found = blame(&frames, Reach::FROM_INPUT, over(8, Stage::InputReceived));
        assert_eq!((found.late.len(), found.culprit), (9, None), "no frame was longer than the others");
        assert_eq!(found.part(), Some(Part::Display));
        let none = blame(&frames, Reach::FROM_INPUT, |_| false);
        assert_eq!((none.late.len(), none.part()), (0, None));
        assert_eq!(blame(&[], Reach::FROM_INPUT, |_| true).part(), None);
    }

    #[test]
    fn parts_add_up_whatever_was_stamped_and_in_whatever_order() {
        let whole = frame(1, USUAL);
        assert_eq!(parts(&whole).iter().flatten().sum::<i64>(), 11_000_000);
        // The GPU was seen done after the display time.
        let mut polled_late = whole;
        polled_late.mark(Stage::GpuDone, Timestamp::from_nanos(9_999_000_000));
        let found = parts(&polled_late);
        assert_eq!((found[Part::Gpu as usize], found[Part::Display as usize]), (Some(7_000_000), Some(0)));
        // Nobody said when the GPU was done.
        let mut no_gpu = whole;
        no_gpu.set(Stage::GpuDone, None);
        let found = parts(&no_gpu);
        assert_eq!((found[Part::Gpu as usize], found[Part::Display as usize]), (None, Some(7_000_000)));
        // Without input the way begins with the sample.
        let mut no_input = whole;
        no_input.set(Stage::InputReceived, None);
        let found = parts(&no_input);
        assert_eq!((found[0], found.iter().flatten().sum::<i64>()), (None, 10_000_000));
        assert_eq!(parts(&FrameRecord::new(FrameId(1))), [None; Part::COUNT]);
    }
}
