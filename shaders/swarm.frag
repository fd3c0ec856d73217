#version 330 core
in vec2 v_corner;
flat in vec3 v_colour;
out vec4 o_colour;

void main() {
    float r2 = dot(v_corner, v_corner);
    if (r2 > 1.0) {
        discard;
    }
    // A ball seen from the front, lit from the upper left.
    vec3 normal = vec3(v_corner, sqrt(1.0 - r2));
    float light = max(dot(normal, vec3(-0.48, 0.64, 0.6)), 0.0);
    o_colour = vec4(v_colour * (0.25 + 0.75 * light), 1.0);
}
