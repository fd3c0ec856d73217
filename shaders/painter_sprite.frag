#version 330 core
in vec4 v_colour;
in vec3 v_uv;

uniform sampler2DArray u_textures;

out vec4 colour;

void main() {
    colour = v_colour * texture(u_textures, v_uv);
}
