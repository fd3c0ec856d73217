//! KTX2 files of Basis Universal: texels that are made into what a driver has while they are loaded.

use std::sync::Arc;

use basisu::{DecodeFlags, Error, TargetFormat, Transcoder};
use ktx2::{Header, LevelIndex};

use super::data::{SharedBytes, TextureData};
use super::error::TextureError;
use super::format::{CompressedFormats, TextureFormat, level_size};
use super::ktx::{Wants, extent, header};
#[cfg(feature = "scenes")]
use super::ktx::{caught, is_basis};
use crate::runtime::Size;

/// Formats by what is lost on the way to them, the least first; in the third column, whether they are for pictures with
/// alpha, without, or both. ETC1 is a part of ETC2.
const TARGETS: [(TargetFormat, TextureFormat, Option<bool>); 7] = [
    (TargetFormat::Bc7Rgba, TextureFormat::Bc7, None),
    (TargetFormat::Bc6h, TextureFormat::Bc6hUnsigned, None),
    (TargetFormat::Bc3Rgba, TextureFormat::Bc3, Some(true)),
    (TargetFormat::Bc1Rgb, TextureFormat::Bc1Rgb, Some(false)),
    (TargetFormat::Etc2Rgba, TextureFormat::Etc2Rgba8, Some(true)),
    (TargetFormat::Etc1Rgb, TextureFormat::Etc2Rgb, Some(false)),
    (TargetFormat::Rgba32, TextureFormat::Rgba8, None),
];

/// All levels of a file, in the best format that the driver has. Asks between levels whether to stop.
pub(super) fn transcode(bytes: &[u8], wants: &Wants<'_>) -> Result<TextureData, TextureError> {
    let head = header(bytes)?;
    let (size, count) = extent(&head)?;
    let limit = wants.max_side;
    if size.is_empty() || size.width > limit || size.height > limit {
        return Err(TextureError::TooLarge { size, limit });
    }
    check_lengths(bytes, size, count)?;
    let srgb = wants.srgb.unwrap_or_else(|| is_srgb(bytes, head.index.dfd_byte_offset));
    let file = Transcoder::new(bytes).map_err(|e| failed(&e))?;
    let (target, format) = best(&file, srgb, wants.compressed)
        .ok_or(TextureError::KtxUnsupported("texels for which this driver has no format"))?;
    // Said before memory is taken for them.
    let all: u64 = (0..count).map(|n| format.bytes(level_size(size, n)).map_or(u64::MAX, |n| n as u64)).sum();
    if all > wants.max_bytes {
        return Err(TextureError::Decode(format!("its {all} bytes are too many")));
    }
    let mut levels = Vec::with_capacity(count as usize);
    for level in 0..count {
        if (wants.stop)() {
            return Err(TextureError::Cancelled);
        }
        let texels = file.transcode(level, target, DecodeFlags::NONE).map_err(|e| failed(&e))?;
        levels.push(Arc::new(texels) as SharedBytes);
    }
    TextureData::new(format, srgb, size, levels)
}

/// The size of a picture that glTF may have (`KHR_texture_basisu`: ETC1S or UASTC, in one 2D picture), by its header alone.
///
/// # Errors
/// When the file is damaged as far as that can be said without its texels, or is another KTX2 file.
#[cfg(feature = "scenes")]
pub(crate) fn picture_size(bytes: &[u8]) -> Result<Size, TextureError> {
    let head = header(bytes)?;
    let (size, count) = extent(&head)?;
    if !is_basis(&head) {
        return Err(TextureError::KtxUnsupported("texels that are not of Basis Universal"));
    }
    check_lengths(bytes, size, count)?;
    let source = caught(|| Ok(Transcoder::new(bytes).map_err(|e| failed(&e))?.source_format()))?;
    if matches!(source, basisu::SourceFormat::Etc1s | basisu::SourceFormat::UastcLdr) {
        Ok(size)
    } else {
        Err(TextureError::KtxUnsupported("texels that are neither ETC1S nor UASTC"))
    }
}

/// The transcoder (0.1.0) takes as much memory for a level that is compressed once more as the file says it has, and ends the
/// process where there is not so much: no texels have more than 16 bytes for each block of 4x4. Where levels lie it adds up
/// without a look at what is beyond 64 bits.
fn check_lengths(bytes: &[u8], size: Size, count: u32) -> Result<(), TextureError> {
    for level in 0..count {
        let entry =
            bytes.get(Header::LENGTH + level as usize * LevelIndex::LENGTH..).and_then(<[u8]>::first_chunk);
        let entry = entry.map(LevelIndex::from_bytes);
        let short = || TextureError::Ktx("it ends within its levels".to_owned());
        let LevelIndex { byte_offset, byte_length, uncompressed_byte_length } = entry.ok_or_else(short)?;
        byte_offset.checked_add(byte_length).filter(|&end| end <= bytes.len() as u64).ok_or_else(short)?;
        let most = TextureFormat::Bc7.bytes(level_size(size, level)).map_or(u64::MAX, |n| n as u64);
        if uncompressed_byte_length > most {
            return Err(TextureError::Ktx(format!(
                "level {level} says it has {uncompressed_byte_length} bytes"
            )));
        }
    }
    Ok(())
}

fn best(
    file: &Transcoder<'_>,
    srgb: bool,
    compressed: CompressedFormats,
) -> Option<(TargetFormat, TextureFormat)> {
    let fits = |alpha: Option<bool>| alpha.is_none_or(|alpha| alpha == file.has_alpha());
    let target = TARGETS.iter().find(|(target, format, alpha)| {
        fits(*alpha) && file.supports(*target) && format.is_among(srgb, compressed)
    });
    target.map(|&(target, format, _)| (target, format))
}

/// Whether the data format descriptor says so (Khronos Data Format 1.3, section 5.6: byte 2 of the third word of the first
/// block, which follows the descriptor's length).
fn is_srgb(bytes: &[u8], descriptor: u32) -> bool {
    const TRANSFER: usize = 4 + 8 + 2;
    const SRGB: u8 = 2;
    (descriptor as usize).checked_add(TRANSFER).and_then(|at| bytes.get(at)) == Some(&SRGB)
}

fn failed(error: &Error) -> TextureError {
    match error {
        Error::Truncated => TextureError::Ktx("it ends within its levels".to_owned()),
        Error::VideoRequiresState => TextureError::KtxUnsupported("a video"),
        _ => TextureError::Ktx("its Basis Universal texels cannot be transcoded".to_owned()),
    }
}
