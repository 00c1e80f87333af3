//! Derivatives along the path of a key.

use wengert::prelude::*;
use wengert_solve::de::sde::{Brownian, Diagonal, General, Scheme, Sde};

use super::numbers;

/// The end of a nonlinear path by its parameters: drift, noise, start, end of the span.
fn end(scheme: Scheme, p: Var, key: Key) -> Var {
    let (a, b) = (p.at(0), p.at(1));
    let f = move |_: Var, x: Var| a * x.sin();
    match scheme {
        Scheme::Sra1 => {
            let sde = Sde::ito(
                f,
                Diagonal(move |t: Var, x: Var| full_like(x, 1.0) * b * (1.0 + t)),
            );
            scheme.steps(12).solve(&sde, p.at(2), 0.0, p.at(3), key).y
        }
        _ => {
            let sde = Sde::ito(f, Diagonal(move |_: Var, x: Var| b * x.cos()));
            scheme.steps(12).solve(&sde, p.at(2), 0.0, p.at(3), key).y
        }
    }
}

#[test]
fn gradients_are_those_of_differences_with_the_same_key() {
    let at = [0.7, 0.4, 0.3, 1.2];
    for &scheme in Scheme::ALL {
        let value = jit(move |(p, key): (Var, Key)| end(scheme, p, key.fold_in().at(0)));
        let slopes = jit(move |(p, key): (Var, Key)| {
            let keys = key.fold_in();
            let reverse = grad_at(p, |p| end(scheme, p, keys.at(0)));
            let forward = wengert::map(eye(4), |e| jvp(|p| end(scheme, p, keys.at(0)), p, e).1);
            (reverse, forward)
        });
        let value_of = |p: [f64; 4]| {
            let y = value.call((p, Key::from_seed(2))).unwrap();
            y.item::<f64>().unwrap()
        };
        let (reverse, forward) = slopes.call((at, Key::from_seed(2))).unwrap();
        let (reverse, forward) = (numbers(&reverse), numbers(&forward));
        for i in 0..4 {
            let h = 1e-5;
            let (mut up, mut down) = (at, at);
            up[i] += h;
            down[i] -= h;
            let difference = (value_of(up) - value_of(down)) / (2.0 * h);
            let close = |x: f64| (x - difference).abs() < 1e-7 * (1.0 + difference.abs());
            assert!(
                close(reverse[i]) && close(forward[i]),
                "{scheme:?} {i}: {} {difference}",
                reverse[i]
            );
        }
    }
}

/// Geometric Brownian motion: the derivative of its end by the drift is that end times the time.
#[test]
fn adaptive_steps_have_derivatives() {
    let f = jit(|(p, key, again): (Var, Key, Key)| {
        let solver = Scheme::Sri1.adaptive().rtol(1e-6).atol(1e-7);
        let keys = key.fold_in();
        let end = |p: Var| {
            let (a, b) = (p.at(0), p.at(1));
            let sde = Sde::ito(move |_, x: Var| a * x, Diagonal(move |_, x: Var| b * x));
            solver.solve(&sde, p.at(2), 0.0, 1.0, keys.at(0)).y
        };
        let (value, slope) = value_and_grad_at(p, end);
        let forward = jvp(end, p, Var::from([0.0, 1.0, 0.0])).1;
        let w = Brownian::new(again.fold_in().at(0), 0.0, 1.0, 1)
            .at(1.0)
            .at(0);
        (value, slope, forward, w)
    });
    let key = Key::from_seed(7);
    let (a, b, x0) = (0.3, 0.5, 1.5);
    let (value, slope, forward, w) = f.call(([a, b, x0], key.clone(), key)).unwrap();
    let w = w.item::<f64>().unwrap();
    let exact = x0 * (a - 0.5 * b * b + b * w).exp();
    let value = value.item::<f64>().unwrap();
    assert!((value - exact).abs() < 1e-4, "{value} {exact}");
    let expected = [exact, exact * (w - b), exact / x0];
    for (found, expected) in numbers(&slope).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }
    assert!((forward.item::<f64>().unwrap() - numbers(&slope)[1]).abs() < 1e-10);
}

#[test]
fn trees_and_batches_of_parameters() {
    #[derive(Tree, Clone)]
    struct Pair<T = Var> {
        x: T,
        v: T,
    }
    // An oscillator with noise on its velocity alone.
    let end = |(damping, key): (Var, Key)| {
        let sde = Sde::ito(
            move |_, s: Pair| Pair {
                x: s.v,
                v: -s.x - damping * s.v,
            },
            General::new(3, |_, s: Pair, dw: Var| Pair {
                x: zeros_like(s.x),
                v: 0.1 * dw,
            }),
        );
        let start = Pair {
            x: ones(3),
            v: zeros(3),
        };
        Scheme::Sra1.steps(50).solve(&sde, start, 0.0, 1.0, key)
    };
    let damping = [0.1, 0.5, 2.0];
    let key = Key::from_seed(1);
    let many = jit(move |(d, key): (Var, Key)| vmap(end)((d, key.split_into(3))));
    let all = many.call((damping, key.clone())).unwrap().ok().unwrap();
    assert_eq!(all.y.x.shape(), [3, 3]);
    let one = jit(end);
    for (i, d) in damping.into_iter().enumerate() {
        let alone = one.call((d, key.child(i as u64).unwrap())).unwrap();
        assert_eq!(numbers(&alone.y.v), numbers(&all.y.v)[3 * i..3 * i + 3]);
    }
}
