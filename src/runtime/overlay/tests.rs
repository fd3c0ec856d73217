use super::*;
use crate::time::Timestamp;

fn event(kind: InputKind) -> InputEvent {
    InputEvent::new(Timestamp::ZERO, kind)
}

fn to(x: f32, y: f32) -> InputEvent {
    event(InputKind::PointerMoved { position: Vec2::new(x, y) })
}

fn button(pressed: bool) -> InputEvent {
    event(InputKind::Button { button: ButtonCode::Primary, pressed })
}

const GONE: InputKind = InputKind::PointerLeft;
const INSIDE: (f32, f32) = (50.0, 50.0);
const OUTSIDE: (f32, f32) = (300.0, 50.0);

/// An overlay from 10 to 100 both ways.
fn channel() -> (OverlayInput, OverlayPort) {
    let (input, port) = overlay_channel();
    port.publish(Some(&[Area { left: 10, top: 10, right: 100, bottom: 100 }]));
    (input, port)
}

fn got(port: &OverlayPort) -> Vec<InputKind> {
    std::iter::from_fn(|| port.next()).map(|event| event.kind).collect()
}

#[test]
fn area_is_the_same_after_it_was_packed_and_its_far_edges_are_outside() {
    let area = Area { left: 1, top: 2, right: 65_535, bottom: 16_384 };
    assert_eq!(Area::unpack(area.pack()), area);
    assert!(area.contains(Vec2::new(1.0, 2.0)) && !area.contains(Vec2::new(0.9, 2.0)));
    assert!(!area.contains(Vec2::new(5.0, 16_384.0)) && !Area::default().contains(Vec2::ZERO));
}

#[test]
fn drag_that_began_over_the_overlay_never_reaches_the_scene() {
    let (mut input, port) = channel();
    let entered = input.route(to(INSIDE.0, INSIDE.1));
    assert_eq!(entered.scene.map(|e| e.kind), Some(GONE), "the scene hears that the pointer is gone");
    for event in
        [button(true), to(OUTSIDE.0, OUTSIDE.1), to(INSIDE.0, 20.0), to(OUTSIDE.0, 7.0), button(false)]
    {
        assert_eq!(input.route(event), Routed { scene: None, overlay: true }, "{event:?}");
    }
    assert_eq!(got(&port).len(), 6);
    let back = input.route(to(OUTSIDE.0, OUTSIDE.1));
    assert_eq!(back.scene, Some(to(OUTSIDE.0, OUTSIDE.1)));
    assert_eq!(got(&port), [GONE], "and the overlay, once the drag is over");
}

#[test]
fn drag_that_began_on_the_scene_stays_there() {
    let (mut input, port) = channel();
    for event in [to(OUTSIDE.0, OUTSIDE.1), button(true), to(INSIDE.0, INSIDE.1), button(false)] {
        assert_eq!(input.route(event), Routed { scene: Some(event), overlay: false }, "{event:?}");
    }
    assert_eq!(got(&port), []);
    let scroll = event(InputKind::Scroll { lines: Vec2::Y });
    assert_eq!(input.route(scroll).scene, None, "the pointer is over the overlay now");
}

#[test]
fn hidden_overlay_gets_nothing_and_a_shown_one_its_keys() {
    let (mut input, port) = channel();
    let key = |code| event(InputKind::Key { code, pressed: true, repeat: false });
    assert_eq!(input.route(key(Code::F4)), Routed { scene: None, overlay: true });
    assert_eq!(input.route(key(Code::Space)).scene, Some(key(Code::Space)));
    got(&port);
    port.publish(None);
    for event in [key(Code::F4), to(INSIDE.0, INSIDE.1), button(true), button(false)] {
        assert_eq!(input.route(event), Routed { scene: Some(event), overlay: false }, "{event:?}");
    }
    assert_eq!(got(&port), []);
}

#[test]
fn release_is_not_lost_where_nobody_takes_events_away() {
    let (mut input, port) = channel();
    input.route(to(INSIDE.0, INSIDE.1));
    input.route(button(true));
    for _ in 0..2 * CAPACITY {
        input.route(to(INSIDE.0, 60.0));
    }
    input.route(button(false));
    assert_eq!(got(&port).len(), CAPACITY);
    input.route(to(INSIDE.0, 70.0));
    assert_eq!(got(&port), [button(false).kind, to(INSIDE.0, 70.0).kind]);
}

#[test]
fn lost_focus_ends_a_drag() {
    let (mut input, port) = channel();
    input.route(to(INSIDE.0, INSIDE.1));
    input.route(button(true));
    let lost = event(InputKind::Focus { gained: false });
    assert_eq!(input.route(lost), Routed { scene: Some(lost), overlay: true });
    let away = input.route(to(OUTSIDE.0, OUTSIDE.1));
    assert_eq!(away.scene, Some(to(OUTSIDE.0, OUTSIDE.1)));
    assert!(got(&port).contains(&lost.kind));
}
