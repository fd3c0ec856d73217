#version 330 core
in vec3 v_normal;
in vec2 v_uv;
flat in vec4 v_colour;
// The layer of the texture or -1, and 1 where there is no light.
flat in vec2 v_look;

uniform sampler2DArray u_textures;
// Towards the light, and how bright the dark side is.
uniform vec4 u_light;

out vec4 colour;

void main() {
    colour = v_colour;
    if (v_look.x >= 0.0) {
        colour *= texture(u_textures, vec3(v_uv, v_look.x));
    }
    if (v_look.y == 0.0) {
        float facing = max(dot(normalize(v_normal), u_light.xyz), 0.0);
        colour.rgb *= mix(u_light.w, 1.0, facing);
    }
}
