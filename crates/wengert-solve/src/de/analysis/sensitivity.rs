//! How what comes out depends on what goes in.

use std::cell::Cell;
use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;

/// Parameters up to this number are always differentiated by forward mode, in which a loop keeps nothing.
const FEW: usize = 8;

/// Returns the value and the derivatives of each of its numbers by each parameter, `(y, dy/dx)`, in the mode that the sizes
/// suggest: reverse if there are more than eight parameters and more than there are numbers in the value, else forward. Its
/// structure is that of [`jacfwd`](wengert::jacfwd).
///
/// # Errors
/// If a leaf of the argument, or in reverse mode of the value, is not a float.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Ode, Tsit5, sensitivity};
///
/// // How the end of a decay chain depends on its two rates.
/// let chain = |[a, b]: [Var; 2]| {
///     let f = move |_: Var, [x, y, z]: [Var; 3]| [-a * x, a * x - b * y, b * y + 0.0 * z];
///     Ode::new(Tsit5).rtol(1e-10).solve(f, [1.0, 0.0, 0.0], 0.0, 1.0).y
/// };
/// let (y, dy) = jit(sensitivity(chain)).call([1.0, 2.0])?;
/// assert!((y[0].item::<f64>()? - (-1f64).exp()).abs() < 1e-8);
/// assert!((dy[0][0].item::<f64>()? + (-1f64).exp()).abs() < 1e-7);
/// assert!(dy[0][1].item::<f64>()?.abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn sensitivity<X, Y, F>(f: F) -> impl Fn(X) -> (Y, Y::Nest<X>) + Clone
where
    X: Tree<Leaf = Var> + Clone,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x: X| {
        asked_at(place, || {
            let size = |leaves: Vec<Var>| leaves.iter().map(|v| v.ty().size()).sum::<usize>();
            let parameters = size(tree::leaves(&x));
            let reverse = parameters > FEW && {
                // Recorded where it never runs, for its types.
                let outputs = Cell::new(0);
                let none = Var::from(0i64);
                let measure = |none: Var| {
                    outputs.set(size(tree::leaves(&f(x.clone()))));
                    none
                };
                cond(Var::from(false), none, measure, |none: Var| none);
                outputs.get() < parameters
            };
            match reverse {
                true => value_and_jacrev(f.clone())(x),
                false => value_and_jacfwd(f.clone())(x),
            }
        })
    }
}
