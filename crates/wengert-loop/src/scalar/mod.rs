//! Operations on scalars: which there are, what each takes and gives ([`table`]), what it computes
//! ([`meaning`]), and definitions that are made of them ([`define`]).

pub mod define;
pub mod meaning;
pub mod table;

pub use define::{Exact, Scalar, Scalars, bits_of};
pub use meaning::{apply, result_type};

/// Operations on scalars. Operands and result have one type unless said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ScalarOp {
    /// Wrapping for integers; `or` for `bool` is [`ScalarOp::Or`].
    Add,
    /// Wrapping for integers.
    Sub,
    /// Wrapping for integers.
    Mul,
    /// Floats: IEEE. Integers: towards zero; x / 0 = 0, and MIN / -1 = MIN.
    Div,
    /// The remainder with the sign of the dividend (floats: exact, as C's fmod). Integers: x % 0 = 0
    /// and MIN % -1 = 0.
    Rem,
    /// Wrapping for integers.
    Neg,
    /// Floats: clears the sign. Integers: wrapping.
    Abs,
    /// IEEE square root. Floats.
    Sqrt,
    /// `a * b + c`, one rounding. Floats.
    Fma,
    /// The smaller; NaN if either is NaN; -0 below +0 (floats). For `bool`: and.
    Min,
    /// The larger; NaN if either is NaN; +0 above -0 (floats). For `bool`: or.
    Max,
    /// Towards minus infinity. Floats.
    Floor,
    /// Towards infinity. Floats.
    Ceil,
    /// To the nearest, ties to even. Floats.
    Round,
    /// Towards zero. Floats.
    Trunc,
    /// Bitwise; integers and `bool`.
    And,
    /// Bitwise; integers and `bool`.
    Or,
    /// Bitwise; integers and `bool`.
    Xor,
    /// Bitwise; integers and `bool`.
    Not,
    /// Left shift by the second operand modulo the width. Integers.
    Shl,
    /// Right shift by the second operand modulo the width; arithmetic for signed types. Integers.
    Shr,
    /// Right shift that fills with zeros, whatever the sign. Integers.
    ShrLogical,
    /// Left rotation by the second operand modulo the width. Integers.
    Rotl,
    /// `bool` of two operands of one type; false on NaN.
    Eq,
    /// The opposite of `Eq`: true on NaN.
    Ne,
    /// False on NaN.
    Lt,
    /// False on NaN.
    Le,
    /// `(bool, a, b)`: `a` where it holds.
    Select,
    /// To the type of `out`. Float to integer: towards zero, saturating, NaN to 0. Integer to
    /// narrower integer: wraps; between signs: the same bits. To `bool`: whether not zero.
    Convert,
    /// The same bits in the type of `out`, of equal width.
    Bitcast,
    /// Joins the copies of a per-lane value behind a vector loop, pairwise:
    /// `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))` with the operation named. The operand is the `out` of
    /// a value carried by a vector loop; the result is uniform.
    Fold(FoldOp),
    /// Whether any live lane holds: uniform `bool`.
    Any,
}

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
