//! Shapes with smooth normals where they are round and creases where they are not.

use super::maths::{cos, sin};

/// A vector.
pub type V3 = [f64; 3];

/// Triangles with all the attributes that the model uses.
#[derive(Clone, Default)]
pub struct Geometry {
    pub positions: Vec<V3>,
    pub normals: Vec<V3>,
    pub uvs: Vec<[f64; 2]>,
    /// Empty: no colours.
    pub colors: Vec<V3>,
    pub indices: Vec<u32>,
}

/// Neighbouring faces of a lathe that meet more bluntly than this cosine share their normals.
const CREASE: f64 = 0.8;

impl Geometry {
    fn vertex(&mut self, position: V3, normal: V3, uv: [f64; 2]) -> u32 {
        self.positions.push(position);
        self.normals.push(normalized(normal));
        self.uvs.push(uv);
        self.positions.len() as u32 - 1
    }

    /// A unit sphere.
    pub fn sphere(segments: u32, rings: u32) -> Self {
        let mut out = Self::default();
        for ring in 0..=rings {
            let v = f64::from(ring) / f64::from(rings);
            for segment in 0..=segments {
                let u = f64::from(segment) / f64::from(segments);
                let p = [sin(v / 2.0) * cos(u), cos(v / 2.0), -sin(v / 2.0) * sin(u)];
                out.vertex(p, p, [u, v]);
            }
        }
        let row = segments + 1;
        for ring in 0..rings {
            for segment in 0..segments {
                let a = ring * row + segment;
                // At the poles one side of the quad has no length.
                if ring + 1 < rings {
                    out.indices.extend([a, a + row, a + row + 1]);
                }
                if ring > 0 {
                    out.indices.extend([a, a + row + 1, a + 1]);
                }
            }
        }
        out
    }

    /// A profile of (radius, height) turned about the vertical; seen from outside, it runs upwards.
    pub fn lathe(profile: &[(f64, f64)], segments: u32) -> Self {
        let mut out = Self::default();
        let faces: Vec<(f64, f64)> = profile
            .windows(2)
            .map(|w| {
                let (dr, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
                let length = (dr * dr + dy * dy).sqrt();
                (dy / length, -dr / length)
            })
            .collect();
        let smooth = |a: (f64, f64), b: (f64, f64)| a.0 * b.0 + a.1 * b.1 > CREASE;
        for (i, face) in faces.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| faces[i]).filter(|&f| smooth(f, *face));
            let after = faces.get(i + 1).copied().filter(|&f| smooth(f, *face));
            let ends = [(i, before), (i + 1, after)].map(|(at, neighbour)| {
                let n = neighbour.map_or(*face, |f| (face.0 + f.0, face.1 + f.1));
                (profile[at], n, at as f64 / (profile.len() - 1) as f64)
            });
            let first = out.positions.len() as u32;
            for ((r, y), n, v) in ends {
                for segment in 0..=segments {
                    let u = f64::from(segment) / f64::from(segments);
                    let (c, s) = (cos(u), -sin(u));
                    out.vertex([r * c, y, r * s], [n.0 * c, n.1, n.0 * s], [u, v]);
                }
            }
            let row = segments + 1;
            for segment in 0..segments {
                let (a, b) = (first + segment, first + segment + row);
                if profile[i].0 > 0.0 {
                    out.indices.extend([a, a + 1, b + 1]);
                }
                if profile[i + 1].0 > 0.0 {
                    out.indices.extend([a, b + 1, b]);
                }
            }
        }
        out
    }

    /// A flat outline of (x, z), seen from above clockwise in that plane's own sense, raised by `thickness`.
    pub fn plate(outline: &[(f64, f64)], thickness: f64) -> Self {
        let mut out = Self::default();
        let top: Vec<u32> =
            outline.iter().map(|&(x, z)| out.vertex([x, thickness, z], [0.0, 1.0, 0.0], [0.0; 2])).collect();
        for i in 1..outline.len() - 1 {
            out.indices.extend([top[0], top[i + 1], top[i]]);
        }
        let closed = outline.iter().zip(outline.iter().cycle().skip(1));
        for (&a, &b) in closed {
            out.wall(a, b, 0.0, thickness);
        }
        out
    }

    /// A wall from `a` to `b` whose outside is to the left of the way, seen from above with z down.
    fn wall(&mut self, a: (f64, f64), b: (f64, f64), low: f64, high: f64) {
        let normal = [b.1 - a.1, 0.0, -(b.0 - a.0)];
        let [p, q, r, s] = [(a, low), (b, low), (b, high), (a, high)]
            .map(|((x, z), y)| self.vertex([x, y, z], normal, [0.0; 2]));
        self.indices.extend([p, s, r, p, r, q]);
    }

    /// A gear lying flat around the vertical, its middle at height zero.
    pub fn gear(teeth: u32, root: f64, tip: f64, hole: f64, thickness: f64) -> Self {
        let mut out = Self::default();
        let half = thickness / 2.0;
        // Four corners a tooth: up the flank, along the tip, down, along the root. Tooth 0 is centred on +x.
        let corner = |i: u32| {
            let (tooth, part) = (i / 4, i % 4);
            let (offset, radius) = [(-0.27, root), (-0.13, tip), (0.13, tip), (0.27, root)][part as usize];
            let turn = (f64::from(tooth) + offset) / f64::from(teeth);
            (turn, radius)
        };
        let at = |turn: f64, radius: f64| (radius * cos(turn), -radius * sin(turn));
        let count = teeth * 4;
        for (y, up) in [(half, 1.0), (-half, -1.0)] {
            for i in 0..count {
                let ((t0, r0), (t1, r1)) = (corner(i), corner((i + 1) % count));
                let quad = [at(t0, hole), at(t0, r0), at(t1, r1), at(t1, hole)]
                    .map(|(x, z)| out.vertex([x, y, z], [0.0, up, 0.0], [0.0; 2]));
                let [a, b, c, d] = quad;
                out.indices.extend(if up > 0.0 { [a, b, c, a, c, d] } else { [a, c, b, a, d, c] });
            }
        }
        for i in 0..count {
            let ((t0, r0), (t1, r1)) = (corner(i), corner((i + 1) % count));
            out.wall(at(t1, r1), at(t0, r0), -half, half);
            out.wall(at(t0, hole), at(t1, hole), -half, half);
        }
        out
    }

    /// Texture coordinates from above: the square of half-width `radius` fills the texture.
    pub fn planar_uv(mut self, radius: f64) -> Self {
        self.uvs =
            self.positions.iter().map(|p| [0.5 + p[0] / radius / 2.0, 0.5 + p[2] / radius / 2.0]).collect();
        self
    }

    /// Colours (linear, 0 to 1) by position.
    pub fn colored(mut self, color: impl Fn(V3) -> V3) -> Self {
        self.colors = self.positions.iter().map(|&p| color(p)).collect();
        self
    }

    pub fn moved(mut self, by: V3) -> Self {
        for p in &mut self.positions {
            *p = [p[0] + by[0], p[1] + by[1], p[2] + by[2]];
        }
        self
    }

    pub fn scaled(mut self, by: f64) -> Self {
        for p in &mut self.positions {
            *p = p.map(|v| v * by);
        }
        self
    }

    /// Laid down: up becomes +x.
    pub fn lying(mut self) -> Self {
        for v in self.positions.iter_mut().chain(&mut self.normals) {
            *v = [v[1], -v[0], v[2]];
        }
        self
    }

    pub fn joined(mut self, other: &Self) -> Self {
        let first = self.positions.len() as u32;
        self.positions.extend(&other.positions);
        self.normals.extend(&other.normals);
        self.uvs.extend(&other.uvs);
        self.indices.extend(other.indices.iter().map(|i| i + first));
        self
    }
}

fn normalized(v: V3) -> V3 {
    let length = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
    v.map(|c| c / length)
}
