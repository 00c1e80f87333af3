//! Integers are divided by constants without a division: by powers of two with shifts and masks, and by others
//! with a multiplication (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).

use std::collections::HashSet;

use super::replay::{Replay, Rewrite, same};
use super::{Program, ScalarOp, Stmt, Value};
use crate::scalar::{self, ScalarOp::*};
use crate::types::DType;

/// Returns the program without divisions of integers by constants.
pub fn divide(program: &Program) -> Program {
    let pass = Divide {
        r: Replay::new(program),
        not_negative: HashSet::new(),
    };
    pass.rewrite()
}

struct Divide<'p> {
    r: Replay<'p>,
    /// Signed values of the new program that are known not to be negative.
    not_negative: HashSet<Value>,
}

impl<'p> Rewrite<'p> for Divide<'p> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        let Stmt::Op { out, op, args } = stmt else {
            return same(self, stmt);
        };
        match self.divided(*op, args) {
            Some(value) => self.r.set(*out, value),
            None => same(self, stmt),
        }
        let args: Vec<Value> = args.iter().map(|&a| self.r.get(a)).collect();
        let out = self.r.get(*out);
        if self.is_not_negative(out, *op, &args) {
            self.not_negative.insert(out);
        }
    }

    fn enter(&mut self, stmt: &'p Stmt, _: &[Value]) {
        if let Stmt::For(l) = stmt {
            self.not_negative.insert(self.r.get(l.index));
        }
    }
}

/// What an integer type is made of.
#[derive(Clone, Copy)]
struct Int {
    dtype: DType,
    bits: u32,
    signed: bool,
}

impl<'p> Divide<'p> {
    /// Writes a quotient or remainder of an unknown integer by a known one.
    fn divided(&mut self, op: ScalarOp, args: &[Value]) -> Option<Value> {
        if !matches!(op, Div | Rem) {
            return None;
        }
        let (x, by) = (self.r.get(args[0]), self.r.get(args[1]));
        let dtype = self.r.b.dtype(x);
        let by = self.r.b.known(by)?;
        if !dtype.is_int() || self.r.b.known(x).is_some() {
            return None;
        }
        let t = Int {
            dtype,
            bits: 8 * dtype.bytes() as u32,
            signed: dtype.is_signed_int(),
        };
        let by = match t.signed {
            true => i128::from(scalar::apply(Convert, dtype, DType::I64, &[by]) as i64),
            false => i128::from(by),
        };
        Some(match (op, by.unsigned_abs()) {
            (_, 0) | (Rem, 1) => self.constant(t, 0),
            (Div, _) => {
                let q = self.quotient(t, x, by.unsigned_abs());
                match by < 0 {
                    true => self.r.b.op(Neg, &[q]),
                    false => q,
                }
            }
            // The sign of the divisor makes no difference.
            (_, d) if d.is_power_of_two() => self.rest(t, x, d),
            (_, d) => {
                let q = self.quotient(t, x, d);
                let d = self.constant(t, d);
                let product = self.r.b.mul(q, d);
                self.r.b.sub(x, product)
            }
        })
    }

    /// Whether a signed result is known not to be negative.
    fn is_not_negative(&self, out: Value, op: ScalarOp, args: &[Value]) -> bool {
        let b = &self.r.b;
        let dtype = b.dtype(args[args.len() - 1]);
        let sign = 1u64 << (8 * dtype.bytes() - 1);
        let fine = |&v: &Value| match b.known(v) {
            Some(bits) => bits & sign == 0,
            None => self.not_negative.contains(&v),
        };
        match op {
            Convert => match (dtype, b.dtype(out)) {
                (DType::Bool | DType::U8, _) | (DType::U32, DType::I64) => true,
                (DType::I32, DType::I64) => fine(&args[0]),
                _ => false,
            },
            _ if !dtype.is_signed_int() => false,
            Div | Min => args.iter().all(fine),
            Rem | Shr => fine(&args[0]),
            And | Max => args.iter().any(fine),
            Select => args[1..].iter().all(fine),
            _ => false,
        }
    }

    fn constant(&mut self, t: Int, n: u128) -> Value {
        let all = u64::MAX >> (64 - t.bits);
        self.r.b.constant(t.dtype, n as u64 & all)
    }

    fn shifted(&mut self, op: ScalarOp, t: Int, x: Value, by: u32) -> Value {
        if by == 0 {
            return x;
        }
        let by = self.constant(t, by.into());
        self.r.b.op(op, &[x, by])
    }

    /// What is added to a dividend so that a quotient by `2^k`, which is rounded down, becomes one that is
    /// rounded towards zero: `2^k - 1` to a negative one. `None` if none is negative.
    fn bias(&mut self, t: Int, x: Value, k: u32) -> Option<Value> {
        if !t.signed || self.not_negative.contains(&x) {
            return None;
        }
        let negative = self.shifted(ShrLogical, t, x, t.bits - 1);
        let power = self.shifted(Shl, t, negative, k);
        Some(self.r.b.sub(power, negative))
    }

    /// `x / d`.
    fn quotient(&mut self, t: Int, x: Value, d: u128) -> Value {
        if d.is_power_of_two() {
            let k = d.trailing_zeros();
            let shift = if t.signed { Shr } else { ShrLogical };
            let x = match k {
                0 => x,
                _ => match self.bias(t, x, k) {
                    Some(bias) => self.r.b.add(x, bias),
                    None => x,
                },
            };
            return self.shifted(shift, t, x, k);
        }
        match (t.dtype, t.signed) {
            (DType::U8, _) => {
                // A product of 32 bits has room.
                let wide = Int {
                    dtype: DType::U32,
                    bits: 32,
                    signed: false,
                };
                let x = self.r.b.convert(x, DType::U32);
                let factor = self.constant(wide, (1u128 << 16).div_ceil(d));
                let product = self.r.b.mul(x, factor);
                let q = self.shifted(ShrLogical, wide, product, 16);
                self.r.b.convert(q, t.dtype)
            }
            (_, true) => self.signed(t, x, d),
            (_, false) => self.unsigned(t, x, d),
        }
    }

    /// `x % 2^k`, with the sign of `x`.
    fn rest(&mut self, t: Int, x: Value, d: u128) -> Value {
        let mask = self.constant(t, d - 1);
        let Some(bias) = self.bias(t, x, d.trailing_zeros()) else {
            return self.r.b.op(And, &[x, mask]);
        };
        let x = self.r.b.add(x, bias);
        let low = self.r.b.op(And, &[x, mask]);
        self.r.b.sub(low, bias)
    }

    /// With `w` bits and `m = 2^(w + s) / d`, rounded up by `e / d`, the quotient is `m x / 2^(w + s)` rounded
    /// down, plus 1 if `x` is negative, as long as `e <= 2^(s + 1)`.
    fn signed(&mut self, t: Int, x: Value, d: u128) -> Value {
        let (w, b) = (t.bits, 1u128 << (t.bits - 1));
        let factor = |s: u32| (1u128 << (w + s)) / d + 1;
        let exact = |s: &u32| factor(*s) * d - (1 << (w + s)) <= 1 << (s + 1);
        let s = (0..w).find(exact).expect("a divisor of fewer bits");
        let m = factor(s);
        let by = self.constant(t, m);
        let mut q = self.r.b.op(MulHigh, &[x, by]);
        if m >= b {
            // As a signed number the factor is less by 2^w.
            q = self.r.b.add(q, x);
        }
        let q = self.shifted(Shr, t, q, s);
        if self.not_negative.contains(&x) {
            return q;
        }
        let negative = self.shifted(ShrLogical, t, x, w - 1);
        self.r.b.add(q, negative)
    }

    /// The same without a sign, as long as `e <= 2^s`. Where that needs a factor of `w + 1` bits, its highest
    /// bit stands for `x` itself, and the sum is halved before it can leave `w` bits.
    fn unsigned(&mut self, t: Int, x: Value, d: u128) -> Value {
        let w = t.bits;
        let long = u128::BITS - d.leading_zeros();
        let factor = |s: u32| (1u128 << (w + s)) / d + 1;
        let exact = |s: &u32| factor(*s) >> w == 0 && factor(*s) * d - (1 << (w + s)) <= 1 << s;
        if let Some(s) = (0..long).find(exact) {
            let by = self.constant(t, factor(s));
            let q = self.r.b.op(MulHigh, &[x, by]);
            return self.shifted(ShrLogical, t, q, s);
        }
        let by = self.constant(t, ((1u128 << long) - d) * (1 << w) / d + 1);
        let q = self.r.b.op(MulHigh, &[x, by]);
        let rest = self.r.b.sub(x, q);
        let half = self.shifted(ShrLogical, t, rest, 1);
        let sum = self.r.b.add(half, q);
        self.shifted(ShrLogical, t, sum, long - 1)
    }
}
