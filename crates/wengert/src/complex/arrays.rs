//! Complex numbers outside of traced functions.

use crate::array::Array;
use crate::complex::Complex;

impl Complex<Array> {
    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        self.re.shape()
    }
}

#[cfg(feature = "num-complex")]
mod interop {
    use num_complex::Complex as Number;

    use super::{Array, Complex};
    use crate::{Element, Result};

    macro_rules! numbers {
        ($($t:ty)*) => {$(
            /// The numbers as an array with one axis.
            impl From<&[Number<$t>]> for Complex<Array> {
                fn from(z: &[Number<$t>]) -> Complex<Array> {
                    let part = |f: fn(&Number<$t>) -> $t| z.iter().map(f).collect::<Vec<$t>>();
                    Complex {
                        re: part(|z| z.re).into(),
                        im: part(|z| z.im).into(),
                    }
                }
            }
            /// The numbers as an array with one axis.
            impl From<Vec<Number<$t>>> for Complex<Array> {
                fn from(z: Vec<Number<$t>>) -> Complex<Array> {
                    (&z[..]).into()
                }
            }
            /// The numbers as an array with one axis.
            impl<const N: usize> From<[Number<$t>; N]> for Complex<Array> {
                fn from(z: [Number<$t>; N]) -> Complex<Array> {
                    (&z[..]).into()
                }
            }
            /// The number as an array without axes.
            impl From<Number<$t>> for Complex<Array> {
                fn from(z: Number<$t>) -> Complex<Array> {
                    Complex { re: z.re.into(), im: z.im.into() }
                }
            }
            /// The number as a constant.
            impl From<Number<$t>> for Complex {
                fn from(z: Number<$t>) -> Complex {
                    Complex { re: z.re.into(), im: z.im.into() }
                }
            }
        )*};
    }
    numbers!(f32 f64);

    impl Complex<Array> {
        /// Makes an array of this shape of numbers in row-major order.
        ///
        /// # Errors
        /// If the shape has another number of elements.
        pub fn from_shape(dims: &[usize], z: impl Into<Complex<Array>>) -> Result<Complex<Array>> {
            let Complex { re, im } = z.into();
            Ok(Complex {
                re: re.reshape(dims)?,
                im: im.reshape(dims)?,
            })
        }

        /// The numbers in row-major order.
        ///
        /// # Errors
        /// If the parts have other elements than `T`, or different shapes.
        pub fn to_numbers<T: Element>(&self) -> Result<Vec<Number<T>>> {
            let (re, im) = (self.re.to_vec::<T>()?, self.im.to_vec::<T>()?);
            let parts = re.into_iter().zip(im);
            Ok(parts.map(|(re, im)| Number { re, im }).collect())
        }
    }
}
