//! Animation of nodes and of morph weights: tracks of keys and their sampling.

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
    /// The keys that channels of translation, rotation and scale refer to.
    pub tracks: Vec<Track>,
    /// The keys that channels of morph weights refer to.
    pub weight_tracks: Vec<WeightTrack>,
}

/// One property of one node, driven by a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Index into [`Model::nodes`](super::Model::nodes); its `local` is [`Local::Parts`], unless weights are driven.
    pub node: usize,
    /// What is driven.
    pub property: Property,
    /// Index into [`Animation::tracks`], or for weights into [`Animation::weight_tracks`].
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
    /// The weights of the mesh's morph targets: [`Node::morph`](super::Node::morph)
    Weights,
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

/// Where a time lies among keys.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Place {
    /// On a key, or before the first, or after the last.
    Key(usize),
    /// Between a key and the one after it: the share of the way, and the seconds between them.
    Between(usize, f32, f32),
}

/// Finds `time` among `times`, which rise strictly; bisects.
fn place(times: &[f32], time: f32) -> Place {
    let after = times.partition_point(|&t| t <= time);
    let last = times.len() - 1;
    if after == 0 {
        return Place::Key(0);
    }
    if after > last {
        return Place::Key(last);
    }
    let span = times[after] - times[after - 1];
    Place::Between(after - 1, (time - times[after - 1]) / span, span)
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
        let (from, share, span) = match place(&self.times, time) {
            Place::Key(key) => return self.value(key),
            Place::Between(from, share, span) => (from, share, span),
        };
        let to = from + 1;
        let value = match self.interpolation {
            Interpolation::Step => self.value(from),
            Interpolation::Linear if self.rotation => {
                Quat::from_vec4(self.value(from)).slerp(Quat::from_vec4(self.value(to)), share).into()
            }
            Interpolation::Linear => self.value(from).lerp(self.value(to), share),
            Interpolation::Cubic => {
                let (out_tangent, in_tangent) = (self.values[from * 3 + 2], self.values[to * 3]);
                let [a, b, c, d] = hermite(share);
                self.value(from) * a + out_tangent * span * b + self.value(to) * c + in_tangent * span * d
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

/// Keys of the weights of all morph targets of a mesh over time.
#[derive(Clone, Debug)]
pub struct WeightTrack {
    /// Seconds; rising strictly, at least one.
    times: Vec<f32>,
    /// For each time as many weights as there are targets; for [`Interpolation::Cubic`] three times as many.
    values: Vec<f32>,
    targets: usize,
    interpolation: Interpolation,
}

impl WeightTrack {
    /// Writes the weights at `time` seconds, held before the first and after the last key; as many as there are targets
    /// and `out` has room for. Always finite. Allocates nothing; bisects the keys.
    pub fn sample(&self, time: f32, out: &mut [f32]) {
        let place = place(&self.times, time);
        for (target, out) in out.iter_mut().take(self.targets).enumerate() {
            *out = match place {
                Place::Key(key) => self.value(key, target),
                Place::Between(from, share, span) => {
                    let (start, end) = (self.value(from, target), self.value(from + 1, target));
                    let value = match self.interpolation {
                        Interpolation::Step => start,
                        Interpolation::Linear => start + (end - start) * share,
                        Interpolation::Cubic => {
                            let [a, b, c, d] = hermite(share);
                            let out_tangent = self.values[(from * 3 + 2) * self.targets + target];
                            let in_tangent = self.values[(from + 1) * 3 * self.targets + target];
                            start * a + out_tangent * span * b + end * c + in_tangent * span * d
                        }
                    };
                    if value.is_finite() { value } else { start }
                }
            };
        }
    }

    fn value(&self, key: usize, target: usize) -> f32 {
        let row = if self.interpolation == Interpolation::Cubic { key * 3 + 1 } else { key };
        self.values[row * self.targets + target]
    }
}

/// What start, out-tangent, end and in-tangent weigh in the cubic of appendix C.5; tangents are to be multiplied by the
/// span.
fn hermite(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [2.0 * t3 - 3.0 * t2 + 1.0, t3 - 2.0 * t2 + t, 3.0 * t2 - 2.0 * t3, t3 - t2]
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
    let (mut tracks, mut weight_tracks) = (Vec::new(), Vec::new());
    // A sampler is read once per kind of value, however many channels share it.
    let mut loaded: Vec<[Option<usize>; 2]> = vec![[None; 2]; json.samplers.len()];
    let mut loaded_weights: Vec<Option<usize>> = vec![None; json.samplers.len()];
    for (i, channel) in json.channels.iter().enumerate() {
        let here = || format!("animations[{index}].channels[{i}]");
        let property = match channel.target.path.as_str() {
            "translation" => Property::Translation,
            "rotation" => Property::Rotation,
            "scale" => Property::Scale,
            "weights" => Property::Weights,
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
        let sampler = get(&json.samplers, channel.sampler, "samplers", &here)?;
        let slot = channel.sampler as usize;
        let place = || format!("animations[{index}].samplers[{slot}]");
        if property == Property::Weights {
            let targets = nodes[node].morph.len();
            if targets == 0 {
                remarks.add("animated weights of meshes without morph targets");
                continue;
            }
            let known = loaded_weights[slot].filter(|&t: &usize| {
                let track: &WeightTrack = &weight_tracks[t];
                track.targets == targets
            });
            let track = match known {
                Some(track) => track,
                None => {
                    weight_tracks.push(load_weights(source, sampler, targets, budget, &place)?);
                    weight_tracks.len() - 1
                }
            };
            loaded_weights[slot] = Some(track);
            channels.push(Channel { node, property, track });
            continue;
        }
        if matches!(nodes[node].local, Local::Matrix(_)) {
            remarks.add("animations of nodes with a matrix");
            continue;
        }
        let rotation = property == Property::Rotation;
        let track = match loaded[slot][usize::from(rotation)] {
            Some(track) => track,
            None => {
                tracks.push(load_track(source, sampler, rotation, budget, &place)?);
                tracks.len() - 1
            }
        };
        loaded[slot][usize::from(rotation)] = Some(track);
        channels.push(Channel { node, property, track });
    }
    let lasts = tracks.iter().map(|t| &t.times).chain(weight_tracks.iter().map(|t| &t.times));
    let duration = lasts.filter_map(|times| times.last().copied()).fold(0.0, f32::max);
    Ok(Animation { name: json.name.clone(), duration, channels, tracks, weight_tracks })
}

/// Interpolation, times, and the values still to be read, of a sampler with `per_time` elements for each value.
fn open<'a>(
    source: &'a Source<'_>,
    json: &schema::AnimationSampler,
    per_time: usize,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<(Interpolation, Vec<f32>, Accessor<'a>), ModelError> {
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
    let per_key = if interpolation == Interpolation::Cubic { 3 } else { 1 };
    let values = input.count().checked_mul(per_key).and_then(|n| n.checked_mul(per_time));
    if input.count() == 0 || values != Some(output.count()) {
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
    Ok((interpolation, times, output))
}

fn load_track(
    source: &Source<'_>,
    json: &schema::AnimationSampler,
    rotation: bool,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<Track, ModelError> {
    let broken = |detail: &str| ModelError::invalid(here(), detail);
    let (interpolation, times, output) = open(source, json, 1, budget, here)?;
    if output.width != if rotation { 4 } else { 3 } || output.component == Component::U32 {
        return Err(broken("output has the wrong type for what it drives"));
    }
    let mut values = Vec::with_capacity(output.count());
    for i in 0..output.count() {
        let mut value = Vec4::from(output.floats(i)?);
        let tangent = interpolation == Interpolation::Cubic && i % 3 != 1;
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

fn load_weights(
    source: &Source<'_>,
    json: &schema::AnimationSampler,
    targets: usize,
    budget: &mut Budget,
    here: &dyn Fn() -> String,
) -> Result<WeightTrack, ModelError> {
    let broken = |detail: &str| ModelError::invalid(here(), detail);
    let (interpolation, times, output) = open(source, json, targets, budget, here)?;
    if output.width != 1 || output.component == Component::U32 {
        return Err(broken("output has the wrong type for what it drives"));
    }
    let mut values = Vec::with_capacity(output.count());
    for i in 0..output.count() {
        let [value, ..] = output.floats(i)?;
        if value.abs() > MAX_EXTENT {
            return Err(broken("a value is too large"));
        }
        values.push(value);
    }
    Ok(WeightTrack { times, values, targets, interpolation })
}

/// `value` as the vector it stands for.
pub(super) fn vector(value: Vec4) -> Vec3 {
    value.truncate()
}
