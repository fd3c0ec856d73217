use std::fmt;

use glow::HasContext as _;

use super::Gl;

/// A kind of OpenGL object: how it is named and how it is freed.
pub trait Object {
    /// The driver's name for one.
    type Raw: Copy + fmt::Debug;

    /// Frees it.
    ///
    /// # Safety
    /// `raw` is an object of this kind in the context of `gl`, which is current on this thread.
    unsafe fn delete(gl: &glow::Context, raw: Self::Raw);
}

/// One OpenGL object. Freed when dropped, on the thread of its context, because a handle cannot leave it.
pub struct Handle<O: Object> {
    gl: Gl,
    raw: O::Raw,
}

impl<O: Object> Handle<O> {
    /// Takes over an object.
    ///
    /// # Safety
    /// `raw` is an object of this kind in the context of `gl`, and nobody else frees it.
    pub unsafe fn from_raw(gl: &Gl, raw: O::Raw) -> Self {
        Self { gl: gl.clone(), raw }
    }

    /// The driver's name for it.
    #[must_use]
    pub const fn raw(&self) -> O::Raw {
        self.raw
    }

    /// The context that it lives in.
    #[must_use]
    pub const fn gl(&self) -> &Gl {
        &self.gl
    }

    /// Frees it now. The same as dropping it, said aloud.
    pub fn delete(self) {}
}

impl<O: Object> Drop for Handle<O> {
    fn drop(&mut self) {
        if self.gl.is_alive() {
            // SAFETY: by `from_raw` the object is ours; `Gl` is `!Send`, so this is its context's thread.
            unsafe { O::delete(self.gl.raw(), self.raw) }
        }
    }
}

impl<O: Object> fmt::Debug for Handle<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.raw).finish()
    }
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident: $raw:ty => $delete:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}
            impl Object for $name {
                type Raw = $raw;
                unsafe fn delete(gl: &glow::Context, raw: $raw) {
                    // SAFETY: the caller's promise.
                    unsafe { gl.$delete(raw) }
                }
            }
        )+
    };
}

objects! {
    /// A buffer object.
    BufferObject: glow::Buffer => delete_buffer;
    /// A vertex array object.
    VertexArrayObject: glow::VertexArray => delete_vertex_array;
    /// A texture.
    TextureObject: glow::Texture => delete_texture;
    /// A program.
    ProgramObject: glow::Program => delete_program;
    /// A shader.
    ShaderObject: glow::Shader => delete_shader;
    /// A framebuffer object.
    FramebufferObject: glow::Framebuffer => delete_framebuffer;
    /// A renderbuffer.
    RenderbufferObject: glow::Renderbuffer => delete_renderbuffer;
}
