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
//! carries a time stamp of every stage.
//!
//! # The smallest program
//!
//! A world ([`Logic`], on the logic thread) and a [`Renderer`] (on the render thread), put together by [`run`]. This is
//! `examples/triangle.rs` without its shaders:
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
//! # As much of it as you want
//!
//! 1. [`run`] owns window, threads and loop: the program above.
//! 2. [`runtime::Runtime`] has the two threads and the pacing. You own the window and pass events on through its
//!    [`Handle`](runtime::Handle); what is drawn with is your [`Backend`](runtime::Backend). With [`Pacing::Host`] your
//!    own loop says when frames are made. `tests/runtime_pacing.rs` is full of such hosts.
//! 3. [`pacing::FramePacer`] alone, in a loop of your own (`examples/embed_pacer.rs` is one in a window):
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
//! | module | what it has | needs |
//! |---|---|---|
//! | [`time`], [`error`](Error) | the one clock; what can go wrong | |
//! | [`sync`] | the snapshot buffer | |
//! | [`pacing`] | when a frame begins, and what it aims at | |
//! | [`stats`] | stage stamps, metrics, percentiles, what a loop does wrong ([`SelfCheck`](stats::SelfCheck)) | |
//! | [`telemetry`] | the stage table that others follow live; in shared memory with feature `telemetry` | |
//! | [`sim`] | displays that do not exist | |
//! | [`scene`] | draw list, sort keys, batches, culling | |
//! | [`timeline`] | what threads, GPU, driver and display did, on one time axis | |
//! | [`display`] | who says when frames are displayed; sleeping; real-time priority (feature `realtime`) | |
//! | [`runtime`] | the two threads, input, shutdown | |
//! | `gl` | context, programs, meshes, textures, fences | feature `gl` |
//! | `window` | a window with its context, [`run`] | feature `window` |
//! | `headless` | the same off screen, through EGL | feature `headless` |
//! | `scenes` | the scenes of the app and of the benchmarks | feature `scenes` |
//! | `observe` | programs seen from outside: servers, injected input, what is on the screen | feature `observe`, Linux |
//!
//! A lower module never uses a higher one (the error type alone knows the errors of all), and without features only the
//! pure part is built. `unsafe` is denied
//! everywhere but in `sync`, `gl`, `window`, `headless`, where `display` calls a system's functions, and where `observe` and
//! `telemetry` read memory that another process writes.

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
