//! A painter whose context is lost in the midst of a run: the same names draw the same picture in the new one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use glam::camera::rh::proj;
use glam::{Affine3A, Mat4, Vec2, Vec3, Vec4};
use scanout::gl::{
    CreateContext, DebugLevel, Frame, Gl, Material, Painter, PainterOptions, PassView, Program, Renderer,
    ShaderSource, TextureArray, TextureOptions, Vertex, read_pixels,
};
use scanout::scene::{DrawList, Sprite};
use scanout::{Config, Demand, Error, Logic, Pacing, Result, Size, Tick, headless};

const SIZE: Size = Size::new(64, 32);
/// The frame after which the context is lost, of twelve.
const LOST_AT: u64 = 5;

struct Still;

impl Logic for Still {
    type Snapshot = ();
    fn update(&mut self, _: &Tick) {}
    fn extract(&self, (): &mut ()) {}
    fn demand(&self) -> Demand {
        Demand::EveryFrame
    }
}

/// What is given back after the loss.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Given {
    All,
    NoTextures,
    NoProgram,
    /// Everything, to a painter that kept no meshes.
    NoMeshes,
}

type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

struct Scene {
    painter: Painter,
    list: DrawList,
    given: Given,
    seen: Seen,
}

/// Two pictures of one texel: red and green.
fn textures(gl: &Gl) -> Result<TextureArray> {
    let mut options = TextureOptions::default();
    (options.srgb, options.mipmaps) = (false, false);
    let mut array = TextureArray::new(gl, "pictures", Size::new(1, 1), 2, &options)?;
    array.write(0, &[255, 0, 0, 255])?;
    array.write(1, &[0, 255, 0, 255])?;
    Ok(array)
}

/// Everything in violet.
fn program(gl: &Gl) -> Result<Program> {
    let fragment = "#version 330 core\nout vec4 c; void main() { c = vec4(0.5, 0.0, 1.0, 1.0); }\n";
    let fragment = ShaderSource::embedded("violet.frag", fragment);
    Ok(Program::new(gl, "violet", &scanout::shader_file!("painter_mesh.vert"), &fragment)?)
}

impl Scene {
    fn new(cx: &CreateContext<'_>, given: Given, seen: Seen) -> Result<Self> {
        let options = PainterOptions { forget_meshes: given == Given::NoMeshes, ..PainterOptions::default() };
        let mut painter = Painter::new(cx.gl, options)?;
        let corner = |x, y| Vertex { position: [x, y, 0.0], normal: [0.0, 0.0, 1.0], uv: [0.5, 0.5] };
        let square = [corner(0.0, 0.0), corner(8.0, 0.0), corner(8.0, 8.0), corner(0.0, 8.0)];
        let slanted = [corner(0.0, 0.0), corner(8.0, 0.0), corner(0.0, 8.0)];
        let layers = painter.add_textures(textures(cx.gl)?)?;
        let violet = painter.add_program(program(cx.gl)?)?;
        // Names that were given up stay so, or are another mesh's.
        let gone = painter.add_mesh(&slanted, &[0, 1, 2])?;
        let spare = painter.add_mesh(&slanted, &[0, 1, 2])?;
        let square = painter.add_mesh(&square, &[0, 1, 2, 0, 2, 3])?;
        assert!(painter.remove_mesh(gone) && painter.remove_mesh(spare));
        let lost = painter.add_material(&Material::default())?;
        let blue = painter.add_material(&Material::coloured(Vec4::Z.with_w(1.0)).without_light())?;
        let red = painter.add_material(&Material::default().with_texture(layers[0]))?;
        let glass = Material::coloured(Vec4::new(1.0, 1.0, 1.0, 0.5)).with_transparency().without_light();
        let glass = painter.add_material(&glass)?;
        let violet = painter.add_material(&Material::default().with_program(violet))?;
        assert!(painter.remove_material(lost));
        let slanted = painter.add_mesh(&slanted, &[0, 1, 2])?;
        assert_eq!(slanted, spare);
        painter.set_light(Vec3::Z, 0.0);
        let mut list = DrawList::new();
        let mut world = list.pass(0);
        let things = [(square, blue), (slanted, red), (square, violet), (square, glass), (gone, blue)];
        for (n, (mesh, material)) in things.into_iter().enumerate() {
            world.draw(mesh, material, &Affine3A::from_translation(Vec3::X * 10.0 * n as f32));
        }
        drop(world);
        list.pass(1).sprite(Sprite::new(layers[1], Vec2::new(4.0, 20.0), Vec2::splat(8.0)));
        Ok(Self { painter, list, given, seen })
    }
}

fn camera() -> Mat4 {
    proj::opengl::orthographic(0.0, 64.0, 0.0, 32.0, -1.0, 1.0)
}

impl Renderer<()> for Scene {
    fn render(&mut self, (): &(), frame: &mut Frame<'_>) {
        frame.clear_with_depth([0.1, 0.1, 0.1, 1.0]);
        let views = [PassView::world(camera()), PassView::pixels(SIZE)];
        self.painter.paint(&self.list, &views).expect("painted");
        let picture = read_pixels(frame.gl(), SIZE).expect("a picture");
        self.seen.lock().expect("nobody panics with it").push(picture.rgba);
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        let textures = if self.given == Given::NoTextures { vec![] } else { vec![textures(cx.gl)?] };
        let programs = if self.given == Given::NoProgram { vec![] } else { vec![program(cx.gl)?] };
        self.painter.restore(cx.gl, textures, programs)
    }
}

fn run(given: Given) -> (Option<Error>, u64, Vec<Vec<u8>>) {
    let seen = Seen::default();
    let shown = Arc::clone(&seen);
    let config = Config {
        size: SIZE,
        pacing: Pacing::Immediate,
        debug: DebugLevel::Panic,
        frame_limit: Some(12),
        time_limit: Some(Duration::from_secs(60)),
        shutdown_timeout: Duration::from_secs(20),
        lose_context_at: vec![LOST_AT],
        ..Config::default()
    };
    let make = move |cx: &CreateContext<'_>| Scene::new(cx, given, shown);
    let ended = headless::run_until(&config, Still, make, None, || false);
    let resets = ended.summary.as_ref().map_or(0, |summary| summary.context_resets);
    let seen = seen.lock().expect("nobody panics with it").clone();
    (ended.error, resets, seen)
}

#[test]
fn a_painter_draws_the_same_picture_in_the_new_context() {
    let (error, resets, seen) = run(Given::All);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(resets, 1);
    assert!(seen.len() > LOST_AT as usize + 3, "{} pictures", seen.len());
    let at = |picture: &[u8], x: usize, y: usize| {
        let from = 4 * (y * SIZE.width as usize + x);
        <[u8; 3]>::try_from(&picture[from..from + 3]).expect("three bytes")
    };
    for (n, picture) in seen.iter().enumerate() {
        assert!(*picture == seen[0], "picture {n} is another one");
    }
    // And it is the one that was recorded: from the left, the lower left corner of each; the sprite is higher up.
    let row: Vec<_> = [1, 11, 21, 31, 41].map(|x| at(&seen[0], x, 30)).to_vec();
    let wanted = [[0, 0, 255], [255, 0, 0], [128, 0, 255], [140, 140, 140], [26, 26, 26]];
    for (got, wanted) in row.iter().zip(wanted) {
        assert!(got.iter().zip(wanted).all(|(g, w)| g.abs_diff(w) <= 3), "{got:?}, not {wanted:?}: {row:?}");
    }
    assert_eq!(at(&seen[0], 6, 22), [0, 255, 0]);
}

/// What the painter cannot know by itself is asked for by name, and the run ends with that.
#[test]
fn what_is_not_given_back_is_named() {
    for (given, wanted) in [
        (Given::NoTextures, "texture arrays of [2] layers are wanted, and [] were given"),
        (Given::NoProgram, "1 programs of one's own are wanted, and 0 were given"),
        (Given::NoMeshes, "its meshes were not kept"),
    ] {
        let (error, _, seen) = run(given);
        let text = error.expect("the run ends").to_string();
        assert!(text.contains(wanted) && !text.contains('\n'), "{given:?}: {text}");
        assert!(!seen.is_empty(), "{given:?}: there was a picture before");
    }
}
