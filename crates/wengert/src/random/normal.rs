//! Normal numbers and distributions based on them.

use std::panic::Location;

use wengert_ir::trace::{IntoShape, Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked, refuse, several};
use super::uniform::finite;

impl Key {
    /// Draws standard normal numbers: mean 0, variance 1.
    ///
    /// Each is the quantile of one 64-bit word (`f32`: of a 32-bit one), a loop-free function of its bits which
    /// increases with the result of [`Key::uniform`] for the same key. The tails reach to 9.1 (6.2) and are
    /// resolved as finely as floats.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|key: Key| key.normal([10_000]).square().mean());
    /// assert!((f.call(Key::from_seed(0))?.item::<f64>()? - 1.0).abs() < 0.05);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn normal(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("normal", shape, FLOATS);
            self.tails("normal", &ty).normal_tail()
        })
    }

    /// Draws normal vectors with a mean and the covariance `L Lᵀ`, given the factor `L`. The vectors lie along
    /// the last axis, and `shape` says how many. The result is NaN where the mean or the factor is infinite.
    /// The derivatives are those of `mean + L z`.
    ///
    /// # Errors
    /// If the mean is not a vector of floats, or the factor is not a square matrix of that size.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(mean, factor, key): (Var, Var, Key)| key.multivariate_normal(mean, factor, [100]));
    /// let x = f.call(([1.0, 2.0], [[1.0, 0.0], [0.5, 2.0]], Key::from_seed(0)))?;
    /// assert_eq!(x.shape(), [100, 2]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn multivariate_normal(self, mean: Var, factor: Var, shape: impl IntoShape) -> Var {
        let op = "multivariate_normal";
        asked_at(Location::caller(), || {
            let (m, l) = (mean.ty(), factor.ty());
            let dims = m.dims();
            if dims.len() != 1 || !m.is_float() || l != m.with_dims(&[dims[0], dims[0]]) {
                let message = format!("a mean of type {m} with a factor of type {l}");
                refuse(op, &[m, l], message, Some("they are f64[n] and f64[n,n]"));
            }
            let ty = asked(op, shape, FLOATS).with_dtype(m.dtype);
            let ty = several(op, &ty, &dims);
            let z = self.tails(op, &ty).normal_tail();
            finite(mean) + z.inner(finite(factor))
        })
    }

    /// Draws unit vectors with `n` components along the last axis, uniform over all directions; `shape` says
    /// how many.
    ///
    /// # Errors
    /// If `n` is zero.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let v = jit(|key: Key| key.unit_vector(3, [10])).call(Key::from_seed(0))?;
    /// for v in v.as_slice::<f64>()?.chunks(3) {
    ///     assert!((v.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-14);
    /// }
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn unit_vector(self, n: usize, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("unit_vector", shape, FLOATS);
            if n == 0 {
                refuse("unit_vector", &[], "no components".into(), None);
            }
            let ty = several("unit_vector", &ty, &[n]);
            let z = self.tails("unit_vector", &ty).normal_tail();
            let length = z.square().sum_axis(-1).sqrt();
            z / length.expand_dims(-1)
        })
    }
}
