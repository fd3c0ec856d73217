#version 330 core
layout(location = 0) in vec4 place;     // left, top, width, height
layout(location = 1) in vec4 part;      // left, top, right, bottom of the texture
layout(location = 2) in vec4 colour;
layout(location = 3) in uvec2 look;     // array and layer, turn

uniform mat4 u_view_projection;

out vec4 v_colour;
out vec3 v_uv;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 from_middle = (corner - 0.5) * place.zw;
    if (look.y != 0u) {
        float angle = float(look.y) * (6.283185307179586 / 65536.0);
        vec2 turn = vec2(cos(angle), sin(angle));
        from_middle = vec2(from_middle.x * turn.x - from_middle.y * turn.y, from_middle.x * turn.y + from_middle.y * turn.x);
    }
    gl_Position = u_view_projection * vec4(place.xy + 0.5 * place.zw + from_middle, 0.0, 1.0);
    v_colour = colour;
    v_uv = vec3(mix(part.xy, part.zw, corner), float(look.x & 0xfffu));
}
