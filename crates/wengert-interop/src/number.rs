//! Elements, real and complex, and what holds them here.

use std::borrow::Cow;
use std::panic::Location;

use wengert::{Array, DType, Element, Error, Result, SourceId};

mod sealed {
    pub trait Number {}
}

/// An element of the arrays of other crates: one that an [`Array`] has, or a complex number, whose array here is a
/// [`Complex<Array>`](wengert::Complex). The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an element of arrays here",
    note = "elements are `f64`, `f32`, `i64`, `i32`, `u64`, `u32`, `u8`, `bool`, and with the feature \
            `num_complex_0_4` the complex numbers of that crate",
    note = "convert others first: indices of type `usize` by `.mapv(|i| i as i64)`, for example"
)]
pub trait Number: sealed::Number + Copy + PartialEq + std::fmt::Debug + 'static {
    /// What holds such elements: [`Array`], or `Complex<Array>`.
    type Arrays;

    /// Makes an array of this shape from its elements, row-major.
    #[doc(hidden)]
    fn arrays(shape: &[usize], elements: Vec<Self>) -> Self::Arrays;

    /// Returns the shape and the elements, row-major.
    #[doc(hidden)]
    #[track_caller]
    fn elements<'a>(op: &str, arrays: &'a Self::Arrays) -> Result<(Vec<usize>, Cow<'a, [Self]>)>;

    /// Returns the shape and the elements, row-major, and copies none where an array is its memory's only owner.
    #[doc(hidden)]
    #[track_caller]
    fn owned(op: &str, arrays: Self::Arrays) -> Result<(Vec<usize>, Vec<Self>)>;
}

macro_rules! elements {
    ($($t:ty)*) => {$(
        impl sealed::Number for $t {}
        impl Number for $t {
            type Arrays = Array;
            fn arrays(shape: &[usize], elements: Vec<$t>) -> Array {
                filled(shape, elements)
            }
            #[track_caller]
            fn elements<'a>(op: &str, array: &'a Array) -> Result<(Vec<usize>, Cow<'a, [$t]>)> {
                Ok((array.shape().to_vec(), borrowed(op, array)?.into()))
            }
            #[track_caller]
            fn owned(op: &str, array: Array) -> Result<(Vec<usize>, Vec<$t>)> {
                borrowed::<$t>(op, &array)?;
                Ok((array.shape().to_vec(), array.into_vec()?))
            }
        }
    )*};
}
elements!(f32 f64 i32 i64 u32 u64 u8 bool);

/// Makes an array of a shape that the elements are known to fill.
pub(crate) fn filled<T: Element>(shape: &[usize], elements: Vec<T>) -> Array {
    Array::new(shape, elements).expect("as many elements as the shape has")
}

/// Returns the elements, if they are of this type.
#[track_caller]
pub(crate) fn borrowed<'a, T: Element>(op: &str, array: &'a Array) -> Result<&'a [T]> {
    // In a closure the caller's line would be lost.
    match array.as_slice() {
        Ok(elements) => Ok(elements),
        // The call that computes it, on a device, has failed.
        Err(error) if array.dtype() == T::DTYPE => Err(error),
        Err(_) => Err(unlike(op, T::DTYPE.name(), array.dtype(), array.shape())),
    }
}

/// Makes the error that an array is not what was asked for, at the caller's line.
#[cold]
#[track_caller]
pub(crate) fn unlike(op: &str, asked: &str, dtype: DType, shape: &[usize]) -> Error {
    let is = wengert::ShapeDtype::new(shape, dtype);
    let message = format!("asked for {asked}, and the array is {is}");
    Error::value(op, message, SourceId::of(Location::caller(), None))
}

#[cfg(feature = "num_complex_0_4")]
mod complex {
    use num_complex_0_4::Complex as C;
    use wengert::Complex;

    use super::*;

    macro_rules! complex {
        ($($t:ty)*) => {$(
            impl sealed::Number for C<$t> {}
            impl Number for C<$t> {
                type Arrays = Complex<Array>;
                fn arrays(shape: &[usize], elements: Vec<C<$t>>) -> Complex<Array> {
                    let part = |f: fn(&C<$t>) -> $t| filled(shape, elements.iter().map(f).collect());
                    Complex { re: part(|z| z.re), im: part(|z| z.im) }
                }
                #[track_caller]
                fn elements<'a>(
                    op: &str,
                    z: &'a Complex<Array>,
                ) -> Result<(Vec<usize>, Cow<'a, [C<$t>]>)> {
                    let (re, im) = (borrowed::<$t>(op, &z.re)?, borrowed::<$t>(op, &z.im)?);
                    if z.re.shape() != z.im.shape() {
                        let asked = format!("an imaginary part of the shape {:?}", z.re.shape());
                        return Err(unlike(op, &asked, z.im.dtype(), z.im.shape()));
                    }
                    let pairs = re.iter().zip(im).map(|(&re, &im)| C { re, im });
                    Ok((z.re.shape().to_vec(), pairs.collect::<Vec<_>>().into()))
                }
                #[track_caller]
                fn owned(op: &str, z: Complex<Array>) -> Result<(Vec<usize>, Vec<C<$t>>)> {
                    let (shape, elements) = <C<$t>>::elements(op, &z)?;
                    Ok((shape, elements.into_owned()))
                }
            }
        )*};
    }
    complex!(f32 f64);
}

/// Values of other crates as arrays: a trait for what [`ndarray`](crate#arrays-and-matrices-of-other-crates), `nalgebra`
/// and `faer` have, whatever their elements, memory layout and version.
///
/// An array of complex numbers becomes a [`Complex<Array>`](wengert::Complex), another an [`Array`].
///
/// ```
/// # #[cfg(feature = "ndarray_0_17")] {
/// use wengert::Array;
/// use wengert_interop::{ToArray, ndarray_0_17::ndarray::array};
///
/// let a = array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(a.t().to_array(), Array::from([[1.0, 3.0], [2.0, 4.0]]));
/// # }
/// ```
pub trait ToArray {
    /// [`Array`], or `Complex<Array>`.
    type Arrays;

    /// Copies the elements, once, to an array in row-major order.
    fn to_array(&self) -> Self::Arrays;

    /// Makes an array of a value that is given up. Nothing is copied of an owned array of `ndarray` in row-major
    /// order; what lies otherwise in memory is copied once.
    fn into_array(self) -> Self::Arrays
    where
        Self: Sized,
    {
        self.to_array()
    }
}
