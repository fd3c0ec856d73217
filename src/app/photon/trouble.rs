use scanout::observe;

use crate::app::Failure;

/// Why nothing was measured.
#[derive(Debug)]
pub enum Trouble {
    /// What was asked for cannot be measured: exit code 2.
    Bad(String),
    /// It could have been, and something broke on the way: exit code 1.
    Broken(String),
    /// The user had enough.
    Stopped,
}

pub type Outcome<T> = Result<T, Trouble>;

impl From<observe::Error> for Trouble {
    fn from(error: observe::Error) -> Self {
        match error {
            observe::Error::Server { .. } | observe::Error::Io { .. } => Self::Broken(error.to_string()),
            error => Self::Bad(error.to_string()),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Bad(text) => Self::Usage(one_line(&text)),
            Trouble::Broken(text) => Self::Failed(one_line(&text)),
            Trouble::Stopped => Self::Failed("stopped before everything was measured".into()),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
