//! Fourier transforms, cosine and sine transforms, and what is made of them.
//!
//! The functions have the names, the defaults and the conventions of `numpy.fft` and `scipy`. Complex numbers are
//! [`Complex`](crate::Complex), and a real array is taken for one. [`Transform`] has the parameters: axes, lengths, scale.
//!
//! ```
//! use wengert::fft::{self, Norm, Transform};
//! use wengert::prelude::*;
//!
//! let f = jit(|x: Var| (fft::rfft(x), Transform::new().n(4).norm(Norm::Ortho).fft(x)));
//! let (half, all) = f.call([1.0, 2.0, 3.0])?;
//! assert_eq!(half.shape(), [2]);
//! assert_eq!(half.re.to_vec::<f64>()?[0], 6.0);
//! assert_eq!(all.re.to_vec::<f64>()?[0], 3.0);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! Any length is transformed, primes included, in a time that grows like `n log n`. Rows are transformed one by one, on
//! all cores if there are many. Every transform is linear, and its derivative is a transform; what is computed for a
//! row has the same bits alone, in a batch, and by the interpreter.

mod convolve;
mod cosine;
mod frequencies;
mod short_time;
mod transform;

pub use convolve::{fftconvolve, fftconvolve_axes, next_fast_len, oaconvolve};
pub use cosine::{dct, dct_axis, dst, dst_axis, idct, idct_axis, idst, idst_axis};
pub use frequencies::{fftfreq, fftshift, ifftshift, rfftfreq};
pub use short_time::ShortTime;
pub use transform::{
    Norm, Transform, fft, fft2, fftn, hfft, ifft, ifft2, ifftn, ihfft, irfft, irfft2, irfftn, rfft,
    rfft2, rfftn,
};
