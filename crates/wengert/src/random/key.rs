//! Keys: creation and splitting.

use std::fmt;
use std::panic::Location;

use wengert_ir::elementary::chacha::{KEY, Stream};
use wengert_ir::error::{TypeError, raise};
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::random::random_bits;
use wengert_ir::trace::{IntoVar, Var, asked_at, current_source};

use super::shape::sized;
use crate::array::Array;
use crate::tree::Tree;

/// A key of random numbers: eight `u32` words.
///
/// In a trace it is neither `Copy` nor `Clone`, and a draw consumes it, so that two draws cannot be equal by
/// mistake. Outside, [`Key<Array>`](Key) is `Clone`, so that a run can be repeated.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| {
///     let (a, b) = key.split();
///     (a.normal([2]), b.uniform([2]))
/// });
/// let (z, u) = f.call(Key::from_seed(1))?;
/// assert!(u.to_vec::<f64>()?.iter().all(|u| (0.0..1.0).contains(u)));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # What does not compile
/// A key that is consumed twice ("use of moved value: `key`", where the first use "takes ownership of
/// the receiver"); split it instead:
///
/// ```compile_fail,E0382
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| key.normal([2]) + key.normal([2]));
/// ```
///
/// A key from outside that is consumed in the body of a loop ("cannot move out of `key`, a captured
/// variable in an `Fn` closure"); scan over [`Key::split_into`], or number the steps of a
/// [`Key::fold_in`]:
///
/// ```compile_fail,E0507
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| scan(0.0, 0..10, |x, _| (x + key.normal(()), ())).0);
/// ```
///
/// A key that a function of one batch element captures; map over [`Key::split_into`], too:
///
/// ```compile_fail,E0507
/// use wengert::prelude::*;
///
/// let f = jit(|(x, key): (Var, Key)| wengert::map(x, |x| x + key.normal(())));
/// ```
///
/// A copy:
///
/// ```compile_fail,E0599
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| key.clone().normal([2]) + key.normal([2]));
/// ```
#[derive(Tree)]
pub struct Key<T = Var> {
    pub(crate) words: T,
}

/// A family of keys indexed by traced numbers: see [`Key::fold_in`].
#[derive(Tree)]
pub struct KeyFamily<T = Var> {
    words: T,
}

impl Clone for Key<Array> {
    fn clone(&self) -> Self {
        let words = self.words.clone();
        Key { words }
    }
}

impl<T: PartialEq> PartialEq for Key<T> {
    fn eq(&self, other: &Key<T>) -> bool {
        self.words == other.words
    }
}

impl<T: fmt::Debug> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.words)
    }
}

impl<T: fmt::Debug> fmt::Debug for KeyFamily<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFamily({:?})", self.words)
    }
}

impl Key<Array> {
    /// Makes a key from a seed: the low half, the high half, then zeros. Neighbouring seeds are as good as any
    /// others.
    ///
    /// ```
    /// use wengert::Key;
    ///
    /// assert_eq!(Key::from_seed(1), Key::from_seed(1));
    /// assert_ne!(Key::from_seed(1), Key::from_seed(2));
    /// ```
    pub fn from_seed(seed: u64) -> Key<Array> {
        let mut words = [0; KEY];
        (words[0], words[1]) = (seed as u32, (seed >> 32) as u32);
        Key::from_words(words)
    }

    /// Makes a key from its words.
    pub fn from_words(words: [u32; KEY]) -> Key<Array> {
        let words = Array::from(words);
        Key { words }
    }
}

/// Returns a block or key number.
fn number(n: u64) -> Var {
    Var::scalar(n)
}

fn keys(dims: &[usize]) -> Type {
    Type::new(DType::U32, dims)
}

impl Key {
    /// Returns the words of a single key, for an operation that consumes it.
    #[track_caller]
    pub(super) fn consumed(self, op: &str) -> Var {
        let ty = self.words.ty();
        if ty != keys(&[KEY]) {
            let several = ty.dtype == DType::U32 && ty.rank() > 1 && ty.dims().ends_with(&[KEY]);
            let (message, hint) = match several {
                true => (
                    format!("{ty} is several keys"),
                    "go over them, as in `vmap(|key: Key| ..)(keys)` or `scan(init, keys, ..)`",
                ),
                // One word of a single key.
                false if ty == keys(&[]) => (
                    "u32 is one word of a key, and no key".into(),
                    "a batch or a loop goes over several keys: make them by `key.split_into(n)`",
                ),
                false => (
                    format!("{ty} is not a key, which is u32[{KEY}]"),
                    "make one by `Key::from_seed`",
                ),
            };
            raise(
                TypeError::new(message)
                    .hint(hint)
                    .error(op, vec![ty], current_source()),
            )
        }
        self.words
    }

    /// Returns the key's stream of draws from its first block on.
    #[track_caller]
    pub(super) fn draws(self, op: &str, ty: Type) -> Var {
        random_bits(self.consumed(op), number(0), Stream::Draws, ty)
    }

    /// Splits the key into two, whose streams are independent of each other and of this key's.
    #[track_caller]
    pub fn split(self) -> (Key, Key) {
        let [a, b] = asked_at(Location::caller(), || self.children("split"));
        (a, b)
    }

    /// Splits the key into `N`; the first ones are the same for every `N`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|key: Key| {
    ///     let [a, b, c] = key.split_n();
    ///     a.normal(()) * b.normal(()) + c.normal(())
    /// });
    /// f.call(Key::from_seed(3))?;
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn split_n<const N: usize>(self) -> [Key; N] {
        asked_at(Location::caller(), || self.children("split_n"))
    }

    #[track_caller]
    fn children<const N: usize>(self, op: &str) -> [Key; N] {
        let all = self.stacked(op, N).words;
        std::array::from_fn(|i| Key { words: all.at(i) })
    }

    /// Splits the key into `n` along a first axis: one for each element of a batch, or for each step of a loop.
    /// They are the keys of [`Key::split_n`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // Ten walks of a thousand steps.
    /// let walk = |key: Key| scan(0.0, key.normal([1000]), |x, z| (x + z, ())).0;
    /// let walks = jit(move |key: Key| vmap(walk)(key.split_into(10)));
    /// assert_eq!(walks.call(Key::from_seed(0))?.shape(), [10]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn split_into(self, n: usize) -> Key {
        asked_at(Location::caller(), || self.stacked("split_into", n))
    }

    #[track_caller]
    fn stacked(self, op: &str, n: usize) -> Key {
        let words = self.consumed(op);
        let all = sized(op, DType::U32, &[n, KEY]);
        let words = random_bits(words, number(0), Stream::Children, all);
        Key { words }
    }

    /// Turns the key into a family of keys, one for each integer, for loops with numbered steps or numbered
    /// data.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let walk = jit(|(key, n): (Key, Var)| {
    ///     let keys = key.fold_in();
    ///     fori(..n, 0.0, |i, x| x + keys.at(i).normal(()))
    /// });
    /// walk.call((Key::from_seed(0), 100i64))?;
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn fold_in(self) -> KeyFamily {
        let words = asked_at(Location::caller(), || self.consumed("fold_in"));
        KeyFamily { words }
    }
}

impl KeyFamily {
    /// Returns key number `i`, an integer scalar. **The same number gives the same key**, and hence the same
    /// draws; the caller must not use a number twice.
    ///
    /// # Errors
    /// If `i` is not an integer scalar.
    #[track_caller]
    pub fn at(&self, i: impl IntoVar) -> Key {
        asked_at(Location::caller(), || {
            let i = super::shape::integer("fold_in", i);
            let words = random_bits(self.words, i, Stream::Family, keys(&[KEY]));
            Key { words }
        })
    }
}
