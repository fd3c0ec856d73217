//! The tables of a page.

use std::fmt::Write as _;

use super::{Escaped, frames::Way, ms};
use crate::app::bench::compare::{Comparison, MetricComparison, Shift, Verdict};
use crate::app::bench::result::{BenchResult, ScenarioResult};
use crate::app::palette::LETTER_OF;
use crate::app::report::rates;
use scanout::stats::Metric;
use scanout::stats::blame::Part;

/// All scenarios in a line each.
pub fn overview(result: &BenchResult) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table><caption>Scenarios (milliseconds)</caption><thead><tr><th>scenario</th>\
         <th>SampleToPhoton P50</th><th>P99</th><th>ClickToPhoton P50</th><th>P99</th><th>refresh</th><th>missed</th></tr></thead><tbody>",
    );
    for (i, s) in result.scenarios.iter().enumerate() {
        let _ = write!(out, "<tr><td class=\"name\"><a href=\"#s{i}\">{}</a></td>", Escaped(&s.name));
        if let Some(why) = &s.error {
            let _ = write!(out, "<td class=\"text\" colspan=\"6\">not measured: {}</td></tr>", Escaped(why));
            continue;
        }
        for metric in ["SampleToPhoton", "ClickToPhoton"] {
            match s.figures(metric) {
                Some(f) => {
                    let [p50, _, p99] = f.told().map(told);
                    let _ = write!(out, "<td>{p50}</td><td>{p99}</td>");
                }
                None => out.push_str("<td colspan=\"2\">not measured</td>"),
            }
        }
        let hz = rates(s.refresh_hz, s.measured_hz);
        let _ = write!(out, "<td>{hz}</td><td>{}</td></tr>", s.missed_text());
    }
    out.push_str("</tbody></table></div>");
    out
}

/// A percentile, unless so few values do not give it.
pub fn told(figure: Option<f64>) -> String {
    figure.map_or("too few".to_owned(), ms)
}

/// Every metric of a scenario.
pub fn metrics(s: &ScenarioResult) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table><caption>All metrics (milliseconds)</caption><thead><tr><th>metric</th><th>mean</th>\
         <th>P50</th><th>P95</th><th>P99</th><th>P99.9</th><th>max</th><th>P99 of size</th><th>RMS</th><th>N</th></tr></thead><tbody>",
    );
    let mut known: Vec<&str> =
        Metric::ALL.iter().map(|m| m.name()).filter(|n| s.metrics.contains_key(*n)).collect();
    known
        .extend(s.metrics.keys().map(String::as_str).filter(|n| !Metric::ALL.iter().any(|m| m.name() == *n)));
    for name in known {
        let title = if name == Metric::QueueDepth.name() { "QueueDepth (frames)" } else { name };
        let _ = write!(out, "<tr><td>{}</td>", Escaped(title));
        match s.metrics[name] {
            Some(f) => {
                let _ = write!(out, "<td>{}</td>", ms(f.mean));
                for figure in f.told().into_iter().chain([f.p999]) {
                    let _ = write!(out, "<td>{}</td>", told(figure));
                }
                let sizes = f.p99_abs.map_or_else(String::new, ms);
                let _ = write!(
                    out,
                    "<td>{}</td><td>{sizes}</td><td>{}</td><td>{}</td></tr>",
                    ms(f.max),
                    ms(f.rms),
                    f.n
                );
            }
            None => out.push_str("<td class=\"text\" colspan=\"9\">not measured</td></tr>"),
        }
    }
    out.push_str("</tbody></table></div>");
    out
}

/// The parts of the way, with the letters and colours that the charts have.
pub fn parts(way: &Way) -> String {
    let mut out = format!(
        "<table><thead><tr><th>part (ms)</th><th>mean</th><th>{}</th></tr></thead><tbody>",
        way.far_name()
    );
    for part in Part::ALL {
        if let Some([mean, p99]) = way.parts[part as usize] {
            let i = part as usize;
            let _ = write!(
                out,
                "<tr><td><span class=\"key p{i}\">{}</span> {part}</td><td>{}</td><td>{}</td></tr>",
                LETTER_OF[i],
                ms(mean),
                ms(p99)
            );
        }
    }
    out.push_str("</tbody></table>");
    out
}

/// A comparison with its verdicts.
pub fn comparison(c: &Comparison) -> String {
    let mut out = String::from("<h2 id=\"comparison\">Comparison with the base</h2>");
    let verdict = super::sentence(&c.verdict());
    let _ = write!(out, "<p><b>{}</b></p>", Escaped(&verdict));
    let o = &c.options;
    let _ = write!(
        out,
        "<p class=\"note\">A difference is shown where it is at least {} ms and {} % of the base, and where at most {} % of \
         comparisons of a build with itself would show any. Intervals hold with 95 % confidence, each by itself; p is adjusted \
         for the number of comparisons (Holm). Delta is Cliff's, from -1 to 1.</p>",
        o.smallest_ms,
        o.smallest_share * 100.0,
        o.false_alarms * 100.0
    );
    let lists = [
        ("Only in the base", &c.only_base),
        ("Only in this result", &c.only_new),
        ("Failed in this result", &c.broken),
        ("Note", &c.remarks),
    ];
    for (title, list) in lists {
        for text in list {
            let _ = write!(out, "<p class=\"warn\">{title}: {}</p>", Escaped(text));
        }
    }
    for s in &c.scenarios {
        let _ = write!(
            out,
            "<div class=\"scroll\"><table><caption>{}</caption><thead><tr><th>metric</th><th>base</th><th>new</th><th>shift</th>\
             <th>95 % interval</th><th>p</th><th>delta</th><th>verdict</th></tr></thead><tbody>",
            Escaped(&s.name)
        );
        for m in &s.metrics {
            shift(&mut out, &format!("{} P50", m.metric), &m.median, Some(m));
            if let Some(p99) = &m.p99 {
                shift(&mut out, &format!("{} P99", m.metric), p99, None);
            }
        }
        out.push_str("</tbody></table></div>");
        if let Some(m) = s.metrics.first() {
            let _ = write!(out, "<p class=\"note\">Uncertainty from {}.</p>", Escaped(&m.basis()));
        }
        for remark in &s.remarks {
            let _ = write!(out, "<p class=\"warn\">{}</p>", Escaped(remark));
        }
    }
    out
}

fn shift(out: &mut String, name: &str, s: &Shift, m: Option<&MetricComparison>) {
    let p = if s.p_adjusted < 0.001 { "&lt;0.001".to_owned() } else { format!("{:.3}", s.p_adjusted) };
    let delta = m.map_or(String::new(), |m| format!("{:+.2}", m.cliffs_delta));
    let (class, sign) = match s.verdict {
        Verdict::Faster => ("faster", "▼ "),
        Verdict::Slower => ("slower", "▲ "),
        Verdict::NoDifferenceShown => ("note", ""),
    };
    let _ = write!(
        out,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:+.3}</td><td>{:+.3} to {:+.3}</td><td>{p}</td><td>{delta}</td>\
         <td class=\"{class}\">{sign}{}</td></tr>",
        Escaped(name),
        ms(s.base),
        ms(s.new),
        s.shift,
        s.low,
        s.high,
        s.verdict
    );
}
