//! The figures of A and B beside each other, in columns that stay where they are.

use egui::{Align2, Color32, FontId, Ui, pos2};

use scanout::stats::Unit;

use super::figures::{Figures, Row, by_size};
use super::sides::{METRICS, Side};
use super::text::{COLOUR_A, COLOUR_B, INK, SIZE, SOFT, TALL, bad, figure, figures, line, small};

/// From one column's end to the next: seven letters and a gap.
const COLUMN: f32 = 47.0;
const ROW: f32 = 14.0;

/// One figure of a row.
type Pick = fn(&Row) -> Option<f64>;

struct Column {
    side: Side,
    colour: Color32,
    head: String,
    pick: Pick,
}

/// A and B beside each other, never mixed.
pub fn table(ui: &mut Ui, shown: &Figures) {
    let all: [(&'static str, Pick); 4] =
        [("p50", |r| r.p50), ("p95", |r| r.p95), ("p99", |r| r.p99), ("max", |r| Some(r.max))];
    let of = |(side, colour, letter): (Side, Color32, &str), (name, pick): (&str, Pick)| Column {
        side,
        colour,
        head: format!("{letter} {name}"),
        pick,
    };
    let (a, b) = ((Side::A, COLOUR_A, "A"), (Side::B, COLOUR_B, "B"));
    // Beside each other there is room for two of them.
    let columns: Vec<Column> = if shown.b.frames > 0 {
        [a, b].into_iter().flat_map(|side| [of(side, all[0]), of(side, all[2])]).collect()
    } else {
        all.into_iter().map(|figure| of(a, figure)).collect()
    };
    let ends = |place: egui::Rect, i: usize| {
        pos2(place.right() - COLUMN * (columns.len() - 1 - i) as f32, place.center().y)
    };
    let head = line(ui, ROW);
    let names = FontId::proportional(SIZE);
    ui.painter().text(head.left_center(), Align2::LEFT_CENTER, "ms", names.clone(), INK);
    for (i, column) in columns.iter().enumerate() {
        ui.painter().text(ends(head, i), Align2::RIGHT_CENTER, &column.head, names.clone(), column.colour);
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    for (at, metric) in METRICS.iter().enumerate() {
        let place = line(ui, ROW);
        if at % 2 == 0 {
            ui.painter().rect_filled(place.expand2(egui::vec2(2.0, 0.0)), 0.0, Color32::from_white_alpha(9));
        }
        let counts = metric.unit() == Unit::Frames;
        let says = match counts {
            true => ", frames",
            false if by_size(*metric) => ", size",
            false => "",
        };
        let name = format!("{}{says}", metric.name());
        ui.painter().text(place.left_center(), Align2::LEFT_CENTER, name, names.clone(), SOFT);
        for (i, column) in columns.iter().enumerate() {
            let value = shown.side(column.side).rows[at].as_ref().and_then(column.pick);
            let text = value.map_or("-".to_owned(), |v| if counts { format!("{v:.0}") } else { figure(v) });
            ui.painter().text(ends(place, i), Align2::RIGHT_CENTER, text, figures(), column.colour);
        }
    }
    ui.add_space(2.0);
    for (name, side, colour) in [("A", &shown.a, COLOUR_A), ("B", &shown.b, COLOUR_B)] {
        let place = line(ui, TALL);
        let paced = side.stands.as_ref().map_or("nothing measured yet", |stands| &stands.paced);
        let text = format!("{name}  {paced}");
        ui.painter().text(place.left_center(), Align2::LEFT_CENTER, text, names.clone(), colour);
    }
    match [&shown.a.stands, &shown.b.stands] {
        [Some(a), Some(b)] if a.shared != b.shared => {
            bad(ui, format!("not to be compared: A had {}; B had {}", a.shared, b.shared));
        }
        [Some(one), _] | [_, Some(one)] => small(ui, format!("with {}", one.shared)),
        [None, None] => small(ui, "with -"),
    }
    small(ui, "-: not measured, or too few for it. Newest 4096 frames.");
}
