//! Fixed points, and roots of polynomials.

use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::root::{Anderson, fixed_point, polynomial};

#[test]
fn acceleration_saves_steps() {
    // A linear iteration whose slowest part shrinks by a hundredth a step.
    let shrink = [0.99, 0.9, -0.8, 0.5, 0.1];
    let g = move |x: Var| x * shrink + 1.0;
    let steps = |window: usize| {
        let f = jit(move |x: Var| {
            Anderson::new()
                .window(window)
                .max_steps(5000)
                .fixed_point(g, x)
        });
        let r = f.call([0.0; 5]).unwrap().ok().unwrap();
        let want = shrink.map(|s| 1.0 / (1.0 - s));
        assert!(r.x.all_close(&Array::from(want), 1e-8, 0.0), "{}", r.x);
        r.evaluations.item::<i64>().unwrap()
    };
    let (plain, few) = (steps(0), steps(5));
    assert!(plain > 2000 && few < 20, "{plain} {few}");
}

#[test]
fn derivatives_and_lanes() {
    let options = Options {
        order: 2,
        ..Options::default()
    };
    let g = |a: Var| move |(x, y): (Var, Var)| ((a * y).cos() * 0.7, (a * x + y).sin() * 0.5);
    check_grads_with(move |a: Var| fixed_point(g(a), (0.1, 0.2)).x, 0.9, &options).unwrap();
    let all = move |a: Var| {
        let r = fixed_point(g(a), (0.1, 0.2));
        (r.x, r.residual, r.iterations, r.evaluations, r.status)
    };
    let rows: Vec<f64> = (0..19).map(|i| 0.3 * f64::from(i) - 1.0).collect();
    check_vmap(all, rows).unwrap();
    // One that runs away, one without a value, and one that is fine.
    let r = jit(vmap(|a: Var| {
        fixed_point(move |x: Var| a * x * x + 0.1, 0.5)
    }))
    .call([1e3, f64::NAN, 1.0])
    .unwrap();
    let status = r.statuses().unwrap();
    assert_eq!(
        status[1..],
        [Status::StartNotFinite, Status::ResidualConverged]
    );
    let error = jit(|x: Var| fixed_point(|x: Var| x.at(..1), x))
        .call([1.0, 2.0])
        .unwrap_err()
        .to_string();
    let want = "fixed_point: the start has f64[2], and the value of the function has f64[1], at ";
    assert!(
        error.starts_with(want) && error.contains("fixed.rs:"),
        "{error}"
    );
}

/// The roots of a polynomial, in the order of their real and imaginary parts.
fn sorted(c: Vec<f64>) -> Vec<(f64, f64)> {
    let r = jit(polynomial).call(c).unwrap().ok().unwrap();
    let (re, im) = (
        r.x.re.to_vec::<f64>().unwrap(),
        r.x.im.to_vec::<f64>().unwrap(),
    );
    let mut all: Vec<_> = re.into_iter().zip(im).collect();
    all.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap());
    all
}

#[test]
fn polynomials() {
    let near = |c: &[f64], want: &[(f64, f64)], by: f64| {
        for (a, b) in sorted(c.to_vec()).into_iter().zip(want) {
            assert!((a.0 - b.0).hypot(a.1 - b.1) < by, "{c:?}: {a:?} {b:?}");
        }
    };
    near(&[2.0, -3.0], &[(1.5, 0.0)], 1e-15);
    near(&[1.0, 0.0, 1.0], &[(0.0, -1.0), (0.0, 1.0)], 1e-14);
    near(&[1.0, 0.0, 0.0], &[(0.0, 0.0), (0.0, 0.0)], 1e-7);
    near(&[1.0, -2.0, 1.0], &[(1.0, 0.0), (1.0, 0.0)], 1e-7);
    let half = 3f64.sqrt() / 2.0;
    near(
        &[1.0, 0.0, 0.0, -1.0],
        &[(-0.5, -half), (-0.5, half), (1.0, 0.0)],
        1e-14,
    );
    // Roots of very different sizes: (x - 1e-3)(x - 1)(x - 1e3).
    let c = [1.0, -(1e3 + 1.0 + 1e-3), 1e3 + 1.0 + 1e-3, -1.0];
    near(&c, &[(1e-3, 0.0), (1.0, 0.0), (1e3, 0.0)], 1e-10);
    // Wilkinson's polynomial of degree 10.
    let mut c = vec![1.0];
    for k in 1..=10 {
        c.push(0.0);
        for i in (1..c.len()).rev() {
            c[i] -= f64::from(k) * c[i - 1];
        }
    }
    let want: Vec<(f64, f64)> = (1..=10).map(|k| (f64::from(k), 0.0)).collect();
    near(&c, &want, 1e-7);
    let none = jit(polynomial).call([0.0, 1.0, 2.0]).unwrap();
    assert_eq!(none.statuses().unwrap(), [Status::StartNotFinite]);
    let error = jit(polynomial).call([1.0]).unwrap_err().to_string();
    assert!(
        error.starts_with("root::polynomial: the coefficients are f64[1], and must be"),
        "{error}"
    );
}

#[test]
fn derivatives_of_polynomials() {
    let options = Options {
        order: 2,
        ..Options::default()
    };
    let sums = |c: Var| {
        let z = polynomial(c).x;
        (z.re * z.re).sum() + (z.im.square() * z.re).sum()
    };
    check_grads_with(sums, [1.0, 0.5, -2.0, 0.3, 1.5], &options).unwrap();
    let rows = Array::from([
        [1.0, 0.5, -2.0, 0.3],
        [2.0, 0.1, 0.7, 1.0],
        [0.0, 1.0, 2.0, 3.0],
    ]);
    check_vmap(
        |c: Var| {
            let r = polynomial(c);
            (r.x, r.iterations, r.status)
        },
        rows,
    )
    .unwrap();
}
