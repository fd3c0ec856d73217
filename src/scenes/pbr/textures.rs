//! The textures of a model: few bytes are uploaded at once, many beside the frames.

use std::sync::Arc;

use crate::error::Result;
use crate::gl::{
    Filter, Gl, LoaderOptions, Texture, TextureId, TextureLoader, TextureOptions, TextureSource, Wrap,
};
use crate::runtime::Size;
use crate::scenes::model::{
    Filter as TexelFilter, Image, Model, Texels, Texture as ModelTexture, Wrap as TexelWrap,
};

/// Bytes of pictures that are uploaded before the first frame, which takes a few milliseconds. A model with more of them is
/// shown without at first.
const AT_ONCE: usize = 16 << 20;
/// What stands in for a texture that is not there yet: grey, opaque, and about no bump for normals.
const PLACEHOLDER: [u8; 4] = [128, 128, 255, 255];
const PLACEHOLDER_COLOUR: [u8; 4] = [188, 188, 188, 255];

#[derive(Debug)]
enum Slot {
    Here(Texture),
    Coming(TextureId),
}

#[derive(Debug)]
pub(super) struct Textures {
    slots: Vec<Slot>,
    loader: Option<TextureLoader>,
    /// Textures that are still to come.
    pending: usize,
}

/// The bytes of one image, without a copy of them.
struct Bytes {
    model: Arc<Model>,
    image: usize,
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.model.images[self.image].texels.bytes()
    }
}

/// Bytes of an image in a driver that has no compressed formats.
fn texel_bytes(image: &Image) -> usize {
    image.width as usize * image.height as usize * 4
}

impl Textures {
    pub(super) fn new(gl: &Gl, model: &Arc<Model>) -> Result<Self> {
        Self::with_limit(gl, model, AT_ONCE)
    }

    fn with_limit(gl: &Gl, model: &Arc<Model>, at_once: usize) -> Result<Self> {
        let bytes: usize = model.textures.iter().map(|t| texel_bytes(&model.images[t.image])).sum();
        let mut loader = if bytes > at_once {
            log::info!(
                "{} textures of {} MB are loaded beside the frames",
                model.textures.len(),
                bytes >> 20
            );
            Some(TextureLoader::new(gl, LoaderOptions::default())?)
        } else {
            None
        };
        let textures = model.textures.iter().enumerate();
        let slots = textures
            .map(|(i, texture)| {
                let (name, image) = (format!("texture {i}"), &model.images[texture.image]);
                let size = Size::new(image.width, image.height);
                let options = options(texture, image.srgb);
                let bytes = || Arc::new(Bytes { model: Arc::clone(model), image: texture.image });
                Ok(match (&mut loader, &image.texels) {
                    (None, Texels::Rgba8(rgba)) => {
                        Slot::Here(Texture::rgba8(gl, &name, size, rgba, &options)?)
                    }
                    (None, Texels::Ktx2(_)) => {
                        let source = TextureSource::Ktx2 { bytes: bytes(), srgb: image.srgb };
                        Slot::Here(Texture::from_source(gl, &name, source, &options)?)
                    }
                    (Some(loader), texels) => {
                        let source = match texels {
                            Texels::Rgba8(_) => TextureSource::Pixels { size, rgba: bytes() },
                            Texels::Ktx2(_) => TextureSource::Ktx2 { bytes: bytes(), srgb: image.srgb },
                        };
                        let stand_in = if image.srgb { PLACEHOLDER_COLOUR } else { PLACEHOLDER };
                        Slot::Coming(loader.load(&name, source, options, stand_in)?)
                    }
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let pending = if loader.is_some() { slots.len() } else { 0 };
        Ok(Self { slots, loader, pending })
    }

    /// Once per frame: uploads a part of what is still to come. Nothing, when all is there.
    pub(super) fn poll(&mut self) {
        let Some(loader) = self.loader.as_mut().filter(|_| self.pending > 0) else { return };
        let told = loader.poll(|id, outcome| {
            if let Err(e) = outcome {
                log::error!("{id:?} is not shown: {e}");
            }
        });
        match told {
            Ok(progress) => self.pending = progress.pending,
            Err(e) => {
                log::error!("textures are not shown: {e}");
                self.pending = 0;
            }
        }
        if self.pending > 0 {
            return;
        }
        let mut whole = true;
        for slot in &mut self.slots {
            let Slot::Coming(id) = slot else { continue };
            match loader.take(*id) {
                Some(texture) => *slot = Slot::Here(texture),
                None => whole = false,
            }
        }
        if whole {
            self.loader = None;
        }
    }

    /// Whether textures are still to come.
    pub(super) const fn loading(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn bind(&self, texture: usize, unit: u32) {
        match (&self.slots[texture], &self.loader) {
            (Slot::Here(texture), _) => texture.bind(unit),
            (Slot::Coming(id), Some(loader)) => loader.texture(*id).bind(unit),
            (Slot::Coming(_), None) => {}
        }
    }
}

fn options(texture: &ModelTexture, srgb: bool) -> TextureOptions {
    TextureOptions {
        srgb,
        mipmaps: texture.mipmap.is_some(),
        wrap: (wrap(texture.wrap_u), wrap(texture.wrap_v)),
        magnify: filter(texture.magnify),
        minify: filter(texture.minify),
    }
}

const fn wrap(wrap: TexelWrap) -> Wrap {
    match wrap {
        TexelWrap::Repeat => Wrap::Repeat,
        TexelWrap::Mirror => Wrap::Mirror,
        TexelWrap::Clamp => Wrap::Clamp,
    }
}

const fn filter(filter: TexelFilter) -> Filter {
    match filter {
        TexelFilter::Nearest => Filter::Nearest,
        TexelFilter::Linear => Filter::Linear,
    }
}

#[cfg(all(test, feature = "headless", feature = "basis"))]
mod tests;
