/// The newest values, as many as there is room for. All memory is taken when it is made.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    list: Vec<T>,
    room: usize,
    next: usize,
    pushed_out: u64,
}

impl<T: Copy> Ring<T> {
    pub(crate) fn new(room: usize) -> Self {
        let room = room.max(1);
        Self { list: Vec::with_capacity(room), room, next: 0, pushed_out: 0 }
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.list.len() < self.room {
            self.list.push(value);
        } else {
            self.list[self.next] = value;
            self.next = (self.next + 1) % self.room;
            self.pushed_out += 1;
        }
    }

    /// The value that was pushed last, to be changed.
    pub(crate) fn last_mut(&mut self) -> Option<&mut T> {
        let at = if self.pushed_out == 0 {
            self.list.len().checked_sub(1)?
        } else {
            (self.next + self.room - 1) % self.room
        };
        self.list.get_mut(at)
    }

    /// Begins anew, with the same memory.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        (self.next, self.pushed_out) = (0, 0);
    }

    /// How many values were overwritten by newer ones.
    pub(crate) const fn pushed_out(&self) -> u64 {
        self.pushed_out
    }

    /// The values, oldest first. Allocates.
    pub(crate) fn list(&self) -> Vec<T> {
        let (newer, older) = self.list.split_at(self.next);
        [older, newer].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_values_stay_in_order_and_the_overwritten_are_counted() {
        let mut ring = Ring::new(3);
        assert_eq!(ring.last_mut(), None);
        for n in 1..=7 {
            ring.push(n);
            assert_eq!(ring.last_mut().copied(), Some(n));
        }
        assert_eq!((ring.list(), ring.pushed_out()), (vec![5, 6, 7], 4));
    }
}
