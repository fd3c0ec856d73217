//! Primitives in the GPU's memory, and what morphs them.

use crate::error::Result;
use crate::gl::{Buffer, Gl, Mesh, Primitive, TextureBuffer, Usage};
use crate::scenes::model::{Influence, Mode, Model, Primitive as ModelPrimitive, Vertex};
use crate::vertex_layout;

use super::variant::Flags;

vertex_layout!(Vertex { position, normal, uv0, uv1, color });

/// A tangent by itself, as a vertex attribute.
#[derive(Copy, Clone, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Tangent {
    tangent: [f32; 4],
}
vertex_layout!(Tangent, from 5 { tangent });
vertex_layout!(Influence, from 6 { joints, weights });

/// Where the entries of a primitive's morph targets are among all.
#[derive(Copy, Clone, Debug)]
pub(super) struct Morph {
    pub(super) first: i32,
    pub(super) vertices: i32,
}

#[derive(Debug)]
pub(super) struct GpuPrimitive {
    pub(super) mesh: Mesh,
    pub(super) material: usize,
    /// It has faces, of which those that look away may be left out.
    pub(super) surface: bool,
    pub(super) morph: Option<Morph>,
    /// What of the flags follows from the geometry alone.
    pub(super) flags: Flags,
}

#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) primitives: Vec<GpuPrimitive>,
    /// For each mesh of the model where its primitives begin.
    pub(super) first: Vec<usize>,
    deltas: Option<TextureBuffer>,
}

impl Geometry {
    pub(super) fn new(gl: &Gl, model: &Model) -> Result<Self> {
        let limit = TextureBuffer::limit(gl).min(i32::MAX as usize);
        let (mut primitives, mut first) = (Vec::new(), Vec::with_capacity(model.meshes.len()));
        let mut deltas: Vec<[f32; 4]> = Vec::new();
        let mut left_out = 0;
        for mesh in &model.meshes {
            first.push(primitives.len());
            for primitive in &mesh.primitives {
                let texels = entry(primitive) * primitive.targets.len() * primitive.vertices.len();
                let morph = if texels == 0 {
                    None
                } else if deltas.len() + texels > limit {
                    left_out += 1;
                    None
                } else {
                    let first = deltas.len() as i32;
                    append(primitive, &mut deltas);
                    Some(Morph { first, vertices: primitive.vertices.len() as i32 })
                };
                primitives.push(GpuPrimitive::new(gl, primitive, morph)?);
            }
        }
        if left_out > 0 {
            log::warn!("morph targets of {left_out} primitives are beyond the driver's {limit} texels");
        }
        let deltas = (!deltas.is_empty()).then(|| TextureBuffer::new(gl, &deltas, Usage::Static));
        Ok(Self { primitives, first, deltas: deltas.transpose()? })
    }

    /// Binds what the morph targets add to a texture unit, where there is any.
    pub(super) fn bind_deltas(&self, unit: u32) {
        if let Some(deltas) = &self.deltas {
            deltas.bind(unit);
        }
    }
}

impl GpuPrimitive {
    fn new(gl: &Gl, p: &ModelPrimitive, morph: Option<Morph>) -> Result<Self> {
        let mode = mode(p.mode);
        let mut mesh = match &p.indices {
            Some(indices) => Mesh::indexed(gl, mode, &p.vertices, indices)?,
            None => Mesh::new(gl, mode, &p.vertices)?,
        };
        let mut flags = Flags::UNLIT.when(!p.lit) | Flags::MORPH.when(morph.is_some());
        if let Some(tangents) = &p.tangents {
            let tangents: &[Tangent] = bytemuck::cast_slice(tangents);
            mesh.attach_vertices(Buffer::vertices(gl, tangents, Usage::Static)?)?;
            flags |= Flags::TANGENT;
        }
        if let Some(influences) = &p.influences {
            mesh.attach_vertices(Buffer::vertices(gl, influences, Usage::Static)?)?;
            flags |= Flags::SKIN;
        }
        Ok(Self { mesh, material: p.material, surface: p.mode.is_triangles(), morph, flags })
    }
}

/// Texels that a target has for each vertex; the vertex shader reads as many.
fn entry(primitive: &ModelPrimitive) -> usize {
    if primitive.tangents.is_some() { 3 } else { 2 }
}

fn append(primitive: &ModelPrimitive, out: &mut Vec<[f32; 4]>) {
    let texel = |[x, y, z]: [f32; 3]| [x, y, z, 0.0];
    for delta in primitive.targets.iter().flatten() {
        out.extend([texel(delta.position), texel(delta.normal)]);
        if primitive.tangents.is_some() {
            out.push(texel(delta.tangent));
        }
    }
}

const fn mode(mode: Mode) -> Primitive {
    match mode {
        Mode::Points => Primitive::Points,
        Mode::Lines => Primitive::Lines,
        Mode::LineLoop => Primitive::LineLoop,
        Mode::LineStrip => Primitive::LineStrip,
        Mode::Triangles => Primitive::Triangles,
        Mode::TriangleStrip => Primitive::TriangleStrip,
        Mode::TriangleFan => Primitive::TriangleFan,
    }
}
