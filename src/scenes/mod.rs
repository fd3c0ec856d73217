//! The scenes that the app, the benchmarks and the tests share. Each is a [`Logic`] with a [`Renderer`].
//!
//! Take it alone to load glTF files ([`model::Model`]) or to show one ([`Viewer`], or [`Scene::open`] with a [`Visitor`]).
//!
//! | name | what it shows |
//! |---|---|
//! | a file | a glTF 2.0 model with its animation; drag to orbit, scroll to zoom |
//! | `model` | the model in `assets/`, the default |
//! | `swarm` | many instances moved by the logic thread |
//! | `crowd` | many different things, some seen through, moved and recorded by the logic thread, with sprites before them |
//! | `flash` | the whole window turns from black to white and back on space or a mouse button |
//! | `flip` | the whole window turns on every frame |
//! | `drag` | a white mark, 16 pixels wide, where the pointer is |
//! | `bars` | vertical bars at constant speed |
//! | `video` | a 1920x1080 picture made by the CPU and streamed each frame |

mod bars;
mod crowd;
mod drag;
mod flash;
pub mod model;
mod orbit;
mod pbr;
mod samples;
mod swarm;
mod video;
mod viewer;

use std::path::PathBuf;

pub use bars::Bars;
pub use crowd::Crowd;
pub use drag::Drag;
pub use flash::Flash;
pub use pbr::{Look, MAX_SAMPLES, Quality};
pub use swarm::Swarm;
pub use video::{VIDEO, Video};
pub use viewer::{MODEL, Viewer};

use crate::error::{Error, Result};
use crate::gl::{CreateContext, Renderer};
use crate::runtime::Logic;

/// A scene by name, with what it can be told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scene {
    /// A glTF file, or the model in `assets/`.
    Model(Option<PathBuf>),
    /// So many moving instances.
    Swarm(usize),
    /// So many walkers, with shadows, balloons and confetti.
    Crowd(usize),
    /// Black and white by key or button. `animate`: a frame is drawn all the time.
    Flash {
        /// Draw also when nothing changed.
        animate: bool,
    },
    /// Black and white on every frame.
    Flip,
    /// A mark at the pointer.
    Drag,
    /// Moving bars.
    Bars,
    /// A streamed picture.
    Video,
}

/// Most instances of the swarm and walkers of the crowd.
pub const MAX_INSTANCES: usize = 1_000_000;

impl Scene {
    /// The names that [`parse`](Self::parse) knows.
    pub const NAMES: &[&str] = &["model", "swarm", "crowd", "flash", "flip", "drag", "bars", "video"];

    /// The scene called `text`, or the glTF file at that path.
    ///
    /// # Errors
    /// When it is neither a name nor looks like a path: one line with the names.
    pub fn parse(text: &str) -> Result<Self> {
        let path = PathBuf::from(text);
        let looks_like_a_file =
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gltf") || e.eq_ignore_ascii_case("glb"));
        Ok(match text {
            "model" => Self::Model(None),
            "swarm" => Self::Swarm(10_000),
            // As many as a software rasteriser moves smoothly.
            "crowd" => Self::Crowd(1_000),
            "flash" => Self::Flash { animate: false },
            "flip" => Self::Flip,
            "drag" => Self::Drag,
            "bars" => Self::Bars,
            "video" => Self::Video,
            _ if looks_like_a_file || path.is_file() => Self::Model(Some(path)),
            _ => {
                return Err(Error::Config(format!(
                    "no scene is called {text:?}; there are: {}, or a .gltf or .glb file",
                    Self::NAMES.join(", ")
                )));
            }
        })
    }

    /// Loads the scene and hands it to `visitor`.
    ///
    /// # Errors
    /// When the model cannot be loaded.
    pub fn open<V: Visitor>(&self, visitor: V) -> Result<V::Output> {
        self.open_with(Look::default(), visitor)
    }

    /// Whether there may be several samples per pixel. The others have no edges that lie between pixels, or show what the
    /// surface does with their bytes.
    #[must_use]
    pub const fn has_samples(&self) -> bool {
        matches!(self, Self::Model(_) | Self::Swarm(_) | Self::Crowd(_))
    }

    /// The same with wishes for the picture: its quality is a model's, samples are for scenes that
    /// [have them](Self::has_samples).
    ///
    /// # Errors
    /// When the model cannot be loaded.
    pub fn open_with<V: Visitor>(&self, look: Look, visitor: V) -> Result<V::Output> {
        Ok(match self {
            Self::Model(path) => {
                let viewer = match path {
                    Some(path) => Viewer::load(path)?,
                    None => Viewer::bundled()?,
                };
                let model = viewer.model();
                visitor.visit(viewer, move |cx: &CreateContext<'_>| pbr::PbrRenderer::new(cx, &model, look))
            }
            Self::Swarm(n) => {
                let n = *n;
                let make = move |cx: &CreateContext<'_>| swarm::SwarmRenderer::new(cx, n, look.samples);
                visitor.visit(Swarm::new(n), make)
            }
            Self::Crowd(n) => {
                let make = move |cx: &CreateContext<'_>| crowd::CrowdRenderer::new(cx, look.samples);
                visitor.visit(Crowd::new(*n), make)
            }
            Self::Flash { animate } => {
                visitor.visit(Flash::on_input(*animate), |_: &CreateContext<'_>| Ok(flash::FlashRenderer))
            }
            Self::Flip => {
                visitor.visit(Flash::every_frame(), |_: &CreateContext<'_>| Ok(flash::FlashRenderer))
            }
            Self::Drag => visitor.visit(Drag::default(), |_: &CreateContext<'_>| Ok(drag::DragRenderer)),
            Self::Bars => visitor.visit(Bars::default(), |_: &CreateContext<'_>| Ok(bars::BarsRenderer)),
            Self::Video => {
                visitor.visit(Video::default(), |cx: &CreateContext<'_>| video::VideoRenderer::new(cx.gl))
            }
        })
    }
}

/// What is done with a scene, whatever its types.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_scene_and_nonsense_is_refused_with_the_names() {
        for name in Scene::NAMES {
            assert!(Scene::parse(name).is_ok(), "{name}");
        }
        assert_eq!(Scene::parse("x/y.GLB").unwrap(), Scene::Model(Some("x/y.GLB".into())));
        let text = Scene::parse("flsh").unwrap_err().to_string();
        assert!(text.contains("flsh") && text.contains("flash") && !text.contains('\n'), "{text}");
    }
}
