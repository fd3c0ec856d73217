//! The report as a person reads it: the state as a word in front of each line, colour only on top of that.

use serde::Serialize;

use super::line::{Line, State};

/// Columns of a page; terminals are seldom narrower.
const WIDTH: usize = 100;
/// Where the text begins: after the state and the title.
const INDENT: usize = 34;

/// How many lines there are of each state.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    pub ok: usize,
    pub note: usize,
    pub problem: usize,
    pub not_measured: usize,
}

impl Counts {
    pub fn of(lines: &[Line]) -> Self {
        let count = |state| lines.iter().filter(|line| line.state == state).count();
        Self {
            ok: count(State::Ok),
            note: count(State::Note),
            problem: count(State::Problem),
            not_measured: count(State::NotMeasured),
        }
    }
}

/// All lines under their headings, and what they come to.
pub fn page(lines: &[Line], terminal: bool) -> String {
    let coloured = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut out = format!("scanout {} looks at this machine\n", env!("CARGO_PKG_VERSION"));
    let mut group = None;
    for line in lines {
        if group.replace(line.group) != Some(line.group) {
            out.push_str(&format!("\n{}\n", line.group.heading()));
        }
        let word = format!("{:<14}", line.state.word());
        let word = match (coloured, line.state) {
            (true, State::Ok) => format!("\x1b[32m{word}\x1b[0m"),
            (true, State::Note) => format!("\x1b[33m{word}\x1b[0m"),
            (true, State::Problem) => format!("\x1b[1;31m{word}\x1b[0m"),
            _ => word,
        };
        let mut rows = wrapped(&line.text, WIDTH - INDENT).into_iter();
        out.push_str(&format!("  {word}{:<18}{}\n", line.title, rows.next().unwrap_or_default()));
        let advice = line.advice.as_deref().map(|advice| wrapped(&format!("-> {advice}"), WIDTH - INDENT));
        for row in rows.chain(advice.into_iter().flatten()) {
            out.push_str(&format!("{:INDENT$}{row}\n", ""));
        }
    }
    out.push_str(&format!("\n{}\n", verdict(Counts::of(lines))));
    if lines.iter().any(|line| line.id == "other_load" && line.state == State::Problem) {
        out.push_str("the machine was busy with other things: all of the above is worse than it would be\n");
    }
    out
}

fn verdict(counts: Counts) -> String {
    let some = |n: usize, one: &str, more: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {more}")),
    };
    let parts: Vec<String> = [
        some(counts.problem, "problem", "problems"),
        some(counts.note, "note", "notes"),
        some(counts.ok, "thing as it should be", "things as they should be"),
        some(counts.not_measured, "thing not measured", "things not measured"),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(", ")
}

/// `text` in rows of at most `width` characters, broken at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in text.split_whitespace() {
        let row = rows.last_mut().expect("there is one");
        if row.is_empty() {
            row.push_str(word);
        } else if row.chars().count() + 1 + word.chars().count() <= width {
            row.push(' ');
            row.push_str(word);
        } else {
            rows.push(word.to_owned());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::line::Group;
    use super::*;

    fn line(group: Group, state: State, text: &str) -> Line {
        Line::new(group, "id", "title", state, text)
    }

    #[test]
    fn every_state_has_its_word_without_colour_and_every_row_fits() {
        let long = "a figure of 12.3 ms ".repeat(12);
        let lines = [
            line(Group::Graphics, State::Ok, "fine"),
            line(Group::Graphics, State::Problem, &long).advise(&long),
            line(Group::Timing, State::Note, "so"),
            line(Group::Machine, State::NotMeasured, "why"),
        ];
        let page = page(&lines, false);
        for word in ["ok", "note", "PROBLEM", "not measured", "graphics", "timing", "->"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(!page.contains('\x1b'), "no colour in a file");
        assert!(page.lines().all(|row| row.chars().count() <= WIDTH), "{page}");
        assert_eq!(page.matches("\ngraphics\n").count(), 1, "one heading for both");
        assert!(
            page.ends_with("1 problem, 1 note, 1 thing as it should be, 1 thing not measured\n"),
            "{page}"
        );
        assert_eq!(page.matches("12.3").count(), 24, "nothing is cut off");
    }

    #[test]
    fn words_longer_than_a_row_are_left_whole() {
        assert_eq!(wrapped("aaaa bb c dddddd", 4), ["aaaa", "bb c", "dddddd"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
