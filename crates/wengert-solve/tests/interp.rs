//! Curves and surfaces: SciPy's figures, derivatives, and what users do wrong.

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

/// Values, slopes, and the integral from 0.2 to 4.7, of SciPy 1.17.1.
#[test]
fn curves_are_those_of_scipy() {
    let all = [
        (
            "natural",
            [
                2.4954227988803734,
                -0.2044688125498994,
                1.8051117022961614,
                1.7970452845058429,
                -0.4270080947401077,
                -3.7992722605352895,
            ],
            [
                -1.2242029833782428,
                -2.5756845833808564,
                1.1409962129310138,
                1.130353624355581,
                -5.6690924648823655,
                -2.4756966097619877,
            ],
            6.113815210655005,
        ),
        (
            "clamped",
            [
                -3.4609487978594244,
                0.24558106763925747,
                1.8708334868356413,
                1.9753743561674595,
                -0.6908363332070243,
                4.8272030125047305,
            ],
            [
                20.066354563803543,
                -3.4769112353164084,
                1.0626443360279572,
                1.638057765988801,
                -4.0603641688770935,
                25.84874005305038,
            ],
            6.586966210559396,
        ),
        (
            "not_a_knot",
            [
                8.90767805307899,
                -0.6886792944182387,
                1.7440190405277374,
                1.7107353376183563,
                -0.30399983758380195,
                -7.8175826145552545,
            ],
            [
                -24.14592080482409,
                -1.6051454078547258,
                1.2310589071895088,
                0.891051178381367,
                -6.419474816849821,
                -15.66685296150391,
            ],
            5.778775378546375,
        ),
        (
            "periodic",
            [
                1.5,
                -0.05243954696132214,
                1.785793040137986,
                1.401600975077916,
                1.2022455983513474,
                -0.5246043021692222,
            ],
            [
                -0.16456703272026788,
                -2.8840340893938374,
                1.0896468863187967,
                -0.023205702206319234,
                -1.6783145852126893,
                -0.5151324489343203,
            ],
            5.528774938623778,
        ),
        (
            "pchip",
            [
                5.706413994169097,
                -0.2320833333333332,
                1.600065418679549,
                1.5,
                -0.3400000000000022,
                0.2899999999999956,
            ],
            [
                -13.940524781341109,
                -1.8369047619047614,
                1.4500301932367154,
                0.0,
                -6.799999999999999,
                15.949999999999974,
            ],
            5.3248022175744,
        ),
        (
            "akima",
            [
                3.267783397389267,
                -0.29443762278978386,
                1.5685139599489442,
                1.4479932792753305,
                -0.2688888888888917,
                -4.219999999999999,
            ],
            [
                -3.8027898220753342,
                -2.496012255589859,
                1.4987551082794353,
                0.11268902038132797,
                -7.044444444444448,
                -0.4333333333333407,
            ],
            5.319636646494134,
        ),
        (
            "makima",
            [
                1.7560864345738292,
                -0.17225514705882344,
                1.611343005460871,
                1.425819316464336,
                -0.3295813953488397,
                -0.9885581395348879,
            ],
            [
                1.5547659063625463,
                -2.7153718487394953,
                1.5216053970141366,
                0.04244551703963728,
                -6.782325581395351,
                11.075813953488357,
            ],
            5.333891051283191,
        ),
    ];
    for ((name, curve), (scipy, values, slopes, area)) in CURVES.into_iter().zip(all) {
        assert_eq!(name, scipy);
        let f = jit(move |(x, y, at): (Var, Var, Var)| {
            let c = curve(x, y);
            (c.at(at), c.derivative().at(at), c.integral(0.2, 4.7))
        });
        let (v, s, a) = f.call((X, Y, AT)).unwrap();
        near(&v, &values, 1e-13);
        near(&s, &slopes, 1e-13);
        near(&a, &[area], 1e-13);
    }
    let few = jit(|at: Var| {
        let three = cubic_spline([0.0, 0.7, 1.0], [1.0, -0.5, 0.3], Ends::NotAKnot);
        let turns = cubic_spline([0.0, 0.7, 1.0], [1.0, 2.0, 1.0], Ends::Periodic);
        let two = cubic_spline([0.0, 2.0], [1.0, 2.0], Ends::Natural);
        (
            three.at(at),
            turns.at([0.2, 0.8]),
            two.at(1.0),
            pchip([0.0, 2.0], [1.0, 2.0]).at(1.0),
        )
    });
    let (three, turns, two, line) = few.call([-0.5, 0.35, 1.7]).unwrap();
    near(
        &three,
        &[4.957142857142857, -0.3391666666666665, 5.533333333333332],
        1e-13,
    );
    near(&turns, &[1.0816326530612246, 1.6984126984126982], 1e-13);
    near(&two, &[1.5], 1e-15);
    near(&line, &[1.5], 1e-15);
}

#[test]
fn b_splines_are_those_of_scipy() {
    let f = jit(|(knots, c, at): (Var, Var, Var)| {
        let s = BSpline::new(knots, c, 3);
        (s.at(at), s.derivative().at(at), s.integral(0.2, 4.7))
    });
    let knots = [0.0, 0.0, 0.0, 0.0, 1.2, 2.0, 3.5, 5.0, 5.0, 5.0, 5.0];
    let (v, s, a) = f
        .call((knots, [1.0, -1.0, 2.0, 0.5, 3.0, -2.0, 1.0], AT))
        .unwrap();
    near(
        &v,
        &[
            5.854497354497355,
            0.09105324074074082,
            1.2269784856162145,
            1.3854806097369028,
            0.47118713450292554,
            7.703578947368415,
        ],
        1e-13,
    );
    near(
        &s,
        &[
            -15.168650793650794,
            -0.5618055555555558,
            -0.5174148005884275,
            -1.07319022193164,
            4.597719298245618,
            17.117894736842096,
        ],
        1e-13,
    );
    near(&a, &[3.688435999721525], 1e-13);
    let fit = jit(|(x, y): (Var, Var)| {
        [3, 2].map(|k| BSpline::fit(x, y, [1.2, 2.0, 3.5], k).coefficients())
    });
    let [cubic, square] = fit.call(noisy()).unwrap();
    near(
        &cubic,
        &[
            0.04944361482480127,
            0.3665611080055095,
            1.0475033176798172,
            1.0210706730189631,
            -0.4982882541906666,
            -1.104894084826845,
            -1.000562055033912,
        ],
        1e-11,
    );
    near(
        &square,
        &[
            0.0280748698380941,
            0.6354871764985448,
            1.1299802806440145,
            0.46876161755117224,
            -1.1358899931978037,
            -0.9922929921610848,
        ],
        1e-11,
    );
    // A penalty of any weight keeps a line.
    let line = jit(|(x, lambda): (Var, Var)| {
        BSpline::smooth(x, 2.0 * x - 1.0, linspace(0.5, 4.5, 30), 3, lambda).at([0.3, 2.2])
    });
    let even: Vec<f64> = (0..40).map(|i| 5.0 * f64::from(i) / 39.0).collect();
    let bent = jit(|(x, y, lambda): (Var, Var, Var)| {
        BSpline::smooth(x, y, linspace(0.5, 4.5, 9), 3, lambda).at(x)
    });
    let _ = line.call((even, 1.0)).unwrap();
    let (x, y) = noisy();
    let close = numbers(&bent.call((&x, &y, 0.0)).unwrap());
    let far = numbers(&bent.call((&x, &y, 1e9)).unwrap());
    let misfit = |s: &[f64]| {
        s.iter()
            .zip(numbers(&y))
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
    };
    assert!(
        misfit(&close) < 0.3 && misfit(&far) > 5.0,
        "{} {}",
        misfit(&close),
        misfit(&far)
    );
}

fn noisy() -> (Array, Array) {
    let x: Vec<f64> = (0..40).map(|i| 5.0 * f64::from(i) / 39.0).collect();
    let y: Vec<f64> = x.iter().map(|x| x.sin() + 0.1 * (37.0 * x).cos()).collect();
    (Array::from(x), Array::from(y))
}

#[test]
fn smoothing_splines_are_those_of_scipy() {
    let f = jit(|(x, y, at): (Var, Var, Var)| {
        let weights = 1.0 + 0.5 * (3.0 * x).sin();
        let given = |w| {
            smoothing_spline_with(x, y, w, Some(0.01.into()))
                .curve
                .at(at)
        };
        let best = smoothing_spline(x, y);
        (
            given(None),
            given(Some(weights)),
            best.curve.at(at),
            best.score,
            best.freedom,
        )
    });
    let (x, y) = noisy();
    let (plain, weighted, best, _, freedom) = f.call((&x, &y, AT)).unwrap();
    near(
        &plain,
        &[
            -0.4096907501120879,
            0.3387784768571333,
            0.9905322611499654,
            -0.25900482563827787,
            -1.0184180672847911,
            -1.0855647015351906,
        ],
        1e-11,
    );
    near(
        &weighted,
        &[
            -0.4307809670445786,
            0.338397601664891,
            0.9886383870147657,
            -0.2568305270820617,
            -1.0147944019908173,
            -1.0724023030173555,
        ],
        1e-11,
    );
    near(
        &Array::from(numbers(&best)[1..5].to_vec()),
        &[
            0.35622124993218385,
            0.981467374329281,
            -0.2521230225548034,
            -1.0451535888817611,
        ],
        1e-6,
    );
    let freedom = numbers(&freedom)[0];
    assert!(5.0 < freedom && freedom < 15.0, "{freedom}");
    // The freedom is the trace of the linear map from values to values.
    let trace = jit(|(x, y): (Var, Var)| {
        let smooth = |y: Var| smoothing_spline_with(x, y, None, Some(0.01.into()));
        (
            jacfwd(move |y: Var| smooth(y).curve.at(x))(y).trace(),
            smooth(y).freedom,
        )
    });
    let (trace, freedom) = trace.call((&x, &y)).unwrap();
    near(&freedom, &numbers(&trace), 1e-11);
}

#[test]
fn surfaces_are_those_of_scipy() {
    let f = jit(|(z, at): (Var, (Var, Var))| {
        let (x, y) = ([0.0, 1.0, 1.5, 3.0, 4.0], [-1.0, 0.0, 0.5, 2.0]);
        let (cubic, linear) = (bicubic(x, y, z), bilinear(x, y, z));
        let (u, v) = at;
        (
            cubic.at(u, v),
            cubic.partial(1, 1).at(u, v),
            cubic.integral(0.5, 3.5, -0.5, 1.7),
            linear.at(u, v),
        )
    });
    let z: Vec<f64> = [
        0.0,
        0.0,
        0.0,
        0.0,
        0.7546487134128409,
        0.8414709848078965,
        0.8134602626041287,
        0.8498245116259853,
        0.9889488413540798,
        0.9974949866040544,
        0.9878842058167892,
        1.3848956168530884,
        0.9762474657588767,
        0.1411200080598672,
        0.3488444582071683,
        3.5412733550723785,
        0.7910978666983643,
        -0.7568024953079282,
        -0.36415667267735846,
        5.114940964313377,
    ]
    .to_vec();
    let z = Array::new([5, 4], z).unwrap();
    let (a, b, c, d) = f
        .call((z, ([0.3, 1.2, 2.0, 3.9], [-0.9, 0.2, 1.0, 1.9])))
        .unwrap();
    near(
        &a,
        &[
            0.2619438509179175,
            0.9247381203709488,
            1.111096870853249,
            4.428227237177956,
        ],
        1e-12,
    );
    near(
        &b,
        &[
            0.3075557969179486,
            0.04362242428923893,
            0.941987752725127,
            2.046269643310913,
        ],
        1e-12,
    );
    near(&c, &[5.753983503069342], 1e-12);
    near(
        &d,
        &[
            0.22899928216570392,
            0.8956202872714929,
            1.217810036495561,
            4.607545485857398,
        ],
        1e-13,
    );
    let out = jit(|(x, y): (Var, Var)| {
        let s = bilinear([0.0, 1.0], [0.0, 1.0], [[0.0, 1.0], [2.0, 3.0]]);
        let rules = [Outside::Extend, Outside::Clamp, Outside::Nan, Outside::Zero];
        rules.map(|rule| s.clone().outside(rule).at(x, y))
    });
    let [a, b, c, d] = out.call((2.0, 0.5)).unwrap();
    near(&a, &[4.5], 1e-15);
    near(&b, &[2.5], 1e-15);
    assert!(numbers(&c)[0].is_nan());
    near(&d, &[0.0], 0.0);
}

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
        assert!(error.contains("tests/interp.rs"), "{error}");
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
