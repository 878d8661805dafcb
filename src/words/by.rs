//! Tables with one entry for each value of an enumeration.

use super::{AllocationType, CollectionKind};
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// An enumeration of `N` values without data, numbered from 0 in the order of [`VALUES`](Numbered::VALUES).
pub trait Numbered<const N: usize>: Copy + 'static {
    /// Each value, at the place of its number.
    const VALUES: [Self; N];

    /// The number of this value, which is less than `N`.
    fn number(self) -> usize;

    /// The entry of this value.
    #[inline(always)]
    fn of<T>(self, entries: &[T; N]) -> &T {
        &entries[self.number()]
    }

    /// The entry of this value, to be changed.
    #[inline(always)]
    fn of_mut<T>(self, entries: &mut [T; N]) -> &mut T {
        &mut entries[self.number()]
    }
}

/// Numbers an enumeration by its discriminants, which are `0..N` in the order of its `ALL`.
macro_rules! numbered {
    ($($key:ty: $count:expr,)*) => {
        $(
            impl $crate::words::Numbered<{ $count }> for $key {
                const VALUES: [$key; $count] = {
                    let mut number = 0;
                    while number < $count {
                        assert!(<$key>::ALL[number] as usize == number, "the list is in the order of the numbers");
                        number += 1;
                    }
                    <$key>::ALL
                };

                #[inline(always)]
                fn number(self) -> usize {
                    self as usize
                }
            }
        )*
    };
}
pub(crate) use numbered;

numbered! {
    AllocationType: AllocationType::ALL.len(),
    CollectionKind: CollectionKind::ALL.len(),
}

/// One `T` for each value of `K`: read and written by `table[key]`, which never panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By<K, T, const N: usize> {
    entries: [T; N],
    key: PhantomData<K>,
}

/// One `T` for each type of allocation.
pub type ByType<T> = By<AllocationType, T, { AllocationType::ALL.len() }>;

/// One `T` for each kind of collection.
pub type ByKind<T> = By<CollectionKind, T, { CollectionKind::ALL.len() }>;

impl<K: Numbered<N>, T, const N: usize> By<K, T, N> {
    /// The table whose entries `make` makes, one after the other.
    #[must_use]
    pub fn from_fn(make: impl FnMut(K) -> T) -> By<K, T, N> {
        By { entries: K::VALUES.map(make), key: PhantomData }
    }

    /// The table with the same entry everywhere.
    #[must_use]
    pub const fn splat(entry: T) -> By<K, T, N>
    where
        T: Copy,
    {
        By { entries: [entry; N], key: PhantomData }
    }

    /// The entries, in the order of their keys' numbers.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut()
    }

    /// Each key and its entry, in the order of the keys' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        K::VALUES.into_iter().zip(&self.entries)
    }
}

impl<K: Numbered<N>, T: Default, const N: usize> Default for By<K, T, N> {
    fn default() -> Self {
        By::from_fn(|_| T::default())
    }
}

impl<K: Numbered<N>, T, const N: usize> Index<K> for By<K, T, N> {
    type Output = T;

    #[inline(always)]
    fn index(&self, key: K) -> &T {
        key.of(&self.entries)
    }
}

impl<K: Numbered<N>, T, const N: usize> IndexMut<K> for By<K, T, N> {
    #[inline(always)]
    fn index_mut(&mut self, key: K) -> &mut T {
        key.of_mut(&mut self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each key has an entry of its own, and is handed out with it.
    #[test]
    fn entries_are_found_by_their_keys() {
        let mut table = ByType::from_fn(|ty| ty.granule_bytes());
        assert_eq!(AllocationType::ALL.map(|ty| table[ty]), AllocationType::ALL.map(AllocationType::granule_bytes));
        table[AllocationType::Map] += 1;
        let changed: Vec<_> = table.iter().filter(|(ty, bytes)| **bytes != ty.granule_bytes()).collect();
        assert_eq!(changed, [(AllocationType::Map, &(AllocationType::Map.granule_bytes() + 1))]);
        table.values_mut().for_each(|bytes| *bytes = 0);
        assert_eq!(table, ByType::splat(0));
        assert_eq!(ByKind::<u64>::default(), ByKind::splat(0));
    }

    #[test]
    fn a_plain_array_is_read_by_a_key() {
        let mut entries = [0, 1, 2];
        *CollectionKind::Major.of_mut(&mut entries) += 10;
        assert_eq!(CollectionKind::ALL.map(|kind| *kind.of(&entries)), [0, 11, 2]);
    }
}
