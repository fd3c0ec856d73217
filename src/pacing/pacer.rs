use std::time::Duration;

use super::budget::{MissBudget, WorkBudget};
use super::delta::{PeriodClock, ReferenceFilter};
use super::grid::Grid;
use super::load::{Layout, LayoutChoice, Load};
use super::step::{FixedStep, Steps};
use super::throttle::{Throttle, ThrottleTest};
use super::vblank::{Lock, VblankModel, VblankSample, Verdict};
use super::window::Window;
use super::{DeltaTime, FrameId, Origin, Pacing, Presentation, Rate};
use crate::time::{Timestamp, nanos};

/// The longest step that animation takes in one frame. A longer gap (a debugger, a suspended machine, a stall)
/// is cut to this, so that the world does not jump; the cut is counted in [`FramePacer::snaps`].
pub const LONGEST_STEP: Duration = Duration::from_millis(100);

/// Frames of which the plan is remembered until the last is known of them: more than any swap chain holds.
const REMEMBERED: usize = 16;
/// Frames at the start, and after the display changed, that are given the whole refresh.
const COLD: usize = 30;
/// Frames in a row that were ready in time and yet displayed late, before the queue is drained. Where that has helped
/// before, one is enough: by the time it is known of, the next one is on its way already.
const QUEUED: u32 = 2;
/// A frame that was ready so large a share of a refresh before its deadline was early enough for any display.
const READY_SHARE: f64 = 0.2;
/// So much more than what has sufficed lately was early enough as well, in nanoseconds; and how quickly what sufficed is
/// forgotten, in nanoseconds per frame.
const SUFFICES: f64 = 300_000.0;
const SUFFICED_FORGETS: i64 = 2_000;
/// The wait after a drain of the queue before the next one, in frames; doubled each time that it did not help, as far as
/// [`LONGEST_DRAIN_WAIT`].
const DRAIN_WAIT: u64 = 8;
const LONGEST_DRAIN_WAIT: u64 = 8_192;
/// The reserve counts as load up to this share of a refresh.
const LOAD_RESERVE: f64 = 0.125;
/// No queue before a display holds more frames than this; what is later has stood still.
const DEEPEST_QUEUE: u64 = 3;
/// Commits keep this share of a refresh away from the refresh before, and at most [`GUARD`].
const GUARD_SHARE: f64 = 0.125;
const GUARD: f64 = 1e6;
/// A frame on a display with a variable rate is late when it is ready this share of a frame after its target.
const VRR_TOLERANCE: f64 = 1.0 / 32.0;
/// The reserve to begin with is this share of a refresh.
const FIRST_RESERVE: u32 = 4;
/// A frame of which nobody told more by so many plans later is concluded with what is known.
const CONCLUDED: u64 = 3;
/// Frames without a measured display time before frames are judged by when they were ready.
const UNMEASURED: u32 = 16;
/// Fences are looked at this often: a frame may have been done so long before it was seen to be.
const POLL_SLACK: i64 = 600_000;
/// A display time further than this share of a refresh from every refresh is a stray stamp: it says nothing about which
/// refresh showed the frame.
const STRAY_SHARE: f64 = 0.25;
/// After so many strays in a row it is the refreshes, not the stamps, that are known badly.
const STRAYS: u32 = 8;
/// Answers further apart than this share of a nominal refresh lie more than one refresh apart.
const ONE_REFRESH: f64 = 1.5;
/// How often a parked loop looks whether it is still parked.
const PARKED_FOR: Duration = Duration::from_secs(1);

/// When the next frame is to begin, and what it aims at.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The planned frame's number, to be named in [`FramePacer::submitted`] and the calls after it.
    pub id: FrameId,
    /// Input is sampled and logic runs at this time, not before. In the past: now.
    pub wake_at: Timestamp,
    /// Swap is not called before this time, where the frame would be displayed too early otherwise.
    pub swap_at: Option<Timestamp>,
    /// The display time that the frame is meant for, where the mode has one.
    pub target_presentation: Option<Timestamp>,
    /// The time that the frame was given, from `wake_at` until the display has it, where the mode has a deadline.
    pub budget: Option<Duration>,
    /// How far animation moves on. `None`: by as much time as has passed since the last step, up to
    /// [`LONGEST_STEP`].
    pub dt: Option<Duration>,
    /// Logic steps of fixed length, where [`FramePacer::set_logic_step`] asked for them and `dt` is known.
    pub steps: Option<Steps>,
    /// When the frame is so late that the last snapshot is drawn again in its place, if the scene moves.
    pub stale_at: Timestamp,
    /// Input that arrives after the snapshot was made, but before it was drawn, makes a newer one.
    pub refresh_on_input: bool,
    /// Nothing would be seen of the frame: draw none, and ask again at `wake_at`.
    pub parked: bool,
}

/// Displays with a variable refresh rate.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct VrrRange {
    /// Below this rate the display repeats frames.
    pub min_hz: f64,
    /// Its ceiling.
    pub max_hz: f64,
}

impl VrrRange {
    /// From `min_hz` to `max_hz`, when both are rates and in that order.
    #[must_use]
    pub fn new(min_hz: f64, max_hz: f64) -> Option<Self> {
        let known = |hz: f64| (1.0..=Rate::MAX).contains(&hz);
        (known(min_hz) && known(max_hz) && min_hz < max_hz).then_some(Self { min_hz, max_hz })
    }
}

/// What a pacer has come to know, for reports and live views.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PacerState {
    /// How well the display's refreshes are known.
    pub lock: Lock,
    /// Who says when they are.
    pub origin: Option<Origin>,
    /// The measured refresh interval, or the nominal one.
    pub refresh: Option<Duration>,
    /// The robust spread of the display's stamps about the model.
    pub spread: Duration,
    /// The time that the last planned frame was given; zero in modes without a deadline.
    pub budget: Duration,
    /// The part of it that is reserve, in nanoseconds.
    pub reserve: i64,
    /// The share of frames that may miss; `None` while frames aim at no time, so that nothing is declared.
    pub miss_budget: Option<f64>,
    /// How logic and drawing lie in time.
    pub layout: Layout,
    /// Refreshes per frame.
    pub divisor: u32,
    /// Planned frames whose outcome is known.
    pub judged: u64,
    /// Those among them that were displayed later than planned.
    pub missed: u64,
    /// Commits left out to empty a queue before the display.
    pub drains: u64,
    /// Grid points of a timed mode that passed without a frame.
    pub missed_ticks: u64,
    /// Animation steps that were cut because of a long gap.
    pub snaps: u64,
}

/// What a frame took, as far as the caller knows. All zero where it does not.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Work {
    /// Logic, which can run beside the drawing of another frame.
    pub logic: Duration,
    /// Drawing and swapping on the processor.
    pub drawing: Duration,
    /// Waiting between the two for [`Plan::swap_at`], which is not work.
    pub held: Duration,
}

/// A planned frame, until the last is known of it.
#[derive(Copy, Clone, Debug, Default)]
struct Flight {
    id: FrameId,
    wake_at: Timestamp,
    target: Option<(u64, Timestamp)>,
    /// Set where it was given its whole budget, so that a miss says something about the budget: how often the reserve
    /// had been raised by then.
    whole: Option<u32>,
    submitted: Option<Timestamp>,
    gpu_done: Option<Timestamp>,
    work: Work,
    /// No refresh sets its deadline.
    on_grid: bool,
    /// Its budget in nanoseconds.
    room: i64,
    counted: bool,
    judged: bool,
    /// The refresh at which it was displayed, as far as that was measured.
    shown: Option<u64>,
}

impl Flight {
    /// When the display could have it.
    fn ready(&self) -> Option<Timestamp> {
        self.submitted.map(|at| self.gpu_done.map_or(at, |done| done.max(at)))
    }
}

/// Decides when frames begin. Pure: it never asks a clock, and after it is made it does not allocate.
///
/// The loop is closed by telling it what became of each plan: [`submitted`](Self::submitted),
/// [`gpu_done`](Self::gpu_done), [`presented`](Self::presented), and when the display refreshed:
/// [`vblank`](Self::vblank). Each of them may be left out; what is not told is not used.
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
    delta: DeltaTime,
    filter: Option<ReferenceFilter>,
    grid: Grid,
    logic_step: Option<FixedStep>,
    /// The budget of the last plan.
    given: Duration,
    /// Who tells display times.
    source: Option<Origin>,
    /// The display says when it is ready for the next frame, and no more.
    one_by_one: bool,
    /// The last answer of such a display, and how far apart they came where one refresh lay between them.
    answered: Option<Timestamp>,
    answers: Window,
    cap: Option<Rate>,
    vrr: Option<VrrRange>,
    latch_lead: i64,
    visible: bool,
    flights: [Flight; REMEMBERED],
    last: FrameId,
    last_start: Option<Timestamp>,
    /// The last start before the window was hidden, until the first after that.
    hidden_from: Option<Timestamp>,
    host_target: Option<Timestamp>,
    /// The next frame comes after a wait: it begins at once.
    idle: bool,
    queue: Queue,
    /// Plans since the last measured display time.
    unmeasured: u32,
    /// Stray display times in a row.
    strays: u32,
    state: Counted,
}

/// Whether frames wait behind each other before the display.
///
/// A frame that misses its refresh is displayed at the next one. A compositor, or a queue of buffers, may then keep every
/// later frame one refresh longer as well, for as long as they come once per refresh, however early each of them is
/// ready. Leaving out a commit empties the queue.
#[derive(Copy, Clone, Debug)]
struct Queue {
    /// Frames in a row that were displayed late.
    late: u32,
    /// Refreshes to leave out with the next plan.
    leave_out: u64,
    /// The first plan after the last drain; what was planned before it was queued before it.
    drained: FrameId,
    /// A frame after the last drain was displayed in time.
    settled: bool,
    /// No drain before this plan.
    not_before: FrameId,
    wait: u64,
    /// How long before its deadline the latest of the frames was ready that were displayed in time lately.
    sufficed: i64,
    /// Leaving out a commit has helped the last time.
    helps: bool,
    drains: u64,
}

impl Queue {
    const fn new() -> Self {
        Self {
            late: 0,
            leave_out: 0,
            drained: FrameId(0),
            settled: true,
            not_before: FrameId(0),
            wait: DRAIN_WAIT,
            sufficed: i64::MAX,
            helps: false,
            drains: 0,
        }
    }

    /// Frame `id` was displayed `refreshes` late. `in_time`: it had been ready well before its deadline. Returns whether
    /// that says something about its own budget, and not about frames before it.
    fn judge(&mut self, id: FrameId, refreshes: u64, in_time: bool) -> bool {
        if id < self.drained || self.leave_out > 0 {
            return false;
        }
        if refreshes == 0 {
            self.late = 0;
            if !self.settled {
                (self.settled, self.wait, self.helps) = (true, DRAIN_WAIT, true);
            }
            return true;
        }
        self.late += 1;
        if !in_time {
            return true;
        }
        let enough = if self.helps { 1 } else { QUEUED };
        if self.late >= enough && id >= self.not_before {
            self.leave_out = refreshes.min(DEEPEST_QUEUE);
            self.drains += 1;
            return self.late == 1;
        }
        // The first of them is the miss that made the queue. Where leaving out a commit did not help, it is no queue.
        self.late == 1 || !self.settled
    }

    /// Refreshes to leave out before the target of plan `id`.
    fn leave_out(&mut self, id: FrameId) -> u64 {
        let refreshes = std::mem::take(&mut self.leave_out);
        if refreshes > 0 {
            if !self.settled {
                (self.wait, self.helps) = ((self.wait * 2).min(LONGEST_DRAIN_WAIT), false);
            }
            (self.drained, self.settled, self.late) = (id, false, 0);
            self.not_before = FrameId(id.0 + self.wait);
        }
        refreshes
    }
}

#[derive(Copy, Clone, Debug, Default)]
struct Counted {
    judged: u64,
    missed: u64,
    missed_ticks: u64,
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
            delta: DeltaTime::default(),
            filter: None,
            grid: Grid::default(),
            logic_step: None,
            given: Duration::ZERO,
            source: None,
            one_by_one: false,
            answered: None,
            answers: Window::new(),
            cap: None,
            vrr: None,
            latch_lead: 0,
            visible: true,
            flights: [Flight::default(); REMEMBERED],
            last: FrameId(0),
            last_start: None,
            hidden_from: None,
            host_target: None,
            idle: true,
            queue: Queue::new(),
            unmeasured: UNMEASURED,
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

    /// The display's nominal rate changed (another monitor, another mode): what was measured no longer counts.
    pub fn set_refresh(&mut self, hz: f64) {
        let sane = sane_rate(hz);
        if (sane - self.refresh_hz).abs() > f64::EPSILON {
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
        self.latch_lead = signed(lead.min(Duration::from_secs(1)));
    }

    /// Another source tells display times from now on. Its refreshes are learnt anew.
    pub fn set_source(&mut self, origin: Origin) {
        self.source = Some(origin);
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

    /// Never more frames per second than this, in any mode but [`Pacing::Host`]; `None`: no cap. The next plan starts anew.
    pub fn set_cap(&mut self, cap: Option<Rate>) {
        if self.cap != cap {
            self.cap = cap;
            self.start_anew();
        }
    }

    /// The display refreshes when a frame comes, within this range: frames are held to a rate just below its ceiling.
    pub fn set_vrr(&mut self, range: Option<VrrRange>) {
        self.vrr = range.and_then(|r| VrrRange::new(r.min_hz, r.max_hz));
        self.start_anew();
    }

    /// Logic runs in steps of fixed length, at most `most` per frame; `None`: one step per frame.
    pub fn set_logic_step(&mut self, step: Option<Duration>, most: u32) {
        self.logic_step = step.map(|step| FixedStep::new(step, most));
    }

    /// What animation steps are made of, in modes that plan them.
    pub const fn set_delta_time(&mut self, delta: DeltaTime) {
        self.delta = delta;
        self.filter = None;
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

    /// Steps that were cut to [`LONGEST_STEP`].
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
            miss_budget: matches!(self.way(), Way::Grid | Way::Vblank | Way::Vrr)
                .then(|| self.work.miss_budget().share()),
            layout: self.load.layout(),
            divisor: self.load.divisor(),
            judged: self.state.judged,
            missed: self.state.missed,
            drains: self.queue.drains,
            missed_ticks: self.state.missed_ticks,
            snaps: self.state.snaps,
        }
    }

    /// The time from one frame to the next that the mode aims at: the fixed rate's, or the display's.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.frame_period().round() as u64)
    }

    /// How many frames may be with the GPU at a time. Before the next one is drawn, the fence of the frame that many
    /// frames ago has to be signalled.
    #[must_use]
    pub const fn frames_in_flight(&self) -> u32 {
        match self.load.layout() {
            Layout::Serial => 1,
            Layout::Pipelined => 2,
        }
    }

    /// Whether the next frame may be planned (and its logic may run) while this one is still being drawn.
    /// Under a throttled swap that would sample its input a whole refresh early, and in a serial layout so would it.
    #[must_use]
    pub fn plans_ahead(&self) -> bool {
        match self.way() {
            Way::Immediate | Way::Grid => true,
            Way::Throttled | Way::Host => false,
            Way::Vblank | Way::Vrr => self.load.layout() == Layout::Pipelined,
        }
    }

    /// The next frame. `now` is the present time; call it once per frame, when [`plans_ahead`] says so: as soon
    /// as the frame before has its snapshot, otherwise when its swap has returned.
    ///
    /// Costs well under a microsecond.
    ///
    /// [`plans_ahead`]: Self::plans_ahead
    pub fn plan(&mut self, now: Timestamp) -> Plan {
        if !self.visible {
            return Plan { wake_at: now + PARKED_FOR, parked: true, ..Plan::default() };
        }
        if self.hidden_from.take().is_some_and(|from| now.saturating_since(from) > LONGEST_STEP) {
            // Animation stood still, which is a cut like any other.
            self.state.snaps += 1;
        }
        self.last = self.last.next();
        let on_grid = matches!(self.way(), Way::Grid | Way::Vrr);
        let (mut plan, target, whole) = match self.way() {
            Way::Immediate => self.plan_immediately(now),
            Way::Throttled => (self.plan_after_swap(now), None, false),
            Way::Grid => self.plan_on_grid(now),
            Way::Vblank => self.plan_for_refresh(now),
            Way::Vrr => self.plan_for_vrr(now),
            Way::Host => self.plan_for_host(now),
        };
        plan.id = self.last;
        self.given = plan.budget.unwrap_or_default();
        let whole = whole.then(|| self.work.raises());
        plan.dt = plan.dt.map(|dt| self.delta_time(dt, plan.wake_at.max(now)));
        plan.steps = plan.dt.and_then(|dt| self.logic_step.as_mut().map(|fixed| fixed.advance(dt)));
        // One whole interval late: by then another frame was due.
        plan.stale_at = plan.wake_at.max(now) + self.interval();
        self.last_start = Some(plan.wake_at.max(now));
        self.idle = false;
        self.flights[slot(plan.id)] = Flight {
            id: plan.id,
            wake_at: plan.wake_at.max(now),
            target,
            whole,
            on_grid,
            room: plan.budget.map_or(i64::MAX, signed),
            ..Flight::default()
        };
        self.conclude(FrameId(plan.id.0.saturating_sub(CONCLUDED)));
        plan
    }

    /// The step of a frame that begins at `start`, where `planned` is not what animation goes by.
    fn delta_time(&mut self, planned: Duration, start: Timestamp) -> Duration {
        let Some(raw) = self.last_start.map(|last| start.signed_since(last)) else { return planned };
        let passed = match self.delta {
            DeltaTime::Refreshes => return planned,
            DeltaTime::Raw => raw,
            DeltaTime::Reference(alpha) => {
                let target = self.interval();
                let filter = self.filter.get_or_insert_with(|| ReferenceFilter::new(target, alpha));
                // A negative time is discarded: nothing moves.
                filter.filter(raw).map_or(0, |ns| ns as i64)
            }
        };
        duration(passed).min(LONGEST_STEP.max(self.interval()))
    }

    fn plan_immediately(&self, now: Timestamp) -> Planned {
        let earliest = self.last_start.zip(self.cap).map_or(now, |(last, cap)| now.max(last + cap.period()));
        (Plan { wake_at: earliest, refresh_on_input: true, ..Plan::default() }, None, false)
    }

    fn plan_after_swap(&mut self, now: Timestamp) -> Plan {
        let dt = self.last_start.map_or_else(|| self.interval(), |last| now.saturating_since(last));
        self.state.snaps += u64::from(dt > LONGEST_STEP);
        let earliest = self.last_start.zip(self.cap).map_or(now, |(last, cap)| now.max(last + cap.period()));
        Plan { wake_at: earliest, dt: Some(dt.min(LONGEST_STEP)), ..Plan::default() }
    }

    fn plan_on_grid(&mut self, now: Timestamp) -> Planned {
        let period = self.frame_period();
        self.work.set_limit(duration(period as i64));
        let budget = if self.work.seen() == 0 { 0 } else { self.work.nanos().min(period as i64) };
        let budget = duration(budget);
        let point = self.grid.next(now, period, budget);
        self.state.missed_ticks += point.steps - 1;
        let dt = Duration::from_nanos((period * point.steps as f64).round() as u64);
        let longest = LONGEST_STEP.max(self.interval());
        let dt = if self.mode.follows_display() {
            // The clock goes on counting where the display's refreshes become known, and where they are lost.
            let step = self.clock.step(point.at, period);
            self.state.snaps += u64::from(step.snapped.is_some());
            step.dt
        } else {
            self.state.snaps += u64::from(dt > longest);
            dt.min(longest)
        };
        let wake_at = point.at - budget;
        let plan =
            Plan { wake_at, swap_at: Some(point.at), budget: Some(budget), dt: Some(dt), ..Plan::default() };
        (plan, None, wake_at >= now)
    }

    fn plan_for_refresh(&mut self, now: Timestamp) -> Planned {
        let Some(period) = self.model.period_nanos() else { return self.plan_on_grid(now) };
        let divisor = u64::from(self.divisor(period));
        let room = (period * divisor as f64) as i64;
        let cold = self.work.seen() < COLD || self.model.lock() != Lock::Locked;
        let most = match self.load.layout() {
            Layout::Serial => room - self.latch_lead,
            Layout::Pipelined => 2 * room - self.latch_lead,
        };
        self.work.set_limit(duration(most));
        let budget = if cold { room } else { self.work.nanos().min(most) };
        let reach = if self.work.seen() == 0 { room / 2 } else { self.work.typical().min(budget) };
        // The first refresh that can still be reached, and the first that is free.
        let reachable = |reach: i64| self.model.after(now.offset(self.latch_lead.saturating_add(reach)));
        let Some(soonest) = reachable(if self.idle { budget } else { reach }) else {
            return self.plan_on_grid(now);
        };
        let taken = if self.idle { None } else { self.taken(now) };
        let extra = self.queue.leave_out(self.last);
        let index = taken.map_or(soonest.index, |taken| soonest.index.max(taken + divisor + extra));
        let Some(target) = self.model.at(index) else { return self.plan_on_grid(now) };
        let deadline = target.offset(-self.latch_lead);
        let wake_at = if self.idle { now } else { deadline.offset(-budget) };
        let step = self.clock.step(target, period);
        self.state.snaps += u64::from(step.snapped.is_some());
        let guard = (period * GUARD_SHARE).min(GUARD) as i64;
        let plan = Plan {
            wake_at,
            swap_at: self.model.at(index.saturating_sub(1)).map(|at| at.offset(guard)),
            target_presentation: Some(target),
            budget: Some(duration(budget)),
            dt: Some(step.dt),
            ..Plan::default()
        };
        (plan, Some((index, target)), wake_at >= now && !self.idle)
    }

    /// The newest refresh that is spoken for: nothing else may aim at it.
    fn taken(&self, now: Timestamp) -> Option<u64> {
        let newest = &self.flights[slot(FrameId(self.last.0.saturating_sub(1)))];
        let (target, _) = newest.target.filter(|_| newest.id.next() == self.last)?;
        if let Some(shown) = newest.shown {
            // A display time in the future is nobody's to know.
            let soonest = self.model.after(now)?.index;
            return Some(shown.min(soonest + 1).max(target));
        }
        // Not known yet. It is taken for late only where that is certain: if it was in time after all, leaving out a
        // refresh would be the miss; and if not, the next frame replaces it.
        let deadline = newest.target?.1.offset(-self.latch_lead);
        let surely_ready = match (newest.submitted, newest.gpu_done) {
            (Some(submitted), Some(done)) => submitted.max(done.offset(-POLL_SLACK)),
            (Some(submitted), None) => submitted.offset((self.load.quickest_gpu() - POLL_SLACK).max(0)),
            (None, _) => now,
        };
        if surely_ready <= deadline {
            return Some(target);
        }
        let next = self.model.after(surely_ready.offset(self.latch_lead - 1))?;
        Some(next.index.max(target))
    }

    fn plan_for_vrr(&mut self, now: Timestamp) -> Planned {
        // Targets closer than the load allows would all be missed, each by a little more than the one before.
        let period = self.frame_period().max(self.load.typical() as f64);
        let cold = self.work.seen() < COLD;
        let most = 2 * period as i64;
        self.work.set_limit(duration(most));
        let budget = if cold { period as i64 / 2 } else { self.work.nanos().min(most) };
        let earliest = now.offset(if self.idle { budget } else { self.work.typical().min(budget) });
        let before = self.flights[slot(FrameId(self.last.0.saturating_sub(1)))];
        let last = before.target.filter(|_| !self.idle && before.id.next() == self.last).map(|(_, at)| at);
        let last = last.map(|at| before.ready().map_or(at, |ready| ready.max(at)));
        let target = last.map_or(earliest, |last| earliest.max(last.offset(period as i64)));
        // The display waits for the frame: the step is what lies between the two. By how much the one before was late is
        // paid back in shares.
        let step = match last {
            Some(last) => self.clock.step_of(target.signed_since(last), target, period),
            None => self.clock.step(target, period),
        };
        self.state.snaps += u64::from(step.snapped.is_some());
        let wake_at = target.offset(-budget);
        let plan = Plan {
            wake_at,
            swap_at: Some(target),
            target_presentation: Some(target),
            budget: Some(duration(budget)),
            dt: Some(step.dt),
            ..Plan::default()
        };
        (plan, Some((0, target)), wake_at >= now && !self.idle && !cold)
    }

    fn plan_for_host(&mut self, now: Timestamp) -> Planned {
        let given = self.host_target.take();
        let target = given.or_else(|| self.model.after(now.offset(self.work.nanos())).map(|v| v.at));
        let dt = match (target, self.model.period_nanos()) {
            (Some(target), Some(period)) => {
                let step = self.clock.step(target, period);
                self.state.snaps += u64::from(step.snapped.is_some());
                Some(step.dt)
            }
            _ => None,
        };
        (Plan { wake_at: now, target_presentation: target, dt, ..Plan::default() }, None, false)
    }

    /// The frame of plan `id` was handed to the display: swap returned at `at`.
    pub fn submitted(&mut self, id: FrameId, at: Timestamp, work: Work) {
        if self.mode == Pacing::Vsync && self.way() == Way::Throttled {
            self.throttle.swapped(at, self.refresh_hz);
        }
        if let Some(flight) = self.flight(id) {
            flight.submitted = Some(at);
            flight.work = work;
            if flight.gpu_done.is_some() {
                self.count(id);
            }
        }
    }

    /// The GPU was done with the frame of plan `id` at `at`, or was seen done then. Frames of which this is not told within
    /// two more plans count as done when they were submitted.
    pub fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        if let Some(flight) = self.flight(id) {
            flight.gpu_done = Some(at);
            if flight.submitted.is_some() {
                self.count(id);
            }
        }
    }

    /// What became of the frame of plan `id`.
    pub fn presented(&mut self, id: FrameId, presentation: Presentation) {
        if let (true, Some((at, _))) = (self.one_by_one, presentation.time()) {
            self.answered_at(at);
        }
        let measured = match presentation {
            Presentation::At(at, origin) if origin != Origin::Estimated => at,
            Presentation::Dropped => {
                self.dropped(id);
                return;
            }
            // Nothing better will come: whether it was in time is judged by when it was ready.
            _ => {
                self.judge_unmeasured(id);
                return;
            }
        };
        self.unmeasured = 0;
        let nearest = self.model.nearest(measured);
        if nearest.is_some_and(|v| self.is_stray(measured.signed_since(v.at))) {
            return;
        }
        let shown = nearest.map(|v| v.index);
        let (lead, period) = (self.latch_lead, self.refresh_period());
        let way = self.way();
        let Some(flight) = self.flight(id) else { return };
        let Some((_, target)) = flight.target.filter(|_| !flight.on_grid) else { return };
        flight.shown = shown.filter(|_| way == Way::Vblank);
        if std::mem::replace(&mut flight.judged, true) {
            return;
        }
        let whole = flight.whole;
        let refreshes = (measured.signed_since(target) as f64 / period).round().max(0.0) as u64;
        let early = flight.ready().map_or(0, |ready| target.signed_since(ready) - lead);
        let enough = (period * READY_SHARE).min(self.queue.sufficed as f64 + SUFFICES);
        let in_time = early as f64 > enough;
        if refreshes == 0 {
            self.queue.sufficed = early.max(0).min(self.queue.sufficed.saturating_add(SUFFICED_FORGETS));
        }
        let fresh = way != Way::Vblank || self.queue.judge(id, refreshes, in_time);
        // A frame that waited behind others counts as missed like any other, and is no reason to take longer steps.
        self.judge(refreshes > 0, whole.map(|raises| raises.wrapping_sub(u32::from(!fresh))));
    }

    /// Whether a display time so far from the nearest refresh is to be left out. A miss is known by half a refresh, which a
    /// stamp that is late by some milliseconds exceeds though the frame was in time.
    fn is_stray(&mut self, off: i64) -> bool {
        let far = off.abs() as f64 > STRAY_SHARE * self.refresh_period();
        let stray = far && self.way() == Way::Vblank && self.model.lock() == Lock::Locked;
        self.strays = if stray { self.strays.saturating_add(1) } else { 0 };
        stray && self.strays < STRAYS
    }

    fn answered_at(&mut self, at: Timestamp) {
        let Some(apart) = self.answered.replace(at).map(|last| at.signed_since(last)) else { return };
        if apart > 0 && (apart as f64) < ONE_REFRESH * self.refresh_period() {
            self.answers.push(apart);
        }
    }

    /// The time that a frame has from one answer of the display to the next, in nanoseconds: compositors without a display
    /// refresh more slowly than they say.
    fn answer_period(&self) -> f64 {
        self.refresh_period().max(self.answers.quantile(0.5) as f64)
    }

    /// The display began a refresh.
    pub fn vblank(&mut self, sample: VblankSample) -> Verdict {
        let verdict = self.model.observe(sample);
        if verdict == Verdict::Restarted {
            // Indices before and after are not to be compared.
            self.forget_flights();
        }
        verdict
    }

    /// The frame of plan `id`, which had been waiting for something to show, began at `at`, later than planned. The grid starts
    /// anew there: after idling a frame starts at once and not at some old grid point.
    pub fn began_after_idle(&mut self, id: FrameId, at: Timestamp) {
        self.last_start = Some(at);
        self.throttle.interrupted();
        self.grid.move_to(at);
        let (lead, budget) = (self.latch_lead, self.work.nanos());
        let target = match self.way() {
            Way::Vrr => Some((0, at.offset(budget))),
            _ => self.model.after(at.offset(lead + budget)).map(|v| (v.index, v.at)),
        };
        let mut aimed = false;
        if let Some(flight) = self.flight(id) {
            aimed = flight.target.is_some();
            // The wait was no work, and its end no deadline.
            (flight.wake_at, flight.whole, flight.judged) = (at, None, flight.judged || flight.on_grid);
            flight.target = target.filter(|_| aimed);
        }
        self.clock.reset();
        let start = target.filter(|_| aimed).map_or(at, |(_, target)| target);
        self.clock.step(start, self.refresh_period());
    }

    /// The next plan comes after a wait of unknown length: it begins at once.
    pub const fn idled(&mut self) {
        self.idle = true;
        self.throttle.interrupted();
    }

    fn judge(&mut self, missed: bool, whole: Option<u32>) {
        self.state.judged += 1;
        self.state.missed += u64::from(missed);
        if let Some(raises) = whole {
            self.work.outcome(missed, raises);
        }
    }

    /// The frame of plan `id` was replaced by a newer one before it could be displayed.
    fn dropped(&mut self, id: FrameId) {
        if let Some(flight) = self.flight(id)
            && flight.target.is_some()
            && !flight.on_grid
            && !std::mem::replace(&mut flight.judged, true)
        {
            let whole = flight.whole;
            self.judge(true, whole);
        }
    }

    /// Nobody measures when the frame of plan `id` is displayed.
    fn judge_unmeasured(&mut self, id: FrameId) {
        let lead = self.latch_lead;
        let Some(flight) = self.flight(id) else { return };
        let known = flight.judged || flight.on_grid;
        let (Some((_, target)), Some(ready), false) = (flight.target, flight.ready(), known) else {
            return;
        };
        flight.judged = true;
        let whole = flight.whole;
        self.judge(ready.offset(lead) > target, whole);
    }

    /// Takes over how long the frame of plan `id` took.
    fn count(&mut self, id: FrameId) {
        let before = self.flights[slot(FrameId(id.0.saturating_sub(1)))];
        let quickest = self.load.quickest_gpu();
        let Some(flight) = self.flight(id) else { return };
        let (Some(submitted), Some(ready), false) = (flight.submitted, flight.ready(), flight.counted) else {
            return;
        };
        flight.counted = true;
        let Work { logic, drawing, held } = flight.work;
        let span = ready.signed_since(flight.wake_at).saturating_sub(signed(held));
        // A frame that waited for the GPU to finish the one before did not keep it busy meanwhile.
        let gpu_from =
            before.ready().filter(|_| before.id.next() == id).map_or(submitted, |at| at.max(submitted));
        let gpu = ready.signed_since(gpu_from).max(0);
        let (on_grid, whole, target, room) = (flight.on_grid, flight.whole, flight.target, flight.room);
        let open = on_grid && !flight.judged;
        flight.judged |= on_grid;
        self.work.work(span);
        if let Some((_, target)) = target.filter(|_| open) {
            // The GPU may begin when the last draw call is made or when the frame is swapped. What even the quickest frame
            // needs after its swap is nobody's fault.
            let tolerance = (self.frame_period() * VRR_TOLERANCE) as i64;
            self.judge(ready.signed_since(target) > quickest + tolerance, whole);
        } else if open {
            // It was ready after its grid point.
            self.judge(span > room, whole);
        }
        if self.mode.follows_display() && (!on_grid || self.vrr.is_some()) {
            let (period, apart) = if self.one_by_one {
                // It begins with the answer and has until the next one: no deadline, and nothing reserved for one.
                (self.answer_period(), 0)
            } else {
                // A large reserve stands for what a compositor needs beside us, and keeps no processor busy.
                let period = self.refresh_period();
                let reserve = self.work.reserve().clamp(0, (period * LOAD_RESERVE) as i64);
                (period, reserve.saturating_add(self.latch_lead))
            };
            let (logic, drawing) = (signed(logic), signed(drawing));
            self.load.frame(logic, drawing, gpu, period, apart);
        }
    }

    /// Takes over what is left to be known of a frame of which nobody told more in time.
    fn conclude(&mut self, id: FrameId) {
        self.count(id);
        if self.unmeasured >= UNMEASURED {
            self.judge_unmeasured(id);
        }
        self.unmeasured = self.unmeasured.saturating_add(1);
    }

    fn way(&self) -> Way {
        match self.mode {
            Pacing::Immediate => Way::Immediate,
            Pacing::Vsync if self.throttle.found() != Throttle::Timer => Way::Throttled,
            Pacing::Vsync | Pacing::Fixed(_) => Way::Grid,
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
        let capped = self.cap.map_or(1.0, |cap| (1e9 / cap.hz() / period - 0.01).ceil().max(1.0));
        self.load.divisor().max(capped as u32)
    }

    /// The time from frame to frame that is aimed at, in nanoseconds.
    fn frame_period(&self) -> f64 {
        let capped = self.cap.map_or(0.0, |cap| 1e9 / cap.hz());
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
            Way::Immediate | Way::Throttled | Way::Host => 1e9 / self.refresh_hz,
        }
    }

    fn flight(&mut self, id: FrameId) -> Option<&mut Flight> {
        Some(&mut self.flights[slot(id)]).filter(|flight| flight.id == id && id.0 > 0)
    }

    fn start_anew(&mut self) {
        self.filter = None;
        self.grid.clear();
        self.clock.reset();
        self.last_start = None;
        self.idle = true;
        self.queue = Queue { drains: self.queue.drains, ..Queue::new() };
        self.forget_flights();
    }

    const fn forget_flights(&mut self) {
        let mut i = 0;
        while i < REMEMBERED {
            (self.flights[i].target, self.flights[i].whole) = (None, None);
            i += 1;
        }
    }
}

/// How a plan is made.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Way {
    Immediate,
    Throttled,
    Grid,
    Vblank,
    Vrr,
    Host,
}

/// A plan, the refresh that it aims at, and whether it has its whole budget.
type Planned = (Plan, Option<(u64, Timestamp)>, bool);

const fn slot(id: FrameId) -> usize {
    (id.0 % REMEMBERED as u64) as usize
}

fn signed(span: Duration) -> i64 {
    i64::try_from(nanos(span)).unwrap_or(i64::MAX)
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

#[cfg(test)]
mod tests {
    use super::super::Alpha;
    use super::*;

    const MS: u64 = 1_000_000;

    fn swapped(pacer: &mut FramePacer, end: Timestamp) {
        let id = pacer.last;
        pacer.submitted(id, end, Work::default());
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(1_000_000_000 + ms * MS)
    }

    fn fixed(hz: f64) -> FramePacer {
        FramePacer::new(Pacing::fixed(hz).unwrap(), 60.0)
    }

    #[test]
    fn fixed_on_time_keeps_the_grid_for_a_million_ticks() {
        for hz in [59.94, 60.0, 120.0, 143.98, 240.0] {
            let mut pacer = fixed(hz);
            let start = pacer.plan(at(0)).wake_at;
            let mut now = start;
            for _ in 0..1_000_000 {
                now = pacer.plan(now).wake_at;
            }
            let want = 1_000_000.0 / hz;
            let got = now.saturating_since(start).as_secs_f64();
            assert!((got - want).abs() < 2e-9 * want + 1e-9, "{hz} Hz: {got} for {want}");
            assert_eq!(pacer.missed_ticks(), 0);
        }
    }

    #[test]
    fn fixed_late_frame_keeps_phase_and_counts_missed_ticks() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        // Due at 10, asked at 34: the grid point at 30 is the one that it belongs to; 10 and 20 are lost.
        let plan = pacer.plan(at(34));
        assert_eq!(plan.wake_at, at(30));
        assert_eq!(plan.dt, Some(Duration::from_millis(30)));
        assert_eq!(pacer.missed_ticks(), 2);
        assert_eq!(pacer.plan(at(34)).wake_at, at(40));
    }

    #[test]
    fn fixed_slightly_late_frame_loses_no_tick() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        let plan = pacer.plan(at(13));
        assert_eq!((plan.wake_at, plan.dt), (at(10), Some(Duration::from_millis(10))));
        assert_eq!(pacer.plan(at(14)).wake_at, at(20));
        assert_eq!(pacer.missed_ticks(), 0);
    }

    #[test]
    fn fixed_after_idle_starts_the_grid_anew() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        pacer.plan(at(1));
        let last = pacer.last;
        pacer.began_after_idle(last, at(777));
        let plan = pacer.plan(at(778));
        assert_eq!((plan.wake_at, plan.dt), (at(787), Some(Duration::from_millis(10))));
        assert_eq!(pacer.missed_ticks(), 0);
    }

    #[test]
    fn long_gap_is_cut_and_counted() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        pacer.plan(at(0));
        assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
        assert_eq!(pacer.snaps(), 1);
        // A rate slower than ten per second is no gap.
        let mut slow = fixed(2.0);
        slow.plan(at(0));
        assert_eq!(slow.plan(at(1)).dt, Some(Duration::from_millis(500)));
        assert_eq!(slow.snaps(), 0);
    }

    #[test]
    fn vsync_unthrottled_swap_is_found_out_and_timed() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        assert!(!pacer.plans_ahead());
        for i in 0..13 {
            pacer.plan(at(i));
            swapped(&mut pacer, at(i));
        }
        assert_eq!(pacer.throttle(), Throttle::Timer);
        assert!(pacer.plans_ahead());
        let first = pacer.plan(at(20)).wake_at;
        let second = pacer.plan(at(21)).wake_at;
        assert_eq!(second.saturating_since(first).as_micros(), 16_666);
    }

    #[test]
    fn vsync_throttled_swap_with_a_filling_queue_is_believed() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        let mut t = 0;
        for i in 0..13 {
            t += if i < 3 { 1_000 } else { 16_667 + i * 40 };
            swapped(&mut pacer, at(0) + Duration::from_micros(t));
        }
        assert_eq!(pacer.throttle(), Throttle::Driver);
        assert!(!pacer.plans_ahead());
        pacer.set_refresh(144.0);
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn another_display_is_tested_anew_unless_the_caller_knows() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        (0..13).for_each(|i| swapped(&mut pacer, at(i)));
        assert_eq!(pacer.throttle(), Throttle::Timer);
        pacer.set_refresh(144.0);
        assert_eq!(pacer.throttle(), Throttle::Untested);
        pacer.set_throttle(Throttle::Timer);
        pacer.set_refresh(60.0);
        assert_eq!(pacer.throttle(), Throttle::Timer);
    }

    #[test]
    fn vsync_irregular_intervals_are_not_taken_for_a_display() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        let mut t = 0;
        for i in 0..200_u64 {
            t += 11_000 + i * 7_919 % 5_000; // work of 11 to 16 ms without any throttle
            swapped(&mut pacer, at(0) + Duration::from_micros(t));
        }
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn vsync_intervals_across_idle_do_not_count_as_throttled() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        // Each frame comes after a second of idling: nothing can be learnt from those intervals.
        for i in 0..40 {
            let last = pacer.last;
            pacer.began_after_idle(last, at(i * 1_000));
            swapped(&mut pacer, at(i * 1_000 + 1));
        }
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn delta_times_are_those_that_were_chosen() {
        let steps = |delta| {
            let mut pacer = fixed(100.0);
            pacer.set_delta_time(delta);
            // The third frame is 30 ms late, the fourth on the grid again.
            [0, 1, 50, 51].map(|ms| pacer.plan(at(ms)).dt.map(|dt| dt.as_micros()))
        };
        let want = |us: [u128; 4]| us.map(Some);
        assert_eq!(steps(DeltaTime::Refreshes), want([10_000, 10_000, 40_000, 10_000]));
        assert_eq!(steps(DeltaTime::Raw), want([10_000, 10_000, 40_000, 10_000]));
        // 0.85 of the new and 0.15 of the old; or the other way round.
        assert_eq!(steps(DeltaTime::Reference(Alpha::OnNew)), want([10_000, 10_000, 35_500, 13_825]));
        assert_eq!(steps(DeltaTime::Reference(Alpha::OnOld)), want([10_000, 10_000, 14_500, 13_825]));
    }

    #[test]
    fn misses_are_declared_only_while_frames_aim_at_a_time() {
        let declared = |mode| FramePacer::new(mode, 60.0).state().miss_budget;
        for mode in [Pacing::Auto, Pacing::LowLatency, Pacing::Smooth, Pacing::fixed(60.0).unwrap()] {
            assert_eq!(declared(mode), Some(mode.miss_budget().share()), "{mode}");
        }
        for mode in [Pacing::Vsync, Pacing::Immediate, Pacing::Host] {
            assert_eq!(declared(mode), None, "{mode}");
        }
        let mut timed = FramePacer::new(Pacing::Vsync, 60.0);
        timed.set_throttle(Throttle::Timer);
        assert!(timed.state().miss_budget.is_some(), "a timer paces: its grid can be missed");
        let mut answered = FramePacer::new(Pacing::Auto, 60.0);
        answered.set_one_by_one(true);
        assert_eq!(answered.state().miss_budget, None);
    }

    /// A display that only answers, every `refresh` microseconds, and frames of `work` microseconds that begin with its
    /// answer. Returns the layout after 600 of them.
    fn answered(hz: f64, refresh: u64, work: u64) -> Layout {
        let us = |n: u64| Duration::from_micros(n);
        let mut pacer = FramePacer::new(Pacing::LowLatency, hz);
        pacer.set_source(Origin::Estimated);
        pacer.set_one_by_one(true);
        let mut now = at(0);
        for i in 0..600 {
            let plan = pacer.plan(now);
            // Arrivals are looked for twice in a millisecond, and the work is never twice the same.
            let work = work - 150 + i * 7_919 % 300;
            let done = plan.wake_at.max(now) + us(work);
            pacer.submitted(plan.id, done, Work { logic: us(work / 2), drawing: us(work / 2), held: us(0) });
            pacer.gpu_done(plan.id, done);
            let refreshes = (done.saturating_since(at(0)).as_micros() as u64).div_ceil(refresh);
            now = at(0) + us(refreshes * refresh + i * 104_729 % 400);
            pacer.presented(plan.id, Presentation::Estimated(now));
        }
        pacer.state().layout
    }

    #[test]
    fn a_frame_that_fits_between_two_answers_stays_serial() {
        for (hz, refresh, work, want) in [
            // With a reserve for a deadline that there is not, this would not fit.
            (240.0, 4_167, 3_700, Layout::Serial),
            // What calls itself 240 Hz and has 199.
            (240.0, 5_025, 4_400, Layout::Serial),
            (240.0, 5_025, 6_000, Layout::Pipelined),
            (60.0, 16_667, 15_000, Layout::Serial),
            (60.0, 16_667, 18_000, Layout::Pipelined),
        ] {
            assert_eq!(answered(hz, refresh, work), want, "{work} us of {refresh}");
        }
    }

    #[test]
    fn nonsense_refresh_rates_become_sixty() {
        for hz in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(FramePacer::new(Pacing::Vsync, hz).interval().as_micros(), 16_666);
        }
    }
}
