//! Files that a run leaves behind.

use std::fs;
use std::io;
use std::path::Path;

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

use scanout::Error;
use scanout::runtime::Pixels;

/// Says early, before a run whose result would be lost, that a file cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    let fail = |source| Error::Io { path: path.to_owned(), action: "write", source };
    if path.is_dir() {
        return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::metadata(folder).map_err(fail).and_then(|m| {
        if m.is_dir() { Ok(()) } else { Err(fail(io::Error::from(io::ErrorKind::NotADirectory))) }
    })
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |source| Error::Io { path: path.to_owned(), action: "write", source };
    // A device or a pipe is written to, not replaced.
    if path.exists() && !path.is_file() {
        return fs::write(path, bytes).map_err(fail);
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(|e| {
        let _ = fs::remove_file(&part);
        fail(e)
    })
}

/// A picture as PNG, without its alpha: what is on a screen is opaque.
pub fn png(pixels: &Pixels) -> Result<Vec<u8>, Error> {
    let rgb: Vec<u8> = pixels.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&rgb, pixels.size.width, pixels.size.height, ExtendedColorType::Rgb8)
        .map_err(|e| Error::Gl { operation: "encoding the picture", detail: e.to_string() })?;
    Ok(bytes)
}
