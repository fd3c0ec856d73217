//! Whether a display that was said to have a variable refresh rate has one, as far as a run shows.

use std::time::Duration;

use scanout::Summary;
use scanout::pacing::{Lock, Origin, VrrRange};
use scanout::stats::Metric;

/// Off screen, `--vrr` cannot be meant.
pub const OFF_SCREEN: &str = "--vrr is for displays: the one off screen is simulated with a fixed rate (`scanout sim --display vrr` has a \
     variable one)";

/// A display that follows shows a refresh with each frame, so that both come equally far apart but for this share.
const SAME: f64 = 0.03;

/// What a run with `--vrr` says against it, in one line.
pub fn doubt(range: VrrRange, summary: &Summary) -> Option<String> {
    let frames = summary.stats.metrics().summary(Metric::MsBetweenPresents)?;
    let pacer = &summary.pacer;
    let told = pacer.origin.filter(|_| pacer.lock == Lock::Locked).zip(pacer.refresh);
    judge(range, told, frames.p50)
}

/// Of who tells refreshes how far apart, and the median milliseconds from swap to swap.
fn judge(range: VrrRange, told: Option<(Origin, Duration)>, frames: f64) -> Option<String> {
    let asked = format!("--vrr {}-{}", range.min_hz, range.max_hz);
    match told {
        Some((Origin::Estimated, _)) | None => Some(format!(
            "{asked}: nobody tells refreshes here, so that whether the display follows the frames is not known"
        )),
        // Frames that come more slowly than the display can wait are shown several times, by a variable rate too.
        Some(_) if frames > 1e3 / range.min_hz * (1.0 + SAME) => Some(format!(
            "{asked}: frames came {frames:.2} ms apart, which is slower than that range, so that whether the display follows them is \
             not known"
        )),
        Some((_, refresh)) => {
            let refresh = refresh.as_secs_f64() * 1e3;
            let follows = (refresh / frames - 1.0).abs() <= SAME;
            (!follows).then(|| {
                format!(
                    "{asked}: refreshes come {refresh:.2} ms apart and frames {frames:.2} ms, so this display has a fixed rate, and \
                     misses are held against both; leave --vrr out"
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refreshes_that_come_with_the_frames_are_of_a_variable_rate() {
        let range = VrrRange::new(48.0, 144.0).unwrap();
        let ms = |ms: f64| Duration::from_secs_f64(ms / 1e3);
        let of = |origin, refresh, frames| judge(range, Some((origin, ms(refresh))), frames);
        assert_eq!(of(Origin::Compositor, 7.23, 7.25), None, "it follows");
        assert_eq!(of(Origin::Compositor, 14.0, 14.1), None, "also where the load is greater");
        let fixed = of(Origin::Compositor, 16.667, 7.25).expect("a warning");
        assert!(fixed.contains("fixed rate") && fixed.contains("48-144") && !fixed.contains('\n'), "{fixed}");
        // 25 frames per second on a display that shows each of them twice, by its own rate.
        let slow = of(Origin::Compositor, 20.0, 40.0);
        for unknown in [of(Origin::Estimated, 16.667, 7.25), judge(range, None, 7.25), slow] {
            assert!(unknown.is_some_and(|text| text.contains("not known")));
        }
    }
}
