//! Families of array operations over shapes with all kinds of axes.

use super::*;
use wengert_ir::ops::cumulative::recurrence;

/// Shapes with empty and short axes, with few and with many elements.
const SHAPES: &[&[usize]] = &[
    &[1],
    &[0],
    &[3],
    &[9],
    &[70],
    &[2, 2],
    &[1, 5],
    &[0, 3],
    &[3, 0],
    &[4, 9],
    &[9, 4],
    &[5, 40],
    &[2, 3, 4],
    &[3, 1, 5],
    &[2, 3, 40],
    &[2, 1, 3, 2],
];

fn each_axis(f: impl Fn(&[usize], usize)) {
    for dims in SHAPES {
        for axis in 0..dims.len() {
            f(dims, axis);
        }
    }
}

#[test]
fn running_values() {
    each_axis(|dims, axis| {
        let a = axis as isize;
        agree_with_derivatives(&[f64s(dims)], |x| {
            let x = x[0];
            vec![
                x.cumsum(a),
                (x * x).cumprod_reverse(a),
                x.sin().cummax(a),
                x.cummin_reverse(a) * 2.0,
                x.cumlogsumexp(a),
            ]
        });
        agree(&trace(&[i64s(dims), f64s(dims)], |x| {
            let twice = x[1] * 2.0;
            vec![
                x[0].cumsum_reverse(a),
                (x[0] + 1).cumprod(a),
                x[0].cummax(a),
                // Values that other results need are computed in the same loop.
                twice.cumsum(a) + twice,
                recurrence(twice, twice, axis, false),
            ]
        }));
    });
}

#[test]
fn running_values_in_tasks() {
    agree(&trace(&[f64s(&[300, 1100])], |x| {
        vec![x[0].cumsum(0), (x[0] * 2.0).cumsum_reverse(1)]
    }));
    agree(&trace(&[f64s(&[70, 30, 40])], |x| {
        vec![x[0].cummax(1), x[0].cumprod_reverse(0), x[0].cumsum(2)]
    }));
}

#[test]
fn running_values_in_lanes() {
    for n in [2, 7, 20] {
        let types = [f64s(&[11, n, 3]), f64s(&[n])];
        agree_with_derivatives(&types, |x| {
            ops::map::map(&x[..1], 11, |v| {
                let y = v[0].cumsum(0) * x[1].cumprod(0).expand_dims(1);
                vec![y.cummax_reverse(1), y.cumlogsumexp(0)]
            })
        });
    }
}

#[test]
fn sorting() {
    each_axis(|dims, axis| {
        let a = axis as isize;
        agree_with_derivatives(&[f64s(dims), f64s(dims)], |x| {
            let mut y = vec![x[0].sort(a), (x[0] * x[1]).sort_descending(a)];
            y.extend(x[0].sin().sort_with(&x[1..], a));
            y
        });
        let small = Type::new(DType::U8, dims);
        agree(&trace(&[i64s(dims), small], |x| {
            let mut y = vec![x[0].argsort(a), x[1].argsort_descending(a), x[1].sort(a)];
            y.extend((x[0] / 3).sort_with(&[x[1], x[0]], a));
            y
        }));
        if dims[axis] > 0 {
            agree(&trace(&[f64s(dims), i64s(dims)], |x| {
                vec![x[0].argmax_axis(a), (x[1] / 2).argmin_axis(a)]
            }));
        }
    });
}

#[test]
fn sorting_in_lanes() {
    for n in [3, 8, 9, 30, 65] {
        agree_with_derivatives(&[f64s(&[11, n]), f64s(&[n])], |x| {
            ops::map::map(&x[..1], 11, |v| {
                let y = v[0] * x[1];
                let (largest, places) = y.top_k(2);
                vec![
                    y.sort(0),
                    largest,
                    places,
                    y.argsort_descending(0),
                    y.argmax(),
                ]
            })
        });
        // Sorting in a loop in lanes, and in a loop outside of lanes.
        let sorted = |x: &[Var]| {
            let next = |c: &[Var], r: &[Var]| {
                let y = (c[0] * r[0]).sort(0);
                (vec![y.sin()], vec![y.flip(0)])
            };
            let (carry, rows) = scan(&x[..1], &x[1..], 3, false, next);
            [carry, rows].concat()
        };
        agree_with_derivatives(&[f64s(&[n]), f64s(&[3, n])], sorted);
        let types = [f64s(&[11, n]), f64s(&[11, 3, n])];
        agree_with_derivatives(&types, |x| ops::map::map(x, 11, sorted));
    }
}

#[test]
fn searching() {
    for n in [0, 1, 4, 5, 37] {
        agree(&trace(&[f64s(&[n]), f64s(&[20]), f64s(&[])], |x| {
            let sorted = x[0].sort(0);
            vec![
                sorted.searchsorted(x[1]),
                sorted.searchsorted_right(x[1] * 0.5),
                sorted.searchsorted(x[2]),
            ]
        }));
        agree(&trace(&[f64s(&[11, n]), f64s(&[11, 6])], |x| {
            ops::map::map(x, 11, |x| vec![x[0].sort(0).searchsorted(x[1])])
        }));
    }
}

#[test]
fn gather_and_scatter() {
    use ops::affine_scatter::AffineScatter;
    use ops::index::{Access, Bounds, gather, scatter};
    let accesses = [
        Access::Set,
        Access::Add,
        Access::Mul,
        Access::Min,
        Access::Max,
    ];
    let cases: &[(&[usize], usize, usize, &[usize])] = &[
        (&[4], 0, 0, &[3]),
        (&[2], 0, 0, &[]),
        (&[3, 9], 0, 0, &[5]),
        (&[3, 2, 9], 0, 0, &[2, 3]),
        (&[2, 9, 3], 1, 1, &[2, 5]),
        (&[2, 5, 20], 1, 1, &[2, 3]),
        (&[0, 3], 1, 0, &[4]),
        (&[1, 1], 0, 0, &[1]),
    ];
    for &(dims, axis, batch, idx) in cases {
        let window = [&dims[..axis], &idx[batch..], &dims[axis + 1..]].concat();
        let types = [f64s(dims), i64s(idx), f64s(&window), f64s(&window)];
        for bounds in [Bounds::Clamp, Bounds::Drop] {
            agree_with_derivatives(&types, |x| {
                let mut y = vec![gather(x[0], x[1], axis, batch, bounds)];
                for access in accesses {
                    y.push(scatter(access, x[0] * 2.0, x[1], x[2], axis, batch, bounds));
                }
                for reverse in [false, true] {
                    let walk = AffineScatter {
                        reverse,
                        ..AffineScatter::new(axis, batch, bounds)
                    };
                    let (last, before) = walk.bind(x[0], x[1], x[2], x[3] * x[3]);
                    y.extend([last, before]);
                }
                y
            });
        }
    }
}

#[test]
fn gather_and_scatter_in_lanes() {
    for n in [2, 9] {
        let types = [f64s(&[11, n, 3]), i64s(&[11, 4]), f64s(&[11, 4, 3])];
        agree_with_derivatives(&types, |x| {
            ops::map::map(x, 11, |x| {
                let (x, i, u) = (x[0], x[1], x[2]);
                use ops::index::{Access, Bounds, scatter};
                let mul = scatter(Access::Mul, x, i, u, 0, 0, Bounds::Drop);
                let max = scatter(Access::Max, x, i, u, 0, 0, Bounds::Clamp);
                vec![mul, max, x.take(i, 0) * u]
            })
        });
    }
}

#[test]
fn along_an_axis() {
    each_axis(|dims, axis| {
        if dims[axis] == 0 {
            return;
        }
        let a = axis as isize;
        agree_with_derivatives(&[f64s(dims), i64s(dims), f64s(dims)], |x| {
            let (x, i, u) = (x[0], x[1], x[2]);
            vec![
                x.take_along_axis(i, a) * u,
                (x * 2.0).put_along_axis(i, u, a),
                x.add_along_axis(i, u * u, a),
                i.one_hot(3),
            ]
        });
    });
}
