//! Operators of complex numbers.

use std::ops;

use wengert_ir::trace::{IntoVar, Var};

use super::{Complex, value};

/// A real number or a value as a complex number, with the imaginary part 0.
impl From<Var> for Complex {
    #[track_caller]
    fn from(re: Var) -> Complex {
        let im = Var::zeros(&re.ty());
        Complex { re, im }
    }
}

macro_rules! from_numbers {
    ($($t:ty)*) => {$(
        /// A real number as a complex one.
        impl From<$t> for Complex {
            fn from(x: $t) -> Complex {
                Complex { re: Var::scalar(f64::from(x)), im: Var::scalar(0.0) }
            }
        }
        impl ops::Add<Complex> for $t {
            type Output = Complex;
            #[track_caller]
            fn add(self, z: Complex) -> Complex {
                z + self
            }
        }
        impl ops::Sub<Complex> for $t {
            type Output = Complex;
            #[track_caller]
            fn sub(self, z: Complex) -> Complex {
                Complex { re: self - z.re, im: -z.im }.together("sub")
            }
        }
        impl ops::Mul<Complex> for $t {
            type Output = Complex;
            #[track_caller]
            fn mul(self, z: Complex) -> Complex {
                z * self
            }
        }
        impl ops::Div<Complex> for $t {
            type Output = Complex;
            #[track_caller]
            fn div(self, z: Complex) -> Complex {
                real_over(value(self).to(z.re.dtype()), z)
            }
        }
    )*};
}
from_numbers!(f64 i32);

/// The pair as the real and the imaginary part.
impl<A: IntoVar, B: IntoVar> From<(A, B)> for Complex {
    #[track_caller]
    fn from((re, im): (A, B)) -> Complex {
        Complex::new(re, im)
    }
}

impl ops::Neg for Complex {
    type Output = Complex;
    #[track_caller]
    fn neg(self) -> Complex {
        Complex {
            re: -self.re,
            im: -self.im,
        }
    }
}

impl ops::Add for Complex {
    type Output = Complex;
    #[track_caller]
    fn add(self, other: Complex) -> Complex {
        Complex {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }
}

impl ops::Sub for Complex {
    type Output = Complex;
    #[track_caller]
    fn sub(self, other: Complex) -> Complex {
        Complex {
            re: self.re - other.re,
            im: self.im - other.im,
        }
    }
}

impl ops::Mul for Complex {
    type Output = Complex;
    #[track_caller]
    fn mul(self, other: Complex) -> Complex {
        Complex {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// Divides without overflow of intermediate values: the smaller part of the divisor is divided by the larger (Smith).
/// Quotients with infinite parts and by zero are those of Annex G of C99: infinite, or zero, where both parts of the
/// formula are NaN.
impl ops::Div for Complex {
    type Output = Complex;
    #[track_caller]
    fn div(self, by: Complex) -> Complex {
        let by = by.together("div");
        let quotient = smith(self, by);
        if !by.re.ty().is_float() {
            return quotient;
        }
        recovered(self.together("div"), by, quotient)
    }
}

/// The quotient, or what C99's Annex G says of it where it has no part that is a number.
#[track_caller]
fn recovered(z: Complex, by: Complex, quotient: Complex) -> Complex {
    let Complex { re: a, im: b } = z;
    let Complex { re: c, im: d } = by;
    let infinite = |x: Var| x.abs().eq(f64::INFINITY);
    // An infinite part counts as 1, and any other as 0, with its sign.
    let boxed = |x: Var| infinite(x).select(1.0, Var::zeros(&x.ty())).copysign(x);
    let lost = quotient.re.is_nan() & quotient.im.is_nan();
    let by_zero = c.eq(0.0) & d.eq(0.0) & !(a.is_nan() & b.is_nan());
    let large = (infinite(a) | infinite(b)) & c.is_finite() & d.is_finite();
    let small = (infinite(c) | infinite(d)) & a.is_finite() & b.is_finite();
    let infinity = Var::full(&c.ty().with_dims(&[]), f64::INFINITY);
    let (x, y) = (boxed(a), boxed(b));
    let (u, v) = (boxed(c), boxed(d));
    let part = |plain: Var, at_zero: Var, at_large: Var, at_small: Var| {
        let kept = (lost & small).select(at_small * 0.0, plain);
        let kept = (lost & large).select(infinity * at_large, kept);
        (lost & by_zero).select(infinity.copysign(c) * at_zero, kept)
    };
    Complex {
        re: part(quotient.re, a, x * c + y * d, a * u + b * v),
        im: part(quotient.im, b, y * c - x * d, b * u - a * v),
    }
}

#[track_caller]
fn smith(z: Complex, by: Complex) -> Complex {
    let flat = by.re.abs().ge(by.im.abs());
    let (large, small) = (flat.select(by.re, by.im), flat.select(by.im, by.re));
    let ratio = small / large;
    let size = large + small * ratio;
    let (re, im) = (z.re * ratio, z.im * ratio);
    Complex {
        re: flat.select(z.re + im, re + z.im) / size,
        im: flat.select(z.im - re, im - z.re) / size,
    }
}

/// A real number divided by a complex one.
#[track_caller]
fn real_over(x: Var, by: Complex) -> Complex {
    let by = by.together("div");
    let flat = by.re.abs().ge(by.im.abs());
    let (large, small) = (flat.select(by.re, by.im), flat.select(by.im, by.re));
    let ratio = small / large;
    let size = large + small * ratio;
    let (along, across) = (x / size, x * ratio / size);
    let quotient = Complex {
        re: flat.select(along, across),
        im: -flat.select(across, along),
    };
    match by.re.ty().is_float() {
        true => recovered(Complex::from(x), by, quotient),
        false => quotient,
    }
}

macro_rules! with_reals {
    ($($op:ident $method:ident |$z:ident, $x:ident| $result:expr;)*) => {$(
        impl<R: IntoVar> ops::$op<R> for Complex {
            type Output = Complex;
            #[track_caller]
            fn $method(self, other: R) -> Complex {
                let ($z, $x) = (self, other.argument());
                $result
            }
        }
    )*};
}
with_reals! {
    Add add |z, x| Complex { re: z.re + x, im: z.im }.together("add");
    Sub sub |z, x| Complex { re: z.re - x, im: z.im }.together("sub");
    Mul mul |z, x| Complex { re: z.re * x, im: z.im * x };
    Div div |z, x| Complex { re: z.re / x, im: z.im / x };
}

impl ops::Add<Complex> for Var {
    type Output = Complex;
    #[track_caller]
    fn add(self, z: Complex) -> Complex {
        z + self
    }
}

impl ops::Sub<Complex> for Var {
    type Output = Complex;
    #[track_caller]
    fn sub(self, z: Complex) -> Complex {
        Complex {
            re: self - z.re,
            im: -z.im,
        }
        .together("sub")
    }
}

impl ops::Mul<Complex> for Var {
    type Output = Complex;
    #[track_caller]
    fn mul(self, z: Complex) -> Complex {
        z * self
    }
}

impl ops::Div<Complex> for Var {
    type Output = Complex;
    #[track_caller]
    fn div(self, z: Complex) -> Complex {
        real_over(self, z)
    }
}

macro_rules! assign {
    ($($op:ident $method:ident $plain:ident $of:ident;)*) => {$(
        impl<R> ops::$op<R> for Complex
        where
            Complex: ops::$plain<R, Output = Complex>,
        {
            #[track_caller]
            fn $method(&mut self, other: R) {
                *self = ops::$plain::$of(*self, other);
            }
        }
    )*};
}
assign! {
    AddAssign add_assign Add add;
    SubAssign sub_assign Sub sub;
    MulAssign mul_assign Mul mul;
    DivAssign div_assign Div div;
}

/// The sum of complex numbers.
impl std::iter::Sum for Complex {
    #[track_caller]
    fn sum<I: Iterator<Item = Complex>>(all: I) -> Complex {
        all.reduce(|a, b| a + b)
            .unwrap_or_else(|| Complex::from(0.0))
    }
}
