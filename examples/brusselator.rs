//! A chemical clock in a dish: the Brusselator in two dimensions, `2 n²` equations that diffusion makes stiff.
//!
//! ```text
//! u' = 1 + u² v - 4.4 u + α Δu + f(t, x, y)
//! v' = 3.4 u - u² v + α Δv
//! ```
//!
//! on a unit square whose opposite sides are joined, with α = 0.1, from `u = 22 y (1 - y)^1.5` and `v = 27 x (1 - x)^1.5`. From t = 1.1 on
//! something is dripped in: `f = 5` within 0.1 of (0.3, 0.6). The end is at t = 11.5. These are the figures of Hairer and Wanner,
//! *Solving Ordinary Differential Equations II*, section IV.10, who take n = 128: 32,768 equations.
//!
//! The right-hand side is written as on paper, by `laplacian`, and becomes one loop over the grid for both fields, which threads share.
//!
//! `cargo run --release --example brusselator -- [--method rkc|tsit5] [--n 32] [--tolerance 1e-4] [--out FILE]`

use std::error::Error;
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::de::{Grid, Method, Ode, Rkc, Solution, Tsit5, laplacian};

#[path = "brusselator/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "brusselator/tests.rs"]
mod tests;

/// The two substances.
#[derive(Tree, Clone, Copy, Debug)]
struct Fields<T = Var> {
    u: T,
    v: T,
}

const DIFFUSION: f64 = 0.1;

/// When the fields are shown: shortly before it drips, and three times after.
const TIMES: [f64; 4] = [1.0, 2.5, 6.0, 11.5];

/// The coordinate of each point along an axis of a grid of `n` by `n`.
fn coordinate(n: usize, axis: i64) -> Var {
    let x = iota(n, DType::F64) / n as f64;
    x.expand_dims(1 - axis).broadcast_to([n, n])
}

/// The fields at the start.
fn start(n: usize) -> Fields {
    let (x, y) = (coordinate(n, 0), coordinate(n, 1));
    Fields {
        u: 22.0 * y * (1.0 - y).powf(1.5),
        v: 27.0 * x * (1.0 - x).powf(1.5),
    }
}

/// The rates of change of the fields.
fn rate(n: usize) -> impl Fn(Var, Fields) -> Fields {
    let grid = Grid::periodic(1.0 / n as f64);
    let (x, y) = (coordinate(n, 0), coordinate(n, 1));
    let near = ((x - 0.3).square() + (y - 0.6).square()).le(0.01);
    move |t: Var, Fields { u, v }: Fields| {
        let drip = (near & t.ge(1.1)).select(5.0, 0.0);
        let spread = |w: Var| DIFFUSION * laplacian(w, [grid, grid]);
        let made = u * u * v;
        Fields {
            u: 1.0 + made - 4.4 * u + spread(u) + drip,
            v: 3.4 * u - made + spread(v),
        }
    }
}

/// Solves the equations, and returns the fields at [`TIMES`].
fn solve<M>(method: M, n: usize, tolerance: f64) -> Jit<(), Solution<Fields>>
where
    M: Method + Send + Sync + 'static,
{
    jit(move |()| {
        let ode = Ode::new(method).rtol(tolerance).atol(tolerance);
        ode.sample(rate(n), start(n), 0.0, Array::from(TIMES))
    })
}

struct Options {
    method: String,
    n: usize,
    tolerance: f64,
    file: String,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        method: "rkc".to_string(),
        n: 32,
        tolerance: 1e-4,
        file: "brusselator.svg".to_string(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--method" => options.method = value,
            "--n" => options.n = value.parse()?,
            "--tolerance" => options.tolerance = value.parse()?,
            "--out" => options.file = value,
            _ => {
                let usage =
                    "usage: brusselator [--method rkc|tsit5] [--n N] [--tolerance X] [--out FILE]";
                return Err(usage.into());
            }
        }
    }
    if options.n < 8 {
        return Err("a grid has at least 8 points a side".into());
    }
    Ok(options)
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options {
        method,
        n,
        tolerance,
        file,
    } = options()?;
    let solve = match method.as_str() {
        "rkc" => solve(Rkc::new(), n, tolerance),
        "tsit5" => solve(Tsit5, n, tolerance),
        other => return Err(format!("no method {other}: rkc or tsit5").into()),
    };
    let started = Instant::now();
    let found = solve.call(())?.ok()?;
    let first = started.elapsed();
    let started = Instant::now();
    solve.call(())?;
    println!(
        "{} equations: {:.3} s with compilation, {:.3} s without",
        2 * n * n,
        first.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    println!(
        "{} steps, {} rejected, {} evaluations",
        found.steps.item::<i64>()?,
        found.rejected.item::<i64>()?,
        found.evaluations.item::<i64>()?
    );
    for (i, t) in TIMES.iter().enumerate() {
        let mean = |field: &Array| -> wengert::Result<f64> {
            let all = field.to_vec::<f64>()?;
            Ok(all[i * n * n..(i + 1) * n * n].iter().sum::<f64>() / (n * n) as f64)
        };
        let (u, v) = (mean(&found.y.u)?, mean(&found.y.v)?);
        println!("t = {t:4.1}: mean of u {u:.6}, of v {v:.6}");
    }
    plot::draw(&file, n, &TIMES, &found.y.u.to_vec::<f64>()?)?;
    println!("The plot is in {file}.");
    Ok(())
}
