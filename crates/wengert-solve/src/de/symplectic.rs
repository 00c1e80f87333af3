//! Symplectic methods for separable systems.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse, same_trees};

use super::checkpoints::counted_steps;
use super::ode::Solution;
use crate::{State, Status};

/// Integrates `q' = v(p)`, `p' = f(q)`, such as positions and momenta of a Hamiltonian `T(p) + V(q)` with `v = ∂T/∂p` and
/// `f = -∂V/∂q`, by steps of one length that keep the symplectic form: the energy does not drift, but swings about its value.
///
/// A step is a composition of steps of velocity Verlet, `p += f(q) h/2; q += v(p) h; p += f(q) h/2`, of which neighbouring halves are joined.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::Symplectic;
///
/// // A pendulum: 2,000 steps to time 100, in which the energy changes by less than a millionth.
/// let swing = |q: Var| Symplectic::yoshida4().solve(|p: Var| p, |q: Var| -q.sin(), q, 0.0, 100.0, 2000);
/// let s = jit(swing).call(1.0)?.ok()?;
/// let (q, p) = (s.y.0.item::<f64>()?, s.y.1.item::<f64>()?);
/// assert!((0.5 * p * p - q.cos() + 1f64.cos()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Symplectic {
    /// The lengths of the steps of velocity Verlet, as parts of a step, of which the first half is given: they are symmetric.
    half: &'static [f64],
    middle: f64,
    checkpoints: Option<usize>,
}

impl Symplectic {
    const fn new(half: &'static [f64], middle: f64) -> Symplectic {
        Symplectic {
            half,
            middle,
            checkpoints: None,
        }
    }

    /// Velocity Verlet, of order 2, with one evaluation of the force for each step (Verlet, Phys. Rev. 159, 1967).
    pub const fn verlet() -> Symplectic {
        Symplectic::new(&[], 1.0)
    }

    /// Yoshida's composition of order 4, with three evaluations (Phys. Lett. A 150, 1990).
    pub const fn yoshida4() -> Symplectic {
        // 1 / (2 - 2^(1/3)).
        const W: f64 = 1.351_207_191_959_657_6;
        Symplectic::new(&[W], 1.0 - 2.0 * W)
    }

    /// Yoshida's composition of order 6, his solution A, with seven evaluations (Phys. Lett. A 150, 1990).
    pub const fn yoshida6() -> Symplectic {
        const W: [f64; 3] = [
            0.784_513_610_477_557_3,
            0.235_573_213_359_358_13,
            -1.177_679_984_178_871,
        ];
        Symplectic::new(&W, 1.0 - 2.0 * (W[0] + W[1] + W[2]))
    }

    /// Bounds the memory of reverse mode: see [`Ode::checkpoints`](super::Ode::checkpoints).
    pub fn checkpoints(mut self, states: usize) -> Self {
        self.checkpoints = Some(states);
        self
    }

    /// Takes a number of steps from `q` and `p` over a time. The solution's state is `(q, p)`.
    ///
    /// # Errors
    /// If the state has leaves that are no floats; if `velocity` gives no tree like `q`, or `force` none like `p`; if the time
    /// is not a number, or there are no steps.
    #[track_caller]
    pub fn solve<Q, P, A, B>(
        &self,
        velocity: impl Fn(P::Tree) -> A,
        force: impl Fn(Q::Tree) -> B,
        q: Q,
        p: P,
        time: impl IntoTree<Tree = Var>,
        steps: usize,
    ) -> Solution<(Q::Tree, P::Tree)>
    where
        Q: IntoTree,
        P: IntoTree,
        Q::Tree: State,
        P::Tree: State,
        A: IntoTree<Tree = Q::Tree>,
        B: IntoTree<Tree = P::Tree>,
    {
        let place = Location::caller();
        let (q, p, time) = (q.into_tree(), p.into_tree(), time.into_tree());
        let s = self.rows(place, &velocity, &force, (q, p), time, 1, steps);
        let last = |v: Var| v.at(0i64);
        asked_at(place, || Solution {
            t: last(s.t),
            y: tree::map(s.y, last),
            ..s
        })
    }

    /// Takes a number of steps for each of `rows` rows, at equal times: the first row is that after `steps` steps, and the last that at
    /// the end of the time.
    ///
    /// # Errors
    /// As those of [`solve`](Symplectic::solve).
    #[allow(clippy::too_many_arguments)]
    #[track_caller]
    pub fn sample<Q, P, A, B>(
        &self,
        velocity: impl Fn(P::Tree) -> A,
        force: impl Fn(Q::Tree) -> B,
        q: Q,
        p: P,
        time: impl IntoTree<Tree = Var>,
        rows: usize,
        steps: usize,
    ) -> Solution<(Q::Tree, P::Tree)>
    where
        Q: IntoTree,
        P: IntoTree,
        Q::Tree: State,
        P::Tree: State,
        A: IntoTree<Tree = Q::Tree>,
        B: IntoTree<Tree = P::Tree>,
    {
        let place = Location::caller();
        let (q, p, time) = (q.into_tree(), p.into_tree(), time.into_tree());
        self.rows(place, &velocity, &force, (q, p), time, rows, steps)
    }

    #[allow(clippy::too_many_arguments)]
    fn rows<Q: State, P: State, A: IntoTree<Tree = Q>, B: IntoTree<Tree = P>>(
        &self,
        place: &'static Location<'static>,
        velocity: &impl Fn(P) -> A,
        force: &impl Fn(Q) -> B,
        (q, p): (Q, P),
        time: Var,
        rows: usize,
        steps: usize,
    ) -> Solution<(Q, P)> {
        asked_at(place, || {
            expect_floats("symplectic", "the position", &q);
            expect_floats("symplectic", "the momentum", &p);
            let dtype = match tree::leaves(&q).first() {
                Some(v) => v.dtype(),
                None => refuse("symplectic", "the position has no numbers"),
            };
            let all = tree::leaves(&q).into_iter().chain(tree::leaves(&p));
            if let Some(other) = all.map(|v| v.dtype()).find(|t| *t != dtype) {
                let message = format!("the state has {dtype} and {other}, and must be of one type");
                refuse("symplectic", message);
            }
            if time.ty().rank() != 0 || rows == 0 || steps == 0 {
                let message = format!(
                    "the time is {}, with {rows} rows of {steps} steps: it must be a number, with steps",
                    time.ty()
                );
                refuse("symplectic", message);
            }
            let time = time.to(dtype);
            let h = time / (rows * steps) as f64;
            let force = |q: &Q| {
                let f = inside(|| force(q.clone()).into_tree());
                same_trees("symplectic", ["the momentum", "the force"], &p, &f);
                f
            };
            let velocity = |p: &P| {
                let v = inside(|| velocity(p.clone()).into_tree());
                same_trees("symplectic", ["the position", "the velocity"], &q, &v);
                v
            };
            let back = self.half.iter().rev();
            let drifts: Vec<f64> = self
                .half
                .iter()
                .chain([&self.middle])
                .chain(back)
                .copied()
                .collect();
            let step = |_: Var, (mut q, mut p, mut f): (Q, P, P)| {
                asked_at(place, || {
                    let mut kick = drifts[0] / 2.0;
                    for (i, drift) in drifts.iter().enumerate() {
                        p = tree::map2(p.clone(), f.clone(), |p, f| p + kick * h * f);
                        q = tree::map2(q.clone(), velocity(&p), |q, v| q + *drift * h * v);
                        f = force(&q);
                        kick = (drift + drifts.get(i + 1).unwrap_or(&0.0)) / 2.0;
                    }
                    p = tree::map2(p.clone(), f.clone(), |p, f| p + kick * h * f);
                    (q, p, f)
                })
            };
            let start = (q.clone(), p.clone(), force(&q));
            let row = |c: (Q, P, P), i: Var| {
                asked_at(place, || {
                    let c = counted_steps(self.checkpoints, steps, c, &step);
                    let t = (i + 1).to(dtype) * steps as f64 * h;
                    (c.clone(), (t, c.0, c.1))
                })
            };
            let ((last, ..), (t, q, p)) = scan(start, 0..rows, row);
            let finite = tree::leaves(&stop_gradient(last));
            let finite = finite.iter().map(|v| v.is_finite().all());
            let finite = finite.fold(Var::from(true), |a, b| a & b);
            let steps = (rows * steps) as i64;
            Solution {
                t,
                y: (q, p),
                steps: Var::from(steps),
                rejected: Var::from(0i64),
                evaluations: Var::from(1 + steps * drifts.len() as i64),
                status: finite.select(Status::Finished.code(), Status::NotFinite.code()),
            }
        })
    }
}
