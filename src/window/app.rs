use std::sync::Arc;
use std::time::Duration;

use winit::application::ApplicationHandler;
use winit::event::{StartCause, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoopProxy};
use winit::keyboard::{Key, NamedKey};
use winit::window::{Fullscreen, Window, WindowId};

use super::display::Native;
use super::events;
use super::init::{self, Opened, size_of};
use super::surface::WindowTarget;
use crate::config::{Config, MAX_SIDE};
use crate::error::{Error, Result};
use crate::gl::{CreateContext, GlBackend, OverlayFactory, Renderer};
use crate::pacing::Pacing;
use crate::runtime::{
    Ended, InputEvent, InputKind, Logic, OverlayInput, OverlayPort, Runtime, Size, TargetInfo,
    overlay_channel,
};
use crate::time::{Clock, MonotonicClock, Timestamp};

/// How often the display under a Wayland window is looked at: winit says nothing when it is another one of the same size
/// and scale. A wake-up per second is the price of an idle window that may be moved.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A window that has not been given the focus so long after it was opened is in the background: nobody says so where it never
/// had it.
const FOCUSED_WITHIN: Duration = Duration::from_millis(500);

/// How soon input that found the channel full is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// How long the threads may take once the display is gone: no window has to close, and Mesa's software driver, which asks
/// a dead X server for the window's size, was seen to fill gigabytes with what it takes for the answer.
const AFTER_LOSS: Duration = Duration::from_secs(10);

/// What other threads tell the event loop.
#[derive(Copy, Clone, Debug)]
pub(super) enum Wake {
    /// The threads ended by themselves.
    Ended,
    /// Somebody asked for the end, and may have said how long each thread may take.
    Stop(Option<Duration>),
    /// Somebody asked for another pacing mode.
    Pacing(Pacing),
    /// The display server is gone.
    #[cfg_attr(not(x11_platform), allow(dead_code, reason = "elsewhere winit tells"))]
    Lost,
}

type MakeRenderer<R> = Box<dyn FnOnce(&CreateContext<'_>) -> Result<R> + Send>;

/// What the run is started with, once there is a window.
struct Start<L, R> {
    logic: L,
    make_renderer: MakeRenderer<R>,
    overlay: Option<OverlayFactory>,
}

/// The main thread's side of a run: owns the window, passes events on.
///
/// The window is dropped with this, after [`App::join`] has ended the threads whose surface belongs to it.
pub(super) struct App<L, R> {
    config: Config,
    proxy: EventLoopProxy<Wake>,
    start: Option<Start<L, R>>,
    runtime: Option<Runtime>,
    outcome: Option<Ended>,
    error: Option<Error>,
    /// How long each thread may take to end, where whoever asked for the end said so.
    timeout: Option<Duration>,
    /// Whether anything here ended the event loop.
    asked: bool,
    refresh_hz: Option<f64>,
    /// Whose input is whose, where something is drawn over the scene.
    overlay: OverlayInput,
    port: Option<OverlayPort>,
    /// When the display is looked at next; `None` where the window system tells.
    look_at: Option<Timestamp>,
    x11: bool,
    /// When the window counts as one in the background unless it is given the focus before; `None` once that is known, or of no
    /// interest.
    focused_by: Option<Timestamp>,
    size: Size,
    window: Option<Arc<Window>>,
}

impl<L, R> App<L, R>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot> + 'static,
{
    pub(super) fn new(
        config: Config,
        proxy: EventLoopProxy<Wake>,
        logic: L,
        make_renderer: MakeRenderer<R>,
        factory: Option<OverlayFactory>,
    ) -> Self {
        let start = Some(Start { logic, make_renderer, overlay: factory });
        let (overlay, port) = overlay_channel();
        Self {
            overlay,
            port: Some(port),
            config,
            proxy,
            start,
            runtime: None,
            outcome: None,
            error: None,
            timeout: None,
            asked: false,
            refresh_hz: None,
            look_at: None,
            x11: false,
            focused_by: None,
            size: Size::default(),
            window: None,
        }
    }

    /// What came of the run; ends the threads if the event loop has not done so, then the window.
    pub(super) fn finish(mut self) -> Ended {
        self.join();
        let mut ended = self.outcome.take().unwrap_or_else(|| {
            Ended::failed(Error::DisplayLost { detail: "it closed before the window was open".into() })
        });
        if let Some(Error::ThreadStuck { .. }) = ended.error {
            // The abandoned thread may still be drawing to it.
            std::mem::forget(self.window.take());
        }
        // What this thread noticed comes before what the others made of it.
        if let Some(error) = self.error.take()
            && let Some(theirs) = ended.error.replace(error)
        {
            log::debug!("the threads ended with: {theirs}");
        }
        ended
    }

    /// Ends the threads.
    fn join(&mut self) {
        if let Some(mut runtime) = self.runtime.take() {
            // An event loop that ends by itself has lost its display, and says so later.
            let by_itself = cfg!(x11_platform) && !self.asked;
            let lost = by_itself || matches!(self.error, Some(Error::DisplayLost { .. }));
            if let Some(timeout) = if lost { Some(AFTER_LOSS) } else { self.timeout } {
                runtime.set_shutdown_timeout(timeout);
            }
            self.outcome = Some(runtime.end());
        }
    }

    fn open(&mut self, events: &ActiveEventLoop, start: Start<L, R>) -> Result<()> {
        let Opened { window, detached } = init::open(events, &self.config, &self.proxy)?;
        self.refresh_hz = refresh_of(&window);
        let mut options = self.config.live_options()?;
        options.size = size_of(window.inner_size());
        self.size = options.size;
        options.scale = window.scale_factor() as f32;
        options.refresh_hz = self.refresh_hz;
        let (size, scale, hz, debug) = (options.size, options.scale, self.refresh_hz, self.config.debug);
        let gl_options = self.config.gl_options(size, scale);
        let Start { logic, make_renderer, overlay } = start;
        let now = MonotonicClock.now();
        self.x11 = detached.kind.starts_with("x11");
        self.look_at = (detached.kind == "wayland-egl").then(|| now + LOOK_EVERY);
        self.focused_by = self.config.background_cap.map(|_| now + FOCUSED_WITHIN);
        let may_block = self.config.swap_may_block;
        let (proxy, port) = (self.proxy.clone(), self.port.take());
        let native = Native::of(self.window.insert(Arc::new(window)));
        let make_backend = move || {
            let kind = detached.kind;
            let current = detached.make_current()?;
            let gl = current.load(debug)?;
            // Swapping with interval 1 would block for as long as a Wayland window is hidden.
            let may_throttle = kind != "wayland-egl";
            let display = native.chain(&current, hz, may_throttle);
            let target = TargetInfo::of(gl.caps(), kind, hz, display.source());
            let surface = WindowTarget::new(current, display, may_throttle, may_block);
            let backend = GlBackend::new(surface, gl, target, make_renderer, overlay, gl_options)?;
            Ok(match port {
                Some(port) => backend.listening(port),
                None => backend,
            })
        };
        self.runtime = Some(Runtime::start(options, logic, make_backend, move || {
            let _ = proxy.send_event(Wake::Ended);
        })?);
        Ok(())
    }

    /// The size comes with the event: asking the window would ask the server, which may be gone.
    fn resized(&mut self, mut size: Size) {
        let (Some(window), Some(runtime)) = (&self.window, &mut self.runtime) else { return };
        if size.width > MAX_SIDE || size.height > MAX_SIDE {
            // Beyond what drivers draw; software rasterisers were seen to crash there.
            log::warn!("a window of {}x{} pixels is too large to be drawn", size.width, size.height);
            size = Size::default();
        }
        self.size = size;
        let scale = window.scale_factor() as f32;
        runtime.handle().resize(size, scale);
        let kind = InputKind::Resized { size, scale };
        runtime.handle().input(InputEvent::new(MonotonicClock.now(), kind));
    }

    /// The window may be on another monitor now. On X11 the source of the display times says so: what winit knows there of a
    /// monitor is as old as the window's last move.
    fn moved(&mut self) {
        if self.x11 {
            return;
        }
        let (Some(window), Some(runtime)) = (&self.window, &mut self.runtime) else { return };
        let hz = refresh_of(window);
        if let (Some(hz), true) = (hz, hz != self.refresh_hz) {
            log::info!("the window is on a display with {hz:.2} Hz now");
            self.refresh_hz = Some(hz);
            runtime.handle().set_refresh(hz);
        }
    }

    fn focused(&mut self, gained: bool) {
        self.focused_by = None;
        if let (Some(runtime), Some(cap)) = (&mut self.runtime, self.config.background_cap) {
            runtime.handle().set_cap(if gained { self.config.cap } else { Some(cap) });
        }
    }

    fn stop(&mut self, events: &ActiveEventLoop) {
        if let Some(runtime) = &mut self.runtime {
            runtime.handle().stop();
        }
        self.exit(events);
    }

    fn exit(&mut self, events: &ActiveEventLoop) {
        self.asked = true;
        events.exit();
    }

    /// By what is on the key, not by where it is: layouts and virtual keyboards move keys.
    fn window_key(&mut self, key: &Key, events: &ActiveEventLoop) {
        let Key::Named(key) = key else { return };
        match key {
            NamedKey::Escape if self.config.window_keys => self.stop(events),
            NamedKey::F11 if self.config.window_keys => {
                if let Some(window) = &self.window {
                    let full = window.fullscreen().is_none().then_some(Fullscreen::Borderless(None));
                    window.set_fullscreen(full);
                }
            }
            NamedKey::F2 if self.config.window_keys => {
                if let Some(runtime) = &mut self.runtime {
                    runtime.handle().next_pacing();
                }
            }
            NamedKey::F1 => {
                if let Some(runtime) = &mut self.runtime {
                    runtime.handle().toggle_overlay();
                }
            }
            _ => {}
        }
    }
}

impl<L, R> ApplicationHandler<Wake> for App<L, R>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot> + 'static,
{
    fn new_events(&mut self, events: &ActiveEventLoop, cause: StartCause) {
        if matches!(cause, StartCause::ResumeTimeReached { .. }) {
            events.set_control_flow(ControlFlow::Wait);
        }
    }

    fn resumed(&mut self, events: &ActiveEventLoop) {
        if let Some(start) = self.start.take()
            && let Err(error) = self.open(events, start)
        {
            self.error = Some(error);
            self.exit(events);
        }
    }

    fn user_event(&mut self, events: &ActiveEventLoop, wake: Wake) {
        match wake {
            Wake::Ended => self.exit(events),
            Wake::Stop(timeout) => {
                self.timeout = timeout.or(self.timeout);
                self.stop(events);
            }
            Wake::Pacing(mode) => {
                if let Some(runtime) = &mut self.runtime {
                    runtime.handle().set_pacing(mode);
                }
            }
            Wake::Lost => {
                self.error = Some(server_lost());
                self.stop(events);
            }
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _id: WindowId, event: WindowEvent) {
        let received = MonotonicClock.now();
        if let Some(kind) = events::input(&event)
            && let Some(runtime) = &mut self.runtime
        {
            let routed = self.overlay.route(InputEvent::new(received, kind));
            if let Some(event) = routed.scene {
                runtime.handle().input(event);
            }
            if routed.overlay {
                runtime.handle().overlay_input();
            }
            if let InputKind::Focus { gained } = kind {
                self.focused(gained);
            }
            if let WindowEvent::KeyboardInput { event, .. } = &event
                && event.state.is_pressed()
                && !event.repeat
            {
                self.window_key(&event.logical_key, events);
            }
            return;
        }
        match event {
            WindowEvent::CloseRequested | WindowEvent::Destroyed => self.stop(events),
            WindowEvent::Resized(size) => {
                self.resized(size_of(size));
                self.moved();
            }
            // A change of size that comes with it is an event of its own.
            WindowEvent::ScaleFactorChanged { .. } => {
                self.resized(self.size);
                self.moved();
            }
            WindowEvent::Moved(_) => self.moved(),
            WindowEvent::Occluded(hidden) => {
                if let Some(runtime) = &mut self.runtime {
                    runtime.handle().set_visible(!hidden);
                }
            }
            WindowEvent::RedrawRequested => {
                if let Some(runtime) = &mut self.runtime {
                    runtime.handle().redraw();
                }
            }
            _ => {}
        }
    }

    /// The threads end before the event loop, which takes the connection to the window system with it.
    fn exiting(&mut self, _events: &ActiveEventLoop) {
        self.join();
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let now = MonotonicClock.now();
        if self.focused_by.is_some_and(|at| now >= at) {
            self.focused(false);
        }
        if self.look_at.is_some_and(|at| now >= at) {
            self.moved();
            self.look_at = Some(now + LOOK_EVERY);
        }
        let next = self.look_at.into_iter().chain(self.focused_by).min();
        let mut wait = next.map(|at| at.saturating_since(now));
        if let Some(runtime) = &mut self.runtime
            && !runtime.handle().flush_input()
        {
            wait = Some(RETRY);
        }
        if let Some(wait) = wait {
            events.set_control_flow(ControlFlow::wait_duration(wait));
        }
    }
}

/// What the loss of an X server is called, whoever notices it first.
pub(super) fn server_lost() -> Error {
    Error::DisplayLost { detail: "the X server closed the connection".into() }
}

/// The nominal refresh rate of the display that shows the window, where the system knows it (not on Xvfb).
fn refresh_of(window: &Window) -> Option<f64> {
    let millihertz = window.current_monitor()?.refresh_rate_millihertz()?;
    (millihertz > 0).then(|| f64::from(millihertz) / 1_000.0)
}
