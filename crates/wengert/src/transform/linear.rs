//! Transposes of linear functions.

use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ops::Cotangent;
use wengert_ir::trace::{Kind, Var, asked_at, current_source};
use wengert_ir::transform;

use super::grad::{linearized, pulled};
use super::{Traced, expect_floats, rebuild, same_trees, traced, types};
use crate::tree::{self, Tree};

/// Returns the transpose of a linear function, from cotangents of its result to cotangents of its argument, so
/// that `<f(x), c> = <x, transpose(c)>` for all `x` and `c`. The function is not evaluated.
///
/// `example` has the types of the argument; its values do not matter. A constant added in `f` does not affect
/// the transpose. `f` may depend on captured values in any way; the transpose has derivatives with respect to
/// them.
///
/// # Errors
/// If the derivative of `f` depends on its argument, so that `f` is not linear, or a leaf of the argument or of
/// the result is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// // Differences of neighbours, and their transpose.
/// let f = jit(|(x, c): (Var, Var)| {
///     let back = linear_transpose(|x: Var| x.slice_axis(0, 1..) - x.slice_axis(0, ..-1), &x);
///     back(c)
/// });
/// assert_eq!(f.call(([0.0, 0.0, 0.0], [1.0, 2.0]))?.to_vec::<f64>()?, [-1.0, -1.0, 2.0]);
///
/// let f = jit(|x: Var| linear_transpose(|x: Var| x * x, &x)(x));
/// assert!(f.call(1.0).unwrap_err().to_string().starts_with("linear_transpose: the function is not linear"));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn linear_transpose<X, Y>(f: impl FnOnce(X) -> Y, example: &X) -> impl Fn(Y) -> X + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let place = Location::caller();
    asked_at(place, || {
        let (leaves, def) = tree::flatten_ref(example);
        let types = types(&leaves.into_iter().copied().collect::<Vec<_>>());
        expect_floats("linear_transpose", &types, &def);
        let f = traced(Kind::Plain, &types, &def, f);
        expect_linear(&f, types.len());
        // The derivative is the same everywhere, so it is taken at zero.
        let zeros: Vec<Var> = types.iter().map(Var::zeros).collect();
        let (_, linear) = linearized(&f, &zeros);
        let out = f.out;
        move |ct: Y| {
            asked_at(place, || {
                let (ct, ct_def) = tree::flatten(ct);
                let zeros: Vec<Var> = linear.results.iter().map(Var::zeros).collect();
                let whats = ["the result", "the cotangent"];
                same_trees("linear_transpose", whats, (&zeros, &out), (&ct, &ct_def));
                let ct: Vec<_> = ct.into_iter().map(|c| Some(Cotangent::new(c))).collect();
                rebuild(&def, &pulled(&linear, &ct, &types))
            })
        }
    })
}

#[track_caller]
fn expect_linear(f: &Traced, params: usize) {
    let func = &f.closed.func;
    let unknown: Vec<bool> = (0..func.arity()).map(|i| i < params).collect();
    let paths = f.out.paths();
    if let Some(message) = transform::why_not_linear(func, &unknown, |r| paths[r].clone()) {
        raise(Error::derivative(
            "linear_transpose",
            message,
            current_source(),
            "take `vjp` at a point",
        ))
    }
}
