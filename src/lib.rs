//! A real-time OpenGL renderer for the desktop whose every frame is paced and timed from input to scanout.
//!
//! # The way of one frame
//!
//! ```text
//!               input      sampled  logic done  published  acquired  submitted   swap        display
//!                 │           │         │           │         │          │      ┌─┴─┐           │
//! main thread  ───●═══════════╪─────────┼───────────┼─────────┼──────────┼──────┼───┼───────────┼──▶
//! logic thread ───────────────●═ update ●═ extract ═●─────────┼──────────┼──────┼───┼───────────┼──▶
//! render thread ──────────────────────────────────────────────●═ render ═●══════●═══●───────────┼──▶
//! GPU          ───────────────────────────────────────────────────── ════════════● done         │
//! display      ─────────────────────────────────────────────────────────────────────────────────●──▶
//!
//!              ├───────────────────────────── ClickToPhoton ────────────────────────────────────┤
//!                             ├────────────── SampleToPhoton ───────────────────────────────────┤
//! ```
//!
//! Two threads share a [lock-free snapshot buffer](sync::snapshot): the logic thread moves the world and writes what is
//! to be drawn, the render thread draws the newest snapshot there is. Neither waits for the other, and each frame
//! carries a time stamp of every stage. Percentiles of these stamps, the causes of late frames and what a loop does
//! wrong come with every run ([`Summary`]).
//!
//! # Three ways in
//!
//! | you own | you take | you get |
//! |---|---|---|
//! | a world and a renderer | [`run`] (a window), `headless::run` (off screen) | window, context, threads, pacing, figures |
//! | window, event loop, drawing | [`runtime::Runtime`] | both threads, pacing, figures |
//! | everything, the loop too | [`pacing::FramePacer`] | when frames begin and what they aim at |
//!
//! Each needs less of the crate than the one before: the last two are there without any feature.
//!
//! ## 1. Window, threads and loop from here: `run`
//!
//! A world ([`Logic`], on the logic thread) and a [`Renderer`] (on the render thread). `examples/triangle.rs` is this
//! program with shaders in it.
//!
//! ```no_run
//! # #[cfg(feature = "window")]
//! # mod program {
//! use scanout::{Config, Frame, Logic, Renderer, Tick};
//!
//! struct World(f32);
//!
//! impl Logic for World {
//!     type Snapshot = f32;
//!     fn update(&mut self, tick: &Tick) {
//!         self.0 += tick.dt.as_secs_f32();
//!     }
//!     fn extract(&self, angle: &mut f32) {
//!         *angle = self.0;
//!     }
//! }
//!
//! struct Glow;
//!
//! impl Renderer<f32> for Glow {
//!     fn render(&mut self, angle: &f32, frame: &mut Frame<'_>) {
//!         frame.clear([0.5 + 0.5 * angle.sin(), 0.2, 0.3, 1.0]);
//!     }
//! }
//!
//! pub fn main() -> scanout::Result<()> {
//!     let summary = scanout::run(Config::default(), World(0.0), |_| Ok(Glow))?;
//!     println!("{} frames in {:.1?}", summary.frames, summary.elapsed);
//!     Ok(())
//! }
//! # }
//! ```
//!
//! ## 2. Your window, our threads: `Runtime`
//!
//! What is drawn with is your [`Backend`](runtime::Backend), made on the render thread and never moved from it. Your event
//! loop passes events on through the [`Handle`](runtime::Handle). With [`Pacing::Host`] it also says when frames are made.
//!
//! ```
//! use scanout::pacing::{Feedback, FrameId, Presentation};
//! use scanout::runtime::{Backend, FrameInfo, InputEvent, InputKind, Pixels, RunOptions, Runtime, TargetInfo};
//! use scanout::time::{Clock, MonotonicClock};
//! use scanout::{Logic, Size, Tick};
//!
//! struct World(f32);
//!
//! impl Logic for World {
//!     type Snapshot = f32;
//!     fn update(&mut self, tick: &Tick) {
//!         self.0 += tick.dt.as_secs_f32();
//!     }
//!     fn extract(&self, angle: &mut f32) {
//!         *angle = self.0;
//!     }
//! }
//!
//! /// Your context with your surface; this one draws nothing.
//! #[derive(Default)]
//! struct Board(TargetInfo, Vec<FrameId>);
//!
//! impl Backend<f32> for Board {
//!     fn target(&self) -> &TargetInfo {
//!         &self.0
//!     }
//!     fn resize(&mut self, _size: Size, _scale: f32) -> scanout::Result<()> {
//!         Ok(())
//!     }
//!     fn draw(&mut self, _angle: &f32, _frame: &FrameInfo<'_>) -> scanout::Result<()> {
//!         Ok(()) // .. draw calls ..
//!     }
//!     fn swap(&mut self, id: FrameId) -> scanout::Result<()> {
//!         self.1.push(id); // .. swap ..
//!         Ok(())
//!     }
//!     fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
//!         // What fences and the display say of earlier frames, when they say it.
//!         let now = MonotonicClock.now();
//!         for id in self.1.drain(..) {
//!             sink(Feedback::GpuDone(id, now));
//!             sink(Feedback::Presented(id, Presentation::Estimated(now)));
//!         }
//!     }
//!     fn capture(&mut self, _: &f32, frame: &FrameInfo<'_>) -> scanout::Result<Pixels> {
//!         Ok(Pixels { size: frame.size, rgba: Vec::new() })
//!     }
//! }
//!
//! # fn main() -> scanout::Result<()> {
//! let options = RunOptions { frame_limit: Some(10), ..RunOptions::default() };
//! let (ended, end) = std::sync::mpsc::channel();
//! let mut runtime = Runtime::start(options, World(0.0), || Ok(Board::default()), move || drop(ended.send(())))?;
//! // Your event loop:
//! runtime.handle().input(InputEvent::new(MonotonicClock.now(), InputKind::Focus { gained: true }));
//! end.recv().expect("the run ends by itself");
//! let summary = runtime.finish()?;
//! assert_eq!(summary.frames, 10);
//! # Ok(())
//! # }
//! ```
//!
//! `tests/runtime_pacing.rs` is full of such hosts, with [`Pacing::Host`] among them. A [`Chain`](display::Chain) of sources
//! says when frames of your window are displayed.
//!
//! ## 3. Your loop, our timing: `FramePacer`
//!
//! Pure: you say what time it is, and what became of frames as far as you know. `examples/embed_pacer.rs` is such a loop in
//! a window, with display times from the window system and a [self-check](stats::SelfCheck).
//!
//! ```
//! use scanout::display::sleep::Sleeper;
//! use scanout::pacing::{FramePacer, Origin, Pacing, Presentation, VblankSample, Work};
//! use scanout::sim::FixedDisplay;
//! use scanout::time::{Clock, MonotonicClock};
//!
//! let (clock, mut sleeper) = (MonotonicClock, Sleeper::new());
//! let display = FixedDisplay::new(500.0, clock.now()); // instead of a real one
//! let mut pacer = FramePacer::new(Pacing::Auto, display.hz());
//! for _ in 0..50 {
//!     let plan = pacer.plan(clock.now());
//!     sleeper.until(plan.wake_at);
//!     let began = clock.now();
//!     // .. sample input, move the world on by `plan.dt`, draw it for `plan.target_presentation` ..
//!     let drawing = clock.now().saturating_since(began);
//!     sleeper.until(plan.swap_at.unwrap_or(began));
//!     // .. swap ..
//!     let swapped = clock.now();
//!     let held = swapped.saturating_since(began) - drawing;
//!     pacer.submitted(plan.id, swapped, Work { drawing, held, ..Work::default() });
//!     // When it is known, of this frame or of earlier ones:
//!     let shown = display.vblank_after(swapped);
//!     pacer.gpu_done(plan.id, swapped);
//!     pacer.presented(plan.id, Presentation::At(shown, Origin::Simulated));
//!     let sample = VblankSample { at: shown, sequence: None, period: None, origin: Origin::Simulated };
//!     pacer.vblank(sample);
//! }
//! let refresh = pacer.state().refresh.expect("measured by now");
//! assert!((refresh.as_secs_f64() * display.hz() - 1.0).abs() < 0.01);
//! ```
//!
//! # Modules, from the bottom up
//!
//! | module | what it owns | take it alone for | needs |
//! |---|---|---|---|
//! | [`time`], [`error`](Error) | the one clock; what can go wrong | | |
//! | [`sync`] | the snapshot buffer | handing the newest value from thread to thread | |
//! | [`pacing`] | when a frame begins, and what it aims at | a loop of your own | |
//! | [`stats`] | stage stamps, metrics, percentiles, the [self-check](stats::SelfCheck) | figures of a loop of your own | |
//! | [`telemetry`] | the stage table that others follow live | watching a run from another thread or process | `telemetry` for other processes |
//! | [`sim`] | displays that do not exist | tests of pacing in virtual time | |
//! | [`scene`] | draw list, sort keys, batches, culling | few draw calls by your own renderer | |
//! | [`timeline`] | what threads, GPU, driver and display did, on one time axis | why frames are late | |
//! | [`display`] | who says when frames are displayed; sleeping; priorities | display times of your own window | `window` for windows, `realtime` for priorities |
//! | [`runtime`] | the two threads, input, shutdown | your own window | |
//! | `gl` | context, programs, meshes, textures, fences | OpenGL in a context of your own | `gl` |
//! | `window` | a window with its context, [`run`] | | `window` |
//! | `headless` | the same off screen, through EGL | tests and pictures on servers | `headless` |
//! | `scenes` | the scenes of the app and of the benchmarks; glTF | reading and drawing models | `scenes` |
//! | `observe` | programs seen from outside: servers, injected input, what is on the screen | tests of any program with a window | `observe`, Linux |
//!
//! A lower module never uses a higher one (the error type alone knows the errors of all), and without features only the
//! pure part is built. `unsafe` is denied everywhere but in `sync`, `gl`, `window`, `headless`, where `display` calls a
//! system's functions, and where `observe` and `telemetry` read memory that another process writes or ask who it is.

#![cfg_attr(not(feature = "window"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(any(feature = "window", feature = "headless"))]
mod config;
pub mod display;
mod error;
#[cfg(feature = "gl")]
pub mod gl;
#[cfg(feature = "headless")]
pub mod headless;
#[cfg(all(feature = "observe", target_os = "linux"))]
pub mod observe;
pub mod pacing;
#[cfg(all(target_os = "linux", any(feature = "observe", feature = "telemetry")))]
mod proc_stat;
mod profile;
pub mod runtime;
pub mod scene;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod sim;
pub mod stats;
pub mod sync;
pub mod telemetry;
pub mod time;
pub mod timeline;
#[cfg(feature = "window")]
pub mod window;

#[cfg(any(feature = "window", feature = "headless"))]
pub use config::Config;
pub use error::{Error, ResetCause, Result};
#[cfg(feature = "gl")]
pub use gl::{CreateContext, Frame, Renderer};
pub use pacing::Pacing;
pub use runtime::{Demand, InputEvent, InputKind, Logic, Size, Summary, Tick};
#[cfg(feature = "window")]
pub use window::run;

/// The program in the README compiles.
#[cfg(all(doctest, feature = "window"))]
#[doc = include_str!("../README.md")]
struct Readme;
