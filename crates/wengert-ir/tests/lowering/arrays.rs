//! Operations on arrays.

use super::*;
use wengert_ir::ops::reduce::{Reducer, reduce};
use wengert_ir::ops::{convert, dot, index, layout};
use wengert_ir::trace::{arange, concat, stack};

#[test]
fn elementwise_of_every_size() {
    for dims in [
        vec![],
        vec![1],
        vec![3],
        vec![5],
        vec![8],
        vec![100],
        vec![3, 7],
        vec![0],
    ] {
        agree(&trace(&[f64s(&dims), f64s(&dims)], |x| {
            let y = x[0] * x[1] + x[0].sin();
            vec![y.exp(), y - x[1], (y * y).sqrt()]
        }));
    }
}

#[test]
fn tasks() {
    agree(&trace(&[f64s(&[70_000])], |x| vec![x[0] * x[0] + x[0]]));
    agree(&trace(&[f64s(&[300, 401]), f64s(&[401])], |x| {
        vec![x[0] * x[1].broadcast_to([300, 401])]
    }));
}

#[test]
fn layouts() {
    agree(&trace(&[f64s(&[4, 5, 6])], |x| {
        let x = x[0];
        let y = x * x;
        vec![
            x.transpose([2, 0, 1]),
            y.transpose([1, 0, 2]) + 1.0,
            x.reshape([20, 6]).t(),
            y.reshape([8, 15]).flip([0]),
            x.transpose([2, 1, 0]).reshape([10, 12]),
            layout::slice(y, &[1, 0, 2], &[4, 5, 6], &[2, 1, 3]),
            layout::pad(x, &[1, 0, 2], &[0, 3, 1], &[0, 2, 1]),
            layout::pad(y.sum_axis([0, 1]), &[2], &[1], &[1]),
            concat([x, y, x.flip([2])], 1),
            x.sum_axis([0, 2]).broadcast_to([3, 5]),
        ]
    }));
}

#[test]
fn few_elements() {
    agree_with_derivatives(&[f64s(&[3])], |x| {
        let x = x[0];
        let (a, b, c) = (x.at(0), x.at(1), x.at(2));
        let dx = stack([10.0 * (b - a), a * (28.0 - c) - b, a * b - c * 2.5]);
        vec![x + 0.01 * dx, dx.flip([0]).sum()]
    });
}

#[test]
fn reductions() {
    for n in [1, 5, 63, 64, 100] {
        agree(&trace(
            &[f64s(&[n]), f64s(&[3, n]), f64s(&[n, 9]), i64s(&[n])],
            |x| {
                vec![
                    x[0].sum(),
                    (x[0] * x[0]).prod(),
                    x[1].sum_axis([1]),
                    x[1].amax_axis([1]),
                    x[2].sum_axis([0]),
                    x[2].amin(),
                    x[2].t().sum(),
                    x[3].sum(),
                    x[3].prod(),
                    reduce(Reducer::Any, x[0].lt(0.0), &[0]),
                    reduce(Reducer::All, x[1].lt(1.9), &[1]),
                ]
            },
        ));
    }
}

#[test]
fn long_reductions() {
    agree(&trace(
        &[f64s(&[65_536 + 20]), f64s(&[2, 131_072 + 70])],
        |x| vec![x[0].sum(), (x[1] * 2.0).sum_axis([1])],
    ));
}

#[test]
fn a_reduction_computes_what_others_want_beside() {
    agree_with_derivatives(&[f64s(&[6, 70])], |x| {
        let high = x[0].amax_axis([1]);
        let e = (x[0] - layout::insert_axis(high, 1, 70)).exp();
        vec![e / layout::insert_axis(e.sum_axis([1]), 1, 70)]
    });
}

#[test]
fn products() {
    for (m, k, n) in [(1, 1, 1), (2, 3, 2), (5, 7, 9), (3, 100, 2), (32, 33, 34)] {
        let types = [f64s(&[m, k]), f64s(&[k, n]), f64s(&[k])];
        // Large products are computed by a library, whose bits may differ.
        let f = |x: &[Var]| vec![x[0].matmul(x[2]), x[0].dot(x[2])];
        agree_with_derivatives(&types, f);
        if m < 32 {
            agree_with_derivatives(&types, |x| vec![x[0].matmul(x[1])]);
        }
    }
    agree(&trace(&[f64s(&[4, 3, 5]), f64s(&[5, 4, 2])], |x| {
        vec![dot::dot(x[0], x[1], &[(0, 1)], &[(2, 0)])]
    }));
}

#[test]
fn a_large_product_is_a_librarys() {
    let func = trace(&[f64s(&[40, 50]), f64s(&[60, 50])], |x| {
        vec![(x[0] * 2.0).matmul(x[1].t())]
    });
    let program = lower(&func).unwrap().to_string();
    assert!(program.contains("gemm 40x60x50"), "{program}");
    agree(&func);
}

#[test]
fn converted_and_counted() {
    agree(&trace(&[f64s(&[9]), i64s(&[9])], |x| {
        vec![
            convert::convert(x[0], DType::I64) + x[1],
            convert::convert(x[1], DType::F32),
            convert::convert(arange(9), DType::F64) * x[0],
            convert::convert(x[1], DType::U8),
            convert::convert(x[0].lt(0.0), DType::F64),
        ]
    }));
}

#[test]
fn windows() {
    agree_with_derivatives(&[f64s(&[6, 7]), f64s(&[2, 3]), i64s(&[])], |x| {
        let i = x[2];
        let two = Var::scalar(2i64);
        vec![
            x[0].dynamic_slice(&[i, two], [2, 3]) * x[1],
            x[0].dynamic_update(x[1] * 2.0, &[two, i]),
        ]
    });
}

#[test]
fn gather_and_scatter() {
    use index::Bounds::{Clamp, Drop};
    for bounds in [Clamp, Drop] {
        for n in [2, 9] {
            let types = [f64s(&[n, 5]), i64s(&[7]), f64s(&[7, 5])];
            agree_with_derivatives(&types, |x| {
                vec![
                    index::gather(x[0], x[1], 0, 0, bounds),
                    index::scatter_add(x[0] * 2.0, x[1], x[2], 0, 0, bounds),
                    index::scatter_set(x[0], x[1], x[2] * x[2], 0, 0, bounds),
                ]
            });
        }
    }
}
