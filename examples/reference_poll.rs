//! The loop to be measured against for throughput: one thread that draws without ever waiting
//! (`ControlFlow::Poll`, swap interval 0), black and white in turn, and prints its frames per second each second.
//! Esc closes it. `cargo run --release --example reference_poll`

#![allow(unsafe_code, reason = "OpenGL calls")]
#![allow(clippy::print_stdout, reason = "the rate is what the program is for")]
#![allow(
    clippy::disallowed_methods,
    reason = "a reference program stands on its own, without scanout's clock"
)]

use std::time::Instant;

use winit::application::ApplicationHandler;
use winit::event::{KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

struct App {
    window: Option<GlWindow>,
    white: bool,
    frames: u32,
    since: Instant,
}

impl App {
    fn draw(&mut self) {
        let Some(window) = &self.window else { return };
        self.white = !self.white;
        window.fill(self.white);
        self.frames += 1;
        let span = self.since.elapsed().as_secs_f64();
        if span >= 1.0 {
            println!("{:.1} frames/s", f64::from(self.frames) / span);
            self.frames = 0;
            self.since = Instant::now();
        }
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.window.get_or_insert_with(|| GlWindow::open(event_loop, "reference_poll", false));
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::KeyboardInput {
                event: KeyEvent { logical_key: Key::Named(NamedKey::Escape), .. },
                ..
            } => event_loop.exit(),
            WindowEvent::Resized(size) => {
                if let Some(window) = &self.window {
                    window.resize(size);
                }
            }
            _ => {}
        }
    }

    fn about_to_wait(&mut self, _: &ActiveEventLoop) {
        self.draw();
    }
}

fn main() {
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.set_control_flow(ControlFlow::Poll);
    let mut app = App { window: None, white: false, frames: 0, since: Instant::now() };
    event_loop.run_app(&mut app).expect("the event loop");
}
