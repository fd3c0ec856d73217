use std::cell::Cell;
use std::marker::PhantomData;

use glam::{Mat3, Mat4, Vec2, Vec3, Vec4};
use glow::HasContext as _;

use super::handle::{Handle, ProgramObject, ShaderObject};
use super::shader::{ShaderError, ShaderSource, ShaderStage, compile, log_line};
use super::{Gl, Hook};

/// The way of a program from its sources to being usable. One function moves it on; a failure at any step is the
/// end of the way and carries what the driver said.
///
/// ```text
/// Sources ──compile──▶ Compiled ──link──▶ Linked
///    └───────────────────┴──▶ ShaderError
/// ```
enum Build<'a> {
    Sources(&'a ShaderSource, &'a ShaderSource),
    Compiled([Handle<ShaderObject>; 2]),
    Linked(Handle<ProgramObject>),
}

impl Build<'_> {
    fn advance(self, gl: &Gl, name: &str) -> Result<Self, ShaderError> {
        match self {
            Self::Sources(vertex, fragment) => Ok(Self::Compiled([
                compile(gl, ShaderStage::Vertex, vertex)?,
                compile(gl, ShaderStage::Fragment, fragment)?,
            ])),
            Self::Compiled(shaders) => Ok(Self::Linked(link(gl, name, &shaders)?)),
            linked @ Self::Linked(_) => Ok(linked),
        }
    }
}

/// A linked program with the locations of its uniforms.
#[derive(Debug)]
pub struct Program {
    handle: Handle<ProgramObject>,
    name: String,
    uniforms: Vec<(String, glow::UniformLocation)>,
}

/// A uniform of one program, looked up once.
#[derive(Clone, Debug)]
pub struct Uniform<T> {
    location: Option<glow::UniformLocation>,
    _value: PhantomData<Cell<T>>,
}

impl Program {
    /// Compiles and links a program. `name` is what messages call it.
    ///
    /// # Errors
    /// With the file, the line and the driver's log, when the driver refuses a shader or the program.
    pub fn new(
        gl: &Gl,
        name: &str,
        vertex: &ShaderSource,
        fragment: &ShaderSource,
    ) -> Result<Self, ShaderError> {
        let mut build = Build::Sources(vertex, fragment);
        let handle = loop {
            build = match build.advance(gl, name)? {
                Build::Linked(handle) => break handle,
                next => next,
            };
        };
        gl.hook(Hook::Link(name));
        let uniforms = active_uniforms(gl, handle.raw());
        Ok(Self { handle, name: name.to_owned(), uniforms })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The uniform of that name. One that the program does not use is no error, since drivers remove what has no
    /// effect: setting it does nothing, and the log says so once.
    #[must_use]
    pub fn uniform<T: UniformValue>(&self, name: &str) -> Uniform<T> {
        let found = self.uniforms.iter().find(|(n, _)| n == name || n.strip_suffix("[0]") == Some(name));
        if found.is_none() {
            log::debug!("program `{}` uses no uniform `{name}`", self.name);
        }
        Uniform { location: found.map(|&(_, location)| location), _value: PhantomData }
    }

    /// Connects a uniform block to a binding point. Returns whether the program has that block.
    pub fn bind_block(&self, block: &str, binding: u32) -> bool {
        let gl = self.handle.gl().raw();
        // SAFETY: the program is ours and alive.
        unsafe {
            let index = gl.get_uniform_block_index(self.handle.raw(), block);
            if let Some(index) = index {
                gl.uniform_block_binding(self.handle.raw(), index, binding);
            }
            index.is_some()
        }
    }

    /// Makes it the program that draws.
    pub fn use_program(&self) {
        // SAFETY: the program is ours, alive and linked.
        unsafe { self.handle.gl().raw().use_program(Some(self.handle.raw())) }
    }

    /// Sets a uniform, and makes the program the one that draws.
    pub fn set<T: UniformValue>(&self, uniform: &Uniform<T>, value: T) {
        if let Some(location) = &uniform.location {
            self.use_program();
            value.set(self.handle.gl().raw(), location);
        }
    }

    /// Frees it now.
    pub fn delete(self) {
        self.handle.delete();
    }
}

/// A type that a uniform can have.
pub trait UniformValue: Copy {
    /// Hands the value to the driver.
    fn set(self, gl: &glow::Context, location: &glow::UniformLocation);
}

macro_rules! uniform_values {
    ($($type:ty: |$gl:ident, $at:ident, $value:ident| $call:expr;)+) => {
        $(impl UniformValue for $type {
            fn set(self, $gl: &glow::Context, $at: &glow::UniformLocation) {
                let $value = self;
                // SAFETY: the location came from the program that is in use, for a uniform of this type; a
                // mismatch is an OpenGL error and nothing worse.
                unsafe { $call }
            }
        })+
    };
}

uniform_values! {
    f32: |gl, at, v| gl.uniform_1_f32(Some(at), v);
    i32: |gl, at, v| gl.uniform_1_i32(Some(at), v);
    Vec2: |gl, at, v| gl.uniform_2_f32(Some(at), v.x, v.y);
    Vec3: |gl, at, v| gl.uniform_3_f32(Some(at), v.x, v.y, v.z);
    Vec4: |gl, at, v| gl.uniform_4_f32(Some(at), v.x, v.y, v.z, v.w);
    Mat3: |gl, at, v| gl.uniform_matrix_3_f32_slice(Some(at), false, &v.to_cols_array());
    Mat4: |gl, at, v| gl.uniform_matrix_4_f32_slice(Some(at), false, &v.to_cols_array());
}

impl UniformValue for [i32; 3] {
    fn set(self, gl: &glow::Context, at: &glow::UniformLocation) {
        // SAFETY: as for the other types.
        unsafe { gl.uniform_3_i32(Some(at), self[0], self[1], self[2]) }
    }
}

impl<const N: usize> UniformValue for [Vec4; N] {
    fn set(self, gl: &glow::Context, at: &glow::UniformLocation) {
        // SAFETY: as for the other types.
        unsafe { gl.uniform_4_f32_slice(Some(at), bytemuck::cast_slice(&self)) }
    }
}

fn link(
    gl: &Gl,
    name: &str,
    shaders: &[Handle<ShaderObject>; 2],
) -> Result<Handle<ProgramObject>, ShaderError> {
    let fail = |log: String| ShaderError {
        stage: ShaderStage::Link,
        file: name.to_owned(),
        line: log_line(&log),
        log,
    };
    // SAFETY: makes a name in the current context.
    let raw = unsafe { gl.raw().create_program() }.map_err(fail)?;
    // SAFETY: the name was just made here, for us alone.
    let program: Handle<ProgramObject> = unsafe { Handle::from_raw(gl, raw) };
    // SAFETY: program and shaders are ours and alive; shaders are detached again so that dropping them frees them.
    let (linked, log) = unsafe {
        for shader in shaders {
            gl.raw().attach_shader(raw, shader.raw());
        }
        gl.raw().link_program(raw);
        for shader in shaders {
            gl.raw().detach_shader(raw, shader.raw());
        }
        (gl.raw().get_program_link_status(raw), gl.raw().get_program_info_log(raw))
    };
    if linked { Ok(program) } else { Err(fail(log)) }
}

fn active_uniforms(gl: &Gl, program: glow::Program) -> Vec<(String, glow::UniformLocation)> {
    // SAFETY: reads properties of a linked program.
    unsafe {
        (0..gl.raw().get_program_parameter_i32(program, glow::ACTIVE_UNIFORMS))
            .filter_map(|i| gl.raw().get_active_uniform(program, u32::try_from(i).ok()?))
            .filter_map(|u| Some((u.name.clone(), gl.raw().get_uniform_location(program, &u.name)?)))
            .collect()
    }
}
