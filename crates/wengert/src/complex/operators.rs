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
impl ops::Div for Complex {
    type Output = Complex;
    #[track_caller]
    fn div(self, by: Complex) -> Complex {
        let by = by.together("div");
        let flat = by.re.abs().ge(by.im.abs());
        let (large, small) = (flat.select(by.re, by.im), flat.select(by.im, by.re));
        let ratio = small / large;
        let size = large + small * ratio;
        let (re, im) = (self.re * ratio, self.im * ratio);
        Complex {
            re: flat.select(self.re + im, re + self.im) / size,
            im: flat.select(self.im - re, im - self.re) / size,
        }
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
    Complex {
        re: flat.select(along, across),
        im: -flat.select(across, along),
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
