//! Writing a `.glb`: nodes, meshes and animation are collected as JSON text beside one binary chunk.

use std::fmt::Write as _;

use super::geometry::Geometry;
use super::texture::Picture;

/// Positions are rounded to this fraction of a unit: far below a pixel, and it keeps the file the same when an
/// expression is rearranged.
const GRID: f64 = 65536.0;

/// A material to write.
#[derive(Clone, Default)]
pub struct Look {
    pub name: &'static str,
    /// Linear.
    pub color: [f64; 3],
    pub texture: Option<usize>,
    pub metallic: f64,
    pub roughness: f64,
    pub unlit: bool,
    pub double_sided: bool,
}

#[derive(Default)]
struct Node {
    name: String,
    mesh: Option<usize>,
    children: Vec<usize>,
    translation: Option<[f64; 3]>,
    rotation: Option<[f64; 4]>,
    scale: Option<f64>,
}

/// The parts of the file so far.
#[derive(Default)]
pub struct Glb {
    bin: Vec<u8>,
    views: Vec<String>,
    accessors: Vec<String>,
    meshes: Vec<String>,
    materials: Vec<String>,
    textures: Vec<String>,
    images: Vec<String>,
    nodes: Vec<Node>,
    samplers: Vec<String>,
    channels: Vec<String>,
}

impl Glb {
    pub fn texture(&mut self, picture: &Picture) -> usize {
        let view = self.view(&picture.png(), "");
        self.images.push(format!(r#"{{"bufferView":{view},"mimeType":"image/png"}}"#));
        self.textures.push(format!(r#"{{"sampler":0,"source":{}}}"#, self.images.len() - 1));
        self.textures.len() - 1
    }

    pub fn material(&mut self, look: &Look) -> usize {
        let [r, g, b] = look.color;
        let texture =
            look.texture.map_or_else(String::new, |t| format!(r#","baseColorTexture":{{"index":{t}}}"#));
        let mut json = format!(
            r#"{{"name":"{}","pbrMetallicRoughness":{{"baseColorFactor":[{r},{g},{b},1]{texture},"metallicFactor":{},"roughnessFactor":{}}}"#,
            look.name, look.metallic, look.roughness
        );
        if look.double_sided {
            json += r#","doubleSided":true"#;
        }
        if look.unlit {
            json += r#","extensions":{"KHR_materials_unlit":{}}"#;
        }
        self.materials.push(json + "}");
        self.materials.len() - 1
    }

    /// A mesh of (shape, material): vertices interleaved, texture coordinates only for textured materials.
    pub fn mesh(&mut self, name: &str, parts: &[(&Geometry, usize)]) -> usize {
        let primitives: Vec<String> =
            parts.iter().map(|(shape, look)| self.primitive(shape, *look)).collect();
        self.meshes.push(format!(r#"{{"name":"{name}","primitives":[{}]}}"#, primitives.join(",")));
        self.meshes.len() - 1
    }

    fn primitive(&mut self, shape: &Geometry, look: usize) -> String {
        let textured = self.materials[look].contains("baseColorTexture");
        let colored = !shape.colors.is_empty();
        let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
        let mut bytes = Vec::new();
        for i in 0..shape.positions.len() {
            let position = shape.positions[i].map(rounded);
            for axis in 0..3 {
                low[axis] = low[axis].min(position[axis]);
                high[axis] = high[axis].max(position[axis]);
            }
            for value in position.into_iter().chain(shape.normals[i].map(rounded)) {
                bytes.extend(value.to_le_bytes());
            }
            if textured {
                for value in shape.uvs[i] {
                    bytes.extend(((value * 65535.0).round() as u16).to_le_bytes());
                }
            }
            if colored {
                bytes.extend(shape.colors[i].map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8));
                bytes.push(255);
            }
        }
        let stride = 24 + if textured { 4 } else { 0 } + if colored { 4 } else { 0 };
        let view = self.view(&bytes, &format!(r#","byteStride":{stride},"target":34962"#));
        let count = shape.positions.len();
        let mut accessor = |offset: u32, component: u32, kind: &str, more: &str| {
            self.accessors.push(format!(
                r#"{{"bufferView":{view},"byteOffset":{offset},"componentType":{component},"count":{count},"type":"{kind}"{more}}}"#
            ));
            self.accessors.len() - 1
        };
        let range = format!(r#","min":{low:?},"max":{high:?}"#);
        let mut json = format!(r#"{{"attributes":{{"POSITION":{}"#, accessor(0, 5126, "VEC3", &range));
        let _ = write!(json, r#","NORMAL":{}"#, accessor(12, 5126, "VEC3", ""));
        if textured {
            let _ = write!(json, r#","TEXCOORD_0":{}"#, accessor(24, 5123, "VEC2", r#","normalized":true"#));
        }
        if colored {
            let at = stride - 4;
            let _ = write!(json, r#","COLOR_0":{}"#, accessor(at, 5121, "VEC4", r#","normalized":true"#));
        }
        let narrow = count <= 256;
        let indices: Vec<u8> = if narrow {
            shape.indices.iter().map(|&i| i as u8).collect()
        } else {
            shape.indices.iter().flat_map(|&i| (i as u16).to_le_bytes()).collect()
        };
        let view = self.view(&indices, r#","target":34963"#);
        self.accessors.push(format!(
            r#"{{"bufferView":{view},"componentType":{},"count":{},"type":"SCALAR"}}"#,
            if narrow { 5121 } else { 5123 },
            shape.indices.len()
        ));
        let indices = self.accessors.len() - 1;
        format!(r#"{json}}},"indices":{indices},"material":{look}}}"#)
    }

    pub fn node(&mut self, name: &str, parent: Option<usize>, mesh: Option<usize>) -> usize {
        self.nodes.push(Node { name: name.to_owned(), mesh, ..Node::default() });
        let index = self.nodes.len() - 1;
        if let Some(parent) = parent {
            self.nodes[parent].children.push(index);
        }
        index
    }

    pub fn place(&mut self, node: usize, translation: [f64; 3]) {
        self.nodes[node].translation = Some(translation);
    }

    pub fn turn(&mut self, node: usize, rotation: [f64; 4]) {
        self.nodes[node].rotation = Some(rotation);
    }

    pub fn size(&mut self, node: usize, scale: f64) {
        self.nodes[node].scale = Some(scale);
    }

    /// Rotation keys (seconds, quaternion); the first is also the pose at rest.
    pub fn rotate(&mut self, node: usize, keys: &[(f64, [f64; 4])], interpolation: &str) {
        self.turn(node, keys[0].1);
        let values: Vec<f64> = keys.iter().flat_map(|k| k.1).collect();
        self.channel(node, "rotation", interpolation, keys.iter().map(|k| k.0), &values, "VEC4");
    }

    /// Spline keys (seconds, position, velocity per second).
    pub fn fly(&mut self, node: usize, keys: &[(f64, [f64; 3], [f64; 3])]) {
        self.place(node, keys[0].1);
        let values: Vec<f64> = keys.iter().flat_map(|&(_, p, v)| [v, p, v]).flatten().collect();
        self.channel(node, "translation", "CUBICSPLINE", keys.iter().map(|k| k.0), &values, "VEC3");
    }

    /// Keys (seconds, size).
    pub fn pulse(&mut self, node: usize, keys: &[(f64, f64)]) {
        self.size(node, keys[0].1);
        let values: Vec<f64> = keys.iter().flat_map(|k| [k.1; 3]).collect();
        self.channel(node, "scale", "LINEAR", keys.iter().map(|k| k.0), &values, "VEC3");
    }

    fn channel(
        &mut self,
        node: usize,
        path: &str,
        interpolation: &str,
        times: impl Iterator<Item = f64>,
        values: &[f64],
        kind: &str,
    ) {
        let times: Vec<f64> = times.collect();
        let range = format!(r#","min":[{:?}],"max":[{:?}]"#, times[0] as f32, times[times.len() - 1] as f32);
        let input = self.floats(&times, "SCALAR", 1, &range);
        let output = self.floats(values, kind, if kind == "VEC4" { 4 } else { 3 }, "");
        self.samplers
            .push(format!(r#"{{"input":{input},"interpolation":"{interpolation}","output":{output}}}"#));
        let sampler = self.samplers.len() - 1;
        self.channels.push(format!(r#"{{"sampler":{sampler},"target":{{"node":{node},"path":"{path}"}}}}"#));
    }

    fn floats(&mut self, values: &[f64], kind: &str, width: usize, more: &str) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|&v| rounded(v).to_le_bytes()).collect();
        let view = self.view(&bytes, "");
        let count = values.len() / width;
        self.accessors.push(format!(
            r#"{{"bufferView":{view},"componentType":5126,"count":{count},"type":"{kind}"{more}}}"#
        ));
        self.accessors.len() - 1
    }

    /// Appends `bytes`, aligned to four, as a buffer view.
    fn view(&mut self, bytes: &[u8], more: &str) -> usize {
        let offset = self.bin.len();
        self.bin.extend(bytes);
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        self.views
            .push(format!(r#"{{"buffer":0,"byteOffset":{offset},"byteLength":{}{more}}}"#, bytes.len()));
        self.views.len() - 1
    }

    /// The file, with one scene and one animation of that name.
    pub fn finish(self, name: &str, root: usize) -> Vec<u8> {
        let nodes: Vec<String> = self.nodes.iter().map(Node::json).collect();
        let mut json = format!(
            r#"{{"asset":{{"version":"2.0","generator":"scanout make_asset"}},"extensionsUsed":["KHR_materials_unlit"],"scene":0,"scenes":[{{"name":"{name}","nodes":[{root}]}}],"#
        );
        for (key, list) in [
            ("nodes", &nodes),
            ("meshes", &self.meshes),
            ("materials", &self.materials),
            ("textures", &self.textures),
            ("images", &self.images),
            ("accessors", &self.accessors),
            ("bufferViews", &self.views),
        ] {
            let _ = write!(json, r#""{key}":[{}],"#, list.join(","));
        }
        let _ = write!(
            json,
            r#""samplers":[{{"magFilter":9729,"minFilter":9987,"wrapS":10497,"wrapT":33071}}],"animations":[{{"name":"{name}","samplers":[{}],"channels":[{}]}}],"buffers":[{{"byteLength":{}}}]}}"#,
            self.samplers.join(","),
            self.channels.join(","),
            self.bin.len()
        );
        let mut json = json.into_bytes();
        json.resize(json.len().next_multiple_of(4), b' ');
        let mut out = b"glTF\x02\0\0\0".to_vec();
        let length = 12 + 8 + json.len() + 8 + self.bin.len();
        out.extend((length as u32).to_le_bytes());
        for (kind, chunk) in [(b"JSON", &json), (b"BIN\0", &self.bin)] {
            out.extend((chunk.len() as u32).to_le_bytes());
            out.extend(kind);
            out.extend(chunk);
        }
        out
    }
}

impl Node {
    fn json(&self) -> String {
        let mut json = format!(r#"{{"name":"{}""#, self.name);
        if let Some(mesh) = self.mesh {
            let _ = write!(json, r#","mesh":{mesh}"#);
        }
        if !self.children.is_empty() {
            let _ = write!(json, r#","children":{:?}"#, self.children);
        }
        if let Some(t) = self.translation {
            let _ = write!(json, r#","translation":{:?}"#, t.map(rounded));
        }
        if let Some(r) = self.rotation {
            let _ = write!(json, r#","rotation":{:?}"#, r.map(rounded));
        }
        if let Some(s) = self.scale {
            let _ = write!(json, r#","scale":{:?}"#, [rounded(s); 3]);
        }
        json + "}"
    }
}

/// To the grid; zero without a sign.
fn rounded(value: f64) -> f32 {
    ((value * GRID).round() / GRID) as f32 + 0.0
}
