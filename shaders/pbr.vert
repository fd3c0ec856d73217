#version 330 core
// Defined by the program that is made of this: SKIN, MORPH, TANGENT, SHADOW, DEPTH_ONLY, MASK.
layout(location = 0) in vec3 a_position;
layout(location = 1) in vec3 a_normal;
layout(location = 2) in vec2 a_uv0;
layout(location = 3) in vec2 a_uv1;
layout(location = 4) in vec4 a_color;
#ifdef TANGENT
layout(location = 5) in vec4 a_tangent;
#endif
#ifdef SKIN
layout(location = 6) in vec4 a_joints;
layout(location = 7) in vec4 a_weights;
#endif

layout(std140) uniform Frame {
    mat4 u_view_projection;
    mat4 u_shadow;
    // Where the viewer is; w: how bright the surroundings are.
    vec4 u_eye;
    // Lights in use; 1 / side of the shadow map; how far a vertex moves along its normal to leave its own shadow.
    vec4 u_settings;
    vec4 u_irradiance[9];
    vec4 u_lights[32];
};

uniform mat4 u_world;
uniform mat3 u_normal;
#ifdef SKIN
// Three texels a joint: the rows of its matrix.
uniform samplerBuffer u_joints;
uniform int u_first_joint;
#endif
#ifdef MORPH
// For each target one entry a vertex: position, normal and, with TANGENT, tangent.
uniform samplerBuffer u_deltas;
// Where the entries begin, how many vertices there are, how many targets are in use.
uniform ivec3 u_morph;
// Target and weight, two of each.
uniform vec4 u_morph_weights[4];
#endif

out vec3 v_position;
out vec3 v_normal;
#ifdef TANGENT
out vec4 v_tangent;
#endif
out vec2 v_uv0;
out vec2 v_uv1;
out vec4 v_color;
#ifdef SHADOW
out vec3 v_shadow;
#endif

#ifdef SKIN
mat4 joint(float index) {
    int at = (u_first_joint + int(index + 0.5)) * 3;
    return transpose(mat4(texelFetch(u_joints, at), texelFetch(u_joints, at + 1), texelFetch(u_joints, at + 2),
        vec4(0.0, 0.0, 0.0, 1.0)));
}
#endif

void main() {
    vec3 position = a_position;
    vec3 normal = a_normal;
#ifdef TANGENT
    vec3 tangent = a_tangent.xyz;
    const int entry = 3;
#else
    const int entry = 2;
#endif
#ifdef MORPH
    for (int i = 0; i < u_morph.z; i++) {
        vec4 two = u_morph_weights[i >> 1];
        vec2 one = (i & 1) == 0 ? two.xy : two.zw;
        int at = u_morph.x + (int(one.x + 0.5) * u_morph.y + gl_VertexID) * entry;
        position += one.y * texelFetch(u_deltas, at).xyz;
        normal += one.y * texelFetch(u_deltas, at + 1).xyz;
#ifdef TANGENT
        tangent += one.y * texelFetch(u_deltas, at + 2).xyz;
#endif
    }
#endif
#ifdef SKIN
    mat4 world = a_weights.x * joint(a_joints.x) + a_weights.y * joint(a_joints.y)
        + a_weights.z * joint(a_joints.z) + a_weights.w * joint(a_joints.w);
    // The cofactors turn normals as the inverse transpose does, and need no inverse.
    mat3 turn = mat3(cross(world[1].xyz, world[2].xyz), cross(world[2].xyz, world[0].xyz),
        cross(world[0].xyz, world[1].xyz));
    turn *= sign(dot(world[0].xyz, turn[0]));
#else
    mat4 world = u_world;
    mat3 turn = u_normal;
#endif
    vec4 placed = world * vec4(position, 1.0);
    v_normal = normalize(turn * normal);
    v_uv0 = a_uv0;
    v_uv1 = a_uv1;
    v_color = a_color;
#ifdef DEPTH_ONLY
    gl_Position = u_shadow * placed;
#else
    gl_Position = u_view_projection * placed;
    gl_PointSize = 3.0;
    v_position = placed.xyz;
#ifdef TANGENT
    // What is mirrored has its bitangent on the other side.
    float mirrored = dot(world[0].xyz, cross(world[1].xyz, world[2].xyz)) < 0.0 ? -1.0 : 1.0;
    v_tangent = vec4(mat3(world) * tangent, a_tangent.w * mirrored);
#endif
#ifdef SHADOW
    // A surface that the light grazes is moved farther: there one texel of the map covers more of its depth.
    float grazing = 1.0 - abs(dot(v_normal, u_lights[2].xyz));
    vec4 in_light = u_shadow * vec4(placed.xyz + v_normal * u_settings.z * (0.5 + grazing), 1.0);
    v_shadow = in_light.xyz * 0.5 + 0.5;
#endif
#endif
}
