use std::time::Duration;

use crate::pacing::{FrameId, FramePacer, Pacing, Plan};
use crate::runtime::logic::Order;
use crate::runtime::signal::Waker;
use crate::sync::snapshot::Writer;
use crate::time::{Timestamp, nanos, signed_nanos};
use crate::timeline::{self, Event, Kind};

/// An order of another thread is looked at again so long before it is due: that thread has to hear of it in time.
const HANDOVER: Duration = Duration::from_micros(500);

/// What is ordered of the logic's step: one snapshot per order, for one plan.
pub(super) struct Orders {
    out: Writer<Order>,
    logic: Waker,
    /// The newest.
    order: Order,
    /// The render thread runs the logic's steps: nobody has to be woken for an order, and nobody else can be late.
    lent: bool,
    /// The frame whose answer the next order waits for.
    awaited: Option<FrameId>,
    /// The next frame cannot be planned before the display has said something; until then at the latest.
    waits: Option<Timestamp>,
}

impl Orders {
    pub(super) fn new(out: Writer<Order>, logic: Waker) -> Self {
        Self { out, logic, order: Order::default(), lent: false, awaited: None, waits: None }
    }

    /// Whom orders wake.
    pub(super) const fn logic(&self) -> &Waker {
        &self.logic
    }

    /// Which thread runs the steps.
    pub(super) const fn set_lent(&mut self, lent: bool) {
        self.lent = lent;
    }

    /// The frame whose answer the next order waits for.
    pub(super) const fn awaited(&self) -> Option<FrameId> {
        self.awaited
    }

    /// Whether the next order waits for any word of the display, and until when.
    pub(super) const fn waits(&self) -> Option<Timestamp> {
        self.waits
    }

    /// The next order is given when this frame was answered for.
    pub(super) const fn wait_for(&mut self, frame: FrameId) {
        self.awaited = Some(frame);
    }

    /// Orders the next frame, unless an embedding program's ticks do.
    pub(super) fn order_next(&mut self, pacer: &mut FramePacer, now: Timestamp) {
        if pacer.mode() != Pacing::Host {
            self.order(pacer, now);
        }
    }

    /// Plans the next frame and orders its snapshot.
    pub(super) fn order(&mut self, pacer: &mut FramePacer, now: Timestamp) {
        self.awaited = None;
        let mut plan = pacer.plan(now);
        self.waits = (plan.wake_at == Timestamp::MAX).then_some(plan.stale_at);
        if plan.parked || self.waits.is_some() {
            return;
        }
        if pacer.mode() == Pacing::Host {
            // One frame per tick, however long that takes.
            plan.stale_at = Timestamp::MAX;
        }
        note(&plan, "plan", now);
        self.order =
            Order { number: self.order.number + 1, plan, interval: pacer.interval(), epoch: pacer.epoch() };
        self.publish();
    }

    /// When the order in hand is to be looked at [once more](Self::revise) before its step is made, if it is.
    pub(super) fn revise_at(&self) -> Option<Timestamp> {
        let Plan { revise_from, wake_at, .. } = self.order.plan;
        let last = self.revise_by();
        let usual = if self.lent { wake_at } else { wake_at.offset(-signed_nanos(HANDOVER)) };
        revise_from.map(|from| from.max(usual)).filter(|at| *at <= last)
    }

    /// From then on whoever makes the step may have begun with it.
    fn revise_by(&self) -> Timestamp {
        let before = if self.lent { Duration::ZERO } else { HANDOVER / 2 };
        self.order.plan.wake_at.offset(-signed_nanos(before))
    }

    /// Puts the order in hand off where the frame before it turns out to be late, if it is time to look. `open`: no step was made
    /// for it.
    pub(super) fn revise(&mut self, pacer: &mut FramePacer, open: bool, now: Timestamp) {
        if self.revise_at().is_none_or(|at| now < at) {
            return;
        }
        self.order.plan.revise_from = None;
        if !open || (!self.lent && now > self.revise_by()) {
            return;
        }
        if let Some(later) = pacer.revise(now) {
            note(&later, "plan, revised", now);
            self.order.plan = later;
            self.publish();
        }
    }

    /// A step was made for the newest order, by plan `made`. Where that had been put off too late, the pacer has to know.
    pub(super) fn made(&self, pacer: &mut FramePacer, made: &Plan) {
        if made.id == self.order.plan.id && made.wake_at != self.order.plan.wake_at {
            pacer.unrevise();
        }
    }

    /// The number of the newest order.
    pub(super) const fn number(&self) -> u64 {
        self.order.number
    }

    /// What was ordered is not due any more.
    pub(super) fn withdraw(&mut self) {
        self.order.plan = Plan { wake_at: Timestamp::MAX, stale_at: Timestamp::MAX, ..Plan::default() };
        self.waits = None;
        self.publish();
    }

    /// From when on the order in hand is late, where the newest snapshot was made for order `made` and an earlier one.
    pub(super) fn stale_at(&self, made: u64) -> Option<Timestamp> {
        (made < self.order.number && !self.lent).then_some(self.order.plan.stale_at)
    }

    /// The order in hand stays open until then.
    pub(super) const fn extend(&mut self, stale_at: Timestamp) {
        self.order.plan.stale_at = stale_at;
    }

    fn publish(&mut self) {
        let mut out = self.out.write();
        *out = self.order;
        out.publish();
        if !self.lent {
            self.logic.wake();
        }
    }
}

fn note(plan: &Plan, what: &'static str, now: Timestamp) {
    timeline::push(Event {
        value: plan.target_presentation.map_or(0, Timestamp::as_nanos),
        delay: plan.budget.map_or(0, nanos),
        ..Event::new(Kind::Plan, what, plan.id.0, now, plan.wake_at)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::snapshot::{DEFAULT_SLOTS, Reader, buffer};

    fn orders() -> (Orders, Reader<Order>) {
        let (out, orders) = buffer::<_, DEFAULT_SLOTS>(|_| Order::default());
        (Orders::new(out, Waker::none()), orders)
    }

    fn now() -> Timestamp {
        Timestamp::from_nanos(1_000_000_000)
    }

    #[test]
    fn a_host_orders_by_its_ticks_and_its_frames_are_never_stale() {
        let (mut orders, mut given) = orders();
        let mut pacer = FramePacer::new(Pacing::Host, 60.0);
        orders.order_next(&mut pacer, now());
        assert!(!given.acquire().fresh);
        orders.order(&mut pacer, now());
        assert_eq!(given.acquire().value.number, 1);
        assert_eq!(orders.stale_at(0), Some(Timestamp::MAX));
    }

    #[test]
    fn only_an_open_order_of_another_thread_can_be_late() {
        let (mut orders, _given) = orders();
        orders.order_next(&mut FramePacer::new(Pacing::Immediate, 60.0), now());
        assert!(orders.stale_at(0).is_some() && orders.stale_at(1).is_none());
        orders.set_lent(true);
        assert_eq!(orders.stale_at(0), None);
    }

    #[test]
    fn an_order_is_looked_at_again_once_and_in_time_for_whoever_makes_its_step() {
        for (lent, at) in [(true, 10_000), (false, 9_500)] {
            let (mut orders, _given) = orders();
            let mut pacer = FramePacer::new(Pacing::Auto, 60.0);
            orders.set_lent(lent);
            orders.order_next(&mut pacer, now());
            assert_eq!(orders.revise_at(), None, "nothing to be heard of a first frame");
            let us = |us: u64| now() + Duration::from_micros(us);
            (orders.order.plan.revise_from, orders.order.plan.wake_at) = (Some(us(0)), us(10_000));
            assert_eq!(orders.revise_at(), Some(us(at)));
            orders.revise(&mut pacer, true, us(at - 1));
            assert_eq!(orders.revise_at(), Some(us(at)), "not yet");
            orders.revise(&mut pacer, true, us(at));
            assert_eq!(orders.revise_at(), None, "once");
            orders.order.plan.revise_from = Some(us(9_700));
            assert_eq!(orders.revise_at(), Some(us(at.max(9_700))));
            orders.order.plan.revise_from = Some(us(9_800));
            assert_eq!(orders.revise_at(), lent.then_some(us(at)), "too late for another thread");
        }
    }

    #[test]
    fn an_order_that_was_withdrawn_is_not_due_and_the_next_one_is() {
        let (mut orders, mut given) = orders();
        let mut pacer = FramePacer::new(Pacing::Immediate, 60.0);
        orders.order_next(&mut pacer, now());
        orders.withdraw();
        assert_eq!(given.acquire().value.plan.wake_at, Timestamp::MAX);
        orders.wait_for(FrameId(3));
        orders.order_next(&mut pacer, now());
        assert_eq!((given.acquire().value.plan.wake_at, orders.awaited()), (now(), None));
    }

    #[test]
    fn of_a_hidden_window_nothing_is_ordered() {
        let (mut orders, mut given) = orders();
        let mut pacer = FramePacer::new(Pacing::Auto, 60.0);
        pacer.set_visible(false);
        orders.wait_for(FrameId(3));
        orders.order_next(&mut pacer, now());
        assert_eq!((given.acquire().fresh, orders.awaited()), (false, None));
    }
}
