use std::io::Write as _;

use env_logger::{Builder, Env};

/// Log lines go to the error output: warnings and what this crate has to say, unless `RUST_LOG` wants something else.
pub fn init(quiet: bool) {
    let filter = if quiet { "error" } else { "warn,scanout=info" };
    let result = Builder::from_env(Env::default().default_filter_or(filter))
        .format(|out, record| {
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
}
