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
//! Implicit methods (`bdf`, `kvaerno`, and `kencarp`, in which only the diffusion is implicit) make no matrix: they take products with the
//! Jacobian, and a preconditioner makes these few. By `--near waves` it is the inverse of the diffusion by Fourier transforms,
//! which the equations of a periodic square allow; by `--near cells` the inverse of the two equations of each point, which any do.
//!
//! `cargo run --release --example brusselator -- [--method rkc|tsit5|bdf|kvaerno|kencarp] [--near waves|cells|none] [--n 32]
//! [--tolerance 1e-4] [--out FILE]`

use std::error::Error;
use std::time::Instant;

use wengert::fft::{irfft2, rfft2};
use wengert::prelude::*;
use wengert_solve::de::{
    Bdf, Grid, KenCarp4, Kvaerno3, Linear, Method, Ode, Rkc, Solution, Tsit5, laplacian,
};

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

/// What the reactions change.
fn reactions(n: usize) -> impl Fn(Var, Fields) -> Fields {
    let (x, y) = (coordinate(n, 0), coordinate(n, 1));
    let near = ((x - 0.3).square() + (y - 0.6).square()).le(0.01);
    move |t: Var, Fields { u, v }: Fields| {
        let drip = (near & t.ge(1.1)).select(5.0, 0.0);
        let made = u * u * v;
        Fields {
            u: 1.0 + made - 4.4 * u + drip,
            v: 3.4 * u - made,
        }
    }
}

/// What diffusion changes.
fn diffusion(n: usize) -> impl Fn(Var, Fields) -> Fields {
    let grid = Grid::periodic(1.0 / n as f64);
    move |_: Var, Fields { u, v }: Fields| {
        let spread = |w: Var| DIFFUSION * laplacian(w, [grid, grid]);
        Fields {
            u: spread(u),
            v: spread(v),
        }
    }
}

/// The rates of change of the fields.
fn rate(n: usize) -> impl Fn(Var, Fields) -> Fields {
    let (reactions, diffusion) = (reactions(n), diffusion(n));
    move |t: Var, fields: Fields| {
        let (a, b) = (reactions(t, fields), diffusion(t, fields));
        tree::map2(a, b, |a, b| a + b)
    }
}

/// The inverse of `1 - s D`, where `D` is the diffusion: each wave over what becomes of it.
fn by_waves(n: usize) -> impl Fn(Var, Fields, Var, Fields) -> Fields + Clone {
    move |_: Var, _: Fields, s: Var, r: Fields| {
        let size = |waves: usize| {
            let k = iota(waves, DType::F64) * (std::f64::consts::TAU / n as f64);
            (2.0 - 2.0 * k.cos()) * (DIFFUSION * (n * n) as f64)
        };
        let sizes = size(n).expand_dims(1) + size(n / 2 + 1);
        tree::map(r, |w| {
            let waves = rfft2(w);
            irfft2(waves.map(|part| part / (1.0 + s * sizes)))
        })
    }
}

/// The diagonal and the other two numbers of each point's part of the Jacobian.
fn cells(n: usize) -> impl Fn(Var, Fields, Var) -> [Var; 4] + Clone {
    move |_: Var, Fields { u, v }: Fields, _: Var| {
        let leaves = 4.0 * DIFFUSION * (n * n) as f64;
        let (uv, uu) = (2.0 * u * v, u * u);
        [uv - 4.4 - leaves, uu, 3.4 - uv, -uu - leaves]
    }
}

/// The solution of each point's two equations.
fn of_cells([a, b, c, d]: [Var; 4], s: Var, r: Fields) -> Fields {
    let (a, b, c, d) = (1.0 - s * a, -s * b, -s * c, 1.0 - s * d);
    let det = a * d - b * c;
    Fields {
        u: (d * r.u - b * r.v) / det,
        v: (a * r.v - c * r.u) / det,
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

/// Solves them by an implicit method, with a preconditioner if there is one; `split` treats the reactions explicitly.
fn solve_by_products<M>(
    method: M,
    near: &str,
    split: bool,
    n: usize,
    tolerance: f64,
) -> Jit<(), Solution<Fields>>
where
    M: Method + Send + Sync + 'static,
{
    let near = near.to_string();
    jit(move |()| {
        let ode = Ode::new(method).rtol(tolerance).atol(tolerance);
        let times = Array::from(TIMES);
        match (near.as_str(), split) {
            ("waves", true) => ode.preconditioner(by_waves(n)).sample_split(
                reactions(n),
                diffusion(n),
                start(n),
                0.0,
                times,
            ),
            (_, true) => ode.sample_split(reactions(n), diffusion(n), start(n), 0.0, times),
            ("waves", false) => {
                ode.preconditioner(by_waves(n))
                    .sample(rate(n), start(n), 0.0, times)
            }
            ("cells", false) => {
                ode.preconditioner_with(cells(n), of_cells)
                    .sample(rate(n), start(n), 0.0, times)
            }
            (_, false) => ode.sample(rate(n), start(n), 0.0, times),
        }
    })
}

struct Options {
    method: String,
    near: String,
    n: usize,
    tolerance: f64,
    file: String,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        method: "rkc".to_string(),
        near: "waves".to_string(),
        n: 32,
        tolerance: 1e-4,
        file: "brusselator.svg".to_string(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--method" => options.method = value,
            "--near" => options.near = value,
            "--n" => options.n = value.parse()?,
            "--tolerance" => options.tolerance = value.parse()?,
            "--out" => options.file = value,
            _ => {
                let usage = "usage: brusselator [--method rkc|tsit5|bdf|kvaerno|kencarp] \
                             [--near waves|cells|none] [--n N] [--tolerance X] [--out FILE]";
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
        near,
        n,
        tolerance,
        file,
    } = options()?;
    if !["waves", "cells", "none"].contains(&near.as_str()) {
        return Err(format!("no preconditioner {near}: waves, cells or none").into());
    }
    if (method.as_str(), near.as_str()) == ("kencarp", "cells") {
        return Err("kencarp solves for the diffusion alone: waves or none".into());
    }
    let by = Linear::residuals();
    let solve = match method.as_str() {
        "rkc" => solve(Rkc::new(), n, tolerance),
        "tsit5" => solve(Tsit5, n, tolerance),
        "bdf" => solve_by_products(Bdf::new().linear(by), &near, false, n, tolerance),
        "kvaerno" => solve_by_products(Kvaerno3::new().linear(by), &near, false, n, tolerance),
        "kencarp" => solve_by_products(KenCarp4::new().linear(by), &near, true, n, tolerance),
        other => {
            return Err(format!("no method {other}: rkc, tsit5, bdf, kvaerno or kencarp").into());
        }
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
