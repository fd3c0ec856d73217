//! What the figures of a side stand for, in words: nobody is to guess under what something was measured.

use scanout::pacing::{Layout, LayoutChoice, MissBudget};
use scanout::{Pacing, Size};

use super::controls::mode_name;
use super::sides::{Side, Under};
use crate::app::load::LoadSpec;

/// What concerns A alone.
pub type Ours = (Pacing, LayoutChoice, Option<MissBudget>);
/// What concerns both.
pub type Shared = (LoadSpec, Size);

/// The words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stands {
    /// How frames were paced.
    pub paced: String,
    /// The load and the size: without the same ones the sides are not to be compared.
    pub shared: String,
}

impl Stands {
    /// Allocates.
    pub fn of(under: &Under<Ours, Shared>) -> Self {
        let (mode, layout, budget) = under.conditions.ours;
        let paced = match under.side {
            Side::A => {
                let layout = match layout {
                    LayoutChoice::Pinned(Layout::Serial) => "serial",
                    LayoutChoice::Pinned(Layout::Pipelined) => "pipelined",
                    _ => "auto layout",
                };
                // A mode that aims at no time has a budget for when another one follows.
                let share = budget.unwrap_or(mode.miss_budget()).share() * 100.0;
                format!("{}, {layout}, {share:.2} % may miss", mode_name(mode))
            }
            Side::B => "naive loop: swap interval 1, no plan, no limit".to_owned(),
        };
        let (load, Size { width, height, .. }) = under.conditions.shared;
        let load = if load == LoadSpec::default() { "no load".to_owned() } else { load.to_string() };
        Self { paced, shared: format!("{load}, {width}x{height}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::hud::sides::Conditions;

    #[test]
    fn each_side_says_what_it_was_measured_under() {
        let under = |side, layout, load: &str| {
            let ours = (Pacing::LowLatency, layout, MissBudget::new(0.02));
            let shared = (load.parse().expect("a load"), Size::new(640, 480));
            Stands::of(&Under { side, conditions: Conditions { ours, shared } })
        };
        let a = under(Side::A, LayoutChoice::Pinned(Layout::Serial), "");
        assert_eq!(a.paced, "low-latency, serial, 2.00 % may miss");
        assert_eq!(a.shared, "no load, 640x480");
        let b = under(Side::B, LayoutChoice::Auto, "busy=2");
        assert_eq!(b.shared, "busy=2, 640x480");
        assert!(b.paced.starts_with("naive loop") && !b.paced.contains("may miss"), "{}", b.paced);
    }
}
