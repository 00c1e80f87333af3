//! Polynomials and convolutions.

use std::panic::Location;

use crate::error::TypeError;
use crate::ops::{checkpoint, dynamic, layout, map, scan};
use crate::trace::array::{lengths, promoted, refuse};
use crate::trace::{Var, asked_at, ones_like, stack_axis, zeros_like};

/// The length up to which sequences are unrolled; longer ones are processed by a loop.
const WRITTEN_OUT: usize = 32;
/// The number of terms of a convolution that a step of a loop adds to each result.
const TERMS: usize = 4;
/// The number of terms of a convolution for which blocks do not pay.
const FEW: usize = 2 * TERMS;
/// The number of results of a convolution that are computed together, at least.
const BLOCK: usize = 16_384;

/// The part of a convolution to return: wherever the sequences overlap at all, the middle part as long as the longer
/// sequence, or where the shorter sequence lies inside the longer one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Overlap {
    /// All elements where the sequences overlap: `m + n - 1`.
    Full,
    /// The middle of [`Overlap::Full`], as long as the longer sequence.
    Same,
    /// The elements where one sequence lies inside the other: `|m - n| + 1`.
    Valid,
}

/// # Polynomials and sequences
///
/// These take numbers; element types are promoted.
///
/// ```
/// use wengert::prelude::*;
///
/// // 2 x² + 1, coefficients from the highest power down.
/// let value = jit(|(p, x): (Var, Var)| p.polyval(x));
/// assert_eq!(value.call(([2.0, 0.0, 1.0], [0.0, 3.0]))?.to_vec::<f64>()?, [1.0, 19.0]);
///
/// let smooth = jit(|(x, p): (Var, Var)| x.convolve(p, wengert::Overlap::Valid));
/// assert_eq!(smooth.call(([1.0, 2.0, 3.0], [0.5, 0.5]))?.to_vec::<f64>()?, [1.5, 2.5]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The polynomial with these coefficients, that of the highest power first, evaluated at each element of
    /// `x`: `numpy.polyval`. Derivatives: the powers of `x`, and the slope of the polynomial.
    ///
    /// # Errors
    /// If the coefficients are not a vector.
    #[track_caller]
    pub fn polyval(self, x: Var) -> Var {
        let both = promoted("polyval", &[self, x]);
        let (p, x) = (both[0], both[1]);
        let n = vector("polyval", p, &both);
        if n > WRITTEN_OUT {
            return asked_at(Location::caller(), || {
                let step = |y: &[Var], c: &[Var]| (vec![y[0] * x + c[0]], vec![]);
                scan::scan(&[zeros_like(x)], &[p], n, false, step)[0]
            });
        }
        let mut y = zeros_like(x);
        for i in 0..n {
            let c = layout::row(p, i);
            y = match i {
                0 => c.broadcast_to(x.shape()),
                _ => y * x + c,
            };
        }
        y
    }

    /// The matrix whose rows are the first `n` powers of each element of a vector, the highest first:
    /// `numpy.vander`. For the lowest first, `x.vander(n).flip(1)`. Derivative: `k x^(k-1)`.
    ///
    /// # Errors
    /// If the operand is not a vector, or the powers do not fit into memory.
    #[track_caller]
    pub fn vander(self, n: usize) -> Var {
        let rows = vector("vander", self, &[self]);
        let dims = lengths("vander", &[self], self.dtype(), &vec![rows, n].into());
        if n == 0 {
            return Var::zeros(&self.ty().with_dims(&dims));
        }
        if n > WRITTEN_OUT {
            let factors = self.expand_dims(1).broadcast_to([rows, n - 1]);
            let ones = ones_like(self).expand_dims(1);
            return layout::concat(&[factors.cumprod_reverse(1), ones], 1);
        }
        let mut powers = vec![ones_like(self)];
        for k in 1..n {
            let power = match k {
                1 => self,
                _ => powers[k - 1] * self,
            };
            powers.push(power);
        }
        powers.reverse();
        stack_axis(&powers, 1)
    }

    /// The convolution of two vectors, that is, the coefficients of the product of two polynomials:
    /// `numpy.convolve`. Derivative: the convolution of the tangent of either with the other.
    ///
    /// # Errors
    /// If an operand is not a vector, or has no element.
    #[track_caller]
    pub fn convolve(self, other: Var, part: Overlap) -> Var {
        convolution("convolve", self, other, part)
    }

    /// The cross-correlation with `other`, that is, the convolution with `other` reversed: `numpy.correlate`.
    /// Derivative: as [`Var::convolve`].
    ///
    /// # Errors
    /// As [`Var::convolve`].
    #[track_caller]
    pub fn correlate(self, other: Var, part: Overlap) -> Var {
        vector("correlate", other, &[self, other]);
        convolution("correlate", self, layout::reverse(other, &[0]), part)
    }
}

/// Returns the length of a vector, and refuses other shapes.
#[track_caller]
fn vector(op: &str, x: Var, operands: &[Var]) -> usize {
    match x.shape()[..] {
        [n] => n,
        _ => refuse(
            op,
            operands,
            TypeError::new(format!("{} is not a vector", x.ty())),
        ),
    }
}

#[track_caller]
fn convolution(op: &str, a: Var, b: Var, part: Overlap) -> Var {
    let both = promoted(op, &[a, b]);
    let (n, m) = (vector(op, both[0], &both), vector(op, both[1], &both));
    if n == 0 || m == 0 {
        let message = format!("{} and {}: a sequence of no element", a.ty(), b.ty());
        refuse(op, &both, TypeError::new(message));
    }
    // The shorter sequence moves along the longer one.
    let (long, short) = match n < m {
        true => (both[1], both[0]),
        false => (both[0], both[1]),
    };
    let (n, m) = (n.max(m), n.min(m));
    let (first, length) = match part {
        Overlap::Full => (0, n + m - 1),
        Overlap::Same => ((m - 1) / 2, n),
        Overlap::Valid => (m - 1, n - m + 1),
    };
    // Element `i` of the full convolution is the sum over `j` of `short[j] long[i - j]`.
    let long = layout::pad(long, &[m - 1], &[m - 1], &[0]);
    let long = layout::slice_axis(long, 0, first..first + length + m - 1);
    asked_at(Location::caller(), || in_blocks(long, short))
}

/// Returns the sums of products of `short`, reversed, with each window of `long` as long as it, for many results
/// block by block: those of a block stay in a near cache while terms are added to them.
fn in_blocks(long: Var, short: Var) -> Var {
    let (n, m) = (long.shape()[0], short.shape()[0]);
    let length = n + 1 - m;
    let blocks = length / BLOCK.max(m);
    if blocks < 2 || m <= FEW {
        return sliding(long, short, WRITTEN_OUT);
    }
    // A block reads what it has a result for, and the beginning of the next one.
    let block = length.div_ceil(blocks);
    let long = layout::pad(long, &[0], &[(blocks + 1) * block - n], &[0]);
    let rows = layout::reshape(long, &[blocks + 1, block]);
    let own = layout::slice_axis(rows, 0, 0..blocks);
    let next = layout::slice_axis(rows, 0, 1..blocks + 1);
    let rows = layout::concat(&[own, layout::slice_axis(next, 1, 0..m - 1)], 1);
    // For a derivative the windows are read again, and not kept.
    let block_of = |row: &[Var]| vec![sliding(row[0], short, FEW)];
    let sums = map::map(&[rows], blocks, |row| checkpoint::checkpoint(row, block_of))[0];
    layout::slice_axis(layout::reshape(sums, &[blocks * block]), 0, 0..length)
}

/// The same for one block: each step of a loop adds several terms to a result while it is in a register. Up to so
/// many terms need no loop.
fn sliding(long: Var, short: Var, written_out: usize) -> Var {
    let (n, m) = (long.shape()[0], short.shape()[0]);
    let length = n + 1 - m;
    let (steps, before) = match m <= written_out {
        true => (0, m),
        false => (m / TERMS, m % TERMS),
    };
    let added = |mut sum: Option<Var>, long: Var, short: Var| {
        let m = short.shape()[0];
        for j in 0..m {
            let window = layout::slice_axis(long, 0, m - 1 - j..m - 1 - j + length);
            let term = window * layout::row(short, j);
            sum = Some(match sum {
                None => term,
                Some(sum) => sum + term,
            });
        }
        sum
    };
    let first = added(
        None,
        layout::slice_axis(long, 0, m - before..n),
        layout::slice_axis(short, 0, 0..before),
    );
    if steps == 0 {
        return first.expect("the shorter one has an element");
    }
    let sum = first.unwrap_or_else(|| Var::zeros(&long.ty().with_dims(&[length])));
    let rows = layout::slice_axis(short, 0, before..m);
    let rows = layout::reshape(rows, &[steps, TERMS]);
    let start = Var::scalar((m - before - TERMS) as i64);
    let step = |carry: &[Var], row: &[Var]| {
        let windows = dynamic::slice(long, &[carry[1]], &[length + TERMS - 1]);
        let sum = added(Some(carry[0]), windows, row[0]).expect("a sum");
        (vec![sum, carry[1] - TERMS as i64], vec![])
    };
    scan::scan(&[sum, start], &[rows], steps, false, step)[0]
}
