//! Meshes: attributes and indices to vertices that can be drawn as they are.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};
use glam::{Vec2, Vec3};

use super::accessor::{Accessor, Component};
use super::bounds::Bounds;
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_INDICES, MAX_VERTICES};
use super::material::{Materials, UvSource};
use super::remarks::Remarks;
use super::schema;
use super::source::{Source, get};
use super::topology;

/// One vertex, laid out for a vertex buffer: 48 bytes, tightly packed.
#[derive(Copy, Clone, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Vertex {
    /// In the mesh's space (glTF: metres, y up, z to the viewer). Finite.
    pub position: [f32; 3],
    /// Unit length; all zero in primitives without normals (see [`Primitive::lit`]).
    pub normal: [f32; 3],
    /// Texture coordinates of the base colour texture, `KHR_texture_transform` applied; (0, 0) is the upper left.
    pub uv: [f32; 2],
    /// Linear red, green, blue, and alpha; white where the file has no colours. Floats because files may have
    /// colours beyond 1 and 16-bit ones.
    pub color: [f32; 4],
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
    /// Of the vertices, in the mesh's space.
    pub bounds: Bounds,
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
    Ok(Mesh { name: json.name.clone(), primitives, bounds })
}

/// `None`: there is nothing to draw, and a remark says so.
fn load_primitive(
    loader: &mut Loader<'_, '_>,
    json: &schema::Primitive,
    here: &dyn Fn() -> String,
) -> Result<Option<Primitive>, ModelError> {
    let Loader { source, budget, remarks, .. } = loader;
    let mode = Mode::from_gl(json.mode.unwrap_or(4))
        .ok_or_else(|| ModelError::invalid(here(), "mode is not one of 0 to 6"))?;
    remarks.add_extensions(&json.extensions);
    if !json.targets.is_empty() {
        remarks.add("morph targets");
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

    let attributes = Attributes::new(source, &json.attributes, uv, here)?;
    if attributes.uv_missing {
        remarks.add("textures on primitives without their texture coordinates");
    }
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
    let read = range.len() as u64;
    budget.vertices.take(read)?;
    let mut vertices = Vec::with_capacity(range.len());
    for i in range {
        vertices.push(attributes.vertex(i)?);
    }
    let mut mode = mode;
    let lit = attributes.normal.is_some() || mode.is_triangles();
    if attributes.normal.is_none() && mode.is_triangles() {
        let corners = topology::corner_count(mode, complete);
        budget.vertices.take(corners as u64)?;
        vertices = topology::flat_shaded(mode, &vertices, indices.as_deref());
        budget.vertices.give_back(read);
        indices = None;
        mode = Mode::Triangles;
    }
    // `complete` left at least one vertex.
    let Some(bounds) = Bounds::of_points(vertices.iter().map(|v| Vec3::from(v.position))) else {
        return Ok(None);
    };
    if !bounds.within(MAX_EXTENT) {
        return Err(ModelError::invalid(
            here(),
            format!("a position is farther than {MAX_EXTENT:e} from the origin"),
        ));
    }
    Ok(Some(Primitive { mode, vertices, indices, material, lit, bounds }))
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
    uv: Option<(Accessor<'a>, UvSource)>,
    color: Option<Accessor<'a>>,
    /// The material has a texture, but the primitive lacks its coordinates.
    uv_missing: bool,
}

impl<'a> Attributes<'a> {
    fn new(
        source: &'a Source<'_>,
        map: &BTreeMap<String, u64>,
        uv: Option<UvSource>,
        here: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
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
        let coordinates = match uv {
            None => None,
            Some(uv) => open(&format!("TEXCOORD_{}", uv.set), &[2])?.map(|accessor| (accessor, uv)),
        };
        let uv_missing = uv.is_some() && coordinates.is_none();
        let this = Self { position, normal, uv: coordinates, color, uv_missing };
        let others = [this.normal.as_ref(), this.uv.as_ref().map(|uv| &uv.0), this.color.as_ref()];
        if others.into_iter().flatten().any(|other| other.count() != this.count()) {
            return Err(ModelError::invalid(here(), "its attributes differ in count"));
        }
        Ok(this)
    }

    fn count(&self) -> usize {
        self.position.count()
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
        let uv = match &self.uv {
            None => Vec2::ZERO,
            Some((accessor, uv)) => {
                let [u, v, ..] = accessor.floats(i)?;
                let moved = uv.transform.transform_point2(Vec2::new(u, v));
                // Finite factors of finite numbers may still overflow.
                if moved.is_finite() { moved } else { Vec2::ZERO }
            }
        };
        let color = match &self.color {
            None => [1.0; 4],
            Some(accessor) => {
                let [r, g, b, a] = accessor.floats(i)?;
                [r, g, b, if accessor.width == 4 { a } else { 1.0 }]
            }
        };
        Ok(Vertex { position: [x, y, z], normal: normal.into(), uv: uv.into(), color })
    }
}
