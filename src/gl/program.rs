use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use glow::HasContext as _;

use super::handle::{Handle, ProgramObject};
use super::program_build::{Attempt, Built, Recipe};
use super::program_interface::{Interface, Origin};
use super::shader::ShaderSource;
use super::shader_error::ShaderError;
use super::shader_preprocess::Flat;
use super::uniform::Location;
use super::{Gl, ProgramBuilder, Uniform, UniformValue};

/// A linked program.
pub struct Program(pub(super) Rc<Inner>);

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
        let rust = std::any::type_name::<T>();
        if let Some(known) = parts.uniforms.iter().find(|u| u.name == name && u.rust == rust) {
            return Ok(Uniform::at(Rc::clone(&known.location)));
        }
        let location = Location::default();
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
        let blocks = &mut self.0.parts.borrow_mut().blocks;
        match blocks.iter_mut().find(|(name, _)| name == block) {
            Some((_, known)) => *known = binding,
            None => blocks.push((block.to_owned(), binding)),
        }
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
    pub(super) fn new(gl: &Gl, recipe: Recipe, built: Built, attempt: Attempt) -> Self {
        let Built { handle, interface, flats, cached } = built;
        Self {
            gl: gl.clone(),
            raw: Cell::new(handle.raw()),
            handle: RefCell::new(handle),
            parts: RefCell::new(Parts { interface, flats, uniforms: Vec::new(), blocks: Vec::new() }),
            attempt: Cell::new(attempt),
            cached,
            recipe,
        }
    }

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
