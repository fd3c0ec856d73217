use super::*;
use crate::pacing::Alpha;
use crate::runtime::InputEvent;
use crate::runtime::input::{InputSender, input_channel};
use crate::runtime::seat::InputWaker;
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
    epoch: u64,
}

impl Rig {
    fn new(demand: Demand) -> Self {
        let (input, inputs, _) = input_channel(InputWaker::none());
        let (snapshots_in, snapshots) = buffer::<_, DEFAULT_SLOTS>(|_| Slot::default());
        let (orders, orders_out) = buffer::<_, DEFAULT_SLOTS>(|_| Order::default());
        let world = World { demand, changed: true, ..World::default() };
        let step = LogicStep::new(world, inputs, orders_out, snapshots_in);
        Self { clock: Hand(Cell::new(1_000 * MS)), input, orders, snapshots, step, number: 0, epoch: 0 }
    }

    fn order(&mut self, plan: Plan) {
        self.number += 1;
        let mut out = self.orders.write();
        *out = Order { number: self.number, plan, interval: Duration::from_millis(10), epoch: self.epoch };
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
fn animation_goes_by_what_was_chosen_and_the_filter_counts() {
    let run = |delta| {
        let mut rig = Rig::new(Demand::EveryFrame);
        rig.step.go_by(delta);
        let times = [0, 10, 50, 100, 150, 160].map(|ms| {
            rig.clock.0.set((1_000 + ms) * MS);
            rig.order(plan(10));
            assert!(rig.run());
            let marks = rig.snapshots.acquire().value.marks;
            (marks.animation_time.as_millis() as u64, marks.filtered)
        });
        (times.map(|(time, _)| time), times[5].1.by_median)
    };
    assert_eq!(run(DeltaTime::Refreshes), ([10, 20, 30, 40, 50, 60], 0));
    assert_eq!(run(DeltaTime::Raw), ([10, 20, 60, 110, 160, 170], 0));
    let (times, filtered) = run(DeltaTime::Reference(Alpha::OnOld));
    assert_eq!(filtered, 1, "the third outlier in a row is a median");
    assert!(times[5] > 60 && times[5] < 110, "{times:?}");
}

#[test]
fn time_before_another_start_is_in_no_step_and_no_filter() {
    for delta in [DeltaTime::Refreshes, DeltaTime::Raw, DeltaTime::Reference(Alpha::OnOld)] {
        let mut rig = Rig::new(Demand::EveryFrame);
        rig.step.go_by(delta);
        let mut shown = Duration::ZERO;
        // Ten seconds behind the third frame in which the window was hidden.
        for (ms, epoch) in [(0, 0), (10, 0), (20, 0), (10_030, 1), (10_040, 1), (10_050, 1)] {
            rig.clock.0.set((1_000 + ms) * MS);
            rig.epoch = epoch;
            rig.order(plan(10));
            assert!(rig.run());
            shown = rig.snapshots.acquire().value.marks.animation_time;
        }
        assert_eq!(shown, Duration::from_millis(60), "{delta}");
    }
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
