use std::fmt::Write as _;
use std::io::{self, Write};

use super::rows::{Row, Tid, What, rows};
use super::{Kind, Timeline, began};
use crate::stats::{FrameRecord, Stage};
use crate::time::{Timestamp, nanos};

/// What a timeline's file says that it is; it changes when a field changes its meaning or goes away.
pub const TIMELINE_SCHEMA: &str = "scanout.timeline/1";

/// There is one process.
const PID: u32 = 1;

impl Timeline {
    /// Writes the JSON that <https://ui.perfetto.dev> and `chrome://tracing` show (the "Trace Event Format"), one event per
    /// line. Times begin at 0 with the first event; `otherData` says where that lies on the monotonic clock. What lies
    /// before [`complete_from`](Self::complete_from) is left out, so that no track begins before another. Allocates; for
    /// the end of a run.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_chrome(&self, out: &mut impl Write) -> io::Result<()> {
        let from = self.complete_from();
        let rows = rows(self, from);
        let stamps = self.frames.iter().filter_map(began).filter(|at| *at >= from);
        let base = rows.iter().map(|row| row.at).chain(stamps).min().unwrap_or(from);
        let mut text = String::with_capacity(256);
        self.head(base, &mut text);
        for (tid, name) in Tid::named(self) {
            let _ = write!(text, "{{\"ph\":\"M\",\"pid\":{PID},\"tid\":{},\"name\":\"thread_name\",", tid.0);
            let _ = writeln!(text, "\"args\":{{\"name\":\"{name}\"}}}},");
            let _ = write!(
                text,
                "{{\"ph\":\"M\",\"pid\":{PID},\"tid\":{},\"name\":\"thread_sort_index\",",
                tid.0
            );
            let _ = writeln!(text, "\"args\":{{\"sort_index\":{}}}}},", tid.0);
        }
        let _ = write!(
            text,
            "{{\"ph\":\"M\",\"pid\":{PID},\"name\":\"process_name\",\"args\":{{\"name\":\"scanout\"}}}}"
        );
        out.write_all(text.as_bytes())?;
        for row in &rows {
            text.clear();
            text.push_str(",\n");
            line(row, base, &mut text);
            out.write_all(text.as_bytes())?;
        }
        out.write_all(b"\n]}\n")
    }

    fn head(&self, base: Timestamp, text: &mut String) {
        let _ = write!(text, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"schema\":\"{TIMELINE_SCHEMA}\"");
        let _ = write!(text, ",\"clock\":\"monotonic\",\"base_ns\":{}", base.as_nanos());
        let _ =
            write!(text, ",\"refresh_ns\":{},\"interval_ns\":{}", nanos(self.refresh), nanos(self.interval));
        let dropped: u64 = self.threads.iter().map(|track| track.pushed_out).sum();
        let _ = write!(text, ",\"warmup_frames\":{},\"events_dropped\":{dropped}", self.warmup);
        let _ = write!(text, ",\"frames_dropped\":{}", self.frames_pushed_out);
        let _ = write!(text, ",\"messages_dropped\":{}", self.messages_lost);
        for (key, value) in &self.about {
            text.push(',');
            quote(key, text);
            text.push(':');
            quote(value, text);
        }
        text.push_str("},\"traceEvents\":[\n");
    }
}

/// Microseconds with all three decimals.
fn micros(text: &mut String, key: &str, nanos: u64) {
    let _ = write!(text, ",\"{key}\":{}.{:03}", nanos / 1_000, nanos % 1_000);
}

fn since(at: Timestamp, base: Timestamp) -> u64 {
    nanos(at.saturating_since(base))
}

fn line(row: &Row<'_>, base: Timestamp, text: &mut String) {
    let (phase, name) = match row.what {
        What::Slice(event) => ("X", event.name),
        What::Stamped(name, _) => ("X", name),
        What::Instant(event) => ("i", event.name),
        What::Message(message) => ("i", message.text()),
        What::FrameBegin(_) => ("b", "frame"),
        What::FrameEnd(_) => ("e", "frame"),
        What::Flow('s', _) => ("s", "frame"),
        What::Flow('f', _) => ("f", "frame"),
        What::Flow(..) => ("t", "frame"),
        What::Counter(event) => ("C", event.name),
    };
    let _ = write!(text, "{{\"ph\":\"{phase}\",\"pid\":{PID},\"tid\":{},\"name\":", row.tid.0);
    quote(name, text);
    micros(text, "ts", since(row.at, base));
    match row.what {
        What::Slice(event) => {
            micros(text, "dur", since(row.end, row.at));
            let _ = write!(text, ",\"cat\":\"{}\",\"args\":{{\"frame\":{}", event.kind.name(), event.frame);
            if event.value > 0 {
                let key = match event.kind {
                    Kind::Upload => "bytes",
                    Kind::Sleep => "late_ns",
                    Kind::Logic | Kind::Render | Kind::Swap => "ran_ns",
                    _ => "value",
                };
                let _ = write!(text, ",\"{key}\":{}", event.value);
            }
            if event.kind == Kind::Gpu {
                // In two lanes a pass may be shown shorter than it was.
                let _ = write!(text, ",\"begin_ns\":{}", event.start.signed_since(base));
                let _ = write!(text, ",\"end_ns\":{}", event.end.signed_since(base));
            }
            if event.delay > 0 {
                let _ = write!(text, ",\"run_delay_ns\":{}", event.delay);
            }
            text.push_str("}}");
        }
        What::Stamped(_, record) => {
            micros(text, "dur", since(row.end, row.at));
            let _ = write!(text, ",\"cat\":\"stamps\",\"args\":{{\"frame\":{}}}}}", record.id);
        }
        What::Instant(event) if event.kind == Kind::Plan => {
            let _ = write!(text, ",\"s\":\"t\",\"cat\":\"plan\",\"args\":{{\"plan\":{}", event.frame);
            let _ = write!(text, ",\"wake_ns\":{}", since(event.end, base));
            if event.value > 0 {
                let _ = write!(text, ",\"target_ns\":{}", since(Timestamp::from_nanos(event.value), base));
            }
            let _ = write!(text, ",\"budget_ns\":{}}}}}", event.delay);
        }
        What::Instant(event) => {
            let _ = write!(text, ",\"s\":\"p\",\"cat\":\"{}\"", event.kind.name());
            let _ = write!(text, ",\"args\":{{\"sequence\":{}}}}}", event.value);
        }
        What::Message(m) => {
            let _ =
                write!(text, ",\"s\":\"p\",\"cat\":\"driver\",\"args\":{{\"source\":\"{}\"", m.source_name());
            let _ = write!(text, ",\"type\":\"{}\",\"id\":{}", m.kind_name(), m.id);
            let _ = write!(text, ",\"severity\":\"{}\"}}}}", m.severity_name());
        }
        What::FrameBegin(record) => {
            let _ = write!(text, ",\"cat\":\"frame\",\"id2\":{{\"local\":{}}},\"args\":", record.id);
            frame(record, base, text);
            text.push('}');
        }
        What::FrameEnd(record) => {
            let _ = write!(text, ",\"cat\":\"frame\",\"id2\":{{\"local\":{}}}}}", record.id);
        }
        What::Flow(phase, id) => {
            let bound = if phase == 'f' { ",\"bp\":\"e\"" } else { "" };
            let _ = write!(text, ",\"cat\":\"flow\",\"id\":{id}{bound}}}");
        }
        What::Counter(event) => {
            let _ = write!(text, ",\"cat\":\"{}\",\"id\":{},", event.kind.name(), event.frame);
            let _ = write!(text, "\"args\":{{\"vertices\":{},\"fragments\":{}}}}}", event.value, event.delay);
        }
    }
}

/// All that is known of a frame, so that what reads the file knows as much as we do.
fn frame(record: &FrameRecord, base: Timestamp, text: &mut String) {
    let _ = write!(text, "{{\"frame\":{},\"snapshot\":{}", record.id, record.snapshot);
    for stage in Stage::ALL {
        if let Some(at) = record.at(stage) {
            let _ = write!(text, ",\"{}_ns\":{}", stage.name(), at.signed_since(base));
        }
    }
    for (key, at) in [("planned", record.planned), ("swap_at", record.swap_at), ("target", record.target)] {
        if let Some(at) = at {
            let _ = write!(text, ",\"{key}_ns\":{}", at.signed_since(base));
        }
    }
    for (key, is) in [
        ("repeated", record.repeated),
        ("stale", record.stale),
        ("dropped", record.dropped),
        ("after_idle", record.after_idle),
        ("apart", record.apart),
    ] {
        if is {
            let _ = write!(text, ",\"{key}\":true");
        }
    }
    if let Some(queued) = record.queued {
        let _ = write!(text, ",\"queued\":{queued}");
    }
    let _ = write!(text, ",\"origin\":\"{}\"}}", record.origin);
}

/// `value` as a JSON string.
fn quote(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
