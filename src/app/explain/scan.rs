//! What verdicts need of a timeline, event by event.

use std::collections::HashMap;
use std::rc::Rc;

use scanout::pacing::{FrameId, Origin};
use scanout::stats::{FrameRecord, Stage};
use scanout::time::Timestamp;
use scanout::timeline::{Event, Kind};
use serde::de::{IgnoredAny, MapAccess};

use super::value::{Fields, Into, Object, Value, Word};

/// Where the file's times begin on the clock that is worked with: stamps may lie before the first event.
const BASE: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000_000);
/// Times further from the beginning than these, in nanoseconds, are nobody's: three years.
const FARTHEST: i64 = 100_000_000_000_000_000;
/// The stamps of one frame lie nearer to each other than this, in nanoseconds: a day.
const LONGEST_FRAME: i64 = 86_400_000_000_000;

/// The names of a frame's times beside its stages', in the order of [`Args::plan`].
const PLAN: [&str; 3] = ["planned_ns", "swap_at_ns", "target_ns"];

/// What goes with an event.
#[derive(Copy, Clone, Debug, Default)]
struct Args {
    frame: Value,
    snapshot: Value,
    stages: [Value; Stage::COUNT],
    plan: [Value; 3],
    repeated: Value,
    stale: Value,
    dropped: Value,
    after_idle: Value,
    apart: Value,
    origin: Value,
    begin: Value,
    end: Value,
    late: Value,
    ran: Value,
    run_delay: Value,
    vertices: Value,
    fragments: Value,
    bytes: Value,
}

impl Fields for Args {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let stage = || {
            let name = key.strip_suffix("_ns")?;
            Stage::ALL.iter().position(|stage| stage.name() == name)
        };
        let into = match key {
            "origin" => &mut self.origin,
            "frame" => &mut self.frame,
            "snapshot" => &mut self.snapshot,
            "repeated" => &mut self.repeated,
            "stale" => &mut self.stale,
            "dropped" => &mut self.dropped,
            "after_idle" => &mut self.after_idle,
            "apart" => &mut self.apart,
            "begin_ns" => &mut self.begin,
            "end_ns" => &mut self.end,
            "late_ns" => &mut self.late,
            "ran_ns" => &mut self.ran,
            "run_delay_ns" => &mut self.run_delay,
            "vertices" => &mut self.vertices,
            "fragments" => &mut self.fragments,
            "bytes" => &mut self.bytes,
            _ => match (PLAN.iter().position(|name| *name == key), stage()) {
                (Some(at), _) => &mut self.plan[at],
                (None, Some(at)) => &mut self.stages[at],
                (None, None) => return map.next_value::<IgnoredAny>().map(|_| ()),
            },
        };
        *into = map.next_value()?;
        Ok(())
    }
}

/// An event of the file while it is read.
#[derive(Debug, Default)]
pub struct Raw {
    phase: Word,
    category: Word,
    /// Kept for its storage.
    name: String,
    named: bool,
    at: Value,
    duration: Value,
    id: Value,
    args: Args,
}

impl Fields for Raw {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "ph" => self.phase = map.next_value()?,
            "cat" => self.category = map.next_value()?,
            "name" => self.named = map.next_value_seed(Into(&mut self.name))?,
            "ts" => self.at = map.next_value()?,
            "dur" => self.duration = map.next_value()?,
            "id" => self.id = map.next_value()?,
            "args" => {
                self.args = Args::default();
                map.next_value_seed(Object(&mut self.args))?;
            }
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl Raw {
    fn clear(&mut self) {
        *self = Self { name: std::mem::take(&mut self.name), ..Self::default() };
    }
}

/// What is kept of the events.
#[derive(Debug, Default)]
pub struct Kept {
    list: Vec<(Event<'static>, u32)>,
    /// What passes on the GPU are called; nobody asks for the other names.
    names: Vec<Rc<str>>,
    known: HashMap<Rc<str>, u32>,
}

impl Kept {
    /// The events with their names.
    pub fn events(&self) -> Vec<Event<'_>> {
        let name = |n: u32| self.names.get(n as usize).map_or("", |name| &**name);
        self.list.iter().map(|&(event, n)| Event { name: name(n), ..event }).collect()
    }

    pub fn len(&self) -> u32 {
        self.list.len() as u32
    }

    /// An event, without its name.
    pub fn at(&self, n: u32) -> &Event<'static> {
        &self.list[n as usize].0
    }

    fn push(&mut self, event: Event<'static>, name: &str) {
        let known = self.known.get(name).copied();
        let name = known.unwrap_or_else(|| {
            let (number, name) = (self.names.len() as u32, Rc::<str>::from(name));
            self.names.push(Rc::clone(&name));
            self.known.insert(name, number);
            number
        });
        self.list.push((event, name));
    }
}

/// A value that no run has: it was not written by one.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Absurd {
    pub field: &'static str,
    /// The event's place in the file, from 1.
    pub event: usize,
}

/// Everything of the events so far.
#[derive(Debug, Default)]
pub struct Scan {
    pub frames: Vec<FrameRecord>,
    pub kept: Kept,
    /// Events that were looked at.
    seen: usize,
    pub absurd: Option<Absurd>,
}

impl Scan {
    /// Takes over the next event, which is empty again afterwards.
    pub fn take(&mut self, raw: &mut Raw) {
        self.seen += 1;
        let told = match (raw.phase.as_str(), raw.category.as_str()) {
            ("b", "frame") => frame(raw).map(|record| self.frames.push(record)),
            (_, category) => match Kind::from_name(category).filter(|kind| matters(*kind)) {
                Some(kind) if raw.named => event(kind, raw).map(|event| {
                    if let Some(event) = event {
                        self.kept.push(event, if kind == Kind::Gpu { &raw.name } else { "" });
                    }
                }),
                _ => Ok(()),
            },
        };
        if let Err(field) = told {
            self.absurd.get_or_insert(Absurd { field, event: self.seen });
        }
        raw.clear();
    }
}

/// Whether a verdict looks at such events.
const fn matters(kind: Kind) -> bool {
    !matches!(kind, Kind::Scope | Kind::Vblank | Kind::Plan)
}

/// A time in nanoseconds since the file's beginning.
fn time(value: Value, field: &'static str) -> Result<Option<Timestamp>, &'static str> {
    if value.is_absent() {
        return Ok(None);
    }
    let nanos = value.signed().filter(|n| n.unsigned_abs() < FARTHEST.unsigned_abs()).ok_or(field)?;
    Ok(Some(BASE.offset(nanos)))
}

/// A time, or a length, in microseconds.
fn micros(value: Value, field: &'static str) -> Result<Option<i64>, &'static str> {
    if value.is_absent() {
        return Ok(None);
    }
    let nanos = value.float().map(|micros| (micros * 1e3).round());
    let nanos = nanos.filter(|nanos| nanos.abs() < FARTHEST as f64).ok_or(field)?;
    Ok(Some(nanos as i64))
}

/// A number; 0 where there is none.
fn count(value: Value, field: &'static str) -> Result<u64, &'static str> {
    if value.is_absent() { Ok(0) } else { value.unsigned().ok_or(field) }
}

/// A length in nanoseconds; 0 where there is none.
fn span(value: Value, field: &'static str) -> Result<u64, &'static str> {
    count(value, field).and_then(|n| if n < FARTHEST.unsigned_abs() { Ok(n) } else { Err(field) })
}

fn frame(raw: &Raw) -> Result<FrameRecord, &'static str> {
    let args = &raw.args;
    let mut record = FrameRecord::new(FrameId(args.frame.unsigned().ok_or("frame")?));
    record.snapshot = count(args.snapshot, "snapshot")?;
    for (stage, value) in Stage::ALL.into_iter().zip(args.stages) {
        record.set(stage, time(value, stage.name())?);
    }
    let [planned, swap_at, target] = [0, 1, 2].map(|n| time(args.plan[n], PLAN[n]));
    (record.planned, record.swap_at, record.target) = (planned?, swap_at?, target?);
    (record.repeated, record.stale) = (args.repeated.is_true(), args.stale.is_true());
    (record.dropped, record.after_idle) = (args.dropped.is_true(), args.after_idle.is_true());
    record.apart = args.apart.is_true();
    record.origin = match args.origin {
        Value::Absent => Origin::default(),
        Value::Text(word) => word.as_str().parse().map_err(|_| "origin")?,
        _ => return Err("origin"),
    };
    let times = || {
        let plan = [record.planned, record.swap_at, record.target].into_iter();
        Stage::ALL.iter().map(|stage| record.at(*stage)).chain(plan).flatten()
    };
    if let (Some(first), Some(last)) = (times().min(), times().max())
        && last.signed_since(first) > LONGEST_FRAME
    {
        return Err("stamps");
    }
    Ok(record)
}

/// `None`: it says nothing of when.
fn event(kind: Kind, raw: &Raw) -> Result<Option<Event<'static>>, &'static str> {
    let args = &raw.args;
    let (begin, end) = (time(args.begin, "begin_ns")?, time(args.end, "end_ns")?);
    let at = micros(raw.at, "ts")?.map(|at| BASE.offset(at));
    let duration = micros(raw.duration, "dur")?.unwrap_or(0);
    if duration < 0 {
        return Err("dur");
    }
    let Some(start) = begin.or(at) else { return Ok(None) };
    let end = end.unwrap_or_else(|| start.offset(duration));
    if end < start {
        return Err("end_ns");
    }
    let (value, delay) = match kind {
        Kind::Sleep => (span(args.late, "late_ns")?, 0),
        Kind::Logic | Kind::Render | Kind::Swap => {
            (span(args.ran, "ran_ns")?, span(args.run_delay, "run_delay_ns")?)
        }
        Kind::Invocations => (count(args.vertices, "vertices")?, count(args.fragments, "fragments")?),
        Kind::Upload => (count(args.bytes, "bytes")?, 0),
        _ => (0, 0),
    };
    let frame = if args.frame.is_absent() { count(raw.id, "id")? } else { count(args.frame, "frame")? };
    Ok(Some(Event { value, delay, ..Event::new(kind, "", frame, start, end) }))
}
