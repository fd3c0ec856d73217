use std::time::Duration;

use super::input::InputEvent;
#[cfg(doc)]
use crate::pacing::FixedStep;
use crate::time::Timestamp;

/// What the world wants of the loop after a step.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Demand {
    /// It moves by itself: one frame after another.
    #[default]
    EveryFrame,
    /// It changes when there is input and not otherwise: without input no frame is made and no CPU is used.
    OnInput,
}

/// One step of the world.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of the step, from 1.
    pub step: u64,
    /// How far animation moves on.
    pub dt: Duration,
    /// The sum of all `dt`s, this one included: the animation clock.
    pub elapsed: Duration,
    /// When the step's input was sampled.
    pub now: Timestamp,
    /// When the frame is meant to be displayed, where the pacing mode knows.
    pub target_presentation: Option<Timestamp>,
}

impl Tick {
    /// Step number `step` of `dt`, for worlds that are driven by hand.
    #[must_use]
    pub fn fixed(step: u64, dt: Duration) -> Self {
        let elapsed = dt.saturating_mul(u32::try_from(step).unwrap_or(u32::MAX));
        Self { step, dt, elapsed, now: Timestamp::ZERO, target_presentation: None }
    }
}

/// The world: it lives on the logic thread and never touches the GPU.
///
/// Only [`update`](Self::update) and [`extract`](Self::extract) are required.
pub trait Logic: Send {
    /// What the renderer needs to draw one frame. Its storage is reused: two or three of them exist per run.
    type Snapshot: Default + Send;

    /// One input event, in order, before the step that it contributes to.
    fn input(&mut self, event: &InputEvent) {
        let _ = event;
    }

    /// Moves the world on by `tick.dt`.
    fn update(&mut self, tick: &Tick);

    /// The length of the world's steps, where they are to be of one length whatever the display does. Asked once, before
    /// the first step. [`update`](Self::update) is then called as often as steps are due, in a
    /// frame no more often than [`FixedStep::usual`] allows, and [`blend`](Self::blend) after them.
    fn fixed_step(&self) -> Option<Duration> {
        None
    }

    /// The frame's display time lies `alpha` steps (0 to below 1) beyond the last step: what is drawn should be the state
    /// before that step, moved on by this share of it. Called before [`extract`](Self::extract), for worlds with a
    /// [fixed step](Self::fixed_step) only.
    fn blend(&mut self, alpha: f64) {
        let _ = alpha;
    }

    /// Writes what is to be drawn. `out` holds the snapshot of some earlier step: overwrite all of it, and keep
    /// its storage so that nothing is allocated.
    fn extract(&self, out: &mut Self::Snapshot);

    /// Whether the last [`update`](Self::update) changed anything that is drawn. Asked only while the
    /// [demand](Self::demand) is [`Demand::OnInput`]; when not, no snapshot is made and no frame drawn, so that a key
    /// release or a pointer motion without effect costs nothing.
    fn changed(&self) -> bool {
        true
    }

    /// What the world wants next. Asked after each step.
    fn demand(&self) -> Demand {
        Demand::EveryFrame
    }
}
