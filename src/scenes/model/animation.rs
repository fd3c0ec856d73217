//! Node animation: tracks of keys and their sampling.

use glam::{Quat, Vec3, Vec4};

use super::accessor::{Accessor, Component};
use super::error::ModelError;
use super::limits::{Budget, MAX_EXTENT, MAX_KEYS};
use super::node::{Local, Node, unit};
use super::remarks::Remarks;
use super::schema;
use super::source::{Source, get};

/// Movements of nodes that belong together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Animation {
    /// The file's name for it.
    pub name: Option<String>,
    /// Seconds from zero to the last key of any track: the length of a loop.
    pub duration: f32,
    /// What moves.
    pub channels: Vec<Channel>,
    /// The keys that channels refer to.
    pub tracks: Vec<Track>,
}

/// One property of one node, driven by a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Index into [`Model::nodes`](super::Model::nodes); its `local` is [`Local::Parts`].
    pub node: usize,
    /// What is driven.
    pub property: Property,
    /// Index into [`Animation::tracks`].
    pub track: usize,
}

/// A property of a node that can be animated.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// [`Trs::translation`](super::Trs::translation)
    Translation,
    /// [`Trs::rotation`](super::Trs::rotation)
    Rotation,
    /// [`Trs::scale`](super::Trs::scale)
    Scale,
}

/// How values between keys come about (glTF 2.0, appendix C).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// The last key's value.
    Step,
    /// On a straight line; rotations on the shorter great circle.
    Linear,
    /// On a Hermite spline.
    Cubic,
}

/// Keys of one property over time.
#[derive(Clone, Debug)]
pub struct Track {
    /// Seconds; rising strictly, at least one.
    times: Vec<f32>,
    /// One value per time; for [`Interpolation::Cubic`] three: in-tangent, value, out-tangent.
    values: Vec<Vec4>,
    interpolation: Interpolation,
    rotation: bool,
}

impl Track {
    /// How values between keys come about.
    #[must_use]
    pub fn interpolation(&self) -> Interpolation {
        self.interpolation
    }

    /// Seconds of the keys, rising.
    #[must_use]
    pub fn times(&self) -> &[f32] {
        &self.times
    }

    /// The value at `time` seconds, held before the first and after the last key. A vector is in `xyz`; a rotation
    /// is a unit quaternion. Always finite. Allocates nothing; bisects the keys.
    #[must_use]
    pub fn sample(&self, time: f32) -> Vec4 {
        let after = self.times.partition_point(|&t| t <= time);
        let last = self.times.len() - 1;
        if after == 0 {
            return self.value(0);
        }
        if after > last || self.interpolation == Interpolation::Step {
            return self.value(after - 1);
        }
        let (from, to) = (after - 1, after);
        let span = self.times[to] - self.times[from];
        let share = (time - self.times[from]) / span;
        let value = match self.interpolation {
            Interpolation::Linear if self.rotation => {
                Quat::from_vec4(self.value(from)).slerp(Quat::from_vec4(self.value(to)), share).into()
            }
            Interpolation::Linear | Interpolation::Step => self.value(from).lerp(self.value(to), share),
            Interpolation::Cubic => {
                let (out_tangent, in_tangent) = (self.values[from * 3 + 2], self.values[to * 3]);
                hermite(self.value(from), out_tangent * span, in_tangent * span, self.value(to), share)
            }
        };
        // Large tangents may overflow, and a spline of rotations may pass through zero.
        let value = if self.rotation {
            unit(Quat::from_vec4(value)).map(Vec4::from)
        } else {
            Some(value).filter(|v| v.is_finite())
        };
        value.unwrap_or_else(|| self.value(from))
    }

    fn value(&self, key: usize) -> Vec4 {
        match self.interpolation {
            Interpolation::Cubic => self.values[key * 3 + 1],
            Interpolation::Step | Interpolation::Linear => self.values[key],
        }
    }
}

/// The cubic of appendix C.5; tangents are already multiplied by the span.
fn hermite(start: Vec4, out_tangent: Vec4, in_tangent: Vec4, end: Vec4, t: f32) -> Vec4 {
    let (t2, t3) = (t * t, t * t * t);
    start * (2.0 * t3 - 3.0 * t2 + 1.0)
        + out_tangent * (t3 - 2.0 * t2 + t)
        + end * (3.0 * t2 - 2.0 * t3)
        + in_tangent * (t3 - t2)
}

impl Animation {
    /// The point within the loop, in seconds, that belongs to `time`; zero for a time that is not finite.
    #[must_use]
    pub fn wrap(&self, time: f64) -> f32 {
        let duration = f64::from(self.duration);
        if duration > 0.0 && time.is_finite() {
            // Rounding to f32 may reach the end itself, whose pose is the start's in a seamless loop anyway.
            time.rem_euclid(duration) as f32
        } else {
            0.0
        }
    }
}

/// Reads `animations[index]`. `ours` maps the file's nodes to those of `nodes`.
pub(super) fn load(
    source: &Source<'_>,
    index: usize,
    nodes: &[Node],
    ours: &[Option<usize>],
    budget: &mut Budget,
    remarks: &mut Remarks,
) -> Result<Animation, ModelError> {
    let json = &source.document.animations[index];
    let mut channels = Vec::new();
    let mut tracks = Vec::new();
    // A sampler is read once per kind of value, however many channels share it.
    let mut loaded: Vec<[Option<usize>; 2]> = vec![[None; 2]; json.samplers.len()];
    for (i, channel) in json.channels.iter().enumerate() {
        let here = || format!("animations[{index}].channels[{i}]");
        let property = match channel.target.path.as_str() {
            "translation" => Property::Translation,
            "rotation" => Property::Rotation,
            "scale" => Property::Scale,
            "weights" => {
                remarks.add("animated morph weights");
                continue;
            }
            _ => {
                remarks.add("animations of other properties");
                continue;
            }
        };
        let Some(node) = channel.target.node else {
            remarks.add("animations of other properties");
            continue;
        };
        let Some(node) = *get(ours, node, "nodes", &here)? else { continue };
        if matches!(nodes[node].local, Local::Matrix(_)) {
            remarks.add("animations of nodes with a matrix");
            continue;
        }
        let sampler = get(&json.samplers, channel.sampler, "samplers", &here)?;
        let rotation = property == Property::Rotation;
        let slot = channel.sampler as usize;
        let track = match loaded[slot][usize::from(rotation)] {
            Some(track) => track,
            None => {
                let here = || format!("animations[{index}].samplers[{slot}]");
                tracks.push(load_track(source, sampler, rotation, budget, &here)?);
                tracks.len() - 1
            }
        };
        loaded[slot][usize::from(rotation)] = Some(track);
        channels.push(Channel { node, property, track });
    }
    let last = |track: &Track| track.times.last().copied().unwrap_or(0.0);
    let duration = tracks.iter().map(last).fold(0.0, f32::max);
    Ok(Animation { name: json.name.clone(), duration, channels, tracks })
}

fn load_track(
    source: &Source<'_>,
    json: &schema::AnimationSampler,
    rotation: bool,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<Track, ModelError> {
    let broken = |detail: &str| ModelError::invalid(here(), detail);
    let interpolation = match json.interpolation.as_deref() {
        None | Some("LINEAR") => Interpolation::Linear,
        Some("STEP") => Interpolation::Step,
        Some("CUBICSPLINE") => Interpolation::Cubic,
        Some(_) => return Err(broken("interpolation is unknown")),
    };
    let input = Accessor::new(source, json.input, MAX_KEYS, here)?;
    let output = Accessor::new(source, json.output, MAX_KEYS, here)?;
    if input.width != 1 || input.component != Component::F32 {
        return Err(broken("input is not scalar floats"));
    }
    if output.width != if rotation { 4 } else { 3 } || output.component == Component::U32 {
        return Err(broken("output has the wrong type for what it drives"));
    }
    let per_key = if interpolation == Interpolation::Cubic { 3 } else { 1 };
    if input.count() == 0 || output.count() != input.count() * per_key {
        return Err(broken("has no keys, or a different number of times and values"));
    }
    budget.keys.take(output.count() as u64)?;
    let mut times = Vec::with_capacity(input.count());
    for i in 0..input.count() {
        let [time, ..] = input.floats(i)?;
        if !(0.0..=MAX_EXTENT).contains(&time) || times.last().is_some_and(|&before| before >= time) {
            return Err(broken("its times are negative or do not rise"));
        }
        times.push(time);
    }
    let mut values = Vec::with_capacity(output.count());
    for i in 0..output.count() {
        let mut value = Vec4::from(output.floats(i)?);
        let tangent = per_key == 3 && i % 3 != 1;
        if rotation && !tangent {
            let q = unit(Quat::from_vec4(value)).ok_or_else(|| broken("a rotation has no length"))?;
            value = q.into();
        }
        if value.abs().max_element() > MAX_EXTENT {
            return Err(broken("a value is too large"));
        }
        values.push(value);
    }
    Ok(Track { times, values, interpolation, rotation })
}

/// `value` as the vector it stands for.
pub(super) fn vector(value: Vec4) -> Vec3 {
    value.truncate()
}
