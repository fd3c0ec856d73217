//! All that a primitive has per vertex, kept together while vertices are doubled and put in another order.

use glam::Vec3;

use super::bounds::Bounds;
use super::error::ModelError;
use super::limits::Budget;
use super::mesh::Vertex;
use super::morph::Delta;
use super::skin::Influence;

/// One entry per vertex in each.
pub(super) struct Streams {
    pub(super) vertices: Vec<Vertex>,
    pub(super) tangents: Option<Vec<[f32; 4]>>,
    pub(super) influences: Option<Vec<Influence>>,
    pub(super) targets: Vec<Vec<Delta>>,
}

const TANGENT: u64 = size_of::<[f32; 4]>() as u64;

impl Streams {
    /// Empty, with room for `count` vertices, which the budget allows.
    pub(super) fn new(
        count: usize,
        tangents: bool,
        influences: bool,
        targets: usize,
        budget: &mut Budget,
    ) -> Result<Self, ModelError> {
        let mut this = Self {
            vertices: Vec::new(),
            tangents: tangents.then(Vec::new),
            influences: influences.then(Vec::new),
            targets: Vec::new(),
        };
        budget.vertices.take(count as u64)?;
        budget.stream_bytes.take(this.bytes(targets, count))?;
        this.vertices.reserve_exact(count);
        if let Some(tangents) = &mut this.tangents {
            tangents.reserve_exact(count);
        }
        if let Some(influences) = &mut this.influences {
            influences.reserve_exact(count);
        }
        this.targets = (0..targets).map(|_| Vec::with_capacity(count)).collect();
        Ok(this)
    }

    /// What `count` vertices take beside the vertices themselves.
    fn bytes(&self, targets: usize, count: usize) -> u64 {
        let tangent = if self.tangents.is_some() { TANGENT } else { 0 };
        let influence = if self.influences.is_some() { size_of::<Influence>() as u64 } else { 0 };
        let deltas = (targets as u64).saturating_mul(size_of::<Delta>() as u64);
        (tangent + influence).saturating_add(deltas).saturating_mul(count as u64)
    }

    /// The vertices of these indices, which are within range, in this order.
    pub(super) fn gathered(self, indices: &[u32], budget: &mut Budget) -> Result<Self, ModelError> {
        fn pick<T: Copy>(from: &[T], indices: &[u32]) -> Vec<T> {
            indices.iter().map(|&i| from[i as usize]).collect()
        }
        let (old, new) = (self.vertices.len(), indices.len());
        let (old_bytes, new_bytes) =
            (self.bytes(self.targets.len(), old), self.bytes(self.targets.len(), new));
        // Old and new exist side by side for a while.
        budget.vertices.take(new as u64)?;
        budget.stream_bytes.take(new_bytes)?;
        let out = Self {
            vertices: pick(&self.vertices, indices),
            tangents: self.tangents.as_ref().map(|t| pick(t, indices)),
            influences: self.influences.as_ref().map(|i| pick(i, indices)),
            targets: self.targets.iter().map(|t| pick(t, indices)).collect(),
        };
        budget.vertices.give_back(old as u64);
        budget.stream_bytes.give_back(old_bytes);
        Ok(out)
    }

    /// Adds tangents, one per vertex.
    pub(super) fn set_tangents(
        &mut self,
        tangents: Vec<[f32; 4]>,
        budget: &mut Budget,
    ) -> Result<(), ModelError> {
        budget.stream_bytes.take(TANGENT * tangents.len() as u64)?;
        self.tangents = Some(tangents);
        Ok(())
    }

    /// Where vertex `i` may be in the mesh's space: at rest, and with each morph target fully there.
    fn places(&self, i: usize) -> impl Iterator<Item = Vec3> {
        let at = Vec3::from(self.vertices[i].position);
        let morphed = self.targets.iter().map(move |target| at + Vec3::from(target[i].position));
        std::iter::once(at).chain(morphed)
    }

    pub(super) fn bounds(&self) -> Option<Bounds> {
        Bounds::of_points((0..self.vertices.len()).flat_map(|i| self.places(i)))
    }

    /// For each joint that some vertex follows, the box around those that do, in the order of the joints.
    pub(super) fn joint_bounds(&self) -> Vec<(u16, Bounds)> {
        let mut found = std::collections::BTreeMap::<u16, Bounds>::new();
        for (i, influence) in self.influences.iter().flatten().enumerate() {
            let Some(bounds) = Bounds::of_points(self.places(i)) else { continue };
            for (&joint, &weight) in influence.joints.iter().zip(&influence.weights) {
                if weight > 0.0 {
                    found.entry(joint).and_modify(|b| *b = b.union(bounds)).or_insert(bounds);
                }
            }
        }
        found.into_iter().collect()
    }
}
