//! The table of scalar operations: one row says what an operation is called, takes and gives. The enum,
//! its list and its rows are made of it.

use super::FoldOp;
use crate::types::DType;

/// Which element types an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// Every one.
    All,
    /// Numbers: all but truth values.
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
    /// Whether that is one of them.
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
    /// That of the last operand.
    Same,
    /// A truth value.
    Truth,
    /// Any: the statement says which.
    Any,
    /// Any of the width of the operand: the statement says which.
    AnyOfWidth,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in the text form.
    pub name: &'static str,
    /// How many operands. All have one type, but for the first of [`ScalarOp::Select`], which is a truth value.
    pub arity: usize,
    /// Which types it takes.
    pub takes: Takes,
    /// The type of its result.
    pub gives: Gives,
}

/// Makes [`ScalarOp`], [`ScalarOp::ALL`] and [`ScalarOp::row`] of the rows below it. A variant that holds
/// which operation it joins with has a name for each.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $op:ident $(($by:ident))?:
        $( $(($each:ident))? $name:literal )|+ $arity:literal $takes:ident -> $gives:ident;
    )*) => {
        /// Operations on scalars. Operands and result have one type unless said.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum ScalarOp {
            $( $(#[$doc])* $op $(($by))?, )*
        }

        impl ScalarOp {
            /// Every operation, in the order of the type.
            pub const ALL: [ScalarOp; [$( $( $name ),+ ),*].len()] =
                [$( $( ScalarOp::$op $((FoldOp::$each))? ),+ ),*];

            /// Its row.
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
    /// Wrapping for integers; `or` for `bool` is [`ScalarOp::Or`].
    Add:        "add"         2 Numbers  -> Same;
    /// Wrapping for integers.
    Sub:        "sub"         2 Numbers  -> Same;
    /// Wrapping for integers.
    Mul:        "mul"         2 Numbers  -> Same;
    /// Floats: IEEE. Integers: towards zero; x / 0 = 0, and MIN / -1 = MIN.
    Div:        "div"         2 Numbers  -> Same;
    /// The remainder with the sign of the dividend (floats: exact, as C's fmod). Integers: x % 0 = 0
    /// and MIN % -1 = 0.
    Rem:        "rem"         2 Numbers  -> Same;
    /// Wrapping for integers.
    Neg:        "neg"         1 Numbers  -> Same;
    /// Floats: clears the sign. Integers: wrapping.
    Abs:        "abs"         1 Numbers  -> Same;
    /// IEEE square root. Floats.
    Sqrt:       "sqrt"        1 Floats   -> Same;
    /// `a * b + c`, one rounding. Floats.
    Fma:        "fma"         3 Floats   -> Same;
    /// The smaller; NaN if either is NaN; -0 below +0 (floats). For `bool`: and.
    Min:        "min"         2 All      -> Same;
    /// The larger; NaN if either is NaN; +0 above -0 (floats). For `bool`: or.
    Max:        "max"         2 All      -> Same;
    /// Towards minus infinity. Floats.
    Floor:      "floor"       1 Floats   -> Same;
    /// Towards infinity. Floats.
    Ceil:       "ceil"        1 Floats   -> Same;
    /// To the nearest, ties to even. Floats.
    Round:      "round"       1 Floats   -> Same;
    /// Towards zero. Floats.
    Trunc:      "trunc"       1 Floats   -> Same;
    /// Bitwise; integers and `bool`.
    And:        "and"         2 Bits     -> Same;
    /// Bitwise; integers and `bool`.
    Or:         "or"          2 Bits     -> Same;
    /// Bitwise; integers and `bool`.
    Xor:        "xor"         2 Bits     -> Same;
    /// Bitwise; integers and `bool`.
    Not:        "not"         1 Bits     -> Same;
    /// Left shift by the second operand modulo the width. Integers.
    Shl:        "shl"         2 Integers -> Same;
    /// Right shift by the second operand modulo the width; arithmetic for signed types. Integers.
    Shr:        "shr"         2 Integers -> Same;
    /// Right shift that fills with zeros, whatever the sign. Integers.
    ShrLogical: "shr_logical" 2 Integers -> Same;
    /// Left rotation by the second operand modulo the width. Integers.
    Rotl:       "rotl"        2 Integers -> Same;
    /// `bool` of two operands of one type; false on NaN.
    Eq:         "eq"          2 All      -> Truth;
    /// The opposite of `Eq`: true on NaN.
    Ne:         "ne"          2 All      -> Truth;
    /// False on NaN.
    Lt:         "lt"          2 All      -> Truth;
    /// False on NaN.
    Le:         "le"          2 All      -> Truth;
    /// `(bool, a, b)`: `a` where it holds.
    Select:     "select"      3 All      -> Same;
    /// To the type of `out`. Float to integer: towards zero, saturating, NaN to 0. Integer to
    /// narrower integer: wraps; between signs: the same bits. To `bool`: whether not zero.
    Convert:    "convert"     1 All      -> Any;
    /// The same bits in the type of `out`, of equal width.
    Bitcast:    "bitcast"     1 All      -> AnyOfWidth;
    /// Joins the copies of a per-lane value behind a vector loop, pairwise:
    /// `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))` with the operation named. The operand is the `out` of
    /// a value carried by a vector loop; the result is uniform.
    Fold(FoldOp): (Add) "fold_add" | (Mul) "fold_mul" | (Min) "fold_min" | (Max) "fold_max" 1 All -> Same;
    /// Whether any live lane holds: uniform `bool`.
    Any:        "any"         1 Truth    -> Truth;
}

impl ScalarOp {
    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<ScalarOp> {
        ScalarOp::ALL.into_iter().find(|op| op.row().name == name)
    }
}
