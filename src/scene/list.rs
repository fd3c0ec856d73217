use super::{Commands, PassRecorder};

/// Everything that is drawn in a frame: the commands of each pass, drawn in the order of the passes' numbers.
///
/// A list is recorded anew each frame and keeps its memory: after the first frames nothing is allocated. It is `Send`
/// and needs nothing else: several threads record a list each, and [`append`](Self::append) puts them together in the
/// order in which it is called, so that the result does not depend on who was done first. No lock is involved.
///
/// ```
/// use glam::Vec2;
/// use scanout::scene::{DrawList, Sprite, LayerId};
///
/// let picture = LayerId::new(0, 0).unwrap();
/// let mut parts = [DrawList::new(), DrawList::new()];
/// std::thread::scope(|scope| {
///     for (n, part) in parts.iter_mut().enumerate() {
///         scope.spawn(move || {
///             part.clear();
///             part.pass(0).sprite(Sprite::new(picture, Vec2::X * n as f32, Vec2::ONE));
///         });
///     }
/// });
/// let mut list = DrawList::new();
/// parts.iter_mut().for_each(|part| list.append(part));
/// assert_eq!(list.passes()[0].sprites()[1].position, [1.0, 0.0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DrawList {
    passes: Vec<Commands>,
}

impl DrawList {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { passes: Vec::new() }
    }

    /// Records a pass, behind what is there already.
    #[inline]
    pub fn pass(&mut self, pass: u8) -> PassRecorder<'_> {
        PassRecorder::new(self.home(pass))
    }

    fn home(&mut self, pass: u8) -> &mut Commands {
        let pass = usize::from(pass);
        if pass >= self.passes.len() {
            self.passes.resize_with(pass + 1, Commands::default);
        }
        &mut self.passes[pass]
    }

    /// The commands of all passes up to the highest that was used.
    #[must_use]
    pub fn passes(&self) -> &[Commands] {
        &self.passes
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.passes.iter_mut().for_each(Commands::clear);
    }

    /// Adds what `other` holds, pass by pass, behind what is there, and empties `other`, which keeps its memory. Costs one
    /// copy of it.
    pub fn append(&mut self, other: &mut Self) {
        for (pass, commands) in (0..=u8::MAX).zip(&mut other.passes) {
            if !commands.is_empty() {
                self.home(pass).append(commands);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Instance, LayerId, MaterialId, MeshId, Sprite};
    use super::*;
    use glam::{Affine3A, Mat3, Vec2, Vec3};

    fn place(n: usize) -> Affine3A {
        Affine3A::from_translation(Vec3::new(n as f32, 0.0, 0.0))
    }

    fn record(list: &mut DrawList, range: std::ops::Range<usize>) {
        for n in range {
            let mesh = MeshId::new(n as u32 % 5).unwrap();
            let material = MaterialId::new(n as u32 % 3, n % 4 == 0, n as u32 % 7).unwrap();
            let texture = LayerId::new(n as u32 % 2, n as u32 % 9).unwrap();
            list.pass((n % 3) as u8).draw(mesh, material, &place(n));
            list.pass((n % 2) as u8).sprite(Sprite::new(texture, Vec2::splat(n as f32), Vec2::ONE));
        }
    }

    fn same(a: &DrawList, b: &DrawList) -> bool {
        a.passes().len() == b.passes().len()
            && a.passes().iter().zip(b.passes()).all(|(a, b)| {
                a.instances() == b.instances()
                    && a.sprites() == b.sprites()
                    && a.one_bucket() == b.one_bucket()
                    && a.one_array() == b.one_array()
                    && a.some_transparent() == b.some_transparent()
            })
    }

    #[test]
    fn instances_give_back_what_was_recorded() {
        let transform = Affine3A::from_mat3_translation(
            Mat3::from_cols(Vec3::new(1.0, 2.0, 3.0), Vec3::new(4.0, 5.0, 6.0), Vec3::new(7.0, 8.0, 9.0)),
            Vec3::new(10.0, 11.0, 12.0),
        );
        let mut list = DrawList::new();
        let (mesh, material) = (MeshId::new(3).unwrap(), MaterialId::new(2, true, 5).unwrap());
        list.pass(0).draw(mesh, material, &transform);
        let [got] = list.passes()[0].instances() else { panic!("one object") };
        assert_eq!((got.transform(), got.id), (transform, mesh.0 | material.0));
        assert_eq!(size_of::<Instance>(), 52);
    }

    #[test]
    fn lists_of_threads_merge_to_what_one_thread_records() {
        let mut whole = DrawList::new();
        record(&mut whole, 0..1_000);
        let mut parts: Vec<DrawList> = (0..4).map(|_| DrawList::new()).collect();
        // The last thread begins first: only the order of appending counts.
        std::thread::scope(|scope| {
            for (n, part) in parts.iter_mut().enumerate().rev() {
                scope.spawn(move || record(part, n * 250..(n + 1) * 250));
            }
        });
        let mut merged = DrawList::new();
        parts.iter_mut().for_each(|part| merged.append(part));
        assert!(same(&merged, &whole));
        assert!(parts.iter().all(|part| part.passes().iter().all(Commands::is_empty)));
    }

    #[test]
    fn storage_survives_clearing_and_appending() {
        let (mut list, mut part) = (DrawList::new(), DrawList::new());
        let mut storage = Vec::new();
        for frame in 0..4 {
            list.clear();
            record(&mut list, 0..500);
            record(&mut part, 500..700);
            list.append(&mut part);
            let now: Vec<_> = [&list, &part]
                .iter()
                .flat_map(|l| l.passes().iter().map(|c| (c.instances().as_ptr(), c.sprites().as_ptr())))
                .collect();
            assert!(frame == 0 || storage == now, "frame {frame}");
            storage = now;
        }
    }

    #[test]
    fn what_a_pass_agrees_in_is_known_and_forgotten_with_it() {
        let (mesh, other) = (MeshId::new(6).unwrap(), MeshId::new(7).unwrap());
        let plain = MaterialId::new(1, false, 0).unwrap();
        let painted = MaterialId::new(1, false, 4095).unwrap();
        let clear = MaterialId::new(1, true, 0).unwrap();
        let mut list = DrawList::new();
        list.pass(0).draw(mesh, plain, &place(0));
        list.pass(0).draw(mesh, painted, &place(0));
        assert!(list.passes()[0].one_bucket() && !list.passes()[0].some_transparent());
        list.pass(0).draw(mesh, clear, &place(0));
        assert!(!list.passes()[0].one_bucket() && list.passes()[0].some_transparent());
        list.clear();
        list.pass(0).draw(mesh, plain, &place(0));
        assert!(list.passes()[0].one_bucket() && !list.passes()[0].some_transparent());
        list.pass(0).draw(other, plain, &place(0));
        assert!(!list.passes()[0].one_bucket());
        list.clear();
        for layer in 0..4 {
            list.pass(0).sprite(Sprite::new(LayerId::new(3, layer).unwrap(), Vec2::ZERO, Vec2::ONE));
        }
        assert!(list.passes()[0].one_array());
        list.pass(0).sprite(Sprite::new(LayerId::new(2, 0).unwrap(), Vec2::ZERO, Vec2::ONE));
        assert!(!list.passes()[0].one_array());
    }
}
