//! The sources of a window from best to worst, and which of them is believed. Pure: `now` is passed in.
//!
//! ```text
//!            fault: Silent, Future, Past, ..               3 believable answers to probes
//!  in use ────────────────────────────────▶ put aside ────────────────────────────────────▶ in use
//!     │                                        │ probed after 1 s, 2 s, .. 60 s
//!     └───────── SourceError ─────▶ given up ◀─┘
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use super::watch::patience;
use super::{FreeTimer, RefreshRate, SourceError, SourceEvent, VsyncSource, Watch};
use crate::pacing::Feedback;
use crate::pacing::{FrameId, Origin, Presentation};
use crate::stats::PENDING;
use crate::time::Timestamp;

/// Frames that are remembered until somebody says what became of them; as many as the recorder waits for.
const REMEMBERED: usize = PENDING;
/// How often a source that was put aside is asked, at first. It costs one request.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A source that fails again and again is asked ever less often, down to this.
const PROBE_LEAST: Duration = Duration::from_secs(60);
/// So many believable answers bring a source back.
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

#[derive(Copy, Clone, Debug, Default)]
struct SwappedFrame {
    id: FrameId,
    gpu_done: Option<Timestamp>,
    open: bool,
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
    frames: [SwappedFrame; REMEMBERED],
    period: Option<Duration>,
    /// The newest frame of which the source in use has told a measured display time.
    measured: FrameId,
    hidden: bool,
    /// When a source that knows whether the window is shown last said anything.
    alive: Option<Timestamp>,
    told: Option<(&'static str, Origin)>,
    rate: RefreshRate,
}

impl Chain {
    /// A chain for a display of this nominal rate in Hz, where it is known.
    #[must_use]
    pub fn new(hz: Option<f64>) -> Self {
        let period = hz.filter(|hz| *hz >= 1.0).map(|hz| Duration::from_secs_f64(1.0 / hz));
        Self {
            links: Vec::new(),
            active: 0,
            refused: Vec::new(),
            frames: [SwappedFrame::default(); REMEMBERED],
            period,
            measured: FrameId(0),
            hidden: false,
            alive: None,
            told: None,
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
    /// say is judged by it; what was measured counts anew. Not a number above 1: nothing changes.
    pub fn set_refresh(&mut self, hz: f64) {
        if !(hz.is_finite() && hz >= 1.0) {
            return;
        }
        self.period = Some(Duration::from_secs_f64(1.0 / hz));
        self.rate = RefreshRate::default();
        for link in &mut self.links {
            link.watch = Watch::new(self.period);
            link.source.set_refresh(hz);
        }
    }

    fn push(&mut self, source: Box<dyn VsyncSource>) {
        self.links.push(Link {
            source,
            watch: Watch::new(self.period),
            standing: Standing::Good,
            probe_every: PROBE_EVERY,
            returned: None,
        });
    }

    /// Completes the chain and says, in one log line, what was chosen and why nothing better.
    pub fn start(&mut self) {
        self.push(Box::new(FreeTimer::new(self.period.map(|p| 1.0 / p.as_secs_f64()))));
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
        self.frames[slot(id)] = SwappedFrame { id, gpu_done: None, open: true };
    }

    /// The GPU was seen done with a frame. What became of it, where no source is going to say.
    pub fn gpu_done(&mut self, id: FrameId, at: Timestamp) -> Option<Presentation> {
        for link in self.links.iter_mut().filter(|l| l.standing != Standing::GivenUp) {
            link.source.gpu_done(id, at);
        }
        let link = &mut self.links[self.active];
        link.watch.due(at);
        let frame = &mut self.frames[slot(id)];
        if frame.id != id || !frame.open {
            return None;
        }
        frame.gpu_done = Some(at);
        if link.source.answers() {
            return None;
        }
        frame.open = false;
        Some(Presentation::Estimated(at))
    }

    /// Passes on what has become known. Does not wait, and allocates nothing of its own.
    pub fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        if self.told.is_none() {
            self.tell(sink);
        }
        let mut visible = None;
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
            let measured = &mut self.measured;
            let mut found = None;
            let polled = source.poll(now, &mut |event| {
                if let SourceEvent::Visible(shown) = event {
                    visible = Some(shown);
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
                            let frame = &mut frames[slot(id)];
                            if frame.id == id && std::mem::take(&mut frame.open) {
                                if matches!(presentation, Presentation::At(..)) {
                                    *measured = id.max(*measured);
                                }
                                sink(Feedback::Presented(id, presentation));
                            }
                        }
                        SourceEvent::Visible(_) => {}
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
            for frame in self.frames.iter_mut().filter(|f| f.open) {
                frame.open = false;
                sink(Feedback::Presented(frame.id, Presentation::Dropped));
            }
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
        for frame in self.frames.iter_mut().filter(|f| f.open) {
            frame.open = false;
            let at = frame.gpu_done.unwrap_or(now);
            sink(Feedback::Presented(frame.id, unanswered(frame.id, self.measured, at)));
        }
        self.measured = FrameId(0);
    }

    /// Frames that the source has passed over.
    fn give_up_waiting(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        let limit = patience(self.period);
        for frame in self.frames.iter_mut().filter(|f| f.open) {
            if let Some(at) = frame.gpu_done
                && now.saturating_since(at) > limit * 2
            {
                frame.open = false;
                sink(Feedback::Presented(frame.id, unanswered(frame.id, self.measured, at)));
            }
        }
    }

    fn tell(&mut self, sink: &mut dyn FnMut(Feedback)) {
        let is = self.source();
        if self.told != Some(is) {
            self.told = Some(is);
            sink(Feedback::Source(is.0, is.1));
            sink(Feedback::OneByOne(self.links[self.active].source.one_by_one()));
        }
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("source", &self.source()).finish_non_exhaustive()
    }
}

/// What becomes of a frame that nobody answered for and that the GPU was done with at `done`. Where a later frame's display
/// time was measured (`newest`), an estimate would be a guess among measurements, and may lie before that of the frame
/// before it: no time at all is told then.
fn unanswered(id: FrameId, newest: FrameId, done: Timestamp) -> Presentation {
    if id < newest { Presentation::Dropped } else { Presentation::Estimated(done) }
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

const fn slot(id: FrameId) -> usize {
    (id.0 % REMEMBERED as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    use super::*;
    use crate::display::Attribution;
    use crate::pacing::VblankSample;

    const FRAME: Duration = Duration::from_micros(16_667);

    /// How a scripted source behaves.
    #[derive(Copy, Clone, Debug, Eq, PartialEq)]
    enum Mood {
        Honest,
        Silent,
        /// Says of every frame that it was dropped.
        Discards,
        /// Stamps with a clock of its own.
        OtherClock,
        AheadOfTime,
        Frozen,
        NoPeriod,
        /// Ten thousand refreshes per second.
        Fast,
        /// Answers, but 60 ms late, on a 60 Hz display.
        Throttled,
        /// Shows a frame a refresh and a half after its swap, and then answers for the one before it.
        NamesTheOneBefore,
        Gone,
        Lost,
    }

    #[derive(Debug)]
    struct Script {
        mood: Mood,
        asked: u32,
        due: VecDeque<(FrameId, Timestamp)>,
        sequence: u64,
        visible: Option<bool>,
        attribution: Attribution,
        hz: f64,
    }

    struct Scripted {
        name: &'static str,
        witness: bool,
        script: Rc<RefCell<Script>>,
    }

    impl VsyncSource for Scripted {
        fn name(&self) -> &'static str {
            self.name
        }
        fn origin(&self) -> Origin {
            Origin::Compositor
        }
        fn answers(&self) -> bool {
            true
        }
        fn tells_visibility(&self) -> bool {
            self.witness
        }
        fn set_refresh(&mut self, hz: f64) {
            self.script.borrow_mut().hz = hz;
        }
        fn before_swap(&mut self, _id: FrameId, _now: Timestamp) {
            self.script.borrow_mut().asked += 1;
        }
        fn after_swap(&mut self, id: FrameId, now: Timestamp) {
            self.script.borrow_mut().due.push_back((id, now));
        }
        fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
            let mut s = self.script.borrow_mut();
            if let Some(shown) = s.visible.take() {
                sink(SourceEvent::Visible(shown));
            }
            let delay = match s.mood {
                Mood::Throttled => FRAME * 36 / 10,
                Mood::NamesTheOneBefore => FRAME * 3 / 2,
                _ => FRAME,
            };
            while s.due.front().is_some_and(|(_, at)| *at + delay <= now) {
                let (id, swapped) = s.due.pop_front().unwrap();
                s.sequence += 1;
                let at = swapped + delay;
                let mut period = None;
                let at = match s.mood {
                    Mood::Silent => continue,
                    Mood::Discards => {
                        sink(SourceEvent::Presented(id, Presentation::Dropped));
                        continue;
                    }
                    Mood::Gone => return Err(SourceError::new("went away")),
                    Mood::Lost => return Err(SourceError::lost("went away")),
                    Mood::OtherClock => at - Duration::from_secs(400),
                    Mood::AheadOfTime => at + Duration::from_secs(400),
                    Mood::Frozen => Timestamp::from_nanos(500_000_000_000),
                    Mood::Fast => Timestamp::from_nanos(500_000_000_000 + s.sequence * 100_000),
                    Mood::NoPeriod => {
                        period = Some(Duration::ZERO);
                        at
                    }
                    Mood::Honest | Mood::Throttled => at,
                    Mood::NamesTheOneBefore => {
                        s.attribution.repainted(id, swapped + FRAME / 2);
                        let named = FrameId(id.0.saturating_sub(1));
                        if let Some(shown) = s.attribution.presented(named, at) {
                            sink(SourceEvent::Presented(shown, Presentation::At(at, Origin::Compositor)));
                        }
                        continue;
                    }
                };
                let sequence = Some(s.sequence);
                sink(SourceEvent::Vblank(VblankSample { at, sequence, period, origin: Origin::Compositor }));
                sink(SourceEvent::Presented(id, Presentation::At(at, Origin::Compositor)));
            }
            Ok(())
        }
    }

    struct Bench {
        chain: Chain,
        scripts: Vec<Rc<RefCell<Script>>>,
        now: Timestamp,
        id: FrameId,
        presented: Vec<(FrameId, Presentation)>,
        vblanks: usize,
        sources: Vec<&'static str>,
        visible: Vec<bool>,
        /// How long a swap takes.
        swap: Duration,
    }

    impl Bench {
        /// `(name, mood, whether it tells visibility)`, best first.
        fn new(sources: &[(&'static str, Mood, bool)]) -> Self {
            let mut chain = Chain::new(Some(60.0));
            let mut scripts = Vec::new();
            for &(name, mood, witness) in sources {
                let (due, attribution) = (VecDeque::new(), Attribution::default());
                let script = Script { mood, asked: 0, due, sequence: 0, visible: None, attribution, hz: 0.0 };
                let script = Rc::new(RefCell::new(script));
                scripts.push(Rc::clone(&script));
                chain.add(name, Ok(Box::new(Scripted { name, witness, script })));
            }
            chain.start();
            Self {
                chain,
                scripts,
                now: Timestamp::from_nanos(500_000_000_000),
                id: FrameId(0),
                presented: Vec::new(),
                vblanks: 0,
                sources: Vec::new(),
                visible: Vec::new(),
                swap: Duration::ZERO,
            }
        }

        fn poll(&mut self) {
            let Self { presented, vblanks, sources, visible, .. } = self;
            self.chain.poll(self.now, &mut |feedback| match feedback {
                Feedback::Presented(id, p) => presented.push((id, p)),
                Feedback::Vblank(_) => *vblanks += 1,
                Feedback::Source(name, _) => sources.push(name),
                Feedback::Visible(shown) => visible.push(shown),
                Feedback::OneByOne(_) => {}
                Feedback::GpuDone(..) | Feedback::GpuPass(..) => panic!("nobody here knows the GPU"),
            });
        }

        fn frame(&mut self) {
            self.id = self.id.next();
            self.chain.before_swap(self.id, self.now.saturating_sub(self.swap));
            self.chain.after_swap(self.id, self.now.saturating_sub(self.swap), self.now);
            if let Some(p) = self.chain.gpu_done(self.id, self.now) {
                self.presented.push((self.id, p));
            }
            for _ in 0..8 {
                self.poll();
                self.now += FRAME / 8;
            }
        }

        /// Draws 60 frames per second until this source is in use; how long that took.
        /// A frame of a loop in which each waits for the answer to the one before, though that takes long.
        fn slow_frame(&mut self) {
            self.frame();
            (0..4 * 8).for_each(|_| {
                self.now += FRAME / 8;
                self.poll();
            });
        }

        fn until(&mut self, name: &str, limit: Duration) -> Duration {
            let start = self.now;
            while self.chain.source().0 != name {
                self.frame();
                let took = self.now.saturating_since(start);
                assert!(took <= limit, "{:?} after {took:?}, not {name}", self.chain.source());
            }
            self.now.saturating_since(start)
        }

        /// Each frame has had its answer, but for those that are still on their way.
        fn assert_answered(&mut self) {
            for _ in 0..16 {
                self.now += FRAME;
                self.poll();
            }
            let mut ids: Vec<u64> = self.presented.iter().map(|(id, _)| id.0).collect();
            ids.sort_unstable();
            assert_eq!(ids, (1..=self.id.0).collect::<Vec<_>>(), "each frame once");
        }
    }

    #[test]
    fn honest_source_is_kept_and_answers_each_frame() {
        let mut b = Bench::new(&[("best", Mood::Honest, false), ("next", Mood::Honest, false)]);
        (0..600).for_each(|_| b.frame());
        assert_eq!(b.sources, ["best"]);
        b.assert_answered();
        assert!(b.presented.iter().all(|(_, p)| matches!(p, Presentation::At(_, Origin::Compositor))));
        assert!(b.vblanks > 590 && b.scripts[1].borrow().asked == 0);
        assert!((b.chain.measured_hz().unwrap() - 60.0).abs() < 0.1, "{:?}", b.chain.measured_hz());
    }

    #[test]
    fn silent_and_lying_sources_are_left_soon_and_nothing_of_their_lies_gets_through() {
        for mood in [
            Mood::Silent,
            Mood::Discards,
            Mood::OtherClock,
            Mood::AheadOfTime,
            Mood::Frozen,
            Mood::NoPeriod,
            Mood::Fast,
            Mood::Gone,
        ] {
            let mut b = Bench::new(&[("best", mood, false), ("next", Mood::Honest, false)]);
            let took = b.until("next", Duration::from_secs(1));
            assert!(took < Duration::from_millis(250), "{mood:?}: {took:?}");
            (0..200).for_each(|_| b.frame());
            b.assert_answered();
            for (id, p) in &b.presented {
                if let Presentation::At(at, _) = p {
                    let off = at.signed_since(b.now).unsigned_abs();
                    assert!(off < 20_000_000_000, "{mood:?}: frame {id} displayed at {at:?}");
                }
            }
        }
    }

    #[test]
    fn throttled_source_is_left() {
        let mut b = Bench::new(&[("best", Mood::Throttled, false), ("next", Mood::Honest, false)]);
        while b.chain.source().0 == "best" {
            b.slow_frame();
            assert!(b.id.0 < 30);
        }
        b.assert_answered();
    }

    #[test]
    fn another_refresh_rate_is_what_all_sources_are_judged_by() {
        let mut b = Bench::new(&[("best", Mood::Throttled, false), ("next", Mood::Honest, false)]);
        // What is three intervals late at 60 Hz is not at 20 Hz.
        b.chain.set_refresh(20.0);
        (0..100).for_each(|_| b.slow_frame());
        assert_eq!(b.sources, ["best"]);
        assert!(b.scripts.iter().all(|s| s.borrow().hz == 20.0), "each source is told");
        for nonsense in [0.0, -60.0, f64::NAN, f64::INFINITY] {
            b.chain.set_refresh(nonsense);
        }
        assert!(b.scripts.iter().all(|s| s.borrow().hz == 20.0));
        b.chain.set_refresh(60.0);
        (0..40).for_each(|_| b.slow_frame());
        assert_eq!(b.sources[..2], ["best", "next"], "and back");
    }

    #[test]
    fn the_free_timer_follows_another_refresh_rate() {
        let mut b = Bench::new(&[]);
        (0..60).for_each(|_| b.frame());
        let before = std::mem::take(&mut b.vblanks);
        b.chain.set_refresh(30.0);
        (0..60).for_each(|_| b.frame());
        assert!((58..=61).contains(&before) && (29..=31).contains(&b.vblanks), "{before}, {}", b.vblanks);
    }

    #[test]
    fn recovered_source_is_gone_back_to_and_probing_costs_little() {
        let mut b = Bench::new(&[("best", Mood::Silent, false), ("next", Mood::Honest, false)]);
        b.until("next", Duration::from_secs(1));
        let asked = b.scripts[0].borrow().asked;
        (0..600).for_each(|_| b.frame());
        let probes = b.scripts[0].borrow().asked - asked;
        assert!((5..=11).contains(&probes), "{probes} requests in 10 s");
        b.scripts[0].borrow_mut().mood = Mood::Honest;
        b.until("best", Duration::from_secs(4));
        (0..60).for_each(|_| b.frame());
        assert_eq!(b.sources, ["best", "next", "best"]);
        b.assert_answered();
    }

    #[test]
    fn source_that_fails_again_and_again_is_probed_less() {
        let mut b = Bench::new(&[("best", Mood::Silent, false), ("next", Mood::Honest, false)]);
        let mut spans = Vec::new();
        for _ in 0..4 {
            b.scripts[0].borrow_mut().mood = Mood::Silent;
            b.until("next", Duration::from_secs(1));
            b.scripts[0].borrow_mut().mood = Mood::Honest;
            spans.push(b.until("best", Duration::from_secs(60)));
        }
        assert!(spans[3] > spans[0] * 3, "{spans:?}");
    }

    #[test]
    fn all_sources_gone_leaves_the_free_timer_and_estimates() {
        for mood in [Mood::Gone, Mood::Lost] {
            let mut b = Bench::new(&[("best", mood, false), ("next", mood, false)]);
            b.until("free timer", Duration::from_secs(1));
            let asked = b.scripts[0].borrow().asked;
            (0..300).for_each(|_| b.frame());
            assert_eq!(b.scripts[0].borrow().asked, asked, "a source that is gone is not asked again");
            b.assert_answered();
            let (_, last) = b.presented.last().unwrap();
            assert!(matches!(last, Presentation::Estimated(_)), "{last:?}");
        }
    }

    #[test]
    fn hidden_window_is_no_fault_and_drops_what_is_outstanding() {
        let mut b = Bench::new(&[("best", Mood::Honest, false), ("callbacks", Mood::Honest, true)]);
        (0..30).for_each(|_| b.frame());
        for script in &b.scripts {
            script.borrow_mut().mood = Mood::Silent;
        }
        (0..6).for_each(|_| b.frame());
        b.scripts[1].borrow_mut().visible = Some(false);
        b.poll();
        assert!(b.chain.hidden());
        for _ in 0..1_000 {
            b.now += FRAME;
            b.poll();
        }
        assert_eq!((&b.sources[..], &b.visible[..]), (&["best"][..], &[false][..]));
        b.assert_answered();
        assert!(b.presented.iter().any(|(_, p)| *p == Presentation::Dropped));
        for script in &b.scripts {
            script.borrow_mut().mood = Mood::Honest;
        }
        b.scripts[1].borrow_mut().visible = Some(true);
        (0..30).for_each(|_| b.frame());
        assert_eq!((&b.sources[..], &b.visible[..]), (&["best"][..], &[false, true][..]));
    }

    #[test]
    fn silence_beside_a_witness_that_speaks_is_a_fault() {
        let mut b = Bench::new(&[("best", Mood::Discards, false), ("callbacks", Mood::Honest, true)]);
        let took = b.until("callbacks", Duration::from_secs(1));
        assert!(took < Duration::from_millis(200), "{took:?}");
        (0..60).for_each(|_| b.frame());
        assert!(b.visible.is_empty());
        b.assert_answered();
    }

    #[test]
    fn swap_return_is_found_out_while_the_timer_is_in_use() {
        let mut b = Bench::new(&[]);
        b.swap = FRAME / 2;
        b.chain = Chain::new(Some(60.0));
        b.chain.add("swap return", Ok(Box::new(crate::display::SwapReturn::new(Some(FRAME)))));
        b.chain.start();
        assert_eq!(b.chain.source().0, "free timer");
        b.until("swap return", Duration::from_secs(2));
        (0..60).for_each(|_| b.frame());
        assert_eq!(b.sources, ["free timer", "swap return"]);
        b.assert_answered();
    }

    #[test]
    fn frame_that_a_source_passes_over_is_given_no_time_among_measured_ones() {
        let mut b = Bench::new(&[("best", Mood::Honest, false)]);
        for n in 0..200 {
            b.frame();
            if n % 5 == 0 {
                b.scripts[0].borrow_mut().due.pop_back();
            }
        }
        assert_eq!(b.sources, ["best"]);
        b.assert_answered();
        let dropped = b.presented.iter().filter(|(_, p)| *p == Presentation::Dropped).count();
        assert!((36..=40).contains(&dropped), "{dropped}");
        b.presented.sort_by_key(|(id, _)| *id);
        let times: Vec<_> = b.presented.iter().filter_map(|(_, p)| p.time()).collect();
        assert!(times.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn display_times_never_run_backwards_when_a_compositor_is_corrected() {
        let mut b = Bench::new(&[("best", Mood::NamesTheOneBefore, false)]);
        (0..100).for_each(|_| b.frame());
        assert!(b.scripts[0].borrow().attribution.shifted());
        assert_eq!(b.sources, ["best"]);
        b.presented.sort_by_key(|(id, _)| *id);
        let times: Vec<_> = b.presented.iter().filter_map(|(_, p)| p.time()).collect();
        assert!(times.len() > 90 && times.is_sorted_by_key(|(at, _)| *at), "{:?}", b.presented);
        let last: Vec<_> = times[40..90].windows(2).map(|w| w[1].0.saturating_since(w[0].0)).collect();
        assert!(last.iter().all(|step| *step == FRAME), "{last:?}");
    }

    #[test]
    fn frames_at_the_end_that_nobody_answers_for_finish_as_estimates() {
        let mut b = Bench::new(&[("best", Mood::Honest, false)]);
        (0..30).for_each(|_| b.frame());
        b.scripts[0].borrow_mut().due.clear();
        let open = b.id;
        b.frame();
        b.scripts[0].borrow_mut().due.clear();
        for _ in 0..40 {
            b.now += FRAME;
            b.poll();
        }
        let last = b.presented.iter().rfind(|(id, _)| *id >= open).expect("an answer");
        assert!(matches!(last.1, Presentation::Estimated(_)), "{last:?}");
    }
}
