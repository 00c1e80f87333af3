//! Extremes, sorting and searching.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::sort::sort;
use wengert_ir::trace::Var;

use super::rules::{Random, check, f64s, i64s, run, trace, value};

const NAN: f64 = f64::NAN;

fn of(f: impl Fn(Var) -> Var, x: &Dense) -> Dense {
    value(|v| f(v[0]), std::slice::from_ref(x))
}

fn bits(x: &Dense) -> Vec<u64> {
    x.slice::<f64>().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn places_of_extremes() {
    let x = f64s(&[2, 4], &[3.0, -1.0, 3.0, 2.0, 0.0, NAN, 7.0, NAN]);
    assert_eq!(of(|x| x.argmax(), &x), Dense::scalar(5i64));
    assert_eq!(of(|x| x.argmin(), &x), Dense::scalar(5i64));
    assert_eq!(of(|x| x.argmax_axis(1), &x), i64s(&[2], &[0, 1]));
    assert_eq!(of(|x| x.argmin_axis(-1), &x), i64s(&[2], &[1, 1]));
    assert_eq!(of(|x| x.argmax_axis(0), &x), i64s(&[4], &[0, 1, 1, 1]));
    let zeros = f64s(&[3], &[-0.0, 0.0, -0.0]);
    assert_eq!(of(|x| x.argmax(), &zeros), Dense::scalar(0i64));
    assert_eq!(of(|x| x.argmin(), &zeros), Dense::scalar(0i64));
    let b = Dense::of(vec![3], vec![false, true, true]);
    assert_eq!(of(|x| x.argmax(), &b), Dense::scalar(1i64));
    let u = Dense::of(vec![2], vec![7u64, u64::MAX]);
    assert_eq!(of(|x| x.argmax(), &u), Dense::scalar(1i64));
    assert_eq!(of(|x| x.argmax(), &Dense::scalar(7.0)), Dense::scalar(0i64));
    let none = f64s(&[0, 2], &[]);
    assert_eq!(of(|x| x.argmax_axis(1), &none), i64s(&[0], &[]));
}

#[test]
fn sorted() {
    let x = f64s(&[2, 3], &[3.0, NAN, -1.0, 0.5, 0.5, -2.0]);
    let up = of(|x| x.sort(1), &x);
    assert_eq!(
        bits(&up),
        bits(&f64s(&[2, 3], &[-1.0, 3.0, NAN, -2.0, 0.5, 0.5]))
    );
    let down = of(|x| x.sort_descending(1), &x);
    assert_eq!(
        bits(&down),
        bits(&f64s(&[2, 3], &[NAN, 3.0, -1.0, 0.5, 0.5, -2.0]))
    );
    let across = of(|x| x.sort(0), &x);
    assert_eq!(
        bits(&across),
        bits(&f64s(&[2, 3], &[0.5, 0.5, -2.0, 3.0, NAN, -1.0]))
    );
    assert_eq!(of(|x| x.argsort(1), &x), i64s(&[2, 3], &[2, 0, 1, 2, 0, 1]));
    assert_eq!(
        of(|x| x.argsort_descending(1), &x),
        i64s(&[2, 3], &[1, 0, 2, 0, 1, 2])
    );
    // Zeros of both signs are equal and keep their order.
    let zeros = f64s(&[3], &[0.0, -0.0, 0.0]);
    assert_eq!(bits(&of(|x| x.sort(0), &zeros)), bits(&zeros));
    assert_eq!(
        of(|x| x.argsort_descending(0), &zeros),
        i64s(&[3], &[0, 1, 2])
    );
    let whole = i64s(&[4], &[3, i64::MIN, i64::MAX, 3]);
    assert_eq!(
        of(|x| x.sort(0), &whole),
        i64s(&[4], &[i64::MIN, 3, 3, i64::MAX])
    );
    let b = Dense::of(vec![3], vec![true, false, true]);
    assert_eq!(of(|x| x.argsort(0), &b), i64s(&[3], &[1, 0, 2]));
    assert_eq!(of(|x| x.sort(0), &f64s(&[0], &[])), f64s(&[0], &[]));
    assert_eq!(of(|x| x.sort(1), &f64s(&[2, 0], &[])), f64s(&[2, 0], &[]));
}

#[test]
fn several_arrays_by_one() {
    let x = [
        f64s(&[4], &[2.0, 1.0, 2.0, 0.0]),
        i64s(&[4], &[10, 20, 30, 40]),
    ];
    let func = trace(&[x[0].ty(), x[1].ty()], |x| x[0].sort_with(&x[1..], 0));
    let out = run(&func, &x);
    assert_eq!(out[0], f64s(&[4], &[0.0, 1.0, 2.0, 2.0]));
    assert_eq!(out[1], i64s(&[4], &[40, 20, 10, 30]));
}

#[test]
fn largest() {
    let x = f64s(&[2, 4], &[3.0, -1.0, 3.0, 5.0, 0.0, NAN, 7.0, 1.0]);
    let func = trace(&[x.ty()], |x| {
        let (values, places) = x[0].top_k(2);
        vec![values, places, x[0].top_k(0).0, x[0].top_k(4).1]
    });
    let out = run(&func, &[x]);
    assert_eq!(bits(&out[0]), bits(&f64s(&[2, 2], &[5.0, 3.0, NAN, 7.0])));
    assert_eq!(out[1], i64s(&[2, 2], &[3, 0, 1, 2]));
    assert_eq!(out[2], f64s(&[2, 0], &[]));
    assert_eq!(out[3], i64s(&[2, 4], &[3, 0, 2, 1, 1, 2, 3, 0]));
}

#[test]
fn searched() {
    let a = f64s(&[6], &[-1.0, 0.0, 0.0, 2.0, f64::INFINITY, NAN]);
    let v = f64s(
        &[2, 4],
        &[-5.0, -1.0, -0.0, 1.0, 2.0, f64::INFINITY, NAN, 1e300],
    );
    let x = [a, v];
    let left = value(|x| x[0].searchsorted(x[1]), &x);
    assert_eq!(left, i64s(&[2, 4], &[0, 0, 1, 3, 3, 4, 5, 4]));
    let right = value(|x| x[0].searchsorted_right(x[1]), &x);
    assert_eq!(right, i64s(&[2, 4], &[0, 1, 3, 3, 4, 5, 6, 4]));
    for n in 0..20usize {
        let a = i64s(&[n], &(0..n as i64).map(|i| i / 2 * 3).collect::<Vec<_>>());
        let v = i64s(&[30], &(-2..28).collect::<Vec<_>>());
        for side in [false, true] {
            let got = value(
                |x| match side {
                    true => x[0].searchsorted_right(x[1]),
                    false => x[0].searchsorted(x[1]),
                },
                &[a.clone(), v.clone()],
            );
            let count = |v: &i64| {
                let before = |a: &&i64| **a < *v || (side && **a == *v);
                a.slice::<i64>().iter().filter(before).count() as i64
            };
            let want: Vec<i64> = v.slice::<i64>().iter().map(count).collect();
            assert_eq!(got, i64s(&[30], &want), "{n}");
        }
    }
    let one = [f64s(&[2], &[1.0, 2.0]), Dense::scalar(1.5)];
    assert_eq!(
        value(|x| x[0].searchsorted(x[1]), &one),
        Dense::scalar(1i64)
    );
    let empty = [f64s(&[2], &[1.0, 2.0]), f64s(&[0], &[])];
    assert_eq!(value(|x| x[0].searchsorted(x[1]), &empty), i64s(&[0], &[]));
}

#[test]
fn rules() {
    let shapes: &[&[usize]] = &[&[4], &[1], &[0], &[3, 2], &[1, 3], &[2, 0], &[2, 3, 2]];
    for dims in shapes {
        for a in 0..dims.len() as isize {
            check(|r| vec![r.array(dims)], |x| x[0].sort(a) * x[0]);
            check(
                |r| vec![r.array(dims), r.array(dims)],
                |x| {
                    let sorted = sort(&[x[0], x[1] * x[1]], a as usize, true);
                    sorted[1] * sorted[0]
                },
            );
            check(|r| vec![r.array(dims)], |x| x[0].argsort_descending(a));
            let empty = dims[a as usize] == 0;
            if !empty {
                check(|r| vec![r.array(dims)], |x| x[0].argmin_axis(a));
            }
        }
    }
    check(|r| vec![r.array(&[2, 4])], |x| x[0].top_k(2).0 * x[0].sum());
    let ascending = |r: &mut Random| {
        let mut x = r.array(&[5]).slice::<f64>().to_vec();
        x.sort_by(f64::total_cmp);
        f64s(&[5], &x)
    };
    check(
        |r| vec![ascending(r), r.array(&[2, 3])],
        |x| x[0].searchsorted(x[1]),
    );
    check(
        |r| vec![ascending(r), r.array(&[])],
        |x| x[0].searchsorted_right(x[1]),
    );
}
