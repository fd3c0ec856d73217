//! Timelines of runs as files.

use std::path::Path;

use scanout::Error;
use scanout::timeline::Timeline;

use super::output;

/// Writes a timeline in the form that the file's name asks for, and returns a line that says so.
pub fn write(path: &Path, timeline: &Timeline) -> Result<String, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), action: "write", source };
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|e| e == "puffin") {
        super::puffin_file::write(timeline, &mut bytes).map_err(failed)?;
    } else {
        timeline.write_chrome(&mut bytes).map_err(failed)?;
    }
    output::write(path, &bytes)?;
    let dropped: u64 = timeline.threads.iter().map(|t| t.pushed_out).sum();
    let kept: usize = timeline.threads.iter().map(|t| t.events.len()).sum();
    let older = if dropped > 0 { format!(", {dropped} older ones dropped") } else { String::new() };
    Ok(format!("timeline: {} ({kept} events{older})\n", path.display()))
}
