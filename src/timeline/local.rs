//! The events of the thread that one is on.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::collect::{MessageSink, Shared};
use super::delay::{RunDelay, thread_time};
use super::{Event, Kind};
use crate::stats::Ring;
use crate::time::{Clock as _, MonotonicClock, Timestamp};

/// Sleeps that follow each other this closely are one: a thread that waits looks for work now and then.
const MERGED: std::time::Duration = std::time::Duration::from_micros(100);

/// What one thread has to tell. Nobody else touches it until the thread hands it over, so that recording is a write into
/// memory of its own.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) name: &'static str,
    pub(super) events: Ring<Event<'static>>,
    delay: RunDelay,
    frame: u64,
    shared: Arc<Shared>,
}

impl Track {
    /// For how long the thread was on a processor so far, and for how long it waited for one.
    fn read(&self) -> (u64, u64) {
        (thread_time(), self.delay.read())
    }
}

thread_local! {
    // Constant and without a destructor: where nothing is recorded, this is all that is looked at.
    static ON: Cell<bool> = const { Cell::new(false) };
    static TRACK: RefCell<Option<Track>> = const { RefCell::new(None) };
}

/// The thread records as long as this lives, and hands over what it recorded when it is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    _here: std::marker::PhantomData<*const ()>,
}

pub(super) fn begin(shared: Arc<Shared>, name: &'static str, events: usize) -> Recording {
    let track = Track { name, events: Ring::new(events), delay: RunDelay::new(), frame: 0, shared };
    TRACK.set(Some(track));
    ON.set(true);
    Recording { _here: std::marker::PhantomData }
}

impl Drop for Recording {
    fn drop(&mut self) {
        ON.set(false);
        if let Some(track) = TRACK.take() {
            let shared = Arc::clone(&track.shared);
            shared.take(track);
        }
    }
}

/// Whether this thread records. One read of a thread-local.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    ON.get()
}

fn with<T: Default>(f: impl FnOnce(&mut Track) -> T) -> T {
    TRACK.with(|track| track.try_borrow_mut().ok().and_then(|mut t| t.as_mut().map(f))).unwrap_or_default()
}

/// Records an event of this thread, where it records. Some tens of nanoseconds; no allocation, no lock.
#[inline]
pub fn push(event: Event<'static>) {
    if is_on() {
        with(|track| track.events.push(event));
    }
}

/// What is recorded from now on belongs to this frame.
#[inline]
pub(crate) fn set_frame(frame: u64) {
    if is_on() {
        with(|track| track.frame = frame);
    }
}

/// Where messages of the driver go, where this thread records.
pub(crate) fn message_sink() -> Option<MessageSink> {
    with(|track| Some(track.shared.sink()))
}

/// A part of the program with a name, until the end of the block: `let _scope = scanout::timeline::scope("physics");`.
/// Where nothing is recorded it costs one predictable branch, otherwise two readings of the clock.
#[inline]
pub fn scope(name: &'static str) -> Span {
    span(Kind::Scope, name)
}

/// The same for a kind of its own.
#[inline]
pub(crate) fn span(kind: Kind, name: &'static str) -> Span {
    if is_on() { Span::begin(kind, name) } else { Span(None) }
}

/// Until what is returned is dropped, `bytes` bytes go to the driver.
#[inline]
pub(crate) fn upload(name: &'static str, bytes: usize) -> Span {
    let mut span = span(Kind::Upload, name);
    if let Some(event) = &mut span.0 {
        event.value = bytes as u64;
    }
    span
}

/// An event that ends when this is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Span(Option<Event<'static>>);

impl Span {
    #[cold]
    fn begin(kind: Kind, name: &'static str) -> Self {
        let (frame, (value, delay)) =
            with(|track| (track.frame, if told(kind) { track.read() } else { (0, 0) }));
        let now = MonotonicClock.now();
        Self(Some(Event { value, delay, ..Event::new(kind, name, frame, now, now) }))
    }

    /// The frame that it belongs to, if it is not the one being drawn.
    pub(crate) fn frame(mut self, frame: u64) -> Self {
        if let Some(event) = &mut self.0 {
            event.frame = frame;
        }
        self
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut event) = self.0.take() {
            event.end = MonotonicClock.now();
            with(|track| {
                if told(event.kind) {
                    let (ran, delay) = track.read();
                    event.value = ran.saturating_sub(event.value);
                    event.delay = delay.saturating_sub(event.delay);
                }
                track.events.push(event);
            });
        }
    }
}

/// Whether it is worth asking the system how long the thread had to wait for a processor.
const fn told(kind: Kind) -> bool {
    matches!(kind, Kind::Logic | Kind::Render | Kind::Swap)
}

/// Runs `sleep`, which is to end at `until` if nothing wakes the thread before.
pub(crate) fn sleeping(until: Option<Timestamp>, sleep: impl FnOnce()) {
    if !is_on() {
        return sleep();
    }
    let start = MonotonicClock.now();
    sleep();
    let end = MonotonicClock.now();
    let late = until.map_or(0, |until| crate::time::nanos(end.saturating_since(until.max(start))));
    with(|track| {
        if let Some(last) = track.events.last_mut()
            && last.kind == Kind::Sleep
            && start.saturating_since(last.end) < MERGED
        {
            last.end = end;
            last.value = last.value.max(late);
        } else {
            let frame = track.frame;
            track.events.push(Event { value: late, ..Event::new(Kind::Sleep, "sleep", frame, start, end) });
        }
    });
}
