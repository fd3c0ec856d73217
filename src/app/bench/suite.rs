//! Suites of scenarios: built-in ones and files of the user's own, in one form.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use scanout::Size;
use scanout::pacing::Pacing;
use scanout::scenes::Scene;

use super::super::load::LoadSpec;
use super::super::{Failure, plain_file};
use super::place::Place;
use super::scenario::Scenario;

/// The built-in suites by name, as their files are.
pub const BUILT_IN: [(&str, &str); 2] =
    [("quick", include_str!("suites/quick.toml")), ("full", include_str!("suites/full.toml"))];

/// Larger than any suite that somebody wrote.
const LARGEST: u64 = 1 << 20;
/// More scenarios than anybody waits for: lists multiply quickly.
const MOST_SCENARIOS: usize = 2_000;
/// Most frames of a scenario: no more are kept of a run.
const MOST_FRAMES: u64 = 65_000;
/// Frames of a scenario that does not say: enough for a P99 with five values above it.
const FRAMES: u64 = 500;
/// Frames of warm-up of a scenario that does not say: caches, clocks and the pacer's reserve settle.
const WARMUP: u64 = 60;

/// Scenarios under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    pub name: String,
    pub scenarios: Vec<Scenario>,
}

impl Suite {
    /// The built-in suite of this name, or the file at this path.
    pub fn find(name: &str) -> Result<Self, Failure> {
        if let Some((name, text)) = BUILT_IN.into_iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text).map_err(Failure::Usage);
        }
        let path = Path::new(name);
        if path.extension().is_none_or(|e| e != "toml") {
            return Err(Failure::Usage(format!(
                "no suite is called {name:?}; there are: quick, full, or a .toml file"
            )));
        }
        let fail = |why: &dyn fmt::Display| Failure::Usage(format!("{name}: {why}"));
        let bytes = plain_file::read(path, LARGEST, "which no suite is").map_err(|e| fail(&e))?;
        let text = String::from_utf8(bytes).map_err(|_| fail(&"it is no text"))?;
        Self::parse(name, &text).map_err(Failure::Usage)
    }

    /// The suite in `text`; `file` is named in errors, with the line.
    fn parse(file: &str, text: &str) -> Result<Self, String> {
        let parsed: File = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let why = e.message().replace('\n', " ");
            line.map_or(format!("{file}: {why}"), |line| format!("{file}:{line}: {why}"))
        })?;
        let stem = Path::new(file).file_stem().map_or(file.into(), |s| s.to_string_lossy());
        let name = parsed.name.unwrap_or_else(|| stem.into_owned());
        let mut scenarios = Vec::new();
        if parsed.scenario.iter().any(|entry| entry.frames.is_some() && entry.seconds.is_some()) {
            return Err(format!(
                "{file}: a scenario lasts for its frames or for its seconds, and not for both"
            ));
        }
        for entry in parsed.scenario {
            // Before it is expanded: four long lists would fill the memory first.
            if scenarios.len().saturating_add(entry.combinations()) > MOST_SCENARIOS {
                return Err(format!("{file}: there are more than {MOST_SCENARIOS} scenarios"));
            }
            entry.expand(&mut scenarios);
        }
        if scenarios.is_empty() {
            return Err(format!("{file}: there is no [[scenario]]"));
        }
        if let Some(odd) =
            scenarios.iter().find(|s| s.name.trim().is_empty() || s.name.chars().any(char::is_control))
        {
            return Err(format!("{file}: {:?} cannot name a scenario: a name is one line of text", odd.name));
        }
        // What the bench itself reads is not the suite's to move.
        let ours = |arg: &&String| ["--report", "--frame-log", "--help"].iter().any(|o| arg.starts_with(o));
        if let Some(arg) = scenarios.iter().flat_map(|s| &s.args).find(ours) {
            return Err(format!("{file}: {arg:?} cannot be among the args of a scenario: the bench sets it"));
        }
        let waits = |s: &&Scenario| s.place == Place::Desktop && s.waits_for_input() && s.seconds.is_none();
        if let Some(waits) = scenarios.iter().find(waits) {
            let name = &waits.name;
            return Err(format!(
                "{file}: {name:?} would wait for ever: nothing is injected on the desktop; give it --animate, or seconds"
            ));
        }
        let mut names = BTreeSet::new();
        match scenarios.iter().find(|s| !names.insert(s.name.clone())) {
            Some(twice) => Err(format!("{file}: two scenarios are called {:?}; give them names", twice.name)),
            None => Ok(Self { name, scenarios }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    #[serde(default)]
    scenario: Vec<Entry>,
}

/// A `[[scenario]]`: every combination of what is listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    scene: Many<SceneText>,
    pacing: Many<PacingText>,
    place: Many<Place>,
    load: Option<Many<LoadText>>,
    size: Option<Text<SizeText>>,
    #[serde(default, deserialize_with = "frames")]
    frames: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    seconds: Option<f64>,
    #[serde(default, deserialize_with = "warmup")]
    warmup: Option<u64>,
    #[serde(default, deserialize_with = "input_hz")]
    input_hz: Option<f64>,
    #[serde(default)]
    args: Vec<String>,
}

impl Entry {
    /// How many scenarios it stands for.
    fn combinations(&self) -> usize {
        let loads = self.load.as_ref().map_or(1, |loads| loads.0.len());
        [self.scene.0.len(), self.pacing.0.len(), self.place.0.len(), loads]
            .into_iter()
            .fold(1, usize::saturating_mul)
    }

    fn expand(&self, into: &mut Vec<Scenario>) {
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
        match text.parse() {
            Ok(Pacing::Host) => Err("pacing 'host' is for programs that own the loop".into()),
            Ok(pacing) => Ok(Self(pacing)),
            Err(scanout::pacing::ParsePacingError::Rate) => Err(format!("pacing {text:?}: no such rate")),
            Err(e) => Err(e.to_string()),
        }
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
        super::super::cli::size(text).map(Self)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn built_in_suites_are_whole_and_the_quick_one_is_quick() {
        for (name, text) in BUILT_IN {
            let suite = Suite::parse(name, text).unwrap();
            assert_eq!(suite.name, name);
        }
        let (quick, full) = (Suite::find("quick").unwrap(), Suite::find("full").unwrap());
        let time: Duration = quick.scenarios.iter().map(Scenario::estimate).sum();
        assert!(time < Duration::from_secs(60), "{time:?}");
        for scene in Scene::NAMES {
            assert!(full.scenarios.iter().any(|s| s.scene == *scene), "{scene}");
        }
        for pacing in ["auto", "low-latency", "smooth", "vsync", "immediate", "fixed=120"] {
            assert!(full.scenarios.iter().any(|s| s.pacing.to_string() == pacing), "{pacing}");
        }
        assert!(full.scenarios.iter().any(|s| !s.load.is_empty()));
    }

    #[test]
    fn lists_multiply_and_names_are_unique() {
        let text =
            "[[scenario]]\nscene = ['flip', 'flash']\npacing = 'auto'\nplace = ['headless=60', 'xvfb']\n";
        let suite = Suite::parse("dir/mine.toml", text).unwrap();
        assert_eq!((suite.name.as_str(), suite.scenarios.len()), ("mine", 4));
        assert_eq!(suite.scenarios[0].name, "flip auto headless=60");
        assert_eq!(suite.scenarios[0].frames, FRAMES);
        let twice = format!("{text}{text}");
        assert!(Suite::parse("mine.toml", &twice).unwrap_err().contains("two scenarios"));
    }

    #[test]
    fn mistakes_are_told_in_one_line_with_its_number() {
        let good = "[[scenario]]\nscene = 'flip'\npacing = 'auto'\nplace = 'headless=60'\n";
        assert!(Suite::parse("s.toml", good).is_ok());
        for (text, line, says) in [
            (good.replace("flip", "flop"), 2, "flop"),
            (good.replace("'flip'", "['flip', 'flop']"), 2, "flop"),
            (good.replace("auto", "sometimes"), 3, ""),
            (good.replace("auto", "host"), 3, "host"),
            (good.replace("headless=60", "crt"), 4, "crt"),
            (good.replace("'flip'", "[]"), 2, "empty"),
            (good.replace("'flip'", "7"), 2, "text"),
            (format!("{good}frames = 0\n"), 5, "frames"),
            (format!("{good}seconds = 0\n"), 5, "seconds"),
            (format!("{good}frmaes = 9\n"), 5, "frmaes"),
            (format!("{good}input_hz = -1\n"), 5, "input_hz"),
            (format!("{good}size = '1x'\n"), 5, ""),
            (format!("x = 1\n{good}"), 1, "x"),
            (format!("{good}frames = \n"), 5, ""),
        ] {
            let error = Suite::parse("s.toml", &text).unwrap_err();
            assert!(error.starts_with(&format!("s.toml:{line}: ")), "{text}: {error}");
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
        let long = |what: &str| format!("[{}]", vec![what; 3_000].join(","));
        let many = good.replace("'flip'", &long("'flip'")).replace("'auto'", &long("'auto'"));
        let many = many.replace("'headless=60'", &long("'headless=60'"));
        assert!(Suite::parse("s.toml", &many).unwrap_err().contains("more than"));
        let both = format!("{good}frames = 9\nseconds = 9\n");
        assert!(Suite::parse("s.toml", &both).unwrap_err().contains("not for both"));
        assert!(Suite::parse("s.toml", "").unwrap_err().contains("[[scenario]]"));
        assert!(
            Suite::parse("s.toml", "[[scenario]]\nscene = 'flip'\nplace = 'xvfb'\n").is_err(),
            "no pacing"
        );
        assert!(matches!(Suite::find("fast"), Err(Failure::Usage(text)) if text.contains("quick")));
        assert!(
            matches!(Suite::find("no/such.toml"), Err(Failure::Usage(text)) if text.contains("no/such.toml"))
        );
    }
}
