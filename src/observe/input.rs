use std::time::Duration;

use super::error::Result;
use super::key::Key;

/// A keyboard and a pointer that no device stands behind. What is injected goes the way of real input from the server
/// on; the kernel's and the device's part of the way is missing.
///
/// The calls send at once and do not wait for the server, so that the time of the call is the time of the input;
/// [`sync`](Self::sync) waits.
pub trait Injector {
    /// What injects, for reports: `XTEST`, `virtual keyboard and pointer`.
    fn name(&self) -> &'static str;

    /// Presses a key or lets it go. About 10 us: one system call.
    ///
    /// # Errors
    /// When the server is gone.
    fn key(&mut self, key: Key, down: bool) -> Result<()>;

    /// Presses the left button, or lets it go.
    ///
    /// # Errors
    /// When the server is gone.
    fn button(&mut self, down: bool) -> Result<()>;

    /// Moves the pointer to (x, y) on the screen.
    ///
    /// # Errors
    /// When the server is gone, or the place is not on any screen.
    fn point(&mut self, x: u32, y: u32) -> Result<()>;

    /// After how long a key that is held down comes for the second time, where the server sees to that and says when.
    fn repeats_after(&self, _key: Key) -> Option<Duration> {
        None
    }

    /// Waits until the server has taken in all of it.
    ///
    /// # Errors
    /// When the server is gone.
    fn sync(&mut self) -> Result<()>;
}
