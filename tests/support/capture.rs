//! The frames of a compositor without a screen, one after another (wlr-screencopy): which of them show something new.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{wl_buffer, wl_output, wl_registry, wl_shm, wl_shm_pool};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use super::sway::Sway;

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

#[derive(Default)]
struct State {
    format: Option<(u32, u32, u32, u32)>,
    ready: Option<u64>,
    failed: bool,
}

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
    pub fn connect(sway: &Sway) -> Self {
        let stream = UnixStream::connect(sway.socket()).expect("the compositor's socket");
        let connection = Connection::from_socket(stream).expect("a Wayland connection");
        let (globals, queue) = registry_queue_init::<State>(&connection).expect("the registry");
        let handle = queue.handle();
        Self {
            manager: globals.bind(&handle, 1..=1, ()).expect("wlr-screencopy-v1 in the compositor"),
            shm: globals.bind(&handle, 1..=1, ()).expect("shared memory"),
            output: globals.bind(&handle, 1..=1, ()).expect("an output"),
            file: tempfile::tempfile().expect("a temporary file"),
            state: State::default(),
            queue,
            buffer: None,
        }
    }

    /// Copies the pixels about (x, y) of each frame for `span`.
    pub fn frames(&mut self, (x, y): (i32, i32), span: Duration) -> Vec<Captured> {
        let end = Instant::now() + span;
        let mut seen = Vec::new();
        while Instant::now() < end {
            let handle = self.queue.handle();
            (self.state.format, self.state.ready, self.state.failed) = (None, None, false);
            let frame = self.manager.capture_output_region(0, &self.output, x, y, SIDE, SIDE, &handle, ());
            while self.state.format.is_none() && !self.state.failed {
                self.queue.blocking_dispatch(&mut self.state).expect("a live compositor");
            }
            let Some((format, width, height, stride)) = self.state.format else { continue };
            let buffer = self.buffer.get_or_insert_with(|| {
                let size = stride * height;
                self.file.set_len(size.into()).expect("room for a copy");
                let size = size.try_into().expect("a small copy");
                let pool = self.shm.create_pool(self.file.as_fd(), size, &handle, ());
                let format = wl_shm::Format::try_from(format).expect("a known format");
                let [width, height, stride] = [width, height, stride].map(u32::cast_signed);
                pool.create_buffer(0, width, height, stride, format, &handle, ())
            });
            frame.copy(buffer);
            while self.state.ready.is_none() && !self.state.failed {
                self.queue.blocking_dispatch(&mut self.state).expect("a live compositor");
            }
            frame.destroy();
            if let Some(at) = self.state.ready {
                let mut raw = [0; 4];
                self.file.read_exact_at(&mut raw, 0).expect("the copy");
                seen.push(Captured { at, pixel: u32::from_le_bytes(raw) & super::WHITE });
            }
        }
        seen
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

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
