use super::*;
use crate::app::bench::compare::{Options, compare};
use crate::app::bench::made_up;

const HOSTILE: &str = "</title><script>alert('x')</script><img src=x onerror=\"y\">&amp;";

fn pages() -> [String; 2] {
    let (base, new) = (made_up::result(1, 0.0), made_up::result(2, 0.6));
    let comparison = compare(&base, &new, &Options::default());
    [page(&new, None), page(&new, Some((&base, &comparison)))]
}

#[test]
fn page_asks_for_nothing_and_runs_nothing() {
    for page in pages() {
        for foreign in
            ["<script", "http://", "https://", "src=", "<link", "@import", "url(", "onload", "javascript:"]
        {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("prefers-color-scheme:dark"));
        assert!(page.len() < 150_000, "{} bytes", page.len());
    }
}

#[test]
fn texts_of_results_are_texts_of_the_page() {
    let mut result = made_up::result(1, 0.0);
    result.suite = HOSTILE.into();
    result.scanout = HOSTILE.into();
    result.machine.os = HOSTILE.into();
    result.machine.cpu = Some(HOSTILE.into());
    let s = &mut result.scenarios[0];
    for text in [
        &mut s.name,
        &mut s.scene,
        &mut s.pacing,
        &mut s.place,
        &mut s.load,
        &mut s.input,
        &mut s.gl_vendor,
        &mut s.gl_renderer,
        &mut s.gl_version,
        &mut s.display_source,
        &mut s.display_origin,
    ] {
        *text = HOSTILE.into();
    }
    s.warnings = vec![HOSTILE.into()];
    let figures = s.metrics["ClickToPhoton"];
    s.metrics.insert(HOSTILE.into(), figures);
    result.scenarios[1].error = Some(HOSTILE.into());
    let mut other = result.clone();
    other.scenarios[0].scene = format!("{HOSTILE}2");
    other.scenarios.push(ScenarioResult { name: format!("{HOSTILE}3"), ..Default::default() });
    let comparison = compare(&other, &result, &Options::default());
    let page = page(&result, Some((&other, &comparison)));
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onerror=\""));
    assert!(page.matches("&lt;script&gt;").count() > 20);
}

/// Every tag that is opened is closed in its order: a page that a browser must mend may look different in another.
#[test]
fn tags_are_closed_in_their_order() {
    for page in pages() {
        let mut open: Vec<&str> = Vec::new();
        for tag in page.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
            } else if !tag.ends_with('/') && !matches!(name, "meta" | "!doctype") {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}

#[test]
fn charts_are_there_named_and_never_of_two_latencies() {
    let [page, compared] = pages();
    for title in [
        "Frame strip",
        "Stages",
        "SampleToPhoton, histogram",
        "SampleToPhoton, cumulative",
        "ClickToPhoton, histogram",
        "ClickToPhoton, cumulative",
        "Display intervals",
        "Errors of timing",
        "All metrics",
    ] {
        assert!(page.contains(title), "{title}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
    // The base is in the charts of both latencies only where there is one.
    assert_eq!(page.matches("stroke=\"#B04800\" ").count(), 0);
    assert_eq!(compared.matches("stroke=\"#B04800\" ").count(), 4, "one line in each histogram and curve");
    assert!(compared.contains("▲ slower"));
    assert!(page.contains("software rasteriser") && page.contains("no camera"));
}

#[test]
fn late_frames_are_marked_and_blamed() {
    let result = made_up::result(1, 0.0);
    let way = Way::new(&result.scenarios[0]);
    // The frames of every fiftieth refresh, but those before the newest 180.
    let strip = way.strip().unwrap();
    assert_eq!(strip.matches("class=\"cross\"").count(), 3);
    assert_eq!(strip.matches(">R</text>").count(), 3, "their drawing took long");
    assert!(way.summary().contains("3 of them late: 3 by render (R)"), "{}", way.summary());
}

#[test]
fn where_no_refresh_can_be_missed_nothing_is_late_or_missed() {
    for on_demand in [false, true] {
        let mut result = made_up::result(1, 0.0);
        let s = &mut result.scenarios[0];
        s.on_demand = on_demand;
        s.pacing = if on_demand { "auto" } else { "immediate" }.into();
        let way = Way::new(s);
        assert_eq!(way.strip().unwrap().matches("class=\"cross\"").count(), 0);
        let text = page(&result, None);
        assert!(!text.contains("Missed refreshes") && !text.contains("<dt>missed"), "on demand: {on_demand}");
        assert!(text.contains("not bound to") && text.contains("does not apply"));
    }
}

#[test]
fn bars_that_are_cut_off_are_marked_and_the_longest_is_told() {
    let mut result = made_up::result(1, 0.0);
    let s = &mut result.scenarios[0];
    assert_eq!(Way::new(s).strip().unwrap().matches("class=\"cut\"").count(), 3, "the late ones");
    let last = s.strip.last_mut().unwrap();
    last.presented = last.presented.map(|at| at + 800_000_000);
    let way = Way::new(s);
    assert!(way.strip().unwrap().matches("class=\"cut\"").count() >= 1);
    assert!(
        way.summary().contains("cut off") && way.summary().contains("the longest took 8"),
        "{}",
        way.summary()
    );
    s.strip.truncate(40);
    let even = Way::new(s);
    assert!(!even.strip().unwrap().contains("class=\"cut\"") && !even.summary().contains("cut off"));
}

#[test]
fn the_p99_is_in_the_chart_or_stands_at_its_edge_and_the_bound_beside_the_click() {
    let mut result = made_up::result(1, 0.0);
    let [page, _] = pages();
    assert!(page.contains("no program has a P99 below 0.99*T + L"));
    let s = &mut result.scenarios[0];
    // Two of a hundred are far beyond twice the P95, and then farther than a chart can show.
    for (far, arrow) in [(40.0, false), (900.0, true)] {
        s.samples.get_mut("SampleToPhoton").unwrap().ms =
            (0..200).map(|i| if i % 50 == 0 { far } else { 5.0 }).collect();
        let chart = latency::cumulative("a", &Values::new("SampleToPhoton", s, None).unwrap(), None);
        assert_eq!(chart.matches("<circle").count(), 3, "{far}");
        assert_eq!(chart.contains('→'), arrow, "{far}");
    }
}

#[test]
fn captions_say_what_is_drawn_and_no_percentile_of_too_few_values() {
    let mut result = made_up::result(1, 0.0);
    let s = &mut result.scenarios[0];
    let mut f = s.metrics["ClickToPhoton"].expect("measured");
    (f.min, f.p50, f.p95, f.p99, f.max, f.n) = (-4.0, -3.0, -2.0, -1.0, -0.5, 1_000);
    s.metrics.insert("PhaseError".into(), Some(f));
    let signed = page(&result, None);
    assert!(
        signed
            .contains("PhaseError (predicted - actual refresh): min -4.00, P50 -3.00, P99 -1.00, max -0.500")
    );
    assert!(!signed.contains("largest -"), "the largest of them is -4");
    let s = &mut result.scenarios[0];
    f.n = 50;
    s.metrics.insert("PhaseError".into(), Some(f));
    s.samples.get_mut("SampleToPhoton").expect("measured").ms = (1..=50).map(f64::from).collect();
    s.strip.truncate(40);
    let few = page(&result, None);
    assert!(few.contains("P99 too few, max -0.500") && few.contains("P99 too few (ms, of 50 values)"));
    assert!(few.contains("stacks the max of") && !few.contains("stacks the P99 of"));
    let s = &result.scenarios[0];
    let chart = latency::cumulative("a", &Values::new("SampleToPhoton", s, None).expect("values"), None);
    assert_eq!(chart.matches("<circle").count(), 2, "P50 and P95");
}

#[test]
fn intervals_that_are_cut_off_are_counted() {
    let mut result = made_up::result(1, 0.0);
    assert!(!page(&result, None).contains("longer ones end at the top edge"));
    let intervals = result.scenarios[0].samples.get_mut("MsBetweenDisplayChange").expect("measured");
    intervals.ms[7] = 4_000.0;
    intervals.ms[8] = 5_000.0;
    assert!(page(&result, None).contains("2 longer ones end at the top edge"));
}

#[test]
fn what_was_not_measured_is_said_and_makes_no_panic() {
    let empty = BenchResult { scenarios: vec![ScenarioResult::default()], ..Default::default() };
    let text = page(&empty, None);
    assert!(text.matches("not measured").count() >= 5);
    assert!(!text.contains("NaN") && !text.contains("inf"));
    for ms in [vec![0.0], vec![5.0; 9], vec![-3.0, 4.0], vec![1e12, 1e-12], vec![f64::MAX, f64::MIN]] {
        let mut result = made_up::result(1, 0.0);
        for samples in result.scenarios[0].samples.values_mut() {
            samples.ms.clone_from(&ms);
        }
        for row in &mut result.scenarios[0].strip {
            row.presented = row.presented.map(|at| at.wrapping_mul(77));
        }
        result.scenarios[0].refresh_hz = Some(1e-300);
        result.scenarios[0].measured_hz = None;
        let _ = page(&result, Some((&result, &compare(&result, &result, &Options::default()))));
    }
}

#[test]
fn times_are_dates() {
    for (unix_s, want) in [
        (0, "1970-01-01 00:00 UTC"),
        (951_782_400, "2000-02-29 00:00 UTC"),
        (1_790_000_000, "2026-09-21 14:13 UTC"),
        (4_107_542_399, "2100-02-28 23:59 UTC"),
        (4_107_542_400, "2100-03-01 00:00 UTC"),
        (u64::MAX, "9999-12-31 23:59 UTC"),
    ] {
        assert_eq!(utc(unix_s), want);
    }
}

#[test]
fn style_sheet_has_the_colours_of_the_palette() {
    use crate::app::palette::{PARTS, dark};
    let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
    for (i, part) in PARTS.into_iter().enumerate() {
        assert!(STYLE.contains(&format!("--p{i}:{}", hex(part))), "part {i}");
        let drawn = format!("[fill=\"{}\"]{{fill:var(--p{i})}}", hex(part).to_uppercase());
        assert!(STYLE.contains(&drawn), "{drawn}");
    }
    let (_, scheme) = STYLE.split_once("prefers-color-scheme:dark").expect("a dark scheme");
    for (name, colour) in [
        ("bg", dark::BACKGROUND),
        ("panel", dark::PANEL),
        ("line", dark::LINE),
        ("ink", dark::INK),
        ("soft", dark::SOFT),
        ("new", dark::NEW),
        ("base", dark::BASE),
        ("bad", dark::BAD),
        ("good", dark::GOOD),
    ] {
        assert!(scheme.contains(&format!("--{name}:{}", hex(colour))), "{name}");
    }
}
