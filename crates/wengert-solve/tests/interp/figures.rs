//! Values, slopes and integrals of SciPy 1.17.1.

use super::*;

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
