//! `scanout explain`.

mod doubled;
mod file;
mod scan;
mod value;

use scanout::timeline::explain::{Observed, explain};

use super::cli::ExplainArgs;
use super::{Failure, output};

pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let file::Trace { about, frames, kept } = file::read(&args.file)?;
    let events = kept.events();
    let explanation = explain(&Observed {
        refresh: about.refresh,
        interval: about.interval,
        warmup: about.warmup,
        frames: &frames,
        events: &events,
    });
    let mut text = explanation.lines(args.frames).join("\n");
    text.push('\n');
    if about.dropped > 0 {
        text.push_str(&format!(
            "the file has the end of the run: {} older events were dropped\n",
            about.dropped
        ));
    }
    output::print(&text).map_err(Failure::from)
}
