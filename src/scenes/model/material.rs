//! Materials.

use glam::{Affine2, Mat2, Vec2};

use super::error::ModelError;
use super::limits::Budget;
use super::remarks::Remarks;
use super::schema;
use super::source::{Source, get};
use super::texture::Textures;

/// How a primitive looks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Material {
    /// The file's name for it.
    pub name: Option<String>,
    /// Linear red, green, blue, and alpha; multiplies the texture and the vertex colour.
    pub base_color: [f32; 4],
    /// Its colours are sRGB-encoded.
    pub base_color_texture: Option<TextureRef>,
    /// Light of its own, linear red, green, blue; `KHR_materials_emissive_strength` is multiplied in, so that it may be
    /// more than 1. Multiplies the texture.
    pub emissive: [f32; 3],
    /// Its colours are sRGB-encoded.
    pub emissive_texture: Option<TextureRef>,
    /// 0 (dielectric) to 1 (metal); multiplies the texture's blue.
    pub metallic: f32,
    /// 0 (mirror) to 1 (matt); multiplies the texture's green.
    pub roughness: f32,
    /// Roughness in green, metalness in blue, both linear.
    pub metallic_roughness_texture: Option<TextureRef>,
    /// Normals in the space of the tangents, y up.
    pub normal_texture: Option<TextureRef>,
    /// Multiplies x and y of what the normal texture says.
    pub normal_scale: f32,
    /// The share of ambient light that arrives, in red.
    pub occlusion_texture: Option<TextureRef>,
    /// How much of the occlusion counts, 0 to 1.
    pub occlusion_strength: f32,
    /// What alpha means.
    pub alpha: Alpha,
    /// Whether back faces are drawn too, with their normals turned.
    pub double_sided: bool,
    /// Whether the base colour is shown as it is, without light.
    pub unlit: bool,
}

/// What a material's alpha means.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Alpha {
    /// Nothing: the surface is opaque.
    Opaque,
    /// Pixels with less alpha than this are not drawn, all others are opaque.
    Mask(f32),
    /// The share of the surface in the pixel.
    Blend,
}

/// A texture as a material uses it.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TextureRef {
    /// Index into [`Model::textures`](super::Model::textures).
    pub texture: usize,
    /// Which of a vertex's texture coordinates, 0 or 1.
    pub uv: usize,
    /// What is made of them (`KHR_texture_transform`).
    pub transform: Affine2,
}

/// `n` of the `TEXCOORD_n` that a material wants as the first and the second coordinates of its vertices.
pub(super) type UvSets = [Option<u64>; 2];

/// Materials, textures and images as primitives ask for them: what nothing draws is never decoded.
pub(super) struct Materials {
    pub(super) materials: Vec<Material>,
    pub(super) textures: Textures,
    uv: Vec<UvSets>,
    default: Option<usize>,
    loaded_materials: Vec<Option<usize>>,
}

impl Materials {
    pub(super) fn new(source: &Source<'_>) -> Self {
        Self {
            materials: Vec::new(),
            textures: Textures::new(source),
            uv: Vec::new(),
            default: None,
            loaded_materials: vec![None; source.document.materials.len()],
        }
    }

    /// Our index of `materials[index]`, or of the specification's default material.
    pub(super) fn get(
        &mut self,
        source: &Source<'_>,
        index: Option<u64>,
        budget: &mut Budget,
        remarks: &mut Remarks,
        place: &dyn Fn() -> String,
    ) -> Result<(usize, UvSets), ModelError> {
        let Some(index) = index else {
            let ours = *self.default.get_or_insert_with(|| {
                self.materials.push(default_material());
                self.uv.push([None; 2]);
                self.materials.len() - 1
            });
            return Ok((ours, [None; 2]));
        };
        let json = get(&source.document.materials, index, "materials", place)?;
        if let Some(ours) = self.loaded_materials[index as usize] {
            return Ok((ours, self.uv[ours]));
        }
        let (material, uv) = self.load(source, json, index, budget, remarks)?;
        let ours = self.materials.len();
        self.materials.push(material);
        self.uv.push(uv);
        self.loaded_materials[index as usize] = Some(ours);
        Ok((ours, uv))
    }

    fn load(
        &mut self,
        source: &Source<'_>,
        json: &schema::Material,
        index: u64,
        budget: &mut Budget,
        remarks: &mut Remarks,
    ) -> Result<(Material, UvSets), ModelError> {
        let here = || format!("materials[{index}]");
        let broken = |detail: &str| ModelError::invalid(here(), detail);
        let pbr = &json.pbr_metallic_roughness;
        remarks.add_extensions(&json.extensions);
        let plain = default_material();
        let strength = json.extensions.emissive_strength.as_ref().and_then(|e| e.emissive_strength);
        let strength = strength.unwrap_or(1.0);
        if strength < 0.0 {
            return Err(broken("its emissive strength is negative"));
        }
        let alpha = match json.alpha_mode.as_deref() {
            None | Some("OPAQUE") => Alpha::Opaque,
            Some("MASK") => Alpha::Mask(json.alpha_cutoff.unwrap_or(0.5)),
            Some("BLEND") => Alpha::Blend,
            Some(_) => return Err(broken("alphaMode is unknown")),
        };
        let mut sets: UvSets = [None; 2];
        let mut open = |info: &Option<Box<schema::TextureInfo>>, srgb: bool| match info {
            None => Ok(None),
            Some(info) => self.texture_ref(source, info, srgb, &mut sets, budget, remarks, &here),
        };
        let mut material = Material {
            name: json.name.clone(),
            base_color: pbr.base_color_factor.unwrap_or(plain.base_color),
            base_color_texture: open(&pbr.base_color_texture, true)?,
            metallic_roughness_texture: open(&pbr.metallic_roughness_texture, false)?,
            normal_texture: open(&json.normal_texture, false)?,
            occlusion_texture: open(&json.occlusion_texture, false)?,
            emissive_texture: open(&json.emissive_texture, true)?,
            emissive: json.emissive_factor.unwrap_or_default().map(|c| c * strength),
            metallic: pbr.metallic_factor.unwrap_or(plain.metallic),
            roughness: pbr.roughness_factor.unwrap_or(plain.roughness),
            normal_scale: json.normal_texture.as_ref().and_then(|t| t.scale).unwrap_or(1.0),
            occlusion_strength: json.occlusion_texture.as_ref().and_then(|t| t.strength).unwrap_or(1.0),
            alpha,
            double_sided: json.double_sided,
            unlit: json.extensions.unlit,
        };
        if json.emissive_texture.is_some() && material.emissive_texture.is_none() {
            // The factor without its map would light up the whole surface.
            material.emissive = [0.0; 3];
        }
        let cutoff = if let Alpha::Mask(cutoff) = material.alpha { cutoff } else { 0.0 };
        let rest = [
            material.metallic,
            material.roughness,
            material.normal_scale,
            material.occlusion_strength,
            cutoff,
        ];
        let factors = [&material.base_color[..], &material.emissive, &rest];
        if !factors.iter().all(|f| f.iter().all(|v| v.is_finite())) {
            return Err(broken("a factor is not a finite number"));
        }
        Ok((material, sets))
    }

    #[allow(clippy::too_many_arguments, reason = "one place calls it, and each is needed")]
    fn texture_ref(
        &mut self,
        source: &Source<'_>,
        info: &schema::TextureInfo,
        srgb: bool,
        sets: &mut UvSets,
        budget: &mut Budget,
        remarks: &mut Remarks,
        here: &dyn Fn() -> String,
    ) -> Result<Option<TextureRef>, ModelError> {
        let transform = transform(info).ok_or_else(|| {
            ModelError::invalid(here(), "KHR_texture_transform holds a number that is not finite")
        })?;
        let set = info.extensions.transform.as_ref().and_then(|t| t.tex_coord).unwrap_or(info.tex_coord);
        remarks.add_extensions(&info.extensions);
        let place =
            sets.iter().position(|s| *s == Some(set)).or_else(|| sets.iter().position(Option::is_none));
        let texture = self.textures.get(source, info.index, srgb, budget, remarks, here)?;
        match (texture, place) {
            (Some(texture), Some(uv)) => {
                sets[uv] = Some(set);
                Ok(Some(TextureRef { texture, uv, transform }))
            }
            (Some(_), None) => {
                remarks.add("textures with a third set of coordinates in one material");
                Ok(None)
            }
            (None, _) => Ok(None),
        }
    }
}

/// The material of primitives that name none (glTF 2.0, section 3.7.2.1).
fn default_material() -> Material {
    Material {
        name: None,
        base_color: [1.0; 4],
        base_color_texture: None,
        emissive: [0.0; 3],
        emissive_texture: None,
        metallic: 1.0,
        roughness: 1.0,
        metallic_roughness_texture: None,
        normal_texture: None,
        normal_scale: 1.0,
        occlusion_texture: None,
        occlusion_strength: 1.0,
        alpha: Alpha::Opaque,
        double_sided: false,
        unlit: false,
    }
}

fn transform(info: &schema::TextureInfo) -> Option<Affine2> {
    let Some(transform) = &info.extensions.transform else { return Some(Affine2::IDENTITY) };
    let offset = Vec2::from(transform.offset.unwrap_or_default());
    let scale = Vec2::from(transform.scale.unwrap_or([1.0; 2]));
    // v points down, so a turn that looks counter-clockwise is one by the negative angle: the quadrant of the
    // example in the extension comes out only so.
    let rotation = Mat2::from_angle(-transform.rotation.unwrap_or_default());
    let transform = Affine2::from_mat2_translation(rotation * Mat2::from_diagonal(scale), offset);
    transform.is_finite().then_some(transform)
}
