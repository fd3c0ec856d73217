//! What the environment asks of this program, refused like an option that cannot be meant.

use scanout::gl::Strategy;

use super::Failure;
use super::cli::{Cli, Command};

/// Where finished programs are kept: any folder will do.
pub const SHADER_CACHE: &str = "SCANOUT_SHADER_CACHE";

/// All variables that are this program's own.
pub const OURS: [&str; 2] = [Strategy::VARIABLE, SHADER_CACHE];

/// Looks at what the command will read, before it opens or starts anything.
///
/// # Errors
/// [`Failure::Usage`] where a variable has a value that there is not.
pub fn check(cli: &Cli) -> Result<(), Failure> {
    let draws = match &cli.command {
        None | Some(Command::Run(_) | Command::Doctor(_)) => true,
        #[cfg(target_os = "linux")]
        Some(Command::Bench(args)) => !args.list && args.print_suite.is_none(),
        Some(_) => false,
    };
    if !draws {
        return Ok(());
    }
    let wished = Strategy::wished();
    wished.map(drop).map_err(|e| Failure::Usage(format!("{}: {e}", Strategy::VARIABLE)))
}
