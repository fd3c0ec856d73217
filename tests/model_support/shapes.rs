//! Shapes for the models of the tests, and files put together from them.

use super::File;

pub type V3 = [f32; 3];

/// Triangles with normals and texture coordinates.
#[derive(Clone, Default)]
pub struct Shape {
    pub positions: Vec<V3>,
    pub normals: Vec<V3>,
    pub uvs: Vec<[f32; 2]>,
    pub indices: Vec<u16>,
}

impl Shape {
    /// A surface over a grid of (u, v) from 0 to 1, v downwards.
    pub fn grid(columns: u16, rows: u16, at: impl Fn(f32, f32) -> (V3, V3)) -> Self {
        let mut out = Self::default();
        for row in 0..=rows {
            for column in 0..=columns {
                let (u, v) = (f32::from(column) / f32::from(columns), f32::from(row) / f32::from(rows));
                let (position, normal) = at(u, v);
                out.positions.push(position);
                out.normals.push(normal);
                out.uvs.push([u, v]);
            }
        }
        for row in 0..rows {
            for column in 0..columns {
                let a = row * (columns + 1) + column;
                let b = a + columns + 1;
                out.indices.extend([a, b, b + 1, a, b + 1, a + 1]);
            }
        }
        out
    }

    pub fn sphere(radius: f32, segments: u16) -> Self {
        Self::grid(segments, segments / 2, |u, v| {
            let (sin, cos) = (u * std::f32::consts::TAU).sin_cos();
            let (ring, height) = (v * std::f32::consts::PI).sin_cos();
            let n = [ring * sin, height, ring * cos];
            (n.map(|c| c * radius), n)
        })
    }

    /// A square of this half width lying at height 0.
    pub fn floor(half: f32) -> Self {
        Self::grid(1, 1, |u, v| ([(u * 2.0 - 1.0) * half, 0.0, (v * 2.0 - 1.0) * half], [0.0, 1.0, 0.0]))
    }

    /// A square of this half width standing up, seen from +z.
    pub fn wall(half: f32) -> Self {
        Self::grid(1, 1, |u, v| ([(u * 2.0 - 1.0) * half, (1.0 - v * 2.0) * half, 0.0], [0.0, 0.0, 1.0]))
    }

    /// A tube about the vertical, open at both ends.
    pub fn tube(radius: f32, height: f32, segments: u16, rows: u16) -> Self {
        Self::grid(segments, rows, |u, v| {
            let (sin, cos) = (u * std::f32::consts::TAU).sin_cos();
            ([radius * sin, height * (1.0 - v), radius * cos], [sin, 0.0, cos])
        })
    }

    /// A box of these half sides about the origin.
    pub fn cuboid(half: V3) -> Self {
        let mut out = Self::default();
        for axis in 0..3 {
            for sign in [1.0, -1.0] {
                let (right, up) = ((axis + 1) % 3, (axis + 2) % 3);
                let face = Self::grid(1, 1, |u, v| {
                    let mut p = [0.0; 3];
                    p[axis] = sign * half[axis];
                    p[right] = (u * 2.0 - 1.0) * sign * half[right];
                    p[up] = (1.0 - v * 2.0) * half[up];
                    let mut n = [0.0; 3];
                    n[axis] = sign;
                    (p, n)
                });
                out.add(&face);
            }
        }
        out
    }

    pub fn add(&mut self, other: &Self) {
        let first = self.positions.len() as u16;
        self.positions.extend(&other.positions);
        self.normals.extend(&other.normals);
        self.uvs.extend(&other.uvs);
        self.indices.extend(other.indices.iter().map(|i| i + first));
    }

    /// The attributes and indices of a primitive, as JSON that further attributes can be added to.
    pub fn write(&self, file: &mut File, more: &str) -> String {
        let flat = |list: &[V3]| list.iter().flatten().copied().collect::<Vec<f32>>();
        let position = file.floats("VEC3", &flat(&self.positions));
        let normal = file.floats("VEC3", &flat(&self.normals));
        let uv = file.floats("VEC2", &self.uvs.iter().flatten().copied().collect::<Vec<f32>>());
        let indices: Vec<u8> = self.indices.iter().flat_map(|i| i.to_le_bytes()).collect();
        let indices = file.accessor(&indices, 5123, "SCALAR", "");
        format!(
            r#""indices":{indices},"attributes":{{"POSITION":{position},"NORMAL":{normal},"TEXCOORD_0":{uv}{more}}}"#
        )
    }

    /// A mesh of this shape with a material.
    pub fn mesh(&self, file: &mut File, material: usize) -> usize {
        let primitive = self.write(file, "");
        file.mesh(&format!(r#"{primitive},"material":{material}"#))
    }
}
