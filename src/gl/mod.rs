//! OpenGL 3.3 core and newer, over a context that somebody made current on this thread.
//!
//! A [`Gl`] and everything made from it is `!Send`: OpenGL objects live and die on the thread of their context.
//! Each handle frees its object when dropped, or earlier by an explicit `delete`.
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
mod handle;
mod mesh;
mod program;
mod shader;
mod target;
mod texture;
mod texture_buffer;
mod texture_cube;
mod vertex;

#[cfg(any(feature = "window", feature = "headless"))]
pub(crate) use backend::GlBackend;
pub use backend::{Overlay, OverlayFactory, Surface};
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
pub use mesh::{Mesh, Primitive};
pub use program::{Program, Uniform, UniformValue};
pub use shader::{ShaderError, ShaderSource, ShaderStage};
pub use target::{RenderTarget, read_pixels};
pub use texture::{Filter, Texture, TextureOptions, Wrap};
pub use texture_buffer::TextureBuffer;
pub use texture_cube::TextureCube;
pub use vertex::{Attribute, AttributeFormat, VertexLayout};
