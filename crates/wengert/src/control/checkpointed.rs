//! Scans that keep only a few carries for the derivative and recompute the others.

use std::cell::RefCell;
use std::panic::Location;

use wengert_ir::ir::Type;
use wengert_ir::ops::{checkpoint as recompute, scan as loops};
use wengert_ir::trace::{Var, asked_at, concat, inside};

use super::start::{settled, soften};
use super::{Over, join_rows, next_carry, rebuild, refuse, split_rows};
use crate::tree::{self, IntoTree};

/// Runs a [`scan`](crate::scan) whose derivative keeps one carry per `every` steps and recomputes what it needs
/// of the steps in between: memory for `n / every + every` steps instead of `n`, for one more run of the loop.
/// The square root of `n` needs the least memory.
///
/// Several numbers nest: `&[100, 10]` keeps one carry per 100 steps and, while it goes back through those, one
/// per 10: memory for `n / 100 + 100 / 10 + 10` steps, for two more runs. With `d` numbers, each the `d + 1`-th
/// root of `n` times the next, a scan of a million steps needs memory for `(d + 1) · 10^(6 / (d + 1))` of them.
/// Compare Griewank and Walther's *revolve* (Algorithm 799, ACM Transactions on Mathematical Software 26,
/// 2000), whose schedule is optimal and gains less than a factor of two over this one.
///
/// The values have the same bits as those of [`scan`](crate::scan).
///
/// # Errors
/// As [`scan`](crate::scan), and if a number is 0 or not smaller than the previous one.
///
/// ```
/// use wengert::prelude::*;
///
/// let last = |r: Var| scan_checkpointed(&[100], 0.5, 0..10_000, |x, _| (r * x * (1.0 - x), ())).0;
/// let (x, slope) = jit(value_and_grad(last)).call(2.5)?;
/// assert!((x.item::<f64>()? - 0.6).abs() < 1e-12);
/// assert!((slope.item::<f64>()? - 0.16).abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn scan_checkpointed<C, S, A, B>(
    every: &[usize],
    init: C,
    xs: S,
    step: impl Fn(C::Tree, S::Row) -> (A, B) + Clone,
) -> (C::Tree, B::Tree)
where
    C: IntoTree,
    S: Over,
    A: IntoTree<Tree = C::Tree>,
    B: IntoTree,
{
    asked_at(Location::caller(), || {
        if every.contains(&0) || every.windows(2).any(|w| w[1] >= w[0]) {
            refuse(
                "scan_checkpointed",
                format!("numbers of steps fall and are not 0, unlike {every:?}"),
            );
        }
        let (carry, def) = tree::flatten(init.into_tree());
        let (rows, row_def, n) = xs.rows("scan_checkpointed");
        let out = RefCell::new(None);
        let step = |carry: &[Var], row: &[Var]| {
            let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
            soften(carry);
            let (next, y) = inside(|| step(rebuild(&def, carry), rebuild(&row_def, row)));
            let next = next_carry("scan_checkpointed", next.into_tree(), &types, &def);
            let (y, y_def) = tree::flatten(y.into_tree());
            out.replace(Some(y_def));
            (next, y)
        };
        let results = settled(&carry, &|carry| {
            let (carry, ys) = nested(every, carry, &rows, n, &step);
            [carry, ys].concat()
        });
        let (carry, ys) = results.split_at(carry.len());
        let y_def = out.take().expect("the step was traced");
        (rebuild(&def, carry), rebuild(&y_def, ys))
    })
}

type Step<'a> = &'a dyn Fn(&[Var], &[Var]) -> (Vec<Var>, Vec<Var>);

/// Returns the last carry and the stacked rows of results of `n` steps.
#[track_caller]
fn nested(
    every: &[usize],
    carry: &[Var],
    rows: &[Var],
    n: usize,
    step: Step<'_>,
) -> (Vec<Var>, Vec<Var>) {
    let nc = carry.len();
    let split = |mut all: Vec<Var>| {
        let ys = all.split_off(nc);
        (all, ys)
    };
    let Some((&k, inner)) = every.split_first().filter(|_| n > 0) else {
        return split(loops::scan(carry, rows, n, false, step));
    };
    // A group of steps as one function whose intermediate values are not kept.
    let together = |carry: &[Var], rows: &[Var], n: usize| {
        split(recompute::checkpoint(&[carry, rows].concat(), |vars| {
            let (carry, ys) = nested(inner, &vars[..nc], &vars[nc..], n, step);
            [carry, ys].concat()
        }))
    };
    let whole = n / k * k;
    let part = |from: usize, to: usize| rows.iter().map(move |x| x.slice_axis(0, from..to));
    let mut carry = carry.to_vec();
    let mut ys: Option<Vec<Var>> = None;
    if whole > 0 {
        let blocks: Vec<Var> = part(0, whole).map(|x| split_rows(x, k)).collect();
        let all = loops::scan(&carry, &blocks, n / k, false, |carry, rows| {
            together(carry, rows, k)
        });
        let (last, blocks) = split(all);
        carry = last;
        ys = Some(blocks.into_iter().map(join_rows).collect());
    }
    if whole < n {
        let (last, tail) = together(&carry, &part(whole, n).collect::<Vec<_>>(), n - whole);
        carry = last;
        ys = Some(match ys {
            Some(ys) => ys
                .iter()
                .zip(&tail)
                .map(|(a, b)| concat([*a, *b], 0))
                .collect(),
            None => tail,
        });
    }
    (carry, ys.expect("there are steps"))
}
