//! Tests of stochastic equations.

mod adaptive;
mod brownian;
mod derivatives;
mod jumps;
mod mistakes;
mod orders;

use wengert::prelude::*;

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// The mean of the products of two samples of mean 0.
fn product(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64
}

fn numbers(a: &Array) -> Vec<f64> {
    a.to_vec::<f64>().unwrap()
}
