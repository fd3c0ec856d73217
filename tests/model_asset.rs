//! The default model: it is what its program makes, it keeps its budgets, and it loops.

#[path = "../examples/make_asset/asset/mod.rs"]
mod asset;
mod model_support;

use glam::Vec3;
use model_support::check_promises;
use scanout::scenes::model::{Interpolation, Mode, Model, Pose};

const STORED: &[u8] = include_bytes!("../assets/orrery.glb");

fn orrery() -> Model {
    Model::from_slice(STORED, None).unwrap()
}

/// When this fails after an update of the `png` or `flate2` crate, whose compression may change, make the file anew.
#[test]
fn stored_asset_is_what_the_program_makes() {
    let made = asset::build();
    assert!(made == STORED, "run: cargo run --example make_asset --no-default-features --features scenes");
}

#[test]
fn asset_keeps_its_budgets() {
    assert!(STORED.len() <= 700_000, "{} bytes", STORED.len());
    let model = orrery();
    let triangles: usize = model
        .instances()
        .flat_map(|(_, mesh)| &mesh.primitives)
        .map(|p| p.indices.as_ref().map_or(p.vertices.len(), Vec::len) / 3)
        .sum();
    assert!((5_000..=15_000).contains(&triangles), "{triangles} triangles");
    assert_eq!(model.unsupported, Vec::<String>::new());
    check_promises(&model);
}

#[test]
fn asset_shows_what_the_loader_can() {
    let model = orrery();
    let depth = |mut node: usize| {
        let mut depth = 1;
        while let Some(parent) = model.nodes[node].parent {
            node = parent;
            depth += 1;
        }
        depth
    };
    assert!((0..model.nodes.len()).map(depth).max().unwrap() >= 6);
    assert_eq!(model.images.len(), 3);
    assert!(model.materials.iter().any(|m| m.unlit) && model.materials.iter().any(|m| m.double_sided));
    let vertices = || model.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.vertices);
    assert!(vertices().any(|v| v.color != [1.0; 4]) && vertices().any(|v| v.uv0 != [0.0; 2]));
    let kinds = |kind| model.animations[0].tracks.iter().filter(|t| t.interpolation() == kind).count();
    assert!(
        kinds(Interpolation::Step) >= 1
            && kinds(Interpolation::Cubic) >= 1
            && kinds(Interpolation::Linear) >= 8
    );
}

#[test]
fn asset_triangles_face_their_normals() {
    for mesh in &orrery().meshes {
        for primitive in &mesh.primitives {
            assert_eq!(primitive.mode, Mode::Triangles);
            for corners in primitive.indices.as_ref().unwrap().chunks(3) {
                let v = [0, 1, 2].map(|i| primitive.vertices[corners[i] as usize]);
                let p = v.map(|v| Vec3::from(v.position));
                let face = (p[1] - p[0]).cross(p[2] - p[0]);
                assert!(face.length() > 0.0, "{:?}: a triangle without area", mesh.name);
                let normal: Vec3 = v.iter().map(|v| Vec3::from(v.normal)).sum();
                assert!(face.dot(normal) > 0.0, "{:?}: a triangle is turned inside out", mesh.name);
            }
        }
    }
}

#[test]
fn asset_loops_without_a_seam_and_moves() {
    let model = orrery();
    let duration = f64::from(model.animations[0].duration);
    assert_eq!(duration, 12.0);
    let (mut rest, mut start, mut end, mut middle) =
        (Pose::new(&model), Pose::new(&model), Pose::new(&model), Pose::new(&model));
    rest.rest(&model);
    start.sample(&model, 0.0);
    end.sample(&model, duration - 1.0e-3);
    middle.sample(&model, 5.1);
    let mut moved = 0;
    for (i, node) in model.nodes.iter().enumerate() {
        let at = |pose: &Pose| pose.world()[i];
        assert!(at(&rest).abs_diff_eq(at(&start), 1.0e-4), "{:?} at rest is not at the start", node.name);
        // The hand stands still until the end of its last tick, which takes it to the start.
        if node.name.as_deref() != Some("hand") {
            assert!(at(&start).abs_diff_eq(at(&end), 2.0e-2), "{:?} jumps at the seam", node.name);
        }
        moved += usize::from(!at(&start).abs_diff_eq(at(&middle), 1.0e-2));
    }
    assert!(moved > 20, "{moved} nodes move");
    end.sample(&model, duration);
    assert_eq!(start.world(), end.world());
}

#[test]
fn asset_is_at_even_speed() {
    let model = orrery();
    let jove = model.nodes.iter().position(|n| n.name.as_deref() == Some("jove seat")).unwrap();
    let mut pose = Pose::new(&model);
    let mut at = |time: f64| {
        pose.sample(&model, time);
        pose.world()[jove].w_axis.truncate()
    };
    let expected = (at(0.0) - at(0.1)).length();
    for i in 1..120 {
        let time = f64::from(i) * 0.1;
        let step = (at(time) - at(time + 0.1)).length();
        assert!((step - expected).abs() < expected * 1.0e-2, "at {time}: {step}, not {expected}");
    }
}
