//! Draws a model in linear light: metal and roughness under lights and surroundings (glTF 2.0, appendix B), the shadow
//! of the main light, tone mapping, and samples per pixel.
//!
//! ```text
//! shadow map (high) -> opaque by program and material -> blended from back to front -> canvas to surface
//! ```
//!
//! At [`Quality::Off`] nothing but plain shading is left, straight to the surface.

mod draws;
mod geometry;
mod joints;
mod lights;
mod look;
mod material;
mod shadow;
mod sky;
mod textures;
mod variant;

use std::sync::Arc;

use glam::{IVec3, Mat3, Mat4};

pub use self::look::{Look, MAX_SAMPLES, Quality};

use self::draws::{Draw, Draws, heaviest};
use self::geometry::Geometry;
use self::joints::Joints;
use self::lights::{GpuLight, Lights, MAX_LIGHTS};
use self::material::Materials;
use self::shadow::{Fit, Shadow};
use self::variant::{FRAME_BLOCK, Flags, Variants, unit};
use super::model::Model;
use super::viewer::ViewerView;
use crate::error::Result;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{Canvas, CreateContext, Frame, Renderer, StreamError, StreamRing, StreamTarget, TextureCube};
use crate::runtime::Size;

/// Behind the model, in linear light: a dark grey that is a little blue.
const BACKGROUND: [f32; 3] = [0.002_7, 0.003_1, 0.004_5];
/// The same as the bytes' shares, where nobody encodes what is stored.
const BACKGROUND_ENCODED: [f32; 3] = [0.035, 0.04, 0.055];
/// Texels of the shadow map that a vertex moves along its normal to leave its own shadow.
const NORMAL_OFFSET: f32 = 1.2;

/// The `Frame` block of the shaders, laid out by std140.
#[derive(Copy, Clone, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct FrameBlock {
    view_projection: Mat4,
    shadow: Mat4,
    eye: [f32; 3],
    surroundings: f32,
    /// How many lights, 1 / side of the shadow map, the offset along normals, nothing.
    settings: [f32; 4],
    irradiance: [[f32; 4]; 9],
    lights: [GpuLight; MAX_LIGHTS],
}

/// Draws a model.
#[derive(Debug)]
pub(super) struct PbrRenderer {
    model: Arc<Model>,
    look: Look,
    geometry: Geometry,
    materials: Materials,
    variants: Variants,
    draws: Draws,
    lights: Lights,
    block: FrameBlock,
    /// What of the frame is in [`FrameBlock`], on its way to the GPU.
    frame: StreamRing,
    /// None of these at [`Quality::Off`].
    environment: Option<TextureCube>,
    canvas: Option<Canvas>,
    shadow: Option<Shadow>,
    joints: Option<Joints>,
    /// Why nothing is drawn was said.
    told: bool,
}

impl PbrRenderer {
    pub(super) fn new(cx: &CreateContext<'_>, model: &Arc<Model>, look: Look) -> Result<Self> {
        let gl = cx.gl;
        let (quality, samples) = look.resolved(gl.caps().software);
        let lights = Lights::new(model);
        let plain = quality == Quality::Off;
        let mut irradiance = [[0.0; 4]; 9];
        let (mut environment, mut canvas) = (None, None);
        if !plain {
            let levels = sky::cube();
            irradiance = sky::irradiance(&levels[0]);
            environment = Some(TextureCube::new(gl, sky::SIDE, &levels)?);
            // A window that has no size yet gets a canvas all the same: what is drawn later has to be encoded by one.
            let size = if cx.size.is_empty() { Size::new(1, 1) } else { cx.size };
            canvas = Some(Canvas::new(gl, size, samples)?);
        }
        let shadow = (quality == Quality::High && lights.casts()).then(|| Shadow::new(gl)).transpose()?;
        let samples = canvas.as_ref().map_or(1, Canvas::samples);
        let why = match look.quality {
            Some(_) => "as asked",
            None if gl.caps().software => "the processor draws",
            None => "a GPU draws",
        };
        log::info!("picture quality {quality} ({why}), {samples} sample(s) per pixel");
        let geometry = Geometry::new(gl, model)?;
        let materials = Materials::new(gl, model)?;
        let mut variants = Variants::default();
        let always = (Flags::PLAIN | Flags::ENCODE).when(plain);
        let draws = Draws::new(gl, model, &geometry, &materials, &mut variants, always, shadow.is_some())?;
        let count: usize = model.skins.iter().map(|s| s.joints.len()).sum();
        let joints = (count > 0).then(|| Joints::new(gl, count)).transpose()?;
        let block = FrameBlock {
            view_projection: Mat4::IDENTITY,
            shadow: Mat4::IDENTITY,
            eye: [0.0; 3],
            surroundings: lights.surroundings,
            settings: [0.0; 4],
            irradiance,
            lights: [GpuLight::default(); MAX_LIGHTS],
        };
        let frame = StreamRing::auto(gl, StreamTarget::Uniform, size_of::<FrameBlock>(), FRAMES_IN_FLIGHT)?;
        Ok(Self {
            model: Arc::clone(model),
            look,
            geometry,
            materials,
            variants,
            draws,
            lights,
            block,
            frame,
            environment,
            canvas,
            shadow,
            joints,
            told: false,
        })
    }

    /// Hands to the driver what holds for the whole frame.
    fn update(&mut self, view: &ViewerView, aspect: f32) -> std::result::Result<(), StreamError> {
        let block = &mut self.block;
        block.view_projection = view.camera.view_projection(aspect);
        block.eye = view.camera.eye.into();
        let lights = self.lights.write(&self.model, &view.world, &mut block.lights);
        block.settings[0] = lights as f32;
        if let Some(shadow) = &self.shadow {
            let Fit { matrix, texel } =
                shadow::fit(&self.model.outline, block.lights[0].way(), shadow.side());
            block.shadow = matrix;
            block.settings[1] = 1.0 / shadow.side() as f32;
            block.settings[2] = texel * NORMAL_OFFSET;
        }
        self.frame.begin_frame()?;
        let range = self.frame.write(std::slice::from_ref(block))?;
        self.frame.finish_writes();
        self.frame.bind_uniform(FRAME_BLOCK, range);
        if let Some(joints) = &mut self.joints {
            joints.write(&view.joints)?;
            joints.bind(unit::JOINTS);
        }
        self.geometry.bind_deltas(unit::DELTAS);
        self.draws.sort(&view.world, &view.joints, view.camera.eye);
        Ok(())
    }

    /// Everything that reads what [`update`](Self::update) wrote has been drawn.
    fn fence(&mut self) {
        self.frame.fence();
        if let Some(joints) = &mut self.joints {
            joints.fence();
        }
    }

    /// Draws what casts shadows, as the light sees it.
    fn draw_shadow(&self, view: &ViewerView, frame: &mut Frame<'_>) {
        let Some(shadow) = &self.shadow else { return };
        shadow.begin();
        frame.set_depth_test(true);
        // Both sides: what is thin or open would let the light through.
        frame.set_face_culling(false, false);
        let mut bound = None;
        for draw in self.draws.opaque.iter() {
            let Some(program) = draw.caster else { continue };
            // Only masked ones look at their material.
            if self.variants.0[program].flags.has(Flags::MASK) {
                self.bind_material(draw, &mut bound);
            }
            self.draw(draw, program, view, frame, None);
        }
        shadow.end();
    }

    fn bind_material(&self, draw: &Draw, bound: &mut Option<usize>) {
        let material = self.geometry.primitives[draw.primitive].material;
        if bound.replace(material) != Some(material) {
            self.materials.bind(material);
        }
    }

    /// Draws one primitive with a program; `culling`: faces that look away are left out where the material says so.
    fn draw(
        &self,
        draw: &Draw,
        program: usize,
        view: &ViewerView,
        frame: &mut Frame<'_>,
        culling: Option<&Mat4>,
    ) {
        let variant = &self.variants.0[program];
        let primitive = &self.geometry.primitives[draw.primitive];
        let matrix = match draw.joints {
            Some(first) if variant.flags.has(Flags::SKIN) => view.joints.get(first),
            _ => view.world.get(draw.node),
        };
        let Some(matrix) = matrix else { return };
        let determinant = matrix.determinant();
        if determinant == 0.0 {
            return; // flattened to nothing
        }
        let program = &variant.program;
        let moves = variant.flags.has(Flags::SKIN) || primitive.morph.is_some();
        if let Some(view_projection) = culling
            && !draw.visible(matrix, view_projection, moves)
        {
            return;
        }
        if variant.flags.has(Flags::SKIN) {
            let first = self.joints.as_ref().map_or(0, Joints::first);
            program.set(&variant.first_joint, first + draw.joints.unwrap_or(0) as i32);
        } else {
            program.set(&variant.world, *matrix);
            program.set(&variant.normal, Mat3::from_mat4(*matrix).inverse().transpose());
        }
        if let Some(morph) = primitive.morph {
            let weights = view.weights.get(self.model.nodes[draw.node].morph.clone()).unwrap_or_default();
            let (heaviest, count) = heaviest(weights);
            program.set(&variant.morph, IVec3::new(morph.first, morph.vertices, count as i32));
            program.set(&variant.morph_weights, heaviest);
        }
        if culling.is_some() {
            let one_sided = primitive.surface && !self.materials.list[primitive.material].double_sided;
            frame.set_face_culling(one_sided, determinant < 0.0);
        }
        frame.draw(program, &primitive.mesh);
    }

    fn draw_picture(&self, view: &ViewerView, frame: &mut Frame<'_>) {
        frame.set_depth_test(true);
        frame.set_point_sizes(true);
        if let Some(environment) = &self.environment {
            environment.bind(unit::ENVIRONMENT);
        }
        if let Some(shadow) = &self.shadow {
            shadow.bind(unit::SHADOW);
        }
        let camera = Some(&self.block.view_projection);
        let mut bound = None;
        for draw in &self.draws.opaque {
            self.bind_material(draw, &mut bound);
            self.draw(draw, draw.program, view, frame, camera);
        }
        if !self.draws.order.is_empty() {
            frame.pass("blended");
            frame.set_blending(true);
            for entry in &self.draws.order {
                let draw = &self.draws.blended[entry.index as usize];
                self.bind_material(draw, &mut bound);
                self.draw(draw, draw.program, view, frame, camera);
            }
            frame.set_blending(false);
        }
        frame.set_face_culling(false, false);
        frame.set_point_sizes(false);
        frame.set_depth_test(false);
    }

    /// Makes the canvas as large as the frame. `false`: the driver refuses, which the log says.
    fn fit_canvas(&mut self, frame: &Frame<'_>) -> bool {
        let Some(canvas) = &mut self.canvas else { return true };
        if canvas.size() == frame.size() {
            return true;
        }
        canvas.resize(frame.size()).inspect_err(|e| log::error!("{e}")).is_ok()
    }
}

impl Renderer<ViewerView> for PbrRenderer {
    fn render(&mut self, view: &ViewerView, frame: &mut Frame<'_>) {
        if !self.fit_canvas(frame) {
            frame.bind_surface();
            frame.clear([0.0, 0.0, 0.0, 1.0]);
            return;
        }
        self.materials.textures.poll();
        if let Err(e) = self.update(view, frame.size().aspect()) {
            // The context is gone, or a driver gives no memory: there is nothing that could be drawn with.
            if !std::mem::replace(&mut self.told, true) {
                log::error!("the model is not drawn: {e}");
            }
            return;
        }
        if self.shadow.is_some() {
            frame.pass("shadow");
            self.draw_shadow(view, frame);
            frame.bind_surface();
        }
        frame.pass("opaque");
        let [r, g, b] = match &self.canvas {
            Some(canvas) => {
                canvas.begin();
                BACKGROUND
            }
            None => BACKGROUND_ENCODED,
        };
        frame.clear_with_depth([r, g, b, 1.0]);
        self.draw_picture(view, frame);
        if let Some(canvas) = &self.canvas {
            frame.pass("resolve");
            canvas.finish(frame);
        }
        self.fence();
    }

    fn unfinished(&self) -> bool {
        self.materials.textures.loading()
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        *self = Self::new(cx, &Arc::clone(&self.model), self.look)?;
        Ok(())
    }
}
