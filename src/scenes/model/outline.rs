//! The points that a camera is fitted to: corners of the convex hull of what is drawn, over the whole animation.
//!
//! A box around boxes that were turned is far larger than what is in it. A point that is farthest in some direction is
//! on the hull and was really drawn, so what is kept here is exact in the directions that are tried and a little short
//! of the truth between them; the margin around a fitted picture is larger than that.

use std::collections::BTreeMap;

use glam::{Mat4, Vec3};

use super::limits::MAX_EXTENT;
use super::{Bounds, Mesh, Model, Pose, Primitive};

/// Pairs of opposite directions: 20 degrees from one to the next, so that a ball is cut short by 4 % at most.
const PAIRS: usize = 48;
/// Fewest pairs, for meshes with millions of vertices: 28 degrees, 8 %.
const FEWEST_PAIRS: usize = 24;
/// Products of a vertex and a direction that the meshes may take: a tenth of a second with optimisation, at most.
const MESH_WORK: usize = 1 << 25;
/// Points of all instances at one moment; beyond that, an instance is the eight corners of its mesh's box.
const MOMENT_POINTS: usize = 1 << 17;
/// Node transforms and tests of an instance against all directions that the moments may take.
const MOMENT_WORK: usize = 1 << 19;
/// Moments of the animation that are looked at, where the work allows: an arm that turns eight times in a loop is seen
/// every 22 degrees.
const MOMENTS: usize = 128;
const FEWEST_MOMENTS: usize = 4;
/// A joint that a vertex follows by no more than this does not draw the outline to itself.
const LIGHT: f32 = 0.1;

/// For each direction the points that reach farthest, along it and against it.
struct Extremes {
    /// The coordinates of the directions lie apart, so that several are worked on at once.
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
    lowest: Vec<Vec3>,
    highest: Vec<Vec3>,
}

impl Extremes {
    fn new(pairs: usize) -> Self {
        // Spread evenly over a hemisphere, by the golden angle.
        let golden = std::f32::consts::PI * (3.0 - 5.0_f32.sqrt());
        let z = |i: usize| 1.0 - (i as f32 + 0.5) / pairs as f32;
        let radius = |i: usize| (1.0 - z(i) * z(i)).sqrt();
        Self {
            x: (0..pairs).map(|i| radius(i) * (golden * i as f32).cos()).collect(),
            y: (0..pairs).map(|i| radius(i) * (golden * i as f32).sin()).collect(),
            z: (0..pairs).map(z).collect(),
            low: vec![f32::INFINITY; pairs],
            high: vec![f32::NEG_INFINITY; pairs],
            lowest: vec![Vec3::ZERO; pairs],
            highest: vec![Vec3::ZERO; pairs],
        }
    }

    /// Whether a ball reaches no farther than what is there already.
    fn holds(&self, centre: Vec3, radius: f32) -> bool {
        let (directions, reached) =
            (self.x.iter().zip(&self.y).zip(&self.z), self.low.iter().zip(&self.high));
        let outside = directions.zip(reached).fold(false, |outside, (((x, y), z), (low, high))| {
            let at = x * centre.x + y * centre.y + z * centre.z;
            outside | (at - radius < *low) | (at + radius > *high)
        });
        !outside
    }

    fn add(&mut self, point: Vec3) {
        if self.holds(point, 0.0) {
            return; // so it is with nearly all
        }
        for i in 0..self.x.len() {
            let at = self.x[i] * point.x + self.y[i] * point.y + self.z[i] * point.z;
            if at < self.low[i] {
                (self.low[i], self.lowest[i]) = (at, point);
            }
            if at > self.high[i] {
                (self.high[i], self.highest[i]) = (at, point);
            }
        }
    }

    fn into_points(self) -> Vec<Vec3> {
        if self.high.first().is_none_or(|high| !high.is_finite()) {
            return Vec::new();
        }
        let mut points: Vec<Vec3> = self.lowest.into_iter().chain(self.highest).collect();
        points
            .sort_unstable_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)).then(a.z.total_cmp(&b.z)));
        points.dedup();
        points
    }
}

/// What one mesh, or what of it follows one joint, is reduced to, in its own space.
struct Reduced {
    centre: Vec3,
    radius: f32,
    points: Vec<Vec3>,
}

/// Something that moves as one: which matrix of the pose moves it, and what it is.
struct Piece {
    joint: bool,
    matrix: usize,
    reduced: usize,
}

/// The outline of everything that is drawn while the first animation plays, or at rest without one; at least one point.
pub(super) fn of(model: &Model) -> Vec<Vec3> {
    let (pieces, reduced) = pieces(model);
    let mut extremes = Extremes::new(PAIRS);
    let mut pose = Pose::new(model);
    let mut before = vec![Mat4::ZERO; pieces.len()];
    if let Some(animation) = model.animations.first() {
        let work = model.nodes.len() + animation.channels.len() + pieces.len() * 8;
        let moments = (MOMENT_WORK / work.max(1)).clamp(FEWEST_MOMENTS, MOMENTS);
        for i in 0..moments {
            pose.sample(model, f64::from(animation.duration) * i as f64 / moments as f64);
            add_moment(&pieces, &reduced, &pose, &mut before, &mut extremes);
        }
    } else {
        add_moment(&pieces, &reduced, &pose, &mut before, &mut extremes);
    }
    let points = extremes.into_points();
    // Nothing of it is ever drawn: look at where it would be.
    if points.is_empty() { model.animated_bounds.corners().to_vec() } else { points }
}

/// All that moves as one. A mesh is reduced once, however many nodes show it.
fn pieces(model: &Model) -> (Vec<Piece>, Vec<Reduced>) {
    let instances = model.instances().count();
    let places = |p: &Primitive| p.vertices.len() * (1 + p.targets.len());
    let vertices: usize = model.meshes.iter().flat_map(|m| &m.primitives).map(places).sum();
    let pairs = (MESH_WORK / vertices.max(1)).clamp(FEWEST_PAIRS, PAIRS);
    let most = MOMENT_POINTS / instances.max(1);
    let mut reduced = Vec::new();
    let mut rigid: Vec<Option<Option<usize>>> = vec![None; model.meshes.len()];
    let mut bent: Vec<Option<Vec<(usize, usize)>>> = vec![None; model.meshes.len()];
    let mut pieces = Vec::new();
    for (node, mesh) in model.nodes.iter().enumerate().filter_map(|(i, n)| Some((i, n.mesh?))) {
        let Some(joints) = model.joints_of(node) else {
            let known = *rigid[mesh].get_or_insert_with(|| {
                reduced.push(self::reduced(&model.meshes[mesh], pairs, most)?);
                Some(reduced.len() - 1)
            });
            pieces.extend(known.map(|reduced| Piece { joint: false, matrix: node, reduced }));
            continue;
        };
        let list = bent[mesh].get_or_insert_with(|| {
            let parts = by_joint(&model.meshes[mesh], pairs);
            let from = reduced.len();
            let list = parts.iter().enumerate().map(|(i, (joint, _))| (usize::from(*joint), from + i));
            let list = list.collect();
            reduced.extend(parts.into_iter().map(|(_, part)| part));
            list
        });
        pieces.extend(
            list.iter().filter(|(joint, _)| *joint < joints.len()).map(|&(joint, reduced)| Piece {
                joint: true,
                matrix: joints.start + joint,
                reduced,
            }),
        );
    }
    (pieces, reduced)
}

fn reduced(mesh: &Mesh, pairs: usize, most: usize) -> Option<Reduced> {
    let bounds = mesh.bounds?;
    let vertices = || mesh.primitives.iter().flat_map(|p| (0..p.vertices.len()).flat_map(|i| places(p, i)));
    let points = if most < 2 * pairs {
        bounds.corners().to_vec()
    } else if vertices().nth(2 * pairs).is_none() {
        vertices().collect()
    } else {
        let mut extremes = Extremes::new(pairs);
        vertices().for_each(|v| extremes.add(v));
        extremes.into_points()
    };
    Some(Reduced { centre: bounds.center(), radius: bounds.radius(), points })
}

/// What follows each joint. A vertex that follows several is a mean of what each makes of it, so that it is in the hull
/// of all of them.
fn by_joint(mesh: &Mesh, pairs: usize) -> Vec<(u16, Reduced)> {
    let mut parts: BTreeMap<u16, (Bounds, Extremes)> = BTreeMap::new();
    for primitive in &mesh.primitives {
        for (i, influence) in primitive.influences.iter().flatten().enumerate() {
            for (&joint, &weight) in influence.joints.iter().zip(&influence.weights) {
                if weight <= LIGHT {
                    continue;
                }
                for place in places(primitive, i) {
                    let here = Bounds { min: place, max: place };
                    let (bounds, extremes) =
                        parts.entry(joint).or_insert_with(|| (here, Extremes::new(pairs)));
                    *bounds = bounds.union(here);
                    extremes.add(place);
                }
            }
        }
    }
    let part = |(joint, (bounds, extremes)): (u16, (Bounds, Extremes))| {
        let points = extremes.into_points();
        (joint, Reduced { centre: bounds.center(), radius: bounds.radius(), points })
    };
    parts.into_iter().map(part).collect()
}

/// Where vertex `i` may be: at rest, and with each morph target fully there.
fn places(primitive: &Primitive, i: usize) -> impl Iterator<Item = Vec3> {
    let at = Vec3::from(primitive.vertices[i].position);
    let morphed = primitive.targets.iter().map(move |target| at + Vec3::from(target[i].position));
    std::iter::once(at).chain(morphed)
}

fn add_moment(
    pieces: &[Piece],
    reduced: &[Reduced],
    pose: &Pose,
    before: &mut [Mat4],
    extremes: &mut Extremes,
) {
    for (piece, before) in pieces.iter().zip(before) {
        let reduced = &reduced[piece.reduced];
        let matrices = if piece.joint { pose.joints() } else { pose.world() };
        let Some(matrix) = matrices.get(piece.matrix) else { continue };
        // What has not moved since the moment before is there already; what is flattened to nothing is not drawn.
        if std::mem::replace(before, *matrix) == *matrix {
            continue;
        }
        if matrix.determinant() == 0.0
            || extremes.holds(matrix.transform_point3(reduced.centre), reach(matrix, reduced))
        {
            continue;
        }
        for point in &reduced.points {
            let at = matrix.transform_point3(*point);
            if at.abs().max_element() <= MAX_EXTENT {
                extremes.add(at);
            }
        }
    }
}

/// The most that a matrix makes of the mesh's radius.
fn reach(world: &Mat4, mesh: &Reduced) -> f32 {
    // The Frobenius norm: never less than the largest stretch.
    let axes = [world.x_axis, world.y_axis, world.z_axis];
    mesh.radius * axes.iter().map(|axis| axis.truncate().length_squared()).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_of_a_ball_are_short_of_it_by_what_is_promised() {
        for (pairs, short) in [(PAIRS, 0.04), (FEWEST_PAIRS, 0.08)] {
            let mut extremes = Extremes::new(pairs);
            // Points on the unit ball, close together.
            for i in 0..20_000 {
                let z = 1.0 - (i as f32 + 0.5) / 10_000.0;
                let (sin, cos) = (i as f32 * 2.399_963).sin_cos();
                let radius = (1.0 - z * z).sqrt();
                extremes.add(Vec3::new(radius * cos, radius * sin, z));
            }
            assert!(extremes.holds(Vec3::ZERO, 0.99) && !extremes.holds(Vec3::ZERO, 1.01));
            let points = extremes.into_points();
            assert!(points.len() <= 2 * pairs);
            for i in 0..500 {
                let direction = Vec3::new((i as f32).sin(), (i as f32 * 1.7).sin(), (i as f32 * 0.3).cos());
                let direction = direction.normalize();
                let most = points.iter().map(|p| p.dot(direction)).fold(0.0, f32::max);
                assert!(most > 1.0 - short, "{pairs} pairs, {direction}: {most}");
            }
        }
    }

    #[test]
    fn a_ball_is_held_only_where_every_direction_holds_it() {
        let mut extremes = Extremes::new(PAIRS);
        assert!(!extremes.holds(Vec3::ZERO, 0.0), "nothing is there yet");
        for x in [-1.0, 1.0] {
            for y in [-1.0, 1.0] {
                for z in [-1.0, 1.0] {
                    extremes.add(Vec3::new(x, y, z));
                }
            }
        }
        assert!(extremes.holds(Vec3::ZERO, 0.9));
        assert!(!extremes.holds(Vec3::new(0.6, 0.0, 0.0), 0.9));
        assert_eq!(extremes.into_points().len(), 8);
    }
}
