//! Meshes: attributes and indices to vertices that can be drawn as they are.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};
use glam::Vec3;

use super::accessor::{Accessor, Component};
use super::bounds::Bounds;
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_INDICES, MAX_VERTICES};
use super::material::{Materials, UvSets};
use super::morph::{Delta, Target};
use super::remarks::Remarks;
use super::schema;
use super::skin::{Influence, Influences, PAIRS};
use super::source::{Source, get};
use super::streams::Streams;
use super::{tangent, topology};

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
    fn from_gl(value: u64) -> Option<Self> {
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
        primitives.extend(load_primitive(loader, primitive, &here)?);
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

/// `None`: there is nothing to draw, and a remark says so.
fn load_primitive(
    loader: &mut Loader<'_, '_>,
    json: &schema::Primitive,
    here: &dyn Fn() -> String,
) -> Result<Option<Primitive>, ModelError> {
    let Loader { source, budget, remarks, .. } = loader;
    let mut mode = Mode::from_gl(json.mode.unwrap_or(4))
        .ok_or_else(|| ModelError::invalid(here(), "mode is not one of 0 to 6"))?;
    remarks.add_extensions(&json.extensions);
    // Without a copy that is not packed, all positions would be zero.
    let position = json.attributes.get("POSITION").and_then(|n| usize::try_from(*n).ok());
    let position = position.and_then(|n| source.document.accessors.get(n));
    if let (Some(name), Some(position)) = (json.extensions.packed(), position)
        && position.buffer_view.is_none()
        && position.sparse.is_none()
    {
        return Err(ModelError::Extension { name: name.to_owned() });
    }
    if json.attributes.keys().any(|name| name.starts_with("COLOR_") && name != "COLOR_0") {
        remarks.add("vertex colours beyond COLOR_0");
    }
    if !json.attributes.contains_key("POSITION") {
        remarks.add("primitives without positions");
        return Ok(None);
    }
    let (material, uv) =
        loader.materials.get(source, json.material, budget, remarks, &|| format!("{}.material", here()))?;
    let normal_map = loader.materials.materials[material].normal_texture.filter(|_| mode.is_triangles());

    let attributes = Attributes::new(source, json, uv, normal_map.is_some(), remarks, here)?;
    let mut indices = match json.indices {
        None => None,
        Some(index) => Some(load_indices(source, index, attributes.count(), budget, here)?),
    };
    // An incomplete last point, line or triangle is not drawn (glTF 2.0, section 3.7.2.1).
    let given = indices.as_ref().map_or(attributes.count(), Vec::len);
    let complete = topology::complete(mode, given);
    if complete == 0 {
        remarks.add("primitives with too few vertices");
        return Ok(None);
    }
    if let Some(indices) = &mut indices {
        indices.truncate(complete);
    }
    let range = match &mut indices {
        None => 0..complete,
        Some(indices) => topology::rebase(indices),
    };
    let mut streams = attributes.read(range, budget, here)?;
    let lit = attributes.normal.is_some() || mode.is_triangles();
    if attributes.normal.is_none() && mode.is_triangles() {
        let corners = topology::corners(mode, complete, indices.as_deref());
        streams = streams.gathered(&corners, budget)?;
        topology::flatten(&mut streams.vertices);
        (indices, mode) = (None, Mode::Triangles);
    }
    if let Some(map) = normal_map
        && streams.tangents.is_none()
    {
        let corners = topology::corners(mode, streams.vertices.len(), indices.as_deref());
        match tangent::generated(&streams.vertices, &corners, map.uv, map.transform) {
            None => log::debug!("{}: its tangents are left to the shader", here()),
            Some(tangents) => {
                let (sources, kept, welded) = tangent::welded(&corners, &tangents);
                budget.indices.take(welded.len() as u64)?;
                streams = streams.gathered(&sources, budget)?;
                streams.set_tangents(kept, budget)?;
                (indices, mode) = (Some(welded), Mode::Triangles);
            }
        }
    }
    // `complete` left at least one vertex.
    let Some(bounds) = streams.bounds() else { return Ok(None) };
    if !bounds.within(MAX_EXTENT) {
        return Err(ModelError::invalid(
            here(),
            format!("a position is farther than {MAX_EXTENT:e} from the origin"),
        ));
    }
    let joint_bounds = streams.joint_bounds();
    let Streams { vertices, tangents, influences, targets } = streams;
    Ok(Some(Primitive {
        mode,
        vertices,
        indices,
        material,
        lit,
        bounds,
        tangents,
        influences,
        targets,
        joint_bounds,
    }))
}

/// The indices, each checked against the count of vertices.
fn load_indices(
    source: &Source<'_>,
    index: u64,
    vertex_count: usize,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<Vec<u32>, ModelError> {
    let here = || format!("{}.indices", here());
    let accessor = Accessor::new(source, index, MAX_INDICES, &here)?;
    let unsigned = matches!(accessor.component, Component::U8 | Component::U16 | Component::U32);
    if accessor.width != 1 || !unsigned || accessor.normalized {
        return Err(ModelError::invalid(here(), "are not scalar unsigned integers"));
    }
    budget.indices.take(accessor.count() as u64)?;
    let mut indices = Vec::with_capacity(accessor.count());
    for i in 0..accessor.count() {
        let value = accessor.unsigned(i);
        if value as usize >= vertex_count {
            return Err(ModelError::invalid(
                here(),
                format!("index {i} is {value}, there are {vertex_count} vertices"),
            ));
        }
        indices.push(value);
    }
    Ok(indices)
}

/// The accessors of one primitive, all of the same count.
struct Attributes<'a> {
    position: Accessor<'a>,
    normal: Option<Accessor<'a>>,
    uv: [Option<Accessor<'a>>; 2],
    color: Option<Accessor<'a>>,
    tangent: Option<Accessor<'a>>,
    influences: Influences<'a>,
    targets: Vec<Target<'a>>,
}

impl<'a> Attributes<'a> {
    fn new(
        source: &'a Source<'_>,
        json: &schema::Primitive,
        uv: UvSets,
        tangents: bool,
        remarks: &mut Remarks,
        here: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        let map: &BTreeMap<String, u64> = &json.attributes;
        let open = |name: &str, widths: &[usize]| -> Result<Option<Accessor<'a>>, ModelError> {
            let Some(&index) = map.get(name) else { return Ok(None) };
            let here = || format!("{}.attributes.{name}", here());
            let accessor = Accessor::new(source, index, MAX_VERTICES, &here)?;
            if !widths.contains(&accessor.width) || accessor.component == Component::U32 {
                return Err(ModelError::invalid(here(), "has the wrong type for this attribute"));
            }
            Ok(Some(accessor))
        };
        let position =
            open("POSITION", &[3])?.ok_or_else(|| ModelError::invalid(here(), "has no positions"))?;
        let normal = open("NORMAL", &[3])?;
        let color = open("COLOR_0", &[3, 4])?;
        // Without normals the file's tangents are to be ignored as well (section 3.7.2.1).
        let tangent = if tangents && normal.is_some() { open("TANGENT", &[4])? } else { None };
        let mut coordinates = [None, None];
        for (slot, set) in coordinates.iter_mut().zip(uv) {
            let Some(set) = set else { continue };
            *slot = open(&format!("TEXCOORD_{set}"), &[2])?;
            if slot.is_none() {
                remarks.add("textures on primitives without their texture coordinates");
            }
        }
        let mut pairs = Vec::new();
        for pair in 0..PAIRS {
            if let (Some(joints), Some(weights)) =
                (open(&format!("JOINTS_{pair}"), &[4])?, open(&format!("WEIGHTS_{pair}"), &[4])?)
            {
                pairs.push((joints, weights));
            }
        }
        if pairs.len() > 1 {
            remarks.add("influences of joints after the four strongest");
        }
        let influences = Influences::new(pairs, here)?;
        let count = position.count();
        let others = [normal.as_ref(), coordinates[0].as_ref(), coordinates[1].as_ref()];
        let others = others.into_iter().chain([color.as_ref(), tangent.as_ref()]).flatten();
        if others.map(Accessor::count).chain(influences.counts()).any(|other| other != count) {
            return Err(ModelError::invalid(here(), "its attributes differ in count"));
        }
        let targets =
            json.targets.iter().enumerate().map(|(i, map)| {
                Target::new(source, map, count, remarks, &|| format!("{}.targets[{i}]", here()))
            });
        let targets = targets.collect::<Result<_, _>>()?;
        Ok(Self { position, normal, uv: coordinates, color, tangent, influences, targets })
    }

    fn count(&self) -> usize {
        self.position.count()
    }

    /// Reads the vertices of `range` with all that belongs to them.
    fn read(
        &self,
        range: std::ops::Range<usize>,
        budget: &mut Budget,
        here: &dyn Fn() -> String,
    ) -> Result<Streams, ModelError> {
        let (tangents, influences) = (self.tangent.is_some(), !self.influences.is_empty());
        let mut streams = Streams::new(range.len(), tangents, influences, self.targets.len(), budget)?;
        for i in range {
            let vertex = self.vertex(i)?;
            streams.vertices.push(vertex);
            if let (Some(tangents), Some(accessor)) = (&mut streams.tangents, &self.tangent) {
                let [x, y, z, w] = accessor.floats(i)?;
                let normal = Vec3::from(vertex.normal);
                let direction = Vec3::new(x, y, z).try_normalize();
                let direction = direction.unwrap_or_else(|| normal.any_orthonormal_vector());
                tangents.push(direction.extend(if w < 0.0 { -1.0 } else { 1.0 }).into());
            }
            if let Some(influences) = &mut streams.influences {
                influences.push(self.influences.read(i, here)?);
            }
            for (deltas, target) in streams.targets.iter_mut().zip(&self.targets) {
                deltas.push(target.read(i, self.normal.is_some(), here)?);
            }
        }
        Ok(streams)
    }

    fn vertex(&self, i: usize) -> Result<Vertex, ModelError> {
        let [x, y, z, _] = self.position.floats(i)?;
        let normal = match &self.normal {
            None => Vec3::ZERO,
            Some(normal) => {
                let [x, y, z, _] = normal.floats(i)?;
                // A normal of no length says nothing; any direction is as good, and shaders may divide by it.
                Vec3::new(x, y, z).try_normalize().unwrap_or(Vec3::Y)
            }
        };
        let uv = |set: usize| -> Result<[f32; 2], ModelError> {
            let Some(accessor) = &self.uv[set] else { return Ok([0.0; 2]) };
            let [u, v, ..] = accessor.floats(i)?;
            Ok([u, v])
        };
        let color = match &self.color {
            None => [1.0; 4],
            Some(accessor) => {
                let [r, g, b, a] = accessor.floats(i)?;
                [r, g, b, if accessor.width == 4 { a } else { 1.0 }]
            }
        };
        Ok(Vertex { position: [x, y, z], normal: normal.into(), uv0: uv(0)?, uv1: uv(1)?, color })
    }
}
