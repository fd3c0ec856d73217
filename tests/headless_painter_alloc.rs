//! Once it is warm, a frame of 100,000 objects allocates nothing, waits for nothing and makes few calls: recording on
//! one thread or several, merging, culling, sorting, streaming, drawing. Counted by an allocator of its own, so this is
//! a program of its own. What the driver allocates for itself goes through C's `malloc` and is not counted.
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use glam::camera::rh::proj;
use glam::{Affine3A, Mat4, Vec2, Vec3, Vec4};
use scanout::gl::{
    DebugLevel, Gl, Material, Painted, Painter, PainterOptions, PassView, RenderTarget, Strategy, Submit,
    TextureArray, TextureOptions, Vertex,
};
use scanout::scene::{DrawList, LayerId, MaterialId, MeshId, Order, Sprite};
use scanout::{Size, headless};

struct Counting;

thread_local! {
    // Constant and without a destructor: reading it allocates nothing, at any time in a thread's life.
    static COUNT: Cell<Option<usize>> = const { Cell::new(None) };
}

fn count() {
    COUNT.set(COUNT.get().map(|n| n + 1));
}

/// How many allocations `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    COUNT.set(Some(0));
    work();
    COUNT.replace(None).unwrap_or(usize::MAX)
}

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const OBJECTS: u32 = 100_000;
const MESHES: u32 = 50;
const MATERIALS: u32 = 20;
const SIZE: Size = Size::new(32, 32);

struct Things {
    meshes: Vec<MeshId>,
    materials: Vec<MaterialId>,
    layers: Vec<LayerId>,
}

/// Meshes of one triangle each, so that a software rasteriser has as little to do as can be.
fn things(gl: &Gl, painter: &mut Painter, clear: bool) -> Things {
    let corner = |x, y| Vertex { position: [x, y, 0.0], normal: [0.0, 0.0, 1.0], uv: [x, y] };
    let triangle = [corner(0.0, 0.0), corner(1.0, 0.0), corner(0.0, 1.0)];
    let meshes = (0..MESHES).map(|_| painter.add_mesh(&triangle, &[0, 1, 2]).expect("a mesh")).collect();
    let material = |n| {
        let material = Material::coloured(Vec4::splat(n as f32 / MATERIALS as f32));
        if clear && n % 10 == 9 { material.with_transparency() } else { material }
    };
    let materials = (0..MATERIALS).map(|n| painter.add_material(&material(n)).expect("a material")).collect();
    let mut array =
        TextureArray::new(gl, "white", Size::new(1, 1), 2, &TextureOptions::default()).expect("an array");
    (0..2).for_each(|layer| array.write(layer, &[255; 4]).expect("a layer"));
    array.generate_mipmaps();
    Things { meshes, materials, layers: painter.add_textures(array).expect("names") }
}

/// Part `part` of `parts` of a frame.
fn record(list: &mut DrawList, things: &Things, frame: u32, part: u32, parts: u32) {
    list.clear();
    let mut world = list.pass(0);
    for n in OBJECTS / parts * part..OBJECTS / parts * (part + 1) {
        // A multiplicative hash: neighbours differ in mesh, material and depth.
        let hash = (n + frame).wrapping_mul(2_654_435_761);
        let mesh = things.meshes[((hash >> 8) % MESHES) as usize];
        let material = things.materials[((hash >> 16) % MATERIALS) as usize];
        let place =
            Vec3::new((hash & 255) as f32 - 128.0, (hash >> 8 & 255) as f32 - 128.0, -((hash >> 20) as f32));
        world.draw(mesh, material, &Affine3A::from_translation(place));
    }
    drop(world);
    let mut flat = list.pass(1);
    for n in 0..1_000 / parts {
        let place = Vec2::new((n % 32) as f32, (n / 32) as f32);
        flat.sprite(Sprite::new(things.layers[(n % 2) as usize], place, Vec2::splat(2.0)));
    }
}

fn camera() -> Mat4 {
    proj::opengl::perspective(0.9, 1.0, 1.0, 5_000.0)
}

/// What the frames have beside opaque objects.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum With {
    Nothing,
    /// A tenth of the objects is transparent.
    Clear,
    /// One allocation too many.
    Waste,
}

/// Draws frames and returns what the warm ones allocated, and what the last one did.
fn frames(options: PainterOptions, parts: u32, view: PassView, with: With) -> (usize, Painted) {
    let draw = |gl: &Gl| {
        let target = RenderTarget::new(gl, SIZE).expect("a target");
        target.bind();
        let mut painter = Painter::new(gl, options).unwrap_or_else(|e| panic!("{e}"));
        let things = things(gl, &mut painter, with == With::Clear);
        let (mut list, mut others) = (DrawList::new(), vec![DrawList::new(); parts as usize]);
        let (mut counted, mut painted) = (0, Painted::default());
        for frame in 0..6 {
            let allocated = allocations(|| {
                if parts == 1 {
                    record(&mut list, &things, frame, 0, 1);
                } else {
                    list.clear();
                    for (part, other) in (0..).zip(&mut others) {
                        record(other, &things, frame, part, parts);
                        list.append(other);
                    }
                }
                if with == With::Waste {
                    std::hint::black_box(Box::new(7_u64));
                }
                painted = painter.paint(&list, &[view, PassView::pixels(SIZE)]).expect("painted");
            });
            if frame >= 3 {
                counted += allocated;
            }
        }
        (counted, painted)
    };
    headless::with_context(DebugLevel::Off, draw).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_frame_of_100_000_objects_allocates_nothing_and_makes_at_most_1_100_calls() {
    for submit in [Submit::MultiDraw, Submit::BaseInstance, Submit::Instanced] {
        let options = PainterOptions { submit: Some(submit), ..PainterOptions::default() };
        let view = PassView::world(camera()).with_order(Order::State).with_culling(false);
        let (allocated, painted) = frames(options, 1, view, With::Nothing);
        assert_eq!(allocated, 0, "{submit:?}");
        assert_eq!(painted.objects, OBJECTS as usize);
        assert_eq!((painted.batches, painted.waits), (MESHES as usize + 1, 0), "{painted:?}");
        assert!(painted.gl_calls <= 1_100, "{painted:?}");
    }
}

#[test]
fn no_strategy_order_or_number_of_threads_allocates_when_warm() {
    let world = PassView::world(camera());
    for &strategy in Strategy::ALL {
        let options = PainterOptions { stream: Some(strategy), ..PainterOptions::default() };
        let (allocated, painted) = frames(options, 4, world, With::Clear);
        assert_eq!(allocated, 0, "{strategy}");
        assert!(painted.culled > 1_000 && painted.culled < OBJECTS as usize, "{painted:?}");
    }
    for order in [Order::State, Order::Painter] {
        let (allocated, _) = frames(PainterOptions::default(), 1, world.with_order(order), With::Clear);
        assert_eq!(allocated, 0, "{order:?}");
    }
}

#[test]
fn one_small_box_per_frame_is_noticed() {
    let (allocated, _) = frames(PainterOptions::default(), 1, PassView::world(camera()), With::Waste);
    assert_eq!(allocated, 3);
}
