use std::time::Duration;

use super::{Backend, FrameInfo, Reason, RenderStep};
use crate::error::Result;
use crate::pacing::{FrameId, Pacing, Plan};
use crate::runtime::Demand;
use crate::runtime::slot::Marks;
use crate::stats::{FrameRecord, Stage};
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, Event, Kind};

/// What is less than this was no suspend, but the time between two readings.
const SUSPENDED: Duration = Duration::from_millis(100);

/// A frame between its draw calls and its swap.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) record: FrameRecord,
    pub(super) reason: Reason,
    pub(super) mode: Pacing,
    pub(super) plan: Plan,
    /// The next order was given when the snapshot was acquired.
    pub(super) ahead: bool,
    pub(super) acquired: Timestamp,
    pub(super) submitted: Timestamp,
    /// The logic step's time.
    pub(super) logic: Duration,
    pub(super) swap_at: Timestamp,
}

/// A snapshot as it was taken to be drawn.
struct Taken {
    marks: Marks,
    at: Timestamp,
    index: u64,
    /// The index of the one that was drawn before.
    seen: u64,
    skipped: u64,
    fresh: bool,
}

impl Taken {
    /// What is known of frame `id` before it is drawn. `from_before`: the snapshot was made before a standstill, so that its age
    /// says nothing about latency.
    fn record(&self, id: FrameId, reason: Reason, from_before: bool) -> FrameRecord {
        let marks = &self.marks;
        let mut record = FrameRecord::new(id);
        record.snapshot = self.index;
        record.animation_time = marks.animation_time;
        record.repeated = !self.fresh;
        record.stale = !self.fresh && reason == Reason::Stale;
        record.mark(Stage::SnapshotAcquired, self.at);
        if self.fresh {
            record.spun = marks.spun;
        }
        if from_before {
            return record;
        }
        record.set(Stage::InputSampled, marks.sampled);
        if self.fresh {
            record.planned = marks.plan.dt.is_some().then_some(marks.plan.wake_at);
            record.target = marks.plan.target_presentation;
            record.swap_at = marks.plan.swap_at;
            record.set(Stage::InputReceived, marks.inputs.since(self.seen));
            record.set(Stage::LogicDone, marks.done);
            record.set(Stage::SnapshotPublished, marks.published);
        }
        record
    }

    /// Whether the frame comes after a wait, `resumed` being after a standstill.
    fn is_after_idle(&self, resumed: bool) -> bool {
        // A redraw while the scene moves is one frame more in a running sequence and leaves the pace alone.
        let still = self.marks.demand == Demand::OnInput;
        resumed || (self.fresh && self.marks.after_idle) || (!self.fresh && still)
    }

    /// How long the logic's step took; zero for a snapshot that is drawn again.
    fn logic(&self) -> Duration {
        match (self.marks.sampled, self.marks.done) {
            (Some(from), Some(to)) if self.fresh => to.saturating_since(from),
            _ => Duration::ZERO,
        }
    }
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Looks whether the machine was suspended since the last frame. The clock stands then, so that nothing else tells.
    fn notice_suspend(&mut self, clock: &impl Clock) {
        let suspended = clock.suspended();
        let before = self.suspended.unwrap_or(suspended);
        // A stop between the two readings that it is made of makes it too small.
        self.suspended = Some(before.max(suspended));
        let slept = suspended.saturating_sub(before);
        if slept > SUSPENDED {
            log::info!("the machine was suspended for {slept:.1?}: the display's refreshes are learnt anew");
            self.pacer.resumed();
        }
    }

    /// Draws one frame, which is [swapped](Self::swap) when its time has come. Allocates nothing and locks nothing by
    /// itself.
    pub(in crate::runtime) fn draw(&mut self, reason: Reason, clock: &impl Clock) -> Result<()> {
        crate::profile::new_frame();
        self.notice_suspend(clock);
        let id = self.flight.last().next();
        timeline::set_frame(id.0);
        if let Some(since) = self.flight.begin() {
            timeline::push(Event::new(Kind::Fence, "frames in flight", id.0, since, clock.now()));
        }
        crate::profile::scope!("frame", id.to_string());
        let drawing = timeline::span(Kind::Render, "frame");
        let taken = self.take(clock);
        let mut record = self.begin(id, reason, &taken);

        // From here on the logic thread may work on the next snapshot beside us.
        let ahead = taken.fresh && self.pacer.plans_ahead();
        if ahead {
            self.order_next(taken.at);
        }
        self.latch.begin();
        let slot = self.snapshots.current();
        let info = FrameInfo {
            id,
            size: self.pane.size,
            scale: self.pane.scale,
            animation_time: taken.marks.animation_time,
            stats: self.figures.recorder(),
            pacer: &self.pacer,
            latch: &self.latch,
            source: self.figures.source(),
            apart: record.apart,
        };
        self.backend.draw(&slot.view, &info)?;
        let submitted = clock.now();
        drop(drawing);
        self.figures.reached(&mut record, Stage::Submitted, submitted);
        self.figures.latched(&mut record, self.latch.taken());
        let (plan, logic) = (taken.marks.plan, taken.logic());
        if taken.fresh {
            self.flight.planned(id, plan.id);
            self.made = Some((logic, taken.marks.demand));
        }
        // What comes after a wait is shown at once, and what only repeats a picture has no time of its own.
        let held = plan.swap_at.filter(|_| taken.fresh && !record.after_idle);
        let swap_at = held.unwrap_or(Timestamp::ZERO);
        if swap_at > submitted {
            self.backend.hold();
        }
        let mode = self.pacer.mode();
        let acquired = taken.at;
        self.drawn = Some(Drawn { record, reason, mode, plan, ahead, acquired, submitted, logic, swap_at });
        Ok(())
    }

    /// Takes the newest snapshot.
    fn take(&mut self, clock: &impl Clock) -> Taken {
        let seen = self.snapshots.index();
        if self.flight.lacks_fence() && clock.now() > self.flight.silent_from() {
            self.flight.went_without_fence();
        }
        let snapshot = self.snapshots.acquire();
        Taken {
            at: clock.now(),
            marks: snapshot.value.marks,
            index: snapshot.index,
            seen,
            skipped: snapshot.skipped,
            fresh: snapshot.fresh,
        }
    }

    /// Frame `id` begins: what is known of it, which the pacer and those who look on learn as well.
    fn begin(&mut self, id: FrameId, reason: Reason, taken: &Taken) -> FrameRecord {
        let (resumed, from_before) = self.standstill.first_frame(taken.marks.sampled);
        let mut record = taken.record(id, reason, from_before);
        record.apart = self.counted.is_apart(taken.at, || self.pacer.state());
        record.after_idle = taken.is_after_idle(resumed);
        if record.after_idle {
            let began = record.at(Stage::InputSampled).filter(|_| taken.fresh).unwrap_or(taken.at);
            let target = self.pacer.began_after_idle(taken.marks.plan.id, began);
            // What was planned before the wait is over, and nothing is held until then. A host's target came with its tick.
            if self.pacer.mode() != Pacing::Host {
                record.target = record.target.and(target);
            }
            record.swap_at = None;
        }
        self.pane.redraw = false;
        if taken.fresh {
            self.orders.made(&mut self.pacer, &taken.marks.plan);
        }
        if taken.fresh && !self.figures.counts(&record) {
            self.pacer.leave_out(taken.marks.plan.id);
        }
        self.figures.begin(&record, taken.seen, taken.skipped);
        record
    }
}
