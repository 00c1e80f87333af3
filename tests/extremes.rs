//! Infinities, numbers next to what overflows and underflows, and NaN, as operands of compositions:
//! values by a plain reference, derivatives by what the book says.

use wengert::prelude::*;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn same(x: f64, y: f64) -> bool {
    x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-14 * y.abs()
}

/// Compiled and interpreted results agree in every bit but those of a NaN.
#[track_caller]
fn values<X, A>(f: impl Fn(X) -> Var + Send + Sync + 'static, x: A) -> Vec<f64>
where
    X: Tree<Leaf = Var>,
    A: wengert::Feed<X::With<Array>> + Clone,
{
    let f = jit(move |x: X| f(x).to(DType::F64));
    let found = f.call(x.clone()).unwrap().to_vec::<f64>().unwrap();
    let other = f.interpret(x).unwrap().to_vec::<f64>().unwrap();
    let bits = |v: &[f64]| -> Vec<u64> {
        let bits = |x: &f64| if x.is_nan() { 0 } else { x.to_bits() };
        v.iter().map(bits).collect()
    };
    let (a, b) = (bits(&found), bits(&other));
    assert_eq!(a, b, "compiled {found:?}, interpreted {other:?}");
    found
}

/// What NumPy does, written as it is there.
fn interp(x: f64, xs: &[f64], ys: &[f64]) -> f64 {
    let n = xs.len();
    if x.is_nan() {
        return x;
    }
    if x < xs[0] {
        return ys[0];
    }
    if x > xs[n - 1] {
        return ys[n - 1];
    }
    let j = xs.iter().rposition(|&k| k <= x).unwrap();
    if j == n - 1 || xs[j] == x {
        return ys[j];
    }
    let slope = (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]);
    let mut y = slope * (x - xs[j]) + ys[j];
    if y.is_nan() {
        y = slope * (x - xs[j + 1]) + ys[j + 1];
        if y.is_nan() && ys[j] == ys[j + 1] {
            y = ys[j];
        }
    }
    y
}

#[test]
fn lines_between_points_some_of_which_are_infinite() {
    let ordinates = [-INF, -1.5, 0.25, INF, NAN];
    let at = [-INF, -3.0, -1.0, -0.5, 0.0, 1.0, 2.0, 3.0, INF, NAN];
    let f = |(x, xs, ys): (Var, Var, Var)| x.interp(xs, ys);
    for xs in [
        [-1.0, 0.0, 2.0],
        [-INF, 0.0, 2.0],
        [-1.0, 0.0, INF],
        [-INF, 0.0, INF],
        [-INF, INF, INF],
    ] {
        for k in 0..125 {
            let ys = [k % 5, k / 5 % 5, k / 25].map(|i| ordinates[i]);
            // f32 holds all of these.
            let narrow = |x: Var| x.to(DType::F32);
            let g = move |(x, xs, ys): (Var, Var, Var)| f((narrow(x), narrow(xs), narrow(ys)));
            let (wide, narrow) = (values(f, (at, xs, ys)), values(g, (at, xs, ys)));
            for (i, &x) in at.iter().enumerate() {
                // On the way between infinities NumPy takes a straight line of NaN.
                let want = interp(x, &xs, &ys);
                let fine = same(wide[i], want) && same(narrow[i], want as f32 as f64);
                assert!(
                    fine,
                    "at {x} of {xs:?}, {ys:?}: {} and {}, not {want}",
                    wide[i], narrow[i]
                );
            }
        }
    }
}

#[test]
fn slopes_of_lines_beside_infinite_points() {
    let points = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, INF, 4.0]);
    let slope = |(x, (xs, ys)): (Var, (Var, Var))| vmap(grad(move |x: Var| x.interp(xs, ys)))(x);
    // In the first piece, below the first point, beyond the last.
    assert_eq!(
        values(slope, ([1.0, 1.5, 0.5, 5.0], points)),
        [1.0, 1.0, 0.0, 0.0]
    );
    let to_values =
        |(x, xs, ys): (Var, Var, Var)| grad_at(ys, move |ys: Var| x.interp(xs, ys).sum());
    assert_eq!(
        values(to_values, ([1.0, 1.25, 2.0, 4.0], points.0, points.1)),
        [1.75, 1.25, 0.0, 1.0]
    );
    // What is too far apart to subtract.
    let far = |x: Var| {
        x.interp(
            Var::from([-1.5e308, 1.5e308].as_slice()),
            Var::from([-1e308, 1e308].as_slice()),
        )
    };
    assert_eq!(values(far, [0.0, 0.75e308, 1.5e308]), [0.0, 0.5e308, 1e308]);
}

#[test]
fn sums_of_no_exponentials_have_no_slope() {
    let by_pairs = grad(|(x, y): (Var, Var)| x.logaddexp(y));
    let f = move |(x, y): (Var, Var)| {
        let (a, b) = vmap(by_pairs.clone())((x, y));
        wengert::concat(&[a, b], 0)
    };
    let x = [-INF, -INF, INF, INF, 1.0, 0.0];
    let y = [-INF, 0.0, INF, 0.0, -INF, 0.0];
    let want = [0.0, 0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 1.0, 0.5, 0.0, 0.0, 0.5];
    assert_eq!(values(f, (x, y)), want);
    // As the sum over an axis has it.
    let along = |x: Var| grad_at(x, |x: Var| x.logsumexp());
    assert_eq!(values(along, [-INF, -INF]), [0.0, 0.0]);
}

#[test]
fn a_nan_has_no_sign() {
    let sign = |x: Var| Var::from(1.0).copysign(x);
    let made: [(&str, fn(Var) -> Var); 8] = [
        ("as it is", |x| x),
        ("negated", |x| -x),
        ("cos", |x| (x * INF).cos()),
        ("a difference", |x| x * INF - x * INF),
        ("a quotient", |x| (x * 0.0) / (x * 0.0)),
        ("a root", |x| (-x.abs() - 1.0).sqrt()),
        ("the largest", |x| x.amax_axis(wengert::keep(0)) + x),
        ("lgamma", |x| x.lgamma() - x.lgamma()),
    ];
    for (name, f) in made {
        for n in [1usize, 3, 8, 64, 100] {
            let x: Vec<f64> = (0..n)
                .map(|i| if i % 2 == 0 { NAN } else { -NAN })
                .collect();
            let y = values(move |x: Var| sign(f(x)), &Array::from(&x[..]));
            assert!(y.iter().all(|&y| y == 1.0), "{name}, {n}: {y:?}");
            let narrow = move |x: Var| sign(f(x.to(DType::F32)));
            let y = values(narrow, &Array::from(&x[..]));
            assert!(y.iter().all(|&y| y == 1.0), "{name} in f32, {n}: {y:?}");
        }
    }
}
