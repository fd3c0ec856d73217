use bytemuck::{Pod, Zeroable};
use glam::Vec4;

use super::super::{TextureBuffer, Usage};
use super::{Gl, ProgramId};
use crate::error::{Error, Result};
use crate::scene::{LayerId, MaterialId};

/// How the surface of an object looks.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Material {
    /// Red, green, blue and alpha, by which the texture is multiplied.
    pub colour: Vec4,
    /// Its texture.
    pub texture: Option<LayerId>,
    /// Blended over what is behind it by its alpha; drawn after what is not, from back to front.
    pub transparent: bool,
    /// Drawn in its colour alone, whatever the light.
    pub unlit: bool,
    /// A program of one's own, or the painter's.
    pub program: Option<ProgramId>,
}

impl Default for Material {
    fn default() -> Self {
        Self { colour: Vec4::ONE, texture: None, transparent: false, unlit: false, program: None }
    }
}

impl Material {
    /// An opaque one of a colour (red, green, blue, alpha).
    #[must_use]
    pub fn coloured(colour: Vec4) -> Self {
        Self { colour, ..Self::default() }
    }

    /// The same with a texture.
    #[must_use]
    pub const fn with_texture(mut self, texture: LayerId) -> Self {
        self.texture = Some(texture);
        self
    }

    /// The same, blended over what is behind it.
    #[must_use]
    pub const fn with_transparency(mut self) -> Self {
        self.transparent = true;
        self
    }

    /// The same in its colour alone.
    #[must_use]
    pub const fn without_light(mut self) -> Self {
        self.unlit = true;
        self
    }

    /// The same with a program of one's own.
    #[must_use]
    pub const fn with_program(mut self, program: ProgramId) -> Self {
        self.program = Some(program);
        self
    }
}

/// What has to be set before a draw.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct State {
    pub(super) program: ProgramId,
    pub(super) array: Option<u32>,
}

/// Texels of a material.
const TEXELS: usize = size_of::<Row>() / size_of::<[f32; 4]>();

/// A material as the shader reads it: two texels of the table.
#[derive(Copy, Clone, Debug, Pod, Zeroable)]
#[repr(C)]
struct Row {
    colour: Vec4,
    /// The layer of the texture, or -1; 1 where there is no light.
    look: Vec4,
}

/// The materials in a buffer texture, which an instance points into: another material is no other draw.
#[derive(Debug)]
pub(super) struct MaterialTable {
    table: TextureBuffer,
    rows: Vec<Row>,
    /// Rows whose material was removed.
    vacant: Vec<u32>,
    /// Opaque and transparent ones.
    states: [Vec<State>; 2],
    changed: bool,
}

impl MaterialTable {
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        Ok(Self {
            table: TextureBuffer::new(gl, &[[0.0; 4]; TEXELS], Usage::Static)?,
            rows: Vec::new(),
            vacant: Vec::new(),
            states: Default::default(),
            changed: false,
        })
    }

    /// The same materials under the same names, in another context.
    pub(super) fn restored(&self, gl: &Gl) -> Result<Self> {
        Ok(Self {
            rows: self.rows.clone(),
            vacant: self.vacant.clone(),
            states: self.states.clone(),
            changed: !self.rows.is_empty(),
            ..Self::new(gl)?
        })
    }

    pub(super) fn add(&mut self, material: &Material) -> Result<MaterialId> {
        let fail = |detail| Error::Gl { operation: "adding a material", detail };
        let state = State {
            program: material.program.unwrap_or_default(),
            array: material.texture.map(LayerId::array),
        };
        let states = &mut self.states[usize::from(material.transparent)];
        let place = states.iter().position(|s| *s == state).unwrap_or(states.len());
        let index = self.vacant.last().copied().unwrap_or(self.rows.len() as u32);
        let id = MaterialId::new(place as u32, material.transparent, index).ok_or_else(|| {
            fail(format!(
                "at most {} materials with {} combinations of program and texture array have names",
                MaterialId::COUNT,
                MaterialId::STATES
            ))
        })?;
        if place == states.len() {
            states.push(state);
        }
        if self.vacant.pop().is_some() {
            self.rows[index as usize] = row(material);
        } else {
            self.rows.push(row(material));
        }
        self.changed = true;
        Ok(id)
    }

    /// Gives the name of a material to later ones. Whether there was one.
    pub(super) fn remove(&mut self, id: MaterialId) -> bool {
        let there = (id.index() as usize) < self.rows.len() && !self.vacant.contains(&id.index());
        if there {
            self.vacant.push(id.index());
        }
        there
    }

    /// Another look of a material. Its program, texture array and transparency stay as they are: they are its draw.
    pub(super) fn set(&mut self, id: MaterialId, material: &Material) -> Result<()> {
        let state = self.state(id.is_transparent(), id.state());
        let fits = id.is_transparent() == material.transparent
            && state.is_some_and(|s| {
                s.program == material.program.unwrap_or_default()
                    && s.array == material.texture.map(LayerId::array)
            });
        match self.rows.get_mut(id.index() as usize) {
            Some(place) if fits => {
                *place = row(material);
                self.changed = true;
                Ok(())
            }
            _ => Err(Error::Gl {
                operation: "changing a material",
                detail: "program, texture array and transparency cannot change; add another material".into(),
            }),
        }
    }

    pub(super) fn state(&self, transparent: bool, state: u32) -> Option<State> {
        self.states[usize::from(transparent)].get(state as usize).copied()
    }

    /// Hands the table over where it has changed, and binds it to a texture unit. Returns how many calls that took.
    pub(super) fn bind(&mut self, unit: u32) -> u32 {
        let changed = std::mem::take(&mut self.changed);
        if changed {
            self.table.write_all(bytemuck::cast_slice(&self.rows));
        }
        self.table.bind(unit);
        if changed { 4 } else { 2 }
    }
}

fn row(material: &Material) -> Row {
    let layer = material.texture.map_or(-1.0, |t| t.layer() as f32);
    Row { colour: material.colour, look: Vec4::new(layer, if material.unlit { 1.0 } else { 0.0 }, 0.0, 0.0) }
}
