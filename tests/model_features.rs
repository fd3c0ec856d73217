//! Reading what makes a picture: maps, lights, skins, morph targets and tangents, each by a small file made for it.

mod model_support;

use glam::{Affine2, Mat4, Vec2, Vec3};
use model_support::{File, base64, check_promises, png};
use scanout::scenes::model::{LightKind, Model, ModelError, Pose};

fn loaded(file: &File) -> Model {
    let model = file.load().unwrap_or_else(|e| panic!("{e}"));
    check_promises(&model);
    model
}

#[track_caller]
fn refused(file: &File) -> String {
    match file.load() {
        Err(e @ (ModelError::Invalid { .. } | ModelError::Dangling { .. })) => e.to_string(),
        other => panic!("{other:?}"),
    }
}

// --- extensions that are not in ---

const NOT_IN: [&str; 17] = [
    "EXT_texture_webp",
    "EXT_meshopt_compression",
    "KHR_meshopt_compression",
    "KHR_draco_mesh_compression",
    "KHR_materials_anisotropy",
    "KHR_materials_clearcoat",
    "KHR_materials_diffuse_transmission",
    "KHR_materials_dispersion",
    "KHR_materials_ior",
    "KHR_materials_iridescence",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_sheen",
    "KHR_materials_specular",
    "KHR_materials_transmission",
    "KHR_materials_variants",
    "KHR_materials_volume",
    "EXT_mesh_gpu_instancing",
];

#[test]
fn extensions_that_are_not_in_are_refused_where_required_and_named_once_where_used() {
    for name in NOT_IN {
        let used = format!(r#""extensionsUsed":["{name}"]"#);
        let error = File::triangle().with(&format!(r#"{used},"extensionsRequired":["{name}"]"#)).load();
        let text = match error {
            Err(e @ ModelError::Extension { .. }) => e.to_string(),
            other => panic!("{name}: {other:?}"),
        };
        assert!(text.contains(name) && text.contains("export without it") && !text.contains('\n'), "{text}");
        // Named by the document, by a material and by a primitive; said once.
        let mut file = File::triangle();
        let extension = if name.contains("compression") {
            String::new()
        } else {
            format!(r#","extensions":{{"{name}":{{}}}}"#)
        };
        file.mesh(&format!(r#""material":0,"attributes":{{"POSITION":0}}{extension}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        let file = file.with(&format!(r#"{used},"materials":[{{"name":"m"{extension}}}]"#));
        assert_eq!(loaded(&file).unsupported, [format!("extension {name}")]);
    }
}

#[test]
fn textures_in_formats_that_are_not_read_are_left_out_and_named() {
    let file = |source: &str| {
        let image = base64(&png(2, 2));
        let mut file = File::triangle();
        let uv = file.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
        file.mesh(&format!(r#""material":0,"attributes":{{"POSITION":0,"TEXCOORD_0":{uv}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        // Not said in `extensionsUsed`: named where it stands.
        file.with(&format!(
            r#""materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}],"textures":[{{{source}"extensions":{{"EXT_texture_webp":{{"source":1}}}}}}],"images":[{{"uri":"data:image/png;base64,{image}"}},{{"uri":"wall.webp"}}]"#
        ))
    };
    let model = loaded(&file(r#""source":0,"#));
    assert_eq!(
        (model.unsupported.as_slice(), model.textures.len()),
        (&["extension EXT_texture_webp".to_owned()][..], 1)
    );
    let model = loaded(&file(""));
    let named = ["extension EXT_texture_webp", "textures in formats that are not read"];
    assert_eq!((model.unsupported.as_slice(), model.textures.len()), (&named.map(str::to_owned)[..], 0));
}

/// Vertices that are packed and nowhere else would be drawn as a single point.
#[test]
fn packed_vertices_without_a_copy_are_refused_by_the_name_of_what_packs_them() {
    let refused = |file: &File, name: &str| match file.load() {
        Err(ModelError::Extension { name: got }) => assert_eq!(got, name),
        other => panic!("{name}: {other:?}"),
    };
    let draco = "KHR_draco_mesh_compression";
    let packed = |position: usize| {
        format!(
            r#""attributes":{{"POSITION":{position}}},"extensions":{{"{draco}":{{"bufferView":0,"attributes":{{"POSITION":0}}}}}}"#
        )
    };
    let used = format!(r#""extensionsUsed":["{draco}"]"#);
    let mut file = File::triangle();
    file.accessors.push(r#"{"componentType":5126,"type":"VEC3","count":3}"#.to_owned());
    file.mesh(&packed(1));
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    refused(&file.with(&used), draco);
    // With a copy, that is drawn.
    let mut file = File::triangle();
    file.mesh(&packed(0));
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    assert_eq!(loaded(&file.with(&used)).unsupported, [format!("extension {draco}")]);
    for name in ["EXT_meshopt_compression", "KHR_meshopt_compression"] {
        let document = format!(
            r#"{{"asset":{{"version":"2.0"}},"extensionsUsed":["{name}"],"nodes":[{{"mesh":0}}],"meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}}}}]}}],"accessors":[{{"bufferView":0,"componentType":5126,"type":"VEC3","count":3}}],"bufferViews":[{{"buffer":0,"byteLength":36,"extensions":{{"{name}":{{"buffer":1}}}}}}],"buffers":[{{"byteLength":36,"extensions":{{"{name}":{{"fallback":true}}}}}}]}}"#
        );
        match Model::from_slice(document.as_bytes(), None) {
            Err(ModelError::Extension { name: got }) => assert_eq!(got, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

// --- materials ---

/// A triangle with three sets of coordinates and a material.
fn with_material(material: &str) -> File {
    let mut file = File::triangle();
    let sets = [0.0, 0.25, 0.5].map(|v| file.floats("VEC2", &[v, v, 1., 0., 0., 1.]));
    let [a, b, c] = sets;
    file.mesh(&format!(
        r#""material":0,"attributes":{{"POSITION":0,"TEXCOORD_0":{a},"TEXCOORD_1":{b},"TEXCOORD_7":{c}}}"#
    ));
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    let image = base64(&png(2, 2));
    file.with(&format!(
        r#""materials":[{{{material}}}],"textures":[{{"source":0}},{{"source":0}}],"images":[{{"uri":"data:image/png;base64,{image}"}}]"#
    ))
}

#[test]
fn maps_all_five_are_read_with_their_factors() {
    let model = loaded(&with_material(
        r#""pbrMetallicRoughness":{"baseColorTexture":{"index":0},"metallicRoughnessTexture":{"index":0}},"normalTexture":{"index":0,"scale":0.5},"occlusionTexture":{"index":0,"strength":0.25},"emissiveTexture":{"index":1},"emissiveFactor":[1,0.5,0]"#,
    ));
    let m = &model.materials[0];
    assert_eq!((m.normal_scale, m.occlusion_strength, m.emissive), (0.5, 0.25, [1.0, 0.5, 0.0]));
    // The image is decoded once for colours and once for numbers.
    assert_eq!((model.images.len(), model.textures.len()), (2, 2));
    let of = |map: Option<scanout::scenes::model::TextureRef>| map.unwrap().texture;
    assert_eq!(of(m.metallic_roughness_texture), of(m.normal_texture));
    assert_eq!(of(m.normal_texture), of(m.occlusion_texture));
    assert_ne!(of(m.base_color_texture), of(m.normal_texture));
    // Two textures of the file that are alike are one copy in the GPU's memory.
    assert_eq!(of(m.base_color_texture), of(m.emissive_texture));
    assert_eq!(model.unsupported, Vec::<String>::new());
    let plain = loaded(&with_material(r#""normalTexture":{"index":0},"occlusionTexture":{"index":0}"#));
    assert_eq!((plain.materials[0].normal_scale, plain.materials[0].occlusion_strength), (1.0, 1.0));
}

#[test]
fn maps_may_have_two_sets_of_coordinates_and_transforms_of_their_own() {
    let model = loaded(&with_material(
        r#""pbrMetallicRoughness":{"baseColorTexture":{"index":0,"texCoord":7}},"emissiveTexture":{"index":0,"texCoord":0,"extensions":{"KHR_texture_transform":{"offset":[0.5,0.25],"scale":[2,3],"texCoord":1}}},"occlusionTexture":{"index":0,"texCoord":7}"#,
    ));
    let m = &model.materials[0];
    let (base, emissive, occlusion) =
        (m.base_color_texture.unwrap(), m.emissive_texture.unwrap(), m.occlusion_texture.unwrap());
    assert_eq!((base.uv, occlusion.uv, emissive.uv), (0, 0, 1));
    assert_eq!(base.transform, Affine2::IDENTITY);
    assert_eq!(emissive.transform.transform_point2(Vec2::ONE), Vec2::new(2.5, 3.25));
    let vertex = model.meshes[0].primitives[0].vertices[0];
    assert_eq!((vertex.uv0, vertex.uv1), ([0.5; 2], [0.25; 2]));
    // A third set has no place: its map is left out and named.
    let model = loaded(&with_material(
        r#""pbrMetallicRoughness":{"baseColorTexture":{"index":0}},"emissiveFactor":[1,1,1],"emissiveTexture":{"index":0,"texCoord":1},"occlusionTexture":{"index":0,"texCoord":7}"#,
    ));
    assert!(model.materials[0].emissive_texture.is_none() && model.materials[0].occlusion_texture.is_some());
    // The factor scales the map that is left out: alone it would light up the whole surface.
    assert_eq!(model.materials[0].emissive, [0.0; 3]);
    assert_eq!(model.unsupported, ["textures with a third set of coordinates in one material"]);
}

#[test]
fn emissive_strength_multiplies_the_factor() {
    let emissive = |strength: &str| {
        with_material(&format!(
            r#""emissiveFactor":[0.5,1,0],"extensions":{{"KHR_materials_emissive_strength":{{{strength}}}}}"#
        ))
    };
    assert_eq!(loaded(&emissive(r#""emissiveStrength":4"#)).materials[0].emissive, [2.0, 4.0, 0.0]);
    assert_eq!(loaded(&emissive("")).materials[0].emissive, [0.5, 1.0, 0.0]);
    assert!(refused(&emissive(r#""emissiveStrength":-1"#)).starts_with("materials[0]"));
    assert!(refused(&emissive(r#""emissiveStrength":1e39"#)).starts_with("materials[0]"));
}

#[test]
fn map_numbers_must_be_finite_and_maps_must_be_there() {
    for material in [
        r#""normalTexture":{"index":0,"scale":1e39}"#,
        r#""occlusionTexture":{"index":0,"strength":-1e39}"#,
        r#""emissiveTexture":{"index":0,"extensions":{"KHR_texture_transform":{"offset":[0,1e39]}}}"#,
        r#""normalTexture":{"index":2}"#,
    ] {
        refused(&with_material(material));
    }
    for material in [r#""normalTexture":{}"#, r#""occlusionTexture":[]"#, r#""extensions":[1]"#] {
        assert!(matches!(with_material(material).load(), Err(ModelError::Json { .. })), "{material}");
    }
}

// --- lights ---

fn lit(lights: &str, node: &str) -> File {
    let mut file = File::triangle();
    file.nodes.push(format!(r#"{{"extensions":{{"KHR_lights_punctual":{{"light":{node}}}}}}}"#));
    file.with(&format!(
        r#""extensionsUsed":["KHR_lights_punctual"],"extensions":{{"KHR_lights_punctual":{{"lights":[{lights}]}}}}"#
    ))
}

#[test]
fn lights_of_all_kinds_are_read() {
    let model = loaded(&lit(
        r#"{"type":"directional","color":[1,0.5,0],"intensity":2},{"type":"point","range":5},{"type":"spot","spot":{"innerConeAngle":0.25,"outerConeAngle":0.5}},{"type":"spot"}"#,
        "3",
    ));
    let kinds: Vec<_> = model.lights.iter().map(|l| l.kind).collect();
    let quarter = std::f32::consts::FRAC_PI_4;
    assert_eq!(
        kinds,
        [
            LightKind::Directional,
            LightKind::Point { range: Some(5.0) },
            LightKind::Spot { range: None, inner: 0.25, outer: 0.5 },
            LightKind::Spot { range: None, inner: 0.0, outer: quarter },
        ]
    );
    assert_eq!((model.lights[0].color, model.lights[1].color), ([2.0, 1.0, 0.0], [1.0; 3]));
    assert_eq!((model.nodes[1].light, model.nodes[0].light), (Some(3), None));
    assert_eq!(model.unsupported, Vec::<String>::new());
}

#[test]
fn lights_that_cannot_be_are_refused() {
    for light in [
        r#"{"type":"sun"}"#,
        r#"{"type":"point","intensity":-1}"#,
        r#"{"type":"point","intensity":1e39}"#,
        r#"{"type":"point","color":[-1,0,0]}"#,
        r#"{"type":"point","range":0}"#,
        r#"{"type":"point","range":1e39}"#,
        r#"{"type":"spot","spot":{"innerConeAngle":0.5,"outerConeAngle":0.5}}"#,
        r#"{"type":"spot","spot":{"outerConeAngle":3}}"#,
        r#"{"type":"spot","spot":{"innerConeAngle":-1}}"#,
    ] {
        assert!(refused(&lit(light, "0")).contains("lights[0]"), "{light}");
    }
    assert!(refused(&lit(r#"{"type":"point"}"#, "1")).contains("lights[1], but there are 1"));
    let many = vec![r#"{"type":"point"}"#; 4097].join(",");
    assert!(matches!(lit(&many, "0").load(), Err(ModelError::TooLarge { what: "lights", .. })));
}

// --- skins ---

/// What a strip of four vertices follows, and the rest of the file.
struct Strip {
    joints: Vec<u8>,
    weights: Vec<f32>,
    /// Further attributes.
    more: String,
    skin: String,
    matrices: Vec<f32>,
}

impl Strip {
    /// Two vertices at the foot, two at height 2 at the second joint, which is at height 1.
    fn new() -> Self {
        let matrices = [Mat4::IDENTITY, Mat4::from_translation(Vec3::NEG_Y)];
        Self {
            joints: vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],
            weights: vec![1., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 1., 0., 0.],
            more: String::new(),
            skin: r#""joints":[1,2]"#.to_owned(),
            matrices: matrices.iter().flat_map(Mat4::to_cols_array).collect(),
        }
    }

    fn file(&self) -> File {
        let mut file = File::new();
        let position = file.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 2., 0., 1., 2., 0.]);
        let joints = file.accessor(&self.joints, 5121, "VEC4", "");
        let weights = file.floats("VEC4", &self.weights);
        let normal = file.floats("VEC3", &[0., 0., 1., 0., 0., 1., 0., 0., 1., 0., 0., 1.]);
        let matrices = file.floats("MAT4", &self.matrices);
        file.mesh(&format!(
            r#""mode":5,"attributes":{{"POSITION":{position},"NORMAL":{normal},"JOINTS_0":{joints},"WEIGHTS_0":{weights}{}}}"#,
            self.more
        ));
        // The node's own place must not matter.
        file.nodes.push(r#"{"mesh":0,"skin":0,"translation":[100,0,0]}"#.to_owned());
        file.nodes.push(r#"{"children":[2]}"#.to_owned());
        file.nodes.push(r#"{"translation":[0,1,0]}"#.to_owned());
        let times = file.floats("SCALAR", &[0., 1.]);
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let turns = file.floats("VEC4", &[0., 0., 0., 1., 0., 0., half, half]);
        file.with(&format!(
            r#""skins":[{{{},"inverseBindMatrices":{matrices}}}],"animations":[{{"channels":[{{"sampler":0,"target":{{"node":2,"path":"rotation"}}}}],"samplers":[{{"input":{times},"output":{turns}}}]}}]"#,
            self.skin
        ))
    }
}

#[test]
fn skins_bend_meshes_and_follow_their_joints() {
    let model = loaded(&Strip::new().file());
    assert_eq!(model.unsupported, Vec::<String>::new());
    let node = model.nodes.iter().position(|n| n.mesh.is_some()).unwrap();
    assert_eq!(model.joints_of(node), Some(0..2));
    // At rest the strip is as it was modelled, wherever its node is.
    assert_eq!((model.bounds.min, model.bounds.max), (Vec3::ZERO, Vec3::new(1.0, 2.0, 0.0)));
    let place = |pose: &Pose, vertex: usize| {
        let primitive = &model.meshes[0].primitives[0];
        let influence = primitive.influences.as_ref().unwrap()[vertex];
        let at = Vec3::from(primitive.vertices[vertex].position);
        (0..4)
            .map(|i| {
                pose.joints()[usize::from(influence.joints[i])].transform_point3(at) * influence.weights[i]
            })
            .sum::<Vec3>()
    };
    let mut pose = Pose::new(&model);
    assert!(place(&pose, 3).abs_diff_eq(Vec3::new(1.0, 2.0, 0.0), 1e-6));
    // The upper joint lies down by a right angle: what was above it is to the left now.
    pose.sample(&model, 0.999_999_9);
    assert!(place(&pose, 2).abs_diff_eq(Vec3::new(-1.0, 1.0, 0.0), 1e-4), "{}", place(&pose, 2));
    assert!(place(&pose, 0).abs_diff_eq(Vec3::ZERO, 1e-6));
    // The camera and the bounds know of it.
    assert!(model.animated_bounds.min.x < -0.9 && model.outline.iter().any(|p| p.x < -0.8));
    assert!(model.outline.iter().all(|p| p.x < 2.0), "nothing is where the node is");
}

#[test]
fn influences_are_made_to_sum_up_to_one_and_the_strongest_are_kept() {
    let mut strip = Strip::new();
    strip.weights[..4].copy_from_slice(&[3., 1., 0., 0.]);
    strip.weights[4..8].copy_from_slice(&[0.; 4]);
    let influences = |model: &Model| model.meshes[0].primitives[0].influences.clone().unwrap();
    let read = influences(&loaded(&strip.file()));
    assert_eq!((read[0].joints, read[0].weights), ([0, 1, 0, 0], [0.75, 0.25, 0., 0.]));
    // One that follows nothing is not lost, and joints without weight do not matter.
    assert_eq!(read[1].weights, [1., 0., 0., 0.]);
    strip.joints[3] = 255;
    loaded(&strip.file());

    // Eight influences: the four strongest, which are not the first four.
    let mut file = Strip::new().file();
    let joints = file.accessor(&[0, 0, 0, 1].repeat(4), 5121, "VEC4", "");
    let weak = file.floats("VEC4", &[0.1, 0.1, 0.1, 0.1].repeat(4));
    let strong = file.accessor(&[0, 0, 0, 255].repeat(4), 5121, "VEC4", r#","normalized":true"#);
    file.meshes[0] = format!(
        r#"{{"primitives":[{{"mode":5,"attributes":{{"POSITION":0,"JOINTS_0":{joints},"WEIGHTS_0":{weak},"JOINTS_1":{joints},"WEIGHTS_1":{strong}}}}}]}}"#
    );
    let model = loaded(&file);
    let read = influences(&model)[0];
    assert_eq!(read.joints[0], 1);
    assert!((read.weights[0] - 1.0 / 1.3).abs() < 1e-5, "{read:?}");
    assert_eq!(model.unsupported, ["influences of joints after the four strongest"]);
}

#[test]
fn skins_that_cannot_be_are_refused() {
    type Change<'a> = &'a dyn Fn(&mut Strip);
    let with = |change: Change<'_>| {
        let mut strip = Strip::new();
        change(&mut strip);
        strip.file()
    };
    let cases: [(&str, Change<'_>); 12] = [
        ("joint 2, there are 2", &|s| s.joints[9] = 2),
        ("weight of -0.5", &|s| s.weights[0] = -0.5),
        ("not a finite number", &|s| s.weights[0] = f32::NAN),
        ("not a finite number", &|s| s.weights[5] = f32::INFINITY),
        ("has no joints", &|s| s.skin = r#""joints":[]"#.to_owned()),
        ("nodes[9]", &|s| s.skin = r#""joints":[1,9]"#.to_owned()),
        ("nodes[7]", &|s| s.skin = r#""skeleton":7,"joints":[1,2]"#.to_owned()),
        ("are 2, there are 3 joints", &|s| s.skin = r#""joints":[1,2,1]"#.to_owned()),
        ("matrix 1 is not affine", &|s| s.matrices[19] = 0.5),
        ("not a finite number", &|s| s.matrices[0] = f32::NAN),
        ("matrix 0 is not affine and finite", &|s| s.matrices[0] = 1e16),
        ("differ in count", &|s| s.more = r#","JOINTS_1":1,"WEIGHTS_1":7"#.to_owned()),
    ];
    for (expected, change) in cases {
        let mut file = with(change);
        if expected == "differ in count" {
            file.floats("VEC4", &[1., 0., 0., 0.]);
        }
        let text = refused(&file);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // Joints beyond the scene, and a skin that is not there.
    let outside = Strip::new().file().with(r#""scenes":[{"nodes":[0]}]"#);
    assert!(refused(&outside).contains("not in the scene"));
    let mut missing = Strip::new().file();
    missing.nodes[0] = r#"{"mesh":0,"skin":1}"#.to_owned();
    assert!(refused(&missing).contains("skins[1], but there are 1"));
    // A mesh that is its own joint is no circle: its place as a mesh does not matter.
    let mut own = Strip::new().file();
    own.more = own.more.replace(r#""joints":[1,2]"#, r#""joints":[0,0]"#);
    loaded(&own);
}

#[test]
fn skins_of_wrong_types_are_refused() {
    for (joints, weights) in [((5126, 4), (5126, 4)), ((5121, 1), (5120, 1)), ((5122, 2), (5126, 4))] {
        let mut file = File::triangle();
        let j = file.accessor(&vec![0; 3 * 4 * joints.1], joints.0, "VEC4", "");
        let w = file.accessor(&vec![0; 3 * 4 * weights.1], weights.0, "VEC4", "");
        file.mesh(&format!(r#""attributes":{{"POSITION":0,"JOINTS_0":{j},"WEIGHTS_0":{w}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        refused(&file);
    }
}

#[test]
fn skins_are_left_alone_where_nothing_can_be_bent() {
    // A mesh that says nothing of joints, with a skin that is broken: it is never read.
    let mut file = File::triangle();
    file.nodes[0] = r#"{"mesh":0,"skin":0,"translation":[5,0,0]}"#.to_owned();
    let model = loaded(&file.with(r#""skins":[{"joints":[]}]"#));
    assert_eq!((model.nodes[0].skin, model.bounds.min.x), (None, 5.0));
    // A mesh with joints at a node without a skin is drawn where the node is.
    let mut file = Strip::new().file();
    file.nodes[0] = r#"{"mesh":0,"translation":[100,0,0]}"#.to_owned();
    let model = loaded(&file);
    assert_eq!((model.skins.len(), model.bounds.min.x), (0, 100.0));
}

// --- morph targets ---

/// A triangle with these targets (attributes of each), weights of the mesh and of the node.
fn morphed(targets: &str, mesh: &str, node: &str) -> File {
    let mut file = File::triangle();
    let normal = file.floats("VEC3", &[0., 0., 1., 0., 0., 1., 0., 0., 1.]);
    let up = file.floats("VEC3", &[0., 0., 0., 0., 0., 0., 0., 3., 0.]);
    let index = file.view(&[1], "");
    let value = file.view(&1.0_f32.to_le_bytes().repeat(3), "");
    let sparse = file.raw_accessor(&format!(
        r#""componentType":5126,"type":"VEC3","count":3,"sparse":{{"count":1,"indices":{{"bufferView":{index},"componentType":5121}},"values":{{"bufferView":{value}}}}}"#
    ));
    let small = file.accessor(&[127, 0, 0, 0, 0, 0, 0, 0, 0], 5120, "VEC3", r#","normalized":true"#);
    assert_eq!((normal, up, sparse, small), (1, 2, 3, 4));
    file.meshes.push(format!(
        r#"{{"primitives":[{{"attributes":{{"POSITION":0,"NORMAL":1}},"targets":[{targets}]}}]{mesh}}}"#
    ));
    file.nodes[0] = format!(r#"{{"mesh":1{node}}}"#);
    file
}

#[test]
fn morph_targets_are_read_dense_sparse_and_quantised() {
    let file = morphed(r#"{"POSITION":2},{"POSITION":3,"NORMAL":2},{"POSITION":4}"#, "", "");
    let model = loaded(&file);
    let primitive = &model.meshes[0].primitives[0];
    assert_eq!(primitive.targets.len(), 3);
    assert_eq!(primitive.targets[0][2].position, [0., 3., 0.]);
    assert_eq!((primitive.targets[1][1].position, primitive.targets[1][2].normal), ([1.; 3], [0., 3., 0.]));
    assert_eq!(primitive.targets[2][0].position, [1., 0., 0.]);
    // Each target is looked at as if it were fully there.
    assert_eq!(primitive.bounds.max, Vec3::new(2.0, 4.0, 1.0));
    assert!(model.outline.iter().any(|p| p.y == 4.0));
    assert_eq!(model.unsupported, Vec::<String>::new());
}

#[test]
fn morph_weights_are_the_nodes_or_the_meshs_or_zero() {
    let two = r#"{"POSITION":2},{"POSITION":3}"#;
    let weights = |mesh: &str, node: &str| loaded(&morphed(two, mesh, node)).weights;
    assert_eq!(weights("", ""), [0.0, 0.0]);
    assert_eq!(weights(r#","weights":[0.5,1]"#, ""), [0.5, 1.0]);
    assert_eq!(weights(r#","weights":[0.5,1]"#, r#","weights":[2,-1]"#), [2.0, -1.0]);
    for (mesh, node) in [
        (r#","weights":[1]"#, ""),
        (r#","weights":[1,2,3]"#, ""),
        ("", r#","weights":[]"#),
        ("", r#","weights":[1,1e39]"#),
        (r#","weights":[1e16,0]"#, ""),
    ] {
        assert!(refused(&morphed(two, mesh, node)).contains("weights"), "{mesh} {node}");
    }
}

#[test]
fn morph_targets_that_cannot_be_are_refused() {
    let mut short = morphed(r#"{"POSITION":5}"#, "", "");
    short.floats("VEC3", &[0.; 6]);
    assert!(refused(&short).contains("differs in count"));
    let mut wide = morphed(r#"{"POSITION":5}"#, "", "");
    wide.floats("VEC4", &[0.; 12]);
    assert!(refused(&wide).contains("wrong type"));
    for value in [f32::NAN, f32::INFINITY, 1e16] {
        let mut file = morphed(r#"{"NORMAL":5}"#, "", "");
        file.floats("VEC3", &[0., 0., 0., value, 0., 0., 0., 0., 0.]);
        refused(&file);
    }
    assert!(refused(&morphed(r#"{"POSITION":77}"#, "", "")).contains("accessors[77]"));
    // The primitives of a mesh have the same targets.
    let mut file = morphed(r#"{"POSITION":2}"#, "", "");
    file.meshes[1] =
        file.meshes[1].replace(r#""primitives":["#, r#""primitives":[{"attributes":{"POSITION":0}},"#);
    assert!(refused(&file).contains("differ in their morph targets"));
}

#[test]
fn morph_weights_are_animated_in_all_three_ways() {
    let at = |interpolation: &str, values: &[f32], table: &[(f64, [f32; 2])]| {
        let mut file = morphed(r#"{"POSITION":2},{"POSITION":3}"#, r#","weights":[9,9]"#, "");
        let times = file.floats("SCALAR", &[0., 1., 2.]);
        let values = file.floats("SCALAR", values);
        let file = file.with(&format!(
            r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"weights"}}}}],"samplers":[{{"input":{times},"output":{values},"interpolation":"{interpolation}"}}]}}]"#
        ));
        let model = loaded(&file);
        assert_eq!((model.animations[0].duration, model.unsupported.len()), (2.0, 0));
        let mut pose = Pose::new(&model);
        for &(time, expected) in table {
            pose.sample(&model, time);
            let near = pose.weights().iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-6);
            assert!(near, "{interpolation} at {time}: {:?}", pose.weights());
            assert_eq!(pose.weights().len(), expected.len());
        }
        pose.rest(&model);
        assert_eq!(pose.weights(), [9.0, 9.0]);
    };
    let keys = [0., 1., 1., 0., 0., 0.5];
    at("LINEAR", &keys, &[(0.0, [0., 1.]), (0.5, [0.5, 0.5]), (1.0, [1., 0.]), (1.5, [0.5, 0.25])]);
    at("STEP", &keys, &[(0.5, [0., 1.]), (1.5, [1., 0.])]);
    // In-tangents, values, out-tangents of both targets for each key: without tangents it eases in and out.
    let spline = [0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 0., 0., 0.5, 0., 0.];
    at("CUBICSPLINE", &spline, &[(0.0, [0., 1.]), (0.25, [0.15625, 0.84375]), (0.5, [0.5, 0.5])]);
}

#[test]
fn morph_animations_that_cannot_be_are_refused() {
    for (values, kind) in [(&[0.; 3][..], "SCALAR"), (&[0.; 8], "SCALAR"), (&[0.; 12], "VEC2")] {
        let mut file = morphed(r#"{"POSITION":2},{"POSITION":3}"#, "", "");
        let times = file.floats("SCALAR", &[0., 1., 2.]);
        let values = file.floats(kind, values);
        let file = file.with(&format!(
            r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"weights"}}}}],"samplers":[{{"input":{times},"output":{values}}}]}}]"#
        ));
        assert!(refused(&file).starts_with("animations[0].samplers[0]"), "{kind}");
    }
}

// --- tangents ---

/// Two triangles that make a square, with a normal map; `uv` of its corners: left and right below, then above.
fn bumpy(uv: &[f32; 8], more: &str) -> File {
    let mut file = File::new();
    let position = file.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1., 0.]);
    let normal = file.floats("VEC3", &[0., 0., 1.].repeat(4));
    let uv = file.floats("VEC2", uv);
    let indices = file.accessor(&[0, 1, 2, 2, 1, 3], 5121, "SCALAR", "");
    file.mesh(&format!(
        r#""material":0,"indices":{indices},"attributes":{{"POSITION":{position},"NORMAL":{normal},"TEXCOORD_0":{uv}{more}}}"#
    ));
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    let image = base64(&png(2, 2));
    file.with(&format!(
        r#""materials":[{{"normalTexture":{{"index":0}}}}],"textures":[{{"source":0}}],"images":[{{"uri":"data:image/png;base64,{image}"}}]"#
    ))
}

#[test]
fn tangents_are_generated_along_u_with_the_sign_of_the_bitangent() {
    let tangents = |uv: &[f32; 8]| {
        let model = loaded(&bumpy(uv, ""));
        let primitive = &model.meshes[0].primitives[0];
        assert_eq!((primitive.vertices.len(), primitive.indices.as_ref().unwrap().len()), (4, 6));
        let all = primitive.tangents.clone().unwrap();
        assert!(all.iter().all(|t| *t == all[0]), "{all:?}");
        all[0]
    };
    // u to the right and v down: the bitangent, which is where y of the map points, is up.
    assert_eq!(tangents(&[0., 1., 1., 1., 0., 0., 1., 0.]), [1., 0., 0., 1.]);
    // Mirrored: u to the left, and still up.
    assert_eq!(tangents(&[1., 1., 0., 1., 1., 0., 0., 0.]), [-1., 0., 0., -1.]);
    // Turned: u upwards.
    let [x, y, z, w] = tangents(&[0., 0., 0., 1., 1., 0., 1., 1.]);
    assert!((Vec3::new(x, y, z) - Vec3::Y).length() < 1e-6 && w == 1.0, "{x} {y} {z} {w}");
    // No direction at all: any that is across the normal.
    assert_eq!(tangents(&[0.5; 8])[2], 0.0);
}

#[test]
fn tangents_of_the_file_are_kept_and_made_unit_vectors() {
    let mut file = bumpy(&[0., 1., 1., 1., 0., 0., 1., 0.], r#","TANGENT":4"#);
    assert_eq!(file.floats("VEC4", &[0., 3., 0., -1., 1., 0., 0., 1., 0., 0., 0., 1., 1., 0., 0., 0.5]), 4);
    let model = loaded(&file);
    let tangents = model.meshes[0].primitives[0].tangents.as_ref().unwrap();
    assert_eq!(
        (tangents[0], tangents[1], tangents[3]),
        ([0., 1., 0., -1.], [1., 0., 0., 1.], [1., 0., 0., 1.])
    );
    // Without a normal map there are none to keep.
    let model = file.more.replace(r#""normalTexture":{"index":0}"#, "");
    file.more = model;
    assert!(loaded(&file).meshes[0].primitives[0].tangents.is_none());
}

#[test]
fn tangents_that_differ_at_a_corner_double_its_vertex() {
    // The second triangle's coordinates are those of the first mirrored: the shared edge has two tangents.
    let mut file = bumpy(&[0., 1., 1., 1., 0., 0., 0., 1.], "");
    file.meshes[0] = file.meshes[0].replace(r#""indices""#, r#""mode":4,"indices""#);
    let model = loaded(&file);
    let primitive = &model.meshes[0].primitives[0];
    let tangents = primitive.tangents.as_ref().unwrap();
    assert!(tangents.iter().any(|t| t[3] > 0.0) && tangents.iter().any(|t| t[3] < 0.0), "{tangents:?}");
    assert_eq!((primitive.vertices.len(), tangents.len()), (6, 6));
}

#[test]
fn tangents_that_would_take_too_long_are_left_to_the_shader() {
    // So many triangles in one place: each corner would be compared with each.
    let heap = |triangles: usize| {
        let mut file = File::new();
        let position = file.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 1., 0.].repeat(triangles));
        let normal = file.floats("VEC3", &[0., 0., 1.].repeat(triangles * 3));
        let uv = file.floats("VEC2", &[0., 0., 1., 0., 0., 1.].repeat(triangles));
        file.mesh(&format!(
            r#""material":0,"attributes":{{"POSITION":{position},"NORMAL":{normal},"TEXCOORD_0":{uv}}}"#
        ));
        file.nodes.push(r#"{"mesh":0}"#.to_owned());
        let image = base64(&png(1, 1));
        let file = file.with(&format!(
            r#""materials":[{{"normalTexture":{{"index":0}}}}],"textures":[{{"source":0}}],"images":[{{"uri":"data:image/png;base64,{image}"}}]"#
        ));
        loaded(&file).meshes[0].primitives[0].tangents.is_some()
    };
    assert!(heap(300));
    assert!(!heap(4000));
}
