use std::path::PathBuf;

use crate::gl::{SharedBytes, TextureData};
use crate::runtime::Size;

/// Where a texture comes from.
#[derive(Clone)]
#[non_exhaustive]
pub enum TextureSource {
    /// A PNG, JPEG or KTX2 file. The bytes decide, not the name. KTX2 with Basis Universal needs the feature `basis`.
    File(PathBuf),
    /// The contents of such a file.
    Encoded(SharedBytes),
    /// The contents of a KTX2 file whose colours are encoded as its user says, and not as the file does.
    Ktx2 {
        /// The file's bytes.
        bytes: SharedBytes,
        /// Whether the colours are sRGB-encoded.
        srgb: bool,
    },
    /// Four bytes per texel (red, green, blue, alpha), rows from top to bottom.
    Pixels {
        /// The size in texels.
        size: Size,
        /// `4 * width * height` bytes.
        rgba: SharedBytes,
    },
    /// Prepared data.
    Data(TextureData),
}

impl std::fmt::Debug for TextureSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Encoded(bytes) => write!(f, "Encoded({} bytes)", (**bytes).as_ref().len()),
            Self::Ktx2 { bytes, srgb } => {
                write!(f, "Ktx2({} bytes, sRGB {srgb})", (**bytes).as_ref().len())
            }
            Self::Pixels { size, .. } => write!(f, "Pixels({}x{})", size.width, size.height),
            Self::Data(data) => f.debug_tuple("Data").field(data).finish(),
        }
    }
}
