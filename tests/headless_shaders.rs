//! Shaders against a real driver, off screen: includes and defines, the check against Rust types, the cache of finished
//! programs, and programs that change while they are in use.
#![allow(clippy::print_stderr, reason = "what this driver cannot be tested for is said aloud")]
#![allow(unsafe_code, reason = "the driver is asked directly whether the wrappers did what they say")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here, with objects made in it"
)]

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use glam::{Mat4, Vec2, Vec3, Vec4};
use scanout::display::sleep;
use scanout::gl::bytemuck::{Pod, Zeroable};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::{
    Buffer, DebugLevel, Gl, Hook, Mesh, Primitive, Program, ProgramBuilder, ProgramCache, RenderTarget,
    ShaderError, ShaderFault, ShaderFolder, ShaderSource, ShaderStage, Usage, read_pixels,
};
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Size, headless, uniform_block, vertex_layout};

fn in_context<T>(f: impl FnOnce(&Gl) -> T) -> T {
    headless::with_context(DebugLevel::Panic, f).unwrap_or_else(|e| panic!("{e}"))
}

const WHOLE: &str = "#version 330 core
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }
";

fn vertex() -> ShaderSource {
    ShaderSource::new("whole.vert", WHOLE)
}

/// The colour that a program fills a target with.
fn colour(gl: &Gl, program: &Program) -> [u8; 4] {
    let target = RenderTarget::new(gl, Size::new(1, 1)).expect("a target");
    target.bind();
    unsafe { gl.raw().viewport(0, 0, 1, 1) };
    let mesh = Mesh::generated(gl, Primitive::Triangles, 3).expect("a mesh");
    gl.hook(Hook::Draw(program.name()));
    program.use_program();
    mesh.draw();
    let rgba = read_pixels(gl, target.size()).expect("a picture").rgba;
    [rgba[0], rgba[1], rgba[2], rgba[3]]
}

fn refused(built: Result<Program, ShaderError>) -> ShaderError {
    built.map(|_| ()).expect_err("it should have been refused")
}

// --- includes and defines ---

fn shaded(fragment: &str) -> ShaderSource {
    ShaderSource::new("b.frag", format!("#version 330 core\n#include \"shade.glsl\"\n{fragment}"))
        .include("shade.glsl", "#include \"deep.glsl\"\nvec4 shade() {\n  return vec4(deep(), 1.0);\n}\n")
        .include("deep.glsl", "\n\nvec3 deep() { return vec3(0.2, 0.4, 0.6); }\n")
}

#[test]
fn includes_are_compiled_in() {
    in_context(|gl| {
        let source = shaded("out vec4 o;\nvoid main() { o = shade(); }\n");
        let program = Program::new(gl, "p", &vertex(), &source).unwrap_or_else(|e| panic!("{e}\n{}", e.log));
        assert_eq!(colour(gl, &program), [51, 102, 153, 255]);
    });
}

/// The driver's own numbers, led back to files: in the shader before and after its include, in the include and in what
/// that includes, also behind defines and a branch that is not taken.
#[test]
fn errors_name_the_file_and_line_that_they_are_in() {
    in_context(|gl| {
        let whole = "out vec4 o;\nvoid main() { o = shade(); }\n";
        let broken_in = |source: ShaderSource| {
            let e = refused(Program::new(gl, "p", &vertex(), &source.define("A", 1).define("B", "vec2(0)")));
            assert!(matches!(e.fault, ShaderFault::Driver { .. }) && e.to_string().contains("wrong"), "{e}");
            let named = format!("{}:{}", e.file, e.line.expect("a line"));
            assert!(e.log.contains(&named), "{named}: {}", e.log);
            assert_eq!(e.to_string().find(&named), Some(0), "{e}");
            named
        };
        let in_deep =
            ShaderSource::new("b.frag", format!("#version 330 core\n#include \"shade.glsl\"\n{whole}"))
                .include(
                    "shade.glsl",
                    "#include \"deep.glsl\"\nvec4 shade() {\n  return vec4(deep(), 1.0);\n}\n",
                )
                .include("deep.glsl", "\n\nvec3 deep() { return wrong; }\n");
        assert_eq!(broken_in(in_deep), "deep.glsl:3");
        let in_shade =
            ShaderSource::new("b.frag", format!("#version 330 core\n#include \"shade.glsl\"\n{whole}"))
                .include("shade.glsl", "#include \"deep.glsl\"\nvec4 shade() {\n  return wrong;\n}\n")
                .include("deep.glsl", "\n\nvec3 deep() { return vec3(0); }\n");
        assert_eq!(broken_in(in_shade), "shade.glsl:3");
        assert_eq!(broken_in(shaded("out vec4 o;\nvoid main() {\n\n  o = wrong;\n}\n")), "b.frag:6");
        let branch =
            "#if 0\n#include \"deep.glsl\"\n#else\n#endif\nout vec4 o;\nvoid main() { o = wrong; }\n";
        assert_eq!(broken_in(shaded(branch)), "b.frag:8");
        let before = "#version 330 core\nvec4 early() { return wrong; }\n#include \"shade.glsl\"\n";
        let before = ShaderSource::new("b.frag", before).include("shade.glsl", "\n");
        assert_eq!(broken_in(before), "b.frag:2");
    });
}

#[test]
fn defines_make_variants_of_one_file() {
    let text = "#version 330 core\n#ifndef LEVEL\n#define LEVEL 0.2\n#endif\nout vec4 o;
#ifdef GREEN\nvoid main() { o = vec4(0.0, LEVEL, 0.0, 1.0); }\n#else\nvoid main() { o = vec4(LEVEL); }\n#endif\n";
    let source = ShaderSource::new("v.frag", text);
    in_context(|gl| {
        let variant = |source: ShaderSource| {
            colour(gl, &Program::new(gl, "variant", &vertex(), &source).unwrap_or_else(|e| panic!("{e}")))
        };
        assert_eq!(variant(source.clone()), [51; 4]);
        assert_eq!(variant(source.clone().define("LEVEL", 0.4)), [102; 4]);
        assert_eq!(variant(source.clone().define("LEVEL", 0.4).define("LEVEL", 0.6)), [153; 4]);
        assert_eq!(variant(source.define("GREEN", "").define("LEVEL", "0.8")), [0, 204, 0, 255]);
    });
}

#[test]
fn a_missing_include_is_an_error_of_its_own() {
    in_context(|gl| {
        let source = ShaderSource::new("b.frag", "#version 330 core\n\n#include \"no.glsl\"\n");
        let e = refused(Program::new(gl, "p", &vertex(), &source));
        assert_eq!((e.stage, e.file.as_str(), e.line), (ShaderStage::Fragment, "b.frag", Some(3)));
        assert_eq!(e.fault, ShaderFault::IncludeMissing { name: "no.glsl".into() });
    });
}

// --- GLSL against Rust ---

fn mismatch(e: &ShaderError) -> (String, String) {
    assert_eq!(e.stage, ShaderStage::Interface, "{e}");
    match &e.fault {
        ShaderFault::Mismatch { glsl, rust } => (glsl.clone(), rust.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn uniforms_of_another_type_are_refused_with_both_sides() {
    let fragment = "#version 330 core
uniform vec3 u_right;
uniform sampler2D u_texture;
uniform float u_levels[4];
uniform vec4 u_unused;
out vec4 o;
void main() { o = vec4(u_right, u_levels[0] + u_levels[3]) * texture(u_texture, vec2(0.0)); }
";
    in_context(|gl| {
        let source = ShaderSource::new("u.frag", fragment);
        let program = Program::new(gl, "u", &vertex(), &source).unwrap_or_else(|e| panic!("{e}"));
        let e = program.uniform::<Vec4>("u_right").expect_err("a vec3");
        assert_eq!((e.file.as_str(), e.line), ("u.frag", Some(2)));
        let (glsl, rust) = mismatch(&e);
        assert_eq!(
            (glsl.as_str(), rust.as_str()),
            ("`uniform vec3 u_right`", "`Uniform<Vec4>` for `u_right`")
        );
        let text = e.to_string();
        assert!(text.starts_with("u.frag:2: interface check failed: ") && !text.contains('\n'), "{text}");
        assert!(text.contains("vec3 u_right") && text.contains("Uniform<Vec4>"), "{text}");
        mismatch(&program.uniform::<f32>("u_texture").expect_err("a sampler"));
        mismatch(&program.uniform::<i32>("u_right").expect_err("not whole"));
        let (glsl, rust) = mismatch(&program.uniform::<[f32; 3]>("u_levels").expect_err("too short"));
        assert!(glsl.contains("float[4] u_levels") && rust.contains("[f32; 3]"), "{glsl} {rust}");
        mismatch(&program.uniform::<f32>("u_levels").expect_err("not one"));
        mismatch(&program.uniform::<[f32; 2]>("u_levels[1]").expect_err("not two"));
        mismatch(&program.uniform::<[Vec2; 4]>("u_levels").expect_err("not pairs"));
        // What fits, and what the compiler left out.
        program.uniform::<Vec3>("u_right").expect("a vec3");
        program.uniform::<i32>("u_texture").expect("its unit");
        program.uniform::<[f32; 4]>("u_levels").expect("all of it");
        program.uniform::<f32>("u_levels[3]").expect("one of it");
        program.uniform::<Mat4>("u_unused").expect("it has no effect");
    });
}

#[test]
fn arrays_of_uniforms_arrive() {
    let fragment = "#version 330 core
uniform vec2 u_pairs[2];
uniform uint u_count;
out vec4 o;
void main() { o = vec4(u_pairs[0], u_pairs[1].x, float(u_count) / 255.0); }
";
    in_context(|gl| {
        let source = ShaderSource::new("u.frag", fragment);
        let program = Program::new(gl, "u", &vertex(), &source).unwrap_or_else(|e| panic!("{e}"));
        let pairs = program.uniform("u_pairs").expect("pairs");
        program.set(&pairs, [Vec2::new(0.2, 0.4), Vec2::new(0.6, 9.0)]);
        program.set(&program.uniform("u_count").expect("a number"), 7_u32);
        assert_eq!(colour(gl, &program), [51, 102, 153, 7]);
        program.set(&program.uniform("u_pairs[1]").expect("the second"), Vec2::new(0.8, 0.0));
        assert_eq!(colour(gl, &program), [51, 102, 204, 7]);
    });
}

macro_rules! vertices {
    ($($name:ident { $($field:ident: $type:ty),+ } from $first:literal;)+) => {
        $(
            #[derive(Copy, Clone, Pod, Zeroable)]
            #[bytemuck(crate = "scanout::gl::bytemuck")]
            #[repr(C)]
            struct $name { $($field: $type),+ }
            vertex_layout!($name, from $first { $($field),+ });
        )+
    };
}

vertices! {
    Good { position: [f32; 2], colour: [u8; 4] } from 0;
    Swapped { colour: [f32; 4], position: [f32; 4] } from 0;
    Long { position: [f32; 4], colour: [u8; 4] } from 0;
    Short { position: [f32; 2] } from 0;
    Misnamed { place: [f32; 2], colour: [u8; 4] } from 0;
    Transform { x: [f32; 4], y: [f32; 4], z: [f32; 4], w: [f32; 4] } from 2;
    Half { x: [f32; 4], y: [f32; 4] } from 2;
}

fn drawn_with(vertex: &str) -> ProgramBuilder {
    let fragment = "#version 330 core\nin vec4 v;\nout vec4 o;\nvoid main() { o = v; }\n";
    let vertex = format!("#version 330 core\n{vertex}");
    Program::builder("p", ShaderSource::new("v.vert", vertex), ShaderSource::new("f.frag", fragment))
}

#[test]
fn attributes_are_held_against_the_fields() {
    let plain = "layout(location = 0) in vec2 a_position;
layout(location = 1) in vec4 a_colour;
layout(location = 5) in vec3 a_unused;
out vec4 v;
void main() { gl_Position = vec4(a_position, 0.0, 1.0) + float(gl_VertexID); v = a_colour; }
";
    in_context(|gl| {
        drawn_with(plain).vertices::<Good>().build(gl).unwrap_or_else(|e| panic!("{e}"));
        drawn_with(plain).build(gl).unwrap_or_else(|e| panic!("unchecked: {e}"));
        let e = refused(drawn_with(plain).vertices::<Swapped>().build(gl));
        assert_eq!((e.file.as_str(), e.line), ("v.vert", Some(2)));
        let (glsl, rust) = mismatch(&e);
        assert_eq!(glsl, "`in vec2 a_position` at location 0");
        assert_eq!(rust, "`Swapped::colour: [f32; 4]` at location 0");
        let (_, rust) = mismatch(&refused(drawn_with(plain).vertices::<Misnamed>().build(gl)));
        assert_eq!(rust, "`Misnamed::place: [f32; 2]` at location 0");
        // A third and a fourth component would be lost.
        let (_, rust) = mismatch(&refused(drawn_with(plain).vertices::<Long>().build(gl)));
        assert_eq!(rust, "`Long::position: [f32; 4]` at location 0");
        let (glsl, rust) = mismatch(&refused(drawn_with(plain).vertices::<Short>().build(gl)));
        assert!(glsl.contains("a_colour") && rust.contains("no field at location 1"), "{glsl} {rust}");
        let both = drawn_with(plain).vertices::<Good>().vertices::<Short>().build(gl);
        assert!(mismatch(&refused(both)).1.contains("two fields at location 0"));
        let whole =
            plain.replace("in vec4 a_colour", "in uvec4 a_colour").replace("= a_colour", "= vec4(a_colour)");
        let (glsl, _) = mismatch(&refused(drawn_with(&whole).vertices::<Good>().build(gl)));
        assert!(glsl.contains("uvec4 a_colour"), "{glsl}");
    });
}

#[test]
fn missing_components_and_matrices_of_columns_fit() {
    let matrix = "layout(location = 0) in vec4 a_position;
layout(location = 2) in mat4 a_transform;
out vec4 v;
void main() { gl_Position = a_transform * a_position; v = a_position; }
";
    in_context(|gl| {
        drawn_with(matrix)
            .vertices::<Short>()
            .vertices::<Transform>()
            .build(gl)
            .unwrap_or_else(|e| panic!("{e}"));
        let half = drawn_with(matrix).vertices::<Short>().vertices::<Half>().build(gl);
        let (glsl, rust) = mismatch(&refused(half));
        assert!(
            glsl.contains("mat4 a_transform") && rust.contains("no field at location 4"),
            "{glsl} {rust}"
        );
    });
}

macro_rules! blocks {
    ($($name:ident { $($field:ident: $type:ty),+ } as { $($named:ident),+ };)+) => {
        $(
            #[derive(Copy, Clone, Pod, Zeroable)]
            #[bytemuck(crate = "scanout::gl::bytemuck")]
            #[repr(C)]
            struct $name { $($field: $type),+ }
            uniform_block!($name { $($named),+ });
        )+
    };
}

blocks! {
    Fits { eye: Vec3, time: f32, tints: [Vec4; 2], size: Vec2, _pad: Vec2 } as { eye, time, tints, size };
    Shifted { eye: Vec3, _pad: f32, time: f32, _pad2: [f32; 3], tints: [Vec4; 2], size: Vec4 } as { eye, time, tints, size };
    Renamed { eye: Vec3, clock: f32, tints: [Vec4; 2], size: Vec2, _pad: Vec2 } as { eye, clock, tints, size };
    Retyped { eye: Vec3, time: i32, tints: [Vec4; 2], size: Vec2, _pad: Vec2 } as { eye, time, tints, size };
    Fewer { eye: Vec3, time: f32, tints: [Vec4; 1], _gap: Vec4, size: Vec2, _pad: Vec2 } as { eye, time, tints, size };
    CutOff { eye: [f32; 4], size: [f32; 2] } as { eye, size };
}

#[test]
fn uniform_blocks_are_held_against_the_struct() {
    let fragment = |instance: &str| {
        let (dot, name) = if instance.is_empty() { ("u_", "") } else { ("g.", instance) };
        let p = if instance.is_empty() { "u_" } else { "" };
        ShaderSource::new(
            "b.frag",
            format!(
                "#version 330 core
layout(std140) uniform Globals {{ vec3 {p}eye; float {p}time; vec4 {p}tints[2];
  vec2 {p}size; }} {name};
out vec4 o;
void main() {{ o = vec4({dot}eye.x, {dot}time, {dot}size.y, 0.0) + {dot}tints[1]; }}
"
            ),
        )
    };
    let builder = |instance| Program::builder("b", vertex(), fragment(instance));
    in_context(|gl| {
        let values = Fits {
            eye: Vec3::splat(0.2),
            time: 0.4,
            tints: [Vec4::ONE, Vec4::new(0.0, 0.0, 0.0, 0.8)],
            size: Vec2::splat(0.6),
            _pad: Vec2::ZERO,
        };
        let buffer = Buffer::uniform(gl, &[values], Usage::Static).expect("a buffer");
        buffer.bind_base(3);
        for instance in ["", "g"] {
            let built = builder(instance).block::<Fits>("Globals", 3).block::<Fits>("NotThere", 4).build(gl);
            let program = built.unwrap_or_else(|e| panic!("{instance}: {e}"));
            assert_eq!(colour(gl, &program), [51, 102, 153, 204], "{instance:?}");

            let sides = |built: Result<Program, ShaderError>| mismatch(&refused(built));
            let (glsl, rust) = sides(builder(instance).block::<Shifted>("Globals", 3).build(gl));
            assert!(glsl.contains("time` at offset 12 of block `Globals`"), "{glsl}");
            assert_eq!(rust, "`Shifted::time: f32` at offset 16");
            let (_, rust) = sides(builder(instance).block::<Renamed>("Globals", 3).build(gl));
            assert_eq!(rust, "no such field in `Renamed`");
            let (glsl, rust) = sides(builder(instance).block::<Retyped>("Globals", 3).build(gl));
            assert!(glsl.starts_with("`float ") && rust.contains("time: i32"), "{glsl} {rust}");
            let (_, rust) = sides(builder(instance).block::<Fewer>("Globals", 3).build(gl));
            assert!(rust.contains("tints: [Vec4; 1]"), "{rust}");
        }
        let short =
            "#version 330 core\nlayout(std140) uniform Short { vec4 u_eye; vec2 u_size; };\nout vec4 o;
void main() { o = u_eye + u_size.x; }\n";
        let short = Program::builder("s", vertex(), ShaderSource::new("s.frag", short));
        let (glsl, rust) = mismatch(&refused(short.block::<CutOff>("Short", 0).build(gl)));
        assert_eq!((glsl.as_str(), rust.as_str()), ("block `Short` of 32 bytes", "`CutOff` of 24 bytes"));
        let e = refused(builder("").block::<Retyped>("Globals", 3).build(gl));
        assert_eq!((e.file.as_str(), e.line), ("b.frag", Some(2)));
        let text = "#version 330 core\nlayout(std140, row_major) uniform M { mat4 m; };\nout vec4 o;
void main() { o = m[0]; }\n";
        #[derive(Copy, Clone, Pod, Zeroable)]
        #[bytemuck(crate = "scanout::gl::bytemuck")]
        #[repr(C)]
        struct M {
            m: Mat4,
        }
        uniform_block!(M { m });
        let rows =
            Program::builder("m", vertex(), ShaderSource::new("m.frag", text)).block::<M>("M", 0).build(gl);
        assert!(mismatch(&refused(rows)).0.contains("row_major mat4 m"));
    });
}

// --- the cache ---

fn fragment(text: &str) -> ShaderSource {
    ShaderSource::new("c.frag", format!("#version 330 core\nout vec4 o;\nvoid main() {{ o = {text}; }}\n"))
}

/// What a program of this fragment draws, in a context of its own with this cache, and whether it came from there.
fn with_cache(folder: &Path, source: &ShaderSource) -> ([u8; 4], bool) {
    in_context(|gl| {
        gl.set_program_cache(Some(ProgramCache::open(folder).expect("a cache")));
        let program = Program::new(gl, "c", &vertex(), source).unwrap_or_else(|e| panic!("{e}"));
        let drawn = colour(gl, &program);
        gl.hook(Hook::Draw("no error is left"));
        (drawn, program.from_cache())
    })
}

/// Says aloud when the driver has no such thing; the file layer has tests of its own.
fn has_binaries() -> bool {
    let has = in_context(|gl| gl.caps().program_binaries);
    if !has {
        eprintln!("NOT TESTED HERE: this driver hands out no finished programs");
    }
    has
}

fn programs(folder: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(folder).expect("the folder").map(|e| e.expect("an entry").path()).collect()
}

#[test]
fn a_program_is_compiled_once_and_then_taken_from_the_cache() {
    if !has_binaries() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (red, green) = (fragment("vec4(1.0, 0.0, 0.0, 1.0)"), fragment("vec4(0.0, 1.0, 0.0, 1.0)"));
    assert_eq!(with_cache(folder.path(), &red), ([255, 0, 0, 255], false));
    assert_eq!(with_cache(folder.path(), &red), ([255, 0, 0, 255], true));
    // Another text, or another define, is another program.
    assert_eq!(with_cache(folder.path(), &green), ([0, 255, 0, 255], false));
    assert_eq!(with_cache(folder.path(), &red.clone().define("X", 1)), ([255, 0, 0, 255], false));
    assert_eq!(with_cache(folder.path(), &red), ([255, 0, 0, 255], true));
    assert_eq!(programs(folder.path()).len(), 3);
    // Without one, nothing is read or written.
    in_context(|gl| assert!(!Program::new(gl, "c", &vertex(), &red).expect("a program").from_cache()));
}

#[test]
fn uniforms_and_blocks_of_a_cached_program_are_checked_as_well() {
    if !has_binaries() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = ShaderSource::new(
        "c.frag",
        "#version 330 core\nuniform vec4 u_tint;\nout vec4 o;\nvoid main() { o = u_tint; }\n",
    );
    for from_cache in [false, true] {
        in_context(|gl| {
            gl.set_program_cache(Some(ProgramCache::open(folder.path()).expect("a cache")));
            let program = Program::new(gl, "c", &vertex(), &source).expect("a program");
            assert_eq!(program.from_cache(), from_cache);
            let e = program.uniform::<Vec3>("u_tint").expect_err("a vec4");
            assert_eq!((e.file.as_str(), e.line), ("c.frag", Some(2)));
            program.set(&program.uniform("u_tint").expect("a vec4"), Vec4::new(0.2, 0.4, 0.6, 0.8));
            assert_eq!(colour(gl, &program), [51, 102, 153, 204]);
        });
    }
}

#[test]
fn cached_programs_that_the_driver_does_not_take_are_compiled_anew() {
    if !has_binaries() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = fragment("vec4(0.2)");
    assert!(!with_cache(folder.path(), &source).1);
    let file = programs(folder.path()).remove(0);
    let good = fs::read(&file).expect("a program");
    // A format that no driver has; and bytes that the driver did not write, with a checksum that is right.
    let mut foreign = good.clone();
    foreign[24..28].copy_from_slice(&0xdead_u32.to_le_bytes());
    let mut strange = good[..44].to_vec();
    let payload = vec![0x5a_u8; good.len() - 44];
    strange[36..44].copy_from_slice(&xxhash_rust::xxh3::xxh3_64(&payload).to_le_bytes());
    strange.extend(payload);
    let cut = good[..good.len() / 2].to_vec();
    for (what, bytes) in [("foreign", foreign), ("strange", strange), ("cut", cut)] {
        fs::write(&file, bytes).expect("it can be written");
        assert_eq!(with_cache(folder.path(), &source), ([51; 4], false), "{what}");
        assert_eq!(with_cache(folder.path(), &source), ([51; 4], true), "{what}: it was put right");
    }
}

// --- programs that change ---

struct Playground {
    dir: tempfile::TempDir,
    folder: Rc<ShaderFolder>,
}

impl Playground {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(dir.path().join(name), text).expect("a file");
        }
        let folder = Rc::new(ShaderFolder::open(dir.path()).expect("a folder"));
        Self { dir, folder }
    }

    /// Writes a file, waits for the change to be noticed, and reloads. How many programs are new.
    fn change(&self, gl: &Gl, name: &str, text: &str) -> usize {
        fs::write(self.dir.path().join(name), text).expect("a file");
        for _ in 0..1_000 {
            if gl.shaders_changed() {
                return gl.reload_shaders();
            }
            sleep::until(MonotonicClock.now() + Duration::from_millis(10));
        }
        panic!("{name}: nobody noticed");
    }
}

const TINTED: &str = "#version 330 core\nuniform vec4 u_tint;\nuniform float u_other;\nout vec4 o;
void main() { o = u_tint + u_other * 0.0; }\n";

fn tinted() -> ShaderSource {
    ShaderSource::embedded("tinted.frag", TINTED)
}

#[test]
fn a_changed_file_changes_the_program_and_a_broken_one_does_not() {
    let ground = Playground::new(&[]);
    in_context(|gl| {
        gl.watch_shaders(Rc::clone(&ground.folder));
        let program = Program::new(gl, "tinted", &vertex(), &tinted()).unwrap_or_else(|e| panic!("{e}"));
        let tint = program.uniform("u_tint").expect("a tint");
        program.set(&tint, Vec4::new(0.2, 0.4, 0.6, 0.8));
        assert_eq!(colour(gl, &program), [51, 102, 153, 204]);
        assert_eq!(gl.reload_shaders(), 0);

        // The value that was set goes on; the uniform may have moved.
        let swapped = TINTED
            .replace("o = u_tint", "o = vec4(u_new[3]) + u_tint.bgra")
            .replace("uniform vec4", "uniform float u_new[4];\nuniform vec4");
        assert_eq!(ground.change(gl, "tinted.frag", &swapped), 1);
        assert_eq!(colour(gl, &program), [153, 102, 51, 204]);
        program.set(&tint, Vec4::new(0.8, 0.6, 0.4, 0.2));
        assert_eq!(colour(gl, &program), [102, 153, 204, 51]);

        assert_eq!(ground.change(gl, "tinted.frag", "#version 330 core\nnonsense\n"), 0);
        assert_eq!(colour(gl, &program), [102, 153, 204, 51]);
        // It compiles and does not fit what the program sets any more.
        assert_eq!(
            ground.change(
                gl,
                "tinted.frag",
                &TINTED.replace("vec4 u_tint", "float u_tint").replace("o = u", "o = vec4(u_tint) + u")
            ),
            0
        );
        assert_eq!(colour(gl, &program), [102, 153, 204, 51]);
        // An error in a shader is no OpenGL error that stops the next draw.
        gl.hook(Hook::Draw("tinted"));

        assert_eq!(ground.change(gl, "tinted.frag", TINTED), 1);
        assert_eq!(colour(gl, &program), [204, 153, 102, 51]);
        // Without the file the embedded text is back, which is the same one.
        fs::remove_file(ground.dir.path().join("tinted.frag")).expect("it was there");
    });
}

#[test]
fn includes_are_watched_and_may_come_later() {
    let ground = Playground::new(&[("level.glsl", "const float LEVEL = 0.2;\n")]);
    let text = "#version 330 core\n#include \"level.glsl\"\nout vec4 o;\nvoid main() { o = vec4(LEVEL); }\n";
    in_context(|gl| {
        gl.watch_shaders(Rc::clone(&ground.folder));
        let source = ShaderSource::embedded(
            "x.frag",
            "#version 330 core\nout vec4 o;\nvoid main() { o = vec4(1.0); }\n",
        );
        let program = Program::new(gl, "x", &vertex(), &source).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(colour(gl, &program), [255; 4]);
        assert_eq!(ground.change(gl, "x.frag", text), 1);
        assert_eq!(colour(gl, &program), [51; 4]);
        assert_eq!(ground.change(gl, "level.glsl", "const float LEVEL = 0.4;\n"), 1);
        assert_eq!(colour(gl, &program), [102; 4]);
        // A file that is not there yet, and then is.
        assert_eq!(ground.change(gl, "x.frag", &text.replace("level.glsl", "later.glsl")), 0);
        assert_eq!(colour(gl, &program), [102; 4]);
        assert_eq!(ground.change(gl, "later.glsl", "const float LEVEL = 0.6;\n"), 1);
        assert_eq!(colour(gl, &program), [153; 4]);
    });
}

#[test]
fn a_folder_that_is_broken_from_the_start_leaves_the_embedded_program() {
    let ground = Playground::new(&[("tinted.frag", "#version 330 core\nnonsense\n")]);
    in_context(|gl| {
        gl.watch_shaders(Rc::clone(&ground.folder));
        let program = Program::new(gl, "tinted", &vertex(), &tinted()).unwrap_or_else(|e| panic!("{e}"));
        program.set(&program.uniform("u_tint").expect("a tint"), Vec4::splat(0.2));
        assert_eq!(colour(gl, &program), [51; 4]);
        let brighter = TINTED.replace("o = u_tint", "o = 2.0 * u_tint");
        assert_eq!(ground.change(gl, "tinted.frag", &brighter), 1);
        assert_eq!(colour(gl, &program), [102; 4]);
    });
}

/// The old program is freed, and the one in use stays in use.
#[test]
fn reloading_leaves_nothing_behind() {
    let ground = Playground::new(&[("tinted.frag", TINTED)]);
    in_context(|gl| {
        gl.watch_shaders(Rc::clone(&ground.folder));
        let count = || {
            let all = (1..64).filter_map(std::num::NonZeroU32::new);
            all.filter(|&n| unsafe {
                gl.raw().is_program(glow::NativeProgram(n)) || gl.raw().is_shader(glow::NativeShader(n))
            })
            .count()
        };
        let program = Program::new(gl, "tinted", &vertex(), &tinted()).unwrap_or_else(|e| panic!("{e}"));
        let other = Program::new(gl, "other", &vertex(), &fragment("vec4(1.0)")).expect("a program");
        let gone = Program::new(gl, "gone", &vertex(), &tinted()).expect("a program");
        assert_eq!(count(), 3);
        drop(gone);
        other.use_program();
        let in_use = || unsafe { gl.raw().get_parameter_program(glow::CURRENT_PROGRAM) };
        let before = in_use();
        assert_eq!(ground.change(gl, "tinted.frag", &TINTED.replace("* 0.0", "* 0.5")), 1);
        assert_eq!((count(), in_use()), (2, before));
        ground.change(gl, "tinted.frag", "nonsense");
        assert_eq!((count(), in_use()), (2, before));
        drop(program);
        assert_eq!(ground.change(gl, "tinted.frag", TINTED), 0);
        assert_eq!(count(), 1);
    });
}

thread_local! {
    static LOG: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Error
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LOG.with_borrow_mut(|log| log.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

#[test]
fn variants_of_a_broken_file_are_told_of_once() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Keeper).expect("the first logger");
        log::set_max_level(log::LevelFilter::Error);
    });
    let broken = "#version 330 core\nout vec4 o;\nvoid main() { o = vec4(wrong); }\n";
    let ground = Playground::new(&[("tinted.frag", broken)]);
    in_context(|gl| {
        gl.watch_shaders(Rc::clone(&ground.folder));
        LOG.take();
        let variant = |name: &str, n: i32| {
            let built = Program::builder(name, vertex(), tinted().define("VARIANT", n)).build(gl);
            built.unwrap_or_else(|e| panic!("{e}"))
        };
        let programs = [variant("plain", 0), variant("bent", 1), variant("bent", 2)];
        let said = LOG.take();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("tinted.frag:3: "), "{said:?}");

        // Another error in the same file is another line; it names the programs, each once.
        assert_eq!(ground.change(gl, "tinted.frag", &broken.replace("wrong", "worse")), 0);
        let said = LOG.take();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("worse") && said[0].ends_with("programs `plain`, `bent` stay as they were"),
            "{said:?}"
        );

        // Two errors are two lines: one variant fails in a line of its own.
        let two = format!(
            "#version 330 core\nout vec4 o;\n#if VARIANT == 2\nvoid main() {{ o = vec4(two); }}\n#else\n{}\n#endif\n",
            "void main() { o = vec4(one); }"
        );
        assert_eq!(ground.change(gl, "tinted.frag", &two), 0);
        let said = LOG.take();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said.iter()
                .any(|l| l.contains("tinted.frag:4: ") && l.ends_with("program `bent` stays as it was"))
        );

        // What was said of an older text is said again of a newer one.
        assert_eq!(ground.change(gl, "tinted.frag", TINTED), 3);
        assert_eq!(ground.change(gl, "tinted.frag", &broken.replace("wrong", "worse")), 0);
        assert_eq!(LOG.take().len(), 1);
        drop(programs);
    });
}
