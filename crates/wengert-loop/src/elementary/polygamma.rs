//! `polygamma`, the derivatives of `digamma` of any order.
//!
//! `polygamma(n, x) = (-1)^(n + 1) n! zeta(n + 1, x)` with the Hurwitz zeta function, which is summed term by
//! term until the Euler-Maclaurin formula (DLMF 25.11.5) gives the rest. Below 0 it uses the sum over all
//! integers, from both sides.
use super::Double;
use super::exp::exp;
use super::gamma::{digamma, lgamma_positive};
use super::log::{log, of_normal};
use super::parts::{MAGIC, above, below, equals, fma_by, from, plus, times};
use super::pow::pow;

/// `B(2 k) / (2 k)!` for `k` from 1.
pub(super) static BERNOULLI: [f64; 12] = [
    0.08333333333333333,
    -0.001388888888888889,
    3.306878306878307e-05,
    -8.267195767195768e-07,
    2.08767569878681e-08,
    -5.284190138687493e-10,
    1.3382536530684679e-11,
    -3.3896802963225827e-13,
    8.586062056277845e-15,
    -2.174868698558062e-16,
    5.5090028283602295e-18,
    -1.3954464685812522e-19,
];

/// The largest order whose factorial is a float.
const MOST: usize = 170;

/// The factorials, each the nearest float.
pub(super) static FACTORIALS: [f64; MOST + 1] = [
    1.0,
    1.0,
    2.0,
    6.0,
    24.0,
    120.0,
    720.0,
    5040.0,
    40320.0,
    362880.0,
    3628800.0,
    39916800.0,
    479001600.0,
    6227020800.0,
    87178291200.0,
    1307674368000.0,
    20922789888000.0,
    355687428096000.0,
    6402373705728000.0,
    1.21645100408832e17,
    2.43290200817664e18,
    5.109094217170944e19,
    1.1240007277776077e21,
    2.585201673888498e22,
    6.204484017332394e23,
    1.5511210043330986e25,
    4.0329146112660565e26,
    1.0888869450418352e28,
    3.0488834461171387e29,
    8.841761993739702e30,
    2.6525285981219107e32,
    8.222838654177922e33,
    2.631308369336935e35,
    8.683317618811886e36,
    2.9523279903960416e38,
    1.0333147966386145e40,
    3.7199332678990125e41,
    1.3763753091226346e43,
    5.230226174666011e44,
    2.0397882081197444e46,
    8.159152832478977e47,
    3.345252661316381e49,
    1.40500611775288e51,
    6.041526306337383e52,
    2.658271574788449e54,
    1.1962222086548019e56,
    5.502622159812089e57,
    2.5862324151116818e59,
    1.2413915592536073e61,
    6.082818640342675e62,
    3.0414093201713376e64,
    1.5511187532873822e66,
    8.065817517094388e67,
    4.2748832840600255e69,
    2.308436973392414e71,
    1.2696403353658276e73,
    7.109985878048635e74,
    4.0526919504877214e76,
    2.3505613312828785e78,
    1.3868311854568984e80,
    8.32098711274139e81,
    5.075802138772248e83,
    3.146997326038794e85,
    1.98260831540444e87,
    1.2688693218588417e89,
    8.247650592082472e90,
    5.443449390774431e92,
    3.647111091818868e94,
    2.4800355424368305e96,
    1.711224524281413e98,
    1.1978571669969892e100,
    8.504785885678623e101,
    6.1234458376886085e103,
    4.4701154615126844e105,
    3.307885441519386e107,
    2.48091408113954e109,
    1.8854947016660504e111,
    1.4518309202828587e113,
    1.1324281178206297e115,
    8.946182130782976e116,
    7.156945704626381e118,
    5.797126020747368e120,
    4.753643337012842e122,
    3.945523969720659e124,
    3.314240134565353e126,
    2.81710411438055e128,
    2.4227095383672734e130,
    2.107757298379528e132,
    1.8548264225739844e134,
    1.650795516090846e136,
    1.4857159644817615e138,
    1.352001527678403e140,
    1.2438414054641308e142,
    1.1567725070816416e144,
    1.087366156656743e146,
    1.032997848823906e148,
    9.916779348709496e149,
    9.619275968248212e151,
    9.426890448883248e153,
    9.332621544394415e155,
    9.332621544394415e157,
    9.42594775983836e159,
    9.614466715035127e161,
    9.90290071648618e163,
    1.0299016745145628e166,
    1.081396758240291e168,
    1.1462805637347084e170,
    1.226520203196138e172,
    1.324641819451829e174,
    1.4438595832024937e176,
    1.588245541522743e178,
    1.7629525510902446e180,
    1.974506857221074e182,
    2.2311927486598138e184,
    2.5435597334721877e186,
    2.925093693493016e188,
    3.393108684451898e190,
    3.969937160808721e192,
    4.684525849754291e194,
    5.574585761207606e196,
    6.689502913449127e198,
    8.094298525273444e200,
    9.875044200833601e202,
    1.214630436702533e205,
    1.506141741511141e207,
    1.882677176888926e209,
    2.372173242880047e211,
    3.0126600184576594e213,
    3.856204823625804e215,
    4.974504222477287e217,
    6.466855489220474e219,
    8.47158069087882e221,
    1.1182486511960043e224,
    1.4872707060906857e226,
    1.9929427461615188e228,
    2.6904727073180504e230,
    3.659042881952549e232,
    5.012888748274992e234,
    6.917786472619489e236,
    9.615723196941089e238,
    1.3462012475717526e241,
    1.898143759076171e243,
    2.695364137888163e245,
    3.854370717180073e247,
    5.5502938327393044e249,
    8.047926057471992e251,
    1.1749972043909107e254,
    1.727245890454639e256,
    2.5563239178728654e258,
    3.80892263763057e260,
    5.713383956445855e262,
    8.62720977423324e264,
    1.3113358856834524e267,
    2.0063439050956823e269,
    3.0897696138473508e271,
    4.789142901463394e273,
    7.471062926282894e275,
    1.1729568794264145e278,
    1.853271869493735e280,
    2.9467022724950384e282,
    4.7147236359920616e284,
    7.590705053947219e286,
    1.2296942187394494e289,
    2.0044015765453026e291,
    3.287218585534296e293,
    5.423910666131589e295,
    9.003691705778438e297,
    1.503616514864999e300,
    2.5260757449731984e302,
    4.269068009004705e304,
    7.257415615307999e306,
];

/// Returns the index of the factorial of `n` in the table, for integers up to [`MOST`].
#[inline(always)]
pub(super) fn factorial_index<A: Double>(a: &mut A, n: A::F) -> A::I {
    let index = plus(a, n, MAGIC);
    let index = a.bits(index);
    let mask = a.int(255);
    a.int_and(index, mask)
}

/// Returns `y` for orders that have a factorial in the table, else NaN.
#[inline(always)]
pub(super) fn where_tabled<A: Double>(a: &mut A, n: A::F, y: A::F) -> A::F {
    let (zero, most) = (a.float(0.0), a.float(MOST as f64));
    let first = a.le(zero, n);
    let second = a.le(n, most);
    let both = a.and(first, second);
    let nan = a.float(f64::NAN);
    a.select(both, y, nan)
}

/// An order `n` and values derived from it.
struct Order<A: Double> {
    /// `n + 1`
    s: A::F,
    /// The factorial of `n`, and 1 where that overflows.
    factorial: A::F,
    /// Whether the factorial overflows.
    large: A::M,
    /// The logarithm of the factorial, where that overflows.
    log_factorial: A::F,
}

/// Returns `h` with `n! x^-s = factorial h^2`: the power alone may leave the range of floats.
#[inline(always)]
fn half<A: Double>(a: &mut A, order: &Order<A>, x: A::F) -> A::F {
    let e = times(a, order.s, -0.5);
    let common = pow(a, x, e);
    a.rare(order.large, common, |a| {
        let l = log(a, x);
        let minus = a.neg(l);
        let e = a.fma(order.s, minus, order.log_factorial);
        let e = times(a, e, 0.5);
        exp(a, e)
    })
}

/// Returns `factorial h^2 by`
#[inline(always)]
fn whole<A: Double>(a: &mut A, order: &Order<A>, h: A::F, by: A::F) -> A::F {
    let first = a.mul(order.factorial, h);
    let first = a.mul(first, by);
    a.mul(first, h)
}

/// Returns `n! zeta(n + 1, x)` for positive `x`.
#[inline(always)]
fn positive<A: Double>(a: &mut A, order: &Order<A>, x: A::F) -> A::F {
    let s = order.s;
    let enough = plus(a, s, 10.0);
    let (zero, one, before) = (a.float(0.0), a.float(1.0), a.float(-1.0));
    // The index of the last computed term, its `half`, and the sum of the terms before.
    let [k, h, sum] = a.repeat(
        [before, zero, zero],
        |a, [k, h, sum]| {
            let first = below(a, k, 0.0);
            let at = a.add(x, k);
            let near = a.lt(at, enough);
            let least = times(a, sum, 1e-17);
            let last = whole(a, order, h, one);
            let matters = a.lt(least, last);
            let more = a.and(near, matters);
            // It ends long before, unless the terms are too large to differ.
            let bounded = below(a, k, 300.0);
            let more = a.and(more, bounded);
            a.or(first, more)
        },
        |a, [k, h, sum]| {
            let last = whole(a, order, h, one);
            let sum = a.add(sum, last);
            let k = plus(a, k, 1.0);
            let at = a.add(x, k);
            [k, half(a, order, at), sum]
        },
    );
    let at = a.add(x, k);
    let less = plus(a, s, -1.0);
    let integral = a.div(at, less);
    let first = plus(a, integral, 0.5);
    let mut rest = first;
    let w = a.div(one, at);
    let z = a.mul(w, w);
    // s (s + 1) .. (s + 2 k) / x^(2 k + 1)
    let mut p = a.mul(s, w);
    for (k, &c) in BERNOULLI.iter().enumerate() {
        rest = fma_by(a, p, c, rest);
        let (odd, even) = (2 * k + 1, 2 * k + 2);
        let (odd, even) = (plus(a, s, odd as f64), plus(a, s, even as f64));
        let both = a.mul(odd, even);
        let both = a.mul(both, z);
        p = a.mul(p, both);
    }
    // Where the terms had vanished before, the formula does not hold yet, and nothing remains to add.
    let near = a.lt(at, enough);
    let rest = a.select(near, first, rest);
    let rest = whole(a, order, h, rest);
    // A power of 0 times an overflow is 0.
    let none = equals(a, h, 0.0);
    let rest = a.select(none, zero, rest);
    a.add(sum, rest)
}

/// Returns the derivative of `digamma` of the order nearest to `n`, at `x`; error below 20 ulp for positive `x`
/// and orders up to 20, and growing with the order. NaN for negative orders. At 0 and the negative integers it
/// is infinite for odd orders and NaN for even ones.
#[inline]
pub fn polygamma<A: Double>(a: &mut A, n: A::F, x: A::F) -> A::F {
    let n = a.round(n);
    let s = plus(a, n, 1.0);
    let large = above(a, n, MOST as f64);
    let index = factorial_index(a, n);
    let factorial = a.table(&FACTORIALS, index);
    let one = a.float(1.0);
    let factorial = a.select(large, one, factorial);
    let log_factorial = a.rare(large, n, |a| {
        lgamma_positive(a, s, |a, x| of_normal(a, x, 0.0))
    });
    let order = Order::<A> {
        s,
        factorial,
        large,
        log_factorial,
    };
    let half = times(a, s, 0.5);
    let whole = a.round(half);
    let even = a.eq(half, whole);

    // Above 0 there is one sum; below, the sum over all integers is two sums around the nearest one, and the
    // sum of 1 - x is subtracted.
    let negative = below(a, x, 0.0);
    let nearest = a.round(x);
    let r = a.sub(x, nearest);
    let size = a.abs(r);
    let across = from(a, 1.0, size);
    let reflected = from(a, 1.0, x);
    let (minus_one, three) = (a.float(-1.0), a.float(3.0));
    let sums = a.select(negative, three, one);
    let first = a.select(negative, reflected, x);
    // For odd s the terms below the point have the opposite sign of those above it.
    let left = below(a, r, 0.0);
    let side = a.select(left, minus_one, one);
    let near_weight = a.select(even, one, side);
    let minus_side = a.neg(side);
    let far_weight = a.select(even, one, minus_side);
    let minus_even = a.select(even, minus_one, one);
    let first_weight = a.select(negative, minus_even, one);
    let zero = a.float(0.0);
    let [_, total] = a.repeat(
        [zero, zero],
        |a, [i, _]| a.lt(i, sums),
        |a, [i, total]| {
            let begun = above(a, i, 0.5);
            let last = above(a, i, 1.5);
            let at = a.select(last, across, size);
            let at = a.select(begun, at, first);
            let weight = a.select(last, far_weight, near_weight);
            let weight = a.select(begun, weight, first_weight);
            let sum = positive(a, &order, at);
            [plus(a, i, 1.0), a.fma(weight, sum, total)]
        },
    );
    let minus = a.neg(total);
    let y = a.select(even, total, minus);
    let nan = a.float(f64::NAN);
    let pole = equals(a, r, 0.0);
    let start = equals(a, x, 0.0);
    let pole = a.and(pole, negative);
    let pole = a.or(pole, start);
    let odd_s = a.not(even);
    let undefined = a.and(pole, odd_s);
    let y = a.select(undefined, nan, y);
    let none = below(a, n, 0.0);
    let y = a.select(none, nan, y);
    let least = equals(a, n, 0.0);
    a.rare(least, y, |a| digamma(a, x))
}
