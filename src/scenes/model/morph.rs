//! Morph targets: where a vertex goes when a weight grows from 0 to 1.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};

use super::accessor::{Accessor, Component};
use super::error::ModelError;
use super::limits::{MAX_EXTENT, MAX_VERTICES};
use super::remarks::Remarks;
use super::source::Source;

/// What is added to a vertex, times the weight of the target: 36 bytes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Delta {
    /// To the position.
    pub position: [f32; 3],
    /// To the normal; zero where the primitive has none of its own.
    pub normal: [f32; 3],
    /// To the tangent's direction.
    pub tangent: [f32; 3],
}

/// The accessors of one target.
pub(super) struct Target<'a> {
    position: Option<Accessor<'a>>,
    normal: Option<Accessor<'a>>,
    tangent: Option<Accessor<'a>>,
}

impl<'a> Target<'a> {
    /// Opens one target of a primitive of `count` vertices.
    pub(super) fn new(
        source: &'a Source<'_>,
        map: &BTreeMap<String, u64>,
        count: usize,
        remarks: &mut Remarks,
        here: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        let open = |name: &str| -> Result<Option<Accessor<'a>>, ModelError> {
            let Some(&index) = map.get(name) else { return Ok(None) };
            let here = || format!("{}.{name}", here());
            let accessor = Accessor::new(source, index, MAX_VERTICES, &here)?;
            if accessor.width != 3 || accessor.component == Component::U32 {
                return Err(ModelError::invalid(here(), "has the wrong type for this attribute"));
            }
            if accessor.count() != count {
                return Err(ModelError::invalid(here(), "differs in count from what it changes"));
            }
            Ok(Some(accessor))
        };
        if map.keys().any(|name| !matches!(name.as_str(), "POSITION" | "NORMAL" | "TANGENT")) {
            remarks.add("morph targets of texture coordinates and colours");
        }
        Ok(Self { position: open("POSITION")?, normal: open("NORMAL")?, tangent: open("TANGENT")? })
    }

    /// What it adds to vertex `i`. `normals`: the vertices have normals of their own.
    pub(super) fn read(
        &self,
        i: usize,
        normals: bool,
        here: &dyn Fn() -> String,
    ) -> Result<Delta, ModelError> {
        let read = |accessor: &Option<Accessor<'_>>| -> Result<[f32; 3], ModelError> {
            let Some(accessor) = accessor else { return Ok([0.0; 3]) };
            let [x, y, z, _] = accessor.floats(i)?;
            if [x, y, z].iter().any(|v| v.abs() > MAX_EXTENT) {
                return Err(ModelError::invalid(
                    here(),
                    format!("element {i} is farther than {MAX_EXTENT:e}"),
                ));
            }
            Ok([x, y, z])
        };
        let position = read(&self.position)?;
        // Normals that are computed are those of the plane, which a target's have nothing to add to.
        let (normal, tangent) =
            if normals { (read(&self.normal)?, read(&self.tangent)?) } else { ([0.0; 3], [0.0; 3]) };
        Ok(Delta { position, normal, tangent })
    }
}
