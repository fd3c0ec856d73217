//! What a linked program reads, and whether the Rust types that feed it agree.

use std::ops::Range;

use glow::HasContext as _;

use super::glsl::{array_name, attribute_shape, rust_name, same_name, type_name};
use super::shader::ShaderStage;
use super::shader_error::{ShaderError, ShaderFault};
use super::shader_preprocess::Flat;
use super::{Attribute, BlockMember, Gl, UniformBlock, VertexLayout};

/// A uniform that the program reads.
#[derive(Clone, Debug)]
pub(super) struct ActiveUniform {
    pub(super) name: String,
    pub(super) kind: u32,
    /// Elements of an array that are read; 1 for what is none.
    pub(super) len: usize,
    member: Option<Member>,
}

#[derive(Copy, Clone, Debug)]
struct Member {
    block: usize,
    offset: usize,
    stride: usize,
    row_major: bool,
}

#[derive(Clone, Debug)]
struct ActiveAttribute {
    name: String,
    kind: u32,
    len: u32,
    location: u32,
}

/// What a linked program reads. What the compiler left out is not in it.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) uniforms: Vec<ActiveUniform>,
    attributes: Vec<ActiveAttribute>,
    /// Names and bytes.
    blocks: Vec<(String, usize)>,
}

/// A Rust type that a program's blocks are filled from.
#[derive(Clone, Debug)]
pub(super) struct BlockType {
    pub(super) name: String,
    pub(super) binding: u32,
    rust: &'static str,
    size: usize,
    members: &'static [BlockMember],
}

impl BlockType {
    pub(super) fn of<B: UniformBlock>(name: &str, binding: u32) -> Self {
        let (rust, size) = (std::any::type_name::<B>(), size_of::<B>());
        Self { name: name.to_owned(), binding, rust, size, members: B::MEMBERS }
    }
}

/// A Rust type whose fields are vertex attributes.
#[derive(Copy, Clone, Debug)]
pub(super) struct VertexType {
    rust: &'static str,
    attributes: &'static [Attribute],
}

impl VertexType {
    pub(super) fn of<V: VertexLayout>() -> Self {
        Self { rust: std::any::type_name::<V>(), attributes: V::ATTRIBUTES }
    }
}

impl Interface {
    /// Asks the driver.
    pub(super) fn of(gl: &Gl, program: glow::Program) -> Self {
        let gl = gl.raw();
        let positive = |n: i32| usize::try_from(n).unwrap_or(0);
        // SAFETY: reads properties of a linked program.
        unsafe {
            let count = gl.get_program_parameter_i32(program, glow::ACTIVE_UNIFORMS);
            let indices: Vec<u32> = (0..u32::try_from(count).unwrap_or(0)).collect();
            let ask = |what| gl.get_active_uniforms_parameter(program, &indices, what);
            let (blocks, offsets) = (ask(glow::UNIFORM_BLOCK_INDEX), ask(glow::UNIFORM_OFFSET));
            let (strides, rows) = (ask(glow::UNIFORM_ARRAY_STRIDE), ask(glow::UNIFORM_IS_ROW_MAJOR));
            let uniforms = indices.iter().zip(0_usize..).filter_map(|(&index, at)| {
                let found = gl.get_active_uniform(program, index)?;
                let member = usize::try_from(blocks[at]).ok().map(|block| Member {
                    block,
                    offset: positive(offsets[at]),
                    stride: positive(strides[at]),
                    row_major: rows[at] != 0,
                });
                let (name, len) = (found.name, positive(found.size));
                Some(ActiveUniform { name, kind: found.utype, len, member })
            });
            let uniforms = uniforms.collect();
            let attributes = (0..gl.get_active_attributes(program)).filter_map(|index| {
                let found = gl.get_active_attribute(program, index)?;
                // What the language provides itself has no location.
                let location = gl.get_attrib_location(program, &found.name)?;
                let len = u32::try_from(found.size).unwrap_or(1);
                Some(ActiveAttribute { name: found.name, kind: found.atype, len, location })
            });
            let attributes = attributes.collect();
            let count = gl.get_program_parameter_i32(program, glow::ACTIVE_UNIFORM_BLOCKS);
            let blocks = (0..u32::try_from(count).unwrap_or(0)).map(|index| {
                let what = glow::UNIFORM_BLOCK_DATA_SIZE;
                let size = gl.get_active_uniform_block_parameter_i32(program, index, what);
                (gl.get_active_uniform_block_name(program, index), positive(size))
            });
            let blocks = blocks.collect();
            Self { uniforms, attributes, blocks }
        }
    }

    /// The uniform of that name; an array goes by its bare name, or by its first element's.
    pub(super) fn uniform(&self, name: &str) -> Option<&ActiveUniform> {
        let bare = |n: &str| n.strip_suffix("[0]") == Some(name);
        self.uniforms.iter().filter(|u| u.member.is_none()).find(|u| u.name == name || bare(&u.name))
    }

    /// Holds a uniform against a Rust type that sets OpenGL types of one of the `kinds`, `len` elements of them.
    pub(super) fn check_uniform(
        &self,
        source: &Origin<'_>,
        name: &str,
        kinds: &[u32],
        len: usize,
        rust: &str,
    ) -> Result<(), ShaderError> {
        // One element of an array by its number is a uniform like any other.
        let (base, element) = match name.split_once('[') {
            Some((base, _)) => (base, true),
            None => (name, false),
        };
        let Some(found) = self.uniform(base).or_else(|| self.uniform(name)) else { return Ok(()) };
        // Drivers may count an array only up to the last element that is read: more in Rust does no harm.
        let fits = if element { len == 1 } else { len >= found.len };
        if kinds.contains(&found.kind) && fits {
            return Ok(());
        }
        let glsl = format!("`uniform {} {base}`", array_name(found.kind, found.len));
        Err(source.mismatch(base, "uniform", glsl, format!("`Uniform<{}>` for `{name}`", rust_name(rust))))
    }

    /// Holds the vertex attributes against the Rust types that they are read from.
    pub(super) fn check_attributes(
        &self,
        source: &Origin<'_>,
        types: &[VertexType],
    ) -> Result<(), ShaderError> {
        if types.is_empty() {
            return Ok(());
        }
        for found in &self.attributes {
            let ActiveAttribute { name, kind, location, .. } = found;
            let bare = name.strip_suffix("[0]").unwrap_or(name);
            let glsl = || {
                let kind = array_name(*kind, found.len as usize);
                format!("`in {kind} {bare}` at location {location}")
            };
            let mismatch = |rust| Err(source.mismatch(bare, "in", glsl(), rust));
            let Some((columns, floats)) = attribute_shape(*kind) else {
                return mismatch("attributes of floats only".to_owned());
            };
            let one = columns * found.len == 1;
            for at in *location..location + columns * found.len {
                let fields = || {
                    let of =
                        |t: &VertexType| t.attributes.iter().map(move |a| (t.rust, a)).collect::<Vec<_>>();
                    types.iter().copied().flat_map(move |t| of(&t)).filter(move |(_, a)| a.location == at)
                };
                let mut here = fields();
                match (here.next(), here.next()) {
                    (None, _) => return mismatch(format!("no field at location {at}")),
                    (Some(a), Some(b)) => {
                        let rust = format!("two fields at location {at}: {} and {}", field(a), field(b));
                        return mismatch(rust);
                    }
                    // Components that Rust does not give are 0, and the last 1; those that GLSL does not take are lost.
                    (Some(a), None) if a.1.components > floats || (one && !same_name(bare, a.1.name)) => {
                        return mismatch(field(a));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Holds a uniform block against the Rust type that it is filled from. Whether the program has that block.
    pub(super) fn check_block(&self, source: &Origin<'_>, block: &BlockType) -> Result<bool, ShaderError> {
        let Some(index) = self.blocks.iter().position(|(name, _)| *name == block.name) else {
            log::debug!("program `{}` uses no block `{}`", source.program, block.name);
            return Ok(false);
        };
        let struct_name = rust_name(block.rust);
        let members = self.uniforms.iter().filter_map(|u| Some((u, u.member.filter(|m| m.block == index)?)));
        let mut members: Vec<_> = members.collect();
        // The first that disagrees is nearest to the cause; drivers have an order of their own.
        members.sort_by_key(|(_, member)| member.offset);
        for (found, member) in members {
            // With an instance name the block's name stands before the member's.
            let own = found.name.strip_prefix(&format!("{}.", block.name)).unwrap_or(&found.name);
            let name = &own[..own.find(['[', '.']).unwrap_or(own.len())];
            let row_major = if member.row_major { "row_major " } else { "" };
            let glsl = format!(
                "`{row_major}{} {own}` at offset {} of block `{}`",
                type_name(found.kind),
                member.offset,
                block.name
            );
            let mismatch = |rust| Err(source.mismatch(name, "", glsl.clone(), rust));
            let Some(field) = block.members.iter().find(|m| same_name(name, m.name)) else {
                return mismatch(format!("no such field in `{struct_name}`"));
            };
            // What is inside a struct of GLSL is only held to lie inside the field.
            if own.contains('.') {
                if !inside(field, block).contains(&member.offset) {
                    return mismatch(format!("`{struct_name}::{}` at offset {}", field.name, field.offset));
                }
                continue;
            }
            let stride = if field.len > 1 || own.ends_with("[0]") { member.stride } else { 0 };
            let agree = (field.kind, field.offset, field.len) == (found.kind, member.offset, found.len)
                && field.stride == stride
                && !member.row_major;
            if !agree {
                let rust = rust_name((field.rust)());
                return mismatch(format!(
                    "`{struct_name}::{}: {rust}` at offset {}",
                    field.name, field.offset
                ));
            }
        }
        let bytes = self.blocks[index].1;
        if bytes > block.size {
            let glsl = format!("block `{}` of {bytes} bytes", block.name);
            let rust = format!("`{struct_name}` of {} bytes", block.size);
            return Err(source.mismatch(&block.name, "uniform", glsl, rust));
        }
        Ok(true)
    }
}

/// The bytes from a field to the next one that is named.
fn inside(field: &BlockMember, block: &BlockType) -> Range<usize> {
    let next = block.members.iter().map(|m| m.offset).filter(|&o| o > field.offset).min();
    field.offset..next.unwrap_or(block.size)
}

fn field((rust, a): (&str, &Attribute)) -> String {
    let scalar = match a.kind {
        glow::FLOAT => "f32",
        glow::UNSIGNED_BYTE => "u8",
        _ => "number",
    };
    let kind = if a.components == 1 { scalar.to_owned() } else { format!("[{scalar}; {}]", a.components) };
    format!("`{}::{}: {kind}` at location {}", rust_name(rust), a.name, a.location)
}

/// Where a program's GLSL stands, for messages.
pub(super) struct Origin<'a> {
    pub(super) program: &'a str,
    pub(super) flats: [&'a Flat; 2],
}

impl Origin<'_> {
    fn mismatch(&self, variable: &str, qualifier: &str, glsl: String, rust: String) -> ShaderError {
        let place = self.flats.iter().find_map(|flat| flat.declaration(variable, qualifier));
        let (file, line) = place.map_or((self.program, None), |(file, line)| (file, Some(line)));
        ShaderError::of(ShaderStage::Interface, file, line, ShaderFault::Mismatch { glsl, rust })
    }
}
