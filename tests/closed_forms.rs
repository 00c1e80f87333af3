//! Derivatives of compositions of transforms against closed forms, by machine code and by the
//! interpreter.

use wengert::prelude::*;
use wengert::{Feed, tree};

/// The results for those arguments, which are the same whether compiled or interpreted.
#[track_caller]
fn run<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A) -> Vec<Vec<f64>>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    let f = jit(f);
    let leaves = |y: Y::With<Array>| -> Vec<Vec<f64>> {
        let leaves = tree::leaves(&y);
        leaves.iter().map(|a| a.to_vec::<f64>().unwrap()).collect()
    };
    let compiled = leaves(f.call(args.clone()).unwrap());
    assert_eq!(
        compiled,
        leaves(f.interpret(args).unwrap()),
        "compiled and interpreted"
    );
    compiled
}

#[track_caller]
fn one<A: Feed<Array> + Clone>(f: impl Fn(Var) -> Var + Send + Sync + 'static, x: A) -> f64 {
    run(f, x)[0][0]
}

#[track_caller]
fn near(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!(
            (g - w).abs() <= 1e-12 * (1.0 + w.abs()),
            "{got:?} and {want:?}"
        );
    }
}

#[test]
fn third_derivative() {
    let f = |x: Var| x.powi(5) + x.exp();
    let d3 = one(grad(grad(grad(f))), 1.5);
    near(&[d3], &[60.0 * 1.5 * 1.5 + f64::exp(1.5)]);
    let d4 = one(grad(grad(grad(grad(|x: Var| x.sin())))), 0.7);
    near(&[d4], &[f64::sin(0.7)]);
}

#[test]
fn inner_derivatives_of_captured_values() {
    assert_eq!(
        one(|x| grad(|x: Var| x * grad_at(1.0, |y| x + y))(x), 3.0),
        1.0
    );
    assert_eq!(
        one(|x| grad(|x: Var| x * grad_at(x, |y| x * y))(x), 3.0),
        6.0
    );
    let inner = |x: Var| x * jvp(|y: Var| x * y * y, Var::from(2.0), Var::from(1.0)).1;
    assert_eq!(one(grad(inner), 3.0), 24.0);
}

#[test]
fn batches_of_batches() {
    let f = |x: Var| x * x + 1.0;
    let y = run(vmap(vmap(f)), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(y[0], [2.0, 5.0, 10.0, 17.0, 26.0, 37.0]);
    // Every pair, by a batch in a batch, each of which captures.
    let outer = |(a, b): (Var, Var)| wengert::map(a, |a| wengert::map(b, |b| a * b));
    let y = run(outer, ([1.0, 2.0], [3.0, 4.0, 5.0]));
    assert_eq!(y[0], [3.0, 4.0, 5.0, 6.0, 8.0, 10.0]);
}

/// x^n by n products, and its derivative.
fn power(x: Var, n: i64) -> Var {
    scan(1.0, 0..n, |p, _| (p * x, ())).0
}

#[test]
fn batch_of_gradients_of_a_scan() {
    let y = run(vmap(grad(|x: Var| power(x, 5))), [0.5, 1.0, 2.0, -1.0, 3.0]);
    let want: Vec<f64> = [0.5f64, 1.0, 2.0, -1.0, 3.0]
        .map(|x| 5.0 * x.powi(4))
        .into();
    near(&y[0], &want);
    let y = run(vmap(grad(grad(|x: Var| power(x, 5)))), [0.5, 1.0, 2.0]);
    let want: Vec<f64> = [0.5f64, 1.0, 2.0].map(|x| 20.0 * x.powi(3)).into();
    near(&y[0], &want);
}

/// Doubled until it is at least 100: `x 2^k` with k steps.
fn doubled(x: Var) -> Var {
    while_loop(x, |y| y.lt(100.0), |y| y * 2.0)
}

/// The same with a factor: `x w^k`.
fn grown((x, w): (Var, Var)) -> Var {
    while_loop(x, |y| y.lt(100.0), |y| y * w)
}

#[test]
fn gradient_of_a_loop_of_unknown_length() {
    for (x, k) in [(3.0, 6), (60.0, 1), (100.0, 0), (1e-3, 17)] {
        assert_eq!(one(grad(doubled), x), 2f64.powi(k), "{x}");
    }
    // d(x w^k)/dw = k x w^(k-1), and its own derivative.
    let y = run(grad(grown), (3.0, 1.5));
    let k = 9;
    near(&y[0], &[1.5f64.powi(k)]);
    near(&y[1], &[f64::from(k) * 3.0 * 1.5f64.powi(k - 1)]);
    let second = |(x, w): (Var, Var)| grad_at(w, |w| grad_at(w, |w| grown((x, w))));
    let y = run(second, (3.0, 1.5));
    near(&y[0], &[f64::from(k * (k - 1)) * 3.0 * 1.5f64.powi(k - 2)]);
}

#[test]
fn batch_of_gradients_of_a_loop_of_unknown_length() {
    let xs = [3.0, 60.0, 100.0, 1e-3, 7.0, 12.0, 99.0];
    let y = run(vmap(grad(doubled)), xs);
    let steps = |x: f64| (0..).find(|k| x * 2f64.powi(*k) >= 100.0).unwrap();
    let want: Vec<f64> = xs.iter().map(|&x| 2f64.powi(steps(x))).collect();
    assert_eq!(y[0], want);
}

#[test]
fn counted_loops_with_traced_bounds() {
    let power = |(x, n): (Var, Var)| fori(..n, 1.0, |_, p| p * x);
    let f = move |(x, n): (Var, Var)| grad_at(x, |x| power((x, n)));
    for n in [0i64, 1, 2, 7] {
        let want = if n == 0 {
            0.0
        } else {
            n as f64 * 1.5f64.powi(n as i32 - 1)
        };
        near(&run(f, (1.5, n))[0], &[want]);
    }
    // An array that is carried: each element to the power n.
    let powers = |(x, n): (Var, Var)| fori(..n, wengert::ones_like(x), |_, p| p * x).sum();
    let f = move |(x, n): (Var, Var)| grad_at(x, |x| powers((x, n)));
    let y = run(f, ([0.5, 1.0, 2.0, 3.0, 4.0], 3i64));
    near(&y[0], &[0.75, 3.0, 12.0, 27.0, 48.0]);
}

#[test]
fn forward_over_reverse() {
    // The product of the Hessian of x^T x * sum(x) with a vector: see by hand.
    let f = |x: Var| x.dot(x) * x.sum();
    let hv = move |(x, v): (Var, Var)| jvp(grad(f), x, v).1;
    let (x, v) = ([1.0, 2.0], [3.0, -1.0]);
    // H = 2 I sum(x) + 2 (x 1^T + 1 x^T)
    let (sum, sv, xv) = (3.0, 2.0, 1.0);
    let want: Vec<f64> = (0..2)
        .map(|i| 2.0 * sum * v[i] + 2.0 * (x[i] * sv + xv))
        .collect();
    near(&run(hv, (x, v))[0], &want);
    let hv = move |(x, v): (Var, Var)| wengert::hvp(f, x, v);
    near(&run(hv, (x, v))[0], &want);
}

#[test]
fn gradient_of_a_batch() {
    let f = |x: Var| vmap(|x: Var| x * x * x)(x).sum();
    near(&run(grad(f), [1.0, 2.0, -3.0])[0], &[3.0, 12.0, 27.0]);
    // What is the same for the whole batch gathers from all of it.
    let f = |(w, x): (Var, Var)| wengert::map(x, |x| (w * x).sin()).sum();
    let y = run(grad(f), (2.0, [0.1, 0.2]));
    near(&y[0], &[0.1 * f64::cos(0.2) + 0.2 * f64::cos(0.4)]);
}

#[test]
fn hessians() {
    // x^2 y + y^3
    let f = |x: Var| x.at(0) * x.at(0) * x.at(1) + x.at(1).powi(3);
    let want = [6.0, 4.0, 4.0, 18.0];
    near(&run(jacfwd(jacrev(f)), [2.0, 3.0])[0], &want);
    near(&run(jacrev(jacfwd(f)), [2.0, 3.0])[0], &want);
    near(&run(jacrev(jacrev(f)), [2.0, 3.0])[0], &want);
    near(&run(jacfwd(jacfwd(f)), [2.0, 3.0])[0], &want);
    near(&run(hessian(f), [2.0, 3.0])[0], &want);
}

#[test]
fn a_root_that_is_found_by_iteration() {
    // Newton's method, differentiated through its steps: d/da sqrt(a) = 1 / (2 sqrt(a)).
    let root = |a: Var| {
        let next = move |x: Var| 0.5 * (x + a / x);
        while_loop(
            (a, next(a)),
            |(x, y)| (x - y).abs().gt(1e-13),
            |(_, y)| (y, next(y)),
        )
        .1
    };
    let xs = [2.0f64, 9.0, 0.25];
    let want: Vec<f64> = xs.iter().map(|a| 0.5 / a.sqrt()).collect();
    near(&run(vmap(grad(root)), xs)[0], &want);
    let want: Vec<f64> = xs.iter().map(|a| -0.25 / (a * a.sqrt())).collect();
    let second = run(vmap(grad(grad(root))), xs);
    for (got, want) in second[0].iter().zip(want) {
        assert!((got - want).abs() < 1e-9, "{second:?}");
    }
}

#[test]
fn branches_in_batches() {
    let f = |x: Var| cond(x.gt(0.0), x, |x| x.sqrt(), |x| x * x);
    let xs = [4.0, -1.0, 0.25, 0.0];
    near(&run(vmap(f), xs)[0], &[2.0, 1.0, 0.5, 0.0]);
    near(&run(vmap(grad(f)), xs)[0], &[0.25, -2.0, 1.0, 0.0]);
    near(
        &run(vmap(grad(grad(f))), xs)[0],
        &[-1.0 / 32.0, 2.0, -2.0, 2.0],
    );
}
