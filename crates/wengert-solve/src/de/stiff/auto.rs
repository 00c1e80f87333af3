//! A method that is explicit where nothing is stiff.

use wengert::prelude::*;

use super::linear::{Flat, Linear};
use super::rosenbrock::Rodas5P;
use crate::State;
use crate::de::explicit::Tsit5;
use crate::de::method::{Field, Method, Trial, advance, combine};
use crate::de::tableau::Tabled;

/// The part of the negative axis in which [`Tsit5`] is stable.
const STABLE: f64 = 3.5068;
/// The part of it that is taken for stable.
const PART: f64 = 0.9;
/// The number of steps in a row at the border of stability after which the steps become implicit.
const ROUGH: i64 = 10;
/// The number of implicit steps in a row within it after which they become explicit.
const CALM: i64 = 3;

/// [`Tsit5`] where nothing is stiff, and [`Rodas5P`] where something is; each element of a batch for itself.
///
/// An explicit step estimates the largest eigenvalue of the Jacobian by its last two stages, which are at one time (Hairer, Wanner, Solving
/// ODEs II, IV.2), an implicit one by the norm of the Jacobian. After 10 explicit steps in a row whose length is at the border of
/// stability, accepted or not, steps are implicit; after 3 implicit ones in a row that would be stable, explicit. The
/// derivative is that of the steps that were taken. Where a number of the state has no mass, all steps are implicit.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Auto, Ode};
///
/// let oscillator = |mu: Var| {
///     let f = move |_, [x, v]: [Var; 2]| [v, mu * (1.0 - x * x) * v - x];
///     Ode::new(Auto::new()).solve(f, [2.0, 0.0], 0.0, 20.0)
/// };
/// let s = jit(vmap(oscillator)).call([1.0, 30.0, 1000.0])?.ok()?;
/// // The stiffest needs no more than some hundred steps.
/// assert!(s.steps.to_vec::<i64>()?.iter().all(|n| *n < 400));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Auto {
    /// How the systems of implicit steps are solved.
    pub linear: Linear,
}

impl Auto {
    /// The method with dense linear algebra.
    pub const fn new() -> Auto {
        Auto {
            linear: Linear::Dense,
        }
    }

    /// Sets how the systems of implicit steps are solved.
    pub const fn linear(mut self, linear: Linear) -> Auto {
        self.linear = linear;
        self
    }
}

/// What is kept from step to step.
#[derive(Tree, Clone)]
pub struct Switch<Y, T = Var> {
    rate: Y,
    is_implicit: T,
    /// The number of steps in a row that speak for the other method.
    count: T,
}

/// What a step of either method makes.
type Made<Y> = (Y, Var, Y, Var, Var, [Y; 5]);

/// The five coefficients that both methods have within a step.
fn five<Y>(coefficients: Vec<Y>) -> [Y; 5] {
    let five = coefficients.try_into().ok();
    five.expect("both methods have polynomials of degree 4")
}

/// Whether a number of the state has no mass: no explicit step can find it.
fn is_algebraic<Y: State>(field: &Field<Y>) -> Var {
    match field.mass {
        Some(mass) => mass.eq(0.0).any(),
        None => Var::from(false),
    }
}

impl Auto {
    fn explicit<Y: State>(self, field: &Field<Y>, t: Var, y: &Y, h: Var, rate: &Y) -> Made<Y> {
        // With masses, the derivative is the rate over them.
        let slope = |t: Var, y: Y| field.slope(t, &y);
        let field = &Field {
            rate: match field.mass {
                Some(_) => &slope,
                None => field.rate,
            },
            tolerance: field.tolerance.clone(),
            mass: None,
            ..*field
        };
        let trial = Tsit5.step(field, t, y, h, rate);
        let k = &trial.stages;
        let before = advance(y, h, combine(Tsit5::TABLEAU.a[5], &k[..5]));
        let length = |a: &Y, b: &Y| {
            let apart = tree::map2(a.clone(), b.clone(), |a, b| (a - b).square().sum());
            let all = tree::leaves(&stop_gradient(apart));
            all.into_iter().fold(zeros_like(h), |a, b| a + b).sqrt()
        };
        let largest = length(&k[6], &k[5]) / length(&trial.y, &before);
        let dense = five(Tsit5.dense(field, t, y, h, &trial));
        let error = trial.error.unwrap_or_else(|| zeros_like(h));
        (
            trial.y,
            error,
            trial.memory,
            trial.evaluations,
            largest,
            dense,
        )
    }

    fn implicit<Y: State>(self, field: &Field<Y>, t: Var, y: &Y, h: Var) -> Made<Y> {
        let method = Rodas5P::new().linear(self.linear);
        let trial = method.step(field, t, y, h, &());
        let (flat, x) = Flat::new(field, self.linear, y);
        let jacobian = stop_gradient(flat.jacobian(t, x)).abs();
        let largest = match self.linear {
            Linear::Dense => jacobian.sum_axis(1).amax(),
            Linear::Banded { .. } => jacobian.sum_axis(0).amax(),
            Linear::Products { .. } | Linear::Residuals { .. } => {
                let last = stop_gradient(flat.vector(&trial.stages[7]));
                let image = jvp(|x| flat.rate(t, x), stop_gradient(x), last).1;
                (image.square().sum() / last.square().sum()).sqrt()
            }
        };
        let dense = five(method.dense(field, t, y, h, &trial));
        let error = trial.error.unwrap_or_else(|| zeros_like(h));
        let rate = field.slope(t + h, &trial.y);
        (trial.y, error, rate, trial.evaluations + 1, largest, dense)
    }
}

impl Method for Auto {
    const NAME: &'static str = "Auto";
    const VECTOR: bool = true;
    const MASS: bool = true;
    type Memory<Y: State> = Switch<Y>;

    fn order(&self) -> u32 {
        5
    }

    fn error_order(&self) -> Option<u32> {
        Some(4)
    }

    fn linear(&self) -> Linear {
        self.linear
    }

    fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> Switch<Y> {
        Switch {
            rate: field.slope(t, y),
            is_implicit: is_algebraic(field),
            count: Var::from(0i64),
        }
    }

    fn step<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        memory: &Switch<Y>,
    ) -> Trial<Y, Switch<Y>> {
        let is_implicit = memory.is_implicit;
        let (next, error, rate, evaluations, largest, dense) = cond(
            is_implicit,
            (),
            |()| self.implicit(field, t, y, h),
            |()| self.explicit(field, t, y, h, &memory.rate),
        );
        let stable = (stop_gradient(h).abs() * largest).le(PART * STABLE);
        let speaks = is_implicit.eq(stable);
        let count = speaks.select(memory.count + 1, 0i64);
        let turns = count.ge(is_implicit.select(CALM, ROUGH)) & !is_algebraic(field);
        let switch = |rate: Y| Switch {
            rate,
            is_implicit: is_implicit.ne(turns),
            count: turns.select(0i64, count),
        };
        Trial {
            y: next,
            error: Some(error),
            memory: switch(rate),
            after_rejection: Some(switch(memory.rate.clone())),
            factor: None,
            evaluations,
            stages: dense.into(),
        }
    }

    fn dense<Y: State>(
        &self,
        _: &Field<Y>,
        _: Var,
        _: &Y,
        _: Var,
        trial: &Trial<Y, Switch<Y>>,
    ) -> Vec<Y> {
        trial.stages.clone()
    }
}
