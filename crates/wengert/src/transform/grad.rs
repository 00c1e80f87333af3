//! First derivatives: forward and reverse.

use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ir::Type;
use wengert_ir::ops::{Cotangent, Mode, Tangent};
use wengert_ir::trace::{Kind, Var, asked_at, current_source};
use wengert_ir::transform::{self, Linear};

use super::{Traced, expect_floats, ok, rebuild, same_trees, traced, types};
use crate::tree::{self, IntoTree, Tree, TreeDef};

/// Returns the gradient of a scalar function: a function of the same argument whose result is a tree like it.
///
/// It uses reverse mode, nests (`grad(grad(f))`) and differentiates every loop, including those of unknown
/// length. The argument's leaves are floats of any shape.
///
/// # Errors
/// If the result is not a float scalar (take the sum, or use [`jacrev`](crate::jacrev)), or a leaf of the
/// argument is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// let slope = jit(grad(|x: Var| x.sin()));
/// assert_eq!(slope.call(0.0)?.item::<f64>()?, 1.0);
/// let curvature = jit(grad(grad(|x: Var| x * x * x)));
/// assert_eq!(curvature.call(2.0)?.item::<f64>()?, 12.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn grad<X, F>(f: F) -> impl Fn(X) -> X + Clone
where
    X: Tree<Leaf = Var>,
    F: Fn(X) -> Var + Clone,
{
    let place = Location::caller();
    move |x| value_and_gradient("grad", place, x, |x| (f(x), ())).1
}

/// Returns the value and the gradient of a scalar function.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(value_and_grad(|[x, y]: [Var; 2]| x * y));
/// let (value, [dx, dy]) = f.call([3.0, 4.0])?;
/// assert_eq!((value.item::<f64>()?, dx.item::<f64>()?, dy.item::<f64>()?), (12.0, 4.0, 3.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<X, F>(f: F) -> impl Fn(X) -> (Var, X) + Clone
where
    X: Tree<Leaf = Var>,
    F: Fn(X) -> Var + Clone,
{
    let place = Location::caller();
    move |x| {
        let (y, dx, ()) = value_and_gradient("value_and_grad", place, x, |x| (f(x), ()));
        (y, dx)
    }
}

/// Returns the gradient of a function whose result is a scalar and auxiliary values, which are returned too.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(grad_aux(|x: Var| {
///     let parts = x.square();
///     (parts.sum(), parts)
/// }));
/// let (slope, parts) = f.call([1.0, 3.0])?;
/// assert_eq!((slope.to_vec::<f64>()?, parts.to_vec::<f64>()?), (vec![2.0, 6.0], vec![1.0, 9.0]));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn grad_aux<X, A, F>(f: F) -> impl Fn(X) -> (X, A) + Clone
where
    X: Tree<Leaf = Var>,
    A: Tree<Leaf = Var>,
    F: Fn(X) -> (Var, A) + Clone,
{
    let place = Location::caller();
    move |x| {
        let (_, dx, aux) = value_and_gradient("grad_aux", place, x, &f);
        (dx, aux)
    }
}

/// Returns the value, the auxiliary values and the gradient: `((y, aux), dx)`.
#[track_caller]
pub fn value_and_grad_aux<X, A, F>(f: F) -> impl Fn(X) -> ((Var, A), X) + Clone
where
    X: Tree<Leaf = Var>,
    A: Tree<Leaf = Var>,
    F: Fn(X) -> (Var, A) + Clone,
{
    let place = Location::caller();
    move |x| {
        let (y, dx, aux) = value_and_gradient("value_and_grad_aux", place, x, &f);
        ((y, aux), dx)
    }
}

/// Computes the gradient at a point, from which the types of the closure's argument are inferred.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| x * grad_at(1.0, |y| x + y));
/// assert_eq!(f.call(3.0)?.item::<f64>()?, 3.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn grad_at<I: IntoTree>(x: I, f: impl FnOnce(I::Tree) -> Var) -> I::Tree {
    value_and_gradient("grad_at", Location::caller(), x.into_tree(), |x| (f(x), ())).1
}

/// Computes the value and the gradient at a point.
///
/// ```
/// use wengert::prelude::*;
///
/// // A step of gradient descent.
/// let step = jit(|x: Var| {
///     let (value, slope) = value_and_grad_at(x, |x| (x - 1.0).square().sum());
///     (x - 0.5 * slope, value)
/// });
/// let (x, value) = step.call([3.0, 0.0])?;
/// assert_eq!((x.to_vec::<f64>()?, value.item::<f64>()?), (vec![1.0, 1.0], 5.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad_at<I: IntoTree>(x: I, f: impl FnOnce(I::Tree) -> Var) -> (Var, I::Tree) {
    let (y, dx, ()) = value_and_gradient(
        "value_and_grad_at",
        Location::caller(),
        x.into_tree(),
        |x| (f(x), ()),
    );
    (y, dx)
}

/// Computes the value, the gradient, and the auxiliary values of a function, for operation `op`.
pub(super) fn value_and_gradient<X, A>(
    op: &str,
    place: &'static Location<'static>,
    x: X,
    f: impl FnOnce(X) -> (Var, A),
) -> (Var, X, A)
where
    X: Tree<Leaf = Var>,
    A: Tree<Leaf = Var>,
{
    asked_at(place, || {
        let (leaves, def) = tree::flatten(x);
        let types = types(&leaves);
        expect_floats(op, &types, &def);
        let f = traced(Kind::Plain, &types, &def, f);
        let result = f.closed.func.type_of(f.closed.func.results[0]).clone();
        if !result.is_float() || result.rank() != 0 {
            raise(Error::derivative(
                op,
                format!("the function gives {result}, and a gradient is that of a float scalar"),
                current_source(),
                "take a sum or a mean of it, or use `jacrev`",
            ));
        }
        let (y, linear) = linearized(&f, &leaves);
        let mut ct = vec![None; y.len()];
        ct[0] = Some(Cotangent::new(Var::full(&result, 1.0)));
        let dx = pulled(&linear, &ct, &types);
        let (value, aux): (Var, A) = rebuild(&f.out, &y);
        (value, rebuild(&def, &dx), aux)
    })
}

/// Returns the results of a traced function, and its linear part in its own parameters.
pub(super) fn linearized(f: &Traced, x: &[Var]) -> (Vec<Var>, Linear) {
    let func = &f.closed.func;
    let args = [x, &f.closed.captures].concat();
    let own = |i: usize| i < x.len() && func.types[i].is_float();
    let active: Vec<bool> = (0..args.len()).map(own).collect();
    transform::linearize(func, &args, &active)
}

/// Returns the cotangents of the parameters, with zeros for the missing ones.
pub(super) fn pulled(linear: &Linear, ct: &[Option<Cotangent>], types: &[Type]) -> Vec<Var> {
    let back = linear.pull(ct);
    let all = types.iter().zip(back);
    all.map(|(ty, c)| c.map_or_else(|| Var::zeros(ty), |c| c.value))
        .collect()
}

/// Computes the value and the tangent of a function at `x` along `dx`, by forward mode.
///
/// `dx` has the structure and the types of `x`; leaves that are not floats are ignored.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| jvp(|x: Var| x.exp(), x, Var::from(2.0)));
/// let (y, dy) = f.call(0.0)?;
/// assert_eq!((y.item::<f64>()?, dy.item::<f64>()?), (1.0, 2.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jvp<X, Y>(f: impl FnOnce(X) -> Y, x: X, dx: X) -> (Y, Y)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    pushed("jvp", f, x, dx)
}

/// Implements [`jvp`] for operation `op`.
#[track_caller]
pub(super) fn pushed<X, Y>(op: &str, f: impl FnOnce(X) -> Y, x: X, dx: X) -> (Y, Y)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    asked_at(Location::caller(), || {
        let (leaves, def) = tree::flatten(x);
        let (tangents, tangent_def) = tree::flatten(dx);
        same_trees(
            op,
            ["the argument", "the tangent"],
            (&leaves, &def),
            (&tangents, &tangent_def),
        );
        let f = traced(Kind::Plain, &types(&leaves), &def, f);
        let mut dx: Vec<Tangent> = tangents
            .iter()
            .map(|&d| Some(d).filter(|d| d.ty().is_float()))
            .collect();
        let args = [&leaves[..], &f.closed.captures].concat();
        dx.resize(args.len(), None);
        let (y, dy) = transform::replay(&f.closed.func, &args, &dx, Mode::Fused);
        let dy = filled(&y, dy);
        (rebuild(&f.out, &y), rebuild(&f.out, &dy))
    })
}

fn filled(y: &[Var], dy: Vec<Tangent>) -> Vec<Var> {
    let all = y.iter().zip(dy);
    all.map(|(y, d)| d.unwrap_or_else(|| Var::zeros(&y.ty())))
        .collect()
}

/// Computes the value of a function at `x`, and returns its pullback, from cotangents of the result to
/// cotangents of the argument. The pullback may be called any number of times, under `vmap` too.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     let (y, pull) = vjp(|x: Var| x.sin(), x);
///     (y, pull(Var::from(3.0)))
/// });
/// assert_eq!(f.call(0.0)?.1.item::<f64>()?, 3.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn vjp<X, Y>(f: impl FnOnce(X) -> Y, x: X) -> (Y, impl Fn(Y) -> X + Clone)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let ((y, ()), pull) = pullback("vjp", Location::caller(), |x| (f(x), ()), x);
    (y, pull)
}

/// Does [`vjp`] for a function with auxiliary results: `((y, aux), pullback)`. The pullback takes cotangents of
/// the first result alone; the auxiliary result has none, and may be of any type.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     let ((y, count), pull) = vjp_aux(|x: Var| (x.sin(), x.gt(0.5).to(DType::I64).sum()), x);
///     (y, count, pull(ones_like(y)))
/// });
/// let (_, count, dx) = f.call([0.0, 1.0])?;
/// assert_eq!((count.item::<i64>()?, dx.to_vec::<f64>()?), (1, vec![1.0, 1f64.cos()]));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn vjp_aux<X, Y, A>(f: impl FnOnce(X) -> (Y, A), x: X) -> ((Y, A), impl Fn(Y) -> X + Clone)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Tree<Leaf = Var>,
{
    pullback("vjp_aux", Location::caller(), f, x)
}

fn pullback<X, Y, A>(
    op: &'static str,
    place: &'static Location<'static>,
    f: impl FnOnce(X) -> (Y, A),
    x: X,
) -> ((Y, A), impl Fn(Y) -> X + Clone)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Tree<Leaf = Var>,
{
    asked_at(place, || {
        let (leaves, def) = tree::flatten(x);
        let types = types(&leaves);
        let f = traced(Kind::Plain, &types, &def, f);
        let (y, linear) = linearized(&f, &leaves);
        let all = y.len();
        let (value, aux): (Y, A) = rebuild(&f.out, &y);
        let (y, out) = tree::flatten(value);
        let value = rebuild(&out, &y);
        let pull = move |ct: Y| {
            asked_at(place, || {
                let (ct, ct_def) = tree::flatten(ct);
                let whats = ["the result", "the cotangent"];
                same_trees(op, whats, (&y, &out), (&ct, &ct_def));
                let float = |c: Var| c.ty().is_float().then(|| Cotangent::new(c));
                let mut ct: Vec<Option<Cotangent>> = ct.into_iter().map(float).collect();
                ct.resize(all, None);
                rebuild(&def, &pulled(&linear, &ct, &types))
            })
        };
        ((value, aux), pull)
    })
}

/// Computes the value of a function at `x`, and returns its linear part, from tangents of the argument to
/// tangents of the result. Residuals are computed once, however often the linear part is applied.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     let (value, linear) = linearize(|x: Var| x.square(), x);
///     (value, linear(Var::from(1.0)), linear(Var::from(10.0)))
/// });
/// let (value, one, ten) = f.call(3.0)?;
/// assert_eq!(value.item::<f64>()?, 9.0);
/// assert_eq!((one.item::<f64>()?, ten.item::<f64>()?), (6.0, 60.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn linearize<X, Y>(f: impl FnOnce(X) -> Y, x: X) -> (Y, impl Fn(X) -> Y + Clone)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let place = Location::caller();
    asked_at(place, || {
        let (leaves, def) = tree::flatten(x);
        let f = traced(Kind::Plain, &types(&leaves), &def, f);
        let (y, linear) = linearized(&f, &leaves);
        let value = rebuild(&f.out, &y);
        let out: TreeDef = f.out;
        let captures = f.closed.captures.len();
        let push = move |dx: X| {
            asked_at(place, || {
                let (dx, dx_def) = tree::flatten(dx);
                let whats = ["the argument", "the tangent"];
                same_trees("linearize", whats, (&leaves, &def), (&dx, &dx_def));
                let mut dx: Vec<Tangent> = dx.into_iter().map(Some).collect();
                dx.resize(dx.len() + captures, None);
                let dy = linear.push(&dx);
                ok(tree::unflatten(&out, filled(&y, dy)))
            })
        };
        (value, push)
    })
}
