//! KTX2 files: pictures in the formats that GPUs read, with their smaller copies.

use std::sync::Arc;

use ktx2::{Format, Header, LevelIndex};

use super::data::{SharedBytes, TextureData};
use super::error::TextureError;
use super::format::{TextureFormat, full_levels};
use crate::runtime::Size;

/// The first bytes of a KTX2 file (KTX specification 2.0, section 3.1).
const IDENTIFIER: [u8; 12] = *b"\xabKTX 20\xbb\r\n\x1a\n";

/// Whether this looks like a KTX2 file.
#[must_use]
pub(in crate::gl) fn is_ktx2(bytes: &[u8]) -> bool {
    bytes.starts_with(&IDENTIFIER)
}

impl TextureData {
    /// Reads a KTX2 file with one 2D picture in RGBA8, BC1 to BC7 or ETC2. Supercompressed levels (Basis Universal, Zstandard,
    /// ZLIB) are not read.
    ///
    /// # Errors
    /// When the file is damaged, or has something that is not read.
    pub fn from_ktx2(bytes: &[u8]) -> Result<Self, TextureError> {
        use TextureError::KtxUnsupported;
        // The crate's reader (0.5.0) panics on some damaged descriptors of the data format, of which nothing is needed here.
        let damaged = |why: &str| TextureError::Ktx(why.to_owned());
        let header = bytes.first_chunk().ok_or_else(|| damaged("it ends within its header"))?;
        let header = Header::from_bytes(header).map_err(|e| TextureError::Ktx(e.to_string()))?;
        if header.supercompression_scheme.is_some() || header.format.is_none() {
            return Err(KtxUnsupported("supercompressed or Basis Universal texels"));
        }
        if header.pixel_depth > 1 || header.layer_count > 1 || header.face_count != 1 {
            return Err(KtxUnsupported("several layers, faces or slices"));
        }
        let (format, srgb) =
            header.format.and_then(known).ok_or(KtxUnsupported("texels of another format"))?;
        // A one-dimensional texture has a height of zero.
        let size = Size::new(header.pixel_width, header.pixel_height.max(1));
        let count = header.level_count.max(1);
        if count > full_levels(size) {
            return Err(TextureError::Levels { count: count as usize, most: full_levels(size) });
        }
        let level = |n: usize| {
            let entry = bytes.get(Header::LENGTH + n * LevelIndex::LENGTH..)?.first_chunk()?;
            let LevelIndex { byte_offset, byte_length, .. } = LevelIndex::from_bytes(entry);
            let start = usize::try_from(byte_offset).ok()?;
            let end = start.checked_add(usize::try_from(byte_length).ok()?)?;
            Some(Arc::new(bytes.get(start..end)?.to_vec()) as SharedBytes)
        };
        let levels: Option<Vec<_>> = (0..count as usize).map(level).collect();
        Self::new(format, srgb, size, levels.ok_or_else(|| damaged("it ends within its levels"))?)
    }
}

fn known(format: Format) -> Option<(TextureFormat, bool)> {
    use TextureFormat::*;
    Some(match format {
        Format::R8G8B8A8_UNORM => (Rgba8, false),
        Format::R8G8B8A8_SRGB => (Rgba8, true),
        Format::BC1_RGB_UNORM_BLOCK => (Bc1Rgb, false),
        Format::BC1_RGB_SRGB_BLOCK => (Bc1Rgb, true),
        Format::BC1_RGBA_UNORM_BLOCK => (Bc1Rgba, false),
        Format::BC1_RGBA_SRGB_BLOCK => (Bc1Rgba, true),
        Format::BC2_UNORM_BLOCK => (Bc2, false),
        Format::BC2_SRGB_BLOCK => (Bc2, true),
        Format::BC3_UNORM_BLOCK => (Bc3, false),
        Format::BC3_SRGB_BLOCK => (Bc3, true),
        Format::BC4_UNORM_BLOCK => (Bc4, false),
        Format::BC5_UNORM_BLOCK => (Bc5, false),
        Format::BC6H_UFLOAT_BLOCK => (Bc6hUnsigned, false),
        Format::BC6H_SFLOAT_BLOCK => (Bc6hSigned, false),
        Format::BC7_UNORM_BLOCK => (Bc7, false),
        Format::BC7_SRGB_BLOCK => (Bc7, true),
        Format::ETC2_R8G8B8_UNORM_BLOCK => (Etc2Rgb, false),
        Format::ETC2_R8G8B8_SRGB_BLOCK => (Etc2Rgb, true),
        Format::ETC2_R8G8B8A1_UNORM_BLOCK => (Etc2Rgba1, false),
        Format::ETC2_R8G8B8A1_SRGB_BLOCK => (Etc2Rgba1, true),
        Format::ETC2_R8G8B8A8_UNORM_BLOCK => (Etc2Rgba8, false),
        Format::ETC2_R8G8B8A8_SRGB_BLOCK => (Etc2Rgba8, true),
        _ => return None,
    })
}
