//! Gather and scatter.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::index::{Bounds, gather, scatter_add, scatter_set};
use wengert_ir::trace::Var;

use crate::rules::{Random, check, count, f64s, i64s, value};

#[test]
fn values() {
    let x = [count(&[3, 2]), i64s(&[2, 2], &[2, 0, 1, 1])];
    let of = |f: &dyn Fn(Var, Var) -> Var| value(|x| f(x[0], x[1]), &x);
    assert_eq!(
        of(&|x, i| x.take(i, 0)),
        f64s(&[2, 2, 2], &[4.0, 5.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0])
    );
    // Out of range: the nearest.
    assert_eq!(
        of(&|x, i| x.take(i, -1)),
        f64s(
            &[3, 2, 2],
            &[1.0, 0.0, 1.0, 1.0, 3.0, 2.0, 3.0, 3.0, 5.0, 4.0, 5.0, 5.0]
        )
    );
    assert_eq!(of(&|x, i| x.at(i.at(0))), of(&|x, i| x.take(i.at(0), 0)));
    let at = |i: i64| value(|x| x[0].at(x[1]), &[count(&[3]), Dense::scalar(i)]);
    assert_eq!(at(1), Dense::scalar(1.0));
    assert_eq!(at(-1), Dense::scalar(0.0));
    assert_eq!(at(9), Dense::scalar(2.0));
}

#[test]
fn writing() {
    let x = [
        f64s(&[3], &[1.0, 2.0, 3.0]),
        i64s(&[4], &[0, 2, 0, 7]),
        count(&[4]),
    ];
    let of = |f: &dyn Fn(Var, Var, Var) -> Var| value(|x| f(x[0], x[1], x[2]), &x);
    assert_eq!(of(&|x, i, u| x.at_add(i, u)), f64s(&[3], &[3.0, 2.0, 4.0]));
    assert_eq!(of(&|x, i, u| x.at_set(i, u)), f64s(&[3], &[2.0, 2.0, 1.0]));
    assert_eq!(of(&|x, i, _| x.at_set(i, 9)), f64s(&[3], &[9.0, 2.0, 9.0]));
    assert_eq!(
        of(&|x, _, _| x.at_set(1, 9.0)),
        f64s(&[3], &[1.0, 9.0, 3.0])
    );
    assert_eq!(
        of(&|x, _, _| x.at_add(-1, 9.0)),
        f64s(&[3], &[1.0, 2.0, 12.0])
    );
    assert_eq!(of(&|x, i, _| x.at_add(i.at(3), 9.0)), x[0]);
    assert_eq!(
        of(&|x, i, u| scatter_add(x, i, u, 0, 0, Bounds::Clamp)),
        f64s(&[3], &[3.0, 2.0, 7.0])
    );
    assert_eq!(
        of(&|x, i, _| gather(x, i, 0, 0, Bounds::Drop)),
        f64s(&[4], &[1.0, 3.0, 1.0, 0.0])
    );
    let rows = [count(&[2, 2])];
    assert_eq!(
        value(|x| x[0].at_set(0, 7.0), &rows),
        f64s(&[2, 2], &[7.0, 7.0, 2.0, 3.0])
    );
}

#[test]
fn a_batch_of_indices() {
    let x = [count(&[2, 3]), i64s(&[2, 2], &[2, 0, 1, 1])];
    let y = value(|x| gather(x[0], x[1], 1, 1, Bounds::Clamp), &x);
    assert_eq!(y, f64s(&[2, 2], &[2.0, 0.0, 4.0, 4.0]));
}

/// Indices inside and outside, some of them twice.
fn indices(r: &mut Random, dims: &[usize]) -> Dense {
    let x = r.array(dims);
    let whole = x.slice::<f64>().iter().map(|x| (x * 2.0) as i64);
    Dense::of(dims.to_vec(), whole.collect())
}

#[test]
fn rules() {
    // The array, its axis, the first axes that run together, and the indices.
    let cases: &[(&[usize], usize, usize, &[usize])] = &[
        (&[4], 0, 0, &[3]),
        (&[4], 0, 0, &[]),
        (&[4], 0, 0, &[2, 3]),
        (&[4], 0, 0, &[0]),
        (&[0], 0, 0, &[0]),
        (&[2, 3], 0, 0, &[3]),
        (&[2, 3], 1, 0, &[3]),
        (&[2, 3], 1, 1, &[2]),
        (&[2, 3], 1, 1, &[2, 2]),
        (&[2, 2, 3], 2, 1, &[2, 2]),
        (&[2, 3, 2], 1, 1, &[2, 1, 2]),
        (&[2, 2, 3], 2, 2, &[2, 2]),
        (&[1, 1], 0, 0, &[1]),
    ];
    for &(dims, axis, batch, idx) in cases {
        let window = [&dims[..axis], &idx[batch..], &dims[axis + 1..]].concat();
        for bounds in [Bounds::Clamp, Bounds::Drop] {
            check(
                |r| vec![r.array(dims), indices(r, idx)],
                |x| gather(x[0] * x[0], x[1], axis, batch, bounds),
            );
            for write in [scatter_add, scatter_set] {
                check(
                    |r| vec![r.array(dims), indices(r, idx), r.array(&window)],
                    |x| write(x[0] * x[0], x[1], x[2] * x[2], axis, batch, bounds),
                );
            }
        }
    }
}

#[test]
fn rules_of_methods() {
    check(
        |r| vec![r.array(&[3, 2]), indices(r, &[]), r.array(&[2])],
        |x| x[0].at(x[1]) * x[2],
    );
    check(
        |r| vec![r.array(&[3, 2]), indices(r, &[]), r.array(&[2])],
        |x| x[0].at_set(x[1], x[2] * x[2]) * x[0],
    );
    check(
        |r| vec![r.array(&[3, 2]), indices(r, &[4]), r.array(&[])],
        |x| x[0].at_add(x[1], x[2] * x[2]) * x[0],
    );
}
