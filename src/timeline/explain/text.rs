use std::fmt;
use std::time::Duration;

use super::costs::Happened;
use super::{Cause, Explanation, Finding};

/// So many times as many fragments as vertices, or the other way round, and the one is not what takes the time.
const MANY: u64 = 16;
/// Frames that are named for each cause.
const NAMED: usize = 8;

/// What can be said of a cause beyond its figures.
pub(super) fn detail(finding: &Finding, happened: &Happened, gpu_timed: bool) -> String {
    match finding.cause {
        Cause::Gpu => gpu(finding, happened),
        Cause::Fence if !gpu_timed => "what the GPU did is not known: it may have been busy".into(),
        Cause::Driver => {
            "a call did not return and the thread did not run; the driver, or what was called, waited".into()
        }
        Cause::Compositor => {
            "it was ready as early as frames on time are, and was held back behind the program".into()
        }
        Cause::SimulatedDisplay => {
            "it was ready as early as frames on time are; the run was off screen, without a compositor".into()
        }
        Cause::Scheduler => "a thread woke late, or was ready to run and something else ran".into(),
        _ => String::new(),
    }
}

/// The pass that took the most, and whether there were more fragments or vertices to be worked on.
fn gpu(finding: &Finding, happened: &Happened) -> String {
    let late = |id: u64| finding.frames.iter().any(|(frame, _)| frame.0 == id);
    let worst = happened.passes.iter().filter(|(id, ..)| late(*id)).max_by_key(|(_, _, took)| *took);
    let mut text = worst.map_or("its passes were not timed".to_owned(), |(id, name, took)| {
        format!("the longest pass is `{name}`, {} in frame {id}", ms(Duration::from_nanos(*took)))
    });
    let counts = finding.frames.iter().find_map(|(id, _)| happened.invocations.get(&id.0));
    let told = match counts {
        None => {
            "; vertex or fragment work cannot be told: the driver counts no shader invocations".to_owned()
        }
        Some((vertices, fragments)) => {
            let side = match (*vertices, *fragments) {
                (v, f) if f >= v.saturating_mul(MANY) => "fragment work",
                (v, f) if v >= f.saturating_mul(MANY) => "vertex work",
                _ => "vertex or fragment work cannot be told",
            };
            format!("; {side}: {vertices} vertices and {fragments} fragments were shaded")
        }
    };
    text.push_str(&told);
    text
}

fn ms(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1e3)
}

impl Explanation {
    /// The verdict and what speaks for it, in lines of which each cause names at most `frames` frames.
    #[must_use]
    pub fn lines(&self, frames: usize) -> Vec<String> {
        if let Some(why) = self.unknown {
            return vec![format!("not enough evidence: {why} ({} judged)", self.judged)];
        }
        if self.late.is_empty() {
            return vec![format!("no late frames among {} judged", self.judged)];
        }
        let share = 100.0 * self.late.len() as f64 / self.judged as f64;
        let mut lines = vec![format!(
            "{} of {} frames were displayed late ({share:.2} %); figures are medians",
            self.late.len(),
            self.judged
        )];
        let all = self.late.len();
        for finding in &self.findings {
            let usual = finding.usual.map_or("too few frames were on time to compare".to_owned(), |u| {
                format!("in frames on time it takes {}", ms(u))
            });
            // Medians: one frame that hung says nothing of the others.
            let n = finding.frames.len();
            let took = ms(finding.took);
            let against = match (finding.cause.is_behind_us(), n) {
                (true, 1) => format!("it was displayed {took} after its time"),
                (true, _) => format!("half of them were displayed {took} or more after their time"),
                (false, 1) => format!("it took {took}; {usual}"),
                (false, _) => format!("it took {took} or more of half of them; {usual}"),
            };
            lines.push(format!("{} held up {n} of these {all}: {against}", finding.cause.name()));
            if !finding.detail.is_empty() {
                lines.push(format!("  {}", finding.detail));
            }
            let named: Vec<_> = finding
                .frames
                .iter()
                .take(frames)
                .map(|(id, by)| format!("{id} ({} late)", ms(*by)))
                .collect();
            let more = finding.frames.len().saturating_sub(named.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            if !named.is_empty() {
                let frames = if named.len() == 1 { "frame" } else { "frames" };
                lines.push(format!("  most late: {frames} {}{more}", named.join(", ")));
            }
        }
        let unexplained = self.late.iter().filter(|late| late.cause.is_none()).count();
        if unexplained > 0 {
            lines.push(format!(
                "not explained: {unexplained} of these {all}; nothing in them stands out enough"
            ));
        }
        lines
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines(NAMED).join("\n"))
    }
}
