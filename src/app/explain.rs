//! `scanout explain`.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use scanout::Error;
use scanout::pacing::FrameId;
use scanout::stats::{FrameRecord, Stage};
use scanout::time::Timestamp;
use scanout::timeline::explain::{Observed, explain};
use scanout::timeline::{Event, Kind, TIMELINE_SCHEMA};

use super::cli::ExplainArgs;
use super::{Failure, output, plain_file};

/// Where the file's times begin on the clock that is worked with: stamps may lie before the first event.
const BASE: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000_000);
/// Times further from the beginning than these, in nanoseconds, are nobody's: three years.
const FARTHEST: i64 = 100_000_000_000_000_000;

pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let document = read(&args.file)?;
    let frames = frames(&document);
    let events = events(&document);
    let about = &document["otherData"];
    let span = |key: &str| Duration::from_nanos(about[key].as_u64().unwrap_or(0));
    let explanation = explain(&Observed {
        refresh: span("refresh_ns"),
        interval: span("interval_ns"),
        warmup: about["warmup_frames"].as_u64().unwrap_or(0),
        frames: &frames,
        events: &events,
    });
    let mut text = explanation.lines(args.frames).join("\n");
    text.push('\n');
    if let Some(dropped) = about["events_dropped"].as_u64().filter(|n| *n > 0) {
        text.push_str(&format!("the file has the end of the run: {dropped} older events were dropped\n"));
    }
    output::print(&text).map_err(Failure::from)
}

/// A timeline with every ring full has about 100 MB.
const LARGEST: u64 = 1 << 30;

/// Reads a timeline, or says in one line why it is none.
fn read(path: &Path) -> Result<Value, Failure> {
    let failed = |source| Failure::Run(Error::Io { path: path.to_owned(), action: "read", source });
    let bad = |why: String| failed(io::Error::new(io::ErrorKind::InvalidData, why));
    let text = plain_file::read(path, LARGEST, "which no timeline of ours is").map_err(failed)?;
    if text.starts_with(b"PUF0") {
        return Err(bad(
            "it is a puffin file, which has no figures of frames: ask for --trace FILE.json".into()
        ));
    }
    let document: Value = serde_json::from_slice(&text).map_err(|e| {
        if e.is_eof() {
            bad("the timeline is cut off".into())
        } else {
            bad(format!("it is no {TIMELINE_SCHEMA}: {e}"))
        }
    })?;
    if document["otherData"]["schema"] != TIMELINE_SCHEMA || !document["traceEvents"].is_array() {
        return Err(bad(format!("it is no {TIMELINE_SCHEMA}; `scanout run --trace FILE.json` writes one")));
    }
    Ok(document)
}

fn list(document: &Value) -> impl Iterator<Item = &Value> {
    document["traceEvents"].as_array().into_iter().flatten()
}

/// A time in nanoseconds since the file's beginning.
fn at(value: &Value) -> Option<Timestamp> {
    value.as_i64().filter(|n| n.abs() < FARTHEST).map(|n| BASE.offset(n))
}

/// A time, or a length, in microseconds.
fn micros(value: &Value) -> Option<i64> {
    let nanos = (value.as_f64()? * 1e3).round();
    (nanos.abs() < FARTHEST as f64).then_some(nanos as i64)
}

fn frames(document: &Value) -> Vec<FrameRecord> {
    let mut frames: Vec<FrameRecord> = list(document)
        .filter(|event| event["ph"] == "b" && event["cat"] == "frame")
        .filter_map(|event| {
            let args = &event["args"];
            let time = |key: &str| at(&args[format!("{key}_ns")]);
            let is = |key: &str| args[key].as_bool().unwrap_or(false);
            let mut record = FrameRecord::new(FrameId(args["frame"].as_u64()?));
            record.snapshot = args["snapshot"].as_u64().unwrap_or(0);
            Stage::ALL.iter().for_each(|stage| record.set(*stage, time(stage.name())));
            (record.planned, record.swap_at, record.target) =
                (time("planned"), time("swap_at"), time("target"));
            (record.repeated, record.stale) = (is("repeated"), is("stale"));
            (record.dropped, record.after_idle) = (is("dropped"), is("after_idle"));
            Some(record)
        })
        .collect();
    frames.sort_by_key(|record| record.id);
    frames
}

fn events(document: &Value) -> Vec<Event<'_>> {
    list(document).filter_map(event).collect()
}

fn event(event: &Value) -> Option<Event<'_>> {
    let kind = Kind::from_name(event["cat"].as_str()?)?;
    let args = &event["args"];
    let number = |key: &str| args[key].as_u64().unwrap_or(0);
    let start = at(&args["begin_ns"]).or_else(|| Some(BASE.offset(micros(&event["ts"])?)))?;
    let end = match at(&args["end_ns"]) {
        Some(end) => end,
        None => start.offset(micros(&event["dur"]).unwrap_or(0).max(0)),
    };
    let (value, delay) = match kind {
        Kind::Sleep => (number("late_ns"), 0),
        Kind::Logic | Kind::Render | Kind::Swap => (number("ran_ns"), number("run_delay_ns")),
        Kind::Invocations => (number("vertices"), number("fragments")),
        Kind::Upload => (number("bytes"), 0),
        _ => (0, 0),
    };
    let frame = args["frame"].as_u64().or(event["id"].as_u64()).unwrap_or(0);
    Some(Event { value, delay, ..Event::new(kind, event["name"].as_str()?, frame, start, end) })
}
