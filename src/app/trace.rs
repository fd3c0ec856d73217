//! Traces of real runs as files.

use std::io;
use std::path::Path;
use std::time::Duration;

use scanout::stats::{TRACE_SCHEMA, Trace};
use scanout::{Error, Summary};

use super::{Failure, output, plain_file};

/// More than any trace has: those that are written here end at some 20 MB.
const LARGEST: u64 = 64 << 20;

/// Writes what the run kept, and returns a line that says so.
pub fn write(path: &Path, summary: &Summary) -> Result<String, Error> {
    let refresh = summary.target.refresh_hz.map_or(Duration::ZERO, |hz| Duration::from_secs_f64(1.0 / hz));
    let Some(kept) = summary.stats.trace(refresh) else { return Ok(String::new()) };
    let trace = Trace {
        refresh_hz: summary.target.refresh_hz,
        measured_hz: summary.target.measured_hz,
        pacing: summary.measured_pacing().to_string(),
        source: summary.target.source.clone(),
        ..kept
    };
    let mut text = serde_json::to_vec(&trace).expect("plain data");
    text.push(b'\n');
    output::write(path, &text)?;
    Ok(format!("recording: {} ({} frames)\n", path.display(), trace.frames.len()))
}

/// Reads a trace, or says in one line why it is none.
pub fn read(path: &Path) -> Result<Trace, Failure> {
    let text = plain_file::read(path, LARGEST, "which no trace is")
        .map_err(|source| Error::Io { path: path.to_owned(), action: "read", source })
        .map_err(|e| Failure::unusable(&e))?;
    let bad = |why: String| {
        let source = io::Error::new(io::ErrorKind::InvalidData, why);
        Failure::unusable(&Error::Io { path: path.to_owned(), action: "read", source })
    };
    let trace: Trace = serde_json::from_slice(&text).map_err(|e| {
        if e.is_eof() {
            bad("the trace is cut off".into())
        } else {
            bad(format!("it is no {TRACE_SCHEMA}: {e}"))
        }
    })?;
    trace.check().map_err(|e| bad(e.to_string()))?;
    Ok(trace)
}
