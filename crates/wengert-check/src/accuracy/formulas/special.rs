//! Special functions, and combinations of elementary ones that are accurate where their parts cancel.

use wengert::prelude::*;
use wengert_ir::ops::rows;

use super::super::jet::big;
use super::super::series::{
    bessel, bessel_grown, betainc, erf_tail, gamma_family, gammainc, lgamma_positive_jet, normal,
    root_pi, series,
};
use super::super::walked::{Walked, one, two};
use super::{inside, positive};

pub(super) const WALKED: &[Walked] = &[
    one(
        "erf",
        |x| x[0].erf(),
        |j, x, _, _| {
            let y = erf_tail(j, &x[0]);
            j.neg(&y)
        },
    )
    .rows(&["erf", "gauss"])
    .within(-28.0, 28.0),
    one("erfc", |x| x[0].erfc(), |j, x, _, _| erf_tail(j, &x[0]))
        .rows(&["erfc", "gauss"])
        .within(-28.0, 28.0),
    one(
        "erf_inv",
        |x| x[0].erf_inv(),
        |j, x, _, v| {
            j.by_equation(&x[0], v, |j, _, y| {
                let root = j.pi();
                let root = j.constant(root);
                let root = j.sqrt(&root);
                let square = j.mul(y, y);
                let e = j.exp(&square);
                let y = j.mul(&e, &root);
                j.times(&y, 0.5)
            })
        },
    )
    .rows(&["erf_inv"])
    .needs("erf_inv")
    .on(inside)
    .within(-1.0, 1.0),
    one(
        "normal_tail",
        |x| x[0].normal_tail(),
        |j, x, _, v| {
            j.by_equation(&x[0], v, |j, _, y| {
                let turn = j.pi();
                let turn = j.constant(turn);
                let turn = j.times(&turn, 2.0);
                let root = j.sqrt(&turn);
                let square = j.mul(y, y);
                let half = j.times(&square, 0.5);
                let e = j.exp(&half);
                let y = j.mul(&e, &root);
                j.neg(&y)
            })
        },
    )
    .rows(&["normal_tail"])
    .needs("normal_tail")
    .on(|x| x[0].abs() < 0.5)
    .within(-0.5, 0.5),
    one(
        "lgamma",
        |x| x[0].lgamma(),
        |j, x, at, v| {
            let zero = big(0.0);
            gamma_family(j, &x[0], at[0], &[zero, v], 1)
        },
    )
    .rows(&["lgamma"])
    .needs("digamma")
    .on(off_poles),
    one(
        "digamma",
        |x| x[0].digamma(),
        |j, x, at, v| gamma_family(j, &x[0], at[0], &[v], 1),
    )
    .rows(&["digamma"])
    .needs("digamma")
    .on(off_poles),
    one(
        "trigamma",
        |x| x[0].polygamma(1),
        |j, x, at, _| gamma_family(j, &x[0], at[0], &[], 1),
    )
    .rows(&["trigamma"])
    .on(off_poles),
    one(
        "polygamma(2)",
        |x| x[0].polygamma(2),
        |j, x, at, _| gamma_family(j, &x[0], at[0], &[], 2),
    )
    .rows(&["polygamma"])
    .on(off_poles),
    one(
        "i0",
        |x| x[0].i0(),
        |j, x, at, _| bessel_grown(j, &x[0], at[0], 0),
    )
    .rows(&["i0"])
    .on(|x| x[0].abs() < 1e4)
    .within(-715.0, 715.0),
    one(
        "i1",
        |x| x[0].i1(),
        |j, x, at, _| {
            let y = bessel_grown(j, &x[0], at[0], 1);
            j.mul(&x[0], &y)
        },
    )
    .rows(&["i1", "bessel_ratio"])
    .on(|x| x[0].abs() < 1e4)
    .within(-715.0, 715.0),
    one(
        "i0e",
        |x| x[0].i0e(),
        |j, x, at, _| bessel(j, &x[0], at[0], 0),
    )
    .rows(&["i0e", "bessel_moment"])
    .within(-40.0, 40.0),
    one(
        "i1e",
        |x| x[0].i1e(),
        |j, x, at, _| {
            let y = bessel(j, &x[0], at[0], 1);
            j.mul(&x[0], &y)
        },
    )
    .rows(&["i1e", "bessel_moment"])
    .within(-40.0, 40.0),
    two(
        "xlogy",
        |x| x[0].xlogy(x[1]),
        |j, x, _, _| {
            let log = j.ln(&x[1]);
            j.mul(&log, &x[0])
        },
    )
    .rows(&["xlogy"])
    .on(|x| x[1] > 0.0),
    two(
        "xlog1py",
        |x| x[0].xlog1py(x[1]),
        |j, x, _, _| {
            let y = j.plus(&x[1], 1.0);
            let log = j.ln(&y);
            j.mul(&log, &x[0])
        },
    )
    .rows(&["xlog1py"])
    .on(|x| x[1] > -1.0),
    two(
        "betaln",
        |x| x[0].betaln(x[1]),
        |j, x, _, _| {
            let sum = j.add(&x[0], &x[1]);
            let [a, b, sum] = [x[0].clone(), x[1].clone(), sum].map(|x| lgamma_positive_jet(j, &x));
            let both = j.add(&a, &b);
            j.sub(&both, &sum)
        },
    )
    .rows(&["betaln", "polygamma_gap"])
    .note("arguments of 1e-8 to 1e8")
    .on(|x| x.iter().all(|&x| x > 1e-8 && x < 1e8))
    .within(0.0, 30.0),
    two(
        "gammainc",
        |x| x[0].gammainc(x[1]),
        |j, x, _, _| gammainc(j, &x[0], &x[1]),
    )
    .rows(&["gammainc", "gamma_density", "gamma_moment"])
    .on(gamma_points)
    .within(0.0, 20.0),
    two(
        "gammaincc",
        |x| x[0].gammaincc(x[1]),
        |j, x, _, _| {
            let y = gammainc(j, &x[0], &x[1]);
            j.neg(&y)
        },
    )
    .rows(&["gammaincc", "gamma_density", "gamma_moment"])
    .on(gamma_points)
    .within(0.0, 20.0),
    Walked {
        arity: 3,
        ..one(
            "betainc",
            |x| {
                let op = const { rows::row("betainc") };
                op.apply(x)
            },
            |j, x, at, _| betainc(j, x, at),
        )
    }
    .rows(&["betainc", "beta_density", "beta_moment"])
    .note("shapes of 0.001 to 50, and small first ones")
    .on(|x| x[0] > 1e-30 && x[0] < 50.0 && x[1] > 1e-3 && x[1] < 50.0 && x[2] > 0.01 && x[2] < 0.99)
    .within(0.0, 5.0),
    one(
        "erfcx",
        |x| named("erfcx", x),
        |j, x, _, v| {
            j.by_equation(&x[0], v, |j, x, y| {
                let root = root_pi(j);
                let two = j.number(2.0);
                let least = j.div(&two, &root);
                let product = j.mul(x, y);
                let product = j.times(&product, 2.0);
                j.sub(&product, &least)
            })
        },
    )
    .rows(&["erfcx", "erfcx_ratio"])
    .needs("erfcx")
    .on(|x| x[0] > -27.0 && x[0] < 1e4)
    .narrow(|x| x[0] > -9.3),
    one(
        "log_erfc",
        |x| named("log_erfc", x),
        |j, x, _, _| {
            let y = erf_tail(j, &x[0]);
            j.ln(&y)
        },
    )
    .rows(&["log_erfc", "erfc_hazard"])
    .on(|x| x[0] > -1e3 && x[0] < 900.0)
    .third(1e5)
    .note("the third order loses x² far out"),
    one("ndtr", |x| named("ndtr", x), |j, x, _, _| normal(j, &x[0])).rows(&["ndtr"]),
    one(
        "log_ndtr",
        |x| named("log_ndtr", x),
        |j, x, _, _| {
            let y = normal(j, &x[0]);
            j.ln(&y)
        },
    )
    .rows(&["log_ndtr", "normal_hazard"])
    .on(|x| x[0].abs() < 1e3)
    .third(1e5)
    .note("the third order loses x² far out"),
    one(
        "exprel",
        |x| named("exprel", x),
        |j, x, at, _| {
            if at[0].abs() < 1.0 {
                return series(j, &x[0], |_| 1.0);
            }
            let e = j.exp(&x[0]);
            let e = j.plus(&e, -1.0);
            j.div(&e, &x[0])
        },
    )
    .rows(&["exprel", "exprel_moment"])
    .within(-720.0, 720.0)
    .on(|x| x[0] < 1e4),
    one(
        "log1p_over_x",
        |x| named("log1p_over_x", x),
        |j, x, at, _| {
            if at[0].abs() < 0.1 {
                return series(j, &x[0], |k| -k);
            }
            let y = j.plus(&x[0], 1.0);
            let y = j.ln(&y);
            j.div(&y, &x[0])
        },
    )
    .rows(&["log1p_over_x", "log1p_moment"])
    .on(|x| x[0] > -1.0),
    one(
        "log1mexp",
        |x| named("log1mexp", x),
        |j, x, _, v| {
            j.by_slope(&x[0], v, |j, x| {
                let e = j.exp(&j.neg(x));
                let rest = j.plus(&j.neg(&e), 1.0);
                j.div(&e, &rest)
            })
        },
    )
    .rows(&["log1mexp", "recip_expm1"])
    .on(positive),
    one(
        "log_expm1",
        |x| named("log_expm1", x),
        |j, x, _, v| {
            j.by_slope(&x[0], v, |j, x| {
                let e = j.exp(&j.neg(x));
                let rest = j.plus(&j.neg(&e), 1.0);
                j.recip(&rest)
            })
        },
    )
    .rows(&["log_expm1", "recip_expm1"])
    .on(positive),
];

/// Applies a row by its name. Functions whose rows do not exist are not checked.
fn named(name: &str, x: &[Var]) -> Var {
    let op = rows::find(name);
    op.unwrap_or_else(|| panic!("no row {name}")).apply(x)
}

fn off_poles(x: &[f64]) -> bool {
    x[0] > 0.0 || (x[0] > -100.0 && x[0].fract() != 0.0)
}

/// Returns whether the series of the incomplete gamma function is short, and the tails are not too small for
/// it. At a large shape equal to the point the second derivative by the shape is close to a zero, so that is
/// excluded.
fn gamma_points(x: &[f64]) -> bool {
    let zero = x[0] == x[1] && x[0] > 20.0;
    !zero && x[0] > 0.0 && x[0] < 200.0 && x[1] > 0.0 && x[1] < x[0] + 3.0 * x[0].sqrt() + 20.0
}
