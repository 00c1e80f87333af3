//! The solution against loops by hand.

use super::*;

/// The fields by the Runge-Kutta method of order 4 with 4,600 steps, at the end.
fn by_hand(n: usize) -> Vec<f64> {
    let size = n * n;
    let rate = |drips: bool, w: &[f64]| -> Vec<f64> {
        let mut k = vec![0.0; 2 * size];
        for a in 0..n {
            for b in 0..n {
                let i = a * n + b;
                let spread = |w: &[f64]| {
                    let [up, down] = [(a + 1) % n, (a + n - 1) % n].map(|a| w[a * n + b]);
                    let [left, right] = [(b + 1) % n, (b + n - 1) % n].map(|b| w[a * n + b]);
                    DIFFUSION * (n * n) as f64 * (up + down + left + right - 4.0 * w[i])
                };
                let (u, v) = (w[i], w[size + i]);
                let (x, y) = (a as f64 / n as f64, b as f64 / n as f64);
                let near = (x - 0.3).powi(2) + (y - 0.6).powi(2) <= 0.01;
                let drip = if drips && near { 5.0 } else { 0.0 };
                k[i] = 1.0 + u * u * v - 4.4 * u + spread(&w[..size]) + drip;
                k[size + i] = 3.4 * u - u * u * v + spread(&w[size..]);
            }
        }
        k
    };
    let mut w = vec![0.0; 2 * size];
    for i in 0..size {
        let (x, y) = ((i / n) as f64 / n as f64, (i % n) as f64 / n as f64);
        w[i] = 22.0 * y * (1.0 - y).powf(1.5);
        w[size + i] = 27.0 * x * (1.0 - x).powf(1.5);
    }
    let h = 11.5 / 4600.0;
    let plus = |w: &[f64], h: f64, k: &[f64]| -> Vec<f64> {
        w.iter().zip(k).map(|(w, k)| w + h * k).collect()
    };
    for step in 0..4600 {
        // It drips from t = 1.1 on.
        let drips = step >= 440;
        let k1 = rate(drips, &w);
        let k2 = rate(drips, &plus(&w, h / 2.0, &k1));
        let k3 = rate(drips, &plus(&w, h / 2.0, &k2));
        let k4 = rate(drips, &plus(&w, h, &k3));
        for i in 0..2 * size {
            w[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    w
}

#[test]
fn the_fields_are_those_of_loops_by_hand() {
    let n = 16;
    let want = by_hand(n);
    let by = Linear::residuals();
    let (bdf, split) = (Bdf::new().linear(by), KenCarp4::new().linear(by));
    let last = (TIMES.len() - 1) * n * n;
    for (solve, most) in [
        (solve(Tsit5, n, 1e-7), 1e-5),
        (solve(Rkc::new(), n, 1e-6), 1e-4),
        (solve_by_products(bdf, "waves", false, n, 1e-6), 5e-4),
        (solve_by_products(bdf, "cells", false, n, 1e-6), 5e-4),
        (solve_by_products(split, "waves", true, n, 1e-6), 1e-4),
    ] {
        let found = solve.call(()).unwrap().ok().unwrap();
        for (field, want) in [&found.y.u, &found.y.v].into_iter().zip(want.chunks(n * n)) {
            for (a, b) in field.to_vec::<f64>().unwrap()[last..].iter().zip(want) {
                assert!((a - b).abs() < most, "{a} {b}");
            }
        }
    }
}
