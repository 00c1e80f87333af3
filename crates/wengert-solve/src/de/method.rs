//! What a method of integration is.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};

use super::control::Tolerance;
use crate::State;

/// The equation, as methods see it: its right-hand side, and what an error counts.
pub struct Field<'a, Y> {
    pub(super) rate: &'a dyn Fn(Var, Y) -> Y,
    pub(super) tolerance: Tolerance,
    pub(super) dtype: DType,
    pub(super) place: &'static Location<'static>,
}

impl<Y: State> Field<'_, Y> {
    /// The right-hand side.
    ///
    /// # Errors
    /// If its value differs from the state in structure, shapes or dtypes.
    pub fn rate(&self, t: Var, y: &Y) -> Y {
        asked_at(self.place, || {
            let k = inside(|| (self.rate)(t, y.clone()));
            same_trees("ode", ["the state", "its rate"], y, &k);
            k
        })
    }

    /// The length of an error between two states, in units of the tolerances: 1 is what they allow. It has no derivative.
    pub fn norm(&self, error: &Y, from: &Y, to: &Y) -> Var {
        self.tolerance.norm(self.dtype, error, from, to)
    }
}

/// What a method makes of a step.
pub struct Trial<Y, M> {
    /// The state at the end of the step.
    pub y: Y,
    /// The estimate of the error, in the units of [`Field::norm`]; a step is accepted if it is at most 1. `None` if the
    /// method has no estimate.
    pub error: Option<Var>,
    /// What the method keeps if the step is accepted.
    pub memory: M,
    /// What it keeps if the step is rejected; `None` is what it had before.
    pub after_rejection: Option<M>,
    /// The factor to the length of the next step, for methods that choose it themselves.
    pub factor: Option<Var>,
    /// The rates of the stages, or whatever [`Method::dense`] needs.
    pub stages: Vec<Y>,
    /// The number of evaluations of the right-hand side: a number of type `i64`.
    pub evaluations: Var,
}

/// A method of integration: what makes a step.
///
/// Methods are generic over the tree of the state; those that solve linear systems work on one vector
/// ([`VECTOR`](Method::VECTOR)). All of it is ordinary traced code.
pub trait Method: Copy {
    /// Its name in errors.
    const NAME: &'static str;

    /// Whether the state is given to it as one vector, whatever tree it is.
    const VECTOR: bool = false;

    /// What it keeps from step to step.
    type Memory<Y: State>: State;

    /// The order of the solution.
    fn order(&self) -> u32;

    /// The order of the estimate of the error: what `h^(order + 1)` the error of a step falls with. `None` if there is no estimate.
    fn error_order(&self) -> Option<u32>;

    /// What is kept before the first step, or after the state was changed from outside.
    fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> Self::Memory<Y>;

    /// Takes a step of length `h`, of either sign, from `y` at `t`.
    fn step<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        memory: &Self::Memory<Y>,
    ) -> Trial<Y, Self::Memory<Y>>;

    /// The number of coefficients that [`dense`](Method::dense) returns.
    fn dense_terms(&self) -> usize {
        4
    }

    /// The number of evaluations of the right-hand side by [`dense`](Method::dense).
    fn dense_evaluations(&self) -> i64 {
        0
    }

    /// The solution within a step that was taken: the coefficients of a polynomial in `(time - t) / h`, from the constant one on.
    fn dense<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        trial: &Trial<Y, Self::Memory<Y>>,
    ) -> Vec<Y>;
}

/// The value of a polynomial with trees as coefficients.
pub(super) fn horner<Y: State>(coefficients: &[Y], x: Var) -> Y {
    let (last, rest) = coefficients
        .split_last()
        .expect("a polynomial has a coefficient");
    rest.iter().rev().fold(last.clone(), |sum, c| {
        tree::map2(sum, c.clone(), |s, c| s * x + c)
    })
}

/// The sum of trees with factors, but for those that are zero; `None` if all are.
pub(super) fn combine<Y: State>(factors: &[f64], trees: &[Y]) -> Option<Y> {
    let terms = factors.iter().zip(trees).filter(|(w, _)| **w != 0.0);
    terms.fold(None, |sum: Option<Y>, (&w, k)| {
        Some(match sum {
            None => tree::map(k.clone(), |k| k * w),
            Some(sum) => tree::map2(sum, k.clone(), |s, k| s + k * w),
        })
    })
}

/// `y + h k`.
pub(super) fn advance<Y: State>(y: &Y, h: Var, k: Option<Y>) -> Y {
    match k {
        Some(k) => tree::map2(y.clone(), k, |y, k| y + h * k),
        None => y.clone(),
    }
}
