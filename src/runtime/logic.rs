use std::time::Duration;

use super::input::{InputEvent, InputKind, InputReceiver};
use super::slot::{InputHistory, Slot};
use crate::pacing::{FixedStep, LONGEST_STEP, Plan};
use crate::stats::Stage;
use crate::sync::snapshot::{Published, Reader, Writer};
use crate::telemetry::StepStamps;
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, Kind};

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

    /// The length of the world's steps, where they are to be of one length whatever the display does. Asked once, before
    /// the first step. [`update`](Self::update) is then called as often as steps are due, never more often than
    /// [`FixedStep::MOST`] times per frame, and [`blend`](Self::blend) after them.
    fn fixed_step(&self) -> Option<Duration> {
        None
    }

    /// The frame's display time lies `alpha` steps (0 to below 1) beyond the last step: what is drawn should be the state
    /// before that step, moved on by this share of it. Called before [`extract`](Self::extract), for worlds with a
    /// [fixed step](Self::fixed_step) only.
    fn blend(&mut self, alpha: f64) {
        let _ = alpha;
    }

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
            fixed: logic.fixed_step().map(|step| FixedStep::new(step, FixedStep::MOST)),
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
            history: InputHistory::default(),
            telemetry: None,
        }
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
        slot.marks.plan = *plan;
        slot.marks.spun = self.spun_last;
        slot.marks.demand = self.demand;
        slot.marks.animation_time = self.shown;
        self.unread_waited |= self.waited;
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
        Some(slot.publish())
    }
}

/// Whether latency is counted from this event.
const fn contributes(kind: InputKind) -> bool {
    !matches!(kind, InputKind::Focus { .. } | InputKind::Resized { .. })
}

#[cfg(test)]
mod tests {
    use super::super::input::{InputSender, input_channel};
    use super::super::seat::InputWaker;
    use super::*;
    use crate::sync::snapshot::{DEFAULT_SLOTS, buffer};
    use keyboard_types::Code;
    use std::cell::Cell;

    const MS: u64 = 1_000_000;

    /// A clock that stands where it is put.
    struct Hand(Cell<u64>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_nanos(self.0.get())
        }
    }

    #[derive(Default)]
    struct World {
        demand: Demand,
        changed: bool,
        time: Duration,
    }

    impl Logic for World {
        type Snapshot = Duration;

        fn input(&mut self, event: &InputEvent) {
            if let InputKind::Key { code, .. } = event.kind {
                // P pauses without changing the picture, Space changes it.
                if code == Code::KeyP {
                    self.demand = Demand::OnInput;
                }
                self.changed = code == Code::Space;
            }
        }

        fn update(&mut self, tick: &Tick) {
            self.time = tick.elapsed;
        }

        fn extract(&self, out: &mut Duration) {
            *out = self.time;
        }

        fn changed(&self) -> bool {
            self.changed
        }

        fn demand(&self) -> Demand {
            self.demand
        }
    }

    struct Rig {
        clock: Hand,
        input: InputSender,
        orders: Writer<Order>,
        snapshots: Reader<Slot<Duration>>,
        step: LogicStep<World>,
        number: u64,
    }

    impl Rig {
        fn new(demand: Demand) -> Self {
            let (input, inputs, _) = input_channel(InputWaker::none());
            let (snapshots_in, snapshots) = buffer::<_, DEFAULT_SLOTS>(|_| Slot::default());
            let (orders, orders_out) = buffer::<_, DEFAULT_SLOTS>(|_| Order::default());
            let world = World { demand, changed: true, ..World::default() };
            let step = LogicStep::new(world, inputs, orders_out, snapshots_in);
            Self { clock: Hand(Cell::new(1_000 * MS)), input, orders, snapshots, step, number: 0 }
        }

        fn order(&mut self, plan: Plan) {
            self.number += 1;
            let mut out = self.orders.write();
            *out = Order { number: self.number, plan };
            out.publish();
        }

        fn key(&mut self, code: Code) {
            let kind = InputKind::Key { code, pressed: true, repeat: false };
            self.input.send(InputEvent::new(self.clock.now(), kind));
        }

        fn due(&mut self) -> Due {
            self.step.due(self.clock.now())
        }

        fn run(&mut self) -> bool {
            assert_eq!(self.due(), Due::Now);
            self.step.step(&self.clock).is_some()
        }
    }

    fn plan(dt_ms: u64) -> Plan {
        Plan { dt: Some(Duration::from_millis(dt_ms)), ..Plan::default() }
    }

    #[test]
    fn one_step_is_made_for_an_order_and_not_before_its_time() {
        let mut rig = Rig::new(Demand::EveryFrame);
        assert_eq!(rig.due(), Due::Idle);
        let at = Timestamp::from_nanos(1_010 * MS);
        rig.order(Plan { wake_at: at, ..plan(10) });
        assert_eq!(rig.due(), Due::At(at));
        rig.clock.0.set(1_010 * MS);
        assert!(rig.run());
        assert_eq!(rig.due(), Due::Idle);
    }

    #[test]
    fn a_world_that_comes_to_rest_without_changing_tells_so() {
        let mut rig = Rig::new(Demand::EveryFrame);
        rig.order(plan(10));
        assert!(rig.run());
        rig.snapshots.acquire();
        rig.order(plan(10));
        rig.key(Code::KeyP);
        assert!(rig.run(), "the render thread has to learn of the new demand");
        assert_eq!(rig.snapshots.acquire().value.marks.demand, Demand::OnInput);
        rig.order(plan(10));
        assert_eq!(rig.due(), Due::Idle);
    }

    #[test]
    fn input_without_effect_makes_no_snapshot_and_does_not_speed_up_the_clock() {
        let mut rig = Rig::new(Demand::OnInput);
        rig.order(plan(10));
        rig.key(Code::Space);
        assert!(rig.run());
        rig.snapshots.acquire();
        rig.order(plan(10));
        for _ in 0..1_000 {
            rig.clock.0.set(rig.clock.0.get() + MS / 100);
            rig.key(Code::KeyA);
            assert!(!rig.run());
        }
        rig.key(Code::Space);
        assert!(rig.run());
        let elapsed = rig.snapshots.acquire().value.view;
        assert!(elapsed < Duration::from_millis(35), "10 ms of real time and two planned steps: {elapsed:?}");
    }

    #[test]
    fn newer_input_renews_an_unread_snapshot_and_keeps_what_is_known_of_the_first() {
        let mut rig = Rig::new(Demand::OnInput);
        let immediate = Plan { refresh_on_input: true, ..Plan::default() };
        rig.order(immediate);
        assert!(rig.run(), "the first snapshot is made without input");
        let seen = rig.snapshots.acquire().index;
        rig.order(immediate);
        assert_eq!(rig.due(), Due::Idle, "waits for input");
        let first = rig.clock.now();
        rig.key(Code::Space);
        assert!(rig.run());
        rig.clock.0.set(1_002 * MS);
        rig.key(Code::Space);
        assert!(rig.run());
        let acquired = rig.snapshots.acquire();
        let marks = acquired.value.marks;
        assert!(marks.after_idle, "the frame comes after a wait, whichever input made the snapshot");
        assert_eq!(marks.inputs.since(seen), Some(first));
        assert_eq!(acquired.skipped, 1);
        rig.key(Code::Space);
        assert_eq!(rig.due(), Due::Idle, "it was taken: the next one needs an order");
    }
}
