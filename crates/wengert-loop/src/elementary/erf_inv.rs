//! The inverse of the error function.
//!
//! `erf_inv x = x P(w)` with `w = -log(1 - x^2)` (the variable of Giles, Approximating the erfinv function,
//! 2011), where `P` varies slowly enough for one polynomial up to `|x| = 0.999`. Beyond, a polynomial in
//! `sqrt(-log(1 - |x|))` is used. The polynomials are from `tools/coefficients.py`.
//! one in `sqrt(-log(1 - |x|))`. The polynomials are those of `tools/coefficients.py`.
use super::Double;
use super::log::{log, of_normal};
use super::parts::{beyond, equals, from, horner, plus, with_sign};

/// `P` with `x P(w - 3.125) = erf_inv x (1 + d)`, `|d| < 2^-53.97` for `w <= 6.25`.
const CENTRAL: [f64; 24] = [
    1.6536545626831027,
    0.2401581824255883,
    -0.00603367087142785,
    -0.000740702534154477,
    0.00018673420802464837,
    -1.3882523394405316e-05,
    -1.3654691850603575e-06,
    4.234788173782339e-07,
    -2.9070382262927266e-08,
    -4.11266082002324e-09,
    1.0512181539804126e-09,
    -5.414287198084716e-11,
    -1.2976885526532075e-11,
    2.6304834740560442e-12,
    -8.118399443074353e-14,
    -4.001237735091896e-14,
    6.596407712420834e-15,
    -4.0282154327661744e-17,
    -1.3016928016796445e-16,
    1.557432024623325e-17,
    1.150022252066253e-18,
    -3.4996044354754177e-19,
    -1.113483769832702e-21,
    3.240704459379902e-21,
];

/// `Q` with `Q(s - 4.35) = erf_inv x (1 + d)`, `|d| < 2^-52.93` for `2.6 <= s <= 6.1`.
const TAIL: [f64; 24] = [
    4.112003707808062,
    1.0290286315007653,
    -0.0037949784530228745,
    0.0004437258026974278,
    -3.110168438281515e-05,
    -5.0858170654886745e-06,
    3.3009695778612588e-06,
    -1.1251159872951756e-06,
    3.1922631392522685e-07,
    -8.26880654979862e-08,
    2.0233325877100262e-08,
    -4.752395190602592e-09,
    1.080486504510945e-09,
    -2.3882934934973966e-10,
    5.1396094628529265e-11,
    -1.0784897693348922e-11,
    2.222264561803167e-12,
    -4.424761725148061e-13,
    7.860383715308292e-14,
    -1.3766079167357572e-14,
    3.622867243024569e-15,
    -7.1716109759097e-16,
    -3.898165162519514e-17,
    2.682715382918742e-17,
];

/// `sqrt(1 - e^-6.25)`, rounded down.
const LIMIT: f64 = 0.999;

/// Returns the number whose error function is `x`; error below 3 ulp. Infinite at -1 and 1, NaN beyond.
#[inline(always)]
pub fn erf_inv<A: Double>(a: &mut A, x: A::F) -> A::F {
    let one = a.float(1.0);
    let minus = a.neg(x);
    let rest = a.fma(minus, x, one);
    let l = of_normal(a, rest, 0.0);
    let t = from(a, -3.125, l);
    let p = horner(a, t, &CENTRAL);
    let common = a.mul(x, p);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let size = a.abs(x);
        let q = from(a, 1.0, size);
        let l = log(a, q);
        let l = a.neg(l);
        let s = a.sqrt(l);
        let t = plus(a, s, -4.35);
        let y = horner(a, t, &TAIL);
        let end = equals(a, size, 1.0);
        let infinity = a.float(f64::INFINITY);
        let y = a.select(end, infinity, y);
        with_sign(a, y, x)
    })
}
