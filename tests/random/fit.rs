//! How well numbers fit a distribution: the tests of Kolmogorov and Smirnov and of χ², moments, and what the
//! distributions are by their formulas.

use super::*;
use wengert_ir::elementary::Elementary::{Erfc, Lgamma};
use wengert_ir::elementary::eval;

pub const N: usize = 1_000_000;

/// Euler's constant.
pub const EULER: f64 = 0.577_215_664_901_532_9;

pub fn draw(name: &str, sampler: Sampler, shape: &[usize]) -> Array {
    let shape = shape.to_vec();
    // A key of its own for each.
    let seed = name
        .bytes()
        .fold(7, |s: u64, b| s.wrapping_mul(31).wrapping_add(b.into()));
    let drawn = jit(move |k: Key| sampler(k, &shape)).call(Key::from_seed(seed));
    drawn.unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Fails where the largest distance of the distributions would be as large once in 10,000 times, or where
/// the mean or the variance is off by more than four deviations. NaN stands for what is infinite, or varies
/// too much to tell.
pub fn continuous(name: &str, sampler: Sampler, moments: [f64; 2], cdf: impl Fn(f64) -> f64) {
    let mut x = elements(&draw(name, sampler, &[N]));
    check_moments(name, &x, moments);
    let n = x.len() as f64;
    x.sort_by(f64::total_cmp);
    let mut distance: f64 = 0.0;
    for (i, &x) in x.iter().enumerate() {
        let (p, i) = (cdf(x), i as f64);
        distance = distance.max(p - i / n).max((i + 1.0) / n - p);
    }
    assert!(
        distance * n.sqrt() < 2.23,
        "{name}: {}",
        distance * n.sqrt()
    );
}

/// The mean by its deviation, the variance by that which the fourth moment of the numbers gives it.
pub fn check_moments(name: &str, x: &[f64], [mean, variance]: [f64; 2]) {
    let n = x.len() as f64;
    let about = |p: i32| x.iter().map(|x| (x - mean).powi(p)).sum::<f64>() / n;
    let (first, second, fourth) = (about(1), about(2), about(4));
    let deviation = (second / n).sqrt();
    let near = first.abs() < 4.0 * deviation;
    assert!(near || mean.is_nan(), "{name}: the mean is {first} off");
    // Where all are as far from the mean, nothing but rounding is left.
    let deviation = ((fourth - second * second).max(0.0) / n).sqrt() + 1e-12 * variance;
    let off = second - variance;
    let near = off.abs() < 4.0 * deviation;
    assert!(
        near || variance.is_nan(),
        "{name}: the variance is {off} off"
    );
}

/// Fails where χ² would be as large once in some 10,000 times. What lies beyond `classes` counts as one
/// class.
pub fn discrete(name: &str, sampler: Sampler, classes: usize, p: impl Fn(usize) -> f64) {
    let x = elements(&draw(name, sampler, &[N]));
    let mut counts = vec![0.0; classes + 1];
    for &x in &x {
        assert!(x >= 0.0 && x == x.trunc(), "{name}: {x}");
        counts[(x as usize).min(classes)] += 1.0;
    }
    let expected: Vec<f64> = (0..classes).map(&p).collect();
    let rest = 1.0 - expected.iter().sum::<f64>();
    let all = expected.iter().chain([&rest]).enumerate();
    let moment = |about: f64, power| -> f64 {
        let terms = all.clone().map(|(k, p)| p * (k as f64 - about).powi(power));
        terms.sum()
    };
    let mean = moment(0.0, 1);
    check_moments(name, &x, [mean, moment(mean, 2)]);
    chi_square(name, &counts, p);
}

pub fn chi_square(name: &str, counts: &[f64], p: impl Fn(usize) -> f64) {
    let n: f64 = counts.iter().sum();
    let mut expected: Vec<f64> = (0..counts.len() - 1).map(|k| n * p(k)).collect();
    expected.push(n - expected.iter().sum::<f64>());
    // Classes of few are joined.
    let (mut sum, mut classes, mut count, mut want) = (0.0, 0.0, 0.0, 0.0);
    for (k, e) in expected.iter().enumerate() {
        count += counts[k];
        want += e;
        if want > 20.0 {
            sum += (count - want) * (count - want) / want;
            classes += 1.0;
            (count, want) = (0.0, 0.0);
        }
    }
    assert!(
        count < 60.0,
        "{name}: {count} of {want} in the last classes"
    );
    let freedom: f64 = classes - 1.0;
    // Wilson and Hilferty: the cube root is nearly normal.
    let part = 2.0 / (9.0 * freedom);
    let z = ((sum / freedom).cbrt() - (1.0 - part)) / part.sqrt();
    assert!(
        z < 3.8,
        "{name}: χ² = {sum} with {freedom} degrees of freedom"
    );
}

pub fn normal_cdf(x: f64) -> f64 {
    0.5 * eval(Erfc, &[-x * std::f64::consts::FRAC_1_SQRT_2])
}

pub fn lgamma(x: f64) -> f64 {
    eval(Lgamma, &[x])
}

/// Of normal numbers between two others.
pub fn truncated(a: f64, b: f64) -> [f64; 2] {
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let inside = normal_cdf(-a) - normal_cdf(-b);
    let mean = (density(a) - density(b)) / inside;
    let square = 1.0 + (a * density(a) - b * density(b)) / inside;
    [mean, square - mean * mean]
}

pub fn weibull(k: f64) -> [f64; 2] {
    let moment = |p: f64| lgamma(1.0 + p / k).exp();
    [moment(1.0), moment(2.0) - moment(1.0).powi(2)]
}

/// `P(a, x)`: by its series, or by a continued fraction.
pub fn gamma_cdf(a: f64, x: f64) -> f64 {
    let front = (a * x.ln() - x - lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        while term > 1e-17 * sum {
            k += 1.0;
            term *= x / k;
            sum += term;
        }
        return front * sum;
    }
    // From the front, until it does not change any more (Lentz, 1976).
    let mut b = x + 1.0 - a;
    let (mut above, mut below) = (f64::INFINITY, 1.0 / b);
    let mut fraction = below;
    for k in 1..2000 {
        let k = f64::from(k);
        let c = k * (a - k);
        b += 2.0;
        below = 1.0 / (b + c * below);
        above = b + c / above;
        let change = above * below;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 - front * fraction
}

/// By Simpson's rule on 2,000 pieces, from the lower end of the support.
pub fn integrated(low: f64, x: f64, density: impl Fn(f64) -> f64) -> f64 {
    let n = 2000;
    let h = (x - low) / n as f64;
    let weight = |i: usize| match i {
        0 => 1.0,
        i if i == n => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let terms = (0..=n).map(|i| weight(i) * density(low + h * i as f64));
    terms.sum::<f64>() * h / 3.0
}
