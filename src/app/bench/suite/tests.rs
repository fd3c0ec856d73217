use super::entry::FRAMES;
use super::*;
use scanout::scenes::Scene;
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
    // Each can be held against a P99, and with frames to spare for those that repeat a picture.
    assert!(quick.scenarios.iter().chain(&full.scenarios).all(|s| s.seconds.is_some() || s.frames > 500));
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
    let text = "[[scenario]]\nscene = ['flip', 'flash']\npacing = 'auto'\nplace = ['headless=60', 'xvfb']\n";
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
    assert!(Suite::parse("s.toml", "[[scenario]]\nscene = 'flip'\nplace = 'xvfb'\n").is_err(), "no pacing");
    assert!(matches!(Suite::find("fast"), Err(Failure::Usage(text)) if text.contains("quick")));
    assert!(
        matches!(Suite::find("no/such.toml"), Err(Failure::Usage(text)) if text.contains("no/such.toml"))
    );
}
