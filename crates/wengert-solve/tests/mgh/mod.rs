//! The problems of Moré, Garbow and Hillstrom, *Testing unconstrained optimization software*, ACM Transactions on
//! Mathematical Software 7 (1981): residuals of which the sum of squares is least, standard starts, and the least
//! values that the paper names, all written from its definitions. In problem 11 the paper prints `y_i m i x_2` where
//! `y_i - x_2` is meant, as its own solution shows.

#![allow(dead_code)]

mod fixed;
mod sized;

use wengert::Var;

/// A problem with its dimensions chosen.
#[derive(Clone)]
pub struct Problem {
    /// Its number in the paper.
    pub number: usize,
    pub name: &'static str,
    /// The number of unknowns, and of residuals.
    pub n: usize,
    pub m: usize,
    /// The residuals, a vector of `m`, of a vector of `n`.
    pub residuals: fn(Var) -> Var,
    /// The standard start.
    pub start: Vec<f64>,
    /// The least sums of squares that the paper names: the global one first, then local ones.
    pub minima: &'static [f64],
}

impl Problem {
    /// The sum of the squares of the residuals.
    pub fn sum_of_squares(&self) -> impl Fn(Var) -> Var + Clone + use<> {
        let residuals = self.residuals;
        move |x| residuals(x).square().sum()
    }

    /// The standard start, times a factor; where it is zero, the factor itself instead, as the paper has it.
    pub fn start_times(&self, factor: f64) -> Vec<f64> {
        if factor != 1.0 && self.start.iter().all(|x| *x == 0.0) {
            return vec![factor; self.n];
        }
        self.start.iter().map(|x| factor * x).collect()
    }
}

/// All 35 problems.
pub fn problems() -> Vec<Problem> {
    let mut all = fixed::problems();
    all.extend(sized::problems());
    all.sort_by_key(|p| p.number);
    all
}

/// The numbers of the 14 problems that are systems of nonlinear equations, too. Those with more residuals than
/// unknowns are systems as the equations of a zero gradient.
pub const SYSTEMS: [usize; 14] = [1, 13, 3, 14, 7, 20, 35, 27, 28, 29, 26, 25, 30, 31];

#[test]
fn they_are_as_large_as_they_say() {
    use wengert::prelude::*;
    let all = problems();
    let numbers: Vec<usize> = all.iter().map(|p| p.number).collect();
    assert_eq!(numbers, (1..=35).collect::<Vec<_>>());
    for p in all {
        assert_eq!(p.start.len(), p.n, "{}", p.name);
        let r = jit(p.residuals).call(p.start.clone()).unwrap();
        assert_eq!(r.shape(), [p.m], "{}", p.name);
        assert!(
            r.to_vec::<f64>().unwrap().iter().all(|r| r.is_finite()),
            "{}",
            p.name
        );
    }
}
