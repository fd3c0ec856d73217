//! Models from glTF 2.0 files: geometry, materials, images, skins, morph targets, lights and animation, without OpenGL.
//! What of the format is in, and which test shows it, stands in `docs/gltf.md`.
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
mod attach;
mod attributes;
mod bounds;
mod container;
mod error;
mod image;
mod light;
pub mod limits;
mod load;
mod material;
mod mesh;
mod morph;
mod node;
mod outline;
mod pose;
mod primitive;
mod remarks;
mod resolve;
mod schema;
mod skin;
mod source;
mod streams;
mod tangent;
mod texture;
mod topology;

pub use self::animation::{Animation, Channel, Interpolation, Property, Track, WeightTrack};
pub use self::bounds::Bounds;
pub use self::error::ModelError;
pub use self::image::{Image, Texels};
pub use self::light::{Light, LightKind};
pub use self::material::{Alpha, Material, TextureRef};
pub use self::mesh::{Mesh, Mode, Primitive, Vertex};
pub use self::morph::Delta;
pub use self::node::{Local, Node, Trs};
pub use self::pose::Pose;
pub use self::skin::{Influence, Skin};
pub use self::texture::{Filter, Texture, Wrap};

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
    /// The skins that nodes refer to.
    pub skins: Vec<Skin>,
    /// The weights of the morph targets of all nodes at rest, by [`Node::morph`].
    pub weights: Vec<f32>,
    /// The lights that nodes refer to.
    pub lights: Vec<Light>,
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

    /// The joints that bend the mesh of node `node`: where their matrices begin in [`Pose::joints`], and how many there
    /// are. `None` when nothing bends it.
    #[must_use]
    pub fn joints_of(&self, node: usize) -> Option<std::ops::Range<usize>> {
        let node = self.nodes.get(node)?;
        let skin = self.skins.get(node.skin?)?;
        self.meshes.get(node.mesh?)?.is_skinned().then_some(skin.first..skin.first + skin.joints.len())
    }

    /// The box around everything in `pose`, in world space; `None` when there is nothing. Of morph targets each is
    /// looked at as if it were fully there.
    #[must_use]
    pub fn bounds_in(&self, pose: &Pose) -> Option<Bounds> {
        self.instances()
            .filter_map(|(node, mesh)| match self.joints_of(node) {
                None => Some(mesh.bounds?.transformed(pose.world().get(node)?)),
                Some(joints) => mesh
                    .primitives
                    .iter()
                    .filter_map(|p| self.primitive_bounds(p, node, &joints, pose))
                    .reduce(Bounds::union),
            })
            .reduce(Bounds::union)
    }

    /// The box around a primitive of a bent mesh: what it follows is a mean of what single joints make of it, which is
    /// never outside of all of them.
    fn primitive_bounds(
        &self,
        primitive: &Primitive,
        node: usize,
        joints: &std::ops::Range<usize>,
        pose: &Pose,
    ) -> Option<Bounds> {
        if primitive.influences.is_none() {
            return Some(primitive.bounds.transformed(pose.world().get(node)?));
        }
        let boxes = primitive.joint_bounds.iter();
        boxes
            .filter_map(|(joint, bounds)| {
                Some(bounds.transformed(pose.joints().get(joints.start + usize::from(*joint))?))
            })
            .reduce(Bounds::union)
    }
}
