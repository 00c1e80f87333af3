//! Linear functions the other way.

use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ir::Type;
use wengert_ir::ops::Cotangent;
use wengert_ir::rewrite::dead::{dead_code, live_params};
use wengert_ir::trace::{Closed, Kind, Var, asked_at, current_source, open};
use wengert_ir::transform;

use super::grad::{linearized, pulled};
use super::{Traced, expect_floats, rebuild, same_trees, traced, types};
use crate::tree::{self, Tree};

/// The transpose of a linear function: from cotangents of its result to cotangents of its argument, so
/// that `<f(x), c> = <x, transpose(c)>` for all `x` and `c`. The function is not evaluated.
///
/// `example` is like the argument: its types count, not its values. A constant that is added in `f` has
/// no part in the transpose. What `f` captures may be anything; the transpose has derivatives with
/// respect to it.
///
/// # Errors
/// If the derivative of `f` depends on its argument, so that `f` is not linear, or a leaf of the
/// argument or of the result is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// // Differences of neighbours, and what they are the other way.
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
        expect_steady(&f, types.len());
        let (trace, x) = open(Kind::Plain, &types);
        let (_, mut linear) = linearized(&f, &x);
        let own = |v: &&mut Var| trace.owns(**v);
        let mut inner: Vec<&mut Var> = linear.residuals.iter_mut().filter(own).collect();
        let values: Vec<Var> = inner.iter().map(|v| **v).collect();
        for (v, outer) in inner.iter_mut().zip(left(trace.close(&values), &types)) {
            **v = outer;
        }
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

/// What was recorded for the derivative, without the argument, of which nothing is in it.
#[track_caller]
fn left(kept: Closed, types: &[Type]) -> Vec<Var> {
    let func = dead_code(&kept.func);
    let live = live_params(&func, &vec![true; func.results.len()]);
    if live[..types.len()].contains(&true) {
        refuse("the function is not linear: its derivative depends on its argument");
    }
    let zeros = types.iter().map(Var::zeros);
    transform::inline(&func, &zeros.chain(kept.captures).collect::<Vec<_>>())
}

/// A result that depends on the argument has a derivative with respect to it: steps, roundings and
/// conversions to integers are not linear.
#[track_caller]
fn expect_steady(f: &Traced, params: usize) {
    let func = &f.closed.func;
    let deps = func.deps();
    for (r, (ty, path)) in func.result_types().iter().zip(f.out.paths()).enumerate() {
        if !ty.is_float() {
            refuse(&format!(
                "the result{path} is {ty}, and linear functions give floats"
            ));
        }
        let mut wanted = vec![false; func.results.len()];
        wanted[r] = true;
        let live = live_params(func, &wanted);
        if (0..params).any(|i| live[i] && !deps.get(r, i)) {
            refuse(&format!(
                "the function is not linear: the result{path} depends on the argument by a step"
            ));
        }
    }
}

#[track_caller]
fn refuse(message: &str) -> ! {
    raise(Error::Derivative {
        op: "linear_transpose".into(),
        message: message.into(),
        at: Some(current_source()),
        hint: Some("take `vjp` at a point".into()),
    })
}
