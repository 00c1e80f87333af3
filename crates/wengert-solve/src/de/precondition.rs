//! Preconditioners of the systems that implicit methods solve by products.

use std::cell::RefCell;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};
use wengert::tree::{TreeDef, ravel};

use super::solve::Place;
use crate::State;

/// What is near the inverse of `M - s J`, the matrix of the systems of implicit methods, where `M` is the diagonal of masses, `J`
/// the Jacobian of the right-hand side, and `s` a part of the step. Closures are one
/// ([`Ode::preconditioner`](super::Ode::preconditioner), [`Ode::preconditioner_with`](super::Ode::preconditioner_with)), and `()`
/// is none.
pub trait Preconditioner<Y: State>: Clone {
    /// Whether there is one.
    const IS_SOME: bool = true;

    /// What is made at a state for a number `s`, and kept from step to step.
    type Made: State;

    /// Makes it.
    fn prepare(&self, t: Var, y: Y, s: Var) -> Self::Made;

    /// What is near the solution of a system: a linear function of its right-hand side `r`. `s` may differ by a part from that for
    /// which it was made.
    fn solve(&self, made: Self::Made, s: Var, r: Y) -> Y;
}

impl<Y: State> Preconditioner<Y> for () {
    const IS_SOME: bool = false;
    type Made = ();

    fn prepare(&self, _: Var, _: Y, _: Var) {}

    fn solve(&self, (): (), _: Var, r: Y) -> Y {
        r
    }
}

/// A preconditioner by two closures, which [`Ode::preconditioner_with`](super::Ode::preconditioner_with) makes.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<S, F> {
    prepare: S,
    solve: F,
}

impl<S, F> Prepared<S, F> {
    pub(super) fn new(prepare: S, solve: F) -> Prepared<S, F> {
        Prepared { prepare, solve }
    }
}

impl<Y, D, B, S, F> Preconditioner<Y> for Prepared<S, F>
where
    Y: State,
    D: State,
    B: IntoTree<Tree = Y>,
    S: Fn(Var, Y, Var) -> D + Clone,
    F: Fn(D, Var, Y) -> B + Clone,
{
    type Made = D;

    fn prepare(&self, t: Var, y: Y, s: Var) -> D {
        (self.prepare)(t, y, s)
    }

    fn solve(&self, made: D, s: Var, r: Y) -> Y {
        (self.solve)(made, s, r).into_tree()
    }
}

/// A preconditioner by one closure, which [`Ode::preconditioner`](super::Ode::preconditioner) makes.
#[derive(Clone, Copy, Debug)]
pub struct Direct<F>(pub(super) F);

impl<Y, B, F> Preconditioner<Y> for Direct<F>
where
    Y: State,
    B: IntoTree<Tree = Y>,
    F: Fn(Var, Y, Var, Y) -> B + Clone,
{
    type Made = (Var, Y);

    fn prepare(&self, t: Var, y: Y, _: Var) -> (Var, Y) {
        (t, y)
    }

    fn solve(&self, (t, y): (Var, Y), s: Var, r: Y) -> Y {
        (self.0)(t, y, s, r).into_tree()
    }
}

/// A preconditioner of whatever kind, as methods see it: what is made is a list of arrays.
pub(super) trait Near<Y> {
    fn prepare(&self, t: Var, y: Y, s: Var) -> Vec<Var>;

    fn solve(&self, made: &[Var], s: Var, r: Y) -> Y;
}

/// A preconditioner whose mistakes are found.
pub(super) struct Checked<'a, P> {
    own: &'a P,
    place: Place,
    /// The structure of what it makes.
    made: RefCell<Option<TreeDef>>,
}

impl<'a, P> Checked<'a, P> {
    pub(super) fn new(own: &'a P, place: Place) -> Checked<'a, P> {
        Checked {
            own,
            place,
            made: RefCell::new(None),
        }
    }

    /// The preconditioner, if there is one.
    pub(super) fn some<Y: State>(&self) -> Option<&dyn Near<Y>>
    where
        P: Preconditioner<Y>,
    {
        P::IS_SOME.then_some(self)
    }
}

impl<Y: State, P: Preconditioner<Y>> Near<Y> for Checked<'_, P> {
    fn prepare(&self, t: Var, y: Y, s: Var) -> Vec<Var> {
        asked_at(self.place, || {
            let (leaves, def) = tree::flatten(inside(|| self.own.prepare(t, y, s)));
            *self.made.borrow_mut() = Some(def);
            leaves
        })
    }

    fn solve(&self, made: &[Var], s: Var, r: Y) -> Y {
        asked_at(self.place, || {
            let def = self.made.borrow().clone().expect("it was made before");
            let made: P::Made =
                tree::unflatten(&def, made.iter().copied()).expect("as many leaves as were made");
            let z = inside(|| self.own.solve(made, s, r.clone()));
            same_trees(
                "ode",
                ["the residual", "what the preconditioner returns"],
                &r,
                &z,
            );
            z
        })
    }
}

/// A preconditioner of trees for the vectors that stand for them.
pub(super) struct OfVector<'a, Y> {
    pub(super) near: &'a dyn Near<Y>,
    pub(super) tree: &'a dyn Fn(Var) -> Y,
}

impl<Y: State> Near<Var> for OfVector<'_, Y> {
    fn prepare(&self, t: Var, y: Var, s: Var) -> Vec<Var> {
        self.near.prepare(t, (self.tree)(y), s)
    }

    fn solve(&self, made: &[Var], s: Var, r: Var) -> Var {
        ravel(self.near.solve(made, s, (self.tree)(r))).0
    }
}
