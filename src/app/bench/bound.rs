//! The latency that no program can beat.

use std::fmt;

use super::result::ScenarioResult;

/// The least P99 of ClickToPhoton that a program can have on a display that shows new frames only once per refresh.
///
/// Inputs that come at any time alike wait between 0 and T, for the next sampling or the next refresh, 99 % of them up to
/// 0.99 T; to that comes the shortest time from sample to display, L.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Bound {
    /// Frames are shown when they are done.
    DoesNotApply,
    NotMeasured,
    /// In milliseconds.
    Is {
        refresh: f64,
        least: f64,
    },
}

impl Bound {
    pub fn of(s: &ScenarioResult) -> Self {
        let per_refresh = s.refreshes.is_some_and(|n| n > 0);
        if !s.aims_at_refreshes() || (s.display_origin == "estimated" && !per_refresh) {
            return Self::DoesNotApply;
        }
        match (s.refresh_ms(), s.figures("SampleToPhoton")) {
            (Some(refresh), Some(sample)) => Self::Is { refresh, least: sample.min },
            _ => Self::NotMeasured,
        }
    }

    /// In milliseconds.
    pub fn ms(self) -> Option<f64> {
        match self {
            Self::Is { refresh, least } => Some(0.99 * refresh + least),
            _ => None,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DoesNotApply => {
                f.write_str("frames are not bound to refreshes here: the bound 0.99*T + L does not apply")
            }
            Self::NotMeasured => f.write_str("bound 0.99*T + L of the P99 of ClickToPhoton: not measured"),
            Self::Is { refresh, least } => {
                let (wait, hz) = (0.99 * refresh, 1e3 / refresh);
                write!(
                    f,
                    "with one frame per refresh no program has a P99 of ClickToPhoton below 0.99*T + L = {wait:.3} + {least:.3} \
                     = {:.3} ms\n  (T = 1 / {hz:.2} Hz, L = the shortest SampleToPhoton, inputs at any time alike)",
                    wait + least
                )
            }
        }
    }
}
