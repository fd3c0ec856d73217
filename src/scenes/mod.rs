//! The scenes that the app, the benchmarks and the tests share.

pub mod model;
