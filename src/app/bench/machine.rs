//! The machine that was measured on.

use std::fs;

use super::result::Machine;

/// What can be known of this machine. `None` for what the system does not tell.
pub fn describe() -> Machine {
    let line = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    Machine {
        os: std::env::consts::OS.into(),
        kernel: line("/proc/sys/kernel/osrelease"),
        cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model(&text)),
        cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_before: load(),
        load_after: None,
    }
}

/// The load average of the last minute.
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_is_named_where_the_system_names_it() {
        assert_eq!(model("processor\t: 0\nmodel name\t: A B\nmodel name\t: C\n").as_deref(), Some("A B"));
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(describe().cores >= 1);
    }
}
