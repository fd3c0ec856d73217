//! Scopes for puffin, or nothing: without the feature `profile` the same names compile to no code, so that call
//! sites carry no `cfg`.

/// Opens a scope until the end of the enclosing block, with data if given (worked out only while profiling is on): the
/// frame's number on the render thread, the snapshot's on the logic thread. With profiling compiled in but switched off it costs one
/// relaxed atomic load.
#[cfg(feature = "profile")]
macro_rules! scope {
    ($($t:tt)*) => { puffin::profile_scope!($($t)*); };
}
#[cfg(not(feature = "profile"))]
macro_rules! scope {
    ($($t:tt)*) => {};
}
pub(crate) use scope;

/// Marks the start of a frame.
#[cfg(feature = "profile")]
pub(crate) fn new_frame() {
    if puffin::are_scopes_on() {
        puffin::GlobalProfiler::lock().new_frame();
    }
}
#[cfg(not(feature = "profile"))]
pub(crate) const fn new_frame() {}
