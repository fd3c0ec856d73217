#version 330 core
layout(location = 0) in vec2 a_corner;
layout(location = 1) in vec3 a_position;
layout(location = 2) in float a_radius;
layout(location = 3) in vec4 a_colour;

uniform mat4 u_view_projection;
uniform vec3 u_right;
uniform vec3 u_up;

out vec2 v_corner;
flat out vec3 v_colour;

void main() {
    vec3 offset = (u_right * a_corner.x + u_up * a_corner.y) * a_radius;
    gl_Position = u_view_projection * vec4(a_position + offset, 1.0);
    v_corner = a_corner;
    v_colour = a_colour.rgb;
}
