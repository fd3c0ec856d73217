use bytemuck::Pod;

/// A type that a member of a uniform block can have as it lies in memory by the rules of std140. Those that do not
/// (a `Mat3`, arrays of what is shorter than 16 bytes) have no implementation: the compiler says so.
pub trait BlockFormat {
    /// OpenGL's number for the type of one element.
    const TYPE: u32;
    /// Elements of an array; 1 for what is none.
    const LEN: usize = 1;
    /// Bytes from one element of an array to the next; 0 for what is none.
    const STRIDE: usize = 0;
}

macro_rules! formats {
    ($($type:ty: $gl:ident;)+) => {
        $(impl BlockFormat for $type {
            const TYPE: u32 = glow::$gl;
        })+
    };
}

formats! {
    f32: FLOAT;
    i32: INT;
    u32: UNSIGNED_INT;
    [f32; 2]: FLOAT_VEC2;
    [f32; 3]: FLOAT_VEC3;
    [f32; 4]: FLOAT_VEC4;
    [i32; 2]: INT_VEC2;
    [i32; 4]: INT_VEC4;
    [u32; 4]: UNSIGNED_INT_VEC4;
    glam::Vec2: FLOAT_VEC2;
    glam::Vec3: FLOAT_VEC3;
    glam::Vec4: FLOAT_VEC4;
    glam::Mat4: FLOAT_MAT4;
}

macro_rules! arrays {
    ($($type:ty),+) => {
        $(impl<const N: usize> BlockFormat for [$type; N] {
            const TYPE: u32 = <$type as BlockFormat>::TYPE;
            const LEN: usize = N;
            const STRIDE: usize = size_of::<$type>();
        })+
    };
}

arrays!(glam::Vec4, glam::Mat4);

/// One member of a uniform block: where it lies in the struct and what it is.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct BlockMember {
    /// The name of the struct's field.
    pub name: &'static str,
    /// Bytes from the start of the struct.
    pub offset: usize,
    /// OpenGL's number for the type of one element.
    pub kind: u32,
    /// Elements of an array; 1 for what is none.
    pub len: usize,
    /// Bytes from one element of an array to the next; 0 for what is none.
    pub stride: usize,
    /// The field's type, for messages.
    pub rust: fn() -> &'static str,
}

impl BlockMember {
    /// The member of the field that `_access` points to. Used by [`uniform_block!`](crate::uniform_block), where the
    /// compiler infers the field's type from the closure.
    #[must_use]
    pub const fn of<B, F: BlockFormat>(name: &'static str, offset: usize, _access: fn(&B) -> &F) -> Self {
        Self { name, offset, kind: F::TYPE, len: F::LEN, stride: F::STRIDE, rust: std::any::type_name::<F> }
    }
}

/// A struct that a uniform block is filled from.
pub trait UniformBlock: Pod {
    /// The members, worked out by the compiler from the struct.
    const MEMBERS: &'static [BlockMember];
}

/// Works out the members of a uniform block from the fields of a `#[repr(C)]` [`Pod`](bytemuck::Pod) struct, to be held
/// against the GLSL of a program by [`ProgramBuilder::block`](crate::gl::ProgramBuilder::block). Fields that only pad
/// are not named:
///
/// ```
/// use scanout::gl::bytemuck::{Pod, Zeroable};
///
/// #[derive(Copy, Clone, Pod, Zeroable)]
/// #[bytemuck(crate = "scanout::gl::bytemuck")]
/// #[repr(C)]
/// struct Globals {
///     eye: [f32; 3],
///     time: f32,
///     resolution: [f32; 2],
///     _pad: [f32; 2],
/// }
/// scanout::uniform_block!(Globals { eye, time, resolution });
///
/// # use scanout::gl::UniformBlock;
/// assert_eq!(Globals::MEMBERS[1].offset, 12);
/// ```
#[macro_export]
macro_rules! uniform_block {
    ($block:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::gl::UniformBlock for $block {
            const MEMBERS: &'static [$crate::gl::BlockMember] = &[$($crate::gl::BlockMember::of::<$block, _>(
                stringify!($field),
                ::core::mem::offset_of!($block, $field),
                |b| &b.$field,
            )),+];
        }
    };
}
