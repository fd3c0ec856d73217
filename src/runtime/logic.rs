use std::time::Duration;

use self::delta::Delta;
use super::input::{InputKind, InputReceiver};
use super::slot::{InputHistory, Slot};
use super::world::{Demand, Logic, Tick};
use crate::pacing::{DeltaTime, FixedStep, Plan};
use crate::stats::Stage;
use crate::sync::snapshot::{Published, Reader, Writer};
use crate::telemetry::StepStamps;
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, Kind};

/// The render thread's word on the next step: one step may be made for each order.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) plan: Plan,
    /// How far apart frames are meant to be.
    pub(super) interval: Duration,
    /// Another number than before: the frames before do not belong to it.
    pub(super) epoch: u64,
}

/// What the logic thread should do now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Due {
    /// Make a step.
    Now,
    /// Make a step at this time, if nothing wakes the thread before.
    At(Timestamp),
    /// Nothing to do until somebody wakes the thread.
    Idle,
}

/// The logic thread without the thread: it drains input, moves the world on and publishes a snapshot.
#[derive(Debug)]
pub(super) struct LogicStep<L: Logic> {
    logic: L,
    inputs: InputReceiver,
    orders: Reader<Order>,
    snapshots: Writer<Slot<L::Snapshot>>,
    order: Order,
    /// The last order for which a step was made.
    done: u64,
    demand: Demand,
    /// The order in hand found nothing to do at first and waited for input.
    waited: bool,
    /// The demand that the render thread knows of; `None` before the first snapshot.
    told: Option<Demand>,
    /// The unread snapshot, if there is one, came after a wait for input.
    unread_waited: bool,
    /// The last order for which a step was made, with or without a snapshot.
    tried: u64,
    steps: u64,
    elapsed: Duration,
    last: Option<Timestamp>,
    delta: Delta,
    epoch: u64,
    history: InputHistory,
    spun_total: Duration,
    spun_last: Option<Duration>,
    fixed: Option<FixedStep>,
    /// The animation clock: the sum of all frames' steps, whatever steps the world takes.
    shown: Duration,
    telemetry: Option<StepStamps>,
}

impl<L: Logic> LogicStep<L> {
    pub(super) fn new(
        logic: L,
        inputs: InputReceiver,
        orders: Reader<Order>,
        snapshots: Writer<Slot<L::Snapshot>>,
    ) -> Self {
        Self {
            fixed: logic.fixed_step().map(FixedStep::usual),
            shown: Duration::ZERO,
            spun_total: Duration::ZERO,
            spun_last: None,
            logic,
            inputs,
            orders,
            snapshots,
            order: Order::default(),
            done: 0,
            demand: Demand::EveryFrame,
            waited: false,
            told: None,
            unread_waited: false,
            tried: 0,
            steps: 0,
            elapsed: Duration::ZERO,
            last: None,
            delta: Delta::new(DeltaTime::Refreshes),
            epoch: 0,
            history: InputHistory::default(),
            telemetry: None,
        }
    }

    /// Goes by these times from frame to frame.
    pub(super) const fn go_by(&mut self, delta: DeltaTime) {
        self.delta = Delta::new(delta);
    }

    /// Stamps its stages there as well.
    pub(super) fn stamp_into(&mut self, telemetry: Option<StepStamps>) {
        self.telemetry = telemetry;
    }

    /// How long the thread that runs the step has spun in all so far.
    pub(super) fn spun(&mut self, total: Duration) {
        // The step may have come from a thread that spun more.
        self.spun_last = total.checked_sub(self.spun_total);
        self.spun_total = total;
    }

    /// What to do at `now`.
    pub(super) fn due(&mut self, now: Timestamp) -> Due {
        let newest = self.orders.acquire();
        if newest.fresh {
            self.order = *newest.value;
        }
        let input = !self.inputs.is_empty();
        if self.order.number > self.done {
            if self.demand == Demand::OnInput && !input {
                self.waited = true;
                return Due::Idle;
            }
            return if now >= self.order.plan.wake_at { Due::Now } else { Due::At(self.order.plan.wake_at) };
        }
        // The order's snapshot is made. As long as nobody has taken it, input can still make it a newer one.
        if input && self.order.plan.refresh_on_input && self.snapshots.has_unread() {
            Due::Now
        } else {
            Due::Idle
        }
    }

    /// One step: input, update, extract, publish. `None` when nothing changed that is drawn. Allocates nothing and
    /// locks nothing by itself.
    pub(super) fn step(&mut self, clock: &impl Clock) -> Option<Published> {
        crate::profile::scope!("logic step", (self.snapshots.published() + 1).to_string());
        let _step = timeline::span(Kind::Logic, "logic step").frame(self.snapshots.published() + 1);
        let sampled = clock.now();
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.begin(self.snapshots.published() + 1, sampled);
        }
        let earliest = self.drain_input();
        self.update(sampled);
        self.demand = self.logic.demand();
        let nothing_new = self.demand == Demand::OnInput && self.told == Some(self.demand);
        if nothing_new && !self.logic.changed() {
            // The order stays open: it waits for input that has an effect.
            self.waited = true;
            return None;
        }
        self.told = Some(self.demand);
        Some(self.publish(sampled, earliest, clock))
    }

    /// Hands all input to the world. Returns when the earliest that counts was received.
    fn drain_input(&mut self) -> Option<Timestamp> {
        let mut earliest = None;
        while let Some(event) = self.inputs.next() {
            if contributes(event.kind) {
                earliest.get_or_insert(event.received);
            }
            self.logic.input(&event);
        }
        earliest
    }

    /// Moves the world on, by as many steps as are due where they are of one length.
    fn update(&mut self, sampled: Timestamp) {
        // A second step for an order moves the world on by what has passed since the first, whatever the plan says.
        let planned = self.order.plan.dt.filter(|_| self.tried != self.order.number);
        let passed = self.last.map(|last| sampled.signed_since(last));
        let anew = self.epoch != self.order.epoch;
        self.epoch = self.order.epoch;
        if anew {
            self.delta.restart();
        }
        let dt = self.delta.step(planned, passed, self.waited || anew, self.order.interval);
        self.tried = self.order.number;
        self.last = Some(sampled);
        self.shown += dt;
        let (count, step, alpha) = match &mut self.fixed {
            None => (1, dt, None),
            Some(fixed) => {
                let dropped = fixed.dropped();
                let steps = fixed.advance(dt);
                // Time that is dropped is not shown.
                self.shown -= fixed.dropped() - dropped;
                (steps.count, fixed.step(), Some(steps.alpha))
            }
        };
        for _ in 0..count {
            self.steps += 1;
            self.elapsed += step;
            self.logic.update(&Tick {
                step: self.steps,
                dt: step,
                elapsed: self.elapsed,
                now: sampled,
                // A frame that waited for input is not for the time that was planned before the wait.
                target_presentation: self.order.plan.target_presentation.filter(|_| !self.waited),
            });
        }
        if let Some(alpha) = alpha {
            self.logic.blend(alpha);
        }
    }

    /// Writes the snapshot of a step whose input was sampled at `sampled`, the earliest of it received at `earliest`.
    fn publish(&mut self, sampled: Timestamp, earliest: Option<Timestamp>, clock: &impl Clock) -> Published {
        if !self.snapshots.has_unread() {
            // The render thread has seen the inputs of all steps so far.
            self.history.clear();
            self.unread_waited = false;
        }
        let index = self.snapshots.published() + 1;
        self.history.push(index, earliest);
        let plan = &self.order.plan;
        let mut slot = self.snapshots.write();
        self.logic.extract(&mut slot.view);
        slot.marks.sampled = Some(sampled);
        slot.marks.plan = *plan;
        slot.marks.spun = self.spun_last;
        slot.marks.demand = self.demand;
        slot.marks.animation_time = self.shown;
        slot.marks.dropped = self.fixed.as_ref().map_or(Duration::ZERO, FixedStep::dropped);
        self.unread_waited |= self.waited;
        slot.marks.filtered = self.delta.counted();
        slot.marks.after_idle = self.unread_waited;
        slot.marks.inputs = self.history;
        slot.marks.order = self.order.number;
        let done = clock.now();
        slot.marks.done = Some(done);
        let published = clock.now();
        slot.marks.published = Some(published);
        if let Some(telemetry) = &self.telemetry {
            if let Some(received) = earliest {
                telemetry.stamp(Stage::InputReceived, received);
            }
            telemetry.stamp(Stage::LogicDone, done);
            telemetry.stamp(Stage::SnapshotPublished, published);
        }
        if self.done != self.order.number {
            self.done = self.order.number;
            self.waited = false;
        }
        slot.publish()
    }
}

/// Whether latency is counted from this event.
const fn contributes(kind: InputKind) -> bool {
    !matches!(kind, InputKind::Focus { .. } | InputKind::Resized { .. })
}

mod delta;
#[cfg(test)]
mod tests;
