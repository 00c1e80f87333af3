//! Rust values as arrays.

use std::panic::Location;
use std::sync::Arc;

use wengert_ir::error::{Error, Result};
use wengert_ir::ir::DType;
use wengert_ir::source::SourceId;

use crate::array::Array;
use crate::array::memory::scalar;

pub use wengert_ir::buffer::Nested;
use wengert_ir::buffer::{Element, nested};

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

/// # Rust's types
///
/// A number comes out by [`item`](Array::item), a vector by [`to_vec`](Array::to_vec) or, without a copy,
/// [`into_vec`](Array::into_vec). Where the type is known from what follows, `try_into` is shorter. A `Vec` is
/// made of an array with one axis, and arrays of arrays of one with as many axes.
///
/// ```
/// use wengert::prelude::*;
///
/// let area: f64 = jit(|r: Var| r.square() * 3.0).call(2.0)?.try_into()?;
/// assert_eq!(area, 12.0);
/// let twice: Vec<f64> = jit(|x: Var| 2.0 * x).call([1.0, 2.0])?.try_into()?;
/// assert_eq!(twice, [2.0, 4.0]);
/// let [[a, b], [c, d]]: [[i32; 2]; 2] = Array::from([[1, 2], [3, 4]]).try_into()?;
/// assert_eq!(a * d - b * c, -2);
/// let error = f64::try_from(&Array::from([1.0, 2.0])).unwrap_err();
/// assert!(error.to_string().starts_with("try_from: asked for f64, and the array is f64[2], at "));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Array {
    /// Returns the elements, row-major. Nothing is copied if no other array shares the memory.
    ///
    /// # Errors
    /// If the elements are not of type `T`: nothing is converted.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// assert_eq!(Array::from([[1, 2], [3, 4]]).into_vec::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn into_vec<T: Element>(self) -> Result<Vec<T>> {
        self.elements::<T>("into_vec")?;
        Ok(self.own())
    }

    /// Returns the elements, which are of type `T`.
    fn own<T: Element>(self) -> Vec<T> {
        let mut data = self.into_dense().data;
        match Arc::get_mut(&mut data).and_then(T::slice_mut) {
            Some(own) => std::mem::take(own),
            None => T::slice(&data).unwrap_or_default().to_vec(),
        }
    }

    /// Returns the elements, if the array has this shape and elements of this type.
    #[track_caller]
    fn shaped<T: Element>(&self, shape: &[Option<usize>]) -> Result<&[T]> {
        let fits = self.shape().len() == shape.len()
            && (self.shape().iter().zip(shape)).all(|(&n, d)| d.is_none_or(|d| d == n));
        match fits && self.dtype() == T::DTYPE {
            true => {
                let read = match self.remote() {
                    None => Ok(self.dense()),
                    Some(remote) => remote.read(),
                };
                let placed = |e: Error| match caller() {
                    Some(at) => e.placed_at(at),
                    None => e,
                };
                Ok(T::slice(&read.map_err(placed)?.data).expect("the type was looked at"))
            }
            false => Err(self.unlike(T::DTYPE, shape)),
        }
    }

    #[cold]
    #[track_caller]
    fn unlike(&self, dtype: DType, shape: &[Option<usize>]) -> Error {
        let length = |d: &Option<usize>| d.map_or("_".into(), |d| d.to_string());
        let lengths: Vec<String> = shape.iter().map(length).collect();
        let asked = match lengths.is_empty() {
            true => dtype.to_string(),
            false => format!("{dtype}[{}]", lengths.join(",")),
        };
        let message = format!("asked for {asked}, and the array is {}", self.ty());
        Error::value("try_from", message, caller())
    }
}

/// Returns the caller's line, unless it is that of `try_into`, which does not pass on its own caller's.
#[track_caller]
fn caller() -> Option<SourceId> {
    let at = Location::caller();
    (!at.file().ends_with("core/src/convert/mod.rs")).then(|| SourceId::of(at, None))
}

impl<T: Element> TryFrom<&Array> for Vec<T> {
    type Error = Error;

    /// Copies the elements of an array with one axis.
    ///
    /// # Errors
    /// If the array has another number of axes, or elements of another type: nothing is converted.
    #[track_caller]
    fn try_from(array: &Array) -> Result<Vec<T>> {
        array.shaped(&[None]).map(<[T]>::to_vec)
    }
}

impl<T: Element> TryFrom<Array> for Vec<T> {
    type Error = Error;

    /// Returns the elements of an array with one axis. Nothing is copied if no other array shares the memory.
    ///
    /// # Errors
    /// If the array has another number of axes, or elements of another type: nothing is converted.
    #[track_caller]
    fn try_from(array: Array) -> Result<Vec<T>> {
        array.shaped::<T>(&[None])?;
        Ok(array.own())
    }
}

/// Implements a conversion of arrays with this shape and these elements, owned and borrowed.
macro_rules! out {
    ([$($generics:tt)*] $t:ty, $e:ty, $shape:expr, |$x:ident| $get:expr) => {
        impl<$($generics)*> TryFrom<&Array> for $t {
            type Error = Error;

            /// Copies the elements.
            ///
            /// # Errors
            /// If the array has another shape, or elements of another type: nothing is converted.
            #[track_caller]
            fn try_from(array: &Array) -> Result<Self> {
                let $x = array.shaped::<$e>($shape)?;
                Ok($get)
            }
        }

        impl<$($generics)*> TryFrom<Array> for $t {
            type Error = Error;

            /// Copies the elements.
            ///
            /// # Errors
            /// If the array has another shape, or elements of another type: nothing is converted.
            #[track_caller]
            fn try_from(array: Array) -> Result<Self> {
                Self::try_from(&array)
            }
        }
    };
}
macro_rules! numbers {
    ($($t:ty)*) => {$(
        out!([] $t, $t, &[], |x| x[0]);
        out!([const N: usize] [$t; N], $t, &[Some(N)], |x| std::array::from_fn(|i| x[i]));
        out!(
            [const N: usize, const M: usize] [[$t; M]; N], $t, &[Some(N), Some(M)],
            |x| std::array::from_fn(|i| std::array::from_fn(|j| x[i * M + j]))
        );
    )*};
}
numbers!(f32 f64 i32 i64 u32 u64 u8 bool);
