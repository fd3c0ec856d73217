//! The cells of a row.

use scanout::stats::{FrameRow, Stage};

use super::Frames;

/// What was not measured.
pub const NA: &str = "NA";

/// What a row is computed from beside its own stamps.
pub struct Before<'a> {
    /// Where the file's times begin.
    began: u64,
    first_animation: u64,
    /// The frame before, displayed or not.
    presented: Option<&'a FrameRow>,
    /// The frame displayed before.
    displayed: Option<&'a FrameRow>,
    /// The earliest input of frames that were dropped since.
    carried: Option<u64>,
}

/// When a frame was displayed.
pub fn shown(row: &FrameRow) -> Option<u64> {
    row.presented.filter(|_| !row.dropped)
}

/// Nanoseconds between two stamps.
fn since(from: Option<u64>, to: Option<u64>) -> Option<i64> {
    Some(to?.cast_signed().wrapping_sub(from?.cast_signed()))
}

fn ms(nanos: Option<i64>) -> String {
    nanos.map_or(NA.to_owned(), |n| format!("{:.6}", n as f64 / 1e6))
}

impl<'a> Before<'a> {
    pub fn new(rows: &'a [FrameRow]) -> Self {
        let stamps = |row: &FrameRow| Stage::ALL.into_iter().filter_map(|s| row.at(s)).min();
        Self {
            began: rows.iter().filter_map(stamps).min().unwrap_or(0),
            first_animation: rows.first().map_or(0, |row| row.animation_time),
            presented: None,
            displayed: None,
            carried: None,
        }
    }

    /// The cells of a row. `next`: when the next frame was displayed.
    pub fn cells(&self, run: &Frames<'_>, index: usize, row: &FrameRow, next: Option<u64>) -> [String; 36] {
        let (presented, displayed) = (self.presented, self.displayed);
        let seconds = |at: Option<u64>| {
            since(Some(self.began), at).map_or(NA.to_owned(), |n| format!("{:.9}", n as f64 / 1e9))
        };
        let na = || NA.to_owned();
        // PresentMon lets a frame begin where the present of the one before returned.
        let start = presented.and_then(|p| p.swap_end);
        let input = row.input_received.into_iter().chain(self.carried).min();
        let to_photon = ms(since(input, shown(row)));
        let simulated = presented.filter(|_| !row.repeated).and_then(|p| p.input_sampled);
        [
            "scanout".to_owned(),
            run.process.map_or(na(), |id| id.to_string()),
            format!("{:#x}", index + 1),
            "Other".to_owned(),
            na(),
            na(),
            na(),
            "Other".to_owned(),
            "Application".to_owned(),
            seconds(row.swap_begin),
            ms(since(simulated, row.input_sampled)),
            ms(since(presented.and_then(|p| p.swap_begin), row.swap_begin)),
            ms(since(displayed.and_then(shown), shown(row))),
            ms(since(row.swap_begin, row.swap_end)),
            ms(since(row.swap_begin, row.gpu_done)),
            ms(since(row.swap_begin, shown(row))),
            seconds(start),
            ms(since(start, row.swap_end)),
            ms(since(start, row.swap_begin)),
            ms(since(row.swap_begin, row.swap_end)),
            na(),
            na(),
            na(),
            na(),
            ms(self.animation_error(row)),
            ms(since(Some(self.first_animation), Some(row.animation_time))),
            na(),
            to_photon.clone(),
            to_photon,
            ms(since(start, shown(row))),
            ms(since(shown(row), next)),
            row.id.to_string(),
            ms(if row.repeated { None } else { since(row.input_sampled, shown(row)) }),
            if row.origin.is_empty() { na() } else { row.origin.clone() },
            u8::from(row.dropped).to_string(),
            run.scenario.to_owned(),
        ]
    }

    /// The animation's step less the display's. A frame that nothing had asked for a while, or that was drawn again for the
    /// window's sake, made no step.
    fn animation_error(&self, row: &FrameRow) -> Option<i64> {
        let before = self.displayed?;
        if row.after_idle || (row.repeated && !row.stale) {
            return None;
        }
        let step = since(Some(before.animation_time), Some(row.animation_time))?;
        Some(step.wrapping_sub(since(shown(before), shown(row))?))
    }

    pub fn pass(&mut self, row: &'a FrameRow) {
        self.presented = Some(row);
        if shown(row).is_some() {
            (self.displayed, self.carried) = (Some(row), None);
        } else {
            self.carried = self.carried.into_iter().chain(row.input_received).min();
        }
    }
}
