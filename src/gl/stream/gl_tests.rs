//! What the fences are for, against a real driver. The other tests of streaming are in `tests/headless_stream.rs`; this one
//! takes a part out that only this module can reach.
#![allow(clippy::undocumented_unsafe_blocks, reason = "OpenGL calls in the current context")]
#![allow(clippy::print_stdout, reason = "what a driver did, for who asks with --nocapture")]

use glow::HasContext as _;

use super::{Strategy, StreamRing, StreamTarget};
use crate::gl::{DebugLevel, Gl, Mesh, Primitive, Program, RenderTarget, ShaderSource, read_pixels};
use crate::runtime::Size;

const WIDTH: usize = 64;
const FRAMES: usize = 12;

/// Reads the buffer in the fragment shader: as late as anything reads it, on software rasterisers too.
const LATE: &str = "#version 330 core
    uniform usamplerBuffer u_data; uniform int u_first; out vec4 o;
    void main() {
        uint v = texelFetch(u_data, u_first + int(gl_FragCoord.x)).r;
        o = vec4(uvec4(v, v >> 8, v >> 16, v >> 24) & 255u) / 255.0;
    }";
const WHOLE: &str = "#version 330 core
    void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }";

/// Draws each frame's numbers into a row of its own without looking at any before the end; how many came out wrong.
fn wrong_values(gl: &Gl, mut ring: StreamRing) -> usize {
    let size = Size::new(WIDTH as u32, FRAMES as u32);
    let target = RenderTarget::new(gl, size).expect("a target");
    let program =
        Program::new(gl, "late", &ShaderSource::new("v", WHOLE), &ShaderSource::new("f", LATE)).expect("it");
    let (first, data) =
        (program.uniform("u_first").expect("a uniform"), program.uniform("u_data").expect("a uniform"));
    let mesh = Mesh::generated(gl, Primitive::Triangles, 3).expect("a mesh");
    target.bind();
    program.use_program();
    program.set(&data, 0);
    unsafe {
        let texture = gl.raw().create_texture().expect("a name");
        gl.raw().bind_texture(glow::TEXTURE_BUFFER, Some(texture));
        gl.raw().tex_buffer(glow::TEXTURE_BUFFER, glow::R32UI, Some(ring.buffer()));
    }
    let value = |frame: usize, x: usize| 0xff00_0000 | ((frame as u32 + 1) << 16) | x as u32;
    for frame in 0..FRAMES {
        ring.begin_frame().expect("a frame");
        let values: [u32; WIDTH] = std::array::from_fn(|x| value(frame, x));
        let range = ring.write(&values).expect("room");
        ring.finish_writes();
        program.set(&first, range.first::<u32>() as i32);
        unsafe { gl.raw().viewport(0, (FRAMES - 1 - frame) as i32, WIDTH as i32, 1) };
        mesh.draw();
        ring.fence();
    }
    let rgba = read_pixels(gl, size).expect("the picture").rgba;
    let got = rgba.chunks_exact(4).map(|p| u32::from_le_bytes([p[0], p[1], p[2], p[3]]));
    let want = (0..FRAMES).flat_map(|frame| (0..WIDTH).map(move |x| value(frame, x)));
    got.zip(want).filter(|(got, want)| got != want).count()
}

#[test]
fn without_fences_later_frames_overwrite_what_is_still_to_be_drawn() {
    crate::headless::with_context(DebugLevel::Panic, |gl| {
        for strategy in [Strategy::Persistent, Strategy::Unsynchronized] {
            if !strategy.is_supported(gl.caps()) {
                continue;
            }
            let ring = || StreamRing::new(gl, StreamTarget::Vertex, WIDTH * 4, 1, strategy).expect("a ring");
            assert_eq!(wrong_values(gl, ring()), 0, "{strategy}, fenced");
            let wrong = wrong_values(gl, ring().without_fences());
            println!("{}, {strategy}: {wrong} of {} wrong", gl.caps().renderer, WIDTH * FRAMES);
            // A software rasteriser draws nothing before it must: the damage is certain there. A GPU may be quick enough.
            assert!(wrong > 0 || !gl.caps().software, "{strategy}: nothing shows what the fences are for");
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}
