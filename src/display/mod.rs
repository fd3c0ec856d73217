//! Displays, real and simulated, and sleeping until a point in time.

pub mod sleep;
