//! Gather and scatter.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::Cotangent;
use wengert_ir::ops::affine_scatter::AffineScatter;
use wengert_ir::ops::index::{Access, Bounds, gather, scatter, scatter_add, take_along};
use wengert_ir::trace::Var;
use wengert_ir::transform::linearize;

use super::rules::{Random, check, count, f64s, i64s, run, trace, value};

#[test]
fn values() {
    let x = [count(&[3, 2]), i64s(&[2, 2], &[2, 0, 1, 1])];
    let of = |f: &dyn Fn(Var, Var) -> Var| value(|x| f(x[0], x[1]), &x);
    assert_eq!(
        of(&|x, i| x.take(i, 0)),
        f64s(&[2, 2, 2], &[4.0, 5.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0])
    );
    // Out of range: the nearest element is read.
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

const WRITES: [Access; 5] = [
    Access::Set,
    Access::Add,
    Access::Mul,
    Access::Min,
    Access::Max,
];

#[test]
fn joining() {
    let x = [
        f64s(&[4], &[2.0, f64::NAN, 3.0, 5.0]),
        i64s(&[5], &[0, 0, 3, 1, 9]),
        f64s(&[5], &[3.0, -1.0, 7.0, 1.0, 8.0]),
    ];
    let of = |access| {
        let f = |x: &[Var]| scatter(access, x[0], x[1], x[2], 0, 0, Bounds::Drop);
        let y = value(f, &x).slice::<f64>().to_vec();
        (y[0], y[1].is_nan(), y[2], y[3])
    };
    assert_eq!(of(Access::Set), (-1.0, false, 3.0, 7.0));
    assert_eq!(of(Access::Mul), (-6.0, true, 3.0, 35.0));
    assert_eq!(of(Access::Min), (-1.0, true, 3.0, 5.0));
    assert_eq!(of(Access::Max), (3.0, true, 3.0, 7.0));
    let whole = [
        i64s(&[2], &[i64::MAX, 3]),
        i64s(&[2], &[0, 0]),
        i64s(&[2], &[2, 5]),
    ];
    let f = |x: &[Var]| scatter(Access::Mul, x[0], x[1], x[2], 0, 0, Bounds::Clamp);
    assert_eq!(value(f, &whole), i64s(&[2], &[-10, 3]));
}

/// Affine updates in order, forwards and backwards.
#[test]
fn affine_updates() {
    let x = [
        f64s(&[2], &[1.0, 10.0]),
        i64s(&[4], &[0, 1, 0, 5]),
        f64s(&[4], &[2.0, 3.0, 4.0, 5.0]),
        f64s(&[4], &[0.5, 0.0, 0.25, 9.0]),
    ];
    let types: Vec<_> = x.iter().map(Dense::ty).collect();
    let of = |reverse| {
        let walk = AffineScatter {
            reverse,
            ..AffineScatter::new(0, 0, Bounds::Drop)
        };
        let func = trace(&types, |x| {
            let (y, before) = walk.bind(x[0], x[1], x[2], x[3]);
            vec![y, before]
        });
        run(&func, &x)
    };
    let forward = of(false);
    assert_eq!(forward[0], f64s(&[2], &[10.25, 30.0]));
    assert_eq!(forward[1], f64s(&[4], &[1.0, 10.0, 2.5, 0.0]));
    let back = of(true);
    assert_eq!(back[0], f64s(&[2], &[9.0, 30.0]));
    assert_eq!(back[1], f64s(&[4], &[4.25, 10.0, 1.0, 0.0]));
}

/// Returns the gradients of the sum of an array after updates.
fn gradients(access: Access, x: &[f64], idx: &[i64], u: &[f64]) -> Vec<Vec<f64>> {
    let x = [
        f64s(&[x.len()], x),
        i64s(&[idx.len()], idx),
        f64s(&[u.len()], u),
    ];
    let types: Vec<_> = x.iter().map(Dense::ty).collect();
    let func = trace(&types, |x| {
        vec![scatter(access, x[0], x[1], x[2], 0, 0, Bounds::Drop).sum()]
    });
    let back = trace(&types, |x| {
        let (_, linear) = linearize(&func, x, &[true, false, true]);
        let back = linear.pull(&[Some(Cotangent::new(Var::scalar(1.0)))]);
        [0, 2].map(|i| back[i].expect("a cotangent").value).to_vec()
    });
    let both = run(&back, &x);
    both.iter().map(|g| g.slice::<f64>().to_vec()).collect()
}

#[test]
fn derivatives_of_joining() {
    // There are zeros among the factors at one place.
    let mul = gradients(
        Access::Mul,
        &[2.0, 5.0],
        &[0, 0, 1, 7],
        &[0.0, 3.0, 4.0, 1.0],
    );
    assert_eq!(mul, [vec![0.0, 4.0], vec![6.0, 0.0, 5.0, 0.0]]);
    // Equal elements share.
    let max = gradients(Access::Max, &[2.0, 5.0, 1.0], &[0, 0, 1], &[2.0, 1.0, 6.0]);
    assert_eq!(max, [vec![0.5, 0.0, 1.0], vec![0.5, 0.0, 1.0]]);
    let min = gradients(Access::Min, &[2.0, 5.0], &[0, 0, 0], &[1.0, 1.0, 1.0]);
    let third = 1.0 / 3.0;
    assert_eq!(min, [vec![0.0, 1.0], vec![third; 3]]);
}

#[test]
fn along_an_axis() {
    let x = [
        f64s(&[2, 3], &[3.0, 1.0, 2.0, 4.0, 6.0, 5.0]),
        i64s(&[2, 2], &[1, 2, 0, 9]),
        f64s(&[2, 2], &[10.0, 20.0, 30.0, 40.0]),
    ];
    let of = |f: &dyn Fn(Var, Var, Var) -> Var| value(|x| f(x[0], x[1], x[2]), &x);
    let want = f64s(&[2, 2], &[1.0, 2.0, 4.0, 5.0]);
    assert_eq!(of(&|x, i, _| x.take_along_axis(i, 1)), want);
    assert_eq!(of(&|x, i, _| x.t().take_along_axis(i.t(), 0).t()), want);
    // Axes of length 1 broadcast.
    assert_eq!(
        of(&|x, i, _| x.take_along_axis(i.slice(..1), -1)),
        f64s(&[2, 2], &[1.0, 2.0, 6.0, 5.0])
    );
    assert_eq!(
        of(&|x, i, u| x.put_along_axis(i, u, 1)),
        f64s(&[2, 3], &[3.0, 10.0, 20.0, 30.0, 6.0, 5.0])
    );
    assert_eq!(
        of(&|x, i, _| x.add_along_axis(i, 1.0, 1)),
        f64s(&[2, 3], &[3.0, 2.0, 3.0, 5.0, 6.0, 5.0])
    );
    let sorted = |x: Var, a: isize| x.take_along_axis(x.argsort(a), a) - x.sort(a);
    assert_eq!(of(&|x, _, _| sorted(x, 0)), f64s(&[2, 3], &[0.0; 6]));
    assert_eq!(of(&|x, _, _| sorted(x, 1)), f64s(&[2, 3], &[0.0; 6]));
    assert_eq!(
        value(|x| x[0].one_hot(3), &[i64s(&[2, 2], &[0, 2, -1, 3])]),
        f64s(
            &[2, 2, 3],
            &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        )
    );
    let wide = Dense::of(vec![1], vec![3u8]);
    let hot = value(|x| x[0].one_hot(600), &[wide]);
    assert_eq!(hot.slice::<f64>().iter().sum::<f64>(), 1.0);
}

#[test]
fn rules_along_an_axis() {
    for (dims, idx, axis) in [
        (&[4][..], &[3][..], 0),
        (&[2, 3], &[2, 2], 1),
        (&[3, 2], &[4, 2], 0),
        (&[2, 3, 2], &[2, 1, 2], 1),
        (&[0, 2], &[0, 2], 1),
        (&[2, 2], &[2, 0], 1),
    ] {
        check(
            |r| vec![r.array(dims), indices(r, idx)],
            |x| take_along(x[0] * x[0], x[1], axis),
        );
        check(
            |r| vec![r.array(dims), indices(r, idx), r.array(idx)],
            |x| {
                let put = (x[0] * x[0]).put_along_axis(x[1], x[2] * x[2], axis as isize);
                put.add_along_axis(x[1], x[2], axis as isize) * put
            },
        );
    }
}

#[test]
fn a_batch_of_indices() {
    let x = [count(&[2, 3]), i64s(&[2, 2], &[2, 0, 1, 1])];
    let y = value(|x| gather(x[0], x[1], 1, 1, Bounds::Clamp), &x);
    assert_eq!(y, f64s(&[2, 2], &[2.0, 0.0, 4.0, 4.0]));
}

/// Returns indices inside and outside the range, some of them repeated.
fn indices(r: &mut Random, dims: &[usize]) -> Dense {
    let x = r.array(dims);
    let whole = x.slice::<f64>().iter().map(|x| (x * 2.0) as i64);
    Dense::of(dims.to_vec(), whole.collect())
}

#[test]
fn rules() {
    // The array, its axis, the number of batch axes, and the indices.
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
            for access in WRITES {
                check(
                    |r| vec![r.array(dims), indices(r, idx), r.array(&window)],
                    |x| scatter(access, x[0] * x[0], x[1], x[2] * x[2], axis, batch, bounds),
                );
            }
            for reverse in [false, true] {
                let walk = AffineScatter {
                    reverse,
                    ..AffineScatter::new(axis, batch, bounds)
                };
                check(
                    |r| {
                        let [a, b] = [r.array(&window), r.array(&window)];
                        vec![r.array(dims), indices(r, idx), a, b]
                    },
                    |x| {
                        let (y, before) = walk.bind(x[0] * x[0], x[1], x[2], x[3]);
                        y.sum() * before
                    },
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
