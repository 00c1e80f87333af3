//! The gamma distribution and those derived from it.
//!
//! Logarithms are drawn: gamma variates with a small shape parameter underflow, but their ratios do not.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::custom_rule::custom_jvp;
use wengert_ir::ops::while_loop::while_loop;
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::each::{attempts, each, each_of};
use super::shape::{Draws, FLOATS, asked, parameter, refuse, several};
use super::uniform::{opened, tails};
use super::valid::where_valid;

/// # The gamma family
///
/// Draws are computed in `f64`, each by rejection in its own loop. Derivatives in the parameters are those of
/// the quantile at a fixed probability (Figurnov, Mohamed and Mnih, Implicit reparameterization gradients,
/// 2018), to any order: `dx/da = -(∂P/∂a) / density`.
///
/// Parameters may have any magnitude of a float: draws that underflow are 0, with derivative 0, and ratios are
/// computed before rounding. Negative, infinite and NaN parameters give NaN.
impl Key {
    /// Draws from the gamma distribution with shape parameter `alpha > 0` and scale 1: density `x^(α-1) e^-x /
    /// Γ(α)`. The result is 0 for `alpha = 0`.
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
            self.logs("gamma", alpha).number().to(ty.dtype)
        })
    }

    /// Draws from the chi-square distribution with `k > 0` degrees of freedom: the sum of squares of `k`
    /// standard normal numbers. For the derivative in `k` see [`Key::gamma`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|key: Key| {
    ///     let [a, b, c, d] = key.split_n();
    ///     let weights = d.dirichlet(Var::from([1.0, 2.0, 3.0]), [10_000]);
    ///     let means = (a.chi_square(4.0, [10_000]).mean(), b.student_t(5.0, [10_000]).mean());
    ///     (means, c.beta(1.0, 3.0, [10_000]).mean(), weights.mean_axis(0))
    /// });
    /// let ((squares, student), beta, weights) = f.call(Key::from_seed(0))?;
    /// assert!((squares.item::<f64>()? - 4.0).abs() < 0.2 && student.item::<f64>()?.abs() < 0.1);
    /// assert!((beta.item::<f64>()? - 0.25).abs() < 0.02);
    /// assert!(weights.all_close(&Array::from([1.0 / 6.0, 1.0 / 3.0, 0.5]), 0.0, 0.02));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn chi_square(self, k: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("chi_square", shape, FLOATS);
            let k = parameter("chi_square", k, &ty);
            let k = k.to(DType::F64);
            let half = where_valid(0.5 * k, k.ge(0.0));
            (2.0 * self.logs("chi_square", half).number()).to(ty.dtype)
        })
    }

    /// Draws from Student's t distribution with `nu > 0` degrees of freedom; infinite `nu` gives the normal
    /// distribution, and 0 gives NaN. For a small `nu` most draws are beyond the range of floats: they are 0 or
    /// infinite. For the derivative in `nu` see [`Key::gamma`].
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
        // Smaller parameters give the same results.
        let half = where_valid(0.5 * nu, nu.gt(0.0));
        let half = half.lt(1e-300).select(1e-300, half);
        let half = half.gt(1e300).select(1e300, half);
        z * (0.5 * (half.ln() - b.logs(op, half).log)).exp()
    }

    /// Draws from the beta distribution with parameters `a, b > 0`: density `x^(a-1) (1-x)^(b-1) / B(a, b)` on
    /// `0..1`. If one parameter is 0, all the probability is at its end. For the derivatives see
    /// [`Key::gamma`].
    #[track_caller]
    pub fn beta(self, a: impl IntoVar, b: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("beta", shape, FLOATS);
            let (a, b) = (parameter("beta", a, &ty), parameter("beta", b, &ty));
            let [x, y] = self.split_n();
            let (x, y) = (x.logs("beta", a), y.logs("beta", b));
            let most = x.alpha.maximum(y.alpha).stop_gradient();
            // Where the two can be distinguished at all, both are small or both are large.
            let small = (x.scaled(most) - y.scaled(most)) / most;
            let ratio = (x.base() / y.base()).ln() + (x.beside - y.beside);
            let both = x.alpha.gt(LARGE).and(y.alpha.gt(LARGE));
            let difference = both.select(ratio, x.log - y.log);
            most.lt(SMALL)
                .select(small, difference)
                .sigmoid()
                .to(ty.dtype)
        })
    }

    /// Draws from the Dirichlet distribution with parameters `alpha > 0` along the last axis: vectors of
    /// positive numbers with sum 1, `shape` of them. A component with parameter 0 is 0. For the derivative see
    /// [`Key::gamma`].
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
            let x = self.logs("dirichlet", alpha);
            let along = |x: Var| x.amax_axis(-1).expand_dims(-1);
            let most = along(x.alpha).stop_gradient();
            let scaled = x.scaled(most);
            let small = (scaled - along(scaled)) / most;
            let ratio = (x.base() / along(x.base())).ln() + x.beside + x.tail();
            let logs = most.gt(LARGE).select(ratio, x.log);
            most.lt(SMALL).select(small, logs).softmax(-1).to(ty.dtype)
        })
    }

    /// Draws logarithms of gamma variates, one for each parameter, in the shape of the parameters.
    #[track_caller]
    fn logs(self, op: &str, alpha: Var) -> Logs {
        let words = self.consumed(op);
        let (dims, alpha) = (alpha.shape(), alpha.to(DType::F64));
        // Turns -0 into 0, whose reciprocal is positive.
        let alpha = alpha.eq(0.0).select(0.0, alpha);
        let flat = alpha.flatten();
        let n = flat.shape()[0];
        let drawn = custom_jvp(
            &[words, flat],
            |x| draw(x[0], x[1], n),
            |x, dx| {
                let y = draw(x[0], x[1], n);
                let d = dx[1] * slope(x[1], y[0], y[1], n);
                let none = Var::zeros(&d.ty());
                (y, vec![d, d, none])
            },
        );
        Logs {
            alpha,
            log: drawn[0].reshape(&dims[..]),
            beside: drawn[1].reshape(&dims[..]),
            power: drawn[2].reshape(&dims[..]),
        }
    }
}

/// The shape parameter from which the logarithm of a gamma variate, as a float, resolves its distance from the
/// parameter too coarsely.
const LARGE: f64 = (1u64 << 40) as f64;

/// The shape parameter below which a gamma variate may have a logarithm beyond the range of floats.
const SMALL: f64 = 1e-290;

/// The largest derivative of a logarithm. Where it would be larger, the variate itself is 0.
const STEEP: f64 = 1e290;

/// Logarithms of gamma variates as a sum: `log = log base + beside + power / α`.
struct Logs {
    alpha: Var,
    log: Var,
    /// Has the derivative of `log`; the other terms have none.
    beside: Var,
    power: Var,
}

impl Logs {
    /// Returns the gamma variates.
    #[track_caller]
    fn number(&self) -> Var {
        let large = self.base() * self.beside.exp();
        self.alpha.gt(LARGE).select(large, self.log.exp())
    }

    #[track_caller]
    fn base(&self) -> Var {
        base(self.alpha.stop_gradient())
    }

    #[track_caller]
    fn tail(&self) -> Var {
        self.alpha
            .lt(1.0)
            .select(self.power / self.alpha, 0.0)
            .stop_gradient()
    }

    /// Returns `most` times the logarithm, for parameters so small that only the power counts; `most` is the
    /// largest of them.
    #[track_caller]
    fn scaled(&self, most: Var) -> Var {
        self.power / (self.alpha.stop_gradient() / most)
    }
}

/// Returns the factor of a gamma variate beside the cube of a nearly normal number; below 1 that of `α + 1`.
#[track_caller]
fn base(alpha: Var) -> Var {
    alpha.lt(1.0).select(alpha + 1.0, alpha) - 1.0 / 3.0
}

/// Implements Marsaglia and Tsang, A simple method for generating gamma variables, 2000. Below 1, where the
/// method does not apply, a variate with parameter `α + 1` is multiplied by `u^(1/α)`. Returns the logarithms
/// of the variates and of the cubes, and `log u`.
fn draw(words: Var, alpha: Var, n: usize) -> Vec<Var> {
    each_of(n, &[alpha], |i, alpha| {
        let alpha = alpha[0];
        let (small, large) = (alpha.lt(1.0), alpha.gt(LARGE));
        let valid = alpha.ge(0.0).and(alpha.is_finite());
        let d = base(alpha);
        let c = (9.0 * d).rsqrt();
        let start = [Var::scalar(0.0), Var::scalar(0.0)];
        let found = attempts(words, i, n, 3, &start, |bits| {
            let x = tails(bits[0]).normal_tail();
            let root = x.mul_add(c, 1.0);
            let v = root * root * root;
            let log_v = v.maximum(f64::MIN_POSITIVE).ln();
            let limit = (0.5 * x).mul_add(x, d * (1.0 - v + log_v));
            // To first order, where `v` is 1 except for rounding.
            let log_v = large.select(3.0 * (x * c).log1p(), log_v);
            let limit = large.select(-(x * x) * (x * x) / 108.0 / d, limit);
            let taken = root.gt(0.0).and(opened(bits[1]).ln().lt(limit));
            (taken.or(!valid), vec![log_v, opened(bits[2]).ln()])
        });
        let power = small.select(found[1], 0.0);
        let log = d.ln() + found[0] + small.select(found[1] / alpha, 0.0);
        let all = [log, found[0], power];
        all.map(|x| where_valid(x, valid)).to_vec()
    })
}

/// Returns `d ln z / dα` at a fixed probability, given the logarithm of `z` and that of its cube.
///
/// Up to `α + 1` it uses the series of the incomplete gamma function (DLMF 8.7.1), beyond it the continued
/// fraction (DLMF 8.9.2), each with its derivative in `α`; for large `α` the expansion of the quantile.
fn slope(alpha: Var, log_z: Var, beside: Var, n: usize) -> Var {
    each(n, &[alpha, log_z, beside], |_, x| {
        let (given, log_z, beside) = (x[0], x[1], x[2]);
        let large = given.gt(MANY);
        let alpha = large.select(1.0, given);
        let z = large.select(1.0, log_z.exp());
        let low = z.le(alpha + 1.0);
        let near = low.select(z, 0.0);
        let (s, ds) = series(alpha, near);
        let below = -(s * (log_z - (alpha + 1.0).digamma()) + ds) / alpha;
        let far = low.select(alpha + 2.0, z);
        let (h, dh) = fraction(alpha, far, low);
        let above = h * (far.ln() - alpha.digamma()) + dh;
        let slope = low.select(below, above);
        let slope = slope.gt(STEEP).select(STEEP, slope);
        large.select(slope_of_many(large.select(given, MANY), beside), slope)
    })
}

/// The shape parameter from which the sums would be long.
const MANY: f64 = 1e5;

/// Computes [`slope`] by the expansion of Cornish and Fisher, whose next term is 10^-12 of the first: the
/// quantile is `α + w √α + (w² - 1)/3 + ..`, where `w`, the quantile of the normal distribution, is fixed.
fn slope_of_many(alpha: Var, beside: Var) -> Var {
    let d = base(alpha);
    let r = alpha.sqrt().recip();
    let away = (d * beside.expm1() - 1.0 / 3.0) * r;
    let third = |w: Var| w * (w * w - 7.0) / 36.0;
    let fourth = |w: Var| ((3.0 * (w * w) + 7.0) * (w * w) - 16.0) / 810.0;
    let mut w = away;
    for _ in 0..6 {
        w = away - r * ((w * w - 1.0) / 3.0 + r * (third(w) - r * fourth(w)));
    }
    let dz = 1.0 + r * (0.5 * w + r * r * (r * fourth(w) - 0.5 * third(w)));
    dz / d * (-beside).exp()
}

/// Returns `Σ zⁿ / ((α+1) .. (α+n))` and its derivative in `α`, for `z <= α + 1`.
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

/// Returns the continued fraction `1 / (z + 1 - α - (1 - α) / (z + 3 - α - ..))` and its derivative in `α`, for
/// `z > α + 1`. Where it is `unwanted`, it stops at once with an arbitrary value.
fn fraction(alpha: Var, z: Var, unwanted: Var) -> (Var, Var) {
    let (zero, one) = (Var::scalar(0.0), Var::scalar(1.0));
    // Two convergents, scaled so that the denominator of the later one is 1: the numerators, the earlier
    // denominator, the derivatives of all four, n, and the change.
    let start = [one, zero, zero, zero, zero, zero, zero, zero, one];
    let out = while_loop(
        &start,
        |x| x[8].gt(1e-15).and(!unwanted),
        |x| {
            let [a0, a1, b0, da0, da1, db0, db1, n] = std::array::from_fn(|i| x[i]);
            // For step n + 1: numerator -n (n - α), or 1 in the first; denominator z + 2n + 1 - α.
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
