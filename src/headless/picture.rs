use std::time::Duration;

use super::egl;
use crate::config::Config;
use crate::error::Result;
use crate::gl::{CreateContext, GlBackend, Renderer};
use crate::pacing::{FrameId, FramePacer, Origin};
use crate::runtime::{Backend as _, FrameInfo, Latch, Logic, Pixels, TargetInfo, Tick};
use crate::stats::Recorder;

use super::surface::OffscreenSurface;

/// Moves `logic` on by `steps` steps of `dt` and draws the outcome once, on the calling thread: no threads, no clock,
/// the same picture each time on the same driver. For pictures in tests and thumbnails.
///
/// # Errors
/// When EGL offers no context, or the renderer cannot be made.
pub fn draw_once<L, R, F>(
    config: &Config,
    mut logic: L,
    make_renderer: F,
    steps: u64,
    dt: Duration,
) -> Result<Pixels>
where
    L: Logic,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
{
    config.check()?;
    let options = config.run_options();
    for step in 1..=steps {
        logic.update(&Tick::fixed(step, dt));
    }
    let mut view = L::Snapshot::default();
    logic.extract(&mut view);

    let context = egl::Context::new(config.debug, config.survive_resets)?;
    let gl = context.load(config.debug)?;
    let target = TargetInfo::of(gl.caps(), context.platform(), None, ("none", Origin::Simulated));
    let surface = OffscreenSurface::new(context, &gl, config.size, config.simulated_refresh_hz)?;
    let mut backend = GlBackend::new(
        surface,
        gl,
        target,
        Box::new(make_renderer),
        None,
        config.gl_options(config.size, options.scale),
    )?;
    let frame = FrameInfo {
        id: FrameId(1),
        size: config.size,
        scale: options.scale,
        animation_time: dt.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)),
        stats: &Recorder::new(0, Duration::ZERO),
        pacer: &FramePacer::new(config.pacing, config.simulated_refresh_hz),
        latch: &Latch::empty(),
        source: None,
        apart: false,
    };
    backend.capture(&view, &frame)
}
