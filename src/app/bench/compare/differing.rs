//! What makes two results hard to compare.

use crate::app::bench::result::{BenchResult, ScenarioResult};

/// What differs between the machines.
pub fn machines(base: &BenchResult, new: &BenchResult) -> Vec<String> {
    let (a, b) = (&base.machine, &new.machine);
    let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "unknown".into());
    let pairs = [
        ("operating systems", a.os.clone(), b.os.clone()),
        ("kernels", text(&a.kernel), text(&b.kernel)),
        ("CPUs", text(&a.cpu), text(&b.cpu)),
        ("numbers of cores", a.cores.to_string(), b.cores.to_string()),
        ("CPU governors", text(&a.governor), text(&b.governor)),
    ];
    differing(&pairs)
}

/// What differs between the settings of a scenario.
pub fn settings(base: &ScenarioResult, new: &ScenarioResult) -> Vec<String> {
    let (a, b) = (base, new);
    let size = |s: &ScenarioResult| format!("{}x{}", s.size[0], s.size[1]);
    let hz = |s: &ScenarioResult| s.refresh_hz.map_or("unknown".to_owned(), |hz| format!("{hz:.2} Hz"));
    differing(&[
        ("scenes", a.scene.clone(), b.scene.clone()),
        ("pacing modes", a.pacing.clone(), b.pacing.clone()),
        ("places", a.place.clone(), b.place.clone()),
        ("loads", a.load.clone(), b.load.clone()),
        ("sizes", size(a), size(b)),
        ("kinds of input", a.input.clone(), b.input.clone()),
        ("OpenGL renderers", a.gl_renderer.clone(), b.gl_renderer.clone()),
        ("OpenGL versions", a.gl_version.clone(), b.gl_version.clone()),
        ("sources of display times", a.display_source.clone(), b.display_source.clone()),
        ("origins of display times", a.display_origin.clone(), b.display_origin.clone()),
        ("refresh rates", hz(a), hz(b)),
    ])
}

fn differing(pairs: &[(&str, String, String)]) -> Vec<String> {
    let differs = pairs.iter().filter(|(_, a, b)| a != b);
    differs.map(|(what, a, b)| format!("the {what} differ: {a:?} and {b:?}")).collect()
}
