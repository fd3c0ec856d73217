/// How a loader works.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct LoaderOptions {
    /// The most bytes that are uploaded in a frame, and so in one call. At least 1,024.
    pub frame_bytes: usize,
    /// The most bytes that decoding one picture may take.
    pub decoded_bytes: u64,
}

impl LoaderOptions {
    /// The default but for the bytes per frame.
    #[must_use]
    pub fn with_frame_bytes(frame_bytes: usize) -> Self {
        Self { frame_bytes, ..Self::default() }
    }
}

impl Default for LoaderOptions {
    /// One MiB per frame: 60 MB a second at 60 Hz, for a fraction of a millisecond each.
    fn default() -> Self {
        Self { frame_bytes: 1 << 20, decoded_bytes: 1 << 30 }
    }
}

/// What one frame did for textures.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LoadProgress {
    /// Bytes that were uploaded in this frame.
    pub bytes: usize,
    /// The most bytes in one call.
    pub largest_slice: usize,
    /// Calls that uploaded something.
    pub slices: usize,
    /// The buffers of earlier frames are still being read: nothing was uploaded, rather than waited.
    pub put_off: bool,
    /// The driver did not take all bytes that it was offered: these come again in the next frame.
    pub refused: bool,
    /// Textures that are neither complete nor given up.
    pub pending: usize,
}
