//! The table of scalar operations: one row gives an operation's name and types. The enum, the list of its
//! variants and their rows are generated from it.

use super::FoldOp;
use crate::types::DType;

/// The element types that an operation accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// All types.
    All,
    /// Numbers: all types but `bool`.
    Numbers,
    /// Floats.
    Floats,
    /// Integers.
    Integers,
    /// Integers and truth values.
    Bits,
    /// Truth values.
    Truth,
}

impl Takes {
    /// Returns whether it includes a type.
    pub fn includes(self, dtype: DType) -> bool {
        match self {
            Takes::All => true,
            Takes::Numbers => dtype != DType::Bool,
            Takes::Floats => dtype.is_float(),
            Takes::Integers => dtype.is_int(),
            Takes::Bits => !dtype.is_float(),
            Takes::Truth => dtype == DType::Bool,
        }
    }
}

/// The type of a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    /// The type of the last operand.
    Same,
    /// `bool`.
    Truth,
    /// Any type, which the statement names.
    Any,
    /// Any type as wide as the operand's, which the statement names.
    AnyOfWidth,
}

/// The name and types of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in the text form.
    pub name: &'static str,
    /// The number of operands. All have one type, except for the first of [`ScalarOp::Select`], which is a
    /// `bool`.
    pub arity: usize,
    /// The types it accepts.
    pub takes: Takes,
    /// The type of its result.
    pub gives: Gives,
}

/// Generates [`ScalarOp`], [`ScalarOp::ALL`] and [`ScalarOp::row`] from the rows below. A variant with a
/// [`FoldOp`] has a name for each of its values.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $op:ident $(($by:ident))?:
        $( $(($each:ident))? $name:literal )|+ $arity:literal $takes:ident -> $gives:ident;
    )*) => {
        /// An operation on scalars. Unless stated otherwise, operands and result have one type.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum ScalarOp {
            $( $(#[$doc])* $op $(($by))?, )*
        }

        impl ScalarOp {
            /// Every operation, in the order of the variants.
            pub const ALL: [ScalarOp; [$( $( $name ),+ ),*].len()] =
                [$( $( ScalarOp::$op $((FoldOp::$each))? ),+ ),*];

            /// Returns the operation's row.
            pub const fn row(self) -> Row {
                match self {
                    $( $(
                        ScalarOp::$op $((FoldOp::$each))? => Row {
                            name: $name,
                            arity: $arity,
                            takes: Takes::$takes,
                            gives: Gives::$gives,
                        },
                    )+ )*
                }
            }
        }
    };
}

operations! {
    /// Addition; wrapping for integers. For `bool` use [`ScalarOp::Or`].
    Add:        "add"         2 Numbers  -> Same;
    /// Subtraction; wrapping for integers.
    Sub:        "sub"         2 Numbers  -> Same;
    /// Multiplication; wrapping for integers.
    Mul:        "mul"         2 Numbers  -> Same;
    /// Division. Floats: IEEE. Integers: towards zero; x / 0 = 0, and MIN / -1 = MIN.
    Div:        "div"         2 Numbers  -> Same;
    /// The remainder with the sign of the dividend (floats: exact, as C's fmod). Integers: x % 0 = 0
    /// and MIN % -1 = 0.
    Rem:        "rem"         2 Numbers  -> Same;
    /// The upper half of the product of integers, which has twice their width.
    MulHigh:    "mul_high"    2 Integers -> Same;
    /// Negation; wrapping for integers.
    Neg:        "neg"         1 Numbers  -> Same;
    /// Absolute value. Floats: clears the sign. Integers: wrapping.
    Abs:        "abs"         1 Numbers  -> Same;
    /// IEEE square root of floats.
    Sqrt:       "sqrt"        1 Floats   -> Same;
    /// `a * b + c` on floats, rounded once.
    Fma:        "fma"         3 Floats   -> Same;
    /// The smaller; NaN if either is NaN; -0 below +0 (floats). For `bool`: and.
    Min:        "min"         2 All      -> Same;
    /// The larger; NaN if either is NaN; +0 above -0 (floats). For `bool`: or.
    Max:        "max"         2 All      -> Same;
    /// Rounding of floats towards minus infinity.
    Floor:      "floor"       1 Floats   -> Same;
    /// Rounding of floats towards infinity.
    Ceil:       "ceil"        1 Floats   -> Same;
    /// Rounding of floats to the nearest integer, ties to even.
    Round:      "round"       1 Floats   -> Same;
    /// Rounding of floats towards zero.
    Trunc:      "trunc"       1 Floats   -> Same;
    /// Bitwise and, for integers and `bool`.
    And:        "and"         2 Bits     -> Same;
    /// Bitwise or, for integers and `bool`.
    Or:         "or"          2 Bits     -> Same;
    /// Bitwise exclusive or, for integers and `bool`.
    Xor:        "xor"         2 Bits     -> Same;
    /// Bitwise complement, for integers and `bool`.
    Not:        "not"         1 Bits     -> Same;
    /// Left shift of integers by the second operand modulo the width.
    Shl:        "shl"         2 Integers -> Same;
    /// Right shift of integers by the second operand modulo the width; arithmetic for signed types.
    Shr:        "shr"         2 Integers -> Same;
    /// Right shift of integers that shifts in zeros, whatever the sign.
    ShrLogical: "shr_logical" 2 Integers -> Same;
    /// Left rotation of integers by the second operand modulo the width.
    Rotl:       "rotl"        2 Integers -> Same;
    /// Whether the operands are equal; false on NaN.
    Eq:         "eq"          2 All      -> Truth;
    /// Whether the operands differ; true on NaN.
    Ne:         "ne"          2 All      -> Truth;
    /// Whether the first operand is less; false on NaN.
    Lt:         "lt"          2 All      -> Truth;
    /// Whether the first operand is less or equal; false on NaN.
    Le:         "le"          2 All      -> Truth;
    /// `(p, a, b)`: `a` where the `bool` `p` holds, else `b`.
    Select:     "select"      3 All      -> Same;
    /// Conversion to the type of `out`. Float to integer: towards zero, saturating, NaN to 0. Integer to
    /// narrower integer: wraps; between signs: the same bits. To `bool`: whether not zero.
    Convert:    "convert"     1 All      -> Any;
    /// Reinterpretation of the bits in the type of `out`, which is as wide.
    Bitcast:    "bitcast"     1 All      -> AnyOfWidth;
    /// Pairwise reduction of the copies of a per-lane value after a vector loop, with the named operation:
    /// `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))`. The operand is the `out` of a value carried by a vector loop;
    /// the result is uniform.
    Fold(FoldOp): (Add) "fold_add" | (Mul) "fold_mul" | (Min) "fold_min" | (Max) "fold_max" 1 All -> Same;
    /// Whether the operand holds in any live lane; a uniform `bool`.
    Any:        "any"         1 Truth    -> Truth;
}

impl ScalarOp {
    /// Returns the operation with this name.
    pub fn from_name(name: &str) -> Option<ScalarOp> {
        ScalarOp::ALL.into_iter().find(|op| op.row().name == name)
    }
}
