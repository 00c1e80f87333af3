//! Orthogonal matrices.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::iota::iota;
use wengert_ir::ops::map::map;
use wengert_ir::ops::scan::scan;
use wengert_ir::trace::{Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked, refuse, several};

impl Key {
    /// Draws orthogonal matrices with `n` rows from Haar's measure, reflections as well as rotations, along the
    /// last two axes; `shape` says how many. There is no parameter, and so no derivative.
    ///
    /// A matrix is a product of `n` reflections; row `k` of a square of normal numbers is the normal vector of
    /// reflection `k` (Stewart, The efficient generation of random orthogonal matrices, 1980): about `4 n³`
    /// operations. `q.dot(q.t())` is the unit matrix up to about `n` times the rounding of a float.
    ///
    /// # Errors
    /// If `n` is zero.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|key: Key| {
    ///     let q = key.orthogonal(4, ());
    ///     (q.dot(q.t()) - eye(4)).abs().amax()
    /// });
    /// assert!(f.call(Key::from_seed(0))?.item::<f64>()? < 1e-14);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn orthogonal(self, n: usize, shape: impl Draws) -> Var {
        let op = "orthogonal";
        asked_at(Location::caller(), || {
            let ty = asked(op, shape, FLOATS);
            if n == 0 {
                refuse(op, &[], "no rows".into(), None);
            }
            let all = several(op, &ty, &[n, n]);
            let many = ty.size();
            let z = self.tails(op, &all).normal_tail().reshape([many, n, n]);
            let q = map(&[z], many, |z| vec![reflected(z[0], n)])[0];
            q.reshape(all.dims())
        })
    }
}

/// Returns the orthogonal factor of a matrix of normal numbers, with signs that make the triangular factor's
/// diagonal positive.
///
/// Reflection `k` leaves the first `k` coordinates unchanged and maps the rest of row `k` to a multiple of its
/// first coordinate. A negative multiple flips the sign of column `k`.
fn reflected(z: Var, n: usize) -> Var {
    let places = iota(Type::new(DType::I64, &[n]), 0);
    let rows = places.expand_dims(1);
    let unit = rows.eq(places).to(z.dtype());
    // From the last reflection to the first, so that the partial product stays in its lower right corner.
    let out = scan(&[unit], &[places, z], n, true, |q, row| {
        let (q, k, x) = (q[0], row[0], row[1]);
        let x = places.ge(k).select(x, 0.0);
        let length = x.square().sum().sqrt().copysign(x.at(k));
        let first = places.eq(k);
        let v = first.select(x + length, x);
        // Zero for a vector of zeros, which reflects nothing.
        let scale = 2.0 / v.square().sum().maximum(f64::from(f32::MIN_POSITIVE));
        let sign = first.select(Var::full(&length.ty(), 1.0).copysign(-length), 1.0);
        let q = q * sign;
        let along = (v.expand_dims(1) * q).sum_axis(0);
        (vec![q - (scale * v).expand_dims(1) * along], vec![])
    });
    out[0]
}
