//! KTX2 files: pictures in the formats that GPUs read, with their smaller copies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ktx2::{Format, Header, LevelIndex, SupercompressionScheme};

use super::data::{SharedBytes, TextureData};
use super::error::TextureError;
use super::format::{CompressedFormats, TextureFormat, full_levels};
use crate::runtime::{Size, panic_message};

/// The first bytes of a KTX2 file (KTX specification 2.0, section 3.1).
const IDENTIFIER: [u8; 12] = *b"\xabKTX 20\xbb\r\n\x1a\n";

/// Whether this looks like a KTX2 file.
#[must_use]
pub(crate) fn is_ktx2(bytes: &[u8]) -> bool {
    bytes.starts_with(&IDENTIFIER)
}

impl TextureData {
    /// Reads a KTX2 file with one 2D picture in RGBA8, BC1 to BC7 or ETC2. Levels that are compressed once more (Zstandard, ZLIB)
    /// are not read, and those of Basis Universal by a [`TextureLoader`](crate::gl::TextureLoader) alone, which transcodes them
    /// into what the driver has (feature `basis`).
    ///
    /// # Errors
    /// When the file is damaged, or has something that is not read.
    pub fn from_ktx2(bytes: &[u8]) -> Result<Self, TextureError> {
        use TextureError::KtxUnsupported;
        // The crate's reader (0.5.0) panics on some damaged descriptors of the data format, of which nothing is needed here.
        let damaged = |why: &str| TextureError::Ktx(why.to_owned());
        let header = header(bytes)?;
        if is_basis(&header) {
            return Err(KtxUnsupported(if cfg!(feature = "basis") {
                "Basis Universal texels outside of a texture loader"
            } else {
                "Basis Universal texels (BasisLZ, UASTC; this build is without the feature `basis`)"
            }));
        }
        if header.supercompression_scheme.is_some() {
            return Err(KtxUnsupported("levels that are compressed once more (Zstandard, ZLIB)"));
        }
        let (format, srgb) =
            header.format.and_then(known).ok_or(KtxUnsupported("texels of another format"))?;
        let (size, count) = extent(&header)?;
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

/// The header of a file with one 2D picture.
pub(super) fn header(bytes: &[u8]) -> Result<Header, TextureError> {
    let short = || TextureError::Ktx("it ends within its header".to_owned());
    let header = bytes.first_chunk().ok_or_else(short)?;
    let header = Header::from_bytes(header).map_err(|e| TextureError::Ktx(e.to_string()))?;
    if header.pixel_depth > 1 || header.layer_count > 1 || header.face_count != 1 {
        return Err(TextureError::KtxUnsupported("several layers, faces or slices"));
    }
    Ok(header)
}

/// Whether a transcoder has to make texels of it: it names no format.
pub(super) fn is_basis(header: &Header) -> bool {
    header.format.is_none() || header.supercompression_scheme == Some(SupercompressionScheme::BasisLZ)
}

/// The size, and how many levels there are.
pub(super) fn extent(header: &Header) -> Result<(Size, u32), TextureError> {
    // A one-dimensional texture has a height of zero.
    let size = Size::new(header.pixel_width, header.pixel_height.max(1));
    let (count, most) = (header.level_count.max(1), full_levels(size));
    if count > most {
        return Err(TextureError::Levels { count: count as usize, most });
    }
    Ok((size, count))
}

/// Reads a KTX2 file of any kind that is read, into what a driver takes.
pub(in crate::gl) fn read(bytes: &[u8], wants: &Wants<'_>) -> Result<TextureData, TextureError> {
    #[cfg(feature = "basis")]
    if is_basis(&header(bytes)?) {
        return super::basis::transcode(bytes, wants);
    }
    let data = TextureData::from_ktx2(bytes)?;
    Ok(match wants.srgb {
        Some(srgb) => data.with_srgb(srgb),
        None => data,
    })
}

/// Hostile files have broken decoders before: that is an error of the file, and whoever asked goes on.
pub(in crate::gl) fn caught<T>(work: impl FnOnce() -> Result<T, TextureError>) -> Result<T, TextureError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(TextureError::DecoderPanicked(panic_message(panic.as_ref()))))
}

/// What a transcoder is asked for.
#[cfg_attr(not(feature = "basis"), allow(dead_code, reason = "what the transcoder asks for"))]
pub(in crate::gl) struct Wants<'a> {
    pub compressed: CompressedFormats,
    /// Whether the colours are sRGB-encoded; `None`: as the file says.
    pub srgb: Option<bool>,
    pub max_side: u32,
    pub max_bytes: u64,
    pub stop: &'a dyn Fn() -> bool,
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
