use super::id::{bucket, bucket_mesh, bucket_state};

/// In which order the objects of a pass are drawn.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// Opaque ones by state and mesh, within these from front to back, so that hidden fragments are not shaded; then
    /// transparent ones from back to front.
    #[default]
    FrontToBack,
    /// Opaque ones by state and mesh, within these as recorded, which saves the sorting by depth; then transparent
    /// ones from back to front. For many small objects that hide little of each other.
    State,
    /// All as recorded: what comes later lies over what came before. Neighbours alone are merged.
    Painter,
}

/// What objects are sorted by, 64 bits. The pass is no part of it, since each has commands of its own.
///
/// ```text
/// opaque        63: 0 │ state 62..58 │ mesh 57..44 │ depth 43..28, near first │ 0
/// transparent   63: 1 │ depth 62..31, far first │ 0 │ mesh 19..6 │ transparent 5 │ state 4..0
/// painter's     63: 1 │ sequence 62..31         │ 0 │ mesh 19..6 │ transparent 5 │ state 4..0
/// ```
///
/// Objects are sorted by the bits from 28 up, and stay as recorded where these are equal; what stands below is there to
/// be read back when sorted objects are merged.
///
/// The material's table entry is not in it either: it is read per instance and splits no draw. Opaque depth has 16
/// bits (the upper half of the float, about 1 % of the distance), because it is there to save shading and each digit
/// less saves a pass of the sort; transparent depth is whole, because there the order is seen.
#[derive(Copy, Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct SortKey(pub u64);

const ORDERED: u64 = 1 << 63;

impl SortKey {
    /// Which bits are sorted by.
    pub const SORTED: u64 = !0 << 28;

    /// The key of an opaque object at `depth`, the distance along the view; any constant where depth does not count.
    #[inline]
    #[must_use]
    pub(super) const fn opaque(id: u32, depth: f32) -> Self {
        let bucket = bucket(id);
        let (state, mesh) = (bucket_state(bucket) as u64, bucket_mesh(bucket) as u64);
        Self(state << 58 | mesh << 44 | (ascending(depth) as u64 >> 16) << 28)
    }

    /// The key of a transparent object.
    #[inline]
    #[must_use]
    pub(crate) const fn transparent(id: u32, depth: f32) -> Self {
        Self::ordered(id, !ascending(depth))
    }

    /// The key of the object that was recorded at this place.
    #[inline]
    #[must_use]
    pub(super) const fn sequence(id: u32, place: u32) -> Self {
        Self::ordered(id, place)
    }

    const fn ordered(id: u32, order: u32) -> Self {
        Self(ORDERED | (order as u64) << 31 | bucket(id) as u64)
    }

    /// The bits that are sorted by.
    #[inline]
    pub(super) const fn sorted_bits(self) -> u64 {
        self.0 & Self::SORTED
    }

    /// Mesh, transparency and state: objects next to each other that agree in it are one draw.
    #[inline]
    #[must_use]
    pub(super) const fn bucket(self) -> u32 {
        if self.0 & ORDERED == 0 {
            (((self.0 >> 44) as u32 % (1 << 14)) << 6) | (self.0 >> 58) as u32
        } else {
            self.0 as u32 % (1 << 20)
        }
    }
}

/// The bits of a float, changed so that they are ordered as numbers are, negative ones included.
const fn ascending(x: f32) -> u32 {
    let bits = x.to_bits();
    // All bits of a negative number turn round, of another one the sign alone.
    bits ^ ((bits.cast_signed() >> 31).cast_unsigned() | 0x8000_0000)
}

#[cfg(test)]
mod tests {
    use super::super::{MaterialId, MeshId};
    use super::*;
    use proptest::prelude::*;

    fn id(mesh: u32, state: u32, transparent: bool, material: u32) -> u32 {
        MeshId::new(mesh).unwrap().0 | MaterialId::new(state, transparent, material).unwrap().0
    }

    #[test]
    fn opaque_keys_go_by_state_then_mesh_then_depth_near_first() {
        let keys = [
            SortKey::opaque(id(5, 0, false, 3), 9.0),
            SortKey::opaque(id(2, 1, false, 3), -1.0),
            SortKey::opaque(id(2, 1, false, 4000), 2.0),
            SortKey::opaque(id(2, 1, false, 0), 100.0),
            SortKey::opaque(id(3, 1, false, 0), 1.0),
        ];
        assert!(keys.windows(2).all(|w| w[0].sorted_bits() < w[1].sorted_bits()), "{keys:x?}");
    }

    #[test]
    fn transparent_keys_go_far_first_whatever_their_state_and_after_all_opaque_ones() {
        let keys = [
            SortKey::opaque(id(16_383, 31, false, 0), f32::MAX),
            SortKey::transparent(id(9, 3, true, 0), 100.0),
            SortKey::transparent(id(1, 0, true, 0), 99.999),
            SortKey::transparent(id(9, 3, true, 0), 0.0),
            SortKey::transparent(id(0, 0, true, 0), -5.0),
        ];
        assert!(keys.windows(2).all(|w| w[0].sorted_bits() < w[1].sorted_bits()), "{keys:x?}");
    }

    proptest! {
        #[test]
        fn the_bucket_survives_in_every_form(
            mesh in 0..MeshId::COUNT, state in 0..MaterialId::STATES, material in 0..MaterialId::COUNT,
            depth in prop::num::f32::ANY, place in 0..u32::MAX, transparent in any::<bool>(),
        ) {
            let word = id(mesh, state, transparent, material);
            prop_assert_eq!(SortKey::sequence(word, place).bucket(), bucket(word));
            let (opaque, clear) = (id(mesh, state, false, material), id(mesh, state, true, material));
            prop_assert_eq!(SortKey::opaque(opaque, depth).bucket(), bucket(opaque));
            prop_assert_eq!(SortKey::transparent(clear, depth).bucket(), bucket(clear));
        }

        #[test]
        fn bits_of_floats_are_ordered_as_the_floats_are(a in prop::num::f32::NORMAL, b in prop::num::f32::NORMAL) {
            prop_assert_eq!(ascending(a).cmp(&ascending(b)), a.total_cmp(&b));
        }

        #[test]
        fn sequence_keys_keep_the_order_of_recording(a in 0..u32::MAX, b in 0..u32::MAX, mesh in 0..MeshId::COUNT) {
            let (first, second) = (SortKey::sequence(id(mesh, 0, false, 0), a), SortKey::sequence(id(0, 1, true, 0), b));
            if a != b {
                prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            }
        }
    }
}
