//! What is made of factors: least squares, pseudoinverses, powers, exponentials, special matrices, and methods that
//! only apply a matrix.

use wengert::Order;
use wengert::linalg::{Krylov, block_diag, expm, hankel, multi_dot, toeplitz};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, definite, elements, everywhere, function, near, random};

#[test]
fn least_squares_leave_what_is_orthogonal() {
    let f = function(|x| {
        let full = x[0].lstsq_svd(x[1], 1e-12);
        vec![
            x[0].lstsq(x[1]),
            full.x,
            full.residuals,
            full.rank,
            full.singular_values,
        ]
    });
    for (m, n) in [(1, 1), (3, 3), (6, 3), (3, 6), (20, 7), (7, 20), (40, 5)] {
        for columns in [None, Some(2)] {
            let mut rng = Rng::new(m as u64 * 7 + n as u64);
            let a = random(&mut rng, &[m, n]);
            let dims: Vec<usize> = [m].into_iter().chain(columns).collect();
            let b = random(&mut rng, &dims);
            let r = compiled(&f, &[a.clone(), b.clone()]);
            let what = format!("{m} by {n}, {columns:?}");
            near(&what, &r[0], &r[1], 1e-12);
            assert_eq!(elements(&r[3]), [m.min(n) as f64], "{what}");
            // Of a tall matrix what is left is orthogonal to its columns; of a wide one nothing is left, and the
            // solution is among the combinations of its rows.
            let back = function(move |x| {
                let (a, b, x) = (x[0], x[1], x[2]);
                let left = b - a.dot(x);
                let rows = a.t().dot(a.t().lstsq(x)) - x;
                vec![
                    if m >= n { a.t().dot(left) } else { left },
                    if m >= n { x * 0.0 } else { rows },
                ]
            });
            for x in compiled(&back, &[a, b, r[0].clone()]) {
                assert!(
                    elements(&x).iter().all(|x| x.abs() < 1e-11),
                    "{what}: {x:?}"
                );
            }
        }
    }
    // Of rank one: the shortest of the solutions.
    let (a, b) = ([[1.0, 1.0], [1.0, 1.0]], [1.0, 3.0]);
    let r = jit(|(a, b): (Var, Var)| {
        let full = a.lstsq_svd(b, 1e-12);
        (full.x, full.rank, full.residuals)
    });
    let (x, rank, left) = r.call((a, b)).unwrap();
    near("of rank one", &x, &Array::from([1.0, 1.0]), 1e-14);
    assert_eq!((elements(&rank)[0], elements(&left)[0].round()), (1.0, 2.0));
}

#[test]
fn derivatives_of_least_squares() {
    for (m, n) in [(3, 3), (5, 2), (2, 5)] {
        let mut rng = Rng::new(m as u64);
        let (a, b) = (random(&mut rng, &[m, n]), random(&mut rng, &[m, 2]));
        let f = |(a, b): (Var, Var)| a.lstsq(b);
        check_grads(f, (a.clone(), b.clone()), 2).unwrap();
        check_grads(|(a, b): (Var, Var)| a.lstsq_svd(b, 1e-12).x, (a, b), 1).unwrap();
    }
}

#[test]
fn pseudoinverses_ranks_and_norms() {
    let f = function(|x| {
        let a = x[0];
        let p = a.pinv();
        vec![
            a.dot(p).dot(a),
            p.dot(a).dot(p),
            p,
            a.matrix_rank(),
            a.svdvals(),
        ]
    });
    for dims in [[3, 3], [5, 2], [2, 5], [0, 3]] {
        let a = random(&mut Rng::new(dims[0] as u64), &dims);
        let r = compiled(&f, std::slice::from_ref(&a));
        near("a p a", &r[0], &a, 1e-12);
        near("p a p", &r[1], &r[2], 1e-12);
        assert_eq!(elements(&r[3]), [dims[0].min(dims[1]) as f64]);
    }
    let norms = jit(|a: Var| {
        let of = |order: Order| a.norm_ord(order, ..);
        (
            of(Order::P(2.0)),
            of(Order::P(-2.0)),
            of(Order::Nuclear),
            a.cond(),
        )
    });
    let (most, least, sum, cond) = norms.call([[3.0, 0.0], [0.0, -4.0]]).unwrap();
    let all: Vec<f64> = [most, least, sum, cond]
        .iter()
        .map(|x| elements(x)[0])
        .collect();
    assert_eq!(all, [4.0, 3.0, 7.0, 4.0 / 3.0]);
}

#[test]
fn exponentials_and_powers() {
    let f = function(|x| vec![expm(x[0]), expm(-x[0])]);
    for (n, size) in [(1, 1.0), (3, 0.01), (4, 3.0), (6, 20.0), (9, 5.0)] {
        let a = random(&mut Rng::new(n as u64), &[n, n]);
        let a = jit(move |a: Var| (a - a.t()) * size).call(&a).unwrap();
        // The exponential of an antisymmetric matrix is orthogonal.
        let r = compiled(&f, std::slice::from_ref(&a));
        let back = function(|x| vec![x[0].matmul(x[1]), x[0].t()]);
        let both = compiled(&back, &r);
        let unit = jit(move |_: ()| eye(n)).call(()).unwrap();
        near(&format!("{n}"), &both[0], &unit, 1e-12);
        near(&format!("{n}"), &both[1], &r[1], 1e-12);
    }
    let a = random(&mut Rng::new(5), &[3, 3]);
    check_grads(|a: Var| expm(a), a.clone(), 2).unwrap();
    check_grads(|a: Var| expm(a * 8.0) * 1e-3, a.clone(), 1).unwrap();
    // In a batch, each with its own number of squares.
    let batch = jit(|a: Var| expm(stack((a, a * 10.0, a * 100.0))))
        .call(&a)
        .unwrap();
    let one = jit(|a: Var| expm(a * 10.0)).call(&a).unwrap();
    near(
        "of a batch",
        &jit(|x: Var| x.at(1)).call(&batch).unwrap(),
        &one,
        1e-13,
    );
    let powers = jit(|a: Var| {
        (
            a.matrix_power(5),
            a.dot(a).dot(a).dot(a).dot(a),
            a.matrix_power(-1).dot(a),
            a.matrix_power(0),
        )
    });
    let (five, wanted, inverse, none) = powers.call(&a).unwrap();
    near("a power", &five, &wanted, 1e-13);
    near("the power -1", &inverse, &none, 1e-13);
}

#[test]
fn special_matrices() {
    let f =
        jit(|(c, r, a): (Var, Var, Var)| (toeplitz(c, r), hankel(c, r), block_diag(&[a, c, a])));
    let (t, h, b) = f
        .call(([1.0, 2.0, 3.0], [1.0, 5.0], [[7.0], [8.0]]))
        .unwrap();
    assert_eq!(elements(&t), [1.0, 5.0, 2.0, 1.0, 3.0, 2.0]);
    assert_eq!(elements(&h), [1.0, 2.0, 2.0, 3.0, 3.0, 5.0]);
    assert_eq!(b.shape(), [5, 5]);
    assert_eq!(
        elements(&b)[..10],
        [7.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0]
    );
    let f = jit(|(a, b, c): (Var, Var, Var)| (multi_dot(&[a, b, c]), a.dot(b).dot(c)));
    let mut rng = Rng::new(1);
    let (a, b, c) = (
        random(&mut rng, &[2, 30]),
        random(&mut rng, &[30, 3]),
        random(&mut rng, &[3]),
    );
    let (x, y) = f.call((a, b, c)).unwrap();
    near("a chain", &x, &y, 1e-13);
}

#[test]
fn methods_that_only_apply_a_matrix() {
    for n in [1, 5, 20] {
        let mut rng = Rng::new(n as u64);
        let (a, b) = (definite(&mut rng, &[n, n]), random(&mut rng, &[n]));
        let f = function(move |x| {
            let (a, b) = (x[0], x[1]);
            let tight = Krylov {
                rtol: 1e-14,
                ..Krylov::default()
            };
            let jacobi = a.diagonal();
            vec![
                tight.cg(move |x: Var| a.dot(x), b),
                tight.cg_with(move |x: Var| a.dot(x), move |x: Var| x / jacobi, b),
                tight.bicgstab(move |x: Var| a.dot(x), b),
                a.solve(b),
            ]
        });
        let r = compiled(&f, &[a, b]);
        for x in &r[..3] {
            near(&format!("{n}"), x, &r[3], 1e-9);
        }
    }
    let (a, b) = (
        definite(&mut Rng::new(3), &[3, 3]),
        random(&mut Rng::new(4), &[3]),
    );
    let tight = Krylov {
        rtol: 1e-15,
        ..Krylov::default()
    };
    check_grads(
        move |(a, b): (Var, Var)| tight.bicgstab(move |x: Var| a.dot(x), b),
        (a.clone(), b.clone()),
        1,
    )
    .unwrap();
    // Unknowns in a tree.
    let f = jit(move |(a, b): (Var, Var)| {
        let apply = move |(x, y): (Var, Var)| (2.0 * x + y.sum(), a.dot(y) + x);
        let (x, y) = tight.bicgstab(apply, (b.sum(), b));
        let (p, q) = apply((x, y));
        (p - b.sum(), q - b)
    });
    let (p, q) = f.call((a, b)).unwrap();
    assert!(
        elements(&p)
            .iter()
            .chain(&elements(&q))
            .all(|x| x.abs() < 1e-10)
    );
}

/// A matrix alone, in a batch, and by a library.
#[test]
fn large_matrices_in_batches() {
    let f = function(|x| {
        let a = x[0];
        let (u, s, vt) = a.svd();
        let (q, r) = a.qr();
        let (w, v) = a.eigh();
        let lu = a.lu_factor();
        vec![
            a.cholesky(),
            lu.factors,
            lu.order,
            q,
            r,
            w,
            v,
            u,
            s,
            vt,
            a.eigvalsh(),
            a.svdvals(),
            a.solve(a.at(0)),
        ]
    });
    for n in [33, 70] {
        let a = definite(&mut Rng::new(n as u64), &[n, n]);
        let alone = everywhere(&f, std::slice::from_ref(&a));
        let batched = function(move |x| {
            let all = stack((x[0], x[0] * 2.0));
            let (u, s, vt) = all.svd();
            vec![
                all.cholesky().at(0),
                u.at(0),
                s.at(0),
                vt.at(0),
                all.solve(all.at((.., 0)).expand_dims(-1)).at(0),
            ]
        });
        let r = compiled(&batched, &[a]);
        for (k, x) in r.iter().zip([0, 7, 8, 9]) {
            assert_eq!(elements(k), elements(&alone[x]), "result {x}");
        }
        near(
            "solve",
            &r[4].clone().reshape([n]).unwrap(),
            &alone[12],
            1e-13,
        );
    }
}
