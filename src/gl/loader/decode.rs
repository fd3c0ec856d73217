use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};

use super::{LoaderOptions, TextureSource};
use crate::gl::texture::ktx::{self, Wants};
use crate::gl::{CompressedFormats, Gl, Texture, TextureData, TextureError, TextureFormat, TextureOptions};
use crate::runtime::Size;

/// What decoding may take, and when it is to end.
pub(super) struct Bounds<'a> {
    pub compressed: CompressedFormats,
    pub max_side: u32,
    pub max_bytes: u64,
    pub stop: &'a dyn Fn() -> bool,
}

/// Reads and decodes a source, with smaller copies if there are to be any.
pub(super) fn prepare(
    source: TextureSource,
    srgb: bool,
    mipmaps: bool,
    bounds: &Bounds<'_>,
) -> Result<TextureData, TextureError> {
    let data = match source {
        TextureSource::Data(data) => data,
        TextureSource::Pixels { size, rgba } => {
            TextureData::new(TextureFormat::Rgba8, srgb, size, vec![rgba])?
        }
        TextureSource::Ktx2 { bytes, srgb } => read_ktx2((*bytes).as_ref(), Some(srgb), bounds)?,
        TextureSource::Encoded(bytes) => decode((*bytes).as_ref(), srgb, bounds)?,
        TextureSource::File(path) => decode(&read(&path, bounds)?, srgb, bounds)?,
    };
    let data = if mipmaps { data.with_mipmaps(bounds.stop) } else { data };
    if (bounds.stop)() { Err(TextureError::Cancelled) } else { Ok(data) }
}

impl Texture {
    /// A texture from a source that is read, decoded and uploaded on this thread: for few small ones before the first
    /// frame, where a [`TextureLoader`](crate::gl::TextureLoader) would show its placeholder. May take as much memory as
    /// the default of [`LoaderOptions`] allows.
    ///
    /// # Errors
    /// When the source cannot be read or decoded, or the driver does not take it.
    pub fn from_source(
        gl: &Gl,
        name: &str,
        source: TextureSource,
        options: &TextureOptions,
    ) -> crate::error::Result<Self> {
        let caps = gl.caps();
        let bounds = Bounds {
            compressed: caps.compressed,
            max_side: caps.max_texture_size,
            max_bytes: LoaderOptions::default().decoded_bytes,
            stop: &|| false,
        };
        let data = ktx::caught(|| prepare(source, options.srgb, options.mipmaps, &bounds))
            .map_err(|reason| crate::error::Error::Texture { name: name.to_owned(), reason })?;
        Self::from_data(gl, name, &data, options)
    }
}

fn read(path: &Path, bounds: &Bounds<'_>) -> Result<Vec<u8>, TextureError> {
    let failed = |e: io::Error| TextureError::Read(format!("{}: {e}", path.display()));
    // Asked before opening: opening a pipe without a writer would wait for ever, and a device has no end.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(TextureError::Read(format!("{}: it is not a regular file", path.display())));
    }
    let length = metadata.len();
    let file = File::open(path).map_err(failed)?;
    if length > bounds.max_bytes {
        return Err(TextureError::Read(format!("{}: {length} bytes are too many", path.display())));
    }
    let mut bytes = Vec::new();
    // A file that grows meanwhile does not get past the limit.
    let mut file = Stoppable { inner: io::BufReader::new(file.take(bounds.max_bytes)), stop: bounds.stop };
    file.read_to_end(&mut bytes)
        .map_err(|e| if (bounds.stop)() { TextureError::Cancelled } else { failed(e) })?;
    Ok(bytes)
}

fn decode(bytes: &[u8], srgb: bool, bounds: &Bounds<'_>) -> Result<TextureData, TextureError> {
    if ktx::is_ktx2(bytes) {
        return read_ktx2(bytes, None, bounds);
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(TextureError::UnknownFormat),
    };
    let failed = |e: ImageError| {
        if (bounds.stop)() { TextureError::Cancelled } else { TextureError::Decode(e.to_string()) }
    };
    let input = Stoppable { inner: Cursor::new(bytes), stop: bounds.stop };
    let mut reader = ImageReader::with_format(input, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(bounds.max_bytes);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failed)?;
    let size = Size::new(decoder.dimensions().0, decoder.dimensions().1);
    // Said before time is spent on it.
    if size.width > bounds.max_side || size.height > bounds.max_side {
        return Err(TextureError::TooLarge { size, limit: bounds.max_side });
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?.into_rgba8().into_raw();
    TextureData::new(TextureFormat::Rgba8, srgb, size, vec![Arc::new(pixels)])
}

fn read_ktx2(bytes: &[u8], srgb: Option<bool>, bounds: &Bounds<'_>) -> Result<TextureData, TextureError> {
    let Bounds { compressed, max_side, max_bytes, stop } = *bounds;
    ktx::read(bytes, &Wants { compressed, srgb, max_side, max_bytes, stop })
}

/// Input that fails once it is to end, so that a decoder ends soon as well.
struct Stoppable<'a, R> {
    inner: R,
    stop: &'a dyn Fn() -> bool,
}

impl<R> Stoppable<'_, R> {
    fn check(&self) -> io::Result<()> {
        if (self.stop)() { Err(io::Error::other("cancelled")) } else { Ok(()) }
    }
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.read(into)
    }
}

impl<R: BufRead> BufRead for Stoppable<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

impl<R: Seek> Seek for Stoppable<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
