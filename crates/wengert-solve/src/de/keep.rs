//! What is kept of a solution while it is made.

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::method::{Field, Method, Trial, horner};
use crate::shared::choose;
use crate::{State, Status};

/// A step that was tried.
pub(super) struct Taken<'a, Y: State, M: Method> {
    /// Whether it was accepted: if not, nothing may be kept of it.
    pub(super) accepted: Var,
    pub(super) t: Var,
    pub(super) y: &'a Y,
    pub(super) h: Var,
    /// The time at which it ends, which is before `t + h` if an event ends it.
    pub(super) end: Var,
    /// The state from which the next step starts.
    pub(super) next: &'a Y,
    pub(super) trial: &'a Trial<Y, M::Memory<Y>>,
}

impl<Y: State, M: Method> Taken<'_, Y, M> {
    /// The state at a time within the step.
    pub(super) fn at(&self, method: M, field: &Field<Y>, time: Var) -> Y {
        let coefficients = method.dense(field, self.t, self.y, self.h, self.trial);
        horner(&coefficients, (time - self.t) / self.h)
    }
}

/// What is kept of the solution while it is made.
pub(super) trait Keep<Y: State> {
    type Kept: State;

    /// What is kept before the first step, which goes forward by 1 or -1.
    fn start<M: Method>(&self, method: M, t0: Var, y0: &Y, forward: Var) -> Self::Kept;

    /// What is kept after a step, and the number of evaluations that it took.
    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: Self::Kept,
    ) -> (Self::Kept, Var);
}

/// What keeps states as trees when they are integrated as vectors.
pub(super) trait Lift<Y: State>: Keep<Y> + Keep<Var> {
    fn lift(
        &self,
        kept: <Self as Keep<Var>>::Kept,
        tree: &dyn Fn(Var) -> Y,
    ) -> <Self as Keep<Y>>::Kept;
}

/// The trees of rows.
pub(super) fn lift_rows<Y: State>(rows: Var, tree: &dyn Fn(Var) -> Y) -> Y {
    vmap(|x: Var| tree(x))(rows)
}

/// Rows like each leaf of a state, all NaN.
pub(super) fn rows<Y: State>(n: usize, y: &Y) -> Y {
    tree::map(y.clone(), |y| {
        let shape = [&[n][..], &y.shape()].concat();
        full(shape, f64::NAN).to(y.dtype())
    })
}

/// The rows with one of them set.
pub(super) fn set_row<Y: State>(rows: Y, i: Var, y: Y) -> Y {
    tree::map2(rows, y, |rows, y| rows.at_set(i, y))
}

/// Nothing is kept.
#[derive(Clone, Copy)]
pub(super) struct Ends;

impl<Y: State> Keep<Y> for Ends {
    type Kept = ();

    fn start<M: Method>(&self, _: M, _: Var, _: &Y, _: Var) {}

    fn step<M: Method>(&self, _: M, _: &Field<Y>, _: &Taken<Y, M>, (): ()) -> ((), Var) {
        ((), Var::from(0i64))
    }
}

impl<Y: State> Lift<Y> for Ends {
    fn lift(&self, (): (), _: &dyn Fn(Var) -> Y) {}
}

/// The states at given times are kept, and the number of those that are.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) times: Var,
}

impl Rows {
    /// The status of an integration from a time that had this one: a failure if the times do not go one way from there, because
    /// those after the first that goes back are not met.
    pub(super) fn in_order(&self, t0: Var, status: Var) -> Var {
        let times = stop_gradient(self.times);
        let is_back = times.at(-1).lt(stop_gradient(t0));
        let steps = times.diff(0);
        let ordered = is_back.select(steps.le(0.0).all(), steps.ge(0.0).all());
        (status.gt(0) & !ordered).select(Status::Infeasible.code(), status)
    }
}

impl<Y: State> Keep<Y> for Rows {
    type Kept = (Y, Var);

    fn start<M: Method>(&self, _: M, t0: Var, y0: &Y, forward: Var) -> (Y, Var) {
        let n = self.times.shape()[0];
        // Times that are not after the start have its state.
        let before = stop_gradient((self.times - t0) * forward).le(0.0);
        let rows = tree::map2(rows(n, y0), y0.clone(), |rows, y| {
            let mut shape = vec![n];
            shape.extend(y.shape().iter().map(|_| 1));
            before.reshape(shape).select(y, rows)
        });
        (rows, before.to(DType::I64).sum())
    }

    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: (Y, Var),
    ) -> ((Y, Var), Var) {
        let n = self.times.shape()[0] as i64;
        let place = field.place;
        let is_reached = |next: Var| {
            let time = stop_gradient(self.times.at(next));
            let reached = ((time - taken.end) * taken.h.sign()).le(0.0);
            taken.accepted & next.lt(n) & reached
        };
        let extra = match method.dense_evaluations() {
            0 => Var::from(0i64),
            some => is_reached(kept.1).to(DType::I64) * some,
        };
        let kept = while_loop(
            kept,
            |(_, next)| is_reached(next),
            |(rows, next): (Y, Var)| {
                asked_at(place, || {
                    let y = taken.at(method, field, self.times.at(next));
                    (set_row(rows, next, y), next + 1)
                })
            },
        );
        (kept, extra)
    }
}

impl<Y: State> Lift<Y> for Rows {
    fn lift(&self, (rows, next): (Var, Var), tree: &dyn Fn(Var) -> Y) -> (Y, Var) {
        (lift_rows(rows, tree), next)
    }
}

/// The times and states after each step are kept, and before the first, up to a number of steps.
#[derive(Clone, Copy)]
pub(super) struct Every {
    pub(super) limit: usize,
}

impl<Y: State> Keep<Y> for Every {
    type Kept = (Var, Y, Var);

    fn start<M: Method>(&self, _: M, t0: Var, y0: &Y, _: Var) -> (Var, Y, Var) {
        let n = self.limit + 1;
        let first = Var::from(0i64);
        let times = set_row(rows(n, &t0), first, t0);
        let states = set_row(rows(n, y0), first, y0.clone());
        (times, states, Var::from(1i64))
    }

    fn step<M: Method>(
        &self,
        _: M,
        _: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: (Var, Y, Var),
    ) -> ((Var, Y, Var), Var) {
        let kept = cond(
            taken.accepted,
            kept,
            |(times, states, next): (Var, Y, Var)| {
                let times = set_row(times, next, taken.end);
                (times, set_row(states, next, taken.next.clone()), next + 1)
            },
            |kept| kept,
        );
        (kept, Var::from(0i64))
    }
}

impl<Y: State> Lift<Y> for Every {
    fn lift(&self, (times, rows, next): (Var, Var, Var), tree: &dyn Fn(Var) -> Y) -> (Var, Y, Var) {
        (times, lift_rows(rows, tree), next)
    }
}

/// The polynomials of all steps, as rows.
#[derive(Tree, Clone, Debug)]
pub(super) struct Polynomials<Y, T = Var> {
    /// The times from which the steps go, in ascending order of their distance from the start; those after the last are infinite.
    pub(super) starts: T,
    pub(super) lengths: T,
    pub(super) coefficients: Vec<Y>,
    pub(super) count: T,
}

/// The polynomials of up to a number of steps are kept.
#[derive(Clone, Copy)]
pub(super) struct Pieces {
    pub(super) limit: usize,
}

impl<Y: State> Keep<Y> for Pieces {
    type Kept = Polynomials<Y>;

    fn start<M: Method>(&self, method: M, t0: Var, y0: &Y, forward: Var) -> Polynomials<Y> {
        let n = self.limit.max(1);
        let beyond = full([n], f64::INFINITY).to(t0.dtype()) * forward;
        let mut coefficients: Vec<Y> = (0..method.dense_terms())
            .map(|_| tree::map(rows(n, y0), zeros_like))
            .collect();
        // Without any step, it is the state at the start.
        coefficients[0] = set_row(coefficients[0].clone(), Var::from(0i64), y0.clone());
        Polynomials {
            starts: beyond.at_set(0i64, t0),
            lengths: ones_like(beyond) * forward,
            coefficients,
            count: Var::from(0i64),
        }
    }

    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: Polynomials<Y>,
    ) -> (Polynomials<Y>, Var) {
        let kept = cond(
            taken.accepted,
            kept,
            |kept: Polynomials<Y>| {
                asked_at(field.place, || {
                    let mut c = method.dense(field, taken.t, taken.y, taken.h, taken.trial);
                    if c.len() > kept.coefficients.len() {
                        let message = format!(
                            "{} has {} coefficients within a step, and says that it has {}",
                            M::NAME,
                            c.len(),
                            kept.coefficients.len()
                        );
                        refuse("ode", message);
                    }
                    // Powers that the method does not have are zero.
                    c.resize(
                        kept.coefficients.len(),
                        tree::map(taken.y.clone(), zeros_like),
                    );
                    let i = kept.count;
                    let rows = kept.coefficients.into_iter().zip(c);
                    Polynomials {
                        starts: kept.starts.at_set(i, taken.t),
                        lengths: kept.lengths.at_set(i, taken.h),
                        coefficients: rows.map(|(rows, c)| set_row(rows, i, c)).collect(),
                        count: i + 1,
                    }
                })
            },
            |kept| kept,
        );
        let extra = taken.accepted.to(DType::I64) * method.dense_evaluations();
        (kept, extra)
    }
}

impl<Y: State> Lift<Y> for Pieces {
    fn lift(&self, kept: Polynomials<Var>, tree: &dyn Fn(Var) -> Y) -> Polynomials<Y> {
        let rows = kept.coefficients.into_iter();
        Polynomials {
            starts: kept.starts,
            lengths: kept.lengths,
            coefficients: rows.map(|c| lift_rows(c, tree)).collect(),
            count: kept.count,
        }
    }
}

impl<Y: State> Polynomials<Y> {
    /// The value at a time, of a solution that goes forward by 1 or -1.
    pub(super) fn at(&self, time: Var, forward: Var) -> Y {
        let starts = stop_gradient(self.starts * forward);
        let after = starts.searchsorted_right(stop_gradient(time * forward));
        let i = (after.to(DType::I64) - 1)
            .minimum(self.count - 1)
            .maximum(0i64);
        let row = |rows: &Y| tree::map(rows.clone(), |rows| rows.at(i));
        let coefficients: Vec<Y> = self.coefficients.iter().map(row).collect();
        horner(
            &coefficients,
            (time - self.starts.at(i)) / self.lengths.at(i),
        )
    }
}

/// The tree where a condition holds, and NaN elsewhere.
pub(super) fn or_nan<Y: State>(holds: Var, y: Y) -> Y {
    let nan = tree::map(y.clone(), |y| full_like(y, f64::NAN));
    choose(holds, y, nan)
}

/// Two things are kept.
impl<Y: State, A: Keep<Y>, B: Keep<Y>> Keep<Y> for (A, B) {
    type Kept = (A::Kept, B::Kept);

    fn start<N: Method>(&self, method: N, t0: Var, y0: &Y, forward: Var) -> Self::Kept {
        let a = self.0.start(method, t0, y0, forward);
        (a, self.1.start(method, t0, y0, forward))
    }

    fn step<N: Method>(
        &self,
        method: N,
        field: &Field<Y>,
        taken: &Taken<Y, N>,
        (a, b): Self::Kept,
    ) -> (Self::Kept, Var) {
        let (a, more) = self.0.step(method, field, taken, a);
        let (b, extra) = self.1.step(method, field, taken, b);
        ((a, b), more + extra)
    }
}

impl<Y: State, A: Lift<Y>, B: Lift<Y>> Lift<Y> for (A, B) {
    fn lift(
        &self,
        (a, b): <Self as Keep<Var>>::Kept,
        tree: &dyn Fn(Var) -> Y,
    ) -> <Self as Keep<Y>>::Kept {
        (self.0.lift(a, tree), self.1.lift(b, tree))
    }
}
