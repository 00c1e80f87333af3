//! Differential equations: single problems at the same true error for everybody, ensembles of them and their gradients, and
//! a table of work against precision.

use std::array::from_fn;
use std::time::Instant;

use wengert::prelude::*;
use wengert_check::equations::{
    HIRES, Problem, ROBERTSON, Visit, hires, lorenz, problem, problems, robertson, van_der_pol,
};
use wengert_solve::de::{
    Bdf, DormandPrince8, Kvaerno5, Linear, Method, Ode, Rodas4, Rodas5P, Solution, Tsit5, Vern7,
};

use crate::inputs::{linspace, u};
use crate::measure::Workload;
use crate::table::duration;

/// The error that single problems are solved to.
const ERROR: f64 = 1e-6;

/// What solves a problem to a relative tolerance, as a function of its start.
type Traced = Box<dyn Fn(Var) -> Solution<Var> + Send + Sync>;

/// The same, compiled.
type Solver = Jit<Var, Solution<Var>>;

/// A method, as one of several.
struct Candidate {
    name: &'static str,
    stiff: bool,
    make: fn(&Problem, f64) -> Traced,
}

/// Solves a problem by a method.
struct Solve<M> {
    method: M,
    rtol: f64,
    small: f64,
    span: [f64; 2],
    mass: Option<Vec<f64>>,
}

impl<M: Method + Send + Sync + 'static> Solve<M> {
    fn ode(&self) -> Ode<M> {
        let ode = Ode::new(self.method).rtol(self.rtol);
        let ode = ode.atol(self.rtol * self.small).max_steps(1_000_000);
        match &self.mass {
            Some(mass) => ode.mass(mass.clone()),
            None => ode,
        }
    }
}

impl<M: Method + Send + Sync + 'static> Visit for Solve<M> {
    type Out = Traced;

    fn numbers<const N: usize>(self, f: fn(Var, [Var; N]) -> [Var; N]) -> Traced {
        Box::new(move |y: Var| {
            let [t0, t1] = self.span;
            let start: [Var; N] = from_fn(|i| y.at(i));
            let s = self.ode().solve(f, start, t0, t1);
            Solution {
                t: s.t,
                y: stack(s.y),
                steps: s.steps,
                rejected: s.rejected,
                evaluations: s.evaluations,
                status: s.status,
            }
        })
    }

    fn vector(self, f: fn(Var, Var) -> Var) -> Traced {
        Box::new(move |y: Var| {
            let [t0, t1] = self.span;
            self.ode().solve(f, y, t0, t1)
        })
    }
}

/// How the linear systems of a problem are solved.
fn linear(problem: &Problem) -> Linear {
    match problem.bands {
        Some(n) => Linear::Banded { lower: n, upper: n },
        None if problem.size() > 100 => Linear::products(),
        None => Linear::Dense,
    }
}

/// Declares candidates: a method for a problem.
macro_rules! candidates {
    ($($name:literal, $stiff:literal, $method:expr;)*) => {
        const CANDIDATES: &[Candidate] = &[$(Candidate {
            name: $name,
            stiff: $stiff,
            make: |p, rtol| {
                let method: fn(&Problem) -> _ = $method;
                p.with(Solve {
                    method: method(p),
                    rtol,
                    small: p.small,
                    span: p.span,
                    mass: p.mass.clone(),
                })
            },
        }),*];
    };
}

candidates! {
    "Tsit5", false, |_| Tsit5;
    "Vern7", false, |_| Vern7;
    "DormandPrince8", false, |_| DormandPrince8;
    "Rodas4", true, |p| Rodas4::new().linear(linear(p));
    "Rodas5P", true, |p| Rodas5P::new().linear(linear(p));
    "Kvaerno5", true, |p| Kvaerno5::new().linear(linear(p));
    "Bdf", true, |p| Bdf::new().linear(linear(p));
}

/// What a solver did.
struct Outcome {
    error: f64,
    seconds: f64,
    evaluations: i64,
    steps: i64,
}

/// Solves a problem, and measures the shortest of some runs; `None` if the solver gives up.
fn outcome(problem: &Problem, f: &Solver, runs: usize) -> wengert::Result<Option<Outcome>> {
    let start = Array::from(&problem.start);
    let found = f.call(&start)?;
    if !found.statuses()?[0].is_converged() {
        return Ok(None);
    }
    let mut seconds = f64::INFINITY;
    let begun = Instant::now();
    for _ in 0..runs {
        let clock = Instant::now();
        f.call(&start)?;
        seconds = seconds.min(clock.elapsed().as_secs_f64());
        if begun.elapsed().as_secs_f64() > 1.0 {
            break;
        }
    }
    Ok(Some(Outcome {
        error: problem.error(&found.y.to_vec::<f64>()?),
        seconds,
        evaluations: found.evaluations.item()?,
        steps: found.steps.item()?,
    }))
}

/// The method and the tolerance that solve a problem to an error in the shortest time.
struct Choice {
    candidate: &'static Candidate,
    rtol: f64,
}

impl Choice {
    fn to(problem: &Problem, error: f64) -> Choice {
        let mut best: Option<(f64, Choice)> = None;
        for candidate in CANDIDATES.iter().filter(|c| c.stiff == problem.stiff) {
            let Some((seconds, rtol)) = loosest(problem, candidate, error) else {
                continue;
            };
            if best.as_ref().is_none_or(|(least, _)| seconds < *least) {
                best = Some((seconds, Choice { candidate, rtol }));
            }
        }
        let (_, choice) = best.unwrap_or_else(|| panic!("no method solves {}", problem.name));
        choice
    }
}

/// The time at the loosest tolerance, in steps of a third of a digit, at which a method keeps an error, and that tolerance.
fn loosest(problem: &Problem, candidate: &Candidate, error: f64) -> Option<(f64, f64)> {
    for thirds in 6..=42 {
        let rtol = 10f64.powf(-f64::from(thirds) / 3.0);
        let f = jit((candidate.make)(problem, rtol));
        match outcome(problem, &f, 20) {
            Ok(Some(o)) if o.error <= error => return Some((o.seconds, rtol)),
            Ok(_) => {}
            Err(e) => panic!("{} by {}: {e}", problem.name, candidate.name),
        }
    }
    None
}

pub fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = problems()
        .into_iter()
        // What is left at the end of this one is less than the rounding of what was there before.
        .filter(|problem| problem.name != "e5")
        .map(|problem| {
            Workload::of(format!("de/{}", problem.name), move || {
                let Choice { candidate, rtol } = Choice::to(&problem, ERROR);
                eprintln!("{}: {} at {rtol:.1e}", problem.name, candidate.name);
                let start = Array::from(&problem.start);
                let solve = (candidate.make)(&problem, rtol);
                (jit(move |y: Var| solve(y).y), start)
            })
        })
        .collect();
    all.extend(ensembles());
    all.extend(sweeps());
    all.push(first_call());
    all
}

/// A problem with parameters.
#[derive(Clone, Copy)]
struct Family<const P: usize, const N: usize> {
    name: &'static str,
    rate: fn([Var; P], [Var; N]) -> [Var; N],
    parameters: [f64; P],
    start: [f64; N],
    end: f64,
}

impl<const P: usize, const N: usize> Family<P, N> {
    /// Parameters, each of them at most 5 % from the standard ones.
    fn spread(&self, n: usize) -> Array {
        let columns: [Vec<f64>; P] = from_fn(|k| u(n, 3 * k));
        let row = |i: usize| (0..P).map(move |k| (i, k));
        let value = |(i, k): (usize, usize)| self.parameters[k] * (0.95 + 0.1 * columns[k][i]);
        let all: Vec<f64> = (0..n).flat_map(row).map(value).collect();
        Array::new([n, P], all).expect("all of them")
    }

    /// Runs of many parameter sets, and their gradients by the parameters and the start.
    fn workloads<M: Method + Send + Sync + 'static>(self, ode: Ode<M>) -> Vec<Workload> {
        let end = move |p: Var, y: Var| {
            let rate = move |_: Var, y: [Var; N]| (self.rate)(from_fn(|k| p.at(k)), y);
            let start: [Var; N] = from_fn(|i| y.at(i));
            stack(ode.solve(rate, start, 0.0, self.end).y)
        };
        let start = move || Array::from(self.start);
        let many = [1000, 10_000].into_iter().flat_map(move |n| {
            let name = self.name;
            let runs = Workload::of(format!("de/{name}_{n}"), move || {
                let f = jit(move |p: Var| vmap(|p| end(p, Var::from(start())))(p));
                (f, self.spread(n))
            });
            let slopes = Workload::of(format!("de/{name}_grad_{n}"), move || {
                let slope =
                    move |p| grad(|(p, y): (Var, Var)| end(p, y).sum())((p, Var::from(start())));
                (jit(move |p: Var| vmap(slope)(p)), self.spread(n))
            });
            [runs, slopes]
        });
        many.collect()
    }
}

fn ensembles() -> Vec<Workload> {
    // By the tolerances at which the problems themselves have an error of 1e-6.
    let explicit = Ode::new(Vern7).rtol(1e-7).atol(1e-7).max_steps(100_000);
    let stiff = |rtol: f64, small: f64| {
        let ode = Ode::new(Rodas5P::new()).rtol(rtol);
        ode.atol(rtol * small).max_steps(100_000)
    };
    let mut all = Family {
        name: "lorenz",
        rate: lorenz,
        parameters: [10.0, 28.0, 8.0 / 3.0],
        start: [1.0; 3],
        end: 5.0,
    }
    .workloads(explicit);
    let robertson = Family {
        name: "robertson",
        rate: robertson,
        parameters: ROBERTSON,
        start: [1.0, 0.0, 0.0],
        end: 1e11,
    };
    all.extend(robertson.workloads(stiff(1e-6, 1e-9)));
    let hires = Family {
        name: "hires",
        rate: hires,
        parameters: HIRES,
        start: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
        end: 321.8122,
    };
    all.extend(hires.workloads(stiff(1e-5, 1e-3)));
    let van_der_pol = Family {
        name: "van_der_pol",
        rate: |[mu]: [Var; 1], y| van_der_pol(mu, y),
        parameters: [1000.0],
        start: [2.0, 0.0],
        end: 2000.0,
    };
    all.extend(van_der_pol.workloads(stiff(1e-7, 1e-3)));
    all
}

/// The gradient of a stiff solution of 28 equations, whose first call counts.
fn first_call() -> Workload {
    Workload::of("de/first_28_grad", || {
        let stars = problem("pleiades").expect("a problem");
        let rate = stars.vector();
        let ode = Ode::new(Rodas5P::new()).rtol(1e-5).atol(1e-5);
        let end = move |y: Var| ode.solve(rate, y, 0.0, 1.0).y.sum();
        (jit(grad(end)), Array::from(&stars.start))
    })
    .without_peers()
}

/// The sweep of GPUODEBenchmarks (Utkarsh and others, *Automated translation and accelerated solving of differential equations
/// on multiple GPU platforms*, 2023): Lorenz' equations to time 1 for many values of ρ up to 21, with 1,000 steps and with as
/// many as a tolerance of 1e-8 asks for.
fn sweeps() -> Vec<Workload> {
    let mut all = vec![];
    for (kind, n) in [("8192", 8192), ("131072", 131_072)] {
        for (way, ode) in [
            ("fixed", Ode::new(Tsit5).fixed(1000)),
            ("adaptive", Ode::new(Tsit5).rtol(1e-8).atol(1e-8).dt0(1e-3)),
        ] {
            for narrow in [false, true] {
                let name = format!("de/sweep_{way}_{kind}{}", if narrow { "_f32" } else { "" });
                all.push(Workload::of(name, move || {
                    let to = if narrow { DType::F32 } else { DType::F64 };
                    let f = jit(vmap(move |rho: Var| {
                        let number = |x: f64| Var::from(x).to(to);
                        let p = [number(10.0), rho, number(8.0 / 3.0)];
                        let start = [1.0, 0.0, 0.0].map(number);
                        ode.solve(move |_, y| lorenz(p, y), start, 0.0, 1.0).y
                    }));
                    let rho = linspace(0.0, 21.0, n);
                    let rho = if narrow {
                        Array::from(rho.iter().map(|x| *x as f32).collect::<Vec<f32>>())
                    } else {
                        Array::from(rho)
                    };
                    (f, rho)
                }));
            }
        }
    }
    all
}

/// Prints time and true error of each method on each problem at tolerances from 1e-4 to 1e-10, as a table.
pub fn work_precision(wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
    println!("| problem | method | tolerance | error | time | steps | evaluations |");
    println!("|---|---|---|---|---|---|---|");
    for problem in problems().into_iter().filter(|p| wanted(p.name)) {
        for candidate in CANDIDATES.iter().filter(|c| c.stiff == problem.stiff) {
            for digits in 4..=10 {
                let rtol = 10f64.powi(-digits);
                let f = jit((candidate.make)(&problem, rtol));
                let found = outcome(&problem, &f, 50);
                let found = found.map_err(|e| format!("{}: {e}", problem.name))?;
                let rest = match found {
                    None => "– | – | – | –".into(),
                    Some(o) => {
                        let time = duration(o.seconds);
                        format!("{:.1e} | {time} | {} | {}", o.error, o.steps, o.evaluations)
                    }
                };
                println!(
                    "| {} | {} | 1e-{digits} | {rest} |",
                    problem.name, candidate.name
                );
            }
        }
    }
    Ok(())
}
