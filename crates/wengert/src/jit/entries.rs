//! The entries of a function, which are found without a lock.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use wengert_ir::ir::Type;

use super::entry::{Entry, Signature};
use crate::tree::TreeDef;

/// The number of blocks; each is twice as long as the one before.
const BLOCKS: usize = 32;

/// The number of entries that are searched one after the other. Hashing a signature costs more than comparing a
/// few.
const FEW: usize = 8;

/// The entries of all signatures seen so far. They are numbered and never move, so that a call borrows its entry
/// instead of holding a lock or a reference count, which all threads would write to.
#[derive(Default)]
pub(super) struct Entries {
    blocks: [OnceLock<Box<[OnceLock<Entry>]>>; BLOCKS],
    /// The number of the entry used last, which is the most likely to be used next.
    last: AtomicUsize,
    index: RwLock<Index>,
}

#[derive(Default)]
struct Index {
    /// The numbers of the entries, keyed by the signature's hash.
    by_hash: HashMap<u64, Vec<usize>>,
    count: usize,
}

impl Entries {
    /// Returns the entry with this number, if there is one.
    #[inline]
    fn get(&self, n: usize) -> Option<&Entry> {
        let (block, i) = place(n);
        self.blocks[block].get()?.get(i)?.get()
    }

    /// Returns the entry used last.
    #[inline]
    pub(super) fn last(&self) -> Option<&Entry> {
        self.get(self.last.load(Ordering::Relaxed))
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.count
    }

    /// Returns the entry of a signature, and makes it the one used last. For a known signature it allocates
    /// nothing.
    pub(super) fn of(&self, def: &TreeDef, types: &[Type]) -> &Entry {
        let is_it = |e: &Entry| e.signature.types == types && e.signature.def == *def;
        let mut first = (0..FEW).map_while(|n| Some((n, self.get(n)?)));
        let near = first.find(|(_, e)| is_it(e));
        let (n, entry) = near.unwrap_or_else(|| self.far(def, types, is_it));
        self.last.store(n, Ordering::Relaxed);
        entry
    }

    /// Looks an entry up by its hash, and adds it if there is none.
    fn far(
        &self,
        def: &TreeDef,
        types: &[Type],
        is_it: impl Fn(&Entry) -> bool,
    ) -> (usize, &Entry) {
        let hash = {
            let mut h = DefaultHasher::new();
            def.hash(&mut h);
            types.hash(&mut h);
            h.finish()
        };
        let find = |index: &Index| {
            let mut same = index.by_hash.get(&hash)?.iter();
            same.find_map(|&n| Some((n, self.get(n).filter(|e| is_it(e))?)))
        };
        let known = find(&self.index.read().unwrap_or_else(PoisonError::into_inner));
        known.unwrap_or_else(|| {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have added it in the meantime.
            find(&index).unwrap_or_else(|| {
                let n = index.count;
                let (block, i) = place(n);
                let empty = || (0..1 << block).map(|_| OnceLock::new()).collect();
                let entry = self.blocks[block].get_or_init(empty)[i].get_or_init(|| {
                    Entry::new(Signature {
                        def: def.clone(),
                        types: types.to_vec(),
                    })
                });
                index.by_hash.entry(hash).or_default().push(n);
                index.count += 1;
                (n, entry)
            })
        })
    }
}

/// Returns the block of an entry, and its place there.
#[inline]
fn place(n: usize) -> (usize, usize) {
    let block = (n + 1).ilog2();
    (block as usize, n + 1 - (1 << block))
}

#[cfg(test)]
mod tests {
    use wengert_ir::ir::DType;

    use super::*;

    /// Entries stay where they are while others are added, and each is found by its signature.
    #[test]
    fn each_is_found() {
        let entries = Entries::default();
        assert!(entries.last().is_none());
        let def = TreeDef::default();
        let of = |n: usize| entries.of(&def, &[Type::new(DType::F64, &[n])]);
        let added: Vec<&Entry> = (0..100).map(of).collect();
        assert_eq!(entries.len(), 100);
        for (n, entry) in added.iter().enumerate() {
            assert!(std::ptr::eq(*entry, of(n)));
            assert!(std::ptr::eq(*entry, entries.last().unwrap()));
        }
        assert_eq!(entries.len(), 100);
    }
}
