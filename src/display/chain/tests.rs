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
    /// What it says next of the display's rate.
    rate: Option<f64>,
    attribution: Attribution,
    hz: f64,
    /// It says so much later what it says.
    late: Duration,
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
        if let Some(hz) = s.rate.take() {
            sink(SourceEvent::Rate(hz));
        }
        let delay = match s.mood {
            Mood::Throttled => FRAME * 36 / 10,
            Mood::NamesTheOneBefore => FRAME * 3 / 2,
            _ => FRAME,
        };
        while s.due.front().is_some_and(|(_, at)| *at + delay + s.late <= now) {
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
    rates: Vec<f64>,
    /// What was told of silence, and when.
    holdovers: Vec<(Timestamp, bool)>,
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
            let script = Script {
                mood,
                asked: 0,
                due,
                sequence: 0,
                visible: None,
                rate: None,
                attribution,
                hz: 0.0,
                late: Duration::ZERO,
            };
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
            rates: Vec::new(),
            holdovers: Vec::new(),
            swap: Duration::ZERO,
        }
    }

    fn poll(&mut self) {
        let Self { chain, now, presented, vblanks, sources, visible, rates, holdovers, .. } = self;
        let now = *now;
        chain.poll(now, &mut |feedback| match feedback {
            Feedback::Presented(id, p) => presented.push((id, p)),
            Feedback::Vblank(_) => *vblanks += 1,
            Feedback::Source(name, _) => sources.push(name),
            Feedback::Visible(shown) => visible.push(shown),
            Feedback::Rate(hz) => rates.push(hz),
            Feedback::Holdover(silent) => holdovers.push((now, silent)),
            Feedback::OneByOne(_) => {}
            _ => panic!("nobody here knows the GPU"),
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

    /// A frame of a loop in which each waits for the answer to the one before, though that takes long.
    fn slow_frame(&mut self) {
        self.frame();
        (0..4 * 8).for_each(|_| {
            self.now += FRAME / 8;
            self.poll();
        });
    }

    /// Draws 60 frames per second until this source is in use; how long that took.
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
fn short_silence_is_told_after_three_refreshes_and_costs_neither_the_source_nor_a_display_time() {
    let mut b = Bench::new(&[("best", Mood::Honest, false), ("next", Mood::Honest, false)]);
    (0..30).for_each(|_| b.frame());
    // What it would say now comes later.
    let late = Duration::from_millis(75);
    let asked = b.now;
    b.scripts[0].borrow_mut().late = late;
    while b.now < asked + late {
        b.frame();
    }
    b.scripts[0].borrow_mut().late = Duration::ZERO;
    (0..30).for_each(|_| b.frame());
    let [(silent, true), (again, false)] = b.holdovers[..] else { panic!("{:?}", b.holdovers) };
    // It is looked for eight times in each refresh.
    let took = silent.saturating_since(asked);
    assert!(took >= FRAME * 3 && took <= FRAME * 3 + FRAME / 4, "{took:?}");
    assert!(again.saturating_since(asked) <= late + FRAME * 2, "{:?}", again.saturating_since(asked));
    b.assert_answered();
    assert_eq!(b.sources, ["best"]);
    assert!(b.presented.iter().all(|(_, p)| matches!(p, Presentation::At(..))), "{:?}", b.presented);
}

#[test]
fn silence_lies_and_frames_that_are_only_dropped_are_told_before_the_source_is_left() {
    for (mood, told) in [
        (Mood::Silent, true),
        (Mood::Discards, true),
        (Mood::Frozen, true),
        (Mood::OtherClock, false),
        (Mood::NoPeriod, false),
    ] {
        let mut b = Bench::new(&[("best", Mood::Honest, false), ("next", Mood::Honest, false)]);
        (0..30).for_each(|_| b.frame());
        let asked = b.now;
        b.scripts[0].borrow_mut().mood = mood;
        let took = b.until("next", Duration::from_secs(1));
        assert!(took < if told { FRAME * 9 } else { FRAME * 3 }, "{mood:?}: {took:?}");
        (0..30).for_each(|_| b.frame());
        // The next source ends it.
        assert_eq!(b.holdovers.len(), usize::from(told), "{mood:?}: {:?}", b.holdovers);
        if let Some((at, silent)) = b.holdovers.first() {
            let took = at.saturating_since(asked);
            // Of a stamp that repeats the first is an answer.
            let limit = if mood == Mood::Frozen { FRAME * 5 } else { FRAME * 4 };
            assert!(*silent && took >= FRAME * 3 && took <= limit, "{mood:?}: {took:?}");
        }
        assert_eq!(b.sources, ["best", "next"], "{mood:?}");
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
fn a_source_that_knows_another_rate_tells_all_of_it_once() {
    let mut b = Bench::new(&[("one", Mood::Honest, false), ("two", Mood::Honest, false)]);
    for (source, hz) in
        [(0, 60.0), (0, 60.003), (0, 0.0), (0, f64::NAN), (0, -75.0), (0, 75.0), (1, 75.0), (1, 50.0)]
    {
        b.scripts[source].borrow_mut().rate = Some(hz);
        b.frame();
    }
    assert_eq!(b.rates, [75.0, 50.0], "what is news, and a rate");
    assert!(b.scripts.iter().all(|script| script.borrow().hz == 50.0));
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
    assert!(matches!(b.holdovers[..], [(_, true), (_, false)]), "ended once: {:?}", b.holdovers);
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

#[test]
fn chain_that_was_not_started_polls_its_timer_and_does_not_panic() {
    let mut chain = Chain::new(Some(60.0));
    assert_eq!(chain.source(), ("free timer", Origin::Estimated));
    let now = Timestamp::from_nanos(1_000_000_000);
    chain.before_swap(FrameId(1), now);
    chain.after_swap(FrameId(1), now, now);
    let mut told = Vec::new();
    chain.poll(now + FRAME * 2, &mut |feedback| told.push(feedback));
    assert!(told.iter().any(|f| matches!(f, Feedback::Vblank(_))), "{told:?}");
    assert_eq!(chain.gpu_done(FrameId(1), now), Some(Presentation::Estimated(now)));
    assert!(format!("{chain:?}").contains("free timer"));
}
