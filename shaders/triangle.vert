#version 330 core
uniform float angle;
out vec3 shade;

void main() {
    float a = angle + 2.0944 * gl_VertexID;
    gl_Position = vec4(0.6 * sin(a), 0.8 * cos(a), 0.0, 1.0);
    shade = vec3(gl_VertexID == 0, gl_VertexID == 1, gl_VertexID == 2);
}
