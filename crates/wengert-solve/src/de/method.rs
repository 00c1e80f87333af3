//! What a method of integration is.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};
use wengert::tree::ravel;

use super::control::Tolerance;
use super::precondition::Near;
use super::stiff::Linear;
use crate::State;

/// The equation, as methods see it: its right-hand side, and what an error counts.
pub struct Field<'a, Y> {
    pub(super) rate: &'a dyn Fn(Var, Y) -> Y,
    pub(super) tolerance: Tolerance,
    pub(super) dtype: DType,
    pub(super) place: &'static Location<'static>,
    /// The explicit part of the rate, if the equation is split; then `rate` is the other part.
    pub(super) explicit: Option<&'a dyn Fn(Var, Y) -> Y>,
    /// What is near the inverse of the matrix of systems, if it is given.
    pub(super) near: Option<&'a dyn Near<Y>>,
    /// The masses, one for each number of the state.
    pub(super) mass: Option<Var>,
    /// Whether the start satisfies what has no mass.
    pub(super) met: Var,
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

    /// The explicit part of the right-hand side, if it is split.
    pub(super) fn explicit_rate(&self, t: Var, y: &Y) -> Option<Y> {
        let explicit = self.explicit?;
        asked_at(self.place, || {
            let k = inside(|| explicit(t, y.clone()));
            same_trees("ode", ["the state", "its explicit rate"], y, &k);
            Some(k)
        })
    }

    /// The derivative of the state by time, where it is known: the rate over the mass, and 0 where there is no mass.
    pub(super) fn slope(&self, t: Var, y: &Y) -> Y {
        let mut k = self.rate(t, y);
        if let Some(more) = self.explicit_rate(t, y) {
            k = tree::map2(k, more, |a, b| a + b);
        }
        if self.mass.is_none() {
            return k;
        }
        let (k, tree) = ravel(k);
        tree(self.over_mass(k))
    }

    /// A vector over the masses, and 0 where there is none.
    pub(super) fn over_mass(&self, k: Var) -> Var {
        let Some(mass) = self.mass else { return k };
        let none = mass.eq(0.0);
        none.select(zeros_like(k), k / none.select(ones_like(mass), mass))
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
    /// The estimate of the error, in the units of [`Field::norm`]; a step is accepted if it is at most 1, and one whose equations
    /// were not solved has an infinite one. `None` if the
    /// method has no estimate.
    pub error: Option<Var>,
    /// What the method keeps if the step is accepted.
    pub memory: M,
    /// What it keeps if the step is rejected; `None` is what it had before.
    pub after_rejection: Option<M>,
    /// The factor to the length of the next step, for methods that choose it themselves; where it is NaN, the controller does.
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

    /// Whether it integrates equations with masses ([`Ode::mass`](super::Ode::mass)).
    const MASS: bool = false;

    /// Whether it integrates rates in two parts ([`Ode::solve_split`](super::Ode::solve_split)).
    const SPLIT: bool = false;

    /// What it keeps from step to step.
    type Memory<Y: State>: State;

    /// The order of the solution.
    fn order(&self) -> u32;

    /// The order of the estimate of the error: what `h^(order + 1)` the error of a step falls with. `None` if there is no estimate.
    fn error_order(&self) -> Option<u32>;

    /// How its linear systems are solved, if it has any.
    fn linear(&self) -> Linear {
        Linear::Dense
    }

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

    /// The largest number of coefficients that [`dense`](Method::dense) returns.
    fn dense_terms(&self) -> usize {
        6
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
