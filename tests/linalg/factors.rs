//! Cholesky and LU factors, and the systems that they solve.

use wengert::linalg::Triangular;
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, definite, elements, everywhere, function, near, random};

const SIZES: [usize; 10] = [0, 1, 2, 3, 4, 5, 8, 13, 27, 40];

#[test]
fn cholesky_factors_multiply_to_the_matrix() {
    let f = function(|x| vec![x[0].cholesky()]);
    let back = function(|x| vec![x[0].matmul(x[0].t()), x[0].tril()]);
    for n in SIZES {
        let a = definite(&mut Rng::new(n as u64), &[n, n]);
        let l = everywhere(&f, std::slice::from_ref(&a));
        let results = compiled(&back, &l);
        near(&format!("{n}"), &results[0], &a, 1e-14);
        assert_eq!(elements(&l[0]), elements(&results[1]));
    }
}

#[test]
fn what_is_above_the_diagonal_is_not_read_by_cholesky() {
    let f = jit(|a: Var| a.cholesky());
    let whole = f.call([[4.0, 2.0], [2.0, 5.0]]).unwrap();
    let half = f.call([[4.0, f64::NAN], [2.0, 5.0]]).unwrap();
    assert_eq!(elements(&whole), elements(&half));
    for bad in [
        [[1.0, 0.0], [2.0, 1.0]],
        [[0.0, 0.0], [0.0, 1.0]],
        [[f64::NAN, 0.0], [0.0, 1.0]],
    ] {
        assert!(elements(&f.call(bad).unwrap()).iter().all(|x| x.is_nan()));
    }
}

#[test]
fn lu_factors_multiply_to_the_matrix() {
    for (m, n) in SIZES
        .iter()
        .map(|&n| (n, n))
        .chain([(3, 5), (5, 3), (20, 7), (7, 20)])
    {
        let k = m.min(n);
        let f = function(move |x| {
            let lu = x[0].lu_factor();
            vec![lu.factors, lu.order, lu.sign]
        });
        let back = function(move |x| {
            let l = x[1].at((.., 0..k)).tril_at(-1) + eye([m, k]);
            let u = x[1].at(0..k).triu();
            vec![l.matmul(u), x[0].at(x[2].to(DType::I64)), l.abs().flatten()]
        });
        let a = random(&mut Rng::new(n as u64), &[m, n]);
        let factors = everywhere(&f, std::slice::from_ref(&a));
        let results = compiled(&back, &[&[a], &factors[..]].concat());
        near(&format!("{m} by {n}"), &results[0], &results[1], 1e-14);
        assert!(elements(&results[2]).iter().all(|&x| x <= 1.0));
    }
}

#[test]
fn solutions_solve_their_systems() {
    let f = function(|x| {
        let (a, b) = (x[0], x[1]);
        let lu = a.lu_factor();
        vec![a.solve(b), lu.solve(b), lu.solve_transposed(b)]
    });
    let back = function(|x| vec![x[0].dot(x[1]), x[0].t().dot(x[2])]);
    for n in SIZES {
        for columns in [None, Some(1), Some(3), Some(9)] {
            let mut rng = Rng::new(n as u64 + 50);
            let a = random(&mut rng, &[n, n]);
            let dims: Vec<usize> = [n].into_iter().chain(columns).collect();
            let b = random(&mut rng, &dims);
            let x = everywhere(&f, &[a.clone(), b.clone()]);
            assert_eq!(elements(&x[0]), elements(&x[1]));
            let r = compiled(&back, &[a, x[0].clone(), x[2].clone()]);
            near(&format!("{n} {columns:?}"), &r[0], &b, 1e-11);
            near(&format!("{n} {columns:?} transposed"), &r[1], &b, 1e-11);
        }
    }
}

#[test]
fn triangular_systems_of_every_form() {
    for n in [0, 1, 3, 5, 17] {
        for form in 0..8 {
            let form = Triangular {
                lower: form & 1 != 0,
                transposed: form & 2 != 0,
                unit: form & 4 != 0,
            };
            let f = function(move |x| vec![x[0].solve_triangular(x[1], form)]);
            let back = function(move |x| {
                let a = x[0];
                let part = match (form.unit, form.lower) {
                    (false, true) => a.tril(),
                    (false, false) => a.triu(),
                    (true, true) => a.tril_at(-1) + eye(n),
                    (true, false) => a.triu_at(1) + eye(n),
                };
                let part = if form.transposed { part.t() } else { part };
                vec![part.dot(x[1])]
            });
            let mut rng = Rng::new(n as u64 + 90);
            let (a, b) = (definite(&mut rng, &[n, n]), random(&mut rng, &[n, 2]));
            let x = everywhere(&f, &[a.clone(), b.clone()]);
            let r = compiled(&back, &[a.clone(), x[0].clone()]);
            near(&format!("{n} {form:?}"), &r[0], &b, 1e-10);
            if n == 3 {
                check_grads(
                    move |(a, b): (Var, Var)| a.solve_triangular(b, form),
                    (a, b),
                    2,
                )
                .unwrap();
            }
        }
    }
}

#[test]
fn determinants_and_inverses() {
    let f = function(|x| {
        let (sign, log) = x[0].slogdet();
        vec![x[0].inv(), sign, log]
    });
    let back = function(|x| vec![x[0].det(), x[2] * x[3].exp(), x[0].dot(x[1])]);
    for n in SIZES {
        let a = random(&mut Rng::new(n as u64 + 7), &[n, n]);
        let own = everywhere(&f, std::slice::from_ref(&a));
        let r = compiled(&back, &[&[a], &own[..]].concat());
        near(&format!("det {n}"), &r[0], &r[1], 1e-12);
        let unit = jit(move |_: ()| eye(n)).call(()).unwrap();
        near(&format!("inv {n}"), &r[2], &unit, 1e-11);
    }
    let singular = jit(|a: Var| (a.det(), a.slogdet()));
    let (det, (sign, log)) = singular.call([[1.0, 2.0], [2.0, 4.0]]).unwrap();
    assert_eq!(elements(&det), [0.0]);
    assert_eq!(
        (elements(&sign)[0], elements(&log)[0]),
        (0.0, f64::NEG_INFINITY)
    );
}

#[test]
fn derivatives_are_those_of_differences() {
    for n in [1, 2, 3, 5] {
        let mut rng = Rng::new(n as u64 + 33);
        let (a, b) = (random(&mut rng, &[n, n]), random(&mut rng, &[n, 2]));
        let s = definite(&mut rng, &[n, n]);
        let whole = move |x: Var| x + eye(n) * 2.0;
        check_grads(move |a: Var| ((a + a.t()) * 0.5).cholesky(), s.clone(), 2).unwrap();
        check_grads(
            move |(a, b): (Var, Var)| whole(a).solve(b),
            (a.clone(), b.clone()),
            2,
        )
        .unwrap();
        check_grads(move |a: Var| whole(a).inv(), a.clone(), 2).unwrap();
        check_grads(move |a: Var| whole(a).det(), a.clone(), 2).unwrap();
        check_grads(move |a: Var| whole(a).slogdet().1, a.clone(), 2).unwrap();
        check_grads(move |a: Var| whole(a).lu_factor().factors, a.clone(), 2).unwrap();
        let f = move |(a, b): (Var, Var)| ((a + a.t()) * 0.5).cho_factor().solve(b);
        check_grads(f, (s, b), 2).unwrap();
    }
    for (m, n) in [(5, 3), (3, 5)] {
        let a = random(&mut Rng::new(3), &[m, n]);
        check_grads(
            |a: Var| (a * 0.2 + eye(a.shape()) * 3.0).lu_factor().factors,
            a,
            2,
        )
        .unwrap();
    }
}
