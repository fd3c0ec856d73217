//! Sines and rotations from basic arithmetic only: `f64::sin` may differ in its last digit between systems.

use std::f64::consts::TAU;

/// Sine of an angle in turns.
pub fn sin(turns: f64) -> f64 {
    // To the quarter turn around zero, then Taylor's series: its last term there is below 1e-16.
    let mut t = turns - turns.round();
    if t > 0.25 {
        t = 0.5 - t;
    } else if t < -0.25 {
        t = -0.5 - t;
    }
    let x = t * TAU;
    let mut term = x;
    let mut sum = x;
    for n in 1..12 {
        let n = f64::from(n);
        term *= -x * x / ((2.0 * n) * (2.0 * n + 1.0));
        sum += term;
    }
    sum
}

/// Cosine of an angle in turns.
pub fn cos(turns: f64) -> f64 {
    sin(turns + 0.25)
}

/// The quaternion (x, y, z, w) of a rotation about the vertical.
pub fn about_y(turns: f64) -> [f64; 4] {
    [0.0, sin(turns / 2.0), 0.0, cos(turns / 2.0)]
}

/// The quaternion of a rotation about the axis to the viewer.
pub fn about_z(turns: f64) -> [f64; 4] {
    [0.0, 0.0, sin(turns / 2.0), cos(turns / 2.0)]
}

/// Keys (seconds, quaternion) of an even rotation by a whole number of turns in `seconds`: four a turn, because
/// interpolation takes the shorter way.
pub fn turns(count: f64, seconds: f64) -> Vec<(f64, [f64; 4])> {
    let keys = (count.abs() * 4.0).round() as u32;
    (0..=keys)
        .map(|i| {
            let share = f64::from(i) / f64::from(keys);
            (seconds * share, about_y(count * share))
        })
        .collect()
}
