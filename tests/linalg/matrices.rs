//! Roots, logarithms and powers of matrices, polar factors, matrix equations, and products of reflections.

use wengert::linalg::{
    expm, fractional_matrix_power, householder_product, logm, polar, solve_continuous_lyapunov,
    solve_discrete_lyapunov, solve_sylvester, sqrtm,
};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, definite, elements, function, in_a_batch, near, random};

const A: [[f64; 3]; 3] = [[4.0, 1.0, -1.0], [2.0, 5.0, 0.5], [0.0, -1.0, 3.0]];
const B: [[f64; 2]; 2] = [[1.0, 2.0], [-1.0, 3.0]];
const Q: [[f64; 2]; 3] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
const EVEN: [[f64; 3]; 3] = [[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]];

/// Figures of SciPy 1.17.
#[test]
fn figures_of_scipy() {
    let f = jit(|(a, b, q, even): (Var, Var, Var, Var)| {
        let (u, p) = polar(a);
        (
            [sqrtm(a), logm(a), fractional_matrix_power(a, 0.3), u, p],
            solve_sylvester(a, b, q),
            solve_continuous_lyapunov(a, even),
            solve_discrete_lyapunov(a / 8.0, even),
        )
    });
    let (square, syl, cont, disc) = f.call((A, B, Q, EVEN)).unwrap();
    let wanted = [ROOT, LOG, POWER, U, P];
    for (x, w) in square.iter().zip(wanted) {
        near(
            "a function",
            x,
            &Array::new([3, 3], w.to_vec()).unwrap(),
            1e-13,
        );
    }
    near(
        "sylvester",
        &syl,
        &Array::new([3, 2], SYLVESTER.to_vec()).unwrap(),
        1e-13,
    );
    near(
        "continuous",
        &cont,
        &Array::new([3, 3], CONTINUOUS.to_vec()).unwrap(),
        1e-13,
    );
    near(
        "discrete",
        &disc,
        &Array::new([3, 3], DISCRETE.to_vec()).unwrap(),
        1e-13,
    );
    let q = jit(|(a, t): (Var, Var)| householder_product(a, t));
    let q = q.call((REFLECTIONS, FACTORS)).unwrap();
    near(
        "orgqr",
        &q,
        &Array::new([3, 2], ORTHOGONAL.to_vec()).unwrap(),
        1e-13,
    );
}

const ROOT: [f64; 9] = [
    1.975_798_565_134_766_3,
    0.221_425_455_765_430_38,
    -0.278_146_361_023_506_9,
    0.475_262_857_392_617_9,
    2.221_532_980_296_515,
    0.159_330_646_675_352_27,
    0.032_411_945_861_758_26,
    -0.253_837_401_627_187_76,
    1.746_270_122_903_896_6,
];
const LOG: [f64; 9] = [
    1.342_471_221_425_243_7,
    0.193_643_322_593_582_33,
    -0.309_246_034_541_000_75,
    0.453_345_337_728_546_3,
    1.585_658_563_424_862_3,
    0.195_909_700_108_864,
    0.066_058_692_541_382_08,
    -0.259_702_015_134_963_94,
    1.132_313_225_696_316,
];
const POWER: [f64; 9] = [
    1.500_892_528_327_111,
    0.095_606_274_856_737_21,
    -0.131_977_694_649_753_79,
    0.211_996_218_166_626_62,
    1.612_086_554_523_712_4,
    0.078_978_640_108_097_05,
    0.020_783_668_453_152_365,
    -0.116_389_943_309_889_35,
    1.400_090_336_357_085_8,
];
const U: [f64; 9] = [
    0.974_314_525_372_324_5,
    -0.102_345_100_584_245_66,
    -0.200_590_842_350_546_8,
    0.144_637_910_631_498_2,
    0.967_141_776_273_789_4,
    0.209_085_292_151_633_16,
    0.172_600_928_319_218_06,
    -0.232_727_877_514_447_2,
    0.957_103_262_229_820_3,
];
const P: [f64; 9] = [
    4.186_533_922_752_293,
    1.524_903_150_210_597,
    -0.384_192_785_098_920_9,
    1.524_903_150_210_597,
    4.966_091_658_299_149,
    -0.112_267_643_822_201_78,
    -0.384_192_785_098_920_96,
    -0.112_267_643_822_201_68,
    3.176_443_275_115_823,
];
const SYLVESTER: [f64; 6] = [
    0.473_182_717_085_156_7,
    0.182_177_743_153_353_06,
    0.278_600_107_868_400_9,
    0.349_134_056_451_130_05,
    1.462_335_950_140_828_6,
    0.570_743_692_694_912_4,
];
const CONTINUOUS: [f64; 9] = [
    0.257_048_473_713_962_9,
    0.006_377_190_503_109_248,
    0.034_571_085_358_959_835,
    0.006_377_190_503_109_286,
    0.307_792_184_850_198_5,
    -0.103_430_610_514_414_99,
    0.034_571_085_358_959_85,
    -0.103_430_610_514_415_02,
    0.132_189_796_495_195_02,
];
const DISCRETE: [f64; 9] = [
    3.562_657_865_368_153_8,
    3.201_761_760_094_659_5,
    -0.624_615_342_200_461_4,
    3.201_761_760_094_659_5,
    6.635_993_031_055_015_5,
    -2.122_372_670_887_831_4,
    -0.624_615_342_200_461_6,
    -2.122_372_670_887_831_4,
    1.515_822_346_479_673,
];
const FACTORS: [f64; 2] = [1.169_030_850_945_703_2, 1.727_739_776_203_049_7];
const ORTHOGONAL: [f64; 6] = [
    -0.169_030_850_945_703_25,
    0.948_683_298_050_513_3,
    -0.507_092_552_837_11,
    -0.316_227_766_016_838_33,
    -0.845_154_254_728_516_6,
    2.3208668709370606e-16,
];
const REFLECTIONS: [[f64; 2]; 3] = [
    [-5.916_079_783_099_616, -8.282_511_696_339_462],
    [0.433_771_745_567_613_2, 0.632_455_532_033_675_9],
    [0.722_952_909_279_355_3, 0.396_965_654_062_564_3],
];

#[test]
fn roots_square_and_logarithms_exponentiate() {
    let f = function(|x| vec![sqrtm(x[0]), logm(x[0])]);
    let back = function(|x| vec![x[0].matmul(x[0]), expm(x[1])]);
    for n in [0, 1, 2, 3, 5, 8, 20, 40] {
        let mut rng = Rng::new(n as u64 + 70);
        let (even, odd) = (definite(&mut rng, &[n, n]), random(&mut rng, &[n, n]));
        let own = jit(|(a, b): (Var, Var)| a + (b - b.t()));
        let a = own.call((&even, &odd)).unwrap();
        let x = match n <= 3 {
            true => in_a_batch(&f, std::slice::from_ref(&a), 1e-11),
            false => compiled(&f, std::slice::from_ref(&a)),
        };
        let r = compiled(&back, &x);
        near(&format!("a root of {n}"), &r[0], &a, 1e-12);
        near(&format!("a logarithm of {n}"), &r[1], &a, 1e-11);
    }
    let f = jit(|a: Var| (sqrtm(a), logm(a)));
    for size in [1e-150f64, 1e150] {
        let (root, log) = f.call(A.map(|row| row.map(|x| x * size))).unwrap();
        let plain = f.call(A).unwrap();
        let shifted = jit(move |x: Var| x + eye(3) * size.ln())
            .call(&plain.1)
            .unwrap();
        let scaled = jit(move |x: Var| x * size.sqrt()).call(&plain.0).unwrap();
        near("scaled", &root, &scaled, 1e-13);
        near("scaled", &log, &shifted, 1e-13);
    }
    // No real root.
    for bad in [
        [[-1.0, 0.0], [0.0, 2.0]],
        [[0.0, 0.0], [0.0, 1.0]],
        [[f64::NAN, 0.0], [0.0, 1.0]],
    ] {
        let (root, log) = f.call(bad).unwrap();
        for x in [root, log] {
            assert!(elements(&x).iter().all(|x| x.is_nan()), "{bad:?} {x:?}");
        }
    }
}

#[test]
fn polar_factors_multiply_to_the_matrix() {
    let f = function(|x| {
        let (u, p) = polar(x[0]);
        vec![u, p]
    });
    let back = function(|x| {
        vec![
            x[0].matmul(x[1]),
            x[0].t().matmul(x[0]) - eye(x[1].shape()[0]),
        ]
    });
    for dims in [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
        [5, 2],
        [4, 0],
        [9, 9],
        [40, 33],
    ] {
        let a = random(&mut Rng::new(dims[0] as u64), &dims);
        let found = match dims[0] <= 5 {
            true => in_a_batch(&f, std::slice::from_ref(&a), 1e-11),
            false => compiled(&f, std::slice::from_ref(&a)),
        };
        let r = compiled(&back, &found);
        near(&format!("{dims:?}"), &r[0], &a, 1e-13);
        assert!(elements(&r[1]).iter().all(|x| x.abs() < 1e-12), "{dims:?}");
    }
    let (u, _) = jit(|a: Var| polar(a))
        .call([[0.0, 0.0], [0.0, 1.0]])
        .unwrap();
    assert!(elements(&u).iter().all(|x| x.is_nan()), "{u:?}");
}

#[test]
fn equations_hold() {
    let f = function(|x| {
        let (a, b, q, even) = (x[0], x[1], x[2], x[3]);
        let x = solve_sylvester(a, b, q);
        let (c, d) = (
            solve_continuous_lyapunov(a, even),
            solve_discrete_lyapunov(a, even),
        );
        vec![
            a.matmul(x) + x.matmul(b) - q,
            a.matmul(c) + c.matmul(a.t()) - even,
            d - a.matmul(d).matmul(a.t()) - even,
        ]
    });
    for (m, n) in [(0, 0), (0, 2), (1, 1), (2, 3), (5, 4), (7, 1)] {
        let mut rng = Rng::new((m * 10 + n) as u64);
        let args = [[m, m], [n, n], [m, n], [m, m]].map(|dims| random(&mut rng, &dims));
        let found = match m <= 2 {
            true => in_a_batch(&f, &args, 1e-11),
            false => compiled(&f, &args),
        };
        for x in found {
            assert!(elements(&x).iter().all(|x| x.abs() < 1e-9), "{m} {n} {x:?}");
        }
    }
}

#[test]
fn reflections_make_an_orthogonal_matrix() {
    let f = function(|x| vec![householder_product(x[0], x[1])]);
    for (m, n, k) in [
        (0, 0, 0),
        (1, 1, 1),
        (3, 3, 0),
        (4, 3, 2),
        (5, 5, 5),
        (9, 4, 4),
    ] {
        let mut rng = Rng::new(m as u64);
        let a = random(&mut rng, &[m, n]);
        let taus = jit(move |a: Var| {
            let size = a.tril_at(-1).square().sum_axis(0) + 1.0;
            (2.0 / size).at(..k)
        });
        let taus = taus.call(&a).unwrap();
        let q = in_a_batch(&f, &[a.clone(), taus.clone()], 1e-11);
        let off = jit(move |q: Var| (q.t().matmul(q) - eye(n)).abs().sum());
        assert!(
            elements(&off.call(&q[0]).unwrap())[0] < 1e-13,
            "{m} {n} {k}"
        );
        let f = |(a, t): (Var, Var)| householder_product(a, t);
        check_grads(f, (a, taus), 2).unwrap();
    }
}

#[test]
fn derivatives_of_functions_of_matrices() {
    for a in [vec![2.0], vec![2.0, 0.5, -0.25, 1.0]] {
        let n = if a.len() == 1 { 1 } else { 2 };
        let a = Array::new([n, n], a).unwrap();
        check_grads(|a: Var| sqrtm(a), a.clone(), 2).unwrap();
        check_grads(|a: Var| logm(a), a.clone(), 2).unwrap();
        check_grads(|a: Var| polar(a), a.clone(), 2).unwrap();
        check_grads(|a: Var| fractional_matrix_power(a, 0.3), a, 1).unwrap();
    }
    check_grads(|a: Var| polar(a), [[2.0, 0.5], [1.0, 3.0], [-1.0, 0.25]], 2).unwrap();
    // Equal singular values.
    check_grads(|a: Var| polar(a), [[0.0, -2.0], [2.0, 0.0]], 2).unwrap();
    let f = |(a, b, q): (Var, Var, Var)| solve_sylvester(a, b, q);
    check_grads(f, (A, B, Q), 2).unwrap();
    let f = |(a, q): (Var, Var)| {
        (
            solve_continuous_lyapunov(a, q),
            solve_discrete_lyapunov(a / 8.0, q),
        )
    };
    check_grads(f, (A, EVEN), 2).unwrap();
}
