//! Finished programs between the driver and the [cache](super::ProgramCache).

use glow::HasContext as _;

use super::Gl;
use super::handle::{Handle, ProgramObject};
use super::program_cache::{Binary, ProgramCache};
use super::shader_preprocess::Flat;

/// Formats that a driver is asked for; none was seen to have more than a few.
const MAX_FORMATS: usize = 64;

/// What a finished program depends on: the texts, with includes and defines, and the driver, by its own account. A driver
/// that changes without saying so refuses what it cannot use.
pub(super) fn key(gl: &Gl, flats: &[Flat; 2]) -> u128 {
    let caps = gl.caps();
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let parts = [&caps.vendor, &caps.renderer, &caps.version, &flats[0].text, &flats[1].text];
    for part in parts.map(String::as_bytes).into_iter().chain([env!("CARGO_PKG_VERSION").as_bytes()]) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.digest128()
}

/// The program of this key, if the cache has it and the driver takes it.
pub(super) fn load(gl: &Gl, cache: &ProgramCache, key: u128, name: &str) -> Option<Handle<ProgramObject>> {
    let Binary { format, bytes } = cache.load(key)?;
    if !formats(gl).contains(&format) {
        // The driver would call this an error of ours.
        cache.ignore(key, &format!("the driver does not know its format {format:#x}"));
        return None;
    }
    // SAFETY: makes a name in the current context.
    let raw = unsafe { gl.raw().create_program() }.ok()?;
    // SAFETY: the name was just made here, for us alone.
    let program: Handle<ProgramObject> = unsafe { Handle::from_raw(gl, raw) };
    let binary = glow::ProgramBinary { buffer: bytes, format };
    // SAFETY: the program is ours and alive. The bytes are what a driver of the same name handed out, by their checksum
    // undamaged, from a folder that is the user's alone; drivers check what they load.
    let linked = unsafe {
        gl.raw().program_binary(raw, &binary);
        gl.raw().get_program_link_status(raw)
    };
    if !linked {
        cache.ignore(key, "the driver does not take it any more");
        return None;
    }
    log::debug!("program `{name}` comes from the cache");
    Some(program)
}

/// Leaves a linked program in the cache.
pub(super) fn store(gl: &Gl, cache: &ProgramCache, key: u128, program: glow::Program, name: &str) {
    // SAFETY: reads a linked program of ours, that was linked to be read.
    let binary = unsafe { gl.raw().get_program_binary(program) };
    match binary.filter(|b| !b.buffer.is_empty()) {
        Some(binary) => cache.store(key, &Binary { format: binary.format, bytes: binary.buffer }),
        None => log::debug!("program `{name}`: the driver hands out nothing to keep"),
    }
}

fn formats(gl: &Gl) -> Vec<u32> {
    let mut formats = [0; MAX_FORMATS];
    // SAFETY: reads the number of formats, and then as many into an array that has room for them.
    unsafe {
        let count = gl.raw().get_parameter_i32(glow::NUM_PROGRAM_BINARY_FORMATS);
        // A driver writes all that it has.
        let count = usize::try_from(count).ok().filter(|&n| n <= MAX_FORMATS).unwrap_or(0);
        if count > 0 {
            gl.raw().get_parameter_i32_slice(glow::PROGRAM_BINARY_FORMATS, &mut formats);
        }
        formats[..count].iter().filter_map(|&f| u32::try_from(f).ok()).collect()
    }
}
