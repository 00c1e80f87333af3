//! Generated problems: polynomial right-hand sides with random factors, tolerances, times and ends, also with jumps, NaN,
//! reversed and empty spans. Statuses are true to the facts, which an integration in plain Rust establishes.

use wengert::prelude::*;
use wengert_check::Rng;
use wengert_solve::Status;
use wengert_solve::de::{
    Auto, Bdf, BogackiShampine, DormandPrince5, Kvaerno5, Method, Ode, Rodas5P, Solution, Tsit5,
};

/// Equations of a problem, and factors of each: of 1, x, y, x², xy, y², x³, x²y, t, and of a jump at x = 0.3.
const N: usize = 2;
const K: usize = 10;

/// Times at which a solution is asked for.
const TIMES: usize = 5;

/// A generated problem.
#[derive(Clone)]
struct Case {
    factors: [[f64; K]; N],
    start: [f64; N],
    t0: f64,
    times: [f64; TIMES],
}

fn terms([x, y]: [f64; N], t: f64) -> [f64; K] {
    let jump = if x > 0.3 { 1.0 } else { 0.0 };
    [
        1.0,
        x,
        y,
        x * x,
        x * y,
        y * y,
        x * x * x,
        x * x * y,
        t,
        jump,
    ]
}

fn traced(factors: Var, t: Var, [x, y]: [Var; N]) -> [Var; N] {
    let jump = x.gt(0.3).select(1.0, 0.0);
    let terms = [
        Var::from(1.0),
        x,
        y,
        x * x,
        x * y,
        y * y,
        x * x * x,
        x * x * y,
        t,
        jump,
    ];
    [0, 1].map(|i| (0..K).map(|k| factors.at([i, k]) * terms[k]).sum())
}

impl Case {
    fn new(rng: &mut Rng, number: usize) -> Case {
        let few = *rng.pick(&[2, 3, 5]);
        let mut factors = [[0.0; K]; N];
        for row in &mut factors {
            for _ in 0..few {
                // One of ten problems jumps.
                let last = if number.is_multiple_of(10) { K } else { K - 1 };
                row[rng.below(last)] = rng.uniform(-1.5, 1.5);
            }
        }
        let start = [rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)];
        let t0 = rng.uniform(-1.0, 1.0);
        let length = match number % 7 {
            0 => 0.0,
            1 => -rng.uniform(0.1, 3.0),
            _ => rng.uniform(0.1, 3.0),
        };
        let mut parts = [0.0; TIMES].map(|_| rng.uniform(-0.1, 1.0));
        parts.sort_by(f64::total_cmp);
        parts[TIMES - 1] = 1.0;
        let mut case = Case {
            factors,
            start,
            t0,
            times: parts.map(|p| t0 + length * p),
        };
        match number % 23 {
            5 => case.factors[1][2] = f64::NAN,
            11 => case.start[0] = f64::INFINITY,
            17 => case.times[TIMES - 1] = f64::NAN,
            _ => {}
        }
        case
    }

    fn jumps(&self) -> bool {
        self.factors.iter().any(|row| row[K - 1] != 0.0)
    }

    fn is_finite(&self) -> bool {
        let factors = self.factors.iter().flatten();
        factors
            .chain(&self.start)
            .chain(&self.times)
            .all(|x| x.is_finite())
    }

    fn rate(&self, t: f64, y: [f64; N]) -> [f64; N] {
        let terms = terms(y, t);
        [0, 1].map(|i| (0..K).map(|k| self.factors[i][k] * terms[k]).sum())
    }

    /// A step of the classical method.
    fn step(&self, t: f64, y: [f64; N], h: f64) -> [f64; N] {
        let along = |k: [f64; N], h: f64| [0, 1].map(|i| y[i] + h * k[i]);
        let k1 = self.rate(t, y);
        let k2 = self.rate(t + h / 2.0, along(k1, h / 2.0));
        let k3 = self.rate(t + h / 2.0, along(k2, h / 2.0));
        let k4 = self.rate(t + h, along(k3, h));
        [0, 1].map(|i| y[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// The state at the end by the classical method, each step of which is compared with two of half its length, and the
    /// largest size of the solution and of its slopes on the way: infinite if steps become too short to go on.
    fn truth(&self, start: [f64; N]) -> ([f64; N], f64) {
        let end = self.times[TIMES - 1];
        let span = end - self.t0;
        let (mut t, mut y, mut h, mut most) = (self.t0, start, span / 100.0, 0.0f64);
        while t != end {
            let is_last = h.abs() >= (end - t).abs();
            let this = if is_last { end - t } else { h };
            let whole = self.step(t, y, this);
            let half = self.step(t, y, this / 2.0);
            let two = self.step(t + this / 2.0, half, this / 2.0);
            let error = (0..N)
                .map(|i| (two[i] - whole[i]).abs() / 15.0 / (1.0 + two[i].abs()))
                .fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
            let jump = self.jumps() && this.abs() < 1e-8 * span.abs();
            if error <= 1e-11 || (jump && error.is_finite()) {
                t = if is_last { end } else { t + this };
                y = two;
                let sizes = y.into_iter().chain(self.rate(t, y)).map(f64::abs);
                most = sizes.fold(most, f64::max);
            }
            let factor = (0.9 * (1e-11 / error).powf(0.2)).clamp(0.2, 5.0);
            h = this * if factor.is_nan() { 0.2 } else { factor };
            if t != end && h.abs() < 1e-13 * span.abs() {
                return (y, f64::INFINITY);
            }
        }
        (y, most)
    }
}

/// What is known of a case.
#[derive(Clone, Copy)]
struct Truth {
    end: [f64; N],
    /// The largest size of the solution and of its slopes; infinite if it ends before the span does.
    most: f64,
    /// What an error at the start grows to, at least 1.
    growth: f64,
}

impl Truth {
    fn of(case: &Case) -> Truth {
        let (end, most) = match case.is_finite() {
            true => case.truth(case.start),
            false => (case.start, f64::INFINITY),
        };
        let growth = match most > 1e3 {
            true => f64::INFINITY,
            false => {
                let moved = case.truth(case.start.map(|x| x + 1e-6)).0;
                let grown = (0..N).map(|k| ((moved[k] - end[k]) / 1e-6).abs());
                grown.fold(1.0, f64::max)
            }
        };
        Truth { end, most, growth }
    }
}

type Solve = Jit<(Var, Var, Var, Var), Solution<[Var; N]>>;

/// A function that solves a case, or a batch of them.
fn solve<M: Method + Send + Sync + 'static>(ode: Ode<M>, batch: bool) -> Solve {
    let one = move |(factors, start, t0, times): (Var, Var, Var, Var)| {
        let rate = move |t: Var, y: [Var; N]| traced(factors, t, y);
        ode.max_steps(5_000)
            .sample(rate, [start.at(0), start.at(1)], t0, times)
    };
    match batch {
        true => jit(vmap(one)),
        false => jit(one),
    }
}

/// The arguments of some cases, as one batch.
fn arguments(cases: &[Case]) -> (Array, Array, Array, Array) {
    let n = cases.len();
    let all = |of: &dyn Fn(&Case) -> Vec<f64>| cases.iter().flat_map(of).collect::<Vec<f64>>();
    let array = |shape: &[usize], x: Vec<f64>| Array::new(shape, x).expect("all of them");
    (
        array(&[n, N, K], all(&|c| c.factors.concat())),
        array(&[n, N], all(&|c| c.start.to_vec())),
        array(&[n], all(&|c| vec![c.t0])),
        array(&[n, TIMES], all(&|c| c.times.to_vec())),
    )
}

/// Solves cases side by side and some alone, and compares all with what is true.
fn check<M: Method + Send + Sync + 'static>(method: M, tolerance: f64, all: &[(Case, Truth)]) {
    let cases: Vec<Case> = all.iter().map(|(case, _)| case.clone()).collect();
    let cases = &cases[..];
    let ode = Ode::new(method).rtol(tolerance).atol(tolerance);
    let found = solve(ode, true).call(arguments(cases)).unwrap();
    let statuses = found.statuses().unwrap();
    let rows = [0, 1].map(|i| found.y[i].to_vec::<f64>().unwrap());
    let evaluations = found.evaluations.to_vec::<i64>().unwrap();
    let alone = solve(ode, false);
    let mut solved = 0;
    for (i, case) in cases.iter().enumerate() {
        let status = statuses[i];
        let name = format!("case {i} by {} at {tolerance:e}: {status}", M::NAME);
        assert!(evaluations[i] < 100_000, "{name}");
        if i % 15 == 0 {
            let (factors, start, _, times) = arguments(std::slice::from_ref(case));
            let own = (
                factors.reshape([N, K]).unwrap(),
                start.reshape([N]).unwrap(),
                Array::from(case.t0),
                times.reshape([TIMES]).unwrap(),
            );
            let one = alone.call(own).unwrap();
            for (k, rows) in rows.iter().enumerate() {
                let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let row = one.y[k].to_vec::<f64>().unwrap();
                assert_eq!(
                    bits(&row),
                    bits(&rows[TIMES * i..TIMES * (i + 1)]),
                    "{name}"
                );
            }
            assert_eq!(one.statuses().unwrap()[0], status, "{name}");
        }
        let last = [0, 1].map(|k| rows[k][TIMES * i + TIMES - 1]);
        if case.times[TIMES - 1] == case.t0 && case.start[0].is_finite() {
            // Nothing is to be done, whatever the rates are.
            assert_eq!(status, Status::Finished, "{name}");
            assert_eq!(last, case.start, "{name}");
            continue;
        }
        if !case.is_finite() {
            assert!(!status.is_converged(), "{name}");
            continue;
        }
        let Truth { end, most, growth } = all[i].1;
        if most.is_infinite() {
            // The solution ends before the span does: there is none to be found.
            assert!(
                !status.is_converged(),
                "{name}, but the solution grows beyond all bounds"
            );
            assert!(last.iter().all(|x| x.is_nan()), "{name}: {last:?}");
            continue;
        }
        if most > 1e3 {
            continue;
        }
        assert_eq!(
            status,
            Status::Finished,
            "{name}, but nothing exceeds {most}"
        );
        for k in 0..N {
            let error = (last[k] - end[k]).abs() / (1.0 + most);
            let more = if case.jumps() { 1e3 } else { 30.0 };
            let allowed = more * tolerance * growth + 1e-10;
            assert!(
                error <= allowed,
                "{name}: {} and {}, {growth}",
                last[k],
                end[k]
            );
        }
        solved += 1;
    }
    assert!(2 * solved > cases.len(), "only {solved} were solved");
}

#[test]
fn three_hundred_problems_are_what_their_statuses_say() {
    let mut rng = Rng::new(16);
    let cases = (0..300).map(|i| Case::new(&mut rng, i));
    let cases: Vec<_> = cases
        .map(|case| {
            let truth = Truth::of(&case);
            (case, truth)
        })
        .collect();
    check(Tsit5, 1e-4, &cases[..100]);
    check(Tsit5, 1e-7, &cases);
    check(DormandPrince5, 1e-6, &cases[100..]);
    check(BogackiShampine, 1e-4, &cases[200..]);
    check(Rodas5P::new(), 1e-6, &cases[..150]);
    check(Kvaerno5::new(), 1e-5, &cases[150..]);
    check(Bdf::new(), 1e-5, &cases[..150]);
    check(Auto::new(), 1e-6, &cases[150..]);
}
