//! Which thread runs the logic step.
//!
//! It belongs to the logic thread. Handing a snapshot over costs a wake-up of the render thread, which is most of the
//! time between a click and its picture where logic is short. So the step can be lent to the render thread, which then
//! runs logic, drawing and swap one after the other; the logic thread waits meanwhile. The step moves through channels
//! when it changes hands, and not per frame.
//!
//! Lent is what cannot be missed: a world that [waits for input](Demand::OnInput) and whose steps are short. A world that
//! moves by itself keeps its own thread, so that the render thread can go on without it, unless a serial layout was
//! pinned.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::lending::{Policy, Wish};
use super::logic::{Due, LogicStep};
use super::signal::Waker;
use super::threads::panic_message;
use super::world::{Demand, Logic};
use crate::error::{Error, Result, ThreadName};
use crate::pacing::LayoutChoice;
use crate::time::{Clock, Timestamp};

/// Whom input wakes: the thread that has the logic step.
#[derive(Clone, Debug)]
pub(super) struct InputWaker {
    logic: Waker,
    render: Waker,
    lent: Arc<AtomicBool>,
    /// The render thread is inside a lent step. Whoever ends the run reads it to name the thread that hangs.
    stepping: Arc<AtomicBool>,
}

impl InputWaker {
    pub(super) fn new(logic: Waker, render: Waker) -> Self {
        Self { logic, render, lent: Arc::default(), stepping: Arc::default() }
    }

    /// Wakes nobody, for steps that are driven by hand.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self::new(Waker::none(), Waker::none())
    }

    pub(super) fn wake(&self) {
        // The event was sent before this fence. Whoever takes the step raises or lowers the flag, passes a fence and
        // looks at the channel: either the flag is seen here, or the event is seen there.
        fence(Ordering::SeqCst);
        if self.lent() { &self.render } else { &self.logic }.wake();
    }

    fn lent(&self) -> bool {
        self.lent.load(Ordering::Relaxed)
    }

    /// Whether the render thread is running the logic's step at this moment, rather than drawing or waiting.
    pub(super) fn stepping(&self) -> bool {
        self.stepping.load(Ordering::Relaxed)
    }

    fn set_lent(&self, lent: bool) {
        self.lent.store(lent, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }
}

/// Makes both ends of a seat.
pub(super) fn seat<L: Logic>(
    step: LogicStep<L>,
    choice: LayoutChoice,
    inputs: InputWaker,
) -> (LogicSeat<L>, RenderSeat<L>) {
    let (lend, borrow) = bounded(1);
    let (give_back, returned) = bounded(1);
    let asked = Arc::new(AtomicBool::new(false));
    let logic = LogicSeat { step: Some(Box::new(step)), asked: Arc::clone(&asked), lend, returned };
    let policy = Policy::new(choice);
    let render = RenderSeat { step: None, asked, asking: false, borrow, give_back, inputs, policy };
    (logic, render)
}

/// The logic thread's end.
pub(super) struct LogicSeat<L: Logic> {
    step: Option<Box<LogicStep<L>>>,
    asked: Arc<AtomicBool>,
    lend: Sender<Box<LogicStep<L>>>,
    returned: Receiver<Box<LogicStep<L>>>,
}

impl<L: Logic> LogicSeat<L> {
    /// The step, as long as it is here. When the render thread asks for it, lends it and waits until it is back;
    /// `None`: the render thread is gone with it.
    pub(super) fn step(&mut self, render: &Waker) -> Option<&mut LogicStep<L>> {
        // Acquire pairs with the release in `ask`; the flag carries no data.
        if self.asked.swap(false, Ordering::Acquire)
            && let Some(step) = self.step.take()
        {
            if let Err(kept) = self.lend.send(step) {
                self.step = Some(kept.into_inner());
            } else {
                render.wake();
                self.step = self.returned.recv().ok();
            }
        }
        self.step.as_deref_mut()
    }
}

/// The render thread's end.
pub(super) struct RenderSeat<L: Logic> {
    step: Option<Box<LogicStep<L>>>,
    asked: Arc<AtomicBool>,
    /// It was asked for and has not come yet.
    asking: bool,
    borrow: Receiver<Box<LogicStep<L>>>,
    give_back: Sender<Box<LogicStep<L>>>,
    inputs: InputWaker,
    policy: Policy,
}

impl<L: Logic> RenderSeat<L> {
    /// Takes the step when it has been lent.
    pub(super) fn arrive(&mut self) {
        if self.asking
            && let Ok(step) = self.borrow.try_recv()
        {
            self.take(step);
        }
    }

    fn take(&mut self, step: Box<LogicStep<L>>) {
        self.asking = false;
        self.inputs.set_lent(true);
        self.step = Some(step);
    }

    /// Whether this thread runs the steps.
    pub(super) const fn is_here(&self) -> bool {
        self.step.is_some()
    }

    /// What the lent step wants; idle when it is not here.
    pub(super) fn due(&mut self, now: Timestamp) -> Due {
        self.step.as_mut().map_or(Due::Idle, |step| step.due(now))
    }

    /// Runs the lent step. `spun`: how long this thread has spun in all.
    ///
    /// # Errors
    /// A panic in the world, under the logic thread's name.
    pub(super) fn run(&mut self, spun: Duration, clock: &impl Clock) -> Result<()> {
        let Some(step) = &mut self.step else { return Ok(()) };
        step.spun(spun);
        // Relaxed: it is only read of a thread that has not moved for long.
        self.inputs.stepping.store(true, Ordering::Relaxed);
        // After a panic the step is dropped and not looked at again.
        let outcome = catch_unwind(AssertUnwindSafe(|| step.step(clock).is_some()));
        self.inputs.stepping.store(false, Ordering::Relaxed);
        match outcome {
            Ok(_published) => Ok(()),
            Err(payload) => {
                self.step = None;
                Err(Error::ThreadPanicked {
                    thread: ThreadName::Logic,
                    message: panic_message(payload.as_ref()),
                })
            }
        }
    }

    /// A snapshot took so long to make. Moves the step when that is better from here on.
    pub(super) fn made(&mut self, took: Duration, interval: Duration, demand: Demand, logic: &Waker) {
        match self.policy.made(self.step.is_some(), took, interval, demand) {
            Wish::Borrow if !self.asking => {
                self.asking = true;
                self.asked.store(true, Ordering::Release);
                logic.wake();
            }
            Wish::Stay | Wish::Borrow => {}
            Wish::Return => self.leave(),
        }
    }

    /// Another layout was chosen.
    pub(super) const fn choose(&mut self, choice: LayoutChoice) {
        self.policy = Policy::new(choice);
    }

    /// Gives the step back for good, and lets go of one that is on its way: the world ends on the thread it came from.
    pub(super) fn close(&mut self) {
        // Where the logic thread has taken the request, it lends the step at once or is gone.
        if self.asking
            && !self.asked.swap(false, Ordering::Acquire)
            && let Ok(step) = self.borrow.recv()
        {
            self.take(step);
        }
        self.asking = false;
        self.leave();
    }

    /// Gives the step back, where it is here.
    pub(super) fn leave(&mut self) {
        if let Some(step) = self.step.take() {
            self.inputs.set_lent(false);
            // The logic thread waits for it; if it is gone, so is the run.
            let _ = self.give_back.send(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::Layout;

    use super::super::input::input_channel;
    use crate::sync::snapshot::{DEFAULT_SLOTS, buffer};

    struct Still;

    impl Logic for Still {
        type Snapshot = ();

        fn update(&mut self, _: &crate::runtime::Tick) {}

        fn extract(&self, (): &mut ()) {}
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the logic thread")]
    fn a_step_on_its_way_goes_back_when_the_run_ends() {
        let (_input, inputs, _) = input_channel(InputWaker::none());
        let (_orders, ordered) = buffer::<_, DEFAULT_SLOTS>(|_| super::super::logic::Order::default());
        let (made, _seen) = buffer::<_, DEFAULT_SLOTS>(|_| super::super::slot::Slot::<()>::default());
        let step = LogicStep::new(Still, inputs, ordered, made);
        let choice = LayoutChoice::Pinned(Layout::Serial);
        let (mut logic, mut render) = seat(step, choice, InputWaker::none());
        render.made(Duration::ZERO, Duration::from_millis(16), Demand::EveryFrame, &Waker::none());
        let lending = std::thread::spawn(move || logic.step(&Waker::none()).is_some());
        while render.borrow.is_empty() {
            std::thread::yield_now();
        }
        render.close();
        drop(render);
        assert!(lending.join().unwrap(), "it was lost on its way");
    }
}
