use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{wl_buffer, wl_output, wl_registry, wl_shm, wl_shm_pool};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use super::WHITE;
use super::error::{Error, Result};
use super::sway::Sway;
use super::wayland::registry;
use crate::time::{Clock as _, MonotonicClock};

/// The copied part of the output: small, so that copying costs the compositor nothing worth mentioning.
const SIDE: i32 = 8;

/// A frame of the compositor.
#[derive(Copy, Clone, Debug)]
pub struct Captured {
    /// When it was displayed, in nanoseconds of the compositor's clock.
    pub at: u64,
    /// Its first copied pixel.
    pub pixel: u32,
}

#[derive(Debug, Default)]
struct State {
    format: Option<(u32, u32, u32, u32)>,
    ready: Option<u64>,
    failed: bool,
}

/// The frames of a compositor, one after another (wlr-screencopy): which of them show something new. What is copied is
/// so small that it costs the compositor nothing worth mentioning.
#[derive(Debug)]
pub struct Capture {
    queue: EventQueue<State>,
    state: State,
    manager: ZwlrScreencopyManagerV1,
    shm: wl_shm::WlShm,
    output: wl_output::WlOutput,
    file: File,
    buffer: Option<wl_buffer::WlBuffer>,
}

impl Capture {
    /// Of the first output.
    ///
    /// # Errors
    /// When the compositor is gone, or has no screencopy.
    pub fn connect(sway: &Sway) -> Result<Self> {
        Self::connect_to(&sway.socket())
    }

    /// The same by the compositor's socket.
    ///
    /// # Errors
    /// When no compositor answers there, or it has no screencopy.
    pub fn connect_to(socket: &Path) -> Result<Self> {
        let (globals, queue) = registry::<State>(socket)?;
        let handle = queue.handle();
        let lacks = |what| Error::Lacks { server: "the compositor".into(), what };
        Ok(Self {
            manager: globals.bind(&handle, 1..=1, ()).map_err(|_| lacks("wlr-screencopy-v1"))?,
            shm: globals.bind(&handle, 1..=1, ()).map_err(|_| lacks("shared memory"))?,
            output: globals.bind(&handle, 1..=1, ()).map_err(|_| lacks("output"))?,
            file: tempfile::tempfile().map_err(Error::io("a file for copies of the screen"))?,
            state: State::default(),
            queue,
            buffer: None,
        })
    }

    /// Copies the pixels about (x, y) of each frame for `span`.
    ///
    /// # Errors
    /// When the compositor is gone, or copies in a form that we do not know.
    pub fn frames(&mut self, (x, y): (i32, i32), span: Duration) -> Result<Vec<Captured>> {
        let end = MonotonicClock.now() + span;
        let mut seen = Vec::new();
        while MonotonicClock.now() < end {
            let handle = self.queue.handle();
            (self.state.format, self.state.ready, self.state.failed) = (None, None, false);
            let frame = self.manager.capture_output_region(0, &self.output, x, y, SIDE, SIDE, &handle, ());
            while self.state.format.is_none() && !self.state.failed {
                self.queue.blocking_dispatch(&mut self.state).map_err(Error::wayland)?;
            }
            let Some(layout) = self.state.format else { continue };
            if self.buffer.is_none() {
                self.buffer = Some(self.make_buffer(layout)?);
            }
            if let Some(buffer) = &self.buffer {
                frame.copy(buffer);
            }
            while self.state.ready.is_none() && !self.state.failed {
                self.queue.blocking_dispatch(&mut self.state).map_err(Error::wayland)?;
            }
            frame.destroy();
            if let Some(at) = self.state.ready {
                let mut raw = [0; 4];
                self.file.read_exact_at(&mut raw, 0).map_err(Error::io("a copy of the screen"))?;
                seen.push(Captured { at, pixel: u32::from_le_bytes(raw) & WHITE });
            }
        }
        Ok(seen)
    }

    fn make_buffer(
        &self,
        (format, width, height, stride): (u32, u32, u32, u32),
    ) -> Result<wl_buffer::WlBuffer> {
        let strange =
            || Error::Lacks { server: "the compositor".into(), what: "form of copies that is known" };
        let handle = self.queue.handle();
        let format = wl_shm::Format::try_from(format).map_err(|_| strange())?;
        let size =
            stride.checked_mul(height).and_then(|size| i32::try_from(size).ok()).ok_or_else(strange)?;
        self.file
            .set_len(u64::from(size.unsigned_abs()))
            .map_err(Error::io("a file for copies of the screen"))?;
        let pool = self.shm.create_pool(self.file.as_fd(), size, &handle, ());
        let [width, height, stride] = [width, height, stride].map(u32::cast_signed);
        Ok(pool.create_buffer(0, width, height, stride, format, &handle, ()))
    }
}

ignore_registry!(State);

impl Dispatch<ZwlrScreencopyFrameV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrScreencopyFrameV1,
        event: zwlr_screencopy_frame_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use zwlr_screencopy_frame_v1::Event;
        match event {
            Event::Buffer { format: WEnum::Value(format), width, height, stride } => {
                state.format = Some((format.into(), width, height, stride));
            }
            Event::Ready { tv_sec_hi, tv_sec_lo, tv_nsec } => {
                let seconds = u64::from(tv_sec_hi) << 32 | u64::from(tv_sec_lo);
                state.ready = Some(seconds * 1_000_000_000 + u64::from(tv_nsec));
            }
            Event::Failed => state.failed = true,
            _ => {}
        }
    }
}

delegate_noop!(State: ignore wl_shm::WlShm);
delegate_noop!(State: ignore wl_output::WlOutput);
delegate_noop!(State: ignore wl_buffer::WlBuffer);
delegate_noop!(State: wl_shm_pool::WlShmPool);
delegate_noop!(State: ZwlrScreencopyManagerV1);
