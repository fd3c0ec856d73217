//! Names of what is drawn, packed so that mesh and material of an object are one word:
//!
//! ```text
//! 31            18   17          16    12 11            0
//! ├─ mesh ───────┤ transparent   ├─ state ┤├─ material ──┤
//! ```

/// A mesh of the shared pool.
#[derive(Copy, Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MeshId(pub(crate) u32);

/// A material: an entry of the material table, and the state that it is drawn with.
#[derive(Copy, Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MaterialId(pub(crate) u32);

/// A layer of a texture array.
#[derive(Copy, Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LayerId(pub(crate) u16);

const MESH_SHIFT: u32 = 18;
const TRANSPARENT: u32 = 1 << 17;
const STATE_SHIFT: u32 = 12;

impl MeshId {
    /// So many meshes have names.
    pub const COUNT: u32 = 1 << 14;

    /// The mesh with this index, where it has a name.
    #[must_use]
    pub const fn new(index: u32) -> Option<Self> {
        if index < Self::COUNT { Some(Self(index << MESH_SHIFT)) } else { None }
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 >> MESH_SHIFT
    }
}

impl MaterialId {
    /// So many materials have names.
    pub const COUNT: u32 = 1 << 12;
    /// So many states have names, of opaque and of transparent materials each.
    pub const STATES: u32 = 1 << 5;

    /// The material with this index in the table, drawn with this state: whatever has to be set before a draw (program,
    /// textures). Materials that differ in their table entry alone share a draw. `None` beyond the counts above.
    #[must_use]
    pub const fn new(state: u32, transparent: bool, index: u32) -> Option<Self> {
        if state < Self::STATES && index < Self::COUNT {
            Some(Self(if transparent { TRANSPARENT } else { 0 } | state << STATE_SHIFT | index))
        } else {
            None
        }
    }

    /// Its index in the table.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 & (Self::COUNT - 1)
    }

    /// The state that it is drawn with.
    #[must_use]
    pub const fn state(self) -> u32 {
        self.0 >> STATE_SHIFT & (Self::STATES - 1)
    }

    /// Whether what is behind it shows through.
    #[must_use]
    pub const fn is_transparent(self) -> bool {
        self.0 & TRANSPARENT != 0
    }
}

impl LayerId {
    /// So many texture arrays have names.
    pub const ARRAYS: u32 = 1 << 4;
    /// So many layers of each.
    pub const LAYERS: u32 = 1 << 12;

    /// A layer of an array. `None` beyond the counts above.
    #[must_use]
    pub const fn new(array: u32, layer: u32) -> Option<Self> {
        if array < Self::ARRAYS && layer < Self::LAYERS {
            Some(Self((array << 12 | layer) as u16))
        } else {
            None
        }
    }

    /// Its array.
    #[must_use]
    pub const fn array(self) -> u32 {
        self.0 as u32 >> 12
    }

    /// Its layer.
    #[must_use]
    pub const fn layer(self) -> u32 {
        self.0 as u32 & (Self::LAYERS - 1)
    }
}

/// The upper part of the word: what a draw has to agree in (mesh, transparency, state).
pub(super) const fn bucket(id: u32) -> u32 {
    id >> STATE_SHIFT
}

pub(super) const BUCKET_TRANSPARENT: u32 = TRANSPARENT >> STATE_SHIFT;

pub(super) const fn bucket_mesh(bucket: u32) -> u32 {
    bucket >> (MESH_SHIFT - STATE_SHIFT)
}

pub(super) const fn bucket_state(bucket: u32) -> u32 {
    bucket & (MaterialId::STATES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mesh_and_material_share_a_word_without_touching() {
        let mesh = MeshId::new(MeshId::COUNT - 1).unwrap();
        let material = MaterialId::new(MaterialId::STATES - 1, true, MaterialId::COUNT - 1).unwrap();
        assert_eq!(mesh.0 & material.0, 0);
        assert_eq!(mesh.0 | material.0, u32::MAX);
        let word = bucket(mesh.0 | material.0);
        assert_eq!((bucket_mesh(word), bucket_state(word)), (mesh.index(), material.state()));
        assert_ne!(word & BUCKET_TRANSPARENT, 0);
        let opaque = MaterialId::new(7, false, 9).unwrap();
        assert_eq!((opaque.state(), opaque.is_transparent(), opaque.index()), (7, false, 9));
        assert_eq!(bucket(opaque.0) & BUCKET_TRANSPARENT, 0);
    }

    #[test]
    fn names_beyond_the_counts_are_refused() {
        assert_eq!(MeshId::new(MeshId::COUNT), None);
        assert_eq!(MaterialId::new(MaterialId::STATES, false, 0), None);
        assert_eq!(MaterialId::new(0, false, MaterialId::COUNT), None);
        assert_eq!(LayerId::new(LayerId::ARRAYS, 0), None);
        assert_eq!(LayerId::new(0, LayerId::LAYERS), None);
        let last = LayerId::new(LayerId::ARRAYS - 1, LayerId::LAYERS - 1).unwrap();
        assert_eq!((last.array(), last.layer()), (LayerId::ARRAYS - 1, LayerId::LAYERS - 1));
    }
}
