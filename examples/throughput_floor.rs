//! The floor below `throughput`: the same pictures by OpenGL written by hand for just these, an array of instances
//! filled in a loop, one upload, one instanced draw. Same arguments, same line of JSON. `upload=map`: copied into memory
//! that stays mapped, in place of `glBufferData`. `cargo run --release --example throughput_floor -- quads 20000 300 100`

#![allow(unsafe_code, reason = "OpenGL calls")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the one context, current on the one thread"
)]

use std::time::Duration;

use glow::HasContext as _;
use rustix::time::ClockId;
use scanout::gl::bytemuck::{self, Pod, Zeroable};

#[path = "support/gl_window.rs"]
mod gl_window;
#[path = "support/throughput.rs"]
mod throughput;
use gl_window::GlWindow;
use throughput::{Cube, Job, Mode, Moment, Program, Quad, SPRITE};

#[derive(Copy, Clone, Pod, Zeroable)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
#[repr(C)]
struct QuadInstance {
    position: [f32; 2],
    layer: u32,
}

#[derive(Copy, Clone, Pod, Zeroable)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
#[repr(C)]
struct CubeInstance {
    columns: [[f32; 3]; 4],
    material: u32,
}

const QUAD_VERTEX: &str = "#version 330 core
layout(location = 0) in vec2 position;
layout(location = 1) in uint layer;
uniform mat4 u_view_projection;
uniform float u_size;
out vec3 v_uv;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = u_view_projection * vec4(position + corner * u_size, 0.0, 1.0);
    v_uv = vec3(corner, float(layer));
}";
const QUAD_FRAGMENT: &str = "#version 330 core
in vec3 v_uv;
uniform sampler2DArray u_textures;
out vec4 colour;
void main() { colour = texture(u_textures, v_uv); }";
const CUBE_VERTEX: &str = "#version 330 core
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec3 x;
layout(location = 3) in vec3 y;
layout(location = 4) in vec3 z;
layout(location = 5) in vec3 origin;
layout(location = 6) in uint material;
uniform mat4 u_view_projection;
uniform vec4 u_colours[20];
out vec3 v_normal;
flat out vec4 v_colour;
void main() {
    gl_Position = u_view_projection * vec4(mat3(x, y, z) * position + origin, 1.0);
    v_normal = mat3(x, y, z) * normal;
    v_colour = u_colours[material];
}";
const CUBE_FRAGMENT: &str = "#version 330 core
in vec3 v_normal;
flat in vec4 v_colour;
uniform vec4 u_light;
out vec4 colour;
void main() {
    float facing = max(dot(normalize(v_normal), u_light.xyz), 0.0);
    colour = vec4(v_colour.rgb * mix(u_light.w, 1.0, facing), v_colour.a);
}";

struct Floor {
    gl: glow::Context,
    mode: Mode,
    quads: Vec<Quad>,
    cubes: Vec<Cube>,
    quad_instances: Vec<QuadInstance>,
    cube_instances: Vec<CubeInstance>,
    buffer: glow::Buffer,
    mapping: Option<Mapping>,
}

/// Three segments of mapped memory, with a fence behind the last use of each.
struct Mapping {
    at: *mut u8,
    segment: usize,
    fences: [Option<glow::Fence>; 3],
    next: usize,
}

impl Mapping {
    fn new(gl: &glow::Context, buffer: glow::Buffer, segment: usize) -> Self {
        let flags = glow::MAP_WRITE_BIT | glow::MAP_PERSISTENT_BIT | glow::MAP_COHERENT_BIT;
        let at = unsafe {
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
            gl.buffer_storage(glow::ARRAY_BUFFER, 3 * segment as i32, None, flags);
            gl.map_buffer_range(glow::ARRAY_BUFFER, 0, 3 * segment as i32, flags)
        };
        assert!(!at.is_null(), "mapped memory");
        Self { at, segment, fences: [None; 3], next: 0 }
    }

    /// Copies a frame. Returns which segment it is in.
    fn write(&mut self, gl: &glow::Context, bytes: &[u8]) -> usize {
        self.next = (self.next + 1) % 3;
        unsafe {
            if let Some(fence) = self.fences[self.next].take() {
                gl.client_wait_sync(fence, glow::SYNC_FLUSH_COMMANDS_BIT, i32::MAX);
                gl.delete_sync(fence);
            }
            let to = self.at.add(self.next * self.segment);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        self.next
    }

    fn fence(&mut self, gl: &glow::Context) {
        self.fences[self.next] = unsafe { gl.fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0) }.ok();
    }
}

fn program(gl: &glow::Context, vertex: &str, fragment: &str) -> glow::Program {
    unsafe {
        let program = gl.create_program().expect("a program");
        for (kind, text) in [(glow::VERTEX_SHADER, vertex), (glow::FRAGMENT_SHADER, fragment)] {
            let shader = gl.create_shader(kind).expect("a shader");
            gl.shader_source(shader, text);
            gl.compile_shader(shader);
            assert!(gl.get_shader_compile_status(shader), "{}", gl.get_shader_info_log(shader));
            gl.attach_shader(program, shader);
        }
        gl.link_program(program);
        assert!(gl.get_program_link_status(program), "{}", gl.get_program_info_log(program));
        gl.use_program(Some(program));
        program
    }
}

/// Attributes of instances: location, components, offset; the last is an integer.
fn describe(gl: &glow::Context, fields: &[(u32, i32, i32)], stride: usize) {
    for (n, &(location, components, offset)) in fields.iter().enumerate() {
        unsafe {
            gl.enable_vertex_attrib_array(location);
            gl.vertex_attrib_divisor(location, 1);
            if n + 1 == fields.len() {
                gl.vertex_attrib_pointer_i32(location, components, glow::UNSIGNED_INT, stride as i32, offset);
            } else {
                gl.vertex_attrib_pointer_f32(location, components, glow::FLOAT, false, stride as i32, offset);
            }
        }
    }
}

impl Program for Floor {
    const NAME: &'static str = "floor";

    fn new(window: &GlWindow, job: &Job) -> Self {
        use glutin::display::{GetGlDisplay as _, GlDisplay as _};
        let display = window.context.display();
        let gl = unsafe { glow::Context::from_loader_function_cstr(|name| display.get_proc_address(name)) };
        let (mut quads, mut cubes) = (Vec::new(), Vec::new());
        let buffer = unsafe {
            gl.bind_vertex_array(Some(gl.create_vertex_array().expect("a vertex array")));
            let buffer = gl.create_buffer().expect("a buffer");
            let set = |program, name: &str, values: &[f32]| match (
                gl.get_uniform_location(program, name),
                values.len(),
            ) {
                (at, 1) => gl.uniform_1_f32(at.as_ref(), values[0]),
                (at, 16) => gl.uniform_matrix_4_f32_slice(at.as_ref(), false, values),
                (at, _) => gl.uniform_4_f32_slice(at.as_ref(), values),
            };
            match job.mode {
                Mode::Quads => {
                    quads = throughput::quads(job.n);
                    let program = program(&gl, QUAD_VERTEX, QUAD_FRAGMENT);
                    set(program, "u_view_projection", &throughput::pixels().to_cols_array());
                    set(program, "u_size", &[SPRITE]);
                    gl.bind_texture(glow::TEXTURE_2D_ARRAY, Some(gl.create_texture().expect("a texture")));
                    let texels = throughput::textures().concat();
                    gl.tex_image_3d(
                        glow::TEXTURE_2D_ARRAY,
                        0,
                        glow::RGBA8 as i32,
                        16,
                        16,
                        throughput::TEXTURES as i32,
                        0,
                        glow::RGBA,
                        glow::UNSIGNED_BYTE,
                        glow::PixelUnpackData::Slice(Some(&texels)),
                    );
                    for filter in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
                        gl.tex_parameter_i32(glow::TEXTURE_2D_ARRAY, filter, glow::NEAREST as i32);
                    }
                    gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
                    describe(&gl, &[(0, 2, 0), (1, 1, 8)], size_of::<QuadInstance>());
                    gl.enable(glow::BLEND);
                    gl.blend_func(glow::SRC_ALPHA, glow::ONE_MINUS_SRC_ALPHA);
                }
                Mode::Mesh => {
                    cubes = throughput::cubes(job.n);
                    let program = program(&gl, CUBE_VERTEX, CUBE_FRAGMENT);
                    set(program, "u_view_projection", &throughput::camera().to_cols_array());
                    set(program, "u_light", &throughput::light().to_array());
                    set(program, "u_colours", &throughput::materials().map(|c| c.to_array()).concat());
                    let (corners, indices) = throughput::cube();
                    let corners: Vec<f32> =
                        corners.iter().flat_map(|(p, n)| [p.to_array(), n.to_array()].concat()).collect();
                    gl.bind_buffer(glow::ARRAY_BUFFER, gl.create_buffer().ok());
                    gl.buffer_data_u8_slice(
                        glow::ARRAY_BUFFER,
                        bytemuck::cast_slice(&corners),
                        glow::STATIC_DRAW,
                    );
                    for (location, offset) in [(0, 0), (1, 12)] {
                        gl.enable_vertex_attrib_array(location);
                        gl.vertex_attrib_pointer_f32(location, 3, glow::FLOAT, false, 24, offset);
                    }
                    gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, gl.create_buffer().ok());
                    let indices: &[u8] = bytemuck::cast_slice(&indices);
                    gl.buffer_data_u8_slice(glow::ELEMENT_ARRAY_BUFFER, indices, glow::STATIC_DRAW);
                    gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
                    let fields = [(2, 3, 0), (3, 3, 12), (4, 3, 24), (5, 3, 36), (6, 1, 48)];
                    describe(&gl, &fields, size_of::<CubeInstance>());
                    gl.enable(glow::DEPTH_TEST);
                }
            }
            buffer
        };
        let (quad_instances, cube_instances) =
            (vec![QuadInstance::zeroed(); quads.len()], vec![CubeInstance::zeroed(); cubes.len()]);
        let size = quads.len() * size_of::<QuadInstance>() + cubes.len() * size_of::<CubeInstance>();
        let mapping = (job.option("upload") == Some("map")).then(|| Mapping::new(&gl, buffer, size));
        Self { gl, mode: job.mode, quads, cubes, quad_instances, cube_instances, buffer, mapping }
    }

    fn draw(&mut self, frame: u32) -> Duration {
        let gl = &self.gl;
        unsafe {
            gl.clear_color(0.05, 0.05, 0.08, 1.0);
            gl.clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
        }
        let began = throughput::now(ClockId::Monotonic);
        let moment = Moment::of(frame);
        let (bytes, count): (&[u8], usize) = match self.mode {
            Mode::Quads => {
                for (quad, to) in self.quads.iter().zip(&mut self.quad_instances) {
                    let position = quad.position(&moment);
                    (to.position[0], to.position[1]) = (position.x, position.y);
                    to.layer = quad.texture as u32;
                }
                (bytemuck::cast_slice(&self.quad_instances), self.quads.len())
            }
            Mode::Mesh => {
                for (cube, to) in self.cubes.iter().zip(&mut self.cube_instances) {
                    let glam::Affine3A { matrix3: m, translation } = cube.transform(&moment);
                    to.columns[0] = m.x_axis.to_array();
                    to.columns[1] = m.y_axis.to_array();
                    to.columns[2] = m.z_axis.to_array();
                    to.columns[3] = translation.to_array();
                    to.material = cube.material as u32;
                }
                (bytemuck::cast_slice(&self.cube_instances), self.cubes.len())
            }
        };
        let count = count as i32;
        unsafe {
            match &mut self.mapping {
                None => {
                    gl.bind_buffer(glow::ARRAY_BUFFER, Some(self.buffer));
                    gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, bytes, glow::STREAM_DRAW);
                    match self.mode {
                        Mode::Quads => gl.draw_arrays_instanced(glow::TRIANGLE_STRIP, 0, 4, count),
                        Mode::Mesh => {
                            gl.draw_elements_instanced(glow::TRIANGLES, 36, glow::UNSIGNED_INT, 0, count);
                        }
                    }
                }
                Some(mapping) => {
                    let first = mapping.write(gl, bytes) as u32 * count as u32;
                    match self.mode {
                        Mode::Quads => {
                            gl.draw_arrays_instanced_base_instance(glow::TRIANGLE_STRIP, 0, 4, count, first);
                        }
                        Mode::Mesh => gl.draw_elements_instanced_base_vertex_base_instance(
                            glow::TRIANGLES,
                            36,
                            glow::UNSIGNED_INT,
                            0,
                            count,
                            0,
                            first,
                        ),
                    }
                    mapping.fence(gl);
                }
            }
        }
        throughput::now(ClockId::Monotonic) - began
    }

    fn figures(&self) -> String {
        String::from(",\"draw_calls\":1")
    }
}

fn main() {
    throughput::run::<Floor>();
}
