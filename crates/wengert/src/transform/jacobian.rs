//! Jacobians and second derivatives.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::{Cotangent, Mode, iota, layout};
use wengert_ir::trace::{Kind, Var, asked_at};
use wengert_ir::transform;

use super::{expect_floats, jvp, rebuild, traced, types};
use crate::tree::{self, Tree, TreeDef};

/// The Jacobian by forward mode: one direction for each element of the argument. Each leaf of the
/// result has the shape of the function's result, followed by that of the argument.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(jacfwd(|x: Var| x * x));
/// let j = f.call([1.0, 2.0])?;
/// assert_eq!(j.to_vec::<f64>()?, [2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jacfwd<Y, F>(f: F) -> impl Fn(Var) -> Y + Clone
where
    Y: Tree<Leaf = Var>,
    F: Fn(Var) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || forward(x, &f)).1
}

/// The value and the Jacobian by forward mode: `(y, dy/dx)`.
#[track_caller]
pub fn value_and_jacfwd<Y, F>(f: F) -> impl Fn(Var) -> (Y, Y) + Clone
where
    Y: Tree<Leaf = Var>,
    F: Fn(Var) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || forward(x, &f))
}

#[track_caller]
fn forward<Y: Tree<Leaf = Var>>(x: Var, f: impl FnOnce(Var) -> Y) -> (Y, Y) {
    let (leaves, def) = tree::flatten(x);
    let tys = types(&leaves);
    expect_floats("jacfwd", &tys, &def);
    let f = traced(Kind::Plain, &tys, &def, f);
    let ty = tys[0].clone();
    let dims = ty.dims();
    let n = ty.size();
    let basis = layout::reshape(unit_vectors(n, ty.dtype), &[&[n], &dims[..]].concat());
    let args = [&leaves[..], &f.closed.captures].concat();
    let results = f.closed.func.results.len();
    let out = wengert_ir::ops::map::map(&[basis], n, |e| {
        let mut dx = vec![None; args.len()];
        dx[0] = Some(e[0]);
        let (mut y, dy) = transform::replay(&f.closed.func, &args, &dx, Mode::Fused);
        let zeros = |y: &Var| Var::zeros(&y.ty());
        let dy: Vec<Var> = y
            .iter()
            .zip(dy)
            .map(|(y, d)| d.unwrap_or_else(|| zeros(y)))
            .collect();
        y.extend(dy);
        y
    });
    // Directions first, as they are mapped; the Jacobian has them last.
    let columns = |dy: &Var| {
        let rank = dy.ty().rank() - 1;
        let last = layout::move_axis(*dy, 0, rank);
        let shape = last.ty().dims();
        layout::reshape(last, &[&shape[..rank], &dims].concat())
    };
    let dy: Vec<Var> = out[results..].iter().map(columns).collect();
    let y: Vec<Var> = match n {
        // Without a direction there is no lane to take the value from.
        0 => transform::inline(&f.closed.func, &args),
        _ => out[..results].iter().map(|y| layout::row(*y, 0)).collect(),
    };
    (rebuild(&f.out, &y), rebuild(&f.out, &dy))
}

/// The Jacobian of a function with one result by reverse mode: one pullback for each element of the
/// result. Each leaf has the shape of the result, followed by that of the argument's leaf.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(jacrev(|x: Var| x.sum() * x));
/// assert_eq!(f.call([1.0, 2.0])?.to_vec::<f64>()?, [4.0, 1.0, 2.0, 5.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jacrev<X, F>(f: F) -> impl Fn(X) -> X + Clone
where
    X: Tree<Leaf = Var>,
    F: Fn(X) -> Var + Clone,
{
    let place = Location::caller();
    move |x| {
        asked_at(place, || {
            let (leaves, def) = tree::flatten(x);
            let tys = types(&leaves);
            expect_floats("jacrev", &tys, &def);
            let f = traced(Kind::Plain, &tys, &def, &f);
            let func = &f.closed.func;
            let args = [&leaves[..], &f.closed.captures].concat();
            let active: Vec<bool> = (0..args.len()).map(|i| i < leaves.len()).collect();
            let (y, linear) = transform::linearize(func, &args, &active);
            let result = y[0].ty();
            let out_def = TreeDef::clone(&f.out);
            expect_floats("jacrev", std::slice::from_ref(&result), &out_def);
            let (dims, m) = (result.dims(), result.size());
            let basis = layout::reshape(unit_vectors(m, result.dtype), &[&[m], &dims[..]].concat());
            let rows = wengert_ir::ops::map::map(&[basis], m, |e| {
                let back = linear.pull(&[Some(Cotangent::new(e[0]))]);
                let all = tys.iter().zip(back);
                all.map(|(ty, c)| c.map_or_else(|| Var::zeros(ty), |c| c.value))
                    .collect()
            });
            let shaped = rows.iter().zip(&tys);
            let shaped: Vec<Var> = shaped
                .map(|(v, ty)| layout::reshape(*v, &[&dims[..], &ty.dims()].concat()))
                .collect();
            rebuild(&def, &shaped)
        })
    }
}

/// The Hessian of a scalar function of an array: forward over reverse.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(hessian(|x: Var| x.at(0) * x.at(0) * x.at(1)));
/// assert_eq!(f.call([2.0, 3.0])?.to_vec::<f64>()?, [6.0, 4.0, 4.0, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn hessian<F: Fn(Var) -> Var + Clone>(f: F) -> impl Fn(Var) -> Var + Clone {
    jacfwd(super::grad(f))
}

/// The product of a scalar function's Hessian with a vector, without the Hessian: the derivative of
/// the gradient at `x` along `v`.
#[track_caller]
pub fn hvp<X, F>(f: F, x: X, v: X) -> X
where
    X: Tree<Leaf = Var> + crate::IntoTree<Tree = X>,
    F: Fn(X) -> Var,
{
    jvp(super::grad(&f), x, v).1
}

/// The rows of the unit matrix.
fn unit_vectors(n: usize, dtype: DType) -> Var {
    let rows = iota::iota(Type::new(DType::I64, &[n, n]), 0);
    let columns = iota::iota(Type::new(DType::I64, &[n, n]), 1);
    rows.eq(columns).to(dtype)
}
