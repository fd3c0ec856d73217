mod events;
mod region;

use std::path::Path;
use std::time::Duration;

use wayland_client::EventQueue;
use wayland_client::globals::GlobalList;
use wayland_client::protocol::{wl_output, wl_shm};
use wayland_protocols_wlr::screencopy::v1::client::zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1;

use super::error::{Error, Result};
use super::regions::{self, Rect};
use super::view::View;
use super::wayland::{flush, registry, take_in};
use super::{Area, pause};
use crate::time::{Clock as _, MonotonicClock, Timestamp};
use region::{Region, Wanted};

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
/// Regions that wait at the compositor at the same time: beyond that, those that nobody asks for any more are given back.
const MOST: usize = 16;
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
    /// The one of the picture that is being taken.
    whole: Option<Region>,
    /// Regions that there have been.
    made: u64,
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
        flush(&self.queue)?;
        take_in(&mut self.queue, &mut self.state)?;
        // The next requests were made while the answers were taken in.
        flush(&self.queue)?;
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
        let (width, _) = self.size();
        let known: Vec<Rect> = self.state.regions.iter().map(|r| r.rect).collect();
        let wanted = regions::about(points, &known, width);
        if known.len() + wanted.len() > MOST {
            let is_asked_for = |rect: Rect| points.iter().any(|&at| rect.contains(at));
            self.state.regions.retain(|region| is_asked_for(region.rect));
        }
        for rect in wanted {
            let region = self.region(rect, Wanted::Changes)?;
            self.state.regions.push(region);
        }
        self.wait(|state| state.regions.iter().all(|region| region.there))
    }

    /// One more, whose first copy is asked for.
    fn region(&mut self, rect: Rect, wanted: Wanted) -> Result<Region> {
        let handle = self.queue.handle();
        let manager = self.globals.bind(&handle, VERSION..=VERSION, ());
        let manager: ZwlrScreencopyManagerV1 =
            manager.map_err(|_| Error::Lacks { server: "the compositor".into(), what: "screencopy" })?;
        self.state.made += 1;
        let mut region = Region::new(self.state.made, (rect, wanted), manager, (&self.shm, &self.output))?;
        region.ask(&handle);
        Ok(region)
    }

    /// Takes in what comes until that holds.
    fn wait(&mut self, is_there: impl Fn(&State) -> bool) -> Result<()> {
        let end = MonotonicClock.now() + FIRST_LIMIT;
        while !is_there(&self.state) {
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

    fn picture(&mut self, area: Area, pixels: &mut Vec<u32>) -> Result<()> {
        area.check_inside(self.size())?;
        let Area { x, y, width, height } = area;
        let region = self.region(Rect { x, y, width, height }, Wanted::Now)?;
        self.state.whole = Some(region);
        let came = self.wait(|state| state.whole.as_ref().is_some_and(|region| region.there));
        let region = self.state.whole.take();
        came?;
        if let Some(region) = region {
            region.pixels(pixels);
        }
        flush(&self.queue)
    }

    fn stamp(&self) -> Option<Timestamp> {
        self.state.stamp
    }
}
