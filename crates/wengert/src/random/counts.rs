//! Distributions of counts.

use std::f64::consts::PI;
use std::panic::Location;

use wengert_ir::elementary::chacha::Stream;
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::random::random_bits;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::each::{attempts, each};
use super::shape::{Draws, asked, parameter, whole};
use super::stirling::{correction, excess};
use super::uniform::{counted, opened};
use super::valid::counts_where_valid;

const COUNTS: &[DType] = &[DType::I64, DType::I32];

/// # Counts
///
/// Counts are `i64`, or `i32` on request. Parameters broadcast to the shape. They have no derivative.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| {
///     let [a, b, c] = key.split_n();
///     [a.poisson(3.0, [10_000]), b.binomial(10, 0.3, [10_000]), c.geometric(0.25, [10_000])]
///         .map(|counts| counts.to(DType::F64).mean())
/// });
/// let means = f.call(Key::from_seed(0))?;
/// assert!((means[0].item::<f64>()? - 3.0).abs() < 0.1);
/// assert!((means[1].item::<f64>()? - 3.0).abs() < 0.1);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Key {
    /// Draws from the Poisson distribution with mean `rate`: the number of events in a period.
    ///
    /// Up to a rate of 9e18 any integer can occur, with a probability accurate to 10^-12, or to 2^-50 standard
    /// deviations where that is more; above, counts are rounded to floats. A count that exceeds its type
    /// saturates, as all counts of a rate of 1e20 do. A rate that is negative, infinite or NaN gives the
    /// smallest number of the type, which is no count.
    ///
    /// # Errors
    /// If `rate` does not broadcast to the shape.
    #[track_caller]
    pub fn poisson(self, rate: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let asked = asked("poisson", shape, COUNTS);
            let ty = asked.with_dtype(DType::F64);
            let rate = parameter("poisson", rate, &ty).stop_gradient();
            let valid = rate.ge(0.0).and(rate.is_finite());
            let (words, n) = (self.consumed("poisson"), ty.size());
            let counts = each(n, &[rate.flatten(), valid.flatten()], |i, x| {
                let (rate, valid) = (x[0], x[1]);
                let small = rate.lt(SMALL);
                let few = poisson_few(words, i, small.and(valid).select(rate, 0.0));
                let many = rate.maximum(SMALL).minimum(FULL);
                let many = poisson_many(words, i, n, many, small.or(!valid));
                small.select(few.to(DType::I64), many)
            });
            counts_where_valid(counts.reshape(ty.dims()), valid, asked.dtype)
        })
    }

    /// Draws from the binomial distribution: the number of successes in `n` trials, each with probability `p`.
    ///
    /// Any integer in `0..=n` can occur, for `n` up to `i64::MAX`, with a probability accurate to 10^-12, or to
    /// 2^-50 standard deviations where that is more, for the product `n p` as rounded to a float. An `n` that
    /// is negative, or a `p` outside `0..=1` or NaN, gives the smallest number of the type, which is no count.
    ///
    /// # Errors
    /// If a parameter does not broadcast to the shape.
    #[track_caller]
    pub fn binomial(self, n: impl IntoVar, p: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let asked = asked("binomial", shape, COUNTS);
            let ty = asked.with_dtype(DType::F64);
            let tries = whole("binomial", n.argument(), &ty);
            let p = parameter("binomial", p, &ty).stop_gradient();
            let valid = tries.ge(0).and(p.ge(0.0)).and(p.le(1.0));
            let (words, n) = (self.consumed("binomial"), ty.size());
            let rows = [tries.flatten(), p.flatten(), valid.flatten()];
            let counts = each(n, &rows, |i, x| {
                let (tries, valid) = (valid_or(x[0], x[2], 0), x[2]);
                // Counts failures where they are rarer.
                let often = x[1].gt(0.5);
                let p = valid_or(often.select(1.0 - x[1], x[1]), valid, 0.0);
                let all = tries.to(DType::F64);
                let small = (all * p).lt(SMALL);
                let few = binomial_few(words, i, small.select(all, 0.0), p);
                let many = binomial_many(words, i, n, all, p, small);
                let count = small.select(few.to(DType::I64), many).minimum(tries);
                often.select(tries - count, count)
            });
            counts_where_valid(counts.reshape(ty.dims()), valid, asked.dtype)
        })
    }

    /// Draws from the geometric distribution: the number of the first successful trial, at least 1, each with
    /// probability `p`. From 2^53 on it is rounded to a float, and a number that exceeds its type saturates. If
    /// `p` is outside `0..=1`, NaN or 0, for which no trial ever succeeds, the result is the smallest number of
    /// the type, which is no count.
    ///
    /// # Errors
    /// If `p` does not broadcast to the shape.
    #[track_caller]
    pub fn geometric(self, p: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let asked = asked("geometric", shape, COUNTS);
            let ty = asked.with_dtype(DType::F64);
            let p = parameter("geometric", p, &ty).stop_gradient();
            let valid = p.gt(0.0).and(p.le(1.0));
            let failures = self.probabilities("geometric", &ty).ln() / (-p).log1p();
            let counts = (failures.floor() + 1.0).to(DType::I64);
            counts_where_valid(counts, valid, asked.dtype)
        })
    }
}

/// The mean from which counts are drawn by rejection.
const SMALL: f64 = 10.0;

/// The rate from which no count fits in an `i64`.
const FULL: f64 = 1e20;

/// The largest mean around which all plausible counts fit in an `i64`.
const EXACT: f64 = 9.0e18;

/// Returns `x` where parameters are valid, and `other` elsewhere.
#[track_caller]
fn valid_or(x: Var, valid: Var, other: impl IntoVar) -> Var {
    valid.select(x, other)
}

/// Draws a number in `0..1` for an element, from its own block.
fn unit(words: Var, i: Var) -> Var {
    let bits = random_bits(words, i, Stream::Draws, Type::scalar(DType::U64));
    counted(bits, 53) * 2f64.powi(-53)
}

/// Inverts a cumulative distribution by linear search from 0: `u` is the probability to reach.
fn climb(u: Var, p0: Var, ratio: impl FnOnce(Var) -> Var) -> Var {
    let out = while_loop(
        &[Var::scalar(0.0), p0, p0],
        // Also stops where the probabilities have become too small to count.
        |x| u.ge(x[2]).and(x[1].gt(1e-18)),
        |x| {
            let k = x[0] + 1.0;
            let p = x[1] * ratio(k);
            vec![k, p, x[2] + p]
        },
    );
    out[0]
}

fn poisson_few(words: Var, i: Var, rate: Var) -> Var {
    climb(unit(words, i), (-rate).exp(), |k| rate / k)
}

/// Implements PTRS: Hörmann, The transformed rejection method for generating Poisson random variables, 1993.
///
/// A count is represented as an integer offset from the floor of the rate, so that it is exact however large
/// the rate is.
fn poisson_many(words: Var, i: Var, n: usize, rate: Var, skip: Var) -> Var {
    let b = rate.sqrt().mul_add(2.53, 0.931);
    let a = b.mul_add(0.02483, -0.059);
    let inverse = 1.1239 + 1.1328 / (b - 3.4);
    let inside = 0.9277 - 3.6224 / (b - 2.0);
    let middle = rate.floor();
    let above = rate - middle;
    let log_scale = 0.5 * (2.0 * PI * rate).ln();
    let found = attempts(words, i, n, 2, &[Var::scalar(0.0)], |bits| {
        let (u, v) = (opened(bits[0]) - 0.5, opened(bits[1]));
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b).mul_add(u, above) + 0.43).floor();
        let quick = us.ge(0.07).and(v.le(inside));
        let bad = (middle + k).lt(0.0).or(us.lt(0.013).and(v.gt(us)));
        let ratio = v.ln() + inverse.ln() - (a / (us * us) + b).ln();
        // The count plus 1, and its relative distance from the rate.
        let near = k.maximum(-middle);
        let (y, t) = (middle + near + 1.0, (near + (1.0 - above)) / rate);
        let log_p = 0.5 * t.log1p() - rate * excess(t) - log_scale - correction(y);
        let fine = ratio.le(log_p);
        (skip.or(quick).or((!bad).and(fine)), vec![k])
    });
    beside(middle, found[0])
}

/// Adds an offset to a float that is an integer, as `i64`.
fn beside(middle: Var, k: Var) -> Var {
    let exact = middle.to(DType::I64) + k.to(DType::I64);
    middle.lt(EXACT).select(exact, (middle + k).to(DType::I64))
}

fn binomial_few(words: Var, i: Var, tries: Var, p: Var) -> Var {
    let odds = p / (1.0 - p);
    let none = (tries * (-p).log1p()).exp();
    climb(unit(words, i), none, |k| (tries - k + 1.0) / k * odds).minimum(tries)
}

/// Implements BTRS for `p <= 1/2`: Hörmann, The generation of binomial random variates, 1993.
fn binomial_many(words: Var, i: Var, n: usize, tries: Var, p: Var, skip: Var) -> Var {
    let (q, mean) = (1.0 - p, tries * p);
    let deviation = (mean * q).sqrt();
    let b = deviation.mul_add(2.53, 1.15);
    let a = b.mul_add(0.0248, p.mul_add(0.01, -0.0873));
    let inside = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let mode = ((tries + 1.0) * p).floor();
    let above = mean - mode;
    // One more than the most likely numbers of successes and of failures.
    let (hits, misses) = (mode + 1.0, tries - mode + 1.0);
    let most = correction(hits) + correction(misses);
    let lean = ((above + (p - q)) / (hits * q)).log1p();
    let found = attempts(words, i, n, 2, &[Var::scalar(0.0)], |bits| {
        let (u, v) = (opened(bits[0]) - 0.5, opened(bits[1]));
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b).mul_add(u, above) + 0.5).floor();
        let quick = us.ge(0.07).and(v.le(inside));
        let bad = (mode + k).lt(0.0).or((mode + k).gt(tries));
        let ratio = (v * alpha / (a / (us * us) + b)).ln();
        let near = k.maximum(-mode).minimum(tries - mode);
        let (s, t) = (near / hits, -near / misses);
        let spread = hits * excess(s) + misses * excess(t);
        let log_p = 0.5 * (s.log1p() + t.log1p()) - spread
            + near * lean
            + (most - correction(hits + near) - correction(misses - near));
        let fine = ratio.le(log_p);
        (skip.or((!bad).and(quick.or(fine))), vec![near])
    });
    beside(mode, found[0])
}
