//! What is wrong with a command line, in one line that says what to write instead.

use std::error::Error as _;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Negative numbers belong to the option before them, whose own words then refuse them: by itself clap takes them for
/// options that do not exist, and gives advice that does not help.
pub fn with_negative_numbers(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let takes_a_value = !arg.is_positional() && arg.get_action().takes_values();
            if takes_a_value { arg.allow_negative_numbers(true) } else { arg }
        })
        .mut_subcommands(with_negative_numbers)
}

/// The line.
pub fn line(error: &clap::Error, program: &Command) -> String {
    let said = Said(error);
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{} {:?}: {why}", said.option(), said.text(ContextKind::InvalidValue))
        }
        ErrorKind::InvalidValue => said.no_such_value(),
        ErrorKind::UnknownArgument => said.no_such_option(),
        ErrorKind::InvalidSubcommand => {
            let names: Vec<&str> =
                program.get_subcommands().filter(|c| !c.is_hide_set()).map(Command::get_name).collect();
            let wrong = said.text(ContextKind::InvalidSubcommand);
            format!("no command is called {wrong:?}; there are: {}", names.join(", "))
        }
        ErrorKind::ArgumentConflict => said.conflict(),
        ErrorKind::MissingRequiredArgument => {
            format!("missing: {}; the usage is: {}", said.list(ContextKind::InvalidArg, ", "), said.usage())
        }
        ErrorKind::TooManyValues => {
            let value = said.text(ContextKind::InvalidValue);
            format!("{} takes no value, and there is {value:?}: leave that out", said.option())
        }
        _ => {
            // What clap says itself, up to its advice.
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            format!("{}; `{} --help` says more", first.trim_start_matches("error: "), said.command())
        }
    }
}

/// What clap knows of an error.
struct Said<'a>(&'a clap::Error);

impl Said<'_> {
    fn list(&self, kind: ContextKind, between: &str) -> String {
        match self.0.get(kind) {
            Some(ContextValue::String(text)) => plain(text),
            Some(ContextValue::Strings(all)) => {
                all.iter().map(|text| plain(text)).collect::<Vec<_>>().join(between)
            }
            _ => String::new(),
        }
    }

    /// As the user wrote it.
    fn text(&self, kind: ContextKind) -> String {
        match self.0.get(kind) {
            Some(ContextValue::String(text)) => shortened(text),
            _ => String::new(),
        }
    }

    /// The option without the name of its value.
    fn option(&self) -> String {
        let whole = self.list(ContextKind::InvalidArg, " ");
        whole.split(' ').next().unwrap_or_default().to_owned()
    }

    fn usage(&self) -> String {
        let usage = self.0.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
        usage.trim_start_matches("Usage:").lines().next().unwrap_or_default().trim().to_owned()
    }

    /// The command in whose options something is wrong.
    fn command(&self) -> String {
        let usage = self.usage();
        let words = usage.split(' ').take_while(|w| w.starts_with(|c: char| c.is_ascii_lowercase()));
        let words: Vec<&str> = words.collect();
        if words.is_empty() { env!("CARGO_PKG_NAME").into() } else { words.join(" ") }
    }

    fn no_such_value(&self) -> String {
        let values = self.list(ContextKind::ValidValue, ", ");
        let there_are = if values.is_empty() { String::new() } else { format!("; there are: {values}") };
        match self.text(ContextKind::InvalidValue) {
            value if value.is_empty() => {
                format!("{} needs a value behind it{there_are}", self.list(ContextKind::InvalidArg, " "))
            }
            value => format!("{} has no value {value:?}{there_are}", self.option()),
        }
    }

    fn no_such_option(&self) -> String {
        let (wrong, command) = (self.text(ContextKind::InvalidArg), self.command());
        let near = self.list(ContextKind::SuggestedArg, " or ");
        let advice = if near.is_empty() {
            format!("`{command} --help` lists what there is")
        } else {
            format!("did you mean {near}?")
        };
        if wrong.starts_with('-') {
            format!("{command} has no option {wrong:?}; {advice}")
        } else {
            format!("{command} has no use for {wrong:?}; {advice}")
        }
    }

    fn conflict(&self) -> String {
        let one = self.list(ContextKind::InvalidArg, " ");
        match self.list(ContextKind::PriorArg, " or ") {
            other if other == one => format!("{one} stands there twice: leave one out"),
            // The only conflict that clap names no option of.
            other if one.is_empty() || other.is_empty() => {
                "options stand behind the name of their command, as in `scanout run --frames 100`".into()
            }
            other => format!("{one} does not go with {other}: leave one out"),
        }
    }
}

/// Without the brackets of a usage.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !"<>".contains(*c)).collect()
}

/// What somebody wrote, as far as one line has room for it.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::app::cli::Cli;

    fn refused(args: &str) -> String {
        let command = with_negative_numbers(Cli::command());
        let arguments = std::iter::once("scanout").chain(args.split(' ').filter(|a| !a.is_empty()));
        let error = command.clone().try_get_matches_from(arguments).expect_err(args);
        assert_eq!(error.exit_code(), 2, "{args}");
        line(&error, &command)
    }

    #[test]
    fn long_values_are_cut() {
        let said = refused(&format!("run --size {}", "é".repeat(5_000)));
        assert!(said.len() < 300 && said.contains("éé..."), "{said}");
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_what_to_write() {
        for (args, says) in [
            ("run --quality best", "--quality \"best\": a quality is auto, off, low or high"),
            ("run --display x", "--display has no value \"x\"; there are: auto, window, headless"),
            ("run --displa x", "scanout run has no option \"--displa\"; did you mean --display?"),
            ("run extra", "scanout run has no use for \"extra\"; `scanout run --help` lists what there is"),
            ("run --frames 3 --seconds 2", "--frames N does not go with --seconds S: leave one out"),
            ("run --frames 3 --frames 2", "--frames N stands there twice: leave one out"),
            ("run --pacing", "--pacing MODE needs a value behind it"),
            ("run --hud=3", "--hud takes no value, and there is \"3\": leave that out"),
            (
                "--quiet run",
                "options stand behind the name of their command, as in `scanout run --frames 100`",
            ),
            ("photon --display= -- true", "--display \"\": a display is named like :0 or wayland-1"),
            (
                "photon --window=",
                "--window \"\": a window is named by its number, its title, or a part of that",
            ),
            ("explain", "missing: FILE.json; the usage is: scanout explain <FILE.json>"),
            ("--no-such", "scanout has no option \"--no-such\"; `scanout --help` lists what there is"),
        ] {
            assert_eq!(refused(args), says, "{args}");
        }
        assert!(refused("nonsense").starts_with("no command is called \"nonsense\"; there are: run, sim"));
    }

    /// Each by the words of its own option.
    #[test]
    fn negative_numbers_are_refused_as_numbers_and_not_taken_for_options() {
        let mut all = vec![
            ("run --seconds -1", "above 0"),
            ("run --frames -5", "a whole number from 1 on"),
            ("run --warmup -1", "a whole number from 0 to 1000000"),
            ("run --miss-budget -1", "from 0.01 to 20"),
            ("run --max-fps -1", "from 0.1 to 10000"),
            ("run --refresh -0.5", "from 1 to 2000"),
            ("run --realtime -1", "a whole number from 1 to 99"),
            ("run --size -1x1", "from 1 to 16384"),
            ("run --vrr -40-60", "like 48-144"),
            ("sim --frames -1", "a whole number from 0 on"),
            ("photon --count -1", "a whole number from 1 to 100000"),
            ("photon --at -1,2", "like 640,360"),
        ];
        if cfg!(target_os = "linux") {
            all.push(("bench --interleave --rounds -1", "a whole number from 2 to 100"));
            all.push(("bench --budget -8ms", "like 8ms"));
            all.push(("watch NAME --seconds -1", "a number of seconds"));
        }
        for (args, says) in all {
            let (option, text) = (args.split(' ').rfind(|a| a.starts_with("--")).unwrap(), refused(args));
            assert!(
                text.starts_with(option) && text.contains(says) && !text.contains('\n'),
                "{args}: {text}"
            );
        }
    }
}
