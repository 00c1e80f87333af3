//! Exponentials, logarithms, angles and powers.

use std::f64::consts::PI;

use super::super::series::{
    atan, erf_tail, hyperbolic, log_to, power, sigmoid, sinc, softplus, under_root,
};
use super::super::walked::{Walked, one, two};
use super::{inside, positive};

pub(super) const WALKED: &[Walked] = &[
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
];

/// Returns whether the powers in the derivatives are within `e^limit`.
fn power_within(x: &[f64], limit: f64) -> bool {
    let log = x[0].ln();
    let powers = [x[1] + 1.0, x[1], x[1] - 1.0, x[1] - 2.0];
    x[0] > 0.0 && powers.iter().all(|y| (y * log).abs() < limit)
}
