use std::path::PathBuf;
use std::time::Duration;

use crate::gl::{DebugLevel, GlOptions, GpuTiming};
use crate::pacing::{DeltaTime, FASTEST_HZ, LayoutChoice, MissBudget, Pacing, Rate, VrrRange};
use crate::runtime::{RunOptions, Size};
use crate::telemetry::Telemetry;

/// How a window, or an off-screen run, is to be.
///
/// ```
/// let config = scanout::Config { title: "cube".into(), ..scanout::Config::default() };
/// assert_eq!(config.size, scanout::Size::new(1280, 720));
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The window's title.
    pub title: String,
    /// The size of the drawing area at the start, in physical pixels; 1 to 16,384 each way.
    pub size: Size,
    /// What decides when frames are made.
    pub pacing: Pacing,
    /// The share of frames that may miss their display time; `None`: the pacing mode's.
    pub miss_budget: Option<MissBudget>,
    /// How logic and drawing lie in time.
    pub layout: LayoutChoice,
    /// Never more frames per second than this, in any mode.
    pub cap: Option<Rate>,
    /// The same while the window does not have the focus; `None`: as with the focus.
    pub background_cap: Option<Rate>,
    /// The display refreshes when a frame comes, within this range.
    pub vrr: Option<VrrRange>,
    /// What animation steps are made of.
    pub delta: DeltaTime,
    /// Ask the system for real-time priority of this level (1 to 99) for both threads. Where it refuses, the run goes on
    /// and [`Summary::priority`](crate::Summary::priority) says why.
    pub realtime: Option<u8>,
    /// Start in full screen.
    pub fullscreen: bool,
    /// Escape closes the window and F11 toggles full screen. The keys reach the logic as well.
    pub window_keys: bool,
    /// Frames at the start that are left out of all figures.
    pub warmup: u64,
    /// End after so many frames, not counting the warm-up.
    pub frame_limit: Option<u64>,
    /// End after so much time.
    pub time_limit: Option<Duration>,
    /// Read back the last frame when the run ends, into [`Summary::picture`](crate::Summary::picture).
    pub capture_last: bool,
    /// Keep what the newest frames took, so many of them, for [`Recorder::trace`](crate::stats::Recorder::trace). 0: none.
    pub trace_frames: usize,
    /// Keep the stamps of the newest frames, so many of them, for [`Summary::frame_log`](crate::Summary::frame_log).
    /// 300 bytes each. 0: none.
    pub record_frames: usize,
    /// Keep a [`Timeline`](crate::timeline::Timeline) of so many events of each thread, the newest ones, for
    /// [`Summary::timeline`](crate::Summary::timeline). An event takes 64 bytes. 0: none.
    pub timeline_events: usize,
    /// Show the stage times of every frame to other processes of the same user, under this name: see
    /// [`Telemetry::named`](crate::telemetry::Telemetry::named) and `scanout watch`. `None`: to nobody.
    pub telemetry: Option<String>,
    /// Time the passes of each frame on the GPU, where the driver can.
    pub gpu_timing: GpuTiming,
    /// Off screen: the refresh rate of the simulated display, in Hz.
    pub simulated_refresh_hz: f64,
    /// What the OpenGL debug hooks do.
    pub debug: DebugLevel,
    /// Take shaders from this folder, where it has them, in place of the embedded ones, also when they change while the
    /// program runs.
    pub shader_folder: Option<PathBuf>,
    /// Keep finished programs in this folder, so that the driver need not compile them on every start:
    /// [`ProgramCache::user_folder`](crate::gl::ProgramCache::user_folder) is the usual place. `None`: none are kept.
    pub program_cache: Option<PathBuf>,
    /// Have a context that tells when it is lost, where the driver has such, and go on in a new one: see
    /// [`Renderer::restore`](crate::Renderer::restore).
    pub survive_resets: bool,
    /// Frames after which the context counts as lost, each once, so that [`Renderer::restore`](crate::Renderer::restore)
    /// can be tested where no GPU is reset.
    pub lose_context_at: Vec<u64>,
    /// In a window on Wayland too, let swap wait for the display in [`Pacing::Vsync`]. It blocks there for as long as the window
    /// is hidden, and the run cannot end in order then: this is for finding out what swap does.
    pub swap_may_block: bool,
    /// How long a thread may take to end when asked to, before it is abandoned.
    pub shutdown_timeout: Duration,
}

/// Longest side of the drawing area.
pub(crate) const MAX_SIDE: u32 = 16_384;

impl Default for Config {
    fn default() -> Self {
        let options = RunOptions::default();
        Self {
            title: "scanout".into(),
            size: options.size,
            pacing: options.pacing,
            miss_budget: options.miss_budget,
            layout: options.layout,
            cap: options.cap,
            background_cap: None,
            vrr: options.vrr,
            delta: options.delta,
            realtime: None,
            fullscreen: false,
            window_keys: true,
            warmup: 0,
            frame_limit: None,
            time_limit: None,
            capture_last: false,
            trace_frames: 0,
            record_frames: 0,
            timeline_events: 0,
            telemetry: None,
            gpu_timing: GpuTiming::default(),
            simulated_refresh_hz: 60.0,
            debug: DebugLevel::default(),
            shader_folder: None,
            program_cache: None,
            survive_resets: true,
            lose_context_at: Vec::new(),
            swap_may_block: false,
            shutdown_timeout: options.shutdown_timeout,
        }
    }
}

impl Config {
    /// Says what cannot be meant.
    pub(crate) fn check(&self) -> crate::Result<()> {
        let Size { width, height } = self.size;
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(crate::Error::Config(format!(
                "a size of {width}x{height} cannot be drawn; each side is from 1 to {MAX_SIDE} pixels"
            )));
        }
        if self.pacing == Pacing::Host {
            return Err(crate::Error::Config(
                "pacing 'host' is for programs that own the loop: nobody ticks here".into(),
            ));
        }
        let hz = self.simulated_refresh_hz;
        // What is faster is believed of no display: nothing would be paced by it.
        if !(1.0..=FASTEST_HZ).contains(&hz) {
            return Err(crate::Error::Config(format!(
                "a simulated display cannot have a refresh rate of {hz} Hz, but one from 1 to {FASTEST_HZ}"
            )));
        }
        Ok(())
    }

    pub(crate) fn gl_options(&self, size: Size, scale: f32) -> GlOptions {
        GlOptions {
            size,
            scale,
            debug: self.debug,
            shader_folder: self.shader_folder.clone(),
            program_cache: self.program_cache.clone(),
            lose_context_at: self.lose_context_at.clone(),
            gpu_timing: self.gpu_timing,
        }
    }

    /// The options of a run, with what it needs of the system.
    pub(crate) fn live_options(&self) -> crate::Result<RunOptions> {
        let telemetry = self.telemetry.as_deref().map(Telemetry::named).transpose()?;
        Ok(RunOptions { telemetry, ..self.run_options() })
    }

    pub(crate) fn run_options(&self) -> RunOptions {
        RunOptions {
            pacing: self.pacing,
            miss_budget: self.miss_budget,
            layout: self.layout,
            cap: self.cap,
            vrr: self.vrr,
            delta: self.delta,
            realtime: self.realtime,
            size: self.size,
            warmup: self.warmup,
            frame_limit: self.frame_limit,
            time_limit: self.time_limit,
            capture_last: self.capture_last,
            trace_frames: self.trace_frames,
            record_frames: self.record_frames,
            timeline_events: self.timeline_events,
            shutdown_timeout: self.shutdown_timeout,
            ..RunOptions::default()
        }
    }
}
