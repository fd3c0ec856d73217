//! How vertices join to primitives: counting, rebasing, and unrolling strips and fans for flat shading.

use std::ops::Range;

use glam::Vec3;

use super::mesh::{Mode, Vertex};

/// How many of `count` vertices belong to complete primitives.
pub(super) fn complete(mode: Mode, count: usize) -> usize {
    let (least, multiple) = match mode {
        Mode::Points => (1, 1),
        Mode::Lines => (2, 2),
        Mode::LineLoop | Mode::LineStrip => (2, 1),
        Mode::Triangles => (3, 3),
        Mode::TriangleStrip | Mode::TriangleFan => (3, 1),
    };
    if count < least { 0 } else { count - count % multiple }
}

/// How many corners the triangles have that `count` vertices (at least three) join to.
pub(super) fn corner_count(mode: Mode, count: usize) -> usize {
    match mode {
        Mode::TriangleStrip | Mode::TriangleFan => (count - 2) * 3,
        _ => count,
    }
}

/// Makes the least index 0 and returns the range of vertices that are in use: many exporters let the primitives of
/// a file share one large pool of vertices, of which each uses a part.
pub(super) fn rebase(indices: &mut [u32]) -> Range<usize> {
    let least = indices.iter().copied().min().unwrap_or(0);
    let most = indices.iter().copied().max().unwrap_or(0);
    for index in indices {
        *index -= least;
    }
    least as usize..most as usize + 1
}

/// The corners of the triangles that `count` vertices or `indices` join to, three each, in the specification's order,
/// which keeps the winding.
pub(super) fn corners(mode: Mode, count: usize, indices: Option<&[u32]>) -> Vec<u32> {
    let count = indices.map_or(count, <[u32]>::len);
    let corner = |i: usize| indices.map_or(i as u32, |indices| indices[i]);
    let corners = corner_count(mode, count);
    let mut out = Vec::with_capacity(corners);
    for triangle in 0..corners / 3 {
        out.extend(
            match mode {
                Mode::TriangleStrip if triangle % 2 == 1 => [triangle, triangle + 2, triangle + 1],
                Mode::TriangleStrip => [triangle, triangle + 1, triangle + 2],
                Mode::TriangleFan => [triangle + 1, triangle + 2, 0],
                _ => [triangle * 3, triangle * 3 + 1, triangle * 3 + 2],
            }
            .map(corner),
        );
    }
    out
}

/// Gives each three vertices the normal of their plane: what glTF demands of primitives without normals
/// (section 3.7.2.1).
pub(super) fn flatten(vertices: &mut [Vertex]) {
    for triangle in vertices.chunks_exact_mut(3) {
        let [a, b, c] = [0, 1, 2].map(|i: usize| Vec3::from(triangle[i].position));
        // Lengths first: the product of two tiny or huge edges would leave the range of f32.
        let [p, q] = [b - a, c - a].map(Vec3::normalize_or_zero);
        let normal = p.cross(q).try_normalize().unwrap_or(Vec3::Y);
        for vertex in triangle {
            vertex.normal = normal.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_table() {
        use Mode::{LineLoop, LineStrip, Lines, Points, TriangleFan, TriangleStrip, Triangles};
        for (mode, counts) in [
            (Points, [0, 1, 2, 3, 4, 5]),
            (Lines, [0, 0, 2, 2, 4, 4]),
            (LineLoop, [0, 0, 2, 3, 4, 5]),
            (LineStrip, [0, 0, 2, 3, 4, 5]),
            (Triangles, [0, 0, 0, 3, 3, 3]),
            (TriangleStrip, [0, 0, 0, 3, 4, 5]),
            (TriangleFan, [0, 0, 0, 3, 4, 5]),
        ] {
            for (given, expected) in counts.into_iter().enumerate() {
                assert_eq!(complete(mode, given), expected, "{mode:?} {given}");
            }
        }
    }

    #[test]
    fn rebase_moves_the_range_to_zero() {
        let mut indices = [9, 7, 8, 7];
        assert_eq!(rebase(&mut indices), 7..10);
        assert_eq!(indices, [2, 0, 1, 0]);
        assert_eq!(rebase(&mut [u32::MAX]), u32::MAX as usize..u32::MAX as usize + 1);
    }

    fn flat_shaded(mode: Mode, vertices: &[Vertex], indices: Option<&[u32]>) -> Vec<Vertex> {
        let corners = corners(mode, vertices.len(), indices);
        let mut out: Vec<Vertex> = corners.iter().map(|&i| vertices[i as usize]).collect();
        flatten(&mut out);
        out
    }

    #[test]
    fn flat_shaded_strip_and_fan_keep_the_winding() {
        let vertex = |x: f32, y: f32| Vertex {
            position: [x, y, 0.0],
            normal: [0.0; 3],
            uv0: [0.0; 2],
            uv1: [0.0; 2],
            color: [1.0; 4],
        };
        // Counter-clockwise seen from +z, in the order each mode wants.
        let strip = [vertex(0.0, 0.0), vertex(1.0, 0.0), vertex(0.0, 1.0), vertex(1.0, 1.0)];
        let fan = [vertex(0.0, 0.0), vertex(1.0, 0.0), vertex(1.0, 1.0), vertex(0.0, 1.0)];
        for (mode, vertices) in [(Mode::TriangleStrip, strip), (Mode::TriangleFan, fan)] {
            for indices in [None, Some(&[0, 1, 2, 3][..])] {
                let flat = flat_shaded(mode, &vertices, indices);
                assert_eq!(flat.len(), 6);
                assert!(flat.iter().all(|v| v.normal[2] > 0.999), "{mode:?}");
            }
        }
    }

    #[test]
    fn flat_shaded_degenerate_and_tiny_triangles_have_unit_normals() {
        for scale in [0.0_f32, 1.0e-30, 1.0, 1.0e14] {
            let v = [[0.0, 0.0], [scale, 0.0], [0.0, scale]].map(|[x, y]| Vertex {
                position: [x, y, 0.0],
                normal: [0.0; 3],
                uv0: [0.0; 2],
                uv1: [0.0; 2],
                color: [1.0; 4],
            });
            for v in flat_shaded(Mode::Triangles, &v, None) {
                assert!((Vec3::from(v.normal).length() - 1.0).abs() < 1.0e-5, "{scale}");
            }
        }
    }
}
