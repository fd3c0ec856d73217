use crate::runtime::Size;
use crate::time::Timestamp;

use super::{Backend, RenderStep};

/// What there is to draw into, and who sees it.
#[derive(Debug)]
pub(super) struct Pane {
    pub(super) size: Size,
    pub(super) scale: f32,
    /// What the host says.
    pub(super) visible: bool,
    /// What the display says: `false` while it was found to show nothing of the window.
    pub(super) shown: bool,
    /// It needs its contents again.
    pub(super) redraw: bool,
}

impl Pane {
    pub(super) const fn new(size: Size, scale: f32) -> Self {
        Self { size, scale, visible: true, shown: true, redraw: false }
    }
}

/// When the loop last stood still. The next frame's distance from the one before says nothing about pacing then.
#[derive(Debug)]
pub(super) struct Standstill {
    /// No frame was drawn since.
    over: bool,
    /// Snapshots that were sampled before this are from before the standstill.
    until: Timestamp,
}

impl Standstill {
    /// Nothing was drawn yet.
    pub(super) const fn new() -> Self {
        Self { over: true, until: Timestamp::ZERO }
    }

    /// The loop goes on after a standstill.
    pub(super) const fn ended(&mut self, now: Timestamp) {
        *self = Self { over: true, until: now };
    }

    /// Something else is asked of the loop from here on.
    pub(super) const fn changed(&mut self) {
        self.over = true;
    }

    /// A frame is drawn of a snapshot that was sampled then. Whether it is the first after a standstill, and whether its
    /// snapshot is from before that.
    pub(super) fn first_frame(&mut self, sampled: Option<Timestamp>) -> (bool, bool) {
        let first = std::mem::replace(&mut self.over, false);
        (first, first && sampled.is_some_and(|at| at < self.until))
    }
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// The display says whether it shows anything of the window.
    pub(super) fn set_shown(&mut self, shown: bool, now: Timestamp) {
        log::debug!("the display {} the window", if shown { "shows" } else { "shows nothing of" });
        self.pane.shown = shown;
        self.tell_visible(now);
    }

    /// The window became visible or invisible.
    pub(super) fn tell_visible(&mut self, now: Timestamp) {
        let visible = self.pane.visible && self.pane.shown;
        self.pacer.set_visible(visible);
        if visible {
            self.pane.redraw = true;
            self.standstill.ended(now);
            self.order_next(now);
        } else {
            // The world stands still: what was ordered is not due any more, whatever input comes.
            self.orders.withdraw();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_frame_after_a_standstill_may_be_of_an_old_snapshot() {
        let at = Timestamp::from_nanos;
        let mut standstill = Standstill::new();
        assert_eq!(standstill.first_frame(Some(at(5))), (true, false));
        assert_eq!(standstill.first_frame(Some(at(6))), (false, false));
        standstill.ended(at(100));
        assert_eq!(standstill.first_frame(Some(at(99))), (true, true));
        assert_eq!(standstill.first_frame(Some(at(99))), (false, false));
        standstill.ended(at(200));
        assert_eq!(standstill.first_frame(Some(at(200))), (true, false));
        standstill.changed();
        assert_eq!(standstill.first_frame(None), (true, false));
    }
}
