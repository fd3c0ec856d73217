use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use glam::Vec2;
use keyboard_types::Code;

use super::seat::InputWaker;
use crate::sync::snapshot::{self, DEFAULT_SLOTS, Reader, Writer};
use crate::time::Timestamp;

/// Events that fit between two steps of a logic thread without spilling: four seconds of a 1,000 Hz mouse.
const CAPACITY: usize = 4_096;

/// Width and height in physical pixels.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// A size of `width` by `height` pixels.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Nothing can be drawn in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Width over height; 1 for an empty size.
    #[must_use]
    pub fn aspect(self) -> f32 {
        if self.is_empty() { 1.0 } else { self.width as f32 / self.height as f32 }
    }
}

/// A pointer button.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
#[non_exhaustive]
pub enum ButtonCode {
    /// Usually the left one.
    Primary,
    /// Usually the right one.
    Secondary,
    /// The wheel, pressed.
    Middle,
    /// Any other, by the system's number.
    Other(u16),
}

/// What happened, with the time at which the event loop received it.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InputEvent {
    /// When the event loop received it.
    pub received: Timestamp,
    /// What it is.
    pub kind: InputKind,
}

impl InputEvent {
    /// An event received at `received`. For hosts that feed their own events in.
    #[must_use]
    pub const fn new(received: Timestamp, kind: InputKind) -> Self {
        Self { received, kind }
    }
}

/// What an [`InputEvent`] is about. Positions are in physical pixels from the top left corner of the window.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InputKind {
    /// A key, by its place on the keyboard.
    Key {
        /// Which.
        code: Code,
        /// Down or up.
        pressed: bool,
        /// Sent again by the system because it is held down.
        repeat: bool,
    },
    /// A pointer button.
    Button {
        /// Which.
        button: ButtonCode,
        /// Down or up.
        pressed: bool,
    },
    /// The pointer is now here.
    PointerMoved {
        /// Where.
        position: Vec2,
    },
    /// The pointer left the window.
    PointerLeft,
    /// The wheel was turned, or two fingers moved: in lines, positive away from the user and to the right.
    Scroll {
        /// How far.
        lines: Vec2,
    },
    /// The window got or lost the keyboard. On loss all keys and buttons count as released.
    Focus {
        /// Got it.
        gained: bool,
    },
    /// The drawing area has another size or scale.
    Resized {
        /// In physical pixels.
        size: Size,
        /// Physical pixels per logical pixel.
        scale: f32,
    },
}

/// The newest state of what moves continuously, beside the queue of events: for a late latch.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LatestInput {
    /// Where the pointer is, in physical pixels from the top left corner; `None` before it was ever in the window.
    pub pointer: Option<Vec2>,
    /// When the event that said so was received.
    pub received: Timestamp,
}

/// The event loop's end of the input channel. Sending never blocks and loses nothing: when the logic thread is so
/// far behind that the channel is full, pointer motion is merged and the rest waits here.
#[derive(Debug)]
pub struct InputSender {
    events: Sender<InputEvent>,
    overflow: VecDeque<InputEvent>,
    latest: Writer<LatestInput>,
    waker: InputWaker,
}

/// The logic thread's end of the input channel.
#[derive(Debug)]
pub struct InputReceiver {
    events: Receiver<InputEvent>,
}

/// An input channel whose sender wakes the thread that has the logic step, and the newest state for the render thread.
#[must_use]
pub(super) fn input_channel(waker: InputWaker) -> (InputSender, InputReceiver, Reader<LatestInput>) {
    let (tx, rx) = crossbeam_channel::bounded(CAPACITY);
    let (latest, reader) = snapshot::buffer::<_, DEFAULT_SLOTS>(|_| LatestInput::default());
    (
        InputSender { events: tx, overflow: VecDeque::new(), latest, waker },
        InputReceiver { events: rx },
        reader,
    )
}

impl InputSender {
    /// Passes `event` on and wakes the logic thread. No allocation and no lock unless the channel is full; the
    /// wake-up of a parked thread is one system call.
    pub fn send(&mut self, event: InputEvent) {
        if let InputKind::PointerMoved { position } = event.kind {
            let mut latest = self.latest.write();
            *latest = LatestInput { pointer: Some(position), received: event.received };
            latest.publish();
        }
        self.pass_on();
        if !self.overflow.is_empty() {
            self.hold(event);
        } else if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            self.hold(event);
        }
        self.waker.wake();
    }

    /// Tries again to pass on what had to wait. Returns whether everything is through.
    pub fn flush(&mut self) -> bool {
        if self.overflow.is_empty() {
            return true;
        }
        let through = self.pass_on();
        self.waker.wake();
        through
    }

    fn pass_on(&mut self) -> bool {
        while let Some(&event) = self.overflow.front() {
            match self.events.try_send(event) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => self.overflow.pop_front(),
                Err(TrySendError::Full(_)) => return false,
            };
        }
        true
    }

    fn hold(&mut self, event: InputEvent) {
        if let (InputKind::PointerMoved { position }, Some(last)) = (event.kind, self.overflow.back_mut())
            && let InputKind::PointerMoved { position: held } = &mut last.kind
        {
            // The newest place counts; the oldest stamp is the one whose latency is measured.
            *held = position;
            return;
        }
        self.overflow.push_back(event);
    }
}

impl InputReceiver {
    /// The next event, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<InputEvent> {
        self.events.try_recv().ok()
    }

    /// Whether an event waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64, code: Code) -> InputEvent {
        InputEvent::new(Timestamp::from_nanos(n), InputKind::Key { code, pressed: true, repeat: false })
    }

    fn moved(n: u64) -> InputEvent {
        let position = Vec2::splat(n as f32);
        InputEvent::new(Timestamp::from_nanos(n), InputKind::PointerMoved { position })
    }

    #[test]
    fn full_channel_merges_motion_and_loses_no_key() {
        let (mut tx, rx, mut latest) = input_channel(InputWaker::none());
        for n in 0..CAPACITY as u64 {
            tx.send(moved(n));
        }
        let base = CAPACITY as u64;
        tx.send(moved(base));
        tx.send(moved(base + 1));
        tx.send(key(base + 2, Code::Space));
        tx.send(moved(base + 3));
        for _ in 0..CAPACITY {
            assert!(rx.next().is_some());
        }
        assert!(rx.is_empty());
        assert!(tx.flush());
        let merged = rx.next().unwrap();
        assert_eq!(merged.received.as_nanos(), base);
        assert_eq!(merged.kind, InputKind::PointerMoved { position: Vec2::splat((base + 1) as f32) });
        assert_eq!(rx.next().unwrap(), key(base + 2, Code::Space));
        assert_eq!(rx.next().unwrap(), moved(base + 3));
        assert_eq!(rx.next(), None);
        let newest = latest.acquire().value;
        assert_eq!(newest.pointer, Some(Vec2::splat((base + 3) as f32)), "the newest, whatever is queued");
    }

    #[test]
    fn send_after_the_receiver_is_gone_is_harmless() {
        let (mut tx, rx, _) = input_channel(InputWaker::none());
        drop(rx);
        for n in 0..2 * CAPACITY as u64 {
            tx.send(key(n, Code::KeyA));
        }
        assert!(tx.overflow.is_empty());
    }
}
