//! Solvers for [Wengert](wengert): fits, minima, roots, integrals, interpolation, differential equations.
//!
//! Every solver is an ordinary traced function. `jit(vmap(fit))` fits ten thousand data sets side by side, each
//! of which stops when *it* is done; `grad` differentiates what was found; a solver may stand inside another.
//!
//! - Unknowns, residuals and data are [trees](wengert::tree), and closures capture what they need.
//! - A solver returns a tree: what was found, its cost, the numbers of iterations and evaluations, and a
//!   [`Status`] for each element of a batch. It never panics and never loops for ever. An element that fails
//!   does not touch the others; outside a trace `.ok()?` makes the first failure an error.
//! - Derivatives of what was found are by the implicit function theorem: exact at the solution, whatever the
//!   steps were. What is differentiated is what the user's closures capture; a start has no derivative.
//! - With the feature `argmin`, the module of that name gives functions and their derivatives to the crate `argmin`.
//! - Options are `Copy` structs with defaults and setters of the field's names (`ftol`, `xtol`, `gtol`, `max_steps`).
#![forbid(unsafe_code)]

#[cfg(feature = "argmin")]
pub mod argmin;
pub mod de;
pub mod fit;
pub mod interp;
pub mod minimize;
pub mod optim;
pub mod quad;
pub mod root;
mod shared;
mod status;
mod watch;

pub use status::{Failed, Status, require, statuses};
pub use watch::{OnStep, Step, Watch};

use wengert::tree;

/// A tree that loops carry: any [tree] of [`Var`](wengert::Var)s that can be cloned.
pub trait State: tree::Vars + Clone {}

impl<X: tree::Vars + Clone> State for X {}
