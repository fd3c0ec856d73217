use std::collections::BTreeMap;

use serde::Serialize;

/// How a thing stands.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It costs latency or smoothness.
    Problem,
    /// It could not be looked at.
    NotMeasured,
}

impl State {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "PROBLEM",
            Self::NotMeasured => "not measured",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub group: Group,
    /// For programs; it stays the same.
    pub id: &'static str,
    pub title: &'static str,
    pub state: State,
    /// What was seen, with its figures.
    pub text: String,
    /// What can be done, where something can.
    pub advice: Option<String>,
    /// The same figures by name; the ending of a name says the unit.
    pub figures: BTreeMap<&'static str, f64>,
}

/// Where a line stands in the report.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Graphics,
    Display,
    Frames,
    Timing,
    Machine,
}

impl Group {
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Graphics => "graphics",
            Self::Display => "display",
            Self::Frames => "frames",
            Self::Timing => "timing",
            Self::Machine => "machine",
        }
    }
}

impl Line {
    pub fn new(
        group: Group,
        id: &'static str,
        title: &'static str,
        state: State,
        text: impl Into<String>,
    ) -> Self {
        Self { group, id, title, state, text: text.into(), advice: None, figures: BTreeMap::new() }
    }

    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// A figure, where it was measured.
    #[must_use]
    pub fn figure(mut self, name: &'static str, value: impl Into<Option<f64>>) -> Self {
        self.figures.extend(value.into().filter(|v| v.is_finite()).map(|value| (name, value)));
        self
    }
}
