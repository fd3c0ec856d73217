//! What is to be drawn in a frame, and in which order: recorded object by object, sorted, and merged into instanced
//! draws. Pure: no clock, no system, no OpenGL. `gl::Painter` draws it.
//!
//! ```text
//! draw(mesh, material, transform) ─┐
//! draw(..)                         ├─▶ Commands of a pass ─▶ Batches: cull, key, sort, merge ─▶ instances in the order
//! sprite(..)                      ─┘   (52 or 32 bytes each)   (needs the camera)                 of the draws, batches
//! ```
//!
//! The camera comes in at the second step only, so that a list can be recorded on the logic thread, or on several, and
//! drawn with a camera that was read later.
//!
//! ```
//! use glam::{Affine3A, Mat4, Vec3};
//! use scanout::scene::{Batches, DrawList, MaterialId, MeshId, Order, View};
//!
//! let cube = MeshId::new(0).unwrap();
//! let red = MaterialId::new(0, false, 0).unwrap();
//! let mut list = DrawList::new();
//! let mut batches = Batches::new();
//! for frame in 0..3 {
//!     list.clear(); // keeps its storage: after the first frames nothing is allocated
//!     let mut world = list.pass(0);
//!     for i in 0..100 {
//!         world.draw(cube, red, &Affine3A::from_translation(Vec3::X * (i + frame) as f32));
//!     }
//!     drop(world);
//!     batches.build(&list.passes()[0], &View::new(Mat4::IDENTITY, Order::State), &[]);
//!     assert_eq!(batches.batches().len(), 1);
//!     assert_eq!(batches.batches()[0].count, 100);
//! }
//! ```

mod batch;
mod commands;
mod frustum;
mod id;
mod key;
mod list;
mod pool;
mod sort;
mod sprite;

pub use batch::{Batch, Batches, SpriteBatch, View};
pub use commands::{Commands, Instance, PassRecorder};
pub use frustum::{Aabb, Frustum, Sphere};
pub use id::{LayerId, MaterialId, MeshId};
pub use key::{Order, SortKey};
pub use list::DrawList;
pub use sort::{Entry, Sorter};
pub use sprite::Sprite;
