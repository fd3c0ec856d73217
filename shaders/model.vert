#version 330 core
layout(location = 0) in vec3 a_position;
layout(location = 1) in vec3 a_normal;
layout(location = 2) in vec2 a_uv;
layout(location = 3) in vec4 a_color;

uniform mat4 u_view_projection;
uniform mat4 u_world;
uniform mat3 u_normal;

out vec3 v_position;
out vec3 v_normal;
out vec2 v_uv;
out vec4 v_color;

void main() {
    vec4 position = u_world * vec4(a_position, 1.0);
    gl_Position = u_view_projection * position;
    gl_PointSize = 3.0;
    v_position = position.xyz;
    v_normal = u_normal * a_normal;
    v_uv = a_uv;
    v_color = a_color;
}
