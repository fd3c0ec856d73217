//! Files of somebody else.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The whole of a plain file of at most `largest` bytes (a multiple of a MiB). Anything else is refused at once: a pipe would wait
/// for a writer, a device may have no end. `too_large` ends the sentence that says so.
pub fn read(path: &Path, largest: u64, too_large: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, largest, too_large)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same to be read in passing.
pub fn open(path: &Path, largest: u64, too_large: &str) -> io::Result<impl Read> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return refuse(if about.is_dir() { "it is a directory" } else { "it is no plain file" }.into());
    }
    let why = format!("it is larger than {} MiB, {too_large}", largest >> 20);
    Ok(Limited { file: File::open(path)?, left: largest, why })
}

/// A file that fails where it goes on beyond its limit: it may grow while it is read.
struct Limited {
    file: File,
    left: u64,
    why: String,
}

impl Read for Limited {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, self.why.clone()));
        };
        self.left = left;
        Ok(read)
    }
}
