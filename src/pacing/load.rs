use super::window::Window;

/// A load that needs more than this share of the time it has does not fit.
const FULL: f64 = 0.95;
/// A lighter way of working is gone back to when the load would need less than this share of the time.
const EASY: f64 = 0.80;
/// Frames in a row that do not fit, before a heavier way is taken.
const PATIENCE_UP: u32 = 10;
/// Refreshes of frames in a row that would fit easily, before a lighter way is gone back to.
const PATIENCE_DOWN: u32 = 60;
/// Each return that did not last doubles the wait before the next one, up to this factor.
const LONGEST_WAIT: u32 = 16;
/// The share of frames that a way of working has to fit: a few slow ones are no load.
const FITS: f64 = 0.80;
/// The share of frames that a lighter way would have to fit.
const WOULD_FIT: f64 = 0.95;
/// Frames seen since the last change before the next one.
const SEEN: usize = 15;
/// The quantile of the load that targets are kept apart by: at the median, each frame that takes longer would push all after
/// it.
const COMFORTABLE: f64 = 0.75;
/// Where halves of a frame run beside each other, what each of them takes does not say that both fit: they may share
/// processors, as with a software rasteriser. More than this share of frames that are ready too late says that they do not.
const LATE: f64 = 0.25;
/// How much one frame counts of that share.
const LATE_WEIGHT: f64 = 0.01;
/// At most so many refreshes are given to one frame.
const LARGEST_DIVISOR: u32 = 4;

/// How the two halves of a frame, logic and drawing, are laid out in time.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// Logic, drawing, display, one after the other inside one refresh: the lowest latency.
    #[default]
    Serial,
    /// Logic of the next frame beside the drawing of this one: the highest throughput, one refresh later.
    Pipelined,
}

/// Which layouts the pacer may choose.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LayoutChoice {
    /// From measured times, with hysteresis.
    #[default]
    Auto,
    /// This one, whatever was measured.
    Pinned(Layout),
}

/// Chooses layout and divisor from what frames were measured to need.
///
/// The ways of working are tried in this order: serial at every refresh, pipelined at every refresh, serial at every
/// second, pipelined at every second, and so on. A heavier one is taken after 10 frames in a row at which the P80 of the
/// last 60 does not fit into 95 % of the time, a lighter one after 60 refreshes in a row at which the P95 would fit into
/// 80 %; a return that does not last makes the next one wait twice as long. In the pipelined layout more than a quarter of
/// frames that are ready too late are a load that does not fit as well.
#[derive(Clone, Debug)]
pub(super) struct Load {
    choice: LayoutChoice,
    layout: Layout,
    divisor: u32,
    logic: Window,
    drawing: Window,
    gpu: Window,
    all: Window,
    over: u32,
    under: u32,
    wait: u32,
    since_return: u32,
    /// The share of frames that were ready too late, the newest counting most.
    late: f64,
    /// Halves beside each other did not fit though each of them did: they count as one until a serial frame at a lighter
    /// rate fits again.
    together: bool,
}

impl Load {
    pub(super) const fn new() -> Self {
        Self {
            choice: LayoutChoice::Auto,
            layout: Layout::Serial,
            divisor: 1,
            logic: Window::new(),
            drawing: Window::new(),
            gpu: Window::new(),
            all: Window::new(),
            over: 0,
            under: 0,
            wait: 1,
            since_return: u32::MAX,
            late: 0.0,
            together: false,
        }
    }

    pub(super) const fn layout(&self) -> Layout {
        self.layout
    }

    /// Refreshes per frame.
    pub(super) const fn divisor(&self) -> u32 {
        self.divisor
    }

    /// The least that the GPU needed lately after the last draw call, in nanoseconds.
    pub(super) fn quickest_gpu(&self) -> i64 {
        self.gpu.quantile(0.0)
    }

    /// The time from frame to frame that the load needs, in nanoseconds.
    pub(super) fn typical(&self) -> i64 {
        match self.layout {
            Layout::Serial => self.all.quantile(COMFORTABLE),
            Layout::Pipelined => [&self.logic, &self.drawing, &self.gpu]
                .map(|w| w.quantile(COMFORTABLE))
                .into_iter()
                .max()
                .unwrap_or(0),
        }
    }

    pub(super) const fn choose(&mut self, choice: LayoutChoice) {
        self.choice = choice;
        if let LayoutChoice::Pinned(layout) = choice {
            self.layout = layout;
        }
        (self.over, self.under) = (0, 0);
    }

    /// Begins anew with the lightest way: another display, another mode.
    pub(super) const fn restart(&mut self) {
        let choice = self.choice;
        *self = Self::new();
        self.choose(choice);
    }

    /// Whether the frame that is [counted](Self::frame) next was ready too late for its target.
    pub(super) fn ready_late(&mut self, late: bool) {
        self.late += (f64::from(u8::from(late)) - self.late) * LATE_WEIGHT;
    }

    /// A frame's logic, its drawing on the processor and the GPU's part took so long. `period`: the refresh interval; `apart`: what a
    /// serial frame needs besides, such as the reserve and the display's lead. All in nanoseconds. Returns whether the
    /// way of working changed.
    pub(super) fn frame(&mut self, logic: i64, drawing: i64, gpu: i64, period: f64, apart: i64) -> bool {
        self.logic.push(logic);
        self.drawing.push(drawing);
        self.gpu.push(gpu);
        self.all.push(logic.saturating_add(drawing).saturating_add(gpu));
        self.since_return = self.since_return.saturating_add(1);
        if self.all.len() < SEEN {
            return false;
        }
        let now = (self.divisor, self.layout);
        let beside = now.1 == Layout::Pipelined && self.late > LATE;
        if !beside && self.need(now.1, apart, FITS) <= FULL * period * f64::from(now.0) {
            self.over = 0;
        } else {
            self.over += 1;
        }
        let lighter = self.lighter(now);
        match lighter {
            Some((divisor, layout))
                if self.need(layout, apart, WOULD_FIT) < EASY * period * f64::from(divisor) =>
            {
                self.under += self.divisor;
            }
            _ => self.under = 0,
        }
        if self.over >= PATIENCE_UP {
            let Some(heavier) = self.heavier(now) else { return false };
            self.together |= beside;
            if self.since_return < PATIENCE_DOWN * 4 {
                self.wait = (self.wait * 2).min(LONGEST_WAIT);
            }
            self.change(heavier)
        } else if self.under >= PATIENCE_DOWN * self.wait {
            if self.since_return > PATIENCE_DOWN * LONGEST_WAIT * 4 {
                self.wait = 1;
            }
            self.since_return = 0;
            lighter.is_some_and(|way| {
                self.together &= way.1 == Layout::Pipelined;
                self.change(way)
            })
        } else {
            false
        }
    }

    fn need(&self, layout: Layout, apart: i64, share: f64) -> f64 {
        match layout {
            Layout::Serial => self.all.quantile(share).saturating_add(apart.max(0)) as f64,
            Layout::Pipelined if self.together => self.all.quantile(share) as f64,
            Layout::Pipelined => [&self.logic, &self.drawing, &self.gpu]
                .map(|w| w.quantile(share))
                .into_iter()
                .max()
                .unwrap_or(0) as f64,
        }
    }

    fn change(&mut self, (divisor, layout): (u32, Layout)) -> bool {
        (self.divisor, self.layout) = (divisor, layout);
        (self.over, self.under, self.late) = (0, 0, 0.0);
        // What was slow before is no reason for another change.
        for window in [&mut self.logic, &mut self.drawing, &mut self.gpu, &mut self.all] {
            window.clear();
        }
        true
    }

    fn heavier(&self, (divisor, layout): (u32, Layout)) -> Option<(u32, Layout)> {
        match (self.choice, layout) {
            (LayoutChoice::Auto, Layout::Serial) => Some((divisor, Layout::Pipelined)),
            (LayoutChoice::Auto, Layout::Pipelined) => Some((divisor + 1, Layout::Serial)),
            (LayoutChoice::Pinned(layout), _) => Some((divisor + 1, layout)),
        }
        .filter(|&(divisor, _)| divisor <= LARGEST_DIVISOR)
    }

    const fn lighter(&self, (divisor, layout): (u32, Layout)) -> Option<(u32, Layout)> {
        match (self.choice, layout, divisor) {
            (LayoutChoice::Auto, Layout::Pipelined, _) => Some((divisor, Layout::Serial)),
            (_, _, 1) => None,
            (LayoutChoice::Auto, Layout::Serial, _) => Some((divisor - 1, Layout::Pipelined)),
            (LayoutChoice::Pinned(layout), ..) => Some((divisor - 1, layout)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const T: f64 = 16.667e6;

    fn run(load: &mut Load, frames: u32, logic: i64, drawing: i64) -> u32 {
        (0..frames).map(|_| u32::from(load.frame(logic, drawing, 0, T, MS))).sum()
    }

    #[test]
    fn loads_find_their_way_of_working_and_go_back() {
        // (logic ms, drawing ms) -> (refreshes per frame, layout)
        let cases = [
            ((1, 2), (1, Layout::Serial)),
            ((7, 7), (1, Layout::Serial)),
            ((8, 9), (1, Layout::Pipelined)),
            ((3, 20), (2, Layout::Serial)),
            ((20, 25), (2, Layout::Pipelined)),
            ((5, 40), (3, Layout::Serial)),
            ((500, 500), (LARGEST_DIVISOR, Layout::Pipelined)),
        ];
        for ((logic, drawing), want) in cases {
            let mut load = Load::new();
            run(&mut load, 300, logic * MS, drawing * MS);
            assert_eq!((load.divisor(), load.layout()), want, "{logic} + {drawing} ms");
            run(&mut load, 3_000, MS, MS);
            assert_eq!(
                (load.divisor(), load.layout()),
                (1, Layout::Serial),
                "back from {logic} + {drawing} ms"
            );
        }
    }

    #[test]
    fn halves_that_disturb_each_other_are_given_more_time() {
        // 9 and 10 ms fit beside each other, each on a processor of its own.
        let after = |late: u32| {
            let (mut load, mut changes) = (Load::new(), 0);
            for n in 0..10_000 {
                load.ready_late(load.layout() == Layout::Pipelined && n * 31 % 100 < late);
                changes += u32::from(load.frame(9 * MS, 10 * MS, 0, T, MS));
            }
            (load, changes)
        };
        let way = |load: &Load| (load.divisor(), load.layout());
        for late in [0, 12] {
            // A machine that stands now and then is no load.
            let (load, changes) = after(late);
            assert_eq!((way(&load), changes), ((1, Layout::Pipelined), 1), "{late} % late");
        }
        let (mut load, changes) = after(40);
        assert_eq!((way(&load), changes), ((2, Layout::Serial), 2));
        run(&mut load, 3_000, MS, MS);
        assert_eq!(way(&load), (1, Layout::Serial), "back when it is light");
        run(&mut load, 300, 9 * MS, 10 * MS);
        assert_eq!(way(&load), (1, Layout::Pipelined), "and tried again");
    }

    #[test]
    fn a_load_at_the_limit_does_not_swing() {
        let mut load = Load::new();
        let mut changes = 0;
        for i in 0..20_000_i64 {
            // Slow for three seconds, quick for three: each return is punished sooner or later.
            let work = if i / 180 % 2 == 0 { 9 * MS } else { 5 * MS };
            changes += u32::from(load.frame(work, work, 0, T, MS));
        }
        assert!(changes < 30, "{changes} changes in 111 swings");
        let mut load = Load::new();
        let changes = run(&mut load, 10_000, 7 * MS, 7 * MS + MS / 2);
        assert!(changes <= 1, "between 80 and 95 % nothing changes: {changes}");
    }

    #[test]
    fn a_few_slow_frames_change_nothing() {
        let mut load = Load::new();
        for i in 0..600 {
            let slow = if (60..68).contains(&i) { 40 * MS } else { MS };
            assert!(!load.frame(MS, slow, 0, T, MS), "frame {i}");
        }
    }

    #[test]
    fn one_slow_frame_changes_nothing() {
        let mut load = Load::new();
        for i in 0..2_000 {
            let spike = if i % 60 == 59 { 40 * MS } else { MS };
            assert!(!load.frame(MS, MS, spike, T, MS));
        }
    }

    #[test]
    fn a_pinned_layout_stays() {
        for pinned in [Layout::Serial, Layout::Pipelined] {
            let mut load = Load::new();
            load.choose(LayoutChoice::Pinned(pinned));
            for (work, frames) in [(1, 200), (12, 500), (1, 2_000), (30, 300)] {
                run(&mut load, frames, work * MS, work * MS);
                assert_eq!(load.layout(), pinned);
            }
            assert!(load.divisor() > 1);
        }
    }
}
