use std::time::Duration;

use crate::pacing::{FrameId, PlanId};
use crate::stats::PENDING;
use crate::time::Timestamp;

/// How often the fence of a frame is looked at that has to be finished before the next one is drawn.
pub(super) const FENCE_EVERY: Duration = Duration::from_micros(250);
/// How long after a frame its feedback is looked for often. What takes longer is noticed with the next frame.
const POLL_FOR: Duration = Duration::from_millis(100);
/// Frames that waited in vain for a fence before fences are no longer waited for, until one comes.
const FENCELESS: u32 = 3;
/// Frames whose plan is remembered until the last is known of them.
const PLANNED: usize = PENDING;

/// The frames on their way: drawn, and perhaps with the GPU or before the display.
#[derive(Debug)]
pub(super) struct Flight {
    last: FrameId,
    swapped_at: Timestamp,
    /// Which plan each of the last frames was drawn for.
    planned: [Option<(FrameId, PlanId)>; PLANNED],
    /// The newest frame that the GPU is known to have finished.
    finished: FrameId,
    /// Frames in a row for which no fence came in time.
    fenceless: u32,
    /// Since when a frame waits for the GPU to finish an earlier one.
    waits_since: Option<Timestamp>,
}

impl Flight {
    pub(super) const fn new() -> Self {
        Self {
            last: FrameId(0),
            swapped_at: Timestamp::ZERO,
            planned: [None; PLANNED],
            finished: FrameId(0),
            fenceless: 0,
            waits_since: None,
        }
    }

    /// The newest frame that was swapped; 0 before the first.
    pub(super) const fn last(&self) -> FrameId {
        self.last
    }

    /// When that was.
    pub(super) const fn swapped_at(&self) -> Timestamp {
        self.swapped_at
    }

    /// What was not told of the newest frame by then is not waited for.
    pub(super) fn silent_from(&self) -> Timestamp {
        self.swapped_at + POLL_FOR
    }

    /// Whether another frame may be drawn at `now` while at most `limit` are with the GPU. If not, it waits from now on.
    pub(super) fn may_follow(&mut self, limit: u32, now: Timestamp) -> bool {
        let fits = self.last.0 - self.finished.0.min(self.last.0) < u64::from(limit);
        let may = fits || self.fenceless >= FENCELESS || now > self.silent_from();
        if !may {
            self.waits_since.get_or_insert(now);
        }
        may
    }

    /// A frame is drawn now. Returns since when it had waited for the GPU, if it had.
    pub(super) const fn begin(&mut self) -> Option<Timestamp> {
        self.waits_since.take()
    }

    /// Whether the GPU has said nothing of the newest frame, though there were frames enough to hear of.
    pub(super) fn lacks_fence(&self) -> bool {
        self.last > self.finished && self.last.0 > 1
    }

    /// A frame was drawn without the fence that it should have waited for.
    pub(super) const fn went_without_fence(&mut self) {
        self.fenceless = self.fenceless.saturating_add(1);
    }

    /// Frame `id` is drawn for `plan`.
    pub(super) const fn planned(&mut self, id: FrameId, plan: PlanId) {
        self.planned[id.slot(PLANNED)] = Some((id, plan));
    }

    /// What frame `id` was drawn for, as far as that is remembered and it was drawn for a plan.
    pub(super) fn plan_of(&self, id: FrameId) -> Option<PlanId> {
        self.planned[id.slot(PLANNED)].filter(|(frame, _)| *frame == id).map(|(_, plan)| plan)
    }

    /// Frame `id` was swapped.
    pub(super) const fn swapped(&mut self, id: FrameId, at: Timestamp) {
        (self.last, self.swapped_at) = (id, at);
    }

    /// The GPU has finished frame `id`.
    pub(super) fn gpu_done(&mut self, id: FrameId) {
        self.finished = id.max(self.finished);
        self.fenceless = 0;
    }

    /// Of frames on their way nothing more is heard.
    pub(super) const fn forget(&mut self) {
        (self.finished, self.fenceless) = (self.last, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(ms * MS)
    }

    #[test]
    fn a_frame_waits_for_the_fence_of_the_one_before_and_for_no_longer_than_a_tenth_of_a_second() {
        let mut flight = Flight::new();
        assert!(flight.may_follow(1, at(0)), "nothing is on its way");
        flight.swapped(FrameId(1), at(10));
        assert!(
            flight.may_follow(2, at(11)) && !flight.may_follow(1, at(11)) && !flight.may_follow(1, at(12))
        );
        assert_eq!(flight.begin(), Some(at(11)), "it waits since it first asked");
        assert_eq!(flight.begin(), None);
        assert!(flight.may_follow(1, at(111)));
        flight.gpu_done(FrameId(1));
        assert!(flight.may_follow(1, at(12)));
    }

    #[test]
    fn where_no_fence_comes_three_times_none_is_waited_for_until_one_comes() {
        let mut flight = Flight::new();
        flight.swapped(FrameId(5), at(10));
        for _ in 0..FENCELESS {
            assert!(!flight.may_follow(1, at(11)));
            flight.went_without_fence();
        }
        assert!(flight.may_follow(1, at(11)));
        flight.gpu_done(FrameId(4));
        assert!(!flight.may_follow(1, at(11)) && flight.may_follow(2, at(11)));
        flight.forget();
        assert!(flight.may_follow(1, at(11)), "a context that is gone tells nothing more");
    }

    #[test]
    fn plan_of_a_frame_is_known_until_another_takes_its_place_and_never_another_frames() {
        let mut flight = Flight::new();
        assert_eq!(flight.plan_of(FrameId(0)), None);
        flight.planned(FrameId(3), PlanId(7));
        assert_eq!(flight.plan_of(FrameId(3)), Some(PlanId(7)));
        assert_eq!(flight.plan_of(FrameId(3 + PLANNED as u64)), None);
        flight.planned(FrameId(3 + PLANNED as u64), PlanId(90));
        assert_eq!(flight.plan_of(FrameId(3)), None);
    }
}
