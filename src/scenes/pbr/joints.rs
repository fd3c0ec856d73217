//! The matrices of all joints, as a list that the vertex shader reads.

use glam::Mat4;

use crate::error::Result;
use crate::gl::{Gl, TextureBuffer, Usage};

/// Three texels a joint: the rows of its matrix, of which the last is always the same.
#[derive(Debug)]
pub(super) struct Joints {
    rows: Vec<[f32; 4]>,
    list: TextureBuffer,
}

impl Joints {
    /// Room for `count` joints.
    pub(super) fn new(gl: &Gl, count: usize) -> Result<Self> {
        let rows = vec![[0.0; 4]; count * 3];
        let list = TextureBuffer::new(gl, &rows, Usage::Stream)?;
        Ok(Self { rows, list })
    }

    /// Hands the matrices of a frame to the driver: 48 bytes each, and no allocation.
    pub(super) fn write(&mut self, joints: &[Mat4]) {
        for (rows, matrix) in self.rows.chunks_exact_mut(3).zip(joints) {
            for (i, row) in rows.iter_mut().enumerate() {
                *row = matrix.row(i).into();
            }
        }
        self.list.write(&self.rows);
    }

    pub(super) fn bind(&self, unit: u32) {
        self.list.bind(unit);
    }
}
