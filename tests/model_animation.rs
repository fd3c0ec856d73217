//! Sampling of node animation.

mod model_support;

use glam::{Quat, Vec3, Vec4};
use model_support::{File, check_promises};
use scanout::scenes::model::{Interpolation, Local, Model, ModelError, Pose};

/// A node that one channel drives.
fn animated(path: &str, interpolation: &str, times: &[f32], values: &[f32]) -> File {
    let mut file = File::triangle();
    let input = file.floats("SCALAR", times);
    let output = file.floats(if path == "rotation" { "VEC4" } else { "VEC3" }, values);
    file.with(&format!(
        r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"{path}"}}}}],"samplers":[{{"input":{input},"output":{output},"interpolation":"{interpolation}"}}]}}]"#
    ))
}

fn x_at(model: &Model, time: f64) -> f32 {
    let mut pose = Pose::new(model);
    pose.sample(model, time);
    pose.world()[0].w_axis.x
}

fn assert_table(model: &Model, table: &[(f64, f32)]) {
    check_promises(model);
    for &(time, expected) in table {
        let got = x_at(model, time);
        assert!((got - expected).abs() < 1.0e-5, "at {time}: {got}, not {expected}");
    }
}

#[test]
fn step_holds_until_the_next_key() {
    let model =
        animated("translation", "STEP", &[0., 1., 2.], &[1., 0., 0., 5., 0., 0., 9., 0., 0.]).load().unwrap();
    assert_table(&model, &[(0., 1.), (0.999, 1.), (1., 5.), (1.999, 5.), (2., 1.)]);
}

#[test]
fn linear_interpolates_holds_and_loops() {
    let model = animated("translation", "LINEAR", &[1., 2., 4.], &[1., 0., 0., 3., 0., 0., -1., 0., 0.])
        .load()
        .unwrap();
    assert_eq!(model.animations[0].duration, 4.0);
    let table = [
        (0., 1.),
        (0.5, 1.),
        (1., 1.),
        (1.5, 2.),
        (2., 3.),
        (3., 1.),
        (4., 1.),
        (5.5, 2.),
        (-1., 1.),
        (-0.5, 0.),
        (4e6 + 1.5, 2.),
    ];
    assert_table(&model, &table);
    for time in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(x_at(&model, time), 1.0);
        assert_eq!(model.animations[0].wrap(time), 0.0);
    }
}

#[test]
fn linear_rotation_takes_the_shorter_way_at_even_speed() {
    let (from, to) = (Quat::IDENTITY, -Quat::from_rotation_y(1.0));
    let values: Vec<f32> = from.to_array().into_iter().chain(to.to_array()).collect();
    let model = animated("rotation", "LINEAR", &[0., 1.], &values).load().unwrap();
    check_promises(&model);
    for i in 0..10 {
        let time = i as f32 / 10.0;
        let mut pose = Pose::new(&model);
        pose.sample(&model, f64::from(time));
        let Local::Parts(trs) = pose.locals()[0] else { panic!() };
        assert!(trs.rotation.angle_between(Quat::from_rotation_y(time)) < 1.0e-3, "{time}");
    }
}

#[test]
fn cubic_follows_its_tangents() {
    // in-tangent, value, out-tangent for each key; the span is 2 s, so tangents count twice.
    let values = [0., 0., 0., 1., 0., 0., 2., 0., 0., 3., 0., 0., 5., 0., 0., 0., 0., 0.];
    let model = animated("translation", "CUBICSPLINE", &[0., 2.], &values).load().unwrap();
    // p(t) = (2t^3-3t^2+1) 1 + (t^3-2t^2+t) 4 + (-2t^3+3t^2) 5 + (t^3-t^2) 6
    let expected = |t: f32| {
        (2. * t * t * t - 3. * t * t + 1.)
            + (t * t * t - 2. * t * t + t) * 4.
            + (-2. * t * t * t + 3. * t * t) * 5.
            + (t * t * t - t * t) * 6.
    };
    assert_table(&model, &[(0., 1.), (0.5, expected(0.25)), (1., expected(0.5)), (1.8, expected(0.9))]);
    assert_eq!(model.animations[0].tracks[0].sample(99.), Vec4::new(5., 0., 0., 0.));
    assert_eq!(model.animations[0].tracks[0].interpolation(), Interpolation::Cubic);
}

#[test]
fn cubic_rotation_stays_unit_even_through_zero() {
    let mut values = vec![0.0; 24];
    (values[7], values[19]) = (1.0, -1.0);
    let model = animated("rotation", "CUBICSPLINE", &[0., 1.], &values).load().unwrap();
    check_promises(&model);
    for i in 0..=100 {
        let value = model.animations[0].tracks[0].sample(i as f32 / 100.0);
        assert!((value.length() - 1.0).abs() < 1.0e-5);
    }
}

#[test]
fn scale_to_zero_and_below_is_allowed() {
    let model = animated("scale", "LINEAR", &[0., 2.], &[1., 1., 1., -1., -1., -1.]).load().unwrap();
    check_promises(&model);
    let mut pose = Pose::new(&model);
    pose.sample(&model, 1.0);
    assert_eq!(pose.world()[0].transform_vector3(Vec3::ONE), Vec3::ZERO);
}

#[test]
fn single_key_is_a_constant() {
    let model = animated("translation", "LINEAR", &[0.], &[7., 0., 0.]).load().unwrap();
    assert_table(&model, &[(0., 7.), (5., 7.), (-5., 7.)]);
    assert_eq!(model.animations[0].wrap(5.0), 0.0);
}

#[test]
fn normalised_integers_drive_rotations() {
    let mut file = File::triangle();
    let input = file.floats("SCALAR", &[0.]);
    let bytes: Vec<u8> = [0_i16, 32767, 0, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let output = file.accessor(&bytes, 5122, "VEC4", r#","normalized":true"#);
    let model = file
        .with(&format!(
            r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"rotation"}}}}],"samplers":[{{"input":{input},"output":{output}}}]}}]"#
        ))
        .load()
        .unwrap();
    assert_eq!(model.animations[0].tracks[0].sample(0.), Vec4::Y);
}

#[test]
fn children_follow_their_parents() {
    let mut file = animated("translation", "LINEAR", &[0., 1.], &[0., 0., 0., 4., 0., 0.]);
    file.nodes = vec![r#"{"children":[1]}"#.to_owned(), r#"{"mesh":0,"translation":[0,2,0]}"#.to_owned()];
    let model = file.load().unwrap();
    let mut pose = Pose::new(&model);
    pose.sample(&model, 0.25);
    assert_eq!(pose.world()[1].w_axis.truncate(), Vec3::new(1., 2., 0.));
    pose.rest(&model);
    assert_eq!(pose.world()[1].w_axis.truncate(), Vec3::new(0., 2., 0.));
    assert!(model.animated_bounds.max.x > 4.5 && model.bounds.max.x == 1.0);
}

#[test]
fn broken_tracks_are_errors() {
    let one = [0.0_f32; 3];
    let two = [0.0_f32; 6];
    let quats = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    // What is wrong, path, interpolation, times, values.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [f32], &'a [f32]);
    let cases: [Case<'_>; 12] = [
        ("times that stand still", "translation", "LINEAR", &[1., 1.], &two),
        ("times that fall", "translation", "LINEAR", &[1., 0.], &two),
        ("a negative time", "translation", "LINEAR", &[-1., 0.], &two),
        ("no number as time", "translation", "LINEAR", &[0., f32::NAN], &two),
        ("an endless time", "translation", "LINEAR", &[0., f32::INFINITY], &two),
        ("no keys", "translation", "LINEAR", &[], &[]),
        ("too few values", "translation", "LINEAR", &[0., 1.], &one),
        ("too many values", "translation", "STEP", &[0.], &two),
        ("a cubic without tangents", "translation", "CUBICSPLINE", &[0., 1.], &two),
        ("a rotation without length", "rotation", "LINEAR", &[0., 1.], &quats),
        ("a value that is no number", "scale", "LINEAR", &[0.], &[0., f32::NAN, 0.]),
        ("an unknown interpolation", "scale", "MAGIC", &[0.], &one),
    ];
    for (what, path, interpolation, times, values) in cases {
        let got = animated(path, interpolation, times, values).load();
        assert!(matches!(got, Err(ModelError::Invalid { .. })), "{what}: {got:?}");
    }
}

#[test]
fn channels_that_cannot_play_are_named() {
    let mut file = animated("translation", "LINEAR", &[0.], &[1., 0., 0.]);
    file.nodes[0] = r#"{"mesh":0,"matrix":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]}"#.to_owned();
    assert_eq!(file.load().unwrap().unsupported, ["animations of nodes with a matrix"]);
    let file = animated("weights", "LINEAR", &[0.], &[1., 0., 0.]);
    assert_eq!(file.load().unwrap().unsupported, ["animated weights of meshes without morph targets"]);
    let json = String::from_utf8(animated("translation", "LINEAR", &[0.], &[1., 0., 0.]).gltf()).unwrap();
    let json = json.replace(r#""node":0,"path""#, r#""path""#);
    assert_eq!(
        Model::from_slice(json.as_bytes(), None).unwrap().unsupported,
        ["animations of other properties"]
    );
}

#[test]
fn animation_beyond_the_range_of_floats_stays_finite() {
    // A chain of 40 nodes, each scaled by up to 1e6: the product is 1e240.
    let mut file = animated("scale", "LINEAR", &[0., 1.], &[1., 1., 1., 1e6, 1e6, 1e6]);
    file.nodes = (0..40).map(|i| format!(r#"{{"mesh":0,"children":[{}]}}"#, i + 1)).collect();
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    let channels: Vec<_> =
        (0..41).map(|i| format!(r#"{{"sampler":0,"target":{{"node":{i},"path":"scale"}}}}"#)).collect();
    let one = r#"{"sampler":0,"target":{"node":0,"path":"scale"}}"#;
    file.more = file.more.replace(one, &channels.join(","));
    check_promises(&file.load().unwrap());
}
