//! Lights of `KHR_lights_punctual`.

use super::error::ModelError;
use super::limits::MAX_LIGHTS;
use super::schema;

/// A light at a node; it shines along the node's negative z axis.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Light {
    /// What it is.
    pub kind: LightKind,
    /// Linear red, green, blue, multiplied by the intensity: lux for directional lights, candela for the others.
    pub color: [f32; 3],
}

/// The kinds of lights.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum LightKind {
    /// Parallel rays, as from the sun.
    Directional,
    /// In all directions from a point.
    Point {
        /// Metres at which it has faded to nothing; `None`: by the square of the distance only.
        range: Option<f32>,
    },
    /// A cone from a point.
    Spot {
        /// As for points.
        range: Option<f32>,
        /// Radians from the axis to where the light begins to fade, less than `outer`.
        inner: f32,
        /// Radians from the axis to where there is none, at most a right angle.
        outer: f32,
    },
}

/// Reads all lights of the document.
pub(super) fn load(document: &schema::Document) -> Result<Vec<Light>, ModelError> {
    let list = document.extensions.lights.as_ref().map_or(&[][..], |l| &l.lights);
    if list.len() as u64 > MAX_LIGHTS {
        return Err(ModelError::TooLarge { what: "lights", asked: list.len() as u64, limit: MAX_LIGHTS });
    }
    list.iter().enumerate().map(|(index, json)| light(json, index)).collect()
}

fn light(json: &schema::Light, index: usize) -> Result<Light, ModelError> {
    let broken =
        |detail| ModelError::invalid(format!("extensions.KHR_lights_punctual.lights[{index}]"), detail);
    let intensity = json.intensity.unwrap_or(1.0);
    let color = json.color.unwrap_or([1.0; 3]).map(|c| c * intensity);
    if !color.iter().all(|c| c.is_finite() && *c >= 0.0) {
        return Err(broken("its colour or intensity is negative or not finite"));
    }
    // NaN and zero compare false.
    if json.range.is_some_and(|r| !(r > 0.0 && r.is_finite())) {
        return Err(broken("its range is not a length"));
    }
    let range = json.range;
    let kind = match json.kind.as_str() {
        "directional" => LightKind::Directional,
        "point" => LightKind::Point { range },
        "spot" => {
            let spot = json.spot.as_ref();
            let inner = spot.and_then(|s| s.inner_cone_angle).unwrap_or(0.0);
            let outer = spot.and_then(|s| s.outer_cone_angle).unwrap_or(std::f32::consts::FRAC_PI_4);
            // A little more than a right angle: files write it with fewer digits.
            if !(inner >= 0.0 && inner < outer && outer <= std::f32::consts::FRAC_PI_2 + 1e-4) {
                return Err(broken("its cone angles are not 0 <= inner < outer <= a right angle"));
            }
            LightKind::Spot { range, inner, outer: outer.min(std::f32::consts::FRAC_PI_2) }
        }
        _ => return Err(broken("type is neither directional nor point nor spot")),
    };
    Ok(Light { kind, color })
}
