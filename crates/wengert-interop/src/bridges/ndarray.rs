//! Between [`Array`] and the arrays of `ndarray`.
//!
//! An [`Array`] is in row-major order, which is `ndarray`'s standard layout: [`AsNdarray`] views one without a copy.
//! [`ToArray`](crate::ToArray) makes an [`Array`] of any array of `ndarray`: owned or a view, transposed, sliced,
//! in Fortran's order.

use wengert::{Array, Complex, Element, Result};

use super::ndarray::{Array as Owned, ArrayBase, ArrayView, ArrayViewMut, Data, Dimension, IxDyn};
use crate::number::{Number, ToArray, borrowed, unlike};

#[doc = concat!("Views of an [`Array`] as an array of `", version!(), "`: nothing is copied.")]
///
/// # Errors
/// If the elements are not of type `T`, or if `D` has another number of axes. `IxDyn` has any.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::{AsNdarray, ndarray::{ArrayView2, Axis}};")]
///
/// let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// let view: ArrayView2<f64> = a.as_ndarray()?;
/// assert_eq!(view.sum_axis(Axis(0)).to_vec(), [4.0, 6.0]);
/// let error = a.as_ndarray::<f32, _>().map(|v: ArrayView2<f32>| v.sum()).unwrap_err();
/// assert!(error.to_string().starts_with("as_ndarray: asked for f32, and the array is f64[2,2], at "));
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait AsNdarray {
    /// Views the elements.
    #[track_caller]
    fn as_ndarray<T: Element, D: Dimension>(&self) -> Result<ArrayView<'_, T, D>>;

    /// Views the elements for writing. An array that shares its memory with another is copied first.
    #[track_caller]
    fn as_ndarray_mut<T: Element, D: Dimension>(&mut self) -> Result<ArrayViewMut<'_, T, D>>;
}

#[doc = concat!("Arrays of `", version!(), "` from an [`Array`], and of complex numbers from a `Complex<Array>`.")]
///
/// # Errors
/// If the elements are not of type `T`, or if `D` has another number of axes. `IxDyn` has any.
///
/// ```
/// use wengert::prelude::*;
#[doc = concat!("use wengert_interop::", version!(), "::{ToNdarray, ndarray::Array2};")]
///
/// let outer = jit(|x: Var| x.reshape([-1, 1]) * x);
/// let table: Array2<f64> = outer.call([1.0, 2.0])?.into_ndarray()?;
/// assert_eq!(table[[1, 0]], 2.0);
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait ToNdarray: Sized {
    /// Copies the elements, once.
    #[track_caller]
    fn to_ndarray<T: Number<Arrays = Self>, D: Dimension>(&self) -> Result<Owned<T, D>>;

    /// Gives up the array. Nothing is copied if no other array shares its memory; complex numbers always are.
    #[track_caller]
    fn into_ndarray<T: Number<Arrays = Self>, D: Dimension>(self) -> Result<Owned<T, D>>;
}

/// Makes the error that an array has another number of axes, or one of a length that `ndarray` does not take.
#[track_caller]
fn axes<D: Dimension>(op: &str, array: &Array) -> wengert::Error {
    let asked = match D::NDIM {
        Some(1) => "1 axis".into(),
        Some(n) => format!("{n} axes"),
        None => "lengths whose product fits in memory".into(),
    };
    unlike(op, &asked, array.dtype(), array.shape())
}

impl AsNdarray for Array {
    fn as_ndarray<T: Element, D: Dimension>(&self) -> Result<ArrayView<'_, T, D>> {
        let elements = borrowed::<T>("as_ndarray", self)?;
        let view = ArrayView::from_shape(IxDyn(self.shape()), elements);
        match view.and_then(|v| v.into_dimensionality()) {
            Ok(view) => Ok(view),
            Err(_) => Err(axes::<D>("as_ndarray", self)),
        }
    }

    fn as_ndarray_mut<T: Element, D: Dimension>(&mut self) -> Result<ArrayViewMut<'_, T, D>> {
        borrowed::<T>("as_ndarray_mut", self)?;
        let wrong = axes::<D>("as_ndarray_mut", self);
        let shape = self.shape().to_vec();
        let view = ArrayViewMut::from_shape(IxDyn(&shape), self.as_mut_slice()?);
        view.and_then(|v| v.into_dimensionality())
            .map_err(|_| wrong)
    }
}

fn owned<T, D: Dimension>(shape: &[usize], elements: Vec<T>) -> Option<Owned<T, D>> {
    let all = Owned::from_shape_vec(IxDyn(shape), elements).ok()?;
    all.into_dimensionality().ok()
}

impl ToNdarray for Array {
    fn to_ndarray<T: Number<Arrays = Array>, D: Dimension>(&self) -> Result<Owned<T, D>> {
        let (shape, elements) = T::elements("to_ndarray", self)?;
        let made = owned(&shape, elements.into_owned());
        match made {
            Some(made) => Ok(made),
            None => Err(axes::<D>("to_ndarray", self)),
        }
    }

    fn into_ndarray<T: Number<Arrays = Array>, D: Dimension>(self) -> Result<Owned<T, D>> {
        let wrong = axes::<D>("into_ndarray", &self);
        let (shape, elements) = T::owned("into_ndarray", self)?;
        owned(&shape, elements).ok_or(wrong)
    }
}

impl ToNdarray for Complex<Array> {
    fn to_ndarray<T: Number<Arrays = Self>, D: Dimension>(&self) -> Result<Owned<T, D>> {
        let (shape, elements) = T::elements("to_ndarray", self)?;
        let made = owned(&shape, elements.into_owned());
        match made {
            Some(made) => Ok(made),
            None => Err(axes::<D>("to_ndarray", &self.re)),
        }
    }

    fn into_ndarray<T: Number<Arrays = Self>, D: Dimension>(self) -> Result<Owned<T, D>> {
        self.to_ndarray()
    }
}

impl<T: Number, D: Dimension, S: Data<Elem = T>> ToArray for ArrayBase<S, D> {
    type Arrays = T::Arrays;

    fn to_array(&self) -> T::Arrays {
        let elements = match self.as_slice() {
            Some(all) => all.to_vec(),
            None => self.iter().copied().collect(),
        };
        T::arrays(self.shape(), elements)
    }

    fn into_array(self) -> T::Arrays {
        if !self.is_standard_layout() {
            return self.to_array();
        }
        let owned = self.into_owned();
        let shape = owned.shape().to_vec();
        let n = owned.len();
        let (mut elements, first) = owned.into_raw_vec_and_offset();
        let first = first.unwrap_or(0);
        elements.drain(..first);
        elements.truncate(n);
        T::arrays(&shape, elements)
    }
}
