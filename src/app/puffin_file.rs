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

#[cfg(test)]
mod tests {
    use super::*;
    use scanout::time::Timestamp;
    use scanout::timeline::{Event, Kind, ThreadTrack};

    /// What is written is what puffin reads: every slice of every track, on one clock.
    #[test]
    fn all_slices_are_in_the_file() {
        let at = |us: u64| Timestamp::from_nanos(1_000_000 + us * 1_000);
        let event = |kind, name, frame, from, to| Event::new(kind, name, frame, at(from), at(to));
        let (mut logic, mut render) = (Vec::new(), Vec::new());
        for frame in 1..=5 {
            let t = frame * 1_000;
            logic.push(event(Kind::Logic, "logic step", frame, t, t + 100));
            render.push(event(Kind::Upload, "buffer", frame, t + 250, t + 260));
            render.push(event(Kind::Render, "frame", frame, t + 200, t + 400));
            render.push(event(Kind::Swap, "swap", frame, t + 400, t + 450));
            render.push(event(Kind::Gpu, "scene", frame, t + 300, t + 900));
        }
        let mut timeline = Timeline::default();
        timeline.threads = vec![
            ThreadTrack { name: "logic", events: logic, pushed_out: 0 },
            ThreadTrack { name: "render", events: render, pushed_out: 0 },
        ];
        let mut bytes = Vec::new();
        write(&timeline, &mut bytes).unwrap();
        let view = puffin::FrameView::read(&mut &bytes[..]).unwrap();
        let names = view.scope_collection();
        let mut seen: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
        for frame in view.recent_frames() {
            for (info, stream) in &frame.unpacked().unwrap().thread_streams {
                let mut todo = puffin::Reader::from_start(&stream.stream).read_top_scopes().unwrap();
                while let Some(scope) = todo.pop() {
                    let name = names.fetch_by_id(&scope.id).unwrap().name().to_string();
                    let record = scope.record;
                    seen.entry((info.name.clone(), name))
                        .or_default()
                        .push((record.start_ns, record.duration_ns));
                    let inside =
                        puffin::Reader::with_offset(&stream.stream, scope.child_begin_position).unwrap();
                    todo.extend(inside.read_top_scopes().unwrap());
                }
            }
        }
        let expected = [
            (("GPU", "scene"), 300, 600),
            (("logic thread", "logic step"), 0, 100),
            (("render thread", "buffer"), 250, 10),
            (("render thread", "frame"), 200, 200),
            (("render thread", "swap"), 400, 50),
        ];
        assert_eq!(seen.len(), expected.len(), "{seen:?}");
        for ((track, name), from, took) in expected {
            let mut slices = seen[&(track.to_owned(), name.to_owned())].clone();
            slices.sort_unstable();
            let want: Vec<_> = (1..=5).map(|f| (nanos(at(f * 1_000 + from)), took * 1_000)).collect();
            assert_eq!(slices, want, "{track}: {name}");
        }
    }
}
