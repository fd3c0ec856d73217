use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use glow::HasContext as _;

use super::handle::{Handle, ProgramObject, ShaderObject};
use super::program_binary;
use super::program_interface::{BlockType, Interface, Origin, VertexType};
use super::shader::{ShaderSource, ShaderStage, compile};
use super::shader_error::ShaderError;
use super::shader_folder::ShaderFolder;
use super::shader_preprocess::Flat;
use super::uniform::Location;
use super::{Gl, Hook, Uniform, UniformBlock, UniformValue, VertexLayout};
use crate::timeline::{self, Kind};

/// What a program is made from, kept so that it can be made again.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) name: String,
    vertex: ShaderSource,
    fragment: ShaderSource,
    vertices: Vec<VertexType>,
    blocks: Vec<BlockType>,
}

/// A program that was made, with what it turned out to read.
pub(super) struct Built {
    pub(super) handle: Handle<ProgramObject>,
    pub(super) interface: Interface,
    pub(super) flats: [Flat; 2],
    cached: bool,
}

/// Whether finished programs are looked for in the cache and left there.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Cached {
    Yes,
    No,
}

impl Recipe {
    /// The texts for the driver. Files that `folder` has come from there.
    pub(super) fn flatten(&self, folder: Option<&ShaderFolder>) -> Result<[Flat; 2], ShaderError> {
        Ok([
            self.vertex.flatten(ShaderStage::Vertex, folder)?,
            self.fragment.flatten(ShaderStage::Fragment, folder)?,
        ])
    }

    /// The way of a program from its texts to being usable; a failure at any step is the end of it and carries what the
    /// driver said.
    ///
    /// ```text
    /// texts ─▶ cache ──▶ linked ─▶ checked against Rust types
    ///            └─▶ compiled ─▶ linked ─▶ cache   ┘
    /// ```
    pub(super) fn build(&self, gl: &Gl, flats: [Flat; 2], cached: Cached) -> Result<Built, ShaderError> {
        let _compile = timeline::span(Kind::Compile, "compile and link");
        let cache = gl.shaders().cache.borrow();
        let cache = cache.as_ref().filter(|_| cached == Cached::Yes && gl.caps().program_binaries);
        let key = cache.map(|_| program_binary::key(gl, &flats));
        let found = cache.zip(key).and_then(|(cache, key)| program_binary::load(gl, cache, key, &self.name));
        let was_cached = found.is_some();
        let handle = match found {
            Some(handle) => handle,
            None => {
                let vertex = compile(gl, ShaderStage::Vertex, &flats[0])?;
                let fragment = compile(gl, ShaderStage::Fragment, &flats[1])?;
                let handle = link(gl, &self.name, &[vertex, fragment], cache.is_some())?;
                if let Some((cache, key)) = cache.zip(key) {
                    program_binary::store(gl, cache, key, handle.raw(), &self.name);
                }
                handle
            }
        };
        let interface = Interface::of(gl, handle.raw());
        let origin = Origin { program: &self.name, flats: flats.each_ref() };
        interface.check_attributes(&origin, &self.vertices)?;
        for block in &self.blocks {
            if interface.check_block(&origin, block)? {
                bind_block(gl, handle.raw(), &block.name, block.binding);
            }
        }
        gl.hook(Hook::Link(&self.name));
        Ok(Built { handle, interface, flats, cached: was_cached })
    }
}

/// A program on its way: what it is made from, and the Rust types that it is held against when it is linked.
#[derive(Clone, Debug)]
#[must_use = "nothing is compiled before `build`"]
pub struct ProgramBuilder(Recipe);

impl ProgramBuilder {
    /// Vertices or instances of this type are drawn with it: names, locations and types of its fields are held against the
    /// attributes that the program reads. Call it for each type; what is never called is not checked.
    pub fn vertices<V: VertexLayout>(mut self) -> Self {
        self.0.vertices.push(VertexType::of::<V>());
        self
    }

    /// The uniform block `name` is filled from this type and reads the buffer at this binding point. Offsets and types
    /// of its members are held against the fields.
    pub fn block<B: UniformBlock>(mut self, name: &str, binding: u32) -> Self {
        self.0.blocks.push(BlockType::of::<B>(name, binding));
        self
    }

    /// Compiles, links and checks it.
    ///
    /// # Errors
    /// With file and line: when the driver refuses a shader or the program, an include cannot be had, or GLSL and Rust do
    /// not agree. What the compiler leaves out because it has no effect is no disagreement.
    pub fn build(self, gl: &Gl) -> Result<Program, ShaderError> {
        let folder = gl.shaders().folder.borrow().clone();
        let recipe = self.0;
        let embedded = |_| recipe.build(gl, recipe.flatten(None)?, Cached::Yes);
        let (built, attempt) = match &folder {
            None => (embedded(())?, Attempt::default()),
            Some(folder) => {
                let flats = recipe.flatten(Some(folder));
                let attempt = Attempt::of(&flats);
                match flats.and_then(|flats| recipe.build(gl, flats, Cached::Yes)) {
                    Ok(built) => (built, attempt),
                    Err(e) => {
                        log::error!("{e}; the embedded program `{}` takes its place", recipe.name);
                        (embedded(())?, attempt)
                    }
                }
            }
        };
        let Built { handle, interface, flats, cached } = built;
        let inner = Rc::new(Inner {
            gl: gl.clone(),
            raw: Cell::new(handle.raw()),
            handle: RefCell::new(handle),
            parts: RefCell::new(Parts { interface, flats, uniforms: Vec::new(), blocks: Vec::new() }),
            attempt: Cell::new(attempt),
            cached,
            recipe,
        });
        if folder.is_some() {
            gl.shaders().programs.borrow_mut().push(Rc::downgrade(&inner));
        }
        Ok(Program(inner))
    }
}

/// What was tried last: a hash of the texts, or of why there were none.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Attempt(u128);

impl Attempt {
    pub(super) fn of(flats: &Result<[Flat; 2], ShaderError>) -> Self {
        let text = match flats {
            Ok([vertex, fragment]) => format!("{}\0{}", vertex.text, fragment.text),
            Err(e) => format!("\0{e}"),
        };
        Self(xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }
}

/// A linked program.
pub struct Program(Rc<Inner>);

pub(super) struct Inner {
    gl: Gl,
    /// The name of `handle`'s program, read at every draw.
    pub(super) raw: Cell<glow::Program>,
    pub(super) handle: RefCell<Handle<ProgramObject>>,
    pub(super) parts: RefCell<Parts>,
    pub(super) attempt: Cell<Attempt>,
    cached: bool,
    pub(super) recipe: Recipe,
}

/// What a program reads, and what of it was handed out.
pub(super) struct Parts {
    pub(super) interface: Interface,
    flats: [Flat; 2],
    pub(super) uniforms: Vec<Wanted>,
    pub(super) blocks: Vec<(String, u32)>,
}

/// A uniform that somebody holds.
pub(super) struct Wanted {
    pub(super) name: String,
    kinds: &'static [u32],
    len: usize,
    rust: &'static str,
    pub(super) location: Location,
}

impl Wanted {
    /// Whether it fits a program; nothing is changed.
    pub(super) fn check(&self, interface: &Interface, origin: &Origin<'_>) -> Result<(), ShaderError> {
        interface.check_uniform(origin, &self.name, self.kinds, self.len, self.rust)
    }
}

impl Parts {
    /// The program was made anew.
    pub(super) fn replace(&mut self, interface: Interface, flats: [Flat; 2]) {
        (self.interface, self.flats) = (interface, flats);
    }
}

impl Program {
    /// Compiles and links a program. `name` is what messages call it.
    ///
    /// # Errors
    /// With the file, the line and the driver's log, when the driver refuses a shader or the program, or an include cannot
    /// be had.
    pub fn new(
        gl: &Gl,
        name: &str,
        vertex: &ShaderSource,
        fragment: &ShaderSource,
    ) -> Result<Self, ShaderError> {
        Self::builder(name, vertex.clone(), fragment.clone()).build(gl)
    }

    /// A program that is held against the Rust types that feed it when it is linked.
    pub fn builder(name: &str, vertex: ShaderSource, fragment: ShaderSource) -> ProgramBuilder {
        let (vertices, blocks) = (Vec::new(), Vec::new());
        ProgramBuilder(Recipe { name: name.to_owned(), vertex, fragment, vertices, blocks })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.recipe.name
    }

    /// Whether the driver took it from the cache of finished programs and compiled nothing.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.0.cached
    }

    /// The uniform of that name: of the whole array by the bare name, of one element by `name[i]`. One that the program
    /// does not use is no error, since drivers remove what has no effect: setting it does nothing, and the log says so once.
    ///
    /// # Errors
    /// [`ShaderFault::Mismatch`](super::ShaderFault::Mismatch) when the shader's uniform has another type, or is a longer
    /// array.
    pub fn uniform<T: UniformValue>(&self, name: &str) -> Result<Uniform<T>, ShaderError> {
        let parts = &mut *self.0.parts.borrow_mut();
        let location = Location::default();
        let rust = std::any::type_name::<T>();
        let wanted = Wanted { name: name.to_owned(), kinds: T::TYPES, len: T::LEN, rust, location };
        wanted.check(&parts.interface, &self.0.origin(&parts.flats))?;
        self.0.locate(&wanted);
        if wanted.location.get().is_none() {
            log::debug!("program `{}` uses no uniform `{name}`", self.name());
        }
        let uniform = Uniform::at(Rc::clone(&wanted.location));
        parts.uniforms.push(wanted);
        Ok(uniform)
    }

    /// Connects a uniform block to a binding point. Returns whether the program has that block.
    /// [`ProgramBuilder::block`] checks its members as well.
    pub fn bind_block(&self, block: &str, binding: u32) -> bool {
        self.0.parts.borrow_mut().blocks.push((block.to_owned(), binding));
        bind_block(self.0.gl(), self.0.raw.get(), block, binding)
    }

    /// Makes it the program that draws.
    pub fn use_program(&self) {
        // SAFETY: the program is ours, alive and linked.
        unsafe { self.0.gl().raw().use_program(Some(self.0.raw.get())) }
    }

    /// Sets a uniform, and makes the program the one that draws.
    pub fn set<T: UniformValue>(&self, uniform: &Uniform<T>, value: T) {
        if let Some(location) = uniform.location() {
            self.use_program();
            value.set(self.0.gl().raw(), &location);
        }
    }

    /// Frees it now.
    pub fn delete(self) {}
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Inner {
    pub(super) const fn gl(&self) -> &Gl {
        &self.gl
    }

    pub(super) fn origin<'a>(&'a self, flats: &'a [Flat; 2]) -> Origin<'a> {
        Origin { program: &self.recipe.name, flats: flats.each_ref() }
    }

    /// Looks a uniform up in the program as it is now.
    pub(super) fn locate(&self, wanted: &Wanted) {
        // SAFETY: asks a linked program of ours.
        let found = unsafe { self.gl().raw().get_uniform_location(self.raw.get(), &wanted.name) };
        wanted.location.set(found);
    }
}

pub(super) fn bind_block(gl: &Gl, program: glow::Program, block: &str, binding: u32) -> bool {
    let gl = gl.raw();
    // SAFETY: the program is linked and alive.
    unsafe {
        let index = gl.get_uniform_block_index(program, block);
        if let Some(index) = index {
            gl.uniform_block_binding(program, index, binding);
        }
        index.is_some()
    }
}

fn link(
    gl: &Gl,
    name: &str,
    shaders: &[Handle<ShaderObject>; 2],
    retrievable: bool,
) -> Result<Handle<ProgramObject>, ShaderError> {
    let fail = |log: &str| ShaderError::driver(ShaderStage::Link, name, None, log);
    // SAFETY: makes a name in the current context.
    let raw = unsafe { gl.raw().create_program() }.map_err(|log| fail(&log))?;
    // SAFETY: the name was just made here, for us alone.
    let program: Handle<ProgramObject> = unsafe { Handle::from_raw(gl, raw) };
    // SAFETY: program and shaders are ours and alive; shaders are detached again so that dropping them frees them.
    let (linked, log) = unsafe {
        if retrievable {
            gl.raw().program_binary_retrievable_hint(raw, true);
        }
        for shader in shaders {
            gl.raw().attach_shader(raw, shader.raw());
        }
        gl.raw().link_program(raw);
        for shader in shaders {
            gl.raw().detach_shader(raw, shader.raw());
        }
        (gl.raw().get_program_link_status(raw), gl.raw().get_program_info_log(raw))
    };
    if linked { Ok(program) } else { Err(fail(&log)) }
}
