//! A result as one page: no scripts, no network, readable in light and dark, on paper, and without seeing the charts.

mod chart;
mod figures;
mod frames;
mod latency;
mod tables;
mod words;

use std::fmt::Write as _;
use std::path::Path;

use self::frames::Way;
use self::latency::Values;
use self::words::{Escaped, ms, sentence, utc};
use super::bound::Bound;
use super::compare::Comparison;
use super::result::{BenchResult, Machine, ScenarioResult};
use crate::app::report::rates;
use crate::app::{Failure, output};

const STYLE: &str = include_str!("style.css");

/// Writes the page of a result; with a base it has both in its charts, and what the comparison says.
///
/// # Errors
/// [`Failure::Run`] where the file cannot be written.
pub fn write(
    path: &Path,
    result: &BenchResult,
    base: Option<(&BenchResult, &Comparison)>,
) -> Result<(), Failure> {
    Ok(output::write(path, page(result, base).as_bytes())?)
}

/// The page.
pub fn page(result: &BenchResult, base: Option<(&BenchResult, &Comparison)>) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>scanout bench: {0}</title>\n<style>\n{STYLE}</style></head><body>\n<header><h1>scanout bench: {0}</h1>",
        Escaped(&result.suite)
    );
    header(&mut out, result, base.map(|(base, _)| base));
    out.push_str("</header>\n<main>");
    out.push_str(&tables::overview(result));
    if let Some((_, comparison)) = base {
        out.push_str(&tables::comparison(comparison));
    }
    for (i, s) in result.scenarios.iter().enumerate() {
        let before =
            base.and_then(|(b, _)| b.scenarios.iter().find(|b| b.name == s.name && b.error.is_none()));
        scenario(&mut out, i, s, before);
    }
    out.push_str("</main></body></html>\n");
    out
}

fn header(out: &mut String, result: &BenchResult, base: Option<&BenchResult>) {
    let m = &result.machine;
    let software = result.scenarios.iter().any(|s| s.software);
    out.push_str("<dl>");
    row(out, "measured", &format!("{} by scanout {}", utc(result.began_unix_s), result.scanout));
    row(out, "machine", &machine(m));
    let load = |l: Option<f64>| l.map_or("not measured".to_owned(), |l| format!("{l:.2}"));
    row(out, "load average", &format!("{} before, {} after", load(m.load_before), load(m.load_after)));
    if let Some(base) = base {
        row(
            out,
            "base",
            &format!("{} by scanout {}, {}", utc(base.began_unix_s), base.scanout, machine(&base.machine)),
        );
    }
    out.push_str("</dl>");
    out.push_str(
        "<p class=\"note\">\"Photon\" and \"displayed\" mean the time at which the new pixels are in the framebuffer that is scanned out; \
         no camera was involved. ClickToPhoton begins with the input, SampleToPhoton with its sampling by the program: they are \
         two figures and never drawn in one curve.</p>",
    );
    if software {
        out.push_str("<p class=\"note\">Scenarios marked as such were drawn by a software rasteriser: their times of drawing say little about a GPU.</p>");
    }
}

fn machine(m: &Machine) -> String {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    format!(
        "{}, {} core(s), {} {}, CPU governor {}",
        m.cpu.clone().unwrap_or_else(|| "unknown CPU".into()),
        m.cores,
        m.os,
        or_unknown(&m.kernel),
        or_unknown(&m.governor)
    )
}

/// One scenario; `base`: what it is compared with.
fn scenario(out: &mut String, index: usize, s: &ScenarioResult, base: Option<&ScenarioResult>) {
    let _ = write!(out, "\n<section><h2 id=\"s{index}\">{}</h2>", Escaped(&s.name));
    if let Some(why) = &s.error {
        let _ = write!(out, "<p class=\"warn\">Not measured: {}</p></section>", Escaped(why));
        return;
    }
    facts(out, s);
    for warning in &s.warnings {
        let _ = write!(out, "<p class=\"warn\">Warning: {}</p>", Escaped(warning));
    }
    let way = Way::new(s);
    if let Some(strip) = way.strip() {
        let _ = write!(
            out,
            "<figure class=\"wide\"><div class=\"scroll\">{strip}</div><figcaption><b>Frame strip</b>The newest frames, oldest first; each \
             bar is the way from sample to display in milliseconds, by its parts. {}{}</figcaption></figure>",
            match s.is_bound_to_refreshes() {
                true =>
                    "A cross marks a frame that was displayed more than half a refresh after its time; the letter over it is the \
                         part that took longest beyond its usual time. ",
                false => "",
            },
            way.summary()
        );
    }
    out.push_str("<div class=\"figures\">");
    if let Some(chart) = figures::stages(&way) {
        let caption = format!(
            "From sample to display over the newest {} displayed frame(s), one part after the other. The second bar stacks the {} of \
             each part, which no single frame need have reached.{}",
            way.len(),
            way.far_name(),
            tables::parts(&way)
        );
        figure(out, "Stages", &chart, &caption);
    }
    intervals(out, s);
    for metric in ["SampleToPhoton", "ClickToPhoton"] {
        let Some(values) = Values::new(metric, s, base) else {
            figure(out, metric, "", "Not measured, or no values were kept.");
            continue;
        };
        let both = if values.has_base() { " Filled: this result; broken line: the base." } else { "" };
        let is_click = metric == "ClickToPhoton";
        let input = if is_click { format!(" Input: {}.", Escaped(&s.input)) } else { String::new() };
        let caption = format!("{}{both}{}{input}", values.percentiles(), values.beyond());
        figure(out, &format!("{metric}, histogram"), &latency::histogram(metric, &values), &caption);
        let both = if values.has_base() { " Solid: this result; broken line: the base." } else { "" };
        let bound = Bound::of(s);
        let told = if is_click { format!(" {}.", bound_text(bound)) } else { String::new() };
        let caption = format!(
            "The share of frames that were displayed after at most so long. Dots: P50, P95, P99, each where there are enough values; one with an arrow lies \
             beyond the edge.{both}{told}"
        );
        let chart = latency::cumulative(metric, &values, bound.ms().filter(|_| is_click));
        figure(out, &format!("{metric}, cumulative"), &chart, &caption);
    }
    errors(out, s);
    out.push_str("</div>");
    out.push_str(&tables::metrics(s));
    out.push_str("</section>");
}

/// The latency that no program can beat, and the line that shows it.
fn bound_text(bound: Bound) -> String {
    match bound {
        Bound::Is { refresh, least } => format!(
            "Thin upright line: with one frame per refresh no program has a P99 below 0.99*T + L = {} ms (T = {} ms, L = {} ms, \
             the shortest SampleToPhoton)",
            ms(0.99 * refresh + least),
            ms(refresh),
            ms(least)
        ),
        Bound::DoesNotApply => {
            "Frames are not bound to refreshes: the bound 0.99*T + L does not apply".into()
        }
        Bound::NotMeasured => "The bound 0.99*T + L was not measured".into(),
    }
}

/// How long frames stayed on the display.
fn intervals(out: &mut String, s: &ScenarioResult) {
    let refresh = s.refresh_ms();
    if let Some((chart, cut)) = figures::intervals(s, refresh) {
        let cut = if cut > 0 { format!(" {cut} longer ones end at the top edge.") } else { String::new() };
        let lines = refresh.map_or(String::new(), |r| format!(" Lines: whole refreshes of {} ms.", ms(r)));
        let caption = format!(
            "Milliseconds between displayed frames, in their order; of frames that share a column the longest.{cut}{}{lines}",
            match s.is_bound_to_refreshes() {
                true => format!(" Missed refreshes: {}.", s.missed_text()),
                false => " Frames are not bound to refreshes.".to_owned(),
            }
        );
        figure(out, "Display intervals", &chart, &caption);
    }
}

/// How far wake-ups and predictions were off.
fn errors(out: &mut String, s: &ScenarioResult) {
    // What is signed says which way round it is.
    let names = [
        ("WakeError", "start - planned start"),
        ("PhaseError", "predicted - actual refresh"),
        ("AnimationError", "animation step - display step"),
        ("IntervalJitter", "distance from whole refreshes"),
    ];
    let rows: Vec<_> = names.iter().filter_map(|(name, _)| Some((*name, s.figures(name)?))).collect();
    let caption = names.map(|(name, what)| match s.figures(name) {
        Some(f) => {
            let [p50, _, p99] = f.told().map(tables::told);
            format!("{name} ({what}): min {}, P50 {p50}, P99 {p99}, max {}", ms(f.min), ms(f.max))
        }
        None => format!("{name}: not measured"),
    });
    let chart = figures::errors(&rows);
    let key = match chart {
        Some(_) => {
            "In milliseconds. Thin line: min to max; thick: P50 to P95; tick: P99, each where there are enough values. "
        }
        None => "In milliseconds. ",
    };
    figure(out, "Errors of timing", &chart.unwrap_or_default(), &format!("{key}{}.", caption.join("; ")));
}

fn facts(out: &mut String, s: &ScenarioResult) {
    let percent =
        |share: Option<f64>| share.map_or("not measured".to_owned(), |s| format!("{:.0} %", s * 100.0));
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let [width, height] = s.size;
    out.push_str("<dl>");
    row(
        out,
        "scene",
        &format!("{}, {width}x{height}, pacing {}, extra load {}", s.scene, s.pacing, or(&s.load, "none")),
    );
    row(out, "display", &format!("{}, {}", s.place, rates(s.refresh_hz, s.measured_hz)));
    row(
        out,
        "display times",
        &format!("{} ({})", or(&s.display_source, "nobody told"), or(&s.display_origin, "unknown")),
    );
    let software = if s.software { ", a software rasteriser" } else { "" };
    row(out, "OpenGL", &format!("{} / {} / {}{software}", s.gl_vendor, s.gl_renderer, s.gl_version));
    row(out, "input", &s.input);
    row(
        out,
        "frames",
        &format!(
            "{} in {:.2} s ({}) after {} of warm-up; {} dropped, {} repeated",
            s.frames,
            s.elapsed_s,
            s.rate_text(),
            s.warmup_frames,
            s.dropped,
            s.repeated
        ),
    );
    let declared = s.miss_budget.map_or(String::new(), |b| format!(" (declared: {:.2} %)", b * 100.0));
    let deadlines = match (s.deadline_misses, s.deadlines) {
        (Some(missed), Some(of)) => format!("{missed} of {of}"),
        _ => "not measured".into(),
    };
    match (s.is_bound_to_refreshes(), s.misses()) {
        (true, Some(_)) => {
            row(
                out,
                "missed",
                &format!("{} of refreshes{declared}; deadlines: {deadlines}", s.missed_text()),
            );
        }
        (true, None) => row(out, "missed", &format!("refreshes: not measured; deadlines: {deadlines}")),
        (false, _) if s.on_demand => row(out, "refreshes", "not bound to them: frames come only for input"),
        (false, _) => row(out, "refreshes", "not bound to them: frames are shown when they are done"),
    }
    let wakeups = s.wakeups_per_s.map_or("not measured".to_owned(), |n| format!("{n:.0}"));
    row(
        out,
        "cost",
        &format!(
            "CPU {} of one core, spinning {}, wake-ups per second {wakeups}",
            percent(s.cpu_share),
            percent(s.spin_share)
        ),
    );
    out.push_str("</dl>");
}

fn row(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", Escaped(value));
}

/// `caption` is markup.
fn figure(out: &mut String, title: &str, chart: &str, caption: &str) {
    let _ =
        write!(out, "<figure>{chart}<figcaption><b>{}</b>{caption}</figcaption></figure>", Escaped(title));
}

#[cfg(test)]
mod tests;
