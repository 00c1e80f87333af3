//! Sums and products of complex arrays.

use std::panic::Location;

use wengert_ir::trace::{Along, IntoShape, Var, asked_at};

use super::{Complex, refuse};

/// # Arrays of complex numbers
///
/// Axes and shapes are those of real arrays; [`Complex::map`] applies a function that moves elements.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(re, im): (Var, Var)| {
///     let z = Complex::new(re, im);
///     let gram = z.adjoint().matmul(z);
///     let square = z.reshape([4]).vdot(z.reshape([4]));
///     (gram.re, square.re, z.sum_axis(0).im, z.mean().re, z.t().im, z.prod().re)
/// });
/// let (gram, square, sums, mean, _, product) = f.call(([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]))?;
/// assert_eq!(gram, Array::from([[2.0, 0.0], [0.0, 2.0]]));
/// assert_eq!((square.item::<f64>()?, mean.item::<f64>()?), (4.0, 0.5));
/// assert_eq!(sums.to_vec::<f64>()?, [1.0, 1.0]);
/// assert_eq!(product.item::<f64>()?, -1.0);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Complex {
    /// The sum of all elements: `numpy.sum`. Derivative: the sum of the tangents.
    #[track_caller]
    pub fn sum(self) -> Complex {
        self.sum_axis(..)
    }

    /// The sum along axes: `numpy.sum(z, axis)`. Derivative: the sums of the tangents.
    #[track_caller]
    pub fn sum_axis(self, which: impl Into<Along>) -> Complex {
        let (z, which) = (self.together("sum"), which.into());
        Complex {
            re: z.re.sum_axis(which.clone()),
            im: z.im.sum_axis(which),
        }
    }

    /// The mean of all elements: `numpy.mean`. Derivative: the mean of the tangents.
    #[track_caller]
    pub fn mean(self) -> Complex {
        self.mean_axis(..)
    }

    /// The mean along axes: `numpy.mean(z, axis)`. Derivative: the means of the tangents.
    #[track_caller]
    pub fn mean_axis(self, which: impl Into<Along>) -> Complex {
        let (z, which) = (self.together("mean"), which.into());
        Complex {
            re: z.re.mean_axis(which.clone()),
            im: z.im.mean_axis(which),
        }
    }

    /// The product of all elements, in pairs: `numpy.prod`. Derivative: to each element the product of the others.
    #[track_caller]
    pub fn prod(self) -> Complex {
        let z = self.together("prod");
        let at = Location::caller();
        asked_at(at, || {
            let mut rest = z.map(|x| x.reshape([-1]));
            if rest.shape()[0] == 0 {
                return Complex::from(1.0).map(|x| x.to(z.re.dtype()));
            }
            // Halves are multiplied; an odd element waits.
            let mut odd: Option<Complex> = None;
            while rest.shape()[0] > 1 {
                let n = rest.shape()[0];
                if n % 2 == 1 {
                    let last = rest.map(|x| x.at(n - 1));
                    odd = Some(odd.map_or(last, |o| o * last));
                }
                let half = n / 2;
                rest = rest.map(|x| x.at(0..half)) * rest.map(|x| x.at(half..2 * half));
            }
            let all = rest.map(|x| x.at(0));
            odd.map_or(all, |o| o * all)
        })
    }

    /// The product of matrices or vectors, without conjugation: `numpy.dot`. Derivative: the product of the tangent of
    /// either with the other.
    #[track_caller]
    pub fn dot(self, other: impl Into<Complex>) -> Complex {
        let (a, b) = (self.together("dot"), other.into().together("dot"));
        Complex {
            re: a.re.dot(b.re) - a.im.dot(b.im),
            im: a.re.dot(b.im) + a.im.dot(b.re),
        }
    }

    /// The product of matrices, of which there may be a batch: `numpy.matmul`. Derivative: as [`Complex::dot`].
    #[track_caller]
    pub fn matmul(self, other: impl Into<Complex>) -> Complex {
        let (a, b) = (self.together("matmul"), other.into().together("matmul"));
        Complex {
            re: a.re.matmul(b.re) - a.im.matmul(b.im),
            im: a.re.matmul(b.im) + a.im.matmul(b.re),
        }
    }

    /// The sum of the products of the conjugated elements with those of another vector: `numpy.vdot`. Derivative: the
    /// product of the tangent of either with the other.
    #[track_caller]
    pub fn vdot(self, other: impl Into<Complex>) -> Complex {
        self.conj().dot(other)
    }

    /// The elements in a new shape: `numpy.reshape`. Derivative: the tangent, reshaped.
    #[track_caller]
    pub fn reshape(self, shape: impl IntoShape + Clone) -> Complex {
        let z = self.together("reshape");
        Complex {
            re: z.re.reshape(shape.clone()),
            im: z.im.reshape(shape),
        }
    }

    /// The transposed array: `numpy.transpose`. Derivative: the tangent, transposed.
    #[track_caller]
    pub fn t(self) -> Complex {
        let z = self.together("t");
        Complex {
            re: z.re.t(),
            im: z.im.t(),
        }
    }

    /// The conjugated and transposed array. Derivative: the tangent, conjugated and transposed.
    #[track_caller]
    pub fn adjoint(self) -> Complex {
        self.conj().t()
    }
}

/// The sum of products of complex arrays that a specification describes: `numpy.einsum`. See
/// [`einsum`](crate::einsum()) of real arrays. Derivative: in each operand, the same sum with the tangent in its place.
#[track_caller]
pub fn einsum(spec: &str, operands: &[Complex]) -> Complex {
    let mut parts: Vec<Complex> = Vec::with_capacity(operands.len());
    for z in operands {
        parts.push(z.together("einsum"));
    }
    if parts.is_empty() || parts.len() > 8 {
        let all: Vec<Var> = parts.iter().map(|z| z.re).collect();
        refuse(
            "einsum",
            &all,
            format!("{} complex operands, not 1 to 8", parts.len()),
        );
    }
    let (mut re, mut im): (Option<Var>, Option<Var>) = (None, None);
    // One real sum for each choice of a part of every operand: each imaginary part is a factor i.
    for chosen in 0..1usize << parts.len() {
        let imaginary = |k: usize| chosen >> k & 1 == 1;
        let factors: Vec<Var> = (parts.iter().enumerate())
            .map(|(k, z)| if imaginary(k) { z.im } else { z.re })
            .collect();
        let term = crate::einsum(spec, &factors);
        let to = if chosen.count_ones() % 2 == 0 {
            &mut re
        } else {
            &mut im
        };
        *to = Some(match (*to, chosen.count_ones() / 2 % 2) {
            (None, 0) => term,
            (None, _) => -term,
            (Some(sum), 0) => sum + term,
            (Some(sum), _) => sum - term,
        });
    }
    let (re, im) = (re.expect("a term"), im.expect("a term"));
    Complex { re, im }
}
