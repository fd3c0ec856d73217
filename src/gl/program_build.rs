use std::rc::Rc;

use glow::HasContext as _;

use super::handle::{Handle, ProgramObject, ShaderObject};
use super::program::{Inner, bind_block};
use super::program_binary;
use super::program_interface::{BlockType, Interface, Origin, VertexType};
use super::shader::{ShaderSource, ShaderStage, compile};
use super::shader_error::ShaderError;
use super::shader_folder::ShaderFolder;
use super::shader_preprocess::Flat;
use super::{Gl, Hook, Program, UniformBlock, VertexLayout};
use crate::timeline::{self, Kind};

/// What a program is made from, kept so that it can be made again.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) name: String,
    pub(super) vertex: ShaderSource,
    pub(super) fragment: ShaderSource,
    pub(super) vertices: Vec<VertexType>,
    pub(super) blocks: Vec<BlockType>,
}

/// A program that was made, with what it turned out to read.
pub(super) struct Built {
    pub(super) handle: Handle<ProgramObject>,
    pub(super) interface: Interface,
    pub(super) flats: [Flat; 2],
    pub(super) cached: bool,
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
    /// texts ──▶ in the cache? ─yes──────────────────────────────▶ held against the Rust types
    ///                 └──no──▶ compiled ──▶ linked ──▶ kept ──▶┘
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
pub struct ProgramBuilder(pub(super) Recipe);

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
        let embedded = || recipe.build(gl, recipe.flatten(None)?, Cached::Yes);
        let (built, attempt) = match &folder {
            None => (embedded()?, Attempt::default()),
            Some(folder) => {
                let flats = recipe.flatten(Some(folder));
                let attempt = Attempt::of(&flats);
                match flats.and_then(|flats| recipe.build(gl, flats, Cached::Yes)) {
                    Ok(built) => (built, attempt),
                    Err(e) => {
                        let level =
                            if gl.shaders().is_news(&e) { log::Level::Error } else { log::Level::Debug };
                        log::log!(level, "{e}; the embedded program `{}` takes its place", recipe.name);
                        (embedded()?, attempt)
                    }
                }
            }
        };
        let inner = Rc::new(Inner::new(gl, recipe, built, attempt));
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
