//! Models that show what materials, maps, skins, morph targets, lights and shadows look like.

use super::shapes::{Shape, V3};
use super::{File, base64};

fn at(file: &mut File, mesh: usize, [x, y, z]: V3) {
    file.nodes.push(format!(r#"{{"mesh":{mesh},"translation":[{x},{y},{z}]}}"#));
}

fn picture(side: u32, color: impl Fn(f32, f32) -> [f32; 4]) -> String {
    let image = image::RgbaImage::from_fn(side, side, |x, y| {
        let at = |i: u32| (i as f32 + 0.5) / side as f32;
        image::Rgba(color(at(x), at(y)).map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8))
    });
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).expect("a picture can be encoded");
    format!(r#"{{"uri":"data:image/png;base64,{}"}}"#, base64(&out.into_inner()))
}

fn pbr(color: V3, metallic: f32, roughness: f32) -> String {
    let [r, g, b] = color;
    format!(
        r#""pbrMetallicRoughness":{{"baseColorFactor":[{r},{g},{b},1],"metallicFactor":{metallic},"roughnessFactor":{roughness}}}"#
    )
}

/// Balls from smooth to rough, of plastic, copper and half of each, on a floor.
pub fn balls() -> File {
    let mut file = File::new();
    let mut materials = Vec::new();
    let ball = Shape::sphere(0.45, 32);
    for (row, (metallic, color)) in
        [(0.0, [0.75, 0.05, 0.05]), (0.5, [0.85, 0.5, 0.3]), (1.0, [0.95, 0.64, 0.54])]
            .into_iter()
            .enumerate()
    {
        for column in 0..6 {
            materials.push(format!("{{{}}}", pbr(color, metallic, column as f32 / 5.0)));
            let mesh = ball.mesh(&mut file, materials.len() - 1);
            at(&mut file, mesh, [column as f32 - 2.5, 0.45, 1.1 - row as f32 * 1.1]);
        }
    }
    materials.push(format!("{{{}}}", pbr([0.5, 0.5, 0.5], 0.0, 0.9)));
    let floor = Shape::grid(1, 1, |u, v| ([u * 7.0 - 3.5, 0.0, v * 4.0 - 2.0], [0.0, 1.0, 0.0]));
    let floor = floor.mesh(&mut file, materials.len() - 1);
    at(&mut file, floor, [0.0; 3]);
    file.with(&format!(r#""materials":[{}]"#, materials.join(",")))
}

/// A wall and a ball with dents by a normal map; the same with other maps; the tangents of one wall come from the file,
/// those of all else are generated.
pub fn maps() -> File {
    let mut file = File::new();
    // Round bumps in rows of four.
    let normal = picture(64, |u, v| {
        let (x, y) = ((u * 4.0).fract() * 2.0 - 1.0, (v * 4.0).fract() * 2.0 - 1.0);
        let r2 = x * x + y * y;
        let slope = if r2 < 0.7 { 0.9 } else { 0.0 };
        // v grows downwards, y of the map upwards.
        let (nx, ny) = (x * slope, -y * slope);
        let nz = (1.0 - nx * nx - ny * ny).max(0.0).sqrt();
        [nx * 0.5 + 0.5, ny * 0.5 + 0.5, nz * 0.5 + 0.5, 1.0]
    });
    // Occlusion, roughness and metal in one: polished metal squares in a rough ground, dark joints.
    let orm = picture(64, |u, v| {
        let (x, y) = ((u * 4.0).fract(), (v * 4.0).fract());
        let tile = x > 0.12 && x < 0.88 && y > 0.12 && y < 0.88;
        if tile { [1.0, 0.2, 1.0, 1.0] } else { [0.2, 0.9, 0.0, 1.0] }
    });
    let glow = picture(64, |u, v| {
        let ring = ((u - 0.5).hypot(v - 0.5) - 0.35).abs() < 0.06;
        if ring { [0.1, 0.7, 1.0, 1.0] } else { [0.0, 0.0, 0.0, 1.0] }
    });
    let wall = Shape::wall(1.0);
    let plain = wall.mesh(&mut file, 0);
    let tangents = file.floats("VEC4", &[1., 0., 0., 1.].repeat(4));
    let given = wall.write(&mut file, &format!(r#","TANGENT":{tangents}"#));
    let given = file.mesh(&format!(r#"{given},"material":0"#));
    let tiles = wall.mesh(&mut file, 1);
    let ring = wall.mesh(&mut file, 2);
    let ball = Shape::sphere(0.9, 48).mesh(&mut file, 3);
    at(&mut file, plain, [-3.3, 1.1, 0.0]);
    at(&mut file, given, [-1.1, 1.1, 0.0]);
    at(&mut file, tiles, [1.1, 1.1, 0.0]);
    at(&mut file, ring, [3.3, 1.1, 0.0]);
    at(&mut file, ball, [-1.1, -1.1, 0.0]);
    let dented = wall.mesh(&mut file, 3);
    at(&mut file, dented, [-3.3, -1.1, 0.0]);
    // Mirrored: bumps stay bumps.
    file.nodes.push(format!(r#"{{"mesh":{plain},"translation":[1.1,-1.1,0],"scale":[-1,1,1]}}"#));
    let brass = Shape::sphere(0.9, 48).mesh(&mut file, 1);
    at(&mut file, brass, [3.3, -1.1, 0.0]);
    let grey = pbr([0.6, 0.62, 0.65], 0.0, 0.4);
    file.with(&format!(
        r#""extensionsUsed":["KHR_texture_transform","KHR_materials_emissive_strength"],"images":[{normal},{orm},{glow}],"textures":[{{"source":0}},{{"source":1}},{{"source":2}}],"materials":[
        {{{grey},"normalTexture":{{"index":0}}}},
        {{"pbrMetallicRoughness":{{"baseColorFactor":[0.9,0.7,0.35,1],"metallicRoughnessTexture":{{"index":1}}}},"occlusionTexture":{{"index":1}}}},
        {{{dark},"emissiveTexture":{{"index":2}},"emissiveFactor":[1,1,1],"extensions":{{"KHR_materials_emissive_strength":{{"emissiveStrength":3}}}}}},
        {{{grey},"normalTexture":{{"index":0,"scale":0.7,"extensions":{{"KHR_texture_transform":{{"scale":[2,2],"rotation":0.4}}}}}}}}]"#,
        dark = pbr([0.05, 0.05, 0.06], 0.0, 0.5),
    ))
}

/// A box, a ball in the air, a pole and a masked leaf, all on a floor: whether shadows begin where things touch, and
/// nothing that is lit is striped.
pub fn shadows() -> File {
    let mut file = File::new();
    let floor = Shape::floor(3.0).mesh(&mut file, 0);
    at(&mut file, floor, [0.0; 3]);
    let cuboid = Shape::cuboid([0.6, 0.6, 0.6]).mesh(&mut file, 1);
    file.nodes.push(format!(
        r#"{{"mesh":{cuboid},"translation":[-1.4,0.6,0.2],"rotation":[0,0.3826834,0,0.9238795]}}"#
    ));
    let ball = Shape::sphere(0.5, 32).mesh(&mut file, 2);
    at(&mut file, ball, [0.6, 1.1, 0.6]);
    let pole = Shape::tube(0.05, 2.4, 12, 1).mesh(&mut file, 1);
    at(&mut file, pole, [-0.2, 0.0, -1.2]);
    let leaf = Shape::wall(0.8).mesh(&mut file, 3);
    file.nodes.push(format!(
        r#"{{"mesh":{leaf},"translation":[1.7,0.8,-0.6],"rotation":[0,0.2588190,0,0.9659258]}}"#
    ));
    let holes = picture(64, |u, v| {
        let (x, y) = ((u * 3.0).fract() - 0.5, (v * 3.0).fract() - 0.5);
        [0.2, 0.5, 0.15, if x.hypot(y) < 0.32 { 0.0 } else { 1.0 }]
    });
    file.with(&format!(
        r#""images":[{holes}],"textures":[{{"source":0}}],"materials":[{{{}}},{{{}}},{{{}}},{{"doubleSided":true,"alphaMode":"MASK","pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}},"metallicFactor":0,"roughnessFactor":0.8}}}}]"#,
        pbr([0.6, 0.6, 0.58], 0.0, 0.95),
        pbr([0.75, 0.45, 0.2], 0.0, 0.6),
        pbr([0.2, 0.35, 0.8], 0.0, 0.3),
    ))
}

/// Colours of a point, a spot and a directional light on balls and a floor.
pub fn lights() -> File {
    let mut file = File::new();
    let floor = Shape::grid(1, 1, |u, v| ([u * 8.0 - 4.0, 0.0, v * 5.0 - 2.5], [0.0, 1.0, 0.0]));
    let floor = floor.mesh(&mut file, 0);
    at(&mut file, floor, [0.0; 3]);
    for x in [-2.6, 0.0, 2.6] {
        let ball = Shape::sphere(0.5, 32).mesh(&mut file, 1);
        at(&mut file, ball, [x, 0.5, 0.0]);
    }
    let light = |index: usize| format!(r#""extensions":{{"KHR_lights_punctual":{{"light":{index}}}}}"#);
    file.nodes.push(format!(r#"{{"translation":[-2.6,1.6,1.0],{}}}"#, light(0)));
    // Straight down: a quarter turn about x takes -z there.
    file.nodes.push(format!(
        r#"{{"translation":[0.3,2.6,0.3],"rotation":[-0.70710678,0,0,0.70710678],{}}}"#,
        light(1)
    ));
    file.nodes.push(format!(r#"{{"rotation":[-0.35,0.35,0.13,0.86],{}}}"#, light(2)));
    file.with(&format!(
        r#""extensionsUsed":["KHR_lights_punctual"],"extensions":{{"KHR_lights_punctual":{{"lights":[{{"type":"point","color":[1,0.3,0.1],"intensity":9,"range":4}},{{"type":"spot","color":[0.2,1,0.3],"intensity":20,"spot":{{"innerConeAngle":0.25,"outerConeAngle":0.4}}}},{{"type":"directional","color":[0.3,0.5,1],"intensity":1.5}}]}}}},"materials":[{{{}}},{{{}}}]"#,
        pbr([0.7, 0.7, 0.7], 0.0, 0.9),
        pbr([0.8, 0.8, 0.8], 0.0, 0.35),
    ))
}

/// A tube that three joints bend and a ball that grows spikes and flattens: both move.
pub fn figure() -> File {
    let mut file = File::new();
    let floor = Shape::grid(1, 1, |u, v| ([u * 6.0 - 3.0, 0.0, v * 4.0 - 2.0], [0.0, 1.0, 0.0]));
    let floor = floor.mesh(&mut file, 0);
    let tube = Shape::tube(0.3, 3.0, 24, 24);
    // Joints at heights 0, 1 and 2; what is between them follows both.
    let (mut joints, mut weights) = (Vec::new(), Vec::new());
    for [_, y, _] in &tube.positions {
        let place = (y - 0.5).clamp(0.0, 2.0);
        let (lower, share) = if place >= 2.0 { (1, 1.0) } else { (place as u8, place.fract()) };
        let share = share * share * (3.0 - 2.0 * share);
        joints.extend([lower, lower + 1, 0, 0]);
        weights.extend([1.0 - share, share, 0.0, 0.0]);
    }
    let joints = file.accessor(&joints, 5121, "VEC4", "");
    let weights = file.floats("VEC4", &weights);
    let matrices: Vec<f32> = [0.0, -1.0, -2.0]
        .iter()
        .flat_map(|y| [1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., *y, 0., 1.])
        .collect();
    let matrices = file.floats("MAT4", &matrices);
    let tube = tube.write(&mut file, &format!(r#","JOINTS_0":{joints},"WEIGHTS_0":{weights}"#));
    let tube = file.mesh(&format!(r#"{tube},"material":1"#));
    let ball = Shape::sphere(0.7, 48);
    let spike = |p: &V3| {
        let [x, y, z] = p.map(|c| c / 0.7);
        let bump = ((x * 9.0).sin() * (y * 9.0).sin() * (z * 9.0).sin()).max(0.0) * 0.5;
        p.map(|c| c * bump)
    };
    let spikes: Vec<f32> = ball.positions.iter().flat_map(spike).collect();
    let flat: Vec<f32> = ball.positions.iter().flat_map(|p| [p[0] * 0.5, p[1] * -0.6, p[2] * 0.5]).collect();
    let turned: Vec<f32> = ball.normals.iter().flat_map(|n| [0.0, n[1] * 1.5, 0.0]).collect();
    let (spikes, flat, turned) =
        (file.floats("VEC3", &spikes), file.floats("VEC3", &flat), file.floats("VEC3", &turned));
    let ball = ball.write(&mut file, "");
    file.meshes.push(format!(
        r#"{{"primitives":[{{{ball},"material":2,"targets":[{{"POSITION":{spikes}}},{{"POSITION":{flat},"NORMAL":{turned}}}]}}],"weights":[1,0]}}"#
    ));
    let ball = file.meshes.len() - 1;
    at(&mut file, floor, [0.0; 3]);
    file.nodes.push(format!(r#"{{"mesh":{tube},"skin":0}}"#));
    file.nodes.push(r#"{"children":[3],"translation":[-1.2,0,0]}"#.to_owned());
    file.nodes.push(r#"{"children":[4],"translation":[0,1,0]}"#.to_owned());
    file.nodes.push(r#"{"translation":[0,1,0]}"#.to_owned());
    at(&mut file, ball, [1.3, 0.75, 0.3]);
    let times = file.floats("SCALAR", &[0., 1., 2.]);
    let (sin, cos) = 0.45_f32.sin_cos();
    let bend = file.floats("VEC4", &[0., 0., 0., 1., 0., 0., -sin, cos, 0., 0., 0., 1.]);
    let morph = file.floats("SCALAR", &[1., 0., 0.3, 1., 1., 0.]);
    file.with(&format!(
        r#""skins":[{{"joints":[2,3,4],"inverseBindMatrices":{matrices}}}],"animations":[{{"channels":[{{"sampler":0,"target":{{"node":3,"path":"rotation"}}}},{{"sampler":0,"target":{{"node":4,"path":"rotation"}}}},{{"sampler":1,"target":{{"node":5,"path":"weights"}}}}],"samplers":[{{"input":{times},"output":{bend}}},{{"input":{times},"output":{morph}}}]}}],"materials":[{{{}}},{{"doubleSided":true,{}}},{{{}}}]"#,
        pbr([0.45, 0.45, 0.48], 0.0, 0.9),
        pbr([0.85, 0.4, 0.15], 0.0, 0.45),
        pbr([0.3, 0.6, 0.75], 0.0, 0.3),
    ))
}

/// A wall of one grey, unlit: half of the light of white.
pub fn grey() -> File {
    let mut file = File::new();
    let wall = Shape::wall(1.0).mesh(&mut file, 0);
    at(&mut file, wall, [0.0; 3]);
    file.with(
        r#""extensionsUsed":["KHR_materials_unlit"],"materials":[{"doubleSided":true,"pbrMetallicRoughness":{"baseColorFactor":[0.5,0.5,0.5,1]},"extensions":{"KHR_materials_unlit":{}}}]"#,
    )
}

/// A wall with a picture of `side` x `side` texels in one colour, unlit.
pub fn poster(side: u32, [r, g, b]: [u8; 3]) -> File {
    let mut file = File::new();
    let wall = Shape::wall(1.0).mesh(&mut file, 0);
    at(&mut file, wall, [0.0; 3]);
    let image = image::RgbaImage::from_pixel(side, side, image::Rgba([r, g, b, 255]));
    let mut png = std::io::Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    let uri = format!("data:image/png;base64,{}", base64(&png.into_inner()));
    file.with(&format!(
        r#""extensionsUsed":["KHR_materials_unlit"],"images":[{{"uri":"{uri}"}}],"textures":[{{"source":0}}],"materials":[{{"doubleSided":true,"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}},"extensions":{{"KHR_materials_unlit":{{}}}}}}]"#,
    ))
}

/// Grey glass of alpha one half before white, unlit: the mean of their light.
pub fn glass() -> File {
    let mut file = File::new();
    let wall = Shape::wall(1.0);
    let (white, black) = (wall.mesh(&mut file, 0), wall.mesh(&mut file, 1));
    at(&mut file, white, [0.0; 3]);
    at(&mut file, black, [0.0, 0.0, 0.1]);
    file.with(
        r#""extensionsUsed":["KHR_materials_unlit"],"materials":[{"extensions":{"KHR_materials_unlit":{}}},{"alphaMode":"BLEND","pbrMetallicRoughness":{"baseColorFactor":[0,0,0,0.5]},"extensions":{"KHR_materials_unlit":{}}}]"#,
    )
}

/// A white square, unlit, a little askew.
pub fn edge() -> File {
    let mut file = File::new();
    let wall = Shape::wall(1.0).mesh(&mut file, 0);
    file.nodes.push(format!(r#"{{"mesh":{wall},"rotation":[0,0,0.0871557,0.9961947]}}"#));
    file.with(r#""extensionsUsed":["KHR_materials_unlit"],"materials":[{"doubleSided":true,"extensions":{"KHR_materials_unlit":{}}}]"#)
}
