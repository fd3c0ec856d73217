//! What one source says, judged alone.

use super::*;
use crate::pacing::{FrameId, Origin, Presentation, VblankSample};

const FRAME: Duration = Duration::from_micros(16_667);

#[test]
fn silence_is_noticed_after_three_refresh_intervals_and_a_fault_after_no_less_than_100_ms() {
    let ms = Duration::from_millis;
    for (hz, noticed, patience) in
        [(4.0, 750, 750), (20.0, 150, 150), (60.0, 50, 100), (125.0, 24, 100), (250.0, 12, 100)]
    {
        let start = Timestamp::from_nanos(500_000_000_000);
        let mut watch = Watch::new(Some(Duration::from_secs_f64(1.0 / hz)));
        watch.asked(start);
        assert_eq!(watch.check(start), None, "{hz} Hz: the GPU is at work");
        let done = start + ms(1_000);
        watch.due(done);
        for after in 0..=patience {
            assert_eq!(watch.check(done + ms(after)), None, "{hz} Hz, {after} ms");
            assert_eq!(watch.is_silent(), after > noticed, "{hz} Hz, {after} ms");
        }
        let fault = watch.check(done + ms(patience + 1));
        assert!(matches!(fault, Some(Fault::Silent(_))), "{hz} Hz: {fault:?}");
    }
}

/// Under a cap. What became of a frame may be told when the next one has come.
#[test]
fn frames_far_apart_are_no_silence_and_late_words_of_the_one_before_no_lie() {
    for apart in [200, 1_500].map(Duration::from_millis) {
        let mut watch = Watch::new(Some(FRAME));
        let start = Timestamp::from_nanos(500_000_000_000);
        let mut now = start;
        for n in 0..20 {
            let asked = start + apart * n;
            watch.asked(asked);
            watch.due(asked);
            if n % 2 == 0 && n > 0 {
                let refresh = VblankSample {
                    at: asked - apart + FRAME,
                    sequence: None,
                    period: None,
                    origin: Origin::Compositor,
                };
                assert_eq!(watch.event(&SourceEvent::Vblank(refresh), now), Ok(()), "{apart:?}, frame {n}");
            }
            while now < asked + apart {
                now += FRAME;
                if n % 2 == 1 && now.saturating_since(asked) < FRAME * 2 {
                    let at = Presentation::At(asked - apart + FRAME, Origin::Compositor);
                    let told = SourceEvent::Presented(FrameId(n.into()), at);
                    assert_eq!(watch.event(&told, now), Ok(()), "{apart:?}, frame {n}");
                }
                let fault = watch.check(now);
                assert!(fault.is_none() || n == 0, "{apart:?}, frame {n}: {fault:?}");
            }
        }
        // It is left and taken up again: frames are as far apart as they were.
        watch.reset();
        watch.asked(now);
        watch.due(now);
        assert_eq!((1..12).find_map(|n| watch.check(now + FRAME * n)), None, "{apart:?}");
        let silence = (0..200).find_map(|n| watch.check(now + FRAME * n));
        assert!(matches!(silence, Some(Fault::Silent(_))), "{apart:?}: {silence:?}");
    }
}

#[test]
fn of_time_in_which_nobody_looked_one_interval_is_silence_and_half_a_fault_more_if_nothing_has_come_since() {
    let start = Timestamp::from_nanos(500_000_000_000);
    let mut watch = Watch::new(Some(FRAME));
    watch.asked(start);
    watch.due(start);
    assert_eq!(watch.check(start + FRAME / 2), None);
    // Stopped for ten seconds.
    let mut now = start + Duration::from_secs(10);
    assert!(watch.check(now).is_none() && !watch.is_silent(), "one and a half");
    let mut heard = watch.clone();
    now += FRAME / 4;
    assert!(watch.check(now).is_none() && watch.is_silent(), "and three, and what has passed since");
    // It was on its way, and the next one is as well.
    let frame = |id, at| SourceEvent::Presented(FrameId(id), Presentation::At(at, Origin::Compositor));
    assert_eq!(heard.event(&frame(1, now), now), Ok(()));
    heard.asked(now);
    heard.due(now);
    now += FRAME;
    assert!(heard.check(now).is_none() && !heard.is_silent());
}

#[test]
fn silence_is_a_fault_where_the_loop_looks_rarely_and_begins_anew_after_a_rest() {
    let mut watch = Watch::new(Some(FRAME));
    let mut now = Timestamp::from_nanos(500_000_000_000);
    let mut looks = 0;
    // A software rasteriser takes 123 ms for each frame.
    while watch.check(now).is_none() {
        watch.asked(now);
        watch.due(now);
        now += Duration::from_millis(123);
        looks += 1;
    }
    assert!((2..=4).contains(&looks), "{looks} frames");
    // The last answer before a rest was lost: the first frame after it is no fault.
    watch.reset();
    watch.asked(now);
    watch.due(now);
    (0..6).for_each(|_| {
        assert_eq!(watch.check(now), None);
        now += FRAME;
    });
    assert!(watch.is_silent());
    now += Duration::from_secs(10);
    watch.asked(now);
    watch.due(now);
    assert!(watch.check(now + FRAME).is_none() && !watch.is_silent());
    // What answers the request from before it is no stamp of another clock.
    let before = now.saturating_sub(Duration::from_secs(9));
    let answer = SourceEvent::Presented(FrameId(1), Presentation::At(before, Origin::Compositor));
    assert_eq!(watch.event(&answer, now + FRAME), Ok(()));
}

#[test]
fn what_kind_of_silence_it_was_is_told() {
    let start = Timestamp::from_nanos(500_000_000_000);
    let stamp =
        |at| SourceEvent::Vblank(VblankSample { at, sequence: None, period: None, origin: Origin::Hardware });
    let told = |event: Option<SourceEvent>, before: bool| {
        let mut watch = Watch::new(Some(FRAME));
        let _ = (watch.event(&stamp(start), start), watch.check(start));
        // Many frames at one refresh.
        (0..if before { 40 } else { 0 }).for_each(|_| assert_eq!(watch.event(&stamp(start), start), Ok(())));
        assert!(!watch.is_silent());
        watch.asked(start);
        watch.due(start + FRAME / 2);
        for n in 1.. {
            let now = start + FRAME * n;
            event.iter().for_each(|event| assert_eq!(watch.event(event, now), Ok(())));
            if let Some(fault) = watch.check(now) {
                return (n, fault);
            }
        }
        unreachable!()
    };
    let dropped = SourceEvent::Presented(FrameId(1), Presentation::Dropped);
    assert!(matches!(told(None, true), (7, Fault::Silent(_))), "{:?}", told(None, true));
    assert!(matches!(told(Some(dropped), true), (7, Fault::OnlyDropped(_))));
    assert!(matches!(told(Some(stamp(start)), false), (7, Fault::SameStamp(_))));
}

#[test]
fn the_interval_that_a_source_states_counts_where_no_other_is_known() {
    let start = Timestamp::from_nanos(500_000_000_000);
    for (period, noticed) in [(None, 51), (Some(Duration::from_micros(41_667)), 126)] {
        let mut watch = Watch::new(None);
        let sample = VblankSample { at: start, sequence: None, period, origin: Origin::Hardware };
        assert_eq!(watch.event(&SourceEvent::Vblank(sample), start), Ok(()));
        watch.asked(start);
        watch.due(start);
        let at = |ms| start + Duration::from_millis(ms);
        let first = (0..200).find(|ms| {
            assert!(watch.check(at(*ms)).is_none() || watch.is_silent(), "a fault after {ms} ms");
            watch.is_silent()
        });
        assert_eq!(first, Some(noticed));
    }
}
