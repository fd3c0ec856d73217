use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

use glam::{IVec3, Mat3, Mat4, Vec2, Vec3, Vec4};
use glow::HasContext as _;

use super::glsl::INTEGERS;

/// Where a uniform is in its program now. A program that is loaded anew sets it for all who hold it.
pub(super) type Location = Rc<Cell<Option<glow::UniformLocation>>>;

/// A uniform of one program, looked up once and held against the shader. It stays good when the program is loaded anew.
#[derive(Clone, Debug)]
pub struct Uniform<T> {
    location: Location,
    _value: PhantomData<Cell<T>>,
}

impl<T> Uniform<T> {
    pub(super) const fn at(location: Location) -> Self {
        Self { location, _value: PhantomData }
    }

    /// `None`: the program does not use it.
    pub(super) fn location(&self) -> Option<glow::UniformLocation> {
        self.location.get()
    }
}

/// A type that a uniform can have.
pub trait UniformValue: Copy {
    /// OpenGL's numbers for the GLSL types that it sets.
    const TYPES: &'static [u32];
    /// Elements of an array that it sets; 1 for what is none.
    const LEN: usize = 1;

    /// Hands the value to the driver.
    fn set(self, gl: &glow::Context, location: &glow::UniformLocation);
}

macro_rules! uniform_values {
    ($($type:ty as $types:expr, $flat:ty:
        |$gl:ident, $at:ident, $value:ident| $one:expr, |$values:ident| $many:expr;)+) => {
        $(impl UniformValue for $type {
            const TYPES: &'static [u32] = $types;

            fn set(self, $gl: &glow::Context, $at: &glow::UniformLocation) {
                let $value = self;
                // SAFETY: the location came from the program that is in use, for a uniform of this type; a
                // mismatch is an OpenGL error and nothing worse.
                unsafe { $one }
            }
        }

        impl<const N: usize> UniformValue for [$type; N] {
            const TYPES: &'static [u32] = $types;
            const LEN: usize = N;

            fn set(self, $gl: &glow::Context, $at: &glow::UniformLocation) {
                let $values: &[$flat] = bytemuck::cast_slice(&self);
                // SAFETY: as for one element; the driver leaves out what lies beyond the array's end.
                unsafe { $many }
            }
        })+
    };
}

uniform_values! {
    f32 as &[glow::FLOAT], f32:
        |gl, at, v| gl.uniform_1_f32(Some(at), v), |v| gl.uniform_1_f32_slice(Some(at), v);
    i32 as INTEGERS, i32:
        |gl, at, v| gl.uniform_1_i32(Some(at), v), |v| gl.uniform_1_i32_slice(Some(at), v);
    u32 as &[glow::UNSIGNED_INT], u32:
        |gl, at, v| gl.uniform_1_u32(Some(at), v), |v| gl.uniform_1_u32_slice(Some(at), v);
    IVec3 as &[glow::INT_VEC3], i32:
        |gl, at, v| gl.uniform_3_i32(Some(at), v.x, v.y, v.z), |v| gl.uniform_3_i32_slice(Some(at), v);
    Vec2 as &[glow::FLOAT_VEC2], f32:
        |gl, at, v| gl.uniform_2_f32(Some(at), v.x, v.y), |v| gl.uniform_2_f32_slice(Some(at), v);
    Vec3 as &[glow::FLOAT_VEC3], f32:
        |gl, at, v| gl.uniform_3_f32(Some(at), v.x, v.y, v.z), |v| gl.uniform_3_f32_slice(Some(at), v);
    Vec4 as &[glow::FLOAT_VEC4], f32:
        |gl, at, v| gl.uniform_4_f32(Some(at), v.x, v.y, v.z, v.w), |v| gl.uniform_4_f32_slice(Some(at), v);
    Mat3 as &[glow::FLOAT_MAT3], f32:
        |gl, at, v| gl.uniform_matrix_3_f32_slice(Some(at), false, &v.to_cols_array()),
        |v| gl.uniform_matrix_3_f32_slice(Some(at), false, v);
    Mat4 as &[glow::FLOAT_MAT4], f32:
        |gl, at, v| gl.uniform_matrix_4_f32_slice(Some(at), false, &v.to_cols_array()),
        |v| gl.uniform_matrix_4_f32_slice(Some(at), false, v);
}

/// Sets a uniform of the program in use, `into`, to what another program has at `from`: a program that is loaded anew goes
/// on with the values that were set. What has no Rust type to set it is left alone.
pub(super) fn carry_over(
    gl: &glow::Context,
    old: glow::Program,
    from: &glow::UniformLocation,
    into: &glow::UniformLocation,
    kind: u32,
) {
    let (mut floats, mut ints, mut uints) = ([0.0; 16], [0; 4], [0; 4]);
    let integer = INTEGERS.contains(&kind);
    let to = Some(into);
    // SAFETY: `from` is a location of the linked program `old`, and `into` one of the program in use, both of this type; no
    // type has more numbers than the arrays.
    unsafe {
        match kind {
            glow::UNSIGNED_INT => gl.get_uniform_u32(old, from, &mut uints),
            glow::INT_VEC3 => gl.get_uniform_i32(old, from, &mut ints),
            _ if integer => gl.get_uniform_i32(old, from, &mut ints),
            _ => gl.get_uniform_f32(old, from, &mut floats),
        }
        match kind {
            glow::FLOAT => gl.uniform_1_f32_slice(to, &floats[..1]),
            glow::FLOAT_VEC2 => gl.uniform_2_f32_slice(to, &floats[..2]),
            glow::FLOAT_VEC3 => gl.uniform_3_f32_slice(to, &floats[..3]),
            glow::FLOAT_VEC4 => gl.uniform_4_f32_slice(to, &floats[..4]),
            glow::FLOAT_MAT3 => gl.uniform_matrix_3_f32_slice(to, false, &floats[..9]),
            glow::FLOAT_MAT4 => gl.uniform_matrix_4_f32_slice(to, false, &floats),
            glow::UNSIGNED_INT => gl.uniform_1_u32_slice(to, &uints[..1]),
            glow::INT_VEC3 => gl.uniform_3_i32_slice(to, &ints[..3]),
            _ if integer => gl.uniform_1_i32_slice(to, &ints[..1]),
            _ => {}
        }
    }
}
