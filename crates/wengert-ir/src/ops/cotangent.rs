//! Tangents and cotangents, and their sums and products.

use super::dynamic::{self, Dynamic};
use super::index::Access;
use super::{Op, elementwise};
use crate::trace::{Var, definition};

/// A tangent: `None` is a symbolic zero, and always so for integers and truth values.
pub type Tangent = Option<Var>;

/// A cotangent on its way back.
#[derive(Clone, Copy, Debug)]
pub struct Cotangent {
    /// Its value.
    pub value: Var,
    /// It has come through a `select`, a mask or a dropped write, and may be zero for that reason:
    /// then a product with it is zero whatever the other factor, infinities and NaN included.
    pub maybe_zero: bool,
    /// Some elements may be zero because a slice left them out, and a product with them is zero likewise. A loop does
    /// not carry this on from step to step: its carries are read in slices all the time, and whole.
    pub unread: bool,
}

impl Cotangent {
    /// A cotangent that no branch has masked.
    pub fn new(value: Var) -> Cotangent {
        Cotangent::of(value, false)
    }

    /// A cotangent that may have been masked.
    pub fn of(value: Var, maybe_zero: bool) -> Cotangent {
        Cotangent {
            value,
            maybe_zero,
            unread: false,
        }
    }

    /// Whether a product with it is zero wherever it is.
    pub fn zero_wins(self) -> bool {
        self.maybe_zero || self.unread
    }

    /// What a linear operation makes of it.
    pub fn map(self, f: impl FnOnce(Var) -> Var) -> Cotangent {
        Cotangent {
            value: f(self.value),
            ..self
        }
    }

    /// The same, behind a mask.
    pub fn masked(self) -> Cotangent {
        Cotangent {
            maybe_zero: true,
            ..self
        }
    }

    /// The product with a known factor: zero where this is zero for having been masked.
    pub fn times(self, factor: Var) -> Cotangent {
        self.map(|v| match self.zero_wins() {
            true => elementwise::mul_or_zero(v, factor),
            false => v * factor,
        })
    }

    /// The sum of two contributions.
    pub fn plus(self, other: Cotangent) -> Cotangent {
        Cotangent {
            value: sum(self.value, other.value),
            maybe_zero: self.maybe_zero && other.maybe_zero,
            unread: self.zero_wins() && other.zero_wins(),
        }
    }
}

/// The sum of two tangents.
pub fn add_tangents(a: Tangent, b: Tangent) -> Tangent {
    match (a, b) {
        (Some(a), Some(b)) => Some(elementwise::add(a, b)),
        (one, None) | (None, one) => one,
    }
}

/// The sum of two cotangents.
pub fn add_cotangents(a: Option<Cotangent>, b: Option<Cotangent>) -> Option<Cotangent> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(b)),
        (one, None) | (None, one) => one,
    }
}

/// The sum of two contributions. Where one of them is zero but for a few elements, those are added to the other, which
/// costs by their number and not by the size of the array.
pub fn sum(a: Var, b: Var) -> Var {
    onto(a, b)
        .or_else(|| onto(b, a))
        .unwrap_or_else(|| elementwise::add(a, b))
}

/// `x + y`, where `y` is zeros with elements added or a window written.
fn onto(x: Var, y: Var) -> Option<Var> {
    if y.ty().rank() == 0 || x.as_literal().is_some() {
        return None;
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
