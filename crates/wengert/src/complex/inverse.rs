//! Inverse trigonometric and hyperbolic functions of complex numbers.
//!
//! The formulas are Kahan's ("Branch Cuts for Complex Elementary Functions", 1987); signs of zeros say on which side of
//! a cut a number lies.

use std::f64::consts::{FRAC_PI_2, LN_2};

use wengert_ir::trace::Var;

use super::Complex;
use super::functions::{range, sqrt};

/// # Inverse functions of complex numbers
///
/// `z` is a [`Complex`] of floats.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(re, im): (Var, Var)| {
///     let z = Complex::new(re, im);
///     let back = [z.asin().sin(), z.acos().cos(), z.atan().tan(), z.asinh().sinh(), z.acosh().cosh(), z.atanh().tanh()];
///     back.map(|w| (w - z).abs())
/// });
/// for off in f.call((0.3, -0.7))? {
///     assert!(off.item::<f64>()? < 1e-14);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
impl Complex {
    /// The inverse of the hyperbolic sine; cuts on the imaginary axis outside `[-i, i]`: `numpy.arcsinh`. Derivative:
    /// `1 / √(1 + z²)`.
    #[track_caller]
    pub fn asinh(self) -> Complex {
        self.holomorphic("asinh", asinh, |z, _| {
            let i = z.times_i();
            (sqrt(1.0 + i) * sqrt(1.0 - i)).recip()
        })
    }

    /// The inverse of the hyperbolic cosine; a cut on the real axis below 1: `numpy.arccosh`. Derivative:
    /// `1 / √(z² - 1)`.
    #[track_caller]
    pub fn acosh(self) -> Complex {
        self.holomorphic("acosh", acosh, |z, _| {
            (sqrt(z - 1.0) * sqrt(z + 1.0)).recip()
        })
    }

    /// The inverse of the hyperbolic tangent; cuts on the real axis outside `[-1, 1]`: `numpy.arctanh`. Derivative:
    /// `1 / (1 - z²)`.
    #[track_caller]
    pub fn atanh(self) -> Complex {
        self.holomorphic("atanh", atanh, |z, _| ((1.0 - z) * (1.0 + z)).recip())
    }

    /// The inverse of the sine; cuts on the real axis outside `[-1, 1]`: `numpy.arcsin`. Derivative: `1 / √(1 - z²)`.
    #[track_caller]
    pub fn asin(self) -> Complex {
        self.float_parts("asin").times_i().asinh().over_i()
    }

    /// The inverse of the cosine; cuts on the real axis outside `[-1, 1]`: `numpy.arccos`. Derivative:
    /// `-1 / √(1 - z²)`.
    #[track_caller]
    pub fn acos(self) -> Complex {
        self.holomorphic("acos", acos, |z, _| {
            -(sqrt(1.0 - z) * sqrt(1.0 + z)).recip()
        })
    }

    /// The inverse of the tangent; cuts on the imaginary axis outside `[-i, i]`: `numpy.arctan`. Derivative:
    /// `1 / (1 + z²)`.
    #[track_caller]
    pub fn atan(self) -> Complex {
        self.float_parts("atan").times_i().atanh().over_i()
    }
}

/// Whether a number is so large, or infinite, that its square is all that counts; and it, or 0 where it is.
fn split(z: Complex) -> (Var, Complex) {
    let large = z.re.abs().maximum(z.im.abs()).gt(range(z.re.dtype()).0);
    // The larger of NaN and an infinity is NaN.
    let large = large | infinite(z.re) | infinite(z.im);
    (large, z.map(|x| large.select(0.0, x)))
}

fn infinite(x: Var) -> Var {
    x.abs().eq(f64::INFINITY)
}

/// The logarithm of twice the size of a large number.
fn ln_twice(z: Complex) -> Var {
    (z.re * 0.5).hypot(z.im * 0.5).ln() + 2.0 * LN_2
}

fn asinh(z: Complex) -> Complex {
    let (large, w) = split(z);
    let i = w.times_i();
    let (a, b) = (sqrt(1.0 - i), sqrt(1.0 + i));
    let small = Complex {
        re: (a.re * b.im - b.re * a.im).asinh(),
        im: w.im.atan2(a.re * b.re - a.im * b.im),
    };
    let flat = z.im.eq(0.0) & z.re.is_nan();
    let far = Complex {
        re: ln_twice(z).copysign(z.re),
        im: z.im.atan2(z.re.abs()),
    };
    let w = Complex::chosen(large, far, small);
    Complex {
        re: w.re,
        im: flat.select(z.im, w.im),
    }
}

fn acosh(z: Complex) -> Complex {
    let (large, w) = split(z);
    let (a, b) = (sqrt(w - 1.0), sqrt(w + 1.0));
    let small = Complex {
        re: (a.re * b.re + a.im * b.im).asinh(),
        im: 2.0 * a.im.atan2(b.re),
    };
    let far = Complex {
        re: ln_twice(z),
        im: z.im.atan2(z.re),
    };
    let w = Complex::chosen(large, far, small);
    let upright = z.re.eq(0.0) & z.im.is_nan();
    Complex {
        re: w.re,
        im: upright.select(FRAC_PI_2, w.im),
    }
}

fn acos(z: Complex) -> Complex {
    let (large, w) = split(z);
    let (a, b) = (sqrt(1.0 - w), sqrt(1.0 + w));
    let small = Complex {
        re: 2.0 * a.re.atan2(b.re),
        im: (b.re * a.im - b.im * a.re).asinh(),
    };
    let far = Complex {
        re: z.im.abs().atan2(z.re),
        im: ln_twice(z).copysign(-z.im),
    };
    let w = Complex::chosen(large, far, small);
    let upright = z.re.eq(0.0) & z.im.is_nan();
    Complex {
        re: upright.select(FRAC_PI_2, w.re),
        im: w.im,
    }
}

fn atanh(z: Complex) -> Complex {
    let (large, w) = split(z);
    let (x, y) = (w.re.abs(), w.im);
    // 4x over the square of the distance to 1, without cancellation.
    let apart = (1.0 - x) * (1.0 - x) + y * y;
    let pole = x.eq(1.0) & y.eq(0.0);
    let apart = apart.eq(0.0).select(1.0, apart);
    let re = (4.0 * x / apart).log1p() * 0.25;
    // So close to the pole that the square of the distance vanishes.
    let close = x.eq(1.0) & y.abs().lt(range(x.dtype()).1);
    let near = 0.5 * (LN_2 - close.select(y.abs(), 1.0).ln());
    let re = pole.select(f64::INFINITY, close.select(near, re));
    let angle = (y + y).atan2((1.0 - x) * (1.0 + x) - y * y) * 0.5;
    let size = (z.re * 0.5).hypot(z.im * 0.5);
    let far = z.re.abs() * 0.25 / size / size;
    let gone = infinite(z.re) | infinite(z.im);
    let far = gone.select(0.0, far);
    let quarter = Var::full(&z.im.ty(), FRAC_PI_2).copysign(z.im);
    let quarter = (z.im.is_nan() & infinite(z.re)).select(f64::NAN, quarter);
    let upright = z.re.eq(0.0) & z.im.is_nan();
    Complex {
        re: upright.select(z.re, large.select(far, re).copysign(z.re)),
        im: pole.select(z.im, large.select(quarter, angle)),
    }
}
