//! Tangents and cotangents, and their sums and products.

use super::dynamic::{self, Dynamic};
use super::index::Access;
use super::layout::{self, Padded};
use super::{Op, elementwise};
use crate::ir::Type;
use crate::trace::{Var, definition};

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
            value: sum(self.value, other.value),
            ..self.joined(other)
        }
    }

    /// Returns this with the marks of a sum of it and another.
    pub fn joined(self, other: Cotangent) -> Cotangent {
        Cotangent {
            maybe_zero: self.maybe_zero && other.maybe_zero,
            unread: self.zero_wins() && other.zero_wins(),
            ..self
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

/// The sum of two contributions. Where one of them is zero but for a few elements, those are added to the other, which
/// costs by their number and not by the size of the array; where both are zero but for parts, the parts are put side by
/// side.
pub fn sum(a: Var, b: Var) -> Var {
    onto(a, b)
        .or_else(|| onto(b, a))
        .or_else(|| layout::sum_of_parts(a, b))
        .unwrap_or_else(|| elementwise::add(a, b))
}

/// `x + y`, where `y` is zeros with elements added or a window written.
fn onto(x: Var, y: Var) -> Option<Var> {
    if y.ty().rank() == 0 || x.as_literal().is_some() {
        return None;
    }
    if let Some(padded) = Padded::of(y) {
        return add_part(x, &padded);
    }
    let (op, inputs) = definition(y)?;
    let zeros = inputs.first()?.as_literal().is_some_and(|l| l.bits == 0);
    match op {
        Op::Index(index) if index.access == Access::Add => {
            let below = match zeros {
                true => x,
                false => onto(x, inputs[0])?,
            };
            Some(index.bind(below, inputs[1], Some(inputs[2])))
        }
        Op::Dynamic(Dynamic::Update) if zeros => {
            let (u, start) = (inputs[1], &inputs[2..]);
            let window = dynamic::slice(x, start, &u.ty().dims());
            Some(dynamic::update(x, elementwise::add(window, u), start))
        }
        _ => None,
    }
}

/// `x` plus an array that is padded to its size, where `x` is in memory, as what a loop carries is: the part is added
/// where it lies. Where `x` is computed element by element, so is the sum.
fn add_part(x: Var, y: &Padded) -> Option<Var> {
    const MANY: usize = 64;
    let (part, all) = (y.x.ty(), x.ty());
    let is_window = y.interior.iter().all(|n| *n == 0);
    if !is_window || all.size() <= MANY || part.size() * 4 > all.size() {
        return None;
    }
    if let Some((op, inputs)) = definition(x) {
        let types: Vec<Type> = inputs.iter().map(|x| x.ty()).collect();
        if op.element_work(&types).is_some() {
            return None;
        }
    }
    let start: Vec<Var> = y.low.iter().map(|&n| Var::from(n as i64)).collect();
    let window = dynamic::slice(x, &start, &part.dims());
    Some(dynamic::update(x, elementwise::add(window, y.x), &start))
}
