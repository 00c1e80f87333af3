//! Orders of convergence, on equations that are solved along each path, and moments.

use wengert::prelude::*;
use wengert_solve::de::sde::{Diagonal, Diffusion, General, Increment, Scalar, Scheme, Sde};

use super::numbers;

/// The slope of the logarithms: the order of errors at 2^k, 2^(k+1), .. steps.
fn slope(errors: &[f64]) -> f64 {
    let n = errors.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let (mut up, mut down) = (0.0, 0.0);
    for (i, e) in errors.iter().enumerate() {
        up -= (i as f64 - middle) * e.log2();
        down += (i as f64 - middle).powi(2);
    }
    up / down
}

/// The sum of the increments.
fn end(rows: Increment) -> Var {
    rows.w.sum_axis(0)
}

/// The mean distances from the solution of the same paths, and the distances between means, with 128, 64, .., steps,
/// from few to many.
fn errors<F, G>(
    scheme: Scheme,
    sde: Sde<F, G>,
    y0: Vec<f64>,
    noise: usize,
    exact: impl Fn(Increment) -> Var + Clone + Send + Sync + 'static,
) -> (Vec<f64>, Vec<f64>)
where
    F: Fn(Var, Var) -> Var + Clone + Send + Sync + 'static,
    G: Diffusion<Var> + Clone + Send + Sync + 'static,
{
    const FINEST: usize = 1024;
    let path = move |key: Key| {
        let rows = Increment::draw(key, FINEST, 1.0 / FINEST as f64, noise);
        let exact = exact(rows);
        let mut rows = rows.halved().halved().halved();
        let mut distances = vec![];
        for _ in 0..4 {
            let y = scheme.along(&sde, Var::from(y0.clone()), 0.0, 1.0, rows).y;
            distances.push(y - exact);
            rows = rows.halved();
        }
        stack(distances)
    };
    let all = jit(move |key: Key| {
        let d = vmap(path.clone())(key.split_into(1500));
        let strong = d.square().sum_axis(-1).mean_axis(0).sqrt();
        let weak = d.mean_axis(0).at((.., 0)).abs();
        (strong, weak)
    });
    let (strong, weak) = all.call(Key::from_seed(17)).unwrap();
    let up = |a: &Array| numbers(a).into_iter().rev().collect();
    (up(&strong), up(&weak))
}

#[track_caller]
fn expect_order(what: &str, errors: &[f64], order: f64) {
    let found = slope(errors);
    assert!(
        (found - order).abs() < 0.2,
        "{what}: order {found:.3}, expected {order}: {errors:?}"
    );
}

#[test]
fn strong_orders_on_geometric_brownian_motion() {
    let (a, b) = (0.5, 0.6);
    let exact = move |rows| ((a - 0.5 * b * b) + b * end(rows)).exp();
    let f = move |_: Var, x: Var| a * x;
    let g = move |_: Var, x: Var| b * x;
    let strat = move |_: Var, x: Var| (a - 0.5 * b * b) * x;
    for (scheme, order) in [
        (Scheme::EulerMaruyama, 0.5),
        (Scheme::Milstein, 1.0),
        (Scheme::EulerHeun, 1.0),
        (Scheme::Heun, 1.0),
        (Scheme::Sri1, 1.5),
    ] {
        let what = format!("{scheme:?}");
        let (strong, _) = errors(scheme, Sde::ito(f, Diagonal(g)), vec![1.0], 1, exact);
        expect_order(&what, &strong, order);
        let (other, _) = errors(
            scheme,
            Sde::stratonovich(strat, Scalar(g)),
            vec![1.0],
            1,
            exact,
        );
        expect_order(&what, &other, order);
    }
}

/// A cubic equation: Kloeden and Platen, *Numerical Solution of Stochastic Differential Equations*, 4.4.
#[test]
fn strong_orders_on_a_cubic_equation() {
    let x0 = 0.5;
    let f = |_: Var, x: Var| -0.25 * x * (1.0 - x * x);
    let g = |_: Var, x: Var| 0.5 * (1.0 - x * x);
    let exact = move |rows| {
        let e = (1.0 + x0) * end(rows).exp();
        (e + x0 - 1.0) / (e + 1.0 - x0)
    };
    for (scheme, order) in [
        (Scheme::EulerMaruyama, 0.5),
        (Scheme::Milstein, 1.0),
        (Scheme::EulerHeun, 1.0),
        (Scheme::Heun, 1.0),
        (Scheme::Sri1, 1.5),
    ] {
        let (strong, _) = errors(scheme, Sde::ito(f, Diagonal(g)), vec![x0], 1, exact);
        expect_order(&format!("{scheme:?}"), &strong, order);
    }
}

/// Additive noise, with a drift that bends: against another scheme of order 1.5 at 1024 steps.
#[test]
fn strong_orders_with_additive_noise() {
    let f = |_: Var, x: Var| 2.0 * x.sin();
    let g = |_: Var, x: Var| full_like(x, 1.5);
    let sde = Sde::ito(f, Diagonal(g));
    for (scheme, other, order) in [
        (Scheme::EulerMaruyama, Scheme::Sri1, 1.0),
        (Scheme::Milstein, Scheme::Sri1, 1.0),
        (Scheme::Heun, Scheme::Sri1, 1.0),
        (Scheme::Sra1, Scheme::Sri1, 1.5),
        (Scheme::Sri1, Scheme::Sra1, 1.5),
    ] {
        let exact = move |rows| other.along(&sde, ones(1), 0.0, 1.0, rows).y;
        let (strong, _) = errors(scheme, sde, vec![1.0], 1, exact);
        expect_order(&format!("{scheme:?}"), &strong, order);
    }
}

/// Additive noise that depends on time: the solution is `(x₀ + β (t + α W)) / √(1 + t)`.
#[test]
fn additive_noise_with_a_closed_form() {
    let (alpha, beta) = (0.4, 0.5);
    let f = move |t: Var, x: Var| beta / (1.0 + t).sqrt() - x / (2.0 * (1.0 + t));
    let g = move |t: Var, x: Var| full_like(x, alpha * beta) / (1.0 + t).sqrt();
    let exact = move |rows| (1.0 + beta * (1.0 + alpha * end(rows))) / 2f64.sqrt();
    let sde = Sde::ito(f, Diagonal(g));
    for (scheme, most) in [
        (Scheme::EulerMaruyama, 3e-3),
        (Scheme::Heun, 1e-5),
        (Scheme::Sra1, 1e-5),
        (Scheme::Sri1, 1e-4),
    ] {
        let (strong, _) = errors(scheme, sde, vec![1.0], 1, exact);
        assert!(strong[3] < most, "{scheme:?}: {strong:?}");
    }
}

/// A linear system with two noises that commute, growth and rotation.
#[test]
fn strong_orders_of_a_linear_system_with_general_noise() {
    let (a, omega, b, c) = (0.3, 1.0, 0.3, 0.4);
    let turn = |x: Var| stack([-x.at(1), x.at(0)]);
    let f = move |_: Var, x: Var| a * x + omega * turn(x);
    let g = move |_: Var, x: Var, dw: Var| b * dw.at(0) * x + c * dw.at(1) * turn(x);
    let exact = move |rows| {
        let w = end(rows);
        let r = (a - 0.5 * b * b + 0.5 * c * c + b * w.at(0)).exp();
        let angle = omega + c * w.at(1);
        stack([r * angle.cos(), r * angle.sin()])
    };
    for (scheme, order) in [
        (Scheme::EulerMaruyama, 0.5),
        (Scheme::EulerHeun, 1.0),
        (Scheme::Heun, 1.0),
    ] {
        let sde = Sde::ito(f, General::new(2, g));
        let (strong, _) = errors(scheme, sde, vec![1.0, 0.0], 2, exact);
        expect_order(&format!("{scheme:?}"), &strong, order);
    }
}

/// The noise is small where the error of the mean is to be seen above that of the sample.
#[test]
fn weak_orders() {
    let a = 1.0;
    for (scheme, b, order) in [
        (Scheme::EulerMaruyama, 0.05, 1.0),
        (Scheme::Milstein, 0.05, 1.0),
        (Scheme::EulerHeun, 0.05, 1.0),
        (Scheme::Heun, 0.7, 1.0),
        (Scheme::Sri1, 0.05, 2.0),
    ] {
        let exact = move |rows| ((a - 0.5 * b * b) + b * end(rows)).exp();
        let f = move |_: Var, x: Var| a * x;
        let g = move |_: Var, x: Var| b * x;
        let (_, weak) = errors(scheme, Sde::ito(f, Diagonal(g)), vec![1.0], 1, exact);
        expect_order(&format!("{scheme:?}"), &weak, order);
    }
    // Growth with additive noise has no solution in W alone; its mean is exp(a).
    let sde = Sde::ito(
        move |_: Var, x: Var| a * x,
        Diagonal(|_: Var, x: Var| full_like(x, 0.01)),
    );
    let ends = jit(move |key: Key| {
        let path = |key: Key| {
            let keys = key.split_n::<3>();
            let mut ends = vec![];
            for (n, key) in [4, 8, 16].into_iter().zip(keys) {
                ends.push(Scheme::Sra1.steps(n).solve(&sde, 1.0, 0.0, 1.0, key).y);
            }
            stack(ends)
        };
        vmap(path)(key.split_into(20_000)).mean_axis(0)
    });
    let means = numbers(&ends.call(Key::from_seed(5)).unwrap());
    let errors: Vec<f64> = means.iter().map(|m| (m - 1f64.exp()).abs()).collect();
    expect_order("Sra1", &errors, 2.0);
}

#[test]
fn moments_of_an_ornstein_uhlenbeck_process() {
    let (theta, sigma, x0, n) = (1.5, 0.8, 2.0, 20_000);
    let at = [0.25, 1.0, 3.0];
    let f = jit(move |key: Key| {
        let path = |key: Key| {
            let sde = Sde::ito(
                |_, x: Var| -theta * x,
                Diagonal(|_, x: Var| full_like(x, sigma)),
            );
            Scheme::Sra1.steps(20).sample(&sde, x0, 0.0, at, key).y
        };
        let y = vmap(path)(key.split_into(n));
        let m = y.mean_axis(0);
        (m, (y - m).square().mean_axis(0))
    });
    let (means, variances) = f.call(Key::from_seed(2)).unwrap();
    for (i, t) in at.iter().enumerate() {
        let decay = (-theta * t).exp();
        let variance = sigma * sigma / (2.0 * theta) * (1.0 - decay * decay);
        let (m, v) = (numbers(&means)[i], numbers(&variances)[i]);
        let error = (variance / n as f64).sqrt();
        assert!(
            (m - x0 * decay).abs() < 4.0 * error + 1e-3,
            "mean {m} at {t}"
        );
        let error = variance * (2.0 / n as f64).sqrt();
        assert!(
            (v - variance).abs() < 4.0 * error + 1e-3,
            "variance {v} at {t}"
        );
    }
}
