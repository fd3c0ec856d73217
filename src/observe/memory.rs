//! Memory that another process writes at the same time.

use memmap2::MmapRaw;

/// Reads a plain value out of the map; `None` where it does not lie in the map whole and aligned. As cheap as a memory
/// access.
pub(super) fn read<T: Plain>(map: &MmapRaw, at: usize) -> Option<T> {
    let end = at.checked_add(size_of::<T>())?;
    if end > map.len() || !at.is_multiple_of(align_of::<T>()) {
        return None;
    }
    // SAFETY: inside the map and aligned (checked; maps begin at a page); every bit pattern is a valid integer; the
    // server writes the same memory from another process, hence volatile and no reference to it.
    #[allow(unsafe_code, reason = "shared memory of another process cannot be read through a reference")]
    Some(unsafe { map.as_ptr().add(at).cast::<T>().read_volatile() })
}

/// Integers for which any bit pattern is a value.
pub(super) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u32 {}
