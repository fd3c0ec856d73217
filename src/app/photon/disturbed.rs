//! What was not as it should be while it was measured.

use super::report::Report;

/// Shares of a CPU from which others count as a disturbance.
const OTHERS: f64 = 0.1;
/// The same of time that a hypervisor took away.
const STOLEN: f64 = 0.01;
/// Share of looks held up from which the observer is said to have seen badly.
const HELD_UP: f64 = 0.001;

impl Report {
    /// Finds all of it and says it in `warnings`, a line each.
    pub fn find_disturbances(&mut self, refused: Option<&str>) {
        let floor_is_disturbed = self.floor_is_disturbed();
        let mut warn = |text: String| self.warnings.push(text);
        let percent = |share: f64| share * 100.0;
        if let Some(rest) = self.cpu.rest.filter(|rest| *rest > OTHERS) {
            let among = self.cpu.among_rest().map_or_else(String::new, |who| format!(", {who} among them,"));
            warn(format!("other programs{among} used {:.0} % of a CPU meanwhile", percent(rest)));
        }
        if let Some(stolen) = self.cpu.stolen.filter(|stolen| *stolen > STOLEN) {
            warn(format!("the machine under this one took {:.0} % of a CPU away", percent(stolen)));
        }
        let o = &self.observer;
        if o.held_up as f64 > HELD_UP * o.gap_us.n as f64 {
            warn(format!(
                "{} of {} looks came more than 0.25 ms late, the worst after {:.1} ms",
                o.held_up,
                o.gap_us.n,
                o.gap_us.max.unwrap_or(f64::NAN) / 1e3
            ));
        }
        if let Some(why) = refused {
            warn(format!(
                "the observer has no real-time priority ({why}): it sees less well on a busy machine"
            ));
        }
        if let Some(c) = &self.clicks {
            if c.lost > 0 {
                let n = self.first_ms.as_ref().map_or(0, |f| f.values.len());
                let most = if c.lost as usize >= n { ": these figures say little" } else { "" };
                let within = c.limit_ms / 1e3;
                warn(format!("{} presses were lost: nothing changed within {within:.2} s{most}", c.lost));
            }
            if c.unseen > 0 {
                warn(format!("{} presses are left out: what they changed lay at no sample point", c.unseen));
            }
            if c.outside > 0 {
                warn(format!("{} presses are left out: what they changed lay outside of --area", c.outside));
            }
            if c.partial > 0 {
                warn(format!("after {} presses only a part of the picture changed", c.partial));
            }
            if c.held_up > 0 {
                warn(format!("{} first changes were seen late, because the observer was held up", c.held_up));
            }
        }
        if floor_is_disturbed {
            warn(
                "the floor, which was measured after the program, does not lie below it: the machine was busier at one time than at \
                 the other, and the tail is the machine's and not to be read as the program's"
                    .into(),
            );
        }
        if let Some(a) = self.animation.as_ref().filter(|a| a.unobserved > 0) {
            warn(format!(
                "{} intervals are left out, because nobody looked in a good part of them",
                a.unobserved
            ));
        }
        if let (Some(a), Some(gap)) = (&self.animation, o.gap_us.p99)
            && gap > a.period_ms * 1e3 / 4.0
        {
            warn(
                "the picture changes almost as often as it is looked at: changes may have been missed".into(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cost::Shares;
    use super::super::figures::Figures;
    use super::super::report::{Counts, Floor, Gap};
    use super::*;

    #[test]
    fn a_run_that_was_disturbed_says_by_what_and_a_quiet_one_says_nothing() {
        let mut report = Report::default();
        report.cpu = Shares { program: Some(0.2), server: Some(0.1), rest: Some(0.05), ..report.cpu };
        report.observer.gap_us = Gap { n: 100_000, p50: Some(80.0), p99: Some(100.0), max: Some(400.0) };
        report.observer.held_up = 3;
        report.find_disturbances(None);
        assert_eq!(report.warnings, Vec::<String>::new());
        report.cpu = Shares { rest: Some(0.5), stolen: Some(0.1), server: None, ..report.cpu };
        report.observer.held_up = 500;
        report.clicks = Some(Counts { lost: 2, partial: 1, held_up: 4, ..Counts::default() });
        report.find_disturbances(Some("not permitted"));
        let wanted = [
            "other programs, the display server among them, used 50 % of a CPU",
            "10 % of a CPU",
            "500 of",
            "not permitted",
            "2 presses",
            "1 presses",
            "4 first",
        ];
        assert_eq!(report.warnings.len(), wanted.len(), "{:?}", report.warnings);
        for (warning, wanted) in report.warnings.iter().zip(wanted) {
            assert!(warning.contains(wanted), "{warning}: {wanted}");
        }
    }

    #[test]
    fn floor_above_what_stands_on_it_is_told_as_a_disturbance() {
        let figures = |values: u32, slowest: f64| {
            let mut all = vec![1.0; values as usize];
            all.iter_mut().rev().take(5).for_each(|v| *v = slowest);
            Figures::of(all)
        };
        let report = |program: Figures, floor: Figures| {
            let floor = Floor { first_ms: floor.clone(), all_ms: floor, lost: 0 };
            let mut report = Report { floor: Some(floor), ..Report::default() };
            (report.first_ms, report.all_ms) = (Some(program.clone()), Some(program));
            report.find_disturbances(None);
            report.warnings
        };
        assert_eq!(report(figures(200, 3.0), figures(200, 2.0)), Vec::<String>::new());
        assert_eq!(
            report(figures(200, 2.0), figures(200, 2.8)),
            Vec::<String>::new(),
            "as two runs of one program differ"
        );
        let warnings = report(figures(200, 2.0), figures(200, 3.5));
        assert!(
            warnings.len() == 1 && warnings[0].contains("not to be read as the program's"),
            "{warnings:?}"
        );
        // The largest of few values stands in for a percentile that is not told; other names are not compared.
        assert_eq!(report(figures(10, 2.0), figures(10, 3.5)).len(), 1);
        assert_eq!(report(figures(10, 2.5), figures(200, 2.5)), Vec::<String>::new());
        let slow = Figures::of(vec![1.5; 200]);
        assert_eq!(report(figures(200, 2.0), slow).len(), 1, "the median alone");
        assert_eq!(
            report(figures(200, 2.0), Figures::of(Vec::new())),
            Vec::<String>::new(),
            "nothing to hold it against"
        );
    }
}
