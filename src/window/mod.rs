//! A window with its OpenGL context, and [`run`].
//!
//! It owns the main thread from [`run`] to the end of the window. With a window of your own take
//! [`Runtime`](crate::runtime::Runtime) instead.
//!
//! Initialisation goes through the types of `window::init` in one order; each step can fail with an error of its own:
//!
//! | step | on | error |
//! |---|---|---|
//! | 1 window system | main thread | [`Error::NoWindowSystem`] |
//! | 2 framebuffer configuration (8-bit RGB) | main thread | [`Error::NoConfig`] |
//! | 3 window | main thread | [`Error::Window`] |
//! | 4 context and surface | main thread | [`Error::Context`], [`Error::Surface`] |
//! | 5 context made current | render thread | [`Error::Surface`] |
//! | 6 functions loaded, version checked | render thread | [`Error::NotCurrent`], [`Error::ContextVersion`] |
//! | 7 renderer made | render thread | the renderer's own |
//!
//! On X11 an I/O error handler of Xlib, of which a process has one, is set from the first step on. A server that dies before
//! the window is open ends the process in one line, with exit code 1, as Xlib itself would in two; later it ends the run with
//! [`Error::DisplayLost`]. Elsewhere libX11 is left alone.
#![allow(unsafe_code, reason = "raw window handles and function loading are unsafe")]

mod app;
#[cfg(x11_platform)]
mod choice;
#[cfg(target_os = "linux")]
mod cut_off;
mod display;
mod events;
mod init;
mod keys;
mod surface;
#[cfg(x11_platform)]
mod x11;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use winit::error::EventLoopError;
use winit::event_loop::{DeviceEvents, EventLoop};

#[cfg(x11_platform)]
#[doc(hidden)]
pub use choice::opens_on_x11;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub use cut_off::cut_off_display;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::gl::{CreateContext, OverlayFactory, Renderer};
use crate::pacing::Pacing;
use crate::runtime::{Ended, Logic, Summary, panic_message};

/// Opens a window and runs `logic` and the renderer that `make_renderer` makes until the window is closed or a limit
/// of `config` is reached. `make_renderer` is called on the render thread, with the context current.
///
/// It must be called on the main thread, and only once per process: window systems allow no more.
///
/// # Errors
/// See the table in the [module's documentation](crate::window); and whatever ends the run early, such as a panic in
/// the logic or the renderer.
pub fn run<L, R, F>(config: Config, logic: L, make_renderer: F) -> Result<Summary>
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot> + 'static,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    run_until(config, logic, make_renderer, None, |_| {}).into_result()
}

/// Ends the process at once with this exit code, from any thread. `exit` runs the destructors of drivers and libraries under
/// threads that still draw or hang (seen to crash, in 5 of 24 tries); this runs nothing, so that what has not been written by
/// then is lost, lines that wait in standard output among it. Elsewhere than on Unix it is `exit`, which stops the other
/// threads first.
pub fn end_process(code: u8) -> ! {
    #[cfg(unix)]
    // SAFETY: ends the process without running anything.
    unsafe {
        libc::_exit(code.into())
    }
    #[cfg(not(unix))]
    std::process::exit(code.into())
}

/// Asks a run in a window to end, or to go on in another mode, from any thread (a signal handler, say).
#[derive(Clone, Debug)]
pub struct Stopper(winit::event_loop::EventLoopProxy<app::Wake>);

impl Stopper {
    /// Asks. Returns at once; harmless when the run is over.
    pub fn stop(&self) {
        let _ = self.0.send_event(app::Wake::Stop(None));
    }

    /// Asks, and lets each thread take so long to end, in place of [`Config::shutdown_timeout`]: for figures that are worth
    /// more than a window that closes soon. Returns at once; harmless when the run is over.
    pub fn stop_within(&self, timeout: Duration) {
        let _ = self.0.send_event(app::Wake::Stop(Some(timeout)));
    }

    /// Asks for another pacing mode. Returns at once; harmless when the run is over. [`Pacing::Host`] is for programs that own
    /// the loop: nobody would tick here, and it is not taken.
    pub fn set_pacing(&self, mode: Pacing) {
        if mode != Pacing::Host {
            let _ = self.0.send_event(app::Wake::Pacing(mode));
        }
    }
}

/// As [`run`], with an overlay that F1 shows and hides, and a way to end the run from elsewhere: `on_start` is given
/// it before the window opens. The figures of a run that failed, because the display was lost for instance, are there as
/// well.
pub fn run_until<L, R, F>(
    config: Config,
    logic: L,
    make_renderer: F,
    overlay: Option<OverlayFactory>,
    on_start: impl FnOnce(Stopper),
) -> Ended
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot> + 'static,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    let events = match config.check().and_then(|()| event_loop()) {
        Ok(events) => events,
        Err(error) => return Ended::failed(error),
    };
    on_start(Stopper(events.create_proxy()));
    let mut app = app::App::new(config, events.create_proxy(), logic, Box::new(make_renderer), overlay);
    // winit panics where a request meets a server that has just died. Nothing of the event loop is used after that.
    let outcome = catch_unwind(AssertUnwindSafe(|| events.run_app(&mut app)));
    let mut ended = app.finish();
    // A lost display connection ends the event loop; what the threads made of it says less.
    let detail = match outcome {
        Ok(Ok(())) => return ended,
        // So winit says that its connection broke.
        Ok(Err(EventLoopError::ExitFailure(_))) => "its connection broke".into(),
        Ok(Err(e)) => without_place(&e.to_string()).into(),
        Err(panic) => panic_message(panic.as_ref()),
    };
    ended.error = Some(Error::DisplayLost { detail });
    ended
}

/// Step 1.
fn event_loop() -> Result<EventLoop<app::Wake>> {
    let mut builder = EventLoop::with_user_event();
    #[cfg(x11_platform)]
    if let choice::System::X11 { instead_of_wayland } = choice::System::now() {
        use winit::platform::x11::EventLoopBuilderExtX11 as _;
        if let Some(why) = instead_of_wayland {
            log::warn!("{why}: the window opens on X11, which DISPLAY names");
        }
        builder.with_x11();
        x11::watch_from_the_start();
    }
    // winit panics where a library or an extension that it needs is missing.
    let events = catch_unwind(AssertUnwindSafe(|| builder.build()))
        .map_err(|panic| Error::NoWindowSystem { source: panic_message(panic.as_ref()).into() })?
        .map_err(|e| Error::NoWindowSystem { source: without_place(&e.to_string()).into() })?;
    // Nobody here hears of devices. On X11 each key and each motion would come once more for them, just before the event that
    // counts, and wake this thread twice.
    events.listen_device_events(DeviceEvents::Never);
    Ok(events)
}

/// winit's system errors begin with the place in its source; what is of use comes after it.
fn without_place(text: &str) -> &str {
    text.split_once(".rs:").and_then(|(_, rest)| rest.split_once(": ")).map_or(text, |(_, message)| message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_sources_are_cut_off() {
        assert_eq!(without_place("os error at /a/b/mod.rs:765: no display"), "no display");
        assert_eq!(without_place("Not supported"), "Not supported");
    }
}

#[cfg(all(test, unix))]
mod end_tests {
    use std::io::Write as _;
    use std::process::Command;

    /// What makes this test binary be the process that ends.
    const BE: &str = "SCANOUT_UNIT_TEST_END";

    /// Not a test: a process that ends while something waits to be written.
    #[test]
    fn ending_process() {
        if std::env::var_os(BE).is_some() {
            // Without the end of a line, which `exit` would write.
            let _ = std::io::stdout().write_all(b"half a line");
            super::end_process(7);
        }
    }

    #[test]
    fn process_that_is_ended_runs_nothing_more() {
        let mut ending = Command::new(std::env::current_exe().unwrap());
        ending.args(["--exact", "window::end_tests::ending_process", "--nocapture"]).env(BE, "1");
        let output = ending.output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("half"), "{output:?}");
    }
}
