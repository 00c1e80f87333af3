//! Whole numbers.

use std::panic::Location;

use wengert_ir::elementary::chacha::Stream;
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::random::random_bits;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::{Argument, IntoVar, Var, asked_at};

use super::Key;
use super::each::{attempts, each};
use super::shape::{Draws, asked, parameter, refuse, whole};
use super::uniform::{counted, opened};

const COUNTS: &[DType] = &[DType::I64];

/// # Whole numbers
///
/// `i64`. Parameters broadcast to the shape. Derivative: none.
impl Key {
    /// Whole numbers in `low..high`, without `high`, each exactly as likely as any other; `low` where
    /// nothing lies between.
    ///
    /// # Errors
    /// If the parameters are not integers, or known numbers with nothing between.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let dice = jit(|key: Key| key.randint(1, 7, [100]));
    /// let thrown = dice.call(Key::from_seed(0))?.to_vec::<i64>()?;
    /// assert!(thrown.iter().all(|n| (1..7).contains(n)));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn randint(self, low: impl IntoVar, high: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("randint", shape, COUNTS);
            let (low, high) = (low.argument(), high.argument());
            if let (Argument::Int(a), Argument::Int(b)) = (low, high)
                && a >= b
            {
                refuse("randint", &[], format!("no whole number in {a}..{b}"), None);
            }
            let (low, high) = (whole("randint", low, &ty), whole("randint", high, &ty));
            self.integers("randint", low, high)
        })
    }

    /// Whole numbers between two of the same shape: Lemire, Fast random integer generation in an interval,
    /// 2019.
    #[track_caller]
    pub(super) fn integers(self, op: &str, low: Var, high: Var) -> Var {
        let words = self.consumed(op);
        let (dims, n) = (low.shape(), low.ty().size());
        let span = low
            .lt(high)
            .select(high - low, 1i64)
            .to(DType::U64)
            .flatten();
        let ty = Type::new(DType::U64, &[n]);
        let first = random_bits(words, Var::scalar(0u64), Stream::Draws, ty);
        // One draw in 2^64 / span is not taken: of what is left over, some numbers would have more.
        let known = span.as_literal().map(|l| l.bits);
        let places = match known.is_some_and(u64::is_power_of_two) {
            true => product(first, span).0,
            false => {
                // The first attempt of all takes the first blocks.
                let blocks = n.div_ceil(8) as u64;
                each(n, &[first, span], |i, x| {
                    unbiased(words, i, blocks, n, x[0], x[1])
                })
            }
        };
        low + places.reshape(dims).to(DType::I64)
    }

    /// The Poisson distribution with mean `rate`: how many events fall into a time. From `f64`'s largest
    /// whole numbers on, they are no longer exact.
    ///
    /// # Errors
    /// If `rate` does not broadcast to the shape.
    #[track_caller]
    pub fn poisson(self, rate: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("poisson", shape, COUNTS).with_dtype(DType::F64);
            let rate = parameter("poisson", rate, &ty).stop_gradient();
            let (words, n) = (self.consumed("poisson"), ty.size());
            let counts = each(n, &[rate.flatten()], |i, x| {
                let small = x[0].lt(SMALL);
                let few = poisson_few(words, i, small.select(x[0], 0.0));
                let many = poisson_many(
                    words,
                    i,
                    n,
                    x[0].maximum(SMALL),
                    small.or(!x[0].is_finite()),
                );
                small.select(few, many)
            });
            counts.to(DType::I64).reshape(ty.dims())
        })
    }

    /// The binomial distribution: how many of `n` tries succeed, each with probability `p`.
    ///
    /// # Errors
    /// If a parameter does not broadcast to the shape.
    #[track_caller]
    pub fn binomial(self, n: impl IntoVar, p: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("binomial", shape, COUNTS);
            let tries = whole("binomial", n.argument(), &ty).to(DType::F64);
            let ty = ty.with_dtype(DType::F64);
            let p = parameter("binomial", p, &ty).stop_gradient();
            let (words, n) = (self.consumed("binomial"), ty.size());
            let counts = each(n, &[tries.flatten(), p.flatten()], |i, x| {
                // Failures are counted where they are rarer.
                let (tries, often) = (x[0].maximum(0.0), x[1].gt(0.5));
                let p = often.select(1.0 - x[1], x[1]);
                let small = (tries * p).lt(SMALL).or(!p.ge(0.0));
                let few = binomial_few(words, i, small.select(tries, 0.0), p);
                let many = binomial_many(words, i, n, tries, p, small);
                let count = small.select(few, many);
                often.select(tries - count, count)
            });
            counts.to(DType::I64).reshape(ty.dims())
        })
    }

    /// The geometric distribution: the number of the first try that succeeds, at least 1, each with
    /// probability `p`.
    ///
    /// # Errors
    /// If `p` does not broadcast to the shape.
    #[track_caller]
    pub fn geometric(self, p: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("geometric", shape, COUNTS).with_dtype(DType::F64);
            let p = parameter("geometric", p, &ty);
            let failures = self.probabilities("geometric", &ty).ln() / (-p).log1p();
            (failures.floor() + 1.0).to(DType::I64)
        })
    }
}

/// Means from which on counts are drawn by rejection.
const SMALL: f64 = 10.0;

/// The product of two `u64`s, as its upper and its lower half.
fn product(x: Var, y: Var) -> (Var, Var) {
    let half = |x: Var| (x & 0xffff_ffffu32, x >> 32);
    let ((x0, x1), (y0, y1)) = (half(x), half(y));
    let low = x0 * y0;
    let middle = x1 * y0 + (low >> 32);
    let other = x0 * y1 + (middle & 0xffff_ffffu32);
    (x1 * y1 + (middle >> 32) + (other >> 32), x * y)
}

fn unbiased(words: Var, i: Var, blocks: u64, n: usize, first: Var, span: Var) -> Var {
    let (place, rest) = product(first, span);
    // Most draws need not ask how many are left over.
    let out = while_loop(
        &[i + Var::scalar(blocks), place, rest, rest.ge(span)],
        |x| !x[3],
        |x| {
            let left = (!span + Var::scalar(1u64)) % span;
            let bits = random_bits(words, x[0], Stream::Draws, Type::scalar(DType::U64));
            let (place, rest) = product(bits, span);
            let taken = x[2].ge(left);
            vec![
                x[0] + Var::scalar(n as u64),
                taken.select(x[1], place),
                taken.select(x[2], rest),
                taken,
            ]
        },
    );
    out[1]
}

/// One number in `0..1` for an element, from its own block.
fn unit(words: Var, i: Var) -> Var {
    let bits = random_bits(words, i, Stream::Draws, Type::scalar(DType::U64));
    counted(bits, 53) * 2f64.powi(-53)
}

/// Counts up while the probability of as many or fewer is below a number.
fn climb(u: Var, p0: Var, ratio: impl FnOnce(Var) -> Var) -> Var {
    let out = while_loop(
        &[Var::scalar(0.0), p0, p0],
        // Where the probabilities have become too small to count, it ends as well.
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

/// Hörmann, The transformed rejection method for generating Poisson random variables, 1993 (PTRS).
fn poisson_many(words: Var, i: Var, n: usize, rate: Var, skip: Var) -> Var {
    let b = rate.sqrt().mul_add(2.53, 0.931);
    let a = b.mul_add(0.02483, -0.059);
    let inverse = 1.1239 + 1.1328 / (b - 3.4);
    let inside = 0.9277 - 3.6224 / (b - 2.0);
    let log_rate = rate.ln();
    let found = attempts(words, i, n, 2, &[Var::scalar(0.0)], |bits| {
        let (u, v) = (opened(bits[0]) - 0.5, opened(bits[1]));
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b).mul_add(u, rate) + 0.43).floor();
        let quick = us.ge(0.07).and(v.le(inside));
        let bad = k.lt(0.0).or(us.lt(0.013).and(v.gt(us)));
        let ratio = v.ln() + inverse.ln() - (a / (us * us) + b).ln();
        let fine = ratio.le(k.mul_add(log_rate, -rate) - (k.maximum(0.0) + 1.0).lgamma());
        (skip.or(quick).or((!bad).and(fine)), vec![k])
    });
    found[0]
}

fn binomial_few(words: Var, i: Var, tries: Var, p: Var) -> Var {
    let odds = p / (1.0 - p);
    let none = (tries * (-p).log1p()).exp();
    climb(unit(words, i), none, |k| (tries - k + 1.0) / k * odds).minimum(tries)
}

/// Hörmann, The generation of binomial random variates, 1993 (BTRS).
fn binomial_many(words: Var, i: Var, n: usize, tries: Var, p: Var, skip: Var) -> Var {
    let (q, mean) = (1.0 - p, tries * p);
    let deviation = (mean * q).sqrt();
    let b = deviation.mul_add(2.53, 1.15);
    let a = b.mul_add(0.0248, p.mul_add(0.01, -0.0873));
    let inside = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let mode = ((tries + 1.0) * p).floor();
    let log_odds = (p / q).ln();
    let ways = |k: Var| (k + 1.0).lgamma() + (tries - k + 1.0).lgamma();
    let most = ways(mode);
    let found = attempts(words, i, n, 2, &[Var::scalar(0.0)], |bits| {
        let (u, v) = (opened(bits[0]) - 0.5, opened(bits[1]));
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b).mul_add(u, mean) + 0.5).floor();
        let quick = us.ge(0.07).and(v.le(inside));
        let bad = k.lt(0.0).or(k.gt(tries));
        let ratio = (v * alpha / (a / (us * us) + b)).ln();
        let near = k.clamp(0.0, tries);
        let fine = ratio.le((near - mode).mul_add(log_odds, most - ways(near)));
        (skip.or((!bad).and(quick.or(fine))), vec![near])
    });
    found[0]
}
