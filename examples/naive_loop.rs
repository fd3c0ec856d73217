//! The loop that most programs have today: one thread, `ControlFlow::Poll`, swap interval 1. It looks right, it is smooth
//! on an idle machine, and what it shows is late.
//!
//! ```text
//! cargo run --release --example naive_loop            space turns the window from black to white and back
//! cargo run --release --example naive_loop -- flip    every frame turns it
//! cargo run --release --example naive_loop -- bars    bars that move by the time measured between frames
//! ```
//!
//! Esc closes it. The comments marked LATE say where the time goes; `scanout run` with `--scene flash`, `flip` and `bars` has
//! the same pictures without that, `embed_pacer` a loop of one's own without it. A mark that follows the pointer in this kind of
//! loop is `reference_drag swap`. After 300 frames it prints what its own stamps say of it.

#![allow(unsafe_code, reason = "OpenGL calls")]

use std::time::Duration;

use scanout::pacing::FrameId;
use scanout::stats::{Declared, FrameRecord, SelfCheck, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::{Window, WindowId};

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

/// What the window shows.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
enum Picture {
    /// What space makes of it.
    #[default]
    Flash,
    Flip,
    Bars,
}

/// Pixels per second.
const SPEED: f64 = 480.0;

#[derive(Default)]
struct App {
    window: Option<GlWindow>,
    white: bool,
    picture: Picture,
    /// Since when the bars move.
    moving: Option<Timestamp>,
    check: SelfCheck,
}

/// Not part of the loop: what it would find out about itself.
#[allow(clippy::print_stdout, reason = "an example says what it did")]
fn look_at(check: &mut SelfCheck, frame: &FrameRecord, window: &Window) {
    if check.frames() == 0 {
        let hz = window.current_monitor().and_then(|m| m.refresh_rate_millihertz()).filter(|hz| *hz > 0);
        let refresh = Some(Duration::from_secs_f64(1_000.0 / f64::from(hz.unwrap_or(60_000))));
        check.declare(Declared { refresh, interval: refresh, vsync: true, ..Declared::default() });
    }
    check.frame(frame);
    if check.frames() == SelfCheck::FRAMES as u64
        && let Some(report) = check.report()
    {
        println!("self-check of the naive loop:\n{report}");
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.window.get_or_insert_with(|| GlWindow::open(event_loop, "naive_loop", true));
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::Resized(size) => {
                if let Some(window) = &self.window {
                    window.resize(size);
                }
            }
            // LATE (1): this thread is asleep inside the swap of the last frame for most of the time. A press waits
            // in the queue until that swap returns, and nobody notes when it really happened.
            WindowEvent::KeyboardInput {
                event:
                    KeyEvent { logical_key: Key::Named(key), state: ElementState::Pressed, repeat: false, .. },
                ..
            } => match key {
                NamedKey::Escape => event_loop.exit(),
                NamedKey::Space if self.picture == Picture::Flash => self.white = !self.white,
                _ => {}
            },
            _ => {}
        }
    }

    // With `Poll` this comes as soon as the events are drained.
    fn about_to_wait(&mut self, _: &ActiveEventLoop) {
        let Some(window) = &self.window else { return };
        self.white ^= self.picture == Picture::Flip;
        // LATE (2): the frame is drawn at the start of the refresh interval although it is shown at its end. What
        // the user does in between has to wait for the next frame. Starting later, as late as the work allows,
        // would have shown it now.
        //
        // LATE (3): the swap queues the frame and returns while earlier frames still wait: the driver and the
        // compositor hold up to two more. Each adds a whole refresh of delay, for ever, since a queue that is
        // refilled at the rate at which it empties never gets shorter.
        //
        // LATE (4): nobody learns when the frame was shown. An animation here would step by the time at which the
        // swap happened to return, which wobbles with the scheduler, and a missed refresh passes unseen.
        //
        // And when the window is hidden, the swap may block until it is shown again, Esc and all.
        let mut frame = FrameRecord::new(FrameId(self.check.frames() + 1));
        // The events were read just now.
        let began = MonotonicClock.now();
        frame.mark(Stage::InputSampled, began);
        if self.picture == Picture::Bars {
            let since = *self.moving.get_or_insert(began);
            window.draw_bars((began.saturating_since(since).as_secs_f64() * SPEED).round() as i64);
        } else {
            window.draw(self.white);
        }
        let drawn = MonotonicClock.now();
        frame.mark(Stage::Submitted, drawn);
        frame.mark(Stage::SwapBegin, drawn);
        window.swap();
        frame.mark(Stage::SwapEnd, MonotonicClock.now());
        look_at(&mut self.check, &frame, &window.window);
    }
}

fn main() {
    let picture = match std::env::args().nth(1).as_deref() {
        None => Picture::Flash,
        Some("flip") => Picture::Flip,
        Some("bars") => Picture::Bars,
        Some(other) => panic!("`{other}`: the argument is flip or bars"),
    };
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.set_control_flow(ControlFlow::Poll);
    event_loop.run_app(&mut App { picture, ..App::default() }).expect("the event loop");
}
