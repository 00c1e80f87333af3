//! Curves and surfaces: SciPy's figures, derivatives, and what users do wrong.

mod figures;

use wengert::prelude::*;
use wengert_solve::interp::*;

const X: [f64; 7] = [0.0, 0.7, 1.0, 2.2, 3.0, 4.5, 5.0];
const Y: [f64; 7] = [1.0, -0.5, 0.3, 2.0, 1.5, 1.5, -1.0];
const AT: [f64; 6] = [-0.5, 0.35, 1.7, 3.4, 4.9, 5.6];

fn numbers(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

#[track_caller]
fn near(found: &Array, expected: &[f64], tolerance: f64) {
    let found = numbers(found);
    let off = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert_eq!(found.len(), expected.len());
    assert!(
        found.iter().zip(expected).all(off),
        "{found:?} {expected:?}"
    );
}

type Curve = fn(Var, Var) -> Piecewise;

const CURVES: [(&str, Curve); 7] = [
    ("natural", |x, y| cubic_spline(x, y, Ends::Natural)),
    ("clamped", |x, y| {
        cubic_spline(x, y, Ends::Clamped(0.5.into(), (-2.0).into()))
    }),
    ("not_a_knot", |x, y| cubic_spline(x, y, Ends::NotAKnot)),
    ("periodic", |x, y| cubic_spline(x, y, Ends::Periodic)),
    ("pchip", |x, y| pchip(x, y)),
    ("akima", |x, y| akima(x, y)),
    ("makima", |x, y| makima(x, y)),
];

#[test]
fn curves_have_derivatives_in_values_and_places() {
    for (name, curve) in CURVES {
        let f = move |(x, y): (Var, Var)| {
            let c = curve(x, y);
            (c.at([0.35, 1.7, 3.4]) * [1.0, 2.0, -1.0]).sum() + c.integral(0.2, 4.7)
        };
        let (value, slope) = (jit(f), jit(grad(f)));
        let (dx, dy) = slope.call((X, Y)).unwrap();
        let at = |x: [f64; 7], y: [f64; 7]| numbers(&value.call((x, y)).unwrap())[0];
        for i in 0..7 {
            let moved = |a: [f64; 7], by: f64| {
                let mut a = a;
                a[i] += by;
                a
            };
            let h = 1e-6;
            let by_y = (at(X, moved(Y, h)) - at(X, moved(Y, -h))) / (2.0 * h);
            let by_x = (at(moved(X, h), Y) - at(moved(X, -h), Y)) / (2.0 * h);
            let (dx, dy) = (numbers(&dx)[i], numbers(&dy)[i]);
            // Between two equal values pchip and akima have a bend in the fourth and fifth.
            if matches!(name, "pchip" | "akima" | "makima") && (3..6).contains(&i) {
                assert!(dx.is_finite() && dy.is_finite());
                continue;
            }
            assert!(
                (dy - by_y).abs() < 1e-7 * by_y.abs().max(1.0),
                "{name} y {i}: {dy} {by_y}"
            );
            assert!(
                (dx - by_x).abs() < 1e-7 * by_x.abs().max(1.0),
                "{name} x {i}: {dx} {by_x}"
            );
        }
    }
}

#[test]
fn rules_outside() {
    let f = jit(|x: Var| {
        let c = Piecewise::new([0.0, 1.0, 2.0], [[0.0, 1.0, 1.0], [2.0, 3.0, 0.0]]);
        let all = [
            Outside::Extend,
            Outside::Clamp,
            Outside::Linear,
            Outside::Nan,
            Outside::Zero,
            Outside::Periodic,
        ];
        all.map(|rule| {
            let c = c.clone().outside(rule);
            (c.at(x), c.derivative().at(x), c.integral(0.0, x))
        })
    });
    // x + x² to 1, then 3 x - 1.
    let all = f.call([-0.5, 0.5, 3.0, 4.5]).unwrap();
    let expected: [[[f64; 4]; 3]; 6] = [
        [
            [-0.25, 0.75, 8.0, 12.5],
            [0.0, 2.0, 3.0, 3.0],
            [1.0 / 12.0, 1.0 / 6.0, 65.0 / 6.0, 635.0 / 24.0],
        ],
        [
            [0.0, 0.75, 5.0, 5.0],
            [0.0, 2.0, 0.0, 0.0],
            [0.0, 1.0 / 6.0, 28.0 / 6.0 - 0.5 + 5.0 + 0.0, 0.0],
        ],
        [
            [-0.5, 0.75, 8.0, 12.5],
            [1.0, 2.0, 3.0, 3.0],
            [0.125, 1.0 / 6.0, 65.0 / 6.0, 635.0 / 24.0],
        ],
        [
            [f64::NAN, 0.75, f64::NAN, f64::NAN],
            [f64::NAN, 2.0, f64::NAN, f64::NAN],
            [f64::NAN, 1.0 / 6.0, f64::NAN, f64::NAN],
        ],
        [
            [0.0, 0.75, 0.0, 0.0],
            [0.0, 2.0, 0.0, 0.0],
            [0.0, 1.0 / 6.0, 0.0, 0.0],
        ],
        [
            [3.5, 0.75, 2.0, 0.75],
            [3.0, 2.0, 3.0, 2.0],
            [0.0, 1.0 / 6.0, 0.0, 0.0],
        ],
    ];
    let whole = 5.0 / 6.0 + 3.5;
    let integrals = [
        expected[0][2].map(|_| 0.0),
        [0.0, 1.0 / 6.0, whole + 5.0, whole + 12.5],
        [
            0.125,
            1.0 / 6.0,
            whole + 5.0 + 1.5,
            whole + 12.5 + 1.5 * 6.25,
        ],
        expected[3][2],
        [0.0, 1.0 / 6.0, whole, whole],
        [
            -0.5 * (3.5 + 5.0) / 2.0,
            1.0 / 6.0,
            whole + 5.0 / 6.0,
            2.0 * whole + 1.0 / 6.0,
        ],
    ];
    for (k, (value, slope, area)) in all.into_iter().enumerate() {
        let same = |found: &Array, expected: [f64; 4]| {
            for (a, b) in numbers(found).iter().zip(expected) {
                assert!(
                    (a - b).abs() < 1e-13 || (a.is_nan() && b.is_nan()),
                    "{k}: {found} {expected:?}"
                );
            }
        };
        same(&value, expected[k][0]);
        same(&slope, expected[k][1]);
        if k > 0 {
            same(&area, integrals[k]);
        }
    }
}

#[test]
fn a_batch_of_curves_equals_each_alone() {
    let f = |(y, x): (Var, Var)| {
        let at = |c: Piecewise| c.at(x);
        let s = CURVES.map(|(_, curve)| at(curve(X.into(), y)));
        (
            s,
            smoothing_spline(X, y).curve.at(x),
            BSpline::fit(X, y, [2.0], 2).at(x),
        )
    };
    let (one, all) = (jit(f), jit(vmap(f)));
    let ys: Vec<[f64; 7]> = (0..11)
        .map(|i| Y.map(|y| (y * (1.0 + f64::from(i))).sin()))
        .collect();
    let xs: Vec<f64> = (0..11).map(|i| 0.5 * f64::from(i)).collect();
    let (found, smooth, fit) = all.call((ys.clone(), xs.clone())).unwrap();
    for i in 0..11 {
        let (alone, s, b) = one.call((ys[i], xs[i])).unwrap();
        let pairs = found
            .iter()
            .chain([&smooth, &fit])
            .zip(alone.iter().chain([&s, &b]));
        for (k, (all, one)) in pairs.enumerate() {
            assert_eq!(
                numbers(all)[i].to_bits(),
                numbers(one)[0].to_bits(),
                "{k} {i}"
            );
        }
    }
}

#[test]
fn what_is_wrong_with_data_is_nan_and_types_are_kept() {
    let f = jit(|(x, y): (Var, Var)| CURVES.map(|(_, curve)| curve(x, y).at([0.5, f64::NAN])));
    let same = [0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    for value in f.call((same, Y)).unwrap() {
        assert!(numbers(&value).iter().all(|x| x.is_nan()), "{value}");
    }
    for value in f.call((X, Y)).unwrap() {
        let value = numbers(&value);
        assert!(value[0].is_finite() && value[1].is_nan());
    }
    let narrow = jit(|(x, y): (Var, Var)| {
        let all = CURVES.map(|(_, curve)| curve(x, y).at(x));
        (
            all,
            smoothing_spline(x, y).curve.at(x),
            BSpline::fit(x, y, Var::from([2.0]).to(DType::F32), 2).at(x),
        )
    });
    let (all, smooth, fit) = narrow
        .call((X.map(|x| x as f32), Y.map(|x| x as f32)))
        .unwrap();
    for value in all.iter().chain([&smooth, &fit]) {
        assert_eq!(value.dtype(), DType::F32);
    }
    let values = all[2].to_vec::<f32>().unwrap();
    assert!(
        values
            .iter()
            .zip(Y)
            .all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5)
    );
}

#[test]
fn mistakes_are_errors_at_their_line() {
    let said = |f: Box<dyn Fn(Var) -> Var + Send + Sync>| {
        let error = jit(f).call([0.0, 1.0, 2.0]).unwrap_err().to_string();
        assert!(error.contains("tests/interp/mod.rs"), "{error}");
        error.split(", at ").next().unwrap().to_string()
    };
    let error = said(Box::new(|x| {
        cubic_spline(x, zeros(4), Ends::Natural).at(0.0)
    }));
    assert_eq!(
        error,
        "cubic_spline: the places are f64[3] and the values f64[4], and must be two vectors of one length; for several \
         curves, use `vmap`"
    );
    let error = said(Box::new(|x| pchip(x.slice_axis(0, 0..1), [1.0]).at(0.0)));
    assert_eq!(error, "pchip: 1 points; there must be at least 2");
    let error = said(Box::new(|x| {
        cubic_spline(x, x, Ends::Clamped(x, x.at(0))).at(0.0)
    }));
    assert_eq!(
        error,
        "cubic_spline: a slope at an end is a number, and this is f64[3]"
    );
    let error = said(Box::new(|x| akima(x.to(DType::I64), x).at(0.0)));
    assert!(error.starts_with("akima: the places are i64[3]"), "{error}");
    let error = said(Box::new(|x| smoothing_spline(x, x).curve.at(0.0)));
    assert_eq!(
        error,
        "smoothing_spline: 3 points; there must be at least 5"
    );
    let error = said(Box::new(|x| BSpline::new(x, x, 3).at(0.0)));
    assert!(
        error.starts_with("b_spline: f64[3] knots and f64[3] coefficients of degree 3"),
        "{error}"
    );
    let error = said(Box::new(|x| BSpline::fit(x, x, [0.5], 2).at(0.0)));
    assert_eq!(error, "b_spline: 3 points for 4 coefficients");
    let error = said(Box::new(|x| bicubic(x, x, zeros([3, 2])).at(0.0, 0.0)));
    assert!(
        error.starts_with("bicubic: the places are f64[3] and f64[3], and the values f64[3,2]"),
        "{error}"
    );
    let error = said(Box::new(|x| {
        bilinear(x, x, zeros([3, 3]))
            .outside(Outside::Periodic)
            .at(0.0, 0.0)
    }));
    assert!(
        error.starts_with("surface: Periodic is a rule for curves"),
        "{error}"
    );
}
