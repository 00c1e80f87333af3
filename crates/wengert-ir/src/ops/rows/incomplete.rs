//! The incomplete gamma and beta functions.
//!
//! Their derivatives by the point are densities. Those by the shapes are made of moments: integrals
//! that are again operations, and closed under derivatives, so that there is every order.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "gammainc",
        doc: "The regularised lower incomplete gamma function of a shape and a point: `scipy.special.gammainc`.",
        define: Define::Elementary(Elementary::Gammainc),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| gamma_by_shape(x[0], x[1])),
            Term::Factor(|x, _| gamma_density(x[0], x[1])),
        ]),
        domain: &[(0.6, 4.0), (0.4, 6.0)],
        ..FLOATS
    },
    Row {
        name: "gammaincc",
        doc: "The regularised upper incomplete gamma function of a shape and a point: `scipy.special.gammaincc`.",
        define: Define::Elementary(Elementary::Gammaincc),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| -gamma_by_shape(x[0], x[1])),
            Term::Factor(|x, _| -gamma_density(x[0], x[1])),
        ]),
        domain: &[(0.6, 4.0), (0.4, 6.0)],
        ..FLOATS
    },
    Row {
        name: "gamma_density",
        doc: "The density of the gamma distribution of a shape at a point: `jax.scipy.stats.gamma.pdf(x, s)`.",
        define: Define::Elementary(Elementary::GammaDensity),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| y.eq(0.0).select(0.0, y * (x[1].ln() - x[0].digamma()))),
            Term::Factor(|x, y| y * (or_none(x[0] - 1.0, x[1]) - 1.0)),
        ]),
        domain: &[(0.6, 4.0), (0.4, 6.0)],
        ..FLOATS
    },
    Row {
        name: "gamma_moment",
        doc: "An integral under the incomplete gamma functions, of an order, a shape and a point: of `log(x/t)^k t^(s-1) e^-t` up to `x` for the order `k`, of `log(t/x)^k ..` from there for `-1 - k`, over `x^s e^-x`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::GammaMoment),
        // A step function of the order.
        derive: Derive::Tangent(|x, dx| {
            let [order, s, at] = [x[0], x[1], x[2]];
            let by_shape = dx[1].map(|d| {
                let one = Var::full(&s.ty(), 1.0);
                let side = order.round().lt(0.0).select(-one, one);
                mul(d, -side * moment(order + side, s, at))
            });
            let by_point = dx[2].map(|d| mul(d, moment(order, s, at) - moment(order, s + 1.0, at)));
            add_tangents(by_shape, by_point)
        }),
        domain: &[(0.6, 1.4), (0.6, 4.0), (0.4, 2.0)],
        ..FLOAT
    },
    Row {
        name: "betaln",
        doc: "The logarithm of the beta function: `scipy.special.betaln`.",
        define: Define::Elementary(Elementary::Betaln),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| x[0].digamma() - (x[0] + x[1]).digamma()),
            Term::Factor(|x, _| x[1].digamma() - (x[0] + x[1]).digamma()),
        ]),
        domain: &[(0.5, 9.0), (0.5, 9.0)],
        ..FLOATS
    },
    Row {
        name: "betainc",
        doc: "The regularised incomplete beta function of two shapes and a point: `scipy.special.betainc`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::Betainc),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| beta_by_shapes(x[0], x[1], x[2])[0]),
            Term::Factor(|x, _| beta_by_shapes(x[0], x[1], x[2])[1]),
            Term::Factor(|x, _| const { row("beta_density") }.apply(x)),
        ]),
        domain: &[(0.6, 4.0), (0.6, 4.0), (0.2, 0.8)],
        ..FLOAT
    },
    Row {
        name: "beta_density",
        doc: "The density of the beta distribution of two shapes at a point: `jax.scipy.stats.beta.pdf(x, p, q)`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::BetaDensity),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| {
                let all = (x[0] + x[1]).digamma();
                y.eq(0.0)
                    .select(0.0, y * (x[2].ln() - x[0].digamma() + all))
            }),
            Term::Factor(|x, y| {
                let all = (x[0] + x[1]).digamma();
                y.eq(0.0)
                    .select(0.0, y * ((-x[2]).log1p() - x[1].digamma() + all))
            }),
            Term::Factor(|x, y| y * (or_none(x[0] - 1.0, x[2]) - or_none(x[1] - 1.0, 1.0 - x[2]))),
        ]),
        domain: &[(0.6, 4.0), (0.6, 4.0), (0.2, 0.8)],
        ..FLOAT
    },
    Row {
        name: "beta_moment",
        doc: "An integral under the incomplete beta function, of two orders, two shapes and `r = x / (1 - x)`: of `log(x/t)^i log((1-t)/(1-x))^j t^(p-1) (1-t)^(q-1)` up to `x`, over `x^p (1-x)^(q-1)`.",
        signature: Signature {
            arity: 5,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::BetaMoment),
        derive: Derive::Tangent(|x, dx| {
            let [i, j, p, q, r] = [x[0], x[1], x[2], x[3], x[4]];
            let by_p = dx[2].map(|d| mul(d, -beta_moment([i + 1.0, j, p, q, r])));
            let by_q = dx[3].map(|d| mul(d, beta_moment([i, j + 1.0, p, q, r])));
            let by_r = dx[4].map(|d| {
                // What the odds change in the integrand is 1 - e^-u over its base.
                let less = |j: Var| {
                    let one = beta_moment([i, j, p, q - 1.0, r]);
                    one - beta_moment([i, j, p + 1.0, q - 1.0, r])
                };
                let order = j.round();
                let lower = less((order - 1.0).maximum(0.0));
                mul(d, order * lower + (q - 1.0) * less(j))
            });
            add_tangents(add_tangents(by_p, by_q), by_r)
        }),
        domain: &[(0.6, 1.4), (0.6, 1.4), (0.6, 4.0), (0.6, 4.0), (0.2, 0.8)],
        ..FLOAT
    },
];

fn gamma_density(s: Var, x: Var) -> Var {
    const { row("gamma_density") }.apply(&[s, x])
}

fn moment(order: Var, s: Var, x: Var) -> Var {
    const { row("gamma_moment") }.apply(&[order, s, x])
}

fn beta_moment(x: [Var; 5]) -> Var {
    const { row("beta_moment") }.apply(&x)
}

/// `a / b`, and 0 where `a` is 0, whatever `b`.
fn or_none(a: Var, b: Var) -> Var {
    mul_or_zero(a, b.recip())
}

/// The derivative of `gammainc` by the shape. Of the lower one, `w N`, it is `w (t N - N')` with
/// `t = log x - digamma s`; of the upper one, `w U`, it is `w (t U + U')`. Each side is taken where its
/// terms have one sign.
fn gamma_by_shape(s: Var, x: Var) -> Var {
    let full = |c: f64| Var::full(&x.ty(), c);
    let inside = x.gt(0.0).and(x.lt(f64::INFINITY));
    let x = inside.select(x, 1.0);
    let lower = x.le(s.maximum(1.0));
    let value = moment(lower.select(full(0.0), full(-1.0)), s, x);
    let first = moment(lower.select(full(1.0), full(-2.0)), s, x);
    let t = (x.ln() - s.digamma()) * value;
    let slope = x * gamma_density(s, x) * (lower.select(t, -t) - first);
    inside.select(slope, 0.0)
}

/// The derivatives of `betainc` by the shapes, from that side of the mean on which the terms have one
/// sign.
fn beta_by_shapes(p: Var, q: Var, x: Var) -> [Var; 2] {
    let full = |c: f64| Var::full(&x.ty(), c);
    let inside = x.gt(0.0).and(x.lt(1.0));
    let x = inside.select(x, 0.5);
    let swap = (p / (p + q)).lt(x);
    let pair = |a: Var, b: Var| [swap.select(b, a), swap.select(a, b)];
    let [near, away] = pair(x, 1.0 - x);
    let [log_near, log_away] = pair(x.ln(), (-x).log1p());
    let [a, b] = pair(p, q);
    let integral = |i: f64, j: f64| beta_moment([full(i), full(j), a, b, near / away]);
    let w = near * const { row("beta_density") }.apply(&[p, q, x]);
    let all = (a + b).digamma();
    let by_a = w * ((log_near - a.digamma() + all) * integral(0.0, 0.0) - integral(1.0, 0.0));
    let by_b = w * ((log_away - b.digamma() + all) * integral(0.0, 0.0) + integral(0.0, 1.0));
    let by_p = swap.select(-by_b, by_a);
    let by_q = swap.select(-by_a, by_b);
    [by_p, by_q].map(|slope| inside.select(slope, 0.0))
}
