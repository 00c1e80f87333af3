//! Values defined by an equation and differentiated through it: roots, fixed points, linear systems.

use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ops::implicit;
use wengert_ir::trace::{Var, asked_at, current_source, inside};

use super::{jvp, rebuild, same_trees, vjp};
use crate::control::while_loop;
use crate::solver;
use crate::tree::{self, IntoTree, Tree, TreeDef};

/// A function from a tree to one of the same structure and types.
type Endo<'a, X> = &'a dyn Fn(X) -> X;

/// Flattens the result of a function, which must have the structure and types of its argument.
#[track_caller]
fn like<X: Tree<Leaf = Var>>(op: &str, what: &str, x: &[Var], def: &TreeDef, y: X) -> Vec<Var> {
    let (y, y_def) = tree::flatten(y);
    same_trees(op, ["the guess", what], (x, def), (&y, &y_def));
    y
}

/// Computes the root of `f` that `solve` finds from a guess, differentiated through the equation `f(x) = 0` and
/// not through the steps that led to `x`: exact at the root, to any order, in both modes, and without memory
/// for those steps. Only what `f` captures has a derivative; the guess and what `solve` captures have none.
///
/// - `solve(f, guess)` returns `x`.
/// - `solve_linear(a, b)` returns the `y` of `a(y) = b` for a linear function `a`, the derivative of `f` at `x`
///   or its transpose: `b / a(1)` for a number, an iteration or a factorisation for more.
///
/// With `f(x, p) = 0`, the tangent of `x` is the `y` of `f_x(y) = -f_p(dp)`.
///
/// # Errors
/// If `f` or one of the solvers changes the structure or types of the guess, or the guess has leaves that are
/// not floats.
///
/// ```
/// use wengert::prelude::*;
///
/// // Kepler's equation E - e·sin E = m, by Newton's method; dE/dm = 1 / (1 - e·cos E).
/// let anomaly = |(m, e): (Var, Var)| {
///     let newton = |f: &dyn Fn(Var) -> Var, x: Var| {
///         fori(0..20, x, |_, x| {
///             let (y, slope) = jvp(|x: Var| f(x), x, Var::from(1.0));
///             x - y / slope
///         })
///     };
///     custom_root(|x: Var| x - e * x.sin() - m, m, newton, |a, b| b / a(Var::from(1.0)))
/// };
/// let f = jit(value_and_grad(anomaly));
/// let (x, (dm, _)) = f.call((1.0, 0.5))?;
/// let x = x.item::<f64>()?;
/// assert!((x - 0.5 * x.sin() - 1.0).abs() < 1e-15);
/// assert!((dm.item::<f64>()? - 1.0 / (1.0 - 0.5 * x.cos())).abs() < 1e-14);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_root<I, A>(
    f: impl Fn(I::Tree) -> A,
    guess: I,
    solve: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
    solve_linear: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
) -> I::Tree
where
    I: IntoTree,
    A: IntoTree<Tree = I::Tree>,
{
    let solve = |f: Endo<'_, I::Tree>, x| (solve(f, x), ());
    root_and_facts(
        Location::caller(),
        "custom_root",
        f,
        guess,
        solve,
        &solve_linear,
        &solve_linear,
    )
    .0
}

/// Is [`custom_root`] whose solver reports facts beside the root, such as the number of its steps and what ended
/// them: `solve(f, guess)` returns `(x, facts)`, and so does this function. The facts are a tree of any element
/// types, and have no derivative.
///
/// # Errors
/// As for [`custom_root`].
///
/// ```
/// use wengert::prelude::*;
///
/// // The square root of a, and the number of steps of Newton's method.
/// let root = |a: Var| {
///     let newton = |f: &dyn Fn(Var) -> Var, x: Var| {
///         let far = |(x, n): (Var, Var)| f(x).abs().gt(1e-12 * a) & n.lt(50);
///         while_loop((x, 0), far, |(x, n)| (x - f(x) / (2.0 * x), n + 1))
///     };
///     custom_root_aux(|x: Var| x * x - a, 1.0, newton, |f, b| b / f(Var::from(1.0)))
/// };
/// let (x, steps) = jit(root).call(2.0)?;
/// assert!((x.item::<f64>()? - 2f64.sqrt()).abs() < 1e-12);
/// assert_eq!(steps.item::<i64>()?, 5);
/// let slope = jit(grad(move |a| root(a).0)).call(2.0)?;
/// assert!((slope.item::<f64>()? - 0.5 / 2f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_root_aux<I, A, S>(
    f: impl Fn(I::Tree) -> A,
    guess: I,
    solve: impl Fn(Endo<'_, I::Tree>, I::Tree) -> (I::Tree, S),
    solve_linear: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
) -> (I::Tree, S::Tree)
where
    I: IntoTree,
    A: IntoTree<Tree = I::Tree>,
    S: IntoTree,
{
    root_and_facts(
        Location::caller(),
        "custom_root_aux",
        f,
        guess,
        solve,
        &solve_linear,
        &solve_linear,
    )
}

/// Is [`custom_root_aux`] with another solver for the transposed systems of reverse mode: `solve_transposed(a, c)` returns
/// the `y` of `a(y) = c`, where `a` is the transpose of the derivative of `f` at `x`. Both solvers may use what is known of the
/// derivative, such as factors, and need no matrix of `a` then.
///
/// # Errors
/// As for [`custom_root`].
///
/// ```
/// use wengert::prelude::*;
///
/// // x = a + e m·sin x by an iteration whose systems are solved alike, with the matrix transposed in reverse mode.
/// let m = Array::from([[0.0, 1.0], [0.0, 0.0]]);
/// let root = |a: Var| {
///     let f = |x: Var| x - a - 0.1 * Var::from(&m).matmul(x.sin());
///     let iterate = |f: &dyn Fn(Var) -> Var, x: Var| (fori(0..30, x, |_, x| x - f(x)), ());
///     let linear = |a: &dyn Fn(Var) -> Var, b: Var| fori(0..3, b, |_, y| y + b - a(y));
///     custom_root_with(f, a, iterate, linear, linear).0
/// };
/// let da = jit(grad(move |a| root(a).at(0))).call([0.5, 1.0])?;
/// assert!(da.all_close(&Array::from([1.0, 0.1 * 1f64.cos()]), 1e-12, 1e-12));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_root_with<I, A, S>(
    f: impl Fn(I::Tree) -> A,
    guess: I,
    solve: impl Fn(Endo<'_, I::Tree>, I::Tree) -> (I::Tree, S),
    solve_linear: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
    solve_transposed: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
) -> (I::Tree, S::Tree)
where
    I: IntoTree,
    A: IntoTree<Tree = I::Tree>,
    S: IntoTree,
{
    root_and_facts(
        Location::caller(),
        "custom_root_with",
        f,
        guess,
        solve,
        &solve_linear,
        &solve_transposed,
    )
}

/// What solves a linear system.
type Linear<'a, X> = &'a dyn Fn(Endo<'_, X>, X) -> X;

fn root_and_facts<I, A, S>(
    place: &'static Location<'static>,
    op: &str,
    f: impl Fn(I::Tree) -> A,
    guess: I,
    solve: impl Fn(Endo<'_, I::Tree>, I::Tree) -> (I::Tree, S),
    solve_linear: Linear<'_, I::Tree>,
    solve_transposed: Linear<'_, I::Tree>,
) -> (I::Tree, S::Tree)
where
    I: IntoTree,
    A: IntoTree<Tree = I::Tree>,
    S: IntoTree,
{
    asked_at(place, || {
        let (guess, def) = tree::flatten(guess.into_tree());
        expect_floats(op, &guess, &def);
        let f = |x: I::Tree| inside(|| f(x).into_tree());
        let tree = |x: &[Var]| rebuild::<I::Tree>(&def, x);
        let checked = |what, y| like(op, what, &guess, &def, y);
        let mut facts_def = None;
        let found = implicit::root(
            &guess,
            |x| checked("the value of the function", f(tree(x))),
            |x| {
                let (y, facts) = inside(|| {
                    let (y, facts) = solve(&f, tree(x));
                    (y, facts.into_tree())
                });
                let (facts, def) = tree::flatten(facts);
                facts_def = Some(def);
                [checked("what solves it", y), facts].concat()
            },
            &|x, b| {
                let apply = |y: I::Tree| jvp(f, tree(x), y).1;
                checked(
                    "what solves the linear system",
                    inside(|| solve_linear(&apply, tree(b))),
                )
            },
            &|x, c| {
                let pull = vjp(f, tree(x)).1;
                checked(
                    "what solves the linear system",
                    inside(|| solve_transposed(&pull, tree(c))),
                )
            },
        );
        let (root, facts) = found.split_at(guess.len());
        let facts_def = facts_def.expect("the solver was recorded");
        (rebuild(&def, root), rebuild(&facts_def, facts))
    })
}

/// Computes the fixed point `x = g(x)` that iteration from a start reaches, differentiated through that
/// equation and not through the steps: exact at the fixed point, to any order, in both modes. The start has no
/// derivative.
///
/// The iteration ends when no element changes by more than `tolerance · max(1, |x|)`. The linear systems of the
/// derivative, `y = g'(x)·y + b` and its transpose, are solved by such an iteration too; all converge if `g`
/// contracts near `x`, that is, if the eigenvalues of `g'(x)` are less than 1 in size.
///
/// # Errors
/// If `g` changes the structure or types of the start, or the start has leaves that are not floats. An
/// iteration that does not converge ends at the limit of steps ([`Jit::max_steps`](crate::Jit::max_steps)).
///
/// ```
/// use wengert::prelude::*;
///
/// // x = cos(a·x); dx/da = -x·sin(a·x) / (1 + a·sin(a·x)).
/// let f = |a: Var| fixed_point(1.0, 1e-15, |x: Var| (a * x).cos());
/// let (x, dx) = jit(value_and_grad(f)).call(1.0)?;
/// let (x, dx) = (x.item::<f64>()?, dx.item::<f64>()?);
/// assert!((x - x.cos()).abs() < 1e-14);
/// assert!((dx + x * x.sin() / (1.0 + x.sin())).abs() < 1e-14);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fixed_point<I, A>(start: I, tolerance: f64, g: impl Fn(I::Tree) -> A) -> I::Tree
where
    I: IntoTree,
    I::Tree: IntoTree<Tree = I::Tree> + Clone,
    A: IntoTree<Tree = I::Tree>,
{
    let place = Location::caller();
    let residual = |x: I::Tree| {
        let y = g(x.clone()).into_tree();
        // Checked here because the difference below would broadcast.
        let whats = ["the start", "the value of the function"];
        asked_at(place, || solver::same_trees("fixed_point", whats, &x, &y));
        tree::map2(y, x, |a, b| a - b)
    };
    custom_root(
        residual,
        start,
        |f, x| iterate(x, tolerance, |x| tree::map2(f(x.clone()), x, |a, b| a + b)),
        // a(y) = g'(x)·y - y = b, so y = a(y) + y - b.
        |a, b| {
            let zero = tree::zeros_like(&b);
            iterate(zero, tolerance, |y| {
                tree::map3(a(y.clone()), y, b.clone(), |a, y, b| a + y - b)
            })
        },
    )
}

/// Iterates until nothing changes by more than the tolerance.
fn iterate<X>(start: X, tolerance: f64, step: impl Fn(X) -> X) -> X
where
    X: Tree<Leaf = Var> + IntoTree<Tree = X> + Clone,
{
    let next = step(start.clone());
    let pair = while_loop(
        (start, next),
        |(x, y)| {
            let moved = tree::map2(x, y, |x, y| {
                // Not `le`: a NaN ends the iteration.
                (x - y).abs().gt(y.abs().maximum(1.0) * tolerance).any()
            });
            tree::leaves(&moved)
                .into_iter()
                .reduce(Var::or)
                .unwrap_or(Var::from(false))
        },
        |(_, y)| (y.clone(), step(y)),
    );
    pair.1
}

/// Computes the `x` of `apply(x) = b`, for a linear function `apply`, that `solve` finds; differentiated
/// through that equation and not through the steps of `solve`. In reverse mode `solve_transposed` solves the
/// transposed system; where `apply` is symmetric, it may be `solve` again.
///
/// Both solvers get the linear function of their system, and a right-hand side. Only what `apply` captures has
/// a derivative: `A dx = db - dA x`.
///
/// # Errors
/// If one of the functions changes the structure or types of `b`, or `b` has leaves that are not floats.
///
/// ```
/// use wengert::prelude::*;
///
/// // A tridiagonal system, by Jacobi's iteration.
/// let solve = |(d, b): (Var, Var)| {
///     let apply = move |x: Var| d * x - x.roll(1, 0) - x.roll(-1, 0);
///     let jacobi = move |a: &dyn Fn(Var) -> Var, b: Var| fori(0..60, b / d, |_, x| x + (b - a(x)) / d);
///     custom_linear_solve(apply, b, jacobi, jacobi)
/// };
/// let x = jit(solve).call((4.0, [2.0, 2.0, 2.0]))?;
/// assert!(x.to_vec::<f64>()?.iter().all(|x| (x - 1.0).abs() < 1e-12));
/// let (dd, _) = jit(grad(move |a| solve(a).sum())).call((4.0, [2.0, 2.0, 2.0]))?;
/// assert!((dd.item::<f64>()? + 1.5).abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn custom_linear_solve<I, A>(
    apply: impl Fn(I::Tree) -> A,
    b: I,
    solve: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
    solve_transposed: impl Fn(Endo<'_, I::Tree>, I::Tree) -> I::Tree,
) -> I::Tree
where
    I: IntoTree,
    A: IntoTree<Tree = I::Tree>,
{
    asked_at(Location::caller(), || {
        let (b, def) = tree::flatten(b.into_tree());
        expect_floats("custom_linear_solve", &b, &def);
        let apply = |x: I::Tree| inside(|| apply(x).into_tree());
        let tree = |x: &[Var]| rebuild::<I::Tree>(&def, x);
        let checked = |what, y| like("custom_linear_solve", what, &b, &def, y);
        let x = implicit::linear_solve(
            &b,
            |x| checked("the value of the function", apply(tree(x))),
            |b| checked("what solves it", inside(|| solve(&apply, tree(b)))),
            |c| {
                let zeros: Vec<Var> = b.iter().map(|v| Var::zeros(&v.ty())).collect();
                let pull = vjp(apply, tree(&zeros)).1;
                checked(
                    "what solves it transposed",
                    inside(|| solve_transposed(&pull, tree(c))),
                )
            },
        );
        rebuild(&def, &x)
    })
}

#[track_caller]
fn expect_floats(op: &str, leaves: &[Var], def: &TreeDef) {
    for (v, path) in leaves.iter().zip(def.paths()) {
        if !v.ty().is_float() {
            raise(Error::tree(
                op,
                format!("the unknown{path} is {}, and solutions are floats", v.ty()),
                current_source(),
            ));
        }
    }
}
