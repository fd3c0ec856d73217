//! The command line of `scanout bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::app::number::whole;

#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// What to measure: quick (under a minute), full, or a .toml file of your own
    #[arg(long, value_name = "NAME|FILE.toml", default_value = "quick")]
    pub suite: String,
    /// Only scenarios with this text in their name; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
    /// Print the scenarios and measure nothing
    #[arg(long, conflicts_with_all = ["print_suite", "budget", "save", "compare", "interleave", "html", "csv", "limit"])]
    pub list: bool,
    /// Print the file of a built-in suite, as a start for one of your own
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "quick", conflicts_with_all = ["suite", "only", "budget", "save", "compare", "interleave", "html", "csv", "limit"])]
    pub print_suite: Option<String>,
    /// Fail (exit code 1) unless this time is held by the percentile of the metric in every scenario that measures it
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub budget: Option<Duration>,
    /// The percentile of the budget, above 0 and below 100
    #[arg(long, value_name = "P", default_value_t = 99.0, requires = "budget", value_parser = percentile)]
    pub percentile: f64,
    /// The metric of the budget: SampleToPhoton, ClickToPhoton, or any other that is a time of frames
    #[arg(long, value_name = "NAME", default_value = "SampleToPhoton", requires = "budget")]
    pub metric: String,
    /// Write the results to a file, as JSON (scanout.bench/1)
    #[arg(long, value_name = "FILE.json")]
    pub save: Option<PathBuf>,
    /// Compare with results that --save wrote; fail (exit code 1) where something got worse
    #[arg(long, value_name = "FILE.json", conflicts_with = "interleave")]
    pub compare: Option<PathBuf>,
    /// Measure two builds in turns, in one run, and compare them: this one with the one of --against
    #[arg(long)]
    pub interleave: bool,
    /// The program that is the base of --interleave (default: this one, which then needs --against-args)
    #[arg(long, value_name = "PROGRAM", requires = "interleave")]
    pub against: Option<PathBuf>,
    /// Further options of `run` for the base of --interleave, in one text
    #[arg(long, value_name = "OPTIONS", requires = "interleave", allow_hyphen_values = true)]
    pub against_args: Option<String>,
    /// Turns of --interleave; the frames of a scenario are divided among them, 60 to each at least
    #[arg(long, value_name = "N", default_value_t = 20, requires = "interleave", value_parser = whole::<u64>(2..=100))]
    pub rounds: u64,
    /// How long one run may take before it counts as hung (default: from its frames)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub limit: Option<Duration>,
    /// Write one page with plots
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,
    /// Write the frames with PresentMon's column names
    #[arg(long, value_name = "FILE.csv|FOLDER")]
    pub csv: Option<PathBuf>,
    /// Say nothing but errors and verdicts
    #[arg(long, short)]
    pub quiet: bool,
}

/// A time with its unit: `8ms`, `500us`, `0.1s`.
fn time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let parsed = units.iter().find_map(|(unit, scale)| {
        let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        Some(number * scale)
    });
    let good = parsed.filter(|s| *s > 0.0 && *s <= 3_600.0).map(Duration::from_secs_f64);
    good.ok_or_else(|| "a time is a number with a unit, like 8ms, 500us or 0.1s".into())
}

fn percentile(text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p: &f64| *p > 0.0 && *p < 100.0);
    p.ok_or_else(|| "a percentile is a number above 0 and below 100".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let s = text.parse().ok().filter(|s: &f64| *s > 0.0 && *s <= 86_400.0);
    s.map(Duration::from_secs_f64).ok_or_else(|| "seconds are a number above 0 and at most 86400".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, micros) in
            [("8ms", 8_000), ("0.5ms", 500), ("500us", 500), ("2s", 2_000_000), (" 8 ms", 8_000)]
        {
            assert_eq!(time(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for text in ["8", "ms", "-8ms", "0ms", "NaNms", "infs", "8min", ""] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
