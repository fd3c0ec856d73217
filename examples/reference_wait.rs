//! The loop to be measured against: one thread that sleeps until input arrives (`ControlFlow::Wait`) and then
//! draws at once, without waiting for any refresh. The window turns from black to white and back on each press
//! of the space key; Esc closes it. `cargo run --release --example reference_wait`
//!
//! For a window that only changes on input this is as quick as one winit thread gets, which makes it a fair
//! reference for `cargo bench --bench click`. It tears, and it has no answer to "and what if something moves".

#![allow(unsafe_code, reason = "OpenGL calls")]

use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

#[derive(Default)]
struct App {
    window: Option<GlWindow>,
    white: bool,
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.window.get_or_insert_with(|| GlWindow::open(event_loop, "reference_wait", false));
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(window) = &self.window else { return };
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::Resized(size) => {
                window.resize(size);
                window.window.request_redraw();
            }
            WindowEvent::KeyboardInput {
                event:
                    KeyEvent { logical_key: Key::Named(key), state: ElementState::Pressed, repeat: false, .. },
                ..
            } => match key {
                NamedKey::Escape => event_loop.exit(),
                NamedKey::Space => {
                    self.white = !self.white;
                    window.window.request_redraw();
                }
                _ => {}
            },
            WindowEvent::RedrawRequested => window.fill(self.white),
            _ => {}
        }
    }
}

fn main() {
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.set_control_flow(ControlFlow::Wait);
    event_loop.run_app(&mut App::default()).expect("the event loop");
}
