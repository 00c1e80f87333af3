//! Explicit Runge-Kutta methods, each given by its numbers.

use wengert::prelude::*;

use super::method::{Field, Method, Trial, advance, combine};
use crate::State;

/// The numbers of an explicit Runge-Kutta method: stage `i` is the rate at `t + c[i] h` and `y + h Σ a[i][j] k[j]`.
#[derive(Debug)]
pub struct Tableau {
    /// Its name in errors.
    pub name: &'static str,
    /// The order of the solution.
    pub order: u32,
    /// The order of the other solution, with which it is compared; 0 if there is none.
    pub error_order: u32,
    /// The times of the stages, the first of which is 0.
    pub c: &'static [f64],
    /// The factors of the stages before each; the first is empty.
    pub a: &'static [&'static [f64]],
    /// The factors of the stages in the solution.
    pub b: &'static [f64],
    /// The factors of the stages in the estimate of the error; one more than there are stages if the rate at the end counts.
    pub error: &'static [f64],
    /// The factors of a second estimate `e₃`, empty if there is none: the error is `e² / √(e² + 0.01 e₃²)` (Hairer, Nørsett,
    /// Wanner, Solving ODEs I, II.10).
    pub damping: &'static [f64],
    /// Stages that `dense` alone needs, after the rate at the end: their times, and the factors of the stages before.
    pub extra: &'static [(f64, &'static [f64])],
    /// The factors in the solution within the step: `dense[j][i]` is that of stage `i` in the power `j + 1`
    /// of the part of the step; the rate at the end is the stage after the last. If it is empty, the cubic through both ends and their rates is taken.
    pub dense: &'static [&'static [f64]],
}

/// No numbers, for those that a method does not have.
pub(super) const NONE: Tableau = Tableau {
    name: "",
    order: 0,
    error_order: 0,
    c: &[],
    a: &[],
    b: &[],
    error: &[],
    damping: &[],
    extra: &[],
    dense: &[],
};

/// Declares methods with their numbers.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $tableau:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl Tabled for $name {
            const TABLEAU: &'static Tableau = &$tableau;
        }
    )*};
}
pub(super) use methods;

impl Tableau {
    /// Whether the last stage is the rate at the end of the step.
    pub(super) fn ends_in_stage(&self) -> bool {
        let last = self.a.len() - 1;
        self.c[last] == 1.0
            && self.b.len() > last
            && self.b[last] == 0.0
            && self.b[..last] == *self.a[last]
    }
}

/// A type that stands for an explicit Runge-Kutta method; it is a [`Method`].
pub trait Tabled: Copy {
    /// Its numbers.
    const TABLEAU: &'static Tableau;
}

impl<T: Tabled> Method for T {
    const NAME: &'static str = T::TABLEAU.name;

    /// The rate at the beginning of the step.
    type Memory<Y: State> = Y;

    fn order(&self) -> u32 {
        T::TABLEAU.order
    }

    fn error_order(&self) -> Option<u32> {
        Some(T::TABLEAU.error_order).filter(|p| *p > 0)
    }

    fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> Y {
        field.rate(t, y)
    }

    fn step<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y, h: Var, k0: &Y) -> Trial<Y, Y> {
        let tableau = T::TABLEAU;
        let mut k = vec![k0.clone()];
        for (&c, a) in tableau.c.iter().zip(tableau.a).skip(1) {
            let at = advance(y, h, combine(a, &k));
            k.push(field.rate(t + c * h, &at));
        }
        let next = advance(y, h, combine(tableau.b, &k));
        if !tableau.ends_in_stage() {
            k.push(field.rate(t + h, &next));
        }
        let size = |weights| {
            let e = tree::map(combine(weights, &k)?, |e| h * e);
            Some(field.norm(&e, y, &next))
        };
        let error = match (size(tableau.error), size(tableau.damping)) {
            (Some(e), Some(damping)) => {
                let square = e.square();
                // Where both are zero, so is the error.
                Some(square / (square + 0.01 * damping.square()).sqrt().maximum(1e-300))
            }
            (error, _) => error,
        };
        Trial {
            y: next,
            error,
            memory: k[k.len() - 1].clone(),
            after_rejection: None,
            factor: None,
            evaluations: Var::from(k.len() as i64 - 1),
            stages: k,
        }
    }

    fn dense_terms(&self) -> usize {
        match T::TABLEAU.dense {
            [] => 4,
            powers => powers.len() + 1,
        }
    }

    fn dense_evaluations(&self) -> i64 {
        T::TABLEAU.extra.len() as i64
    }

    fn dense<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        trial: &Trial<Y, Y>,
    ) -> Vec<Y> {
        let mut k = trial.stages.clone();
        match T::TABLEAU.dense {
            [] => cubic(y, h, &k[0], &trial.y, &k[k.len() - 1]),
            powers => {
                for (c, a) in T::TABLEAU.extra {
                    let at = advance(y, h, combine(a, &k));
                    k.push(field.rate(t + *c * h, &at));
                }
                let zero = || tree::map(y.clone(), zeros_like);
                let power = |w: &&[f64]| match combine(w, &k) {
                    Some(sum) => tree::map(sum, |s| h * s),
                    None => zero(),
                };
                std::iter::once(y.clone())
                    .chain(powers.iter().map(power))
                    .collect()
            }
        }
    }
}

/// The cubic polynomial through two states and their rates.
pub(super) fn cubic<Y: State>(y0: &Y, h: Var, k0: &Y, y1: &Y, k1: &Y) -> Vec<Y> {
    let up = tree::map2(y0.clone(), y1.clone(), |a, b| b - a);
    let rates = |p: f64, q: f64| tree::map2(k0.clone(), k1.clone(), |a, b| h * (p * a + q * b));
    vec![
        y0.clone(),
        rates(1.0, 0.0),
        tree::map2(up.clone(), rates(2.0, 1.0), |d, k| 3.0 * d - k),
        tree::map2(up, rates(1.0, 1.0), |d, k| k - 2.0 * d),
    ]
}
