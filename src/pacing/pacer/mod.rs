use std::time::Duration;

use super::budget::{MissBudget, WorkBudget};
use super::delta::PeriodClock;
use super::grid::Grid;
use super::load::{Layout, LayoutChoice, Load};
use super::step::FixedStep;
use super::throttle::{Throttle, ThrottleTest};
use super::vblank::{Lock, VblankModel, VblankSample, Verdict};
use super::window::Window;
use super::{Origin, Pacing, PlanId, Presentation, Rate, Ticker};
use crate::time::{Timestamp, signed_nanos};

use self::cap::Cap;
use self::flight::{Flight, Flights};
use self::overdue::{Overdue, Unplanned};
pub use self::plan::{PacerState, Plan, VrrRange, Work};
use self::queue::Queue;

mod cap;
mod flight;
mod outcome;
mod overdue;
mod plan;
mod planning;
mod queue;
#[cfg(test)]
mod tests;

/// The longest step that animation takes in one frame, unless two intervals between frames are longer (below 20 frames per
/// second). A longer gap (a debugger, a suspended machine, a stall) is cut to this, so that the world does not jump; the cut is
/// counted in [`FramePacer::snaps`].
pub const LONGEST_STEP: Duration = Duration::from_millis(100);

/// The longest step of frames of which one is due every `interval`: [`LONGEST_STEP`], or twice that interval where it is
/// longer, because what is measured is never exactly one.
pub(crate) fn longest_step(interval: Duration) -> Duration {
    LONGEST_STEP.max(interval * 2)
}

/// The reserve to begin with is this share of a refresh.
const FIRST_RESERVE: u32 = 4;
/// A frame of which nobody told more by so many plans later is concluded with what is known.
const CONCLUDED: u64 = 3;
/// Nominal rates that differ by a smaller share are the same.
pub(crate) const SAME_RATE: f64 = 1e-4;
/// How often a parked loop looks whether it is still parked.
const PARKED_FOR: Duration = Duration::from_secs(1);
/// Where frames wait for a notice of the display, one begins without after so many intervals: a display that speaks only of
/// frames would otherwise never say anything again.
const NOTICE_INTERVALS: u32 = 3;

/// Decides when frames begin. Pure: it never asks a clock, and after it is made it does not allocate.
///
/// The loop is closed by telling it what became of each plan: [`submitted`](Self::submitted),
/// [`gpu_done`](Self::gpu_done), [`presented`](Self::presented), and when the display refreshed:
/// [`vblank`](Self::vblank). Each of them may be left out; what is not told is not used. All calls for one frame
/// together are a part of what `scanout sim` takes for a simulated one: about a microsecond, measured in
/// `docs/simulator.md`.
///
/// ```
/// use scanout::pacing::{FramePacer, Pacing};
/// use scanout::time::Timestamp;
///
/// let mut pacer = FramePacer::new(Pacing::fixed(100.0).unwrap(), 60.0);
/// let t0 = Timestamp::from_nanos(5_000_000);
/// assert_eq!(pacer.plan(t0).wake_at, t0); // the first frame: now
/// assert_eq!(pacer.plan(t0).wake_at.as_nanos(), 15_000_000); // then on the grid
/// ```
#[derive(Clone, Debug)]
pub struct FramePacer {
    mode: Pacing,
    refresh_hz: f64,
    declared: Option<MissBudget>,
    throttle: ThrottleTest,
    model: VblankModel,
    work: WorkBudget,
    load: Load,
    clock: PeriodClock,
    grid: Grid,
    ticker: Ticker,
    logic_step: Option<FixedStep>,
    /// The budget of the last plan.
    given: Duration,
    /// Who tells display times.
    source: Option<Origin>,
    /// The display says when it is ready for the next frame, and no more.
    one_by_one: bool,
    /// The source of the display times is silent.
    holdover: bool,
    /// The last answer of such a display, and how far apart they came where one refresh lay between them.
    answered: Option<Timestamp>,
    answers: Window,
    cap: Cap,
    vrr: Option<VrrRange>,
    latch_lead: i64,
    visible: bool,
    flights: Flights,
    last: PlanId,
    last_start: Option<Timestamp>,
    /// How often it has started anew.
    epoch: u64,
    /// Where frames wait for a notice: until when.
    notice_until: Option<Timestamp>,
    /// The last start before the window was hidden, until the first after that.
    hidden_from: Option<Timestamp>,
    host_target: Option<Timestamp>,
    /// The next frame comes after a wait: it begins at once.
    idle: bool,
    /// Pacing starts anew with the next plan.
    anew: bool,
    queue: Queue,
    overdue: Overdue,
    unplanned: Unplanned,
    /// Plans since the last measured display time.
    unmeasured: u32,
    /// Stray display times in a row.
    strays: u32,
    state: Counted,
}

#[derive(Copy, Clone, Debug, Default)]
struct Counted {
    judged: u64,
    missed: u64,
    missed_ticks: u64,
    holdovers: u64,
    snaps: u64,
}

impl FramePacer {
    /// A pacer for `mode` on a display of nominally `refresh_hz` refreshes per second (60 is taken where
    /// `refresh_hz` is not a positive number).
    #[must_use]
    pub fn new(mode: Pacing, refresh_hz: f64) -> Self {
        let known = refresh_hz.is_finite() && refresh_hz >= 1.0;
        Self {
            mode,
            refresh_hz: sane_rate(refresh_hz),
            declared: None,
            throttle: ThrottleTest::default(),
            model: VblankModel::new(known.then_some(refresh_hz)),
            work: WorkBudget::new(mode.miss_budget(), first_reserve(refresh_hz)),
            load: Load::new(),
            clock: PeriodClock::new(),
            grid: Grid::default(),
            ticker: Ticker::new(Duration::from_secs_f64(1.0 / sane_rate(refresh_hz)), mode.ticks_by()),
            logic_step: None,
            given: Duration::ZERO,
            source: None,
            one_by_one: false,
            holdover: false,
            answered: None,
            answers: Window::new(),
            cap: Cap::default(),
            vrr: None,
            latch_lead: 0,
            visible: true,
            flights: Flights::default(),
            last: PlanId(0),
            last_start: None,
            epoch: 0,
            notice_until: None,
            hidden_from: None,
            host_target: None,
            idle: true,
            anew: false,
            queue: Queue::new(),
            overdue: Overdue::new(),
            unplanned: Unplanned::default(),
            unmeasured: outcome::UNMEASURED,
            strays: 0,
            state: Counted::default(),
        }
    }

    /// The mode in force.
    #[must_use]
    pub const fn mode(&self) -> Pacing {
        self.mode
    }

    /// Switches the mode; the next plan starts anew. What was learnt of the display and of the work stays.
    pub fn set_mode(&mut self, mode: Pacing) {
        self.mode = mode;
        self.work.set_miss_budget(self.declared.unwrap_or_else(|| mode.miss_budget()));
        self.start_anew();
    }

    /// Declares the share of frames that may miss their display time; `None`: the mode's.
    pub fn set_miss_budget(&mut self, declared: Option<MissBudget>) {
        self.declared = declared;
        self.work.set_miss_budget(declared.unwrap_or_else(|| self.mode.miss_budget()));
    }

    /// The display's nominal rate changed (another monitor, another mode): what was measured no longer counts. Rates that differ by
    /// less than a ten-thousandth are one, told in other digits.
    pub fn set_refresh(&mut self, hz: f64) {
        let sane = sane_rate(hz);
        if (sane / self.refresh_hz - 1.0).abs() > SAME_RATE {
            self.refresh_hz = sane;
            self.model.set_nominal(Some(sane));
            self.throttle.restart();
            self.restart_reserve();
            self.load.restart();
            self.start_anew();
        }
    }

    /// The caller knows whether swap throttles, for instance because it asked for swap interval 0.
    pub fn set_throttle(&mut self, throttle: Throttle) {
        self.throttle.give(throttle);
        self.grid.clear();
    }

    /// How long before a refresh the display takes what it shows then. Zero unless the source of the display times
    /// knows better; what is not told is learnt as part of the reserve.
    pub fn set_latch_lead(&mut self, lead: Duration) {
        self.latch_lead = signed_nanos(lead.min(Duration::from_secs(1)));
    }

    /// Another source tells display times from now on. Its refreshes are learnt anew.
    pub fn set_source(&mut self, origin: Origin) {
        self.source = Some(origin);
        self.set_holdover(false);
        self.model.reset();
        self.restart_reserve();
        self.load.restart();
        self.start_anew();
    }

    /// The display says when it is ready for the next frame, and nothing of when it shows it: in modes that follow the
    /// display the next frame begins at once. Plan it when the display has said so.
    pub const fn set_one_by_one(&mut self, one_by_one: bool) {
        self.one_by_one = one_by_one;
        self.answered = None;
        self.answers.clear();
    }

    /// Whether the display says no more than that it is ready for the next frame. What such a display says of its refreshes comes
    /// when it is asked, and is not to be told by [`vblank`](Self::vblank): it would teach the model the loop's own rate.
    #[must_use]
    pub const fn is_one_by_one(&self) -> bool {
        self.one_by_one
    }

    /// The machine was suspended, or stopped in another way that leaves the phase of the display's refreshes unknown: they are
    /// learnt anew, and the next frame begins at once. What frames take stays known.
    pub fn resumed(&mut self) {
        self.model.reset();
        self.start_anew();
    }

    /// The source of the display times has fallen silent, or no longer is. Meanwhile frames are planned for the refreshes that its
    /// last words predict, none is [put off](Self::revise), and none is judged by when it was ready: its display time may still
    /// come. [`set_source`](Self::set_source) ends it as well; while nothing of the frames is seen there is none.
    pub fn set_holdover(&mut self, silent: bool) {
        self.state.holdovers += u64::from(self.is_held_over() && !silent);
        self.holdover = silent;
    }

    /// Of what nobody sees nobody speaks: that is no silence.
    const fn is_held_over(&self) -> bool {
        self.holdover && self.visible
    }

    fn restart_reserve(&mut self) {
        // How long before a refresh a compositor takes what it shows has to be found out from the safe side.
        let reserve = first_reserve(self.refresh_hz);
        if self.source == Some(Origin::Compositor) {
            self.work.set_reserve(reserve * 2);
            // A miss costs several refreshes there: it is not sought.
            self.work.keep_reserve();
        } else {
            self.work.set_reserve(reserve);
        }
    }

    /// Pins the layout of logic and drawing, or lets measured times choose.
    pub const fn set_layout(&mut self, choice: LayoutChoice) {
        self.load.choose(choice);
    }

    /// Never more frames per second than this, in any mode but [`Pacing::Host`]; `None`: no cap. Where frames wait for a throttled
    /// swap that is so on average: after one that began late the next may come a quarter of the interval sooner. The next plan
    /// starts anew.
    pub fn set_cap(&mut self, cap: Option<Rate>) {
        if self.cap.set(cap) {
            self.start_anew();
        }
    }

    /// The display refreshes when a frame comes, within this range: frames are held to a rate just below its ceiling. `None`, and a
    /// range that [`VrrRange::new`] would not make: a fixed rate. The next plan starts anew.
    pub fn set_vrr(&mut self, range: Option<VrrRange>) {
        let range = range.and_then(|r| VrrRange::new(r.min_hz, r.max_hz));
        if self.vrr != range {
            self.vrr = range;
            self.start_anew();
        }
    }

    /// Logic runs in steps of fixed length, at most `most` per frame; `None`: one step per frame.
    pub fn set_logic_step(&mut self, step: Option<Duration>, most: u32) {
        self.logic_step = step.map(|step| FixedStep::new(step, most));
        self.unplanned.closed = true;
    }

    /// Whether anything of the frames is seen. While not, plans are [parked](Plan::parked), one per second.
    pub fn set_visible(&mut self, visible: bool) {
        if visible && !self.visible {
            self.start_anew();
        } else if !visible && self.visible {
            self.hidden_from = self.last_start;
        }
        self.visible = visible;
    }

    /// The embedding program's tick, for [`Pacing::Host`]: the next plan is for this display time, where it knows one.
    pub const fn host_tick(&mut self, target: Option<Timestamp>) {
        self.host_target = target;
    }

    /// Whether swap was found to wait for the display.
    #[must_use]
    pub const fn throttle(&self) -> Throttle {
        self.throttle.found()
    }

    /// Grid points that passed without a frame because the one before took too long.
    #[must_use]
    pub const fn missed_ticks(&self) -> u64 {
        self.state.missed_ticks
    }

    /// Steps that were cut ([`LONGEST_STEP`]).
    #[must_use]
    pub const fn snaps(&self) -> u64 {
        self.state.snaps
    }

    /// The model of the display's refreshes.
    #[must_use]
    pub const fn model(&self) -> &VblankModel {
        &self.model
    }

    /// What the pacer has come to know.
    #[must_use]
    pub fn state(&self) -> PacerState {
        PacerState {
            lock: self.model.lock(),
            origin: self.model.origin(),
            refresh: self.model.period(),
            spread: self.model.spread(),
            budget: self.given,
            reserve: self.work.reserve(),
            miss_budget: self.miss_budget(),
            layout: self.load.layout(),
            divisor: if self.way() == Way::Vblank {
                self.divisor(self.refresh_period())
            } else {
                self.load.divisor()
            },
            judged: self.state.judged,
            missed: self.state.missed,
            drains: self.queue.drains(),
            postponed: self.overdue.postponed(),
            holdover: self.is_held_over(),
            holdovers: self.state.holdovers + u64::from(self.is_held_over()),
            missed_ticks: self.state.missed_ticks,
            snaps: self.state.snaps,
        }
    }

    /// The share of frames that may miss; `None` while frames aim at no time, so that nothing is declared.
    #[must_use]
    pub fn miss_budget(&self) -> Option<f64> {
        matches!(self.way(), Way::Grid | Way::Vblank | Way::Vrr).then(|| self.work.miss_budget().share())
    }

    /// Another number than before: what was between the frames before and those from now on says nothing about frames.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The time from one frame to the next that is aimed at: the fixed rate's, the display's, or what the cap or the load makes of
    /// them.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.frame_period().round() as u64)
    }

    /// The same without what the load made of it; `None` where frames are made as fast as they can be.
    #[must_use]
    pub fn wanted_interval(&self) -> Option<Duration> {
        let wanted = match self.way() {
            Way::Immediate => return self.cap.rate().map(Rate::period),
            Way::Vblank => {
                let period = self.refresh_period();
                period * f64::from(self.capped(period))
            }
            _ => self.frame_period(),
        };
        Some(Duration::from_nanos(wanted.round() as u64))
    }

    /// How many frames may be with the GPU at a time. Before the next one is drawn, the fence of the frame that many
    /// frames ago has to be signalled.
    #[must_use]
    pub const fn frames_in_flight(&self) -> u32 {
        match (self.mode, self.load.layout()) {
            (Pacing::Naive, _) => u32::MAX,
            (Pacing::Ticker(_), _) => 1,
            (_, Layout::Serial) => 1,
            (_, Layout::Pipelined) => 2,
        }
    }

    /// Whether the next frame may be planned (and its logic may run) while this one is still being drawn.
    /// Under a throttled swap that would sample its input a whole refresh early, and in a serial layout so would it.
    #[must_use]
    pub fn plans_ahead(&self) -> bool {
        match self.way() {
            Way::Immediate | Way::Grid => true,
            Way::Throttled | Way::Ticker | Way::Host => false,
            Way::Vblank | Way::Vrr => self.load.layout() == Layout::Pipelined,
        }
    }

    /// The next frame. `now` is the present time; call it once per frame, when [`plans_ahead`] says so: as soon
    /// as the frame before has its snapshot, otherwise when its swap has returned. Two kinds of plans are no frame: those that
    /// are [parked](Plan::parked), and, in one mode ([`Pacing::Ticker`] with notices alone), those that
    /// [wait](Plan::wake_at).
    ///
    /// Costs well under a microsecond.
    ///
    /// [`plans_ahead`]: Self::plans_ahead
    pub fn plan(&mut self, now: Timestamp) -> Plan {
        if !self.visible {
            return Plan { wake_at: now + PARKED_FOR, parked: true, ..Plan::default() };
        }
        if self
            .hidden_from
            .take()
            .is_some_and(|from| now.saturating_since(from) > longest_step(self.interval()))
        {
            // Animation stood still, which is a cut like any other.
            self.state.snaps += 1;
        }
        if let Some(until) = self.await_notice(now) {
            return Plan { wake_at: Timestamp::MAX, stale_at: until, ..Plan::default() };
        }
        self.last = self.last.next();
        self.remember();
        let plan = self.make(now);
        self.conclude(PlanId(plan.id.0.saturating_sub(CONCLUDED)));
        plan
    }

    fn make(&mut self, now: Timestamp) -> Plan {
        self.clock.set_interval(self.interval());
        // A cap holds through whatever starts pacing anew: a source that fails says nothing of how many frames are wanted.
        let now = if std::mem::take(&mut self.anew) && self.way() != Way::Host {
            self.cap.earliest(now)
        } else {
            now
        };
        let on_grid = matches!(self.way(), Way::Grid | Way::Vrr);
        let (mut plan, target, whole) = match self.way() {
            Way::Immediate => self.plan_immediately(now),
            Way::Throttled => (self.plan_after_swap(now), None, false),
            Way::Ticker => (self.plan_by_ticker(now), None, false),
            Way::Grid => self.plan_on_grid(now),
            Way::Vblank => self.plan_for_refresh(now),
            Way::Vrr => self.plan_for_vrr(now),
            Way::Host => self.plan_for_host(now),
        };
        plan.id = self.last;
        self.given = plan.budget.unwrap_or_default();
        let whole = whole.then(|| self.work.raises());
        plan.steps = plan.dt.and_then(|dt| self.logic_step.as_mut().map(|fixed| fixed.advance(dt)));
        // One whole interval late: by then another frame was due.
        plan.stale_at = plan.wake_at.max(now) + self.interval();
        self.last_start = Some(plan.wake_at.max(now));
        self.cap.began(plan.wake_at.max(now), self.way() == Way::Throttled);
        self.idle = false;
        self.flights.put(Flight {
            id: plan.id,
            wake_at: plan.wake_at.max(now),
            target,
            whole,
            on_grid,
            ahead: self.way() == Way::Vblank && self.comes_ahead(),
            room: plan.budget.map_or(i64::MAX, signed_nanos),
            ..Flight::default()
        });
        plan
    }

    fn way(&self) -> Way {
        match self.mode {
            Pacing::Immediate => Way::Immediate,
            Pacing::Vsync if self.throttle.found() != Throttle::Timer => Way::Throttled,
            Pacing::Vsync | Pacing::Fixed(_) => Way::Grid,
            Pacing::Naive => Way::Throttled,
            Pacing::Ticker(_) => Way::Ticker,
            Pacing::Host => Way::Host,
            Pacing::Auto | Pacing::LowLatency | Pacing::Smooth => {
                if self.one_by_one {
                    Way::Throttled
                } else if self.vrr.is_some() {
                    Way::Vrr
                } else if self.model.lock() == Lock::Unknown {
                    Way::Grid
                } else {
                    Way::Vblank
                }
            }
        }
    }

    /// The refresh interval in nanoseconds: measured, or nominal.
    fn refresh_period(&self) -> f64 {
        self.model.period_nanos().filter(|p| *p > 0.0).unwrap_or(1e9 / self.refresh_hz)
    }

    /// Refreshes per frame: what the load needs, and what the cap asks for.
    fn divisor(&self, period: f64) -> u32 {
        self.load.divisor().max(self.capped(period))
    }

    fn capped(&self, period: f64) -> u32 {
        (self.cap.period() / period - 0.01).ceil().max(1.0) as u32
    }

    /// The time from frame to frame that is aimed at, in nanoseconds.
    fn frame_period(&self) -> f64 {
        let capped = self.cap.period();
        match self.way() {
            Way::Grid => match self.mode {
                Pacing::Fixed(rate) => (1e9 / rate.hz()).max(capped),
                _ => (1e9 / self.refresh_hz).max(capped),
            },
            Way::Vrr => {
                let ceiling = self.vrr.and_then(|vrr| Rate::below_vrr_ceiling(vrr.max_hz));
                ceiling.map_or(1e9 / self.refresh_hz, |rate| 1e9 / rate.hz()).max(capped)
            }
            Way::Vblank => {
                let period = self.refresh_period();
                period * f64::from(self.divisor(period))
            }
            Way::Ticker | Way::Immediate | Way::Throttled => (1e9 / self.refresh_hz).max(capped),
            // The embedding program has the say.
            Way::Host => 1e9 / self.refresh_hz,
        }
    }

    fn restart_ticker(&mut self) {
        self.ticker = Ticker::new(duration(self.frame_period() as i64), self.mode.ticks_by());
    }

    fn start_anew(&mut self) {
        self.epoch += 1;
        self.notice_until = None;
        self.grid.clear();
        self.restart_ticker();
        self.clock.reset();
        self.last_start = None;
        self.idle = true;
        self.anew = true;
        self.queue.start_anew();
        self.overdue.start_anew();
        self.unplanned.closed = true;
        self.flights.forget_targets();
    }
}

/// How a plan is made.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Way {
    Immediate,
    Throttled,
    Grid,
    Ticker,
    Vblank,
    Vrr,
    Host,
}

fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

fn first_reserve(hz: f64) -> Duration {
    Duration::from_secs_f64(1.0 / sane_rate(hz)) / FIRST_RESERVE
}

fn sane_rate(hz: f64) -> f64 {
    if hz.is_finite() && hz >= 1.0 { hz.min(Rate::MAX) } else { 60.0 }
}
