use std::path::PathBuf;
use std::rc::Rc;

use super::invocations::Invocations;
use super::{DebugLevel, Gl, GpuTimer, GpuTiming, ProgramCache, ShaderFolder};
use crate::runtime::Size;
use crate::timeline;

/// What a run wants of its context besides the renderer.
#[derive(Clone, Debug, Default)]
pub(crate) struct GlOptions {
    pub(crate) debug: DebugLevel,
    pub(crate) shader_folder: Option<PathBuf>,
    pub(crate) program_cache: Option<PathBuf>,
    /// Frames after which the context counts as lost, each once.
    pub(crate) lose_context_at: Vec<u64>,
    /// The passes of frames are timed on the GPU, where the driver can.
    pub(crate) gpu_timing: GpuTiming,
    pub(crate) size: Size,
    pub(crate) scale: f32,
}

impl GlOptions {
    /// Sets up a new context. A cache that cannot be had is no reason not to draw.
    pub(super) fn apply(&self, gl: &Gl, folder: Option<&Rc<ShaderFolder>>) {
        if let Some(folder) = folder {
            gl.watch_shaders(Rc::clone(folder));
        }
        if let Some(path) = &self.program_cache {
            match ProgramCache::open(path) {
                Ok(cache) => gl.set_program_cache(Some(cache)),
                Err(e) => log::warn!("{e}; going on without it"),
            }
        }
        if let Some(sink) = timeline::message_sink() {
            gl.report_to(sink);
        }
    }

    /// What times frames on the GPU, if that is wanted and the driver can.
    pub(super) fn timers(&self, gl: &Gl) -> (Option<GpuTimer>, Option<Invocations>) {
        let Some(whole) = self.gpu_timing.wanted(gl) else { return (None, None) };
        let mut timer = GpuTimer::new(gl);
        if let Some(timer) = timer.as_mut().filter(|_| whole) {
            timer.as_a_whole();
        }
        if timer.is_none() {
            log::info!("the driver has no time stamps: what passes take the GPU is not measured");
        }
        // Counting fragments slows software rasterisers down as well.
        (timer, (timeline::is_on() && !whole).then(|| Invocations::new(gl)).flatten())
    }
}
