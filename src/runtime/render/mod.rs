//! The render thread without the thread: [`RenderStep`] is asked [what to do now](RenderStep::next), and does it.
//!
//! | file | what it has |
//! |---|---|
//! | `backend` | what a host draws with |
//! | `next` | what to do now: draw, swap, wait, stop |
//! | `draw`, `swap` | the two halves of a frame, before and after its hold |
//! | `flight` | which frames are on their way, and how many more may follow |
//! | `orders` | what is ordered of the logic thread, and for when |
//! | `heard` | what the backend says of earlier frames and of the display |
//! | `wishes` | what the host wants to be different |
//! | `pane` | what there is to draw into, who sees it, and standstills |
//! | `figures` | the recorder, telemetry, and the intervals that frames are held against |
//! | `throttle` | whether swap was asked to wait, and whether it does |
//! | `losses` | contexts that were lost |
//! | `run` | the loop around the step, and its end |

mod backend;
mod draw;
mod figures;
mod flight;
mod heard;
mod losses;
mod next;
mod orders;
mod pane;
mod run;
mod swap;
mod throttle;
mod wishes;

use std::time::Duration;

pub use self::backend::{Backend, FrameInfo};
pub(super) use self::next::{Next, Reason};
pub(super) use self::run::run;

use self::draw::Drawn;
use self::figures::Figures;
use self::flight::Flight;
use self::losses::Losses;
use self::orders::Orders;
use self::pane::{Pane, Standstill};
use self::throttle::SwapThrottle;
use super::control::Changes;
use super::counted::Counted;
use super::input::LatestInput;
use super::latch::Latch;
use super::logic::Order;
use super::options::RunOptions;
use super::signal::Waker;
use super::slot::Slot;
use super::world::Demand;
use crate::display::priority::Priority;
use crate::error::Result;
use crate::pacing::{FramePacer, LayoutChoice};
use crate::sync::snapshot::{Reader, Writer};
use crate::telemetry::FrameStamps;
use crate::time::Timestamp;

/// The render thread without the thread.
pub(super) struct RenderStep<S, B> {
    backend: B,
    options: RunOptions,
    snapshots: Reader<Slot<S>>,
    latch: Latch,
    pacer: FramePacer,
    throttle: SwapThrottle,
    orders: Orders,
    flight: Flight,
    drawn: Option<Drawn>,
    pane: Pane,
    standstill: Standstill,
    /// For how long the machine had been suspended when the last frame was drawn.
    suspended: Option<Duration>,
    figures: Figures,
    counted: Counted,
    losses: Losses,
    /// How long the last snapshot took to make, for whoever decides which thread makes the next one.
    made: Option<(Duration, Demand)>,
    started: Option<Timestamp>,
    priority: Priority,
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    pub(super) fn new(
        mut backend: B,
        snapshots: Reader<Slot<S>>,
        orders: Writer<Order>,
        logic: Waker,
        latest: Reader<LatestInput>,
        priority: Priority,
        options: RunOptions,
    ) -> Self {
        let refresh_hz = backend.target().refresh_hz.or(options.refresh_hz);
        let mut pacer = FramePacer::new(options.pacing, refresh_hz.unwrap_or(0.0));
        let mut throttle = SwapThrottle::default();
        throttle.ask(&mut backend, &mut pacer);
        pacer.set_miss_budget(options.miss_budget);
        pacer.set_layout(options.layout);
        pacer.set_cap(options.cap);
        pacer.set_vrr(options.vrr);
        let mut step = Self {
            backend,
            snapshots,
            latch: Latch::new(latest),
            pacer,
            throttle,
            orders: Orders::new(orders, logic),
            flight: Flight::new(),
            drawn: None,
            pane: Pane::new(options.size, options.scale),
            standstill: Standstill::new(),
            suspended: None,
            figures: Figures::new(&options, refresh_hz),
            counted: Counted::new(options.pacing),
            losses: Losses::default(),
            made: None,
            started: None,
            priority,
            options,
        };
        step.tell_refresh();
        step
    }

    /// Stamps its stages there as well, and says there what is drawn with and to.
    pub(super) fn stamp_into(&mut self, telemetry: Option<FrameStamps>) {
        self.figures.stamp_into(telemetry);
        self.tell_readers();
    }

    /// Sets the size for the first time and orders the first snapshot.
    pub(super) fn start(&mut self, now: Timestamp) -> Result<()> {
        self.started = Some(now);
        self.resize()?;
        self.order_next(now);
        Ok(())
    }

    /// What somebody who draws wants to be different.
    fn changes(&mut self) -> Option<Changes> {
        self.backend.changes()
    }

    /// How long the newest snapshot took to make, once.
    fn take_made(&mut self) -> Option<(Duration, Duration, Demand)> {
        self.made.take().map(|(took, demand)| (took, self.pacer.interval(), demand))
    }

    /// The layout that was asked for.
    const fn layout(&self) -> LayoutChoice {
        self.options.layout
    }

    /// Whether a frame is drawn and not yet swapped.
    const fn holds(&self) -> bool {
        self.drawn.is_some()
    }

    /// Whether feedback is waited for.
    pub(super) fn has_pending(&self) -> bool {
        // The recorder hears of a frame when it is swapped; nothing may be said of it before.
        self.drawn.is_none()
            && (self.figures.recorder().has_pending()
                || !self.pane.shown
                || self.orders.waits().is_some()
                || self.pacer.mode().follows_display())
    }

    /// Tells the backend the size of what it draws into, unless there is nothing of it.
    fn resize(&mut self) -> Result<()> {
        if self.pane.size.is_empty() {
            return Ok(());
        }
        self.backend.resize(self.pane.size, self.pane.scale)
    }

    /// Orders the next frame, unless an embedding program's ticks do.
    fn order_next(&mut self, now: Timestamp) {
        self.orders.order_next(&mut self.pacer, now);
    }

    fn tell_refresh(&mut self) {
        self.figures.tell_refresh(&self.pacer, self.backend.target());
    }

    fn tell_readers(&mut self) {
        self.figures.tell_readers(&self.pacer, self.backend.target());
    }
}
