//! Images: PNG and JPEG to RGBA8, measured before they are decoded; KTX2 as it is, for the driver decides what becomes of it.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::error::ModelError;
use super::limits::{Budget, MAX_IMAGE_SIDE};
use super::resolve;
use super::source::{Source, get};
#[cfg(feature = "basis")]
use crate::gl::{is_ktx2, ktx2_picture_size};

/// What a decoder may use for rows, colour profiles and texts when the pixels' budget is spent.
const DECODER_SCRATCH: u64 = 16 << 20;

/// What is said of a file that nothing here reads.
const NEITHER: &str =
    if cfg!(feature = "basis") { "is neither PNG nor JPEG nor KTX2" } else { "is neither PNG nor JPEG" };

/// An image, decoded or kept for the driver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Image {
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// The pixels themselves.
    pub texels: Texels,
    /// Whether the colours are sRGB-encoded (base colour textures) or linear. Alpha is linear always.
    pub srgb: bool,
}

/// The pixels of an [`Image`], the top row first: texture coordinate (0, 0) is the first pixel's corner, so that the rows
/// go into OpenGL as they are.
#[derive(Clone, Debug)]
pub enum Texels {
    /// `width * height` pixels of four bytes (red, green, blue, straight alpha).
    Rgba8(Vec<u8>),
    /// A KTX2 file of ETC1S or UASTC texels, perhaps with smaller copies (`KHR_texture_basisu`, feature `basis`). What its
    /// header says was checked, and its texels were not. Whether the file calls its colours sRGB is not asked.
    Ktx2(Vec<u8>),
}

impl Texels {
    /// The pixels or the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (Self::Rgba8(bytes) | Self::Ktx2(bytes)) = self;
        bytes
    }
}

/// Decodes `images[index]`; `place` names who asks.
pub(super) fn load(
    source: &Source<'_>,
    index: u64,
    srgb: bool,
    budget: &mut Budget,
    place: &dyn Fn() -> String,
) -> Result<Image, ModelError> {
    let image = get(&source.document.images, index, "images", place)?;
    let here = || format!("images[{index}]");
    let owned;
    let bytes = match (&image.uri, image.buffer_view) {
        (Some(uri), _) => {
            owned = resolve::resolve(uri, source.folder, &mut budget.source_bytes)?;
            owned.as_slice()
        }
        (None, Some(view)) => source.view(view, &here)?.bytes,
        (None, None) => return Err(ModelError::invalid(here(), "has neither uri nor bufferView")),
    };
    let failed = |source| ModelError::Image { index: index as usize, source };
    decode(bytes, srgb, budget, &here, &failed)
}

fn decode(
    bytes: &[u8],
    srgb: bool,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
    failed: &dyn Fn(image::ImageError) -> ModelError,
) -> Result<Image, ModelError> {
    // The content decides, not mimeType: exporters mix them up, and the pixels are the same.
    #[cfg(feature = "basis")]
    if is_ktx2(bytes) {
        return keep(bytes, srgb, budget, here);
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(ModelError::invalid(here(), NEITHER)),
    };
    let mut limits = Limits::default();
    // Sides and pixels are checked here, with our words for it; the decoder minds what it needs beside the pixels.
    limits.max_alloc = Some(budget.image_bytes.left().max(DECODER_SCRATCH));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let rgba_bytes = rgba_bytes(width, height, here)?;
    // The decoder's own format may be wider (16 bits) than what is kept.
    let while_decoding = rgba_bytes.max(decoder.total_bytes());
    budget.image_bytes.take(while_decoding)?;
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?;
    let rgba = pixels.into_rgba8().into_raw();
    budget.image_bytes.give_back(while_decoding - rgba_bytes);
    if rgba.len() as u64 != rgba_bytes {
        return Err(ModelError::invalid(here(), "decoded to another size than it says"));
    }
    Ok(Image { width, height, texels: Texels::Rgba8(rgba), srgb })
}

/// What an image of that size takes at four bytes per pixel, if it may be so large.
fn rgba_bytes(width: u32, height: u32, here: &dyn Fn() -> String) -> Result<u64, ModelError> {
    if width == 0 || height == 0 {
        return Err(ModelError::invalid(here(), "has no pixels"));
    }
    let longest = width.max(height);
    if longest > MAX_IMAGE_SIDE {
        let (asked, limit) = (u64::from(longest), u64::from(MAX_IMAGE_SIDE));
        return Err(ModelError::TooLarge { what: "pixels along an image's side", asked, limit });
    }
    Ok(u64::from(width) * u64::from(height) * 4)
}

/// A KTX2 file, kept until a driver says which format it has.
#[cfg(feature = "basis")]
fn keep(
    bytes: &[u8],
    srgb: bool,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<Image, ModelError> {
    let size = ktx2_picture_size(bytes).map_err(|e| ModelError::invalid(here(), e.to_string()))?;
    // What a driver without compressed formats takes for the largest level, and the copy of the file: many images may be
    // the same bytes.
    let texels = rgba_bytes(size.width, size.height, here)?;
    budget.image_bytes.take(texels.saturating_add(bytes.len() as u64))?;
    let texels = Texels::Ktx2(bytes.to_vec());
    Ok(Image { width: size.width, height: size.height, texels, srgb })
}
