//! Methods for stiff equations: each step solves linear systems with the Jacobian of the right-hand side.

mod algebraic;
mod auto;
mod bdf;
mod esdirk;
mod esdirk_numbers;
mod linear;
mod newton;
mod rosenbrock;
mod rosenbrock_numbers;

pub(super) use algebraic::consistent;
pub use auto::{Auto, Switch};
pub use bdf::{Bdf, Differences};
pub use esdirk::{KenCarp3, KenCarp4, Kvaerno3, Kvaerno5, Stages, TrBdf2};
pub use linear::Linear;
pub use newton::Kept;
pub use rosenbrock::{Rodas4, Rodas5P, Ros3P};
