//! Differential equations.
//!
//! An equation is a function `f(t, y)` of a number and a tree, whose value is a tree like `y`. [`Ode`] holds a method
//! and how it steps; what it finds is a [`Solution`].
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::de::{Ode, Tsit5};
//!
//! // A pendulum of length l, let go at an angle.
//! let swing = |l: Var| {
//!     let f = move |_, [angle, speed]: [Var; 2]| [speed, -9.81 / l * angle.sin()];
//!     Ode::new(Tsit5).rtol(1e-10).atol(1e-10).solve(f, [0.5, 0.0], 0.0, 1.0)
//! };
//! let s = jit(swing).call(1.0)?.ok()?;
//! let [angle, speed] = &s.y;
//! let energy = |a: f64, v: f64| 0.5 * v * v - 9.81 * a.cos();
//! let (end, start) = (energy(angle.item()?, speed.item()?), energy(0.5, 0.0));
//! assert!((end - start).abs() < 1e-8);
//!
//! // Ten lengths at once, each with steps of its own, and how the angle depends on the length.
//! let slope = jit(vmap(value_and_grad(move |l: Var| swing(l).y[0])));
//! let (angles, slopes) = slope.call([0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9, 2.1, 2.3])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Derivatives
//! They are those of the steps that were taken: of the numbers that the method computes, for fixed step lengths. How the
//! step lengths were chosen does not contribute, so that an accurate solution has accurate derivatives; the last
//! step ends at `t1` and carries the derivative in it.

pub mod dde;
pub mod sde;

mod adjoint;
mod analysis;
mod checkpoints;
#[cfg(test)]
mod conditions;
mod control;
mod dense;
mod drive;
mod event;
mod explicit;
mod grid;
mod high;
mod keep;
mod method;
mod ode;
mod precondition;
mod rkc;
mod slices;
mod solve;
mod split;
mod stiff;
mod symplectic;
mod tableau;
mod with_events;

pub use adjoint::Adjoint;
pub use analysis::{
    Bins, Ensemble, Exponents, LimitCycle, Lyapunov, PhaseResponse, Steady, SteadyState, Summary,
    limit_cycle, phase_response, sensitivity, steady_state,
};
pub use control::{Atol, Controller, Norm};
pub use dde::{Dde, Network, NetworkPath};
pub use dense::Dense;
pub use event::{Event, Events};
pub use explicit::{
    BogackiShampine, DormandPrince5, Euler, Heun, Kutta38, Midpoint, Ralston, Rk4, Tsit5,
};
pub use grid::{Along, End, Fourier, Grid, laplacian};
pub use high::{DormandPrince8, Vern7};
pub use method::{Field, Method, Trial};
pub use ode::{Ode, Solution};
pub use precondition::{Direct, Preconditioner, Prepared};
pub use rkc::{Rkc, RkcMemory};
pub use sde::{Brownian, Scheme, Sde};
pub use slices::Slices;
pub use stiff::{
    Auto, Bdf, Differences, KenCarp3, KenCarp4, Kept, Kvaerno3, Kvaerno5, Linear, Rodas4, Rodas5P,
    Ros3P, Stages, Switch, TrBdf2,
};
pub use symplectic::Symplectic;
pub use tableau::{Tableau, Tabled};
pub use with_events::WithEvents;
