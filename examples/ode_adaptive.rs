//! How an oscillator's final state depends on its stiffness, and when it first returned: van der Pol's equation with adaptive steps, an
//! event, and derivatives in reverse mode, for a whole batch at once. Each element of the batch takes as many steps
//! as it needs.
//!
//! `cargo run --release --example ode_adaptive`

use wengert::Result;
use wengert::prelude::*;
use wengert_solve::de::{Event, Ode, Tsit5};

/// What is asked of one oscillator.
#[derive(Tree, Clone)]
struct Found<T = Var> {
    /// The position at the end.
    place: T,
    /// When the position first rose through zero.
    crossing: T,
    /// The number of steps.
    steps: T,
}

/// x'' = μ (1 - x²) x' - x, from rest at x = 2.
fn oscillate(mu: Var, end: f64) -> Found {
    let crossing = Event::new(|_, [x, _]: [Var; 2]| x).rising();
    let (s, events) = Ode::new(Tsit5)
        .rtol(1e-9)
        .atol(1e-9)
        .kept_events(1)
        .events([crossing])
        .solve(
            |_, [x, v]| [v, mu * (1.0 - x.square()) * v - x],
            [2.0, 0.0],
            0.0,
            end,
        );
    Found {
        place: s.y[0],
        crossing: events.times.at(0),
        steps: s.steps,
    }
}

fn main() -> Result<()> {
    let end = 10.0;
    let mu: Vec<f64> = (0..8).map(|i| 0.5 + 0.5 * i as f64).collect();
    // Both derivatives, of the place and of the time of the event, with one integration forward.
    let slopes = move |mu: Var| {
        let both = |mu: Var| {
            let found = oscillate(mu, end);
            ((found.place, found.crossing), found)
        };
        let ((_, found), pull) = vjp_aux(both, mu);
        let of = |place: f64, crossing: f64| pull((place.into(), crossing.into()));
        (found, of(1.0, 0.0), of(0.0, 1.0))
    };
    let (found, place, crossing) = jit(vmap(slopes)).call(&mu)?;

    // Compare with finite differences.
    let h = 1e-4;
    let solve = jit(vmap(move |mu| oscillate(mu, end)));
    let moved = |h: f64| solve.call(mu.iter().map(|m| m + h).collect::<Vec<_>>());
    let (above, below) = (moved(h)?, moved(-h)?);
    let difference = |a: &Array, b: &Array| -> Result<Vec<f64>> {
        let (a, b) = (a.to_vec::<f64>()?, b.to_vec::<f64>()?);
        Ok(a.iter().zip(b).map(|(a, b)| (a - b) / (2.0 * h)).collect())
    };
    let places = difference(&above.place, &below.place)?;
    let crossings = difference(&above.crossing, &below.crossing)?;

    println!(
        "  μ      x(10)      dx/dμ  by differences   crossing      dt/dμ  by differences  steps"
    );
    let (x, t, steps) = (
        found.place.to_vec::<f64>()?,
        found.crossing.to_vec::<f64>()?,
        found.steps.to_vec::<i64>()?,
    );
    let (dx, dt) = (place.to_vec::<f64>()?, crossing.to_vec::<f64>()?);
    for i in 0..mu.len() {
        println!(
            "{:>3} {:>10.6} {:>10.5} {:>15.5} {:>10.6} {:>10.6} {:>15.6} {:>6}",
            mu[i], x[i], dx[i], places[i], t[i], dt[i], crossings[i], steps[i]
        );
        assert!((dx[i] - places[i]).abs() < 1e-3 * (1.0 + places[i].abs()));
        assert!((dt[i] - crossings[i]).abs() < 1e-3 * (1.0 + crossings[i].abs()));
    }
    Ok(())
}
