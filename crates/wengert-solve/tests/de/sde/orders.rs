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

/// The mean distances from the solution of the same paths, and the distances between means, with 128, 64, .., steps,
/// from few to many.
fn errors<F, G>(
    scheme: Scheme,
    sde: Sde<F, G>,
    y0: Vec<f64>,
    noise: usize,
    exact: impl Fn(Var) -> Var + Clone + Send + Sync + 'static,
) -> (Vec<f64>, Vec<f64>)
where
    F: Fn(Var, Var) -> Var + Clone + Send + Sync + 'static,
    G: Diffusion<Var> + Clone + Send + Sync + 'static,
{
    const FINEST: usize = 128;
    let path = move |key: Key| {
        let mut rows = Increment::draw(key, FINEST, 1.0 / FINEST as f64, noise);
        let exact = exact(rows.w.sum_axis(0));
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
    let exact = move |w: Var| ((a - 0.5 * b * b) + b * w).exp();
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
    let exact = move |w: Var| {
        let e = (1.0 + x0) * w.exp();
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

/// Additive noise that depends on time: the solution is `(x₀ + β (t + α W)) / √(1 + t)`.
#[test]
fn strong_orders_with_additive_noise() {
    let (alpha, beta) = (0.4, 0.5);
    let f = move |t: Var, x: Var| beta / (1.0 + t).sqrt() - x / (2.0 * (1.0 + t));
    let g = move |t: Var, x: Var| full_like(x, alpha * beta) / (1.0 + t).sqrt();
    let exact = move |w: Var| (1.0 + beta * (1.0 + alpha * w)) / 2f64.sqrt();
    for (scheme, order) in [
        (Scheme::EulerMaruyama, 1.0),
        (Scheme::Milstein, 1.0),
        (Scheme::Heun, 1.0),
        (Scheme::Sra1, 1.5),
        (Scheme::Sri1, 1.5),
    ] {
        let (strong, _) = errors(scheme, Sde::ito(f, Diagonal(g)), vec![1.0], 1, exact);
        let found = slope(&strong);
        // The drift's own error, of the first or the second order, is mixed in.
        assert!(
            found > order - 0.2 && found < order + 0.55,
            "{scheme:?}: {found}"
        );
    }
}

/// A linear system with two noises that commute, growth and rotation.
#[test]
fn strong_orders_of_a_linear_system_with_general_noise() {
    let (a, omega, b, c) = (0.3, 1.0, 0.3, 0.4);
    let turn = |x: Var| stack([-x.at(1), x.at(0)]);
    let f = move |_: Var, x: Var| a * x + omega * turn(x);
    let g = move |_: Var, x: Var, dw: Var| b * dw.at(0) * x + c * dw.at(1) * turn(x);
    let exact = move |w: Var| {
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

/// The noise is small, so that the error of the mean is seen above that of the sample.
#[test]
fn weak_orders() {
    let (a, b) = (1.0, 0.05);
    let exact = move |w: Var| ((a - 0.5 * b * b) + b * w).exp();
    let f = move |_: Var, x: Var| a * x;
    let g = move |_: Var, x: Var| b * x;
    for (scheme, order) in [
        (Scheme::EulerMaruyama, 1.0),
        (Scheme::Milstein, 1.0),
        (Scheme::EulerHeun, 1.0),
        (Scheme::Heun, 2.0),
        (Scheme::Sri1, 2.0),
    ] {
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
