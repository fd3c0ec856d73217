//! The default model: an orrery, a mechanical model of planets on arms around a sun, that loops in twelve seconds.

mod geometry;
mod glb;
mod maths;
mod texture;

use geometry::Geometry;
use glb::{Glb, Look};
use maths::{about_y, about_z, cos, sin, turns};

/// Seconds of the loop.
const LOOP: f64 = 12.0;
/// Height of the sun's and the planets' centres over the plate.
const PLANE: f64 = 2.3;
/// Segments around arms and posts: enough for a round look at the size they have on a screen.
const ROD_SEGMENTS: u32 = 12;

/// The bytes of the `.glb` file.
pub fn build() -> Vec<u8> {
    let mut glb = Glb::default();
    let looks = Looks::new(&mut glb);
    let root = glb.node("orrery", None, None);
    ground(&mut glb, &looks, root);
    gears(&mut glb, &looks, root);
    sun(&mut glb, &looks, root);
    planets(&mut glb, &looks, root);
    comet(&mut glb, &looks, root);
    glb.finish("orrery", root)
}

/// Indices of materials.
struct Looks {
    plate: usize,
    brass: usize,
    steel: usize,
    sun: usize,
    rock: usize,
    ice: usize,
    earth: usize,
    giant: usize,
    ring: usize,
}

impl Looks {
    fn new(glb: &mut Glb) -> Self {
        let plain =
            |name, color, metallic, roughness| Look { name, color, metallic, roughness, ..Look::default() };
        let white = [1.0; 3];
        let (plate, earth, giant) =
            (glb.texture(&texture::plate()), glb.texture(&texture::earth()), glb.texture(&texture::giant()));
        Self {
            plate: glb.material(&Look { texture: Some(plate), ..plain("plate", white, 0.0, 0.6) }),
            brass: glb.material(&plain("brass", [0.83, 0.55, 0.2], 0.9, 0.35)),
            steel: glb.material(&plain("steel", [0.42, 0.45, 0.5], 0.9, 0.45)),
            sun: glb.material(&Look { unlit: true, ..plain("sun", white, 0.0, 1.0) }),
            rock: glb.material(&plain("rock", white, 0.0, 0.9)),
            ice: glb.material(&plain("ice", [0.7, 0.88, 1.0], 0.0, 0.3)),
            earth: glb.material(&Look { texture: Some(earth), ..plain("earth", white, 0.0, 0.7) }),
            giant: glb.material(&Look { texture: Some(giant), ..plain("giant", white, 0.0, 0.8) }),
            ring: glb.material(&Look { double_sided: true, ..plain("ring", white, 0.0, 0.8) }),
        }
    }
}

/// The plate with its dial, the pedestal with the column, and the hand that ticks.
fn ground(glb: &mut Glb, looks: &Looks, root: usize) {
    let top = Geometry::lathe(&[(5.6, 0.0), (0.0, 0.0)], 64).planar_uv(5.6);
    let rim = Geometry::lathe(
        &[(5.4, -0.3), (5.62, -0.25), (5.72, -0.12), (5.7, 0.0), (5.6, 0.03), (5.6, 0.0)],
        64,
    );
    let plate = glb.mesh("plate", &[(&top, looks.plate), (&rim, looks.brass)]);
    glb.node("plate", Some(root), Some(plate));
    let pedestal = Geometry::lathe(
        &[
            (1.0, 0.0),
            (1.0, 0.06),
            (0.9, 0.1),
            (0.72, 0.13),
            (0.55, 0.2),
            (0.42, 0.32),
            (0.36, 0.46),
            (0.12, 0.5),
            (0.11, 1.55),
            (0.2, 1.62),
            (0.26, 1.72),
            (0.18, 1.72),
        ],
        32,
    );
    let pedestal = glb.mesh("pedestal", &[(&pedestal, looks.brass)]);
    glb.node("pedestal", Some(root), Some(pedestal));

    let hand = Geometry::plate(&[(0.9, -0.05), (4.75, -0.02), (4.98, 0.0), (4.75, 0.02), (0.9, 0.05)], 0.02);
    let hand = glb.mesh("hand", &[(&hand, looks.steel)]);
    let pivot = glb.node("hand", Some(root), Some(hand));
    glb.place(pivot, [0.0, 0.03, 0.0]);
    // A tick is held for most of a second and then jumps: the clock's hand is the model's STEP track.
    let keys: Vec<_> =
        (0..=12).map(|i| (LOOP * f64::from(i) / 12.0, about_y(-f64::from(i) / 12.0))).collect();
    glb.rotate(pivot, &keys, "STEP");
}

/// A train of three gears: pitch radii are in proportion to the teeth, turns in inverse proportion.
fn gears(glb: &mut Glb, looks: &Looks, root: usize) {
    let angle = 0.14;
    let (dx, dz) = (cos(angle), -sin(angle));
    // name, teeth, distance of the axle along the line of gears, turns per loop, standing phase in turns
    let train = [
        ("great wheel", 40_u32, 0.0, 1.0, angle),
        ("idler", 20, 1.8, -2.0, angle + 0.5 / 20.0),
        ("pinion", 10, 2.7, 4.0, angle),
    ];
    for (name, teeth, distance, rate, phase) in train {
        let pitch = 0.03 * f64::from(teeth);
        let look = if teeth == 20 { looks.steel } else { looks.brass };
        let hole = if distance > 0.0 { 0.1 } else { 0.43 };
        let gear = Geometry::gear(teeth, pitch - 0.07, pitch + 0.06, hole, 0.12);
        let gear = glb.mesh(name, &[(&gear, look)]);
        let axle = glb.node(&format!("{name} axle"), Some(root), None);
        glb.place(axle, [distance * dx, 0.62, distance * dz]);
        glb.turn(axle, about_y(phase));
        let wheel = glb.node(name, Some(axle), Some(gear));
        glb.rotate(wheel, &turns(rate, LOOP), "LINEAR");
        if distance > 0.0 {
            let post = Geometry::lathe(
                &[(0.22, 0.0), (0.2, 0.06), (0.09, 0.1), (0.09, 0.84), (0.06, 0.88), (0.0, 0.88)],
                16,
            );
            let post = glb.mesh(&format!("{name} post"), &[(&post, looks.steel)]);
            let stand = glb.node(&format!("{name} post"), Some(root), Some(post));
            glb.place(stand, [distance * dx, 0.0, distance * dz]);
        } else {
            // Spokes in place of a solid disc would hide in the pedestal: the hub is a collar instead.
            let hub = Geometry::lathe(&[(0.45, 0.0), (0.45, 0.05), (0.2, 0.12), (0.12, 0.12)], 24);
            let hub = glb.mesh("hub", &[(&hub, looks.steel)]);
            let hub_node = glb.node("hub", Some(wheel), Some(hub));
            glb.place(hub_node, [0.0, 0.06, 0.0]);
        }
    }
}

fn sun(glb: &mut Glb, looks: &Looks, root: usize) {
    let ball = Geometry::sphere(48, 24).colored(|p| {
        let grain = texture::noise3(p, 5.0, 7);
        [1.0, 0.62 + 0.3 * grain, 0.16 + 0.3 * grain]
    });
    let mesh = glb.mesh("sun", &[(&ball, looks.sun)]);
    let node = glb.node("sun", Some(root), Some(mesh));
    glb.place(node, [0.0, PLANE, 0.0]);
    glb.size(node, 0.62);
    glb.rotate(node, &turns(-1.0, LOOP), "LINEAR");
}

/// What hangs on an arm.
struct Planet {
    name: &'static str,
    distance: f64,
    /// Height of the arm; the inner arms are higher, so that none touches the posts of the outer ones.
    arm: f64,
    radius: f64,
    /// Turns of the arm per loop.
    orbit: f64,
    /// Where the arm begins, in turns.
    start: f64,
    /// Turns about its own axis per loop.
    spin: f64,
    /// Lean of the axis, in turns.
    tilt: f64,
    look: usize,
    textured: bool,
    /// Distance, radius, turns per loop.
    moons: &'static [(f64, f64, f64)],
    ring: bool,
}

fn planets(glb: &mut Glb, looks: &Looks, root: usize) {
    let plain = Planet {
        name: "",
        distance: 0.0,
        arm: 0.0,
        radius: 0.0,
        orbit: 0.0,
        start: 0.0,
        spin: 0.0,
        tilt: 0.0,
        look: looks.rock,
        textured: false,
        moons: &[],
        ring: false,
    };
    let all = [
        Planet {
            name: "ember",
            distance: 1.3,
            arm: 1.5,
            radius: 0.15,
            orbit: 4.0,
            spin: 3.0,
            tilt: 0.01,
            ..plain
        },
        Planet {
            name: "frost",
            distance: 2.1,
            arm: 1.3,
            radius: 0.22,
            orbit: 3.0,
            start: 0.4,
            spin: -2.0,
            tilt: 0.05,
            look: looks.ice,
            ..plain
        },
        Planet {
            name: "terra",
            distance: 3.1,
            arm: 1.1,
            radius: 0.34,
            orbit: 2.0,
            start: 0.15,
            spin: 6.0,
            tilt: 0.065,
            look: looks.earth,
            textured: true,
            moons: &[(0.58, 0.09, 5.0)],
            ..plain
        },
        Planet {
            name: "jove",
            distance: 4.5,
            arm: 0.9,
            radius: 0.46,
            orbit: 1.0,
            start: 0.7,
            spin: 8.0,
            tilt: 0.075,
            look: looks.giant,
            textured: true,
            moons: &[(0.95, 0.1, 3.0), (1.08, 0.07, -2.0)],
            ring: true,
        },
    ];
    for planet in &all {
        hang(glb, looks, root, planet);
    }
}

/// One planet with its arm, post, axis, moons and ring: six levels of nodes, three of which move.
fn hang(glb: &mut Glb, looks: &Looks, root: usize, planet: &Planet) {
    let name = planet.name;
    let start = glb.node(&format!("{name} start"), Some(root), None);
    glb.turn(start, about_y(planet.start));
    let orbit = glb.node(&format!("{name} orbit"), Some(start), None);
    glb.place(orbit, [0.0, planet.arm, 0.0]);
    glb.rotate(orbit, &turns(planet.orbit, LOOP), "LINEAR");

    let arm = Geometry::lathe(&[(0.035, 0.1), (0.03, planet.distance)], ROD_SEGMENTS).lying();
    let collar = Geometry::lathe(&[(0.12, -0.07), (0.17, -0.05), (0.17, 0.05), (0.12, 0.07)], 24);
    let post = PLANE - planet.arm;
    let post = Geometry::lathe(
        &[(0.0, -0.08), (0.06, -0.06), (0.06, 0.05), (0.025, 0.08), (0.022, post - planet.radius * 0.9)],
        ROD_SEGMENTS,
    )
    .moved([planet.distance, 0.0, 0.0]);
    let weight = Geometry::sphere(12, 8).scaled(0.1).moved([-0.45, 0.0, 0.0]);
    let back = Geometry::lathe(&[(0.03, -0.4), (0.03, -0.1)], ROD_SEGMENTS).lying();
    let frame = glb.mesh(
        &format!("{name} arm"),
        &[(&arm.joined(&collar).joined(&post).joined(&back), looks.brass), (&weight, looks.steel)],
    );
    glb.node(&format!("{name} arm"), Some(orbit), Some(frame));

    let seat = glb.node(&format!("{name} seat"), Some(orbit), None);
    glb.place(seat, [planet.distance, PLANE - planet.arm, 0.0]);
    let axis = glb.node(&format!("{name} axis"), Some(seat), None);
    glb.turn(axis, about_z(planet.tilt));
    let ball = if planet.textured {
        Geometry::sphere(40, 20)
    } else {
        let seed = name.len() as u32 + u32::from(name.as_bytes()[0]);
        let (dark, light) = if planet.look == looks.ice { (0.75, 0.25) } else { (0.3, 0.5) };
        Geometry::sphere(32, 16).colored(|p| {
            let grain = texture::noise3(p, 3.0, seed);
            let ember = texture::noise3(p, 6.0, seed + 1);
            let shade = dark + light * grain;
            [shade, shade * (0.8 + 0.1 * ember), shade * (0.62 + 0.3 * ember)]
        })
    };
    let mesh = glb.mesh(name, &[(&ball, planet.look)]);
    let spin = glb.node(name, Some(axis), Some(mesh));
    glb.size(spin, planet.radius);
    glb.rotate(spin, &turns(planet.spin, LOOP), "LINEAR");

    for (i, &(distance, radius, rate)) in planet.moons.iter().enumerate() {
        let path = glb.node(&format!("{name} moon {i} path"), Some(axis), None);
        glb.rotate(path, &turns(rate, LOOP), "LINEAR");
        let ball = Geometry::sphere(16, 10).colored(|p| {
            let shade = 0.45 + 0.5 * texture::noise3(p, 2.5, 40 + i as u32);
            [shade, shade, shade * 0.95]
        });
        let mesh = glb.mesh(&format!("{name} moon {i}"), &[(&ball, looks.rock)]);
        let moon = glb.node(&format!("{name} moon {i}"), Some(path), Some(mesh));
        glb.place(moon, [distance, 0.0, 0.0]);
        glb.size(moon, radius);
    }
    if planet.ring {
        let ring = Geometry::lathe(
            &[(0.84, 0.0), (0.8, 0.0), (0.76, 0.0), (0.72, 0.0), (0.68, 0.0), (0.64, 0.0), (0.6, 0.0)],
            48,
        )
        .colored(|p| {
            let r2 = p[0] * p[0] + p[2] * p[2];
            let band = texture::noise3([r2 * 40.0, 0.5, 0.5], 1.0, 3);
            [0.2 + 0.75 * band, 0.17 + 0.64 * band, 0.11 + 0.46 * band]
        });
        let mesh = glb.mesh(&format!("{name} ring"), &[(&ring, looks.ring)]);
        glb.node(&format!("{name} ring"), Some(axis), Some(mesh));
    }
}

/// A comet on a leaning ellipse: the model's CUBICSPLINE track, with the ellipse's own derivatives as tangents.
fn comet(glb: &mut Glb, looks: &Looks, root: usize) {
    let ball = Geometry::sphere(16, 10).colored(|p| {
        let grain = texture::noise3(p, 4.0, 90);
        [0.75 + 0.25 * grain, 0.9, 1.0]
    });
    let mesh = glb.mesh("comet", &[(&ball, looks.sun)]);
    let plane = glb.node("comet path", Some(root), None);
    glb.place(plane, [0.0, PLANE + 0.6, 0.0]);
    glb.turn(plane, about_z(-0.015));
    let node = glb.node("comet", Some(plane), Some(mesh));
    let count = 16;
    let (a, b, shift) = (3.4, 1.5, 2.2);
    let rate = std::f64::consts::TAU / LOOP;
    let path = |i: usize| {
        let turn = i as f64 / f64::from(count as u32);
        let (s, c) = (sin(turn), cos(turn));
        let position = [a * c - shift, 0.35 * s, b * s];
        let speed = [-a * s * rate, 0.35 * c * rate, b * c * rate];
        (LOOP * turn, position, speed)
    };
    glb.fly(node, &(0..=count).map(path).collect::<Vec<_>>());
    let pulse = |i: u32| {
        let turn = f64::from(i) / 12.0;
        (LOOP * turn, 0.11 - 0.04 * cos(turn))
    };
    glb.pulse(node, &(0..=12).map(pulse).collect::<Vec<_>>());
}
