//! Integrals: closed forms, SciPy's figures, and what users do wrong.

use std::f64::consts::PI;

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::quad::*;

const INF: f64 = f64::INFINITY;

fn number(x: &Array) -> f64 {
    x.item::<f64>().unwrap()
}

/// Closed forms on finite and infinite ranges, in both directions.
#[test]
fn adaptive_rules_reach_their_tolerance() {
    type Case = (fn(Var) -> Var, f64, f64, f64);
    let cases: &[Case] = &[
        (|x| x.exp(), 0.0, 1.0, 1f64.exp() - 1.0),
        (|x| x.exp(), 1.0, 0.0, 1.0 - 1f64.exp()),
        (|x| (100.0 * x).cos(), 0.0, 1.0, 100f64.sin() / 100.0),
        (|x| (x - 0.3).abs(), 0.0, 1.0, 0.045 + 0.245),
        (|x| 1.0 / (1e-4 + x * x), -1.0, 1.0, 200.0 * 100f64.atan()),
        (|x| x.ln(), 0.0, 1.0, -1.0),
        (|x| (-x).exp(), 0.0, INF, 1.0),
        (|x| x.exp(), -INF, 0.0, 1.0),
        (|x| x.exp(), 0.0, -INF, -1.0),
        (|x| (-x * x).exp(), -INF, INF, PI.sqrt()),
        (|x| 1.0 / (1.0 + x * x), -INF, INF, PI),
        (|x| 1.0 / (1.0 + x * x), INF, -INF, -PI),
        (|x| x.powf(-2.0), 1.0, INF, 1.0),
        (|x| x.sin(), -2.0, 2.0, 0.0),
    ];
    for (i, &(f, a, b, exact)) in cases.iter().enumerate() {
        for points in [15, 21] {
            let rule = GaussKronrod::new().points(points);
            let known = jit(move |()| rule.integrate(f, a, b)).call(()).unwrap();
            let traced = jit(move |(a, b): (Var, Var)| rule.integrate(f, a, b));
            let traced = traced.call((a, b)).unwrap();
            for found in [known, traced] {
                let (value, error) = (number(&found.value), number(&found.error));
                let status = found.statuses().unwrap()[0];
                assert_eq!(status, Status::ErrorConverged, "{i}: {value} {error}");
                assert!(error <= 1e-12f64.max(1e-10 * value.abs()), "{i}: {error}");
                assert!(
                    (value - exact).abs() <= 1e-14 + error,
                    "{i}: {value} {exact} {error}"
                );
            }
        }
    }
}

#[test]
fn what_ends_an_integral_is_said() {
    let status = |f: fn(Var) -> Var, a: f64, b: f64, n: usize| {
        let rule = GaussKronrod::new().max_intervals(n);
        let found = jit(move |(a, b): (Var, Var)| rule.integrate(f, a, b))
            .call((a, b))
            .unwrap();
        let status = found.statuses().unwrap()[0];
        (status, number(&found.value), number(&found.error))
    };
    assert_eq!(
        status(|x| x.exp(), 1.0, 1.0, 8),
        (Status::ErrorConverged, 0.0, 0.0)
    );
    assert_eq!(status(|x| x.exp(), INF, INF, 8).0, Status::ErrorConverged);
    let (s, value, error) = status(|x| x.exp(), f64::NAN, 1.0, 8);
    assert!(s == Status::NotFinite && value.is_nan() && error == INF);
    assert_eq!(status(|x| x * f64::NAN, 0.0, 1.0, 8).0, Status::NotFinite);
    assert_eq!(status(|x| 1.0 / x, -1.0, 2.0, 64).0, Status::StepLimit);
    let (s, value, error) = status(|x| x.powf(-0.5), 0.0, 1.0, 5);
    assert!(s == Status::StepLimit && (value - 2.0).abs() < error && error < 1.0);
    // A singularity at the middle node.
    let (s, value, _) = status(|x| x.abs().powf(-0.25), -1.0, 1.0, 200);
    assert!(
        s == Status::ErrorConverged && (value - 8.0 / 3.0).abs() < 1e-9,
        "{s:?} {value}"
    );
    let tight = jit(|()| {
        GaussKronrod::new()
            .rtol(1e-16)
            .atol(0.0)
            .integrate(|x: Var| x.exp(), 0.0, 1.0)
    });
    assert_eq!(
        tight.call(()).unwrap().statuses().unwrap()[0],
        Status::Stalled
    );
    let failed = jit(vmap(|p: Var| integrate(move |x: Var| p * x, 0.0, 1.0)));
    let error = failed
        .call([1.0, f64::NAN])
        .unwrap()
        .ok()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "integrate failed: the function is not finite, for element 1; 1 of 2 failed"
    );
}

#[test]
fn integrals_have_derivatives_to_second_order() {
    // ∫_a^b exp(-p x) dx
    let f = |(p, a, b): (Var, Var, Var)| integrate(move |x: Var| (-p * x).exp(), a, b).value;
    let (p, a, b) = (1.5f64, 0.25f64, 2.0f64);
    let e = |x: f64| (-p * x).exp();
    // F(x) = -exp(-p x)/p, F_p = exp(-p x)(x/p + 1/p²), F_pp = -exp(-p x)(x²/p + 2x/p² + 2/p³)
    let f1 = |x: f64| e(x) * (x / p + 1.0 / (p * p));
    let f2 = |x: f64| -e(x) * (x * x / p + 2.0 * x / (p * p) + 2.0 / (p * p * p));
    let near = |x: &Array, y: f64| assert!((number(x) - y).abs() < 1e-11, "{} {y}", number(x));
    let (dp, da, db) = jit(grad(f)).call((p, a, b)).unwrap();
    near(&dp, f1(b) - f1(a));
    near(&da, -e(a));
    near(&db, e(b));
    let h = jit(hessian(f)).call((p, a, b)).unwrap();
    near(&h.0.0, f2(b) - f2(a));
    near(&h.0.1, a * e(a));
    near(&h.1.0, a * e(a));
    near(&h.0.2, -b * e(b));
    near(&h.2.2, -p * e(b));
    near(&h.1.1, p * e(a));
    near(&h.1.2, 0.0);
    // Forward mode, an infinite end, and the other rule.
    let ends = |a: Var| integrate(|x: Var| (-x).exp(), a, INF).value;
    let (y, dy) = jit(move |a: Var| jvp(ends, a, Var::from(1.0)))
        .call(0.5)
        .unwrap();
    near(&y, (-0.5f64).exp());
    near(&dy, -(-0.5f64).exp());
    let f = |(p, b): (Var, Var)| {
        TanhSinh::new()
            .integrate(move |x: Var| (-p * x).exp(), 0.0, b)
            .value
    };
    let h = jit(hessian(f)).call((p, b)).unwrap();
    near(&h.0.0, f2(b) - f2(0.0));
    near(&h.0.1, -b * e(b));
    near(&h.1.1, -p * e(b));
}

#[test]
fn lanes_divide_for_themselves_and_equal_each_alone() {
    let f = |(p, a): (Var, Var)| {
        let rule = GaussKronrod::new().points(15).max_intervals(30);
        let g = move |x: Var| (x - p).abs().powf(0.5) * (10.0 * p * x).cos();
        rule.integrate(g, a, 1.5)
    };
    let ps: Vec<f64> = (0..21).map(|i| 0.07 * f64::from(i)).collect();
    let mut starts = vec![0.0; 21];
    (starts[3], starts[7], starts[11]) = (f64::NAN, 1.5, -1e300);
    let slope = move |x: (Var, Var)| (f(x), grad(move |x| f(x).value)(x));
    let (one, all) = (jit(slope), jit(vmap(slope)));
    let (found, slopes) = all.call((ps.clone(), starts.clone())).unwrap();
    let counts = found.evaluations.to_vec::<i64>().unwrap();
    assert!(counts.iter().any(|n| *n != counts[0]));
    for i in 0..21 {
        let (alone, slope) = one.call((ps[i], starts[i])).unwrap();
        let same = |all: &Array, one: &Array| {
            let all = all.to_vec::<f64>().unwrap()[i];
            assert_eq!(all.to_bits(), number(one).to_bits(), "{i}: {all} {one}");
        };
        same(&found.value, &alone.value);
        same(&found.error, &alone.error);
        same(&slopes.0, &slope.0);
        assert_eq!(found.statuses().unwrap()[i], alone.statuses().unwrap()[0]);
        assert_eq!(counts[i], alone.evaluations.item::<i64>().unwrap());
    }
}

#[test]
fn integrands_of_f32_and_trees() {
    // Points have the element type of the limits.
    let f = jit(|b: Var| integrate(|x: Var| x.exp(), 0.0, b));
    let found = f.call(1f32).unwrap().ok().unwrap();
    assert!((found.value.item::<f32>().unwrap() - 1.7182818).abs() < 1e-5);
    let f = jit(|b: Var| TanhSinh::new().integrate(|x: Var| x.exp(), 0.0, b));
    let found = f.call(1f32).unwrap().ok().unwrap();
    assert!((found.value.item::<f32>().unwrap() - 1.7182818).abs() < 1e-5);
    let f = jit(grad(|p: Var| {
        let g = move |x: Var| (stack((p * x, x)), x * p * p);
        let (v, s) = integrate(g, 0, 1).value;
        v.sum() + s
    }));
    assert!((number(&f.call(3.0).unwrap()) - 3.5).abs() < 1e-13);
}

#[test]
fn tanh_sinh_integrates_up_to_singular_ends() {
    type Case = (fn(Var) -> Var, f64, f64, f64);
    let cases: &[Case] = &[
        (|x| x.powf(-0.5), 0.0, 1.0, 2.0),
        (|x| x.powf(-0.9), 0.0, 1.0, 10.0),
        (|x| x.ln().square(), 1.0, 0.0, -2.0),
        (|x| x.exp(), 0.0, 1.0, 1f64.exp() - 1.0),
        (|x| x.powf(-0.5) * (-x).exp(), 0.0, INF, PI.sqrt()),
        (|x| (-x * x).exp(), -INF, INF, PI.sqrt()),
        (|x| x.exp(), 2.0, 2.0, 0.0),
    ];
    for (i, &(f, a, b, exact)) in cases.iter().enumerate() {
        let rule = TanhSinh::new();
        let found = jit(move |(a, b): (Var, Var)| rule.integrate(f, a, b))
            .call((a, b))
            .unwrap();
        let (value, error) = (number(&found.value), number(&found.error));
        assert_eq!(
            found.statuses().unwrap()[0],
            Status::ErrorConverged,
            "{i}: {value} {error}"
        );
        assert!(
            (value - exact).abs() < 1e-10 * exact.abs().max(1.0),
            "{i}: {value} {exact}"
        );
    }
    let status = |f: fn(Var) -> Var, a: f64| {
        let rule = TanhSinh::new().max_level(6);
        let found = jit(move |a: Var| rule.integrate(f, a, 1.0))
            .call(a)
            .unwrap();
        found.statuses().unwrap()[0]
    };
    assert_eq!(
        status(|x| (x - 0.3).abs().powf(0.1), 0.0),
        Status::StepLimit
    );
    assert_eq!(status(|x| x * f64::NAN, 0.0), Status::NotFinite);
    assert_eq!(status(|x| x, f64::NAN), Status::NotFinite);
}

#[test]
fn boxes_have_integrals_with_derivatives() {
    // ∏ (1 - exp(-p b))/p
    for d in [1, 2, 3, 5] {
        let f = move |(p, upper): (Var, Var)| {
            Cubature::new()
                .rtol(if d == 5 { 1e-6 } else { 1e-9 })
                .max_boxes(400)
                .integrate(move |x: Var| (-p * x).sum().exp(), zeros(d), upper)
        };
        let found = jit(f).call((1.0, vec![0.7; d])).unwrap();
        let near = if d == 5 { 1e-6 } else { 1e-9 };
        let side = 1.0 - (-0.7f64).exp();
        let value = number(&found.value);
        assert!((value - side.powi(d as i32)).abs() < near, "{d}: {value}");
        found.ok().unwrap();
        if d == 2 {
            let (dp, upper) = jit(grad(move |x| f(x).value))
                .call((1.0, vec![0.7; d]))
                .unwrap();
            let slope = 2.0 * side * (0.7 * (-0.7f64).exp() - side);
            assert!((number(&dp) - slope).abs() < 1e-8);
            let end = upper.to_vec::<f64>().unwrap()[1];
            assert!((end - side * (-0.7f64).exp()).abs() < 1e-8);
        }
    }
    let kink = jit(|()| {
        Cubature::new()
            .rtol(1e-4)
            .integrate(|x: Var| (x.sum() - 0.7).abs(), zeros(2), [1.0, 1.0])
    });
    let found = kink.call(()).unwrap();
    // ∫ |s - 0.7| over the density of the sum of two uniform numbers.
    let exact = 0.3 + 2.0 * 0.7f64.powi(3) / 6.0;
    assert!(
        (number(&found.value) - exact).abs() < 2.0 * number(&found.error).max(1e-5),
        "{found:?} {exact}"
    );
    let status = |upper: [f64; 2]| {
        let f = jit(|u: Var| cubature(|x: Var| x.sum(), zeros(2), u))
            .call(upper)
            .unwrap();
        (f.statuses().unwrap()[0], number(&f.value))
    };
    assert_eq!(status([0.0, 1.0]), (Status::ErrorConverged, 0.0));
    assert_eq!(status([INF, 1.0]).0, Status::NotFinite);
    assert!((status([-1.0, 1.0]).1 - 0.0).abs() < 1e-12);
}

#[test]
fn sequences_are_those_of_scipy() {
    let f = jit(|()| {
        (
            sobol(64, 64, Scramble::None),
            sobol(1024, 21, Scramble::None),
            halton(100, 5, None),
        )
    });
    let (a, b, c) = f.call(()).unwrap();
    let (a, b, c) = (
        a.to_vec::<f64>().unwrap(),
        b.to_vec::<f64>().unwrap(),
        c.to_vec::<f64>().unwrap(),
    );
    assert_eq!(
        a[5 * 64..5 * 64 + 6],
        [0.875, 0.875, 0.125, 0.375, 0.875, 0.625]
    );
    assert_eq!(a[37 * 64..38 * 64].iter().sum::<f64>(), 31.09375);
    assert_eq!((a[63 * 64 + 20], a[63 * 64 + 63]), (0.234375, 0.734375));
    assert_eq!(
        b[1023 * 21..1023 * 21 + 21],
        [
            0.0009765625,
            0.7529296875,
            0.6123046875,
            0.1455078125,
            0.1865234375,
            0.4384765625,
            0.1396484375,
            0.6181640625,
            0.3447265625,
            0.8505859375,
            0.6787109375,
            0.0361328125,
            0.1298828125,
            0.6650390625,
            0.3623046875,
            0.4638671875,
            0.3134765625,
            0.8759765625,
            0.5849609375,
            0.3193359375,
            0.8662109375
        ]
    );
    assert_eq!(b.iter().sum::<f64>(), 10741.5);
    let near = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-15;
    assert!(
        c[495..]
            .iter()
            .zip(&[
                0.7734375,
                0.07818930041152262,
                0.9840000000000001,
                0.14868804664723032,
                0.0743801652892562
            ])
            .all(near)
    );
}

#[test]
fn scrambles_keep_the_balance() {
    let f = jit(|key: Key| {
        let (a, b) = key.split();
        (
            sobol(256, 21, Scramble::Owen(a)),
            sobol(256, 21, Scramble::Shift(b)),
        )
    });
    let (a, b) = f.call(Key::from_seed(5)).unwrap();
    for points in [a, b] {
        let x = points.to_vec::<f64>().unwrap();
        assert!(x.iter().all(|x| 0.0 < *x && *x < 1.0));
        for d in 0..21 {
            // One point in each of 256 parts of each axis.
            let mut parts: Vec<usize> =
                (0..256).map(|i| (256.0 * x[21 * i + d]) as usize).collect();
            parts.sort();
            assert_eq!(parts, (0..256).collect::<Vec<usize>>());
        }
    }
}

#[test]
fn nodes_of_gauss() {
    let moments =
        |x: &[f64], w: &[f64], k: i32| -> f64 { x.iter().zip(w).map(|(x, w)| w * x.powi(k)).sum() };
    for n in [1, 2, 5, 20, 63, 200] {
        let (x, w) = gauss_legendre(n);
        for k in (0..2 * n as i32).step_by(2 * n.div_ceil(10)) {
            let exact = if k % 2 == 0 {
                2.0 / f64::from(k + 1)
            } else {
                0.0
            };
            assert!((moments(&x, &w, k) - exact).abs() < 1e-14, "{n} {k}");
        }
    }
    // SciPy's roots_hermite(20) and roots_genlaguerre(12, 0.5).
    let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-12 * y.abs(), "{x} {y}");
    let (x, w) = gauss_hermite(20);
    near(x[19], 5.387480890011233);
    near(w[19], 2.2293936455341036e-13);
    near(x[10], 0.2453407083009012);
    near(w[10], 0.4622436696006103);
    let (x, w) = gauss_laguerre(12, 0.5);
    near(x[0], 0.19372964450476218);
    near(w[0], 0.14068220163202358);
    near(x[11], 37.998254641218935);
    near(w[11], 2.060967205078771e-15);
    assert!(gauss_legendre(0).0.is_empty() && gauss_hermite(0).0.is_empty());
    assert!(gauss_laguerre(3, -1.0).0[0].is_nan());
    assert_eq!(gauss_hermite(1), (vec![0.0], vec![PI.sqrt()]));
}

#[test]
fn mistakes_are_errors_at_their_line() {
    let said = |f: Box<dyn Fn(Var) -> Var + Send + Sync>, x: Array| {
        let error = jit(f).call(x).unwrap_err().to_string();
        assert!(error.contains("tests/quad.rs"), "{error}");
        error.split(", at ").next().unwrap().to_string()
    };
    let one = || Array::from(1.0);
    let error = said(
        Box::new(|b| integrate(|x: Var| x.gt(0.0), 0.0, b).value),
        one(),
    );
    assert!(
        error.starts_with("integrate: the value of the integrand is bool"),
        "{error}"
    );
    let error = said(
        Box::new(|b| integrate(|x: Var| x, 0.0, b).value),
        [1.0, 2.0].into(),
    );
    assert!(
        error.starts_with("integrate: a limit is a number, and this is f64[2]"),
        "{error}"
    );
    let error = said(
        Box::new(|b| integrate(|x: Var| x, b, b.to(DType::F32)).value),
        one(),
    );
    assert!(
        error.starts_with("integrate: the limits are f64 and f32; convert one"),
        "{error}"
    );
    let error = said(
        Box::new(|b| cubature(|x: Var| x.sum(), b, zeros(2)).value),
        one(),
    );
    assert!(
        error.starts_with("cubature: the corners of a box are two vectors"),
        "{error}"
    );
    let error = said(Box::new(|_| sobol(8, 65, Scramble::None)), one());
    assert!(
        error.starts_with("sobol: 65 dimensions: there are 1 to 64"),
        "{error}"
    );
    let error = said(
        Box::new(|_| tensor(|x: Var| x.sum(), zeros(9), zeros(9), 10)),
        one(),
    );
    assert!(
        error.starts_with("tensor: 10 points along each of 9 axes"),
        "{error}"
    );
    // The user's own line.
    let error = said(
        Box::new(|b| integrate(|x: Var| x + zeros(2) + zeros(3), 0.0, b).value),
        one(),
    );
    assert!(error.contains("add"), "{error}");
}
