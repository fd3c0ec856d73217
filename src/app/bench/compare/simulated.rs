//! Benches that were never run: frames that remember the last one, a heavy tail, a machine that drifts.

use std::collections::BTreeMap;

use scanout::sim::Noise;

use crate::app::bench::result::{BENCH_SCHEMA, BenchResult, Samples, ScenarioResult};

/// How two builds are measured.
#[derive(Copy, Clone, Debug)]
pub enum Order {
    /// In turn, by rounds; who went second in one goes first in the next, so that a way in one direction cancels out.
    Interleaved,
    /// All rounds of one, then all of the other.
    OneAfterTheOther,
    /// The same in one run each, without rounds.
    OneRun,
}

#[derive(Copy, Clone, Debug)]
pub struct Plan {
    pub order: Order,
    pub scenarios: usize,
    pub rounds: usize,
    pub frames: usize,
    /// How far the machine drifts from round to round, in milliseconds.
    pub drift: f64,
    /// By how much starts of a program differ, whatever the machine does, in milliseconds.
    pub starts: f64,
    /// What one scenario of the new build is slower by.
    pub slower: f64,
}

/// Memory of latencies from one frame to the next.
const MEMORY: f64 = 0.6;
const REFRESH_MS: f64 = 1_000.0 / 60.0;

/// Base and new.
pub fn pair(seed: u64, plan: &Plan) -> [BenchResult; 2] {
    let mut noise = Noise::new(seed).fork(77);
    let mut sides = [side("a"), side("b")];
    for index in 0..plan.scenarios {
        let slots = 2 * plan.rounds;
        // A walk, and a way in one direction: both sides of a pair see nearly the same of it.
        let trend = plan.drift * (noise.unit() - 0.5) * 0.2;
        let mut at = 0.0;
        let drift: Vec<f64> = (0..slots)
            .map(|_| {
                at += plan.drift * noise.normal() * 0.5 + trend;
                at
            })
            .collect();
        for (which, side) in sides.iter_mut().enumerate() {
            let slower = if which == 1 && index == 0 { plan.slower } else { 0.0 };
            let rounds: Vec<Vec<f64>> = (0..plan.rounds)
                .map(|round| {
                    let slot = match plan.order {
                        Order::Interleaved => 2 * round + (round + which) % 2,
                        _ => plan.rounds * which + round,
                    };
                    let start = plan.starts * noise.normal();
                    latencies(&mut noise, plan.frames, 5.0 + slower + drift[slot] + start)
                })
                .collect();
            side.scenarios.push(scenario(index, &rounds, &mut noise, plan.order));
        }
    }
    sides
}

fn side(name: &str) -> BenchResult {
    BenchResult {
        schema: BENCH_SCHEMA.into(),
        suite: name.into(),
        interleaved: Some("together".into()),
        ..BenchResult::default()
    }
}

/// Mostly about half a millisecond about their mean, one in twenty much later, both with memory.
fn latencies(noise: &mut Noise, frames: usize, mean: f64) -> Vec<f64> {
    let fresh = (1.0_f64 - MEMORY * MEMORY).sqrt();
    let (mut x, mut busy) = (noise.normal(), false);
    (0..frames)
        .map(|_| {
            x = MEMORY * x + fresh * noise.normal();
            // Trouble stays for a few frames.
            busy = noise.chance(if busy { 0.6 } else { 0.02 });
            mean + 0.5 * x + if busy { 3.0 * noise.exponential() } else { 0.0 }
        })
        .collect()
}

/// What goes up with the latency (sample to photon), the same with a random phase of the input, and a stage that has nothing
/// to do with it.
fn scenario(index: usize, rounds: &[Vec<f64>], noise: &mut Noise, order: Order) -> ScenarioResult {
    let lengths: Vec<u64> = match order {
        Order::OneRun => Vec::new(),
        _ => rounds.iter().map(|r| r.len() as u64).collect(),
    };
    let samples = |ms: Vec<f64>| Samples { every: 1, ms, rounds: lengths.clone() };
    let sample = rounds.concat();
    let click: Vec<f64> = sample.iter().map(|ms| ms + REFRESH_MS * noise.unit()).collect();
    let logic = rounds.iter().flat_map(|r| latencies(noise, r.len(), 1.0)).collect();
    ScenarioResult {
        name: format!("scenario-{index}"),
        samples: BTreeMap::from([
            ("SampleToPhoton".to_owned(), samples(sample)),
            ("ClickToPhoton".to_owned(), samples(click)),
            ("InputToLogic".to_owned(), samples(logic)),
        ]),
        ..ScenarioResult::default()
    }
}
