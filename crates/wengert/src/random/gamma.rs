//! The gamma distribution and those made of it.
//!
//! Logarithms are drawn: gamma numbers of a small shape parameter are too small for floats, and their
//! ratios are not.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::custom_rule::custom_jvp;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::each::{attempts, each};
use super::shape::{Draws, FLOATS, asked, parameter, refuse, several};
use super::uniform::{opened, tails};

/// # The gamma family
///
/// Computed in `f64`, each draw by rejection in a loop of its own. Derivatives in the parameters are those
/// of the quantile at a fixed probability (Figurnov, Mohamed and Mnih, Implicit reparameterization
/// gradients, 2018), to any order: `dx/da = -(∂P/∂a) / density`.
impl Key {
    /// The gamma distribution with shape parameter `alpha > 0` and scale 1: density
    /// `x^(α-1) e^-x / Γ(α)`.
    ///
    /// # Errors
    /// If `alpha` does not broadcast to the shape.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // The mean is α, and its derivative 1.
    /// let f = jit(|(a, key): (Var, Key)| value_and_grad_at(a, |a| key.gamma(a, [20_000]).mean()));
    /// let (mean, slope) = f.call((3.0, Key::from_seed(0)))?;
    /// assert!((mean.item::<f64>()? - 3.0).abs() < 0.05);
    /// assert!((slope.item::<f64>()? - 1.0).abs() < 0.02);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn gamma(self, alpha: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("gamma", shape, FLOATS);
            let alpha = parameter("gamma", alpha, &ty);
            self.log_gamma("gamma", alpha).exp().to(ty.dtype)
        })
    }

    /// The chi-square distribution with `k > 0` degrees of freedom, of which the sum of squares of `k`
    /// standard normal numbers is. Derivative in `k`: as of [`Key::gamma`].
    #[track_caller]
    pub fn chi_square(self, k: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("chi_square", shape, FLOATS);
            let k = parameter("chi_square", k, &ty);
            (2.0 * self.log_gamma("chi_square", 0.5 * k).exp()).to(ty.dtype)
        })
    }

    /// Student's distribution with `nu > 0` degrees of freedom. Derivative in `nu`: as of
    /// [`Key::gamma`].
    #[track_caller]
    pub fn student_t(self, nu: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("student_t", shape, FLOATS);
            let nu = parameter("student_t", nu, &ty).to(DType::F64);
            let drawn = self.student("student_t", nu, &ty.with_dtype(DType::F64));
            drawn.to(ty.dtype)
        })
    }

    #[track_caller]
    fn student(self, op: &str, nu: Var, ty: &Type) -> Var {
        let [a, b] = self.split_n();
        let z = a.tails(op, ty).normal_tail();
        let half = 0.5 * nu;
        z * (0.5 * (half.ln() - b.log_gamma(op, half))).exp()
    }

    /// The beta distribution with parameters `a, b > 0`: density `x^(a-1) (1-x)^(b-1) / B(a, b)` on
    /// `0..1`. Derivatives: as of [`Key::gamma`].
    #[track_caller]
    pub fn beta(self, a: impl IntoVar, b: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("beta", shape, FLOATS);
            let (a, b) = (parameter("beta", a, &ty), parameter("beta", b, &ty));
            let [x, y] = self.split_n();
            let (x, y) = (x.log_gamma("beta", a), y.log_gamma("beta", b));
            (x - y).sigmoid().to(ty.dtype)
        })
    }

    /// The Dirichlet distribution with parameters `alpha > 0` along the last axis: vectors of positive
    /// numbers with sum 1, as many as `shape` says. Derivative: as of [`Key::gamma`].
    ///
    /// # Errors
    /// If `alpha` is a scalar, or its other axes do not broadcast to the shape.
    #[track_caller]
    pub fn dirichlet(self, alpha: Var, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("dirichlet", shape, FLOATS);
            let Some(&n) = alpha.shape().last() else {
                let message = "one parameter, and not a vector of them".into();
                refuse("dirichlet", &[alpha.ty()], message, None);
            };
            let alpha = parameter("dirichlet", alpha, &several("dirichlet", &ty, &[n]));
            self.log_gamma("dirichlet", alpha).softmax(-1).to(ty.dtype)
        })
    }

    /// Logarithms of gamma numbers, one for each parameter: `f64`, of the shape of the parameters.
    #[track_caller]
    fn log_gamma(self, op: &str, alpha: Var) -> Var {
        let words = self.consumed(op);
        let (dims, flat) = (alpha.shape(), alpha.to(DType::F64).flatten());
        let n = flat.shape()[0];
        let drawn = custom_jvp(
            &[words, flat],
            |x| vec![draw(x[0], x[1], n)],
            |x, dx| {
                let y = draw(x[0], x[1], n);
                (vec![y], vec![dx[1] * slope(x[1], y, n)])
            },
        );
        drawn[0].reshape(dims)
    }
}

/// Marsaglia and Tsang, A simple method for generating gamma variables, 2000. Below 1, where the method
/// ends, a number of parameter `α + 1` is taken times `u^(1/α)`.
fn draw(words: Var, alpha: Var, n: usize) -> Var {
    each(n, &[alpha], |i, alpha| {
        let alpha = alpha[0];
        let small = alpha.lt(1.0);
        let valid = alpha.ge(0.0).and(alpha.is_finite());
        let d = small.select(alpha + 1.0, alpha) - 1.0 / 3.0;
        let c = (9.0 * d).rsqrt();
        let start = [Var::scalar(0.0), Var::scalar(0.0)];
        let found = attempts(words, i, n, 3, &start, |bits| {
            let x = tails(bits[0]).normal_tail();
            let root = x.mul_add(c, 1.0);
            let v = root * root * root;
            let log_v = v.maximum(f64::MIN_POSITIVE).ln();
            let limit = (0.5 * x).mul_add(x, d * (1.0 - v + log_v));
            let taken = root.gt(0.0).and(opened(bits[1]).ln().lt(limit));
            (taken.or(!valid), vec![log_v, opened(bits[2]).ln()])
        });
        let z = d.ln() + found[0] + small.select(found[1] / alpha, 0.0);
        alpha.ge(0.0).select(z, f64::NAN)
    })
}

/// `d ln z / dα` at a fixed probability, given the logarithm of `z`.
///
/// Up to `α + 1` by the series of the incomplete gamma function (DLMF 8.7.1), beyond by its continued
/// fraction (DLMF 8.9.2), each with its derivative in `α`.
fn slope(alpha: Var, log_z: Var, n: usize) -> Var {
    each(n, &[alpha, log_z], |_, x| {
        let (alpha, log_z) = (x[0], x[1]);
        let z = log_z.exp();
        let low = z.le(alpha + 1.0);
        let near = low.select(z, 0.0);
        let (s, ds) = series(alpha, near);
        let below = -(s * (log_z - (alpha + 1.0).digamma()) + ds) / alpha;
        let far = low.select(alpha + 2.0, z);
        let (h, dh) = fraction(alpha, far, low);
        let above = h * (far.ln() - alpha.digamma()) + dh;
        low.select(below, above)
    })
}

/// `Σ zⁿ / ((α+1) .. (α+n))` and its derivative in `α`, for `z <= α + 1`.
fn series(alpha: Var, z: Var) -> (Var, Var) {
    let (zero, one) = (Var::scalar(0.0), Var::scalar(1.0));
    // The term, the sum of 1 / (α+k) so far, n, and the two sums.
    let out = while_loop(
        &[one, zero, zero, one, zero],
        |x| x[0].gt(1e-17 * x[3]),
        |x| {
            let n = x[2] + 1.0;
            let below = (alpha + n).recip();
            let (term, sum) = (x[0] * z * below, x[1] + below);
            vec![term, sum, n, x[3] + term, x[4] - term * sum]
        },
    );
    (out[3], out[4])
}

/// The continued fraction `1 / (z + 1 - α - (1 - α) / (z + 3 - α - ..))` and its derivative in `α`, for
/// `z > α + 1`; at once something where it is not `wanted`.
fn fraction(alpha: Var, z: Var, unwanted: Var) -> (Var, Var) {
    let (zero, one) = (Var::scalar(0.0), Var::scalar(1.0));
    // Two convergents, the denominator of the later one being 1: the numerators, the earlier denominator,
    // the derivatives of all four, n, and the change.
    let start = [one, zero, zero, zero, zero, zero, zero, zero, one];
    let out = while_loop(
        &start,
        |x| x[8].gt(1e-15).and(!unwanted),
        |x| {
            let [a0, a1, b0, da0, da1, db0, db1, n] = std::array::from_fn(|i| x[i]);
            // Of step n + 1: numerator -n (n - α), or 1 in the first; denominator z + 2n + 1 - α.
            let c = n.gt(0.0).select(n * (alpha - n), 1.0);
            let d = z + 2.0 * n + 1.0 - alpha;
            let a = d * a1 + c * a0;
            let b = d + c * b0;
            let da = d * da1 - a1 + c * da0 + n * a0;
            let db = d * db1 - 1.0 + c * db0 + n * b0;
            let scale = b.recip();
            let (f, df) = (a * scale, da * scale);
            let (b0, db) = (scale, db * scale);
            let (value, slope) = (df - f * db, da1 - a1 * db1);
            let change = ((f - a1) / f).abs() + (value - slope).abs() / (value.abs() + f);
            vec![a1 * b0, f, b0, da1 * b0, df, db1 * b0, db, n + 1.0, change]
        },
    );
    (out[1], out[4] - out[1] * out[6])
}
