//! Tests of equations with delays, against solutions by the method of steps.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::sde::{Diagonal, Sde};
use wengert_solve::de::{
    BogackiShampine, Dde, DormandPrince5, Euler, Heun, Network, Rk4, Scheme, Solution, Tsit5,
};

fn numbers(a: &Array) -> Vec<f64> {
    a.to_vec::<f64>().unwrap()
}

fn number(a: &Array) -> f64 {
    a.item::<f64>().unwrap()
}

/// `y' = -r y(t - 1)` with `y = 1` before: `Σ (-r)^k (t - k + 1)^k / k!` over the `k` with `t > k - 1`.
fn linear(r: f64, t: f64) -> f64 {
    let (mut sum, mut factorial) = (0.0, 1.0);
    for k in 0..=(t.floor() as i32 + 1) {
        if k > 0 {
            factorial *= f64::from(k);
        }
        let x = t - f64::from(k) + 1.0;
        if k == 0 || x > 0.0 {
            sum += (-r).powi(k) * x.max(0.0).powi(k) / factorial;
        }
    }
    sum
}

fn constant(_: Var) -> Var {
    Var::from(1.0)
}

#[test]
fn the_linear_equation_has_its_polynomials() {
    let at = [0.0, 0.3, 1.0, 1.7, 2.5, 4.0, 6.25];
    let f = jit(move |r: Var| {
        let rate = move |_, _: Var, past: Vec<Var>| -r * past[0];
        let solve = |solver: Dde<Tsit5>| solver.sample(rate, [1.0], constant, 0.0, at);
        let loose = Dde::new(BogackiShampine).rtol(1e-7).atol(1e-9).ring(1000);
        let other = loose.sample(rate, [1.0], constant, 0.0, at);
        let fifth = Dde::new(DormandPrince5).rtol(1e-10).atol(1e-12);
        let fifth = fifth.sample(rate, [1.0], constant, 0.0, at);
        (solve(Dde::new(Tsit5).rtol(1e-10).atol(1e-12)), other, fifth)
    });
    for r in [0.5, 1.4] {
        let (a, b, c) = f.call(r).unwrap();
        for (found, tolerance) in [(a, 1e-9), (b, 1e-6), (c, 1e-9)] {
            let found = found.ok().unwrap();
            for (y, t) in numbers(&found.y).into_iter().zip(at) {
                assert!(
                    (y - linear(r, t)).abs() < tolerance,
                    "{r} {t}: {y} {}",
                    linear(r, t)
                );
            }
        }
    }
}

/// `y' = r y (1 - y(t - 1))` with `y = y₀` before: on the first unit `y₀ exp(r (1 - y₀) t)`, and on the second its
/// exponential integral.
#[test]
fn the_delayed_logistic_equation() {
    let (r, y0): (f64, f64) = (1.2, 0.4);
    let f = jit(move |r: Var| {
        let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - past[0]);
        let history = move |_: Var| Var::from(y0);
        Dde::new(Tsit5).rtol(1e-10).atol(1e-12).sample(
            rate,
            [1.0],
            history,
            0.0,
            [0.5, 1.0, 1.5, 2.0],
        )
    });
    let found = f.call(r).unwrap().ok().unwrap();
    let growth = r * (1.0 - y0);
    let first = |t: f64| y0 * (growth * t).exp();
    let second = |t: f64| {
        let integral = y0 * ((growth * (t - 1.0)).exp() - 1.0) / growth;
        first(1.0) * (r * (t - 1.0 - integral)).exp()
    };
    let exact = [first(0.5), first(1.0), second(1.5), second(2.0)];
    for (y, exact) in numbers(&found.y).into_iter().zip(exact) {
        assert!((y - exact).abs() < 1e-9, "{y} {exact}");
    }
}

/// The errors of fixed steps fall with the method's order, where the delay is a multiple of the step.
#[test]
fn orders_of_fixed_steps() {
    fn slope<M: wengert_solve::de::Method + Send + Sync + 'static>(method: M) -> f64 {
        let errors: Vec<f64> = [20, 40, 80]
            .into_iter()
            .map(|n| {
                let f = jit(move |r: Var| {
                    let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - past[0]);
                    let history = |_: Var| Var::from(0.4);
                    Dde::new(method)
                        .fixed(n)
                        .solve(rate, [1.0], history, 0.0, 2.0)
                        .y
                });
                let growth = 1.2 * 0.6;
                let integral = 0.4 * (f64::exp(growth) - 1.0) / growth;
                let exact = 0.4 * f64::exp(growth) * f64::exp(1.2 * (1.0 - integral));
                (number(&f.call(1.2).unwrap()) - exact).abs()
            })
            .collect();
        (errors[0] / errors[2]).log2() / 2.0
    }
    for (found, order) in [(slope(Euler), 1.0), (slope(Heun), 2.0), (slope(Rk4), 4.0)] {
        assert!((found - order).abs() < 0.35, "{found} {order}");
    }
}

#[test]
fn a_ring_gives_what_the_full_history_gives() {
    let solve = |ring: Option<usize>| {
        let f = jit(move |r: Var| {
            let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - 0.5 * (past[0] + past[1]));
            let solver = Dde::new(Rk4).fixed(400);
            let solver = ring.map_or(solver, |n| solver.ring(n));
            solver.solve(rate, [1.0, 0.55], |t: Var| 0.5 + 0.1 * t, 0.0, 10.0)
        });
        f.call(1.5).unwrap()
    };
    let (own, full, few) = (solve(None), solve(Some(400)), solve(Some(39)));
    assert_eq!(number(&own.y), number(&full.y));
    assert!(own.ok().is_ok());
    assert_eq!(few.statuses().unwrap(), [Status::StepLimit]);
    // Adaptive steps, too.
    let solve = |ring: usize| {
        let f = jit(move |r: Var| {
            let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - past[0]);
            let solver = Dde::new(Tsit5).ring(ring);
            solver.solve(rate, [1.0], |t: Var| 0.5 + 0.1 * t, 0.0, 20.0)
        });
        f.call(1.5).unwrap()
    };
    let (short, long) = (solve(60), solve(1000));
    assert_eq!(number(&short.y), number(&long.y));
    assert!(short.ok().is_ok());
    assert_eq!(solve(2).statuses().unwrap(), [Status::StepLimit]);
}

/// The derivatives of the end in the rate, the delay, the history and the end of the span.
#[test]
fn gradients() {
    let end = |p: Var| -> Solution<Var> {
        let (r, tau, y0) = (p.at(0), p.at(1), p.at(2));
        let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - past[0]);
        let solver = Dde::new(Tsit5).rtol(1e-10).atol(1e-12);
        solver.solve(rate, [tau], move |t: Var| y0 + 0.1 * t, 0.0, p.at(3))
    };
    let at = [1.3, 0.8, 0.6, 3.1];
    let value = jit(end);
    let value_of = |p: [f64; 4]| number(&value.call(p).unwrap().ok().unwrap().y);
    let slopes = jit(move |p: Var| {
        let y = move |p: Var| end(p).y;
        (grad_at(p, y), wengert::map(eye(4), |e| jvp(y, p, e).1))
    });
    let (reverse, forward) = slopes.call(at).unwrap();
    let (reverse, forward) = (numbers(&reverse), numbers(&forward));
    for i in 0..4 {
        let h = 1e-4;
        let (mut up, mut down) = (at, at);
        up[i] += h;
        down[i] -= h;
        let difference = (value_of(up) - value_of(down)) / (2.0 * h);
        assert!(
            (reverse[i] - difference).abs() < 2e-6,
            "{i}: {} {difference}",
            reverse[i]
        );
        assert!(
            (forward[i] - reverse[i]).abs() < 1e-9,
            "{i}: {} {}",
            forward[i],
            reverse[i]
        );
    }
}

#[test]
fn lanes_are_as_alone_and_fail_alone() {
    let solve = |(r, tau): (Var, Var)| {
        let rate = move |_, y: Var, past: Vec<Var>| -r * past[0] * (1.0 + y);
        Dde::new(Tsit5).solve(rate, [tau], |_: Var| Var::from(0.5), 0.0, 5.0)
    };
    let (rates, delays) = ([1.5, f64::NAN, 0.7, 1.0, 2.0], [1.0, 1.0, 0.3, 0.0, -1.0]);
    let all = jit(vmap(solve)).call((rates, delays)).unwrap();
    let statuses = all.statuses().unwrap();
    assert_eq!(statuses[0], Status::Finished);
    assert_eq!(statuses[1], Status::NotFinite);
    assert_eq!(statuses[3..], [Status::StepTooSmall; 2]);
    let one = jit(solve);
    for i in [0, 2] {
        let alone = one.call((rates[i], delays[i])).unwrap();
        assert_eq!(number(&alone.y), numbers(&all.y)[i]);
        assert_eq!(
            number(&alone.y).is_finite(),
            statuses[i] == Status::Finished
        );
    }
}

#[test]
fn mistakes_are_at_the_users_line() {
    fn message<A: wengert::IntoTree<Tree = A> + Tree<Leaf = Var>>(
        f: impl Fn(Var) -> A + Send + Sync + 'static,
    ) -> String {
        let error = match jit(f).call([1.0, 2.0]) {
            Ok(_) => panic!("a mistake went through"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains("dde.rs:"), "{error}");
        error
    }
    let rate = |_: Var, _: Var, past: Vec<Var>| past[0].sum();
    let other = message(move |y: Var| Dde::new(Tsit5).solve(rate, [1.0], move |_| y, 0.0, 1.0).y);
    assert!(
        other.contains("dde: the state has f64[2], and its rate has f64,"),
        "{other}"
    );
    let rate = |_: Var, _: Var, past: Vec<Var>| past[0];
    let fixed = message(move |y: Var| Dde::new(Rk4).solve(rate, [1.0], move |_| y, 0.0, 1.0).y);
    assert!(
        fixed.contains("dde: Rk4 does not estimate errors"),
        "{fixed}"
    );
    let none: [f64; 0] = [];
    let none = message(move |y: Var| {
        Dde::new(Tsit5)
            .solve(|_, y: Var, _| y, none, move |_| y, 0.0, 1.0)
            .y
    });
    assert!(none.contains("dde: there is no delay"), "{none}");
    let delays = message(|y: Var| {
        let network = Network::new(Var::from([[1i64, 1]]), 1);
        network
            .solve(|_, y: Var, _| y, |y: Var| y, y, 0.0, 1.0, 10)
            .y
    });
    assert!(
        delays.contains("network: the delays are i64[1,2], and must be whole numbers [2,2]"),
        "{delays}"
    );
}

/// A network of one node is the scalar equation, with Heun's order.
#[test]
fn a_network_of_one_node() {
    let errors: Vec<f64> = [20usize, 40, 80]
        .into_iter()
        .map(|n| {
            let f = jit(move |r: Var| {
                let network = Network::new(full([1, 1], n as i64 / 4), n / 4);
                let rate = move |_: Var, _: Var, past: Var| -r * past.sum_axis(1);
                network.solve(rate, |y: Var| y, ones(1), 0.0, 4.0, n).y
            });
            (numbers(&f.call(1.4).unwrap())[0] - linear(1.4, 4.0)).abs()
        })
        .collect();
    let order = (errors[0] / errors[2]).log2() / 2.0;
    assert!((order - 2.0).abs() < 0.3, "{errors:?}");
}

const NODES: usize = 5;

/// Delays `[5, 5]` from 0 to 7.
fn delays() -> Vec<Vec<i64>> {
    let delay = |i: usize, j: usize| {
        if i == j {
            0
        } else {
            ((3 * i + 5 * j) % 7 + 1) as i64
        }
    };
    (0..NODES)
        .map(|i| (0..NODES).map(|j| delay(i, j)).collect())
        .collect()
}

/// The network's end by plain Rust code, with the whole history.
fn by_hand(w: f64, steps: usize, h: f64) -> Vec<f64> {
    let delays = delays();
    let start: Vec<f64> = (0..NODES).map(|i| 0.3 * i as f64).collect();
    let mut history = vec![start];
    let rate = |k: usize, now: &[f64], history: &[Vec<f64>]| -> Vec<f64> {
        (0..NODES)
            .map(|i| {
                let pull = (0..NODES).map(|j| {
                    let d = delays[i][j] as usize;
                    let past = if d == 0 {
                        now[j]
                    } else {
                        history[k.saturating_sub(d)][j]
                    };
                    (past - now[i]).sin()
                });
                1.0 + w * pull.sum::<f64>()
            })
            .collect()
    };
    for k in 0..steps {
        let y = history[k].clone();
        let k1 = rate(k, &y, &history);
        let ahead: Vec<f64> = y.iter().zip(&k1).map(|(y, k)| y + h * k).collect();
        let k2 = rate(k + 1, &ahead, &history);
        let next = (0..NODES)
            .map(|i| y[i] + 0.5 * h * (k1[i] + k2[i]))
            .collect();
        history.push(next);
    }
    history.pop().unwrap()
}

fn kuramoto(w: Var) -> wengert_solve::de::NetworkPath<Var, Var> {
    let delays = Var::from(delays());
    let rate =
        move |_: Var, y: Var, past: Var| 1.0 + (w * (past - y.expand_dims(1)).sin()).sum_axis(1);
    let network = Network::new(delays, 7).record(7, |_: Var, y: Var| y);
    network.solve(
        rate,
        |y: Var| y,
        0.3 * arange(NODES).to(DType::F64),
        0.0,
        3.0,
        60,
    )
}

#[test]
fn a_network_with_a_matrix_of_delays() {
    let f = jit(kuramoto);
    let all = jit(vmap(kuramoto)).call([0.2, 0.1]).unwrap().ok().unwrap();
    for (lane, w) in [0.2, 0.1].into_iter().enumerate() {
        let found = f.call(w).unwrap().ok().unwrap();
        let expected = by_hand(w, 60, 0.05);
        for (a, b) in numbers(&found.y).iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!(found.rows.shape(), [8, NODES]);
        assert_eq!(numbers(&found.rows)[7 * NODES..], numbers(&found.y));
        assert_eq!(
            numbers(&all.y)[lane * NODES..(lane + 1) * NODES],
            numbers(&found.y)
        );
    }
}

#[test]
fn gradients_in_weights() {
    let loss = |w: Var| kuramoto(w).y.square().sum();
    let f = jit(loss);
    let w: Vec<f64> = (0..NODES * NODES).map(|i| 0.05 + 0.01 * i as f64).collect();
    let matrix = |w: &[f64]| Array::from(w.to_vec()).reshape([NODES, NODES]).unwrap();
    let slopes = numbers(&jit(grad(loss)).call(matrix(&w)).unwrap());
    for i in [0, 3, 7, 24] {
        let at = |d: f64| {
            let mut w = w.clone();
            w[i] += d;
            number(&f.call(matrix(&w)).unwrap())
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!(
            (slopes[i] - difference).abs() < 1e-6 * (1.0 + difference.abs()),
            "{i}: {} {difference}",
            slopes[i]
        );
    }
}

/// Without coupling a noisy network is an Ornstein-Uhlenbeck process; with a delay of no steps it is that of `Sde`.
#[test]
fn networks_with_noise() {
    let f = jit(|key: Key| {
        let rate = |_: Var, y: Var, past: Var| -y - 0.5 * past.sum_axis(1);
        let path = |key: Key| {
            let network = Network::new(zeros_of([1, 1], DType::I64), 0).euler();
            let noise = |_: Var, y: Var| full_like(y, 0.4);
            let a = network.solve_noisy(rate, noise, |y: Var| y, ones(1), 0.0, 2.0, 50, key);
            a.y.at(0)
        };
        let other = |key: Key| {
            let sde = Sde::ito(
                |_, x: Var| -1.5 * x,
                Diagonal(|_, x: Var| full_like(x, 0.4)),
            );
            Scheme::EulerMaruyama
                .steps(50)
                .solve(&sde, 1.0, 0.0, 2.0, key)
                .y
        };
        let (a, b) = key.split();
        let (x, y) = (
            vmap(path)(a.split_into(8000)),
            vmap(other)(b.split_into(8000)),
        );
        let moments = |x: Var| stack([x.mean(), (x - x.mean()).square().mean()]);
        (moments(x), moments(y))
    });
    let (a, b) = f.call(Key::from_seed(3)).unwrap();
    let (a, b) = (numbers(&a), numbers(&b));
    assert!((a[0] - b[0]).abs() < 0.015, "{a:?} {b:?}");
    assert!((a[1] / b[1] - 1.0).abs() < 0.08, "{a:?} {b:?}");
}

#[test]
fn delays_beyond_the_longest_are_a_status() {
    let f = jit(|delays: Var| {
        let rate = |_: Var, _: Var, past: Var| -past.sum_axis(1);
        Network::new(delays, 3).solve(rate, |y: Var| y, Var::from([1.0, 2.0]), 0.0, 1.0, 10)
    });
    assert!(f.call([[0i64, 3], [1, 2]]).unwrap().ok().is_ok());
    for delays in [[[0i64, 4], [1, 2]], [[0, -1], [1, 2]]] {
        assert_eq!(
            f.call(delays).unwrap().statuses().unwrap(),
            [Status::Infeasible]
        );
    }
}
