//! `Var`: a value that is being traced.

use std::fmt;

use crate::buffer::Element;
use crate::ir::{DType, Splat, Type};
use crate::scalar::bits_of;
use crate::source::SourceId;
use crate::trace::stack;

/// A value inside a function that is being traced: an array, or a scalar.
///
/// It is used as plainly as an `f64`: it is `Copy`, has the operators and the methods of numbers, and
/// can be captured by closures at any depth. It has no comparison operators, since what it will hold
/// is not known yet: `x.lt(y)` gives a `Var` of truth values, for
/// [`select`](crate::trace::Var::select) or `cond` to choose by.
///
/// # How methods are named
///
/// Methods have the names of NumPy, or those of Rust's numbers where these differ (`ln`, `powi`, `atan2`); so `max`
/// and `min` are of two numbers, and the largest of all elements is `amax`.
///
/// - **What reduces** is there twice: `x.sum()` over all elements, and `x.sum_axis(axes)` along some, which are an
///   integer, several (`[0, 2]`), or `..` for all; negative ones count from the end. The axes go, or stay with length
///   1 where they are wrapped in [`keep`](crate::trace::keep). So are `prod`, `mean`, `amax`, `amin`, `any`, `all`, `argmax`,
///   `argmin`, `var`, `std`, `average`, `ptp`, `count_nonzero`, `median`, `quantile`, `percentile`, `norm`, `logsumexp`, and
///   those that leave NaN out: `nansum`, `nanprod`, `nanmean`, `nanvar`, `nanstd`, `nanmax`, `nanmin`.
/// - **One more parameter** is a method that takes the axes, too: `var_ddof(axes, 1)`, `std_ddof`, `nanvar_ddof`,
///   `nanstd_ddof`, `norm_ord(order, axes)`.
/// - **What keeps the shape** takes its axis always: `x.cumsum(0)`, `x.sort(-1)`, `x.argsort(0)`, `x.diff(0)`; where
///   several make sense, several, or `..`: `x.softmax(1)`, `x.flip(..)`, `x.roll(1, 0)`.
/// - **The other way round** has a suffix: `cumsum_reverse`, `sort_descending`, `searchsorted_right`.
/// - **`_at(k)`** is along another diagonal: `tril_at(-1)`, `diag_at(1)`, `trace_at(k, axes)`. **`at_`** writes to a part,
///   without changing `x`: `x.at_set(part, y)`, `x.at_add(part, y)`; `x.at(part)` reads it.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.amax(), x.amax_axis(0), x.argmax_axis(keep(1)), x.var_ddof(1, 1), x.cumsum(1)));
/// let (all, columns, places, variances, sums) = f.call([[1.0, 3.0], [4.0, 2.0]])?;
/// assert_eq!(all, Array::from(4.0));
/// assert_eq!(columns, Array::from([4.0, 3.0]));
/// assert_eq!(places, Array::from([[1i64], [0]]));
/// assert_eq!(variances, Array::from([2.0, 2.0]));
/// assert_eq!(sums, Array::from([[1.0, 4.0], [4.0, 6.0]]));
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Var(pub(crate) Repr);

/// What a `Var` is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Repr {
    /// A value of an open trace, and where it was made.
    Traced {
        trace: u32,
        id: u32,
        source: SourceId,
        /// It is a tangent that may be zero because something was not chosen.
        masked: bool,
    },
    /// A literal.
    Literal(Splat),
}

impl Var {
    /// A literal.
    ///
    /// # Errors
    /// A type of more elements than memory has addresses.
    #[doc(hidden)]
    #[track_caller]
    pub fn literal(splat: Splat) -> Var {
        if splat.ty().check_size().is_err() {
            stack::refuse_size("a literal", splat.ty());
        }
        Var(Repr::Literal(splat))
    }

    /// A scalar literal of a Rust type.
    #[track_caller]
    pub fn scalar<T: Element>(x: T) -> Var {
        Var::literal(Splat::scalar(x))
    }

    /// Zeros of a type.
    #[track_caller]
    pub fn zeros(ty: &Type) -> Var {
        Var::literal(Splat::zeros(ty))
    }

    /// One number, given as `f64` and converted, everywhere in a value of a type.
    #[track_caller]
    pub fn full(ty: &Type, x: f64) -> Var {
        Var::literal(Splat::new(ty, bits_of(x, ty.dtype)))
    }

    /// The literal, if it is one.
    #[doc(hidden)]
    pub fn as_literal(self) -> Option<Splat> {
        match self.0 {
            Repr::Literal(splat) => Some(splat),
            Repr::Traced { .. } => None,
        }
    }

    /// The type: what the elements are, and how many along each axis.
    #[track_caller]
    pub fn ty(self) -> Type {
        stack::type_of(self)
    }

    /// The element type.
    #[track_caller]
    pub fn dtype(self) -> DType {
        self.ty().dtype
    }

    /// The lengths of the axes; empty for a scalar.
    #[track_caller]
    pub fn shape(self) -> Vec<usize> {
        self.ty().dims()
    }

    /// The number of axes.
    #[track_caller]
    pub fn rank(self) -> usize {
        self.ty().rank()
    }

    /// The same value, as a tangent that may be zero because something was not chosen: what
    /// [`Cotangent::maybe_zero`](crate::ops::Cotangent::maybe_zero) says of a cotangent. What is computed from it does not
    /// inherit the mark; [`replay`](crate::transform::replay) passes it on.
    pub(crate) fn masked(self) -> Var {
        self.marked(true)
    }

    /// The same value, not marked so.
    pub(crate) fn unmasked(self) -> Var {
        self.marked(false)
    }

    fn marked(self, masked: bool) -> Var {
        match self.0 {
            Repr::Traced {
                trace, id, source, ..
            } => Var(Repr::Traced {
                trace,
                id,
                source,
                masked,
            }),
            Repr::Literal(_) => self,
        }
    }

    /// Whether it is such a tangent.
    pub(crate) fn is_masked(self) -> bool {
        matches!(self.0, Repr::Traced { masked: true, .. })
    }

    /// Whether two `Var`s are one and the same value.
    pub(crate) fn same(self, other: Var) -> bool {
        match (self.0, other.0) {
            (
                Repr::Traced {
                    trace: a, id: i, ..
                },
                Repr::Traced {
                    trace: b, id: j, ..
                },
            ) => (a, i) == (b, j),
            (Repr::Literal(a), Repr::Literal(b)) => a == b,
            _ => false,
        }
    }

    /// Its number in its trace; a literal has none.
    pub(crate) fn id(self) -> Option<u32> {
        match self.0 {
            Repr::Traced { id, .. } => Some(id),
            Repr::Literal(_) => None,
        }
    }

    /// The trace it belongs to; a literal belongs to none.
    pub(crate) fn trace_number(self) -> Option<u32> {
        match self.0 {
            Repr::Traced { trace, .. } => Some(trace),
            Repr::Literal(_) => None,
        }
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Traced {
                trace, id, source, ..
            } => write!(f, "Var({trace}:{id} made at {source})"),
            Repr::Literal(s) => write!(f, "Var({})", crate::ir::text::literal(s)),
        }
    }
}
