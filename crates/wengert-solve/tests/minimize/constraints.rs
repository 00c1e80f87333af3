//! Minima under equations and inequalities.

use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::minimize::AugmentedLagrangian;

fn number(x: f64) -> Var {
    Var::from(x)
}

/// Problems of Hock and Schittkowski, *Test examples for nonlinear programming codes* (1981): number, function, equations,
/// inequalities, start, least value.
type Case = (
    usize,
    fn(Var) -> Var,
    fn(Var) -> Vec<Var>,
    fn(Var) -> Vec<Var>,
    &'static [f64],
    f64,
);

const CASES: [Case; 8] = [
    (
        6,
        |x| (1.0 - x.at(0)).square(),
        |x| vec![10.0 * (x.at(1) - x.at(0).square())],
        |_| vec![],
        &[-1.2, 1.0],
        0.0,
    ),
    (
        7,
        |x| (1.0 + x.at(0).square()).ln() - x.at(1),
        |x| vec![(1.0 + x.at(0).square()).square() + x.at(1).square() - 4.0],
        |_| vec![],
        &[2.0, 2.0],
        -1.732_050_807_568_877,
    ),
    (
        11,
        |x| (x.at(0) - 5.0).square() + x.at(1).square() - 25.0,
        |_| vec![],
        |x| vec![x.at(1) - x.at(0).square()],
        &[4.9, 0.1],
        -8.498_464_223,
    ),
    (
        12,
        |x| {
            0.5 * x.at(0).square() + x.at(1).square()
                - x.at(0) * x.at(1)
                - 7.0 * x.at(0)
                - 7.0 * x.at(1)
        },
        |_| vec![],
        |x| vec![25.0 - 4.0 * x.at(0).square() - x.at(1).square()],
        &[0.0, 0.0],
        -30.0,
    ),
    (
        22,
        |x| (x.at(0) - 2.0).square() + (x.at(1) - 1.0).square(),
        |_| vec![],
        |x| vec![2.0 - x.at(0) - x.at(1), x.at(1) - x.at(0).square()],
        &[2.0, 2.0],
        1.0,
    ),
    (
        28,
        |x| (x.at(0) + x.at(1)).square() + (x.at(1) + x.at(2)).square(),
        |x| vec![x.at(0) + 2.0 * x.at(1) + 3.0 * x.at(2) - 1.0],
        |_| vec![],
        &[-4.0, 1.0, 1.0],
        0.0,
    ),
    (
        43,
        |x| {
            let squares = x.square() * [1.0, 1.0, 2.0, 1.0];
            squares.sum() - (x * [5.0, 5.0, 21.0, -7.0]).sum()
        },
        |_| vec![],
        |x| {
            let s = x.square();
            vec![
                8.0 - s.sum() - (x * [1.0, -1.0, 1.0, -1.0]).sum(),
                10.0 - (s * [1.0, 2.0, 1.0, 2.0]).sum() + x.at(0) + x.at(3),
                5.0 - (s * [2.0, 1.0, 1.0, 0.0]).sum() - 2.0 * x.at(0) + x.at(1) + x.at(3),
            ]
        },
        &[0.0, 0.0, 0.0, 0.0],
        -44.0,
    ),
    (
        71,
        |x| x.at(0) * x.at(3) * (x.at(0) + x.at(1) + x.at(2)) + x.at(2),
        |x| vec![x.square().sum() - 40.0],
        |x| {
            let mut all = vec![x.prod() - 25.0];
            for i in 0..4 {
                all.extend([x.at(i) - 1.0, 5.0 - x.at(i)]);
            }
            all
        },
        &[1.0, 5.0, 5.0, 1.0],
        17.014_017_3,
    ),
];

#[test]
fn problems_with_known_minima() {
    for (number, f, equal, positive, start, want) in CASES {
        let solve = move |x: Var| AugmentedLagrangian::new().minimize(f, x, equal, positive);
        let m = jit(solve).call(start.to_vec()).unwrap();
        let value = m.value.item::<f64>().unwrap();
        assert_eq!(
            m.statuses().unwrap(),
            [Status::ResidualConverged],
            "{number}: {m:?}"
        );
        assert!(
            (value - want).abs() < 1e-6 * want.abs().max(1.0),
            "{number}: {m:?}"
        );
        assert!(
            m.violation.item::<f64>().unwrap() <= 1e-8,
            "{number}: {m:?}"
        );
    }
}

#[test]
fn derivatives_and_lanes() {
    let solve = |a: Var| {
        AugmentedLagrangian::new().tolerance(1e-10).minimize(
            move |[x, y]: [Var; 2]| (x - 2.0 * a).square() + (y - 1.0).square(),
            [0.1, 0.1],
            move |[x, y]: [Var; 2]| x * x * a + y - 1.5,
            |[x, y]: [Var; 2]| [1.2 - x, y + 3.0],
        )
    };
    let options = Options {
        order: 2,
        ..Options::default()
    };
    for a in [0.4, 0.9] {
        check_grads_with(move |a: Var| solve(a).x, a, &options).unwrap();
        check_grads_with(move |a: Var| solve(a).value, a, &options).unwrap();
    }
    let parts = move |a: Var| {
        let m = solve(a);
        (m.x, m.value, m.violation, m.iterations, m.status)
    };
    check_vmap(parts, [0.3, 0.5, 0.7, 0.9, 1.1, f64::NAN]).unwrap();
}

#[test]
fn failures_and_mistakes() {
    let none = jit(|x: Var| {
        let f = |x: Var| x.square().sum();
        AugmentedLagrangian::new().minimize(
            f,
            x,
            |x: Var| [x.sum() - 1.0, x.sum() - 2.0],
            |_: Var| (),
        )
    });
    let m = none.call([0.3, 0.1]).unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::Infeasible]);
    let wrong = jit(|x: Var| {
        AugmentedLagrangian::new().minimize(
            |x: Var| x.sum(),
            x,
            |x: Var| x.sum().to(DType::F32),
            |_: Var| number(1.0),
        )
    });
    let error = wrong.call([0.3, 0.1]).unwrap_err().to_string();
    let want = "minimize: the unknowns are f64, and the equations are f32, at ";
    assert!(
        error.starts_with(want) && error.contains("constraints.rs:"),
        "{error}"
    );
}
