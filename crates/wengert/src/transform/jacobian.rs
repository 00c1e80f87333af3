//! Jacobians and second derivatives.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::{Cotangent, Mode, iota, layout};
use wengert_ir::trace::{Kind, Var, asked_at};
use wengert_ir::transform;

use super::grad::{pushed, value_and_gradient};
use super::{Traced, expect_floats, rebuild, traced, types};
use crate::tree::{self, Tree};

/// Returns the Jacobian by forward mode, with one direction for each number of the argument. It has the
/// structure of the function's result with that of the argument in each leaf; a leaf has the shape of the
/// result's leaf followed by that of the argument's. For a function from `Var` to `Var` it is a `Var`. Its
/// element type is the result's.
///
/// # Errors
/// If a leaf of the argument is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(jacfwd(|x: Var| x * x));
/// let j = f.call([1.0, 2.0])?;
/// assert_eq!(j.to_vec::<f64>()?, [2.0, 0.0, 0.0, 4.0]);
///
/// // Two arguments and two results: the derivatives of each result by each argument.
/// let f = jit(jacfwd(|(x, a): (Var, Var)| [a * x, x.sum()]));
/// let [(product_x, product_a), (sum_x, _)] = f.call(([1.0, 2.0], 3.0))?;
/// assert_eq!(product_x.to_vec::<f64>()?, [3.0, 0.0, 0.0, 3.0]);
/// assert_eq!(product_a.to_vec::<f64>()?, [1.0, 2.0]);
/// assert_eq!(sum_x.to_vec::<f64>()?, [1.0, 1.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jacfwd<X, Y, F>(f: F) -> impl Fn(X) -> Y::Nest<X> + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || forward("jacfwd", x, &f).1)
}

/// Returns the value and the Jacobian by forward mode: `(y, dy/dx)`. See [`jacfwd`].
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(value_and_jacfwd(|x: Var| x.square()));
/// let (y, j) = f.call([1.0, 3.0])?;
/// assert_eq!(y.to_vec::<f64>()?, [1.0, 9.0]);
/// assert_eq!(j, Array::from([[2.0, 0.0], [0.0, 6.0]]));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn value_and_jacfwd<X, Y, F>(f: F) -> impl Fn(X) -> (Y, Y::Nest<X>) + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || forward("value_and_jacfwd", x, &f))
}

#[track_caller]
fn forward<X, Y>(op: &str, x: X, f: impl FnOnce(X) -> Y) -> (Y, Y::Nest<X>)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let (leaves, def) = tree::flatten(x);
    let tys = types(&leaves);
    expect_floats(op, &tys, &def);
    let f = traced(Kind::Plain, &tys, &def, f);
    let (y, dy) = columns(&f, &leaves, &tys);
    (rebuild(&f.out, &y), rebuild(&f.out.nested(&def), &dy))
}

/// Computes the results of a function, and for each the derivatives by each leaf of the argument.
#[track_caller]
fn columns(f: &Traced, leaves: &[Var], tys: &[Type]) -> (Vec<Var>, Vec<Var>) {
    let func = &f.closed.func;
    let args = [leaves, &f.closed.captures].concat();
    let (n, basis) = unit_vectors(tys);
    let results = func.results.len();
    if n == 0 {
        // Without directions there is no lane to take the value from.
        let y = transform::inline(func, &args);
        let mut dy = vec![];
        for y in &y {
            for ty in tys {
                dy.push(Var::zeros(&Type::new(
                    y.dtype(),
                    &[y.shape(), ty.dims()].concat(),
                )));
            }
        }
        return (y, dy);
    }
    let column = |e: &[Var]| {
        let mut dx = vec![None; args.len()];
        for (dx, e) in dx.iter_mut().zip(e) {
            *dx = Some(*e);
        }
        let (mut y, dy) = transform::replay(func, &args, &dx, Mode::Fused);
        let zeros = |y: &Var| Var::zeros(&y.ty());
        let dy: Vec<Var> = y
            .iter()
            .zip(dy)
            .map(|(y, d)| d.unwrap_or_else(|| zeros(y)))
            .collect();
        y.extend(dy);
        y
    };
    let out = match n {
        // The one direction is no batch.
        1 => {
            let ones: Vec<Var> = tys.iter().map(|ty| Var::full(ty, 1.0)).collect();
            let stacked = |y: Var| layout::reshape(y, &[&[1], &y.shape()[..]].concat());
            column(&ones).into_iter().map(stacked).collect()
        }
        _ => wengert_ir::ops::map::map(&basis, n, column),
    };
    // Mapping puts the directions first; the Jacobian has them last.
    let mut dy = vec![];
    for d in &out[results..] {
        let rank = d.rank() - 1;
        let last = layout::move_axis(*d, 0, rank);
        let dims = last.shape();
        let mut start = 0;
        for ty in tys {
            let part = layout::slice_axis(last, rank, start..start + ty.size());
            start += ty.size();
            dy.push(layout::reshape(part, &[&dims[..rank], &ty.dims()].concat()));
        }
    }
    let y = out[..results].iter().map(|y| layout::row(*y, 0)).collect();
    (y, dy)
}

/// Returns the Jacobian by reverse mode, with one pullback for each number of the result. Like that of
/// [`jacfwd`], it has the structure of the function's result with that of the argument in each leaf; for a
/// function with one result, the structure of the argument. The element types are the argument's.
///
/// # Errors
/// If a leaf of the argument or of the result is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(jacrev(|x: Var| x.sum() * x));
/// assert_eq!(f.call([1.0, 2.0])?.to_vec::<f64>()?, [4.0, 1.0, 2.0, 5.0]);
///
/// let f = jit(jacrev(|[x, y]: [Var; 2]| [x * y, x + y]));
/// let [[xy_x, xy_y], [sum_x, _]] = f.call([3.0, 5.0])?;
/// assert_eq!((xy_x.item::<f64>()?, xy_y.item::<f64>()?, sum_x.item::<f64>()?), (5.0, 3.0, 1.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jacrev<X, Y, F>(f: F) -> impl Fn(X) -> Y::Nest<X> + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || backward("jacrev", x, &f).1)
}

/// Returns the value and the Jacobian by reverse mode: `(y, dy/dx)`. See [`jacrev`].
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(value_and_jacrev(|x: Var| x * x));
/// let (y, j) = f.call([1.0, 2.0])?;
/// assert_eq!(y.to_vec::<f64>()?, [1.0, 4.0]);
/// assert_eq!(j.to_vec::<f64>()?, [2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn value_and_jacrev<X, Y, F>(f: F) -> impl Fn(X) -> (Y, Y::Nest<X>) + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| asked_at(place, || backward("value_and_jacrev", x, &f))
}

#[track_caller]
fn backward<X, Y>(op: &str, x: X, f: impl FnOnce(X) -> Y) -> (Y, Y::Nest<X>)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let (leaves, def) = tree::flatten(x);
    let tys = types(&leaves);
    expect_floats(op, &tys, &def);
    let f = traced(Kind::Plain, &tys, &def, f);
    let results = f.closed.func.result_types();
    super::expect_float_results(op, &results, &f.out);
    let (y, dy) = rows(&f, &leaves, &tys, &results);
    (rebuild(&f.out, &y), rebuild(&f.out.nested(&def), &dy))
}

/// Computes the results of a function, and for each the derivatives by each leaf of the argument.
#[track_caller]
fn rows(f: &Traced, leaves: &[Var], tys: &[Type], results: &[Type]) -> (Vec<Var>, Vec<Var>) {
    let func = &f.closed.func;
    let args = [leaves, &f.closed.captures].concat();
    let active: Vec<bool> = (0..args.len()).map(|i| i < leaves.len()).collect();
    let (y, linear) = transform::linearize(func, &args, &active);
    let (m, basis) = unit_vectors(results);
    let back = wengert_ir::ops::map::map(&basis, m, |e| {
        let ct: Vec<_> = e.iter().map(|e| Some(Cotangent::new(*e))).collect();
        let all = tys.iter().zip(linear.pull(&ct));
        all.map(|(ty, c)| c.map_or_else(|| Var::zeros(ty), |c| c.value))
            .collect()
    });
    let mut dy = vec![];
    let mut start = 0;
    for result in results {
        let rows = start..start + result.size();
        start = rows.end;
        for (v, ty) in back.iter().zip(tys) {
            let part = layout::slice_axis(*v, 0, rows.clone());
            dy.push(layout::reshape(part, &[result.dims(), ty.dims()].concat()));
        }
    }
    (y, dy)
}

/// Returns the Hessian of a scalar function, by forward over reverse mode. It has the structure of the argument
/// with that same structure in each leaf: for an array it is an array; for a struct of parameters, `h.a.b` is
/// the derivative by `a` and `b`.
///
/// # Errors
/// If the result is not a float scalar, or a leaf of the argument is not a float.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(hessian(|x: Var| x.at(0) * x.at(0) * x.at(1)));
/// assert_eq!(f.call([2.0, 3.0])?.to_vec::<f64>()?, [6.0, 4.0, 4.0, 0.0]);
///
/// #[derive(Tree, Clone, Copy)]
/// struct Peak<T = Var> {
///     height: T,
///     width: T,
/// }
/// let h = jit(hessian(|p: Peak| p.height * p.width.square())).call(Peak { height: 2.0, width: 3.0 })?;
/// assert_eq!(h.height.width.item::<f64>()?, 6.0);
/// assert_eq!(h.width.width.item::<f64>()?, 4.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn hessian<X, F>(f: F) -> impl Fn(X) -> X::Nest<X> + Clone
where
    X: Tree<Leaf = Var>,
    F: Fn(X) -> Var + Clone,
{
    let place = Location::caller();
    let gradient = move |x| value_and_gradient("hessian", place, x, |x| (f(x), ())).1;
    move |x| asked_at(place, || forward("hessian", x, &gradient).1)
}

/// Computes the product of a scalar function's Hessian with a vector without forming the Hessian: the
/// derivative of the gradient at `x` along `v`.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, v): (Var, Var)| hvp(|x: Var| x.powi(3).sum(), x, v));
/// assert_eq!(f.call(([1.0, 2.0], [1.0, 10.0]))?.to_vec::<f64>()?, [6.0, 120.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn hvp<X, F>(f: F, x: X, v: X) -> X
where
    X: Tree<Leaf = Var> + crate::IntoTree<Tree = X>,
    F: Fn(X) -> Var,
{
    let place = Location::caller();
    let gradient = |x| value_and_gradient("hvp", place, x, |x| (f(x), ())).1;
    pushed("hvp", gradient, x, v).1
}

/// Returns all unit vectors for leaves of these types, and how many there are: for each leaf its part of them,
/// along a new first axis.
#[track_caller]
fn unit_vectors(types: &[Type]) -> (usize, Vec<Var>) {
    let n: usize = types.iter().map(Type::size).sum();
    let mut start = 0i64;
    let mut parts = Vec::with_capacity(types.len());
    for ty in types {
        let m = ty.size();
        let rows = iota::iota(Type::new(DType::I64, &[n, m]), 0);
        let columns = iota::iota(Type::new(DType::I64, &[n, m]), 1);
        let columns = match start {
            0 => columns,
            _ => columns + start,
        };
        let units = rows.eq(columns).to(ty.dtype);
        parts.push(layout::reshape(units, &[&[n], &ty.dims()[..]].concat()));
        start += m as i64;
    }
    (n, parts)
}
