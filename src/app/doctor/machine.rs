//! What the machine is: real, virtual, a container, and whether a GPU is in it.

use std::fs;
use std::path::Path;

use super::line::{Group, Line, State};

pub fn lines(out: &mut Vec<Line>) {
    let line = |state, text: String| Line::new(Group::Machine, "machine", "machine", state, text);
    if cfg!(not(target_os = "linux")) {
        out.push(line(State::NotMeasured, "it is looked at on Linux only".into()));
        return;
    }
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let virtual_ = read("/proc/cpuinfo").lines().any(|l| l.starts_with("flags") && l.contains(" hypervisor"));
    let product = read("/sys/class/dmi/id/product_name");
    let product = product.trim();
    let container = container(&|path| Path::new(path).exists(), &read("/proc/1/cgroup"));
    let gpu = fs::read_dir("/dev/dri").is_ok_and(|mut nodes| {
        nodes.any(|node| node.is_ok_and(|n| n.file_name().to_string_lossy().starts_with("renderD")))
    });
    let mut what = Vec::new();
    if virtual_ {
        what.push(if product.is_empty() {
            "a virtual machine".into()
        } else {
            format!("a virtual machine ({product})")
        });
    }
    what.extend(container.map(str::to_owned));
    what.push(if gpu {
        "a GPU's render node is there".into()
    } else {
        "no GPU's render node (/dev/dri)".into()
    });
    let text = what.join(", ");
    out.push(match (virtual_, container.is_some(), gpu) {
        (false, false, true) => line(State::Ok, text),
        (_, true, false) => line(State::Note, text)
            .advise("a container without a GPU: pass one in (--device /dev/dri) or expect the processor to draw"),
        (true, ..) => line(State::Note, text)
            .advise("a virtual machine's clocks and timers are its host's: wake-ups are later there, and displays seldom real"),
        _ => line(State::Note, text),
    });
}

fn container(exists: &dyn Fn(&str) -> bool, cgroup: &str) -> Option<&'static str> {
    if exists("/run/.containerenv") {
        Some("a container (podman)")
    } else if exists("/.dockerenv") {
        Some("a container (docker)")
    } else if ["docker", "kubepods", "lxc", "containerd"].iter().any(|name| cgroup.contains(name)) {
        Some("a container")
    } else if exists("/.flatpak-info") {
        Some("a Flatpak sandbox")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_their_marks() {
        let with = |mark: &'static str| move |path: &str| path == mark;
        assert_eq!(container(&with("/.dockerenv"), ""), Some("a container (docker)"));
        assert_eq!(container(&with("/run/.containerenv"), ""), Some("a container (podman)"));
        assert_eq!(container(&with("/.flatpak-info"), ""), Some("a Flatpak sandbox"));
        assert_eq!(container(&with(""), "1:cpu:/kubepods/burstable/x"), Some("a container"));
        assert_eq!(container(&with(""), "0::/init.scope"), None);
    }
}
