//! The OpenGL layer against a real driver, off screen: each test makes a context of its own.
#![allow(clippy::print_stdout, reason = "the test and its child process talk through it")]
#![allow(unsafe_code, reason = "the driver is asked directly whether the wrappers did what they say")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here, with objects made in it"
)]

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use glam::{Mat3, Mat4, Quat, Vec2, Vec3, Vec4};
use scanout::gl::bytemuck::{Pod, Zeroable};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::{
    Buffer, Canvas, CreateContext, DebugLevel, DepthTexture, FenceRing, Filter, Frame, Gl, Hook, Mesh,
    Primitive, Program, RenderTarget, Renderer, ShaderError, ShaderSource, ShaderStage, Texture,
    TextureBuffer, TextureCube, TextureOptions, Usage, VertexLayout, Wrap, read_pixels,
};
use scanout::pacing::FrameId;
use scanout::runtime::ThreadName;
use scanout::{Config, Error, Logic, Size, Tick, headless, vertex_layout};

fn in_context<T>(level: DebugLevel, f: impl FnOnce(&Gl) -> T) -> T {
    headless::with_context(level, f).unwrap_or_else(|e| panic!("{e}"))
}

/// A target of `width` x `height` that is drawn to from now on.
fn target(gl: &Gl, width: u32, height: u32) -> RenderTarget {
    let target = RenderTarget::new(gl, Size::new(width, height)).expect("a target");
    draw_to(gl, &target);
    target
}

fn draw_to(gl: &Gl, target: &RenderTarget) {
    target.bind();
    let Size { width, height } = target.size();
    unsafe {
        gl.raw().viewport(0, 0, width as i32, height as i32);
        gl.raw().clear_color(0.0, 0.0, 0.0, 0.0);
        gl.raw().clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
    }
}

/// The pixels of the bound target, four bytes each, from the top left.
fn pixels(gl: &Gl, target: &RenderTarget) -> Vec<[u8; 4]> {
    let read = read_pixels(gl, target.size()).expect("the picture");
    assert_eq!(read.size, target.size());
    read.rgba.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]).collect()
}

fn program(gl: &Gl, vertex: &str, fragment: &str) -> Program {
    let source =
        |file: &'static str, text: &str| ShaderSource::new(file, format!("#version 330 core\n{text}"));
    Program::new(gl, "test", &source("test.vert", vertex), &source("test.frag", fragment))
        .unwrap_or_else(|e| panic!("{e}\n{}", e.log))
}

/// A triangle over the whole target; the vertices hold nothing that it needs.
const WHOLE: &str =
    "void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }";

#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Nothing {
    unused: f32,
}
vertex_layout!(Nothing, from 9 { unused });

fn whole(gl: &Gl) -> Mesh {
    Mesh::new(gl, Primitive::Triangles, &[Nothing { unused: 0.0 }; 3]).expect("a mesh")
}

#[track_caller]
fn assert_near(got: [u8; 4], want: [u8; 4], what: &str) {
    // One step of rounding either way is the driver's choice.
    assert!(got.iter().zip(want).all(|(&g, w)| g.abs_diff(w) <= 1), "{what}: {got:?} and not {want:?}");
}

fn panic_text(f: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(payload.downcast::<String>().map_or_else(|_| "a panic without text".into(), |text| *text))
}

// --- loading ---

#[test]
fn load_without_a_current_context_is_an_error_with_the_real_loader() {
    let egl =
        unsafe { khronos_egl::DynamicInstance::<khronos_egl::EGL1_5>::load_required() }.expect("libEGL");
    let loader = |name: &CStr| -> *const c_void {
        name.to_str()
            .ok()
            .and_then(|name| egl.get_proc_address(name))
            .map_or(std::ptr::null(), |f| f as *const c_void)
    };
    assert!(!loader(c"glGetString").is_null(), "this is the real loader");
    let load = || unsafe { Gl::load(loader, DebugLevel::Off) }.map(|_| ());
    assert!(matches!(load(), Err(Error::NotCurrent)));
    in_context(DebugLevel::Off, |_| assert!(load().is_ok(), "with a context it loads"));
    assert!(matches!(load(), Err(Error::NotCurrent)), "after the context went");
}

#[test]
fn capabilities_describe_the_context() {
    in_context(DebugLevel::Off, |gl| {
        let caps = gl.caps();
        assert!(caps.major_minor >= (3, 3));
        assert!(!caps.vendor.is_empty() && !caps.renderer.is_empty() && !caps.version.is_empty());
        // What OpenGL 3.3 guarantees.
        assert!(caps.max_texture_size >= 1024 && caps.max_samples >= 4 && caps.max_anisotropy >= 1.0);
        assert!(caps.uniform_alignment.is_power_of_two() && caps.uniform_alignment <= 256);
        assert!(caps.timer_query);
    });
}

#[test]
fn contexts_on_several_threads_do_not_mix() {
    std::thread::scope(|scope| {
        for shade in [60_u8, 120, 180, 240] {
            scope.spawn(move || {
                for _ in 0..5 {
                    in_context(DebugLevel::Panic, |gl| {
                        let target = target(gl, 4, 4);
                        let level = f32::from(shade) / 255.0;
                        unsafe {
                            gl.raw().clear_color(level, level, level, 1.0);
                            gl.raw().clear(glow::COLOR_BUFFER_BIT);
                        }
                        assert!(pixels(gl, &target).iter().all(|&p| p == [shade, shade, shade, 255]));
                    });
                }
            });
        }
    });
}

// --- shaders ---

fn refused(gl: &Gl, vertex: &'static str, fragment: &'static str) -> ShaderError {
    let (vertex, fragment) = (ShaderSource::new("a.vert", vertex), ShaderSource::new("b.frag", fragment));
    Program::new(gl, "pair", &vertex, &fragment).map(|_| ()).expect_err("a broken shader")
}

const GOOD_VERTEX: &str = "#version 330 core\nvoid main() { gl_Position = vec4(0.0); }\n";
const GOOD_FRAGMENT: &str = "#version 330 core\nout vec4 c;\nvoid main() { c = vec4(1.0); }\n";
const BROKEN_VERTEX: &str = "#version 330 core\nvoid main() {\n  gl_Position = vec4(no_such_name);\n}\n";
const BROKEN_FRAGMENT: &str = "#version 330 core\nout vec4 c;\n\nvoid main() {\n  c = vec4(1.0)\n}\n";

#[test]
fn refused_shaders_carry_file_line_and_log() {
    in_context(DebugLevel::Panic, |gl| {
        let e = refused(gl, BROKEN_VERTEX, GOOD_FRAGMENT);
        assert_eq!((e.stage, e.file.as_str(), e.line), (ShaderStage::Vertex, "a.vert", Some(3)), "{}", e.log);
        assert!(e.log.contains("no_such_name"), "{}", e.log);
        let text = Error::from(e).to_string();
        assert!(text.starts_with("a.vert:3: vertex shader failed: ") && !text.contains('\n'), "{text}");
        assert!(text.contains("no_such_name"), "{text}");

        let e = refused(gl, GOOD_VERTEX, BROKEN_FRAGMENT);
        assert_eq!((e.stage, e.file.as_str()), (ShaderStage::Fragment, "b.frag"));
        // The missing semicolon is on line 5 and noticed on line 6; drivers name either.
        assert!(matches!(e.line, Some(5 | 6)), "{:?} {}", e.line, e.log);
        assert!(!e.log.trim().is_empty());
    });
}

#[test]
fn refused_link_names_the_program_and_keeps_the_log() {
    let gives = "#version 330 core\nout vec2 v_place;\nvoid main() { gl_Position = vec4(0.0); v_place = vec2(1.0); }\n";
    let takes = "#version 330 core\nin vec4 v_place;\nout vec4 c;\nvoid main() { c = v_place; }\n";
    in_context(DebugLevel::Panic, |gl| {
        let e = refused(gl, gives, takes);
        assert_eq!((e.stage, e.file.as_str()), (ShaderStage::Link, "pair"));
        assert!(e.log.contains("v_place"), "{}", e.log);
        let text = e.to_string();
        assert!(text.starts_with("pair") && text.contains("link failed") && !text.contains('\n'), "{text}");
        gl.hook(Hook::Draw("the next one"));
    });
}

/// A program that loads shaders anew while running keeps the old ones when the new ones are refused, also with the
/// debug hooks at their sharpest.
#[test]
fn refused_shaders_stop_no_later_draw_and_leave_nothing_behind() {
    in_context(DebugLevel::Panic, |gl| {
        refused(gl, BROKEN_VERTEX, GOOD_FRAGMENT);
        refused(gl, GOOD_VERTEX, BROKEN_FRAGMENT);
        gl.hook(Hook::Draw("the next one"));
        let left = (1..64).filter_map(NonZeroU32::new).filter(|&n| unsafe {
            gl.raw().is_shader(glow::NativeShader(n)) || gl.raw().is_program(glow::NativeProgram(n))
        });
        assert_eq!(left.collect::<Vec<_>>(), []);
    });
}

#[test]
fn uniforms_of_every_type_arrive() {
    let fragment = "
        uniform float u_float; uniform int u_int; uniform vec2 u_vec2; uniform vec3 u_vec3; uniform vec4 u_vec4;
        uniform mat3 u_mat3; uniform mat4 u_mat4; uniform float u_array[2];
        out vec4 o;
        void main() {
            int x = int(gl_FragCoord.x);
            if (x == 0) o = vec4(u_float);
            if (x == 1) o = vec4(float(u_int) / 255.0);
            if (x == 2) o = vec4(u_vec2, 0.0, 1.0);
            if (x == 3) o = vec4(u_vec3, 1.0);
            if (x == 4) o = u_vec4;
            if (x == 5) o = vec4(u_mat3 * vec3(0.0, 1.0, 0.0), 1.0);
            if (x == 6) o = u_mat4 * vec4(0.0, 0.0, 1.0, 0.0);
            if (x == 7) o = vec4(u_array[0], u_array[1], 0.0, 1.0);
        }";
    in_context(DebugLevel::Panic, |gl| {
        let target = target(gl, 8, 1);
        let program = program(gl, WHOLE, fragment);
        program.use_program();
        program.set(&program.uniform("u_float").expect("of that type"), 0.2_f32);
        program.set(&program.uniform("u_int").expect("of that type"), 102_i32);
        program.set(&program.uniform("u_vec2").expect("of that type"), Vec2::new(0.2, 0.4));
        program.set(&program.uniform("u_vec3").expect("of that type"), Vec3::new(0.2, 0.4, 0.6));
        program.set(&program.uniform("u_vec4").expect("of that type"), Vec4::new(0.2, 0.4, 0.6, 0.8));
        // The middle column, and not the middle row.
        program.set(
            &program.uniform("u_mat3").expect("of that type"),
            Mat3::from_cols(Vec3::ONE, Vec3::new(0.2, 0.4, 0.6), Vec3::ZERO),
        );
        let column = Vec4::new(0.8, 0.6, 0.4, 0.2);
        program.set(
            &program.uniform("u_mat4").expect("of that type"),
            Mat4::from_cols(Vec4::ONE, Vec4::ONE, column, Vec4::ZERO),
        );
        program.set(&program.uniform("u_array[0]").expect("of that type"), 0.6_f32); // the bare name is the whole array
        program.set(&program.uniform("no_such_uniform").expect("of that type"), 1.0_f32); // and this is no error
        gl.hook(Hook::Draw("test"));
        whole(gl).draw();
        gl.hook(Hook::Draw("test"));
        let got = pixels(gl, &target);
        let want = [
            [51, 51, 51, 51],
            [102, 102, 102, 102],
            [51, 102, 0, 255],
            [51, 102, 153, 255],
            [51, 102, 153, 204],
            [51, 102, 153, 255],
            [204, 153, 102, 51],
            [153, 0, 0, 255],
        ];
        for (i, (got, want)) in got.into_iter().zip(want).enumerate() {
            assert_near(got, want, &format!("uniform {i}"));
        }
    });
}

#[test]
fn uniform_blocks_read_the_buffer_at_their_binding_point() {
    let fragment = "
        layout(std140) uniform Colours { vec4 u_colours[2]; };
        out vec4 o;
        void main() { o = u_colours[int(gl_FragCoord.x)]; }";
    in_context(DebugLevel::Panic, |gl| {
        let target = target(gl, 2, 1);
        let program = program(gl, WHOLE, fragment);
        assert!(program.bind_block("Colours", 3));
        assert!(!program.bind_block("NoSuchBlock", 4));
        let colours = [[0.2_f32, 0.4, 0.6, 0.8], [0.8, 0.6, 0.4, 0.2]];
        let mut buffer = Buffer::uniform(gl, &colours, Usage::Stream).expect("a buffer");
        buffer.bind_base(3);
        program.use_program();
        let mesh = whole(gl);
        mesh.draw();
        assert_near(pixels(gl, &target)[0], [51, 102, 153, 204], "first");
        assert_near(pixels(gl, &target)[1], [204, 153, 102, 51], "second");
        // What is written later is read at the same binding point.
        buffer.write(&[colours[1], colours[0]]);
        mesh.draw();
        assert_near(pixels(gl, &target)[0], [204, 153, 102, 51], "first, rewritten");
        gl.hook(Hook::Draw("test"));
    });
}

// --- objects and their names ---

/// The name that is bound at a binding point.
fn bound(gl: &Gl, point: u32) -> NonZeroU32 {
    let name = unsafe { gl.raw().get_parameter_i32(point) };
    u32::try_from(name)
        .ok()
        .and_then(NonZeroU32::new)
        .unwrap_or_else(|| panic!("nothing is bound at {point:#x}"))
}

#[test]
fn handles_free_their_objects_on_drop_and_on_delete() {
    in_context(DebugLevel::Off, |gl| {
        let raw = gl.raw();
        let target = target(gl, 2, 2);
        let name = glow::NativeFramebuffer(bound(gl, glow::FRAMEBUFFER_BINDING));
        let depth = glow::NativeRenderbuffer(bound(gl, glow::RENDERBUFFER_BINDING));
        for explicit in [false, true] {
            let buffer = Buffer::vertices(gl, &[1.0_f32], Usage::Static).expect("a buffer");
            let name = glow::NativeBuffer(bound(gl, glow::ARRAY_BUFFER_BINDING));
            assert!(unsafe { raw.is_buffer(name) });
            if explicit {
                buffer.delete();
            } else {
                drop(buffer);
            }
            assert!(!unsafe { raw.is_buffer(name) }, "buffer, explicit: {explicit}");

            let options = TextureOptions::default();
            let texture = Texture::rgba8(gl, "t", Size::new(1, 1), &[0; 4], &options).expect("a texture");
            let name = glow::NativeTexture(bound(gl, glow::TEXTURE_BINDING_2D));
            assert!(unsafe { raw.is_texture(name) });
            if explicit {
                texture.delete();
            } else {
                drop(texture);
            }
            assert!(!unsafe { raw.is_texture(name) }, "texture, explicit: {explicit}");

            let program = program(gl, WHOLE, "out vec4 o; void main() { o = vec4(1.0); }");
            program.use_program();
            let name = glow::NativeProgram(bound(gl, glow::CURRENT_PROGRAM));
            let shaders = unsafe { raw.get_program_parameter_i32(name, glow::ATTACHED_SHADERS) };
            assert_eq!(shaders, 0, "shaders are freed once the program is linked");
            // A program in use would live on until another is used.
            unsafe { raw.use_program(None) };
            assert!(unsafe { raw.is_program(name) });
            if explicit {
                program.delete();
            } else {
                drop(program);
            }
            assert!(!unsafe { raw.is_program(name) }, "program, explicit: {explicit}");

            let mesh =
                Mesh::indexed(gl, Primitive::Points, &[Nothing { unused: 0.0 }], &[0]).expect("a mesh");
            mesh.draw();
            let name = glow::NativeVertexArray(bound(gl, glow::VERTEX_ARRAY_BINDING));
            let indices = glow::NativeBuffer(bound(gl, glow::ELEMENT_ARRAY_BUFFER_BINDING));
            let mut vertices = [0.0];
            unsafe {
                let what = glow::VERTEX_ATTRIB_ARRAY_BUFFER_BINDING;
                raw.get_vertex_attrib_parameter_f32_slice(9, what, &mut vertices);
            }
            let vertices = glow::NativeBuffer(NonZeroU32::new(vertices[0] as u32).expect("vertices"));
            // There is no glIsVertexArray in glow: one that exists can be bound.
            let is_vertex_array = |name| unsafe {
                raw.bind_vertex_array(Some(name));
                let found = raw.get_error() == glow::NO_ERROR;
                raw.bind_vertex_array(None);
                found
            };
            assert_eq!(unsafe { raw.get_error() }, glow::NO_ERROR, "so far");
            assert!(is_vertex_array(name));
            assert!(unsafe { raw.is_buffer(indices) && raw.is_buffer(vertices) });
            if explicit {
                mesh.delete();
            } else {
                drop(mesh);
            }
            assert!(!is_vertex_array(name), "vertex array, explicit: {explicit}");
            assert!(!unsafe { raw.is_buffer(indices) || raw.is_buffer(vertices) }, "the mesh's buffers");
        }
        assert!(unsafe { raw.is_framebuffer(name) && raw.is_renderbuffer(depth) });
        drop(target);
        assert!(!unsafe { raw.is_framebuffer(name) || raw.is_renderbuffer(depth) }, "render target");
        assert_eq!(unsafe { raw.get_error() }, glow::NO_ERROR);
    });
}

#[test]
fn handles_that_outlive_their_context_free_nothing() {
    let (buffer, texture) = in_context(DebugLevel::Panic, |gl| {
        let buffer = Buffer::vertices(gl, &[1.0_f32], Usage::Static).expect("a buffer");
        let texture = Texture::rgba8(gl, "t", Size::new(1, 1), &[0; 4], &TextureOptions::default());
        (buffer, texture.expect("a texture"))
    });
    // In another context the same names are somebody else's.
    in_context(DebugLevel::Panic, |gl| {
        let ours = Buffer::vertices(gl, &[1.0_f32], Usage::Static).expect("a buffer");
        let our_buffer = glow::NativeBuffer(bound(gl, glow::ARRAY_BUFFER_BINDING));
        let our_texture = Texture::rgba8(gl, "t", Size::new(1, 1), &[0; 4], &TextureOptions::default());
        let texture_name = glow::NativeTexture(bound(gl, glow::TEXTURE_BINDING_2D));
        buffer.delete();
        drop(texture);
        assert!(unsafe { gl.raw().is_buffer(our_buffer) && gl.raw().is_texture(texture_name) });
        drop((ours, our_texture));
    });
}

// --- vertices ---

/// Draws three vertices of one layout, whose first attribute comes out on the left and whose second on the right.
fn attributes_of<V: VertexLayout>(vertex: V) -> [[u8; 4]; 2] {
    let reads = "
        layout(location = 0) in vec4 a_value;
        layout(location = 1) in vec4 a_extra;
        flat out vec4 v_value;
        flat out vec4 v_extra;
        void main() {
            gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
            v_value = a_value;
            v_extra = a_extra;
        }";
    let shows = "
        flat in vec4 v_value;
        flat in vec4 v_extra;
        out vec4 o;
        void main() { o = gl_FragCoord.x < 1.0 ? v_value : v_extra; }";
    in_context(DebugLevel::Panic, |gl| {
        let target = target(gl, 2, 1);
        let program = program(gl, reads, shows);
        // The first vertex differs, so that a wrong stride is seen.
        let mesh = Mesh::new(gl, Primitive::Triangles, &[V::zeroed(), V::zeroed(), vertex]).expect("a mesh");
        program.use_program();
        mesh.draw();
        gl.hook(Hook::Draw("test"));
        let got = pixels(gl, &target);
        [got[0], got[1]]
    })
}

macro_rules! attribute_test {
    ($($test:ident: $type:ty = $value:expr => $want:expr;)+) => {$(
        #[test]
        fn $test() {
            // In memory the other way round than in the layout, so that locations and offsets cannot be confused.
            #[derive(Copy, Clone, Pod, Zeroable)]
            #[repr(C)]
            #[bytemuck(crate = "scanout::gl::bytemuck")]
            struct Vertex {
                extra: [f32; 4],
                value: $type,
            }
            vertex_layout!(Vertex { value, extra });
            let [value, extra] = attributes_of(Vertex { extra: [0.1, 0.3, 0.5, 0.7], value: $value });
            assert_near(value, $want, "value");
            assert_near(extra, [26, 77, 128, 179], "extra");
        }
    )+};
}

// What an attribute does not give is 0, and 1 for the fourth.
attribute_test! {
    attribute_f32_is_read: f32 = 0.2 => [51, 0, 0, 255];
    attribute_f32x2_is_read: [f32; 2] = [0.2, 0.4] => [51, 102, 0, 255];
    attribute_f32x3_is_read: [f32; 3] = [0.2, 0.4, 0.6] => [51, 102, 153, 255];
    attribute_f32x4_is_read: [f32; 4] = [0.2, 0.4, 0.6, 0.8] => [51, 102, 153, 204];
    attribute_vec2_is_read: Vec2 = Vec2::new(0.2, 0.4) => [51, 102, 0, 255];
    attribute_vec3_is_read: Vec3 = Vec3::new(0.2, 0.4, 0.6) => [51, 102, 153, 255];
    attribute_vec4_is_read: Vec4 = Vec4::new(0.2, 0.4, 0.6, 0.8) => [51, 102, 153, 204];
    attribute_quat_is_read: Quat = Quat::from_xyzw(0.2, 0.4, 0.6, 0.8) => [51, 102, 153, 204];
    attribute_u8x4_is_read_as_fractions: [u8; 4] = [51, 102, 153, 204] => [51, 102, 153, 204];
}

#[test]
fn indices_choose_vertices_and_those_out_of_range_are_refused() {
    in_context(DebugLevel::Panic, |gl| {
        let vertices = [Nothing { unused: 0.0 }; 3];
        let refused = |indices: &[u32]| {
            let e =
                Mesh::indexed(gl, Primitive::Triangles, &vertices, indices).map(|_| ()).expect_err("refused");
            e.to_string()
        };
        assert!(refused(&[0, 1, 3]).contains("index 3 of a mesh of 3 vertices"));
        assert!(refused(&[u32::MAX]).contains(&u32::MAX.to_string()));
        let none: [Nothing; 0] = [];
        assert!(Mesh::indexed(gl, Primitive::Triangles, &none, &[0]).is_err());

        let target = target(gl, 4, 1);
        // The vertex with the number n is the pixel n.
        let program = program(
            gl,
            "void main() { gl_Position = vec4((float(gl_VertexID) + 0.5) / 2.0 - 1.0, 0.0, 0.0, 1.0); }",
            "out vec4 o; void main() { o = vec4(1.0); }",
        );
        program.use_program();
        let vertices = [Nothing { unused: 0.0 }; 4];
        let mesh = Mesh::indexed(gl, Primitive::Points, &vertices, &[3, 1]).expect("a mesh");
        assert_eq!(mesh.count(), 2);
        mesh.draw();
        let lit: Vec<bool> = pixels(gl, &target).iter().map(|p| p[0] == 255).collect();
        assert_eq!(lit, [false, true, false, true]);
        // Nothing at all is nothing, and no error.
        Mesh::indexed(gl, Primitive::Triangles, &none, &[]).expect("an empty mesh").draw();
        Mesh::new(gl, Primitive::Triangles, &none).expect("an empty mesh").draw_instanced(3);
        gl.hook(Hook::Draw("test"));
    });
}

// --- buffers ---

#[derive(Copy, Clone, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Dot {
    x: f32,
    colour: [u8; 4],
}
vertex_layout!(Dot, from 1 { x, colour });

const ROW: u32 = 128;

/// The colour of dot `i` in frame `frame`: never black, so that a missing dot is seen.
fn dot_colour(frame: usize, i: usize) -> [u8; 4] {
    [(frame * 7 % 250 + 3) as u8, (i * 5 % 250 + 3) as u8, ((frame + i) * 11 % 250 + 3) as u8, 255]
}

fn dots(frame: usize, n: usize) -> Vec<Dot> {
    (0..n)
        .map(|i| Dot { x: (i as f32 + 0.5) / (ROW / 2) as f32 - 1.0, colour: dot_colour(frame, i) })
        .collect()
}

/// One buffer, written anew for each of many frames of which none is waited for, with sizes that grow beyond what it
/// had, shrink and come back: every frame shows what was written for it.
fn write_storm(usage: Usage) {
    let vertex = "
        layout(location = 1) in float a_x;
        layout(location = 2) in vec4 a_colour;
        flat out vec4 v_colour;
        void main() { gl_Position = vec4(a_x, 0.0, 0.0, 1.0); v_colour = a_colour; }";
    let fragment = "flat in vec4 v_colour; out vec4 o; void main() { o = v_colour; }";
    let counts: Vec<usize> =
        [4, 4, 100, 3, 0, 1, 128, 127, 60, 60, 2, 100].into_iter().cycle().take(72).collect();
    in_context(DebugLevel::Panic, |gl| {
        let program = program(gl, vertex, fragment);
        let mut buffer = Buffer::<Dot>::vertices(gl, &[], usage).expect("a buffer");
        assert!(buffer.is_empty());
        let mut mesh = Mesh::new(gl, Primitive::Points, &[Nothing { unused: 0.0 }]).expect("a mesh");
        mesh.attach_instances(&buffer);
        let targets: Vec<RenderTarget> = counts.iter().map(|_| target(gl, ROW, 1)).collect();
        program.use_program();
        for (frame, (&n, target)) in counts.iter().zip(&targets).enumerate() {
            buffer.write(&dots(frame, n));
            assert_eq!(buffer.len(), n);
            draw_to(gl, target);
            mesh.draw_instanced(buffer.len());
        }
        gl.hook(Hook::Draw("test"));
        for (frame, (&n, target)) in counts.iter().zip(&targets).enumerate() {
            target.bind();
            for (i, &got) in pixels(gl, target).iter().enumerate() {
                let want = if i < n { dot_colour(frame, i) } else { [0; 4] };
                assert_eq!(got, want, "frame {frame}, dot {i} of {n}");
            }
        }
    });
}

#[test]
fn stream_buffer_written_each_frame_reaches_every_frame_in_flight() {
    write_storm(Usage::Stream);
}

#[test]
fn static_buffer_written_again_reaches_every_frame_in_flight() {
    write_storm(Usage::Static);
}

#[test]
fn buffer_storage_grows_with_what_is_written_and_is_kept() {
    in_context(DebugLevel::Panic, |gl| {
        let mut buffer = Buffer::vertices(gl, &[0.0_f32; 10], Usage::Stream).expect("a buffer");
        let size = || unsafe { gl.raw().get_buffer_parameter_i32(glow::ARRAY_BUFFER, glow::BUFFER_SIZE) };
        let contents = |n: usize| {
            let mut bytes = vec![0; n * 4];
            unsafe { gl.raw().get_buffer_sub_data(glow::ARRAY_BUFFER, 0, &mut bytes) };
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>()
        };
        assert_eq!(size(), 40);
        for (n, stored) in [(5, 40), (20, 80), (1, 80), (20, 80), (0, 80)] {
            let values: Vec<f32> = (0..n).map(|i| (i + n) as f32).collect();
            buffer.write(&values);
            assert_eq!((buffer.len(), size()), (n, stored));
            assert_eq!(contents(n), values);
        }
    });
}

// --- textures ---

const SAMPLE: &str = "
    uniform sampler2D u_texture; uniform vec2 u_at; uniform float u_level;
    out vec4 o;
    void main() { o = textureLod(u_texture, u_at, u_level); }";

/// What the texture reads at a place (0, 0 is the upper left) and mip level.
fn sample(gl: &Gl, texture: &Texture, at: Vec2, level: f32) -> [u8; 4] {
    let target = target(gl, 1, 1);
    let program = program(gl, WHOLE, SAMPLE);
    texture.bind(5);
    program.use_program();
    program.set(&program.uniform("u_texture").expect("of that type"), 5);
    program.set(&program.uniform("u_at").expect("of that type"), at);
    program.set(&program.uniform("u_level").expect("of that type"), level);
    whole(gl).draw();
    gl.hook(Hook::Draw("test"));
    pixels(gl, &target)[0]
}

fn plain_options() -> TextureOptions {
    let mut options = TextureOptions::default();
    (options.srgb, options.mipmaps) = (false, false);
    (options.magnify, options.minify) = (Filter::Nearest, Filter::Nearest);
    options
}

#[test]
fn textures_that_cannot_be_are_refused_with_their_name() {
    in_context(DebugLevel::Panic, |gl| {
        let refused = |size: Size, bytes: usize| {
            let e = Texture::rgba8(gl, "wood", size, &vec![0; bytes], &TextureOptions::default());
            e.map(|_| ()).expect_err("refused").to_string()
        };
        let too_large = gl.caps().max_texture_size + 1;
        for text in [
            refused(Size::new(2, 2), 15),
            refused(Size::new(2, 2), 17),
            refused(Size::new(0, 2), 0),
            refused(Size::new(too_large, 1), too_large as usize * 4),
            refused(Size::new(1, too_large), too_large as usize * 4),
            refused(Size::new(u32::MAX, u32::MAX), 4),
        ] {
            assert!(text.contains("`wood`"), "{text}");
        }
        assert!(refused(Size::new(too_large, 1), 4).contains(&gl.caps().max_texture_size.to_string()));
        gl.hook(Hook::Draw("the driver was never asked"));
    });
}

#[test]
fn texture_rows_are_from_top_to_bottom() {
    in_context(DebugLevel::Panic, |gl| {
        let (red, green, blue, white) = ([255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [255; 4]);
        let texels = [red, green, blue, white].concat();
        let texture = Texture::rgba8(gl, "t", Size::new(2, 2), &texels, &plain_options()).expect("a texture");
        assert_eq!(texture.size(), Size::new(2, 2));
        for (u, v, want) in [(0.25, 0.25, red), (0.75, 0.25, green), (0.25, 0.75, blue), (0.75, 0.75, white)]
        {
            assert_eq!(sample(gl, &texture, Vec2::new(u, v), 0.0), want, "{u}, {v}");
        }
    });
}

#[test]
fn srgb_textures_are_read_as_linear_light() {
    in_context(DebugLevel::Panic, |gl| {
        // IEC 61966-2-1: 188 of 255 is about half the light; alpha is never encoded.
        for (srgb, want) in [(true, [128, 128, 128, 188]), (false, [188; 4])] {
            let mut options = plain_options();
            options.srgb = srgb;
            let texture = Texture::rgba8(gl, "t", Size::new(1, 1), &[188; 4], &options).expect("a texture");
            assert_near(sample(gl, &texture, Vec2::splat(0.5), 0.0), want, &format!("srgb {srgb}"));
        }
    });
}

#[test]
fn mip_levels_average_light_and_are_absent_when_not_asked_for() {
    in_context(DebugLevel::Panic, |gl| {
        // A chequerboard: every level below the first is an even grey.
        let texels: Vec<u8> = (0..64)
            .flat_map(|i| if (i % 8 + i / 8) % 2 == 0 { [255, 255, 255, 255] } else { [0, 0, 0, 255] })
            .collect();
        for srgb in [false, true] {
            let mut options = TextureOptions::default();
            options.srgb = srgb;
            let texture = Texture::rgba8(gl, "t", Size::new(8, 8), &texels, &options).expect("a texture");
            for level in 1..=3 {
                let got = sample(gl, &texture, Vec2::new(0.5, 0.5), level as f32);
                // Half the light, however it is stored. A level stored as sRGB rounds in its own steps.
                assert!(got[0].abs_diff(128) <= 3, "srgb {srgb}, level {level}: {got:?}");
            }
            let mut options = plain_options();
            options.srgb = srgb;
            let texture = Texture::rgba8(gl, "t", Size::new(8, 8), &texels, &options).expect("a texture");
            let got = sample(gl, &texture, Vec2::new(0.5 / 8.0, 0.5 / 8.0), 3.0);
            assert_eq!(got, [255; 4], "without mip levels the whole picture is read");
        }
        // Sizes that are no powers of two have levels down to one texel as well.
        let texels = vec![200; 5 * 3 * 4];
        let mut options = TextureOptions::default();
        options.srgb = false;
        let texture = Texture::rgba8(gl, "t", Size::new(5, 3), &texels, &options).expect("a texture");
        assert_near(sample(gl, &texture, Vec2::splat(0.5), 2.0), [200; 4], "5x3");
    });
}

#[test]
fn wrapping_and_filtering_are_as_asked() {
    in_context(DebugLevel::Panic, |gl| {
        let texels: Vec<u8> = [10, 20, 30, 40].into_iter().flat_map(|v| [v, 0, 0, 255]).collect();
        let texture = |size, wrap, filter| {
            let mut options = plain_options();
            (options.wrap, options.magnify) = (wrap, filter);
            Texture::rgba8(gl, "t", size, &texels, &options).expect("a texture")
        };
        let (wide, tall) = (Size::new(4, 1), Size::new(1, 4));
        for (wrap, want) in [(Wrap::Repeat, 10), (Wrap::Mirror, 40), (Wrap::Clamp, 40)] {
            let beyond = 1.125;
            let across = texture(wide, (wrap, Wrap::Clamp), Filter::Nearest);
            assert_eq!(sample(gl, &across, Vec2::new(beyond, 0.5), 0.0)[0], want, "{wrap:?} across");
            let down = texture(tall, (Wrap::Clamp, wrap), Filter::Nearest);
            assert_eq!(sample(gl, &down, Vec2::new(0.5, beyond), 0.0)[0], want, "{wrap:?} down");
        }
        let mirrored_further = texture(wide, (Wrap::Mirror, Wrap::Clamp), Filter::Nearest);
        assert_eq!(sample(gl, &mirrored_further, Vec2::new(1.875, 0.5), 0.0)[0], 10);
        let between = Vec2::new(0.5, 0.5);
        let clamp = (Wrap::Clamp, Wrap::Clamp);
        let blended = sample(gl, &texture(wide, clamp, Filter::Linear), between, 0.0)[0];
        assert!(blended.abs_diff(25) <= 1, "{blended}");
    });
}

// --- fences, targets, reading back ---

#[test]
fn fences_report_every_frame_once_and_in_order() {
    in_context(DebugLevel::Panic, |gl| {
        let target = target(gl, 64, 64);
        let mut ring = FenceRing::new(gl);
        let mut seen: Vec<u64> = Vec::new();
        ring.poll(|id| seen.push(id.0));
        assert!(seen.is_empty());
        let draw = || unsafe { gl.raw().clear(glow::COLOR_BUFFER_BIT) };
        for id in 1..=200 {
            draw();
            ring.insert(FrameId(id));
            unsafe { gl.raw().flush() };
            ring.poll(|id| seen.push(id.0));
            if id % 7 == 0 {
                // Some frames take longer than others.
                unsafe { gl.raw().finish() };
            }
        }
        unsafe { gl.raw().finish() };
        ring.poll(|id| seen.push(id.0));
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
        ring.poll(|id| panic!("{id} was reported already"));

        // Nobody looks for longer than the ring holds: the oldest are given up, the rest stay in order.
        for id in 201..=220 {
            draw();
            ring.insert(FrameId(id));
        }
        unsafe { gl.raw().finish() };
        seen.clear();
        ring.poll(|id| seen.push(id.0));
        assert_eq!(seen.last(), Some(&220));
        assert!(seen.len() >= 3 && seen.windows(2).all(|w| w[1] == w[0] + 1), "{seen:?}");
        drop(target);
    });
}

#[test]
fn read_pixels_starts_at_the_top_left() {
    in_context(DebugLevel::Panic, |gl| {
        // Odd sizes: rows must not be padded.
        let target = target(gl, 5, 3);
        // A window's rows are counted from below: the row that is the lowest there comes last.
        let fragment =
            "out vec4 o; void main() { o = vec4(floor(gl_FragCoord.xy) * 10.0 / 255.0, 0.0, 1.0); }";
        program(gl, WHOLE, fragment).use_program();
        whole(gl).draw();
        let got = pixels(gl, &target);
        for (i, &got) in got.iter().enumerate() {
            let (x, y) = (i % 5, i / 5);
            assert_near(got, [x as u8 * 10, (2 - y) as u8 * 10, 0, 255], &format!("{x}, {y}"));
        }
    });
}

/// An error flag that somebody else left behind is not the reading's.
#[test]
fn read_pixels_after_somebody_elses_error_still_reads() {
    in_context(DebugLevel::Off, |gl| {
        let target = target(gl, 2, 2);
        provoke(gl);
        assert_eq!(pixels(gl, &target).len(), 4);
    });
}

#[test]
fn read_pixels_of_no_framebuffer_is_an_error() {
    in_context(DebugLevel::Off, |gl| {
        unsafe { gl.raw().bind_framebuffer(glow::FRAMEBUFFER, None) };
        let e = read_pixels(gl, Size::new(2, 2)).expect_err("there is nothing to read");
        assert!(e.to_string().contains("GL_INVALID_FRAMEBUFFER_OPERATION"), "{e}");
    });
}

#[test]
fn render_target_takes_every_new_size() {
    in_context(DebugLevel::Panic, |gl| {
        let mut target = target(gl, 8, 8);
        program(gl, WHOLE, "out vec4 o; void main() { o = vec4(1.0, 0.5, 0.0, 1.0); }").use_program();
        let mesh = whole(gl);
        for (width, height) in [(200, 100), (1, 1), (64, 256), (333, 7), (8, 8)] {
            target.resize(Size::new(width, height)).expect("a size");
            draw_to(gl, &target);
            unsafe {
                gl.raw().enable(glow::DEPTH_TEST);
                mesh.draw();
                gl.raw().disable(glow::DEPTH_TEST);
            }
            let got = pixels(gl, &target);
            assert_eq!(got.len(), (width * height) as usize);
            got.into_iter().for_each(|p| assert_near(p, [255, 128, 0, 255], &format!("{width}x{height}")));
        }
        gl.hook(Hook::Draw("test"));
        let size = target.size();
        assert!(target.resize(Size::new(1 << 20, 1 << 20)).is_err());
        assert_eq!(target.size(), size, "a size that was refused is not taken over");
        assert!(RenderTarget::new(gl, Size::new(1 << 20, 1)).is_err());
    });
}

// --- debug hooks ---

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LOG.with_borrow_mut(|log| log.push(format!("{}: {}", record.level(), record.args())));
        }
    }

    fn flush(&self) {}
}

/// What this thread logged since the last call.
fn logged() -> Vec<String> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Keeper).expect("the first logger");
        log::set_max_level(log::LevelFilter::Warn);
    });
    LOG.take()
}

/// Makes the driver report GL_INVALID_ENUM.
fn provoke(gl: &Gl) {
    unsafe { gl.raw().enable(0xDEAD) };
}

fn hooks_do_what_their_level_says(gl: &Gl) {
    logged();
    assert_eq!(gl.debug_level(), DebugLevel::Panic);
    gl.hook(Hook::Draw("clean"));
    assert_eq!(logged(), [""; 0]);

    // Panic: before a draw and at a link, with the name.
    for (hook, text) in
        [(Hook::Draw("teapot"), "before draw `teapot`"), (Hook::Link("paint"), "at link of program `paint`")]
    {
        provoke(gl);
        let message = panic_text(|| gl.hook(hook)).expect("an error stops the program");
        assert!(message.starts_with(&format!("OpenGL error {text}: ")), "{message}");
        assert!(message.contains("GL_INVALID_ENUM"), "{message}");
        assert!(logged().iter().any(|l| l.starts_with("ERROR") && l.contains(text)));
        gl.hook(hook); // and is reported once
    }
    // Elsewhere the error is logged. Reading it takes it from the driver, and yet the next hook that stops the program
    // does so, with both names: an error must not be forgotten because it was seen in a harmless place.
    for (hook, text) in
        [(Hook::Bind("wood"), "at bind of texture `wood`"), (Hook::FrameEnd, "at the end of the frame")]
    {
        for (stop, at) in
            [(Hook::Draw("next"), "before draw `next`"), (Hook::Link("next"), "at link of program `next`")]
        {
            provoke(gl);
            gl.hook(hook);
            let log = logged();
            assert!(log.iter().any(|l| l.starts_with("ERROR") && l.contains(text)), "{log:?}");
            gl.hook(Hook::FrameEnd); // however many harmless places come between
            let message = panic_text(|| gl.hook(stop)).expect("an error that was logged stops the program");
            assert!(message.starts_with(&format!("OpenGL error {at}: ")), "{message}");
            assert!(message.contains("GL_INVALID_ENUM") && message.contains(text), "{message}");
            assert_eq!(logged(), [""; 0], "it was logged when it was seen");
            gl.hook(stop); // and is reported once
        }
    }
    let texture = Texture::rgba8(gl, "bark", Size::new(1, 1), &[0; 4], &plain_options()).expect("a texture");
    provoke(gl);
    texture.bind(0);
    assert!(logged().iter().any(|l| l.contains("`bark`")), "binding looks");
    assert!(panic_text(|| gl.hook(Hook::Draw("tree"))).expect("it stops the program").contains("`bark`"));

    // Log: never more than a line, and nothing owed to a level that is switched to later.
    gl.set_debug_level(DebugLevel::Log);
    assert_eq!(gl.debug_level(), DebugLevel::Log);
    provoke(gl);
    gl.hook(Hook::Draw("teapot"));
    let log = logged();
    assert!(log.iter().any(|l| l.starts_with("ERROR") && l.contains("before draw `teapot`")), "{log:?}");
    provoke(gl);
    gl.hook(Hook::FrameEnd);
    gl.set_debug_level(DebugLevel::Panic);
    gl.hook(Hook::Draw("innocent"));
    provoke(gl);
    gl.hook(Hook::FrameEnd);
    gl.set_debug_level(DebugLevel::Log);
    gl.set_debug_level(DebugLevel::Panic);
    gl.hook(Hook::Draw("innocent"));
    logged();

    // Off: nothing.
    gl.set_debug_level(DebugLevel::Off);
    provoke(gl);
    gl.hook(Hook::Draw("teapot"));
    assert_eq!(logged(), [""; 0]);

    // Back on: an error of the time in between is not blamed on the first draw after it; the next one is seen.
    gl.set_debug_level(DebugLevel::Panic);
    assert_eq!(panic_text(|| gl.hook(Hook::Draw("innocent"))), None);
    provoke(gl);
    assert!(panic_text(|| gl.hook(Hook::Draw("guilty"))).expect("an error").contains("`guilty`"));
    logged();
}

#[test]
fn debug_hooks_do_what_their_level_says_and_switch_while_running() {
    in_context(DebugLevel::Panic, |gl| {
        assert!(gl.caps().debug_output, "Mesa and every current driver have KHR_debug");
        hooks_do_what_their_level_says(gl);
    });
    in_context(DebugLevel::Off, |gl| {
        provoke(gl);
        gl.hook(Hook::Draw("teapot"));
        gl.set_debug_level(DebugLevel::Panic);
        hooks_do_what_their_level_says(gl);
    });
}

/// Errors that were noticed but not looked at before the hooks were switched off are gone as well.
#[test]
fn debug_hooks_switched_off_and_on_forget_what_was_before() {
    in_context(DebugLevel::Panic, |gl| {
        provoke(gl);
        gl.set_debug_level(DebugLevel::Off);
        gl.set_debug_level(DebugLevel::Panic);
        assert_eq!(panic_text(|| gl.hook(Hook::Draw("innocent"))), None);
    });
}

/// In a process of its own, because Mesa reads the variables that take KHR_debug away when a context is made.
#[test]
fn debug_hooks_without_khr_debug_ask_for_errors() {
    const INSIDE: &str = "SCANOUT_TEST_WITHOUT_KHR_DEBUG";
    if std::env::var_os(INSIDE).is_some() {
        in_context(DebugLevel::Panic, |gl| {
            println!("debug_output: {}", gl.caps().debug_output);
            hooks_do_what_their_level_says(gl);
        });
        return;
    }
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "debug_hooks_without_khr_debug_ask_for_errors", "--nocapture"])
        .env(INSIDE, "1")
        .env("MESA_GL_VERSION_OVERRIDE", "3.3")
        .env("MESA_EXTENSION_OVERRIDE", "-GL_KHR_debug")
        .output()
        .expect("this program runs again");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    // Other drivers than Mesa cannot be told; there the child has tested the usual way once more.
    let mesa = in_context(DebugLevel::Off, |gl| gl.caps().version.contains("Mesa"));
    assert!(!mesa || text.contains("debug_output: false"), "{text}");
}

struct Still;

impl Logic for Still {
    type Snapshot = ();
    fn update(&mut self, _: &Tick) {}
    fn extract(&self, (): &mut ()) {}
}

/// Draws wrongly: an OpenGL error before a draw.
struct Sloppy {
    program: Program,
    mesh: Mesh,
}

impl Renderer<()> for Sloppy {
    fn render(&mut self, (): &(), frame: &mut Frame<'_>) {
        provoke(frame.gl());
        frame.draw(&self.program, &self.mesh);
    }
}

#[test]
fn an_error_before_a_draw_ends_the_run_with_the_programs_name() {
    let config = |debug| Config {
        size: Size::new(16, 16),
        debug,
        frame_limit: Some(3),
        shutdown_timeout: Duration::from_secs(20),
        ..Config::default()
    };
    let make = |cx: &CreateContext<'_>| {
        let program = program(cx.gl, WHOLE, "out vec4 o; void main() { o = vec4(1.0); }");
        Ok(Sloppy { program, mesh: whole(cx.gl) })
    };
    match headless::run(&config(DebugLevel::Panic), Still, make) {
        Err(Error::ThreadPanicked { thread: ThreadName::Render, message }) => {
            assert!(
                message.contains("before draw `test`") && message.contains("GL_INVALID_ENUM"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    let summary = headless::run(&config(DebugLevel::Off), Still, make).expect("nobody looks");
    assert_eq!(summary.frames, 3);
}

// --- what models are drawn with ---

#[test]
fn canvas_takes_what_samples_there_are_and_refuses_what_cannot_be() {
    in_context(DebugLevel::Panic, |gl| {
        let most = gl.caps().max_samples;
        for (asked, given) in [(0, 1), (1, 1), (4, 4), (10_000, most)] {
            let canvas = Canvas::new(gl, Size::new(8, 4), asked).expect("a canvas");
            assert_eq!((canvas.samples(), canvas.size()), (given, Size::new(8, 4)), "{asked}");
        }
        let mut canvas = Canvas::new(gl, Size::new(8, 4), 4).expect("a canvas");
        for size in [Size::new(0, 4), Size::new(gl.caps().max_target_size + 1, 4)] {
            assert!(matches!(canvas.resize(size), Err(Error::Gl { .. })), "{size:?}");
            assert_eq!(canvas.size(), Size::new(8, 4), "it is left as it was");
        }
        canvas.resize(Size::new(3, 5)).expect("another size");
        assert_eq!(canvas.size(), Size::new(3, 5));
    });
}

#[test]
fn depth_texture_says_what_lies_behind_what_was_drawn() {
    in_context(DebugLevel::Panic, |gl| {
        let map = DepthTexture::new(gl, 16).expect("a map");
        let draw = program(gl, WHOLE, "void main() {}");
        map.begin(0.0, 0.0);
        unsafe { gl.raw().enable(glow::DEPTH_TEST) };
        draw.use_program();
        whole(gl).draw();
        map.end();
        unsafe { gl.raw().disable(glow::DEPTH_TEST) };
        let look = program(
            gl,
            WHOLE,
            "uniform sampler2DShadow map; out vec4 o;
            void main() { o = vec4(texture(map, vec3(0.5, 0.5, 0.4)), texture(map, vec3(0.5, 0.5, 0.6)),
                texture(map, vec3(1.5, 0.5, 0.9)), 1.0); }",
        );
        let picture = target(gl, 1, 1);
        map.bind(3);
        look.set(&look.uniform("map").expect("a uniform"), 3);
        whole(gl).draw();
        // What was drawn has depth 0.5: before it is light, behind it is none, beyond the edge there is light.
        assert_near(pixels(gl, &picture)[0], [255, 0, 255, 255], "before, behind, beside");
    });
}

#[test]
fn texture_buffer_is_read_by_index_and_bounded() {
    in_context(DebugLevel::Panic, |gl| {
        assert!(TextureBuffer::limit(gl) >= 65_536);
        let mut list = TextureBuffer::new(gl, &[[0.0; 4]; 3], Usage::Stream).expect("a list");
        // One too many is cut off, not written beyond the end.
        list.write(&[[1.0; 4], [0.0, 1.0, 0.0, 1.0], [1.0; 4], [0.5; 4]]);
        list.bind(2);
        let look = program(
            gl,
            WHOLE,
            "uniform samplerBuffer list; out vec4 o; void main() { o = texelFetch(list, 1); }",
        );
        let picture = target(gl, 1, 1);
        look.set(&look.uniform("list").expect("a uniform"), 2);
        whole(gl).draw();
        assert_near(pixels(gl, &picture)[0], [0, 255, 0, 255], "the second");
    });
}

#[test]
fn texture_cube_shows_its_faces_and_levels_and_wants_them_whole() {
    in_context(DebugLevel::Panic, |gl| {
        // +x red, all else black; the second level is green all over.
        let level = |side: usize, color: fn(usize) -> [f32; 3]| -> Vec<[f32; 3]> {
            (0..6).flat_map(|face| vec![color(face); side * side]).collect()
        };
        let first = level(2, |face| if face == 0 { [1.0, 0.0, 0.0] } else { [0.0; 3] });
        let levels = [first.clone(), level(1, |_| [0.0, 1.0, 0.0])];
        let cube = TextureCube::new(gl, 2, &levels).expect("a cube");
        assert_eq!(cube.levels(), 2);
        let look = program(
            gl,
            WHOLE,
            "uniform samplerCube cube; uniform vec4 at; out vec4 o;
            void main() { o = vec4(textureLod(cube, at.xyz, at.w).rgb, 1.0); }",
        );
        let picture = target(gl, 1, 1);
        cube.bind(1);
        look.set(&look.uniform("cube").expect("a uniform"), 1);
        for (at, want) in [
            (Vec4::new(1.0, 0.0, 0.0, 0.0), [255, 0, 0, 255]),
            (Vec4::new(-1.0, 0.0, 0.0, 0.0), [0, 0, 0, 255]),
            (Vec4::new(0.0, 1.0, 0.0, 1.0), [0, 255, 0, 255]),
        ] {
            look.set(&look.uniform("at").expect("a uniform"), at);
            whole(gl).draw();
            assert_near(pixels(gl, &picture)[0], want, &format!("{at}"));
        }
        for (side, levels) in
            [(2, vec![]), (0, vec![vec![]]), (2, vec![first[1..].to_vec()]), (4, vec![first])]
        {
            assert!(matches!(TextureCube::new(gl, side, &levels), Err(Error::Gl { .. })), "{side}");
        }
    });
}

#[test]
fn mesh_refuses_fewer_values_than_it_has_vertices() {
    in_context(DebugLevel::Panic, |gl| {
        let few = Buffer::vertices(gl, &[Nothing { unused: 0.0 }; 2], Usage::Static).expect("a buffer");
        assert!(matches!(whole(gl).attach_vertices(few), Err(Error::Gl { .. })));
        let enough = Buffer::vertices(gl, &[Nothing { unused: 0.0 }; 3], Usage::Static).expect("a buffer");
        assert!(whole(gl).attach_vertices(enough).is_ok());
    });
}
