//! What the crowd is made of: meshes that stand on the ground, about 1 high, computed once.

use std::f32::consts::{PI, TAU};

use glam::{Vec2, Vec3};

use crate::gl::Vertex;

/// A mesh in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) vertices: Vec<Vertex>,
    pub(super) indices: Vec<u32>,
}

/// Sides of what is round: few, because a software rasteriser has to draw them all.
const SIDES: usize = 14;

/// All that walk, in the order of their numbers.
pub(super) fn walkers() -> Vec<Shape> {
    vec![ball(), pawn(), cone(), drum(), ring(), vase(), block(), gem(), star(), pill()]
}

/// The round ground of radius 1, with a picture that repeats every `tile`.
pub(super) fn ground(tile: f32) -> Shape {
    let mut shape = Shape::default();
    let rim = |i: usize| Vec2::from_angle(-TAU * i as f32 / 48.0);
    for i in 0..48 {
        let corners = [Vec2::ZERO, rim(i), rim(i + 1)].map(|p| (Vec3::new(p.x, 0.0, p.y), p / tile));
        shape.face(&corners, Vec3::Y);
    }
    shape
}

/// A square on the ground from -1 to 1, that a shadow is painted on.
pub(super) fn spot() -> Shape {
    let mut shape = Shape::default();
    let corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]
        .map(|(u, v)| (Vec3::new(2.0 * u - 1.0, 0.0, 2.0 * v - 1.0), Vec2::new(u, v)));
    shape.face(&corners, Vec3::Y);
    shape
}

impl Shape {
    /// A flat, convex face, its corners anticlockwise as seen from where `normal` points to.
    fn face(&mut self, corners: &[(Vec3, Vec2)], normal: Vec3) {
        let first = self.vertices.len() as u32;
        self.vertices.extend(corners.iter().map(|(position, uv)| Vertex {
            position: position.to_array(),
            normal: normal.to_array(),
            uv: uv.to_array(),
        }));
        for i in 2..corners.len() as u32 {
            self.indices.extend([first, first + i - 1, first + i]);
        }
    }

    /// Turns a line (distance from the axis, height), smooth along its length, round the upright axis. It goes so that what it
    /// encloses is to its left: up on the outside.
    fn lathe(&mut self, line: &[Vec2]) {
        let first = self.vertices.len() as u32;
        let rows = line.len();
        let length: f32 = line.windows(2).map(|p| p[0].distance(p[1])).sum();
        let mut along = 0.0;
        for (i, at) in line.iter().enumerate() {
            let (before, after) = (line[i.saturating_sub(1)], line[(i + 1).min(rows - 1)]);
            along += at.distance(before);
            let way = (after - before).normalize_or(Vec2::Y);
            for side in 0..=SIDES {
                let turn = side as f32 / SIDES as f32;
                let (sin, cos) = (TAU * turn).sin_cos();
                self.vertices.push(Vertex {
                    position: [at.x * sin, at.y, at.x * cos],
                    normal: [way.y * sin, -way.x, way.y * cos],
                    uv: [3.0 * turn, along / length.max(1e-6)],
                });
            }
        }
        let row = SIDES as u32 + 1;
        for (i, pair) in line.windows(2).enumerate() {
            for side in 0..SIDES as u32 {
                let low = first + i as u32 * row + side;
                // At the axis one of the two triangles is nothing.
                if pair[0].x > 0.0 {
                    self.indices.extend([low, low + 1, low + row + 1]);
                }
                if pair[1].x > 0.0 {
                    self.indices.extend([low, low + row + 1, low + row]);
                }
            }
        }
    }
}

fn turned(lines: &[&[(f32, f32)]]) -> Shape {
    let mut shape = Shape::default();
    for line in lines {
        let line: Vec<Vec2> = line.iter().map(|&p| p.into()).collect();
        shape.lathe(&line);
    }
    shape
}

/// A part of a circle as a line, from one angle to another: -90 degrees is below the middle, 0 outside.
fn arc(middle: Vec2, radius: f32, from: f32, to: f32, steps: usize) -> Vec<Vec2> {
    let angle = |i: usize| (from + (to - from) * i as f32 / steps as f32).to_radians();
    // What lies on the axis lies there exactly.
    let snap = |p: Vec2| Vec2::new(if p.x.abs() < 1e-4 { 0.0 } else { p.x }, p.y);
    (0..=steps).map(|i| snap(middle + radius * Vec2::from_angle(angle(i)))).collect()
}

/// A ball of radius 0.5.
pub(super) fn ball() -> Shape {
    let mut shape = Shape::default();
    shape.lathe(&arc(Vec2::new(0.0, 0.5), 0.5, -90.0, 90.0, 8));
    shape
}

fn pawn() -> Shape {
    let mut shape = turned(&[
        &[(0.42, 0.0), (0.42, 0.12)],
        &[(0.42, 0.12), (0.3, 0.2), (0.17, 0.45), (0.14, 0.75)],
        &[(0.14, 0.75), (0.26, 0.79), (0.26, 0.83), (0.12, 0.87)],
    ]);
    shape.lathe(&arc(Vec2::new(0.0, 1.07), 0.25, -60.0, 90.0, 6));
    shape
}

fn cone() -> Shape {
    turned(&[&[(0.0, 0.0), (0.45, 0.0)], &[(0.45, 0.0), (0.0, 1.3)]])
}

fn drum() -> Shape {
    turned(&[&[(0.42, 0.0), (0.42, 0.75)], &[(0.42, 0.75), (0.0, 0.75)]])
}

/// A ring that lies on the ground.
fn ring() -> Shape {
    let mut shape = Shape::default();
    shape.lathe(&arc(Vec2::new(0.31, 0.17), 0.17, -90.0, 270.0, 8));
    shape
}

fn vase() -> Shape {
    turned(&[
        &[(0.2, 0.0), (0.38, 0.25), (0.42, 0.5), (0.3, 0.8), (0.15, 1.0), (0.14, 1.15), (0.26, 1.3)],
        &[(0.26, 1.3), (0.0, 1.26)],
    ])
}

fn pill() -> Shape {
    let mut line = arc(Vec2::new(0.0, 0.3), 0.3, -90.0, 0.0, 4);
    line.extend(arc(Vec2::new(0.0, 0.95), 0.3, 0.0, 90.0, 4));
    let mut shape = Shape::default();
    shape.lathe(&line);
    shape
}

/// An upright prism over an outline that goes anticlockwise as seen from above, with a roof that is a fan from the middle.
fn prism(outline: &[Vec2], height: f32) -> Shape {
    let mut shape = Shape::default();
    let n = outline.len();
    let at = |p: Vec2, y: f32| Vec3::new(p.x, y, -p.y);
    for i in 0..n {
        let (a, b) = (outline[i], outline[(i + 1) % n]);
        let normal = at((b - a).perp(), 0.0) * -1.0;
        let wall = [(a, 0.0, 0.0, 1.0), (b, 0.0, 1.0, 1.0), (b, height, 1.0, 0.0), (a, height, 0.0, 0.0)];
        let wall = wall.map(|(p, y, u, v)| (at(p, y), Vec2::new(u, v)));
        shape.face(&wall, normal.normalize_or(Vec3::Y));
        let roof = [Vec2::ZERO, a, b].map(|p| (at(p, height), p + 0.5));
        shape.face(&roof, Vec3::Y);
    }
    shape
}

fn block() -> Shape {
    prism(&[(0.37, -0.37), (0.37, 0.37), (-0.37, 0.37), (-0.37, -0.37)].map(Vec2::from), 0.74)
}

fn star() -> Shape {
    let outline: Vec<Vec2> = (0..10)
        .map(|i| Vec2::from_angle(PI * i as f32 / 5.0) * if i % 2 == 0 { 0.5 } else { 0.24 })
        .collect();
    prism(&outline, 0.5)
}

/// Eight triangles, on one point.
fn gem() -> Shape {
    let mut shape = Shape::default();
    let side = |i: usize| {
        let p = Vec2::from_angle(PI * i as f32 / 2.0) * 0.46;
        Vec3::new(p.x, 0.7, -p.y)
    };
    let (low, high) = (Vec3::ZERO, Vec3::Y * 1.25);
    for i in 0..4 {
        for corners in [[high, side(i), side(i + 1)], [low, side(i + 1), side(i)]] {
            let normal = (corners[1] - corners[0]).cross(corners[2] - corners[0]).normalize();
            let uvs = [Vec2::new(0.5, 0.0), Vec2::new(0.0, 1.0), Vec2::ONE];
            let face = [0, 1, 2].map(|k| (corners[k], uvs[k]));
            shape.face(&face, normal);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faces that look inwards would be left out of the picture, and normals that do would be dark.
    #[test]
    fn faces_look_outwards_and_so_do_their_normals() {
        let all = walkers().into_iter().chain([ground(0.1), spot()]);
        for (number, shape) in all.enumerate() {
            for corners in shape.indices.chunks(3) {
                let corner = |i: usize| &shape.vertices[corners[i] as usize];
                let [a, b, c] = [0, 1, 2].map(|i| Vec3::from(corner(i).position));
                let facing = (b - a).cross(c - a);
                assert!(facing.length() > 1e-5, "shape {number} has a face of nothing: {a} {b} {c}");
                for i in 0..3 {
                    let normal = Vec3::from(corner(i).normal);
                    assert!((normal.length() - 1.0).abs() < 1e-3, "shape {number}: {normal}");
                    assert!(facing.normalize().dot(normal) > 0.2, "shape {number}: {a} {b} {c}, {normal}");
                }
            }
        }
        // Outwards is away from the axis, for what is round and upright.
        for shape in [drum(), block(), star()] {
            let walls = shape.vertices.iter().filter(|v| v.normal[1].abs() < 0.1);
            for v in walls {
                let (at, normal) = (Vec3::from(v.position), Vec3::from(v.normal));
                assert!(at.with_y(0.0).dot(normal) > 0.0, "{at} {normal}");
            }
        }
    }

    #[test]
    fn walkers_stand_on_the_ground_and_leave_their_neighbours_room() {
        for (number, shape) in walkers().iter().enumerate() {
            let places = || shape.vertices.iter().map(|v| Vec3::from(v.position));
            let low = places().map(|p| p.y).fold(f32::MAX, f32::min);
            let wide = places().map(|p| p.with_y(0.0).length()).fold(0.0, f32::max);
            assert!(low.abs() < 1e-3 && wide < 0.53, "shape {number}: {low} {wide}");
            assert!(shape.indices.len() / 3 < 400, "shape {number}: {} triangles", shape.indices.len() / 3);
        }
    }
}
