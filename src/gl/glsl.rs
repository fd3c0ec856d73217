//! The types of GLSL by OpenGL's numbers for them.

/// What GLSL calls a type.
pub(super) fn type_name(kind: u32) -> String {
    let name = match kind {
        glow::FLOAT => "float",
        glow::FLOAT_VEC2 => "vec2",
        glow::FLOAT_VEC3 => "vec3",
        glow::FLOAT_VEC4 => "vec4",
        glow::INT => "int",
        glow::INT_VEC2 => "ivec2",
        glow::INT_VEC3 => "ivec3",
        glow::INT_VEC4 => "ivec4",
        glow::UNSIGNED_INT => "uint",
        glow::UNSIGNED_INT_VEC2 => "uvec2",
        glow::UNSIGNED_INT_VEC3 => "uvec3",
        glow::UNSIGNED_INT_VEC4 => "uvec4",
        glow::BOOL => "bool",
        glow::BOOL_VEC2 => "bvec2",
        glow::BOOL_VEC3 => "bvec3",
        glow::BOOL_VEC4 => "bvec4",
        glow::FLOAT_MAT2 => "mat2",
        glow::FLOAT_MAT3 => "mat3",
        glow::FLOAT_MAT4 => "mat4",
        glow::FLOAT_MAT2x3 => "mat2x3",
        glow::FLOAT_MAT2x4 => "mat2x4",
        glow::FLOAT_MAT3x2 => "mat3x2",
        glow::FLOAT_MAT3x4 => "mat3x4",
        glow::FLOAT_MAT4x2 => "mat4x2",
        glow::FLOAT_MAT4x3 => "mat4x3",
        glow::SAMPLER_2D => "sampler2D",
        glow::SAMPLER_3D => "sampler3D",
        glow::SAMPLER_CUBE => "samplerCube",
        glow::SAMPLER_2D_ARRAY => "sampler2DArray",
        glow::SAMPLER_2D_SHADOW => "sampler2DShadow",
        glow::SAMPLER_2D_ARRAY_SHADOW => "sampler2DArrayShadow",
        glow::SAMPLER_CUBE_SHADOW => "samplerCubeShadow",
        glow::SAMPLER_BUFFER => "samplerBuffer",
        glow::SAMPLER_2D_MULTISAMPLE => "sampler2DMS",
        glow::SAMPLER_1D => "sampler1D",
        glow::SAMPLER_2D_RECT => "sampler2DRect",
        glow::INT_SAMPLER_2D => "isampler2D",
        glow::UNSIGNED_INT_SAMPLER_2D => "usampler2D",
        glow::INT_SAMPLER_2D_ARRAY => "isampler2DArray",
        glow::UNSIGNED_INT_SAMPLER_2D_ARRAY => "usampler2DArray",
        glow::INT_SAMPLER_BUFFER => "isamplerBuffer",
        glow::UNSIGNED_INT_SAMPLER_BUFFER => "usamplerBuffer",
        _ => return format!("type {kind:#x}"),
    };
    name.to_owned()
}

/// A type with its length where it is an array.
pub(super) fn array_name(kind: u32, len: usize) -> String {
    if len > 1 { format!("{}[{len}]", type_name(kind)) } else { type_name(kind) }
}

/// How many vertex attributes a type takes up, and how many floats each has; `None` for what is not made of floats.
pub(super) const fn attribute_shape(kind: u32) -> Option<(u32, i32)> {
    Some(match kind {
        glow::FLOAT => (1, 1),
        glow::FLOAT_VEC2 => (1, 2),
        glow::FLOAT_VEC3 => (1, 3),
        glow::FLOAT_VEC4 => (1, 4),
        glow::FLOAT_MAT2 => (2, 2),
        glow::FLOAT_MAT3 => (3, 3),
        glow::FLOAT_MAT4 => (4, 4),
        glow::FLOAT_MAT2x3 => (2, 3),
        glow::FLOAT_MAT2x4 => (2, 4),
        glow::FLOAT_MAT3x2 => (3, 2),
        glow::FLOAT_MAT3x4 => (3, 4),
        glow::FLOAT_MAT4x2 => (4, 2),
        glow::FLOAT_MAT4x3 => (4, 3),
        _ => return None,
    })
}

/// What an `i32` may set: integers, truth values and the units of samplers.
pub(super) const INTEGERS: &[u32] = &[
    glow::INT,
    glow::BOOL,
    glow::SAMPLER_1D,
    glow::SAMPLER_2D,
    glow::SAMPLER_3D,
    glow::SAMPLER_CUBE,
    glow::SAMPLER_2D_ARRAY,
    glow::SAMPLER_2D_SHADOW,
    glow::SAMPLER_2D_ARRAY_SHADOW,
    glow::SAMPLER_CUBE_SHADOW,
    glow::SAMPLER_BUFFER,
    glow::SAMPLER_2D_MULTISAMPLE,
    glow::SAMPLER_2D_RECT,
    glow::INT_SAMPLER_2D,
    glow::UNSIGNED_INT_SAMPLER_2D,
    glow::INT_SAMPLER_2D_ARRAY,
    glow::UNSIGNED_INT_SAMPLER_2D_ARRAY,
    glow::INT_SAMPLER_BUFFER,
    glow::UNSIGNED_INT_SAMPLER_BUFFER,
];

/// A Rust type without the paths to its parts: `[Vec4; 4]` for `[glam::f32::vec4::Vec4; 4]`.
pub(super) fn rust_name(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(end) = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        out.push_str(rest[..end].rsplit("::").next().unwrap_or_default());
        let next = end + rest[end..].chars().next().map_or(1, char::len_utf8);
        out.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    out.push_str(rest.rsplit("::").next().unwrap_or_default());
    out
}

/// Whether a variable of GLSL is a field of Rust: the same name, but for a prefix of one or two letters (`u_`, `a_`, `in_`).
pub(super) fn same_name(glsl: &str, field: &str) -> bool {
    let bare = |(prefix, rest): (&str, &str)| prefix.len() <= 2 && rest == field;
    glsl == field || glsl.split_once('_').is_some_and(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_types_are_short() {
        for (path, name) in [
            ("f32", "f32"),
            ("glam::f32::vec3::Vec3", "Vec3"),
            ("[glam::f32::vec4::Vec4; 4]", "[Vec4; 4]"),
            ("a::B<c::D, e::F>", "B<D, F>"),
        ] {
            assert_eq!(rust_name(path), name);
        }
    }

    #[test]
    fn names_agree_but_for_a_short_prefix() {
        for (glsl, field, same) in [
            ("position", "position", true),
            ("a_position", "position", true),
            ("in_position", "position", true),
            ("old_position", "position", false),
            ("a_position2", "position", false),
            ("a_", "", true),
            ("position", "a_position", false),
        ] {
            assert_eq!(same_name(glsl, field), same, "{glsl} {field}");
        }
    }
}
