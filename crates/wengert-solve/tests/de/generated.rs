//! Generated problems: polynomial right-hand sides with random factors, tolerances, times and ends, also with jumps, NaN,
//! reversed and empty spans, with events that end them or change the state. Statuses, states at times and events are true to
//! the facts, which an integration in plain Rust with a search for events of its own establishes.

use wengert::prelude::*;
use wengert_check::Rng;
use wengert_solve::Status;
use wengert_solve::de::{
    Auto, Bdf, BogackiShampine, DormandPrince5, Event, Events, Kvaerno5, Method, Ode, Rodas5P,
    Solution, Tsit5,
};

/// Equations of a problem, and factors of each: of 1, x, y, x², xy, y², x³, x²y, t, and of a jump at x = 0.3.
const N: usize = 2;
const K: usize = 10;

/// Times at which a solution is asked for.
const TIMES: usize = 5;

/// How many events are kept, and the longest step, within which two events are not told apart.
const KEPT: usize = 12;
const LONGEST: f64 = 0.1;

/// What the state is moved by, across the line of an event that changes it.
const MOVE: f64 = 0.3;

/// The limit of steps, and of evaluations in each: seven stages with eight corrections take most.
const STEPS: i64 = 5_000;
const EACH: i64 = 56;

/// A generated problem.
#[derive(Clone)]
struct Case {
    factors: [[f64; K]; N],
    start: [f64; N],
    t0: f64,
    times: [f64; TIMES],
    /// The lines `a x + b y = c` of two events: one that ends the integration where it is crossed upwards, and one that moves
    /// the state back where it is crossed downwards. A line that is never crossed has no slopes.
    lines: [[f64; 3]; 2],
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
        // Lines near the start, so that many are crossed.
        let mut line = |is_there: bool| {
            let angle = rng.uniform(0.0, std::f64::consts::TAU);
            let (b, a) = angle.sin_cos();
            let away = rng.uniform(-0.3, 0.3);
            match is_there {
                true => [a, b, a * start[0] + b * start[1] + away],
                false => [0.0, 0.0, 1.0],
            }
        };
        let lines = [3, 4].map(|n| line(!number.is_multiple_of(n)));
        let mut case = Case {
            factors,
            start,
            t0,
            times: parts.map(|p| t0 + length * p),
            lines,
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

    /// The value of an event.
    fn side(&self, event: usize, y: [f64; N]) -> f64 {
        let [a, b, c] = self.lines[event];
        a * y[0] + b * y[1] - c
    }

    /// Two steps of half the length.
    fn two(&self, t: f64, y: [f64; N], h: f64) -> [f64; N] {
        let half = self.step(t, y, h / 2.0);
        self.step(t + h / 2.0, half, h / 2.0)
    }

    /// The solution by the classical method, each step of which is compared with two of half its length, with events found by
    /// bisection of the step in which they lie.
    fn truth(&self, start: [f64; N]) -> Path {
        let end = self.times[TIMES - 1];
        let span = end - self.t0;
        let forward = span.signum();
        let (mut t, mut y, mut h) = (self.t0, start, span / 100.0);
        let mut path = Path {
            rows: [start; TIMES],
            events: vec![],
            stopped: false,
            most: 0.0,
            clear: true,
        };
        // Steps across a jump; many of them slide along it.
        let mut across = 0;
        let mut next = self
            .times
            .iter()
            .filter(|x| (**x - t) * forward <= 0.0)
            .count();
        while next < TIMES {
            let target = self.times[next];
            h = forward * h.abs().min(0.1 * LONGEST);
            let is_last = h.abs() >= (target - t).abs();
            let this = if is_last { target - t } else { h };
            let whole = self.step(t, y, this);
            let two = self.two(t, y, this);
            let error = (0..N)
                .map(|i| (two[i] - whole[i]).abs() / 15.0 / (1.0 + two[i].abs()))
                .fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
            let jump = self.jumps() && this.abs() < 1e-8 * span.abs();
            let proposed = h;
            let factor = (0.9 * (1e-11 / error).powf(0.2)).clamp(0.2, 5.0);
            h = this * if factor.is_nan() { 0.2 } else { factor };
            if error <= 1e-11 || (jump && error.is_finite()) {
                across += usize::from(error > 1e-11);
                if across > 1000 {
                    path.clear = false;
                    return path;
                }
                // A step that a time cut short says nothing of the next.
                h = forward * h.abs().max(if is_last { proposed.abs() } else { 0.0 });
                if path.events.len() > 100 {
                    path.clear = false;
                    return path;
                }
                let found = self.first_event(t, y, this, two);
                for event in 0..2 {
                    // A line that is nearly touched, or crossed at a small angle, or soon again, is not clear.
                    let (from, to) = (self.side(event, y), self.side(event, two));
                    let rates = [self.rate(t, y), self.rate(t + this, two)];
                    let [a, b, _] = self.lines[event];
                    let slopes = rates.map(|k| a * k[0] + b * k[1]);
                    let turns = slopes[0] * slopes[1] <= 0.0 && from.abs().min(to.abs()) < 0.03;
                    let flat = from * to <= 0.0 && slopes[0].abs().min(slopes[1].abs()) < 0.1;
                    if (a, b) != (0.0, 0.0) && (turns || flat) {
                        path.clear = false;
                    }
                    if from * to <= 0.0 && (a, b) != (0.0, 0.0) {
                        let near = path.crossings(t).any(|x| (x - t).abs() < LONGEST);
                        path.clear &= !near;
                        path.events.push((t, usize::MAX, y));
                    }
                }
                (t, y) = match found {
                    None if is_last => (target, two),
                    None => (t + this, two),
                    Some((at, event, state)) => {
                        path.events.push((at, event, state));
                        (at, state)
                    }
                };
                let sizes = y.into_iter().chain(self.rate(t, y)).map(f64::abs);
                path.most = sizes.fold(path.most, f64::max);
                if let Some((_, event, _)) = found {
                    if event == 0 {
                        path.stopped = true;
                        for row in &mut path.rows[next..] {
                            *row = [f64::NAN; N];
                        }
                        break;
                    }
                    let [a, b, _] = self.lines[1];
                    y = [y[0] + MOVE * a, y[1] + MOVE * b];
                }
                while next < TIMES && (self.times[next] - t) * forward <= 0.0 {
                    path.rows[next] = y;
                    next += 1;
                }
            }
            if next < TIMES && h.abs() < 1e-13 * span.abs() {
                path.most = f64::INFINITY;
                return path;
            }
        }
        path
    }

    /// The first event in a step, if there is one: when, which, and the state.
    fn first_event(
        &self,
        t: f64,
        y: [f64; N],
        h: f64,
        end: [f64; N],
    ) -> Option<(f64, usize, [f64; N])> {
        let found = (0..2).filter_map(|event| {
            let (from, to) = (self.side(event, y), self.side(event, end));
            let crossed = match event {
                0 => from < 0.0 && to >= 0.0,
                _ => from > 0.0 && to <= 0.0,
            };
            crossed.then(|| {
                let (mut low, mut high) = (0.0, 1.0);
                while high - low > 1e-15 {
                    let middle = 0.5 * (low + high);
                    let x = self.side(event, self.two(t, y, middle * h));
                    if x * from > 0.0 {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                (high, event)
            })
        });
        let (part, event) = found.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((t + part * h, event, self.two(t, y, part * h)))
    }
}

/// A solution.
#[derive(Clone)]
struct Path {
    rows: [[f64; N]; TIMES],
    /// When lines were crossed, which (none if it is no event, or to be found), and the state there.
    events: Vec<(f64, usize, [f64; N])>,
    /// Whether an event ended it.
    stopped: bool,
    /// The largest size of the solution and of its slopes; infinite if it ends before the span does.
    most: f64,
    /// Whether no event is so near another, or so near to be none, that steps may not see it.
    clear: bool,
}

impl Path {
    /// The events that a solver is to find.
    fn found(&self) -> impl Iterator<Item = &(f64, usize, [f64; N])> {
        self.events.iter().filter(|e| e.1 != usize::MAX)
    }

    /// The times at which lines were crossed before a time.
    fn crossings(&self, t: f64) -> impl Iterator<Item = f64> {
        self.events.iter().map(|e| e.0).filter(move |x| *x != t)
    }
}

/// What is known of a case.
#[derive(Clone)]
struct Truth {
    path: Path,
    /// What an error at the start grows to, at least 1.
    growth: f64,
}

impl Truth {
    fn of(case: &Case) -> Truth {
        if !case.is_finite() {
            let path = Path {
                rows: [case.start; TIMES],
                events: vec![],
                stopped: false,
                most: f64::INFINITY,
                clear: true,
            };
            return Truth {
                path,
                growth: f64::INFINITY,
            };
        }
        let mut path = case.truth(case.start);
        let mut growth = f64::INFINITY;
        if path.most <= 1e3 {
            let moved = case.truth(case.start.map(|x| x + 1e-6));
            let same = moved.found().count() == path.found().count();
            path.clear &= same && moved.stopped == path.stopped;
            let apart = |a: f64, b: f64| ((a - b) / 1e-6).abs();
            let rows = moved.rows.iter().flatten().zip(path.rows.iter().flatten());
            let rows = rows.map(|(a, b)| apart(*a, *b)).filter(|x| x.is_finite());
            let events = moved.found().zip(path.found());
            let events = events.map(|(a, b)| apart(a.0, b.0));
            growth = rows.chain(events).fold(1.0, f64::max);
            // A time that an event is moved across has two states.
            path.clear &= growth < 1e4;
        }
        Truth { path, growth }
    }
}

type Found = (Solution<[Var; N]>, Events<[Var; N]>);
type Data = (Solution<[Array; N], Array>, Events<[Array; N], Array>);
type Solve = Jit<(Var, Var, Var, Var, Var), Found>;

/// A function that solves a case, or a batch of them.
fn solve<M: Method + Send + Sync + 'static>(ode: Ode<M>, batch: bool) -> Solve {
    let one = move |(factors, start, t0, times, lines): (Var, Var, Var, Var, Var)| {
        let rate = move |t: Var, y: [Var; N]| traced(factors, t, y);
        let side = move |event: usize, [x, y]: [Var; N]| {
            lines.at([event, 0]) * x + lines.at([event, 1]) * y - lines.at([event, 2])
        };
        let stop = Event::new(move |_, y| side(0, y)).rising().terminal();
        let back = Event::new(move |_, y| side(1, y))
            .falling()
            .then(move |_, [x, y]| [x + MOVE * lines.at([1, 0]), y + MOVE * lines.at([1, 1])]);
        ode.max_steps(STEPS)
            .dt_max(LONGEST)
            .kept_events(KEPT)
            .events([stop, back])
            .sample(rate, [start.at(0), start.at(1)], t0, times)
    };
    match batch {
        true => jit(vmap(one)),
        false => jit(one),
    }
}

/// The arguments of some cases, as one batch.
fn arguments(cases: &[Case]) -> (Array, Array, Array, Array, Array) {
    let n = cases.len();
    let all = |of: &dyn Fn(&Case) -> Vec<f64>| cases.iter().flat_map(of).collect::<Vec<f64>>();
    let array = |shape: &[usize], x: Vec<f64>| Array::new(shape, x).expect("all of them");
    (
        array(&[n, N, K], all(&|c| c.factors.concat())),
        array(&[n, N], all(&|c| c.start.to_vec())),
        array(&[n], all(&|c| vec![c.t0])),
        array(&[n, TIMES], all(&|c| c.times.to_vec())),
        array(&[n, 2, 3], all(&|c| c.lines.concat())),
    )
}

/// What was found of one case.
struct One {
    rows: [[f64; N]; TIMES],
    events: Vec<(f64, usize, [f64; N])>,
    status: Status,
}

/// The elements of a batch, or the only one.
fn taken_apart((s, events): &Data) -> Vec<One> {
    let rows = [0, 1].map(|i| s.y[i].to_vec::<f64>().unwrap());
    let states = [0, 1].map(|i| events.states[i].to_vec::<f64>().unwrap());
    let times = events.times.to_vec::<f64>().unwrap();
    let which = events.which.to_vec::<i64>().unwrap();
    let counts = events.count.to_vec::<i64>().unwrap();
    let statuses = s.statuses().unwrap();
    (statuses.into_iter().zip(counts).enumerate())
        .map(|(i, (status, count))| One {
            rows: std::array::from_fn(|k| [0, 1].map(|j: usize| rows[j][TIMES * i + k])),
            events: (0..KEPT.min(count as usize))
                .map(|k| {
                    let at = KEPT * i + k;
                    (
                        times[at],
                        which[at] as usize,
                        [states[0][at], states[1][at]],
                    )
                })
                .collect(),
            status,
        })
        .collect()
}

/// Solves cases side by side and some alone, and compares all with what is true: the numbers of those that were solved, and of
/// those that had events.
fn check<M>(method: M, tolerance: f64, all: &[(Case, Truth)]) -> [usize; 2]
where
    M: Method + Send + Sync + 'static,
{
    let cases: Vec<Case> = all.iter().map(|(case, _)| case.clone()).collect();
    let ode = Ode::new(method).rtol(tolerance).atol(tolerance);
    let found = solve(ode, true).call(arguments(&cases)).unwrap();
    let evaluations = found.0.evaluations.to_vec::<i64>().unwrap();
    let found = taken_apart(&found);
    let alone = solve(ode, false);
    let mut solved = [0; 2];
    for (i, (case, one)) in cases.iter().zip(&found).enumerate() {
        let status = one.status;
        let name = format!("case {i} by {} at {tolerance:e}: {status}", M::NAME);
        assert!(evaluations[i] < STEPS * EACH, "{name}");
        if i % 30 == 0 {
            let (factors, start, _, times, lines) = arguments(std::slice::from_ref(case));
            let own = (
                factors.reshape([N, K]).unwrap(),
                start.reshape([N]).unwrap(),
                Array::from(case.t0),
                times.reshape([TIMES]).unwrap(),
                lines.reshape([2, 3]).unwrap(),
            );
            let own = &taken_apart(&alone.call(own).unwrap())[0];
            let bits = |x: &One| {
                let states = x.events.iter().flat_map(|e| [e.0, e.2[0], e.2[1]]);
                let all = x.rows.iter().flatten().copied().chain(states);
                all.map(f64::to_bits).collect::<Vec<_>>()
            };
            assert_eq!(bits(own), bits(one), "{name}");
            assert_eq!(own.status, status, "{name}");
        }
        let last = one.rows[TIMES - 1];
        if case.times[TIMES - 1] == case.t0 && case.start[0].is_finite() {
            // Nothing is to be done, whatever the rates are.
            assert_eq!(status, Status::Finished, "{name}");
            assert_eq!(last, case.start, "{name}");
            assert!(one.events.is_empty(), "{name}");
            continue;
        }
        if !case.is_finite() {
            assert!(!status.is_converged(), "{name}");
            continue;
        }
        let Truth { path, growth } = &all[i].1;
        if path.most.is_infinite() {
            // The solution ends before the span does: there is none to be found.
            assert!(
                !status.is_converged() || !path.clear,
                "{name}, but the solution grows beyond all bounds"
            );
            let is_nan = last.iter().all(|x| x.is_nan());
            assert!(is_nan || !path.clear, "{name}: {last:?}");
            continue;
        }
        if path.most > 1e3 || !path.clear || path.found().count() > KEPT {
            // Whatever was found, it has an end.
            assert!(status != Status::NotFinite || path.most > 1e3, "{name}");
            continue;
        }
        let want = if path.stopped {
            Status::Event
        } else {
            Status::Finished
        };
        assert_eq!(status, want, "{name}, but nothing exceeds {}", path.most);
        let more = if case.jumps() { 1e3 } else { 30.0 };
        let allowed = more * tolerance * growth + 1e-10;
        let size = 1.0 + path.most;
        for (row, want) in one.rows.iter().zip(&path.rows) {
            for k in 0..N {
                let error = (row[k] - want[k]).abs() / size;
                let fits = error <= allowed || (row[k].is_nan() && want[k].is_nan());
                assert!(fits, "{name}: {row:?} and {want:?}, {growth}");
            }
        }
        assert_eq!(one.events.len(), path.found().count(), "{name}");
        for (got, want) in one.events.iter().zip(path.found()) {
            assert_eq!(got.1, want.1, "{name}");
            let apart = (got.0 - want.0).abs();
            assert!(
                apart <= allowed * size,
                "{name}: {got:?} and {want:?}, {growth}"
            );
            for k in 0..N {
                let error = (got.2[k] - want.2[k]).abs() / size;
                assert!(
                    error <= allowed * size,
                    "{name}: {got:?} and {want:?}, {growth}"
                );
            }
        }
        solved[0] += 1;
        solved[1] += usize::from(!one.events.is_empty());
    }
    println!(
        "{} at {tolerance:e}: {solved:?} of {}",
        M::NAME,
        cases.len()
    );
    assert!(2 * solved[0] > cases.len(), "only {solved:?} were compared");
    assert!(8 * solved[1] > cases.len(), "only {solved:?} had events");
    solved
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
