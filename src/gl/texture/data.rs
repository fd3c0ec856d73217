use std::fmt;
use std::sync::Arc;

use super::error::TextureError;
use super::format::{TextureFormat, full_levels, level_size};
use crate::runtime::Size;

/// Bytes that somebody else owns, shared with the thread that prepares textures.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A texture in the CPU's memory, ready to be uploaded: the picture and its smaller copies.
#[derive(Clone)]
pub struct TextureData {
    format: TextureFormat,
    srgb: bool,
    size: Size,
    levels: Vec<SharedBytes>,
}

impl TextureData {
    /// Takes the levels together, the largest first, rows from top to bottom without gaps between them.
    ///
    /// # Errors
    /// When the size is empty, there is no level or more than the size has, or a level's bytes are not as many as its size
    /// asks for.
    pub fn new(
        format: TextureFormat,
        srgb: bool,
        size: Size,
        levels: Vec<SharedBytes>,
    ) -> Result<Self, TextureError> {
        if size.is_empty() {
            return Err(TextureError::Empty);
        }
        let (count, most) = (levels.len(), full_levels(size));
        if count == 0 || count > most as usize {
            return Err(TextureError::Levels { count, most });
        }
        for (level, bytes) in (0..).zip(&levels) {
            let size = level_size(size, level);
            let (got, wanted) = ((**bytes).as_ref().len(), format.bytes(size).unwrap_or(usize::MAX));
            if got != wanted {
                return Err(TextureError::Length { level, got, wanted });
            }
        }
        Ok(Self { format, srgb, size, levels })
    }

    /// How texels are stored.
    #[must_use]
    pub const fn format(&self) -> TextureFormat {
        self.format
    }

    /// Whether the colours are sRGB-encoded.
    #[must_use]
    pub const fn srgb(&self) -> bool {
        self.srgb
    }

    /// The size of the largest level in texels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// How many levels there are.
    #[must_use]
    pub fn levels(&self) -> u32 {
        self.levels.len() as u32
    }

    /// The bytes of a level; none beyond the last.
    #[must_use]
    pub fn level(&self, level: u32) -> &[u8] {
        self.levels.get(level as usize).map_or(&[], |bytes| (**bytes).as_ref())
    }

    /// All bytes together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(|bytes| (**bytes).as_ref().len()).sum()
    }

    /// The same with the colours taken for what their user says they are.
    #[cfg(feature = "textures")]
    pub(super) const fn with_srgb(mut self, srgb: bool) -> Self {
        self.srgb = srgb;
        self
    }

    /// The same with smaller copies, made on this thread, which can take long for large pictures. Compressed pictures
    /// stay as they are. `stop` is asked before each row of them; when it says so, the copies are left out.
    #[must_use]
    pub fn with_mipmaps(mut self, stop: &dyn Fn() -> bool) -> Self {
        if self.format != TextureFormat::Rgba8 || self.levels.len() != 1 {
            return self;
        }
        for level in 1..full_levels(self.size) {
            let above = (level_size(self.size, level - 1), self.level(level - 1));
            let Some(bytes) = super::mipmap::halve(above.1, above.0, self.srgb, stop) else {
                self.levels.truncate(1);
                break;
            };
            self.levels.push(Arc::new(bytes));
        }
        self
    }
}

impl fmt::Debug for TextureData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, srgb, size, .. } = self;
        f.debug_struct("TextureData")
            .field("format", format)
            .field("srgb", srgb)
            .field("size", size)
            .field("levels", &self.levels())
            .field("bytes", &self.bytes())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(n: usize) -> SharedBytes {
        Arc::new(vec![0_u8; n])
    }

    #[test]
    fn levels_must_fit_their_sizes() {
        let new = |size, levels| TextureData::new(TextureFormat::Rgba8, false, size, levels);
        let size = Size::new(4, 2);
        assert!(new(size, vec![bytes(32), bytes(8), bytes(4)]).is_ok());
        assert!(new(size, vec![bytes(32)]).is_ok());
        let refused = |levels| new(size, levels).expect_err("they do not fit");
        assert!(matches!(refused(vec![]), TextureError::Levels { count: 0, .. }));
        let many = vec![bytes(32), bytes(8), bytes(4), bytes(4)];
        assert!(matches!(refused(many), TextureError::Levels { count: 4, most: 3 }));
        let short = vec![bytes(32), bytes(7)];
        assert!(matches!(refused(short), TextureError::Length { level: 1, got: 7, wanted: 8 }));
        assert!(matches!(new(Size::new(0, 2), vec![bytes(0)]), Err(TextureError::Empty)));
    }

    #[test]
    fn mipmaps_go_down_to_one_texel_and_stop_when_asked() {
        let size = Size::new(20, 3);
        let data = TextureData::new(TextureFormat::Rgba8, true, size, vec![bytes(240)]).expect("it fits");
        let whole = data.clone().with_mipmaps(&|| false);
        assert_eq!(whole.levels(), 5);
        // The lengths are those that the sizes ask for.
        assert!(TextureData::new(TextureFormat::Rgba8, true, size, whole.levels.clone()).is_ok());
        assert_eq!(data.with_mipmaps(&|| true).levels(), 1);
        // Once in each row of each level, so that nobody waits for a whole level.
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            false
        };
        let size = Size::new(16, 16);
        let data = TextureData::new(TextureFormat::Rgba8, true, size, vec![bytes(1024)]).expect("it fits");
        assert_eq!((data.with_mipmaps(&stop).levels(), asked.get()), (5, 8 + 4 + 2 + 1));
    }
}
