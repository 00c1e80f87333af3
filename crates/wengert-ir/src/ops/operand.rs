//! The operands and results that the rules of transposition and batching receive.

use super::layout;
use crate::error::{Error, raise};
use crate::ir::Type;
use crate::trace::{Var, current_source};

/// Refuses to transpose an operation that is not linear in the operands that depend on a tangent. No rule of this
/// crate records such an operation, but that of a custom operation may.
pub(crate) fn not_linear(what: &str) -> ! {
    raise(Error::derivative(
        "reverse mode",
        format!("{what} is not linear in the tangents that it is given"),
        current_source().written(),
        "the rule `Primitive::jvp` of a custom operation must compute tangents apart from values, and \
             not both in one loop, since reverse mode transposes what involves a tangent",
    ))
}

/// An operand of an equation that is being transposed.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A known value.
    Known(Var),
    /// An operand that the equation is linear in, by its type.
    Linear(Type),
}

impl Operand {
    /// Returns whether the equation is linear in this operand.
    pub fn is_linear(&self) -> bool {
        matches!(self, Operand::Linear(_))
    }

    /// Returns the known value. If the operand is linear, a rule asked for the value of a tangent, which ends the trace
    /// with an error.
    pub fn known(&self) -> Var {
        match self {
            Operand::Known(v) => *v,
            Operand::Linear(_) => not_linear("an operation"),
        }
    }

    /// Returns the type of the operand.
    pub fn ty(&self) -> Type {
        match self {
            Operand::Known(v) => v.ty(),
            Operand::Linear(t) => t.clone(),
        }
    }
}

/// An operand or a result of an equation that is being batched.
#[derive(Clone, Copy, Debug)]
pub struct Batched {
    /// The value.
    pub value: Var,
    /// Whether the value has a batch axis (at [`crate::ir::Shape::batch_axis`] of its type, which is in front unless
    /// an axis has a run-time length). If not, it is the same for the whole batch.
    pub mapped: bool,
}

impl Batched {
    /// Creates a value that is the same for the whole batch.
    pub fn shared(value: Var) -> Batched {
        Batched {
            value,
            mapped: false,
        }
    }

    /// Creates a value with a batch axis.
    pub fn mapped(value: Var) -> Batched {
        Batched {
            value,
            mapped: true,
        }
    }

    /// Returns the value with a batch axis of `size`, along which a shared value is repeated.
    pub fn spread(self, size: usize) -> Var {
        match self.mapped {
            true => self.value,
            false => {
                let ty = self.value.ty();
                layout::insert_axis(self.value, ty.shape.batch_axis(), size)
            }
        }
    }

    /// Returns the type of one element of the batch.
    pub fn element_type(self) -> Type {
        let ty = self.value.ty();
        match self.mapped {
            true => ty.without_axis(ty.shape.batch_axis()),
            false => ty,
        }
    }
}
