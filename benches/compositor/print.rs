//! Rows that several parts print.

use serde_json::{Value, json};

use crate::common::{percentile, sorted};
use crate::contender::Contender;

pub fn print_latency(all: &[Contender], counted: &str, count: usize) -> Value {
    println!(
        "{:<18}{:>9}{:>9}{:>9}{:>7}{:>8}{:>7}  median of each start",
        "", "median", "p99", "max", "n", counted, "CPU %"
    );
    let mut out = json!({});
    for c in all.iter().filter(|c| !c.turns.is_empty()) {
        let v = c.all();
        let starts: Vec<String> = c
            .turns
            .iter()
            .map(|t| {
                let v = sorted(t.values.iter().copied());
                format!("{:.1} ({:.1})", percentile(&v, 0.5), percentile(&v, 0.99))
            })
            .collect();
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|p| percentile(&v, p));
        println!(
            "{:<18}{p50:>9.2}{p99:>9.2}{max:>9.2}{:>7}{:>8}{:>7.1}  {}",
            c.name,
            v.len(),
            c.count(count),
            c.cpu(),
            starts.join(", ")
        );
        out[&c.name] =
            json!({ "median_ms": p50, "p99_ms": p99, "max_ms": max, "n": v.len(), "cpu_percent": c.cpu() });
    }
    print_absent(all);
    print_pacers(all);
    for c in all.iter().filter(|c| c.turns.iter().any(|t| !t.report.is_null())) {
        let of = |name: &str, p: &str| {
            let each = c.turns.iter().map(|t| t.report["metrics"][name][p].as_f64().unwrap_or(f64::NAN));
            each.map(|ms| format!("{ms:.1}")).collect::<Vec<_>>().join(", ")
        };
        println!(
            "{:<18}reports, each start: swap to display {} (p99 {}); sample to display {} (p99 {}); dropped {:?}",
            c.name,
            of("MsUntilDisplayed", "p50"),
            of("MsUntilDisplayed", "p99"),
            of("SampleToPhoton", "p50"),
            of("SampleToPhoton", "p99"),
            c.turns.iter().map(|t| t.report["counters"]["dropped"].as_u64()).collect::<Vec<_>>(),
        );
    }
    out
}

/// What the pacer of each start had come to at its end.
pub fn print_pacers(all: &[Contender]) {
    for (c, t) in all.iter().flat_map(|c| c.turns.iter().map(move |t| (c, t))) {
        let p = &t.report["pacer"];
        if p.is_null() {
            continue;
        }
        let ms = |name: &str| p[name].as_f64().unwrap_or(f64::NAN);
        println!(
            "{:<18}pacer: {} x {}, budget {:.1} ms, of it reserve {:.1}, missed {} of {}, drains {}, postponed {}, spinning {:.1} %",
            c.name,
            p["divisor"],
            p["layout"].as_str().unwrap_or("-"),
            ms("budget_ms"),
            ms("reserve_ms"),
            p["missed"],
            p["judged"],
            p["drains"],
            p["postponed"],
            t.report["cost"]["spin_share"].as_f64().unwrap_or(f64::NAN) * 100.0,
        );
    }
}

pub fn print_absent(all: &[Contender]) {
    for c in all {
        if let Some(why) = &c.absent {
            println!("{:<18}absent: {why}", c.name);
        }
    }
}
