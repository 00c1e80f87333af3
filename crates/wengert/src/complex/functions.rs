//! Exponential, trigonometric and hyperbolic functions of complex numbers, roots and powers.

use wengert_ir::ir::DType;
use wengert_ir::trace::{IntoVar, Var};

use super::{Complex, value};

/// # Functions of complex numbers
///
/// `z` is a [`Complex`] of floats.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(re, im): (Var, Var)| {
///     let z = Complex::new(re, im);
///     let powers = [z.square(), z.powi(2), z.powf(2.0), (2.0 * z.ln()).exp(), z.powc(z - z + 2.0)];
///     let circle = z.sin().square() + z.cos().square();
///     let hyperbola = z.cosh().square() - z.sinh().square();
///     let ratio = z.tan() * z.cos() - z.sin() + (z.tanh() * z.cosh() - z.sinh());
///     (powers.map(|w| (w - z * z).abs()), (z.sqrt().square() - z).abs(), (circle - hyperbola + ratio).abs())
/// });
/// let (powers, root, sums) = f.call((0.3, -0.7))?;
/// for off in powers.into_iter().chain([root, sums]) {
///     assert!(off.item::<f64>()? < 1e-14);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
impl Complex {
    /// `e^z`: `numpy.exp`. Derivative: itself.
    #[track_caller]
    pub fn exp(self) -> Complex {
        let Complex { re: x, im: y } = self.float_parts("exp");
        let size = x.exp();
        let turns = y.is_finite();
        // A size of zero has no angle, and an infinite one keeps its size if it has none.
        let none = !turns & x.eq(f64::NEG_INFINITY);
        let lost = !turns & x.eq(f64::INFINITY);
        let flat = y.eq(0.0);
        Complex {
            re: none.select(0.0, (flat | lost).select(size, size * y.cos())),
            im: flat.select(y, none.select(zero_like(y), size * y.sin())),
        }
    }

    /// The logarithm, with an imaginary part in `[-π, π]`: `numpy.log`. The cut is the negative real axis. Derivative:
    /// `1 / z`.
    #[track_caller]
    pub fn ln(self) -> Complex {
        self.holomorphic("ln", ln, |z, _| z.recip())
    }

    /// The root with a real part that is not negative: `numpy.sqrt`. The cut is the negative real axis. Derivative:
    /// `1 / (2 √z)`.
    #[track_caller]
    pub fn sqrt(self) -> Complex {
        self.holomorphic("sqrt", sqrt, |_, w| 0.5 / w)
    }

    /// `z²`: `numpy.square`. Derivative: `2 z`.
    #[track_caller]
    pub fn square(self) -> Complex {
        let Complex { re: x, im: y } = self.together("square");
        let across = x * y;
        Complex {
            re: (x - y) * (x + y),
            im: across + across,
        }
    }

    /// The power with a whole exponent, by repeated products: `numpy.power`. Derivative: `n z^(n - 1)`.
    #[track_caller]
    pub fn powi(self, n: i32) -> Complex {
        let z = self.together("powi");
        let ty = z.re.ty();
        let mut power = Complex {
            re: Var::full(&ty, 1.0),
            im: Var::zeros(&ty),
        };
        let (mut rest, mut square, mut first) = (n.unsigned_abs(), z, true);
        while rest > 0 {
            if rest & 1 == 1 {
                power = if first { square } else { power * square };
                first = false;
            }
            rest >>= 1;
            if rest > 0 {
                square = square.square();
            }
        }
        if n < 0 { power.recip() } else { power }
    }

    /// The power `e^(w ln z)`, of a complex or a real exponent: `numpy.power`; 0 where `z` is 0 and the real part of the
    /// exponent is positive, and 1 where both are 0. Derivative: `w z^(w - 1)`, and `z^w ln z` to the exponent.
    #[track_caller]
    pub fn powc(self, exponent: impl Into<Complex>) -> Complex {
        let (z, w) = (self.float_parts("powc"), exponent.into());
        let (re, im) = (w.re.to(z.re.dtype()), w.im.to(z.re.dtype()));
        let nothing = z.eq(0.0);
        // The logarithm of zero has no product; what is computed there is not chosen.
        let one = Complex::from(1.0).map(|x| x.to(z.re.dtype()));
        let power = (Complex::chosen(nothing, one, z).ln() * Complex { re, im }).exp();
        let ended = re.eq(0.0) & im.eq(0.0);
        let at_zero = ended.select(1.0, re.gt(0.0).select(0.0, f64::NAN));
        let rest = (ended | re.gt(0.0)).select(0.0, f64::NAN);
        Complex {
            re: nothing.select(at_zero, power.re),
            im: nothing.select(rest, power.im),
        }
    }

    /// The power of a real exponent: `numpy.power`. Derivative: as [`Complex::powc`].
    #[track_caller]
    pub fn powf(self, exponent: impl IntoVar) -> Complex {
        self.powc(Complex::from(value(exponent)))
    }

    /// The hyperbolic sine: `numpy.sinh`. Derivative: `cosh z`.
    #[track_caller]
    pub fn sinh(self) -> Complex {
        let Complex { re: x, im: y } = self.float_parts("sinh");
        let flat = y.eq(0.0);
        // Zero and infinity have no angle to lose.
        let bare = x.abs().eq(f64::INFINITY) | x.eq(0.0);
        let kept = flat | (bare & !y.is_finite());
        Complex {
            re: kept.select(x.sinh(), x.sinh() * y.cos()),
            im: flat.select(y, x.cosh() * y.sin()),
        }
    }

    /// The hyperbolic cosine: `numpy.cosh`. Derivative: `sinh z`.
    #[track_caller]
    pub fn cosh(self) -> Complex {
        let Complex { re: x, im: y } = self.float_parts("cosh");
        let flat = y.eq(0.0);
        let lost = x.abs().eq(f64::INFINITY) & !y.is_finite();
        // The sign of a zero is that of the product.
        let zero = y * Var::full(&x.ty(), 1.0).copysign(x);
        Complex {
            re: (flat | lost).select(x.cosh(), x.cosh() * y.cos()),
            im: flat.select(
                zero,
                x.eq(0.0)
                    .select(y.is_finite().select(x * y.sin(), 0.0), x.sinh() * y.sin()),
            ),
        }
    }

    /// The hyperbolic tangent: `numpy.tanh`. Derivative: `1 - tanh² z`.
    #[track_caller]
    pub fn tanh(self) -> Complex {
        self.holomorphic("tanh", tanh, |_, w| 1.0 - w.square())
    }

    /// The sine: `numpy.sin`. Derivative: `cos z`.
    #[track_caller]
    pub fn sin(self) -> Complex {
        self.float_parts("sin").times_i().sinh().over_i()
    }

    /// The cosine: `numpy.cos`. Derivative: `-sin z`.
    #[track_caller]
    pub fn cos(self) -> Complex {
        self.float_parts("cos").times_i().cosh()
    }

    /// The tangent: `numpy.tan`. Derivative: `1 + tan² z`.
    #[track_caller]
    pub fn tan(self) -> Complex {
        self.float_parts("tan").times_i().tanh().over_i()
    }

    /// `-i z`.
    #[track_caller]
    pub(super) fn over_i(self) -> Complex {
        Complex {
            re: self.im,
            im: -self.re,
        }
    }
}

/// Zero with the sign of `y`.
#[track_caller]
fn zero_like(y: Var) -> Var {
    Var::zeros(&y.ty()).copysign(y)
}

/// The largest and the smallest numbers of an element type whose squares are of its range, roughly.
pub(super) fn range(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F32 => (1e18, 1e-18),
        _ => (1e153, 1e-153),
    }
}

/// The logarithm of the size. Near the unit circle it is computed from the difference to it.
#[track_caller]
pub(super) fn ln_size(x: Var, y: Var) -> Var {
    let (large, small) = (x.abs().maximum(y.abs()), x.abs().minimum(y.abs()));
    let near = large.gt(0.5) & large.lt(2.0) & small.lt(2.0);
    let (a, b) = (near.select(large, 1.0), near.select(small, 0.0));
    let close = 0.5 * ((a - 1.0) * (a + 1.0) + b * b).log1p();
    // The size of large numbers may be beyond the range, and that of small ones has few digits.
    let (most, least) = range(x.dtype());
    let (huge, tiny) = (large.gt(most), large.lt(least));
    let by = huge.select(least, tiny.select(most, 1.0));
    let back = huge.select(most.ln(), tiny.select(least.ln(), 0.0));
    near.select(close, (x * by).hypot(y * by).ln() + back)
}

fn ln(z: Complex) -> Complex {
    Complex {
        re: ln_size(z.re, z.im),
        im: z.im.atan2(z.re),
    }
}

pub(super) fn sqrt(z: Complex) -> Complex {
    let Complex { re: x, im: y } = z;
    let (most, least) = match x.dtype() {
        DType::F32 => (2f64.powi(120), 2f64.powi(-100)),
        _ => (2f64.powi(1000), 2f64.powi(-960)),
    };
    let size = x.abs().maximum(y.abs());
    let (huge, tiny) = (size.gt(most), size.lt(least));
    // Powers of four and their roots.
    let by = huge.select(0.0625, tiny.select(2f64.powi(60), 1.0));
    let back = huge.select(4.0, tiny.select(2f64.powi(-30), 1.0));
    let (a, b) = (x.abs() * by, y * by);
    let half = ((a + a.hypot(b)) * 0.5).sqrt();
    let other = b.abs() / (half + half);
    let right = x.ge(0.0);
    let (re, im) = (
        right.select(half, other) * back,
        right.select(other, half) * back,
    );
    let zero = size.eq(0.0);
    let tall = y.abs().eq(f64::INFINITY);
    let wide = x.abs().eq(f64::INFINITY) & !tall;
    let known = y.is_nan().select(f64::NAN, 0.0);
    let flat = x.gt(0.0);
    let infinity = Var::full(&x.ty(), f64::INFINITY);
    let re = zero.select(0.0, re);
    let re = wide.select(flat.select(infinity, known), re);
    let im = wide.select(flat.select(known, infinity), im);
    Complex {
        re: tall.select(infinity, re),
        im: zero.select(y, tall.select(infinity, im).copysign(y)),
    }
}

fn tanh(z: Complex) -> Complex {
    let Complex { re: x, im: y } = z;
    let far = match x.dtype() {
        DType::F32 => 11.0,
        _ => 22.0,
    };
    let beyond = x.abs().gt(far);
    // Kahan's formula, and what is left of it far from the imaginary axis.
    let (t, s) = (y.tan(), beyond.select(1.0, x).sinh());
    let (beta, rho) = (1.0 + t * t, (1.0 + s * s).sqrt());
    let by = 1.0 + beta * s * s;
    let one = Var::full(&x.ty(), 1.0).copysign(x);
    let turned = y.is_finite().select(y + y, 0.0).sin();
    let rest = 2.0 * turned * (-2.0 * x.abs()).exp();
    let lost = x.abs().eq(f64::INFINITY) & !y.is_finite();
    let flat = y.eq(0.0);
    let upright = x.eq(0.0) & !y.is_finite();
    Complex {
        re: upright.select(
            x,
            beyond.select(
                (y.is_finite() | x.abs().eq(f64::INFINITY)).select(one, f64::NAN),
                flat.select(x.tanh(), beta * rho * s / by),
            ),
        ),
        im: flat.select(
            y,
            lost.select(
                zero_like(y),
                beyond.select(y.is_finite().select(rest, f64::NAN), t / by),
            ),
        ),
    }
}
