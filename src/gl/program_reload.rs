//! Programs that change while they are in use.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::{Rc, Weak};

use glow::HasContext as _;

use super::program::{Inner, bind_block};
use super::program_build::{Attempt, Built, Cached};
use super::shader_error::ShaderError;
use super::shader_folder::ShaderFolder;
use super::uniform::carry_over;
use super::{Gl, Hook, ProgramCache};

/// The target of the log line that says that a program was loaded anew: who changes a shader waits for that one, and for
/// nothing else of this module.
pub const RELOADED: &str = "scanout::shaders";

/// What a context knows of shaders.
#[derive(Default)]
pub(super) struct Shaders {
    pub(super) cache: RefCell<Option<ProgramCache>>,
    pub(super) folder: RefCell<Option<Rc<ShaderFolder>>>,
    /// The folder's generation that the programs are of.
    seen: Cell<u64>,
    pub(super) programs: RefCell<Vec<Weak<Inner>>>,
    /// What was said of the files as they are: variants of one file fail alike, and are told of once.
    told: RefCell<HashSet<String>>,
}

impl Shaders {
    /// Whether nothing was said of this before, of the files as they are.
    pub(super) fn is_news(&self, error: &ShaderError) -> bool {
        self.told.borrow_mut().insert(error.to_string())
    }
}

impl Gl {
    /// Programs that are made from now on take shaders from this folder, where it has them, and
    /// [`reload_shaders`](Self::reload_shaders) makes them anew when files change. The folder outlives a context: clones of
    /// the `Rc` serve the next one.
    pub fn watch_shaders(&self, folder: Rc<ShaderFolder>) {
        let shaders = self.shaders();
        shaders.seen.set(folder.generation());
        *shaders.folder.borrow_mut() = Some(folder);
    }

    /// Programs that are made from now on are looked for in this cache first. Without effect where the driver hands out no
    /// finished programs ([`Capabilities::program_binaries`](super::Capabilities::program_binaries)); the log says so.
    pub fn set_program_cache(&self, cache: Option<ProgramCache>) {
        if cache.is_some() && !self.caps().program_binaries {
            log::info!("no program cache: this driver hands out no finished programs");
        }
        *self.shaders().cache.borrow_mut() = cache;
    }

    /// Whether [`reload_shaders`](Self::reload_shaders) has something to do. One atomic load, or less without a folder.
    #[must_use]
    pub fn shaders_changed(&self) -> bool {
        let shaders = self.shaders();
        shaders.folder.borrow().as_ref().is_some_and(|folder| folder.generation() != shaders.seen.get())
    }

    /// Whether shaders come from a folder that may change.
    #[must_use]
    pub fn watches_shaders(&self) -> bool {
        self.shaders().folder.borrow().is_some()
    }

    /// Makes those programs anew whose files have changed; call it between frames. A program whose shaders are refused
    /// stays as it was; the log has one line for each distinct error, which names file, line and the programs. One that is made anew keeps the values of its
    /// uniforms, and every [`Uniform`](super::Uniform) of it stays good. Returns how many programs are new.
    ///
    /// Costs one atomic load while nothing has changed.
    pub fn reload_shaders(&self) -> usize {
        let shaders = self.shaders();
        let folder = shaders.folder.borrow().clone();
        let Some(folder) = folder.filter(|folder| folder.generation() != shaders.seen.get()) else {
            return 0;
        };
        shaders.seen.set(folder.generation());
        shaders.told.borrow_mut().clear();
        let mut programs = shaders.programs.borrow_mut();
        programs.retain(|program| program.strong_count() > 0);
        let alive: Vec<_> = programs.iter().filter_map(Weak::upgrade).collect();
        drop(programs);
        let mut renewed = 0;
        let mut refused: Vec<(ShaderError, Vec<&str>)> = Vec::new();
        for program in &alive {
            let name = &program.recipe.name;
            match renew(self, program, &folder) {
                None => {}
                Some(Ok(())) => {
                    log::info!(target: RELOADED, "shaders: program `{name}` is loaded anew from {}", folder.path().display());
                    renewed += 1;
                }
                // Logs of variants differ in what lies around the error.
                Some(Err(e)) => match refused.iter_mut().find(|(known, _)| known.is_same(&e)) {
                    Some((_, names)) if names.contains(&name.as_str()) => {}
                    Some((_, names)) => names.push(name),
                    None => refused.push((e, vec![name])),
                },
            }
        }
        for (e, names) in refused {
            let (programs, stay) = if names.len() == 1 {
                ("program", "stays as it was")
            } else {
                ("programs", "stay as they were")
            };
            log::error!("{e}; {programs} `{}` {stay}", names.join("`, `"));
        }
        renewed
    }
}

/// Makes a program anew; `None` when its texts are those of the last attempt.
fn renew(gl: &Gl, program: &Inner, folder: &ShaderFolder) -> Option<Result<(), ShaderError>> {
    let flats = program.recipe.flatten(Some(folder));
    let attempt = Attempt::of(&flats);
    if program.attempt.replace(attempt) == attempt {
        return None;
    }
    let built = flats.and_then(|flats| program.recipe.build(gl, flats, Cached::No));
    Some(built.and_then(|built| put_in_place(gl, program, built)))
}

fn put_in_place(gl: &Gl, program: &Inner, built: Built) -> Result<(), ShaderError> {
    let Built { handle, interface, flats, .. } = built;
    let parts = &mut *program.parts.borrow_mut();
    for wanted in &parts.uniforms {
        wanted.check(&interface, &program.origin(&flats))?;
    }
    let (old, new) = (program.raw.get(), handle.raw());
    // SAFETY: reads which program is in use, and uses one that is linked and alive.
    let in_use = unsafe {
        let in_use = gl.raw().get_parameter_program(glow::CURRENT_PROGRAM);
        gl.raw().use_program(Some(new));
        in_use
    };
    program.raw.set(new);
    for wanted in &parts.uniforms {
        let before = wanted.location.get();
        program.locate(wanted);
        let kind = |i: &super::program_interface::Interface| i.uniform(&wanted.name).map(|u| u.kind);
        let (was, is) = (kind(&parts.interface), kind(&interface));
        if let (Some(from), Some(into), Some(kind)) =
            (before, wanted.location.get(), is.filter(|_| was == is))
        {
            carry_over(gl.raw(), old, &from, &into, kind);
        }
    }
    for (block, binding) in &parts.blocks {
        bind_block(gl, new, block, *binding);
    }
    // SAFETY: uses the program that was in use before, or the new one in its place.
    unsafe { gl.raw().use_program(if in_use == Some(old) { Some(new) } else { in_use }) };
    parts.replace(interface, flats);
    // The old program goes with its handle.
    *program.handle.borrow_mut() = handle;
    gl.hook(Hook::Link(&program.recipe.name));
    Ok(())
}
