//! Skins: which nodes bend a mesh, and how much each vertex follows each of them.

use bytemuck::{Pod, Zeroable};
use glam::Mat4;

use super::accessor::{Accessor, Component};
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_JOINTS};
use super::source::{Source, get};

/// Nodes that bend a mesh.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Skin {
    /// Indices into [`Model::nodes`](super::Model::nodes); at least one.
    pub joints: Vec<usize>,
    /// For each joint, from the mesh's space to the joint's as the mesh was bound to it.
    pub inverse_bind: Vec<Mat4>,
    /// Where this skin's matrices begin in [`Pose::joints`](super::Pose::joints).
    pub first: usize,
}

/// How one vertex follows the joints of the skin: 24 bytes. The place of the vertex is the sum of what each joint's
/// matrix makes of it, by weight.
#[derive(Copy, Clone, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Influence {
    /// Joints of the skin; zero where the weight is.
    pub joints: [u16; 4],
    /// Their sum is 1.
    pub weights: [f32; 4],
}

/// Reads `skins[index]`; its matrices begin at `first`.
pub(super) fn load(
    source: &Source<'_>,
    index: u64,
    ours: &[Option<usize>],
    first: usize,
    budget: &mut Budget,
    place: &dyn Fn() -> String,
) -> Result<Skin, ModelError> {
    let json = get(&source.document.skins, index, "skins", place)?;
    let here = || format!("skins[{index}]");
    if let Some(skeleton) = json.skeleton {
        get(ours, skeleton, "nodes", &here)?;
    }
    if json.joints.is_empty() {
        return Err(ModelError::invalid(here(), "has no joints"));
    }
    budget.joints.take(json.joints.len() as u64)?;
    let mut joints = Vec::with_capacity(json.joints.len());
    for &joint in &json.joints {
        let node = get(ours, joint, "nodes", &here)?;
        joints.push(node.ok_or_else(|| {
            ModelError::invalid(here(), format!("its joint nodes[{joint}] is not in the scene"))
        })?);
    }
    let inverse_bind = match json.inverse_bind_matrices {
        None => vec![Mat4::IDENTITY; joints.len()],
        Some(accessor) => {
            let here = || format!("skins[{index}].inverseBindMatrices");
            let accessor = Accessor::new(source, accessor, MAX_JOINTS, &here)?;
            if accessor.width != 16 || accessor.component != Component::F32 {
                return Err(ModelError::invalid(here(), "are not 4 x 4 matrices of floats"));
            }
            if accessor.count() < joints.len() {
                return Err(ModelError::invalid(
                    here(),
                    format!("are {}, there are {} joints", accessor.count(), joints.len()),
                ));
            }
            (0..joints.len())
                .map(|i| {
                    let matrix = Mat4::from_cols_array(&accessor.matrix(i)?);
                    let sane = matrix.to_cols_array().iter().all(|v| v.abs() <= MAX_EXTENT);
                    if !sane || !affine(&matrix) {
                        return Err(ModelError::invalid(
                            here(),
                            format!("matrix {i} is not affine and finite"),
                        ));
                    }
                    Ok(matrix)
                })
                .collect::<Result<_, _>>()?
        }
    };
    Ok(Skin { joints, inverse_bind, first })
}

/// Whether the last row is that of an affine matrix, but for what exporters leave by rounding.
fn affine(matrix: &Mat4) -> bool {
    let [x, y, z, w] = matrix.row(3).to_array();
    [x, y, z, w - 1.0].iter().all(|v| v.abs() < 1e-4)
}

/// The accessors of joints and weights of one primitive, up to two pairs of them.
pub(super) struct Influences<'a> {
    pairs: Vec<(Accessor<'a>, Accessor<'a>)>,
}

/// Most pairs of accessors that are looked at: eight joints, of which the four strongest are kept.
pub(super) const PAIRS: usize = 2;

impl<'a> Influences<'a> {
    /// Takes over accessors that were opened already; their types are checked here.
    pub(super) fn new(
        pairs: Vec<(Accessor<'a>, Accessor<'a>)>,
        here: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        for (joints, weights) in &pairs {
            if joints.normalized || !matches!(joints.component, Component::U8 | Component::U16) {
                return Err(ModelError::invalid(here(), "its joints are not unsigned bytes or shorts"));
            }
            let fraction = weights.normalized && matches!(weights.component, Component::U8 | Component::U16);
            if weights.component != Component::F32 && !fraction {
                return Err(ModelError::invalid(here(), "its weights are neither floats nor fractions"));
            }
        }
        Ok(Self { pairs })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = usize> {
        self.pairs.iter().flat_map(|(j, w)| [j.count(), w.count()])
    }

    /// What vertex `i` follows: the four strongest, their weights made to sum up to 1.
    pub(super) fn read(&self, i: usize, here: &dyn Fn() -> String) -> Result<Influence, ModelError> {
        let mut all = [(0.0_f32, 0_u16); 4 * PAIRS];
        for (pair, (joints, weights)) in self.pairs.iter().enumerate() {
            let values = weights.floats(i)?;
            for (slot, (joint, weight)) in joints.unsigneds(i).into_iter().zip(values).enumerate() {
                if !(0.0..=MAX_EXTENT).contains(&weight) {
                    return Err(ModelError::invalid(here(), format!("vertex {i} has a weight of {weight}")));
                }
                // Zero weights may stand beside any joint.
                let joint = if weight > 0.0 { joint as u16 } else { 0 };
                all[pair * 4 + slot] = (weight, joint);
            }
        }
        if self.pairs.len() > 1 {
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
        let mut out = Influence { joints: [0; 4], weights: [0.0; 4] };
        let sum: f32 = all[..4].iter().map(|a| a.0).sum();
        if sum > 0.0 {
            for (slot, (weight, joint)) in all[..4].iter().enumerate() {
                (out.joints[slot], out.weights[slot]) = (*joint, weight / sum);
            }
        } else {
            // It follows nothing: the first joint is as good as any, and the vertex does not collapse.
            out.weights[0] = 1.0;
        }
        Ok(out)
    }
}
