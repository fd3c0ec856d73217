//! The Windows desktop compositor's timing (`DwmGetCompositionTimingInfo`).
//!
//! **Unverified**: this was compiled for Windows and has been run under Wine only, which tells nothing here; never on Windows.
//!
//! The compositor tells the last vertical blank of the primary display in ticks of the performance counter, its count,
//! and the refresh interval. Which refresh showed a frame is not told, so frames are estimated. It is asked once after
//! each swap; the blank that it names may lie a little ahead.
#![allow(unsafe_code, reason = "calls of the system")]

use std::ptr::null_mut;
use std::time::Duration;

use windows_sys::Win32::Graphics::Dwm::{DWM_TIMING_INFO, DwmGetCompositionTimingInfo};
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

use super::{SourceError, SourceEvent, VsyncSource};
use crate::pacing::{FrameId, Origin, VblankSample};
use crate::time::{Clock, MonotonicClock, Timestamp};

const NANOS: i128 = 1_000_000_000;

/// Refreshes from the desktop compositor.
#[derive(Debug)]
pub struct DwmTiming {
    /// Ticks per second.
    frequency: i128,
    last: Option<u64>,
    sample: Option<VblankSample>,
    failed: Option<SourceError>,
}

impl DwmTiming {
    /// # Errors
    /// When the system does not answer: composition is off, or there is no desktop.
    pub fn open() -> Result<Self, SourceError> {
        let mut frequency = 0;
        // SAFETY: writes one integer.
        let known = unsafe { QueryPerformanceFrequency(&raw mut frequency) };
        if known == 0 || frequency <= 0 {
            return Err(SourceError::new("the performance counter has no frequency"));
        }
        let source = Self { frequency: frequency.into(), last: None, sample: None, failed: None };
        source.ask()?;
        Ok(source)
    }

    fn ask(&self) -> Result<VblankSample, SourceError> {
        let size = u32::try_from(size_of::<DWM_TIMING_INFO>()).unwrap_or(0);
        let mut info = DWM_TIMING_INFO { cbSize: size, ..DWM_TIMING_INFO::default() };
        // SAFETY: a null window means the desktop; the structure says its own size.
        let code = unsafe { DwmGetCompositionTimingInfo(null_mut(), &raw mut info) };
        if code < 0 {
            return Err(SourceError::new(format!("the compositor returns {code:#010x}")));
        }
        let mut ticks = 0;
        // SAFETY: writes one integer.
        if unsafe { QueryPerformanceCounter(&raw mut ticks) } == 0 {
            return Err(SourceError::new("the performance counter cannot be read"));
        }
        let now = MonotonicClock.now();
        // Copies: the structure is packed.
        let (vblank, refresh, count) = (info.qpcVBlank, info.qpcRefreshPeriod, info.cRefresh);
        let ahead = (i128::from(vblank) - i128::from(ticks)) * NANOS / self.frequency;
        let period = i128::from(refresh) * NANOS / self.frequency;
        Ok(VblankSample {
            at: now.offset(i64::try_from(ahead).unwrap_or(i64::MIN)),
            sequence: Some(count),
            period: (period > 0).then(|| Duration::from_nanos(u64::try_from(period).unwrap_or(u64::MAX))),
            origin: Origin::Compositor,
        })
    }
}

impl VsyncSource for DwmTiming {
    fn name(&self) -> &'static str {
        "DWM timing"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        false
    }

    fn before_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {
        match self.ask() {
            Ok(sample) => {
                if self.last != sample.sequence {
                    self.last = sample.sequence;
                    self.sample = Some(sample);
                }
            }
            Err(why) => self.failed = Some(why),
        }
    }

    fn poll(&mut self, _now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        if let Some(sample) = self.sample.take() {
            sink(SourceEvent::Vblank(sample));
        }
        self.failed.clone().map_or(Ok(()), Err)
    }
}
