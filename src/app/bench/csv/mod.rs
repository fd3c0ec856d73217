//! Frames as rows with PresentMon's column names, for the programs that read its files: docs/bench-csv.md.
//!
//! Names, order and units are those that PresentMon's console application 2.4 writes by default, with `FrameType`; columns
//! that others may look for (2.0 to 2.3 had them), and ours, stand behind them.

mod row;

use std::path::Path;

use scanout::Error;
use scanout::stats::FrameRow;

use self::row::{Before, shown};
use super::result::BenchResult;
use crate::app::{Failure, output};

/// The columns, in their order.
pub const COLUMNS: [&str; 36] = [
    "Application",
    "ProcessID",
    "SwapChainAddress",
    "PresentRuntime",
    "SyncInterval",
    "PresentFlags",
    "AllowsTearing",
    "PresentMode",
    "FrameType",
    "TimeInSeconds",
    "MsBetweenSimulationStart",
    "MsBetweenPresents",
    "MsBetweenDisplayChange",
    "MsInPresentAPI",
    "MsRenderPresentLatency",
    "MsUntilDisplayed",
    "CPUStartTimeInSeconds",
    "MsBetweenAppStart",
    "MsCPUBusy",
    "MsCPUWait",
    "MsGPULatency",
    "MsGPUTime",
    "MsGPUBusy",
    "MsGPUWait",
    "MsAnimationError",
    "AnimationTime",
    "MsFlipDelay",
    "MsAllInputToPhotonLatency",
    "MsClickToPhotonLatency",
    // PresentMon 2.0 to 2.3, and its --write_frame_id.
    "DisplayLatency",
    "DisplayedTime",
    "FrameId",
    // Ours.
    "MsSampleToPhotonLatency",
    "DisplayOrigin",
    "Dropped",
    "Scenario",
];

/// The frames of one run.
#[derive(Copy, Clone, Debug)]
pub struct Frames<'a> {
    /// What it is called.
    pub scenario: &'a str,
    /// The process that drew them, where it is known.
    pub process: Option<u32>,
    /// Oldest first.
    pub rows: &'a [FrameRow],
}

/// Writes the newest frames of each scenario that has any.
///
/// # Errors
/// [`Failure::Run`] where the file cannot be written.
pub fn write(path: &Path, result: &BenchResult) -> Result<(), Failure> {
    let runs: Vec<Frames<'_>> = result
        .scenarios
        .iter()
        .filter(|s| !s.strip.is_empty())
        .map(|s| Frames { scenario: &s.name, process: None, rows: &s.strip })
        .collect();
    write_frames(path, &runs)
}

/// Writes the frames of some runs, one after the other. Each counts as a swap chain of its own, as programs that read such
/// files expect it of what does not belong together.
///
/// # Errors
/// [`Failure::Run`] where the file cannot be written.
pub fn write_frames(path: &Path, runs: &[Frames<'_>]) -> Result<(), Failure> {
    let text = to_csv(runs).map_err(|e| {
        let source = std::io::Error::other(e.to_string());
        Failure::Run(Error::Io { path: path.to_owned(), action: "write", source })
    })?;
    Ok(output::write(path, &text)?)
}

fn to_csv(runs: &[Frames<'_>]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    for (index, run) in runs.iter().enumerate() {
        let mut before = Before::new(run.rows);
        for (i, row) in run.rows.iter().enumerate() {
            let next = run.rows[i + 1..].iter().find_map(shown);
            let cells = before.cells(run, index, row, next);
            out.write_record(&cells)?;
            before.pass(row);
        }
    }
    out.into_inner().map_err(|e| e.into_error().into())
}

#[cfg(test)]
mod tests;
