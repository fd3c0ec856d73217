//! Colours and letters of the HUD: what changes stands in slots of fixed width, so that nothing moves when figures grow.

use std::borrow::Cow;

use egui::{Align2, Color32, FontId, Rect, RichText, Sense, Ui, Vec2, pos2, vec2};

use crate::app::palette::{self, Rgb, dark};

pub const INK: Color32 = colour(dark::INK);
pub const SOFT: Color32 = colour(dark::SOFT);
pub const LINE: Color32 = colour(dark::LINE);
pub const BAD: Color32 = colour(dark::BAD);
pub const GOOD: Color32 = colour(dark::GOOD);
pub const PLOT: Color32 = colour(dark::PANEL);
pub const ON_PART: Color32 = colour(palette::ON_PART);
/// A and B, in the page's colours of a result and its base. They differ in lightness as well as in hue.
pub const COLOUR_A: Color32 = colour(dark::NEW);
pub const COLOUR_B: Color32 = colour(dark::BASE);

/// Letters of what is read, and of what stands beside it.
pub const SIZE: f32 = 10.5;
/// Height of a line of them.
pub const TALL: f32 = 13.0;
/// Where the values of [`fact`] begin.
const VALUES_AT: f32 = 74.0;

pub const fn colour([r, g, b]: Rgb) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// Letters that are as wide as each other, digits among them.
pub const fn figures() -> FontId {
    FontId::monospace(SIZE)
}

/// Text from outside, as of a driver, in letters that the fonts have: all others would look alike. Borrows plain ASCII.
pub fn legible<'a>(ui: &Ui, text: &'a str) -> Cow<'a, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ui.fonts_mut(|fonts| replaced(text, |letter| has(fonts, letter)).into())
}

/// Whether both kinds of letters are in the fonts.
pub fn has(fonts: &mut egui::epaint::text::FontsView<'_>, letter: char) -> bool {
    [figures(), FontId::proportional(SIZE)].iter().all(|font| fonts.has_glyph(font, letter))
}

/// What fonts lack in ASCII: what is usual for it, else its number.
fn replaced(text: &str, mut has: impl FnMut(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if has(letter) && !letter.is_control() => out.push(letter),
            '\n' => out.push('\n'),
            '\u{2122}' => out.push_str("(TM)"),
            '\u{ae}' => out.push_str("(R)"),
            '\u{a9}' => out.push_str("(C)"),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2018}' | '\u{2019}' => out.push('\''),
            '\u{201c}' | '\u{201d}' => out.push('"'),
            '\u{2026}' => out.push_str("..."),
            '\u{d7}' => out.push('x'),
            '\u{b5}' | '\u{3bc}' => out.push('u'),
            letter if letter.is_whitespace() || letter.is_control() => out.push(' '),
            letter => out.extend(letter.escape_unicode()),
        }
    }
    out
}

/// Text of a bounded length, in one line.
pub fn small(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(RichText::new(text).size(SIZE).color(SOFT)).extend());
}

/// Text of any length, in as many lines as it takes.
pub fn wrapped(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(RichText::new(text).size(SIZE).color(SOFT)).wrap());
}

/// The same where something is wrong.
pub fn bad(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(RichText::new(text).size(SIZE).color(BAD)).wrap());
}

/// What it is about.
pub fn heading(ui: &mut Ui, text: &str) {
    ui.add(egui::Label::new(RichText::new(text).size(11.0).strong().color(INK)).extend());
}

/// A place for a line of `height` points, as wide as there is room.
pub fn line(ui: &mut Ui, height: f32) -> Rect {
    ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover()).0
}

/// A name at the left and figures that end at the right.
pub fn title(ui: &mut Ui, name: &str, says: impl ToString) {
    let place = line(ui, TALL);
    let (left, right) = (place.left_center(), place.right_center());
    ui.painter().text(left, Align2::LEFT_CENTER, name, FontId::proportional(SIZE), INK);
    ui.painter().text(right, Align2::RIGHT_CENTER, says, FontId::monospace(10.0), SOFT);
}

/// A name and its value, which may be long.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (place, _) = ui.allocate_exact_size(vec2(VALUES_AT, TALL), Sense::hover());
        let font = FontId::proportional(SIZE);
        ui.painter().text(place.left_center(), Align2::LEFT_CENTER, name, font, SOFT);
        ui.add(egui::Label::new(RichText::new(legible(ui, value)).font(figures()).color(INK)).wrap());
    });
}

/// A value's slot in a line of [`fact`]s that is painted by hand.
pub fn value_at(place: Rect) -> egui::Pos2 {
    pos2(place.left() + VALUES_AT, place.center().y)
}

/// Squares with names, one after the other.
pub fn legend<'a>(ui: &mut Ui, entries: impl Iterator<Item = (Color32, &'a str, &'a str)>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        for (colour, letter, name) in entries {
            let (square, _) = ui.allocate_exact_size(Vec2::splat(11.0), Sense::hover());
            ui.painter().rect_filled(square, 2.0, colour);
            let font = FontId::proportional(9.0);
            ui.painter().text(square.center(), Align2::CENTER_CENTER, letter, font, ON_PART);
            ui.add(egui::Label::new(RichText::new(name).size(10.0).color(SOFT)).extend());
            ui.add_space(1.0);
        }
    });
}

/// A figure of a table in at most seven letters.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size < 999.995 => format!("{value:.2}"),
        size if size < 9_999.95 => format!("{value:.1}"),
        size if size < 999_999.5 => format!("{value:.0}"),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_fonts_lack_become_plain_ones() {
        let plain = |text| replaced(text, |letter| letter.is_ascii() || letter == 'é');
        assert_eq!(plain("Arc\u{2122} \u{2013} 2\u{d7}4 \u{b5}s\u{a0}é"), "Arc(TM) - 2x4 us é");
        assert_eq!(plain("one\ntwo\tthree"), "one\ntwo three");
        assert_eq!(plain("\u{9f99}"), "\\u{9f99}");
    }

    #[test]
    fn figure_of_any_size_has_room() {
        for (value, text) in [
            (0.0, "0.00"),
            (-999.99, "-999.99"),
            (999.996, "1000.0"),
            (-9_999.94, "-9999.9"),
            (123_456.7, "123457"),
            (-2.5e9, "-2e9"),
        ] {
            assert_eq!(figure(value), text);
        }
        for power in -6..17 {
            assert!(figure(-9.999_9 * 10_f64.powi(power)).len() <= 7, "10^{power}");
        }
    }
}
