#version 330 core
in vec2 v_corner;
flat in vec3 v_colour;
// The edge is not cut off but fades over a pixel, where alpha becomes samples.
uniform int u_soft;
out vec4 o_colour;

void main() {
    float r2 = dot(v_corner, v_corner);
    float alpha = 1.0;
    if (u_soft != 0) {
        alpha = clamp(0.5 + (1.0 - r2) / max(fwidth(r2), 1e-6), 0.0, 1.0);
    } else if (r2 > 1.0) {
        discard;
    }
    // A ball seen from the front, lit from the upper left.
    vec3 normal = vec3(v_corner, sqrt(max(1.0 - r2, 0.0)));
    float light = max(dot(normal, vec3(-0.48, 0.64, 0.6)), 0.0);
    o_colour = vec4(v_colour * (0.25 + 0.75 * light), alpha);
}
