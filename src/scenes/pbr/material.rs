//! Materials in the GPU's memory: a uniform block each, and the textures that they share.

use std::sync::Arc;

use crate::error::Result;
use crate::gl::{Buffer, Gl, Usage};
use crate::scenes::model::{Alpha, Material, Model, TextureRef};

use super::textures::Textures;
use super::variant::{Flags, MATERIAL_BLOCK, unit};

/// The `Material` block of the shader, laid out by std140.
#[derive(Copy, Clone, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Block {
    base: [f32; 4],
    /// Red, green, blue, and the least alpha that is drawn.
    emissive: [f32; 4],
    /// Metallic, roughness, scale of the normals, strength of the occlusion.
    factors: [f32; 4],
    uv: [[f32; 4]; 10],
}

#[derive(Debug)]
pub(super) struct GpuMaterial {
    block: Buffer<Block>,
    /// Indices into the textures, by unit.
    maps: [Option<usize>; 5],
    /// What of the flags follows from the material alone.
    pub(super) flags: Flags,
    pub(super) double_sided: bool,
}

#[derive(Debug)]
pub(super) struct Materials {
    pub(super) list: Vec<GpuMaterial>,
    pub(super) textures: Textures,
}

/// The maps of a material in the order of their units, with their flags.
fn maps(material: &Material) -> [(Option<TextureRef>, Flags); 5] {
    [
        (material.base_color_texture, Flags::BASE_MAP),
        (material.metallic_roughness_texture, Flags::MR_MAP),
        (material.normal_texture, Flags::NORMAL_MAP),
        (material.occlusion_texture, Flags::OCCLUSION_MAP),
        (material.emissive_texture, Flags::EMISSIVE_MAP),
    ]
}

impl Materials {
    pub(super) fn new(gl: &Gl, model: &Arc<Model>) -> Result<Self> {
        let textures = Textures::new(gl, model)?;
        let list = model.materials.iter().map(|m| GpuMaterial::new(gl, m)).collect::<Result<_>>()?;
        Ok(Self { list, textures })
    }

    /// Makes a material the one that is drawn with.
    pub(super) fn bind(&self, material: usize) {
        let material = &self.list[material];
        material.block.bind_base(MATERIAL_BLOCK);
        for (map, unit) in material.maps.iter().zip(unit::MAPS..) {
            if let Some(map) = map {
                self.textures.bind(*map, unit);
            }
        }
    }
}

impl GpuMaterial {
    fn new(gl: &Gl, material: &Material) -> Result<Self> {
        let mut flags = Flags::default();
        let cutoff = match material.alpha {
            Alpha::Opaque => 0.0,
            Alpha::Mask(cutoff) => {
                flags |= Flags::MASK;
                cutoff
            }
            Alpha::Blend => {
                flags |= Flags::BLEND;
                0.0
            }
        };
        flags |= Flags::UNLIT.when(material.unlit);
        let mut uv = [[0.0; 4]; 10];
        let maps = maps(material);
        for (i, (map, flag)) in maps.iter().enumerate() {
            let Some(map) = map else { continue };
            flags |= *flag;
            let (m, t) = (map.transform.matrix2, map.transform.translation);
            uv[i * 2] = [m.x_axis.x, m.y_axis.x, t.x, map.uv as f32];
            uv[i * 2 + 1] = [m.x_axis.y, m.y_axis.y, t.y, 0.0];
            flags |= Flags::UV_TRANSFORM.when(map.uv != 0 || map.transform != glam::Affine2::IDENTITY);
        }
        // An unlit material is its base colour and nothing else (KHR_materials_unlit).
        let [r, g, b] = if material.unlit { [0.0; 3] } else { material.emissive };
        let block = Block {
            base: material.base_color,
            emissive: [r, g, b, cutoff],
            factors: [
                material.metallic,
                material.roughness,
                material.normal_scale,
                material.occlusion_strength,
            ],
            uv,
        };
        Ok(Self {
            block: Buffer::uniform(gl, &[block], Usage::Static)?,
            maps: maps.map(|(map, _)| map.map(|m| m.texture)),
            flags,
            double_sided: material.double_sided,
        })
    }
}
