/// Random numbers that are the same on every machine: splitmix64.
///
/// Vigna, "Further scramblings of Marsaglia's xorshift generators" (2016) has the constants.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for each `purpose`, so that drawing more numbers for one leaves the others as they are.
    #[must_use]
    pub const fn fork(&self, purpose: u64) -> Self {
        Self(self.0 ^ purpose.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform, from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normal with mean 0 and standard deviation 1: the sum of twelve uniforms, which ends at six sigma and needs no
    /// function that differs between machines.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Exponential with mean 1, cut off at 16: halvings of a uniform and one multiplication, for the same reason.
    pub fn exponential(&mut self) -> f64 {
        // The number of halvings is geometric; what is left over is uniform between two of them.
        let halvings = f64::from(self.bits().leading_zeros().min(22));
        (halvings + self.unit()) * std::f64::consts::LN_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distributions_have_their_moments() {
        let mut noise = Noise::new(3);
        let n = 200_000;
        let moments = |draw: &mut dyn FnMut() -> f64| {
            let all: Vec<f64> = (0..n).map(|_| draw()).collect();
            let mean = all.iter().sum::<f64>() / f64::from(n);
            (mean, (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n)).sqrt())
        };
        let (mean, sd) = moments(&mut || noise.unit());
        assert!((mean - 0.5).abs() < 0.005 && (sd - 0.288_7).abs() < 0.005, "{mean} {sd}");
        let (mean, sd) = moments(&mut || noise.normal());
        assert!(mean.abs() < 0.02 && (sd - 1.0).abs() < 0.02, "{mean} {sd}");
        let (mean, sd) = moments(&mut || noise.exponential());
        assert!((mean - 1.0).abs() < 0.06 && (sd - 1.0).abs() < 0.06, "{mean} {sd}");
    }

    #[test]
    fn a_seed_gives_the_same_numbers_and_a_fork_others() {
        let mut a = Noise::new(1);
        assert_eq!(a.bits(), Noise::new(1).bits());
        assert_ne!(Noise::new(1).fork(1).bits(), Noise::new(1).fork(2).bits());
    }
}
