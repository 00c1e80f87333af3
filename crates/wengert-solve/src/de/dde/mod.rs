//! Equations with delays: `y'(t) = f(t, y(t), y(t - τ₁), y(t - τ₂), ..)`.
//!
//! [`Dde`] solves equations with a few constant delays, by any explicit [method](crate::de::Method) and its dense output, with fixed
//! or adaptive steps. [`Network`] is for many nodes with a delay for each pair, in steps, and with noise: models of
//! a whole brain.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::de::{Dde, Tsit5};
//!
//! // y' = -y(t - 1), and y = 1 up to 0: a polynomial on each unit of time.
//! let f = jit(|r: Var| {
//!     let rate = move |_t: Var, _y: Var, past: Vec<Var>| -r * past[0];
//!     Dde::new(Tsit5).solve(rate, [1.0], |_t: Var| Var::from(1.0), 0.0, 2.0)
//! });
//! let found = f.call(1.0)?.ok()?;
//! assert!((found.y.item::<f64>()? + 0.5).abs() < 1e-8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adaptive;
mod fixed;
mod network;
mod ring;
mod solver;

pub use network::{Network, NetworkPath};
pub use solver::Dde;
