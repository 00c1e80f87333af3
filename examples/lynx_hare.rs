//! Lynx and hare: a predator-prey model, fitted to the numbers of pelts that the Hudson's Bay Company collected
//! from 1900 to 1920, from a thousand starting points at once.
//!
//! ```text
//! dx/dt = α x - β x y      hares, in thousands of pelts
//! dy/dt = δ x y - γ y      lynx
//! ```
//!
//! The four rates and the two populations of 1900 are found by least squares on the logarithms of both series.
//! All of it is one compiled function, `jit(vmap(fit))`: `fit` is a Levenberg-Marquardt loop that stops when it
//! has converged, its Jacobian is the derivative of a scan of Runge–Kutta steps, and a thousand fits run side
//! by side in SIMD lanes on all cores.
//!
//! `cargo run --release --example lynx_hare -- --help`

use std::array::from_fn;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use wengert::Result;
use wengert::prelude::*;

#[path = "lynx_hare/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "lynx_hare/tests.rs"]
mod tests;

const USAGE: &str = "\
Fits Lotka-Volterra to the lynx and hare pelts of the Hudson's Bay Company.

Usage: lynx_hare [--starts N] [--out FILE]

  --starts N   starting points of the search [1000]
  --out FILE   where the plot goes, as SVG [lynx_hare.svg]
  --help       this text";

/// Years of data, and Runge–Kutta steps per year.
const YEARS: usize = 21;
const STEPS: usize = 20;

/// Unknowns.
const N: usize = 6;
const NAMES: [&str; N] = ["alpha", "beta", "gamma", "delta", "x(0)", "y(0)"];

// The model.

/// The rates, and the populations of 1900.
#[derive(Tree, Clone, Copy, Debug)]
struct Model<T = Var> {
    alpha: T,
    beta: T,
    gamma: T,
    delta: T,
    hares: T,
    lynx: T,
}

impl Model {
    /// Converts logarithms to a model. The search is over logarithms, so that every point is a model.
    fn from_logs(q: Var) -> Model {
        let p = q.exp();
        let [alpha, beta, gamma, delta, hares, lynx] = from_fn(|i| p.at(i));
        Model {
            alpha,
            beta,
            gamma,
            delta,
            hares,
            lynx,
        }
    }

    fn start(&self) -> [Var; 2] {
        [self.hares, self.lynx]
    }

    fn rate(&self, [x, y]: [Var; 2]) -> [Var; 2] {
        [
            self.alpha * x - self.beta * x * y,
            self.delta * x * y - self.gamma * y,
        ]
    }

    /// Takes one step of the classical Runge–Kutta method.
    fn step(&self, s: [Var; 2]) -> [Var; 2] {
        let h = 1.0 / STEPS as f64;
        let along = |k: [Var; 2], h: f64| from_fn(|i| s[i] + h * k[i]);
        let k1 = self.rate(s);
        let k2 = self.rate(along(k1, h / 2.0));
        let k3 = self.rate(along(k2, h / 2.0));
        let k4 = self.rate(along(k3, h));
        from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// Returns both populations once a year, starting with the initial ones.
    fn each_year(&self) -> [Var; 2] {
        let year = |s, _| {
            let next = fori(0..STEPS, s, |_, s| self.step(s));
            (next, next)
        };
        let (_, later) = scan(self.start(), 0..YEARS - 1, year);
        let start = self.start();
        from_fn(|i| concat([start[i].reshape([1]), later[i]], 0))
    }

    /// Returns both populations at every step.
    fn curves(&self) -> [Var; 2] {
        let step = |s, _| (self.step(s), s);
        scan(self.start(), 0..(YEARS - 1) * STEPS + 1, step).1
    }
}

/// The data: thousands of pelts per year.
#[derive(Clone)]
struct Pelts {
    years: Vec<f64>,
    hares: Vec<f64>,
    lynx: Vec<f64>,
}

impl Pelts {
    fn read() -> Pelts {
        let text = include_str!("../data/lynx_hare.csv");
        let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let rows: Vec<[f64; 3]> = lines
            .map(|line| {
                let mut fields = line.split(',').map(|x| x.parse().expect("a number"));
                from_fn(|_| fields.next().expect("three columns"))
            })
            .collect();
        let column = |i: usize| rows.iter().map(|row| row[i]).collect();
        Pelts {
            years: column(0),
            lynx: column(1),
            hares: column(2),
        }
    }

    /// Returns the differences between model and data, year by year, in logarithms.
    fn residuals(&self, q: Var) -> Var {
        let [x, y] = Model::from_logs(q).each_year();
        let (hares, lynx) = (Array::from(&self.hares), Array::from(&self.lynx));
        concat([(x / &hares).ln(), (y / &lynx).ln()], 0)
    }
}

// The fit.

/// A point, with the quantities that least squares need of the residuals r and their Jacobian J.
#[derive(Tree, Clone, Copy, Debug)]
struct Point<T = Var> {
    /// Logarithms of the unknowns.
    q: T,
    /// r'r
    rss: T,
    /// J'r
    slope: T,
    /// J'J
    curvature: T,
}

impl Point {
    fn at(q: Var, residuals: impl Fn(Var) -> Var + Clone) -> Point {
        let (r, j) = value_and_jacfwd(residuals)(q);
        Point {
            q,
            rss: r.dot(r),
            slope: r.dot(j),
            curvature: j.t().dot(j),
        }
    }
}

/// The state of a search.
#[derive(Tree, Clone, Copy, Debug)]
struct Search<T = Var> {
    best: Point<T>,
    /// The factor on the diagonal of J'J, and the factor on the damping after a failed step.
    damping: T,
    growth: T,
    /// The largest relative change of an unknown in the last step that was tried.
    change: T,
    iterations: T,
}

/// The result of a search.
#[derive(Tree, Clone, Copy, Debug)]
struct Fit<T = Var> {
    q: T,
    rss: T,
    /// Standard errors of the logarithms.
    errors: T,
    iterations: T,
}

/// Solves a least-squares problem from one starting point by the Levenberg-Marquardt method; the damping
/// follows the ratio of actual to predicted reduction (Nielsen 1999).
fn fit(start: Var, residuals: impl Fn(Var) -> Var + Copy) -> Fit {
    let first = Search {
        best: Point::at(start, residuals),
        damping: Var::from(10.0),
        growth: Var::from(2.0),
        change: Var::from(f64::INFINITY),
        iterations: Var::from(0.0),
    };
    let moving = |s: Search| !s.change.lt(1e-10) & s.iterations.lt(200.0);
    let last = while_loop(first, moving, |s| improve(s, residuals));
    let Point { q, rss, .. } = last.best;
    Fit {
        q,
        rss,
        errors: standard_errors(last.best),
        iterations: last.iterations,
    }
}

/// Tries one step, and keeps it if it is no worse.
fn improve(s: Search, residuals: impl Fn(Var) -> Var + Copy) -> Search {
    let here = s.best;
    let (a, b) = (elements(here.curvature), vector(here.slope));
    // The floor keeps the equations regular where an unknown has no influence.
    let stretch: [Var; N] = from_fn(|i| s.damping * (a[i][i] + 1e-12));
    let damped = from_fn(|i| {
        from_fn(|j| {
            if i == j {
                a[i][i] + stretch[i]
            } else {
                a[i][j]
            }
        })
    });
    let step = solve(damped, b);
    let there = Point::at(here.q - stack(step), residuals);

    let promised: Var = (0..N)
        .map(|i| step[i] * (stretch[i] * step[i] + b[i]))
        .sum();
    let ratio = (here.rss - there.rss) / promised;
    // An increase in the last digits is rounding, not a failure.
    let better = there.rss.le(here.rss * (1.0 + 1e-13));
    let relax = (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0);
    Search {
        best: tree::map2(there, here, |there, here| better.select(there, here)),
        damping: s.damping * better.select(relax, s.growth),
        growth: better.select(2.0, 2.0 * s.growth),
        change: step.into_iter().map(Var::abs).reduce(Var::max).unwrap(),
        iterations: s.iterations + 1.0,
    }
}

/// Returns the square roots of the diagonal of the covariance, rss/(n - 6) (J'J)⁻¹.
fn standard_errors(p: Point) -> Var {
    let variance = p.rss / (2 * YEARS - N) as f64;
    let a = elements(p.curvature);
    let unit = |i| from_fn(|j| Var::from(if i == j { 1.0 } else { 0.0 }));
    let errors: [Var; N] = from_fn(|i| (variance * solve(a, unit(i))[i]).sqrt());
    stack(errors)
}

/// Solves `a x = b` for a symmetric, positive definite matrix, by Cholesky decomposition.
fn solve(a: [[Var; N]; N], b: [Var; N]) -> [Var; N] {
    let (mut l, mut x) = (a, b);
    for j in 0..N {
        for i in j..N {
            let rest = (0..j).fold(a[i][j], |s, k| s - l[i][k] * l[j][k]);
            l[i][j] = if i == j { rest.sqrt() } else { rest / l[j][j] };
        }
    }
    for i in 0..N {
        x[i] = (0..i).fold(x[i], |s, k| s - l[i][k] * x[k]) / l[i][i];
    }
    for i in (0..N).rev() {
        x[i] = (i + 1..N).fold(x[i], |s, k| s - l[k][i] * x[k]) / l[i][i];
    }
    x
}

fn vector(v: Var) -> [Var; N] {
    from_fn(|i| v.at(i))
}

fn elements(m: Var) -> [[Var; N]; N] {
    from_fn(|i| vector(m.at(i)))
}

/// Returns starting points, spread evenly over a box in the logarithms by the R6 sequence.
fn starts(n: usize) -> Vec<[f64; N]> {
    const BOX: [[f64; 2]; N] = [
        [0.1, 2.0],
        [0.005, 0.1],
        [0.1, 2.0],
        [0.005, 0.1],
        [5.0, 100.0],
        [1.0, 50.0],
    ];
    const G: f64 = 1.1127756842787055; // the root of g⁷ = g + 1
    let start = |i: usize| {
        from_fn(|j| {
            let [low, high] = BOX[j].map(f64::ln);
            low + (high - low) * (0.5 + i as f64 * G.powi(-(j as i32 + 1))).fract()
        })
    };
    (1..=n).map(start).collect()
}

// The report.

/// Searches that end with the same residual sum of squares.
struct Group {
    rss: f64,
    size: usize,
}

/// Groups the searches by their final sums; sums within a tenth of a percent are one group.
fn groups(rss: &[f64]) -> Vec<Group> {
    let mut rss: Vec<f64> = rss.iter().copied().filter(|x| x.is_finite()).collect();
    rss.sort_by(f64::total_cmp);
    let mut groups: Vec<Group> = vec![];
    for x in rss {
        match groups.last_mut() {
            Some(group) if x <= group.rss * 1.001 => group.size += 1,
            _ => groups.push(Group { rss: x, size: 1 }),
        }
    }
    groups
}

/// Prints the results, and returns the best point.
fn report(starts: usize, fits: &Fit<Array>) -> Result<[f64; N], Box<dyn Error>> {
    let rss = fits.rss.as_slice::<f64>()?;
    let (q, errors) = (fits.q.as_slice::<f64>()?, fits.errors.as_slice::<f64>()?);
    let best = (0..starts).min_by(|&i, &j| rss[i].total_cmp(&rss[j]));
    let best = best.expect("a start");
    if !rss[best].is_finite() {
        return Err("no start came to a finite value".into());
    }
    let row = |x: &[f64]| from_fn(|i| x[best * N + i]);
    let (q, errors): ([f64; N], [f64; N]) = (row(q), row(errors));

    println!("          estimate  standard error  of the logarithm");
    for (i, name) in NAMES.iter().enumerate() {
        let (p, e) = (q[i].exp(), errors[i]);
        println!(
            "{name:<6} {:>11}  {:>14}  {e:>16.4}",
            digits(p, 8),
            digits(p * e, 3)
        );
    }
    println!("\nresidual sum of squares {:.10}\n", rss[best]);

    let groups = groups(rss);
    println!("{:>5} of {starts} starts reached it", groups[0].size);
    let few = starts.div_ceil(100);
    let (many, others): (Vec<_>, Vec<_>) = groups[1..].iter().partition(|g| g.size >= few);
    for group in many {
        println!("{:>5} ended at {:.4}", group.size, group.rss);
    }
    if !others.is_empty() {
        let places: Vec<String> = others.iter().map(|g| format!("{:.4}", g.rss)).collect();
        let n: usize = others.iter().map(|g| g.size).sum();
        println!("{n:>5} elsewhere: {}", places.join(", "));
    }
    let lost = starts - groups.iter().map(|g| g.size).sum::<usize>();
    if lost > 0 {
        println!("{lost:>5} came to no finite value");
    }
    let iterations = fits.iterations.as_slice::<f64>()?;
    let mean = iterations.iter().sum::<f64>() / starts as f64;
    println!("{mean:>5.0} iterations a start on average\n");
    Ok(q)
}

/// Formats a number with this many significant digits.
fn digits(x: f64, n: i32) -> String {
    let places = n - 1 - x.abs().log10().floor() as i32;
    format!("{x:.*}", places.clamp(0, 17) as usize)
}

struct Options {
    starts: usize,
    out: String,
}

/// Parses the command line; returns `None` for help.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        starts: 1000,
        out: "lynx_hare.svg".into(),
    };
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or(format!("{flag} wants a value"));
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--out" => options.out = value()?,
            "--starts" => {
                let n = value()?;
                options.starts = match n.parse() {
                    Ok(n) if n > 0 => n,
                    _ => return Err(format!("--starts wants a number above 0, not {n}")),
                }
            }
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let pelts = Pelts::read();
    let fits = {
        let pelts = pelts.clone();
        jit(vmap(move |start| fit(start, |q| pelts.residuals(q))))
    };
    let starts = Array::from(starts(options.starts));

    let clock = Instant::now();
    fits.func(tree::specs(&starts))?;
    let traced = clock.elapsed();
    let clock = Instant::now();
    let code = fits.compile(tree::specs(&starts))?;
    // It has traced once more, so this time is subtracted.
    let compiled = clock.elapsed().saturating_sub(traced);
    let clock = Instant::now();
    let found = code.call(starts)?;
    let ran = clock.elapsed();

    let best = report(options.starts, &found)?;
    println!("traced in {traced:.1?}, compiled in {compiled:.1?}, run in {ran:.1?}");
    let curves = jit(|q| Model::from_logs(q).curves()).call(best)?;
    let curves = [curves[0].to_vec()?, curves[1].to_vec()?];
    plot::draw(&options.out, &pelts, &curves)?;
    println!("the plot is in {}", options.out);
    Ok(())
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(options)) => {
            if let Err(error) = run(&options) {
                eprintln!("lynx_hare: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("lynx_hare: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
