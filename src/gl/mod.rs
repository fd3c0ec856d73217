//! OpenGL 3.3 core and newer, over a context that somebody made current on this thread.
//!
//! A [`Gl`] and everything made from it is `!Send`: OpenGL objects live and die on the thread of their context.
//! Each handle frees its object when dropped, or earlier by an explicit `delete`.
//!
//! Take it alone by [`Gl::load`] over any current context. Everything here can be left out: [`Gl::raw`] has all of OpenGL.
//!
//! | for | there is |
//! |---|---|
//! | one picture from a few objects | [`Program`], [`Mesh`], [`Texture`], [`Uniform`] |
//! | many objects, one call each | [`Painter`], which draws a [`DrawList`](crate::scene::DrawList) |
//! | what changes in every frame | [`StreamRing`] |
//! | textures from files, beside the frames | `TextureLoader` (feature `textures`) |
//! | drawing elsewhere than to the surface | [`RenderTarget`], [`Canvas`] |
//! | what passes take the GPU | [`Frame::pass`], [`GpuTimer`] |
//!
//! ```no_run
//! use scanout::gl::{Frame, Mesh, Primitive, Program, Renderer, Uniform};
//! use scanout::{CreateContext, shader_file};
//!
//! struct Triangle(Program, Uniform<f32>, Mesh);
//!
//! impl Triangle {
//!     fn new(cx: &CreateContext<'_>) -> scanout::Result<Self> {
//!         // A shader that the driver refuses is an error with its file and line.
//!         let program =
//!             Program::new(cx.gl, "triangle", &shader_file!("triangle.vert"), &shader_file!("triangle.frag"))?;
//!         let angle = program.uniform("angle")?; // held against the type that the shader declares
//!         Ok(Self(program, angle, Mesh::generated(cx.gl, Primitive::Triangles, 3)?))
//!     }
//! }
//!
//! impl Renderer<f32> for Triangle {
//!     fn render(&mut self, angle: &f32, frame: &mut Frame<'_>) {
//!         frame.clear([0.1, 0.1, 0.12, 1.0]);
//!         self.0.set(&self.1, *angle);
//!         frame.draw(&self.0, &self.2);
//!     }
//! }
//! ```
#![cfg_attr(
    not(any(feature = "window", feature = "headless")),
    allow(dead_code, reason = "the back end of the render thread is for those who have a surface")
)]
#![allow(unsafe_code, reason = "every OpenGL call is unsafe; the wrappers here keep its rules")]

mod backend;
mod buffer;
mod canvas;
mod caps;
mod context;
mod debug;
mod depth_texture;
mod fence;
mod frame;
mod glsl;
mod handle;
mod invocations;
#[cfg(feature = "textures")]
pub mod loader;
mod mesh;
mod options;
mod overlay;
mod painter;
mod program;
mod program_binary;
mod program_build;
mod program_cache;
mod program_interface;
mod program_reload;
mod shader;
mod shader_error;
mod shader_folder;
mod shader_preprocess;
pub mod stream;
mod surface;
mod target;
mod texture;
mod texture_buffer;
mod texture_cube;
mod timer;
mod uniform;
mod uniform_block;
mod vertex;

#[cfg(any(feature = "window", feature = "headless"))]
pub(crate) use backend::GlBackend;
pub use buffer::{Buffer, Usage};
pub use bytemuck;
pub use canvas::Canvas;
pub use caps::Capabilities;
pub use context::Gl;
pub use debug::{DebugLevel, Hook};
pub use depth_texture::DepthTexture;
pub use fence::FenceRing;
pub use frame::{CreateContext, Frame, Renderer};
pub use glow;
pub use handle::Handle;
#[cfg(feature = "textures")]
pub use loader::{LoadProgress, LoaderOptions, TextureId, TextureLoader, TextureSource};
pub use mesh::{Mesh, Primitive};
#[cfg(any(feature = "window", feature = "headless"))]
pub(crate) use options::GlOptions;
pub use overlay::{Overlay, OverlayFactory};
pub use painter::{Material, Painted, Painter, PainterOptions, PassView, ProgramId, Submit, Vertex};
pub use program::Program;
pub use program_build::ProgramBuilder;
pub use program_cache::ProgramCache;
#[doc(hidden)]
pub use program_reload::RELOADED;
pub use shader::{ShaderSource, ShaderStage};
pub use shader_error::{ShaderError, ShaderFault};
pub use shader_folder::ShaderFolder;
pub use stream::{Strategy, StreamError, StreamRange, StreamRing, StreamStats, StreamTarget};
pub use surface::Surface;
pub use target::{RenderTarget, read_pixels};
#[cfg(all(feature = "basis", feature = "scenes"))]
pub(crate) use texture::basis::picture_size as ktx2_picture_size;
#[cfg(all(feature = "basis", feature = "scenes"))]
pub(crate) use texture::ktx::is_ktx2;
pub use texture::{
    CompressedFormats, Filter, SharedBytes, Texture, TextureArray, TextureData, TextureError, TextureFormat,
    TextureOptions, Wrap, full_levels, level_size,
};
pub use texture_buffer::TextureBuffer;
pub use texture_cube::TextureCube;
pub use timer::{GpuPass, GpuTimer, GpuTiming, MAX_PASSES};
pub use uniform::{Uniform, UniformValue};
pub use uniform_block::{BlockFormat, BlockMember, UniformBlock};
pub use vertex::{Attribute, AttributeFormat, VertexLayout};
