//! The likelihood of points under a mixture of Gaussians, with a Wishart prior.

use std::f64::consts::{PI, SQRT_2};

use serde_json::{Value, json};
use wengert::prelude::*;

use crate::input::{array, count, json as numbers, number};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

/// The parameters of `k` Gaussians in `d` dimensions.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Mixture<T = Var> {
    /// Logarithms of the weights, before normalisation: `[k]`.
    pub alpha: T,
    /// Means: `[k, d]`.
    pub mu: T,
    /// Logarithms of the diagonals of the inverse factors `Q` of the covariances: `[k, d]`.
    pub q: T,
    /// The elements below these diagonals, column by column: `[k, d (d-1) / 2]`.
    pub l: T,
}

/// The prior's parameters.
#[derive(Clone, Copy)]
pub struct Prior {
    pub gamma: f64,
    pub m: usize,
}

impl Mixture {
    /// Returns the factors `Q`, lower triangles: `[k, d, d]`.
    fn factors(&self) -> Var {
        let [k, d] = self.q.shape()[..] else {
            unreachable!("q is a matrix")
        };
        let diagonal = self.q.exp();
        let mut start = 0;
        let mut column = |j: usize| {
            let below = self.l.at(s![.., start..start + d - 1 - j]);
            start += d - 1 - j;
            concat([zeros([k, j]), diagonal.at(s![.., j..j + 1]), below], 1)
        };
        let columns: Vec<Var> = (0..d).map(&mut column).collect();
        stack_axis(&columns, 2)
    }

    /// Computes the logarithm of the likelihood of points, `[n, d]`, times that of the prior.
    pub fn objective(&self, x: Var, prior: Prior) -> Var {
        let [n, d] = x.shape()[..] else {
            unreachable!("x is a matrix")
        };
        let k = self.alpha.shape()[0];
        let factors = self.factors();
        let centres = einsum("kij,kj->ki", &[factors, self.mu]);
        let deviations = einsum("nj,kij->nki", &[x, factors]) - centres;
        let scale = self.q.sum_axis(1);
        let terms = self.alpha + scale - 0.5 * deviations.square().sum_axis(2);
        let likelihood = terms.logsumexp_axis(1).sum() - n as f64 * self.alpha.logsumexp();

        let Prior { gamma, m } = prior;
        let freedom = (d + m + 1) as f64;
        let normaliser = freedom * d as f64 * (gamma / SQRT_2).ln() - log_gamma(freedom / 2.0, d);
        let size = self.q.exp().square().sum() + self.l.square().sum();
        let prior = 0.5 * gamma.powi(2) * size - m as f64 * scale.sum();
        let constant = -0.5 * (n * d) as f64 * (2.0 * PI).ln();
        constant + likelihood + k as f64 * normaliser - prior
    }
}

/// Computes the logarithm of the `d`-dimensional gamma function.
fn log_gamma(a: f64, d: usize) -> Var {
    let one = |j: usize| Var::from(a - 0.5 * j as f64).lgamma();
    (d * (d - 1)) as f64 / 4.0 * PI.ln() + (0..d).map(one).sum::<Var>()
}

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let mixture = Mixture {
        alpha: array::<1>(input, "alpha")?,
        mu: array::<2>(input, "mu")?,
        q: array::<2>(input, "q")?,
        l: array::<2>(input, "l")?,
    };
    let prior = Prior {
        gamma: number(input, "gamma")?,
        m: count(input, "m")?,
    };
    let args = (mixture, array::<2>(input, "x")?);
    let objective = move |(mixture, x): (Mixture, Var)| mixture.objective(x, prior);
    let jacobian = move |(mixture, x)| grad(|mixture| objective((mixture, x)))(mixture);
    match function {
        "objective" => timed(objective, args, limits, numbers),
        "jacobian" => timed(jacobian, args, limits, |g| {
            Ok(json!({
                "alpha": numbers(&g.alpha)?,
                "mu": numbers(&g.mu)?,
                "q": numbers(&g.q)?,
                "l": numbers(&g.l)?,
            }))
        }),
        _ => unknown(function),
    }
}
