use crate::time::Timestamp;

/// Readings that are remembered.
const KEPT: usize = 16;
/// A GPU clock that is off what was expected by more than this, beyond the doubt of the reading, has been set anew (the
/// machine slept, the driver was reset).
const JUMP: i64 = 2_000_000;
/// Largest drift that is believed: crystals are within 100 ppm of each other, and clocks that are steered within 500.
const LARGEST_DRIFT: f64 = 1e-3;
/// Shortest time from which a drift can be told: in less of it the doubt of two readings is larger.
const BASE: i64 = 1_000_000_000;

/// The GPU's clock, read between two readings of the CPU's.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The CPU's clock before.
    pub before: Timestamp,
    /// The GPU's clock in nanoseconds.
    pub gpu: u64,
    /// The CPU's clock after.
    pub after: Timestamp,
}

impl Reading {
    /// By how much the reading can be wrong, in nanoseconds, to either side.
    const fn doubt(&self) -> i64 {
        self.after.signed_since(self.before) / 2
    }

    const fn middle(&self) -> Timestamp {
        self.before.offset(self.doubt())
    }
}

/// Puts times of the GPU's clock onto the CPU's: an offset and a drift, from readings of both clocks at the same time.
///
/// The GPU's clock was read somewhere between the two readings of the CPU's, so that half of their distance is the most
/// that a reading can be wrong by. The reading with the least doubt is the anchor, where older ones count as more doubtful
/// by what a drift may have made of them; the drift is the slope between it and the least doubtful reading that is far
/// enough away. Pure: readings are passed in.
#[derive(Clone, Debug, Default)]
pub struct ClockMap {
    readings: [Option<Reading>; KEPT],
    next: usize,
    anchor: Option<Reading>,
    drift: f64,
    jumps: u64,
}

impl ClockMap {
    /// A map that knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { readings: [None; KEPT], next: 0, anchor: None, drift: 0.0, jumps: 0 }
    }

    /// Learns from a reading. One that is out of all proportion to the ones before starts anew. No allocation.
    pub fn learn(&mut self, reading: Reading) {
        if reading.after < reading.before {
            return;
        }
        if let Some(expected) = self.to_cpu(reading.gpu) {
            let off = expected.signed_since(reading.middle()).unsigned_abs();
            if off > reading.doubt().unsigned_abs() + JUMP.unsigned_abs() {
                *self = Self { jumps: self.jumps + 1, ..Self::new() };
            }
        }
        self.readings[self.next] = Some(reading);
        self.next = (self.next + 1) % KEPT;
        self.fit(reading.after);
    }

    fn fit(&mut self, now: Timestamp) {
        let readings = || self.readings.iter().flatten();
        // A drift of 1 ppm makes a reading that is a second old wrong by a microsecond.
        let aged = |r: &&Reading| r.doubt() + now.signed_since(r.middle()) / 1_000_000;
        let Some(anchor) = readings().min_by_key(aged).copied() else { return };
        // The further apart, the less the doubt of both counts.
        let far = readings()
            .filter(|r| r.middle().signed_since(anchor.middle()).abs() >= BASE)
            .min_by(|a, b| slope_doubt(a, &anchor).total_cmp(&slope_doubt(b, &anchor)));
        if let Some(far) = far {
            let gpu = far.gpu.wrapping_sub(anchor.gpu).cast_signed();
            let cpu = far.middle().signed_since(anchor.middle());
            let drift = if gpu == 0 { 0.0 } else { cpu as f64 / gpu as f64 - 1.0 };
            if drift.abs() <= LARGEST_DRIFT {
                self.drift = drift;
            }
        }
        self.anchor = Some(anchor);
    }

    /// The CPU's time at a time of the GPU's; `None` before the first reading.
    #[must_use]
    pub fn to_cpu(&self, gpu: u64) -> Option<Timestamp> {
        let anchor = self.anchor?;
        let passed = gpu.wrapping_sub(anchor.gpu).cast_signed();
        let stretched = (passed as f64 * self.drift).round() as i64;
        Some(anchor.middle().offset(passed).offset(stretched))
    }

    /// Seconds that the CPU's clock gains on the GPU's per second.
    #[must_use]
    pub const fn drift(&self) -> f64 {
        self.drift
    }

    /// By how many nanoseconds the anchor can be wrong; `None` before the first reading.
    #[must_use]
    pub fn doubt(&self) -> Option<u64> {
        self.anchor.map(|anchor| anchor.doubt().unsigned_abs())
    }

    /// How often the GPU's clock was found to have been set anew.
    #[must_use]
    pub const fn jumps(&self) -> u64 {
        self.jumps
    }
}

fn slope_doubt(a: &Reading, b: &Reading) -> f64 {
    let apart = a.middle().signed_since(b.middle()).abs().max(1);
    (a.doubt() + b.doubt()) as f64 / apart as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    /// A GPU clock that began at another time and runs at another rate.
    struct Gpu {
        offset: i64,
        ppm: f64,
    }

    impl Gpu {
        fn at(&self, cpu: u64) -> u64 {
            (cpu as i64 + self.offset + (cpu as f64 * self.ppm * 1e-6) as i64).cast_unsigned()
        }

        /// A reading that takes `width`, with the GPU's clock read at `share` of it.
        fn read(&self, at: u64, width: u64, share: f64) -> Reading {
            let inside = at + (width as f64 * share) as u64;
            Reading {
                before: Timestamp::from_nanos(at),
                gpu: self.at(inside),
                after: Timestamp::from_nanos(at + width),
            }
        }
    }

    #[test]
    fn drifting_clock_is_followed_to_within_the_doubt_of_its_best_readings() {
        for (offset, ppm) in [(0, 0.0), (5_000_000_000, 40.0), (-3_000_000_000, -80.0), (77, 400.0)] {
            let (gpu, mut map) = (Gpu { offset, ppm }, ClockMap::new());
            for n in 10..70 {
                // Most readings were interrupted and lean to one side; every fourth is good.
                let (width, share) = if n % 4 == 0 { (2_000, 0.5) } else { (400_000, 0.95) };
                map.learn(gpu.read(n * S, width, share));
            }
            for probe in [69 * S, 69 * S + S / 2, 70 * S] {
                let error = map.to_cpu(gpu.at(probe)).unwrap().signed_since(Timestamp::from_nanos(probe));
                assert!(error.abs() < 10_000, "{ppm} ppm: off by {error} ns");
            }
            assert!((map.drift() * 1e6 + ppm).abs() < 2.0, "{ppm} ppm: {}", map.drift() * 1e6);
            assert_eq!(map.jumps(), 0);
        }
    }

    #[test]
    fn one_reading_is_an_offset_and_none_is_nothing() {
        let (gpu, mut map) = (Gpu { offset: 123, ppm: 0.0 }, ClockMap::new());
        assert_eq!((map.to_cpu(5), map.doubt()), (None, None));
        map.learn(gpu.read(S, 1_000, 0.5));
        assert_eq!(map.to_cpu(gpu.at(2 * S)), Some(Timestamp::from_nanos(2 * S)));
        assert_eq!((map.drift(), map.doubt()), (0.0, Some(500)));
    }

    #[test]
    fn clock_that_was_set_anew_is_learnt_anew() {
        let (before, after) = (Gpu { offset: 0, ppm: 30.0 }, Gpu { offset: -9_000_000_000, ppm: 30.0 });
        let mut map = ClockMap::new();
        (10..20).for_each(|n| map.learn(before.read(n * S, 1_000, 0.5)));
        (20..22).for_each(|n| map.learn(after.read(n * S, 1_000, 0.5)));
        let error = map.to_cpu(after.at(21 * S)).unwrap().signed_since(Timestamp::from_nanos(21 * S));
        assert!(error.abs() < 1_000, "{error}");
        assert_eq!(map.jumps(), 1);
    }

    #[test]
    fn readings_that_cannot_be_are_left_out() {
        let mut map = ClockMap::new();
        map.learn(Reading { before: Timestamp::from_nanos(9), gpu: 1, after: Timestamp::from_nanos(3) });
        assert_eq!(map.to_cpu(1), None);
    }
}
