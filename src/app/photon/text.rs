//! What was measured, for people.

use std::fmt::Write as _;

use super::figures::{Figures, P95_NEEDS, P99_NEEDS};
use super::report::Report;

impl Report {
    pub fn text(&self) -> String {
        let mut t = String::new();
        self.write(&mut t).expect("a string takes all");
        t
    }

    fn write(&self, t: &mut String) -> std::fmt::Result {
        let [x, y, width, height] = self.window;
        let name = if self.command.is_empty() { self.server.clone() } else { self.command.join(" ") };
        writeln!(t, "{name}: {width}x{height} at ({x}, {y}) on {}", self.server)?;
        match &self.subject {
            Some(subject) => writeln!(t, "window: {subject}")?,
            None => writeln!(t, "window: none was named, the whole screen is looked at")?,
        }
        writeln!(t, "photon: {}", self.photon)?;
        if self.cut_short {
            writeln!(
                t,
                "cut short: it was stopped, and these are the figures of what was measured until then"
            )?;
        }
        let header = |t: &mut String, of: &str| {
            writeln!(t, "\n{of:<34}{:>9}{:>9}{:>9}{:>9}{:>7}", "p50", "p95", "p99", "max", "n")
        };
        if let (Some(first), Some(all)) = (&self.first_ms, &self.all_ms) {
            header(t, &format!("from {}, ms", self.press.as_deref().unwrap_or("the press")))?;
            row(t, "to the first changed point", first)?;
            row(t, "to the last changed point", all)?;
            match &self.floor {
                // Beside the program's figures they would be taken for a comparison.
                Some(_) if self.floor_is_disturbed() => {
                    writeln!(t, "{:<34}disturbed, see below", "floor of the method")?;
                }
                Some(floor) => {
                    row(t, "floor of the method, first", &floor.first_ms)?;
                    row(t, "floor of the method, last", &floor.all_ms)?;
                }
                None => writeln!(t, "{:<34}not measured", "floor of the method")?,
            }
            if let Some(c) = &self.clicks {
                let outside =
                    self.area.map_or_else(String::new, |_| format!("outside of the area {}, ", c.outside));
                writeln!(
                    t,
                    "lost {}, unseen {}, {outside}in part {}; of {} sample points {} answer and {} move by themselves{}",
                    c.lost,
                    c.unseen,
                    c.partial,
                    c.points,
                    c.points_answering,
                    c.points_moving,
                    if c.points_follow { "; they follow the answer, which wanders" } else { "" }
                )?;
            }
        }
        if let Some(a) = &self.animation {
            header(t, "ms")?;
            row(t, "from one change to the next", &a.interval_ms)?;
            writeln!(
                t,
                "against {:.3} ms ({}): missed {} of {} refreshes, duplicated {} pictures, early {}, jitter {} ms",
                a.period_ms,
                a.period,
                a.missed,
                a.refreshes,
                a.duplicated,
                a.early,
                number(a.jitter_ms, 3)
            )?;
        }
        if let Some(d) = &self.drag {
            header(t, "ms")?;
            row(t, "lag of the mark", &d.lag_ms)?;
            writeln!(
                t,
                "jitter {} ms; the pointer moves at {:.0} px/s in steps of {:.1} ms; the mark lies {} px off it",
                number(d.jitter_ms, 3),
                d.speed_px_s,
                d.step_ms,
                d.offset_px
            )?;
        }
        let drag = self.drag.as_ref().map(|d| &d.lag_ms);
        let animation = self.animation.as_ref().map(|a| &a.interval_ms);
        let floor = self.floor.iter().flat_map(|f| [&f.first_ms, &f.all_ms]);
        let mut all =
            [&self.first_ms, &self.all_ms].into_iter().flatten().chain(drag).chain(animation).chain(floor);
        if all.any(Figures::withholds) {
            writeln!(t, "p95 is given from {P95_NEEDS} values on, p99 from {P99_NEEDS} on")?;
        }
        self.write_observer(t)?;
        for warning in &self.warnings {
            writeln!(t, "disturbed: {warning}")?;
        }
        Ok(())
    }

    fn write_observer(&self, t: &mut String) -> std::fmt::Result {
        let o = &self.observer;
        writeln!(
            t,
            "\nobserver: {}, asleep {} us between looks of {:.1} us; looks apart p50 {} p99 {} max {} us; priority {}",
            o.view,
            o.look_us,
            o.look_cost_us,
            number(o.gap_us.p50, 0),
            number(o.gap_us.p99, 0),
            number(o.gap_us.max, 0),
            o.priority
        )?;
        write!(t, "a change has {}", o.times)?;
        match &o.behind_us {
            Some(b) => writeln!(t, ", and is seen {} us later (p99 {})", number(b.p50, 0), number(b.p99, 0))?,
            None => writeln!(t)?,
        }
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "not known".into(), |share| format!("{:.0} %", share * 100.0))
        };
        writeln!(
            t,
            "share of a CPU: program {}, server {}, observer {}, rest of the machine {}{}",
            percent(self.cpu.program),
            percent(self.cpu.server),
            percent(self.cpu.observer),
            percent(self.cpu.rest),
            self.cpu.among_rest().map_or_else(String::new, |who| format!(" (with {who})"))
        )
    }
}

fn row(t: &mut String, name: &str, f: &Figures) -> std::fmt::Result {
    let [p50, p95, p99, max] = [f.p50, f.p95, f.p99, f.max].map(|v| number(v, 3));
    writeln!(t, "{name:<34}{p50:>9}{p95:>9}{p99:>9}{max:>9}{:>7}", f.n)
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".into(), |v| format!("{v:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::photon::report::{Floor, PHOTON};

    #[test]
    fn what_was_not_measured_is_printed_as_such() {
        let report = Report {
            first_ms: Some(Figures::of(vec![1.0, 2.0])),
            all_ms: Some(Figures::of(Vec::new())),
            photon: PHOTON,
            ..Report::default()
        };
        let text = report.text();
        let line = |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap_or_default().to_owned();
        assert!(line("floor of the method").ends_with("not measured"), "{text}");
        assert!(line("to the last").split_whitespace().filter(|w| *w == "-").count() == 4, "{text}");
        assert!(line("share of a CPU").contains("program not known"), "{text}");
        assert!(
            line("share of a CPU").ends_with("(with the program itself and the display server)"),
            "{text}"
        );
        assert!(text.contains("framebuffer"), "{text}");
        assert!(line("window: ").ends_with("the whole screen is looked at"), "{text}");
    }

    #[test]
    fn floor_that_lies_above_the_program_is_not_printed_beside_it() {
        let floor = |ms: f64| {
            let floor = Floor { first_ms: Figures::of(vec![ms]), all_ms: Figures::of(vec![ms]), lost: 0 };
            let (first_ms, all_ms) = (Some(Figures::of(vec![2.0])), Some(Figures::of(vec![2.0])));
            Report { floor: Some(floor), first_ms, all_ms, ..Report::default() }.text()
        };
        assert!(floor(1.0).contains("1.000"), "{}", floor(1.0));
        let text = floor(7.0);
        assert!(
            !text.contains("7.000") && text.contains("floor of the method               disturbed"),
            "{text}"
        );
    }
}
