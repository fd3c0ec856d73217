//! Tangents where a normal map needs them and the file has none, as the tools that bake such maps make them.

use std::collections::HashMap;

use bevy_mikktspace::{Geometry, TangentSpace, generate_tangents};
use glam::{Affine2, Vec2, Vec3};

use super::limits::{MAX_TANGENT_CORNERS, MAX_TANGENT_WORK};
use super::mesh::Vertex;

/// The tangents of corners: three to a triangle.
struct Corners<'a> {
    vertices: &'a [Vertex],
    corners: &'a [u32],
    uv: usize,
    transform: Affine2,
    /// Where the vertices are moved and by how much they are scaled: products of lengths stay in range.
    middle: Vec3,
    scale: f32,
    tangents: Vec<[f32; 4]>,
}

impl Corners<'_> {
    fn vertex(&self, face: usize, corner: usize) -> &Vertex {
        &self.vertices[self.corners[face * 3 + corner] as usize]
    }

    fn key(&self, corner: usize) -> [u32; 8] {
        let (face, corner) = (corner / 3, corner % 3);
        let [x, y, z] = self.position(face, corner);
        let [a, b, c] = self.normal(face, corner);
        let [u, v] = self.tex_coord(face, corner);
        // Adding zero takes the sign off a zero, which compares equal to one with it.
        [x, y, z, a, b, c, u, v].map(|v| (v + 0.0).to_bits())
    }
}

impl Geometry for Corners<'_> {
    fn num_faces(&self) -> usize {
        self.corners.len() / 3
    }

    fn num_vertices_of_face(&self, _: usize) -> usize {
        3
    }

    fn position(&self, face: usize, corner: usize) -> [f32; 3] {
        ((Vec3::from(self.vertex(face, corner).position) - self.middle) * self.scale).into()
    }

    fn normal(&self, face: usize, corner: usize) -> [f32; 3] {
        self.vertex(face, corner).normal
    }

    fn tex_coord(&self, face: usize, corner: usize) -> [f32; 2] {
        let moved = self.transform.transform_point2(Vec2::from(self.vertex(face, corner).uv(self.uv)));
        // What is beyond a float's precision has no direction.
        if moved.abs().max_element() < 1.0e6 { [moved.x, 1.0 - moved.y] } else { [0.0; 2] }
    }

    fn set_tangent(&mut self, tangent: Option<TangentSpace>, face: usize, corner: usize) {
        let Some(tangent) = tangent else { return };
        let [x, y, z, sign] = tangent.tangent_encoded();
        if let Some(direction) = Vec3::new(x, y, z).try_normalize() {
            let sign = if sign < 0.0 { -1.0 } else { 1.0 };
            self.tangents[face * 3 + corner] = direction.extend(sign).into();
        }
    }
}

/// For each of `corners` (three to a triangle, indices into `vertices`) a unit tangent with the sign of the bitangent
/// in `w`. `uv` and `transform` are those of the normal map. `None` where it would take too long: shaders can do
/// without.
pub(super) fn generated(
    vertices: &[Vertex],
    corners: &[u32],
    uv: usize,
    transform: Affine2,
) -> Option<Vec<[f32; 4]>> {
    if corners.len() > MAX_TANGENT_CORNERS {
        return None;
    }
    let used = || corners.iter().map(|&i| Vec3::from(vertices[i as usize].position));
    let bounds = super::Bounds::of_points(used())?;
    let radius = bounds.radius().max(f32::MIN_POSITIVE);
    // A corner on which nothing decides has some direction across its normal.
    let tangents = corners
        .iter()
        .map(|&i| Vec3::from(vertices[i as usize].normal).any_orthonormal_vector().extend(1.0).into())
        .collect();
    let scale = (1.0 / radius).min(1.0e30);
    let mut geometry = Corners { vertices, corners, uv, transform, middle: bounds.center(), scale, tangents };
    let mut meeting: HashMap<[u32; 8], u64> = HashMap::new();
    for corner in 0..corners.len() {
        *meeting.entry(geometry.key(corner)).or_default() += 1;
    }
    let work = meeting.values().try_fold(0_u64, |sum, n| sum.checked_add(n * n));
    if work.is_none_or(|work| work > MAX_TANGENT_WORK) {
        return None;
    }
    // An error is a mesh without triangles, whose tangents do not matter.
    let _ = generate_tangents(&mut geometry);
    Some(geometry.tangents)
}

/// Vertices of which several corners differ in their tangents are doubled. Returns for each new vertex the old one and
/// its tangent, and the new index of each corner.
pub(super) fn welded(corners: &[u32], tangents: &[[f32; 4]]) -> (Vec<u32>, Vec<[f32; 4]>, Vec<u32>) {
    let mut known: HashMap<(u32, [u32; 4]), u32> = HashMap::with_capacity(corners.len());
    let (mut sources, mut kept, mut indices) = (Vec::new(), Vec::new(), Vec::with_capacity(corners.len()));
    for (&corner, tangent) in corners.iter().zip(tangents) {
        let index = *known.entry((corner, tangent.map(f32::to_bits))).or_insert_with(|| {
            sources.push(corner);
            kept.push(*tangent);
            sources.len() as u32 - 1
        });
        indices.push(index);
    }
    (sources, kept, indices)
}
