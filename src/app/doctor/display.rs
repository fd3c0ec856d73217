//! Who says when frames are displayed, how good that is, and how fast the display refreshes.

use std::time::Duration;

use scanout::pacing::{Lock, Origin};
use scanout::stats::Stage;

use super::line::{Group, Line, State};
use super::ms;
use super::phases::{Measured, Phase};

/// A step of stamps this close to whole refreshes, as a share of one, is one of whole refreshes.
const WHOLE: f64 = 0.1;
/// Of good stamps at least this share are that.
const MOSTLY: f64 = 0.9;
/// A measured rate further than this share from the nominal one is another rate.
const SAME_RATE: f64 = 0.01;
/// Stamps that scatter by more than this share of a refresh cannot be aimed at closely.
const SPREAD: f64 = 0.05;

pub fn lines(measured: &Measured, out: &mut Vec<Line>) {
    out.push(source(measured));
    out.push(stamps(measured));
    out.push(delay(measured));
    out.push(refresh(measured));
}

fn source(measured: &Measured) -> Line {
    let target = &measured.summary.target;
    let line = |state, what: &str| {
        let text = format!("{} ({}): {what}", target.source, target.origin);
        Line::new(Group::Display, "display_times", "display times", state, text)
    };
    if target.source.is_empty() {
        return Line::new(
            Group::Display,
            "display_times",
            "display times",
            State::Problem,
            "no source has said anything",
        )
        .advise("latencies cannot be measured here, and frames are paced by a timer");
    }
    match target.origin {
        Origin::Hardware => line(State::Ok, "stamped by the display's hardware"),
        Origin::Compositor => line(State::Ok, "stamped by the compositor, at its own repaint"),
        Origin::Simulated => line(State::Note, "there is no display"),
        _ => line(State::Note, "nobody says when a frame was displayed; it is guessed from the swap")
            .advise("latencies are lower bounds here; Wayland's presentation feedback, or a driver that presents through X11 Present, would tell"),
    }
}

/// Whether the stamps of displayed frames lie whole refreshes apart.
fn stamps(measured: &Measured) -> Line {
    let line = |state, text: String| Line::new(Group::Display, "stamps", "their steps", state, text);
    if measured.off_screen {
        return line(State::NotMeasured, "there is no display".into());
    }
    let frames = measured.frames(Phase::Paced);
    let shown: Vec<_> = frames
        .iter()
        .filter(|f| !f.dropped && f.origin != Origin::Estimated)
        .filter_map(|f| f.at(Stage::Presented))
        .collect();
    let Some(refresh) = measured.refresh().filter(|r| !r.is_zero() && shown.len() > 20) else {
        return line(State::NotMeasured, "nobody told display times while it was looked at".into());
    };
    let refresh = refresh.as_secs_f64();
    let steps: Vec<f64> = shown.windows(2).map(|w| w[1].signed_since(w[0]) as f64 / 1e9 / refresh).collect();
    let whole = steps.iter().filter(|s| (**s - s.round()).abs() < WHOLE && s.round() >= 1.0).count();
    let share = whole as f64 / steps.len() as f64;
    let text = format!("{:.0} % of {} lie whole refreshes apart", share * 100.0, steps.len());
    if share >= MOSTLY {
        line(State::Ok, text)
    } else {
        line(State::Problem, text).advise(
            "stamps of when somebody noticed, not of when the display refreshed (a busy machine does that too): frames that aim at refreshes go wrong by as much",
        )
    }
    .figure("whole_share", share)
    .figure("n", steps.len() as f64)
}

fn delay(measured: &Measured) -> Line {
    let line = |state, text: String| Line::new(Group::Display, "told_after", "told after", state, text);
    if measured.off_screen {
        return line(State::NotMeasured, "there is no display".into());
    }
    let late = measured.summary.stats.display_times_late();
    let quantile = |q| late.quantile(q).map(|ns| ns as f64 / 1e6);
    match (quantile(0.5), quantile(0.99)) {
        (Some(p50), Some(p99)) if measured.summary.target.origin != Origin::Estimated => {
            let text =
                format!("{p50:.1} ms after the display, p99 {p99:.1} ms (as it is polled: an upper bound)");
            line(State::Ok, text).figure("p50_ms", p50).figure("p99_ms", p99)
        }
        _ => line(State::NotMeasured, "nobody tells display times".into()),
    }
}

fn refresh(measured: &Measured) -> Line {
    let line = |state, text: String| Line::new(Group::Display, "refresh", "refresh rate", state, text);
    let nominal = measured.summary.target.refresh_hz;
    let state = &measured.summary.pacer;
    let learnt = (state.lock == Lock::Locked).then_some(state.refresh).flatten();
    let told = nominal.map_or("no nominal rate".to_owned(), |hz| format!("{hz:.2} Hz nominal"));
    let Some(period) = learnt.filter(|period| *period > Duration::ZERO) else {
        let text = format!("{told}; not measured: too little was said of refreshes");
        return line(if nominal.is_some() { State::Note } else { State::NotMeasured }, text)
            .advise("frames are paced by a timer, at the nominal rate or at 60 Hz")
            .figure("nominal_hz", nominal);
    };
    let hz = 1.0 / period.as_secs_f64();
    let spread = ms(state.spread);
    let text = format!("{told}, {hz:.3} Hz measured; stamps scatter by {spread:.3} ms");
    let wrong = nominal.is_some_and(|nominal| (hz / nominal - 1.0).abs() > SAME_RATE);
    let coarse = spread > SPREAD * ms(period);
    if wrong {
        line(State::Problem, text)
            .advise("the display does not do what it says: a timer at the nominal rate would beat against it")
    } else if coarse {
        line(State::Note, text)
            .advise("frames are begun earlier by about that much; a compositor on real hardware is steadier")
    } else {
        line(State::Ok, text)
    }
    .figure("nominal_hz", nominal)
    .figure("measured_hz", hz)
    .figure("spread_ms", spread)
}
