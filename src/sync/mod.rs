//! What the logic thread and the render thread share, without locks.
//!
//! [`snapshot`] hands whole snapshots from one writer to one reader; neither ever waits for the other. It knows nothing of
//! frames: take it alone wherever one thread wants the newest value that another one has.
#![allow(unsafe_code, reason = "slots are shared between two threads; `word` decides who may touch which")]

mod shim;
pub mod snapshot;
mod word;

#[cfg(all(test, loom))]
mod loom_tests;
