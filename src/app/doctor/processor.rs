//! The processor: how many cores, how they are clocked, and what else keeps them.

use std::fs;
use std::time::Duration;

use scanout::display::sleep;
use scanout::time::{Clock as _, MonotonicClock};

use super::line::{Group, Line, State};

/// How long the machine is looked at before anything is drawn.
const LOOKED_AT: Duration = Duration::from_millis(300);
/// Others that keep more of a core than this are felt; on few cores, more than half of all.
const BUSY: f64 = 0.25;

/// What others kept of the processors, in cores; `None` where the system does not tell.
pub struct Load(Option<f64>);

impl Load {
    /// Looks for a moment in which this process does nothing.
    pub fn before() -> Self {
        let first = busy();
        let began = MonotonicClock.now();
        sleep::until(began + LOOKED_AT);
        let passed = MonotonicClock.now().saturating_since(began).as_secs_f64();
        let second = busy();
        Self(first.zip(second).map(|(a, b)| (b - a).max(0.0) / 100.0 / passed))
    }
}

/// Hundredths of seconds that all cores were busy (proc(5): user, nice, system, irq, softirq, steal).
fn busy() -> Option<f64> {
    busy_of(&fs::read_to_string("/proc/stat").ok()?)
}

fn busy_of(stat: &str) -> Option<f64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<f64> = all.split_whitespace().map_while(|f| f.parse().ok()).collect();
    (fields.len() >= 8).then(|| fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7])
}

pub fn lines(load: &Load, out: &mut Vec<Line>) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    out.push(model(cores));
    out.push(governor());
    out.push(others(load, cores));
}

fn model(cores: usize) -> Line {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|l| l.split_once(": "));
    let name = name.map_or("a processor", |(_, name)| name);
    let plural = if cores == 1 { "" } else { "s" };
    let line = |state| {
        Line::new(
            Group::Machine,
            "processor",
            "processor",
            state,
            format!("{name}, {cores} core{plural} for this process"),
        )
    };
    if cores < 3 {
        line(State::Note).advise(
            "logic, drawing, driver and compositor share them: every thread that has to run costs latency",
        )
    } else {
        line(State::Ok)
    }
    .figure("cores", cores as f64)
}

fn governor() -> Line {
    let line = |state, text: String| Line::new(Group::Machine, "governor", "clock governor", state, text);
    let read = |path: &str| fs::read_to_string(path).ok().map(|t| t.trim().to_owned());
    let cpu = "/sys/devices/system/cpu";
    let turbo = match (read(&format!("{cpu}/intel_pstate/no_turbo")), read(&format!("{cpu}/cpufreq/boost"))) {
        (Some(off), _) => Some(off == "0"),
        (None, boost) => boost.map(|on| on == "1"),
    };
    let turbo = turbo.map_or("turbo not told", |on| if on { "turbo on" } else { "turbo off" });
    match read(&format!("{cpu}/cpu0/cpufreq/scaling_governor")) {
        None => line(State::NotMeasured, format!("the system does not tell it; {turbo}")),
        Some(name) if name == "powersave" && !pstate() => line(State::Problem, format!("{name}, {turbo}"))
            .advise("the processors stay at their lowest clock: `cpupower frequency-set -g schedutil`"),
        Some(name) => line(State::Ok, format!("{name}, {turbo}")),
    }
}

/// Drivers under whose `powersave` the hardware chooses the clock, and not the lowest one.
fn pstate() -> bool {
    let driver =
        fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver").unwrap_or_default();
    ["intel_pstate", "amd-pstate-epp"].contains(&driver.trim())
}

fn others(load: &Load, cores: usize) -> Line {
    let line = |state, text: String| Line::new(Group::Machine, "other_load", "other load", state, text);
    let average = fs::read_to_string("/proc/loadavg").ok();
    let average: Option<f64> = average.and_then(|text| text.split_whitespace().next()?.parse().ok());
    let told = average.map_or(String::new(), |load| format!("; load average {load:.2}"));
    let Some(busy) = load.0 else {
        return line(State::NotMeasured, format!("the system does not tell it{told}"));
    };
    let text = format!("{busy:.2} of {cores} cores were busy before the run{told}");
    if busy > BUSY.max(cores as f64 / 2.0) {
        line(State::Problem, text)
            .advise("everything above was measured beside that; close it and look again")
    } else if busy > BUSY {
        line(State::Note, text).advise("what was measured above was measured beside that")
    } else {
        line(State::Ok, text)
    }
    .figure("busy_cores", busy)
    .figure("load_average", average)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_time_leaves_idle_and_waiting_out() {
        let stat = "cpu  100 20 30 9000 800 5 6 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy_of(stat), Some(168.0));
        assert_eq!(busy_of("cpu  100 20\n"), None);
        assert_eq!(busy_of("nothing"), None);
    }
}
