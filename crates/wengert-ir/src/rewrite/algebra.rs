//! Simplification of float arithmetic. Every rule is exact for all numbers, including infinities and signed
//! zeros.

use crate::ops::elementwise::{Elementwise, add, mul, neg, sub};
use crate::ops::rows::row;
use crate::rewrite::{Known, Rule, number};
use crate::trace::Var;

const ADD: Elementwise = row("add");
const SUB: Elementwise = row("sub");
const MUL: Elementwise = row("mul");
const DIV: Elementwise = row("div");
const NEG: Elementwise = row("neg");
const MUL_OR_ZERO: Elementwise = row("mul_or_zero");

/// The rules, in the order in which they are tried.
pub const RULES: &[Rule] = &[
    neutral,
    by_minus_one,
    double_negation,
    signs,
    by_power_of_two,
    times_power_of_two,
];

fn float(x: &[Var]) -> bool {
    x[0].ty().is_float()
}

/// x·1 = 1·x = x/1 = x - 0 = x + (-0) = x. (x + 0 is not x: it turns -0 into 0.)
fn neutral(_: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    if ![ADD, SUB, MUL, DIV, MUL_OR_ZERO].contains(&op) || !float(x) {
        return None;
    }
    let (left, right) = (number(x[0]), number(x[1]));
    let is = |n: Option<f64>, want: f64| n.is_some_and(|n| n.to_bits() == want.to_bits());
    match op {
        MUL | DIV | MUL_OR_ZERO if is(right, 1.0) => Some(x[0]),
        MUL if is(left, 1.0) => Some(x[1]),
        SUB if is(right, 0.0) => Some(x[0]),
        ADD if is(right, -0.0) => Some(x[0]),
        ADD if is(left, -0.0) => Some(x[1]),
        _ => None,
    }
}

/// Moves signs out of sums and into factors.
fn by_minus_one(_: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    match op {
        MUL | DIV if number(x[1]) == Some(-1.0) => Some(neg(x[0])),
        MUL if number(x[0]) == Some(-1.0) => Some(neg(x[1])),
        _ => None,
    }
}

/// -(-x) = x.
fn double_negation(known: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    match op {
        NEG => known.operands(x[0], NEG).map(|inner| inner[0]),
        _ => None,
    }
}

/// Signs move out of sums and into factors.
fn signs(known: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    if ![ADD, SUB, MUL].contains(&op) || !float(x) {
        return None;
    }
    let negated = |v: Var| known.operands(v, NEG).map(|inner| inner[0]);
    match (op, negated(x[0]), negated(x[1])) {
        (ADD, _, Some(b)) => Some(sub(x[0], b)),
        (ADD, Some(a), _) => Some(sub(x[1], a)),
        (SUB, _, Some(b)) => Some(add(x[0], b)),
        (MUL, Some(a), Some(b)) => Some(mul(a, b)),
        (MUL, Some(a), None) if number(x[1]).is_some() => Some(mul(a, neg(x[1]))),
        (MUL, None, Some(b)) if number(x[0]).is_some() => Some(mul(neg(x[0]), b)),
        _ => None,
    }
}

/// x/2^k = x·2^-k, where 2^-k is a normal number.
fn by_power_of_two(_: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    let divisor = number(x.get(1).copied()?).filter(|_| op == DIV)?;
    power_of_two(divisor).map(|_| mul(x[0], Var::full(&x[0].ty(), 1.0 / divisor)))
}

/// c·(2^k·x) = (c·2^k)·x if 2^k and |c| are at least 1: then an intermediate product that overflows implies that the
/// result overflows too.
fn times_power_of_two(known: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    if op != MUL || !float(x) {
        return None;
    }
    let factor = |v: [Var; 2]| match (number(v[0]), number(v[1])) {
        (Some(n), None) => Some((n, v[1])),
        (None, Some(n)) => Some((n, v[0])),
        _ => None,
    };
    let (c, product) = factor([x[0], x[1]])?;
    let inner = known.operands(product, MUL)?;
    let (power, y) = factor([inner[0], inner[1]])?;
    let both = c * power;
    let exact = power_of_two(power).is_some_and(|k| k >= 0)
        && c.abs() >= 1.0
        && both.abs() <= f64::from(f32::MAX);
    exact.then(|| mul(Var::full(&y.ty(), both), y))
}

/// Returns the exponent of a power of two, or minus the exponent: only if both the power and its inverse are normal
/// numbers in both float types.
fn power_of_two(n: f64) -> Option<i64> {
    let exponent = (n.to_bits() >> 52 & 0x7ff) as i64 - 1023;
    (n.to_bits() << 12 == 0 && exponent.abs() <= 125).then_some(exponent)
}
