//! Reading glTF: each property by a small file made for it.

mod model_support;

use glam::{Mat4, Vec3};
use model_support::{File, base64, check_promises, glb, png};
use scanout::scenes::model::{Alpha, Filter, Local, Mode, Model, ModelError, Pose, Wrap};

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn loaded(file: &File) -> Model {
    let model = file.load().unwrap();
    check_promises(&model);
    model
}

#[test]
fn modes_all_seven_are_read() {
    let modes = [
        (0, Mode::Points, false),
        (1, Mode::Lines, false),
        (2, Mode::LineLoop, false),
        (3, Mode::LineStrip, false),
        (4, Mode::Triangles, true),
        // Without normals, these are unrolled for flat shading.
        (5, Mode::Triangles, true),
        (6, Mode::Triangles, true),
    ];
    for (number, mode, lit) in modes {
        let mut file = File::new();
        let p = file.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1., 0.]);
        file.mesh(&format!(r#""mode":{number},"attributes":{{"POSITION":{p}}}"#));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        let model = loaded(&file);
        let primitive = &model.meshes[0].primitives[0];
        assert_eq!((primitive.mode, primitive.lit), (mode, lit), "{number}");
        assert_eq!(
            primitive.vertices.len(),
            if number > 4 {
                6
            } else if number == 4 {
                3
            } else {
                4
            }
        );
        assert!(primitive.indices.is_none());
    }
}

#[test]
fn modes_with_normals_are_kept() {
    for (number, mode) in
        [(4, Mode::Triangles), (5, Mode::TriangleStrip), (6, Mode::TriangleFan), (0, Mode::Points)]
    {
        let mut file = File::triangle();
        let n = file.floats("VEC3", &[0., 0., 2., 0., 3., 0., 0., 0., 0.]);
        file.mesh(&format!(r#""mode":{number},"attributes":{{"POSITION":0,"NORMAL":{n}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        let primitive = loaded(&file).meshes.remove(0).primitives.remove(0);
        assert_eq!((primitive.mode, primitive.lit), (mode, true));
        assert_eq!(
            primitive.vertices.iter().map(|v| v.normal).collect::<Vec<_>>(),
            [
                [0., 0., 1.],
                [0., 1., 0.],
                // One without length becomes some unit vector.
                [0., 1., 0.]
            ]
        );
    }
}

#[test]
fn mode_unknown_is_an_error() {
    let mut file = File::triangle();
    file.mesh(r#""mode":7,"attributes":{"POSITION":0}"#);
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    assert!(matches!(file.load(), Err(ModelError::Invalid { .. })));
}

#[test]
fn indices_of_all_types_are_read() {
    let types: [(u32, Vec<u8>); 3] = [
        (5121, vec![2, 1, 0]),
        (5123, u16s(&[2, 1, 0])),
        (5125, [2_u32, 1, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
    ];
    for (component, bytes) in types {
        let mut file = File::triangle();
        let i = file.accessor(&bytes, component, "SCALAR", "");
        // With normals the indices stay; without, they are unrolled.
        file.mesh(&format!(r#""indices":{i},"attributes":{{"POSITION":0,"NORMAL":0}}"#));
        file.mesh(&format!(r#""indices":{i},"attributes":{{"POSITION":0}}"#));
        file.nodes.push(r#"{"mesh":1}"#.to_owned());
        file.nodes.push(r#"{"mesh":2}"#.to_owned());
        let model = loaded(&file);
        assert_eq!(model.meshes[1].primitives[0].indices.as_deref(), Some(&[2, 1, 0][..]));
        let flat = &model.meshes[2].primitives[0];
        assert_eq!(flat.vertices[0].position, [0., 1., 0.]);
        assert!(flat.vertices[0].normal[2] < -0.999, "clockwise: it faces away");
    }
}

#[test]
fn indices_out_of_range_or_of_a_wrong_type_are_errors() {
    for (component, bytes, kind) in [
        (5121, vec![0, 1, 3], "SCALAR"),
        (5120, vec![0, 1, 2], "SCALAR"),
        (5126, f32s(&[0., 1., 2.]), "SCALAR"),
        (5121, vec![0, 1, 2, 0, 1, 2], "VEC2"),
    ] {
        let mut file = File::triangle();
        let i = file.accessor(&bytes, component, kind, "");
        file.mesh(&format!(r#""indices":{i},"attributes":{{"POSITION":0}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        assert!(matches!(file.load(), Err(ModelError::Invalid { .. })), "{component} {kind}");
    }
}

#[test]
fn indices_into_a_shared_pool_copy_only_the_used_range() {
    let mut file = File::new();
    let pool: Vec<f32> = (0..300).map(|i| i as f32).collect();
    let p = file.floats("VEC3", &pool);
    let i = file.accessor(&[52, 50, 51], 5121, "SCALAR", "");
    file.mesh(&format!(r#""indices":{i},"attributes":{{"POSITION":{p},"NORMAL":{p}}}"#));
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    let primitive = loaded(&file).meshes.remove(0).primitives.remove(0);
    assert_eq!(primitive.vertices.len(), 3);
    assert_eq!(primitive.indices.as_deref(), Some(&[2, 0, 1][..]));
    assert_eq!(primitive.vertices[0].position, [150., 151., 152.]);
}

#[test]
fn incomplete_and_empty_primitives_are_cut_or_left_out() {
    let mut file = File::triangle();
    let i = file.accessor(&[0, 1, 2, 0, 1], 5121, "SCALAR", "");
    let few = file.accessor(&[0, 1], 5121, "SCALAR", "");
    let none = file.raw_accessor(r#""componentType":5126,"type":"VEC3","count":0"#);
    file.mesh(&format!(r#""indices":{i},"attributes":{{"POSITION":0,"NORMAL":0}}"#));
    file.mesh(&format!(r#""indices":{few},"attributes":{{"POSITION":0}}"#));
    file.mesh(&format!(r#""attributes":{{"POSITION":{none}}}"#));
    file.mesh(r#""attributes":{"NORMAL":0}"#);
    for mesh in 1..5 {
        file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
    }
    let model = loaded(&file);
    assert_eq!(model.meshes[1].primitives[0].indices.as_ref().unwrap().len(), 3);
    assert!(model.meshes[2..].iter().all(|m| m.primitives.is_empty()));
    assert_eq!(model.unsupported, ["primitives with too few vertices", "primitives without positions"]);
}

#[test]
fn attributes_normalised_integers_and_strides_are_read() {
    let mut file = File::new();
    // position (12 bytes), colour (4 bytes), uv (4 bytes), interleaved
    let mut bytes = Vec::new();
    for (i, position) in [[0., 0., 0.], [1., 0., 0.], [0., 1., 0.]].into_iter().enumerate() {
        bytes.extend(f32s(&position));
        bytes.extend([255, 0, 51, 102]);
        bytes.extend(u16s(&[65535, 13107 * i as u16]));
    }
    let view = file.view(&bytes, r#","byteStride":20"#);
    let accessor = |offset, component, kind: &str| {
        format!(
            r#""bufferView":{view},"byteOffset":{offset},"componentType":{component},"type":"{kind}","count":3,"normalized":{}"#,
            component != 5126
        )
    };
    let p = file.raw_accessor(&accessor(0, 5126, "VEC3"));
    let rgba = file.raw_accessor(&accessor(12, 5121, "VEC4"));
    let rgb = file.raw_accessor(&accessor(12, 5121, "VEC3"));
    let uv = file.raw_accessor(&accessor(16, 5123, "VEC2"));
    for color in [rgba, rgb] {
        file.mesh(&format!(
            r#""material":0,"attributes":{{"POSITION":{p},"COLOR_0":{color},"TEXCOORD_0":{uv}}}"#
        ));
    }
    file.nodes.extend([r#"{"mesh":0}"#.to_owned(), r#"{"mesh":1}"#.to_owned()]);
    let image = base64(&png(2, 2));
    let file = file.with(&format!(
        r#""materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}],"textures":[{{"source":0}}],"images":[{{"uri":"data:image/png;base64,{image}"}}]"#
    ));
    let model = loaded(&file);
    let vertices = &model.meshes[0].primitives[0].vertices;
    assert_eq!(vertices[2].position, [0., 1., 0.]);
    assert_eq!(vertices[0].color, [1.0, 0.0, 0.2, 0.4]);
    assert_eq!(model.meshes[1].primitives[0].vertices[0].color, [1.0, 0.0, 0.2, 1.0]);
    assert_eq!(vertices.iter().map(|v| v.uv0).collect::<Vec<_>>(), [[1.0, 0.0], [1.0, 0.2], [1.0, 0.4]]);
}

#[test]
fn attributes_quantised_positions_are_read() {
    let mut file = File::new();
    let p = file.accessor(&[0, 0, 0, 127, 0, 0, 0, 0x81, 0x80], 5120, "VEC3", "");
    let n = file.accessor(&[0, 0, 0, 127, 0, 0, 0, 0x81, 0x80], 5120, "VEC3", r#","normalized":true"#);
    file.mesh(&format!(r#""mode":0,"attributes":{{"POSITION":{p}}}"#));
    file.mesh(&format!(r#""mode":0,"attributes":{{"POSITION":{n}}}"#));
    file.nodes.extend([r#"{"mesh":0}"#.to_owned(), r#"{"mesh":1}"#.to_owned()]);
    let model = loaded(&file.with(r#""extensionsRequired":["KHR_mesh_quantization"]"#));
    assert_eq!(model.meshes[0].primitives[0].vertices[2].position, [0., -127., -128.]);
    assert_eq!(model.meshes[1].primitives[0].vertices[2].position, [0., -1., -1.]);
}

#[test]
fn attributes_of_wrong_type_or_count_are_errors() {
    for (name, kind, values) in [
        ("NORMAL", "VEC2", &[0.; 6][..]),
        ("NORMAL", "VEC3", &[0.; 6]),
        ("COLOR_0", "VEC2", &[0.; 6]),
        ("POSITION", "VEC4", &[0.; 12]),
        ("POSITION", "SCALAR", &[0.; 3]),
    ] {
        let mut file = File::triangle();
        let a = file.floats(kind, values);
        let position = if name == "POSITION" { String::new() } else { r#","POSITION":0"#.to_owned() };
        file.mesh(&format!(r#""attributes":{{"{name}":{a}{position}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        assert!(matches!(file.load(), Err(ModelError::Invalid { .. })), "{name} {kind}");
    }
}

#[test]
fn attributes_not_finite_are_errors() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0e16] {
        let mut file = File::new();
        let p = file.floats("VEC3", &[0., 0., 0., 1., value, 0., 0., 1., 0.]);
        file.mesh(&format!(r#""attributes":{{"POSITION":{p}}}"#));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        assert!(matches!(file.load(), Err(ModelError::Invalid { .. })), "{value}");
    }
}

#[test]
fn sparse_accessors_replace_elements() {
    for base in [true, false] {
        let mut file = File::new();
        let zeros = file.view(&[0; 36], "");
        let indices = file.view(&[1, 2], "");
        let values = file.view(&f32s(&[1., 0., 0., 0., 1., 0.]), "");
        let view = if base { format!(r#""bufferView":{zeros},"#) } else { String::new() };
        let p = file.raw_accessor(&format!(
            r#"{view}"componentType":5126,"type":"VEC3","count":3,"sparse":{{"count":2,"indices":{{"bufferView":{indices},"componentType":5121}},"values":{{"bufferView":{values}}}}}"#
        ));
        file.mesh(&format!(r#""attributes":{{"POSITION":{p}}}"#));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        let model = loaded(&file);
        let positions: Vec<_> = model.meshes[0].primitives[0].vertices.iter().map(|v| v.position).collect();
        assert_eq!(positions, [[0., 0., 0.], [1., 0., 0.], [0., 1., 0.]]);
    }
}

#[test]
fn sparse_indices_that_fall_or_reach_too_far_are_errors() {
    for list in [[2_u8, 1], [1, 1], [1, 3]] {
        let mut file = File::new();
        let indices = file.view(&list, "");
        let values = file.view(&[0; 24], "");
        let p = file.raw_accessor(&format!(
            r#""componentType":5126,"type":"VEC3","count":3,"sparse":{{"count":2,"indices":{{"bufferView":{indices},"componentType":5121}},"values":{{"bufferView":{values}}}}}"#
        ));
        file.mesh(&format!(r#""attributes":{{"POSITION":{p}}}"#));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        assert!(matches!(file.load(), Err(ModelError::Invalid { .. })), "{list:?}");
    }
}

#[test]
fn materials_are_read_and_defaulted() {
    let file = File::triangle().with(
        r#""materials":[{"name":"m","pbrMetallicRoughness":{"baseColorFactor":[0.1,0.2,0.3,0.4],"metallicFactor":0.5,"roughnessFactor":0.25},"emissiveFactor":[1,2,3],"alphaMode":"MASK","alphaCutoff":0.75,"doubleSided":true,"extensions":{"KHR_materials_unlit":{}}},{"alphaMode":"BLEND"},{"alphaMode":"MASK"}]"#,
    );
    let mut file = file;
    for material in 0..3 {
        file.mesh(&format!(r#""material":{material},"attributes":{{"POSITION":0}}"#));
        file.nodes.push(format!(r#"{{"mesh":{}}}"#, material + 1));
    }
    let model = loaded(&file);
    let of = |mesh: usize| &model.materials[model.meshes[mesh].primitives[0].material];
    let plain = of(0);
    assert_eq!((plain.base_color, plain.metallic, plain.roughness), ([1.0; 4], 1.0, 1.0));
    assert_eq!((plain.alpha, plain.double_sided, plain.unlit), (Alpha::Opaque, false, false));
    let m = of(1);
    assert_eq!((m.base_color, m.emissive), ([0.1, 0.2, 0.3, 0.4], [1., 2., 3.]));
    assert_eq!((m.metallic, m.roughness, m.alpha), (0.5, 0.25, Alpha::Mask(0.75)));
    assert!(m.double_sided && m.unlit);
    assert_eq!((of(2).alpha, of(3).alpha), (Alpha::Blend, Alpha::Mask(0.5)));
    assert_eq!(model.unsupported, Vec::<String>::new());
}

/// A textured triangle with the given texture info, sampler and attributes.
fn textured(info: &str, sampler: &str) -> File {
    let mut file = File::triangle();
    let zero = file.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
    let one = file.floats("VEC2", &[0.5, 0.5, 1., 0., 0., 1.]);
    file.mesh(&format!(
        r#""material":0,"attributes":{{"POSITION":0,"TEXCOORD_0":{zero},"TEXCOORD_1":{one}}}"#
    ));
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    let image = file.view(&png(3, 2), "");
    file.with(&format!(
        r#""materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{{info}}}}}}}],"textures":[{{"source":0,"sampler":0}}],"samplers":[{{{sampler}}}],"images":[{{"bufferView":{image},"mimeType":"image/png"}}]"#
    ))
}

#[test]
fn textures_and_samplers_are_read() {
    let model =
        loaded(&textured(r#""index":0"#, r#""magFilter":9728,"minFilter":9985,"wrapS":33071,"wrapT":33648"#));
    let t = model.textures[0];
    assert_eq!((t.wrap_u, t.wrap_v), (Wrap::Clamp, Wrap::Mirror));
    assert_eq!((t.magnify, t.minify, t.mipmap), (Filter::Nearest, Filter::Linear, Some(Filter::Nearest)));
    let image = &model.images[t.image];
    assert_eq!((image.width, image.height, image.srgb), (3, 2, true));
    assert_eq!(image.texels.bytes()[4..12], [16, 0, 7, 200, 32, 0, 7, 200]);
    let t = loaded(&textured(r#""index":0"#, "")).textures[0];
    assert_eq!((t.wrap_u, t.magnify, t.mipmap), (Wrap::Repeat, Filter::Linear, Some(Filter::Linear)));
    assert!(textured(r#""index":0"#, r#""wrapS":1"#).load().is_err());
}

#[test]
fn texture_coordinates_follow_set_and_transform() {
    let uv = |info: &str| {
        let model = loaded(&textured(info, ""));
        let map = model.materials[0].base_color_texture.unwrap();
        assert_eq!(map.uv, 0, "the first set that is asked for");
        let vertices = &model.meshes[0].primitives[0].vertices;
        vertices.iter().map(|v| map.transform.transform_point2(v.uv0.into()).to_array()).collect::<Vec<_>>()
    };
    assert_eq!(uv(r#""index":0"#)[0], [0., 0.]);
    assert_eq!(uv(r#""index":0,"texCoord":1"#)[0], [0.5, 0.5]);
    let transform = |t: &str| format!(r#""index":0,"extensions":{{"KHR_texture_transform":{{{t}}}}}"#);
    assert_eq!(uv(&transform(r#""texCoord":1"#))[0], [0.5, 0.5]);
    assert_eq!(
        uv(&transform(r#""offset":[0.25,0.5],"scale":[2,3]"#)),
        [[0.25, 0.5], [2.25, 0.5], [0.25, 3.5]]
    );
    // The extension's example: the lower left quadrant, turned.
    let quadrant = uv(&transform(r#""offset":[0,1],"rotation":1.57079632679,"scale":[0.5,0.5]"#));
    for (got, expected) in quadrant.iter().zip([[0.0, 1.0], [0.0, 0.5], [0.5, 1.0]]) {
        assert!((got[0] - expected[0]).abs() < 1e-6 && (got[1] - expected[1]).abs() < 1e-6, "{quadrant:?}");
    }
}

#[test]
fn textures_without_coordinates_are_named() {
    let model = loaded(&textured(r#""index":0,"texCoord":2"#, ""));
    assert_eq!(model.unsupported, ["textures on primitives without their texture coordinates"]);
}

#[test]
fn nodes_transforms_chain_and_matrices_are_kept() {
    let mut file = File::triangle();
    file.nodes = vec![
        r#"{"mesh":0,"translation":[1,0,0]}"#.to_owned(),
        r#"{"children":[0],"scale":[2,2,2],"name":"middle"}"#.to_owned(),
        r#"{"children":[1],"matrix":[1,0,0,0, 0,1,0,0, 0,0,1,0, 0,5,0,1]}"#.to_owned(),
    ];
    let model = loaded(&file);
    let names: Vec<_> = model.nodes.iter().map(|n| n.name.as_deref()).collect();
    assert_eq!(names, [None, Some("middle"), None], "parents first");
    assert!(matches!(model.nodes[0].local, Local::Matrix(_)));
    let world = Pose::new(&model).world()[2];
    assert_eq!(world, Mat4::from_translation(Vec3::new(2., 5., 0.)) * Mat4::from_scale(Vec3::splat(2.)));
    assert_eq!((model.bounds.min, model.bounds.max), (Vec3::new(2., 5., 0.), Vec3::new(4., 7., 0.)));
}

#[test]
fn scenes_default_then_first_then_all_roots() {
    let file = |more: &str| {
        let mut file = File::triangle();
        file.nodes = (0..3).map(|i| format!(r#"{{"mesh":0,"translation":[{i},0,0]}}"#)).collect();
        if !more.is_empty() {
            file = file.with(more);
        }
        file
    };
    let shown = |more: &str| {
        let model = loaded(&file(more));
        let pose = Pose::new(&model);
        model.instances().map(|(n, _)| pose.world()[n].w_axis.x).collect::<Vec<_>>()
    };
    assert_eq!(shown(r#""scene":1,"scenes":[{"nodes":[0]},{"nodes":[2]}]"#), [2.0]);
    assert_eq!(shown(r#""scenes":[{"nodes":[1]},{"nodes":[2]}]"#), [1.0]);
    assert_eq!(shown(""), [0.0, 1.0, 2.0]);
    for wrong in [
        r#""scene":2,"scenes":[{"nodes":[0]}]"#,
        r#""scenes":[{"nodes":[3]}]"#,
        r#""scenes":[{"nodes":[0,0]}]"#,
        r#""scene":0"#,
    ] {
        assert!(file(wrong).load().is_err(), "{wrong}");
    }
}

#[test]
fn unsupported_features_are_named_once() {
    let mut file = File::triangle();
    file.mesh(r#""material":0,"attributes":{"POSITION":0,"COLOR_1":0}"#);
    file.nodes.push(r#"{"mesh":1,"camera":0}"#.to_owned());
    file.nodes.push(r#"{"camera":0,"extensions":{"EXT_mesh_gpu_instancing":{}}}"#.to_owned());
    let file = file.with(
        r#""extensionsUsed":["KHR_lights_punctual","KHR_materials_unlit","X\n\"\u0007"],"materials":[{"extensions":{"KHR_materials_ior":{"ior":[[1]]}}}]"#,
    );
    let mut remarks = loaded(&file).unsupported;
    remarks.sort();
    let mut expected = [
        "cameras",
        "extension EXT_mesh_gpu_instancing",
        "extension KHR_materials_ior",
        r#"extension X\n\"\u{7}"#,
        "vertex colours beyond COLOR_0",
    ];
    expected.sort_unstable();
    assert_eq!(remarks, expected);
}

#[test]
fn unsupported_list_is_bounded() {
    let names: Vec<_> = (0..1000).map(|i| format!(r#""EXT_{i}{}""#, "x".repeat(500))).collect();
    let model = loaded(&File::triangle().with(&format!(r#""extensionsUsed":[{}]"#, names.join(","))));
    assert_eq!(model.unsupported.len(), 24);
    assert_eq!(model.unsupported.last().unwrap(), "more");
}

#[test]
fn glb_and_gltf_give_the_same() {
    let file = File::triangle();
    let (a, b) =
        (Model::from_slice(&file.gltf(), None).unwrap(), Model::from_slice(&file.glb(), None).unwrap());
    assert_eq!(a.meshes[0].primitives[0].vertices, b.meshes[0].primitives[0].vertices);
    // A byte order mark, and a chunk of another kind, are skipped.
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend(file.gltf());
    Model::from_slice(&marked, None).unwrap();
    let mut extra = file.glb();
    extra.extend(b"\x04\0\0\0JUNKabcd");
    let length = extra.len() as u32;
    extra[8..12].copy_from_slice(&length.to_le_bytes());
    Model::from_slice(&extra, None).unwrap();
    Model::from_slice(&glb(b"{}", b""), None).unwrap_err();
}

#[test]
fn asset_versions() {
    for (version, good) in [
        (r#""version":"2.0""#, true),
        (r#""version":"2.1""#, true),
        (r#""version":"2.1","minVersion":"2.0""#, true),
        (r#""version":"2.1","minVersion":"2.1""#, false),
        (r#""version":"1.0""#, false),
        (r#""version":"3.0""#, false),
    ] {
        let json = String::from_utf8(File::triangle().gltf()).unwrap().replace(r#""version":"2.0""#, version);
        match Model::from_slice(json.as_bytes(), None) {
            Ok(_) => assert!(good, "{version}"),
            Err(e) => assert!(!good && matches!(e, ModelError::Version { .. }), "{version}: {e}"),
        }
    }
}
