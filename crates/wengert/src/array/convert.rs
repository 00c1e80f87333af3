//! Rust values as arrays.

use wengert_ir::buffer::{Dense, Element};

use crate::array::Array;

/// A number, a truth value, or Rust arrays of them nested to any depth: an array whose shape is known
/// from its type.
///
/// ```
/// use wengert::Array;
///
/// let rows: Vec<[f64; 2]> = vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(Array::from(rows).shape(), [3, 2]);
/// ```
pub trait Nested: Copy {
    /// What it is made of in the end.
    type Element: Element;
    /// Appends its shape.
    #[doc(hidden)]
    fn push_shape(shape: &mut Vec<usize>);
    /// Values one after the other, as elements.
    #[doc(hidden)]
    fn concat(values: Vec<Self>) -> Vec<Self::Element>;
}

impl<A: Nested, const N: usize> Nested for [A; N] {
    type Element = A::Element;
    fn push_shape(shape: &mut Vec<usize>) {
        shape.push(N);
        A::push_shape(shape);
    }
    fn concat(values: Vec<Self>) -> Vec<A::Element> {
        A::concat(values.into_iter().flatten().collect())
    }
}

fn rows<A: Nested>(values: Vec<A>) -> Array {
    let mut shape = vec![values.len()];
    A::push_shape(&mut shape);
    Array::from_dense(Dense::of(shape, A::concat(values)))
}

impl<A: Nested> From<Vec<A>> for Array {
    fn from(values: Vec<A>) -> Array {
        rows(values)
    }
}

impl<A: Nested> From<&Vec<A>> for Array {
    fn from(values: &Vec<A>) -> Array {
        rows(values.clone())
    }
}

impl<A: Nested> From<&[A]> for Array {
    fn from(values: &[A]) -> Array {
        rows(values.to_vec())
    }
}

impl<A: Nested, const N: usize> From<[A; N]> for Array {
    fn from(values: [A; N]) -> Array {
        rows(values.to_vec())
    }
}

impl<A: Nested, const N: usize> From<&[A; N]> for Array {
    fn from(values: &[A; N]) -> Array {
        rows(values.to_vec())
    }
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Array {
        array.clone()
    }
}

/// A length is an `i64`, the default for integers (and the greatest one, if it is longer than that).
impl From<usize> for Array {
    fn from(n: usize) -> Array {
        Array::from(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl Nested for $t {
            type Element = $t;
            fn push_shape(_: &mut Vec<usize>) {}
            fn concat(values: Vec<$t>) -> Vec<$t> {
                values
            }
        }

        impl From<$t> for Array {
            fn from(x: $t) -> Array {
                Array::from_dense(Dense::scalar(x))
            }
        }
    )*};
}
scalars!(f32 f64 i32 i64 u32 u64 u8 bool);
