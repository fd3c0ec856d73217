//! Models from glTF 2.0 files: geometry, materials, images and node animation, without OpenGL.
//!
//! [`Model::load`] reads a file into plain data that can be uploaded as it is; a [`Pose`] says every frame where
//! the nodes are. What a file has beyond that is named in [`Model::unsupported`], so that no picture is wrong
//! without a word; what would make the picture meaningless is an error.
//!
//! Files are not trusted. Their JSON is parsed by `serde_json` into the types of `schema`; every index, offset and
//! count is checked by code here before it is followed, and every allocation is counted against [`limits`] first.
//! The `gltf` crate is not used: version 1.4.1 indexes out of bounds while validating (a `POSITION` accessor that
//! is not there) and underflows on a GLB header that states less than 12 bytes.
//!
//! ```text
//! bytes -> container (GLB, JSON) -> source (buffers) -> node (tree of the scene)
//!       -> mesh (accessor, topology) -> material (image) -> animation -> bounds -> Model
//! ```

mod accessor;
mod animation;
mod bounds;
mod container;
mod error;
mod image;
pub mod limits;
mod load;
mod material;
mod mesh;
mod node;
mod outline;
mod pose;
mod remarks;
mod resolve;
mod schema;
mod source;
mod topology;

pub use self::animation::{Animation, Channel, Interpolation, Property, Track};
pub use self::bounds::Bounds;
pub use self::error::ModelError;
pub use self::image::Image;
pub use self::material::{Alpha, Filter, Material, Texture, Wrap};
pub use self::mesh::{Mesh, Mode, Primitive, Vertex};
pub use self::node::{Local, Node, Trs};
pub use self::pose::Pose;

/// A scene of a glTF file, ready to be uploaded. All indices within it are valid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Model {
    /// The nodes of the scene, parents before children.
    pub nodes: Vec<Node>,
    /// The meshes that nodes refer to.
    pub meshes: Vec<Mesh>,
    /// The materials that primitives refer to.
    pub materials: Vec<Material>,
    /// The textures that materials refer to.
    pub textures: Vec<Texture>,
    /// The images that textures refer to.
    pub images: Vec<Image>,
    /// The file's animations; [`Pose::sample`] plays the first.
    pub animations: Vec<Animation>,
    /// The box around everything at rest, in world space.
    pub bounds: Bounds,
    /// The box around everything at rest and at some dozen moments of the first animation, in world space.
    pub animated_bounds: Bounds,
    /// What a camera is fitted to: points of the convex hull of all that is drawn while the first animation plays (at
    /// rest without one), in world space. At least one, and at most some hundred; computed once, by loading.
    pub outline: Vec<glam::Vec3>,
    /// What the file has but the picture lacks: short, each once, safe to print on one line.
    pub unsupported: Vec<String>,
}

impl Model {
    /// What is to be drawn: each node that has a mesh, by index, with the mesh.
    pub fn instances(&self) -> impl Iterator<Item = (usize, &Mesh)> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, self.meshes.get(node.mesh?)?)))
    }

    /// The box around everything in `pose`, in world space; `None` when there is nothing.
    #[must_use]
    pub fn bounds_in(&self, pose: &Pose) -> Option<Bounds> {
        self.instances()
            .filter_map(|(node, mesh)| Some(mesh.bounds?.transformed(pose.world().get(node)?)))
            .reduce(Bounds::union)
    }
}
