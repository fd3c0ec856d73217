//! Frames side by side as columns of their stages, with a mark under those that came late.

use std::time::Duration;

use ratatui::style::Color;

use scanout::stats::{FrameRecord, Stage};

/// What a frame's time went to, from the bottom of its column up.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Part {
    Logic,
    HandOver,
    Render,
    Swap,
    Display,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Logic, Self::HandOver, Self::Render, Self::Swap, Self::Display];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Logic => "logic",
            Self::HandOver => "hand-over",
            Self::Render => "render",
            Self::Swap => "hold+swap",
            Self::Display => "display",
        }
    }

    pub const fn colour(self) -> Color {
        match self {
            Self::Logic => Color::Green,
            Self::HandOver => Color::Yellow,
            Self::Render => Color::Blue,
            Self::Swap => Color::Magenta,
            Self::Display => Color::Cyan,
        }
    }

    const fn stages(self) -> (Stage, Stage) {
        match self {
            Self::Logic => (Stage::InputSampled, Stage::LogicDone),
            Self::HandOver => (Stage::LogicDone, Stage::SnapshotAcquired),
            Self::Render => (Stage::SnapshotAcquired, Stage::Submitted),
            Self::Swap => (Stage::Submitted, Stage::SwapEnd),
            Self::Display => (Stage::SwapEnd, Stage::Presented),
        }
    }
}

/// What was wrong with a frame.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Mark {
    /// It was displayed a refresh or more after its turn.
    Missed,
    /// It was never displayed.
    Dropped,
    /// The logic was too late for it: it shows an old snapshot.
    Stale,
}

impl Mark {
    pub const fn letter(self) -> char {
        match self {
            Self::Missed => '!',
            Self::Dropped => 'x',
            Self::Stale => 's',
        }
    }
}

/// A frame as a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Nanoseconds of each part; one that was not measured, or that ran backwards, takes none.
    pub parts: [(Part, u64); Part::ALL.len()],
    pub mark: Option<Mark>,
}

impl Column {
    pub fn total(&self) -> u64 {
        self.parts.iter().map(|(_, nanos)| nanos).sum()
    }
}

/// The columns of the newest `width` frames. `target` is the number of refreshes that a frame is meant to last.
pub fn columns(frames: &[FrameRecord], width: usize, refresh: Duration, interval: Duration) -> Vec<Column> {
    let first = frames.len().saturating_sub(width);
    let mut shown = frames[..first].iter().rev().find_map(|f| f.at(Stage::Presented));
    frames[first..]
        .iter()
        .map(|frame| {
            let parts = Part::ALL.map(|part| {
                let (from, to) = part.stages();
                let nanos = frame.between(from, to).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                (part, nanos)
            });
            let mark = mark(frame, shown, refresh, interval);
            shown = frame.at(Stage::Presented).or(shown);
            Column { parts, mark }
        })
        .collect()
}

fn mark(
    frame: &FrameRecord,
    before: Option<scanout::time::Timestamp>,
    refresh: Duration,
    interval: Duration,
) -> Option<Mark> {
    if frame.dropped {
        return Some(Mark::Dropped);
    }
    let refresh = refresh.as_secs_f64();
    let late = || {
        let step = frame.at(Stage::Presented)?.saturating_since(before?).as_secs_f64();
        let meant = (interval.as_secs_f64() / refresh).round().max(1.0);
        Some((step / refresh).round() > meant)
    };
    if refresh > 0.0 && !frame.after_idle && late() == Some(true) {
        return Some(Mark::Missed);
    }
    frame.stale.then_some(Mark::Stale)
}

/// The time at the top: a round number that nearly all columns stay below.
pub fn scale(columns: &[Column]) -> u64 {
    let mut totals: Vec<u64> = columns.iter().map(Column::total).collect();
    totals.sort_unstable();
    // One frame that took a second would leave nothing of the others to be seen.
    let usual = totals.get((totals.len() * 19 / 20).min(totals.len().saturating_sub(1)));
    let most = totals.last().copied().unwrap_or(0).min(usual.copied().unwrap_or(0).saturating_mul(2));
    let mut step = 10_000;
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= most {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// One character of a column: `fill` eighths of it from the bottom in the first colour, the rest in the second.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Cell {
    pub below: Option<Part>,
    pub above: Option<Part>,
    pub fill: u8,
}

/// The characters of a column from the bottom up, where `height` of them are `scale` nanoseconds.
pub fn cells(column: &Column, height: usize, scale: u64) -> Vec<Cell> {
    let eighths = height * 8;
    let mut at = vec![None; eighths];
    let (mut sum, mut begin) = (0_u64, 0);
    for (part, nanos) in column.parts {
        sum = sum.saturating_add(nanos);
        let share = sum as f64 / scale.max(1) as f64;
        let end = ((share * eighths as f64).round() as usize).min(eighths);
        at[begin.min(end)..end].fill(Some(part));
        begin = begin.max(end);
    }
    at.chunks(8)
        .map(|cell| {
            let below = cell[0];
            let fill = cell.iter().take_while(|part| **part == below).count();
            // A character has two colours; of more parts the topmost counts.
            Cell { below, above: cell[7], fill: fill as u8 }
        })
        .collect()
}
