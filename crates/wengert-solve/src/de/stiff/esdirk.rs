//! Implicit Runge-Kutta methods whose stages are found one after the other, with one matrix for all.

use wengert::prelude::*;

use super::esdirk_numbers as numbers;
use super::linear::{Flat, Linear};
use super::newton::Kept;
use crate::State;
use crate::de::method::{Field, Method, Trial, combine};
use crate::de::tableau::cubic;

/// The numbers of a method with an explicit first stage, whose implicit stages share one `gamma`, and whose last stage is the
/// solution: stage `i` is the rate at `y + h (Σ a[i][j] k[j] + gamma k[i])`.
pub(super) struct Numbers {
    pub(super) order: u32,
    pub(super) error_order: u32,
    pub(super) gamma: f64,
    pub(super) c: &'static [f64],
    /// The factors of the stages before each; the first is empty.
    pub(super) a: &'static [&'static [f64]],
    /// Those of the explicit part, if the method has one.
    pub(super) explicit: &'static [&'static [f64]],
    /// The factors of the stages before each in its guess.
    pub(super) guess: &'static [&'static [f64]],
    /// The factors of the stages in the estimate of the error.
    pub(super) error: &'static [f64],
    /// Whether the estimate is solved for with the matrix of the stages, without which it does not die out where the solution does.
    pub(super) filtered: bool,
}

/// What is kept from step to step.
#[derive(Tree, Clone)]
pub struct Stages<T = Var> {
    rate: T,
    kept: Kept<T>,
}

/// The limit of Newton's corrections in a stage.
const LIMIT: i64 = 10;

fn start<Y: State>(linear: Linear, field: &Field<Y>, t: Var, y: &Y) -> Stages {
    let (flat, x) = Flat::new(field, linear, y);
    Stages {
        rate: flat.direction(t, x),
        kept: flat.nothing_kept(t, x),
    }
}

fn step<Y: State>(
    m: &Numbers,
    linear: Linear,
    field: &Field<Y>,
    (t, y, h): (Var, &Y, Var),
    memory: &Stages,
) -> Trial<Y, Stages> {
    let (flat, x) = Flat::new(field, linear, y);
    let s = h * m.gamma;
    let fresh = flat.is_fresh(&memory.kept);
    let mut kept = flat.renewed(&memory.kept, t, x, s, 0.25);
    let split = field.explicit.is_some();
    let mut k = vec![memory.rate];
    let mut fast: Vec<Var> = match split {
        true => vec![flat.explicit_rate(t, x)],
        false => vec![],
    };
    let mut evaluations = Var::from(0i64);
    let (mut converged, mut finite) = (Var::from(true), Var::from(true));
    let mut next = x;
    for i in 1..m.a.len() {
        let mut base = x;
        if let Some(known) = combine(m.a[i], &k) {
            base += h * known;
        }
        if split && let Some(known) = combine(m.explicit[i], &fast) {
            base += h * known;
        }
        let at = t + m.c[i] * h;
        let guess = s * combine(m.guess[i], &k).unwrap_or(k[0]);
        let (z, iteration) = flat.increment(&kept, (at, base, s), None, guess, LIMIT);
        next = base + z;
        k.push(z / s);
        if split {
            fast.push(flat.explicit_rate(at, next));
        }
        evaluations += iteration.count;
        converged &= iteration.converged;
        finite &= iteration.finite;
        kept.ratio = iteration.ratio;
    }
    let mut rate = k[k.len() - 1];
    let mut error = combine(m.error, &k);
    if split {
        // The last stage of the explicit part is not the solution.
        let last = m.explicit.len() - 1;
        let weights: Vec<f64> = (0..=last)
            .map(|j| {
                let implicit = *m.a[last].get(j).unwrap_or(&m.gamma);
                implicit - m.explicit[last].get(j).unwrap_or(&0.0)
            })
            .collect();
        if let Some(more) = combine(&weights, &fast) {
            next += h * more;
        }
        error = error.zip(combine(m.error, &fast)).map(|(a, b)| a + b);
        rate = flat.rate(t + h, next);
        evaluations += 1;
    }
    let length = error.map(|e| {
        let e = match m.filtered {
            true => flat.apply_kept(&kept, t + h, next, flat.massed(h * e)),
            false => h * e,
        };
        flat.norm(e, x, next)
    });
    let failed = finite.select(f64::INFINITY, f64::NAN).to(s.dtype());
    let error = length.map(|e| converged.select(e, failed));
    // With an old Jacobian the same step is tried again with a new one.
    let nan = full_like(s, f64::NAN);
    let again = !converged & !fresh;
    let factor = again.select(ones_like(s), nan);
    let renew = |renew: Var| Kept {
        renew,
        ..kept.clone()
    };
    let ends = match split {
        false => [k[0], rate],
        true => [k[0] + fast[0], rate + flat.explicit_rate(t + h, next)],
    };
    Trial {
        y: flat.tree(next),
        error,
        memory: Stages {
            rate,
            kept: renew(kept.ratio.gt(0.2) | !converged),
        },
        after_rejection: Some(Stages {
            rate: memory.rate,
            kept: renew(!converged),
        }),
        factor: Some(factor),
        evaluations,
        stages: ends.map(|k| flat.tree(k)).into(),
    }
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
            const SPLIT: bool = !$numbers.explicit.is_empty();
            type Memory<Y: State> = Stages;

            fn order(&self) -> u32 {
                $numbers.order
            }

            fn error_order(&self) -> Option<u32> {
                Some($numbers.error_order)
            }

            fn linear(&self) -> Linear {
                self.linear
            }

            fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> Stages {
                start(self.linear, field, t, y)
            }

            fn step<Y: State>(
                &self,
                field: &Field<Y>,
                t: Var,
                y: &Y,
                h: Var,
                memory: &Stages,
            ) -> Trial<Y, Stages> {
                step(&$numbers, self.linear, field, (t, y, h), memory)
            }

            fn dense<Y: State>(
                &self,
                _: &Field<Y>,
                _: Var,
                y: &Y,
                h: Var,
                trial: &Trial<Y, Stages>,
            ) -> Vec<Y> {
                cubic(y, h, &trial.stages[0], &trial.y, &trial.stages[1])
            }
        }
    )*};
}

methods! {
    /// The trapezoidal rule followed by backward differences, as one method of order 2 whose error is estimated by order 3 (Bank et al.,
    /// IEEE Trans. Electron Devices 32, 1985; Hosea, Shampine, Appl. Numer. Math. 20, 1996): three stages, of which two are found by
    /// Newton's method. For coarse tolerances: of order 2, it takes many steps, whose errors add up, to several hundred times
    /// 1e-5 over a reaction with a limit cycle. Jacobians, factors, derivatives and the solution within the step are as those
    /// of [`Kvaerno3`].
    TrBdf2 = numbers::TRBDF2;

    /// Kværnø's method of order 3 with order 2 beside it (BIT 44, 2004): four stages, of which three are found by Newton's method. For stiff
    /// equations at coarse tolerances whose Jacobian is worth keeping.
    ///
    /// The Jacobian and the factors of `M - γ h J` are kept over stages and steps: the factors until the step's length changes by a
    /// quarter, the Jacobian until two corrections of Newton's method have a ratio above 0.2; a step whose stages do not
    /// converge (Hairer, Wanner, Solving ODEs II, IV.8) is tried again with a new Jacobian, and then shorter. The derivative of a
    /// stage is that of its equation, not of the corrections. Within the step the solution is the cubic through both ends and
    /// their rates.
    Kvaerno3 = numbers::KVAERNO3;

    /// Kværnø's method of order 5 with order 4 beside it (BIT 44, 2004): seven stages, of which six are found by Newton's method. Jacobians,
    /// factors, derivatives and the solution within the step are as those of [`Kvaerno3`].
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Kvaerno5, Ode};
    ///
    /// // Van der Pol's oscillator, relaxing for most of the time.
    /// let oscillator = |mu: Var| {
    ///     let f = move |_, [x, v]: [Var; 2]| [v, mu * (1.0 - x * x) * v - x];
    ///     Ode::new(Kvaerno5::new()).rtol(1e-7).atol(1e-7).solve(f, [2.0, 0.0], 0.0, 2000.0)
    /// };
    /// let s = jit(oscillator).call(1000.0)?.ok()?;
    /// assert!((s.y[0].item::<f64>()? - 1.7061677321).abs() < 1e-4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Kvaerno5 = numbers::KVAERNO5;

    /// Kennedy and Carpenter's method `ARK3(2)4L[2]SA` of order 3 with order 2 beside it (Appl. Numer. Math. 44, 2003): four stages, of
    /// which three are found by Newton's method, and an explicit method for a part of the rate that is not stiff
    /// ([`Ode::solve_split`](crate::de::Ode::solve_split)). Jacobians, factors, derivatives and the solution within the step are as
    /// those of [`Kvaerno3`].
    KenCarp3 = numbers::KENCARP3;

    /// Kennedy and Carpenter's method `ARK4(3)6L[2]SA` of order 4 with order 3 beside it (Appl. Numer. Math. 44, 2003): six stages, of
    /// which five are found by Newton's method, and an explicit method for a part of the rate that is not stiff
    /// ([`Ode::solve_split`](crate::de::Ode::solve_split)). Jacobians, factors, derivatives and the solution within the step are as
    /// those of [`Kvaerno3`].
    KenCarp4 = numbers::KENCARP4;
}
