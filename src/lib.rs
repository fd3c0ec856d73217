//! scanout
#[cfg(feature = "gl")]
mod config;
pub mod display;
pub mod error;
#[cfg(feature = "gl")]
pub mod gl;
#[cfg(feature = "headless")]
pub mod headless;
pub mod pacing;
mod profile;
pub mod runtime;
pub mod sim;
pub mod stats;
pub mod sync;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod time;
#[cfg(feature = "window")]
pub mod window;
pub use error::{Error, Result};
#[cfg(feature = "gl")]
pub use config::Config;
#[cfg(feature = "gl")]
pub use gl::{CreateContext, Frame, Renderer};
pub use runtime::{Demand, InputEvent, InputKind, Logic, Size, Summary, Tick};
#[cfg(feature = "window")]
pub use window::run;
