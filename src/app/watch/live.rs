//! A program that is watched: read now and then, figures kept, also when it has ended, and followed when it comes back.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use scanout::Error;
use scanout::stats::{FrameRecord, Recorder};
use scanout::telemetry::shared::{self, AttachError, Attached};
use scanout::telemetry::{About, State};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::frame_csv::FrameCsv;

/// Frames that are kept for the strip: more than terminals are wide.
const KEPT: usize = 512;
/// How often to look whether the program is still there, or is there again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Where the program stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Status {
    /// It was not there yet.
    Waited,
    /// It draws nothing yet.
    Starting,
    Running,
    /// Its run is over.
    Ended,
    /// It went away without ending its run.
    Died,
    /// It is there, and cannot be read any more.
    Refused(String),
}

/// What is known of the program.
pub struct Live {
    pub name: String,
    pub status: Status,
    pub pid: Option<u32>,
    pub about: About,
    pub figures: Recorder,
    /// The newest frames, oldest first.
    pub frames: VecDeque<FrameRecord>,
    /// Since when the figures are collected.
    pub since: Timestamp,
    /// Whether frames count that were drawn before.
    pub earlier: bool,
    pub overwritten: u64,
    pub refused: u64,
    attached: Option<Attached>,
    /// Nothing that it draws later was missed.
    attached_at: Timestamp,
    identity: Option<u64>,
    /// Nothing of the present run is in the figures yet.
    new_run: bool,
    looked: Timestamp,
    log: Option<FrameCsv>,
    log_failed: Option<Error>,
}

impl Live {
    /// Attaches to the program of that name; with `wait` it may come later. With `earlier` the frames count that its table has
    /// by now, otherwise only those that come from now on.
    pub fn new(name: &str, wait: bool, earlier: bool) -> Result<Self, AttachError> {
        let attached = match shared::attach(name) {
            Ok(mut attached) => {
                if !earlier {
                    attached.reader.skip();
                }
                Some(attached)
            }
            Err(AttachError::NotThere(_) | AttachError::Gone { .. }) if wait => None,
            Err(e) => return Err(e),
        };
        let now = MonotonicClock.now();
        let mut live = Self {
            name: name.to_owned(),
            status: Status::Waited,
            pid: None,
            about: About::default(),
            figures: Recorder::new(0, Duration::ZERO),
            frames: VecDeque::with_capacity(KEPT),
            since: now,
            earlier,
            overwritten: 0,
            refused: 0,
            attached: None,
            attached_at: now,
            identity: None,
            new_run: true,
            looked: now,
            log: None,
            log_failed: None,
        };
        if let Some(attached) = attached {
            live.follow(attached, now);
        }
        Ok(live)
    }

    /// From now on every frame goes to a file as well.
    pub fn log_to(&mut self, path: &Path) -> Result<(), super::Failure> {
        self.log = Some(FrameCsv::create(path)?);
        Ok(())
    }

    /// Whether frames go to a file.
    pub const fn logs(&self) -> bool {
        self.log.is_some()
    }

    /// Forgets the figures so far.
    pub fn reset(&mut self) {
        self.begin(MonotonicClock.now());
    }

    fn begin(&mut self, since: Timestamp) {
        self.figures = Recorder::new(self.about.warmup, self.about.refresh);
        self.figures.set_refresh(self.about.refresh, self.about.interval);
        self.frames.clear();
        self.since = since;
        (self.overwritten, self.refused) = (0, 0);
    }

    /// Whether frames can still come from the program as it was found.
    pub const fn going_on(&self) -> bool {
        matches!(self.status, Status::Waited | Status::Starting | Status::Running)
    }

    /// Reads what is new. Returns how many frames that were.
    pub fn look(&mut self) -> Result<u64, Error> {
        let now = MonotonicClock.now();
        let before = self.looked;
        let due = now.saturating_since(before) >= LOOK_EVERY;
        if due {
            self.looked = now;
        }
        let read = self.read(due);
        if due && !matches!(self.status, Status::Starting | Status::Running) {
            self.look_again(before);
        }
        if due && let Some(log) = &mut self.log {
            log.flush()?;
        }
        self.log_failed.take().map_or(Ok(read), Err)
    }

    fn read(&mut self, ask: bool) -> u64 {
        let Some(mut attached) = self.attached.take() else { return 0 };
        // Before the frames are read: what is dead writes no more.
        let alive = !ask || attached.alive();
        let state = attached.reader.state();
        let about = attached.reader.about();
        if let Some(about) = about.filter(|about| *about != self.about || self.new_run) {
            self.about = about;
            if !self.new_run {
                self.figures.set_refresh(self.about.refresh, self.about.interval);
            }
        } else if self.new_run && self.about == About::default() && alive && state == State::Starting {
            self.attached = Some(attached);
            return 0;
        }
        let (overwritten, refused) = (attached.reader.overwritten(), attached.reader.refused());
        let mut take = |record: FrameRecord| self.take(record);
        let read = if alive { attached.reader.poll(&mut take) } else { attached.reader.rest(&mut take) };
        // Before the first frame of a run, the figures are still those of the one before it.
        let (figures, counts) = (&mut self.figures, !self.new_run);
        attached.reader.refreshes(|refresh| {
            if counts {
                refresh.phase_error.into_iter().for_each(|nanos| figures.phase_error(nanos));
                figures.vblank(refresh.sample);
            }
        });
        self.overwritten += attached.reader.overwritten() - overwritten;
        self.refused += attached.reader.refused() - refused;
        self.status = match state {
            State::Ended => Status::Ended,
            _ if !alive => Status::Died,
            State::Starting => Status::Starting,
            _ => Status::Running,
        };
        if matches!(self.status, Status::Starting | Status::Running) {
            self.attached = Some(attached);
        }
        read
    }

    fn take(&mut self, record: FrameRecord) {
        if std::mem::take(&mut self.new_run) {
            // The last figures stay until there are new ones.
            self.begin(self.attached_at);
        }
        if let Some(log) = &mut self.log
            && self.log_failed.is_none()
        {
            self.log_failed = log.push(&record).err();
        }
        self.figures.replayed(record);
        if self.frames.len() == KEPT {
            self.frames.pop_front();
        }
        self.frames.push_back(record);
    }

    /// Whether the program is there again, which it was not at the look `before`: all that it has drawn is new.
    fn look_again(&mut self, before: Timestamp) {
        match shared::attach(&self.name) {
            Ok(attached) if Some(attached.identity()) != self.identity => self.follow(attached, before),
            Ok(_) | Err(AttachError::NotThere(_) | AttachError::Gone { .. }) => {}
            Err(e) => self.status = Status::Refused(e.to_string()),
        }
    }

    fn follow(&mut self, attached: Attached, at: Timestamp) {
        self.attached_at = at;
        (self.identity, self.pid) = (Some(attached.identity()), Some(attached.pid));
        (self.status, self.new_run) = (Status::Starting, true);
        self.about = About::default();
        self.attached = Some(attached);
    }

    /// What was logged is in its file.
    pub fn close(mut self) -> Result<(), super::Failure> {
        self.log.as_mut().map_or(Ok(()), FrameCsv::flush).map_err(super::Failure::from)
    }
}
