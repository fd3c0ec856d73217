//! Files that lie: an error or a picture, in bounded time and memory, and never a panic.
//!
//! The allocator of this program counts what each thread holds, so that every load here is also a test of memory.
#![allow(unsafe_code, reason = "a counting allocator can only be written so")]

mod model_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use model_support::{File, base64, check_promises, glb, png};
use scanout::scenes::model::{Model, ModelError, Pose, limits};
use scanout::time::{Clock, MonotonicClock};

/// What one load may hold at once.
const MEMORY_CAP: isize = 512 << 20;
/// What one load may take: far above what any does even without optimisation on a busy machine (all are below a
/// second), so that only work that grows with a number in the file fails.
const TIME_CAP_SECONDS: u64 = 30;

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends may free after its thread-locals are gone.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
    if change > 0 {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may exist side by side.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Loads and uses `bytes` under both caps.
fn load(what: &str, bytes: &[u8]) -> Result<Model, ModelError> {
    let before = LIVE.get();
    PEAK.set(before);
    let start = MonotonicClock.now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let result = Model::from_slice(bytes, None);
        match &result {
            Ok(model) => check_promises(model),
            Err(error) => {
                let line = error.to_string();
                assert!(!line.contains(char::is_control) && line.chars().count() < 500, "{line:?}");
            }
        }
        result
    }));
    let result = result.unwrap_or_else(|_| panic!("{what}: panicked"));
    let (peak, seconds) = (PEAK.get() - before, MonotonicClock.now().saturating_since(start).as_secs());
    assert!(peak < MEMORY_CAP, "{what}: held {} MiB", peak >> 20);
    assert!(seconds < TIME_CAP_SECONDS, "{what}: took {seconds} s");
    result
}

fn load_file(what: &str, file: &File) -> Result<Model, ModelError> {
    load(what, &file.gltf())
}

#[test]
fn allocator_counts() {
    let (live, calls) = (LIVE.get(), CALLS.get());
    PEAK.set(live);
    let block = vec![1_u8; 1 << 20];
    assert!(LIVE.get() - live >= 1 << 20 && PEAK.get() - live >= 1 << 20 && CALLS.get() > calls);
    drop(block);
    assert!(LIVE.get() - live < 1 << 20);
}

#[test]
fn sampling_allocates_nothing() {
    let model = Model::from_slice(include_bytes!("../assets/orrery.glb"), None).unwrap();
    let mut pose = Pose::new(&model);
    let before = CALLS.get();
    for frame in 0..1000 {
        pose.sample(&model, f64::from(frame) / 60.0);
        pose.rest(&model);
    }
    assert_eq!(CALLS.get(), before);
}

#[test]
fn cyclic_nodes_are_refused() {
    let cases: [(&str, &[&str]); 6] = [
        ("own parent", &[r#"{"mesh":0,"children":[0]}"#]),
        ("two in a ring", &[r#"{"children":[1]}"#, r#"{"mesh":0,"children":[0]}"#]),
        (
            "ring below a root",
            &[r#"{"mesh":0,"children":[1]}"#, r#"{"children":[2]}"#, r#"{"children":[1]}"#],
        ),
        ("ring beside a root", &[r#"{"mesh":0}"#, r#"{"children":[2]}"#, r#"{"children":[1]}"#]),
        ("two parents", &[r#"{"children":[2]}"#, r#"{"children":[2]}"#, r#"{"mesh":0}"#]),
        ("a child twice", &[r#"{"children":[1,1]}"#, r#"{"mesh":0}"#]),
    ];
    for (what, nodes) in cases {
        for scene in ["", r#","scenes":[{"nodes":[0]}]"#] {
            let mut file = File::triangle();
            file.nodes = nodes.iter().map(|&n| n.to_owned()).collect();
            file.more = scene.to_owned();
            match load_file(what, &file) {
                Err(ModelError::Invalid { place, .. }) => {
                    assert!(place.starts_with("nodes["), "{what}: {place}");
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

#[test]
fn deep_chains_are_walked_without_recursion() {
    let mut file = File::triangle();
    let depth = 100_000;
    file.nodes = (1..depth).map(|i| format!(r#"{{"children":[{i}]}}"#)).collect();
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    let model = load_file("chain", &file).unwrap();
    assert_eq!(model.nodes.len(), depth);
    // The same chain written backwards, growing: the product leaves the range of floats.
    file.nodes = (0..depth).map(|i| format!(r#"{{"scale":[2,2,2],"children":[{}]}}"#, i + 1)).collect();
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    assert!(matches!(load_file("growing chain", &file), Err(ModelError::Invalid { .. })));
}

#[test]
fn too_many_nodes_and_draws_are_refused() {
    let mut file = File::triangle();
    file.nodes = vec!["{}".to_owned(); limits::MAX_NODES + 1];
    assert!(matches!(load_file("nodes", &file), Err(ModelError::TooLarge { .. })));
    let mut file = File::triangle();
    let primitive = r#"{"attributes":{"POSITION":0}}"#;
    file.meshes = vec![format!(r#"{{"primitives":[{}]}}"#, vec![primitive; 2000].join(","))];
    file.nodes = vec![r#"{"mesh":0}"#.to_owned(); 1000];
    assert!(matches!(
        load_file("draws", &file),
        Err(ModelError::TooLarge { what: "primitives to draw", .. })
    ));
}

#[test]
fn huge_counts_are_refused() {
    // Without bytes behind it, an accessor is all zeros by definition: only the limit stops it.
    for count in ["4294967295", "4294967296", "18446744073709551615", "4194305"] {
        for (bytes, kind) in [(false, "POSITION"), (true, "POSITION"), (false, "indices"), (false, "input")] {
            let mut file = File::triangle();
            let view = if bytes { r#""bufferView":0,"# } else { "" };
            let (component, vector) = match kind {
                "POSITION" => (5126, "VEC3"),
                "indices" => (5125, "SCALAR"),
                _ => (5126, "SCALAR"),
            };
            let count = if kind == "indices" && count == "4194305" { "16777217" } else { count };
            let a = file.raw_accessor(&format!(
                r#"{view}"componentType":{component},"type":"{vector}","count":{count}"#
            ));
            match kind {
                "POSITION" => _ = file.mesh(&format!(r#""attributes":{{"POSITION":{a}}}"#)),
                "indices" => _ = file.mesh(&format!(r#""indices":{a},"attributes":{{"POSITION":0}}"#)),
                _ => {
                    file.mesh(r#""attributes":{"POSITION":0}"#);
                    file = file.with(&format!(
                        r#""animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"translation"}}}}],"samplers":[{{"input":{a},"output":{a}}}]}}]"#
                    ));
                }
            }
            file.nodes[0] = r#"{"mesh":1}"#.to_owned();
            let got = load_file(kind, &file);
            assert!(got.is_err(), "{kind} {count}");
        }
    }
}

#[test]
fn huge_counts_below_the_limit_share_one_budget() {
    let mut file = File::new();
    let a = file.raw_accessor(r#""componentType":5126,"type":"VEC3","count":4000000"#);
    file.view(&[0; 4], "");
    for _ in 0..100 {
        file.mesh(&format!(r#""attributes":{{"POSITION":{a},"NORMAL":{a}}}"#));
        file.nodes.push(format!(r#"{{"mesh":{}}}"#, file.meshes.len() - 1));
    }
    assert!(matches!(load_file("zeros", &file), Err(ModelError::TooLarge { what: "vertices", .. })));
    // Unrolling for flat normals multiplies: that counts too.
    let mut file = File::new();
    let a = file.raw_accessor(r#""componentType":5126,"type":"VEC3","count":2000000"#);
    file.view(&[0; 4], "");
    file.mesh(&format!(r#""mode":5,"attributes":{{"POSITION":{a}}}"#));
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    assert!(matches!(load_file("strip", &file), Err(ModelError::TooLarge { what: "vertices", .. })));
    // One track of many keys, asked for by many samplers.
    let mut file = File::triangle();
    let times: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let input = file.floats("SCALAR", &times);
    let output = file.raw_accessor(r#""componentType":5126,"type":"VEC3","count":1000"#);
    let sampler = format!(r#"{{"input":{input},"output":{output}}}"#);
    let channels: Vec<_> =
        (0..3000).map(|i| format!(r#"{{"sampler":{i},"target":{{"node":0,"path":"scale"}}}}"#)).collect();
    let file = file.with(&format!(
        r#""animations":[{{"channels":[{}],"samplers":[{}]}}]"#,
        channels.join(","),
        vec![sampler; 3000].join(",")
    ));
    assert!(matches!(load_file("keys", &file), Err(ModelError::TooLarge { what: "animation keys", .. })));
}

#[test]
fn sparse_elements_are_checked_a_bounded_number_of_times() {
    let mut file = File::triangle();
    let count = 100_000_u32;
    let bytes: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
    let indices = file.view(&bytes, "");
    let values = file.view(&vec![0; bytes.len() * 3], "");
    let a = file.raw_accessor(&format!(
        r#""componentType":5126,"type":"VEC3","count":{count},"sparse":{{"count":{count},"indices":{{"bufferView":{indices},"componentType":5125}},"values":{{"bufferView":{values}}}}}"#
    ));
    // Each primitive draws one point of it, so that no other limit is reached.
    let i = file.accessor(&[0], 5121, "SCALAR", "");
    let primitive = format!(r#"{{"mode":0,"indices":{i},"attributes":{{"POSITION":{a}}}}}"#);
    file.meshes.push(format!(r#"{{"primitives":[{}]}}"#, vec![primitive; 90_000].join(",")));
    file.nodes[0] = r#"{"mesh":1}"#.to_owned();
    assert!(matches!(load_file("sparse", &file), Err(ModelError::TooLarge { what: "sparse elements", .. })));
}

#[test]
fn many_joints_shown_by_many_nodes_are_refused() {
    let mut file = File::new();
    let count = 4000_u32;
    let zero = |file: &mut File, kind: &str| {
        file.raw_accessor(&format!(r#""componentType":5126,"type":"{kind}","count":{count}"#))
    };
    let position = zero(&mut file, "VEC3");
    let joints: Vec<u8> = (0..count * 4).flat_map(|j| (j as u16).to_le_bytes()).collect();
    let joints = file.accessor(&joints, 5123, "VEC4", "");
    let weights = file.accessor(&vec![255; 4 * count as usize], 5121, "VEC4", r#","normalized":true"#);
    file.mesh(&format!(
        r#""mode":0,"attributes":{{"POSITION":{position},"JOINTS_0":{joints},"WEIGHTS_0":{weights}}}"#
    ));
    file.nodes = vec![r#"{"mesh":0,"skin":0}"#.to_owned(); 20];
    let with = |file: File, joints: u32| {
        file.with(&format!(r#""skins":[{{"joints":[{}]}}]"#, vec!["0"; joints as usize].join(",")))
    };
    let got = load_file("shown often", &with(file.clone(), count * 4));
    assert!(
        matches!(got, Err(ModelError::TooLarge { what: "joints followed by meshes", .. })),
        "{:?}",
        got.err()
    );
    file.nodes.truncate(16);
    assert!(load_file("shown less often", &with(file.clone(), count * 4)).is_ok());
    let got = load_file("long skin", &with(file, limits::MAX_JOINTS as u32 + 1));
    assert!(matches!(got, Err(ModelError::TooLarge { what: "joints", .. })), "{:?}", got.err());
}

#[test]
fn views_and_accessors_that_reach_too_far_are_errors() {
    let max = u64::MAX;
    let position = |view: &str, accessor: &str| {
        let mut file = File::triangle();
        file.views.push(format!(r#"{{"buffer":0,{view}}}"#));
        let a =
            file.raw_accessor(&format!(r#""bufferView":1,"componentType":5126,"type":"VEC3",{accessor}"#));
        file.mesh(&format!(r#""attributes":{{"POSITION":{a}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        file
    };
    assert!(position(r#""byteLength":36"#, r#""count":3"#).load().is_ok());
    for (view, accessor) in [
        (r#""byteLength":37"#.to_owned(), r#""count":3"#.to_owned()),
        (format!(r#""byteLength":{max}"#), r#""count":3"#.to_owned()),
        (format!(r#""byteLength":36,"byteOffset":{max}"#), r#""count":3"#.to_owned()),
        (r#""byteLength":36,"byteOffset":1"#.to_owned(), r#""count":3"#.to_owned()),
        (r#""byteLength":36"#.to_owned(), r#""count":4"#.to_owned()),
        (r#""byteLength":36"#.to_owned(), r#""count":3,"byteOffset":1"#.to_owned()),
        (r#""byteLength":36"#.to_owned(), format!(r#""count":3,"byteOffset":{max}"#)),
        (r#""byteLength":36,"byteStride":13"#.to_owned(), r#""count":3"#.to_owned()),
        (r#""byteLength":36,"byteStride":0"#.to_owned(), r#""count":3"#.to_owned()),
        (r#""byteLength":36,"byteStride":11"#.to_owned(), r#""count":3"#.to_owned()),
        (format!(r#""byteLength":36,"byteStride":{max}"#), r#""count":3"#.to_owned()),
        (r#""byteLength":0"#.to_owned(), r#""count":1"#.to_owned()),
    ] {
        let got = load_file(&view, &position(&view, &accessor));
        let Err(ModelError::Invalid { place, .. }) = got else { panic!("{view} {accessor}: {got:?}") };
        // The view itself is at fault when it reaches beyond the buffer, otherwise what asks too much of it.
        let of_view =
            view.contains(":37") || view.contains("byteOffset") || view == format!(r#""byteLength":{max}"#);
        assert_eq!(place.starts_with("bufferViews"), of_view, "{view} {accessor}: {place}");
    }
}

#[test]
fn indices_into_nothing_are_errors() {
    let textured = || {
        let mut file = File::triangle();
        file.mesh(r#""material":0,"attributes":{"POSITION":0}"#);
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        let image = base64(&png(1, 1));
        file.with(&format!(
            r#""materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}],"textures":[{{"source":0,"sampler":0}}],"samplers":[{{}}],"images":[{{"uri":"data:image/png;base64,{image}"}}],"animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"translation"}}}}],"samplers":[{{"input":0,"output":0}}]}}]"#
        ))
    };
    for (from, target) in [
        (r#""mesh":1"#, "meshes"),
        (r#""material":0"#, "materials"),
        (r#""POSITION":0"#, "accessors"),
        (r#""bufferView":0"#, "bufferViews"),
        (r#""buffer":0"#, "buffers"),
        (r#""index":0"#, "textures"),
        (r#""source":0"#, "images"),
        (r#""sampler":0}]"#, "samplers"),
        (r#""sampler":0,"target""#, "samplers"),
        (r#""node":0"#, "nodes"),
    ] {
        for index in ["9", "4294967296", "18446744073709551615"] {
            let json = String::from_utf8(textured().gltf()).unwrap();
            assert!(json.contains(from), "{from}");
            let digit = from.find(':').unwrap() + 1;
            let to = format!("{}{index}{}", &from[..digit], &from[digit + 1..]);
            match load(from, json.replace(from, &to).as_bytes()) {
                Err(ModelError::Dangling { target: got, .. }) => assert_eq!(got, target, "{from}"),
                other => panic!("{from} -> {index}: {other:?}"),
            }
        }
    }
}

/// A PNG whose header claims this size, with the header's checksum right.
fn lying_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(2, 2);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = u32::MAX;
    for &byte in &bytes[12..29] {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
    bytes
}

#[test]
fn images_that_claim_too_much_are_refused() {
    let with_images = |images: &[Vec<u8>]| {
        let mut file = File::triangle();
        let (mut materials, mut textures, mut list) = (vec![], vec![], vec![]);
        for (i, image) in images.iter().enumerate() {
            let mesh = file.mesh(&format!(r#""material":{i},"attributes":{{"POSITION":0}}"#));
            file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
            let view = file.view(image, "");
            materials.push(format!(r#"{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":{i}}}}}}}"#));
            textures.push(format!(r#"{{"source":{i}}}"#));
            list.push(format!(r#"{{"bufferView":{view}}}"#));
        }
        file.with(&format!(
            r#""materials":[{}],"textures":[{}],"images":[{}]"#,
            materials.join(","),
            textures.join(","),
            list.join(",")
        ))
    };
    assert!(load_file("honest", &with_images(&[lying_png(2, 2)])).is_ok());
    for (width, height) in [
        (65535, 65535),
        (u32::MAX, u32::MAX),
        (0x7FFF_FFFF, 1),
        (8193, 1),
        (1, 8193),
        (8192, 8192),
        (0, 0),
        (0, 1),
        (3, 2),
        (8000, 8000),
    ] {
        assert!(load_file("claim", &with_images(&[lying_png(width, height)])).is_err(), "{width}x{height}");
    }
    for broken in
        [&b""[..], b"\x89PNG\r\n\x1a\n", b"\xFF\xD8\xFF\xE0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"BM"]
    {
        assert!(load_file("broken", &with_images(&[broken.to_vec()])).is_err(), "{broken:?}");
    }
    // Honest large ones: 4096 x 4096 of one colour is a small file and 64 MiB of pixels, so four of them fit.
    let large = {
        let mut out = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(4096, 4096).write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    };
    let got = load_file("sum", &with_images(&vec![large; 6]));
    assert!(matches!(got, Err(ModelError::TooLarge { what: "bytes of decoded images", .. })), "{got:?}");
    for claim in [lying_png(8193, 1), lying_png(1, 8193), lying_png(65535, 65535)] {
        let got = load_file("side", &with_images(&[claim]));
        assert!(
            matches!(got, Err(ModelError::TooLarge { what: "pixels along an image's side", .. })),
            "{got:?}"
        );
    }
}

#[test]
fn required_extensions_are_refused_by_name() {
    for name in ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "X\n\u{7}"] {
        let escaped = name.replace('\n', "\\n").replace('\u{7}', "\\u0007");
        let file = File::triangle()
            .with(&format!(r#""extensionsUsed":["{escaped}"],"extensionsRequired":["{escaped}"]"#));
        match load_file("extension", &file) {
            Err(ModelError::Extension { name: got }) => assert_eq!(got, name),
            other => panic!("{other:?}"),
        }
    }
    let known = File::triangle().with(
        r#""extensionsRequired":["KHR_materials_unlit","KHR_texture_transform","KHR_mesh_quantization"]"#,
    );
    assert_eq!(load_file("known", &known).unwrap().unsupported, Vec::<String>::new());
}

#[test]
fn scenes_with_nothing_to_draw_are_refused() {
    let documents = [
        r#"{"asset":{"version":"2.0"}}"#,
        r#"{"asset":{"version":"2.0"},"scenes":[{}]}"#,
        r#"{"asset":{"version":"2.0"},"scenes":[{"nodes":[]}],"scene":0}"#,
        r#"{"asset":{"version":"2.0"},"nodes":[{}]}"#,
        r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0}],"meshes":[{"primitives":[]}]}"#,
        r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0}],"meshes":[{"primitives":[{"attributes":{}}]}]}"#,
    ];
    for document in documents {
        assert!(matches!(load(document, document.as_bytes()), Err(ModelError::Empty)), "{document}");
    }
}

#[test]
fn what_is_not_gltf_is_an_error() {
    let deep = |open: &str| open.repeat(200_000).into_bytes();
    let cases: [(&str, Vec<u8>); 12] = [
        ("nothing", vec![]),
        ("spaces", b" \n ".to_vec()),
        ("zeros", vec![0; 1000]),
        ("text", b"hello".to_vec()),
        ("PNG", png(2, 2)),
        ("half an object", b"{".to_vec()),
        ("no asset", b"{}".to_vec()),
        ("wrong types", br#"{"asset":{"version":"2.0"},"nodes":{}}"#.to_vec()),
        ("negative index", br#"{"asset":{"version":"2.0"},"scene":-1}"#.to_vec()),
        ("deep arrays", [br#"{"asset":{"version":"2.0"},"extras":"#.to_vec(), deep("[")].concat()),
        ("deep objects", deep(r#"{"a":"#)),
        ("broken UTF-8", b"{\"asset\":{\"version\":\"\xFF\"}}".to_vec()),
    ];
    for (what, bytes) in cases {
        assert!(load(what, &bytes).is_err(), "{what}");
        assert!(load(what, &glb(&bytes, b"")).is_err(), "{what} in a GLB");
    }
}

#[test]
fn json_that_unfolds_in_memory_is_refused() {
    // Two bytes of JSON for some hundred bytes of memory each.
    for (what, unit) in
        [("materials", "{}"), ("nodes", "{}"), ("images", "{}"), ("textures", "{}"), ("samplers", "{}")]
    {
        let body = vec![unit; 8_000_000].join(",");
        let json = format!(r#"{{"asset":{{"version":"2.0"}},"{what}":[{body}]}}"#);
        assert!(matches!(load(what, json.as_bytes()), Err(ModelError::TooLarge { .. })), "{what}");
    }
    // Just below the limit it may load or not, but within the cap.
    for what in ["materials", "nodes", "images", "textures", "samplers"] {
        let body = vec!["{}"; limits::MAX_JSON_OBJECTS as usize - 10].join(",");
        let json = format!(r#"{{"asset":{{"version":"2.0"}},"{what}":[{body}]}}"#);
        assert!(load(what, json.as_bytes()).is_err());
    }
    let children = vec!["0"; 3_900_000].join(",");
    let json = format!(r#"{{"asset":{{"version":"2.0"}},"nodes":[{{"children":[{children}]}}]}}"#);
    assert!(load("children", json.as_bytes()).is_err());
}

/// Every feature of the loader in a few kilobytes.
fn everything() -> File {
    let mut file = File::triangle();
    let normal = file.floats("VEC3", &[0., 0., 1., 0., 0., 1., 0., 0., 1.]);
    let uv = file.accessor(&[0, 0, 255, 0, 0, 255], 5121, "VEC2", r#","normalized":true"#);
    let color = file.accessor(&[9; 12], 5121, "VEC4", r#","normalized":true"#);
    let short: Vec<u8> = [0_u16, 2, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
    let indices = [file.accessor(&[0, 1, 2], 5121, "SCALAR", ""), file.accessor(&short, 5123, "SCALAR", "")];
    let sparse_indices = file.view(&[1], "");
    let sparse_values = file.view(&[0, 0, 128, 63, 0, 0, 128, 63, 0, 0, 0, 0], "");
    let sparse = file.raw_accessor(&format!(
        r#""bufferView":0,"componentType":5126,"type":"VEC3","count":3,"sparse":{{"count":1,"indices":{{"bufferView":{sparse_indices},"componentType":5121}},"values":{{"bufferView":{sparse_values}}}}}"#
    ));
    for mode in 0..7 {
        let index = indices[mode % 2];
        let position = if mode % 3 == 0 { sparse } else { 0 };
        file.mesh(&format!(r#""mode":{mode},"indices":{index},"attributes":{{"POSITION":{position}}}"#));
    }
    file.mesh(&format!(
        r#""material":0,"attributes":{{"POSITION":0,"NORMAL":{normal},"TEXCOORD_0":{uv},"COLOR_0":{color}}}"#
    ));
    // A bent and morphed square with all maps, without tangents of its own.
    let square = file.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1., 0.]);
    let forward = file.floats("VEC3", &[0., 0., 1.].repeat(4));
    let corners = file.accessor(&[0, 255, 255, 255, 0, 0, 255, 0], 5121, "VEC2", r#","normalized":true"#);
    let joints = file.accessor(&[0, 1, 0, 0].repeat(4), 5121, "VEC4", "");
    let weights = file.accessor(&[128, 127, 0, 0].repeat(4), 5121, "VEC4", r#","normalized":true"#);
    let binds = file.floats("MAT4", &glam::Mat4::IDENTITY.to_cols_array().repeat(2));
    let moved = file.accessor(&[0, 0, 9].repeat(4), 5120, "VEC3", r#","normalized":true"#);
    let order = file.accessor(&[0, 1, 2, 2, 1, 3], 5121, "SCALAR", "");
    let bent = file.mesh(&format!(
        r#""material":1,"indices":{order},"attributes":{{"POSITION":{square},"NORMAL":{forward},"TEXCOORD_1":{corners},"JOINTS_0":{joints},"WEIGHTS_0":{weights}}},"targets":[{{"POSITION":{forward}}},{{"POSITION":{moved},"NORMAL":{moved}}}]"#
    ));
    let amounts = file.floats("SCALAR", &[0., 1., 0.5, 0.5, 1., 0.]);
    file.nodes =
        (0..9).map(|i| format!(r#"{{"mesh":{i},"translation":[{i},0,0],"children":[{}]}}"#, i + 1)).collect();
    file.nodes.push(r#"{"rotation":[0,0,0,1],"scale":[1,2,3],"children":[10]}"#.to_owned());
    file.nodes.push(r#"{"mesh":8,"matrix":[1,0,0,0,0,1,0,0,0,0,1,0,4,5,6,1],"children":[11]}"#.to_owned());
    file.nodes.push(format!(
        r#"{{"mesh":{bent},"skin":0,"weights":[0.5,0],"extensions":{{"KHR_lights_punctual":{{"light":1}}}}}}"#
    ));
    let times = file.floats("SCALAR", &[0., 1., 2.5]);
    let vectors = file.floats("VEC3", &[1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    let turns = file.floats("VEC4", &[0., 0., 0., 1., 0., 1., 0., 0., 1., 0., 0., 0.]);
    let spline = file.floats("VEC3", &[0.5; 27]);
    let image = file.view(&png(4, 3), "");
    file.with(&format!(
        r#""scene":0,"scenes":[{{"nodes":[0]}}],"materials":[{{"pbrMetallicRoughness":{{"baseColorFactor":[1,0.5,0.25,1],"baseColorTexture":{{"index":0,"texCoord":0,"extensions":{{"KHR_texture_transform":{{"offset":[0.5,0],"rotation":1.5,"scale":[2,2]}}}}}}}},"alphaMode":"MASK","alphaCutoff":0.5}},{{"normalTexture":{{"index":0,"texCoord":1,"scale":0.5}},"occlusionTexture":{{"index":0,"texCoord":1,"strength":0.5}},"emissiveTexture":{{"index":0,"texCoord":1}},"emissiveFactor":[1,2,3],"extensions":{{"KHR_materials_emissive_strength":{{"emissiveStrength":2}}}}}}],"skins":[{{"joints":[2,9],"skeleton":1,"inverseBindMatrices":{binds}}}],"extensions":{{"KHR_lights_punctual":{{"lights":[{{"type":"directional","intensity":3}},{{"type":"spot","color":[1,0.5,0],"range":9,"spot":{{"innerConeAngle":0.1,"outerConeAngle":0.5}}}}]}}}},"textures":[{{"source":0,"sampler":0}}],"samplers":[{{"magFilter":9729,"minFilter":9987,"wrapS":33071,"wrapT":10497}}],"images":[{{"bufferView":{image},"mimeType":"image/png"}}],"animations":[{{"samplers":[{{"input":{times},"output":{vectors},"interpolation":"STEP"}},{{"input":{times},"output":{turns}}},{{"input":{times},"output":{spline},"interpolation":"CUBICSPLINE"}},{{"input":{times},"output":{amounts}}}],"channels":[{{"sampler":3,"target":{{"node":11,"path":"weights"}}}},{{"sampler":0,"target":{{"node":1,"path":"scale"}}}},{{"sampler":1,"target":{{"node":2,"path":"rotation"}}}},{{"sampler":2,"target":{{"node":9,"path":"translation"}}}}]}}]"#
    ))
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Replaces one number of the JSON.
fn edit_number(json: &mut Vec<u8>, random: &mut Random) {
    let digit = |b: u8| b.is_ascii_digit();
    let starts: Vec<usize> = (1..json.len()).filter(|&i| digit(json[i]) && !digit(json[i - 1])).collect();
    let Some(&start) = starts.get(random.below(starts.len())) else { return };
    let end = (start..json.len()).find(|&i| !digit(json[i])).unwrap_or(json.len());
    let old: u64 = std::str::from_utf8(&json[start..end]).unwrap().parse().unwrap_or(0);
    const LIST: [&str; 22] = [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "7",
        "12",
        "16",
        "255",
        "65535",
        "65536",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1e38",
        "1e308",
        "0.5",
    ];
    let new = match random.below(3) {
        0 => old.wrapping_add(1).to_string(),
        1 => old.saturating_sub(1).to_string(),
        _ => LIST[random.below(LIST.len())].to_owned(),
    };
    json.splice(start..end, new.into_bytes());
}

/// Flips, cuts, overwrites or repeats some bytes.
fn edit_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => {
            let end = (at + 1 + random.below(16)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 => {
            let end = (at + 1 + random.below(64)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        3 => {
            let special =
                [0x7F80_0000_u32, 0x7FC0_0000, 0xFF80_0000, u32::MAX, 0, 0x7F7F_FFFF][random.below(6)];
            for (i, byte) in special.to_le_bytes().into_iter().enumerate() {
                if let Some(b) = bytes.get_mut(at / 4 * 4 + i) {
                    *b = byte;
                }
            }
        }
        _ => {
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                if let Some(b) = bytes.get_mut(at) {
                    *b ^= 1 << random.below(8);
                }
            }
        }
    }
}

/// Mutates `json` and `bin` of one source `count` times; returns how many still loaded.
fn mutate(name: &str, json: &[u8], bin: &[u8], count: u64) -> u64 {
    load(name, &glb(json, bin)).unwrap_or_else(|e| panic!("{name} itself: {e}"));
    let mut good = 0;
    for seed in 0..count {
        let mut random = Random(seed);
        let (mut json, mut bin) = (json.to_vec(), bin.to_vec());
        let mut whole = None;
        for _ in 0..=random.below(3) {
            match random.below(8) {
                0..4 => edit_number(&mut json, &mut random),
                4 => edit_bytes(&mut json, &mut random),
                5 | 6 => edit_bytes(&mut bin, &mut random),
                _ => {
                    let mut bytes = glb(&json, &bin);
                    edit_bytes(&mut bytes, &mut random);
                    whole = Some(bytes);
                }
            }
        }
        let bytes = whole.unwrap_or_else(|| glb(&json, &bin));
        good += u64::from(load(&format!("{name}, seed {seed}"), &bytes).is_ok());
    }
    good
}

#[test]
fn mutated_small_files_load_or_fail_cleanly() {
    let all = everything();
    let good = mutate("everything", all.json_with_buffer("").as_bytes(), &all.bin, 4000);
    // Were nearly all of one kind, the test would test little.
    assert!((400..3600).contains(&good), "{good} of 4000 loaded");
    let one = File::triangle();
    mutate("triangle", one.json_with_buffer("").as_bytes(), &one.bin, 1000);
}

#[test]
fn mutated_default_model_loads_or_fails_cleanly() {
    let orrery = include_bytes!("../assets/orrery.glb");
    let length = u32::from_le_bytes(orrery[12..16].try_into().unwrap()) as usize;
    let (json, bin) = (&orrery[20..20 + length], &orrery[28 + length..]);
    let good = mutate("orrery", json, bin, 250);
    assert!((25..225).contains(&good), "{good} of 250 loaded");
}

#[test]
fn truncated_files_are_errors() {
    let all = everything();
    let whole = all.glb();
    for end in 0..whole.len() {
        assert!(load(&format!("first {end}"), &whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn every_number_replaced_loads_or_fails_cleanly() {
    let all = everything();
    let json = all.json_with_buffer("").into_bytes();
    let digit = |b: u8| b.is_ascii_digit();
    let starts: Vec<usize> = (1..json.len()).filter(|&i| digit(json[i]) && !digit(json[i - 1])).collect();
    assert!(starts.len() > 200);
    for &start in &starts {
        let end = (start..json.len()).find(|&i| !digit(json[i])).unwrap();
        for new in ["0", "1", "4294967295", "18446744073709551615", "1e38"] {
            let mut json = json.clone();
            json.splice(start..end, new.bytes());
            let _ = load(&format!("byte {start} -> {new}"), &glb(&json, &all.bin));
        }
    }
}
