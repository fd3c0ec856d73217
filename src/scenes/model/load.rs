//! From bytes to a model: the order of the steps.

use std::path::{Path, PathBuf};

use super::animation;
use super::attach;
use super::bounds::Bounds;
use super::container;
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_JSON_BYTES};
use super::material::Materials;
use super::mesh;
use super::node;
use super::outline;
use super::pose::Pose;
use super::remarks::{Remarks, is_supported};
use super::resolve;
use super::schema::Document;
use super::source::Source;
use super::texture::Textures;
use super::{Model, Node};

/// Node transforms that fitting the animated bounds may take: some ten milliseconds.
const BOUNDS_WORK: usize = 1 << 20;
/// Moments of the animation that its bounds are taken from.
const BOUNDS_SAMPLES: usize = 64;

impl Model {
    /// Loads a `.gltf` or `.glb` file. Buffers and images that it names must lie in its folder or below.
    ///
    /// # Errors
    /// When the file or one of its files cannot be read, breaks a rule of glTF, requires what is not supported, or
    /// asks for more than the [`limits`](super::limits). The error's text is one line for the user.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let mut budget = Budget::new();
        let bytes = resolve::read_file(path, &mut budget.source_bytes)?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = canonical(folder)?;
        from_bytes(&bytes, Some(&folder), &mut budget)
    }

    /// Loads the bytes of a `.gltf` or `.glb` file. `base_dir` is the folder that its URIs are relative to; without
    /// it, only `data:` URIs are read.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_slice(bytes: &[u8], base_dir: Option<&Path>) -> Result<Self, ModelError> {
        let mut budget = Budget::new();
        budget.source_bytes.take(bytes.len() as u64)?;
        let folder = base_dir.map(canonical).transpose()?;
        from_bytes(bytes, folder.as_deref(), &mut budget)
    }
}

fn canonical(folder: &Path) -> Result<PathBuf, ModelError> {
    folder.canonicalize().map_err(|source| ModelError::Io { path: folder.to_owned(), source })
}

fn from_bytes(bytes: &[u8], folder: Option<&Path>, budget: &mut Budget) -> Result<Model, ModelError> {
    const { assert!(MAX_JSON_BYTES <= super::limits::MAX_SOURCE_BYTES) };
    let parts = container::split(bytes)?;
    let document = container::parse(parts.json)?;
    let mut remarks = Remarks::default();
    check_asset(&document, &mut remarks)?;
    let source = Source::new(document, parts.bin, folder, budget)?;

    let mut tree = node::build(&source.document, &mut remarks)?;
    let mut materials = Materials::new(&source);
    let meshes = load_meshes(&source, &mut tree.nodes, &mut materials, budget, &mut remarks)?;
    let skins = attach::skins(&source, &mut tree, &meshes, budget)?;
    let weights = attach::weights(&source, &mut tree, &meshes, budget)?;
    let lights = attach::lights(&source, &mut tree.nodes)?;
    let node::Tree { nodes, ours, .. } = tree;
    let mut animations = Vec::with_capacity(source.document.animations.len());
    for index in 0..source.document.animations.len() {
        animations.push(animation::load(&source, index, &nodes, &ours, budget, &mut remarks)?);
    }
    if animations.len() > 1 {
        remarks.add("animations after the first");
    }
    let Materials { materials, textures: Textures { textures, images, .. }, .. } = materials;
    let nothing = Bounds { min: glam::Vec3::ZERO, max: glam::Vec3::ZERO };
    let mut model = Model {
        nodes,
        meshes,
        materials,
        textures,
        images,
        skins,
        weights,
        lights,
        animations,
        bounds: nothing,
        animated_bounds: nothing,
        outline: Vec::new(),
        unsupported: remarks.into_vec(),
    };
    check_world(&model)?;
    let pose = Pose::new(&model);
    model.bounds = model.bounds_in(&pose).ok_or(ModelError::Empty)?;
    if !model.bounds.within(MAX_EXTENT) {
        return Err(ModelError::invalid("scene", format!("reaches farther than {MAX_EXTENT:e}")));
    }
    model.animated_bounds = animated_bounds(&model, pose);
    model.outline = outline::of(&model);
    Ok(model)
}

fn check_asset(document: &Document, remarks: &mut Remarks) -> Result<(), ModelError> {
    let asset = &document.asset;
    // Minor versions are compatible forward, unless the file demands a least one.
    let least = asset.min_version.as_ref();
    if !asset.version.starts_with("2.") || least.is_some_and(|v| v != "2.0") {
        return Err(ModelError::Version { found: least.unwrap_or(&asset.version).clone() });
    }
    for name in &document.extensions_required {
        if !is_supported(name) {
            return Err(ModelError::Extension { name: name.clone() });
        }
    }
    for name in &document.extensions_used {
        remarks.add_extension(name);
    }
    Ok(())
}

/// Reads the meshes that nodes refer to and makes the nodes refer to ours.
fn load_meshes(
    source: &Source<'_>,
    nodes: &mut [Node],
    materials: &mut Materials,
    budget: &mut Budget,
    remarks: &mut Remarks,
) -> Result<Vec<mesh::Mesh>, ModelError> {
    let mut loaded: Vec<Option<usize>> = vec![None; source.document.meshes.len()];
    let mut meshes: Vec<mesh::Mesh> = Vec::new();
    for node in nodes {
        let Some(theirs) = node.mesh else { continue };
        let ours = match loaded.get(theirs).copied().flatten() {
            Some(ours) => ours,
            None => {
                let mut loader = mesh::Loader { source, materials, budget, remarks };
                meshes.push(mesh::load(&mut loader, theirs as u64, &|| "a node's mesh".to_owned())?);
                loaded[theirs] = Some(meshes.len() - 1);
                meshes.len() - 1
            }
        };
        budget.draws.take(meshes[ours].primitives.len() as u64)?;
        node.mesh = Some(ours);
    }
    Ok(meshes)
}

/// Refuses a rest pose whose matrices leave the range in which anything can be drawn.
fn check_world(model: &Model) -> Result<(), ModelError> {
    let mut world: Vec<glam::Mat4> = Vec::with_capacity(model.nodes.len());
    for (index, node) in model.nodes.iter().enumerate() {
        let matrix = node.parent.map_or(node.local.matrix(), |parent| world[parent] * node.local.matrix());
        if !matrix.to_cols_array().iter().all(|v| v.abs() <= MAX_EXTENT) {
            let name =
                node.name.as_deref().map_or_else(String::new, |n| format!(" {}", super::error::short(n, 40)));
            return Err(ModelError::invalid(
                format!("node {index}{name} in the scene"),
                "its transform with its parents' is too large",
            ));
        }
        world.push(matrix);
    }
    Ok(())
}

/// The union of the bounds over the first animation, as densely as the work allows.
fn animated_bounds(model: &Model, mut pose: Pose) -> Bounds {
    let mut bounds = model.bounds;
    let Some(animation) = model.animations.first() else { return bounds };
    let bent: usize = model.instances().map(|(_, mesh)| mesh.followed()).sum();
    let work = model.nodes.len() + animation.channels.len() + bent;
    let samples = (BOUNDS_WORK / work.max(1)).clamp(1, BOUNDS_SAMPLES);
    for i in 0..samples {
        pose.sample(model, f64::from(animation.duration) * i as f64 / samples as f64);
        if let Some(now) = model.bounds_in(&pose).filter(|b| b.within(MAX_EXTENT)) {
            bounds = bounds.union(now);
        }
    }
    bounds
}
