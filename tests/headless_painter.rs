//! What a draw list looks like once it is drawn: the same picture by every way to hand it over, and the right one.
#![allow(unsafe_code, reason = "the driver is asked directly whether the wrappers did what they say")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here, with objects made in it"
)]

use glam::camera::rh::{proj, view};
use glam::{Affine3A, Mat4, Quat, Vec2, Vec3, Vec4};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::{
    DebugLevel, Filter, Gl, Material, Painted, Painter, PainterOptions, PassView, Program, RenderTarget,
    ShaderSource, Strategy, Submit, TextureArray, TextureOptions, Vertex, read_pixels,
};
use scanout::scene::{DrawList, LayerId, MaterialId, MeshId, Order, Sprite};
use scanout::{Error, Size, headless};

const SUBMITS: [Submit; 4] = [Submit::MultiDraw, Submit::BaseInstance, Submit::Instanced, Submit::PerObject];
const SIZE: Size = Size::new(96, 64);

fn in_context<T>(f: impl FnOnce(&Gl) -> T) -> T {
    headless::with_context(DebugLevel::Panic, f).unwrap_or_else(|e| panic!("{e}"))
}

fn painter(gl: &Gl, submit: Submit, stream: Strategy) -> Painter {
    let options = PainterOptions { submit: Some(submit), stream: Some(stream), ..PainterOptions::default() };
    Painter::new(gl, options).unwrap_or_else(|e| panic!("{submit:?}, {stream}: {e}"))
}

fn target(gl: &Gl, size: Size) -> RenderTarget {
    let target = RenderTarget::new(gl, size).expect("a target");
    target.bind();
    unsafe { gl.raw().viewport(0, 0, size.width as i32, size.height as i32) };
    clear(gl);
    target
}

fn clear(gl: &Gl) {
    unsafe {
        gl.raw().clear_color(0.0, 0.0, 0.0, 1.0);
        gl.raw().clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
    }
}

fn pixels(gl: &Gl, size: Size) -> Vec<[u8; 4]> {
    read_pixels(gl, size).expect("a picture").rgba.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]).collect()
}

fn pixel(gl: &Gl, size: Size, x: u32, y: u32) -> [u8; 4] {
    pixels(gl, size)[(y * size.width + x) as usize]
}

#[track_caller]
fn assert_near(got: [u8; 4], want: [u8; 3], what: &str) {
    let far = got.iter().zip(want).any(|(&g, w)| g.abs_diff(w) > 2);
    assert!(!far, "{what}: {got:?} instead of {want:?}");
}

/// A square from -1 to 1 that faces the viewer.
fn square() -> (Vec<Vertex>, Vec<u32>) {
    let vertices = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
        .map(|(x, y)| Vertex {
            position: [x, y, 0.0],
            normal: [0.0, 0.0, 1.0],
            uv: [(x + 1.0) / 2.0, (1.0 - y) / 2.0],
        })
        .to_vec();
    (vertices, vec![0, 1, 2, 0, 2, 3])
}

/// A cube from -1 to 1: 36 indices.
fn cube() -> (Vec<Vertex>, Vec<u32>) {
    let (mut vertices, mut indices) = (Vec::new(), Vec::new());
    let (flat, order) = square();
    for (axis, angle) in [
        (Vec3::Y, 0.0),
        (Vec3::Y, 90.0),
        (Vec3::Y, 180.0),
        (Vec3::Y, 270.0),
        (Vec3::X, 90.0),
        (Vec3::X, 270.0),
    ] {
        let turn = Quat::from_axis_angle(axis, f32::to_radians(angle));
        indices.extend(order.iter().map(|i| i + vertices.len() as u32));
        vertices.extend(flat.iter().map(|v| Vertex {
            position: (turn * (Vec3::from(v.position) + Vec3::Z)).into(),
            normal: (turn * Vec3::Z).into(),
            uv: v.uv,
        }));
    }
    (vertices, indices)
}

struct Things {
    square: MeshId,
    cube: MeshId,
    textures: Vec<LayerId>,
    other: LayerId,
    materials: Vec<MaterialId>,
}

/// Two meshes, two texture arrays, materials of every kind, one with a program of its own.
fn things(gl: &Gl, painter: &mut Painter) -> Things {
    let ((square, square_indices), (cube, cube_indices)) = (square(), cube());
    let square = painter.add_mesh(&square, &square_indices).expect("a mesh");
    let cube = painter.add_mesh(&cube, &cube_indices).expect("a mesh");
    let mut options = TextureOptions::default();
    (options.srgb, options.mipmaps) = (false, false);
    (options.magnify, options.minify) = (Filter::Nearest, Filter::Nearest);
    // Four texels each: the colour named, its half, white and black.
    let picture = |r, g, b| [[r, g, b, 255], [r / 2, g / 2, b / 2, 255], [255; 4], [0, 0, 0, 255]].concat();
    let (red, green, blue, violet) =
        (picture(255, 0, 0), picture(0, 255, 0), picture(0, 0, 255), picture(200, 0, 200));
    let small = Size::new(2, 2);
    let mut array = |layers: &[&Vec<u8>]| {
        let mut array =
            TextureArray::new(gl, "pictures", small, layers.len() as u32, &options).expect("an array");
        (0..).zip(layers).for_each(|(n, texels)| array.write(n, texels).expect("a layer"));
        painter.add_textures(array).expect("names")
    };
    let textures = array(&[&red, &green, &blue]);
    let other = array(&[&violet])[0];
    let source = |text: &'static str| ShaderSource::new("own.glsl", text);
    let own = Program::new(
        gl,
        "own",
        &scanout::shader_file!("painter_mesh.vert"),
        &source("#version 330 core\nin vec3 v_normal; out vec4 c; void main() { c = vec4(abs(normalize(v_normal)), 1.0); }"),
    )
    .unwrap_or_else(|e| panic!("{e}"));
    let own = painter.add_program(own).expect("a program");
    let colour = |r, g, b, a| Material::coloured(Vec4::new(r, g, b, a));
    let materials = [
        colour(1.0, 0.5, 0.2, 1.0),
        colour(0.2, 0.9, 0.3, 1.0).without_light(),
        colour(1.0, 1.0, 1.0, 1.0).with_texture(textures[0]),
        colour(0.5, 1.0, 1.0, 1.0).with_texture(textures[1]).without_light(),
        colour(1.0, 1.0, 1.0, 1.0).with_texture(other),
        colour(0.1, 0.2, 1.0, 0.5).with_transparency(),
        colour(1.0, 0.2, 0.1, 0.4).with_transparency().with_texture(textures[2]),
        colour(1.0, 1.0, 1.0, 1.0).with_program(own),
    ]
    .iter()
    .map(|m| painter.add_material(m).expect("a material"))
    .collect();
    Things { square, cube, textures, other, materials }
}

fn camera() -> Mat4 {
    proj::opengl::perspective(0.9, 1.5, 0.5, 60.0)
        * view::look_at_mat4(Vec3::new(4.0, 3.0, 14.0), Vec3::ZERO, Vec3::Y)
}

/// Objects and sprites of all kinds, many over each other, some outside of what is seen.
fn record(list: &mut DrawList, things: &Things, frame: u32) {
    list.clear();
    let mut world = list.pass(0);
    // One frame is larger than what streaming begins with.
    for n in 0..if frame == 6 { 4_000 } else { 120 + 10 * frame } {
        let t = (n * 7 + frame) as f32;
        let place = Vec3::new((t * 0.9).sin() * 7.0, (t * 1.7).cos() * 4.0, (t * 0.31).sin() * 20.0);
        let size = Vec3::new(0.6, 0.3 + 0.1 * (n % 5) as f32, if n % 9 == 0 { -0.7 } else { 0.7 });
        let turn = Quat::from_rotation_y(t) * Quat::from_rotation_x(0.3 * t);
        let mesh = if n % 3 == 0 { things.square } else { things.cube };
        let material = things.materials[n as usize % things.materials.len()];
        world.draw(mesh, material, &Affine3A::from_scale_rotation_translation(size, turn, place));
    }
    drop(world);
    let mut flat = list.pass(1);
    for n in 0..40 {
        let texture = if n % 11 == 10 { things.other } else { things.textures[n as usize % 3] };
        let place = Vec2::new((n * 13 % 90) as f32, (n * 29 % 60) as f32);
        let sprite = Sprite::new(texture, place, Vec2::new(9.0, 6.0))
            .with_colour([255, 200, (n * 6) as u8, 120 + n as u8])
            .with_part([0.0, 0.0, 1.0, if n % 2 == 0 { 1.0 } else { 0.5 }]);
        flat.sprite(if n % 4 == 0 { sprite.with_rotation(n as f32) } else { sprite });
    }
}

#[test]
fn every_way_to_hand_draws_over_makes_the_same_picture() {
    let mut reference: Option<Vec<Vec<[u8; 4]>>> = None;
    for submit in SUBMITS {
        for &stream in Strategy::ALL {
            let pictures = in_context(|gl| {
                let _target = target(gl, SIZE);
                let mut painter = painter(gl, submit, stream);
                let things = things(gl, &mut painter);
                let mut list = DrawList::new();
                // Several frames, each with more in it, so that buffers grow and segments come round again.
                (0..12)
                    .map(|frame| {
                        record(&mut list, &things, frame);
                        clear(gl);
                        let views = [PassView::world(camera()), PassView::pixels(SIZE)];
                        let painted = painter.paint(&list, &views).unwrap_or_else(|e| panic!("{e}"));
                        assert!(painted.culled > 5 && painted.batches > 10, "{painted:?}");
                        pixels(gl, SIZE)
                    })
                    .collect::<Vec<_>>()
            });
            let lit = pictures[0].iter().filter(|p| p[..3] != [0, 0, 0]).count();
            assert!(lit > 1_000, "a picture of something: {lit}");
            assert_ne!(pictures[0], pictures[1]);
            match &reference {
                None => reference = Some(pictures),
                Some(reference) => {
                    for (frame, (a, b)) in reference.iter().zip(&pictures).enumerate() {
                        let different = a.iter().zip(b).filter(|(a, b)| a != b).count();
                        assert_eq!(different, 0, "{submit:?}, {stream}: pixels of frame {frame}");
                    }
                }
            }
        }
    }
}

/// Draws a list once into a new target, with every way to hand it over.
fn with_each(f: impl Fn(&Gl, &mut Painter)) {
    for submit in SUBMITS {
        in_context(|gl| {
            let _target = target(gl, SIZE);
            f(gl, &mut painter(gl, submit, Strategy::Persistent));
        });
    }
}

fn glass(painter: &mut Painter, r: f32, g: f32, b: f32) -> MaterialId {
    let material = Material::coloured(Vec4::new(r, g, b, 0.5)).with_transparency().without_light();
    painter.add_material(&material).expect("a material")
}

fn facing() -> Mat4 {
    proj::opengl::orthographic(-1.0, 1.0, -1.0, 1.0, 0.0, 20.0)
}

fn place(z: f32) -> Affine3A {
    Affine3A::from_translation(Vec3::new(0.0, 0.0, -z))
}

#[test]
fn transparent_objects_are_blended_far_first_whatever_was_recorded_first() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let mesh = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let other = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let (red, green) = (glass(painter, 1.0, 0.0, 0.0), glass(painter, 0.0, 1.0, 0.0));
        let white = painter.add_material(&Material::default().without_light()).expect("a material");
        for near_first in [false, true] {
            let mut list = DrawList::new();
            let mut world = list.pass(0);
            let mut draws = [(mesh, red, 8.0), (other, green, 3.0)];
            if near_first {
                draws.reverse();
            }
            for (mesh, material, z) in draws {
                world.draw(mesh, material, &place(z));
            }
            // Behind both, recorded last.
            world.draw(mesh, white, &place(15.0));
            // Something opaque before one of them hides it, blended or not.
            let half = Affine3A::from_scale_rotation_translation(
                Vec3::splat(0.5),
                Quat::IDENTITY,
                Vec3::new(-0.5, 0.5, -1.0),
            );
            world.draw(mesh, white, &half);
            drop(world);
            clear(gl);
            painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            // White, half red over it, half green over that.
            assert_near(pixel(gl, SIZE, 80, 50), [128, 191, 64], "through both");
            assert_near(pixel(gl, SIZE, 20, 10), [255, 255, 255], "before both");
        }
    });
}

#[test]
fn sprites_lie_over_each_other_as_recorded_across_textures_and_arrays() {
    with_each(|gl, painter| {
        let things = things(gl, painter);
        let mut list = DrawList::new();
        let mut flat = list.pass(0);
        // Each covers the right part of the one before; the upper left texel of each texture is its colour.
        for (n, texture) in
            [0, 1, 0, 2, 1].iter().map(|&t| things.textures[t]).chain([things.other]).enumerate()
        {
            let sprite = Sprite::new(texture, Vec2::new(10.0 * n as f32, 4.0), Vec2::new(96.0, 40.0));
            flat.sprite(sprite.with_part([0.0, 0.0, 0.5, 0.5]));
        }
        drop(flat);
        let painted = painter.paint(&list, &[PassView::pixels(SIZE)]).expect("painted");
        assert_eq!(painted.batches, 2, "split between the arrays only");
        let row: Vec<_> = (0..6).map(|n| pixel(gl, SIZE, 10 * n + 5, 20)).collect();
        let want = [[255, 0, 0], [0, 255, 0], [255, 0, 0], [0, 0, 255], [0, 255, 0], [200, 0, 200]];
        for (n, (got, want)) in row.into_iter().zip(want).enumerate() {
            assert_near(got, want, &format!("strip {n}"));
        }
        // Where nothing was drawn, above and below.
        assert_near(pixel(gl, SIZE, 50, 3), [0, 0, 0], "above");
        assert_near(pixel(gl, SIZE, 50, 44), [0, 0, 0], "below");
    });
}

#[test]
fn sprites_show_their_part_of_the_texture_upright_turned_and_coloured() {
    with_each(|gl, painter| {
        let things = things(gl, painter);
        let mut list = DrawList::new();
        let mut flat = list.pass(0);
        let whole = |x| Sprite::new(things.textures[0], Vec2::new(x, 0.0), Vec2::splat(20.0));
        flat.sprite(whole(0.0));
        flat.sprite(whole(24.0).with_rotation(std::f32::consts::PI));
        flat.sprite(whole(48.0).with_part([0.5, 0.0, 1.0, 0.5]));
        flat.sprite(whole(72.0).with_part([0.0, 0.5, 0.5, 1.0]).with_colour([255, 128, 0, 128]));
        drop(flat);
        painter.paint(&list, &[PassView::pixels(SIZE)]).expect("painted");
        for (x, y, want, what) in [
            (5, 5, [255, 0, 0], "upper left"),
            (15, 5, [127, 0, 0], "upper right"),
            (5, 15, [255, 255, 255], "lower left"),
            (15, 15, [0, 0, 0], "lower right"),
            (24 + 15, 15, [255, 0, 0], "upper left, turned"),
            (24 + 15, 5, [255, 255, 255], "lower left, turned"),
            (48 + 10, 10, [127, 0, 0], "a part"),
            (72 + 10, 10, [128, 64, 0], "half of orange"),
        ] {
            assert_near(pixel(gl, SIZE, x, y), want, what);
        }
    });
}

#[test]
fn sprites_beside_the_picture_are_left_out_and_the_picture_is_the_same() {
    with_each(|gl, painter| {
        let things = things(gl, painter);
        let mut list = DrawList::new();
        let mut flat = list.pass(0);
        for n in 0..300 {
            let place = Vec2::new((n * 37 % 400) as f32 - 150.0, (n * 53 % 300) as f32 - 100.0);
            let texture = if n % 5 == 0 { things.other } else { things.textures[n % 3] };
            flat.sprite(Sprite::new(texture, place, Vec2::new(20.0, 7.0)).with_rotation(n as f32 * 0.4));
        }
        drop(flat);
        let mut shown = |view: PassView| {
            clear(gl);
            let painted = painter.paint(&list, &[view]).expect("painted");
            assert_eq!(painted.sprites, 300);
            (painted, pixels(gl, SIZE))
        };
        let (all, plain) = shown(PassView::pixels(SIZE));
        let (some, culled) = shown(PassView::pixels(SIZE).with_culling(true));
        assert!(all.culled_sprites == 0 && some.culled_sprites > 200, "{some:?}");
        assert!(some.bytes < all.bytes || all.bytes == 0, "{all:?}, {some:?}");
        assert!(plain == culled && plain.iter().any(|p| p[..3] != [0; 3]));
    });
}

#[test]
fn painters_order_lets_later_meshes_cover_earlier_ones() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let mesh = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let mut colour = |r, g, b| {
            painter
                .add_material(&Material::coloured(Vec4::new(r, g, b, 1.0)).without_light())
                .expect("a material")
        };
        let (red, green) = (colour(1.0, 0.0, 0.0), colour(0.0, 1.0, 0.0));
        let mut list = DrawList::new();
        list.pass(0).draw(mesh, red, &place(2.0));
        list.pass(0).draw(mesh, green, &place(9.0));
        for (order, depth_test, want) in [
            (Order::Painter, false, [0, 255, 0]),
            (Order::FrontToBack, true, [255, 0, 0]),
            (Order::State, true, [255, 0, 0]),
        ] {
            clear(gl);
            let view = PassView::world(facing()).with_order(order).with_depth_test(depth_test);
            painter.paint(&list, &[view]).expect("painted");
            assert_near(pixel(gl, SIZE, 40, 30), want, &format!("{order:?}"));
        }
    });
}

#[test]
fn many_objects_of_many_materials_are_few_calls() {
    in_context(|gl| {
        let _target = target(gl, SIZE);
        let mut calls = Vec::new();
        for submit in SUBMITS {
            let mut painter = painter(gl, submit, Strategy::Persistent);
            let (vertices, indices) = cube();
            let meshes: Vec<_> =
                (0..5).map(|_| painter.add_mesh(&vertices, &indices).expect("a mesh")).collect();
            let materials: Vec<_> = (0..20)
                .map(|n| {
                    painter
                        .add_material(&Material::coloured(Vec4::splat(n as f32 / 20.0)))
                        .expect("a material")
                })
                .collect();
            let mut list = DrawList::new();
            for n in 0..1_000 {
                list.pass(0).draw(meshes[n * 7 % 5], materials[n * 13 % 20], &place(n as f32 / 60.0));
            }
            let painted = painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            let Painted { objects, culled, batches, .. } = painted;
            assert_eq!((objects, culled, batches), (1_000, 0, 5), "{submit:?}");
            calls.push((painted.draw_calls, painted.gl_calls));
        }
        assert_eq!(calls[0].0, 1, "all in one call");
        assert_eq!((calls[1].0, calls[2].0, calls[3].0), (5, 5, 1_000));
        // What is set around the draws is not more than a handful.
        assert!(calls[0].1 < 25 && calls[1].1 < 30 && calls[2].1 < 55 && calls[3].1 < 6_025, "{calls:?}");
    });
}

#[test]
fn the_state_that_a_renderer_finds_is_set_back() {
    with_each(|gl, painter| {
        let things = things(gl, painter);
        let mut list = DrawList::new();
        record(&mut list, &things, 0);
        let views = [PassView::world(camera()).with_face_culling(true), PassView::pixels(SIZE)];
        painter.paint(&list, &views).expect("painted");
        unsafe {
            for state in [glow::BLEND, glow::DEPTH_TEST, glow::CULL_FACE] {
                assert!(!gl.raw().is_enabled(state), "{state:#x}");
            }
            for state in [glow::VERTEX_ARRAY_BINDING, glow::CURRENT_PROGRAM] {
                assert_eq!(gl.raw().get_parameter_i32(state), 0, "{state:#x}");
            }
            assert!(gl.raw().get_parameter_bool(glow::DEPTH_WRITEMASK));
            assert_eq!(gl.raw().get_parameter_i32(glow::ACTIVE_TEXTURE), glow::TEXTURE0 as i32);
        }
    });
}

/// The light falls on the surface as it is after an uneven, or a mirrored, scale.
#[test]
fn normals_stay_upright_under_uneven_and_mirrored_scales() {
    with_each(|gl, painter| {
        // Tilted towards the viewer by 45 degrees, about the x axis.
        let tilt = Quat::from_rotation_x(-std::f32::consts::FRAC_PI_4);
        let (mut vertices, indices) = square();
        for v in &mut vertices {
            v.position = (tilt * Vec3::from(v.position)).into();
            v.normal = (tilt * Vec3::Z).into();
        }
        let mesh = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let grey =
            painter.add_material(&Material::coloured(Vec4::new(0.9, 0.9, 0.9, 1.0))).expect("a material");
        let light = Vec3::new(0.0, 0.6, 0.8);
        painter.set_light(light, 0.1);
        for scale in
            [Vec3::ONE, Vec3::new(1.0, 3.0, 1.0), Vec3::new(1.0, 0.8, 4.0), Vec3::new(-1.0, 1.0, 0.2)]
        {
            let at = Affine3A::from_scale_rotation_translation(scale, Quat::IDENTITY, Vec3::NEG_Z * 10.0);
            let mut list = DrawList::new();
            list.pass(0).draw(mesh, grey, &at);
            clear(gl);
            painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            // Flat light on the plane that the corners span, not on what the shader makes of the normal.
            let corner = |i: usize| at.transform_point3(vertices[i].position.into());
            let normal = (corner(1) - corner(0)).cross(corner(2) - corner(0)).normalize();
            let facing = (normal * normal.z.signum()).dot(light).max(0.0);
            let want = (255.0 * 0.9 * (0.1 + 0.9 * facing)) as u8;
            assert_near(pixel(gl, SIZE, 48, 32), [want; 3], &format!("{scale}"));
        }
    });
}

#[test]
fn a_changed_material_shows_in_the_next_frame() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let mesh = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let coloured = |r, g, b| Material::coloured(Vec4::new(r, g, b, 1.0)).without_light();
        let material = painter.add_material(&coloured(1.0, 0.0, 0.0)).expect("a material");
        let mut list = DrawList::new();
        list.pass(0).draw(mesh, material, &place(2.0));
        let paint = |painter: &mut Painter, want, what| {
            clear(gl);
            let painted = painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            assert_near(pixel(gl, SIZE, 40, 30), want, what);
            painted.gl_calls
        };
        let first = paint(painter, [255, 0, 0], "at first");
        let second = paint(painter, [255, 0, 0], "unchanged");
        assert!(second < first, "the table goes to the GPU once: {first}, then {second} calls");
        painter.set_material(material, &coloured(0.0, 0.0, 1.0)).expect("another colour");
        paint(painter, [0, 0, 255], "after");
        let clear = coloured(0.0, 1.0, 0.0).with_transparency();
        assert!(painter.set_material(material, &clear).is_err(), "another draw");
        paint(painter, [0, 0, 255], "unchanged");
    });
}

#[test]
fn what_cannot_be_drawn_is_an_error_that_says_why() {
    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: scanout::Result<T>, part: &str) {
        let error = result.expect_err(part);
        assert!(matches!(error, Error::Gl { .. }) && error.to_string().contains(part), "{error}");
    }
    in_context(|gl| {
        let mut painter = painter(gl, Submit::Instanced, Strategy::SubData);
        let (vertices, _) = square();
        refused(painter.add_mesh(&vertices, &[0, 1, 4]), "index 4 of a mesh of 4");
        let mut list = DrawList::new();
        let mesh = painter.add_mesh(&vertices, &[0, 1, 2]).expect("a mesh");
        let material = painter.add_material(&Material::default()).expect("a material");
        list.pass(1).draw(mesh, material, &place(1.0));
        refused(painter.paint(&list, &[PassView::pixels(SIZE)]), "pass 1 has commands and no view");
        for _ in 1..MaterialId::COUNT {
            painter.add_material(&Material::default()).expect("a material");
        }
        refused(painter.add_material(&Material::default()), "4096 materials");
    });
}

/// Names that the painter never gave out are drawn as nothing.
#[test]
fn foreign_names_draw_nothing() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let mesh = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let material = painter.add_material(&Material::default()).expect("a material");
        let mut list = DrawList::new();
        list.pass(0).draw(MeshId::new(99).expect("a name"), material, &place(1.0));
        list.pass(0).draw(mesh, MaterialId::new(30, true, 0).expect("a name"), &place(1.0));
        list.pass(0).sprite(Sprite::new(LayerId::new(9, 9).expect("a name"), Vec2::ZERO, Vec2::splat(60.0)));
        painter.paint(&list, &[PassView::world(facing())]).expect("painted");
        assert!(pixels(gl, SIZE).iter().all(|p| p[..3] == [0, 0, 0]));
    });
}

/// As many meshes as make the shared buffers grow several times: the first one is still what it was.
#[test]
fn meshes_survive_the_growth_of_the_pool() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let first = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let mut last = first;
        for _ in 0..3_000 {
            let mut small = vertices.clone();
            small.iter_mut().for_each(|v| v.position[0] = v.position[0].min(0.0));
            last = painter.add_mesh(&small, &indices).expect("a mesh");
        }
        let red = painter
            .add_material(&Material::coloured(Vec4::new(1.0, 0.0, 0.0, 1.0)).without_light())
            .expect("a material");
        for (mesh, right) in [(first, [255, 0, 0]), (last, [0, 0, 0])] {
            let mut list = DrawList::new();
            list.pass(0).draw(mesh, red, &place(1.0));
            clear(gl);
            painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            assert_near(pixel(gl, SIZE, 10, 30), [255, 0, 0], "left half");
            assert_near(pixel(gl, SIZE, 90, 30), right, "right half");
        }
    });
}

/// Meshes and materials that come and go for as long as a program runs: names and room are used again, and what stays
/// is not touched.
#[test]
fn removed_meshes_and_materials_make_room_for_others() {
    with_each(|gl, painter| {
        let (vertices, indices) = square();
        let coloured = |r, g, b| Material::coloured(Vec4::new(r, g, b, 1.0)).without_light();
        let kept = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let red = painter.add_material(&coloured(1.0, 0.0, 0.0)).expect("a material");
        // More of both than there are names for at a time.
        for n in 0..2 * MeshId::COUNT {
            let mesh = painter.add_mesh(&vertices[..3], &indices[..3]).expect("a name and room");
            assert_eq!(mesh.index(), 1, "after {n}");
            assert!(painter.remove_mesh(mesh) && !painter.remove_mesh(mesh));
        }
        for n in 0..2 * MaterialId::COUNT {
            let material = painter.add_material(&coloured(0.0, 1.0, 0.0)).expect("a name");
            assert_eq!(material.index(), 1, "after {n}");
            assert!(painter.remove_material(material) && !painter.remove_material(material));
        }
        assert!(!painter.remove_mesh(MeshId::new(99).expect("a name")));
        let mut half = vertices.clone();
        half.iter_mut().for_each(|v| v.position[0] = v.position[0].min(0.0));
        let half = painter.add_mesh(&half, &indices).expect("a mesh");
        let blue = painter.add_material(&coloured(0.0, 0.0, 1.0)).expect("a material");
        let mut show = |mesh, material, left: [u8; 3], right: [u8; 3], what: &str| {
            let mut list = DrawList::new();
            list.pass(0).draw(mesh, material, &place(1.0));
            clear(gl);
            painter.paint(&list, &[PassView::world(facing())]).expect("painted");
            assert_near(pixel(gl, SIZE, 10, 30), left, what);
            assert_near(pixel(gl, SIZE, 90, 30), right, what);
        };
        show(half, blue, [0, 0, 255], [0; 3], "the new ones");
        show(kept, red, [255, 0, 0], [255, 0, 0], "the old ones");
        assert!(painter.remove_mesh(kept));
        let mut list = DrawList::new();
        list.pass(0).draw(kept, red, &place(1.0));
        clear(gl);
        painter.paint(&list, &[PassView::world(facing())]).expect("painted");
        assert_near(pixel(gl, SIZE, 10, 30), [0; 3], "a mesh that is gone");
    });
}
