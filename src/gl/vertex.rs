use bytemuck::Pod;

/// A type that one vertex attribute can have.
pub trait AttributeFormat {
    /// Components, 1 to 4.
    const COMPONENTS: i32;
    /// The OpenGL type of one component.
    const TYPE: u32;
    /// Integers are read as fractions of their range.
    const NORMALISED: bool = false;
}

macro_rules! formats {
    ($($type:ty: $components:literal of $gl:expr $(, $normalised:literal)?;)+) => {
        $(impl AttributeFormat for $type {
            const COMPONENTS: i32 = $components;
            const TYPE: u32 = $gl;
            $(const NORMALISED: bool = $normalised;)?
        })+
    };
}

formats! {
    f32: 1 of glow::FLOAT;
    [f32; 2]: 2 of glow::FLOAT;
    [f32; 3]: 3 of glow::FLOAT;
    [f32; 4]: 4 of glow::FLOAT;
    glam::Vec2: 2 of glow::FLOAT;
    glam::Vec3: 3 of glow::FLOAT;
    glam::Vec4: 4 of glow::FLOAT;
    glam::Quat: 4 of glow::FLOAT;
    [u8; 4]: 4 of glow::UNSIGNED_BYTE, true;
    [u16; 4]: 4 of glow::UNSIGNED_SHORT;
}

/// One attribute of a vertex: where it lies in the struct and what it is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Attribute {
    /// The name of the struct's field.
    pub name: &'static str,
    /// `layout(location = ...)` in the shader.
    pub location: u32,
    /// Bytes from the start of the struct.
    pub offset: i32,
    /// Components, 1 to 4.
    pub components: i32,
    /// The OpenGL type of one component.
    pub kind: u32,
    /// Integers are read as fractions of their range.
    pub normalised: bool,
}

impl Attribute {
    /// The attribute of the field that `_access` points to. Used by [`vertex_layout!`](crate::vertex_layout), where
    /// the compiler infers the field's type from the closure.
    #[must_use]
    pub const fn of<V, F: AttributeFormat>(
        name: &'static str,
        location: u32,
        offset: usize,
        _access: fn(&V) -> &F,
    ) -> Self {
        Self {
            name,
            location,
            offset: offset as i32,
            components: F::COMPONENTS,
            kind: F::TYPE,
            normalised: F::NORMALISED,
        }
    }
}

/// A vertex or instance whose attributes are known at compile time.
pub trait VertexLayout: Pod {
    /// The attributes, worked out by the compiler from the struct.
    const ATTRIBUTES: &'static [Attribute];
}

/// Works out the vertex attributes of a `#[repr(C)]` [`Pod`](bytemuck::Pod) struct from its fields. The fields get
/// the locations 0, 1, ... in the order in which they are named, or beginning at another number:
///
/// ```
/// use scanout::gl::bytemuck::{Pod, Zeroable};
///
/// #[derive(Copy, Clone, Pod, Zeroable)]
/// #[bytemuck(crate = "scanout::gl::bytemuck")]
/// #[repr(C)]
/// struct Vertex {
///     position: [f32; 2],
///     colour: [u8; 4],
/// }
/// scanout::vertex_layout!(Vertex { position, colour });
///
/// # use scanout::gl::VertexLayout;
/// assert_eq!(Vertex::ATTRIBUTES[1].offset, 8);
///
/// #[derive(Copy, Clone, Pod, Zeroable)]
/// #[bytemuck(crate = "scanout::gl::bytemuck")]
/// #[repr(C)]
/// struct Instance {
///     offset: [f32; 3],
/// }
/// scanout::vertex_layout!(Instance, from 2 { offset });
/// # assert_eq!(Instance::ATTRIBUTES[0].location, 2);
/// ```
#[macro_export]
macro_rules! vertex_layout {
    ($vertex:ty { $($field:ident),+ $(,)? }) => {
        $crate::vertex_layout!($vertex, from 0 { $($field),+ });
    };
    ($vertex:ty, from $first:literal { $($field:ident),+ $(,)? }) => {
        impl $crate::gl::VertexLayout for $vertex {
            const ATTRIBUTES: &'static [$crate::gl::Attribute] = {
                #[allow(non_camel_case_types, clippy::enum_variant_names)]
                enum Order { $($field),+ }
                &[$($crate::gl::Attribute::of::<$vertex, _>(
                    stringify!($field),
                    $first + Order::$field as u32,
                    ::core::mem::offset_of!($vertex, $field),
                    |v| &v.$field,
                )),+]
            };
        }
    };
}
