//! The part of the glTF JSON that is read. Indices and counts are `u64`: nothing is cut or wrapped while parsing;
//! whoever follows an index checks it. Unknown properties are skipped without being stored.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// The extensions of any object: those whose content is read, and the names of all.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) names: Vec<String>,
    pub(super) unlit: bool,
    pub(super) emissive_strength: Option<EmissiveStrength>,
    /// Boxed, as are textures below: a file may have hundreds of thousands of objects without any.
    pub(super) transform: Option<Box<TextureTransform>>,
    pub(super) lights: Option<Box<Lights>>,
    /// `KHR_texture_basisu`: the image in place of the texture's own.
    pub(super) basisu: Option<Basisu>,
}

#[derive(Deserialize)]
pub(super) struct Basisu {
    pub(super) source: u64,
}

/// Extensions that keep vertices where they are not looked for.
const PACKED: [&str; 3] =
    ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression"];

impl Extensions {
    /// The one that packs the vertices of this object, if there is one.
    pub(super) fn packed(&self) -> Option<&str> {
        self.names.iter().map(String::as_str).find(|name| PACKED.contains(name))
    }
}

impl<'de> Deserialize<'de> for Extensions {
    // By hand: what is unknown is skipped where it stands, and never held in memory to be looked at again.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Extensions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of extensions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extensions, A::Error> {
                let mut out = Extensions::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "KHR_materials_unlit" => {
                            map.next_value::<IgnoredAny>()?;
                            out.unlit = true;
                        }
                        "KHR_materials_emissive_strength" => out.emissive_strength = Some(map.next_value()?),
                        "KHR_texture_transform" => out.transform = Some(map.next_value()?),
                        "KHR_lights_punctual" => out.lights = Some(map.next_value()?),
                        "KHR_texture_basisu" => out.basisu = Some(map.next_value()?),
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                    out.names.push(name);
                }
                Ok(out)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmissiveStrength {
    pub(super) emissive_strength: Option<f32>,
}

/// `KHR_lights_punctual`: of the document the list, of a node the index.
#[derive(Deserialize)]
pub(super) struct Lights {
    #[serde(default)]
    pub(super) lights: Vec<Light>,
    pub(super) light: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Light {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) color: Option<[f32; 3]>,
    pub(super) intensity: Option<f32>,
    pub(super) range: Option<f32>,
    pub(super) spot: Option<Spot>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spot {
    pub(super) inner_cone_angle: Option<f32>,
    pub(super) outer_cone_angle: Option<f32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) asset: Asset,
    #[serde(default)]
    pub(super) extensions_used: Vec<String>,
    #[serde(default)]
    pub(super) extensions_required: Vec<String>,
    pub(super) scene: Option<u64>,
    #[serde(default)]
    pub(super) scenes: Vec<Scene>,
    #[serde(default)]
    pub(super) nodes: Vec<Node>,
    #[serde(default)]
    pub(super) meshes: Vec<Mesh>,
    #[serde(default)]
    pub(super) accessors: Vec<Accessor>,
    #[serde(default)]
    pub(super) buffer_views: Vec<View>,
    #[serde(default)]
    pub(super) buffers: Vec<Buffer>,
    #[serde(default)]
    pub(super) materials: Vec<Material>,
    #[serde(default)]
    pub(super) textures: Vec<Texture>,
    #[serde(default)]
    pub(super) samplers: Vec<Sampler>,
    #[serde(default)]
    pub(super) images: Vec<Image>,
    #[serde(default)]
    pub(super) animations: Vec<Animation>,
    #[serde(default)]
    pub(super) skins: Vec<Skin>,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skin {
    pub(super) joints: Vec<u64>,
    pub(super) inverse_bind_matrices: Option<u64>,
    pub(super) skeleton: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asset {
    pub(super) version: String,
    pub(super) min_version: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Scene {
    #[serde(default)]
    pub(super) nodes: Vec<u64>,
}

#[derive(Deserialize)]
pub(super) struct Node {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) children: Vec<u64>,
    pub(super) mesh: Option<u64>,
    pub(super) camera: Option<u64>,
    pub(super) skin: Option<u64>,
    pub(super) matrix: Option<Box<[f32; 16]>>,
    pub(super) translation: Option<[f32; 3]>,
    pub(super) rotation: Option<[f32; 4]>,
    pub(super) scale: Option<[f32; 3]>,
    pub(super) weights: Option<Vec<f32>>,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize)]
pub(super) struct Mesh {
    pub(super) name: Option<String>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) primitives: Vec<Primitive>,
}

#[derive(Deserialize)]
pub(super) struct Primitive {
    pub(super) attributes: BTreeMap<String, u64>,
    pub(super) indices: Option<u64>,
    pub(super) material: Option<u64>,
    pub(super) mode: Option<u64>,
    #[serde(default)]
    pub(super) targets: Vec<BTreeMap<String, u64>>,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<u64>,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) component_type: u64,
    #[serde(default)]
    pub(super) normalized: bool,
    pub(super) count: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) sparse: Option<Box<Sparse>>,
}

#[derive(Deserialize)]
pub(super) struct Sparse {
    pub(super) count: u64,
    pub(super) indices: SparseIndices,
    pub(super) values: SparseValues,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseIndices {
    pub(super) buffer_view: u64,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) component_type: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseValues {
    pub(super) buffer_view: u64,
    #[serde(default)]
    pub(super) byte_offset: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) buffer: u64,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) byte_length: u64,
    pub(super) byte_stride: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buffer {
    pub(super) uri: Option<String>,
    pub(super) byte_length: u64,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Material {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) pbr_metallic_roughness: Pbr,
    pub(super) normal_texture: Option<Box<TextureInfo>>,
    pub(super) occlusion_texture: Option<Box<TextureInfo>>,
    pub(super) emissive_texture: Option<Box<TextureInfo>>,
    pub(super) emissive_factor: Option<[f32; 3]>,
    pub(super) alpha_mode: Option<String>,
    pub(super) alpha_cutoff: Option<f32>,
    #[serde(default)]
    pub(super) double_sided: bool,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pbr {
    pub(super) base_color_factor: Option<[f32; 4]>,
    pub(super) base_color_texture: Option<Box<TextureInfo>>,
    pub(super) metallic_factor: Option<f32>,
    pub(super) roughness_factor: Option<f32>,
    pub(super) metallic_roughness_texture: Option<Box<TextureInfo>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureInfo {
    pub(super) index: u64,
    #[serde(default)]
    pub(super) tex_coord: u64,
    /// Of a normal texture.
    pub(super) scale: Option<f32>,
    /// Of an occlusion texture.
    pub(super) strength: Option<f32>,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureTransform {
    pub(super) offset: Option<[f32; 2]>,
    pub(super) rotation: Option<f32>,
    pub(super) scale: Option<[f32; 2]>,
    pub(super) tex_coord: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Texture {
    pub(super) sampler: Option<u64>,
    pub(super) source: Option<u64>,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sampler {
    pub(super) mag_filter: Option<u64>,
    pub(super) min_filter: Option<u64>,
    pub(super) wrap_s: Option<u64>,
    pub(super) wrap_t: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    pub(super) uri: Option<String>,
    pub(super) buffer_view: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Animation {
    pub(super) name: Option<String>,
    pub(super) channels: Vec<Channel>,
    pub(super) samplers: Vec<AnimationSampler>,
}

#[derive(Deserialize)]
pub(super) struct Channel {
    pub(super) sampler: u64,
    pub(super) target: Target,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) node: Option<u64>,
    pub(super) path: String,
}

#[derive(Deserialize)]
pub(super) struct AnimationSampler {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) interpolation: Option<String>,
}
