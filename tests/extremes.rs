//! Infinities, numbers next to what overflows and underflows, and NaN, as operands of compositions:
//! values by a plain reference, derivatives by what the book says.

#![allow(clippy::type_complexity)]

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
    both_ways(&jit(move |x: X| f(x).to(DType::F64)), x)
}

#[track_caller]
fn both_ways<X, A>(f: &wengert::Jit<X, Var>, x: A) -> Vec<f64>
where
    X: Tree<Leaf = Var>,
    A: wengert::Feed<X::With<Array>> + Clone,
{
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
    let wide = jit(|(x, xs, ys): (Var, Var, Var)| x.interp(xs, ys));
    let narrow = jit(|(x, xs, ys): (Var, Var, Var)| {
        // f32 holds all of these.
        let [x, xs, ys] = [x, xs, ys].map(|x| x.to(DType::F32));
        x.interp(xs, ys).to(DType::F64)
    });
    for xs in [
        [-1.0, 0.0, 2.0],
        [-INF, 0.0, 2.0],
        [-1.0, 0.0, INF],
        [-INF, 0.0, INF],
        [-INF, INF, INF],
    ] {
        for k in 0..125 {
            let ys = [k % 5, k / 5 % 5, k / 25].map(|i| ordinates[i]);
            let wide = both_ways(&wide, (at, xs, ys));
            let narrow = both_ways(&narrow, (at, xs, ys));
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
    let far = |(x, xs, ys): (Var, Var, Var)| x.interp(xs, ys);
    let at = (
        [0.0, 0.75e308, 1.5e308],
        [-1.5e308, 1.5e308],
        [-1e308, 1e308],
    );
    assert_eq!(values(far, at), [0.0, 0.5e308, 1e308]);
}

#[test]
fn sums_of_no_exponentials_have_no_slope() {
    let by_pairs = grad(|(x, y): (Var, Var)| x.logaddexp(y));
    let f = move |(x, y): (Var, Var)| {
        let (a, b) = vmap(by_pairs.clone())((x, y));
        wengert::concat([a, b], 0)
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

/// The elements of a product, each of which is the sum of one kind of terms in the order of a reduction.
#[test]
fn long_products_are_summed_as_reductions_are() {
    type Sides = fn((Var, Var)) -> (Var, Var);
    let cases: [(&str, usize, Sides); 9] = [
        ("vectors", 1, |(x, y)| (x.dot(y), (x * y).sum())),
        ("einsum", 1, |(x, y)| {
            (wengert::einsum("i,i->", &[x, y]), (x * y).sum())
        }),
        ("of itself", 1, |(x, _)| (x.dot(x), x.square().sum())),
        ("a row and a vector", 1, |(x, y)| {
            (x.expand_dims(0).dot(y), (x * y).sum().expand_dims(0))
        }),
        ("a row and a column", 1, |(x, y)| {
            let product = x.expand_dims(0).dot(y.expand_dims(1));
            (product, (x * y).sum().reshape([1, 1]))
        }),
        ("a matrix and a vector", 3, |(x, y)| {
            let (x, y) = (x.reshape([3, x.ty().size() / 3]), y.at(s![..; 3]));
            (x.dot(y), (x * y).sum_axis(1))
        }),
        ("a transposed matrix and a vector", 12, |(x, y)| {
            let (x, y) = (x.reshape([x.ty().size() / 12, 12]), y.at(s![..; 12]));
            let moved = x.t() * y;
            (x.t().dot(y), moved.sum_axis(1))
        }),
        ("columns of a matrix by themselves", 4, |(x, _)| {
            let x = x.reshape([x.ty().size() / 4, 4]);
            let terms = x.t().expand_dims(1) * x.t().expand_dims(0);
            (x.t().dot(x), terms.sum_axis(2))
        }),
        ("two axes, one of them moved", 64, |(x, y)| {
            let (x, y) = (
                x.reshape([x.ty().size() / 64, 64]),
                y.reshape([64, y.ty().size() / 64]),
            );
            (wengert::einsum("ij,ji->", &[x, y]), (x * y.t()).sum())
        }),
    ];
    let data = |n: usize, by: f64| -> Array {
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * by).sin() + 0.1).collect();
        Array::from(&x[..])
    };
    for (name, of, f) in cases {
        for n in [480, 768, 1344, 65_664, 140_160] {
            let n = n / of * of;
            let both = move |(x, y): (Var, Var)| {
                let (a, b) = f((x, y));
                wengert::concat([a.ravel(), b.ravel()], 0)
            };
            let narrow = move |(x, y): (Var, Var)| both((x.to(DType::F32), y.to(DType::F32)));
            let (x, y) = (data(n, 0.37), data(n, 1.13));
            for z in [values(both, (&x, &y)), values(narrow, (&x, &y))] {
                let (product, sum) = z.split_at(z.len() / 2);
                let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
                assert!(product.iter().zip(sum).all(close), "{name}, {n}");
                // From so many terms on the bits are the same.
                if n / of >= 512 || of == 64 && n >= 512 {
                    assert_eq!(product, sum, "{name}, {n}");
                }
            }
        }
    }
}

#[test]
fn long_products_in_batches_have_the_same_bits() {
    let n = 700;
    let x: Vec<f64> = (0..11 * n).map(|i| (i as f64 * 0.7).sin()).collect();
    let x = Array::new([11, n], x).unwrap();
    let f = |x: Var| {
        let one = wengert::map(x, |x| x.dot(x.cos()));
        let lanes = wengert::map(x, |x| {
            scan(0.0, 0..3, move |c, _| (c + x.dot(x.cos()), ())).0
        });
        let rows: Vec<Var> = (0..11).map(|i| x.at(i).dot(x.at(i).cos())).collect();
        let rows = wengert::stack(&rows);
        wengert::concat([one, rows, lanes - rows - rows - rows], 0)
    };
    let y = values(f, &x);
    assert_eq!(y[..11], y[11..22]);
    assert!(y[22..].iter().all(|d| d.abs() < 1e-9), "{y:?}");
}

#[test]
fn many_small_numbers_keep_their_sum() {
    let ones = Array::full([1_000_000], 0.1f32);
    let y = values(|x: Var| x.dot(x), &ones)[0];
    assert!((y / 10_000.0 - 1.0).abs() < 2e-5, "{y}");
}

/// Norms and spreads of three numbers.
const LENGTHS: &[(&str, fn(Var) -> Var)] = &[
    ("norm", |x| x.norm()),
    ("norm along an axis", |x| x.norm_axis(0)),
    ("norm of order 2", |x| x.norm_ord(2.0, 0)),
    ("norm of order 3", |x| x.norm_ord(3.0, 0)),
    ("norm of order -1", |x| x.norm_ord(-1.0, 0)),
    ("std", |x| x.std()),
    ("std with a degree of freedom less", |x| x.std_ddof(0, 1)),
    ("distance", |x| {
        x.expand_dims(0).cdist(x.expand_dims(0) * -0.5).sum()
    }),
];

/// A length grows with what it is of, and its slopes stay: at sizes whose squares are no numbers too.
#[test]
fn lengths_of_all_sizes() {
    let x = [3.0, -4.5, 1.25];
    for &(name, f) in LENGTHS {
        let both = move |x: Var| {
            let (y, slopes) = value_and_grad(f)(x);
            wengert::concat([y.expand_dims(0), slopes], 0)
        };
        let near = |a: f64, b: f64, e: f64| (a - b).abs() <= e * b.abs().max(1e-3);
        let plain = values(both, x);
        for n in [-1060, -1020, -600, -512, -100, 0, 100, 500, 600, 1019] {
            let by = 2f64.powi(n / 2) * 2f64.powi(n - n / 2);
            let found = values(both, x.map(|x| x * by));
            let value = found[0] / 2f64.powi(n / 2) / 2f64.powi(n - n / 2);
            // Numbers that have lost digits themselves are not asked for theirs.
            let e = if n < -1000 { 2e-2 } else { 4e-15 };
            assert!(
                near(value, plain[0], e),
                "{name} by 2^{n}: {value} for {}",
                plain[0]
            );
            for (a, b) in found[1..].iter().zip(&plain[1..]) {
                assert!(
                    near(*a, *b, e),
                    "slopes of {name} by 2^{n}: {found:?} for {plain:?}"
                );
            }
        }
        let narrow = move |x: Var| both(x.to(DType::F32)).to(DType::F32);
        for n in [-120, -80, -64, -20, 0, 20, 63, 64, 120] {
            let by = 2f64.powi(n);
            let found = values(narrow, x.map(|x| x * by));
            assert!(
                near(found[0] / by, plain[0], 1e-6),
                "{name} by 2^{n} in f32: {found:?}"
            );
            for (a, b) in found[1..].iter().zip(&plain[1..]) {
                assert!(
                    near(*a, *b, 1e-5),
                    "slopes of {name} by 2^{n} in f32: {found:?}"
                );
            }
        }
        // In lanes, beside others.
        let many = [
            x,
            x.map(|x| x * 1e200),
            x.map(|x| x * 1e-200),
            x.map(|x| x * 7.0),
        ];
        let alone: Vec<f64> = many.iter().flat_map(|x| values(both, *x)).collect();
        let side_by_side = values(vmap(both), many);
        let close = |(a, b): (&f64, &f64)| near(*a, *b, 1e-15);
        assert!(
            alone.iter().zip(&side_by_side).all(close),
            "{name}: {side_by_side:?}"
        );
        // Twice differentiated.
        let bends = move |x: Var| grad_at(x, |x: Var| grad_at(x, f).at(0) + 0.0 * x.sum());
        let found = values(bends, x.map(|x| x * 1e200));
        let plain = values(bends, x);
        for (a, b) in found.iter().zip(&plain) {
            assert!(
                (a * 1e200 - b).abs() < 1e-12,
                "{name}: {found:?} for {plain:?}"
            );
        }
    }
}

#[test]
fn lengths_of_what_is_no_number() {
    let of = |f: fn(Var) -> Var, x: [f64; 3]| values(f, x)[0];
    for &(name, f) in LENGTHS {
        if !name.contains("-1") {
            assert_eq!(of(f, [0.0, -0.0, 0.0]), 0.0, "{name}");
            assert_eq!(values(grad(f), [0.0; 3]), [0.0; 3], "{name}");
        }
        assert!(of(f, [1.0, NAN, 1e300]).is_nan(), "{name}");
        if name.starts_with("norm") && !name.contains("-1") {
            assert_eq!(of(f, [-INF, 1.0, 1e-300]), INF, "{name}");
        }
    }
    let empty = Array::new([0], Vec::<f64>::new()).unwrap();
    assert_eq!(values(|x: Var| x.norm(), &empty), [0.0]);
    assert!(values(|x: Var| x.std(), &empty)[0].is_nan());
    let rows = Array::new([2, 0], Vec::<f64>::new()).unwrap();
    assert_eq!(values(|x: Var| x.norm_axis(1), &rows), [0.0, 0.0]);
    assert_eq!(values(|x: Var| x.cdist(x).ravel(), &rows), [0.0; 4]);
    // A sum of squares may be too large where its mean is not.
    let many = Array::full([1000], 1e153);
    let sign = |x: Var| x * (arange(1000) % 2 * 2 - 1).to(DType::F64);
    let found = values(move |x: Var| sign(x).var(), &many)[0];
    assert!((found / 1e153 / 1e153 - 1.0).abs() < 1e-13, "{found}");
}

/// A formula that has a case of its own where arguments are equal, or a number is 0, has the derivatives of the
/// function there, too.
#[test]
fn equal_arguments_have_derivatives() {
    let number = |y: Array| y.item::<f64>().unwrap();
    let curvature = |x: Var| grad(grad(move |x: Var| x.logaddexp(1.5)))(x);
    let share = |x: Var| grad(move |x: Var| (x * x).logaddexp(2.25))(x);
    for (x, y) in [(1.5, 0.25), (f64::INFINITY, 0.0)] {
        assert_eq!(number(jit(curvature).call(x).unwrap()), y);
    }
    assert_eq!(number(jit(share).call(1.5).unwrap()), 1.5);
    let mixed = |x: Var| grad(move |x: Var| grad(move |y: Var| x.powf(y))(Var::from(0.0)))(x);
    for (x, y) in [(2.0, 0.5), (0.25, 4.0), (1e300, 1e-300)] {
        assert_eq!(number(jit(mixed).call(x).unwrap()), y, "{x}");
    }
    let length = |x: Var| grad(move |x: Var| x.hypot(1.7e308))(x);
    assert_eq!(number(jit(length).call(1.7e308).unwrap()), 0.5f64.sqrt());
    assert_eq!(number(jit(length).call(0.0).unwrap()), 0.0);
    // The share of an element is 1 there, and the next element is what it goes to.
    let quantile = |q: Var| Var::from([1.0, 2.0, 7.0]).quantile(q);
    let slope = jit(grad(quantile));
    assert_eq!(number(slope.call(0.5).unwrap()), 10.0);
    assert_eq!(number(slope.call(0.25).unwrap()), 2.0);
    let infinite = jit(|q: Var| Var::from([1.0, 2.0, f64::INFINITY]).quantile(q));
    assert_eq!(number(infinite.call(0.5).unwrap()), 2.0);
}
