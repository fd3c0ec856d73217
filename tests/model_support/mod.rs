//! Building small glTF files for the model tests.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod shapes;
pub mod showcase;

use scanout::scenes::model::{Model, ModelError, Texels};

/// Standard base64.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |w, &b| w << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A file in the making: one embedded buffer; every property is JSON text.
#[derive(Clone, Default)]
pub struct File {
    pub bin: Vec<u8>,
    pub views: Vec<String>,
    pub accessors: Vec<String>,
    pub meshes: Vec<String>,
    pub nodes: Vec<String>,
    /// Further properties of the document, each with a comma in front.
    pub more: String,
}

impl File {
    pub fn new() -> Self {
        Self::default()
    }

    /// Three points (0,0,0) (1,0,0) (0,1,0) as accessor 0, drawn by mesh 0 in node 0.
    pub fn triangle() -> Self {
        let mut file = Self::new();
        let position = file.floats("VEC3", &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        file.mesh(&format!(r#""attributes":{{"POSITION":{position}}}"#));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        file
    }

    pub fn view(&mut self, bytes: &[u8], more: &str) -> usize {
        let offset = self.bin.len();
        self.bin.extend(bytes);
        self.bin.resize(self.bin.len().next_multiple_of(4), 0xAA);
        self.views
            .push(format!(r#"{{"buffer":0,"byteOffset":{offset},"byteLength":{}{more}}}"#, bytes.len()));
        self.views.len() - 1
    }

    /// An accessor of all of `bytes`.
    pub fn accessor(&mut self, bytes: &[u8], component: u32, kind: &str, more: &str) -> usize {
        let view = self.view(bytes, "");
        let width = match kind {
            "MAT4" => 16,
            _ => ["SCALAR", "VEC2", "VEC3", "VEC4"].iter().position(|k| *k == kind).unwrap() + 1,
        };
        let size = match component {
            5120 | 5121 => 1,
            5122 | 5123 => 2,
            _ => 4,
        };
        let count = bytes.len() / width / size;
        self.raw_accessor(&format!(
            r#""bufferView":{view},"componentType":{component},"type":"{kind}","count":{count}{more}"#
        ))
    }

    pub fn raw_accessor(&mut self, json: &str) -> usize {
        self.accessors.push(format!("{{{json}}}"));
        self.accessors.len() - 1
    }

    pub fn floats(&mut self, kind: &str, values: &[f32]) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.accessor(&bytes, 5126, kind, "")
    }

    /// A mesh of one primitive.
    pub fn mesh(&mut self, primitive: &str) -> usize {
        self.meshes.push(format!(r#"{{"primitives":[{{{primitive}}}]}}"#));
        self.meshes.len() - 1
    }

    pub fn with(mut self, more: &str) -> Self {
        self.more += ",";
        self.more += more;
        self
    }

    pub fn json_with_buffer(&self, uri: &str) -> String {
        let list = |name: &str, items: &[String]| {
            if items.is_empty() { String::new() } else { format!(r#","{name}":[{}]"#, items.join(",")) }
        };
        let buffer = if self.bin.is_empty() {
            String::new()
        } else {
            format!(r#","buffers":[{{"byteLength":{}{uri}}}]"#, self.bin.len())
        };
        format!(
            r#"{{"asset":{{"version":"2.0"}}{}{}{}{}{buffer}{}}}"#,
            list("nodes", &self.nodes),
            list("meshes", &self.meshes),
            list("accessors", &self.accessors),
            list("bufferViews", &self.views),
            self.more
        )
    }

    /// As `.gltf` with its buffer in a `data:` URI.
    pub fn gltf(&self) -> Vec<u8> {
        let uri = format!(r#","uri":"data:application/octet-stream;base64,{}""#, base64(&self.bin));
        self.json_with_buffer(&uri).into_bytes()
    }

    /// As `.glb`.
    pub fn glb(&self) -> Vec<u8> {
        glb(self.json_with_buffer("").as_bytes(), &self.bin)
    }

    pub fn load(&self) -> Result<Model, ModelError> {
        Model::from_slice(&self.gltf(), None)
    }
}

/// A GLB container around both chunks.
pub fn glb(json: &[u8], bin: &[u8]) -> Vec<u8> {
    let mut out = b"glTF\x02\0\0\0\0\0\0\0".to_vec();
    for (kind, chunk, padding) in [(b"JSON", json, b' '), (b"BIN\0", bin, 0)] {
        let padded = chunk.len().next_multiple_of(4);
        out.extend((padded as u32).to_le_bytes());
        out.extend(kind);
        out.extend(chunk);
        out.resize(out.len() + padded - chunk.len(), padding);
    }
    let length = out.len() as u32;
    out[8..12].copy_from_slice(&length.to_le_bytes());
    out
}

/// A PNG of `width` x `height` red-green gradient pixels.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let image =
        image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([x as u8 * 16, y as u8 * 16, 7, 200]));
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// Everything that a loaded model promises, or a panic that says what does not hold.
pub fn check_promises(model: &Model) {
    use scanout::scenes::model::{Local, Pose};
    for (i, node) in model.nodes.iter().enumerate() {
        assert!(node.parent.is_none_or(|p| p < i), "parents first");
        assert!(node.mesh.is_none_or(|m| m < model.meshes.len()));
    }
    for mesh in &model.meshes {
        assert!(mesh.primitives.iter().all(|p| p.targets.len() == mesh.weights.len()));
    }
    for (i, node) in model.nodes.iter().enumerate() {
        assert!(node.morph.end <= model.weights.len());
        assert!(node.morph.is_empty() || node.morph.len() == model.meshes[node.mesh.unwrap()].weights.len());
        assert!(node.light.is_none_or(|l| l < model.lights.len()));
        let Some(joints) = model.joints_of(i) else { continue };
        let skin = &model.skins[node.skin.unwrap()];
        assert!(skin.joints.iter().all(|&j| j < model.nodes.len()) && !skin.joints.is_empty());
        assert_eq!((skin.inverse_bind.len(), joints.len()), (skin.joints.len(), skin.joints.len()));
        for influence in
            model.meshes[node.mesh.unwrap()].primitives.iter().flat_map(|p| &p.influences).flatten()
        {
            assert!(
                influence.joints.iter().all(|&j| usize::from(j) < skin.joints.len()),
                "joint out of range"
            );
        }
    }
    for light in &model.lights {
        assert!(light.color.iter().all(|c| c.is_finite() && *c >= 0.0));
    }
    for primitive in model.meshes.iter().flat_map(|m| &m.primitives) {
        assert!(!primitive.vertices.is_empty());
        let count = primitive.vertices.len();
        for tangent in primitive.tangents.iter().inspect(|t| assert_eq!(t.len(), count)).flatten() {
            let length = glam::Vec3::new(tangent[0], tangent[1], tangent[2]).length();
            assert!((length - 1.0).abs() < 1e-3 && tangent[3].abs() == 1.0, "tangent {tangent:?}");
        }
        for influence in primitive.influences.iter().inspect(|i| assert_eq!(i.len(), count)).flatten() {
            let sum: f32 = influence.weights.iter().sum();
            assert!((sum - 1.0).abs() < 1e-3 && influence.weights.iter().all(|w| *w >= 0.0), "{influence:?}");
        }
        for target in &primitive.targets {
            assert_eq!(target.len(), count);
            let numbers: &[f32] = bytemuck::cast_slice(target);
            assert!(numbers.iter().all(|v| v.is_finite()), "a target is not finite");
        }
        assert!(primitive.material < model.materials.len());
        if let Some(indices) = &primitive.indices {
            assert!(!indices.is_empty());
            assert!(indices.iter().all(|&i| (i as usize) < primitive.vertices.len()), "index out of range");
        }
        for vertex in &primitive.vertices {
            let numbers: &[f32] = bytemuck::cast_slice(std::slice::from_ref(vertex));
            assert!(numbers.iter().all(|v| v.is_finite()), "vertex not finite");
            let length = glam::Vec3::from(vertex.normal).length();
            assert!(
                if primitive.lit { (length - 1.0).abs() < 1e-3 } else { length == 0.0 },
                "normal {length}"
            );
        }
    }
    for material in &model.materials {
        assert!(material.base_color.iter().chain(&material.emissive).all(|v| v.is_finite()));
        for (map, srgb) in [
            (material.base_color_texture, true),
            (material.emissive_texture, true),
            (material.metallic_roughness_texture, false),
            (material.normal_texture, false),
            (material.occlusion_texture, false),
        ] {
            let Some(map) = map else { continue };
            assert!(map.uv < 2 && map.transform.is_finite());
            assert_eq!(model.images[model.textures[map.texture].image].srgb, srgb);
        }
    }
    for texture in &model.textures {
        let image = &model.images[texture.image];
        assert!(image.width > 0 && image.height > 0);
        if let Texels::Rgba8(rgba) = &image.texels {
            assert_eq!(rgba.len(), image.width as usize * image.height as usize * 4);
        }
    }
    for bounds in [model.bounds, model.animated_bounds] {
        assert!(bounds.min.is_finite() && bounds.max.is_finite() && bounds.radius().is_finite());
        assert!(bounds.min.cmple(bounds.max).all());
    }
    assert!(!model.outline.is_empty() && model.outline.iter().all(|p| p.is_finite()));
    let mut pose = Pose::new(model);
    for animation in 0..model.animations.len() + 1 {
        for time in [0.0, 0.1, 1.0, 2.5, 11.999, 1e9, -3.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            pose.sample_animation(model, animation, time);
            assert_eq!(pose.world().len(), model.nodes.len());
            assert!(pose.world().iter().all(|m| m.is_finite()), "world not finite");
            assert!(pose.joints().iter().all(|m| m.is_finite()), "joints not finite");
            assert!(pose.weights().iter().all(|w| w.is_finite()), "weights not finite");
            assert_eq!(pose.joints().len(), model.skins.iter().map(|s| s.joints.len()).sum::<usize>());
            assert_eq!(pose.weights().len(), model.weights.len());
            for local in pose.locals() {
                if let Local::Parts(trs) = local {
                    assert!(trs.translation.is_finite() && trs.scale.is_finite());
                    assert!((trs.rotation.length() - 1.0).abs() < 1e-3, "rotation {:?}", trs.rotation);
                }
            }
        }
    }
    assert!(model.unsupported.iter().all(|r| !r.contains(char::is_control) && r.chars().count() < 100));
}
