//! Numbers at and beyond the edge of what can be drawn, and what is shared instead of loaded twice.

mod model_support;

use model_support::{File, check_promises, glb, png};
use scanout::scenes::model::{Model, ModelError, limits};

/// The property that an error complains about.
fn place(result: Result<Model, ModelError>) -> String {
    match result {
        Err(ModelError::Invalid { place, .. }) => place,
        other => panic!("{other:?}"),
    }
}

#[test]
fn node_transforms_that_cannot_be_are_refused_at_the_node() {
    for transform in [
        r#""translation":[1e39,0,0]"#,
        r#""translation":[0,-1e16,0]"#,
        r#""scale":[1,1,1e39]"#,
        r#""rotation":[1e39,0,0,1]"#,
        r#""rotation":[0,0,0,0]"#,
        r#""rotation":[0,0,0,1e-40]"#,
        r#""matrix":[1e39,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]"#,
        r#""matrix":[1,0,0,0.5,0,1,0,0,0,0,1,0,0,0,0,1]"#,
        r#""matrix":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,2]"#,
    ] {
        let mut file = File::triangle();
        file.nodes[0] = format!(r#"{{"mesh":0,{transform}}}"#);
        assert_eq!(place(file.load()), "nodes[0]", "{transform}");
    }
    let mut file = File::triangle();
    file.nodes[0] = r#"{"mesh":0,"rotation":[0,0,0,3],"scale":[0,-1,0]}"#.to_owned();
    check_promises(&file.load().unwrap());
}

#[test]
fn positions_too_far_are_refused_at_the_primitive() {
    let mut file = File::new();
    let p = file.floats("VEC3", &[0., 0., 0., 1., 1.0e16, 0., 0., 1., 0.]);
    file.mesh(&format!(r#""attributes":{{"POSITION":{p}}}"#));
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    assert_eq!(place(file.load()), "meshes[0].primitives[0]");
    // Each in range, but not their product.
    let mut file = File::new();
    let p = file.floats("VEC3", &[0., 0., 0., 1., 1.0e14, 0., 0., 1., 0.]);
    file.mesh(&format!(r#""attributes":{{"POSITION":{p}}}"#));
    file.nodes.push(r#"{"mesh":0,"scale":[100,100,100]}"#.to_owned());
    assert_eq!(place(file.load()), "scene");
}

#[test]
fn animated_values_too_large_are_refused_or_kept_out_of_the_bounds() {
    let animated = |value: f32| {
        let mut file = File::triangle();
        let input = file.floats("SCALAR", &[0., 1.]);
        let output = file.floats("VEC3", &[value; 6]);
        file.with(&format!(
            r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"translation"}}}}],"samplers":[{{"input":{input},"output":{output}}}]}}]"#
        ))
    };
    assert_eq!(place(animated(2.0e15).load()), "animations[0].samplers[0]");
    // The node is in range, its far corner is not.
    let mut file = animated(limits::MAX_EXTENT);
    file.nodes[0] = r#"{"mesh":0,"scale":[1e14,1,1]}"#.to_owned();
    let model = file.load().unwrap();
    assert!(model.animated_bounds.max.max_element() <= limits::MAX_EXTENT);
}

fn textured(uv: [f32; 2], material: &str, transform: &str) -> File {
    let mut file = File::triangle();
    let uv = file.floats("VEC2", &[uv[0], uv[1], 1., 0., 0., 1.]);
    for material in 0..2 {
        file.mesh(&format!(r#""material":{material},"attributes":{{"POSITION":0,"TEXCOORD_0":{uv}}}"#));
        file.nodes.push(format!(r#"{{"mesh":{}}}"#, material + 1));
    }
    let image = file.view(&png(2, 2), "");
    let of = |texture: usize| {
        format!(
            r#"{{"pbrMetallicRoughness":{{{material}"baseColorTexture":{{"index":{texture},"extensions":{{"KHR_texture_transform":{{{transform}}}}}}}}}}}"#
        )
    };
    file.with(&format!(
        r#""materials":[{},{},{}],"textures":[{{"source":0}},{{"source":0}}],"images":[{{"bufferView":{image}}}]"#,
        of(0),
        of(1),
        of(1)
    ))
}

#[test]
fn images_and_textures_are_loaded_once() {
    let mut file = textured([0.0; 2], "", "");
    let mesh = file.meshes[2].replace(r#""material":1"#, r#""material":2"#);
    file.meshes.push(mesh);
    file.nodes.push(r#"{"mesh":3}"#.to_owned());
    file.nodes.push(r#"{"mesh":3}"#.to_owned());
    let model = file.load().unwrap();
    check_promises(&model);
    assert_eq!(
        (model.images.len(), model.textures.len(), model.materials.len(), model.meshes.len()),
        // Both textures of the file are alike.
        (1, 1, 4, 4)
    );
}

#[test]
fn material_numbers_must_be_finite() {
    check_promises(&textured([0.0; 2], "", "").load().unwrap());
    for material in
        [r#""baseColorFactor":[1e39,0,0,0],"#, r#""metallicFactor":1e39,"#, r#""roughnessFactor":-1e39,"#]
    {
        assert_eq!(place(textured([0.0; 2], material, "").load()), "materials[0]");
    }
    for transform in [r#""offset":[0,1e39]"#, r#""scale":[1e39,1]"#, r#""rotation":1e39"#] {
        assert_eq!(place(textured([0.0; 2], "", transform).load()), "materials[0]");
    }
    // Finite each, but not their product.
    check_promises(&textured([3.0e38; 2], "", r#""scale":[1e10,1e10]"#).load().unwrap());
}

#[test]
fn json_beyond_its_limit_is_refused_and_padding_is_cut() {
    let mut json = File::triangle().gltf();
    assert!(Model::from_slice(&glb(&[&json[..], &[0, 0, 0]].concat(), b""), None).is_ok());
    json.resize(limits::MAX_JSON_BYTES as usize + 1, b' ');
    let refused = Model::from_slice(&json, None);
    assert!(matches!(refused, Err(ModelError::TooLarge { what: "bytes of JSON", .. })));
}

#[test]
fn bytes_beyond_the_source_limit_are_refused() {
    let bytes = vec![0; limits::MAX_SOURCE_BYTES as usize + 1];
    assert!(matches!(Model::from_slice(&bytes, None), Err(ModelError::TooLarge { .. })));
}

/// A mesh of primitives that are all zeros without bytes behind them.
fn zeros(primitives: &[String], accessors: &[String]) -> File {
    let mut file = File::triangle();
    for accessor in accessors {
        file.raw_accessor(accessor);
    }
    for primitive in primitives {
        let mesh = file.mesh(primitive);
        file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
    }
    file
}

#[test]
fn vertices_needed_only_while_loading_are_given_back() {
    let half = limits::MAX_VERTICES / 2 / 3 * 3;
    let accessor = |count: u64| format!(r#""componentType":5126,"type":"VEC3","count":{count}"#);
    let flat = |accessor: u32| format!(r#""attributes":{{"POSITION":{accessor}}}"#);
    // The first takes the whole budget for a moment and half of it in the end.
    let file = zeros(&[flat(1), flat(2)], &[accessor(half - 3), accessor(half / 2 / 3 * 3 - 3)]);
    assert!(file.load().is_ok());
}

#[test]
fn indices_of_all_primitives_share_one_budget() {
    let count = limits::MAX_INDICES / 2 + 1;
    let primitive = r#""mode":0,"indices":1,"attributes":{"POSITION":0}"#.to_owned();
    let accessor = format!(r#""componentType":5125,"type":"SCALAR","count":{count}"#);
    let file = zeros(&[primitive.clone(), primitive], &[accessor]);
    assert!(matches!(file.load(), Err(ModelError::TooLarge { what: "indices", .. })));
}

#[test]
fn accessors_beyond_any_budget_are_refused_even_where_little_of_them_is_used() {
    let accessor = r#""componentType":5126,"type":"VEC3","count":1099511627776"#.to_owned();
    let index = r#""componentType":5121,"type":"SCALAR","count":1"#.to_owned();
    let file = zeros(&[r#""mode":0,"indices":2,"attributes":{"POSITION":1}"#.to_owned()], &[accessor, index]);
    assert!(matches!(file.load(), Err(ModelError::TooLarge { what: "elements in an accessor", .. })));
}
