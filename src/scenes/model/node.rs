//! The node tree: checked to be a forest, cut to the scene, and laid out so that parents come before children.

use glam::{Mat4, Quat, Vec3};

use super::error::ModelError;
use super::limits::{MAX_EXTENT, MAX_NODES};
use super::remarks::Remarks;
use super::schema;
use super::source::{get, to_usize};

/// A node of the scene.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node {
    /// The file's name for it.
    pub name: Option<String>,
    /// Index of the parent, always less than the node's own; `None` for roots.
    pub parent: Option<usize>,
    /// Index into [`Model::meshes`](super::Model::meshes).
    pub mesh: Option<usize>,
    /// Where the node is in its parent's space, at rest.
    pub local: Local,
    /// Index into [`Model::skins`](super::Model::skins), whose joints bend the mesh. Where the node itself is does not
    /// matter then.
    pub skin: Option<usize>,
    /// Which of [`Model::weights`](super::Model::weights) and [`Pose::weights`](super::Pose::weights) are those of the
    /// mesh's morph targets here.
    pub morph: std::ops::Range<usize>,
    /// Index into [`Model::lights`](super::Model::lights).
    pub light: Option<usize>,
}

/// How a node lies in its parent's space.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Local {
    /// Parts that can be animated.
    Parts(Trs),
    /// An affine matrix, which animation leaves alone: it may have shear.
    Matrix(Mat4),
}

/// Translation, rotation and scale, applied to a point in the reverse order.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Trs {
    /// In the parent's units.
    pub translation: Vec3,
    /// Unit length.
    pub rotation: Quat,
    /// Factors along the node's axes; zero and negative ones are allowed.
    pub scale: Vec3,
}

impl Trs {
    /// No change.
    pub const IDENTITY: Self = Self { translation: Vec3::ZERO, rotation: Quat::IDENTITY, scale: Vec3::ONE };

    /// The matrix from the node's space to its parent's.
    #[must_use]
    pub fn matrix(&self) -> Mat4 {
        Mat4::from_scale_rotation_translation(self.scale, self.rotation, self.translation)
    }
}

impl Local {
    /// The matrix from the node's space to its parent's.
    #[must_use]
    pub fn matrix(&self) -> Mat4 {
        match self {
            Self::Parts(trs) => trs.matrix(),
            Self::Matrix(matrix) => *matrix,
        }
    }
}

/// The scene's nodes, with where each of the file's nodes went.
pub(super) struct Tree {
    /// Parents before children. `mesh`, `skin` and `light` still hold the file's indices, `morph` nothing.
    pub(super) nodes: Vec<Node>,
    /// Index in `nodes` of the file's node; `None` for what is not in the scene.
    pub(super) ours: Vec<Option<usize>>,
    /// The file's node of each of `nodes`.
    pub(super) theirs: Vec<usize>,
}

/// Builds the tree of the scene to show: the default scene, else the first, else all roots. No recursion: a chain
/// of any depth is walked in a loop.
pub(super) fn build(document: &schema::Document, remarks: &mut Remarks) -> Result<Tree, ModelError> {
    let nodes = &document.nodes;
    if nodes.len() > MAX_NODES {
        let (asked, limit) = (nodes.len() as u64, MAX_NODES as u64);
        return Err(ModelError::TooLarge { what: "nodes", asked, limit });
    }
    let parents = parents(nodes)?;
    let roots = roots(document, &parents)?;
    let mut ours = vec![None; nodes.len()];
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    // `order` holds what is still to be visited behind what already was: breadth first.
    let mut order = roots;
    let mut next = 0;
    while let Some(&theirs) = order.get(next) {
        let json = &nodes[theirs];
        let parent = parents[theirs].and_then(|p| ours[p]);
        ours[theirs] = Some(next);
        if json.camera.is_some() {
            remarks.add("cameras");
        }
        remarks.add_extensions(&json.extensions);
        out.push(Node {
            name: json.name.clone(),
            parent,
            mesh: json.mesh.map(to_usize),
            local: local(json, theirs)?,
            skin: json.skin.map(to_usize),
            morph: 0..0,
            light: json.extensions.lights.as_ref().and_then(|l| l.light).map(to_usize),
        });
        // `parents` found every child in range, and no child twice.
        order.extend(json.children.iter().map(|&child| child as usize));
        next += 1;
    }
    Ok(Tree { nodes: out, ours, theirs: order })
}

/// The parent of each node; refuses second parents and cycles anywhere in the file.
fn parents(nodes: &[schema::Node]) -> Result<Vec<Option<usize>>, ModelError> {
    let mut parents = vec![None; nodes.len()];
    for (parent, node) in nodes.iter().enumerate() {
        for &child in &node.children {
            let place = || format!("nodes[{parent}].children");
            get(nodes, child, "nodes", &place)?;
            if parents[child as usize].replace(parent).is_some() {
                return Err(ModelError::invalid(format!("nodes[{child}]"), "has more than one parent"));
            }
        }
    }
    // With one parent each, what no root reaches lies on or below a cycle.
    let mut reached: Vec<usize> = (0..nodes.len()).filter(|&i| parents[i].is_none()).collect();
    let mut seen = vec![false; nodes.len()];
    while let Some(node) = reached.pop() {
        seen[node] = true;
        reached.extend(nodes[node].children.iter().map(|&child| child as usize));
    }
    match seen.iter().position(|seen| !seen) {
        None => Ok(parents),
        Some(node) => Err(ModelError::invalid(format!("nodes[{node}]"), "is its own ancestor")),
    }
}

fn roots(document: &schema::Document, parents: &[Option<usize>]) -> Result<Vec<usize>, ModelError> {
    if document.scenes.is_empty() && document.scene.is_none() {
        return Ok((0..parents.len()).filter(|&i| parents[i].is_none()).collect());
    }
    let index = document.scene.unwrap_or(0);
    let scene = get(&document.scenes, index, "scenes", &|| "scene".to_owned())?;
    let here = || format!("scenes[{index}].nodes");
    let mut listed = vec![false; parents.len()];
    let mut roots = Vec::with_capacity(scene.nodes.len());
    for &node in &scene.nodes {
        get(parents, node, "nodes", &here)?;
        let node = node as usize;
        if parents[node].is_some() {
            return Err(ModelError::invalid(here(), format!("lists nodes[{node}], which has a parent")));
        }
        if std::mem::replace(&mut listed[node], true) {
            return Err(ModelError::invalid(here(), format!("lists nodes[{node}] twice")));
        }
        roots.push(node);
    }
    Ok(roots)
}

fn local(json: &schema::Node, index: usize) -> Result<Local, ModelError> {
    let broken = |detail| ModelError::invalid(format!("nodes[{index}]"), detail);
    // NaN and infinities compare false.
    let sane = |values: &[f32]| values.iter().all(|v| v.abs() <= MAX_EXTENT);
    if let Some(matrix) = &json.matrix {
        let matrix = Mat4::from_cols_array(matrix);
        if !sane(&matrix.to_cols_array()) || matrix.row(3).to_array() != [0.0, 0.0, 0.0, 1.0] {
            return Err(broken("its matrix is not affine and finite"));
        }
        return Ok(Local::Matrix(matrix));
    }
    let translation = json.translation.unwrap_or_default();
    let rotation = json.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]);
    let scale = json.scale.unwrap_or([1.0; 3]);
    if !(sane(&translation) && sane(&rotation) && sane(&scale)) {
        return Err(broken("a number of its translation, rotation or scale is not finite or too large"));
    }
    let rotation = unit(Quat::from_array(rotation)).ok_or_else(|| broken("its rotation has no length"))?;
    Ok(Local::Parts(Trs { translation: translation.into(), rotation, scale: scale.into() }))
}

/// `q` at unit length; `None` when it has no direction.
pub(super) fn unit(q: Quat) -> Option<Quat> {
    let length = q.length();
    (length.is_normal()).then(|| q / length).filter(|q| q.is_finite())
}
