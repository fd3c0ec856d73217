//! Whether a source can be believed. Pure: `now` is passed in.

use std::fmt;
use std::time::Duration;

use super::SourceEvent;
use crate::time::Timestamp;

/// Silence of this many refresh intervals is noticed: one may be missed by the compositor, one by us.
const SILENT_PERIODS: u32 = 3;
/// The least silence that is a fault. Below it a busy machine would be taken for a broken display.
const SILENT_LEAST: Duration = Duration::from_millis(100);
/// The refresh interval where nobody knows it.
const USUAL: Duration = Duration::from_nanos(16_666_667);
/// Who has not looked for so long has rested: what was due then is not missed.
const REST: Duration = Duration::from_secs(1);
/// An answer that takes longer than this is a throttled one, if the refresh interval is not longer still: no display
/// refreshes at less than 30 Hz by itself.
const THROTTLED_LEAST: Duration = Duration::from_millis(34);
/// So many bad stamps in a row are no accident.
const BAD_IN_A_ROW: u32 = 8;
/// A silence in which the last stamp came this often again is told as that.
const SAME_STAMPS: u32 = 4;
/// Compositors may name the refresh that comes next; nobody knows one further off than this.
const FUTURE: Duration = Duration::from_millis(50);
/// A stamp so long before its request is of another clock. Clocks of one machine differ by the time it was suspended,
/// or by decades.
const PAST: Duration = Duration::from_secs(1);
/// Displays refresh at 1 to 2,000 Hz.
const PERIODS: std::ops::RangeInclusive<Duration> = Duration::from_micros(500)..=Duration::from_secs(1);

/// What is wrong with a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing came for this long.
    Silent(Duration),
    /// For this long frames were only ever said to be dropped.
    OnlyDropped(Duration),
    /// A stamp this far ahead of the present.
    Future(Duration),
    /// A stamp this far before its request.
    Past(Duration),
    /// The same stamp for this long.
    SameStamp(Duration),
    /// It states this refresh interval.
    Period(Duration),
    /// Refreshes follow each other faster than any display's.
    TooFast(Duration),
    /// Answers keep coming this late.
    Throttled(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(d) => write!(f, "said nothing for {d:.0?}"),
            Self::OnlyDropped(d) => write!(f, "for {d:.0?} only said that frames were dropped"),
            Self::Future(d) => write!(f, "stamps {d:.1?} ahead of the clock"),
            Self::Past(d) => write!(f, "stamps {d:.1?} before the frame"),
            Self::SameStamp(d) => write!(f, "gave one and the same stamp for {d:.0?}"),
            Self::Period(d) => write!(f, "states a refresh interval of {d:?}"),
            Self::TooFast(d) => write!(f, "tells refreshes {d:?} apart"),
            Self::Throttled(d) => write!(f, "answers {d:.0?} late"),
        }
    }
}

/// How long nothing may come where the refresh interval is `period`: 3 intervals, at least 100 ms.
#[must_use]
pub fn patience(period: Option<Duration>) -> Duration {
    period.map_or(SILENT_LEAST, |p| (p * SILENT_PERIODS).max(SILENT_LEAST))
}

/// Watches what one source says. Costs a few comparisons per event and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    period: Option<Duration>,
    /// The interval that the source states.
    stated: Option<Duration>,
    asked: Option<Timestamp>,
    /// The newest request, and the one before it.
    newest: Option<Timestamp>,
    former: Option<Timestamp>,
    /// How far apart the newest requests were, and those before them, where there were so many.
    spacing: [Option<Duration>; 2],
    due: Option<Timestamp>,
    /// The silence since then, as far as it counts.
    silent: Duration,
    /// What will count of it as well if nothing has come by the next look.
    unseen: Duration,
    /// The last look.
    looked: Timestamp,
    /// Frames that were said to be dropped since the last answer, and refreshes whose stamp came again since one is due.
    dropped: u32,
    same: u32,
    /// The newest refresh: its stamp and its number.
    stamp: Option<Timestamp>,
    sequence: Option<u64>,
    /// The stamp of the newest frame.
    shown: Option<Timestamp>,
    fast: u32,
    late: u32,
    good: u32,
}

impl Watch {
    /// For a display of this refresh interval, where it is known.
    #[must_use]
    pub fn new(period: Option<Duration>) -> Self {
        Self { period: period.filter(|p| PERIODS.contains(p)), ..Self::default() }
    }

    /// The source was asked at `now`.
    pub fn asked(&mut self, now: Timestamp) {
        if now.saturating_since(self.looked) > REST {
            // What answers an earlier request may still be on its way, and is no lie.
            (self.due, self.dropped) = (None, 0);
            self.heard();
        }
        if let Some(newest) = self.newest {
            self.spacing = [Some(now.saturating_since(newest)), self.spacing[0]];
        }
        (self.former, self.newest) = (self.newest, Some(now));
        self.asked.get_or_insert(now);
    }

    /// From `at` on nothing but the source itself keeps it from answering (the GPU is done with the frame).
    pub fn due(&mut self, at: Timestamp) {
        if self.asked.is_some() {
            self.due.get_or_insert(at);
        }
    }

    /// Since when an answer is due.
    #[must_use]
    pub const fn due_since(&self) -> Option<Timestamp> {
        self.due
    }

    /// No answer is due any more: the window is hidden, or nobody asks.
    pub fn excuse(&mut self) {
        (self.asked, self.due, self.dropped) = (None, None, 0);
        self.heard();
    }

    const fn heard(&mut self) {
        (self.silent, self.unseen, self.same) = (Duration::ZERO, Duration::ZERO, 0);
    }

    /// Forgets everything but the refresh interval and when the source was asked.
    pub fn reset(&mut self) {
        let Self { newest, former, spacing, .. } = *self;
        *self = Self { newest, former, spacing, ..Self::new(self.period) };
    }

    /// Believable stamps in a row: one for each refresh and one for each frame.
    #[must_use]
    pub const fn good(&self) -> u32 {
        self.good
    }

    /// The source said `event`.
    ///
    /// # Errors
    /// When that cannot be true; the event is not to be passed on.
    pub fn event(&mut self, event: &SourceEvent, now: Timestamp) -> Result<(), Fault> {
        let judged = self.judge(event, now);
        if judged.is_err() {
            self.good = 0;
        }
        judged
    }

    fn judge(&mut self, event: &SourceEvent, now: Timestamp) -> Result<(), Fault> {
        let (at, sample) = match event {
            SourceEvent::Visible(_) | SourceEvent::Rate(_) => return Ok(()),
            SourceEvent::Presented(_, presentation) => match presentation.time() {
                Some((at, _)) => (at, None),
                None => {
                    self.dropped += 1;
                    return Ok(());
                }
            },
            SourceEvent::Vblank(sample) => (sample.at, Some(sample)),
        };
        if let Some(period) = sample.and_then(|s| s.period)
            && !PERIODS.contains(&period)
        {
            return Err(Fault::Period(period));
        }
        if at > now + FUTURE {
            return Err(Fault::Future(at.saturating_since(now)));
        }
        // More may come about the frame before, however long ago that was.
        if let Some(asked) = self.asked
            && at + PAST < self.former.map_or(asked, |former| former.min(asked))
        {
            return Err(Fault::Past(asked.saturating_since(at)));
        }
        self.stated = sample.and_then(|s| s.period).or(self.stated);
        let last = if sample.is_some() { self.stamp } else { self.shown };
        if sample.is_none() {
            self.shown = Some(at);
        }
        if last == Some(at) {
            // Displays that show several frames at one refresh say so of each of them: that is nothing new.
            self.same += u32::from(sample.is_some() && self.due.is_some());
            return Ok(());
        }
        if let Some(sample) = sample {
            self.refresh(at, sample.sequence)?;
        }
        self.good = self.good.saturating_add(1);
        // A frame's stamp and the refresh that it was displayed at are one answer.
        if sample.is_none() || self.due.is_none_or(|due| at >= due) {
            self.excuse();
        } else if let Some(due) = &mut self.due {
            // A tick from before the frame was done: the source lives.
            *due = (*due).max(now);
            self.heard();
        }
        Ok(())
    }

    fn refresh(&mut self, at: Timestamp, sequence: Option<u64>) -> Result<(), Fault> {
        let Some(last) = self.stamp else {
            (self.stamp, self.sequence) = (Some(at), sequence);
            return Ok(());
        };
        let step = at.saturating_since(last);
        let refreshes = match (self.sequence, sequence) {
            (Some(a), Some(b)) if b > a => u32::try_from(b - a).unwrap_or(u32::MAX),
            _ => 1,
        };
        self.fast = if step / refreshes < *PERIODS.start() { self.fast + 1 } else { 0 };
        // Late is what neither the last refresh nor the time of the request explains.
        let waited = at.saturating_since(self.due.map_or(at, |due| due.max(last)));
        let limit = self.known().map_or(THROTTLED_LEAST, |p| (p * SILENT_PERIODS).max(THROTTLED_LEAST));
        self.late = if waited > limit { self.late + 1 } else { 0 };
        (self.stamp, self.sequence) = (Some(at), sequence);
        if self.fast >= BAD_IN_A_ROW {
            return Err(Fault::TooFast(step / refreshes));
        }
        if self.late >= BAD_IN_A_ROW {
            return Err(Fault::Throttled(waited));
        }
        Ok(())
    }

    /// Looks at `now` whether the silence has become a fault. Call it once after all that has arrived was passed to
    /// [`event`](Self::event), and once per refresh interval at least.
    ///
    /// Whoever has not looked for longer may have been stopped, and what was said to him meanwhile may still be on its way: of
    /// that time one interval counts at once, and the rest, up to half of what is a fault, when the next look finds nothing.
    #[must_use]
    pub fn check(&mut self, now: Timestamp) -> Option<Fault> {
        let last = std::mem::replace(&mut self.looked, now);
        let gap = now.saturating_since(last.max(self.due?));
        let seen = gap.min(self.interval());
        // Some compositors say what became of a frame when the next one comes, which a cap may have far apart.
        let apart = self.spacing.into_iter().flatten().min().unwrap_or_default().min(REST);
        let limit = patience(self.known()).max(apart * 2);
        self.silent += seen + std::mem::replace(&mut self.unseen, (gap - seen).min(limit / 2));
        let silent = self.silent;
        if silent <= limit {
            None
        } else if self.same >= SAME_STAMPS {
            Some(Fault::SameStamp(silent))
        } else if self.dropped > 0 {
            Some(Fault::OnlyDropped(silent))
        } else {
            Some(Fault::Silent(silent))
        }
    }

    /// Whether an answer was due for more than three refresh intervals at the last [`check`](Self::check), as far as they count
    /// there: nothing is known of the display any more but what can be predicted.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent > self.interval() * SILENT_PERIODS
    }

    /// The refresh interval, where anybody knows it.
    fn known(&self) -> Option<Duration> {
        self.period.or(self.stated)
    }

    fn interval(&self) -> Duration {
        self.known().unwrap_or(USUAL)
    }
}

#[cfg(test)]
mod tests;
