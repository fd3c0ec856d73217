//! The accessors of a primitive, to vertices that can be drawn as they are.

use std::collections::BTreeMap;

use glam::Vec3;

use super::accessor::{Accessor, Component};
use super::error::ModelError;
use super::limits::{Budget, MAX_VERTICES};
use super::material::UvSets;
use super::mesh::Vertex;
use super::morph::Target;
use super::remarks::Remarks;
use super::schema;
use super::skin::{Influences, PAIRS};
use super::source::Source;
use super::streams::Streams;

/// The accessors of one primitive, all of the same count.
pub(super) struct Attributes<'a> {
    position: Accessor<'a>,
    pub(super) normal: Option<Accessor<'a>>,
    uv: [Option<Accessor<'a>>; 2],
    color: Option<Accessor<'a>>,
    tangent: Option<Accessor<'a>>,
    influences: Influences<'a>,
    targets: Vec<Target<'a>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(
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

    pub(super) fn count(&self) -> usize {
        self.position.count()
    }

    /// Reads the vertices of `range` with all that belongs to them.
    pub(super) fn read(
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
