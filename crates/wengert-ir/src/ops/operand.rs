//! What the rules of transposition and batching are handed for operands and results.

use super::layout;
use crate::error::{Error, raise};
use crate::ir::Type;
use crate::trace::{Var, current_source};

/// Refuses to transpose what is not linear in the operands that depend on a tangent. No rule of this crate
/// records such an operation, and one of a custom operation's may.
pub(crate) fn not_linear(what: &str) -> ! {
    raise(Error::Derivative {
        op: "reverse mode".into(),
        message: format!("{what} is not linear in the tangents that it is given"),
        at: Some(current_source().written()),
        hint: Some(
            "the rule `Primitive::jvp` of a custom operation must compute tangents apart from values, and \
             not both in one loop, since reverse mode transposes what involves a tangent"
                .into(),
        ),
    })
}

/// An operand of an equation that is being transposed.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A value that is known.
    Known(Var),
    /// What the equation is linear in.
    Linear(Type),
}

impl Operand {
    /// Whether the equation is linear in it.
    pub fn is_linear(&self) -> bool {
        matches!(self, Operand::Linear(_))
    }

    /// The known value. If it is linear, the value of a tangent is asked for, which ends the trace with an error.
    pub fn known(&self) -> Var {
        match self {
            Operand::Known(v) => *v,
            Operand::Linear(_) => not_linear("an operation"),
        }
    }

    /// Its type.
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
    /// Its value.
    pub value: Var,
    /// Whether it has a batch axis (at [`crate::ir::Shape::batch_axis`] of its type: in front, where
    /// no axis has a run-time length). If not, it is the same for the whole batch.
    pub mapped: bool,
}

impl Batched {
    /// The same for the whole batch.
    pub fn shared(value: Var) -> Batched {
        Batched {
            value,
            mapped: false,
        }
    }

    /// One for each element of the batch.
    pub fn mapped(value: Var) -> Batched {
        Batched {
            value,
            mapped: true,
        }
    }

    /// The value with a batch axis of `size`, repeated where it is the same for all.
    pub fn spread(self, size: usize) -> Var {
        match self.mapped {
            true => self.value,
            false => {
                let ty = self.value.ty();
                layout::insert_axis(self.value, ty.shape.batch_axis(), size)
            }
        }
    }

    /// The type of one element of the batch.
    pub fn element_type(self) -> Type {
        let ty = self.value.ty();
        match self.mapped {
            true => ty.without_axis(ty.shape.batch_axis()),
            false => ty,
        }
    }
}
