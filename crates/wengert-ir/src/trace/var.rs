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
