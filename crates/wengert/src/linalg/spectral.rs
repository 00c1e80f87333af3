//! Functions of symmetric matrices whose derivatives are right where eigenvalues coincide.

use std::panic::Location;
use std::rc::Rc;

use crate::solver::{asked_at, expect_floats, inside, refuse};
use crate::tree::{self, Vars};
use crate::{Var, custom_jvp, jvp, ones_like, stack, vmap, zeros_like};

/// A function of numbers, element by element, and the leaves of its parameters.
type Scalar = Rc<dyn Fn(Var, &[Var]) -> Var>;

/// The order to which derivatives are those of the function, whatever the eigenvalues.
const ORDER: usize = 2;

/// Two numbers are near if they differ by less than this part of the larger one. A difference quotient of others loses
/// less than two digits for each order, and quadrature between near ones is exact to the last.
const NEAR: f64 = 0.03;

/// The nodes and weights of Gauss's and Legendre's quadrature with 5 points, on [0, 1] (Abramowitz and Stegun, 25.4.29).
const GAUSS: [(f64, f64); 5] = [
    (0.046_910_077_030_668_0, 0.118_463_442_528_094_54),
    (0.230_765_344_947_158_45, 0.239_314_335_249_683_23),
    (0.5, 0.284_444_444_444_444_44),
    (0.769_234_655_052_841_5, 0.239_314_335_249_683_23),
    (0.953_089_922_969_332, 0.118_463_442_528_094_54),
];

/// A function of symmetric matrices, `V f(Λ) Vᵀ` for the eigenvalues `Λ` and eigenvectors `V` of the last two axes:
/// `scipy.linalg.funm` of a symmetric matrix. `f(λ, p)` is applied element by element; `p` is the tree of its
/// parameters. Axes in front are those of a batch. Matrices are taken for their symmetric parts.
///
/// Derivative: by divided differences of `f` (Daleckii and Krein; Higham, *Functions of Matrices*, 2008, theorem 3.11),
/// which are means of derivatives of `f` where eigenvalues are near one another (Hermite and Genocchi). It is exact at
/// equal eigenvalues to second order. So it is by `p`.
///
/// # Errors
/// If the last two axes differ in length, elements or parameters are no floats, `f` gives another shape than that of
/// its argument, or captures a [`Var`]: pass it in `p`.
///
/// ```
/// use wengert::linalg::funm_symmetric;
/// use wengert::prelude::*;
///
/// // The square root of 4·1 is 2·1; in any direction e its derivative is e/4.
/// let root = |a: Var| funm_symmetric(a, (), |x, ()| x.sqrt());
/// let (y, dy) = jit(move |(a, e): (Var, Var)| jvp(root, a, e)).call((
///     [[4.0, 0.0], [0.0, 4.0]],
///     [[1.0, 2.0], [2.0, 0.0]],
/// ))?;
/// assert!(y.all_close(&Array::from([[2.0, 0.0], [0.0, 2.0]]), 1e-15, 1e-15));
/// assert!(dy.all_close(&Array::from([[0.25, 0.5], [0.5, 0.0]]), 1e-15, 1e-15));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn funm_symmetric<P, F>(a: Var, p: P, f: F) -> Var
where
    P: crate::IntoTree,
    P::Tree: Vars + Clone,
    F: Fn(Var, P::Tree) -> Var + 'static,
{
    of_each("funm_symmetric", a, p, f, |f, a, p| {
        function(f, a, p, ORDER)
    })
}

/// The sum of a function of the eigenvalues of symmetric matrices in the last two axes, the trace of
/// [`funm_symmetric`]: an energy, a log-determinant, a nuclear norm (of `aᵀ a`, with the square root).
///
/// Derivative: `f'(a)`, a function of the matrix itself, and so exact at equal eigenvalues to third order, where a sum
/// of `f` of [`Var::eigvalsh`] has the right gradient only.
///
/// # Errors
/// As [`funm_symmetric`].
///
/// ```
/// use wengert::linalg::spectral_sum;
/// use wengert::prelude::*;
///
/// // Of cubes: its gradient at the identity is 3·1, and the change of that in a direction e is 6 e.
/// let cubes = |a: Var| spectral_sum(a, (), |x, ()| x.powi(3));
/// let e = [[1.0, 2.0], [2.0, 5.0]];
/// let (g, h) = jit(move |(a, e): (Var, Var)| jvp(grad(cubes), a, e)).call((
///     [[1.0, 0.0], [0.0, 1.0]],
///     e,
/// ))?;
/// assert!(g.all_close(&Array::from([[3.0, 0.0], [0.0, 3.0]]), 1e-14, 1e-14));
/// assert!(h.all_close(&Array::from([[6.0, 12.0], [12.0, 30.0]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn spectral_sum<P, F>(a: Var, p: P, f: F) -> Var
where
    P: crate::IntoTree,
    P::Tree: Vars + Clone,
    F: Fn(Var, P::Tree) -> Var + 'static,
{
    of_each("spectral_sum", a, p, f, |f, a, p| sum(f, a, p, ORDER + 1))
}

/// Applies `g` to each matrix, its symmetric part, with the function made one of leaves.
#[track_caller]
fn of_each<P, F>(
    op: &'static str,
    a: Var,
    p: P,
    f: F,
    g: impl Fn(Scalar, Var, Vec<Var>) -> Var,
) -> Var
where
    P: crate::IntoTree,
    P::Tree: Vars + Clone,
    F: Fn(Var, P::Tree) -> Var + 'static,
{
    let place = Location::caller();
    asked_at(place, || {
        let (ty, dims) = (a.ty(), a.shape());
        if !ty.is_float() {
            let hint = "convert it first, as in `x.to(DType::F64)`";
            refuse(op, format!("{ty} is not an array of floats; {hint}"));
        }
        let [batch @ .., m, n] = &dims[..] else {
            refuse(op, format!("{ty} is not a matrix"));
        };
        if m != n {
            refuse(op, format!("{ty} is not a square matrix"));
        }
        let p = p.into_tree();
        expect_floats(op, "the parameter", &p);
        let (leaves, def) = tree::flatten(p);
        let f: Scalar = Rc::new(move |x: Var, p: &[Var]| {
            let p = tree::unflatten(&def, p.iter().copied())
                .unwrap_or_else(|e| crate::solver::raise(e));
            let y = inside(|| f(x, p));
            if y.ty() != x.ty() {
                refuse(op, format!("the function makes {} of {}", y.ty(), x.ty()));
            }
            y
        });
        let half = |a: Var| (a + a.swap_axes(-1, -2)) * 0.5;
        match batch {
            [] => g(f, half(a), leaves),
            _ => {
                let count: usize = batch.iter().product();
                let all = a.reshape([count, *m, *n].map(|n| n as i64));
                let each = vmap(|a: Var| asked_at(place, || g(f.clone(), half(a), leaves.clone())));
                let y = each(all);
                let own = y.shape()[1..].to_vec();
                let dims: Vec<i64> = batch.iter().chain(&own).map(|&n| n as i64).collect();
                y.reshape(dims)
            }
        }
    })
}

/// `f'`.
fn slope(f: &Scalar) -> Scalar {
    let f = f.clone();
    Rc::new(move |x, p| jvp(|x: Var| f(x, p), x, ones_like(x)).1)
}

/// The tangent of `f` by its parameters, which are followed by their tangents.
fn by_parameters(f: &Scalar) -> Scalar {
    let f = f.clone();
    Rc::new(move |x, all| {
        let (p, dp) = all.split_at(all.len() / 2);
        jvp(|p: Vec<Var>| f(x, &p), p.to_vec(), dp.to_vec()).1
    })
}

/// `Σ f(λ)`, with derivatives that are right to the order `left`.
fn sum(f: Scalar, a: Var, p: Vec<Var>, left: usize) -> Var {
    let value = |f: &Scalar, a: Var, p: &[Var]| f(a.eigvalsh(), p).sum();
    if left == 0 {
        return value(&f, a, &p);
    }
    let of = f.clone();
    let whole = custom_jvp(
        move |(a, p): (Var, Vec<Var>)| value(&of, a, &p),
        move |(a, p): (Var, Vec<Var>), (da, dp): (Var, Vec<Var>)| {
            let y = sum(f.clone(), a, p.clone(), left - 1);
            let mut dy = (function(slope(&f), a, p.clone(), left - 1) * da).sum();
            if !p.is_empty() {
                dy = dy + sum(by_parameters(&f), a, [p, dp].concat(), left - 1);
            }
            (y, dy)
        },
    );
    whole((a, p))
}

/// `V f(Λ) Vᵀ`, with derivatives that are right to the order `left`.
fn function(f: Scalar, a: Var, p: Vec<Var>, left: usize) -> Var {
    differential(f, a, vec![], p, left)
}

/// The differential of the function of a matrix in the directions `es`, whose derivatives are right to the order
/// `left`.
fn differential(f: Scalar, a: Var, es: Vec<Var>, p: Vec<Var>, left: usize) -> Var {
    if left == 0 {
        return along(&f, a, &es, &p);
    }
    type All = (Var, Vec<Var>, Vec<Var>);
    let of = f.clone();
    let whole = custom_jvp(
        move |(a, es, p): All| along(&of, a, &es, &p),
        move |(a, es, p): All, (da, des, dp): All| {
            let next = |f: &Scalar, es: &[Var], p: &[Var]| {
                differential(f.clone(), a, es.to_vec(), p.to_vec(), left - 1)
            };
            let y = next(&f, &es, &p);
            let mut dy = next(&f, &[&es[..], &[da]].concat(), &p);
            for i in 0..es.len() {
                let mut others = es.clone();
                others[i] = des[i];
                dy = dy + next(&f, &others, &p);
            }
            if !p.is_empty() {
                dy = dy + next(&by_parameters(&f), &es, &[p, dp].concat());
            }
            (y, dy)
        },
    );
    whole((a, es, p))
}

/// The value of a differential: in the basis of eigenvectors, the sum over paths from `i` to `j` of the divided
/// difference of `f` at the eigenvalues on the way, times the elements of the directions in any order.
fn along(f: &Scalar, a: Var, es: &[Var], p: &[Var]) -> Var {
    let (values, v) = a.eigh();
    let turned: Vec<Var> = es.iter().map(|e| v.t().matmul(*e).matmul(v)).collect();
    let y = match es.len() {
        0 => return (v * f(values, p)).matmul(v.t()),
        k => {
            let n = values.shape()[0];
            let axis = |i: usize| {
                let mut dims = vec![1i64; k + 1];
                dims[i] = n as i64;
                values.reshape(dims)
            };
            let all = vec![n as i64; k + 1];
            let nodes: Vec<Var> = (0..=k).map(|i| axis(i).broadcast_to(&all[..])).collect();
            let nodes = stack(&nodes).sort(0);
            let nodes: Vec<Var> = (0..=k).map(|i| nodes.at(i as i64)).collect();
            let weights = divided(f, &nodes, p);
            let mut sum = zeros_like(weights);
            for order in permutations(k) {
                let mut path = weights;
                for (step, &e) in order.iter().enumerate() {
                    let mut dims = vec![1i64; k + 1];
                    (dims[step], dims[step + 1]) = (n as i64, n as i64);
                    path = path * turned[e].reshape(dims);
                }
                sum = sum + path;
            }
            for _ in 1..k {
                sum = sum.sum_axis(1);
            }
            sum
        }
    };
    v.matmul(y).matmul(v.t())
}

/// All orders of `0..k`.
fn permutations(k: usize) -> Vec<Vec<usize>> {
    let Some(last) = k.checked_sub(1) else {
        return vec![vec![]];
    };
    let mut all = vec![];
    for shorter in permutations(last) {
        for at in 0..=last {
            let mut order = shorter.clone();
            order.insert(at, last);
            all.push(order);
        }
    }
    all
}

/// The divided difference of `f` at nodes in ascending order, element by element: a quotient where the outer nodes are
/// apart, and elsewhere the mean of a derivative over the simplex that they span (Hermite and Genocchi).
fn divided(f: &Scalar, nodes: &[Var], p: &[Var]) -> Var {
    let [first, .., last] = nodes else {
        return f(nodes[0], p);
    };
    let k = nodes.len() - 1;
    let apart = *last - *first;
    let near = apart.le(first.abs().maximum(last.abs()) * NEAR);
    let upper = divided(f, &nodes[1..], p);
    let lower = divided(f, &nodes[..k], p);
    let quotient = (upper - lower) / near.select(1.0, apart);
    let mut derivative = f.clone();
    for _ in 0..k {
        derivative = slope(&derivative);
    }
    let mean = over_simplex(&derivative, nodes, p);
    near.select(mean, quotient)
}

/// The integral of `f` over the simplex of weights of the nodes: one variable after the other, by quadrature.
fn over_simplex(f: &Scalar, nodes: &[Var], p: &[Var]) -> Var {
    // `at` is the point so far, `size` the share that is left to divide among the last nodes.
    fn inner(f: &Scalar, at: Var, size: f64, rest: &[Var], p: &[Var]) -> Var {
        let [node, rest @ ..] = rest else {
            return f(at, p);
        };
        // From the node before towards this one, t of the way in all.
        let mut sum: Option<Var> = None;
        for (x, w) in GAUSS {
            let t = size * x;
            let y = inner(f, at + *node * t, t, rest, p) * (size * w);
            sum = Some(sum.map_or(y, |sum| sum + y));
        }
        sum.expect("a point")
    }
    let steps: Vec<Var> = nodes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    inner(f, nodes[0], 1.0, &steps, p)
}
