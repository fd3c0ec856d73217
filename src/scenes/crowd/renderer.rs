use glam::camera::rh::proj;
use glam::{Mat4, Vec3};

use super::super::samples::Samples;
use super::{CrowdView, cast};
use crate::error::Result;
use crate::gl::{CreateContext, Frame, Painter, PassView, Renderer};

/// What is far away fades into it; shaders/crowd.frag has the same.
const HAZE: [f32; 4] = [0.075, 0.085, 0.14, 1.0];

#[derive(Debug)]
pub(crate) struct CrowdRenderer {
    painter: Painter,
    samples: Samples,
    wanted: Option<u32>,
    /// That painting failed was said.
    failed: bool,
}

impl CrowdRenderer {
    pub(crate) fn new(cx: &CreateContext<'_>, samples: Option<u32>) -> Result<Self> {
        let mut painter = cast::painter(cx)?;
        painter.set_light(Vec3::new(0.5, 0.75, 0.2), 0.42);
        Ok(Self { painter, samples: Samples::new(cx, samples)?, wanted: samples, failed: false })
    }
}

impl Renderer<CrowdView> for CrowdRenderer {
    fn render(&mut self, view: &CrowdView, frame: &mut Frame<'_>) {
        frame.pass("crowd");
        self.samples.begin(frame);
        frame.clear_with_depth(HAZE);
        let aspect = frame.size().aspect();
        let world = PassView::world(view.camera.view_projection(aspect)).with_face_culling(true);
        let views = [world, PassView::flat(confetti_view(aspect))];
        if let Err(e) = self.painter.paint(&view.list, &views)
            && !std::mem::replace(&mut self.failed, true)
        {
            log::error!("the crowd is not drawn: {e}");
        }
        self.samples.finish(frame);
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        cast::restore(&mut self.painter, cx)?;
        self.samples = Samples::new(cx, self.wanted)?;
        Ok(())
    }
}

/// One unit is the height of the picture; the origin is the middle of its upper edge.
fn confetti_view(aspect: f32) -> Mat4 {
    let half = 0.5 * aspect.max(0.01);
    proj::opengl::orthographic(-half, half, 1.0, 0.0, -1.0, 1.0)
}
