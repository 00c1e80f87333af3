//! What solutions tell: exponents, steady states, limit cycles, sensitivities, ensembles.

mod cycle;
mod ensemble;
mod lyapunov;
mod sensitivity;
mod steady;

pub use cycle::{LimitCycle, PhaseResponse, limit_cycle, phase_response};
pub use ensemble::{Bins, Ensemble, Summary};
pub use lyapunov::{Exponents, Lyapunov};
pub use sensitivity::sensitivity;
pub use steady::{Steady, SteadyState, steady_state};

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};
use wengert::tree::ravel;

use crate::State;

/// A user's function of time and a tree as one of a vector, whose value is checked to be such a tree.
fn of_vectors<'a, Y: State>(
    op: &'a str,
    place: &'static Location<'static>,
    f: impl Fn(Var, Y) -> Y + 'a,
    tree: impl Fn(Var) -> Y + 'a,
) -> impl Fn(Var, Var) -> Var + 'a {
    move |t: Var, x: Var| {
        asked_at(place, || {
            let y = tree(x);
            let k = inside(|| f(t, y.clone()));
            same_trees(op, ["the state", "the function's value"], &y, &k);
            ravel(k).0
        })
    }
}
