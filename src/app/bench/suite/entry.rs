//! The form of a suite's file.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use scanout::Size;
use scanout::pacing::Pacing;
use scanout::scenes::Scene;

use crate::app::bench::place::Place;
use crate::app::bench::scenario::Scenario;
use crate::app::cli;
use crate::app::load::LoadSpec;

/// Most frames of a scenario: no more are kept of a run.
const MOST_FRAMES: u64 = 65_000;
/// Frames of a scenario that does not say: enough for a P99 with five values above it.
pub const FRAMES: u64 = 500;
/// Frames of warm-up of a scenario that does not say: caches, clocks and the pacer's reserve settle.
const WARMUP: u64 = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: Option<String>,
    #[serde(default)]
    pub scenario: Vec<Entry>,
}

/// A `[[scenario]]`: every combination of what is listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: Option<String>,
    scene: Many<SceneText>,
    pacing: Many<PacingText>,
    place: Many<Place>,
    load: Option<Many<LoadText>>,
    size: Option<Text<SizeText>>,
    #[serde(default, deserialize_with = "frames")]
    pub frames: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    pub seconds: Option<f64>,
    #[serde(default, deserialize_with = "warmup")]
    warmup: Option<u64>,
    #[serde(default, deserialize_with = "input_hz")]
    input_hz: Option<f64>,
    #[serde(default)]
    args: Vec<String>,
}

impl Entry {
    /// How many scenarios it stands for.
    pub fn combinations(&self) -> usize {
        let loads = self.load.as_ref().map_or(1, |loads| loads.0.len());
        [self.scene.0.len(), self.pacing.0.len(), self.place.0.len(), loads]
            .into_iter()
            .fold(1, usize::saturating_mul)
    }

    pub fn expand(&self, into: &mut Vec<Scenario>) {
        let no_load = [LoadText(String::new())];
        let loads = self.load.as_ref().map_or(&no_load[..], |loads| &loads.0);
        let several = self.combinations() > 1;
        for scene in &self.scene.0 {
            for place in &self.place.0 {
                for pacing in &self.pacing.0 {
                    for load in loads {
                        let mut scenario = Scenario {
                            name: String::new(),
                            scene: scene.0.clone(),
                            pacing: pacing.0,
                            place: *place,
                            load: load.0.clone(),
                            size: self.size.as_ref().map_or(Size::new(1280, 720), |size| size.0.0),
                            frames: self.frames.unwrap_or(FRAMES),
                            seconds: self.seconds,
                            warmup: self.warmup.unwrap_or(WARMUP),
                            input_hz: self.input_hz,
                            args: self.args.clone(),
                        };
                        let usual = scenario.usual_name();
                        scenario.name = match &self.name {
                            Some(name) if several => format!("{name}: {usual}"),
                            Some(name) => name.clone(),
                            None => usual,
                        };
                        into.push(scenario);
                    }
                }
            }
        }
    }
}

/// A value that is written as text.
struct Text<T>(T);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(de::Error::custom)
    }
}

/// One value or a list of them. An untagged enum would say of a mistake only that nothing matched.
struct Many<T>(Vec<T>);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        impl<'de, T: FromStr<Err = String>> Visitor<'de> for Values<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
                text.parse().map(|one| Many(vec![one])).map_err(de::Error::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Text(one)) = list.next_element()? {
                    all.push(one);
                }
                if all.is_empty() { Err(de::Error::custom("the list is empty")) } else { Ok(Many(all)) }
            }
        }

        from.deserialize_any(Values(PhantomData))
    }
}

struct SceneText(String);

impl FromStr for SceneText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Scene::parse(text).map(|_| Self(text.into())).map_err(|e| e.to_string())
    }
}

struct PacingText(Pacing);

impl FromStr for PacingText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cli::pacing(text).map(Self)
    }
}

struct LoadText(String);

impl FromStr for LoadText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let load = text.parse::<LoadSpec>().map_err(|e| e.to_string())?;
        // In the form in which others with the same load are written; `none` is no load.
        Ok(Self(if load == LoadSpec::default() { String::new() } else { load.to_string() }))
    }
}

struct SizeText(Size);

impl FromStr for SizeText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cli::size(text).map(Self)
    }
}

fn frames<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let n = u64::deserialize(from)?;
    let fits = (1..=MOST_FRAMES).contains(&n);
    if fits {
        Ok(Some(n))
    } else {
        Err(de::Error::custom(format!("frames is a number from 1 to {MOST_FRAMES}")))
    }
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let s = f64::deserialize(from)?;
    let fits = (0.1..=600.0).contains(&s);
    if fits { Ok(Some(s)) } else { Err(de::Error::custom("seconds is a number from 0.1 to 600")) }
}

fn warmup<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let n = u64::deserialize(from)?;
    if n <= 10_000 { Ok(Some(n)) } else { Err(de::Error::custom("warmup is a number up to 10000")) }
}

fn input_hz<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let hz = f64::deserialize(from)?;
    let fits = (0.1..=1_000.0).contains(&hz);
    if fits { Ok(Some(hz)) } else { Err(de::Error::custom("input_hz is a number from 0.1 to 1000")) }
}
