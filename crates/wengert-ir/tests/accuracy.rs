//! Every function against an arbitrary-precision library, over its whole range.
mod oracle;

use oracle::{Oracle, Random, ulps};
use wengert_ir::elementary::Elementary::{self, *};
use wengert_ir::elementary::eval;

/// Points a function; `POINTS` in the environment overrides it.
fn points() -> usize {
    std::env::var("POINTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000)
}

/// The range of moderate arguments, from which a part of the points comes.
fn moderate(f: Elementary) -> (f64, f64) {
    match f {
        Exp | Expm1 | Sinh | Cosh => (-720.0, 720.0),
        Exp2 => (-1080.0, 1030.0),
        Sigmoid => (-750.0, 40.0),
        Log | Log2 | Log10 => (0.0, 10.0),
        Log1p => (-1.0, 10.0),
        Sin | Cos | Tan => (-1e5, 1e5),
        Asin | Acos | Atanh => (-1.0, 1.0),
        Tanh => (-20.0, 20.0),
        Erf => (-6.0, 6.0),
        Erfc => (-6.0, 28.0),
        NormalTail => (-0.5, 0.5),
        Asinh | Acosh | Cbrt => (-30.0, 30.0),
        Atan | Atan2 | Pow | Hypot => (-30.0, 30.0),
        ErfInv | Lgamma | Digamma | Trigamma | Polygamma => (0.0, 10.0),
    }
}

/// One point: of all sizes, moderate, or near 1 in size.
fn argument(f: Elementary, random: &mut Random, kind: usize) -> f64 {
    let (low, high) = moderate(f);
    match kind % 4 {
        0 => random.any(),
        1 => random.within(low, high),
        2 => random.within((-2.0f64).max(low), 2.0f64.min(high)),
        _ => {
            let size = 2f64.powf(random.within(-12.0, 12.0));
            size * if random.bits() & 1 == 0 { 1.0 } else { -1.0 }
        }
    }
}

fn arguments(f: Elementary, random: &mut Random, i: usize) -> Vec<f64> {
    if f == Pow {
        // A base, and an exponent that leads to a result of moderate logarithm.
        let x = argument(f, random, i / 4).abs();
        let y = if i.is_multiple_of(4) {
            random.any()
        } else {
            random.within(-750.0, 720.0) / x.ln()
        };
        return vec![x, if y.is_finite() { y } else { 1.0 }];
    }
    (0..f.arity())
        .map(|k| argument(f, random, if k == 0 { i } else { i / 4 }))
        .collect()
}

fn in_domain(f: Elementary, args: &[f64]) -> bool {
    let x = args[0];
    match f {
        Log | Log2 | Log10 => x > 0.0,
        Acosh => x >= 1.0,
        Atanh => x.abs() < 1.0,
        Log1p => x > -1.0,
        Asin | Acos => x.abs() <= 1.0,
        NormalTail => x != 0.0 && x.abs() < 0.5,
        Pow => x > 0.0 && x != 1.0,
        Atan2 => x != 0.0 && args[1] != 0.0,
        _ => true,
    }
}

/// The largest error in ulp, and where.
fn worst(f: Elementary, n: usize) -> (f64, Vec<f64>) {
    let mut oracle = Oracle::new();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut worst = (0.0, vec![]);
    for i in 0..n {
        let args = arguments(f, &mut random, i);
        if !in_domain(f, &args) {
            continue;
        }
        let exact = oracle.value(f, &args);
        let error = ulps(eval(f, &args), &exact);
        if error > worst.0 {
            worst = (error, args);
        }
    }
    worst
}

/// Prints the largest errors as a table, and fails if one is above 2 ulp.
fn report(rows: Vec<(Elementary, (f64, Vec<f64>))>) {
    println!("| function | ulp | at |\n|---|---|---|");
    let mut failed = vec![];
    for (f, (error, args)) in rows {
        println!("| {} | {error:.3} | {args:?} |", f.name());
        if error > 2.0 {
            failed.push(f.name());
        }
    }
    assert!(failed.is_empty(), "above 2 ulp: {failed:?}");
}

#[test]
fn errors_are_below_two_ulp() {
    let only = std::env::var("ONLY").ok();
    let unknown = [ErfInv, Lgamma, Digamma, Trigamma, Polygamma];
    let wanted =
        |f: &&Elementary| !unknown.contains(f) && only.as_ref().is_none_or(|only| only == f.name());
    let rows = std::thread::scope(|scope| {
        let start = |&f| (f, scope.spawn(move || worst(f, points())));
        let runs: Vec<_> = Elementary::ALL.iter().filter(wanted).map(start).collect();
        runs.into_iter()
            .map(|(f, run)| (f, run.join().expect("a result")))
            .collect()
    });
    report(rows);
}

/// Where the reduction cancels: next to multiples of `pi/2`, up to the largest floats.
#[test]
fn near_multiples_of_half_pi() {
    let mut oracle = Oracle::new();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut xs: Vec<f64> = (0..2000)
        .map(|i| {
            (random.within(1.0, 2.0) * 2f64.powi(i % 53)).floor() * std::f64::consts::FRAC_PI_2
        })
        .collect();
    // The float closest to a multiple of pi/2 (Kahan; Muller, Elementary Functions, 1997).
    xs.push(6_381_956_970_095_103.0 * 2f64.powi(797));
    let mut rows = vec![];
    for f in [Sin, Cos, Tan] {
        let mut worst = (0.0, vec![]);
        for &x in &xs {
            let error = ulps(eval(f, &[x]), &oracle.value(f, &[x]));
            if error > worst.0 {
                worst = (error, vec![x]);
            }
        }
        rows.push((f, worst));
    }
    report(rows);
}
