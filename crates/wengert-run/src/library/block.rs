//! Blocks of random words, for generated code: eight keys side by side in the widest available vectors.

use wengert_loop::elementary::Plain;
use wengert_loop::elementary::chacha::{self, KEY, Stream, WORDS, Words};
use wengert_loop::loops::LANES;

use super::upper;
use crate::cpu::Cpu;

/// One word per lane.
type Row = [u32; LANES];

/// A key and a block number per lane.
type State = [Row; KEY + 2];

/// The words of a block, per lane.
type Block = [Row; WORDS];

/// Computes the block of one key.
///
/// # Safety
/// `state` is a key and a block number, `words` is writable, both aligned to 4 bytes; `stream` is a valid
/// stream number.
pub unsafe extern "C" fn one(state: *const [u32; KEY + 2], words: *mut [u32; WORDS], stream: u64) {
    // SAFETY: guaranteed by the caller.
    let state = unsafe { state.read() };
    let number = u64::from(state[KEY]) | (u64::from(state[KEY + 1]) << 32);
    let key = std::array::from_fn(|i| state[i]);
    let block = Stream::ALL[stream as usize].block(&key, number);
    // SAFETY: guaranteed by the caller.
    unsafe { words.write(block) };
    upper::clear();
}

/// Returns the best function for blocks of eight keys on a processor.
pub fn of_lanes(cpu: Cpu) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if cpu.avx512f && cpu.avx512vl {
            return x86::avx512 as *const () as usize;
        }
        if cpu.avx2 {
            return x86::avx2 as *const () as usize;
        }
    }
    let _ = cpu;
    plain as *const () as usize
}

/// Computes the blocks of eight keys.
///
/// # Safety
/// `state` is a key and a block number per lane, `words` is writable, both aligned to 16 bytes; `stream` is a
/// valid stream number.
unsafe extern "C" fn plain(state: *const State, words: *mut Block, stream: u64) {
    // SAFETY: guaranteed by the caller.
    let state = unsafe { state.read() };
    let all = blocks(&mut Rows, &state, stream);
    // SAFETY: guaranteed by the caller.
    unsafe { words.write(all) };
    upper::clear();
}

/// Computes the blocks of eight keys in the given arithmetic.
#[inline(always)]
fn blocks<A: Words>(a: &mut A, state: &[A::W; KEY + 2], stream: u64) -> [A::W; WORDS] {
    let key = state.first_chunk().expect("a key is the first part");
    let number = [state[KEY], state[KEY + 1]];
    chacha::block(a, key, number, Stream::ALL[stream as usize].number())
}

/// Portable arithmetic on rows, one word at a time.
struct Rows;

impl Words for Rows {
    type W = Row;

    fn word(&mut self, x: u32) -> Row {
        [x; LANES]
    }
    fn sum(&mut self, a: Row, b: Row) -> Row {
        std::array::from_fn(|i| Plain.sum(a[i], b[i]))
    }
    fn xor(&mut self, a: Row, b: Row) -> Row {
        std::array::from_fn(|i| a[i] ^ b[i])
    }
    fn rotate(&mut self, a: Row, by: u32) -> Row {
        a.map(|x| x.rotate_left(by))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, KEY, State, Words, blocks};

    /// Does what [`super::plain`] does.
    ///
    /// # Safety
    /// As there; the processor has AVX-512.
    #[target_feature(enable = "avx512f,avx512vl")]
    pub(super) unsafe extern "C" fn avx512(state: *const State, words: *mut Block, stream: u64) {
        // SAFETY: guaranteed by the caller.
        unsafe { of(&mut Avx512, state, words, stream) }
    }

    /// Does what [`super::plain`] does.
    ///
    /// # Safety
    /// As there; the processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe extern "C" fn avx2(state: *const State, words: *mut Block, stream: u64) {
        // SAFETY: guaranteed by the caller.
        unsafe { of(&mut Avx2, state, words, stream) }
    }

    /// Computes the blocks of eight keys. Everything is inlined into a function with known vector features,
    /// which is why there are no closures.
    ///
    /// # Safety
    /// As [`super::plain`]; the processor has AVX2, and the features that the arithmetic needs.
    #[inline(always)]
    unsafe fn of<A: Words<W = __m256i>>(
        a: &mut A,
        state: *const State,
        words: *mut Block,
        stream: u64,
    ) {
        // SAFETY: guaranteed by the caller. Keys are read in halves, as they were written, because a processor
        // cannot forward one load from two pending stores; the reads are volatile so that they are not merged.
        unsafe {
            let mut rows = [_mm256_setzero_si256(); KEY + 2];
            for (i, row) in rows.iter_mut().enumerate() {
                let at: *const __m128i = state.cast::<__m128i>().add(2 * i);
                *row = _mm256_set_m128i(at.add(1).read_volatile(), at.read_volatile());
            }
            let all = blocks(a, &rows, stream);
            for (i, x) in all.into_iter().enumerate() {
                _mm256_storeu_si256(words.cast::<__m256i>().add(i), x);
            }
        }
    }

    struct Avx512;

    // The only user has AVX-512, and everything is inlined there.
    impl Words for Avx512 {
        type W = __m256i;

        #[inline(always)]
        fn word(&mut self, x: u32) -> __m256i {
            Avx2.word(x)
        }
        #[inline(always)]
        fn sum(&mut self, a: __m256i, b: __m256i) -> __m256i {
            Avx2.sum(a, b)
        }
        #[inline(always)]
        fn xor(&mut self, a: __m256i, b: __m256i) -> __m256i {
            Avx2.xor(a, b)
        }
        #[inline(always)]
        fn rotate(&mut self, a: __m256i, by: u32) -> __m256i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm256_rolv_epi32(a, _mm256_set1_epi32(by as i32)) }
        }
    }

    struct Avx2;

    // The only user has AVX2, and everything is inlined there.
    impl Words for Avx2 {
        type W = __m256i;

        #[inline(always)]
        fn word(&mut self, x: u32) -> __m256i {
            // SAFETY: the processor has AVX2.
            unsafe { _mm256_set1_epi32(x as i32) }
        }
        #[inline(always)]
        fn sum(&mut self, a: __m256i, b: __m256i) -> __m256i {
            // SAFETY: the processor has AVX2.
            unsafe { _mm256_add_epi32(a, b) }
        }
        #[inline(always)]
        fn xor(&mut self, a: __m256i, b: __m256i) -> __m256i {
            // SAFETY: the processor has AVX2.
            unsafe { _mm256_xor_si256(a, b) }
        }
        #[inline(always)]
        fn rotate(&mut self, a: __m256i, by: u32) -> __m256i {
            // SAFETY: the processor has AVX2.
            unsafe {
                match by {
                    8 => _mm256_shuffle_epi8(a, turned(1)),
                    16 => _mm256_shuffle_epi8(a, turned(2)),
                    _ => _mm256_or_si256(
                        _mm256_sll_epi32(a, _mm_cvtsi32_si128(by as i32)),
                        _mm256_srl_epi32(a, _mm_cvtsi32_si128(32 - by as i32)),
                    ),
                }
            }
        }
    }

    /// Returns the byte permutation that rotates words by `by` bytes.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    unsafe fn turned(by: usize) -> __m256i {
        let mut bytes = [0u8; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (i % 16 / 4 * 4 + (i % 4 + 4 - by) % 4) as u8;
        }
        // SAFETY: 32 bytes.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a state with a different word at each place.
    fn state() -> State {
        let word =
            |i: usize, lane: usize| 0x9e37_79b9_u32.wrapping_mul((LANES * i + lane + 1) as u32);
        std::array::from_fn(|i| std::array::from_fn(|lane| word(i, lane)))
    }

    fn expected(stream: Stream) -> Block {
        let state = state();
        let lanes: [[u32; WORDS]; LANES] = std::array::from_fn(|lane| {
            let number = u64::from(state[KEY][lane]) | (u64::from(state[KEY + 1][lane]) << 32);
            stream.block(&std::array::from_fn(|i| state[i][lane]), number)
        });
        std::array::from_fn(|i| lanes.map(|words| words[i]))
    }

    /// Memory aligned as in generated code.
    #[repr(align(64))]
    struct Aligned<T>(T);

    fn gives_the_words(f: unsafe extern "C" fn(*const State, *mut Block, u64)) {
        for (n, stream) in Stream::ALL.into_iter().enumerate() {
            let state = Aligned(state());
            let mut words = Aligned([[0; LANES]; WORDS]);
            // SAFETY: the arguments are a state, memory for words, and the number of a stream.
            unsafe { f(&raw const state.0, &raw mut words.0, n as u64) };
            assert_eq!(words.0, expected(stream));
        }
    }

    #[test]
    fn every_machine_gives_the_same_words() {
        gives_the_words(plain);
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected;
            if is_x86_feature_detected!("avx2") {
                gives_the_words(x86::avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                gives_the_words(x86::avx512);
            }
        }
    }

    #[test]
    fn one_key_has_the_words_of_its_stream() {
        let state: [u32; KEY + 2] = state().map(|row| row[0]);
        let mut words = [0; WORDS];
        // SAFETY: the arguments are a state, memory for words, and the number of a stream.
        unsafe { one(&raw const state, &raw mut words, Stream::Family as u64) };
        assert_eq!(words, expected(Stream::Family).map(|row| row[0]));
    }
}
