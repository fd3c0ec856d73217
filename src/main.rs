//! `scanout`: renders scenes and says where each frame's time goes.

mod app;

use std::process::ExitCode;

fn main() -> ExitCode {
    match app::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => app::fail(&error),
    }
}
