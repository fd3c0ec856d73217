use super::flight::FENCE_EVERY;
use super::{Backend, RenderStep};
use crate::runtime::Demand;
use crate::time::Timestamp;

/// How often the display is asked whether it shows a hidden window again, unless something wakes the thread before.
const HIDDEN_POLL_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// How often it is looked for a notice of the display that a frame begins with.
const NOTICE_EVERY: std::time::Duration = std::time::Duration::from_micros(500);

/// What the render thread should do now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::runtime) enum Next {
    /// The run is over.
    Stop,
    /// Draw a frame.
    Draw(Reason),
    /// Swap the frame that was drawn.
    Swap,
    /// Look again at this time, if nobody wakes the thread before.
    At(Timestamp),
    /// As [`At`](Self::At), and to the microsecond.
    Exactly(Timestamp),
    /// Nothing to do until somebody wakes the thread.
    Idle,
}

/// Why a frame is drawn.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::runtime) enum Reason {
    /// There is a new snapshot.
    Fresh,
    /// The logic thread is late; the scene moves.
    Stale,
    /// The window needs its contents again (resized, uncovered, overlay changed).
    Redraw,
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// What to do at `now`.
    pub(in crate::runtime) fn next(&mut self, now: Timestamp) -> Next {
        let deadline = self.options.time_limit.zip(self.started).map(|(limit, at)| at + limit);
        if self.is_out_of_frames() || deadline.is_some_and(|at| now >= at) {
            return Next::Stop;
        }
        if let Some(drawn) = &self.drawn {
            return if now >= drawn.swap_at { Next::Swap } else { Next::Exactly(drawn.swap_at) };
        }
        let mut look_again = deadline.unwrap_or(Timestamp::MAX);
        if !self.pane.shown {
            look_again = look_again.min(now + HIDDEN_POLL_EVERY);
        } else if self.pane.visible
            && !self.pane.size.is_empty()
            && let Some(next) = self.next_of_scene(now, &mut look_again)
        {
            return next;
        }
        if let Some(silent_at) = self.orders.awaited().map(|_| self.flight.silent_from()) {
            look_again = look_again.min(silent_at.max(now) + FENCE_EVERY);
        }
        if let Some(until) = self.orders.waits() {
            // What is heard late begins a frame late.
            look_again = look_again.min(until.max(now)).min(now + NOTICE_EVERY);
        }
        if self.pane.shown && self.figures.recorder().has_pending() && now < self.flight.silent_from() {
            look_again = look_again.min(now + self.backend.poll_every());
        }
        if look_again == Timestamp::MAX { Next::Idle } else { Next::At(look_again) }
    }

    fn is_out_of_frames(&self) -> bool {
        let drawn = self.flight.last().0;
        self.options.frame_limit.is_some_and(|n| drawn >= n.saturating_add(self.options.warmup))
    }

    /// What the scene wants, if it can be seen; `None`: nothing before `look_again`, which is moved to an earlier time where
    /// that is known.
    fn next_of_scene(&mut self, now: Timestamp, look_again: &mut Timestamp) -> Option<Next> {
        let mut look_at = |at: Timestamp| *look_again = at.min(*look_again);
        if let Some(every) = self.backend.look_every() {
            look_at(now + every);
        }
        if self.snapshots.has_fresh() {
            return Some(self.draw_or_wait(Reason::Fresh, now));
        }
        let marks = &self.snapshots.current().marks;
        let (order, demand) = (marks.order, marks.demand);
        if order == 0 {
            return None;
        }
        // What moves is drawn again anyway, at its own time.
        let rests = demand == Demand::OnInput;
        self.pane.redraw |= rests && self.backend.changed();
        let unfinished = rests && self.backend.unfinished();
        if unfinished {
            let due = self.flight.swapped_at() + self.pacer.interval();
            self.pane.redraw |= now >= due;
            look_at(due);
        }
        if self.pane.redraw {
            return Some(self.draw_or_wait(Reason::Redraw, now));
        }
        if self.options.end_when_idle && rests && !unfinished {
            log::info!("the scene asks for no more frames and no input can come: done");
            return Some(Next::Stop);
        }
        if demand == Demand::EveryFrame
            && let Some(at) = self.orders.revise_at()
        {
            look_at(at);
        }
        if demand == Demand::EveryFrame
            && let Some(stale_at) = self.orders.stale_at(order)
        {
            if now >= stale_at {
                return Some(self.draw_or_wait(Reason::Stale, now));
            }
            look_at(stale_at);
        }
        None
    }

    /// Draws when the GPU has finished enough of the frames before. A fence that never comes does not stop the run.
    fn draw_or_wait(&mut self, reason: Reason, now: Timestamp) -> Next {
        if self.flight.may_follow(self.pacer.frames_in_flight(), now) {
            Next::Draw(reason)
        } else {
            Next::At(now + FENCE_EVERY)
        }
    }
}
