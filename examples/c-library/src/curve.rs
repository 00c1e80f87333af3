//! A class of C++ behind functions of C, and its values as an operation with a pullback.

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use wengert::prelude::*;

mod native {
    use super::{c_char, c_int};

    #[repr(C)]
    pub struct Curve {
        _private: [u8; 0],
    }

    unsafe extern "C" {
        pub fn curve_new(
            n: usize,
            x: *const f64,
            y: *const f64,
            text: *mut c_char,
            room: usize,
        ) -> *mut Curve;
        pub fn curve_delete(curve: *mut Curve);
        pub fn curve_values(
            curve: *const Curve,
            n: usize,
            x: *const f64,
            y: *mut f64,
            text: *mut c_char,
            room: usize,
        ) -> c_int;
        pub fn curve_pull(
            curve: *const Curve,
            n: usize,
            x: *const f64,
            w: *const f64,
            pulled: *mut f64,
            text: *mut c_char,
            room: usize,
        ) -> c_int;
    }
}

/// What an exception says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CurveError(String);

impl fmt::Display for CurveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "curve: {}", self.0)
    }
}

impl std::error::Error for CurveError {}

/// Room for what an exception says.
struct Said([u8; 128]);

impl Said {
    fn place(&mut self) -> *mut c_char {
        self.0.as_mut_ptr().cast()
    }

    fn error(&self) -> CurveError {
        let text = CStr::from_bytes_until_nul(&self.0).unwrap_or_default();
        CurveError(text.to_string_lossy().into_owned())
    }
}

/// A curve of the library: it rises wherever its points rise.
#[derive(Debug)]
pub struct Curve(NonNull<native::Curve>);

// SAFETY: All functions but the destructor read a curve alone.
unsafe impl Send for Curve {}
// SAFETY: As above.
unsafe impl Sync for Curve {}

impl Drop for Curve {
    fn drop(&mut self) {
        // SAFETY: It is of `curve_new`, and deleted here alone.
        unsafe { native::curve_delete(self.0.as_ptr()) }
    }
}

impl Curve {
    /// A curve through points, from left to right.
    pub fn new(points: &[(f64, f64)]) -> Result<Curve, CurveError> {
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let mut said = Said([0; 128]);
        // SAFETY: Both arrays have as many numbers as is said, and the library copies them.
        let curve =
            unsafe { native::curve_new(x.len(), x.as_ptr(), y.as_ptr(), said.place(), 128) };
        NonNull::new(curve).map(Curve).ok_or_else(|| said.error())
    }

    /// The values at places.
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, CurveError> {
        let (mut y, mut said) = (vec![0.0; x.len()], Said([0; 128]));
        // SAFETY: Both arrays have as many numbers as is said.
        let failed = unsafe {
            let (from, to) = (x.as_ptr(), y.as_mut_ptr());
            native::curve_values(self.0.as_ptr(), x.len(), from, to, said.place(), 128)
        };
        if failed == 0 {
            Ok(y)
        } else {
            Err(said.error())
        }
    }

    /// The slopes at places, times weights.
    pub fn pull(&self, x: &[f64], weights: &[f64]) -> Result<Vec<f64>, CurveError> {
        assert_eq!(x.len(), weights.len());
        let (mut pulled, mut said) = (vec![0.0; x.len()], Said([0; 128]));
        // SAFETY: All arrays have as many numbers as is said.
        let failed = unsafe {
            let (x, w, to) = (x.as_ptr(), weights.as_ptr(), pulled.as_mut_ptr());
            native::curve_pull(self.0.as_ptr(), pulled.len(), x, w, to, said.place(), 128)
        };
        if failed == 0 {
            Ok(pulled)
        } else {
            Err(said.error())
        }
    }
}

/// The value at one place as an operation, with the library's own pullback. In a batch the library gets whole arrays.
pub fn value(curve: &Arc<Curve>) -> impl Fn(Var) -> Var + Clone + Send + Sync + 'static {
    let (of_values, of_pull) = (curve.clone(), curve.clone());
    let values = move |x: Var| {
        let curve = of_values.clone();
        let call = move |x: Array| -> Result<Array, Box<dyn std::error::Error>> {
            Ok(curve.values(x.as_slice()?)?.into())
        };
        pure_callback_batched(call, &ShapeDtype::scalar(DType::F64), x)
    };
    let pull = move |x: Var, w: Var| {
        let curve = of_pull.clone();
        let call = move |(x, w): (Array, Array)| -> Result<Array, Box<dyn std::error::Error>> {
            Ok(curve.pull(x.as_slice()?, w.as_slice()?)?.into())
        };
        pure_callback_batched(call, &ShapeDtype::scalar(DType::F64), (x, w))
    };
    custom_vjp(values.clone(), move |x| (values(x), x), pull)
}
