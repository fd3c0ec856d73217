//! How certain a quantile of frames that resemble their neighbours is.

use scanout::sim::Noise;
use scanout::stats::quantile::select;

/// Fewest blocks that a run is cut into.
const FEWEST_BLOCKS: usize = 8;
/// A block is so many times as long as frames remember: shorter ones make the frames look more independent than they are.
const BLOCK_MEMORY: f64 = 8.0;
/// Resamples, of which only the spread is used: it is right to about 4 %.
const RESAMPLES: usize = 400;

pub struct Bootstrap {
    /// Standard error of the quantile.
    pub error: f64,
    /// Blocks that the values were cut into.
    pub blocks: f64,
}

/// The standard error of a quantile by the moving-block bootstrap (Künsch 1989): runs of successive values are drawn, so that
/// what frames have to do with their neighbours stays.
pub fn bootstrap(values: &[f64], q: f64) -> Bootstrap {
    let (n, length) = (values.len(), block_length(values, q));
    let mut noise = Noise::new(n as u64);
    let mut drawn = Vec::with_capacity(n + length);
    let figures: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.clear();
            while drawn.len() < n {
                let from = (noise.unit() * (n - length + 1) as f64) as usize;
                drawn.extend_from_slice(&values[from..from + length]);
            }
            drawn.truncate(n);
            quantile(&mut drawn, q)
        })
        .collect();
    // Values near the ends are in fewer blocks, and blocks vary about the mean of all: without the factor the error of
    // few blocks comes out too small.
    let blocks = n as f64 / length as f64;
    Bootstrap { error: (moments(&figures).1 * blocks / (blocks - 1.0).max(1.0)).sqrt(), blocks }
}

/// How many successive values make a block: by the cube root of their number, or by how long they remember whether they are
/// above the quantile, whichever is more.
pub fn block_length(values: &[f64], q: f64) -> usize {
    let n = values.len();
    let above: Vec<f64> = {
        let at = quantile(&mut values.to_vec(), q);
        values.iter().map(|v| f64::from(u8::from(*v > at))).collect()
    };
    let (mean, variance) = moments(&above);
    let longest = (n / FEWEST_BLOCKS).max(1);
    let mut memory = 1.0;
    if variance > 0.0 {
        for lag in 1..longest {
            let products = above.iter().zip(&above[lag..]).map(|(a, b)| (a - mean) * (b - mean));
            let correlation = products.sum::<f64>() / (n as f64 * variance);
            // Where correlation is lost in noise, the rest of the sum is noise as well.
            if correlation < 2.0 / (n as f64).sqrt() {
                break;
            }
            memory += 2.0 * correlation;
        }
    }
    ((BLOCK_MEMORY * memory).max((n as f64).cbrt()).ceil() as usize).clamp(1, longest)
}

/// Mean and variance (of a sample).
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, if n > 1.0 { squares / (n - 1.0) } else { 0.0 })
}

/// The quantile by [`select`]'s rule of values of which there are some; they are put into another order.
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    select(values, q, f64::total_cmp).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of the median of an autoregressive series, against the one that many series show.
    #[test]
    fn the_bootstrap_sees_that_frames_remember() {
        const MEMORY: f64 = 0.8;
        let mut noise = Noise::new(5);
        let mut series = || -> Vec<f64> {
            let mut x = 0.0;
            (0..600)
                .map(|_| {
                    x = MEMORY * x + noise.normal();
                    x
                })
                .collect()
        };
        let medians: Vec<f64> = (0..200).map(|_| quantile(&mut series(), 0.5)).collect();
        let truth = moments(&medians).1.sqrt();
        let seen: Vec<f64> = (0..6).map(|_| bootstrap(&series(), 0.5).error).collect();
        let ratio = moments(&seen).0 / truth;
        // Taken as independent, frames would seem to tell the median three times as well as they do.
        assert!((0.75..1.25).contains(&ratio), "{ratio}");
    }
}
