//! What a model may ask for. Every limit has its reason here; a file that asks for more is refused by name.
//!
//! Together they keep one load of a small file under about half a gibibyte, whatever the file claims.

use super::error::ModelError;

/// All source bytes of a model: the file itself, its buffers and images. The sample models that people try
/// first stay below 100 MiB.
pub const MAX_SOURCE_BYTES: u64 = 256 << 20;
/// Bytes of JSON, `data:` URIs included. Those are held twice while decoding, hence less than the sources.
pub const MAX_JSON_BYTES: u64 = 64 << 20;
/// Objects in the JSON: each costs up to some hundred bytes in memory for two in the file.
pub const MAX_JSON_OBJECTS: u64 = 300_000;
/// Values in the JSON's arrays and objects: each costs up to some ten bytes in memory for two in the file.
pub const MAX_JSON_VALUES: u64 = 4_000_000;
/// Nodes in the file: a matrix each per frame. 100,000 take about a millisecond.
pub const MAX_NODES: usize = 150_000;
/// Primitives to draw with all instances: each is a draw call in every frame.
pub const MAX_DRAWS: u64 = 100_000;
/// Vertices of all primitives: 56 bytes each, so 224 MiB.
pub const MAX_VERTICES: u64 = 4 << 20;
/// Indices of all primitives: 4 bytes each, so 64 MiB.
pub const MAX_INDICES: u64 = 16 << 20;
/// Bytes that vertices have beside their 56: tangents (16), influences of joints (24), morph targets (36 for each).
pub const MAX_STREAM_BYTES: u64 = 128 << 20;
/// Joints of all skins: a matrix each per frame, and what a buffer texture of 65,536 texels holds of the least drivers.
pub const MAX_JOINTS: u64 = 16_384;
/// Joints that meshes follow, counted again for each node that shows the mesh: what fitting a camera looks at.
pub const MAX_BENT: u64 = 1 << 18;
/// Morph weights of all nodes: a number each per frame.
pub const MAX_WEIGHTS: u64 = 1 << 18;
/// Lights in the file, of which a frame uses a few.
pub const MAX_LIGHTS: u64 = 4096;
/// Corners of a primitive that tangents are worked out for while loading; larger ones get theirs from the shader.
pub const MAX_TANGENT_CORNERS: usize = 1 << 20;
/// The sum of squares of how many corners meet at a vertex: what working out tangents takes.
pub const MAX_TANGENT_WORK: u64 = 1 << 25;
/// Animation keys of all tracks, cubic tangents counted: 16 bytes each, so 32 MiB.
pub const MAX_KEYS: u64 = 2 << 20;
/// Sparse replacements that are looked at, counted again for each use of an accessor: a bound of time, not of memory.
pub const MAX_SPARSE: u64 = 16 << 20;
/// Pixels along a side of an image: what every OpenGL 3.3 driver in use takes as a texture.
pub const MAX_IMAGE_SIDE: u32 = 8192;
/// Bytes of all decoded images, counted before they are decoded: once for each sampler that they are shown with. KTX2 counts
/// as if it were decoded, smaller copies aside.
pub const MAX_IMAGE_BYTES: u64 = 256 << 20;
/// The farthest that anything may lie from the origin: squares of it still fit an `f32` when a camera is fitted.
pub const MAX_EXTENT: f32 = 1.0e15;
/// Remarks in `Model::unsupported`: they go into one line of a log.
pub const MAX_REMARKS: usize = 24;

/// What is left of the limits while a model is loaded.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) source_bytes: Allowance,
    pub(super) vertices: Allowance,
    pub(super) indices: Allowance,
    pub(super) keys: Allowance,
    pub(super) image_bytes: Allowance,
    pub(super) draws: Allowance,
    pub(super) stream_bytes: Allowance,
    pub(super) joints: Allowance,
    pub(super) bent: Allowance,
    pub(super) weights: Allowance,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            source_bytes: Allowance::new("bytes of source files", MAX_SOURCE_BYTES),
            vertices: Allowance::new("vertices", MAX_VERTICES),
            indices: Allowance::new("indices", MAX_INDICES),
            keys: Allowance::new("animation keys", MAX_KEYS),
            image_bytes: Allowance::new("bytes of decoded images", MAX_IMAGE_BYTES),
            draws: Allowance::new("primitives to draw", MAX_DRAWS),
            stream_bytes: Allowance::new("bytes of tangents, joints and morph targets", MAX_STREAM_BYTES),
            joints: Allowance::new("joints", MAX_JOINTS),
            bent: Allowance::new("joints followed by meshes", MAX_BENT),
            weights: Allowance::new("morph weights", MAX_WEIGHTS),
        }
    }
}

/// One limit with what was used of it.
#[derive(Debug)]
pub(super) struct Allowance {
    what: &'static str,
    used: u64,
    limit: u64,
}

impl Allowance {
    pub(super) const fn new(what: &'static str, limit: u64) -> Self {
        Self { what, used: 0, limit }
    }

    /// Takes `amount`, before anything of that size is allocated.
    pub(super) fn take(&mut self, amount: u64) -> Result<(), ModelError> {
        let asked = self.used.saturating_add(amount);
        if asked > self.limit {
            return Err(ModelError::TooLarge { what: self.what, asked, limit: self.limit });
        }
        self.used = asked;
        Ok(())
    }

    /// Gives back what was only needed for a while.
    pub(super) fn give_back(&mut self, amount: u64) {
        self.used = self.used.saturating_sub(amount);
    }

    /// What can still be taken.
    pub(super) fn left(&self) -> u64 {
        self.limit - self.used
    }
}
