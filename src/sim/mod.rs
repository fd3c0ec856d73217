//! Displays that do not exist, in virtual time. Pure: no clock, no system.

mod display;

pub use display::FixedDisplay;
