//! Support for solver crates, so that their errors speak in the user's terms.
//!
//! A function that takes the user's functions, such as an ODE solver, calls them inside its own loops. Four
//! things make its errors as good as those of this crate:
//!
//! - [`asked_at`] around everything it records, and again in the bodies of its loops, so that these operations
//!   are attributed to the line where the solver was called;
//! - [`inside`] around each call of a user's function, so that the operations recorded there are attributed to
//!   the user's own lines;
//! - [`same_trees`] and [`expect_floats`] on the arguments and results of the user's functions. Without them a
//!   right-hand side of shape `[1]` beside a state of shape `[2]` broadcasts, and the result is wrong;
//! - [`refuse`] for everything else, or [`raise`] for an [`Error`] of another kind.
//!
//! ```
//! use std::panic::Location;
//! use wengert::prelude::*;
//! use wengert::{IntoTree, solver};
//!
//! /// Euler's method for `y' = f(t, y)`: `n` steps from `t = 0` to `end`.
//! #[track_caller]
//! fn euler<I, A>(f: impl Fn(Var, I::Tree) -> A, y0: I, end: f64, n: usize) -> I::Tree
//! where
//!     I: IntoTree,
//!     I::Tree: tree::Vars + Clone,
//!     A: IntoTree<Tree = I::Tree>,
//! {
//!     let place = Location::caller();
//!     solver::asked_at(place, || {
//!         let y0 = y0.into_tree();
//!         solver::expect_floats("euler", "the state", &y0);
//!         if n == 0 {
//!             solver::refuse("euler", "no step leads to the end");
//!         }
//!         let h = end / n as f64;
//!         fori(0..n, y0, |i, y: I::Tree| {
//!             solver::asked_at(place, || {
//!                 let rate = solver::inside(|| f(i.to(DType::F64) * h, y.clone()).into_tree());
//!                 solver::same_trees("euler", ["the state", "its rate"], &y, &rate);
//!                 tree::map2(y, rate, |y, k| y + h * k)
//!             })
//!         })
//!     })
//! }
//!
//! let decay = jit(|y: Var| euler(|_, y: Var| -y, y, 1.0, 1000));
//! assert!((decay.call(1.0)?.item::<f64>()? - 0.3677).abs() < 1e-4);
//!
//! let wrong = jit(|y: Var| euler(|_, y: Var| -y.slice_axis(0, 0..1), y, 1.0, 1000));
//! let error = wrong.call([1.0, 2.0]).unwrap_err().to_string();
//! assert!(error.starts_with("euler: the state has f64[2], and its rate has f64[1], at "), "{error}");
//! # Ok::<(), wengert::Error>(())
//! ```

pub use wengert_ir::error::raise;
pub use wengert_ir::source::{Place, SourceId};
pub use wengert_ir::trace::{asked_at, current_source, inside, with_source};

use std::panic::Location;

use wengert_ir::error::Error;
use wengert_ir::ops::elementwise;
use wengert_ir::trace::Var;

use crate::transform::unlike;
use crate::tree::{self, Tree};

/// Aborts the trace with an error of operation `op` at the user's line.
///
/// # Panics
/// Always; the call that traces the function returns an [`Error::Tree`]. Outside a trace it is an ordinary
/// panic.
#[track_caller]
pub fn refuse(op: &str, message: impl Into<String>) -> ! {
    raise(Error::tree(op, message, current_source()))
}

/// Returns `a b`, and 0 where `a` is 0, whatever `b` is: for a derivative whose factor may be infinite, or NaN,
/// where it does not count. Its own derivatives have the same property.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::solver::mul_or_zero;
///
/// let f = jit(|x: Var| mul_or_zero(x, x.recip()));
/// assert_eq!(f.call([0.0, 4.0])?.to_vec::<f64>()?, [0.0, 1.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If they differ in shape or element type.
#[track_caller]
pub fn mul_or_zero(a: Var, b: Var) -> Var {
    asked_at(Location::caller(), || elementwise::mul_or_zero(a, b))
}

/// Requires two trees to have the same structure and, leaf by leaf, the same shape and dtype; `what` names
/// both.
///
/// # Errors
/// If they differ. The error has the operation, both names, the path of the leaf and both types, at the user's
/// line.
#[track_caller]
pub fn same_trees<T: Tree<Leaf = Var>>(op: &str, what: [&str; 2], a: &T, b: &T) {
    let (x, y) = (tree::leaves(a), tree::leaves(b));
    if let Some(message) = unlike(what, (&x, &tree::def(a)), (&y, &tree::def(b))) {
        refuse(op, message);
    }
}

/// Requires the leaves of a tree, which `what` names, to be floats.
///
/// # Errors
/// If one is not. The error has the operation, the name, the path of the leaf and its type, at the user's line.
#[track_caller]
pub fn expect_floats<T: Tree<Leaf = Var>>(op: &str, what: &str, tree: &T) {
    let (leaves, def) = tree::flatten_ref(tree);
    for (v, path) in leaves.iter().zip(def.paths()) {
        let ty = v.ty();
        if !ty.is_float() {
            let hint = "convert it, as in `x.to(DType::F64)`";
            refuse(
                op,
                format!("{what}{path} is {ty}, and must be of floats; {hint}"),
            );
        }
    }
}
