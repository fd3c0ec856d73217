#version 330 core
// Defined by the program that is made of this: PLAIN or nothing, UNLIT, MASK, BLEND, BASE_MAP, MR_MAP, NORMAL_MAP,
// OCCLUSION_MAP, EMISSIVE_MAP, UV_TRANSFORM, TANGENT, SHADOW, DEPTH_ONLY, ENCODE, LEVELS (of the surroundings).
in vec3 v_position;
in vec3 v_normal;
#ifdef TANGENT
in vec4 v_tangent;
#endif
in vec2 v_uv0;
in vec2 v_uv1;
in vec4 v_color;
#ifdef SHADOW
in vec3 v_shadow;
#endif
out vec4 o_color;

layout(std140) uniform Frame {
    mat4 u_view_projection;
    mat4 u_shadow;
    vec4 u_eye;
    vec4 u_settings;
    vec4 u_irradiance[9];
    // Four a light: colour and kind, place and 1 / range, the way to it and how fast a cone fades, where it begins to.
    vec4 u_lights[32];
};

layout(std140) uniform Material {
    vec4 u_base;
    // w: least alpha that is drawn.
    vec4 u_emissive;
    // Metallic, roughness, scale of the normals, strength of the occlusion.
    vec4 u_factors;
    // Two rows for each map, in the order of their units; w of the first: which coordinates.
    vec4 u_uv[10];
};

uniform sampler2D u_base_map;
uniform sampler2D u_mr_map;
uniform sampler2D u_normal_map;
uniform sampler2D u_occlusion_map;
uniform sampler2D u_emissive_map;
uniform samplerCube u_environment;
uniform sampler2DShadow u_shadow_map;

const float PI = 3.14159265;

vec2 coordinates(int map) {
#ifdef UV_TRANSFORM
    vec4 row = u_uv[map * 2];
    vec3 uv = vec3(row.w > 0.5 ? v_uv1 : v_uv0, 1.0);
    return vec2(dot(row.xyz, uv), dot(u_uv[map * 2 + 1].xyz, uv));
#else
    return v_uv0;
#endif
}

// Where nobody encodes what is stored, it is done here (IEC 61966-2-1).
vec3 encode_srgb(vec3 linear) {
    vec3 c = clamp(linear, 0.0, 1.0);
    return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

// The Khronos PBR Neutral tone mapper (Khronos Group, 2024): what a material's colour is under even light stays as it
// is, and only what is brighter is compressed, losing colour as it nears white.
vec3 tone_mapped(vec3 color) {
    const float start = 0.8 - 0.04;
    const float fading = 0.15;
    float least = min(color.r, min(color.g, color.b));
    color -= least < 0.08 ? least - 6.25 * least * least : 0.04;
    float peak = max(color.r, max(color.g, color.b));
    if (peak < start) {
        return color;
    }
    float room = 1.0 - start;
    float pressed = 1.0 - room * room / (peak + room - start);
    float white = 1.0 - 1.0 / (fading * (peak - pressed) + 1.0);
    return mix(color * (pressed / peak), vec3(pressed), white);
}

#ifdef NORMAL_MAP
vec3 mapped_normal(vec3 normal) {
    vec2 uv = coordinates(2);
    vec3 map = texture(u_normal_map, uv).xyz * 2.0 - 1.0;
    map.xy *= u_factors.z;
#ifdef TANGENT
    vec3 tangent = v_tangent.xyz;
    vec3 bitangent = cross(normal, tangent) * v_tangent.w;
#else
    // Schueler, "Normal Mapping Without Precomputed Tangents", ShaderX 5, 2006: how position and coordinates change
    // from pixel to pixel says where they grow.
    vec3 along_x = dFdx(v_position), along_y = dFdy(v_position);
    vec2 uv_x = dFdx(uv), uv_y = dFdy(uv);
    vec3 across_y = cross(along_y, normal), across_x = cross(normal, along_x);
    vec3 tangent = across_y * uv_x.x + across_x * uv_y.x;
    // v grows downwards and y of the map upwards.
    vec3 bitangent = -(across_y * uv_x.y + across_x * uv_y.y);
    float longest = max(dot(tangent, tangent), dot(bitangent, bitangent));
    if (longest <= 0.0) {
        return normal;
    }
    float scale = inversesqrt(longest);
    tangent *= scale;
    bitangent *= scale;
#endif
    return normalize(tangent * map.x + bitangent * map.y + normal * map.z);
}
#endif

#ifdef SHADOW
// The share of nine places around this one, each the mean of four texels, that the light reaches.
float sunlit() {
    if (v_shadow.z >= 1.0) {
        return 1.0;
    }
    float lit = 0.0;
    for (int y = -1; y <= 1; y++) {
        for (int x = -1; x <= 1; x++) {
            lit += texture(u_shadow_map, v_shadow + vec3(vec2(x, y) * u_settings.y, 0.0));
        }
    }
    return lit / 9.0;
}
#endif

// Irradiance from nine coefficients (Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment
// Maps", 2001), the constants of the harmonics and 1 / pi multiplied in.
vec3 diffuse_surroundings(vec3 n) {
    vec3 sum = u_irradiance[0].rgb + u_irradiance[1].rgb * n.y + u_irradiance[2].rgb * n.z
        + u_irradiance[3].rgb * n.x + u_irradiance[4].rgb * (n.x * n.y) + u_irradiance[5].rgb * (n.y * n.z)
        + u_irradiance[6].rgb * (3.0 * n.z * n.z - 1.0) + u_irradiance[7].rgb * (n.x * n.z)
        + u_irradiance[8].rgb * (n.x * n.x - n.y * n.y);
    return max(sum, 0.0);
}

// What a surface of this roughness reflects of even surroundings: scale of and addition to its colour seen head on
// (Karis, "Physically Based Shading on Mobile", 2014).
vec2 reflected_share(float roughness, float facing) {
    vec4 r = roughness * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
    float a = min(r.x * r.x, exp2(-9.28 * facing)) * r.x + r.y;
    return vec2(-1.04, 1.04) * a + r.zw;
}

// Direction to a light and the light that arrives, in lux, on a surface that faces it (KHR_lights_punctual).
vec3 arriving(int light, out vec3 to_light) {
    vec4 color = u_lights[light * 4];
    vec4 place = u_lights[light * 4 + 1];
    vec4 way = u_lights[light * 4 + 2];
    if (color.w < 0.5) {
        to_light = way.xyz;
        return color.rgb;
    }
    vec3 there = place.xyz - v_position;
    float d2 = max(dot(there, there), 1e-8);
    to_light = there * inversesqrt(d2);
    float ratio = d2 * place.w * place.w;
    float fading = clamp(1.0 - ratio * ratio, 0.0, 1.0) / d2;
    if (color.w > 1.5) {
        float cone = clamp(dot(to_light, way.xyz) * way.w + u_lights[light * 4 + 3].x, 0.0, 1.0);
        fading *= cone * cone;
    }
    return color.rgb * fading;
}

void main() {
    vec4 base = u_base * v_color;
#ifdef BASE_MAP
    base *= texture(u_base_map, coordinates(0));
#endif
#ifdef MASK
    if (base.a < u_emissive.w) {
        discard;
    }
#endif
#ifdef DEPTH_ONLY
    return;
#endif
    vec3 emissive = u_emissive.rgb;
#ifdef EMISSIVE_MAP
    emissive *= texture(u_emissive_map, coordinates(4)).rgb;
#endif
#ifdef UNLIT
    vec3 color = base.rgb + emissive;
#else
    vec3 normal = normalize(v_normal);
    if (!gl_FrontFacing) {
        normal = -normal;
    }
    vec3 to_eye = normalize(u_eye.xyz - v_position);
#ifdef PLAIN
    vec3 to_sun = normalize(vec3(0.5, 0.8, 0.35));
    float sun = max(dot(normal, to_sun), 0.0);
    float shine = pow(max(dot(normal, normalize(to_sun + to_eye)), 0.0), 40.0) * sun;
    // Light from the sky above and a little from the ground below.
    vec3 ambient = mix(vec3(0.10, 0.09, 0.08), vec3(0.30, 0.34, 0.42), 0.5 + 0.5 * normal.y);
    vec3 color = base.rgb * (ambient + 0.85 * sun * vec3(1.0, 0.96, 0.88)) + 0.12 * shine + emissive;
#else
#ifdef NORMAL_MAP
    normal = mapped_normal(normal);
#endif
    float metallic = u_factors.x;
    float roughness = u_factors.y;
#ifdef MR_MAP
    vec4 mr = texture(u_mr_map, coordinates(1));
    roughness *= mr.g;
    metallic *= mr.b;
#endif
    metallic = clamp(metallic, 0.0, 1.0);
    // A mirror would reflect a point of light as a point, which no pixel shows.
    roughness = clamp(roughness, 0.045, 1.0);
    float occlusion = 1.0;
#ifdef OCCLUSION_MAP
    occlusion = mix(1.0, texture(u_occlusion_map, coordinates(3)).r, u_factors.w);
#endif
    // glTF 2.0, appendix B: Lambert below, GGX above, 4 % reflected head on by what is no metal.
    vec3 diffuse = base.rgb * (1.0 - metallic);
    vec3 head_on = mix(vec3(0.04), base.rgb, metallic);
    float alpha = roughness * roughness;
    float a2 = alpha * alpha;
    float n_v = max(abs(dot(normal, to_eye)), 1e-4);

    vec2 share = reflected_share(roughness, n_v);
    vec3 reflected = head_on * share.x + share.y;
    vec3 mirrored = textureLod(u_environment, reflect(-to_eye, normal), roughness * float(LEVELS - 1)).rgb;
    vec3 color = (diffuse * (1.0 - reflected) * diffuse_surroundings(normal) + reflected * mirrored)
        * (occlusion * u_eye.w);

    int count = int(u_settings.x);
    for (int i = 0; i < count; i++) {
        vec3 to_light;
        vec3 light = arriving(i, to_light);
        float n_l = dot(normal, to_light);
        if (n_l <= 0.0) {
            continue;
        }
#ifdef SHADOW
        if (i == 0) {
            light *= sunlit();
        }
#endif
        vec3 middle = normalize(to_light + to_eye);
        float n_h = clamp(dot(normal, middle), 0.0, 1.0);
        float v_h = clamp(dot(to_eye, middle), 0.0, 1.0);
        // GGX (Walter et al., "Microfacet Models for Refraction through Rough Surfaces", 2007).
        float spread = (n_h * a2 - n_h) * n_h + 1.0;
        float facets = a2 / (PI * spread * spread);
        // Smith's shadowing, height-correlated (Heitz, "Understanding the Masking-Shadowing Function", 2014), divided
        // by 4 n_l n_v.
        float visible = 0.5 / (n_l * sqrt(n_v * n_v * (1.0 - a2) + a2) + n_v * sqrt(n_l * n_l * (1.0 - a2) + a2));
        // Schlick, "An Inexpensive BRDF Model for Physically-based Rendering", 1994.
        float away = 1.0 - v_h;
        float away2 = away * away;
        vec3 fresnel = head_on + (1.0 - head_on) * (away2 * away2 * away);
        color += ((1.0 - fresnel) * diffuse / PI + fresnel * (facets * visible)) * light * n_l;
    }
    color = tone_mapped(color + emissive);
#endif
#endif
#ifdef ENCODE
    color = encode_srgb(color);
#endif
#ifdef BLEND
    o_color = vec4(color, base.a);
#else
    o_color = vec4(color, 1.0);
#endif
}
