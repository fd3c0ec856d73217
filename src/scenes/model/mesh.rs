//! Meshes: what the primitives of one have in common.

use bytemuck::{Pod, Zeroable};

use super::bounds::Bounds;
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT};
use super::material::Materials;
use super::morph::Delta;
use super::primitive;
use super::remarks::Remarks;
use super::skin::Influence;
use super::source::{Source, get};

/// One vertex, laid out for a vertex buffer: 56 bytes, tightly packed.
#[derive(Copy, Clone, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Vertex {
    /// In the mesh's space (glTF: metres, y up, z to the viewer). Finite.
    pub position: [f32; 3],
    /// Unit length; all zero in primitives without normals (see [`Primitive::lit`]).
    pub normal: [f32; 3],
    /// The texture coordinates that the material's textures call 0; (0, 0) is the upper left.
    pub uv0: [f32; 2],
    /// Those that they call 1.
    pub uv1: [f32; 2],
    /// Linear red, green, blue, and alpha; white where the file has no colours. Floats because files may have
    /// colours beyond 1 and 16-bit ones.
    pub color: [f32; 4],
}

impl Vertex {
    /// The texture coordinates of that number.
    pub(super) fn uv(&self, number: usize) -> [f32; 2] {
        if number == 0 { self.uv0 } else { self.uv1 }
    }
}

/// How the vertices of a primitive are joined; the names are OpenGL's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `GL_POINTS`
    Points,
    /// `GL_LINES`
    Lines,
    /// `GL_LINE_LOOP`
    LineLoop,
    /// `GL_LINE_STRIP`
    LineStrip,
    /// `GL_TRIANGLES`
    Triangles,
    /// `GL_TRIANGLE_STRIP`
    TriangleStrip,
    /// `GL_TRIANGLE_FAN`
    TriangleFan,
}

/// What one draw call draws.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Primitive {
    /// How vertices are joined. Triangle strips and fans whose normals had to be computed come as triangles.
    pub mode: Mode,
    /// At least one.
    pub vertices: Vec<Vertex>,
    /// Each less than `vertices.len()`; at least as many as the mode needs. `None`: the vertices in their order.
    pub indices: Option<Vec<u32>>,
    /// Index into [`Model::materials`](super::Model::materials).
    pub material: usize,
    /// Whether the vertices have normals. Points and lines without them have no shading: draw them unlit.
    pub lit: bool,
    /// Of the vertices, in the mesh's space, at rest and with each morph target fully there.
    pub bounds: Bounds,
    /// One per vertex, where the material has a normal map: a unit vector along which its u grows, and in `w` the sign
    /// of the bitangent, `w * cross(normal, tangent)`. `None` with a normal map: they are the shader's to work out.
    pub tangents: Option<Vec<[f32; 4]>>,
    /// One per vertex, where a skin bends the primitive.
    pub influences: Option<Vec<Influence>>,
    /// For each morph target one per vertex.
    pub targets: Vec<Vec<Delta>>,
    /// For each joint that some vertex follows, the box around those that do.
    pub(super) joint_bounds: Vec<(u16, Bounds)>,
}

/// A mesh: drawn once for each node that refers to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mesh {
    /// The file's name for it.
    pub name: Option<String>,
    /// May be empty, when nothing of the mesh can be drawn.
    pub primitives: Vec<Primitive>,
    /// Of all primitives, in the mesh's space; `None` without any.
    pub bounds: Option<Bounds>,
    /// The weights of the morph targets of all primitives at rest.
    pub weights: Vec<f32>,
}

impl Mesh {
    /// Whether a skin can bend it: a node's skin does nothing to a mesh that says nothing of joints.
    #[must_use]
    pub fn is_skinned(&self) -> bool {
        self.primitives.iter().any(|p| p.influences.is_some())
    }

    /// How many joints its primitives follow, each counted by itself.
    pub(super) fn followed(&self) -> usize {
        self.primitives.iter().map(|p| p.joint_bounds.len()).sum()
    }
}

impl Mode {
    /// The mode of glTF's (and OpenGL's) number.
    pub(super) fn from_gl(value: u64) -> Option<Self> {
        Some(match value {
            0 => Self::Points,
            1 => Self::Lines,
            2 => Self::LineLoop,
            3 => Self::LineStrip,
            4 => Self::Triangles,
            5 => Self::TriangleStrip,
            6 => Self::TriangleFan,
            _ => return None,
        })
    }

    /// Whether surfaces are drawn, not points or lines.
    #[must_use]
    pub fn is_triangles(self) -> bool {
        matches!(self, Self::Triangles | Self::TriangleStrip | Self::TriangleFan)
    }
}

/// What loading a mesh needs beside the mesh.
pub(super) struct Loader<'l, 's> {
    pub(super) source: &'l Source<'s>,
    pub(super) materials: &'l mut Materials,
    pub(super) budget: &'l mut Budget,
    pub(super) remarks: &'l mut Remarks,
}

/// Reads `meshes[index]`; `place` names who asks.
pub(super) fn load(
    loader: &mut Loader<'_, '_>,
    index: u64,
    place: &dyn Fn() -> String,
) -> Result<Mesh, ModelError> {
    let source = loader.source;
    let json = get(&source.document.meshes, index, "meshes", place)?;
    let mut primitives = Vec::with_capacity(json.primitives.len());
    for (i, primitive) in json.primitives.iter().enumerate() {
        let here = || format!("meshes[{index}].primitives[{i}]");
        primitives.extend(primitive::load(loader, primitive, &here)?);
    }
    let bounds = primitives.iter().map(|p: &Primitive| p.bounds).reduce(Bounds::union);
    let targets = json.primitives.iter().map(|p| p.targets.len()).max().unwrap_or(0);
    if json.primitives.iter().any(|p| p.targets.len() != targets) {
        return Err(ModelError::invalid(
            format!("meshes[{index}]"),
            "its primitives differ in their morph targets",
        ));
    }
    let place = || format!("meshes[{index}].weights");
    let weights = match &json.weights {
        None => vec![0.0; targets],
        Some(weights) => checked_weights(weights, targets, &place)?,
    };
    Ok(Mesh { name: json.name.clone(), primitives, bounds, weights })
}

/// The weights of as many morph targets, all of them numbers that can be worked with.
pub(super) fn checked_weights(
    weights: &[f32],
    targets: usize,
    place: &dyn Fn() -> String,
) -> Result<Vec<f32>, ModelError> {
    if weights.len() != targets {
        return Err(ModelError::invalid(
            place(),
            format!("are {}, there are {targets} morph targets", weights.len()),
        ));
    }
    // NaN compares false.
    if !weights.iter().all(|w| w.abs() <= MAX_EXTENT) {
        return Err(ModelError::invalid(place(), "are not finite or too large"));
    }
    Ok(weights.to_vec())
}
