//! Stabilised explicit methods.

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::method::{Field, Method, Trial};
use super::tableau::cubic;
use crate::State;
use crate::shared::number;

/// The Runge-Kutta-Chebyshev method of order 2 (Sommeijer, Shampine, Verwer, J. Comp. Appl. Math. 88, 1997), whose region of stability
/// reaches along the negative real axis as the square of the number of stages: for parabolic equations, whose Jacobians have real
/// eigenvalues. Each step has as many stages as its length needs, and the memory of a few states.
///
/// The largest eigenvalue is estimated by power iteration with derivatives along vectors, anew after 25 steps and after each that is
/// rejected; [`bounded`](Rkc::bounded) gives it instead.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Ode, Rkc};
///
/// // Heat in a rod of 100 cells, whose ends are cold: a sine decays as exp(-π² t).
/// let heat = |u: Var| {
///     let f = |_, u: Var| {
///         let u = u.pad([(1, 1)]);
///         101f64.powi(2) * (u.slice_axis(0, 2..) - 2.0 * u.slice_axis(0, 1..-1) + u.slice_axis(0, ..-2))
///     };
///     Ode::new(Rkc::new()).rtol(1e-4).atol(1e-6).solve(f, u, 0.0, 0.1)
/// };
/// let u: Vec<f64> = (1..=100).map(|i| (std::f64::consts::PI * i as f64 / 101.0).sin()).collect();
/// let s = jit(heat).call(&u)?.ok()?;
/// assert!((s.y.to_vec::<f64>()?[50] - u[50] * (-0.1 * std::f64::consts::PI.powi(2)).exp()).abs() < 1e-3);
/// assert!(s.steps.item::<i64>()? < 60);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rkc {
    bound: Option<f64>,
}

/// The largest number of stages, for which rounding leaves some six digits.
const MOST: f64 = 4000.0;

impl Rkc {
    /// The method with an estimate of the largest eigenvalue.
    pub const fn new() -> Rkc {
        Rkc { bound: None }
    }

    /// The method with a bound of the sizes of all eigenvalues of the Jacobian, such as `4 d / dx²` of the heat equation in `d`
    /// dimensions.
    pub const fn bounded(bound: f64) -> Rkc {
        Rkc { bound: Some(bound) }
    }
}

/// What is kept between steps.
#[derive(Tree, Clone)]
pub struct RkcMemory<Y, T = Var> {
    /// The rate at the beginning of the step.
    rate: Y,
    /// The direction of the eigenvector.
    direction: Y,
    /// The bound of the eigenvalues.
    bound: T,
    /// The number of steps since it was estimated.
    age: T,
}

/// The length of a tree of numbers.
fn length<Y: State>(y: &Y) -> Option<Var> {
    let squares = tree::leaves(y).into_iter().map(|v| v.square().sum());
    squares.reduce(|a, b| a + b).map(|s| s.sqrt())
}

/// The size of the largest eigenvalue of the Jacobian, and the direction of its vector.
fn largest<Y: State>(field: &Field<Y>, t: Var, y: &Y, from: Y) -> (Var, Y, Var) {
    let none = number(0.0, field.dtype);
    let unit = |v: Y| {
        let l = length(&v).unwrap_or(none);
        let scale = l.gt(0.0).select(1.0 / l.gt(0.0).select(l, 1.0), 0.0);
        (l, tree::map(v, |v| v * scale))
    };
    let start = (none, none, unit(from).1, Var::from(0i64));
    // The estimate grows towards the eigenvalue; a hundredth of it is enough.
    let (_, found, direction, n) = while_loop(
        start,
        |(before, found, _, n): (Var, Var, Y, Var)| {
            n.lt(2) | ((found - before).abs().gt(0.01 * found) & n.lt(50))
        },
        |(_, found, v, n): (Var, Var, Y, Var)| {
            asked_at(field.place, || {
                let (_, jv) = jvp(|y: Y| field.rate(t, &y), y.clone(), v);
                let (l, v) = unit(jv);
                (found, l, v, n + 1)
            })
        },
    );
    stop_gradient((found, direction, n))
}

impl Method for Rkc {
    const NAME: &'static str = "Rkc";

    type Memory<Y: State> = RkcMemory<Y>;

    fn order(&self) -> u32 {
        2
    }

    fn error_order(&self) -> Option<u32> {
        Some(2)
    }

    fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> RkcMemory<Y> {
        let rate = field.rate(t, y);
        // A vector with parts of all frequencies.
        let mut seed = 0.0;
        let direction = tree::map(rate.clone(), |k| {
            seed += 1.0;
            let n = k.ty().size();
            let noise = (arange(n).to(field.dtype) * 12.9898 + seed).sin() * 43758.5453;
            (noise - noise.floor() - 0.5).reshape(k.shape())
        });
        RkcMemory {
            rate,
            direction: stop_gradient(direction),
            bound: number(self.bound.unwrap_or(0.0).abs(), field.dtype),
            age: Var::from(if self.bound.is_some() {
                0i64
            } else {
                i64::MAX / 2
            }),
        }
    }

    fn step<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        memory: &RkcMemory<Y>,
    ) -> Trial<Y, RkcMemory<Y>> {
        let place = field.place;
        let (bound, direction, age, tried) = match self.bound {
            Some(_) => (
                memory.bound,
                memory.direction.clone(),
                memory.age,
                Var::from(0i64),
            ),
            None => cond(
                memory.age.ge(25),
                (
                    memory.bound,
                    memory.direction.clone(),
                    memory.age,
                    Var::from(0i64),
                ),
                |(_, direction, ..): (Var, Y, Var, Var)| {
                    asked_at(place, || {
                        let (found, direction, n) = largest(field, t, y, direction);
                        (1.2 * found, direction, Var::from(0i64), n)
                    })
                },
                |c| c,
            ),
        };
        let wanted = (1.0 + 1.54 * stop_gradient(h).abs() * bound).sqrt();
        let stages = (wanted.floor() + 1.0).maximum(2.0).minimum(MOST);
        let too_long = wanted.gt(MOST);
        let (k, s) = (&memory.rate, stages);
        // Chebyshev's polynomials of the first kind at w0 > 1, and their derivatives, by a recurrence.
        let w0 = 1.0 + 2.0 / (13.0 * s * s);
        let root = (w0 * w0 - 1.0).sqrt();
        let angle = s * (w0 + root).ln();
        let (sinh, cosh) = (angle.sinh(), angle.cosh());
        let w1 = sinh * root * root / (cosh * s * root - w0 * sinh);
        // b_2 is for the first two as well.
        let b2 = 1.0 / (4.0 * w0 * w0);
        let b1 = 1.0 / w0;
        let first = w1 * b1;
        let y1 = tree::map2(y.clone(), k.clone(), |y, k| y + h * first * k);
        let one = number(1.0, field.dtype);
        let zero = number(0.0, field.dtype);
        #[derive(Tree, Clone)]
        struct Stage<Y, T = Var> {
            y: [Y; 2],
            b: [T; 2],
            c: [T; 2],
            cheb: [T; 2],
            slope: [T; 2],
            bend: [T; 2],
        }
        let start = Stage {
            y: [y.clone(), y1],
            b: [b2, b1],
            c: [zero, first],
            cheb: [one, w0],
            slope: [zero, one],
            bend: [zero, zero],
        };
        let last = fori(
            Var::from(2i64)..stages.to(DType::I64) + 1,
            start,
            |_, v: Stage<Y>| {
                asked_at(place, || {
                    let cheb = 2.0 * w0 * v.cheb[1] - v.cheb[0];
                    let slope = 2.0 * v.cheb[1] + 2.0 * w0 * v.slope[1] - v.slope[0];
                    let bend = 4.0 * v.slope[1] + 2.0 * w0 * v.bend[1] - v.bend[0];
                    let b = bend / (slope * slope);
                    let mu = 2.0 * b * w0 / v.b[1];
                    let nu = -b / v.b[0];
                    let mu1 = 2.0 * b * w1 / v.b[1];
                    let gamma = -(1.0 - v.b[1] * v.cheb[1]) * mu1;
                    let rate = field.rate(t + h * v.c[1], &v.y[1]);
                    let [before, now] = v.y.clone();
                    let sum =
                        tree::map4(y.clone(), now.clone(), before, rate, |y, now, before, k| {
                            (1.0 - mu - nu) * y + mu * now + nu * before + (mu1 * h) * k
                        });
                    let next = tree::map2(sum, k.clone(), |sum, k| sum + (gamma * h) * k);
                    let c = mu * v.c[1] + nu * v.c[0] + mu1 + gamma;
                    Stage {
                        y: [now, next],
                        b: [v.b[1], b],
                        c: [v.c[1], c],
                        cheb: [v.cheb[1], cheb],
                        slope: [v.slope[1], slope],
                        bend: [v.bend[1], bend],
                    }
                })
            },
        );
        let [_, next] = last.y;
        let rate = field.rate(t + h, &next);
        let estimate = tree::map4(
            y.clone(),
            next.clone(),
            k.clone(),
            rate.clone(),
            |y, next, k, rate| 0.8 * (y - next) + 0.4 * h * (k + rate),
        );
        let error = field.norm(&estimate, y, &next);
        // A step with too many stages is refused as if its error were large.
        let error = too_long.select(1e3, error);
        let evaluations = stages.to(DType::I64) + tried;
        let kept = |rate: Y, age: Var| RkcMemory {
            rate,
            direction: direction.clone(),
            bound,
            age,
        };
        Trial {
            y: next,
            error: Some(error),
            memory: kept(rate.clone(), age + 1),
            // The eigenvalue may have grown.
            after_rejection: Some(kept(
                k.clone(),
                Var::from(if self.bound.is_some() { 0i64 } else { 25 }),
            )),
            factor: None,
            stages: vec![k.clone(), rate],
            evaluations,
        }
    }

    fn dense<Y: State>(
        &self,
        _: &Field<Y>,
        _: Var,
        y: &Y,
        h: Var,
        trial: &Trial<Y, RkcMemory<Y>>,
    ) -> Vec<Y> {
        cubic(y, h, &trial.stages[0], &trial.y, &trial.stages[1])
    }
}
