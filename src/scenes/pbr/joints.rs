//! The matrices of all joints, as a list that the vertex shader reads.

use glam::Mat4;

use crate::error::Result;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{Gl, StreamError, StreamRing, StreamTarget, TextureBuffer};

/// Three texels a joint: the rows of its matrix, of which the last is always the same.
type Rows = [[f32; 4]; 3];

/// A ring of lists, one for each frame that the GPU may still be reading.
#[derive(Debug)]
pub(super) struct Joints {
    count: usize,
    list: TextureBuffer,
    ring: StreamRing,
    /// Where this frame's list begins, in joints from the start of the buffer.
    first: i32,
}

impl Joints {
    /// Room for `count` joints.
    ///
    /// # Errors
    /// When the shaders of this driver cannot read as many for all frames in flight.
    pub(super) fn new(gl: &Gl, count: usize) -> Result<Self> {
        let bytes = count * size_of::<Rows>();
        let ring = StreamRing::auto(gl, StreamTarget::Vertex, bytes, FRAMES_IN_FLIGHT)?;
        let list = TextureBuffer::over(gl, &ring)?;
        Ok(Self { count, list, ring, first: 0 })
    }

    /// Hands the matrices of a frame to the driver: 48 bytes each, and no allocation.
    pub(super) fn write(&mut self, joints: &[Mat4]) -> std::result::Result<(), StreamError> {
        self.ring.begin_frame()?;
        let (range, list) = self.ring.alloc::<Rows>(self.count)?;
        for (rows, matrix) in list.iter_mut().zip(joints) {
            *rows = std::array::from_fn(|i| matrix.row(i).into());
        }
        self.ring.finish_writes();
        self.first = range.first::<Rows>() as i32;
        Ok(())
    }

    /// Where the list that was written last begins.
    pub(super) const fn first(&self) -> i32 {
        self.first
    }

    pub(super) fn fence(&mut self) {
        self.ring.fence();
    }

    pub(super) fn bind(&self, unit: u32) {
        self.list.bind(unit);
    }
}
