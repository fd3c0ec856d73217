use std::ffi::OsString;
use std::time::Duration;

use scanout::display::priority::{self, Priority, REALTIME_LEVEL};
use scanout::observe::{Area, Key, Program, cost_of_looking, floor_client, floor_client_wayland};

use scanout::stats::Distribution;

use super::animation::{self, SPAN};
use super::args::{Mode, PhotonArgs};
use super::click::{self, Points};
use super::cost;
use super::drag;
use super::figures::P99_NEEDS;
use super::going_on;
use super::grid;
use super::press::Press;
use super::report::{Counts, Floor, Gap, LOOKED, Observer, PHOTON, Report, SCHEMA, STAMPED};
use super::stage::{Base, Stage};
use super::survey::Point;
use super::trouble::{Outcome, Trouble};
use super::watcher::{self, Gaps, Watcher};
use crate::app::{Failure, interrupt, keeper, output};

/// Presses by which the floor is measured: enough for its P99 to be more than the largest.
const FLOOR_PRESSES: u32 = 200;

/// Whoever measures looks for a signal every few milliseconds, and a server starts in a fraction of this.
const UNHEARD: Duration = Duration::from_millis(1_500);
/// For a program, a compositor and a server to end one after the other, each with its grace.
const WIND_UP: Duration = Duration::from_secs(8);

/// Measures, prints, writes.
pub fn run(args: &PhotonArgs) -> Result<(), Failure> {
    if let Some(size) = args.floor_client {
        let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
        let size = (side(size.width), side(size.height));
        let client = match std::env::var("DISPLAY") {
            Ok(display) => floor_client(&display, size),
            Err(_) => floor_client_wayland(size),
        };
        return Ok(client.map_err(Trouble::from)?);
    }
    if let Some(path) = &args.json {
        output::check(path)?;
    }
    interrupt::install(UNHEARD, WIND_UP, interrupt::NOT_ALL_MEASURED);
    let report = measure(args)?;
    if let Some(path) = &args.json {
        let mut text = serde_json::to_string_pretty(&report).expect("plain data");
        text.push('\n');
        output::write(path, text.as_bytes())?;
    }
    if !args.quiet {
        output::print(&report.text())?;
    }
    // What was measured is written, and it is not everything.
    Ok(watcher::check_stop()?)
}

fn measure(args: &PhotonArgs) -> Outcome<Report> {
    let press = if args.button {
        Press::Button
    } else {
        Press::Key(args.key.0.parse::<Key>().map_err(|e| Trouble::Bad(e.to_string()))?)
    };
    let mut stage = Stage::open(args)?;
    let mut report = Report {
        schema: SCHEMA,
        scanout: env!("CARGO_PKG_VERSION"),
        photon: PHOTON,
        command: args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        server: stage.server.clone(),
        size: stage.view.size().into(),
        window: [stage.area.x, stage.area.y, stage.area.width, stage.area.height],
        subject: stage.subject.clone(),
        ..Report::default()
    };
    let looked_at = part(args, stage.area)?;
    report.area = args.area.map(|_| [looked_at.x, looked_at.y, looked_at.width, looked_at.height]);
    let points = points(args, &stage, looked_at)?;
    let look_cost = cost_of_looking(stage.view.as_mut(), &points)?;
    let before = cost::Look::now(stage.used(), &stage.serving());
    let observed = observe(args, &mut stage, (looked_at, points, Points::Found), press, &mut report)?;
    report.cut_short = watcher::stopped();
    report.cpu = cost::Look::now(stage.used(), &stage.serving()).since(&before);
    report.observer = observer(args, &stage, &observed, look_cost);
    drop(stage);
    // Whoever left the program's process group would use the machine while the floor is measured.
    keeper::end_leftovers();
    let own = args.display.is_none() && args.window.is_none();
    if args.mode == Mode::Click && !args.no_floor && own && !watcher::stopped() {
        match floor(args, press) {
            Ok(floor) => report.floor = Some(floor),
            // What was measured of the program is not lost for it.
            Err(Trouble::Stopped) => report.warnings.push("the floor was not measured: interrupted".into()),
            Err(Trouble::Bad(why) | Trouble::Broken(why)) => {
                report.warnings.push(format!("the floor was not measured: {why}"));
            }
        }
    }
    let refused = match &observed.priority {
        Priority::Refused(why) => Some(why.as_str()),
        _ => None,
    };
    report.find_disturbances(refused);
    Ok(report)
}

/// The part of the window that is looked at.
fn part(args: &PhotonArgs, window: Area) -> Outcome<Area> {
    let Some([x, y, width, height]) = args.area else { return Ok(window) };
    if args.mode == Mode::Drag {
        return Err(Trouble::Bad(
            "--area is of no use with --mode drag, which looks at one row (--row)".into(),
        ));
    }
    let fits = |from: u32, length: u32, whole: u32| from.checked_add(length).is_some_and(|end| end <= whole);
    if !fits(x, width, window.width) || !fits(y, height, window.height) {
        return Err(Trouble::Bad(format!(
            "--area {x},{y},{width}x{height} does not lie in the window of {}x{}",
            window.width, window.height
        )));
    }
    Ok(Area { x: window.x + x, y: window.y + y, width, height })
}

/// What is looked at: the points that were named, or those that suit the mode.
fn points(args: &PhotonArgs, stage: &Stage, looked_at: Area) -> Outcome<Vec<Point>> {
    let Area { x, y, width, height } = stage.area;
    if args.mode == Mode::Drag {
        return Ok(drag::points(stage.area, drag::row_of(stage.area, args.row)?));
    }
    if let Some(outside) = args.points.iter().find(|(px, py)| *px >= width || *py >= height) {
        let (px, py) = outside;
        return Err(Trouble::Bad(format!("--at {px},{py} lies outside the window of {width}x{height}")));
    }
    if args.points.is_empty() {
        return Ok(grid::points(looked_at, stage.cheap));
    }
    Ok(args.points.iter().map(|(px, py)| (x + px, y + py)).collect())
}

/// How it was looked.
struct Observed {
    gaps: Gaps,
    priority: Priority,
}

/// Measures on a thread of its own with a real-time priority and the finest timers, where the system grants them: programs
/// that are started would inherit them from the main one.
fn observe(
    args: &PhotonArgs,
    stage: &mut Stage,
    (area, points, found): (Area, Vec<Point>, Points),
    press: Press,
    report: &mut Report,
) -> Outcome<Observed> {
    let measuring = || {
        // Without either it only sees less well, which its gaps show.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        // An observer that never sleeps would stop the machine with it.
        let priority =
            if args.look == 0 { Priority::Normal } else { priority::request_realtime(REALTIME_LEVEL) };
        let (window, cheap) = (stage.area, stage.cheap);
        let types = args.mode == Mode::Click && matches!(press, Press::Key(_));
        let Stage { input, program, shown, own, .. } = stage;
        let input = input.as_mut();
        let mut watcher = Watcher::new(stage.view.as_mut(), points, Duration::from_micros(args.look));
        let mut check =
            || going_on::check(program.as_mut(), shown, own.as_ref(), "while it was measured", types);
        match args.mode {
            Mode::Click => {
                report.mode = "click";
                (report.press, report.input) = (Some(press.name()), Some(input.name()));
                let points = if args.points.is_empty() { found } else { Points::Named };
                let (count, span) = (args.count, args.seconds);
                let task = click::Task {
                    press,
                    count,
                    span,
                    area,
                    window,
                    points,
                    cheap,
                    limit: press.limit(input)?,
                };
                let clicks = click::measure(&mut watcher, input, task, &mut check)?;
                report.clicks = Some(Counts::from(&clicks));
                (report.first_ms, report.all_ms) = (Some(clicks.first), Some(clicks.all));
            }
            Mode::Animation => {
                report.mode = "animation";
                let area = args.points.is_empty().then_some(area);
                let task = animation::Task { area, cheap, span: args.seconds, refresh_hz: args.refresh };
                report.animation = Some(animation::measure(&mut watcher, task, &mut check)?);
            }
            Mode::Drag => {
                (report.mode, report.input) = ("drag", Some(input.name()));
                let way = (args.seconds.unwrap_or(SPAN), args.speed);
                report.drag = Some(drag::measure(&mut watcher, input, window, way, &mut check)?);
            }
        }
        Ok(Observed { gaps: watcher.gaps, priority })
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("scanout-observer".into());
        let thread = thread.spawn_scoped(scope, measuring);
        let thread = thread.map_err(|e| Trouble::Broken(format!("no thread for the observer: {e}")))?;
        thread.join().unwrap_or_else(|_| Err(Trouble::Broken("the observer panicked".into())))
    })
}

fn observer(args: &PhotonArgs, stage: &Stage, observed: &Observed, look_cost: Duration) -> Observer {
    let us = |nanos: Option<i64>| nanos.map(|nanos| nanos as f64 / 1e3);
    let gap = |of: &Distribution| Gap {
        n: of.count(),
        p50: us(of.quantile(0.5)),
        p99: us(of.quantile(0.99).filter(|_| of.count() >= P99_NEEDS as u64)),
        max: us(of.quantile(1.0)),
    };
    let behind = &observed.gaps.behind;
    Observer {
        view: stage.view.name(),
        look_us: args.look,
        look_cost_us: look_cost.as_secs_f64() * 1e6,
        priority: observed.priority.to_string(),
        gap_us: gap(&observed.gaps.apart),
        held_up: observed.gaps.held_up,
        times: if behind.count() > 0 { STAMPED } else { LOOKED },
        behind_us: (behind.count() > 0).then(|| gap(behind)),
    }
}

/// What the method itself costs: a client that answers with one filled rectangle, on a server like the program's.
fn floor(args: &PhotonArgs, press: Press) -> Outcome<Floor> {
    let me =
        std::env::current_exe().map_err(|e| Trouble::Broken(format!("the path to this program: {e}")))?;
    let base = Base::own(args.server.unwrap_or_default(), args.size.width, args.size.height)?;
    let size = format!("{}x{}", args.size.width, args.size.height);
    let arguments: [OsString; 3] = ["photon".into(), "--floor-client".into(), size.into()];
    let program = Program::start(me, arguments, &base.place(), |_, _| {})?;
    let mut stage = base.with(Some(program), None, args.wait)?;
    let count = args.count.min(FLOOR_PRESSES);
    let args = PhotonArgs { count, mode: Mode::Click, points: Vec::new(), ..args.clone() };
    // It answers everywhere: there is nothing to find.
    let points = (stage.area, grid::points(stage.area, stage.cheap), Points::Named);
    let mut report = Report::default();
    observe(&args, &mut stage, points, press, &mut report)?;
    let lost = report.clicks.map_or(0, |clicks| clicks.lost);
    let (first_ms, all_ms) = (report.first_ms.unwrap_or_default(), report.all_ms.unwrap_or_default());
    Ok(Floor { first_ms, all_ms, lost })
}
