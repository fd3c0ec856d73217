//! scanout
pub mod sync;
pub mod time;
