#version 330 core

// Half the size of the picture in the drawing area, of which it keeps its shape.
uniform vec2 u_extent;

out vec2 v_uv;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    // The first row of the texture is the top one.
    v_uv = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4((corner * 2.0 - 1.0) * u_extent, 0.0, 1.0);
}
