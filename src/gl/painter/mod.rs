//! From a [`DrawList`] to OpenGL.

mod array;
mod arrays;
mod material;
mod pool;
mod submit;
mod upload;
mod view;

use glam::{Mat4, Vec3, Vec4};
use glow::HasContext as _;

use super::{Gl, Hook, Program, TextureOptions, Uniform};
use crate::error::{Error, Result};
use crate::runtime::Size;
use crate::scene::{Batches, Commands, DrawList, Instance, MaterialId, MeshId, Sprite, TextureId};
use crate::shader_file;
use array::TextureArray;
use arrays::Arrays;
pub use material::Material;
use material::MaterialTable;
use pool::MeshPool;
pub use pool::Vertex;
pub use submit::Submit;
use submit::{Block, Indirect, Submitter};
use upload::Upload;
pub use upload::UploadBy;
pub use view::PassView;

/// What a painter may be told.
#[derive(Copy, Clone, Debug, Default)]
pub struct PainterOptions {
    /// How draws are handed over; `None`: the best that the driver has.
    pub submit: Option<Submit>,
    /// How instances get to the GPU; `None`: through a mapping where the driver has it.
    pub upload: Option<UploadBy>,
}

/// A program that a painter draws meshes with.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct ProgramId(usize);

/// What one call of [`Painter::paint`] did.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Painted {
    /// Meshes that were recorded.
    pub objects: usize,
    /// Those of them that were left out, because they are not seen.
    pub culled: usize,
    /// Sprites that were recorded.
    pub sprites: usize,
    /// Draws after merging.
    pub batches: usize,
    /// Calls that draw.
    pub draw_calls: u32,
    /// All OpenGL calls, these included.
    pub gl_calls: u32,
    /// Bytes that were streamed.
    pub bytes: usize,
    /// How often the GPU had to be waited for, because it was several frames behind.
    pub waits: u64,
}

#[derive(Debug)]
struct MeshProgram {
    program: Program,
    view_projection: Uniform<Mat4>,
    light: Uniform<Vec4>,
}

impl MeshProgram {
    fn new(program: Program) -> Result<Self> {
        program.set(&program.uniform("u_textures")?, 0);
        program.set(&program.uniform("u_materials")?, 1);
        let (view_projection, light) = (program.uniform("u_view_projection")?, program.uniform("u_light")?);
        Ok(Self { program, view_projection, light })
    }
}

/// Draws what a [`DrawList`] holds: one call per object and frame is recorded, few calls reach the driver.
///
/// All meshes lie in one vertex and one index buffer, materials in a table, textures in arrays, so that neighbours in
/// the order of drawing differ in what an instance carries and in nothing that has to be set. `docs/rendering.md` has
/// what it costs.
///
/// ```no_run
/// use glam::{Affine3A, Mat4, Vec4};
/// use scanout::gl::{Gl, Material, Painter, PainterOptions, PassView, Vertex};
/// use scanout::scene::DrawList;
///
/// # fn example(gl: &Gl, triangle: &[Vertex]) -> scanout::Result<()> {
/// let mut painter = Painter::new(gl, PainterOptions::default())?;
/// let mesh = painter.add_mesh(triangle, &[0, 1, 2])?;
/// let red = painter.add_material(&Material::coloured(Vec4::new(1.0, 0.0, 0.0, 1.0)))?;
/// let mut list = DrawList::new();
/// // every frame:
/// list.clear();
/// list.pass(0).draw(mesh, red, &Affine3A::IDENTITY);
/// let painted = painter.paint(&list, &[PassView::world(Mat4::IDENTITY)])?;
/// assert_eq!(painted.draw_calls, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Painter {
    gl: Gl,
    submit: Submit,
    upload: Upload,
    arrays: Arrays,
    meshes: MeshPool,
    materials: MaterialTable,
    textures: Vec<TextureArray>,
    programs: Vec<MeshProgram>,
    sprites: MeshProgram,
    light: Vec4,
    batches: Batches,
    /// Instances in the order of drawing, where a call per object is made.
    sorted: Vec<Instance>,
}

impl Painter {
    /// A painter without meshes.
    ///
    /// # Errors
    /// When the driver refuses a shader or a buffer, or has not what the options ask for.
    pub fn new(gl: &Gl, options: PainterOptions) -> Result<Self> {
        let caps = gl.caps();
        let submit = options.submit.unwrap_or(Submit::best(caps));
        let upload = match options.upload {
            Some(upload) => upload,
            None if caps.buffer_storage => UploadBy::Mapping,
            None => UploadBy::Orphaning,
        };
        if !submit.works(caps) || (upload == UploadBy::Mapping && !caps.buffer_storage) {
            let detail = format!("{submit:?} with {upload:?} is not to be had from this driver");
            return Err(Error::Gl { operation: "making a painter", detail });
        }
        let mesh = Program::new(
            gl,
            "painter_mesh",
            &shader_file!("painter_mesh.vert"),
            &shader_file!("painter_mesh.frag"),
        )?;
        let sprite = Program::new(
            gl,
            "painter_sprite",
            &shader_file!("painter_sprite.vert"),
            &shader_file!("painter_sprite.frag"),
        )?;
        let painter = Self {
            gl: gl.clone(),
            submit,
            upload: Upload::new(gl, upload)?,
            arrays: Arrays::new(gl)?,
            meshes: MeshPool::new(gl)?,
            materials: MaterialTable::new(gl)?,
            textures: Vec::new(),
            programs: vec![MeshProgram::new(mesh)?],
            sprites: MeshProgram::new(sprite)?,
            light: Vec3::new(0.4, 0.8, 0.45).normalize().extend(0.25),
            batches: Batches::new(),
            sorted: Vec::new(),
        };
        painter.arrays.describe_pool(&painter.meshes);
        painter.arrays.describe_stream(gl, painter.upload.buffer());
        log::debug!("painter: {submit:?}, {upload:?}");
        Ok(painter)
    }

    /// How draws are handed over.
    #[must_use]
    pub const fn submit(&self) -> Submit {
        self.submit
    }

    /// Adds a mesh of triangles, three indices each.
    ///
    /// # Errors
    /// When an index lies outside the vertices, or there is no memory or no name left ([`MeshId::COUNT`]).
    pub fn add_mesh(&mut self, vertices: &[Vertex], indices: &[u32]) -> Result<MeshId> {
        let (mesh, moved) = self.meshes.add(vertices, indices)?;
        if moved {
            self.arrays.describe_pool(&self.meshes);
        }
        Ok(mesh)
    }

    /// Adds pictures of one size (red, green, blue, alpha per texel, rows from top to bottom) as the layers of one texture
    /// array. Sprites, and materials, with textures of one array share a draw.
    ///
    /// # Errors
    /// When the sizes do not fit, or there is no memory or no name left ([`TextureId::ARRAYS`]).
    pub fn add_textures(
        &mut self,
        size: Size,
        layers: &[&[u8]],
        options: &TextureOptions,
    ) -> Result<Vec<TextureId>> {
        let number = self.textures.len() as u32;
        let names: Option<Vec<_>> =
            (0..layers.len()).map(|layer| TextureId::new(number, u32::try_from(layer).ok()?)).collect();
        let names = names.ok_or_else(|| Error::Gl {
            operation: "adding textures",
            detail: format!(
                "at most {} arrays of {} layers have names",
                TextureId::ARRAYS,
                TextureId::LAYERS
            ),
        })?;
        self.textures.push(TextureArray::new(&self.gl, size, layers, options)?);
        Ok(names)
    }

    /// Adds a material.
    ///
    /// # Errors
    /// When there is no name left ([`MaterialId::COUNT`], [`MaterialId::STATES`]).
    pub fn add_material(&mut self, material: &Material) -> Result<MaterialId> {
        self.materials.add(material)
    }

    /// Gives a material another look. The table goes to the GPU with the next frame.
    ///
    /// # Errors
    /// When program, texture array or transparency would change: that is another material.
    pub fn set_material(&mut self, id: MaterialId, material: &Material) -> Result<()> {
        self.materials.set(id, material)
    }

    /// Adds a program to draw meshes with. It reads what `shaders/painter_mesh.vert` reads: the attributes at the same
    /// locations, and as many of the uniforms as it likes.
    ///
    /// # Errors
    /// When a uniform of these names is of another type.
    pub fn add_program(&mut self, program: Program) -> Result<ProgramId> {
        self.programs.push(MeshProgram::new(program)?);
        Ok(ProgramId(self.programs.len() - 1))
    }

    /// The light of the painter's own program: where it comes from, and how bright (0 to 1) the dark side is.
    pub fn set_light(&mut self, from: Vec3, ambient: f32) {
        self.light = from.normalize_or(Vec3::Y).extend(ambient);
    }

    /// Draws a list, each pass as seen by the view of its number, into the bound target. Blending, tests, programs and
    /// vertex arrays are set back to what a renderer finds at the start of a frame.
    ///
    /// After the first frames it allocates nothing, and it waits for nothing unless the GPU is several frames behind.
    ///
    /// # Errors
    /// When a pass that has something in it has no view, or the driver has no memory.
    pub fn paint(&mut self, list: &DrawList, views: &[PassView]) -> Result<Painted> {
        let waits = self.upload.waits();
        let mut painted = Painted::default();
        for (number, commands) in list.passes().iter().enumerate().filter(|(_, c)| !c.is_empty()) {
            let view = views.get(number).ok_or_else(|| Error::Gl {
                operation: "painting",
                detail: format!("pass {number} has commands and no view"),
            })?;
            self.paint_pass(commands, view, &mut painted)?;
        }
        self.upload.fence();
        painted.gl_calls += self.upload.take_calls();
        painted.waits = self.upload.waits() - waits;
        Ok(painted)
    }

    fn paint_pass(&mut self, commands: &Commands, view: &PassView, painted: &mut Painted) -> Result<()> {
        self.batches.build(commands, &view.scene_view(), self.meshes.bounds());
        painted.objects += commands.instances().len();
        painted.culled += self.batches.culled();
        painted.sprites += commands.sprites().len();
        painted.batches += self.batches.batches().len() + self.batches.sprite_batches().len();
        let (block, bytes) = self.stream(commands)?;
        painted.bytes += bytes;
        let mut to = Submitter {
            gl: &self.gl,
            by: self.submit,
            block,
            stream: self.upload.buffer(),
            arrays: &self.arrays,
            calls: 0,
            draws: 0,
        };
        // SAFETY: sets state of the current context; the table is bound to unit 1, arrays to unit 0.
        unsafe {
            to.call().active_texture(glow::TEXTURE1);
            to.calls += self.materials.bind();
            to.call().active_texture(glow::TEXTURE0);
            if view.face_culling {
                to.call().enable(glow::CULL_FACE);
            }
            if view.depth_test {
                to.call().enable(glow::DEPTH_TEST);
            }
        }
        self.draw_meshes(&mut to, view);
        if view.depth_test {
            // SAFETY: sets state of the current context.
            unsafe { to.call().disable(glow::DEPTH_TEST) }
        }
        self.draw_sprites(&mut to, view, commands);
        // SAFETY: sets state of the current context.
        unsafe {
            if view.face_culling {
                to.call().disable(glow::CULL_FACE);
            }
            to.call().bind_vertex_array(None);
            to.call().use_program(None);
        }
        painted.draw_calls += to.draws;
        painted.gl_calls += to.calls;
        Ok(())
    }

    /// Hands instances, sprites and indirect draws over. Returns where they lie, and how many bytes they are.
    fn stream(&mut self, commands: &Commands) -> Result<(Block, usize)> {
        if self.submit == Submit::PerObject {
            self.sorted.resize(self.batches.visible(), bytemuck::Zeroable::zeroed());
            self.batches.write(commands, &mut self.sorted);
            return Ok((Block::default(), 0));
        }
        let sprites: &[u8] = bytemuck::cast_slice(commands.sprites());
        let draws = if self.submit == Submit::MultiDraw { self.batches.batches().len() } else { 0 };
        let instances = self.batches.visible() * size_of::<Instance>();
        let bytes = instances + sprites.len() + draws * size_of::<Indirect>();
        let (start, another) = self.upload.begin(bytes + size_of::<Sprite>(), size_of::<Instance>())?;
        if another {
            self.arrays.describe_stream(&self.gl, self.upload.buffer());
        }
        let sprites_at = (start + instances).next_multiple_of(size_of::<Sprite>());
        let block = Block { instances: start, sprites: sprites_at, indirect: sprites_at + sprites.len() };
        if self.batches.as_recorded() {
            self.upload.copy(start, bytemuck::cast_slice(commands.instances()));
        } else {
            self.upload.fill(start, instances, |out| {
                self.batches.write(commands, bytemuck::cast_slice_mut(out));
            });
        }
        if !sprites.is_empty() {
            self.upload.copy(sprites_at, sprites);
        }
        if draws > 0 {
            self.upload.fill(block.indirect, draws * size_of::<Indirect>(), |out| {
                let out: &mut [Indirect] = bytemuck::cast_slice_mut(out);
                for (slot, batch) in out.iter_mut().zip(self.batches.batches()) {
                    *slot = Indirect::new(batch, self.meshes.slice(batch.mesh), block);
                }
            });
        }
        Ok((block, bytes))
    }

    fn draw_meshes(&self, to: &mut Submitter<'_>, view: &PassView) {
        let batches = self.batches.batches();
        if batches.is_empty() {
            return;
        }
        to.begin_meshes();
        let mut blending = false;
        let mut used = None;
        let mut first = 0;
        for group in batches.chunk_by(|a, b| (a.transparent, a.state) == (b.transparent, b.state)) {
            let (transparent, state) = (group[0].transparent, group[0].state);
            let start = first;
            first += group.len();
            let Some(state) = self.materials.state(transparent, state) else { continue };
            let Some(program) = self.programs.get(state.program.0) else { continue };
            if transparent != blending {
                set_blending(to, transparent);
                blending = transparent;
            }
            if used != Some(state.program) {
                program.program.set(&program.view_projection, view.view_projection);
                program.program.set(&program.light, self.light);
                to.calls += 4;
                used = Some(state.program);
            }
            if let Some(array) = state.array.and_then(|a| self.textures.get(a as usize)) {
                array.bind();
                to.calls += 1;
            }
            to.meshes(&self.meshes, start, group, &self.sorted);
        }
        if blending {
            set_blending(to, false);
        }
    }

    fn draw_sprites(&self, to: &mut Submitter<'_>, view: &PassView, commands: &Commands) {
        if commands.sprites().is_empty() {
            return;
        }
        to.begin_sprites();
        self.sprites.program.set(&self.sprites.view_projection, view.view_projection);
        to.calls += 2;
        set_blending(to, true);
        for batch in self.batches.sprite_batches() {
            if let Some(array) = self.textures.get(batch.array as usize) {
                array.bind();
                to.calls += 1;
                to.sprites(*batch, commands.sprites());
            }
        }
        set_blending(to, false);
    }
}

/// As [`Frame::set_blending`](super::Frame::set_blending).
fn set_blending(to: &mut Submitter<'_>, on: bool) {
    // SAFETY: sets state of the current context.
    unsafe {
        if on {
            to.call().enable(glow::BLEND);
            to.call().blend_func_separate(
                glow::SRC_ALPHA,
                glow::ONE_MINUS_SRC_ALPHA,
                glow::ONE,
                glow::ONE_MINUS_SRC_ALPHA,
            );
        } else {
            to.call().disable(glow::BLEND);
        }
        to.call().depth_mask(!on);
    }
}
