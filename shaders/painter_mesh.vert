#version 330 core
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec2 uv;
// Per instance: the columns of its transform, mesh and material.
layout(location = 3) in vec3 axis_x;
layout(location = 4) in vec3 axis_y;
layout(location = 5) in vec3 axis_z;
layout(location = 6) in vec3 origin;
layout(location = 7) in uint id;

uniform mat4 u_view_projection;
uniform samplerBuffer u_materials;

out vec3 v_normal;
out vec2 v_uv;
flat out vec4 v_colour;
flat out vec2 v_look;

void main() {
    vec3 world = mat3(axis_x, axis_y, axis_z) * position + origin;
    gl_Position = u_view_projection * vec4(world, 1.0);
    // The cofactors turn normals rightly under an uneven scale and need no division; a mirrored one turns them round.
    mat3 cofactors = mat3(cross(axis_y, axis_z), cross(axis_z, axis_x), cross(axis_x, axis_y));
    v_normal = cofactors * normal * (dot(axis_x, cofactors[0]) < 0.0 ? -1.0 : 1.0);
    v_uv = uv;
    int row = int(id & 0xfffu) * 2;
    v_colour = texelFetch(u_materials, row);
    v_look = texelFetch(u_materials, row + 1).xy;
}
