//! Quantiles of the standard normal distribution.
//!
//! With `x = 1 - 2 q` and `w = -log(1 - x^2)`, the quantile with upper tail probability `q` is `x P(w)`, and
//! `P` is smooth (Giles, Approximating the erfinv function, 2010). In the far tail it is `s R((s - k) / (s +
//! k))` for `s = sqrt w`.
use super::Double;
use super::log::{log, of_normal};
use super::parts::{fma_by, from, horner, plus, times, with_sign};

/// `P` minus [`MIDDLE`], in `w -` [`CENTRE_SHIFT`]: `|d| < 2^-55` for `w <= 6.25`.
const CENTRE: [f64; 24] = [
    0.020685664310048573,
    0.35406596571218973,
    0.0012441751883432413,
    -0.002958998536087682,
    0.00025126235509114256,
    3.293444294807298e-05,
    -7.598249843075737e-06,
    -9.203059322912446e-08,
    1.6645803812281713e-07,
    -1.0228018056004604e-08,
    -2.85638139758159e-09,
    4.281255832015379e-10,
    3.223628444654115e-11,
    -1.1778390645217835e-11,
    1.1888899419189692e-13,
    2.5750738297260447e-13,
    -2.1801548518078497e-14,
    -4.3622082589789496e-15,
    9.57843915118625e-16,
    -1.4516527740420244e-17,
    -1.683000922881662e-17,
    2.5772337684997367e-18,
    -1.7014373581204355e-19,
    4.512131268191058e-21,
];

/// `R` for `k = 2`, minus [`NEAR_SHIFT`]: `|d| < 2^-56` for `5/2 <= s <= 7`.
const NEAR: [f64; 25] = [
    1.35756850433286,
    0.1576640465747191,
    -0.0823475464782535,
    -0.10451020574958322,
    0.18373822124310416,
    -0.18092281780682287,
    0.03801682326553634,
    0.5024591723149241,
    -2.281849929776776,
    4.893500397837597,
    3.656008135454026,
    -55.20748594964618,
    93.91958368623645,
    321.4810353495876,
    -1279.0585853344162,
    -1354.9587820494667,
    11473.04791705937,
    4938.30469638903,
    -86702.34422428033,
    -21024.10996178556,
    543277.1976427921,
    99832.04642416394,
    -2424846.1740707103,
    -277314.4808284455,
    5501922.740181139,
];
const NEAR_SHIFT: f64 = 1.0 / 3.0;

/// `R` for `k = 6`, minus [`FAR_SHIFT`]: `|d| < 2^-56` for `7 <= s <= 27.3`.
const FAR: [f64; 19] = [
    1.4032549554662213,
    0.039628067214618444,
    -0.051030721455971276,
    0.03612191652136292,
    -0.022615491540938067,
    0.009894037926865816,
    -0.002038316208552889,
    -0.003820621308098664,
    0.006068852687789522,
    -0.0077078761567220405,
    0.006998251624813627,
    -0.007013090153943311,
    0.005177075377850121,
    -0.005132226064083382,
    0.0028035047237792675,
    -0.003259777418357515,
    0.001593971633083514,
    -0.004319641180223885,
    -0.0034747167666231084,
];
const FAR_SHIFT: f64 = 0.35;

const MIDDLE: f64 = 1.75;
const CENTRE_SHIFT: f64 = 1.5;

/// The end of [`CENTRE`]: a thousandth of all normal numbers lies beyond.
const MOST: f64 = 6.25;

/// Returns the number that a standard normal number exceeds with probability `|q|`, with the sign of `q`, for
/// `|q| <= 1/2`: infinite at zero, zero at 1/2, NaN beyond. Error below 2 ulp for `|q| <= 0.49`; nearer to 1/2,
/// of the size of the uncertainty of `q`.
#[inline(always)]
pub fn normal_tail<A: Double>(a: &mut A, q: A::F) -> A::F {
    let size = a.abs(q);
    let one = a.float(1.0);
    let x = fma_by(a, size, -2.0, one);
    let four = times(a, size, 4.0);
    let minus = a.neg(size);
    let rest = a.fma(four, minus, four);
    let log_rest = of_normal(a, rest, 0.0);
    let w = a.neg(log_rest);
    let t = plus(a, w, -CENTRE_SHIFT);
    let p = horner(a, t, &CENTRE);
    // Corrected by the rounding error of `x`.
    let double = from(a, 1.0, x);
    let lost = fma_by(a, size, -2.0, double);
    let whole = plus(a, p, MIDDLE);
    let low = a.mul(lost, whole);
    let low = a.fma(x, p, low);
    let common = fma_by(a, x, MIDDLE, low);
    let most = a.float(MOST);
    let centre = a.le(w, most);
    // Subnormal numbers, zero and invalid probabilities count as the far tail, too.
    let least = a.float(1e-3);
    let normal = a.lt(least, rest);
    let centre = a.and(centre, normal);
    let zero = a.float(0.0);
    let probable = a.le(zero, x);
    let centre = a.and(centre, probable);
    let far = a.not(centre);
    let z = a.rare(far, common, |a| {
        let log_rest = log(a, rest);
        let w = a.neg(log_rest);
        let s = a.sqrt(w);
        // The rounding error of the root.
        let minus = a.neg(s);
        let lost = a.fma(minus, s, w);
        let twice = a.add(s, s);
        let lost = a.div(lost, twice);
        let near = ratio(a, [s, lost], 2.0, NEAR_SHIFT, &NEAR);
        let near_end = a.float(7.0);
        let beyond = a.lt(near_end, s);
        let z = a.rare(beyond, near, |a| {
            let far = ratio(a, [s, lost], 6.0, FAR_SHIFT, &FAR);
            // At zero s is infinite.
            let end = a.float(30.0);
            let finite = a.lt(s, end);
            a.select(finite, far, s)
        });
        let nan = a.float(f64::NAN);
        a.select(probable, z, nan)
    });
    with_sign(a, z, q)
}

/// Returns `s R((s - k) / (s + k))`, for an `s` in two parts.
#[inline(always)]
fn ratio<A: Double>(a: &mut A, [s, lost]: [A::F; 2], k: f64, shift: f64, r: &[f64]) -> A::F {
    let above = plus(a, s, -k);
    let below = plus(a, s, k);
    let t = a.div(above, below);
    let t = plus(a, t, -shift);
    // The first coefficient is nearly the whole value.
    let rest = horner(a, t, &r[1..]);
    let rest = a.mul(t, rest);
    let lost = times(a, lost, r[0]);
    let low = a.fma(s, rest, lost);
    fma_by(a, s, r[0], low)
}
