//! From a file to what verdicts are made of. The file is read in passing: what no verdict needs is never in memory.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use scanout::Error;
use scanout::stats::FrameRecord;
use scanout::timeline::TIMELINE_SCHEMA;
use serde::de::{DeserializeSeed as _, IgnoredAny, MapAccess};

use super::doubled;
use super::scan::{Kept, Raw, Scan};
use super::value::{Each, Fields, Object, Value, Word};
use crate::app::{Failure, plain_file};

/// A timeline with every ring full has about 100 MB.
const LARGEST: u64 = 1 << 30;
/// Bytes that are read at once.
const READ_AT_ONCE: usize = 1 << 18;
/// No display refreshes more seldom, in nanoseconds: by half a refresh is told what is late.
const LONGEST_REFRESH: u64 = 1_000_000_000;
/// Nobody asks for fewer frames than one in this time.
const LONGEST_INTERVAL: u64 = 3_600_000_000_000;

/// What a file says.
pub struct Trace {
    pub about: About,
    /// In their order.
    pub frames: Vec<FrameRecord>,
    pub kept: Kept,
}

/// What it says of the run as a whole.
#[derive(Debug, Default)]
pub struct About {
    pub refresh: Duration,
    pub interval: Duration,
    pub warmup: u64,
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Head {
    schema: Word,
    refresh: Value,
    interval: Value,
    warmup: Value,
    dropped: Value,
}

impl Fields for Head {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let into = match key {
            "schema" => {
                self.schema = map.next_value()?;
                return Ok(());
            }
            "refresh_ns" => &mut self.refresh,
            "interval_ns" => &mut self.interval,
            "warmup_frames" => &mut self.warmup,
            "events_dropped" => &mut self.dropped,
            _ => return map.next_value::<IgnoredAny>().map(|_| ()),
        };
        *into = map.next_value()?;
        Ok(())
    }
}

/// The file as a whole.
#[derive(Debug, Default)]
struct Document {
    head: Head,
    scan: Scan,
    listed: bool,
}

impl Fields for Document {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "otherData" => {
                self.head = Head::default();
                map.next_value_seed(Object(&mut self.head))?;
            }
            "traceEvents" => {
                let scan = &mut self.scan;
                *scan = Scan::default();
                self.listed =
                    map.next_value_seed(Each(&mut Raw::default(), |raw: &mut Raw, _| scan.take(raw)))?;
            }
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

/// Reads a timeline, or says in one line why it is none, or none that can be trusted.
pub fn read(path: &Path) -> Result<Trace, Failure> {
    let failed = |source| Failure::unusable(&Error::Io { path: path.to_owned(), action: "read", source });
    let bad = |why: String| failed(io::Error::new(io::ErrorKind::InvalidData, why));
    let file = plain_file::open(path, LARGEST, "which no timeline of ours is").map_err(failed)?;
    let mut file = BufReader::with_capacity(READ_AT_ONCE, file);
    if file.fill_buf().map_err(failed)?.starts_with(b"PUF0") {
        return Err(bad(
            "it is a puffin file, which has no figures of frames: ask for --trace FILE.json".into()
        ));
    }
    let document = document(file).map_err(|e| {
        if e.is_eof() {
            bad("the timeline is cut off".into())
        } else {
            bad(format!("it is no {TIMELINE_SCHEMA}: {e}"))
        }
    })?;
    let Document { head, scan: Scan { mut frames, kept, absurd, .. }, .. } =
        document.filter(|d| d.listed && d.head.schema.as_str() == TIMELINE_SCHEMA).ok_or_else(|| {
            bad(format!("it is no {TIMELINE_SCHEMA}; `scanout run --trace FILE.json` writes one"))
        })?;
    let altered = |what: String| bad(format!("{what}; the file is not as it was written"));
    let about = about(&head).map_err(|field| altered(format!("its `{field}` cannot be")))?;
    if let Some(absurd) = absurd {
        return Err(altered(format!("`{}` of event {} cannot be", absurd.field, absurd.event)));
    }
    frames.sort_by_key(|record| record.id);
    if let Some(id) = doubled::frame(&frames) {
        return Err(altered(format!("frame {id} is in it twice")));
    }
    if let Some((kind, frame)) = doubled::event(&kept) {
        return Err(altered(format!("`{}` of frame {frame} is in it twice", kind.name())));
    }
    Ok(Trace { about, frames, kept })
}

/// `None`: it is some other JSON.
fn document(file: impl io::Read) -> serde_json::Result<Option<Document>> {
    let mut document = Document::default();
    let mut json = serde_json::Deserializer::from_reader(file);
    let is_object = Object(&mut document).deserialize(&mut json)?;
    json.end()?;
    Ok(is_object.then_some(document))
}

fn about(head: &Head) -> Result<About, &'static str> {
    let count = |value: Value, field| {
        if value.is_absent() { Ok(0) } else { value.unsigned().ok_or(field) }
    };
    let span = |value, field, longest| {
        let nanos = count(value, field)?;
        if nanos <= longest { Ok(Duration::from_nanos(nanos)) } else { Err(field) }
    };
    Ok(About {
        refresh: span(head.refresh, "refresh_ns", LONGEST_REFRESH)?,
        interval: span(head.interval, "interval_ns", LONGEST_INTERVAL)?,
        warmup: count(head.warmup, "warmup_frames")?,
        dropped: count(head.dropped, "events_dropped")?,
    })
}
