//! Tolerances and the lengths of steps.

use wengert::prelude::*;

use crate::State;

/// What an error may be: `atol + rtol |y|` for each number of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    pub(super) rtol: f64,
    pub(super) atol: f64,
}

impl Tolerance {
    /// The root mean square of an error in units of what it may be, which is taken at the larger of two states.
    pub(super) fn norm<Y: State>(&self, dtype: DType, error: &Y, from: &Y, to: &Y) -> Var {
        let leaves = |y: &Y| tree::leaves(&stop_gradient(y.clone()));
        let mut count = 0;
        let mut sum = Var::from(0.0).to(dtype);
        for ((e, a), b) in leaves(error).iter().zip(leaves(from)).zip(leaves(to)) {
            let scale = self.atol + self.rtol * a.abs().maximum(b.abs());
            sum = sum + (*e / scale).square().sum();
            count += e.ty().size();
        }
        (sum / count.max(1) as f64).sqrt()
    }
}

/// How the estimate of the error chooses the next step: by `safety · e₀^(-(p+i+d)/k) · e₁^((p+2d)/k) · e₂^(-d/k)`, where
/// `e₀` is the error of this step, `e₁` and `e₂` are those of the accepted steps before, in units of the tolerances, and the
/// error falls with `h^k` (Söderlind, ACM Trans. Math. Softw. 29, 2003).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controller {
    /// The proportional part.
    pub p: f64,
    /// The integral part.
    pub i: f64,
    /// The derivative part.
    pub d: f64,
    /// What the step that would be just right is multiplied by.
    pub safety: f64,
    /// The least factor between two steps.
    pub min_factor: f64,
    /// The largest factor between two steps.
    pub max_factor: f64,
}

impl Controller {
    /// The next step by the error of this one alone.
    pub const I: Controller = Controller::new(0.0, 1.0, 0.0);

    /// That of Hairer's `dopri5`, which damps what the steps do where stability limits them.
    pub const PI: Controller = Controller::new(0.2, 0.65, 0.0);

    /// The step by three errors: Söderlind's H211 with its filter.
    pub const PID: Controller = Controller::new(0.3, 0.3, 0.05);

    /// A controller with safety 0.9 and factors from 0.2 to 10.
    pub const fn new(p: f64, i: f64, d: f64) -> Controller {
        Controller {
            p,
            i,
            d,
            safety: 0.9,
            min_factor: 0.2,
            max_factor: 10.0,
        }
    }

    /// The factor to the next step, where errors are given by their logarithms, for an error that falls with `h^k`.
    pub(super) fn factor(&self, error: Var, [before, earlier]: [Var; 2], k: f64) -> Var {
        let mut power = error * (-(self.p + self.i + self.d) / k);
        for (log, weight) in [(before, self.p + 2.0 * self.d), (earlier, -self.d)] {
            if weight != 0.0 {
                power = power + log * (weight / k);
            }
        }
        (self.safety * power.exp()).clamp(self.min_factor, self.max_factor)
    }
}

/// The logarithm of an error, kept from those that are next to nothing.
pub(super) fn log(error: Var) -> Var {
    error.maximum(1e-8).ln()
}
