use std::path::Path;
use std::sync::Arc;

use glam::Mat4;

use super::model::{Model, Pose};
use super::orbit::{Camera, Orbit};
use crate::error::Result;
use crate::runtime::{Demand, InputEvent, Logic, Tick};

/// The model in `assets/`, which is the default scene.
pub const MODEL: &[u8] = include_bytes!("../../assets/orrery.glb");

/// Plays a glTF model and lets the mouse orbit it.
#[derive(Clone, Debug)]
pub struct Viewer {
    model: Arc<Model>,
    pose: Pose,
    orbit: Orbit,
}

/// What is drawn of a [`Viewer`].
#[derive(Clone, Debug, Default)]
pub struct ViewerView {
    /// From each node's space to the world.
    pub(super) world: Vec<Mat4>,
    /// From the space of a bound mesh to the world, for each joint.
    pub(super) joints: Vec<Mat4>,
    /// Of the morph targets of all nodes.
    pub(super) weights: Vec<f32>,
    pub(super) camera: Camera,
}

impl Viewer {
    /// Loads a `.gltf` or `.glb` file. What it has that cannot be shown is named in one line of the log.
    ///
    /// # Errors
    /// When the file cannot be read or is broken.
    pub fn load(path: &Path) -> Result<Self> {
        let model = Model::load(path)?;
        if !model.unsupported.is_empty() {
            log::warn!("{}: not shown: {}", path.display(), model.unsupported.join(", "));
        }
        Ok(Self::new(model))
    }

    /// The model in `assets/`, which is part of the program.
    ///
    /// # Errors
    /// Never, if the tests pass.
    pub fn bundled() -> Result<Self> {
        Ok(Self::new(Model::from_slice(MODEL, None)?))
    }

    fn new(model: Model) -> Self {
        let (pose, orbit) = (Pose::new(&model), Orbit::around(&model.outline));
        Self { model: Arc::new(model), pose, orbit }
    }

    /// The model, to be shared with the renderer.
    #[must_use]
    pub fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model)
    }
}

impl Logic for Viewer {
    type Snapshot = ViewerView;

    fn input(&mut self, event: &InputEvent) {
        self.orbit.input(event);
    }

    fn changed(&self) -> bool {
        self.orbit.moved()
    }

    fn update(&mut self, tick: &Tick) {
        self.orbit.step();
        if !self.model.animations.is_empty() {
            self.pose.sample(&self.model, tick.elapsed.as_secs_f64());
        }
    }

    fn extract(&self, out: &mut ViewerView) {
        out.world.clear();
        out.world.extend_from_slice(self.pose.world());
        out.joints.clear();
        out.joints.extend_from_slice(self.pose.joints());
        out.weights.clear();
        out.weights.extend_from_slice(self.pose.weights());
        out.camera = self.orbit.camera();
    }

    fn demand(&self) -> Demand {
        if self.model.animations.is_empty() { Demand::OnInput } else { Demand::EveryFrame }
    }
}
