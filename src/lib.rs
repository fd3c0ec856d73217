//! scanout
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod time;
