//! Contractions.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::Cotangent;
use wengert_ir::ops::dot::dot;
use wengert_ir::order;
use wengert_ir::trace::Var;
use wengert_ir::transform::linearize;

use super::rules::{Random, check, count, f64s, i64s, run, trace, value};

#[test]
fn values() {
    let x = [
        f64s(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        f64s(&[3], &[1.0, 0.0, -1.0]),
    ];
    let of = |f: &dyn Fn(Var, Var) -> Var| value(|x| f(x[0], x[1]), &x);
    assert_eq!(of(&|m, v| m.dot(v)), f64s(&[2], &[-2.0, -2.0]));
    assert_eq!(of(&|m, v| v.dot(m.t())), f64s(&[2], &[-2.0, -2.0]));
    assert_eq!(of(&|_, v| v.dot(v)), Dense::scalar(2.0));
    assert_eq!(
        of(&|m, _| m.dot(m.t())),
        f64s(&[2, 2], &[14.0, 32.0, 32.0, 77.0])
    );
    assert_eq!(
        of(&|m, _| m.matmul(m.t())),
        f64s(&[2, 2], &[14.0, 32.0, 32.0, 77.0])
    );
    assert_eq!(
        of(&|_, v| v.outer(v)),
        f64s(&[3, 3], &[1.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0])
    );
    assert_eq!(
        of(&|m, _| m.tensordot(m, [(0, 0), (1, -1)])),
        Dense::scalar(91.0)
    );
    let whole = [i64s(&[2], &[3, 4])];
    assert_eq!(value(|x| x[0].dot(x[0]), &whole), Dense::scalar(25i64));
    let empty = [f64s(&[2, 0], &[])];
    assert_eq!(
        value(|x| x[0].dot(x[0].t()), &empty),
        f64s(&[2, 2], &[0.0; 4])
    );
}

#[test]
fn stacks_of_matrices() {
    let x = [count(&[2, 2, 3]), count(&[3, 2]), count(&[3, 1, 3, 1])];
    let each = |a: usize, b: &dyn Fn(Var) -> Var| value(|x| x[0].at(a).dot(b(x[1])), &x);
    let both = value(|x| x[0].matmul(x[1]), &x);
    assert_eq!(both.dims[..], [2, 2, 2]);
    assert_eq!(both.slice::<f64>()[4..], *each(1, &|b| b).slice::<f64>());
    let left = value(|x| x[1].matmul(x[0]), &x);
    assert_eq!(left.dims[..], [2, 3, 3]);
    let want = value(|x| x[1].dot(x[0].at(1)), &x);
    assert_eq!(left.slice::<f64>()[9..], *want.slice::<f64>());
    let many = value(|x| x[0].matmul(x[2]), &x);
    assert_eq!(many.dims[..], [3, 2, 2, 1]);
    let want = value(|x| x[0].at(1).dot(x[2].at(2).at(0)), &x);
    assert_eq!(many.slice::<f64>()[10..], *want.slice::<f64>());
    let column = value(|x| x[0].matmul(x[1].slice((.., 0..1)).squeeze()), &x);
    assert_eq!(column.dims[..], [2, 2]);
    let row = value(|x| x[1].slice((0..1, ..)).squeeze().matmul(x[0]), &x);
    assert_eq!(row.dims[..], [2, 3]);
    let want = value(|x| x[1].at(0).dot(x[0].at(1)), &x);
    assert_eq!(row.slice::<f64>()[3..], *want.slice::<f64>());
}

/// Products of vectors are summed as by `sum`; those of matrices are summed in order, from the first.
#[test]
fn order_of_terms() {
    let mut random = Random::new(5);
    for n in [63, 64, 100, 65_537] {
        let (a, b) = (random.array(&[n]), random.array(&[n]));
        let product = |i: usize| a.slice::<f64>()[i] * b.slice::<f64>()[i];
        let want = order::reduce(n, product, |x, y| x + y).unwrap();
        let got = value(|x| x[0].dot(x[1]), &[a.clone(), b.clone()]);
        assert_eq!(got, Dense::scalar(want));
    }
    let (a, b) = (random.array(&[8, 100]), random.array(&[100, 8]));
    let product = |i: usize| a.slice::<f64>()[i] * b.slice::<f64>()[8 * i];
    let want = (0..100).map(product).reduce(|x, y| x + y).unwrap();
    let got = value(|x| x[0].dot(x[1]), &[a.clone(), b.clone()]);
    assert_eq!(got.slice::<f64>()[0], want);
}

#[test]
fn rules() {
    type Pairs = &'static [(usize, usize)];
    let cases: &[(&[usize], &[usize], Pairs, Pairs)] = &[
        (&[3], &[3], &[], &[(0, 0)]),
        (&[2, 3], &[3, 2], &[], &[(1, 0)]),
        (&[2, 3], &[2, 4], &[], &[(0, 0)]),
        (&[2, 3], &[4, 3], &[], &[(1, 1)]),
        (&[2], &[3], &[], &[]),
        (&[], &[2, 2], &[], &[]),
        (&[2, 3, 4], &[4, 2, 3], &[], &[(2, 0), (1, 2)]),
        (&[2, 3, 4], &[4, 2, 3], &[], &[(1, 2), (0, 1), (2, 0)]),
        (&[2, 3, 4], &[3, 4, 2], &[(0, 2)], &[(2, 1)]),
        (&[2, 3, 4], &[3, 4, 2], &[(2, 1), (0, 2)], &[(1, 0)]),
        (&[2, 3, 2], &[2, 2, 3], &[(2, 0), (0, 1)], &[]),
        (&[2, 1, 2, 3], &[3, 2, 2, 1], &[(2, 1)], &[(3, 0)]),
        (&[2, 0], &[0, 3], &[], &[(1, 0)]),
        (&[0, 2], &[2, 1], &[], &[(1, 0)]),
    ];
    for (a, b, batch, contract) in cases {
        check(
            |r| vec![r.array(a), r.array(b)],
            |x| dot(x[0], x[1], batch, contract),
        );
    }
    // Both operands are the same value.
    check(|r| vec![r.array(&[3, 3])], |x| x[0].dot(x[0]));
    check(
        |r| vec![r.array(&[2, 2, 3]), r.array(&[3])],
        |x| x[0].matmul(x[1]),
    );
}

/// A product with a cotangent that a `select` has masked is zero where it is masked, for both
/// operands, and also in the derivative of the product.
#[test]
fn masked_cotangents() {
    let a = f64s(&[2, 2], &[1.0, f64::INFINITY, 2.0, 3.0]);
    let b = f64s(&[2], &[1.0, 1.0]);
    let keep = Dense::of(vec![2], vec![false, true]);
    let types = [a.ty(), b.ty(), keep.ty()];
    let func = trace(&types, |x| {
        let y = x[0].dot(x[1]);
        vec![x[2].select(y * y, 0.0).sum()]
    });
    let back = trace(&types, |x| {
        let (y, linear) = linearize(&func, x, &[true, true, false]);
        let ct = Cotangent::new(Var::full(&y[0].ty(), 1.0));
        let back = linear.pull(&[Some(ct)]);
        vec![back[0].unwrap().value, back[1].unwrap().value]
    });
    let args = [a, b, keep];
    let out = run(&back, &args);
    assert_eq!(out[0], f64s(&[2, 2], &[0.0, 0.0, 10.0, 10.0]));
    assert_eq!(out[1], f64s(&[2], &[20.0, 30.0]));
    let again = trace(&types, |x| {
        let (y, linear) = linearize(&back, x, &[true, true, false]);
        let ct = |y: &Var| Some(Cotangent::new(Var::full(&y.ty(), 1.0)));
        let back = linear.pull(&[ct(&y[0]), ct(&y[1])]);
        vec![back[0].unwrap().value, back[1].unwrap().value]
    });
    for x in run(&again, &args) {
        assert!(x.slice::<f64>().iter().all(|x| x.is_finite()), "{x:?}");
    }
    check(
        |r| {
            vec![
                r.array(&[3, 2]),
                r.array(&[2]),
                Dense::of(vec![3], vec![true, false, true]),
            ]
        },
        |x| x[2].select(x[0].dot(x[1]).square(), 0.0),
    );
}
