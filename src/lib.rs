//! scanout
pub mod time;
