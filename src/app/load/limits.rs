use super::spec::LoadSpec;

/// Share of the free memory that a load may take: the other half is the machine's.
const MEMORY_SHARE: u64 = 2;

/// What the machine has for a load.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most MiB; `None` where the system does not say how much memory is free.
    pub memory_mib: Option<u32>,
    /// Cores that the process may use.
    pub cores: u32,
}

impl Limits {
    /// Looked up now.
    pub fn now() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        let half = free_mib().map(|mib| mib / MEMORY_SHARE);
        Self { memory_mib: half.map(|mib| u32::try_from(mib).unwrap_or(u32::MAX)), cores }
    }

    /// Says in one line why `spec` is too much.
    pub fn check(&self, spec: &LoadSpec) -> Result<(), String> {
        let wanted = spec.memory_mib;
        match self.memory_mib {
            _ if wanted == 0 => Ok(()),
            None => {
                Err("--load memory= is not for this system, which does not say how much memory is free"
                    .into())
            }
            Some(most) if wanted > most => Err(format!(
                "--load memory={wanted} is more than half of the free memory: {most} MiB are the most"
            )),
            Some(_) => Ok(()),
        }
    }
}

/// Memory that can be had without swapping, within the control group as well.
fn free_mib() -> Option<u64> {
    let machine = available(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let group = || -> Option<u64> {
        let read = |name: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
        let bytes = |text: String| text.trim().parse::<u64>().ok();
        // `max` is no number: the group has no limit.
        let most = bytes(read("memory.max")?)?;
        Some(most.saturating_sub(bytes(read("memory.current")?)?) >> 20)
    };
    Some(group().map_or(machine, |group| group.min(machine)))
}

/// MiB from the text of `/proc/meminfo`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_of_the_free_memory_is_refused() {
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:    2048000 kB\n"), Some(2_000));
        assert_eq!(available("MemTotal:  9 kB\n"), None);
        let limits = Limits { memory_mib: Some(1_000), cores: 2 };
        let load = |memory_mib| LoadSpec { memory_mib, ..LoadSpec::default() };
        assert_eq!(limits.check(&load(1_000)), Ok(()));
        let said = limits.check(&load(1_001)).unwrap_err();
        assert!(said.contains("1001") && said.contains("1000 MiB") && !said.contains('\n'), "{said}");
        let unknown = Limits { memory_mib: None, ..limits };
        assert!(unknown.check(&load(1)).is_err() && unknown.check(&load(0)).is_ok());
    }
}
