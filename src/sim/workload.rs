use std::ops::Range;
use std::time::Duration;

use super::Noise;

/// What one frame needs.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameCost {
    /// Logic.
    pub logic: Duration,
    /// Drawing on the processor.
    pub render: Duration,
    /// The GPU's work after the last draw call was submitted.
    pub gpu: Duration,
}

impl FrameCost {
    /// A frame of so many microseconds of logic, drawing and GPU work.
    #[must_use]
    pub const fn from_micros(logic: u64, render: u64, gpu: u64) -> Self {
        Self {
            logic: Duration::from_micros(logic),
            render: Duration::from_micros(render),
            gpu: Duration::from_micros(gpu),
        }
    }

    fn scaled(self, by: f64) -> Self {
        let by = by.max(0.0);
        Self { logic: self.logic.mul_f64(by), render: self.render.mul_f64(by), gpu: self.gpu.mul_f64(by) }
    }
}

/// What frames need over time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Workload {
    /// Always the same.
    Constant(FrameCost),
    /// Normally distributed about it with this relative standard deviation, each frame for itself.
    Noisy(FrameCost, f64),
    /// At least so much, and an exponential tail of this relative mean above it.
    Tailed(FrameCost, f64),
    /// The first until this frame, then the second, with 5 % noise.
    Step(FrameCost, FrameCost, u64),
    /// The first, and with this probability the second.
    Spikes(FrameCost, FrameCost, f64),
    /// The second for these frames, the first before and after them, with 5 % noise.
    Burst(FrameCost, FrameCost, Range<u64>),
    /// What a real run was measured to need, over and over.
    Recorded(Vec<FrameCost>),
}

impl Workload {
    /// What frame number `frame`, counted from 0, needs. Draws from `noise` as often as the workload has chance in it;
    /// noise below nothing is nothing.
    pub fn cost(&self, frame: u64, noise: &mut Noise) -> FrameCost {
        match self {
            Self::Constant(cost) => *cost,
            Self::Noisy(cost, sd) => cost.scaled(1.0 + sd * noise.normal()),
            Self::Tailed(cost, mean) => cost.scaled(1.0 + mean * noise.exponential()),
            Self::Step(first, second, at) => {
                (if frame < *at { first } else { second }).scaled(1.0 + 0.05 * noise.normal())
            }
            Self::Spikes(usual, spike, chance) => {
                (if noise.chance(*chance) { spike } else { usual }).scaled(1.0 + 0.05 * noise.normal())
            }
            Self::Burst(usual, heavy, frames) => {
                (if frames.contains(&frame) { heavy } else { usual }).scaled(1.0 + 0.05 * noise.normal())
            }
            Self::Recorded(costs) => nth(costs, frame),
        }
    }
}

/// How late the operating system wakes a thread.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Oversleep {
    /// Never late.
    None,
    /// A native sleep with a spun tail on an idle machine: a few microseconds, and once in a thousand 0.2 to 1 ms.
    #[default]
    Spun,
    /// A plain native sleep on an idle machine: 50 to 150 us.
    Plain,
    /// A machine that is busy otherwise: every hundredth wake-up waits out somebody's slice of up to 3 ms.
    Busy,
    /// A machine that stops its processes now and then: as [`Spun`](Self::Spun), and once in 250 times 2 to 10 ms.
    Stalls,
    /// What a real run was measured to be late by, over and over: the start of frame `n` takes entry `n`, so that a slow
    /// frame and its late start stay together where both were [recorded](Workload::Recorded).
    Recorded(Vec<Duration>),
}

impl Oversleep {
    /// How late sleep number `turn`, counted from 0, ends.
    pub(super) fn draw(&self, turn: u64, noise: &mut Noise) -> Duration {
        let us = match self {
            Self::None => 0.0,
            Self::Stalls if noise.chance(0.004) => 2_000.0 + 8_000.0 * noise.unit(),
            Self::Spun if noise.chance(0.001) => 200.0 + 800.0 * noise.unit(),
            Self::Spun | Self::Stalls => 2.0 * noise.exponential(),
            Self::Plain => 50.0 + 35.0 * noise.exponential(),
            Self::Busy if noise.chance(0.01) => 500.0 + 2_500.0 * noise.unit(),
            Self::Busy => 40.0 + 30.0 * noise.exponential(),
            Self::Recorded(late) => return nth(late, turn),
        };
        Duration::from_nanos((us * 1_000.0) as u64)
    }
}

/// Entry `n` of a list that is gone through over and over.
fn nth<T: Copy + Default>(list: &[T], n: u64) -> T {
    let index = usize::try_from(n % list.len().max(1) as u64).unwrap_or(0);
    list.get(index).copied().unwrap_or_default()
}
