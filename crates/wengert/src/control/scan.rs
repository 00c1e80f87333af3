//! Counted loops over the rows of arrays.

use std::ops::Range;
use std::panic::Location;

use wengert_ir::ir::Type;
use wengert_ir::ops::scan as loops;
use wengert_ir::trace::{Var, asked_at, inside};

use super::{count_from, length, next_carry, rebuild, refuse};
use crate::tree::{self, IntoTree, Tree, TreeDef};

/// What a [`scan`] goes over: a tree of arrays, row by row, or a range of numbers.
pub trait Over {
    /// What a step is given.
    type Row: Tree<Leaf = Var>;

    /// The arrays to be read row by row, their structure, and the number of rows.
    #[doc(hidden)]
    #[track_caller]
    fn rows(self) -> (Vec<Var>, TreeDef, usize);
}

impl<I: IntoTree> Over for I {
    type Row = I::Tree;

    fn rows(self) -> (Vec<Var>, TreeDef, usize) {
        let (leaves, def) = tree::flatten(self.into_tree());
        let mut length: Option<(usize, String)> = None;
        for (v, path) in leaves.iter().zip(def.paths()) {
            let ty = v.ty();
            let Some(&n) = ty.dims().first() else {
                refuse(
                    "scan",
                    format!("the scalar{path} cannot be read row by row: {ty}"),
                );
            };
            match &length {
                Some((m, first)) if *m != n => refuse(
                    "scan",
                    format!("the array{first} has {m} rows, and the array{path} has {n}"),
                ),
                Some(_) => {}
                None => length = Some((n, path)),
            }
        }
        match length {
            Some((n, _)) => (leaves, def, n),
            None => refuse(
                "scan",
                "there is no array that says how many steps; scan over a range".into(),
            ),
        }
    }
}

macro_rules! ranges {
    ($($t:ty),*) => {$(
        impl Over for Range<$t> {
            type Row = Var;

            fn rows(self) -> (Vec<Var>, TreeDef, usize) {
                let n = length(self.start as i64, self.end as i64);
                let counted = count_from(self.start as i64, n);
                (vec![counted], tree::def(&counted), n)
            }
        }
    )*};
}
ranges!(i32, i64, usize);

/// A loop over the rows of some arrays that carries values from step to step: `step(carry, row)`
/// gives the next carry and a row of results. The last carry comes back, and the rows piled up.
///
/// `xs` is a tree of arrays with one first axis, or a range of numbers (`i64`). The carry keeps its
/// structure and its types. The whole loop is one piece of machine code; in reverse mode it keeps what
/// its derivative needs, step by step.
///
/// # Errors
/// If the carry changes its structure or types, or the arrays' first axes differ.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|xs: Var| scan(0.0, xs, |sum, x| (sum + x, sum * x)));
/// let (sum, products) = f.call([1.0, 2.0, 3.0])?;
/// assert_eq!(sum.item::<f64>()?, 6.0);
/// assert_eq!(products.to_vec::<f64>()?, [0.0, 2.0, 9.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn scan<C, S, A, B>(
    init: C,
    xs: S,
    step: impl Fn(C::Tree, S::Row) -> (A, B),
) -> (C::Tree, B::Tree)
where
    C: IntoTree,
    S: Over,
    A: IntoTree<Tree = C::Tree>,
    B: IntoTree,
{
    directed(init.into_tree(), xs, false, step)
}

/// [`scan`] from the last row to the first; row `i` of the results belongs to row `i` of `xs`.
#[track_caller]
pub fn scan_reverse<C, S, A, B>(
    init: C,
    xs: S,
    step: impl Fn(C::Tree, S::Row) -> (A, B),
) -> (C::Tree, B::Tree)
where
    C: IntoTree,
    S: Over,
    A: IntoTree<Tree = C::Tree>,
    B: IntoTree,
{
    directed(init.into_tree(), xs, true, step)
}

#[track_caller]
fn directed<C, S, A, B>(
    init: C,
    xs: S,
    reverse: bool,
    step: impl Fn(C, S::Row) -> (A, B),
) -> (C, B::Tree)
where
    C: Tree<Leaf = Var>,
    S: Over,
    A: IntoTree<Tree = C>,
    B: IntoTree,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init);
        let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
        let (rows, row_def, n) = xs.rows();
        let mut out = None;
        let results = loops::scan(&carry, &rows, n, reverse, |carry, row| {
            let (next, y) = inside(|| step(rebuild(&def, carry), rebuild(&row_def, row)));
            let next = next_carry("scan", next.into_tree(), &types, &def);
            let (y, y_def) = tree::flatten(y.into_tree());
            out = Some(y_def);
            (next, y)
        });
        let (carry, ys) = results.split_at(carry.len());
        (
            rebuild(&def, carry),
            rebuild(&out.expect("the step was traced"), ys),
        )
    })
}
