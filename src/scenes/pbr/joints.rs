//! The matrices of all joints, as a list that the vertex shader reads.

use glam::Mat4;

use crate::error::Result;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{Gl, StreamError, StreamRing, StreamTarget, TextureBuffer, Usage};

/// Three texels a joint: the rows of its matrix, of which the last is always the same.
type Rows = [[f32; 4]; 3];

/// A list for each frame that the GPU may still be reading.
#[derive(Debug)]
pub(super) struct Joints {
    count: usize,
    list: TextureBuffer,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The lists lie in a ring; this frame's begins so many joints from the start of the buffer.
    Ring(Box<StreamRing>, i32),
    /// One list, whose storage is left to the GPU and taken anew for each frame: for drivers whose shaders cannot read as
    /// much as a whole ring.
    Alone(Vec<[f32; 4]>),
}

const TEXELS: usize = size_of::<Rows>() / size_of::<[f32; 4]>();

impl Joints {
    /// Room for `count` joints.
    ///
    /// # Errors
    /// When the shaders of this driver cannot read as many.
    pub(super) fn new(gl: &Gl, count: usize) -> Result<Self> {
        Self::within(gl, count, TextureBuffer::limit(gl))
    }

    /// The same where shaders read so many texels at most.
    fn within(gl: &Gl, count: usize, limit: usize) -> Result<Self> {
        let ring = StreamRing::auto(gl, StreamTarget::Vertex, count * size_of::<Rows>(), FRAMES_IN_FLIGHT)?;
        if ring.bytes() / size_of::<[f32; 4]>() > limit {
            let values = vec![[0.0; 4]; count * TEXELS];
            let list = TextureBuffer::new(gl, &values, Usage::Stream)?;
            return Ok(Self { count, list, way: Way::Alone(values) });
        }
        let list = TextureBuffer::over(gl, &ring)?;
        Ok(Self { count, list, way: Way::Ring(Box::new(ring), 0) })
    }

    /// Hands the matrices of a frame to the driver: 48 bytes each, and no allocation.
    pub(super) fn write(&mut self, joints: &[Mat4]) -> std::result::Result<(), StreamError> {
        let rows = |matrix: &Mat4| -> Rows { std::array::from_fn(|i| matrix.row(i).into()) };
        match &mut self.way {
            Way::Ring(ring, first) => {
                ring.begin_frame()?;
                let (range, list) = ring.alloc::<Rows>(self.count)?;
                for (to, matrix) in list.iter_mut().zip(joints) {
                    *to = rows(matrix);
                }
                ring.finish_writes();
                *first = range.first::<Rows>() as i32;
            }
            Way::Alone(list) => {
                for (to, matrix) in list.chunks_exact_mut(TEXELS).zip(joints) {
                    to.copy_from_slice(&rows(matrix));
                }
                self.list.write(list);
            }
        }
        Ok(())
    }

    /// Where the list that was written last begins.
    pub(super) const fn first(&self) -> i32 {
        match self.way {
            Way::Ring(_, first) => first,
            Way::Alone(_) => 0,
        }
    }

    pub(super) fn fence(&mut self) {
        if let Way::Ring(ring, _) = &mut self.way {
            ring.fence();
        }
    }

    pub(super) fn bind(&self, unit: u32) {
        self.list.bind(unit);
    }
}

#[cfg(all(test, feature = "headless"))]
mod tests {
    use super::*;
    use crate::gl::DebugLevel;

    #[test]
    fn more_joints_than_a_ring_can_be_read_of_have_a_list_of_their_own() {
        crate::headless::with_context(DebugLevel::Panic, |gl| {
            let (few, most) = (1_000, TextureBuffer::limit(gl));
            assert!(matches!(Joints::within(gl, few, most)?.way, Way::Ring(..)));
            let mut alone = Joints::within(gl, few, few * TEXELS)?;
            let matrices: Vec<Mat4> =
                (0..few).map(|n| Mat4::from_translation([n as f32, 0.0, 1.0].into())).collect();
            alone.write(&matrices)?;
            let Way::Alone(list) = &alone.way else { panic!("{:?}", alone.way) };
            assert_eq!((list[3 * 7], list[3 * 7 + 2]), ([1.0, 0.0, 0.0, 7.0], [0.0, 0.0, 1.0, 1.0]));
            assert_eq!(alone.first(), 0);
            assert!(Joints::within(gl, most, most).is_err(), "a list that no shader of this driver can read");
            Ok::<_, crate::Error>(())
        })
        .and_then(|done| done)
        .unwrap_or_else(|e| panic!("{e}"));
    }
}
