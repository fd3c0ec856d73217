use std::path::Path;
use std::sync::Arc;

use glam::{Mat3, Mat4, Vec3, Vec4};

use super::model::{Alpha, Filter as TexelFilter, Mode, Model, Pose, Vertex, Wrap as TexelWrap};
use super::orbit::{Camera, Orbit};
use crate::error::Result;
use crate::gl::{
    CreateContext, Filter, Frame, Gl, Mesh, Primitive, Program, Renderer, Texture, TextureOptions, Uniform,
    Wrap,
};
use crate::runtime::{Demand, InputEvent, Logic, Size, Tick};
use crate::{shader_file, vertex_layout};

/// The model in `assets/`, which is the default scene.
pub const MODEL: &[u8] = include_bytes!("../../assets/orrery.glb");

vertex_layout!(Vertex { position, normal, uv, color });

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
    world: Vec<Mat4>,
    camera: Camera,
}

impl Viewer {
    /// Loads a `.gltf` or `.glb` file. What it has that cannot be shown is named in one line of the log.
    ///
    /// # Errors
    /// When the file cannot be read or is broken.
    pub fn load(path: &Path) -> Result<Self> {
        let mut model = Model::load(path)?;
        if model.materials.iter().any(|m| !m.unlit) {
            // The lighting is plain so far: one sun and a sky, the same for every surface.
            model.unsupported.push("metallic and roughness factors".into());
        }
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
        out.camera = self.orbit.camera();
    }

    fn demand(&self) -> Demand {
        if self.model.animations.is_empty() { Demand::OnInput } else { Demand::EveryFrame }
    }
}

/// One draw call: a primitive at a node.
#[derive(Debug)]
struct Draw {
    node: usize,
    mesh: usize,
    centre: Vec3,
}

#[derive(Debug)]
struct GpuPrimitive {
    mesh: Mesh,
    material: usize,
    lit: bool,
    surface: bool,
}

/// Draws a model: opaque and masked surfaces first, then blended ones from back to front.
#[derive(Debug)]
pub(super) struct ViewerRenderer {
    model: Arc<Model>,
    program: Program,
    uniforms: Uniforms,
    primitives: Vec<GpuPrimitive>,
    textures: Vec<Texture>,
    white: Texture,
    opaque: Vec<Draw>,
    blended: Vec<Draw>,
    /// Indices into `blended` with their distances, sorted anew each frame in storage of its own.
    order: Vec<(f32, usize)>,
}

#[derive(Debug)]
struct Uniforms {
    view_projection: Uniform<Mat4>,
    world: Uniform<Mat4>,
    normal: Uniform<Mat3>,
    base_color: Uniform<Vec4>,
    emissive: Uniform<Vec3>,
    cutoff: Uniform<f32>,
    lit: Uniform<f32>,
    eye: Uniform<Vec3>,
    texture: Uniform<i32>,
}

impl ViewerRenderer {
    pub(super) fn new(gl: &Gl, model: &Arc<Model>) -> Result<Self> {
        let program = Program::builder("model", shader_file!("model.vert"), shader_file!("model.frag"))
            .vertices::<Vertex>()
            .build(gl)?;
        let uniforms = Uniforms {
            view_projection: program.uniform("u_view_projection")?,
            world: program.uniform("u_world")?,
            normal: program.uniform("u_normal")?,
            base_color: program.uniform("u_base_color")?,
            emissive: program.uniform("u_emissive")?,
            cutoff: program.uniform("u_cutoff")?,
            lit: program.uniform("u_lit")?,
            eye: program.uniform("u_eye")?,
            texture: program.uniform("u_texture")?,
        };
        let mut primitives = Vec::new();
        let mut first = Vec::with_capacity(model.meshes.len());
        for mesh in &model.meshes {
            first.push(primitives.len());
            for p in &mesh.primitives {
                let mode = primitive(p.mode);
                let gpu = match &p.indices {
                    Some(indices) => Mesh::indexed(gl, mode, &p.vertices, indices)?,
                    None => Mesh::new(gl, mode, &p.vertices)?,
                };
                let lit = p.lit && !model.materials[p.material].unlit;
                let surface = p.mode.is_triangles();
                primitives.push(GpuPrimitive { mesh: gpu, material: p.material, lit, surface });
            }
        }
        let textures = model
            .textures
            .iter()
            .enumerate()
            .map(|(i, texture)| {
                let image = &model.images[texture.image];
                let options = TextureOptions {
                    srgb: image.srgb,
                    mipmaps: texture.mipmap.is_some(),
                    wrap: (wrap(texture.wrap_u), wrap(texture.wrap_v)),
                    magnify: filter(texture.magnify),
                    minify: filter(texture.minify),
                };
                Texture::rgba8(
                    gl,
                    &format!("texture {i}"),
                    Size::new(image.width, image.height),
                    &image.rgba,
                    &options,
                )
            })
            .collect::<Result<Vec<_>>>()?;
        let white = Texture::rgba8(gl, "white", Size::new(1, 1), &[255; 4], &TextureOptions::default())?;
        let (mut opaque, mut blended) = (Vec::new(), Vec::new());
        for (node, mesh) in model.nodes.iter().enumerate().filter_map(|(i, n)| Some((i, n.mesh?))) {
            for (i, p) in model.meshes[mesh].primitives.iter().enumerate() {
                let draw = Draw { node, mesh: first[mesh] + i, centre: p.bounds.center() };
                let list = if model.materials[p.material].alpha == Alpha::Blend {
                    &mut blended
                } else {
                    &mut opaque
                };
                list.push(draw);
            }
        }
        let order = Vec::with_capacity(blended.len());
        Ok(Self {
            model: Arc::clone(model),
            program,
            uniforms,
            primitives,
            textures,
            white,
            opaque,
            blended,
            order,
        })
    }

    fn draw(&self, draw: &Draw, world: &[Mat4], frame: &mut Frame<'_>) {
        let Some(world) = world.get(draw.node) else { return };
        let determinant = world.determinant();
        if determinant == 0.0 {
            return; // flattened to nothing
        }
        let primitive = &self.primitives[draw.mesh];
        let material = &self.model.materials[primitive.material];
        let program = &self.program;
        program.set(&self.uniforms.world, *world);
        program.set(&self.uniforms.normal, Mat3::from_mat4(*world).inverse().transpose());
        program.set(&self.uniforms.base_color, Vec4::from(material.base_color));
        program.set(&self.uniforms.emissive, Vec3::from(material.emissive));
        program.set(&self.uniforms.lit, if primitive.lit { 1.0 } else { 0.0 });
        // Below zero: the alpha is the surface's. Otherwise what is drawn is opaque, whatever the base colour says.
        let cutoff = match material.alpha {
            Alpha::Opaque => 0.0,
            Alpha::Mask(cutoff) => cutoff.max(0.0),
            Alpha::Blend => -1.0,
        };
        program.set(&self.uniforms.cutoff, cutoff);
        material.base_color_texture.map_or(&self.white, |t| &self.textures[t]).bind(0);
        frame.set_face_culling(!material.double_sided && primitive.surface, determinant < 0.0);
        frame.draw(program, &primitive.mesh);
    }
}

impl Renderer<ViewerView> for ViewerRenderer {
    fn render(&mut self, view: &ViewerView, frame: &mut Frame<'_>) {
        frame.pass("opaque");
        frame.clear_with_depth([0.035, 0.04, 0.055, 1.0]);
        frame.set_depth_test(true);
        frame.set_point_sizes(true);
        let camera = &view.camera;
        self.program.set(&self.uniforms.view_projection, camera.view_projection(frame.size().aspect()));
        self.program.set(&self.uniforms.eye, camera.eye);
        self.program.set(&self.uniforms.texture, 0);
        for draw in &self.opaque {
            self.draw(draw, &view.world, frame);
        }
        if !self.blended.is_empty() {
            self.order.clear();
            self.order.extend(self.blended.iter().enumerate().map(|(i, draw)| {
                let at = view.world.get(draw.node).map_or(draw.centre, |w| w.transform_point3(draw.centre));
                (at.distance_squared(camera.eye), i)
            }));
            self.order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            frame.pass("blended");
            frame.set_blending(true);
            for &(_, i) in &self.order {
                self.draw(&self.blended[i], &view.world, frame);
            }
            frame.set_blending(false);
        }
        frame.set_face_culling(false, false);
        frame.set_point_sizes(false);
        frame.set_depth_test(false);
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        *self = Self::new(cx.gl, &Arc::clone(&self.model))?;
        Ok(())
    }
}

const fn primitive(mode: Mode) -> Primitive {
    match mode {
        Mode::Points => Primitive::Points,
        Mode::Lines => Primitive::Lines,
        Mode::LineLoop => Primitive::LineLoop,
        Mode::LineStrip => Primitive::LineStrip,
        Mode::Triangles => Primitive::Triangles,
        Mode::TriangleStrip => Primitive::TriangleStrip,
        Mode::TriangleFan => Primitive::TriangleFan,
    }
}

const fn wrap(wrap: TexelWrap) -> Wrap {
    match wrap {
        TexelWrap::Repeat => Wrap::Repeat,
        TexelWrap::Mirror => Wrap::Mirror,
        TexelWrap::Clamp => Wrap::Clamp,
    }
}

const fn filter(filter: TexelFilter) -> Filter {
    match filter {
        TexelFilter::Nearest => Filter::Nearest,
        TexelFilter::Linear => Filter::Linear,
    }
}
