//! Rosenbrock methods: each stage solves one linear system, with one matrix for all stages of a step.

use wengert::prelude::*;

use super::linear::{Flat, Linear};
use super::rosenbrock_numbers as numbers;
use crate::State;
use crate::de::method::{Field, Method, Trial, combine};
use crate::de::tableau::cubic;

/// The numbers of a Rosenbrock method in the form without products with the Jacobian (Hairer, Wanner, Solving ODEs II, IV.7): stage `i`
/// is the solution of `(M - γ h J) u[i] = γ (h f(t + α[i] h, y + Σ a[i][j] u[j]) + M Σ c[i][j] u[j] + d[i] h² f_t)`.
pub(super) struct Numbers {
    pub(super) order: u32,
    pub(super) error_order: u32,
    pub(super) gamma: f64,
    pub(super) alpha: &'static [f64],
    pub(super) d: &'static [f64],
    pub(super) a: &'static [&'static [f64]],
    pub(super) c: &'static [&'static [f64]],
    /// The factors of the stages in the solution.
    pub(super) b: &'static [f64],
    /// The factors of the stages in the estimate of the error.
    pub(super) error: &'static [f64],
    /// Within the step the solution is `(1 - x) y + x (y₁ + (1 - x) (k₀ + x (k₁ + ..)))` with `k[j] = Σ dense[j][i] u[i]`. If
    /// it is empty, the cubic through both ends and their rates is taken.
    pub(super) dense: &'static [&'static [f64]],
}

fn add(x: Var, more: Option<Var>) -> Var {
    match more {
        Some(more) => x + more,
        None => x,
    }
}

fn step<Y: State>(
    m: &Numbers,
    linear: Linear,
    field: &Field<Y>,
    t: Var,
    y: &Y,
    h: Var,
) -> Trial<Y, ()> {
    let (flat, x) = Flat::new(field, linear, y);
    let s = h * m.gamma;
    let jacobian = flat.jacobian(t, x);
    let system = flat.shifted(t, x, s, jacobian);
    let by_time = flat.rate_by_time(t, x);
    let mut u: Vec<Var> = vec![];
    let mut rates: Vec<(f64, &[f64], Var)> = vec![];
    for (i, (&alpha, a)) in m.alpha.iter().zip(m.a).enumerate() {
        // Stages at one place share its rate.
        let known = rates.iter().find(|(c, b, _)| *c == alpha && b == a);
        let rate = match known {
            Some((_, _, rate)) => *rate,
            None => {
                let rate = flat.rate(t + alpha * h, add(x, combine(a, &u)));
                rates.push((alpha, a, rate));
                rate
            }
        };
        let mut right = s * rate;
        if let Some(c) = combine(m.c[i], &u) {
            right += m.gamma * flat.massed(c);
        }
        if let Some(by_time) = by_time
            && m.d[i] != 0.0
        {
            right += (m.d[i] * s * h) * by_time;
        }
        u.push(flat.solve(&system, right));
    }
    let next = add(x, combine(m.b, &u));
    let error = combine(m.error, &u).map(|e| flat.norm(e, x, next));
    Trial {
        y: flat.tree(next),
        error,
        memory: (),
        after_rejection: None,
        factor: None,
        evaluations: Var::from(rates.len() as i64),
        stages: u.into_iter().map(|u| flat.tree(u)).collect(),
    }
}

fn dense<Y: State>(
    m: &Numbers,
    field: &Field<Y>,
    t: Var,
    y: &Y,
    h: Var,
    trial: &Trial<Y, ()>,
) -> Vec<Y> {
    let (flat, x) = Flat::new(field, Linear::Dense, y);
    let next = flat.vector(&trial.y);
    if m.dense.is_empty() {
        let (k0, k1) = (flat.slope(t, x), flat.slope(t + h, next));
        let powers = cubic(&x, h, &k0, &next, &k1);
        return powers.into_iter().map(|p| flat.tree(p)).collect();
    }
    let u: Vec<Var> = trial.stages.iter().map(|u| flat.vector(u)).collect();
    let k: Vec<Var> = m.dense.iter().filter_map(|w| combine(w, &u)).collect();
    let mut powers = vec![x, next - x + k[0]];
    for pair in k.windows(2) {
        powers.push(pair[1] - pair[0]);
    }
    powers.push(-k[k.len() - 1]);
    powers.into_iter().map(|p| flat.tree(p)).collect()
}

/// Declares methods with their numbers.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $numbers:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name {
            /// How its systems are solved.
            pub linear: Linear,
        }

        impl $name {
            /// The method with dense linear algebra.
            pub const fn new() -> $name {
                $name { linear: Linear::Dense }
            }

            /// Sets how its systems are solved.
            pub const fn linear(mut self, linear: Linear) -> $name {
                self.linear = linear;
                self
            }
        }

        impl Method for $name {
            const NAME: &'static str = stringify!($name);
            const VECTOR: bool = true;
            const MASS: bool = true;
            type Memory<Y: State> = ();

            fn order(&self) -> u32 {
                $numbers.order
            }

            fn error_order(&self) -> Option<u32> {
                Some($numbers.error_order)
            }

            fn linear(&self) -> Linear {
                self.linear
            }

            fn start<Y: State>(&self, _: &Field<Y>, _: Var, _: &Y) {}

            fn step<Y: State>(
                &self,
                field: &Field<Y>,
                t: Var,
                y: &Y,
                h: Var,
                (): &(),
            ) -> Trial<Y, ()> {
                step(&$numbers, self.linear, field, t, y, h)
            }

            fn dense<Y: State>(
                &self,
                field: &Field<Y>,
                t: Var,
                y: &Y,
                h: Var,
                trial: &Trial<Y, ()>,
            ) -> Vec<Y> {
                dense(&$numbers, field, t, y, h, trial)
            }
        }
    )*};
}

methods! {
    /// Hairer and Wanner's `RODAS`, of order 4 with order 3 beside it: L-stable and stiffly accurate, six stages, and a
    /// polynomial of order 3 within the step (Solving ODEs II, IV.7 and VI.4). For stiff equations of up to some hundred unknowns at
    /// tolerances of 1e-3 to 1e-7.
    ///
    /// Each step takes the Jacobian of the right-hand side and its derivative by time, both by tangents, one factorisation, and six
    /// systems. The derivative of a solution is that of the steps, the Jacobian's own derivative included, and
    /// factors nothing again.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Ode, Rodas4};
    ///
    /// // Robertson's reactions, whose rates are eleven powers of ten apart.
    /// let reactions = |k: [Var; 3]| {
    ///     let f = move |_, [a, b, c]: [Var; 3]| {
    ///         let (slow, fast, back) = (k[0] * a, k[1] * b * b, k[2] * b * c);
    ///         [back - slow, slow - back - fast, fast]
    ///     };
    ///     let ode = Ode::new(Rodas4::new()).rtol(1e-7).atol(1e-11);
    ///     ode.solve(f, [1.0, 0.0, 0.0], 0.0, 40.0)
    /// };
    /// let s = jit(reactions).call([0.04, 3e7, 1e4])?.ok()?;
    /// assert!((s.y[0].item::<f64>()? - 0.7158270688).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Rodas4 = numbers::RODAS4;

    /// Steinebach's method of order 5 with order 4 beside it (BIT 63, 2023): L-stable, stiffly accurate, eight stages, of full
    /// order for parabolic equations, and a polynomial of order 4 within the step. The first choice for stiff
    /// equations at tolerances of 1e-5 and less.
    ///
    /// Jacobians, systems and derivatives are as those of [`Rodas4`].
    Rodas5P = numbers::RODAS5P;

    /// Lang and Verwer's method of order 3 with order 2 beside it (BIT 41, 2001): A-stable, three stages, of full order for
    /// parabolic equations. For coarse tolerances. Within the step it is the cubic through both ends and their rates. Where a solution suddenly
    /// grows much faster than the steps resolve, its estimate of the error may not see it.
    ///
    /// Jacobians, systems and derivatives are as those of [`Rodas4`].
    Ros3P = numbers::ROS3P;
}
