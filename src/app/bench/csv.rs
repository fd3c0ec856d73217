//! Frames as rows with PresentMon's column names, for the programs that read its files: docs/bench-csv.md.
//!
//! Names, order and units are those that PresentMon's console application 2.4 writes by default, with `FrameType`; columns
//! that others may look for (2.0 to 2.3 had them), and ours, stand behind them.

use std::path::Path;

use scanout::Error;
use scanout::stats::{FrameRow, Stage};

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
/// What was not measured.
const NA: &str = "NA";

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

/// What a row is computed from beside its own stamps.
struct Before<'a> {
    /// Where the file's times begin.
    began: u64,
    first_animation: u64,
    /// The frame before, displayed or not.
    presented: Option<&'a FrameRow>,
    /// The frame displayed before.
    displayed: Option<&'a FrameRow>,
    /// The earliest input of frames that were dropped since.
    carried: Option<u64>,
}

/// When a frame was displayed.
fn shown(row: &FrameRow) -> Option<u64> {
    row.presented.filter(|_| !row.dropped)
}

/// Nanoseconds between two stamps.
fn since(from: Option<u64>, to: Option<u64>) -> Option<i64> {
    Some(to?.cast_signed().wrapping_sub(from?.cast_signed()))
}

fn ms(nanos: Option<i64>) -> String {
    nanos.map_or(NA.to_owned(), |n| format!("{:.6}", n as f64 / 1e6))
}

impl<'a> Before<'a> {
    fn new(rows: &'a [FrameRow]) -> Self {
        let stamps = |row: &FrameRow| Stage::ALL.into_iter().filter_map(|s| row.at(s)).min();
        Self {
            began: rows.iter().filter_map(stamps).min().unwrap_or(0),
            first_animation: rows.first().map_or(0, |row| row.animation_time),
            presented: None,
            displayed: None,
            carried: None,
        }
    }

    /// The cells of a row. `next`: when the next frame was displayed.
    fn cells(&self, run: &Frames<'_>, index: usize, row: &FrameRow, next: Option<u64>) -> [String; 36] {
        let (presented, displayed) = (self.presented, self.displayed);
        let seconds = |at: Option<u64>| {
            since(Some(self.began), at).map_or(NA.to_owned(), |n| format!("{:.9}", n as f64 / 1e9))
        };
        let na = || NA.to_owned();
        // PresentMon lets a frame begin where the present of the one before returned.
        let start = presented.and_then(|p| p.swap_end);
        let input = row.input_received.into_iter().chain(self.carried).min();
        let to_photon = ms(since(input, shown(row)));
        let simulated = presented.filter(|_| !row.repeated).and_then(|p| p.input_sampled);
        [
            "scanout".to_owned(),
            run.process.map_or(na(), |id| id.to_string()),
            format!("{:#x}", index + 1),
            "Other".to_owned(),
            na(),
            na(),
            na(),
            "Other".to_owned(),
            "Application".to_owned(),
            seconds(row.swap_begin),
            ms(since(simulated, row.input_sampled)),
            ms(since(presented.and_then(|p| p.swap_begin), row.swap_begin)),
            ms(since(displayed.and_then(shown), shown(row))),
            ms(since(row.swap_begin, row.swap_end)),
            ms(since(row.swap_begin, row.gpu_done)),
            ms(since(row.swap_begin, shown(row))),
            seconds(start),
            ms(since(start, row.swap_end)),
            ms(since(start, row.swap_begin)),
            ms(since(row.swap_begin, row.swap_end)),
            na(),
            na(),
            na(),
            na(),
            ms(self.animation_error(row)),
            ms(since(Some(self.first_animation), Some(row.animation_time))),
            na(),
            to_photon.clone(),
            to_photon,
            ms(since(start, shown(row))),
            ms(since(shown(row), next)),
            row.id.to_string(),
            ms(if row.repeated { None } else { since(row.input_sampled, shown(row)) }),
            if row.origin.is_empty() { na() } else { row.origin.clone() },
            u8::from(row.dropped).to_string(),
            run.scenario.to_owned(),
        ]
    }

    /// The animation's step less the display's. A frame that nothing had asked for a while, or that was drawn again for the
    /// window's sake, made no step.
    fn animation_error(&self, row: &FrameRow) -> Option<i64> {
        let before = self.displayed?;
        if row.after_idle || (row.repeated && !row.stale) {
            return None;
        }
        let step = since(Some(before.animation_time), Some(row.animation_time))?;
        Some(step.wrapping_sub(since(shown(before), shown(row))?))
    }

    fn pass(&mut self, row: &'a FrameRow) {
        self.presented = Some(row);
        if shown(row).is_some() {
            (self.displayed, self.carried) = (Some(row), None);
        } else {
            self.carried = self.carried.into_iter().chain(row.input_received).min();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::made_up;
    use std::collections::HashMap;

    type Row = HashMap<String, String>;

    fn rows(runs: &[Frames<'_>]) -> Vec<Row> {
        let text = to_csv(runs).unwrap();
        csv::Reader::from_reader(&text[..]).deserialize().collect::<Result<_, _>>().unwrap()
    }

    fn number(row: &Row, column: &str) -> Option<f64> {
        match row[column].as_str() {
            NA => None,
            text => Some(text.parse().unwrap_or_else(|_| panic!("{column}: {text}"))),
        }
    }

    /// Three frames and a dropped one, by hand: times in milliseconds.
    fn worked() -> Vec<FrameRow> {
        let ns = |ms: u64| Some(ms * 1_000_000);
        let row = |id, smp, sub, end, gpu, disp, sim: u64| FrameRow {
            id,
            input_sampled: ns(smp),
            swap_begin: ns(sub),
            swap_end: ns(end),
            gpu_done: ns(gpu),
            presented: disp,
            animation_time: sim * 1_000_000,
            origin: "hardware".into(),
            ..FrameRow::default()
        };
        let mut frames = vec![
            row(1, 100, 104, 105, 107, ns(116), 10),
            row(2, 116, 121, 123, 122, None, 26),
            row(3, 132, 136, 137, 141, ns(150), 42),
            row(4, 150, 153, 156, 152, ns(166), 60),
        ];
        frames[1].dropped = true;
        frames[1].input_received = ns(113);
        frames[2].input_received = ns(130);
        frames
    }

    #[test]
    fn columns_hold_what_the_formulas_say() {
        let frames = worked();
        let rows = rows(&[Frames { scenario: "a, \"b\"", process: Some(7), rows: &frames }]);
        for (column, want) in [
            ("MsBetweenPresents", [None, Some(17.0), Some(15.0), Some(17.0)]),
            ("MsInPresentAPI", [Some(1.0), Some(2.0), Some(1.0), Some(3.0)]),
            ("MsUntilDisplayed", [Some(12.0), None, Some(14.0), Some(13.0)]),
            ("MsBetweenDisplayChange", [None, None, Some(34.0), Some(16.0)]),
            ("DisplayedTime", [Some(34.0), None, Some(16.0), None]),
            ("DisplayLatency", [None, None, Some(27.0), Some(29.0)]),
            // The GPU may be done before the swap.
            ("MsRenderPresentLatency", [Some(3.0), Some(1.0), Some(5.0), Some(-1.0)]),
            // 42 - 10 - (150 - 116), and 60 - 42 - (166 - 150).
            ("MsAnimationError", [None, None, Some(-2.0), Some(2.0)]),
            ("AnimationTime", [Some(0.0), Some(16.0), Some(32.0), Some(50.0)]),
            // The dropped frame's input is earlier and shows with the next frame.
            ("MsAllInputToPhotonLatency", [None, None, Some(37.0), None]),
            ("MsClickToPhotonLatency", [None, None, Some(37.0), None]),
            ("MsSampleToPhotonLatency", [Some(16.0), None, Some(18.0), Some(16.0)]),
            ("MsBetweenSimulationStart", [None, Some(16.0), Some(16.0), Some(18.0)]),
            ("MsCPUBusy", [None, Some(16.0), Some(13.0), Some(16.0)]),
            ("MsCPUWait", [Some(1.0), Some(2.0), Some(1.0), Some(3.0)]),
            ("MsBetweenAppStart", [None, Some(18.0), Some(14.0), Some(19.0)]),
            ("TimeInSeconds", [Some(0.004), Some(0.021), Some(0.036), Some(0.053)]),
            ("CPUStartTimeInSeconds", [None, Some(0.005), Some(0.023), Some(0.037)]),
            ("MsGPUTime", [None; 4]),
            ("ProcessID", [Some(7.0); 4]),
            ("Dropped", [Some(0.0), Some(1.0), Some(0.0), Some(0.0)]),
        ] {
            let got: Vec<Option<f64>> = rows.iter().map(|row| number(row, column)).collect();
            assert_eq!(got, want, "{column}");
        }
        assert!(rows.iter().all(|row| row["Scenario"] == "a, \"b\"" && row["Application"] == "scanout"));
    }

    #[test]
    fn the_header_is_presentmons_with_ours_behind() {
        let text = String::from_utf8(to_csv(&[]).unwrap()).unwrap();
        assert!(text.starts_with("Application,ProcessID,SwapChainAddress,PresentRuntime,SyncInterval,PresentFlags,AllowsTearing,PresentMode,FrameType,TimeInSeconds,MsBetweenSimulationStart,MsBetweenPresents,MsBetweenDisplayChange,MsInPresentAPI,MsRenderPresentLatency,MsUntilDisplayed,CPUStartTimeInSeconds,MsBetweenAppStart,MsCPUBusy,MsCPUWait,MsGPULatency,MsGPUTime,MsGPUBusy,MsGPUWait,MsAnimationError,AnimationTime,MsFlipDelay,MsAllInputToPhotonLatency,MsClickToPhotonLatency,"));
        assert_eq!(text.lines().count(), 1);
    }

    /// What the recorder's metrics say of the same frames.
    #[test]
    fn the_rows_of_a_result_agree_with_its_samples() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let result = made_up::result(4, 0.0);
        write(&path, &result).unwrap();
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        let scenario = &result.scenarios[0];
        assert_eq!(rows.len(), scenario.strip.len());
        for (column, metric) in [
            ("MsUntilDisplayed", "MsUntilDisplayed"),
            ("MsBetweenDisplayChange", "MsBetweenDisplayChange"),
            ("MsSampleToPhotonLatency", "SampleToPhoton"),
        ] {
            let got: Vec<f64> = rows.iter().filter_map(|row| number(row, column)).collect();
            assert_eq!(got, scenario.samples[metric].ms, "{column}");
        }
        assert!(rows.iter().all(|row| row["SwapChainAddress"] == "0x1" && row["ProcessID"] == NA));
    }

    #[test]
    fn frames_without_stamps_are_written_as_not_measured() {
        let rows = rows(&[Frames { scenario: "none", process: None, rows: &[FrameRow::default()] }]);
        assert_eq!(rows[0]["MsBetweenPresents"], NA);
        assert_eq!(rows[0]["TimeInSeconds"], NA);
        assert_eq!(rows[0]["DisplayOrigin"], NA);
    }

    #[test]
    fn stamps_that_cannot_be_make_no_panic() {
        let row =
            |ns| FrameRow { swap_begin: Some(ns), presented: Some(u64::MAX - ns), ..FrameRow::default() };
        let frames = [row(u64::MAX), row(0), row(u64::MAX)];
        assert_eq!(rows(&[Frames { scenario: "x", process: None, rows: &frames }]).len(), 3);
    }
}
