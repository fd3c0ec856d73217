//! The points that a camera is fitted to: corners of the convex hull of what is drawn, over the whole animation.
//!
//! A box around boxes that were turned is far larger than what is in it. A point that is farthest in some direction is
//! on the hull and was really drawn, so what is kept here is exact in the directions that are tried and a little short
//! of the truth between them; the margin around a fitted picture is larger than that.

use glam::{Mat4, Vec3};

use super::limits::MAX_EXTENT;
use super::{Mesh, Model, Pose};

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

/// What one mesh is reduced to, in its own space.
struct Reduced {
    centre: Vec3,
    radius: f32,
    points: Vec<Vec3>,
}

/// The outline of everything that is drawn while the first animation plays, or at rest without one; at least one point.
pub(super) fn of(model: &Model) -> Vec<Vec3> {
    let instances = model.instances().count();
    let vertices: usize = model.meshes.iter().flat_map(|m| &m.primitives).map(|p| p.vertices.len()).sum();
    let pairs = (MESH_WORK / vertices.max(1)).clamp(FEWEST_PAIRS, PAIRS);
    let most = MOMENT_POINTS / instances.max(1);
    let meshes: Vec<Option<Reduced>> = model.meshes.iter().map(|mesh| reduced(mesh, pairs, most)).collect();

    let mut extremes = Extremes::new(PAIRS);
    let mut pose = Pose::new(model);
    let mut before = vec![Mat4::ZERO; model.nodes.len()];
    if let Some(animation) = model.animations.first() {
        let work = model.nodes.len() + animation.channels.len() + instances * 8;
        let moments = (MOMENT_WORK / work.max(1)).clamp(FEWEST_MOMENTS, MOMENTS);
        for i in 0..moments {
            pose.sample(model, f64::from(animation.duration) * i as f64 / moments as f64);
            add_moment(model, &meshes, &pose, &mut before, &mut extremes);
        }
    } else {
        add_moment(model, &meshes, &pose, &mut before, &mut extremes);
    }
    let points = extremes.into_points();
    // Nothing of it is ever drawn: look at where it would be.
    if points.is_empty() { model.animated_bounds.corners().to_vec() } else { points }
}

fn reduced(mesh: &Mesh, pairs: usize, most: usize) -> Option<Reduced> {
    let bounds = mesh.bounds?;
    let vertices = || mesh.primitives.iter().flat_map(|p| &p.vertices).map(|v| Vec3::from(v.position));
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

fn add_moment(
    model: &Model,
    meshes: &[Option<Reduced>],
    pose: &Pose,
    before: &mut [Mat4],
    extremes: &mut Extremes,
) {
    for (index, node) in model.nodes.iter().enumerate() {
        let Some(mesh) = node.mesh.and_then(|mesh| meshes.get(mesh)?.as_ref()) else { continue };
        let Some(world) = pose.world().get(index) else { continue };
        // What has not moved since the moment before is there already; what is flattened to nothing is not drawn.
        if std::mem::replace(&mut before[index], *world) == *world {
            continue;
        }
        if world.determinant() == 0.0
            || extremes.holds(world.transform_point3(mesh.centre), reach(world, mesh))
        {
            continue;
        }
        for point in &mesh.points {
            let at = world.transform_point3(*point);
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
