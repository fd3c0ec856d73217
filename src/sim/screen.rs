use std::collections::VecDeque;
use std::time::Duration;

use super::Noise;
use crate::pacing::{Origin, PlanId, Presentation, VblankSample, VrrRange};
use crate::time::{Timestamp, nanos, signed_nanos};

/// How a display, with what stands before it, takes frames.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Taking {
    /// The newest ready frame, at a fixed time before each refresh; older ones are dropped.
    #[default]
    Newest,
    /// The oldest ready frame, one per refresh. Swap waits while so many frames are queued.
    Queue(usize),
    /// A compositor that repaints at once when something changes while it rests, and at the end of a refresh when
    /// something changed during it; what it repaints is shown at the next refresh.
    OnDamage,
    /// When a frame is ready and the display's fastest interval has passed.
    Variable(VrrRange),
}

/// A display that does not exist, and how well it tells what it does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DisplaySpec {
    /// Refreshes per second.
    pub hz: f64,
    /// What the system says it were.
    pub nominal_hz: f64,
    /// How frames are taken.
    pub taking: Taking,
    /// How long before a refresh a frame has to be ready. With [`Taking::OnDamage`]: before the next refresh where nothing was
    /// pending; at least a millisecond.
    pub latch_lead: Duration,
    /// Who is said to stand behind the stamps.
    pub origin: Origin,
    /// Stamps come at all.
    pub feedback: bool,
    /// A stamp comes with each refresh, and not only with those that show a new frame.
    pub every_refresh: bool,
    /// Stamps carry a refresh count.
    pub sequence: bool,
    /// Standard deviation of the stamps.
    pub jitter: Duration,
    /// The share of stamps, from 0 to 1, that are 1 to 10 ms late.
    pub outliers: f64,
    /// The share of stamps that never come.
    pub lost: f64,
    /// The share of stamps that come twice.
    pub doubled: f64,
    /// How long after the refresh its stamp arrives.
    pub delay: Duration,
    /// The share of refreshes at which what stands before the display is itself late: what was due is shown at the next
    /// one. For [`Taking::OnDamage`].
    pub held: f64,
    /// The rate changes to so many Hz at this time after the start; the flag: the system says so.
    pub changes: Vec<(Duration, f64, bool)>,
    /// Nothing of the window is shown from the first to the second of these times after the start.
    pub occluded: Option<(Duration, Duration)>,
}

impl Default for DisplaySpec {
    fn default() -> Self {
        Self {
            hz: 60.0,
            nominal_hz: 60.0,
            taking: Taking::Newest,
            latch_lead: Duration::ZERO,
            origin: Origin::Simulated,
            feedback: true,
            every_refresh: true,
            sequence: true,
            jitter: Duration::from_micros(20),
            outliers: 0.0,
            lost: 0.0,
            doubled: 0.0,
            delay: Duration::from_micros(150),
            held: 0.0,
            changes: Vec::new(),
            occluded: None,
        }
    }
}

impl DisplaySpec {
    /// A display of `hz` refreshes per second with good stamps.
    #[must_use]
    pub fn at(hz: f64) -> Self {
        Self { hz, nominal_hz: hz, ..Self::default() }
    }
}

/// What the display says, and when it arrives.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Word {
    Vblank(VblankSample),
    Presented(PlanId, Presentation),
    /// The true display time of a frame; the policy never hears of it.
    Shown(PlanId, Timestamp, u64),
    /// A frame that will never be displayed.
    Gone(PlanId),
    Rate(f64),
    Visible(bool),
}

#[derive(Copy, Clone, Debug)]
struct Waiting {
    id: PlanId,
    ready: Timestamp,
}

/// A stretch of time with one refresh rate.
#[derive(Copy, Clone, Debug)]
struct Segment {
    from: u64,
    at: Timestamp,
    period: f64,
}

/// The display at work. Driven by [`advance`](Self::advance); what it says comes out of [`next_word`](Self::next_word)
/// in the order of arrival.
#[derive(Debug)]
pub(super) struct Screen {
    spec: DisplaySpec,
    start: Timestamp,
    noise: Noise,
    segment: Segment,
    changes: VecDeque<(Timestamp, f64, bool)>,
    /// The next refresh.
    index: u64,
    waiting: VecDeque<Waiting>,
    /// [`Taking::OnDamage`]: the frame that was repainted and is shown at the next refresh; whether one is pending.
    repainted: Option<Waiting>,
    pending_until: Option<u64>,
    last_shown: Option<Timestamp>,
    words: VecDeque<(Timestamp, Word)>,
    visible: bool,
}

/// How soon after the last sign of a hidden window its source notices.
const NOTICED_AFTER: Duration = Duration::from_millis(100);
/// What a compositor needs for its repaint before the refresh that shows it.
const REPAINT: i64 = 1_000_000;

impl Screen {
    pub(super) fn new(spec: &DisplaySpec, start: Timestamp, noise: Noise) -> Self {
        let period = 1e9 / spec.hz;
        let mut noise = noise;
        // The program starts at any point of a refresh.
        let phase = (noise.unit() * period) as i64;
        let mut screen = Self {
            spec: spec.clone(),
            start,
            noise,
            segment: Segment { from: 0, at: start.offset(phase), period },
            changes: spec.changes.iter().map(|&(at, hz, told)| (start + at, hz, told)).collect(),
            index: 0,
            waiting: VecDeque::new(),
            repainted: None,
            pending_until: None,
            last_shown: None,
            words: VecDeque::new(),
            visible: true,
        };
        if let Some((from, to)) = spec.occluded {
            screen.say(start + from + NOTICED_AFTER, Word::Visible(false));
            screen.say(start + to, Word::Visible(true));
        }
        screen
    }

    /// The true time of the refresh nearest to `t`.
    pub(super) fn nearest_vblank(&self, t: Timestamp) -> Timestamp {
        let k = (t.signed_since(self.segment.at) as f64 / self.segment.period).round();
        self.segment.at.offset((k * self.segment.period).round() as i64)
    }

    /// The true refresh interval now, in nanoseconds.
    pub(super) const fn period(&self) -> f64 {
        self.segment.period
    }

    /// A frame was swapped at `at` and is finished by the GPU at `done`. Returns when swap returns.
    pub(super) fn swap(&mut self, id: PlanId, at: Timestamp, done: Timestamp) -> Timestamp {
        self.advance(at);
        let mut end = at;
        if let Taking::Queue(depth) = self.spec.taking {
            while self.waiting.len() >= depth.max(1) {
                let next = self.vblank(self.index);
                self.advance(next);
                end = end.max(next);
            }
        }
        self.waiting.push_back(Waiting { id, ready: done.max(at) });
        end
    }

    /// Lets time pass until `now`.
    pub(super) fn advance(&mut self, now: Timestamp) {
        loop {
            let next = self.vblank(self.index);
            if self.spec.taking == Taking::OnDamage {
                self.repaint_while_resting(next.min(now.offset(1)));
            }
            if let Taking::Variable(range) = self.spec.taking {
                if !self.show_when_ready(range, now) {
                    return;
                }
                continue;
            }
            if next > now {
                return;
            }
            if self.changes.front().is_some_and(|&(at, ..)| at <= next) {
                self.change_rate(next);
            }
            self.refresh(next);
            self.index += 1;
        }
    }

    /// The next thing that was said and has arrived by `now`.
    pub(super) fn next_word(&mut self, now: Timestamp) -> Option<Word> {
        if self.words.front()?.0 > now {
            return None;
        }
        self.words.pop_front().map(|(_, word)| word)
    }

    /// Lets time pass from `now` until the next thing that is said arrives, at most until `until`. Returns that time.
    pub(super) fn next_arrival(&mut self, now: Timestamp, until: Timestamp) -> Timestamp {
        loop {
            let next = match self.spec.taking {
                Taking::Variable(range) => self.variable_refresh(range).0,
                _ => self.vblank(self.index),
            };
            let arrival = self.words.front().map_or(Timestamp::MAX, |word| word.0);
            if arrival.min(until) <= next {
                return arrival.min(until).max(now);
            }
            self.advance(next);
        }
    }

    fn vblank(&self, index: u64) -> Timestamp {
        let k = index - self.segment.from;
        self.segment.at.offset((k as f64 * self.segment.period).round() as i64)
    }

    fn change_rate(&mut self, at: Timestamp) {
        if let Some((_, hz, told)) = self.changes.pop_front() {
            self.segment = Segment { from: self.index, at, period: 1e9 / hz };
            if told {
                self.say(at, Word::Rate(hz));
            }
        }
    }

    fn refresh(&mut self, at: Timestamp) {
        let hidden =
            self.spec.occluded.is_some_and(|(from, to)| at >= self.start + from && at < self.start + to);
        self.visible = !hidden;
        let latch = at.offset(-(nanos(self.spec.latch_lead) as i64));
        let shown = match self.spec.taking {
            _ if hidden => None,
            Taking::Newest => {
                let mut shown: Option<Waiting> = None;
                while let Some(frame) = self.waiting.front().copied().filter(|f| f.ready <= latch) {
                    self.waiting.pop_front();
                    if let Some(old) = shown.replace(frame) {
                        self.gone(old.id, at);
                    }
                }
                shown
            }
            Taking::Queue(_) => {
                let ready = self.waiting.front().copied().filter(|f| f.ready <= latch);
                if ready.is_some() {
                    self.waiting.pop_front();
                }
                ready
            }
            Taking::OnDamage if self.spec.held > 0.0 && self.noise.chance(self.spec.held) => {
                self.pending_until = self.pending_until.map(|until| until.max(self.index + 1));
                None
            }
            Taking::OnDamage if self.pending_until.is_some_and(|until| until <= self.index) => {
                let shown = self.repainted.take();
                self.pending_until = None;
                // What changed meanwhile is repainted now, and shown a whole refresh from here.
                self.repaint(at, self.index + 1);
                shown
            }
            // What was repainted too late for this refresh waits for the next one.
            Taking::OnDamage => None,
            Taking::Variable(_) => None,
        };
        if let Some(frame) = shown {
            self.show(frame, at);
        } else if self.spec.feedback && self.spec.every_refresh {
            self.stamp(at, None);
        }
    }

    fn repaint_while_resting(&mut self, before: Timestamp) {
        if self.pending_until.is_some() {
            return;
        }
        let Some(first) = self.waiting.front().map(|f| f.ready).filter(|&ready| ready < before) else {
            return;
        };
        let mut index = self.index;
        let needs = REPAINT.max(signed_nanos(self.spec.latch_lead));
        while self.vblank(index) < first.offset(needs) {
            index += 1;
        }
        self.repaint(first, index);
    }

    fn repaint(&mut self, at: Timestamp, shown_at: u64) {
        let mut newest: Option<Waiting> = None;
        while let Some(frame) = self.waiting.front().copied().filter(|f| f.ready <= at) {
            self.waiting.pop_front();
            if let Some(old) = newest.replace(frame) {
                self.gone(old.id, at);
            }
        }
        if newest.is_some() {
            self.repainted = newest;
            self.pending_until = Some(shown_at);
        }
    }

    /// The next refresh of a display with a variable rate, and when it comes at the latest.
    fn variable_refresh(&self, range: VrrRange) -> (Timestamp, Timestamp) {
        let fastest = (1e9 / range.max_hz) as i64;
        let slowest = (1e9 / range.min_hz) as i64;
        let last = self.last_shown.unwrap_or(self.start);
        let repeat = last.offset(slowest);
        let frame = self.waiting.front();
        (frame.map_or(repeat, |f| f.ready.max(last.offset(fastest))), repeat)
    }

    /// One refresh of a display with a variable rate, if it comes by `now`.
    fn show_when_ready(&mut self, range: VrrRange, now: Timestamp) -> bool {
        let (at, repeat) = self.variable_refresh(range);
        let frame = self.waiting.front().copied();
        if at > now {
            return false;
        }
        self.last_shown = Some(at);
        self.index += 1;
        if let Some(frame) = frame.filter(|_| at <= repeat) {
            self.waiting.pop_front();
            self.show(frame, at);
        } else {
            self.last_shown = Some(repeat);
        }
        true
    }

    fn show(&mut self, frame: Waiting, at: Timestamp) {
        self.say(at, Word::Shown(frame.id, at, self.index));
        if self.spec.feedback {
            self.stamp(at, Some(frame.id));
        }
    }

    fn gone(&mut self, id: PlanId, at: Timestamp) {
        self.say(at, Word::Gone(id));
        if self.spec.feedback {
            self.say(at + self.spec.delay, Word::Presented(id, Presentation::Dropped));
        }
    }

    fn stamp(&mut self, at: Timestamp, frame: Option<PlanId>) {
        let jitter = (self.noise.normal() * nanos(self.spec.jitter) as f64) as i64;
        let outlier = self.noise.chance(self.spec.outliers);
        let late = if outlier { 1_000_000 + (self.noise.unit() * 9e6) as i64 } else { 0 };
        let (lost, doubled) = (self.noise.chance(self.spec.lost), self.noise.chance(self.spec.doubled));
        if lost {
            return;
        }
        let stamp = at.offset(jitter + late);
        let arrival = stamp.max(at) + self.spec.delay;
        let sample = VblankSample {
            at: stamp,
            sequence: self.spec.sequence.then_some(self.index),
            period: None,
            origin: self.spec.origin,
        };
        for _ in 0..=u32::from(doubled) {
            self.say(arrival, Word::Vblank(sample));
            if let Some(id) = frame {
                self.say(arrival, Word::Presented(id, Presentation::At(stamp, self.spec.origin)));
            }
        }
    }

    fn say(&mut self, arrival: Timestamp, word: Word) {
        let at = self.words.partition_point(|(t, _)| *t <= arrival);
        self.words.insert(at, (arrival, word));
    }
}
