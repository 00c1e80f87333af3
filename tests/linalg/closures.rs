//! Methods that only apply a matrix: GMRES and LSMR.

use wengert::linalg::{Krylov, Lsmr};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, elements, function, in_a_batch, near, random};

fn regular(rng: &mut Rng, n: usize) -> Array {
    let a = random(rng, &[n, n]);
    jit(move |a: Var| a + eye(n) * 3.0).call(a).unwrap()
}

const TIGHT: Krylov = Krylov {
    rtol: 1e-14,
    atol: 0.0,
    max_steps: 1000,
};

const SHARP: Lsmr = Lsmr {
    damp: 0.0,
    atol: 1e-15,
    btol: 1e-15,
    conlim: 0.0,
    max_steps: 1000,
};

#[test]
fn minimal_residuals_solve() {
    for (n, m) in [(0, 3), (1, 1), (2, 5), (5, 5), (5, 3), (20, 6), (40, 40)] {
        let mut rng = Rng::new(n as u64 + 20);
        let (a, b) = (regular(&mut rng, n), random(&mut rng, &[n]));
        let f = function(move |x| {
            let (a, b) = (x[0], x[1]);
            let diagonal = a.diagonal();
            vec![
                TIGHT.gmres(m, move |x: Var| a.dot(x), b),
                TIGHT.gmres_with(m, move |x: Var| a.dot(x), move |x: Var| x / diagonal, b),
            ]
        });
        let solve = function(|x| vec![x[0].solve(x[1])]);
        let args = [a, b];
        let found = match n <= 2 {
            true => in_a_batch(&f, &args, 1e-11),
            false => compiled(&f, &args),
        };
        let wanted = compiled(&solve, &args);
        for x in found {
            near(&format!("{n} by {m}"), &x, &wanted[0], 1e-11);
        }
    }
    // A right-hand side of zero, an exact preconditioner, and a matrix that is not regular.
    let f = jit(|(a, b): (Var, Var)| {
        let exact = TIGHT.gmres_with(2, move |x: Var| a.dot(x), move |x: Var| x * 0.5, b);
        (exact, TIGHT.gmres(2, move |x: Var| a.dot(x) * 0.0, b))
    });
    let (x, y) = f.call(([[2.0, 0.0], [0.0, 2.0]], [2.0, 4.0])).unwrap();
    assert_eq!(elements(&x), [1.0, 2.0]);
    assert_eq!(elements(&y), [0.0, 0.0]);
    let (x, _) = f.call(([[2.0, 0.0], [0.0, 2.0]], [0.0, 0.0])).unwrap();
    assert_eq!(elements(&x), [0.0, 0.0]);
    let (x, _) = f.call(([[f64::NAN, 0.0], [0.0, 2.0]], [1.0, 0.0])).unwrap();
    assert!(elements(&x).iter().any(|x| x.is_nan()) || elements(&x) == [0.0, 0.0]);
    // Unknowns in a tree.
    let f = jit(|(a, b): (Var, Var)| {
        let apply = move |(x, y): (Var, Var)| (2.0 * x + y.sum(), a.dot(y) + x);
        let (x, y) = TIGHT.gmres(10, apply, (b.sum(), b));
        let (p, q) = apply((x, y));
        (p - b.sum(), q - b)
    });
    let mut rng = Rng::new(3);
    let (p, q) = f
        .call((regular(&mut rng, 3), random(&mut rng, &[3])))
        .unwrap();
    assert!(
        elements(&p)
            .iter()
            .chain(&elements(&q))
            .all(|x| x.abs() < 1e-11)
    );
}

#[test]
fn derivatives_of_minimal_residuals() {
    let mut rng = Rng::new(9);
    let (a, b) = (regular(&mut rng, 3), random(&mut rng, &[3]));
    let f = |(a, b): (Var, Var)| {
        // A preconditioner that is not symmetric.
        let near = |x: Var| x / 3.0 + x.roll(1, 0) * 0.01;
        (
            TIGHT.gmres(3, move |x: Var| a.dot(x), b),
            TIGHT.gmres_with(2, move |x: Var| a.dot(x), near, b),
        )
    };
    check_grads(f, (a, b), 2).unwrap();
}

const M: [[f64; 2]; 4] = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0], [2.0, -1.0]];
const RIGHT: [f64; 4] = [1.0, -1.0, 2.0, 0.5];

/// Figures of `scipy.sparse.linalg.lsmr`, SciPy 1.17.
#[test]
fn figures_of_scipy() {
    let f = |damp: f64| {
        jit(move |(a, b): (Var, Var)| {
            let like = b.at(0..2);
            Lsmr { damp, ..SHARP }.solve(move |x: Var| a.dot(x), b, like)
        })
    };
    let x = f(0.0).call((M, RIGHT)).unwrap();
    near(
        "plain",
        &x,
        &Array::from([0.171_785_028_790_786_86, 0.048_944_337_811_900_246]),
        1e-12,
    );
    let x = f(0.7).call((M, RIGHT)).unwrap();
    near(
        "damped",
        &x,
        &Array::from([0.163_421_184_473_821_45, 0.054_180_796_279_335_92]),
        1e-12,
    );
    // Ended early, by the same test in the same step, and without a test.
    let f = jit(|()| {
        let t = linspace(0.0, 1.0, 30);
        let y = (5.0 * t).cos();
        let waves = (t.expand_dims(1) * arange(6).to(DType::F64) * 2.0).cos();
        let loose = Lsmr {
            atol: 1e-2,
            btol: 1e-2,
            ..Lsmr::default()
        };
        let powers = stack_axis([7, 6, 5, 4, 3, 2, 1, 0].map(|k| t.powi(k)).to_vec(), 1);
        let four = Lsmr {
            max_steps: 4,
            ..SHARP
        };
        (
            loose.solve(move |x: Var| waves.dot(x), y, zeros([6])),
            four.solve(move |x: Var| powers.dot(x), y, zeros([8])),
        )
    });
    let (x, y) = f.call(()).unwrap();
    near("early", &x, &Array::from(EARLY), 1e-9);
    near("of four steps", &y, &Array::from(FOUR_STEPS), 1e-9);
}

const EARLY: [f64; 6] = [
    -0.040_768_402_897_163_2,
    -0.003_403_885_354_930_4,
    0.500_373_295_846_678_7,
    0.674_351_753_806_965_9,
    -0.168_887_230_710_354,
    0.042_227_259_777_277_384,
];
const FOUR_STEPS: [f64; 8] = [
    -0.707_907_721_156_770_4,
    0.241_824_491_558_058_19,
    1.128_985_404_614_985_9,
    1.720_753_288_960_619_6,
    1.533_779_240_802_166_7,
    -0.311_256_578_590_845_3,
    -4.475_588_493_113_765,
    1.280_126_620_929_653_3,
];

#[test]
fn least_squares_by_products() {
    for (m, n) in [(1, 1), (3, 3), (6, 3), (3, 6), (40, 5)] {
        let mut rng = Rng::new((m * 50 + n) as u64);
        let (a, b) = (random(&mut rng, &[m, n]), random(&mut rng, &[m]));
        let f = function(move |x| {
            let (a, b) = (x[0], x[1]);
            vec![SHARP.solve(move |x: Var| a.dot(x), b, a.at(0))]
        });
        let wanted = function(|x| vec![x[0].lstsq(x[1])]);
        let args = [a, b];
        let x = match m <= 3 {
            true => in_a_batch(&f, &args, 1e-11),
            false => compiled(&f, &args),
        };
        near(
            &format!("{m} by {n}"),
            &x[0],
            &compiled(&wanted, &args)[0],
            1e-10,
        );
    }
    // Nothing to fit.
    let f = jit(|(a, b): (Var, Var)| SHARP.solve(move |x: Var| a.dot(x), b, a.at(0)));
    let x = f.call((M, [0.0; 4])).unwrap();
    assert_eq!(elements(&x), [0.0, 0.0]);
    let x = f.call((M.map(|row| row.map(|x| x * 0.0)), RIGHT)).unwrap();
    assert_eq!(elements(&x), [0.0, 0.0]);
}

#[test]
fn derivatives_of_least_squares_by_products() {
    for damp in [0.0, 0.5] {
        let f = move |(a, b): (Var, Var)| {
            let like = (b.sum(), b.sum());
            let apply = move |(x, y): (Var, Var)| a.at((.., 0)) * x + a.at((.., 1)) * y;
            Lsmr { damp, ..SHARP }.solve(apply, b, like)
        };
        check_grads(f, (M, RIGHT), 2).unwrap();
    }
}
