//! Tolerances and the lengths of steps.

use wengert::prelude::*;
use wengert::solver::refuse;

use crate::State;
use crate::shared::{eps, not_negative, number};

/// The tolerance of numbers near zero, which [`Ode::atol`](super::Ode::atol) takes.
#[derive(Clone, Copy, Debug)]
pub enum Atol {
    /// One for all numbers of the state.
    One(f64),
    /// One for each leaf of the state, or for each of its numbers, in the order in which
    /// [`tree::leaves`](wengert::tree::leaves) gives them.
    Each(&'static [f64]),
    /// The same of a trace: a vector.
    Traced(Var),
}

impl From<f64> for Atol {
    fn from(atol: f64) -> Atol {
        Atol::One(atol)
    }
}

impl From<&'static [f64]> for Atol {
    fn from(atol: &'static [f64]) -> Atol {
        Atol::Each(atol)
    }
}

impl<const N: usize> From<&'static [f64; N]> for Atol {
    fn from(atol: &'static [f64; N]) -> Atol {
        Atol::Each(atol)
    }
}

impl From<Vec<f64>> for Atol {
    fn from(atol: Vec<f64>) -> Atol {
        Atol::Traced(Var::from(atol))
    }
}

impl From<Var> for Atol {
    fn from(atol: Var) -> Atol {
        match atol.ty().rank() {
            0 => Atol::Traced(atol.reshape([1])),
            _ => Atol::Traced(stop_gradient(atol).ravel()),
        }
    }
}

impl Atol {
    /// Requires those that are known where the equation is traced to make sense.
    #[track_caller]
    pub(super) fn expect_valid(self) {
        match self {
            Atol::One(atol) => not_negative("ode", &[("atol", atol)]),
            Atol::Each(each) => each
                .iter()
                .for_each(|a| not_negative("ode", &[("atol", *a)])),
            Atol::Traced(_) => {}
        }
    }

    /// The tolerances of each leaf of a state: numbers, or arrays of the leaf's shape.
    ///
    /// # Errors
    /// If there are as many neither as leaves nor as numbers.
    #[track_caller]
    pub(super) fn leaves<Y: State>(self, dtype: DType, y: &Y) -> Vec<Var> {
        let leaves = tree::leaves(y);
        let Some(each) = self.each(dtype) else {
            return vec![number(self.one(), dtype); leaves.len()];
        };
        if each.ty().size() == 1 {
            return vec![each.at(0i64); leaves.len()];
        }
        if each.ty().size() == leaves.len() {
            return (0..leaves.len() as i64).map(|i| each.at(i)).collect();
        }
        let all = self.numbers(dtype, y).unwrap_or(each);
        let mut from = 0;
        let leaf = |v: &Var| {
            let to = from + v.ty().size() as i64;
            let these = all.slice_axis(0, from..to);
            from = to;
            these.reshape(v.shape())
        };
        leaves.iter().map(leaf).collect()
    }

    /// The tolerances of each number of a state; `None` if they are the same.
    ///
    /// # Errors
    /// As those of [`leaves`](Atol::leaves).
    #[track_caller]
    pub(super) fn numbers<Y: State>(self, dtype: DType, y: &Y) -> Option<Var> {
        let leaves = tree::leaves(y);
        let sizes: Vec<usize> = leaves.iter().map(|v| v.ty().size()).collect();
        self.numbers_of(dtype, &sizes)
    }

    /// The same for leaves of given sizes.
    ///
    /// # Errors
    /// As those of [`leaves`](Atol::leaves).
    #[track_caller]
    pub(super) fn numbers_of(self, dtype: DType, sizes: &[usize]) -> Option<Var> {
        let each = self.each(dtype)?;
        let given = each.ty().size();
        let numbers: usize = sizes.iter().sum();
        if given == 1 {
            return None;
        }
        if given == numbers {
            return Some(each);
        }
        if given == sizes.len() {
            let all = sizes.iter().enumerate();
            let rows = all.map(|(i, &n)| each.at(i as i64).broadcast_to([n]));
            return Some(concat(rows.collect::<Vec<_>>(), 0));
        }
        let message = format!(
            "there are {given} absolute tolerances, and the state has {} leaves with {numbers} numbers",
            sizes.len(),
        );
        refuse("ode", message);
    }

    /// Those that were given one by one.
    fn each(self, dtype: DType) -> Option<Var> {
        match self {
            Atol::One(_) => None,
            Atol::Each(each) => Some(Var::from(each.to_vec()).to(dtype)),
            Atol::Traced(each) => Some(each.to(dtype)),
        }
    }

    /// The one for all, which there is if there are none one by one.
    fn one(self) -> f64 {
        match self {
            Atol::One(atol) => atol,
            Atol::Each(_) | Atol::Traced(_) => 0.0,
        }
    }

    /// The smallest of them.
    pub(super) fn least(self) -> Atol {
        match self {
            Atol::One(atol) => Atol::One(atol),
            Atol::Each(each) => Atol::One(each.iter().copied().fold(f64::INFINITY, f64::min)),
            Atol::Traced(each) => Atol::Traced(each.amin().reshape([1])),
        }
    }

    /// The smallest of those that are known where the equation is traced; 0 if none are.
    pub(super) fn known(self) -> f64 {
        match self.least() {
            Atol::One(atol) => atol,
            Atol::Each(_) | Atol::Traced(_) => 0.0,
        }
    }

    /// The smallest of them, as a number.
    pub(super) fn smallest(self, dtype: DType) -> Var {
        let least = self.least();
        match least.each(dtype) {
            None => number(least.one(), dtype),
            Some(each) => each.at(0i64),
        }
    }
}

/// How the errors of all numbers of a state become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// The root mean square of all numbers.
    #[default]
    Rms,
    /// The largest root mean square of a leaf: no leaf hides behind the others.
    LargestLeaf,
}

/// The smallest number that is not subnormal.
fn least(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => f64::from(f32::MIN_POSITIVE),
        _ => f64::MIN_POSITIVE,
    }
}

/// What an error may be: `atol + rtol |y|` for each number of the state.
#[derive(Clone, Debug)]
pub(super) struct Tolerance {
    pub(super) rtol: f64,
    /// For each leaf: a number, or an array of its shape.
    pub(super) atol: Vec<Var>,
    pub(super) norm: Norm,
}

impl Tolerance {
    /// What the errors of the numbers between two states may be, by the tolerances of a leaf.
    fn scale(&self, atol: Var, from: Var, to: Var) -> Var {
        let scale = atol + self.rtol * from.abs().maximum(to.abs());
        match atol.as_literal() {
            Some(atol) if atol.bits != 0 => scale,
            // An error of zero is within a tolerance of zero: zero is not divided by zero.
            _ => scale.maximum(number(least(scale.dtype()), scale.dtype())),
        }
    }

    /// What the error of each number of a state that is one vector may be.
    pub(super) fn of_vector(&self, x: Var) -> Var {
        let x = stop_gradient(x);
        let atol = self.atol.first().copied();
        self.scale(atol.unwrap_or(zeros_like(x)), x, x)
    }

    /// The size of an error in units of what it may be, which is taken at the larger of two states.
    pub(super) fn norm<Y: State>(&self, dtype: DType, error: &Y, from: &Y, to: &Y) -> Var {
        let leaves = |y: &Y| tree::leaves(&stop_gradient(y.clone()));
        let mut sums = vec![];
        let ends = leaves(from).into_iter().zip(leaves(to));
        for ((e, (a, b)), atol) in leaves(error).into_iter().zip(ends).zip(&self.atol) {
            let scale = self.scale(*atol, a, b);
            sums.push(((e / scale).square().sum(), e.ty().size()));
        }
        let none = number(0.0, dtype);
        match self.norm {
            Norm::Rms => {
                let count: usize = sums.iter().map(|(_, n)| n).sum();
                let sum = sums.into_iter().map(|(s, _)| s).reduce(|a, b| a + b);
                (sum.unwrap_or(none) / count.max(1) as f64).sqrt()
            }
            Norm::LargestLeaf => {
                let means = sums.into_iter().map(|(s, n)| s / n.max(1) as f64);
                means.reduce(Var::maximum).unwrap_or(none).sqrt()
            }
        }
    }
}

/// How the estimate of the error chooses the next step: by `safety · e₀^(-(p+i+d)/k) · e₁^((p+2d)/k) · e₂^(-d/k)`, where
/// `e₀` is the error of this step, `e₁` and `e₂` are those of the accepted steps before, in units of the tolerances, and the
/// error falls with `h^k` (Söderlind, ACM Trans. Math. Softw. 29, 2003). After a rejected step it is `safety · e₀^(-1/k)`.
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

    /// The step by three errors, whose lengths are smooth: Söderlind's H312PID.
    pub const PID: Controller = Controller::new(-2.0 / 9.0, 2.0 / 9.0, 1.0 / 18.0);

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
    pub(super) fn factor(&self, accepted: Var, error: Var, before: [Var; 2], k: f64) -> Var {
        let mut power = error * (-(self.p + self.i + self.d) / k);
        for (log, weight) in before.into_iter().zip([self.p + 2.0 * self.d, -self.d]) {
            if weight != 0.0 {
                power += log * (weight / k);
            }
        }
        let power = accepted.select(power, error * (-1.0 / k));
        (self.safety * power.exp()).clamp(self.min_factor, self.max_factor)
    }
}

/// The logarithm of an error, kept from those that are next to nothing.
pub(super) fn log(error: Var) -> Var {
    error.maximum(1e-8).ln()
}

/// The shortest step from a time within a span: what the time resolves, or far less than the span where the time is zero.
pub(super) fn resolved(t: Var, span: Var) -> Var {
    let eps = eps(span.dtype());
    stop_gradient(t).abs().maximum(span.abs() * eps) * (4.0 * eps)
}
