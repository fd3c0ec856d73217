//! From a [`DrawList`] to OpenGL.

mod arrays;
mod material;
mod paint;
mod pool;
mod stream;
mod submit;
mod view;

use glam::{Mat4, Vec3, Vec4};

use super::{Gl, Hook, Program, Strategy, TextureArray, Uniform};
use crate::error::{Error, Result};
use crate::scene::{Batches, Instance, LayerId, MaterialId, MeshId, Sprite};
use crate::shader_file;
use arrays::Arrays;
pub use material::Material;
use material::MaterialTable;
pub use paint::Painted;
use pool::MeshPool;
pub use pool::Vertex;
use stream::Stream;
use submit::Block;
pub use submit::Submit;
pub use view::PassView;

/// What a painter may be told.
#[derive(Copy, Clone, Debug, Default)]
pub struct PainterOptions {
    /// How draws are handed over; `None`: the best that the driver has.
    pub submit: Option<Submit>,
    /// How instances get to the GPU; `None`: the way that suits the driver.
    pub stream: Option<Strategy>,
    /// How often [`Painter::paint`] is called in a frame; 0 is 1. With more calls than that the GPU is waited for.
    pub paints_per_frame: usize,
    /// Meshes are not kept in memory as well, which saves 32 bytes a vertex and 4 an index; [`Painter::restore`] refuses then.
    pub forget_meshes: bool,
}

/// A program that a painter draws meshes with.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct ProgramId(usize);

#[derive(Debug)]
struct MeshProgram {
    program: Program,
    textures: Uniform<i32>,
    materials: Uniform<i32>,
    view_projection: Uniform<Mat4>,
    light: Uniform<Vec4>,
}

impl MeshProgram {
    fn new(program: Program) -> Result<Self> {
        Ok(Self {
            textures: program.uniform("u_textures")?,
            materials: program.uniform("u_materials")?,
            view_projection: program.uniform("u_view_projection")?,
            light: program.uniform("u_light")?,
            program,
        })
    }
}

/// Draws what a [`DrawList`](crate::scene::DrawList) holds: one call per object and frame is recorded, few calls reach the driver.
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
    options: PainterOptions,
    submit: Submit,
    stream: Stream,
    arrays: Arrays,
    meshes: MeshPool,
    materials: MaterialTable,
    textures: Vec<TextureArray>,
    programs: Vec<MeshProgram>,
    sprites: MeshProgram,
    light: Vec4,
    /// Of each pass. Their memory survives.
    passes: Vec<(Batches, Block)>,
    /// Instances in the order of drawing, where a call per object is made.
    sorted: Vec<Instance>,
    /// Sprites that are seen, for the same.
    seen: Vec<Sprite>,
}

impl Painter {
    /// A painter without meshes.
    ///
    /// # Errors
    /// When the driver refuses a shader or a buffer, or has not what the options ask for.
    pub fn new(gl: &Gl, options: PainterOptions) -> Result<Self> {
        let caps = gl.caps();
        let submit = options.submit.unwrap_or(Submit::best(caps));
        if !submit.works(caps) {
            let detail = format!("{submit:?} is not to be had from this driver");
            return Err(Error::Gl { operation: "making a painter", detail });
        }
        let strategy = match options.stream {
            Some(strategy) => strategy,
            None => gl.stream_strategy()?,
        };
        let stream = Stream::new(gl, strategy, options.paints_per_frame)?;
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
            options,
            submit,
            stream,
            arrays: Arrays::new(gl)?,
            meshes: MeshPool::new(gl, !options.forget_meshes)?,
            materials: MaterialTable::new(gl)?,
            textures: Vec::new(),
            programs: vec![MeshProgram::new(mesh)?],
            sprites: MeshProgram::new(sprite)?,
            light: Vec3::new(0.4, 0.8, 0.45).normalize().extend(0.25),
            passes: Vec::new(),
            sorted: Vec::new(),
            seen: Vec::new(),
        };
        painter.arrays.describe_pool(&painter.meshes);
        painter.arrays.describe_stream(gl, painter.stream.buffer());
        log::debug!("painter: {submit:?}, streaming by {strategy}");
        Ok(painter)
    }

    /// Makes everything anew in another context, after the painter's own was lost: call it from
    /// [`Renderer::restore`](super::Renderer::restore). All names stay what they are. Meshes and materials come from the
    /// painter's memory; texture arrays and programs are the caller's to give again, all of them, in the order in which they
    /// were added.
    ///
    /// # Errors
    /// When arrays or programs are missing or arrays have other numbers of layers, when meshes were not kept
    /// ([`PainterOptions::forget_meshes`]), and for what [`new`](Self::new) fails for. The painter is as it was then.
    pub fn restore(
        &mut self,
        gl: &Gl,
        textures: Vec<TextureArray>,
        programs: impl IntoIterator<Item = Program>,
    ) -> Result<()> {
        let fail = |detail| Error::Gl { operation: "restoring a painter", detail };
        let layers = |arrays: &[TextureArray]| arrays.iter().map(TextureArray::layers).collect::<Vec<_>>();
        let (had, given) = (layers(&self.textures), layers(&textures));
        if had != given {
            return Err(fail(format!(
                "texture arrays of {had:?} layers are wanted, and {given:?} were given"
            )));
        }
        let mut new = Self::new(gl, self.options)?;
        for program in programs {
            new.add_program(program)?;
        }
        if new.programs.len() != self.programs.len() {
            let (had, given) = (self.programs.len() - 1, new.programs.len() - 1);
            return Err(fail(format!("{had} programs of one's own are wanted, and {given} were given")));
        }
        new.meshes = self.meshes.restored(gl)?;
        new.arrays.describe_pool(&new.meshes);
        new.materials = self.materials.restored(gl)?;
        (new.textures, new.light) = (textures, self.light);
        // Their memory survives: the frame after a loss asks for none.
        std::mem::swap(&mut new.passes, &mut self.passes);
        *self = new;
        Ok(())
    }

    /// How draws are handed over.
    #[must_use]
    pub const fn submit(&self) -> Submit {
        self.submit
    }

    /// Adds a mesh of triangles, three indices each. As long as none was removed, names are given in order from index 0, so
    /// that a list can be recorded on a thread that has never seen the painter.
    ///
    /// # Errors
    /// When an index lies outside the vertices, or there is no memory or no name left ([`MeshId::COUNT`]).
    pub fn add_mesh(&mut self, vertices: &[Vertex], indices: &[u32]) -> Result<MeshId> {
        let mesh = self.meshes.add(vertices, indices);
        if self.meshes.take_moved() {
            self.arrays.describe_pool(&self.meshes);
        }
        mesh
    }

    /// Takes a mesh out. Its room in the buffers and its name go to meshes that are added later; until then, draws that
    /// still name it show nothing. Whether there was one.
    pub fn remove_mesh(&mut self, mesh: MeshId) -> bool {
        self.meshes.remove(mesh)
    }

    /// How instances get to the GPU.
    #[must_use]
    pub const fn strategy(&self) -> Strategy {
        self.stream.strategy()
    }

    /// Takes a texture array. Returns a name for each of its layers. Sprites, and materials, with textures of one array
    /// share a draw.
    ///
    /// The painter's own programs write colours as they read them. For a surface whose bytes are sRGB, as those of windows are,
    /// make the array without [`TextureOptions::srgb`](super::TextureOptions): decoded colours would come out too dark.
    ///
    /// # Errors
    /// When there is no name left ([`LayerId::ARRAYS`], [`LayerId::LAYERS`]).
    pub fn add_textures(&mut self, array: TextureArray) -> Result<Vec<LayerId>> {
        let number = self.textures.len() as u32;
        let names: Option<Vec<_>> = (0..array.layers()).map(|layer| LayerId::new(number, layer)).collect();
        let names = names.ok_or_else(|| Error::Gl {
            operation: "adding textures",
            detail: format!("at most {} arrays of {} layers have names", LayerId::ARRAYS, LayerId::LAYERS),
        })?;
        self.textures.push(array);
        Ok(names)
    }

    /// Adds a material.
    ///
    /// # Errors
    /// When there is no name left ([`MaterialId::COUNT`], [`MaterialId::STATES`]), or its program or texture is not of this
    /// painter.
    pub fn add_material(&mut self, material: &Material) -> Result<MaterialId> {
        let foreign = |what: &str| Error::Gl {
            operation: "adding a material",
            detail: format!("its {what} is not of this painter"),
        };
        if material.program.is_some_and(|program| program.0 >= self.programs.len()) {
            return Err(foreign("program"));
        }
        if material.texture.is_some_and(|layer| layer.array() as usize >= self.textures.len()) {
            return Err(foreign("texture"));
        }
        self.materials.add(material)
    }

    /// Gives a material another look. The table goes to the GPU with the next frame.
    ///
    /// # Errors
    /// When program, texture array or transparency would change: that is another material.
    pub fn set_material(&mut self, id: MaterialId, material: &Material) -> Result<()> {
        self.materials.set(id, material)
    }

    /// Takes a material out. Its name goes to materials that are added later; until then, draws that still name it look as
    /// before. Whether there was one.
    pub fn remove_material(&mut self, id: MaterialId) -> bool {
        self.materials.remove(id)
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
}
