use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
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
        MessageSink {
            to: self.messages.0.clone(),
            oldest: self.messages.1.clone(),
            lost: Arc::clone(&self.messages_lost),
        }
    }
}

/// Takes messages of the driver, from whatever thread it calls on.
#[derive(Clone, Debug)]
pub(crate) struct MessageSink {
    to: Sender<Message>,
    oldest: Receiver<Message>,
    lost: Arc<AtomicU64>,
}

impl MessageSink {
    /// Never waits and does not allocate: the channel's memory is there. Where it is full the oldest makes room, as in the
    /// rings of the threads, and is counted.
    pub(crate) fn send(&self, message: Message) {
        if let Err(TrySendError::Full(message)) = self.to.try_send(message) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            // Another thread may take the place: then this one is lost as well.
            let _ = self.oldest.try_recv();
            if self.to.try_send(message).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn of_too_many_messages_the_newest_are_kept_and_the_rest_is_counted() {
        let collector = Collector::new(1);
        let sink = collector.shared.sink();
        for id in 0..MESSAGES as u32 + 10 {
            sink.send(Message::new(Timestamp::ZERO, [0, 0, id, 0], "said"));
        }
        let timeline = collector.collect();
        let ids = timeline.messages.iter().map(|m| m.id);
        assert!(ids.eq(10..MESSAGES as u32 + 10));
        assert_eq!(timeline.messages_lost, 10);
    }
}
