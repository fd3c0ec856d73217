//! What the crowd looks like: names, materials and pictures, all from memory, so that the logic thread can record with
//! names that the painter gives out later, and a lost context costs nothing that cannot be made anew.

use glam::{Vec2, Vec4};

use super::shapes::{self, Shape};
use crate::error::{Error, Result};
use crate::gl::{
    CreateContext, Gl, Material, Painter, PainterOptions, Program, TextureArray, TextureOptions,
};
use crate::runtime::Size;
use crate::scene::{LayerId, MaterialId, MeshId};
use crate::shader_file;

/// Shapes that walk.
pub(super) const SHAPES: u32 = 10;
pub(super) const GROUND: Name = Name::mesh(SHAPES);
pub(super) const SPOT: Name = Name::mesh(SHAPES + 1);
pub(super) const BALL: Name = Name::mesh(0);

/// Colours of what walks; each with each picture is a material.
const COLOURS: [[u8; 3]; 9] = [
    [240, 98, 84],
    [250, 176, 74],
    [248, 222, 120],
    [132, 202, 120],
    [80, 190, 190],
    [96, 150, 232],
    [158, 126, 222],
    [236, 140, 186],
    [232, 230, 222],
];
/// Pictures on what walks.
const PATTERNS: u32 = 6;
/// Walking materials.
pub(super) const OPAQUE: u32 = COLOURS.len() as u32 * PATTERNS;
/// Of the balloons.
pub(super) const CLEAR: u32 = COLOURS.len() as u32;
const GROUND_LOOK: u32 = OPAQUE;
const SHADOW_LOOK: u32 = OPAQUE + 1;
const FIRST_CLEAR: u32 = OPAQUE + 2;

/// Layers after the patterns.
const TILES: u32 = PATTERNS;
const SOFT: u32 = PATTERNS + 1;
const LAYERS: u32 = PATTERNS + 2;
/// Texels of a picture each way.
const SIDE: u32 = 64;
/// How far the ground's picture reaches, in shares of the ground's radius.
const TILE: f32 = 0.05;

/// The number of a mesh.
#[derive(Copy, Clone, Debug)]
pub(super) struct Name(u32);

impl Name {
    pub(super) const fn mesh(index: u32) -> Self {
        Self(index)
    }

    /// As the painter gives it: in the order of adding.
    pub(super) const fn id(self) -> MeshId {
        match MeshId::new(self.0) {
            Some(id) => id,
            None => panic!("few meshes"),
        }
    }
}

/// All materials have one program and one texture array, so that there is one state of opaque ones and one of the others.
const fn material(index: u32, transparent: bool) -> MaterialId {
    match MaterialId::new(0, transparent, index) {
        Some(id) => id,
        None => panic!("few materials"),
    }
}

/// One of the [`OPAQUE`] materials.
pub(super) const fn opaque(n: u32) -> MaterialId {
    material(n % OPAQUE, false)
}

/// One of the [`CLEAR`] materials.
pub(super) const fn clear(n: u32) -> MaterialId {
    material(FIRST_CLEAR + n % CLEAR, true)
}

pub(super) const fn ground() -> MaterialId {
    material(GROUND_LOOK, false)
}

pub(super) const fn shadow() -> MaterialId {
    material(SHADOW_LOOK, true)
}

/// A plain white layer, for sprites.
pub(super) const fn plain() -> LayerId {
    match LayerId::new(0, 0) {
        Some(id) => id,
        None => panic!("few layers"),
    }
}

/// One of the colours, of which there are [`CLEAR`].
pub(super) const fn colour(n: u32) -> [u8; 3] {
    COLOURS[n as usize % COLOURS.len()]
}

/// A painter with all of it.
pub(super) fn painter(cx: &CreateContext<'_>) -> Result<Painter> {
    let mut painter = Painter::new(cx.gl, PainterOptions::default())?;
    let layers = painter.add_textures(textures(cx.gl)?)?;
    let own = painter.add_program(program(cx.gl)?)?;
    let mut agreed = layers.first() == Some(&plain());
    let meshes = shapes::walkers().into_iter().chain([shapes::ground(TILE), shapes::spot()]);
    for (index, Shape { vertices, indices }) in (0..).zip(meshes) {
        agreed &= painter.add_mesh(&vertices, &indices)? == Name::mesh(index).id();
    }
    let mut add = |look: Material, layer: u32, wanted: MaterialId| -> Result<()> {
        let layer = layers.get(layer as usize).copied();
        let texture = layer.map_or(look, |layer| look.with_texture(layer));
        agreed &= painter.add_material(&texture.with_program(own))? == wanted;
        Ok(())
    };
    let of =
        |[r, g, b]: [u8; 3], a: f32| Vec4::new(f32::from(r), f32::from(g), f32::from(b), 255.0 * a) / 255.0;
    for n in 0..OPAQUE {
        add(Material::coloured(of(colour(n / PATTERNS), 1.0)), n % PATTERNS, opaque(n))?;
    }
    add(Material::coloured(Vec4::new(0.43, 0.44, 0.52, 1.0)), TILES, ground())?;
    let dark = Material::coloured(Vec4::new(0.02, 0.02, 0.06, 0.6));
    add(dark.with_transparency().without_light(), SOFT, shadow())?;
    for n in 0..CLEAR {
        add(Material::coloured(of(colour(n), 0.5)).with_transparency(), 0, clear(n))?;
    }
    if agreed {
        Ok(painter)
    } else {
        Err(Error::Gl { operation: "making the crowd", detail: "the painter names things otherwise".into() })
    }
}

/// The same in another context.
pub(super) fn restore(painter: &mut Painter, cx: &CreateContext<'_>) -> Result<()> {
    painter.restore(cx.gl, vec![textures(cx.gl)?], [program(cx.gl)?])
}

fn program(gl: &Gl) -> Result<Program> {
    let (vertex, fragment) = (shader_file!("painter_mesh.vert"), shader_file!("crowd.frag"));
    Ok(Program::new(gl, "crowd", &vertex, &fragment)?)
}

fn textures(gl: &Gl) -> Result<TextureArray> {
    let options = TextureOptions { srgb: false, ..TextureOptions::default() };
    let mut array = TextureArray::new(gl, "crowd", Size::new(SIDE, SIDE), LAYERS, &options)?;
    for layer in 0..LAYERS {
        array.write(layer, &picture(layer))?;
    }
    array.generate_mipmaps();
    Ok(array)
}

/// The texels of a layer: white and a shade of it, so that the material says the colour.
fn picture(layer: u32) -> Vec<u8> {
    let mut texels = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let at = (Vec2::new(x as f32, y as f32) + 0.5) / SIDE as f32;
            let (bright, alpha) = texel(layer, at);
            let byte = |share: f32| (share.clamp(0.0, 1.0) * 255.0).round() as u8;
            texels.extend([byte(bright), byte(bright), byte(bright), byte(alpha)]);
        }
    }
    texels
}

/// Brightness and alpha at a place from 0 to 1.
fn texel(layer: u32, at: Vec2) -> (f32, f32) {
    let dark = 0.42;
    let shade = |inside: bool| (if inside { dark } else { 1.0 }, 1.0);
    match layer {
        1 => shade((at.y * 3.0).fract() < 0.4),
        2 => shade(((at.x * 2.0) as u32 + (at.y * 4.0) as u32).is_multiple_of(2)),
        3 => shade(((at * Vec2::new(2.0, 3.0)).fract() - 0.5).length() < 0.27),
        4 => shade((at.y * 3.0 + ((at.x * 2.0).fract() - 0.5).abs()).fract() < 0.45),
        5 => shade((at.x * 2.0).fract() < 0.35),
        TILES => {
            // Four stones, each a little lighter or darker than the next, with joints between.
            let stone = at * 2.0;
            let edge = (stone.fract() - 0.5).abs().max_element();
            let tone = [0.92, 1.0, 0.96, 0.88][(stone.x as usize % 2) + 2 * (stone.y as usize % 2)];
            (if edge > 0.475 { 0.72 } else { tone }, 1.0)
        }
        SOFT => {
            let far = (at - 0.5).length() * 2.0;
            (1.0, (1.0 - far).clamp(0.0, 1.0).powf(1.3))
        }
        _ => (1.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_layers_are_opaque_and_all_but_the_plain_one_show_something() {
        for layer in 0..LAYERS {
            let picture = picture(layer);
            let different = picture.chunks(4).filter(|texel| **texel != picture[..4]).count();
            assert_eq!(different > 100, layer != 0, "layer {layer}: {different}");
            assert_eq!(picture.chunks(4).all(|texel| texel[3] == 255), layer != SOFT, "layer {layer}");
        }
    }

    #[test]
    fn there_is_a_name_for_each_shape() {
        assert_eq!(shapes::walkers().len() as u32, SHAPES);
    }
}
