use std::fmt;
use std::str::FromStr;

use super::StreamError;
use crate::gl::Capabilities;

/// What the data of a ring is read as. It decides how writes are aligned.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StreamTarget {
    /// Uniform blocks: aligned as the driver says.
    Uniform,
    /// Vertices and instances: whole elements from the start of the buffer, so that a draw can name the first.
    Vertex,
    /// Indices: likewise.
    Index,
    /// Commands of indirect draws: likewise.
    Indirect,
    /// Pixels for textures.
    PixelUnpack,
}

impl StreamTarget {
    /// Every use.
    pub const ALL: &[Self] = &[Self::Uniform, Self::Vertex, Self::Index, Self::Indirect, Self::PixelUnpack];

    /// The OpenGL binding point.
    #[must_use]
    pub const fn binding(self) -> u32 {
        match self {
            Self::Uniform => glow::UNIFORM_BUFFER,
            Self::Vertex => glow::ARRAY_BUFFER,
            Self::Index => glow::ELEMENT_ARRAY_BUFFER,
            Self::Indirect => glow::DRAW_INDIRECT_BUFFER,
            Self::PixelUnpack => glow::PIXEL_UNPACK_BUFFER,
        }
    }

    /// The number of which a write of elements of `size` bytes begins at a multiple. The four bytes are what OpenGL asks
    /// of vertex attributes, indirect commands and rows of pixels.
    pub(super) const fn alignment(self, size: usize, caps: &Capabilities) -> usize {
        match self {
            Self::Uniform => {
                let driver = caps.uniform_alignment as usize;
                // Both are powers of two: the greater is a multiple of the other.
                if driver > UNIFORM_ALIGNMENT { driver } else { UNIFORM_ALIGNMENT }
            }
            _ if size == 0 => 4,
            _ if size.is_multiple_of(4) => size,
            _ if size.is_multiple_of(2) => 2 * size,
            _ => 4 * size,
        }
    }
}

/// Uniform blocks begin at multiples of at least this, so that every value in them is aligned for the CPU as well.
const UNIFORM_ALIGNMENT: usize = 16;

/// How bytes get from the CPU into a ring.
#[derive(Copy, Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// The buffer stays mapped, coherently (GL 4.4 or `GL_ARB_buffer_storage`): a write is a copy and no call.
    Persistent,
    /// `glMapBufferRange` with `WRITE | INVALIDATE_RANGE | UNSYNCHRONIZED` once per frame. The fences are what keeps it
    /// correct.
    Unsynchronized,
    /// A new piece of memory from the driver each frame, which keeps the old one until the GPU is done with it.
    Orphan,
    /// `glMapBufferRange` with `WRITE | FLUSH_EXPLICIT`: the driver synchronises the map, and is told what was written.
    FlushExplicit,
    /// `glBufferSubData`: the driver copies, and synchronises as it likes.
    SubData,
}

impl Strategy {
    /// Every strategy, the one first that is taken when several are as fast.
    pub const ALL: &[Self] =
        &[Self::Persistent, Self::Unsynchronized, Self::Orphan, Self::FlushExplicit, Self::SubData];

    /// Whether a driver has what it needs. All but the first are in every OpenGL that scanout draws with.
    #[must_use]
    pub const fn is_supported(self, caps: &Capabilities) -> bool {
        match self {
            Self::Persistent => caps.buffer_storage,
            _ => true,
        }
    }

    /// What a driver has to have for it.
    pub(super) const fn needs(self) -> &'static str {
        match self {
            Self::Persistent => "GL 4.4 or GL_ARB_buffer_storage",
            _ => "GL 3.3",
        }
    }

    /// Its name, as [`from_str`](Self::from_str) takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::Unsynchronized => "unsynchronized",
            Self::Orphan => "orphan",
            Self::FlushExplicit => "flush-explicit",
            Self::SubData => "sub-data",
        }
    }

    pub(super) fn names() -> String {
        Self::ALL.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let known = Self::ALL.iter().find(|s| s.name() == text);
        known.copied().ok_or_else(|| StreamError::UnknownStrategy(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_nonsense_is_refused_in_one_line() {
        for &strategy in Strategy::ALL {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        let text = "fastest".parse::<Strategy>().unwrap_err().to_string();
        assert!(text.contains("fastest") && text.contains("sub-data") && !text.contains('\n'), "{text}");
    }
}
