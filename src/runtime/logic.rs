use std::time::Duration;

use super::input::{InputEvent, InputKind, InputReceiver};
use super::slot::{InputHistory, Slot};
use crate::pacing::{LONGEST_STEP, Plan};
use crate::sync::snapshot::{Published, Reader, Writer};
use crate::time::{Clock, Timestamp};

/// What the world wants of the loop after a step.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Demand {
    /// It moves by itself: one frame after another.
    #[default]
    EveryFrame,
    /// It changes when there is input and not otherwise: without input no frame is made and no CPU is used.
    OnInput,
}

/// One step of the world.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of the step, from 1.
    pub step: u64,
    /// How far animation moves on.
    pub dt: Duration,
    /// The sum of all `dt`s, this one included: the animation clock.
    pub elapsed: Duration,
    /// When the step's input was sampled.
    pub now: Timestamp,
    /// When the frame is meant to be displayed, where the pacing mode knows.
    pub target_presentation: Option<Timestamp>,
}

impl Tick {
    /// Step number `step` of `dt`, for worlds that are driven by hand.
    #[must_use]
    pub fn fixed(step: u64, dt: Duration) -> Self {
        let elapsed = dt.saturating_mul(u32::try_from(step).unwrap_or(u32::MAX));
        Self { step, dt, elapsed, now: Timestamp::ZERO, target_presentation: None }
    }
}

/// The world: it lives on the logic thread and never touches the GPU.
///
/// Only [`update`](Self::update) and [`extract`](Self::extract) are required.
pub trait Logic: Send {
    /// What the renderer needs to draw one frame. Its storage is reused: two or three of them exist per run.
    type Snapshot: Default + Send;

    /// One input event, in order, before the step that it contributes to.
    fn input(&mut self, event: &InputEvent) {
        let _ = event;
    }

    /// Moves the world on by `tick.dt`.
    fn update(&mut self, tick: &Tick);

    /// Writes what is to be drawn. `out` holds the snapshot of some earlier step: overwrite all of it, and keep
    /// its storage so that nothing is allocated.
    fn extract(&self, out: &mut Self::Snapshot);

    /// Whether the last [`update`](Self::update) changed anything that is drawn. Asked only while the
    /// [demand](Self::demand) is [`Demand::OnInput`]; when not, no snapshot is made and no frame drawn, so that a key
    /// release or a pointer motion without effect costs nothing.
    fn changed(&self) -> bool {
        true
    }

    /// What the world wants next. Asked after each step.
    fn demand(&self) -> Demand {
        Demand::EveryFrame
    }
}

/// The render thread's word on the next step: one step may be made for each order.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) plan: Plan,
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
    history: InputHistory,
}

impl<L: Logic> LogicStep<L> {
    pub(super) fn new(
        logic: L,
        inputs: InputReceiver,
        orders: Reader<Order>,
        snapshots: Writer<Slot<L::Snapshot>>,
    ) -> Self {
        Self {
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
            history: InputHistory::default(),
        }
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
        let sampled = clock.now();
        let mut earliest = None;
        while let Some(event) = self.inputs.next() {
            if contributes(event.kind) {
                earliest.get_or_insert(event.received);
            }
            self.logic.input(&event);
        }
        // A second step for an order moves the world on by what has passed since the first, whatever the plan says.
        let planned = self.order.plan.dt.filter(|_| self.tried != self.order.number);
        let dt = planned.unwrap_or_else(|| {
            self.last.map_or(Duration::ZERO, |last| sampled.saturating_since(last)).min(LONGEST_STEP)
        });
        self.tried = self.order.number;
        self.last = Some(sampled);
        self.steps += 1;
        self.elapsed += dt;
        self.logic.update(&Tick {
            step: self.steps,
            dt,
            elapsed: self.elapsed,
            now: sampled,
            target_presentation: self.order.plan.target_presentation,
        });
        self.demand = self.logic.demand();
        let nothing_new = self.demand == Demand::OnInput && self.told == Some(self.demand);
        if nothing_new && !self.logic.changed() {
            // The order stays open: it waits for input that has an effect.
            self.waited = true;
            return None;
        }
        self.told = Some(self.demand);
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
        slot.marks.planned = plan.dt.is_some().then_some(plan.wake_at);
        slot.marks.demand = self.demand;
        slot.marks.animation_time = self.elapsed;
        self.unread_waited |= self.waited;
        slot.marks.after_idle = self.unread_waited;
        slot.marks.inputs = self.history;
        slot.marks.order = self.order.number;
        slot.marks.done = Some(clock.now());
        slot.marks.published = Some(clock.now());
        if self.done != self.order.number {
            self.done = self.order.number;
            self.waited = false;
        }
        Some(slot.publish())
    }
}

/// Whether latency is counted from this event.
const fn contributes(kind: InputKind) -> bool {
    !matches!(kind, InputKind::Focus { .. } | InputKind::Resized { .. })
}
