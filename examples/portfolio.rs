//! The portfolio of least risk for a given return: weights of assets that add up to 1 and are not negative, found under
//! constraints for a range of returns at once, and how the risk depends on each asset's expected return.
//!
//! `cargo run --release --example portfolio`

use wengert::prelude::*;
use wengert_solve::minimize::{AugmentedLagrangian, Constrained};

type Failure = Box<dyn std::error::Error>;

const NAMES: [&str; 5] = ["bonds", "gold", "shares", "property", "startups"];

/// Expected returns and standard deviations a year, in percent.
const RETURNS: [f64; 5] = [2.0, 3.5, 7.0, 5.5, 11.0];
const DEVIATIONS: [f64; 5] = [3.0, 14.0, 16.0, 12.0, 30.0];

/// Correlations of the returns.
const CORRELATIONS: [[f64; 5]; 5] = [
    [1.0, 0.2, -0.1, 0.1, -0.2],
    [0.2, 1.0, 0.0, 0.1, 0.0],
    [-0.1, 0.0, 1.0, 0.5, 0.7],
    [0.1, 0.1, 0.5, 1.0, 0.3],
    [-0.2, 0.0, 0.7, 0.3, 1.0],
];

/// The weights of least variance that return `target` percent.
fn portfolio(returns: Var, target: Var) -> Constrained<Var> {
    let deviations = Var::from(Array::from(DEVIATIONS)) / 10.0;
    let covariance = deviations.outer(deviations) * Var::from(Array::from(CORRELATIONS));
    AugmentedLagrangian::new().minimize(
        move |w: Var| w.dot(covariance.dot(w)),
        full(5, 0.2),
        move |w: Var| [w.sum() - 1.0, w.dot(returns) - target],
        |w: Var| w,
    )
}

fn main() -> Result<(), Failure> {
    let targets: Vec<f64> = (0..7).map(|i| 3.0 + f64::from(i)).collect();
    let returns = Array::from(RETURNS);
    let frontier = jit(vmap_axes(
        |(returns, target): (Var, Var)| portfolio(returns, target),
        [None, Some(0)],
        0,
    ));
    let best = frontier.call((&returns, targets.clone()))?.ok()?;
    println!(
        "return  risk   {}",
        NAMES.map(|n| format!("{n:>9}")).join("")
    );
    for (i, target) in targets.iter().enumerate() {
        let risk = 10.0 * best.value.get::<f64>([i])?.sqrt();
        let mut line = format!("{target:5.1}%  {risk:4.1}%  ");
        let mut sum = 0.0;
        for j in 0..5 {
            let weight = best.x.get::<f64>([i, j])?;
            assert!(weight > -1e-7, "no weight is negative");
            sum += weight;
            line += &format!("{:8.1}%", 100.0 * weight.max(0.0));
        }
        assert!((sum - 1.0).abs() < 1e-7, "the weights add up to 1");
        println!("{line}");
    }

    // How the risk at a return of 6 % changes if an asset is expected to return a percent more: by the implicit derivative
    // of the conditions.
    let risk = |returns: Var| 10.0 * portfolio(returns, Var::from(6.0)).value.sqrt();
    let slopes = jit(grad(risk)).call(returns)?.to_vec::<f64>()?;
    println!("\nrisk at 6% for one percent more of");
    for (name, slope) in NAMES.iter().zip(&slopes) {
        assert!(*slope < 1e-6, "more return is never more risk");
        println!("  {name:9} {slope:+.2}%");
    }
    Ok(())
}
