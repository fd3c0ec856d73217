//! A program with a window, a loop and threads of its own, that takes only the pacing from scanout: a [`FramePacer`]
//! says when each frame begins and which display time it aims at, a [`Sleeper`] waits. Esc closes the window. Nobody
//! here is told when frames are displayed, so that the pacer keeps to a timer at the display's nominal rate. A program that
//! knows more says so: [`FramePacer::vblank`] for refreshes, [`FramePacer::gpu_done`] and [`FramePacer::presented`] for
//! frames.

#![allow(unsafe_code, reason = "OpenGL calls")]

use std::time::Duration;

use glow::HasContext as _;
use glutin::surface::GlSurface as _;
use scanout::display::sleep::Sleeper;
use scanout::pacing::{FramePacer, Pacing, Plan, Work};
use scanout::stats::{Declared, FrameRecord, SelfCheck, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

/// The last stretch before a frame begins is spent here and not in the event loop, which wakes by the millisecond.
const LAST_STRETCH: Duration = Duration::from_millis(2);

struct App {
    window: Option<GlWindow>,
    pacer: FramePacer,
    sleeper: Sleeper,
    plan: Plan,
    check: SelfCheck,
    fence: Option<glow::Fence>,
    angle: f32,
    frames: u64,
    late: Duration,
    end: Timestamp,
}

impl App {
    /// One frame. The pacing is all of what follows but the drawing.
    fn frame(&mut self) {
        let Some(window) = &self.window else { return };
        let clock = MonotonicClock;
        let gl = &window.gl;
        self.sleeper.until(self.plan.wake_at);
        let began = clock.now();
        let mut record = FrameRecord::for_plan(&self.plan);
        record.mark(Stage::InputSampled, began);
        self.late += began.saturating_since(self.plan.wake_at);
        // The world moves on by what the plan says, so that its steps are as even as the display's.
        self.angle += self.plan.dt.unwrap_or_default().as_secs_f32();
        let v = 0.5 + 0.5 * self.angle.sin();
        // SAFETY: the context is current on this thread, the only one of the program.
        self.fence = unsafe {
            gl.clear_color(v, 0.2, 0.3, 1.0);
            gl.clear(glow::COLOR_BUFFER_BIT);
            if let Some(before) = self.fence.take() {
                // At most one frame with the GPU while the next one is drawn.
                gl.client_wait_sync(before, glow::SYNC_FLUSH_COMMANDS_BIT, 100_000_000);
                gl.delete_sync(before);
            }
            gl.fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0).ok()
        };
        let drawn = clock.now();
        record.mark(Stage::SnapshotAcquired, began);
        record.mark(Stage::Submitted, drawn);
        // Not before its time, where it would be displayed a refresh early.
        let swap_at = self.plan.swap_at.unwrap_or(drawn);
        self.sleeper.until(swap_at);
        let swapping = clock.now();
        let held = swapping.saturating_since(drawn);
        record.mark(Stage::SwapBegin, swapping);
        window.surface.swap_buffers(&window.context).expect("the swap");
        let swapped = clock.now();
        record.mark(Stage::SwapEnd, swapped);
        let work = Work { logic: Duration::ZERO, drawing: drawn.saturating_since(began), held };
        self.pacer.submitted(self.plan.id, swapped, work);
        self.frames += 1;
        self.look_at(&record);
        self.plan = self.pacer.plan(clock.now());
    }
}

impl App {
    /// The loop looks at itself, and says once what it found.
    #[allow(clippy::print_stdout, reason = "an example says what it did")]
    fn look_at(&mut self, record: &FrameRecord) {
        self.check.declare(Declared {
            refresh: self.pacer.state().refresh,
            interval: self.pacer.wanted_interval(),
            miss_budget: self.pacer.miss_budget(),
            ..Declared::default()
        });
        self.check.frame(record);
        if self.check.frames() == SelfCheck::FRAMES as u64
            && let Some(report) = self.check.report()
        {
            println!("self-check: {report}");
        }
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let window = self.window.get_or_insert_with(|| GlWindow::open(event_loop, "embed_pacer", false));
        let monitor = window.window.current_monitor();
        if let Some(mhz) = monitor.and_then(|m| m.refresh_rate_millihertz()) {
            self.pacer.set_refresh(f64::from(mhz) / 1_000.0);
        }
        self.plan = self.pacer.plan(MonotonicClock.now());
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::Resized(size) => {
                if let Some(window) = &self.window {
                    window.resize(size);
                }
            }
            WindowEvent::Occluded(hidden) => {
                self.pacer.set_visible(!hidden);
                if self.plan.parked && !hidden {
                    // The plan in hand is to look again in up to a second.
                    self.plan = self.pacer.plan(MonotonicClock.now());
                }
            }
            WindowEvent::KeyboardInput {
                event:
                    KeyEvent { logical_key: Key::Named(NamedKey::Escape), state: ElementState::Pressed, .. },
                ..
            } => event_loop.exit(),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        let now = MonotonicClock.now();
        if now >= self.end {
            return event_loop.exit();
        }
        if now + LAST_STRETCH >= self.plan.wake_at {
            if self.plan.parked {
                self.plan = self.pacer.plan(now);
            } else {
                self.frame();
            }
        }
        let wait = self.plan.wake_at.saturating_since(MonotonicClock.now()).saturating_sub(LAST_STRETCH);
        event_loop.set_control_flow(ControlFlow::wait_duration(wait));
    }
}

/// `embed_pacer [SECONDS]`
#[allow(clippy::print_stdout, reason = "an example says what it did")]
fn main() {
    let seconds: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(u64::from(u32::MAX));
    let began = MonotonicClock.now();
    let mut app = App {
        window: None,
        pacer: FramePacer::new(Pacing::Auto, 60.0),
        sleeper: Sleeper::new(),
        plan: Plan::default(),
        check: SelfCheck::new(),
        fence: None,
        angle: 0.0,
        frames: 0,
        late: Duration::ZERO,
        end: began + Duration::from_secs(seconds),
    };
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.run_app(&mut app).expect("the event loop");
    let elapsed = MonotonicClock.now().saturating_since(began).as_secs_f64();
    let state = app.pacer.state();
    println!(
        "{} frames in {elapsed:.2} s, begun {:.1} us late on average; {} of {} missed, {:.2} % declared; spun {:.0?}",
        app.frames,
        app.late.as_secs_f64() * 1e6 / app.frames.max(1) as f64,
        state.missed,
        state.judged,
        state.miss_budget.unwrap_or_default() * 100.0,
        app.sleeper.spun(),
    );
}
