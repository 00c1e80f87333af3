//! Families of array operations over shapes with axes of every kind.

use super::*;
use wengert_ir::ops::cumulative::recurrence;

/// Shapes with empty and short axes, of few elements and of many.
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
                // What others want is computed beside.
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
