//! The price of an Asian option by Monte Carlo, and its sensitivities by reverse mode through the paths.
//!
//! ```text
//! cargo run --release --example asian_option
//! ```

use wengert::prelude::*;

/// The parameters that the price depends on.
#[derive(Tree, Clone, Debug)]
struct Market<T = Var> {
    spot: T,
    volatility: T,
    rate: T,
}

const STRIKE: f64 = 100.0;
const YEARS: f64 = 1.0;
const STEPS: usize = 252;

/// The discounted payoff for one path of an option on the mean price above the strike.
fn payoff(m: &Market, key: Key) -> Var {
    let dt = YEARS / STEPS as f64;
    let drift = (m.rate - 0.5 * m.volatility * m.volatility) * dt;
    let step = |(log, sum): (Var, Var), z: Var| {
        let log = log + drift + m.volatility * dt.sqrt() * z;
        ((log, sum + log.exp()), ())
    };
    let ((_, sum), _) = scan((m.spot.ln(), 0.0), key.normal([STEPS]), step);
    let mean = sum / STEPS as f64;
    (mean - STRIKE).maximum(0.0) * (-m.rate * YEARS).exp()
}

fn main() -> wengert::Result<()> {
    let paths = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000);
    let price = jit(move |(market, key): (Market, Key)| {
        // All paths run side by side, and generate their normal numbers step by step.
        let keys = key.split_into(paths);
        let mean = |m: Market| {
            let m = &m;
            wengert::map(keys, |key: Key| payoff(m, key)).mean()
        };
        value_and_grad_at(market, mean)
    });
    let market = Market {
        spot: 100.0,
        volatility: 0.2,
        rate: 0.05,
    };
    let (value, slopes) = price.call((market, Key::from_seed(2026)))?;
    println!("price {:.4}", value.item::<f64>()?);
    println!("delta {:.4}", slopes.spot.item::<f64>()?);
    println!("vega  {:.4}", slopes.volatility.item::<f64>()?);
    println!("rho   {:.4}", slopes.rate.item::<f64>()?);
    Ok(())
}
