use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::local::{self, Recording, Track};
use super::{Message, ThreadTrack, Timeline};

/// Messages of the driver that are kept; more than these repeat themselves.
const MESSAGES: usize = 1_024;

/// What all threads of a run share. The lock is taken when a thread ends, the channel when the driver has something to say.
#[derive(Debug)]
pub(super) struct Shared {
    tracks: Mutex<Vec<Track>>,
    messages: (Sender<Message>, Receiver<Message>),
    messages_lost: Arc<AtomicU64>,
}

impl Shared {
    pub(super) fn take(&self, track: Track) {
        self.tracks.lock().push(track);
    }

    pub(super) fn sink(&self) -> MessageSink {
        MessageSink { to: self.messages.0.clone(), lost: Arc::clone(&self.messages_lost) }
    }
}

/// Takes messages of the driver, from whatever thread it calls on.
#[derive(Clone, Debug)]
pub(crate) struct MessageSink {
    to: Sender<Message>,
    lost: Arc<AtomicU64>,
}

impl MessageSink {
    /// Never waits and does not allocate: the channel's memory is there, and what does not fit is counted.
    pub(crate) fn send(&self, message: Message) {
        if self.to.try_send(message).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Collects the tracks of a run's threads.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    shared: Arc<Shared>,
    events: usize,
}

impl Collector {
    /// For `events` events of each thread.
    pub(crate) fn new(events: usize) -> Self {
        let shared =
            Shared { tracks: Mutex::default(), messages: bounded(MESSAGES), messages_lost: Arc::default() };
        Self { shared: Arc::new(shared), events }
    }

    /// From now on the calling thread records, under this name, until what is returned is dropped.
    pub(crate) fn record_here(&self, name: &'static str) -> Recording {
        local::begin(Arc::clone(&self.shared), name, self.events)
    }

    /// What the threads that have ended recorded.
    pub(crate) fn collect(&self) -> Timeline {
        let mut threads: Vec<ThreadTrack> = std::mem::take(&mut *self.shared.tracks.lock())
            .into_iter()
            .map(|track| ThreadTrack {
                name: track.name,
                events: track.events.list(),
                pushed_out: track.events.pushed_out(),
            })
            .collect();
        threads.sort_by_key(|track| track.name);
        Timeline {
            threads,
            messages: self.shared.messages.1.try_iter().collect(),
            messages_lost: self.shared.messages_lost.load(Ordering::Relaxed),
            ..Timeline::default()
        }
    }
}
