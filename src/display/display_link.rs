//! macOS' display link (`CVDisplayLink`).
//!
//! **Unverified**: this was compiled for macOS and never run there.
//!
//! The system calls back on a thread of its own for each refresh and names the time of the next one in ticks of
//! `mach_absolute_time`. One refresh interval before it is the one that has just begun. Which refresh showed a frame is
//! not told, so frames are estimated. The callbacks go on for as long as the source lives.
#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::time::Duration;

use super::{SourceError, SourceEvent, VsyncSource};
use crate::pacing::{FrameId, Origin, VblankSample};
use crate::sync::snapshot::{self, DEFAULT_SLOTS, Reader, Writer};
use crate::time::{Clock, MonotonicClock, Timestamp};

/// `CVTimeStamp` of CoreVideo/CVBase.h.
#[repr(C)]
struct TimeStamp {
    version: u32,
    video_time_scale: i32,
    video_time: i64,
    host_time: u64,
    rate_scalar: f64,
    video_refresh_period: i64,
    smpte_time: [u32; 6],
    flags: u64,
    reserved: u64,
}

/// `mach_timebase_info_data_t`: nanoseconds per tick as a fraction.
#[repr(C)]
struct Timebase {
    numer: u32,
    denom: u32,
}

type Link = *mut c_void;
type Callback =
    unsafe extern "C" fn(Link, *const TimeStamp, *const TimeStamp, u64, *mut u64, *mut c_void) -> i32;

#[link(name = "CoreVideo", kind = "framework")]
unsafe extern "C" {
    fn CVDisplayLinkCreateWithActiveCGDisplays(link: *mut Link) -> i32;
    fn CVDisplayLinkSetOutputCallback(link: Link, callback: Callback, context: *mut c_void) -> i32;
    fn CVDisplayLinkStart(link: Link) -> i32;
    fn CVDisplayLinkStop(link: Link) -> i32;
    fn CVDisplayLinkRelease(link: Link);
}

unsafe extern "C" {
    fn mach_absolute_time() -> u64;
    fn mach_timebase_info(info: *mut Timebase) -> i32;
}

/// What a callback passes on: ticks of the next refresh, its count, the interval in nanoseconds.
#[derive(Copy, Clone, Debug, Default)]
struct Tick {
    next: u64,
    count: u64,
    period: u64,
}

/// Refreshes of the display.
pub struct DisplayLink {
    link: Link,
    ticks: Reader<Tick>,
    /// Freed after the link.
    writer: *mut Writer<Tick>,
    timebase: Timebase,
}

impl DisplayLink {
    /// # Errors
    /// When the system has no display, or refuses.
    pub fn open() -> Result<Self, SourceError> {
        let check = |code: i32, call: &str| match code {
            0 => Ok(()),
            code => Err(SourceError::new(format!("{call} returns {code}"))),
        };
        let mut timebase = Timebase { numer: 0, denom: 0 };
        // SAFETY: writes the structure.
        check(unsafe { mach_timebase_info(&raw mut timebase) }, "mach_timebase_info")?;
        if timebase.denom == 0 {
            return Err(SourceError::new("mach_timebase_info tells nothing"));
        }
        let mut link = null_mut();
        // SAFETY: writes one pointer.
        let made = unsafe { CVDisplayLinkCreateWithActiveCGDisplays(&raw mut link) };
        check(made, "CVDisplayLinkCreateWithActiveCGDisplays")?;
        if link.is_null() {
            return Err(SourceError::new("there is no display"));
        }
        let (writer, ticks) = snapshot::buffer::<_, DEFAULT_SLOTS>(|_| Tick::default());
        let writer = Box::into_raw(Box::new(writer));
        // From here on dropping it undoes all.
        let source = Self { link, ticks, writer, timebase };
        // SAFETY: the context outlives the link, which is stopped before it is freed; the callback has the link's type.
        let set = unsafe { CVDisplayLinkSetOutputCallback(link, on_refresh, writer.cast()) };
        check(set, "CVDisplayLinkSetOutputCallback")?;
        // SAFETY: the link is alive.
        check(unsafe { CVDisplayLinkStart(link) }, "CVDisplayLinkStart")?;
        Ok(source)
    }

    fn timestamp(&self, ticks: u64) -> Timestamp {
        // SAFETY: reads the clock.
        let (now, now_ticks) = (MonotonicClock.now(), unsafe { mach_absolute_time() });
        let ahead = (i128::from(ticks) - i128::from(now_ticks)) * i128::from(self.timebase.numer)
            / i128::from(self.timebase.denom);
        now.offset(i64::try_from(ahead).unwrap_or(i64::MIN))
    }
}

/// What the system calls on its thread.
unsafe extern "C" fn on_refresh(
    _link: Link,
    _now: *const TimeStamp,
    output: *const TimeStamp,
    _flags_in: u64,
    _flags_out: *mut u64,
    context: *mut c_void,
) -> i32 {
    // SAFETY: the system passes a time stamp that is valid during the call, and the context that was set: a writer that
    // only this callback uses, one call at a time.
    let (output, writer) = unsafe { (&*output, &mut *context.cast::<Writer<Tick>>()) };
    let positive = |n: i64| u64::try_from(n).unwrap_or(0);
    let refresh = positive(output.video_refresh_period);
    let mut tick = writer.write();
    *tick = Tick {
        next: output.host_time,
        count: positive(output.video_time).checked_div(refresh).unwrap_or(0),
        period: refresh
            .saturating_mul(1_000_000_000)
            .checked_div(positive(output.video_time_scale.into()))
            .unwrap_or(0),
    };
    tick.publish();
    0
}

impl VsyncSource for DisplayLink {
    fn name(&self) -> &'static str {
        "CVDisplayLink"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        false
    }

    fn before_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn poll(&mut self, _now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        if !self.ticks.has_fresh() {
            return Ok(());
        }
        let tick = *self.ticks.acquire().value;
        let period = Duration::from_nanos(tick.period);
        sink(SourceEvent::Vblank(VblankSample {
            at: self.timestamp(tick.next) - period,
            sequence: (tick.count > 0).then_some(tick.count),
            period: (tick.period > 0).then_some(period),
            origin: Origin::Hardware,
        }));
        Ok(())
    }
}

impl Drop for DisplayLink {
    fn drop(&mut self) {
        // SAFETY: stopping waits for a callback that runs; after that nobody uses the writer, which is freed once.
        unsafe {
            CVDisplayLinkStop(self.link);
            CVDisplayLinkRelease(self.link);
            drop(Box::from_raw(self.writer));
        }
    }
}

impl std::fmt::Debug for DisplayLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DisplayLink").finish_non_exhaustive()
    }
}
