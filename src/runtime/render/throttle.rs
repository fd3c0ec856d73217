use super::Backend;
use crate::pacing::{FramePacer, Pacing, Throttle};

/// Whether swap was asked to wait for the display, and what was found of it so far.
#[derive(Debug, Default)]
pub(super) struct SwapThrottle {
    seen: Throttle,
    /// Swap was asked to wait, and whether it does has to be found out.
    asked: bool,
}

impl SwapThrottle {
    /// Tells the surface what the pacing mode wants of swap.
    pub(super) fn ask<S>(&mut self, backend: &mut impl Backend<S>, pacer: &mut FramePacer) {
        let mode = pacer.mode();
        let throttle = backend.set_pacing(mode);
        pacer.set_throttle(throttle);
        self.seen = pacer.throttle();
        self.asked = mode == Pacing::Vsync && throttle != Throttle::Timer;
    }

    /// Whether swap was asked to wait, by a surface that does not know yet what comes of it.
    pub(super) const fn asked(&self) -> bool {
        self.asked
    }

    /// Says it once when swap turns out not to wait.
    pub(super) fn tell(&mut self, pacer: &FramePacer) {
        let throttle = pacer.throttle();
        if throttle != self.seen {
            self.seen = throttle;
            if throttle == Throttle::Timer {
                log::warn!(
                    "swap does not wait for the display here, though interval 1 was set: a timer at {:.2} Hz paces instead",
                    1.0 / pacer.interval().as_secs_f64()
                );
            }
        }
    }
}
