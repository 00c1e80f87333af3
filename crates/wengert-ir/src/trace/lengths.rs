//! The notations for the shape of an array.

use super::span::Ints;
use super::span::sealed::Whole;

mod sealed {
    pub trait Lengths {
        /// Returns the lengths as they are given.
        #[doc(hidden)]
        fn lengths(self) -> super::Ints;
    }
}
pub(crate) use sealed::Lengths;

/// The shape of an array, that is, the lengths of its axes, for all functions that take a shape.
///
/// - An array, a slice or a vector of Rust integers of any type: `[2, 3]`, `&dims`, `x.shape()`.
/// - A tuple of integers, which may have different types: `(n, 3)` with `n: usize`.
/// - One integer, for one axis.
/// - `()` for a scalar.
///
/// In [`Var::reshape`](crate::trace::Var::reshape) one length may be -1; elsewhere lengths must not be negative.
///
/// ```
/// use wengert::prelude::*;
///
/// let n = 2usize;
/// assert_eq!(Array::zeros([2, 3], DType::F64).shape(), [2, 3]);
/// assert_eq!(Array::zeros((n, 3), DType::F64).shape(), [2, 3]);
/// assert_eq!(Array::zeros(n, DType::F64).shape(), [2]);
/// assert_eq!(Array::zeros((), DType::F64).shape(), [0; 0]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of an array",
    label = "expected lengths, such as `[2, 3]`, `&[usize]`, `n` or `(n, 3)`"
)]
pub trait IntoShape: Lengths {}

macro_rules! shapes {
    ($([$($generics:tt)*] $t:ty;)*) => {$(
        impl<$($generics)*> Lengths for $t {
            fn lengths(self) -> Ints {
                self.into()
            }
        }
        impl<$($generics)*> IntoShape for $t {}
    )*};
}
shapes! {
    [] Ints;
    [] ();
    [T: Whole] T;
    [T: Whole, const N: usize] [T; N];
    [T: Whole, const N: usize] &[T; N];
    [T: Whole] &[T];
    [T: Whole] Vec<T>;
    [T: Whole] &Vec<T>;
    [A: Whole] (A,);
    [A: Whole, B: Whole] (A, B);
    [A: Whole, B: Whole, C: Whole] (A, B, C);
    [A: Whole, B: Whole, C: Whole, D: Whole] (A, B, C, D);
    [A: Whole, B: Whole, C: Whole, D: Whole, E: Whole] (A, B, C, D, E);
    [A: Whole, B: Whole, C: Whole, D: Whole, E: Whole, F: Whole] (A, B, C, D, E, F);
}
