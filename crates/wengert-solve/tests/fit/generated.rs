//! Generated fits: models from a small grammar, data with faults, bounds, losses, bad starts. None panics or hangs, what
//! ended each is true, and each is the same in a batch.

use wengert::prelude::*;
use wengert_solve::fit::{LevenbergMarquardt, Loss, Method, Parameters};
use wengert_solve::{Status, fit::Fit};

/// Numbers of a linear congruential generator (Knuth's MMIX).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// A term of unknowns and an input.
#[derive(Clone, Copy, Debug)]
enum Term {
    Constant(usize),
    Slope(usize),
    Decay(usize, usize),
    Wave(usize, usize),
    Ratio(usize, usize),
    Root(usize, usize),
    Product(usize, usize),
    Kink(usize),
}

impl Term {
    fn generate(rng: &mut Rng, n: usize) -> Term {
        let (a, b) = (rng.below(n), rng.below(n));
        match rng.below(8) {
            0 => Term::Constant(a),
            1 => Term::Slope(a),
            2 => Term::Decay(a, b),
            3 => Term::Wave(a, b),
            4 => Term::Ratio(a, b),
            5 => Term::Root(a, b),
            6 => Term::Product(a, b),
            _ => Term::Kink(a),
        }
    }

    fn at(self, p: Var, x: Var) -> Var {
        let p = |i: usize| p.at(i);
        match self {
            Term::Constant(a) => p(a) + zeros_like(x),
            Term::Slope(a) => p(a) * x,
            Term::Decay(a, b) => p(a) * (-p(b) * x).exp(),
            Term::Wave(a, b) => p(a) * (p(b) * x).sin(),
            Term::Ratio(a, b) => p(a) * x / (1.0 + p(b) * x),
            Term::Root(a, b) => p(a) * (x + p(b)).sqrt(),
            Term::Product(a, b) => p(a) * p(b) * x.square(),
            Term::Kink(a) => (x - p(a)).abs(),
        }
    }
}

/// A problem of one shape, for several rows of data.
#[derive(Clone, Debug)]
struct Problem {
    terms: Vec<Term>,
    unknowns: usize,
    options: LevenbergMarquardt,
    bounded: bool,
    loss: Loss,
}

impl Problem {
    fn generate(rng: &mut Rng) -> Problem {
        let unknowns = 1 + rng.below(4);
        let terms = (0..1 + rng.below(3))
            .map(|_| Term::generate(rng, unknowns))
            .collect();
        let width = rng.between(0.05, 2.0);
        let losses = [
            Loss::Squares,
            Loss::Squares,
            Loss::Huber(width),
            Loss::SoftL1(width),
            Loss::Cauchy(width),
            Loss::Arctan(width),
            Loss::Tukey(width),
        ];
        let loss = losses[rng.below(losses.len())];
        let methods = [
            Method::LevenbergMarquardt,
            Method::LevenbergMarquardt,
            Method::Damped,
            Method::Dogleg,
            Method::GaussNewton,
        ];
        let options = LevenbergMarquardt::new()
            .loss(loss)
            .method(methods[rng.below(methods.len())])
            .geodesic(rng.below(4) == 0)
            .orthogonal(rng.below(3) == 0)
            .ftol([1e-20, 1e-8][rng.below(2)])
            .gtol([0.0, 1e-9][rng.below(2)])
            .max_steps(200);
        Problem {
            terms,
            unknowns,
            options,
            bounded: rng.below(3) == 0,
            loss,
        }
    }

    fn residuals(&self, p: Var, x: Var, y: Var) -> Var {
        self.terms.iter().map(|t| t.at(p, x)).sum::<Var>() - y
    }

    fn fit(&self, start: Var, x: Var, y: Var) -> Fit<Var> {
        let mut start = Parameters::new(start);
        if self.bounded {
            start = start.bounds(Var::from(-1.5), Var::from(2.5));
        }
        self.options
            .least_squares(|p: Var| self.residuals(p, x, y), start)
    }
}

/// Rows of starts, inputs and readings, with faults.
fn data(rng: &mut Rng, n: usize, rows: usize) -> [Vec<Vec<f64>>; 3] {
    let m = [1, 2, 5, 12][rng.below(4)];
    let mut all = [vec![], vec![], vec![]];
    for row in 0..rows {
        let scale = [1.0, 1.0, 1e3, 1e-4][rng.below(4)];
        all[0].push((0..n).map(|_| rng.between(-1.0, 2.0) * scale).collect());
        all[1].push((0..m).map(|_| rng.between(0.0, 4.0)).collect());
        let mut y: Vec<f64> = (0..m).map(|_| rng.between(-1.0, 3.0)).collect();
        if row % 5 == 4 {
            y[0] = [f64::NAN, f64::INFINITY, 1e200, 1e9][rng.below(4)];
        }
        all[2].push(y);
    }
    all
}

#[test]
fn generated_fits_end_and_tell_the_truth() {
    let mut rng = Rng(20261129);
    let (mut converged, mut all) = (0, 0);
    for number in 0..60 {
        let problem = Problem::generate(&mut rng);
        let [starts, xs, ys] = data(&mut rng, problem.unknowns, 5);
        let own = problem.clone();
        let fits = jit(vmap(move |(p, x, y): (Var, Var, Var)| own.fit(p, x, y)));
        let batch = fits.call((&starts, &xs, &ys)).unwrap();
        let own = problem.clone();
        let alone = jit(move |(p, x, y): (Var, Var, Var)| own.fit(p, x, y));
        let own = problem.clone();
        // The gradient of half the cost, from outside.
        let slope = jit(move |(p, x, y): (Var, Var, Var)| {
            let (r, j) = value_and_jacfwd(|p: Var| own.residuals(p, x, y))(p);
            (r, j)
        });
        let statuses = batch.statuses().unwrap();
        let params = batch.params.to_vec::<f64>().unwrap();
        for i in 0..5 {
            let n = problem.unknowns;
            let row = (&starts[i], &xs[i], &ys[i]);
            let one = alone.call(row).unwrap();
            let found = one.params.to_vec::<f64>().unwrap();
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let what = format!("problem {number}, row {i}: {problem:?}, {:?}", statuses[i]);
            assert_eq!(bits(&params[i * n..][..n]), bits(&found), "{what}");
            assert_eq!(one.statuses().unwrap()[0], statuses[i], "{what}");
            assert!(one.iterations.item::<i64>().unwrap() <= 200, "{what}");
            all += 1;
            if problem.bounded && !ys[i][0].is_nan() {
                assert!(
                    found.iter().all(|x| (-1.5..=2.5).contains(x)),
                    "{what}: {found:?}"
                );
            }
            if !statuses[i].is_converged() {
                continue;
            }
            converged += 1;
            assert!(one.cost.item::<f64>().unwrap().is_finite(), "{what}");
            if statuses[i] == Status::GradientConverged
                && problem.loss == Loss::Squares
                && !problem.bounded
            {
                let (r, j) = slope.call((&found, &xs[i], &ys[i])).unwrap();
                let (r, j) = (r.to_vec::<f64>().unwrap(), j.to_vec::<f64>().unwrap());
                let length =
                    |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
                for k in 0..n {
                    let column: Vec<f64> = j.iter().skip(k).step_by(n).copied().collect();
                    let dot: f64 = column.iter().zip(&r).map(|(a, b)| a * b).sum();
                    let sizes =
                        length(&mut column.iter().copied()) * length(&mut r.iter().copied());
                    assert!(dot.abs() <= 1.001e-9 * sizes, "{what}: {dot} {sizes}");
                }
            }
        }
    }
    assert_eq!(all, 300);
    // Most of the rows without faults have a minimum that is found.
    assert!(converged > 180, "{converged}");
}
