//! Scans of an associative operation.

use std::panic::Location;

use wengert_ir::ir::{Atom, Type};
use wengert_ir::ops::work::PLAIN;
use wengert_ir::ops::{layout, map as mapped, scan as loops};
use wengert_ir::trace::{Kind, Var, asked_at, closed, concat, inside};

use super::start::settled;
use super::{Over, join_rows, next_carry, rebuild, split_rows};
use crate::tree::IntoTree;

/// The length up to which a scan is not split.
const SHORT: usize = 128;
/// The number of parts that are lanes of a task.
const LANES: usize = 64;
/// The number of parts that are tasks. Of fewer than a block of lanes, each is one.
const FEW: usize = 7;
/// The length from which parts are worth a task each.
const LONG: usize = 4096;
/// The number of values that stay in a near cache.
const NEAR: usize = 65_536;
/// The number of values that a loop of parts in turns carries in registers.
const TURNS: usize = 8;
/// The work for each value of an element from which lanes pay, although they read elements in strides.
const HEAVY: u64 = 16 * PLAIN;
/// How many operations there may be to one that waits for another, for parts in turns to pay: a processor
/// computes about twice as many meanwhile, and those of a scan in turns are twice as many.
const LATENCY: u64 = 4;

/// Computes the running results of an associative operation along the first axis: element `i` is `combine(..
/// combine(combine(x0, x1), x2) .., xi)`. `combine` takes two single elements, the earlier one first, and
/// returns one of the same structure and types.
///
/// Because the operation is associative, a long scan is split into parts, with up to twice the operations of
/// [`scan`](crate::scan). If a combination is little work, the parts take turns in one loop, so that none waits
/// for its own last result; otherwise they run side by side, in tasks or in vector lanes, where that pays. The
/// order in which elements are combined is not specified: it depends on their number and on `combine`, but not
/// on the machine. Sums of floats are associative except for rounding, so their last digits may differ from
/// those of `scan`.
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

/// How a long scan is split.
enum Split {
    /// Not at all.
    Nowhere,
    /// Into parts that take turns in one loop, so that none waits for its own last result.
    Turns(usize),
    /// Into parts that run side by side.
    Parts(usize),
}

/// Chooses how to split a scan of `n` elements by the work of a combination.
fn split(rows: &[Var], n: usize, combine: Combine<'_>) -> Split {
    let types: Vec<Type> = rows.iter().map(|x| x.ty().row()).collect();
    let values: usize = types.iter().map(Type::size).sum();
    let Some((work, depth)) = work(&types, combine) else {
        return Split::Parts(LANES);
    };
    if work > HEAVY * values as u64 {
        // Elementary functions, say: worth reading elements in strides.
        Split::Parts(LANES)
    } else if work <= LATENCY * depth {
        Split::Turns((TURNS / values.max(1)).max(2))
    } else if n >= LONG && n * values <= NEAR {
        // Tasks, if what they pass on stays in a near cache.
        Split::Parts(FEW)
    } else {
        Split::Nowhere
    }
}

/// Returns the work of a combination, and that of its longest chain of operations that wait for one another.
/// `None` if it is not elementwise.
fn work(types: &[Type], combine: Combine<'_>) -> Option<(u64, u64)> {
    let both = [types, types].concat();
    let body = closed(Kind::Plain, &both, |x| {
        let (a, b) = x.split_at(types.len());
        combine(a, b)
    });
    let f = &body.func;
    let mut depths = vec![0; f.arity()];
    let mut sum = 0;
    for eqn in &f.eqns {
        let operands: Vec<Type> = eqn.inputs.iter().map(|&a| f.type_of(a).clone()).collect();
        let work = eqn.op.element_work(&operands)?;
        let before = eqn.inputs.iter().map(|a| match a {
            Atom::Var(v) => depths[*v as usize],
            Atom::Lit(_) => 0,
        });
        let depth = work + before.max().unwrap_or(0);
        for v in eqn.outputs.clone() {
            sum += work * f.types[v as usize].size() as u64;
            depths.push(depth);
        }
    }
    Some((sum, depths.into_iter().max().unwrap_or(0)))
}

fn running(rows: &[Var], n: usize, combine: Combine<'_>) -> Vec<Var> {
    if n < SHORT {
        return one_by_one(rows, n, combine);
    }
    match split(rows, n, combine) {
        Split::Nowhere => one_by_one(rows, n, combine),
        Split::Turns(parts) => in_turns(rows, n, parts, combine),
        Split::Parts(parts) if n < 2 * parts || parts < 2 => one_by_one(rows, n, combine),
        Split::Parts(parts) => in_parts(rows, n, parts, combine),
    }
}

/// One loop computes the results of whole parts, and another the running results of all parts, each from that of
/// everything before it.
fn in_turns(rows: &[Var], n: usize, parts: usize, combine: Combine<'_>) -> Vec<Var> {
    let k = rows.len();
    let length = (n - 1) / parts;
    let start = n - parts * length;
    let slices = |from: usize, to: usize| -> Vec<Var> {
        rows.iter().map(|x| x.slice_axis(0, from..to)).collect()
    };
    let head = one_by_one(&slices(0, start), start, combine);
    let part = |p: usize, skip: usize| {
        let at = start + p * length;
        slices(at + skip, at + length)
    };
    let each = |a: &[Var], b: &[Var]| -> Vec<Var> {
        let pairs = a.chunks(k).zip(b.chunks(k));
        pairs.flat_map(|(a, b)| combine(a, b)).collect()
    };
    let firsts: Vec<Var> = (0..parts - 1)
        .flat_map(|p| slices(start + p * length, start + p * length + 1))
        .map(|x| x.squeeze_axis(0))
        .collect();
    let others: Vec<Var> = (0..parts - 1).flat_map(|p| part(p, 1)).collect();
    let wholes = loops::scan(&firsts, &others, length - 1, false, |whole, row| {
        (each(whole, row), vec![])
    });
    let mut before: Vec<Var> = head.iter().map(|x| layout::row(*x, start - 1)).collect();
    for whole in wholes.chunks(k) {
        let next = combine(&before[before.len() - k..], whole);
        before.extend(next);
    }
    let all: Vec<Var> = (0..parts).flat_map(|p| part(p, 0)).collect();
    let results = loops::scan(&before, &all, length, false, |before, row| {
        let next = each(before, row);
        (next.clone(), next)
    });
    let results = &results[parts * k..];
    let join = |i: usize| {
        let parts = results.iter().skip(i).step_by(k).copied();
        let pieces: Vec<Var> = std::iter::once(head[i]).chain(parts).collect();
        layout::concat(&pieces, 0)
    };
    (0..k).map(join).collect()
}

fn in_parts(rows: &[Var], n: usize, count: usize, combine: Combine<'_>) -> Vec<Var> {
    let length = n / count;
    let whole = length * count;
    let part = |from: usize, to: usize| rows.iter().map(move |x| x.slice_axis(0, from..to));
    let parts: Vec<Var> = part(0, whole).map(|x| split_rows(x, length)).collect();
    let within = mapped::map(&parts, count, |part| one_by_one(part, length, combine));
    let last = |x: &Var| x.slice_axis(1, length - 1..length).squeeze_axis(1);
    let ends = one_by_one(&within.iter().map(last).collect::<Vec<_>>(), count, combine);
    // Combines the result of everything before a part with each of the part's elements.
    let before = ends.iter().map(|x| x.slice_axis(0, 0..count - 1));
    let behind = within.iter().map(|x| x.slice_axis(0, 1..count));
    let operands: Vec<Var> = before.chain(behind).collect();
    let behind = mapped::map(&operands, count - 1, |x| {
        let (before, part) = x.split_at(rows.len());
        mapped::map(part, length, |x| combine(before, x))
    });
    let first = within.iter().map(|x| layout::row(*x, 0));
    let joined = first.zip(behind).map(|(a, b)| concat([a, join_rows(b)], 0));
    let joined: Vec<Var> = joined.collect();
    if whole == n {
        return joined;
    }
    let all: Vec<Var> = ends.iter().map(|x| layout::row(*x, count - 1)).collect();
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
