//! What the picture lacks: collected while loading, so that nothing is left out without a word.

use super::error::short;
use super::limits::MAX_REMARKS;
use super::schema::Extensions;

/// Extensions whose effect is in the picture.
const SUPPORTED_EXTENSIONS: [&str; 5] = [
    "KHR_lights_punctual",
    "KHR_materials_emissive_strength",
    "KHR_materials_unlit",
    "KHR_mesh_quantization",
    "KHR_texture_transform",
];

/// Supported where the transcoder was built in.
const TRANSCODED: &str = "KHR_texture_basisu";

/// Whether the effect of the extension is in the picture.
pub(super) fn is_supported(name: &str) -> bool {
    SUPPORTED_EXTENSIONS.contains(&name) || (cfg!(feature = "basis") && name == TRANSCODED)
}

/// Short remarks, each once, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<String>);

impl Remarks {
    pub(super) fn add(&mut self, remark: &str) {
        if self.0.len() >= MAX_REMARKS || self.0.iter().any(|r| r == remark) {
            return;
        }
        let full = self.0.len() + 1 == MAX_REMARKS;
        self.0.push(if full { "more".to_owned() } else { remark.to_owned() });
    }

    /// The extensions among `names` that are not supported.
    pub(super) fn add_extension(&mut self, name: &str) {
        if !is_supported(name) {
            self.add(&format!("extension {}", short(name, 60).trim_matches('"')));
        }
    }

    pub(super) fn add_extensions(&mut self, extensions: &Extensions) {
        for name in &extensions.names {
            self.add_extension(name);
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
