//! A timeline as rows: what stands on which track, in which order, and never half inside something else.

use std::collections::HashMap;

use super::{Event, Kind, Message, Slice, Timeline, began};
use crate::stats::{FrameRecord, Stage};
use crate::time::Timestamp;

/// Where something stands.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(super) struct Tid(pub(super) u32);

impl Tid {
    pub(super) const INPUT: Self = Self(1);
    pub(super) const LOGIC: Self = Self(2);
    pub(super) const RENDER: Self = Self(3);
    /// Two lanes: some drivers begin a frame's first pass before the last of the frame before is done.
    pub(super) const GPU: [Self; 2] = [Self(4), Self(5)];
    pub(super) const DISPLAY: Self = Self(6);
    pub(super) const VBLANKS: Self = Self(7);
    pub(super) const DRIVER: Self = Self(8);

    /// The tracks that every file has.
    pub(super) const NAMED: [(Self, &str); 8] = [
        (Self::INPUT, "input"),
        (Self::LOGIC, "logic thread"),
        (Self::RENDER, "render thread"),
        (Self::GPU[0], "GPU"),
        (Self::GPU[1], "GPU (beside)"),
        (Self::DISPLAY, "display"),
        (Self::VBLANKS, "vertical blanks"),
        (Self::DRIVER, "driver messages"),
    ];
}

/// One line of a track.
#[derive(Copy, Clone, Debug)]
pub(super) enum What<'a> {
    /// Something with a length.
    Slice(&'a Event<'a>),
    /// The same for what comes from a frame's stamps: its name, and the frame.
    Stamped(&'static str, &'a FrameRecord),
    /// A point in time.
    Instant(&'a Event<'a>),
    Message(&'a Message),
    /// A frame begins, or ends, from its first stamp to its last.
    FrameBegin(&'a FrameRecord),
    FrameEnd(&'a FrameRecord),
    /// The arrow that follows frame `.1` through the tracks: `s`tart, s`t`ep, `f`inish.
    Flow(char, u64),
    /// Shader invocations.
    Counter(&'a Event<'a>),
}

#[derive(Copy, Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) tid: Tid,
    pub(super) at: Timestamp,
    /// For slices.
    pub(super) end: Timestamp,
    pub(super) what: What<'a>,
}

impl<'a> Row<'a> {
    const fn point(tid: Tid, at: Timestamp, what: What<'a>) -> Self {
        Self { tid, at, end: at, what }
    }

    /// What it shows, where that has a length.
    pub(super) const fn slice(&self) -> Option<Slice<'a>> {
        let (name, frame) = match self.what {
            What::Slice(event) => (event.name, event.frame),
            What::Stamped(name, record) => (name, record.id.0),
            _ => return None,
        };
        Some(Slice { name, frame, start: self.at, end: self.end })
    }

    const fn is_slice(&self) -> bool {
        matches!(self.what, What::Slice(_) | What::Stamped(..))
    }
}

/// All rows, by track and time; slices that hold others come before them. What began before `from` is left out.
pub(super) fn rows(timeline: &Timeline, from: Timestamp) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for track in &timeline.threads {
        let tid = if track.name == "logic" { Tid::LOGIC } else { Tid::RENDER };
        for event in &track.events {
            match event.kind {
                Kind::Vblank => rows.push(Row::point(Tid::VBLANKS, event.start, What::Instant(event))),
                Kind::Plan => rows.push(Row::point(tid, event.start, What::Instant(event))),
                Kind::Invocations => rows.push(Row::point(Tid::GPU[0], event.start, What::Counter(event))),
                Kind::Gpu => {
                    rows.push(Row {
                        tid: Tid::GPU[0],
                        at: event.start,
                        end: event.end,
                        what: What::Slice(event),
                    });
                }
                _ => rows.push(Row { tid, at: event.start, end: event.end, what: What::Slice(event) }),
            }
        }
    }
    rows.extend(timeline.messages.iter().map(|m| Row::point(Tid::DRIVER, m.at, What::Message(m))));
    stamped(timeline, from, &mut rows);
    rows.retain(|row| row.at >= from);
    sort(&mut rows);
    lanes(&mut rows);
    sort(&mut rows);
    nest(&mut rows);
    flows(timeline, &mut rows);
    sort(&mut rows);
    rows
}

fn sort(rows: &mut [Row<'_>]) {
    // Of what begins at once the longest comes first, and a slice before the arrow that begins in it.
    rows.sort_by_key(|row| (row.tid, row.at, !row.is_slice(), std::cmp::Reverse(row.end)));
}

/// What is known of frames from their stamps alone: waiting input, display, and the frame as a whole.
fn stamped<'a>(timeline: &'a Timeline, from: Timestamp, rows: &mut Vec<Row<'a>>) {
    let mut shown =
        timeline.frames.iter().filter(|r| !r.dropped && r.at(Stage::Presented).is_some()).peekable();
    while let (Some(record), next) = (shown.next(), shown.peek()) {
        let Some(at) = record.at(Stage::Presented) else { continue };
        let end = next.and_then(|r| r.at(Stage::Presented)).unwrap_or(at + timeline.refresh);
        rows.push(Row { tid: Tid::DISPLAY, at, end: end.max(at), what: What::Stamped("displayed", record) });
    }
    let mut busy = Timestamp::ZERO;
    for record in &timeline.frames {
        if let (Some(from), Some(to)) = (record.at(Stage::InputReceived), record.at(Stage::InputSampled)) {
            // One frame's input may have come before that of the frame before was looked at.
            let at = from.max(busy);
            busy = to.max(at);
            rows.push(Row { tid: Tid::INPUT, at, end: busy, what: What::Stamped("input waits", record) });
        }
        let end = Stage::ALL.iter().filter_map(|stage| record.at(*stage)).max();
        if let (Some(begin), Some(end)) = (began(record).filter(|at| *at >= from), end) {
            rows.push(Row::point(Tid::RENDER, begin, What::FrameBegin(record)));
            rows.push(Row::point(Tid::RENDER, end, What::FrameEnd(record)));
        }
    }
}

/// Passes that begin before the one before them is done stand in another lane.
fn lanes(rows: &mut [Row<'_>]) {
    let mut free = [Timestamp::ZERO; 2];
    for row in rows.iter_mut().filter(|row| row.tid == Tid::GPU[0] && row.is_slice()) {
        let lane = free.iter().position(|free| *free <= row.at).unwrap_or(usize::from(free[1] < free[0]));
        // Where both are taken, the rest of it is shown.
        row.at = row.at.max(free[lane]).min(row.end.max(free[lane]));
        row.end = row.end.max(row.at);
        free[lane] = row.end;
        row.tid = Tid::GPU[lane];
    }
}

/// A slice that would end after the one it began in ends with it: viewers show nothing else.
fn nest(rows: &mut [Row<'_>]) {
    let mut open: Vec<Timestamp> = Vec::new();
    let mut tid = Tid(0);
    for row in rows.iter_mut().filter(|row| row.is_slice()) {
        if row.tid != tid {
            tid = row.tid;
            open.clear();
        }
        while open.last().is_some_and(|end| *end <= row.at) {
            open.pop();
        }
        if let Some(end) = open.last() {
            row.end = row.end.min(*end);
        }
        open.push(row.end);
    }
}

/// An arrow for each displayed frame: from its input to its logic, drawing, swap, GPU and display.
fn flows<'a>(timeline: &'a Timeline, rows: &mut Vec<Row<'a>>) {
    let mut at: HashMap<(&str, u64), (Tid, Timestamp)> = HashMap::new();
    for row in rows.iter().filter(|row| row.is_slice()) {
        let key = match row.what {
            What::Slice(event) => (event.kind.name(), event.frame),
            What::Stamped(name, record) => (name, record.id.0),
            _ => continue,
        };
        at.entry(key).or_insert((row.tid, row.at));
    }
    let find = |name: &'static str, id: u64| at.get(&(name, id)).copied();
    for record in &timeline.frames {
        let id = record.id.0;
        let logic = if record.repeated { None } else { find("logic", record.snapshot) };
        let way = [find("input waits", id), logic, find("render", id), find("swap", id), find("gpu", id)];
        let Some((tid, end)) = find("displayed", id) else { continue };
        // The GPU may begin before swap is called; arrows go forward.
        let mut way: Vec<_> = way.into_iter().flatten().filter(|(_, at)| *at <= end).collect();
        way.sort_by_key(|(_, at)| *at);
        for (i, &(tid, at)) in way.iter().enumerate() {
            rows.push(Row::point(tid, at, What::Flow(if i == 0 { 's' } else { 't' }, id)));
        }
        if !way.is_empty() {
            rows.push(Row::point(tid, end, What::Flow('f', id)));
        }
    }
}
