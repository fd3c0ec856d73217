use crate::pacing::FrameId;
use crate::time::Timestamp;

/// Repaints and stamps that are remembered.
const REMEMBERED: usize = 16;
/// Votes before anything is concluded, and how many of them have to agree.
const VOTES: u32 = 16;
const AGREE: u32 = 13;
/// A stamp up to this many refreshes after the repaint of its frame is that frame's: a repaint is displayed at the next
/// refresh.
const OWN: f64 = 1.1;
/// From so many on it is that of a later commit.
const LATER: f64 = 1.2;
/// A repaint has to be this share of a refresh before the stamp that it is displayed at.
const BEFORE: f64 = 0.2;

/// Finds out which frame a compositor's stamp belongs to.
///
/// Some compositors (wlroots 0.15 nested in X11) answer the feedback of a commit when the *next* commit is displayed, so
/// that every frame seems to be displayed one commit later than it is, however far apart commits are. Frame callbacks
/// come with the repaint: a stamp more than a refresh after the repaint of its frame is that of a later one. Pure; constant
/// memory.
#[derive(Clone, Debug)]
pub struct Attribution {
    repaints: [(FrameId, Timestamp); REMEMBERED],
    next: usize,
    last_stamp: Option<Timestamp>,
    intervals: [u64; REMEMBERED],
    interval: usize,
    votes: u32,
    later: u32,
    shifted: bool,
}

impl Default for Attribution {
    fn default() -> Self {
        Self {
            repaints: [(FrameId(0), Timestamp::ZERO); REMEMBERED],
            next: 0,
            last_stamp: None,
            intervals: [0; REMEMBERED],
            interval: 0,
            votes: 0,
            later: 0,
            shifted: false,
        }
    }
}

impl Attribution {
    /// The compositor repainted with frame `id` at `at` (its frame callback). One repaint may answer many commits, in any
    /// order and all with its own time; it shows the newest of them.
    pub fn repainted(&mut self, id: FrameId, at: Timestamp) {
        let newest = &mut self.repaints[(self.next + REMEMBERED - 1) % REMEMBERED];
        if newest.1 == at && newest.0.0 > 0 {
            // Each would take a place, and at many frames per refresh none would be left for the repaint before.
            newest.0 = newest.0.max(id);
            return;
        }
        self.repaints[self.next] = (id, at);
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Frame `id` is said to have been displayed at `at`. Returns the frame that was, where that is known.
    pub fn presented(&mut self, id: FrameId, at: Timestamp) -> Option<FrameId> {
        if let Some(last) = self.last_stamp.replace(at)
            && at > last
        {
            self.intervals[self.interval % REMEMBERED] = at.as_nanos() - last.as_nanos();
            self.interval += 1;
        }
        // The shortest interval of the last few: frames left out only make them longer.
        let seen = &self.intervals[..self.interval.min(REMEMBERED)];
        let Some(period) = seen.iter().copied().min().filter(|p| *p > 0) else { return Some(id) };
        let period = period as f64;
        if let Some((_, repainted)) = self.repaints.iter().find(|(of, _)| *of == id && id.0 > 0) {
            let refreshes = at.signed_since(*repainted) as f64 / period;
            if !(OWN..=LATER).contains(&refreshes) {
                self.votes += 1;
                self.later += u32::from(refreshes > LATER);
            }
        }
        if self.votes >= VOTES {
            if self.later >= AGREE {
                self.shifted = true;
            } else if self.votes - self.later >= AGREE {
                self.shifted = false;
            }
            (self.votes, self.later) = (0, 0);
        }
        if !self.shifted {
            return Some(id);
        }
        let before = at.offset(-((BEFORE * period) as i64));
        self.repaints.iter().filter(|(of, at)| *of > id && *at <= before).map(|(of, _)| *of).max()
    }

    /// Whether stamps were found to belong to later commits than they name.
    #[must_use]
    pub const fn shifted(&self) -> bool {
        self.shifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: u64 = 16_666_667;

    /// A compositor that repaints `phase` after each `every`-th refresh and shows it at the next one, and names the commit
    /// or the one before it. Returns how many of the last 100 stamps were given to the right frame.
    fn run(phase: f64, every: u64, one_late: bool) -> (usize, bool) {
        let mut attribution = Attribution::default();
        let mut right = 0;
        for i in 1..300_u64 {
            let refresh = 1_000_000_000 + i * every * T;
            let noise = i * 7_919 % 400_000;
            let repaint = Timestamp::from_nanos(refresh + (phase * T as f64) as u64 + noise);
            let shown = Timestamp::from_nanos(refresh + T);
            attribution.repainted(FrameId(i), repaint);
            let named = if one_late { i - 1 } else { i };
            if named > 0 {
                let given = attribution.presented(FrameId(named), shown);
                right += usize::from(i >= 200 && given == Some(FrameId(i)));
            }
        }
        (right, attribution.shifted())
    }

    #[test]
    fn a_truthful_compositor_is_believed_at_every_phase() {
        for every in [1, 2, 5] {
            for phase in [0.0, 0.05, 0.3, 0.6, 0.9] {
                assert_eq!(run(phase, every, false), (100, false), "phase {phase}, every {every}");
            }
        }
    }

    #[test]
    fn one_that_names_the_commit_before_is_corrected() {
        for phase in [0.05, 0.3, 0.6, 0.75] {
            assert_eq!(run(phase, 1, true), (100, true), "phase {phase}");
        }
    }

    /// Many commits per refresh: all of them are answered by one repaint, the newest first, and the newest is shown.
    #[test]
    fn one_that_names_the_commit_before_is_corrected_at_many_frames_per_refresh() {
        for per_refresh in [1, 2, 14, 27] {
            let mut attribution = Attribution::default();
            for i in 1..60_u64 {
                let shown = FrameId(i * per_refresh);
                let repaint = Timestamp::from_nanos(1_000_000_000 + i * T + T / 20);
                for older in 0..per_refresh {
                    attribution.repainted(FrameId(shown.0 - older), repaint);
                }
                if i == 1 {
                    continue;
                }
                let stamp = Timestamp::from_nanos(1_000_000_000 + (i + 1) * T);
                let given = attribution.presented(FrameId(shown.0 - per_refresh), stamp);
                assert!(i < 40 || given == Some(shown), "{per_refresh} per refresh: {given:?} for {shown:?}");
            }
            assert!(attribution.shifted(), "{per_refresh} per refresh");
        }
    }

    #[test]
    fn stamps_without_repaints_are_left_alone() {
        let mut attribution = Attribution::default();
        for i in 1..100 {
            let at = Timestamp::from_nanos(i * T);
            assert_eq!(attribution.presented(FrameId(i), at), Some(FrameId(i)));
        }
        assert_eq!(attribution.presented(FrameId(7), Timestamp::ZERO), Some(FrameId(7)));
    }
}
