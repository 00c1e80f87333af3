//! `sin`, `cos` and `tan` of huge arguments: the reduction of Payne and Hanek (Radian reduction for
//! trigonometric functions, 1983), in floats.
//!
//! For `2^(32 j) <= |x| < 2^(32 j + 32)` let `X = 2^(-32 j) x`, a multiple of `2^-52`. Then `x 2/pi = X (2^(32
//! j) 2/pi)`, and only the quadrant matters, so multiples of `2^54` can be dropped from the second factor. The
//! rest is stored in a table as a sum of four floats: an integer, a multiple of `2^-53`, one of `2^-106`, and a
//! remainder, together within `2^-159`. So the product is known to `2^-127`, and no float lies within `2^-62`
//! of a multiple of `pi/2` in these units.
use super::Double;
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

/// Returns `x` minus the nearest multiple of 4; exact.
#[inline(always)]
fn modulo_four<A: Double>(a: &mut A, x: A::F) -> A::F {
    let quarter = times(a, x, 0.25);
    let n = a.round(quarter);
    fma_by(a, n, -4.0, x)
}

/// Returns the integer nearest to `x`, up to a multiple of 4, and the remainder, at most a half; exact.
#[inline(always)]
fn nearest<A: Double>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let x = modulo_four(a, x);
    let n = a.round(x);
    let rest = a.sub(x, n);
    (n, rest)
}

#[inline(always)]
fn reduce<A: Double>(a: &mut A, x: A::F) -> Quarters<A::F> {
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
    // The first two are multiples of 2^-52, and so is the sum of their remainders, which is exact.
    let (n0, f0) = nearest(a, h0);
    let (n1, f1) = nearest(a, l0);
    let (n2, f2) = nearest(a, h1);
    let n = a.add(n0, n1);
    let n = a.add(n, n2);
    let f = a.add(f0, f1);
    // Everything that may cancel is added without rounding.
    let (f, e0) = two_sum(a, f, f2);
    let more = a.round(f);
    let count = a.add(n, more);
    let f = a.sub(f, more);
    let (f, e1) = two_sum(a, f, l1);
    let (f, e2) = two_sum(a, f, h2);
    let (f, e3) = two_sum(a, f, e0);
    let tail = a.add(l2, h3);
    let tail = a.add(tail, e1);
    let tail = a.add(tail, e2);
    let tail = a.add(tail, e3);
    let (high, low) = two_sum(a, f, tail);
    Quarters { count, high, low }
}

/// Returns `(high + low) pi/2` as a sum of two, and NaN where `x` is not finite.
#[inline(always)]
fn angle<A: Double>(a: &mut A, high: A::F, low: A::F, x: A::F) -> (A::F, A::F) {
    let (r, error) = {
        let half_pi = a.float(FRAC_PI_2);
        two_product(a, high, half_pi)
    };
    let error = fma_by(a, high, FRAC_PI_2_LOW, error);
    let error = fma_by(a, low, FRAC_PI_2, error);
    let (r, low) = fast_two_sum(a, r, error);
    (fma_by(a, x, 0.0, r), low)
}

/// Returns the sine of `x` plus `ahead` quarter turns.
#[inline(always)]
pub(super) fn sin<A: Double>(a: &mut A, x: A::F, ahead: f64) -> A::F {
    let Quarters { count, high, low } = reduce(a, x);
    let count = plus(a, count, ahead);
    let halves = a.add(count, high);
    let magic = a.float(MAGIC);
    let magic = fma_by(a, halves, 0.5, magic);
    let n = plus(a, magic, -MAGIC);
    let quarter = fma_by(a, n, -2.0, count);
    let (high, error) = fast_two_sum(a, quarter, high);
    let low = a.add(low, error);
    let (r, _) = angle(a, high, low, x);
    sine(a, r, magic)
}

/// Returns the tangent of `x`.
#[inline(always)]
pub(super) fn tan<A: Double>(a: &mut A, x: A::F) -> A::F {
    let Quarters { count, high, low } = reduce(a, x);
    let (r, r_low) = angle(a, high, low, x);
    let magic = plus(a, count, MAGIC);
    tangent(a, r, r_low, magic)
}

/// Row `j` of four: `2^(32 j) 2/pi`, minus a multiple of `2^54`. For `j = 0` it is `2/pi` itself.
#[rustfmt::skip]
#[allow(clippy::approx_constant)]
static TWO_OVER_PI: [f64; 128] = [
    1.0, -0.3633802276324186, -3.935735335036497e-17, -2.1442872565786008e-33,
    2734261102.0, 0.3057263591291791, -2.4959506074060407e-18, -5.665244373482231e-33,
    -1825815054248662.0, -0.015024672737848466, -3.1178565966641257e-17, 6.863064799465887e-34,
    1149169975121874.0, -0.04216207543924144, -3.332645542249736e-17, 3.34906530821634e-33,
    -6940315144102463.0, -0.14302697190190528, 3.577510976413713e-18, -8.144714846912914e-34,
    -3133879336397415.0, 0.23540593730132775, 5.095045764731627e-17, -5.309677834172922e-33,
    -8279763927723966.0, -0.006570597209489715, -3.633620099488524e-17, 2.6623537174486554e-33,
    1003038044152748.0, -0.12994734157915233, -2.4597348897509906e-17, 1.7686312805443623e-33,
    4894664431486306.0, -0.2846003635183443, 3.9899971032660153e-17, 3.384004299322284e-33,
    -1190351408435654.0, 0.2589999958929965, -1.506833102055179e-17, 5.762075507419365e-33,
    -7760102848343328.0, 0.02455418790652275, 2.9327269997185134e-17, -4.3038171651821375e-33,
    3891034317205226.0, 0.03835404594257563, 4.318876212764431e-17, 4.257792839986927e-34,
    2584857512350237.0, -0.007355981345278706, -1.0467525454342136e-17, -9.114168631863084e-34,
    4945727824194333.0, -0.3079581710257947, -2.834199102743053e-17, 5.476977021895256e-33,
    8421282788517695.0, -0.0917631412896921, -4.8305947821120344e-17, 6.0653663707502085e-33,
    -6290035833686539.0, 0.18254497761664523, 2.0981796004583025e-18, 3.435245627230164e-33,
    622277120705669.0, -0.08745669417442237, -2.4219727702166625e-17, 3.702867776535743e-33,
    -1332037237837785.0, -0.2954178896674696, -2.4637790251767443e-17, 8.4225269935799e-34,
    8004610885123649.0, 0.22488154319883058, 2.7138198093646735e-17, -1.3178845532633915e-33,
    8864542881863226.0, -0.4870113160900318, -6.3023543043166764e-18, -1.4263922551118119e-33,
    5020617108830709.0, -0.3886051448662572, 3.2051665461021844e-18, 1.0773638893758395e-33,
    5411747318226828.0, -0.257916913571561, -7.195152808987531e-21, -3.2608820090175825e-33,
    1230953699158075.0, 0.12488698956260291, 8.638007821401893e-19, 2.0080247848150783e-33,
    -1926090432407552.0, -0.13272714243868555, 2.1432059772302716e-17, -1.8305293048077954e-33,
    -2084674616322032.0, -0.06568804118975025, -3.9929723330782456e-17, 2.1258324849777355e-33,
    1574569088323979.0, 0.351721592113984, -1.6525656610109604e-17, 1.2032554679689714e-33,
    -4765784395322081.0, 0.42661278302675154, 2.3815024694267176e-17, 6.146558449569713e-33,
    2934731510808271.0, 0.15544186330159793, -8.314819587895107e-18, -4.6743064970279574e-33,
    -2675321576158793.0, 0.3096656442197624, 3.021983908099416e-17, -5.018340436092126e-33,
    3106907657486183.0, -0.3813489569682541, 3.859334062213963e-17, 1.391760450615745e-33,
    1758559836564013.0, 0.45763747578521197, 2.0558554398611553e-17, 3.577200995804842e-33,
    8983205237996232.0, -0.07852259389162264, 2.7296975578211202e-17, -8.90974397211882e-34,
];
