//! Streaming against a real driver, off screen: what is written each frame is what that frame draws, by every strategy and
//! for every use, with several frames in flight and nothing read back before the end.
#![allow(clippy::print_stdout, reason = "what this driver can do, for who asks with --nocapture")]
#![allow(unsafe_code, reason = "the driver is asked directly")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here, with objects made in it"
)]

use std::process::Command;

use scanout::gl::bytemuck::{Pod, Zeroable};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::stream::probe;
use scanout::gl::{
    DebugLevel, Gl, Mesh, Primitive, Program, RenderTarget, ShaderSource, Strategy, StreamError, StreamRange,
    StreamRing, StreamTarget, Texture, TextureOptions, read_pixels,
};
use scanout::{Size, headless, vertex_layout};

const WIDTH: usize = 32;
const FRAMES: usize = 24;
const SIZE: Size = Size::new(WIDTH as u32, FRAMES as u32);

fn in_context<T>(f: impl FnOnce(&Gl) -> T) -> T {
    headless::with_context(DebugLevel::Panic, f).unwrap_or_else(|e| panic!("{e}"))
}

fn supported(gl: &Gl) -> impl Iterator<Item = Strategy> {
    Strategy::ALL.iter().copied().filter(|s| s.is_supported(gl.caps()))
}

fn program(gl: &Gl, vertex: &str, fragment: &str) -> Program {
    let source =
        |file: &'static str, text: &str| ShaderSource::new(file, format!("#version 330 core\n{text}"));
    Program::new(gl, "stream", &source("stream.vert", vertex), &source("stream.frag", fragment))
        .unwrap_or_else(|e| panic!("{e}\n{}", e.log))
}

/// What the pixel at `x` of frame `frame` is to be.
const fn value(frame: usize, x: usize) -> [u8; 4] {
    [x as u8 * 7, frame as u8 * 9 + 1, (x ^ frame) as u8, 255]
}

fn values(frame: usize) -> [[u8; 4]; WIDTH] {
    std::array::from_fn(|x| value(frame, x))
}

/// One way of using a ring: it draws a frame's values into the row that the viewport is.
trait Way {
    /// The same values as the use wants them.
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError>;
    fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange);
}

fn play(gl: &Gl, mut ring: StreamRing, way: &mut dyn Way, what: &str) {
    let target = RenderTarget::new(gl, SIZE).expect("a target");
    target.bind();
    for frame in 0..FRAMES {
        ring.begin_frame().expect("a frame");
        let range = way.write(&mut ring, frame).unwrap_or_else(|e| panic!("{what}: {e}"));
        ring.finish_writes();
        unsafe { gl.raw().viewport(0, (FRAMES - 1 - frame) as i32, WIDTH as i32, 1) };
        way.draw(gl, &ring, range);
        ring.fence();
    }
    let rgba = read_pixels(gl, SIZE).expect("the picture").rgba;
    for (i, got) in rgba.chunks_exact(4).enumerate() {
        let (frame, x) = (i / WIDTH, i % WIDTH);
        assert_eq!(got, value(frame, x), "{what}: frame {frame}, value {x}");
    }
    gl.hook(scanout::gl::Hook::Draw(what));
    assert_eq!(ring.stats().frames, FRAMES as u64, "{what}");
}

const WHOLE: &str =
    "void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }";

fn whole(gl: &Gl) -> Mesh {
    Mesh::generated(gl, Primitive::Triangles, 3).expect("a mesh")
}

// --- the ways ---

/// A uniform block, four values in each of its vectors.
struct Uniforms(Program, Mesh);

impl Uniforms {
    fn new(gl: &Gl) -> Self {
        let fragment = format!(
            "layout(std140) uniform Row {{ uvec4 u_row[{}]; }}; out vec4 o;
            void main() {{
                int x = int(gl_FragCoord.x);
                uint v = u_row[x / 4][x % 4];
                o = vec4(uvec4(v, v >> 8, v >> 16, v >> 24) & 255u) / 255.0;
            }}",
            WIDTH / 4
        );
        let program = program(gl, WHOLE, &fragment);
        assert!(program.bind_block("Row", 2));
        Self(program, whole(gl))
    }
}

impl Way for Uniforms {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        // Another block before it, so that alignment matters.
        ring.write(&[1_u8; 5])?;
        ring.write(&values(frame))
    }

    fn draw(&mut self, _: &Gl, ring: &StreamRing, range: StreamRange) {
        ring.bind_uniform(2, range);
        self.0.use_program();
        self.1.draw();
    }
}

/// One point per pixel, coloured by a vertex attribute.
struct Vertices {
    program: Program,
    array: glow::VertexArray,
}

const POINTS: &str = "layout(location = 0) in vec4 a_colour; out vec4 v_colour; uniform int u_first;
    void main() {
        float x = (float(gl_VertexID - u_first) + 0.5) / 32.0;
        gl_Position = vec4(2.0 * x - 1.0, 0.0, 0.0, 1.0);
        v_colour = a_colour;
    }";
const COLOUR: &str = "in vec4 v_colour; out vec4 o; void main() { o = v_colour; }";

impl Vertices {
    fn new(gl: &Gl) -> Self {
        let array = unsafe { gl.raw().create_vertex_array() }.expect("a name");
        Self { program: program(gl, POINTS, COLOUR), array }
    }

    /// Describes the colours in `buffer`, from its start, to the vertex array.
    fn attach(&self, gl: &Gl, buffer: glow::Buffer) {
        unsafe {
            gl.raw().bind_vertex_array(Some(self.array));
            gl.raw().bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
            gl.raw().enable_vertex_attrib_array(0);
            gl.raw().vertex_attrib_pointer_f32(0, 4, glow::UNSIGNED_BYTE, true, 4, 0);
        }
    }
}

impl Way for Vertices {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        ring.write(&[0_u8; 3])?;
        // Filled in place, then copied, then filled in place again, one behind the other.
        let row = values(frame);
        let (range, slots) = ring.alloc::<[u8; 4]>(5)?;
        slots.copy_from_slice(&row[..5]);
        let middle = ring.write(&row[5..20])?;
        assert_eq!(middle.offset(), range.offset() + 5 * 4);
        let (_, slots) = ring.alloc::<[u8; 4]>(WIDTH - 20)?;
        slots.copy_from_slice(&row[20..]);
        ring.write(&[0_u8; 3])?;
        Ok(range)
    }

    fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange) {
        self.attach(gl, ring.buffer());
        let first = range.first::<[u8; 4]>() as i32;
        self.program.use_program();
        self.program.set(&self.program.uniform("u_first").expect("a uniform"), first);
        unsafe { gl.raw().draw_arrays(glow::POINTS, first, WIDTH as i32) };
    }
}

/// Indices into a colour table that holds every frame's values: the indices are what is streamed.
struct Indices(Vertices, glow::Buffer);

impl Indices {
    fn new(gl: &Gl) -> Self {
        let all: Vec<u8> = (0..FRAMES).flat_map(|frame| values(frame).into_iter().flatten()).collect();
        let table = unsafe {
            let table = gl.raw().create_buffer().expect("a name");
            gl.raw().bind_buffer(glow::ARRAY_BUFFER, Some(table));
            gl.raw().buffer_data_u8_slice(glow::ARRAY_BUFFER, &all, glow::STATIC_DRAW);
            table
        };
        Self(Vertices::new(gl), table)
    }
}

impl Way for Indices {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        let first = (frame * WIDTH) as u16;
        ring.write(&[9_u8])?;
        ring.write(&std::array::from_fn::<u16, WIDTH, _>(|x| first + x as u16))
    }

    fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange) {
        self.0.attach(gl, self.1);
        ring.bind();
        self.0.program.use_program();
        // The vertex's number is the index; which frame it is of is known by the row.
        let row = FRAMES as i32 - 1 - unsafe { viewport_row(gl) };
        self.0.program.set(&self.0.program.uniform("u_first").expect("a uniform"), row * WIDTH as i32);
        unsafe {
            gl.raw().draw_elements(
                glow::POINTS,
                WIDTH as i32,
                glow::UNSIGNED_SHORT,
                range.first::<u16>() as i32 * 2,
            );
        }
    }
}

unsafe fn viewport_row(gl: &Gl) -> i32 {
    let mut at = [0; 4];
    unsafe { gl.raw().get_parameter_i32_slice(glow::VIEWPORT, &mut at) };
    at[1]
}

/// Commands of indirect draws, one per pixel.
struct Commands(Indices);

impl Way for Commands {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        let first = (frame * WIDTH) as u32;
        ring.write(&std::array::from_fn::<[u32; 4], WIDTH, _>(|x| [1, 1, first + x as u32, 0]))
    }

    fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange) {
        let Indices(vertices, table) = &self.0;
        vertices.attach(gl, *table);
        ring.bind();
        vertices.program.use_program();
        let row = FRAMES as i32 - 1 - unsafe { viewport_row(gl) };
        vertices.program.set(&vertices.program.uniform("u_first").expect("a uniform"), row * WIDTH as i32);
        for x in 0..WIDTH {
            let at = range.offset() + 16 * x;
            unsafe { gl.raw().draw_arrays_indirect_offset(glow::POINTS, at as i32) };
        }
    }
}

/// Pixels of a texture.
struct Pixels(Program, Mesh, glow::Texture);

impl Pixels {
    fn new(gl: &Gl) -> Self {
        let fragment = "uniform sampler2D u_row; out vec4 o;
            void main() { o = texelFetch(u_row, ivec2(int(gl_FragCoord.x), 0), 0); }";
        let texture = unsafe {
            let texture = gl.raw().create_texture().expect("a name");
            gl.raw().bind_texture(glow::TEXTURE_2D, Some(texture));
            let nothing = glow::PixelUnpackData::Slice(None);
            let (kind, format) = (glow::UNSIGNED_BYTE, glow::RGBA);
            gl.raw().tex_image_2d(
                glow::TEXTURE_2D,
                0,
                glow::RGBA8 as i32,
                WIDTH as i32,
                1,
                0,
                format,
                kind,
                nothing,
            );
            gl.raw().tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MIN_FILTER, glow::NEAREST as i32);
            texture
        };
        Self(program(gl, WHOLE, fragment), whole(gl), texture)
    }
}

impl Way for Pixels {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        ring.write(&values(frame))
    }

    fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange) {
        ring.bind();
        unsafe {
            gl.raw().bind_texture(glow::TEXTURE_2D, Some(self.2));
            let from = glow::PixelUnpackData::BufferOffset(range.offset() as u32);
            let (kind, format) = (glow::UNSIGNED_BYTE, glow::RGBA);
            gl.raw().tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, WIDTH as i32, 1, format, kind, from);
            gl.raw().bind_buffer(glow::PIXEL_UNPACK_BUFFER, None);
        }
        self.0.use_program();
        self.1.draw();
    }
}

#[test]
fn every_strategy_delivers_each_frames_data_for_every_use_with_frames_in_flight() {
    in_context(|gl| {
        for strategy in supported(gl) {
            for &target in StreamTarget::ALL {
                for in_flight in [0, 1, 3] {
                    let what = format!("{strategy}, {target:?}, {in_flight} in flight");
                    let ring = StreamRing::new(gl, target, 1024, in_flight, strategy)
                        .unwrap_or_else(|e| panic!("{what}: {e}"));
                    let mut way: Box<dyn Way> = match target {
                        StreamTarget::Uniform => Box::new(Uniforms::new(gl)),
                        StreamTarget::Vertex => Box::new(Vertices::new(gl)),
                        StreamTarget::Index => Box::new(Indices::new(gl)),
                        StreamTarget::Indirect if gl.caps().major_minor < (4, 0) => continue,
                        StreamTarget::Indirect => Box::new(Commands(Indices::new(gl))),
                        _ => Box::new(Pixels::new(gl)),
                    };
                    play(gl, ring, way.as_mut(), &what);
                }
            }
        }
    });
}

/// Instances of a mesh, by the wrappers of the library.
struct Instances(Program, Mesh);

/// Not a power of two, so that no alignment of the ring falls on it by itself.
#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Dot {
    place: [f32; 2],
    colour: [u8; 4],
}
vertex_layout!(Dot, from 1 { place, colour });

#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Point {
    nudge: [f32; 2],
}
vertex_layout!(Point { nudge });

impl Instances {
    fn new(gl: &Gl, ring: &StreamRing, indexed: bool) -> Self {
        let vertex = "layout(location = 0) in vec2 a_nudge; layout(location = 1) in vec2 a_place;
            layout(location = 2) in vec4 a_colour; out vec4 v_colour;
            void main() { gl_Position = vec4(a_place + a_nudge, 0.0, 1.0); v_colour = a_colour; }";
        let point = [Point { nudge: [0.0; 2] }];
        let mesh = if indexed {
            Mesh::indexed(gl, Primitive::Points, &point, &[0])
        } else {
            Mesh::new(gl, Primitive::Points, &point)
        };
        let mut mesh = mesh.expect("a mesh");
        mesh.attach_stream::<Dot>(ring);
        Self(program(gl, vertex, COLOUR), mesh)
    }
}

impl Way for Instances {
    fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
        let dot = |x: usize| Dot { place: [(x as f32 + 0.5) / 16.0 - 1.0, 0.0], colour: value(frame, x) };
        ring.write(&[0_u8])?;
        ring.write(&std::array::from_fn::<_, WIDTH, _>(dot))
    }

    fn draw(&mut self, _: &Gl, ring: &StreamRing, range: StreamRange) {
        self.0.use_program();
        self.1.draw_streamed::<Dot>(ring, range);
    }
}

#[test]
fn instances_of_a_mesh_are_those_of_the_frame() {
    in_context(|gl| {
        for strategy in supported(gl) {
            for indexed in [false, true] {
                let ring = StreamRing::new(gl, StreamTarget::Vertex, 512, 2, strategy).expect("a ring");
                let mut way = Instances::new(gl, &ring, indexed);
                play(gl, ring, &mut way, &format!("{strategy}, indexed: {indexed}"));
            }
        }
    });
}

/// A driver with OpenGL 3.3 and nothing more, as far as this one can play it.
#[test]
fn a_plain_driver_streams_as_well() {
    const CHILD: &str = "SCANOUT_TEST_PLAIN_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let plain = in_context(|gl| !gl.caps().base_instance && !gl.caps().buffer_storage);
        println!("plain: {plain}");
        return;
    }
    let child = |test: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "--nocapture", test]).env(CHILD, "1");
        child.env("MESA_GL_VERSION_OVERRIDE", "3.3");
        child.env("MESA_EXTENSION_OVERRIDE", "-GL_ARB_base_instance -GL_ARB_buffer_storage");
        child.output().expect("a child")
    };
    let asked = child("a_plain_driver_streams_as_well");
    if !String::from_utf8_lossy(&asked.stdout).contains("plain: true") {
        // Other drivers than Mesa cannot be told.
        let mesa = in_context(|gl| gl.caps().version.contains("Mesa"));
        assert!(!mesa, "{}", String::from_utf8_lossy(&asked.stdout));
        return;
    }
    for test in [
        "instances_of_a_mesh_are_those_of_the_frame",
        "every_strategy_delivers_each_frames_data_for_every_use_with_frames_in_flight",
        "the_probe_tries_every_strategy_and_chooses_one_that_works",
        "what_cannot_be_streamed_is_a_typed_error_and_harms_nothing",
    ] {
        let output = child(test);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{test}: {said}");
    }
}

#[test]
fn several_rounds_of_writing_and_drawing_in_one_frame_keep_their_data() {
    /// Half of the row, then a draw, then the other half.
    struct Halves(Vertices);
    impl Way for Halves {
        fn write(&mut self, ring: &mut StreamRing, frame: usize) -> Result<StreamRange, StreamError> {
            let row = values(frame);
            let left = ring.write(&row[..WIDTH / 2])?;
            ring.finish_writes();
            // Drawn at once: the buffer is read between two rounds.
            let gl = ring.gl().clone();
            let row_at = FRAMES - 1 - frame;
            unsafe { gl.raw().viewport(0, row_at as i32, WIDTH as i32, 1) };
            self.part(&gl, ring, left, 0);
            let (right, slots) = ring.alloc::<[u8; 4]>(WIDTH / 2)?;
            slots.copy_from_slice(&row[WIDTH / 2..]);
            Ok(right)
        }

        fn draw(&mut self, gl: &Gl, ring: &StreamRing, range: StreamRange) {
            self.part(gl, ring, range, WIDTH / 2);
        }
    }
    impl Halves {
        fn part(&self, gl: &Gl, ring: &StreamRing, range: StreamRange, x: usize) {
            self.0.attach(gl, ring.buffer());
            let first = range.first::<[u8; 4]>() as i32;
            self.0.program.use_program();
            self.0.program.set(&self.0.program.uniform("u_first").expect("a uniform"), first - x as i32);
            unsafe { gl.raw().draw_arrays(glow::POINTS, first, WIDTH as i32 / 2) };
        }
    }
    in_context(|gl| {
        for strategy in supported(gl) {
            let ring = StreamRing::new(gl, StreamTarget::Vertex, 256, 2, strategy).expect("a ring");
            play(gl, ring, &mut Halves(Vertices::new(gl)), strategy.name());
        }
    });
}

#[test]
fn elements_of_any_size_begin_at_a_multiple_of_it_and_a_full_segment_fits() {
    in_context(|gl| {
        for strategy in supported(gl) {
            let bytes = 20 * 100;
            let mut ring = StreamRing::new(gl, StreamTarget::Vertex, bytes, 2, strategy).expect("a ring");
            for _ in 0..7 {
                ring.begin_frame().expect("a frame");
                let range = ring.write(&[[1.0_f32; 5]; 100]).expect("what was asked for fits");
                assert_eq!((range.offset() % 20, range.len()), (0, bytes));
                assert_eq!(range.first::<[f32; 5]>() as usize * 20, range.offset());
                ring.finish_writes();
                ring.fence();
            }
            let mut ring = StreamRing::new(gl, StreamTarget::Uniform, 4096, 2, strategy).expect("a ring");
            ring.begin_frame().expect("a frame");
            ring.write(&[1_u8; 3]).expect("room");
            let range = ring.write(&[1.0_f32; 3]).expect("room");
            assert_eq!(range.offset() % gl.caps().uniform_alignment as usize, 0);
        }
    });
}

#[test]
fn what_cannot_be_streamed_is_a_typed_error_and_harms_nothing() {
    in_context(|gl| {
        for strategy in supported(gl) {
            let new =
                |bytes, in_flight| StreamRing::new(gl, StreamTarget::Vertex, bytes, in_flight, strategy);
            for (bytes, in_flight) in [(0, 1), (usize::MAX, 1), (1 << 30, 1), (16, usize::MAX), (1 << 31, 0)]
            {
                if strategy == Strategy::Orphan && bytes < 1 << 31 && bytes > 0 {
                    continue; // it has one segment, whatever the frames in flight
                }
                let error = new(bytes, in_flight).map(|_| ()).expect_err("no such ring");
                assert!(matches!(error, StreamError::Size { .. }), "{error}");
            }
            let mut ring = new(64, 1).expect("a ring");
            assert_eq!(ring.write(&[0_u8]), Err(StreamError::NotBegun));
            ring.begin_frame().expect("a frame");
            let segment = ring.segment_bytes();
            let error = ring.write(&vec![0_u8; segment + 1]).expect_err("it is too large");
            assert_eq!(error, StreamError::TooLarge { asked: segment + 1, left: segment, segment });
            assert!(matches!(ring.alloc::<u64>(usize::MAX), Err(StreamError::TooLarge { .. })));
            assert!(ring.write::<u8>(&[]).expect("nothing fits").is_empty());
            assert!(ring.alloc::<u32>(0).expect("nothing fits").1.is_empty());
            assert_eq!(ring.write(&vec![1_u8; segment]).map(StreamRange::len), Ok(segment));
            ring.fence();
            assert_eq!(ring.write(&[0_u8]), Err(StreamError::NotBegun), "after the fence");
            gl.hook(scanout::gl::Hook::Draw("after all that"));
        }
    });
}

#[test]
fn a_ring_that_outlives_its_context_refuses_and_touches_nothing() {
    for &strategy in Strategy::ALL {
        let ring = in_context(|gl| {
            let mut ring = StreamRing::new(gl, StreamTarget::Vertex, 64, 1, strategy).ok()?;
            ring.begin_frame().expect("a frame");
            ring.write(&[1_u8; 8]).expect("room");
            Some(ring)
        });
        if let Some(mut ring) = ring {
            assert_eq!(ring.write(&[0_u8]), Err(StreamError::ContextGone));
            assert_eq!(ring.begin_frame(), Err(StreamError::ContextGone));
            ring.finish_writes();
            ring.fence();
        }
    }
}

#[test]
fn a_texture_takes_each_frames_pixels_from_a_ring_and_refuses_what_does_not_fit() {
    in_context(|gl| {
        for strategy in supported(gl) {
            let mut options = TextureOptions::default();
            (options.srgb, options.mipmaps) = (false, false);
            let size = Size::new(WIDTH as u32, 2);
            let mut texture = Texture::empty(gl, "row", size, &options).expect("a texture");
            let mut ring = StreamRing::new(gl, StreamTarget::PixelUnpack, 1024, 1, strategy).expect("a ring");
            for frame in 0..5 {
                ring.begin_frame().expect("a frame");
                let short = ring.write(&values(frame)).expect("room");
                let range = ring.write(&[values(frame), values(frame + 1)].concat()).expect("room");
                ring.finish_writes();
                assert!(texture.write_streamed(&ring, short).is_err());
                texture.write_streamed(&ring, range).expect("it fits");
                ring.fence();
                let mut got = vec![0; WIDTH * 8];
                unsafe {
                    let into = glow::PixelPackData::Slice(Some(&mut got));
                    texture.bind(0);
                    gl.raw().get_tex_image(glow::TEXTURE_2D, 0, glow::RGBA, glow::UNSIGNED_BYTE, into);
                }
                assert_eq!(
                    got,
                    [values(frame), values(frame + 1)].as_flattened().as_flattened(),
                    "{strategy}"
                );
                // Nothing stays bound that texels from memory would be taken for.
                Texture::rgba8(gl, "t", Size::new(1, 1), &[7; 4], &options).expect("a texture");
                gl.hook(scanout::gl::Hook::Draw(strategy.name()));
            }
        }
    });
}

#[test]
fn the_probe_tries_every_strategy_and_chooses_one_that_works() {
    in_context(|gl| {
        let probe = probe(gl).expect("something works");
        println!("{probe}");
        assert_eq!(probe.trials.len(), supported(gl).count());
        for trial in &probe.trials {
            assert!(trial.outcome.is_ok(), "{trial:?}");
        }
        assert!(probe.trials.iter().any(|t| t.strategy == probe.chosen));
        gl.hook(scanout::gl::Hook::Draw("after the probe"));
    });
}

/// The environment belongs to the process: each wish has one of its own.
#[test]
fn the_environment_chooses_the_strategy_or_is_refused_in_one_line() {
    const CHILD: &str = "SCANOUT_TEST_STREAM_CHILD";
    if std::env::var_os(CHILD).is_some() {
        in_context(|gl| match gl.stream_strategy() {
            Ok(strategy) => {
                let ring = StreamRing::auto(gl, StreamTarget::Vertex, 64, 1).expect("a ring");
                println!("chosen: {strategy} {}", ring.strategy());
            }
            Err(e) => println!("refused: {}", scanout::Error::from(e)),
        });
        return;
    }
    let ask = |wish: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args([
            "--exact",
            "--nocapture",
            "the_environment_chooses_the_strategy_or_is_refused_in_one_line",
        ]);
        let output = child.env(CHILD, "1").env("SCANOUT_STREAM", wish).output().expect("a child");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for &strategy in Strategy::ALL {
        if in_context(|gl| strategy.is_supported(gl.caps())) {
            let said = ask(strategy.name());
            assert!(said.contains(&format!("chosen: {strategy} {strategy}")), "{said}");
        }
    }
    assert!(ask("auto").contains("chosen: "));
    let said = ask("quickly");
    let line = said.lines().find(|l| l.contains("refused: ")).expect("a refusal");
    assert!(line.contains("quickly") && line.contains("persistent") && line.contains("sub-data"), "{line}");
}
