//! Textures and samplers.

use std::collections::HashMap;

use super::error::ModelError;
use super::image::{self, Image};
use super::limits::Budget;
use super::remarks::Remarks;
use super::schema;
use super::source::{Source, get};

/// An image with the way to look it up.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Texture {
    /// Index into [`Model::images`](super::Model::images).
    pub image: usize,
    /// Beyond the left and right edges.
    pub wrap_u: Wrap,
    /// Beyond the upper and lower edges.
    pub wrap_v: Wrap,
    /// When a pixel of the image covers several of the screen.
    pub magnify: Filter,
    /// When several pixels of the image fall into one of the screen: within a mip level.
    pub minify: Filter,
    /// Between mip levels; `None`: only the full image is used.
    pub mipmap: Option<Filter>,
}

/// What lies beyond an image's edge.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wrap {
    /// The image again.
    Repeat,
    /// The image mirrored.
    Mirror,
    /// The pixels of the edge.
    Clamp,
}

/// How pixels are combined.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The nearest one.
    Nearest,
    /// The weighted mean of the neighbours.
    Linear,
}

/// Textures and images as materials ask for them.
pub(super) struct Textures {
    pub(super) textures: Vec<Texture>,
    pub(super) images: Vec<Image>,
    /// Once for linear and once for sRGB-encoded use, as are images.
    loaded: Vec<[Option<usize>; 2]>,
    loaded_images: Vec<[Option<usize>; 2]>,
    /// Those of a file that are alike are one: each is a copy in the GPU's memory.
    alike: HashMap<Texture, usize>,
    /// Whether an image has a texture already.
    used: Vec<bool>,
}

impl Textures {
    pub(super) fn new(source: &Source<'_>) -> Self {
        Self {
            textures: Vec::new(),
            images: Vec::new(),
            loaded: vec![[None; 2]; source.document.textures.len()],
            loaded_images: vec![[None; 2]; source.document.images.len()],
            alike: HashMap::new(),
            used: Vec::new(),
        }
    }

    /// Our index of `textures[index]`; `None` where its image is in a format that is not read.
    pub(super) fn get(
        &mut self,
        source: &Source<'_>,
        index: u64,
        srgb: bool,
        budget: &mut Budget,
        remarks: &mut Remarks,
        place: &dyn Fn() -> String,
    ) -> Result<Option<usize>, ModelError> {
        let json = get(&source.document.textures, index, "textures", place)?;
        let kind = usize::from(srgb);
        if let Some(ours) = self.loaded[index as usize][kind] {
            return Ok(Some(ours));
        }
        let here = || format!("textures[{index}]");
        remarks.add_extensions(&json.extensions);
        let transcoded = json.extensions.basisu.as_ref().filter(|_| cfg!(feature = "basis"));
        let Some(image_index) = transcoded.map(|e| e.source).or(json.source) else {
            // The image hangs on an extension that is not in (WebP, Basis Universal in a build without it).
            remarks.add("textures in formats that are not read");
            return Ok(None);
        };
        get(&source.document.images, image_index, "images", &here)?;
        let image = match self.loaded_images[image_index as usize][kind] {
            Some(ours) => ours,
            None => {
                self.images.push(image::load(source, image_index, srgb, budget, &here)?);
                self.images.len() - 1
            }
        };
        self.loaded_images[image_index as usize][kind] = Some(image);
        let texture = match json.sampler {
            None => sampler(&schema::Sampler::default(), image),
            Some(s) => sampler(get(&source.document.samplers, s, "samplers", &here)?, image),
        };
        let texture = texture
            .ok_or_else(|| ModelError::invalid(here(), "its sampler has an unknown filter or wrapping"))?;
        let ours = self.unique(texture, budget)?;
        self.loaded[index as usize][kind] = Some(ours);
        Ok(Some(ours))
    }

    fn unique(&mut self, texture: Texture, budget: &mut Budget) -> Result<usize, ModelError> {
        if let Some(&ours) = self.alike.get(&texture) {
            return Ok(ours);
        }
        self.used.resize(self.images.len(), false);
        if std::mem::replace(&mut self.used[texture.image], true) {
            // The same image with another sampler is one more copy.
            let Image { width, height, .. } = self.images[texture.image];
            budget.image_bytes.take(u64::from(width) * u64::from(height) * 4)?;
        }
        self.textures.push(texture);
        self.alike.insert(texture, self.textures.len() - 1);
        Ok(self.textures.len() - 1)
    }
}

fn sampler(json: &schema::Sampler, image: usize) -> Option<Texture> {
    let wrap = |value: Option<u64>| {
        Some(match value {
            None | Some(10497) => Wrap::Repeat,
            Some(33648) => Wrap::Mirror,
            Some(33071) => Wrap::Clamp,
            Some(_) => return None,
        })
    };
    use Filter::{Linear, Nearest};
    let magnify = match json.mag_filter {
        Some(9728) => Nearest,
        None | Some(9729) => Linear,
        Some(_) => return None,
    };
    let (minify, mipmap) = match json.min_filter {
        Some(9728) => (Nearest, None),
        Some(9729) => (Linear, None),
        Some(9984) => (Nearest, Some(Nearest)),
        Some(9985) => (Linear, Some(Nearest)),
        Some(9986) => (Nearest, Some(Linear)),
        // The file leaves the choice to us: the one that does not shimmer.
        None | Some(9987) => (Linear, Some(Linear)),
        Some(_) => return None,
    };
    Some(Texture { image, wrap_u: wrap(json.wrap_s)?, wrap_v: wrap(json.wrap_t)?, magnify, minify, mipmap })
}
