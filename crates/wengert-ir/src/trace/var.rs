//! `Var`: a value that is being traced.

use std::fmt;

use crate::buffer::Element;
use crate::ir::{DType, Splat, Type};
use crate::scalar::bits_of;
use crate::source::SourceId;
use crate::trace::stack;

/// A value inside a function that is being traced: an array, or a scalar.
///
/// A `Var` is used like an `f64`: it is `Copy`, has the operators and the methods of numbers, and
/// can be captured by closures at any depth. It has no comparison operators, since its value
/// is not known yet: `x.lt(y)` gives a `Var` of truth values, for use with
/// [`select`](crate::trace::Var::select) or `cond`.
///
/// # Naming of methods
///
/// Methods have the names of NumPy, or those of Rust's numbers if these differ (`ln`, `powi`, `atan2`). So `max`
/// and `min` take two numbers, and the largest of all elements is `amax`.
///
/// - **Reductions** come in two forms: `x.sum()` over all elements, and `x.sum_axis(axes)` along some axes: an
///   integer, several (`[0, 2]`), or `..` for all; negative axes count from the end. Reduced axes are removed, or
///   kept with length 1 if they are wrapped in [`keep`](crate::trace::keep). The same holds for `prod`, `mean`,
///   `amax`, `amin`, `any`, `all`, `argmax`, `argmin`, `var`, `std`, `average`, `ptp`, `count_nonzero`, `median`,
///   `quantile`, `percentile`, `norm`, `logsumexp`, and the forms that ignore NaN: `nansum`, `nanprod`, `nanmean`,
///   `nanvar`, `nanstd`, `nanmax`, `nanmin`.
/// - **Reductions with a further parameter** are separate methods that also take the axes: `var_ddof(axes, 1)`,
///   `std_ddof`, `nanvar_ddof`, `nanstd_ddof`, `norm_ord(order, axes)`.
/// - **Methods that keep the shape** always take their axis: `x.cumsum(0)`, `x.sort(-1)`, `x.argsort(0)`, `x.diff(0)`.
///   If several axes make sense they take several, or `..`: `x.softmax(1)`, `x.flip(..)`, `x.roll(1, 0)`.
/// - **The opposite direction** has a suffix: `cumsum_reverse`, `sort_descending`, `searchsorted_right`.
/// - **`_at(k)`** works on another diagonal: `tril_at(-1)`, `diag_at(1)`, `trace_at(k, axes)`. **`at_`** writes to a
///   part, without changing `x`: `x.at_set(part, y)`, `x.at_add(part, y)`; `x.at(part)` reads the part.
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

/// The representation of a `Var`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Repr {
    /// A value of an open trace, and where it was made.
    Traced {
        trace: u32,
        id: u32,
        source: SourceId,
        /// Whether the value is a tangent that may be zero because something was not selected.
        masked: bool,
    },
    /// A literal.
    Literal(Splat),
}

impl Var {
    /// Creates a literal.
    ///
    /// # Errors
    /// If the type has more elements than memory has addresses.
    #[doc(hidden)]
    #[track_caller]
    pub fn literal(splat: Splat) -> Var {
        if splat.ty().check_size().is_err() {
            stack::refuse_size("a literal", splat.ty());
        }
        Var(Repr::Literal(splat))
    }

    /// Creates a scalar literal of a Rust type.
    #[track_caller]
    pub fn scalar<T: Element>(x: T) -> Var {
        Var::literal(Splat::scalar(x))
    }

    /// Creates a literal of zeros of a type.
    #[track_caller]
    pub fn zeros(ty: &Type) -> Var {
        Var::literal(Splat::zeros(ty))
    }

    /// Creates a literal of a type that repeats one number, given as `f64` and converted.
    #[track_caller]
    pub fn full(ty: &Type, x: f64) -> Var {
        Var::literal(Splat::new(ty, bits_of(x, ty.dtype)))
    }

    /// Returns the literal, if the value is one.
    #[doc(hidden)]
    pub fn as_literal(self) -> Option<Splat> {
        match self.0 {
            Repr::Literal(splat) => Some(splat),
            Repr::Traced { .. } => None,
        }
    }

    /// Returns the type: the element type and the length of each axis.
    #[track_caller]
    pub fn ty(self) -> Type {
        stack::type_of(self)
    }

    /// Returns the element type.
    #[track_caller]
    pub fn dtype(self) -> DType {
        self.ty().dtype
    }

    /// Returns the lengths of the axes; empty for a scalar.
    #[track_caller]
    pub fn shape(self) -> Vec<usize> {
        self.ty().dims()
    }

    /// Returns the number of axes.
    #[track_caller]
    pub fn rank(self) -> usize {
        self.ty().rank()
    }

    /// Marks the value as a tangent that may be zero because something was not selected, as
    /// [`Cotangent::maybe_zero`](crate::ops::Cotangent::maybe_zero) marks a cotangent. Values computed from it do not
    /// inherit the mark; [`replay`](crate::transform::replay) passes it on.
    pub(crate) fn masked(self) -> Var {
        self.marked(true)
    }

    /// Removes the mark of [`Var::masked`].
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

    /// Returns whether the value has the mark of [`Var::masked`].
    pub(crate) fn is_masked(self) -> bool {
        matches!(self.0, Repr::Traced { masked: true, .. })
    }

    /// Returns whether two `Var`s are the same value.
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

    /// Returns the index of the value in its trace; a literal has none.
    pub(crate) fn id(self) -> Option<u32> {
        match self.0 {
            Repr::Traced { id, .. } => Some(id),
            Repr::Literal(_) => None,
        }
    }

    /// Returns the id of the trace that the value belongs to; a literal belongs to none.
    pub(crate) fn trace_number(self) -> Option<u32> {
        match self.0 {
            Repr::Traced { trace, .. } => Some(trace),
            Repr::Literal(_) => None,
        }
    }
}

/// Shows the type and the line that made the value, as in `Var(f64[2], made at src/main.rs:7:13)`, or a literal; the
/// numbers are not known yet, and [`debug_print`](https://docs.rs/wengert/latest/wengert/fn.debug_print.html) prints them
/// when the function runs. Of a `Var` whose trace is not open here the line is shown alone.
impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Traced { source, .. } => match stack::known_type(*self) {
                Some(ty) => write!(f, "Var({ty}, made at {source})"),
                None => write!(f, "Var(made at {source}, of a trace that is not open)"),
            },
            Repr::Literal(s) => write!(f, "Var({})", crate::ir::text::literal(s)),
        }
    }
}
