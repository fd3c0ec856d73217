//! A mark that follows the pointer, drawn by the loops that scanout is to be measured against:
//! `cargo run --release --example reference_drag -- swap`. Esc closes it.
//!
//! ```text
//! reference_drag swap        one frame after another, swap interval 1: what most programs do
//! reference_drag input       a frame for each motion of the pointer, swap interval 0
//! reference_drag phase=MS    one frame per refresh, swapped so many milliseconds after the last one was presented
//!                            (Wayland), swap interval 0: tells which phase a compositor likes best
//! reference_drag drained=MS  the same, leaving out one refresh in each second: a queue before the display is emptied
//! ```

#![allow(unsafe_code, reason = "OpenGL calls, and the connection is the window's")]
#![allow(clippy::disallowed_methods, reason = "a reference program stands on its own, with its own clock")]

use std::time::{Duration, Instant};

use glow::HasContext as _;
use glutin::prelude::GlSurface as _;
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

const MARK: i32 = 16;
/// Frames from one refresh that is left out to the next.
const DRAIN_EVERY: u32 = 60;
/// Between presentations, until two of them have told.
const FIRST_PERIOD: Duration = Duration::from_micros(16_667);

#[derive(Copy, Clone, PartialEq)]
enum Way {
    Swap,
    Input,
    Phase(Duration),
    Drained(Duration),
}

impl Way {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "swap" => Some(Self::Swap),
            "input" => Some(Self::Input),
            _ => {
                let (way, ms) = text.split_once('=')?;
                let phase = Duration::try_from_secs_f64(ms.parse::<f64>().ok()? / 1e3).ok()?;
                match way {
                    "phase" => Some(Self::Phase(phase)),
                    "drained" => Some(Self::Drained(phase)),
                    _ => None,
                }
            }
        }
    }
}

struct App {
    way: Way,
    window: Option<GlWindow>,
    x: i32,
    #[cfg(target_os = "linux")]
    stamps: Option<stamps::Stamps>,
    due: Instant,
    drawn: u32,
}

impl App {
    fn draw(&self) {
        let Some(window) = &self.window else { return };
        let PhysicalSize { height, .. } = window.window.inner_size();
        // SAFETY: the context is current on this thread, the only one of the program.
        unsafe {
            window.gl.disable(glow::SCISSOR_TEST);
            window.gl.clear_color(0.0, 0.0, 0.0, 1.0);
            window.gl.clear(glow::COLOR_BUFFER_BIT);
            window.gl.enable(glow::SCISSOR_TEST);
            window.gl.scissor(self.x - MARK / 2, 0, MARK, height.cast_signed());
            window.gl.clear_color(1.0, 1.0, 1.0, 1.0);
            window.gl.clear(glow::COLOR_BUFFER_BIT);
        }
        window.surface.swap_buffers(&window.context).expect("the swap");
    }

    /// Swaps when the time has come, and says when it comes next.
    #[cfg(target_os = "linux")]
    fn draw_in_phase(&mut self, phase: Duration, drained: bool) {
        if let Some(stamps) = &mut self.stamps {
            stamps.look();
        }
        if Instant::now() >= self.due {
            if let Some(stamps) = &mut self.stamps {
                stamps.ask();
            }
            self.draw();
            self.drawn += 1;
            // The next one, should no presentation be told meanwhile.
            self.due += self.stamps.as_ref().map_or(FIRST_PERIOD, |stamps| stamps.period);
        }
        if let Some(stamps) = &self.stamps
            && let Some(last) = stamps.last
        {
            let now = Instant::now();
            let mut due = last + phase;
            // A swap of this refresh is not repeated.
            let left_out = if drained && self.drawn.is_multiple_of(DRAIN_EVERY) {
                stamps.period
            } else {
                Duration::ZERO
            };
            let earliest = stamps.asked.map_or(now, |asked| asked + stamps.period / 2 + left_out);
            while due < earliest {
                due += stamps.period;
            }
            self.due = due;
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn draw_in_phase(&mut self, _: Duration, _: bool) {
        self.draw();
    }
}

#[cfg(target_os = "linux")]
mod stamps {
    use std::time::{Duration, Instant};

    use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle};
    use scanout::display::wayland::{self, WaylandPresentation};
    use scanout::display::{SourceEvent, VsyncSource as _};
    use scanout::pacing::FrameId;
    use scanout::time::{Clock as _, MonotonicClock, Timestamp};
    use winit::window::Window;

    /// When frames were presented.
    pub struct Stamps {
        source: WaylandPresentation,
        id: FrameId,
        newest: Option<Timestamp>,
        pub last: Option<Instant>,
        pub asked: Option<Instant>,
        pub period: Duration,
    }

    impl Stamps {
        pub fn of(window: &Window) -> Option<Self> {
            let (RawDisplayHandle::Wayland(display), RawWindowHandle::Wayland(surface)) =
                (window.display_handle().ok()?.as_raw(), window.window_handle().ok()?.as_raw())
            else {
                return None;
            };
            // SAFETY: both are the window's, which lives as long as the program.
            let opened = unsafe { wayland::open(display.display, surface.surface, None, Box::new(|| {})) };
            let source = opened.ok()?.0.ok()?;
            let period = super::FIRST_PERIOD;
            Some(Self { source, id: FrameId(0), newest: None, last: None, asked: None, period })
        }

        /// The next swap is to be told of.
        pub fn ask(&mut self) {
            self.id = self.id.next();
            self.asked = Some(Instant::now());
            self.source.before_swap(self.id, MonotonicClock.now());
        }

        pub fn look(&mut self) {
            let now = MonotonicClock.now();
            let (mut newest, before) = (self.newest, self.newest);
            let _ = self.source.poll(now, &mut |event| {
                if let SourceEvent::Vblank(sample) = event {
                    newest = Some(sample.at);
                }
            });
            if newest != before {
                let apart = newest.zip(before).map(|(a, b)| a.saturating_since(b));
                if let Some(apart) = apart.filter(|d| (14..20).contains(&d.as_millis())) {
                    self.period = self.period.mul_f64(0.95) + apart.mul_f64(0.05);
                }
                self.newest = newest;
                self.last = newest.map(|at| Instant::now() - now.saturating_since(at));
            }
        }
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.window.is_none() {
            let window = GlWindow::open(event_loop, "reference_drag", self.way == Way::Swap);
            #[cfg(target_os = "linux")]
            {
                self.stamps = stamps::Stamps::of(&window.window);
            }
            self.window = Some(window);
            self.draw();
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::Resized(size) => {
                if let Some(window) = &self.window {
                    window.resize(size);
                    window.window.request_redraw();
                }
            }
            WindowEvent::CursorMoved { position, .. } => {
                self.x = position.x.round() as i32;
                if self.way == Way::Input
                    && let Some(window) = &self.window
                {
                    window.window.request_redraw();
                }
            }
            WindowEvent::RedrawRequested => self.draw(),
            WindowEvent::KeyboardInput {
                event: KeyEvent { logical_key: Key::Named(NamedKey::Escape), .. },
                ..
            } => event_loop.exit(),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        match self.way {
            Way::Swap => self.draw(),
            Way::Input => {}
            Way::Phase(phase) | Way::Drained(phase) => {
                self.draw_in_phase(phase, matches!(self.way, Way::Drained(_)));
                event_loop.set_control_flow(ControlFlow::WaitUntil(self.due));
            }
        }
    }
}

fn main() {
    let way = std::env::args().nth(1).as_deref().map_or(Some(Way::Swap), Way::parse);
    let way = way.expect("swap, input or phase=MS");
    let event_loop = EventLoop::new().expect("a display server");
    let flow = if way == Way::Swap { ControlFlow::Poll } else { ControlFlow::Wait };
    event_loop.set_control_flow(flow);
    let mut app = App {
        way,
        window: None,
        x: -MARK,
        #[cfg(target_os = "linux")]
        stamps: None,
        due: Instant::now(),
        drawn: 0,
    };
    event_loop.run_app(&mut app).expect("the event loop");
}
