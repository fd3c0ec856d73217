//! Every frame as a line of a file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use scanout::Error;
use scanout::stats::{FrameRecord, FrameRow};

use super::super::{Failure, output};

/// A file with the columns of [`FrameRow`].
pub struct FrameCsv {
    path: PathBuf,
    out: csv::Writer<BufWriter<File>>,
}

impl FrameCsv {
    /// Begins the file anew.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        output::check(path)?;
        let file = File::create(path).map_err(|source| Failure::unusable(&failed(path, source)))?;
        Ok(Self { path: path.to_owned(), out: csv::Writer::from_writer(BufWriter::new(file)) })
    }

    pub fn push(&mut self, record: &FrameRecord) -> Result<(), Error> {
        self.out.serialize(FrameRow::from(record)).map_err(|e| {
            let source = match e.into_kind() {
                csv::ErrorKind::Io(source) => source,
                other => std::io::Error::other(format!("{other:?}")),
            };
            failed(&self.path, source)
        })
    }

    /// What was pushed is in the file.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(|source| failed(&self.path, source))
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), action: "write", source }
}
