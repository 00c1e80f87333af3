//! The block function of ChaCha (Bernstein 2008), written once over arithmetic on words.
//!
//! A block is sixteen words determined by a key of eight words, a 64-bit block number and a 64-bit stream
//! number; without the key, blocks cannot be told from coin flips. Numbered blocks need no state, so any part
//! of a stream can be computed directly, on any thread, in any order.
//!
//! There are eight rounds. No attack on more than seven is known, and that one takes about 2^230 steps
//! (Aumasson, *Too Much Crypto*, 2019), so no feasible test of randomness can detect a flaw. Twelve rounds
//! would take 50 % longer.

/// Rounds of the block function.
pub const ROUNDS: u32 = 8;

/// Words in a block.
pub const WORDS: usize = 16;

/// Words in a key.
pub const KEY: usize = 8;

/// `expand 32-byte k`, the start of ChaCha's state.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Arithmetic on 32-bit words.
pub trait Words {
    /// A word.
    type W: Copy;
    /// Returns a constant.
    fn word(&mut self, x: u32) -> Self::W;
    /// Returns the sum, modulo 2^32.
    fn sum(&mut self, a: Self::W, b: Self::W) -> Self::W;
    /// Returns the bitwise exclusive or.
    fn xor(&mut self, a: Self::W, b: Self::W) -> Self::W;
    /// Rotates a word to the left.
    fn rotate(&mut self, a: Self::W, by: u32) -> Self::W;
}

/// Computes a block of a stream. Block and stream number are given as two words each, the low one first.
#[inline(always)]
pub fn block<A: Words>(
    a: &mut A,
    key: &[A::W; KEY],
    number: [A::W; 2],
    stream: [u32; 2],
) -> [A::W; WORDS] {
    // No closures, because everything must be inlined into a function with known vector features.
    let mut start = [number[0]; WORDS];
    for i in 0..4 {
        start[i] = a.word(CONSTANTS[i]);
    }
    start[4..12].copy_from_slice(key);
    start[12..14].copy_from_slice(&number);
    for i in 0..2 {
        start[14 + i] = a.word(stream[i]);
    }
    let mut x = start;
    for _ in 0..ROUNDS / 2 {
        for i in 0..4 {
            quarter(a, &mut x, [i, 4 + i, 8 + i, 12 + i]);
        }
        for i in 0..4 {
            let diagonal = [i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4];
            quarter(a, &mut x, diagonal);
        }
    }
    for i in 0..WORDS {
        x[i] = a.sum(x[i], start[i]);
    }
    x
}

/// Applies a quarter round to four words of the state.
#[inline(always)]
fn quarter<A: Words>(a: &mut A, x: &mut [A::W; WORDS], [p, q, r, s]: [usize; 4]) {
    for (to, from, turned, by) in [(p, q, s, 16), (r, s, q, 12), (p, q, s, 8), (r, s, q, 7)] {
        x[to] = a.sum(x[to], x[from]);
        let mixed = a.xor(x[turned], x[to]);
        x[turned] = a.rotate(mixed, by);
    }
}

impl Words for super::Plain {
    type W = u32;

    #[inline(always)]
    fn word(&mut self, x: u32) -> u32 {
        x
    }
    #[inline(always)]
    fn sum(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn xor(&mut self, a: u32, b: u32) -> u32 {
        a ^ b
    }
    #[inline(always)]
    fn rotate(&mut self, a: u32, by: u32) -> u32 {
        a.rotate_left(by)
    }
}

/// One of a key's streams of blocks, by purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stream {
    /// Random draws.
    Draws,
    /// The keys that a key is split into: key `i` is words `8 i` to `8 i + 7`.
    Children,
    /// The keys of a family: key `i` is the first half of block `i`.
    Family,
}

impl Stream {
    /// All streams.
    pub const ALL: [Stream; 3] = [Stream::Draws, Stream::Children, Stream::Family];

    /// Returns its number, as two words, the low one first.
    pub fn number(self) -> [u32; 2] {
        match self {
            Stream::Draws => [0, 0],
            Stream::Children => [1, 0],
            Stream::Family => [2, 0],
        }
    }

    /// Computes block `number` of the stream.
    pub fn block(self, key: &[u32; KEY], number: u64) -> [u32; WORDS] {
        let number = [number as u32, (number >> 32) as u32];
        block(&mut super::Plain, key, number, self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the zero key, as other implementations compute them.
    #[test]
    fn the_stream_of_the_key_of_zeros() {
        let first = Stream::Draws.block(&[0; KEY], 0);
        assert_eq!(
            first[..4],
            [0x2fef_003e, 0xd640_5f89, 0xe8b8_5b7f, 0xa1a5_091f]
        );
        assert_ne!(Stream::Children.block(&[0; KEY], 0), first);
        assert_ne!(Stream::Draws.block(&[0; KEY], 1 << 32), first);
    }
}
