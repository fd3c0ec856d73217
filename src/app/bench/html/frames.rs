//! The newest frames of a scenario: each a bar of the parts of its way, the late ones marked and blamed. plotters has no
//! tooltips and would write a rectangle for each part of each frame, so this one is written by hand.

use std::fmt::Write as _;
use std::time::Duration;

use scanout::pacing::FrameId;
use scanout::stats::blame::{Blame, Part, Reach, blame, parts};
use scanout::stats::quantile::of_sorted;
use scanout::stats::{FrameLog, FrameRecord, FrameRow, enough_for, late};

use super::ms;
use crate::app::bench::result::ScenarioResult;
use crate::app::palette::LETTER_OF;

/// Bars that can still be told apart.
const MOST: usize = 180;
const WIDTH: f64 = 980.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 42.0;
const TALL: f64 = 150.0;
/// From one bar to the next, at most.
const WIDEST: f64 = 24.0;

/// What the newest frames tell.
pub struct Way {
    /// Those that were displayed, numbered from 0 here: runs of a scenario number theirs alike.
    frames: Vec<FrameRecord>,
    /// Their own numbers.
    names: Vec<u64>,
    /// Refreshes that each came too late by.
    missed: Vec<u64>,
    blame: Blame,
    /// Frames are meant for refreshes: without that none is late.
    bound: bool,
    /// Mean and P99 of each part in milliseconds, over all of them.
    pub parts: [Option<[f64; 2]>; Part::COUNT],
    dropped: usize,
}

impl Way {
    pub fn new(s: &ScenarioResult) -> Self {
        let bound = s.is_bound_to_refreshes();
        let refresh =
            s.refresh_ms().filter(|_| bound).map_or(Duration::ZERO, |ms| Duration::from_secs_f64(ms / 1e3));
        let log = FrameLog { frames: s.strip.clone(), ..FrameLog::default() };
        // The rows of each run have their own numbers; those of its warm-up are in no figure.
        let measured = |id: u64| id > s.warmup_frames;
        let mut frames: Vec<FrameRecord> = log.displayed().filter(|f| measured(f.id.0)).collect();
        let names = frames.iter().map(|f| f.id.0).collect();
        let missed = late_by(&frames, refresh, bound);
        for (i, frame) in frames.iter_mut().enumerate() {
            frame.id = FrameId(i as u64);
        }
        let blame = blame(&frames, Reach::FROM_SAMPLE, |frame| missed[frame.id.0 as usize] > 0);
        let mut of: [Vec<f64>; Part::COUNT] = Default::default();
        for frame in &frames {
            let times = way(frame);
            of.iter_mut().zip(times).for_each(|(all, time)| all.extend(time));
        }
        let figures = |mut all: Vec<f64>| {
            all.sort_by(f64::total_cmp);
            let p99 = of_sorted(&all, 0.99)?;
            Some([all.iter().sum::<f64>() / all.len() as f64, p99])
        };
        Self {
            names,
            missed,
            blame,
            bound,
            parts: of.map(figures),
            dropped: s.strip.iter().filter(|row: &&FrameRow| row.dropped && measured(row.id)).count(),
            frames,
        }
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// What the second figure of [`parts`](Self::parts) is called: of few frames the P99 is the largest.
    pub fn far_name(&self) -> &'static str {
        if enough_for(self.frames.len() as u64, 0.99) { "P99" } else { "max" }
    }

    /// What the strip shows, in words.
    pub fn summary(&self) -> String {
        let shown = self.frames.len().min(MOST);
        let from = self.frames.len() - shown;
        let late: Vec<_> = self.blame.late.iter().filter(|l| l.frame.0 as usize >= from).collect();
        let mut out = match self.bound {
            true => format!("{shown} frame(s), {} of them late", late.len()),
            false => format!("{shown} frame(s), none of them bound to a refresh that it could miss"),
        };
        let mut counted: Vec<(Part, usize)> =
            Part::ALL.map(|part| (part, late.iter().filter(|l| l.part == Some(part)).count())).to_vec();
        counted.retain(|(_, n)| *n > 0);
        for (i, (part, n)) in counted.iter().enumerate() {
            let _ = write!(
                out,
                "{}{n} by {part} ({})",
                if i == 0 { ": " } else { ", " },
                LETTER_OF[*part as usize]
            );
        }
        let unblamed = late.iter().filter(|l| l.part.is_none()).count();
        if unblamed > 0 {
            let _ = write!(
                out,
                "{}{unblamed} with no part longer than usual (?)",
                if counted.is_empty() { ": " } else { ", " }
            );
        }
        if self.dropped > 0 {
            let _ = write!(
                out,
                "; {} of the newest {} were never displayed and have no bar",
                self.dropped,
                self.frames.len() + self.dropped
            );
        }
        out.push('.');
        let (_, longest, cut) = self.scale();
        if cut > 0 {
            let _ = write!(
                out,
                " {cut} bar(s) are cut off at the top, each under a <svg class=\"sign\" viewBox=\"-6 -2 12 10\" role=\"img\" \
                 aria-label=\"arrow\"><path class=\"cut\" d=\"M-4 6l4 -6l4 6z\"/></svg>: the longest took {} ms.",
                ms(longest)
            );
        }
        out
    }

    /// The frames that have bars.
    fn shown(&self) -> &[FrameRecord] {
        &self.frames[self.frames.len().saturating_sub(MOST)..]
    }

    /// Where the strip ends, the longest bar, and how many reach beyond the end: the highest are cut, so that the others can be
    /// seen.
    fn scale(&self) -> (f64, f64, usize) {
        let mut totals: Vec<f64> = self.shown().iter().map(total).collect();
        totals.sort_by(f64::total_cmp);
        let (usual, longest) =
            (of_sorted(&totals, 0.5).unwrap_or(0.0), totals.last().copied().unwrap_or(0.0));
        let top = longest.min(usual * 4.0).max(0.01);
        (top, longest, totals.iter().filter(|ms| **ms > top).count())
    }

    /// The strip; `None` where no frame was displayed.
    pub fn strip(&self) -> Option<String> {
        let (from, shown) = (self.frames.len().saturating_sub(MOST), self.shown());
        if shown.is_empty() {
            return None;
        }
        let totals: Vec<f64> = shown.iter().map(total).collect();
        let (top, ..) = self.scale();
        // A few frames are bars as well, and not blocks.
        let step = ((WIDTH - LEFT - 4.0) / shown.len() as f64).min(WIDEST);
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Strip of frames\">",
            TOP + TALL + 12.0
        );
        let lines = round_step(top / 3.0);
        for i in (0_u32..8).take_while(|i| f64::from(*i) * lines <= top) {
            let value = (f64::from(i) * lines * 1e6).round() / 1e6;
            let y = TOP + TALL - TALL * value / top;
            let _ = write!(
                out,
                "<path class=\"rule\" d=\"M{LEFT} {y:.0}H{WIDTH}\"/><text x=\"{}\" y=\"{:.0}\" font-size=\"13\" text-anchor=\"end\">{value}</text>",
                LEFT - 5.0,
                y + 4.0
            );
        }
        self.bars(&mut out, shown, top, step);
        for (i, _) in totals.iter().enumerate().filter(|(_, ms)| **ms > top) {
            // An arrow over what goes on.
            let x = LEFT + step * (i as f64 + 0.43);
            let _ = write!(out, "<path class=\"cut\" d=\"M{:.1} {:.1}l4 -6l4 6z\"/>", x - 4.0, TOP - 1.0);
        }
        self.marks(&mut out, from, &totals, top, step);
        out.push_str("</svg>");
        Some(out)
    }

    /// One path for each part, through all frames.
    fn bars(&self, out: &mut String, shown: &[FrameRecord], top: f64, step: f64) {
        let wide = (step * 0.86).max(0.6);
        for part in Part::ALL {
            let mut path = String::new();
            for (i, frame) in shown.iter().enumerate() {
                let times = way(frame);
                let below: f64 = times[..part as usize].iter().flatten().sum();
                let Some(time) = times[part as usize] else { continue };
                let (low, high) = (below.min(top), (below + time).min(top));
                let tall = TALL * (high - low) / top;
                if tall >= 0.1 {
                    let (x, y) = (LEFT + step * i as f64, TOP + TALL - TALL * high / top);
                    let _ = write!(path, "M{x:.1} {y:.1}h{wide:.1}v{tall:.1}h-{wide:.1}z");
                }
            }
            if !path.is_empty() {
                let _ = write!(out, "<path class=\"p{}\" d=\"{path}\"/>", part as usize);
            }
        }
    }

    /// A cross over each late frame, with the letter of the part at fault.
    fn marks(&self, out: &mut String, from: usize, totals: &[f64], top: f64, step: f64) {
        for late in &self.blame.late {
            let Some(i) = (late.frame.0 as usize).checked_sub(from) else { continue };
            let x = LEFT + step * (i as f64 + 0.43);
            let above = if totals[i] > top { 17.0 } else { 9.0 };
            let y = TOP + TALL - TALL * (totals[i] / top).min(1.0) - above;
            let (letter, why) = match late.part {
                Some(part) => (
                    LETTER_OF[part as usize],
                    format!("{part} took {} ms longer than usual", ms(late.excess as f64 / 1e6)),
                ),
                None => ("?", "no part took longer than usual".to_owned()),
            };
            let number = late.frame.0 as usize;
            let cut = if totals[i] > top { ", bar cut off" } else { "" };
            let _ = write!(
                out,
                "<g><title>frame {}: {} refresh(es) late, {} ms{cut}; {why}</title><path class=\"cross\" d=\"M{:.1} {:.1}l7 7m0 -7l-7 7\"/><text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\" font-size=\"13\" text-anchor=\"middle\">{letter}</text></g>",
                self.names[number],
                self.missed[number],
                ms(totals[i]),
                x - 3.5,
                y - 1.0,
                y - 5.0,
            );
        }
    }
}

/// The largest of 1, 2 and 5, times a power of ten, that is not above `most`.
fn round_step(most: f64) -> f64 {
    let power = 10.0_f64.powf(most.log10().floor());
    let times = [5.0, 2.0, 1.0].into_iter().find(|n| n * power <= most).unwrap_or(1.0);
    // Powers of a tenth are not exact, and would be printed to their last digit.
    (times * power * 1e6).round() / 1e6
}

/// By how many refreshes each frame was late. Where numbers start again, another run of the scenario begins.
fn late_by(frames: &[FrameRecord], refresh: Duration, bound: bool) -> Vec<u64> {
    let before = std::iter::once(None).chain(frames.iter().map(Some));
    let late = |(before, frame): (Option<&FrameRecord>, &FrameRecord)| {
        late::by(before.filter(|before| before.id < frame.id), frame, refresh)
    };
    before.zip(frames).map(|pair| if bound { late(pair) } else { 0 }).collect()
}

/// From the sample to the display, in milliseconds.
fn total(frame: &FrameRecord) -> f64 {
    way(frame).iter().flatten().sum()
}

/// The parts from the sample on, in milliseconds.
fn way(frame: &FrameRecord) -> [Option<f64>; Part::COUNT] {
    let mut times = parts(frame).map(|nanos| nanos.map(|n| n as f64 / 1e6));
    times[Part::InputWait as usize] = None;
    times
}
