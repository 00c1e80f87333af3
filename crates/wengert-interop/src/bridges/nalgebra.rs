//! Between [`Array`] and the matrices of `nalgebra`.
//!
//! A matrix of `nalgebra` is in column-major order and an [`Array`] in row-major order, so the same numbers lie
//! in memory the other way round. Element `(i, j)` of an owned matrix is element `[i, j]` here: nothing is transposed, and
//! the elements are copied. A view ([`AsNalgebra`]) copies nothing and is therefore of the transpose, as its name says.

use wengert::{Array, Complex, Element, Result};

use super::nalgebra::{
    Const, DMatrix, DMatrixView, DVector, DVectorView, Dim, Matrix, RawStorage, SMatrix, SVector,
};
use crate::number::{Number, ToArray, borrowed, unlike};

#[doc = concat!("Views of an [`Array`] as a matrix or vector of `", version!(), "`: nothing is copied.")]
///
/// # Errors
/// If the elements are not of type `T`, or if the array has another number of axes: two for a matrix, one for a
/// vector.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::AsNalgebra;")]
///
/// let a = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let x = Array::from([1.0, 0.0, -1.0]);
/// let y = a.as_dmatrix_t::<f64>()?.tr_mul(&x.as_dvector::<f64>()?);
/// assert_eq!(y.as_slice(), [-2.0, -2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait AsNalgebra {
    /// Views an array with two axes as the transpose of a matrix: its rows are the columns of the view.
    #[track_caller]
    fn as_dmatrix_t<T: Element>(&self) -> Result<DMatrixView<'_, T>>;

    /// Views an array with one axis as a vector.
    #[track_caller]
    fn as_dvector<T: Element>(&self) -> Result<DVectorView<'_, T>>;
}

#[doc = concat!("Matrices and vectors of `", version!(), "` from an [`Array`], and of complex numbers from a")]
/// `Complex<Array>`. The elements are copied once.
///
/// # Errors
/// If the elements are not of type `T`, or if the array has another shape: two axes for a matrix, one for a
/// vector, and for matrices and vectors whose size is part of their type this size.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::ToNalgebra;")]
///
/// let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(a.to_smatrix::<f64, 2, 2>()?.determinant(), -2.0);
/// assert_eq!(a.to_dmatrix::<f64>()?.as_slice(), [1.0, 3.0, 2.0, 4.0]); // column by column
/// let error = a.to_dvector::<f64>().unwrap_err();
/// assert!(error.to_string().starts_with("to_dvector: asked for 1 axis, and the array is f64[2,2], at "));
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait ToNalgebra: Sized {
    /// Makes a matrix of an array with two axes.
    #[track_caller]
    fn to_dmatrix<T: Number<Arrays = Self>>(&self) -> Result<DMatrix<T>>;

    /// Makes a vector of an array with one axis.
    #[track_caller]
    fn to_dvector<T: Number<Arrays = Self>>(&self) -> Result<DVector<T>>;

    /// Makes a matrix of an array with the axes `[R, C]`.
    #[track_caller]
    fn to_smatrix<T: Number<Arrays = Self>, const R: usize, const C: usize>(
        &self,
    ) -> Result<SMatrix<T, R, C>>;

    /// Makes a vector of an array with the axis `[N]`.
    #[track_caller]
    fn to_svector<T: Number<Arrays = Self>, const N: usize>(&self) -> Result<SVector<T, N>>;
}

impl AsNalgebra for Array {
    fn as_dmatrix_t<T: Element>(&self) -> Result<DMatrixView<'_, T>> {
        let elements = borrowed::<T>("as_dmatrix_t", self)?;
        match *self.shape() {
            [n, m] => Ok(DMatrixView::from_slice(elements, m, n)),
            _ => Err(unlike("as_dmatrix_t", "2 axes", self.dtype(), self.shape())),
        }
    }

    fn as_dvector<T: Element>(&self) -> Result<DVectorView<'_, T>> {
        let elements = borrowed::<T>("as_dvector", self)?;
        match *self.shape() {
            [n] => Ok(DVectorView::from_slice(elements, n)),
            _ => Err(unlike("as_dvector", "1 axis", self.dtype(), self.shape())),
        }
    }
}

/// Implements the conversions for what has its type and shape in `$part`.
macro_rules! to_nalgebra {
    ($($t:ty, |$array:ident| $part:expr;)*) => {$(
        impl ToNalgebra for $t {
            fn to_dmatrix<T: Number<Arrays = Self>>(&self) -> Result<DMatrix<T>> {
                let (shape, elements) = T::elements("to_dmatrix", self)?;
                match *shape {
                    [n, m] => Ok(DMatrix::from_row_iterator(n, m, elements.iter().copied())),
                    _ => {
                        let $array = self;
                        Err(unlike("to_dmatrix", "2 axes", $part.dtype(), &shape))
                    }
                }
            }

            fn to_dvector<T: Number<Arrays = Self>>(&self) -> Result<DVector<T>> {
                let (shape, elements) = T::elements("to_dvector", self)?;
                match *shape {
                    [_] => Ok(DVector::from_vec(elements.into_owned())),
                    _ => {
                        let $array = self;
                        Err(unlike("to_dvector", "1 axis", $part.dtype(), &shape))
                    }
                }
            }

            fn to_smatrix<T: Number<Arrays = Self>, const R: usize, const C: usize>(
                &self,
            ) -> Result<SMatrix<T, R, C>> {
                let (shape, elements) = T::elements("to_smatrix", self)?;
                match *shape == [R, C] {
                    true => Ok(SMatrix::from_row_iterator(elements.iter().copied())),
                    false => {
                        let $array = self;
                        let asked = format!("the shape [{R}, {C}]");
                        Err(unlike("to_smatrix", &asked, $part.dtype(), &shape))
                    }
                }
            }

            fn to_svector<T: Number<Arrays = Self>, const N: usize>(
                &self,
            ) -> Result<SVector<T, N>> {
                let (shape, elements) = T::elements("to_svector", self)?;
                match *shape == [N] {
                    true => Ok(SVector::from_row_iterator(elements.iter().copied())),
                    false => {
                        let $array = self;
                        let asked = format!("the shape [{N}]");
                        Err(unlike("to_svector", &asked, $part.dtype(), &shape))
                    }
                }
            }
        }
    )*};
}
to_nalgebra! {
    Array, |a| a;
    Complex<Array>, |z| z.re;
}

/// A matrix becomes an array with the axes `[rows, columns]`, and one whose type has a single column, `DVector` or
/// `SVector`, an array with one axis.
impl<T: Number, R: Dim, C: Dim, S: RawStorage<T, R, C>> ToArray for Matrix<T, R, C, S> {
    type Arrays = T::Arrays;

    fn to_array(&self) -> T::Arrays {
        let (n, m) = self.shape();
        let rows = (0..n).flat_map(|i| (0..m).map(move |j| self[(i, j)]));
        let elements = rows.collect();
        match C::try_to_usize() == <Const<1> as Dim>::try_to_usize() {
            true => T::arrays(&[n], elements),
            false => T::arrays(&[n, m], elements),
        }
    }
}
