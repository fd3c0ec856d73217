/// Values in memory that survives from frame to frame. All slots hold something, the first `used` of them something of
/// this frame: recording is a copy into the next one, without asking for memory.
#[derive(Debug)]
pub(super) struct Pool<T> {
    slots: Vec<T>,
    used: usize,
}

/// Slots at first.
const FIRST: usize = 64;

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0 }
    }
}

impl<T: Copy + Default> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { slots: self.as_slice().to_vec(), used: self.used }
    }
}

impl<T: Copy + Default> Pool<T> {
    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        self.slots.get(..self.used).unwrap_or(&[])
    }

    /// Takes the next slot and lets `write` fill it, in place: a value that is put together first and then copied is
    /// read back before its parts have left the store buffer, which was measured to cost four times as much.
    #[inline(always)]
    pub(super) fn push(&mut self, write: impl FnOnce(&mut T)) {
        if self.used >= self.slots.len() {
            // By value, so that a pool in a local variable stays in registers: nobody else ever has its address.
            let pool = std::mem::take(self);
            let more = pool.slots.len().max(FIRST);
            *self = grown(pool, more);
        }
        if let Some(slot) = self.slots.get_mut(self.used) {
            write(slot);
            self.used += 1;
        }
    }

    pub(super) fn append(&mut self, other: &mut Self) {
        let values = other.as_slice();
        let end = self.used + values.len();
        if end > self.slots.len() {
            let more = (end - self.slots.len()).max(self.slots.len());
            *self = grown(std::mem::take(self), more);
        }
        self.slots[self.used..end].copy_from_slice(values);
        self.used = end;
        other.clear();
    }

    pub(super) fn clear(&mut self) {
        self.used = 0;
    }
}

#[cold]
#[inline(never)]
fn grown<T: Copy + Default>(mut pool: Pool<T>, more: usize) -> Pool<T> {
    pool.slots.resize(pool.slots.len() + more, T::default());
    pool
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pool_holds_what_a_vector_holds(
            steps in prop::collection::vec((0_u8..4, prop::collection::vec(any::<u16>(), 0..150)), 0..20),
        ) {
            let (mut pool, mut other, mut want) = (Pool::default(), Pool::default(), Vec::new());
            for (step, values) in steps {
                match step {
                    0 => {
                        pool.clear();
                        want.clear();
                    }
                    1 => {
                        values.iter().for_each(|v| other.push(|slot| *slot = *v));
                        pool.append(&mut other);
                        prop_assert_eq!(other.as_slice(), &[] as &[u16]);
                        want.extend(values);
                    }
                    2 => pool = pool.clone(),
                    _ => {
                        values.iter().for_each(|v| pool.push(|slot| *slot = *v));
                        want.extend(values);
                    }
                }
                prop_assert_eq!(pool.as_slice(), &want[..]);
            }
        }
    }
}
