//! Images: PNG and JPEG to RGBA8, measured before they are decoded.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::error::ModelError;
use super::limits::{Budget, MAX_IMAGE_SIDE};
use super::resolve;
use super::source::{Source, get};

/// What a decoder may use for rows, colour profiles and texts when the pixels' budget is spent.
const DECODER_SCRATCH: u64 = 16 << 20;

/// A decoded image.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Image {
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// `width * height` pixels of four bytes (red, green, blue, straight alpha), the top row first: texture
    /// coordinate (0, 0) is the first pixel's corner, so that the rows go into OpenGL as they are.
    pub rgba: Vec<u8>,
    /// Whether the colours are sRGB-encoded (base colour textures) or linear. Alpha is linear always.
    pub srgb: bool,
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
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(ModelError::invalid(here(), "is neither PNG nor JPEG")),
    };
    let mut limits = Limits::default();
    // Sides and pixels are checked here, with our words for it; the decoder minds what it needs beside the pixels.
    limits.max_alloc = Some(budget.image_bytes.left().max(DECODER_SCRATCH));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(ModelError::invalid(here(), "has no pixels"));
    }
    let longest = width.max(height);
    if longest > MAX_IMAGE_SIDE {
        let (asked, limit) = (u64::from(longest), u64::from(MAX_IMAGE_SIDE));
        return Err(ModelError::TooLarge { what: "pixels along an image's side", asked, limit });
    }
    let rgba_bytes = u64::from(width) * u64::from(height) * 4;
    // The decoder's own format may be wider (16 bits) than what is kept.
    let while_decoding = rgba_bytes.max(decoder.total_bytes());
    budget.image_bytes.take(while_decoding)?;
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?;
    let rgba = pixels.into_rgba8().into_raw();
    budget.image_bytes.give_back(while_decoding - rgba_bytes);
    if rgba.len() as u64 != rgba_bytes {
        return Err(ModelError::invalid(here(), "decoded to another size than it says"));
    }
    Ok(Image { width, height, rgba, srgb })
}
