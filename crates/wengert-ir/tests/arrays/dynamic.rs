//! Windows at traced positions.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::dynamic;
use wengert_ir::trace::Var;

use super::rules::{Random, check, count, f64s, i64s, trace, value};

#[test]
fn values() {
    let at = |i: i64, j: i64| {
        let x = [count(&[3, 4]), Dense::scalar(i), Dense::scalar(j)];
        value(|x| x[0].dynamic_slice(&[x[1], x[2]], [2, 2]), &x)
    };
    assert_eq!(at(1, 1), f64s(&[2, 2], &[5.0, 6.0, 9.0, 10.0]));
    assert_eq!(at(0, 2), f64s(&[2, 2], &[2.0, 3.0, 6.0, 7.0]));
    // Out of range: clamped to lie inside.
    assert_eq!(at(-5, 100), at(0, 2));
    assert_eq!(at(i64::MAX, i64::MIN), at(1, 0));
    let put = |i: i64| {
        let x = [count(&[4]), f64s(&[2], &[8.0, 9.0]), Dense::scalar(i)];
        value(|x| x[0].dynamic_update(x[1], &[x[2]]), &x)
    };
    assert_eq!(put(1), f64s(&[4], &[0.0, 8.0, 9.0, 3.0]));
    assert_eq!(put(7), f64s(&[4], &[0.0, 1.0, 8.0, 9.0]));
    assert_eq!(put(-7), f64s(&[4], &[8.0, 9.0, 2.0, 3.0]));
}

#[test]
fn indices_of_any_type() {
    let of = |i: Dense| {
        let x = [count(&[4]), i];
        value(|x| x[0].dynamic_slice(&[x[1]], 1), &x).slice::<f64>()[0]
    };
    assert_eq!(of(Dense::scalar(2i32)), 2.0);
    assert_eq!(of(Dense::scalar(-2i32)), 0.0);
    assert_eq!(of(Dense::scalar(2u8)), 2.0);
    assert_eq!(of(Dense::scalar(200u8)), 3.0);
    assert_eq!(of(Dense::scalar(u64::MAX)), 3.0);
    assert_eq!(of(Dense::scalar(u32::MAX)), 3.0);
}

/// Returns a place for an element of a batch, inside or outside the array.
fn place(r: &mut Random) -> Dense {
    Dense::scalar((r.number() * 3.0) as i64)
}

#[test]
fn rules() {
    for (dims, sizes) in [
        (&[5][..], &[2][..]),
        (&[5], &[5]),
        (&[5], &[0]),
        (&[1], &[1]),
        (&[0], &[0]),
        (&[3, 4], &[2, 4]),
        (&[3, 4], &[3, 2]),
        (&[3, 4], &[1, 1]),
        (&[2, 3, 2], &[1, 2, 2]),
        (&[], &[]),
        (&[2, 0], &[1, 0]),
    ] {
        let indices = |r: &mut Random| (0..dims.len()).map(|_| place(r)).collect::<Vec<_>>();
        check(
            |r| [vec![r.array(dims)], indices(r)].concat(),
            |x| dynamic::slice(x[0] * x[0], &x[1..], sizes),
        );
        check(
            |r| [vec![r.array(dims), r.array(sizes)], indices(r)].concat(),
            |x| dynamic::update(x[0] * x[0], x[1] * x[1], &x[2..]),
        );
    }
}

/// Each element of a batch has its own place, for all types of places.
#[test]
fn batches_with_places_of_any_type() {
    let places: [fn(&mut Random) -> Dense; 3] = [
        |r| Dense::scalar((r.number() * 200.0) as i32),
        |r| Dense::scalar((r.number() * 50.0 + 100.0) as u8),
        |r| Dense::scalar(((r.number() + 2.0) * 3e18) as u64),
    ];
    for place in places {
        check(
            |r| vec![r.array(&[300]), place(r)],
            |x| x[0].dynamic_slice(&[x[1]], 2),
        );
    }
    check(
        |r| vec![i64s(&[3], &[1, 2, 3]), i64s(&[1], &[9]), place(r)],
        |x| x[0].dynamic_update(x[1], &[x[2]]),
    );
}

#[test]
fn a_window_of_a_literal_is_a_literal() {
    let i = Dense::scalar(1i64);
    let func = trace(&[i.ty()], |i| {
        let zeros = Var::zeros(&count(&[3]).ty());
        vec![zeros.dynamic_slice(&[i[0]], 2), zeros.at(i[0])]
    });
    assert_eq!(func.eqns.len(), 0);
}
