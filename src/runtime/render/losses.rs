use std::time::Duration;

use super::{Backend, RenderStep};
use crate::error::{Error, Result};
use crate::time::{Clock, Timestamp};

/// Losses of the context within [`WITHIN`] that a run survives. A driver that resets the GPU more often does so because of
/// what is drawn, and would do it again.
const SURVIVED: u32 = 3;
/// See [`SURVIVED`]. Those after suspends and driver updates lie further apart.
const WITHIN: Duration = Duration::from_secs(60);

/// Contexts that were lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    survived: u64,
    /// Those since the time beside it.
    recent: (u32, Timestamp),
}

impl Losses {
    /// How many of them the run went on after.
    pub(super) const fn survived(&self) -> u64 {
        self.survived
    }

    /// One more at `now`. Whether it is worth going on.
    fn lost(&mut self, now: Timestamp) -> bool {
        let (recent, since) = self.recent;
        let again = recent > 0 && now.saturating_since(since) < WITHIN;
        self.recent = if again { (recent + 1, since) } else { (1, now) };
        self.recent.0 <= SURVIVED
    }
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Goes on in a new context after the old one was lost, if the backend can. The frame that was drawn is not counted.
    pub(in crate::runtime) fn recover(&mut self, lost: Error, clock: &impl Clock) -> Result<()> {
        let Error::ContextLost { cause, .. } = lost else { return Err(lost) };
        if !self.losses.lost(clock.now()) {
            let detail = format!("for the {}th time within {} s", SURVIVED + 1, WITHIN.as_secs());
            return Err(Error::ContextLost { cause, detail });
        }
        log::warn!("the OpenGL context was lost ({cause}); going on in a new one");
        self.backend.restore(lost)?;
        self.losses.survived += 1;
        let now = clock.now();
        self.drawn = None;
        self.flight.forget();
        self.throttle.ask(&mut self.backend, &mut self.pacer);
        self.resize()?;
        self.pane.redraw = true;
        self.standstill.ended(now);
        self.order_next(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_loss_within_a_minute_is_the_last_and_later_ones_begin_anew() {
        let mut losses = Losses::default();
        let mut lost = |s: u64| losses.lost(Timestamp::from_nanos(s * 1_000_000_000));
        assert_eq!(
            [10, 20, 69, 70, 80, 100, 129].map(&mut lost),
            [true, true, true, true, true, true, false]
        );
    }
}
