//! Rust values as arrays.

use crate::array::Array;
use crate::array::memory::scalar;

pub use wengert_ir::buffer::Nested;
use wengert_ir::buffer::nested;

#[track_caller]
fn rows<A: Nested>(values: Vec<A>) -> Array {
    match nested(values) {
        Ok(dense) => Array::from_dense(dense),
        Err(error) => panic!("an array of numbers: {}", error.message),
    }
}

/// Makes an array whose shape is that of the nesting.
///
/// # Panics
/// Where vectors are nested, if the rows differ in length.
///
/// ```
/// use wengert::Array;
///
/// let rows: Vec<[f64; 2]> = vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(Array::from(rows).shape(), [3, 2]);
/// let rows: Vec<Vec<f64>> = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
/// assert_eq!(Array::from(rows).shape(), [2, 2]);
/// ```
impl<A: Nested> From<Vec<A>> for Array {
    #[track_caller]
    fn from(values: Vec<A>) -> Array {
        rows(values)
    }
}

impl<A: Nested> From<&Vec<A>> for Array {
    #[track_caller]
    fn from(values: &Vec<A>) -> Array {
        rows(values.clone())
    }
}

impl<A: Nested> From<&[A]> for Array {
    #[track_caller]
    fn from(values: &[A]) -> Array {
        rows(values.to_vec())
    }
}

impl<A: Nested, const N: usize> From<[A; N]> for Array {
    #[track_caller]
    fn from(values: [A; N]) -> Array {
        rows(values.to_vec())
    }
}

impl<A: Nested, const N: usize> From<&[A; N]> for Array {
    #[track_caller]
    fn from(values: &[A; N]) -> Array {
        rows(values.to_vec())
    }
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Array {
        array.clone()
    }
}

/// Converts a length to an `i64`, the default for integers, saturating at its maximum.
impl From<usize> for Array {
    fn from(n: usize) -> Array {
        Array::from(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl From<$t> for Array {
            fn from(x: $t) -> Array {
                scalar(x)
            }
        }
    )*};
}
scalars!(f32 f64 i32 i64 u32 u64 u8 bool);
