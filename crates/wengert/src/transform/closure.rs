//! Closures as functions of what they capture.

use std::panic::Location;

use wengert_ir::trace::{Kind, Var, asked_at};
use wengert_ir::transform::inline;

use super::{rebuild, same_trees, traced, types};
use crate::tree::{self, Tree};

/// Returns what a closure captures, and the function of its argument and of that which captures nothing: for rules such as those
/// of [`custom_vjp`](crate::custom_vjp), which must not capture. A caller makes the captures arguments of the rule, so that they
/// have derivatives.
///
/// `example` has the types of the argument; its values do not matter. The closure is called once. What it computes of captured
/// values alone is computed outside, and counts as captured.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::closure_convert;
///
/// // The value of a function, with twice its gradient.
/// let doubled = |(x, a): (Var, Var)| {
///     let (captured, scaled) = closure_convert(|x: Var| a.exp() * x, &x);
///     let f = custom_vjp(
///         |(x, c): (Var, Vec<Var>)| scaled(x, &c),
///         |(x, c): (Var, Vec<Var>)| (scaled(x, &c), (x, c)),
///         |(x, c): (Var, Vec<Var>), ct: Var| {
///             let back = vjp(|(x, c): (Var, Vec<Var>)| scaled(x, &c), (x, c)).1;
///             back(2.0 * ct)
///         },
///     );
///     f((x, captured))
/// };
/// let (dx, da) = jit(grad(doubled)).call((3.0, 0.0))?;
/// assert_eq!((dx.item::<f64>()?, da.item::<f64>()?), (2.0, 6.0));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If the function is called with an argument of another structure or of other types, or with other captures than it has.
#[track_caller]
pub fn closure_convert<X, Y, F>(
    f: F,
    example: &X,
) -> (Vec<Var>, impl Fn(X, &[Var]) -> Y + Clone + use<X, Y, F>)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: FnOnce(X) -> Y,
{
    let place = Location::caller();
    asked_at(place, || {
        let (leaves, def) = tree::flatten_ref(example);
        let leaves: Vec<Var> = leaves.into_iter().copied().collect();
        let types = types(&leaves);
        let f = traced(Kind::Plain, &types, &def, f);
        let captures = f.closed.captures.clone();
        let call = move |x: X, captured: &[Var]| {
            asked_at(place, || {
                let (x, x_def) = tree::flatten(x);
                let zeros: Vec<Var> = types.iter().map(Var::zeros).collect();
                let whats = ["the example", "the argument"];
                same_trees("closure_convert", whats, (&zeros, &def), (&x, &x_def));
                let given: Vec<_> = captured.iter().map(|v| v.ty()).collect();
                if given[..] != f.closed.func.param_types()[x.len()..] {
                    let message = format!(
                        "the function captures {} values, and was given others",
                        f.closed.func.arity() - x.len()
                    );
                    crate::solver::refuse("closure_convert", message);
                }
                rebuild(
                    &f.out,
                    &inline(&f.closed.func, &[&x[..], captured].concat()),
                )
            })
        };
        (captures, call)
    })
}
