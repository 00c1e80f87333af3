//! Derivatives of every row, over the whole range of floats, against arbitrary precision.

use wengert::prelude::*;
use wengert_check::accuracy::{NOT_WALKED, SLOPES_HEADS, Walked, Width, slopes, walked};
use wengert_ir::ops::elementwise::Elementwise;
use wengert_ir::ops::rows::{self, Derive};

fn find(title: &str) -> Walked {
    let found = walked().find(|w| w.title == title);
    *found.unwrap_or_else(|| panic!("{title} is not walked"))
}

/// Fails with the table if an error is above its limit. `part` of `of`, so that threads share the work.
fn walk(part: usize, of: usize) {
    println!("{SLOPES_HEADS}");
    let mut missed = vec![];
    for walked in walked().skip(part).step_by(of) {
        for width in [Width::F64, Width::F32] {
            let found = slopes(walked, width, 6).expect("it compiles");
            println!("{found}");
            if !found.holds() {
                missed.push(found.explain());
            }
        }
    }
    assert!(missed.is_empty(), "too large:\n{}", missed.join("\n"));
}

#[test]
fn are_right_to_the_last_digits_wherever_they_are_numbers_first_half() {
    walk(0, 2);
}

#[test]
fn are_right_to_the_last_digits_wherever_they_are_numbers_second_half() {
    walk(1, 2);
}

/// A derivative that overflows, cancels or is wrong on the way is seen.
#[test]
fn faults_are_found() {
    type Wrong = (&'static str, fn(&[Var]) -> Var);
    let wrong: [Wrong; 6] = [
        ("tanh", |x| 1.0 - 2.0 / ((2.0 * x[0]).exp() + 1.0)),
        ("sigmoid", |x| 1.0 - 1.0 / (1.0 + x[0].exp())),
        ("asinh", |x| (x[0] + (x[0] * x[0] + 1.0).sqrt()).ln()),
        ("i0", |x| x[0].i0e() * x[0].abs().exp()),
        ("hypot", |x| (x[0] * x[0] + x[1] * x[1]).sqrt()),
        // Right, but for a constant factor of 1 + 1e-12.
        ("sin", |x| x[0].sin() * (1.0 + 1e-12)),
    ];
    for (title, apply) in wrong {
        let found = slopes(&find(title).instead(apply), Width::F64, 6).expect("it compiles");
        assert!(!found.holds(), "{found}");
    }
}

/// Each row of floats that has a derivative is walked, or it is said why not.
#[test]
fn none_is_left_out() {
    for row in rows::TABLES.into_iter().flatten() {
        let none = matches!(row.derive, Derive::Zero);
        if none || !row.signature.elements.contains(DType::F64) {
            continue;
        }
        let mut names = walked().flat_map(|w| w.rows).copied();
        let known = names.any(|name| name == row.name);
        let excused = NOT_WALKED.iter().any(|(name, _)| *name == row.name);
        assert!(known != excused, "{}: {known} and {excused}", row.name);
    }
}

/// Where a special function is NaN since an argument is NaN or outside of its domain, so are its
/// derivatives, by every argument and of the second order too.
#[test]
fn what_is_nan_has_derivatives_that_are_nan() {
    let nan = f64::NAN;
    let cases: &[(&str, &[&[f64]])] = &[
        ("erf", &[&[nan]]),
        ("erfc", &[&[nan]]),
        ("erf_inv", &[&[nan], &[1.5], &[-2.0]]),
        ("normal_tail", &[&[nan], &[0.7], &[-0.7]]),
        ("lgamma", &[&[nan]]),
        ("digamma", &[&[nan]]),
        ("trigamma", &[&[nan]]),
        ("i0", &[&[nan]]),
        ("i1", &[&[nan]]),
        ("i0e", &[&[nan]]),
        ("i1e", &[&[nan]]),
        (
            "betaln",
            &[&[nan, 2.0], &[2.0, nan], &[-1.5, 2.0], &[2.0, -0.5]],
        ),
        (
            "gammainc",
            &[
                &[nan, 2.0],
                &[2.0, nan],
                &[-1.5, 2.0],
                &[2.0, -0.5],
                &[1.0, nan],
            ],
        ),
        (
            "gammaincc",
            &[
                &[nan, 2.0],
                &[2.0, nan],
                &[-1.5, 2.0],
                &[2.0, -0.5],
                &[1e-20, nan],
            ],
        ),
        (
            "betainc",
            &[
                &[nan, 2.0, 0.5],
                &[2.0, nan, 0.5],
                &[2.0, 2.0, nan],
                &[1.0, 2.0, -1.0],
                &[1.0, 2.0, 2.0],
                &[-1.0, 2.0, 0.5],
                &[1.0, -2.0, 0.5],
            ],
        ),
    ];
    for &(name, points) in cases {
        let op = rows::find(name).expect(name);
        let y = jit(move |x: Vec<Var>| op.apply(&x));
        for &point in points {
            let x: Vec<Array> = point.iter().map(|&x| Array::from(x)).collect();
            assert!(
                y.call(x.clone())
                    .expect(name)
                    .item::<f64>()
                    .expect(name)
                    .is_nan(),
                "{name}{point:?}"
            );
            for (order, slope) in slopes_of(op, point.len(), x).into_iter().enumerate() {
                let all = slope.iter().all(|d| d.is_nan());
                assert!(all, "{name}{point:?}: order {}, {slope:?}", order + 1);
            }
        }
    }
}

/// The first derivatives by each argument, and the second ones by it alone.
fn slopes_of(op: Elementwise, n: usize, x: Vec<Array>) -> [Vec<f64>; 2] {
    let first = jit(grad(move |x: Vec<Var>| op.apply(&x)));
    let numbers = |x: Vec<Array>| -> Vec<f64> {
        x.iter()
            .map(|x| x.item::<f64>().expect("a number"))
            .collect()
    };
    let by = |k: usize| {
        let slope = move |x: Vec<Var>| grad(move |x: Vec<Var>| op.apply(&x))(x)[k];
        numbers(jit(grad(slope)).call(x.clone()).expect("it compiles"))[k]
    };
    [
        numbers(first.call(x.clone()).expect("it compiles")),
        (0..n).map(by).collect(),
    ]
}

/// `-E1(1)` and its neighbours, however small the shape is.
#[test]
fn incomplete_gamma_functions_of_small_shapes() {
    let lower = jit(grad(|a: Var| a.gammainc(1.0)));
    let upper = jit(grad(|a: Var| a.gammaincc(1.0)));
    // By mpmath: -E1(1), and its second derivative at 0.
    let (first, second) = (-0.219_383_934_395_520_27, -0.448_950_081_554_989_4);
    for a in [1e-16, 1e-20, 1e-50, 1e-155, 1e-300] {
        for (f, sign) in [(&lower, 1.0), (&upper, -1.0)] {
            let got = f
                .call(a)
                .expect("it compiles")
                .item::<f64>()
                .expect("a number");
            assert!((got - sign * first).abs() < 1e-13, "{a:e}: {got}");
        }
    }
    let twice = jit(grad(grad(|a: Var| a.gammainc(1.0))));
    for a in [1e-16, 1e-50, 1e-300] {
        let got = twice
            .call(a)
            .expect("it compiles")
            .item::<f64>()
            .expect("a number");
        assert!((got - second).abs() < 1e-13, "{a:e}: {got}");
    }
}
