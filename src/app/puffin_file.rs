//! Timelines for `puffin_viewer`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use puffin::{GlobalProfiler, ScopeDetails, ScopeId, Stream, StreamInfo, ThreadInfo};

use scanout::timeline::{Slice, Timeline};

/// Writes a timeline as puffin does: one puffin frame for each drawn frame, from the start of its drawing to that of the
/// next. The profiler is one of our own: the process's may be serving somebody.
pub fn write(timeline: &Timeline, out: &mut Vec<u8>) -> io::Result<()> {
    let tracks = timeline.tracks();
    let mut profiler = GlobalProfiler::default();
    let mut scopes: BTreeMap<&str, ScopeId> = BTreeMap::new();
    for slice in tracks.iter().flat_map(|(_, slices)| slices) {
        scopes.entry(slice.name).or_insert_with(|| {
            profiler.register_user_scopes(&[ScopeDetails::from_scope_name(slice.name.to_owned())])[0]
        });
    }
    let written = Arc::new(Mutex::new((b"PUF0".to_vec(), None)));
    let into = Arc::clone(&written);
    profiler.add_sink(Box::new(move |frame| {
        let (bytes, failed) = &mut *into.lock();
        if let Err(e) = frame.write_into(None, bytes) {
            *failed = Some(e);
        }
    }));
    let starts: Vec<i64> = tracks
        .iter()
        .flat_map(|(_, slices)| slices)
        .filter(|slice| slice.name == "frame")
        .map(|slice| nanos(slice.start))
        .collect();
    let mut rest: Vec<(&str, &[Slice<'_>])> =
        tracks.iter().map(|(name, slices)| (*name, &slices[..])).collect();
    for until in starts.into_iter().skip(1).chain([i64::MAX]) {
        for (i, (name, slices)) in rest.iter_mut().enumerate() {
            let here = cut(slices, until);
            if !here.is_empty() {
                // The start time is what threads are ordered by.
                let info = ThreadInfo { start_time_ns: Some(i as i64), name: (*name).to_owned() };
                profiler.report_user_scopes(info, &stream(here, &scopes).as_stream_into_ref());
            }
        }
        profiler.new_frame();
    }
    drop(profiler);
    let (bytes, failed) = std::mem::take(&mut *written.lock());
    if let Some(e) = failed {
        return Err(io::Error::other(e.to_string()));
    }
    out.extend(bytes);
    Ok(())
}

const fn nanos(at: scanout::time::Timestamp) -> i64 {
    at.as_nanos().cast_signed()
}

/// Takes the outermost slices that begin before `until` off the front, with all that they hold.
fn cut<'a>(slices: &mut &'a [Slice<'a>], until: i64) -> &'a [Slice<'a>] {
    let mut end = i64::MIN;
    let len = slices
        .iter()
        .position(|slice| {
            let outermost = nanos(slice.start) >= end;
            end = end.max(nanos(slice.end));
            outermost && nanos(slice.start) >= until
        })
        .unwrap_or(slices.len());
    let (here, rest) = slices.split_at(len);
    *slices = rest;
    here
}

/// Slices in puffin's own form.
fn stream(slices: &[Slice<'_>], scopes: &BTreeMap<&str, ScopeId>) -> StreamInfo {
    let mut stream = Stream::default();
    let mut open: Vec<(usize, i64)> = Vec::new();
    let (mut depth, mut range) = (0, (i64::MAX, i64::MIN));
    for slice in slices {
        let (start, stop) = (nanos(slice.start), nanos(slice.end));
        while open.last().is_some_and(|(_, end)| *end <= start) {
            let Some((at, end)) = open.pop() else { break };
            stream.end_scope(at, end);
        }
        let frame = if slice.frame > 0 { slice.frame.to_string() } else { String::new() };
        let (at, _) = stream.begin_scope(|| start, scopes[slice.name], &frame);
        open.push((at, stop));
        depth = depth.max(open.len());
        range = (range.0.min(start), range.1.max(stop));
    }
    while let Some((at, end)) = open.pop() {
        stream.end_scope(at, end);
    }
    StreamInfo { stream, num_scopes: slices.len(), depth, range_ns: range }
}
