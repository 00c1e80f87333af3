//! Draws that need a loop: one per element, each with its own attempts.

use wengert_ir::elementary::chacha::Stream;
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::iota::iota;
use wengert_ir::ops::map::map;
use wengert_ir::ops::random::random_bits;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::Var;

/// Applies `f` to each of `n` elements: to its index, a `u64`, and its row of the parameters.
pub(super) fn each(n: usize, params: &[Var], f: impl FnOnce(Var, &[Var]) -> Var) -> Var {
    each_of(n, params, |i, x| vec![f(i, x)])[0]
}

/// Does what [`each`] does, for several results.
pub(super) fn each_of(
    n: usize,
    params: &[Var],
    f: impl FnOnce(Var, &[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let numbers = iota(Type::new(DType::U64, &[n]), 0);
    let rows = [&[numbers], params].concat();
    map(&rows, n, |row| f(row[0], &row[1..]))
}

/// Repeats an attempt until one is accepted. `attempt` takes random bits (a fixed number of `u64`s) and returns
/// whether it accepts, and values; those of the last attempt are returned.
///
/// Attempt `t` of element `i` of `n` uses block `i + n t` of the draws, so an element depends only on its
/// index.
pub(super) fn attempts(
    words: Var,
    i: Var,
    n: usize,
    bits: usize,
    start: &[Var],
    attempt: impl FnOnce(&[Var]) -> (Var, Vec<Var>),
) -> Vec<Var> {
    let init = [&[i, Var::scalar(false)], start].concat();
    let out = while_loop(
        &init,
        |x| !x[1],
        |x| {
            let drawn = random_bits(words, x[0], Stream::Draws, Type::new(DType::U64, &[bits]));
            let drawn: Vec<Var> = (0..bits).map(|k| drawn.at(k)).collect();
            let (taken, values) = attempt(&drawn);
            let mut next = vec![x[0] + Var::scalar(n as u64), taken];
            next.extend(values);
            next
        },
    );
    out[2..].to_vec()
}
