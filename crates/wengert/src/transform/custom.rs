//! User-defined derivatives.

use std::cell::RefCell;
use std::panic::Location;

use wengert_ir::ops::custom_rule;
use wengert_ir::trace::{Var, asked_at, inside};

use super::{rebuild, same_trees};
use crate::tree::{self, Tree, TreeDef};

/// Returns the same function with a custom tangent: `rule(x, dx)` returns the value and its tangent, which must
/// be linear in `dx`. The rule is used in forward and reverse mode, to any order.
///
/// # Errors
/// If one of the functions captures a `Var`: pass it as an argument.
///
/// ```
/// use wengert::prelude::*;
///
/// // log(1 + e^x), whose derivative would overflow if it were not written like this.
/// let softplus = custom_jvp(
///     |x: Var| x.maximum(0.0) + (-x.abs()).exp().log1p(),
///     |x, dx| (x.maximum(0.0) + (-x.abs()).exp().log1p(), dx * x.sigmoid()),
/// );
/// assert_eq!(jit(grad(softplus)).call(0.0)?.item::<f64>()?, 0.5);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_jvp<X, Y, F, R>(f: F, rule: R) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
    R: Fn(X, X) -> (Y, Y) + Clone,
{
    let place = Location::caller();
    move |x| {
        asked_at(place, || {
            let (leaves, def) = tree::flatten(x);
            let mut out = None;
            let results = custom_rule::custom_jvp(
                &leaves,
                |x| flat(inside(|| f(rebuild(&def, x))), &mut out),
                |x, dx| {
                    let (y, dy) = inside(|| rule(rebuild(&def, x), rebuild(&def, dx)));
                    let (y, y_def) = tree::flatten(y);
                    let (dy, dy_def) = tree::flatten(dy);
                    let whats = ["the value", "the tangent"];
                    same_trees("custom_jvp", whats, (&y, &y_def), (&dy, &dy_def));
                    (y, dy)
                },
            );
            rebuild(&out.expect("the function was traced"), &results)
        })
    }
}

/// Returns the same function with a custom pullback: `forward(x)` returns the value and residuals, and
/// `backward(residuals, ct)` maps the cotangent of the value to that of the argument.
///
/// # Errors
/// If one of the functions captures a `Var`, or in forward mode.
///
/// ```
/// use wengert::prelude::*;
///
/// // The identity, whose gradient is kept within [-1, 1].
/// let clipped = custom_vjp(|x: Var| x, |x| (x, ()), |(), ct: Var| ct.clamp(-1.0, 1.0));
/// let f = jit(grad(move |x: Var| clipped(x) * 100.0));
/// assert_eq!(f.call(3.0)?.item::<f64>()?, 1.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_vjp<X, Y, S, F, W, B>(f: F, forward: W, backward: B) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    S: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
    W: Fn(X) -> (Y, S) + Clone,
    B: Fn(S, Y) -> X + Clone,
{
    let place = Location::caller();
    move |x| {
        asked_at(place, || {
            let (leaves, def) = tree::flatten(x);
            let mut out = None;
            let defs: RefCell<Option<(TreeDef, TreeDef)>> = RefCell::default();
            let results = custom_rule::custom_vjp(
                &leaves,
                |x| flat(inside(|| f(rebuild(&def, x))), &mut out),
                |x| {
                    let (y, residuals) = inside(|| forward(rebuild(&def, x)));
                    let (y, y_def) = tree::flatten(y);
                    let (residuals, residual_def) = tree::flatten(residuals);
                    defs.replace(Some((y_def, residual_def)));
                    (y, residuals)
                },
                |residuals, ct| {
                    let (y_def, residual_def) = defs.take().expect("the forward rule was traced");
                    let back =
                        inside(|| backward(rebuild(&residual_def, residuals), rebuild(&y_def, ct)));
                    let (back, back_def) = tree::flatten(back);
                    let whats = ["the argument", "its cotangent"];
                    same_trees("custom_vjp", whats, (&leaves, &def), (&back, &back_def));
                    back
                },
            );
            rebuild(&out.expect("the function was traced"), &results)
        })
    }
}

fn flat<T: Tree<Leaf = Var>>(tree: T, def: &mut Option<TreeDef>) -> Vec<Var> {
    let (leaves, structure) = tree::flatten(tree);
    *def = Some(structure);
    leaves
}

/// Returns the same values, through which no derivative flows.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(grad(|x: Var| x * stop_gradient(x)));
/// assert_eq!(f.call(3.0)?.item::<f64>()?, 3.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn stop_gradient<X: Tree<Leaf = Var>>(x: X) -> X {
    tree::map(x, Var::stop_gradient)
}
