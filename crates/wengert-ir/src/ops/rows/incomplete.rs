//! The incomplete gamma and beta functions.
//!
//! Their derivatives by the point are densities. Those by the shapes are made of moments: integrals that
//! are operations themselves and closed under differentiation, so that derivatives of any order exist.

use super::*;
use crate::elementary::REST;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "gammainc",
        doc: "The regularised lower incomplete gamma function of a shape and a point: `scipy.special.gammainc`.",
        define: Define::Elementary(Elementary::Gammainc),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| gamma_by_shape(x[0], x[1], y)),
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
            Term::Factor(|x, y| -gamma_by_shape(x[0], x[1], y)),
            Term::Factor(|x, _| -gamma_density(x[0], x[1])),
        ]),
        domain: &[(0.6, 4.0), (0.4, 6.0)],
        ..FLOATS
    },
    Row {
        name: "gamma_density",
        method: "gammainc",
        doc: "The density of the gamma distribution of a shape at a point: `jax.scipy.stats.gamma.pdf(x, s)`.",
        define: Define::Elementary(Elementary::GammaDensity),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| density_by_shape(x[0], x[1], y)),
            Term::Factor(|x, y| density_by_point(x[0], x[1], y)),
        ]),
        domain: &[(0.6, 4.0), (0.4, 6.0)],
        ..FLOATS
    },
    Row {
        name: "gamma_moment",
        method: "gammainc",
        doc: "An integral under the incomplete gamma functions, of an order, a shape and a point: of `log(x/t)^k t^(s-1) e^-t` up to `x` for the order `k`, of `log(t/x)^k ..` from there for `-1 - k`, over `x^s e^-x`; for `1000 + k`, what the first is short of `k!/s^(k+1)`, over `x^s`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::GammaMoment),
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| {
            let [order, s, at] = [x[0], x[1], x[2]];
            let by_shape = dx[1].map(|d| {
                let one = Var::full(&s.ty(), 1.0);
                let side = order.round().lt(0.0).select(-one, one);
                mul(d, -side * moment(order + side, s, at))
            });
            let by_point = dx[2].map(|d| {
                let rest = order.ge(REST - 0.5);
                let next = moment(rest.select(order - REST, order), s + 1.0, at);
                let of_rest = (-at).exp() * next;
                mul(d, rest.select(of_rest, moment(order, s, at) - next))
            });
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
            Term::Factor(|x, _| -digamma_gap(x[0], x[1])),
            Term::Factor(|x, _| -digamma_gap(x[1], x[0])),
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
            Term::Factor(|x, y| beta_by_shapes(x[0], x[1], x[2], y)[0]),
            Term::Factor(|x, y| beta_by_shapes(x[0], x[1], x[2], y)[1]),
            Term::Factor(|x, _| beta_density(x[0], x[1], x[2])),
        ]),
        domain: &[(0.6, 4.0), (0.6, 4.0), (0.2, 0.8)],
        ..FLOAT
    },
    Row {
        name: "beta_density",
        method: "betainc",
        doc: "The density of the beta distribution of two shapes at a point: `jax.scipy.stats.beta.pdf(x, p, q)`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::BetaDensity),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| {
                let next = |p: Var| beta_density(p, x[1], x[2]) / x[2];
                beta_by_shape([x[0], x[1]], x[2].ln(), next, y)
            }),
            Term::Factor(|x, y| {
                let next = |q: Var| beta_density(x[0], q, x[2]) / (1.0 - x[2]);
                beta_by_shape([x[1], x[0]], (-x[2]).log1p(), next, y)
            }),
            Term::Factor(|x, y| {
                y * (div_or_zero(x[0] - 1.0, x[2]) - div_or_zero(x[1] - 1.0, 1.0 - x[2]))
            }),
        ]),
        domain: &[(0.6, 4.0), (0.6, 4.0), (0.2, 0.8)],
        ..FLOAT
    },
    Row {
        name: "beta_moment",
        method: "betainc",
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
                // The derivative of the integrand by the odds is 1 - e^-u divided by its base.
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

fn beta_density(p: Var, q: Var, x: Var) -> Var {
    const { row("beta_density") }.apply(&[p, q, x])
}

fn moment(order: Var, s: Var, x: Var) -> Var {
    const { row("gamma_moment") }.apply(&[order, s, x])
}

fn beta_moment(x: [Var; 5]) -> Var {
    const { row("beta_moment") }.apply(&x)
}

/// Converts to `f64`, since the terms partly cancel.
fn wide<const N: usize>(x: [Var; N]) -> [Var; N] {
    x.map(|x| x.to(DType::F64))
}

/// Returns 0, or NaN where `y` is NaN: the derivative where a function is constant or undefined.
fn none_of(y: Var) -> Var {
    y.is_nan().select(y, 0.0)
}

/// Returns the derivative of `gammainc` by the shape, given its value or one minus its value.
///
/// With the density `v` of the shape `s + 1` and `t = log x - digamma(s + 1)`, the lower function is
/// `s v N`, the upper one `s v U`, and their derivatives are `v (N + s (t N - N'))` and
/// `v (U + s (t U + U'))`. Each is used where its terms have one sign. For small shapes `N` is about
/// `1 / s`, and the difference would cancel: it is `e^x (1 / s - K)`, which makes the lower derivative
/// `v e^x (t (1 - s K) - (K - s K'))`.
fn gamma_by_shape(s: Var, x: Var, y: Var) -> Var {
    let dtype = x.ty().dtype;
    let [s, x, y] = wide([s, x, y]);
    let shaped = s.ge(0.0).and(s.lt(f64::INFINITY));
    let inside = shaped.and(x.gt(0.0)).and(x.lt(f64::INFINITY));
    let (s, x) = (inside.select(s, 1.0), inside.select(x, 1.0));
    let lower = x.le(s.maximum(1.0));
    let rest = lower.and(s.lt(1.0));
    let order = |k: f64| {
        let other = lower.select(full(x, k), full(x, -1.0 - k));
        rest.select(full(x, REST + k), other)
    };
    let (value, first) = (moment(order(0.0), s, x), moment(order(1.0), s, x));
    let t = x.ln() - (s + 1.0).digamma();
    // The density of the shape `s + 1` is `x / s` times that of `s`, and much smaller next to zero. There `t` is
    // multiplied by `x / s` in one piece: differentiating their product would combine the smallest and the largest
    // numbers.
    let near = s.lt(0.5);
    let density = gamma_density(near.select(s + 1.0, s), x);
    let shape = near.select(1.0, s);
    let over = near.select(1.0, x / shape);
    let rise = near.select(t, (x.xlogy(x) - x * (s + 1.0).digamma()) / shape);
    let signed = lower.select(value, -value);
    let whole = over * signed + s * (rise * signed - over * first);
    let small = x.exp() * (rise * (1.0 - s * value) - over * (value - s * first));
    let slope = density * rest.select(small, whole);
    inside.select(slope, none_of(y)).to(dtype)
}

/// Returns the derivative of the density `y` of the gamma distribution by the point. It may be a normal number where
/// `y` is not: next to zero it is about the density of the shape `s - 1`.
fn density_by_point(s: Var, x: Var, y: Var) -> Var {
    let least = match y.ty().dtype {
        DType::F32 => f64::from(f32::MIN_POSITIVE),
        _ => f64::MIN_POSITIVE,
    };
    let tiny = y.lt(least).and(s.gt(1.0));
    let lower = gamma_density(tiny.select(s - 1.0, 1.0), x) - y;
    tiny.select(lower, y * (div_or_zero(s - 1.0, x) - 1.0))
}

/// Returns the derivative of the density `y` of the gamma distribution by the shape. For small shapes it is computed
/// from the density of the shape `s + 1`, since `y` is about `s` and its factor about `1 / s`.
fn density_by_shape(s: Var, x: Var, y: Var) -> Var {
    let small = s.lt(1.0);
    let next = small.select(s + 1.0, s);
    let t = x.ln() - next.digamma();
    let near = gamma_density(next, x) / x * (1.0 + s * t);
    y.eq(0.0).select(none_of(y), small.select(near, y * t))
}

/// Returns the derivative of the density `y` of the beta distribution by the shape `p`, given the other shape, the
/// logarithm of the base that is raised to `p`, and a function that returns the density of another shape `p` divided by
/// that base. For small shapes it is computed from the density of the shape `p + 1`, since `y` is about `p` and its
/// factor about `1 / p`.
fn beta_by_shape([p, q]: [Var; 2], log: Var, density: impl Fn(Var) -> Var, y: Var) -> Var {
    let small = p.lt(1.0);
    let next = small.select(p + 1.0, p);
    let near = density(next) / (p + q) * (1.0 + p * (log + rise(p, q)));
    let far = y * (log + digamma_gap(p, q));
    y.eq(0.0).select(none_of(y), small.select(near, far))
}

/// Returns `digamma(p + q) - digamma(p + 1)`.
fn rise(p: Var, q: Var) -> Var {
    (p + q).digamma() - (p + 1.0).digamma()
}

/// Returns the derivatives of `betainc` by the shapes, given its value, computed from the side of the mean on which the
/// terms have one sign. The shape of the other side may be small: then the weight is about as small as the shape, and
/// its factor about as large as the inverse.
fn beta_by_shapes(p: Var, q: Var, x: Var, y: Var) -> [Var; 2] {
    let dtype = x.ty().dtype;
    let [p, q, x, y] = wide([p, q, x, y]);
    let shaped = p.gt(0.0).and(q.gt(0.0));
    let inside = shaped.and(x.gt(0.0)).and(x.lt(1.0));
    let [p, q] = [p, q].map(|shape| inside.select(shape, 1.0));
    let x = inside.select(x, 0.5);
    let swap = (p / (p + q)).lt(x);
    let pair = |a: Var, b: Var| [swap.select(b, a), swap.select(a, b)];
    let [near, away] = pair(x, 1.0 - x);
    let [log_near, log_away] = pair(x.ln(), (-x).log1p());
    let [a, b] = pair(p, q);
    let integral = |i: f64, j: f64| beta_moment([full(x, i), full(x, j), a, b, near / away]);
    let value = integral(0.0, 0.0);
    let w = near * beta_density(p, q, x);
    let by_a = w * ((log_near + digamma_gap(a, b)) * value - integral(1.0, 0.0));
    let small = b.lt(1.0);
    let next = small.select(b + 1.0, b);
    let [p_next, q_next] = [swap.select(next, p), swap.select(q, next)];
    let w_next = near / away * beta_density(p_next, q_next, x) / (a + b);
    let rest = integral(0.0, 1.0);
    let of_small = w_next * (value + b * ((log_away + rise(b, a)) * value + rest));
    let of_large = w * ((log_away + digamma_gap(b, a)) * value + rest);
    let by_b = small.select(of_small, of_large);
    let by_p = swap.select(-by_b, by_a);
    let by_q = swap.select(-by_a, by_b);
    [by_p, by_q].map(|slope| inside.select(slope, none_of(y)).to(dtype))
}
