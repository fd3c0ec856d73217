//! `GLX_OML_sync_control` and `EGL_CHROMIUM_sync_control`: the time (UST) and number (MSC) of the last refresh, from the
//! OpenGL driver.
//!
//! The functions are found by name, and drivers hand out pointers to functions that they do not support: only the
//! extension string says whether one may be called, and it may fail even then (on Xvfb with Mesa it is not listed, and
//! the function returns failure). UST is in microseconds of `CLOCK_MONOTONIC` in Mesa; the specification leaves the unit
//! open, so a driver with another clock is found out by the [`Watch`](super::Watch).
//!
//! It is asked once after each swap. On Mesa over DRI3 that waits for one answer of the X server.
#![allow(unsafe_code, reason = "functions of the driver that no binding has")]

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

use super::{SourceError, SourceEvent, VsyncSource};
use crate::pacing::{FrameId, Origin, VblankSample};
use crate::time::Timestamp;

type Loader<'a> = &'a dyn Fn(&CStr) -> *const c_void;
type GetGlx = unsafe extern "C" fn(*mut c_void, c_ulong, *mut i64, *mut i64, *mut i64) -> c_int;
type GetEgl = unsafe extern "system" fn(*mut c_void, *mut c_void, *mut u64, *mut u64, *mut u64) -> u32;
type QueryExtensions = unsafe extern "C" fn(*mut c_void, c_int) -> *const c_char;

/// Refreshes from the OpenGL driver.
#[derive(Debug)]
pub struct SyncControl {
    call: Call,
    last: Option<u64>,
    sample: Option<VblankSample>,
    failed: bool,
}

#[derive(Debug)]
enum Call {
    Glx { get: GetGlx, display: *mut c_void, drawable: c_ulong },
    Egl { get: GetEgl, display: *mut c_void, surface: *mut c_void },
}

impl SyncControl {
    /// For a GLX drawable.
    ///
    /// # Errors
    /// When the extension is not listed, or does not work.
    ///
    /// # Safety
    /// `display` is a live Xlib connection with this screen, `drawable` is one of it; both outlive this. `loader` is
    /// `glXGetProcAddress`.
    pub unsafe fn glx(
        display: *mut c_void,
        screen: c_int,
        drawable: c_ulong,
        loader: Loader<'_>,
    ) -> Result<Self, SourceError> {
        let query = loader(c"glXQueryExtensionsString");
        if query.is_null() {
            return Err(SourceError::new("GLX does not list its extensions"));
        }
        // SAFETY: a GLX 1.1 function by its name, so of this type; the display is live by the caller's promise.
        let list = unsafe { std::mem::transmute::<*const c_void, QueryExtensions>(query)(display, screen) };
        if list.is_null() {
            return Err(SourceError::new("GLX does not list its extensions"));
        }
        // SAFETY: GLX returns a string that lives as long as the display.
        let list = unsafe { CStr::from_ptr(list) };
        if !is_listed(list, b"GLX_OML_sync_control") {
            return Err(SourceError::new("GLX_OML_sync_control is not offered"));
        }
        let get = loader(c"glXGetSyncValuesOML");
        if get.is_null() {
            return Err(SourceError::new("GLX_OML_sync_control is listed but has no functions"));
        }
        // SAFETY: the function that the listed extension defines with this name, so of this type.
        let get = unsafe { std::mem::transmute::<*const c_void, GetGlx>(get) };
        Self::tried(Call::Glx { get, display, drawable })
    }

    /// For an EGL surface; `listed` is whether the display lists `EGL_CHROMIUM_sync_control`.
    ///
    /// # Errors
    /// When the extension is not listed, or does not work.
    ///
    /// # Safety
    /// `display` is a live `EGLDisplay`, `surface` an `EGLSurface` of it; both outlive this. `loader` is
    /// `eglGetProcAddress`.
    pub unsafe fn egl(
        display: *mut c_void,
        surface: *mut c_void,
        listed: bool,
        loader: Loader<'_>,
    ) -> Result<Self, SourceError> {
        if !listed {
            return Err(SourceError::new("EGL_CHROMIUM_sync_control is not offered"));
        }
        let get = loader(c"eglGetSyncValuesCHROMIUM");
        if get.is_null() {
            return Err(SourceError::new("EGL_CHROMIUM_sync_control is listed but has no functions"));
        }
        // SAFETY: the function that the listed extension defines with this name, so of this type.
        let get = unsafe { std::mem::transmute::<*const c_void, GetEgl>(get) };
        Self::tried(Call::Egl { get, display, surface })
    }

    fn tried(call: Call) -> Result<Self, SourceError> {
        match call.ask() {
            Some(_) => Ok(Self { call, last: None, sample: None, failed: false }),
            None => Err(SourceError::new("sync control is listed but returns failure")),
        }
    }
}

impl Call {
    /// UST in microseconds and MSC.
    fn ask(&self) -> Option<(u64, u64)> {
        let (ust, msc) = match *self {
            Self::Glx { get, display, drawable } => {
                let (mut ust, mut msc, mut sbc) = (0_i64, 0_i64, 0_i64);
                // SAFETY: display and drawable are live by the promise made to `SyncControl::glx`.
                let done = unsafe { get(display, drawable, &raw mut ust, &raw mut msc, &raw mut sbc) };
                if done == 0 {
                    return None;
                }
                (u64::try_from(ust).ok()?, u64::try_from(msc).ok()?)
            }
            Self::Egl { get, display, surface } => {
                let (mut ust, mut msc, mut sbc) = (0_u64, 0_u64, 0_u64);
                // SAFETY: display and surface are live by the promise made to `SyncControl::egl`.
                let done = unsafe { get(display, surface, &raw mut ust, &raw mut msc, &raw mut sbc) };
                if done == 0 {
                    return None;
                }
                (ust, msc)
            }
        };
        (ust > 0).then_some((ust, msc))
    }
}

impl VsyncSource for SyncControl {
    fn name(&self) -> &'static str {
        match self.call {
            Call::Glx { .. } => "GLX_OML_sync_control",
            Call::Egl { .. } => "EGL_CHROMIUM_sync_control",
        }
    }

    /// Which refresh showed a frame is not said.
    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        false
    }

    fn before_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {
        match self.call.ask() {
            None => self.failed = true,
            Some((ust, msc)) => {
                if self.last.replace(msc) != Some(msc) {
                    self.sample = Some(VblankSample {
                        at: Timestamp::from_nanos(ust.saturating_mul(1_000)),
                        sequence: Some(msc),
                        period: None,
                        origin: Origin::Compositor,
                    });
                }
            }
        }
    }

    fn poll(&mut self, _now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        if self.failed {
            return Err(SourceError::new("the driver returns failure"));
        }
        if let Some(sample) = self.sample.take() {
            sink(SourceEvent::Vblank(sample));
        }
        Ok(())
    }
}

/// Whether `name` is a word of the list, and not only a part of one.
fn is_listed(list: &CStr, name: &[u8]) -> bool {
    list.to_bytes().split(|b| *b == b' ').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &CStr = c"GLX_ARB_multisample GLX_OML_sync_control GLX_EXT_swap";
    const OTHERS: &CStr = c"GLX_ARB_multisample GLX_OML_sync_control_2 xGLX_OML_sync_control";

    unsafe extern "C" fn lists(display: *mut c_void, screen: c_int) -> *const c_char {
        // The tests hand the list over as the display.
        if screen == 0 { display.cast_const().cast() } else { std::ptr::null() }
    }

    unsafe extern "C" fn works(
        _: *mut c_void,
        drawable: c_ulong,
        ust: *mut i64,
        msc: *mut i64,
        _: *mut i64,
    ) -> c_int {
        // SAFETY: what `Call::ask` hands over.
        unsafe { (*ust, *msc) = (i64::try_from(drawable).unwrap(), 7) };
        1
    }

    unsafe extern "C" fn fails(_: *mut c_void, _: c_ulong, ust: *mut i64, _: *mut i64, _: *mut i64) -> c_int {
        // SAFETY: what `Call::ask` hands over.
        unsafe { *ust = 1 };
        0
    }

    fn open(list: &CStr, screen: c_int, get: Option<GetGlx>, ust: c_ulong) -> Result<SyncControl, String> {
        let loader = |name: &CStr| -> *const c_void {
            match name.to_bytes() {
                b"glXQueryExtensionsString" => lists as *const c_void,
                _ => get.map_or(std::ptr::null(), |f| f as *const c_void),
            }
        };
        // SAFETY: the functions above do not take the display for one.
        unsafe { SyncControl::glx(list.as_ptr().cast_mut().cast(), screen, ust, &loader) }
            .map_err(|e| e.to_string())
    }

    #[test]
    fn only_a_listed_and_working_extension_is_used() {
        for (list, screen, get, ust, why) in [
            (OTHERS, 0, Some(works as GetGlx), 5, "not offered"),
            (c"", 0, Some(works as GetGlx), 5, "not offered"),
            (LIST, 1, Some(works as GetGlx), 5, "does not list"),
            (LIST, 0, None, 5, "no functions"),
            (LIST, 0, Some(fails as GetGlx), 5, "returns failure"),
            (LIST, 0, Some(works as GetGlx), 0, "returns failure"),
        ] {
            let got = open(list, screen, get, ust).map(|s| s.name());
            assert!(got.as_ref().is_err_and(|e| e.contains(why)), "{list:?}: {got:?}, not {why}");
        }
        let mut source = open(LIST, 0, Some(works), 5_000_000).expect("it is listed and works");
        let mut samples = Vec::new();
        for id in 1..=3 {
            source.after_swap(FrameId(id), Timestamp::ZERO);
            source.poll(Timestamp::ZERO, &mut |event| samples.push(event)).expect("it works");
        }
        let [SourceEvent::Vblank(sample)] = samples[..] else {
            panic!("one refresh, told once: {samples:?}")
        };
        assert_eq!((sample.at.as_nanos(), sample.sequence), (5_000_000_000, Some(7)));
    }
}
