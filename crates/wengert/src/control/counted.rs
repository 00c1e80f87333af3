//! Counted loops over numbers.

use std::ops::{Range, RangeTo};
use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::scan as loops;
use wengert_ir::trace::{Var, asked_at, inside};

use super::start::{settled, soften};
use super::{count_from, length, next_carry, rebuild, refuse};
use crate::tree::{self, IntoTree};

mod sealed {
    pub trait Steps {}
}

/// The range of a [`fori`]: a range of numbers, or of traced integers (`a..b`, or `..b` from zero). The step
/// gets its number as an `i64`. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no range of steps",
    label = "expected `0..n`, or `a..b` or `..b` of `Var`s"
)]
pub trait Steps: sealed::Steps {
    #[doc(hidden)]
    #[track_caller]
    fn steps(self) -> Bounds;
}

/// The bounds of a counted loop.
#[doc(hidden)]
#[derive(Debug)]
pub enum Bounds {
    /// First number and count, known at trace time.
    Known(i64, usize),
    /// First number, and exclusive end.
    Traced(Var, Var),
}

impl sealed::Steps for Range<Var> {}
impl Steps for Range<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(self.start, self.end)
    }
}

impl sealed::Steps for RangeTo<Var> {}
impl Steps for RangeTo<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(Var::scalar(0i64), self.end)
    }
}

macro_rules! ranges {
    ($($t:ty),*) => {$(
        impl sealed::Steps for Range<$t> {}
        impl Steps for Range<$t> {
            fn steps(self) -> Bounds {
                let bound = |n| i64::try_from(n).unwrap_or(i64::MAX);
                let (start, end) = (bound(self.start), bound(self.end));
                Bounds::Known(start, length(start, end))
            }
        }
    )*};
}
ranges!(i32, i64, usize);

/// Runs a counted loop: `body(i, carry)` returns the next carry. The bounds may be traced, in reverse mode too.
/// A range whose end is not above its start runs no step.
///
/// A carry that starts as a Rust float or as `zeros` takes the float type that the step gives it.
///
/// # Errors
/// If the carry changes its structure or types, or a traced bound is not an integer scalar. A traced range of
/// more steps than the limit ([`Jit::max_steps`](crate::Jit::max_steps)) makes the call return an `Err`; a
/// range that goes beyond `i64::MAX` counts as such.
///
/// ```
/// use wengert::prelude::*;
///
/// let power = jit(|(x, n): (Var, Var)| fori(..n, 1.0, |_, y| y * x));
/// assert_eq!(power.call((3.0, 4i64))?.item::<f64>()?, 81.0);
/// let slope = jit(|(x, n): (Var, Var)| grad_at(x, |x| fori(..n, 1.0, |_, y| y * x)));
/// assert_eq!(slope.call((3.0, 4i64))?.item::<f64>()?, 108.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fori<C, A>(bounds: impl Steps, init: C, body: impl Fn(Var, C::Tree) -> A) -> C::Tree
where
    C: IntoTree,
    A: IntoTree<Tree = C::Tree>,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init.into_tree());
        let step = |i: Var, carry: &[Var]| {
            let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
            soften(carry);
            let next = inside(|| body(i, rebuild(&def, carry)));
            next_carry("fori", next.into_tree(), &types, &def)
        };
        let out = match bounds.steps() {
            Bounds::Known(start, n) => settled(&carry, &|carry| {
                loops::scan(carry, &[count_from(start, n)], n, false, |carry, i| {
                    (step(i[0], carry), vec![])
                })
            }),
            Bounds::Traced(start, end) => {
                for ty in [start.ty(), end.ty()] {
                    if !ty.dtype.is_int() || ty.rank() != 0 {
                        refuse("fori", format!("a bound is an integer scalar, got {ty}"));
                    }
                }
                let (start, end) = signed(start, end);
                settled(&carry, &|carry| loops::repeat(start, end, carry, step))
            }
        };
        rebuild(&def, &out)
    })
}

/// Converts the bounds to `i64`. A range of `u64`s that goes beyond is replaced by the longest possible range,
/// which exceeds any limit of steps.
#[track_caller]
fn signed(start: Var, end: Var) -> (Var, Var) {
    let bounds = [start, end];
    if bounds.iter().all(|v| v.dtype() != DType::U64) {
        return (start.to(DType::I64), end.to(DType::I64));
    }
    // A signed start is clamped at zero, which precedes every `u64` end.
    let [start, end] = bounds.map(|v| match v.dtype() {
        DType::U64 => (
            v.gt(i64::MAX as u64),
            v.minimum(i64::MAX as u64).to(DType::I64),
        ),
        _ => (Var::from(false), v.to(DType::I64)),
    });
    let known = |v: Var| match v.dtype() {
        DType::U64 => v,
        _ => v.maximum(0).to(DType::U64),
    };
    let beyond = end.0.and(known(bounds[0]).lt(known(bounds[1])));
    (
        beyond.select(i64::MIN, start.1),
        beyond.select(i64::MAX, end.1),
    )
}
