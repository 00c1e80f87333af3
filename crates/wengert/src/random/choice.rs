//! Choosing from what is there.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::iota::iota;
use wengert_ir::ops::scan::scan;
use wengert_ir::trace::{Var, asked_at};

use super::Key;
use super::shape::{Draws, asked, parameter, refuse, several, sized};

/// # Choosing
///
/// Places are `i64`. Elements are chosen along the first axis, and what is chosen has the derivative of
/// reading it.
impl Key {
    /// The number of a category, each with a probability in proportion to `e^logit`: logits along the last
    /// axis, as many numbers as `shape` says. By the largest of the logits with Gumbel noise.
    ///
    /// # Errors
    /// If `logits` is a scalar, or has no category, or its other axes do not broadcast to the shape.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(p, key): (Var, Key)| key.categorical(p.ln(), [1000]).eq(2).to(DType::F64).mean());
    /// let share = f.call(([0.2, 0.3, 0.5], Key::from_seed(0)))?;
    /// assert!((share.item::<f64>()? - 0.5).abs() < 0.05);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn categorical(self, logits: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("categorical", shape, &[DType::I64]);
            let Some(&n) = logits.shape().last() else {
                let message = "one logit, and not a vector of them".into();
                refuse("categorical", &[logits.ty()], message, None);
            };
            if n == 0 {
                let message = "there is nothing to choose from".into();
                refuse("categorical", &[logits.ty()], message, None);
            }
            let ty = several("categorical", &ty.with_dtype(DType::F64), &[n]);
            let logits = parameter("categorical", logits, &ty);
            (logits + self.extremes("categorical", &ty)).argmax_axis(-1)
        })
    }

    /// Rows of `x`, any of them at any time: `shape` of them.
    ///
    /// # Errors
    /// If `x` has no row.
    #[track_caller]
    pub fn choice(self, x: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("choice", shape, &[DType::I64]);
            let n = enough("choice", x, 1);
            let (low, high) = (Var::zeros(&ty), Var::full(&ty, n as f64));
            x.take(self.integers("choice", low, high), 0)
        })
    }

    /// The same with probabilities in proportion to `weights`, a vector of floats that are not negative.
    ///
    /// # Errors
    /// If there is not one weight for each row.
    #[track_caller]
    pub fn choice_weighted(self, x: Var, weights: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let op = "choice_weighted";
            let ty = asked(op, shape, &[DType::I64]);
            let weights = weighted(op, x, weights);
            let ends = weights.cumsum(0);
            let total = ends.at(-1);
            let u = self.units(op, &ty.with_dtype(DType::F64)) * total;
            // Behind the last weight lies nothing, whatever has been rounded.
            let last = weights
                .gt(0.0)
                .select(arange(weights.shape()[0]), 0i64)
                .amax();
            x.take(ends.searchsorted_right(u).minimum(last), 0)
        })
    }

    /// `k` different rows of `x`, in any order alike.
    ///
    /// # Errors
    /// If `x` has fewer.
    #[track_caller]
    pub fn sample(self, x: Var, k: usize) -> Var {
        asked_at(Location::caller(), || {
            let n = enough("sample", x, k);
            x.take(self.places("sample", n, k), 0)
        })
    }

    /// `k` different rows of `x`, one after the other with probabilities in proportion to the `weights` of
    /// those that are left: by the largest of their logarithms with Gumbel noise.
    ///
    /// # Errors
    /// If there is not one weight for each row, or `x` has fewer than `k` rows.
    #[track_caller]
    pub fn sample_weighted(self, x: Var, weights: Var, k: usize) -> Var {
        asked_at(Location::caller(), || {
            let op = "sample_weighted";
            enough(op, x, k);
            let weights = weighted(op, x, weights);
            let noisy = weights.ln() + self.extremes(op, &weights.ty());
            x.take(noisy.top_k(k).1, 0)
        })
    }

    /// The numbers `0..n` in any order alike.
    #[track_caller]
    pub fn permutation(self, n: usize) -> Var {
        let op = "permutation";
        asked_at(Location::caller(), || {
            sized(op, DType::I64, &[n]);
            self.places(op, n, n)
        })
    }

    /// The rows of `x` in any order alike.
    ///
    /// # Errors
    /// If `x` is a scalar.
    #[track_caller]
    pub fn shuffle(self, x: Var) -> Var {
        asked_at(Location::caller(), || {
            let n = enough("shuffle", x, 0);
            x.take(self.places("shuffle", n, n), 0)
        })
    }

    /// The first `k` of `0..n` in any order alike: each of the first places is exchanged with one that is
    /// not before it (Fisher and Yates, 1938).
    #[track_caller]
    fn places(self, op: &str, n: usize, k: usize) -> Var {
        let firsts = arange(k);
        let ends = Var::full(&firsts.ty(), n as f64);
        let others = self.integers(op, firsts, ends);
        let out = scan(&[arange(n)], &[firsts, others], k, false, |x, at| {
            let (x, i, j) = (x[0], at[0], at[1]);
            let (a, b) = (x.at(i), x.at(j));
            (vec![x.at_set(i, b).at_set(j, a)], vec![])
        });
        out[0].slice(..k)
    }
}

/// `0..n`.
#[track_caller]
fn arange(n: usize) -> Var {
    iota(Type::new(DType::I64, &[n]), 0)
}

/// How many rows there are to choose from, of which there must be `k`.
#[track_caller]
fn enough(op: &str, x: Var, k: usize) -> usize {
    let ty = x.ty();
    match ty.dims().first() {
        Some(&n) if n >= k => n,
        Some(n) => refuse(
            op,
            std::slice::from_ref(&ty),
            format!("{k} of the rows of {ty}, which has {n}"),
            None,
        ),
        None => refuse(
            op,
            std::slice::from_ref(&ty),
            format!("{ty} has no rows"),
            None,
        ),
    }
}

/// The weights of rows, as `f64`.
#[track_caller]
fn weighted(op: &str, x: Var, weights: Var) -> Var {
    let n = enough(op, x, 1);
    let ty = weights.ty();
    if !ty.is_float() || ty.dims() != [n] {
        let message = format!("weights of type {ty} for the {n} rows of {}", x.ty());
        refuse(op, &[x.ty(), ty], message, None);
    }
    weights.to(DType::F64)
}
