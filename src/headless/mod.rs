//! OpenGL without a window system: the same loop on a server, in CI or on a GPU node, against a simulated display.
//!
//! Times of display are [`Simulated`](crate::pacing::Origin::Simulated) and every report says so.
//!
//! Take it for tests and pictures: [`draw_once`] needs neither threads nor time, [`with_context`] is a context and nothing
//! else.
//!
//! ```no_run
//! use scanout::{Config, Frame, Logic, Renderer, Size, Tick};
//! use std::time::Duration;
//!
//! struct Still;
//!
//! impl Logic for Still {
//!     type Snapshot = ();
//!     fn update(&mut self, _: &Tick) {}
//!     fn extract(&self, _: &mut ()) {}
//! }
//!
//! struct Red;
//!
//! impl Renderer<()> for Red {
//!     fn render(&mut self, _: &(), frame: &mut Frame<'_>) {
//!         frame.clear([1.0, 0.0, 0.0, 1.0]);
//!     }
//! }
//!
//! # fn main() -> scanout::Result<()> {
//! let config = Config { size: Size::new(8, 8), ..Config::default() };
//! let picture = scanout::headless::draw_once(&config, Still, |_| Ok(Red), 1, Duration::from_millis(16))?;
//! assert_eq!(picture.rgba[..4], [255, 0, 0, 255]);
//! # Ok(())
//! # }
//! ```
#![allow(unsafe_code, reason = "EGL is a C interface")]

mod egl;
mod picture;
mod surface;

pub use picture::draw_once;

use crate::config::Config;
use crate::error::Result;
use crate::gl::{CreateContext, DebugLevel, Gl, GlBackend, OverlayFactory, Renderer};
use crate::pacing::Origin;
use crate::runtime::{Ended, Logic, RunOptions, Runtime, Summary, TargetInfo};
use surface::OffscreenSurface;

/// Runs `logic` and the renderer that `make_renderer` makes, off screen, until a limit of `config` is reached or, since
/// no input can come, the logic asks for no more frames.
/// `make_renderer` is called on the render thread, with the context current.
///
/// # Errors
/// When EGL offers no context, the renderer cannot be made, or a thread panics.
pub fn run<L, R, F>(config: &Config, logic: L, make_renderer: F) -> Result<Summary>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    run_until(config, logic, make_renderer, None, || false).into_result()
}

/// As [`run`], with an overlay, and ending early when `stop` says so. `stop` is asked about 50 times a second. The
/// figures of a run that failed are there as well.
pub fn run_until<L, R, F>(
    config: &Config,
    logic: L,
    make_renderer: F,
    overlay: Option<OverlayFactory>,
    stop: impl Fn() -> bool,
) -> Ended
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    let (ended, end) = crossbeam_channel::bounded(2);
    let launched = config.live_options().and_then(|options| {
        let options = RunOptions { end_when_idle: true, ..options };
        launch(config, options, logic, make_renderer, overlay, move || {
            let _ = ended.try_send(());
        })
    });
    let mut runtime = match launched {
        Ok(runtime) => runtime,
        Err(error) => return Ended::failed(error),
    };
    while end.recv_timeout(std::time::Duration::from_millis(20)).is_err() {
        if stop() {
            runtime.handle().stop();
            break;
        }
    }
    runtime.end()
}

/// Starts a run and returns at once. The caller is the host: it passes input and wishes on through
/// [`Runtime::handle`], so that a scene without anything to do waits for them, and collects the result with
/// [`Runtime::finish`]. `on_end` is called when the run ends by itself, as for [`Runtime::start`].
///
/// # Errors
/// When the configuration cannot be meant, or the system refuses a thread; all else is reported by
/// [`Runtime::finish`].
pub fn start<L, R, F>(
    config: &Config,
    logic: L,
    make_renderer: F,
    overlay: Option<OverlayFactory>,
    on_end: impl Fn() + Send + Sync + 'static,
) -> Result<Runtime>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    launch(config, config.live_options()?, logic, make_renderer, overlay, on_end)
}

fn launch<L, R, F>(
    config: &Config,
    options: RunOptions,
    logic: L,
    make_renderer: F,
    overlay: Option<OverlayFactory>,
    on_end: impl Fn() + Send + Sync + 'static,
) -> Result<Runtime>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    config.check()?;
    let (size, scale, hz, debug) = (options.size, options.scale, config.simulated_refresh_hz, config.debug);
    let (robust, gl_options) = (config.survive_resets, config.gl_options(size, scale));
    let make_backend = move || {
        let context = egl::Context::new(debug, robust)?;
        let gl = context.load(debug)?;
        let target =
            TargetInfo::of(gl.caps(), context.platform(), Some(hz), ("simulated display", Origin::Simulated));
        let surface = OffscreenSurface::new(context, &gl, size, hz)?;
        GlBackend::new(surface, gl, target, Box::new(make_renderer), overlay, gl_options)
    };
    Runtime::start(options, logic, make_backend, on_end)
}

/// Calls `f` with a context of its own, current on the calling thread, that has no framebuffer but those that `f`
/// makes. For tests, tools and pictures that need no loop. OpenGL objects that outlive the call are not freed one by
/// one: they went with the context.
///
/// # Errors
/// When EGL offers no context.
pub fn with_context<T>(debug: DebugLevel, f: impl FnOnce(&Gl) -> T) -> Result<T> {
    let context = egl::Context::new(debug, true)?;
    let gl = context.load(debug)?;
    let result = f(&gl);
    gl.context_gone();
    Ok(result)
}
