//! Continuous adjoints: the gradient is the solution of another differential equation, backwards in time.

use std::panic::Location;

use wengert::closure_convert;
use wengert::prelude::*;
use wengert::solver::asked_at;
use wengert::tree::ravel;

use super::control::Tolerance;
use super::drive::Span;
use super::keep::{Ends, Keep, Lift, Pieces, Polynomials, Rows, Taken, or_nan};
use super::method::{Field, Method, horner};
use super::ode::{Ode, Solution};
use super::solve::{Rate, Rates};
use crate::{State, Status, Watch};

/// How derivatives in reverse mode are computed.
///
/// With the adjoint `a` of a state `y' = f(t, y, p)`, `a' = -(∂f/∂y)ᵀ a` backwards in time, the gradient by `p` is `∫ aᵀ ∂f/∂p dt` (Pontryagin;
/// Chen, Rubanova, Bettencourt, Duvenaud, Neural ordinary differential equations, 2018). The continuous adjoints solve this with the method and the
/// tolerances of the solution; their gradients are as accurate as these, and not the exact derivatives of the
/// numbers that the solution is. They have no forward mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjoint {
    /// Derivatives of the steps that were taken, which are exact: the default, in both modes. Memory grows with the steps, if
    /// [`checkpoints`](super::Ode::checkpoints) does not bound it.
    #[default]
    Steps,
    /// The state is integrated backwards beside its adjoint and the gradient: memory for no steps. Where the solution contracts, the state
    /// does not come back to where it was; it starts anew from each of the times of [`sample`](super::Ode::sample).
    Backsolve,
    /// The state is read from the polynomials of at most so many steps of the solution, and the gradient is a quadrature over each
    /// of them. A solution that takes more ends with [`Status::StepLimit`].
    Interpolating(usize),
}

type Place = &'static Location<'static>;

/// The nodes and weights of Gauss's rule of order 8 on [0, 1].
const GAUSS: [(f64, f64); 4] = [
    (0.069_431_844_202_973_71, 0.173_927_422_568_726_93),
    (0.330_009_478_207_571_87, 0.326_072_577_431_273_07),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_93),
];

/// What the rule takes: the state, the start, the times, and what the right-hand side captures.
type Given = (Var, Var, Var, Vec<Var>);

/// The right-hand side as a function of a vector and of what it captures.
type Converted<'a> = &'a dyn Fn((Var, Var), &[Var]) -> Var;

/// Integrates to the end.
pub(super) fn solve<Y: State, M: Method, W: Watch>(
    ode: &Ode<M, W>,
    place: Place,
    rate: Rate<'_, Y>,
    span: Span<Y>,
) -> Solution<Y> {
    let times = span.t1.reshape([1]);
    let s = sample(ode, place, rate, span, times);
    let last = |v: Var| v.at(-1);
    Solution {
        t: last(s.t),
        y: tree::map(s.y, last),
        ..s
    }
}

/// Integrates to times.
pub(super) fn sample<Y: State, M: Method, W: Watch>(
    ode: &Ode<M, W>,
    place: Place,
    rate: Rate<'_, Y>,
    span: Span<Y>,
    times: Var,
) -> Solution<Y> {
    let Span { y0, t0, .. } = span;
    let dtype = t0.dtype();
    let sizes: Vec<usize> = tree::leaves(&y0).iter().map(|v| v.ty().size()).collect();
    let (x0, tree) = ravel(y0);
    let (captured, converted) = closure_convert(
        |(t, x): (Var, Var)| {
            // The structure is checked where the tree is known.
            let y = tree(x);
            let field = Field {
                rate,
                tolerance: Tolerance {
                    rtol: ode.rtol,
                    atol: vec![],
                    norm: ode.norm,
                },
                dtype: t.dtype(),
                place,
                explicit: None,
                near: None,
                mass: None,
                met: Var::from(true),
            };
            ravel(field.rate(t, &y)).0
        },
        &(t0, x0),
    );
    let converted: Converted<'_> = &converted;
    let plain = Ode {
        adjoint: Adjoint::Steps,
        ..ode.clone()
    };
    let steps = match ode.adjoint {
        Adjoint::Interpolating(steps) => Some(steps),
        _ => None,
    };
    let forwards = |(x0, t0, times, captured): Given| {
        asked_at(place, || {
            let rate = |t: Var, x: Var| converted((t, x), &captured);
            let span = Span {
                accepted: steps,
                atol: ode.atol.numbers_of(dtype, &sizes),
                ..Span::new(x0, t0, times.at(-1))
            };
            match steps {
                Some(limit) => {
                    let keep = (Rows { times }, Pieces { limit });
                    let run = plain.integrate(place, Rates::whole(&rate), span, &keep, vec![]);
                    let (s, ((y, _), pieces), _) = run.parts();
                    (Solution { t: times, y, ..s }, vec![pieces])
                }
                None => {
                    let run =
                        plain.integrate(place, Rates::whole(&rate), span, &Rows { times }, vec![]);
                    let (s, (y, _), _) = run.parts();
                    (Solution { t: times, y, ..s }, vec![])
                }
            }
        })
    };
    let mut quiet = Ode::new(ode.method)
        .rtol(ode.rtol)
        .atol(ode.atol.least())
        .norm(ode.norm)
        .max_steps(ode.max_steps)
        .controller(ode.controller);
    // Over one polynomial goes one step, if steps are fixed.
    quiet.fixed = ode.fixed.map(|n| if steps.is_some() { 1 } else { n });
    let backwards = |(given, rows, pieces): (Given, Var, Vec<Polynomials<Var>>),
                     ct: Solution<Var>| {
        asked_at(place, || {
            let back = Back {
                ode: &quiet,
                place,
                rate: converted,
                given,
                rows,
            };
            match pieces.into_iter().next() {
                Some(pieces) => back.interpolating(pieces, ct),
                None => back.solving(ct),
            }
        })
    };
    let solved = custom_vjp(
        |given: Given| forwards(given).0,
        |given: Given| {
            let (solution, pieces) = forwards(given.clone());
            let rows = solution.y;
            (solution, (given, rows, pieces))
        },
        backwards,
    );
    let s = solved((x0, t0, times, captured));
    let back = |x: Var| tree(x);
    Solution {
        t: s.t,
        y: vmap(back)(s.y),
        steps: s.steps,
        rejected: s.rejected,
        evaluations: s.evaluations,
        status: s.status,
    }
}

/// The pass backwards.
struct Back<'a, M> {
    ode: &'a Ode<M>,
    place: Place,
    rate: Converted<'a>,
    given: Given,
    rows: Var,
}

impl<M: Method> Back<'_, M> {
    /// Which of the captured values have derivatives.
    fn floats(&self) -> Vec<Var> {
        let captured = self.given.3.iter().copied();
        captured.filter(|v| v.ty().is_float()).collect()
    }

    /// The captured values with those that have derivatives replaced.
    fn with(&self, floats: &[Var]) -> Vec<Var> {
        let mut floats = floats.iter();
        let captured = self.given.3.iter();
        captured
            .map(|v| match v.ty().is_float() {
                true => *floats.next().expect("one for each"),
                false => *v,
            })
            .collect()
    }

    /// The rate at a time and state, and the products of a covector with its derivatives by the state and by what is captured.
    fn pulled(&self, t: Var, x: Var, a: Var) -> (Var, Var, Vec<Var>) {
        let rate = |(x, p): (Var, Vec<Var>)| (self.rate)((t, x), &self.with(&p));
        let (k, pull) = vjp(rate, (x, self.floats()));
        let (x, p) = pull(a);
        let p = p.into_iter().map(|p| p.to(t.dtype())).collect();
        (k, x, p)
    }

    /// Cotangents of what the rule takes, from those of the state at the start, the start, the times, and the captured floats.
    fn cotangent(&self, ok: Var, x0: Var, t0: Var, times: Var, p: Vec<Var>) -> Given {
        let mut p = p.into_iter();
        let captured = self.given.3.iter();
        let captured = captured
            .map(|v| match v.ty().is_float() {
                true => p.next().expect("one for each").to(v.dtype()),
                false => zeros_like(*v),
            })
            .collect::<Vec<_>>();
        let (x0, t0, times) = or_nan(ok, (x0, t0, times));
        let captured = captured.into_iter().map(|v| match v.ty().is_float() {
            true => or_nan(ok, v),
            false => v,
        });
        (x0, t0, times, captured.collect())
    }

    /// No gradient yet.
    fn none(&self) -> Vec<Var> {
        let dtype = self.given.0.dtype();
        let floats = self.floats().into_iter();
        floats.map(|v| zeros_like(v).to(dtype)).collect()
    }

    /// The cotangents of the times: those of their states along the solution, and their own.
    fn of_times(&self, ct: &Solution<Var>) -> Var {
        let times = self.given.2;
        let slope = |(t, x, c): (Var, Var, Var)| c.dot((self.rate)((t, x), &self.given.3));
        ct.t + vmap(slope)((times, self.rows, ct.y))
    }

    /// The state is solved for backwards, from one time to the one before.
    fn solving(&self, ct: Solution<Var>) -> Given {
        let (x0, t0, times, _) = self.given.clone();
        let n = times.shape()[0];
        let ends = match n {
            1 => t0.reshape([1]),
            _ => concat([t0.reshape([1]), times.slice_axis(0, 0..n as i64 - 1)], 0),
        };
        type Adjoints = (Var, Vec<Var>, Var);
        let start: Adjoints = (zeros_like(x0), self.none(), Var::from(true));
        let rows = (times, ends, self.rows, ct.y);
        let ((a, p, ok), ()) = scan_reverse(
            start,
            rows,
            |(a, p, ok): Adjoints, (from, to, x, c): (Var, Var, Var, Var)| {
                asked_at(self.place, || {
                    let rate = |t: Var, (x, a, _): (Var, Var, Vec<Var>)| {
                        let (k, x, p) = self.pulled(t, x, a);
                        (k, -x, p.into_iter().map(|p| -p).collect::<Vec<_>>())
                    };
                    let span = Span::new((x, a + c, p), from, to);
                    let run =
                        self.ode
                            .integrate(self.place, Rates::whole(&rate), span, &Ends, vec![]);
                    let (_, a, p) = run.y;
                    ((a, p, ok & run.status.eq(Status::Finished.code())), ())
                })
            },
        );
        let at_start = -a.dot((self.rate)((t0, x0), &self.given.3));
        let of_times = self.of_times(&ct);
        self.cotangent(ok, a, at_start, of_times, p)
    }

    /// The state is read from its polynomials, each of which is integrated over by itself.
    fn interpolating(&self, pieces: Polynomials<Var>, ct: Solution<Var>) -> Given {
        let (x0, t0, times, _) = self.given.clone();
        let n = times.shape()[0] as i64;
        let forward = stop_gradient(times.at(-1) - t0).sign();
        // The time, the adjoint, the gradient, the piece and the row to come, and whether all went well.
        type Adjoints = (Var, Var, Vec<Var>, Var, Var, Var);
        let start: Adjoints = (
            times.at(-1),
            zeros_like(x0),
            self.none(),
            pieces.count - 1,
            Var::from(n - 1),
            Var::from(true),
        );
        let (_, a, p, _, next, ok) = while_loop(
            start,
            |(_, _, _, piece, _, _): Adjoints| piece.ge(0i64),
            |(t, a, p, piece, next, ok): Adjoints| {
                asked_at(self.place, || {
                    let begin = pieces.starts.at(piece);
                    let row = next.maximum(0i64);
                    let time = times.at(row);
                    // The row lies in this piece, or at its end.
                    let is_row = next.ge(0i64) & stop_gradient((time - begin) * forward).gt(0.0);
                    let to = is_row.select(time, begin);
                    let (a, p, fine) = self.over(&pieces, piece, t, to, a, p);
                    let a = is_row.select(a + ct.y.at(row), a);
                    (
                        to,
                        a,
                        p,
                        is_row.select(piece, piece - 1),
                        is_row.select(next - 1, next),
                        ok & fine,
                    )
                })
            },
        );
        // Rows at the start are its state.
        let at_start = fori(..next + 1, a, |i, a: Var| a + ct.y.at(i));
        let slope = -a.dot((self.rate)((t0, x0), &self.given.3));
        let of_times = self.of_times(&ct);
        self.cotangent(ok, at_start, slope, of_times, p)
    }

    /// The adjoint and the gradient over a part of a piece.
    fn over(
        &self,
        pieces: &Polynomials<Var>,
        piece: Var,
        from: Var,
        to: Var,
        a: Var,
        p: Vec<Var>,
    ) -> (Var, Vec<Var>, Var) {
        let coefficients: Vec<Var> = pieces.coefficients.iter().map(|c| c.at(piece)).collect();
        let (begin, length) = (pieces.starts.at(piece), pieces.lengths.at(piece));
        let state = |t: Var| horner(&coefficients, (t - begin) / length);
        let rate = |t: Var, a: Var| -self.pulled(t, state(t), a).1;
        let gradient = |t: Var, a: Var| self.pulled(t, state(t), a).2;
        let keep = Quadrature {
            gradient: &gradient,
            start: p,
        };
        let span = Span {
            first: Some(from - to),
            ..Span::new(a, from, to)
        };
        let run = self
            .ode
            .integrate(self.place, Rates::whole(&rate), span, &keep, vec![]);
        (run.y, run.kept, run.status.eq(Status::Finished.code()))
    }
}

/// Integrals along the way back, by Gauss's rule in each step.
struct Quadrature<'a> {
    gradient: &'a dyn Fn(Var, Var) -> Vec<Var>,
    start: Vec<Var>,
}

impl Keep<Var> for Quadrature<'_> {
    type Kept = Vec<Var>;

    fn start<M: Method>(&self, _: M, _: Var, _: &Var, _: Var) -> Vec<Var> {
        self.start.clone()
    }

    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Var>,
        taken: &Taken<Var, M>,
        kept: Vec<Var>,
    ) -> (Vec<Var>, Var) {
        if kept.is_empty() {
            return (kept, Var::from(0i64));
        }
        let kept = cond(
            taken.accepted,
            kept,
            |mut kept: Vec<Var>| {
                asked_at(field.place, || {
                    let c = method.dense(field, taken.t, taken.y, taken.h, taken.trial);
                    for (x, weight) in GAUSS {
                        let a = horner(&c, Var::from(x).to(field.dtype));
                        let slopes = (self.gradient)(taken.t + x * taken.h, a);
                        for (sum, slope) in kept.iter_mut().zip(slopes) {
                            *sum -= weight * taken.h * slope;
                        }
                    }
                    kept
                })
            },
            |kept| kept,
        );
        (kept, Var::from(0i64))
    }
}

impl Lift<Var> for Quadrature<'_> {
    fn lift(&self, kept: Vec<Var>, _: &dyn Fn(Var) -> Var) -> Vec<Var> {
        kept
    }
}
