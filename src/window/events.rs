use glam::Vec2;
use winit::event::{ElementState, MouseButton, MouseScrollDelta, WindowEvent};

use super::keys;
use crate::runtime::{ButtonCode, InputKind};

/// Pixels of a precise scroll that count as one line.
const PIXELS_PER_LINE: f32 = 20.0;

/// What a winit event means to the logic, if it means something.
pub(super) fn input(event: &WindowEvent) -> Option<InputKind> {
    Some(match *event {
        WindowEvent::KeyboardInput { event: ref key, is_synthetic: false, .. } => InputKind::Key {
            code: keys::code(key.physical_key),
            pressed: key.state == ElementState::Pressed,
            repeat: key.repeat,
        },
        WindowEvent::MouseInput { state, button, .. } => {
            InputKind::Button { button: code(button), pressed: state == ElementState::Pressed }
        }
        WindowEvent::CursorMoved { position, .. } => {
            InputKind::PointerMoved { position: Vec2::new(position.x as f32, position.y as f32) }
        }
        WindowEvent::CursorLeft { .. } => InputKind::PointerLeft,
        WindowEvent::MouseWheel { delta, .. } => InputKind::Scroll {
            lines: match delta {
                MouseScrollDelta::LineDelta(x, y) => Vec2::new(x, y),
                MouseScrollDelta::PixelDelta(p) => Vec2::new(p.x as f32, p.y as f32) / PIXELS_PER_LINE,
            },
        },
        WindowEvent::Focused(gained) => InputKind::Focus { gained },
        _ => return None,
    })
}

const fn code(button: MouseButton) -> ButtonCode {
    match button {
        MouseButton::Left => ButtonCode::Primary,
        MouseButton::Right => ButtonCode::Secondary,
        MouseButton::Middle => ButtonCode::Middle,
        MouseButton::Back => ButtonCode::Other(8),
        MouseButton::Forward => ButtonCode::Other(9),
        MouseButton::Other(n) => ButtonCode::Other(n),
    }
}
