//! Random choice of categories and rows.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::iota::iota;
use wengert_ir::ops::scan::scan;
use wengert_ir::trace::{Var, asked_at};

use super::Key;
use super::integers::everywhere;
use super::shape::{Draws, asked, parameter, refuse, several, sized};
use super::valid::{counts_where_valid, no_draw};

/// # Choosing
///
/// Indices are `i64`. Rows are chosen along the first axis, and a chosen row has the derivative of a gather.
impl Key {
    /// Draws category numbers, each with probability proportional to `e^logit`. The logits lie along the last
    /// axis, and `shape` says how many numbers are drawn. The largest logit plus Gumbel noise decides. A logit
    /// of -∞ has probability 0; infinite logits share all the probability equally. Where a logit is NaN or all
    /// are -∞ there is no category, and the result is `i64::MIN`.
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
            let logits = parameter("categorical", logits, &ty).stop_gradient();
            let most = logits.amax_axis(-1);
            let without = logits.lt(f64::INFINITY).select(f64::NEG_INFINITY, 0.0);
            let all = most.eq(f64::INFINITY).expand_dims(-1);
            // Beside large logits the noise would be rounded away.
            let large = most.is_finite().and(most.abs().gt(1e6));
            let shift = large.select(most, 0.0).expand_dims(-1);
            let logits = all.select(without, logits - shift);
            let found = (logits + self.extremes("categorical", &ty)).argmax_axis(-1);
            counts_where_valid(found, most.gt(f64::NEG_INFINITY), DType::I64)
        })
    }

    /// Draws rows of `x` uniformly with replacement: `shape` of them.
    ///
    /// # Errors
    /// If `x` has no row.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(x, key): (Var, Key)| {
    ///     let [a, b, c, d, e] = key.split_n();
    ///     let weights = Var::from([0.0, 1.0, 1.0]);
    ///     let with = (a.choice(x, [5]), b.choice_weighted(x, weights, [5]));
    ///     let without = (c.sample(x, 3), d.sample_weighted(x, weights, 2), e.shuffle(x));
    ///     (with, without)
    /// });
    /// let ((_, weighted), (all, two, shuffled)) = f.call(([1.0, 2.0, 3.0], Key::from_seed(0)))?;
    /// assert!(weighted.iter::<f64>()?.all(|x| x > 1.0));
    /// assert_eq!(all.iter::<f64>()?.sum::<f64>(), 6.0);
    /// assert_eq!(two.iter::<f64>()?.sum::<f64>(), 5.0);
    /// assert_eq!(shuffled.iter::<f64>()?.sum::<f64>(), 6.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn choice(self, x: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("choice", shape, &[DType::I64]);
            let n = enough("choice", x, 1);
            let last = everywhere(&ty, n as i128 - 1);
            x.take(self.integers("choice", Var::zeros(&ty), last), 0)
        })
    }

    /// Draws rows like [`Key::choice`], with probabilities proportional to `weights`, a vector of nonnegative
    /// floats. Infinite weights share all the probability, whatever the other weights and their sum. Where a
    /// weight is negative or NaN, or all are 0, there is no draw: floats are NaN, signed integers the smallest
    /// and unsigned ones the largest of their type, truth values `false`.
    ///
    /// # Errors
    /// If the number of weights differs from the number of rows.
    #[track_caller]
    pub fn choice_weighted(self, x: Var, weights: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let op = "choice_weighted";
            let ty = asked(op, shape, &[DType::I64]);
            let weights = weighted(op, x, weights);
            let valid = shares(weights).and(weights.amax().gt(0.0));
            let weights = summable(weights);
            let ends = weights.cumsum(0);
            let total = ends.at(-1);
            let u = self.units(op, &ty.with_dtype(DType::F64)) * total;
            // A draw past the last positive weight, possible by rounding, takes that one.
            let last = weights
                .gt(0.0)
                .select(arange(weights.shape()[0]), 0i64)
                .amax();
            let drawn = x.take(ends.searchsorted_right(u).minimum(last), 0);
            valid.select(drawn, no_draw(&drawn.ty()))
        })
    }

    /// Draws `k` different rows of `x`, all of them in all orders equally likely.
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

    /// Draws `k` different rows of `x`, one after the other, with probabilities proportional to the `weights`
    /// of the remaining rows: the largest logarithms of weights plus Gumbel noise decide. Rows with infinite
    /// weights come first. Where no row with a positive weight remains, or a weight is negative or NaN, there
    /// is no draw, as in [`Key::choice_weighted`].
    ///
    /// # Errors
    /// If the number of weights differs from the number of rows, or `x` has fewer than `k` rows.
    #[track_caller]
    pub fn sample_weighted(self, x: Var, weights: Var, k: usize) -> Var {
        asked_at(Location::caller(), || {
            let op = "sample_weighted";
            enough(op, x, k);
            let weights = weighted(op, x, weights);
            // Logarithms are between -746 and 710, and noise is between -4 and 45.
            let some = weights.gt(0.0);
            let logs = some.select(some.select(weights, 1.0).minimum(f64::MAX).ln(), -2000.0);
            let logs = weights.lt(f64::INFINITY).select(logs, 1000.0);
            let noisy = logs + self.extremes(op, &weights.ty());
            let (_, places) = noisy.top_k(k);
            let valid = shares(weights).and(weights.take(places, 0).gt(0.0));
            let drawn = x.take(places, 0);
            let behind: Vec<i64> = (1..drawn.ty().rank() as i64).collect();
            let valid = match behind.is_empty() {
                true => valid,
                false => valid.expand_dims(behind),
            };
            valid.select(drawn, no_draw(&drawn.ty()))
        })
    }

    /// Draws a uniformly random permutation of `0..n`, empty for `n = 0`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let order = jit(|key: Key| key.permutation(5)).call(Key::from_seed(0))?;
    /// let mut numbers = order.to_vec::<i64>()?;
    /// numbers.sort();
    /// assert_eq!(numbers, [0, 1, 2, 3, 4]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn permutation(self, n: usize) -> Var {
        let op = "permutation";
        asked_at(Location::caller(), || {
            sized(op, DType::I64, &[n]);
            arange(n).take(self.places(op, n, n), 0)
        })
    }

    /// Permutes the rows of `x` uniformly at random.
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

    /// Draws the first `k` places of a random permutation of `0..n`: each of the first `k` places is swapped
    /// with a random one that is not before it (Fisher and Yates, 1938).
    #[track_caller]
    fn places(self, op: &str, n: usize, k: usize) -> Var {
        let firsts = arange(k);
        if k == 0 {
            self.consumed(op);
            return firsts;
        }
        let last = everywhere(&firsts.ty(), n as i128 - 1);
        let others = self.integers(op, firsts, last);
        let out = scan(&[arange(n)], &[firsts, others], k, false, |x, at| {
            let (x, i, j) = (x[0], at[0], at[1]);
            let (a, b) = (x.at(i), x.at(j));
            (vec![x.at_set(i, b).at_set(j, a)], vec![])
        });
        out[0].slice(..k)
    }
}

/// Returns `0..n`.
#[track_caller]
fn arange(n: usize) -> Var {
    iota(Type::new(DType::I64, &[n]), 0)
}

/// Returns the number of rows to choose from, of which there must be at least `k`.
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

/// Returns whether all weights are nonnegative numbers.
#[track_caller]
fn shares(weights: Var) -> Var {
    weights.ge(0.0).all()
}

/// Scales weights so that their sum is finite: where some are infinite, only those count.
#[track_caller]
fn summable(weights: Var) -> Var {
    let most = weights.amax();
    let infinite = weights.lt(f64::INFINITY).select(0.0, 1.0);
    let weights = most.lt(f64::INFINITY).select(weights, infinite);
    // Powers of two, which change no bit of a proportion that matters.
    let (down, up) = (2f64.powi(-100), 2f64.powi(500));
    let large = most.gt(2f64.powi(900)).select(down, 1.0);
    let small = most.lt(2f64.powi(-500)).select(up, 1.0);
    weights * most.lt(f64::INFINITY).select(large * small, 1.0)
}

/// Checks the weights of rows and converts them to `f64`.
#[track_caller]
fn weighted(op: &str, x: Var, weights: Var) -> Var {
    let n = enough(op, x, 1);
    let ty = weights.ty();
    if !ty.is_float() || ty.dims() != [n] {
        let message = format!(
            "weights of type {ty} for the {} of {}",
            wengert_ir::error::counted(n, "row", "rows"),
            x.ty()
        );
        refuse(op, &[x.ty(), ty], message, None);
    }
    weights.to(DType::F64).stop_gradient()
}
