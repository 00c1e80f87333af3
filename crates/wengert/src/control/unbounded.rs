//! Loops of unknown length.

use std::panic::Location;

use wengert_ir::ir::Type;
use wengert_ir::ops::while_loop as unbounded;
use wengert_ir::trace::{Var, asked_at, inside};

use super::start::{settled, soften};
use super::{next_carry, rebuild};
use crate::tree::{self, IntoTree};

/// Runs `body` while `cond` holds. The number of steps need not be known, not even for the gradient: reverse
/// mode keeps the residuals of each step in lists that grow. In a batch each element stops on its own.
///
/// A carry that starts as a Rust float or as `zeros` takes the float type that the step gives it.
///
/// # Errors
/// If the carry changes its structure or types, or the condition is not a scalar `bool`. If a loop exceeds the
/// limit of steps ([`Jit::max_steps`](crate::Jit::max_steps)), the call returns an `Err`.
///
/// ```
/// use wengert::prelude::*;
///
/// // Newton's method to convergence, and its derivative: d√a/da = 1/(2√a).
/// let root = |a: Var| {
///     let next = move |x: Var| 0.5 * (x + a / x);
///     while_loop((a, next(a)), |(x, y)| (x - y).abs().gt(1e-14), |(_, y)| (y, next(y))).1
/// };
/// let (y, dy) = jit(value_and_grad(root)).call(4.0)?;
/// assert_eq!((y.item::<f64>()?, dy.item::<f64>()?), (2.0, 0.25));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn while_loop<C, A>(
    init: C,
    cond: impl Fn(C::Tree) -> Var,
    body: impl Fn(C::Tree) -> A,
) -> C::Tree
where
    C: IntoTree,
    A: IntoTree<Tree = C::Tree>,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init.into_tree());
        let step = |carry: &[Var]| {
            let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
            soften(carry);
            let next = inside(|| body(rebuild(&def, carry)).into_tree());
            next_carry("while_loop", next, &types, &def)
        };
        let goes_on = |carry: &[Var]| {
            soften(carry);
            inside(|| cond(rebuild(&def, carry)))
        };
        let out = settled(&carry, &|carry| unbounded::while_loop(carry, goes_on, step));
        rebuild(&def, &out)
    })
}
