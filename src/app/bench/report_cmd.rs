//! `scanout report`: pages, tables and comparisons of results that were stored.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{compare, csv, html, json, table};
use crate::app::{Failure, output};

/// The command line of `scanout report`: the table in the terminal, and what else is asked for.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// What `scanout bench --save FILE.json` wrote; alone: its table is printed as the run printed it
    #[arg(value_name = "RESULT.json")]
    pub result: PathBuf,
    /// Write it as one page
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,
    /// Write its newest frames with PresentMon's column names
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
    /// Compare it with an older result: in the terminal, and in the page
    #[arg(long, value_name = "BASE.json")]
    pub compare: Option<PathBuf>,
    /// Print no table
    #[arg(long, short)]
    pub quiet: bool,
}

/// Does what the command line says.
///
/// # Errors
/// [`Failure::Usage`] where a result cannot be read or two files are the same, [`Failure::Run`] where a file cannot be written.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let named: Vec<&Path> =
        [Some(&args.result), args.compare.as_ref(), args.html.as_ref(), args.csv.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
    for written in [&args.html, &args.csv].into_iter().flatten() {
        if named.iter().filter(|other| output::same(written, other)).count() > 1 {
            return Err(Failure::Usage(format!("{}: it is named twice", written.display())));
        }
        output::check(written)?;
    }
    let result = json::read(&args.result)?;
    let base = args.compare.as_deref().map(json::read).transpose()?;
    let compared =
        base.as_ref().map(|base| (base, compare::compare(base, &result, &compare::Options::default())));
    if let Some(path) = &args.html {
        html::write(path, &result, compared.as_ref().map(|(base, comparison)| (*base, comparison)))?;
    }
    if let Some(path) = &args.csv {
        csv::write(path, &result)?;
    }
    if args.quiet {
        return Ok(());
    }
    Ok(output::print(&match &compared {
        Some((_, comparison)) => comparison.to_table(),
        None => table::whole(&result),
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::made_up;

    #[test]
    fn a_stored_result_becomes_a_page_and_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        json::write(&at("new.json"), &made_up::result(1, 0.0)).unwrap();
        json::write(&at("base.json"), &made_up::result(2, 0.0)).unwrap();
        let args = ReportArgs {
            result: at("new.json"),
            html: Some(at("page.html")),
            csv: Some(at("frames.csv")),
            compare: Some(at("base.json")),
            quiet: true,
        };
        run(&args).unwrap();
        let page = std::fs::read_to_string(at("page.html")).unwrap();
        assert!(page.contains("Comparison with the base") && page.contains("flash-auto"));
        assert!(std::fs::read_to_string(at("frames.csv")).unwrap().starts_with("Application,"));
        // The result itself is not written over.
        for taken in ["new.json", "base.json", "frames.csv"] {
            let twice = ReportArgs { html: Some(at(taken)), ..args.clone() };
            assert!(matches!(run(&twice), Err(Failure::Usage(text)) if text.contains("twice")), "{taken}");
        }
        let missing = ReportArgs { compare: Some(at("none.json")), ..args };
        assert!(matches!(run(&missing), Err(Failure::Usage(text)) if text.contains("none.json")));
    }
}
