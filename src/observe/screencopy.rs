use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalList, GlobalListContents};
use wayland_client::protocol::{wl_buffer, wl_output, wl_registry, wl_shm, wl_shm_pool};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use super::error::{Error, Result};
use super::regions::{self, Rect};
use super::view::View;
use super::wayland::registry;
use super::{WHITE, pause};
use crate::time::{Clock as _, MonotonicClock, Timestamp};

/// A compositor has the first copy of a region ready within a refresh or two; the rest is for a machine that is busy.
const FIRST_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks for a copy that is waited for.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// Copies are only asked for while somebody looks: after as long without a look what has come is not the newest.
const ABSENT: Duration = Duration::from_millis(100);
/// After so many refreshes without a copy there is nothing newer.
const QUIET_REFRESHES: u32 = 3;
/// Bounds for that, whatever rate the output says that it has.
const QUIET: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// A stamp that is older when it comes, or lies ahead, is of another clock than ours.
const STALE: Duration = Duration::from_secs(1);
/// The version with `copy_with_damage`.
const VERSION: u32 = 2;

/// What is on the first output of a compositor that has wlr-screencopy, in small regions about the points that are asked
/// for.
///
/// For every region one request is always waiting at the compositor, which answers it when it commits something new
/// ("copy with damage"). A look takes in what has come and does not wait, except the first one at new points, and one
/// after a time without looks: it waits three refreshes until nothing newer comes. Each
/// answer carries the time of the commit, [`stamp`](View::stamp): it is when the compositor handed the picture to
/// its output, not when a monitor showed it. A waiting request makes the compositor finish one more refresh after each
/// change; it draws nothing in it.
///
/// Coordinates are the compositor's logical ones.
#[derive(Debug)]
pub struct Screencopy {
    queue: EventQueue<State>,
    globals: GlobalList,
    shm: wl_shm::WlShm,
    output: wl_output::WlOutput,
    state: State,
    looked: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    regions: Vec<Region>,
    /// Copies that have come.
    copies: u64,
    mode: (u32, u32),
    refresh_millihertz: u32,
    scale: u32,
    /// Whether the output stands on its side.
    turned: bool,
    stamp: Option<Timestamp>,
    error: Option<Error>,
}

#[derive(Debug)]
struct Region {
    rect: Rect,
    /// Of its own, because a compositor counts what has changed for each of them.
    manager: ZwlrScreencopyManagerV1,
    shm: wl_shm::WlShm,
    output: wl_output::WlOutput,
    file: File,
    copies: Option<Copies>,
    /// The newest copy, as it came.
    bytes: Vec<u8>,
    there: bool,
}

/// The buffer that copies come into, and what a copy looks like.
#[derive(Debug)]
struct Copies {
    buffer: wl_buffer::WlBuffer,
    form: Form,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Form {
    width: u32,
    height: u32,
    stride: u32,
    /// Red is the lowest byte, not the third.
    red_first: bool,
    format: wl_shm::Format,
}

impl Screencopy {
    /// Of the compositor that listens at `socket`.
    ///
    /// # Errors
    /// When none answers there, or it has no screencopy with damage (wlr-screencopy-v1, version 2).
    pub fn connect(socket: &Path) -> Result<Self> {
        let (globals, mut queue) = registry::<State>(socket)?;
        let handle = queue.handle();
        let lacks = |what| Error::Lacks { server: "the compositor".into(), what };
        // Asked for now, so that what is missing is known before a program is started.
        let manager: ZwlrScreencopyManagerV1 = globals
            .bind(&handle, VERSION..=VERSION, ())
            .map_err(|_| lacks("screencopy (wlr-screencopy-v1, version 2)"))?;
        manager.destroy();
        let shm = globals.bind(&handle, 1..=1, ()).map_err(|_| lacks("shared memory (wl_shm)"))?;
        let output = globals.bind(&handle, 2..=2, ()).map_err(|_| lacks("output"))?;
        let mut state = State { scale: 1, ..State::default() };
        queue.roundtrip(&mut state).map_err(Error::wayland)?;
        if state.mode.0 == 0 || state.mode.1 == 0 {
            return Err(lacks("output that is on"));
        }
        Ok(Self { queue, globals, shm, output, state, looked: MonotonicClock.now() })
    }

    /// Takes in what has come, without waiting.
    fn take(&mut self) -> Result<()> {
        self.queue.flush().map_err(Error::wayland)?;
        if let Some(guard) = self.queue.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(Error::wayland(e)),
            }
        }
        self.queue.dispatch_pending(&mut self.state).map_err(Error::wayland)?;
        // The next requests were made while the answers were taken in.
        self.queue.flush().map_err(Error::wayland)?;
        self.state.error.take().map_or(Ok(()), Err)
    }

    /// Takes in what comes until it is the newest.
    fn catch_up(&mut self) -> Result<()> {
        let refresh = 1e3 / f64::from(self.state.refresh_millihertz.max(1));
        let quiet = Duration::from_secs_f64(refresh * f64::from(QUIET_REFRESHES)).clamp(QUIET.0, QUIET.1);
        let began = MonotonicClock.now();
        let (mut since, mut copies) = (began, self.state.copies);
        loop {
            self.take()?;
            let now = MonotonicClock.now();
            if self.state.copies != copies {
                (since, copies) = (now, self.state.copies);
            }
            // A picture that never rests is as new as it gets after a while.
            if now.saturating_since(since) >= quiet || now.saturating_since(began) >= 4 * quiet {
                return Ok(());
            }
            pause(ASK_EVERY);
        }
    }

    /// Has copies made of what lies about `points`, and waits for the first ones.
    fn watch(&mut self, points: &[(u32, u32)]) -> Result<()> {
        let handle = self.queue.handle();
        let (width, _) = self.size();
        let known: Vec<Rect> = self.state.regions.iter().map(|r| r.rect).collect();
        for rect in regions::about(points, &known, width) {
            let manager = self.globals.bind(&handle, VERSION..=VERSION, ());
            let manager: ZwlrScreencopyManagerV1 =
                manager.map_err(|_| Error::Lacks { server: "the compositor".into(), what: "screencopy" })?;
            let region = Region {
                rect,
                manager,
                shm: self.shm.clone(),
                output: self.output.clone(),
                file: tempfile::tempfile().map_err(Error::io("a file for copies of the screen"))?,
                copies: None,
                bytes: Vec::new(),
                there: false,
            };
            region.ask(self.state.regions.len(), &handle);
            self.state.regions.push(region);
        }
        let end = MonotonicClock.now() + FIRST_LIMIT;
        while self.state.regions.iter().any(|region| !region.there) {
            self.take()?;
            if MonotonicClock.now() > end {
                return Err(Error::NotReady {
                    server: "screencopy",
                    said: "no copy of the screen came".into(),
                });
            }
            pause(ASK_EVERY);
        }
        Ok(())
    }
}

impl View for Screencopy {
    fn name(&self) -> &'static str {
        "wlr-screencopy"
    }

    fn size(&self) -> (u32, u32) {
        let (width, height) = (self.state.mode.0 / self.state.scale, self.state.mode.1 / self.state.scale);
        if self.state.turned { (height, width) } else { (width, height) }
    }

    fn look(&mut self, points: &[(u32, u32)], pixels: &mut [u32]) -> Result<()> {
        let size = self.size();
        if let Some(&at) = points.iter().find(|(x, y)| *x >= size.0 || *y >= size.1) {
            return Err(Error::Outside { at, size });
        }
        let covered = |at: &(u32, u32)| self.state.regions.iter().any(|region| region.rect.contains(*at));
        if !points.iter().all(covered) {
            self.watch(points)?;
        } else if MonotonicClock.now().saturating_since(self.looked) > ABSENT {
            self.catch_up()?;
        } else {
            self.take()?;
        }
        self.looked = MonotonicClock.now();
        for (pixel, &at) in pixels.iter_mut().zip(points) {
            let found = self.state.regions.iter().find(|region| region.rect.contains(at));
            *pixel = found.and_then(|region| region.pixel(at)).unwrap_or_default();
        }
        Ok(())
    }

    fn stamp(&self) -> Option<Timestamp> {
        self.state.stamp
    }
}

impl Region {
    /// Has the next change copied.
    fn ask(&self, index: usize, handle: &QueueHandle<State>) {
        let [x, y, width, height] = self.rect.whole();
        self.manager.capture_output_region(0, &self.output, x, y, width, height, handle, index);
    }

    /// The frame is described: the copy goes into our buffer, which is made anew when its form has changed.
    fn copy(&mut self, frame: &ZwlrScreencopyFrameV1, form: Form, handle: &QueueHandle<State>) -> Result<()> {
        if self.copies.as_ref().is_none_or(|copies| copies.form != form) {
            if let Some(old) = self.copies.take() {
                old.buffer.destroy();
            }
            let size = form.stride.checked_mul(form.height).and_then(|size| i32::try_from(size).ok());
            let size =
                size.filter(|_| form.stride / 4 >= form.width && form.height > 0).ok_or_else(strange)?;
            self.file
                .set_len(u64::from(size.unsigned_abs()))
                .map_err(Error::io("room for copies of the screen"))?;
            self.bytes = vec![0; size.unsigned_abs() as usize];
            let pool = self.shm.create_pool(self.file.as_fd(), size, handle, ());
            let [width, height, stride] = [form.width, form.height, form.stride].map(u32::cast_signed);
            let buffer = pool.create_buffer(0, width, height, stride, form.format, handle, ());
            pool.destroy();
            self.copies = Some(Copies { buffer, form });
        }
        if let Some(copies) = &self.copies {
            frame.copy_with_damage(&copies.buffer);
        }
        Ok(())
    }

    fn pixel(&self, at: (u32, u32)) -> Option<u32> {
        let form = self.copies.as_ref()?.form;
        // One logical pixel is several of a scaled output; the first of them.
        let (x, y) = self.rect.inside(at, (form.width, form.height))?;
        let from = y as usize * form.stride as usize + x as usize * 4;
        let bytes = self.bytes.get(from..from + 4)?.try_into().ok()?;
        let raw = u32::from_le_bytes(bytes);
        Some(if form.red_first { raw.swap_bytes() >> 8 } else { raw } & WHITE)
    }
}

fn strange() -> Error {
    Error::Lacks {
        server: "the compositor".into(),
        what: "form of copies that is known (8 bits per channel)",
    }
}

impl Dispatch<ZwlrScreencopyFrameV1, usize> for State {
    fn event(
        state: &mut Self,
        frame: &ZwlrScreencopyFrameV1,
        event: zwlr_screencopy_frame_v1::Event,
        &index: &usize,
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        use zwlr_screencopy_frame_v1::Event;
        let Some(region) = state.regions.get_mut(index) else { return };
        match event {
            Event::Buffer { format, width, height, stride } => {
                let format = match format {
                    WEnum::Value(format) => format,
                    WEnum::Unknown(_) => return state.error = Some(strange()),
                };
                let red_first = match format {
                    wl_shm::Format::Xrgb8888 | wl_shm::Format::Argb8888 => false,
                    wl_shm::Format::Xbgr8888 | wl_shm::Format::Abgr8888 => true,
                    _ => return state.error = Some(strange()),
                };
                let form = Form { width, height, stride, red_first, format };
                if let Err(e) = region.copy(frame, form, handle) {
                    state.error = Some(e);
                }
            }
            Event::Ready { tv_sec_hi, tv_sec_lo, tv_nsec } => {
                let seconds = u64::from(tv_sec_hi) << 32 | u64::from(tv_sec_lo);
                let at = seconds.saturating_mul(1_000_000_000).saturating_add(u64::from(tv_nsec));
                if let Err(e) = region.file.read_exact_at(&mut region.bytes, 0) {
                    state.error = Some(Error::Io { what: "a copy of the screen", source: e });
                }
                region.there = true;
                state.copies += 1;
                region.ask(index, handle);
                frame.destroy();
                let (at, now) = (Timestamp::from_nanos(at), MonotonicClock.now());
                if at <= now && now.saturating_since(at) < STALE {
                    state.stamp = state.stamp.max(Some(at));
                }
            }
            // As when the output is switched off meanwhile; it may be on again the next time.
            Event::Failed => {
                region.ask(index, handle);
                frame.destroy();
            }
            _ => {}
        }
    }
}

impl Dispatch<wl_output::WlOutput, ()> for State {
    fn event(
        state: &mut Self,
        _: &wl_output::WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use wl_output::{Event, Mode};
        match event {
            Event::Mode { flags: WEnum::Value(flags), width, height, refresh }
                if flags.contains(Mode::Current) =>
            {
                state.mode = (width.unsigned_abs(), height.unsigned_abs());
                state.refresh_millihertz = refresh.unsigned_abs();
            }
            Event::Scale { factor } => state.scale = factor.max(1).unsigned_abs(),
            Event::Geometry { transform: WEnum::Value(transform), .. } => {
                // Every second of the eight ways lies on its side.
                state.turned = u32::from(transform) % 2 == 1;
            }
            _ => {}
        }
    }
}

ignore_registry!(State);

delegate_noop!(State: ignore wl_shm::WlShm);
delegate_noop!(State: ignore wl_buffer::WlBuffer);
delegate_noop!(State: wl_shm_pool::WlShmPool);
delegate_noop!(State: ZwlrScreencopyManagerV1);
