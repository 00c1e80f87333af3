//! Operations on scalars: which there are, what each takes and gives ([`table`]), what it computes
//! ([`meaning`]), and definitions that are made of them ([`define`]).

pub mod define;
pub mod meaning;
pub mod table;

pub use define::{Exact, Scalar, Scalars, bits_of};
pub use meaning::{apply, result_type};
pub use table::ScalarOp;

/// What [`ScalarOp::Fold`] joins with.
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
    /// The operation on two values.
    pub fn scalar(self) -> ScalarOp {
        match self {
            FoldOp::Add => ScalarOp::Add,
            FoldOp::Mul => ScalarOp::Mul,
            FoldOp::Min => ScalarOp::Min,
            FoldOp::Max => ScalarOp::Max,
        }
    }
}
