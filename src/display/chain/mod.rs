//! The sources of a window from best to worst, and which of them is believed. Pure: `now` is passed in.
//!
//! ```text
//!            fault: Silent, Future, Past, ..               3 believable stamps after probes
//!  in use ────────────────────────────────▶ put aside ────────────────────────────────────▶ in use
//!     │                                        │ probed after 1 s, 2 s, .. 60 s
//!     └───────── SourceError ─────▶ given up ◀─┘
//! ```
//!
//! Before silence is a fault it is a holdover: from three refresh intervals without an answer on the pacer is told to go by its
//! prediction alone, until the source speaks again, which costs nothing, or is put aside.

mod frames;
#[cfg(feature = "window")]
mod of_window;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::time::Duration;

use self::frames::{Frames, SwappedFrame, unanswered};
use super::watch::patience;
use super::{FreeTimer, RefreshRate, SourceError, SourceEvent, VsyncSource, Watch};
use crate::pacing::{Feedback, FrameId, Origin, Presentation, SAME_RATE};
use crate::time::Timestamp;

/// How often a source that was put aside is asked, at first. It costs one request.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A source that fails again and again is asked ever less often, down to this.
const PROBE_LEAST: Duration = Duration::from_secs(60);
/// So many believable stamps bring a source back.
const RECOVERED: u32 = 3;
/// A source that lasts this long after its return has not come back in vain.
const LASTED: Duration = Duration::from_secs(10);

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Standing {
    /// Nothing is known against it.
    Good,
    /// It failed; asked again from this time on.
    Aside { next_probe: Timestamp },
    /// It is of no use any more.
    GivenUp,
}

struct Link {
    source: Box<dyn VsyncSource>,
    watch: Watch,
    standing: Standing,
    probe_every: Duration,
    returned: Option<Timestamp>,
}

impl Link {
    fn new(source: Box<dyn VsyncSource>, period: Option<Duration>) -> Self {
        let watch = Watch::new(period);
        Self { source, watch, standing: Standing::Good, probe_every: PROBE_EVERY, returned: None }
    }
}

/// Holds the sources and hands on what the best one of them says that can be believed. The last one is always a
/// [`FreeTimer`].
///
/// A frame that no source answers for is told as [`Presentation::Estimated`] at the time at which the GPU was done with
/// it; as dropped while the window is known to be hidden, and where the source has measured a later frame.
pub struct Chain {
    links: Vec<Link>,
    active: usize,
    refused: Vec<(&'static str, SourceError)>,
    frames: Frames,
    period: Option<Duration>,
    hidden: bool,
    /// When a source that knows whether the window is shown last said anything.
    alive: Option<Timestamp>,
    told: Option<(&'static str, Origin)>,
    /// The source in use is silent, and that was told.
    holdover: bool,
    rate: RefreshRate,
}

impl Chain {
    /// A chain for a display of this nominal rate in Hz, where it is known.
    #[must_use]
    pub fn new(hz: Option<f64>) -> Self {
        let period = hz.filter(|hz| *hz >= 1.0).map(|hz| Duration::from_secs_f64(1.0 / hz));
        let timer = Link::new(Box::new(FreeTimer::new(period.map(|p| 1.0 / p.as_secs_f64()))), period);
        Self {
            links: vec![timer],
            active: 0,
            refused: Vec::new(),
            frames: Frames::default(),
            period,
            hidden: false,
            alive: None,
            told: None,
            holdover: false,
            rate: RefreshRate::default(),
        }
    }

    /// Adds the next worse source, or notes why there is none.
    pub fn add(&mut self, name: &'static str, source: Result<Box<dyn VsyncSource>, SourceError>) {
        match source {
            Ok(source) => self.push(source),
            Err(why) => self.refused.push((name, why)),
        }
    }

    /// The display's nominal rate is `hz` from now on: another monitor, or another mode. All sources hear of it, and what they
    /// say is judged by it; what was measured counts anew. Returns whether anything changed: what is not a number from 1 on
    /// changes nothing, nor does the rate that it has.
    pub fn set_refresh(&mut self, hz: f64) -> bool {
        let same = self.period.is_some_and(|p| (hz * p.as_secs_f64() - 1.0).abs() < SAME_RATE);
        if same || !(hz.is_finite() && hz >= 1.0) {
            return false;
        }
        self.period = Some(Duration::from_secs_f64(1.0 / hz));
        self.rate = RefreshRate::default();
        for link in &mut self.links {
            link.watch = Watch::new(self.period);
            link.source.set_refresh(hz);
        }
        true
    }

    /// Before the timer, which stays the last.
    fn push(&mut self, source: Box<dyn VsyncSource>) {
        self.links.insert(self.links.len() - 1, Link::new(source, self.period));
    }

    /// Chooses the best source there is, and says in one log line which and why nothing better. Call it once, when all sources are
    /// added.
    pub fn start(&mut self) {
        self.active = self.best();
        let mut line = String::new();
        let chosen = &self.links[self.active].source;
        let _ = write!(line, "display times: {} ({})", chosen.name(), says(chosen.as_ref()));
        for (name, why) in &self.refused {
            let _ = write!(line, "; not {name}: {why}");
        }
        for link in &self.links[..self.active] {
            let _ = write!(line, "; not {}: nothing to say yet", link.source.name());
        }
        log::info!("{line}");
    }

    fn best(&self) -> usize {
        let usable = |l: &Link| l.standing == Standing::Good && l.source.ready();
        self.links.iter().position(usable).unwrap_or(self.links.len() - 1)
    }

    /// The name of the source in use and who stands behind it.
    #[must_use]
    pub fn source(&self) -> (&'static str, Origin) {
        let source = &self.links[self.active].source;
        (source.name(), source.origin())
    }

    /// The refresh rate measured so far, in Hz.
    #[must_use]
    pub fn measured_hz(&self) -> Option<f64> {
        self.rate.hz()
    }

    /// Whether the window was last said to be hidden.
    #[must_use]
    pub const fn hidden(&self) -> bool {
        self.hidden
    }

    /// How soon to poll again while something is expected.
    #[must_use]
    pub fn poll_every(&self) -> Duration {
        self.links[self.active].source.poll_every()
    }

    /// A swap follows on this thread, at `now`.
    pub fn before_swap(&mut self, id: FrameId, now: Timestamp) {
        // Whoever draws has a reason to; the source says so again if it is in vain.
        self.hidden = false;
        for (i, link) in self.links.iter_mut().enumerate() {
            if asks(link, i, self.active, now) {
                link.source.before_swap(id, now);
            }
        }
    }

    /// The swap returned. `began` is what [`before_swap`](Self::before_swap) was told.
    pub fn after_swap(&mut self, id: FrameId, began: Timestamp, now: Timestamp) {
        for (i, link) in self.links.iter_mut().enumerate() {
            if !asks(link, i, self.active, began) {
                continue;
            }
            link.source.after_swap(id, now);
            link.watch.asked(began);
            if let Standing::Aside { next_probe } = &mut link.standing {
                *next_probe = now + link.probe_every;
            }
        }
        self.frames.swapped(id);
    }

    /// The GPU was seen done with a frame. What became of it, where no source is going to say.
    pub fn gpu_done(&mut self, id: FrameId, at: Timestamp) -> Option<Presentation> {
        for link in self.links.iter_mut().filter(|l| l.standing != Standing::GivenUp) {
            link.source.gpu_done(id, at);
        }
        let link = &mut self.links[self.active];
        link.watch.due(at);
        if self.frames.gpu_done(id, at) && !link.source.answers() {
            self.frames.answer(id);
            return Some(Presentation::Estimated(at));
        }
        None
    }

    /// Passes on what has become known. Does not wait, and allocates nothing of its own.
    pub fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        if self.told.is_none() {
            self.tell(sink);
        }
        let mut visible = None;
        let mut nominal = None;
        let mut fault = None;
        let mut recovered = None;
        let witnessed =
            self.links.iter().any(|l| l.source.tells_visibility() && l.standing != Standing::GivenUp);
        for (i, link) in self.links.iter_mut().enumerate() {
            if link.standing == Standing::GivenUp {
                continue;
            }
            let Link { source, watch, .. } = link;
            let (active, used) = (self.active, i == self.active);
            let witness = source.tells_visibility();
            let (frames, rate, alive) = (&mut self.frames, &mut self.rate, &mut self.alive);
            let mut found = None;
            let polled = source.poll(now, &mut |event| {
                if let SourceEvent::Visible(shown) = event {
                    visible = Some(shown);
                    return;
                }
                if let SourceEvent::Rate(hz) = event {
                    nominal = Some(hz);
                    return;
                }
                if witness {
                    *alive = Some(now);
                }
                if let Err(why) = watch.event(&event, now) {
                    found = Some(why);
                } else if used {
                    match event {
                        SourceEvent::Vblank(sample) => {
                            rate.add(&sample);
                            sink(Feedback::Vblank(sample));
                        }
                        SourceEvent::Presented(id, presentation) => {
                            // A frame has one answer; what comes after an estimate is too late.
                            if frames.answered(id, presentation) {
                                sink(Feedback::Presented(id, presentation));
                            }
                        }
                        SourceEvent::Visible(_) | SourceEvent::Rate(_) => {}
                    }
                }
            });
            if let Err(why) = polled {
                link.standing = Standing::GivenUp;
                if used {
                    let lost = why.is_lost();
                    fault = Some((why.to_string(), lost));
                }
                continue;
            }
            if used && found.is_none() && !witness {
                found =
                    watch.check(now).filter(|_| !witnessed || shown_since(watch, self.alive, self.period));
            }
            match found {
                Some(why) if used => fault = Some((why.to_string(), false)),
                Some(_) => watch.reset(),
                None if i < active && link.source.ready() && link.watch.good() >= RECOVERED => {
                    recovered = recovered.or(Some(i));
                }
                None => {}
            }
        }
        if let Some(hz) = nominal
            && self.set_refresh(hz)
        {
            sink(Feedback::Rate(hz));
        }
        if let Some(shown) = visible {
            self.set_visible(shown, sink);
        }
        if let Some((why, lost)) = fault {
            self.fall(&why, lost, now, sink);
        } else if let Some(i) = recovered {
            self.rise(i, now, sink);
        }
        self.give_up_waiting(now, sink);
        self.tell(sink);
    }

    fn set_visible(&mut self, shown: bool, sink: &mut dyn FnMut(Feedback)) {
        self.hidden = !shown;
        for link in &mut self.links {
            link.watch.excuse();
        }
        // First, so that nobody takes what is dropped with it for a miss.
        sink(Feedback::Visible(shown));
        if self.hidden {
            // Should the last one come to be displayed when the window is shown again, that says nothing about it.
            self.frames.close(|_| Some(Presentation::Dropped), sink);
        }
    }

    fn fall(&mut self, why: &str, lost: bool, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        let link = &mut self.links[self.active];
        let name = link.source.name();
        let mut hope = "";
        if link.standing == Standing::Good {
            if link.returned.take().is_some_and(|at| now.saturating_since(at) < LASTED) {
                link.probe_every = (link.probe_every * 2).min(PROBE_LEAST);
            } else {
                link.probe_every = PROBE_EVERY;
            }
            link.standing = Standing::Aside { next_probe: now + link.probe_every };
            link.watch.reset();
            hope = ", until it recovers";
        }
        self.choose(self.best(), now, sink);
        let next = self.links[self.active].source.as_ref();
        let (next, says) = (next.name(), says(next));
        // A broken connection ends the run, and whoever ends it says why.
        let level = if lost { log::Level::Debug } else { log::Level::Warn };
        log::log!(level, "display times: {name} {why}; {next} ({says}) from now on{hope}");
    }

    fn rise(&mut self, i: usize, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        let before = std::mem::replace(&mut self.links[i].standing, Standing::Good);
        let again = if before == Standing::Good { "" } else { "again " };
        self.links[i].returned = Some(now);
        self.choose(i, now, sink);
        let source = self.links[i].source.as_ref();
        log::info!("display times: {} ({}) {again}from now on", source.name(), says(source));
    }

    fn choose(&mut self, i: usize, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        self.active = i;
        self.rate = RefreshRate::default();
        let link = &mut self.links[i];
        link.watch.reset();
        let newest = self.frames.start_anew();
        let end = |f: &SwappedFrame| Some(unanswered(f.id, newest, f.gpu_done.unwrap_or(now)));
        self.frames.close(end, sink);
    }

    /// Frames that the source has passed over.
    fn give_up_waiting(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        let limit = patience(self.period);
        let newest = self.frames.measured();
        let end = |f: &SwappedFrame| {
            let at = f.gpu_done.filter(|at| now.saturating_since(*at) > limit * 2)?;
            Some(unanswered(f.id, newest, at))
        };
        self.frames.close(end, sink);
    }

    fn tell(&mut self, sink: &mut dyn FnMut(Feedback)) {
        let is = self.source();
        if self.told != Some(is) {
            self.told = Some(is);
            self.holdover = false;
            sink(Feedback::Source(is.0, is.1));
            sink(Feedback::OneByOne(self.links[self.active].source.one_by_one()));
        }
        let silent = self.links[self.active].watch.is_silent();
        if self.holdover != silent {
            self.holdover = silent;
            log::debug!("display times: {} {}", is.0, if silent { "fell silent" } else { "is heard again" });
            sink(Feedback::Holdover(silent));
        }
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("source", &self.source()).finish_non_exhaustive()
    }
}

/// What comes of a source, for the log.
fn says(source: &dyn VsyncSource) -> &'static str {
    match source.origin() {
        Origin::Hardware => "by the display",
        Origin::Compositor => "by the compositor",
        _ if source.answers() => "estimated",
        _ => "refreshes only; frames are estimated",
    }
}

/// Whether this source takes part in a swap at `now`.
fn asks(link: &Link, i: usize, active: usize, now: Timestamp) -> bool {
    match link.standing {
        Standing::GivenUp => false,
        // It learns from every frame whether it has something to say.
        _ if !link.source.ready() => i < active,
        _ if i == active || link.source.tells_visibility() => true,
        Standing::Good => i < active,
        Standing::Aside { next_probe } => i < active && now >= next_probe,
    }
}

/// Silence says something only while the window is shown. Somebody knows that here: he must have spoken well after the
/// answer was due.
fn shown_since(watch: &Watch, alive: Option<Timestamp>, period: Option<Duration>) -> bool {
    alive.zip(watch.due_since()).is_some_and(|(alive, due)| alive > due + patience(period) / 2)
}
