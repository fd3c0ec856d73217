/// Samples that a fit looks at. Enough to see through a few outliers; few enough that a fit costs microseconds.
pub(super) const WINDOW: usize = 32;

/// A sample of the window, and the refresh that it was taken for.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) at: u64,
    pub(super) index: u64,
    pub(super) sequence: Option<u64>,
}

/// The last samples in the order of their times.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) items: [Seen; WINDOW],
    pub(super) len: usize,
}

impl Window {
    pub(super) fn as_slice(&self) -> &[Seen] {
        &self.items[..self.len]
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [Seen] {
        &mut self.items[..self.len]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Puts a sample in its place; the oldest leaves a full window.
    pub(super) fn insert(&mut self, seen: Seen) {
        if self.len == WINDOW {
            self.keep_last(WINDOW - 1);
        }
        let place = self.as_slice().iter().rposition(|s| s.at <= seen.at).map_or(0, |i| i + 1);
        self.items.copy_within(place..self.len, place + 1);
        self.items[place] = seen;
        self.len += 1;
    }

    pub(super) fn keep_last(&mut self, count: usize) {
        let from = self.len.saturating_sub(count);
        self.items.copy_within(from..self.len, 0);
        self.len -= from;
    }
}
