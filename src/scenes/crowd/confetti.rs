//! Confetti before the picture: sprites in units of the picture's height, from the middle of its upper edge.

use std::f32::consts::TAU;

use glam::Vec2;

use super::cast;
use crate::scene::{PassRecorder, Sprite};
use crate::sim::Noise;

/// How many pieces fall.
const PIECES: usize = 220;
/// They fall this far to either side of the middle, so that no picture is too wide for them; narrower ones leave some out.
const ASIDE: f32 = 2.0;
/// Where they come from, above the picture, and where they are gone, below it.
const FROM: f32 = -0.1;
const TO: f32 = 1.1;

#[derive(Clone, Debug)]
pub(super) struct Confetti(Vec<Piece>);

#[derive(Copy, Clone, Debug)]
struct Piece {
    at: Vec2,
    size: Vec2,
    /// Heights of the picture per second.
    fall: f32,
    angle: f32,
    /// Radians per second.
    spin: f32,
    colour: [u8; 4],
}

impl Confetti {
    pub(super) fn new(random: &mut Noise) -> Self {
        Self((0..PIECES as u32).map(|n| Piece::new(n, random)).collect())
    }

    pub(super) fn step(&mut self, dt: f32) {
        for piece in &mut self.0 {
            piece.at.y = FROM + (piece.at.y - FROM + piece.fall * dt) % (TO - FROM);
            piece.angle = (piece.angle + piece.spin * dt) % TAU;
        }
    }

    pub(super) fn record(&self, flat: &mut PassRecorder<'_>) {
        self.0.iter().for_each(|piece| flat.sprite(piece.sprite()));
    }
}

impl Piece {
    fn new(n: u32, random: &mut Noise) -> Self {
        let mut part = || random.unit() as f32;
        let at = Vec2::new(ASIDE * (2.0 * part() - 1.0), FROM + (TO - FROM) * part());
        // Near ones are larger, and fall faster.
        let near = 0.4 + 0.6 * part();
        let [r, g, b] = cast::colour(n);
        Self {
            at,
            size: near * Vec2::new(0.016, 0.009),
            fall: 0.16 * near,
            angle: TAU * part(),
            spin: 5.0 * (part() - 0.5),
            colour: [r, g, b, (90.0 + 130.0 * near) as u8],
        }
    }

    fn sprite(&self) -> Sprite {
        let sway = 0.012 * self.angle.sin();
        // It shows its edge now and then, as it turns over.
        let size = self.size * Vec2::new(1.0, 0.35 + 0.65 * (1.7 * self.angle).cos().abs());
        let at = self.at + Vec2::X * sway - 0.5 * size;
        Sprite::new(cast::plain(), at, size).with_colour(self.colour).with_rotation(self.angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_fall_and_come_again_at_the_top() {
        let mut confetti = Confetti::new(&mut Noise::new(1));
        for _ in 0..10_000 {
            let before = confetti.clone();
            confetti.step(1.0 / 60.0);
            let inside = |p: &Piece| (FROM..TO).contains(&p.at.y) && p.at.x.abs() <= ASIDE;
            assert!(confetti.0.iter().all(inside));
            let down = confetti.0.iter().zip(&before.0).filter(|(a, b)| a.at.y > b.at.y).count();
            assert!(down > PIECES * 9 / 10, "{down}");
        }
    }
}
