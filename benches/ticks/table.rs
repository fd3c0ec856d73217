//! What is printed and written of all turns.

use serde_json::{Map, Value, json};

use crate::common::{STOPPED, Seen, Ticks, figure, median, percentile, sorted};
use crate::contender::{Contender, Load, REFERENCE, Turn};

pub fn print_observer(all: &[Seen]) -> Value {
    let gaps = sorted(all.iter().flat_map(|s| &s.gaps).map(|gap| gap.as_secs_f64() * 1e6));
    let changes: usize = all.iter().map(|s| s.at.len()).sum();
    let blind: usize = all.iter().map(|s| s.blind).sum();
    let stopped: usize = all.iter().map(|s| s.unobserved.len()).sum();
    let cpu = 100.0 * median(all.iter().map(|s| s.cpu));
    let [p50, p999, max] = [0.5, 0.999, 1.0].map(|p| percentile(&gaps, p));
    println!(
        "observer: {} % of a CPU; between two looks {} us, p99.9 {} us, at most {} us; {blind} of {changes} \
         changes came before it looked; it was stopped for more than {} us {stopped} times",
        figure(cpu, 0),
        figure(p50, 2),
        figure(p999, 2),
        figure(max, 0),
        STOPPED.as_micros(),
    );
    json!({
        "cpu_percent": cpu, "gap_p50_us": p50, "gap_p999_us": p999, "gap_max_us": max, "changes": changes, "blind": blind,
        "stopped": stopped,
    })
}

/// Figures are of the intervals of all rounds together.
pub fn print(all: &[Contender]) -> Value {
    println!(
        "\nvisible interval at 120 ticks per second, all rounds together (\"middle\": the median of what an interval is off by; \
         \"sd w/o 1 %\": the standard deviation without the widest 1 % of the intervals, those furthest off; \"machine\": \
         intervals in which the machine stood or the observer was stopped, left out of every figure, \"unobserved\" those of \
         the observer; \"own\": the misses that scanout reports)"
    );
    println!(
        "{:<10}{:<14}{:>10}{:>12}{:>12}{:>11}{:>8}{:>7}{:>9}{:>12}{:>6}{:>8}",
        "",
        "",
        "sd, us",
        "sd w/o 1 %",
        "middle, us",
        "worst, us",
        "missed",
        "of",
        "machine",
        "unobserved",
        "own",
        "CPU %"
    );
    let mut out = json!({});
    for (i, load) in Load::ALL.into_iter().enumerate() {
        let name = load.name();
        for c in all {
            if let Some(why) = &c.absent {
                println!("{name:<10}{:<14}absent: {why}", c.name);
            } else if !c.turns[i].is_empty() {
                out[name][c.name] = print_row(name, c.name, &c.turns[i]);
            }
        }
        let Some(reference) = all.iter().find(|c| c.name == REFERENCE) else { continue };
        for c in all.iter().filter(|c| c.name != REFERENCE) {
            if !c.turns[i].is_empty() && !reference.turns[i].is_empty() {
                out[name][c.name]["to_tick_thread"] =
                    print_ratios(name, c.name, &c.turns[i], &reference.turns[i]);
            }
        }
    }
    out
}

fn print_row(load: &str, name: &str, turns: &[Turn]) -> Value {
    let ticks = Ticks::together(turns.iter().map(|t| &t.ticks));
    let of = ticks.regularity();
    let own: Option<u64> = turns.iter().map(|t| t.own_missed).sum();
    let cpu = median(turns.iter().map(|t| t.cpu * 100.0));
    println!(
        "{load:<10}{name:<14}{:>10}{:>12}{:>12}{:>11}{:>8}{:>7}{:>9}{:>12}{:>6}{:>8}",
        figure(of.sd, 1),
        figure(of.sd_trimmed, 1),
        figure(of.middle, 1),
        figure(of.worst, 0),
        ticks.missed,
        ticks.of,
        ticks.machine.map_or("-".into(), |n| n.to_string()),
        ticks.unobserved,
        own.map_or("-".into(), |n| n.to_string()),
        figure(cpu, 1),
    );
    let mut row = row(&ticks, cpu, own);
    row["rounds"] = turns.iter().map(|t| self::row(&t.ticks, t.cpu * 100.0, t.own_missed)).collect();
    row
}

fn row(ticks: &Ticks, cpu: f64, own: Option<u64>) -> Value {
    let of = ticks.regularity();
    json!({
        "sd_us": of.sd, "sd_without_widest_1_percent_us": of.sd_trimmed, "middle_us": of.middle, "worst_us": of.worst,
        "missed": ticks.missed, "of": ticks.of, "machine": ticks.machine, "unobserved": ticks.unobserved,
        "own_missed": own, "cpu_percent": cpu,
    })
}

/// Of each figure: that of all rounds to the reference's of all rounds, and the same for each round.
fn print_ratios(load: &str, name: &str, turns: &[Turn], reference: &[Turn]) -> Value {
    let figures = |turns: &[Turn]| {
        let all = Ticks::together(turns.iter().map(|t| &t.ticks)).regularity();
        std::iter::once(all).chain(turns.iter().map(|t| t.ticks.regularity())).collect::<Vec<_>>()
    };
    let pairs: Vec<_> = figures(turns).into_iter().zip(figures(reference)).collect();
    let ratios = [
        ("sd", "sd", pairs.iter().map(|(a, b)| a.sd / b.sd).collect()),
        (
            "sd w/o 1 %",
            "sd_without_widest_1_percent",
            pairs.iter().map(|(a, b)| a.sd_trimmed / b.sd_trimmed).collect(),
        ),
        ("middle", "middle", pairs.iter().map(|(a, b)| a.middle / b.middle).collect::<Vec<f64>>()),
    ];
    let (mut text, mut out) = (Vec::new(), Map::new());
    for (title, key, values) in &ratios {
        let rounds: Vec<String> = values[1..].iter().map(|&v| figure(v, 2)).collect();
        text.push(format!("{title} {} ({})", figure(values[0], 2), rounds.join(", ")));
        out.insert((*key).into(), json!({ "overall": values[0], "rounds": values[1..] }));
    }
    let more = median(turns.iter().zip(reference).map(|(a, b)| (a.cpu - b.cpu) * 100.0));
    let sign = if more >= 0.0 { "+" } else { "" };
    println!(
        "{load:<10}{name} / {REFERENCE}, overall (rounds): {}; CPU {sign}{} points",
        text.join("; "),
        figure(more, 1)
    );
    out.insert("cpu_points".into(), json!(more));
    Value::Object(out)
}
