//! Generated integrals: their statuses are true to the facts.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::quad::GaussKronrod;

const INF: f64 = f64::INFINITY;

fn number(x: &Array) -> f64 {
    x.item::<f64>().unwrap()
}

/// Numbers spread evenly, by a congruence.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// 120 integrals of eight families, with random parameters and ranges, also reversed, empty, infinite and NaN: what is
/// called converged is, and nothing takes more than its limit.
#[test]
fn generated_integrals_are_what_their_status_says() {
    // An integrand with a parameter, its antiderivative, and the range of its limits.
    type Family = (fn(Var, Var) -> Var, fn(f64, f64) -> f64, f64, f64, bool);
    let families: &[Family] = &[
        (
            |p, x| (p * x).sin() + x.powi(3),
            |p, x| -(p * x).cos() / p + x.powi(4) / 4.0,
            -3.0,
            3.0,
            false,
        ),
        (
            |p, x| (60.0 * p * x).cos(),
            |p, x| (60.0 * p * x).sin() / (60.0 * p),
            -2.0,
            2.0,
            false,
        ),
        (
            |p, x| (x - p).abs(),
            |p, x| 0.5 * (x - p) * (x - p).abs(),
            -3.0,
            3.0,
            false,
        ),
        (
            |p, x| p * (x / p).floor(),
            |p, x| {
                let n = (x / p).floor();
                p * p * n * (n - 1.0) / 2.0 + p * n * (x - n * p)
            },
            0.0,
            3.0,
            false,
        ),
        (
            |p, x| p * x.powf(p - 1.0),
            |p, x| x.powf(p),
            0.0,
            2.0,
            false,
        ),
        (
            |p, x| 1.0 / (p * p + x * x),
            |p, x| (x / p).atan() / p,
            -5.0,
            5.0,
            true,
        ),
        (
            |p, x| (-p * x.abs()).exp(),
            |p, x| x.signum() * (1.0 - (-p * x.abs()).exp()) / p,
            -4.0,
            4.0,
            true,
        ),
        (
            |p, x| x.gt(p).select(f64::NAN, x),
            |p, x| if x > p { f64::NAN } else { x * x / 2.0 },
            -1.0,
            3.0,
            false,
        ),
    ];
    let mut numbers = Numbers(7);
    let mut converged = 0;
    for (k, &(f, antiderivative, low, high, line)) in families.iter().enumerate() {
        let rule = GaussKronrod::new().max_intervals(40);
        let one = move |(p, a, b): (Var, Var, Var)| rule.integrate(move |x: Var| f(p, x), a, b);
        let (mut ps, mut starts, mut ends) = (vec![], vec![], vec![]);
        for i in 0..15 {
            let mut end = || low + (high - low) * numbers.next();
            let (a, b) = (end(), end());
            ps.push(0.3 + numbers.next());
            starts.push(if i == 3 { low } else { a });
            ends.push(match i {
                0 => a,
                1 => f64::NAN,
                2 if line => f64::INFINITY,
                4 if line => f64::NEG_INFINITY,
                5 => low,
                _ => b,
            });
        }
        let (alone, all) = (jit(one), jit(vmap(one)));
        let found = all
            .call((ps.clone(), starts.clone(), ends.clone()))
            .unwrap();
        let (values, errors) = (
            found.value.to_vec::<f64>().unwrap(),
            found.error.to_vec::<f64>().unwrap(),
        );
        let (counts, statuses) = (
            found.evaluations.to_vec::<i64>().unwrap(),
            found.statuses().unwrap(),
        );
        for i in 0..15 {
            let exact = match starts[i] == ends[i] {
                true => 0.0,
                false => antiderivative(ps[i], ends[i]) - antiderivative(ps[i], starts[i]),
            };
            let (value, error, status) = (values[i], errors[i], statuses[i]);
            let said = format!("family {k}, {i}: {status:?} {value} {exact} ± {error}");
            assert!(counts[i] <= 21 * 79, "{said}");
            match status {
                Status::ErrorConverged => {
                    converged += 1;
                    assert!(error <= 1e-12f64.max(1e-10 * value.abs()), "{said}");
                    // No node sees a kink between the outermost one and an end of an interval.
                    let kink = (ps[i] - starts[i]) / (ends[i] - starts[i]);
                    let part = |level: i32| (kink * 2f64.powi(level) + 0.5).rem_euclid(1.0) - 0.5;
                    if k == 2 && (0..8).any(|level| part(level).abs() < 0.005) {
                        continue;
                    }
                    // The antiderivative itself is rounded.
                    assert!((value - exact).abs() <= 10.0 * error + 1e-12, "{said}");
                }
                Status::NotFinite => assert!(exact.is_nan() && error == INF, "{said}"),
                Status::StepLimit | Status::Stalled => {
                    assert!((value - exact).abs() <= 10.0 * error, "{said}");
                }
                _ => panic!("{said}"),
            }
            if i % 4 == 1 {
                let found = alone.call((ps[i], starts[i], ends[i])).unwrap();
                assert_eq!(number(&found.value).to_bits(), value.to_bits(), "{said}");
                assert_eq!(number(&found.error).to_bits(), error.to_bits(), "{said}");
            }
        }
    }
    assert!(converged >= 75, "{converged}");
}
