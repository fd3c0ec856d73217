//! Where nodes and joints are and how far targets are morphed at a moment: storage that is made once and filled every frame.

use glam::{Mat4, Quat};

use super::Model;
use super::animation::{Property, vector};
use super::limits::MAX_EXTENT;
use super::node::Local;

/// Local and world transforms of all nodes of one model, the matrices of its joints and the weights of its morph
/// targets.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let json = br#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0}],"meshes":[{"primitives":[{"attributes":
/// #     {"POSITION":0},"mode":0}]}],"accessors":[{"componentType":5126,"type":"VEC3","count":1}]}"#;
/// use scanout::scenes::model::{Model, Pose};
///
/// let model = Model::from_slice(json, None)?;
/// let mut pose = Pose::new(&model);
/// pose.sample(&model, 1.5);
/// for (node, mesh) in model.instances() {
///     let matrix = pose.world()[node];
///     // draw each of mesh.primitives with `matrix`
/// #   assert_eq!((matrix, mesh.primitives.len()), (glam::Mat4::IDENTITY, 1));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pose {
    locals: Vec<Local>,
    world: Vec<Mat4>,
    joints: Vec<Mat4>,
    weights: Vec<f32>,
}

impl Pose {
    /// The model's pose at rest.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let mut pose = Self::default();
        pose.rest(model);
        pose
    }

    /// Puts all nodes where they are without animation.
    pub fn rest(&mut self, model: &Model) {
        self.load_rest(model);
        self.update_world(model);
    }

    /// Puts the nodes where the model's first animation has them at `time` seconds, looping; at rest without an
    /// animation. Any number is allowed, also negative ones.
    ///
    /// Allocates nothing, unless `model` is another one with more nodes. The cost is one matrix product per node
    /// and one bisection per channel.
    pub fn sample(&mut self, model: &Model, time: f64) {
        self.sample_animation(model, 0, time);
    }

    /// As [`sample`](Self::sample), with the animation of that index; at rest when there is none.
    pub fn sample_animation(&mut self, model: &Model, index: usize, time: f64) {
        self.load_rest(model);
        if let Some(animation) = model.animations.get(index) {
            let time = animation.wrap(time);
            for channel in &animation.channels {
                if channel.property == Property::Weights {
                    let node = &model.nodes[channel.node];
                    if let Some(weights) = self.weights.get_mut(node.morph.clone()) {
                        animation.weight_tracks[channel.track].sample(time, weights);
                    }
                    continue;
                }
                let value = animation.tracks[channel.track].sample(time);
                if let Some(Local::Parts(trs)) = self.locals.get_mut(channel.node) {
                    match channel.property {
                        Property::Translation => trs.translation = vector(value),
                        Property::Rotation => trs.rotation = Quat::from_vec4(value),
                        Property::Scale => trs.scale = vector(value),
                        Property::Weights => {}
                    }
                }
            }
        }
        self.update_world(model);
    }

    /// Where each node is in its parent's space, by index of [`Model::nodes`].
    #[must_use]
    pub fn locals(&self) -> &[Local] {
        &self.locals
    }

    /// From each node's space to the world, by index of [`Model::nodes`]. Always finite. A negative determinant
    /// turns the winding of triangles; a determinant of zero leaves nothing to draw.
    #[must_use]
    pub fn world(&self) -> &[Mat4] {
        &self.world
    }

    /// From the space of a bound mesh to the world, for each joint of each skin: those of a skin begin at
    /// [`Skin::first`](super::Skin::first). Always finite.
    #[must_use]
    pub fn joints(&self) -> &[Mat4] {
        &self.joints
    }

    /// The weights of the morph targets of all nodes, by [`Node::morph`](super::Node::morph). Always finite.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    fn load_rest(&mut self, model: &Model) {
        self.locals.clear();
        self.locals.extend(model.nodes.iter().map(|node| node.local));
        self.weights.clear();
        self.weights.extend_from_slice(&model.weights);
    }

    fn update_world(&mut self, model: &Model) {
        self.world.clear();
        for (node, local) in model.nodes.iter().zip(&self.locals) {
            let matrix = local.matrix();
            // Parents come first, so that theirs is already there.
            let world = match node.parent.and_then(|parent| self.world.get(parent)) {
                Some(parent) => *parent * matrix,
                None => matrix,
            };
            // Scales that grow along a deep chain leave the range of f32. The rest pose was checked by loading, so
            // only an animation can come here: the node vanishes instead of poisoning what is computed from it.
            self.world.push(sane(world));
        }
        self.joints.clear();
        for skin in &model.skins {
            let matrices = skin.joints.iter().zip(&skin.inverse_bind);
            self.joints.extend(matrices.map(|(&node, bind)| sane(self.world[node] * *bind)));
        }
    }
}

/// `matrix`, or one that leaves nothing to draw where that has left the range.
fn sane(matrix: Mat4) -> Mat4 {
    let sane = matrix.to_cols_array().iter().all(|v| v.abs() <= MAX_EXTENT);
    if sane { matrix } else { Mat4::from_scale(glam::Vec3::ZERO) }
}
