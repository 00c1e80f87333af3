//! A bottle of nitrogen that empties through a valve. The pressure comes from a library of C, the valve's characteristic from
//! a class of C++, and the derivatives from both; the simulation is a loop, many bottles are a batch, and each step calls the
//! libraries once for all of them.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;

use wengert::prelude::*;

use crate::curve::{self, Curve};
use crate::gas::{self, Gas};

/// Second virial coefficients of nitrogen, rounded: temperatures in K, and cm³/mol.
const NITROGEN: [(f64, f64); 9] = [
    (100.0, -160.0),
    (150.0, -71.0),
    (200.0, -35.0),
    (250.0, -16.0),
    (300.0, -4.0),
    (400.0, 9.0),
    (500.0, 17.0),
    (600.0, 21.0),
    (700.0, 24.0),
];

/// How far the valve lets gas through, by how far it is open.
const VALVE: [(f64, f64); 5] = [
    (0.0, 0.0),
    (0.25, 0.03),
    (0.5, 0.15),
    (0.75, 0.6),
    (1.0, 1.0),
];

/// Seconds, in as many steps.
const SECONDS: f64 = 60.0;
const STEPS: usize = 600;

/// What a bottle begins with: mol/m³, K, and how far its valve is open.
#[derive(Tree, Clone, Copy, Debug)]
struct Bottle<T = Var> {
    density: T,
    temperature: T,
    opening: T,
}

/// The nitrogen of the table.
fn nitrogen() -> Result<Arc<Gas>, gas::GasError> {
    let (t, b): (Vec<f64>, Vec<f64>) = NITROGEN.iter().map(|&(t, b)| (t, 1e-6 * b)).unzip();
    Ok(Arc::new(Gas::new(&t, &b)?))
}

/// The pressure that is left: gas leaves as fast as its excess over the outer pressure and the valve allow, and the walls
/// keep the temperature.
fn left(pressure: impl Fn([Var; 2]) -> Var, valve: impl Fn(Var) -> Var, bottle: Bottle) -> Var {
    let flow = 4e-4 * valve(bottle.opening);
    let step = |density: Var, _: Var| {
        let p = pressure([density, bottle.temperature]);
        let rate = flow * (p - 101_325.0).max(0.0);
        (density - SECONDS / STEPS as f64 * rate, ())
    };
    let (density, ()) = scan(bottle.density, 0..STEPS, step);
    pressure([density, bottle.temperature])
}

/// Empties one bottle, with a gradient, a thousand of them, and one that is too cold.
pub fn run() -> Result<(), Box<dyn Error>> {
    let pressure = gas::pressure(&nitrogen()?);
    let valve = curve::value(&Arc::new(Curve::new(&VALVE)?));
    let model = move |b: Bottle| left(&pressure, &valve, b);

    // One bottle, and its gradient: through 600 steps, by the libraries' own derivatives.
    let one = Bottle {
        density: 2000.0,
        temperature: 290.0,
        opening: 0.2,
    };
    let (p, by) = jit(value_and_grad(model.clone())).call(one)?;
    println!(
        "{:.0} Pa are left; of a valve that is open by 1 % more, {:.0} Pa less",
        p.item::<f64>()?,
        -0.01 * by.opening.item::<f64>()?
    );

    // A thousand bottles: each step is one call of each library.
    let openings: Vec<f64> = (0..1000).map(|i| i as f64 / 999.0).collect();
    let many = jit(vmap_axes(model.clone(), [None, None, Some(0)], 0));
    let all = many.call(Bottle {
        density: Array::from(2000.0),
        temperature: Array::from(290.0),
        opening: Array::from(&openings[..]),
    })?;
    println!(
        "from {:.0} Pa, shut, to {:.0} Pa, open",
        all.to_vec::<f64>()?[0],
        all.to_vec::<f64>()?[999]
    );

    // What a library refuses is an error with the line of the Rust program.
    let cold = jit(model)
        .call(Bottle {
            temperature: 50.0,
            ..one
        })
        .expect_err("it is too cold");
    println!("{cold}");
    Ok(())
}
