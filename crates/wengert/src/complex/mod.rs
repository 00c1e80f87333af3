//! Complex numbers: pairs of real arrays.
//!
//! A [`Complex`] is a tree with two leaves, its real and its imaginary part. So there is no element type for complex
//! numbers, and everything that takes trees takes them: [`jit`](crate::jit()), [`vmap`](crate::vmap()),
//! [`scan`](crate::scan), [`grad`](crate::grad()).
//!
//! ```
//! use wengert::prelude::*;
//!
//! // The impedance of a resistor and a coil in series, and its size.
//! let size = jit(|(r, l, w): (Var, Var, Var)| Complex::new(r, w * l).abs());
//! assert_eq!(size.call((3.0, 2.0, 2.0))?.item::<f64>()?, 5.0);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Derivatives
//!
//! The gradient of a real loss by `z = x + iy` is the pair of its partial derivatives, `∂L/∂x + i ∂L/∂y`: the direction
//! in which the loss grows fastest, as in PyTorch. `jax.grad` returns its conjugate.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let slope = jit(grad(|z: Complex| (z - Complex::new(1.0, 2.0)).norm_sqr()));
//! let g = slope.call(Complex { re: 3.0, im: 5.0 })?;
//! assert_eq!((g.re.item::<f64>()?, g.im.item::<f64>()?), (4.0, 6.0));
//! # Ok::<(), wengert::Error>(())
//! ```

mod arrays;
mod functions;
mod inverse;
pub(crate) mod linalg;
mod operators;
mod reduce;

use std::panic::Location;

use wengert_ir::error::{TypeError, raise};
use wengert_ir::trace::{Argument, IntoVar, Var, aligned, asked_at, current_source};

use crate::tree::Tree;

pub use reduce::einsum;

/// Complex numbers, as their real and imaginary parts.
///
/// In a traced function both parts are [`Var`]s; `Complex<Array>` is data. Parts of different shapes broadcast where
/// they are used together.
#[derive(Tree, Clone, Copy, PartialEq, Debug, Default)]
pub struct Complex<T = Var> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

/// A value, or the number as a scalar of its own type.
#[track_caller]
pub(crate) fn value(x: impl IntoVar) -> Var {
    match x.argument() {
        Argument::Var(x) => x,
        Argument::Int(n) => Var::scalar(n as f64),
        Argument::Float(x) => Var::scalar(x),
        Argument::Bool(b) => Var::scalar(f64::from(u8::from(b))),
    }
}

/// Refuses operands.
#[track_caller]
pub(crate) fn refuse(op: &str, operands: &[Var], message: String) -> ! {
    let types = operands.iter().map(|x| x.ty()).collect();
    raise(TypeError::new(message).error(op, types, current_source()))
}

/// Refuses element types other than floats.
#[track_caller]
pub(crate) fn floats(op: &str, x: Var) {
    let ty = x.ty();
    if !ty.is_float() {
        let error = TypeError::new(format!("{ty} is not an array of floats"));
        let error = error.hint("convert it first, as in `x.to(DType::F64)`");
        raise(error.error(op, vec![ty], current_source()));
    }
}

/// # Complex numbers
///
/// A `z` here is a [`Complex`]. Functions have the branch cuts and the signed zeros of C99, and its results for
/// infinities and NaN.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(r, angle): (Var, Var)| {
///     let z = Complex::from_polar(r, angle);
///     let (size, turned) = z.to_polar();
///     let one = z * z.recip() - Complex::cis(0.0);
///     (size, turned - z.arg(), (z * z.conj()).re, one.abs(), (z.times_i() - z * Complex::new(0.0, 1.0)).abs())
/// });
/// let (size, none, square, one, turned) = f.call((2.0, 0.5))?;
/// assert!((size.item::<f64>()? - 2.0).abs() < 1e-15 && (square.item::<f64>()? - 4.0).abs() < 1e-14);
/// for nothing in [none, one, turned] {
///     assert!(nothing.item::<f64>()?.abs() < 1e-15);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
impl Complex {
    /// The numbers with these parts, whose element types are promoted and whose shapes broadcast: `jax.lax.complex`.
    /// Derivative: the tangents of the parts.
    #[track_caller]
    pub fn new(re: impl IntoVar, im: impl IntoVar) -> Complex {
        let parts = aligned("Complex", None, &[re.argument(), im.argument()]);
        let (re, im) = (parts[0], parts[1]);
        Complex { re, im }
    }

    /// The number of this size and angle: `r (cos φ + i sin φ)`. Derivative: `dr` along, and `r dφ` across.
    #[track_caller]
    pub fn from_polar(r: impl IntoVar, angle: impl IntoVar) -> Complex {
        let parts = aligned("from_polar", None, &[r.argument(), angle.argument()]);
        let (r, angle) = (parts[0], parts[1]);
        floats("from_polar", r);
        Complex {
            re: r * angle.cos(),
            im: r * angle.sin(),
        }
    }

    /// `cos φ + i sin φ`: `exp(iφ)`. Derivative: `i` times itself.
    #[track_caller]
    pub fn cis(angle: impl IntoVar) -> Complex {
        let angle = value(angle);
        Complex {
            re: angle.cos(),
            im: angle.sin(),
        }
    }

    /// The parts with one element type and one shape.
    #[track_caller]
    pub(crate) fn together(self, op: &str) -> Complex {
        if self.re.ty() == self.im.ty() {
            return self;
        }
        let parts = [self.re, self.im].map(Argument::Var);
        let parts = aligned(op, None, &parts);
        let (re, im) = (parts[0], parts[1]);
        Complex { re, im }
    }

    /// The parts together, which must be floats.
    #[track_caller]
    pub(crate) fn float_parts(self, op: &str) -> Complex {
        let z = self.together(op);
        floats(op, z.re);
        z
    }

    /// A function of real arrays, on both parts: anything that only moves elements, or that is linear with real
    /// factors, as in `z.map(|x| x.reshape([2, 3]))`. Derivative: the function's.
    #[track_caller]
    pub fn map(self, f: impl Fn(Var) -> Var) -> Complex {
        let z = self.together("map");
        Complex {
            re: f(z.re),
            im: f(z.im),
        }
    }

    /// The lengths of its axes.
    #[track_caller]
    pub fn shape(self) -> Vec<usize> {
        self.together("shape").re.shape()
    }

    /// `numpy.where` of complex numbers: `self` where the condition holds, and `other` elsewhere.
    #[track_caller]
    pub(crate) fn chosen(condition: Var, a: Complex, b: Complex) -> Complex {
        Complex {
            re: condition.select(a.re, b.re),
            im: condition.select(a.im, b.im),
        }
    }

    /// `re - i im`: `numpy.conj`. Derivative: the conjugate of the tangent.
    #[track_caller]
    pub fn conj(self) -> Complex {
        Complex {
            re: self.re,
            im: -self.im,
        }
    }

    /// `i z`, without a product. Derivative: `i` times the tangent.
    #[track_caller]
    pub fn times_i(self) -> Complex {
        Complex {
            re: -self.im,
            im: self.re,
        }
    }

    /// The size, `√(re² + im²)`, without overflow: `numpy.abs`. Derivative: along `z / |z|`, and 0 at 0.
    #[track_caller]
    pub fn abs(self) -> Var {
        let z = self.float_parts("abs");
        z.re.hypot(z.im)
    }

    /// `re² + im²`, the square of [`Complex::abs`] without the root. Derivative: `2 re` and `2 im`.
    #[track_caller]
    pub fn norm_sqr(self) -> Var {
        let z = self.together("norm_sqr");
        z.re * z.re + z.im * z.im
    }

    /// The angle in `[-π, π]`: `numpy.angle`. Derivative: `-im / |z|²` and `re / |z|²`.
    #[track_caller]
    pub fn arg(self) -> Var {
        let z = self.float_parts("arg");
        z.im.atan2(z.re)
    }

    /// The size and the angle. Derivative: those of [`Complex::abs`] and [`Complex::arg`].
    #[track_caller]
    pub fn to_polar(self) -> (Var, Var) {
        (self.abs(), self.arg())
    }

    /// `1 / z`: `numpy.reciprocal`. Derivative: `-1 / z²`.
    #[track_caller]
    pub fn recip(self) -> Complex {
        1.0 / self
    }

    /// Whether a part is NaN; `bool`: `numpy.isnan`. Derivative: none.
    #[track_caller]
    pub fn is_nan(self) -> Var {
        self.re.is_nan() | self.im.is_nan()
    }

    /// Whether both parts are neither NaN nor infinite; `bool`: `numpy.isfinite`. Derivative: none.
    #[track_caller]
    pub fn is_finite(self) -> Var {
        self.re.is_finite() & self.im.is_finite()
    }

    /// Whether both parts are equal; `bool`: `numpy.equal`. Derivative: none.
    #[track_caller]
    pub fn eq(self, other: impl Into<Complex>) -> Var {
        let other = other.into();
        self.re.eq(other.re) & self.im.eq(other.im)
    }

    /// A function of complex numbers with its own derivative: `slope` of the argument and the value.
    #[track_caller]
    pub(crate) fn holomorphic(
        self,
        op: &str,
        value: fn(Complex) -> Complex,
        slope: fn(Complex, Complex) -> Complex,
    ) -> Complex {
        let z = self.float_parts(op);
        let at = Location::caller();
        let rule = crate::custom_jvp(
            move |z: Complex| asked_at(at, || value(z)),
            move |z: Complex, dz: Complex| {
                asked_at(at, || {
                    let w = value(z);
                    (w, slope(z, w) * dz)
                })
            },
        );
        asked_at(at, || rule(z))
    }
}
