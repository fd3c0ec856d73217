//! A primitive: its vertices, what joins them, and what it lacks of normals and tangents.

use super::accessor::{Accessor, Component};
use super::attributes::Attributes;
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_INDICES};
use super::mesh::{Loader, Mode, Primitive};
use super::schema;
use super::source::Source;
use super::streams::Streams;
use super::{tangent, topology};

/// `None`: there is nothing to draw, and a remark says so.
pub(super) fn load(
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
