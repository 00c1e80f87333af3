//! Scans of an associative operation.

use std::panic::Location;

use wengert_ir::ir::Type;
use wengert_ir::ops::{layout, map as mapped, scan as loops};
use wengert_ir::trace::{Var, asked_at, concat, inside};

use super::start::settled;
use super::{Over, join_rows, next_carry, rebuild, split_rows};
use crate::tree::IntoTree;

/// The number of parts of a long scan that run side by side.
const PARTS: usize = 64;

/// Computes the running results of an associative operation along the first axis: element `i` is `combine(..
/// combine(combine(x0, x1), x2) .., xi)`. `combine` takes two single elements, the earlier one first, and
/// returns one of the same structure and types.
///
/// Because the operation is associative, a long scan is split into parts that run side by side, in vector lanes
/// and on all cores, with twice the operations of [`scan`](crate::scan). Sums of floats are associative except
/// for rounding.
///
/// # Errors
/// If `xs` contains no array, its leaves' first axes differ in length, or `combine` changes the structure or
/// types.
///
/// ```
/// use wengert::prelude::*;
///
/// // x[i] = a[i] · x[i - 1] + b[i], as a running composition of affine functions.
/// let f = jit(|(a, b): (Var, Var)| {
///     associative_scan((a, b), |(a1, b1), (a2, b2)| (a1 * a2, a2 * b1 + b2)).1
/// });
/// let x = f.call(([0.5, 0.5, 2.0], [1.0, 1.0, 1.0]))?;
/// assert_eq!(x.to_vec::<f64>()?, [1.0, 1.5, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn associative_scan<S, A>(xs: S, combine: impl Fn(S::Row, S::Row) -> A) -> S::Row
where
    S: Over,
    A: IntoTree<Tree = S::Row>,
{
    asked_at(Location::caller(), || {
        let (rows, def, n) = xs.rows("associative_scan");
        let types: Vec<Type> = rows.iter().map(|x| x.ty().row()).collect();
        let combine = |a: &[Var], b: &[Var]| {
            let both = inside(|| combine(rebuild(&def, a), rebuild(&def, b)).into_tree());
            next_carry("associative_scan", both, &types, &def)
        };
        // Elements have the types of the rows, so no carry is weak.
        let results = settled(&[], &|_| running(&rows, n, &combine));
        rebuild(&def, &results)
    })
}

type Combine<'a> = &'a dyn Fn(&[Var], &[Var]) -> Vec<Var>;

fn running(rows: &[Var], n: usize, combine: Combine<'_>) -> Vec<Var> {
    let length = n / PARTS;
    if length < 2 {
        return one_by_one(rows, n, combine);
    }
    let whole = length * PARTS;
    let part = |from: usize, to: usize| rows.iter().map(move |x| x.slice_axis(0, from..to));
    let parts: Vec<Var> = part(0, whole).map(|x| split_rows(x, length)).collect();
    let within = mapped::map(&parts, PARTS, |part| one_by_one(part, length, combine));
    let last = |x: &Var| x.slice_axis(1, length - 1..length).squeeze_axis(1);
    let ends = one_by_one(&within.iter().map(last).collect::<Vec<_>>(), PARTS, combine);
    // Combines the result of everything before a part with each of the part's elements.
    let before = ends.iter().map(|x| x.slice_axis(0, 0..PARTS - 1));
    let behind = within.iter().map(|x| x.slice_axis(0, 1..PARTS));
    let operands: Vec<Var> = before.chain(behind).collect();
    let behind = mapped::map(&operands, PARTS - 1, |x| {
        let (before, part) = x.split_at(rows.len());
        mapped::map(part, length, |x| combine(before, x))
    });
    let first = within.iter().map(|x| layout::row(*x, 0));
    let joined = first.zip(behind).map(|(a, b)| concat([a, join_rows(b)], 0));
    let joined: Vec<Var> = joined.collect();
    if whole == n {
        return joined;
    }
    let all: Vec<Var> = ends.iter().map(|x| layout::row(*x, PARTS - 1)).collect();
    let tail = go_on(
        &all,
        &part(whole, n).collect::<Vec<_>>(),
        n - whole,
        combine,
    );
    appended(&joined, &tail)
}

fn one_by_one(rows: &[Var], n: usize, combine: Combine<'_>) -> Vec<Var> {
    if n < 2 {
        return rows.to_vec();
    }
    let first: Vec<Var> = rows.iter().map(|x| layout::row(*x, 0)).collect();
    let others: Vec<Var> = rows.iter().map(|x| x.slice_axis(0, 1..n)).collect();
    let others = go_on(&first, &others, n - 1, combine);
    let first: Vec<Var> = rows.iter().map(|x| x.slice_axis(0, 0..1)).collect();
    appended(&first, &others)
}

/// Continues the running results over `n` rows, starting from `before`.
fn go_on(before: &[Var], rows: &[Var], n: usize, combine: Combine<'_>) -> Vec<Var> {
    let mut all = loops::scan(before, rows, n, false, |before, row| {
        let next = combine(before, row);
        (next.clone(), next)
    });
    all.split_off(before.len())
}

fn appended(a: &[Var], b: &[Var]) -> Vec<Var> {
    a.iter().zip(b).map(|(a, b)| concat([*a, *b], 0)).collect()
}
