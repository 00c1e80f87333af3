//! Optimisers for training: transformations of gradients that compose, schedules, and a loop.
//!
//! A [`Transform`] turns gradients into updates, with a state that it keeps from step to step: [`sgd`],
//! [`adam`], [`adamw`], [`nadam`], [`rmsprop`], [`adagrad`], [`lion`], and the parts that they are made of.
//! [`chain`] applies several in turn. Each is a pair of functions without hidden state:
//! [`init`](Transform::init) makes the state, a tree that a loop carries, and
//! [`update`](Transform::update) maps gradients and state to updates and the next state. [`train`] is the whole
//! loop, one scan inside one compiled function.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::optim::{adam, chain, clip_by_global_norm, train};
//!
//! // The line that fits three points.
//! let fit = jit(|(x, y): (Var, Var)| {
//!     let rule = chain((clip_by_global_norm(1.0), adam(0.05)));
//!     let loss = move |[slope, height]: [Var; 2], _: Var| (slope * x + height - y).square().mean();
//!     train(rule, [0.0, 0.0], 0..2000, loss).params
//! });
//! let [slope, height] = fit.call(([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]))?;
//! assert!((slope.item::<f64>()? - 2.0).abs() < 1e-6);
//! assert!((height.item::<f64>()? - 1.0).abs() < 1e-6);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! Names, formulas and defaults are those of optax (DeepMind, 2020), so that settings may be carried over.
//! Hyperparameters of a chain are Rust numbers, except for the learning rate, which is a [`Schedule`] or a
//! traced number: the derivative of the trained parameters by it is that through all steps.

mod alias;
mod average;
mod clip;
mod combine;
mod scale;
mod schedule;
mod train;

pub use alias::{
    Adagrad, Adam, Lion, RmsProp, Sgd, adagrad, adam, adamw, lion, nadam, nadamw, rmsprop, sgd,
};
pub use average::{Ema, EmaState};
pub use clip::{
    AddDecayedWeights, Clip, ClipByGlobalNorm, ClipByNorm, add_decayed_weights, clip,
    clip_by_global_norm, clip_by_norm,
};
pub use combine::{
    Accumulate, Chain, Masked, SkipNotFinite, Transforms, accumulate, chain, masked,
    skip_not_finite,
};
pub use scale::{
    EmaOfUpdates, Scale, ScaleByAdam, ScaleByLion, ScaleByRms, ScaleByRss, ScaleBySchedule,
    SetToZero, Trace, ema, scale, scale_by_adam, scale_by_learning_rate, scale_by_lion,
    scale_by_rms, scale_by_rss, scale_by_schedule, set_to_zero, trace,
};
pub use schedule::Schedule;
pub use train::{Train, Trained, minibatches, train};

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, refuse, same_trees};

use crate::State;

/// The leaves of a tree and their paths, as a [`Transform`] sees parameters.
#[derive(Clone, Debug, Default)]
pub struct Leaves {
    /// The arrays.
    pub values: Vec<Var>,
    /// The name of each, such as `.layers[0].w`.
    pub paths: Vec<String>,
}

impl Leaves {
    fn of<X: Tree<Leaf = Var>>(tree: &X) -> Leaves {
        let (leaves, def) = tree::flatten_ref(tree);
        Leaves {
            values: leaves.into_iter().copied().collect(),
            paths: def.paths(),
        }
    }

    /// Returns zeros of the shape and dtype of each.
    pub fn zeros(&self) -> Vec<Var> {
        self.values.iter().map(|v| Var::zeros(&v.ty())).collect()
    }
}

/// The state of a [`Transform`]: a tree of arrays, which loops carry and which may leave a compiled function
/// and enter it again.
#[derive(Tree, Clone, Debug)]
pub struct OptState<T = Var> {
    leaves: Vec<T>,
}

/// The arrays of a state as a step reads and writes them: each transformation of a chain takes its own from the
/// front, and puts the next ones, as many and in the same order.
#[derive(Debug)]
pub struct Slots {
    old: std::vec::IntoIter<Var>,
    new: Vec<Var>,
}

impl Slots {
    fn new(old: Vec<Var>) -> Slots {
        Slots {
            old: old.into_iter(),
            new: vec![],
        }
    }

    /// Takes the next `n` arrays.
    ///
    /// # Errors
    /// If there are fewer: the state is not that of the transformation.
    #[track_caller]
    pub fn take(&mut self, n: usize) -> Vec<Var> {
        let taken: Vec<Var> = self.old.by_ref().take(n).collect();
        if taken.len() < n {
            refuse("update", WRONG_STATE);
        }
        taken
    }

    /// Takes the next array.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn take_one(&mut self) -> Var {
        self.take(1)[0]
    }

    /// Puts the next value of an array, or of several.
    pub fn put(&mut self, next: impl IntoIterator<Item = Var>) {
        self.new.extend(next);
    }
}

const WRONG_STATE: &str = "the state is not one of this transformation; `init` makes it";

/// A transformation of gradients.
///
/// To write one, implement the first three methods, on leaves; users call [`init`](Transform::init) and
/// [`update`](Transform::update), on trees.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::{Leaves, Slots, Transform, chain, scale, train};
///
/// /// The sign of each gradient.
/// struct Sign;
///
/// impl Transform for Sign {
///     fn name(&self) -> &'static str {
///         "sign"
///     }
///     fn init_leaves(&self, _: &Leaves) -> Vec<Var> {
///         vec![]
///     }
///     fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, _: &mut Slots) -> Vec<Var> {
///         updates.into_iter().map(Var::sign).collect()
///     }
/// }
///
/// let walk = jit(|x: Var| train(chain((Sign, scale(-0.25))), x, 0..4, |x, _| x.square()).params);
/// assert_eq!(walk.call(3.0)?.item::<f64>()?, 2.0);
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait Transform: Send + Sync {
    /// The name for errors.
    fn name(&self) -> &'static str;

    /// Makes the arrays of the state.
    fn init_leaves(&self, params: &Leaves) -> Vec<Var>;

    /// Transforms one update for each parameter, takes the arrays of the state from `state`, and puts the next.
    fn update_leaves(&self, updates: Vec<Var>, params: &Leaves, state: &mut Slots) -> Vec<Var>;

    /// Makes the state for parameters, a tree of floats.
    ///
    /// # Errors
    /// If a leaf is not a float.
    #[track_caller]
    fn init<X: State>(&self, params: &X) -> OptState
    where
        Self: Sized,
    {
        asked_at(Location::caller(), || {
            expect_floats(self.name(), "the parameter", params);
            OptState {
                leaves: self.init_leaves(&Leaves::of(params)),
            }
        })
    }

    /// Turns gradients into updates, to be added to the parameters, and returns them with the next state.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::optim::{OptState, Transform, apply, sgd};
    ///
    /// // A step from Rust, with the state outside of the compiled function.
    /// let rule = sgd(0.1).momentum(0.9);
    /// let start = jit({ let rule = rule.clone(); move |x: Var| rule.init(&x) });
    /// let step = jit(move |(x, state): (Var, OptState)| {
    ///     let (update, state) = rule.update(grad_at(x, |x| x.square().sum()), state, &x);
    ///     (apply(x, update), state)
    /// });
    /// let x = Array::from([1.0, -2.0]);
    /// let mut state = start.call(&x)?;
    /// let (x, next) = step.call((x, state))?;
    /// state = next;
    /// let (x, _) = step.call((x, state))?;
    /// assert!((x.to_vec::<f64>()?[0] - 0.46).abs() < 1e-15); // 1 - 0.2, then - 0.16 - 0.18
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If gradients and parameters differ in structure or types, a leaf is not a float, or the state is not one
    /// of this transformation.
    #[track_caller]
    fn update<X: State>(&self, gradients: X, state: OptState, params: &X) -> (X, OptState)
    where
        Self: Sized,
    {
        asked_at(Location::caller(), || {
            let name = self.name();
            expect_floats(name, "the parameter", params);
            let whats = ["the parameters", "the gradients"];
            same_trees(name, whats, params, &gradients);
            let params = Leaves::of(params);
            let types = |leaves: &[Var]| leaves.iter().map(|v| v.shape()).collect::<Vec<_>>();
            if types(&state.leaves) != types(&self.init_leaves(&params)) {
                refuse(name, WRONG_STATE);
            }
            let (gradients, def) = tree::flatten(gradients);
            let mut slots = Slots::new(state.leaves);
            let updates = self.update_leaves(gradients, &params, &mut slots);
            if updates.len() != params.values.len() {
                refuse(name, "there must be one update for each parameter");
            }
            let updates =
                tree::unflatten(&def, updates).unwrap_or_else(|e| wengert::solver::raise(e));
            (updates, OptState { leaves: slots.new })
        })
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<R: Transform + ?Sized> Transform for $pointer {
            fn name(&self) -> &'static str {
                (**self).name()
            }

            fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
                (**self).init_leaves(params)
            }

            fn update_leaves(
                &self,
                updates: Vec<Var>,
                params: &Leaves,
                state: &mut Slots,
            ) -> Vec<Var> {
                (**self).update_leaves(updates, params, state)
            }
        }
    )*};
}
pointers!(&R, Box<R>, std::sync::Arc<R>);

/// Adds updates to parameters.
///
/// # Errors
/// If the trees differ in structure or types.
#[track_caller]
pub fn apply<X: State>(params: X, updates: X) -> X {
    asked_at(Location::caller(), || {
        let whats = ["the parameters", "the updates"];
        same_trees("apply", whats, &params, &updates);
        tree::map2(params, updates, |p, u| p + u)
    })
}

/// Returns the square root of the sum of squares of all numbers of a tree, in the element type of its first leaf.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::global_norm;
///
/// let f = jit(|p: (Var, Var)| global_norm(&p));
/// assert_eq!(f.call(([2.0, 3.0], 6.0))?.item::<f64>()?, 7.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn global_norm<X: Tree<Leaf = Var>>(tree: &X) -> Var {
    asked_at(Location::caller(), || norm_of(&tree::leaves(tree)))
}

fn norm_of(leaves: &[Var]) -> Var {
    let dtype = leaves.first().map_or(DType::F64, |v| v.dtype());
    let squares = leaves.iter().map(|v| v.square().sum().to(dtype));
    let sum = squares.reduce(|a, b| a + b);
    let sum = sum.unwrap_or(Var::from(0.0));
    // At zero the derivative of the root is infinite, and that of the norm is taken as zero.
    let is_zero = sum.eq(0.0);
    is_zero.select(0.0, is_zero.select(1.0, sum).sqrt())
}
