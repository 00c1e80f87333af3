//! Tangents and cotangents, and their sums and products.

use super::elementwise;
use crate::trace::Var;

/// A tangent. `None` is a symbolic zero; integers and truth values always have `None`.
pub type Tangent = Option<Var>;

/// A cotangent, as it is passed back in reverse mode.
#[derive(Clone, Copy, Debug)]
pub struct Cotangent {
    /// The value of the cotangent.
    pub value: Var,
    /// Whether the cotangent has passed through a `select`, a mask or a dropped write, and may be zero for that reason.
    /// Then a product with a zero element is zero whatever the other factor is, infinities and NaN included.
    pub maybe_zero: bool,
    /// Whether some elements may be zero because a slice did not read them; products with them are zero likewise. A
    /// loop does not pass this mark from step to step, since carries are often read both in slices and as a whole.
    pub unread: bool,
}

impl Cotangent {
    /// Creates a cotangent that no branch has masked.
    pub fn new(value: Var) -> Cotangent {
        Cotangent::of(value, false)
    }

    /// Creates a cotangent that may have been masked.
    pub fn of(value: Var, maybe_zero: bool) -> Cotangent {
        Cotangent {
            value,
            maybe_zero,
            unread: false,
        }
    }

    /// Returns whether a product with a zero element must be zero.
    pub fn zero_wins(self) -> bool {
        self.maybe_zero || self.unread
    }

    /// Applies a linear operation to the value.
    pub fn map(self, f: impl FnOnce(Var) -> Var) -> Cotangent {
        Cotangent {
            value: f(self.value),
            ..self
        }
    }

    /// Marks the cotangent as masked.
    pub fn masked(self) -> Cotangent {
        Cotangent {
            maybe_zero: true,
            ..self
        }
    }

    /// Multiplies by a known factor; the product is zero where the cotangent is zero because it was masked.
    pub fn times(self, factor: Var) -> Cotangent {
        self.map(|v| match self.zero_wins() {
            true => elementwise::mul_or_zero(v, factor),
            false => v * factor,
        })
    }

    /// Adds another contribution.
    pub fn plus(self, other: Cotangent) -> Cotangent {
        Cotangent {
            value: elementwise::add(self.value, other.value),
            maybe_zero: self.maybe_zero && other.maybe_zero,
            unread: self.zero_wins() && other.zero_wins(),
        }
    }
}

/// Adds two tangents.
pub fn add_tangents(a: Tangent, b: Tangent) -> Tangent {
    match (a, b) {
        (Some(a), Some(b)) => Some(elementwise::add(a, b)),
        (one, None) | (None, one) => one,
    }
}

/// Adds two cotangents.
pub fn add_cotangents(a: Option<Cotangent>, b: Option<Cotangent>) -> Option<Cotangent> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(b)),
        (one, None) | (None, one) => one,
    }
}
