//! Orthogonal factors, eigenvalues and singular values.

use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, definite, elements, everywhere, function, near, random};

const SHAPES: [[usize; 2]; 14] = [
    [0, 0],
    [0, 3],
    [3, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 2],
    [2, 4],
    [5, 5],
    [9, 4],
    [4, 9],
    [13, 13],
    [27, 27],
    [40, 33],
];

fn identity(n: usize) -> Array {
    jit(move |_: ()| eye(n)).call(()).unwrap()
}

/// Matrices of special kinds: random, of rank one, zeros, with columns of very different sizes, very large, very small.
fn kinds(seed: u64, dims: [usize; 2]) -> Vec<(&'static str, Array)> {
    let mut rng = Rng::new(seed);
    let a = random(&mut rng, &dims);
    let times = |f: &dyn Fn(usize, usize) -> f64| {
        let each = elements(&a).into_iter().enumerate();
        let scaled = each.map(|(k, x)| x * f(k / dims[1].max(1), k % dims[1].max(1)));
        Array::new(dims, scaled.collect::<Vec<f64>>()).unwrap()
    };
    let one = |k: usize| f64::from(k as u32 + 1);
    let rank = (0..dims[0] * dims[1]).map(|k| one(k / dims[1]) * (one(k % dims[1]) - 2.5));
    vec![
        ("random", a.clone()),
        (
            "of rank one",
            Array::new(dims, rank.collect::<Vec<f64>>()).unwrap(),
        ),
        ("zeros", Array::zeros(dims, DType::F64)),
        (
            "ill-conditioned",
            times(&|_, j| 10f64.powf(-12.0 * j as f64 / dims[1] as f64)),
        ),
        ("large", times(&|_, _| 1e150)),
        ("small", times(&|_, _| 1e-150)),
    ]
}

#[test]
fn orthogonal_factors_multiply_to_the_matrix() {
    let f = function(|x| vec![x[0].qr().0, x[0].qr().1]);
    let back = function(|x| {
        let (q, r) = (x[0], x[1]);
        vec![q.matmul(r), q.t().matmul(q), r.triu(), r.diagonal()]
    });
    for dims in SHAPES {
        for (kind, a) in kinds(dims[0] as u64, dims) {
            let what = format!("{kind} {dims:?}");
            let qr = everywhere(&f, std::slice::from_ref(&a));
            let r = compiled(&back, &qr);
            near(&what, &r[0], &a, 1e-13);
            near(&what, &r[1], &identity(dims[0].min(dims[1])), 1e-13);
            assert_eq!(elements(&qr[1]), elements(&r[2]), "{what}");
            assert!(elements(&r[3]).iter().all(|&x| x >= 0.0), "{what}");
        }
    }
}

#[test]
fn eigenvectors_are_turned_into_multiples_of_themselves() {
    let f = function(|x| vec![x[0].eigh().0, x[0].eigh().1, x[0].eigvalsh()]);
    let back = function(|x| {
        let (w, v) = (x[0], x[1]);
        vec![(v * w).matmul(v.t()), v.t().matmul(v)]
    });
    for n in [0, 1, 2, 3, 4, 5, 8, 13, 27, 40] {
        for (kind, a) in kinds(n as u64 + 400, [n, n]) {
            let a = jit(|a: Var| a.tril() + a.tril_at(-1).t()).call(&a).unwrap();
            let what = format!("{kind} {n}");
            let own = everywhere(&f, std::slice::from_ref(&a));
            let r = compiled(&back, &own);
            near(&what, &r[0], &a, 1e-13);
            near(&what, &r[1], &identity(n), 1e-13);
            let w = elements(&own[0]);
            assert!(w.windows(2).all(|w| w[0] <= w[1]), "{what}: {w:?}");
            assert_eq!(w, elements(&own[2]), "{what}");
        }
    }
}

#[test]
fn singular_values_and_vectors_multiply_to_the_matrix() {
    let f = function(|x| {
        let (u, s, vt) = x[0].svd();
        vec![u, s, vt, x[0].svdvals()]
    });
    let back = function(|x| {
        let (u, s, vt) = (x[0], x[1], x[2]);
        vec![(u * s).matmul(vt), u.t().matmul(u), vt.matmul(vt.t())]
    });
    for dims in SHAPES {
        for (kind, a) in kinds(dims[0] as u64 + 77, dims) {
            let what = format!("{kind} {dims:?}");
            let own = everywhere(&f, std::slice::from_ref(&a));
            let r = compiled(&back, &own);
            near(&what, &r[0], &a, 1e-13);
            let unit = identity(dims[0].min(dims[1]));
            near(&what, &r[1], &unit, 1e-13);
            near(&what, &r[2], &unit, 1e-13);
            let s = elements(&own[1]);
            assert!(s.windows(2).all(|s| s[0] >= s[1]), "{what}: {s:?}");
            assert!(s.iter().all(|&s| s >= 0.0), "{what}: {s:?}");
            assert_eq!(s, elements(&own[3]), "{what}");
        }
    }
}

#[test]
fn what_is_not_finite_gives_nan_and_ends() {
    let f = jit(|a: Var| (a.qr(), a.eigh(), a.svd(), (a.solve(a.at(0)), a.cholesky())));
    for n in [1, 3, 6, 30] {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut a = definite(&mut Rng::new(n as u64), &[n, n]);
            a.set([n - 1, 0], bad).unwrap();
            let (_, (w, v), (u, s, vt), (_, l)) = f.call(&a).unwrap();
            for x in [w, v, u, s, vt, l] {
                assert!(elements(&x).iter().all(|x| x.is_nan()), "{bad} {n}: {x:?}");
            }
        }
    }
}

#[test]
fn derivatives_are_those_of_differences() {
    for dims in [[1, 1], [2, 2], [3, 3], [5, 3], [3, 5], [6, 6]] {
        let a = random(&mut Rng::new(dims[0] as u64 + 5), &dims);
        check_grads(|a: Var| a.qr(), a.clone(), 2).unwrap();
        check_grads(|a: Var| a.svdvals(), a.clone(), 2).unwrap();
        // The signs of the vectors cancel.
        let f = |a: Var| {
            let (u, s, vt) = a.svd();
            (u.matmul(vt), (u * s.square()).matmul(vt))
        };
        check_grads(f, a.clone(), 2).unwrap();
        check_grads(|a: Var| a.pinv(), a.clone(), 2).unwrap();
        if dims[0] == dims[1] {
            let both = |a: Var| (a + a.t()) * 0.5;
            check_grads(move |a: Var| both(a).eigvalsh(), a.clone(), 2).unwrap();
            let f = move |a: Var| {
                let (w, v) = both(a).eigh();
                (v * w.sin()).matmul(v.t())
            };
            check_grads(f, a, 2).unwrap();
        }
    }
}

/// At equal eigenvalues and singular values, against closed forms.
#[test]
fn derivatives_where_values_are_equal() {
    let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let pair = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]];
    // tr exp(A): the gradient is exp(A).
    let g = jit(grad(|a: Var| a.eigvalsh().exp().sum()));
    // ln det A: the gradient is the inverse.
    let log = jit(grad(|a: Var| a.eigh().0.ln().sum()));
    for (a, last) in [(unit, 1.0), (pair, 2.0f64)] {
        let diagonal = |x: f64, y: f64| Array::from([[x, 0.0, 0.0], [0.0, x, 0.0], [0.0, 0.0, y]]);
        near(
            "exp",
            &g.call(a).unwrap(),
            &diagonal(1f64.exp(), last.exp()),
            1e-14,
        );
        near(
            "log",
            &log.call(a).unwrap(),
            &diagonal(1.0, 1.0 / last),
            1e-14,
        );
    }
    // The projector on the space of the eigenvalue 1, which does not change with its basis: its derivative in the
    // direction of an element between the spaces is that element, divided by the gap.
    let projector = jit(|(a, da): (Var, Var)| {
        let of = |a: Var| {
            let (_, v) = a.eigh();
            let v = v.at((.., 0..2));
            v.matmul(v.t())
        };
        jvp(of, a, da).1
    });
    let da = [[0.3, 0.7, 0.5], [0.7, -0.2, 0.1], [0.5, 0.1, 0.4]];
    let wanted = Array::from([[0.0, 0.0, -0.5], [0.0, 0.0, -0.1], [-0.5, -0.1, 0.0]]);
    near(
        "projector",
        &projector.call((pair, da)).unwrap(),
        &wanted,
        1e-14,
    );
    // The nuclear norm at a multiple of the identity: the gradient is the identity, and its derivative is half of the
    // antisymmetric part, divided by the value.
    let nuclear = |a: Var| a.svd().1.sum();
    let slopes = jit(move |(a, da): (Var, Var)| jvp(grad(nuclear), a * 2.0, da));
    let turned = [[0.3, 0.7, 0.5], [0.1, -0.2, 0.1], [-0.5, 0.3, 0.4]];
    let (first, second) = slopes.call((unit, turned)).unwrap();
    near("nuclear norm", &first, &Array::from(unit), 1e-14);
    let wanted = Array::from([[0.0, 0.15, 0.25], [-0.15, 0.0, -0.05], [-0.25, 0.05, 0.0]]);
    near("its second derivative", &second, &wanted, 1e-13);
}
