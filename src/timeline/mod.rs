//! One time axis for a whole run: what each thread did and waited for, what the GPU did, what the driver said, and when
//! the display refreshed.
//!
//! Every thread writes into a ring of its own, whose memory is taken before the run; nobody else looks at it until the
//! thread has ended. Recording allocates nothing, locks nothing and formats nothing. A full ring drops what is oldest and
//! counts it, so that the end of a run is what is kept.
//!
//! All times are of the [one clock](crate::time); those of the GPU are put on it by a [`ClockMap`].
//! [`Timeline::write_chrome`] writes what <https://ui.perfetto.dev> and `chrome://tracing` show,
//! and [`explain`] says what made late frames late.
//!
//! A run keeps one where [`RunOptions::timeline_events`](crate::runtime::RunOptions::timeline_events) (or
//! `Config::timeline_events`) asks for it, and hands it over in its summary:
//!
//! ```no_run
//! # fn physics() {}
//! # fn at_the_end(summary: &scanout::Summary) -> std::io::Result<()> {
//! // In the logic or the renderer; where nothing is recorded it costs a branch:
//! {
//!     let _scope = scanout::timeline::scope("physics");
//!     physics();
//! }
//! // After the run:
//! if let Some(timeline) = &summary.timeline {
//!     println!("{}", timeline.explain());
//!     timeline.write_chrome(&mut std::fs::File::create("run.json")?)?;
//! }
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(feature = "gl"), allow(dead_code, reason = "only OpenGL uploads and has messages"))]

mod chrome;
mod collect;
mod correlate;
mod delay;
mod event;
pub mod explain;
mod local;
mod rows;

use std::time::Duration;

use crate::stats::FrameRecord;
use crate::time::Timestamp;

pub use chrome::TIMELINE_SCHEMA;
pub(crate) use collect::Collector;
#[cfg(feature = "gl")]
pub(crate) use collect::MessageSink;
pub use correlate::{ClockMap, Reading};
pub use event::{Event, Kind, Message};
pub use local::{Span, is_on, push, scope};
#[cfg(feature = "gl")]
pub(crate) use local::{message_sink, upload};
pub(crate) use local::{set_frame, sleeping, span};

/// What one thread recorded.
#[derive(Clone, Debug, Default)]
pub struct ThreadTrack {
    /// The thread.
    pub name: &'static str,
    /// Its events, in the order in which they ended.
    pub events: Vec<Event<'static>>,
    /// Older ones that had to make room for these.
    pub pushed_out: u64,
}

/// Something with a length on a [track](Timeline::tracks).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Slice<'a> {
    /// What.
    pub name: &'a str,
    /// The frame that it belongs to (a step of the logic: its snapshot); 0: none.
    pub frame: u64,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// All that was recorded in a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timeline {
    /// The threads.
    pub threads: Vec<ThreadTrack>,
    /// The frames, oldest first.
    pub frames: Vec<FrameRecord>,
    /// Older frames that had to make room for these.
    pub frames_pushed_out: u64,
    /// What the driver said.
    pub messages: Vec<Message>,
    /// Messages for which there was no room.
    pub messages_lost: u64,
    /// The display's refresh interval at the end; zero: unknown.
    pub refresh: Duration,
    /// The interval from frame to frame at the end.
    pub interval: Duration,
    /// Frames up to this number are warm-up.
    pub warmup: u64,
    /// What was drawn with, and what told display times.
    pub about: Vec<(&'static str, String)>,
}

impl Timeline {
    /// From when on everything is there: before it, some ring had to make room.
    #[must_use]
    pub fn complete_from(&self) -> Timestamp {
        let threads = self.threads.iter().filter(|t| t.pushed_out > 0).filter_map(|t| t.events.first());
        let events = threads.map(|event| event.end).max();
        let frames = self.frames.first().filter(|_| self.frames_pushed_out > 0).and_then(began);
        events.max(frames).unwrap_or(Timestamp::ZERO)
    }

    /// What has a length, by tracks: the threads, the GPU, the display. Within a track by time, what holds something before
    /// what it holds, and nothing half inside something else. For writers of other formats; allocates.
    #[must_use]
    pub fn tracks(&self) -> Vec<(&'static str, Vec<Slice<'_>>)> {
        let rows = rows::rows(self, self.complete_from());
        let of = |tid| rows.iter().filter(move |row| row.tid == tid).filter_map(rows::Row::slice).collect();
        rows::Tid::named(self).map(|(tid, name)| (name, of(tid))).collect()
    }

    /// What made late frames late, as far as what was kept tells. Allocates; for the end of a run.
    #[must_use]
    pub fn explain(&self) -> explain::Explanation {
        let from = self.complete_from();
        let events: Vec<Event<'_>> = self.events().copied().collect();
        let frames: Vec<FrameRecord> =
            self.frames.iter().filter(|r| began(r).is_some_and(|at| at >= from)).copied().collect();
        explain::explain(&explain::Observed {
            refresh: self.refresh,
            interval: self.interval,
            warmup: self.warmup,
            frames: &frames,
            events: &events,
        })
    }

    /// The events of all threads.
    pub fn events(&self) -> impl Iterator<Item = &Event<'static>> {
        self.threads.iter().flat_map(|track| &track.events)
    }
}

/// When the first thing of a frame happened.
fn began(record: &FrameRecord) -> Option<Timestamp> {
    crate::stats::Stage::ALL.iter().filter_map(|stage| record.at(*stage)).min()
}
