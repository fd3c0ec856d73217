//! What swap does, found out by swapping: with interval 1 and with interval 0. And how many frames the driver keeps.

use scanout::pacing::{Origin, Throttle};
use scanout::stats::{FrameRecord, Stage};

use super::line::{Group, Line, State};
use super::ms;
use super::phases::{Measured, Phase};

/// The pacer has made up its mind after so many swaps; where it found that swap does not wait, a timer sets the rhythm of
/// those after them.
const TESTED: usize = 12;
/// An interval this close to a refresh, as a share of one, is one.
const NEAR: f64 = 0.1;

pub fn lines(measured: &Measured, out: &mut Vec<Line>) {
    let simulated = measured.summary.target.origin == Origin::Simulated;
    out.push(waiting(measured, simulated));
    out.push(unpaced(measured, simulated));
    out.push(queue(measured, simulated));
}

/// Swap to swap and within swap: medians in milliseconds.
fn medians(frames: &[FrameRecord]) -> Option<(f64, f64)> {
    let median = |mut list: Vec<i64>| {
        scanout::stats::quantile::select(&mut list, 0.5, i64::cmp).map(|ns| ns as f64 / 1e6)
    };
    let ends = |f: &FrameRecord| f.at(Stage::SwapEnd);
    let between = frames.windows(2).filter_map(|w| Some(ends(&w[1])?.signed_since(ends(&w[0])?))).collect();
    let within = frames.iter().filter_map(|f| f.between(Stage::SwapBegin, Stage::SwapEnd)).collect();
    median(between).zip(median(within))
}

fn waiting(measured: &Measured, simulated: bool) -> Line {
    let line =
        |state, text: String| Line::new(Group::Display, "swap_interval_1", "swap interval 1", state, text);
    let all = measured.frames(Phase::Waiting);
    let throttle = measured.throttle(Phase::Waiting);
    // The first frames fill what queue there is.
    let looked_at = match throttle {
        Throttle::Timer => all.get(..TESTED.min(all.len())),
        _ => all.get(TESTED / 2..),
    };
    let Some((interval, swap)) = looked_at.and_then(medians) else {
        return line(State::NotMeasured, "too few frames came: is the window hidden?".into());
    };
    let figures = |line: Line| line.figure("interval_ms", interval).figure("swap_ms", swap);
    let text = format!("swaps return {interval:.1} ms apart and take {swap:.1} ms");
    figures(match throttle {
        Throttle::Driver if simulated => line(State::Note, format!("{text}: it waits for the simulated display")),
        Throttle::Driver => line(State::Ok, format!("{text}: it waits for the display, as it was asked to")),
        Throttle::Timer => line(State::Problem, format!("{text}: it does not wait, though it was asked to"))
            .advise("programs that rely on vsync run as fast as they can here; pace by a timer or by the display's refreshes"),
        Throttle::Untested => match measured.refresh().map(ms) {
            Some(refresh) if (interval / refresh - 1.0).abs() < NEAR && swap > refresh / 4.0 => {
                line(State::Ok, format!("{text}: it waits for the display, as it was asked to"))
            }
            _ => line(State::NotMeasured, format!("{text}, which says nothing either way")),
        },
    })
}

fn unpaced(measured: &Measured, simulated: bool) -> Line {
    let line =
        |state, text: String| Line::new(Group::Display, "swap_interval_0", "swap interval 0", state, text);
    let frames = measured.frames(Phase::Unpaced);
    let Some((interval, swap)) = medians(&frames) else {
        return line(State::NotMeasured, "too few frames came".into());
    };
    let figures = |line: Line| line.figure("interval_ms", interval).figure("swap_ms", swap);
    let text = format!("{:.0} frames per second, swap takes {swap:.1} ms", 1e3 / interval.max(1e-3));
    let refresh = measured.refresh().map(ms);
    let waits =
        refresh.is_some_and(|refresh| (interval / refresh - 1.0).abs() < NEAR && swap > refresh / 4.0);
    figures(if waits {
        line(State::Problem, format!("{text}: it waits for the display, though it was asked not to")).advise(
            "something forces vsync (vblank_mode=3, __GL_SYNC_TO_VBLANK=1, the driver's control panel)",
        )
    } else if refresh.is_some_and(|refresh| swap > refresh / 4.0) {
        line(State::Note, text).advise("swap copies the picture: smaller windows cost less")
    } else if simulated {
        line(State::Note, text)
    } else {
        line(State::Ok, text)
    })
}

fn queue(measured: &Measured, simulated: bool) -> Line {
    let line = |state, text: String| Line::new(Group::Display, "queue", "frames queued", state, text);
    let frames_of = |phase| measured.self_check(phase).and_then(|report| report.queue_frames);
    let told = |n: u32| format!("{n} frame{}", if n == 1 { "" } else { "s" });
    let (waiting, paced) = (frames_of(Phase::Waiting), frames_of(Phase::Paced));
    let by = if measured.summary.target.origin == Origin::Estimated {
        " (with the GPU, by fences: nobody tells display times)"
    } else if simulated {
        " (simulated display)"
    } else {
        ""
    };
    let text = match (paced, waiting) {
        (Some(paced), Some(waiting)) => format!(
            "{} from swap to display as the loop runs by itself, {waiting} with swap interval 1{by}",
            told(paced)
        ),
        (Some(paced), None) => format!("{} from swap to display as the loop runs by itself{by}", told(paced)),
        (None, Some(waiting)) => format!("{} from swap to display with swap interval 1{by}", told(waiting)),
        (None, None) => {
            return line(State::NotMeasured, "neither display times nor fences were told".into());
        }
    };
    let most = waiting.unwrap_or(0).max(paced.unwrap_or(0));
    let line = if most < 3 {
        line(if simulated { State::Note } else { State::Ok }, text)
    } else {
        line(State::Problem, text)
            .advise("1 or 2 are normal: the driver queues. Wait for fences, begin frames by the display's refreshes, or try __GL_MaxFramesAllowed=1 (NVIDIA)")
    };
    line.figure("paced_frames", paced.map(f64::from)).figure("interval_1_frames", waiting.map(f64::from))
}
