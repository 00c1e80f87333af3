//! Special values (C99, Annex F), bit by bit, and the laws of signs.
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
use wengert_loop::elementary::Elementary::{self, *};
use wengert_loop::elementary::eval;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const TINY: f64 = 5e-324;

/// Expects the same bits, or any NaN for NaN.
fn check(f: Elementary, args: &[f64], expected: f64) {
    let y = eval(f, args);
    let same = y.to_bits() == expected.to_bits() || (y.is_nan() && expected.is_nan());
    assert!(
        same,
        "{}({args:?}) is {y:?}, expected {expected:?}",
        f.name()
    );
}

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

#[test]
fn angles_of_points() {
    let third = 3.0 * FRAC_PI_4;
    let rows = [
        (0.0, 0.0, 0.0),
        (0.0, -0.0, PI),
        (0.0, 1.0, 0.0),
        (0.0, -1.0, PI),
        (1.0, 0.0, FRAC_PI_2),
        (1.0, -0.0, FRAC_PI_2),
        (1.0, INF, 0.0),
        (1.0, -INF, PI),
        (INF, 1.0, FRAC_PI_2),
        (INF, -1.0, FRAC_PI_2),
        (INF, INF, FRAC_PI_4),
        (INF, -INF, third),
        (1.0, 1.0, FRAC_PI_4),
        (1.0, -1.0, third),
        (TINY, 1e308, 0.0),
        (TINY, -1e308, PI),
        (1e308, TINY, FRAC_PI_2),
        (TINY, TINY, FRAC_PI_4),
    ];
    for (y, x, angle) in rows {
        check(Atan2, &[y, x], angle);
        check(Atan2, &[-y, x], -angle);
    }
    for x in [0.0, 1.0, -INF, NAN] {
        check(Atan2, &[NAN, x], NAN);
        check(Atan2, &[x, NAN], NAN);
    }
}

#[test]
fn lengths() {
    for (x, y, length) in [
        (3.0, -4.0, 5.0),
        (0.0, -0.0, 0.0),
        (INF, NAN, INF),
        (NAN, -INF, INF),
        (NAN, 1.0, NAN),
        (TINY, 0.0, TINY),
        (3e-320, 4e-320, 5e-320),
        (1e308, 1e308, 1.414_213_562_373_095_1e308),
        (1.5e308, 1.5e308, INF),
    ] {
        check(Hypot, &[x, y], length);
        check(Hypot, &[y, x], length);
    }
}

#[test]
fn orders_of_polygamma() {
    for x in [0.7, 3.0, -1.4, 0.0, -2.0, INF] {
        check(Polygamma, &[0.0, x], eval(Digamma, &[x]));
    }
    check(Polygamma, &[-1.0, 2.0], NAN);
    check(Polygamma, &[NAN, 2.0], NAN);
    // A polygamma of even order changes its sign at a pole, one of odd order does not.
    check(Polygamma, &[2.0, -3.0], NAN);
    check(Polygamma, &[3.0, -3.0], INF);
    check(Polygamma, &[2.0, INF], -0.0);
    // Beyond the table of factorials: n! x^-(n+1), and little more.
    let y = eval(Polygamma, &[200.0, 90.0]);
    let lgamma = eval(Lgamma, &[201.0]);
    let first = (lgamma - 201.0 * 90f64.ln()).exp();
    let second = (lgamma - 201.0 * 91f64.ln()).exp();
    assert!(y < 0.0 && -y > first + second && -y < 1.2 * first, "{y:e}");
}

/// The ends of the incomplete functions, as in SciPy.
#[test]
fn ends_of_distributions() {
    for (s, x, lower) in [
        (2.0, 0.0, 0.0),
        (2.0, -0.0, 0.0),
        (2.0, INF, 1.0),
        (0.0, 1.0, 1.0),
        (INF, 1.0, 0.0),
        (0.0, 0.0, NAN),
        (INF, INF, NAN),
        (-1.0, 1.0, NAN),
        (1.0, -1.0, NAN),
        (NAN, 1.0, NAN),
        (1.0, NAN, NAN),
        (1e3, TINY, 0.0),
        (1e-3, 1e300, 1.0),
    ] {
        check(Gammainc, &[s, x], lower);
        check(Gammaincc, &[s, x], 1.0 - lower);
    }
    for (p, q, x, value) in [
        (2.0, 3.0, 0.0, 0.0),
        (2.0, 3.0, 1.0, 1.0),
        (2.0, 3.0, 1.5, NAN),
        (2.0, 3.0, -TINY, NAN),
        (0.0, 3.0, 0.5, NAN),
        (2.0, -1.0, 0.5, NAN),
        (2.0, 3.0, NAN, NAN),
        (0.5, 0.5, 0.5, 0.5),
    ] {
        check(Betainc, &[p, q, x], value);
    }
    check(GammaDensity, &[1.0, 0.0], 1.0);
    check(GammaDensity, &[0.5, 0.0], INF);
    check(GammaDensity, &[9.0, 0.0], 0.0);
    check(BetaDensity, &[1.0, 2.0, 0.0], 2.0);
    check(BetaDensity, &[9.0, 9.0, 1.0], 0.0);
    check(Betaln, &[0.0, 2.0], INF);
    check(Betaln, &[-1.0, 2.0], NAN);
    check(Betaln, &[1.0, 1.0], 0.0);
}

#[test]
fn powers() {
    let huge = 2f64.powi(53);
    let rows = [
        (0.0, 3.0, 0.0),
        (-0.0, 3.0, -0.0),
        (0.0, 2.0, 0.0),
        (-0.0, 2.0, 0.0),
        (0.0, 0.5, 0.0),
        (-0.0, 0.5, 0.0),
        (0.0, -1.0, INF),
        (-0.0, -1.0, -INF),
        (0.0, -2.0, INF),
        (-0.0, -2.0, INF),
        (-0.0, -0.5, INF),
        (0.0, -INF, INF),
        (-0.0, -INF, INF),
        (0.0, INF, 0.0),
        (-0.0, INF, 0.0),
        (-1.0, INF, 1.0),
        (-1.0, -INF, 1.0),
        (0.5, -INF, INF),
        (-0.5, -INF, INF),
        (2.0, -INF, 0.0),
        (-2.0, -INF, 0.0),
        (0.5, INF, 0.0),
        (2.0, INF, INF),
        (-2.0, INF, INF),
        (-INF, -3.0, -0.0),
        (-INF, -2.0, 0.0),
        (-INF, 3.0, -INF),
        (-INF, 2.0, INF),
        (-INF, 0.5, INF),
        (-INF, -0.5, 0.0),
        (INF, 2.0, INF),
        (INF, -2.0, 0.0),
        (INF, INF, INF),
        (INF, -INF, 0.0),
        (-INF, INF, INF),
        (-INF, -INF, 0.0),
        (-2.0, 3.0, -8.0),
        (-2.0, 2.0, 4.0),
        (-2.0, 0.5, NAN),
        (-2.0, -1.0, -0.5),
        (-1.0, huge, 1.0),
        (-1.0, huge - 1.0, -1.0),
        (-1.0, 1e300, 1.0),
        (1.0, 1e300, 1.0),
        (2.0, 1e300, INF),
        (2.0, -1e300, 0.0),
        (-2.0, 1023.0, -(2f64.powi(1023))),
        (2.0, 1024.0, INF),
        (2.0, -1074.0, TINY),
        (-2.0, -1073.0, -2.0 * TINY),
        (2.0, -1076.0, 0.0),
        (TINY, 1.0, TINY),
        (TINY, 0.5, 2f64.powi(-537)),
        (TINY, -0.5, 2f64.powi(537)),
        (TINY, 2.0, 0.0),
        (10.0, 2.0, 100.0),
        (10.0, 22.0, 1e22),
        (3.0, 5.0, 243.0),
        (1.5, 2.0, 2.25),
        (7.0, 1.0, 7.0),
        (9.0, 0.5, 3.0),
        (4.0, -0.5, 0.5),
        (NAN, 1.0, NAN),
        (1.5, NAN, NAN),
        (NAN, NAN, NAN),
        (-INF, NAN, NAN),
        (0.0, NAN, NAN),
    ];
    for (x, y, power) in rows {
        check(Pow, &[x, y], power);
    }
    for x in [0.0, -0.0, 1.0, -3.0, INF, -INF, NAN, TINY] {
        check(Pow, &[x, 0.0], 1.0);
        check(Pow, &[x, -0.0], 1.0);
        check(Pow, &[1.0, x], 1.0);
    }
}

#[test]
fn every_function_has_its_name_and_arguments() {
    for (i, f) in Elementary::ALL.iter().enumerate() {
        assert_eq!(*f as usize, i);
        assert!(!f.name().is_empty());
        eval(*f, &[0.5; 5][..f.arity()]);
    }
}
