//! Materials, textures and samplers.

use glam::{Affine2, Mat2, Vec2};

use super::error::ModelError;
use super::image::{self, Image};
use super::limits::Budget;
use super::remarks::Remarks;
use super::schema;
use super::source::{Source, get};

/// How a primitive looks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Material {
    /// The file's name for it.
    pub name: Option<String>,
    /// Linear red, green, blue, and alpha; multiplies the texture and the vertex colour.
    pub base_color: [f32; 4],
    /// Index into [`Model::textures`](super::Model::textures).
    pub base_color_texture: Option<usize>,
    /// Light of its own, linear red, green, blue.
    pub emissive: [f32; 3],
    /// 0 (dielectric) to 1 (metal).
    pub metallic: f32,
    /// 0 (mirror) to 1 (matt).
    pub roughness: f32,
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

/// An image with the way to look it up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Texture {
    /// Index into [`Model::images`](super::Model::images).
    pub image: usize,
    /// Beyond the left and right edges.
    pub wrap_u: Wrap,
    /// Beyond the upper and lower edges.
    pub wrap_v: Wrap,
    /// When a pixel of the image covers several of the screen.
    pub magnify: Filter,
    /// When several pixels of the image fall into one of the screen: within a mip level.
    pub minify: Filter,
    /// Between mip levels; `None`: only the full image is used.
    pub mipmap: Option<Filter>,
}

/// What lies beyond an image's edge.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// The image again.
    Repeat,
    /// The image mirrored.
    Mirror,
    /// The pixels of the edge.
    Clamp,
}

/// How pixels are combined.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The nearest one.
    Nearest,
    /// The weighted mean of the neighbours.
    Linear,
}

/// Which texture coordinates a material wants in its vertices.
#[derive(Copy, Clone, Debug)]
pub(super) struct UvSource {
    /// `n` of `TEXCOORD_n`.
    pub(super) set: u64,
    pub(super) transform: Affine2,
}

/// Materials, textures and images as primitives ask for them: what nothing draws is never decoded.
pub(super) struct Materials {
    pub(super) materials: Vec<Material>,
    pub(super) textures: Vec<Texture>,
    pub(super) images: Vec<Image>,
    uv: Vec<Option<UvSource>>,
    default: Option<usize>,
    loaded_materials: Vec<Option<usize>>,
    loaded_textures: Vec<Option<usize>>,
    loaded_images: Vec<Option<usize>>,
}

impl Materials {
    pub(super) fn new(source: &Source<'_>) -> Self {
        Self {
            materials: Vec::new(),
            textures: Vec::new(),
            images: Vec::new(),
            uv: Vec::new(),
            default: None,
            loaded_materials: vec![None; source.document.materials.len()],
            loaded_textures: vec![None; source.document.textures.len()],
            loaded_images: vec![None; source.document.images.len()],
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
    ) -> Result<(usize, Option<UvSource>), ModelError> {
        let Some(index) = index else {
            let ours = *self.default.get_or_insert_with(|| {
                self.materials.push(default_material());
                self.uv.push(None);
                self.materials.len() - 1
            });
            return Ok((ours, None));
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
    ) -> Result<(Material, Option<UvSource>), ModelError> {
        let here = || format!("materials[{index}]");
        let pbr = &json.pbr_metallic_roughness;
        for (there, what) in [
            (json.normal_texture.is_some(), "normal textures"),
            (json.occlusion_texture.is_some(), "occlusion textures"),
            (json.emissive_texture.is_some(), "emissive textures"),
            (pbr.metallic_roughness_texture.is_some(), "metallic-roughness textures"),
        ] {
            if there {
                remarks.add(what);
            }
        }
        remarks.add_extensions(&json.extensions);
        let plain = default_material();
        let mut material = Material {
            name: json.name.clone(),
            base_color: pbr.base_color_factor.unwrap_or(plain.base_color),
            base_color_texture: None,
            // An emissive texture's factor without the texture would light up the whole surface.
            emissive: json.emissive_factor.filter(|_| json.emissive_texture.is_none()).unwrap_or_default(),
            metallic: pbr.metallic_factor.unwrap_or(plain.metallic),
            roughness: pbr.roughness_factor.unwrap_or(plain.roughness),
            alpha: match json.alpha_mode.as_deref() {
                None | Some("OPAQUE") => Alpha::Opaque,
                Some("MASK") => Alpha::Mask(json.alpha_cutoff.unwrap_or(0.5)),
                Some("BLEND") => Alpha::Blend,
                Some(_) => return Err(ModelError::invalid(here(), "alphaMode is unknown")),
            },
            double_sided: json.double_sided,
            unlit: json.extensions.contains_key("KHR_materials_unlit"),
        };
        let factors =
            [&material.base_color[..], &material.emissive, &[material.metallic, material.roughness]];
        let cutoff = if let Alpha::Mask(cutoff) = material.alpha { cutoff } else { 0.0 };
        if !factors.iter().all(|f| f.iter().all(|v| v.is_finite())) || !cutoff.is_finite() {
            return Err(ModelError::invalid(here(), "a factor is not a finite number"));
        }
        let mut uv = None;
        if let Some(info) = &pbr.base_color_texture {
            material.base_color_texture = self.texture(source, info.index, budget, remarks, &here)?;
            if material.base_color_texture.is_some() {
                uv = Some(uv_source(info).ok_or_else(|| {
                    ModelError::invalid(here(), "KHR_texture_transform holds a number that is not finite")
                })?);
            }
        }
        Ok((material, uv))
    }

    fn texture(
        &mut self,
        source: &Source<'_>,
        index: u64,
        budget: &mut Budget,
        remarks: &mut Remarks,
        place: &dyn Fn() -> String,
    ) -> Result<Option<usize>, ModelError> {
        let json = get(&source.document.textures, index, "textures", place)?;
        if let Some(ours) = self.loaded_textures[index as usize] {
            return Ok(Some(ours));
        }
        let here = || format!("textures[{index}]");
        let Some(image_index) = json.source else {
            // The image hangs on an extension (WebP, Basis Universal), which `extensionsUsed` names as well.
            remarks.add("textures that are neither PNG nor JPEG");
            return Ok(None);
        };
        get(&source.document.images, image_index, "images", &here)?;
        let image = match self.loaded_images[image_index as usize] {
            Some(ours) => ours,
            None => {
                self.images.push(image::load(source, image_index, true, budget, &here)?);
                self.images.len() - 1
            }
        };
        self.loaded_images[image_index as usize] = Some(image);
        let texture = match json.sampler {
            None => sampler(&schema::Sampler::default(), image),
            Some(s) => sampler(get(&source.document.samplers, s, "samplers", &here)?, image),
        };
        let texture = texture
            .ok_or_else(|| ModelError::invalid(here(), "its sampler has an unknown filter or wrapping"))?;
        self.textures.push(texture);
        let ours = self.textures.len() - 1;
        self.loaded_textures[index as usize] = Some(ours);
        Ok(Some(ours))
    }
}

/// The material of primitives that name none (glTF 2.0, section 3.7.2.1).
fn default_material() -> Material {
    Material {
        name: None,
        base_color: [1.0; 4],
        base_color_texture: None,
        emissive: [0.0; 3],
        metallic: 1.0,
        roughness: 1.0,
        alpha: Alpha::Opaque,
        double_sided: false,
        unlit: false,
    }
}

fn uv_source(info: &schema::TextureInfo) -> Option<UvSource> {
    let Some(transform) = &info.extensions.transform else {
        return Some(UvSource { set: info.tex_coord, transform: Affine2::IDENTITY });
    };
    let offset = Vec2::from(transform.offset.unwrap_or_default());
    let scale = Vec2::from(transform.scale.unwrap_or([1.0; 2]));
    // v points down, so a turn that looks counter-clockwise is one by the negative angle: the quadrant of the
    // example in the extension comes out only so.
    let rotation = Mat2::from_angle(-transform.rotation.unwrap_or_default());
    let transform_2d = Affine2::from_mat2_translation(rotation * Mat2::from_diagonal(scale), offset);
    transform_2d
        .is_finite()
        .then_some(UvSource { set: transform.tex_coord.unwrap_or(info.tex_coord), transform: transform_2d })
}

fn sampler(json: &schema::Sampler, image: usize) -> Option<Texture> {
    let wrap = |value: Option<u64>| {
        Some(match value {
            None | Some(10497) => Wrap::Repeat,
            Some(33648) => Wrap::Mirror,
            Some(33071) => Wrap::Clamp,
            Some(_) => return None,
        })
    };
    use Filter::{Linear, Nearest};
    let magnify = match json.mag_filter {
        Some(9728) => Nearest,
        None | Some(9729) => Linear,
        Some(_) => return None,
    };
    let (minify, mipmap) = match json.min_filter {
        Some(9728) => (Nearest, None),
        Some(9729) => (Linear, None),
        Some(9984) => (Nearest, Some(Nearest)),
        Some(9985) => (Linear, Some(Nearest)),
        Some(9986) => (Nearest, Some(Linear)),
        // The file leaves the choice to us: the one that does not shimmer.
        None | Some(9987) => (Linear, Some(Linear)),
        Some(_) => return None,
    };
    Some(Texture { image, wrap_u: wrap(json.wrap_s)?, wrap_v: wrap(json.wrap_t)?, magnify, minify, mipmap })
}
