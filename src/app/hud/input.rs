//! The pointer and the keys of the HUD: what winit said, as egui wants it.

use egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, vec2};

use scanout::runtime::{ButtonCode, InputEvent, InputKind, KeyCode};

/// What a key of the HUD asks for.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Key {
    NextPage,
    OtherSide,
    NextLayout,
    Restart,
}

/// Events since the last frame.
#[derive(Debug, Default)]
pub struct Input {
    /// In physical pixels: how large a point is, is known when the frame is drawn.
    events: Vec<InputEvent>,
    at: Pos2,
}

impl Input {
    pub fn push(&mut self, event: InputEvent) {
        self.events.push(event);
    }

    /// The pointer is nowhere and no button is down: for a HUD that was hidden.
    pub fn forget(&mut self) {
        self.events.clear();
        self.events.push(InputEvent::new(scanout::time::Timestamp::ZERO, InputKind::Focus { gained: false }));
    }

    /// Whether some wait for the next frame.
    pub const fn more(&self) -> bool {
        !self.events.is_empty()
    }

    /// Hands them over up to the first release, since egui looks once per frame at what is under the pointer: of two clicks
    /// within a slow frame the first would be lost. Keys go to `keys`.
    pub fn take(&mut self, pixels_per_point: f32, mut keys: impl FnMut(Key)) -> Vec<Event> {
        let mut events = Vec::new();
        let release = |e: &InputEvent| matches!(e.kind, InputKind::Button { pressed: false, .. });
        let end = self.events.iter().position(release).map_or(self.events.len(), |at| at + 1);
        for event in self.events.drain(..end) {
            match event.kind {
                InputKind::PointerMoved { position } => {
                    self.at = Pos2::new(position.x, position.y) / pixels_per_point;
                    events.push(Event::PointerMoved(self.at));
                }
                InputKind::PointerLeft => events.push(Event::PointerGone),
                InputKind::Button { button, pressed } => {
                    if let Some(button) = egui_button(button) {
                        let (pos, modifiers) = (self.at, Modifiers::NONE);
                        events.push(Event::PointerButton { pos, button, pressed, modifiers });
                    }
                }
                InputKind::Scroll { lines } => events.push(Event::MouseWheel {
                    unit: MouseWheelUnit::Line,
                    delta: vec2(lines.x, lines.y),
                    phase: TouchPhase::Move,
                    source: MouseWheelSource::Unknown,
                    modifiers: Modifiers::NONE,
                }),
                // A drag ends where the window loses the keyboard: its release goes to another one.
                InputKind::Focus { gained: false } => {
                    let (pos, modifiers) = (self.at, Modifiers::NONE);
                    let button = PointerButton::Primary;
                    events.push(Event::PointerButton { pos, button, pressed: false, modifiers });
                    events.push(Event::PointerGone);
                }
                InputKind::Key { code, pressed: true, repeat: false } => {
                    if let Some(key) = key(code) {
                        keys(key);
                    }
                }
                _ => {}
            }
        }
        events
    }
}

const fn egui_button(button: ButtonCode) -> Option<PointerButton> {
    match button {
        ButtonCode::Primary => Some(PointerButton::Primary),
        ButtonCode::Secondary => Some(PointerButton::Secondary),
        ButtonCode::Middle => Some(PointerButton::Middle),
        _ => None,
    }
}

const fn key(code: KeyCode) -> Option<Key> {
    match code {
        KeyCode::F3 => Some(Key::NextPage),
        KeyCode::F4 => Some(Key::OtherSide),
        KeyCode::F5 => Some(Key::NextLayout),
        KeyCode::F6 => Some(Key::Restart),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanout::time::Timestamp;

    #[test]
    fn pixels_become_points_and_keys_are_told_once() {
        let mut input = Input::default();
        let event = |kind| InputEvent::new(Timestamp::ZERO, kind);
        input.push(event(InputKind::PointerMoved { position: [40.0, 20.0].into() }));
        input.push(event(InputKind::Button { button: ButtonCode::Primary, pressed: true }));
        for repeat in [false, true] {
            input.push(event(InputKind::Key { code: KeyCode::F4, pressed: true, repeat }));
        }
        let mut keys = Vec::new();
        let events = input.take(2.0, |key| keys.push(key));
        let pos = Pos2::new(20.0, 10.0);
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        assert_eq!(
            events,
            [Event::PointerMoved(pos), Event::PointerButton { pos, button, pressed: true, modifiers }]
        );
        assert_eq!(keys, [Key::OtherSide]);
        assert!(input.take(2.0, |_| unreachable!()).is_empty());
    }

    #[test]
    fn wheel_turns_by_lines() {
        let mut input = Input::default();
        let kind = InputKind::Scroll { lines: [0.0, -2.0].into() };
        input.push(InputEvent::new(Timestamp::ZERO, kind));
        let events = input.take(2.0, |_| {});
        let [Event::MouseWheel { unit: MouseWheelUnit::Line, delta, .. }] = events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(delta, vec2(0.0, -2.0));
    }

    #[test]
    fn second_click_waits_for_the_next_frame() {
        let mut input = Input::default();
        for pressed in [true, false, true, false] {
            let kind = InputKind::Button { button: ButtonCode::Primary, pressed };
            input.push(InputEvent::new(Timestamp::ZERO, kind));
        }
        let mut taken = || (input.take(1.0, |_| {}).len(), input.more());
        assert_eq!([taken(), taken(), taken()], [(2, true), (2, false), (0, false)]);
    }
}
