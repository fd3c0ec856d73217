//! The loop to be measured against for regular ticks: one render thread that sleeps to absolute deadlines, 120 a second,
//! by `clock_nanosleep`, and then draws and swaps. The window is black and white in turn. Esc closes it.
//! `cargo run --release --example reference_tick`
//!
//! It is what most programs with a tick have. Everything that ends a sleep late, and everything that varies in the
//! drawing, is seen on the screen.

#![allow(unsafe_code, reason = "OpenGL calls")]
#![allow(
    clippy::disallowed_methods,
    reason = "a reference program stands on its own, without scanout's threads"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use glow::HasContext as _;
use glutin::prelude::{GlSurface as _, NotCurrentGlContext as _, PossiblyCurrentGlContext as _};
use rustix::thread::{ClockId, clock_nanosleep_absolute};
use rustix::time::{Timespec, clock_gettime};
use winit::application::ApplicationHandler;
use winit::event::{KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::{Window, WindowId};

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

const RATE: i64 = 120;
const NANOS: i64 = 1_000_000_000;

#[derive(Default)]
struct App {
    running: Option<(Window, JoinHandle<()>)>,
    stop: Arc<AtomicBool>,
}

impl App {
    fn start(&self, event_loop: &ActiveEventLoop) -> (Window, JoinHandle<()>) {
        let GlWindow { gl, surface, context, window } = GlWindow::open(event_loop, "reference_tick", false);
        let context = context.make_not_current().expect("a context to hand over");
        let stop = Arc::clone(&self.stop);
        let thread = std::thread::spawn(move || {
            let context = context.make_current(&surface).expect("a current context");
            let mut white = false;
            let start = clock_gettime(ClockId::Monotonic);
            let start = start.tv_sec * NANOS + start.tv_nsec;
            for tick in 1.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let at = start + tick * NANOS / RATE;
                let at = Timespec { tv_sec: at / NANOS, tv_nsec: at % NANOS };
                // Interrupted by a signal: a tick too early, once.
                let _ = clock_nanosleep_absolute(ClockId::Monotonic, &at);
                white = !white;
                let v = if white { 1.0 } else { 0.0 };
                // SAFETY: the context is current on this thread.
                unsafe {
                    gl.clear_color(v, v, v, 1.0);
                    gl.clear(glow::COLOR_BUFFER_BIT);
                }
                surface.swap_buffers(&context).expect("the swap");
            }
        });
        (window, thread)
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.running.is_none() {
            self.running = Some(self.start(event_loop));
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::KeyboardInput {
                event: KeyEvent { logical_key: Key::Named(NamedKey::Escape), .. },
                ..
            } => event_loop.exit(),
            _ => {}
        }
    }

    fn exiting(&mut self, _: &ActiveEventLoop) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some((window, thread)) = self.running.take() {
            // What is drawn on goes before the window does.
            let _ = thread.join();
            drop(window);
        }
    }
}

fn main() {
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.set_control_flow(ControlFlow::Wait);
    event_loop.run_app(&mut App::default()).expect("the event loop");
}
