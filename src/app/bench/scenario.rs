//! What is measured: one scene in one pacing mode on one display under one load.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use scanout::Size;
use scanout::pacing::Pacing;
use scanout::scenes::Scene;

use super::place::Place;

/// Frames of a turn at least, where the scenario has as many.
const TURN_FRAMES: u64 = 60;
/// Presses on a display without refreshes: each frame takes a millisecond or two, and the rest is quiet.
const UNPACED_PRESSES_HZ: f64 = 90.0;
/// Presses per refresh: never two in one frame, which would turn the picture back before anyone saw it.
const PRESSES_PER_REFRESH: f64 = 0.48;
/// Motions per refresh: most frames have some, at every phase.
const MOTIONS_PER_REFRESH: f64 = 0.9;
/// A refresh rate to choose the above by, where nobody knows the display's.
const USUAL_HZ: f64 = 60.0;
/// What a child may take to start and to end.
const AROUND: Duration = Duration::from_secs(30);
/// Slower than this a frame of a scene is a hang: heavy scenes on a software rasteriser take a third of it.
const SLOWEST_FRAME: Duration = Duration::from_millis(300);

/// One run to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Unique within the suite.
    pub name: String,
    /// As `--scene` takes it.
    pub scene: String,
    pub pacing: Pacing,
    pub place: Place,
    /// As `--load` takes it; empty for none.
    pub load: String,
    pub size: Size,
    /// Frames after the warm-up, unless it is to last so many seconds.
    pub frames: u64,
    /// How long it lasts, whatever the frames.
    pub seconds: Option<f64>,
    pub warmup: u64,
    /// Events per second; `None`: as suits place and scene.
    pub input_hz: Option<f64>,
    /// Further options of `scanout run`.
    pub args: Vec<String>,
}

impl Scenario {
    /// Its name unless the suite gives one.
    pub fn usual_name(&self) -> String {
        let mut name = format!("{} {} {}", self.scene, self.pacing, self.place);
        if !self.load.is_empty() {
            name.push(' ');
            name.push_str(&self.load);
        }
        name
    }

    /// How much of it is measured, for people.
    pub fn length(&self) -> String {
        self.seconds.map_or_else(|| format!("{} frames", self.frames), |s| format!("{s} s"))
    }

    /// One of so many equal turns of it.
    pub fn part(&self, rounds: u64) -> Self {
        let seconds = self.seconds.map(|seconds| seconds / rounds.max(1) as f64);
        // With fewer a turn's median is little more than chance (docs/comparing.md).
        let frames = self.frames.div_ceil(rounds.max(1)).max(self.frames.min(TURN_FRAMES));
        Self { frames, seconds, ..self.clone() }
    }

    /// Whether it is given presses of a key; the others are given motion.
    pub fn is_pressed(&self) -> bool {
        self.scene == "flash"
    }

    /// Whether a frame is drawn only for a press.
    pub fn waits_for_input(&self) -> bool {
        self.is_pressed() && !self.args.iter().any(|arg| arg == "--animate")
    }

    /// Events per second that are given; `None` where none are.
    pub fn events_hz(&self) -> Option<f64> {
        if self.place == Place::Desktop {
            return None;
        }
        let refresh = self.place.nominal_hz().unwrap_or(USUAL_HZ);
        // A compositor shows one frame per refresh, however many are drawn.
        let composited = matches!(self.place, Place::SwayNested | Place::SwayHeadless(_));
        let unpaced = self.pacing == Pacing::Immediate && !composited;
        Some(self.input_hz.unwrap_or(match (self.is_pressed(), unpaced) {
            (true, true) => UNPACED_PRESSES_HZ,
            (true, false) => refresh * PRESSES_PER_REFRESH,
            (false, _) => refresh * MOTIONS_PER_REFRESH,
        }))
    }

    /// How long its run may take before it counts as hung.
    pub fn limit(&self) -> Duration {
        if let Some(seconds) = self.seconds {
            return AROUND + Duration::from_secs_f64(seconds);
        }
        let frames = (self.frames + self.warmup).min(u64::from(u32::MAX)) as u32;
        let frame = if self.waits_for_input() {
            let apart = self.events_hz().map_or(SLOWEST_FRAME, |hz| Duration::from_secs_f64(1.0 / hz));
            SLOWEST_FRAME.max(apart * 3)
        } else {
            let hz = self.place.nominal_hz().unwrap_or(USUAL_HZ);
            SLOWEST_FRAME.max(Duration::from_secs_f64(3.0 / hz))
        };
        AROUND + frame * frames
    }

    /// About how long it takes, for a progress bar.
    pub fn estimate(&self) -> Duration {
        if let Some(seconds) = self.seconds {
            return Duration::from_secs_f64(seconds) + self.start();
        }
        let frames = (self.frames + self.warmup) as f64;
        let hz = match (self.waits_for_input(), self.events_hz()) {
            (true, Some(hz)) => hz,
            _ if self.pacing == Pacing::Immediate => match self.scene.as_str() {
                "flash" | "flip" | "drag" | "bars" => 300.0,
                // As a software rasteriser draws them.
                _ => 40.0,
            },
            _ => self.place.nominal_hz().unwrap_or(USUAL_HZ),
        };
        Duration::from_secs_f64((frames / hz).min(1e6)) + self.start()
    }

    /// About how long the program, and its server, take to start and to end.
    const fn start(&self) -> Duration {
        Duration::from_millis(match self.place {
            Place::Headless(_) | Place::Desktop => 500,
            Place::Xvfb => 1_000,
            Place::SwayHeadless(_) => 1_500,
            Place::SwayNested => 2_000,
        })
    }

    /// The command line of its child, which writes these two files. `more` has the last word: an option that is given there
    /// is not given twice.
    pub fn arguments(&self, report: &Path, log: &Path, more: &[String]) -> Vec<OsString> {
        let mut options: Vec<(&str, OsString)> = Vec::new();
        // A path stays one though the child runs in a folder of its own.
        let scene = match Scene::parse(&self.scene) {
            Ok(Scene::Model(Some(path))) => std::path::absolute(&path).unwrap_or(path).into_os_string(),
            _ => self.scene.clone().into(),
        };
        options.push(("--scene", scene));
        options.push(("--pacing", self.pacing.to_string().into()));
        options.push(("--size", format!("{}x{}", self.size.width, self.size.height).into()));
        options.push(match self.seconds {
            Some(seconds) => ("--seconds", seconds.to_string().into()),
            None => ("--frames", self.frames.to_string().into()),
        });
        options.push(("--warmup", self.warmup.to_string().into()));
        options.push(("--report", report.into()));
        options.push(("--frame-log", log.into()));
        if let Place::Headless(hz) = self.place {
            options.push(("--display", "headless".into()));
            options.push(("--refresh", hz.to_string().into()));
            options.extend(self.events_hz().map(|hz| ("--synthetic-input", hz.to_string().into())));
        } else {
            options.push(("--display", "window".into()));
        }
        if !self.load.is_empty() {
            options.push(("--load", self.load.clone().into()));
        }
        let more: Vec<&String> = self.args.iter().chain(more).collect();
        let given =
            |name: &str| more.iter().any(|arg| arg.as_str() == name || arg.starts_with(&format!("{name}=")));
        options.retain(|(name, _)| !given(name));
        let mut all: Vec<OsString> = vec!["run".into(), "--quiet".into()];
        all.extend(options.into_iter().flat_map(|(name, value)| [name.into(), value]));
        all.extend(more.into_iter().map(OsString::from));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(scene: &str, pacing: Pacing, place: Place) -> Scenario {
        Scenario {
            name: "a".into(),
            scene: scene.into(),
            pacing,
            place,
            load: String::new(),
            size: Size::new(320, 200),
            frames: 500,
            seconds: None,
            warmup: 30,
            input_hz: None,
            args: Vec::new(),
        }
    }

    #[test]
    fn two_presses_never_fall_into_one_refresh() {
        for hz in [60.0, 120.0, 240.0] {
            let events = scenario("flash", Pacing::Auto, Place::Headless(hz)).events_hz().unwrap();
            // The shortest time between two of them is half the mean.
            assert!(0.5 / events > 1.0 / hz, "{events} at {hz} Hz");
        }
        // A compositor shows one frame per refresh also where the program does not wait for it.
        for (place, hz) in [(Place::SwayNested, 60.0), (Place::SwayHeadless(120), 120.0)] {
            let events = scenario("flash", Pacing::Immediate, place).events_hz().unwrap();
            assert!(0.5 / events > 1.0 / hz, "{events} at {hz} Hz");
        }
        assert_eq!(scenario("flash", Pacing::Auto, Place::Desktop).events_hz(), None);
        let mut animated = scenario("flash", Pacing::Auto, Place::Headless(120.0));
        assert!(animated.waits_for_input() && animated.estimate() > Duration::from_secs(9));
        animated.args.push("--animate".into());
        assert!(!animated.waits_for_input() && animated.is_pressed());
        assert!(animated.estimate() < Duration::from_secs(6), "a frame for every refresh");
    }

    #[test]
    fn child_is_told_all_that_the_scenario_says() {
        let mut flip = scenario("flip", Pacing::LowLatency, Place::Headless(120.0));
        flip.load = "busy=2".into();
        flip.args = vec!["--layout".into(), "serial".into()];
        let all = flip.arguments(Path::new("/r.json"), Path::new("/l.json"), &[]);
        let text = all.join(" ".as_ref()).into_string().unwrap();
        for part in [
            "run --quiet --scene flip --pacing low-latency --size 320x200 --frames 500 --warmup 30",
            "--report /r.json --frame-log /l.json --display headless --refresh 120 --synthetic-input 108",
            "--load busy=2",
            "--layout serial",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let more = ["--pacing".into(), "vsync".into(), "--load=gpu=1".into()];
        let all = flip.arguments(Path::new("/r.json"), Path::new("/l.json"), &more);
        let text = all.join(" ".as_ref()).into_string().unwrap();
        assert!(text.ends_with("--layout serial --pacing vsync --load=gpu=1"), "{text}");
        assert!(!text.contains("low-latency") && !text.contains("busy"), "no option twice: {text}");
        assert!(flip.limit() > Duration::from_secs(30) && flip.limit() < Duration::from_secs(600));
        assert_eq!(flip.usual_name(), "flip low-latency headless=120 busy=2");
    }
}
