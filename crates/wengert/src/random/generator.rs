//! A key's words in plain Rust.

use std::convert::Infallible;

use rand_core::{TryRng, utils};
use wengert_ir::elementary::chacha::{KEY, Stream, WORDS};
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::DType;

use super::Key;
use crate::array::{Array, here};

/// A key's stream of draws, word by word, equal to what [`Key::bits`] returns for it. It implements
/// [`rand_core`]'s generator traits, for use with libraries built on them; see [`Key::generator`].
#[derive(Clone, Debug)]
pub struct Generator {
    key: [u32; KEY],
    /// The number of the next block.
    next: u64,
    block: [u32; WORDS],
    /// The number of words used in the current block.
    used: usize,
}

impl Key<Array> {
    /// Returns a plain Rust generator of the same words.
    ///
    /// # Errors
    /// If it is an array of several keys, as [`Key::split_into`] returns.
    ///
    /// ```
    /// use rand_core::Rng;
    /// use wengert::prelude::*;
    ///
    /// let key = Key::from_seed(5);
    /// let bits = jit(|key: Key| key.bits([3])).call(key.clone())?;
    /// let mut rng = key.generator()?;
    /// assert_eq!(bits.to_vec::<u64>()?, [rng.next_u64(), rng.next_u64(), rng.next_u64()]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn generator(self) -> Result<Generator> {
        Ok(Generator {
            key: self.array("generator")?,
            next: 0,
            block: [0; WORDS],
            used: WORDS,
        })
    }

    /// Returns child `i` of the key, as numbered by [`Key::split_n`] and [`Key::split_into`].
    ///
    /// # Errors
    /// If it is an array of several keys.
    #[track_caller]
    pub fn child(&self, i: u64) -> Result<Key<Array>> {
        let block = Stream::Children.block(&self.array("child")?, i / 2);
        Ok(Key::from_words(
            block.as_chunks::<KEY>().0[(i % 2) as usize],
        ))
    }

    #[track_caller]
    fn array(&self, op: &str) -> Result<[u32; KEY]> {
        let is_one = self.words.dtype() == DType::U32 && self.words.shape() == [KEY];
        match is_one {
            true => Ok(self.words.as_slice::<u32>()?.try_into().expect("its shape")),
            false => Err(Error::value(
                op,
                format!("{} is not one key, which is u32[{KEY}]", self.words.ty()),
                here(),
            )),
        }
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if self.used == WORDS {
            self.block = Stream::Draws.block(&self.key, self.next);
            self.next = self.next.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        Ok(self.block[self.used - 1])
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(dst, || self.try_next_u32())
    }
}
