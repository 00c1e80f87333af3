//! The functions whose derivatives are checked, each with a formula in Taylor arithmetic.

use std::f64::consts::PI;

use wengert::prelude::*;
use wengert_ir::ops::rows;

use super::jet::big;
use super::series::{
    atan, bessel, bessel_grown, betainc, erf_tail, gamma_family, gammainc, hyperbolic,
    lgamma_positive_jet, log_to, normal, power, root_pi, series, sigmoid, sinc, softplus,
    under_root,
};
use super::walked::{Walked, one, two};

/// Rows whose derivatives are not checked, and why.
pub const NOT_WALKED: &[(&str, &str)] = &[
    ("neg", "linear"),
    ("add", "linear"),
    ("sub", "linear"),
    ("fma", "a product and a sum"),
    ("mul_or_zero", "a product"),
    ("div_or_zero", "a quotient"),
    ("nextafter", "a step to the next float"),
    ("inverse_power", "walked as powi(-3)"),
    ("rem", "linear by pieces"),
    ("max", "linear by pieces"),
    ("min", "linear by pieces"),
    ("abs", "linear by pieces"),
    ("copysign", "linear by pieces"),
    ("ldexp", "linear"),
    ("select", "linear by pieces"),
];

/// All functions whose derivatives are checked.
pub const WALKED: &[Walked] = &[
    one("exp", |x| x[0].exp(), |j, x, _, _| j.exp(&x[0]))
        .rows(&["exp"])
        .within(-720.0, 720.0),
    one(
        "exp2",
        |x| x[0].exp2(),
        |j, x, _, _| {
            let log = j.number(2.0);
            let log = j.ln(&log);
            let e = j.mul(&log, &x[0]);
            j.exp(&e)
        },
    )
    .rows(&["exp2"])
    .within(-1030.0, 1030.0),
    one("expm1", |x| x[0].expm1(), |j, x, _, _| j.exp(&x[0]))
        .rows(&["expm1"])
        .within(-720.0, 720.0),
    one("log", |x| x[0].ln(), |j, x, _, _| j.ln(&x[0]))
        .rows(&["log"])
        .on(positive),
    one(
        "log1p",
        |x| x[0].log1p(),
        |j, x, _, _| {
            let x = j.plus(&x[0], 1.0);
            j.ln(&x)
        },
    )
    .rows(&["log1p"])
    .on(|x| x[0] > -1.0),
    one("log2", |x| x[0].log2(), |j, x, _, _| log_to(j, &x[0], 2.0))
        .rows(&["log2"])
        .on(positive),
    one(
        "log10",
        |x| x[0].log10(),
        |j, x, _, _| log_to(j, &x[0], 10.0),
    )
    .rows(&["log10"])
    .on(positive),
    two(
        "logaddexp",
        |x| x[0].logaddexp(x[1]),
        |j, x, _, _| {
            let d = j.sub(&x[0], &x[1]);
            let soft = softplus(j, &d);
            j.add(&soft, &x[1])
        },
    )
    .rows(&["logaddexp"]),
    one(
        "softplus",
        |x| x[0].softplus(),
        |j, x, _, _| softplus(j, &x[0]),
    )
    .within(-740.0, 740.0),
    one(
        "log_sigmoid",
        |x| x[0].log_sigmoid(),
        |j, x, _, _| {
            let x = j.neg(&x[0]);
            let y = softplus(j, &x);
            j.neg(&y)
        },
    )
    .within(-740.0, 740.0),
    one(
        "sigmoid",
        |x| x[0].sigmoid(),
        |j, x, _, _| sigmoid(j, &x[0]),
    )
    .rows(&["sigmoid", "sigmoid_slope"])
    .within(-740.0, 740.0),
    one(
        "silu",
        |x| x[0].silu(),
        |j, x, _, _| {
            let y = sigmoid(j, &x[0]);
            j.mul(&y, &x[0])
        },
    )
    .within(-740.0, 740.0),
    one(
        "gelu",
        |x| x[0].gelu(),
        |j, x, _, _| {
            let root = j.number(2.0);
            let root = j.sqrt(&root);
            let u = j.div(&x[0], &root);
            let y = erf_tail(j, &j.neg(&u));
            let y = j.mul(&y, &x[0]);
            j.times(&y, 0.5)
        },
    ),
    one(
        "gelu_tanh",
        |x| x[0].gelu_tanh(),
        |j, x, _, _| {
            let cube = j.mul(&x[0], &x[0]);
            let cube = j.mul(&cube, &x[0]);
            let cube = j.times(&cube, 0.044715);
            let u = j.add(&x[0], &cube);
            let u = j.times(&u, 2.0 * (2.0 / PI).sqrt());
            let y = sigmoid(j, &u);
            j.mul(&y, &x[0])
        },
    ),
    one(
        "tanh",
        |x| x[0].tanh(),
        |j, x, _, _| {
            let twice = j.times(&x[0], 2.0);
            let y = sigmoid(j, &twice);
            j.times(&y, 2.0)
        },
    )
    .rows(&["tanh", "tanh_slope"])
    .within(-370.0, 370.0),
    one(
        "sinh",
        |x| x[0].sinh(),
        |j, x, _, _| hyperbolic(j, &x[0], -1.0),
    )
    .rows(&["sinh"])
    .within(-720.0, 720.0),
    one(
        "cosh",
        |x| x[0].cosh(),
        |j, x, _, _| hyperbolic(j, &x[0], 1.0),
    )
    .rows(&["cosh"])
    .within(-720.0, 720.0),
    one(
        "sin",
        |x| x[0].sin(),
        |j, x, _, _| j.sin_cos(&x[0])[0].clone(),
    )
    .rows(&["sin"])
    .within(-1e5, 1e5),
    one(
        "cos",
        |x| x[0].cos(),
        |j, x, _, _| j.sin_cos(&x[0])[1].clone(),
    )
    .rows(&["cos"])
    .within(-1e5, 1e5),
    one(
        "tan",
        |x| x[0].tan(),
        |j, x, _, _| {
            let [sine, cosine] = j.sin_cos(&x[0]);
            j.div(&sine, &cosine)
        },
    )
    .rows(&["tan"])
    .within(-1e5, 1e5),
    one("sinc", |x| x[0].sinc(), |j, x, at, _| sinc(j, &x[0], at[0]))
        .rows(&["sinc"])
        .within(-100.0, 100.0),
    one(
        "asin",
        |x| x[0].asin(),
        |j, x, _, v| j.by_slope(&x[0], v, |j, x| under_root(j, x, -1.0, 1.0)),
    )
    .rows(&["asin"])
    .on(inside)
    .within(-1.0, 1.0),
    one(
        "acos",
        |x| x[0].acos(),
        |j, x, _, v| {
            j.by_slope(&x[0], v, |j, x| {
                let y = under_root(j, x, -1.0, 1.0);
                j.neg(&y)
            })
        },
    )
    .rows(&["acos"])
    .on(inside)
    .within(-1.0, 1.0),
    one("atan", |x| x[0].atan(), |j, x, _, v| atan(j, &x[0], v)).rows(&["atan"]),
    two(
        "atan2",
        |x| x[0].atan2(x[1]),
        |j, x, at, v| match at[0].abs() < at[1].abs() {
            true => {
                let t = j.div(&x[0], &x[1]);
                atan(j, &t, v)
            }
            false => {
                let t = j.div(&x[1], &x[0]);
                let y = atan(j, &t, v);
                j.neg(&y)
            }
        },
    )
    .rows(&["atan2", "inverse_part"]),
    two(
        "hypot",
        |x| x[0].hypot(x[1]),
        |j, x, _, _| {
            let (a, b) = (j.mul(&x[0], &x[0]), j.mul(&x[1], &x[1]));
            let sum = j.add(&a, &b);
            j.sqrt(&sum)
        },
    )
    .rows(&["hypot", "direction"]),
    one(
        "asinh",
        |x| x[0].asinh(),
        |j, x, _, v| j.by_slope(&x[0], v, |j, x| under_root(j, x, 1.0, 1.0)),
    )
    .rows(&["asinh"]),
    one(
        "acosh",
        |x| x[0].acosh(),
        |j, x, _, v| j.by_slope(&x[0], v, |j, x| under_root(j, x, 1.0, -1.0)),
    )
    .rows(&["acosh"])
    .on(|x| x[0] > 1.0)
    .within(1.0, 30.0),
    one(
        "atanh",
        |x| x[0].atanh(),
        |j, x, _, v| {
            j.by_slope(&x[0], v, |j, x| {
                let square = j.mul(x, x);
                let rest = j.plus(&j.neg(&square), 1.0);
                j.recip(&rest)
            })
        },
    )
    .rows(&["atanh"])
    .on(inside)
    .within(-1.0, 1.0),
    two("x / y", |x| x[0] / x[1], |j, x, _, _| j.div(&x[0], &x[1])).rows(&["div"]),
    two("x * y", |x| x[0] * x[1], |j, x, _, _| j.mul(&x[0], &x[1])).rows(&["mul"]),
    one(
        "square",
        |x| x[0].square(),
        |j, x, _, _| j.mul(&x[0], &x[0]),
    )
    .rows(&["square"]),
    one("reciprocal", |x| x[0].recip(), |j, x, _, _| j.recip(&x[0])).rows(&["reciprocal"]),
    one("sqrt", |x| x[0].sqrt(), |j, x, _, _| j.sqrt(&x[0]))
        .rows(&["sqrt"])
        .on(positive),
    one(
        "rsqrt",
        |x| x[0].rsqrt(),
        |j, x, _, _| {
            let root = j.sqrt(&x[0]);
            j.recip(&root)
        },
    )
    .rows(&["rsqrt"])
    .on(positive),
    one("cbrt", |x| x[0].cbrt(), |j, x, _, _| j.cbrt(&x[0])).rows(&["cbrt"]),
    two(
        "powf",
        |x| x[0].powf(x[1]),
        |j, x, _, _| {
            let log = j.ln(&x[0]);
            let e = j.mul(&log, &x[1]);
            j.exp(&e)
        },
    )
    .rows(&["pow", "power_log"])
    .on(|x| power_within(x, 680.0))
    .narrow(|x| power_within(x, 70.0))
    .note("where the powers are numbers"),
    one("powi(7)", |x| x[0].powi(7), |j, x, _, _| power(j, &x[0], 7)),
    one(
        "powi(-3)",
        |x| x[0].powi(-3),
        |j, x, _, _| {
            let y = power(j, &x[0], 3);
            j.recip(&y)
        },
    ),
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

/// Returns whether the powers in the derivatives are within `e^limit`.
fn power_within(x: &[f64], limit: f64) -> bool {
    let log = x[0].ln();
    let powers = [x[1] + 1.0, x[1], x[1] - 1.0, x[1] - 2.0];
    x[0] > 0.0 && powers.iter().all(|y| (y * log).abs() < limit)
}

fn positive(x: &[f64]) -> bool {
    x[0] > 0.0
}

fn inside(x: &[f64]) -> bool {
    x[0].abs() < 1.0
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
