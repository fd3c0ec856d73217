//! What can be changed while it runs: mode, layout, miss budget, load, and A against B.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use egui::{Button, Color32, Rect, RichText, Slider, Ui, vec2};

use scanout::Pacing;
use scanout::pacing::{Layout, LayoutChoice, MissBudget};
use scanout::runtime::Changes;

use super::sides::Side;
use super::text::{COLOUR_A, COLOUR_B, ON_PART, heading, small, wrapped};
use crate::app::load::{GpuMeasured, Levels, LoadSpec, Spike};

/// Widest range of the sliders: beyond them the command line is the place.
const MOST_GPU_MS: f64 = 20.0;
const MOST_SPIKE_MS: f64 = 50.0;
const MOST_EVERY: u32 = 120;
const MOST_MEMORY_MIB: u32 = 2_048;
/// Updates from spike to spike until somebody says otherwise.
const EVERY: u32 = 20;
/// The rate of the fixed mode until somebody says otherwise.
const FIXED_HZ: f64 = 60.0;

/// What B is, in the words of the HUD.
const WHAT_B_IS: &str = "B: the loop that most programs have. Swap interval 1; a frame begins when the swap before it has \
returned; no plan, hold or limit on queued frames. Where swap does not wait, as fast as it can.";

/// What the keys do, in lines.
const KEYS: [&str; 2] = [
    "F1 hides this   F2 mode of A   F3 panels   F4 A/B   F5 layout of A",
    "F6 all figures anew   F11 full screen   Esc ends",
];

/// What a run was started with, and what the sliders may use.
#[derive(Clone, Debug)]
pub struct Settings {
    pub pacing: Pacing,
    pub layout: LayoutChoice,
    pub miss_budget: Option<MissBudget>,
    pub levels: Arc<Levels>,
    pub limits: crate::app::load::Limits,
}

/// Where the pointer can do something, by name: told in the log for programs that try the HUD out.
pub type Spots = Vec<(&'static str, Rect)>;

#[derive(Debug)]
pub struct Controls {
    settings: Settings,
    fixed_hz: f64,
    every: u32,
    /// The side of the frame before.
    before: Side,
    changes: Option<Changes>,
    pub spots: Spots,
}

impl Controls {
    pub fn new(mut settings: Settings) -> Self {
        let fixed_hz = if let Pacing::Fixed(rate) = settings.pacing { rate.hz() } else { FIXED_HZ };
        if settings.pacing == Pacing::Naive {
            settings.pacing = Pacing::Auto;
        }
        let every = settings.levels.spike().map_or(EVERY, |spike| spike.every.get());
        Self { settings, fixed_hz, every, before: Side::A, changes: None, spots: Vec::new() }
    }

    /// The mode in force, which a key of the window may have changed. The one that leads out of B leads back to A as it was.
    pub fn in_force(&mut self, mode: Pacing) -> Side {
        let side = Side::of(mode);
        let before = std::mem::replace(&mut self.before, side);
        if side == Side::A && mode != self.settings.pacing {
            if before == Side::B {
                self.changes.get_or_insert_default().pacing = Some(self.settings.pacing);
            } else {
                self.settings.pacing = mode;
            }
        }
        side
    }

    /// From here nobody looks: a key that leads out of B meanwhile means the mode that it leads to.
    pub const fn hide(&mut self) {
        self.before = Side::A;
    }

    /// What concerns A alone, and what concerns both.
    pub fn conditions(&self) -> ((Pacing, LayoutChoice, Option<MissBudget>), LoadSpec) {
        let s = &self.settings;
        ((s.pacing, s.layout, s.miss_budget), s.levels.spec())
    }

    /// What the run is to do otherwise, once.
    pub fn changes(&mut self) -> Option<Changes> {
        self.changes.take()
    }

    pub fn other_side(&mut self, side: Side) {
        let mode = match side {
            Side::A => Pacing::Naive,
            Side::B => self.settings.pacing,
        };
        self.changes.get_or_insert_default().pacing = Some(mode);
    }

    /// B has no layout to choose, and A's is not changed while it cannot be seen what comes of it.
    pub fn next_layout(&mut self, side: Side) {
        if side == Side::B {
            return;
        }
        self.choose_layout(match self.settings.layout {
            LayoutChoice::Auto => LayoutChoice::Pinned(Layout::Serial),
            LayoutChoice::Pinned(Layout::Serial) => LayoutChoice::Pinned(Layout::Pipelined),
            _ => LayoutChoice::Auto,
        });
    }

    fn choose_layout(&mut self, layout: LayoutChoice) {
        self.settings.layout = layout;
        self.changes.get_or_insert_default().layout = Some(layout);
    }

    fn choose_mode(&mut self, mode: Pacing) {
        self.settings.pacing = mode;
        self.changes.get_or_insert_default().pacing = Some(mode);
    }

    pub fn show(&mut self, ui: &mut Ui, side: Side, settles: Option<Duration>) {
        self.sides(ui, side, settles);
        // While B runs it can be seen how A is set, and nothing can change it.
        ui.add_enabled_ui(side == Side::A, |ui| {
            heading(ui, "A: mode (F2)");
            self.modes(ui);
            heading(ui, "A: layout (F5), share that may miss");
            self.layouts(ui);
            self.budget(ui);
        });
        heading(ui, "A and B: extra load");
        self.load(ui);
        KEYS.into_iter().for_each(|keys| small(ui, keys));
    }

    fn sides(&mut self, ui: &mut Ui, side: Side, settles: Option<Duration>) {
        // As wide as each other, whatever the mode is called.
        let size = vec2((ui.available_width() - ui.spacing().item_spacing.x) / 2.0, 18.0);
        ui.horizontal(|ui| {
            let button = |name: String, colour: Color32, on: bool| {
                let text = RichText::new(name).size(12.5).strong();
                if on {
                    Button::new(text.color(ON_PART)).fill(colour)
                } else {
                    Button::new(text.color(colour))
                }
            };
            let a =
                button(format!("A  ours: {}", mode_name(self.settings.pacing)), COLOUR_A, side == Side::A);
            let b = button("B  naive loop".to_owned(), COLOUR_B, side == Side::B);
            let (a, b) = (ui.add_sized(size, a), ui.add_sized(size, b));
            self.spots.extend([("side A", a.rect), ("side B", b.rect)]);
            if (a.clicked() && side == Side::B) || (b.clicked() && side == Side::A) {
                self.other_side(side);
            }
        });
        let state = match settles {
            Some(left) => format!("F4 switches; settling for {:.1} s more, not counted", left.as_secs_f64()),
            None => "F4 switches; each keeps the figures that it has".to_owned(),
        };
        small(ui, state);
        wrapped(ui, WHAT_B_IS);
    }

    fn modes(&mut self, ui: &mut Ui) {
        let fixed = Pacing::fixed(self.fixed_hz).unwrap_or_default();
        let modes =
            [Pacing::Auto, Pacing::LowLatency, Pacing::Smooth, Pacing::Vsync, Pacing::Immediate, fixed];
        let names = ["auto", "low-latency", "smooth", "vsync", "immediate", "fixed"];
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 3.0;
            for (mode, name) in modes.into_iter().zip(names) {
                let same = std::mem::discriminant(&mode) == std::mem::discriminant(&self.settings.pacing);
                let choice = ui.selectable_label(same, RichText::new(name).size(11.5));
                self.spots.push((name, choice.rect));
                if choice.clicked() && !same {
                    self.choose_mode(mode);
                }
            }
        });
        if let Pacing::Fixed(_) = self.settings.pacing {
            let mut hz = self.fixed_hz;
            let text = format!("{hz:.0} Hz");
            if self.slider(ui, "rate", Slider::new(&mut hz, 10.0..=240.0).integer(), text) {
                self.fixed_hz = hz;
                self.choose_mode(Pacing::fixed(hz).unwrap_or_default());
            }
        }
    }

    fn layouts(&mut self, ui: &mut Ui) {
        let choices = [
            ("auto layout", LayoutChoice::Auto),
            ("serial", LayoutChoice::Pinned(Layout::Serial)),
            ("pipelined", LayoutChoice::Pinned(Layout::Pipelined)),
        ];
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 3.0;
            for (name, layout) in choices {
                let same = layout == self.settings.layout;
                let choice = ui.selectable_label(same, RichText::new(name).size(11.5));
                self.spots.push((name, choice.rect));
                if choice.clicked() && !same {
                    self.choose_layout(layout);
                }
            }
        });
    }

    fn budget(&mut self, ui: &mut Ui) {
        let usual = self.settings.pacing.miss_budget();
        let mut percent = self.settings.miss_budget.unwrap_or(usual).share() * 100.0;
        let whose = if self.settings.miss_budget.is_some() { "" } else { " (mode's)" };
        let text = format!("{percent:.2} %{whose}");
        let slider = Slider::new(&mut percent, 0.01..=20.0).logarithmic(true);
        if self.slider(ui, "may miss", slider, text) {
            self.settings.miss_budget = MissBudget::new(percent / 100.0);
            self.changes.get_or_insert_default().miss_budget = Some(self.settings.miss_budget);
        }
    }

    fn load(&mut self, ui: &mut Ui) {
        let before = self.settings.levels.spec();
        let ms = |span: Duration| span.as_secs_f64() * 1e3;
        let us = |ms: f64| Duration::from_micros((ms * 1e3).round() as u64);
        let mut spec = before;
        let most = (2 * self.settings.limits.cores).max(4).max(before.busy);
        let text = format!("{} thread(s)", before.busy);
        self.slider(ui, "busy", Slider::new(&mut spec.busy, 0..=most), text);
        match self.settings.limits.memory_mib {
            Some(most) => {
                let most = most.min(MOST_MEMORY_MIB).max(before.memory_mib);
                let text = format!("{} MiB", before.memory_mib);
                let slider = Slider::new(&mut spec.memory_mib, 0..=most).step_by(16.0);
                self.slider(ui, "memory", slider, text);
            }
            None => small(ui, "memory: free memory is not known here"),
        }
        let mut gpu = ms(before.gpu);
        let measured = match self.settings.levels.gpu_measured() {
            _ if before.gpu.is_zero() => String::new(),
            GpuMeasured::Not => String::new(),
            GpuMeasured::Estimated(_) => " (estimated)".to_owned(),
            GpuMeasured::Timed(took) => format!(" (took {:.1})", ms(took)),
        };
        let text = format!("{gpu:.1} ms{measured}");
        let slider = Slider::new(&mut gpu, 0.0..=MOST_GPU_MS.max(ms(before.gpu))).step_by(0.1);
        if self.slider(ui, "GPU", slider, text) {
            spec.gpu = us(gpu);
        }
        let mut burns = before.spike.map_or(0.0, |spike| ms(spike.burns));
        let mut every = self.every;
        let text = format!("{burns:.1} ms");
        let most = MOST_SPIKE_MS.max(burns);
        let slider = Slider::new(&mut burns, 0.0..=most).step_by(0.5);
        let spiked = self.slider(ui, "spike", slider, text);
        let text = if burns > 0.0 { format!("1 in {every}") } else { format!("1 in {every} (off)") };
        let most = MOST_EVERY.max(every);
        let slider = Slider::new(&mut every, 1..=most);
        if self.slider(ui, "updates", slider, text) | spiked {
            self.every = every.max(1);
            let every = NonZeroU32::new(every).unwrap_or(NonZeroU32::MIN);
            spec.spike = (burns > 0.0).then(|| Spike { burns: us(burns), every });
        }
        if spec != before {
            self.settings.levels.set(spec);
        }
    }

    /// A row: name, slider, what it says. Returns whether it was moved.
    fn slider(&mut self, ui: &mut Ui, name: &'static str, slider: Slider<'_>, says: String) -> bool {
        ui.horizontal(|ui| {
            let size = vec2(52.0, 14.0);
            let label = egui::Label::new(RichText::new(name).size(11.0));
            ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(size.x);
                ui.add(label);
            });
            let moved = ui.add(slider.show_value(false));
            self.spots.push((name, moved.rect));
            small(ui, says);
            moved.changed()
        })
        .inner
    }
}

/// A mode in few letters, whatever its rate is.
pub fn mode_name(mode: Pacing) -> String {
    if let Pacing::Fixed(rate) = mode { format!("fixed {:.2}", rate.hz()) } else { mode.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::load::Limits;

    fn controls(pacing: Pacing) -> Controls {
        Controls::new(Settings {
            pacing,
            layout: LayoutChoice::Auto,
            miss_budget: None,
            levels: Arc::new(Levels::new(LoadSpec::default())),
            limits: Limits { memory_mib: None, cores: 2 },
        })
    }

    #[test]
    fn what_is_pressed_in_b_leaves_a_as_it_was() {
        let mut c = controls(Pacing::Smooth);
        assert_eq!(c.in_force(Pacing::Smooth), Side::A);
        let a = c.conditions();
        c.other_side(Side::A);
        assert_eq!(c.changes().and_then(|c| c.pacing), Some(Pacing::Naive));
        assert_eq!(c.in_force(Pacing::Naive), Side::B);
        c.next_layout(Side::B);
        assert_eq!((c.changes(), c.conditions()), (None, a));
        // The window's key for the next mode leads to another one than A's.
        assert_eq!(c.in_force(Pacing::Auto), Side::A);
        assert_eq!(c.changes().and_then(|c| c.pacing), Some(Pacing::Smooth), "back to A");
        assert_eq!((c.in_force(Pacing::Smooth), c.conditions(), c.changes()), (Side::A, a, None));
        // Where nobody looks it chooses.
        c.in_force(Pacing::Naive);
        c.hide();
        assert_eq!((c.in_force(Pacing::LowLatency), c.changes()), (Side::A, None));
        assert_eq!(c.conditions().0.0, Pacing::LowLatency);
        // In A it chooses, and so does F5.
        c.in_force(Pacing::Vsync);
        c.next_layout(Side::A);
        let ((mode, layout, _), _) = c.conditions();
        assert_eq!((mode, layout), (Pacing::Vsync, LayoutChoice::Pinned(Layout::Serial)));
        assert_eq!(c.changes().and_then(|c| c.layout), Some(layout));
    }
}
