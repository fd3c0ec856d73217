//! Batches against what a reader of the rules would do by hand: what is drawn, in which order, in which draws.

use glam::camera::rh::proj;
use glam::{Affine3A, Mat4, Vec2, Vec3, Vec3A};
use proptest::prelude::*;
use scanout::scene::{
    Batch, Batches, Commands, DrawList, Frustum, Instance, LayerId, MaterialId, MeshId, Order, Sphere,
    Sprite, SpriteBatch, View,
};

fn mesh(index: u32) -> MeshId {
    MeshId::new(index).unwrap()
}

fn opaque(state: u32, index: u32) -> MaterialId {
    MaterialId::new(state, false, index).unwrap()
}

fn clear(state: u32, index: u32) -> MaterialId {
    MaterialId::new(state, true, index).unwrap()
}

fn at(z: f32) -> Affine3A {
    Affine3A::from_translation(Vec3::new(0.0, 0.0, z))
}

/// Looks along -z from the origin: what lies at -5 is 5 away.
fn camera() -> Mat4 {
    proj::opengl::perspective(1.0, 1.0, 0.5, 100.0)
}

fn commands(draws: &[(MeshId, MaterialId, f32)]) -> Commands {
    let mut list = DrawList::new();
    let mut pass = list.pass(0);
    for (mesh, material, z) in draws {
        pass.draw(*mesh, *material, &at(*z));
    }
    drop(pass);
    list.passes()[0].clone()
}

fn written(batches: &Batches, commands: &Commands) -> Vec<Instance> {
    let mut out = vec![Instance { id: u32::MAX, ..Instance::default() }; batches.visible()];
    batches.write(commands, &mut out);
    out
}

/// The depths in the order in which they are drawn.
fn depths(batches: &Batches, commands: &Commands) -> Vec<f32> {
    written(batches, commands).iter().map(|i| -i.origin[2]).collect()
}

#[test]
fn opaque_objects_are_merged_by_mesh_and_state_and_go_near_first() {
    let draws = commands(&[
        (mesh(1), opaque(0, 0), -9.0),
        (mesh(0), opaque(0, 1), -3.0),
        (mesh(1), opaque(0, 2), -1.0),
        (mesh(0), opaque(1, 3), -7.0),
        (mesh(0), opaque(0, 4), -2.0),
    ]);
    let mut batches = Batches::new();
    batches.build(&draws, &View::new(camera(), Order::FrontToBack), &[]);
    let batch = |mesh, state, first, count| Batch { mesh, state, transparent: false, first, count };
    assert_eq!(batches.batches(), [batch(0, 0, 0, 2), batch(1, 0, 2, 2), batch(0, 1, 4, 1)]);
    assert_eq!(depths(&batches, &draws), [2.0, 3.0, 1.0, 9.0, 7.0]);
    // By state alone each stays as recorded within its draw.
    batches.build(&draws, &View::new(camera(), Order::State), &[]);
    assert_eq!(batches.batches().len(), 3);
    assert_eq!(depths(&batches, &draws), [3.0, 2.0, 9.0, 1.0, 7.0]);
}

#[test]
fn transparent_objects_go_last_and_far_first_whatever_their_mesh() {
    let draws = commands(&[
        (mesh(0), clear(0, 0), -3.0),
        (mesh(0), clear(0, 0), -9.0),
        (mesh(5), clear(1, 0), -6.0),
        (mesh(2), opaque(3, 0), -1.0),
        (mesh(0), clear(0, 0), -8.5),
    ]);
    for order in [Order::FrontToBack, Order::State] {
        let mut batches = Batches::new();
        batches.build(&draws, &View::new(camera(), order), &[]);
        assert_eq!(depths(&batches, &draws), [1.0, 9.0, 8.5, 6.0, 3.0], "{order:?}");
        let got: Vec<_> = batches.batches().iter().map(|b| (b.transparent, b.mesh, b.count)).collect();
        assert_eq!(got, [(false, 2, 1), (true, 0, 2), (true, 5, 1), (true, 0, 1)]);
    }
}

#[test]
fn painters_order_merges_neighbours_alone() {
    let draws = commands(&[
        (mesh(1), opaque(0, 0), -1.0),
        (mesh(1), opaque(0, 9), -5.0),
        (mesh(0), clear(0, 0), -3.0),
        (mesh(1), opaque(0, 0), -9.0),
    ]);
    let mut batches = Batches::new();
    batches.build(&draws, &View::new(camera(), Order::Painter), &[]);
    assert!(batches.as_recorded());
    assert_eq!(depths(&batches, &draws), [1.0, 5.0, 3.0, 9.0]);
    assert_eq!(
        batches.batches().iter().map(|b| (b.first, b.count)).collect::<Vec<_>>(),
        [(0, 2), (2, 1), (3, 1)]
    );
    // The same with something left out in the middle.
    let view = View::new(camera(), Order::Painter).with_culling(Frustum::new(camera()));
    let bounds =
        [Sphere { centre: Vec3A::Z * 50.0, radius: 1.0 }, Sphere { centre: Vec3A::ZERO, radius: 1.0 }];
    batches.build(&draws, &view, &bounds);
    assert_eq!((batches.visible(), batches.culled()), (3, 1));
    assert_eq!(depths(&batches, &draws), [1.0, 5.0, 9.0]);
    assert_eq!(batches.batches().len(), 1, "neighbours now");
}

#[test]
fn depth_is_that_of_the_middle_of_the_mesh() {
    // The second mesh lies ten in front of its own origin.
    let bounds =
        [Sphere { centre: Vec3A::ZERO, radius: 1.0 }, Sphere { centre: Vec3A::Z * 10.0, radius: 1.0 }];
    let draws = commands(&[(mesh(0), clear(0, 0), -8.0), (mesh(1), clear(0, 0), -15.0)]);
    let mut batches = Batches::new();
    batches.build(&draws, &View::new(camera(), Order::State), &bounds);
    assert_eq!(depths(&batches, &draws), [8.0, 15.0]);
    batches.build(&draws, &View::new(camera(), Order::State), &[]);
    assert_eq!(depths(&batches, &draws), [15.0, 8.0]);
}

#[test]
fn without_a_perspective_depth_is_along_the_view_as_well() {
    let draws = commands(&[(mesh(0), clear(0, 0), -3.0), (mesh(0), clear(0, 0), -9.0)]);
    let mut batches = Batches::new();
    let flat = proj::opengl::orthographic(-1.0, 1.0, -1.0, 1.0, 0.0, 20.0);
    batches.build(&draws, &View::new(flat, Order::State), &[]);
    assert_eq!(depths(&batches, &draws), [9.0, 3.0]);
}

#[test]
fn a_pass_of_one_mesh_is_one_draw_as_recorded() {
    let draws = commands(&[(mesh(3), opaque(2, 0), -9.0), (mesh(3), opaque(2, 1), -1.0)]);
    let mut batches = Batches::new();
    batches.build(&draws, &View::new(camera(), Order::State), &[]);
    assert!(batches.as_recorded());
    assert_eq!(batches.batches(), [Batch { mesh: 3, state: 2, transparent: false, first: 0, count: 2 }]);
}

#[test]
fn what_is_in_order_already_is_not_copied_into_another() {
    let mut draws =
        vec![(mesh(0), opaque(0, 0), -1.0), (mesh(0), opaque(0, 0), -9.0), (mesh(1), opaque(0, 0), -2.0)];
    let mut batches = Batches::new();
    batches.build(&commands(&draws), &View::new(camera(), Order::FrontToBack), &[]);
    assert!(batches.as_recorded() && batches.batches().len() == 2);
    draws.swap(0, 1);
    batches.build(&commands(&draws), &View::new(camera(), Order::FrontToBack), &[]);
    assert!(!batches.as_recorded() && batches.batches().len() == 2);
}

#[test]
fn nothing_is_no_draw() {
    let mut batches = Batches::new();
    for order in [Order::FrontToBack, Order::State, Order::Painter] {
        batches.build(&Commands::default(), &View::new(camera(), order), &[]);
        assert_eq!((batches.batches().len(), batches.sprite_batches().len(), batches.visible()), (0, 0, 0));
    }
    // Everything culled as well.
    let draws = commands(&[(mesh(0), opaque(0, 0), 9.0)]);
    let view = View::new(camera(), Order::State).with_culling(Frustum::new(camera()));
    batches.build(&draws, &view, &[Sphere { centre: Vec3A::ZERO, radius: 1.0 }]);
    assert_eq!((batches.batches().len(), batches.visible(), batches.culled()), (0, 0, 1));
    batches.write(&draws, &mut []);
}

#[test]
fn sprites_keep_their_order_and_split_where_the_array_changes() {
    let mut list = DrawList::new();
    let sprite = |array, layer| {
        Sprite::new(LayerId::new(array, layer).unwrap(), Vec2::new(layer as f32, 0.0), Vec2::ONE)
    };
    for (array, layer) in [(1, 5), (1, 0), (0, 1), (0, 1), (1, 2)] {
        list.pass(0).sprite(sprite(array, layer));
    }
    let mut batches = Batches::new();
    batches.build(&list.passes()[0], &View::new(Mat4::IDENTITY, Order::Painter), &[]);
    let batch = |array, first, count| SpriteBatch { array, first, count };
    assert_eq!(batches.sprite_batches(), [batch(1, 0, 2), batch(0, 2, 2), batch(1, 4, 1)]);
}

/// A plane from 0 to 10 each way, from its upper left corner.
fn page() -> View {
    let matrix = proj::opengl::orthographic(0.0, 10.0, 10.0, 0.0, -1.0, 1.0);
    View::new(matrix, Order::Painter).with_culling(Frustum::new(matrix))
}

fn sprites(commands: &Commands, view: &View) -> (Vec<Sprite>, Batches) {
    let mut batches = Batches::new();
    batches.build(commands, view, &[]);
    let mut out = vec![Sprite::default(); batches.visible_sprites()];
    batches.write_sprites(commands, &mut out);
    (out, batches)
}

#[test]
fn sprites_outside_of_the_view_are_left_out_and_the_others_keep_order_and_draws() {
    let layer = |array| LayerId::new(array, 0).unwrap();
    let at = |array, x, y| Sprite::new(layer(array), Vec2::new(x, y), Vec2::splat(2.0));
    let recorded = [
        at(0, 1.0, 1.0),
        at(1, 12.0, 1.0), // beside it, of another array: no draw of its own
        at(0, 9.5, 9.5),  // half of it is seen
        at(0, 4.0, -2.5), // above it
        at(1, -1.5, 5.0),
        at(0, 10.2, 5.0).with_rotation(0.8), // upright it would be outside; a corner is turned into the view
        at(1, 3.0, 10.5),                    // below it
        at(1, 12.0, 5.0).with_rotation(0.8),
    ];
    let mut list = DrawList::new();
    recorded.iter().for_each(|sprite| list.pass(0).sprite(*sprite));
    let commands = &list.passes()[0];
    let (seen, batches) = sprites(commands, &page());
    assert_eq!(seen, [recorded[0], recorded[2], recorded[4], recorded[5]]);
    assert_eq!((batches.visible_sprites(), batches.culled_sprites()), (4, 4));
    let draw = |array, first, count| SpriteBatch { array, first, count };
    assert_eq!(batches.sprite_batches(), [draw(0, 0, 2), draw(1, 2, 1), draw(0, 3, 1)]);
    // Who does not ask gets all of them, as recorded.
    let (all, batches) = sprites(commands, &View::new(Mat4::IDENTITY, Order::Painter));
    assert_eq!((all, batches.culled_sprites()), (recorded.to_vec(), 0));
    assert!(batches.sprites_as_recorded());
    // None of them at all, of one array: no draw.
    list.clear();
    list.pass(0).sprite(at(0, 50.0, 50.0));
    let (none, batches) = sprites(&list.passes()[0], &page());
    assert!(none.is_empty() && batches.sprite_batches().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever its size (mirrored ones have a negative one) and turn: a sprite with a corner in the view is drawn.
    #[test]
    fn a_sprite_with_a_visible_point_is_never_left_out(
        place in prop::array::uniform2(-20.0f32..20.0), size in prop::array::uniform2(-9.0f32..9.0),
        corner in prop::array::uniform2(any::<bool>()), turn in 0.0f32..6.3,
    ) {
        let (place, size) = (Vec2::from(place), Vec2::from(size));
        let middle = place + 0.5 * size;
        let corner = Vec2::from(corner.map(|far| if far { 1.0 } else { 0.0 }));
        for turn in [0.0, turn] {
            let sprite = Sprite::new(LayerId::default(), place, size).with_rotation(turn);
            let mut list = DrawList::new();
            list.pass(0).sprite(sprite);
            let angle = f32::from(sprite.turn) * std::f32::consts::TAU / 65_536.0;
            let point = middle + Vec2::from_angle(angle).rotate(size * (corner - 0.5));
            let visible = point.cmpgt(Vec2::splat(0.001)).all() && point.cmplt(Vec2::splat(9.999)).all();
            let (_, batches) = sprites(&list.passes()[0], &page());
            prop_assert!(!visible || batches.visible_sprites() == 1, "{point}");
            // And what is far from it is not drawn.
            let far = middle.abs().max_element() > 10.0 + 0.5 * size.length();
            prop_assert!(!far || batches.visible_sprites() == 0, "{middle}");
        }
    }
}

/// What the rules say, in the plainest words: a stable sort of what is seen.
fn by_hand(commands: &Commands, order: Order, frustum: Option<&Frustum>, bounds: &[Sphere]) -> Vec<Instance> {
    let parts = |i: &Instance| (i.id >> 18, i.id >> 17 & 1, i.id >> 12 & 31);
    let depth = |i: &Instance| {
        let centre = bounds.get(parts(i).0 as usize).map_or(Vec3A::ZERO, |b| b.centre);
        camera().row(3).dot(Vec3::from(i.transform().transform_point3a(centre)).extend(1.0))
    };
    let seen = |i: &&Instance| match (frustum, bounds.get(parts(i).0 as usize)) {
        (Some(f), Some(b)) => f.sees_sphere(&b.transformed(&i.transform())),
        _ => true,
    };
    let all: Vec<Instance> = commands.instances().iter().filter(seen).copied().collect();
    if order == Order::Painter {
        return all;
    }
    let (mut clear, mut opaque): (Vec<_>, Vec<_>) = all.into_iter().partition(|i| parts(i).1 == 1);
    opaque.sort_by(|a, b| {
        let coarse = |i| f32::from_bits(depth(i).to_bits() & 0xffff_0000);
        let near_first = || coarse(a).total_cmp(&coarse(b));
        let by_state = (parts(a).2, parts(a).0).cmp(&(parts(b).2, parts(b).0));
        by_state
            .then_with(|| if order == Order::FrontToBack { near_first() } else { std::cmp::Ordering::Equal })
    });
    clear.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
    opaque.extend(clear);
    opaque
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_order_is_the_one_worked_out_by_hand(
        draws in prop::collection::vec((0_u32..6, 0_u32..4, prop::bool::weighted(0.3), -60.0f32..-0.6), 0..900),
        culling in any::<bool>(), meshes in 1_u32..6,
    ) {
        let draws: Vec<_> = draws
            .iter()
            .map(|&(m, s, t, z)| (mesh(m % meshes), MaterialId::new(s % meshes, t, m + s).unwrap(), z))
            .collect();
        let draws = commands(&draws);
        let bounds: Vec<_> =
            (0..4).map(|i| Sphere { centre: Vec3A::Z * (i * 20) as f32, radius: 0.5 }).collect();
        let frustum = Frustum::new(camera());
        let mut batches = Batches::new();
        for order in [Order::FrontToBack, Order::State, Order::Painter] {
            let view = View::new(camera(), order);
            let view = if culling { view.with_culling(frustum) } else { view };
            batches.build(&draws, &view, &bounds);
            let want = by_hand(&draws, order, culling.then_some(&frustum), &bounds);
            let got = written(&batches, &draws);
            prop_assert_eq!(&got, &want, "{:?}", order);
            prop_assert_eq!(batches.culled() + batches.visible(), draws.instances().len());
            // The draws cover all of it, without a gap, each of one kind, none of the kind of the one before.
            let mut next = 0;
            let mut before = None;
            for b in batches.batches() {
                prop_assert_eq!(b.first, next);
                next += b.count;
                let kind = (b.mesh, b.state, b.transparent);
                prop_assert!(before != Some(kind) && b.count > 0);
                before = Some(kind);
                for i in &got[b.first as usize..next as usize] {
                    prop_assert_eq!((i.id >> 18, i.id >> 12 & 31, i.id >> 17 & 1 == 1), kind);
                }
            }
            prop_assert_eq!(next as usize, got.len());
        }
    }
}
