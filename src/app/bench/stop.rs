//! Ctrl-C and SIGTERM: what was measured so far is still written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// Whether the user has had enough.
#[derive(Clone, Debug)]
pub struct Stop {
    seen: Arc<AtomicBool>,
    woken: Receiver<()>,
    // Kept so that the channel stays open where no handler could be installed.
    _wake: Sender<()>,
}

impl Stop {
    /// Listens from now on. A second signal ends the program at once, and the kernel its children with it.
    pub fn install() -> Self {
        let (wake, woken) = bounded(1);
        let seen = Arc::new(AtomicBool::new(false));
        let handler = (Arc::clone(&seen), wake.clone());
        let installed = ctrlc::set_handler(move || {
            if handler.0.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            let _ = handler.1.try_send(());
        });
        if let Err(e) = installed {
            log::warn!("Ctrl-C will end the program without results: {e}");
        }
        Self { seen, woken, _wake: wake }
    }

    /// Whether it was asked for.
    pub fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    /// Waits so long, or until it is asked for.
    pub fn wait(&self, span: Duration) {
        match self.woken.recv_timeout(span) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}
