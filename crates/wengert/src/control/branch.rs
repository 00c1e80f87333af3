//! Branches of which only the chosen one runs.

use std::cell::RefCell;
use std::panic::Location;

use wengert_ir::ir::DType;
use wengert_ir::ops::cond as branch;
use wengert_ir::trace::{Var, asked_at, inside};

use super::{rebuild, refuse};
use crate::tree::{self, IntoTree, Tree};

mod sealed {
    pub trait Predicate {}
}

/// A predicate: a traced scalar `bool`, or one known at trace time. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot choose between two functions",
    label = "expected a `Var` of one truth value, or a `bool`",
    note = "`Var`s are compared by `x.gt(0.0)`, `x.eq(y)` and the like"
)]
pub trait Predicate: sealed::Predicate {
    #[doc(hidden)]
    fn predicate(self) -> Var;
}

impl sealed::Predicate for Var {}
impl Predicate for Var {
    fn predicate(self) -> Var {
        self
    }
}

impl sealed::Predicate for bool {}
impl Predicate for bool {
    fn predicate(self) -> Var {
        Var::scalar(self)
    }
}

/// Applies one of two functions to the operands. The one that is not taken does not run, and does not affect a
/// gradient either: no NaN comes from a square root that is negative there.
///
/// In a batch a branch runs if some element of a lane block takes it.
///
/// # Errors
/// If the predicate is not a scalar `bool`, or the branches differ in the structure or types of their results.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(grad(|x: Var| cond(x.gt(0.0), x, |x| x.sqrt(), |_| Var::from(0.0))));
/// assert_eq!(f.call(0.0)?.item::<f64>()?, 0.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn cond<I, A, B>(
    pred: impl Predicate,
    operands: I,
    then: impl FnOnce(I::Tree) -> A,
    otherwise: impl FnOnce(I::Tree) -> B,
) -> A::Tree
where
    I: IntoTree,
    A: IntoTree,
    B: IntoTree<Tree = A::Tree>,
{
    asked_at(Location::caller(), || {
        let (operands, def) = tree::flatten(operands.into_tree());
        either(
            "cond",
            pred.predicate(),
            || inside(|| then(rebuild(&def, &operands)).into_tree()),
            || inside(|| otherwise(rebuild(&def, &operands)).into_tree()),
        )
    })
}

/// Records one of two functions on behalf of operation `op`.
#[track_caller]
fn either<T: Tree<Leaf = Var>>(
    op: &str,
    pred: Var,
    then: impl FnOnce() -> T,
    otherwise: impl FnOnce() -> T,
) -> T {
    let first = RefCell::new(None);
    let out = branch::choice(
        op,
        pred,
        || {
            let (leaves, out) = tree::flatten(then());
            first.replace(Some(out));
            leaves
        },
        || {
            let (leaves, out) = tree::flatten(otherwise());
            if let Some(difference) = first.borrow().as_ref().and_then(|f| f.difference(&out)) {
                refuse(
                    op,
                    format!("the branches give different trees: {difference}"),
                );
            }
            leaves
        },
    );
    rebuild(&first.take().expect("the branches were traced"), &out)
}

/// Applies one of several functions to the operands, selected by number: 0 is the first. An index out of range
/// is clamped, as in JAX. The other functions do not run.
///
/// The choice is a binary search, so that the last of a hundred branches is seven comparisons away.
///
/// # Errors
/// If the number is not an integer scalar, there is no branch, or the branches differ in the structure or types
/// of their results.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(i, x): (Var, Var)| switch(i, x, &[&|x: Var| x.sin(), &|x| x.cos(), &|x| x * x]));
/// assert_eq!(f.call((0i64, 0.0))?.item::<f64>()?, 0.0);
/// assert_eq!(f.call((1i64, 0.0))?.item::<f64>()?, 1.0);
/// assert_eq!(f.call((7i64, 3.0))?.item::<f64>()?, 9.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn switch<I, A>(index: Var, operands: I, branches: &[&dyn Fn(I::Tree) -> A]) -> A::Tree
where
    I: IntoTree,
    A: IntoTree,
{
    asked_at(Location::caller(), || {
        let ty = index.ty();
        if !ty.dtype.is_int() || ty.rank() != 0 {
            refuse(
                "switch",
                format!("the number of a branch is an integer scalar, got {ty}"),
            );
        }
        if branches.is_empty() {
            refuse("switch", "there is no branch to choose".into());
        }
        let (operands, def) = tree::flatten(operands.into_tree());
        let index = match ty.dtype {
            // Clamped first, because the conversion cannot represent large values.
            DType::U64 => index.minimum(Var::scalar(branches.len() as u64)),
            _ => index,
        };
        let branch = |i: usize| inside(|| branches[i](rebuild(&def, &operands)).into_tree());
        among(index.to(DType::I64), 0, branches.len(), &branch)
    })
}

/// Selects among the branches `first..end` by number.
#[track_caller]
fn among<T: Tree<Leaf = Var>>(
    index: Var,
    first: usize,
    end: usize,
    branch: &dyn Fn(usize) -> T,
) -> T {
    if end - first == 1 {
        return branch(first);
    }
    let middle = first.midpoint(end);
    either(
        "switch",
        index.lt(middle as i64),
        || among(index, first, middle, branch),
        || among(index, middle, end, branch),
    )
}
