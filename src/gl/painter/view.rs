use glam::Mat4;
use glam::camera::rh::proj;

use crate::runtime::Size;
use crate::scene::{Frustum, Order, View};

/// How a pass is drawn.
#[derive(Copy, Clone, Debug)]
pub struct PassView {
    pub(super) view_projection: Mat4,
    pub(super) depth_test: bool,
    pub(super) face_culling: bool,
    order: Order,
    culling: bool,
}

impl PassView {
    /// Meshes in space, seen through a matrix from the world to clip space: with a depth test, opaque ones from front to
    /// back, and without what lies outside what is seen.
    #[must_use]
    pub const fn world(view_projection: Mat4) -> Self {
        Self {
            view_projection,
            depth_test: true,
            face_culling: false,
            order: Order::FrontToBack,
            culling: true,
        }
    }

    /// Pixels of the drawing area, from its top left corner; everything as recorded, without a depth test. Nothing is culled,
    /// because most such passes have all in view; one that is scrolled wants [`with_culling`](Self::with_culling).
    #[must_use]
    pub fn pixels(size: Size) -> Self {
        let (width, height) = (size.width.max(1) as f32, size.height.max(1) as f32);
        Self::flat(proj::opengl::orthographic(0.0, width, height, 0.0, -1.0, 1.0)).with_culling(false)
    }

    /// A plane seen through a matrix of one's own, for passes in other units than pixels: as [`pixels`](Self::pixels), but
    /// what lies outside what is seen is left out.
    #[must_use]
    pub const fn flat(view_projection: Mat4) -> Self {
        Self { depth_test: false, order: Order::Painter, ..Self::world(view_projection) }
    }

    /// The same in another order.
    #[must_use]
    pub const fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The same, leaving out meshes and sprites that are not seen, or not asking.
    #[must_use]
    pub const fn with_culling(mut self, culling: bool) -> Self {
        self.culling = culling;
        self
    }

    /// The same, with what is nearer hiding what is farther, or without.
    #[must_use]
    pub const fn with_depth_test(mut self, depth_test: bool) -> Self {
        self.depth_test = depth_test;
        self
    }

    /// The same, leaving out faces whose corners go round clockwise, or without. Of mirrored objects that leaves out the faces
    /// towards the viewer.
    #[must_use]
    pub const fn with_face_culling(mut self, face_culling: bool) -> Self {
        self.face_culling = face_culling;
        self
    }

    pub(super) fn scene_view(&self) -> View {
        let view = View::new(self.view_projection, self.order);
        if self.culling { view.with_culling(Frustum::new(self.view_projection)) } else { view }
    }
}
