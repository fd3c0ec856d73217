//! Files that are read whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The whole of a plain file of at most `largest` bytes (a multiple of a MiB). Anything else is refused at once: a pipe would wait
/// for a writer, a device may have no end. `too_large` ends the sentence that says so.
pub fn read(path: &Path, largest: u64, too_large: &str) -> io::Result<Vec<u8>> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return refuse(if about.is_dir() { "it is a directory" } else { "it is no plain file" }.into());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    File::open(path)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return refuse(format!("it is larger than {} MiB, {too_large}", largest >> 20));
    }
    Ok(bytes)
}
