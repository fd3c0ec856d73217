//! The atomics and the shared pointer: those of `std`, or loom's, which try every order of events.

#[cfg(loom)]
pub(super) use loom::sync::{Arc, atomic::AtomicU64, atomic::Ordering};

#[cfg(not(loom))]
pub(super) use std::sync::{Arc, atomic::AtomicU64, atomic::Ordering};
