use std::time::Duration;

use super::draw::Drawn;
use super::{Backend, Reason, RenderStep};
use crate::error::Result;
use crate::pacing::Work;
use crate::stats::Stage;
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, Kind};

/// A swap that takes more than this share of a frame interval has waited for the display.
const WAITED: u32 = 4;

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Swaps the frame that was drawn.
    pub(in crate::runtime) fn swap(&mut self, clock: &impl Clock) -> Result<()> {
        let Some(mut drawn) = self.drawn.take() else { return Ok(()) };
        let begin = clock.now();
        self.figures.reached(&mut drawn.record, Stage::SwapBegin, begin);
        {
            crate::profile::scope!("swap");
            let _swap = timeline::span(Kind::Swap, "swap");
            self.backend.swap(drawn.record.id)?;
        }
        let swapped = clock.now();
        self.flight.swapped(drawn.record.id, swapped);
        if self.figures.after_warmup(drawn.record.id) {
            self.counted.drawn(drawn.mode, drawn.record.apart);
        }
        self.figures.swapped(drawn.record, swapped);
        if !drawn.record.repeated {
            self.tell_work(&drawn, begin, swapped);
        }
        self.go_on(&drawn, swapped);
        self.throttle.tell(&self.pacer);
        self.tell_refresh();
        self.figures.declare(&self.pacer, self.throttle.asked());
        self.backend.prepare()
    }

    /// Tells the pacer what the frame took.
    fn tell_work(&mut self, drawn: &Drawn, begin: Timestamp, swapped: Timestamp) {
        // The display could have had it when swap returned, unless swap waited for the display.
        let waited = swapped.saturating_since(begin) > self.pacer.interval() / WAITED;
        let ready = if waited && self.pacer.mode().shows_at_refreshes() { begin } else { swapped };
        let was_held = drawn.swap_at > drawn.submitted;
        let held = if was_held { begin.saturating_since(drawn.submitted) } else { Duration::ZERO };
        let drawing = ready.saturating_since(drawn.acquired).saturating_sub(held);
        self.pacer.submitted(drawn.plan.id, ready, Work { logic: drawn.logic, drawing, held });
    }

    /// Hears what there is to hear, and orders the next frame where that was left to the swap.
    fn go_on(&mut self, drawn: &Drawn, swapped: Timestamp) {
        let fresh = !drawn.record.repeated;
        let due = fresh && !drawn.ahead;
        let awaits = due && self.pacer.is_one_by_one() && self.pacer.mode().follows_display();
        if awaits {
            // The answer gives the order.
            self.orders.wait_for(drawn.record.id);
        }
        self.poll(swapped);
        if due {
            if !awaits {
                self.order_next(swapped);
            }
        } else if drawn.reason == Reason::Stale && !fresh {
            // The same order stays open; the next stale frame is due one interval later.
            self.orders.extend(drawn.acquired + self.pacer.interval());
        }
    }
}
