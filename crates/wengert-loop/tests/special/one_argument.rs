//! Functions of one argument.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::*;

#[test]
fn one_argument() {
    let rows: &[(Elementary, &[(f64, f64)])] = &[
        (
            Exp,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, INF),
                (-INF, 0.0),
                (710.0, INF),
                (-746.0, 0.0),
            ],
        ),
        (
            Exp,
            &[(-745.0, TINY), (1e308, INF), (-1e308, 0.0), (TINY, 1.0)],
        ),
        (
            Exp2,
            &[
                (0.0, 1.0),
                (10.0, 1024.0),
                (-1074.0, TINY),
                (1024.0, INF),
                (-1076.0, 0.0),
            ],
        ),
        (
            Exp2,
            &[
                (INF, INF),
                (-INF, 0.0),
                (1023.0, 2f64.powi(1023)),
                (-1e300, 0.0),
            ],
        ),
        (
            Expm1,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -1.0),
                (TINY, TINY),
                (-1e9, -1.0),
            ],
        ),
        (Expm1, &[(-TINY, -TINY), (1e-300, 1e-300), (710.0, INF)]),
        (
            Sigmoid,
            &[
                (0.0, 0.5),
                (-0.0, 0.5),
                (INF, 1.0),
                (-INF, 0.0),
                (800.0, 1.0),
                (-800.0, 0.0),
            ],
        ),
        (Sigmoid, &[(-745.0, TINY), (40.0, 1.0)]),
        (
            Log,
            &[
                (1.0, 0.0),
                (0.0, -INF),
                (-0.0, -INF),
                (INF, INF),
                (-1.0, NAN),
                (-INF, NAN),
            ],
        ),
        (Log, &[(-TINY, NAN), (TINY, -744.440_071_921_381_2)]),
        (
            Log1p,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1.0, -INF),
                (INF, INF),
                (-1.5, NAN),
                (-INF, NAN),
            ],
        ),
        (Log1p, &[(TINY, TINY), (-TINY, -TINY), (1e-300, 1e-300)]),
        (
            Sin,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, NAN),
                (-INF, NAN),
                (TINY, TINY),
                (-1e-300, -1e-300),
            ],
        ),
        (
            Cos,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, NAN),
                (-INF, NAN),
                (TINY, 1.0),
            ],
        ),
        (
            Tan,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, NAN),
                (-INF, NAN),
                (TINY, TINY),
                (-1e-300, -1e-300),
            ],
        ),
        (
            Asin,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (1.0, FRAC_PI_2),
                (-1.0, -FRAC_PI_2),
                (1.5, NAN),
            ],
        ),
        (Asin, &[(TINY, TINY), (-INF, NAN)]),
        (
            Acos,
            &[
                (1.0, 0.0),
                (-1.0, PI),
                (0.0, FRAC_PI_2),
                (-0.0, FRAC_PI_2),
                (1.5, NAN),
                (-INF, NAN),
            ],
        ),
        (
            Atan,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, FRAC_PI_2),
                (-INF, -FRAC_PI_2),
                (TINY, TINY),
            ],
        ),
        (
            Atan,
            &[(1.0, FRAC_PI_4), (-1.0, -FRAC_PI_4), (1e308, FRAC_PI_2)],
        ),
        (
            Sinh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -INF),
                (TINY, TINY),
                (-720.0, -INF),
            ],
        ),
        (
            Cosh,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, INF),
                (-INF, INF),
                (720.0, INF),
                (TINY, 1.0),
            ],
        ),
        (
            Tanh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, 1.0),
                (-INF, -1.0),
                (TINY, TINY),
                (1e300, 1.0),
            ],
        ),
        (Tanh, &[(-1e-300, -1e-300), (-20.0, -1.0)]),
        (
            Log2,
            &[
                (1.0, 0.0),
                (1024.0, 10.0),
                (0.5, -1.0),
                (TINY, -1074.0),
                (0.0, -INF),
                (INF, INF),
            ],
        ),
        (
            Log2,
            &[
                (-0.0, -INF),
                (-1.0, NAN),
                (f64::MIN_POSITIVE, -1022.0),
                (-INF, NAN),
            ],
        ),
        (
            Log10,
            &[
                (1.0, 0.0),
                (0.0, -INF),
                (-0.0, -INF),
                (INF, INF),
                (-1.0, NAN),
                (10.0, 1.0),
            ],
        ),
        (
            Asinh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -INF),
                (TINY, TINY),
                (-1e-300, -1e-300),
            ],
        ),
        (
            Acosh,
            &[
                (1.0, 0.0),
                (INF, INF),
                (0.5, NAN),
                (-1.0, NAN),
                (-5.0, NAN),
                (-INF, NAN),
                (0.0, NAN),
            ],
        ),
        (
            Atanh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (1.0, INF),
                (-1.0, -INF),
                (1.5, NAN),
                (-INF, NAN),
            ],
        ),
        (Atanh, &[(TINY, TINY), (-1e-300, -1e-300)]),
        (
            Cbrt,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -INF),
                (27.0, 3.0),
                (-8.0, -2.0),
            ],
        ),
        (
            Cbrt,
            &[
                (1e-300, 1e-100),
                (2f64.powi(-1074), 2f64.powi(-358)),
                (2f64.powi(1023), 2f64.powi(341)),
            ],
        ),
        (
            Erf,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, 1.0),
                (-INF, -1.0),
                (6.0, 1.0),
                (1e300, 1.0),
            ],
        ),
        (
            Erfc,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, 0.0),
                (-INF, 2.0),
                (28.0, 0.0),
                (-6.0, 2.0),
            ],
        ),
        (Erfc, &[(1e300, 0.0), (-1e300, 2.0), (TINY, 1.0)]),
        (
            ErfInv,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (1.0, INF),
                (-1.0, -INF),
                (1.5, NAN),
                (-INF, NAN),
            ],
        ),
        (
            Lgamma,
            &[
                (1.0, 0.0),
                (2.0, 0.0),
                (0.0, INF),
                (-0.0, INF),
                (-3.0, INF),
                (INF, INF),
                (-INF, INF),
                (1e308, INF),
                (-1e308, INF),
                (TINY, 744.440_071_921_381_2),
                (-TINY, 744.440_071_921_381_2),
            ],
        ),
        (
            Digamma,
            &[
                (0.0, NAN),
                (-0.0, NAN),
                (-3.0, NAN),
                (INF, INF),
                (-INF, NAN),
                (TINY, -INF),
                (-TINY, INF),
                (-1e308, NAN),
            ],
        ),
        (
            Trigamma,
            &[
                (0.0, INF),
                (-0.0, INF),
                (-3.0, INF),
                (INF, 0.0),
                (-INF, NAN),
                (TINY, INF),
            ],
        ),
        (
            I0e,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, 0.0),
                (-INF, 0.0),
                (TINY, 1.0),
            ],
        ),
        (
            I1e,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, 0.0),
                (-INF, -0.0),
                (2e-300, 1e-300),
            ],
        ),
        (
            NormalTail,
            &[
                (0.5, 0.0),
                (-0.5, -0.0),
                (0.0, INF),
                (-0.0, -INF),
                (TINY, 38.467_405_617_144_344),
                (0.51, NAN),
                (-1.0, NAN),
                (INF, NAN),
            ],
        ),
    ];
    for (f, cases) in rows {
        check(*f, &[NAN], NAN);
        check(*f, &[-NAN], NAN);
        for &(x, y) in *cases {
            check(*f, &[x], y);
        }
    }
}

#[test]
fn powers_of_ten_have_exact_logarithms() {
    for n in 0..=22 {
        let x = format!("1e{n}").parse().expect("a number");
        check(Log10, &[x], f64::from(n));
    }
}
