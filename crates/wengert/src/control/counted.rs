//! Counted loops over numbers.

use std::ops::{Range, RangeTo};
use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::scan as loops;
use wengert_ir::trace::{Var, asked_at, inside};

use super::start::{settled, soften};
use super::{count_from, length, next_carry, rebuild, refuse};
use crate::tree::{self, IntoTree};

/// How often a [`fori`] runs: a range of numbers, or of traced `i64`s (`a..b`, or `..b` from zero).
pub trait Steps {
    #[doc(hidden)]
    #[track_caller]
    fn steps(self) -> Bounds;
}

/// First number and count.
#[doc(hidden)]
#[derive(Debug)]
pub enum Bounds {
    /// Known when traced.
    Known(i64, usize),
    /// From the first number up to the second.
    Traced(Var, Var),
}

impl Steps for Range<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(self.start, self.end)
    }
}

impl Steps for RangeTo<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(Var::scalar(0i64), self.end)
    }
}

macro_rules! ranges {
    ($($t:ty),*) => {$(
        impl Steps for Range<$t> {
            fn steps(self) -> Bounds {
                Bounds::Known(self.start as i64, length(self.start as i64, self.end as i64))
            }
        }
    )*};
}
ranges!(i32, i64, usize);

/// A counted loop: `body(i, carry)` gives the next carry. The bounds may be traced, in reverse mode
/// too.
///
/// A carry that starts as one of Rust's floats, or as `zeros`, takes the float type that the step gives
/// it.
///
/// # Errors
/// If the carry changes its structure or types, or a traced bound is not an integer scalar.
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
                let bound = |v: Var| match v.ty() {
                    ty if ty.dtype.is_int() && ty.rank() == 0 => v.to(DType::I64),
                    ty => refuse("fori", format!("a bound is an integer scalar, got {ty}")),
                };
                let (start, end) = (bound(start), bound(end));
                settled(&carry, &|carry| {
                    loops::repeat(end - start, carry, |i, carry| step(i + start, carry))
                })
            }
        };
        rebuild(&def, &out)
    })
}
