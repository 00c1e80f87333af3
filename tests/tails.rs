//! What densities need: slopes of every order against arbitrary precision (mpmath, 120 digits), and floats taken
//! apart and put together.

// Some of the values of mpmath's are those of well-known constants.
#![allow(clippy::approx_constant, clippy::type_complexity)]

use wengert::prelude::*;

type Function = fn(Var) -> Var;

/// Functions, points, and the first three derivatives there.
const SLOPES: &[(&str, Function, &[(f64, [f64; 3])])] = &[
    (
        "erfcx",
        Var::erfcx,
        &[
            (
                -3.0,
                [-97237.06150316462, 615834.3467269868, -4083954.3263745797],
            ),
            (
                -0.3,
                [-2.0006287068011717, 4.107875689766234, -10.467240241064427],
            ),
            (0.0, [-1.1283791670955126, 2.0, -4.51351666838205]),
            (
                0.7,
                [
                    -0.39207669480629526,
                    0.5029533019700686,
                    -0.8641721564670852,
                ],
            ),
            (
                2.5,
                [
                    -0.07434734678979467,
                    0.04987599417331381,
                    -0.048009416292609644,
                ],
            ),
            (
                20.0,
                [
                    -0.0014052174534598012,
                    0.00013999934371059262,
                    -2.0896065415499418e-05,
                ],
            ),
            (
                1000.0,
                [
                    -5.641887372654967e-07,
                    1.1283757819707055e-09,
                    -3.3851205756878907e-12,
                ],
            ),
            (
                100000000.0,
                [
                    -5.641895835477562e-17,
                    1.1283791670955122e-24,
                    -3.385137501286536e-32,
                ],
            ),
        ],
    ),
    (
        "log_erfc",
        Var::log_erfc,
        &[
            (
                -5.0,
                [
                    -7.835433265514691e-12,
                    -7.83543326552083e-11,
                    -7.678724600222815e-10,
                ],
            ),
            (
                -0.3,
                [
                    -0.7761855632343131,
                    -1.0681753665139557,
                    -0.7467386904210543,
                ],
            ),
            (
                0.0,
                [
                    -1.1283791670955126,
                    -1.2732395447351628,
                    -0.6166356198116398,
                ],
            ),
            (
                0.7,
                [-2.1454916877057615, -1.599446219226451, -0.332989054236961],
            ),
            (
                2.5,
                [-5.352680750986391, -1.88778746704828, -0.06514843643118605],
            ),
            (
                20.0,
                [
                    -40.04987577410839,
                    -1.9975185571786866,
                    -0.0002463076010204738,
                ],
            ),
            (
                100.0,
                [
                    -200.0099990002499,
                    -1.9999000299875065,
                    -1.9988007494823966e-06,
                ],
            ),
        ],
    ),
    (
        "ndtr",
        Var::ndtr,
        &[
            (
                -20.0,
                [
                    5.520948362159764e-88,
                    1.1041896724319527e-86,
                    2.2028583965017455e-85,
                ],
            ),
            (
                -3.0,
                [
                    0.0044318484119380075,
                    0.013295545235814022,
                    0.03545478729550406,
                ],
            ),
            (
                -0.3,
                [0.3813878154605241, 0.11441634463815722, -0.3470629120690769],
            ),
            (0.0, [0.3989422804014327, 0.0, -0.3989422804014327]),
            (
                0.7,
                [
                    0.31225393336676127,
                    -0.21857775335673288,
                    -0.15924950601704826,
                ],
            ),
            (
                5.0,
                [
                    1.4867195147342977e-06,
                    -7.433597573671489e-06,
                    3.568126835362314e-05,
                ],
            ),
            (
                20.0,
                [
                    5.520948362159764e-88,
                    -1.1041896724319527e-86,
                    2.2028583965017455e-85,
                ],
            ),
        ],
    ),
    (
        "log_ndtr",
        Var::log_ndtr,
        &[
            (
                -100.0,
                [
                    100.00999800099926,
                    -0.9999000599500517,
                    1.997602995862343e-06,
                ],
            ),
            (
                -20.0,
                [
                    20.04975306852785,
                    -0.9975367383849478,
                    0.00024272657893584202,
                ],
            ),
            (
                -3.0,
                [3.2830986549304364, -0.9294408132147319, 0.03147067283084249],
            ),
            (
                -0.3,
                [0.9981659688584833, -0.6968855107296497, 0.18398317992442131],
            ),
            (
                0.0,
                [0.7978845608028654, -0.6366197723675814, 0.21801361414499015],
            ),
            (
                0.7,
                [
                    0.41192475041929066,
                    -0.45802932530149837,
                    0.2860430083108298,
                ],
            ),
            (
                5.0,
                [
                    1.4867199409049056e-06,
                    -7.433601914860711e-06,
                    3.568131173676705e-05,
                ],
            ),
            (
                20.0,
                [
                    5.520948362159764e-88,
                    -1.1041896724319527e-86,
                    2.2028583965017455e-85,
                ],
            ),
        ],
    ),
    (
        "exprel",
        Var::exprel,
        &[
            (-100.0, [0.0001, 2e-06, 6e-08]),
            (
                -12.0,
                [
                    0.006943889758606991,
                    0.0011568029420717212,
                    0.0002886887178218196,
                ],
            ),
            (
                -1.0,
                [
                    0.26424111765711533,
                    0.16060279414278839,
                    0.11392894125692285,
                ],
            ),
            (
                -1e-05,
                [0.49999666667916665, 0.3333308333433333, 0.2499980000083333],
            ),
            (0.0, [0.5, 0.3333333333333333, 0.25]),
            (
                1e-05,
                [0.5000033333458334, 0.3333358333433334, 0.25000200000833334],
            ),
            (1.0, [1.0, 0.7182818284590452, 0.5634363430819095]),
            (
                12.0,
                [12432.664622285021, 11490.788514536156, 10690.202156282954],
            ),
            (
                300.0,
                [
                    6.453172135301506e+127,
                    6.43173350323551e+127,
                    6.410437315771831e+127,
                ],
            ),
        ],
    ),
    (
        "log1p_over_x",
        Var::log1p_over_x,
        &[
            (
                -0.99,
                [-96.31142721560231, 9906.441561180583, -1990182.5003196495],
            ),
            (
                -0.5,
                [-1.2274112777602189, 3.090354888959125, -13.45787066624525],
            ),
            (
                -1e-05,
                [-0.5000066667416675, 0.66668166690667, -1.5000480010000172],
            ),
            (0.0, [-0.5, 0.6666666666666666, -1.5]),
            (
                1e-05,
                [-0.4999933334083325, 0.6666516669066633, -1.499952000999983],
            ),
            (
                0.3,
                [
                    -0.3510559299806698,
                    0.36798627876659556,
                    -0.6454218834025662,
                ],
            ),
            (
                2.0,
                [
                    -0.10798640550036076,
                    0.0524308499448052,
                    -0.04160923788017076,
                ],
            ),
            (
                100.0,
                [
                    -0.0003625021506940269,
                    6.269746964473618e-06,
                    -1.6868060597565564e-07,
                ],
            ),
            (
                1000000.0,
                [
                    -1.2815512557962773e-11,
                    2.4631027115922548e-17,
                    -7.189308734775564e-23,
                ],
            ),
        ],
    ),
    (
        "log1mexp",
        Var::log1mexp,
        &[
            (1e-08, [99999999.5, -1e+16, 2e+24]),
            (
                0.1,
                [9.50833194477505, -99.91670831680472, 1999.999167327695],
            ),
            (
                1.0,
                [0.5819767068693265, -0.9206735942077923, 1.9922947671249873],
            ),
            (
                10.0,
                [
                    4.5401991009687765e-05,
                    -4.540405235047541e-05,
                    4.540817521922865e-05,
                ],
            ),
            (
                100.0,
                [
                    3.720075976020836e-44,
                    -3.720075976020836e-44,
                    3.720075976020836e-44,
                ],
            ),
            (
                600.0,
                [
                    2.6503965530043108e-261,
                    -2.6503965530043108e-261,
                    2.6503965530043108e-261,
                ],
            ),
        ],
    ),
    (
        "log_expm1",
        Var::log_expm1,
        &[
            (1e-08, [100000000.5, -1e+16, 2e+24]),
            (
                0.1,
                [10.50833194477505, -99.91670831680472, 1999.999167327695],
            ),
            (
                1.0,
                [1.5819767068693265, -0.9206735942077923, 1.9922947671249873],
            ),
            (
                10.0,
                [
                    1.0000454019910097,
                    -4.540405235047541e-05,
                    4.540817521922865e-05,
                ],
            ),
            (100.0, [1.0, -3.720075976020836e-44, 3.720075976020836e-44]),
            (
                600.0,
                [1.0, -2.6503965530043108e-261, 2.6503965530043108e-261],
            ),
        ],
    ),
];

#[track_caller]
fn number(f: impl Fn(Var) -> Var + Send + Sync + 'static, x: f64) -> f64 {
    let f = jit(f);
    let y = f.call(x).unwrap().item::<f64>().unwrap();
    let other = f.interpret(x).unwrap().item::<f64>().unwrap();
    assert_eq!(
        y.to_bits(),
        other.to_bits(),
        "compiled {y}, interpreted {other}"
    );
    y
}

#[test]
fn derivatives_of_tails_and_quotients() {
    for &(name, f, points) in SLOPES {
        for &(x, want) in points {
            let found = [
                number(grad(f), x),
                number(grad(grad(f)), x),
                number(grad(grad(grad(f))), x),
            ];
            let ahead = number(jacfwd(grad(f)), x);
            // What cancels in a third derivative far out is as much as its smallness there.
            for (order, (y, limit)) in found.iter().zip([1e-13, 1e-13, 1e-11]).enumerate() {
                let near = (y - want[order]).abs() <= limit * want[order].abs();
                assert!(
                    near,
                    "derivative {} of {name} at {x}: {y}, not {}",
                    order + 1,
                    want[order]
                );
            }
            let near = (ahead - want[1]).abs() <= 1e-13 * want[1].abs();
            assert!(near, "forward over reverse of {name} at {x}: {ahead}");
        }
        // In lanes, in f32 too.
        let x: Vec<f64> = points.iter().map(|p| p.0).collect();
        let lanes = jit(vmap(grad(f)))
            .call(x.clone())
            .unwrap()
            .to_vec::<f64>()
            .unwrap();
        let narrow = jit(move |x: Var| vmap(grad(f))(x.to(DType::F32)).to(DType::F64));
        let narrow = narrow.call(x).unwrap().to_vec::<f64>().unwrap();
        for ((&(x, want), y), z) in points.iter().zip(lanes).zip(narrow) {
            assert!(
                (y - want[0]).abs() <= 1e-13 * want[0].abs(),
                "{name} at {x}: {y}"
            );
            let normal = want[0].abs() > f64::from(f32::MIN_POSITIVE);
            let near = (z - want[0]).abs() <= 3e-6 * want[0].abs();
            assert!(
                near || !normal || x.abs() > 99.0,
                "{name} at {x} in f32: {z}"
            );
        }
    }
}

#[test]
fn floats_apart_and_together() {
    let some = [
        0.0,
        -0.0,
        1.0,
        -0.75,
        12.0,
        5e-324,
        -2.2e-308,
        1.7e308,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        1e-320,
    ];
    let x: Vec<f64> = some.into();
    let f = jit(|x: Var| {
        let (m, n) = x.frexp();
        (m, n, m.ldexp(n))
    });
    let (m, n, back) = f.call(x.clone()).unwrap();
    assert_eq!(f.interpret(x.clone()).unwrap().1, n);
    let (m, n) = (m.to_vec::<f64>().unwrap(), n.to_vec::<i64>().unwrap());
    for (i, (&x, y)) in some.iter().zip(back.to_vec::<f64>().unwrap()).enumerate() {
        assert!(
            x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(),
            "{x}: {y}"
        );
        let plain = x == 0.0 || !x.is_finite();
        assert!(
            plain && n[i] == 0 || (0.5..1.0).contains(&m[i].abs()),
            "{x}: {} {}",
            m[i],
            n[i]
        );
    }
    // Rounded once, to subnormal numbers too; whatever type the exponent has.
    let scaled = |x: f64, n: i64| number(move |x: Var| x.ldexp(n), x);
    assert_eq!(scaled(3.0, -1075), 1e-323);
    assert_eq!(scaled(f64::MAX, -2098), 5e-324);
    assert_eq!(scaled(5e-324, 2097), 2f64.powi(1023));
    assert_eq!(scaled(1.0, i64::MAX), f64::INFINITY);
    assert_eq!(scaled(-1.0, i64::MIN).to_bits(), (-0.0f64).to_bits());
    let typed = jit(|(x, n): (Var, Var)| x.ldexp(n.to(DType::U8)) + x.ldexp(n.to(DType::U64)));
    assert_eq!(
        typed
            .call((1.5, [3i64, 0]))
            .unwrap()
            .to_vec::<f64>()
            .unwrap(),
        [24.0, 3.0]
    );
    assert_eq!(number(grad(|x: Var| x.ldexp(5) * x), 3.0), 192.0);
    let error = jit(|x: Var| x.ldexp(x)).call(1.0).unwrap_err().to_string();
    assert!(
        error.contains("ldexp") && error.contains("tails.rs:"),
        "{error}"
    );
}

#[test]
fn floats_next_to_each_other() {
    let least = 5e-324;
    let cases = [
        (1.0, 2.0, 1.0 + f64::EPSILON),
        (1.0, 0.0, 1.0 - f64::EPSILON / 2.0),
        (-1.0, -2.0, -1.0 - f64::EPSILON),
        (0.0, 1.0, least),
        (-0.0, -1.0, -least),
        (least, 0.0, 0.0),
        (-least, 1.0, -0.0),
        (0.0, -0.0, -0.0),
        (f64::MAX, f64::INFINITY, f64::INFINITY),
        (f64::INFINITY, 0.0, f64::MAX),
        (f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY),
        (1.0, f64::NAN, f64::NAN),
        (f64::NAN, 1.0, f64::NAN),
    ];
    let f = jit(|(x, to): (Var, Var)| x.nextafter(to));
    let many = |i: usize| -> Vec<f64> { cases.iter().map(|c| [c.0, c.1][i]).collect() };
    for y in [
        f.call((many(0), many(1))).unwrap(),
        f.interpret((many(0), many(1))).unwrap(),
    ] {
        for (y, (x, to, want)) in y.to_vec::<f64>().unwrap().into_iter().zip(cases) {
            let same = y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan();
            assert!(same, "from {x} to {to}: {y}");
        }
    }
    let narrow = jit(|(x, to): (Var, Var)| x.nextafter(to));
    let y = narrow
        .call((Array::full([3], 1f32), Array::from(&[2f32, 0.0, 1.0][..])))
        .unwrap();
    let want = [1.0 + f32::EPSILON, 1.0 - f32::EPSILON / 2.0, 1.0];
    assert_eq!(y.to_vec::<f32>().unwrap(), want);
}
