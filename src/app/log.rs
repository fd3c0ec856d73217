use std::env::{self, VarError};
use std::io::Write as _;

use env_logger::Builder;
use log::LevelFilter;

/// What says which log lines are wanted.
const VARIABLE: &str = "RUST_LOG";

/// The target of lines that are no warning and that the user has to know: they are shown unless only errors are wanted.
pub const TOLD: &str = "scanout::told";

/// What is wanted of the log, where `RUST_LOG` does not say.
#[derive(Copy, Clone, Debug, Default)]
pub struct Wanted {
    /// Errors alone.
    pub quiet: bool,
    /// What this crate finds out on the way, too.
    pub verbose: bool,
    /// Shaders are taken from a folder: who changes one waits for what becomes of it.
    pub shaders: bool,
}

impl Wanted {
    pub fn of(quiet: bool) -> Self {
        Self { quiet, ..Self::default() }
    }

    fn filter(self) -> String {
        match self {
            Self { quiet: true, .. } => "error".into(),
            Self { verbose: true, .. } => "warn,scanout=info".into(),
            Self { shaders: true, .. } => format!("warn,{TOLD}=info,{}=info", scanout::gl::RELOADED),
            _ => format!("warn,{TOLD}=info"),
        }
    }
}

/// Log lines go to the error output: what the user has to know, unless more or less is wanted. A `RUST_LOG` that says nothing that
/// can be meant is told and left aside: taken as it is, it would only hide the warnings.
pub fn init(wanted: Wanted) {
    let usual = wanted.filter();
    let (filter, refused) = match env::var(VARIABLE) {
        Ok(wanted) => match check(&wanted) {
            Ok(()) if wanted.trim().is_empty() => (usual, None),
            Ok(()) => (wanted, None),
            Err(why) => (usual, Some(why)),
        },
        Err(VarError::NotPresent) => (usual, None),
        Err(VarError::NotUnicode(_)) => (usual, Some("it is no text".to_owned())),
    };
    let result = Builder::new()
        .parse_filters(&filter)
        .format(|out, record| {
            if is_echo(record) && !log::log_enabled!(target: record.target(), log::Level::Debug) {
                return Ok(());
            }
            let level = match record.level() {
                log::Level::Info => "",
                log::Level::Warn => "warning: ",
                log::Level::Error => "error: ",
                log::Level::Debug => "debug: ",
                log::Level::Trace => "trace: ",
            };
            writeln!(out, "{level}{}", record.args())
        })
        .try_init();
    debug_assert!(result.is_ok(), "the log is set up once");
    if let Some(why) = refused {
        log::warn!("{VARIABLE} is left aside: {why}");
    }
}

/// Whether a library says, from each thread that notices, what the end of the run says once: that the connection to the
/// compositor is broken.
fn is_echo(record: &log::Record<'_>) -> bool {
    let said = |what: &str| record.args().to_string().starts_with(what);
    match record.target().split("::").next() {
        Some("wayland_backend") => said("Io error: "),
        Some("calloop_wayland_source") => said("Error trying to flush"),
        _ => false,
    }
}

/// Whether a filter can be meant: levels, `TARGET=LEVEL`, and targets of this program without a level; after a slash, what lines
/// have to contain.
fn check(filter: &str) -> Result<(), String> {
    let mut parts = filter.split('/');
    let directives = parts.next().unwrap_or_default();
    if parts.count() > 1 {
        return Err("it has more than one slash".into());
    }
    let level = |text: &str| text.trim().parse::<LevelFilter>().is_ok();
    let ours = |text: &str| text == "scanout" || text.starts_with("scanout::");
    for directive in directives.split(',').map(str::trim).filter(|d| !d.is_empty()) {
        let good = match directive.split_once('=') {
            None => level(directive) || ours(directive),
            Some((target, of)) => !target.trim().is_empty() && (of.is_empty() || level(of)),
        };
        if !good {
            return Err(format!(
                "`{directive}` is neither a level (off, error, warn, info, debug, trace) nor TARGET=LEVEL"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_broken_connections_are_echoes() {
        let echo = |target, text: &str| {
            is_echo(&log::Record::builder().target(target).args(format_args!("{text}")).build())
        };
        assert!(echo("wayland_backend::sys::client_impl", "Io error: Broken pipe (os error 32)"));
        assert!(echo("calloop_wayland_source", "Error trying to flush the wayland display: Broken pipe"));
        assert!(!echo("wayland_backend::sys::client_impl", "Protocol error 3 on object xdg_wm_base@5: no"));
        assert!(!echo("scanout", "Io error: Broken pipe"));
    }

    #[test]
    fn filters_that_can_be_meant_are_told_from_those_that_cannot() {
        for good in [
            "",
            "warn",
            "INFO",
            "off",
            "scanout",
            "scanout::display",
            "scanout=debug",
            "warn,winit=trace",
            "debug/swap",
            " warn , scanout=info ",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["nonsense", "scanout=loud", "warn,verbose", "=debug", "a=b=c", "debug/a/b", "1"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
