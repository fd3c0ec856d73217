use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::display::sleep;

/// Wakes one thread that parks. Cloned to everyone who makes work for it.
///
/// Waking costs one atomic exchange when the thread runs, and one system call when it is parked; a wake-up that
/// comes before the thread parks is not lost (the token of [`std::thread::park`]).
#[derive(Clone, Debug, Default)]
pub struct Waker {
    thread: Option<Arc<OnceLock<Thread>>>,
}

impl Waker {
    /// A waker whose thread is not started yet. Whoever starts it [binds](Self::bind) the waker before anybody
    /// can have made work for the thread.
    #[must_use]
    pub fn new() -> Self {
        Self { thread: Some(Arc::new(OnceLock::new())) }
    }

    /// A waker that wakes nobody, for steps that are driven by hand.
    #[cfg(test)]
    #[must_use]
    pub const fn none() -> Self {
        Self { thread: None }
    }

    /// Says which thread is woken. Only the first call counts.
    pub fn bind(&self, thread: Thread) {
        if let Some(cell) = &self.thread {
            let _ = cell.set(thread);
        }
    }

    /// Wakes the thread, now or when it next parks.
    pub fn wake(&self) {
        if let Some(thread) = self.thread.as_ref().and_then(|cell| cell.get()) {
            thread.unpark();
        }
    }
}

/// Parks the calling thread until it is woken, or for at most `limit`. May return early; on Windows, for short limits, up to a
/// millisecond after it was woken.
pub fn park(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep::park(limit),
        None => thread::park(),
    }
}
