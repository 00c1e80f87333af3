//! Operators of arrays outside traced functions: each is one compiled function.

use std::ops;
use std::panic::Location;
use std::sync::LazyLock;

use wengert_ir::buffer::{Dense, Nested, nested};
use wengert_ir::error::{Catches, Error, Result, TypeError, raise};
use wengert_ir::ir::{DType, Type};
use wengert_ir::source::SourceId;
use wengert_ir::trace::{Argument, IntoVar, Var, number_beside, weaken};

use crate::array::Array;
use crate::jit::{Jit, jit};

/// The other operand of an array.
#[doc(hidden)]
#[derive(Debug)]
pub enum Beside {
    /// An array, with an element type of its own.
    Array(Array),
    /// Numbers whose element type gives way to the array's.
    Weak(Dense),
    /// One number, which takes the element type of the array.
    Number(Argument),
    /// Nested rows of different lengths, which are no array.
    Uneven(TypeError),
}

mod sealed {
    pub trait Sealed {
        #[doc(hidden)]
        fn beside(self) -> super::Beside;
    }
}
use sealed::Sealed;

/// The types that may stand beside an [`Array`] in `a + b`: an array, owned or borrowed; a number; or Rust's
/// arrays and vectors of numbers. Numbers take the element type of the array, and so do the elements of `[1.0,
/// 2.0]`.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside an `Array`",
    label = "expected an `Array`, a number, or an array or a vector of numbers"
)]
pub trait Operand: Sealed {}

macro_rules! operands {
    ($([$($generics:tt)*] $t:ty, |$x:ident| $beside:expr;)*) => {$(
        impl<$($generics)*> Sealed for $t {
            fn beside(self) -> Beside {
                let $x = self;
                $beside
            }
        }
        impl<$($generics)*> Operand for $t {}
    )*};
}
operands! {
    [] Array, |a| Beside::Array(a);
    [] &Array, |a| Beside::Array(a.clone());
    [] Argument, |x| match x {
        Argument::Var(v) => Beside::Uneven(TypeError::new(format!("{v:?} is not an array"))),
        number => Beside::Number(number),
    };
    [A: Nested, const N: usize] [A; N], |x| weak(x.to_vec());
    [A: Nested, const N: usize] &[A; N], |x| weak(x.to_vec());
    [A: Nested] Vec<A>, |x| weak(x);
    [A: Nested] &Vec<A>, |x| weak(x.clone());
    [A: Nested] &[A], |x| weak(x.to_vec());
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        operands! { [] $t, |x| Beside::Number(x.argument()); }
    )*};
}
numbers!(f32 f64 i32 i64 u8 u32 u64 usize bool);
numbers!(&f32 & f64 & i32 & i64 & u8 & u32 & u64 & usize);

fn weak<A: Nested>(values: Vec<A>) -> Beside {
    match nested(values) {
        Ok(dense) => Beside::Weak(dense),
        Err(error) => Beside::Uneven(error),
    }
}

/// A compiled function of two operands.
type OfTwo = Jit<(Var, Var), Var>;

/// A binary operator, compiled for each pair of types.
struct Binary {
    name: &'static str,
    /// For operands that keep their own types.
    plain: OfTwo,
    /// For a right operand whose type gives way.
    weak: OfTwo,
}

impl Binary {
    fn new(name: &'static str, f: fn(Var, Var) -> Var) -> Binary {
        Binary {
            name,
            plain: jit(move |(a, b): (Var, Var)| f(a, b)),
            weak: jit(move |(a, b): (Var, Var)| {
                weaken(b);
                f(a, b)
            }),
        }
    }

    /// Selects the compiled function, and converts the other operand to an array.
    fn with(&self, a: &Array, b: Beside) -> Result<(&OfTwo, Array)> {
        let refused = |error| self.refused(a.ty(), error);
        match b {
            Beside::Array(b) => Ok((&self.plain, b)),
            Beside::Weak(b) => Ok((&self.weak, Array::from_dense(b))),
            Beside::Number(x) => {
                let number = number_beside(x, &a.ty()).map_err(refused)?;
                Ok((&self.plain, Array::from_dense(number)))
            }
            Beside::Uneven(error) => Err(refused(error)),
        }
    }

    fn refused(&self, ty: Type, error: TypeError) -> Error {
        error.error(self.name, vec![ty], SourceId::of(Location::caller(), None))
    }

    #[track_caller]
    fn call(&self, a: Array, b: Beside) -> Array {
        or_raise(self.with(&a, b).and_then(|(f, b)| f.call((a, b))))
    }

    /// Calls the operator with the number on the left.
    #[track_caller]
    fn call_left(&self, x: Argument, b: Array) -> Array {
        let with = self.with(&b, Beside::Number(x));
        or_raise(with.and_then(|(f, a)| f.call((a, b))))
    }

    /// Assigns the result to the left operand, which keeps its type.
    #[track_caller]
    fn assign(&self, a: &mut Array, b: Beside) {
        let (f, b) = or_raise(self.with(a, b));
        // The left operand stays intact until nothing can fail any more.
        let code = or_raise(f.compile((&*a, &b)));
        let result = &code.func().ir().result_types()[0];
        if !a.has_type(result) {
            let message = format!("the result is {result}, and the array is {}", a.ty());
            let error = TypeError::new(message);
            let hint = "an array keeps its type where it is assigned to: write `a = a + b`";
            or_raise(Err(self.refused(a.ty(), error.hint(hint))))
        }
        // On a device, they are the results of calls that may have failed.
        or_raise(a.try_dense());
        or_raise(b.try_dense());
        let own = std::mem::replace(a, Array::from([0u8; 0]));
        *a = or_raise(code.call((own, b)));
    }
}

/// Returns the value, or raises an error that names the caller's line.
#[track_caller]
fn or_raise<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(mut error) => {
            if let Error::Type { at, .. } = &mut error {
                *at = SourceId::of(Location::caller(), None);
            }
            // Outside a trace this is a panic of the caller's; inside one, the call of the traced function
            // returns the error.
            match Catches::any() {
                true => raise(error),
                false => panic!("{error}"),
            }
        }
    }
}

/// `$table` holds the operator for both operand orders, with its name as an operation.
macro_rules! binary {
    ($($op:ident, $method:ident, $assign:ident, $assign_method:ident, $name:literal, $table:ident;)*) => {$(
        static $table: LazyLock<Binary> =
            LazyLock::new(|| Binary::new($name, |a, b| ops::$op::$method(a, b)));

        impl<R: Operand> ops::$op<R> for Array {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: R) -> Array {
                $table.call(self, other.beside())
            }
        }
        impl<R: Operand> ops::$op<R> for &Array {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: R) -> Array {
                $table.call(self.clone(), other.beside())
            }
        }
        impl<R: Operand> ops::$assign<R> for Array {
            #[track_caller]
            fn $assign_method(&mut self, other: R) {
                $table.assign(self, other.beside());
            }
        }
    )*};
}
binary! {
    Add, add, AddAssign, add_assign, "add", ADD;
    Sub, sub, SubAssign, sub_assign, "sub", SUB;
    Mul, mul, MulAssign, mul_assign, "mul", MUL;
    Div, div, DivAssign, div_assign, "div", DIV;
    Rem, rem, RemAssign, rem_assign, "rem", REM;
    BitAnd, bitand, BitAndAssign, bitand_assign, "and", AND;
    BitOr, bitor, BitOrAssign, bitor_assign, "or", OR;
    BitXor, bitxor, BitXorAssign, bitxor_assign, "xor", XOR;
}

/// Numbers on the left: one float type and one integer type each, as beside a `Var`.
macro_rules! left {
    ($([$t:ty] $($op:ident, $method:ident, $table:ident;)*)*) => {$($(
        impl ops::$op<Array> for $t {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: Array) -> Array {
                $table.call_left(self.argument(), other)
            }
        }
        impl ops::$op<&Array> for $t {
            type Output = Array;
            #[track_caller]
            fn $method(self, other: &Array) -> Array {
                $table.call_left(self.argument(), other.clone())
            }
        }
    )*)*};
}
left! {
    [f64] Add, add, ADD; Sub, sub, SUB; Mul, mul, MUL; Div, div, DIV; Rem, rem, REM;
    [i32] Add, add, ADD; Sub, sub, SUB; Mul, mul, MUL; Div, div, DIV; Rem, rem, REM;
    [Argument] Add, add, ADD; Sub, sub, SUB; Mul, mul, MUL; Div, div, DIV; Rem, rem, REM;
}

macro_rules! unary {
    ($($op:ident, $method:ident, $table:ident;)*) => {$(
        static $table: LazyLock<Jit<Var, Var>> = LazyLock::new(|| jit(|a: Var| ops::$op::$method(a)));

        impl ops::$op for Array {
            type Output = Array;
            #[track_caller]
            fn $method(self) -> Array {
                or_raise($table.call(self))
            }
        }
        impl ops::$op for &Array {
            type Output = Array;
            #[track_caller]
            fn $method(self) -> Array {
                or_raise($table.call(self))
            }
        }
    )*};
}
unary! {
    Neg, neg, NEG;
    Not, not, NOT;
}

/// Conversions, indexed by element type in the order of [`DType::ALL`].
static CONVERSIONS: LazyLock<[Jit<Var, Var>; DType::ALL.len()]> =
    LazyLock::new(|| DType::ALL.map(|dtype| jit(move |a: Var| a.to(dtype))));

impl Array {
    /// Converts the elements to another type, as [`Var::to`] does: `numpy.astype`. If they have that type
    /// already, nothing is copied.
    ///
    /// # Panics
    /// If there is no memory for the result.
    ///
    /// ```
    /// use wengert::{Array, DType};
    ///
    /// let a = Array::from([1.75, -2.5]);
    /// assert_eq!(a.to(DType::I32), Array::from([1, -2]));
    /// assert_eq!(a.to(DType::F32), Array::from([1.75f32, -2.5]));
    /// ```
    #[track_caller]
    pub fn to(&self, dtype: DType) -> Array {
        if self.dtype() == dtype {
            return self.clone();
        }
        let known = DType::ALL.iter().zip(&*CONVERSIONS);
        let mut to = known.filter(|(d, _)| **d == dtype).map(|(_, to)| to);
        or_raise(to.next().expect("all element types").call(self))
    }
}

/// An array to the left of a traced value: a constant.
macro_rules! beside_a_var {
    ($($op:ident, $method:ident;)*) => {$(
        impl ops::$op<Var> for &Array {
            type Output = Var;
            #[track_caller]
            fn $method(self, other: Var) -> Var {
                ops::$op::$method(Var::from(self), other)
            }
        }
        impl ops::$op<Var> for Array {
            type Output = Var;
            #[track_caller]
            fn $method(self, other: Var) -> Var {
                ops::$op::$method(Var::from(self), other)
            }
        }
    )*};
}
beside_a_var! {
    Add, add;
    Sub, sub;
    Mul, mul;
    Div, div;
    Rem, rem;
    BitAnd, bitand;
    BitOr, bitor;
    BitXor, bitxor;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_types_is_compiled_once() {
        // No other test of this crate uses this operator.
        let signatures = || format!("{:?} {:?}", XOR.plain, XOR.weak);
        let (a, b) = (Array::from([[6, 5]]), Array::from([3, 1]));
        assert_eq!(&a ^ &b, Array::from([[5, 4]]));
        let once = signatures();
        assert_eq!(once.matches("1 signatures").count(), 1, "{once}");
        assert_eq!(&a ^ &b, Array::from([[5, 4]]));
        assert_eq!(a.clone() ^ Array::from([0, 0]), a);
        assert_eq!(signatures(), once);
        // Numbers are arguments of the code, so another number compiles nothing.
        for x in 0..3 {
            assert_eq!(&b ^ x, Array::from([3 ^ x, 1 ^ x]));
        }
        assert_eq!(
            signatures(),
            once.replacen("1 signatures", "2 signatures", 1)
        );
        // An assigning operator uses the same code.
        let mut c = b.clone();
        c ^= 1;
        assert_eq!(
            signatures(),
            once.replacen("1 signatures", "2 signatures", 1)
        );
    }
}
