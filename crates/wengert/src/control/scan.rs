//! Counted loops over the rows of arrays.

use std::cell::RefCell;
use std::panic::Location;

use wengert_ir::error::counted;
use wengert_ir::ir::Type;
use wengert_ir::ops::scan as loops;
use wengert_ir::trace::{Var, asked_at, inside};

use super::start::{settled, soften};
use super::{next_carry, rebuild, refuse};
use crate::tree::{self, IntoTree, Tree, TreeDef};

mod sealed {
    pub trait Over {}
}

/// The sequence that a [`scan`] reads: a tree of arrays, row by row, in which a range of numbers may stand for
/// the vector of them. It is implemented for everything that is [`IntoTree`]; the trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read row by row",
    label = "expected `Var`s, `Array`s, ranges such as `0..n`, and tuples and structs of these"
)]
pub trait Over: sealed::Over {
    /// The row that a step takes.
    type Row: Tree<Leaf = Var>;

    /// Returns the arrays to be read row by row, their structure, and the number of rows, for operation `op`.
    #[doc(hidden)]
    #[track_caller]
    fn rows(self, op: &str) -> (Vec<Var>, TreeDef, usize);
}

impl<I: IntoTree> sealed::Over for I {}
impl<I: IntoTree> Over for I {
    type Row = I::Tree;

    fn rows(self, op: &str) -> (Vec<Var>, TreeDef, usize) {
        let (leaves, def) = tree::flatten(self.into_tree());
        let mut length: Option<(usize, String)> = None;
        for (v, path) in leaves.iter().zip(def.paths()) {
            let ty = v.ty();
            let Some(&n) = ty.dims().first() else {
                refuse(
                    op,
                    format!(
                        "the scalar{path} cannot be read row by row: {ty}; numbers are made an array by \
                         `Var::from([1.0, 2.0])`, and `0..n` counts steps"
                    ),
                );
            };
            match &length {
                Some((m, first)) if *m != n => refuse(
                    op,
                    format!(
                        "the array{first} has {}, and the array{path} has {n}",
                        counted(*m, "row", "rows")
                    ),
                ),
                Some(_) => {}
                None => length = Some((n, path)),
            }
        }
        match length {
            Some((n, _)) => (leaves, def, n),
            None => refuse(
                op,
                "there is no array that says how many steps; scan over a range".into(),
            ),
        }
    }
}

/// Loops over the rows of arrays and carries values from step to step: `step(carry, row)` returns the next
/// carry and a row of results. `scan` returns the last carry and the stacked rows.
///
/// `xs` is a tree of arrays with first axes of one length, in which a range of numbers (`i64`) may stand for
/// the vector of them: `scan(init, (xs, 0..n), ..)`. The carry keeps its structure and its types; one that
/// starts as a Rust float or as `zeros` takes the float type that the step gives it. The whole loop is one
/// piece of machine code; in reverse mode it keeps the residuals of each step.
///
/// # Errors
/// If the carry changes its structure or types, or the arrays' first axes differ in length.
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
    directed("scan", init.into_tree(), xs, step)
}

/// Runs a [`scan`] from the last row to the first; row `i` of the results belongs to row `i` of `xs`.
///
/// ```
/// use wengert::prelude::*;
///
/// // What is still to come, from each place on.
/// let f = jit(|xs: Var| scan_reverse(0.0, xs, |sum, x| (sum + x, sum + x)).1);
/// assert_eq!(f.call([1.0, 2.0, 4.0])?.to_vec::<f64>()?, [7.0, 6.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
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
    directed("scan_reverse", init.into_tree(), xs, step)
}

#[track_caller]
fn directed<C, S, A, B>(
    op: &str,
    init: C,
    xs: S,
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
        let (rows, row_def, n) = xs.rows(op);
        let out = RefCell::new(None);
        let step = |carry: &[Var], row: &[Var]| {
            let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
            soften(carry);
            let (next, y) = inside(|| step(rebuild(&def, carry), rebuild(&row_def, row)));
            let next = next_carry(op, next.into_tree(), &types, &def);
            let (y, y_def) = tree::flatten(y.into_tree());
            out.replace(Some(y_def));
            (next, y)
        };
        let reverse = op == "scan_reverse";
        let results = settled(&carry, &|carry| loops::scan(carry, &rows, n, reverse, step));
        let (carry, ys) = results.split_at(carry.len());
        let y_def = out.take().expect("the step was traced");
        (rebuild(&def, carry), rebuild(&y_def, ys))
    })
}
