use glow::HasContext as _;

use super::submit::{Block, Indirect, Submit, Submitter};
use super::{MeshProgram, Painter, PassView};
use crate::error::{Error, Result};
use crate::scene::{Batches, Commands, DrawList, Instance, Sprite};

/// Texture units: of texture arrays, and of the table of materials.
const TEXTURES: u32 = 0;
const MATERIALS: u32 = 1;

/// What one call of [`Painter::paint`] did.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Painted {
    /// Meshes that were recorded.
    pub objects: usize,
    /// Those of them that were left out, because they are not seen.
    pub culled: usize,
    /// Sprites that were recorded.
    pub sprites: usize,
    /// Those of them that were left out, because they are not seen.
    pub culled_sprites: usize,
    /// Draws after merging.
    pub batches: usize,
    /// Calls that draw.
    pub draw_calls: u32,
    /// All OpenGL calls, these included; without the few that streaming takes, the same whatever is drawn.
    pub gl_calls: u32,
    /// Bytes that were streamed.
    pub bytes: usize,
    /// How often the GPU had to be waited for, because it was several frames behind.
    pub waits: u64,
}

impl Painter {
    /// Draws a list, each pass as seen by the view of its number, into the bound target. Blending, tests, programs and
    /// vertex arrays are set back to what a renderer finds at the start of a frame.
    ///
    /// After the first frames it allocates nothing, and it waits for nothing unless the GPU is several frames behind.
    ///
    /// # Errors
    /// When a pass that has something in it has no view, the driver has no memory, or the GPU hangs.
    pub fn paint(&mut self, list: &DrawList, views: &[PassView]) -> Result<Painted> {
        crate::profile::scope!("paint");
        let waits = self.stream.waits();
        let mut painted = Painted::default();
        let passes = list.passes();
        if let Some(number) = (views.len()..passes.len()).find(|&n| !passes[n].is_empty()) {
            let detail = format!("pass {number} has commands and no view");
            return Err(Error::Gl { operation: "painting", detail });
        }
        if self.passes.len() < passes.len() {
            self.passes.resize_with(passes.len(), Default::default);
        }
        for ((commands, view), (batches, _)) in passes.iter().zip(views).zip(&mut self.passes) {
            batches.build(commands, &view.scene_view(), self.meshes.bounds());
            painted.objects += commands.instances().len();
            painted.culled += batches.culled();
            painted.sprites += commands.sprites().len();
            painted.culled_sprites += batches.culled_sprites();
            painted.batches += batches.batches().len() + batches.sprite_batches().len();
        }
        if self.submit != Submit::PerObject {
            painted.bytes = self.write(&passes[..passes.len().min(views.len())])?;
        }
        for (number, (commands, view)) in passes.iter().zip(views).enumerate() {
            if !commands.is_empty() {
                self.draw(number, commands, view, &mut painted);
            }
        }
        self.stream.fence();
        painted.waits = self.stream.waits() - waits;
        Ok(painted)
    }

    /// Hands instances, sprites and indirect draws of all passes over. Returns how many bytes they are.
    fn write(&mut self, passes: &[Commands]) -> Result<usize> {
        let indirect = self.submit == Submit::MultiDraw;
        let draws = |batches: &Batches| if indirect { batches.batches().len() } else { 0 };
        let mut bytes = 0;
        for (_, (batches, _)) in passes.iter().zip(&self.passes) {
            bytes += batches.visible() * size_of::<Instance>()
                + batches.visible_sprites() * size_of::<Sprite>()
                + draws(batches) * size_of::<Indirect>();
        }
        // Each of the three begins at a multiple of its elements' size.
        let aligned =
            bytes + passes.len() * (size_of::<Instance>() + size_of::<Sprite>() + size_of::<Indirect>());
        if self.stream.begin(aligned)? {
            self.arrays.describe_stream(&self.gl, self.stream.buffer());
        }
        for (commands, (batches, block)) in passes.iter().zip(&mut self.passes) {
            let instances = if batches.as_recorded() {
                self.stream.write(commands.instances())?
            } else {
                self.stream.fill(batches.visible(), |out| batches.write(commands, out))?
            };
            let sprites = if batches.sprites_as_recorded() {
                self.stream.write(commands.sprites())?
            } else {
                self.stream.fill(batches.visible_sprites(), |out| batches.write_sprites(commands, out))?
            };
            *block = Block { instances: instances.offset(), sprites: sprites.offset(), indirect: 0 };
            let meshes = &self.meshes;
            let draws = self.stream.fill(draws(batches), |out| {
                for (slot, batch) in out.iter_mut().zip(batches.batches()) {
                    *slot = Indirect::new(batch, meshes.slice(batch.mesh), *block);
                }
            })?;
            block.indirect = draws.offset();
        }
        self.stream.finish_writes();
        Ok(bytes)
    }

    fn draw(&mut self, pass: usize, commands: &Commands, view: &PassView, painted: &mut Painted) {
        let (batches, block) = &self.passes[pass];
        if self.submit == Submit::PerObject {
            self.sorted.resize(batches.visible(), Instance::default());
            batches.write(commands, &mut self.sorted);
            self.seen.resize(batches.visible_sprites(), Sprite::default());
            batches.write_sprites(commands, &mut self.seen);
        }
        let mut to = Submitter {
            gl: &self.gl,
            by: self.submit,
            block: *block,
            stream: self.stream.buffer(),
            arrays: &self.arrays,
            calls: 0,
            draws: 0,
        };
        to.calls += self.materials.bind(MATERIALS);
        // SAFETY: sets state of the current context.
        unsafe {
            to.call().active_texture(glow::TEXTURE0 + TEXTURES);
            if view.face_culling {
                to.call().enable(glow::CULL_FACE);
                to.call().front_face(glow::CCW);
            }
            if view.depth_test {
                to.call().enable(glow::DEPTH_TEST);
            }
        }
        self.draw_meshes(&mut to, view, batches);
        if view.depth_test {
            // SAFETY: sets state of the current context.
            unsafe { to.call().disable(glow::DEPTH_TEST) }
        }
        self.draw_sprites(&mut to, view, batches);
        // SAFETY: sets state of the current context.
        unsafe {
            if view.face_culling {
                to.call().disable(glow::CULL_FACE);
            }
            to.call().bind_vertex_array(None);
            to.call().use_program(None);
        }
        painted.draw_calls += to.draws;
        painted.gl_calls += to.calls;
    }

    fn draw_meshes(&self, to: &mut Submitter<'_>, view: &PassView, batches: &Batches) {
        let batches = batches.batches();
        if batches.is_empty() {
            return;
        }
        to.begin_meshes();
        let mut blending = false;
        let mut used = None;
        let mut first = 0;
        for group in batches.chunk_by(|a, b| (a.transparent, a.state) == (b.transparent, b.state)) {
            let (transparent, state) = (group[0].transparent, group[0].state);
            let start = first;
            first += group.len();
            let Some(state) = self.materials.state(transparent, state) else { continue };
            let Some(program) = self.programs.get(state.program.0) else { continue };
            if transparent != blending {
                set_blending(to, transparent);
                blending = transparent;
            }
            if used != Some(state.program) {
                self.begin_program(to, program, view);
                used = Some(state.program);
            }
            if let Some(array) = state.array.and_then(|a| self.textures.get(a as usize)) {
                array.bind(TEXTURES);
                to.calls += 2;
            }
            to.meshes(&self.meshes, start, group, &self.sorted);
        }
        if blending {
            set_blending(to, false);
        }
    }

    /// Uniforms are set each time, since a program that was loaded anew while running has forgotten them.
    fn begin_program(&self, to: &mut Submitter<'_>, with: &MeshProgram, view: &PassView) {
        with.program.set(&with.textures, TEXTURES as i32);
        with.program.set(&with.materials, MATERIALS as i32);
        with.program.set(&with.view_projection, view.view_projection);
        with.program.set(&with.light, self.light);
        to.calls += 8;
    }

    fn draw_sprites(&self, to: &mut Submitter<'_>, view: &PassView, batches: &Batches) {
        if batches.sprite_batches().is_empty() {
            return;
        }
        to.begin_sprites();
        self.begin_program(to, &self.sprites, view);
        set_blending(to, true);
        for batch in batches.sprite_batches() {
            if let Some(array) = self.textures.get(batch.array as usize) {
                array.bind(TEXTURES);
                to.calls += 2;
                to.sprites(*batch, &self.seen);
            }
        }
        set_blending(to, false);
    }
}

/// As [`Frame::set_blending`](crate::gl::Frame::set_blending).
fn set_blending(to: &mut Submitter<'_>, on: bool) {
    // SAFETY: sets state of the current context.
    unsafe {
        if on {
            to.call().enable(glow::BLEND);
            to.call().blend_func_separate(
                glow::SRC_ALPHA,
                glow::ONE_MINUS_SRC_ALPHA,
                glow::ONE,
                glow::ONE_MINUS_SRC_ALPHA,
            );
        } else {
            to.call().disable(glow::BLEND);
        }
        to.call().depth_mask(!on);
    }
}
