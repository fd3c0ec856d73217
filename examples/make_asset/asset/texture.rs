//! Procedural textures, few colours each so that they compress well.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::geometry::V3;
use super::maths::{cos, sin};

/// sRGB pixels, the top row first.
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    fn new(width: u32, height: u32, color: impl Fn(f64, f64) -> V3) -> Self {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (u, v) =
                    ((f64::from(x) + 0.5) / f64::from(width), (f64::from(y) + 0.5) / f64::from(height));
                rgb.extend(color(u, v).map(|c| c.clamp(0.0, 255.0).round() as u8));
            }
        }
        Self { width, height, rgb }
    }

    pub fn png(&self) -> Vec<u8> {
        let mut out = Vec::new();
        PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::Adaptive)
            .write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            .expect("writing to memory cannot fail");
        out
    }
}

/// Slate with the orbits, a dial of sixty and a few stars engraved in gold.
pub fn plate() -> Picture {
    let half = 5.6;
    let size = 512;
    let pixel = 2.0 * half / f64::from(size);
    let marks: Vec<_> = (0..60)
        .map(|i| {
            let turn = f64::from(i) / 60.0;
            let (from, width) = if i % 5 == 0 { (4.98, 0.04) } else { (5.2, 0.018) };
            (cos(turn), -sin(turn), from, width)
        })
        .collect();
    Picture::new(size, size, |u, v| {
        let (x, z) = ((u - 0.5) * 2.0 * half, (v - 0.5) * 2.0 * half);
        let radius = (x * x + z * z).sqrt();
        // How far outside of any line the pixel's middle is.
        let mut distance = f64::MAX;
        for (at, width) in [(1.3, 0.014), (2.1, 0.014), (3.1, 0.014), (4.5, 0.014), (5.36, 0.03), (4.9, 0.02)]
        {
            let ring: f64 = radius - at;
            distance = distance.min(ring.abs() - width);
        }
        for &(c, s, from, width) in &marks {
            let along = (x * c + z * s).clamp(from, 5.36);
            let (dx, dz) = (x - along * c, z - along * s);
            distance = distance.min((dx * dx + dz * dz).sqrt() - width);
        }
        let gold = (0.5 - distance / pixel).clamp(0.0, 1.0);
        let gold = (gold * 8.0).round() / 8.0;
        let slate = 10.0 * (noise3([x * 0.9, 0.5, z * 0.9], 1.0, 11) * 4.0).round() / 4.0;
        let star = hash((u * f64::from(size)) as u32 / 2, (v * f64::from(size)) as u32 / 2, 5, 21);
        let star = if star > 0.9985 && radius < 4.8 { 90.0 } else { 0.0 };
        let ground = [26.0 + slate + star, 34.0 + slate + star, 52.0 + 1.3 * slate + star];
        mixed(ground, [214.0, 170.0, 92.0], gold)
    })
}

/// Seas, coasts, land, mountains and ice.
pub fn earth() -> Picture {
    Picture::new(256, 128, |u, v| {
        let p = on_sphere(u, v);
        let height = 0.55 * noise3(p, 1.7, 1) + 0.3 * noise3(p, 3.6, 2) + 0.15 * noise3(p, 8.0, 3);
        let cold = (v - 0.5).abs() * 2.0 + 0.25 * (noise3(p, 5.0, 4) - 0.5);
        match height {
            _ if cold > 0.86 => [236.0, 242.0, 246.0],
            h if h < 0.44 => [22.0, 58.0, 122.0],
            h if h < 0.5 => [32.0, 88.0, 150.0],
            h if h < 0.52 => [196.0, 182.0, 128.0],
            h if h < 0.6 => [70.0, 128.0, 62.0],
            h if h < 0.67 => [92.0, 112.0, 56.0],
            _ => [138.0, 122.0, 100.0],
        }
    })
}

/// Bands with eddies and one great spot.
pub fn giant() -> Picture {
    let bands: [V3; 7] = [
        [176.0, 142.0, 104.0],
        [222.0, 198.0, 160.0],
        [190.0, 138.0, 92.0],
        [232.0, 214.0, 182.0],
        [170.0, 116.0, 78.0],
        [216.0, 188.0, 148.0],
        [158.0, 126.0, 98.0],
    ];
    Picture::new(256, 128, |u, v| {
        let p = on_sphere(u, v);
        let eddy = noise3([p[0] * 2.0, p[1] * 9.0, p[2] * 2.0], 1.5, 5) - 0.5;
        let at = (v + 0.05 * eddy) * 13.0;
        let (from, share) = (at.floor(), at - at.floor());
        let share = ((share * share * (3.0 - 2.0 * share)) * 6.0).round() / 6.0;
        let band = |i: f64| bands[(i.max(0.0) as usize * 5) % 7];
        let color = mixed(band(from), band(from + 1.0), share);
        let (du, dv) = ((u - 0.3) / 0.07, (v - 0.64) / 0.065);
        let spot = du * du + dv * dv + 0.4 * eddy;
        if spot < 0.6 {
            [186.0, 82.0, 52.0]
        } else if spot < 1.0 {
            [226.0, 176.0, 140.0]
        } else {
            color
        }
    })
}

fn on_sphere(u: f64, v: f64) -> V3 {
    [sin(v / 2.0) * cos(u), cos(v / 2.0), -sin(v / 2.0) * sin(u)]
}

fn mixed(a: V3, b: V3, share: f64) -> V3 {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share)
}

/// Smooth noise from 0 to 1 with `frequency` cells per unit.
pub fn noise3(p: V3, frequency: f64, seed: u32) -> f64 {
    let p = p.map(|v| v * frequency + 1000.0);
    let cell = p.map(|v| v.floor() as u32);
    let t = p.map(|v| {
        let f = v - v.floor();
        f * f * (3.0 - 2.0 * f)
    });
    let mut sum = 0.0;
    for corner in 0..8_u32 {
        let bit = |axis: u32| corner >> axis & 1;
        let weight = |axis: u32| if bit(axis) == 1 { t[axis as usize] } else { 1.0 - t[axis as usize] };
        let value = hash(cell[0] + bit(0), cell[1] + bit(1), cell[2] + bit(2), seed);
        sum += weight(0) * weight(1) * weight(2) * value;
    }
    sum
}

/// A number from 0 to 1 that looks random; the mixer is that of MurmurHash3.
fn hash(x: u32, y: u32, z: u32, seed: u32) -> f64 {
    let mut h = seed.wrapping_mul(0x9E37_79B9);
    for v in [x, y, z] {
        h = (h ^ v).wrapping_mul(0x85EB_CA6B);
        h ^= h >> 13;
        h = h.wrapping_mul(0xC2B2_AE35);
        h ^= h >> 16;
    }
    f64::from(h) / f64::from(u32::MAX)
}
