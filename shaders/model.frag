#version 330 core
in vec3 v_position;
in vec3 v_normal;
in vec2 v_uv;
in vec4 v_color;
out vec4 o_color;

uniform sampler2D u_texture;
uniform vec4 u_base_color;
uniform vec3 u_emissive;
uniform vec3 u_eye;
uniform float u_cutoff;
uniform float u_lit;

// The framebuffer takes what it is given: the encoding is done here (IEC 61966-2-1).
vec3 encode_srgb(vec3 linear) {
    vec3 c = clamp(linear, 0.0, 1.0);
    return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

void main() {
    vec4 base = u_base_color * v_color * texture(u_texture, v_uv);
    if (base.a < u_cutoff) {
        discard;
    }
    vec3 color = base.rgb;
    if (u_lit > 0.5) {
        vec3 normal = normalize(v_normal);
        vec3 to_eye = normalize(u_eye - v_position);
        if (!gl_FrontFacing) {
            normal = -normal;
        }
        vec3 to_sun = normalize(vec3(0.5, 0.8, 0.35));
        float sun = max(dot(normal, to_sun), 0.0);
        float shine = pow(max(dot(normal, normalize(to_sun + to_eye)), 0.0), 40.0) * sun;
        // Light from the sky above and a little from the ground below.
        vec3 ambient = mix(vec3(0.10, 0.09, 0.08), vec3(0.30, 0.34, 0.42), 0.5 + 0.5 * normal.y);
        color = base.rgb * (ambient + 0.85 * sun * vec3(1.0, 0.96, 0.88)) + 0.12 * shine;
    }
    o_color = vec4(encode_srgb(color + u_emissive), u_cutoff < 0.0 ? base.a : 1.0);
}
