//! Functions of several arguments.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::*;

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
