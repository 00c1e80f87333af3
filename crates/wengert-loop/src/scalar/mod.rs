//! Scalar operations: their names and types ([`table`]), their semantics ([`meaning`]), and definitions
//! composed of them ([`define`]).

pub mod define;
pub mod meaning;
pub mod table;

pub use define::{Exact, Scalar, Scalars, bits_of};
pub use meaning::{apply, result_type};
pub use table::ScalarOp;

/// The operation that a [`ScalarOp::Fold`] joins with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FoldOp {
    /// [`ScalarOp::Add`].
    Add,
    /// [`ScalarOp::Mul`].
    Mul,
    /// [`ScalarOp::Min`].
    Min,
    /// [`ScalarOp::Max`].
    Max,
}

impl FoldOp {
    /// Returns the operation on two values.
    pub fn scalar(self) -> ScalarOp {
        match self {
            FoldOp::Add => ScalarOp::Add,
            FoldOp::Mul => ScalarOp::Mul,
            FoldOp::Min => ScalarOp::Min,
            FoldOp::Max => ScalarOp::Max,
        }
    }
}
