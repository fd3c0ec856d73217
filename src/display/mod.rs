//! Displays, real and simulated, sleeping until a point in time, and the priority of threads that do.

pub mod priority;
pub mod sleep;
