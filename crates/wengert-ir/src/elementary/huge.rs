//! `sin`, `cos` and `tan` of huge arguments: the reduction of Payne and Hanek (Radian reduction for
//! trigonometric functions, 1983), in floats.
//!
//! For `2^(32 j) <= |x| < 2^(32 j + 32)` let `X = 2^(-32 j) x`, a multiple of `2^-52`. Then
//! `x 2/pi = X (2^(32 j) 2/pi)`, and only the quadrant matters, so the second factor may lose
//! multiples of `2^54`. What is left of it stands in a table as a sum of four floats, 212 bits, of
//! which the last is near `2^-159`: the product is known to `2^-127`, and no float lies within
//! `2^-62` of a multiple of `pi/2` in these units.
use super::Arith;
use super::parts::{MAGIC, fast_two_sum, fma_by, plus, times, two_product, two_sum};
use super::trig::{sine, tangent};
use std::f64::consts::FRAC_PI_2;

/// `pi/2 - FRAC_PI_2`
pub(super) const FRAC_PI_2_LOW: f64 = 6.123_233_995_736_766e-17;

/// `x` in quarter turns: `count + high + low` up to a multiple of 4, `|high| <= 1/2`.
struct Quarters<F> {
    count: F,
    high: F,
    low: F,
}

/// `x` less the multiple of 4 nearest to it; exact.
#[inline(always)]
fn modulo_four<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let quarter = times(a, x, 0.25);
    let n = a.round(quarter);
    fma_by(a, n, -4.0, x)
}

/// `x` as an integer, up to a multiple of 4, and a rest of at most a half; exact.
#[inline(always)]
fn nearest<A: Arith>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let x = modulo_four(a, x);
    let n = a.round(x);
    let rest = a.sub(x, n);
    (n, rest)
}

#[inline(always)]
fn reduce<A: Arith>(a: &mut A, x: A::F) -> Quarters<A::F> {
    let bits = a.bits(x);
    let shifted = a.int_shl(bits, 1);
    let exponent = a.int_ushr(shifted, 53);
    let bias = a.int(-1023);
    let exponent = a.int_add(exponent, bias);
    let row = a.int_ushr(exponent, 5);
    let down = a.int_shl(row, 57);
    let bits = a.int_sub(bits, down);
    let x = a.from_bits(bits);
    let mut column = a.int_shl(row, 2);
    let one = a.int(1);
    let mut products = [(x, x); 4];
    for product in &mut products {
        let piece = a.table(&TWO_OVER_PI, column);
        *product = two_product(a, x, piece);
        column = a.int_add(column, one);
    }
    let [(h0, l0), (h1, l1), (h2, l2), (h3, _)] = products;
    // These three are multiples of 2^-52, and so is the sum of their rests, which is exact.
    let (n0, f0) = nearest(a, h0);
    let (n1, f1) = nearest(a, l0);
    let (n2, f2) = nearest(a, h1);
    let n = a.add(n0, n1);
    let n = a.add(n, n2);
    let f = a.add(f0, f1);
    let f = a.add(f, f2);
    // The others are below 2^-22.
    let (f, e1) = two_sum(a, f, l1);
    let (f, e2) = two_sum(a, f, h2);
    let tail = a.add(l2, h3);
    let tail = a.add(tail, e2);
    let tail = a.add(tail, e1);
    let more = a.round(f);
    let count = a.add(n, more);
    let f = a.sub(f, more);
    let (high, low) = two_sum(a, f, tail);
    Quarters { count, high, low }
}

/// `(high + low) pi/2`, and NaN where `x` is not finite.
#[inline(always)]
fn angle<A: Arith>(a: &mut A, high: A::F, low: A::F, x: A::F) -> A::F {
    let (r, error) = {
        let half_pi = a.float(FRAC_PI_2);
        two_product(a, high, half_pi)
    };
    let error = fma_by(a, high, FRAC_PI_2_LOW, error);
    let error = fma_by(a, low, FRAC_PI_2, error);
    let r = a.add(r, error);
    fma_by(a, x, 0.0, r)
}

/// The sine of `x` and `ahead` quarter turns.
#[inline(always)]
pub(super) fn sin<A: Arith>(a: &mut A, x: A::F, ahead: f64) -> A::F {
    let Quarters { count, high, low } = reduce(a, x);
    let count = plus(a, count, ahead);
    let halves = a.add(count, high);
    let magic = a.float(MAGIC);
    let magic = fma_by(a, halves, 0.5, magic);
    let n = plus(a, magic, -MAGIC);
    let quarter = fma_by(a, n, -2.0, count);
    let (high, error) = fast_two_sum(a, quarter, high);
    let low = a.add(low, error);
    let r = angle(a, high, low, x);
    sine(a, r, magic)
}

/// The tangent of `x`.
#[inline(always)]
pub(super) fn tan<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let Quarters { count, high, low } = reduce(a, x);
    let r = angle(a, high, low, x);
    let magic = plus(a, count, MAGIC);
    tangent(a, r, magic)
}

/// Row `j` of four: `2^(32 j) 2/pi`, less a multiple of `2^54`.
#[rustfmt::skip]
#[allow(clippy::approx_constant)]
static TWO_OVER_PI: [f64; 128] = [
    0.6366197723675814, -3.935735335036497e-17, -2.1442872565786008e-33, 1.6107127853188224e-49,
    2734261102.3057265, -1.6903854549693358e-07, -9.209643640234651e-24, 6.917958736193411e-40,
    -1825815054248662.0, -0.015024672737848497, 4.6456600941271777e-20, 1.9393725863592423e-37,
    1149169975121874.0, -0.04216207543924148, 1.3680140970387848e-18, 7.49844027580389e-35,
    -6940315144102463.0, -0.14302697190190528, 3.577510976413712e-18, -4.409950693639701e-35,
    -3133879336397415.0, 0.2354059373013278, -4.56069358394156e-18, 8.292601011133836e-35,
    -8279763927723966.0, -0.006570597209489751, 9.299200062771279e-20, 2.162981763785942e-36,
    1003038044152747.9, -0.0049473415791523555, -3.1122023383460514e-19, -1.2853918013830873e-35,
    4894664431486306.0, -0.2846003635183442, -1.561118019859767e-17, 3.0251638830270645e-34,
    -1190351408435653.8, 0.008999995892996477, 5.441802632394797e-19, -1.5714325742342753e-35,
    -7760102848343328.0, 0.02455418790652278, 1.5716943815562158e-18, -6.677128753021848e-35,
    3891034317205226.0, 0.038354045942575674, 1.55539870420094e-18, 4.0593295121245543e-35,
    2584857512350237.0, -0.007355981345278716, -5.918459848129415e-20, 3.399860397628607e-36,
    4945727824194333.0, -0.30795817102579476, 2.71691602038273e-17, -6.859988001438987e-34,
    8421282788517695.0, -0.09176314128969214, -6.672584397676968e-18, -9.760945128894662e-35,
    -6290035833686539.0, 0.18254497761664523, 2.098179600458306e-18, -3.1428272666860984e-35,
    622277120705668.9, 0.03754330582557761, -3.4030459904449356e-18, -1.489921122387291e-34,
    -1332037237837785.2, -0.04541788966746965, 3.117785363861471e-18, 7.188072160309567e-35,
    8004610885123649.0, 0.2248815431988306, -6.173775219821795e-19, 3.026640780767365e-35,
    8864542881863226.0, -0.4870113160900318, -6.302354304316678e-18, 1.1435170039797679e-34,
    5020617108830709.0, -0.3886051448662572, 3.2051665461021856e-18, -7.81940772565019e-35,
    5411747318226828.0, -0.257916913571561, -7.195152808990792e-21, -3.4279848075403856e-37,
    1230953699158075.0, 0.12488698956260291, 8.638007821401913e-19, -1.4201656791519197e-35,
    -1926090432407552.2, 0.11727285756131448, -6.3235158433261986e-18, -2.897853492980069e-34,
    -2084674616322032.0, -0.06568804118975029, 1.7036400926609164e-18, 7.309546151776133e-36,
    1574569088323979.2, 0.101721592113984, -2.6478688022951465e-18, 4.7697501336629853e-35,
    -4765784395322081.0, 0.42661278302675154, 2.3815024694267182e-17, -1.6417372469441525e-35,
    2934731510808271.0, 0.15544186330159793, -8.314819587895112e-18, -5.207463049859117e-35,
    -2675321576158792.5, -0.19033435578023758, 2.4642634653652405e-18, -1.092258068531342e-35,
    3106907657486182.5, 0.11865104303174594, -3.040022801303737e-18, -1.489835048940438e-34,
    1758559836564013.5, -0.04236252421478801, -2.581273131101288e-19, 1.4230598688455782e-35,
    8983205237996232.0, -0.07852259389162261, -4.58600037417712e-19, -2.430592223762577e-35,
];
