//! Options that mean nothing in the place or the mode that was asked for with them: refused, so that nobody takes what they do
//! nothing for as done.

use clap::parser::ValueSource;
use clap::{ArgMatches, ValueEnum as _};
use scanout::pacing::Pacing;

use super::cli::RunArgs;
use super::photon::Mode;
use super::run::Place;

/// Looks at the options of a run that belong to a window or to a run off screen.
///
/// # Errors
/// One line that says which of the two the option goes with.
pub fn to_place(args: &RunArgs, place: Place) -> Result<(), String> {
    if place == Place::Window {
        return match args.refresh {
            Some(_) => {
                Err("--refresh goes with --display headless: a window has the rate of its display".into())
            }
            None => Ok(()),
        };
    }
    for (given, option, why) in [
        (args.fullscreen, "--fullscreen", "off screen there is no window to fill one with"),
        (args.background_fps.is_some(), "--background-fps", "off screen there is no focus to be lost"),
    ] {
        if given {
            return Err(format!("{option} goes with --display window: {why}"));
        }
    }
    // In a window a key leads to other modes.
    let aims_at_nothing = matches!(args.pacing, Pacing::Immediate | Pacing::Naive | Pacing::Ticker(_));
    for (given, option) in
        [(args.miss_budget.is_some(), "--miss-budget"), (args.smoothness.is_some(), "--smoothness")]
    {
        if given && aims_at_nothing {
            return Err(format!(
                "{option} goes with the other modes of --pacing: in {} no frame aims at a time that it could miss",
                args.pacing
            ));
        }
    }
    Ok(())
}

/// Options of `photon` and the modes that they mean something in.
const MODES: [(&str, &str, &[Mode]); 6] = [
    ("count", "--count", &[Mode::Click]),
    ("key", "--key", &[Mode::Click]),
    ("button", "--button", &[Mode::Click]),
    ("refresh", "--refresh", &[Mode::Animation]),
    ("speed", "--speed", &[Mode::Drag]),
    ("row", "--row", &[Mode::Drag]),
];

/// Looks at the options of `photon` that belong to one mode.
///
/// # Errors
/// One line that says which modes the option goes with.
pub fn to_mode(photon: &ArgMatches, mode: Mode) -> Result<(), String> {
    for (id, option, modes) in MODES {
        if photon.value_source(id) == Some(ValueSource::CommandLine) && !modes.contains(&mode) {
            let modes: Vec<_> = modes.iter().map(|mode| name(*mode)).collect();
            return Err(format!(
                "{option} goes with --mode {}, and not with {}",
                modes.join(" and "),
                name(mode)
            ));
        }
    }
    Ok(())
}

fn name(mode: Mode) -> String {
    mode.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::app::cli::Cli;

    #[test]
    fn options_of_another_place_are_refused_by_their_name() {
        for (option, place) in [
            ("--refresh=60", Place::Window),
            ("--fullscreen", Place::Headless),
            ("--background-fps=5", Place::Headless),
            ("--pacing=immediate --miss-budget=1", Place::Headless),
            ("--pacing=naive --smoothness=1", Place::Headless),
            ("--pacing=ticker+vsync --smoothness=1", Place::Headless),
        ] {
            let words = std::iter::once("scanout").chain(option.split(' '));
            let args = Cli::try_parse_from(words).unwrap().run;
            let named = option.split(' ').next_back().unwrap().split('=').next().unwrap();
            let refused = to_place(&args, place).unwrap_err();
            assert!(refused.starts_with(named) && refused.contains(" goes with "), "{refused}");
            let other = if place == Place::Window { Place::Headless } else { Place::Window };
            assert_eq!(to_place(&args, other), Ok(()), "{option}");
        }
    }

    #[test]
    fn options_of_another_mode_of_photon_are_refused_and_defaults_are_not() {
        let of = |words: &str, mode| {
            let matches = Cli::command().get_matches_from(words.split(' '));
            to_mode(matches.subcommand_matches("photon").unwrap(), mode)
        };
        for mode in [Mode::Click, Mode::Animation, Mode::Drag] {
            assert_eq!(of("scanout photon -- x", mode), Ok(()));
            for (_, option, modes) in MODES {
                let value = match option {
                    "--button" => String::new(),
                    "--key" => " a".into(),
                    _ => " 50".into(),
                };
                let outcome = of(&format!("scanout photon {option}{value} -- x"), mode);
                assert_eq!(outcome.is_ok(), modes.contains(&mode), "{option} in {mode:?}: {outcome:?}");
            }
        }
    }
}
