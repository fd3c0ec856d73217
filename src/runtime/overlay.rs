//! Input for what is drawn over the scene. The thread that receives events decides whom each belongs to, by the areas that
//! the overlay said it covers; the overlay's own go through a channel to the render thread. Nobody waits and nobody locks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use glam::Vec2;
use keyboard_types::Code;

use super::input::{ButtonCode, InputEvent, InputKind};

/// Areas that an overlay can have.
pub const MAX_AREAS: usize = 4;
/// Events that fit between two frames. Of more, motion is left out: the next one says where the pointer is.
const CAPACITY: usize = 1_024;
/// The keys of an overlay while it is shown.
const KEYS: [Code; 8] = [Code::F3, Code::F4, Code::F5, Code::F6, Code::F7, Code::F8, Code::F9, Code::F10];

/// A rectangle of the drawing area, in physical pixels from its top left corner.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Area {
    /// Its left edge.
    pub left: u16,
    /// Its upper edge.
    pub top: u16,
    /// The first pixel to the right of it.
    pub right: u16,
    /// The first pixel below it.
    pub bottom: u16,
}

impl Area {
    /// Whether a point is in it.
    #[must_use]
    pub fn contains(self, point: Vec2) -> bool {
        let within = |at: f32, from: u16, to: u16| at >= f32::from(from) && at < f32::from(to);
        within(point.x, self.left, self.right) && within(point.y, self.top, self.bottom)
    }

    fn pack(self) -> u64 {
        [self.left, self.top, self.right, self.bottom]
            .iter()
            .fold(0, |all, &side| all << 16 | u64::from(side))
    }

    fn unpack(all: u64) -> Self {
        let side = |n: u32| (all >> (16 * n)) as u16;
        Self { left: side(3), top: side(2), right: side(1), bottom: side(0) }
    }
}

/// What the render thread says of its overlay. Each area is one word, so that it is always a whole one; that two of them
/// change a moment apart does no harm.
#[derive(Debug, Default)]
struct Shared {
    areas: [AtomicU64; MAX_AREAS],
    shown: AtomicBool,
}

impl Shared {
    fn covers(&self, point: Vec2) -> bool {
        self.areas.iter().any(|area| Area::unpack(area.load(Ordering::Relaxed)).contains(point))
    }
}

/// The render thread's end.
#[derive(Debug)]
pub(crate) struct OverlayPort {
    events: Receiver<InputEvent>,
    shared: Arc<Shared>,
}

impl OverlayPort {
    /// The next event for the overlay. About as cheap as reading an atomic.
    pub(crate) fn next(&self) -> Option<InputEvent> {
        self.events.try_recv().ok()
    }

    /// From now on the overlay covers these areas, and has its keys; `None`: it is hidden. More than [`MAX_AREAS`] are not
    /// heard of.
    pub(crate) fn publish(&self, areas: Option<&[Area]>) {
        let shown = areas.is_some();
        let areas = areas.unwrap_or_default().iter().map(|area| area.pack()).chain(std::iter::repeat(0));
        for (slot, area) in self.shared.areas.iter().zip(areas) {
            slot.store(area, Ordering::Relaxed);
        }
        self.shared.shown.store(shown, Ordering::Relaxed);
    }
}

/// The end of the thread that receives events.
#[derive(Debug)]
pub(crate) struct OverlayInput {
    events: Sender<InputEvent>,
    /// What found the channel full and must not be lost.
    waiting: VecDeque<InputEvent>,
    shared: Arc<Shared>,
    pointer: Option<Vec2>,
    /// The overlay has the pointer.
    over: bool,
    /// Buttons that were pressed over the overlay, and over the scene: whoever has the press gets all up to the release.
    ours: u32,
    theirs: u32,
}

/// Whom an event belongs to.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(crate) struct Routed {
    /// What the scene gets of it.
    pub(crate) scene: Option<InputEvent>,
    /// The overlay got something.
    pub(crate) overlay: bool,
}

/// Both ends.
pub(crate) fn overlay_channel() -> (OverlayInput, OverlayPort) {
    let (tx, rx) = bounded(CAPACITY);
    let shared = Arc::new(Shared::default());
    let input = OverlayInput {
        events: tx,
        waiting: VecDeque::new(),
        shared: Arc::clone(&shared),
        pointer: None,
        over: false,
        ours: 0,
        theirs: 0,
    };
    (input, OverlayPort { events: rx, shared })
}

impl OverlayInput {
    /// Gives the overlay its part of `event` and returns the scene's. No allocation and no lock unless the channel is full.
    pub(crate) fn route(&mut self, event: InputEvent) -> Routed {
        let to_scene = Routed { scene: Some(event), overlay: false };
        match event.kind {
            InputKind::PointerMoved { position } => {
                self.pointer = Some(position);
                self.moved(event)
            }
            InputKind::PointerLeft => {
                self.pointer = None;
                let over = std::mem::replace(&mut self.over, false);
                if over { self.give_overlay(event) } else { to_scene }
            }
            InputKind::Button { button, pressed: true } => {
                if self.has_pointer() {
                    self.ours |= bit(button);
                    self.give_overlay(event)
                } else {
                    self.theirs |= bit(button);
                    to_scene
                }
            }
            InputKind::Button { button, pressed: false } => {
                self.theirs &= !bit(button);
                if self.ours & bit(button) == 0 {
                    return to_scene;
                }
                self.ours &= !bit(button);
                self.give_overlay(event)
            }
            InputKind::Scroll { .. } if self.has_pointer() => self.give_overlay(event),
            InputKind::Key { code, .. }
                if KEYS.contains(&code) && self.shared.shown.load(Ordering::Relaxed) =>
            {
                self.give_overlay(event)
            }
            InputKind::Focus { gained } => {
                if !gained {
                    (self.ours, self.theirs) = (0, 0);
                }
                let overlay = self.shared.shown.load(Ordering::Relaxed);
                if overlay {
                    self.send(event);
                }
                Routed { scene: Some(event), overlay }
            }
            _ => to_scene,
        }
    }

    fn moved(&mut self, event: InputEvent) -> Routed {
        let before = self.over;
        self.over = self.has_pointer();
        let left = InputEvent::new(event.received, InputKind::PointerLeft);
        match (before, self.over) {
            (true, true) => self.give_overlay(event),
            // To the scene the pointer is gone, as when it leaves the window.
            (false, true) => Routed { scene: Some(left), ..self.give_overlay(event) },
            (true, false) => Routed { scene: Some(event), ..self.give_overlay(left) },
            (false, false) => Routed { scene: Some(event), overlay: false },
        }
    }

    /// Whether what the pointer does now is the overlay's.
    fn has_pointer(&self) -> bool {
        match (self.ours, self.theirs) {
            (0, 0) => self.pointer.is_some_and(|at| self.shared.covers(at)),
            (ours, _) => ours != 0,
        }
    }

    fn give_overlay(&mut self, event: InputEvent) -> Routed {
        self.send(event);
        Routed { scene: None, overlay: true }
    }

    fn send(&mut self, event: InputEvent) {
        while let Some(&waiting) = self.waiting.front() {
            if let Err(TrySendError::Full(_)) = self.events.try_send(waiting) {
                break;
            }
            self.waiting.pop_front();
        }
        let motion = matches!(event.kind, InputKind::PointerMoved { .. });
        if !self.waiting.is_empty() {
            if !motion {
                self.waiting.push_back(event);
            }
        } else if let Err(TrySendError::Full(event)) = self.events.try_send(event)
            && !motion
        {
            self.waiting.push_back(event);
        }
    }
}

const fn bit(button: ButtonCode) -> u32 {
    match button {
        ButtonCode::Primary => 1,
        ButtonCode::Secondary => 2,
        ButtonCode::Middle => 4,
        ButtonCode::Other(n) => 8 << (n % 29),
    }
}

#[cfg(test)]
mod tests;
