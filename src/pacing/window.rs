/// Frames that a quantile is taken over: a second at 60 Hz.
pub(super) const WINDOW: usize = 60;

/// The last [`WINDOW`] values, in the order of their coming and sorted. Constant memory; a push costs an insertion
/// into 60 sorted numbers.
#[derive(Clone, Debug)]
pub(super) struct Window {
    recent: [i64; WINDOW],
    sorted: [i64; WINDOW],
    len: usize,
    next: usize,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { recent: [0; WINDOW], sorted: [0; WINDOW], len: 0, next: 0 }
    }

    pub(super) fn push(&mut self, value: i64) {
        if self.len == WINDOW {
            let old = self.recent[self.next];
            let at = self.sorted.partition_point(|&s| s < old);
            self.sorted.copy_within(at + 1.., at);
            self.len -= 1;
        }
        let at = self.sorted[..self.len].partition_point(|&s| s < value);
        self.sorted.copy_within(at..self.len, at + 1);
        self.sorted[at] = value;
        self.len += 1;
        self.recent[self.next] = value;
        self.next = (self.next + 1) % WINDOW;
    }

    pub(super) const fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The value that a share `q` of all does not exceed; 0 of nothing.
    pub(super) fn quantile(&self, q: f64) -> i64 {
        let rank = (self.len as f64 * q).ceil() as usize;
        self.sorted[..self.len].get(rank.clamp(1, self.len.max(1)) - 1).copied().unwrap_or(0)
    }

    /// The least of the last `n`; `None` of fewer.
    pub(super) fn least_of_last(&self, n: usize) -> Option<i64> {
        let latest = (1..=n).map(|back| self.recent[(self.next + WINDOW - back) % WINDOW]);
        if n > self.len { None } else { latest.min() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_last_sixty_in_order() {
        let mut window = Window::new();
        assert_eq!((window.quantile(0.5), window.least_of_last(1)), (0, None));
        let mut all = Vec::new();
        for i in 0..1_000_i64 {
            let value = i * 7_919 % 83;
            all.push(value);
            window.push(value);
            let mut want: Vec<_> = all.iter().rev().take(WINDOW).copied().collect();
            want.sort_unstable();
            assert_eq!(window.sorted[..window.len], want[..]);
            assert_eq!(window.quantile(0.0), want[0]);
            assert_eq!(window.quantile(1.0), want[want.len() - 1]);
            assert_eq!(
                window.least_of_last(3),
                all.len().checked_sub(3).map(|n| *all[n..].iter().min().unwrap())
            );
        }
    }
}
