//! Arithmetic of each element type, for the interpreter.

use crate::buffer::Element;

/// Sums, products and extremes of elements. Integers wrap; `bool` values are added by `or` and multiplied by
/// `and`.
pub trait Arithmetic: Element + PartialOrd {
    /// The start of a sum.
    const ZERO: Self;
    /// The start of a product.
    const ONE: Self;
    /// Returns the sum.
    fn add(self, other: Self) -> Self;
    /// Returns the product.
    fn mul(self, other: Self) -> Self;
    /// Returns the smaller: NaN if either is, and -0 below +0.
    fn min(self, other: Self) -> Self;
    /// Returns the larger: NaN if either is, and +0 above -0.
    fn max(self, other: Self) -> Self;
    /// Returns whether `self` precedes `other` in ascending order: NaN comes last, zeros are equal.
    fn is_below(self, other: Self) -> bool;
}

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Arithmetic for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn mul(self, other: Self) -> Self {
                self * other
            }
            fn min(self, other: Self) -> Self {
                match self.is_nan() || self < other || (self == other && self.is_sign_negative()) {
                    true => self,
                    false => other,
                }
            }
            fn max(self, other: Self) -> Self {
                match self.is_nan() || self > other || (self == other && self.is_sign_positive()) {
                    true => self,
                    false => other,
                }
            }
            fn is_below(self, other: Self) -> bool {
                self < other || (other.is_nan() && !self.is_nan())
            }
        }
    )*};
}
floats!(f32 f64);

macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Arithmetic for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            fn min(self, other: Self) -> Self {
                Ord::min(self, other)
            }
            fn max(self, other: Self) -> Self {
                Ord::max(self, other)
            }
            fn is_below(self, other: Self) -> bool {
                self < other
            }
        }
    )*};
}
integers!(i32 i64 u32 u64 u8);

impl Arithmetic for bool {
    const ZERO: Self = false;
    const ONE: Self = true;
    fn add(self, other: Self) -> Self {
        self | other
    }
    fn mul(self, other: Self) -> Self {
        self & other
    }
    fn min(self, other: Self) -> Self {
        self & other
    }
    fn max(self, other: Self) -> Self {
        self | other
    }
    fn is_below(self, other: Self) -> bool {
        !self & other
    }
}

#[cfg(test)]
mod tests {
    use super::Arithmetic;

    #[test]
    fn extremes_of_floats() {
        assert!(Arithmetic::min(f64::NAN, 1.0).is_nan() && Arithmetic::min(1.0, f64::NAN).is_nan());
        assert!(Arithmetic::max(f32::NAN, 1.0).is_nan() && Arithmetic::max(1.0, f32::NAN).is_nan());
        let bits = |x: f64| x.to_bits();
        for (a, b) in [(0.0, -0.0), (-0.0, 0.0)] {
            assert_eq!(bits(Arithmetic::min(a, b)), bits(-0.0));
            assert_eq!(bits(Arithmetic::max(a, b)), bits(0.0));
        }
        assert_eq!(Arithmetic::max(2.0, 3.0), 3.0);
        assert_eq!(Arithmetic::min(3.0, 2.0), 2.0);
    }
}
