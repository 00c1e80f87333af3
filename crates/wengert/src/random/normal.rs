//! Normal numbers.

use std::panic::Location;

use wengert_ir::trace::{Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked};

impl Key {
    /// Standard normal numbers: mean 0, variance 1.
    ///
    /// Each is the quantile of one 64-bit number (`f32`: of a 32-bit one), so that a draw is a function of
    /// its bits, monotone and without a loop, whatever surrounds it; the tails reach to 9.1 (6.2) and are
    /// as finely resolved as floats are.
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
}
