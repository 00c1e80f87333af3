//! Matrices whose eigenvalues and singular values are known, from closed forms or from arithmetic of 120 digits
//! (cyclic Jacobi rotations in Python's `decimal`); and matrices on which iterations have been known to fail.

use std::f64::consts::PI;

use wengert::prelude::*;
use wengert_check::Rng;

use super::{compiled, elements, everywhere, function, near, random};

fn matrix(n: usize, element: impl Fn(f64, f64) -> f64) -> Array {
    let all = (0..n * n).map(|k| element((k / n) as f64, (k % n) as f64));
    Array::new([n, n], all.collect::<Vec<f64>>()).unwrap()
}

/// The binomial coefficient of whole numbers.
fn choose(n: f64, k: f64) -> f64 {
    (1..=k as u32).fold(1.0, |c, i| c * (n - k + f64::from(i)) / f64::from(i))
}

fn sorted(mut x: Vec<f64>) -> Vec<f64> {
    x.sort_by(f64::total_cmp);
    x
}

/// Eigenvalues by both methods, and what the vectors leave of the matrix, to a few roundings of the largest.
fn eigenvalues_are(what: &str, a: &Array, wanted: &[f64]) {
    let f = function(|x| {
        let (w, v) = x[0].eigh();
        let n = w.shape()[0];
        vec![
            x[0].eigvalsh(),
            w,
            (v * w).matmul(v.t()),
            v.t().matmul(v) - eye(n),
        ]
    });
    let r = compiled(&f, std::slice::from_ref(a));
    let wanted = Array::new([wanted.len()], wanted.to_vec()).unwrap();
    near(what, &r[0], &wanted, 4e-15);
    near(what, &r[1], &wanted, 4e-15);
    near(what, &r[2], a, 2e-14);
    assert!(elements(&r[3]).iter().all(|x| x.abs() < 2e-14), "{what}");
}

/// The same of singular values.
fn singular_values_are(what: &str, a: &Array, wanted: &[f64]) {
    let f = function(|x| {
        let (u, s, vt) = x[0].svd();
        let n = s.shape()[0];
        let units = [u.t().matmul(u), vt.matmul(vt.t())].map(|x| x - eye(n));
        vec![x[0].svdvals(), s, (u * s).matmul(vt), units[0], units[1]]
    });
    let r = compiled(&f, std::slice::from_ref(a));
    let wanted = Array::new([wanted.len()], wanted.to_vec()).unwrap();
    near(what, &r[0], &wanted, 4e-15);
    near(what, &r[1], &wanted, 4e-15);
    near(what, &r[2], a, 2e-14);
    for unit in &r[3..] {
        assert!(elements(unit).iter().all(|x| x.abs() < 2e-14), "{what}");
    }
}

#[test]
fn wilkinsons_pairs_of_close_eigenvalues() {
    let w = matrix(21, |i, j| {
        let beside = if (i - j).abs() == 1.0 { 1.0 } else { 0.0 };
        if i == j { (10.0 - i).abs() } else { beside }
    });
    let wanted = [
        -1.1254415221199843,
        0.25380581709667815,
        0.9475343675292933,
        1.7893213526950813,
        2.130_209_219_362_506,
        2.961058884185727,
        3.0430992925788236,
        3.996048201383625,
        4.004_354_023_440_857,
        4.999782477742902,
        5.000244425001913,
        6.000217522257098,
        6.000234031584167,
        7.003951798616375,
        7.003952209528675,
        8.038941115814273,
        8.038941122829023,
        9.210678647304919,
        9.210678647361332,
        10.746194182903322,
        10.746194182903393,
    ];
    eigenvalues_are("Wilkinson's matrix", &w, &wanted);
}

#[test]
fn spectra_in_closed_form() {
    for n in [2, 7, 12, 31, 40] {
        let count = n as f64;
        // The second difference.
        let second = matrix(n, |i, j| match (i - j).abs() {
            0.0 => 2.0,
            1.0 => -1.0,
            _ => 0.0,
        });
        let angle = |k: usize| (k + 1) as f64 * PI / (count + 1.0);
        let wanted: Vec<f64> = (0..n).map(|k| 2.0 - 2.0 * angle(k).cos()).collect();
        eigenvalues_are("the second difference", &second, &wanted);
        let largest: Vec<f64> = wanted.iter().rev().copied().collect();
        singular_values_are("the second difference", &second, &largest);
        // The inverse of one with another end.
        let least = matrix(n, |i, j| i.min(j) + 1.0);
        let angle = |k: usize| (2 * k + 1) as f64 * PI / (2.0 * (2.0 * count + 1.0));
        let wanted = (0..n).map(|k| 0.25 / angle(k).sin().powi(2)).collect();
        eigenvalues_are("the lesser of two", &least, &sorted(wanted));
        // Clement's matrix in its symmetric form, with whole numbers.
        let clement = matrix(n, |i, j| {
            let k = i.max(j);
            if (i - j).abs() == 1.0 {
                (k * (count - k)).sqrt()
            } else {
                0.0
            }
        });
        let wanted: Vec<f64> = (0..n).map(|k| 2.0 * k as f64 - (count - 1.0)).collect();
        eigenvalues_are("Clement's matrix", &clement, &wanted);
    }
}

#[test]
fn rossers_matrix() {
    let a: [[i32; 8]; 8] = [
        [611, 196, -192, 407, -8, -52, -49, 29],
        [196, 899, 113, -192, -71, -43, -8, -44],
        [-192, 113, 899, 196, 61, 49, 8, 52],
        [407, -192, 196, 611, 8, 44, 59, -23],
        [-8, -71, 61, 8, 411, -599, 208, 208],
        [-52, -43, 49, 44, -599, 411, 208, 208],
        [-49, -8, 8, 59, 208, 208, 99, -911],
        [29, -44, 52, -23, 208, 208, -911, 99],
    ];
    let a = matrix(8, |i, j| a[i as usize][j as usize].into());
    let (root, other) = (10405f64.sqrt() * 10.0, 26f64.sqrt() * 100.0);
    let all = [
        -root,
        0.0,
        510.0 - other,
        1000.0,
        1000.0,
        510.0 + other,
        1020.0,
        root,
    ];
    eigenvalues_are("Rosser's matrix", &a, &all);
    let sizes: Vec<f64> = sorted(all.iter().map(|x| x.abs()).collect());
    let largest: Vec<f64> = sizes.into_iter().rev().collect();
    singular_values_are("Rosser's matrix", &a, &largest);
}

#[test]
fn ill_conditioned_matrices() {
    let hilbert = [
        1.1115389663724424e-10,
        1.7988737458175767e-08,
        1.2943320928718114e-06,
        5.436943369749942e-05,
        0.0014676881177418672,
        0.02621284357811905,
        0.2981252113169307,
        1.6959389969219494,
    ];
    eigenvalues_are(
        "Hilbert's matrix",
        &matrix(8, |i, j| 1.0 / (i + j + 1.0)),
        &hilbert,
    );
    let pascal = [
        5.864293463646364e-05,
        0.002_056_499_344_492_382,
        0.03039470528307704,
        0.237_311_556_355_022_9,
        1.0,
        4.213869797828049,
        32.90046706117507,
        486.2632233159481,
        17052.35261842113,
    ];
    eigenvalues_are(
        "Pascal's matrix",
        &matrix(9, |i, j| choose(i + j, i)),
        &pascal,
    );
    let frank = [
        28.968235113760883,
        10.628386243917031,
        6.208_667_405_929_447,
        4.30280948519052,
        3.2399273019669557,
        2.42461487603969,
        1.6386899127693133,
        0.869_395_750_631_625_6,
        1.0863450687771266e-05,
    ];
    let a = matrix(9, |i, j| if j + 1.0 < i { 0.0 } else { 9.0 - i.max(j) });
    singular_values_are("Frank's matrix", &a, &frank);
    let kahan = [
        2.888681199548039,
        1.0437228492586426,
        0.608_141_179_816_613_6,
        0.35871982965556765,
        0.21163165728367472,
        0.12424593372408574,
        0.07222826587365006,
        0.04120909997079987,
        0.02253441331257772,
        8.96091327153016e-05,
    ];
    let a = matrix(10, |i, j| {
        let right = if j > i { -0.8 } else { 0.0 };
        0.6f64.powf(i) * if i == j { 1.0 } else { right }
    });
    singular_values_are("Kahan's matrix", &a, &kahan);
}

/// Matrices on which iterations may stall: equal values, zeros in places where a sweep divides, entries of many sizes
/// in either order, and numbers whose squares are no normal numbers.
#[test]
fn matrices_that_stall_iterations() {
    let n = 11;
    let mut kinds: Vec<(&str, Array)> = vec![
        ("the identity", matrix(n, |i, j| f64::from(i == j))),
        ("ones", matrix(n, |_, _| 1.0)),
        (
            "two equal values",
            matrix(n, |i, j| {
                if i == j {
                    1.0 + f64::from(i > 5.0)
                } else {
                    0.0
                }
            }),
        ),
        (
            "zeros in the middle",
            matrix(n, |i, j| {
                if i == 5.0 || j == 5.0 {
                    0.0
                } else {
                    (i * 3.0 + j * 3.0 + i * j).sin()
                }
            }),
        ),
        (
            "a reflected diagonal",
            matrix(n, |i, j| f64::from(i + j == n as f64 - 1.0)),
        ),
        (
            "a cycle",
            matrix(n, |i, j| f64::from((j - i).rem_euclid(n as f64) == 1.0)),
        ),
        ("a chain", matrix(n, |i, j| f64::from(j - i == 1.0))),
    ];
    let noise = random(&mut Rng::new(9), &[n, n]);
    let noise = elements(&noise);
    let of = |f: &dyn Fn(f64, f64) -> f64| {
        matrix(n, |i, j| {
            let (low, high) = (i.min(j), i.max(j));
            noise[high as usize * n + low as usize] * f(i, j)
        })
    };
    kinds.push(("falling sizes", of(&|i, j| 10f64.powf(-1.5 * (i + j)))));
    kinds.push(("rising sizes", of(&|i, j| 10f64.powf(1.5 * (i + j) - 33.0))));
    kinds.push(("sizes to 1e-300", of(&|i, j| 10f64.powf(-14.0 * (i + j)))));
    kinds.push(("tiny", of(&|_, _| 1e-300)));
    kinds.push(("subnormal", of(&|_, _| 1e-310)));
    kinds.push(("huge", of(&|_, _| 1e300)));
    kinds.push((
        "of rank two",
        matrix(n, |i, j| (i + 1.0) * (j + 1.0) + (i * i) * (j * j) * 0.01),
    ));
    let f = function(|x| {
        let (w, v) = x[0].eigh();
        let (u, s, vt) = x[0].svd();
        vec![w, v, u, s, vt]
    });
    // Sizes are divided by the largest, so that products neither vanish nor overflow.
    let back = function(|x| {
        let [w, v, u, s, vt, a] = x else {
            unreachable!("six arrays");
        };
        let (n, size) = (w.shape()[0], a.abs().amax());
        let symmetric = a.tril() + a.tril_at(-1).t();
        vec![
            (*v * (*w / size)).matmul(v.t()) - symmetric / size,
            (*u * (*s / size)).matmul(*vt) - *a / size,
            v.t().matmul(*v) - eye(n),
            u.t().matmul(*u) - eye(n),
            vt.matmul(vt.t()) - eye(n),
        ]
    });
    for (kind, a) in kinds {
        let mut all = everywhere(&f, std::slice::from_ref(&a));
        all.push(a);
        for (k, x) in compiled(&back, &all).iter().enumerate() {
            let off = elements(x).into_iter().map(f64::abs).fold(0.0, f64::max);
            // A subnormal number has fewer digits.
            let limit = if kind == "subnormal" { 1e-12 } else { 2e-14 };
            assert!(off < limit, "{kind}, result {k}: off by {off:e}");
        }
    }
}
