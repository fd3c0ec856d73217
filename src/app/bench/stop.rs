//! Ctrl-C and SIGTERM: what was measured so far is still written.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::app::interrupt;

/// Servers of a scenario may take their time to start, and what was measured before is not lost for that.
const UNHEARD: Duration = Duration::from_secs(5);
/// A run writes its report first.
const WIND_UP: Duration = Duration::from_secs(40);

/// Whether the user has had enough.
#[derive(Clone, Debug)]
pub struct Stop {
    woken: Receiver<()>,
}

impl Stop {
    /// Listens from now on. A second signal ends the program at once, with all that it has started: its keeper does that.
    pub fn install() -> Self {
        let (wake, woken) = bounded(1);
        interrupt::install(UNHEARD, WIND_UP, interrupt::NOT_ALL_MEASURED);
        interrupt::on_signal(move || {
            let _ = wake.try_send(());
        });
        Self { woken }
    }

    /// Whether it was asked for.
    #[allow(clippy::unused_self, reason = "who has none has not installed it")]
    pub fn seen(&self) -> bool {
        interrupt::seen()
    }

    /// Waits so long, or until it is asked for.
    pub fn wait(&self, span: Duration) {
        match self.woken.recv_timeout(span) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}
