//! Between [`Array`] and the matrices of `faer`.
//!
//! A `MatRef` has strides, so [`AsFaer`] views an [`Array`], which is in row-major order, without a copy. A
//! `Mat` is in column-major order, so it is a copy. Element `(i, j)` is element `[i, j]`: nothing is transposed.

use wengert::{Array, Complex, Element, Result};

use super::faer::{Col, ColRef, Mat, MatRef};
use crate::number::{Number, ToArray, borrowed, unlike};

#[doc = concat!("Views of an [`Array`] as a matrix or column of `", version!(), "`: nothing is copied.")]
///
/// # Errors
/// If the elements are not of type `T`, or if the array has another number of axes: two for a matrix, one for a
/// column.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::AsFaer;")]
///
/// let a = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let a = a.as_faer::<f64>()?;
/// assert_eq!((a.nrows(), a.ncols(), a[(1, 0)]), (2, 3, 4.0));
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait AsFaer {
    /// Views an array with two axes as a matrix with its rows side by side in memory.
    #[track_caller]
    fn as_faer<T: Element>(&self) -> Result<MatRef<'_, T>>;

    /// Views an array with one axis as a column.
    #[track_caller]
    fn as_faer_col<T: Element>(&self) -> Result<ColRef<'_, T>>;
}

#[doc = concat!("Matrices and columns of `", version!(), "` from an [`Array`], and of complex numbers (`c64`, `c32`) from")]
/// a `Complex<Array>`. The elements are copied once.
///
/// # Errors
/// If the elements are not of type `T`, or if the array has another number of axes: two for a matrix, one for a
/// column.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::ToFaer;")]
///
/// let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// let m = a.to_faer::<f64>()?;
/// assert_eq!((m[(0, 1)], m[(1, 0)]), (2.0, 3.0));
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait ToFaer: Sized {
    /// Makes a matrix of an array with two axes.
    #[track_caller]
    fn to_faer<T: Number<Arrays = Self>>(&self) -> Result<Mat<T>>;

    /// Makes a column of an array with one axis.
    #[track_caller]
    fn to_faer_col<T: Number<Arrays = Self>>(&self) -> Result<Col<T>>;
}

impl AsFaer for Array {
    fn as_faer<T: Element>(&self) -> Result<MatRef<'_, T>> {
        let elements = borrowed::<T>("as_faer", self)?;
        match *self.shape() {
            [n, m] => Ok(MatRef::from_row_major_slice(elements, n, m)),
            _ => Err(unlike("as_faer", "2 axes", self.dtype(), self.shape())),
        }
    }

    fn as_faer_col<T: Element>(&self) -> Result<ColRef<'_, T>> {
        let elements = borrowed::<T>("as_faer_col", self)?;
        match *self.shape() {
            [_] => Ok(ColRef::from_slice(elements)),
            _ => Err(unlike("as_faer_col", "1 axis", self.dtype(), self.shape())),
        }
    }
}

macro_rules! to_faer {
    ($($t:ty, |$array:ident| $part:expr;)*) => {$(
        impl ToFaer for $t {
            fn to_faer<T: Number<Arrays = Self>>(&self) -> Result<Mat<T>> {
                let (shape, elements) = T::elements("to_faer", self)?;
                match *shape {
                    [n, m] => Ok(Mat::from_fn(n, m, |i, j| elements[i * m + j])),
                    _ => {
                        let $array = self;
                        Err(unlike("to_faer", "2 axes", $part.dtype(), &shape))
                    }
                }
            }

            fn to_faer_col<T: Number<Arrays = Self>>(&self) -> Result<Col<T>> {
                let (shape, elements) = T::elements("to_faer_col", self)?;
                match *shape {
                    [n] => Ok(Col::from_fn(n, |i| elements[i])),
                    _ => {
                        let $array = self;
                        Err(unlike("to_faer_col", "1 axis", $part.dtype(), &shape))
                    }
                }
            }
        }
    )*};
}
to_faer! {
    Array, |a| a;
    Complex<Array>, |z| z.re;
}

impl<T: Number> ToArray for MatRef<'_, T> {
    type Arrays = T::Arrays;
    fn to_array(&self) -> T::Arrays {
        let (n, m) = (self.nrows(), self.ncols());
        let rows = (0..n).flat_map(|i| (0..m).map(move |j| self[(i, j)]));
        T::arrays(&[n, m], rows.collect())
    }
}

impl<T: Number> ToArray for Mat<T> {
    type Arrays = T::Arrays;
    fn to_array(&self) -> T::Arrays {
        self.as_ref().to_array()
    }
}

impl<T: Number> ToArray for ColRef<'_, T> {
    type Arrays = T::Arrays;
    fn to_array(&self) -> T::Arrays {
        let n = self.nrows();
        T::arrays(&[n], (0..n).map(|i| self[i]).collect())
    }
}

impl<T: Number> ToArray for Col<T> {
    type Arrays = T::Arrays;
    fn to_array(&self) -> T::Arrays {
        self.as_ref().to_array()
    }
}
