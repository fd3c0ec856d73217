#version 330 core
in vec3 v_normal;
in vec2 v_uv;
flat in vec4 v_colour;
// The layer of the texture, and 1 where there is no light.
flat in vec2 v_look;

uniform sampler2DArray u_textures;
// Towards the light, and how bright the dark side is.
uniform vec4 u_light;
uniform mat4 u_view_projection;

out vec4 colour;

// As scenes/crowd clears the picture.
const vec3 HAZE = vec3(0.075, 0.085, 0.14);

// How far the camera sees: where depth and distance are the same in clip space.
float farthest() {
    vec4 depth = vec4(u_view_projection[0].z, u_view_projection[1].z, u_view_projection[2].z, u_view_projection[3].z);
    vec4 distance = vec4(u_view_projection[0].w, u_view_projection[1].w, u_view_projection[2].w, u_view_projection[3].w);
    float slope = dot(depth.xyz, distance.xyz) / dot(distance.xyz, distance.xyz);
    return (depth.w - slope * distance.w) / (1.0 - slope);
}

void main() {
    colour = v_colour * texture(u_textures, vec3(v_uv, v_look.x));
    if (v_look.y == 0.0) {
        vec3 normal = normalize(v_normal);
        float facing = max(dot(normal, u_light.xyz), 0.0);
        vec3 sky = mix(vec3(0.55, 0.5, 0.62), vec3(1.0, 1.05, 1.2), 0.5 + 0.5 * normal.y);
        colour.rgb *= u_light.w * sky + (1.0 - u_light.w) * facing * vec3(1.15, 1.08, 0.98);
    }
    // In shares of how far is seen, which moves with the camera: nothing ends at an edge.
    colour.rgb = mix(colour.rgb, HAZE, smoothstep(0.5, 0.95, 1.0 / (gl_FragCoord.w * farthest())));
}
