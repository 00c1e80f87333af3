//! Counts of any size have the distribution they say, to the last digit.

use super::fit::{check_moments, chi_square, normal_cdf};
use super::*;

const N: usize = 100_000;

/// Whole numbers less another, which is exact.
fn from(counts: &Array, middle: i64) -> Vec<f64> {
    let counts = counts.to_vec::<i64>().unwrap();
    counts.iter().map(|n| (n - middle) as f64).collect()
}

/// Of so many deviations, these are normal numbers but for their skewness, and their last digits are even
/// numbers.
fn nearly_normal(name: &str, counts: &Array, middle: i64, [mean, variance]: [f64; 2], skew: f64) {
    let x = from(counts, middle);
    check_moments(name, &x, [mean, variance]);
    let mut z: Vec<f64> = x.iter().map(|x| (x - mean) / variance.sqrt()).collect();
    z.sort_by(f64::total_cmp);
    let n = z.len() as f64;
    // Edgeworth's first term.
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let cdf = |z: f64| normal_cdf(z) - skew / 6.0 * (z * z - 1.0) * density(z);
    let distance = z.iter().enumerate().fold(0.0f64, |d, (i, &z)| {
        let (p, i) = (cdf(z), i as f64);
        d.max(p - i / n).max((i + 1.0) / n - p)
    });
    assert!(
        distance * n.sqrt() < 2.23,
        "{name}: {}",
        distance * n.sqrt()
    );
    let mut digits = vec![0.0; 17];
    for n in counts.to_vec::<i64>().unwrap() {
        digits[(n & 15) as usize] += 1.0;
    }
    chi_square(&format!("last digits of {name}"), &digits, |_| 1.0 / 16.0);
}

/// A whole number times a probability, without its fraction.
fn product(n: i64, p: f64) -> i64 {
    let (mut digits, mut shift) = (p, 0);
    while digits.fract() != 0.0 {
        (digits, shift) = (2.0 * digits, shift + 1);
    }
    ((n as u128 * digits as u128) >> shift) as i64
}

#[test]
fn binomial_counts_of_any_number_of_tries() {
    let f = jit(|(n, p, k): (Var, Var, Key)| k.binomial(n, p, [N]));
    let tries = [
        1i64 << 30,
        1 << 46,
        1 << 50,
        1 << 54,
        1 << 58,
        1 << 60,
        i64::MAX,
    ];
    for (i, n) in tries.into_iter().enumerate() {
        for (j, p) in [0.5, 0.3, 1e-3, 0.875].into_iter().enumerate() {
            let counts = f.call((n, p, Key::from_seed((10 * i + j) as u64))).unwrap();
            let middle = product(n, p);
            let variance = n as f64 * p * (1.0 - p);
            let skew = (1.0 - 2.0 * p) / variance.sqrt();
            nearly_normal(
                &format!("binomial({n}, {p})"),
                &counts,
                middle,
                [0.5, variance],
                skew,
            );
        }
    }
}

/// Many tries that hardly ever succeed: the distribution of Poisson.
#[test]
fn rare_successes_of_many_tries() {
    let f = jit(|(n, p, k): (Var, Var, Key)| k.binomial(n, p, [N]));
    let rate: f64 = 20.0;
    for n in [1i64 << 40, 1 << 62] {
        let counts = f.call((n, rate / n as f64, Key::from_seed(8))).unwrap();
        let mut seen = vec![0.0; 61];
        for n in counts.to_vec::<i64>().unwrap() {
            seen[n.min(60) as usize] += 1.0;
        }
        let mut p = vec![(-rate).exp()];
        for k in 1..60 {
            p.push(p[k - 1] * rate / k as f64);
        }
        chi_square(&format!("{n} tries"), &seen, |k| p[k]);
    }
}

#[test]
fn poisson_counts_of_any_rate() {
    let f = jit(|(rate, k): (Var, Key)| k.poisson(rate, [N]));
    let rates = [1e6, 1e10, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 4e18f64];
    for (i, rate) in rates.into_iter().enumerate() {
        let counts = f.call((rate, Key::from_seed(i as u64))).unwrap();
        let skew = 1.0 / rate.sqrt();
        nearly_normal(
            &format!("poisson({rate})"),
            &counts,
            rate as i64,
            [0.0, rate],
            skew,
        );
    }
    // Above 2^62 they are floats, and end where integers do.
    let counts = f
        .call((2f64.powi(63), Key::from_seed(1)))
        .unwrap()
        .to_vec::<i64>()
        .unwrap();
    let ended = counts.iter().filter(|n| **n == i64::MAX).count();
    assert!((ended as f64 / N as f64 - 0.5).abs() < 0.01, "{ended}");
}
