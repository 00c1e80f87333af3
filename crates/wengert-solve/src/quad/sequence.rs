//! Points that fill a cube evenly.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::sobol_table::JOE_KUO;

/// How the points of [`sobol`] are made random, so that their mean has no bias, and several means show its error.
pub enum Scramble {
    /// Not at all.
    None,
    /// By the exclusive or with a random number in each dimension.
    Shift(Key),
    /// By Owen's nested permutations of digits (1995), from a hash (Laine and Karras, 2011; Burley, "Practical
    /// hash-based Owen scrambling", 2020): the error falls faster for smooth integrands.
    Owen(Key),
}

/// The number of dimensions of [`sobol`].
const DIMENSIONS: usize = JOE_KUO.len() + 1;
const BITS: usize = 32;

/// Returns the direction numbers of a dimension, of 32 bits.
fn directions(dimension: usize) -> [u32; BITS] {
    let mut v = [0; BITS];
    let Some(&(polynomial, first)) = dimension.checked_sub(1).map(|d| &JOE_KUO[d]) else {
        return std::array::from_fn(|k| 1 << (BITS - 1 - k));
    };
    let s = first.len();
    for k in 0..BITS {
        v[k] = match k < s {
            true => first[k] << (BITS - 1 - k),
            false => {
                let terms = (1..s).filter(|j| polynomial >> (s - j) & 1 == 1);
                terms.fold(v[k - s] ^ (v[k - s] >> s), |x, j| x ^ v[k - j])
            }
        };
    }
    v
}

fn word(x: u32) -> Var {
    Var::scalar(x)
}

/// Reverses the bits of words.
fn reversed(x: Var) -> Var {
    let swaps = [
        (1u32, 0x5555_5555u32),
        (2, 0x3333_3333),
        (4, 0x0f0f_0f0f),
        (8, 0x00ff_00ff),
        (16, 0x0000_ffff),
    ];
    swaps.into_iter().fold(x, |x, (by, mask)| {
        ((x >> word(by)) & word(mask)) | ((x & word(mask)) << word(by))
    })
}

/// Returns the first `n` points of Sobol's sequence in the unit cube of `dims` dimensions, at most 64, as
/// `f64[n, dims]`, in the order of Gray's code.
///
/// The sequence is Sobol's (1967) with the direction numbers of Joe and Kuo (2008), which begin with the 21
/// dimensions of most uses; numbers have 32 bits. Each block of a power of two points is balanced: take so many.
/// Scrambled points are inside the cube, never on its border.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::{Scramble, sobol};
///
/// // The mean of x y z over the cube, 1/8, and its error from eight scrambles.
/// let f = jit(|key: Key| {
///     let mean = |key: Key| {
///         let points = sobol(1024, 3, Scramble::Owen(key));
///         vmap(|p: Var| p.prod())(points).mean()
///     };
///     let means = vmap(mean)(key.split_into(8));
///     (means.mean(), means.std_ddof(0, 1) / 8f64.sqrt())
/// });
/// let (mean, error) = f.call(Key::from_seed(0))?;
/// let (mean, error) = (mean.item::<f64>()?, error.item::<f64>()?);
/// assert!((mean - 0.125).abs() < 5.0 * error && error < 3e-5);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If `dims` is 0 or above 64, or `n` above 2^31.
#[track_caller]
pub fn sobol(n: usize, dims: usize, scramble: Scramble) -> Var {
    asked_at(Location::caller(), || {
        expect_dimensions("sobol", dims);
        if n > 1 << 31 {
            refuse("sobol", format!("{n} points are more than 2^31"));
        }
        let used = (usize::BITS - n.saturating_sub(1).leading_zeros()) as usize;
        let numbers = iota(n, DType::U32).reshape([n, 1]);
        points(numbers, &[n, dims], used, scramble)
    })
}

/// Returns one point of the sequence of [`sobol`], the one with number `i`, as `f64[dims]`: for sequences that are
/// made piece by piece. Its bits are those of row `i` there.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::{Scramble, sobol, sobol_point};
///
/// let point = |i: Var| sobol_point(i, 2, Scramble::None);
/// let some = jit(vmap(point)).call([5i64, 6, 7])?;
/// let all = jit(|()| sobol(8, 2, Scramble::None)).call(())?;
/// assert_eq!(some.to_vec::<f64>()?, all.to_vec::<f64>()?[10..]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If `dims` is 0 or above 64, or `i` is not an integer scalar. Of a number above 2^32 the low 32 bits count.
#[track_caller]
pub fn sobol_point(i: Var, dims: usize, scramble: Scramble) -> Var {
    asked_at(Location::caller(), || {
        expect_dimensions("sobol_point", dims);
        let ty = i.ty();
        if ty.rank() != 0 || !ty.dtype.is_int() {
            let message = format!("the number of a point is an integer scalar, not {ty}");
            refuse("sobol_point", message);
        }
        points(i.to(DType::U32).reshape([1]), &[dims], BITS, scramble)
    })
}

#[track_caller]
fn expect_dimensions(op: &str, dims: usize) {
    if dims == 0 || dims > DIMENSIONS {
        refuse(
            op,
            format!("{dims} dimensions: there are 1 to {DIMENSIONS}"),
        );
    }
}

/// Returns the points with these numbers, whose last axis has length 1, of which `used` bits may be set.
fn points(numbers: Var, shape: &[usize], used: usize, scramble: Scramble) -> Var {
    let dims = shape[shape.len() - 1];
    let gray = numbers ^ (numbers >> word(1));
    let all: Vec<[u32; BITS]> = (0..dims).map(directions).collect();
    let x = (0..used).fold(zeros_of(shape, DType::U32), |x, k| {
        let row: Vec<u32> = all.iter().map(|v| v[k]).collect();
        let bit = (gray >> word(k as u32)) & word(1);
        x ^ (bit * Var::from(row))
    });
    let (x, shift) = match scramble {
        Scramble::None => (x, 0.0),
        Scramble::Shift(key) => (x ^ words(key, dims), 0.5),
        Scramble::Owen(key) => {
            let x = reversed(x) + words(key, dims);
            let factors = [0x6c50_b47cu32, 0xb82f_1e52, 0xc7af_e638, 0x8d22_f6e6];
            let x = factors.into_iter().fold(x, |x, c| x ^ (x * word(c)));
            (reversed(x), 0.5)
        }
    };
    (x.to(DType::F64) + shift) * 2f64.powi(-32)
}

/// Draws a word of 32 bits for each dimension.
fn words(key: Key, dims: usize) -> Var {
    key.bits([dims]).to(DType::U32)
}

/// The first `n` prime numbers.
fn primes(n: usize) -> Vec<i64> {
    let mut found: Vec<i64> = vec![];
    let mut next = 2;
    while found.len() < n {
        if found.iter().all(|p| next % p != 0) {
            found.push(next);
        }
        next += 1;
    }
    found
}

/// Returns the first `n` points of Halton's sequence (1960) in the unit cube of `dims` dimensions, at most 100:
/// number `i`, with its digits in the first primes reversed behind the point. With a key, each dimension is
/// shifted by a random number modulo 1 (Cranley and Patterson, 1976). Above ten dimensions or so, [`sobol`] fills
/// the cube better.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::halton;
///
/// let f = jit(|()| halton(4, 2, None));
/// let points = f.call(())?.to_vec::<f64>()?;
/// let expected = [0.0, 0.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 2.0 / 3.0, 3.0 / 4.0, 1.0 / 9.0];
/// assert!(points.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-15));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If `dims` is 0 or above 100.
#[track_caller]
pub fn halton(n: usize, dims: usize, key: Option<Key>) -> Var {
    asked_at(Location::caller(), || {
        if dims == 0 || dims > 100 {
            refuse("halton", format!("{dims} dimensions: there are 1 to 100"));
        }
        let bases = Var::from(primes(dims));
        let digits = (usize::BITS - n.leading_zeros()) as usize;
        let places = iota(n, DType::I64).reshape([n, 1]).broadcast_to([n, dims]);
        let start = (places, ones(dims), zeros([n, dims]));
        let (_, _, x) = fori(0..digits, start, |_, (i, scale, x): (Var, Var, Var)| {
            let scale = scale / bases.to(DType::F64);
            let digit = (i % bases).to(DType::F64);
            (i / bases, scale, x + digit * scale)
        });
        match key {
            None => x,
            Some(key) => {
                let moved = x + key.uniform([dims]);
                moved - moved.floor()
            }
        }
    })
}
