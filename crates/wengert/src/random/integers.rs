//! Uniform integers in a range.

use std::panic::Location;

use wengert_ir::elementary::chacha::Stream;
use wengert_ir::ir::{DType, Splat, Type};
use wengert_ir::ops::random::random_bits;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::{Argument, IntoVar, Var, asked_at};

use super::Key;
use super::each::each;
use super::shape::{Draws, asked, not_an_integer, refuse, spread};

const INTEGERS: &[DType] = &[DType::I64, DType::I32, DType::U64, DType::U32, DType::U8];

/// # Whole numbers
///
/// Integers are `i64`, or the requested integer type. Parameters broadcast to the shape. They have no
/// derivative.
impl Key {
    /// Draws integers in `low..high`, excluding `high`, all exactly equally likely. For an empty range it
    /// returns `low`.
    ///
    /// The bounds are integers of any type. `high` may be one more than the largest number of the drawn type,
    /// so that every number of the type can occur; a traced bound beyond that is clamped. A key gives the same
    /// numbers in each type that can represent them.
    ///
    /// # Errors
    /// If the parameters are not integers, or are known numbers that form an empty range or are beyond the
    /// drawn type.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let dice = jit(|key: Key| key.randint(1, 7, [100]));
    /// let thrown = dice.call(Key::from_seed(0))?.to_vec::<i64>()?;
    /// assert!(thrown.iter().all(|n| (1..7).contains(n)));
    ///
    /// let bytes = jit(|key: Key| key.randint(0, 256, ShapeDtype::new([4], DType::U8)));
    /// assert_eq!(bytes.call(Key::from_seed(0))?.to_vec::<u8>()?.len(), 4);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn randint(self, low: impl IntoVar, high: impl IntoVar, shape: impl Draws) -> Var {
        let op = "randint";
        asked_at(Location::caller(), || {
            let ty = asked(op, shape, INTEGERS);
            let (low, high) = (low.argument(), high.argument());
            if let (Argument::Int(a), Argument::Int(b)) = (low, high)
                && a >= b
            {
                refuse(op, &[], format!("no whole number in {a}..{b}"), None);
            }
            let low = bound(op, low, &ty, false);
            let last = bound(op, high, &ty, true);
            self.integers(op, low, last).to(ty.dtype)
        })
    }

    /// Draws integers in a range with inclusive ends, which are `i64` or `u64` of one shape: Lemire, Fast
    /// random integer generation in an interval, 2019.
    #[track_caller]
    pub(super) fn integers(self, op: &str, low: Var, last: Var) -> Var {
        let words = self.consumed(op);
        let (dims, n) = (low.shape(), low.ty().size());
        let between = low.le(last).select(last - low, Var::zeros(&low.ty()));
        // The number of integers in the range; 0 stands for all 2^64.
        let span = between.to(DType::U64).flatten() + Var::scalar(1u64);
        let ty = Type::new(DType::U64, &[n]);
        let first = random_bits(words, Var::scalar(0u64), Stream::Draws, ty);
        // At most a fraction span / 2^64 of draws is rejected: the leftover would make some numbers more
        // likely.
        let places = match span.as_literal().map(|l| l.bits) {
            Some(0) => first,
            Some(span_of) if span_of.is_power_of_two() => product(first, span).0,
            _ => {
                // The first attempt uses the first blocks.
                let blocks = n.div_ceil(8) as u64;
                let places = each(n, &[first, span], |i, x| {
                    unbiased(words, i, blocks, n, x[0], x[1])
                });
                span.eq(Var::scalar(0u64)).select(first, places)
            }
        };
        low + places.reshape(dims).to(low.dtype())
    }
}

/// Returns the smallest and the largest number of an integer type.
fn range(dtype: DType) -> (i128, i128) {
    match dtype {
        DType::I32 => (i32::MIN.into(), i32::MAX.into()),
        DType::I64 => (i64::MIN.into(), i64::MAX.into()),
        DType::U8 => (0, u8::MAX.into()),
        DType::U32 => (0, u32::MAX.into()),
        _ => (0, u64::MAX.into()),
    }
}

/// Returns a value of an integer type filled with `n`, which the type can represent.
pub(super) fn everywhere(ty: &Type, n: i128) -> Var {
    let width = 8 * ty.dtype.bytes();
    let mask = u64::MAX >> (64 - width);
    Var::literal(Splat::new(ty, n as u64 & mask))
}

/// Converts a bound for draws of type `ty` to `u64` if `ty` is that and to `i64` otherwise: the first number,
/// or the last number, given the exclusive `end`.
#[track_caller]
fn bound(op: &str, given: Argument, ty: &Type, end: bool) -> Var {
    let (least, most) = range(ty.dtype);
    let wide = match ty.dtype {
        DType::U64 => ty.clone(),
        _ => ty.with_dtype(DType::I64),
    };
    let v = match given {
        Argument::Int(n) => {
            if n < least || n > most + i128::from(end) {
                let of = if end {
                    ", as the end of what is drawn"
                } else {
                    ""
                };
                refuse(
                    op,
                    &[],
                    format!("{n} does not fit in {}{of}", ty.dtype),
                    None,
                );
            }
            return everywhere(&wide, (n - i128::from(end)).max(least));
        }
        Argument::Var(v) if v.dtype().is_int() => v,
        other => refuse(op, &[], not_an_integer(other), None),
    };
    let own = v.ty();
    let (first, last) = range(own.dtype);
    let number = match end {
        // The smallest number has no predecessor.
        true => v.maximum(everywhere(&own, first + 1)) - everywhere(&own, 1),
        false => v,
    };
    let mut number = number;
    if first < least {
        number = number.maximum(everywhere(&own, least));
    }
    if last > most {
        number = number.minimum(everywhere(&own, most));
    }
    spread(op, number.to(wide.dtype), own, &wide)
}

/// Returns the product of two `u64`s as its upper and its lower half.
fn product(x: Var, y: Var) -> (Var, Var) {
    let half = |x: Var| (x & 0xffff_ffffu32, x >> 32);
    let ((x0, x1), (y0, y1)) = (half(x), half(y));
    let low = x0 * y0;
    let middle = x1 * y0 + (low >> 32);
    let other = x0 * y1 + (middle & 0xffff_ffffu32);
    (x1 * y1 + (middle >> 32) + (other >> 32), x * y)
}

fn unbiased(words: Var, i: Var, blocks: u64, n: usize, first: Var, span: Var) -> Var {
    let (place, rest) = product(first, span);
    // Most draws do not need the number of leftovers.
    let out = while_loop(
        &[i + Var::scalar(blocks), place, rest, rest.ge(span)],
        |x| !x[3],
        |x| {
            let left = (!span + Var::scalar(1u64)) % span;
            let bits = random_bits(words, x[0], Stream::Draws, Type::scalar(DType::U64));
            let (place, rest) = product(bits, span);
            let taken = x[2].ge(left);
            vec![
                x[0] + Var::scalar(n as u64),
                taken.select(x[1], place),
                taken.select(x[2], rest),
                taken,
            ]
        },
    );
    out[1]
}
