//! What the pacer came to know, for reports and the HUD.

use serde::Serialize;

use scanout::pacing::{Layout, Lock, Origin, PacerState};

use super::or_not;

/// [`PacerState`], for programs.
#[derive(Debug, Serialize)]
pub struct Pacer {
    /// How well the display's refreshes are known: `unknown`, `acquiring`, `locked`.
    pub lock: &'static str,
    /// Who says when they are; `null` where nobody did.
    pub origin: Option<Origin>,
    /// As measured; the nominal one until then; `null` where neither is known.
    pub refresh_ms: Option<f64>,
    /// Robust spread of the display's stamps about the model.
    pub spread_ms: f64,
    /// The time that a frame is given from its start to its display time, in modes that aim at one.
    pub budget_ms: f64,
    /// The part of it that is reserve.
    pub reserve_ms: f64,
    /// The share of planned frames that may miss, as declared; `null` where frames aim at no time.
    pub declared_miss_share: Option<f64>,
    /// The share that did; `null` where none was judged. Of the frames that the metrics are made of and those among them that
    /// were never displayed.
    pub measured_miss_share: Option<f64>,
    pub judged: u64,
    pub missed: u64,
    pub layout: &'static str,
    /// Refreshes per frame that the load needed.
    pub divisor: u32,
    /// Commits left out to empty a queue before the display.
    pub drains: u64,
    /// Frames put off before there was a queue, as the one before was not displayed when it should have been.
    pub postponed: u64,
    /// How often the source of the display times said nothing new for three refreshes, so that they were predicted, while the window was
    /// shown.
    pub holdovers: u64,
}

impl Pacer {
    pub fn new(state: &PacerState) -> Self {
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1e3;
        Self {
            lock: lock_name(state.lock),
            origin: state.origin,
            refresh_ms: state.refresh.map(ms),
            spread_ms: ms(state.spread),
            budget_ms: ms(state.budget),
            reserve_ms: state.reserve as f64 / 1e6,
            declared_miss_share: state.miss_budget,
            measured_miss_share: miss_share(state),
            judged: state.judged,
            missed: state.missed,
            layout: layout_name(state.layout),
            divisor: state.divisor,
            drains: state.drains,
            postponed: state.postponed,
            holdovers: state.holdovers,
        }
    }

    /// What may miss, what did, and the budget that follows from it; where frames aim at no time there is none of that.
    pub fn misses(&self) -> String {
        let measured = self.measured_miss_share.map(|share| {
            format!("measured {:.2} % ({} of {} planned)", share * 100.0, self.missed, self.judged)
        });
        let (budget, reserve) = (self.budget_ms, self.reserve_ms);
        match (self.declared_miss_share, measured) {
            (Some(declared), measured) => format!(
                "misses declared {:.2} %, {}; budget {budget:.3} ms with {reserve:.3} ms of reserve",
                declared * 100.0,
                or_not(measured)
            ),
            (None, None) => "misses not declared: frames aim at no time".to_owned(),
            (None, Some(measured)) => format!("misses not declared now, {measured} before"),
        }
    }
}

/// The share of planned frames that missed.
pub fn miss_share(state: &PacerState) -> Option<f64> {
    (state.judged > 0).then(|| state.missed as f64 / state.judged as f64)
}

/// What is printed for a lock.
pub const fn lock_name(lock: Lock) -> &'static str {
    match lock {
        Lock::Unknown => "unknown",
        Lock::Acquiring => "acquiring",
        Lock::Locked => "locked",
    }
}

/// What is printed for a layout.
pub const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Serial => "serial",
        Layout::Pipelined => "pipelined",
        _ => "other",
    }
}
